"""The dense form: all columns of a piece of the batch, then one contraction.

Three things make the dense form fast without a compiler:

- the columns lie innermost (``channels_last`` for a convolution), so that each step is one pass
  over contiguous memory;
- each pass works in place, on a piece of the batch: on a CPU one that stays in the cache;
- the cubic spline's factor 1/6 is moved into the powers: ``(s y)^3`` with ``s^3 = 1/6``.

Other orders and other bases use :meth:`Basis.expand` piece by piece: as exact, less fast.
"""

import math
from itertools import pairwise
from typing import TypeGuard

import torch
from torch import Tensor

from kan_widgets.nn.activation import ACTIVATIONS
from kan_widgets.nn.bases.basis import Basis
from kan_widgets.nn.bases.bspline import BSpline
from kan_widgets.nn.contraction import LayerCall

# Which gradients to compute: of ``x``, of a given ``base``, and of the weight's two parts.
Needs = tuple[bool, bool, bool, bool]
Gradients = tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None]

# Numbers in one piece of the expanded batch, by the type of the device. A CPU's piece stays in the
# cache. An accelerator gains nothing by that, and launches each operation: there a piece is as
# large as is sure to fit. Cubic splines take five buffers of a piece's size, 1.3 GB of float32,
# other functions up to twice as much; a quarter where the device shares the system's memory.
PIECES = {"cpu": 2**20, "mps": 2**24}
_DEVICE_PIECE = 2**26


def expand_plain(x: Tensor, base: Tensor, basis: Basis) -> Tensor:
    """Return ``[base, B_0(x), B_1(x), ...]`` along a new last dimension, differentiably."""
    return torch.cat([base.unsqueeze(-1), basis.expand(x)], dim=-1)


def packed_weight(base_weight: Tensor, spline_weight: Tensor) -> Tensor:
    """Return the weight as one tensor, the base's factors in the first column."""
    return torch.cat([base_weight.unsqueeze(-1), spline_weight], dim=-1)


def dense_forward(call: LayerCall) -> Tensor:
    """Expand and contract a piece of the batch at a time."""
    x, contraction = call.x, call.contraction
    base_weight, spline_weight = call.base_weight.to(call.kind), call.spline_weight.to(call.kind)
    if few(x, spline_weight):
        whole = slice(0, len(x))
        columns = _expand(call.part(whole), _workspace(x, [whole], call.basis, 2))
        columns = columns.to(spline_weight.dtype)
        # The base's column and the others apart: without a packed copy of the weight.
        base = contraction(columns[..., :1], contraction.matrix(base_weight.unsqueeze(-1)))
        return base + contraction(columns[..., 1:], contraction.matrix(spline_weight))
    pieces = _pieces(x, call.basis)
    out: Tensor | None = None
    matrix = contraction.matrix(packed_weight(base_weight, spline_weight))
    work = _workspace(x, pieces, call.basis, 2)
    for piece in pieces:
        columns = _expand(call.part(piece), work)
        part = contraction(columns.to(matrix.dtype), matrix)
        if len(pieces) == 1:
            return part
        if out is None:
            out = torch.empty_strided(
                (len(x), *part.shape[1:]), part.stride(), dtype=part.dtype, device=x.device
            )
        out[piece] = part
    assert out is not None
    return out


#: With a weight this large and no more rows than this, a dense layer takes the time of reading the
#: weight once: packing would copy it, and the compiled kernels read it once for each row.
MIN_WEIGHTS, MAX_ROWS = 2**20, 32


def few(x: Tensor, spline_weight: Tensor) -> bool:
    """Whether a dense layer has so few rows that reading its weight takes most of the time."""
    return x.dim() == 2 and len(x) <= MAX_ROWS and spline_weight.numel() >= MIN_WEIGHTS


def dense_backward(call: LayerCall, grad: Tensor, needs: Needs) -> Gradients:
    """Gradients of ``x``, ``base`` and the weight's two parts, a piece of the batch at a time."""
    x, contraction = call.x, call.contraction
    pieces = _pieces(x, call.basis)
    needs_x, needs_base, *needs_weights = needs
    needs_columns, needs_weight = needs_x or needs_base, any(needs_weights)
    weight = packed_weight(call.base_weight, call.spline_weight)
    narrow = contraction.matrix(weight.to(call.kind))
    grad_x = torch.empty_like(x) if needs_x else None
    grad_base = torch.empty_like(x) if needs_base else None
    grad_weight: Tensor | None = None
    work = _workspace(x, pieces, call.basis, 4 if needs_x else 2)
    for piece in pieces:
        part = call.part(piece)
        if needs_x:
            columns, slopes = _expand_with_slopes(part, work)
        else:
            columns = _expand(part, work)
        grad_columns, grad_part = contraction.backward(
            grad[piece], columns.to(call.kind), narrow, needs_columns, needs_weight
        )
        if grad_part is not None and grad_weight is not None:
            grad_weight += grad_part
        elif grad_part is not None:
            grad_weight = grad_part.to(weight.dtype)
        if grad_columns is None:
            continue
        if grad_base is not None:
            grad_base[piece] = grad_columns[..., 0]
        if grad_x is not None:
            flow = slopes.mul_(grad_columns.reshape(slopes.shape))
            ones = flow.new_ones(flow.shape[-1])
            grad_x[piece] = torch.mv(flow.view(-1, flow.shape[-1]), ones).view(part.x.shape)
    return grad_x, grad_base, *parted(grad_weight)


def parted(grad_weight: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients of the weight's two parts."""
    return (None, None) if grad_weight is None else (grad_weight[..., 0], grad_weight[..., 1:])


def _pieces(x: Tensor, basis: Basis) -> list[slice]:
    """Cut the batch so that a piece, once expanded, is about as large as ``PIECES`` says."""
    n = len(x)
    per_row = (basis.n_basis + 1) * math.prod(x.shape[1:])
    count = max(1, min(n, round(n * per_row / PIECES.get(x.device.type, _DEVICE_PIECE))))
    ends = [n * i // count for i in range(count + 1)]
    return [slice(a, b) for a, b in pairwise(ends)]


def _cubic(basis: Basis) -> TypeGuard[BSpline]:
    """Whether a basis is the uniform cubic splines, whose passes are written out here."""
    return isinstance(basis, BSpline) and basis.spline_order == 3


def _workspace(x: Tensor, pieces: list[slice], basis: Basis, buffers: int) -> Tensor:
    """Return ``buffers`` buffers for the columns of the largest piece, used again by every piece.

    Memory that was touched before needs no new pages from the system. Only cubic splines use it.
    """
    if not _cubic(basis):
        return torch.empty(0)
    largest = max(piece.stop - piece.start for piece in pieces)
    rows = largest * math.prod(x.shape[1:])
    dtype = torch.promote_types(x.dtype, torch.float32)
    return torch.empty((buffers, rows, basis.n_basis + 1), dtype=dtype, device=x.device)


def _expand(call: LayerCall, work: Tensor) -> Tensor:
    """Return the columns of a piece, ``(*x.shape, n_basis + 1)``; needs two buffers."""
    x, basis, value = call.x, call.basis, call.value
    if not _cubic(basis):
        return expand_plain(x, value.to(x.dtype), basis)
    outer, inner = work[0, : x.numel()], work[1, : x.numel()]
    _distances(x, basis, outer).abs_()
    torch.sub(torch.tensor(_S, dtype=x.dtype), outer, out=inner)
    torch.sub(torch.tensor(2 * _S, dtype=x.dtype), outer, out=outer)
    inner.clamp_min_(0).pow_(3)
    outer.clamp_min_(0).pow_(3).sub_(inner, alpha=4)
    outer[:, 0] = value.flatten()
    return outer.view(*x.shape, outer.shape[-1])


def _expand_with_slopes(call: LayerCall, work: Tensor) -> tuple[Tensor, Tensor]:
    """Return the columns and their derivatives, the given base's as 0; needs four buffers."""
    x, basis, value = call.x, call.basis, call.value
    slope = torch.zeros_like(x) if call.activation is None else ACTIVATIONS[call.activation][1](x)
    if not _cubic(basis):
        columns = expand_plain(x, value.to(x.dtype), basis)
        return columns, torch.cat([slope.unsqueeze(-1), basis.derivative(x)], dim=-1)
    offset, outer, inner, slopes = work[:, : x.numel()].unbind()
    _distances(x, basis, offset)
    torch.abs(offset, out=outer)
    torch.sub(torch.tensor(_S, dtype=x.dtype), outer, out=inner)
    torch.sub(torch.tensor(2 * _S, dtype=x.dtype), outer, out=outer)
    inner.clamp_min_(0).square_()
    outer.clamp_min_(0)
    # With a, b the outer and the inner power's base, q = a^2 - 4 b^2 is the slope but for its
    # sign and a factor, never negative, and a^3 - 4 b^3 = a q + 4 s b^2, as a - b = s where b > 0.
    torch.mul(outer, outer, out=slopes).sub_(inner, alpha=4)
    outer.mul_(slopes).add_(inner, alpha=4 * _S)
    slopes.copysign_(offset).mul_(-3 * _S / basis.step)
    outer[:, 0] = value.flatten()
    slopes[:, 0] = slope.flatten()
    shape = (*x.shape, outer.shape[-1])
    return outer.view(shape), slopes.view(shape)


# Cubic: (s y)^3 = y^3 / 3!
_S = 6 ** (-1 / 3)


def _distances(x: Tensor, basis: BSpline, out: Tensor) -> Tensor:
    """Write ``s * (x - centre_b) / step`` into column ``1 + b`` of ``out``; column 0 is free."""
    centres = torch.arange(-2, basis.n_basis - 1, dtype=x.dtype, device=x.device).mul_(_S)
    place = (x.reshape(-1, 1) - basis.grid_range[0]).mul_(_S / basis.step)
    return torch.sub(place, centres, out=out)
