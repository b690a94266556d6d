"""What a function that a model calls is in a diagram: its kind, its words, how to compute it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from kan_widgets.live.model.calls import Call, Operation

_SAME = {
    *("contiguous", "clone", "detach", "to", "float", "double", "half", "bfloat16", "type"),
    *("type_as", "cpu", "cuda", "data", "requires_grad_", "alias", "_to_copy", "identity"),
}
_DROPOUT = {"dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"} | {
    "feature_alpha_dropout",
    "feature_dropout",
}
_RESHAPING = {"flatten", "view", "reshape", "squeeze", "unsqueeze", "ravel", "unflatten"} | {
    *("view_as", "reshape_as", "unsafe_view", "_unsafe_view"),
}
_TURNING = {"permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "T", "mT"}
_ELEMENTWISE = {
    "relu": "ReLU",
    "silu": "SiLU",
    "gelu": "GELU",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "elu": "ELU",
    "leaky_relu": "leaky ReLU",
    "softplus": "softplus",
    "hardtanh": "hardtanh",
}
_OTHER_ACTIVATIONS = {
    "selu": "SELU",
    "celu": "CELU",
    "mish": "Mish",
    "hardswish": "hardswish",
    "hardsigmoid": "hardsigmoid",
    "softsign": "softsign",
    "logsigmoid": "log-sigmoid",
    "tanhshrink": "tanhshrink",
    "softshrink": "softshrink",
    "hardshrink": "hardshrink",
    "glu": "GLU",
    "rrelu": "RReLU",
    "relu6": "ReLU6",
}
_NORMS = {
    "group_norm": "GroupNorm",
    "instance_norm": "InstanceNorm",
    "rms_norm": "RMSNorm",
    "local_response_norm": "LocalResponseNorm",
    "normalize": "normalize",
}
_POOLS = {
    *("max_pool1d", "max_pool3d", "avg_pool1d", "avg_pool3d", "lp_pool2d"),
    *("adaptive_max_pool2d", "adaptive_avg_pool1d", "adaptive_max_pool1d", "fractional_max_pool2d"),
}


def is_transparent(call: Call) -> bool:
    """Whether the result is the data that was given, as it was."""
    same = len(call.given) == 1 and call.shape == call.before[0]
    if not same:
        return False
    if call.name in _SAME | _RESHAPING or (call.name == "expand"):
        return True
    if call.name in ("cat", "concat", "concatenate"):
        return True
    if call.name in _DROPOUT:
        return not call.of(2, "training", True)
    if call.name in ("add", "sub", "mul", "div") and call.constants:
        other, neutral = call.of(1, "other"), 0 if call.name in ("add", "sub") else 1
        return isinstance(other, int | float) and other == neutral
    return False


def operation(call: Call) -> Operation:
    """Say what a call is; `is_transparent` calls apart."""
    name = call.name.strip("_")
    if call.func is F.batch_norm:
        return _batch_norm(call)
    if name in _HANDLERS:
        return _HANDLERS[name](call)
    if name in _RESHAPING:
        return _reshape(call)
    if name in _TURNING:
        return Operation("reshape", "transpose")
    if name in _ELEMENTWISE:
        return _elementwise(call, name)
    if name in _OTHER_ACTIVATIONS:
        return Operation("activation", _OTHER_ACTIVATIONS[name])
    if name in _NORMS or name == "batch_norm":
        return Operation("norm", _NORMS.get(name, "BatchNorm"))
    if name in _POOLS:
        return Operation("pool", name.replace("_", " "))
    return Operation("other", name.replace("_", " "))


def _reshape(call: Call) -> Operation:
    shape, before = call.shape, call.before[0]
    if shape is None or before is None or math.prod(shape) != math.prod(before):
        return Operation("reshape", "reshape")
    if len(shape) == 1:
        return Operation("reshape", "flatten", {"op": "flatten"})
    sizes = "×".join(map(str, shape))
    return Operation("reshape", f"reshape to {sizes}", {"op": "reshape", "shape": list(shape)})


def _elementwise(call: Call, name: str) -> Operation:
    parameter: float | None = None
    is_known = True
    if name == "elu":
        parameter = float(call.of(1, "alpha", 1.0))
        is_known = len(call.args) < 3
    elif name == "leaky_relu":
        parameter = float(call.of(1, "negative_slope", 0.01))
    elif name == "softplus":
        beta = float(call.of(1, "beta", 1.0))
        parameter = None if beta == 1 else beta
        is_known = float(call.of(2, "threshold", 20.0)) == 20
    elif name == "hardtanh":
        low, high = float(call.of(1, "min_val", -1.0)), float(call.of(2, "max_val", 1.0))
        if (low, high) == (0, 6):
            return Operation("activation", "ReLU6")
        is_known = (low, high) == (-1, 1)
    elif name == "gelu":
        is_known = call.of(1, "approximate", "none") == "none"
    is_known = is_known and call.constants
    compute = {"op": "elementwise", "function": name, "parameter": parameter}
    return Operation("activation", _ELEMENTWISE[name], compute if is_known else None)


def _softmax(call: Call) -> Operation:
    shape, dim = call.shape, call.of(1, "dim")
    over = shape is not None and len(shape) == 1 and dim in (1, -1)
    label = call.name.replace("_", "-")
    return Operation("activation", label, {"op": call.name} if over else None)


def _prelu(call: Call) -> Operation:
    return Operation("activation", "PReLU", {"op": "prelu"}, {"slope": call.of(1, "weight")})


def _max_pool(call: Call) -> Operation:
    kernel = _pair(call.of(1, "kernel_size"))
    stride = _pair(call.of(2, "stride") or kernel)
    padding, dilation = _pair(call.of(3, "padding", 0)), _pair(call.of(4, "dilation", 1))
    is_plain = dilation == [1, 1] and _is_covered(call, kernel, stride, padding)
    compute = {"op": "max_pool", "kernel": kernel, "stride": stride, "padding": padding}
    return Operation("pool", f"max pool {_times(kernel)}", compute if is_plain else None)


def _avg_pool(call: Call) -> Operation:
    kernel = _pair(call.of(1, "kernel_size"))
    stride = _pair(call.of(2, "stride") or kernel)
    padding = _pair(call.of(3, "padding", 0))
    compute = {
        "op": "avg_pool",
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "count_padding": bool(call.of(5, "count_include_pad", True)),
    }
    is_plain = call.of(6, "divisor_override") is None
    is_plain = is_plain and _is_covered(call, kernel, stride, padding)
    return Operation("pool", f"average pool {_times(kernel)}", compute if is_plain else None)


def _adaptive_avg_pool(call: Call) -> Operation:
    shape, before = call.shape, call.before[0]
    if shape is None or before is None or len(shape) != 3 or len(before) != 3:
        return Operation("pool", "average pool")
    if shape[1:] == (1, 1):
        return Operation("pool", "global average pool", {"op": "global_avg_pool"})
    label = f"average pool to {_times(shape[1:])}"
    if before[1] % shape[1] or before[2] % shape[2]:
        return Operation("pool", label)
    kernel = [before[1] // shape[1], before[2] // shape[2]]
    compute = {"op": "avg_pool", "kernel": kernel, "stride": kernel, "padding": [0, 0]}
    return Operation("pool", label, {**compute, "count_padding": True})


def _mean(call: Call) -> Operation:
    before, dim = call.before[0], call.of(1, "dim")
    if before is not None and len(before) == 3 and isinstance(dim, tuple | list):
        if sorted(d % 4 for d in dim) == [2, 3]:
            return Operation("pool", "global average pool", {"op": "global_avg_pool"})
    return Operation("other", "mean")


def _batch_norm(call: Call) -> Operation:
    mean, variance = call.of(1, "running_mean"), call.of(2, "running_var")
    if mean is None or variance is None or call.of(5, "training", False):
        return Operation("norm", "BatchNorm")
    extras = {"mean": mean, "variance": variance}
    extras |= {"scale": call.of(3, "weight"), "shift": call.of(4, "bias")}
    return Operation(
        "norm",
        "BatchNorm",
        {"op": "batch_norm", "eps": float(call.of(7, "eps", 1e-5))},
        {name: values for name, values in extras.items() if values is not None},
    )


def _layer_norm(call: Call) -> Operation:
    size = math.prod(call.of(1, "normalized_shape"))
    extras = {"scale": call.of(2, "weight"), "shift": call.of(3, "bias")}
    return Operation(
        "norm",
        "LayerNorm",
        {"op": "layer_norm", "size": size, "eps": float(call.of(4, "eps", 1e-5))},
        {name: values.reshape(-1) for name, values in extras.items() if values is not None},
    )


def _linear(call: Call) -> Operation:
    weight, bias = call.of(1, "weight"), call.of(2, "bias")
    before = call.before[0]
    label = f"Linear {weight.shape[-1]} → {weight.shape[0]}" if weight.ndim == 2 else "Linear"
    known = len(call.given) == 1 and before is not None and len(before) == 1 and weight.ndim == 2
    extras = {"weight": weight} | ({} if bias is None else {"bias": bias})
    return Operation("plain", label, {"op": "linear"} if known else None, extras if known else {})


def _matmul(call: Call) -> Operation:
    weight, before = call.of(1, "other"), call.before[0]
    known = len(call.given) == 1 and call.given[0] is call.args[0]
    if known and isinstance(weight, Tensor) and weight.ndim == 2 and before is not None:
        if len(before) == 1:
            label = f"Linear {weight.shape[0]} → {weight.shape[1]}"
            return Operation("plain", label, {"op": "linear"}, {"weight": weight.T})
    return Operation("other", "matrix product")


def _conv2d(call: Call) -> Operation:
    weight, bias = call.of(1, "weight"), call.of(2, "bias")
    label = f"Conv2d {_times(weight.shape[2:])}"
    padding = call.of(4, "padding", 0)
    before = call.before[0]
    if len(call.given) > 1 or before is None or len(before) != 3 or isinstance(padding, str):
        return Operation("plain", label)
    top, left = _pair(padding)
    compute = {
        "op": "conv2d",
        "stride": _pair(call.of(3, "stride", 1)),
        "padding": [left, left, top, top],
        "dilation": _pair(call.of(5, "dilation", 1)),
        "groups": int(call.of(6, "groups", 1)),
    }
    extras = {"weight": weight} | ({} if bias is None else {"bias": bias})
    return Operation("plain", label, compute, extras)


def _join(call: Call) -> Operation:
    parts, dim = call.of(0, "tensors"), call.of(1, "dim", 0)
    known = call.name != "stack" and isinstance(parts, tuple | list)
    known = known and len(parts) == len(call.given) and None not in call.before
    known = known and dim in (1, 1 - call.result.ndim)
    return Operation("join", "join" if known else call.name, {"op": "join"} if known else None)


def sum_of(sign: float) -> Callable[[Call], Operation]:
    """Return what an addition (``sign`` 1) or subtraction (-1) is."""

    def added(call: Call) -> Operation:
        factor = sign * float(call.of(2, "alpha", 1))
        if len(call.given) == 2:
            known = call.before[0] == call.before[1] == call.shape and factor == 1
            if sign < 0:
                return Operation("other", "difference")
            return Operation("add", "add", {"op": "add"} if known else None)
        first, second = call.of(0, "input"), call.of(1, "other")
        if first is call.given[0]:
            return _affine(call, "shift", shift=second, factor=factor)
        return _affine(call, "shift", scale=factor, shift=first)

    return added


def product(call: Call) -> Operation:
    """Say what a multiplication is."""
    if len(call.given) == 2:
        known = call.before[0] == call.before[1] == call.shape
        return Operation("multiply", "multiply", {"op": "multiply"} if known else None)
    first, second = call.of(0, "input"), call.of(1, "other")
    return _affine(call, "scale", scale=second if first is call.given[0] else first)


def quotient(call: Call) -> Operation:
    """Say what a division is."""
    first, second = call.of(0, "input"), call.of(1, "other")
    if len(call.given) == 2 or first is not call.given[0] or call.of(2, "rounding_mode"):
        return Operation("other", "quotient")
    return _affine(call, "scale", divisor=second)


def negative(call: Call) -> Operation:
    """Say what a change of sign is."""
    return _affine(call, "scale", scale=-1.0)


def rsub(call: Call) -> Operation:
    """Say what a subtraction from a constant is."""
    if len(call.given) > 1:
        return Operation("other", "difference")
    return _affine(call, "shift", scale=-1.0, shift=call.of(1, "other"))


def _affine(call: Call, label: str, *, factor: float = 1.0, **parts: Any) -> Operation:
    """Return scale·x / divisor + factor·shift, of numbers or tensors with one for each channel."""
    shape = call.shape
    if shape is None or shape != call.before[0] or not shape or not call.constants:
        return Operation("other", label)
    compute: dict[str, Any] = {"op": "affine", "factor": factor}
    extras = {}
    for name, value in parts.items():
        if isinstance(value, Tensor) and _fits(value, call.result):
            extras[name] = value.detach().reshape(-1)
        elif isinstance(value, int | float) and math.isfinite(value):
            compute[name] = float(value)
        else:
            return Operation("other", label)
    return Operation("other", label, compute, extras)


def _fits(value: Tensor, like: Tensor) -> bool:
    """Whether a constant is one number, or broadcasts as one for each channel."""
    sizes = [1] * (like.ndim - value.ndim) + list(value.shape)
    return len(sizes) == like.ndim and all(s == 1 for k, s in enumerate(sizes) if k != 1)


def _pair(value: Any) -> list[int]:
    if isinstance(value, int):
        return [value, value]
    found = [int(part) for part in value]
    return found * 2 if len(found) == 1 else found


def _times(sizes: Any) -> str:
    return "×".join(str(int(size)) for size in sizes)


def _is_covered(call: Call, kernel: list[int], stride: list[int], padding: list[int]) -> bool:
    """Whether a pooling has no window that hangs over, as ``ceil_mode`` allows it."""
    shape, before = call.shape, call.before[0]
    if shape is None or before is None or len(shape) != 3 or len(before) != 3:
        return False
    return all(
        shape[1 + k] == (before[1 + k] + 2 * padding[k] - kernel[k]) // stride[k] + 1
        for k in (0, 1)
    )


_HANDLERS: dict[str, Callable[[Call], Operation]] = {
    "softmax": _softmax,
    "log_softmax": _softmax,
    "prelu": _prelu,
    "max_pool2d": _max_pool,
    "avg_pool2d": _avg_pool,
    "adaptive_avg_pool2d": _adaptive_avg_pool,
    "mean": _mean,
    "layer_norm": _layer_norm,
    "linear": _linear,
    "matmul": _matmul,
    "mm": _matmul,
    "conv2d": _conv2d,
    "cat": _join,
    "concat": _join,
    "concatenate": _join,
    "stack": _join,
    "add": sum_of(1.0),
    "sub": sum_of(-1.0),
    "mul": product,
    "multiply": product,
    "div": quotient,
    "true_divide": quotient,
    "neg": negative,
    "rsub": rsub,
}
