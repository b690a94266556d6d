"""What the names of logged numbers say: what was measured, and on which data."""

from __future__ import annotations

import re

# Words that say on which data a quantity was measured, not what it is.
_HELD_OUT = {"val", "valid", "validation", "eval", "evaluation", "test", "dev", "holdout"}
_TRAINED_ON = {"train", "training", "batch", "running"}


def belongs_to(name: str) -> tuple[str, str]:
    """Return what a curve of this name measures, and on which data: "held out" or "trained on".

    Examples
    --------
    >>> belongs_to("loss"), belongs_to("val_loss"), belongs_to("acc/test")
    (('loss', 'trained on'), ('loss', 'held out'), ('acc', 'held out'))
    """
    parts = [part for part in re.split(r"[\s_./:-]+", name) if part]
    what = [part for part in parts if part.lower() not in _HELD_OUT | _TRAINED_ON]
    held_out = any(part.lower() in _HELD_OUT for part in parts)
    return " ".join(what) or name, "held out" if held_out else "trained on"
