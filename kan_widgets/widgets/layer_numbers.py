"""What LayerRanges shows: the numbers of each layer, now and over time."""

from __future__ import annotations

import math
import operator
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.insight.inputs import SeenInputs, seen_inputs
from kan_widgets.insight.ranges import FunctionRanges, Start, function_ranges, start_from
from kan_widgets.insight.summary import LayerSummary, Spread, summarise
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.history import spread
from kan_widgets.live.frames.layout import LayerLayout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.series import Float64
from kan_widgets.live.frames.source import Source
from kan_widgets.widgets.wire import finite, float32

if TYPE_CHECKING:
    from kan_widgets.live.watching.updates import Updates, UpdateSizes

MOST_MEASURED = 100_000
"""Of a layer of more functions a part is measured: those of some outputs and some inputs."""

MOST_DOTS = 60
"""Functions of a layer that are drawn as dots; where there are more, evenly by rank."""
MOST_MOMENTS = 48
"""Frames of the past that the curves over time go through, at most about twice as many."""
_SIZES = ("gradient_base", "gradient_splines", "update_base", "update_splines")
# Of gradients and updates, all layers together cross with about so many points, each layer with
# at most and at least so many.
_POINTS, _MOST_POINTS, _LEAST_POINTS = 8000, 200, 20
_PERCENTILES = {"5": "low", "25": "lower", "75": "upper", "95": "high"}

Numbers = NDArray[np.int64]
Moment = tuple[int, dict[str, LayerSummary]]
"""A step, and what each layer was like."""


@dataclass(frozen=True, eq=False)
class Part:
    """The functions from some inputs of a layer to some of its outputs."""

    whole: LayerLayout
    layer: LayerLayout
    """A layer of these functions alone."""
    outputs: Numbers
    inputs: Numbers
    """Within a group of a convolution."""

    @property
    def is_all(self) -> bool:
        """Whether it is the whole layer."""
        return self.layer is self.whole

    def coefficients(self, frame: Frame) -> NDArray[np.float32]:
        """Return the coefficients of these functions; no others are touched."""
        found = frame.coefficients(self.whole.name)
        return found if self.is_all else found[np.ix_(self.outputs, self.inputs)]

    def numbers(self, functions: NDArray[Any]) -> Numbers:
        """Return the numbers that functions of the part have in the whole layer."""
        if self.is_all:
            return np.asarray(functions, dtype=np.int64)
        _, inputs, height, width = self.layer.shape
        size = height * width
        kernel, place = np.divmod(functions, size)
        row, column = np.divmod(kernel, inputs)
        whole = self.outputs[row] * self.whole.shape[1] + self.inputs[column]
        return np.asarray(whole * size + place, dtype=np.int64)

    def seen(self, seen: Observation) -> Observation:
        """Return what reaches the inputs of these functions."""
        if self.is_all:
            return seen
        size = self.whole.shape[2] * self.whole.shape[3]
        each = self.whole.shape[1] * size
        groups = max(1, len(seen.counts) // each)
        one = (self.inputs[:, None] * size + np.arange(size)).ravel()
        entries = (np.arange(groups)[:, None] * each + one).ravel()
        return replace(
            seen,
            counts=seen.counts[entries],
            outside_domain=seen.outside_domain[entries],
            outside_extent=seen.outside_extent[entries],
            patches=seen.patches[:, entries],
        )


_parts: weakref.WeakKeyDictionary[LayerLayout, Part] = weakref.WeakKeyDictionary()


def part_of(layer: LayerLayout) -> Part:
    """Return the part of a layer that is measured: the same one for layers of one shape."""
    if (known := _parts.get(layer)) is None:
        known = _parts[layer] = _chosen(layer)
    return known


def _chosen(layer: LayerLayout) -> Part:
    out, inputs, height, width = layer.shape
    groups = layer.conv.groups if layer.conv is not None else 1
    if layer.count <= MOST_MEASURED or out % groups:
        everything = np.arange(out), np.arange(inputs)
        return Part(layer, layer, *everything)
    kernels = max(1, MOST_MEASURED // (height * width))
    # As many outputs as inputs, as far as there are; of each group the same ones.
    own = out // groups
    rows = max(1, min(own, math.isqrt(kernels) // groups))
    columns = max(1, min(inputs, kernels // (rows * groups)))
    rows = max(1, min(own, kernels // (columns * groups)))
    generator = np.random.default_rng(0)
    within = np.sort(generator.choice(own, rows, replace=False))
    outputs = (np.arange(groups)[:, None] * own + within).ravel()
    columns_chosen = np.sort(generator.choice(inputs, columns, replace=False))
    table_of = layer.table_of
    if table_of is not None:
        table_of = table_of.reshape(layer.shape)[np.ix_(outputs, columns_chosen)].reshape(-1)
    shape = (len(outputs), columns, height, width)
    part = replace(layer, shape=shape, offset=0, table_of=table_of)
    return Part(layer, part, outputs, columns_chosen)


@dataclass(frozen=True, eq=False)
class Row:
    """One layer at one step."""

    layout: LayerLayout
    step: int
    summary: LayerSummary
    """Of the functions measured: all, or a `Part`."""
    updates: UpdateSizes | None
    observed_step: int | None
    """Steps made before the inputs were seen; ``None`` where that is not known."""
    dots: Float64
    """Ranges of some functions that vary, rising: over the inputs seen, or else on the grid."""
    functions: list[int]
    """The number of the function behind each dot."""
    typical: int
    """The function whose range, of the same kind, is nearest to the median."""

    def record(self) -> dict[str, Any]:
        """Return it as plain numbers; see `LayerRanges.table`."""
        s, sizes = self.summary, self.updates

        def middle(spread: Spread | None, part: str = "median") -> float | None:
            return None if spread is None else float(getattr(spread, part))

        def known(name: str) -> float | None:
            value = getattr(sizes, name, math.nan)
            return None if math.isnan(value) else value

        return {
            "layer": s.layer,
            "type": s.type,
            "step": self.step,
            "observed_step": self.observed_step,
            "functions": self.layout.count,
            "measured": s.functions,
            "constant": s.constant,
            "not_finite": s.not_finite,
            "range": middle(s.grid),
            **{f"range_{p}": middle(s.grid, part) for p, part in _PERCENTILES.items()},
            "observed_range": middle(s.observed),
            **{f"observed_range_{p}": middle(s.observed, part) for p, part in _PERCENTILES.items()},
            "range_at_start": middle(s.started),
            "spline_share": s.spline_share,
            "outside_grid": s.outside_grid,
            "outside_support": s.outside_support,
            "silu_shaped": s.silu_shaped,
            "observed_silu_shaped": s.observed_silu_shaped,
            "base": s.base,
            "base_shaped": s.base_shaped,
            "observed_base_shaped": s.observed_base_shaped,
            "threshold": s.threshold,
            "change": middle(s.change),
            "relative_change": s.relative_change,
            **{name: known(name) for name in _SIZES},
            "update_step": None if sizes is None else sizes.step,
        }

    def wire(self) -> dict[str, Any]:
        """Return it as the page reads it: see js/src/views/layer_ranges/content.ts."""
        layer, s = self.layout, self.summary
        return {
            "name": layer.name,
            "type": layer.type,
            "kind": layer.kind,
            "shape": list(layer.shape),
            "names": list(layer.names),
            "inputNames": list(layer.input_names),
            "numbers": {name: finite(value) for name, value in self.record().items()},
            "grid": _five(s.grid),
            "seen": _five(s.observed),
            "start": _five(s.started),
            "typical": self.typical,
            "dots": float32(self.dots),
            "functions": np.asarray(self.functions, dtype="<i4").tobytes(),
        }


class LayerNumbers:
    """Measures the layers of a source; what stays the same is worked out once."""

    def __init__(self) -> None:
        self._first: Frame | None = None
        self._starts: dict[str, Start] = {}
        self._inputs: dict[str, tuple[Observation, LayerLayout, SeenInputs]] = {}
        self._moments: weakref.WeakKeyDictionary[Frame, tuple[float, Moment]]
        self._moments = weakref.WeakKeyDictionary()
        self._seen: list[Observation] = []

    def rows(
        self, source: Source, frame: Frame, threshold: float, updates: Updates | None = None
    ) -> list[Row]:
        """Measure every layer of a frame, in order."""
        rows = []
        for layer in frame.layout.layers:
            part = part_of(layer)
            ranges, summary = self._measured(source, frame, layer, threshold)
            sizes = None if updates is None else updates.latest(layer.name, frame.step + 1)
            reach = ranges.range if summary.observed is None else ranges.observed
            varying = np.flatnonzero(reach > 0)
            order = varying[np.argsort(reach[varying], kind="stable")]
            picked = order
            if len(order) > MOST_DOTS:
                picked = order[np.linspace(0, len(order) - 1, MOST_DOTS).round().astype(int)]
            rows.append(
                Row(
                    layer,
                    frame.step,
                    summary,
                    sizes,
                    getattr(source.feed.observed.get(layer.name), "step", None),
                    reach[picked],
                    part.numbers(picked).tolist(),
                    int(part.numbers(order[len(order) // 2])) if len(order) else 0,
                )
            )
        return rows

    def moments(
        self, source: Source, threshold: float, most: int = 1_000_000
    ) -> tuple[list[Moment], bool]:
        """Return moments of evenly spread frames, and whether all are there.

        Ranges are those over the inputs seen last, at every step, or else on the grid. At most
        ``most`` frames are worked out in this call.
        """
        seen = list(source.feed.observed.values())
        if len(seen) != len(self._seen) or any(map(operator.is_not, seen, self._seen)):
            self._moments.clear()
            self._seen = seen
        found, complete = [], True
        for frame in _evenly(list(source.history)):
            known = self._moments.get(frame)
            if known is None or known[0] != threshold:
                if most <= 0:
                    complete = False
                    continue
                most -= 1
                layers = {
                    layer.name: self._measured(source, frame, layer, threshold)[1]
                    for layer in frame.layout.layers
                }
                known = self._moments[frame] = threshold, (frame.step, layers)
            found.append(known[1])
        return found, complete

    def _measured(
        self, source: Source, frame: Frame, layer: LayerLayout, threshold: float
    ) -> tuple[FunctionRanges, LayerSummary]:
        seen, part = self._inputs_of(source, layer), part_of(layer)
        start = self._start_of(source, layer.name)
        ranges = function_ranges(part.layer, part.coefficients(frame), start, seen)
        return ranges, summarise(part.layer, ranges, seen, threshold)

    def _start_of(self, source: Source, name: str) -> Start | None:
        """Return a layer as it was in the first frame, if it was there."""
        first = source.history[0]
        if first is not self._first:
            self._first, self._starts = first, {}
        if name not in self._starts and name in first.layout.names:
            part = part_of(first.layout.layer(name))
            self._starts[name] = start_from(part.layer, part.coefficients(first))
        return self._starts.get(name)

    def _inputs_of(self, source: Source, layer: LayerLayout) -> SeenInputs | None:
        """Return what the batch observed last sent into a layer."""
        seen = source.feed.observed.get(layer.name)
        if seen is None:
            return None
        known = self._inputs.get(layer.name)
        if known is None or known[0] is not seen or known[1].tables != layer.tables:
            part = part_of(layer)
            own = part.seen(seen)
            inputs = seen_inputs(
                part.layer,
                own.patches,
                own.edges,
                own.counts,
                own.outside_domain,
                own.outside_extent,
            )
            known = self._inputs[layer.name] = seen, layer, inputs
        return known[2]


def _evenly(frames: Sequence[Frame]) -> list[Frame]:
    """Return the first, the last, and frames between that stay the same while more come."""
    if len(frames) <= MOST_MOMENTS:
        return list(frames)
    first, last = frames[0].step, frames[-1].step
    gap = 2 ** math.ceil(math.log2(max(1.0, (last - first) / MOST_MOMENTS)))
    chosen = [frames[0]]
    for frame in frames[1:]:
        if (frame.step - first) // gap > (chosen[-1].step - first) // gap:
            chosen.append(frame)
    return chosen if chosen[-1] is frames[-1] else [*chosen, frames[-1]]


def past(
    names: Sequence[str], moments: Sequence[Moment], updates: Sequence[Sequence[UpdateSizes]]
) -> list[dict[str, Any]]:
    """Return how each layer changed, as arrays over steps; NaN stands for what is not known.

    Parameters
    ----------
    names
        The layers.
    moments
        How they were at some steps, ascending.
    updates
        For each layer, the gradients and updates measured.
    """
    points = min(_MOST_POINTS, max(_LEAST_POINTS, _POINTS // max(1, len(names))))
    found = []
    for name, measured in zip(names, updates, strict=True):
        own = [(step, layers[name]) for step, layers in moments if name in layers]
        reach = [s.grid if s.observed is None else s.observed for _, s in own]
        kept = measured
        if len(measured) > points:
            kept = [measured[place] for place in spread([m.step for m in measured], points)]
        found.append(
            {
                "steps": _steps([step for step, _ in own]),
                "range": float32([getattr(one, "median", math.nan) for one in reach]),
                "lower": float32([getattr(one, "lower", math.nan) for one in reach]),
                "upper": float32([getattr(one, "upper", math.nan) for one in reach]),
                "splines": float32([_known(s.spline_share) for _, s in own]),
                "silu": float32([_known(s.silu_shaped) for _, s in own]),
                "change": float32([getattr(s.change, "median", math.nan) for _, s in own]),
                "sizes": {
                    "steps": _steps([sizes.step for sizes in kept]),
                    **{name: float32([getattr(sizes, name) for sizes in kept]) for name in _SIZES},
                },
            }
        )
    return found


def _five(spread: Spread | None) -> list[float] | None:
    if spread is None:
        return None
    return [spread.low, spread.lower, spread.median, spread.upper, spread.high]


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _steps(steps: Sequence[int]) -> bytes:
    return np.array(steps, dtype="<i4").tobytes()
