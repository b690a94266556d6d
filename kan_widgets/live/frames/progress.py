"""How far a training run has come, and how it ended."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

Phase = Literal["idle", "running", "paused", "finished", "stopped", "interrupted", "failed"]
# State of a source; ``recorded`` once the end of a recording is read, or no more is awaited.
_SourceState = Literal["live", "idle", "closed", "fault", "recorded"]
# State of its control.
Controlled = Literal["running", "paused", "stopping"]

if TYPE_CHECKING:
    State = _SourceState
    ControlState = Controlled
else:
    # jedi 0.20 offers nothing of an object that has a property annotated with a Literal.
    State = ControlState = str
RunState = Literal[
    Phase,
    _SourceState,
    "ready",
    "stopping",
    "still",
    "uncounted",
    "silent",
    "died",
    "not closed",
    "still recording",
]


@dataclass(frozen=True)
class Progress:
    """A training run at one moment."""

    state: Phase = "idle"
    """``idle`` before the first step and where nothing tells how a run ended."""
    step: int = 0
    """Optimizer steps counted since the model was bound."""
    epoch: int | None = None
    """From 1; ``None`` in a loop that does not say."""
    epochs: int | None = None
    """How many there will be, if known."""
    batches_done: int = 0
    """Batches of the tracked loop that are done, over all epochs; 0 in a bare loop."""
    batches_total: int | None = None
    """How many there will be, if known."""
    steps_per_second: float = 0.0
    """Over the last few seconds, pauses left out; 0 if unknown."""
    elapsed: float = 0.0
    """The training time: seconds by the clock on the wall from the first step counted to the last,
    with all that is done between but pauses. Of several runs the sum."""
    remaining: float | None = None
    """Seconds to go at the present rate, if the number of batches is known."""
    share: float = 0.0
    """Share of the training time that watching takes."""
    data_source: str = ""
    """What the model is trained on, in words; may be empty."""
    message: str = ""
    """Why it failed, or what could not be done; else empty."""
    traceback: str = ""
    """Traceback of the error that ended the run; else empty."""
    output: str = ""
    """What training in the background has printed, the last 20,000 characters."""
    paced: float | None = None
    """Seconds that it was asked to take, by waiting between batches; ``None`` if it was not."""
    epochs_done: float = 0.0
    """Epochs gone through in all runs, the last one in part; 0 where no loop counted them."""
    seconds: float = 0.0
    """Spent on steps of the model in all runs; where several are trained, its own share."""
    timed_steps: int = 0
    """The steps that took ``seconds``; the first after a break is none of them."""


def duration(seconds: float | None) -> str:
    """Return a training time as all views write it; empty where none is known.

    Examples
    --------
    >>> [duration(s) for s in (None, 0.25, 9.94, 9.96, 59.6, 106, 3723)]
    ['', '0.2 s', '9.9 s', '0:10', '1:00', '1:46', '1:02:03']
    """
    if seconds is None:
        return ""
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@dataclass(frozen=True)
class Stats:
    """Counts of what watching has done so far, and the time it took."""

    steps: int
    """Optimizer steps counted (or calls of ``step()``)."""
    frames_taken: int
    """Frames read from the model."""
    frames_sent: int
    """Frames handed to at least one listener, such as a stream of views."""
    frames_skipped: int
    """Steps where a frame was due but came too soon after the last one."""
    seconds: float
    """Time that watching added to the training loop: counting steps, frames, examples, logging."""
    share: float
    """All that was done to watch, ``seconds`` and ``in_background``, as a fraction of the time
    spent training, pauses left out."""
    probe_share: float = 0.0
    """The part of ``share`` that tracing examples takes; see ``live.probe``."""
    in_background: float = 0.0
    """Processor time that other threads took between its steps: to send, to record, and for the
    views. Of several models that train at once all of it counts for each."""


_WORDS = {"idle": "not training", "running": "training", "live": "training"}
_MAX_LENGTH = 120
ENDED: tuple[RunState, ...] = ("finished", "stopped", "interrupted", "failed")
# States in which there may be news at any moment.
OPEN_STATES: frozenset[RunState] = frozenset(
    ("ready", "running", "paused", "stopping", "still", "silent", "uncounted")
)


@dataclass(frozen=True)
class Standing:
    """How a run stands at one moment. Every source has one; views say it as it is."""

    state: RunState
    """``Progress.state``, or what comes before it: ``ready`` (`fit` waits to begin), ``stopping``,
    ``still`` (its thread trains another model), ``uncounted`` (an optimizer trains it that is not
    bound), ``silent`` (nothing was heard of a run that is followed), the state of the source, or of
    a recording ``died``, ``not closed`` or ``still recording``."""
    words: str
    """The standing in words."""
    mend: str = ""
    """The line of Python that mends it, where one does."""


def standing_of(progress: Progress) -> Standing:
    """Return how a run stands by its loop alone."""
    if progress.state == "failed":
        why = progress.message if len(progress.message) <= _MAX_LENGTH else "an error"
        return Standing("failed", f"stopped by {why or 'an error'}")
    return Standing(progress.state, word(progress.state))


def behind(step: int, shown: int) -> str:
    """Say at which step a run ended, if its last frame is from an earlier one."""
    return f" at step {step:,}, the last frame is of step {shown:,}" if step > shown else ""


def word(state: str) -> str:
    """Return a state of a source or of a loop in words."""
    return _WORDS.get(state, state)


def age(seconds: float) -> str:
    """Return a length of time, roughly."""
    for unit, name in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds)} s"
