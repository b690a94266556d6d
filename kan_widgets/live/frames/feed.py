"""What one source shows, and who hears of it: a binding and a recording have one each."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any, Literal, TypedDict

from kan_widgets.live.frames.activations import ActivationHistory, Activations, Probe
from kan_widgets.live.frames.frame import Frame, History, place_in_layer
from kan_widgets.live.frames.large_layers import Looking
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.progress import Progress, Standing, State, word
from kan_widgets.live.frames.structure import Structure, untraced
from kan_widgets.live.reports import ReportsOnce, report

# Not as a class: "in" is a keyword of Python.
Selection = TypedDict("Selection", {"layer": str, "out": int, "in": int, "row": int, "column": int})
"""One function: its layer, and its place in it."""


Steering = Literal["pause", "resume", "step", "stop", "every", "rate", "cure", "uncure"]

_News = Literal["layout", "frame", "glimpse", "observed", "structure", "probe", "activations"]
Event = _News | Literal["state", "selection", "batch", "edit", "training", "closed", "replaced"]
"""An event of which listeners are told: it has a method ``on_<event>`` of theirs."""


class Command(TypedDict, total=False):
    """A request to a run, as a page sends it and a follower writes it."""

    kind: Steering
    steps: int
    """Steps that ``step`` lets through."""
    value: float
    """Steps between frames (``every``), or the learning rate (``rate``)."""
    group: int | None
    """Parameter group whose ``rate`` is set; all by default."""
    alarm: str
    """``id`` of the alarm that ``cure`` is to mend."""


class Listener(ReportsOnce):
    """Receives a source's frames, as a stream of views does. Override the events of interest.

    What a method raises is reported, each kind of error once; the next event is told as usual.
    """

    @property
    def title(self) -> str:
        """The name of this listener in reports."""
        return type(self).__name__

    @property
    def is_over(self) -> bool:
        """True once its owner is gone; the source drops it eventually."""
        return False

    @property
    def shows_frames(self) -> bool:
        """Whether frames are taken for it; False where it only waits to be told of the end."""
        return True

    def on_layout(self, layout: Layout) -> None:
        """Take the layout of the frames to come."""

    def on_frame(self, frame: Frame, settled: bool) -> None:
        """Take a frame; ``settled`` if all is quiet and it is the latest there is."""

    def on_glimpse(self, frame: Frame) -> None:
        """Take a frame of what is looked at, of a model too large to take whole ones as often."""

    def on_state(self, state: State, message: str) -> None:
        """Take a change of the source's state."""

    def on_selection(self, selection: Selection | None) -> None:
        """Take another selected function."""

    def on_observed(self, observed: dict[str, Observation]) -> None:
        """Take the inputs of the layers for a new batch."""

    def on_structure(self, structure: Structure) -> None:
        """Take how the network is put together, where that has become known or has changed."""

    def on_probe(self, probe: Probe | None) -> None:
        """Take other examples that are traced through the network from now on, or none."""

    def on_activations(self, activations: Activations) -> None:
        """Take the outputs of all stations for the examples at a step."""

    def on_batch(self, seen: bool, message: str) -> None:
        """Take note of whether a batch could be observed, or why it could not be."""

    def on_edit(self, edits: Any) -> None:
        """Take note that something was edited, undone or done again."""

    def on_training(self) -> None:
        """Take note that curves, progress or control have changed; called at every log."""

    def on_closed(self) -> None:
        """Take note that the binding is closed; it may take its time, no lock is held."""

    def on_replaced(self, source: Any) -> None:
        """Go on with the source that takes this one's place."""


class Feed:
    """What one source shows, and who hears of it: frames, selection, inputs, the network.

    Views subscribe to it. Those of a model (`kan_widgets.live.watching.model_feed`) and of a
    recording (`kan_widgets.live.recordings.recorded_feed`) say more than this one. The history has
    at least one frame as soon as anybody asks.
    """

    def __init__(self, history: History, looking: Looking | None = None) -> None:
        self.history = history
        """The frames kept so far: the first, the latest, and evenly spread ones between."""
        self.looking = looking or Looking()
        """What views look at; its ``budget`` is what a frame for a page may weigh."""
        self.glimpses: History | None = None
        """Frames of what was looked at, where whole ones are taken seldom."""
        self.model_class = ""
        """The name of the model's class, where it is known; it stays when the model is gone."""
        self.message = ""
        """Error of the state ``fault``, in words."""
        self.selection: Selection | None = None
        """The function selected in all views."""
        self.observed: dict[str, Observation] = {}
        """The inputs of each layer for the batch observed last, by layer name."""
        self.observes_again = False
        """Whether that batch is observed again and again, as no reader has chosen it."""
        self.traced_structure: Structure | None = None
        """How the network is put together, where that was traced."""
        self.probed: Probe | None = None
        """The examples that are traced through the network, if there are any."""
        self.activations = ActivationHistory()
        """Activations of the examples, at some of the steps of frames."""
        self.notices: dict[str, Any] = {"alarms": [], "cured": None}
        """Alarms and what was done about them, as JSON for the panel."""
        self.listeners: tuple[Listener, ...] = ()
        # Held while frames are taken and sent, so that listeners get them in order.
        self.sending = threading.RLock()
        self._state: State = "idle"

    @property
    def control(self) -> Any:
        """Its ``state`` says whether the run is paused or stopping, or will be after its step.

        And ``is_holding`` whether it stands still; ``None`` where nothing can be steered.
        """
        return None

    @property
    def module(self) -> Any:
        """The model that trains here, while it exists; ``None`` where there is none."""
        return None

    @property
    def frame(self) -> Frame:
        """The latest frame taken."""
        return self.history.latest

    @property
    def layout(self) -> Layout:
        """The layout of the latest frame."""
        return self.history.latest.layout

    @property
    def state(self) -> State:
        """``live`` while frames come in, ``idle`` between, ``closed``, ``fault``, ``recorded``."""
        return self._state

    @property
    def is_open(self) -> bool:
        """Whether something is watched that may train."""
        return self.state in ("live", "idle")

    @property
    def standing(self) -> Standing:
        """How the run stands, as all views say it."""
        return Standing(self.state, word(self.state))

    @property
    def progress(self) -> Progress:
        """How far the training is."""
        return Progress()

    @property
    def learning_rates(self) -> list[float]:
        """The learning rate of each parameter group; empty without an optimizer."""
        return []

    @property
    def structure(self) -> Structure:
        """How the network is put together: traced once examples were given by ``live.probe``."""
        return self.structure_of(self.layout)

    def structure_of(self, layout: Layout) -> Structure:
        """Return how the layers of a layout are connected, as far as that is known."""
        return self.traced_structure or untraced(layout)

    def current(self) -> Frame:
        """Return the frame to show now."""
        return self.frame

    def steer(self, command: Command) -> int:
        """Do what is asked, and return its number where a recording says which was heard, else 0.

        Raises
        ------
        LookupError, TypeError, ValueError, RuntimeError, OSError
            If that cannot be; nothing has changed then.
        """
        raise RuntimeError("nothing trains here that could be steered")

    def owe(self, seconds: float, *, whole: bool = False) -> None:
        """Note what sending a frame has cost in the background, or recording a whole one."""

    def close(self) -> None:
        """Take nothing more; what was shown stays."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hand every frame from now on to ``listener``, until what is returned is called."""
        with self.sending:
            self.listeners = (*_still_there(self.listeners), listener)
        return lambda: self.unsubscribe(listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Stop handing frames to ``listener``; does nothing if it was not subscribed."""
        with self.sending:
            self.listeners = tuple(known for known in self.listeners if known is not listener)

    def let_go(self) -> None:
        """Forget listeners that are over. Waits for nobody: the garbage collector may call it."""
        if self.sending.acquire(blocking=False):
            try:
                self.listeners = _still_there(self.listeners)
            finally:
                self.sending.release()

    def hand_over(self, feed: "Feed", source: object) -> None:
        """Hand the listeners to the feed of the source that takes this one's place."""
        with self.sending:
            listeners, self.listeners = _still_there(self.listeners), ()
        # No frame of the successor may come before its listeners know it.
        with feed.sending:
            feed.selection, feed.observed, feed.listeners = self.selection, self.observed, listeners
            feed.observes_again = self.observes_again
            feed.tell("replaced", source)

    def tell(self, event: Event, *news: Any) -> None:
        """Call ``on_<event>`` of all listeners; one that raises keeps nobody from it."""
        for listener in self.listeners:
            try:
                getattr(listener, f"on_{event}")(*news)
            except Exception as error:
                if listener.is_new_fault(event, error):
                    what = "a new frame" if event == "frame" else f"the event {event!r}"
                    report(
                        f"{listener.title} failed on {what}: {error!r}. Training goes on, and "
                        "later frames are still sent to it"
                    )

    def tell_training(self) -> None:
        """Tell listeners that curves, progress or control have changed."""
        self.tell("training")

    def set_state(self, state: State) -> None:
        """Enter another state, and tell listeners."""
        if state != self._state:
            self._state = state
            self.tell("state", state, self.message)

    def select(self, selection: Selection | None) -> None:
        """Select a function in all views, or nothing. Raises as `checked_selection`."""
        chosen = None if selection is None else checked_selection(self.layout, selection)
        if chosen != self.selection:
            self.selection = chosen
            self.tell("selection", chosen)

    def set_observed(self, observed: dict[str, Observation], *, again: bool = False) -> None:
        """Show the inputs of the layers for another batch, or ``again`` for the same one."""
        self.observed, self.observes_again = observed, again
        self.tell("observed", observed)

    def set_structure(self, traced: Structure | None) -> None:
        """Show how the network is put together."""
        self.traced_structure = traced
        self.tell("structure", self.structure)

    def set_probe(self, probe: Probe | None) -> None:
        """Show other examples, or none, and forget the activations of those before."""
        self.probed = probe
        self.activations = ActivationHistory()
        self.tell("probe", probe)


class TrainingFeed(Feed, ABC):
    """The feed of a model that trains here, as its run, its counter and its edits know it."""

    training: Any
    """The run: a `Training`, which is made for its feed and counter."""

    @abstractmethod
    def on_step(self, step: int, now: float) -> bool:
        """Do what is due after a step, in the thread that trains; whether a frame was taken."""

    @abstractmethod
    def is_due(self, now: float) -> bool:
        """Whether a frame may be taken at a time, after as many steps as lie between two."""

    @abstractmethod
    def may_only_count(self) -> bool:
        """Whether the next steps are only to be counted until a frame is due."""

    @abstractmethod
    def fail(self, error: Exception) -> None:
        """Say once that reading the model failed, and let go of it; training goes on."""

    @abstractmethod
    def while_held(self) -> None:
        """Do what came up while the training is held, in the thread that trains."""

    @abstractmethod
    def refresh(self) -> Frame:
        """Take a frame now, and send it."""

    @abstractmethod
    def show_edited(self) -> None:
        """Show a function that was edited."""

    @abstractmethod
    def read_again(self) -> None:
        """Show the layers that can be read by now."""


def closed_error(feed: Feed | None = None) -> RuntimeError:
    """Return the error to raise where a binding must be open and is not."""
    state, why = ("closed", "") if feed is None else (feed.state, feed.message)
    because = f" ({why})" if why else ""
    return RuntimeError(f"this binding is {state}{because}: bind the model again")


def checked_selection(layout: Layout, value: Any) -> Selection:
    """Return a function of a layout, given as a dict; indices left out are 0.

    Raises
    ------
    TypeError
        If it is not such a dict.
    KeyError
        If there is no such layer; the message lists the names.
    IndexError
        If the layer has no such function; the message gives its shape.
    """
    parts = ("out", "in", "row", "column")
    if not isinstance(value, Mapping) or "layer" not in value or value.keys() - {"layer", *parts}:
        raise TypeError(
            f"selection={value!r:.120}: expected a dict with 'layer' and any of "
            f"{', '.join(map(repr, parts))}, or None"
        )
    index = [value.get(name, 0) for name in parts]
    if any(isinstance(i, bool) or not isinstance(i, Integral) for i in index):
        raise TypeError(f"(out, in, row, column) = {tuple(index)!r:.120}: expected whole numbers")
    layer = str(value["layer"])
    out, in_, row, column = place_in_layer(layer, layout.layer(layer).shape, index)
    return {"layer": layer, "out": out, "in": in_, "row": row, "column": column}


def _still_there(listeners: tuple[Listener, ...]) -> tuple[Listener, ...]:
    return tuple(listener for listener in listeners if not listener.is_over)
