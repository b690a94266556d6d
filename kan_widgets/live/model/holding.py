"""Have training leave some functions as they are.

What makes a function is a few entries of its module's parameters. Their gradients are 0, and
each step of an optimizer puts them back, to the bit, as they were before it: weight decay and
momentum move them no more than the gradient does. What changes them between two steps counts: an
edit, a new grid, a loaded state.
"""

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from kan_widgets.functions import LayerFunctions
from kan_widgets.functions.layer import check_editable
from kan_widgets.functions.registry import LayerReader
from kan_widgets.functions.undisturbed import removed
from kan_widgets.live.frames.frame import FunctionIndex
from kan_widgets.live.model.layers import FunctionPlace
from kan_widgets.live.reports import report
from kan_widgets.nn.torch_modes import ungraded

# By the name of a parameter, which entries of it, counted in its flat order.
Entries = dict[str, Tensor]
Snapshot = list[tuple[Tensor, tuple[Tensor, ...], Tensor]]

# How deep a step() may call others of the same optimizer.
_MAX_DEPTH = 4


@dataclass(eq=False)
class _Hold:
    name: str
    reader: LayerReader
    entries: Entries


class _Holds:
    """The held functions of one module, and their entries in its parameters."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, FunctionIndex], _Hold] = {}
        self.masks: list[Any] = []
        self.masked: dict[str, tuple[weakref.ref[Tensor], torch.Size]] = {}
        """The parameters that have masks, as they were then."""


_holds: weakref.WeakKeyDictionary[nn.Module, _Holds] = weakref.WeakKeyDictionary()
_before: weakref.WeakKeyDictionary[Optimizer, list[Snapshot]] = weakref.WeakKeyDictionary()
_hooks: list[Any] = []


def hold(place: FunctionPlace) -> None:
    """Hold a function from now on.

    Raises `ValueError` if it shares trainable parameters with others, which would be held with it.
    """
    entries = parameter_entries(place)
    if not _hooks:
        _hooks.append(register_optimizer_step_pre_hook(torch.compiler.disable(_pre)))
    holds = _holds.setdefault(place.module, _Holds())
    holds.of[place.layer, place.index] = _Hold(place.name, place.reader, entries)
    _mask(place.module, holds)


def release(module: nn.Module, layer: str, index: FunctionIndex) -> None:
    """Let training change a function again; does nothing if it may already."""
    holds = _holds.get(module)
    if holds is not None and holds.of.pop((layer, index), None) is not None:
        _mask(module, holds)


def held_in(module: nn.Module) -> list[tuple[str, FunctionIndex]]:
    """Return the layer and index of each function of a module that is held."""
    holds = _holds.get(module)
    return [] if holds is None else list(holds.of)


def _mask(module: nn.Module, holds: _Holds) -> None:
    """Set the gradients of held entries to 0, wherever they come from."""
    for handle in holds.masks:
        handle.remove()
    holds.masks = []
    holds.masked = {}
    for name, entries in _joined(holds).items():
        parameter = module.get_parameter(name)
        holds.masked[name] = weakref.ref(parameter), parameter.shape
        holds.masks.append(parameter.register_hook(partial(_without, entries)))


def _without(entries: Tensor, gradient: Tensor) -> Tensor:
    masked = gradient.clone()
    masked[_unravelled(entries, gradient)] = 0
    return masked


def _unravelled(entries: Tensor, of: Tensor) -> tuple[Tensor, ...]:
    """Return the indices of entries that are counted in flat order."""
    if not of.ndim:
        return ()
    return torch.unravel_index(entries.to(of.device), of.shape)


def _joined(holds: _Holds) -> Entries:
    found: dict[str, list[Tensor]] = {}
    for held in holds.of.values():
        for name, entries in held.entries.items():
            found.setdefault(name, []).append(entries)
    return {name: torch.cat(parts).unique() for name, parts in found.items()}


def _pre(optimizer: Optimizer, *_: Any) -> None:
    """Note the held values, before a step of an optimizer that may change them."""
    stepped = {id(p) for group in optimizer.param_groups for p in group["params"]}
    snapshot: Snapshot = []
    for module, holds in list(_holds.items()):
        if not holds.of or not any(id(p) in stepped for p in module.parameters()):
            continue
        try:
            _find_again(module, holds)
            for name, entries in _joined(holds).items():
                parameter = module.get_parameter(name)
                if id(parameter) in stepped:
                    values, at = parameter.detach(), _unravelled(entries, parameter)
                    if parameter.grad is not None:  # of a backward pass before it was held
                        parameter.grad[at] = 0
                    snapshot.append((values, at, values[at].clone()))
        except Exception as error:  # training goes on
            holds.of.clear()
            _mask(module, holds)
            report(f"functions of {type(module).__name__} are held no more: {error}")
    if not snapshot:
        return
    if optimizer not in _before:
        handle = optimizer.register_step_post_hook(torch.compiler.disable(_post))
        # First of all: who looks at the parameters after a step sees them as they stay.
        hooks: Any = optimizer._optimizer_step_post_hooks
        hooks.move_to_end(handle.id, last=False)
    waiting = _before.setdefault(optimizer, [])
    waiting.append(snapshot)
    # A step that raised leaves its own behind.
    del waiting[:-_MAX_DEPTH]


def _post(optimizer: Optimizer, *_: Any) -> None:
    if waiting := _before.get(optimizer):
        for parameter, at, kept in waiting.pop():
            parameter[at] = kept


def _find_again(module: nn.Module, holds: _Holds) -> None:
    """Find held functions again where parameters have been replaced, as a finer grid does."""
    own = dict(module.named_parameters())
    masked = holds.masked.items()
    if any(ref() is not own.get(n) or own[n].shape != shape for n, (ref, shape) in masked):
        for (layer, index), held in holds.of.items():
            held.entries = parameter_entries(
                FunctionPlace(module, held.name, held.reader, layer, index)
            )
        _mask(module, holds)


@contextmanager
def at_zero(
    model: nn.Module, parts: Sequence[tuple[LayerFunctions, tuple[int, ...], Tensor]]
) -> Iterator[None]:
    """Have parts of functions 0, and leave them so, for the duration of a ``with`` block.

    Of each part its layer, its function's index there, and which coefficients, ``(nb,)`` of bool.
    Raises `RuntimeError` if they are not 0 afterwards.
    """
    states, values = [], [layer.at(index).clone() for layer, index, _ in parts]
    for value in (1.0, 0.0):  # what differs between the two is what the parts are made of
        for (layer, index, columns), own in zip(parts, values, strict=True):
            check_editable(layer)
            assert layer.write is not None
            layer.write(index, own.masked_fill(columns.to(own.device), value))
        states.append([parameter.detach().clone() for parameter in model.parameters()])
    masks = [one != zero for one, zero in zip(*states, strict=True)]
    handles = [
        parameter.register_hook(partial(Tensor.masked_fill, mask=mask, value=0))
        for parameter, mask in zip(model.parameters(), masks, strict=True)
        if parameter.requires_grad
    ]
    with removed(handles):
        yield
    for parameter, mask in zip(model.parameters(), masks, strict=True):
        if parameter.shape != mask.shape or parameter[mask].any():
            raise RuntimeError(
                "the training has replaced or changed parameters that are held at 0, as a finer "
                "grid does: train such a network by a loop of your own"
            )


# -- which entries of its module's parameters make one function ---------------------------------

_POINTS = 33
# What is put in place of a parameter to see what depends on it.
_FACTOR, _ADDED = 1.37, 0.11


@ungraded
def parameter_entries(place: FunctionPlace) -> Entries:
    """Return the entries of trainable parameters that a function depends on.

    They are found by trying: what changes with a parameter depends on it. Afterwards all
    parameters are as before, to the bit. Raises `ValueError` if other functions depend on them too.
    """
    by_name: Entries = {}
    with _restored(place.module) as before:
        functions = place.functions()
        low, high = functions.extent
        x = torch.linspace(low, high, _POINTS, dtype=torch.float64)
        if functions.write is not None:
            at = index_in(functions, place.index)
            with suppress(ValueError):  # a mask that holds a part at 0: there is nothing to move
                functions.write(at, functions.at(at) * _FACTOR + _ADDED)
        # From here on nothing that is multiplied with a scale is 0.
        own, others = _values(place, x)
        for name, parameter in place.module.named_parameters():
            if not parameter.requires_grad or not parameter.numel():
                continue
            flat, kept = parameter.reshape(-1), before[name].reshape(-1)
            every = torch.arange(parameter.numel(), device=parameter.device)
            differs = (flat != kept) & ~(flat.isnan() & kept.isnan())
            mine = _depended(place, parameter, every[~differs], x, own)
            entries = torch.cat([every[differs], mine])
            if not len(entries):
                continue
            with _moved(parameter, entries):
                if not _same(_values(place, x)[1], others):
                    raise ValueError(
                        f"φ {place.index} of {place.layer} cannot be held: its parameter {name} "
                        "is shared with other functions, which would be held with it"
                    )
            by_name[name] = entries
    return by_name


def _values(place: FunctionPlace, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return φ at some points, and all other functions of its layer there."""
    functions = place.functions()
    at = index_in(functions, place.index)
    values = functions.evaluate(x.to(functions.like.device))
    own = values[at].clone()
    values[at] = 0
    return own, values


def _depended(
    place: FunctionPlace, parameter: Tensor, entries: Tensor, x: Tensor, own: Tensor
) -> Tensor:
    """Return the entries that φ depends on, found by halving."""
    if not len(entries):
        return entries
    with _moved(parameter, entries):
        if _same(_values(place, x)[0], own):
            return entries[:0]
    if len(entries) == 1:
        return entries
    middle = len(entries) // 2
    parts = (entries[:middle], entries[middle:])
    return torch.cat([_depended(place, parameter, part, x, own) for part in parts])


def _same(one: Tensor, other: Tensor) -> bool:
    return torch.equal(one.nan_to_num(nan=1e30), other.nan_to_num(nan=1e30))


@contextmanager
def _moved(parameter: Tensor, entries: Tensor) -> Iterator[None]:
    """Change some entries of a parameter for the duration of a ``with`` block."""
    kept = parameter.detach().clone()
    flat = parameter.detach().clone().reshape(-1)
    flat[entries] = flat[entries] * _FACTOR + _ADDED
    try:
        parameter.copy_(flat.reshape(parameter.shape))
        yield
    finally:
        parameter.copy_(kept)


@contextmanager
def _restored(module: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Put all parameters and buffers back afterwards; yields what they were."""
    tensors = dict([*module.named_parameters(), *module.named_buffers()])
    kept = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    try:
        yield kept
    finally:
        for name, tensor in tensors.items():
            if not _same(tensor, kept[name]):
                tensor.detach().copy_(kept[name])


def index_in(functions: LayerFunctions, index: FunctionIndex) -> tuple[int, ...]:
    """Return a function's place in the coefficients of its layer."""
    return index if functions.kind == "conv" else index[:2]
