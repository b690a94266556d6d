"""The diverging palette of heat maps: blue below zero, orange above, the page's lightness between.

The live view's is the same (``js/src/shared/palette.ts``; ``js/test/palette_cases.json``
holds both to it).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from kan_widgets.widgets.sheet import Bytes, Float64

ARM = 255
"""Colours on either side of the middle one."""

# Lightness from the middle to the ends; of each arm the OKLCH hue, and the chroma at thirds.
_DESIGN = {
    "light": (
        (0.975, 0.36),
        (250.0, (0.0, 0.075, 0.128, 0.1)),
        (58.0, (0.0, 0.088, 0.128, 0.08)),
    ),
    "dark": (
        (0.235, 0.86),
        (245.0, (0.0, 0.08, 0.122, 0.075)),
        (66.0, (0.0, 0.08, 0.128, 0.1)),
    ),
}
_FINE = 2048
# OKLab to the roots of the cone responses, and those to linear sRGB (Ottosson 2020).
_CONES = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.291485548],
    ]
)
_LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.707614701],
    ]
)


@cache
def palette(theme: str) -> Bytes:
    """Return the ``(2·ARM + 1, 3)`` colours for a theme, "light" or "dark"; the middle is zero.

    Neighbours are equally far from each other in OKLab, along both arms.

    Examples
    --------
    >>> palette("light").shape
    (511, 3)
    """
    lightness, below, above = _DESIGN[theme]
    low = _arm(lightness, *below)
    high = _arm(lightness, *above)
    return np.concatenate([low[:0:-1], high])


def _arm(
    lightness: tuple[float, float], hue: float, chroma: tuple[float, float, float, float]
) -> Bytes:
    share = np.linspace(0.0, 1.0, _FINE + 1)
    # The cubic through the four values.
    size = np.polynomial.Polynomial.fit(np.arange(4) / 3, chroma, 3)(share)
    angle = np.deg2rad(hue)
    lab = np.stack(
        [
            lightness[0] + (lightness[1] - lightness[0]) * share,
            size * np.cos(angle),
            size * np.sin(angle),
        ],
        axis=-1,
    )
    steps = np.linalg.norm(np.diff(lab, axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = length[-1] * np.arange(ARM + 1) / ARM
    chosen = lab[np.minimum(np.searchsorted(length, wanted), _FINE)]
    linear = (chosen @ _CONES.T) ** 3 @ _LINEAR.T
    bent = 1.055 * np.maximum(linear, 0.0) ** (1 / 2.4) - 0.055
    value = np.where(linear <= 0.0031308, 12.92 * linear, bent)
    colours: Bytes = np.rint(255 * np.clip(value, 0.0, 1.0)).astype(np.uint8)
    return colours


def colourise(values: NDArray[np.floating], most: Float64 | float, theme: str) -> Bytes:
    """Return RGB colours, shape ``(*values.shape, 3)``, on a scale from −most to most.

    Chequered grey stands for what is not finite.
    """
    with np.errstate(all="ignore"):
        share = np.where(np.asarray(most) > 0, values / np.asarray(most), 0.0)
    finite = np.isfinite(values)
    # Half away from zero on the upper arm and towards it on the lower, as in JavaScript.
    place = np.floor(ARM * np.clip(np.where(finite, share, 0.0), -1, 1) + 0.5).astype(np.int64)
    colours = palette(theme)[ARM + place]
    rows, columns = np.indices(values.shape[-2:])
    odd = np.broadcast_to((rows + columns) % 2 == 1, values.shape)
    greys = (205, 150) if theme == "light" else (70, 120)
    for mask, grey in ((odd, greys[0]), (~odd, greys[1])):
        colours[~finite & mask] = grey
    return colours
