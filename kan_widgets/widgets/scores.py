"""Scores given to the functions of some layers, checked before they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kan_widgets.live.frames.layout import Float32
from kan_widgets.live.kinds import is_tensor


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
        raise ValueError(f"name: expected a word other than {words}, got {name!r}")
    if not isinstance(values, Mapping):
        raise TypeError(
            "values: expected a mapping from layer names to arrays, such as "
            f"{{{next(iter(shapes))!r}: array}}, got {type(values).__name__}"
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
    if is_tensor(given):
        given = given.detach().cpu().numpy()
    numbers = np.asarray(given, dtype="<f4")
    per_kernel = in_ * kh * kw
    if numbers.shape == (out,) != (out * per_kernel,):
        numbers = np.repeat(numbers, per_kernel)
    full = [(out, in_, kh, kw), (out * per_kernel,), *([(out, in_)] if kh == kw == 1 else [])]
    if numbers.shape not in full:
        raise ValueError(
            f"{name}: expected one number for each function of {layer}, shape "
            f"{(out, in_, kh, kw)}, or one for each output, {(out,)}; got shape {numbers.shape}"
        )
    if np.isinf(numbers).any():
        raise ValueError(f"{name}: some numbers of {layer} are infinite; NaN stands for unknown")
    return np.ascontiguousarray(numbers.reshape(-1))
