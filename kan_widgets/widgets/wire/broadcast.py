"""A viewless widget that carries what a source says to the browser."""

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic, thread_time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anywidget
import traitlets
from ipywidgets.widgets.widget import _remove_buffers

from kan_widgets.live import Frame, Layout, Listener, Selection, Source, State
from kan_widgets.live.frames.activations import Activations, Probe
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.structure import Structure, structure_dict
from kan_widgets.live.worker import Job, ThrottledJob, scheduler
from kan_widgets.widgets.wire.bundles import packed_bundle
from kan_widgets.widgets.wire.lifetime import SelfClosing
from kan_widgets.widgets.wire.messages import (
    activations_dict,
    ensemble_dict,
    frame_dict,
    inputs_within,
    layout_dict,
    observation_dict,
    probe_dict,
    state_of,
    summaries_of,
    training_of,
)
from kan_widgets.widgets.wire.outbox import Outbox, is_costly

if TYPE_CHECKING:
    from kan_widgets.live.model.edits import Edits

# From one sign of the notebook kernel to the next; see SILENT in js/src/wire/standing.ts.
_BEAT_SECONDS = 3.0


class Broadcast(SelfClosing, anywidget.AnyWidget, Listener):
    """Sends what a source says, live frames as custom messages.

    The synced traits hold what a page needs after a reload.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _own = traitlets.Unicode().tag(sync=True)
    """The id of the widget's own model: see js/src/wire/jupyter_kernel.ts."""

    layouts = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    """The layouts that kept frames use, oldest first."""
    initial = traitlets.Dict().tag(sync=True)
    """The first frame: ``{"layout", "step", "data"}``."""
    frame = traitlets.Dict().tag(sync=True)
    """The latest frame when training last went quiet, of the same form."""
    selection = traitlets.Dict().tag(sync=True)
    """The selected function: ``{"layer", "out", "in", "row", "column"}``, or empty."""
    held = traitlets.Dict().tag(sync=True)
    """What views have chosen by themselves: the function that they begin with, of each layer."""
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
    """The largest |φ| by blocks of the layers of which the page has a window: see `Summary`."""
    batch = traitlets.Dict().tag(sync=True)
    """``{"seen", "message"}``: whether a batch could be observed on a click, and why not."""
    left_out = traitlets.List(trait=traitlets.Unicode()).tag(sync=True)
    """The modules of the model that have parameters and no functions to show, and why."""

    ensemble = traitlets.Dict().tag(sync=True)
    """Where the networks of an ensemble have all functions: see `ensemble_dict`; or empty."""
    structure = traitlets.Dict().tag(sync=True)
    """How the network is put together: see `structure_dict`."""
    probe = traitlets.Dict().tag(sync=True)
    """The examples traced: ``{"shape", "inputs", "labels"}``, or empty."""
    activations = traitlets.Dict().tag(sync=True)
    """The activations of these examples when training last went quiet, or empty."""

    @traitlets.default("_esm")
    def _packed(self) -> str:
        return packed_bundle("main.js")

    def __init__(self, source: Source, ensemble: Any = None) -> None:
        self._outbox = Outbox(self._send_waiting)
        # Held while sending, so a message never overtakes earlier frames.
        self._lock = self._outbox.lock
        self._source = weakref.ref(source)
        self._frames = source.history[0], source.frame
        self._standing_job = ThrottledJob(self._tell_training)
        self._beat_job = Job(scheduler, self._beat)
        self._summary_job = ThrottledJob(self._tell_summaries, fps=1)
        own = uuid4().hex
        super().__init__(model_id=own, _own=own, **ensemble_dict(ensemble), **state_of(source))
        source.feed.subscribe(self)
        # Catch up with what happened while the page was told of this stream.
        self._take_over(source)
        self._standing_job.wake()  # a paused run emits no event: send once now

    @property
    def source(self) -> Source | None:
        """The binding behind this stream, while it exists."""
        return self._source()

    def frames(self) -> tuple[Frame, Frame]:
        """Return the first frame and the one to show now; the last there was if all is gone."""
        if (frame := _drawn_frames.get().get(self)) is not None:
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

    @property
    def is_over(self) -> bool:
        return self.comm is None

    def _end(self) -> None:
        if (source := self.source) is not None:
            source.feed.let_go()
        self._standing_job.close()
        self._summary_job.close()
        self._outbox.clear()

    def on_layout(self, layout: Layout) -> None:
        source = self.source
        whole, layout = layout, layout if source is None else source.feed.looking.cut(layout)
        content = layout_dict(layout)
        with self._outbox.emptied():
            self.tell_page({"kind": "layout", "layout": content})
            if source is not None and not source.feed.structure.traced:
                self.structure = structure_dict(source.feed.structure_of(whole))
            first = [kept for kept in self.layouts if kept["version"] == self.initial["layout"]]
            self.layouts = [*first, content]

    def on_frame(self, frame: Frame, settled: bool) -> None:
        self._standing_job.wake()
        self._frames = self._frames[0], frame
        if (source := self.source) is not None and frame is not (
            frame := source.feed.looking.windowed(frame)
        ):
            self._summary_job.wake()
        if not settled:
            self._bring(frame)
            return
        with self._outbox.emptied():
            self._outbox.late = None
            self._send_now(frame)
            self.frame = frame_dict(frame)
            latest = None if source is None else source.feed.activations.latest
            if latest is not None and self.activations.get("step") != latest.step:
                self.activations = activations_dict(latest)

    def on_glimpse(self, frame: Frame) -> None:
        """Send a frame of the windows that are looked at, if they still are."""
        source = self.source
        if source is not None and source.feed.looking.cut(source.feed.layout) is frame.layout:
            self._bring(frame)

    def _bring(self, message: Frame | Activations | Structure | dict[str, str]) -> None:
        """Send a frame, activations, structure or status; where that costs, on another thread."""
        if not is_costly(self.comm):
            with self._outbox.emptied():
                self._send_now(message)
        elif isinstance(message, Frame):
            self._outbox.put_frame(message)
        else:
            self._outbox.put(message)

    def _send_waiting(self, message: Frame | Activations | Structure | dict[str, str]) -> None:
        began, source = thread_time(), self.source
        self._send_now(message)
        if source is not None:
            source.feed.owe(thread_time() - began)

    def _send_now(self, message: Frame | Activations | Structure | dict[str, str]) -> None:
        if isinstance(message, Activations):
            self.tell_page(activations_dict(message))
        elif isinstance(message, Structure):
            self.structure = structure_dict(message)
        elif not isinstance(message, Frame):
            self.status = message
        else:
            content = {"kind": "frame", **frame_dict(message)}
            if is_costly(self.comm):
                number = self._outbox.backpressure.sent(monotonic())
                if self._outbox.backpressure.asks(number, message.data.nbytes):
                    content["number"] = number
            self.tell_page(content)

    def tell_page(self, content: dict[str, Any]) -> None:
        """Send the page a message, which may have bytes anywhere."""
        plain, paths, buffers = _remove_buffers(content)
        self.send(plain | {"bytes": paths} if paths else plain, buffers)

    def on_state(self, state: State, message: str) -> None:
        self._standing_job.wake()
        status = {"state": state, "message": message}
        if state == "live":
            self._bring(status)
            return
        with self._outbox.emptied():
            self.status = status

    def on_training(self) -> None:
        """Check how the training stands, on another thread: this may be called at every step."""
        self._standing_job.wake()

    def _tell_training(self) -> None:
        if (source := self.source) is None:
            return
        training = training_of(source)
        with self._lock:
            if training != self.training:
                self.training = training
        if training["beats"] and not self.is_over:
            now = monotonic()
            if self._beat_job.earliest <= now:
                self._beat_job.earliest = now + _BEAT_SECONDS
            self._beat_job.wake()

    def _beat(self) -> None:
        """Send a sign of the notebook kernel: a step may take long, and frames be far apart."""
        self._tell_training()
        if self.training["beats"] and not self.is_over:
            with self._lock:
                self.tell_page({"kind": "beat"})

    def on_selection(self, selection: Selection | None) -> None:
        with self._lock:
            self.selection = dict(selection or {})

    def on_observed(self, observed: dict[str, Observation]) -> None:
        source = self.source
        layout = None if source is None else source.feed.looking.cut(source.feed.layout)
        for observation in observed.values():
            seen = observation if layout is None else inputs_within(observation, layout)
            if seen is None:
                continue
            with self._lock:
                self.tell_page(observation_dict(seen))

    def on_structure(self, structure: Structure) -> None:
        self._bring(structure)

    def on_probe(self, probe: Probe | None) -> None:
        """Send other examples; the activations of the ones before are dropped."""
        with self._outbox.emptied():
            self.probe, self.activations = probe_dict(probe), {}

    def on_activations(self, activations: Activations) -> None:
        """Send what the examples made of the network, as a frame is sent."""
        source = self.source
        if source is None or source.state == "live":
            self._bring(activations)
            return
        with self._outbox.emptied():
            self._send_now(activations)
            self.activations = activations_dict(activations)

    def on_batch(self, seen: bool, message: str) -> None:
        with self._lock:
            self.batch = {"seen": seen, "message": message}

    def on_edit(self, edits: "Edits") -> None:
        self._tell_edits(edits, edits.message)

    def _tell_edits(self, edits: "Edits", message: str, note: str = "") -> None:
        counts = {"undo": len(edits.done), "redo": len(edits.undone)}
        counts |= {"step": edits.done[-1].step} if edits.done else {}
        with self._lock:
            self.edits = {**counts, "message": message, **({"said": note} if note else {})}

    def _take_over(self, source: Source) -> None:
        with self._lock, self.hold_sync():
            self._frames = source.history[0], source.frame
            for name, value in state_of(source).items():
                setattr(self, name, value)

    def _tell_summaries(self) -> None:
        source, frame = self.source, self._frames[1]
        cut = None if source is None else source.feed.looking.cut(frame.layout)
        summaries = [] if cut is None else summaries_of(cut, frame)
        if summaries or self.summaries:
            with self._lock:
                self.summaries = summaries


_drawn_frames: ContextVar[Mapping[Broadcast, Frame]]
_drawn_frames = ContextVar("_drawn_frames", default=MappingProxyType({}))


@contextmanager
def drawn_at(stream: Broadcast, frame: Frame) -> Iterator[None]:
    """Draw the stills of a stream from a given frame, within this context and thread alone."""
    stream.frames()
    token = _drawn_frames.set({**_drawn_frames.get(), stream: frame})
    try:
        yield
    finally:
        _drawn_frames.reset(token)
