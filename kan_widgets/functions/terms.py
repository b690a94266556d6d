"""Base and scaled spline weights as the coefficients of one function, and back."""

from __future__ import annotations

import torch
from torch import Tensor


def join_terms(base: Tensor | None, splines: Tensor, scale: Tensor | None = None) -> Tensor:
    """Return base and scaled spline coefficients side by side, detached.

    Parameters
    ----------
    base
        ``(...)``, or ``None`` without a base term.
    splines
        ``(..., nb)``.
    scale
        ``(...)``, what multiplies the splines, or ``None``.
    """
    with torch.no_grad():
        if base is None:
            return (splines if scale is None else splines * scale.unsqueeze(-1)).detach()
        dtype = splines.dtype if scale is None else torch.promote_types(splines.dtype, scale.dtype)
        *shape, nb = splines.shape
        # Filled in place: a product and a concatenation would move everything twice.
        joined = splines.new_empty((*shape, nb + 1), dtype=dtype)
        joined[..., 0] = base
        if scale is None:
            joined[..., 1:] = splines
        else:
            torch.mul(splines, scale.unsqueeze(-1), out=joined[..., 1:])
        return joined


def set_term(parameter: Tensor, wanted: Tensor, scale: Tensor | None, what: str) -> None:
    """Set ``parameter`` (a view) so that ``scale·parameter`` is ``wanted``; the scale stays.

    Raises
    ------
    ValueError
        If the scale is 0 and something else than 0 is wanted.
    """
    with torch.no_grad():
        if scale is None:
            parameter.copy_(wanted)
        elif scale != 0:
            parameter.copy_(wanted / scale)
        elif bool((wanted != 0).any()):
            raise ValueError(f"{what} is 0, which holds this part of the function at 0")
