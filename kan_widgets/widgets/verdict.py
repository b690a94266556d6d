"""Which of several models is ahead, where all have come equally far."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.frames.quantities import belongs_to
from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.widgets.curves import SMOOTHING
from kan_widgets.widgets.measured import (
    DECIDE,
    higher_is_better,
    in_words,
    quantity,
    written,
)

Float64 = NDArray[np.float64]


# Steps that are made at most while a picture is worked out; who counts otherwise is further off.
_MEANWHILE = 10


@dataclass(frozen=True)
class Verdict:
    """What decides between models, at the last step that all of them have come to."""

    quantity: str
    """See `kan_widgets.widgets.measured.quantity`."""
    label: str
    """What the values are: "mean accuracy of steps 11 to 40", "eval accuracy at step 40"."""
    step: int
    first: int
    """The first of the steps that the values are means over; the step itself where they are not."""
    values: tuple[float | None, ...]
    """One for each model; ``None`` where it was not measured."""
    tie: Verdict | None = None
    """What decides between models that are equal in this."""

    @property
    def best(self) -> tuple[int, ...]:
        """Which models are best; none where no value is better than another."""
        known = [value for value in self.values if value is not None and math.isfinite(value)]
        if len(set(known)) < 2:
            return ()
        most = max(known) if higher_is_better(self.quantity) else min(known)
        return tuple(k for k, value in enumerate(self.values) if value == most)

    def words(self, names: Sequence[str], gone_on: bool = False) -> str:
        """Say who is ahead, after how many steps; empty where that is not known.

        Parameters
        ----------
        names
            Of the models.
        gone_on
            Whether one has made more steps since: then it is not said who is ahead, only what
            they had come to.
        """
        best = self.best
        what = self._what
        whose = "both" if len(names) == 2 else "all"
        after = f"After {self.step:,} step{'' if self.step == 1 else 's'}"
        at = f"At step {self.step:,}" if gone_on else after
        if not best:
            same = len(set(self.values)) == 1 and len(self.values) > 1
            if not same:
                return ""
            all_have = f"{what} {self._written[0]} for {whose}"
            if self.tie is None or not self.tie.best:
                return f"{at}, no model is ahead: {all_have}."
            return f"{at}: {all_have}; {self.tie.lead(names)}."
        means = self._means
        if gone_on:
            order = [*best, *(k for k in range(len(names)) if k not in best)]
            known = [k for k in order if self.values[k] is not None]
            each = ", ".join(f"{names[k]} {self._written[k]}" for k in known)
            return f"{at}: {what} {each}{means}."
        is_are = "is" if len(best) == 1 else "are"
        return f"{at}, {self._leaders(names)} {is_are} ahead: {what} {self._against(names)}."

    @property
    def _what(self) -> str:
        what = in_words(self.quantity)
        return what if belongs_to(self.quantity)[1] == "held out" else f"training {what}"

    @property
    def _written(self) -> tuple[str, ...]:
        return written(self.quantity, self.values)

    @property
    def _means(self) -> str:
        over = self.step - self.first + 1
        return f" (means of the last {over:,} steps)" if over > 1 else ""

    def _leaders(self, names: Sequence[str]) -> str:
        return " and ".join(names[k] for k in self.best)

    def _against(self, names: Sequence[str]) -> str:
        """Return the best value against those of the others, with their names of more than two."""
        known = [k for k, value in enumerate(self.values) if value is not None]
        first = next(self._written[k] for k in known if k in self.best)
        others = [
            self._written[k] + (f" ({names[k]})" if len(names) > 2 else "")
            for k in known
            if k not in self.best
        ]
        return f"{first} against {', '.join(others)}{self._means}"

    def lead(self, names: Sequence[str]) -> str:
        """Say who is best in this, as a part of a sentence."""
        has = "has" if len(self.best) == 1 else "have"
        least = "higher" if higher_is_better(self.quantity) else "lower"
        return f"{self._leaders(names)} {has} the {least} {self._what}, {self._against(names)}"


def verdict_of(logs: Sequence[Scalars], made: int = 0) -> Verdict | None:
    """Return what decides between the models that these were logged for; ``None`` if nothing does.

    Where all are equal in it, what is measured of the same data beside it decides (``tie``): the
    loss where accuracies are the same.

    What is measured on the data that is trained on is the mean over the last 30 steps, since each
    value is of one batch; what is measured on held-out data is the value measured last by then.

    ``made`` is how many steps each model had made when its other numbers were read: what has been
    logged while this is worked out belongs to the next picture.
    """
    named = [_by_quantity(log) for log in logs]
    measured = [name for name in DECIDE if any(name in found for found in named)]
    if not measured:
        return None
    what, *others = measured
    found = _verdict(what, logs, named, made)
    data = belongs_to(what)[1]
    ties = [_verdict(name, logs, named, made) for name in others if belongs_to(name)[1] == data]
    tie = next((one for one in ties if one.best), None)
    return found if found.best or len(set(found.values)) > 1 else replace(found, tie=tie)


def _verdict(
    what: str, logs: Sequence[Scalars], named: Sequence[Mapping[str, str]], made: int
) -> Verdict:
    pairs = list(zip(logs, named, strict=True))
    step = min(_last_step(log, found[what]) for log, found in pairs if what in found)
    if 0 < made < step <= made + _MEANWHILE:
        step = made
    held_out = belongs_to(what)[1] == "held out"
    first = step if held_out else max(1, step - SMOOTHING + 1)
    found = [
        _between(log, known[what], first, step) if what in known else None for log, known in pairs
    ]
    several = [values for values in found if values is not None and len(values) > 1]
    values = tuple(None if one is None else float(np.mean(one)) for one in found)
    if not several:
        return Verdict(what, f"{in_words(what)} at step {step:,}", step, step, values)
    label = f"mean {in_words(what)} of steps {first:,} to {step:,}"
    return Verdict(what, label, step, first, values)


def _by_quantity(log: Scalars) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for series in log.names:
        found.setdefault(quantity(series), series)
    return found


def _last_step(log: Scalars, series: str) -> int:
    steps, _ = log.decimated(series, low=math.inf)
    return int(steps[-1])


def _between(log: Scalars, series: str, first: int, last: int) -> Float64 | None:
    """Return the values of some steps, or else the one before them, if there is one."""
    steps, values = log.decimated(series, first, last)
    steps, values = steps[steps <= last], values[steps <= last]
    inside = values[steps >= first]
    found = inside if len(inside) else values[-1:]
    return found if len(found) else None
