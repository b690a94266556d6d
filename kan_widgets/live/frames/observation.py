"""The inputs that reached the functions of one layer, for one batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kan_widgets.arrays import Float32, Int64

BINS = 64
MAX_PATCH_FLOATS = 250_000
# The fields of an `Observation` that pages and recordings get as arrays.
ARRAYS = ("edges", "counts", "outside_domain", "outside_extent", "patches", "maps")


@dataclass(frozen=True, eq=False)
class Observation:
    """The inputs of one layer for one batch.

    An *entry* is one input of a kernel: entry (channel·kh + row)·kw + column for a
    convolution (one channel stands for all where kernels are shared), feature i for a
    linear layer. All functions of an entry, one per output, see the same inputs;
    padding counts, unless a layer pads its basis functions and not its input.
    """

    layer: str
    samples: int
    """Images (rows) in the batch."""
    edges: Float32 = field(repr=False)
    """``(BINS + 1,)`` ascending: the bins of ``counts``, over the layer's extent."""
    counts: Float32 = field(repr=False)
    """``(entries, BINS)`` inputs in each bin; those beyond the edges are not in it."""
    outside_domain: Float32 = field(repr=False)
    """``(entries,)`` share of inputs outside the grid range."""
    outside_extent: Float32 = field(repr=False)
    """``(entries,)`` share of inputs outside the support."""
    patches: Float32 = field(repr=False)
    """``(n, entries)`` patches; of many, some from all images and positions alike."""
    maps: Float32 | None = field(repr=False)
    """``(images, channels, height, width)``: the first inputs of a convolution, unpadded."""
    is_image: bool
    """Whether the layer's input is the batch itself, not a feature map."""
    images: Int64 | None = field(default=None, repr=False)
    """``(n,)``: the image (row) that each patch is of; ``None`` in recordings without it."""
    nan_inputs: int = field(default=0, repr=False)
    """Inputs that are NaN: they are in no bin and no share, and their patches are left out."""
    step: int | None = field(default=None, repr=False)
    """Training steps made before it; ``None`` in recordings without it."""
    fold: tuple[int, int, int] | None = field(default=None, repr=False)
    """Channels, height and width of the map that a dense layer's inputs are, flattened;
    ``None`` where they are none, or where that was not seen."""


# Rows of so many numbers may be pictures: neighbours, beside and below, differ by less
# than this part of what pixels half a row apart do (mean squares).
_LEAST_PIXELS = 64
_ALIKE = 0.75


def picture_of_rows(rows: Float32) -> tuple[int, int, int] | None:
    """Return ``(1, k, k)`` where rows ``(n, k²)`` look like flattened pictures, else ``None``.

    In a picture both neighbours of a pixel, beside and below it, are more like it than one half a
    row away; in a smooth series the one below, a whole row away, is less like it.
    """
    side = round(rows.shape[-1] ** 0.5)
    if rows.ndim != 2 or side**2 != rows.shape[1] or rows.shape[1] < _LEAST_PIXELS:
        return None

    def apart(by: int) -> float:
        pairs = rows[:, by:] - rows[:, :-by]
        return float(np.mean(pairs**2))

    return (1, side, side) if max(apart(1), apart(side)) < _ALIKE * apart(side // 2) else None


def joined(seen: Sequence[Observation]) -> Observation:
    """Return as one what reached a layer in several processes, each with images of its own.

    What is the same as in another, or was seen over other bins than in the first, is left out.
    """
    first = seen[0]
    parts = {
        (part.counts.tobytes(), part.patches.tobytes()): part
        for part in seen
        if np.array_equal(part.edges, first.edges) and part.counts.shape == first.counts.shape
    }.values()
    patches = np.concatenate([part.patches for part in parts])
    images = None
    if all(part.images is not None for part in parts):
        before = np.cumsum([0, *(part.samples for part in parts)])
        images = np.concatenate([x.images + n for x, n in zip(parts, before, strict=False)])
    # Every n-th of all, where together they are more than one process would keep.
    every = -(-patches.size // max(MAX_PATCH_FLOATS, len(first.counts)))
    weights = [part.samples for part in parts]

    def share(shares: Sequence[Float32]) -> Float32:
        return np.asarray(np.average(shares, 0, weights), np.float32)

    return replace(
        first,
        samples=sum(weights),
        counts=np.sum([part.counts for part in parts], 0),
        outside_domain=share([part.outside_domain for part in parts]),
        outside_extent=share([part.outside_extent for part in parts]),
        patches=patches[:: max(1, every)],
        images=None if images is None else images[:: max(1, every)],
        nan_inputs=sum(part.nan_inputs for part in parts),
        is_image=all(part.is_image for part in parts),
    )
