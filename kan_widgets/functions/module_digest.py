"""A digest of all that a forward pass can see of a module, equal for modules that are."""

import hashlib
import marshal
import pickle
from collections.abc import Hashable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.nn.torch_modes import ungraded

# Bytes: a module that holds more, such as a data set, equals no other.
_MAX_BYTES = 50_000_000
# A pass in evaluation mode sees none of these; hooks are looked at by themselves.
_SKIPPED = frozenset({"training", "_non_persistent_buffers_set", "_is_full_backward_hook"})


@ungraded
def module_digest(module: nn.Module) -> Hashable:
    """Return a digest that two modules share only if all that their forward passes see is equal.

    That is every attribute of the module and of what it holds, by value. Of parameters that are
    trained only shape and type count: a proof moves them. What cannot be compared is equal to
    nothing, not even to itself a second time.
    """
    written = _Written()
    try:
        _Attributes(written, protocol=5).dump(module)
    except Exception:  # an attribute that cannot be written, or raises when read
        return object()
    return written.digest.digest()


class _Written:
    """A file of which only a digest is kept."""

    def __init__(self) -> None:
        self.digest, self._count = hashlib.blake2b(digest_size=16), 0

    def write(self, data: Any) -> None:
        self._count += len(data)
        if self._count > _MAX_BYTES:
            raise ValueError("it holds too much")
        self.digest.update(data)


class _Attributes(pickle.Pickler):
    """Writes modules by their attributes, functions by their code, and tensors by their values."""

    def __init__(self, *args: Any, **how: Any) -> None:
        super().__init__(*args, **how)
        self._tensors: dict[int, int] = {}

    def persistent_id(self, value: Any) -> Any:
        """Return all that is written of a value, or None to write the value as usual."""
        if isinstance(value, Tensor):
            number = self._tensors.setdefault(id(value), len(self._tensors))
            return number, *_of_tensor(value)
        if isinstance(value, type | BuiltinFunctionType):
            return value.__module__, value.__qualname__, id(value)
        return None

    def reducer_override(self, value: Any) -> Any:
        """Return how a value is written: as a tuple with its contents as state."""
        if isinstance(value, nn.Module):
            own = value.__dict__.items()
            seen = {name: v for name, v in own if name not in _SKIPPED and "_hooks" not in name}
            return tuple, ((type(value),),), seen
        if isinstance(value, FunctionType):
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            code = marshal.dumps(value.__code__, 2)
            return tuple, ((code,),), [cells, value.__defaults__, value.__kwdefaults__]
        if isinstance(value, MethodType):
            return tuple, ((type(value),),), [value.__func__, value.__self__]
        return NotImplemented


def _of_tensor(tensor: Tensor) -> tuple[Any, ...]:
    kind = type(tensor).__name__, tuple(tensor.shape), str(tensor.dtype), tensor.device.type
    if isinstance(tensor, nn.Parameter) and tensor.requires_grad:
        return kind
    values = tensor.detach().to("cpu").contiguous().reshape(-1).view(torch.uint8)
    return *kind, hashlib.blake2b(values.numpy().data, digest_size=16).digest()
