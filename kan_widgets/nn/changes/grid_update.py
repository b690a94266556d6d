"""Move the knots to where the inputs are."""

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from kan_widgets.checks import check_number
from kan_widgets.nn.bases.knot_spline import spline_on
from kan_widgets.nn.changes.listeners import together
from kan_widgets.nn.changes.refinement import deviation, quadrature, refit, spline_of
from kan_widgets.nn.changes.sampling import Inputs, checked_inputs
from kan_widgets.nn.changes.torch_optimizer import check_optimizer, forget
from kan_widgets.nn.core import LayerCore
from kan_widgets.nn.torch_modes import ungraded

# Most inputs that coefficients are fitted to; of more, as many are chosen evenly by rank.
_MAX_INPUTS = 4096
# Weight of the grid as a whole in the fit, next to 1 for the inputs. It determines every
# coefficient, and keeps functions near what they were in gaps between inputs. Beyond the grid
# nothing counts: there not even a cubic lies in the space of cubic splines, whose functions fade,
# so that it would be moved inside as well.
_OUTSIDE_WEIGHT = 0.01


def update_layer_grid(
    layer: LayerCore, batch: Inputs, grid_eps: float, margin: float, optimizer: Optimizer | None
) -> float:
    """Move a layer's knots to its inputs; see `KANLayer.update_grid`."""
    old = spline_of(layer, "update_grid")
    check_number("grid_eps", grid_eps, 0, 1)
    check_number("margin", margin)
    check_optimizer(optimizer, [layer.spline_weight])
    values = observed(layer, batch)
    dtype = torch.promote_types(layer.spline_weight.dtype, torch.float32)
    knots = _adapted_knots(values, old.grid_size, old.spline_order, grid_eps, margin)
    least = 16 * torch.finfo(dtype).eps * np.abs(knots).max()
    if np.diff(knots).min() <= least:
        raise ValueError(
            f"the inputs lie too close together for a grid in {dtype}: from {values[0]:.9g} to "
            f"{values[-1]:.9g}, with knots as near as {np.diff(knots).min():.3g}. A larger "
            "grid_eps or margin spreads the knots"
        )
    new = spline_on(knots.tolist(), old.spline_order, dtype)

    ranks = torch.linspace(0, len(values) - 1, min(len(values), _MAX_INPUTS)).round().long()
    points = values[ranks]
    low, high = new.grid_range
    elsewhere, widths = quadrature(old, new, (low, high))
    weights = torch.cat(
        [torch.full_like(points, 1 / len(points)), widths * (_OUTSIDE_WEIGHT / (high - low))]
    )
    coefficients = refit(layer, old, new, torch.cat([points, elsewhere]), weights)
    error = deviation(layer, old, new, coefficients, (float(values[0]), float(values[-1])))
    with together:
        layer.spline_weight.detach().copy_(coefficients)
        layer.basis = new
    forget(optimizer, [layer.spline_weight])
    return error


@ungraded
def observed(layer: LayerCore, batch: Inputs) -> Tensor:
    """Return all inputs of a layer's functions in a batch: sorted, float64, on the CPU."""
    parts = [layer.padded(x).detach().flatten() for x in checked_inputs(batch)]
    return torch.cat(parts).sort().values.cpu().double()


def _adapted_knots(
    values: Tensor, grid_size: int, order: int, grid_eps: float, margin: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return knots between evenly spaced ones (``grid_eps`` = 1) and quantiles of inputs (0).

    Raises `ValueError` if all inputs are equal.
    """
    distinct = torch.unique_consecutive(values).numpy()
    if len(distinct) < 2:
        raise ValueError(
            f"all {len(values)} inputs are {distinct[0]:g}: expected inputs over a range"
        )
    quantiles = np.quantile(distinct, np.linspace(0, 1, grid_size + 1))

    def mixed(low: float, high: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        ends = [low, *quantiles[1:-1], high]
        grid = grid_eps * np.linspace(low, high, grid_size + 1) + (1 - grid_eps) * np.array(ends)
        grid[0], grid[-1] = low, high
        return grid

    # An empty margin wider than the interval beside it would take that interval's spline away.
    tight = mixed(distinct[0], distinct[-1])
    first, last = np.diff(tight)[[0, -1]] * (margin * grid_size)
    low, high = distinct[0] - first, distinct[-1] + last
    grid = mixed(low, high)
    # Steps beyond the grid no wider than those beside them: a spline of which only a far tail lies
    # within the grid would get a coefficient out of all proportion.
    even_step = (high - low) / grid_size
    before = min(even_step, grid[1] - grid[0]) * np.arange(order, 0, -1)
    after = min(even_step, grid[-1] - grid[-2]) * np.arange(1, order + 1)
    return np.concatenate([low - before, grid, high + after])
