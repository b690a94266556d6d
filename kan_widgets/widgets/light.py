"""Less exact frames and inputs, for pages that must be small: no eye can tell them apart.

Rounded numbers compress many times better: the bits that are left out are mostly noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kan_widgets.live import Frame
from kan_widgets.live.frames.layout import Float32
from kan_widgets.live.frames.observation import Observation

# Steps up to the largest coefficient that a function ever has: rounding is off by half a step,
# less than a pixel where φ is drawn 100 pixels high.
COEFFICIENTS = 32
# And at most so many up to the largest of its layer: a small function is drawn small.
OF_THE_LAYER = 256
# Parts of a step in which the last frame is kept: what is read there is good to four digits.
FINE = 254
# Of the largest input of a layer, as many as a picture has shades.
INPUTS = 256
_PATCHES = 2000
_NUMBERS = 40_000


def rounded(values: Float32, levels: int) -> Float32:
    """Return numbers to the nearest of about so many steps from 0 to the largest; ±∞, NaN stay.

    Examples
    --------
    >>> import numpy as np
    >>> rounded(np.float32([1.0, 0.3, -0.01, np.inf]), 16).tolist()
    [1.0, 0.3125, 0.0, inf]
    """
    finite = np.isfinite(values)
    largest = np.abs(values, where=finite, out=np.zeros_like(values)).max(initial=0)
    if largest == 0:
        return values
    step = np.float32(2.0 ** np.ceil(np.log2(largest / levels)))
    # + 0 makes 0 of −0, which is another word of 32 bits.
    return np.where(finite, np.round(values / step) * step + 0, values).astype(np.float32)


def light_run(frames: Sequence[Frame]) -> dict[str, Any] | None:
    """Return frames of one layout in whole steps; ``None`` where a number is not finite.

    Read by ``widen`` in js/src/page/saved.ts. The size of a step is that of its function.

    Returns
    -------
    dict
        ``"counts"``: how many functions of how many coefficients each layer has. ``"sizes"``: of
        the steps, float32, one for each function. ``"data"``: of each coefficient, its steps in
        the first frame, then the differences from frame to frame, int8. ``"fine"``: what is
        missing in the last frame, in parts of a step, int8. ``"beside"``: what each frame has
        after its coefficients, float32, as it is.
    """
    values = np.stack([frame.data for frame in frames])
    if not np.isfinite(values).all():
        return None
    counts, sizes, steps, fine = [], [], [], []
    for layer in sorted(frames[0].layout.layers, key=lambda layer: layer.offset):
        part = values[:, layer.offset : layer.offset + layer.length]
        part = part.reshape(len(frames), -1, layer.nb).astype(np.float64)
        reach = np.abs(part).max((0, 2), initial=0)
        size = np.maximum(reach / COEFFICIENTS, reach.max(initial=0) / OF_THE_LAYER)
        size = np.where(size > 0, size, 1).astype(np.float32)
        whole = np.rint(part / size[:, None])
        counts.append([part.shape[1], layer.nb])
        sizes.append(size)
        steps.append(whole.reshape(len(frames), -1))
        fine.append(np.rint((part[-1] / size[:, None] - whole[-1]) * FINE).ravel())
    moved = np.diff(np.concatenate(steps, 1), axis=0, prepend=0)
    return {
        "counts": counts,
        "sizes": np.concatenate(sizes).astype("<f4").tobytes(),
        "data": np.ascontiguousarray(moved.T.astype(np.int16).astype(np.int8)).tobytes(),
        "fine": np.concatenate(fine).astype(np.int8).tobytes(),
        "beside": values[:, frames[0].layout.coefficients :].astype("<f4").tobytes(),
    }


def light_inputs(seen: Observation) -> Observation:
    """Return observed inputs rounded, and at most 2,000 patches or 40,000 numbers, evenly."""
    most = min(_PATCHES, max(1, _NUMBERS * len(seen.patches) // max(1, seen.patches.size)))
    every = -(-len(seen.patches) // most)
    return replace(
        seen,
        patches=rounded(seen.patches[::every], INPUTS),
        images=None if seen.images is None else seen.images[::every],
        maps=None if seen.maps is None else rounded(seen.maps, INPUTS),
    )
