"""Basis functions as they are read from a model, including the base term and its activation."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.functions.layer_settings import STRAIGHT
from kan_widgets.nn.activation import ACTIVATIONS, BaseActivation, resolve_activation
from kan_widgets.nn.bases.basis import Basis, Ends


class ReadBasis(Protocol):
    """What the coefficients of a read layer multiply: the β_b of φ(x) = Σ_b C_b·β_b(x).

    Most often a `LayerBasis`: a base activation beside a `kan_widgets.nn.Basis`. What does not
    fit that form, such as an edge with a formula, has these members itself. It may also have
    ``points``, how many samples draw a β without knots well; by default 128.

    A frame whose basis differs from the last one's makes the browser fetch new
    tables. Bases that compare equal are taken to be the same functions unless one
    has an attribute ``fixed`` that is False (its parameters are trained); those that
    differ are tabulated and compared by their values. They must be hashable.
    """

    @property
    def labels(self) -> tuple[str, ...]:
        """One short name per function."""

    @property
    def is_base(self) -> tuple[bool, ...]:
        """For each function whether it belongs to the base term."""

    @property
    def domain(self) -> Ends:
        """The interval φ is meant for: the spline's grid range."""

    @property
    def extent(self) -> Ends:
        """The wider interval worth drawing: the support of the local functions."""

    @property
    def knots(self) -> tuple[float, ...]:
        """Points where a derivative jumps, ascending; empty for smooth functions."""

    @property
    def continuous(self) -> bool:
        """Whether β is continuous; where not, each knot is sampled from both sides."""

    def __call__(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., nb)``."""


class Alike(tuple[ReadBasis, ...]):
    """Bases that differ only in where their functions lie: of one size, all fixed or none.

    A check of the first holds for all: else a grid for each of ten thousand kernel entries
    would be checked in every frame.
    """

    __slots__ = ()


def one_of_each(bases: tuple[ReadBasis, ...]) -> tuple[ReadBasis, ...]:
    """Return the bases to check where only size and ``fixed`` matter."""
    return bases[:1] if isinstance(bases, Alike) else bases


@dataclass(frozen=True)
class LayerBasis:
    """The functions of a basis, `kan_widgets.nn.Basis`, after a base activation if there is one.

    Reading needs no ``derivative`` of the basis.

    Examples
    --------
    >>> from kan_widgets.nn import RBF
    >>> LayerBasis(RBF(2)).labels
    ('R0', 'R1')
    >>> LayerBasis(RBF(2), "silu").labels
    ('silu', 'R0', 'R1')
    """

    basis: Basis
    base_activation: BaseActivation | None = None

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The activation's name, then the basis's labels."""
        labels = tuple(self.basis.labels)
        if self.base_activation is None:
            return labels
        return (activation_label(self.base_activation), *labels)

    @cached_property
    def is_base(self) -> tuple[bool, ...]:
        """True for the activation."""
        others = (False,) * self.basis.n_basis
        return others if self.base_activation is None else (True, *others)

    @property
    def domain(self) -> Ends:
        """The basis's domain: the grid range of splines."""
        return self.basis.domain

    @property
    def extent(self) -> Ends:
        """The basis's extent: the support of splines; by default twice as wide as the domain."""
        low, high = self.domain
        room = (high - low) / 2
        return getattr(self.basis, "extent", (low - room, high + room))

    @property
    def knots(self) -> tuple[float, ...]:
        """All knots, including those beyond the grid; empty for smooth functions."""
        return tuple(getattr(self.basis, "knots", ()))

    @property
    def continuous(self) -> bool:
        """False for splines of order 0, which are steps."""
        return bool(getattr(self.basis, "continuous", True))

    @property
    def points(self) -> int:
        """How many samples draw functions without knots well."""
        return int(getattr(self.basis, "points", 128))

    @property
    def fixed(self) -> bool:
        """False if the activation or the basis has parameters, which training changes."""
        return _parameter(self.base_activation) is None and _parameter(self.basis) is None

    def __call__(self, x: Tensor) -> Tensor:
        like = _parameter(self.basis)
        values = self.basis.expand(x if like is None else x.to(like)).to(x)
        if self.base_activation is None:
            return values
        base = activate(self.base_activation, x)
        return torch.cat([base.to(values).unsqueeze(-1), values], dim=-1)


@dataclass(frozen=True)
class IdentityBasis:
    """β(x) = x: an ordinary weight is the straight line φ(x) = w·x."""

    domain: Ends = (-1.0, 1.0)
    extent: Ends = (-2.0, 2.0)
    labels: tuple[str, ...] = STRAIGHT
    is_base: tuple[bool, ...] = (True,)
    knots: tuple[float, ...] = ()
    continuous: bool = True

    def __call__(self, x: Tensor) -> Tensor:
        return x.unsqueeze(-1)


@dataclass(frozen=True)
class NoFunctions:
    """A basis of no functions: in a `LayerBasis` the base activation stands alone.

    Examples
    --------
    >>> LayerBasis(NoFunctions(), "relu")(torch.tensor([-1.0, 2.0]))
    tensor([[0.],
            [2.]])
    """

    n_basis: ClassVar[int] = 0
    labels: ClassVar[tuple[str, ...]] = ()

    domain: Ends = (-1.0, 1.0)
    extent: Ends = (-2.0, 2.0)

    def expand(self, x: Tensor) -> Tensor:
        """Nothing, ``(...)`` to ``(..., 0)``."""
        return x.new_empty((*x.shape, 0))

    derivative = expand


# -- activations as other people's modules hold them ----------------------------------

_NAMES: dict[type[nn.Module] | Callable[..., Tensor], str] = {
    nn.SiLU: "silu",
    nn.ReLU: "relu",
    nn.Tanh: "tanh",
    nn.Identity: "identity",
    F.silu: "silu",
    F.gelu: "gelu",
    F.relu: "relu",
    F.tanh: "tanh",
    torch.relu: "relu",
    torch.tanh: "tanh",
}


def named_activation(activation: Callable[[Tensor], Tensor]) -> BaseActivation:
    """Return a well-known activation's name, or the activation itself; for a class, an instance.

    Two layers have their own ``nn.SiLU()``; by name their bases compare equal.
    """
    if isinstance(activation, type):
        activation = activation()
    if isinstance(activation, nn.GELU) and activation.approximate == "none":
        return "gelu"
    kind = type(activation) if isinstance(activation, nn.Module) else activation
    return _NAMES.get(kind, activation)


def activation_label(activation: BaseActivation) -> str:
    """Return a short name to show."""
    if isinstance(activation, str):
        return activation
    if isinstance(activation, nn.Module):
        return type(activation).__name__.lower()
    name: str = getattr(activation, "__name__", "base")
    return "base" if name == "<lambda>" else name


def activate(activation: BaseActivation, x: Tensor) -> Tensor:
    """Apply ``activation`` in its parameters' dtype and device, if it has any."""
    if isinstance(activation, str):
        return ACTIVATIONS[activation][0](x)
    parameter = _parameter(activation)
    return resolve_activation(activation)(x if parameter is None else x.to(parameter)).to(x)


def _parameter(owner: object) -> Tensor | None:
    """Return a parameter of an activation that is a module and has one, else None."""
    return next(owner.parameters(), None) if isinstance(owner, nn.Module) else None
