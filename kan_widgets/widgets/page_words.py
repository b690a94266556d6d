"""What a saved page says around its views: what is shown, when it was saved, what it is."""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Sequence
from typing import Any

from kan_widgets.live import Frame
from kan_widgets.widgets.headline import headline_of


def names(views: Sequence[Any]) -> str:
    """Return the names of the models and of the views: ``"KANCNN · Dashboard"``."""
    kinds = dict.fromkeys(in_words(type(view).__name__) for view in views)
    return " · ".join(filter(None, (models(views), ", ".join(kinds))))


def models(views: Sequence[Any]) -> str:
    """Return the names of the models that are shown: ``"KANCNN, CNN"``."""
    shown = [part for view in views for part in (view, *view._within())]
    named = [headline_of(part._stream.source, {}).get("model", "") for part in shown]
    return ", ".join(filter(None, dict.fromkeys(named)))


def in_words(name: str) -> str:
    """Return the name of a class in words.

    Examples
    --------
    >>> in_words("KernelGrid")
    'Kernel grid'
    """
    return re.sub(r"(?<=[a-z])[A-Z]", lambda letter: " " + letter[0].lower(), name)


def about(of: str, kept: Sequence[Sequence[Frame]], saved: datetime.datetime) -> str:
    """Return as HTML what a page is, when it was saved, and which steps of each stream it has."""
    day = f"{saved.day} {saved:%B %Y, %H:%M}"
    when = f'<time datetime="{saved.isoformat("T", "minutes")}">{day}</time>'
    moments = []
    for frames in kept:
        first, latest = frames[0].step, frames[-1].step
        several = f"{len(frames)} moments of the training, from step {first:,} to {latest:,}"
        moments.append(several if latest > first else f"step {latest:,}")
    # Streams of several models often say the same.
    said = "; ".join(dict.fromkeys(moments))
    return f"The learned functions of {html.escape(of) or 'a model'}, saved on {when}: {said}."


def use(kept: Sequence[Sequence[Frame]]) -> str:
    """Return what a reader can do on a page."""
    back = any(frames[-1].step > frames[0].step for frames in kept)
    hands = "Point at anything to read it, click to select it"
    return f"{hands}; the timeline goes back through the training." if back else f"{hands}."
