"""Read ``BSRBF_KANLayer`` (hoangthangta/BSRBF_KAN): β_b is a spline plus a Gaussian of LN(x)."""

from dataclasses import dataclass, field

from torch import Tensor

from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.functions.smooth_bases import Gaussian, Smooth


@dataclass(frozen=True)
class _SplinesAndGaussians(GridSpline):
    """β_b = B_b + R_b."""

    gaussians: Smooth = field(kw_only=True)

    def expand(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., n_basis)``."""
        return super().expand(x) + self.gaussians.expand(x)


tensor_adapter(
    "BSRBF_KANLayer",
    {
        "spline_order": int,
        "base_weight": ("out", "in"),
        "spline_weight": ("out", "in*nb"),
        "grid": ("in", "nb+spline_order+1"),
        "rbf.grid": ("nb",),
    },
    "spline_weight",
    lambda module, knots, centres: _SplinesAndGaussians(
        knots, module.spline_order, gaussians=Gaussian(centres, float(module.rbf.denominator))
    ),
    library="BSRBF_KAN",
    base="base_weight",
    grid=("grid", "rbf.grid"),
    norm="layernorm",
)
