"""What was sampled of which module, kept until that is due anew."""

from __future__ import annotations

import contextvars
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.rewriting import Rewrite
from kan_widgets.functions.sampling.additivity import Measured
from kan_widgets.functions.sampling.sampled_basis import SampledBasis, Untold
from kan_widgets.functions.terms import ALL, Part
from kan_widgets.functions.undisturbed import stand_in

T = TypeVar("T")

# Sampling takes at most this share of the time of a training.
_SHARE = 0.01


@dataclass(eq=False)
class Samples:
    """What was sampled of a module, and when."""

    layers: list[LayerFunctions]
    bias: Tensor
    basis: SampledBasis
    measured: Measured
    versions: tuple[tuple[int, int], ...]
    next: float

    @classmethod
    def taken(
        cls,
        module: nn.Module,
        layers: list[LayerFunctions],
        bias: Tensor,
        basis: SampledBasis,
        cost: float,
        measured: Measured,
    ) -> Samples:
        """Return what was sampled now and took ``cost`` seconds."""
        due = next_time(time.perf_counter() - cost)
        return cls(layers, bias, basis, measured, _versions(module), due)

    @property
    def coefficients(self) -> Tensor:
        """Of all functions, ``(out, inputs, nb)``."""
        return torch.cat([layer.coefficients.flatten(1, -2) for layer in self.layers], dim=1)

    @property
    def is_diagonal(self) -> bool:
        """Whether there are several outputs, each a function of one input of its own alone."""
        own = self.coefficients
        if own.shape[0] != own.shape[1] or len(own) < 2:
            return False
        others = own * (1 - torch.eye(len(own)).to(own)).unsqueeze(-1)
        return float(others.abs().max()) < 1e-6 * float(own.abs().max())

    @property
    def is_straight(self) -> bool:
        """Whether all functions are straight lines."""
        nodes = torch.tensor(self.basis.nodes, dtype=torch.float64)
        values = torch.tensor(self.basis.values, dtype=torch.float64)
        # A constant may be among them where functions are not drawn as 0 at x = 0.
        lines = torch.stack([nodes, torch.ones_like(nodes)], dim=1)
        return float((values - lines @ (torch.linalg.pinv(lines) @ values)).abs().max()) < 1e-4


Sampler = Callable[[nn.Module, nn.Module, SampledBasis | None], Samples]

samples_of: weakref.WeakKeyDictionary[nn.Module, Samples] = weakref.WeakKeyDictionary()
_anew: contextvars.ContextVar[bool] = contextvars.ContextVar("sampled anew", default=False)


@contextmanager
def sampled_anew() -> Iterator[None]:
    """Have layers whose parameters changed sampled again now, whatever time it takes."""
    token = _anew.set(True)
    try:
        yield
    finally:
        _anew.reset(token)


def on_cpu(module: nn.Module, use: Callable[[nn.Module], T]) -> T:
    """Give what runs in the place of a module that was not sampled before, on the CPU.

    It is not known what any numbers do to it: on an accelerator, an index out of range would end
    the whole process.
    """

    def used(run: nn.Module, copied: bool) -> T:
        if copied:
            run.to("cpu")
        elif any(not tensor.is_cpu for tensor in (*module.parameters(), *module.buffers())):
            raise Untold("it cannot be copied from its device to the CPU")
        return use(run)

    return stand_in(module, used)


def newest(sample: Sampler, module: nn.Module) -> list[LayerFunctions]:
    """Return the functions as they were sampled last, or anew if that is due."""
    known = samples_of.get(module)
    if known is None or _is_due(module, known):
        # Where it is: it has taken such inputs before.
        basis = known.basis if known is not None else None
        try:
            known = stand_in(module, lambda run, _: sample(module, run, basis))
        except Untold as error:
            error.module = module
            raise
        samples_of[module] = known
    return known.layers


def _is_due(module: nn.Module, known: Samples) -> bool:
    return is_time(known.next) and _versions(module) != known.versions


def is_time(due: float) -> bool:
    """Whether what was sampled may be sampled anew."""
    return _anew.get() or time.perf_counter() >= due


def next_time(began: float) -> float:
    """Return when to sample again what was begun at some time, and has just been sampled."""
    now = time.perf_counter()
    return now + max(1.0, (now - began) / _SHARE)


def _versions(module: nn.Module) -> tuple[tuple[int, int], ...]:
    return tuple((t.data_ptr(), t._version) for t in (*module.parameters(), *module.buffers()))


def rewriter_of(module: nn.Module, coefficients: Tensor) -> Callable[[Tensor], Rewrite | None]:
    """Return a layer's ``rewriter``, which copies what was sampled until that is due anew."""
    return partial(_rewriter, weakref.ref(module), coefficients)


def _rewriter(
    ref: weakref.ref[nn.Module], coefficients: Tensor, out: Tensor, part: Part = ALL
) -> Rewrite | None:
    def rewrite() -> bool:
        module = ref()
        known = samples_of.get(module) if module is not None else None
        if module is None or known is None or _is_due(module, known):
            return False
        if not any(layer.coefficients is coefficients for layer in known.layers):
            return False
        out.copy_(coefficients[part])
        return True

    return rewrite
