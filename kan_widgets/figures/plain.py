"""A plain bqplot figure: labelled axes, the colours of the house, and no trace after closing."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.figures.colours import CLASS, LONGEST, colour, curve_colour, put_style_sheet

_MARGIN = {"top": 30, "bottom": 46, "left": 64, "right": 24}
_HEIGHT = 300
# Largest over smallest value of a logarithmic axis: below, bqplot's own labels are few enough; from
# here only powers of ten have room; from here bqplot labels no others.
_FEW_LABELS, _MANY_LABELS, _ONLY_POWERS = 5, 10**3.5, 10**7


def bqplot() -> ModuleType:
    """Return bqplot, which is large, when it is first needed."""
    with warnings.catch_warnings():
        # It sets traits in a way that traitlets finds old.
        warnings.simplefilter("ignore", DeprecationWarning)
        import bqplot

    module: ModuleType = bqplot
    return module


def scale(kind: str) -> Any:
    """Return a scale that fits itself to the marks on it: ``"linear"`` or ``"log"``.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if kind not in ("linear", "log"):
        raise ValueError(f"scale: expected 'linear' or 'log', got {kind!r}")
    return bqplot().LogScale() if kind == "log" else bqplot().LinearScale()


def scales(x: str = "linear", y: str = "linear") -> dict[str, Any]:
    """Return the two scales of a figure."""
    return {"x": scale(x), "y": scale(y)}


def line(both: Mapping[str, Any], name: str = "", number: int = 0, **traits: Any) -> Any:
    """Return an empty line on two scales, in the legend if it has a name."""
    named = {"labels": [name], "display_legend": True} if name else {}
    own = {"stroke_width": 1.6, "colors": [curve_colour(number)], "x": [], "y": []}
    return bqplot().Lines(scales=dict(both), **named, **(own | traits))


def axis(on: Any, label: str, side: str, **traits: Any) -> Any:
    """Return an axis with its label."""
    own: dict[str, Any] = {
        "label": label,
        "side": side,
        "grid_lines": "solid",
        "grid_color": colour("grid"),
        "label_offset": "34px" if side == "bottom" else "50px",
    }
    if side == "left":
        own["tick_format"] = ".3~g"
    return bqplot().Axis(scale=on, **(own | traits))


def label_decades(on: Any, values: NDArray[np.float64]) -> None:
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
    known = on.tick_values
    if (None if known is None else list(known)) != ticks:
        on.tick_values = None if ticks is None else np.array(ticks)


def figure(marks: Sequence[Any], axes: Sequence[Any], title: str = "") -> Any:
    """Return a figure of marks and axes.

    With the figure all that it was made of closes: marks, axes and scales. What a reader adds
    to it later is the reader's.
    """
    put_style_sheet()
    made = bqplot().Figure(
        marks=list(marks),
        axes=list(axes),
        title=title,
        fig_margin=_MARGIN,
        padding_x=0.02,
        padding_y=0.04,
        legend_location="top-right",
        legend_style={"fill": "transparent", "stroke": "none"},
        background_style={"fill": "transparent"},
        layout={"width": "100%", "height": f"{_HEIGHT}px", "min_width": "0"},
    )
    made.add_class(CLASS)
    place_legend(made)
    parts = {id(part): part for part in _parts(made)}

    def closed(change: Any) -> None:
        made.unobserve(closed, "comm")
        for part in list(parts.values()):
            part.close()
        parts.clear()

    made.observe(closed, "comm")
    return made


def place_legend(made: Any) -> None:
    """Make room for the legend beside the plot."""
    names = [name for mark in made.marks if mark.display_legend for name in mark.labels]
    for old in [name for name in made._dom_classes if name.startswith("kw-legend-")]:
        made.remove_class(old)
    if names:
        longest = min(LONGEST, max(map(len, names)))
        made.add_class(f"kw-legend-{longest}")
        made.fig_margin = {**made.fig_margin, "right": 48 + 7 * longest}


def _parts(made: Any) -> list[Any]:
    scales = [on for mark in made.marks for on in mark.scales.values()]
    own = [made.scale_x, made.scale_y, made.layout]
    return [*made.marks, *made.axes, *scales, *(a.scale for a in made.axes), *own]
