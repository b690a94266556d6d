"""The one stream of a source: its views, what they look at, and what they ask for."""

import math
import weakref
from typing import TYPE_CHECKING, Any, cast, get_args

import traitlets

from kan_widgets.live import Selection, Source, is_binding
from kan_widgets.live.frames.feed import Steering
from kan_widgets.live.reports import report
from kan_widgets.widgets.wire.broadcast import Broadcast
from kan_widgets.widgets.wire.lifetime import weakly
from kan_widgets.widgets.wire.messages import activations_dict, frames_of, history_messages

if TYPE_CHECKING:
    from kan_widgets.live import Binding
    from kan_widgets.live.frames.feed import Command

_HISTORY_BYTES = 32_000_000
_UNDO_EDITS = ("undo", "redo")
_FUNCTION_EDITS = ("zero", "reset", "straighten")
_EDITS = ("edit", "form", *_UNDO_EDITS, *_FUNCTION_EDITS)


class Stream(Broadcast):
    """Frames, layouts, selection and time of one source; views hold it by reference.

    Made by `stream_of`.
    """

    _views: tuple[weakref.ref[Any], ...] = ()

    def __init__(self, source: Source, ensemble: Any = None) -> None:
        super().__init__(source, ensemble)
        self.on_msg(weakly(self._answer))

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        # A stream has no view of its own, so it is displayed as text.
        return {"text/plain": f"<Stream of {self.source!r}>"}, {}

    @property
    def title(self) -> str:
        names = dict.fromkeys(type(view).__name__ for view in self._open_views())
        return f"the stream of {', '.join(names) or 'no view'}"

    def join(self, view: Any) -> None:
        """Tell a view of changes from now on, until it is closed or gone."""
        self._views = (*map(weakref.ref, self._open_views()), weakref.ref(view))
        self.update_looking()

    def _open_views(self) -> list[Any]:
        views = [ref() for ref in self._views]
        return [view for view in views if view is not None and view.comm is not None]

    def select(self, selection: Selection | None) -> None:
        """Take a selection made in a view, from Python."""
        if (source := self.source) is not None:
            source.feed.select(selection)
        else:
            self.selection = dict(selection or {})

    def update_looking(self) -> None:
        """Look at the layers that the views show, and at the selected function.

        A page that has all of a frame anyway is told nothing.
        """
        if (source := self.source) is None:
            return
        shown = {name for view in self._open_views() for name in view.looked_at()}
        chosen = source.feed.selection
        if chosen is not None:
            shown.add(chosen["layer"])
        changed = source.feed.looking.show(shown)
        if chosen is not None:
            changed |= source.feed.looking.look_at(chosen["layer"], chosen["out"], chosen["in"])
        if changed:
            self._look_elsewhere(source)

    def _look_elsewhere(self, source: Source) -> None:
        """Have the page forget its windows, and send it others."""
        frames = source.history[0], source.frame
        if not any(source.feed.looking.cut(frame.layout).is_cut for frame in frames):
            return
        with self._outbox.emptied():
            self._outbox.late = None
            with self.hold_sync():
                for name, value in frames_of(source).items():
                    setattr(self, name, value)
            oldest = min(layout["version"] for layout in self.layouts)
            self.tell_page({"kind": "reset", "version": oldest, "moved": True})
        self.on_observed(source.feed.observed)
        self._summary_job.wake()

    @traitlets.observe("selection", "cursor", "status")
    def _changed(self, change: Any) -> None:
        """Tell the source and the views; an error in one does not keep it from the others."""
        name = change["name"]
        if name == "selection" and (source := self.source) is not None:
            try:
                source.feed.select(change["new"] or None)
            except (LookupError, TypeError):  # of a page that shows what is gone
                self.selection = dict(source.feed.selection or {})
            self.update_looking()
        for view in self._open_views():
            try:
                view.stream_changed(name)
            except Exception as error:
                if self.is_new_fault(f"{type(view).__name__} {name}", error):
                    report(f"{type(view).__name__} could not take a new {name}: {error!r}")

    def on_replaced(self, source: Source) -> None:
        with self._lock:
            self._source = weakref.ref(source)
            if not self.ensemble:
                _streams[source] = self
            try:
                source.feed.select(source.feed.selection)
            except LookupError:  # of a function that is gone
                source.select(None)
            self.cursor = self.ghost_step = -1
            self.held = {}
            self.update_looking()
            self._take_over(source)
            self._outbox.late = None
            # The page forgets the old frames, and those still on their way.
            self._outbox.clear()
            oldest = min(layout["version"] for layout in self.layouts)
            self.tell_page({"kind": "reset", "version": oldest})

    def _answer(self, _: Any, content: dict[str, Any], __: Any) -> None:
        source = self.source
        kind = content.get("kind")
        if kind in get_args(Steering):
            self._steer(source, content)
        elif source is None:
            return
        elif kind == "shown":
            self._outbox.came(int(content["number"]), in_time=source.state == "live")
        elif kind == "look":
            place = (int(content[part]) for part in ("out", "in"))
            if source.feed.looking.look_at(str(content["layer"]), *place):
                self._look_elsewhere(source)
        elif kind == "history?":
            versions = {layout["version"] for layout in self.layouts}
            messages = list(history_messages(source, _before(content), _HISTORY_BYTES, versions))
            with self._outbox.emptied():
                for message in messages:
                    self.tell_page(message)
        elif kind == "activations?":
            for activations in source.feed.activations:
                if activations.step < _before(content):
                    with self._outbox.emptied():
                        self.tell_page({**activations_dict(activations), "past": True})
        elif kind == "observed?":
            self.on_observed(source.feed.observed)
        elif not is_binding(source):
            return
        elif kind == "observe":
            source.feed.bound.request_batch()
        elif kind in _EDITS:
            self._edit(source, kind, content)

    def _steer(self, source: Source | None, content: dict[str, Any]) -> None:
        """Do what was clicked, on a thread of its own while a cell runs, where possible.

        The page is told that it was heard; a refusal goes back in words.
        """
        refused = ""
        if is_binding(source):
            source.control.heard()
        try:
            if source is None:
                raise RuntimeError("the model of this view is gone")
            source.feed.steer(cast("Command", content))
        except (LookupError, OSError, TypeError, ValueError, RuntimeError) as error:
            refused = str(error)
        self._standing_job.now()  # how it stands comes first: the next click goes by it
        self.tell_page({"kind": "heard", "id": content.get("id"), "refused": refused})

    def _edit(self, source: "Binding", kind: str, content: dict[str, Any]) -> None:
        """Do what an inspector asks; a refusal is sent back in words."""
        try:
            if note := edit(source, kind, content):
                self._tell_edits(source.edits, source.edits.message, note)
        except Exception as error:
            self._tell_edits(source.edits, str(error))


def edit(binding: "Binding", kind: str, content: dict[str, Any]) -> str:
    """Do what an inspector asks, and return a note on the edit, empty if there is none.

    A wrong request raises, in words, and changes nothing.
    """
    edits = binding.edits
    if kind in _UNDO_EDITS:
        getattr(edits, kind)()
        return ""
    layer, index = content["layer"], [int(content[part]) for part in ("out", "in", "row", "column")]
    if kind == "form":
        from kan_widgets.insight.formulas.projection import replace_by_form

        return replace_by_form(binding, layer, index)
    if kind in _FUNCTION_EDITS:
        getattr(edits, kind)(layer, index)
    else:
        final = bool(content.get("final", True))
        edits.set(layer, index, content["coefficients"], final=final)
    return ""


def _before(content: dict[str, Any]) -> float:
    """Return the step before which something is asked for."""
    before = content.get("before")
    return math.inf if before is None else int(before)


_streams: weakref.WeakKeyDictionary[Any, Stream] = weakref.WeakKeyDictionary()


def stream_of(source: Source, ensemble: Any = None) -> Stream:
    """Return the one stream of a source, or of an ensemble of which it is the network shown."""
    stream = _streams.get(ensemble or source)
    if stream is None or stream.comm is None:
        stream = _streams[ensemble or source] = Stream(source, ensemble)
    return stream
