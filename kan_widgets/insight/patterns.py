"""How well simple readings of a kernel, such as black and white, predict its response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.kernels import Kernel, Observed, check_observed, exact_beta
from kan_widgets.insight.linear import LinearKernels, fitted
from kan_widgets.insight.patches import Bounds, Extremes, extremes, squared_distances
from kan_widgets.insight.stacked import (
    Stack,
    about_mean,
    correlation,
    mean_slopes,
    responses,
    stack_of,
    stack_of_kernel,
)
from kan_widgets.insight.tables import Float64
from kan_widgets.insight.untrained import Untrained


@dataclass(frozen=True, eq=False)
class PatternCheck:
    """Readings of a kernel as templates, judged by their correlation with its response.

    A template t responds Σ_e t_e·x_e to a patch. Each number is Pearson's r between its response
    and the kernel's, over the observed patches: r² is the share of the response's variance that the
    template predicts, up to scale and offset. That it is high says how well a kernel can be read,
    not that it was learned: see ``untrained``. NaN where the kernel's response, or the template's,
    does not vary.
    """

    layer: str
    out: int
    contrast: Float64
    """``(in, kh, kw)``: φ(high) − φ(low), what `KernelGrid` shades in mode ``"pattern"``."""
    pattern: Float64
    """``(in, kh, kw)``: its sign, +1 (white) or −1 (black); +1 for 0, as in the picture."""
    low: Float64
    """``(in, kh, kw)``: the x that black stands for, the lower end of each function's grid."""
    high: Float64
    """``(in, kh, kw)``: the x that white stands for, the upper end."""
    binary: float
    """r of the ±1 pattern."""
    graded: float
    """r of the contrast, the pattern in its greys."""
    linear: float
    """r of the linear kernel, `linear_kernel`."""
    slopes: float
    """r of the mean slopes."""
    preferred: float
    """r of the preferred patch, counted from the middle of its bounds."""
    nearness: float
    """r of minus the distance to the preferred patch, in units of each entry's spread."""
    bounds: str
    """Those of the preferred patch, in words."""
    samples: int
    """Images (rows) in the observed batch."""
    patches: int
    """Observed patches the numbers rest on."""
    untrained: Float64 = field(repr=False)
    """r of the ±1 patterns of this layer's kernels in untrained networks; empty where none were
    given."""

    @property
    def p_untrained(self) -> float | None:
        """Chance of such an r of the ±1 pattern, or a larger one, in an untrained kernel."""
        if not len(self.untrained) or np.isnan(self.binary):
            return None
        return float((1 + (self.untrained >= self.binary).sum()) / (1 + len(self.untrained)))


def check_pattern(
    kernel: Kernel,
    observed: Observed,
    bounds: Bounds = "domain",
    *,
    untrained: Sequence[Untrained] = (),
) -> PatternCheck:
    """Judge black-and-white, linear and preferred-patch readings of a kernel.

    Parameters
    ----------
    kernel
        From `kernel_of`.
    observed
        Such as ``live.observe(batch)[name]``.
    bounds
        Of the preferred patch; see `preferred_patch`.
    untrained
        From ``untrained_networks(make, observe)``: their kernels are compared with their own
        patterns, over their own inputs.

    Raises
    ------
    TypeError
        If nothing observed is given.
    ValueError
        If it is of another layer or does not fit it, ``bounds`` are none, or an untrained network
        is another one.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> plain = torch.nn.Conv2d(1, 1, (1, 2), bias=False)
    >>> _ = plain.weight.data.copy_(torch.tensor([[[[2.0, -2.0]]]]))
    >>> [observed] = kw.bind(plain).observe(torch.rand(4, 1, 8, 8)).values()
    >>> found = check_pattern(kw.insight.kernel_of(kw.functions.read(plain)[0], 0), observed)
    >>> found.pattern, round(found.binary, 6)
    (array([[[ 1., -1.]]]), 1.0)
    """
    x = check_observed(kernel.functions, observed)
    beside = of_untrained(untrained, kernel.functions)
    stack = stack_of_kernel(kernel)
    made = responses(stack, x)
    preferred = extremes(stack, 1, bounds, x)
    fits = fitted(stack, made, mean_slopes(stack, x), x, observed)
    return checked(stack, made.y, x, fits, preferred, beside)[0]


def of_untrained(untrained: Sequence[Untrained], layer: LayerFunctions) -> Float64:
    """Return r of the ±1 patterns of a layer's kernels in untrained networks, where it is known."""
    found = [np.empty(0)]
    for functions, observed in (network.of(layer) for network in untrained):
        x = check_observed(functions, observed)
        stack = stack_of(functions)
        y = about_mean(responses(stack, x).y)
        found.append(correlation(stack.weighted(_signs(_contrast(stack)[0]), x), y))
    r = np.concatenate(found)
    return r[np.isfinite(r)]


def checked(
    stack: Stack,
    y: Float64,
    x: Float64,
    fits: LinearKernels,
    preferred: Extremes,
    untrained: Float64,
) -> list[PatternCheck]:
    """Judge the kernels of a stack, which respond ``y``, ``(kernels, n)``, to ``x``."""
    kernels = len(stack.outs)
    contrast, low, high = _contrast(stack)
    pattern = _signs(contrast)
    middle = (preferred.low + preferred.high) / 2
    readings = {
        "binary": pattern,
        "graded": contrast,
        "linear": fits.weights.reshape(kernels, -1),
        "slopes": fits.mean_slopes.reshape(kernels, -1),
        "preferred": preferred.x - middle,
    }
    y = about_mean(y)
    r = {name: correlation(stack.weighted(t, x), y) for name, t in readings.items()}
    distance = np.sqrt(squared_distances(stack, preferred, x))
    r["nearness"] = -correlation(distance, y)
    return [
        PatternCheck(
            layer=stack.name,
            out=int(out),
            contrast=stack.shaped(contrast[k]),
            pattern=stack.shaped(pattern[k]),
            low=stack.shaped(low[k]),
            high=stack.shaped(high[k]),
            **{name: float(values[k]) for name, values in r.items()},
            bounds=preferred.bounds,
            samples=fits.samples,
            patches=fits.patches,
            untrained=untrained,
        )
        for k, out in enumerate(stack.outs)
    ]


def _signs(contrast: Float64) -> Float64:
    return np.where(contrast < 0, -1.0, 1.0)


def _contrast(stack: Stack) -> tuple[Float64, Float64, Float64]:
    """Return φ(high) − φ(low) and the two ends, ``(kernels, entries)`` each."""
    found, low, high = (np.empty(stack.numbers.shape) for _ in range(3))
    for number in np.unique(stack.numbers):
        mine = stack.numbers == number
        basis = stack.functions.bases[number]
        low[mine], high[mine] = basis.domain
        ends = exact_beta(basis, np.array(basis.domain, dtype=np.float64), slopes=False)
        found[mine] = stack.coefficients[mine] @ (ends[1] - ends[0])
    return found, low, high
