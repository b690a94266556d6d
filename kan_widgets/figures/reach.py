"""How far functions reach and how complicated they are, by layer."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from kan_widgets.figures import plain
from kan_widgets.figures.columns import Columns, Float64, source_shape
from kan_widgets.figures.living import Living, place_of, source_given
from kan_widgets.insight import Complexity, function_ranges
from kan_widgets.insight.complexity import complexity as measured
from kan_widgets.insight.depth import MEASURES
from kan_widgets.live import LayerLayout, Source

_LABELS = {
    "bend": "bend (mean curvature, axes scaled to 1)",
    "turns": "turns: total variation / range",
    "line": "1 − R² of the best line",
    "silu": "1 − R² of the best a·SiLU + c",
    "variation": "total variation of φ",
    "curvature": "mean |φ″|",
    "range": "max φ − min φ",
}


def ranges(live: Source, *, scale: str = "log") -> Any:
    """Return the ranges of the functions, a column for each layer; they move while it trains.

    A range is max φ − min φ on the grid. Each dot is a function (of a large layer 300, evenly);
    the large dot is the median of all, the line their middle half. A click on a dot selects its
    function in all views; around the selected one is a ring.

    Parameters
    ----------
    live
        A binding, or a recording.
    scale
        ``"log"``, on which constants have no place (the axis says how many), or ``"linear"``.

    Returns
    -------
    bqplot.Figure
        The marks: the ring, one of dots for each layer, the middle halves, the medians.

    Raises
    ------
    TypeError
        If ``live`` is neither a binding nor a recording.
    ValueError
        If the scale is unknown.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> live = kw.bind(model := kw.nn.KANCNN.article())
    >>> figure = kw.figures.ranges(live)
    >>> list(figure.axes[0].tick_labels.values()), len(figure.marks[1].y)
    (['convs.0', 'convs.1', 'linear'], 45)
    """
    source = source_given(live)
    plain.scale(scale).close()
    columns = Columns(source.layers, "range of φ (max − min)", scale)
    return _living(columns, source, lambda layer, c: function_ranges(layer, c).range)


def complexity(
    found: Source | Mapping[str, Complexity] | Mapping[str, Mapping[str, Complexity]],
    measure: str = "bend",
    *,
    scale: str = "linear",
    live: Source | None = None,
) -> Any:
    """Return how complicated the functions of each layer are, one column a layer.

    Parameters
    ----------
    found
        A binding or a recording, whose functions are measured again while it trains; or what
        `kan_widgets.insight.complexity` returned, by the names of the layers; or such a mapping
        for each of several networks, by their names, whose columns stand side by side.
    measure
        One of ``"bend"``, ``"turns"``, ``"line"``, ``"silu"``, ``"variation"``, ``"curvature"``,
        ``"range"``; see `kan_widgets.insight.Complexity`. Of ``"line"`` and ``"silu"`` it is
        1 − R², so that more is more complex.
    scale
        ``"linear"`` or ``"log"``.
    live
        Whose selection is linked with the dots, if ``found`` is the results of its layers.

    Returns
    -------
    bqplot.Figure
        The marks: the ring around the selected function, one of dots for each network and layer,
        the middle halves, the medians.

    Raises
    ------
    TypeError
        If ``found`` is none of those.
    ValueError
        If the measure or the scale is unknown, or nothing is given.

    Examples
    --------
    >>> import numpy as np, kan_widgets as kw
    >>> layers = kw.functions.read(kw.nn.KANCNN.article())
    >>> found = {layer.name: kw.insight.complexity(layer) for layer in layers}
    >>> figure = kw.figures.complexity(found, "turns")
    >>> bool(np.allclose(figure.marks[1].y, found["convs.0"].turns))
    True
    """
    if measure not in MEASURES:
        known = ", ".join(map(repr, MEASURES))
        raise ValueError(f"measure: expected one of {known}, got {measure!r}")
    plain.scale(scale).close()
    number, label = MEASURES[measure], _LABELS[measure]
    if isinstance(found, Source):
        columns = Columns(found.layers, label, scale)
        return _living(columns, found, lambda layer, c: number(measured(layer, c)))
    networks = _networks(found)
    values = [{name: number(one) for name, one in layers.items()} for layers in networks.values()]
    names = tuple(dict.fromkeys(name for layers in values for name in layers))
    columns = Columns(names, label, scale, tuple(networks))
    columns.set(values)
    if live is not None:
        source = source_given(live)
        columns.link(source)
        Living(columns.figure, source, _Selected(columns, values[0]))
    return columns.figure


def _networks(found: Any) -> dict[str, Mapping[str, Complexity]]:
    """Return results by network and layer; of one network alone, by an empty name."""
    if not isinstance(found, Mapping):
        raise TypeError(
            "found: expected a binding, a recording, or results by the names of their layers, "
            f"{{layer.name: kan_widgets.insight.complexity(layer)}}, got {found!r:.60}"
        )
    if not found:
        raise ValueError("found: expected the results of at least one layer, got none")
    one = all(isinstance(part, Complexity) for part in found.values())
    networks: dict[str, Any] = {"": found} if one else dict(found)
    for name, layers in networks.items():
        fits = isinstance(layers, Mapping) and layers
        if not fits or not all(isinstance(part, Complexity) for part in layers.values()):
            raise TypeError(
                f"found[{name!r}]: expected what kan_widgets.insight.complexity returned, by the "
                f"names of the layers, got {layers!r:.60}"
            )
    return networks


def _living(
    columns: Columns, source: Source, measure: Callable[[LayerLayout, Any], Float64]
) -> Any:
    columns.link(source)
    Living(columns.figure, source, _Measured(columns, measure))
    return columns.figure


class _Measured:
    """Columns of what is measured at each frame."""

    def __init__(self, columns: Columns, measure: Callable[[LayerLayout, Any], Float64]) -> None:
        self._columns, self._measure = columns, measure
        self._frame: Hashable = None
        self._values: dict[str, Float64] = {}

    def news(self, source: Source) -> Hashable:
        return _frame_of(source), place_of(source.selection)

    def draw(self, source: Source) -> None:
        frame = source.frame
        if self._frame != _frame_of(source):
            self._frame = _frame_of(source)
            self._values = {
                layer.name: self._measure(layer, frame.coefficients(layer.name))
                for layer in frame.layout.layers
            }
            self._columns.set([self._values])
        _mark(self._columns, source, self._values)


class _Selected:
    """The ring alone: what is measured stays."""

    def __init__(self, columns: Columns, values: Mapping[str, Float64]) -> None:
        self._columns, self._values = columns, values

    def news(self, source: Source) -> Hashable:
        return place_of(source.selection)

    def draw(self, source: Source) -> None:
        _mark(self._columns, source, self._values)


def _frame_of(source: Source) -> Hashable:
    frame = source.frame
    return id(frame), frame.step


def _mark(columns: Columns, source: Source, values: Mapping[str, Float64]) -> None:
    place = place_of(source.selection)
    shape = None if place is None else source_shape(source, place[0])
    columns.mark(place, values, shape)
