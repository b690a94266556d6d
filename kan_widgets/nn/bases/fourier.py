"""A Fourier series: a constant, cosines and sines."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from kan_widgets.nn.bases.basis import Ends, OnGrid, shifted


@dataclass(frozen=True)
class Fourier(OnGrid):
    """A constant and waves by their frequency: 1, cos u, sin u, cos 2u, sin 2u, ..., sin nu.

    u runs from −π to π over ``grid_range``: one period of the slowest wave. With the default range
    u = x, as in FourierKAN. What the waves add is periodic: beyond the range it repeats, and at
    the two ends it is equal; only the base term tells them apart. So give a range somewhat wider
    than the inputs. A NaN or an infinity gives NaN.

    Parameters
    ----------
    frequencies
        Number n of frequencies, at least 1; there are 2n + 1 functions.
    grid_range
        One period, finite, ``lo < hi``.
    constant
        Whether 1 is among the functions; without it there are 2n.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its kind or out of range.

    Examples
    --------
    >>> Fourier(2, (-1.0, 1.0)).labels
    ('1', 'cos π·x', 'sin π·x', 'cos 2π·x', 'sin 2π·x')
    >>> Fourier(1).expand(torch.tensor([0.0]))
    tensor([[1., 1., 0.]])
    """

    _counted = "frequencies", 1
    frequencies: int = 4
    grid_range: Ends = (-math.pi, math.pi)
    constant: bool = True

    @property
    def n_basis(self) -> int:
        """Number of basis functions: ``2 * frequencies``, and one more with the constant."""
        return 2 * self.frequencies + self.constant

    @property
    def frequency_of_each(self) -> tuple[int, ...]:
        """The frequency of each function."""
        frequencies = range(1 - self.constant, self.frequencies + 1)
        return tuple(n for n in frequencies for _ in range(2 if n else 1))

    @property
    def scale(self) -> float:
        """How fast u grows with x."""
        lo, hi = self.grid_range
        return 2 * math.pi / (hi - lo)

    @property
    def labels(self) -> tuple[str, ...]:
        """1, cos x, sin x, cos 2x, ..., with u in place of x where it is not x."""
        lo, hi = self.grid_range
        half, x = (hi - lo) / 2, shifted(self.centre)
        u = x if half == math.pi else f"π·{x}" if half == 1 else f"π·{x}/{half:.3g}"
        times = ["" if n == 1 else str(n) for n in range(1, self.frequencies + 1)]
        waves = tuple(f"{wave} {n}{u}" for n in times for wave in ("cos", "sin"))
        return ("1", *waves) if self.constant else waves

    @property
    def extent(self) -> Ends:
        """A quarter of a period beyond each end, where the waves have begun to repeat."""
        lo, hi = self.grid_range
        return lo - (hi - lo) / 4, hi + (hi - lo) / 4

    @property
    def points(self) -> int:
        """Enough for the fastest wave."""
        return max(128, 64 * self.frequencies)

    def _values(self, x: Tensor) -> Tensor:
        angle, _ = self._angles(x)
        waves = torch.stack([torch.cos(angle), torch.sin(angle)], dim=-1).flatten(-2)
        if self.constant:  # not by ones_like, which would hide a NaN
            waves = torch.cat([angle[..., :1] * 0 + 1, waves], dim=-1)
        return waves

    def _slopes(self, x: Tensor) -> Tensor:
        angle, n = self._angles(x)
        rate = n * self.scale
        slopes = torch.stack([torch.sin(angle) * -rate, torch.cos(angle) * rate], -1).flatten(-2)
        if self.constant:
            slopes = torch.cat([angle[..., :1] * 0, slopes], dim=-1)
        return slopes

    def by_frequency(self, coefficients: Tensor) -> Tensor:
        """Sort coefficients that have all cosines before all sines, along the last dimension."""
        first = int(self.constant)
        waves = coefficients[..., first:].unflatten(-1, (2, -1)).mT.flatten(-2)
        return torch.cat([coefficients[..., :first], waves], dim=-1)

    def _angles(self, x: Tensor) -> tuple[Tensor, Tensor]:
        n = torch.arange(1, self.frequencies + 1, dtype=x.dtype, device=x.device)
        return ((x - self.centre) * self.scale).unsqueeze(-1) * n, n
