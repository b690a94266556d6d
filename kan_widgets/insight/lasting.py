"""What functions did for good: changes in their frames that last, and the null for them."""

import sys
from collections.abc import Sequence
from typing import Literal

import numpy as np

from kan_widgets.arrays import Float64, Int64
from kan_widgets.insight.sampled_layer import EPSILON, basis_at, by_table
from kan_widgets.live.frames.frame import Frame

MomentKind = Literal["leaves its start", "turns", "bends over", "flattens", "dies"]
PLURALS: dict[MomentKind, str] = {
    "leaves its start": "leave their start",
    "turns": "turn",
    "bends over": "bend over",
    "flattens": "flatten",
    "dies": "die",
}
# A turn is of a share of the largest spread at least; below the others one is flat, or dead.
_TURNED, _FLAT, DEAD = 0.1, 0.5, 0.05
# A function has left its start at this share of its largest distance, and of its spread there.
_LEFT = 0.25
# Blocks of frames that stay together in a shuffled order; orders of values.
_BLOCKS, _SHUFFLES = 20, 1999


def chance_of(values: Float64, first: int, last: int) -> float:
    """Return how often in shuffled order the last are as far above the first, by their means."""
    shuffled = np.random.default_rng(0).permuted(np.tile(values, (_SHUFFLES, 1)), axis=1)
    orders = np.concatenate([values[None], shuffled])
    gains = orders[:, -last:].mean(axis=1) - orders[:, :first].mean(axis=1)
    return float((gains >= gains[0] - EPSILON * abs(gains[0])).mean())


def blocks(generator: np.random.Generator, count: int) -> Int64:
    """Return the places of frames whose blocks, a twentieth of the run each, come in any order."""
    size = max(1, count // _BLOCKS)
    start = int(generator.integers(count))
    blocks = np.array_split(np.roll(np.arange(count), start), -(-count // size))
    return np.concatenate([blocks[k] for k in generator.permutation(len(blocks))])


def values_over(frames: Sequence[Frame], name: str, rows: Int64, x: Float64) -> Float64:
    """Return some functions of a layer at x, less their means, ``(frames, functions, points)``."""
    values = np.empty((len(frames), len(rows), len(x)))
    place = np.full(int(rows.max()) + 1, -1)
    place[rows] = np.arange(len(rows))
    betas: dict[int, Float64] = {}
    for t, frame in enumerate(frames):
        layer = frame.layout.layer(name)
        for some, table in by_table(layer, rows, sys.maxsize):
            if id(table) not in betas:
                betas[id(table)] = basis_at(layer, table, x)
            values[t, place[some]] = frame.rows(layer)[some] @ betas[id(table)].T
    values[:, ~np.isfinite(values).all(axis=(0, 2))] = 0
    values -= values.mean(axis=2, keepdims=True)
    return values


def signals_of(phi: Float64) -> dict[MomentKind, Float64]:
    """Return what moments are found in, ``(frames, functions)`` each, in deviations of φ."""
    t = np.linspace(-1, 1, phi.shape[2])
    bend = t**2 - (t**2).mean()
    spread, distance = phi.std(axis=2), (phi - phi[0]).std(axis=2)
    return {
        "leaves its start": np.where(distance.max(axis=0) >= _LEFT * spread[0], distance, 0.0),
        "turns": phi @ t / len(t) / t.std(),
        "bends over": phi @ bend / len(t) / bend.std(),
        "flattens": spread,
        "dies": spread,
    }


def lasting(
    kind: MomentKind, signal: Float64, largest: Float64
) -> tuple[Int64, Float64, Float64, Float64]:
    """Return the frame from which on each signal has changed for good, its means, and how clearly.

    ``largest`` is the function's largest spread. A score is 0 where nothing has changed for good,
    and at most 1, of a signal that is constant before and after.
    """
    if kind in ("turns", "bends over"):
        still = signal * np.sign(signal[-1]) <= 0
    elif kind == "leaves its start":
        still = signal < _LEFT * signal.max(axis=0)
    else:
        still = signal >= (_FLAT if kind == "flattens" else DEAD) * largest
    count, every = len(signal), np.arange(signal.shape[1])
    at: Int64 = np.where(still.any(axis=0), count - still[::-1].argmax(axis=0), 0)
    sums = np.concatenate([np.zeros((1, len(every))), signal.cumsum(axis=0)])
    before = sums[at, every] / np.maximum(at, 1)
    after = (sums[-1] - sums[at, every]) / np.maximum(count - at, 1)
    deviation = signal.std(axis=0)
    lasts = (at >= 2) & (count - at >= max(3, count // 10)) & (deviation > EPSILON * largest)
    if kind in ("turns", "bends over"):
        lasts &= np.minimum(np.abs(before), np.abs(after)) >= _TURNED * largest
    else:
        lasts &= (after > before) == (kind == "leaves its start")
    with np.errstate(all="ignore"):
        clear = np.abs(after - before) * np.sqrt(at * (count - at)) / count / deviation
    return at, before, after, np.where(lasts, clear, 0.0)
