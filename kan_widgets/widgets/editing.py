"""Edits that a page asks for: by hand, undone, or to a symbolic form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kan_widgets.live import Binding

_OF_THE_LAST = ("undo", "redo")
_OF_ONE = ("zero", "reset", "straighten")
EDITS = ("edit", "form", *_OF_THE_LAST, *_OF_ONE)
"""The kinds of messages that `edit` takes."""


def edit(binding: Binding, kind: str, content: dict[str, Any]) -> str:
    """Do what an inspector asks, and return what there is to say of it, if anything.

    Whatever is wrong with it raises, in words, and changes nothing.
    """
    edits = binding.edits
    if kind in _OF_THE_LAST:
        getattr(edits, kind)()
        return ""
    layer, index = content["layer"], [int(content[part]) for part in ("out", "in", "row", "column")]
    if kind == "form":
        return replace_by_form(binding, layer, index)
    if kind in _OF_ONE:
        getattr(edits, kind)(layer, index)
    else:
        final = bool(content.get("final", True))
        edits.set(layer, index, content["coefficients"], final=final)
    return ""


def replace_by_form(binding: Binding, layer: str, index: Sequence[int]) -> str:
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
