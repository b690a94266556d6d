"""How a training goes, as a recording says it: written as JSON, and checked when it is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from kan_widgets.live.frames.progress import Progress
from kan_widgets.live.frames.source import Source


@dataclass(frozen=True)
class Steered:
    """What a run says that is steered from afar."""

    heard: int = 0
    """The number of the last command that it heard."""
    refused: str = ""
    """Why it did not do that; else empty."""
    message: str = ""
    control: Literal["running", "paused", "stopping"] = "running"
    holding: bool = False
    """Whether it stands still."""
    lost_after: float = 60.0
    """Seconds without a sign of the follower after which a pause ends."""


@dataclass(frozen=True)
class Status:
    """How a training went when it was written."""

    message: str = ""
    """What went wrong; else empty."""
    every: int = 1
    rates: tuple[float, ...] = ()
    progress: Progress = field(default_factory=Progress)
    notices: dict[str, Any] = field(default_factory=lambda: {"alarms": [], "cured": None})
    steering: Steered | None = None


Said = TypeVar("Said", Progress, Steered)
_KINDS: dict[object, dict[str, Any]] = {kind: get_type_hints(kind) for kind in (Progress, Steered)}


_TOOK = ("epochs_done", "seconds", "timed_steps")


def status_of(source: Source) -> dict[str, Any]:
    """Return how a training goes, as JSON; without what it has printed."""
    feed = source.feed
    return {
        "state": feed.state,
        "message": feed.message,
        "progress": asdict(replace(source.progress, output="")),
        "every": source.every,
        "rates": feed.learning_rates,
        "notices": feed.notices,
    }


def status_from(raw: Mapping[str, Any]) -> Status:
    """Return what a recording says; what an older one does not is as in `Status`.

    Raises
    ------
    LookupError, TypeError, ValueError, OverflowError
        If something is not what it is to be.
    """
    notices, steering, nothing = raw.get("notices"), raw.get("steering"), Status()
    refused = None if steering is None else steering.get("refused")
    return Status(
        message=str(raw.get("message", "")),
        every=int(raw.get("every", 1)),
        rates=tuple(map(float, raw.get("rates", ()))),
        # Older recordings say beside it what the training took.
        progress=_with(
            nothing.progress,
            {name: raw[name] for name in _TOOK if name in raw} | raw.get("progress", {}),
        ),
        notices=nothing.notices if notices is None else _notices(notices),
        steering=None
        if steering is None
        else _with(Steered(), {**steering, "refused": str(refused["why"]) if refused else ""}),
    )


def _with(before: Said, said: Mapping[str, Any]) -> Said:
    """Return a dataclass with what is said of its fields."""
    known = {}
    for name, kind in _KINDS[type(before)].items():
        # A word that a later version has is passed over.
        if name in said and (get_origin(kind) is not Literal or said[name] in get_args(kind)):
            known[name] = _as(kind, said[name], name)
    return replace(before, **known)


def _as(kind: Any, value: Any, name: str) -> Any:
    if isinstance(kind, UnionType):  # with None
        return None if value is None else _as(get_args(kind)[0], value, name)
    if kind is float and isinstance(value, int):
        return float(value)
    if get_origin(kind) is Literal:
        return value
    if not isinstance(value, kind) or (kind is float and not math.isfinite(value)):
        raise TypeError(f"{name} is {value!r:.40}")
    return value


def _notices(raw: Mapping[str, Any]) -> dict[str, Any]:
    cured = raw["cured"]
    return {
        "alarms": [
            {name: str(alarm[name]) for name in ("id", "text", "more", "button")}
            for alarm in raw["alarms"]
        ],
        "cured": cured and {"text": str(cured["text"]), "undo": bool(cured["undo"])},
    }
