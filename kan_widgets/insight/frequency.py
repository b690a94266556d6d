"""What a linear kernel does to waves: its frequency response, orientation and bandwidth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_widgets.insight.tables import Float64

ORIENTED = 0.45
"""From this strength on a kernel has an orientation worth naming; Sobel's has 0.56."""

_SIZE = 65
# Points of a line through the plane of frequencies.
_ALONG = 4001


@dataclass(frozen=True, eq=False)
class FrequencyResponse:
    """How strongly a kernel responds to waves of each frequency: |H(f)|, H = Σ w·e^(−2πi f·r).

    Frequencies are in cycles per pixel, from −½ to ½ either way (beyond, they repeat). Angles are
    in degrees, as seen in the picture: 0 is along a row, 90 along a column, 45 rises to the right.
    """

    frequencies: Float64
    """``(65,)`` from −½ to ½: the steps of both axes of ``magnitude``."""
    magnitude: Float64
    """``(65, 65)``, rows by vertical, columns by horizontal frequency."""
    gain: float
    """|H(0)| / Σ|w|: 1 for a kernel that averages, 0 for one that only sees differences."""
    even: float
    """The share of Σw² that stays the same when the kernel is turned by 180°: 1 for a line or a
    spot about its middle, 0 for an edge."""
    orientation: float
    """The direction of the lines or edges that the kernel answers to most, 0 to 180: across the
    mean direction θ of the waves up to ½, each weighted by |H|²."""
    strength: float
    """How clear that direction is: |Σ |H|²·e^(2iθ)| / Σ |H|². 0 where none is preferred, 1 where
    all waves answered to run the same way; small kernels stay well below."""
    peak: tuple[float, float]
    """(vertical, horizontal) frequency of the strongest answer."""
    frequency: float
    """Its length, in cycles per pixel; 0 where the kernel answers most to evenness."""
    band: tuple[float, float]
    """Along the line from 0 through the peak, the frequencies around it at which |H| is at
    least half the peak; the line ends where a frequency along a row or a column is ½."""
    kind: str
    """``"edge"`` or ``"line"`` where ``strength`` is 0.45 or more, and ``even`` below, or from,
    a half; else ``"no direction"``. Empty for a kernel of zeros."""

    @property
    def bandwidth(self) -> float:
        """The width of ``band`` in octaves, log2(high/low); infinite where it begins at 0."""
        low, high = self.band
        return math.log2(high / low) if low > 0 else math.inf if high > 0 else math.nan


def frequency_response(weights: NDArray[np.floating]) -> FrequencyResponse:
    """Measure how a kernel of weights responds to waves.

    Parameters
    ----------
    weights
        ``(kh, kw)``, both 2 or more; such as ``linear_kernel(…).weights[channel]``.

    Raises
    ------
    ValueError
        If it is smaller, or not finite.

    Examples
    --------
    >>> found = frequency_response(np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]))  # Sobel
    >>> found.kind, found.orientation, found.gain
    ('edge', 0.0, 0.0)
    >>> found.peak, round(found.bandwidth, 3)  # |2·sin 2πf|: half from 1/12 to 5/12
    ((0.25, 0.0), 2.322)
    """
    w = np.asarray(weights, dtype=np.float64)
    if w.ndim != 2 or min(w.shape) < 2 or not np.isfinite(w).all():
        raise ValueError(
            f"weights: expected finite numbers of shape (kh, kw), both ≥ 2, got shape {w.shape}"
        )
    f = np.linspace(-0.5, 0.5, _SIZE)
    magnitude = np.abs(_transform(w, f, f))
    if not w.any():
        nan = math.nan
        return FrequencyResponse(f, magnitude, nan, nan, nan, nan, (nan, nan), nan, (nan, nan), "")
    even = (((w + w[::-1, ::-1]) / 2) ** 2).sum() / (w**2).sum()
    angle, strength = _orientation(f, magnitude)
    peak = _peak(w, f, magnitude)
    oriented = strength >= ORIENTED
    return FrequencyResponse(
        frequencies=f,
        magnitude=magnitude,
        gain=float(abs(w.sum()) / np.abs(w).sum()),
        even=float(even),
        orientation=angle,
        strength=strength,
        peak=peak,
        frequency=math.hypot(*peak),
        band=_band(w, peak, angle),
        kind=("line" if even >= 0.5 else "edge") if oriented else "no direction",
    )


def _waves(positions: int, f: Float64) -> NDArray[np.complex128]:
    """Return e^(−2πi f·r), ``(..., positions)``, r counted from the middle."""
    r = np.arange(positions) - (positions - 1) / 2
    found: NDArray[np.complex128] = np.exp(-2j * np.pi * f[..., None] * r)
    return found


def _transform(w: Float64, fy: Float64, fx: Float64) -> NDArray[np.complex128]:
    """Return H at every pair of a vertical and a horizontal frequency."""
    found: NDArray[np.complex128] = _waves(w.shape[0], fy) @ w @ _waves(w.shape[1], fx).T
    return found


def _orientation(f: Float64, magnitude: Float64) -> tuple[float, float]:
    """Return the angle across the mean direction of the power, and how clear it is."""
    # Rows run downwards, so that the picture's y is −fy.
    y, x = -f[:, None], f[None, :]
    square = x**2 + y**2
    # All directions reach as far as a row and a column do.
    power = magnitude**2 * (square <= 0.25)
    # cos 2θ + i·sin 2θ: a wave and its opposite have the same direction.
    doubled = (x + 1j * y) ** 2 / np.where(square > 0, square, 1.0)
    mean = complex((power * doubled).sum() / power.sum())
    angle = (math.degrees(math.atan2(mean.imag, mean.real)) / 2 + 90) % 180
    # Rounding must not turn 0 into 180.
    return (0.0 if min(angle, 180 - angle) < 1e-9 else angle), abs(mean)


def _peak(w: Float64, f: Float64, magnitude: Float64) -> tuple[float, float]:
    """Return (fy, fx) of the largest |H|: of the two opposite ones that with fy > 0."""
    # Equal but for rounding: the first in the order of the grid, from 0 outwards.
    best = np.argwhere(magnitude >= magnitude.max() * (1 - 1e-12))
    fy, fx = f[best[np.abs(f[best]).sum(axis=1).argmin()]]
    step = f[1] - f[0]
    near = np.linspace(-1, 1, 9)
    for _ in range(12):
        ys, xs = np.clip(fy + step * near, -0.5, 0.5), np.clip(fx + step * near, -0.5, 0.5)
        around = np.abs(_transform(w, ys, xs))
        i, j = np.unravel_index(around.argmax(), around.shape)
        if around[i, j] > np.abs(_transform(w, np.array([fy]), np.array([fx])))[0, 0] * (1 + 1e-12):
            fy, fx = ys[i], xs[j]
        step /= 4
    if fy < 0 or (fy == 0 and fx < 0):
        fy, fx = -fy, -fx
    return float(fy) + 0.0, float(fx) + 0.0


def _band(w: Float64, peak: tuple[float, float], angle: float) -> tuple[float, float]:
    """Return the frequencies around the peak, along its direction, with half its magnitude."""
    frequency = math.hypot(*peak)
    if frequency > 0:
        towards = np.array(peak) / frequency
    else:  # across the lines
        turned = math.radians(angle + 90)
        towards = np.array([-math.sin(turned), math.cos(turned)])
    end = 0.5 / np.abs(towards).max()
    along = np.unique(np.append(np.linspace(0, end, _ALONG), min(frequency, end)))
    ys, xs = along * towards[0], along * towards[1]
    h = (_waves(w.shape[0], ys) @ w * _waves(w.shape[1], xs)).sum(axis=1)
    size = np.abs(h)
    at = int(np.searchsorted(along, min(frequency, end)))
    above = size >= size[at] / 2
    low, high = at, at
    while low > 0 and above[low - 1]:
        low -= 1
    while high < len(along) - 1 and above[high + 1]:
        high += 1

    def crossing(inside: int, outside: int) -> float:
        share = (size[inside] - size[at] / 2) / (size[inside] - size[outside])
        return float(along[inside] + share * (along[outside] - along[inside]))

    return (
        crossing(low, low - 1) if low > 0 else 0.0,
        crossing(high, high + 1) if high < len(along) - 1 else float(end),
    )
