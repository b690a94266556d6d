"""Which steps to keep when all of them are too many: evenly spread, with the first and the last."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np


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
