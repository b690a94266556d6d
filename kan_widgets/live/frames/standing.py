"""How a run stands: said in one place, for all views and recordings."""

from __future__ import annotations

from dataclasses import dataclass

from kan_widgets.live.frames.progress import Progress

_WORDS = {"idle": "not training", "running": "training", "live": "training"}
_LONGEST = 120
ENDED = ("finished", "stopped", "interrupted", "failed")
GOES_ON = frozenset(("running", "paused", "stopping", "still", "silent", "uncounted"))
"""States in which there may be news at any moment."""


@dataclass(frozen=True)
class Standing:
    """How a run stands at one moment. Every source has one; views say it as it is."""

    state: str
    """``Progress.state``, or what comes before it: ``stopping``, ``still`` (its thread trains
    another model), ``uncounted`` (an optimizer trains it that is not bound), ``silent`` (nothing
    was heard of a run that is followed), ``recorded``, ``closed`` or ``fault``."""
    words: str
    """The same in words."""
    mend: str = ""
    """The line of Python that mends it, where one does."""


def standing_of(progress: Progress) -> Standing:
    """Return what is known from the loop alone."""
    if progress.state == "failed":
        why = progress.message if len(progress.message) <= _LONGEST else "an error"
        return Standing("failed", f"stopped by {why or 'an error'}")
    return Standing(progress.state, word(progress.state))


def behind(step: int, shown: int) -> str:
    """Say of a run that has ended where, if that is not where its last frame is from."""
    return f" at step {step:,}, the last frame is of step {shown:,}" if step > shown else ""


def word(state: str) -> str:
    """Return a state of a source or of a loop in words."""
    return _WORDS.get(state, state)


def age(seconds: float) -> str:
    """Return a length of time, roughly.

    Examples
    --------
    >>> age(31), age(90), age(7200), age(200_000)
    ('31 s', '90 s', '2 h', '2 days')
    """
    for unit, name in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds)} s"
