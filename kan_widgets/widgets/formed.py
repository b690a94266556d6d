"""A function of a live model replaced by its symbolic form."""

from __future__ import annotations

from collections.abc import Sequence

from kan_widgets.insight import symbolic
from kan_widgets.live import Binding


def become_formed(binding: Binding, layer: str, index: Sequence[int]) -> str:
    """Set a function to the form a·f(b·x + c) + d that is most like it, and say which.

    Raises
    ------
    ValueError
        If nothing was observed at the layer, no form fits, or the layer cannot be edited.
    """
    functions = next((own for own in binding.read() if own.name == layer), None)
    if functions is None:
        raise ValueError(f"there is no layer {layer!r}")
    observed = binding.observed.get(layer)
    if observed is None:
        raise ValueError(
            "a form is fitted to the inputs of a function, and none were seen: "
            "call live.observe(batch) first"
        )
    [best, *_] = symbolic(functions, observed, only=index).at(index)
    if not best.fits:
        raise ValueError(f"this function has no simple form: {best.quality()}")
    error = binding.edits.become(layer, index, best)
    return f"φ is now {best} ({best.quality()}), to {error:.2g} in the layer's basis"
