"""The headline of a dashboard: the model and the latest loss."""

from __future__ import annotations

from typing import Any

from kan_widgets.live import Replay, Source, is_binding
from kan_widgets.live.frames.quantities import belongs_to
from kan_widgets.live.frames.scalars import Scalars


def headline_of(source: Source | None, before: dict[str, Any]) -> dict[str, str]:
    """Return what the page shows of a model: see js/src/views/dashboard/scene.ts.

    Parameters
    ----------
    source
        What is shown; ``None`` where the model is gone.
    before
        What was returned before.
    """
    if source is None:
        return before
    said = {"model": model_name(source) or before.get("model", ""), "loss": "", "value": ""}
    if is_binding(source) or isinstance(source, Replay):
        if name := _loss_of(source.scalars):
            said |= {"loss": name, "value": repr(source.scalars.latest(name))}
    return said


def model_name(source: Source) -> str:
    """Return the class of the model that is shown; empty where that is not known."""
    if is_binding(source) and (model := source.model) is not None:
        from kan_widgets.functions import unwrap

        return type(unwrap(model)).__name__
    return str(source.info.get("model", "")) if isinstance(source, Replay) else ""


def _loss_of(scalars: Scalars) -> str:
    """Return which series is the loss: that of the training before one of held-out data."""
    losses = [name for name in scalars.names if belongs_to(name)[0].lower() == "loss"]
    trained = [name for name in losses if belongs_to(name)[1] == "trained on"]
    return next(iter(trained + losses), "")
