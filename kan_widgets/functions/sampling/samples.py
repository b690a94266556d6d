"""Functions known at points only: how they are sampled, and kept until that is due anew."""

from __future__ import annotations

import contextvars
import math
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from kan_widgets.functions.coefficients import ALL, Part, Rewrite, Rewriter
from kan_widgets.functions.given import seen_by
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import SAMPLED, Adapter, Reader, Sum, Verdict, settle
from kan_widgets.functions.undisturbed import stand_in
from kan_widgets.nn.bases.basis import Interval

_FEWEST, _MOST = 65, 257
# Of the largest value: samples closer than this to what lies between others are left out, and
# basis functions that add less.
_FINE, _NEGLIGIBLE, _STEADY, _MOST_OFF = 2e-5, 1e-5, 1e-4, 2e-2
# Points are kept where they reach at most so many times as far as now needed.
_NOT_TOO_WIDE = 1.5
# Sampling takes at most this share of the time of a training.
_SHARE = 0.01
LOCKED = "Its functions are sampled: how they follow from its parameters is not known."


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
    domain: Interval
    extent: Interval
    error: float = 0.0

    knots: tuple[float, ...] = ()
    continuous: bool = True
    points: int = _MOST

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
        """Where they were sampled."""
        at = f"Sampled at {len(self.nodes)} points each from {self.nodes[0]:.3g} to "
        return f"{at}{self.nodes[-1]:.3g}"

    @property
    def is_straight(self) -> bool:
        """Whether all functions are straight lines."""
        nodes, values = self.tensors()
        lines = torch.stack([nodes, torch.ones_like(nodes)], dim=1)
        return float((values - lines @ (torch.linalg.pinv(lines) @ values)).abs().max()) < 1e-4

    def serves(self, extent: Interval) -> bool:
        """Whether it was sampled where functions are to be looked at, and not much further."""
        (low, high), (first, last) = extent, (self.nodes[0], self.nodes[-1])
        return first <= low < high <= last <= first + _NOT_TOO_WIDE * (high - low)

    @classmethod
    def of(
        cls, nodes: Tensor, values: Tensor, domain: Interval, extent: Interval, error: float
    ) -> SampledBasis:
        """Return the basis of some tensors."""
        rows = tuple(map(tuple, values.tolist()))
        return cls(tuple(nodes.tolist()), rows, domain, extent, error)

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


def wider(extent: Interval) -> Interval:
    """Return where to sample: also a little beyond what is drawn."""
    room = 0.12 * (extent[1] - extent[0])
    return extent[0] - room, extent[1] + room


def refined_nodes(
    extent: Interval, values: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor, float]:
    """Sample functions at 65 points, and between these where they bend, at up to 257.

    ``values`` takes points to values, ``(n,)`` to ``(n, F)``. Returned are the points, ``(P,)``,
    the values, ``(P, F)``, and the largest difference between points that is to be expected from
    those found, relative to the largest value.
    """
    nodes = torch.linspace(*extent, _FEWEST, dtype=torch.float64)
    samples = values(nodes)
    starts, ends, error, waiting = nodes[:-1], nodes[1:], 0.0, 0.0
    while len(starts) and len(nodes) < _MOST:
        halfway = (starts + ends) / 2
        found = values(halfway)
        off = (interpolated(nodes, samples, halfway) - found).abs().amax(1)
        off, order = (off / (float(samples.abs().max()) or 1.0)).sort(descending=True)
        # Those that are off most, as far as there is room.
        count = min(int((off > _FINE).sum()), _MOST - len(nodes))
        error = max(error, *off[count : count + 1].tolist(), 0.0)
        waiting = float(off[0]) / 2  # at a kink; where functions are smooth, it is 16 times less
        taken = order[:count]
        starts = torch.cat([starts[taken], halfway[taken]])
        ends = torch.cat([halfway[taken], ends[taken]])
        nodes, place = torch.cat([nodes, halfway[taken]]).sort()
        samples = torch.cat([samples, found[taken]])[place]
    return nodes, samples, max(error, waiting) if len(starts) else error


def sampled_functions(
    values: Callable[[Tensor], Tensor],
    domain: Interval,
    extent: Interval,
    known: SampledBasis | None,
) -> tuple[SampledBasis, Tensor]:
    """Sample functions: by a basis known before, if it still makes them, or by the smallest one.

    ``values`` is as `refined_nodes` takes it. Returned are the basis, and coefficients ``(nb, F)``.

    Raises
    ------
    Untold
        If they jump or bend too fast.
    """
    if known is not None and known.serves(extent):
        before, old = known.tensors()
        samples = values(before)
        fitted: Tensor = torch.linalg.lstsq(old, samples).solution
        if float((samples - old @ fitted).abs().max()) <= _STEADY * float(samples.abs().max()):
            return known, fitted
    nodes, samples, error = refined_nodes(wider(extent), values)
    if error > _MOST_OFF:
        raise Untold(f"its functions jump or bend too fast to be sampled: {error:.0%} off")
    # The eigenvectors of P × P numbers, however many functions there are.
    vectors = torch.linalg.eigh(samples @ samples.T)[1].flip(1)
    coefficients = vectors.T @ samples
    scale = float(samples.abs().max()) or 1.0
    rest, count = samples, 0
    while count < len(nodes) and float(rest.abs().max()) > _NEGLIGIBLE * scale:
        rest = rest - vectors[:, count : count + 1] * coefficients[count]
        count += 1
    count = max(count, 1)
    # As large as the functions are, so that coefficients are of the order of 1.
    sizes = vectors[:, :count].abs().amax(0).clamp_min(1e-12)
    basis = SampledBasis.of(nodes, vectors[:, :count] / sizes, domain, extent, error)
    return basis, coefficients[:count] * sizes.unsqueeze(1)


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


def around_in_words(module: nn.Module, after: Sequence[str], why: str) -> list[str]:
    """Say what parts come after a sum, the last one first, and why it was sampled."""
    around = [type(module.get_submodule(name)).__name__ for name in reversed(after)]
    comes = f"{' and '.join(around)} come{'s' * (len(around) < 2)} after the sum."
    return [*([comes] if around else []), *([f"{why}."] if why else [])]


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
