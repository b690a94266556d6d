"""A loop over batches that knows how far it is and ends when it is stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from kan_widgets.live.control import Loop

if TYPE_CHECKING:
    from kan_widgets.live.binding import Binding

Batch = TypeVar("Batch")


class Track(Generic[Batch]):
    """Batches of some epochs. Made by ``live.track``; see there."""

    def __init__(self, binding: Binding, loader: Iterable[Batch], epochs: int) -> None:
        if isinstance(epochs, bool) or not isinstance(epochs, int):
            raise TypeError(f"epochs={epochs!r}: a whole number is taken")
        if epochs < 1:
            raise ValueError(f"epochs={epochs}: at least 1 is taken")
        if isinstance(loader, Iterator) and epochs > 1:
            raise TypeError(
                f"loader={loader!r:.60} can be gone through only once, and epochs={epochs}: give "
                "a DataLoader or a list of batches"
            )
        if not isinstance(loader, Iterable):
            raise TypeError(f"loader={loader!r:.60}: a DataLoader or another iterable is taken")
        self._binding = binding
        self._loader = loader
        self._epochs = epochs

    def __len__(self) -> int:
        """Batches over all epochs; ``TypeError`` if the loader does not know."""
        return self._epochs * len(self._loader)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Batch]:
        """Give the batches; holds and stops as the control wants it."""
        binding = self._binding
        training, loop, stopped = binding.training, Loop(), False
        training.begin(loop, self._epochs, batches_in(self._loader, self._epochs))
        try:
            for epoch in range(1, self._epochs + 1):
                training.epoch = epoch
                for batch in self._loader:
                    before = binding.stats.steps
                    yield batch
                    training.batches_done += 1
                    if binding.stats.steps == before:  # no step is counted in this loop
                        training.hold(before)
                    if training.control.take_stop():
                        stopped = True
                        return
        finally:
            training.end(loop, "stopped" if stopped else "finished")

    async def __aiter__(self) -> AsyncIterator[Batch]:
        """Give the batches; while it holds, and between two batches, other tasks go on."""
        import asyncio

        training, loop, stopped = self._binding.training, Loop(waits_itself=True), False
        training.begin(loop, self._epochs, batches_in(self._loader, self._epochs))
        try:
            for epoch in range(1, self._epochs + 1):
                training.epoch = epoch
                for batch in self._loader:
                    yield batch
                    training.batches_done += 1
                    await asyncio.sleep(0)
                    await training.hold_in()
                    if training.control.take_stop():
                        stopped = True
                        return
        finally:
            training.end(loop, "stopped" if stopped else "finished")


def batches_in(loader: Iterable[object], epochs: int) -> int | None:
    """Return how many batches a loader gives over some epochs, if it knows."""
    try:
        return epochs * len(loader)  # type: ignore[arg-type]
    except TypeError:
        return None
