"""Functions known at points only, as few basis functions times coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from kan_widgets.nn.bases.basis import Interval

_FEWEST, _MOST = 65, 257
# Of the largest value: samples closer than this to what lies between others are left out, and
# basis functions that add less.
_FINE, _NEGLIGIBLE, _STEADY, _MOST_OFF = 2e-5, 1e-5, 1e-4, 2e-2
# Points are kept where they reach at most so many times as far as now needed.
_NOT_TOO_WIDE = 1.5


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
