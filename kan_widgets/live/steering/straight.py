"""The straight line that is nearest to a function, in the basis of its layer."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from kan_widgets.functions import LayerFunctions

_POINTS = 257


def straight(
    functions: LayerFunctions, index: tuple[int, ...], coefficients: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the coefficients of the line, ``(nb,)``.

    Least squares at even points of the domain; without the base term where there are other basis
    functions.
    """
    group = 0 if functions.basis_index is None else int(functions.basis_index[index])
    basis = functions.bases[group]
    x = torch.linspace(*basis.domain, _POINTS, dtype=torch.float64)
    table = basis(x).detach().to(torch.float64).numpy()
    ones = np.stack([np.ones(_POINTS), x.numpy()], axis=1)
    line = ones @ np.linalg.lstsq(ones, table @ coefficients, rcond=None)[0]
    free = ~np.asarray(basis.is_base)
    columns = free if free.any() else np.ones_like(free)
    found = np.zeros(table.shape[1])
    found[columns] = np.linalg.lstsq(table[:, columns], line, rcond=None)[0]
    return found
