"""Write a recording, record by record; `format` beside this says what is in it."""

import io
import os
import secrets
import socket
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.arrays import Float64, Int64
from kan_widgets.live.frames.activations import Activations, Probe, packed
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Layout, Table, layer_dict
from kan_widgets.live.frames.observation import ARRAYS, Observation
from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.live.frames.structure import Structure, structure_dict
from kan_widgets.live.frames.thinning import aligned, fitting
from kan_widgets.live.recordings.format import FORMAT, VERSION
from kan_widgets.live.recordings.places import is_restarted
from kan_widgets.live.recordings.reader import Reader, Seam
from kan_widgets.live.recordings.segments import OneFile, Segments, json_bytes

if TYPE_CHECKING:
    from torch import nn

# Kinds of which some records go when a recording is thinned.
_REPLACED = frozenset(
    "array.npy observed.json network.json probe.json activity.json status.json frame.npy".split()
)
# Series whose latest values stand in the index.
_MAX_VALUES = 50
_VALUES = np.dtype([("series", "<i4"), ("step", "<i8"), ("value", "<f8")])


class Writer:
    """Writes records. One that cannot be written raises `OSError` and can be written again."""

    def __init__(
        self,
        store: OneFile | Segments,
        model: "nn.Module | None",
        header: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        from kan_widgets import __version__

        self._store = store
        self._header: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "id": secrets.token_hex(8),
            "copy": 0,
            "model": "" if model is None else type(model).__name__,
            "kan_widgets": __version__,
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "host": socket.gethostname(),
            "process": os.getpid(),
            **header,
        }
        self._header["since"] = self._header["started"]
        self._number = 0
        self._sizes: dict[int, int] = {}  # of all records, by number
        self._replaced: set[int] = set()  # those of which some go when the recording is thinned
        self._tables: dict[Table, int] = {}
        self._layouts: dict[Layout, int] = {}
        self._series: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._marks = 0
        # Records of kinds of which only the last counts, and of activations by step.
        self._current: dict[str, range] = {}
        self._activations: list[tuple[int, range]] = []
        self._frames: list[int] = []
        self.steps: list[int] = []
        """Steps of the frames that count."""
        # What the index of a folder says of the run.
        self._latest: dict[str, Any] = {}
        store.begin(self._header, self._latest)

    def go_on(self, segments: Segments, first: Frame) -> None:
        """Go on with the run that is recorded there; ``first`` is the first frame of what comes.

        Raises `FileExistsError` if that run has ended and this one begins again, or if its layers
        are others.
        """
        assert segments.found is not None
        reader = Reader(segments.place.path, self._weigh)
        layout = None
        for record in reader.read():
            if isinstance(record, Seam):
                self._forget(record.step)
            elif isinstance(record, Frame):
                self._frames.append(reader.last)
                self.steps.append(record.step)
                layout = record.layout
        if segments.found.ended and not first.step and not is_restarted():
            raise FileExistsError(
                f"{segments.place} already exists: give another name, or overwrite=True; to go "
                "on with it, say the steps it has made: bind(model, optimizer, steps=...)"
            )
        is_other = layout is not None and _shapes(layout) != _shapes(first.layout)
        if is_other and not self._header.get("rank"):  # of others it depends on how many there are
            raise FileExistsError(
                f"{segments.place} is of a model with other layers: give another name, or "
                "overwrite=True"
            )
        segments.go_on()
        kept = {name: reader.header[name] for name in ("id", "started")}
        self._header |= kept | {"copy": int(reader.header["copy"]) + 1}
        self._number = reader.last
        self._forget(first.step)
        self._latest |= segments.found.header.get("latest", {})
        segments.begin(self._header, self._latest)
        who = {name: self._header[name] for name in ("host", "process", "since")}
        self._add("seam", {"step": first.step, **who})

    def _forget(self, step: int) -> None:
        """Forget the frames from a step on: the run is trained again from there."""
        count = bisect_left(self.steps, step)
        del self._frames[count:], self.steps[count:]

    @property
    def run(self) -> str:
        """What tells the run from others."""
        return str(self._header["id"])

    @property
    def is_part(self) -> bool:
        """Whether other processes record, too: all keep frames of the same steps."""
        return "job" in self._header

    def write_ranks(self) -> None:
        """Write which job begins, where several processes train together."""
        if self.is_part:
            self._add("job", {name: self._header[name] for name in ("job", "rank", "world")})

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
        self._frames.append(self._add("frame", record, frame.step))
        self.steps.append(frame.step)
        self._latest |= {"frames": len(self.steps), "step": frame.step}

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
            latest = self._latest.setdefault("values", {})
            for name, (steps, values) in fresh.items():
                if name in latest or len(latest) < _MAX_VALUES:
                    latest[name] = float(values[-1])
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
        for observation in observed.values():
            present = {name: getattr(observation, name) for name in ARRAYS}
            arrays = {
                name: self._add("array", np.asarray(array))
                for name, array in present.items()
                if array is not None
            }
            settings = {
                each.name: getattr(observation, each.name)
                for each in fields(observation)
                if each.name not in (*ARRAYS, "images")
            }
            layers.append({**settings, "arrays": arrays})
        self._current["observed"] = range(first, self._add("observed", {"layers": layers}) + 1)

    def structure(self, structure: Structure) -> None:
        """Write how the network is put together."""
        number = self._add("network", structure_dict(structure))
        self._current["network"] = range(number, number + 1)

    def probe(self, probe: Probe | None) -> None:
        """Write which examples are traced from now on."""
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
        numbers = [number for layout, number in self._layouts.items() if layout.version == version]
        if not numbers:
            return  # no frame of that layout was written
        first = self._number + 1
        content, data, more = packed(activations)
        arrays = {"data": self._add("array", data), "more": self._add("array", more.astype("<f4"))}
        last = self._add("activity", {**content, "layout": numbers[0], **arrays})
        self._activations.append((activations.step, range(first, last + 1)))

    def status(self, status: Mapping[str, Any]) -> None:
        """Write how the training goes, which the index of a folder says as well, in short."""
        number = self._add("status", dict(status))
        self._current["status"] = range(number, number + 1)
        progress = {**status["progress"], "traceback": ""}
        self._latest["status"] = {**status, "progress": progress, "output": ""}

    def thin(self, segments: Segments, most: int) -> int:
        """Leave out frames, evenly, until the recording has at most ``most`` bytes.

        The first frame and the last stay, and all that is neither a frame nor out of date; where
        that takes most of the room, about half of the frames stay. Returns the distance in steps
        that frames keep from now on.
        """
        # With each frame goes what was taken between the one before and it.
        of_frames = [[frame] for frame in self._frames]
        for step, numbers in self._activations:
            of_frames[min(bisect_left(self.steps, step), len(of_frames) - 1)] += numbers
        sizes = [sum(self._sizes[number] for number in numbers) for numbers in of_frames]
        current = {number for numbers in self._current.values() for number in numbers}
        left_out = self._replaced - current
        rest = sum(size for number, size in self._sizes.items() if number not in left_out)
        room = max(most - rest, 2 * sum(sizes) // 3)
        thinned = aligned if self.is_part else fitting
        places, gap = thinned(
            self.steps, lambda places: sum(sizes[place] for place in places) <= room
        )
        left_out.difference_update(*(of_frames[place] for place in places))
        header = {**self._header, "copy": self._header["copy"] + 1}
        segments.drop_unwanted(lambda number: number not in left_out, header)
        self._header = header
        self._activations = [each for each in self._activations if each[1][0] not in left_out]
        self._sizes = {n: size for n, size in self._sizes.items() if n not in left_out}
        self._replaced -= left_out
        self._frames = [self._frames[place] for place in places]
        self.steps = [self.steps[place] for place in places]
        return gap

    def _layout(self, layout: Layout, parameters: dict[str, Any] | None) -> int:
        layers = []
        for layer in layout.layers:
            tables = [
                {"record": self._table(t), "domain": t.domain, "extent": t.extent, "knots": t.knots}
                for t in layer.tables
            ]
            index = None
            if layer.table_of is not None:
                index = self._add("index", layer.table_of.astype("<u4"))
            layers.append(layer_dict(layer, tables, index))
            if (split := layer.split) is not None:
                where = {"whole": split.whole, "out": split.out, "in": split.in_}
                layers[-1]["split"] = where | {"words": split.words}
        beside = [vector._asdict() for vector in layout.beside]
        content = {"layers": layers, "beside": beside, "parameters": parameters}
        return self._add("layout", content)

    def _table(self, table: Table) -> int:
        if table not in self._tables:
            columns = np.column_stack([table.x, table.values]).astype("<f4")
            self._tables[table] = self._add("table", columns)
        return self._tables[table]

    def _add(
        self, kind: str, content: NDArray[Any] | dict[str, Any], step: int | None = None
    ) -> int:
        if isinstance(content, np.ndarray):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, content, allow_pickle=False)
            name, data = f"{kind}.npy", buffer.getvalue()
        else:
            name, data = f"{kind}.json", json_bytes(content)
        self._store.append(f"{self._number + 1:08}/{name}", data, step)
        self._number += 1
        self._weigh(self._number, name, len(data))
        return self._number

    def _weigh(self, number: int, kind: str, nbytes: int) -> None:
        self._sizes[number] = nbytes
        if kind in _REPLACED:
            self._replaced.add(number)


def _shapes(layout: Layout) -> list[tuple[str, tuple[int, ...]]]:
    return [(each.name, each.split.whole if each.split else each.shape) for each in layout.layers]
