"""Initial values of a layer's parameters, as the original implementations draw them."""

from __future__ import annotations

import torch
from torch import Tensor

from kan_widgets.nn.bspline import BSpline

#: Peak-to-peak noise that the first splines pass through, before dividing by ``grid_size``.
SCALE_NOISE = 0.1


@torch.no_grad()
def draw_uniform_(weight: Tensor, fan_in: int) -> None:
    """Fill ``weight`` from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), torch's own default."""
    bound = fan_in**-0.5 if fan_in > 0 else 0.0
    weight.uniform_(-bound, bound)


@torch.no_grad()
def draw_splines_(spline_weight: Tensor, basis: BSpline, scale_noise: float) -> None:
    """Fill ``spline_weight`` with splines through small noise at the ``grid_size + 1`` grid points.

    The noise is uniform in ``±scale_noise / 2 / grid_size``; of all coefficients that meet it the
    smallest in the least-squares sense are taken (there are ``spline_order - 1`` more of them than
    points).

    Parameters
    ----------
    spline_weight
        Shape ``(..., n_basis)``.
    basis
        The basis that the coefficients belong to.
    scale_noise
        Height of the noise band times ``grid_size``.
    """
    lo, hi = basis.grid_range
    points = torch.linspace(lo, hi, basis.grid_size + 1, dtype=torch.float64)
    points[-1] = hi
    fit = torch.linalg.pinv(basis.expand(points))  # (n_basis, grid_size + 1)
    shape = (*spline_weight.shape[:-1], basis.grid_size + 1)
    noise = torch.rand(shape, dtype=torch.float32, device=spline_weight.device) - 0.5
    noise = noise * (scale_noise / basis.grid_size)
    spline_weight.copy_(noise @ fit.to(noise).T)
