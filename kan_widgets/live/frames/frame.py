"""Frames: the coefficients of all bound layers at a step, those kept of a run; edits of one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from kan_widgets.arrays import Float32, Float64
from kan_widgets.live.frames.layout import LayerLayout, Layout, in_a_row


@dataclass(frozen=True, eq=False)
class Frame:
    """The coefficients of all layers of ``layout`` after ``step`` optimizer steps.

    ``data`` is one read-only float32 array, a copy: later training does not change it. After the
    coefficients come the vectors ``layout.beside``, as they were at the same step.
    """

    step: int
    layout: Layout
    data: Float32

    @property
    def nbytes(self) -> int:
        """Bytes of all its numbers."""
        return self.data.nbytes

    @property
    def beside(self) -> Float32:
        """The vectors that come after the coefficients, as a view."""
        return self.data[len(self.data) - self.layout.size + self.layout.coefficients :]

    def coefficients(self, name: str) -> Float32:
        """Return one layer's coefficients, ``(out, in, kh, kw, nb)``, as a view.

        Raises
        ------
        KeyError
            If there is no such layer.
        """
        layer = self.layout.layer(name)
        return self.rows(layer).reshape(*layer.shape, layer.nb)

    def rows(self, layer: LayerLayout) -> Float32:
        """Return the coefficients of a layer of its layout, ``(functions, nb)``, as a view."""
        part = self.data[layer.offset : layer.offset + layer.length]
        return part.reshape(layer.count, layer.nb)

    def evaluate(self, name: str) -> tuple[Float32, Float32]:
        """Return one layer's functions at the sample points of its table.

        Returns
        -------
        x, y
            ``(P,)`` and ``(out, in, kh, kw, P)``.

        Raises
        ------
        KeyError
            If there is no such layer.
        ValueError
            If its functions do not share one table.
        """
        layer = self.layout.layer(name)
        if layer.table_of is not None:
            raise ValueError(f"{name}: its functions use {len(layer.tables)} different tables")
        table = layer.tables[0]
        return table.x, self.coefficients(name) @ table.values.T


def sliced(frame: Frame, names: Collection[str]) -> Frame:
    """Return a frame of some of its layers."""
    layers = [layer for layer in frame.layout.layers if layer.name in names]
    if len(layers) == len(frame.layout.layers):
        return frame
    parts = [frame.data[layer.offset : layer.offset + layer.length] for layer in layers]
    data = parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else frame.data[:0]
    layout = Layout(frame.layout.version, in_a_row(layers), frame.layout.is_cut)
    return Frame(frame.step, layout, data)


class _Taken(Protocol):
    """What is taken at a step, and how many bytes it has."""

    @property
    def step(self) -> int: ...
    @property
    def nbytes(self) -> int: ...


Item = TypeVar("Item", bound=_Taken)


class Thinned(Generic[Item]):
    """Things in the order of their steps, thinned evenly when over budget.

    The first and the last are always kept, even if they alone exceed the budget. When it is
    reached, the least distance in steps between those kept is doubled until they fit: they stay
    evenly spread over the whole run.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._kept: list[Item] = []
        self._bytes = 0
        self._gap = 1
        self._was_cut = False  # the last is from before a cut: one of the same step replaces it
        self._lock = threading.Lock()

    def _cost(self, item: Item, before: Item | None) -> int:
        """Return the bytes that keeping it takes, after another one."""
        return item.nbytes

    def append(self, item: Item) -> None:
        """Add one; of the same step as the last, it takes that one's place."""
        with self._lock:
            kept = self._kept
            if self._was_cut and kept and kept[-1].step >= item.step:
                self._bytes -= self._cost(kept.pop(), kept[-1] if kept else None)
            self._was_cut = False
            if len(kept) > 1 and (
                kept[-1].step >= item.step or kept[-1].step - kept[-2].step < self._gap
            ):  # the same step again, or kept only because it was the last
                self._bytes -= self._cost(kept.pop(), kept[-1])
            self._bytes += self._cost(item, kept[-1] if kept else None)
            kept.append(item)
            if self._bytes > self.max_bytes:
                steps = [each.step for each in kept]
                places, self._gap = fitting(steps, self._fits, self._gap)
                kept[:] = [kept[place] for place in places]
                self._bytes = self._cost_of(kept)

    def cut(self, step: int) -> None:
        """Forget what was taken after a step."""
        with self._lock:
            self._kept = [each for each in self._kept if each.step <= step]
            self._was_cut = True
            self._bytes = self._cost_of(self._kept)

    def _fits(self, places: list[int]) -> bool:
        return self._cost_of([self._kept[place] for place in places]) <= self.max_bytes

    def _cost_of(self, items: list[Item]) -> int:
        return sum(map(self._cost, items, [None, *items[:-1]]))

    def _all(self) -> list[Item]:
        with self._lock:
            return list(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._all())

    def __getitem__(self, index: int) -> Item:
        return self._kept[index]

    def __repr__(self) -> str:
        steps = self.steps
        span = f", steps {steps[0]} to {steps[-1]}" if len(steps) else ""
        return f"{type(self).__name__}({len(steps)} kept{span}, {self.nbytes / 1e6:.1f} MB)"

    @property
    def steps(self) -> NDArray[np.int64]:
        """The training steps of all kept, never falling."""
        return np.array([each.step for each in self._all()], dtype=np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes of all kept."""
        return self._bytes


class History(Thinned[Frame]):
    """Frames in the order of their steps, thinned evenly when over budget.

    Parameters
    ----------
    max_bytes
        The budget for coefficients and basis tables. The first frame (the initialisation) and the
        latest are always kept.
    """

    def _cost(self, item: Frame, before: Frame | None) -> int:
        """Count its tables too, where it has its own."""
        own_tables = before is None or before.layout is not item.layout
        return item.nbytes + (item.layout.nbytes if own_tables else 0)

    @property
    def latest(self) -> Frame:
        """The frame added last.

        Raises
        ------
        LookupError
            If the history is empty.
        """
        if not self._kept:
            raise LookupError("the history is empty")
        return self._kept[-1]

    def at(self, step: int) -> Frame:
        """Return the last frame taken at or before ``step``, or the first if none was.

        Raises
        ------
        LookupError
            If the history is empty.
        """
        frames = self._all()
        if not frames:
            raise LookupError("the history is empty")
        return next((frame for frame in reversed(frames) if frame.step <= step), frames[0])

    def coefficients(self, name: str) -> Float32:
        """Return one layer's coefficients over time, ``(frames, out, in, kh, kw, nb)``.

        Raises
        ------
        KeyError
            If there is no such layer.
        ValueError
            If the layer's basis changed its size on the way: take the frames
            one by one then.
        """
        parts = [frame.coefficients(name) for frame in self]
        if len({part.shape for part in parts}) > 1:
            raise ValueError(f"{name} changed its basis during this history: read frame by frame")
        return np.stack(parts)


def fitting(
    steps: Sequence[int], fits: Callable[[list[int]], bool], gap: int = 0
) -> tuple[list[int], int]:
    """Thin steps until what is kept of them fits: the gap between them is doubled each time.

    The first and the last step are always kept, even where they alone do not fit. ``fits`` says of
    the places that would be kept whether they are few enough; ``gap`` is the one that the steps,
    which rise, have been thinned to before. Returns the places to keep, and the gap that later ones
    should have.

    Examples
    --------
    >>> fitting(range(10), lambda places: len(places) <= 4)
    ([0, 4, 8, 9], 4)
    """
    kept = list(range(len(steps)))
    while len(kept) > 2 and not fits(kept):
        # A gap this large keeps about half of them.
        gap = max(2 * gap, 2 * ((steps[-1] - steps[0]) // (len(kept) - 1)), 1)
        apart = [0]
        for place in range(1, len(steps) - 1):
            if steps[place] - steps[apart[-1]] >= gap:
                apart.append(place)
        kept = [*apart, kept[-1]]
    return kept, gap


def aligned(steps: Sequence[int], fits: Callable[[list[int]], bool]) -> tuple[list[int], int]:
    """Thin steps as `fitting` does, so that of others, thinned less, the same are among them.

    Of each stretch as long as the gap, a power of two, the first step stays.

    Examples
    --------
    >>> aligned(range(10), lambda places: len(places) <= 4)
    ([0, 4, 8, 9], 4)
    """
    kept, gap = list(range(len(steps))), 1
    while len(kept) > 2 and not fits(kept):
        gap *= 2
        first = {steps[place] // gap: place for place in reversed(range(len(steps)))}
        kept = sorted({*first.values(), len(steps) - 1})
    return kept, gap


def spread(steps: Sequence[int], count: int) -> list[int]:
    """Return the places of about ``count`` steps, those nearest to evenly spaced ones.

    Examples
    --------
    >>> spread([0, 1, 2, 3, 50, 98, 100], count=3)
    [0, 4, 6]
    """
    known = np.asarray(steps)
    wanted = np.linspace(known[0], known[-1], max(2, count))
    return sorted({int(np.abs(known - step).argmin()) for step in wanted})


# A function's place in its layer: output, input, row, column.
FunctionIndex = tuple[int, int, int, int]


def place_in_layer(layer: str, shape: FunctionIndex, index: Sequence[int]) -> FunctionIndex:
    """Return the place of a function; (out, in) will do for a linear layer.

    Raises `IndexError` if there is no such function; the message gives the layer's shape.
    """
    place = tuple(int(i) for i in index)
    place = (*place, 0, 0) if len(place) == 2 and shape[2:] == (1, 1) else place
    if len(place) != 4 or any(not 0 <= i < n for i, n in zip(place, shape, strict=True)):
        raise IndexError(f"index={tuple(index)}: {layer} has {' × '.join(map(str, shape))}")
    return place


@dataclass(frozen=True, eq=False)
class Edit:
    """One function's coefficients before and after a change."""

    layer: str
    index: FunctionIndex
    before: Float64
    after: Float64
    step: int
    final: bool = True
    """False while a gesture goes on, such as a point that is still held."""
    holds: bool = False
    """Whether it made training leave the function as it is; see ``Edits.fix``."""

    def reversed(self) -> Edit:
        """Return the edit that takes this one back."""
        return Edit(self.layer, self.index, self.after, self.before, self.step)
