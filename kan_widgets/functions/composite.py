"""Bases made of other bases: a base term beside local functions, or one alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from kan_widgets.functions.activation import activate, activation_is_fixed, activation_label
from kan_widgets.functions.basis import Basis, Interval
from kan_widgets.nn.activation import BaseActivation


@dataclass(frozen=True)
class WithBase:
    """A base activation followed by the functions of another basis.

    Examples
    --------
    >>> from kan_widgets.functions import Gaussian
    >>> WithBase("silu", Gaussian((-1.0, 1.0), 1.0)).labels
    ('silu', 'R0', 'R1')
    """

    base_activation: BaseActivation
    others: Basis

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The activation's name, then the others' labels."""
        return (activation_label(self.base_activation), *self.others.labels)

    @cached_property
    def is_base(self) -> tuple[bool, ...]:
        """True for the activation."""
        return (True, *self.others.is_base)

    @property
    def domain(self) -> Interval:
        """The others' domain."""
        return self.others.domain

    @property
    def extent(self) -> Interval:
        """The others' extent."""
        return self.others.extent

    @property
    def knots(self) -> tuple[float, ...]:
        """The others' knots."""
        return self.others.knots

    @property
    def continuous(self) -> bool:
        """Whether the others are continuous."""
        return self.others.continuous

    @property
    def fixed(self) -> bool:
        """False if training changes the activation or the others."""
        return activation_is_fixed(self.base_activation) and getattr(self.others, "fixed", True)

    def __call__(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., nb)``."""
        others = self.others(x)
        base = activate(self.base_activation, x).to(others).unsqueeze(-1)
        return torch.cat([base, others], dim=-1)


@dataclass(frozen=True)
class BaseOnly:
    """A base activation alone: φ(x) = w·act(x).

    Examples
    --------
    >>> BaseOnly("relu")(torch.tensor([-1.0, 2.0]))
    tensor([[0.],
            [2.]])
    """

    knots: ClassVar[tuple[float, ...]] = ()
    continuous: ClassVar[bool] = True
    is_base: ClassVar[tuple[bool, ...]] = (True,)

    base_activation: BaseActivation
    domain: Interval = (-1.0, 1.0)
    extent: Interval = (-2.0, 2.0)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The activation's name."""
        return (activation_label(self.base_activation),)

    @property
    def fixed(self) -> bool:
        """False if training changes the activation."""
        return activation_is_fixed(self.base_activation)

    def __call__(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., 1)``."""
        return activate(self.base_activation, x).unsqueeze(-1)
