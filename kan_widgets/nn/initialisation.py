"""Initial values of a layer's parameters, as the original implementations draw them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kan_widgets.nn.bases.basis import Basis
from kan_widgets.nn.bases.bspline import BSpline
from kan_widgets.nn.bases.knot_spline import KnotSpline
from kan_widgets.nn.ungraded import ungraded

#: Peak-to-peak noise that the first splines pass through, before dividing by ``grid_size``.
SCALE_NOISE = 0.1


@ungraded
def draw_uniform_(weight: Tensor, fan_in: int) -> None:
    """Fill ``weight`` from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), torch's own default."""
    bound = fan_in**-0.5 if fan_in > 0 else 0.0
    weight.uniform_(-bound, bound)


@ungraded
def draw_splines_(spline_weight: Tensor, basis: Basis, scale_noise: float) -> None:
    """Fill ``spline_weight`` so that Σ_b spline_weight[b]·β_b is small noise.

    B-splines pass through noise at the ``grid_size + 1`` grid points, uniform in ``±scale_noise /
    2 / grid_size``; of all coefficients that meet it the smallest in the least-squares sense are
    taken (there are ``spline_order - 1`` more of them than points). Of any other basis all
    coefficients are drawn from one uniform distribution, so wide that the root mean square of
    the sum over the basis's domain is that of such noise with ``n_basis - 1`` intervals.

    Parameters
    ----------
    spline_weight
        Shape ``(..., n_basis)``.
    basis
        The basis that the coefficients belong to.
    scale_noise
        Height of the noise band times ``grid_size``.
    """
    if isinstance(basis, (BSpline, KnotSpline)):
        points = _grid_points(basis)
        fit = torch.linalg.pinv(basis.expand(points))  # (n_basis, grid_size + 1)
        shape = (*spline_weight.shape[:-1], basis.grid_size + 1)
        noise = torch.rand(shape, dtype=torch.float32, device=spline_weight.device) - 0.5
        noise = noise * (scale_noise / basis.grid_size)
        spline_weight.copy_(noise @ fit.to(noise).T)
        return
    like = next(basis.parameters(), None) if isinstance(basis, nn.Module) else None
    low, high = basis.domain
    x = torch.linspace(low, high, 257, device=None if like is None else like.device)
    power = basis.expand(x).square().sum(-1).mean().item()
    bound = scale_noise / 2 / max(basis.n_basis - 1, 1) / max(power, 1e-12) ** 0.5
    spline_weight.uniform_(-bound, bound)


def _grid_points(basis: BSpline | KnotSpline) -> Tensor:
    if isinstance(basis, KnotSpline):
        order = basis.spline_order
        return torch.tensor(basis.knots[order : order + basis.grid_size + 1], dtype=torch.float64)
    lo, hi = basis.grid_range
    points = torch.linspace(lo, hi, basis.grid_size + 1, dtype=torch.float64)
    points[-1] = hi
    return points
