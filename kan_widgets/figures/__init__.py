"""Named lines over labelled axes, as plain bqplot figures: for charts of your own.

`lines` returns a `bqplot.Figure`. To add marks of your own, take its scales:
``figure.marks = [*figure.marks, bqplot.Lines(x=…, y=…, scales=figure.marks[0].scales)]``. The
colours follow the page's light or dark theme.
"""

import warnings
from collections.abc import Collection, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.figures.colours import CLASS, LONGEST_NAME, colour, curve_colour, put_style_sheet

__all__ = ["lines"]

_MAX_DOTS = 12
"""At most this many points have a dot each, and at most this many sizes a tick each."""
_SCIENTIFIC_BELOW = 1e-3
"""Written out, smaller numbers would reach into the label of their axis."""
_MARGIN = {"top": 30, "bottom": 46, "left": 64, "right": 24}
_HEIGHT = 300
# Largest over smallest value of a logarithmic axis: below the first bqplot's own labels are few
# enough; from the second on only powers of ten have room; from the third on it labels no others.
_FEW_LABELS, _MANY_LABELS, _ONLY_POWERS = 5, 10**3.5, 10**7


def lines(
    curves: Mapping[str, tuple[Any, Any]],
    *,
    x: str,
    y: str,
    log: str = "",
    behind: Collection[str] = (),
) -> Any:
    """Return named lines, such as functions beside their targets, or errors by size.

    A line is moved by setting its mark's ``y``: ``figure.marks[0].y = values``.

    Parameters
    ----------
    curves
        ``{name: (x, y)}``, arrays or tensors of equal length each.
    x, y
        The labels of the axes.
    log
        Which axes are logarithmic: ``"x"``, ``"y"``, ``"xy"``; what is not positive has no place
        there.
    behind
        Names of lines to be drawn broad and grey behind the others: a target, a reference.

    Returns
    -------
    bqplot.Figure
        One mark for each line, in the order of ``curves``, those behind first.

    Raises
    ------
    ValueError
        If there are none, lengths differ, ``log`` names no axes, or ``behind`` no lines.

    Examples
    --------
    >>> import numpy as np, kan_widgets as kw
    >>> n = np.array([10, 20, 40])
    >>> figure = kw.figures.lines({"error": (n, 1 / n**4)}, x="intervals", y="error", log="xy")
    >>> figure.marks[0].labels, figure.axes[0].label
    (['error'], 'intervals')
    """
    if not curves:
        raise ValueError("curves={}: expected at least one line, {name: (x, y)}")
    if set(log) - {"x", "y"}:
        raise ValueError(f"log={log!r}: expected '', 'x', 'y' or 'xy'")
    if unknown := sorted(set(behind) - set(curves)):
        raise ValueError(f"behind={unknown}: expected names among {', '.join(map(repr, curves))}")
    points = {name: _points(name, *pair) for name, pair in curves.items()}
    bqplot = _bqplot()
    both = {axis: bqplot.LogScale() if axis in log else bqplot.LinearScale() for axis in ("x", "y")}
    marks, number = [], 0
    for name in sorted(points, key=lambda name: name not in behind):
        across, up = points[name]
        across, up = _drawable(across, up, log)
        is_behind = name in behind
        line = bqplot.Lines(
            x=across,
            y=up,
            scales=both,
            colors=[colour("ghost") if is_behind else curve_colour(number)],
            stroke_width=7.0 if is_behind else 1.6,
            opacities=[0.5 if is_behind else 1.0],
            marker=None if is_behind or len(up) > _MAX_DOTS else "circle",
            marker_size=24,
            labels=[name],
            display_legend=len(points) > 1,  # a single one is named by the axis
        )
        marks.append(line)
        number += not is_behind
    across = _axis(both["x"], x, "bottom")
    if "x" in log:
        across.tick_format = ".3~g"
        sizes = np.unique(np.concatenate([mark.x for mark in marks]))
        across.tick_values = sizes if len(sizes) <= _MAX_DOTS else None
    up = _axis(both["y"], y, "left", tick_format=".3~g")
    if "y" in log and min(np.nanmin(mark.y, initial=1.0) for mark in marks) < _SCIENTIFIC_BELOW:
        up.tick_format = ".0e"
    if "y" in log:

        def relabel(change: Any = None) -> None:
            _label_decades(up, np.concatenate([np.ravel(mark.y) for mark in marks]))

        for mark in marks:
            mark.observe(relabel, "y")
        relabel()
    return _figure(marks, [across, up])


def _points(name: str, x: Any, y: Any) -> tuple[Any, Any]:
    on_cpu = (part.detach().cpu() if hasattr(part, "detach") else part for part in (x, y))
    across, up = (np.ravel(part).astype(np.float64) for part in on_cpu)
    if len(across) != len(up) or not len(up):
        raise ValueError(
            f"{name} with {len(across)} values of x and {len(up)} of y: expected as many of each, "
            "at least one"
        )
    return across, up


def _drawable(
    x: NDArray[np.float64], y: NDArray[np.float64], log: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a line with gaps where the axes have no place for it, but not at its ends."""
    fine = np.isfinite(y)
    for axis, values in (("x", x), ("y", y)):
        if axis in log:
            fine &= values > 0
    at = np.flatnonzero(fine)
    part = slice(at[0], at[-1] + 1) if len(at) else slice(0)
    return x[part], np.where(fine, y, np.nan)[part]


def _bqplot() -> ModuleType:
    """Return bqplot, which is large, when it is first needed."""
    with warnings.catch_warnings():
        # bqplot sets traits in a way that traitlets has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        import bqplot

    module: ModuleType = bqplot
    return module


def _axis(on: Any, label: str, side: str, **traits: Any) -> Any:
    """Return an axis with its label."""
    return _bqplot().Axis(
        scale=on,
        label=label,
        side=side,
        grid_lines="solid",
        grid_color=colour("grid"),
        label_offset="34px" if side == "bottom" else "50px",
        **traits,
    )


def _label_decades(on: Any, values: NDArray[np.float64]) -> None:
    """Choose the ticks of a logarithmic axis for these values, all of which are on it.

    By itself bqplot labels each of 1 to 9 below two decades, and each 1, 2 and 5 below seven: the
    labels overlap.
    """
    fine = values[np.isfinite(values) & (values > 0)]
    low, high = fine.min(initial=np.inf), fine.max(initial=0)
    ticks: list[float] | None = None
    if _FEW_LABELS * low <= high < _ONLY_POWERS * low:
        powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        firsts = (1, 2, 5) if high < _MANY_LABELS * low else (1,)
        every = (float(f"{first}e{power}") for power in powers for first in firsts)
        ticks = [tick for tick in every if low <= tick <= high]
    on.tick_values = None if ticks is None else np.array(ticks)


def _figure(marks: Sequence[Any], axes: Sequence[Any]) -> Any:
    """Return a figure of marks and axes; when it closes, all of its parts do."""
    put_style_sheet()
    longest = max((len(mark.labels[0]) for mark in marks if mark.display_legend), default=0)
    figure = _bqplot().Figure(
        marks=list(marks),
        axes=list(axes),
        fig_margin=_MARGIN | ({"right": 48 + 7 * min(LONGEST_NAME, longest)} if longest else {}),
        padding_x=0.02,
        padding_y=0.04,
        legend_location="top-right",
        legend_style={"fill": "transparent", "stroke": "none"},
        background_style={"fill": "transparent"},
        layout={"width": "100%", "height": f"{_HEIGHT}px", "min_width": "0"},
    )
    figure.add_class(CLASS)
    if longest:
        figure.add_class(f"kw-legend-{min(LONGEST_NAME, longest)}")
    scales = [axis.scale for axis in axes]
    parts = [*marks, *axes, *scales, figure.scale_x, figure.scale_y, figure.layout]

    def closed(change: Any) -> None:
        figure.unobserve(closed, "comm")
        for part in parts:
            part.close()
        parts.clear()

    figure.observe(closed, "comm")
    return figure
