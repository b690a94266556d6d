"""What was logged, as the page draws it: thinned, and with the mean around each step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import traitlets
from numpy.typing import NDArray

from kan_widgets.live.frames.scalars import Float64, Scalars
from kan_widgets.widgets.lifetime import weakly
from kan_widgets.widgets.options import option
from kan_widgets.widgets.view import View

Range = tuple[float, float]

SMOOTHING = 30
"""Steps that the mean of a drawn curve spans, unless the user chooses."""
COLOURS = 7
"""How many colours curves have: ``curve-0`` to ``curve-6`` in js/src/scene/theme.ts."""
_FEW_VALUES = 12  # so few values need no mean: see js/src/scene/chart.ts
_POINTS = 800
_MARKS = 100


@dataclass(frozen=True)
class Logged:
    """A logged series and where it is drawn."""

    panel: str
    """The quantity: curves of one quantity share a panel."""
    name: str
    kind: str
    """Curves of one kind have one colour, in all panels."""
    log: Scalars
    series: str


def curves_wire(
    curves: Sequence[Logged], zoom: Sequence[float], scale: str, smoothing: int
) -> list[dict[str, Any]]:
    """Return curves as the page reads them: see js/src/scene/logged.ts.

    ``zoom`` has the two ends of the steps that are drawn, none for all. Scale "auto" is
    logarithmic in a panel of losses that all have a logarithm everywhere, from the first value
    on; there the mean, over ``smoothing`` steps, is the geometric one.
    """
    window = (zoom[0], zoom[1]) if len(zoom) == 2 else None
    low, high = window or (None, None)
    thinned = [one.log.decimated(one.series, low, high, _POINTS) for one in curves]
    whole = [one.log.series(one.series) for one in curves]
    panels = {one.panel for one in curves}
    logarithmic = dict.fromkeys(panels, scale == "log")
    if scale == "auto":
        for panel in panels:
            inside = [k for k, one in enumerate(curves) if one.panel == panel]
            positive = not any((whole[k][1] <= 0).any() for k in inside)
            logarithmic[panel] = "loss" in panel and positive
    # A panel all of whose curves are short needs no means.
    lengths = zip(curves, thinned, strict=True)
    long = {one.panel for one, (_, y) in lengths if np.isfinite(y).sum() > _FEW_VALUES}
    found = []
    for one, (x, y), (steps, values) in zip(curves, thinned, whole, strict=True):
        mean = None
        if smoothing > 1 and one.panel in long:
            points = means(steps, values, smoothing, logarithmic[one.panel], window)
            mean = dict(zip("xy", map(_bytes, points), strict=True))
        # A training goes on meanwhile: the number is that of the curve's end.
        latest = y[-1:] if window is None else values[-1:]
        found.append(
            {
                "panel": one.panel,
                "name": one.name,
                "kind": one.kind,
                "x": _bytes(x),
                "y": _bytes(y),
                "mean": mean,
                "latest": _bytes(latest),
                "log": logarithmic[one.panel],
            }
        )
    return found


class CurvesView(View):
    """A view with curves of what was logged."""

    curves = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    """See `curves_wire`; set by a painter only, like the marks."""
    marks = traitlets.List(trait=traitlets.List()).tag(sync=True)
    """``[step, text]`` each."""
    smoothing: int = option(
        """A thin line shows the mean of each curve over so many steps around each step, with the
        values themselves faint behind; 0 for none. The numbers over the curves are the latest, not
        smoothed.""",
        default=SMOOTHING,
        min=0,
    )
    scale: Literal["auto", "linear", "log"] = option(
        """Of the values of the curves. ``"auto"`` is logarithmic for a loss, unless one was 0 or
        less; else linear.""",
        default="auto",
    )
    zoom: Sequence[float] = option(
        "The two ends of the steps that are drawn; empty for all.", default=()
    )
    _draws_layers = False

    def _take(self, values: dict[str, Any]) -> None:
        self._drawn: object = None

    def _begin(self) -> None:
        self.observe(weakly(self._redraw), ["smoothing", "scale", "zoom"])

    def _redraw(self, *_: Any) -> None:
        """Have the curves drawn again."""

    def _drawn_curves(self) -> Sequence[Logged]:
        raise NotImplementedError

    def _draw_logged(self, logs: Sequence[Scalars], marks: Iterable[list[Any]]) -> None:
        """Set curves and marks, unless nothing has changed; only for the painter."""
        versions = [log.version for log in logs]
        drawn = list(logs), versions, self.scale, self.smoothing, list(self.zoom)
        if drawn != self._drawn:
            with self.hold_sync():
                self.marks = list(marks)[-_MARKS:]
                self.curves = self._wire()
            self._drawn = drawn

    def _wire(self, **options: Any) -> list[dict[str, Any]]:
        chosen = {
            name: options.get(name, getattr(self, name)) for name in ("zoom", "scale", "smoothing")
        }
        return curves_wire(self._drawn_curves(), **chosen)


def means(
    steps: NDArray[Any],
    values: Float64,
    over: float,
    log: bool = False,
    window: Range | None = None,
    points: int = _POINTS,
) -> tuple[Float64, Float64]:
    """Return the mean of a curve, ``(n,)`` steps and values, around some of its steps.

    At step s it is the mean of all values at most r steps before or after it, r = ``over``/2.
    Within r steps of an end there are values on one side only: there it is the straight line that
    fits them best, at s. So a trend is neither behind nor ahead anywhere. Values further apart than
    r are left as they are. What is not finite has no part in it, nor, where ``log`` has logarithms
    averaged, what is not positive. Of a ``window`` of steps one neighbour on each side comes with
    them.
    """
    shown = np.isfinite(values) & (values > 0 if log else True)
    at, v = (steps, values) if shown.all() else (steps[shown], values[shown])
    if not len(at):
        return v, v
    v = np.log(v) if log else v
    low, high = window or (-np.inf, np.inf)
    begin = max(0, int(np.searchsorted(at, low, "left")) - 1)
    last = min(len(at) - 1, int(np.searchsorted(at, high, "right")))
    count = min(points, last - begin + 1)
    x = at[np.linspace(begin, last, count).round().astype(int)].astype(np.float64)
    reach = over / 2
    first, end = np.searchsorted(at, x - reach, "left"), np.searchsorted(at, x + reach, "right")
    found = _sums(v, first, end) / (end - first)
    for edge in (at[0], at[-1]):
        near = abs(x - edge) < reach
        if near.any():
            start, stop = int(first[near].min()), int(end[near].max())
            part = (at[start:stop] - edge).astype(np.float64), v[start:stop]
            found[near] = _fitted(*part, x[near] - edge, first[near] - start, end[near] - start)
    return x, np.exp(found) if log else found


def _fitted(
    at: Float64, v: Float64, x: Float64, first: NDArray[np.intp], end: NDArray[np.intp]
) -> Float64:
    """Return at each ``x`` the best straight line through the points from ``first`` to ``end``."""
    count = end - first
    middle, mean = _sums(at, first, end) / count, _sums(v, first, end) / count
    spread = _sums(at * at, first, end) - count * middle * middle
    rise = _sums(at * v, first, end) - count * middle * mean
    # Values at one step have no slope.
    slope = np.divide(rise, spread, out=np.zeros_like(rise), where=spread > 1e-9)
    fitted: Float64 = mean + slope * (x - middle)
    return fitted


def _sums(values: Float64, first: NDArray[np.intp], end: NDArray[np.intp]) -> Float64:
    """Return the sum of ``values[first_k:end_k]`` for each k, each added up by itself."""
    places = np.stack([first, end], axis=1).ravel()
    sums: Float64 = np.add.reduceat(np.append(values, 0.0), places)[::2]
    return sums


def _bytes(values: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(values, dtype="<f8").tobytes()
