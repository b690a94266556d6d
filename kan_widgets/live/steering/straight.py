"""The function in the basis of a layer that is nearest to a line, or to a curve."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from kan_widgets.functions import LayerFunctions

_POINTS = 257

Float64 = NDArray[np.float64]


def straight(functions: LayerFunctions, index: tuple[int, ...], coefficients: Float64) -> Float64:
    """Return the coefficients of the line, ``(nb,)``.

    Least squares at even points of the domain; without the base term where there are other basis
    functions.
    """
    x, table, is_base = _sampled(functions, index)
    ones = np.stack([np.ones(_POINTS), x], axis=1)
    line = ones @ np.linalg.lstsq(ones, table @ coefficients, rcond=None)[0]
    free = ~is_base
    columns = free if free.any() else np.ones_like(free)
    found = np.zeros(table.shape[1])
    found[columns] = np.linalg.lstsq(table[:, columns], line, rcond=None)[0]
    return found


def nearest(
    functions: LayerFunctions,
    index: tuple[int, ...],
    coefficients: Float64,
    curve: Callable[[Float64], Float64],
) -> tuple[Float64, float]:
    """Return the coefficients of the function that is nearest to a curve, and how far it is off.

    Least squares at even points of the domain; where the curve is not finite the function is to
    stay as it is.

    Returns
    -------
    coefficients, error
        ``(nb,)``, and the largest difference from the curve at those points.
    """
    x, table, _ = _sampled(functions, index)
    with np.errstate(all="ignore"):
        wanted = curve(x)
    known = np.isfinite(wanted)
    wanted = np.where(known, wanted, table @ coefficients)
    found = np.zeros(table.shape[1])
    found[:] = np.linalg.lstsq(table, wanted, rcond=None)[0]
    off = np.abs(table @ found - wanted)[known]
    return found, float(off.max(initial=0.0))


def _sampled(
    functions: LayerFunctions, index: tuple[int, ...]
) -> tuple[Float64, Float64, NDArray[np.bool_]]:
    """Return points of the domain, the basis there ``(points, nb)``, and which are base terms."""
    group = 0 if functions.basis_index is None else int(functions.basis_index[index])
    basis = functions.bases[group]
    x = torch.linspace(*basis.domain, _POINTS, dtype=torch.float64)
    with torch.no_grad():
        table = basis(x).to(torch.float64).numpy()
    return x.numpy(), table, np.asarray(basis.is_base)
