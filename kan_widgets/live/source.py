"""Where frames come from: what a binding and a recording have in common for their views."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict

from kan_widgets.live.frame import Frame
from kan_widgets.live.history import History
from kan_widgets.live.layout import Layout
from kan_widgets.live.observe import Observation

if TYPE_CHECKING:
    from kan_widgets.live.edit import Edits

# Of a recording that is complete, or whose end was read: "recorded".
State = Literal["live", "idle", "closed", "fault", "recorded"]

# "in" is a keyword of Python, but the word for it.
Selection = TypedDict("Selection", {"layer": str, "out": int, "in": int, "row": int, "column": int})
"""One function: its layer, and its place in it."""


class Listener:
    """What receives a source's frames; a stream of views is one. Override what is of interest."""

    def on_layout(self, layout: Layout) -> None:
        """Take the layout of the frames that follow."""

    def on_frame(self, frame: Frame, settled: bool) -> None:
        """Take a frame; ``settled`` if all is quiet and it is the latest there is."""

    def on_state(self, state: State, message: str) -> None:
        """Take a change of the source's state."""

    def on_selection(self, selection: Selection | None) -> None:
        """Take another selected function."""

    def on_observed(self, observed: dict[str, Observation]) -> None:
        """Take the inputs of the layers for a new batch."""

    def on_edit(self, edits: Edits) -> None:
        """Take note that something was edited, undone or done again."""

    def on_training(self) -> None:
        """Take note that curves, progress or control have changed; called at every log."""

    def on_replaced(self, source: Source) -> None:
        """Follow the source that takes this one's place."""


class Source:
    """Frames of the same layers over time, with the history and the selection.

    Parameters
    ----------
    history
        With at least one frame.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._frame = history[-1]
        self._state: State = "idle"
        self._message = ""
        self._selection: Selection | None = None
        self._observed: dict[str, Observation] = {}
        self._listeners: tuple[Listener, ...] = ()
        # Held while frames are taken and sent, so that listeners get them in order.
        self._sending = threading.RLock()

    @property
    def layout(self) -> Layout:
        """What it takes to read the latest frame."""
        return self._frame.layout

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""
        return self.layout.names

    @property
    def frame(self) -> Frame:
        """The latest frame taken."""
        return self._frame

    def current(self) -> Frame:
        """Return the frame to show now."""
        return self._frame

    @property
    def history(self) -> History:
        """The frames kept so far: the first, the latest, and evenly spread ones between."""
        return self._history

    @property
    def state(self) -> State:
        """``live`` while frames come in, ``idle`` between, ``closed``, ``fault``, ``recorded``."""
        return self._state

    @property
    def message(self) -> str:
        """What went wrong, in state ``fault``."""
        return self._message

    @property
    def observed(self) -> dict[str, Observation]:
        """The inputs of each layer for the batch observed last, by layer name."""
        return dict(self._observed)

    @property
    def selection(self) -> Selection | None:
        """The function selected in all views: ``layer``, ``out``, ``in``, ``row``, ``column``."""
        return self._selection

    def select(self, layer: str, out: int = 0, in_: int = 0, row: int = 0, column: int = 0) -> None:
        """Select one function in all views.

        Raises
        ------
        KeyError
            If there is no such layer; the message lists the names.
        IndexError
            If the layer has no such function; the message gives its shape.
        """
        shape = self.layout.layer(layer).shape
        index = (out, in_, row, column)
        if any(not 0 <= i < size for i, size in zip(index, shape, strict=True)):
            raise IndexError(
                f"(out, in, row, column) = {index}: {layer} has {' × '.join(map(str, shape))}"
            )
        self.set_selection({"layer": layer, "out": out, "in": in_, "row": row, "column": column})

    def deselect(self) -> None:
        """Select nothing."""
        self.set_selection(None)

    def set_selection(self, selection: Selection | None) -> None:
        """Take a selection as it is, from a view."""
        if selection != self._selection:
            self._selection = selection
            self._tell_all("on_selection", selection)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hand every frame from now on to ``listener``.

        Returns
        -------
        callable
            Call it to end the subscription.
        """
        with self._sending:
            self._listeners = (*self._listeners, listener)
        return lambda: self._drop(listener)

    def _drop(self, listener: Listener) -> None:
        with self._sending:
            self._listeners = tuple(known for known in self._listeners if known is not listener)

    def _tell_all(self, method: str, *arguments: Any) -> None:
        """Call all listeners; one that raises is dropped, the training goes on."""
        for listener in self._listeners:
            try:
                getattr(listener, method)(*arguments)
            except Exception as error:
                self._drop(listener)
                report(f"a view stopped following the training: {error!r}")

    def _set_state(self, state: State) -> None:
        if state != self._state:
            self._state = state
            self._tell_all("on_state", state, self._message)

    def _hand_over(self, successor: Source) -> None:
        """Let the listeners follow ``successor``."""
        with self._sending:
            listeners, self._listeners = self._listeners, ()
        # No frame of the successor may come before its listeners know it.
        with successor._sending:
            successor._selection = self._selection
            successor._observed = self._observed
            successor._listeners = listeners
            successor._tell_all("on_replaced", successor)


class Hearer(Protocol):
    """What wants to know of reports."""

    def on_report(self, message: str) -> None:
        """Take what was reported; cheap, from any thread."""


_hearers: weakref.WeakSet[Hearer] = weakref.WeakSet()


def hear_reports(hearer: Hearer) -> None:
    """Tell ``hearer`` of each report, for as long as it lives."""
    _hearers.add(hearer)


def report(message: str) -> None:
    """Warn, and tell the panels, without ever raising, even where warnings are errors."""
    for hearer in list(_hearers):
        hearer.on_report(message)
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=4)
    except Warning:
        pass
