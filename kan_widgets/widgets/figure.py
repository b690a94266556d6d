"""One bqplot figure of a chart: curves, marks, axes and their ticks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.answering import answer_during_cells
from kan_widgets.widgets.curves import Float64, Range, log_ticks, ticks, value_axis
from kan_widgets.widgets.lifetime import close_parts
from kan_widgets.widgets.ranges import format_number

Series: TypeAlias = tuple[NDArray[Any], Float64]

MARKS = 100
_MARGIN = {"top": 24, "bottom": 22, "left": 46, "right": 22}
# A curve, its mean over some steps, and how much of the curve is left behind that.
LINE, THIN, FAINT = 1.6, 1.1, 0.3
# Curves of so few points show them: a line through one point would be nothing.
FEW = 12
_DOT = 16  # square pixels
# A step far beyond all others: what lies there is not seen.
_NOWHERE = 1e12


class Panel:
    """The figure of one quantity, and all widgets in it.

    Parameters
    ----------
    steps
        The bqplot scale of the steps, which panels share.
    height
        Pixels.
    """

    def __init__(self, steps: Any, height: int) -> None:
        self.steps = steps
        self.kind = ""
        self.widgets: list[Any] = []
        """All but the figure."""
        self.figure = load_bqplot().Figure(
            fig_margin=_MARGIN,
            min_aspect_ratio=0.01,
            max_aspect_ratio=100.0,
            padding_x=0.0,
            padding_y=0.0,
            display_toolbar=False,
            layout={"width": "auto", "height": f"{height}px", "min_width": "0"},
        )
        # By this the page finds the figure of a panel.
        self.figure.add_class(f"kw-figure-{self.figure.model_id}")
        answer_during_cells(self.figure)
        self.build("linear")

    def build(self, kind: str) -> None:
        """Make axes and lines anew, on a ``"linear"`` or a ``"log"`` scale."""
        bqplot, old = load_bqplot(), self.widgets
        y = bqplot.LogScale(min=0.1, max=1.0) if kind == "log" else bqplot.LinearScale()
        scales = {"x": self.steps, "y": y}
        across = bqplot.Axis(scale=self.steps, tick_format=",d", grid_lines="none")
        up = bqplot.Axis(
            scale=y,
            side="left",
            tick_format=".3~g",
            grid_lines="solid",
        )
        line = {"x": [_NOWHERE], "y": [1.0], "scales": scales}
        raw = bqplot.Lines(marker_size=_DOT, stroke_width=LINE, **line)
        smooth = bqplot.Lines(stroke_width=THIN, **line)
        marks = bqplot.Lines(
            x=[_NOWHERE],
            y=[1.0],
            scales=scales,
            stroke_width=1.0,
            colors=["var(--kw-mark)"],
            line_style="dashed",
        )
        self.kind, self.y, self.across, self.up = kind, y, across, up
        self.raw, self.smooth, self.marks = raw, smooth, marks
        self.widgets = [y, across, up, raw, smooth, marks]
        for widget in self.widgets:
            answer_during_cells(widget)
        with self.figure.hold_sync():
            self.figure.marks = [marks, raw, smooth]
            self.figure.axes = [across, up]
        close_parts(old)

    def draw(
        self,
        colours: Sequence[int],
        raw: list[Series],
        smooth: list[Series],
        marks: Sequence[int],
        shown: Range,
    ) -> None:
        """Show curves and marks.

        Parameters
        ----------
        colours
            The number of each curve's colour.
        raw, smooth
            The curves, and their means, drawn thin over them; the latter may be none.
        marks
            Steps to mark.
        shown
            The range of steps on the page.
        """
        log = self.kind == "log"
        axis = value_axis(visible([*raw, *smooth], shown), log)
        with self.y.hold_sync():
            self.y.min, self.y.max = axis
        _set_ticks(self.up, _value_ticks(axis, log))
        _set_ticks(self.across, _step_ticks(shown))
        names = [f"var(--kw-curve-{colour})" for colour in colours]
        faint = FAINT if smooth else 1.0
        _set_lines(self.raw, raw, axis[0], log, names, [faint] * len(names))
        nothing: list[Series] = [(np.empty(0), np.empty(0))]
        _set_lines(self.smooth, smooth or nothing, axis[0], log, names, [1.0] * len(names))
        dotted = all(0 < len(x) <= FEW and _can_be_shown(y, log).all() for x, y in raw)
        self.raw.marker = "circle" if dotted else None
        at = [float(step) for step in marks if shown[0] <= step <= shown[1]][-MARKS:]
        with self.marks.hold_sync():
            self.marks.x = np.repeat(np.array(at or [_NOWHERE]), 3)[:-1]
            self.marks.y = np.tile(np.array([*axis, np.nan]), max(1, len(at)))[:-1]

    def close(self) -> None:
        """Remove it from the page."""
        close_parts([self.figure, *self.widgets])


def load_bqplot() -> ModuleType:
    """Return bqplot, which is large, when it is first needed."""
    with warnings.catch_warnings():
        # It sets traits in a way that traitlets finds old.
        warnings.simplefilter("ignore", DeprecationWarning)
        import bqplot

    module: ModuleType = bqplot
    return module


def visible(lines: Sequence[Series], window: Range) -> Float64:
    """Return the values within a range of steps, of all curves."""
    parts = [values[(steps >= window[0]) & (steps <= window[1])] for steps, values in lines]
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts or [np.empty(0)]])


def _value_ticks(axis: Range, log: bool) -> list[tuple[float, str]]:
    if log:
        return [(value, format_number(value)) for value in log_ticks(axis, 4)]
    return ticks(axis, 4)


def _step_ticks(shown: Range) -> list[tuple[float, str]]:
    """Return whole steps, about five."""
    return [(value, f"{value:,.0f}") for value, _ in ticks(shown, 5) if value == round(value)]


def _set_ticks(axis: Any, wanted: list[tuple[float, str]]) -> None:
    values = np.array([value for value, _ in wanted])
    before = axis.tick_values
    if before is not None and np.array_equal(before, values):
        return
    # The page looks a label up by the value as JavaScript writes it.
    labels = {_as_javascript(value): text for value, text in wanted}
    known = axis.tick_labels or {}
    old = [_as_javascript(float(value)) for value in (before if before is not None else [])]
    # Two messages, the labels first: bqplot writes new ticks with the labels that it had before.
    # So those of the ticks before stay.
    axis.tick_labels = {key: known[key] for key in old} | labels
    axis.tick_values = values


def _set_lines(
    mark: Any,
    lines: Sequence[Series],
    floor: float,
    log: bool,
    colours: list[str],
    opacities: list[float],
) -> None:
    """Set all of a mark's curves in one message, so that the page draws them once."""
    rows = []
    for steps, values in lines:
        x, y = np.array(steps, dtype=np.float64), np.array(values, dtype=np.float64)
        y[~_can_be_shown(y, log)] = np.nan
        # bqplot puts a label at the last point and complains in the console where that is no place.
        if not len(y) or np.isnan(y[-1]):
            x, y = np.append(x, _NOWHERE), np.append(y, floor)
        rows.append((x, y))
    # Of several curves with one point each bqplot would make one curve.
    longest = max(2, *(len(x) for x, _ in rows))
    padded = [
        np.stack([np.pad(row[k], (0, longest - len(row[k])), mode="edge") for row in rows])
        for k in (0, 1)
    ]
    with mark.hold_sync():
        mark.x, mark.y = (part[0] if len(rows) == 1 else part for part in padded)
        mark.colors, mark.opacities = colours, opacities


def _can_be_shown(values: Float64, log: bool) -> NDArray[np.bool_]:
    return np.isfinite(values) & ((values > 0) if log else True)


def _as_javascript(value: float) -> str:
    """Return a number as JavaScript's ``String(value)`` does.

    Examples
    --------
    >>> [_as_javascript(value) for value in (0.0, 0.25, 150000.0, 1e-7, 2.5e-7, 1e21)]
    ['0', '0.25', '150000', '1e-7', '2.5e-7', '1e+21']
    """
    if value == 0:
        return "0"
    digits, _, power = repr(float(value)).partition("e")
    if 1e-6 <= abs(value) < 1e21:
        return np.format_float_positional(value, trim="-")
    if not power:
        digits, _, power = np.format_float_scientific(value, trim="-").partition("e")
    sign = "-" if power.startswith("-") else "+"
    return f"{digits.removesuffix('.0')}e{sign}{power.lstrip('+-').lstrip('0')}"
