"""What is made of a layer's tensors: coefficients, their gradients, and what is remembered."""

from __future__ import annotations

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
    """Coefficients that are put together at a look, of some outputs and inputs each.

    Of a layer of 30 million functions that is a gigabyte which nobody may want.

    Parameters
    ----------
    shape
        Of all of them: ``(out, in[, kh, kw], nb)``.
    like
        A tensor of their type, where they lie.
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

    NaN where it left nothing. It lies in memory as the parameter does, and may share that of
    the gradient.
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

    ``names`` are those of its parameters: the base ``(...)``, splines ``(..., nb - 1)`` and what
    multiplies these, ``(...)``; what has no name or is ``None`` is left out. On the attributes
    ``steady`` all else depends.
    """
    known = weakref.ref(module)
    # Not by attribute: what is a module may be trained itself, and a weight may be computed.
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
            module = known()
            if module is None or held_in(module) != held_names:
                return []
            if any(v is None or vars(module).get(name) is not v for name, v in before.items()):
                return []
            own = [p for n in held_names if (p := module._parameters.get(n)) is not None]
            found: list[Tensor] = [one if part is ALL else one[part] for one in own]
            fits = all(one.dtype is torch.float32 and one.is_cpu for one in found)
            return found if fits and [one.shape for one in found] == shapes else []

        def rewrite() -> bool:
            if not (found := parameters()):
                return False
            to_base.copy_(found[0])
            if len(found) == 2:
                to_splines.copy_(found[1])
            elif len(found) == 3:
                torch.mul(found[1], found[2].unsqueeze(-1), out=to_splines)
            return True

        return rewrite if parameters() else None

    return rewriter


@ungraded
def remembered(
    module: nn.Module, what: str, tensors: Sequence[Tensor], key: Hashable, make: Callable[[], T]
) -> T:
    """Return ``make()``, or what it returned last time if nothing has changed since.

    On the CPU the tensors' values are compared. On an accelerator that would stop the
    training until all its work is done, so their storage and version counter are compared
    instead: every in-place operation of torch counts, but one on ``tensor.data`` does not.

    The result, ``what`` by name, belongs to the module and is forgotten with it. The tensors lie on
    one device, and agree in all but the first dimension; ``key`` is what else it depends on.
    """
    held: list[Tensor] = []
    now: tuple[Any, ...]
    if tensors[0].device.type == "cpu":
        # A thousand tensors are joined sooner than detached.
        values = tensors[0].detach() if len(tensors) == 1 else torch.cat(list(tensors))
        values = values.float() if values.dtype is torch.bfloat16 else values
        now = values.shape, values.dtype, values.numpy().tobytes()
    else:
        now = tuple((tensor.data_ptr(), tensor._version) for tensor in tensors)
        # An alias keeps the storage, so that no other tensor gets its address.
        held = [tensor.detach() for tensor in tensors]
    known = _made.setdefault(module, {}).get(what)
    if known is None or known[:2] != (key, now):
        known = _made[module][what] = (key, now, make(), held)
    result: T = known[2]
    return result
