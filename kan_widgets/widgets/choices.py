"""Traits of the views: keywords that are checked, with errors that say what is expected."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import traitlets


def option(trait: Any) -> Any:
    """Make a trait a keyword of the view, synced to the browser."""
    return trait.tag(sync=True, option=True)


class Choice(traitlets.Enum[Any]):
    """One of some words; the error for anything else lists them."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(list(words), words[0])
        self._words = list(words)

    def words(self, obj: Any) -> list[str]:
        """Return the words to choose from."""
        return self._words

    def validate(self, obj: Any, value: Any) -> Any:
        """Return ``value`` if it is one of the words."""
        known = self.words(obj)
        if value in known:
            return value
        near = difflib.get_close_matches(str(value), known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        words = ", ".join(map(repr, known))
        raise traitlets.TraitError(f"{self.name}: expected one of {words}, got {value!r}.{hint}")


class LayerName(traitlets.TraitType[Any, Any]):
    """A layer of the stream, given by its name or its number."""

    default_value = ""

    def validate(self, obj: Any, value: Any) -> str:
        """Return the name."""
        return layer_name(value, obj._layer_names())


def layer_name(layer: str | int | None, names: tuple[str, ...]) -> str:
    """Return the name of a layer given by name or number; ``None`` is the first.

    Raises
    ------
    ValueError
        If there is no such layer; the message lists them.
    """
    if layer is None:
        layer = 0
    if isinstance(layer, int) and not isinstance(layer, bool) and 0 <= layer < len(names):
        return names[layer]
    if layer not in names:
        raise ValueError(
            f"layer={layer!r}: the layers are {', '.join(map(repr, names))} "
            f"(or their numbers, 0 to {len(names) - 1})"
        )
    return str(layer)
