"""Curves over training steps: smoothing, thinning, and which belong together."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Float64: TypeAlias = NDArray[np.float64]
Range: TypeAlias = tuple[float, float]

# Steps that the mean of a drawn curve spans, unless the user chooses.
SMOOTHING = 30


class Smoothed:
    """A growing curve, each value the mean of those around it.

    At step s it is the mean of all values at most r steps before or after it, r = ``over``/2.
    Within r steps of an end there are values on one side only: there it is the straight line
    that fits them best, at s. So a trend is neither behind nor ahead anywhere, and the end of
    the curve is as calm as its middle. Values further apart than r, such as one an epoch, are
    left as they are. What is not finite has no part in it.

    Parameters
    ----------
    over
        How many steps the mean spans, at least 1.
    log
        Whether logarithms are averaged, for a logarithmic axis: the mean is the geometric
        one, and what is not positive has no part in it.

    Examples
    --------
    >>> curve = Smoothed(over=2)
    >>> curve.updated(np.array([1, 2, 3]), np.array([0.0, 3.0, 9.0])).tolist()
    [0.0, 4.0, 9.0]
    """

    def __init__(self, over: float, log: bool = False) -> None:
        if not over >= 1:
            raise ValueError(f"over: expected a number of steps ≥ 1, got {over!r}")
        self.over, self.log = over, log
        self._forget()

    def _forget(self) -> None:
        self._smooth = np.empty(0)
        self._last: tuple[float, float] | None = None  # step and value
        self._settled = 0  # so many do not change, whatever comes (more of the last step too)
        # Of the values that have a part in it.
        self._first_step: float | None = None
        self._last_step = -math.inf

    def updated(self, steps: NDArray[np.generic], values: Float64) -> Float64:
        """Return the smoothed curve; what can no longer change is not computed again.

        Parameters
        ----------
        steps, values
            The whole curve, ``(n,)`` each, steps not falling.

        Returns
        -------
        ndarray
            ``(n,)``; NaN where the value has no part in it. It must not be changed.
        """
        if not self._goes_on(steps, values):
            self._forget()
        if len(values) > len(self._smooth):
            radius = self.over / 2
            # The first value that the mean of one not settled may need.
            start = 0
            if self._settled:
                reached = float(steps[self._settled]) - radius
                start = int(np.searchsorted(steps, reached, "left"))
            fresh = self._means(steps[start:].astype(np.float64), values[start:])
            kept = self._smooth[: self._settled]
            self._smooth = np.concatenate([kept, fresh[self._settled - start :]])
            self._last = float(steps[-1]), float(values[-1])
            self._settled = int(np.searchsorted(steps, self._last_step - radius, "left"))
        return self._smooth

    def _goes_on(self, steps: NDArray[np.generic], values: Float64) -> bool:
        known = len(self._smooth)
        if len(values) < known or self._last is None:
            return False
        step, value = self._last
        now = float(values[known - 1])
        same = now == value or (math.isnan(now) and math.isnan(value))
        return same and float(steps[known - 1]) == step

    def _means(self, steps: Float64, values: Float64) -> Float64:
        shown = np.isfinite(values) & ((values > 0) if self.log else True)
        smooth = np.full(len(values), np.nan)
        at, v = steps[shown], np.log(values[shown]) if self.log else values[shown]
        if len(at):
            if self._first_step is None:
                self._first_step = float(at[0])
            self._last_step = float(at[-1])
            reach = self.over / 2
            first = np.searchsorted(at, at - reach, "left")
            end = np.searchsorted(at, at + reach, "right")
            means = _sums(v, first, end) / (end - first)
            for edge in (self._first_step, self._last_step):
                near = abs(at - edge) < reach
                means[near] = _fitted(at - edge, v, near, first[near], end[near])
            smooth[shown] = np.exp(means) if self.log else means
        return smooth


def _fitted(
    x: Float64,
    v: Float64,
    near: NDArray[np.bool_],
    first: NDArray[np.intp],
    end: NDArray[np.intp],
) -> Float64:
    """Return, for some places, the best straight line through ``v[first_k:end_k]`` there.

    Parameters
    ----------
    x
        ``(n,)``, small near those places: its squares are added up.
    v
        ``(n,)``.
    near
        ``(n,)``, which places.
    first, end
        One for each of those.
    """
    count = end - first
    middle, mean = _sums(x, first, end) / count, _sums(v, first, end) / count
    spread = _sums(x * x, first, end) - count * middle * middle
    rise = _sums(x * v, first, end) - count * middle * mean
    # Values at one step have no slope.
    slope = np.divide(rise, spread, out=np.zeros_like(rise), where=spread > 1e-9)
    fitted: Float64 = mean + slope * (x[near] - middle)
    return fitted


def _sums(values: Float64, first: NDArray[np.intp], end: NDArray[np.intp]) -> Float64:
    """Return the sum of ``values[first_k:end_k]`` for each k.

    Of pieces whose lengths are powers of two: differences of running sums would carry the error
    of one huge value through all that comes after it.
    """
    total, at, left = np.zeros(len(first)), first.copy(), end - first
    piece, size = values, 1  # piece[i] is the sum of `size` values from i on
    while left.any():
        with_it = (left & size) != 0
        total[with_it] += piece[at[with_it]]
        at[with_it] += size
        left[with_it] -= size
        piece = piece[:-size] + piece[size:]
        size *= 2
    return total


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
