"""What functions are worth: a network run with some of them replaced, and left as it is."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as with_fields
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from torch import Tensor, nn

from kan_widgets.arrays import Float64, Int64
from kan_widgets.checks import is_module
from kan_widgets.insight.formulas.projection import (
    Curve,
    Replacement,
    Where,
    chosen,
    difference,
    parts_without,
    replaced,
)
from kan_widgets.insight.networks.ensemble import Ensemble
from kan_widgets.insight.tapped_pass import log_probabilities, stages_of
from kan_widgets.live.model.holding import at_zero
from kan_widgets.live.model.observe import observe
from kan_widgets.printed import Printed

if TYPE_CHECKING:
    from kan_widgets.live import Binding

_REPLACEMENTS = {
    "mean": "their means",
    "line": "their best lines",
    "base": "their base terms alone",
    "splines": "their splines alone",
    "form": "their symbolic forms",
    "initial": "what they were at the start",
}
# Examples that inputs are observed of, and draws of the bootstrap.
_OBSERVED, _DRAWS = 500, 1000


class Interval(NamedTuple):
    """A number with 95 %: of its bootstrap over examples, or over networks and examples."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return "{} [{}, {}]".format(*(f"{float(f'{x:.2g}'):g}" for x in self)).replace("-", "−")


def interval_of(values: Float64, over: Float64 | None = None) -> Interval:
    """Return a mean over images, or a ratio of means, with the 95 % of its bootstrap."""
    count, over = len(values), np.ones(len(values)) if over is None else over
    weights = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), _DRAWS)
    low, high = np.quantile(weights @ values / (weights @ over), [0.025, 0.975])
    return Interval(float(values.mean() / over.mean()), float(low), float(high))


def _over_networks(intervals: Sequence[Interval]) -> Interval:
    """Return the mean over networks: Student's 95 %, and as much as examples alone make beside."""
    from scipy.stats import t  # type: ignore[import-untyped]

    values, count = [one.value for one in intervals], len(intervals)
    seeds = t.ppf(0.975, count - 1) * np.std(values, ddof=1) / np.sqrt(count)
    examples = np.mean([one.high - one.low for one in intervals]) / 2
    mean, half = float(np.mean(values)), float(np.hypot(seeds, examples))
    return Interval(mean, mean - half, mean + half)


@dataclass(frozen=True, eq=False, repr=False)
class Intervention(Printed):
    """A network, or an ensemble, before and after some of its functions were replaced.

    Intervals are those of 95 %. Of one network they are over examples alone: of this training,
    whatever another seed would give. Of an ensemble all numbers are means over its networks, and
    intervals are for other seeds and other examples: the half-width is √(a² + b²), a of Student's
    over networks, b the mean of theirs over examples, which is rather too wide than too narrow.
    What training does without such functions only the control tells.
    """

    replaced: str
    """What stands in place of the functions, in words."""
    layers: dict[str, int]
    """How many functions of each layer were replaced."""
    kept: int
    """How many stayed, because no form fits them."""
    images: int
    before: float
    """Share of the images that are right, 0 to 1."""
    after: float
    change: Interval
    """``after`` − ``before``."""
    kl: Interval
    """Mean Kullback-Leibler divergence of the probabilities after from those before, in nats."""
    classes: dict[int, tuple[int, float, Interval]] = field(repr=False)
    """By class how many images, the share right before, and the change."""
    control: float | None = None
    """Share right of a network trained that way from the start; None where none was."""
    control_change: Interval | None = None
    """``control`` − ``before``."""
    after_control: Interval | None = None
    """``after`` − ``control``."""
    inputs: str = "examples"
    """What it was run on, in words: "images" where inputs are ``(n, channels, height, width)``."""
    networks: "tuple[Intervention, ...]" = field(default=(), repr=False)
    """Of an ensemble what each network gives, by itself."""

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each class: examples, right before and after, and the interval.

        Of an ensemble a row for each network, with its control.
        """
        rows: list[tuple[dict[str, Any], float, Interval]] = [
            ({"network": number, "control": one.control}, one.before, one.change)
            for number, one in enumerate(self.networks)
        ] or [
            ({"class": label, self.inputs: count}, before, change)
            for label, (count, before, change) in self.classes.items()
        ]
        return [
            head
            | {
                "before": before,
                "after": before + change.value,
                "low": change.low,
                "high": change.high,
            }
            for head, before, change in rows
        ]

    def _words(self) -> list[str]:
        where = ", ".join(f"{count:,} of {name}" for name, count in self.layers.items()) or "none"
        kept = f" ({self.kept:,} stay: no form fits)" if self.kept else ""
        worse, count = sum(one.change.high < 0 for one in self.networks), len(self.networks)
        over = (
            f" Means over {count} networks, 95 % over networks and {self.inputs}; {worse} of "
            f"{count} are worse by more than other {self.inputs} make."
        )
        words = [
            f"Functions replaced by {self.replaced}: {where}{kept}.",
            f"Right of {self.images:,} {self.inputs}: {100 * self.before:.1f} % before, "
            f"{100 * self.after:.1f} % after, a change of {_said(self.change)}; KL {self.kl}."
            f"{over if count else ''}",
        ]
        if self.control is None or self.control_change is None or self.after_control is None:
            return [*words, "No control was trained: a network without them may do as well."]
        seeds = f" ({count} seeds)" if count else ""
        return [
            *words,
            f"Trained that way from the start{seeds}: {100 * self.control:.1f} %, "
            f"beside the network {_said(self.control_change)}. Replaced afterwards, beside that "
            f"control: {_said(self.after_control)}.",
        ]

    def _rows(self) -> list[Sequence[str]]:
        rows: list[Sequence[str]] = [
            (str(label), f"{count:,}", f"{100 * before:.1f} %", _points(change))
            for label, (count, before, change) in self.classes.items()
        ]
        if not self.networks:
            return [("class", self.inputs, "before", "change, in points"), *rows]
        rows = [
            (str(k), f"{100 * one.before:.1f} %", *map(_points, (one.change, one.control_change)))
            for k, one in enumerate(self.networks)
        ]
        return [("network", "before", "change, in points", "trained that way, in points"), *rows]


def _points(change: Interval | None) -> str:
    return str(Interval(*(100 * share for share in change))) if change else "–"


def _said(change: Interval) -> str:
    none = ", which may be none" if change.low <= 0 <= change.high else ""
    return f"{_points(change)} points{none}"


def intervene(
    source: "Binding | nn.Module | Ensemble",
    images: Tensor,
    labels: Tensor,
    replace: Replacement | Curve = "mean",
    *,
    where: Sequence[Where] | None = None,
    control: Callable[[], nn.Module] | Literal[True] | None = None,
) -> Intervention:
    """Run a classifier with functions replaced, and say what that costs.

    The model is run in evaluation mode, without gradients, and is not changed: what the functions
    would give is added to the sums of their layer while it runs.

    Parameters
    ----------
    source
        A binding or a model that gives ``(n, classes)`` scores, or an `ensemble` of such: each
        network is asked, and ``where`` names functions as in the typical one.
    images, labels
        ``(n, …)`` and ``(n,)``, whole numbers: what it is judged by.
    replace
        ``"mean"``: each function by its mean, over inputs of the first 500 images; ``"line"``: by
        its best line over them; ``"base"`` or ``"splines"``: one part alone; ``"form"``: by the
        best of `symbolic`, where one fits, as near as `fix` puts it; ``"initial"``: by what it was
        in the binding's first frame. Or a function of x, array to array, as near as `fix` puts it.
    where
        Layers by name, or functions, such as ``[("convs.0", (0, 0, 1, 1))]``; by default all.
    control
        Returns a network that was trained that way from the start. Splines that a trained network
        cannot do without may be worth little where there were none all along. Of an ensemble that
        was made with ``train``, True trains a control from each seed, in which the splines (or base
        terms, or with ``"mean"`` whole functions; a constant others can add) are 0 from the start.

    Raises
    ------
    TypeError
        If something else is given.
    KeyError, IndexError
        If there is no such layer or function.
    ValueError
        If the numbers of images and labels differ, or functions have no such part.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> _ = torch.manual_seed(0)
    >>> model = kw.nn.KANLinear(2, 2)
    >>> x = torch.rand(50, 2)
    >>> labels = (x[:, 0] > x[:, 1]).long()
    >>> found = kw.insight.intervene(model, x, labels, "line")
    >>> found.layers, found.images, found.change.low <= found.change.value
    ({'KANLinear': 4}, 50, True)
    """
    if not callable(replace) and replace not in _REPLACEMENTS:
        raise ValueError(
            f"replace={replace!r}: expected one of {', '.join(map(repr, _REPLACEMENTS))}"
        )
    is_known = callable(control)
    if isinstance(source, Ensemble):
        is_known = control is True and source.training is not None
    if control is not None and not is_known:
        raise TypeError(
            f"control={control!r:.60}: expected a function that returns a network trained that "
            "way; of an ensemble that was made with train, True"
        )
    if isinstance(source, Ensemble):
        return _of_all(source, images, labels, replace, where, is_known)
    return _of_one(source, images, labels, replace, where, control)


def _of_one(
    source: Any, images: Tensor, labels: Tensor, replace: Any, where: Any, control: Any
) -> Intervention:
    model = judged_model(source, images, labels)
    stages = [stage for stage in stages_of(model) if stage.kind != "elementwise"]
    layers = {
        part.name: part.called(x_at=tap)
        for stage in stages
        for part, tap in zip(stage.parts, stage.inputs, strict=True)
    }
    numbers_of = chosen(layers, where)
    seen = observe(model, {}, list(layers.values()), images[:_OBSERVED])
    begun = None if is_module(source) else source.history[0]
    differences, counts, kept = {}, {}, 0
    for name, numbers in numbers_of.items():
        changed, new = replaced(layers[name], seen.get(name), numbers, replace, begun)
        counts[layers[name].name or layers[name].type] = len(changed)
        kept += len(numbers) - len(changed)
        differences[name] = difference(layers[name], changed, new)
    truth = labels.cpu().numpy()
    before, after = (log_probabilities(model, images, stages, added) for added in ({}, differences))
    others = None if control is None else log_probabilities(control(), images, [], {})
    found = _judged(replace, counts, kept, truth, before, after, others)
    return with_fields(found, inputs="images" if images.ndim == 4 else "examples")


def _train_without(train: Any, replace: Any, where: Any, model: nn.Module) -> None:
    """Train a network in which functions, or parts of them, are 0 from the start."""
    with at_zero(model, parts_without(model, replace, where)):
        train(model)


def _of_all(
    ensemble: Ensemble, images: Tensor, labels: Tensor, replace: Any, where: Any, with_control: bool
) -> Intervention:
    """Ask each network of an ensemble."""
    control = None
    if with_control and ensemble.training is not None:
        train = partial(_train_without, ensemble.training.train, replace, where)
        control = with_fields(ensemble.training, train=train).networks().__next__
    tried = []
    for k, member in enumerate(ensemble.members):
        own = None if where is None else [ensemble.place_in(k, item) for item in where]
        tried.append(_of_one(member, images, labels, replace, own, control))
    shares = ["before", "after", *(["control"] if control else [])]
    intervals = ["change", "kl", *(["control_change", "after_control"] if control else [])]
    over: Any = {name: float(np.mean([getattr(one, name) for one in tried])) for name in shares}
    over |= {name: _over_networks([getattr(one, name) for one in tried]) for name in intervals}
    return with_fields(
        tried[0],
        layers=dict(sum((Counter(one.layers) for one in tried), Counter())),
        kept=sum(one.kept for one in tried),
        classes={},
        networks=tuple(tried),
        **over,
    )


def judged_model(source: Any, images: Tensor, labels: Tensor) -> nn.Module:
    """Return the model, or raise unless there are a model, images and labels."""
    model = source if is_module(source) else getattr(source, "model", None)
    if not is_module(model):
        raise TypeError(f"source={source!r:.60}: expected a binding or a torch.nn.Module")
    if not isinstance(images, Tensor) or not isinstance(labels, Tensor):
        raise TypeError("images and labels: expected two tensors")
    if labels.ndim != 1 or len(labels) != len(images) or len(images) < 2:
        raise ValueError(
            f"labels of shape {tuple(labels.shape)} for {len(images)} examples: expected one whole "
            "number for each of two examples or more"
        )
    return model


def _judged(
    replace: Any,
    counts: dict[str, int],
    kept: int,
    truth: Int64,
    before: Float64,
    after: Float64,
    others: Float64 | None,
) -> Intervention:
    right, then = (np.equal(logs.argmax(axis=1), truth).astype(float) for logs in (before, after))
    beside = None if others is None else np.equal(others.argmax(axis=1), truth).astype(float)
    classes = {}
    for label in np.unique(truth).tolist():
        mine = truth == label
        classes[label] = (
            int(mine.sum()),
            float(right[mine].mean()),
            interval_of((then - right)[mine]),
        )
    return Intervention(
        replaced=getattr(replace, "__name__", None) or _REPLACEMENTS.get(replace, repr(replace)),
        layers=counts,
        kept=kept,
        images=len(truth),
        before=float(right.mean()),
        after=float(then.mean()),
        change=interval_of(then - right),
        kl=interval_of((np.exp(before) * (before - after)).sum(axis=1)),
        classes=classes,
        control=None if beside is None else float(beside.mean()),
        control_change=None if beside is None else interval_of(beside - right),
        after_control=None if beside is None else interval_of(then - beside),
    )
