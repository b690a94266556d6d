"""Vectors of a model that frames have beside the coefficients of its layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Vector(NamedTuple):
    """Numbers that a frame has beside coefficients: a bias, or the scale or statistics of a norm.

    They follow the coefficients, one vector after the other.
    """

    name: str
    """Path of the parameter or buffer in the model."""
    size: int


def vectors_of(beside: Mapping[str, Tensor]) -> tuple[Vector, ...]:
    """Return what a layout says of numbers beside the coefficients, by their paths."""
    return tuple(Vector(name, vector.numel()) for name, vector in beside.items())
