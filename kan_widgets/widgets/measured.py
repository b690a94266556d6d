"""What is measured of a training, under one name for each quantity."""

from __future__ import annotations

from collections.abc import Sequence

from kan_widgets.live.frames.quantities import belongs_to
from kan_widgets.widgets.numbers import format_number

_SYNONYMS = {"acc": "accuracy"}
NOTHING = "–"
"""In place of a number that is not there."""
ALWAYS = ("loss", "eval_loss", "accuracy", "eval_accuracy")
# By the first of these that was measured, models are compared.
DECIDE = ("eval_accuracy", "accuracy", "eval_loss", "loss")


def quantity(series: str) -> str:
    """Return one name for what goes by several: what is measured, and whether on held-out data.

    Examples
    --------
    >>> quantity("loss"), quantity("val_loss"), quantity("Test/Acc")
    ('loss', 'eval_loss', 'eval_accuracy')
    """
    what, data = belongs_to(series)
    what = _SYNONYMS.get(what.lower(), what.lower())
    return f"eval_{what}" if data == "held out" else what


def rank(quantity: str) -> tuple[int, str]:
    """Return the place of a quantity's curves: loss and accuracy before all others."""
    return (ALWAYS.index(quantity) if quantity in ALWAYS else len(ALWAYS)), quantity


def in_words(name: str) -> str:
    """Return a quantity as it stands above its curves.

    Examples
    --------
    >>> in_words("loss"), in_words("eval_loss")
    ('loss', 'eval loss')
    """
    return name.replace("_", " ")


def higher_is_better(quantity: str) -> bool:
    """Return whether more of a quantity is better: of an accuracy, not of a loss."""
    return quantity.endswith("accuracy")


def written(quantity: str, values: Sequence[float | None]) -> tuple[str, ...]:
    """Return values of one quantity as they are printed; ``"–"`` where one was not measured.

    Accuracies that were logged as shares of 1 are printed as percentages.

    Examples
    --------
    >>> written("eval_accuracy", [0.9712, 1.0, None]), written("loss", [0.0123])
    (('97.1 %', '100 %', '–'), ('0.0123',))
    """
    shares = higher_is_better(quantity) and all(v is None or 0 <= v <= 1 for v in values)
    text = _percent if shares else format_number
    return tuple(NOTHING if value is None else text(value) for value in values)


def _percent(share: float) -> str:
    if 0 < share < 0.001:
        return "<0.1 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    return f"{format_number(round(100 * share, 1))} %"
