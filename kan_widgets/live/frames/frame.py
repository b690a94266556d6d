"""Frames: the coefficients of all bound layers at a step, and those kept of a run."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from kan_widgets.arrays import Float32
from kan_widgets.live.frames.layout import LayerLayout, Layout, in_a_row
from kan_widgets.live.frames.thinning import Thinned


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


class History(Thinned[Frame]):
    """The frames of a run by rising steps, thinned evenly when over budget.

    Parameters
    ----------
    max_bytes
        The budget for coefficients and basis tables. The first frame (the initialisation) and the
        latest are always kept.
    """

    def _cost(self, item: Frame, before: Frame | None) -> int:
        """Count a frame's tables too, where the frame before has others."""
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
