"""What LayerRanges shows: the numbers of each layer, now and over time."""

from __future__ import annotations

import math
import operator
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_widgets.insight.inputs import SeenInputs, seen_inputs
from kan_widgets.insight.ranges import FunctionRanges, Start, function_ranges, start_from
from kan_widgets.insight.summary import LayerSummary, Spread, summarise
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import LayerLayout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.series import Float64
from kan_widgets.live.frames.source import Source
from kan_widgets.widgets.range_part import part_of

if TYPE_CHECKING:
    from kan_widgets.live.watching.updates import Updates, UpdateSizes

MOST_DOTS = 60
"""Functions of a layer that are drawn as dots; where there are more, evenly by rank."""
MOST_MOMENTS = 48
"""Frames of the past that the curves over time go through, at most about twice as many."""


@dataclass(frozen=True, eq=False)
class Row:
    """One layer at one step."""

    layout: LayerLayout
    ranges: FunctionRanges
    """Of the functions measured: all, or a `Part`."""
    summary: LayerSummary
    updates: UpdateSizes | None
    observed_step: int | None
    """Steps made before the inputs were seen; ``None`` where that is not known."""
    dots: Float64
    """Ranges of some functions that vary, rising: over the inputs seen, or else on the grid."""
    functions: list[int]
    """The number of the function behind each dot."""
    typical: int
    """The function whose range, of the same kind, is nearest to the median."""


@dataclass(frozen=True)
class Moment:
    """What the curves over time need of one layer at one step."""

    step: int
    range: Spread | None
    splines: float | None
    silu: float | None
    change: float | None


class Starts:
    """Each layer as it was in the first frame, worked out once."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._known: dict[str, Start] = {}

    def of(self, source: Source, name: str) -> Start | None:
        """Return a layer as it was in the first frame, if it was there."""
        first = source.history[0]
        if first is not self._frame:
            self._frame, self._known = first, {}
        if name not in self._known and name in first.layout.names:
            part = part_of(first.layout.layer(name))
            self._known[name] = start_from(part.layer, part.coefficients(first))
        return self._known.get(name)


class Observations:
    """The inputs seen of each layer, worked out once for each batch observed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Observation, LayerLayout, SeenInputs]] = {}

    def of(self, source: Source, layer: LayerLayout) -> SeenInputs | None:
        """Return what the batch observed last sent into a layer."""
        seen = source.observed.get(layer.name)
        if seen is None:
            return None
        known = self._known.get(layer.name)
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
            known = self._known[layer.name] = seen, layer, inputs
        return known[2]


def measure(
    source: Source,
    frame: Frame,
    threshold: float,
    starts: Starts,
    observations: Observations,
    updates: Updates | None = None,
) -> list[Row]:
    """Measure every layer of a frame, in order."""
    rows = []
    for layer in frame.layout.layers:
        seen, part = observations.of(source, layer), part_of(layer)
        start = starts.of(source, layer.name)
        ranges = function_ranges(part.layer, part.coefficients(frame), start, seen)
        sizes = None if updates is None else updates.latest(layer.name, frame.step + 1)
        reach = ranges.range if seen is None else ranges.observed
        varying = np.flatnonzero(reach > 0)
        order = varying[np.argsort(reach[varying], kind="stable")]
        picked = order
        if len(order) > MOST_DOTS:
            picked = order[np.linspace(0, len(order) - 1, MOST_DOTS).round().astype(int)]
        rows.append(
            Row(
                layer,
                ranges,
                summarise(part.layer, ranges, seen, threshold),
                sizes,
                getattr(source.observed.get(layer.name), "step", None),
                reach[picked],
                part.numbers(picked).tolist(),
                int(part.numbers(order[len(order) // 2])) if len(order) else 0,
            )
        )
    return rows


class Past:
    """Moments of the frames kept, each worked out once."""

    def __init__(self) -> None:
        self._known: weakref.WeakKeyDictionary[Frame, tuple[float, dict[str, Moment]]]
        self._known = weakref.WeakKeyDictionary()
        self._seen: list[Observation] = []

    def moments(
        self,
        source: Source,
        threshold: float,
        starts: Starts,
        observations: Observations,
        most: int = 1_000_000,
    ) -> tuple[list[dict[str, Moment]], bool]:
        """Return moments of evenly spread frames, by layer, and whether all are there.

        Ranges are those over the inputs seen last, at every step, or else on the grid.

        Parameters
        ----------
        source
            Whose history is gone through.
        threshold
            As for `summarise`.
        starts
            What the layers were like at first.
        observations
            The inputs seen.
        most
            Frames to work out at most in this call.
        """
        seen = list(source.observed.values())
        if len(seen) != len(self._seen) or any(map(operator.is_not, seen, self._seen)):
            self._known.clear()
            self._seen = seen
        chosen = _evenly(list(source.history))
        found, complete = [], True
        for frame in chosen:
            known = self._known.get(frame)
            if known is None or known[0] != threshold:
                if most <= 0:
                    complete = False
                    continue
                most -= 1
                moment = _moment(source, frame, threshold, starts, observations)
                known = self._known[frame] = threshold, moment
            found.append(known[1])
        return found, complete


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


def _moment(
    source: Source, frame: Frame, threshold: float, starts: Starts, observations: Observations
) -> dict[str, Moment]:
    found = {}
    for layer in frame.layout.layers:
        seen, part = observations.of(source, layer), part_of(layer)
        start = starts.of(source, layer.name)
        ranges = function_ranges(part.layer, part.coefficients(frame), start, seen)
        summary = summarise(part.layer, ranges, seen, threshold)
        found[layer.name] = Moment(
            frame.step,
            summary.grid if seen is None else summary.observed,
            summary.spline_share,
            summary.silu_shaped,
            None if summary.change is None else summary.change.median,
        )
    return found


# -- as plain records ---------------------------------------------------------------------


def record(row: Row, step: int) -> dict[str, Any]:
    """Return a row as plain numbers; see `LayerRanges.table`."""
    s, sizes = row.summary, row.updates

    def middle(spread: Spread | None, part: str = "median") -> float | None:
        return None if spread is None else float(getattr(spread, part))

    def known(name: str) -> float | None:
        value = getattr(sizes, name, math.nan)
        return None if math.isnan(value) else value

    return {
        "layer": s.layer,
        "type": s.type,
        "step": step,
        "observed_step": row.observed_step,
        "functions": row.layout.count,
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
        "gradient_base": known("gradient_base"),
        "gradient_splines": known("gradient_splines"),
        "update_base": known("update_base"),
        "update_splines": known("update_splines"),
        "update_step": None if sizes is None else sizes.step,
    }


_PERCENTILES = {"5": "low", "25": "lower", "75": "upper", "95": "high"}
