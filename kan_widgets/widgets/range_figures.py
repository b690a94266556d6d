"""The two bqplot figures of LayerRanges: ranges of each layer, and what became of them in time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kan_widgets.insight import Spread
from kan_widgets.live.updates import UpdateSizes
from kan_widgets.widgets.curves import Float64, Range, log_ticks, step_axis, ticks, value_axis
from kan_widgets.widgets.figure import load_bqplot
from kan_widgets.widgets.range_rows import Moment, Row, aside
from kan_widgets.widgets.ranges import format_number
from kan_widgets.widgets.stream import answer_during_cells

ROW, HEAD, FOOT = 54, 46, 26
"""Pixels of a row, above the rows and below them: those of the table beside the figures."""
# Heights within a row, from its top (0) to its bottom (1).
NAME_AT, DOTS_FROM, DOTS_TO, GRID_AT, SEEN_AT, LOW, HIGH = 0.17, 0.36, 0.56, 0.7, 0.87, 0.3, 0.96
MEASURES = {
    "range": ("range", True),
    "splines": ("splines", False),
    "silu": ("SiLU-shaped on the grid", False),
    "change": ("change of φ", True),
    "gradient": ("gradient", True),
    "update": ("update", True),
}
"""What the curves over time may show: its title, and whether it is on a logarithmic scale."""
_NAN = float("nan")
_NOWHERE = -9.0
"""A height out of sight, for marks that bqplot cannot place at NaN."""
_LONGEST_NAME = 34


def short(name: str, longest: int = _LONGEST_NAME) -> str:
    """Return a name with its middle left out where it is long.

    Examples
    --------
    >>> short("a_very_long_block_name.and_a_layer", 15)
    'a_very_…a_layer'
    """
    if len(name) <= longest:
        return name
    half = (longest - 1) // 2
    return f"{name[: longest - 1 - half]}…{name[len(name) - half :]}"


def strip(values: Float64, axis: Range) -> Float64:
    """Return heights from 0 to 1 that keep dots apart which lie together on a logarithmic axis."""
    if not len(values):
        return np.empty(0)
    across = np.log(values / axis[0]) / np.log(axis[1] / axis[0])
    heights = np.empty(len(values))
    lanes = np.full(5, -np.inf)
    order = [2, 1, 3, 0, 4]
    for k, x in enumerate(across):
        free = [lane for lane in order if x - lanes[lane] > 0.016]
        lane = free[0] if free else int(np.argmin(lanes))
        lanes[lane] = x
        heights[k] = lane / 4
    return heights


def range_axis(rows: Sequence[Row]) -> Range:
    """Return the ends of the axis that holds most ranges of all layers."""
    held = [_NAN]
    for row in rows:
        s = row.summary
        for spread in (s.grid, s.observed, s.started):
            if spread is not None:
                held += [spread.low, spread.lower, spread.median, spread.high]
        held += np.quantile(row.dots, [0.02, 1.0]).tolist() if len(row.dots) else []
    return value_axis(np.array(held), log=True)


class RangeFigures:
    """Ranges of φ as dots and boxes, a row for each layer; and curves over the steps.

    Parameters
    ----------
    clicked
        Called with the number of the row, and of the dot or ``None``, that was clicked.
    """

    def __init__(self, clicked: Callable[[int, int | None], object]) -> None:
        self._clicked = clicked
        self._rows = -1
        bqplot = load_bqplot()
        self.ranges = _figure({"top": HEAD, "bottom": FOOT, "left": 12, "right": 12})
        self.times = _figure({"top": HEAD, "bottom": FOOT, "left": 8, "right": 14})
        self._x = bqplot.LogScale(allow_padding=False, min=0.1, max=1.0)
        self._steps = bqplot.LinearScale(allow_padding=False, min=0.0, max=1.0)
        self._down = bqplot.LinearScale(allow_padding=False, min=0.0, max=1.0, reverse=True)
        # bqplot stacks bars upwards only: the first row is the last one of the stack.
        self._up = bqplot.LinearScale(allow_padding=False, min=0.0, max=1.0)
        self._only = bqplot.OrdinalScale(domain=[0])
        self._whole = bqplot.LinearScale(allow_padding=False, min=0.0, max=1.0)
        self._build()

    @property
    def widgets(self) -> list[Any]:
        """All widgets that make the figures."""
        return [*self._marks, self.ranges, self.times]

    def _build(self) -> None:
        bqplot = load_bqplot()
        data = {"x": self._x, "y": self._down}
        time = {"x": self._steps, "y": self._down}

        def line(scales: dict[str, Any], colour: str, width: float, **more: Any) -> Any:
            return bqplot.Lines(
                x=[0.5], y=[_NOWHERE], scales=scales, colors=[colour], stroke_width=width, **more
            )

        def bars() -> Any:
            made = bqplot.Bars(
                x=[0],
                y=[[1.0], [1.0]],
                scales={"x": self._only, "y": self._up},
                type="stacked",
                padding=0.0,
                colors=["transparent"],
                enable_hover=False,
            )
            made.on_element_click(self._bar_clicked)
            return made

        self._bars, self._time_bars = bars(), bars()
        ink, muted = "var(--kw-ink)", "var(--kw-ghost)"
        self._start = line(data, muted, 1.2, line_style="dashed")
        self._whiskers = line(data, ink, 1.0)
        self._boxes = line(data, "var(--kw-box)", 7.0)
        self._medians = line(data, ink, 2.4)
        seen = "var(--kw-seen)"
        self._seen_whiskers = line(data, seen, 1.0)
        self._seen_boxes = line(data, "var(--kw-seen-box)", 7.0)
        self._seen_medians = line(data, seen, 2.4)
        self._dots = bqplot.Scatter(
            x=[0.5],
            y=[_NOWHERE],
            scales=data,
            colors=["var(--kw-dot)"],
            default_size=14,
            stroke_width=0,
            enable_hover=False,
        )
        self._dots.on_element_click(self._dot_clicked)
        self._names = bqplot.Label(
            x=np.array([0.5]),
            y=np.array([_NOWHERE]),
            text=[""],
            scales={"x": self._whole, "y": self._down},
            colors=[ink],
            default_size=11.5,
            font_weight="bold",
            align="start",
            x_offset=2,
        )
        self._band = line(time, "transparent", 0.0, fill="inside", close_path=True)
        self._band.fill_colors, self._band.fill_opacities = ["var(--kw-box)"], [0.55]
        self._first = line(time, ink, 1.6)
        self._second = line(time, "var(--kw-spline)", 1.6)
        self._now = line(time, "var(--kw-accent)", 1.2)
        self._across = bqplot.Axis(
            scale=self._x, grid_color="var(--kw-grid)", color="var(--kw-muted)"
        )
        self._step_axis = bqplot.Axis(
            scale=self._steps, grid_color="var(--kw-grid)", color="var(--kw-muted)"
        )
        self.ranges.marks = [
            self._bars,
            self._start,
            self._boxes,
            self._whiskers,
            self._medians,
            self._seen_boxes,
            self._seen_whiskers,
            self._seen_medians,
            self._dots,
            self._names,
        ]
        self.times.marks = [self._time_bars, self._band, self._first, self._second, self._now]
        self.ranges.axes, self.times.axes = [self._across], [self._step_axis]
        self._marks = [
            *self.ranges.marks,
            *self.times.marks,
            self._across,
            self._step_axis,
            self._x,
            self._steps,
            self._down,
            self._up,
            self._only,
            self._whole,
        ]
        for widget in self.widgets:
            answer_during_cells(widget)

    def _bar_clicked(self, _: Any, content: dict[str, Any]) -> None:
        number = _number(content, "subIndex")
        if number is not None:
            self._clicked(self._rows - 1 - int(number), None)

    def _dot_clicked(self, _: Any, content: dict[str, Any]) -> None:
        number, down = _number(content, "index"), _number(content, "y")
        if number is not None and down is not None:
            row = int(down)
            self._clicked(row, int(number) - self._first_dot[row])

    # -- drawing ----------------------------------------------------------------------

    def draw_ranges(self, rows: Sequence[Row], selected: int) -> None:
        """Draw the ranges at one step; the selected row is marked."""
        self._lay_out(len(rows))
        axis = range_axis(rows)
        with self._x.hold_sync():
            self._x.min, self._x.max = axis
        # A label at the very end would be cut off.
        inner = axis[0] * 1.1, axis[1] / 1.1
        _set_ticks(self._across, log_ticks(inner, 5))
        grid = [row.summary.grid for row in rows]
        seen = [row.summary.observed for row in rows]
        _set_boxes(self._whiskers, self._boxes, self._medians, grid, GRID_AT)
        _set_boxes(self._seen_whiskers, self._seen_boxes, self._seen_medians, seen, SEEN_AT)
        start = [row.summary.started for row in rows]
        _set(
            self._start,
            [
                (s.median, k + y) if s is not None and s.median > 0 else (axis[0], _NAN)
                for k, s in enumerate(start)
                for y in (LOW, HIGH, _NAN)
            ],
        )
        self._first_dot = np.cumsum([0, *(len(row.dots) for row in rows)]).tolist()
        dots = [
            (float(x), k + DOTS_FROM + (DOTS_TO - DOTS_FROM) * float(y))
            for k, row in enumerate(rows)
            for x, y in zip(row.dots, strip(row.dots, axis), strict=True)
        ]
        _set(self._dots, dots or [(axis[0], _NOWHERE)])
        names = [_label(row) for row in rows]
        if list(self._names.text) != names:
            with self._names.hold_sync():
                self._names.x = np.zeros(len(rows))
                self._names.y = np.arange(len(rows)) + NAME_AT
                self._names.text = np.array(names)
        colours = [
            "var(--kw-row-chosen)" if k == selected else "var(--kw-row)" if k % 2 else "transparent"
            for k in range(len(rows))
        ][::-1]
        for bars in (self._bars, self._time_bars):
            if list(bars.colors) != colours:
                bars.colors = colours
        self.ranges.title = "range of φ (max − min)"

    def _lay_out(self, count: int) -> None:
        """Make room for so many rows."""
        if count == self._rows:
            return
        self._rows = count
        for figure in (self.ranges, self.times):
            figure.layout.height = f"{HEAD + count * ROW + FOOT}px"
        self._down.max = self._up.max = float(max(count, 1))
        for bars in (self._bars, self._time_bars):
            bars.y = np.ones((count, 1))

    def draw_times(
        self,
        names: Sequence[str],
        moments: Sequence[dict[str, Moment]],
        updates: Sequence[Sequence[UpdateSizes]],
        measure: str,
        cursor: int,
    ) -> None:
        """Draw curves over the steps, on one scale for all rows.

        Parameters
        ----------
        names
            The layers, by row.
        moments
            What became of them.
        updates
            By row, the gradients and updates measured.
        measure
            One of `MEASURES`.
        cursor
            The step that is looked at, −1 for none.
        """
        curves = [
            curves_of(name, moments, u, measure) for name, u in zip(names, updates, strict=True)
        ]
        title, log = MEASURES[measure]
        values = np.array([v for curve in curves for line in curve for _, v in line] or [_NAN])
        axis = value_axis(values, log) if log else (0.0, 1.0)
        steps = [step for curve in curves for line in curve for step, _ in line]
        first_step, last_step = (min(steps), max(steps)) if steps else (0.0, 0.0)
        shown = (first_step, first_step + 1)
        if last_step > first_step:
            shown = step_axis(first_step, last_step)
        with self._steps.hold_sync():
            self._steps.min, self._steps.max = map(float, shown)
        _set_ticks(self._step_axis, [step for step, _ in ticks(shown, 3)])
        lines: list[list[tuple[float, float]]] = [[], []]
        band: list[list[tuple[float, float]]] = []
        for k, (first, second, low, high) in enumerate(curves):
            for number, line in enumerate((first, second)):
                lines[number] += [(step, _height(k, v, axis, log)) for step, v in line]
                lines[number].append((shown[0], _NAN))
            edge = [(step, _height(k, v, axis, log)) for step, v in [*low, *reversed(high)]]
            band.append([point for point in edge if not math.isnan(point[1])])
        self._first.colors = ["var(--kw-ink)" if measure in _PLAIN else "var(--kw-base)"]
        _set(self._first, lines[0])
        _set(self._second, lines[1])
        _set_areas(self._band, band, shown[0], len(names))
        at = [(cursor, 0.0), (cursor, float(len(names)))] if cursor >= 0 else [(shown[0], _NAN)]
        _set(self._now, at)
        ends = (
            f"{format_number(float(f'{axis[0]:.2g}'))} to {format_number(float(f'{axis[1]:.2g}'))}"
        )
        self.times.title = f"{title}, {ends}" if log else f"{title}, 0 to 100 %"


_PLAIN = ("range", "silu", "change")
Line = list[tuple[float, float]]


def curves_of(
    name: str, moments: Sequence[dict[str, Moment]], updates: Sequence[UpdateSizes], measure: str
) -> tuple[Line, Line, Line, Line]:
    """Return the curves of one row: first (base), second (splines), and the ends of a band."""

    def of(read: Callable[[Moment], float | None]) -> Line:
        found = [(at[name].step, read(at[name])) for at in moments if name in at]
        return [(float(step), v) for step, v in found if v is not None and math.isfinite(v)]

    def part(name: str) -> Callable[[Moment], float | None]:
        # On a logarithmic axis there is no zero.
        return lambda m: None if m.range is None else getattr(m.range, name) or None

    if measure == "range":
        return of(part("median")), [], of(part("lower")), of(part("upper"))
    if measure == "splines":
        return [], of(lambda m: m.splines), [], []
    if measure == "silu":
        return of(lambda m: m.silu), [], [], []
    if measure == "change":
        return of(lambda m: m.change or None), [], [], []
    base, splines = (
        [
            (float(u.step), v)
            for u in updates
            if (v := float(getattr(u, f"{measure}_{part}"))) > 0 and math.isfinite(v)
        ]
        for part in ("base", "splines")
    )
    return base, splines, [], []


def _height(row: int, value: float, axis: Range, log: bool) -> float:
    low, high = axis
    share = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
    return row + HIGH - (HIGH - LOW) * share


def _label(row: Row) -> str:
    name, note = row.layout.name or row.layout.type, aside(row)
    return f"{short(name, _LONGEST_NAME - 14)} · {note}" if note else short(name)


def _set_ticks(axis: Any, values: Sequence[float]) -> None:
    labels = {_in_javascript(value): format_number(value) for value in values}
    if axis.tick_labels != labels:
        with axis.hold_sync():
            axis.tick_labels = labels
            axis.tick_values = np.array(values, dtype=np.float64)


def _in_javascript(value: float) -> str:
    """Return a number as JavaScript writes it."""
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    if abs(value) >= 1e-6:
        return np.format_float_positional(value, trim="-")
    digits, _, power = repr(value).partition("e")
    return f"{digits.removesuffix('.0')}e{int(power)}"


def _set(mark: Any, points: Sequence[tuple[float, float]]) -> None:
    both = np.array(points or [(1.0, _NOWHERE)], dtype=np.float64)
    # bqplot puts a label at the last point, which must be somewhere.
    places = np.flatnonzero(~np.isnan(both[:, 1]))
    both = both[: places[-1] + 1] if len(places) else np.array([[both[0, 0], _NOWHERE]])
    with mark.hold_sync():
        mark.x, mark.y = both[:, 0].copy(), both[:, 1].copy()


def _set_areas(mark: Any, areas: Sequence[Line], x: float, count: int) -> None:
    """Set closed areas, one for each row; those that end earlier stay where they ended."""
    most = max(2, *(len(area) for area in areas)) if areas else 2
    both = np.full((max(count, 1), most, 2), _NOWHERE)
    both[:, :, 0] = x
    for k, area in enumerate(areas):
        if len(area) > 2:
            both[k, : len(area)] = area
            both[k, len(area) :] = area[-1]
    with mark.hold_sync():
        mark.x, mark.y = both[:, :, 0].copy(), both[:, :, 1].copy()
        mark.colors = ["transparent"] * max(count, 1)
        mark.fill_colors = ["var(--kw-box)"] * max(count, 1)
        mark.fill_opacities = [0.55] * max(count, 1)


def _set_boxes(
    whiskers: Any, boxes: Any, medians: Any, spreads: Sequence[Spread | None], at: float
) -> None:
    ends: Line = []
    quartiles: Line = []
    middles: Line = []
    for k, s in enumerate(spreads):
        y = k + at
        if s is None or s.high <= 0:
            continue
        # A logarithmic axis has no place for zero.
        low, lower = s.low or s.high * 1e-9, s.lower or s.high * 1e-9
        ends += [(low, y), (s.high, y), (s.high, _NAN)]
        quartiles += [(lower, y), (s.upper, y), (s.upper, _NAN)]
        if s.median > 0:
            middles += [(s.median, y - 0.095), (s.median, y + 0.095), (s.median, _NAN)]
    _set(whiskers, ends)
    _set(boxes, quartiles)
    _set(medians, middles)


def _number(content: dict[str, Any], name: str) -> float | None:
    data = content.get("data") or {}
    value = data.get(name, data.get("data", {}).get(name) if "data" in data else None)
    return float(value) if isinstance(value, (int, float)) else None


def _figure(margin: dict[str, int]) -> Any:
    return load_bqplot().Figure(
        fig_margin=margin,
        min_aspect_ratio=0.01,
        max_aspect_ratio=100.0,
        padding_x=0.0,
        padding_y=0.0,
        display_toolbar=False,
        layout={"width": "auto", "min_width": "0", "height": f"{HEAD + ROW + FOOT}px"},
    )
