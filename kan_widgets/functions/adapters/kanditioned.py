"""Read the ``KANLayer`` of kanditioned (PyPI): straight pieces between control points."""

from dataclasses import dataclass

import torch
from torch import Tensor

from kan_widgets.functions.recipes import tensor_adapter


@dataclass(frozen=True)
class _Pieces:
    """β_b is 1 at control point b, 0 at all others, and straight between them."""

    n_basis: int
    width: float

    domain = property(lambda self: (-self.width / 2, self.width / 2))
    knots = property(
        lambda self: tuple(self.width * (b / (self.n_basis - 1) - 0.5) for b in range(self.n_basis))
    )
    labels = property(lambda self: tuple(f"B{b}" for b in range(self.n_basis)))

    def expand(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., n_basis)``."""
        place = (x + self.width / 2) * (self.n_basis - 1) / self.width
        first = place.floor().clamp(0, self.n_basis - 2).long()
        right, points = (place - first).unsqueeze(-1), torch.eye(self.n_basis).to(x)
        return points[first] * (1 - right) + points[first + 1] * right


tensor_adapter(
    "KANLayer",
    {"kan_weight": ("in", "nb", "out")},
    "kan_weight",
    lambda module: _Pieces(module.num_control_points, float(module.spline_width)),
    library="kanditioned",
)
