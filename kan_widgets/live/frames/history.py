"""The frames kept within a memory budget, and which steps to keep when all are too many."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Float32


class History:
    """Frames in the order of their steps, thinned evenly when over budget.

    The first frame (the initialisation) and the latest are always kept, even if
    they alone exceed the budget. When the budget is reached, the least distance in
    steps between kept frames is doubled until they fit: they stay evenly spread
    over the whole run.

    Parameters
    ----------
    max_bytes
        The budget for coefficients and basis tables.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._kept: list[Frame] = []
        self._kept_bytes = 0
        self._latest: Frame | None = None
        self._gap = 0
        self._lock = threading.Lock()

    def append(self, frame: Frame) -> None:
        """Add a frame; one of the same step as the latest takes its place."""
        with self._lock:
            last = self._kept[-1] if self._kept else None
            if last is not None and len(self._kept) > 1 and last.step == frame.step:
                self._kept.pop()
                self._kept_bytes -= _cost(last, self._kept[-1])
                last = self._kept[-1]
            if last is None or frame.step - last.step >= max(self._gap, 1):
                self._kept.append(frame)
                self._kept_bytes += _cost(frame, last)
            self._latest = frame
            if len(self._kept) > 2 and self._kept_bytes > self.max_bytes:
                self._thin()
            if len(self._kept) == 2 and self._kept[1] is not frame:
                if self._kept_bytes + frame.nbytes > self.max_bytes:
                    self._kept_bytes -= _cost(self._kept.pop(), self._kept[0])

    def _thin(self) -> None:
        kept, steps = self._kept, [frame.step for frame in self._kept]
        while len(kept) > 2 and self._kept_bytes > self.max_bytes:
            self._gap = widened([frame.step for frame in kept], self._gap)
            kept = [self._kept[place] for place in apart(steps, self._gap)]
            self._kept_bytes = sum(map(_cost, kept, [None, *kept[:-1]]))
        self._kept = kept

    @property
    def latest(self) -> Frame:
        """The frame added last.

        Raises
        ------
        LookupError
            If the history is empty.
        """
        if self._latest is None:
            raise LookupError("the history is empty")
        return self._latest

    def _frames(self) -> list[Frame]:
        with self._lock:
            if self._latest is None or self._kept[-1] is self._latest:
                return list(self._kept)
            return [*self._kept, self._latest]

    def __len__(self) -> int:
        return len(self._frames())

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._frames())

    def __getitem__(self, index: int) -> Frame:
        return self._frames()[index]

    def __repr__(self) -> str:
        steps = self.steps
        span = f", steps {steps[0]} to {steps[-1]}" if len(steps) else ""
        return f"History({len(steps)} frames{span}, {self.nbytes / 1e6:.1f} MB)"

    @property
    def steps(self) -> NDArray[np.int64]:
        """The training steps of the frames, never falling."""
        return np.array([frame.step for frame in self._frames()], dtype=np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes of all kept coefficients and basis tables."""
        frames = self._frames()
        return sum(map(_cost, frames, [None, *frames[:-1]]))

    def at(self, step: int) -> Frame:
        """Return the last frame taken at or before ``step``, or the first if none was.

        Raises
        ------
        LookupError
            If the history is empty.
        """
        frames = self._frames()
        if not frames:
            raise LookupError("the history is empty")
        earlier = [frame for frame in frames if frame.step <= step]
        return earlier[-1] if earlier else frames[0]

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


def _cost(frame: Frame, before: Frame | None) -> int:
    """Bytes that keeping a frame takes: its tables too, where it has its own."""
    own_tables = before is None or before.layout is not frame.layout
    return frame.nbytes + (frame.layout.nbytes if own_tables else 0)


def apart(steps: Sequence[int], gap: int) -> list[int]:
    """Return the places of steps that are at least ``gap`` apart, from the first on.

    The steps rise. The last one is not kept for its own sake.

    Examples
    --------
    >>> apart([0, 1, 2, 5, 6, 9], gap=3)
    [0, 3, 5]
    """
    kept: list[int] = []
    for place, step in enumerate(steps):
        if not kept or step - steps[kept[-1]] >= gap:
            kept.append(place)
    return kept


def widened(steps: Sequence[int], gap: int) -> int:
    """Return the gap to thin steps with, so that about half of them stay: at least twice ``gap``.

    Examples
    --------
    >>> widened([0, 10, 20, 30], gap=1)
    20
    """
    span = steps[-1] - steps[0]
    return max(2 * gap, 2 * (span // max(1, len(steps) - 1)), 1)


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
    last = len(steps) - 1
    kept = list(range(len(steps)))
    while len(kept) > 2 and not fits(kept):
        gap = widened([steps[place] for place in kept], gap)
        kept = [*(place for place in apart(steps[:last], gap)), last]
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
