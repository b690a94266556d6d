"""Functions known at points only: how they are sampled, and kept."""

import contextvars
import math
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor, nn

from kan_widgets.nn.bases.basis import Ends

_FEWEST = 49  # nodes to begin with
_MAX_NODES = 257
# These four are relative to the largest value.
_FINE_ERROR = 2e-5  # where samples are as near the cubics as this, no nodes are added
_NEGLIGIBLE_SHARE = 1e-5  # basis functions that add less are left out
_REFIT_ERROR = 1e-4  # up to which an earlier basis still fits
_MAX_ERROR = 2e-2  # beyond it functions are too rough to be sampled
_MAX_WIDENING = 1.5  # an earlier basis is kept up to this many times the interval now needed


class Untold(ValueError):
    """A layer that cannot be read by sampling, and why."""


@dataclass(frozen=True, eq=False)
class SampledBasis:
    """Functions known at some points, and cubics through the four nearest between them.

    Parameters
    ----------
    nodes
        ``(P,)`` ascending.
    values
        ``(P, nb)``.
    domain, extent
        Where they are meant for, and where they were sampled.
    error
        How far the cubics were off between the nodes, relative to the largest value.
    """

    nodes: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]
    domain: Ends
    extent: Ends
    error: float = 0.0

    knots: tuple[float, ...] = ()
    continuous: bool = True
    points: int = _MAX_NODES

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Sampled 0, sampled 1, ..."""
        return tuple(f"sampled {b}" for b in range(len(self.values[0])))

    @cached_property
    def is_base(self) -> tuple[bool, ...]:
        """False for all."""
        return (False,) * len(self.values[0])

    @property
    def words(self) -> str:
        """Where the functions were sampled, for a person to read."""
        low, high = self.nodes[0], self.nodes[-1]
        return f"Sampled at {len(self.nodes)} points each from {low:.3g} to {high:.3g}"

    def serves(self, interval: Ends) -> bool:
        """Whether the basis was sampled over an interval, and not much further."""
        (low, high), (first, last) = interval, (self.nodes[0], self.nodes[-1])
        return first <= low < high <= last <= first + _MAX_WIDENING * (high - low)

    @classmethod
    def of(cls, nodes: Tensor, values: Tensor, error: float, interval: Ends) -> "SampledBasis":
        """Return the basis of some tensors."""
        rows = tuple(map(tuple, values.tolist()))
        return cls(tuple(nodes.tolist()), rows, interval, interval, error)

    def tensors(self) -> tuple[Tensor, Tensor]:
        """Return nodes and values, in double precision."""
        return tuple(torch.tensor(t, dtype=torch.float64) for t in (self.nodes, self.values))  # type: ignore[return-value]

    def __call__(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., nb)``; beyond the extent as at its end."""
        nodes, values = self.tensors()
        return interpolated(nodes.to(x), values.to(x), x)


def interpolated(nodes: Tensor, values: Tensor, x: Tensor) -> Tensor:
    """Return cubics through the four nearest of ``values``, (P, F), at ``x``: (..., F)."""
    x = x.clamp(float(nodes[0]), float(nodes[-1]))
    first = (torch.searchsorted(nodes, x.contiguous()) - 2).clamp(0, len(nodes) - 4)
    near = first.unsqueeze(-1) + torch.arange(4, device=x.device)
    at = nodes[near]
    total: Tensor = x.new_zeros(())
    for k in range(4):
        weight = torch.ones_like(x)
        for other in range(4):
            if other != k:
                weight = weight * (x - at[..., other]) / (at[..., k] - at[..., other])
        total = total + weight.unsqueeze(-1) * values[near[..., k]]
    return total


def refined_nodes(
    interval: Ends, values: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor, float]:
    """Sample functions at 49 points, and between these where they bend, at up to 257.

    Also a little beyond the interval. ``values`` takes points to values, ``(n,)`` to ``(n, F)``.
    Returns the points, ``(P,)``, the values, ``(P, F)``, and the largest error between points that
    is to be expected from those met, relative to the largest value.

    Raises `Untold` if they jump or bend too fast.
    """
    low, high = interval
    room = 0.12 * (high - low)
    nodes = torch.linspace(low - room, high + room, _FEWEST, dtype=torch.float64)
    samples = values(nodes)
    parts, error, waiting = nodes.unfold(0, 2, 1), 0.0, 0.0
    while len(parts) and len(nodes) < _MAX_NODES - 1:
        # At both thirds: beside a kink a cubic may pass through one point by chance.
        thirds = torch.stack([2 * parts[:, 0] + parts[:, 1], parts[:, 0] + 2 * parts[:, 1]], 1) / 3
        at_thirds = values(thirds.flatten())
        off = (interpolated(nodes, samples, thirds.flatten()) - at_thirds).abs().amax(1)
        off = off.view(-1, 2).amax(1) / (float(samples.abs().max()) or 1.0)
        off, order = off.sort(descending=True)
        # Intervals whose cubics are off most are split, as far as there is room.
        count = min(int((off > _FINE_ERROR).sum()), (_MAX_NODES - len(nodes)) // 2)
        error = max(error, *off[count : count + 1].tolist(), 0.0)
        waiting = float(off[0]) / 3  # at a kink; where functions are smooth, it is 81 times less
        taken = order[:count]
        ends = torch.cat([parts[taken, :1], thirds[taken], parts[taken, 1:]], 1)
        parts = ends.unfold(1, 2, 1).flatten(0, 1)
        nodes, place = torch.cat([nodes, thirds[taken].flatten()]).sort()
        samples = torch.cat([samples, at_thirds.unflatten(0, (-1, 2))[taken].flatten(0, 1)])[place]
    error = max(error, waiting) if len(parts) else error
    if not bool(samples.isfinite().all()):
        raise Untold("what it computes is not finite")
    if error > _MAX_ERROR:
        raise Untold(f"its functions jump or bend too fast to be sampled: {error:.0%} off")
    return nodes, samples, error


@dataclass(frozen=True, eq=False)
class Samples:
    """What was sampled of a module."""

    basis: SampledBasis
    coefficients: tuple[Tensor, ...] = ()
    """By layer ``(out, in[, kh, kw], nb)``, where they are not weights of the module."""
    bias: Tensor | None = None
    words: str = ""
    """How far the samples are off, for a person to read."""
    versions: tuple[tuple[int, int], ...] = ()
    """Versions of the tensors from which they were taken."""


def sampled_functions(
    values: Callable[[Tensor], Tensor], interval: Ends, before: Samples | None
) -> tuple[SampledBasis, Tensor]:
    """Sample functions: by the earlier basis, if that still fits, or by the smallest new one.

    ``values`` is as `refined_nodes` takes it. Returns the basis, and coefficients ``(nb, F)``.
    """
    if before is not None and before.basis.serves(interval):
        nodes, old = before.basis.tensors()
        samples = values(nodes)
        fitted: Tensor = torch.linalg.pinv(old) @ samples
        if float((samples - old @ fitted).abs().max()) <= _REFIT_ERROR * float(samples.abs().max()):
            return before.basis, fitted
    nodes, samples, error = refined_nodes(interval, values)
    # The eigenvectors of P × P numbers, however many functions there are.
    vectors = torch.linalg.eigh(samples @ samples.T)[1].flip(1)
    coefficients = vectors.T @ samples
    least = _NEGLIGIBLE_SHARE * (float(samples.abs().max()) or 1.0)
    rest, count = samples, 0
    while count == 0 or (count < len(nodes) and float(rest.abs().max()) > least):
        rest = rest - vectors[:, count : count + 1] * coefficients[count]
        count += 1
    # As large as the functions are, so that coefficients are of the order of 1.
    sizes = vectors[:, :count].abs().amax(0).clamp_min(1e-12)
    basis = SampledBasis.of(nodes, vectors[:, :count] / sizes, error, interval)
    return basis, coefficients[:count] * sizes.unsqueeze(1)


_kept: weakref.WeakKeyDictionary[nn.Module, Samples] = weakref.WeakKeyDictionary()
_again: contextvars.ContextVar[bool] = contextvars.ContextVar("sampled again", default=False)


@contextmanager
def sampled_again() -> Iterator[None]:
    """Have layers whose parameters changed sampled again where they are read.

    Else a reading is the last one: while a model trains, proofs sample again now and then.
    """
    token = _again.set(True)
    try:
        yield
    finally:
        _again.reset(token)


def keep_samples(module: nn.Module, tensors: Sequence[Tensor], samples: Samples) -> None:
    """Keep what was sampled of a module from some tensors."""
    _kept[module] = replace(samples, versions=_versions(tensors))


def kept_samples(module: nn.Module, tensors: Sequence[Tensor] = ()) -> Samples | None:
    """Return the last samples; ``None`` if `sampled_again` asks and tensors have changed."""
    samples = _kept.get(module)
    if samples is not None and tensors and _again.get() and _versions(tensors) != samples.versions:
        return None
    return samples


def all_of(module: nn.Module) -> list[Tensor]:
    """Return all parameters and buffers of a module."""
    return [*module.parameters(), *module.buffers()]


def _versions(tensors: Sequence[Tensor]) -> tuple[tuple[int, int], ...]:
    return tuple((tensor.data_ptr(), tensor._version) for tensor in tensors)


def off_in_words(error: float, real: int, drawn: int) -> str:
    """Say how far Σφ is off, relative to the largest output, and over how many inputs.

    ``real`` counts the inputs that the layer was given, ``drawn`` random ones.
    """
    counts = ((real, "that it was given"), (drawn, "drawn at random"))
    inputs = " and ".join(f"{n:,} inputs {words}" for n, words in counts if n)
    off = f"Σφ is off by at most {at_most(error)} of the largest output over {inputs}"
    return f"{off}, at {time.strftime('%H:%M:%S')}"


def at_most(error: float) -> str:
    """Return an error in one digit, rounded up."""
    if not 0 < error < math.inf:
        return f"{error:.0e}"
    unit = 10.0 ** math.floor(math.log10(error))
    return f"{math.ceil(error / unit - 1e-9) * unit:.0e}"
