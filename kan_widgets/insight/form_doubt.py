"""How certain the forms of functions are: what other images would have given.

What a function is at each x is known exactly; only which x occur, and how often, is a matter of
the images. For the errors of R² and of the differences between forms, images are drawn anew, in
blocks, with each form's b and c kept: at the best ones R² does not change with them to first order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kan_widgets.insight.form_search import FLOOR, POINTS, hat_weights
from kan_widgets.insight.tables import Float64, Int64

BLOCKS = 32
"""Images are drawn in so many blocks at most."""
_DRAWS = 100
_AT_ONCE = 256
# A share of the variance below which a function does not move: the same as everywhere.
_STILL = 1e-12


def blocks_of(images: Int64) -> Int64:
    """Return the block of each input, from the image that it is of."""
    _, number = np.unique(images, return_inverse=True)
    count = int(number.max()) + 1
    found: Int64 = number * min(count, BLOCKS) // count
    return found


def halves_of(images: Int64) -> tuple[Int64, Int64] | None:
    """Return the inputs of two halves of the images, drawn at random; ``None`` of one image."""
    known, number = np.unique(images, return_inverse=True)
    if len(known) < 2:
        return None
    first = np.zeros(len(known), dtype=bool)
    first[np.random.default_rng(0).permutation(len(known))[: len(known) // 2]] = True
    return np.flatnonzero(first[number]), np.flatnonzero(~first[number])


def block_weights(x: Float64, block: Int64, low: float, high: float) -> Float64:
    """Share the inputs of each block between even points: ``(blocks, POINTS)``, summing to 1.

    ``x`` and ``block`` are of one input each; see `hat_weights`.
    """
    count = int(block.max()) + 1
    if not high > low:
        return np.full((count, POINTS), 1 / (count * POINTS))
    found = [hat_weights(x[block == k], low, high) * (block == k).mean() for k in range(count)]
    return np.stack(found)


@dataclass(frozen=True, eq=False)
class Redrawn:
    """What forms of functions would be like over other images. Made by `redraw`.

    Both are ``(F, forms, draws)``: how far a draw is from all images. NaN where there is a single
    block.
    """

    r2: Float64
    score: Float64

    @cached_property
    def error(self) -> Float64:
        """``(F, forms)`` standard error of R²."""
        return np.asarray(self.r2.std(axis=2), dtype=np.float64)

    def chosen(self, score: Float64, complexity: Float64) -> Int64:
        """Return the form of each function, ``(F,)``.

        The simplest of those whose score is within one standard error of the lowest; of equally
        simple ones, that of the lowest score.
        """
        best = score.argmin(axis=1)
        rows = np.arange(len(score))
        room = np.nan_to_num(self._apart[rows, best])
        near = score <= score[rows, best][:, None] + room
        order = np.where(near, complexity, np.inf)
        simplest = order == order.min(axis=1, keepdims=True)
        found: Int64 = np.where(simplest, score, np.inf).argmin(axis=1)
        return found

    def tied(self, score: Float64, first: Int64) -> NDArray[np.bool_]:
        """Return which forms are about as good as the first: within two standard errors of it."""
        rows = np.arange(len(score))
        found: NDArray[np.bool_] = np.isfinite(score) & (
            score - score[rows, first][:, None] <= 2 * np.nan_to_num(self._apart[rows, first])
        )
        found[rows, first] = False
        return found

    @cached_property
    def _apart(self) -> Float64:
        """``(F, forms, forms)`` standard error of the difference of two scores."""
        forms = self.score.shape[1]
        found = np.zeros((len(self.score), forms, forms))
        for one in range(forms):
            found[:, one] = (self.score - self.score[:, one : one + 1]).std(axis=2)
        return found


def redraw(
    weights: Float64, group: Int64, values: Float64, shapes: Callable[[int], Float64], forms: int
) -> Redrawn:
    """Resample the images and see how R² changes.

    Parameters
    ----------
    weights
        ``(G, blocks, POINTS)`` from `block_weights`.
    group
        ``(F,)``: which weights each function has.
    values
        ``(F, POINTS)``: φ at the even points.
    shapes
        Returns f(b·x + c) of the forms of one rank, ``(F, POINTS)``; not finite where there is
        none.
    forms
        How many ranks.
    """
    blocks = weights.shape[1]
    count = np.random.default_rng(0).multinomial(blocks, np.full(blocks, 1 / blocks), _DRAWS)
    # Draws from a sample vary a little less than samples do.
    wider = np.sqrt(blocks / (blocks - 1)) if blocks > 1 else np.nan
    times = np.concatenate([np.ones((1, blocks)), count])
    r2 = np.empty((len(values), forms, _DRAWS))
    score = np.empty_like(r2)
    for rank in range(forms):
        made = shapes(rank)
        for rows in np.array_split(np.arange(len(values)), -(-len(values) // _AT_ONCE)):
            explained = _explained(weights[group[rows]], values[rows], made[rows], times)
            left = np.log2(np.maximum(1 - explained, 0) + FLOOR)
            r2[rows, rank] = wider * (explained[:, 1:] - explained[:, :1])
            score[rows, rank] = wider * (left[:, 1:] - left[:, :1])
    return Redrawn(r2, score)


def _explained(weights: Float64, y: Float64, g: Float64, times: Float64) -> Float64:
    """Return R² of the best a·g + d, ``(F, draws)``, each block counted so many times."""
    g = np.where(np.isfinite(g), g, 0.0)
    y, g = y - y.mean(axis=1, keepdims=True), g - g.mean(axis=1, keepdims=True)
    parts = np.stack([np.ones_like(y), y, g, y * y, y * g, g * g], axis=2)
    moments = np.einsum("dk,fkm->mfd", times, weights @ parts, optimize=True)
    with np.errstate(all="ignore"):
        _, sy, sg, syy, syg, sgg = moments / moments[:1]  # means
        spread = (syy - sy**2) * (sgg - sg**2)
        found = (syg - sy * sg) ** 2 / spread
    moves = spread > _STILL * syy * sgg
    return np.asarray(np.where(moves, found, 0.0).clip(0, 1), dtype=np.float64)
