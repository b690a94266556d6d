"""The part of a binding that follows examples through the network."""

from __future__ import annotations

from threading import current_thread
from time import perf_counter
from typing import Any

from kan_widgets.functions.undisturbed import unchanged
from kan_widgets.live import cells
from kan_widgets.live.frames.activations import ActivationHistory, Activations
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.structure import Structure, steady
from kan_widgets.live.reports import report
from kan_widgets.live.steering.edits import Edits
from kan_widgets.live.watching.probes import Examples, Probes, as_taken, examples_of
from kan_widgets.live.watching.reading import Reading
from kan_widgets.live.watching.steered import Steered

# While a function is dragged examples follow each move, unless that takes longer.
_QUICK_SECONDS = 0.1


class Probing(Reading, Steered):
    """A source of frames that follows examples through its model."""

    _probes: Probes
    edits: Edits
    _followed: Frame | None = None

    def probe(self, images: Any = "observed", labels: Any = None) -> None:
        """Follow a few examples through the network from now on, for the views.

        One forward pass is made at once; it finds how the network is put together
        (``structure``). After that the thread that trains makes one with a frame, as often as
        that takes at most 1 % of the training time (``stats.probe_share``; less where other views
        need theirs), and one when
        training goes quiet. Each is in evaluation mode without gradients; modes, buffers,
        attributes of modules and random number generators are as before afterwards. Should it
        ever fail, or change a parameter or a buffer, that is said once and no more are made;
        training goes on. If nothing was observed yet, the examples are observed too.

        For the views outputs are rounded to 8 bits, maps larger than 32×32 are means over areas,
        and of more than 64 channels (of 4,096 features) there are the first; if that is more than
        1 MB, it is of fewer examples. Of what is taken 16 MB are kept, thinned as the history is.

        While another thread trains, that one takes the examples up after its next step.

        Parameters
        ----------
        images
            Examples of the model's input, ``(n, ...)``; of many the first 16, and at most 4 MB.
            By default the first 8 of the batch that was observed last. ``None`` ends it: only
            the structure stays.
        labels
            The number of the right class of each, for the views.

        Raises
        ------
        TypeError, ValueError
            If ``images`` is not an input, is empty, or reaches no layer; if none are given and
            nothing was observed; if ``labels`` has not a whole number for each.
        RuntimeError
            If the binding is closed, or running the model changes its parameters or buffers.
            Whatever the model raises passes through; nothing has changed then.

        Examples
        --------
        >>> import torch, kan_widgets as kw
        >>> live = kw.bind(model := kw.nn.KANCNN.article())
        >>> live.probe(torch.rand(4, 1, 28, 28), labels=[7, 2, 1, 0])
        >>> [station.label for station in live.structure.stations][2:5]
        ['max pool 2×2', 'SharedKANConv2d 3×3', 'max pool 2×2']
        >>> live.activations.at(step=0).values[1].data.shape
        (4, 5, 13, 13)
        """
        probes = self._probes
        if images is None:
            if labels is not None:
                raise ValueError("labels: expected None where no images are given")
            probes.stop()
            with self._sending:
                self._probed, self._activations = None, ActivationHistory()
                self._tell_probe()
            return
        if self.model is None:
            raise RuntimeError("this binding is closed: bind the model again")
        if isinstance(images, str) and images == "observed":
            if (images := self._seen) is None:
                raise ValueError(
                    "no batch was observed: give examples, as in live.probe(images), or call "
                    "live.observe(batch) first"
                )
        examples = examples_of(images, labels)
        if self.trains_elsewhere():
            probes.waiting = examples
            self.need_care()
        else:
            self._take_up(examples)

    def run_example(self, image: Any) -> Activations:
        """Run one example through the model, in this thread, and return what it makes of it.

        Only for who may run the model: see `kan_widgets.live.watching.errands`. It counts as a
        probe.

        Parameters
        ----------
        image
            ``(1, ...)``, an input of the model.

        Raises
        ------
        RuntimeError
            If the binding is closed, or running the model changes it.
        TypeError, ValueError
            As ``probe``. Whatever the model raises passes through.
        """
        if (model := self.model) is None:
            raise RuntimeError("this binding is closed: bind the model again")
        one = examples_of(as_taken(image, model))
        return self._probes.follow(model, self.layout, self.current().step, one)[1]

    def _take_up(self, examples: Examples, *, in_step: bool = False) -> None:
        """Follow other examples from now on. Raises as ``probe`` does."""
        if (model := self.model) is None:
            return
        frame = self.current()
        with self._counter.counted():
            found, activations = self._probes.follow(model, self.layout, frame.step, examples)
        if not self._observed:
            with unchanged(model):
                self.observe(as_taken(examples.inputs, model))
        self._probes.examples = examples
        self._probes.in_steps += self._probes.took if in_step else 0.0
        with self._sending:
            self._probed = examples.shown
            self._activations = ActivationHistory()
            self._tell_probe()
            self._keep(found, activations)
        self._followed = frame

    @property
    def _is_asked(self) -> bool:
        """Whether something waits for the thread that trains, other than an edit."""
        return super()._is_asked or self._probes.waiting is not None

    def _do_what_is_asked(self, *, at_rest: bool) -> None:
        """Do what waits for the thread that trains."""
        super()._do_what_is_asked(at_rest=at_rest)
        examples, self._probes.waiting = self._probes.waiting, None
        if examples is not None:
            try:
                self._take_up(examples, in_step=True)
            except Exception as error:
                report(f"live.probe: the examples cannot be followed: {error}")

    def _keep(self, structure: Structure, activations: Activations) -> None:
        """Keep what was found, and tell of it; with the lock of who sends."""
        structure = steady(structure, self._structure)
        if structure != self._structure:
            self._structure = structure
            self._tell_structure()
        self._activations.append(activations)
        self._tell_activations(activations)

    def _follow(self, step: int) -> None:
        """Follow the examples, in a thread that may run the model; never raises."""
        if (model := self.model) is None:
            return
        try:
            found = self._probes.follow(model, self.layout, step)
        except Exception as error:
            self._probes.stop()
            report(
                f"live.probe follows no more examples: {error!r}. The training goes on; "
                "live.probe(images) tries again"
            )
            return
        with self._sending:
            self._keep(*found)

    def _follow_in_step(self, step: int) -> None:
        """Follow the examples after a step with a frame, if they are due."""
        if self._probes.is_due(perf_counter()):
            self._follow(step)
            self._probes.in_steps += self._probes.took
            self._followed = self.frame if self.frame.step == step else None

    def _follow_at_rest(self, *, settled: bool = False) -> None:
        """Follow the examples for the latest frame, where nothing trains.

        With ``settled`` only in the thread that has trained, or where that one is gone: another
        one cannot know that it stands still.
        """
        probes, frame, trainer = self._probes, self.frame, self.trained_by
        if probes.examples is None or frame is self._followed or frame.step != self.steps:
            return
        if settled and trainer not in (None, current_thread()) and trainer.is_alive():
            return
        edit = self.edits.latest
        often = edit is not None and not edit.final and probes.took > _QUICK_SECONDS
        if (self.state == "live" or often) and not probes.is_due(perf_counter()):
            return
        with cells.between() as free:
            if not free or self.trains_elsewhere():
                return
            if self.edits.trying.acquire(blocking=False):
                try:
                    self._follow(frame.step)
                    self._followed = frame
                finally:
                    self.edits.trying.release()

    def _inherit_probes(self, earlier: Probing) -> None:
        """Follow what an earlier binding of the model has followed."""
        self._probes.examples = earlier._probes.examples
        self._probed, self._seen = earlier._probed, earlier._seen
        if self.layout is earlier.layout:
            self._structure, self._activations = earlier._structure, earlier._activations
            self._followed = earlier._followed
