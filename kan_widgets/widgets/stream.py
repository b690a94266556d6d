"""The viewless widget that carries a binding's frames to the browser, once for all views."""

from __future__ import annotations

import math
import weakref
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic, thread_time
from types import MappingProxyType
from typing import Any, Protocol
from uuid import uuid4

import anywidget
import traitlets

from kan_widgets.live import Frame, Layout, Listener, Selection, Source, State, is_binding
from kan_widgets.live.cells import answer_during_cells
from kan_widgets.live.frames.activations import Activations, Probe
from kan_widgets.live.frames.edit import EditLog
from kan_widgets.live.frames.history import fitting
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.structure import Structure, structure_dict
from kan_widgets.live.painter import Painter
from kan_widgets.live.reports import report
from kan_widgets.live.worker import Job, scheduler
from kan_widgets.widgets.engine import packed
from kan_widgets.widgets.forms import become_formed
from kan_widgets.widgets.lifetime import Mortal
from kan_widgets.widgets.sending import Crowd, Gate, Outbox, is_costly
from kan_widgets.widgets.wire import (
    activations_dict,
    activations_message,
    frame_dict,
    frames_of,
    layout_dict,
    layout_message,
    memory_of,
    observation_message,
    probe_dict,
    seen_inputs,
    state_of,
    summaries_of,
    training_of,
)

_HISTORY_BYTES = 32_000_000
_BEAT_SECONDS = 3.0
"""From one sign of the kernel to the next; see SILENT in js/src/wire/standing.ts."""

# What an inspector may ask for, besides numbers: of the last edit, and of one function.
_OF_THE_LAST = ("undo", "redo")
_OF_ONE = ("zero", "reset", "straighten")


class Viewer(Protocol):
    """A view of a stream."""

    comm: Any

    def stream_changed(self, name: str) -> None:
        """Handle a change of the stream's trait ``name``; must not ask for frames."""

    def looked_at(self) -> Collection[str]:
        """Return the layers whose functions it shows."""


class Stream(Mortal, anywidget.AnyWidget, Listener):
    """Frames, layouts, selection and time of one source; views hold it by reference.

    Live frames go out as custom messages; the synced traits hold what a page
    needs after a reload. Made by `stream_of`.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _own = traitlets.Unicode().tag(sync=True)
    """Its own model's id: see js/src/wire/kernel.ts."""

    layouts = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    """The layouts that kept frames use, oldest first."""
    initial = traitlets.Dict().tag(sync=True)
    """The first frame: ``{"layout", "step", "data"}``."""
    frame = traitlets.Dict().tag(sync=True)
    """The latest frame when training last went quiet, of the same form."""
    selection = traitlets.Dict().tag(sync=True)
    """The selected function: ``{"layer", "out", "in", "row", "column"}``, or empty."""
    cursor = traitlets.Int(-1).tag(sync=True)
    """The step that views show; −1 is the newest."""
    ghost_step = traitlets.Int(-1).tag(sync=True)
    """The step drawn behind the one shown; −1 is the first."""
    edits = traitlets.Dict().tag(sync=True)
    """``{"undo", "redo", "message"}``: how many steps back and forth, and what was refused;
    ``"said"`` where there is something to say of the last edit."""
    status = traitlets.Dict().tag(sync=True)
    """``{"state", "message"}`` of the source. Observers must not ask the source for frames: they
    may be called by the thread that sends, while the one that trains waits for it."""
    training = traitlets.Dict().tag(sync=True)
    """How the run stands: ``{"state", "words", "mend", "beats"}``, see `Standing` and
    `training_of`. All that views say of it comes from here."""

    summaries = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    """Of the layers of which the page has a window: how far they reach and moved, see
    `summary_dict`."""
    batch = traitlets.Dict().tag(sync=True)
    """``{"seen", "message"}``: whether a batch could be observed on a click, and why not."""
    left_out = traitlets.List(trait=traitlets.Unicode()).tag(sync=True)
    """The modules of the model that have parameters and no functions to show, and why."""

    structure = traitlets.Dict().tag(sync=True)
    """How the network is put together: see `structure_dict`."""
    probe = traitlets.Dict().tag(sync=True)
    """The examples followed: ``{"shape", "inputs", "labels"}``, or empty."""
    activations = traitlets.Dict().tag(sync=True)
    """What they made of the network when training last went quiet, or empty."""

    @traitlets.default("_esm")
    def _packed(self) -> str:
        return packed("main.js")

    def __init__(self, source: Source) -> None:
        self._outbox = Outbox(self._send_waiting)
        # Who sends holds it, so that a message comes after the frames that were there before.
        self._lock = self._outbox.lock
        self._source = weakref.ref(source)
        self._frames = source.history[0], source.frame
        self._views: tuple[weakref.ref[Viewer], ...] = ()
        self._painter = Painter(self._tell_training)
        self._pulse = Job(scheduler, self._beat)
        self._summing = Painter(self._tell_summaries, fps=1)
        self._gate = Gate()
        self._crowd = Crowd()
        self._late: Frame | None = None
        self._catching_up = Job(scheduler, self._send_late)
        own = uuid4().hex
        super().__init__(model_id=own, _own=own, **state_of(source))
        answer_during_cells(self)
        self.on_msg(self._answer)
        source.feed.subscribe(self)
        # Whatever happened while the page was told of this stream.
        self._take_over(source)

    @property
    def source(self) -> Source | None:
        """The binding behind this stream, while it exists."""
        return self._source()

    def frames(self) -> tuple[Frame, Frame]:
        """Return the first frame and the one to show now; the last there was if all is gone."""
        if (frame := _pictured.get().get(self)) is not None:
            return self._frames[0], frame
        if (source := self.source) is not None:
            self._frames = source.history[0], source.feed.current()
        return self._frames

    @property
    def step_taken(self) -> int:
        """The step of the latest frame; asking takes none."""
        return self._frames[1].step

    @property
    def layout_shown(self) -> Layout:
        """The layout of the latest frame; the last there was if all is gone."""
        source = self.source
        return self._frames[1].layout if source is None else source.feed.layout

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        # It has no view: showing it shows what it is.
        return {"text/plain": f"<Stream of {self.source!r}>"}, {}

    @property
    def title(self) -> str:
        """Its name in reports: that of its views."""
        names = dict.fromkeys(type(view).__name__ for view in self._open_views())
        return f"the stream of {', '.join(names) or 'no view'}"

    @property
    def is_over(self) -> bool:
        """Whether it is closed."""
        return self.comm is None

    def _end(self) -> None:
        if (source := self.source) is not None:
            source.feed.let_go()
        self._painter.close()
        self._summing.close()
        self._outbox.clear()

    # -- its views ------------------------------------------------------------------

    def join(self, view: Viewer) -> None:
        """Tell a view of changes from now on, until it is closed or gone."""
        self._views = (*map(weakref.ref, self._open_views()), weakref.ref(view))
        self.look()

    def _open_views(self) -> list[Viewer]:
        views = [ref() for ref in self._views]
        return [view for view in views if view is not None and view.comm is not None]

    def select(self, selection: Selection | None) -> None:
        """Take a selection made in a view, from Python."""
        if (source := self.source) is not None:
            source.feed.select(selection)
        else:
            self.selection = dict(selection or {})

    # -- what is looked at ----------------------------------------------------------

    def look(self) -> None:
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
            changed |= source.feed.looking.at(chosen["layer"], chosen["out"], chosen["in"])
        if changed:
            self._look_elsewhere(source)

    def _look_elsewhere(self, source: Source) -> None:
        """Have the page forget the windows it has, for others."""
        frames = source.history[0], source.frame
        if not any(source.feed.looking.cut(frame.layout).is_cut for frame in frames):
            return
        with self._outbox.emptied():
            self._late = None
            with self.hold_sync():
                for name, value in frames_of(source).items():
                    setattr(self, name, value)
            oldest = min(layout["version"] for layout in self.layouts)
            self.send({"kind": "reset", "version": oldest, "moved": True})
        self.on_observed(source.feed.observed)
        self._summing.wake()

    def _tell_summaries(self) -> None:
        source, (first, frame) = self.source, self._frames
        cut = None if source is None else source.feed.looking.cut(frame.layout)
        found = [] if cut is None else summaries_of(cut, frame, first)
        if found or self.summaries:
            with self._lock:
                self.summaries = found

    @traitlets.observe("selection", "cursor", "status")
    def _changed(self, change: Any) -> None:
        """Tell the source and the views; an error in one does not keep it from the others."""
        name = change["name"]
        if name == "selection" and (source := self.source) is not None:
            try:
                source.feed.select(change["new"] or None)
            except (LookupError, TypeError):  # of a page that shows what is gone
                self.selection = dict(source.feed.selection or {})
            self.look()
        for view in self._open_views():
            try:
                view.stream_changed(name)
            except Exception as error:
                fault = f"{type(view).__name__} {name}", type(error)
                if fault not in self._reported:
                    self._reported |= {fault}
                    report(f"{type(view).__name__} could not take a new {name}: {error!r}")

    # -- what the source says -------------------------------------------------------

    def on_layout(self, layout: Layout) -> None:
        """Send the tables that the frames to come are read with."""
        source = self.source
        whole, layout = layout, layout if source is None else source.feed.looking.cut(layout)
        numbers, buffers = layout_message(layout)
        with self._outbox.emptied():
            self.send({"kind": "layout", "layout": numbers}, buffers)
            if source is not None and not source.feed.structure.traced:
                self.structure = structure_dict(source.feed.structure_of(whole))
            first = [known for known in self.layouts if known["version"] == self.initial["layout"]]
            self.layouts = [*first, layout_dict(layout)]

    def on_frame(self, frame: Frame, settled: bool) -> None:
        """Send a frame; keep it for reload too when training is quiet.

        While it trains, another thread sends it where that costs something: in a kernel.
        """
        self._painter.wake()
        self._frames = self._frames[0], frame
        if (source := self.source) is not None and frame is not (
            frame := source.feed.looking.seen(frame)
        ):
            self._summing.wake()
        if not settled and is_costly(self.comm):
            self._put(frame)
            return
        with self._outbox.emptied():
            self._late = None
            self._send_frame(frame)
            if settled:
                self.frame = frame_dict(frame)
                latest = None if self.source is None else self.source.feed.activations.latest
                if latest is not None and self.activations.get("step") != latest.step:
                    self.activations = activations_dict(latest)

    def on_glimpse(self, frame: Frame) -> None:
        """Send a frame of what is looked at, if that is still so."""
        source = self.source
        if source is None or source.feed.looking.cut(source.feed.layout) is not frame.layout:
            return
        if is_costly(self.comm):
            self._put(frame)
            return
        with self._outbox.emptied():
            self._send_frame(frame)

    def _put(self, frame: Frame) -> None:
        """Have a frame sent soon; where the page is behind, once it is not, and only the latest.

        Where the thread that trains, which calls this, waits for a processor, frames are rare.
        """
        self._late = None
        now = monotonic()
        self._crowd.look(now)
        due = self._gate.last + self._crowd.gap
        if not self._gate.is_open(now, frame.data.nbytes):
            self._late = frame
        elif now < due:
            self._late = frame
            self._catching_up.earliest = due
            self._catching_up.wake()
        else:
            self._outbox.put(frame)

    def _send_late(self) -> None:
        """Send the latest frame, if it still waits and the page can take it."""
        late, self._late = self._late, None
        if late is None:
            return
        if self._gate.is_open(monotonic(), late.data.nbytes):
            self._outbox.put(late)
        elif self._late is None:
            self._late = late

    def _came(self, number: int, drawings: int) -> None:
        """Note that the page has drawn a frame; the latest may have waited for that."""
        source = self.source
        is_live = source is not None and source.state == "live"
        self._gate.came(number, drawings, monotonic(), in_time=is_live)
        if self._gate.last + self._crowd.gap <= monotonic():
            self._send_late()

    def _send_waiting(self, message: Frame | Activations | dict[str, str]) -> None:
        """Send a frame, activations, or the status, that waited in the outbox."""
        began, source = thread_time(), self.source
        if isinstance(message, Frame):
            self._send_frame(message)
        elif isinstance(message, Activations):
            self.send(*activations_message(message))
        else:
            self.status = message
        if source is not None:
            source.feed.owe(thread_time() - began)

    def _send_frame(self, frame: Frame) -> None:
        content = {"kind": "frame", "layout": frame.layout.version, "step": frame.step}
        if is_costly(self.comm):
            number = self._gate.sent(monotonic())
            if self._gate.asks(number, frame.data.nbytes):
                content["number"] = number
        self.send(content, [memory_of(frame.data)])

    def on_state(self, state: State, message: str) -> None:
        """Tell the views what the training does; in a kernel another thread sends "live"."""
        self._painter.wake()
        status = {"state": state, "message": message}
        if state == "live" and is_costly(self.comm):
            self._outbox.put(status)
            return
        with self._outbox.emptied():
            self.status = status

    def on_training(self) -> None:
        """Look how the training stands; on another thread, as this may be told at every step."""
        self._painter.wake()

    def _tell_training(self) -> None:
        if (source := self.source) is None:
            return
        training = training_of(source)
        with self._lock:
            if training != self.training:
                self.training = training
        if training["beats"] and not self.is_over:
            now = monotonic()
            if self._pulse.earliest <= now:
                self._pulse.earliest = now + _BEAT_SECONDS
            self._pulse.wake()

    def _beat(self) -> None:
        """Give the page a sign of the kernel: a step may take long, and frames be far apart."""
        self._tell_training()
        if self.training["beats"] and not self.is_over:
            with self._lock:
                self.send({"kind": "beat"})

    def on_selection(self, selection: Selection | None) -> None:
        """Show a selection made from Python."""
        with self._lock:
            self.selection = dict(selection or {})

    def on_observed(self, observed: dict[str, Observation]) -> None:
        """Send what reaches the layers."""
        source = self.source
        layout = None if source is None else source.feed.looking.cut(source.feed.layout)
        for observation in observed.values():
            seen = observation if layout is None else seen_inputs(observation, layout)
            if seen is None:
                continue
            content, buffers = observation_message(seen)
            with self._lock:
                self.send(content, buffers)

    def on_structure(self, structure: Structure) -> None:
        """Send how the network is put together."""
        with self._outbox.emptied():
            self.structure = structure_dict(structure)

    def on_probe(self, probe: Probe | None) -> None:
        """Send other examples; what the ones before made of the network is past."""
        with self._outbox.emptied():
            self.probe, self.activations = probe_dict(probe), {}

    def on_activations(self, activations: Activations) -> None:
        """Send what the examples made of the network, as a frame is sent."""
        source = self.source
        if source is not None and source.state == "live" and is_costly(self.comm):
            self._outbox.put(activations)
            return
        with self._outbox.emptied():
            self.send(*activations_message(activations))
            if source is not None and source.state != "live":
                self.activations = activations_dict(activations)

    def on_batch(self, seen: bool, message: str) -> None:
        """Tell the views whether a batch could be observed."""
        with self._lock:
            self.batch = {"seen": seen, "message": message}

    def on_edit(self, edits: EditLog) -> None:
        """Tell the views what can be undone."""
        self._tell_edits(edits, edits.message)

    def _tell_edits(self, edits: EditLog, message: str, said: str = "") -> None:
        counts = {"undo": len(edits.done), "redo": len(edits.undone)}
        with self._lock:
            self.edits = {**counts, "message": message, **({"said": said} if said else {})}

    def on_replaced(self, source: Source) -> None:
        """Show the binding that has replaced the one behind this stream."""
        with self._lock:
            self._source = weakref.ref(source)
            _streams[source] = self
            try:
                source.feed.select(source.feed.selection)
            except LookupError:  # of a function that is gone
                source.select(None)
            self.cursor = self.ghost_step = -1
            self.look()
            self._take_over(source)
            self._late = None
            # The page forgets the old frames, and those still on their way.
            self._outbox.clear()
            oldest = min(layout["version"] for layout in self.layouts)
            self.send({"kind": "reset", "version": oldest})

    def _take_over(self, source: Source) -> None:
        with self._lock, self.hold_sync():
            self._frames = source.history[0], source.frame
            for name, value in state_of(source).items():
                setattr(self, name, value)

    # -- what the browser asks ------------------------------------------------------

    def _answer(self, _: Any, content: dict[str, Any], __: Any) -> None:
        source = self.source
        if source is None:
            return
        kind = content.get("kind")
        if kind == "shown":
            self._came(int(content["number"]), int(content["drawings"]))
        elif kind == "look":
            place = (int(content[part]) for part in ("out", "in"))
            if source.feed.looking.at(str(content["layer"]), *place):
                self._look_elsewhere(source)
        elif kind == "history?":
            self._send_history(source, content)
        elif kind == "activations?":
            self._send_activations(source, content)
        elif kind == "observed?":
            self.on_observed(source.feed.observed)
        elif kind in ("observe", "follow"):
            if is_binding(source):
                source.feed.model.want_batch(follow=kind == "follow")
        elif kind in ("edit", "form") or kind in _OF_THE_LAST or kind in _OF_ONE:
            self._edit(source, kind, content)

    def _send_history(self, source: Source, content: dict[str, Any]) -> None:
        before = content.get("before")
        end = math.inf if before is None else int(before)
        now = source.feed.looking.cut(source.feed.layout)
        seen = {f.step: source.feed.looking.seen(f) for f in source.history if f.step < end}
        for frame in source.feed.glimpses or ():
            if frame.layout is now and frame.step < end:
                seen.setdefault(frame.step, frame)
        frames = [seen[step] for step in sorted(seen)]
        if not frames:
            return
        limit = min(int(content.get("max_bytes", _HISTORY_BYTES)), _HISTORY_BYTES)
        kept, _ = fitting(
            [frame.step for frame in frames],
            lambda places: sum(frames[place].nbytes for place in places) <= limit,
        )
        frames = [frames[place] for place in kept]
        with self._outbox.emptied():
            known = {layout["version"] for layout in self.layouts}
            for layout in {frame.layout.version: frame.layout for frame in frames}.values():
                if layout.version not in known:
                    numbers, buffers = layout_message(layout)
                    self.send({"kind": "layout", "layout": numbers}, buffers)
            self.send(
                {
                    "kind": "history",
                    "frames": [{"layout": f.layout.version, "step": f.step} for f in frames],
                },
                [memory_of(frame.data) for frame in frames],
            )

    def _send_activations(self, source: Source, content: dict[str, Any]) -> None:
        before = content.get("before")
        for activations in source.feed.activations:
            if before is None or activations.step < int(before):
                message, buffers = activations_message(activations)
                with self._outbox.emptied():
                    self.send({**message, "past": True}, buffers)

    def _edit(self, source: Source, kind: str, content: dict[str, Any]) -> None:
        """Do what an inspector asks; a refusal is sent back in words."""
        if not is_binding(source):
            return
        edits = source.edits
        try:
            if kind in _OF_THE_LAST:
                getattr(edits, kind)()
                return
            index = [int(content[part]) for part in ("out", "in", "row", "column")]
            if kind == "form":
                said = become_formed(source, content["layer"], index)
                self._tell_edits(edits, edits.message, said)
            elif kind in _OF_ONE:
                getattr(edits, kind)(content["layer"], index)
            else:
                final = bool(content.get("final", True))
                edits.set(content["layer"], index, content["coefficients"], final=final)
        except Exception as error:
            self._tell_edits(edits, str(error))


_pictured: ContextVar[Mapping[Stream, Frame]]
_pictured = ContextVar("_pictured", default=MappingProxyType({}))


@contextmanager
def pictured(stream: Stream, frame: Frame) -> Iterator[None]:
    """Draw the stills of a stream from a given frame, within this context and thread alone."""
    stream.frames()
    token = _pictured.set({**_pictured.get(), stream: frame})
    try:
        yield
    finally:
        _pictured.reset(token)


_streams: weakref.WeakKeyDictionary[Source, Stream] = weakref.WeakKeyDictionary()


def stream_of(source: Source) -> Stream:
    """Return the one stream of a source, made when first asked for."""
    stream = _streams.get(source)
    if stream is None or stream.comm is None:
        stream = _streams[source] = Stream(source)
    return stream
