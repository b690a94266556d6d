"""Read a recording, as far as it is written; `format` beside this says what is in it."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.arrays import Float64, Int64
from kan_widgets.functions.layer_settings import ConvSettings, Split
from kan_widgets.live.frames.activations import Activations, Probe, unpacked
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import LayerLayout, Layout, Table, Vector, new_layout
from kan_widgets.live.frames.observation import ARRAYS, Observation
from kan_widgets.live.frames.scalars import Mark
from kan_widgets.live.frames.structure import Structure, structure_from
from kan_widgets.live.recordings.format import (
    FORMAT,
    VERSION,
    Status,
    fields_of,
    status_from,
)
from kan_widgets.live.recordings.places import PathLike, Place
from kan_widgets.live.recordings.segments import HEADER, Stored, record_of

_EXPECTED = "expected what is written by live.save(path) or live.record(path)"
_WORDS = ("id", "model", "kan_widgets", "started")
_LOCKED = "This is a recording: there is no model to change. Bind the model itself to edit it."


@dataclass(frozen=True)
class Logged:
    """Values of one series, in the order they were logged."""

    name: str
    steps: Int64
    values: Float64


@dataclass(frozen=True)
class ObservedInputs:
    """The inputs of the layers for a batch."""

    layers: dict[str, Observation]


@dataclass(frozen=True)
class Probed:
    """The examples traced from here on."""

    probe: Probe | None


@dataclass(frozen=True)
class Seam:
    """A process goes on with the run: what was trained after the step is trained again."""

    step: int
    words: str


@dataclass(frozen=True)
class NewJob:
    """Processes that train together begin; what comes is of their job."""

    number: int
    world: int


class NoRecording(ValueError):
    """Another kind of file."""


Record = (
    Frame
    | Logged
    | Mark
    | Status
    | Seam
    | NewJob
    | ObservedInputs
    | Structure
    | Probed
    | Activations
)


class Reader:
    """Reads a recording, as far as it is written, and later what has come since."""

    def __init__(
        self, path: PathLike, seen: Callable[[int, str, int], object] = lambda *record: None
    ) -> None:
        self.place = Place(path)
        self.stored = Stored(self.place)
        self.header: dict[str, Any] = {}
        self._seen = seen  # is told the number, the kind and the bytes of each record
        self.last = 0
        """The number of the record read last."""
        self.parameters: dict[str, Any] | None = None
        """Parameters as the layout read last describes them."""
        self._arrays: dict[int, NDArray[Any]] = {}
        self._tables: dict[tuple[Any, ...], Table] = {}
        self._layouts: dict[int, Layout] = {}
        self._series: dict[int, str] = {}

    def read(self) -> Iterator[Record]:
        """Read what has come since the last call.

        Raises
        ------
        OSError
            If it cannot be read at the moment.
        ValueError
            If it is no recording, damaged, one of a later version, or another run's than before.
        """
        pieces = self.stored.read()
        name, head = next(pieces, ("", b""))
        if name != HEADER:
            self._refuse(name)
            return
        self.begin(head)
        for name, data in pieces:
            number, kind = record_of(name)
            if not number:
                continue
            self._seen(number, kind, len(data))
            with self.reading(name):
                records = self._decode(number, kind, data)
            self.last = number
            yield from records

    @contextmanager
    def reading(self, record: str) -> Iterator[None]:
        """Raise `ValueError`, the recording is damaged, whatever the block raises."""
        try:
            yield
        except Exception as error:
            raise ValueError(
                f"{self.place}: record {record} is damaged: {type(error).__name__}: {error}. Copy "
                "it again from where it was written, or make another recording of the run"
            ) from error

    def _refuse(self, name: str) -> None:
        """Raise if this is surely no recording, rather than one that has not begun yet."""
        if name or (self.stored.damage and not self.header):
            what = f"it is an archive that begins with {name!r}" if name else self.stored.damage
            raise NoRecording(f"{self.place} is not a recording: {what}; {_EXPECTED}")
        if self.header:  # it was there before
            raise BlockingIOError(f"{self.place} was emptied; what comes is read on")

    def begin(self, head: bytes) -> None:
        """Read the header. Raises `ValueError` if it is no recording that can be read here."""
        try:
            header = dict(json.loads(head))
            version, run = int(header["version"]), str(header["id"])
            is_ours = header["format"] == FORMAT
            header |= {name: str(header.get(name, "")) for name in _WORDS}
        except Exception as error:
            raise NoRecording(f"{self.place} is not a recording: {error!r}; {_EXPECTED}") from error
        if not is_ours:
            raise NoRecording(
                f"{self.place} is not a recording, but of the format {header['format']!r}; "
                f"{_EXPECTED}"
            )
        if version > VERSION:
            raise ValueError(
                f"{self.place} is a recording of version {version}, written by kan_widgets "
                f"{header['kan_widgets']}; up to version {VERSION} can "
                "be read here: install a later kan_widgets"
            )
        if self.header and self.header["id"] != run:
            raise ValueError(
                f"{self.place}: another run is recorded there now; call follow or replay again to "
                "see it"
            )
        self.header = header

    def _decode(self, number: int, kind: str, data: bytes) -> list[Record]:
        if kind in ("table.npy", "index.npy", "array.npy"):
            self._arrays[number] = _array_of(data)
        elif kind == "layout.json":
            content = _json(data)
            layers = [self._layer(raw) for raw in content["layers"]]
            beside = [
                Vector(str(raw["name"]), int(raw["size"])) for raw in content.get("beside", ())
            ]
            layout = new_layout(layers, beside)
            if [one.offset for one in layers] != [one.offset for one in layout.layers]:
                raise ValueError("its layers do not lie one after the other")
            self._layouts[number], self.parameters = layout, content.get("parameters")
        elif kind == "frame.npy":
            return [self._frame(_array_of(data))]
        elif kind == "series.json":
            self._series[number] = str(_json(data)["name"])
        elif kind == "values.npy":
            return self._values(_array_of(data))
        elif kind == "mark.json":
            content = _json(data)
            return [Mark(int(content["step"]), str(content["text"]))]
        elif kind == "seam.json":
            content = _json(data)
            who = f"process {content['process']} on {content['host']} goes on"
            return [Seam(int(content["step"]), who)]
        elif kind == "job.json":
            content = _json(data)
            return [NewJob(int(content["job"]), int(content["world"]))]
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
            Logged(
                self._series[int(series)],
                rows["step"][of_series].astype(np.int64),
                rows["value"][of_series].astype(np.float64),
            )
            for series in dict.fromkeys(rows["series"].tolist())
            for of_series in [rows["series"] == series]
        ]

    def _observed(self, layers: list[dict[str, Any]]) -> ObservedInputs:
        observed = {}
        for raw in layers:
            numbers = raw["arrays"]
            arrays = {
                name: self._arrays[numbers[name]].astype(np.float32)
                for name in ARRAYS
                if name in numbers
            }
            fields = fields_of(Observation, raw, *ARRAYS, "images")
            inputs = Observation(**{"maps": None} | arrays | fields)
            if not _fits(inputs):
                raise ValueError(f"what was observed of {inputs.layer!r} does not fit together")
            observed[inputs.layer] = inputs
            for number in numbers.values():
                del self._arrays[number]
        return ObservedInputs(observed)

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
        conv, split, table_of = raw["conv"], raw.get("split"), None
        if raw["table_of"] is not None:
            table_of = self._arrays[raw["table_of"]].astype(np.uint32)
        left = "conv", "split", "tables", "table_of", "locked", "window"
        layer = LayerLayout(
            **fields_of(LayerLayout, raw, *left),
            conv=conv and ConvSettings(**fields_of(ConvSettings, conv)),
            locked=_LOCKED,
            tables=tables,
            table_of=table_of,
            split=split and Split(**fields_of(Split, split | {"in_": split["in"]})),
        )
        if table_of is not None and (
            table_of.shape != (layer.count,) or table_of.max() >= len(tables)
        ):
            raise ValueError(f"the tables of {layer.name!r} do not fit its functions")
        out, in_ = layer.shape[:2]
        sizes = {layer.nb, len(layer.labels), len(layer.is_base)}
        sizes |= {table.values.shape[1] for table in tables}
        named = len(layer.names) in (0, out) and len(layer.input_names) in (0, in_)
        if len(sizes) > 1 or not tables or min(layer.shape) < 1 or not named:
            raise ValueError(f"the parts of layer {layer.name!r} do not fit together")
        return layer

    def _table(self, raw: dict[str, Any]) -> Table:
        fields = fields_of(Table, raw, "x", "values")
        key = int(raw["record"]), *fields.values()
        if key not in self._tables:
            columns = self._arrays[key[0]]
            if columns.ndim != 2 or columns.shape[1] < 2 or not len(columns):
                raise ValueError(f"record {key[0]} is not a table: its shape is {columns.shape}")
            x, values = (
                np.ascontiguousarray(part, dtype=np.float32)
                for part in (columns[:, 0], columns[:, 1:])
            )
            self._tables[key] = Table(x, values, **fields)
        return self._tables[key]


def _array_of(data: bytes) -> NDArray[Any]:
    """Read a ``.npy`` file from memory."""
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)


def _fits(observation: Observation) -> bool:
    entries, bins = observation.counts.shape
    return (
        observation.edges.shape == (bins + 1,)
        and observation.outside_domain.shape == observation.outside_extent.shape == (entries,)
        and observation.patches.shape == (len(observation.patches), entries)
        and (observation.maps is None or observation.maps.ndim == 4)
    )


def _json(data: bytes) -> Any:
    """Read JSON; NaN and infinities, which JSON has not, are ``None``."""
    return json.loads(data, parse_constant=lambda _: None)
