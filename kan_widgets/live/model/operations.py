"""What a function that a model calls is in a diagram: its kind, its words, how to compute it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules import activation

from kan_widgets.live.frames.structure import StationKind

_SAME = {
    *("contiguous", "clone", "detach", "to", "float", "double", "half", "bfloat16", "type"),
    *("type_as", "cpu", "cuda", "data", "requires_grad_", "alias", "_to_copy", "identity"),
}
_RESHAPING = {"flatten", "view", "reshape", "squeeze", "unsqueeze", "ravel", "unflatten"} | {
    *("view_as", "reshape_as", "unsafe_view", "_unsafe_view"),
}
_TURNING = {"permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "T", "mT"}
# What the page can compute itself.
_ELEMENTWISE = frozenset("relu silu gelu tanh sigmoid elu leaky_relu softplus hardtanh".split())
# By the names of functions, those of torch's modules.
_ACTIVATIONS = {name.lower(): name for name in activation.__all__}


Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Call:
    """A function that was called with data of ``n`` examples.

    ``given`` is the data among its arguments, in their order: tensors that come from the input;
    ``before`` are their shapes for one example before the call, which may be in place. ``result``
    is the first tensor that it returned. ``constants`` tells whether numbers among the arguments
    are constants of the model, and not read off the data.
    """

    func: Callable[..., Any]
    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    given: tuple[Tensor, ...]
    before: tuple[Shape | None, ...]
    result: Tensor
    n: int
    constants: bool = True

    def of(self, place: int, name: str, default: Any = None) -> Any:
        """Return an argument, by its place and name."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)

    @property
    def shape(self) -> Shape | None:
        """The shape of the result for one example; ``None`` if it has no batch of them."""
        return shape_of(self.result, self.n)


@dataclass(frozen=True, eq=False)
class Operation:
    """What a call is, or a layer."""

    kind: StationKind
    label: str
    compute: dict[str, Any] | None = None
    extras: Mapping[str, Tensor] = field(default_factory=dict)


def shape_of(values: Tensor, n: int) -> Shape | None:
    """Return the shape of one example's part of some values."""
    return tuple(values.shape[1:]) if values.ndim and len(values) == n else None


def is_transparent(call: Call) -> bool:
    """Whether the result is the data that was given, as it was."""
    same = len(call.given) == 1 and call.shape == call.before[0]
    if not same:
        return False
    if call.name in _SAME | _RESHAPING or (call.name == "expand"):
        return True
    if call.name in ("cat", "concat", "concatenate"):
        return True
    if "dropout" in call.name:
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
    if label := _ACTIVATIONS.get(name.replace("_", "")):
        return Operation("activation", label)
    if name.endswith("norm") or name == "normalize":
        return Operation("norm", name.title().replace("_", "").replace("Rms", "RMS"))
    if "pool" in name:
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
    label = _ACTIVATIONS[name.replace("_", "")]
    return Operation("activation", label, compute if is_known else None)


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


def _sum_of(sign: float) -> Callable[[Call], Operation]:
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


def _product(call: Call) -> Operation:
    if len(call.given) == 2:
        known = call.before[0] == call.before[1] == call.shape
        return Operation("multiply", "multiply", {"op": "multiply"} if known else None)
    first, second = call.of(0, "input"), call.of(1, "other")
    return _affine(call, "scale", scale=second if first is call.given[0] else first)


def _quotient(call: Call) -> Operation:
    first, second = call.of(0, "input"), call.of(1, "other")
    if len(call.given) == 2 or first is not call.given[0] or call.of(2, "rounding_mode"):
        return Operation("other", "quotient")
    return _affine(call, "scale", divisor=second)


def _negative(call: Call) -> Operation:
    return _affine(call, "scale", scale=-1.0)


def _rsub(call: Call) -> Operation:
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
    "add": _sum_of(1.0),
    "sub": _sum_of(-1.0),
    "mul": _product,
    "multiply": _product,
    "div": _quotient,
    "true_divide": _quotient,
    "neg": _negative,
    "rsub": _rsub,
}
