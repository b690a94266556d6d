"""Functions known at points only, as few basis functions times coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor, nn

from kan_widgets.nn.bases.basis import Interval

_FEWEST, _MOST = 65, 257
# Of the largest value: samples closer than this to what lies between others are left out, and
# basis functions that add less.
_FINE, _NEGLIGIBLE, _STEADY = 2e-5, 1e-5, 1e-4
MOST_OFF = 2e-2
"""Of the largest value: farther than this samples may not be off."""


class Untold(ValueError):
    """A layer that cannot be read by sampling, and why."""

    module: nn.Module | None = None
    """The layer, if it could be before."""


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

    def with_error(self, error: float) -> SampledBasis:
        """Return the same functions with another error."""
        return replace(self, error=error)

    def fit(self, samples: Tensor) -> Tensor:
        """Return the coefficients, ``(nb, F)``, of functions sampled at the nodes, ``(P, F)``."""
        values = torch.tensor(self.values, dtype=torch.float64)
        found: Tensor = torch.linalg.lstsq(values, samples).solution
        return found

    def __call__(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., nb)``; beyond the extent as at its end."""
        nodes, values = (
            torch.tensor(t, dtype=x.dtype, device=x.device) for t in (self.nodes, self.values)
        )
        return interpolated(nodes, values, x)


def interpolated(nodes: Tensor, values: Tensor, x: Tensor) -> Tensor:
    """Return cubics through the four nearest of ``values``, (P, F), at ``x``: (..., F)."""
    x = x.clamp(float(nodes[0]), float(nodes[-1]))
    first = (torch.searchsorted(nodes, x.contiguous()) - 2).clamp(0, len(nodes) - 4)
    near = first.unsqueeze(-1) + torch.arange(4, device=x.device)
    at = nodes[near]
    total: Tensor | int = 0
    for k in range(4):
        weight = torch.ones_like(x)
        for other in range(4):
            if other != k:
                weight = weight * (x - at[..., other]) / (at[..., k] - at[..., other])
        total = total + weight.unsqueeze(-1) * values[near[..., k]]
    assert isinstance(total, Tensor)
    return total


def wider(extent: Interval) -> Interval:
    """Return where to sample: also a little beyond what is drawn."""
    room = 0.12 * (extent[1] - extent[0])
    return extent[0] - room, extent[1] + room


def refined_nodes(
    extent: Interval, values: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor, float]:
    """Sample functions at 65 points, and between these where they bend, at up to 257.

    Parameters
    ----------
    extent
        Where.
    values
        Takes points to values, ``(n,)`` to ``(n, ...)``.

    Returns
    -------
    nodes, samples, error
        ``(P,)``, ``(P, ...)``, and the largest difference between nodes that is to be expected from
        those found, relative to the largest value.
    """
    nodes = torch.linspace(*extent, _FEWEST, dtype=torch.float64)
    samples = values(nodes)
    bends = torch.ones(len(nodes) - 1, dtype=torch.bool)
    errors = torch.zeros(len(nodes) - 1, dtype=torch.float64)
    while len(nodes) < _MOST and bool(bends.any()):
        places = bends.nonzero().flatten()
        halfway = (nodes[places] + nodes[places + 1]) / 2
        found = values(halfway)
        scale = float(samples.abs().max()) or 1.0
        guess = interpolated(nodes, samples.flatten(1), halfway)
        off = (guess - found.flatten(1)).abs().amax(1) / scale
        # Those that are off most, as far as there is room.
        order = off.argsort(descending=True)[: _MOST - len(nodes)]
        taken = order[off[order] > _FINE]
        errors[places] = off
        errors[places[taken]] /= 2  # at a kink; where functions are smooth, it is 16 times less
        nodes, samples, bends, errors = _joined(
            nodes, samples, errors, halfway[taken], found[taken], places[taken]
        )
    error = float(errors.max())
    return nodes, samples, error


def _joined(
    nodes: Tensor,
    samples: Tensor,
    errors: Tensor,
    halfway: Tensor,
    found: Tensor,
    places: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Put new nodes between the others; the two halves of an interval are to be looked at."""
    order = torch.cat([nodes, halfway]).argsort()
    halved = torch.zeros(len(errors), dtype=torch.bool)
    halved[places] = True
    twice = halved.long() + 1
    return (
        torch.cat([nodes, halfway])[order],
        torch.cat([samples, found])[order],
        halved.repeat_interleave(twice),
        errors.repeat_interleave(twice),
    )


def fitted_basis(
    nodes: Tensor, samples: Tensor, domain: Interval, extent: Interval
) -> tuple[SampledBasis, Tensor]:
    """Return the fewest basis functions that make all functions sampled, and the coefficients.

    Parameters
    ----------
    nodes, samples
        ``(P,)`` and ``(P, F)``.
    domain, extent
        As `SampledBasis` takes them.

    Returns
    -------
    SampledBasis, Tensor
        And ``(nb, F)``.
    """
    # The eigenvectors of P × P numbers, however many functions there are.
    _, vectors = torch.linalg.eigh(samples @ samples.T)
    vectors = vectors.flip(1)
    coefficients = vectors.T @ samples
    scale = float(samples.abs().max()) or 1.0
    rest = samples.clone()
    count = 0
    while count < len(nodes) and float(rest.abs().max()) > _NEGLIGIBLE * scale:
        rest = rest - vectors[:, count : count + 1] * coefficients[count]
        count += 1
    count = max(count, 1)
    # As large as the functions are, so that coefficients are of the order of 1.
    sizes = vectors[:, :count].abs().amax(0).clamp_min(1e-12)
    values = vectors[:, :count] / sizes
    basis = SampledBasis(tuple(nodes.tolist()), tuple(map(tuple, values.tolist())), domain, extent)
    return basis, coefficients[:count] * sizes.unsqueeze(1)


def sampled_functions(
    values: Callable[[Tensor], Tensor],
    domain: Interval,
    extent: Interval,
    known: SampledBasis | None,
) -> tuple[SampledBasis, Tensor]:
    """Sample functions: those of a basis known before, if it still makes them, or of a new one.

    Parameters
    ----------
    values
        As `refined_nodes` takes it.
    domain, extent
        As `SampledBasis` takes them.
    known
        What they were made of before.

    Returns
    -------
    SampledBasis, Tensor
        And the coefficients, ``(nb, F)``.

    Raises
    ------
    Untold
        If they jump or bend too fast.
    """
    if known is not None and (known.domain, known.extent) == (domain, extent):
        samples = values(torch.tensor(known.nodes, dtype=torch.float64)).flatten(1)
        coefficients = known.fit(samples)
        off = samples - torch.tensor(known.values, dtype=torch.float64) @ coefficients
        if float(off.abs().max()) <= _STEADY * float(samples.abs().max()):
            return known, coefficients
    nodes, samples, error = refined_nodes(wider(extent), values)
    if error > MOST_OFF:
        raise Untold(f"its functions jump or bend too fast to be sampled: {error:.0%} off")
    basis, coefficients = fitted_basis(nodes, samples.flatten(1), domain, extent)
    return basis.with_error(error), coefficients
