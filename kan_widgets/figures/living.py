"""What keeps a figure up to date with a binding or a recording, and their selections the same."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

from kan_widgets.live import Binding, Frame, Listener, Selection, Source, State
from kan_widgets.live.answering import answer_during_cells
from kan_widgets.live.painter import Painter

_FPS = 4.0

Place = tuple[str, int, int, int, int]
"""A function: its layer, out, in, row, column."""


class Drawn(Protocol):
    """What a figure shows of a source."""

    def news(self, source: Source) -> Hashable:
        """Return what ``draw`` depends on: as long as it is equal nothing is drawn. Cheap."""

    def draw(self, source: Source) -> None:
        """Set the marks. Only the thread of the painters calls it, and who made the figure."""


class Living:
    """Draws a figure anew, a few times a second at most, when its source has news.

    The figure keeps it, until it is closed; it keeps a recording, but no binding: that lives as
    long as its model. Whoever trains only wakes the painter.

    Parameters
    ----------
    figure
        The figure, or a box of figures.
    source
        A binding or a recording.
    drawn
        What it shows.
    """

    def __init__(self, figure: Any, source: Source, drawn: Drawn) -> None:
        self._drawn: Drawn | None = drawn
        self._source = weakref.ref(source)
        self._kept = None if isinstance(source, Binding) else source
        self._before: tuple[int, Hashable] | None = None
        self._painter = Painter(self._paint, fps=_FPS)
        self._listener = _Listener(self)
        source.feed.subscribe(self._listener)
        figure.observe(self._closed, "comm")
        self._painter.now()

    @property
    def source(self) -> Source | None:
        """The source while it exists; another binding if that has taken its place."""
        return self._source()

    def wake(self) -> None:
        """Ask for a redraw soon; cheap, from any thread."""
        self._painter.wake()

    def change_source(self, source: Source) -> None:
        """Show another source from now on."""
        self._source = weakref.ref(source)
        self.wake()

    def _paint(self) -> None:
        source, drawn = self._source(), self._drawn
        if source is None or drawn is None:
            return
        news = id(source), drawn.news(source)
        if news != self._before:
            drawn.draw(source)
            self._before = news

    def _closed(self, change: Any) -> None:
        self._painter.close()
        if (source := self._source()) is not None:
            source.feed.unsubscribe(self._listener)
        self._drawn = self._kept = None
        change["owner"].unobserve(self._closed, "comm")


class _Listener(Listener):
    """Listens to a source for a figure, without keeping it alive; only wakes its painter."""

    def __init__(self, living: Living) -> None:
        self._living = weakref.ref(living)

    def _wake(self) -> None:
        if (living := self._living()) is not None:
            living.wake()

    def on_training(self) -> None:
        """Note that something was logged."""
        self._wake()

    def on_frame(self, frame: Frame, settled: bool) -> None:
        """Note that there is a frame."""
        self._wake()

    def on_state(self, state: State, message: str) -> None:
        """Note that the training began or ended."""
        self._wake()

    def on_selection(self, selection: Selection | None) -> None:
        """Note that another function is selected."""
        self._wake()

    def on_replaced(self, source: Source) -> None:
        """Show the binding that has replaced the one shown."""
        if (living := self._living()) is not None:
            living.change_source(source)


def place_of(selection: Selection | None) -> Place | None:
    """Return a selection as a place."""
    if selection is None:
        return None
    s = selection
    return s["layer"], s["out"], s["in"], s["row"], s["column"]


def select_by_click(
    mark: Any, source: Source, places: Callable[[Source, int], Place | None]
) -> None:
    """Let a click on an element of a mark select the function that it stands for.

    Parameters
    ----------
    mark
        Of bqplot.
    source
        Whose selection it is; held weakly.
    places
        Given the source and the number of the element, returns what it stands for; ``None`` for
        nothing.
    """
    held = weakref.ref(source)

    def clicked(_: Any, content: dict[str, Any]) -> None:
        live, data = held(), content.get("data")
        index = data.get("index", 0) if isinstance(data, dict) else 0
        place = None if live is None else places(live, int(index))
        if live is not None and place is not None:
            layer, *inside = place
            live.select(layer, *inside)

    mark.on_element_click(clicked)
    answer_during_cells(mark)


def source_given(live: object) -> Source:
    """Return ``live`` if it is a binding or a recording.

    Raises
    ------
    TypeError
        If it is something else; it says what to give.
    """
    if isinstance(live, Source):
        return live
    raise TypeError(
        "live: expected a binding (what kan_widgets.bind returned) or a recording "
        f"(kan_widgets.replay), got {live!r:.60}"
    )


def words_for(place: Sequence[int], shape: Sequence[int]) -> str:
    """Return a function's place in words.

    Examples
    --------
    >>> words_for((3, 0, 1, 2), (4, 1, 3, 3)), words_for((3, 0, 0, 0), (4, 1, 1, 1))
    ('0 → 3, row 1, column 2', '0 → 3')
    """
    out, in_, row, column = place
    return f"{in_} → {out}" + (
        f", row {row}, column {column}" if tuple(shape[2:]) != (1, 1) else ""
    )
