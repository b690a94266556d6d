"""One expansion, one contraction: the computation that the layers share.

Every layer is ``contraction(columns(x), weight)``, where ``columns(x)`` holds the base activation
and the basis functions of every input value along a new last dimension, and the contraction is a
matrix product or a convolution. Written plainly (:func:`expand_plain`) the columns, ``n_basis + 1``
times the input, would be kept for the backward pass. :class:`_Expanded` keeps the input and the
two parts of the weight, the base's and the splines', alone: packed into one they would be a copy,
and their gradients two more. It has three ways, the same but for rounding:

- the local form for B-splines, :mod:`kan_widgets.nn.kernels.local`, where compiled kernels can be
  had and all numbers are finite;
- the dense form, a piece of the batch at a time, by torch's operations;
- the plain form where torch must see every operation: derivatives of derivatives, ``torch.func``,
  forward-mode and batched derivatives, ``torch.compile``, export.

Three things make the dense form fast without a compiler:

- the columns lie innermost (``channels_last`` for a convolution), so that each step is one pass
  over contiguous memory;
- each pass works in place, on a piece of the batch: on a CPU one that stays in the cache;
- the cubic spline's factor 1/6 is moved into the powers: ``(s y)^3`` with ``s^3 = 1/6``.

Other orders and other bases use :meth:`Basis.expand` piece by piece: as exact, less fast.
"""

from __future__ import annotations

import ctypes
import math
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from typing import Any, Protocol, TypeGuard, cast

import torch
from torch import Tensor, nn

from kan_widgets.nn.activation import NAMED, BaseActivation, applied, resolve_activation
from kan_widgets.nn.bases.basis import Basis
from kan_widgets.nn.bases.bspline import BSpline
from kan_widgets.nn.kernels import local
from kan_widgets.nn.kernels.local import Windows
from kan_widgets.nn.tracing import followed, watched

#: Numbers in one piece of the expanded batch, by the type of the device. A CPU's stays in its
#: cache. An accelerator has no use for that, and each operation is a launch: there a piece is as
#: large as is sure to fit. Cubic splines take five buffers of that size at a time, 1.3 GB of
#: float32, other functions up to twice that; a quarter of it where the memory is the system's too.
PIECES = {"cpu": 2**20, "mps": 2**24}
DEVICE_PIECE = 2**26

#: Of the input, its base activation where that is given, and the weight's two parts.
Needs = tuple[bool, bool, bool, bool]
Gradients = tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None]


class Contraction(Windows, Protocol):
    """What a layer does with the columns."""

    def padded(self, x: Tensor) -> Tensor:
        """Add the padding that the functions see as input too."""

    def cropped(self, grad: Tensor) -> Tensor:
        """Take the gradient of the padding away."""

    def matrix(self, weight: Tensor) -> Tensor:
        """Arrange the layer's weight, columns last, for the two methods that follow."""

    def __call__(self, columns: Tensor, matrix: Tensor) -> Tensor:
        """Contract ``columns`` (batch first, columns last) with the arranged weight."""

    def backward(
        self, grad: Tensor, columns: Tensor, matrix: Tensor, needs_columns: bool, needs_weight: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients of the columns and of the weight, the latter not arranged."""


def expand_and_contract(
    x: Tensor,
    base_weight: Tensor,
    spline_weight: Tensor,
    basis: Basis,
    activation: BaseActivation,
    contraction: Contraction,
) -> Tensor:
    """Compute ``contraction(columns(x), weight)``.

    Parameters
    ----------
    x
        Batch first, channels last.
    base_weight, spline_weight
        The layer's weight: the base's factors, and those of the basis functions, which come last.
    basis, activation
        What the columns are: the activation of ``x``, then every basis function.
    contraction
        The linear part.
    """
    # A basis with parameters of its own gets its gradient by plain operations.
    trained = isinstance(basis, nn.Module)
    if followed() or x.is_meta or trained:
        x = contraction.padded(x)
        columns = expand_plain(x, resolve_activation(activation)(x), basis)
        return contraction(columns, contraction.matrix(_packed(base_weight, spline_weight)))
    kind = _contraction_dtype(x, spline_weight)
    base: Tensor | None
    name: str | None
    if isinstance(activation, str):
        base, name = None, activation
    else:
        base, name = applied(activation, contraction.padded(x)), None
    given = x, base, base_weight, spline_weight, basis, name, contraction, kind
    return cast(Tensor, _Expanded.apply(*given))  # type: ignore[no-untyped-call]


def _packed(base_weight: Tensor, spline_weight: Tensor) -> Tensor:
    """Return the weight in one, the base's factors as the first column."""
    return torch.cat([base_weight.unsqueeze(-1), spline_weight], dim=-1)


def _full_precision(x: Tensor) -> AbstractContextManager[None]:
    """Switch autocast off; most often it is off already, and asking is the faster."""
    device = x.device.type
    off = not torch.is_autocast_enabled(device)
    return nullcontext() if off else torch.autocast(device, enabled=False)


def expand_plain(x: Tensor, base: Tensor, basis: Basis) -> Tensor:
    """Return ``[base, B_0(x), B_1(x), ...]`` along a new last dimension, differentiably."""
    return torch.cat([base.unsqueeze(-1), basis.expand(x)], dim=-1)


class _Expanded(torch.autograd.Function):
    """``contraction(columns(x), weight)`` that keeps ``x`` and the weight alone."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        base: Tensor | None,
        base_weight: Tensor,
        spline_weight: Tensor,
        basis: Basis,
        activation: str | None,
        contraction: Contraction,
        kind: torch.dtype,
    ) -> Tensor:
        ctx.save_for_backward(x, base, base_weight, spline_weight)
        ctx.rest = basis, activation, contraction, kind
        x = contraction.padded(x)
        lib = _kernels(x, base_weight, spline_weight, basis, kind)
        if lib is not None:
            weights = base_weight, spline_weight
            out = _forward_local(lib, x, base, *weights, basis, activation, contraction)
            if out is not None:
                return out
        with _full_precision(x):
            weights = base_weight.to(kind), spline_weight.to(kind)
            return _forward(x, base, *weights, basis, activation, contraction)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x, base, base_weight, spline_weight = ctx.saved_tensors
        basis, activation, contraction, kind = ctx.rest
        x = contraction.padded(x)
        needs = ctx.needs_input_grad[:4]
        # A backward pass that is itself recorded is wanted for a second derivative.
        plain = torch.is_grad_enabled() or followed() or _batched(grad)
        lib = None
        if not plain and local.is_plain(grad):
            lib = _kernels(x, base_weight, spline_weight, basis, kind)
        given = x, base, base_weight, spline_weight, grad, basis, activation, contraction, needs
        found = None if lib is None else _backward_local(lib, *given)
        if found is None:
            differentiate = _backward_plain if plain else _backward
            with _full_precision(x):
                found = differentiate(*given, kind)
        grad_x, *grads = found
        if grad_x is not None:
            grad_x = contraction.cropped(grad_x)
        return (grad_x, *grads, None, None, None, None)


def _kernels(
    x: Tensor, base_weight: Tensor, spline_weight: Tensor, basis: Basis, kind: torch.dtype
) -> ctypes.CDLL | None:
    """Return the compiled kernels if they can and should compute this call, else None."""
    # They know of no autocast: where it is on, the CPU's type is another. No mode sees them work.
    if kind != torch.float32 or watched():
        return None
    return local.kernels(x, base_weight, spline_weight, basis)


def _batched(grad: Tensor) -> bool:
    """Whether a gradient is many, of ``is_grads_batched`` or ``jacobian(vectorize=True)``."""
    return torch._C._functorch.is_legacy_batchedtensor(grad)


def _forward(
    x: Tensor,
    base: Tensor | None,
    base_weight: Tensor,
    spline_weight: Tensor,
    basis: Basis,
    activation: str | None,
    contraction: Contraction,
) -> Tensor:
    """Expand and contract a piece of the batch at a time."""
    out: Tensor | None = None
    matrix = contraction.matrix(_packed(base_weight, spline_weight))
    pieces = _pieces(x, basis)
    work = _workspace(x, pieces, basis, 2)
    for piece in pieces:
        part_base = None if base is None else base[piece]
        columns = _expand(x[piece], part_base, basis, activation, work)
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


def _backward(
    x: Tensor,
    base: Tensor | None,
    base_weight: Tensor,
    spline_weight: Tensor,
    grad: Tensor,
    basis: Basis,
    activation: str | None,
    contraction: Contraction,
    needs: Needs,
    kind: torch.dtype,
) -> Gradients:
    """Gradients of ``x``, ``base`` and the weight's two parts, a piece of the batch at a time."""
    needs_x, needs_base, *needs_weights = needs
    needs_columns, needs_weight = needs_x or needs_base, any(needs_weights)
    weight = _packed(base_weight, spline_weight)
    narrow = contraction.matrix(weight.to(kind))
    grad_x = torch.empty_like(x) if needs_x else None
    grad_base = torch.empty_like(x) if needs_base else None
    grad_weight = torch.zeros_like(weight) if needs_weight else None
    pieces = _pieces(x, basis)
    work = _workspace(x, pieces, basis, 4 if needs_x else 2)
    for piece in pieces:
        part, part_base = x[piece], None if base is None else base[piece]
        if needs_x:
            columns, slopes = _expand_with_slopes(part, part_base, basis, activation, work)
        else:
            columns = _expand(part, part_base, basis, activation, work)
        grad_columns, grad_part = contraction.backward(
            grad[piece], columns.to(kind), narrow, needs_columns, needs_weight
        )
        if grad_weight is not None and grad_part is not None:
            grad_weight += grad_part
        if grad_columns is None:
            continue
        if grad_base is not None:
            grad_base[piece] = grad_columns[..., 0]
        if grad_x is not None:
            flow = slopes.mul_(grad_columns.reshape(slopes.shape))
            ones = flow.new_ones(flow.shape[-1])
            grad_x[piece] = torch.mv(flow.view(-1, flow.shape[-1]), ones).view(part.shape)
    return grad_x, grad_base, *_parted(grad_weight)


def _parted(grad_weight: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients of the weight's two parts."""
    return (None, None) if grad_weight is None else (grad_weight[..., 0], grad_weight[..., 1:])


def _forward_local(
    lib: ctypes.CDLL,
    x: Tensor,
    base: Tensor | None,
    base_weight: Tensor,
    spline_weight: Tensor,
    basis: Basis,
    activation: str | None,
    contraction: Contraction,
) -> Tensor | None:
    """Compute the local form, or return None where a number is not finite."""
    x = _dense(x)
    # The kernels have a SiLU of their own.
    if activation is not None and activation != "silu":
        base = NAMED[activation][0](x)
    return local.forward(
        lib, x, base, base_weight, spline_weight, cast(local.Splines, basis), contraction
    )


def _backward_local(
    lib: ctypes.CDLL,
    x: Tensor,
    base: Tensor | None,
    base_weight: Tensor,
    spline_weight: Tensor,
    grad: Tensor,
    basis: Basis,
    activation: str | None,
    contraction: Contraction,
    needs: Needs,
) -> Gradients | None:
    """Compute its gradients, or return None where a number is not finite."""
    x = _dense(x)
    needs_x, needs_base, *needs_weights = needs
    slope = None
    if activation is not None and activation != "silu":
        base, slope = (function(x) for function in NAMED[activation])
    weights = base_weight, spline_weight
    wanted = needs_x or needs_base, any(needs_weights)
    splines = cast(local.Splines, basis)
    found = local.backward(lib, x, base, slope, *weights, grad, splines, contraction, *wanted)
    if found is None:
        return None
    grad_x, grad_base, grad_base_weight, grad_spline_weight = found
    if not needs_x:
        grad_x = None
    return grad_x, grad_base if needs_base else None, grad_base_weight, grad_spline_weight


def _dense(x: Tensor) -> Tensor:
    """Return ``x`` such that every number has a place of its own, without gaps."""
    return x if x.is_contiguous() or x.movedim(-1, 1).is_contiguous() else x.contiguous()


def _backward_plain(
    x: Tensor,
    base: Tensor | None,
    base_weight: Tensor,
    spline_weight: Tensor,
    grad: Tensor,
    basis: Basis,
    activation: str | None,
    contraction: Contraction,
    needs: Needs,
    kind: torch.dtype,
) -> Gradients:
    """Compute the same gradients by differentiable operations, for derivatives of derivatives."""
    weight = _packed(base_weight, spline_weight)
    value = base if activation is None else NAMED[activation][0](x)
    assert value is not None
    columns = expand_plain(x, value, basis).to(kind)
    grad_columns, grad_weight = contraction.backward(
        grad, columns, contraction.matrix(weight.to(kind)), any(needs[:2]), any(needs[2:])
    )
    grad_x = grad_base = None
    if grad_columns is not None:
        grad_columns = grad_columns.to(x.dtype)
        if needs[0]:
            grad_x = (grad_columns[..., 1:] * basis.derivative(x)).sum(-1)
            if activation is not None:
                grad_x = grad_x + grad_columns[..., 0] * NAMED[activation][1](x)
        if needs[1]:
            grad_base = grad_columns[..., 0]
    grad_weight = None if grad_weight is None else grad_weight.to(weight.dtype)
    return grad_x, grad_base, *_parted(grad_weight)


def _contraction_dtype(x: Tensor, weight: Tensor) -> torch.dtype:
    """Type of the linear part: autocast's where it is on, else the weight's."""
    device = x.device.type
    if torch.is_autocast_enabled(device) and x.dtype != torch.float64:
        return torch.get_autocast_dtype(device)
    if x.dtype != weight.dtype:
        raise RuntimeError(
            f"input and weight must have the same dtype, got input {x.dtype} and weight "
            f"{weight.dtype}; convert one, for instance model.to({x.dtype})"
        )
    return weight.dtype


def _pieces(x: Tensor, basis: Basis) -> list[slice]:
    """Cut the batch so that a piece, once expanded, is about as large as ``PIECES`` says."""
    n = len(x)
    each = (basis.n_basis + 1) * math.prod(x.shape[1:])
    count = max(1, min(n, round(n * each / PIECES.get(x.device.type, DEVICE_PIECE))))
    ends = [n * i // count for i in range(count + 1)]
    return [slice(a, b) for a, b in pairwise(ends)]


def _cubic(basis: Basis) -> TypeGuard[BSpline]:
    """Whether a basis is that of uniform cubic splines, of which the passes are written out."""
    return isinstance(basis, BSpline) and basis.spline_order == 3


def _widen(x: Tensor) -> Tensor:
    """Return ``x`` contiguous, in float32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32)).contiguous()


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


def _expand(
    x: Tensor, base: Tensor | None, basis: Basis, activation: str | None, work: Tensor
) -> Tensor:
    """Return the columns of ``x``, shape ``(*x.shape, n_basis + 1)``; needs two buffers."""
    x = _widen(x)
    value = base if activation is None else NAMED[activation][0](x)
    assert value is not None
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


def _expand_with_slopes(
    x: Tensor, base: Tensor | None, basis: Basis, activation: str | None, work: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the columns and their derivatives, the given base's as 0; needs four buffers."""
    x = _widen(x)
    value = base if activation is None else NAMED[activation][0](x)
    assert value is not None
    slope = NAMED[activation][1](x) if activation is not None else torch.zeros_like(x)
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


#: Cubic: (s y)^3 = y^3 / 3!
_S = 6 ** (-1 / 3)


def _distances(x: Tensor, basis: BSpline, out: Tensor) -> Tensor:
    """Write ``s * (x - centre_b) / step`` into column ``1 + b`` of ``out``; column 0 is free."""
    centres = torch.arange(-2, basis.n_basis - 1, dtype=x.dtype, device=x.device).mul_(_S)
    place = (x.reshape(-1, 1) - basis.grid_range[0]).mul_(_S / basis.step)
    return torch.sub(place, centres, out=out)
