"""Write a recording, record by record; `format` beside this says what is in it."""

from __future__ import annotations

import io
import json
import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.frames.activations import Activations, Probe, packed
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.history import fitting
from kan_widgets.live.frames.layout import Layout, Table, layer_dict
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.live.frames.series import Float64, Int64
from kan_widgets.live.frames.structure import Structure, structure_dict
from kan_widgets.live.recordings.archive import Archive, Member
from kan_widgets.live.recordings.format import ARRAYS, FORMAT, HEADER, NAME, VERSION

if TYPE_CHECKING:
    from torch import nn

# Kinds of records that others take the place of.
_REPLACED = ("array", "observed", "network", "probe", "activity")
_VALUES = np.dtype([("series", "<i4"), ("step", "<i8"), ("value", "<f8")])


class Writer:
    """Writes records into a new archive.

    A record that cannot be written raises ``OSError`` and can be written again; those before it
    stay.
    """

    def __init__(self, archive: Archive, model: str) -> None:
        self.archive = archive
        self._header: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "id": secrets.token_hex(8),
            "copy": 0,
            "model": model,
            "kan_widgets": _package_version(),
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "host": socket.gethostname(),
            "process": os.getpid(),
        }
        self._number = 0
        self._tables: dict[Table, int] = {}
        self._layouts: dict[Layout, int] = {}
        self._series: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._marks = 0
        # The records of what only the last of its kind counts of, and of activations by step.
        self._current: dict[str, range] = {}
        self._activations: list[tuple[int, range]] = []
        self.steps: list[int] = []
        """Of the frames written."""
        archive.append(HEADER, _json(self._header))

    @property
    def run(self) -> str:
        """What tells the run from others."""
        return str(self._header["id"])

    def frame(self, frame: Frame, seconds: float, parameters: dict[str, Any] | None = None) -> None:
        """Write a frame, and its layout if it is new.

        ``parameters`` are what the layout says of them; see `parameters_of`.
        """
        if frame.layout not in self._layouts:
            self._layouts[frame.layout] = self._layout(frame.layout, parameters)
        kind = np.dtype(
            [
                ("step", "<i8"),
                ("layout", "<i4"),
                ("seconds", "<f8"),
                ("data", "<f4", (len(frame.data) - len(frame.beside),)),
                ("beside", "<f4", (len(frame.beside),)),
            ]
        )
        record = np.empty((), dtype=kind)
        record["step"], record["layout"] = frame.step, self._layouts[frame.layout]
        record["seconds"] = seconds
        record["data"], record["beside"] = np.split(frame.data, [len(record["data"])])
        self._add("frame", record)
        self.steps.append(frame.step)

    def scalars(self, scalars: Scalars) -> bool:
        """Write the values and marks that were not written yet; return whether there were any."""
        fresh: dict[str, tuple[Int64, Float64]] = {}
        for name in scalars.names:
            steps, values = scalars.after(name, self._counts.get(name, 0))
            if len(steps):
                fresh[name] = steps, values
                if name not in self._series:
                    self._series[name] = self._add("series", {"name": name})
        if fresh:
            rows = np.empty(sum(len(steps) for steps, _ in fresh.values()), dtype=_VALUES)
            at = 0
            for name, (steps, values) in fresh.items():
                part = rows[at : at + len(steps)]
                part["series"], part["step"], part["value"] = self._series[name], steps, values
                at += len(steps)
            self._add("values", rows)
            for name, (steps, _) in fresh.items():
                self._counts[name] = self._counts.get(name, 0) + len(steps)
        marks = scalars.marks[self._marks :]
        for mark in marks:
            self._add("mark", {"step": mark.step, "text": mark.text})
            self._marks += 1
        return bool(fresh or marks)

    def observed(self, observed: Mapping[str, Observation]) -> None:
        """Write the inputs of the layers for a batch."""
        first = self._number + 1
        layers = []
        for seen in observed.values():
            present = {name: getattr(seen, name) for name in ARRAYS}
            arrays = {
                name: self._add("array", np.asarray(array))
                for name, array in present.items()
                if array is not None
            }
            layers.append(
                {
                    "layer": seen.layer,
                    "samples": seen.samples,
                    "is_image": seen.is_image,
                    "fold": None if seen.fold is None else list(seen.fold),
                    "nan_inputs": seen.nan_inputs,
                    "step": seen.step,
                    "arrays": arrays,
                }
            )
        self._current["observed"] = range(first, self._add("observed", {"layers": layers}) + 1)

    def structure(self, structure: Structure) -> None:
        """Write how the network is put together."""
        number = self._add("network", structure_dict(structure))
        self._current["network"] = range(number, number + 1)

    def probe(self, probe: Probe | None) -> None:
        """Write which examples are followed from now on."""
        first, inputs, labels = self._number + 1, None, None
        if probe is not None:
            inputs, labels = self._add("array", probe.inputs.astype("<f4")), probe.labels
        self._current["probe"] = range(
            first,
            self._add("probe", {"inputs": inputs, "labels": labels and list(labels)}) + 1,
        )
        self._activations = []

    def activations(self, activations: Activations) -> None:
        """Write what the examples made of the network; its frames come before it."""
        version = activations.layout_version
        known = [number for layout, number in self._layouts.items() if layout.version == version]
        if not known:
            return  # no frame of that layout was written
        first = self._number + 1
        content, data, more = packed(activations)
        arrays = {"data": self._add("array", data), "more": self._add("array", more.astype("<f4"))}
        last = self._add("activity", {**content, "layout": known[0], **arrays})
        self._activations.append((activations.step, range(first, last + 1)))

    def status(self, status: Mapping[str, Any]) -> None:
        """Write how the training goes."""
        self._add("status", dict(status))

    def thin(self, most: int) -> int:
        """Leave out frames, evenly, until the file has at most ``most`` bytes.

        The first frame and the last stay, and all that is neither a frame nor out of date; where
        that takes most of the room, about half of the frames stay. Returns the distance in steps
        that frames keep from now on.
        """
        steps = dict(zip((m.name for m in self._frames()), self.steps, strict=True))
        last_status = next((m for m in reversed(self.archive.members) if _is(m, "status")), None)
        current = {number for numbers in self._current.values() for number in numbers}

        def is_current(member: Member) -> bool:
            if any(_is(member, kind) for kind in _REPLACED):
                return _number_of(member) in current
            return not _is(member, "status") or member is last_status

        rest = [m for m in self.archive.members if not _is(m, "frame") and is_current(m)]
        frames = self._frames()
        # With each frame goes what was taken between the one before and it.
        places_of = np.searchsorted(self.steps, [step for step, _ in self._activations])
        numbered = {_number_of(member): member for member in self.archive.members}
        sizes = [_bytes([frame]) for frame in frames]
        for place, (_, numbers) in zip(places_of, self._activations, strict=True):
            sizes[min(int(place), len(sizes) - 1)] += _bytes([numbered[n] for n in numbers])
        room = max(most - _bytes(rest), 2 * sum(sizes) // 3)
        places, gap = fitting(
            self.steps, lambda places: sum(sizes[place] for place in places) <= room, gap=1
        )
        self._activations = [
            each
            for place, each in zip(places_of, self._activations, strict=True)
            if min(int(place), len(sizes) - 1) in places
        ]
        current.update(number for _, numbers in self._activations for number in numbers)
        kept = [frames[place] for place in places]
        chosen = {member.name for member in kept}
        header = {**self._header, "copy": self._header["copy"] + 1}
        self.archive.keep(
            lambda member: member.name in chosen if _is(member, "frame") else is_current(member),
            {HEADER: _json(header)},
        )
        self._header = header
        self.steps = [steps[member.name] for member in kept]
        return gap

    def _frames(self) -> list[Member]:
        return [member for member in self.archive.members if _is(member, "frame")]

    def _layout(self, layout: Layout, parameters: dict[str, Any] | None) -> int:
        layers = []
        for layer in layout.layers:
            tables = [
                {
                    "record": self._table(table),
                    "domain": list(table.domain),
                    "extent": list(table.extent),
                    "knots": list(table.knots),
                }
                for table in layer.tables
            ]
            index = None
            if layer.table_of is not None:
                index = self._add("index", layer.table_of.astype("<u4"))
            layers.append(layer_dict(layer, tables, index))
        beside = [vector._asdict() for vector in layout.beside]
        content = {"layers": layers, "beside": beside, "parameters": parameters}
        return self._add("layout", content)

    def _table(self, table: Table) -> int:
        if table not in self._tables:
            columns = np.column_stack([table.x, table.values]).astype("<f4")
            self._tables[table] = self._add("table", columns)
        return self._tables[table]

    def _add(self, kind: str, content: NDArray[Any] | dict[str, Any]) -> int:
        if isinstance(content, np.ndarray):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, content, allow_pickle=False)
            name, data = f"{kind}.npy", buffer.getvalue()
        else:
            name, data = f"{kind}.json", _json(content)
        self.archive.append(f"{self._number + 1:08}/{name}", data)
        self._number += 1
        return self._number


def parameters_of(model: nn.Module) -> dict[str, Any]:
    """Return what a layout says of a model's trainable parameters."""
    from kan_widgets.functions.describe import parts_of

    parts, total = parts_of(model)
    return {
        "total": total,
        "parts": [
            {
                "name": part.name,
                "sizes": part.sizes,
                "layers": [
                    {
                        "type": layer.type,
                        "kind": layer.kind,
                        "shape": list(layer.shape),
                        "shared": layer.conv is not None and layer.conv.shared,
                        "is_base": list(layer.is_base),
                        "knots": list(layer.bases[0].knots),
                    }
                    for layer in part.layers
                ],
            }
            for part in parts
        ],
    }


def _package_version() -> str:
    import kan_widgets

    return kan_widgets.__version__


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode(errors="surrogatepass")


def _bytes(members: Sequence[Member]) -> int:
    return sum(member.end - member.offset for member in members)


def _is(member: Member, kind: str) -> bool:
    found = NAME.fullmatch(member.name)
    return found is not None and found[2] == kind


def _number_of(member: Member) -> int:
    found = NAME.fullmatch(member.name)
    return int(found[1]) if found else 0
