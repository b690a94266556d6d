"""What was sampled of which module, kept until that is due anew, and how far it is off."""

from __future__ import annotations

import contextvars
import math
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions, Rewriter
from kan_widgets.functions.registry import SAMPLED, Adapter, Reader, Sum, Verdict, settle
from kan_widgets.functions.rewriting import Rewrite
from kan_widgets.functions.sampling.sampled_basis import SampledBasis, Untold
from kan_widgets.functions.sight import seen_by
from kan_widgets.functions.terms import ALL, Part
from kan_widgets.functions.undisturbed import stand_in

# Sampling takes at most this share of the time of a training.
_SHARE = 0.01
LOCKED = "Its functions are sampled: how they follow from its parameters is not known."


@dataclass(frozen=True, eq=False)
class Samples:
    """What was sampled: a basis, and of whole layers what else is known of them."""

    basis: SampledBasis
    layers: Sequence[LayerFunctions] = ()
    coefficients: Tensor = field(default_factory=lambda: torch.zeros(0))
    """``(out, inputs, nb)``."""
    bias: Tensor | None = None
    words: str = ""
    """How far they are off."""


@dataclass(frozen=True, eq=False)
class _Kept:
    samples: Samples
    versions: tuple[tuple[int, int], ...]
    """Of the tensors from which they were taken."""
    next: float
    """When they may be taken anew."""

    def is_due(self, tensors: Sequence[Tensor]) -> bool:
        is_time = _anew.get() or time.perf_counter() >= self.next
        return is_time and _versions(tensors) != self.versions


_kept: weakref.WeakKeyDictionary[nn.Module, _Kept] = weakref.WeakKeyDictionary()
_anew: contextvars.ContextVar[bool] = contextvars.ContextVar("sampled anew", default=False)


@contextmanager
def sampled_anew() -> Iterator[None]:
    """Have layers whose parameters changed sampled again now, whatever time it takes."""
    token = _anew.set(True)
    try:
        yield
    finally:
        _anew.reset(token)


def keep(module: nn.Module, tensors: Sequence[Tensor], samples: Samples, began: float) -> None:
    """Keep what was sampled of a module from some tensors, since a time."""
    now = time.perf_counter()
    due = now + max(1.0, (now - began) / _SHARE)
    _kept[module] = _Kept(samples, _versions(tensors), due)


def newest(
    module: nn.Module, tensors: Sequence[Tensor], sample: Callable[[nn.Module], Samples]
) -> Samples:
    """Return what was sampled last of a module from some tensors, or anew if that is due.

    Raises
    ------
    Untold
        If it can be sampled no more. It is left out from then on.
    """
    known = _kept.get(module)
    if known is not None and not known.is_due(tensors):
        return known.samples
    began = time.perf_counter()
    try:
        # Where it is: it has taken such inputs before. Perhaps beside a training, of whose random
        # numbers none may be taken back: what was sampled once draws none.
        found = stand_in(module, lambda run, _: sample(run), draws=False)
    except Untold as error:  # it is no sum of functions any more
        settle(module, Verdict(str(error), seen_by(module)))
        raise
    keep(module, tensors, found, began)
    return found


def known_basis(module: nn.Module) -> SampledBasis | None:
    """Return the basis of what was sampled last of a module."""
    known = _kept.get(module)
    return None if known is None else known.samples.basis


def all_of(module: nn.Module) -> list[Tensor]:
    """Return all tensors of a module."""
    return [*module.parameters(), *module.buffers()]


def on_cpu(module: nn.Module, use: Callable[[nn.Module], Adapter]) -> Adapter:
    """Give what runs in the place of a module that was not sampled before, on the CPU.

    It is not known what any numbers do to it: on an accelerator, an index out of range would end
    the whole process.
    """

    def used(run: nn.Module, copied: bool) -> Adapter:
        if copied:
            run.to("cpu")
        elif any(not tensor.is_cpu for tensor in all_of(module)):
            raise Untold("it cannot be copied from its device to the CPU")
        return use(run)

    return stand_in(module, used)


def sampling(
    module: nn.Module,
    read: Reader,
    shape: tuple[int, ...],
    sums: Callable[[nn.Module], Sequence[Sum]] | None = None,
) -> Adapter:
    """Return an adapter for a module that is sampled; without ``sums``, a learned activation."""
    return Adapter(
        SAMPLED,
        type(module),
        read,
        lambda module: "",
        lambda module: True,
        sums,
        lambda module: shape,
        elementwise=sums is None,
    )


def rewriter_of(module: nn.Module, coefficients: Tensor) -> Rewriter:
    """Return a layer's ``rewriter``, which copies what was sampled until that is due anew."""
    ref = weakref.ref(module)

    def rewriter(out: Tensor, part: Part = ALL) -> Rewrite | None:
        def rewrite() -> bool:
            module = ref()
            known = _kept.get(module) if module is not None else None
            if module is None or known is None or known.is_due(all_of(module)):
                return False
            if not any(layer.coefficients is coefficients for layer in known.samples.layers):
                return False
            out.copy_(coefficients[part])
            return True

        return rewrite

    return rewriter


def _versions(tensors: Sequence[Tensor]) -> tuple[tuple[int, int], ...]:
    return tuple((tensor.data_ptr(), tensor._version) for tensor in tensors)


def off_in_words(error: float, given: int = 0, drawn: int = 0, beyond: int = 0) -> str:
    """Say how far Σφ is off by the largest output, over how many inputs, and when.

    So many were really ``given`` to the layer, and so many drawn; of the former some lie
    ``beyond`` where functions were sampled.
    """
    counts = ((given, "that it was given"), (drawn, "drawn at random"))
    inputs = " and ".join(f"{n:,} inputs {words}" for n, words in counts if n)
    rest = f"; {beyond:,} of those given lie beyond" if beyond else ""
    off = f"Σφ is off by at most {at_most(error)} of the largest output over {inputs}"
    return f"{off}, at {time.strftime('%H:%M:%S')}{rest}"


def at_most(error: float) -> str:
    """Return an error in one digit, rounded up."""
    if not 0 < error < math.inf:
        return f"{error:.0e}"
    unit = 10.0 ** math.floor(math.log10(error))
    return f"{math.ceil(error / unit - 1e-9) * unit:.0e}"
