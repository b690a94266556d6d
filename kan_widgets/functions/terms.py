"""Base and scaled spline weights as the coefficients of one function, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from kan_widgets.nn.ungraded import ungraded

Part = tuple[slice, slice]
"""Some outputs and inputs of a layer."""
ALL: Part = (slice(None), slice(None))


@dataclass(frozen=True, eq=False)
class Terms:
    """Coefficients that are put together where they are asked for, some outputs and inputs each.

    Of a layer of 30 million functions that is a gigabyte which nobody may want.

    Parameters
    ----------
    shape
        Of all of them: ``(out, in[, kh, kw], nb)``.
    like
        A tensor of their type, where they lie.
    make
        ``make(part)`` returns those of some outputs and inputs, detached; of `ALL`, all.
    """

    shape: torch.Size
    like: Tensor
    make: Callable[[Part], Tensor]

    @ungraded
    def __getitem__(self, part: Part) -> Tensor:
        return self.make(part)


def terms_of(base: Tensor | None, splines: Tensor, scale: Tensor | None = None) -> Terms | Tensor:
    """Return what `join_terms` joins, to be joined where it is asked for.

    Parameters
    ----------
    base
        ``(out, in[, kh, kw])``, or ``None`` without a base term.
    splines
        ``(out, in[, kh, kw], nb)``.
    scale
        As ``base``: what multiplies the splines, or ``None``.

    Examples
    --------
    >>> found = terms_of(torch.ones(4, 3), torch.zeros(4, 3, 2))
    >>> found.shape, found[1:3, :1]
    (torch.Size([4, 3, 3]), tensor([[[1., 0., 0.]],
    <BLANKLINE>
            [[1., 0., 0.]]]))
    """
    own = [None if term is None else term.detach() for term in (base, splines, scale)]
    if base is None and scale is None:
        return splines.detach()

    def make(part: Part) -> Tensor:
        base, splines, scale = (None if term is None else term[part] for term in own)
        assert splines is not None
        base, scale = (None if one is None else one.unsqueeze(-1) for one in (base, scale))
        return join_terms(base, splines, scale)

    *shape, nb = splines.shape
    like = splines.new_empty(0, dtype=_dtype(splines, scale))
    return Terms(torch.Size([*shape, nb + (base is not None)]), like, make)


@ungraded
def join_terms(base: Tensor | None, splines: Tensor, scale: Tensor | None = None) -> Tensor:
    """Return base and scaled spline coefficients side by side, detached.

    Parameters
    ----------
    base
        ``(..., 1)``, or ``None`` without a base term.
    splines
        ``(..., nb)``.
    scale
        ``(..., 1)``, what multiplies the splines, or ``None``.
    """
    if base is None:
        return (splines if scale is None else splines * scale).detach()
    *shape, nb = splines.shape
    # Filled in place: a product and a concatenation would move everything twice.
    joined = splines.new_empty((*shape, nb + 1), dtype=_dtype(splines, scale))
    joined[..., :1] = base
    if scale is None:
        joined[..., 1:] = splines
    else:
        torch.mul(splines, scale, out=joined[..., 1:])
    return joined


def _dtype(splines: Tensor, scale: Tensor | None) -> torch.dtype:
    return splines.dtype if scale is None else torch.promote_types(splines.dtype, scale.dtype)
