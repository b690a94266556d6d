"""Dense layers by compiled columns: the base and the functions are multiplied apart.

So no weight is packed, and no weight's gradient is cut out of a larger one; with few rows that
would take longer than the products.
"""

from __future__ import annotations

import torch
from torch import Tensor

from kan_widgets.nn.bases.basis import Basis
from kan_widgets.nn.kernels import columns
from kan_widgets.nn.kernels.loaded import Kernels

#: Of the input, its base activation where that is given, and the weight's two parts.
Needs = tuple[bool, bool, bool, bool]
Gradients = tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None]


def forward(
    lib: Kernels,
    pieces: list[slice],
    x: Tensor,
    base: Tensor | None,
    base_weight: Tensor,
    spline_weight: Tensor,
    basis: Basis,
    activation: str | None,
) -> Tensor:
    """Return the output, given the kernels, how to cut the batch, and what `dense.forward` is."""
    out = x.new_empty((len(x), len(base_weight)))
    to_base, to = _buffers(x, pieces, basis)
    for piece in pieces:
        part, n = out[piece], piece.stop - piece.start
        part_base = None if base is None else base[piece]
        _fill(lib, x[piece], part_base, basis, activation, to_base[:n], to[:n])
        torch.mm(to_base[:n], base_weight.T, out=part)
        part.addmm_(to[:n].flatten(1), spline_weight.flatten(1).T)
    return out


def backward(
    lib: Kernels,
    pieces: list[slice],
    x: Tensor,
    base: Tensor | None,
    base_weight: Tensor,
    spline_weight: Tensor,
    grad: Tensor,
    basis: Basis,
    activation: str | None,
    needs: Needs,
) -> Gradients:
    """Return the gradients of ``x``, ``base`` and the weight's two parts."""
    needs_x, needs_base, *needs_weights = needs
    grad_x = torch.empty_like(x) if needs_x else None
    grad_base = torch.empty_like(x) if needs_base else None
    # The first piece is written, the others are added to it.
    grad_weights = [x.new_empty(w.shape) for w in (base_weight, spline_weight)]
    to_base, to = _buffers(x, pieces, basis)
    for beta, piece in enumerate(pieces):
        flow, n = grad[piece], piece.stop - piece.start
        part_base = None if base is None else base[piece]
        if any(needs_weights):
            _fill(lib, x[piece], part_base, basis, activation, to_base[:n], to[:n])
            for sums, part in zip(grad_weights, (to_base, to), strict=True):
                sums.flatten(1).addmm_(flow.T, part[:n].flatten(1), beta=min(beta, 1))
        if not (needs_x or needs_base):
            continue
        torch.mm(flow, base_weight, out=to_base[:n])
        if grad_base is not None:
            grad_base[piece] = to_base[:n]
        if grad_x is not None:
            torch.mm(flow, spline_weight.flatten(1), out=to[:n].flatten(1))
            grad_x[piece] = columns.gradient(
                lib, x[piece], activation, basis, to_base[:n].flatten(), to[:n].flatten(0, 1)
            )
    return grad_x, grad_base, *(grad_weights if any(needs_weights) else (None, None))


def _buffers(x: Tensor, pieces: list[slice], basis: Basis) -> tuple[Tensor, Tensor]:
    """Return memory for the columns of the largest piece: the base's, and the functions'."""
    shape = max(piece.stop - piece.start for piece in pieces), x.shape[1]
    return x.new_empty(shape), x.new_empty((*shape, basis.n_basis))


def _fill(
    lib: Kernels,
    x: Tensor,
    base: Tensor | None,
    basis: Basis,
    activation: str | None,
    to_base: Tensor,
    to: Tensor,
) -> None:
    columns.fill(lib, x, base, activation, basis, to_base.flatten(), to.flatten(0, 1))
