"""What a binding is given: which optimizers and names they may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from torch import nn
from torch.optim import Optimizer

from kan_widgets.functions import find
from kan_widgets.live.frames.layout import Names
from kan_widgets.nn.life.torch_optimizer import torch_optimizer


def optimizer_of(model: nn.Module, given: object) -> Optimizer:
    """Return the torch optimizer that was given, or is inside what was, if it trains the model.

    Raises `TypeError` if there is none, `ValueError` if it holds none of the model's parameters.
    """
    optimizer = torch_optimizer(given)
    known = {id(parameter) for parameter in model.parameters()}
    if not any(id(p) in known for group in optimizer.param_groups for p in group["params"]):
        raise ValueError(
            f"the optimizer holds none of the parameters of {type(model).__name__}: give the "
            "one made from model.parameters() (made after the model was built or moved)"
        )
    return optimizer


def checked_names(
    model: nn.Module,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
    channel_names: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Names]:
    """Return the names of outputs and inputs by the layer. Raises as `kan_widgets.bind` says."""
    if class_names is None and feature_names is None and channel_names is None:
        return {}
    sizes = {
        layer.name: layer.shape[:2]
        for entry in find(model)
        for layer in entry.read()
        if layer.kind != "elementwise"
    }
    if channel_names is not None and not isinstance(channel_names, Mapping):
        raise TypeError(
            f"channel_names={channel_names!r:.80}: expected names by the layer, such as "
            f"{{{next(iter(sizes), 'conv')!r}: [...]}}"
        )
    outputs = {}
    for layer, given in (channel_names or {}).items():
        if layer not in sizes:
            raise ValueError(
                f"channel_names: there is no layer {layer!r}; the layers are "
                f"{', '.join(map(repr, sizes))}"
            )
        keyword = f"channel_names[{layer!r}]"
        outputs[layer] = _checked(keyword, given, layer, sizes[layer][0], "output")
    if class_names is not None:
        *_, last = sizes
        if last in outputs:
            raise ValueError(f"class_names: channel_names names the outputs of {last!r} already")
        outputs[last] = _checked("class_names", class_names, last, sizes[last][0], "output")
    inputs = {}
    if feature_names is not None:
        first = next(iter(sizes))
        inputs[first] = _checked("feature_names", feature_names, first, sizes[first][1], "input")
    return {name: Names(outputs.get(name, ()), inputs.get(name, ())) for name in sizes}


def _checked(
    keyword: str, given: Sequence[str], layer: str, count: int, of: str
) -> tuple[str, ...]:
    if (
        isinstance(given, str)
        or not isinstance(given, Iterable)
        or not all(isinstance(name, str) for name in given)
    ):
        raise TypeError(f"{keyword}={given!r:.80}: expected a list of names, one for each {of}")
    if len(given) != count:
        raise ValueError(
            f"{keyword}: {len(given)} names, but layer {layer!r} has {count} {of}s: give one "
            "for each"
        )
    return tuple(given)
