"""The frames kept, within a memory budget."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.frame import Frame
from kan_widgets.live.layout import Float32


class History:
    """Frames in the order of their steps, thinned evenly when over budget.

    The first frame (the initialisation) and the latest are always kept, even if
    they alone exceed the budget. When the budget is reached every second of the
    others is dropped, and from then on only every second new one is kept: the
    steps stay evenly spread over the whole run.

    Parameters
    ----------
    max_bytes
        The budget for coefficients.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._kept: list[Frame] = []
        self._kept_bytes = 0
        self._latest: Frame | None = None
        self._stride = 1
        self._arrivals = 0
        self._lock = threading.Lock()

    def append(self, frame: Frame) -> None:
        """Add a frame; one of the same step as the latest takes its place."""
        with self._lock:
            again = self._latest is not None and self._latest.step == frame.step
            self._latest = frame
            if again and self._kept[-1].step == frame.step:
                if len(self._kept) > 1:
                    self._kept_bytes += frame.nbytes - self._kept[-1].nbytes
                    self._kept[-1] = frame
                return
            if not again:
                self._arrivals += 1
                if (self._arrivals - 1) % self._stride == 0:
                    self._kept.append(frame)
                    self._kept_bytes += frame.nbytes
            while len(self._kept) > 2 and self._kept_bytes > self.max_bytes:
                self._kept = self._kept[::2]
                self._kept_bytes = sum(kept.nbytes for kept in self._kept)
                self._stride *= 2

    def _all(self) -> list[Frame]:
        tail = self._latest
        if tail is None or self._kept[-1] is tail:
            return self._kept
        return [*self._kept, tail]

    def _frames(self) -> list[Frame]:
        with self._lock:
            return list(self._all())

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
        """The training steps of the frames, ascending."""
        return np.array([frame.step for frame in self._frames()], dtype=np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes of all kept coefficients."""
        return sum(frame.nbytes for frame in self._frames())

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
        parts = [frame.coefficients(name) for frame in self._frames()]
        if len({part.shape for part in parts}) > 1:
            raise ValueError(f"{name} changed its basis during this history: read frame by frame")
        return np.stack(parts)
