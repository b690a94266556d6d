"""What functions are worth: a network run with some of them replaced, and left as it is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from kan_widgets.arrays import Float64, Int64
from kan_widgets.checks import is_module
from kan_widgets.functions import LayerFunctions, Tap
from kan_widgets.functions.undisturbed import undisturbed
from kan_widgets.insight.formulas.projection import Curve, Replacement, difference, replaced
from kan_widgets.insight.tapped_pass import Stage, TappedPass, run, stages_of
from kan_widgets.live.frames.frame import place_in_layer
from kan_widgets.live.model.observe import observe
from kan_widgets.printed import Printed

if TYPE_CHECKING:
    from kan_widgets.live import Binding

Where = str | tuple[str, Sequence[int]]
"""A layer by its name, or one function of it, ``("convs.0", (0, 0, 1, 1))``."""

_REPLACEMENTS = {
    "mean": "their means",
    "line": "their best lines",
    "base": "their base terms alone",
    "splines": "their splines alone",
    "form": "their symbolic forms",
    "initial": "what they were at the start",
}
# Images that inputs are observed of, that run at a time, and draws of the bootstrap.
_OBSERVED, _AT_ONCE, _DRAWS = 500, 250, 1000


class Interval(NamedTuple):
    """A number with the 95 % of its bootstrap over images."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2g} [{self.low:.2g}, {self.high:.2g}]".replace("-", "−")


def interval_of(values: Float64, over: Float64 | None = None) -> Interval:
    """Return a mean over images, or a ratio of means, with the 95 % of its bootstrap."""
    count, over = len(values), np.ones(len(values)) if over is None else over
    weights = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), _DRAWS)
    low, high = np.quantile(weights @ values / (weights @ over), [0.025, 0.975])
    return Interval(float(values.mean() / over.mean()), float(low), float(high))


@dataclass(frozen=True, eq=False, repr=False)
class Intervention(Printed):
    """A network before and after some of its functions were replaced.

    Intervals are those of 95 %, over images alone: of this one training, whatever another seed
    would give. What training does without such functions only the control tells.
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

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each class: images, right before and after, and the interval."""
        return [
            {
                "class": label,
                "images": count,
                "before": before,
                "after": before + change.value,
                "low": change.low,
                "high": change.high,
            }
            for label, (count, before, change) in self.classes.items()
        ]

    def _words(self) -> list[str]:
        where = ", ".join(f"{count:,} of {name}" for name, count in self.layers.items()) or "none"
        kept = f" ({self.kept:,} stay: no form fits)" if self.kept else ""
        points = Interval(*(100 * share for share in self.change))
        words = [
            f"Functions replaced by {self.replaced}: {where}{kept}.",
            f"Right of {self.images:,} images: {100 * self.before:.1f} % before, "
            f"{100 * self.after:.1f} % after, a change of {points} points"
            f"{_none(self.change)}; KL {self.kl}.",
        ]
        if self.control is None or self.control_change is None:
            return [*words, "No control was trained: a network without them may do as well."]
        beside = Interval(*(100 * share for share in self.control_change))
        return [
            *words,
            f"Trained that way from the start: {100 * self.control:.1f} %, "
            f"{beside} points beside the network{_none(self.control_change)}.",
        ]

    def _rows(self) -> list[Sequence[str]]:
        rows = [
            (str(label), f"{count:,}", f"{100 * before:.1f} %", str(change))
            for label, (count, before, change) in self.classes.items()
        ]
        return [("class", "images", "before", "change"), *rows]


def _none(change: Interval) -> str:
    return ", which may be none" if change.low <= 0 <= change.high else ""


def intervene(
    source: "Binding | nn.Module",
    images: Tensor,
    labels: Tensor,
    replace: Replacement | Curve = "mean",
    *,
    where: Sequence[Where] | None = None,
    control: Callable[[], nn.Module] | None = None,
) -> Intervention:
    """Run a classifier with functions replaced, and say what that costs.

    The model is run in evaluation mode, without gradients, and is not changed: what the functions
    would give is added to the sums of their layer while it runs.

    Parameters
    ----------
    source
        A binding or a model that gives ``(n, classes)`` scores.
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
        cannot do without may be worth little where there were none all along.

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
    model = judged_model(source, images, labels)
    if not callable(replace) and replace not in _REPLACEMENTS:
        raise ValueError(
            f"replace={replace!r}: expected one of {', '.join(map(repr, _REPLACEMENTS))}"
        )
    stages = [stage for stage in stages_of(model) if stage.kind != "elementwise"]
    layers = {
        part.name: part.called(x_at=tap)
        for stage in stages
        for part, tap in zip(stage.parts, stage.inputs, strict=True)
    }
    chosen = _chosen(layers, where)
    seen = observe(model, {}, list(layers.values()), images[:_OBSERVED])
    begun = None if is_module(source) else source.history[0]
    differences, counts, kept = {}, {}, 0
    for name, numbers in chosen.items():
        changed, new = replaced(layers[name], seen.get(name), numbers, replace, begun)
        counts[layers[name].name or layers[name].type] = len(changed)
        kept += len(numbers) - len(changed)
        differences[name] = difference(layers[name], changed, new)
    truth = labels.cpu().numpy()
    before, after = (_logs(model, images, stages, added) for added in ({}, differences))
    others = None if control is None else _logs(control(), images, [], {})
    return _judged(replace, counts, kept, truth, before, after, others)


def judged_model(source: "Binding | nn.Module", images: Tensor, labels: Tensor) -> nn.Module:
    """Return the model, or raise unless there are a model, images and labels."""
    model = source if is_module(source) else getattr(source, "model", None)
    if not is_module(model):
        raise TypeError(f"source={source!r:.60}: expected a binding or a torch.nn.Module")
    if not isinstance(images, Tensor) or not isinstance(labels, Tensor):
        raise TypeError("images and labels: expected two tensors")
    if labels.ndim != 1 or len(labels) != len(images) or len(images) < 2:
        raise ValueError(
            f"labels of shape {tuple(labels.shape)} for {len(images)} images: expected one whole "
            "number for each of two images or more"
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
    )


def _chosen(layers: dict[str, LayerFunctions], where: Sequence[Where] | None) -> dict[str, Int64]:
    """Return by layer the numbers of the functions that are meant."""
    chosen: dict[str, list[int]] = {}
    for item in list(layers) if where is None else where:
        name, place = (item, None) if isinstance(item, str) else item
        if name not in layers:
            raise KeyError(f"where={name!r}: the layers are {', '.join(map(repr, layers))}")
        layer, numbers = layers[name], chosen.setdefault(name, [])
        if place is None:
            numbers += range(layer.n_functions)
        else:
            index = place_in_layer(name or layer.type, layer.shape, place)
            numbers.append(int(np.ravel_multi_index(index, layer.shape)))
    return {name: np.unique(numbers) for name, numbers in chosen.items()}


def _logs(
    model: nn.Module, images: Tensor, stages: list[Stage], more: dict[str, LayerFunctions]
) -> Float64:
    """Return log-probabilities ``(n, classes)`` of a network with functions added."""
    adding = {stage.at: stage for stage in stages if any(p.name in more for p in stage.parts)}
    for tap, stage in adding.items():
        if len(tap.modules) > 1 and tap.joined == "cat":
            raise ValueError(f"{stage.name}: its output is of several modules")
    taps = [tap for stage in adding.values() for tap in (*stage.inputs, stage.at)]

    def added(tap: Tap, value: Tensor, record: TappedPass) -> Tensor | None:
        if tap not in adding or tap in record.passed:
            return None
        stage = adding[tap]
        for part, its in zip(stage.parts, stage.inputs, strict=True):
            if part.name in more:
                value = value + more[part.name].total(record.at(its)).to(value)
        return value

    def scores() -> Iterator[Tensor]:
        for some in images.split(_AT_ONCE):
            record = run(model, some, taps, added)
            if any(len(passed) > len(tap.modules) for tap, passed in record.passed.items()):
                raise ValueError("a layer runs more than once: its functions cannot be told apart")
            yield torch.log_softmax(record.output.double(), dim=1).cpu()

    return undisturbed(model, lambda: torch.cat(list(scores()))).numpy()
