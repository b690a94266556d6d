"""What a saved page says around its views: what is shown, when it was saved, what works in it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any

from kan_widgets.live import Frame
from kan_widgets.widgets.headline import headline_of

USE = (
    "Pointing, selecting, modes and time work in this page; editing and training need the model, "
    "in a notebook."
)


def names(views: Sequence[Any]) -> str:
    """Return the names of the models and of the views: ``"KANCNN · Dashboard"``."""
    shown = [part for view in views for part in (view, *view._within())]
    models = [headline_of(part._stream.source, {}).get("model", "") for part in shown]
    kinds = [in_words(type(view).__name__) for view in views]
    parts = [", ".join(filter(None, dict.fromkeys(some))) for some in (models, kinds)]
    return " · ".join(filter(None, parts))


def in_words(name: str) -> str:
    """Return the name of a class in words.

    Examples
    --------
    >>> in_words("KernelGrid")
    'Kernel grid'
    """
    return re.sub(r"(?<=[a-z])[A-Z]", lambda letter: " " + letter[0].lower(), name)


def about(kept: Sequence[Sequence[Frame]], saved: datetime.datetime) -> str:
    """Return as HTML when a page was saved, and which steps of each stream are in it."""
    day = f"{saved.day} {saved:%B %Y, %H:%M}"
    sentences = [f'Saved on <time datetime="{saved.isoformat("T", "minutes")}">{day}</time>.']
    for frames in kept:
        first, latest = frames[0].step, frames[-1].step
        steps = f"{len(frames)} frames of steps {first:,} to {latest:,}."
        sentences.append(steps if latest > first else f"Step {latest:,}.")
    # Streams of several models often say the same.
    return " ".join(dict.fromkeys(sentences))
