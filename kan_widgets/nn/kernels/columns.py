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

from kan_widgets.nn.bases.basis import Basis
from kan_widgets.nn.bases.chebyshev import Chebyshev
from kan_widgets.nn.bases.fourier import Fourier
from kan_widgets.nn.bases.rbf import RBF
from kan_widgets.nn.kernels import local
from kan_widgets.nn.kernels.loaded import Kernels
from kan_widgets.nn.kernels.recipe import COLUMNS
from kan_widgets.nn.tracing import watched

#: Those that ``columns.cpp`` knows, in its order. A class derived from one may change the functions.
_FAMILIES = (RBF, Chebyshev, Fourier)

#: The struct ``Job`` of ``columns.cpp``.
_JOB = struct.Struct("4q2d")


def kernels(x: Tensor, basis: Basis) -> Kernels | None:
    """Return the compiled kernels if they can and should make the columns of ``x``, else None."""
    if type(basis) not in _FAMILIES or not local.is_plain(x) or watched():
        return None
    return local.wanted(COLUMNS, x, basis)


def fill(lib: Kernels, x: Tensor, base: Tensor | None, basis: Basis, out: Tensor) -> Tensor:
    """Write the columns of ``x`` to ``out``.

    Parameters
    ----------
    lib
        The kernels.
    x, base
        Input and its base activation, contiguous; None stands for SiLU.
    basis
        The basis.
    out
        ``(x.numel(), n_basis + 1)``, contiguous.

    Returns
    -------
    Tensor
        ``out`` as ``(*x.shape, n_basis + 1)``.
    """
    lib.forward(_job(x, basis), x.data_ptr(), local.pointer(base), out.data_ptr())
    return out.view(*x.shape, out.shape[-1])


def gradient(
    lib: Kernels, x: Tensor, slope: Tensor | None, basis: Basis, grad_columns: Tensor
) -> Tensor:
    """Return the gradient of ``x``.

    Parameters
    ----------
    lib, x, basis
        As in :func:`fill`.
    slope
        The derivative of the base activation, contiguous; None stands for SiLU's.
    grad_columns
        The gradient of the columns, contiguous.
    """
    grad_x = torch.empty_like(x)
    lib.backward(
        _job(x, basis),
        x.data_ptr(),
        local.pointer(slope),
        grad_columns.data_ptr(),
        grad_x.data_ptr(),
    )
    return grad_x


def _job(x: Tensor, basis: Basis) -> bytes:
    family = _FAMILIES.index(cast(type[RBF], type(basis)))
    lo, hi = basis.domain
    shift, factor = (lo + hi) / 2, 1 / (hi - lo)
    if isinstance(basis, RBF):
        shift, factor = lo, 1 / basis.width
    elif isinstance(basis, Chebyshev):
        factor = basis.scale
    return _JOB.pack(family, basis.n_basis, x.numel(), torch.get_num_threads(), shift, factor)
