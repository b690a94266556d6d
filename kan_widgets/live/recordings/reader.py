"""Read a recording, as far as it is written; `format` beside this says what is in it."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from kan_widgets.functions.conv_settings import ConvSettings
from kan_widgets.live.frames.activations import Activations, Probe, unpacked
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import LayerLayout, Layout, Table, Vector, new_layout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.scalars import Mark
from kan_widgets.live.frames.series import Float64, Int64
from kan_widgets.live.frames.structure import Structure, structure_from
from kan_widgets.live.recordings.archive import Place, first_name, members
from kan_widgets.live.recordings.format import (
    ARRAYS,
    FORMAT,
    HEADER,
    NAME,
    VERSION,
    Status,
    status_from,
)

_EXPECTED = "expected a file written by live.save(path) or live.record(path)"
_WORDS = ("id", "model", "kan_widgets", "started")
_LOCKED = "This is a recording: there is no model to change. Bind the model itself to edit it."


@dataclass(frozen=True)
class Values:
    """Values of one series, in the order they were logged."""

    name: str
    steps: Int64
    values: Float64


@dataclass(frozen=True)
class Observed:
    """The inputs of the layers for a batch."""

    layers: dict[str, Observation]


@dataclass(frozen=True)
class Probed:
    """The examples followed from here on."""

    probe: Probe | None


class NoRecording(ValueError):
    """Another kind of file."""


Record = Frame | Values | Mark | Status | Observed | Structure | Probed | Activations


class Reader:
    """Reads a recording, as far as it is written, and later what has come since."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header: dict[str, Any] = {}
        self.place = Place()
        self.last = 0
        """The number of the record read last."""
        self.parameters: dict[str, Any] | None = None
        """What the layout read last says of the parameters."""
        self._head = b""
        self._arrays: dict[int, NDArray[Any]] = {}
        self._tables: dict[tuple[Any, ...], Table] = {}
        self._layouts: dict[int, Layout] = {}
        self._series: dict[int, str] = {}

    def read(self) -> Iterator[Record]:
        """Read what has come since the last call.

        Raises
        ------
        OSError
            If the file cannot be read at the moment.
        ValueError
            If it is not a recording, damaged, one of a later version, or another run's than before.
        """
        if self.path.exists() and not self.path.is_file():
            raise NoRecording(f"{self.path} is a device, a pipe or a folder; {_EXPECTED}")
        with self.path.open("rb") as file:
            start = Place()
            first = next(members(file, start), None)
            if first is None or first[0].name != HEADER:
                self._refuse(file)
                return
            if first[1] != self._head:
                self._begin(first[1])
                self.place = start
            for member, data in members(file, self.place):
                found = NAME.fullmatch(member.name)
                if found is None or int(found[1]) <= self.last:
                    continue
                number = int(found[1])
                with self.reading(member.name):
                    records = self._decode(number, f"{found[2]}.{found[3]}", data)
                self.last = number
                yield from records

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Whatever is raised while part of the file is read: the file is damaged."""
        try:
            yield
        except Exception as error:
            raise ValueError(
                f"{self.path}: record {what} is damaged: {type(error).__name__}: {error}. Copy the "
                "file anew from where it was written, or record the run again"
            ) from error

    def _refuse(self, file: BinaryIO) -> None:
        """Raise if the file is surely no recording, not only one that has not begun yet."""
        name = first_name(file)
        if name not in (None, HEADER):
            raise NoRecording(
                f"{self.path} is an archive, but not a recording: it begins with {name!r}; "
                f"{_EXPECTED}"
            )
        file.seek(0)
        beginning = file.read(4)
        if not b"PK\x03\x04".startswith(beginning) and any(beginning):
            raise NoRecording(
                f"{self.path} is not a recording: it begins with {beginning!r}; {_EXPECTED}"
            )
        if self._head:  # it was there before
            raise BlockingIOError(f"{self.path} was emptied; what comes is read on")

    def _begin(self, head: bytes) -> None:
        try:
            header = dict(json.loads(head))
            version, run = int(header["version"]), str(header["id"])
            is_ours = header["format"] == FORMAT
            header |= {name: str(header.get(name, "")) for name in _WORDS}
        except Exception as error:
            raise NoRecording(f"{self.path} is not a recording: {error!r}; {_EXPECTED}") from error
        if not is_ours:
            raise NoRecording(
                f"{self.path} is not a recording, but of the format {header['format']!r}; "
                f"{_EXPECTED}"
            )
        if version > VERSION:
            raise ValueError(
                f"{self.path} is a recording of version {version}, written by kan_widgets "
                f"{header['kan_widgets']}; up to version {VERSION} can "
                "be read here: install a later kan_widgets"
            )
        if self.header and self.header["id"] != run:
            raise ValueError(
                f"{self.path}: another run is recorded there now; call follow or replay again to "
                "see it"
            )
        self.header, self._head = header, head

    def _decode(self, number: int, kind: str, data: bytes) -> list[Record]:
        if kind in ("table.npy", "index.npy", "array.npy"):
            self._arrays[number] = _array(data)
        elif kind == "layout.json":
            content = _json(data)
            layers = [self._layer(raw) for raw in content["layers"]]
            beside = [
                Vector(str(raw["name"]), int(raw["size"])) for raw in content.get("beside", ())
            ]
            layout = new_layout(layers, beside)
            ends = [*accumulate(layer.length for layer in layout.layers)]
            if [layer.offset for layer in layout.layers] != [0, *ends[:-1]]:
                raise ValueError("its layers do not lie one after the other")
            self._layouts[number], self.parameters = layout, _parameters(content.get("parameters"))
        elif kind == "frame.npy":
            return [self._frame(_array(data))]
        elif kind == "series.json":
            self._series[number] = str(_json(data)["name"])
        elif kind == "values.npy":
            return self._values(_array(data))
        elif kind == "mark.json":
            content = _json(data)
            return [Mark(int(content["step"]), str(content["text"]))]
        elif kind == "observed.json":
            return [self._observed(_json(data)["layers"])]
        elif kind == "network.json":
            return [structure_from(_json(data))]
        elif kind == "probe.json":
            return [self._probed(_json(data))]
        elif kind == "activity.json":
            return [self._activations(_json(data))]
        elif kind == "status.json":
            return [status_from(json.loads(data))]
        return []

    def _frame(self, record: NDArray[Any]) -> Frame:
        layout = self._layouts[int(record["layout"])]
        known = [name for name in ("data", "beside") if name in (record.dtype.names or ())]
        data = np.concatenate([record[name].reshape(-1) for name in known]).astype(np.float32)
        if len(data) != layout.size:
            raise ValueError(f"it has {len(data)} numbers where its layout has {layout.size}")
        data.flags.writeable = False
        return Frame(int(record["step"]), layout, data)

    def _values(self, rows: NDArray[Any]) -> list[Record]:
        return [
            Values(
                self._series[int(series)],
                rows["step"][of_series].astype(np.int64),
                rows["value"][of_series].astype(np.float64),
            )
            for series in dict.fromkeys(rows["series"].tolist())
            for of_series in [rows["series"] == series]
        ]

    def _observed(self, layers: list[dict[str, Any]]) -> Observed:
        found = {}
        for raw in layers:
            numbers = raw["arrays"]
            arrays = {
                name: self._arrays[numbers[name]].astype(np.float32)
                for name in ARRAYS
                if name in numbers
            }
            fold = raw.get("fold")
            seen = Observation(
                layer=str(raw["layer"]),
                samples=int(raw["samples"]),
                is_image=bool(raw["is_image"]),
                fold=None if fold is None else (int(fold[0]), int(fold[1]), int(fold[2])),
                nan_inputs=int(raw.get("nan_inputs", 0)),
                step=raw.get("step"),
                maps=arrays.get("maps"),
                images=None,
                **{name: arrays[name] for name in ARRAYS if name != "maps"},
            )
            if not _fits(seen):
                raise ValueError(f"what was observed of {seen.layer!r} does not fit together")
            found[seen.layer] = seen
            for number in numbers.values():
                del self._arrays[number]
        return Observed(found)

    def _probed(self, raw: dict[str, Any]) -> Probed:
        if raw["inputs"] is None:
            return Probed(None)
        inputs = self._arrays.pop(raw["inputs"]).astype(np.float32)
        labels = raw["labels"]
        if labels is not None and len(labels) != len(inputs):
            raise ValueError(f"{len(labels)} labels for {len(inputs)} examples")
        return Probed(Probe(inputs, None if labels is None else tuple(map(int, labels))))

    def _activations(self, raw: dict[str, Any]) -> Activations:
        data, more = (self._arrays.pop(raw[name]) for name in ("data", "more"))
        layout = self._layouts[int(raw["layout"])]
        return unpacked(raw, data.astype(np.uint8), more.astype(np.float32), layout.version)

    def _layer(self, raw: dict[str, Any]) -> LayerLayout:
        tables = tuple(self._table(table) for table in raw["tables"])
        out, in_, kh, kw = map(int, raw["shape"])
        conv = raw["conv"]
        table_of = None
        if raw["table_of"] is not None:
            table_of = self._arrays[raw["table_of"]].astype(np.uint32)
            if table_of.shape != (out * in_ * kh * kw,) or table_of.max() >= len(tables):
                raise ValueError(f"the tables of {raw['name']!r} do not fit its functions")
        layer = LayerLayout(
            name=str(raw["name"]),
            kind=raw["kind"],
            type=str(raw["type"]),
            shape=(out, in_, kh, kw),
            nb=int(raw["nb"]),
            offset=int(raw["offset"]),
            labels=tuple(map(str, raw["labels"])),
            is_base=tuple(map(bool, raw["is_base"])),
            domain=_pair(raw["domain"]),
            extent=_pair(raw["extent"]),
            knots=tuple(map(float, raw["knots"])),
            variable=str(raw["variable"]),
            note=str(raw["note"]),
            conv=conv and ConvSettings(**{name: _settled(conv[name]) for name in conv}),
            locked=_LOCKED,
            tables=tables,
            table_of=table_of,
            names=tuple(map(str, raw.get("names", ()))),
            input_names=tuple(map(str, raw.get("input_names", ()))),
        )
        sizes = {layer.nb, len(layer.labels), len(layer.is_base)}
        sizes |= {table.values.shape[1] for table in tables}
        named = len(layer.names) in (0, out) and len(layer.input_names) in (0, in_)
        if len(sizes) > 1 or not tables or min(layer.shape) < 1 or not named:
            raise ValueError(f"the parts of layer {layer.name!r} do not fit together")
        return layer

    def _table(self, raw: dict[str, Any]) -> Table:
        domain, extent = _pair(raw["domain"]), _pair(raw["extent"])
        knots = tuple(map(float, raw["knots"]))
        key = int(raw["record"]), domain, extent, knots
        if key not in self._tables:
            columns = self._arrays[key[0]]
            if columns.ndim != 2 or columns.shape[1] < 2 or not len(columns):
                raise ValueError(f"record {key[0]} is not a table: its shape is {columns.shape}")
            x, values = (
                np.ascontiguousarray(part, dtype=np.float32)
                for part in (columns[:, 0], columns[:, 1:])
            )
            self._tables[key] = Table(x, values, domain, extent, knots)
        return self._tables[key]


def _array(data: bytes) -> NDArray[Any]:
    """Read a ``.npy`` file from memory; nothing larger than it is made."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in read:
        raise ValueError(f"a .npy file of version {version}")
    shape, is_fortran, dtype = read[version](file)
    if dtype.hasobject or is_fortran:
        raise ValueError(f"an array of {dtype}, in an order that recordings do not use")
    return np.frombuffer(data, dtype, math.prod(shape), file.tell()).reshape(shape)


def _fits(seen: Observation) -> bool:
    entries, bins = seen.counts.shape
    return (
        seen.edges.shape == (bins + 1,)
        and seen.outside_domain.shape == seen.outside_extent.shape == (entries,)
        and seen.patches.shape == (len(seen.patches), entries)
        and (seen.maps is None or seen.maps.ndim == 4)
    )


def _parameters(raw: Any) -> dict[str, Any] | None:
    """Return what a layout says of the parameters; see `writer.parameters_of`."""
    if raw is None:
        return None
    return {
        "total": int(raw["total"]),
        "parts": [
            {
                "name": str(part["name"]),
                "sizes": {str(name): int(size) for name, size in part["sizes"].items()},
                "layers": [
                    {
                        "type": str(layer["type"]),
                        "kind": str(layer["kind"]),
                        "shape": list(map(int, layer["shape"])),
                        "shared": bool(layer["shared"]),
                        "is_base": list(map(bool, layer["is_base"])),
                        "knots": list(map(float, layer["knots"])),
                    }
                    for layer in part["layers"]
                ],
            }
            for part in raw["parts"]
        ],
    }


def _json(data: bytes) -> Any:
    """Read JSON; NaN and the like, which it has not, are as nothing."""
    return json.loads(data, parse_constant=lambda _: None)


def _pair(values: Sequence[Any]) -> tuple[float, float]:
    low, high = values
    return float(low), float(high)


def _settled(value: Any) -> Any:
    """Return a setting of a convolution as it was, not as JSON has it."""
    return tuple(value) if isinstance(value, list) else value
