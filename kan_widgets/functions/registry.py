"""Which reader reads which module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from kan_widgets.functions.layer import LayerFunctions

Reader = Callable[[nn.Module], LayerFunctions | Sequence[LayerFunctions]]

_readers: dict[type[nn.Module], Reader] = {}


@dataclass(frozen=True)
class ReadableModule:
    """A module of a model, with the reader that reads it."""

    name: str
    module: nn.Module
    reader: Reader

    def read(self) -> list[LayerFunctions]:
        """Read the module's functions as they are now, named by their path in the model."""
        return read_module(self.name, self.module, self.reader)


def read_module(name: str, module: nn.Module, reader: Reader) -> list[LayerFunctions]:
    """Read one module; its layers are named by ``name`` and their own names."""
    found = reader(module)
    layers = [found] if isinstance(found, LayerFunctions) else list(found)
    kind = type(module).__name__
    return [
        replace(
            layer,
            name=".".join(part for part in (name, layer.name) if part) or kind,
            type=layer.type or kind,
        )
        for layer in layers
    ]


def register_adapter(module_type: type[nn.Module], reader: Reader) -> None:
    """Teach `read` a module type.

    The reader of the nearest class in a module's inheritance order is used, so a
    reader registered for a subclass goes before its parent's. Registering a
    type again replaces its reader. What is inside a module that is read is not
    looked at again.

    Parameters
    ----------
    module_type
        A subclass of `torch.nn.Module`.
    reader
        Takes the module, returns its `LayerFunctions` (or several, named apart
        by ``name``). It is called for every frame: it must not run the module,
        draw random numbers or change anything.

    Examples
    --------
    >>> import torch
    >>> from kan_widgets.functions import IdentityBasis, LayerFunctions, read, register_adapter
    >>> class Scale(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = torch.nn.Parameter(torch.tensor(3.0))
    >>> def read_scale(module):
    ...     factor = module.factor.detach().reshape(1, 1, 1)
    ...     return LayerFunctions("linear", factor, (IdentityBasis(),))
    >>> register_adapter(Scale, read_scale)
    >>> read(Scale())[0].evaluate(torch.tensor([0.0, 2.0]))
    tensor([[[0., 6.]]])
    """
    if not (isinstance(module_type, type) and issubclass(module_type, nn.Module)):
        raise TypeError(
            f"module_type={module_type!r}: give a subclass of torch.nn.Module, not an instance"
        )
    if not callable(reader):
        raise TypeError(f"reader={reader!r}: give a function that takes the module")
    _readers[module_type] = reader


def _reader_of(module: nn.Module) -> Reader | None:
    for parent in type(module).__mro__:
        if parent in _readers:
            return _readers[parent]
    return None


def unwrap(model: nn.Module) -> nn.Module:
    """Return the module inside `torch.compile`'s and the data-parallel wrappers."""
    wrappers = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    while True:
        if isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
            model = inner
        elif isinstance(model, wrappers):
            model = model.module
        else:
            return model


def find(model: nn.Module) -> list[ReadableModule]:
    """List the modules of ``model`` that can be read, in the order they were added.

    Raises
    ------
    TypeError
        If ``model`` is no module.
    ValueError
        If nothing in it can be read; the message lists what was found.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model={model!r:.80}: a torch.nn.Module is taken")
    found: list[ReadableModule] = []
    seen: set[nn.Module] = set()

    def visit(module: nn.Module, name: str) -> None:
        module = unwrap(module)
        if module in seen:
            return
        seen.add(module)
        reader = _reader_of(module)
        # Computing a parametrised weight may change the module: spectral norm iterates.
        if reader is not None and not is_parametrized(module):
            found.append(ReadableModule(name, module, reader))
            return
        for child_name, child in module.named_children():
            visit(child, f"{name}.{child_name}" if name else child_name)

    visit(model, "")
    if not found:
        present = sorted({type(module).__name__ for module in unwrap(model).modules()})
        readable = sorted(module_type.__name__ for module_type in _readers)
        raise ValueError(
            f"no readable functions in {type(unwrap(model)).__name__}. "
            f"Modules found: {', '.join(present)}. Modules that can be read: "
            f"{', '.join(readable)}. Others: kan_widgets.functions.register_adapter."
        )
    return found


def read(model: nn.Module) -> list[LayerFunctions]:
    """Read the functions of every layer of ``model``.

    The model is not run and nothing in it changes. A module used twice is listed
    once; one with parametrised weights (spectral norm and the like) is left out,
    because computing them may change it.

    Raises
    ------
    TypeError
        If ``model`` is no module.
    ValueError
        If nothing in it can be read; the message lists the module types found
        and those that can be read.

    Examples
    --------
    >>> import torch
    >>> from kan_widgets.functions import read
    >>> from kan_widgets.nn import KANLinear
    >>> [layer] = read(KANLinear(3, 2, grid_size=5, spline_order=3))
    >>> layer.coefficients.shape, layer.domain, layer.basis_labels[:2]
    (torch.Size([2, 3, 9]), (-1.0, 1.0), ('silu', 'B0'))
    """
    return [layer for module in find(model) for layer in module.read()]
