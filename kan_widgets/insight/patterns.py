"""Simple readings of a kernel, such as black and white, and how well they predict its response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.kernels import (
    Kernel,
    Observed,
    check_observed,
    exact_beta,
    kernel_of,
    phi_values,
)
from kan_widgets.insight.tables import Float64
from kan_widgets.insight.untrained import Untrained

# What varies less than this share of its size is constant: β may come as float32.
_FLAT = 2e-6


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
    """r of the linear kernel, whose weights are the slopes of the best line through each φ over
    the inputs seen."""
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
    *,
    untrained: Sequence[Untrained] = (),
) -> PatternCheck:
    """Judge black-and-white, grey and linear readings of a kernel.

    Parameters
    ----------
    kernel
        From `kernel_of`.
    observed
        Such as ``live.observe(batch)[name]``.
    untrained
        From ``untrained_networks(make, observe)``: their kernels are compared with their own
        patterns, over their own inputs.

    Raises
    ------
    TypeError
        If nothing observed is given.
    ValueError
        If it is of another layer or does not fit it, or an untrained network is another one.

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
    x = kernel.inputs(observed)
    beside = [r for network in untrained for r in _untrained(*network.of(kernel.functions))]
    terms = kernel.terms(x)
    centred, phi = _centred(x), _centred(terms)
    variance = (centred**2).mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        linear = np.where(variance > 0, (centred * phi).mean(axis=0) / variance, 0.0)
    low, high, contrast = _contrast(kernel)
    templates = {
        "binary": _signs(contrast),
        "graded": contrast,
        "linear": linear,
    }
    y = terms.sum(axis=1)
    return PatternCheck(
        layer=kernel.layer,
        out=kernel.out,
        contrast=contrast.reshape(kernel.shape),
        pattern=_signs(contrast).reshape(kernel.shape),
        low=low.reshape(kernel.shape),
        high=high.reshape(kernel.shape),
        **{name: _correlation(x @ template, y) for name, template in templates.items()},
        samples=int(observed.samples),
        patches=len(x),
        untrained=np.array(beside),
    )


def _untrained(layer: LayerFunctions, observed: Observed) -> list[float]:
    """Return r of the ±1 patterns of the kernels of an untrained layer, where it is known."""
    x = check_observed(layer, observed)
    y = np.zeros((layer.shape[0], len(x)))
    entries = layer.n_functions // len(y)
    for functions, values in phi_values(layer, observed):
        y[functions // entries] += values.T
    found = []
    for out, response in enumerate(y):
        kernel = kernel_of(layer, out)
        template = _signs(_contrast(kernel)[2])
        found.append(_correlation(x[:, kernel.columns] @ template, response))
    return [r for r in found if np.isfinite(r)]


def _contrast(kernel: Kernel) -> tuple[Float64, Float64, Float64]:
    """Return the two ends of each function's grid, and φ(high) − φ(low): ``(entries,)`` each."""
    bases = kernel.functions.bases
    ends = np.array([basis.domain for basis in bases], dtype=np.float64)
    beta = [exact_beta(*pair) for pair in zip(bases, ends, strict=True)]
    rise = np.stack([high - low for low, high in beta])[kernel.numbers]
    return *ends[kernel.numbers].T, (rise * kernel.coefficients).sum(axis=1)


def _signs(contrast: Float64) -> Float64:
    return np.where(contrast < 0, -1.0, 1.0)


def _centred(values: Float64) -> Float64:
    """Return columns about their means; one that is constant but for rounding becomes 0."""
    mean = values.mean(axis=0)
    centred: Float64 = values - mean
    centred[..., np.abs(centred).max(axis=0) <= _FLAT * np.abs(mean)] = 0.0
    return centred


def _correlation(one: Float64, other: Float64) -> float:
    """Return Pearson's r; NaN where one of the two does not vary."""
    one, other = _centred(one), _centred(other)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = one @ other / np.sqrt((one @ one) * (other @ other))
    return float(np.clip(r, -1.0, 1.0))
