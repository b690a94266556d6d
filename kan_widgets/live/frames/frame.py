"""One frame: the coefficients of all bound layers at one training step."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from kan_widgets.live.frames.layout import Float32, LayerLayout, Layout


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
    moved, offset = [], 0
    for layer in layers:
        moved.append(replace(layer, offset=offset))
        offset += layer.length
    layout = Layout(frame.layout.version, tuple(moved), frame.layout.is_cut)
    return Frame(frame.step, layout, data)
