"""What views of a stream share: selection and time."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from kan_widgets.live import Selection
from kan_widgets.live.frames.feed import checked_selection
from kan_widgets.live.reports import Callback
from kan_widgets.widgets.wire.stream import Stream


class _Chosen(traitlets.TraitType[Any, Any]):
    """A function of the stream that a view shows, or ``None``."""

    default_value = None

    def validate(self, obj: Any, value: Any) -> Selection | None:
        return obj._checked(value) if value else None


SHARED_TRAITS = ("selection", "cursor")

if TYPE_CHECKING:

    class Widget(traitlets.HasTraits):
        """What views use of `anywidget.AnyWidget`, which has no types."""

        set_state: Callable[..., None]
        _should_send_property: Callable[..., bool]
        _repr_mimebundle_: Callable[..., Any]

        def __getattr__(self, name: str) -> Any: ...

else:
    Widget = anywidget.AnyWidget


class Sharing(Widget):
    """A view with the selection and the time of its stream, which it joins when both are made.

    The two cross the wire with the stream alone. In the page ``js/src/shell/connection.ts`` keeps
    them equal in the models of stream and views, here this class does: so a page that is ahead
    of Python is never told what it was a moment ago.
    """

    comm: Any
    stream = anywidget.WidgetTrait().tag(sync=True)
    selection = _Chosen().tag(sync=True)
    """The selected function, shared by all views of the stream; may be set.

    ``{"layer": name, "out": o, "in": i, "row": r, "column": c}``, or ``None``. It can be
    observed, and linked with ``traitlets.link`` or, between views that are shown,
    ``ipywidgets.jslink``. Indices left out are 0; what names no function raises as ``live.select``
    does, and changes nothing.
    """
    cursor = traitlets.Int(-1, min=-1).tag(sync=True)
    """The training step that all views of the stream show; −1 is the newest. May be set, observed
    and linked as ``selection``. The step shown is the last one in the history up to it."""

    _select_callbacks: tuple[Callback[[Selection]], ...] = ()

    @property
    def _stream(self) -> Stream:
        stream: Stream = self.stream
        return stream

    def on_select(self, callback: Callable[[Selection], object]) -> Callable[[], None]:
        """Call ``callback(selection)`` whenever a function is selected.

        Clicks in the browser reach Python at once, also while a cell runs, where
        the notebook kernel can (ipykernel 7: on a thread of its own), otherwise when the
        cell ends. What the callback raises is a warning, once for each kind of error.

        Returns
        -------
        callable
            Call it to stop.
        """
        called = Callback(f"{type(self).__name__}: on_select", callback)
        self._select_callbacks = (*self._select_callbacks, called)

        def stop() -> None:
            self._select_callbacks = tuple(c for c in self._select_callbacks if c is not called)

        return stop

    def stream_changed(self, name: str) -> None:
        """Handle a change of the stream's trait ``name``."""
        if name == "selection":
            self.selection = self._selected_in_stream()
        elif name == "cursor":
            self.cursor = self._stream.cursor

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the page has changed; what is shared comes with the stream."""
        super().set_state({name: v for name, v in sync_data.items() if name not in SHARED_TRAITS})

    def _should_send_property(self, key: str, value: Any) -> bool:
        return key not in SHARED_TRAITS and bool(super()._should_send_property(key, value))

    def _join(self) -> None:
        self._stream.join(self)
        for name in SHARED_TRAITS:
            self.stream_changed(name)

    def _selected_in_stream(self) -> Selection | None:
        chosen = dict(self._stream.selection)
        try:
            return self._checked(chosen) if chosen else None
        except (KeyError, IndexError):  # of a layer that is gone
            return None

    def _checked(self, value: Any) -> Selection:
        return checked_selection(self._stream.layout_shown, value)

    @traitlets.observe("cursor")
    def _cursor_changed(self, change: Any) -> None:
        self._stream.cursor = change["new"]

    @traitlets.observe("selection")
    def _selection_changed(self, change: Any) -> None:
        chosen: Selection | None = change["new"]
        if chosen != self._selected_in_stream():
            self._stream.select(chosen)
        if chosen is not None:
            for callback in self._select_callbacks:
                callback(chosen.copy())
