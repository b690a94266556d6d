"""What a basis is: the functions of one variable that every φ of a layer is a sum of."""

import functools
import math
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from kan_widgets.checks import check_whole
from kan_widgets.nn.torch_modes import traced, transformed, watched

Ends = tuple[float, float]


class Basis(Protocol):
    """Basis functions β_b; each φ of a layer is its base term plus Σ_b spline_weight[b]·β_b(x).

    :class:`BSpline`, :class:`KnotSpline`, :class:`RBF`, :class:`Chebyshev` and :class:`Fourier`
    are bases; so is any object with these five members. Pass one to a layer as ``basis=``. It must
    be hashable and must not change while a layer uses it: a frozen dataclass is best. A basis with
    trained parameters of its own is an ``nn.Module``.

    Optional members, used by the views:

    - ``extent``: the interval worth drawing; by default the domain and half its width on each side.
    - ``knots``: points where a derivative jumps, in rising order; by default none.
    - ``continuous``: False if β jumps at knots.
    - ``points``: how many samples draw β well; by default 128.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from kan_widgets.nn import KANLinear
    >>> @dataclass(frozen=True)
    ... class Powers:
    ...     n_basis = 3
    ...     labels = ("1", "x", "x²")
    ...     domain = (-1.0, 1.0)
    ...
    ...     def expand(self, x):
    ...         return torch.stack([torch.ones_like(x), x, x * x], dim=-1)
    ...
    ...     def derivative(self, x):
    ...         return torch.stack([torch.zeros_like(x), torch.ones_like(x), 2 * x], dim=-1)
    >>> KANLinear(2, 1, basis=Powers()).spline_weight.shape
    torch.Size([1, 2, 3])
    """

    @property
    def n_basis(self) -> int:
        """Number of basis functions."""

    @property
    def labels(self) -> tuple[str, ...]:
        """One short name per basis function, all different."""

    @property
    def domain(self) -> Ends:
        """The interval of x that the functions are meant for."""

    def expand(self, x: Tensor) -> Tensor:
        """Return β at ``x``, ``(*x.shape, n_basis)``, in the dtype of ``x``, differentiable."""

    def derivative(self, x: Tensor) -> Tensor:
        """Return dβ/dx at ``x``, ``(*x.shape, n_basis)``, differentiable."""


class OnGrid:
    """What the bases of the package share: a grid, whose range they are meant for."""

    grid_range: Ends
    _counted: ClassVar[tuple[str, int]]
    """The field that says how many functions there are, and the least that it may be."""

    def __post_init__(self) -> None:
        """Check the numbers and store the range as a tuple of floats."""
        name, least = self._counted
        check_whole(name, getattr(self, name), least)
        object.__setattr__(self, "grid_range", checked_range(self.grid_range))

    @property
    def domain(self) -> Ends:
        """The grid range."""
        return self.grid_range

    @property
    def centre(self) -> float:
        """The middle of the grid range."""
        lo, hi = self.grid_range
        return (lo + hi) / 2

    def expand(self, x: Tensor) -> Tensor:
        """Evaluate all functions at ``x``: ``(*x.shape, n_basis)``, twice differentiable.

        Half precision is computed in float32. Raises `TypeError` if ``x`` is not floating point.
        """
        return self._values(_computable(x)).to(x.dtype)

    def derivative(self, x: Tensor) -> Tensor:
        """Evaluate the first derivative of all functions, as ``expand`` does the functions."""
        return self._slopes(_computable(x)).to(x.dtype)

    def _values(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _slopes(self, x: Tensor) -> Tensor:
        raise NotImplementedError


def shifted(centre: float) -> str:
    """Return x − centre in writing: ``"x"``, ``"(x − 0.5)"``."""
    return f"(x {'−' if centre > 0 else '+'} {abs(centre):.3g})" if centre else "x"


_MEMBERS = ("n_basis", "labels", "domain", "expand", "derivative")


def check_basis(basis: Any) -> None:
    """Check that an object is a basis by evaluating it on its domain.

    Raises `TypeError` if it is a class, lacks a member, or cannot be hashed, and `ValueError` if
    what its members return is inconsistent.
    """
    if isinstance(basis, type):
        raise TypeError(
            f"basis={basis.__name__}: expected an instance, not a class; give one with its "
            f"arguments: {basis.__name__}(...)"
        )
    kind = type(basis).__name__
    missing = [name for name in _MEMBERS if not hasattr(basis, name)]
    if missing:
        raise TypeError(
            f"a basis has {', '.join(_MEMBERS)}; {kind} lacks {', '.join(missing)}. "
            "See kan_widgets.nn.Basis"
        )
    try:
        hash(basis)
    except TypeError:
        raise TypeError(
            f"{kind} cannot be hashed: make it a frozen dataclass of numbers and tuples"
        ) from None
    n, (low, high) = basis.n_basis, basis.domain
    if len(basis.labels) != n or len(set(basis.labels)) != n:
        raise ValueError(
            f"{kind}.labels={basis.labels!r}: expected {n} different names, one per basis function"
        )
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"{kind}.domain=({low}, {high}): expected two finite numbers, low < high")
    like = next(basis.parameters(), None) if isinstance(basis, nn.Module) else None
    x = torch.linspace(low, high, 6, device=None if like is None else like.device).view(2, 3)
    with torch.no_grad():
        for name in ("expand", "derivative"):
            values = getattr(basis, name)(x)
            if values.shape != (2, 3, n):
                raise ValueError(
                    f"{kind}.{name}(x) of shape {tuple(values.shape)} for an x of shape (2, 3): "
                    f"expected (*x.shape, n_basis), here {(2, 3, n)}"
                )
            if not values.isfinite().all():
                raise ValueError(f"{kind}.{name} is not finite on its domain ({low}, {high})")


def checked_range(grid_range: Any) -> Ends:
    """Return a grid range as a pair of floats.

    Raises `TypeError` if it is not two numbers, and `ValueError` if they are not finite or do not
    rise.
    """
    try:
        low, high = (float(end) for end in grid_range)
    except (TypeError, ValueError):
        raise TypeError(f"grid_range={grid_range!r}: expected two numbers (lo, hi)") from None
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"grid_range=({low}, {high}): expected finite numbers")
    if not low < high:
        raise ValueError(
            f"grid_range=({low}, {high}): expected (lo, hi) with lo < hi"
            + ("; swap the two ends" if low > high else "")
        )
    return low, high


def check_floating(x: Tensor) -> None:
    """Check that ``x`` holds real numbers, to which basis functions apply.

    Raises `TypeError` if ``x`` is not floating point.
    """
    if not x.is_floating_point():
        real = "x.real" if x.is_complex() else "x.float()"
        raise TypeError(f"input of type {x.dtype}: expected a floating-point tensor; give {real}")


def _computable(x: Tensor) -> Tensor:
    """Return ``x`` in a dtype wide enough to evaluate a basis: at least float32.

    Raises `TypeError` if ``x`` is not floating point.
    """
    check_floating(x)
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def placed(numbers: tuple[float, ...], like: Tensor) -> Tensor:
    """Return numbers in the dtype and on the device of ``like``: shared, not to be changed."""
    if traced():  # torch warns of torch.tensor then
        return torch.stack([like.new_full((), number) for number in numbers])
    if transformed() or watched():
        return torch.tensor(numbers, dtype=like.dtype, device=like.device)
    return _placed(numbers, like.dtype, like.device)


@functools.lru_cache(maxsize=256)
def _placed(numbers: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Make the tensor once: each copy to an accelerator would make the CPU wait."""
    with torch._C._InferenceMode(False):
        return torch.tensor(numbers, dtype=dtype, device=device)
