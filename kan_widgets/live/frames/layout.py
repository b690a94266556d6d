"""What it takes to read a frame: the layers' shapes and their basis tables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kan_widgets.arrays import Float32
from kan_widgets.checks import nearest_word

if TYPE_CHECKING:
    import torch

    from kan_widgets.functions import ConvSettings, LayerFunctions
    from kan_widgets.functions.basis import ReadBasis
    from kan_widgets.functions.layer_settings import Split


_POINTS_PER_INTERVAL = 16
_MAX_POINTS = 400
_versions = itertools.count(1)
_POINTS_WITHOUT_KNOTS = 128
_MAX_POINTS_WITHOUT_KNOTS = 4096
# What a layout has of a layer as that was read.
_AS_READ = "name kind type shape nb is_base domain extent variable note conv split".split()


@dataclass(frozen=True, eq=False)
class Table:
    """β of one basis at sample points: ``x`` is ``(P,)`` ascending, ``values`` ``(P, nb)``."""

    x: Float32
    values: Float32
    domain: tuple[float, float] = (-1.0, 1.0)
    extent: tuple[float, float] = (-1.0, 1.0)
    knots: tuple[float, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for equal tables."""
        return self.x.tobytes(), self.values.tobytes(), self.domain, self.extent, self.knots


@dataclass(frozen=True)
class Window:
    """Where the functions of a layer lie in the whole layer, of which they are a part."""

    whole: tuple[int, int, int, int]
    """Out, in, kh, kw of the whole layer."""
    out: int
    """The first output."""
    in_: int
    """The first input, or input channel of a group."""


class Names(NamedTuple):
    """What the outputs and the inputs of a layer are called; empty where they have numbers only."""

    outputs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()


class Vector(NamedTuple):
    """Numbers that a frame has beside coefficients: a bias, or the scale or statistics of a norm.

    They follow the coefficients, one vector after the other.
    """

    name: str
    """Path of the parameter or buffer in the model."""
    size: int


@dataclass(frozen=True, eq=False)
class LayerLayout:
    """Where one layer lies in a frame, and the tables that turn it into curves.

    Functions are numbered row-major, f = ((o·in + i)·kh + r)·kw + c; coefficient
    b of function f is at ``offset + f·nb + b`` of the frame's data.
    """

    name: str
    kind: str
    type: str
    shape: tuple[int, int, int, int]
    nb: int
    offset: int
    labels: tuple[str, ...]
    is_base: tuple[bool, ...]
    domain: tuple[float, float]
    extent: tuple[float, float]
    knots: tuple[float, ...]
    variable: str
    note: str
    conv: ConvSettings | None
    locked: str
    tables: tuple[Table, ...]
    table_of: NDArray[np.uint32] | None
    window: Window | None = None
    """The part of the layer that is here, whose shape ``shape`` is; ``None`` for all of it."""
    names: tuple[str, ...] = ()
    """Names of the outputs of the whole layer; empty where they only have numbers."""
    input_names: tuple[str, ...] = ()
    """Names of its inputs."""
    split: Split | None = None
    """Where other processes have the rest of the layer."""

    @property
    def part(self) -> tuple[slice, slice]:
        """The outputs and the inputs that are here, of those of the whole layer."""
        out, in_ = (self.window.out, self.window.in_) if self.window is not None else (0, 0)
        return slice(out, out + self.shape[0]), slice(in_, in_ + self.shape[1])

    def sees(self, out: int, in_: int) -> bool:
        """Whether the functions from an input to an output are here."""
        rows, columns = self.part
        return out in range(rows.start, rows.stop) and in_ in range(columns.start, columns.stop)

    @property
    def count(self) -> int:
        """How many functions the layer has."""
        return int(math.prod(self.shape))

    @property
    def length(self) -> int:
        """How many floats the layer takes in a frame."""
        return self.count * self.nb

    def reads_as(self, other: LayerLayout) -> bool:
        """Whether this layer's coefficients can be read with ``other``."""
        return (
            (self.name, self.shape, self.nb, self.labels, self.domain, self.extent)
            == (other.name, other.shape, other.nb, other.labels, other.domain, other.extent)
            and len(self.tables) == len(other.tables)
            and all(a is b for a, b in zip(self.tables, other.tables, strict=True))
            and (
                np.array_equal(self.table_of, other.table_of)
                if self.table_of is not None and other.table_of is not None
                else self.table_of is other.table_of
            )
        )


@dataclass(frozen=True, eq=False)
class Layout:
    """All bound layers, as long as neither their shapes nor their bases change.

    No two layouts of a process have the same ``version``; a later one has a larger.
    """

    version: int
    layers: tuple[LayerLayout, ...]
    is_cut: bool = False
    """Whether it has windows of layers, of which it has not all functions."""
    beside: tuple[Vector, ...] = ()

    @cached_property
    def coefficients(self) -> int:
        """Coefficients in a frame."""
        return sum(layer.length for layer in self.layers)

    @cached_property
    def size(self) -> int:
        """Floats in a frame."""
        return self.coefficients + sum(vector.size for vector in self.beside)

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables, each once."""
        return tuple({id(t): t for layer in self.layers for t in layer.tables}.values())

    @property
    def nbytes(self) -> int:
        """Bytes of the tables."""
        return sum(table.x.nbytes + table.values.nbytes for table in self.tables)

    @property
    def names(self) -> tuple[str, ...]:
        """The layers' names, in order."""
        return tuple(layer.name for layer in self.layers)

    def reads_as(self, other: Layout) -> bool:
        """Whether frames of this layout can be read with ``other``."""
        return (
            len(self.layers) == len(other.layers)
            and self.beside == other.beside
            and all(map(LayerLayout.reads_as, self.layers, other.layers))
        )

    def layer(self, name: str) -> LayerLayout:
        """Return the layer called ``name``.

        Raises
        ------
        KeyError
            If there is none; the message lists the names, and says which is nearest.
        """
        for layer in self.layers:
            if layer.name == name:
                return layer
        known = ", ".join(map(repr, self.names))
        raise KeyError(
            f"no layer {name!r}; the layers are {known}.{nearest_word(name, self.names)}"
        )


def sample_points(basis: ReadBasis) -> NDArray[np.float64]:
    """Points that draw ``basis`` well over its extent, ascending.

    Every knot is a point, so are −1, 0 and 1, and each interval between them is
    divided evenly: 16-fold, less for very fine grids, but never so little that a
    polynomial through an interval's points would not be the spline (up to order 5);
    without knots into about as many points as the basis asks for. Where β jumps at
    knots, the floats just below and just above each are points too.
    """
    low, high = basis.extent
    # Where images are −1 to 1, those are dark and bright, whatever the domain.
    marks = [low, high, -1.0, 0.0, 1.0, *basis.domain]
    edges = np.array(marks + [k for k in basis.knots if low <= k <= high], dtype=np.float32)
    edges = np.unique(edges).astype(np.float64)
    # Marks and knots that agree but for rounding are one edge.
    edges = edges[np.append(True, np.diff(edges) > 1e-6 * (edges[-1] - edges[0]))]
    intervals = len(edges) - 1
    # The browser reads φ off between points by a polynomial through the six nearest that no
    # knot parts: a spline of order k needs k + 1. There are k + 1 more knots than splines.
    order = len(basis.knots) - 1 - basis.is_base.count(False)
    fewest = max(3, min(order, 5))
    divisions = [max(fewest, min(_POINTS_PER_INTERVAL, _MAX_POINTS // intervals))] * intervals
    if not basis.knots:
        points = getattr(basis, "points", _POINTS_WITHOUT_KNOTS)
        share = np.diff(edges) / (edges[-1] - edges[0])
        divisions = [max(2, round(s * min(points, _MAX_POINTS_WITHOUT_KNOTS))) for s in share]
    starts, widths, counts = edges[:-1], np.diff(edges), np.array(divisions)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    parts = [np.repeat(starts, counts) + np.repeat(widths / counts, counts) * within]
    if not getattr(basis, "continuous", True):
        # A knot rounded to float32 may lie on either side of the jump.
        for side in (-np.inf, np.inf):
            beside = np.nextafter(edges[1:-1].astype(np.float32), np.float32(side))
            parts.append(beside.astype(np.float64))
    points = np.concatenate([*parts, edges[-1:]])
    return np.unique(points.astype(np.float32)).astype(np.float64)


def sample(basis: ReadBasis) -> Table:
    """Tabulate a basis on the CPU, in double precision where it computes in any precision."""
    import torch

    x = sample_points(basis)
    with torch._C._DisableAutocast():
        values = basis(torch.from_numpy(x)).detach().numpy()
    return Table(
        x.astype(np.float32),
        np.ascontiguousarray(values, dtype=np.float32),
        basis.domain,
        basis.extent,
        basis.knots,
    )


def build_layout(
    layers: Sequence[LayerFunctions],
    before: Layout | None = None,
    names: Mapping[str, Names] = MappingProxyType({}),
    beside: Sequence[Vector] = (),
) -> Layout:
    """Tabulate the bases of ``layers`` and number their coefficients.

    ``names`` are by the layer. Returns ``before`` itself if frames of ``layers``
    can be read with it, and if it has the same names.
    """
    by_values = {table.key: table for table in (before.tables if before is not None else ())}
    by_basis: dict[ReadBasis, Table] = {}

    def table(basis: ReadBasis) -> Table:
        if (shared := by_basis.get(basis)) is None:
            sampled = sample(basis)
            # One object for equal tables, so that they cross the wire once.
            shared = by_basis[basis] = by_values.setdefault(sampled.key, sampled)
        return shared

    described = []
    for layer in layers:
        index, named = layer.basis_index, names.get(layer.name, Names())
        described.append(
            LayerLayout(
                **{field: getattr(layer, field) for field in _AS_READ},
                offset=0,
                labels=layer.basis_labels,
                knots=layer.bases[0].knots,
                locked=""
                if layer.write is not None
                else layer.locked or "This layer cannot be edited.",
                tables=tuple(table(basis) for basis in layer.bases),
                table_of=None
                if index is None
                else index.cpu().numpy().astype(np.uint32).reshape(-1),
                names=named.outputs,
                input_names=named.inputs,
            )
        )
    layout = new_layout(described, beside)
    if before is not None and layout.reads_as(before):
        if all(
            (new.names, new.input_names) == (old.names, old.input_names)
            for new, old in zip(layout.layers, before.layers, strict=True)
        ):
            return before
    return layout


def new_layout(
    layers: Iterable[LayerLayout], beside: Sequence[Vector] = (), *, is_cut: bool = False
) -> Layout:
    """Return a layout of a version later than all before."""
    return Layout(next(_versions), in_a_row(layers), is_cut, tuple(beside))


def in_a_row(layers: Iterable[LayerLayout]) -> tuple[LayerLayout, ...]:
    """Return layers whose coefficients lie one after the other in a frame."""
    offset, found = 0, []
    for layer in layers:
        found.append(replace(layer, offset=offset))
        offset += layer.length
    return tuple(found)


@dataclass(frozen=True, eq=False)
class LayoutKey:
    """Enough of the layers read for one frame to tell whether the next has the same layout."""

    shapes: tuple[torch.Size, ...]
    bases: tuple[tuple[ReadBasis, ...], ...]
    indices: tuple[torch.Tensor | None, ...]

    @classmethod
    def of(cls, layers: Sequence[LayerFunctions]) -> LayoutKey:
        """Take the key of layers just read."""
        return cls(
            tuple(layer.sizes for layer in layers),
            tuple(layer.bases for layer in layers),
            tuple(layer.basis_index for layer in layers),
        )

    def fits(self, other: LayoutKey) -> bool:
        """Whether the layout is surely the same; if not, `build_layout` decides."""
        from kan_widgets.functions.basis import one_of_each

        return (
            self.shapes == other.shapes
            and all(getattr(b, "fixed", True) for bases in other.bases for b in one_of_each(bases))
            and all(a is b or a == b for a, b in zip(self.bases, other.bases, strict=True))
            and all(
                a is b or (a is not None and b is not None and a.equal(b))
                for a, b in zip(self.indices, other.indices, strict=True)
            )
        )


def layer_dict(layer: LayerLayout, tables: list[dict[str, Any]], table_of: Any) -> dict[str, Any]:
    """Return the layer as the browser reads it, with its tables as given."""
    view = layer.window
    window = view and {"whole": list(view.whole), "out": view.out, "in": view.in_}
    fields = "name kind type shape nb offset labels is_base domain extent knots variable note"
    values = {field: getattr(layer, field) for field in fields.split()}
    return {
        **{name: list(v) if isinstance(v, tuple) else v for name, v in values.items()},
        "conv": None if layer.conv is None else asdict(layer.conv),
        "locked": layer.locked,
        "tables": tables,
        "table_of": table_of,
        **({"names": list(layer.names)} if layer.names else {}),
        **({"input_names": list(layer.input_names)} if layer.input_names else {}),
        **({"window": window} if window else {}),
    }


def vectors_of(beside: Mapping[str, torch.Tensor]) -> tuple[Vector, ...]:
    """Return the vectors beside the coefficients as a layout describes them, by their paths."""
    return tuple(Vector(name, vector.numel()) for name, vector in beside.items())
