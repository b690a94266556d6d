"""Curves of what was logged: one figure for each quantity."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Sequence
from typing import Any, overload

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from kan_widgets.figures import plain
from kan_widgets.figures.colours import CURVES, curve_colour
from kan_widgets.figures.living import Living, source_given
from kan_widgets.live import Binding, Replay, Scalars, Source
from kan_widgets.live.frames.quantities import belongs_to

_POINTS = 800
_KINDS = ("trained on", "held out")


@overload
def curves(live: Source, quantity: None = None, *, scale: str = "linear") -> ipywidgets.VBox: ...


@overload
def curves(live: Source, quantity: str, *, scale: str = "linear") -> Any: ...


def curves(live: Source, quantity: str | None = None, *, scale: str = "linear") -> Any:
    """Return what ``live.log`` was given as curves over the steps; they grow while it trains.

    ``loss`` and ``val_loss`` are one quantity, and so in one figure.

    Parameters
    ----------
    live
        A binding, or a recording.
    quantity
        Such as ``"loss"``; it need not have been logged yet. By default all of them: a box of
        figures, to which the figure of a quantity is added when it is logged first.
    scale
        Of the values: ``"linear"`` or ``"log"``, on which what is not positive is not drawn.

    Returns
    -------
    bqplot.Figure or ipywidgets.VBox
        One figure, a line for each name; or a box whose children are such figures. Lines have at
        most about 800 points, which keep all peaks and dips.

    Raises
    ------
    TypeError
        If ``live`` is neither a binding nor a recording.
    ValueError
        If the scale is unknown, or ``quantity`` empty.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> live = kw.bind(model := kw.nn.KANLinear(2, 1))
    >>> for step in range(3):
    ...     live.log(step, loss=1 / (1 + step), val_loss=2.0)
    >>> figure = kw.figures.curves(live, "loss")
    >>> [mark.labels[0] for mark in figure.marks], figure.marks[0].y.round(2)
    (['loss', 'val_loss'], array([1.  , 0.5 , 0.33]))
    >>> [figure.axes[1].label for figure in kw.figures.curves(live).children]
    ['loss']
    """
    source = source_given(live)
    if not isinstance(source, Binding | Replay):
        raise TypeError(
            f"live: expected a binding or a recording, where something is logged, got {live!r:.60}"
        )
    plain.scale(scale).close()
    if quantity is None:
        box = ipywidgets.VBox(layout={"width": "100%"})
        Living(box, source, _AllQuantities(box, scale))
        return box
    if not isinstance(quantity, str) or not quantity.strip():
        raise ValueError(f"quantity: expected a name such as 'loss', got {quantity!r}")
    return _one(source, quantity, scale)


def _one(source: Source, quantity: str, scale: str) -> Any:
    both = plain.scales(y=scale)
    waiting = plain.line(both)
    axes = [plain.axis(both["x"], "step", "bottom"), plain.axis(both["y"], quantity, "left")]
    made = plain.figure([waiting], axes)
    Living(made, source, _Quantity(made, waiting, quantity))
    return made


def _scalars(source: Source) -> Scalars:
    assert isinstance(source, Binding | Replay)
    return source.scalars


class _Quantity:
    """The lines of one quantity."""

    def __init__(self, made: Any, waiting: Any, quantity: str) -> None:
        self._figure = weakref.ref(made)
        self._quantity = belongs_to(quantity)[0]
        # A figure without a mark draws no axes that a reader could see anything by.
        self._waiting = [waiting]
        self._scales = waiting.scales
        self._lines: dict[str, Any] = {}

    def news(self, source: Source) -> Hashable:
        scalars = _scalars(source)
        return id(scalars), scalars.version

    def draw(self, source: Source) -> None:
        scalars, made = _scalars(source), self._figure()
        if made is None:
            return
        log = type(self._scales["y"]).__name__ == "LogScale"
        for name in scalars.names:
            what, kind = belongs_to(name)
            if what != self._quantity:
                continue
            line = self._lines.get(name) or self._add(made, name, kind)
            x, y = drawable(*scalars.decimated(name, points=_POINTS), log)
            with line.hold_sync():
                line.x, line.y = x, y
                line.marker = "circle" if len(y) < 3 else None
        if log and self._lines:
            drawn = [line.y for line in self._lines.values()]
            plain.label_decades(made.axes[1], np.concatenate(drawn))

    def _add(self, made: Any, name: str, kind: str) -> Any:
        """Add a line; that of a held-out quantity has the second colour, as in other views."""
        taken = {line.colors[0] for line in self._lines.values()}
        wanted = [_KINDS.index(kind), *range(2, CURVES)]
        number = next((k for k in wanted if curve_colour(k) not in taken), len(self._lines))
        if self._waiting:
            line = self._waiting.pop()
            with line.hold_sync():
                line.labels = [name]
                line.colors = [curve_colour(number)]
        else:
            line = plain.line(self._scales, name, number, marker_size=16)
            close_with(made, line)
            made.marks = [*made.marks, line]
            if made.comm is None:  # closed meanwhile
                line.close()
        self._lines[name] = line
        # One line is named by the axis, unless the name says on which data.
        for known in self._lines.values():
            known.display_legend = len(self._lines) > 1 or name != self._quantity
        plain.place_legend(made)
        return line


class _AllQuantities:
    """A box with a figure for each quantity."""

    def __init__(self, box: Any, scale: str) -> None:
        self._box, self._scale = weakref.ref(box), scale
        self._made: dict[str, Any] = {}
        close_all_with(box, self._made)
        close_with(box, box.layout)

    def news(self, source: Source) -> Hashable:
        return tuple(dict.fromkeys(belongs_to(name)[0] for name in _scalars(source).names))

    def draw(self, source: Source) -> None:
        box = self._box()
        names: Sequence[str] = [belongs_to(name)[0] for name in _scalars(source).names]
        new = [name for name in dict.fromkeys(names) if name not in self._made]
        for name in new:
            self._made[name] = _one(source, name, self._scale)
        if box is not None and new:
            box.children = [*box.children, *(self._made[name] for name in new)]
        if box is None or box.comm is None:  # closed meanwhile
            for made in self._made.values():
                made.close()


def close_with(made: Any, part: Any) -> None:
    """Have a part that was added later close with its figure."""
    close_all_with(made, {"": part})


def close_all_with(owner: Any, parts: dict[str, Any]) -> None:
    """Have widgets close with another, those too that are added to ``parts`` later."""

    def closed(change: Any) -> None:
        change["owner"].unobserve(closed, "comm")
        for part in parts.values():
            part.close()
        parts.clear()

    owner.observe(closed, "comm")


def drawable(
    x: NDArray[np.integer] | NDArray[np.floating], y: NDArray[np.floating], log: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a curve with gaps where it cannot be drawn, and none at its ends.

    Examples
    --------
    >>> drawable(np.arange(4), np.array([1.0, np.inf, 2.0, np.nan]), False)
    (array([0., 1., 2.]), array([ 1., nan,  2.]))
    """
    values = np.asarray(y, dtype=np.float64)
    fine = np.isfinite(values) & ((values > 0) if log else True)
    at = np.flatnonzero(fine)
    if not len(at):
        return np.empty(0), np.empty(0)
    part = slice(at[0], at[-1] + 1)
    return np.asarray(x, dtype=np.float64)[part], np.where(fine, values, np.nan)[part]
