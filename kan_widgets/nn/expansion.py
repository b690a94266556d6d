"""One expansion, one contraction: the computation that the layers share.

Every layer is ``contraction(columns(x), weight)``, where ``columns(x)`` holds the base activation
and the basis functions of every input value along a new last dimension, and the contraction is a
matrix product or a convolution. Written plainly (:func:`expand_plain`) the columns, ``n_basis + 1``
times the input, would be kept for the backward pass. :class:`_Expanded` keeps the input and the
two parts of the weight, the base's and the splines', alone: packed into one they would be a copy,
and their gradients two more. It has three ways, the same but for rounding:

- the local form for the bases of the package, :mod:`kan_widgets.nn.compiled.local`, where compiled
  kernels can be had and all numbers are finite;
- the dense form, :mod:`kan_widgets.nn.dense`, a piece of the batch at a time, by torch's
  operations;
- the plain form where torch must see every operation: derivatives of derivatives, ``torch.func``,
  forward-mode and batched derivatives, ``torch.compile``, export.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor, nn

from kan_widgets.nn import dense
from kan_widgets.nn.activation import ACTIVATIONS, BaseActivation, applied, resolve_activation
from kan_widgets.nn.bases.basis import Basis
from kan_widgets.nn.compiled import local
from kan_widgets.nn.compiled.bundled import Kernels
from kan_widgets.nn.contraction import Contraction, LayerCall
from kan_widgets.nn.dense import Gradients, Needs, expand_plain, packed_weight, parted
from kan_widgets.nn.torch_modes import transformed, watched


def expand_and_contract(
    x: Tensor,
    base_weight: Tensor,
    spline_weight: Tensor,
    basis: Basis,
    activation: BaseActivation,
    contraction: Contraction,
) -> Tensor:
    """Compute ``contraction(columns(x), weight)``, of ``x`` with the batch first, channels last.

    The weight is in two parts: the base's factors, and those of the basis functions, which come
    last. The columns are the activation of ``x``, then every basis function.
    """
    # A basis with parameters of its own gets its gradient by plain operations.
    trained = isinstance(basis, nn.Module)
    if transformed() or x.is_meta or trained:
        x = contraction.padded(x)
        columns = expand_plain(x, resolve_activation(activation)(x), basis)
        return contraction(columns, contraction.matrix(packed_weight(base_weight, spline_weight)))
    kind = _contraction_dtype(x, spline_weight)
    named = isinstance(activation, str)
    base = None if named else applied(cast(Callable[[Tensor], Tensor], activation), x)
    inputs = x, base, base_weight, spline_weight, basis, activation if named else None
    return cast(Tensor, _Expanded.apply(*inputs, contraction, kind))  # type: ignore[no-untyped-call]


def _full_precision(x: Tensor) -> AbstractContextManager[None]:
    """Switch autocast off; it mostly is off already, and checking is faster."""
    device = x.device.type
    off = not torch.is_autocast_enabled(device)
    return nullcontext() if off else torch.autocast(device, enabled=False)


class _Expanded(torch.autograd.Function):
    """``contraction(columns(x), weight)``, saving only ``x`` and the weight."""

    @staticmethod
    def forward(ctx: Any, *members: Any) -> Tensor:
        """Compute the members of a `LayerCall`, in their order."""
        call = LayerCall(*members)
        ctx.save_for_backward(*call[:4])
        ctx.rest = call[4:]
        lib = None if dense.few(call.x, call.spline_weight) else _kernels(call)
        if lib is not None:
            out = _forward_local(lib, call)
            if out is not None:
                return out
        with _full_precision(call.x):
            return dense.dense_forward(call.with_input(call.contraction.padded(call.x), call.base))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        call = LayerCall(*ctx.saved_tensors, *ctx.rest)
        needs = ctx.needs_input_grad[:4]
        # A backward pass that is itself recorded is wanted for a second derivative; gradients come
        # as a batch with ``is_grads_batched``, ``jacobian(vectorize=True)``.
        is_batch = torch._C._functorch.is_legacy_batchedtensor(grad)
        plain = torch.is_grad_enabled() or transformed() or is_batch
        lib = None if plain or not local.is_plain(grad) else _kernels(call)
        gradients = None if lib is None else _backward_local(lib, call, grad, needs)
        if gradients is None:
            differentiate = _backward_plain if plain else dense.dense_backward
            with _full_precision(call.x):
                padded = call.with_input(call.contraction.padded(call.x), call.base)
                gradients = differentiate(padded, grad, needs)
            if gradients[0] is not None:
                gradients = (call.contraction.cropped(gradients[0]), *gradients[1:])
        return (*gradients, None, None, None, None)


def _kernels(call: LayerCall) -> Kernels | None:
    """Return the compiled kernels if they can and should compute this call, else None."""
    # Not under autocast, where the CPU's dtype is another; nor in a mode, which would see nothing.
    if call.kind != torch.float32 or watched():
        return None
    return local.kernels_for(call)


def _forward_local(lib: Kernels, call: LayerCall) -> Tensor | None:
    """Compute the local form, or return None if a number is not finite."""
    # The compiled kernels have a SiLU of their own.
    x, base = _dense(call.x), call.base
    if call.activation is not None and call.activation != "silu":
        base = ACTIVATIONS[call.activation][0](x)
    return local.forward(lib, call.with_input(x, base))


def _backward_local(lib: Kernels, call: LayerCall, grad: Tensor, needs: Needs) -> Gradients | None:
    """Compute the local form's gradients, or return None if a number is not finite."""
    x, base, slope = _dense(call.x), call.base, None
    needs_x, needs_base, *needs_weights = needs
    if call.activation is not None and call.activation != "silu":
        base, slope = (function(x) for function in ACTIVATIONS[call.activation])
    call = call.with_input(x, base)
    gradients = local.backward(lib, call, slope, grad, needs_x or needs_base, any(needs_weights))
    if gradients is None:
        return None
    grad_x, grad_base, grad_base_weight, grad_spline_weight = gradients
    grads = grad_x if needs_x else None, grad_base if needs_base else None
    return *grads, grad_base_weight, grad_spline_weight


def _dense(x: Tensor) -> Tensor:
    """Return ``x`` without gaps or overlaps in memory."""
    return x if x.is_contiguous() or x.movedim(-1, 1).is_contiguous() else x.contiguous()


def _backward_plain(call: LayerCall, grad: Tensor, needs: Needs) -> Gradients:
    """Compute the gradients by differentiable operations, for derivatives of derivatives."""
    x = call.x
    weight = packed_weight(call.base_weight, call.spline_weight)
    columns = expand_plain(x, call.value, call.basis).to(call.kind)
    matrix = call.contraction.matrix(weight.to(call.kind))
    grad_columns, grad_weight = call.contraction.backward(
        grad, columns, matrix, any(needs[:2]), any(needs[2:])
    )
    grad_x = grad_base = None
    if grad_columns is not None:
        grad_columns = grad_columns.to(x.dtype)
        if needs[0]:
            grad_x = (grad_columns[..., 1:] * call.basis.derivative(x)).sum(-1)
            if call.activation is not None:
                grad_x = grad_x + grad_columns[..., 0] * ACTIVATIONS[call.activation][1](x)
        if needs[1]:
            grad_base = grad_columns[..., 0]
    grad_weight = None if grad_weight is None else grad_weight.to(weight.dtype)
    return grad_x, grad_base, *parted(grad_weight)


def _contraction_dtype(x: Tensor, weight: Tensor) -> torch.dtype:
    """Type of the linear part: autocast's where it is on, else the weight's."""
    device = x.device.type
    if torch.is_autocast_enabled(device) and x.dtype != torch.float64:
        return torch.get_autocast_dtype(device)
    if x.dtype != weight.dtype:
        raise RuntimeError(
            f"input of type {x.dtype} and weight of type {weight.dtype}: expected the same dtype; "
            f"convert one, for instance model.to({x.dtype})"
        )
    return weight.dtype
