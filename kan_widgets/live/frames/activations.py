"""What examples make of a network at one step, eight bits a number, and the steps kept of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.arrays import Float32
from kan_widgets.live.frames.thinning import Thinned

Uint8 = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Probe:
    """The examples that are traced through a network."""

    inputs: Float32 = field(repr=False)
    """``(n, *shape)``."""
    labels: tuple[int, ...] | None = None
    """The right class of each, where known."""


@dataclass(frozen=True, eq=False)
class _Values:
    """The outputs of one station: ``low + data / 255 · (high - low)``, example by example.

    A number that is not finite counts as the lowest or the highest there is; with none finite,
    ``low`` and ``high`` are NaN.
    """

    station: int
    data: Uint8 = field(repr=False)
    """``(n, *shape)``; smaller than the station's where that is large, see `kan_widgets.bind`'s
    ``probe``: maps are means over areas, of channels and features there are the first ones."""
    low: Float32 = field(repr=False)
    """``(n,)``."""
    high: Float32 = field(repr=False)
    """``(n,)``."""

    def decoded(self) -> Float32:
        """Return the outputs as numbers, ``(n, *shape)``; they are rounded to 1/255 of the span."""
        each = (-1, *[1] * (self.data.ndim - 1))
        low, high = self.low.reshape(each), self.high.reshape(each)
        return (low + self.data.astype(np.float32) / 255 * (high - low)).astype("f4")


@dataclass(frozen=True, eq=False)
class Extra:
    """Numbers that a station's ``compute`` needs beside the frame."""

    station: int
    name: str
    data: Float32 = field(repr=False)


@dataclass(frozen=True, eq=False)
class Activations:
    """The outputs of all stations for the examples, after ``step`` optimizer steps."""

    step: int
    layout_version: int
    values: tuple[_Values, ...] = field(repr=False)
    extras: tuple[Extra, ...] = field(repr=False)

    @property
    def nbytes(self) -> int:
        values = sum(v.data.nbytes + v.low.nbytes + v.high.nbytes for v in self.values)
        return values + sum(extra.data.nbytes for extra in self.extras)


def quantised(station: int, values: NDArray[Any]) -> _Values:
    """Return outputs ``(n, *shape)`` with eight bits a number."""
    rows = values.reshape(len(values), -1).astype(np.float64)
    finite = np.isfinite(rows)
    low = np.where(finite, rows, np.inf).min(axis=1, initial=np.inf)
    high = np.where(finite, rows, -np.inf).max(axis=1, initial=-np.inf)
    low, high = (np.where(np.isfinite(edge), edge, np.nan) for edge in (low, high))
    # Rounded first, so that what is decoded with them is right.
    low, high = low.astype(np.float32), high.astype(np.float32)
    span = (high.astype(np.float64) - low)[:, None]
    with np.errstate(all="ignore"):
        part = (rows - low[:, None]) / np.where(span > 0, span, 1.0)
    part = np.where(rows == np.inf, 1.0, np.nan_to_num(part, nan=0.0, posinf=1.0, neginf=0.0))
    data = np.rint(255 * part.clip(0, 1)).astype(np.uint8).reshape(values.shape)
    return _Values(station, data, low, high)


def packed(activations: Activations) -> tuple[dict[str, Any], Uint8, Float32]:
    """Return activations as JSON, all values in one array and all extras in another."""
    values, extras = activations.values, activations.extras
    content = {
        "step": activations.step,
        "values": [
            {
                "station": part.station,
                "shape": list(part.data.shape),
                "low": _numbers(part.low),
                "high": _numbers(part.high),
            }
            for part in values
        ],
        "extras": [
            {"station": part.station, "name": part.name, "shape": list(part.data.shape)}
            for part in extras
        ],
    }
    data = np.concatenate([np.empty(0, np.uint8), *(part.data.ravel() for part in values)])
    more = np.concatenate([np.empty(0, np.float32), *(part.data.ravel() for part in extras)])
    return content, data, more


def unpacked(
    content: Mapping[str, Any], data: Uint8, more: Float32, layout_version: int
) -> Activations:
    """Return the activations that `packed` has taken apart.

    Raises `LookupError`, `TypeError` or `ValueError` if the parts do not fit together.
    """
    values, extras = [], []
    for entry, part in zip(content["values"], _parts(content["values"], data), strict=True):
        low, high = (
            np.array([np.nan if v is None else v for v in entry[edge]], np.float32)
            for edge in ("low", "high")
        )
        if not len(low) == len(high) == len(part):
            raise ValueError(f"{len(low)} and {len(high)} ends for {len(part)} examples")
        values.append(_Values(int(entry["station"]), part, low, high))
    for entry, numbers in zip(content["extras"], _parts(content["extras"], more), strict=True):
        extras.append(Extra(int(entry["station"]), str(entry["name"]), numbers))
    return Activations(int(content["step"]), layout_version, tuple(values), tuple(extras))


def _parts(entries: Sequence[Mapping[str, Any]], data: NDArray[Any]) -> list[NDArray[Any]]:
    """Split an array into the arrays, one of each entry, that it was joined from."""
    shapes = [tuple(int(size) for size in each["shape"]) for each in entries]
    sizes = [math.prod(shape) for shape in shapes]
    if sum(sizes) != len(data):
        raise ValueError(f"{len(data)} numbers: expected {sum(sizes)}")
    parts = np.split(data, np.cumsum(sizes)[:-1]) if sizes else []
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _numbers(values: Float32) -> list[float | None]:
    # JSON has no NaN.
    return [float(value) if np.isfinite(value) else None for value in values]


class ActivationHistory(Thinned[Activations]):
    """The activations of a run, thinned evenly when over budget."""

    def __init__(self, max_bytes: int = 16_000_000) -> None:
        super().__init__(max_bytes)

    @property
    def latest(self) -> Activations | None:
        """The activations added last; ``None`` where there are none."""
        return self._kept[-1] if self._kept else None

    def at(self, step: int) -> Activations | None:
        """Return the last activations taken at or before ``step``; ``None`` if there are none."""
        return next((each for each in reversed(self._all()) if each.step <= step), None)
