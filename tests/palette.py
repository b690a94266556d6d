"""The views' palette, computed apart from them: what a pixel of a heat map or a tint stands for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ARM = 255
"""Colours on either side of the middle one, which stands for zero."""

# OKLab's lightness from zero to an end; hue in degrees, and chroma at thirds of the way.
_DESIGN = {
    "light": (
        (0.975, 0.36),
        (250, [0, 0.075, 0.128, 0.1]),
        (58, [0, 0.088, 0.128, 0.08]),
    ),
    "dark": (
        (0.27, 0.865),
        (245, [0, 0.09, 0.128, 0.076]),
        (66, [0, 0.094, 0.13, 0.1]),
    ),
}
# Ottosson (2020): XYZ of D65 to the cones' response, and that to Lab; and sRGB's primaries.
_CONES = np.array(
    [
        [0.8189330101, 0.3618667424, -0.1288597137],
        [0.0329845436, 0.9293118715, 0.0361456387],
        [0.0482003018, 0.2643662691, 0.6338517070],
    ]
)
_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_PRIMARIES = np.array(
    [
        [0.4123908, 0.3575843, 0.1804808],
        [0.2126390, 0.7151687, 0.0721923],
        [0.0193308, 0.1191948, 0.9505322],
    ]
)


def palette(theme: str) -> NDArray[np.float64]:
    """Return the colours from the lowest value to the highest, ``(2·ARM + 1, 3)``, not rounded."""
    (start, end), *arms = _DESIGN[theme]
    share = np.linspace(0, 1, 5000)
    halves = []
    for hue, chroma in arms:
        thirds = np.linspace(0, 1, 4)
        c = np.polyval(np.polyfit(thirds, chroma, 3), share)
        a, b = c * np.cos(np.radians(hue)), c * np.sin(np.radians(hue))
        lab = np.stack([start + (end - start) * share, a, b], axis=1)
        # Neighbours are as far apart everywhere.
        length = np.append(0, np.cumsum(np.linalg.norm(np.diff(lab, axis=0), axis=1)))
        even = np.linspace(0, length[-1], ARM + 1)
        halves.append(_srgb(np.stack([np.interp(even, length, part) for part in lab.T], axis=1)))
    below, above = halves
    return np.concatenate([below[:0:-1], above])


def _srgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    xyz = np.linalg.solve(_CONES, np.linalg.solve(_LAB, lab.T) ** 3)
    linear = np.linalg.solve(_PRIMARIES, xyz).clip(0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return 255 * curved.T
