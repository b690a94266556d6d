"""A recorded run, version 1: its header and status. ``docs/recordings.md`` says all that is in it.

Examples
--------
>>> import numpy as np, pathlib, tempfile, kan_widgets as kw
>>> live = kw.bind(model := kw.nn.KANLinear(2, 3))
>>> path = live.save(pathlib.Path(tempfile.mkdtemp()) / "run.npz")
>>> with np.load(path) as file:
...     print([name for name in file if "/" in name])
...     print(file["00000003/frame"]["data"].shape)
['00000001/table', '00000002/layout.json', '00000003/frame', '00000004/status.json']
(54,)
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from kan_widgets.functions.layer_settings import ConvSettings, Split
from kan_widgets.live.frames.progress import Controlled, Progress
from kan_widgets.live.frames.source import Source

FORMAT = "kan_widgets recording"
VERSION = 1


@dataclass(frozen=True)
class Steered:
    """The state of a run that followers steer."""

    heard: int = 0
    """The number of the last command that it heard."""
    refused: str = ""
    """Why it did not do that; else empty."""
    message: str = ""
    control: Controlled = "running"
    holding: bool = False
    """Whether it stands still."""
    lost_after: float = 60.0
    """Seconds without a sign of the follower after which a pause ends."""


@dataclass(frozen=True)
class Status:
    """How a training went when it was written."""

    message: str = ""
    """Error in words; else empty."""
    every: int = 1
    rates: tuple[float, ...] = ()
    progress: Progress = field(default_factory=Progress)
    notices: dict[str, Any] = field(default_factory=lambda: {"alarms": [], "cured": None})
    steering: Steered | None = None


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
    """Return the status in a recording; fields that an older one lacks are as in `Status`.

    Raises `LookupError`, `TypeError`, `ValueError` or `OverflowError` if something is not what it
    is to be.
    """
    notices, steering = raw.get("notices"), raw.get("steering")
    return Status(
        **fields_of(Status, raw, "progress", "notices", "steering"),
        progress=Progress(**fields_of(Progress, raw.get("progress", {}))),
        notices=Status().notices if notices is None else _notices(notices),
        steering=None if steering is None else Steered(**fields_of(Steered, steering)),
    )


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, localns={"ConvSettings": ConvSettings, "Split": Split})


def fields_of(kind: type, raw: Mapping[str, Any], *leave: str) -> dict[str, Any]:
    """Return a class's fields from JSON, without those to ``leave``.

    Raises `TypeError` or `ValueError` where something is not what the field is to be.
    """
    fields = {}
    for name, hint in _hints(kind).items():
        # A word that a later version has is passed over.
        is_later = get_origin(hint) is Literal and raw.get(name) not in get_args(hint)
        if name in raw and name not in leave and not is_later:
            fields[name] = _as(hint, raw[name], name)
    return fields


def _as(kind: Any, value: Any, name: str) -> Any:
    if isinstance(kind, UnionType):  # with None
        return None if value is None else _as(get_args(kind)[0], value, name)
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        kinds = kinds[:1] * len(value) if kinds[-1] is ... else kinds
        return tuple(_as(each, one, name) for each, one in zip(kinds, value, strict=True))
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
