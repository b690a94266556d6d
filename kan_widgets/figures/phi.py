"""Functions of a layer as lines, live, linked with what is selected."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from kan_widgets.insight.tables import basis_at
from kan_widgets.live import Frame, Source

MOST = 40
"""So many lines are drawn at most: more are no picture, and a burden for the page."""
_IN_LEGEND = 9


def functions(
    live: Source,
    layer: str | int = 0,
    functions: Sequence[Sequence[int]] | None = None,
    *,
    interval: tuple[float, float] | None = None,
) -> Any:
    """Return functions φ of a layer as lines, which move while it trains.

    A click on a line selects its function in all views; of the lines here the selected one lies
    on a broad band.

    Parameters
    ----------
    live
        A binding, or a recording.
    layer
        Its name, or its number.
    functions
        Which, as (out, in) or (out, in, row, column). By default all, if they are no more than
        40.
    interval
        From where to where in x; by default the grid, as it is now.

    Returns
    -------
    bqplot.Figure
        The first mark is the band; after it comes one line for each function.

    Raises
    ------
    TypeError
        If ``live`` is neither a binding nor a recording.
    ValueError
        If there is no such layer, or there are too many functions or none, or the interval is
        not two ascending finite numbers.
    IndexError
        If the layer has no such function.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> live = kw.bind(model := kw.nn.KANLinear(2, 3))
    >>> figure = kw.figures.functions(live, functions=[(0, 1), (2, 0)])
    >>> [mark.labels[0] for mark in figure.marks[1:]]
    ['1 → 0', '0 → 2']
    >>> live.select(live.layers[0], 2, 0)
    >>> figure.axes[1].label
    'φ(x)'
    """
    source = source_given(live)
    name = layer_named(source, layer)
    shape = source.feed.layout.layer(name).shape
    places = _chosen(functions, name, shape)
    if interval is not None and not (
        len(interval) == 2 and np.isfinite(interval).all() and interval[0] < interval[1]
    ):
        raise ValueError(f"interval: expected two finite numbers, low < high, got {interval!r}")
    both = plain.scales()
    band = plain.line(both, colors=[colour("accent")], stroke_width=7, opacities=[0.35])
    legend = 1 < len(places) <= _IN_LEGEND
    lines = []
    for k, place in enumerate(places):
        line = plain.line(both, number=k, labels=[words_for(place[1:], shape)])
        line.display_legend = legend
        select_by_click(line, source, partial(_standing_for, place))
        lines.append(line)
    variable = source.feed.layout.layer(name).variable or "x"
    axes = [
        plain.axis(both["x"], variable, "bottom"),
        plain.axis(both["y"], f"φ({variable})", "left"),
    ]
    made = plain.figure([band, *lines], axes, title=name)
    Living(made, source, _Functions(name, places, band, lines, interval))
    return made


def _standing_for(place: Place, source: Source, index: int) -> Place:
    return place


def layer_named(source: Source, layer: str | int) -> str:
    """Return a layer's name, given that or its number.

    Raises
    ------
    ValueError
        If there is no such layer; the message lists them.
    """
    names = source.layers
    if isinstance(layer, int) and not isinstance(layer, bool) and 0 <= layer < len(names):
        return names[layer]
    if isinstance(layer, str) and layer in names:
        return layer
    known = ", ".join(map(repr, names))
    raise ValueError(
        f"layer: expected one of {known}, or a number from 0 to {len(names) - 1}, got {layer!r}"
    )


def _chosen(
    functions: Sequence[Sequence[int]] | None, name: str, shape: tuple[int, int, int, int]
) -> list[Place]:
    given = list(np.ndindex(*shape[:4])) if functions is None else list(functions)
    if not given or len(given) > MOST:
        raise ValueError(
            f"functions: expected 1 to {MOST} of {name}, got {len(given):,}: name some, as "
            "functions=[(out, in, row, column), …]"
        )
    places: list[Place] = []
    for one in given:
        index = tuple(int(i) for i in one)
        index = (*index, 0, 0) if len(index) == 2 and shape[2:] == (1, 1) else index
        if len(index) != 4 or any(not 0 <= i < n for i, n in zip(index, shape, strict=True)):
            raise IndexError(f"function {tuple(one)}: {name} has {' × '.join(map(str, shape))}")
        places.append((name, *index))
    return places


class _Functions:
    """The lines of some functions of a layer, and the band under the selected one."""

    def __init__(
        self,
        name: str,
        places: list[Place],
        band: Any,
        lines: list[Any],
        interval: tuple[float, float] | None,
    ) -> None:
        self._name, self._places, self._interval = name, places, interval
        self._band, self._lines = band, lines

    def news(self, source: Source) -> Hashable:
        frame = source.frame
        return id(frame), frame.step, place_of(source.feed.selection)

    def draw(self, source: Source) -> None:
        x, y = curves_of(source.frame, self._name, self._places, self._interval)
        for line, values in zip(self._lines, y, strict=True):
            with line.hold_sync():
                line.x, line.y = (x, values) if np.isfinite(values).all() else ([], [])
        chosen = place_of(source.feed.selection)
        with self._band.hold_sync():
            if chosen in self._places:
                line = self._lines[self._places.index(chosen)]
                self._band.x, self._band.y = line.x, line.y
            else:
                self._band.x, self._band.y = [], []


def curves_of(
    frame: Frame, name: str, places: Sequence[Place], interval: tuple[float, float] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return some functions of a layer in a frame, ``(points,)`` and ``(functions, points)``.

    x are the points of the layer's tables within the interval, and its ends.
    """
    layer = frame.layout.layer(name)
    index = [place[1:] for place in places]
    inside = [i for i in index if all(k < n for k, n in zip(i, layer.shape, strict=True))]
    flat = {i: int(np.ravel_multi_index(i, layer.shape)) for i in inside}
    table_of = layer.table_of
    tables = {i: layer.tables[0 if table_of is None else int(table_of[f])] for i, f in flat.items()}
    low, high = layer.domain if interval is None else interval
    if not tables:  # pruned away, all of them
        return np.array([low, high]), np.full((len(places), 2), np.nan)
    points = np.concatenate([np.asarray(t.x, dtype=np.float64) for t in tables.values()])
    x = np.unique(np.concatenate([[low, high], points[(points > low) & (points < high)]]))
    betas = {id(table): basis_at(layer, table, x) for table in tables.values()}
    coefficients = frame.coefficients(name)
    y = np.full((len(places), len(x)), np.nan)
    for k, i in enumerate(index):
        if i in tables:
            y[k] = betas[id(tables[i])] @ coefficients[i].astype(np.float64)
    return x, y
