"""What LayerRanges shows: the numbers of each layer, now and over time."""

import math
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.arrays import Float64
from kan_widgets.insight.ranges import FunctionRanges, Start, function_ranges, start_from
from kan_widgets.insight.sampled_layer import SeenInputs, seen_inputs
from kan_widgets.insight.summary import THRESHOLD, LayerSummary, summarise
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import LayerLayout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.source import Source
from kan_widgets.live.frames.thinning import aligned, evenly_spaced
from kan_widgets.widgets.wire.messages import finite, float32

if TYPE_CHECKING:
    from kan_widgets.live.watching.updates import Updates, UpdateSizes

# With more functions only a part of a layer is measured: those to some outputs.
MAX_MEASURED = 100_000
# Functions of a layer that are drawn as dots; where there are more, evenly by rank.
_MAX_DOTS = 100
# Frames of the past that the curves over time go through at most, and about half as many.
MAX_MOMENTS = 96
_SIZES = ("gradient_base", "gradient_splines", "update_base", "update_splines")
# Points of gradients and updates that cross to the page.
_POINTS = 8000  # about as many, of all layers together
_MAX_POINTS = 200  # of one layer
_MIN_POINTS = 20  # of one layer, however many layers there are
_SUMMARY_FIELDS = (
    *("constant", "not_finite", "spline_share", "outside_grid", "outside_support", "silu_shaped"),
    *("observed_silu_shaped", "base", "base_shaped", "observed_base_shaped", "relative_change"),
)
_PERCENTILES = {"5": "low", "25": "lower", "75": "upper", "95": "high"}

Numbers = NDArray[np.int64]
# A step, and what each layer was like then.
_Summaries = tuple[int, dict[str, LayerSummary]]


@dataclass(frozen=True, eq=False)
class _MeasuredPart:
    """The functions to some outputs of a layer."""

    whole: LayerLayout
    layer: LayerLayout
    """A layer of these functions alone."""
    outputs: Numbers

    def coefficients(self, frame: Frame) -> NDArray[np.float32]:
        """Return the coefficients of these functions; no others are touched."""
        whole = frame.coefficients(self.whole.name)
        return whole if self.layer is self.whole else whole[self.outputs]

    def numbers(self, functions: NDArray[Any]) -> Numbers:
        """Return the numbers in the whole layer of functions of this part."""
        output, place = np.divmod(functions, math.prod(self.layer.shape[1:]))
        return np.asarray(self.outputs[output] * math.prod(self.layer.shape[1:]) + place)


_parts: weakref.WeakKeyDictionary[LayerLayout, _MeasuredPart] = weakref.WeakKeyDictionary()


def _measured_part(layer: LayerLayout) -> _MeasuredPart:
    """Return the part of a layer that is measured: the same one for layers of one shape."""
    if (part := _parts.get(layer)) is None:
        part = _parts[layer] = _chosen(layer)
    return part


def _chosen(layer: LayerLayout) -> _MeasuredPart:
    out, groups = layer.shape[0], layer.conv.groups if layer.conv is not None else 1
    if layer.count <= MAX_MEASURED or out % groups:
        return _MeasuredPart(layer, layer, np.arange(out))
    # The same ones of each group, drawn once.
    own, size = out // groups, math.prod(layer.shape[1:])
    count = max(1, min(own, MAX_MEASURED // (size * groups)))
    within = np.sort(np.random.default_rng(0).choice(own, count, replace=False))
    outputs = (np.arange(groups)[:, None] * own + within).ravel()
    table_of = layer.table_of
    if table_of is not None:
        table_of = table_of.reshape(out, -1)[outputs].reshape(-1)
    shape = (len(outputs), *layer.shape[1:])
    part = replace(layer, shape=shape, offset=0, table_of=table_of)
    return _MeasuredPart(layer, part, outputs)


@dataclass(frozen=True, eq=False)
class Row:
    """One layer at one step."""

    layout: LayerLayout
    step: int
    summary: LayerSummary
    """Summary of the functions measured: all, or a `_MeasuredPart`."""
    updates: "UpdateSizes | None"
    observed_step: int | None
    """Steps made before the inputs were seen; ``None`` where that is not known."""
    dots: Float64
    """Ranges of some functions that vary, rising: over the inputs, or else on the grid."""
    functions: list[int]
    """The number of the function behind each dot."""
    typical: int
    """The function whose range, of the same kind, is nearest to the median."""
    over_inputs: bool
    """Whether ranges are over the inputs seen: those of another step say nothing of this one."""

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain numbers; see `LayerRanges.table`."""
        s, sizes = self.summary, self.updates
        quantiles = {"range": s.grid, "observed_range": s.observed}
        medians = {**quantiles, "range_at_start": s.started, "change": s.change}
        return {
            "layer": s.layer,
            "type": s.type,
            "step": self.step,
            "observed_step": self.observed_step,
            "functions": self.layout.count,
            "measured": s.functions,
            **{name: getattr(s, name) for name in _SUMMARY_FIELDS},
            **{name: _number_or_none(found, "median") for name, found in medians.items()},
            **{
                f"{name}_{percent}": _number_or_none(found, part)
                for name, found in quantiles.items()
                for percent, part in _PERCENTILES.items()
            },
            "threshold": THRESHOLD,
            **{name: _number_or_none(sizes, name) for name in _SIZES},
            "update_step": None if sizes is None else sizes.step,
        }

    def wire(self) -> dict[str, Any]:
        """Return the row as the page reads it: see js/src/views/layer_ranges/content.ts."""
        layer, s = self.layout, self.summary
        return {
            "name": layer.name,
            "type": layer.type,
            "kind": layer.kind,
            "shape": list(layer.shape),
            "names": list(layer.names),
            "inputNames": list(layer.input_names),
            "numbers": {name: finite(value) for name, value in self.as_dict().items()},
            "grid": list(astuple(s.grid)) if s.grid else None,
            "seen": list(astuple(s.observed)) if s.observed and self.over_inputs else None,
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
        self._moments: weakref.WeakKeyDictionary[Frame, _Summaries]
        self._moments = weakref.WeakKeyDictionary()

    def rows(self, source: Source, frame: Frame, updates: "Updates | None" = None) -> list[Row]:
        """Measure every layer of a frame, in order."""
        rows = []
        fresh = not is_old(source, frame)
        for layer in frame.layout.layers:
            part, seen = _measured_part(layer), self._inputs_of(source, layer)
            ranges, summary = self._measured(source, frame, layer, seen)
            sizes = None if updates is None else updates.latest(layer.name, frame.step + 1)
            over_inputs = fresh and summary.observed is not None
            reach = ranges.observed if over_inputs else ranges.range
            varying = np.flatnonzero(reach > 0)
            order = varying[np.argsort(reach[varying], kind="stable")]
            picked = order
            if len(order) > _MAX_DOTS:
                picked = order[np.linspace(0, len(order) - 1, _MAX_DOTS).round().astype(int)]
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
                    over_inputs,
                )
            )
        # What the curves over time show does not depend on the inputs seen.
        self._moments[frame] = frame.step, {row.layout.name: row.summary for row in rows}
        return rows

    def moments(self, source: Source, most: int = 1_000_000) -> tuple[list[_Summaries], bool]:
        """Return moments of evenly spread frames, which stay as more come, and if all are there.

        Ranges are those on the grid: what reaches a layer is not known of each step. At most
        ``most`` frames are worked out in this call, the newest and the oldest first: however busy
        the machine is, the curves go from the first step to the one that is shown. Of the others
        nothing is known yet.
        """
        complete = True
        moments: list[_Summaries] = []
        frames = list(source.history)
        kept, _ = aligned([one.step for one in frames], lambda places: len(places) <= MAX_MOMENTS)
        order = sorted(kept, key=lambda place: (kept[0] < place < kept[-1], -place))
        for frame in map(frames.__getitem__, order):
            moment = self._moments.get(frame)
            if moment is None:
                if most <= 0:
                    complete = False
                    moments.append((frame.step, {}))
                    continue
                most -= 1
                layers = {
                    layer.name: self._measured(source, frame, layer)[1]
                    for layer in frame.layout.layers
                }
                moment = self._moments[frame] = frame.step, layers
            moments.append(moment)
        return sorted(moments, key=lambda moment: moment[0]), complete

    def _measured(
        self, source: Source, frame: Frame, layer: LayerLayout, seen: SeenInputs | None = None
    ) -> tuple[FunctionRanges, LayerSummary]:
        part, start = _measured_part(layer), self._start_of(source, layer.name)
        ranges = function_ranges(part.layer, part.coefficients(frame), start, seen)
        return ranges, summarise(part.layer, ranges, seen)

    def _start_of(self, source: Source, name: str) -> Start | None:
        """Return a layer as it was in the first frame, if it was there."""
        first = source.history[0]
        if first is not self._first:
            self._first, self._starts = first, {}
        if name not in self._starts and name in first.layout.names:
            part = _measured_part(first.layout.layer(name))
            self._starts[name] = start_from(part.layer, part.coefficients(first))
        return self._starts.get(name)

    def _inputs_of(self, source: Source, layer: LayerLayout) -> SeenInputs | None:
        """Return the inputs of a layer from the batch observed last."""
        seen = source.feed.observed.get(layer.name)
        if seen is None:
            return None
        cached = self._inputs.get(layer.name)
        if cached is None or cached[0] is not seen or cached[1].tables != layer.tables:
            part = _measured_part(layer)
            inputs = seen_inputs(
                part.layer,
                seen.patches,
                seen.edges,
                seen.counts,
                seen.outside_domain,
                seen.outside_extent,
            )
            cached = self._inputs[layer.name] = seen, layer, inputs
        return cached[2]


def is_old(source: Source, frame: Frame) -> bool:
    """Whether inputs were last seen when the model was another than in a frame.

    Images, which the first layer is given, do not depend on the model.
    """
    return any(one.step != frame.step and not one.is_image for one in source.feed.observed.values())


def past(
    names: Sequence[str], moments: Sequence[_Summaries], updates: "Sequence[Sequence[UpdateSizes]]"
) -> list[dict[str, Any]]:
    """Return how each layer changed, as arrays over steps; NaN stands for what is not known.

    ``moments`` say how they were at some steps, ascending, ``updates`` which gradients and updates
    were measured of each.
    """
    points = min(_MAX_POINTS, max(_MIN_POINTS, _POINTS // max(1, len(names))))
    records = []
    for name, measured in zip(names, updates, strict=True):
        own = [(step, layers.get(name)) for step, layers in moments]
        reach = [getattr(s, "grid", None) for _, s in own]
        kept = measured
        if len(measured) > points:
            kept = [measured[place] for place in evenly_spaced([m.step for m in measured], points)]
        records.append(
            {
                "steps": _steps([step for step, _ in own]),
                "range": _series(_number_or_none(ranges, "median") for ranges in reach),
                "lower": _series(_number_or_none(ranges, "lower") for ranges in reach),
                "upper": _series(_number_or_none(ranges, "upper") for ranges in reach),
                "splines": _series(getattr(s, "spline_share", None) for _, s in own),
                "silu": _series(getattr(s, "silu_shaped", None) for _, s in own),
                "change": _series(
                    _number_or_none(getattr(s, "change", None), "median") for _, s in own
                ),
                "sizes": {
                    "steps": _steps([sizes.step for sizes in kept]),
                    **{name: float32([getattr(sizes, name) for sizes in kept]) for name in _SIZES},
                },
            }
        )
    return records


def _number_or_none(record: object, name: str) -> float | None:
    """Return one number of a record; ``None`` where it is not known, or there is none."""
    value = getattr(record, name, math.nan)
    return None if math.isnan(value) else value


def _series(values: Iterable[float | None]) -> bytes:
    return float32([math.nan if value is None else value for value in values])


def _steps(steps: Sequence[int]) -> bytes:
    return np.array(steps, dtype="<i4").tobytes()
