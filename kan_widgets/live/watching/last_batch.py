"""Observe, when a view asks for it, the batch that a loop of ours gave last."""

from __future__ import annotations

import weakref
from typing import Any, Protocol

from torch import Tensor, nn

from kan_widgets.live.steering.training import Training
from kan_widgets.live.watching.errands import Errands

_NONE = "no batch has been seen: call live.observe(batch) with one"
_GONE = "the last batch is gone by now: call live.observe(batch) with one"


class Observing(Protocol):
    """A model that can be run on a batch, and whose training is known: a binding."""

    errands: Errands

    @property
    def model(self) -> nn.Module | None:
        """The model, while it exists."""

    @property
    def training(self) -> Training:
        """What is known of the loop that trains."""

    def observe(self, batch: Any) -> Any:
        """Run a batch through the model."""

    def probe(self) -> None:
        """Follow examples of the batch observed last."""

    def tell_batch(self) -> None:
        """Tell the views what can be observed, or why it could not."""


class LastBatch:
    """The last batch of a binding's loops, observed as soon as that harms no training."""

    def __init__(self, binding: Observing) -> None:
        self._of = weakref.ref(binding)
        self.message = ""
        """Why it could not be observed; else empty."""

    @property
    def was_seen(self) -> bool:
        """Whether a loop has given a batch."""
        binding = self._of()
        return binding is not None and binding.training.batch_seen

    def want(self, *, follow: bool = False) -> None:
        """Observe it, now or as soon as that is harmless. Never raises: see ``message``.

        Parameters
        ----------
        follow
            Also follow some examples of it through the network from then on.
        """
        binding = self._of()
        errand = self.follow if follow else self.observe
        if binding is not None and not binding.errands.want(errand):
            self.message = ""
            binding.tell_batch()

    def follow(self, at_rest: bool = True) -> None:
        """Observe it in this thread, and follow some examples of it."""
        self.observe(at_rest)
        if (binding := self._of()) is not None and not self.message:
            try:
                binding.probe()
            except Exception as error:
                self.message = f"the last batch could not be followed: {error}"
                binding.tell_batch()

    def observe(self, at_rest: bool = True) -> None:
        """Observe it in this thread: the one that trains, if any does."""
        if (binding := self._of()) is None:
            return
        inputs = binding.training.batch.inputs
        if inputs is None:
            self.message = _GONE if self.was_seen else _NONE
        else:
            try:
                binding.observe(_where_the_model_is(inputs, binding.model))
                self.message = ""
            except Exception as error:
                self.message = f"the last batch could not be observed: {error}"
        binding.tell_batch()


def _where_the_model_is(inputs: Tensor, model: nn.Module | None) -> Tensor:
    parameter = next(model.parameters(), None) if model is not None else None
    return inputs if parameter is None else inputs.to(parameter.device)
