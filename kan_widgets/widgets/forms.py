"""Symbolic forms of functions: laid over them in SplineInspector, or put in their place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_widgets.insight.symbolic_fit import SymbolicFit
from kan_widgets.live import Selection
from kan_widgets.live.frames.layout import LayerLayout

if TYPE_CHECKING:
    from kan_widgets.live import Binding


INDEX = ("out", "in", "row", "column")
_POINTS = 513


def check_pins(pins: Iterable[Any], layers: tuple[LayerLayout, ...]) -> list[Any]:
    """Refuse what names no function; return the pins as a list."""
    given = list(pins)
    for pin in given:
        if not names_function(pin, layers):
            names = ", ".join(repr(layer.name) for layer in layers)
            raise ValueError(
                f"pins: {pin!r} names no function; each is a dict of 'layer' (one of {names}), "
                "'out', 'in', 'row' and 'column'"
            )
    return given


def overlay_of(fit: SymbolicFit) -> dict[str, Any]:
    """Return a symbolic form as a curve over its function."""
    x = np.linspace(fit.low, fit.high, _POINTS)
    values = fit(x)
    values = np.where(np.isfinite(values), values, np.nan)
    r2 = "" if np.isnan(fit.r2) else f", {fit.quality()}"
    return {
        "layer": fit.layer,
        **dict(zip(INDEX, fit.index, strict=True)),
        "label": f"{fit}{r2}",
        "low": fit.low,
        "high": fit.high,
        "samples": values.astype("<f4").tobytes(),
    }


def check_overlays(overlays: Iterable[Any], layers: tuple[LayerLayout, ...]) -> list[Any]:
    """Refuse curves that cannot be drawn; return them as a list."""
    given = list(overlays)
    for curve in given:
        if not names_function(curve, layers):
            raise ValueError(f"overlays: {curve!r:.80} names no function of this model")
        samples = curve.get("samples")
        if not isinstance(samples, bytes | memoryview) or len(samples) < 8 or len(samples) % 4:
            raise ValueError(
                "overlays: expected samples as the bytes of two float32 or more, got "
                f"{samples!r:.40}"
            )
        low, high = curve.get("low", np.nan), curve.get("high", np.nan)
        if not -np.inf < low < high < np.inf or not isinstance(curve.get("label"), str):
            raise ValueError(
                "overlays: expected a label in words and finite low < high, got "
                f"{curve.get('label')!r}, {low!r} and {high!r}"
            )
    return given


def names_function(selection: Selection | None, layers: tuple[LayerLayout, ...]) -> bool:
    """Whether a selection names a function of some layers."""
    if not isinstance(selection, dict):
        return False
    index = [selection.get(name) for name in INDEX]
    return any(
        layer.name == selection.get("layer")
        and all(
            isinstance(i, int) and 0 <= i < size for i, size in zip(index, layer.shape, strict=True)
        )
        for layer in layers
    )


def become_formed(binding: Binding, layer: str, index: Sequence[int]) -> str:
    """Set a function to the form a·f(b·x + c) + d that is most like it, for good, and say which.

    Raises
    ------
    KeyError, IndexError
        If there is no such function.
    ValueError
        If nothing was observed at the layer, no form fits, or the layer cannot be edited.
    """
    from kan_widgets.insight import fix, symbolic

    functions = binding.feed.model.layers.read_one(layer)
    observed = binding.feed.observed.get(layer)
    if observed is None:
        raise ValueError(
            "a form is fitted to the inputs of a function, and none were seen: "
            "call live.observe(batch) first"
        )
    [best, *_] = symbolic(functions, observed, only=index).at(index)
    if not best.fits:
        raise ValueError(f"this function has no simple form: {best.quality()}")
    fixed = fix(binding, best, observed=observed)
    return f"φ is now {fixed.form} ({best.quality()}); training leaves it so until it is undone"
