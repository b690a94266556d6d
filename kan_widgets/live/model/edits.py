"""Change functions of a live model by hand, between two optimizer steps."""

import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.autograd.grad_mode import _unsafe_preserve_version_counter

from kan_widgets.arrays import Float64
from kan_widgets.functions import LayerFunctions
from kan_widgets.functions.layer import check_editable
from kan_widgets.live import cells
from kan_widgets.live.frames.feed import TrainingFeed, closed_error
from kan_widgets.live.frames.frame import FunctionIndex, place_in_layer
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.model.holding import held_in, hold, index_in, release
from kan_widgets.live.model.layers import BoundLayers
from kan_widgets.live.not_copied import NotCopied
from kan_widgets.live.reports import report
from kan_widgets.live.steering.training import Training

_MAX_UNDO = 200
_LINE_POINTS = 257


@dataclass(frozen=True, eq=False)
class Edit:
    """One function's coefficients before and after a change."""

    layer: str
    index: FunctionIndex
    before: Float64
    after: Float64
    step: int
    final: bool = True
    """False while a gesture goes on, such as a point that is still held."""
    holds: bool = False
    """Whether it made training leave the function as it is; see ``Edits.fix``."""

    def reversed(self) -> "Edit":
        """Return the edit that undoes this one."""
        return Edit(self.layer, self.index, self.after, self.before, self.step)


@dataclass(frozen=True, eq=False)
class _Wanted:
    """Coefficients to be written, and whether the function is held then; ``None``: as it is."""

    values: Float64
    holds: bool | None


class Edits(NotCopied):
    """The edits of one binding, with undo and redo. Reached as ``binding.edits``.

    While the model trains, an edit is applied right after the next optimizer step;
    otherwise at once. Made from another thread while a notebook cell runs, it is applied
    after that cell's next step, or when the cell ends: never while the cell may be between
    forward and backward. Where a thread of its own trains in a loop that is not tracked, a
    step that takes far longer than the others counts as quiet: an edit is then let in, and that
    step's gradient may be of the function before. The optimizer's own state (momentum and the
    like) stays.
    """

    def __init__(self, feed: TrainingFeed, layers: BoundLayers, training: Training) -> None:
        # Without a circle the feed goes with its history when nobody needs it any more.
        self._feed_ref = weakref.ref(feed)
        self._layers, self._training = layers, training
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self._open = False  # the last edit of `_done` is a gesture that goes on
        self._waiting: dict[tuple[str, FunctionIndex], _Wanted] = {}
        self.latest: Edit | None = None
        """The last change of a function: an edit, or one that was undone or redone."""
        self.message = ""
        """Why the last edit that had to wait could not be applied; else empty."""
        # Never held while frames are sent: who sends them may be waiting for it.
        self._lock = threading.RLock()

    @property
    def _feed(self) -> TrainingFeed:
        if (feed := self._feed_ref()) is None:
            raise closed_error()
        return feed

    @property
    def done(self) -> tuple[Edit, ...]:
        """The edits that ``undo`` undoes, the oldest first; the last is undone first."""
        return tuple(self._done)

    @property
    def undone(self) -> tuple[Edit, ...]:
        """The edits that ``redo`` would redo, the last first."""
        return tuple(self._undone)

    @property
    def is_waiting(self) -> bool:
        """Whether an edit is still to be written into the model."""
        with self._lock:  # held while edits are written: waits until they are
            return bool(self._waiting)

    def set(
        self, layer: str, index: Sequence[int], coefficients: Sequence[float], *, final: bool = True
    ) -> None:
        """Set one function's coefficients.

        Parameters
        ----------
        layer, index
            The layer's name and (out, in, row, column); (out, in) will do for a
            linear layer.
        coefficients
            ``(nb,)`` finite numbers, in the order of the layer's basis labels.
        final
            False while a gesture goes on: such edits and the final one after them
            are undone together.

        Raises
        ------
        KeyError, IndexError
            If there is no such layer or function.
        ValueError
            If the numbers do not fit, or the layer cannot be edited; the message
            says why. Nothing has changed then.
        RuntimeError
            If the binding is closed.
        """
        self._set(layer, index, coefficients, final=final)

    def fix(self, layer: str, index: Sequence[int], coefficients: Sequence[float]) -> None:
        """Set one function's coefficients, and make training leave the function so.

        Its gradients are then 0, and each step of any torch optimizer leaves it as it was to the
        bit, whatever its momentum and weight decay. That lasts when the model is bound again;
        after further edits, a new grid or a loaded state it is held as it then is. `undo` of
        this edit and `release` end it.

        Raises
        ------
        KeyError, IndexError, ValueError, RuntimeError
            As ``set``; and if the function shares trainable parameters with others.
        """
        self._set(layer, index, coefficients, holds=True)

    def release(self, layer: str, index: Sequence[int]) -> None:
        """Let training change a function again that was fixed. Raises as ``set`` does."""
        place = self._place(layer, index)
        with self._lock:
            release(self._layers.place(layer, place).module, layer, place)
            if (waits := self._waiting.get((layer, place))) is not None:
                self._waiting[layer, place] = _Wanted(waits.values, None)
        self._tell_edited()

    @property
    def held(self) -> tuple[tuple[str, FunctionIndex], ...]:
        """Layer and index of each function that training leaves as it is; see `fix`."""
        return tuple(at for module in self._layers.modules() for at in held_in(module))

    def _set(
        self,
        layer: str,
        index: Sequence[int],
        coefficients: Sequence[float],
        *,
        final: bool = True,
        holds: bool | None = None,
    ) -> None:
        place = self._place(layer, index)
        functions = self._functions(layer)
        values = np.asarray(coefficients, dtype=np.float64)
        nb = functions.nb
        if values.shape != (nb,) or not np.isfinite(values).all():
            raise ValueError(
                f"coefficients={coefficients!r:.80}: expected {nb} finite numbers, one for each "
                f"of {', '.join(functions.basis_labels)}"
            )
        with cells.none_starting() as free, self._lock:
            before = self._present(functions, place)
            # A function held before this edit stays held when the edit is undone.
            begins = bool(holds) and (layer, place) not in self.held
            written = self._apply(functions, place, _Wanted(values, holds), free)
            last = self._done[-1] if self._open and self._done else None
            if last is not None and (last.layer, last.index) == (layer, place):
                before = self._done.pop().before
            self.latest = Edit(layer, place, before, values, self._training.steps, final, begins)
            self._done = [*self._done, self.latest][-_MAX_UNDO:]
            self._undone = []
            self._open = not final
        self._tell(written=written)

    def zero(self, layer: str, index: Sequence[int]) -> None:
        """Set a function to zero everywhere: prune it. Raises as ``set`` does."""
        nb = self._functions(layer).nb
        self.set(layer, index, np.zeros(nb).tolist())

    def reset(self, layer: str, index: Sequence[int]) -> None:
        """Set a function to what it was in the first frame of the history.

        Raises
        ------
        ValueError
            If the layer's basis has changed since; or as ``set`` does.
        """
        place = self._place(layer, index)
        first, now = self._feed.history[0], self._feed.layout.layer(layer)
        if layer not in first.layout.names:
            raise ValueError(f"{layer} was not read yet at step {first.step}")
        if not first.layout.layer(layer).reads_as(now):
            raise ValueError(f"the basis of {layer} has changed since step {first.step}")
        self.set(layer, place, first.coefficients(layer)[place].astype(np.float64).tolist())

    def straighten(self, layer: str, index: Sequence[int]) -> None:
        """Set a function to the straight line that fits it best over the domain.

        Least squares at evenly spaced points. The line is then written in the layer's
        basis, without its base term where the other basis functions can do it: B-splines
        of order 1 and up hold any line exactly. Raises as ``set`` does.
        """
        place = self._place(layer, index)
        functions = self._functions(layer)
        line = _straight(functions, index_in(functions, place), self._present(functions, place))
        self.set(layer, place, line.tolist())

    def undo(self) -> Edit | None:
        """Undo the last edit; returns it, or ``None`` if there is none."""
        return self._move(back=True)

    def redo(self) -> Edit | None:
        """Redo the edit that was undone last; returns it, or ``None`` if there is none."""
        return self._move(back=False)

    def _move(self, *, back: bool) -> Edit | None:
        with cells.none_starting() as free, self._lock:
            edits, others = (self._done, self._undone)[:: 1 if back else -1]
            self._open = self._open and not back
            if not edits:
                return None
            edit = edits[-1]
            made = edit.reversed() if back else edit
            wanted = _Wanted(made.after, (not back) if edit.holds else None)
            written = self._apply(self._functions(edit.layer), edit.index, wanted, free)
            others.append(edits.pop())
            self.latest = made
        self._tell(written=written)
        return edit

    def forget_changed(self, before: Layout, after: Layout) -> None:
        """Forget the edits of layers whose basis has changed: their numbers mean others now."""
        kept = {
            now.name
            for now in after.layers
            if now.name in before.names and now.reads_as(before.layer(now.name))
        }
        with self._lock:
            self._done = [edit for edit in self._done if edit.layer in kept]
            self._undone = [edit for edit in self._undone if edit.layer in kept]
            self._waiting = {at: v for at, v in self._waiting.items() if at[0] in kept}

    def apply_waiting(self, at_rest: bool = False) -> bool:
        """Write the edits that wait for the end of a step; return whether there were any.

        Called by the thread that trains, between two steps, and by others when training
        has gone quiet: those leave it to a cell that is still running.
        """
        if not self._waiting:
            return False
        mine = self._training.counter.trained_by is threading.current_thread()
        if not mine and self._training.runs_elsewhere:
            self._training.queue.defer("write an edit", self.apply_waiting)
            return False
        with cells.none_starting() if not mine else nullcontext(True) as free, self._lock:
            if not free:
                self._training.queue.defer("write an edit", self.apply_waiting)
                return False
            waiting, self._waiting = self._waiting, {}
            for (layer, place), wanted in waiting.items():
                try:
                    module = self._layers.place(layer, place).module
                    with nullcontext() if mine else _unnoticed(module):
                        self._write_and_hold(self._functions(layer), place, wanted)
                except Exception as error:
                    self.message = f"the edit of {layer} was not applied: {error}"
                    report(self.message)
        if self.message:
            self._tell_edited()
        return bool(waiting)

    def _apply(
        self, functions: LayerFunctions, place: FunctionIndex, wanted: _Wanted, free: bool
    ) -> bool:
        """Write coefficients, or leave that to the training thread; return whether it is done."""
        self.message = ""
        if not free or self._training.trains_elsewhere():
            waits = self._waiting.get((functions.name, place))
            if wanted.holds is None and waits is not None:
                wanted = _Wanted(wanted.values, waits.holds)
            self._waiting[functions.name, place] = wanted
            self._training.queue.defer("write an edit", self.apply_waiting)
            return False
        self._waiting.pop((functions.name, place), None)
        self._write_and_hold(functions, place, wanted)
        return True

    def _write_and_hold(
        self, functions: LayerFunctions, place: FunctionIndex, wanted: _Wanted
    ) -> None:
        if wanted.holds:
            hold(self._layers.place(functions.name, place))
        write(functions, place, wanted.values)
        if wanted.holds is False:
            release(self._layers.place(functions.name, place).module, functions.name, place)

    def _tell(self, *, written: bool) -> None:
        if written:
            self._feed.show_edited()
        self._tell_edited()

    def _tell_edited(self) -> None:
        self._feed.tell("edit", self)

    def _functions(self, layer: str) -> LayerFunctions:
        self._feed.layout.layer(layer)
        functions = self._layers.read_one(layer)
        check_editable(functions)
        return functions

    def _place(self, layer: str, index: Sequence[int]) -> FunctionIndex:
        return place_in_layer(layer, self._feed.layout.layer(layer).shape, index)

    def _present(self, functions: LayerFunctions, place: FunctionIndex) -> Float64:
        """Return a copy of a function's coefficients, those that wait to be written first."""
        if (waiting := self._waiting.get((functions.name, place))) is not None:
            return waiting.values
        found = functions.at(index_in(functions, place))
        values: Float64 = found.detach().to("cpu", torch.float64).numpy().copy()
        return values


@contextmanager
def _unnoticed(module: nn.Module) -> Iterator[None]:
    """Let a layer change without autograd raising in another thread's backward pass.

    What looked quiet may be a long step: its gradient is then of what was before, mixed with
    what is now, and the loop goes on.
    """
    with ExitStack() as stack:
        for parameter in module.parameters():
            stack.enter_context(_unsafe_preserve_version_counter(parameter))
        yield


def write(functions: LayerFunctions, place: FunctionIndex, values: Float64) -> None:
    """Set one function's coefficients in the model; the layer must allow it."""
    assert functions.write is not None
    functions.write(index_in(functions, place), torch.as_tensor(values).to(functions.like))


def _straight(
    functions: LayerFunctions, index: tuple[int, ...], coefficients: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the coefficients of the line that fits a function best, ``(nb,)``.

    Least squares at even points of the domain; without the base term where there are other basis
    functions.
    """
    group = 0 if functions.basis_index is None else int(functions.basis_index[index])
    basis = functions.bases[group]
    x = torch.linspace(*basis.domain, _LINE_POINTS, dtype=torch.float64)
    table = basis(x).detach().to(torch.float64).numpy()
    ones = np.stack([np.ones(_LINE_POINTS), x.numpy()], axis=1)
    line = ones @ np.linalg.lstsq(ones, table @ coefficients, rcond=None)[0]
    free = ~np.asarray(basis.is_base)
    columns = free if free.any() else np.ones_like(free)
    found = np.zeros(table.shape[1])
    found[columns] = np.linalg.lstsq(table[:, columns], line, rcond=None)[0]
    return found
