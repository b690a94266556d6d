"""Simple readings of a kernel, such as black and white, and how well they predict its response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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

# Directions in which patches spread less than this share of the widest one do not count.
_RANK = 1e-6
# What varies less than this share of its size is constant: β may come as float32.
_FLAT = 2e-6


@dataclass(frozen=True, eq=False)
class LinearKernel:
    """The best affine fit of every function of a kernel: y ≈ Σ_e weights_e·x_e + offset.

    Least squares of each φ_e by itself over the observed inputs of its entry: weights_e =
    cov(x_e, φ_e)/var(x_e). Each weight describes its own function. Where entries go together,
    weights fitted to the response as a whole may predict it better; ``best_share`` says how much.
    """

    layer: str
    out: int
    weights: Float64
    """``(in, kh, kw)``; 0 for an entry that never varies."""
    offset: float
    """What is added to the sum; a bias of the layer is not in it."""
    mean_slopes: Float64
    """``(in, kh, kw)``: the mean of φ′ over the observed inputs."""
    share: float
    """1 − var(y − fit)/var(y): the share of the variance of the response that the fit explains.
    1 if the kernel is linear, below 0 if the fit is worse than a constant, NaN where the
    response does not vary."""
    best_share: float
    """The share that the best weights for the response as a whole explain, adjusted for their
    number p: 1 − (1 − R²)(n − 1)/(n − p − 1). NaN where there are fewer than p + 2 patches."""
    entry_share: Float64
    """``(in, kh, kw)``: R² of the fit of each φ, 0 to 1; NaN where φ(x) does not vary."""
    entry_spread: Float64
    """``(in, kh, kw)``: the standard deviation of each φ(x)."""
    spread: float
    """The standard deviation of the response."""
    samples: int
    """Images (rows) in the observed batch."""
    patches: int
    """Observed patches the numbers rest on."""

    def response(self, x: NDArray[np.floating]) -> Float64:
        """Return Σ weights·x + offset, ``(n,)``, of patches ``(n, entries)``."""
        y: Float64 = np.asarray(x, dtype=np.float64) @ self.weights.ravel() + self.offset
        return y


def linear_kernel(kernel: Kernel, observed: Observed) -> LinearKernel:
    """Fit the linear kernel nearest to one kernel over the observed inputs.

    Parameters
    ----------
    kernel
        From `kernel_of`.
    observed
        Such as ``live.observe(batch)[name]``.

    Raises
    ------
    TypeError
        If nothing observed is given.
    ValueError
        If it is of another layer or does not fit it.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> plain = torch.nn.Conv2d(1, 2, 3)
    >>> [observed] = kw.bind(plain).observe(torch.rand(4, 1, 8, 8)).values()
    >>> found = linear_kernel(kw.insight.kernel_of(kw.functions.read(plain)[0], 0), observed)
    >>> round(found.share, 6), found.patches  # an ordinary kernel is linear
    (1.0, 144)
    """
    x = kernel.inputs(observed)
    return _linear(kernel, x, kernel.terms(x), int(observed.samples))


def _linear(kernel: Kernel, x: Float64, terms: Float64, samples: int) -> LinearKernel:
    """Fit a kernel to its terms at ``x``, both ``(n, entries)``."""
    centred, phi, y = _centred(x), _centred(terms), _centred(terms.sum(axis=1))
    variance, square = (centred**2).mean(axis=0), float((y**2).mean())
    moved = (phi**2).mean(axis=0)
    covariance = (centred * phi).mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = np.where(variance > 0, covariance / variance, 0.0)
        entry_share = np.clip(weights * covariance / moved, 0.0, 1.0)
        rest = y - _centred(x @ weights)
        share = 1 - (rest**2).mean() / np.float64(square)
    return LinearKernel(
        layer=kernel.layer,
        out=kernel.out,
        weights=weights.reshape(kernel.shape),
        offset=float((terms.mean(axis=0) - weights * x.mean(axis=0)).sum()),
        mean_slopes=kernel.slopes(x).mean(axis=0).reshape(kernel.shape),
        share=float(share),
        best_share=_best_share(centred, y),
        entry_share=entry_share.reshape(kernel.shape),
        entry_spread=np.sqrt(moved).reshape(kernel.shape),
        spread=float(np.sqrt(square)),
        samples=samples,
        patches=len(x),
    )


def _best_share(x: Float64, y: Float64) -> float:
    """Return the adjusted R² of the regression of a response on its patches, all about means."""
    n = len(x)
    design = x[:, x.any(axis=0)]
    if design.shape[1] > 4 * n or not y.any():  # far more unknowns than patches
        return np.nan
    across, size, _ = np.linalg.svd(design / design.std(axis=0), full_matrices=False)
    across = across[:, size > _RANK * size.max(initial=0.0)]
    p = int(across.shape[1])
    if n < p + 2:
        return np.nan
    explained: float = min(1.0, float(((y @ across) ** 2).sum() / (y**2).sum()))
    return 1 - (1 - explained) * (n - 1) / (n - p - 1)


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
    linear = _linear(kernel, x, terms, int(observed.samples))
    low, high, contrast = _contrast(kernel)
    templates = {
        "binary": _signs(contrast),
        "graded": contrast,
        "linear": linear.weights.ravel(),
        "slopes": linear.mean_slopes.ravel(),
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
    beta = [exact_beta(*pair, slopes=False) for pair in zip(bases, ends, strict=True)]
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
