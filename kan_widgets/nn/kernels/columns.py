"""The columns of RBF, Chebyshev and Fourier, by the compiled kernels of ``columns.cpp``.

Their functions are nowhere zero, so all columns are needed (:mod:`kan_widgets.nn.dense`), and torch
contracts them. What its operations would take ten passes and some copies for, the kernels do in
one: they fill the columns, and they sum up the gradient of the input without keeping any slopes.
"""

from __future__ import annotations

import struct
from typing import cast

import torch
from torch import Tensor

from kan_widgets.nn.activation import NAMED
from kan_widgets.nn.bases.basis import Basis
from kan_widgets.nn.bases.chebyshev import Chebyshev
from kan_widgets.nn.bases.fourier import Fourier
from kan_widgets.nn.bases.rbf import RBF
from kan_widgets.nn.kernels import local
from kan_widgets.nn.kernels.loaded import Kernels
from kan_widgets.nn.kernels.recipe import COLUMNS
from kan_widgets.nn.tracing import watched

#: Those that ``columns.cpp`` knows, in its order. A class derived from one may differ.
_FAMILIES = (RBF, Chebyshev, Fourier)

#: The struct ``Job`` of ``columns.cpp``.
_JOB = struct.Struct("6q2d")


def kernels(x: Tensor, basis: Basis) -> Kernels | None:
    """Return the compiled kernels if they can and should make the columns of ``x``, else None."""
    if type(basis) not in _FAMILIES or not local.is_plain(x) or watched():
        return None
    return local.wanted(COLUMNS, x.numel(), basis)


def fill(
    lib: Kernels,
    x: Tensor,
    base: Tensor | None,
    activation: str | None,
    basis: Basis,
    to_base: Tensor,
    to: Tensor,
) -> None:
    """Write the columns of ``x``.

    Parameters
    ----------
    lib
        The kernels.
    x, base, activation
        Input, and its base activation or the name of that.
    basis
        The basis.
    to_base
        For the base: ``(x.numel(),)``, any stride.
    to
        For the functions: ``(x.numel(), n_basis)``, those of one input side by side.
    """
    x = x.contiguous()
    if activation is not None:  # the kernels have a SiLU of their own
        base = None if activation == "silu" else NAMED[activation][0](x)
    if base is not None:
        base = base.contiguous()
    job = _job(x, basis, to_base, to)
    lib.forward(job, x.data_ptr(), local.pointer(base), to_base.data_ptr(), to.data_ptr())


def gradient(
    lib: Kernels,
    x: Tensor,
    activation: str | None,
    basis: Basis,
    grad_base: Tensor,
    grad: Tensor,
) -> Tensor:
    """Return the gradient of ``x``, without the share of a base that is given.

    Parameters
    ----------
    lib, x, activation, basis
        As in :func:`fill`.
    grad_base, grad
        The gradients of the columns, which lie as those do in :func:`fill`.
    """
    x = x.contiguous()
    slope = None
    if activation is None:
        slope = torch.zeros_like(x)
    elif activation != "silu":
        slope = NAMED[activation][1](x).contiguous()
    grad_x = torch.empty_like(x)
    lib.backward(
        _job(x, basis, grad_base, grad),
        x.data_ptr(),
        local.pointer(slope),
        grad_base.data_ptr(),
        grad.data_ptr(),
        grad_x.data_ptr(),
    )
    return grad_x


def _job(x: Tensor, basis: Basis, base: Tensor, functions: Tensor) -> bytes:
    lo, hi = basis.domain
    shift, factor = (lo + hi) / 2, 1 / (hi - lo)
    if isinstance(basis, RBF):
        shift, factor = lo, 1 / basis.width
    elif isinstance(basis, Chebyshev):
        factor = basis.scale
    return _JOB.pack(
        _FAMILIES.index(cast(type[RBF], type(basis))),
        basis.n_basis,
        x.numel(),
        base.stride(0),
        functions.stride(0),
        torch.get_num_threads(),
        shift,
        factor,
    )
