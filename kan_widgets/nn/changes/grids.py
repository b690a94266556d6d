"""The same functions on other knots: more or fewer of them, or where the inputs are."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from kan_widgets.checks import check_number, check_whole
from kan_widgets.nn.bases.bspline import BSpline, Spline
from kan_widgets.nn.bases.knot_spline import KnotSpline, spline_on
from kan_widgets.nn.changes.listeners import together
from kan_widgets.nn.changes.sampling import Inputs, checked_inputs
from kan_widgets.nn.changes.torch_optimizer import check_optimizer, forget
from kan_widgets.nn.core import LayerCore
from kan_widgets.nn.torch_modes import ungraded

# Values compared at once.
_PIECE = 4_000_000
#: Samples of a half-wave; samples of each of the largest pieces, and how many pieces these are.
_DENSE, _FINE, _LARGEST = 8, 4000, 64
# Most inputs that coefficients are fitted to; of more, as many are chosen evenly by rank.
_MAX_INPUTS = 4096
# Weight of the grid as a whole in the fit, next to 1 for the inputs. It determines every
# coefficient, and keeps functions near what they were in gaps between inputs. Beyond the grid
# nothing counts: there not even a cubic lies in the space of cubic splines, whose functions fade,
# so that it would be moved inside as well.
_OUTSIDE_WEIGHT = 0.01


def refine_layer(
    layer: LayerCore, grid_size: int, even: bool, optimizer: Optimizer | None
) -> float:
    """Give a layer a grid of another size; see `KANLayer.refine`."""
    old = _spline_of(layer, "refine")
    check_whole("grid_size", grid_size, 1)
    check_optimizer(optimizer, [layer.spline_weight])
    new = _refined(old, grid_size, even)
    if new == old:
        return 0.0
    if isinstance(new, KnotSpline):
        dtype = torch.promote_types(layer.spline_weight.dtype, torch.float32)
        new = spline_on(new.knots, new.spline_order, dtype)
    interval = old.grid_range if even else old.support
    coefficients = _refit(layer, old, new, *_quadrature(old, new, interval))
    error = _deviation(layer, old, new, coefficients, interval)
    with together:
        _resize_(layer.spline_weight, coefficients)
        layer.basis = new
    forget(optimizer, [layer.spline_weight])
    return error


def update_layer_grid(
    layer: LayerCore, batch: Inputs, grid_eps: float, margin: float, optimizer: Optimizer | None
) -> float:
    """Move a layer's knots to its inputs; see `KANLayer.update_grid`."""
    old = _spline_of(layer, "update_grid")
    check_number("grid_eps", grid_eps, 0, 1)
    check_number("margin", margin)
    check_optimizer(optimizer, [layer.spline_weight])
    values = _observed(layer, batch)
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
    elsewhere, widths = _quadrature(old, new, (low, high))
    weights = torch.cat(
        [torch.full_like(points, 1 / len(points)), widths * (_OUTSIDE_WEIGHT / (high - low))]
    )
    coefficients = _refit(layer, old, new, torch.cat([points, elsewhere]), weights)
    error = _deviation(layer, old, new, coefficients, (float(values[0]), float(values[-1])))
    with together:
        layer.spline_weight.detach().copy_(coefficients)
        layer.basis = new
    forget(optimizer, [layer.spline_weight])
    return error


@ungraded
def _observed(layer: LayerCore, batch: Inputs) -> Tensor:
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


def _spline_of(layer: LayerCore, method: str) -> Spline:
    """Return a layer's B-splines.

    Raises `TypeError` if its basis has no knots.
    """
    if not isinstance(layer.basis, Spline):
        raise TypeError(
            f"{method} changes the knots of B-splines, but the basis is {layer.basis!r}, "
            "which has none"
        )
    return layer.basis


def _refined(old: Spline, grid_size: int, even: bool) -> Spline:
    """Return the splines of a grid of another size over the same range.

    Each interval is divided evenly where the sizes allow; in general the new knots lie as evenly
    among the old ones as they can. The knots beyond the grid stay.
    """
    order = old.spline_order
    if even:
        return BSpline(grid_size, order, old.grid_range)
    knots = old.knots
    grid = knots[order : order + old.grid_size + 1]
    places = np.arange(grid_size + 1) * (old.grid_size / grid_size)
    # A place that should be a whole number is one, so that its knot is met exactly.
    places = np.where(np.abs(places - places.round()) < 1e-9, places.round(), places)
    inner = np.interp(places, np.arange(old.grid_size + 1), grid).tolist()
    return spline_on([*knots[:order], *inner, *knots[order + old.grid_size + 1 :]], order)


def _quadrature(old: Spline, new: Spline, interval: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Return points and weights that integrate squares of both splines exactly (Gauss).

    Between any two neighbours among both splines' knots lie ``spline_order + 1`` of them.
    """
    low, high = interval
    edges: NDArray[np.float64] = np.unique([low, high, *old.knots, *new.knots])
    edges = edges[(edges >= low) & (edges <= high)]
    # Knots that agree but for rounding are one, or there would be points between the two.
    edges = edges[np.append(True, np.diff(edges) > 1e-12 * (high - low))]
    nodes, weights = np.polynomial.legendre.leggauss(old.spline_order + 1)
    half = np.diff(edges)[:, None] / 2
    points = edges[:-1, None] + half * (1 + nodes)
    return torch.from_numpy(points.ravel()), torch.from_numpy((half * weights).ravel())


def _refit(layer: LayerCore, old: Spline, new: Spline, points: Tensor, weights: Tensor) -> Tensor:
    """Return the coefficients on ``new`` whose splines are nearest the old ones.

    Nearest in the sum of squares at ``points``, weighted. All in float64 on the CPU; returned as
    the layer's parameter is.
    """
    scale = weights.sqrt().unsqueeze(-1)
    rows, wanted = new.expand(points) * scale, old.expand(points) * scale
    # One fit for the old basis functions serves all sums of them.
    transfer: Tensor = torch.linalg.lstsq(rows, wanted, driver="gelsd").solution
    before = layer.spline_weight.detach()
    return (before.cpu().double() @ transfer.T).to(before.device, before.dtype)


def _deviation(
    layer: LayerCore, old: Spline, new: Spline, coefficients: Tensor, interval: tuple[float, float]
) -> float:
    """Return by how much new coefficients change any function in an interval."""
    points, _ = _quadrature(old, new, interval)
    scale = torch.ones_like(layer.base_weight, requires_grad=False).detach()
    if layer.spline_scaler is not None:
        scale = layer.spline_scaler.detach().abs()
    if layer.mask is not None:
        scale = scale * layer.mask
    scale = scale.cpu().double().reshape(-1, 1)
    before = layer.spline_weight.detach().cpu().double().flatten(0, -2) * scale
    after = coefficients.cpu().double().flatten(0, -2) * scale
    values_before, values_after = old.expand(points).T, new.expand(points).T
    rows = max(1, _PIECE // (_DENSE * len(points)))
    largest = [
        _largest((b @ values_after - a @ values_before).reshape(-1, old.spline_order + 1))
        for a, b in zip(before.split(rows), after.split(rows), strict=True)
    ]
    return float(np.max(largest))


def _largest(pieces: Tensor) -> float:
    """Return the largest magnitude of some polynomials on an interval; NaN if one has a NaN.

    ``pieces`` are their values at the Gauss points of the interval, ``(n, degree + 1)`` float64.
    """
    size = pieces.shape[1]
    nodes, _ = np.polynomial.legendre.leggauss(size)
    powers = pieces @ torch.from_numpy(np.linalg.inv(np.vander(nodes, increasing=True))).T
    # A polynomial is a sum of cosines of the angle: sampled evenly in that, its maximum is at most
    # 2 % above the largest sample (Ehlich and Zeller 1964). The largest are sampled again, finely.
    for points in (_DENSE * size, _FINE):
        x = np.cos(np.linspace(0, np.pi, points + 1))
        met = (powers @ torch.from_numpy(np.vander(x, size, increasing=True)).T).abs().amax(-1)
        powers = powers[met.topk(min(len(met), _LARGEST)).indices]
    return float(met.max())


@ungraded
def _resize_(parameter: nn.Parameter, values: Tensor) -> None:
    """Give a parameter values of another shape; it stays the same object, without a gradient."""
    parameter.grad = None
    # A graph that is still alive, such as that of the last loss, holds a node that knows the old
    # shape. Assigning data of another type makes torch let go of that node.
    other = torch.float64 if parameter.dtype != torch.float64 else torch.float32
    parameter.data = torch.empty(0, dtype=other, device=parameter.device)
    parameter.data = values
