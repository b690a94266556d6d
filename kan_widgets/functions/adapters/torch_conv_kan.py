"""What the convolutions of IvanDrokin/torch-conv-kan have in common.

Each is a base convolution beside one over the basis functions of its input, a pair per group; a
norm and an activation come after. The basis is padded, not the input.
"""

from typing import Any

from torch import nn

from kan_widgets.functions.recipes import tensor_adapter

LIBRARY, _BASE = "torch-conv-kan", "base_conv.*.weight"


def first(module: Any) -> Any:
    """Return one of the convolutions, whose settings are those of all."""
    conv = getattr(module, "base_conv", None)
    conv = module.poly_conv if conv is None else conv
    return conv[0] if isinstance(conv, nn.ModuleList) else conv


# With a projection: a base of x, and functions of projected x, whose sums are projected back.
_PROJECTED = {"norm": "inner_proj", "after": "out_proj", "base_at": "base_conv"}


def convolution(name: str, tensors: dict[str, Any], *how: Any, **more: Any) -> None:
    """Register a convolution over 1 to 3 axes, ``...`` in shapes; "ones" are axes of size 1."""
    own = {"base": _BASE, "after": "layer_norm", "conv": first, "pads_basis": True, **more}
    own |= _PROJECTED if "inner" in str(tensors) else {}
    base = {_BASE: ("groups*out", "in", ...)} if own["base"] == _BASE else {}
    tensors = {"groups": int, **base, **tensors}
    for d in (1, 2, 3):
        axes: dict[Any, Any] = {...: ("kd", "kh", "kw")[-d:], "ones": (1,) * d}
        shapes = {
            path: tuple(a for name in need for a in axes.get(name, (name,)))
            for path, need in tensors.items()
            if isinstance(need, tuple)
        }
        tensor_adapter(name.replace("2D", f"{d}D"), tensors | shapes, *how, library=LIBRARY, **own)
