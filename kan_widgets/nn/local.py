"""The local form: only the splines that are not zero, by the compiled kernels of ``local.cpp``.

The dense form (:mod:`kan_widgets.nn.expansion`) multiplies all columns of every value, of which
all but ``spline_order + 2`` are zero. Here they are never made: time and memory are nearly the
same at every grid size, and less than those of the dense form's convolution alone.
"""

from __future__ import annotations

import ctypes
import struct
from dataclasses import dataclass
from typing import Union

import torch
from torch import Tensor

from kan_widgets.nn import native
from kan_widgets.nn.basis import Basis
from kan_widgets.nn.bspline import BSpline
from kan_widgets.nn.knot_spline import KnotSpline

#: Least number of columns in the dense form, for a call to be worth the compiler.
LARGE = 2**16

Splines = Union[BSpline, KnotSpline]  # noqa: UP007  (evaluated on Python 3.10)

#: The struct ``Problem`` of ``local.cpp``: sizes and strides, then two numbers of the grid.
_PROBLEM = struct.Struct("32q2d")


@dataclass(frozen=True)
class Geometry:
    """How a contraction goes through images: as ``conv2d`` does, without padding."""

    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    #: Whether the output lies in memory channel by channel.
    planar: bool = False


def kernels(
    x: Tensor, base_weight: Tensor, spline_weight: Tensor, basis: Basis
) -> ctypes.CDLL | None:
    """Return the compiled kernels if they can and should compute this call, else None.

    Parameters
    ----------
    x
        Any shape.
    base_weight, spline_weight
        The two parts of the weight.
    basis
        The basis of the layer.
    """
    if not (
        isinstance(basis, (BSpline, KnotSpline))
        and basis.spline_order > 0
        and _plain(x)
        and _plain(base_weight)
        and _plain(spline_weight)
        and native.wanted()
    ):
        return None
    if x.numel() * (basis.n_basis + 1) < LARGE:
        native.prepare(basis.spline_order)
        return None
    return native.library(basis.spline_order)


def _plain(tensor: Tensor) -> bool:
    """Whether it is in float32, with memory of its own on the CPU."""
    return (
        type(tensor) in (Tensor, torch.nn.Parameter)
        and tensor.dtype == torch.float32
        and tensor.is_cpu
        and tensor.layout == torch.strided
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    )


def forward(
    lib: ctypes.CDLL,
    x: Tensor,
    base: Tensor | None,
    base_weight: Tensor,
    spline_weight: Tensor,
    basis: Splines,
    geometry: Geometry,
) -> Tensor:
    """Return the output, ``(n, out height, out width, out channels)``.

    Parameters
    ----------
    lib
        The kernels.
    x, base
        Input and its base activation, ``(n, height, width, channels)``; None stands for SiLU.
    base_weight, spline_weight
        ``(out, channels // groups, kh, kw, 1)`` and ``(out, channels // groups, kh, kw, n_basis)``.
    basis, geometry
        The basis and the rest of the layer.
    """
    n, out = x.shape[0], len(spline_weight)
    height, width = (
        (size - d * (k - 1) - 1) // s + 1
        for size, k, s, d in zip(
            x.shape[1:3], spline_weight.shape[2:4], geometry.stride, geometry.dilation, strict=True
        )
    )
    if geometry.planar:
        y = x.new_empty((n, out, height, width)).permute(0, 2, 3, 1)
    else:
        y = x.new_empty((n, height, width, out))
    problem = _problem(x, base, None, spline_weight, y, basis, geometry)
    weights = base_weight.contiguous(), spline_weight.contiguous()
    lib.kan_forward(problem, _knots(basis), *map(_pointer, (x, base, *weights, y)))
    return y


def backward(
    lib: ctypes.CDLL,
    x: Tensor,
    base: Tensor | None,
    slope: Tensor | None,
    base_weight: Tensor,
    spline_weight: Tensor,
    grad: Tensor,
    basis: Splines,
    geometry: Geometry,
    needs_x: bool,
    needs_weight: bool,
) -> tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None]:
    """Return the gradients of ``x``, ``base``, ``base_weight`` and ``spline_weight``.

    Parameters
    ----------
    lib, x, base, base_weight, spline_weight, basis, geometry
        As in :func:`forward`.
    slope
        Derivative of the base activation: its share is in the gradient of ``x``, and there is none
        of ``base``. Without it they are apart, but for SiLU computed here.
    grad
        Gradient of the output.
    needs_x, needs_weight
        Which gradients are wanted; ``x`` stands for ``base`` too.
    """
    weights = base_weight.contiguous(), spline_weight.contiguous()
    grad_x = torch.empty_strided(x.shape, x.stride()) if needs_x else None
    apart = needs_x and slope is None and base is not None
    grad_base = torch.empty_strided(x.shape, x.stride()) if apart else None
    grad_weights = [torch.empty_like(weight) if needs_weight else None for weight in weights]
    problem = _problem(x, base, slope, spline_weight, grad, basis, geometry)
    tensors = (x, base, slope, *weights, grad, grad_x, grad_base, *grad_weights)
    lib.kan_backward(problem, _knots(basis), *map(_pointer, tensors))
    return grad_x, grad_base, grad_weights[0], grad_weights[1]


def _problem(
    x: Tensor,
    base: Tensor | None,
    slope: Tensor | None,
    spline_weight: Tensor,
    y: Tensor,
    basis: Splines,
    geometry: Geometry,
) -> bytes:
    even = isinstance(basis, BSpline)
    lo, hi = basis.grid_range
    like = x.stride()
    return _PROBLEM.pack(
        *x.shape,
        len(spline_weight),
        geometry.groups,
        *spline_weight.shape[2:4],
        *geometry.stride,
        *geometry.dilation,
        *y.shape[1:3],
        *like,
        *(like if base is None else base.stride()),
        *(like if slope is None else slope.stride()),
        *y.stride(),
        basis.n_basis,
        torch.get_num_threads(),
        lo,
        1 / (hi - lo) * basis.grid_size if even else 0.0,
    )


def _knots(basis: Splines) -> ctypes.Array[ctypes.c_double] | None:
    """Return the knots if they are uneven."""
    if isinstance(basis, BSpline):
        return None
    return (ctypes.c_double * len(basis.knots))(*basis.knots)


def _pointer(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()
