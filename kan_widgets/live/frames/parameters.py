"""What a model's trainable parameters are, as a recording says it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kan_widgets.live.frames.layout import LayerLayout

if TYPE_CHECKING:
    from torch import nn


def parameters_of(model: "nn.Module", layers: Iterable[LayerLayout]) -> dict[str, Any]:
    """Return the counts of a model's trainable parameters, as a recording has them.

    A part is the module that a layer is named after, or that holds several, with none of the
    parameters that an earlier part has.
    """
    inside = dict(model.named_modules())
    held: dict[str, list[dict[str, Any]]] = {}
    for layer in layers:
        path = layer.name
        while path not in inside:
            path = path.rpartition(".")[0]
        form = {
            "name": layer.name,
            "type": layer.type,
            "kind": layer.kind,
            "shape": list(layer.split.whole if layer.split else layer.shape),
            "shared": layer.conv is not None and layer.conv.shared,
            "is_base": list(layer.is_base),
            "knots": list(layer.knots),
        }
        held.setdefault(path, []).append(form)
    counted: set[int] = set()
    parts = []
    for path, module in inside.items():
        if (forms := held.get(path)) is None:
            continue
        name = forms[0]["name"] if len(forms) == 1 else path or type(model).__name__
        parts.append({"name": name, "sizes": _sizes(module, counted), "layers": forms})
    return {"total": sum(_sizes(model, set()).values()), "parts": parts}


def _sizes(module: "nn.Module", counted: set[int]) -> dict[str, int]:
    """Return the sizes of trainable parameters by name without numbers, each counted once."""
    sizes: dict[str, int] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad and id(parameter) not in counted:
            counted.add(id(parameter))
            kind = ".".join(part for part in name.split(".") if not part.isdigit())
            sizes[kind] = sizes.get(kind, 0) + parameter.numel()
    return sizes
