"""What every function of a layer makes of the inputs that reach it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.kernels import Observed, check_observed
from kan_widgets.insight.tables import Float64, Int64

# Values of φ at a time.
_AT_ONCE = 4_000_000


def phi_values(layer: LayerFunctions, observed: Observed | None) -> Iterator[tuple[Int64, Float64]]:
    """Yield the values φ(x) at the inputs that reach each function, some functions at a time.

    Parameters
    ----------
    layer
        From `kan_widgets.functions.read`, or ``live.read()``.
    observed
        What reached it; all functions of an entry see the same column.

    Yields
    ------
    functions, values
        ``(k,)`` numbers of functions, row-major over (out, in, kh, kw), and ``(n, k)`` their
        values; column by column the same patches. Every function comes once.

    Raises
    ------
    TypeError, ValueError
        As `check_observed` does.
    """
    x = check_observed(layer, observed)
    outs, in_, kh, kw = layer.shape
    per_kernel = in_ * kh * kw
    groups = layer.conv.groups if layer.conv is not None else 1
    flat = layer.coefficients.detach().to("cpu", torch.float64)
    coefficients = flat.reshape(outs, per_kernel, -1).numpy()
    index = layer.basis_index
    bases = None if index is None else index.cpu().numpy().reshape(outs, per_kernel)
    at_once = max(1, _AT_ONCE // len(x))
    for column in range(per_kernel * groups):
        group, entry = divmod(column, per_kernel)
        first = group * (outs // groups)
        mine = np.arange(first, first + outs // groups)
        number_of = np.zeros(len(mine), np.int64) if bases is None else bases[mine, entry]
        for number in np.unique(number_of):
            with torch.no_grad():
                points = torch.from_numpy(np.ascontiguousarray(x[:, column]))
                beta = layer.bases[number](points).to(torch.float64).numpy()
            chosen = mine[number_of == number]
            for start in range(0, len(chosen), at_once):
                some = chosen[start : start + at_once]
                yield some * per_kernel + entry, beta @ coefficients[some, entry].T
