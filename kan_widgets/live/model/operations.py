"""What a function that a model calls is in a diagram: its kind, its words, how to compute it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules import activation

from kan_widgets.live.frames.structure import StationKind

_IDENTITIES = {
    *("contiguous", "clone", "detach", "to", "float", "double", "half", "bfloat16", "type"),
    *("type_as", "cpu", "cuda", "data", "requires_grad_", "alias", "_to_copy", "identity"),
}
_RESHAPES = {"flatten", "view", "reshape", "squeeze", "unsqueeze", "ravel", "unflatten"} | {
    *("view_as", "reshape_as", "unsafe_view", "_unsafe_view"),
}
_PERMUTES = {"permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "T", "mT"}
# What the page can compute itself.
_ELEMENTWISE = frozenset("relu silu gelu tanh sigmoid elu leaky_relu softplus hardtanh".split())
# By the names of functions, those of torch's modules.
_ACTIVATIONS = {name.lower(): name for name in activation.__all__}

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class TracedCall:
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
    data: tuple[Tensor, ...]
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
    """The operation of a call or a layer."""

    kind: StationKind
    label: str
    compute: dict[str, Any] | None = None
    extras: Mapping[str, Tensor] = field(default_factory=dict)


def shape_of(values: Tensor, n: int) -> Shape | None:
    """Return the shape of one example's part of some values."""
    return tuple(values.shape[1:]) if values.ndim and len(values) == n else None


def is_transparent(call: TracedCall) -> bool:
    """Whether the result is the data that was given, as it was."""
    same = len(call.data) == 1 and call.shape == call.before[0]
    if not same:
        return False
    if call.name in _IDENTITIES | _RESHAPES or (call.name == "expand"):
        return True
    if call.name in ("cat", "concat", "concatenate"):
        return True
    if "dropout" in call.name:
        return not call.of(2, "training", True)
    if call.name in ("add", "sub", "mul", "div") and call.constants:
        other, neutral = call.of(1, "other"), 0 if call.name in ("add", "sub") else 1
        return isinstance(other, int | float) and other == neutral
    return False


def operation(call: TracedCall) -> Operation:
    """Say what a call is; `is_transparent` calls apart."""
    name = call.name.strip("_")
    if call.func is F.batch_norm:
        return _batch_norm(call)
    if name in _HANDLERS:
        return _HANDLERS[name](call)
    if name in _RESHAPES:
        return _reshape(call)
    if name in _PERMUTES:
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


def _reshape(call: TracedCall) -> Operation:
    shape, before = call.shape, call.before[0]
    if shape is None or before is None or math.prod(shape) != math.prod(before):
        return Operation("reshape", "reshape")
    if len(shape) == 1:
        return Operation("reshape", "flatten", {"op": "flatten"})
    sizes = "×".join(map(str, shape))
    return Operation("reshape", f"reshape to {sizes}", {"op": "reshape", "shape": list(shape)})


def _elementwise(call: TracedCall, name: str) -> Operation:
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


def _softmax(call: TracedCall) -> Operation:
    shape, dim = call.shape, call.of(1, "dim")
    over = shape is not None and len(shape) == 1 and dim in (1, -1)
    label = call.name.replace("_", "-")
    return Operation("activation", label, {"op": call.name} if over else None)


def _prelu(call: TracedCall) -> Operation:
    return Operation("activation", "PReLU", {"op": "prelu"}, {"slope": call.of(1, "weight")})


def _pool(call: TracedCall) -> Operation:
    is_max = call.name.startswith("max")
    kernel = _pair(call.of(1, "kernel_size"))
    stride = _pair(call.of(2, "stride") or kernel)
    padding = _pair(call.of(3, "padding", 0))
    compute: dict[str, Any] = {"op": "max_pool" if is_max else "avg_pool", "kernel": kernel}
    compute |= {"stride": stride, "padding": padding}
    if is_max:
        is_plain = _pair(call.of(4, "dilation", 1)) == [1, 1]
    else:
        compute["count_padding"] = bool(call.of(5, "count_include_pad", True))
        is_plain = call.of(6, "divisor_override") is None
    is_plain = is_plain and _is_covered(call, kernel, stride, padding)
    label = f"{'max' if is_max else 'average'} pool {_times(kernel)}"
    return Operation("pool", label, compute if is_plain else None)


def _adaptive_avg_pool(call: TracedCall) -> Operation:
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


def _mean(call: TracedCall) -> Operation:
    before, dim = call.before[0], call.of(1, "dim")
    if before is not None and len(before) == 3 and isinstance(dim, tuple | list):
        if sorted(d % 4 for d in dim) == [2, 3]:
            return Operation("pool", "global average pool", {"op": "global_avg_pool"})
    return Operation("other", "mean")


def _batch_norm(call: TracedCall) -> Operation:
    names = ("running_mean", "running_var", "weight", "bias")
    values = [call.of(1 + k, name) for k, name in enumerate(names)]
    if values[0] is None or values[1] is None or call.of(5, "training", False):
        return Operation("norm", "BatchNorm")
    extras = dict(zip(("mean", "variance", "scale", "shift"), values, strict=True))
    return _norm("BatchNorm", extras, op="batch_norm", eps=float(call.of(7, "eps", 1e-5)))


def _layer_norm(call: TracedCall) -> Operation:
    size = math.prod(call.of(1, "normalized_shape"))
    extras = {"scale": call.of(2, "weight"), "shift": call.of(3, "bias")}
    eps = float(call.of(4, "eps", 1e-5))
    return _norm("LayerNorm", extras, op="layer_norm", size=size, eps=eps)


def _norm(label: str, extras: Mapping[str, Tensor | None], **compute: Any) -> Operation:
    known = {name: one.reshape(-1) for name, one in extras.items() if one is not None}
    return Operation("norm", label, compute, known)


def _linear(call: TracedCall) -> Operation:
    weight, bias = call.of(1, "weight"), call.of(2, "bias")
    before = call.before[0]
    label = f"Linear {weight.shape[-1]} → {weight.shape[0]}" if weight.ndim == 2 else "Linear"
    known = len(call.data) == 1 and before is not None and len(before) == 1 and weight.ndim == 2
    extras = {"weight": weight} | ({} if bias is None else {"bias": bias})
    return Operation("plain", label, {"op": "linear"} if known else None, extras if known else {})


def _matmul(call: TracedCall) -> Operation:
    weight, before = call.of(1, "other"), call.before[0]
    known = len(call.data) == 1 and call.data[0] is call.args[0]
    if known and isinstance(weight, Tensor) and weight.ndim == 2 and before is not None:
        if len(before) == 1:
            label = f"Linear {weight.shape[0]} → {weight.shape[1]}"
            return Operation("plain", label, {"op": "linear"}, {"weight": weight.T})
    return Operation("other", "matrix product")


def _conv2d(call: TracedCall) -> Operation:
    weight, bias = call.of(1, "weight"), call.of(2, "bias")
    label = f"Conv2d {_times(weight.shape[2:])}"
    padding = call.of(4, "padding", 0)
    before = call.before[0]
    if len(call.data) > 1 or before is None or len(before) != 3 or isinstance(padding, str):
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


def _join(call: TracedCall) -> Operation:
    parts, dim = call.of(0, "tensors"), call.of(1, "dim", 0)
    known = call.name != "stack" and isinstance(parts, tuple | list)
    known = known and len(parts) == len(call.data) and None not in call.before
    known = known and dim in (1, 1 - call.result.ndim)
    return Operation("join", "join" if known else call.name, {"op": "join"} if known else None)


def _arithmetic(call: TracedCall) -> Operation:
    """Return an operation that adds, subtracts, multiplies or divides data, or data and numbers."""
    name = {"multiply": "mul", "true_divide": "div"}.get(name := call.name.strip("_"), name)
    first, second = call.of(0, "input"), call.of(1, "other")
    if len(call.data) == 2:
        known = call.before[0] == call.before[1] == call.shape and call.of(2, "alpha", 1) == 1
        if name in ("add", "mul"):
            kind: StationKind = "add" if name == "add" else "multiply"
            return Operation(kind, kind, {"op": kind} if known else None)
        return Operation("other", "quotient" if name == "div" else "difference")
    is_first = first is call.data[0]
    if name == "mul":
        return _affine(call, "scale", scale=second if is_first else first)
    if name == "neg":
        return _affine(call, "scale", scale=-1.0)
    if name == "rsub":
        return _affine(call, "shift", scale=-1.0, shift=second)
    if name == "div":
        if not is_first or call.of(2, "rounding_mode"):
            return Operation("other", "quotient")
        return _affine(call, "scale", divisor=second)
    factor = float(call.of(2, "alpha", 1)) * (1 if name == "add" else -1)
    if is_first:
        return _affine(call, "shift", shift=second, factor=factor)
    return _affine(call, "shift", scale=factor, shift=first)


def _affine(call: TracedCall, label: str, *, factor: float = 1.0, **parts: Any) -> Operation:
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


def _is_covered(call: TracedCall, kernel: list[int], stride: list[int], padding: list[int]) -> bool:
    """Whether a pooling has no window that hangs over, as ``ceil_mode`` allows it."""
    shape, before = call.shape, call.before[0]
    if shape is None or before is None or len(shape) != 3 or len(before) != 3:
        return False
    return all(
        shape[1 + k] == (before[1 + k] + 2 * padding[k] - kernel[k]) // stride[k] + 1
        for k in (0, 1)
    )


_HANDLERS: dict[str, Callable[[TracedCall], Operation]] = {
    **dict.fromkeys(("softmax", "log_softmax"), _softmax),
    "prelu": _prelu,
    **dict.fromkeys(("max_pool2d", "avg_pool2d"), _pool),
    "adaptive_avg_pool2d": _adaptive_avg_pool,
    "mean": _mean,
    "layer_norm": _layer_norm,
    "linear": _linear,
    "conv2d": _conv2d,
    **dict.fromkeys(("matmul", "mm"), _matmul),
    **dict.fromkeys(("cat", "concat", "concatenate", "stack"), _join),
    **dict.fromkeys("add sub rsub mul multiply div true_divide neg".split(), _arithmetic),
}
