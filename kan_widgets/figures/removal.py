"""What a model loses without some of its functions."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from kan_widgets.figures import plain
from kan_widgets.figures.colours import colour
from kan_widgets.figures.living import (
    Living,
    Place,
    place_of,
    select_by_click,
    source_given,
    words_for,
)
from kan_widgets.insight import Ablation, AblationCurve
from kan_widgets.live import Source


def ablation(curve: AblationCurve, *, tolerance: float | None = None) -> Any:
    """Return what a model is worth with more and more functions of a layer at their means.

    Parameters
    ----------
    curve
        From `kan_widgets.insight.ablation_curve`.
    tolerance
        How much lower a score still counts as good: a dashed line marks how many functions it
        spares, as ``curve.spared(tolerance)`` counts them.

    Returns
    -------
    bqplot.Figure
        The marks: the score of the whole model as a dashed line, the curve, and with a tolerance
        the line of what is spared.

    Raises
    ------
    TypeError
        If ``curve`` is something else.
    ValueError
        If ``tolerance`` is negative or not finite.

    Examples
    --------
    >>> import numpy as np, kan_widgets as kw
    >>> counts, scores = np.array([0, 3, 6, 9]), np.array([0.98, 0.97, 0.7, 0.1])
    >>> curve = kw.insight.AblationCurve("0", 9, 9, np.zeros((9, 4)), counts, scores)
    >>> figure = kw.figures.ablation(curve, tolerance=0.02)
    >>> figure.marks[1].y, figure.marks[2].x
    (array([0.98, 0.97, 0.7 , 0.1 ]), array([3., 3.]))
    """
    if not isinstance(curve, AblationCurve):
        raise TypeError(
            "curve: expected what kan_widgets.insight.ablation_curve returned, got "
            f"{curve!r:.60}; what ablate returned is drawn by kan_widgets.figures.drops"
        )
    if tolerance is not None and not (np.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(f"tolerance: expected a number ≥ 0, got {tolerance!r}")
    both = plain.scales()
    counts = np.asarray(curve.counts, dtype=np.float64)
    scores = np.asarray(curve.scores, dtype=np.float64)
    dashed: dict[str, Any] = {"line_style": "dashed", "colors": [colour("ghost")]}
    whole = plain.line(both, **dashed, x=counts[[0, -1]], y=scores[[0, 0]])
    along = plain.line(both, x=counts, y=scores, marker="circle", marker_size=24)
    marks = [whole, along]
    if tolerance is not None:
        ends = np.array([scores.min(), scores.max()])
        dashed["colors"] = [colour("accent")]
        marks.append(plain.line(both, **dashed, x=[float(curve.spared(tolerance))] * 2, y=ends))
    axes = [
        plain.axis(both["x"], f"functions of {curve.layer} at their means", "bottom"),
        plain.axis(both["y"], "score", "left"),
    ]
    return plain.figure(marks, axes)


def drops(found: Ablation, *, live: Source | None = None) -> Any:
    """Return what single functions are worth: how much the score drops without each.

    Parameters
    ----------
    found
        From `kan_widgets.insight.ablate`.
    live
        The binding or recording whose selection is linked: a click on a bar selects its function
        in all views, and the bar of the selected one has the colour of the selection.

    Returns
    -------
    bqplot.Figure
        Its mark is the bars, from the top in the order in which the functions were tried.

    Raises
    ------
    TypeError
        If ``found`` or ``live`` is something else.

    Examples
    --------
    >>> import numpy as np, kan_widgets as kw
    >>> places, drop = np.array([[1, 0, 0, 0], [0, 1, 0, 0]]), np.array([0.25, 0.5])
    >>> found = kw.insight.Ablation("0", 9, 9, places, np.zeros(2), 0.9, drop, (2, 2, 1, 1))
    >>> figure = kw.figures.drops(found)
    >>> figure.marks[0].y, list(figure.axes[1].tick_labels.values())
    (array([0.25, 0.5 ]), ['0 → 1', '1 → 0'])
    """
    if not isinstance(found, Ablation):
        raise TypeError(
            f"found: expected what kan_widgets.insight.ablate returned, got {found!r:.60}"
        )
    source = None if live is None else source_given(live)
    down = plain.scale("linear")
    across = plain.scale("linear")
    down.reverse, down.min, down.max = True, -0.6, len(found.functions) - 0.4
    places: list[Place] = [
        (found.layer, int(o), int(i), int(r), int(c)) for o, i, r, c in found.functions
    ]
    bars = plain.bqplot().Bars(
        x=np.arange(len(places)),
        y=np.asarray(found.drop, dtype=np.float64),
        colors=_colours(places, None),
        padding=0.25,
        orientation="horizontal",
        scales={"x": down, "y": across},
    )
    names = [words_for(place[1:], found.shape) for place in places]
    longest = max(map(len, names), default=0)
    up = plain.names_axis(down, f"function of {found.layer} at its mean", names, "left")
    up.label_offset = f"{7 * longest + 16}px"
    made = plain.figure([bars], [plain.axis(across, "drop of the score", "bottom"), up])
    made.fig_margin = {**made.fig_margin, "left": 7 * longest + 36}
    made.layout.height = f"{90 + 22 * len(places)}px"
    if source is not None:
        select_by_click(bars, source, lambda _, k: places[k] if 0 <= k < len(places) else None)
        Living(made, source, _Chosen(bars, places))
    return made


def _colours(places: list[Place], chosen: Place | None) -> list[str]:
    return [colour("accent" if place == chosen else "ghost") for place in places]


class _Chosen:
    """Bars, that of the selected function in another colour."""

    def __init__(self, bars: Any, places: list[Place]) -> None:
        self._bars, self._places = bars, places

    def news(self, source: Source) -> Hashable:
        return place_of(source.selection)

    def draw(self, source: Source) -> None:
        self._bars.colors = _colours(self._places, place_of(source.selection))
