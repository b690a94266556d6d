"""The layers by brute force in float64: SciPy's B-splines and numpy loops over kernel entries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline as SciPySpline

Array = NDArray[np.float64]
PAD_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def scipy_basis(
    x: Array, grid_size: int, order: int, grid_range: tuple[float, float], derivative: int = 0
) -> Array:
    """All basis functions at x, shape (*x.shape, grid_size + order), zero beyond the support."""
    lo, hi = grid_range
    step = (hi - lo) / grid_size
    # More knots on both sides make the whole support SciPy's base interval, or more than that for
    # a derivative, whose value at the last knot is the one to its left.
    more = order + derivative
    knots = lo + step * np.arange(-order - more, grid_size + order + more + 1)
    n = grid_size + order
    coefficients = np.eye(n + 2 * more)[:, more : more + n]
    spline = SciPySpline(knots, coefficients, order, extrapolate=False)
    if derivative:
        spline = spline.derivative(derivative)
    values = spline(x)
    return np.where(np.isnan(values) & ~np.isnan(x)[..., None], 0.0, values)


def silu(x: Array) -> Array:
    return x / (1 + np.exp(-x))


def phi(x: Array, base_weight: Array, coefficients: Array, **basis) -> Array:
    """One function at x."""
    return base_weight * silu(x) + scipy_basis(x, **basis) @ coefficients


def kan_conv2d(
    x: Array,
    base_weight: Array,
    coefficients: Array,
    pads: tuple[int, int, int, int],
    *,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
    padding_mode: str = "zeros",
    **basis,
) -> Array:
    """Sum of every function over its own shifted view of the padded input; pads: t, b, l, r."""
    top, bottom, left, right = pads
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), mode=PAD_MODES[padding_mode])
    n, channels, height, width = x.shape
    n_out, per_group, kh, kw = base_weight.shape
    out_h = (height - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    out_w = (width - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, n_out, out_h, out_w))
    for o in range(n_out):
        first = o // (n_out // groups) * (channels // groups)
        for i in range(per_group):
            for r in range(kh):
                for c in range(kw):
                    rows = r * dilation[0] + stride[0] * np.arange(out_h)
                    cols = c * dilation[1] + stride[1] * np.arange(out_w)
                    seen = x[:, first + i][:, rows[:, None], cols]
                    y[:, o] += phi(seen, base_weight[o, i, r, c], coefficients[o, i, r, c], **basis)
    return y


def kan_linear(x: Array, base_weight: Array, coefficients: Array, **basis) -> Array:
    """Sum of every edge's function."""
    y = np.zeros((*x.shape[:-1], len(base_weight)))
    for o, i in np.ndindex(base_weight.shape):
        y[..., o] += phi(x[..., i], base_weight[o, i], coefficients[o, i], **basis)
    return y


def probing_values(
    shape: tuple[int, ...], grid_size: int, order: int, grid_range: tuple[float, float], seed: int
) -> NDArray[np.float32]:
    """Inputs inside the grid, between its end and the support's, on every knot, and far outside."""
    lo, hi = grid_range
    step = (hi - lo) / grid_size
    rng = np.random.default_rng(seed)
    x = rng.uniform(lo - (order + 1) * step, hi + (order + 1) * step, size=shape)
    knots = lo + step * np.arange(-order, grid_size + order + 1)
    special = np.concatenate([knots, [lo - 20 * (hi - lo), hi + 20 * (hi - lo), 0.0]])
    flat = x.reshape(-1)
    flat[rng.permutation(flat.size)[: special.size]] = special[: flat.size]
    return x.astype(np.float32)
