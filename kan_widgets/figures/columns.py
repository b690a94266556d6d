"""A number of each function, a column of dots for each layer, with medians and middle halves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.figures import plain
from kan_widgets.figures.colours import colour, curve_colour
from kan_widgets.figures.living import Place, select_by_click
from kan_widgets.live import Source

Float64 = NDArray[np.float64]

MOST = 300
"""So many dots a column has at most, evenly over the numbers of the functions."""
_WIDTH = 0.7


class Columns:
    """The marks of a chart of columns.

    Parameters
    ----------
    names
        Of the columns: layers.
    y_label
        What is measured.
    scale
        Of the numbers: ``"linear"`` or ``"log"``.
    variants
        Names of networks whose columns stand side by side; by default there is but one.
    """

    def __init__(
        self, names: Sequence[str], y_label: str, scale: str, variants: Sequence[str] = ("",)
    ) -> None:
        self.names, self.variants = tuple(names), tuple(variants)
        self._log = scale == "log"
        both = plain.scales(y=scale)
        self._halo = plain.halo(both)
        self._dots: dict[tuple[int, int], Any] = {}
        self._numbers: dict[tuple[int, int], NDArray[np.int64]] = {}
        self._halves: list[Any] = []
        self._medians: list[Any] = []
        one = len(self.variants) == 1
        for v, variant in enumerate(self.variants):
            for k in range(len(self.names)):
                mark = plain.dots(both, number=k if one else v, opacities=[0.45])
                self._dots[v, k] = mark
            ink = colour("ink") if one else curve_colour(v)
            self._halves.append(plain.line(both, name=variant, colors=[ink], stroke_width=3.0))
            self._medians.append(plain.dots(both, colors=[ink], default_size=70))
        self._across = plain.names_axis(both["x"], "layer", self.names)
        # Room for the first and the last column, however few dots they have.
        both["x"].min, both["x"].max = -0.5, len(self.names) - 0.5
        self.figure = plain.figure(
            [self._halo, *self._dots.values(), *self._halves, *self._medians],
            [self._across, plain.axis(both["y"], y_label, "left")],
        )

    def set(self, values: Sequence[Mapping[str, Float64]]) -> None:
        """Show the numbers of each variant's layers, ``(functions,)`` each."""
        left_out = 0
        for v, of_layers in enumerate(values):
            at, halves, medians = [], [], []
            for k, name in enumerate(self.names):
                found = np.asarray(of_layers.get(name, np.empty(0)), dtype=np.float64)
                drawn = self._drawn(found)
                left_out += len(found) - int(drawn.sum())
                self._set_dots(v, k, found, drawn)
                if drawn.any():
                    low, median, high = np.quantile(found[drawn], (0.25, 0.5, 0.75))
                    at.append(self._middle(v, k))
                    halves.append((float(low), float(high)))
                    medians.append(float(median))
            with self._halves[v].hold_sync():
                # Apart by gaps; the last point is a number, or bqplot finds no place for it.
                self._halves[v].x = np.repeat(np.array(at), 3)[: max(0, 3 * len(at) - 1)]
                flat = [y for pair in halves for y in (*pair, np.nan)]
                self._halves[v].y = np.array(flat[:-1])
            with self._medians[v].hold_sync():
                self._medians[v].x, self._medians[v].y = np.array(at), np.array(medians)
        if self._log:
            shown = [mark.y for mark in self._dots.values()]
            plain.label_decades(self.figure.axes[1], np.concatenate([*shown, np.empty(0)]))
        rest = f" ({left_out:,} functions have no place on this scale)" if left_out else ""
        self._across.label = f"layer{rest}"

    def mark(self, place: Place | None, values: Mapping[str, Float64], shape: Any) -> None:
        """Put the ring around a function of the first variant; ``None`` for none."""
        found = np.empty(0)
        if place is not None and place[0] in self.names:
            found = np.asarray(values.get(place[0], found), dtype=np.float64)
        inside = place is not None and shape is not None and len(found) == np.prod(shape)
        inside = inside and all(i < n for i, n in zip(place[1:], shape, strict=True))  # type: ignore[index]
        with self._halo.hold_sync():
            self._halo.visible = False
            if not inside or place is None:
                return
            number = int(np.ravel_multi_index(place[1:], shape))
            if self._drawn(found[number : number + 1]).all():
                x = self._across_at(0, self.names.index(place[0]), np.array([number]), len(found))
                self._halo.x, self._halo.y = x, found[number : number + 1]
                self._halo.visible = True

    def link(self, source: Source) -> None:
        """Let a click on a dot of the first variant select its function."""
        for k, name in enumerate(self.names):

            def place(live: Source, index: int, k: int = k, name: str = name) -> Place | None:
                numbers = self._numbers[0, k]
                if not 0 <= index < len(numbers):
                    return None
                shape = source_shape(live, name)
                if shape is None or numbers[index] >= np.prod(shape):
                    return None
                out, in_, row, column = map(int, np.unravel_index(numbers[index], shape))
                return name, out, in_, row, column

            select_by_click(self._dots[0, k], source, place)

    def _drawn(self, values: Float64) -> NDArray[np.bool_]:
        fine: NDArray[np.bool_] = np.isfinite(values)
        return fine & (np.nan_to_num(values) > 0) if self._log else fine

    def _middle(self, v: int, k: int) -> float:
        return k + (v - (len(self.variants) - 1) / 2) * 0.85 / len(self.variants)

    def _across_at(self, v: int, k: int, numbers: NDArray[np.int64], count: int) -> Float64:
        """Return where functions stand: in the order of their numbers, always at the same place."""
        share = numbers / max(1, count - 1) - (0.5 if count > 1 else 0.0)
        x: Float64 = self._middle(v, k) + share * _WIDTH / len(self.variants)
        return x

    def _set_dots(self, v: int, k: int, found: Float64, drawn: NDArray[np.bool_]) -> None:
        count = len(found)
        numbers = np.unique(np.linspace(0, max(0, count - 1), min(count, MOST)).astype(np.int64))
        numbers = numbers[drawn[numbers]]
        self._numbers[v, k] = numbers
        mark = self._dots[v, k]
        with mark.hold_sync():
            mark.x, mark.y = self._across_at(v, k, numbers, count), found[numbers]


def source_shape(source: Source, name: str) -> tuple[int, int, int, int] | None:
    """Return the shape of a layer of a source; ``None`` if it has no such layer now."""
    layout = source.layout
    return layout.layer(name).shape if name in layout.names else None
