"""Read ``KAT_Group`` of Adamdad/rational_kat_cu (KAT, FlashKAT): a rational function per group.

φ = Σ_k numerator[k]·x^k / (1 + Σ_j |denominator[j]·x^(j+1)|), over groups of the last dimension.
Its version in plain torch leaves the sign to x^(j+1).
"""

from functools import partial
from typing import Any

import torch

from kan_widgets.functions.attributes import attribute, missing_tensors
from kan_widgets.functions.basis import LayerBasis
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import register_adapter
from kan_widgets.functions.smooth import Rational


def read(signed: bool, module: Any) -> LayerFunctions:
    """Read it; all groups may share a numerator."""
    above, below = module.weight_numerator.detach(), module.weight_denominator.detach()
    coefficients = above.expand(len(below), -1).unsqueeze(0)
    rows = map(tuple, below.tolist())  # one transfer
    bases = tuple(LayerBasis(Rational(above.shape[1], row, signed)) for row in rows)
    index = torch.arange(len(below)).unsqueeze(0)
    locked = "Its groups share a numerator." if len(above) < len(below) else ""
    write = None if locked else lambda place, values: above[place[1]].copy_(values)
    return LayerFunctions("elementwise", coefficients, bases, index, locked=locked, write=write)


SHAPES = {"weight_numerator": ("rows", "powers"), "weight_denominator": ("groups", "factors")}
for name in ("rational_kat_cu in torch", "rational_kat_cu"):
    register_adapter(
        "KAT_Group",
        partial(read, "torch" in name),
        library=name,
        problem=lambda module: missing_tensors(module, SHAPES),
        input_shape=lambda module: (3, 2 * attribute(module, "weight_denominator").shape[0]),
        elementwise=True,
    )
