"""What is compared between models: numbers of each training, in words and as records."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kan_widgets.insight.growth import ModelGrowth
from kan_widgets.live.frames.progress import duration
from kan_widgets.live.recordings.replay import Replay
from kan_widgets.widgets.measured import ALWAYS, NOTHING, in_words, quantity, rank, written
from kan_widgets.widgets.numbers import format_number
from kan_widgets.widgets.verdict import Verdict

if TYPE_CHECKING:
    from kan_widgets.live import Binding

MEANING = (
    "At the last step that all models have come to. On the data that is trained on: the mean over "
    "the last 30 steps, since each value is of one batch; on held-out data: as measured last"
)


@dataclass(frozen=True)
class Numbers:
    """How one model is trained, at one moment."""

    name: str
    state: str
    """See `Standing.state`."""
    growth: ModelGrowth
    steps: int
    epochs: float | None
    """All it went through, the last one in part; ``None`` where no loop counts them."""
    seconds: float | None
    """The training time, see `Progress.elapsed`; ``None`` before there is one."""
    seconds_per_step: float | None
    """Of the steps of this model alone: without evaluation and the steps of others."""
    last: Mapping[str, float]
    """The value of each quantity that was logged last; see `quantity`."""
    data_source: str

    def record(self, quantities: Sequence[str]) -> dict[str, Any]:
        """Return plain numbers and words; ``None`` where nothing is known."""
        return {
            "name": self.name,
            "state": self.state,
            "parameters": self.growth.parameters,
            "order": f"O({self.growth.order})",
            "parameters_doubled": self.growth.doubled,
            "steps": self.steps,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "seconds_per_step": self.seconds_per_step,
            **{name: self.last.get(name) for name in quantities},
            "data_source": self.data_source,
        }


def numbers_of(name: str, live: Binding | Replay, growth: ModelGrowth) -> Numbers:
    """Read the numbers of a training."""
    progress, scalars = live.progress, live.scalars
    steps = progress.timed_steps
    last: dict[str, float] = {}
    for series in scalars.names:
        last.setdefault(quantity(series), scalars.latest(series))
    return Numbers(
        name,
        live.feed.standing.state,
        growth,
        progress.step,
        progress.epochs_done or None,
        progress.elapsed or None,
        progress.seconds / steps if steps else None,
        last,
        progress.data_source,
    )


def quantities(models: Sequence[Numbers]) -> list[str]:
    """Return all that was measured of any model, loss and accuracy in any case."""
    return sorted({*ALWAYS, *(name for model in models for name in model.last)}, key=rank)


def hints(models: Sequence[Numbers]) -> list[str]:
    """Say why models cannot be compared as they are."""
    said = []
    if len({model.data_source for model in models if model.data_source}) > 1:
        said.append("The models are trained on different data.")
    return said


def data_sources(models: Sequence[Numbers]) -> str:
    """Say what the models are trained on, as far as that was said."""
    known = {model.name: model.data_source for model in models if model.data_source}
    if len(known) == len(models) and len(set(known.values())) == 1:
        return f"Trained on: {next(iter(known.values()))}"
    return "; ".join(f"{name} trained on: {source}" for name, source in known.items())


@dataclass(frozen=True)
class Row:
    """One number of all models, in words."""

    key: str
    label: str
    meaning: str
    values: tuple[str, ...]
    lead: bool = False
    """Whether it is one of those that decide between models."""
    best: tuple[int, ...] = ()
    """Which models have the best value; none where none is better, or cannot be compared."""
    more: bool = False
    """Whether it is shown only where more is asked for."""


def rows(models: Sequence[Numbers], verdict: Verdict | None = None) -> list[Row]:
    """Return the table in words: how good, how large and how slow each model is, then the rest.

    Rows in which nothing is known are left out.
    """
    measured = [row for name in quantities(models) if (row := _measured(name, models))]
    lead = []
    if verdict is not None:
        for deciding in (verdict, verdict.tie):
            if deciding is None:
                continue
            best = () if hints(models) else deciding.best
            values = written(deciding.quantity, deciding.values)
            lead.append(Row(deciding.quantity, deciding.label, MEANING, values, True, best))
            # What was logged last stands below, where it is another number.
            last = next(row for row in measured if row.key == deciding.quantity)
            own = measured.index(last)
            measured[own] = replace(last, key=f"last {last.key}")
            if last.values == values:
                del measured[own]
    size, *grown = _parameters(models)
    cost, *times = _times(models)
    lead += [
        replace(size, lead=True, best=_best([m.growth.parameters for m in models], models)),
        replace(cost, lead=True, best=_best([m.seconds_per_step for m in models], models)),
    ]
    all_rows = [*lead, *times, *measured, *(replace(row, more=True) for row in grown)]
    return [row for row in all_rows if any(value != NOTHING for value in row.values)]


def said(models: Sequence[Numbers], verdict: Verdict | None) -> str:
    """Say who is ahead, or what all had come to where some have gone on since."""
    if verdict is None:
        return "" if any(model.steps or model.last for model in models) else "Not trained yet."
    return verdict.words([model.name for model in models], bool(_gone_on(models)))


def _gone_on(models: Sequence[Numbers]) -> list[Numbers]:
    """Return those that have made more steps than others; of some that take turns one is ahead."""
    least = min(model.steps for model in models)
    return [model for model in models if model.steps > least + 1]


def _since(model: Numbers, name: str) -> str:
    value = model.last.get(name)
    now = "" if value is None else f": {in_words(name)} {written(name, [value])[0]}"
    return f"{model.name} has since gone on to step {model.steps:,}{now}."


def costs(models: Sequence[Numbers], verdict: Verdict) -> str:
    """Say how far some have gone on since, and what the one that is ahead costs beside the others.

    Of two models how much larger and slower it is; of several whether it is the smallest and the
    fastest. Empty where there is nothing to say.
    """
    since = [_since(model, verdict.quantity) for model in _gone_on(models)]
    return " ".join(filter(None, [*since, _cost(models, verdict)]))


def _cost(models: Sequence[Numbers], verdict: Verdict) -> str:
    best = verdict.best or (verdict.tie.best if verdict.tie else ())
    if len(best) != 1:
        return ""
    own = models[best[0]]
    ordered = [own, *(model for model in models if model is not own)]
    size = _beside([model.growth.parameters for model in ordered], _SIZES)
    time = _beside([model.seconds_per_step for model in ordered], _TIMES)
    joint = " but " if size and time and size[0] * time[0] < 0 else " and "
    found = joint.join(one[1] for one in (size, time) if one)
    return f"{own.name} {found}." if found else ""


# Beside one other: about half, less, about as much, more, about twice; of several: the least.
_SIZES = (
    "has about half the parameters",
    "has fewer parameters",
    "has about as many parameters",
    "has more parameters",
    "has about twice the parameters",
    "has the fewest parameters",
)
_TIMES = (
    "takes about half the time per step",
    "takes less time per step",
    "takes about as much time per step",
    "takes more time per step",
    "takes about twice the time per step",
    "takes the least time per step",
)


def _beside(values: Sequence[float | None], words: Sequence[str]) -> tuple[int, str] | None:
    """Return whether the first is better (1), about equal (0) or worse (-1), and the words."""
    known = [value for value in values if value]
    if len(known) < len(values) or len(known) < 2:
        return None
    first, *others = known
    if len(others) > 1:
        return (1, words[5]) if first < min(others) else None
    ratio = first / others[0]
    if 0.9 < ratio < 1.1:
        return 0, words[2]
    if ratio < 1:
        return 1, words[0 if 0.45 < ratio < 0.55 else 1]
    return -1, words[4 if 1.8 < ratio < 2.2 else 3]


def _best(values: Sequence[float | None], models: Sequence[Numbers]) -> tuple[int, ...]:
    """Return which models have the least; none where they cannot be compared."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if hints(models) or len(set(known)) < 2:
        return ()
    return tuple(k for k, value in enumerate(values) if value == min(known))


def _measured(name: str, models: Sequence[Numbers]) -> Row | None:
    values = [m.last.get(name) for m in models]
    if all(value is None for value in values):
        return None
    words = written(name, values)
    meaning = "As logged last, at each model's own latest step, not smoothed: of one batch, mostly"
    return Row(name, f"latest {in_words(name)}", meaning, words)


def _parameters(models: Sequence[Numbers]) -> list[Row]:
    return [
        Row(
            "parameters",
            "parameters",
            "Trainable parameters",
            tuple(f"{m.growth.parameters:,}" for m in models),
        ),
        Row(
            "parameters_doubled",
            "parameters, grid twice as fine",
            "Trainable parameters, had each KAN layer twice as many grid intervals",
            tuple(_doubled(m.growth) for m in models),
        ),
        Row(
            "order",
            "growth with width N, grid G",
            "How the parameters grow with N channels or features and G grid intervals "
            "(n basis functions where there is no grid)",
            tuple(f"O({m.growth.order})" for m in models),
        ),
    ]


def _times(models: Sequence[Numbers]) -> list[Row]:
    return [
        Row(
            "seconds_per_step",
            "time per step",
            "What a step of this model takes, without evaluation, pauses and the steps of others",
            tuple(_seconds(m.seconds_per_step) for m in models),
        ),
        Row(
            "steps",
            "steps",
            "Optimizer steps since the model was bound",
            tuple(f"{m.steps:,}" for m in models),
        ),
        Row(
            "epochs",
            "epochs",
            "Passes over the training data, the one going on in part",
            tuple(NOTHING if m.epochs is None else f"{m.epochs:.2f}" for m in models),
        ),
        Row(
            "seconds",
            "training time",
            "By the clock on the wall from the first step to the last, with all between but pauses",
            tuple(duration(m.seconds) or NOTHING for m in models),
        ),
    ]


def layer_words(growth: ModelGrowth) -> list[tuple[str, str, str, str]]:
    """Return name, type, formula and parameters of each layer, and of what is left."""
    found = [
        (layer.name, layer.type, _sum(layer.symbols, layer.numbers), f"{layer.parameters:,}")
        for layer in growth.layers
    ]
    if growth.others:
        found.append(("others", "", "norms, biases and layers not read", f"{growth.others:,}"))
    return found


def _sum(symbols: str, numbers: str) -> str:
    return symbols if symbols == numbers else f"{symbols} = {numbers}"


def _doubled(growth: ModelGrowth) -> str:
    return f"{growth.doubled:,}" if growth.doubled != growth.parameters else NOTHING


def _seconds(seconds: float | None) -> str:
    """Return the time of a step in the unit that suits it.

    Examples
    --------
    >>> [_seconds(s) for s in (None, 0.00312, 0.25, 12.34)]
    ['–', '3.12 ms', '250 ms', '12.3 s']
    """
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return f"{format_number(1000 * seconds)} ms"
    return f"{format_number(seconds)} s"
