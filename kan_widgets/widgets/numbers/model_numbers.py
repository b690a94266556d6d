"""The numbers of each model in a `Compare`, the models it takes, and how they are ranked."""

import math
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_widgets.arrays import Float64, Int64
from kan_widgets.checks import is_module
from kan_widgets.insight.parameter_counts import LayerGrowth, ModelGrowth, growth_of
from kan_widgets.live import Replay, Source, is_binding
from kan_widgets.live.frames.activations import Probe
from kan_widgets.live.frames.feed import closed_error
from kan_widgets.live.frames.parameters import parameters_of
from kan_widgets.live.frames.scalars import Scalars, belongs_to, diverged_since
from kan_widgets.live.worker import ThrottledJob
from kan_widgets.widgets.shell.curves_view import COLOURS, SMOOTHING, LoggedCurve

if TYPE_CHECKING:
    from kan_widgets.live import Binding

SCORES = ("loss", "eval_loss", "accuracy", "eval_accuracy")
# Models are ranked by the first of these that was logged.
_DECIDING_SCORES = ("eval_accuracy", "accuracy", "eval_loss", "loss")
# Most steps made while a picture is drawn; a model further behind counts steps in another way.
_MAX_LAG = 10
# What an older recording says of its parameters.
_UNKNOWN_GROWTH: dict[str, Any] = {"parts": [], "total": 0}


def check_models(models: Any) -> None:
    """Raise unless models can be compared; nothing is bound or made.

    Raises
    ------
    TypeError
        If it is no dict of bindings or models by name.
    ValueError
        If there is none or more than seven, one is given twice, is closed or cannot be bound.
    """
    if not isinstance(models, Mapping):
        raise TypeError(
            f"models={models!r:.80}: expected a dict of bindings by name, such as "
            "kw.Compare({'KAN': live, 'CNN': other})"
        )
    if not models:
        raise ValueError("models={}: expected bindings by name, such as {'KAN': live}")
    if len(models) > COLOURS:
        raise ValueError(
            f"{len(models)} models: expected up to {COLOURS}, for so many colours can be told "
            "apart; make several comparisons"
        )
    names: dict[int, str] = {}
    for name, model in models.items():
        if not isinstance(name, str) or not name.strip():
            raise TypeError(f"models with the name {name!r}: expected names as text")
        inner: object
        if isinstance(model, Replay):
            inner = model
        elif is_binding(model):
            inner = model.model
            if inner is None:
                raise ValueError(f"models[{name!r}]: {closed_error(model.feed)}")
        elif is_module(model):
            from kan_widgets.functions import find, unwrap
            from kan_widgets.live import binding_of

            inner = unwrap(model)
            if binding_of(inner) is None:
                find(inner)  # raises where there is nothing to bind
        else:
            hint = ", where nothing trains" if isinstance(model, Source) else ""
            raise TypeError(
                f"models[{name!r}]={model!r:.80}{hint}: expected a model, the binding that "
                "kan_widgets.bind returned, or a recording (kan_widgets.replay)"
            )
        if id(inner) in names:
            raise ValueError(
                f"models[{name!r}] and models[{names[id(inner)]!r}] are the same "
                f"{'recording' if isinstance(model, Replay) else 'model'}: give each once"
            )
        names[id(inner)] = name


def _quantity_of(series: str) -> str:
    """Return one name for a quantity that has several; ``eval_`` before it for held-out data."""
    measure, data = belongs_to(series)
    measure = {"acc": "accuracy"}.get(measure.lower(), measure.lower())
    return f"eval_{measure}" if data == "held out" else measure


def logged_of(logs: Mapping[str, Scalars]) -> list[LoggedCurve]:
    """Return all curves of models: by quantity, loss and accuracy first, in the model's colour."""
    curves = []
    for model, log in logs.items():
        names = log.names
        measured = [_quantity_of(series) for series in names]
        for series, measure in zip(names, measured, strict=True):
            name = model if measured.count(measure) == 1 else f"{model} {series}"
            curves.append(LoggedCurve(measure, name, model, log, series))
    ranks = {quantity: rank for rank, quantity in enumerate(SCORES)}
    return sorted(curves, key=lambda curve: (ranks.get(curve.panel, len(ranks)), curve.panel))


class ComparedModel:
    """One model of a comparison, which it does not keep alive, and its last numbers."""

    def __init__(self, name: str, live: "Binding | Replay", draw_job: ThrottledJob) -> None:
        self.name = name
        self._draw_job = draw_job
        self._live: weakref.ref[Binding | Replay] = weakref.ref(live)
        self.scalars = live.scalars
        self._counted: tuple[object, ...] = ()
        self._growth: ModelGrowth
        self._record: dict[str, Any] = {}
        self._wanted: Probe | None = None
        self._read(live)

    @property
    def live(self) -> "Binding | Replay | None":
        """The binding or recording, while it exists."""
        return self._live()

    def as_dict(self) -> dict[str, Any]:
        """Return the model's numbers as they are now; the last ones if it is gone."""
        if (live := self._live()) is not None:
            self._read(live)
        return dict(self._record)

    def last(self) -> dict[str, float]:
        """Return the value of each quantity that was logged last."""
        return {_quantity_of(key): self.scalars.latest(key) for key in reversed(self.scalars.names)}

    def layers(self) -> tuple[LayerGrowth, ...]:
        """Return what the parameters of the model's layers are made of."""
        self.as_dict()
        return self._growth.layers

    def shown(self) -> dict[str, Any]:
        """Return what the page has of the model: see js/src/views/compare/verdict.ts."""
        return self.as_dict() | {"diverged": diverged_since(self.scalars)}

    def follow(self, probe: Probe) -> None:
        """Run the examples of another model through this one, as soon as that harms nothing.

        Nothing is done if this model has the same examples, or cannot take them.
        """
        live = self._live()
        if probe is self._wanted or not is_binding(live) or live.feed.probed is probe:
            return
        self._wanted = probe
        live.feed.bound.takes_batches = False  # else two would be seen until then
        live.feed.training.queue.request("trace examples", self._follow)

    def _follow(self, _: bool) -> None:
        live, probe = self._live(), self._wanted
        if is_binding(live) and probe is not None:
            import torch

            try:
                live.probe(torch.from_numpy(probe.inputs.copy()), probe.labels)
            except Exception:  # a model of other inputs has examples of its own
                live.feed.bound.probe_batches()

    def _read(self, live: "Binding | Replay") -> None:
        self.scalars = live.scalars
        if isinstance(live, Replay):
            if (counts := (live.parameters,)) != self._counted:
                self._counted, self._growth = counts, growth_of(counts[0] or _UNKNOWN_GROWTH)
        elif (model := live.model) is not None:
            # Counted again when a layer has changed its form, or was frozen.
            trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
            if (counted := (live.feed.layout, trained)) != self._counted:
                from kan_widgets.functions import unwrap

                known = parameters_of(unwrap(model), live.feed.layout.layers)
                self._counted, self._growth = counted, growth_of(known)
        progress = live.progress
        self._record = {
            "name": self.name,
            "state": live.feed.standing.state,
            "parameters": self._growth.parameters,
            "order": f"O({self._growth.order})",
            "steps": progress.step,
            "epochs": progress.epochs_done or None,
            "seconds": progress.elapsed or None,
            "seconds_per_step": progress.seconds / progress.timed_steps
            if progress.timed_steps
            else None,
            "data_source": progress.data_source,
        }

    def replaced(self, source: Source) -> None:
        """Show the binding that has taken the place of this one."""
        if is_binding(source):
            self._live = weakref.ref(source)
            self._draw_job.wake()


def deciding(logs: Sequence[Scalars], steps_made: int = 0) -> list[dict[str, Any]]:
    """Return what models are compared by, each at the last step that all of them have reached.

    The first quantity decides, and where all are equal in it, those that are measured on the same
    data beside it. What is measured on the data that is trained on is the mean over the last 30
    steps, since each value is of one batch; on held-out data it is what was measured last by then.
    ``steps_made`` is how many each model had made when its other numbers were read: what has been
    logged since belongs to the next picture.

    Each has ``quantity``; ``first`` and ``step``, of the steps that the values are means over,
    equal where they are no means; ``values``, one for each model, ``None`` where it was not
    measured, and text where JSON has no such number; ``errors``, the standard errors of these
    means, ``None`` where the spread is not known. Empty if nothing decides.
    """
    named = [{_quantity_of(series): series for series in reversed(log.names)} for log in logs]
    measured = [name for name in _DECIDING_SCORES if any(name in names for names in named)]
    data = [name.startswith("eval_") for name in measured]
    return [
        _at_common_step(name, list(zip(logs, named, strict=True)), steps_made)
        for name, held_out in zip(measured, data, strict=True)
        if held_out == data[0]
    ]


def _at_common_step(
    measure: str, named: Sequence[tuple[Scalars, Mapping[str, str]]], steps_made: int
) -> dict[str, Any]:
    series = [log.series(of[measure]) if measure in of else None for log, of in named]
    step = int(min(each[0][-1] for each in series if each is not None))
    if 0 < steps_made < step <= steps_made + _MAX_LAG:
        step = steps_made
    first = step if measure.startswith("eval_") else max(1, step - SMOOTHING + 1)
    values = [_values_of(each, first, step) for each in series]
    if not any(len(each) > 1 for each in values):
        first = step
    means = [_plain(float(each.mean())) if len(each) else None for each in values]
    errors = [
        _plain(float(each.std(ddof=1)) / len(each) ** 0.5) if len(each) > 1 else None
        for each in values
    ]
    return {"quantity": measure, "first": first, "step": step, "values": means, "errors": errors}


def _values_of(series: tuple[Int64, Float64] | None, first: int, step: int) -> Float64:
    """Return what was logged at some steps, or else the last value before them."""
    if series is None:
        return np.empty(0)
    steps, values = series
    end = int(np.searchsorted(steps, step, "right"))
    begin = min(int(np.searchsorted(steps, first)), end - 1)
    return values[max(0, begin) : end]


def _plain(value: float) -> float | str:
    """Return a number, or text that JavaScript reads as one where JSON has none."""
    return value if math.isfinite(value) else str(value).replace("inf", "Infinity")


def marks_of(logs: Mapping[str, Scalars]) -> Iterator[list[Any]]:
    """Yield step and text of all marks; what is marked in all models once, without a name."""
    models: dict[tuple[int, str], list[str]] = {}
    for model, log in logs.items():
        for mark in log.marks:
            models.setdefault((mark.step, mark.text), []).append(model)
    for (step, text), names in sorted(models.items()):
        yield [step, text if len(names) == len(logs) else f"{', '.join(names)}: {text}"]
