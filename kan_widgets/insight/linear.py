"""The linear kernel that comes nearest to a kernel, and the share of the response it explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.frequency import FrequencyResponse, frequency_response
from kan_widgets.insight.kernels import Kernel, Observed, check_observed
from kan_widgets.insight.stacked import (
    Responses,
    Stack,
    about_mean,
    deviations,
    in_parts,
    inner,
    mean_slopes,
    responses,
    stack_of,
    stack_of_kernel,
)
from kan_widgets.insight.tables import Float64

# Directions in which patches spread less than this share of the widest one do not count.
_RANK = 1e-6


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

    @property
    def strongest(self) -> int:
        """The input channel with the largest weights, by the sum of their squares."""
        return int((self.weights**2).sum(axis=(1, 2)).argmax())

    def frequency(self, channel: int | None = None) -> FrequencyResponse:
        """Return the frequency response of one channel.

        By default of the strongest one; see `frequency_response`.
        """
        return frequency_response(self.weights[self.strongest if channel is None else channel])


@dataclass(frozen=True, eq=False)
class LinearKernels:
    """The linear kernels of a layer side by side; ``kernels[out]`` is one of them.

    The arrays of the shape ``(out, in, kh, kw)`` have one number per function and can colour or
    sort them.
    """

    layer: str
    weights: Float64
    """``(out, in, kh, kw)``, as the three below; see `LinearKernel`."""
    mean_slopes: Float64
    entry_share: Float64
    entry_spread: Float64
    offset: Float64
    """``(out,)``, as the three below."""
    share: Float64
    best_share: Float64
    spread: Float64
    samples: int
    patches: int
    outs: tuple[int, ...] = field(repr=False)

    @classmethod
    def joined(cls, parts: Sequence[LinearKernels]) -> LinearKernels:
        """Put some kernels of a layer after others."""
        per_entry = ("weights", "mean_slopes", "entry_share", "entry_spread")
        names = (*per_entry, "offset", "share", "best_share", "spread")
        return cls(
            layer=parts[0].layer,
            samples=parts[0].samples,
            patches=parts[0].patches,
            outs=tuple(out for part in parts for out in part.outs),
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names},
        )

    def __len__(self) -> int:
        return len(self.outs)

    def __getitem__(self, k: int) -> LinearKernel:
        """Return one kernel."""
        return LinearKernel(
            layer=self.layer,
            out=self.outs[k],
            weights=self.weights[k],
            offset=float(self.offset[k]),
            mean_slopes=self.mean_slopes[k],
            share=float(self.share[k]),
            best_share=float(self.best_share[k]),
            entry_share=self.entry_share[k],
            entry_spread=self.entry_spread[k],
            spread=float(self.spread[k]),
            samples=self.samples,
            patches=self.patches,
        )


def slopes_at(kernel: Kernel, patch: NDArray[np.floating]) -> Float64:
    """Return φ′ of every function at one patch: the kernel's linear part for small changes.

    Parameters
    ----------
    kernel
        From `kernel_of`.
    patch
        ``(in, kh, kw)``, or flat; for a linear layer the features.

    Returns
    -------
    ndarray
        ``(in, kh, kw)``.

    Raises
    ------
    ValueError
        If the patch does not have one number per entry.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> plain = torch.nn.Conv2d(1, 2, 3, bias=False)
    >>> kernel = kw.insight.kernel_of(kw.functions.read(plain)[0], 1)
    >>> bool(np.allclose(slopes_at(kernel, np.zeros((3, 3))), plain.weight[1].detach()))
    True
    """
    return kernel.slopes(np.asarray(patch, dtype=np.float64).reshape(1, -1)).reshape(kernel.shape)


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
    x = check_observed(kernel.functions, observed)
    stack = stack_of_kernel(kernel)
    return fitted(stack, responses(stack, x), mean_slopes(stack, x), x, observed)[0]


def linear_kernels(layer: LayerFunctions, observed: Observed) -> LinearKernels:
    """Fit the linear kernels of a whole layer; see `linear_kernel`.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> model = kw.nn.KANConv2d(2, 4, 3)
    >>> live = kw.bind(model)
    >>> [observed] = live.observe(torch.rand(4, 2, 8, 8)).values()
    >>> found = linear_kernels(live.read()[0], observed)
    >>> found.mean_slopes.shape, found.share.shape
    ((4, 2, 3, 3), (4,))
    """
    x = check_observed(layer, observed)
    whole = stack_of(layer)
    slopes = mean_slopes(whole, x)
    return LinearKernels.joined(
        [
            fitted(part, responses(part, x), slopes[some], x, observed)
            for some, part in in_parts(whole, len(x))
        ]
    )


def fitted(
    stack: Stack, made: Responses, slopes: Float64, x: Float64, observed: Observed
) -> LinearKernels:
    """Fit the kernels of a stack to what they make of ``x``, ``(n, columns)``."""
    variance = (deviations(x) ** 2)[stack.columns]
    mean = x.mean(axis=0)[stack.columns]
    y = about_mean(made.y)
    square = inner(y, y) / len(x)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = np.where(variance > 0, made.covariance / variance, 0.0)
        entry_share = np.clip(weights * made.covariance / made.variance, 0.0, 1.0)
        rest = y - about_mean(stack.weighted(weights, x))
        share = 1 - inner(rest, rest) / len(x) / square
        best = _best_share(stack, x, y) if len(y) else square
    return LinearKernels(
        layer=stack.name,
        weights=stack.shaped(weights),
        mean_slopes=stack.shaped(slopes),
        entry_share=stack.shaped(entry_share),
        entry_spread=stack.shaped(np.sqrt(made.variance)),
        offset=(made.mean - weights * mean).sum(axis=1),
        share=share,
        best_share=best,
        spread=np.sqrt(square),
        samples=observed.samples,
        patches=len(x),
        outs=tuple(map(int, stack.outs)),
    )


def _best_share(stack: Stack, x: Float64, y: Float64) -> Float64:
    """Return the adjusted R² of the regression of each response on its patches."""
    n = len(x)
    found = np.full(len(y), np.nan)
    for first in np.unique(stack.columns[:, 0]):
        mine = np.flatnonzero(stack.columns[:, 0] == first)
        columns = stack.columns[mine[0]]
        if len(columns) > 4 * n:  # far more unknowns than patches
            continue
        design = about_mean(x[:, columns].T).T
        design = design[:, design.any(axis=0)]
        design = design / design.std(axis=0)
        across, size, _ = np.linalg.svd(design, full_matrices=False)
        across = across[:, size > _RANK * size.max(initial=0.0)]
        p = across.shape[1]
        if n < p + 2:
            continue
        explained = ((y[mine] @ across) ** 2).sum(axis=1) / inner(y[mine], y[mine])
        found[mine] = 1 - (1 - np.minimum(explained, 1.0)) * (n - 1) / (n - p - 1)
    return found
