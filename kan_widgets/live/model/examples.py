"""Examples that are followed through a network: checked, bounded, and what is kept of them."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.live.frames.activations import Activations, Extra, Probe, quantised
from kan_widgets.live.model.stations import Followed

MOST_EXAMPLES = 16
_DEFAULT_EXAMPLES = 8
_MOST_INPUT_BYTES = 4_000_000
_MOST_BYTES = 1_000_000
_MOST_CHANNELS = 64
_MOST_SIDE = 32
_MOST_FEATURES = 4096
_FEW = 64
"""So few numbers of an example at a station, as scores of classes are, are kept as they are too."""


@dataclass(frozen=True, eq=False)
class Examples:
    """What is followed: as the model takes it in, and as it is shown."""

    inputs: Tensor
    shown: Probe


def examples_of(images: Any, labels: Any = None) -> Examples:
    """Return up to 16 examples, copied, up to 4 MB of them.

    Raises `TypeError` if ``images`` is no tensor or array of numbers or the labels are no whole
    numbers, and `ValueError` if there is no example or not one label for each.
    """
    if isinstance(images, tuple | list | str) or not hasattr(images, "shape"):
        raise TypeError(
            f"images={type(images).__name__}: expected a tensor or an array of inputs, "
            "(n, ...); from a loader, take the images of one batch"
        )
    inputs = images.detach() if isinstance(images, Tensor) else torch.from_numpy(np.array(images))
    if inputs.is_complex() or inputs.ndim < 2 or not inputs.numel():
        raise ValueError(
            f"images of shape {tuple(inputs.shape)}: expected (n, ...), at least one input"
        )
    numbers = None if labels is None else _labels_of(labels, len(inputs))
    inputs = _first(inputs, MOST_EXAMPLES)
    kept = len(inputs)
    shown = np.ascontiguousarray(inputs.float().cpu().numpy())
    shown.flags.writeable = False
    return Examples(inputs, Probe(shown, None if numbers is None else numbers[:kept]))


def first_examples(batch: Any) -> Tensor | None:
    """Return copies of a few examples of a batch; ``None`` if it is not one tensor of them."""
    if isinstance(batch, tuple | list) and len(batch) == 1:
        [batch] = batch
    if not isinstance(batch, Tensor) or batch.ndim < 2 or not batch.numel():
        return None
    return _first(batch.detach(), _DEFAULT_EXAMPLES)


def _first(inputs: Tensor, most: int) -> Tensor:
    each = 4 * inputs[0].numel()
    return inputs[: max(1, min(most, len(inputs), _MOST_INPUT_BYTES // each))].clone()


def _labels_of(labels: Any, n: int) -> tuple[int, ...]:
    listed = labels.tolist() if hasattr(labels, "tolist") else list(labels)
    if not isinstance(listed, list) or len(listed) != n:
        count = len(listed) if isinstance(listed, list) else "one"
        raise ValueError(f"labels: expected one for each of {n} examples, got {count}")
    if any(isinstance(each, bool) or not isinstance(each, Integral) for each in listed):
        raise TypeError("labels: expected the number of the right class of each example")
    return tuple(int(each) for each in listed)


def as_taken(inputs: Tensor, model: nn.Module) -> Tensor:
    """Return inputs where the model is, numbers with a point as its parameters are."""
    for parameter in model.parameters():
        if parameter.is_floating_point():
            dtype = parameter.dtype if inputs.is_floating_point() else inputs.dtype
            return inputs.to(parameter.device, dtype)
    return inputs


def reduced(values: Tensor) -> Tensor:
    """Return what is kept of a station's output ``(n, *shape)``: a copy, of bounded size.

    Of channels (or rows, as of tokens) the first 64, of features the first 4096; maps larger than
    32×32 as means over areas.
    """
    values = values.detach()
    if values.ndim == 2:
        values = values[:, :_MOST_FEATURES]
    elif values.ndim == 3:
        values = values[:, :_MOST_CHANNELS, :_MOST_FEATURES]
    elif values.ndim > 3:
        values = values[:, :_MOST_CHANNELS]
    values = values.float()
    if values.ndim == 4:
        size = min(values.shape[2], _MOST_SIDE), min(values.shape[3], _MOST_SIDE)
        if tuple(values.shape[2:]) != size:
            return F.adaptive_avg_pool2d(values, size)
    return values.clone()


def activations_of(followed: Followed, step: int, layout_version: int) -> Activations:
    """Return what examples made of a network, eight bits a number, at most 1 MB of values."""
    n = max((len(values) for values in followed.values.values()), default=1)
    sizes = {station: values[0].numel() for station, values in followed.values.items()}
    # Should one example be too much already, the largest stations are left out.
    for station in sorted(sizes, key=lambda station: sizes[station], reverse=True):
        if sum(sizes.values()) <= _MOST_BYTES:
            break
        del sizes[station]
    kept = max(1, min(n, _MOST_BYTES // max(1, sum(sizes.values()))))
    taken = {
        station: values[:kept].cpu().numpy()
        for station, values in followed.values.items()
        if station in sizes
    }
    few = [
        Extra(station, "values", np.ascontiguousarray(values, dtype=np.float32))
        for station, values in taken.items()
        if values.ndim == 2 and sizes[station] <= _FEW
    ]
    quantities = tuple(quantised(station, values) for station, values in taken.items())
    return Activations(step, layout_version, quantities, (*followed.extras, *few))
