"""How a recorded run stands, in a word or two."""

from __future__ import annotations

import time

from kan_widgets.live.recordings.replay import Replay

# A recording that has not grown for so long is silent.
_SILENT_SECONDS = 60.0


def state_word(run: Replay) -> str:
    """Say whether a run goes on, and how it ended.

    Returns
    -------
    str
        Of a recording that was closed how the training stood: ``"finished"``, ``"stopped"``,
        ``"interrupted"``, ``"failed"``, or ``"closed"`` where it had not ended. Of another
        ``"recording"`` while it grows, or else for how long it has not.
    """
    if run.is_complete:
        state = run.progress.state
        return state if state in ("finished", "stopped", "interrupted", "failed") else "closed"
    silent = time.time() - run.path.stat().st_mtime
    return "recording" if silent < _SILENT_SECONDS else f"silent for {age(silent)}"


def age(seconds: float) -> str:
    """Return a length of time, roughly.

    Examples
    --------
    >>> age(90), age(7200), age(200_000)
    ('1 min', '2 h', '2 days')
    """
    for unit, name in ((86_400, "days"), (3600, "h")):
        if seconds >= 2 * unit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds // 60)} min"
