"""Curves over training steps: smoothing, thinning, axes, and which belong together."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kan_widgets.widgets.ranges import format_number

Float64: TypeAlias = NDArray[np.float64]
Range: TypeAlias = tuple[float, float]

# Steps that the mean of a drawn curve spans, unless the user chooses.
SMOOTHING = 30


class Smoothed:
    """A growing curve, each value the mean of those around it.

    At step s it is the mean of all values at most r steps before or after it, r = ``over``/2.
    Near an end r is the distance to it, so that the two sides always weigh the same: a
    straight line stays where it is, all of it, and the last value is the last one logged.
    Values further apart than r, such as one an epoch, are left as they are. What is not
    finite has no part in it.

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
    >>> curve.follow(np.array([1, 2, 3]), np.array([0.0, 3.0, 9.0])).tolist()
    [0.0, 4.0, 9.0]
    """

    def __init__(self, over: float, log: bool = False) -> None:
        if not over >= 1:
            raise ValueError(f"over={over!r}: expected a number of steps ≥ 1")
        self.over, self.log = over, log
        self._forget()

    def _forget(self) -> None:
        self._smooth = np.empty(0)
        self._last: tuple[float, float] | None = None  # step and value
        self._settled = 0  # so many do not change, whatever comes (more of the last step too)
        # Of the values that have a part in it.
        self._first_step: float | None = None
        self._last_step = -math.inf

    def follow(self, steps: NDArray[np.generic], values: Float64) -> Float64:
        """Return the smoothed curve; what can change no more is not computed again.

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
            reach = np.minimum(at - self._first_step, at[-1] - at).clip(0, self.over / 2)
            first = np.searchsorted(at, at - reach, "left")
            end = np.searchsorted(at, at + reach, "right")
            means = _sums(v, first, end) / (end - first)
            smooth[shown] = np.exp(means) if self.log else means
        return smooth


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


def round_step(length: float, count: float) -> float:
    """Return a round step of which at most about ``count`` cover a length.

    Examples
    --------
    >>> round_step(1.0, 8), round_step(0.003, 5)
    (0.2, 0.001)
    """
    rough = length / max(1.0, count)
    power = math.floor(math.log10(rough))
    for digit in ("1", "2", "5"):
        step = float(f"{digit}e{power}")
        if step >= rough * (1 - 1e-9):
            return step
    return float(f"1e{power + 1}")


def ticks(window: Range, count: float) -> list[tuple[float, str]]:
    """Return round values in a window, with their texts.

    Examples
    --------
    >>> ticks((-1.0, 1.0), 4)
    [(-1.0, '−1.0'), (-0.5, '−0.5'), (0.0, '0.0'), (0.5, '0.5'), (1.0, '1.0')]
    """
    low, high = window
    step = round_step(high - low, count)
    numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    values = [float(f"{k * step:.12g}") + 0.0 for k in numbers]
    largest = max(map(abs, values), default=0.0)
    if largest >= 1e5 or 0 < largest < 1e-4:
        return [(value, format_number(value)) for value in values]
    places = max(0, min(12, -math.floor(math.log10(step) + 1e-9)))
    return [(value, f"{value:.{places}f}".replace("-", "−")) for value in values]


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
