"""Read ``KAT_Group`` of Adamdad/rational_kat_cu (KAT, FlashKAT): a rational function per group.

φ = Σ_k numerator[k]·x^k / (1 + Σ_j |denominator[j]·x^(j+1)|), over groups of the last dimension.
In the version in plain torch the absolute value is of denominator[j] alone.
"""

from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.functions.smooth_bases import Rational

for library in ("rational_kat_cu in torch", "rational_kat_cu"):
    tensor_adapter(
        "KAT_Group",
        {"weight_numerator": ("rows", "powers"), "weight_denominator": ("in", "factors")},
        lambda get: get("weight_numerator").expand(len(get("weight_denominator")), -1)[None],
        lambda module, row, signed="torch" in library: Rational(
            module.weight_numerator.shape[1], row, signed
        ),
        library=library,
        grid=("weight_denominator",),
        elementwise=True,
        locked=lambda module: (
            "Its groups share a numerator."
            if len(module.weight_numerator) < len(module.weight_denominator)
            else ""
        ),
    )
