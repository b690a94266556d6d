"""The queue of what is done between two steps: edits, rates, probes, cures, new readings."""

import threading
import weakref
from collections.abc import Callable

from kan_widgets.live import cells
from kan_widgets.live.frames.feed import TrainingFeed
from kan_widgets.live.reports import report
from kan_widgets.live.steering.counter import Counter

# Bound method to call later; its object is held weakly, and without it nothing is done. Called as
# task(at_rest, *arguments), at_rest false between two steps; returns True if a frame is due.
StepTask = Callable[..., object]

_Waiting = tuple[str, weakref.WeakMethod[StepTask], tuple[object, ...]]


class StepQueue(cells.CellListener):
    """Does what is asked of a model, as soon as it cannot harm a training.

    Where nothing trains and no cell runs that might, it is done at once, and no cell starts
    meanwhile. Else the thread that trains does it: after the next step, while it is held, or when
    its loop or cell is over. So nothing changes or runs the model while somebody else does.
    """

    def __init__(
        self,
        feed: Callable[[], TrainingFeed | None],
        counter: Counter,
        trains_elsewhere: Callable[[], bool],
    ) -> None:
        self._feed_ref, self._counter = feed, counter
        self._trains_elsewhere = trains_elsewhere
        self._waiting: tuple[_Waiting, ...] = ()
        self._lock = threading.Lock()
        cells.add_listener(self)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be done."""
        return not self._waiting

    def request(self, words: str, task: StepTask, *arguments: object) -> bool:
        """Do a task now where that harms no training, or else later; return whether it was done.

        ``words`` say what the task does, for a report: "set the learning rate".

        Only where the reader asks for it: that nothing trains may be wrong where a thread of the
        reader's own trains in a loop that is not tracked, and a step takes very long.
        """
        with cells.none_starting() as free:
            if free and not self._trains_elsewhere():
                self.forget(task)
                task(True, *arguments)
                return True
            self.defer(words, task, *arguments)
        return False

    def defer(self, words: str, task: StepTask, *arguments: object) -> None:
        """Leave a task to the training thread, which does it once, with the latest arguments."""
        with self._lock:
            self._waiting = (*self._others(task), (words, weakref.WeakMethod(task), arguments))
        self._counter.request_full_step()

    def forget(self, task: StepTask) -> None:
        """Remove a task from the queue, if it is still there."""
        with self._lock:
            self._waiting = self._others(task)

    def _others(self, task: StepTask) -> tuple[_Waiting, ...]:
        return tuple(one for one in self._waiting if one[1]() not in (None, task))

    @property
    def nothing_trains(self) -> bool:
        """Whether it is known that nothing runs the model now, nor will before a cell starts.

        In a notebook, where the model was trained by a cell that is over or by a thread that has
        ended. `request` may then be called without being asked.
        """
        return not self._trains_elsewhere() and cells.is_over_in(self._counter.trained_by)

    def do(self, at_rest: bool) -> bool:
        """Do all that waits, in the thread that trains, if any does; whether a frame is due."""
        if not self._waiting:
            return False
        with self._lock:
            waiting, self._waiting = self._waiting, ()
        is_due = False
        for words, method, arguments in waiting:
            if (task := method()) is None:
                continue
            try:
                is_due |= task(at_rest, *arguments) is True
            except Exception as error:
                report(f"kan_widgets could not {words}: {error!r}. Training goes on")
        return is_due

    def before_cell_end(self) -> None:
        feed = self._feed_ref()
        if self._waiting and feed is not None and not self._trains_elsewhere():
            if self.do(at_rest=True) and feed.is_open:
                feed.refresh()
