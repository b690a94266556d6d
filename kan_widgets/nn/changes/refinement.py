"""The same functions on other knots."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from kan_widgets.checks import check_whole
from kan_widgets.nn.bases.bspline import BSpline, Spline
from kan_widgets.nn.bases.knot_spline import KnotSpline, spline_on
from kan_widgets.nn.changes.listeners import together
from kan_widgets.nn.changes.torch_optimizer import check_optimizer, forget
from kan_widgets.nn.core import LayerCore
from kan_widgets.nn.torch_modes import ungraded

# Values compared at once.
_PIECE = 4_000_000
#: Samples of a half-wave; samples of each of the largest pieces, and how many pieces these are.
_DENSE, _FINE, _LARGEST = 8, 4000, 64


def refine_layer(
    layer: LayerCore, grid_size: int, even: bool, optimizer: Optimizer | None
) -> float:
    """Give a layer a grid of another size; see `KANLayer.refine`."""
    old = spline_of(layer, "refine")
    check_whole("grid_size", grid_size, 1)
    check_optimizer(optimizer, [layer.spline_weight])
    new = refined(old, grid_size, even)
    if new == old:
        return 0.0
    if isinstance(new, KnotSpline):
        dtype = torch.promote_types(layer.spline_weight.dtype, torch.float32)
        new = spline_on(new.knots, new.spline_order, dtype)
    interval = old.grid_range if even else old.support
    coefficients = refit(layer, old, new, *quadrature(old, new, interval))
    error = deviation(layer, old, new, coefficients, interval)
    with together:
        _resize_(layer.spline_weight, coefficients)
        layer.basis = new
    forget(optimizer, [layer.spline_weight])
    return error


def spline_of(layer: LayerCore, method: str) -> Spline:
    """Return a layer's B-splines.

    Raises `TypeError` if its basis has no knots.
    """
    if not isinstance(layer.basis, Spline):
        raise TypeError(
            f"{method} changes the knots of B-splines, but the basis is {layer.basis!r}, "
            "which has none"
        )
    return layer.basis


def refined(old: Spline, grid_size: int, even: bool) -> Spline:
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


def quadrature(old: Spline, new: Spline, interval: tuple[float, float]) -> tuple[Tensor, Tensor]:
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


def refit(layer: LayerCore, old: Spline, new: Spline, points: Tensor, weights: Tensor) -> Tensor:
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


def deviation(
    layer: LayerCore, old: Spline, new: Spline, coefficients: Tensor, interval: tuple[float, float]
) -> float:
    """Return by how much new coefficients change any function in an interval."""
    points, _ = quadrature(old, new, interval)
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
