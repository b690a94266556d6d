"""Basis functions as a model reader hands them on: β(x) with its labels, domain and knots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from kan_widgets.functions.activation import activate, activation_is_fixed, activation_label
from kan_widgets.nn.activation import BaseActivation
from kan_widgets.nn.bspline import BSpline

Interval = tuple[float, float]


class Basis(Protocol):
    """The basis functions β_b that a layer's functions φ(x) = Σ_b C_b·β_b(x) share.

    A frame whose basis differs from the last one's makes the browser fetch new
    tables. Bases that compare equal are taken to be the same functions unless one
    has an attribute ``fixed`` that is False (its parameters are trained); those that
    differ are tabulated and compared by their values. They must be hashable.
    """

    @property
    def labels(self) -> tuple[str, ...]:
        """One short name per basis function."""

    @property
    def is_base(self) -> tuple[bool, ...]:
        """For each basis function whether it belongs to the base term."""

    @property
    def domain(self) -> Interval:
        """The interval φ is meant for: the spline's grid range."""

    @property
    def extent(self) -> Interval:
        """The wider interval worth drawing: the support of the local functions."""

    @property
    def knots(self) -> tuple[float, ...]:
        """Points where a derivative jumps, ascending; empty for smooth functions."""

    @property
    def continuous(self) -> bool:
        """Whether β is continuous; where not, each knot is sampled from both sides."""

    def __call__(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., nb)``."""


@dataclass(frozen=True)
class SplineBasis:
    """A base activation followed by the B-splines of one uniform grid.

    ``base_activation`` is ``None`` for a layer without a base term.
    """

    spline: BSpline
    base_activation: BaseActivation | None = "silu"

    @property
    def labels(self) -> tuple[str, ...]:
        """The activation's name, then B0, B1, ..."""
        splines = tuple(f"B{b}" for b in range(self.spline.n_basis))
        if self.base_activation is None:
            return splines
        return (activation_label(self.base_activation), *splines)

    @property
    def is_base(self) -> tuple[bool, ...]:
        """True for the activation."""
        splines = (False,) * self.spline.n_basis
        return splines if self.base_activation is None else (True, *splines)

    @property
    def domain(self) -> Interval:
        """The grid range."""
        return self.spline.grid_range

    @property
    def extent(self) -> Interval:
        """The splines' support: ``spline_order`` steps beyond the grid on each side."""
        return self.spline.support

    @property
    def knots(self) -> tuple[float, ...]:
        """All knots, those beyond the grid included."""
        return self.spline.knots

    @property
    def continuous(self) -> bool:
        """False for order 0, whose splines are steps."""
        return self.spline.spline_order > 0

    @property
    def fixed(self) -> bool:
        """False if the base activation is a module with parameters, which training changes."""
        return self.base_activation is None or activation_is_fixed(self.base_activation)

    def __call__(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., nb)``."""
        splines = self.spline.expand(x)
        if self.base_activation is None:
            return splines
        base = activate(self.base_activation, x)
        return torch.cat([base.to(splines).unsqueeze(-1), splines], dim=-1)


@dataclass(frozen=True)
class IdentityBasis:
    """β(x) = x: an ordinary weight is the straight line φ(x) = w·x."""

    domain: Interval = (-1.0, 1.0)
    extent: Interval = (-2.0, 2.0)
    labels: tuple[str, ...] = ("x",)
    is_base: tuple[bool, ...] = (True,)
    knots: tuple[float, ...] = ()
    continuous: bool = True

    def __call__(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., 1)``."""
        return x.unsqueeze(-1)
