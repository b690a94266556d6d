"""Where frames come from: what a binding and a recording have in common for their views."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any, Literal, TypedDict

from kan_widgets.live.frames.activations import ActivationHistory, Activations, Probe
from kan_widgets.live.frames.edit import EditLog
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.history import History
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.standing import Standing, word
from kan_widgets.live.frames.structure import Structure, untraced
from kan_widgets.live.frames.window import Looking
from kan_widgets.live.reports import report
from kan_widgets.live.stationary import Stationary

# Of a recording that is complete, or whose end was read: "recorded".
State = Literal["live", "idle", "closed", "fault", "recorded"]

# "in" is a keyword of Python, but the word for it.
Selection = TypedDict("Selection", {"layer": str, "out": int, "in": int, "row": int, "column": int})
"""One function: its layer, and its place in it."""


class Listener:
    """What receives a source's frames; a stream of views is one. Override what is of interest.

    What a method raises is reported, each kind of error once; the next event is told as usual.
    """

    _reported: frozenset[tuple[str, type[Exception]]] = frozenset()

    @property
    def title(self) -> str:
        """What reports call it."""
        return type(self).__name__

    @property
    def is_over(self) -> bool:
        """Whether whom it hears for is gone; the source lets go of it some time."""
        return False

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
        """Take other examples that are followed through the network from now on, or none."""

    def on_activations(self, activations: Activations) -> None:
        """Take what the examples made of the network at a step."""

    def on_batch(self, seen: bool, message: str) -> None:
        """Take note that a batch was seen that could be observed, or why it could not be."""

    def on_edit(self, edits: EditLog) -> None:
        """Take note that something was edited, undone or done again."""

    def on_training(self) -> None:
        """Take note that curves, progress or control have changed; called at every log."""

    def on_closed(self) -> None:
        """Take note that the binding is closed; it may take its time, no lock is held."""

    def on_replaced(self, source: Source) -> None:
        """Go on with the source that takes this one's place."""


class Source(Stationary):
    """Frames of the same layers over time, with the history and the selection.

    Parameters
    ----------
    history
        With at least one frame.
    looking
        What is looked at.
    """

    _is_made = False
    """Whether it has all of its attributes."""

    def __init__(self, history: History, looking: Looking | None = None) -> None:
        self._history = history
        self.looking = looking or Looking()
        """What views look at; its ``budget`` is what a frame for a page may weigh."""
        self._state: State = "idle"
        self._message = ""
        self._selection: Selection | None = None
        self._observed: dict[str, Observation] = {}
        self._structure: Structure | None = None
        self._probed: Probe | None = None
        self._activations = ActivationHistory()
        self._listeners: tuple[Listener, ...] = ()
        # Held while frames are taken and sent, so that listeners get them in order.
        self._sending = threading.RLock()

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a public one that is not there, a slip, would do nothing."""
        if self._is_made and not name.startswith("_"):
            self._check_settable(name, value)
        super().__setattr__(name, value)

    def _check_settable(self, name: str, value: Any) -> None:
        kind = type(self)
        known = getattr(kind, name, self.__dict__.get(name))
        if known is not None and getattr(known, "fset", known) is not None:
            return
        settable = [each for each in dir(kind) if getattr(getattr(kind, each), "fset", None)]
        near = difflib.get_close_matches(name, settable, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        given = " ".join(repr(value).split())
        raise AttributeError(
            f"{name} = {given:.60}: a {kind.__name__} has no {name} that can be set.{hint} "
            f"What can be set: {', '.join(settable) or 'nothing'}"
        )

    @property
    def layout(self) -> Layout:
        """What it takes to read the latest frame."""
        return self._history.latest.layout

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""
        return self.layout.names

    @property
    def frame(self) -> Frame:
        """The latest frame taken."""
        return self._history.latest

    def current(self) -> Frame:
        """Return the frame to show now."""
        return self._history.latest

    @property
    def history(self) -> History:
        """The frames kept so far: the first, the latest, and evenly spread ones between."""
        return self._history

    @property
    def glimpses(self) -> History | None:
        """Frames of what was looked at, where whole ones are taken seldom."""
        return None

    @property
    def state(self) -> State:
        """``live`` while frames come in, ``idle`` between, ``closed``, ``fault``, ``recorded``."""
        return self._state

    @property
    def message(self) -> str:
        """What went wrong, in state ``fault``."""
        return self._message

    @property
    def standing(self) -> Standing:
        """How the run stands, as all views say it."""
        return Standing(self._state, word(self._state))

    @property
    def observed(self) -> dict[str, Observation]:
        """The inputs of each layer for the batch observed last, by layer name."""
        return dict(self._observed)

    @property
    def structure(self) -> Structure:
        """How the network is put together: traced once examples were given by ``live.probe``."""
        return self.structure_of(self.layout)

    def structure_of(self, layout: Layout) -> Structure:
        """Return what is known of how the layers of a layout are connected."""
        return self._structure or untraced(layout)

    @property
    def probed(self) -> Probe | None:
        """The examples that are followed through the network, if there are any."""
        return self._probed

    @property
    def activations(self) -> ActivationHistory:
        """What the examples made of the network, at some of the steps of frames."""
        return self._activations

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
        self.set_selection({"layer": layer, "out": out, "in": in_, "row": row, "column": column})

    def deselect(self) -> None:
        """Select nothing."""
        self.set_selection(None)

    def set_selection(self, selection: Selection | None) -> None:
        """Select a function, given as in ``selection``, or nothing. Raises as `select`."""
        chosen = None if selection is None else checked_selection(self.layout, selection)
        if chosen != self._selection:
            self._selection = chosen
            self._tell("a selection", lambda each: each.on_selection(chosen))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hand every frame from now on to ``listener``, which is held until then.

        Returns
        -------
        callable
            Call it to end the subscription.
        """
        with self._sending:
            self._listeners = (*_still_there(self._listeners), listener)
        return lambda: self.unsubscribe(listener)

    def subscribe_from_start(
        self, listener: Listener
    ) -> tuple[list[Frame], dict[str, Observation]]:
        """Subscribe, and return the exact frames and the observations from before.

        No frame is both returned and handed to the listener, and none is missing.
        """
        with self._sending:
            self.subscribe(listener)
            return self._history.exact(), self.observed

    def let_go(self) -> None:
        """Forget listeners that are over. Waits for nobody: the garbage collector may call it."""
        if self._sending.acquire(blocking=False):
            try:
                self._listeners = _still_there(self._listeners)
            finally:
                self._sending.release()

    def unsubscribe(self, listener: Listener) -> None:
        """Hand no more to ``listener``; does nothing if it was not subscribed."""
        with self._sending:
            self._listeners = tuple(known for known in self._listeners if known is not listener)

    def owe(self, seconds: float, *, whole: bool = False) -> None:
        """Note what sending a frame has cost in the background, or recording a whole one."""

    def _tell(self, event: str, call: Callable[[Listener], None]) -> None:
        """Tell all listeners of an event, in words; one that raises keeps nobody from it."""
        for listener in self._listeners:
            try:
                call(listener)
            except Exception as error:
                fault = event, type(error)
                if fault not in listener._reported:
                    listener._reported |= {fault}
                    report(
                        f"{listener.title} could not take {event}: {error!r}. The training goes "
                        "on, and it is told of what comes next"
                    )

    def _tell_layout(self, layout: Layout) -> None:
        self._tell("a layout", lambda each: each.on_layout(layout))

    def _tell_frame(self, frame: Frame, *, settled: bool) -> None:
        self._tell("a frame", lambda each: each.on_frame(frame, settled))

    def _tell_glimpse(self, frame: Frame) -> None:
        self._tell("a frame", lambda each: each.on_glimpse(frame))

    def _tell_observed(self) -> None:
        observed = self._observed
        self._tell("the inputs observed", lambda each: each.on_observed(observed))

    def _tell_structure(self) -> None:
        structure = self.structure
        self._tell("the structure", lambda each: each.on_structure(structure))

    def _tell_probe(self) -> None:
        probe = self._probed
        self._tell("the examples", lambda each: each.on_probe(probe))

    def _tell_activations(self, activations: Activations) -> None:
        self._tell("activations", lambda each: each.on_activations(activations))

    def _tell_training(self) -> None:
        self._tell("news of the training", lambda each: each.on_training())

    def _set_state(self, state: State) -> None:
        if state != self._state:
            self._state = state
            message = self._message
            self._tell(f"the state {state!r}", lambda each: each.on_state(state, message))

    def _hand_over(self, successor: Source) -> None:
        """Hand the listeners to ``successor``."""
        with self._sending:
            listeners, self._listeners = _still_there(self._listeners), ()
        # No frame of the successor may come before its listeners know it.
        with successor._sending:
            successor._selection = self._selection
            successor._observed = self._observed
            successor._listeners = listeners
            successor._tell("a new binding", lambda each: each.on_replaced(successor))


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
    known = ("out", "in", "row", "column")
    if not isinstance(value, Mapping) or "layer" not in value or value.keys() - {"layer", *known}:
        raise TypeError(
            f"selection={value!r:.120}: expected a dict with 'layer' and any of "
            f"{', '.join(map(repr, known))}, or None"
        )
    index = [value.get(name, 0) for name in known]
    if any(isinstance(i, bool) or not isinstance(i, Integral) for i in index):
        raise TypeError(f"(out, in, row, column) = {tuple(index)!r:.120}: expected whole numbers")
    layer, (out, in_, row, column) = str(value["layer"]), map(int, index)
    shape = layout.layer(layer).shape
    if any(not 0 <= i < size for i, size in zip((out, in_, row, column), shape, strict=True)):
        raise IndexError(
            f"(out, in, row, column) = {(out, in_, row, column)}: {layer} has "
            f"{' × '.join(map(str, shape))}"
        )
    return {"layer": layer, "out": out, "in": in_, "row": row, "column": column}


def _still_there(listeners: tuple[Listener, ...]) -> tuple[Listener, ...]:
    return tuple(listener for listener in listeners if not listener.is_over)
