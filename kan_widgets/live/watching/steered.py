"""What is said of a training that goes on here, and how it is steered."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from torch import nn

from kan_widgets.live.checks import check_whole
from kan_widgets.live.frames.feed import Feed
from kan_widgets.live.frames.progress import ENDED, Progress, Standing, Stats, behind, standing_of
from kan_widgets.live.model.model import BoundModel
from kan_widgets.live.steering.training import Training
from kan_widgets.live.watching import quiet
from kan_widgets.live.watching.camera import Camera
from kan_widgets.live.watching.counter import Counter
from kan_widgets.live.watching.watchdog import Watchdog

_BIND = "live = kw.bind(model, optimizer)"


class Steered(Feed):
    """A feed whose training goes on in this process."""

    camera: Camera
    counter: Counter
    training: Training
    model: BoundModel
    watchdog: Watchdog
    sent: int

    @property
    def module(self) -> nn.Module | None:
        """The model, while it exists and is bound."""
        return self.model.module

    @property
    def control_state(self) -> Literal["running", "paused", "stopping"]:  # type: ignore[override]
        """How the training stands, or will after its current step."""
        return self.training.control.state

    @property
    def is_held(self) -> bool:  # type: ignore[override]
        """Whether it stands still at this moment."""
        return self.training.control.is_holding

    @property
    def trained_by(self) -> threading.Thread | None:  # type: ignore[override]
        """The thread that made the last step, while it is known."""
        return self.counter.trained_by

    @property
    def learning_rates(self) -> list[float]:
        """The learning rate of each parameter group; empty without an optimizer."""
        return self.training.learning_rates

    @property
    def stats(self) -> Stats:
        """Counts and costs so far."""
        counter, total = self.counter, self.counter.training_seconds
        share, probes = (
            min(1.0, seconds / total) if total > 0 else 0.0
            for seconds in (counter.seconds + counter.in_background, self.model.probing.in_steps)
        )
        return Stats(
            counter.steps,
            self.camera.taken,
            self.sent,
            counter.skipped,
            counter.seconds,
            share,
            probes,
            counter.in_background,
        )

    @property
    def progress(self) -> Progress:
        """How far the training is."""
        return self.training.progress(self.counter.steps, self.stats.share)

    @property
    def standing(self) -> Standing:
        """How the run stands, as all views say it, and the line that mends it."""
        said = standing_of(self.progress)
        if self._state == "fault":
            return Standing("fault", f"no longer watched: {self.message}", _BIND)
        if self.state == "closed":
            before = f"{said.words}; " if said.state in ENDED else ""
            late = behind(self.counter.steps, self.frame.step)
            return Standing("closed", f"{before}closed{late}")
        if words := self.counter.uncounted.words:
            return Standing("uncounted", words, _BIND)
        if said.state == "running" and self.training.control.state == "stopping":
            return Standing("stopping", "stopping")
        if said.state == "running" and quiet.stands_still(self):
            return Standing("still", "stands still")
        return said

    def steer(self, command: Mapping[str, Any]) -> int:
        """Do what is asked, between two steps."""
        kind = command.get("kind")
        if kind == "every":
            check_whole("every", command["value"], of=" of steps")
            self.counter.every = command["value"]
            self.tell_training()
        elif kind == "cure":
            self.watchdog.cure(command["alarm"])
        elif kind == "uncure":
            self.watchdog.undo()
        else:
            self.training.steer(command)
        return 0

    def stepped_by(self, optimizer: Any) -> None:
        """Note a step of any optimizer, in the thread that trains."""
        bound = self.training.optimizer
        if bound is not optimizer:
            if self.counter.uncounted.note(optimizer, self.model.module, bound):
                self.tell_training()

    def cell_over(self, error: BaseException | None) -> None:
        """Note how the notebook cell ended that ran in this thread."""
        self.training.cell_ended(error)

    def request_full_step(self) -> None:
        """Have the next step do more than count: an edit, a rate, a pause or a watcher waits."""
        self.counter.request_full_step()

    def waited(self, seconds: float) -> None:
        """Note a time between two steps that was not spent on training."""
        self.counter.waited(seconds)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what is done meanwhile as time spent on watching."""
        with self.counter.counted():
            yield
