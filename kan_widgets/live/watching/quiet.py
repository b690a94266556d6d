"""Notice when training goes quiet, so that the last frame is always sent.

Two watchmen: the end of a cell, on the thread that ran it, and a job of the scheduler that
rests unless some training is live.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

from torch import nn

from kan_widgets.live import cells
from kan_widgets.live.frames.source import State
from kan_widgets.live.worker import Job, scheduler

_POLL_SECONDS = 0.1
# Views draw the end of a training a moment after they are told of it.
_KEPT_SECONDS = 1.0


class Watched(Protocol):
    """A training that may go quiet: a binding."""

    @property
    def model(self) -> nn.Module | None:
        """The model, while it exists."""

    @property
    def state(self) -> State:
        """``live`` while steps come in."""

    @property
    def is_quiet(self) -> bool:
        """Whether no step has come for clearly longer than steps take."""

    @property
    def trained_by(self) -> threading.Thread | None:
        """The thread that made the last step, while it is known."""

    def settle(self) -> None:
        """Send the latest state."""

    def close(self) -> None:
        """Stop watching."""

    def cell_over(self, error: BaseException | None) -> None:
        """Note how the cell ended that ran in this thread."""


# A binding lives as long as its model: once that is gone, it is closed and let go of.
_watched: set[Watched] = set()
# What has ended, and until when it is kept; only for the job.
_ended: list[tuple[float, Watched]] = []
_lock = threading.Lock()


def watch(training: Watched) -> None:
    """Settle a training whenever it goes quiet, until `unwatch`."""
    with _lock:
        _watched.add(training)
    # For the model's end, which may start no thread; and the first frame does not wait for it.
    scheduler.start()
    cells.watch(_at_the_end)


def unwatch(training: Watched) -> None:
    """Forget a training."""
    with _lock:
        _watched.discard(training)


def wake() -> None:
    """Say that a training has become live."""
    _job.wake()


def _all() -> list[Watched]:
    with _lock:
        return list(_watched)


def _look() -> None:
    """Settle what is quiet, release what has lost its model; look again while any is live."""
    live, now = False, time.monotonic()
    _ended[:] = [(end, training) for end, training in _ended if end > now]
    for training in _all():
        if training.model is None:
            training.close()
            _ended.append((now + _KEPT_SECONDS, training))
        elif training.state == "live":
            if training.is_quiet:
                training.settle()
            live = live or training.state == "live"
    if live or _ended:
        _job.earliest = time.monotonic() + _POLL_SECONDS
        _job.wake()


class _CellEnd(cells.CellListener):
    """Settles what a cell was training, when the cell is over."""

    def cell_over(self, error: BaseException | None) -> None:
        """Settle what this thread was training, and note how that ended."""
        for training in _all():
            if training.state == "live" and training.trained_by is threading.current_thread():
                training.settle()
            training.cell_over(error)


_job = Job(scheduler, _look)
_at_the_end = _CellEnd()


def model_gone(_: object, job: Job = _job) -> None:
    """Say that a model is gone; for the garbage collector, also at the end of the program."""
    job.leave_word()
