"""The part of a binding that learns from what its training gives the model, and proves it again."""

from __future__ import annotations

from abc import abstractmethod
from time import perf_counter
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions import find, prove, survey
from kan_widgets.functions.given import Passes
from kan_widgets.functions.standing import is_sharded
from kan_widgets.functions.undisturbed import stand_in
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.reports import report
from kan_widgets.live.watching.probes import first_examples
from kan_widgets.live.watching.probing import Probing
from kan_widgets.nn.ungraded import ungraded

# Of the time of a training so much may go into proofs, and between two pass so many seconds.
_SHARE = 0.003
_LEAST_SECONDS = 1.0


class Learning(Probing):
    """A source of frames whose layers are proved on what they are really given.

    The first forward pass of the training is seen by hooks that then take themselves away, and
    after the step layers are proved, sampled where their inputs lie, and the structure is found,
    all on copies. Now and then that is done again.
    """

    _passes: Passes | None = None
    _proves = True
    _next_proof: float | None = None

    def _learn(self, model: nn.Module, shown: Passes | None, proves: bool) -> None:
        """Learn from a pass that was shown, and see those of the training from now on.

        Parameters
        ----------
        model
            The model.
        shown
            A pass on which its layers were proved, if there was one.
        proves
            Whether its layers are to be proved.
        """
        self._proves = proves
        if is_sharded(model):
            return  # to run a part of it takes all processes
        if shown is None:
            self._see(model)
        else:
            self._next_proof = perf_counter()
            self._take_examples(model, shown)

    def _see(self, model: nn.Module) -> None:
        if getattr(model, "_compiled_call_impl", None) is None:  # hooks would be compiled with it
            self._passes = Passes(model)

    @property
    def _is_asked(self) -> bool:
        """Whether something waits for the thread that trains, other than an edit."""
        return super()._is_asked or self._passes is not None

    def _do_what_is_asked(self, *, at_rest: bool) -> None:
        """Do what waits for the thread that trains."""
        super()._do_what_is_asked(at_rest=at_rest)
        passes, model = self._passes, self.model
        if passes is None or model is None or not (passes.given or at_rest):
            return
        passes.end()
        self._passes, start = None, perf_counter()
        try:
            if passes.given:
                self._learn_of(model, passes)
        except Exception as error:
            if not self._camera.layers.modules():
                return self.on_fault(error)
            report(f"what the layers were given could not be looked at: {error!r}")
        finally:
            now = perf_counter()
            self._next_proof = now + max(_LEAST_SECONDS, (now - start) / _SHARE)

    @ungraded
    def _learn_of(self, model: nn.Module, passes: Passes) -> None:
        if self._proves:
            prove(model, given=passes.given, again=True)
            self._look_again(model)
        self._take_examples(model, passes)

    def _see_if_due(self, now: float) -> None:
        """See the next pass, if layers are to be proved again."""
        if self._passes is None and self._next_proof is not None and now >= self._next_proof:
            if self._proves and (model := self.model) is not None:
                self._see(model)

    def _see_no_more(self) -> None:
        if (passes := self._passes) is not None:
            self._passes, self._next_proof = None, None
            passes.end()

    def _take_examples(self, model: nn.Module, passes: Passes) -> None:
        """Keep a few inputs of the model, and find its structure with them."""
        if (inputs := passes.inputs) is None:
            return
        if self._seen is None:
            self._seen = first_examples(inputs)
            if not self._training.batch_seen:
                self._training.saw(self._seen)
        if self._structure is None:
            self._find_structure(model, inputs)

    def _find_structure(self, model: nn.Module, inputs: Tensor) -> None:
        def found(run: nn.Module, copied: bool) -> Any:
            return self._probes.structure(run, model, self.layout, inputs) if copied else None

        try:
            structure = stand_in(model, found)
        except Exception:  # it stays in the order of its modules
            return
        if structure is not None:
            with self._sending:
                self._structure = structure
                self._tell_structure()

    def _look_again(self, model: nn.Module) -> None:
        """Show what can be read by now, and no more what cannot."""
        camera, before = self._camera, self.layers
        if not camera.layers.look_again(model):
            return
        if not camera.layers.modules():
            find(model)  # raises: nothing can be read any more
        camera.read_anew()
        self._structure = None  # it is found again
        with self._sending:
            if (frame := camera.take(self._counter.steps)) is not None:
                self._show(frame, settled=False)
        if gone := [name for name in before if name not in self.layers]:
            why = [str(missed) for missed in survey(model)[1] if missed.near]
            report(f"no longer shown: {', '.join(gone)}. {'; '.join(why)}")

    @abstractmethod
    def on_fault(self, error: Exception) -> None:
        """Say once that reading the model failed, and let go of it; training goes on."""

    @abstractmethod
    def _show(self, frame: Frame, *, settled: bool) -> None:
        """Keep a new frame, and send it."""
