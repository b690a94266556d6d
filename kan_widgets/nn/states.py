"""A layer's knots in its state dict; of waves, the frequencies take their place."""

from __future__ import annotations

import torch
from torch import Tensor

from kan_widgets.nn.bases.basis import Basis
from kan_widgets.nn.bases.bspline import BSpline
from kan_widgets.nn.bases.fourier import Fourier
from kan_widgets.nn.bases.knot_spline import KnotSpline, spline_on


def knots_for_state(basis: Basis, like: Tensor) -> Tensor | None:
    """Return a basis's knots beside a weight: in its type, float32 at least; None without knots."""
    if not isinstance(basis, (BSpline, KnotSpline, Fourier)):
        return None
    numbers = basis.frequency_of_each if isinstance(basis, Fourier) else basis.knots
    dtype = torch.promote_types(like.dtype, torch.float32)
    return torch.tensor(numbers, dtype=dtype, device=like.device)


def basis_of_state(own: Basis, knots: Tensor) -> Basis:
    """Return a layer's own basis, with the knots of a state.

    Raises
    ------
    ValueError
        If they do not fit.
    """
    waves = own.frequency_of_each if isinstance(own, Fourier) else ()
    if len(knots) == len(waves) and (knots.is_meta or tuple(knots.tolist()) == waves):
        return own
    if not isinstance(own, (BSpline, KnotSpline)):
        raise ValueError(f"the state is of B-splines, but this layer's basis is {own!r}")
    order = own.spline_order
    if len(knots) != len(own.knots):
        raise ValueError(
            f"the state has {len(knots)} knots, a grid of {len(knots) - 2 * order - 1} "
            f"intervals at spline_order {order}; this layer has {len(own.knots)}, a grid of "
            f"{own.grid_size}. Build it with the same grid_size and spline_order, or call "
            "refine first"
        )
    if knots.is_meta:
        return own
    # The layer's own are kept if they are the same but for the rounding of the state.
    if torch.equal(knots.cpu(), torch.tensor(own.knots, dtype=torch.float64).to(knots.dtype)):
        return own
    return spline_on(knots.tolist(), order, torch.promote_types(knots.dtype, torch.float32))
