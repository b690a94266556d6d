"""Where every kernel and every function of a layer lies in a drawing.

The live view has the same arrangement (``js/src/shared/geometry.ts``); both are held to
``js/test/geometry_cases.json``. All lengths are CSS pixels, the origin is the top left corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PAD = 8
CELL_GAP = 1
ROW_LABEL = 34
COL_LABEL = 16
BAND_GAP = 10
KERNEL_GAP = {"conv": 12, "linear": 2}
MIN_CELL = {"conv": 24, "linear": 16}
MAX_CELL = {"conv": 56, "linear": 48}

# The labels' font is small and fixed, so a character's width is known before a font is loaded.
CHARACTER = 6
BASELINE = 5
LABEL_GAP = 6
MANY_ROWS = 100


@dataclass(frozen=True)
class Label:
    """A short text and where it stands; what x and y mean depends on the list it is in."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class Arrangement:
    """The places of a layer's kernels; made by :func:`arrange`.

    Kernels lie in *rows* × *columns*. Where the columns do not fit side by side they are broken
    into *bands*, one below the other. A flowing arrangement has one row: its kernels simply follow
    each other.
    """

    out: int
    in_: int
    kh: int
    kw: int
    order: tuple[int, ...] | None
    flowing: bool
    rows: int
    columns: int
    cell: int
    per_band: int
    bands: int
    kernel_gap: int
    width: int
    """Width asked for, or that of the content where it does not fit."""

    @property
    def block_width(self) -> int:
        """Width of one kernel."""
        return self.kw * self.cell + (self.kw - 1) * CELL_GAP

    @property
    def block_height(self) -> int:
        """Height of one kernel."""
        return self.kh * self.cell + (self.kh - 1) * CELL_GAP

    @property
    def band_height(self) -> int:
        """Distance from the top of one band to the top of the next."""
        blocks = self.rows * (self.block_height + self.kernel_gap) - self.kernel_gap
        return COL_LABEL + blocks + BAND_GAP

    @property
    def height(self) -> int:
        """Height of the whole drawing."""
        return PAD + self.bands * self.band_height - BAND_GAP + PAD

    @property
    def count(self) -> int:
        """Number of functions, out·in·kh·kw."""
        return self.out * self.in_ * self.kh * self.kw

    def kernel_at_place(self, row: int, column: int) -> int:
        """Return the kernel o·in + i that lies at a place of the arrangement."""
        if not self.flowing:
            return row * self.in_ + column
        return column if self.order is None else self.order[column]

    def block_origins(self) -> NDArray[np.int64]:
        """Return the top left corners of all kernels, shape (out·in, 2), by kernel number."""
        place = np.arange(self.out * self.in_)
        if self.flowing:
            row, column = np.zeros_like(place), place
            if self.order is not None:
                column = np.empty_like(place)
                column[list(self.order)] = place
        else:
            row, column = np.divmod(place, self.in_)
        band, position = np.divmod(column, self.per_band)
        x = PAD + ROW_LABEL + position * (self.block_width + self.kernel_gap)
        y = PAD + band * self.band_height + COL_LABEL + row * (self.block_height + self.kernel_gap)
        return np.stack([x, y], axis=-1)

    def cell_origins(self) -> NDArray[np.int64]:
        """Return the top left corners of all functions, shape (out·in·kh·kw, 2)."""
        pitch = self.cell + CELL_GAP
        rows, columns = np.divmod(np.arange(self.kh * self.kw), self.kw)
        inside = np.stack([columns, rows], axis=-1) * pitch
        found: NDArray[np.int64] = self.block_origins()[:, None, :] + inside
        return found.reshape(-1, 2)

    def rect_of(self, function: int) -> tuple[int, int, int]:
        """Return x, y and size of one function's cell.

        Raises
        ------
        IndexError
            If there is no such function.
        """
        if not 0 <= function < self.count:
            raise IndexError(f"function {function} is outside 0 to {self.count - 1}")
        x, y = self.cell_origins()[function]
        return int(x), int(y), self.cell

    def cell_at(self, x: float, y: float) -> int | None:
        """Return the function whose cell holds a point, or None between the cells."""
        band, y = divmod(y - PAD, self.band_height)
        y -= COL_LABEL
        row, y = divmod(y, self.block_height + self.kernel_gap)
        position, x = divmod(x - PAD - ROW_LABEL, self.block_width + self.kernel_gap)
        column = int(band * self.per_band + position)
        inside = 0 <= band < self.bands and 0 <= row < self.rows and 0 <= position < self.per_band
        if not inside or column >= self.columns or x >= self.block_width or y >= self.block_height:
            return None
        kernel_row, y = divmod(y, self.cell + CELL_GAP)
        kernel_column, x = divmod(x, self.cell + CELL_GAP)
        if x >= self.cell or y >= self.cell:
            return None
        kernel = self.kernel_at_place(int(row), column)
        return (kernel * self.kh + int(kernel_row)) * self.kw + int(kernel_column)

    def column_text(self, column: int) -> str:
        """Return the head of one column."""
        if not self.flowing:
            return f"in {column}"
        out, in_ = divmod(self.kernel_at_place(0, column), self.in_)
        return f"out {out}" if self.in_ == 1 else f"{out},{in_}"

    @property
    def label_step(self) -> int:
        """Every how many columns a head is written, so that heads never overlap."""
        if not self.flowing:
            longest = f"in {self.in_ - 1}"
        elif self.in_ == 1:
            longest = f"out {self.out - 1}"
        else:
            longest = f"{self.out - 1},{self.in_ - 1}"
        pitch = self.block_width + self.kernel_gap
        power = 1
        while True:
            for step in (power, 2 * power, 5 * power):
                if step * pitch >= CHARACTER * len(longest) + LABEL_GAP:
                    return step
            power *= 10

    def column_labels(self) -> list[Label]:
        """Return the heads above each band, centred on x, with their baseline at y."""
        step, labels = self.label_step, []
        for column in range(self.columns):
            band, position = divmod(column, self.per_band)
            alone = position == 0 and self.per_band < step
            if column % step and not alone:
                continue
            left = PAD + ROW_LABEL + position * (self.block_width + self.kernel_gap)
            text = self.column_text(column)
            half = CHARACTER / 2 * len(text)
            x = left + self.block_width / 2
            if self.has_corner:  # beside "out,in" a wide label begins at its kernel, not before it
                x = max(x, left + half)
            if x + half <= self.width:
                y = PAD + band * self.band_height + COL_LABEL - BASELINE
                labels.append(Label(text, x, y))
        return labels

    @property
    def has_corner(self) -> bool:
        """Whether the heads are pairs "out,in", which the corner explains."""
        return self.order is not None and self.in_ > 1

    def row_labels(self) -> list[Label]:
        """Return the heads left of each row, ending at x and centred on y; none when flowing."""
        if self.flowing:
            return []
        word = "out " if self.out <= MANY_ROWS else ""
        pitch = self.block_height + self.kernel_gap
        labels = []
        for band in range(self.bands):
            top = PAD + band * self.band_height + COL_LABEL
            for row in range(self.rows):
                y = top + row * pitch + self.block_height / 2
                labels.append(Label(f"{word}{row}", PAD + ROW_LABEL - LABEL_GAP, y))
        return labels

    def corner_labels(self) -> list[Label]:
        """Return what the heads of sorted kernels mean, ending at x, with their baseline at y."""
        if not self.has_corner:
            return []
        x = PAD + ROW_LABEL - LABEL_GAP
        tops = [PAD + band * self.band_height for band in range(self.bands)]
        return [Label("out,in", x, top + COL_LABEL - BASELINE) for top in tops]


def arrange(
    kind: str,
    out: int,
    in_: int,
    kh: int,
    kw: int,
    width: int,
    order: Sequence[int] | None = None,
) -> Arrangement:
    """Arrange the kernels of one layer within a width.

    Parameters
    ----------
    kind
        ``"conv"`` or ``"linear"``; a linear layer is drawn denser and has kh = kw = 1.
    out, in_
        Numbers of output and input channels (or features).
    kh, kw
        Kernel size.
    width
        Width there is, in CSS pixels.
    order
        Kernel numbers o·in + i in the order in which they are to follow each other;
        None for the out × in matrix.

    Raises
    ------
    ValueError
        If the kind is unknown, a size is below 1, or the order is not a permutation.

    Examples
    --------
    >>> places = arrange("conv", out=5, in_=1, kh=3, kw=3, width=700)
    >>> places.cell, places.height
    (39, 151)
    >>> places.rect_of(8)
    (122, 104, 39)
    """
    if kind not in KERNEL_GAP:
        raise ValueError(f'kind is {kind!r}; it must be "conv" or "linear"')
    if min(out, in_, kh, kw) < 1:
        raise ValueError(f"sizes are {(out, in_, kh, kw)}; each must be at least 1")
    if order is not None and sorted(order) != list(range(out * in_)):
        raise ValueError(f"order must hold each kernel number 0 to {out * in_ - 1} once")
    gap, smallest, largest = KERNEL_GAP[kind], MIN_CELL[kind], MAX_CELL[kind]
    flowing = order is not None or in_ == 1
    rows, columns = (1, out * in_) if flowing else (out, in_)
    available = width - 2 * PAD - ROW_LABEL

    def fit(n: int) -> int:
        return (available - (n - 1) * gap - n * (kw - 1) * CELL_GAP) // (n * kw)

    if fit(columns) >= smallest:
        per_band = columns
    else:
        narrowest = kw * smallest + (kw - 1) * CELL_GAP
        most = max(1, (available + gap) // (narrowest + gap))
        per_band = -(-columns // -(-columns // most))
    cell = max(smallest, min(largest, fit(per_band)))
    content = per_band * (kw * cell + (kw - 1) * CELL_GAP) + (per_band - 1) * gap
    return Arrangement(
        out=out,
        in_=in_,
        kh=kh,
        kw=kw,
        order=None if order is None else tuple(int(k) for k in order),
        flowing=flowing,
        rows=rows,
        columns=columns,
        cell=cell,
        per_band=per_band,
        bands=-(-columns // per_band),
        kernel_gap=gap,
        width=max(width, PAD + ROW_LABEL + content + PAD),
    )
