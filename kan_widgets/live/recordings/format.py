"""The file of a recorded run, version 1: what is in it, how it is written, how it is read.

A recording is a zip of members that are stored, not compressed, one after the other
(`kan_widgets.live.recordings.archive`). Arrays are ``.npy`` members without pickles, words are
UTF-8 JSON: nothing in it is ever executed. A member counts once all its bytes are there and its
checksum is right. So a recording can be read while it is written, and after its writer was
killed; closed, it is an ``.npz`` that ``numpy.load`` opens.

The first member is ``kan_widgets.json``::

    {"format": "kan_widgets recording", "version": 1, "id": "…", "copy": 0, "model": "KANCNN",
     "kan_widgets": "0.1.0", "started": "2025-01-31T12:00:00+00:00",
     "host": "node7", "process": 4711}

``host`` and ``process`` are the writer's, who holds a lock on the file, so that whoever else would
write there can be told (`kan_widgets.live.recordings.destination.claimed`). ``id`` tells runs
apart. ``copy`` grows when the file was thinned: a copy without some of the records has taken its
place. All others are records, named ``00000042/kind.npy`` or ``00000042/kind.json``. Their numbers
only rise, and a record refers to earlier ones by number. A kind that a reader does not know is
passed over.

=============  ===================================================================================
kind           what it holds
=============  ===================================================================================
table.npy      float32 ``(P, 1 + nb)``: the points x in column 0, rising, and β of each basis
               function there; arrays are little-endian
index.npy      uint32 ``(functions,)``: which of a layer's tables each function uses
layout.json    ``layers``: for each its ``name``, ``kind``, ``type``, ``shape`` (out, in, kh, kw),
               ``nb`` basis functions, ``offset`` in a frame, ``labels`` and ``is_base`` of the
               basis functions, ``domain``, ``extent``, ``knots``, ``variable``, ``note``,
               ``conv``, ``locked``, ``names`` of the outputs and ``input_names`` where they
               have some, ``tables`` (each ``record``, ``domain``, ``extent``, ``knots``) and
               ``table_of`` (an index, or null); ``beside``: ``name`` (its path in the model) and
               ``size`` of each vector that frames have beside coefficients; ``parameters``: how
               many are trained, ``total``, and in which ``parts``, or null
frame.npy      one structured value: ``step`` (int64), ``layout`` (int32, a record), ``seconds``
               (float64, since the recording began), ``data`` (float32): coefficient b of
               function f = ((o·in + i)·kh + r)·kw + c of a layer is at ``offset + f·nb + b``; and
               ``beside`` (float32): biases, and scales and statistics of norms, as they were then
series.json    ``name`` of something that is logged
values.npy     ``(n,)`` structured: ``series`` (int32, a record), ``step`` (int64), ``value``
               (float64)
mark.json      ``step`` and ``text``
array.npy      an array that a later record refers to
observed.json  ``layers``: the inputs of each layer for a batch, see
               `kan_widgets.live.frames.observation.Observation`; ``arrays`` by name are records
network.json   how the network is put together, see
               `kan_widgets.live.frames.structure.structure_dict`; the last one counts
probe.json     the examples followed from here on: ``inputs``, an array, float32 ``(n, …)``, or
               null for none any more; ``labels``: the right class of each, or null
activity.json  what they made of the network: ``step``; ``layout``, a record; ``values``, by
               ``station``: the ``shape`` (n, …), and of each example ``low`` and ``high``;
               ``extras``: ``station``, ``name`` and ``shape``; ``data``, an array, uint8: all
               values one after another, v for low + v / 255 · (high − low); ``more``, an array,
               float32: all extras one after another
status.json    how the training goes; the last one counts
=============  ===================================================================================

φ of a function at x[p] is Σ_b data[offset + f·nb + b] · table[p, 1 + b].

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

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from kan_widgets.live.frames.progress import Progress
from kan_widgets.live.frames.source import Source

FORMAT = "kan_widgets recording"
VERSION = 1
HEADER = "kan_widgets.json"
NAME = re.compile(r"(\d{8,})/(\w+)\.(npy|json)")
ARRAYS = ("edges", "counts", "outside_domain", "outside_extent", "patches", "maps")


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

    Raises `LookupError`, `TypeError`, `ValueError` or `OverflowError` if something is not what it
    is to be.
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
