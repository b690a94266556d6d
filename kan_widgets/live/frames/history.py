"""The frames kept, within a memory budget: whole ones, and more of small layers alone."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.frames.frame import Frame, layout_of_some, sliced
from kan_widgets.live.frames.layout import Float32, Layout
from kan_widgets.live.frames.thinning import apart, widened

_CHUNK = 2_000_000
_HIGHEST = 15
"""Differences are scaled to below 2 to the power of this: float16 ends at just below 2¹⁶."""
_SMALL_SHARE = 4
"""Frames of small layers alone have this part (1/4) of the budget."""
_SMALL = 8
"""Small are those layers that together have at most this part (1/8) of a frame."""
PACKED_FROM = 1_000_000
"""Frames of more bytes are packed, where they are neither the first nor the latest."""


@dataclass(frozen=True, eq=False)
class Packed:
    """A frame as float16 differences to the first one, scaled: half its bytes.

    A coefficient is within 0.1 % of its difference to the first frame, or, where it has moved less
    than a 500-millionth as far as the one that has moved farthest, within 2·10⁻¹² of that one's.
    """

    step: int
    first: Frame
    differences: NDArray[np.float16]
    exponents: tuple[int, ...]
    """Of the power of 2 that each ``_CHUNK`` of them is multiplied by."""
    beside: Float32
    """What is not coefficients, as it was: a variance may be a small part of its first value."""

    @property
    def layout(self) -> Layout:
        """The layout of both frames."""
        return self.first.layout

    @property
    def nbytes(self) -> int:
        """Bytes of what is kept."""
        return self.differences.nbytes + self.beside.nbytes

    def frame(self) -> Frame:
        """Return the frame, nearly as it was."""
        coefficients = self.first.data[: len(self.differences)].copy()
        for part, exponent in zip(_parts(len(coefficients)), self.exponents, strict=True):
            coefficients[part] += np.ldexp(self.differences[part].astype(np.float32), -exponent)
        data = np.concatenate([coefficients, self.beside])
        data.flags.writeable = False
        return Frame(self.step, self.layout, data)


def packed(frame: Frame, first: Frame) -> Frame | Packed:
    """Pack a large frame; itself where it is small, has another layout, or is not finite."""
    if frame.nbytes <= PACKED_FROM or frame.layout is not first.layout or frame.layout.is_cut:
        return frame
    beside = frame.beside.copy()
    differences = np.empty(len(frame.data) - len(beside), np.float16)
    exponents = []
    with np.errstate(over="ignore", invalid="ignore"):
        for part in _parts(len(differences)):
            moved = frame.data[part] - first.data[part]
            farthest = max(moved.max(), -moved.min())
            if not np.isfinite(farthest):
                return frame
            exponents.append(_HIGHEST - int(np.frexp(farthest)[1]))
            differences[part] = np.ldexp(moved, exponents[-1])
    return Packed(frame.step, first, differences, tuple(exponents), beside)


def _parts(length: int) -> Iterator[slice]:
    return (slice(start, min(start + _CHUNK, length)) for start in range(0, length, _CHUNK))


class History:
    """Frames in the order of their steps, thinned evenly when over budget.

    The first frame (the initialisation) and the latest are always kept, even if
    they alone exceed the budget. When the budget is reached, the least distance in
    steps between kept frames is doubled until they fit: they stay evenly spread
    over the whole run. Frames of more than a megabyte are kept as float16 differences to the
    first one, but for the first and the latest, which are exact.

    Large layers are thinned more than small ones: from then on a quarter of the budget holds
    frames of the small layers alone, of which many fit where one whole frame does. `holding` and
    ``at(step, layers)`` have these too; all else is of whole frames.

    Parameters
    ----------
    max_bytes
        The budget for coefficients and basis tables.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._kept: list[Frame | Packed] = []
        self._kept_bytes = 0
        self._latest: Frame | None = None
        self._gap = 0
        self._small: History | None = None
        """Frames of small layers, once whole ones were thinned."""
        self._small_layouts: weakref.WeakKeyDictionary[Layout, Layout] = weakref.WeakKeyDictionary()
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
            if self._small is not None:
                self._keep_small(self._small, frame)
            if len(self._kept) > 2 and self._kept_bytes > self._budget:
                self._thin()
            if len(self._kept) == 2 and self._kept[1] is not frame:
                if self._kept_bytes + frame.nbytes > self._budget:
                    self._kept_bytes -= _cost(self._kept.pop(), self._kept[0])
            self._pack()

    def go_on_from(self, earlier: History) -> None:
        """Keep what another history has kept, while this one is empty."""
        for frame in earlier:
            self.append(frame)
        if earlier._small is not None:
            with self._lock:
                self._small = History(self.max_bytes // _SMALL_SHARE)
                self._small.go_on_from(earlier._small)

    @property
    def _budget(self) -> int:
        """What whole frames may have."""
        return self.max_bytes - (0 if self._small is None else self._small.max_bytes)

    def _pack(self) -> None:
        """Pack the frame before the latest, once it is between others."""
        first = self._kept[0]
        if len(self._kept) < 3 or not isinstance(first, Frame):
            return
        before = self._kept[-2]
        if isinstance(before, Frame):
            self._kept[-2] = now = packed(before, first)
            self._kept_bytes += now.nbytes - before.nbytes

    def _thin(self) -> None:
        if self._small is None and small_layers(self._kept[0].layout):
            small = History(self.max_bytes // _SMALL_SHARE)
            for frame in self._kept:
                self._keep_small(small, frame)
            self._small = small
        kept, steps = self._kept, [frame.step for frame in self._kept]
        while len(kept) > 2 and self._kept_bytes > self._budget:
            self._gap = widened([frame.step for frame in kept], self._gap)
            kept = [self._kept[place] for place in apart(steps, self._gap)]
            self._kept_bytes = sum(map(_cost, kept, [None, *kept[:-1]]))
        self._kept = kept

    def _keep_small(self, small: History, frame: Frame | Packed) -> None:
        """Keep the small layers of a frame in a history of their own."""
        names = small_layers(frame.layout)
        if not names:
            return
        if frame.layout not in self._small_layouts:
            self._small_layouts[frame.layout] = layout_of_some(frame.layout, names)
        part = sliced(_whole(frame), names, self._small_layouts[frame.layout])
        data = part.data.copy()  # the whole frame goes
        data.flags.writeable = False
        small.append(Frame(part.step, part.layout, data))

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

    def _frames(self) -> list[Frame | Packed]:
        with self._lock:
            if self._latest is None or self._kept[-1] is self._latest:
                return list(self._kept)
            return [*self._kept, self._latest]

    def __len__(self) -> int:
        return len(self._frames())

    def __iter__(self) -> Iterator[Frame]:
        return map(_whole, self._frames())

    def holding(self, layers: Collection[str]) -> list[Frame]:
        """Return the frames kept that have all of some layers, in the order of their steps.

        More than the whole ones where large layers were thinned and these are small.

        Raises
        ------
        KeyError
            If no frame has these layers.
        """
        found = self._holding(frozenset(layers))
        if not found:
            raise KeyError(f"layers: no frame has all of {', '.join(map(repr, sorted(layers)))}")
        return [_whole(frame) for frame in found]

    def _holding(self, layers: frozenset[str]) -> list[Frame | Packed]:
        whole = [f for f in self._frames() if layers <= set(f.layout.names)]
        by_step = {} if self._small is None else {f.step: f for f in self._small._holding(layers)}
        by_step |= {frame.step: frame for frame in whole}
        return [by_step[step] for step in sorted(by_step)]

    def exact(self) -> list[Frame]:
        """Return the frames that are kept as they were."""
        return [frame for frame in self._frames() if isinstance(frame, Frame)]

    def __getitem__(self, index: int) -> Frame:
        return _whole(self._frames()[index])

    def __repr__(self) -> str:
        steps = self.steps
        span = f", steps {steps[0]} to {steps[-1]}" if len(steps) else ""
        count = len(steps) - len(self.exact())
        nearly = f", {count} of them as float16 differences" if count else ""
        small = "" if self._small is None else f"; thinned by layer: {self._in_layers()}"
        return f"History({len(steps)} frames{span}{nearly}, {self.nbytes / 1e6:.1f} MB{small})"

    def _in_layers(self) -> str:
        """Say how many frames there are of which layers."""
        names = self.latest.layout.names
        counts = {name: len(self._holding(frozenset([name]))) for name in names}
        by_count: dict[int, list[str]] = {}
        for name, count in counts.items():
            by_count.setdefault(count, []).append(name)
        return ", ".join(
            f"{count} of {', '.join(own)}" for count, own in sorted(by_count.items(), reverse=True)
        )

    @property
    def steps(self) -> NDArray[np.int64]:
        """The training steps of the frames, never falling."""
        return np.array([frame.step for frame in self._frames()], dtype=np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes of all kept coefficients and basis tables."""
        frames = self._frames()
        small = 0 if self._small is None else self._small.nbytes
        return sum(map(_cost, frames, [None, *frames[:-1]])) + small

    def at(self, step: int, layers: Collection[str] | None = None) -> Frame:
        """Return the last frame taken at or before ``step``, or the first if none was.

        With ``layers`` the last one that has these, perhaps no others.

        Raises
        ------
        LookupError
            If the history is empty; a `KeyError` if no frame has these layers.
        """
        frames = self._frames()
        if frames and layers is not None and not (frames := self._holding(frozenset(layers))):
            raise KeyError(f"layers: no frame has all of {', '.join(map(repr, sorted(layers)))}")
        if not frames:
            raise LookupError("the history is empty")
        earlier = [frame for frame in frames if frame.step <= step]
        return _whole(earlier[-1] if earlier else frames[0])

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


def _whole(frame: Frame | Packed) -> Frame:
    return frame.frame() if isinstance(frame, Packed) else frame


def _cost(frame: Frame | Packed, before: Frame | Packed | None) -> int:
    """Bytes that keeping a frame takes: its tables too, where it has its own."""
    own_tables = before is None or before.layout is not frame.layout
    return frame.nbytes + (frame.layout.nbytes if own_tables else 0)


def small_layers(layout: Layout) -> frozenset[str]:
    """Return the layers that are small beside the others, as many as there are.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> live = kw.bind(kw.nn.KANCNN.article(), prove=False)
    >>> sorted(small_layers(live.feed.layout))
    ['convs.0', 'convs.1']
    """
    names, left = [], layout.size // _SMALL
    for layer in sorted(layout.layers, key=lambda each: each.length):
        left -= layer.length
        if left < 0:
            break
        names.append(layer.name)
    return frozenset(names)
