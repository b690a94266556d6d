"""Gaussian radial basis functions."""

from dataclasses import dataclass

import torch
from torch import Tensor

from kan_widgets.nn.bases.basis import Ends, OnGrid

# exp(-u²) is 0 from 28 on, in double precision, too: this cuts no value off.
_CUTOFF = 100.0


@dataclass(frozen=True)
class RBF(OnGrid):
    """Gaussian bumps on evenly spaced centres: β_b(x) = exp(−((x − centre_b)/width)²).

    The centres run from one end of ``grid_range`` to the other, and ``width`` is the distance
    between two: the basis of FastKAN (Li 2024, *Kolmogorov-Arnold Networks are Radial Basis
    Function Networks*, eq. 5), whose defaults these are. FastKAN applies it to LayerNorm(x); here
    x is the layer's input itself. Some two widths beyond the grid all bumps are gone. A NaN gives
    NaN.

    Parameters
    ----------
    n_centres
        Number of bumps, at least 2.
    grid_range
        The first and the last centre, finite, ``lo < hi``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its kind or out of range.

    Examples
    --------
    >>> RBF(3, (-1.0, 1.0)).expand(torch.tensor([0.0]))
    tensor([[0.3679, 1.0000, 0.3679]])
    """

    _counted = "n_centres", 2
    n_centres: int = 8
    grid_range: Ends = (-2.0, 2.0)

    @property
    def n_basis(self) -> int:
        """Number of basis functions, ``n_centres``."""
        return self.n_centres

    @property
    def width(self) -> float:
        """Distance between two centres."""
        lo, hi = self.grid_range
        return (hi - lo) / (self.n_centres - 1)

    @property
    def labels(self) -> tuple[str, ...]:
        """R0, R1, ..."""
        return tuple(f"R{b}" for b in range(self.n_centres))

    @property
    def extent(self) -> Ends:
        """Two widths beyond each end, where the last bumps have fallen to 2 %."""
        lo, hi = self.grid_range
        return lo - 2 * self.width, hi + 2 * self.width

    @property
    def points(self) -> int:
        """Sixteen samples to a width."""
        return max(128, 16 * (self.n_centres + 3))

    def _values(self, x: Tensor) -> Tensor:
        return torch.exp(-(self._offsets(x) ** 2))

    def _slopes(self, x: Tensor) -> Tensor:
        offset = self._offsets(x)
        return torch.exp(-(offset**2)) * offset * (-2 / self.width)

    def _offsets(self, x: Tensor) -> Tensor:
        """Distance, with sign and in widths, of ``x`` from every centre."""
        steps = torch.arange(self.n_centres, dtype=x.dtype, device=x.device)
        # Far away means 0, at infinity too, where a product would be 0 times infinity.
        offsets = ((x - self.grid_range[0]) / self.width).unsqueeze(-1) - steps
        return offsets.clamp(-_CUTOFF, _CUTOFF)
