"""Hear of every step, and notice when training goes quiet, so that the last frame is always sent.

Two things notice that: the end of a cell, on the thread that ran it, and a job of the scheduler
that rests unless some training is live.
"""

import atexit
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from kan_widgets.live import cells
from kan_widgets.live.frames.feed import Feed
from kan_widgets.live.frames.source import Source
from kan_widgets.live.steering.counter import steppings
from kan_widgets.live.worker import Job, scheduler

_POLL_SECONDS = 0.1
# Views draw the end of a training a moment after they are told of it.
_KEPT_SECONDS = 1.0

# A binding lives as long as its model: once that is gone, it is closed and let go of.
# Replaced, never changed in place: each step of any optimizer goes through it.
_watched: tuple[Any, ...] = ()
# Bindings that have ended, and until when each is kept; used by the job alone.
_ended: list[tuple[float, Any]] = []
_lock = threading.Lock()
_hears_steps = False


def watch(binding: Source) -> None:
    """Settle the training of a binding whenever it goes quiet, until `unwatch`.

    The steps of all optimizers are heard from the first one on, by one hook of torch's that stays:
    one placed and removed with each binding would raise in a loop that is going through them.
    """
    global _watched, _hears_steps
    with _lock:
        _watched = (*_watched, binding)
        if not _hears_steps:
            # Kept out of the graph where a step is compiled.
            register_optimizer_step_post_hook(torch.compiler.disable(_stepped))
            _hears_steps = True
    # Now: the end of a model may start no thread, and the first frame should not wait for it.
    scheduler.start()
    cells.add_listener(_at_the_end)


def unwatch(feed: Feed) -> None:
    """Stop watching the binding that has this feed."""
    global _watched
    with _lock:
        _watched = tuple(each for each in _watched if each.feed is not feed)


def wake() -> None:
    """Say that a training has become live."""
    _job.wake()


def trains_another(feed: Any) -> bool:
    """Whether the thread that trained a model trains another one now.

    An untracked loop ends without notice.
    """
    trainer = feed.counter.trained_by
    others = (binding.feed for binding in _watched if binding.feed is not feed)
    return (
        feed.state == "idle"
        and trainer is not None
        and any(one.state == "live" and one.counter.trained_by is trainer for one in others)
    )


def _settle_quiet() -> None:
    """Settle quiet feeds, release those without a model; look again while one is live."""
    live, now = False, time.monotonic()
    _ended[:] = [(end, binding) for end, binding in _ended if end > now]
    for binding in _watched:
        if binding.state == "closed":
            binding.feed.close()
            _ended.append((now + _KEPT_SECONDS, binding))
        else:
            live = binding.feed.settle_if_quiet() or live
    if live or _ended:
        _job.earliest = time.monotonic() + _POLL_SECONDS
        _job.wake()


def _stepped(optimizer: Optimizer, *_: Any) -> None:
    if (stepping := steppings.get(optimizer)) is not None:
        stepping.ended(optimizer)
    for binding in _watched:
        feed = binding.feed
        bound = feed.training.optimizer
        if bound is not optimizer and feed.counter.uncounted.note(optimizer, feed.module, bound):
            feed.tell_training()


class _CellEnd(cells.CellListener):
    """Settles what a cell was training, when the cell is over."""

    def after_cell_end(self, error: BaseException | None) -> None:
        """Settle what this thread was training, and note how that ended."""
        for feed in [binding.feed for binding in _watched]:
            if feed.state == "live" and feed.counter.trained_by is threading.current_thread():
                feed.settle()
            feed.training.note_cell_error(error)


_job = Job(scheduler, _settle_quiet)
_at_the_end = _CellEnd()


def model_gone(last: Callable[[], Callable[[], object] | None], _: object, job: Job = _job) -> None:
    """Say that a model is gone; for the garbage collector, also at the end of the program.

    ``last()`` gives what is to be called at once, while parts of the model are still there.
    """
    if (call := last()) is not None:
        call()
    job.leave_word()


@atexit.register
def _program_over() -> None:
    """Note how a script ended, as a cell does, before its recordings are closed."""
    error = getattr(sys, "last_value", None)
    if cells.is_over_in(None):
        return
    for binding in _watched:
        binding.feed.training.note_cell_error(error)
