"""A bound model: its layers as read, what reaches them, edits and the examples traced."""

import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions import find, prove, survey
from kan_widgets.functions.forward_pass import ForwardPass
from kan_widgets.functions.stand_ins import is_sharded
from kan_widgets.functions.undisturbed import unchanged, with_copy
from kan_widgets.live.budget import Throttle
from kan_widgets.live.frames.activations import Activations
from kan_widgets.live.frames.feed import TrainingFeed, closed_error
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.model.edits import Edits
from kan_widgets.live.model.layers import BoundLayers
from kan_widgets.live.model.observe import nan_in_words, observe
from kan_widgets.live.model.probing import Examples, Probing, as_taken, examples_of, first_examples
from kan_widgets.live.reports import report
from kan_widgets.live.steering.training import Training
from kan_widgets.nn.torch_modes import ungraded

# Share of the training time that proofs may take, and the fewest seconds between two.
_PROOF_SHARE = 0.003
_MIN_SECONDS = 1.0
# While the model trains, so many rows are observed again; all views show that, hence the weight.
_ROWS_IN_STEP, _WEIGHT = 16, 4.0

_NO_BATCH = "no batch has been seen: call live.observe(batch) with one"
_BATCH_GONE = "the last batch is gone by now: call live.observe(batch) with one"
_SPLIT = "the model is split over processes: call live.observe(batch) in all of them"


class BoundModel:
    """The model of a binding, which it does not keep.

    Its layers are proved on what they are really given: the first forward pass of the training is
    seen by hooks that then take themselves away, and after the step layers are proved, sampled
    where their inputs lie, and the structure is found, all on copies. Now and then that is done
    again. The feed is told, and held weakly; ``gone`` is called when the model is gone.
    """

    def __init__(
        self,
        module: nn.Module,
        layers: BoundLayers,
        feed: TrainingFeed,
        training: Training,
        gone: Callable[[object], object],
    ) -> None:
        self._module: weakref.ref[nn.Module] | None = weakref.ref(module, gone)
        self._feed_ref = weakref.ref(feed)
        self._training, self.layers = training, layers
        self.edits = Edits(feed, layers, training)
        self.probing = Probing(feed, layers, self.edits, training)
        self.batch_message = ""
        """Why the last batch could not be observed; else empty."""
        self.forward_pass: ForwardPass | None = None
        self.next_proof: float | None = None
        self._proves = True
        self.last_examples: Tensor | None = None
        """A few examples of what was observed last."""
        self._first_batch: Tensor | None = None
        self._labels: Tensor | None = None
        self.takes_batches = False
        """Whether what the first batch brings is traced, unless others are."""
        self._observing = Throttle(per_second=1, weight=_WEIGHT)
        self._observed_at: tuple[int, int | None] = -1, None  # step and rows, where not asked for

    @property
    def module(self) -> nn.Module | None:
        """The model, while it exists and is bound."""
        return None if self._module is None else self._module()

    def present(self) -> tuple[nn.Module, TrainingFeed]:
        """Return the model and its feed; raise `RuntimeError` if the binding is closed."""
        module, feed = self.module, self._feed_ref()
        if module is None or feed is None:
            raise closed_error(feed)
        return module, feed

    def close(self) -> None:
        """Forget the model."""
        self._module = None
        self._training.queue.forget(self._take_up_waiting)
        if (forward_pass := self.forward_pass) is not None:
            self.forward_pass, self.next_proof = None, None
            forward_pass.end()
        self.probing.stop()

    @property
    def last_inputs(self) -> Tensor | None:
        """Inputs of the model that were seen last, by a loop or by `observe`."""
        inputs = self._training.batch.inputs
        return self.last_examples if inputs is None else inputs

    def observe(
        self, batch: Any, *, by_reader: bool = True, shown: Tensor | None = None
    ) -> dict[str, Observation]:
        """Run a batch through the model; see `Binding.observe`. A reader is warned of NaN.

        The maps are of the inputs that are ``shown``, where there are such.
        """
        layers = self.layers.read()
        module, feed = self.present()
        with self._training.counter.counted():
            inputs = observe(module, self.layers.owners(), layers, batch)
            if shown is not None:
                own = observe(module, self.layers.owners(), layers, shown)
                inputs |= {name: replace(inputs[name], maps=one.maps) for name, one in own.items()}
            if by_reader and (words := nan_in_words(inputs)):
                report(words)
            step = self._training.steps
            inputs = {name: replace(one, step=step) for name, one in inputs.items()}
            if by_reader or self.last_examples is None:
                self.last_examples, self._labels = first_examples(batch), None
            # A training that has left no numbers has no inputs to draw over: the last ones stay.
            if by_reader or not feed.observed or not any(one.nan_inputs for one in inputs.values()):
                feed.set_observed(inputs, again=not by_reader)
        return dict(inputs)

    def request_batch(self) -> None:
        """Observe the batch that a loop gave last, now or as soon as that is harmless.

        Never raises: see ``batch_message``.
        """
        if not self._training.queue.request("observe the last batch", self.observe_batch):
            self._say_of_batch("")

    def observe_batch(self, at_rest: bool = True) -> None:
        """Observe the last batch in this thread: the one that trains, if any does."""
        inputs, module, message = self._training.batch.inputs, self.module, ""
        if inputs is None or module is None:
            message = _BATCH_GONE if self._training.batch_seen else _NO_BATCH
        elif is_sharded(module):
            message = _SPLIT
        else:
            try:
                self.observe(as_taken(inputs, module))
            except Exception as error:
                message = f"the last batch could not be observed: {error}"
        self._say_of_batch(message)

    def _say_of_batch(self, message: str) -> None:
        self.batch_message = message
        if (feed := self._feed_ref()) is not None:
            feed.tell("batch", self._training.batch_seen, message)

    def probe_batches(self) -> None:
        """Trace what was seen, or what the first batch will bring, unless others are traced.

        Until then the structure is found where the model says the shape of its input.
        """
        self.takes_batches = True
        self._training.queue.request("trace the last batch", self._probe_batch_seen)

    def _probe_batch_seen(self, _: bool = True) -> None:
        module, feed = self.module, self._feed_ref()
        if module is None or feed is None or is_sharded(module):
            return
        if self.last_examples is None:
            shape = getattr(module, "input_shape", None)
            if isinstance(shape, tuple) and feed.traced_structure is None:
                self._find_structure(module, as_taken(torch.zeros(1, *shape), module))
        elif self.takes_batches and feed.probed is None:
            with suppress(Exception):  # the network is drawn without them, too
                self.probe(self.last_examples, self._labels)

    def probe(self, images: Any = "observed", labels: Any = None) -> None:
        """Trace a few examples through the network from now on; see `Binding.probe`."""
        if images is None:
            if labels is not None:
                raise ValueError("labels: expected None where no images are given")
            self.takes_batches = False
            self._training.queue.forget(self._take_up_waiting)
            self.probing.stop()
            if (feed := self._feed_ref()) is not None:
                with feed.sending:
                    feed.set_probe(None)
            return
        self.present()
        if isinstance(images, str) and images == "observed":
            if (images := self.last_examples) is None:
                raise ValueError(
                    "no batch was observed: give examples, as in live.probe(images), or call "
                    "live.observe(batch) first"
                )
        examples = examples_of(images, labels)
        if self._training.trains_elsewhere():
            self._training.queue.defer("trace examples", self._take_up_waiting, examples)
        else:
            self._take_up(examples)

    def _take_up_waiting(self, at_rest: bool, examples: Examples) -> None:
        if self.module is not None:
            try:
                self._take_up(examples)
                self.probing.in_steps += self.probing.took
            except Exception as error:
                report(f"live.probe: the examples cannot be traced: {error}")

    def _take_up(self, examples: Examples) -> None:
        module, feed = self.present()
        frame = feed.current()
        with self._training.counter.counted():
            found = self.probing.trace(module, feed.layout, frame.step, examples)
        if not feed.observed or feed.observes_again:
            self._observe_rows(module, examples)
        self.probing.begin(feed, frame, examples, found)

    def _observe_rows(self, module: nn.Module, examples: Examples, rows: int | None = None) -> None:
        """Observe the first batch, or so many of its rows, and show the examples in its maps."""
        shown = as_taken(examples.inputs, module)
        batch = shown if self._first_batch is None else as_taken(self._first_batch[:rows], module)
        is_first = torch.equal(shown, batch[: len(shown)])
        with unchanged(module):
            self.observe(batch, by_reader=False, shown=None if is_first else shown)
        self._observed_at = self._training.steps, rows

    def observe_in_step(self, module: nn.Module) -> None:
        """Observe again after a step with a frame, if that is due."""
        examples, start = self.probing.examples, perf_counter()
        if examples is not None and self._observing.is_open(start) and not is_sharded(module):
            if self._see_again(module, examples, _ROWS_IN_STEP):
                self._observing.spent(start, perf_counter() - start)

    def trace_at_rest(self, *, settled: bool = False) -> None:
        """Trace the examples where nothing trains; see `Probing.trace_at_rest`."""
        if (module := self.module) is not None:
            self.probing.trace_at_rest(module, self._see_again if settled else None)

    def _see_again(self, module: nn.Module, examples: Examples, rows: int | None = None) -> bool:
        """Observe again what no reader has chosen; return whether that was due. Never raises."""
        feed, step = self._feed_ref(), self._training.steps
        known = self._observed_at in {(step, None), (step, rows)}
        if feed is None or not feed.observes_again or known:
            return False
        try:
            self._observe_rows(module, examples, rows)
        except Exception as error:
            feed.observes_again = False
            report(f"the inputs of layers are observed no more: {error!r}. The training goes on")
        return True

    def run_example(self, image: Any) -> Activations:
        """Run one example, ``(1, ...)``, through the model, in this thread, as a probe.

        Only for those who may run the model: see `StepQueue`. Raises as `Binding.probe`.
        """
        module, feed = self.present()
        one = examples_of(as_taken(image, module))
        return self.probing.trace(module, feed.layout, feed.current().step, one)[1]

    def start_proving(self, shown: ForwardPass | None, proves: bool) -> None:
        """Prove on the next pass of the training; of one that was shown take the examples now."""
        self._proves = proves
        self.probing.forget_proofs()
        module, _ = self.present()
        if is_sharded(module):
            return  # to run a part of it takes all processes
        if shown is None:
            self._hook_next_pass(module)
        else:
            self.next_proof = perf_counter()
            self._take_examples(module, shown)

    def hook_if_due(self, now: float) -> None:
        """Place hooks for the next pass, if layers are to be proved again."""
        if self.forward_pass is None and self.next_proof is not None and now >= self.next_proof:
            if self._proves and (module := self.module) is not None:
                self._hook_next_pass(module)

    def _hook_next_pass(self, module: nn.Module) -> None:
        if self.forward_pass is not None:
            self.forward_pass.end()
        if getattr(module, "_compiled_call_impl", None) is None:  # hooks would be compiled with it
            self.forward_pass = ForwardPass(module)
            self._training.queue.defer("prove the layers", self._prove_if_hooked)

    def _prove_if_hooked(self, at_rest: bool) -> None:
        """Prove on the pass that was hooked, in the thread that trains; wait for the first one."""
        forward_pass, module = self.forward_pass, self.module
        if forward_pass is None or module is None:
            return
        if not forward_pass.module_inputs and not (at_rest and self.next_proof):
            self._training.queue.defer("prove the layers", self._prove_if_hooked)
            return
        forward_pass.end()
        self.forward_pass, start = None, perf_counter()
        try:
            if forward_pass.module_inputs:
                self._prove_on(module, forward_pass)
        except Exception as error:
            if not self.layers.modules() and (feed := self._feed_ref()) is not None:
                feed.fail(error)
            else:
                report(f"what the layers were given could not be looked at: {error!r}")
        finally:
            now = perf_counter()
            self.next_proof = now + max(_MIN_SECONDS, (now - start) / _PROOF_SHARE)

    @ungraded
    def _prove_on(self, module: nn.Module, forward_pass: ForwardPass) -> None:
        if self._proves:
            prove(module, module_inputs=forward_pass.module_inputs, again=True)
            self.probing.forget_proofs()
            self._find_again(module)
        self._take_examples(module, forward_pass)

    def _find_again(self, module: nn.Module) -> None:
        """Show the layers that can be read by now, and no longer those that cannot."""
        _, feed = self.present()
        before = feed.layout.names
        if not self.layers.find_again(module):
            return
        if not self.layers.modules():
            find(module)  # raises: nothing can be read any more
        feed.read_again()
        if gone := [name for name in before if name not in feed.layout.names]:
            why = [str(missed) for missed in survey(module)[1] if missed.near]
            report(f"no longer shown: {', '.join(gone)}. {'; '.join(why)}")

    def _take_examples(self, module: nn.Module, forward_pass: ForwardPass) -> None:
        """Keep inputs of the model, and find its structure with a few if it is not known."""
        if forward_pass.inputs is None or (inputs := first_examples(forward_pass.inputs)) is None:
            return
        if self.last_examples is None:
            self.last_examples, self._first_batch = inputs, forward_pass.inputs
            self._labels = self._training.batch.labels_of(inputs)
            if not self._training.batch_seen:
                self._training.saw(self.last_examples)
        self._probe_batch_seen()
        _, feed = self.present()
        if feed.traced_structure is None:
            self._find_structure(module, inputs)

    def _find_structure(self, module: nn.Module, inputs: Tensor) -> None:
        """Find how the layers are connected, by running inputs through a copy of the model."""
        _, feed = self.present()

        def found(run: nn.Module, copied: bool) -> Any:
            return self.probing.structure(run, module, feed.layout, inputs) if copied else None

        try:
            structure = with_copy(module, found)
        except Exception:  # it stays in the order of its modules
            return
        if structure is not None:
            with feed.sending:
                feed.set_structure(structure)
