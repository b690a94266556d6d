"""Read `torch.nn.Conv2d` and `torch.nn.Linear`: every weight w is the line φ(x) = w·x."""

from torch import nn

from kan_widgets.functions.basis import IdentityBasis
from kan_widgets.functions.recipes import tensor_adapter


def changed(module: nn.Module, kind: type[nn.Module]) -> str:
    """Say why a layer is not a set of straight lines."""
    for name in ("forward", "_conv_forward"):
        if getattr(type(module), name, None) is not getattr(kind, name, None):
            return f"{type(module).__name__} changes what {kind.__name__} computes"
    return ""


for kind, kernel in ((nn.Linear, ()), (nn.Conv2d, ("kh", "kw"))):
    tensor_adapter(
        kind,
        {"weight": ("out", "in", *kernel)},
        "",
        lambda module: IdentityBasis(),
        base="weight",
        activation=lambda module: "identity",
        conv=(lambda module: module) if kernel else None,
        bias="bias",
        note=lambda module: "A plain layer: each function is a straight line, w·x.",
        needs=lambda module, kind=kind: changed(module, kind),
        steady=(),
        library="torch",
    )
