"""Coefficients computed from a layer's tensors, their gradients, and results remembered."""

import weakref
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from kan_widgets.nn.torch_modes import ungraded

T = TypeVar("T")
# Some outputs and inputs of a layer.
Slices = tuple[slice, slice]
ALL: Slices = (slice(None), slice(None))
Rewrite = Callable[[], bool]
Rewriter = Callable[..., Rewrite | None]

_made: weakref.WeakKeyDictionary[nn.Module, dict[str, Any]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Terms:
    """Coefficients that are put together when indexed, for some outputs and inputs at a time.

    A layer of 30 million functions has a gigabyte of them, which nobody may need.

    Parameters
    ----------
    shape
        The shape of all coefficients, ``(out, in[, kh, kw], nb)``.
    like
        A tensor of the coefficients' type, on their device.
    make
        ``make(part)`` returns those of some outputs and inputs, detached; of `ALL`, all.
    """

    shape: torch.Size
    like: Tensor
    make: Callable[[Slices], Tensor]

    @ungraded
    def __getitem__(self, part: Slices) -> Tensor:
        return self.make(part)


def gradient_of(parameter: Tensor) -> Tensor:
    """Return the gradient that the last backward pass left on a parameter, detached.

    NaN where it left none. The result is laid out in memory as the parameter is, and may share
    the gradient's.
    """
    if parameter.grad is None:
        return torch.full_like(parameter.detach(), float("nan"))
    gradient = parameter.grad.detach()
    if gradient.layout != torch.strided:
        gradient = gradient.to_dense()
    if gradient.stride() != parameter.stride():
        gradient = torch.empty_like(parameter.detach()).copy_(gradient)
    return gradient


def rewriter_of(module: nn.Module, names: Sequence[str], steady: Sequence[str]) -> Rewriter:
    """Return the ``rewriter`` of a layer, see `LayerFunctions`; the module is not kept alive.

    ``names`` are those of its parameters: the base ``(...)``, splines ``(..., nb - 1)`` and their
    scale, ``(...)``; one without a name, or that is ``None``, is left out. All else depends on the
    attributes ``steady``.
    """
    reference = weakref.ref(module)
    # Not by getattr(): a submodule may be trained itself, and a weight may be computed.
    before = {name: vars(module).get(name) for name in steady}

    def held_in(module: nn.Module) -> list[str]:
        own, buffers = module._parameters, module._buffers
        return [n for n in names if own.get(n) is not None or buffers.get(n) is not None]

    held_names = held_in(module)

    def rewriter(out: Tensor, part: Slices = ALL) -> Rewrite | None:
        to_base, to_splines = out[..., 0], out[..., 1:]
        shapes = [to_base.shape, to_splines.shape, to_base.shape][: len(held_names)]

        def parameters() -> list[Tensor]:
            """Return base, splines and scale; none, if anything but their numbers has changed."""
            module = reference()
            if module is None or held_in(module) != held_names:
                return []
            if any(v is None or vars(module).get(name) is not v for name, v in before.items()):
                return []
            own = [p for n in held_names if (p := module._parameters.get(n)) is not None]
            tensors: list[Tensor] = [one if part is ALL else one[part] for one in own]
            fits = all(one.dtype is torch.float32 and one.is_cpu for one in tensors)
            return tensors if fits and [one.shape for one in tensors] == shapes else []

        def rewrite() -> bool:
            if not (tensors := parameters()):
                return False
            to_base.copy_(tensors[0])
            if len(tensors) == 2:
                to_splines.copy_(tensors[1])
            elif len(tensors) == 3:
                torch.mul(tensors[1], tensors[2].unsqueeze(-1), out=to_splines)
            return True

        return rewrite if parameters() else None

    return rewriter


@ungraded
def remembered(
    module: nn.Module, name: str, tensors: Sequence[Tensor], key: Hashable, make: Callable[[], T]
) -> T:
    """Return ``make()``, or what it returned last time if nothing has changed since.

    On the CPU the tensors' values are compared. On an accelerator that would stop the
    training until all its work is done, so their storage and version counter are compared
    instead: every in-place operation of torch counts, but one on ``tensor.data`` does not.

    The result, kept under ``name``, belongs to the module and is forgotten with it. The tensors lie
    on one device, and agree in all but the first dimension; all else it depends on is in ``key``.
    """
    held: list[Tensor] = []
    now: tuple[Any, ...]
    if tensors[0].device.type == "cpu":
        # A thousand tensors are joined faster than detached.
        values = tensors[0].detach() if len(tensors) == 1 else torch.cat(list(tensors))
        values = values.float() if values.dtype is torch.bfloat16 else values
        now = values.shape, values.dtype, values.numpy().tobytes()
    else:
        now = tuple((tensor.data_ptr(), tensor._version) for tensor in tensors)
        # An alias keeps the storage, so that no other tensor gets its address.
        held = [tensor.detach() for tensor in tensors]
    entry = _made.setdefault(module, {}).get(name)
    if entry is None or entry[:2] != (key, now):
        entry = _made[module][name] = (key, now, make(), held)
    return entry[2]
