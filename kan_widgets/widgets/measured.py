"""What is measured of a training, under one name for each quantity."""

from __future__ import annotations

from kan_widgets.live.frames.quantities import belongs_to

_SYNONYMS = {"acc": "accuracy"}
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
