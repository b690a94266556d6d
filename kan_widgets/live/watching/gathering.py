"""The part of a binding that shows all of a model whose parameters are split over processes."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from torch import nn

from kan_widgets.functions.standing import gather_again, is_sharded, shown_whole
from kan_widgets.live.watching.reading import Reading

if TYPE_CHECKING:
    from typing_extensions import Self


class Gathering(Reading):
    """A binding that can gather parameters from all processes."""

    _whole: tuple[nn.Module, Self] | None = None
    """The model's stand-in with whole parameters, and its binding."""

    @abstractmethod
    def _beside(self, model: nn.Module) -> Self:
        """Return a binding of the model's stand-in, from the present step on."""

    def gather(self) -> Self:
        """Gather parameters that are split over processes, to show all functions of all layers.

        All processes have to call it between the same two steps: each waits for the others. This
        binding goes on to show what its own process has.

        Returns
        -------
        Binding
            Of the whole model as it is now, for views beside those of this one. Called again it
            has one more frame, and its views show that.

        Raises
        ------
        RuntimeError
            If this binding is closed.
        ValueError
            If no parameter is split over processes.
        """
        model = self.model
        if model is None:
            raise RuntimeError("this binding is closed: bind the model again")
        if not is_sharded(model):
            raise ValueError(
                f"live.gather: expected a model with parameters split over processes, got a "
                f"{type(model).__name__} that has all of its own: there is nothing to gather"
            )
        if self._whole is None or self._whole[1].model is None:
            whole = shown_whole(model)
            self._whole = whole, self._beside(whole)
        else:
            gather_again(self._whole[0], model)
            self._whole[1]._go_on_at(self._counter.steps)
        return self._whole[1]

    def _go_on_at(self, step: int) -> None:
        """Show what the stand-in is at a step."""
        self._counter.steps = step
        self.refresh()

    @abstractmethod
    def refresh(self) -> object:
        """Take a frame now."""
