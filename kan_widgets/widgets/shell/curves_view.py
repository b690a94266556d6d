"""Views with curves of what was logged: thinned, with the sums that their means are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import traitlets
from numpy.typing import NDArray

from kan_widgets.arrays import Float64, Int64
from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.widgets.shell.options import option
from kan_widgets.widgets.shell.view import View
from kan_widgets.widgets.wire.lifetime import weakly

# Steps that the mean of a drawn curve spans, unless the user chooses.
SMOOTHING = 30
# How many colours curves have: ``curve-0`` to ``curve-6`` in js/src/scene/theme.ts.
COLOURS = 7
_POINTS = 800
_MARKS = 100


@dataclass(frozen=True)
class LoggedCurve:
    """A logged series and where it is drawn."""

    panel: str
    """The quantity: curves of one quantity share a panel."""
    name: str
    kind: str
    """Curves of one kind have one colour, in all panels."""
    log: Scalars
    series: str


class CurvesView(View):
    """A view with curves of what was logged."""

    curves = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    """See `curve_wire`; set by a draw job only, like the marks."""
    marks = traitlets.List(trait=traitlets.List()).tag(sync=True)
    """``[step, text]`` each."""
    smoothing: int = option(
        """A line shows the trend of each curve: at each step the straight line that fits the values
        of so many steps around it best, with the values themselves faint behind; 0 for none. The
        numbers over the curves are the latest, not smoothed.""",
        default=SMOOTHING,
        min=0,
    )
    scale: Literal["auto", "linear", "log"] = option(
        """Scale of the curves' values. ``"auto"`` is logarithmic for a loss or an error, unless one
        was 0 or less; else linear.""",
        default="auto",
    )
    zoom: Sequence[float] = option(
        "The two ends of the steps that are drawn; empty for all.", default=()
    )
    _draws_layers = False

    def _take(self, values: dict[str, Any]) -> None:
        self._drawn: object = None

    def _begin(self) -> None:
        self.observe(weakly(self._wake), "zoom")

    def _drawn_curves(self) -> Sequence[LoggedCurve]:
        raise NotImplementedError

    def _draw_logged(self, logs: Sequence[Scalars], marks: Iterable[list[Any]]) -> None:
        """Set curves and marks, unless nothing has changed; only for the draw job."""
        drawn = list(logs), [log.version for log in logs], list(self.zoom)
        if drawn != self._drawn:
            with self.hold_sync():
                self.marks = list(marks)[-_MARKS:]
                self.curves = self._wire()
            self._drawn = drawn

    def _wire(self, zoom: Sequence[float] | None = None, **_: Any) -> list[dict[str, Any]]:
        steps = self.zoom if zoom is None else zoom
        return [curve_wire(curve, steps) for curve in self._drawn_curves()]


def curve_wire(curve: LoggedCurve, zoom: Sequence[float]) -> dict[str, Any]:
    """Return a curve as the page reads it: see js/src/scene/logged.ts.

    Many values are drawn as the smallest and the largest of each run of neighbours; within the two
    steps of a ``zoom`` the runs are shorter. First and last value are always there. ``sums`` are,
    for each point, the number of finite values in its run, their sum and that of their logarithms,
    halved where the run has two points; ``None`` where all values are points.
    """
    steps, values = curve.log.series(curve.series)
    begins = _runs(steps, zoom)
    places, run = _extremes(values, begins)
    sums = None
    if len(places) < len(values):
        finite = np.isfinite(values)
        with np.errstate(all="ignore"):
            summed = finite, np.where(finite, values, 0), np.where(finite, np.log(values), 0)
            share = 1 / np.bincount(run)[run]
            added = [np.add.reduceat(v, begins, dtype=np.float64)[run] * share for v in summed]
        sums = dict(zip(("count", "sum", "log"), map(_bytes, added), strict=True))
    return {
        "panel": curve.panel,
        "name": curve.name,
        "kind": curve.kind,
        "x": _bytes(steps[places]),
        "y": _bytes(values[places]),
        "sums": sums,
    }


def _runs(steps: Int64, zoom: Sequence[float]) -> NDArray[np.intp]:
    """Return where each run of neighbours begins, of which two points at most are drawn."""
    count = len(steps)
    begins = _spread(0, count)
    if len(zoom) == 2:
        # With half as much on each side: the means at its ends are of both sides, too.
        side = (zoom[1] - zoom[0]) / 2
        first = max(0, int(np.searchsorted(steps, zoom[0] - side)) - 1)
        end = min(count, int(np.searchsorted(steps, zoom[1] + side, "right")) + 1)
        outside = begins[(begins < first) | (begins > end)]
        begins = np.concatenate([outside, _spread(first, end), [end]])
    begins = np.unique(np.concatenate([begins, [0, 1, count - 1]]))
    return begins[begins < count]


def _spread(first: int, end: int) -> NDArray[np.intp]:
    size = 1 if end - first <= _POINTS else -(-2 * (end - first) // _POINTS)
    return np.arange(first, end, size, dtype=np.intp)


def _extremes(values: Float64, begins: NDArray[np.intp]) -> tuple[NDArray[np.intp], ...]:
    """Return the places of the smallest and the largest value of each run, and the run of each."""
    sizes = np.diff(begins, append=len(values))
    extremes = []
    # NaN counts as neither, unless there is nothing else.
    for most, missing in ((np.minimum, np.inf), (np.maximum, -np.inf)):
        filled = np.where(np.isnan(values), missing, values)
        hits = np.flatnonzero(filled == np.repeat(most.reduceat(filled, begins), sizes))
        extremes.append(hits[np.searchsorted(hits, begins)])
    places = np.unique(np.concatenate(extremes))
    return places, np.searchsorted(begins, places, "right") - 1


def _bytes(values: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(values, dtype="<f8").tobytes()
