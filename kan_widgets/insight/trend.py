"""Whether a number grows over ordered groups: how often, how sure, and how often by chance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kan_widgets.insight.tables import Float64

# How often the outputs of the layers are drawn anew.
_DRAWS = 200


def interval_of(outputs: Sequence[Float64]) -> tuple[float, float]:
    """Return where 95 % of the shares lie if the outputs, ``(out, functions)``, are redrawn."""
    draw = np.random.default_rng(0)
    shares = []
    for _ in range(_DRAWS):
        drawn = [rows[draw.integers(0, len(rows), len(rows))].ravel() for rows in outputs]
        known = [group[np.isfinite(group)] for group in drawn]
        shares.append(rising_share([group for group in known if len(group)]))
    low, high = np.nanquantile(shares, (0.025, 0.975))
    return float(low), float(high)


def rising_share(groups: Sequence[Float64]) -> float:
    """Return the share of rising pairs; a tie counts half. NaN where there are no pairs."""
    rising, pairs = 0.0, 0
    for k, later in enumerate(groups):
        ordered = np.sort(later)
        for earlier in groups[:k]:
            below = np.searchsorted(ordered, earlier, side="left")
            upto = np.searchsorted(ordered, earlier, side="right")
            rising += float((2 * len(ordered) - below - upto).sum()) / 2
            pairs += len(later) * len(earlier)
    return rising / pairs if pairs else math.nan


def trend(groups: Sequence[Float64]) -> tuple[float, float]:
    """Return Jonckheere's and Terpstra's share of rising pairs, and its chance without a trend."""
    share = rising_share(groups)
    sizes = np.array([len(group) for group in groups], dtype=np.float64)
    _, tied = np.unique(np.concatenate(groups), return_counts=True)
    t = tied.astype(np.float64)
    n = float(sizes.sum())

    def third(m: Float64 | float) -> Float64 | float:
        return m * (m - 1) * (2 * m + 5)

    def triple(m: Float64) -> float:
        return float((m * (m - 1) * (m - 2)).sum())

    def double(m: Float64) -> float:
        return float((m * (m - 1)).sum())

    # Hollander, Wolfe & Chicken 2014, eq. 6.19: the variance with ties.
    variance = (float(third(n)) - float(np.sum(third(sizes))) - float(np.sum(third(t)))) / 72
    if n > 2:
        variance += triple(sizes) * triple(t) / (36 * n * (n - 1) * (n - 2))
    variance += double(sizes) * double(t) / (8 * n * (n - 1))
    if variance <= 0:
        return share, 1.0
    pairs = (n**2 - float(np.square(sizes).sum())) / 2
    # Half a pair of continuity.
    z = (share * pairs - 0.5 - pairs / 2) / math.sqrt(variance)
    return share, 0.5 * math.erfc(z / math.sqrt(2))
