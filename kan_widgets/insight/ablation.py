"""What a model loses when functions are replaced by their mean: measured, not estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.kernels import Observed
from kan_widgets.insight.progress import progress
from kan_widgets.insight.replacing import Bound, Evaluate, Replaceable
from kan_widgets.insight.tables import Float64, Int64


@dataclass(frozen=True, eq=False)
class Ablation:
    """What each function is worth: how the score drops with it alone replaced by its mean."""

    layer: str
    samples: int
    """Images (rows) of the batch that the means are taken over."""
    patches: int
    """Inputs of each function that they are taken over."""
    functions: Int64
    """``(n, 4)``: out, in, row, column of each that was tried, in the order they were tried."""
    mean: Float64
    """``(n,)``: what each was replaced by."""
    score: float
    """What ``evaluate`` gave for the model as it is."""
    drop: Float64
    """``(n,)``: how much less it gave without each; negative where the model is better off."""
    shape: tuple[int, int, int, int]
    """(out, in, kh, kw)."""

    @property
    def drops(self) -> Float64:
        """The drops as ``(out, in, kh, kw)``, NaN for functions that were not tried."""
        found = np.full(self.shape, np.nan)
        found[tuple(self.functions.T)] = self.drop
        return found

    def __str__(self) -> str:
        lines = [
            f"{self.layer}: {self.score:.4g}; less by, with one function at its mean over "
            f"{self.samples:,} samples"
        ]
        for (o, i, r, c), drop in zip(self.functions.tolist(), self.drop.tolist(), strict=True):
            place = f", row {r}, column {c}" if self.shape[2:] != (1, 1) else ""
            lines.append(f"  {drop:+.4g}  out {o}, in {i}{place}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class AblationCurve:
    """What a model is worth with more and more functions of a layer replaced by their means."""

    layer: str
    samples: int
    """Images (rows) of the batch that the means are taken over."""
    patches: int
    """Inputs of each function that they are taken over."""
    order: Int64
    """``(functions, 4)``: out, in, row, column, the first to be replaced first."""
    counts: Int64
    """``(k,)`` ascending from 0: how many were replaced."""
    scores: Float64
    """``(k,)``: what ``evaluate`` gave then."""

    def spared(self, tolerance: float) -> int:
        """Return the largest count up to which no score is lower than the first by more than this.

        Examples
        --------
        >>> curve = AblationCurve(
        ...     "0", 9, 9, np.zeros((9, 4)), np.array([0, 3, 6, 9]), np.array([1, 0.99, 0.7, 1])
        ... )
        >>> curve.spared(0.02)
        3
        """
        low = np.flatnonzero(np.asarray(self.scores) < self.scores[0] - tolerance)
        return int(self.counts[low[0] - 1 if len(low) else -1])


def ablate(
    model: nn.Module | Bound,
    layer: LayerFunctions | str,
    observed: Observed | None,
    evaluate: Evaluate,
    functions: int | Sequence[Sequence[int]] = 10,
) -> Ablation:
    """Measure what single functions are worth: one after another is replaced by its mean.

    The mean is that of φ(x) over the inputs observed, so that the output keeps its level and loses
    only what the function says of x. The model runs in evaluation mode and without gradients, and
    is the same, bit for bit, afterwards, whatever ``evaluate`` does. Call it in the thread that
    trains, or while nothing trains; the views of a binding do not see it.

    Parameters
    ----------
    model
        The model, or its binding.
    layer
        A layer of it, or its name.
    observed
        What ``live.observe(batch)[name]`` returned: what the means are taken over.
    evaluate
        Called with the model, returns how good it is: the accuracy on data held out. Called
        once for the model as it is, and once for each function.
    functions
        Which, as (out, in) or (out, in, row, column); or how many, those whose φ(x) has the
        largest spread.

    Returns
    -------
    Ablation
        The drop of each.

    Raises
    ------
    TypeError
        If nothing observed is given, or something else is of the wrong kind.
    ValueError
        If there is no such layer, its functions cannot be written, or ``evaluate`` returns
        something that is not finite.
    IndexError
        If there is no such function.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> linear = nn.Linear(2, 1, bias=False)
    >>> with torch.no_grad():
    ...     _ = linear.weight.copy_(torch.tensor([[1.0, 3.0]]))
    >>> x = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> error = lambda model: -float((model(x) - x @ torch.tensor([[1.0], [3.0]])).square().mean())
    >>> live = kw.bind(linear)
    >>> [(name, observed)] = live.observe(x).items()
    >>> ablate(linear, name, observed, error).drop
    array([4.5, 0.5])
    """
    subject = Replaceable(model, layer, observed)
    chosen = subject.chosen(functions)
    with subject.trying():
        score = subject.score(evaluate)
        left = []
        for place in progress(list(chosen), f"functions of {subject.name} replaced"):
            with subject.at_means(place[None]):
                left.append(subject.score(evaluate))
    found = subject.importance
    return Ablation(
        found.layer,
        found.samples,
        found.patches,
        chosen,
        found.mean[tuple(chosen.T)],
        score,
        score - np.array(left),
        subject.functions.shape,
    )


def ablation_curve(
    model: nn.Module | Bound,
    layer: LayerFunctions | str,
    observed: Observed | None,
    evaluate: Evaluate,
    counts: int | Sequence[int] = 10,
    order: NDArray[np.floating] | None = None,
) -> AblationCurve:
    """Measure what a model is worth with more and more functions of a layer at their means.

    See `ablate` for how, and under which conditions.

    Parameters
    ----------
    model, layer, observed, evaluate
        As for `ablate`.
    counts
        How many functions are to be replaced together: some numbers, ascending; or how many
        steps to take evenly to all of them.
    order
        ``(out, in, kh, kw)``, or as many numbers: the functions with the lowest are replaced
        first, NaN last. By default the spread of φ(x), so that those that hardly move go first;
        the drops of `ablate` are another choice.

    Returns
    -------
    AblationCurve
        The scores.

    Raises
    ------
    TypeError, ValueError
        As for `ablate`; or if ``counts`` or ``order`` do not fit.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> linear = nn.Linear(4, 1)
    >>> x = torch.randn(50, 4)
    >>> live = kw.bind(linear)
    >>> [(name, observed)] = live.observe(x).items()
    >>> curve = ablation_curve(live, name, observed, lambda model: float(model(x).std()), 2)
    >>> curve.counts, bool(curve.scores[-1] < 1e-6)
    (array([0, 2, 4]), True)
    """
    subject = Replaceable(model, layer, observed)
    total = subject.functions.n_functions
    key = np.asarray(subject.importance.spread if order is None else order, dtype=np.float64)
    if key.size != total:
        raise ValueError(
            f"order: expected {total:,} numbers, one for each function, got shape {key.shape}"
        )
    if isinstance(counts, int):
        if counts < 1:
            raise ValueError(f"counts: expected a whole number ≥ 1, got {counts}")
        steps = np.unique(np.rint(np.linspace(0, total, counts + 1)).astype(np.int64))
    else:
        steps = np.unique(np.asarray([0, *counts], dtype=np.int64))
        if steps[0] < 0 or steps[-1] > total or len(steps) < 2:
            raise ValueError(f"counts: expected numbers from 1 to {total:,}, got {list(counts)}")
    ranked = np.argsort(key.reshape(-1), kind="stable")  # NaN comes last
    places = np.stack(np.unravel_index(ranked, subject.functions.shape), axis=1)
    scores = []
    with subject.trying():
        for count in progress(steps.tolist(), f"functions of {subject.name} replaced, in steps"):
            with subject.at_means(places[:count]):
                scores.append(subject.score(evaluate))
    found = subject.importance
    return AblationCurve(found.layer, found.samples, found.patches, places, steps, np.array(scores))
