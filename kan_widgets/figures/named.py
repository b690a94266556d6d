"""Named lines over one axis."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from kan_widgets.figures import plain
from kan_widgets.figures.colours import colour
from kan_widgets.figures.logged import drawable

_FEW = 12
"""So many points have a dot each, and so many sizes a tick each."""
_LONG_BELOW = 1e-3
"""Written out, smaller numbers would reach into the label of their axis."""


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
        raise ValueError("curves: expected at least one line, {name: (x, y)}, got none")
    if set(log) - {"x", "y"}:
        raise ValueError(f"log: expected '', 'x', 'y' or 'xy', got {log!r}")
    if unknown := sorted(set(behind) - set(curves)):
        raise ValueError(
            f"behind: expected names among {', '.join(map(repr, curves))}, got {unknown}"
        )
    points = {name: _points(name, *pair) for name, pair in curves.items()}
    both = plain.scales(*("log" if axis in log else "linear" for axis in "xy"))
    marks, number = [], 0
    for name in sorted(points, key=lambda name: name not in behind):
        across, up = points[name]
        across, up = drawable(
            across, np.where(across > 0, up, np.nan) if "x" in log else up, "y" in log
        )
        made = plain.line(both, name, number, x=across, y=up)
        if name in behind:
            made.colors, made.stroke_width = [colour("ghost")], 7.0
            made.opacities = [0.5]
        else:
            number += 1
            if len(up) <= _FEW:
                made.marker, made.marker_size = "circle", 24
        marks.append(made)
    if len(marks) == 1:
        marks[0].display_legend = False  # the axis names it
    axes = [
        plain.axis(both["x"], x, "bottom", **_ticks([m.x for m in marks], "x" in log)),
        plain.axis(both["y"], y, "left"),
    ]
    if "y" in log and min(np.nanmin(mark.y, initial=1.0) for mark in marks) < _LONG_BELOW:
        axes[1].tick_format = ".0e"
    if "y" in log:

        def relabel(change: Any = None) -> None:
            plain.label_decades(axes[1], np.concatenate([np.ravel(mark.y) for mark in marks]))

        for mark in marks:
            mark.observe(relabel, "y")
        relabel()
    return plain.figure(marks, axes)


def _ticks(across: list[Any], log: bool) -> dict[str, Any]:
    """Return the ticks of x: on a logarithmic axis the sizes themselves, if they are few."""
    if not log:
        return {}
    sizes = np.unique(np.concatenate(across))
    few: dict[str, Any] = {"tick_values": sizes} if len(sizes) <= _FEW else {}
    return few | {"tick_format": ".3~g"}


def _points(name: str, x: Any, y: Any) -> tuple[Any, Any]:
    across, up = (np.ravel(_array(part)).astype(np.float64) for part in (x, y))
    if len(across) != len(up) or not len(up):
        raise ValueError(
            f"{name}: expected as many values of x as of y, at least one, got {len(across)} and "
            f"{len(up)}"
        )
    return across, up


def _array(values: Any) -> Any:
    detach = getattr(values, "detach", None)
    return np.asarray(values if detach is None else detach().cpu())
