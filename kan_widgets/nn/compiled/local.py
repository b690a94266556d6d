"""The local form: only the splines that are not zero, by the compiled kernels of ``local.cpp``.

The dense form (:mod:`kan_widgets.nn.dense`) multiplies all columns of every value, of which
all but ``spline_order + 2`` are zero. Here these are never made: time and memory are nearly the
same at every grid size, and less than those of the dense form's convolution alone.

The functions of RBF, Chebyshev and Fourier are nowhere zero, and all are multiplied; but their
columns are not stored either: those needed at a time stay in the cache.

In the dense form zero times a NaN or infinite coefficient is NaN; left out, it would not be. So the
compiled kernels check every number that they are given, and decline if one is not finite: the
dense form computes that call.
"""

import ctypes
import math
import struct

import torch
from torch import Tensor

from kan_widgets.nn.bases.basis import Basis
from kan_widgets.nn.bases.bspline import Spline
from kan_widgets.nn.bases.chebyshev import Chebyshev
from kan_widgets.nn.bases.fourier import Fourier
from kan_widgets.nn.bases.knot_spline import KnotSpline
from kan_widgets.nn.bases.rbf import RBF
from kan_widgets.nn.compiled import native
from kan_widgets.nn.compiled.bundled import Kernels
from kan_widgets.nn.compiled.compile_options import OTHER_BASES
from kan_widgets.nn.contraction import LayerCall

# A call with fewer columns in the dense form is not worth waiting for the compiler.
MIN_COLUMNS = 2**16

# Bases other than splines, in the order of ``local.cpp``. A class derived from one may differ.
_FAMILIES = (RBF, Chebyshev, Fourier)

# The status of a call with a number that is not finite; others are 0, or bytes that are lacking.
_NOT_FINITE = -1

# The struct ``Problem`` of ``local.cpp``: sizes and strides, then two numbers of the grid.
_PROBLEM = struct.Struct("37q2d")


def kernels_for(call: LayerCall) -> Kernels | None:
    """Return the compiled kernels if they can and should compute this call, else None."""
    basis = call.basis
    if isinstance(basis, Spline):
        order = basis.spline_order
        computable = order > 0
    else:
        order = OTHER_BASES
        computable = type(basis) in _FAMILIES
    if not (computable and all(map(is_plain, (call.x, call.base_weight, call.spline_weight)))):
        return None
    if not native.wanted():
        return None
    inputs = math.prod(call.contraction.sizes(call.x, call.spline_weight)[:4])
    return None if inputs * (basis.n_basis + 1) < MIN_COLUMNS else native.library(order)


def is_plain(tensor: Tensor) -> bool:
    """Whether a tensor is in float32, with its own memory on the CPU."""
    return (
        type(tensor) in _TENSOR_TYPES
        and tensor.dtype == torch.float32
        and tensor.is_cpu
        and tensor.layout == torch.strided
        and not tensor.is_neg()
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    )


_TENSOR_TYPES = (Tensor, torch.nn.Parameter)


def forward(lib: Kernels, call: LayerCall) -> Tensor | None:
    """Return the layer's output, or None if a number is not finite.

    ``x`` and its base activation have one layout; no base stands for SiLU.

    Raises `RuntimeError` if there is not enough memory.
    """
    base_weight, spline_weight = _contiguous(call.base_weight), _contiguous(call.spline_weight)
    sizes = call.contraction.sizes(call.x, spline_weight)
    y = call.contraction.new_output(call.x, sizes)
    status = lib.forward(
        _problem(call, sizes, None, y),
        _knots(call.basis),
        call.x.data_ptr(),
        pointer(call.base),
        base_weight.data_ptr(),
        spline_weight.data_ptr(),
        y.data_ptr(),
    )
    return y if _computed(status) else None


def backward(
    lib: Kernels,
    call: LayerCall,
    slope: Tensor | None,
    grad: Tensor,
    needs_x: bool,
    needs_weight: bool,
) -> tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None] | None:
    """Return the gradients of ``x``, ``base``, ``base_weight`` and ``spline_weight``.

    Or None if a number is not finite; raises as :func:`forward`.

    With ``slope``, the derivative of the base activation, the base's share is in the gradient of
    ``x``, and ``base`` gets none. Without ``slope`` the two are apart, but for the SiLU computed
    here. ``needs_x`` is for ``base`` too.
    """
    x, base_weight = call.x, _contiguous(call.base_weight)
    spline_weight = _contiguous(call.spline_weight)
    like = x.shape, x.stride()
    grad_x = x.new_empty_strided(*like) if needs_x else None
    apart = needs_x and slope is None and call.base is not None
    grad_base = x.new_empty_strided(*like) if apart else None
    grad_base_weight = torch.empty_like(base_weight) if needs_weight else None
    grad_spline_weight = torch.empty_like(spline_weight) if needs_weight else None
    status = lib.backward(
        _problem(call, call.contraction.sizes(x, spline_weight), slope, grad),
        _knots(call.basis),
        x.data_ptr(),
        pointer(call.base),
        pointer(slope),
        base_weight.data_ptr(),
        spline_weight.data_ptr(),
        grad.data_ptr(),
        pointer(grad_x),
        pointer(grad_base),
        pointer(grad_base_weight),
        pointer(grad_spline_weight),
    )
    if not _computed(status):
        return None
    return grad_x, grad_base, grad_base_weight, grad_spline_weight


def _computed(status: int) -> bool:
    """Return whether the compiled kernels computed the call, given their status."""
    if status > 0:
        raise RuntimeError(
            f"not enough memory: the compiled kernels of a KAN layer could not allocate {status} "
            "bytes; make the batch or the layer smaller"
        )
    return status != _NOT_FINITE


def _problem(call: LayerCall, sizes: tuple[int, ...], slope: Tensor | None, y: Tensor) -> bytes:
    form = family_of(call.basis)
    assert form is not None
    family, shift, factor = form
    strides = call.contraction.strides
    like = strides(call.x)
    return _PROBLEM.pack(
        *sizes,
        *like,
        *(like if call.base is None else strides(call.base)),
        *(like if slope is None else strides(slope)),
        *call.contraction.output_strides(y),
        call.basis.n_basis,
        torch.get_num_threads(),
        family,
        shift,
        factor,
    )


def family_of(basis: Basis) -> tuple[int, float, float] | None:
    """Return the place of a basis among `_FAMILIES`, its functions' shift, and their scale.

    The place of splines is 0, and counts for nothing; None for a basis without compiled kernels.
    """
    lo, hi = basis.domain
    if isinstance(basis, Spline):
        lo, hi = basis.grid_range
        return (0, lo, 1 / (hi - lo) * basis.grid_size) if basis.spline_order > 0 else None
    if type(basis) not in _FAMILIES:
        return None
    family = _FAMILIES.index(type(basis))
    if isinstance(basis, RBF):
        return family, lo, 1 / basis.width
    factor = basis.scale if isinstance(basis, Chebyshev) else 1 / (hi - lo)
    return family, (lo + hi) / 2, factor


def _knots(basis: Basis) -> ctypes.Array[ctypes.c_double] | None:
    if not isinstance(basis, KnotSpline):
        return None
    return (ctypes.c_double * len(basis.knots))(*basis.knots)


def _contiguous(weight: Tensor) -> Tensor:
    # The test is much cheaper than the call of an operation.
    return weight if weight.is_contiguous() else weight.contiguous()


def pointer(tensor: Tensor | None) -> int | None:
    """Return the address of a tensor's memory, or None for no tensor."""
    return None if tensor is None else tensor.data_ptr()
