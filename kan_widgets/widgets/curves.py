"""Curves over training steps: smoothing, thinning, axes, and which belong together."""

from __future__ import annotations

import math
import re
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kan_widgets.widgets.inspector_still import round_step

Float64: TypeAlias = NDArray[np.float64]
Range: TypeAlias = tuple[float, float]

# Words that say on which data a quantity was measured, not what it is.
_HELD_OUT = {"val", "valid", "validation", "eval", "evaluation", "test", "dev", "holdout"}
_TRAINED_ON = {"train", "training", "batch", "running"}


class Smoothed:
    """A growing curve, each value an average of those before it with exponential weights.

    At step s the value is Σ w^(s − s_j)·v_j / Σ w^(s − s_j) over all j up to it, with
    w = 1 − 1/over. For values at every step that is the exponential moving average with
    its bias corrected (Kingma and Ba, 2015, algorithm 1). After a gap of more than ``over``
    steps it begins anew: values further apart, such as one an epoch, are left as they are.
    What is not finite has no part in it.

    Parameters
    ----------
    over
        About how many steps the average goes back, at least 1.

    Examples
    --------
    >>> curve = Smoothed(over=2)
    >>> curve.follow(np.array([1, 2, 3]), np.array([0.0, 3.0, 3.0])).round(3).tolist()
    [0.0, 2.0, 2.571]
    """

    def __init__(self, over: float) -> None:
        if not over >= 1:
            raise ValueError(f"over={over!r}: a number of steps from 1 is taken")
        self.over = over
        self._fade = math.log1p(-1 / over) if over > 1 else -math.inf
        self._forget()

    def _forget(self) -> None:
        self._smooth = np.empty(0)
        self._last: tuple[float, float] | None = None  # step and value
        self._finite_step: float | None = None
        self._sums = np.zeros(2)

    def follow(self, steps: NDArray[np.generic], values: Float64) -> Float64:
        """Return the smoothed curve; only what has come since the last call is computed.

        Parameters
        ----------
        steps, values
            The whole curve, ``(n,)`` each, steps not falling.

        Returns
        -------
        ndarray
            ``(n,)``; NaN where the value is not finite. It must not be changed.
        """
        known = len(self._smooth)
        if known and not self._goes_on(steps, values, known):
            self._forget()
            known = 0
        if len(values) > known:
            fresh = self._add(steps[known:].astype(np.float64), values[known:])
            self._smooth = np.concatenate([self._smooth, fresh])
            self._last = float(steps[-1]), float(values[-1])
        return self._smooth

    def _goes_on(self, steps: NDArray[np.generic], values: Float64, known: int) -> bool:
        if len(values) < known or self._last is None:
            return False
        step, value = self._last
        now = float(values[known - 1])
        same = now == value or (math.isnan(now) and math.isnan(value))
        return same and float(steps[known - 1]) == step

    def _add(self, steps: Float64, values: Float64) -> Float64:
        finite = np.isfinite(values)
        smooth = np.full(len(values), np.nan)
        at, v = steps[finite], values[finite]
        if len(at):
            first = at[0] if self._finite_step is None else self._finite_step
            gaps = np.diff(at, prepend=first)
            with np.errstate(invalid="ignore"):
                decay = np.where(gaps > 0, np.exp(self._fade * gaps), 1.0)
            decay[gaps > self.over] = 0.0
            sums = _accumulate(decay, np.stack([v, np.ones_like(v)]), self._sums)
            smooth[finite] = sums[0] / sums[1]
            self._sums = sums[:, -1].copy()
            self._finite_step = float(at[-1])
        return smooth


def _accumulate(decay: Float64, added: Float64, start: Float64) -> Float64:
    """Return y_k = decay_k · y_{k−1} + added_k for each row of ``added``, beginning at ``start``.

    In √n blocks side by side, then one after the other.
    """
    rows, count = added.shape
    size = max(1, math.isqrt(count))
    blocks = -(-count // size)
    missing = blocks * size - count
    # (place in the block, block): neighbours in memory are worked on together.
    factor = np.pad(decay, (0, missing), constant_values=1.0).reshape(blocks, size).T.copy()
    y = np.pad(added, ((0, 0), (0, missing))).reshape(rows, blocks, size)
    y = y.transpose(0, 2, 1).copy()
    for k in range(1, size):
        y[:, k] += factor[k] * y[:, k - 1]
        factor[k] *= factor[k - 1]
    carry = start
    for block in range(blocks):
        y[:, :, block] += factor[:, block] * carry[:, None]
        carry = y[:, -1, block]
    whole: Float64 = y.transpose(0, 2, 1).reshape(rows, -1)
    return whole[:, :count]


def thin(
    steps: NDArray[np.generic], values: Float64, window: Range | None, points: int
) -> tuple[Float64, Float64]:
    """Return a curve with about ``points`` points at most that looks the same.

    Of each run of neighbours its smallest and its largest value are kept, and of what lies
    outside the window one neighbour on each side.

    Parameters
    ----------
    steps, values
        ``(n,)`` each, steps not falling.
    window
        The range of steps that is drawn; all by default.
    points
        At least 4.

    Examples
    --------
    >>> steps, values = thin(np.arange(1000), np.sin(np.arange(1000.0)), None, 10)
    >>> len(steps) <= 12, float(values.max().round(3))
    (True, 1.0)
    """
    first, end = 0, len(values)
    if window is not None:
        first = max(0, int(np.searchsorted(steps, window[0], "left")) - 1)
        end = min(end, int(np.searchsorted(steps, window[1], "right")) + 1)
    x, y = steps[first:end].astype(np.float64), values[first:end]
    if len(y) <= points:
        return x, y
    inner = y[1:-1]
    size = -(-len(inner) // ((points - 2) // 2))
    padded = np.pad(inner, (0, -len(inner) % size), mode="edge").reshape(-1, size)
    # What is not a number counts as neither, unless there is nothing else.
    least = np.where(np.isnan(padded), np.inf, padded).argmin(axis=1)
    most = np.where(np.isnan(padded), -np.inf, padded).argmax(axis=1)
    both = np.sort(np.stack([least, most], axis=1), axis=1)
    places = (both + np.arange(len(padded))[:, None] * size).ravel()
    kept = np.concatenate([[0], np.minimum(places, len(inner) - 1) + 1, [len(y) - 1]])
    return x[kept], y[kept]


def value_axis(values: Float64, log: bool) -> Range:
    """Return round ends for an axis that holds ``values``, and stand still while they move little.

    Parameters
    ----------
    values
        What is not finite is left out, and what is not positive on a logarithmic axis.
    log
        Whether the axis is logarithmic.

    Examples
    --------
    >>> value_axis(np.array([0.31, 2.29]), log=False)
    (0.0, 2.4)
    >>> value_axis(np.array([0.0031, 2.29]), log=True) == (10**-2.75, 10**0.5)
    True
    """
    shown = values[np.isfinite(values) & ((values > 0) if log else True)]
    if not len(shown):
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = float(shown.min()), float(shown.max())
    if log:
        lowest, highest = math.floor(4 * math.log10(low)), math.ceil(4 * math.log10(high))
        if highest - lowest < 2:
            lowest, highest = lowest - 1, highest + 1
        return 10 ** (lowest / 4), 10 ** (highest / 4)
    span = high - low
    if span <= 1e-12 * max(abs(low), abs(high)):
        room = 0.5 * abs(high) or 0.5
        low, high, span = low - room, high + room, 2 * room
    if 0 <= low < 0.3 * high:
        low, span = 0.0, high
    step = round_step(span, 12)
    return (
        float(f"{math.floor(low / step + 1e-9) * step:.12g}"),
        float(f"{math.ceil(high / step - 1e-9) * step:.12g}"),
    )


def step_axis(first: float, last: float) -> Range:
    """Return round ends for the axis of steps, a little ahead of the last step.

    Examples
    --------
    >>> step_axis(1, 937)
    (0.0, 950.0)
    """
    if not last > first:
        return first - 1, first + 1
    low = 0.0 if 0 <= first < 0.1 * last else first
    step = max(1.0, round_step(last - low, 20))
    return low, max(last, math.ceil(last / step - 1e-9) * step)


def log_ticks(window: Range, count: int) -> list[float]:
    """Return round values for a logarithmic axis, about ``count`` at most.

    Examples
    --------
    >>> log_ticks((0.002, 3.0), 5), log_ticks((0.2, 0.9), 5)
    ([0.01, 0.1, 1.0], [0.2, 0.5])
    """
    low, high = window[0] * (1 - 1e-9), window[1] * (1 + 1e-9)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ("125", "1"):
        values = [float(f"{digit}e{power}") for power in powers for digit in digits]
        inside = [value for value in values if low <= value <= high]
        if len(inside) <= count:
            return inside
    return inside[:: -(-len(inside) // count)]


def belongs_to(name: str) -> tuple[str, str]:
    """Return what a curve of this name measures, and on which data: "held out" or "trained on".

    Examples
    --------
    >>> belongs_to("loss"), belongs_to("val_loss"), belongs_to("acc/test")
    (('loss', 'trained on'), ('loss', 'held out'), ('acc', 'held out'))
    """
    parts = [part for part in re.split(r"[\s_./:-]+", name) if part]
    what = [part for part in parts if part.lower() not in _HELD_OUT | _TRAINED_ON]
    held_out = any(part.lower() in _HELD_OUT for part in parts)
    return " ".join(what) or name, "held out" if held_out else "trained on"
