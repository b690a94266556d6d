"""Which of many frames or activations are kept, within a budget of bytes."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray


class _Taken(Protocol):
    """A frame, or the activations, of one step."""

    @property
    def step(self) -> int: ...
    @property
    def nbytes(self) -> int: ...


Item = TypeVar("Item", bound=_Taken)


class Thinned(Generic[Item]):
    """Frames or activations by rising steps, thinned evenly when over budget.

    The first and the last are always kept, even if they alone exceed the budget. When the budget
    is reached, the least distance in steps between those kept is doubled until they fit: they stay
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
        """Return the bytes that keeping ``item`` takes, where ``before`` is kept before it."""
        return item.nbytes

    def append(self, item: Item) -> None:
        """Add an item; it replaces the last one where both are of the same step."""
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
        """Forget the items after a step."""
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


def evenly_spaced(steps: Sequence[int], count: int) -> list[int]:
    """Return the places of about ``count`` steps, those nearest to evenly spaced ones.

    Examples
    --------
    >>> evenly_spaced([0, 1, 2, 3, 50, 98, 100], count=3)
    [0, 4, 6]
    """
    known = np.asarray(steps)
    wanted = np.linspace(known[0], known[-1], max(2, count))
    return sorted({int(np.abs(known - step).argmin()) for step in wanted})
