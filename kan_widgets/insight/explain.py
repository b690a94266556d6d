"""Which functions and which kernels made the score of one class for one image.

In the last layer the score is a sum of functions, so the share of each is exact. In front of it
there is no such sum; what the share of a kernel is there is said in `kernel_shares`.
"""

import operator
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kan_widgets.arrays import Float32, Float64
from kan_widgets.functions import LayerFunctions, unwrap
from kan_widgets.functions.undisturbed import undisturbed
from kan_widgets.insight.kernel_shares import (
    Curves,
    KernelShares,
    NotDivided,
    kernel_shares,
    largest_curves,
    mean_responses,
    mean_terms,
)
from kan_widgets.insight.kernels import Observed
from kan_widgets.insight.tapped_pass import Stage, TappedPass, run, stages_of
from kan_widgets.live.model.observe import Folding, fold_of
from kan_widgets.nn.torch_modes import ungraded

# From this share of the change on, a note says what is missing.
_NOTED_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class FunctionShares:
    """What each function of the last layer adds to the scores: φ(x), exactly."""

    layer: str
    contributions: Float64 = field(repr=False)
    """``(classes, features)``."""
    usual: Float64 | None = field(repr=False)
    """``(classes, features)``: the mean of φ over the inputs observed; ``None`` without."""
    samples: int
    """Images observed, 0 without."""
    patches: int
    """Inputs observed of each function, 0 without."""
    curves: Curves = field(repr=False)
    """Curves of the functions that add most to the class explained, or subtract most."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """What made the score of one class for one image. Made by `explain`."""

    image: Float32
    """The input as the model took it, ``(channels, height, width)`` or ``(features,)``."""
    target: int
    """The class explained."""
    against: int | None
    """The class whose score is taken from its score; ``None`` where none is."""
    predicted: int
    """The class with the highest score."""
    scores: Float64
    """``(classes,)``: what the last layer gives, before any softmax."""
    bias: float
    """The constant that is added to the functions of the target."""
    functions: tuple[FunctionShares, ...]
    """One for each layer whose functions the score is a sum of; nearly always one."""
    error: float
    """|Σφ + bias − score|, which is rounding."""
    map_shape: tuple[int, int, int] | None
    """(channels, height, width) of the feature map that the last layer's inputs are; ``None`` where
    they have no places."""
    kernels: tuple[KernelShares, ...]
    """One for each convolution, in the order they ran."""
    notes: tuple[str, ...]
    """Notes that a reader must know."""

    def __repr__(self) -> str:
        what = "" if self.against is None else f" against class {self.against}"
        score = f"score {self.score:.4g}; predicted: class {self.predicted}"
        lines = [f"class {self.target}{what}: {score}"]
        for k, part in enumerate(self.functions):
            own = self.of(k)
            terms = (f"{own[k]:+.3g} of input {k}" for k in np.abs(own).argsort()[:-4:-1])
            lines.append(f"{part.layer}: largest of {len(own):,} functions: {', '.join(terms)}")
        return "\n".join([*lines, *self.notes])

    @property
    def score(self) -> float:
        """The score explained: the class's logit in a classifier, or how far it is above another.

        It is what the functions of the last layers add up to, with ``bias``.
        """
        return float(_difference(self.scores, self.target, self.against))

    def of(self, part: int = 0) -> Float64:
        """Return what each function of a last layer adds to the score, ``(features,)``."""
        return _difference(self.functions[part].contributions, self.target, self.against)

    def map(self, part: int = 0) -> Float64 | None:
        """Return the contributions of a last layer's functions by the place they come from.

        ``(channels, height, width)``, or ``None`` where the features have no places.
        """
        if self.map_shape is None:
            return None
        return self.of(part).reshape(self.map_shape)


def explain(
    model: nn.Module,
    image: Tensor | NDArray[Any],
    target: int | None = None,
    *,
    against: int | None = None,
    observed: Mapping[str, Observed] | None = None,
    layers: Collection[str] | None = None,
) -> Explanation:
    """Divide the score of one class for one image among functions and kernels.

    The model runs in evaluation mode and is as before afterwards. A convolution of K kernels costs
    about 2·32 to 2·512 passes for the shares and min(K, 512) for the ablations.

    Parameters
    ----------
    model
        Any model that ends in a layer whose functions can be read, such as a KAN layer or
        `torch.nn.Linear`; softmax may follow.
    image
        One input, ``(channels, height, width)`` or ``(features,)``, with or without a batch axis
        of 1.
    target
        The class; the one with the highest score by default.
    against
        Another class: how far the score is above its score is divided, not the score itself.
    observed
        By layer name, the inputs of a batch, ``live.observe(batch)``: the usual response of each
        kernel is its mean over them. Without it, it is the kernel's mean over the places of this
        image, so that a share says where in the image something is, not how this image differs
        from others.
    layers
        Names of the convolutions whose kernels are wanted; all by default. The functions of the
        last layer come in any case: they cost one pass.

    Raises
    ------
    TypeError, ValueError
        If nothing can be read from the model, it does not take the image, its last layer is no
        sum of functions, there is no such class or layer, or what was observed is of other
        layers.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> model = kw.nn.KANCNN()
    >>> found = explain(model, torch.zeros(1, 28, 28), target=3)
    >>> found.error < 1e-4, found.functions[0].contributions.shape, found.map_shape
    (True, (10, 144), (16, 3, 3))
    >>> [shares.contributions.shape for shares in found.kernels]
    [(8, 1), (16, 8), (16, 16)]
    """
    chosen, other = class_number(target), class_number(against)
    inner = unwrap(model)
    x = _batch_of_one(inner, image)
    stages = stages_of(inner)
    if isinstance(layers, str):
        raise TypeError(f"layers={layers!r}: expected several names, as in layers=[{layers!r}]")
    names = [part.name for stage in stages for part in stage.parts]
    if missing := [name for name in layers or () if name not in names]:
        raise ValueError(f"layers: {missing[0]!r} is none of {', '.join(map(repr, names))}")

    def shared() -> Explanation:
        first = ungraded(run)(inner, x, [tap for stage in stages for tap in stage.taps])
        *before, last = _that_ran(stages, first)
        scores: Float64 = first.at(last.at)[0].detach().double().cpu().numpy()
        classes = len(scores)
        predicted = int(scores.argmax())
        for name, number in (("target", chosen), ("against", other)):
            if number is not None and not 0 <= number < classes:
                raise ValueError(
                    f"{name}={number!r}: expected a class from 0 to {classes - 1}, which "
                    f"{last.name} scores"
                )
        explained = predicted if chosen is None else chosen
        if explained == other:
            raise ValueError(f"against={other}: expected another class than the one explained")
        notes = _after_last(last, first, scores)
        functions = tuple(
            _function_shares(part, first.at(stage_tap), observed, explained, other)
            for part, stage_tap in zip(last.parts, last.inputs, strict=True)
        )
        biases = np.zeros(classes) if last.bias is None else last.bias.detach().cpu().numpy()
        bias = float(_difference(biases, explained, other))
        score = float(_difference(scores, explained, other))
        total = sum(_difference(one.contributions, explained, other).sum() for one in functions)
        kernels: list[KernelShares] = []
        for stage in before:
            wanted = layers is None or any(part.name in layers for part in stage.parts)
            if stage.kind != "conv" or not wanted:
                continue
            try:
                shares = kernel_shares(inner, x, stage, last, first, explained, other, observed)
                kernels += shares
                notes += _incomplete(stage, shares[0], score)
            except NotDivided as reason:
                notes.append(f"the kernels of {stage.name} are left out: {reason}")
        map_shape = _map_shape(before, first, last, tuple(x.shape[1:]))
        if x.ndim == 2:  # rows of numbers, which may be flattened pictures
            map_shape = getattr((observed or {}).get(last.parts[0].name), "fold", None)
        return Explanation(
            image=x[0].detach().float().cpu().numpy().copy(),
            target=explained,
            against=other,
            predicted=predicted,
            scores=scores,
            bias=bias,
            functions=functions,
            error=float(abs(total + bias - score)),
            map_shape=map_shape,
            kernels=tuple(kernels),
            notes=tuple(notes),
        )

    return undisturbed(inner, shared, gradients=True, function_mode=Folding())


def _difference(values: Float64, target: int, against: int | None) -> Float64:
    """Return the values of a class, or how far they are above those of another."""
    own: Float64 = values[target] if against is None else values[target] - values[against]
    return own


def class_number(target: Any) -> int | None:
    """Return a class given as a whole number, or as a tensor or array of one.

    Raises
    ------
    TypeError
        If it is not the number of a class.
    """
    if target is None:
        return None
    try:
        return operator.index(target)
    except (TypeError, ValueError):
        raise TypeError(f"target={target!r:.80}: expected the number of a class") from None


def _incomplete(stage: Stage, shares: KernelShares, score: float) -> list[str]:
    """Return a note where shares do not nearly add up, else none."""
    change = score - shares.baseline
    if not np.isfinite(change) or abs(shares.missing) <= _NOTED_SHARE * max(abs(change), 1e-3):
        return []
    return [
        f"the shares of {stage.name} leave out {shares.missing:.3g} of a change of {change:.3g}: "
        "the score jumps between the means and the image, as it does where a norm over places "
        "follows"
    ]


def _batch_of_one(model: nn.Module, image: Tensor | NDArray[Any]) -> Tensor:
    try:
        x = torch.as_tensor(image)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"image of type {type(image).__name__}: expected a tensor or an array of numbers"
        ) from None
    like = next((p for p in model.parameters() if p.is_floating_point()), torch.zeros(1))
    x = x.detach().to(like.device, like.dtype)
    if x.ndim in (1, 3):
        x = x[None]
    if x.ndim not in (2, 4) or x.shape[0] != 1:
        raise ValueError(
            f"image of shape {tuple(x.shape)}: expected one image, (channels, height, width) or "
            "(features,); of a batch, give batch[k]"
        )
    return x


def _that_ran(stages: list[Stage], record: TappedPass) -> list[Stage]:
    """Return the stages that ran, in that order; the last gave the scores."""
    ran = record.ran(stages)
    if not ran:
        raise ValueError("the image reached none of the layers that can be read")
    last, value = ran[-1], record.at(ran[-1].at)
    if last.kind != "linear" or value.ndim != 2 or not all(map(record.once, last.inputs)):
        raise ValueError(
            f"the last layer that ran is {last.name} ({last.parts[0].type}), which gave "
            f"{tuple(value.shape)}: a score is a sum of functions where the last layer is a "
            "linear or KAN layer that ran once"
        )
    return ran


def _after_last(last: Stage, record: TappedPass, scores: Float64) -> list[str]:
    """Return a note if the model gives anything but scores or their softmax, else none."""
    output = record.output
    if not np.isfinite(scores).all():
        return []
    if isinstance(output, Tensor) and output.numel() == len(scores):
        offset = output.detach().double().cpu().numpy().ravel() - scores
        if np.ptp(offset) <= 1e-4 * max(1.0, float(np.abs(scores).max())):
            return []
    return [f"what the model does after {last.name} is not part of this"]


def _function_shares(
    part: LayerFunctions,
    x: Tensor,
    observed: Mapping[str, Observed] | None,
    target: int,
    against: int | None,
) -> FunctionShares:
    inputs = x[:1].detach().double().cpu().numpy()
    contributions = mean_terms(part, inputs)
    own = _difference(contributions, target, against)
    curves = largest_curves(part, own[None], target, inputs[0])
    if observed is None or part.name not in observed:
        return FunctionShares(part.name, contributions, None, 0, 0, curves)
    seen = observed[part.name]
    usual = mean_responses(part, seen)
    return FunctionShares(part.name, contributions, usual, seen.samples, len(seen.patches), curves)


def _map_shape(
    before: list[Stage], record: TappedPass, last: Stage, image: tuple[int, ...]
) -> tuple[int, int, int] | None:
    """Return the shape of the map that the last layer's inputs were laid out from."""
    channels = {image[0]} if len(image) == 3 else set()
    for stage in before:
        if stage.kind == "conv":
            value = record.at(stage.at) if record.once(stage.at) else record.passed[stage.at][-1]
            channels = {value.shape[1]}
    fold = fold_of(record.passed[last.inputs[0]][0])
    return fold if fold is not None and fold[0] in channels else None
