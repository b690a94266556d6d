"""Curves as a view draws them: in panels, thinned, with their means, and ready for the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kan_widgets.widgets.curves import Float64, Range, Smoothed, thin

Series: TypeAlias = tuple[NDArray[Any], Float64]

Scale = Literal["auto", "linear", "log"]
SCALES: dict[str, bool | None] = {"auto": None, "linear": False, "log": True}
"""Scales by name, as `DrawnCurves.wire` takes them."""
COLOURS = 7
"""How many colours curves have: ``curve-0`` to ``curve-6`` in js/src/scene/theme.ts."""
FEW = 12
"""So few values need no mean: they are drawn as dots too (js/src/scene/chart.ts)."""
_POINTS = 800
# What has fallen to less than this share is flat on a linear axis; medians of so many values tell.
_FALL = 0.01
_SOME = 10


@dataclass
class _Curve:
    panel: str
    name: str
    colour: int
    everything: Callable[[], Series]
    thinned: Callable[[Range | None, int], Series] | None
    smooth: Smoothed | None = None
    fell: bool = False

    def points(self, window: Range | None) -> Series:
        """Return the curve as it was logged, thinned for drawing; its last value is kept."""
        if self.thinned is not None:
            return self.thinned(window, _POINTS)
        return thin(*self.everything(), window, _POINTS)

    def mean(self, over: int, log: bool, window: Range | None) -> Series:
        """Return its mean over some steps, thinned for drawing."""
        if self.smooth is None or (self.smooth.over, self.smooth.log) != (over, log):
            self.smooth = Smoothed(over, log)
        steps, values = self.everything()
        return thin(steps, self.smooth.updated(steps, values), window, _POINTS)

    def is_positive(self) -> bool:
        """Whether it has a logarithm everywhere."""
        return not (self.everything()[1] <= 0).any()

    def has_fallen(self) -> bool:
        """Whether it has fallen to less than a hundredth of what it was at first.

        It stays so when it rises again: an axis that is logarithmic does not change back.
        """
        values = self.everything()[1]
        values = values[np.isfinite(values)]
        few = max(1, min(_SOME, len(values) // 4))
        if len(values) and not self.fell:
            self.fell = bool(np.median(values[-few:]) < _FALL * np.median(values[:few]))
        return self.fell

    def latest(self) -> Float64:
        """Return the value that was logged last, whatever is drawn, if there is one."""
        _, values = self.everything()
        return values[-1:]


class DrawnCurves:
    """Curves over steps, one panel for each quantity.

    Parameters
    ----------
    kinds
        Kinds of curves that have the first colours, in this order; the others follow as they
        come.
    first
        The number of the first colour.

    Examples
    --------
    >>> curves = DrawnCurves()
    >>> curves.set("loss", "loss", np.arange(100), 1 / (1 + np.arange(100.0)))
    >>> [curve] = curves.wire(None, over=10, log=False)
    >>> curve["name"], np.frombuffer(curve["latest"])
    ('loss', array([0.01]))
    """

    def __init__(self, kinds: Sequence[str] = (), first: int = 0) -> None:
        self._curves: dict[tuple[str, str], _Curve] = {}
        self._colours = {kind: (first + k) % COLOURS for k, kind in enumerate(kinds)}

    def set(
        self,
        panel: str,
        name: str,
        steps: NDArray[Any],
        values: NDArray[Any],
        *,
        kind: str | None = None,
    ) -> None:
        """Draw a curve from now on; the arrays are kept as they are.

        Parameters
        ----------
        panel
            The title of its panel.
        name
            Of the curve, within the panel.
        steps, values
            ``(n,)`` each, steps not falling.
        kind
            Curves of one kind have one colour, in all panels; by default the name.
        """
        series: Series = steps, np.asarray(values, dtype=np.float64)
        self.grow(panel, name, lambda: series, kind=kind)

    def grow(
        self,
        panel: str,
        name: str,
        everything: Callable[[], Series],
        *,
        thinned: Callable[[Range | None, int], Series] | None = None,
        kind: str | None = None,
    ) -> None:
        """Draw a curve that grows.

        Parameters
        ----------
        panel, name, kind
            As for ``set``.
        everything
            Gives all steps and values.
        thinned
            Given a range of steps, or ``None`` for all, and a number of points: gives about so
            many that look the same. For long curves this can be much cheaper.
        """
        known = self._curves.get((panel, name))
        colour = self._colours.setdefault(kind or name, len(self._colours) % COLOURS)
        curve = _Curve(panel, name, colour, everything, thinned)
        if known is not None:
            curve.smooth, curve.fell = known.smooth, known.fell
        self._curves[panel, name] = curve

    def has(self, panel: str, name: str) -> bool:
        """Whether there is such a curve."""
        return (panel, name) in self._curves

    def forget(self) -> None:
        """Forget all curves."""
        self._curves.clear()

    def wire(self, window: Range | None, *, over: int, log: bool | None) -> list[dict[str, Any]]:
        """Return the curves as the page reads them: see js/src/scene/logged.ts.

        Parameters
        ----------
        window
            The steps that are drawn; all by default.
        over
            The mean over this many steps is drawn too; none for 0.
        log
            Whether the axis of the values is logarithmic, and the mean one of logarithms;
            ``None`` for each panel by itself: where a curve has fallen to less than a hundredth
            of what it was at first, and all have a logarithm everywhere.
        """
        curves = list(self._curves.values())
        logs = {panel: self._is_log(panel) if log is None else log for panel, _ in self._curves}
        raw = {(curve.panel, curve.name): curve.points(window) for curve in curves}
        # A panel all of whose curves are short needs no means.
        long = {panel for (panel, _), (steps, _) in raw.items() if len(steps) > FEW}
        found = []
        for curve in curves:
            x, y = raw[curve.panel, curve.name]
            mean = None
            if over > 1 and curve.panel in long:
                points = curve.mean(over, logs[curve.panel], window)
                mean = dict(zip("xy", map(_bytes, points), strict=True))
            found.append(
                {
                    "panel": curve.panel,
                    "name": curve.name,
                    "colour": curve.colour,
                    "x": _bytes(x),
                    "y": _bytes(y),
                    "mean": mean,
                    # A training goes on meanwhile: the number is that of the curve's end.
                    "latest": _bytes(y[-1:] if window is None else curve.latest()),
                    "log": logs[curve.panel],
                }
            )
        return found

    def _is_log(self, panel: str) -> bool:
        inside = [curve for curve in self._curves.values() if curve.panel == panel]
        fallen = [curve.has_fallen() for curve in inside]
        return any(fallen) and all(curve.is_positive() for curve in inside)


def _bytes(values: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(values, dtype="<f8").tobytes()
