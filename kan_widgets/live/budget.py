"""How much of the time watching may take, in whichever thread, and how that is divided.

Each kind of work that watching repeats has a `Throttle`: frames, with what
sending and recording them costs; examples that are traced; what looks for alarms; what each view
computes. While something trains they share one budget: those that need little take
only that, and the rest is divided among the others by weight. So ten views cost no more than
three, but show older frames.
"""

import threading
import weakref
from typing import Any

# Share of the training time that all watching together may take.
TOTAL_SHARE = 0.03
# Share that one kind of work may take, other than frames that somebody sees.
MAX_SHARE = 0.01
# Share for frames that nobody sees: they are for the history alone.
UNSEEN_SHARE = 0.002
# Share of its thread's time that each kind may take while nothing trains.
_SHARE_AT_REST = 0.1
# Seconds of unused budget that can be saved up: for one costly frame, not for a burst.
_SAVED_SECONDS = 1.0
_DIVIDED_SECONDS = 0.25
# Work that was not done for this long, although it could have been, needs no budget.
_FORGOTTEN_SECONDS = 5.0


class Budget:
    """The time that watching takes in the background, and who may take how much; see `overhead`."""

    def __init__(self) -> None:
        self.part = TOTAL_SHARE
        """Share per weight that each kind may take while something trains; some need less."""
        self.is_shared = False
        """Whether something trains."""
        self._live: tuple[weakref.ref[Any], ...] = ()
        self._throttles: weakref.WeakSet[Throttle] = weakref.WeakSet()
        self._divided = float("-inf")
        self._lock = threading.Lock()

    def note(self, training: Any, *, is_live: bool) -> None:
        """Note that a training, by its counter of steps, goes on or stands still."""
        with self._lock:
            others = tuple(ref for ref in self._live if ref() is not training)
            self._live = (*others, weakref.ref(training, self._forget)) if is_live else others
            self.is_shared = bool(self._live)

    def _forget(self, gone: weakref.ref[Any]) -> None:
        # Called by the garbage collector, perhaps inside a lock.
        self._live = tuple(ref for ref in self._live if ref is not gone)
        self.is_shared = bool(self._live)

    def spent(self, seconds: float) -> None:
        """Count what this thread has done, for the trainings in others that go on meanwhile."""
        me = threading.current_thread()
        with self._lock:
            for training in (ref() for ref in self._live):
                if training is not None and training.trained_by is not me:
                    training.in_background += seconds

    def add(self, throttle: "Throttle") -> None:
        """Let it have a part from now on, while it exists."""
        with self._lock:
            self._throttles.add(throttle)

    def divide(self, now: float) -> None:
        """Find the share per weight that uses the whole budget, given that some need less."""
        if now < self._divided + _DIVIDED_SECONDS:
            return
        self._divided = now
        with self._lock:
            needs = [(throttle.needs(now), throttle.weight) for throttle in self._throttles]
        left, weights = TOTAL_SHARE, sum(weight for _, weight in needs)
        for need, weight in sorted(needs, key=lambda each: each[0] / each[1]):
            if need * weights > left * weight:
                self.part = left / weights
                return
            left, weights = left - need, weights - weight
        self.part = TOTAL_SHARE


overhead = Budget()


class Throttle:
    """Opens ``per_second`` times a second, less often where what is done is expensive.

    Parameters
    ----------
    per_second
        How often it may be done, at most.
    most
        Of the time of a training, the share that it may take at most.
    weight
        How much it has beside others, where all of them need more than there is.
    budget
        The time that it has a part of; that of all watching unless another is given.
    """

    def __init__(
        self,
        per_second: float,
        most: float = MAX_SHARE,
        weight: float = 1.0,
        budget: Budget = overhead,
    ) -> None:
        self.interval = 1.0 / per_second
        self.most = most
        self.weight = weight
        self._budget = budget
        self._next = self._opens = float("-inf")
        self._counted: float | None = None
        self._saved = 0.0  # below 0 what it owes
        self._last = self._mean = 0.0
        budget.add(self)

    @property
    def part(self) -> float:
        """The share of the time that it may take now."""
        return min(self.most, self.weight * self._budget.part)

    @property
    def due(self) -> float:
        """When it opens, by what is known of the budget now."""
        if self._saved < 0 and self._counted is not None and self._budget.is_shared:
            return max(self._next, self._counted - self._saved / self.part)
        return self._next

    def allow(self, most: float) -> None:
        """Set the largest share from now on; what is owed is paid off at that rate, too."""
        self.most = most
        self._opens = self.due

    def is_open(self, now: float) -> bool:
        """Whether it may be done at time ``now`` (seconds)."""
        return now >= self._opens

    def stride(self, now: float, before: int) -> int:
        """Return of how many due steps one is to be taken, where it was one of ``before``.

        Twice as many where it is closed, half where it was open for most of the time: a power of
        two, so that of processes which choose each for itself one takes what the others take.
        """
        if not self.is_open(now):
            return 2 * before
        counted = now if self._counted is None else self._counted
        was_open_long = now - self._opens > 2 * (self._opens - counted)
        return before // 2 if before > 1 and was_open_long else before

    def spent(self, now: float, seconds: float) -> None:
        """Note that what was begun at ``now`` cost ``seconds``, whether it was open or not."""
        # A frame that was late, because no step came, does not delay the one after it.
        due = self.due
        start = due if 0 <= now - due < self.interval else now
        self._next = start + self.interval
        if self._budget.is_shared:
            earned = 0.0 if self._counted is None else self.part * (now - self._counted)
            self._saved = min(self._saved + earned, self.part * _SAVED_SECONDS) - seconds
        else:  # a training that begins at once has seen it just now, but did not pay for it
            self._saved = -min(seconds, self.part * _SAVED_SECONDS)
            self._next = max(self._next, now + seconds / _SHARE_AT_REST)
        self._counted = now
        self._mean += (self._last - self._mean) / 4
        self._last = seconds
        self._budget.divide(now)
        self._opens = self.due

    def owe(self, seconds: float) -> None:
        """Note that what was done last cost more, in another thread."""
        if self._budget.is_shared:
            self._saved -= seconds
        self._last += seconds
        self._opens = self.due

    def needs(self, now: float) -> float:
        """Return the share of the time that it would take if nothing held it back."""
        if now > self.due + _FORGOTTEN_SECONDS:
            return 0.0
        return min(self.most, max(self._last, self._mean) / self.interval)
