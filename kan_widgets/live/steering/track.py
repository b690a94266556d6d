"""A loop over batches that knows how far it is and ends when it is stopped."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Generic, Literal, TypeVar

from kan_widgets.live.checks import check_number, check_whole
from kan_widgets.live.steering.loops import Loop
from kan_widgets.live.steering.training import Training

Batch = TypeVar("Batch")


class Track(Generic[Batch]):
    """Batches of some epochs. Made by ``live.track``; see there."""

    def __init__(
        self,
        training: Training,
        loader: Iterable[Batch],
        epochs: int,
        seconds: float | None = None,
    ) -> None:
        check_whole("epochs", epochs)
        check_loader("loader", loader, epochs)
        if seconds is not None:
            check_number("seconds", seconds, above=True)
            if batches_in(loader, epochs) is None:
                raise TypeError(
                    f"seconds={seconds}: the loader does not know how many batches it gives, so "
                    "nothing tells how long to wait: give one with a length, or leave seconds out"
                )
        self._training = training
        self._loader = loader
        self._epochs = epochs
        self._seconds = seconds

    def __len__(self) -> int:
        """Batches over all epochs; ``TypeError`` if the loader does not know."""
        return self._epochs * len(self._loader)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Batch]:
        """Give the batches; holds and stops as the control wants it."""
        return self._batches(Loop())

    def __aiter__(self) -> AsyncIterator[Batch]:
        """Give the batches; while it holds, and between two batches, other tasks go on."""
        return self._batches(Loop(waits_itself=True))

    def _batches(self, loop: Loop) -> _Batches[Batch]:
        return _Batches(self._training, self._loader, self._epochs, loop, self._seconds)


class _Batches(Generic[Batch]):
    """One way through the batches.

    Not a generator: as soon as a ``for`` is left, by ``break`` or by an error, nothing holds
    this any more, and it can tell.
    """

    def __init__(
        self,
        training: Training,
        loader: Iterable[Batch],
        epochs: int,
        loop: Loop,
        seconds: float | None,
    ) -> None:
        self._training = training
        self._loader = loader
        self._batches: Iterator[Batch] | None = None
        self._epochs = epochs
        self._epoch = 1
        self._loop = loop
        self._seconds = seconds
        self._began = 0.0  # by the clock of the run, which stands still while it is paused
        self._done = 0
        self._total: int | None = None
        self._state: Literal["new", "open", "over"] = "new"
        self._is_counted = False
        self._steps_before = 0

    def __iter__(self) -> _Batches[Batch]:
        return self

    def __next__(self) -> Batch:
        self._loop.asked_from(sys._getframe(1))
        try:
            if self._state == "open":
                self._count()
                if not self._training.counts_by_itself:
                    self._hold()
                while (left := self._early()) > 0 and not self._loop.stop:
                    self._training.wait(left)
            return self._next_batch()
        except StopIteration:
            raise
        except BaseException as error:
            self._fail(error)
            raise

    def __aiter__(self) -> _Batches[Batch]:
        return self

    async def __anext__(self) -> Batch:
        try:
            if self._state == "open":
                self._count()
                await asyncio.sleep(0)
                await self._training.hold_in(self._loop)
                while (left := self._early()) > 0 and not self._loop.stop:
                    await self._training.wait_in(self._loop, left)
            return self._next_batch()
        except StopIteration:
            raise StopAsyncIteration from None
        except asyncio.CancelledError:
            self._fail(KeyboardInterrupt())
            raise
        except BaseException as error:
            self._fail(error)
            raise

    def _hold(self) -> None:
        if self._training.steps == self._steps_before:  # nothing else counts here
            self._training.hold()

    def _count(self) -> None:
        self._done += 1
        if self._is_counted:
            self._training.batches_done += 1

    def _early(self) -> float:
        """Return how many seconds too soon the next batch would come."""
        if self._seconds is None or not self._total or self._training.control.advances:
            return 0.0
        return self._began + self._seconds * self._done / self._total - self._training.clock.elapsed

    def _next_batch(self) -> Batch:
        """Return the next batch; raises StopIteration at the end, or where it was stopped."""
        if self._state == "over":
            raise StopIteration
        if self._state == "new":
            self._loop.runs_here()
            self._total = batches_in(self._loader, self._epochs)
            self._is_counted = self._training.begin(self._loop, self._epochs, self._total)
            if self._is_counted:
                self._training.paced = self._seconds
            self._began = self._training.clock.elapsed
            self._state = "open"
        while not self._loop.stop:
            if self._batches is None:
                if self._is_counted:
                    self._training.epoch = self._epoch
                self._batches = iter(self._loader)
            try:
                batch = next(self._batches)
            except StopIteration:
                self._batches = None
                if self._epoch == self._epochs:
                    break
                self._epoch += 1
                continue
            self._steps_before = self._training.steps
            self._training.saw(batch)
            return batch
        self._batches, self._state = None, "over"
        self._training.end(self._loop, "stopped" if self._loop.stop else "finished")
        raise StopIteration

    def _fail(self, error: BaseException) -> None:
        if self._state == "open":
            self._state = "over"
            self._training.fail(error, self._loop)

    def __del__(self) -> None:
        if self._state == "open":
            self._state = "over"
            self._training.left(self._loop, sys._getframe(1))


def batches_in(loader: Iterable[object], epochs: int) -> int | None:
    """Return how many batches a loader gives over some epochs, if it knows."""
    try:
        return epochs * len(loader)  # type: ignore[arg-type]
    except TypeError:
        return None


def check_loader(name: str, loader: object, epochs: int) -> None:
    """Raise unless it can be iterated so often."""
    if not isinstance(loader, Iterable):
        raise TypeError(f"{name}={loader!r:.60}: expected a DataLoader or another iterable")
    if isinstance(loader, Iterator) and epochs > 1:
        raise TypeError(
            f"{name}={loader!r:.60} can be iterated only once, and epochs={epochs}: give a "
            "DataLoader or a list of batches"
        )
