"""Which feature map a flat tensor was: found while a model runs, so that it can be folded back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

_FLATTEN = {"flatten", "reshape", "view"}
# What leaves each number at its place.
_IN_PLACE = {
    *("add", "sub", "mul", "div", "true_divide", "clamp", "clip", "dropout"),
    *("relu", "relu_", "leaky_relu", "elu", "gelu", "silu", "hardtanh", "tanh", "sigmoid"),
    *("batch_norm", "layer_norm", "contiguous", "clone", "detach", "float", "double", "to"),
}


class Folding(TorchFunctionMode):
    """While it is entered, flattened images and feature maps remember their shape.

    It looks on: every function is called as it would be without.

    Examples
    --------
    >>> import torch
    >>> with Folding():
    ...     flat = torch.relu(torch.zeros(8, 25, 5, 5).flatten(1))
    >>> fold_of(flat)
    (25, 5, 5)
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function, and note what became of a map."""
        given = args[0] if args and isinstance(args[0], Tensor) else None
        before = None if given is None else (tuple(given.shape), fold_of(given))
        result = func(*args, **(kwargs or {}))
        if before is not None and isinstance(result, Tensor) and result.ndim == 2:
            shape, fold = before
            name = getattr(func, "__name__", "")
            if name in _FLATTEN and len(shape) == 4 and len(result) == shape[0]:
                fold = shape[1:]
            elif tuple(result.shape) != shape or name not in _IN_PLACE | _FLATTEN:
                fold = None
            if fold is not None:
                result._kan_fold = fold  # type: ignore[attr-defined]
        return result


def fold_of(values: Tensor) -> tuple[int, int, int] | None:
    """Return channels, height and width of the map that a tensor ``(n, features)`` was."""
    return getattr(values, "_kan_fold", None)
