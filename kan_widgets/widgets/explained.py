"""An explanation as the view shows it: its parts, and how each adds up in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.frames.layout import Names
from kan_widgets.widgets.numbers import format_number

if TYPE_CHECKING:
    from kan_widgets.functions import LayerFunctions
    from kan_widgets.insight import Explanation, FunctionShares, KernelShares

Float64 = NDArray[np.float64]

# Numbers of maps that are sent to the browser for one layer; those of the largest shares first.
_MAP_NUMBERS = 250_000


@dataclass(frozen=True, eq=False)
class Moment:
    """What a model said of the image at one step."""

    step: int
    target: int
    predicted: int
    scores: Float64
    notes: tuple[str, ...]
    classes: tuple[str, ...] = ()
    """What they are called; empty where they only have numbers."""
    seen: str = ""
    """Of when the inputs observed are, where the model was another: ``", seen at step 40"``."""


@dataclass(frozen=True, eq=False)
class Part:
    """The shares of one layer; a number is row·columns + column."""

    layer: str
    kind: Literal["functions", "kernels"]
    values: Float64
    """``(rows, columns)``: (1, features), or (out, in)."""
    beside: Float64 | None
    """To be compared with, in the same shape; NaN where it is not known."""
    beside_label: str
    kernel: tuple[int, int]
    shared: bool
    """Whether a column is a channel that a shared kernel is applied to."""
    places: tuple[int, int, int] | None
    """Channels, height and width that the columns of functions are laid out from."""
    maps: NDArray[np.floating] | None
    """``(rows, columns, height, width)`` of kernels."""
    total: Float64 | None
    """``(height, width)``: all maps together."""
    sentence: str
    """How it adds up, for whoever looks once."""
    method: str
    """How that is computed, and what it leaves out."""
    moment: Moment
    """What the model said when this was computed."""
    names: tuple[str, ...] = ()
    """What the outputs of the layer are called."""
    input_names: tuple[str, ...] = ()
    """What its inputs are called."""

    def order(self) -> list[int]:
        """Return the numbers from the largest share to the smallest."""
        found = np.argsort(-np.abs(self.values.ravel()), kind="stable")
        return [int(number) for number in found]


def parts_of(
    found: Explanation,
    layers: Iterable[LayerFunctions],
    step: int,
    names: Mapping[str, Names] = MappingProxyType({}),
    seen: int | None = None,
) -> list[Part]:
    """Return the parts of an explanation, from the last layer to the first.

    Parameters
    ----------
    found
        The explanation.
    layers
        Those of the model whose kernels are explained.
    step
        Of the training, at which it was found.
    names
        Of outputs and inputs, by the layer.
    seen
        The step at which its images were observed, if that is known.
    """
    then = "" if seen in (None, step) else f", seen at step {seen:,}"
    known = {layer.name: layer for layer in layers}
    outputs = (names.get(one.layer, Names()).outputs for one in found.functions)
    classes = next(filter(None, outputs), ())
    moment = Moment(step, found.target, found.predicted, found.scores, found.notes, classes, then)
    parts = [_functions(found, shares, k, moment) for k, shares in enumerate(found.functions)]
    for shares in reversed(found.kernels):
        parts.append(_kernels(found, shares, known[shares.layer], moment))
    return [
        replace(part, names=named.outputs, input_names=named.inputs)
        for part in parts
        for named in [names.get(part.layer, Names())]
    ]


def _functions(found: Explanation, shares: FunctionShares, number: int, moment: Moment) -> Part:
    values = shares.contributions[found.target]
    pieces = f"{len(values):,} functions" if len(values) > 1 else "one function"
    terms = pieces
    rest = sum(float(other.contributions[found.target].sum()) for other in found.functions)
    if len(found.functions) > 1:
        terms = f"{format_number(float(values.sum()))} from {pieces}"
        terms += f"{_added(rest - float(values.sum()))} from the other functions"
    elif found.bias:
        terms = f"{format_number(float(values.sum()))} from {pieces}"
    if found.bias:
        terms += f"{_added(found.bias)} bias"
    sentence = f"{_score(found, moment)}, the sum of {terms}."
    method = (
        "The last layer adds up its functions φ(x): these are its own terms, exact but for "
        f"{format_number(found.error)} of rounding."
    )
    laid = found.map(number)
    return Part(
        layer=shares.layer,
        kind="functions",
        values=values[None],
        beside=None if shares.usual is None else shares.usual[found.target][None],
        beside_label=""
        if shares.usual is None
        else f"mean of {shares.samples:,} images{moment.seen}",
        kernel=(1, 1),
        shared=False,
        places=found.map_shape,
        maps=None,
        total=None if laid is None else laid.sum(axis=0),
        sentence=sentence if np.isfinite(found.score) else _nothing(moment),
        method=method,
        moment=moment,
    )


def _kernels(
    found: Explanation, shares: KernelShares, layer: LayerFunctions, moment: Moment
) -> Part:
    count = shares.contributions.size
    mean = (
        "over this image" if not shares.samples else f"over {shares.samples:,} images{moment.seen}"
    )
    added = float(shares.contributions.sum())
    pieces, each = ("these kernels", "each kernel") if count > 1 else ("this kernel", "the kernel")
    rest = f"{_added(shares.missing)} left over" if _is_seen(shares.missing, found.score) else ""
    sentence = (
        f"{_score(found, moment)}: {format_number(shares.baseline)} with {each} at its usual "
        f"response (its mean {mean}){_added(added)} from what {pieces} make{'s' * (count == 1)} of "
        f"this image{rest}."
    )
    method = (
        f"The usual response is the mean {mean}: with {each} at it the score would be "
        f"{format_number(shares.baseline)}. What differs is shared out by integrated gradients, "
        f"which depend on that mean, and {format_number(shares.missing)} is left over. The drop "
        "is how far the score falls where that kernel alone responds as usual."
    )
    shape = layer.shape
    return Part(
        layer=shares.layer,
        kind="kernels",
        values=shares.contributions,
        beside=shares.ablated,
        beside_label="drop of the score without it",
        kernel=(shape[2], shape[3]),
        shared=bool(layer.conv and layer.conv.shared),
        places=None,
        maps=shares.maps,
        total=shares.maps.sum(axis=(0, 1), dtype=np.float64),
        sentence=sentence if np.isfinite(found.score) else _nothing(moment),
        method=method,
        moment=moment,
    )


def _is_seen(part: float, whole: float) -> bool:
    """Whether a part is worth a word beside the whole."""
    return abs(part) >= 0.005 * abs(whole)


def _named(moment: Moment) -> str:
    return moment.classes[moment.target] if moment.classes else str(moment.target)


def _nothing(moment: Moment) -> str:
    return f"The score of {_named(moment)} is not finite: there is nothing to divide."


def _score(found: Explanation, moment: Moment) -> str:
    return f"Class {_named(moment)} scores {format_number(found.score)}"


def _added(value: float) -> str:
    """Return a term of a sum with its sign."""
    return f" {'−' if value < 0 else '+'} {format_number(abs(value))}"


def content_of(image: NDArray[np.float32], parts: Iterable[Part]) -> dict[str, Any]:
    """Return an explanation as the browser reads it."""
    return {
        "image": {"shape": list(image.shape), "data": _bytes(image)},
        "parts": [_wire(part) for part in parts],
    }


def _wire(part: Part) -> dict[str, Any]:
    rows, columns = part.values.shape
    mapped: list[int] = []
    maps = None
    if part.maps is not None:
        flat = part.maps.reshape(rows * columns, *part.maps.shape[2:])
        mapped = part.order()[: max(1, _MAP_NUMBERS // max(1, flat[0].size))]
        maps = _bytes(flat[mapped])
    return {
        "layer": part.layer,
        "kind": part.kind,
        "rows": rows,
        "columns": columns,
        "values": _bytes(part.values),
        "beside": None if part.beside is None else _bytes(part.beside),
        "besideLabel": part.beside_label,
        "kernel": list(part.kernel),
        "shared": part.shared,
        "places": None if part.places is None else list(part.places),
        "mapped": mapped,
        "maps": maps,
        "mapShape": None if part.total is None else list(part.total.shape),
        "total": None if part.total is None else _bytes(part.total),
        "sentence": part.sentence,
        "method": part.method,
        "step": part.moment.step,
        "target": part.moment.target,
        "predicted": part.moment.predicted,
        "classes": list(part.moment.classes),
        "names": list(part.names),
        "inputNames": list(part.input_names),
        # What is not finite cannot be sent as a number.
        "scores": [float(score) if np.isfinite(score) else None for score in part.moment.scores],
        "notes": list(part.moment.notes),
    }


def _bytes(array: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(array, dtype="<f4").tobytes()
