"""A pattern: each entry from black to white by φ at one end of its domain against the other.

The browser follows the same rules (js/src/kernel_grid/pattern.ts).
"""

from __future__ import annotations

import numpy as np

from kan_widgets.live.frames.layout import LayerLayout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.widgets.curves import Float64
from kan_widgets.widgets.ranges import Functions, format_number, format_range

# How near the darkest pixel has to be to −1, and none beyond ±1.
_NEAR = 1e-3


def contrast(layer: LayerLayout, functions: Functions) -> Float64:
    """Return φ(high) − φ(low) of every function, at the ends of its own grid."""
    found = np.empty(layer.count)
    number = np.zeros(layer.count, np.int64) if layer.table_of is None else layer.table_of
    domains = [table.domain for table in layer.tables]
    for domain in set(domains):
        those = [k for k, its in enumerate(domains) if its == domain]
        mine = np.flatnonzero(np.isin(number, those))
        found[mine] = np.diff(functions.evaluate(np.array(domain), mine), axis=1)[:, 0]
    return found


def sees_pixels(layer: LayerLayout, observed: Observation | None) -> bool:
    """Whether x is known to be the pixels of images with −1 for dark and +1 for bright."""
    whole = all(table.domain == (-1.0, 1.0) for table in layer.tables)
    if not whole or layer.kind != "conv" or layer.variable != "x":
        return False
    if observed is None or not observed.is_image or observed.maps is None:
        return False
    least, most = float(observed.maps.min()), float(observed.maps.max())
    return abs(least + 1) <= _NEAR and most <= 1 + _NEAR


def pattern_text(layer: LayerLayout, pixels: bool, largest: float, binarise: bool) -> str:
    """Return what black and white stand for, and how far apart φ is where they are full."""
    lows, highs = (sorted({table.domain[end] for table in layer.tables}) for end in (0, 1))
    alike = len(lows) == len(highs) == 1
    low, high = _spread(lows), _spread(highs)
    v = layer.variable
    words = f"black: φ is larger at {v} = {low} · white: at {v} = {high}"
    if pixels:
        words = "black: prefers dark (−1) · white: prefers bright (+1)"
    if not alike:
        words = f"black: φ is larger at the low end, {v} = {low} · white: at the high end, {high}"
    if binarise:
        return words
    difference = f"φ({high}) − φ({low}) = " if alike else "a difference of "
    return f"{words} · full at {difference}{format_range(largest)}"


def _spread(values: list[float]) -> str:
    least, most = format_number(values[0]), format_number(values[-1])
    return least if least == most else f"{least} … {most}"
