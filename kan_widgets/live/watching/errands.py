"""What waits for a moment at which running a model harms no training."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Protocol

from kan_widgets.live import cells
from kan_widgets.live.reports import report

Errand = Callable[[bool], object]
"""A bound method. Its object is held weakly: without it nothing is done."""


class Trained(Protocol):
    """A model whose training is known: a binding."""

    @property
    def trained_by(self) -> threading.Thread | None:
        """The thread that made the last step, while it is known."""

    def trains_elsewhere(self) -> bool:
        """Whether only the thread that trains may run the model, after its next step."""

    def need_care(self) -> None:
        """Have the next step look for what is wanted."""


class Errands(cells.CellListener):
    """What others want done with the model of a binding, as soon as that harms no training.

    Where nothing trains and no cell runs that might, it is done at once, and no cell starts
    meanwhile. Else the thread that trains does it: after the next step, while it is held, or when
    its loop or cell is over. So nothing runs the model while somebody else does.

    Each errand is told whether the training is at rest: if not, it is between two steps.
    """

    def __init__(self, binding: Trained) -> None:
        self._of = weakref.ref(binding)
        self._waiting: tuple[weakref.WeakMethod[Errand], ...] = ()
        self._lock = threading.Lock()
        cells.watch(self)

    @property
    def are_waiting(self) -> bool:
        """Whether something waits to be done."""
        return bool(self._waiting)

    def waits(self, errand: Errand) -> bool:
        """Whether this waits to be done."""
        return weakref.WeakMethod(errand) in self._waiting

    def want(self, errand: Errand) -> bool:
        """Do it now where that harms no training, or else later; return whether it was done.

        Only where the reader asks for it: that nothing trains may be wrong where a thread of the
        reader's own trains in a loop that is not tracked, and a step takes very long.
        """
        if (binding := self._of()) is None:
            return False
        with cells.between() as free:
            if free and not binding.trains_elsewhere():
                self.forget(errand)
                errand(True)
                return True
            self.later(errand)
        return False

    def later(self, errand: Errand) -> None:
        """Leave it to the thread that trains. Again before it was done is no second time."""
        with self._lock:
            waiting = tuple(one for one in self._waiting if one() not in (None, errand))
            self._waiting = (*waiting, weakref.WeakMethod(errand))
        if (binding := self._of()) is not None:
            binding.need_care()

    def forget(self, errand: Errand) -> None:
        """Let it not be done, where it still waits."""
        with self._lock:
            self._waiting = tuple(one for one in self._waiting if one() not in (None, errand))

    @property
    def can_be_alone(self) -> bool:
        """Whether it is known that nothing runs the model now, nor will before a cell starts.

        In a notebook, where the model was trained by a cell that is over or by a thread that has
        ended. `want` may then be called without being asked.
        """
        binding = self._of()
        return (
            binding is not None
            and not binding.trains_elsewhere()
            and cells.is_over_in(binding.trained_by)
        )

    def do(self, at_rest: bool) -> None:
        """Do all that waits, in this thread: the one that trains, if any does."""
        with self._lock:
            waiting, self._waiting = self._waiting, ()
        for reference in waiting:
            try:
                if (errand := reference()) is not None:
                    errand(at_rest)
            except Exception as error:
                report(f"what was wanted of the model could not be done: {error!r}")

    def cell_ended(self) -> None:
        """Do what has waited for the end of a notebook cell."""
        binding = self._of()
        if self._waiting and binding is not None and not binding.trains_elsewhere():
            self.do(at_rest=True)
