"""A function of a live model replaced by its symbolic form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kan_widgets.live import Binding


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
