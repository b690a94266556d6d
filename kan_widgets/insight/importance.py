"""How much each function of a layer matters for a batch: how far φ(x) moves, how large it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kan_widgets.arrays import Float64
from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.kernels import Observed, check_observed, values_of


@dataclass(frozen=True, eq=False)
class Importance:
    """Numbers of each function over the inputs that reach it, in units of the layer's output.

    Each array is ``(out, in, kh, kw)``; NaN where φ is not finite at some of the inputs.
    """

    layer: str
    samples: int
    """Images (rows) in the batch."""
    patches: int
    """How many inputs of each function the numbers rest on."""
    mean: Float64
    """Mean of φ(x)."""
    spread: Float64
    """Standard deviation of φ(x): how much the function adds to what varies of the output. A
    function that is constant at the inputs seen has 0, whatever its mean."""
    magnitude: Float64
    """Mean of \\|φ(x)\\|, which `kan_widgets.nn.prune` goes by: what it takes away of a function is
    its mean too."""


def importance(layer: LayerFunctions, observed: Observed | None) -> Importance:
    """Measure how much every function of a layer moves over the inputs that reach it.

    Parameters
    ----------
    layer
        From `kan_widgets.functions.read`, or ``live.read()``.
    observed
        What ``live.observe(batch)[name]`` returned.

    Raises
    ------
    TypeError
        If nothing observed is given.
    ValueError
        If it is of another layer or does not fit.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> linear = torch.nn.Linear(2, 1)
    >>> with torch.no_grad():
    ...     _ = linear.weight.copy_(torch.tensor([[0.5, -2.0]]))
    >>> live = kw.bind(linear)
    >>> [observed] = live.observe(torch.tensor([[1.0, 3.0], [5.0, 3.0]])).values()
    >>> found = importance(live.read()[0], observed)
    >>> found.spread.ravel(), found.magnitude.ravel()
    (array([1., 0.]), array([1.5, 6. ]))
    """
    x = check_observed(layer, observed)
    assert observed is not None
    mean, spread, magnitude = np.empty((3, layer.n_functions))
    with np.errstate(all="ignore"):
        for _, functions, values in values_of(layer, x):
            mean[functions] = values.mean(axis=0)
            magnitude[functions] = np.abs(values).mean(axis=0)
            spread[functions] = np.where(np.ptp(values, axis=0) == 0, 0.0, values.std(axis=0))
            broken = functions[~np.isfinite(values).all(axis=0)]
            mean[broken] = spread[broken] = magnitude[broken] = np.nan
    return Importance(
        layer.name or layer.type,
        observed.samples,
        len(x),
        *(numbers.reshape(layer.shape) for numbers in (mean, spread, magnitude)),
    )
