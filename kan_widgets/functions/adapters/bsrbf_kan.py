"""Read ``BSRBF_KANLayer`` (hoangthangta/BSRBF_KAN): β_b is a spline plus a Gaussian of LN(x)."""

from dataclasses import dataclass, field

from torch import Tensor

from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.functions.remembered import floats
from kan_widgets.functions.smooth import Gaussian


@dataclass(frozen=True)
class SplinesAndGaussians(GridSpline):
    """β_b = B_b + R_b."""

    gaussians: Gaussian = field(kw_only=True)

    def expand(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., n_basis)``."""
        return super().expand(x) + self.gaussians.expand(x)


tensor_adapter(
    "BSRBF_KANLayer",
    {"rbf.grid": ("nb",), "base_weight": ("out", "in"), "spline_weight": ("out", "in*nb")},
    lambda get: get("spline_weight").unflatten(1, (get("base_weight").shape[1], -1)),
    lambda module: SplinesAndGaussians(
        floats(module.grid[0]),
        module.spline_order,
        gaussians=Gaussian(floats(module.rbf.grid), float(module.rbf.denominator)),
    ),
    library="BSRBF_KAN",
    base=lambda get: get("base_weight"),
    depends=("grid", "rbf.grid"),
    norm="layernorm",
    needs=lambda module: "" if module.grid.ndim == 2 else "grid has no row for each input",
)
