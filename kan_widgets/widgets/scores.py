"""Numbers that somebody gave the functions of some layers, and the tints that show them.

The live view follows the same rules (``js/src/kernel_grid/scores.ts``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from kan_widgets.live.frames.layout import Float32, LayerLayout
from kan_widgets.widgets.palette import ARM, palette
from kan_widgets.widgets.sheet import Bytes, Float64

TINT = 0.5
"""Share of the palette's arms that is used: curves must stand out on the strongest."""
STEPS = 16
"""Tints on either side of zero in the still picture, which has few colours."""


@dataclass(frozen=True, eq=False)
class Score:
    """Numbers by the name of a layer."""

    signed: bool
    """Whether the scale has two sides, with zero in the middle."""
    units: str
    layers: Mapping[str, Float32]
    """``(functions,)`` each, row-major over (out, in, kh, kw); NaN where nothing is known."""


@dataclass(frozen=True, eq=False)
class Shade:
    """The numbers of one layer on their scale."""

    name: str
    units: str
    signed: bool
    values: Float64
    most: float
    """The end of the scale, which begins at 0, or at −most where it is signed."""

    @property
    def unknown(self) -> int:
        """Functions without a number."""
        return int(np.isnan(self.values).sum())

    def ends(self) -> tuple[float, float]:
        """Return both ends of the scale."""
        return (-self.most if self.signed else 0.0), self.most

    def tints(self, theme: str) -> Bytes:
        """Return the colour of each function, ``(functions, 3)``; that of 0 without a number."""
        with np.errstate(all="ignore"):
            share = self.values / self.most if self.most > 0 else self.values * 0
        return tints(np.nan_to_num(share), theme)


def tints(share: Float64, theme: str) -> Bytes:
    """Return colours for shares of the scale, −1 to 1, in steps."""
    steps = np.floor(STEPS * np.clip(share, -1, 1) + 0.5) / STEPS
    return palette(theme)[ARM + np.rint(TINT * ARM * steps).astype(np.int64)]


def checked(
    name: str,
    values: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, int, int, int]],
    units: str,
    signed: bool | None,
    taken: tuple[str, ...],
) -> dict[str, Any]:
    """Return scores as they go to the browser.

    Parameters
    ----------
    name
        What they are called.
    values
        Numbers by layer.
    shapes
        (out, in, kh, kw) of every layer there is.
    units, signed
        As for `KernelGrid.score`.
    taken
        Names that mean something else.

    Raises
    ------
    TypeError, ValueError
        If something does not fit.
    """
    if not isinstance(name, str) or not name.strip() or name in taken:
        words = ", ".join(map(repr, taken))
        raise ValueError(f"name={name!r}: a word other than {words} is taken")
    if not isinstance(values, Mapping):
        raise TypeError(
            f"values={type(values).__name__}: arrays by the name of their layer are taken, such "
            f"as {{{next(iter(shapes))!r}: array}}"
        )
    layers = {layer: _numbers(name, layer, given, shapes) for layer, given in values.items()}
    if signed is None:
        signed = any((numbers < 0).any() for numbers in layers.values())
    elif not signed and any((numbers < 0).any() for numbers in layers.values()):
        raise ValueError(f"{name}: some numbers are negative, so signed=False cannot show them")
    return {
        "signed": bool(signed),
        "units": str(units),
        "layers": {layer: numbers.tobytes() for layer, numbers in layers.items()},
    }


def _numbers(
    name: str, layer: str, given: Any, shapes: Mapping[str, tuple[int, int, int, int]]
) -> Float32:
    if layer not in shapes:
        raise ValueError(f"{name}: layer {layer!r}: the layers are {', '.join(map(repr, shapes))}")
    out, in_, kh, kw = shapes[layer]
    if isinstance(given, Tensor):
        given = given.detach().cpu().numpy()
    numbers = np.asarray(given, dtype="<f4")
    per_kernel = in_ * kh * kw
    if numbers.shape == (out,) != (out * per_kernel,):
        numbers = np.repeat(numbers, per_kernel)
    full = [(out, in_, kh, kw), (out * per_kernel,), *([(out, in_)] if kh == kw == 1 else [])]
    if numbers.shape not in full:
        raise ValueError(
            f"{name}: numbers of shape {numbers.shape} for {layer}: one for each function, "
            f"{(out, in_, kh, kw)}, or one for each output, {(out,)}, are taken"
        )
    if np.isinf(numbers).any():
        raise ValueError(f"{name}: some numbers of {layer} are infinite; NaN stands for unknown")
    return np.ascontiguousarray(numbers.reshape(-1))


def read_scores(trait: Mapping[str, Any]) -> dict[str, Score]:
    """Read scores from what goes to the browser."""
    return {
        name: Score(
            raw["signed"],
            raw["units"],
            {layer: np.frombuffer(data, "<f4") for layer, data in raw["layers"].items()},
        )
        for name, raw in trait.items()
    }


def shade_of(scores: Mapping[str, Score], name: str, layer: LayerLayout) -> Shade | None:
    """Return one score of a layer, or ``None`` where it has none that fits."""
    score = scores.get(name)
    numbers = None if score is None else score.layers.get(layer.name)
    if score is None or numbers is None or len(numbers) != layer.count:
        return None
    values = numbers.astype(np.float64)
    known = values[~np.isnan(values)]
    most = float(np.abs(known).max(initial=0.0))
    return Shade(name, score.units, score.signed, values, most)
