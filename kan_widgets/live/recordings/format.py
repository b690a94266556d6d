"""A recorded run, version 1: what is in it, how it is written, how it is read.

Arrays are ``.npy`` without pickles, words are UTF-8 JSON: nothing in it is ever executed. It is a
folder, at any place that fsspec knows, or one file.

**A folder** has segments, whole objects that are never changed: ``.npz`` files of records, which
``numpy.load`` opens. ``index.jsonl`` names them, a JSON object a line; lines that are whole count.
The first is the header::

    {"format": "kan_widgets recording", "version": 1, "id": "…", "copy": 0, "model": "KANCNN",
     "kan_widgets": "0.1.0", "started": "2025-01-31T12:00:00+00:00",
     "host": "node7", "process": 4711, "since": "…", "writer": "…", "alive": 1738324800.0,
     "latest": {"frames": 12, "step": 1200, "values": {"loss": 0.1}, "status": {…}}}

``id`` tells runs apart; ``copy`` grows when records were left out, or another process goes on;
``host``, ``process`` and ``since`` are of the one that writes. It says every 15 seconds by
``alive``, seconds since 1970, that it is there. On this machine it holds a lock on ``writer.lock``,
which ends with it. ``latest`` is what a list of runs shows: how many frames, the step of the last,
the last value of each series, and the status. Each other line is a segment: ``name``, ``first`` and
``last`` record, least and greatest of the ``steps`` of its frames, ``nbytes``, ``level``. 16
segments of a level become one of the next, up to 8 MB. ``{"ended": true}`` says that nothing more
comes.

**One file** is a zip of members that are stored, not compressed: first the header, as
``kan_widgets.json``, then all records. It is what ``live.save`` and ``kan-widgets pack`` write.

Of a model that is split over processes each records into a folder of its own, ``rank-1`` and so on
in that of the first; its header has ``rank``, ``world`` (how many) and ``job``, which is the same
in all that train together. Frames of one step are put together. Where the others have nothing but
inputs of their own, ``rank-1`` is one file.

Records are named ``00000042/kind.npy`` or ``00000042/kind.json``. Their numbers only rise, and a
record refers to earlier ones by number. A kind that a reader does not know is passed over.

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
               have some, ``split`` (of a part of a layer: the ``whole`` shape, the first ``out``
               and ``in`` here, ``words``), ``tables`` (each ``record``, ``domain``, ``extent``,
               ``knots``) and ``table_of`` (an index, or null); ``beside``: ``name`` (its path in
               the model) and ``size`` of each vector that frames have beside coefficients;
               ``parameters``: how many are trained, ``total``, in which ``parts``, or null
frame.npy      one structured value: ``step`` (int64), ``layout`` (int32, a record), ``seconds``
               (float64, since the recording began), ``data`` (float32): coefficient b of
               function f = ((o·in + i)·kh + r)·kw + c of a layer is at ``offset + f·nb + b``; and
               ``beside`` (float32): biases, and scales and statistics of norms, as they were then
seam.json      ``step`` at which a process goes on, its ``host``, ``process``, ``since``: frames and
               values of later steps that come before this record do not count any more
job.json       ``job`` of several processes that begins, ``rank`` of this one, ``world``
series.json    ``name`` of something that is logged
values.npy     ``(n,)`` structured: ``series`` (int32, a record), ``step`` (int64), ``value``
               (float64)
mark.json      ``step`` and ``text``
array.npy      an array that a later record refers to
observed.json  ``layers``: the inputs of each layer for a batch, see
               `kan_widgets.live.frames.observation.Observation`; ``arrays`` by name are records
network.json   how the network is put together, see
               `kan_widgets.live.frames.structure.structure_dict`; the last one counts
probe.json     the examples traced from here on: ``inputs``, an array, float32 ``(n, …)``, or
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
