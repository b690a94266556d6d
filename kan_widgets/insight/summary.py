"""The numbers of a whole layer, as one record."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kan_widgets.arrays import Float64
from kan_widgets.insight.ranges import FunctionRanges, function_ranges
from kan_widgets.insight.sampled_layer import SeenInputs, sampled
from kan_widgets.live.frames.layout import LayerLayout

if TYPE_CHECKING:
    from torch import nn

THRESHOLD = 0.95
"""R² from which a function counts as shaped like SiLU, or like its base term."""
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of one number over the functions of a layer, in the unit of that number."""

    low: float
    """5 % lie below."""
    lower: float
    """25 % lie below."""
    median: float
    upper: float
    """25 % lie above."""
    high: float
    """5 % lie above."""


@dataclass(frozen=True)
class LayerSummary:
    """What the functions of one layer are like. ``None`` stands for what is not known.

    A *range* is max φ − min φ, in units of φ. Functions that are not finite are counted in
    ``not_finite`` and nowhere else.
    """

    layer: str
    type: str
    kind: str
    functions: int
    """How many there are."""
    constant: int
    """How many are constant on the grid; their range is 0."""
    not_finite: int
    """How many are not finite."""
    grid: Quantiles | None
    """Ranges on the grid."""
    observed: Quantiles | None
    """Ranges over the inputs seen; ``None`` without an observation."""
    started: Quantiles | None
    """Ranges on the grid at the start."""
    spline_share: float | None
    """Median of splines / (base + splines), each the range of one term alone, 0 to 1."""
    outside_grid: float | None
    """Share of the inputs seen that lie outside the grid, 0 to 1."""
    outside_support: float | None
    """Share of the inputs seen that lie outside the support, 0 to 1."""
    silu_shaped: float | None
    """Share of the functions that vary whose R² with the best a·SiLU + c on the grid is at least
    0.95, 0 to 1."""
    observed_silu_shaped: float | None
    """The same over the inputs seen, each counting alike; ``None`` without an observation."""
    base: str
    """Name of the base term, empty without one."""
    base_shaped: float | None
    """``silu_shaped`` with the base term in place of SiLU; with no base term, SiLU again."""
    observed_base_shaped: float | None
    """The same over the inputs seen."""
    change: Quantiles | None
    """Largest |φ − φ at the start| of each function on the grid, in units of φ."""
    relative_change: float | None
    """Median of change / range at the start."""


def summarise(
    layer: LayerLayout,
    ranges: FunctionRanges,
    seen: SeenInputs | None = None,
) -> LayerSummary:
    """Sum up the numbers of the functions of a layer."""
    both = ranges.base + ranges.splines
    with np.errstate(all="ignore"):
        part = np.where(both > 0, ranges.splines / both, np.nan)
        relative = np.where(ranges.started > 0, ranges.change / ranges.started, np.nan)
    base = [label for label, own in zip(layer.labels, layer.is_base, strict=True) if own]
    return LayerSummary(
        layer=layer.name,
        type=layer.type,
        kind=layer.kind,
        functions=len(ranges.range),
        constant=int(ranges.constant.sum()),
        not_finite=int(ranges.broken.sum()),
        grid=quantiles_of(ranges.range),
        observed=quantiles_of(ranges.observed),
        started=quantiles_of(ranges.started),
        spline_share=_median(part),
        outside_grid=None if seen is None else seen.outside_grid,
        outside_support=None if seen is None else seen.outside_support,
        silu_shaped=_share(ranges.silu),
        observed_silu_shaped=_share(ranges.observed_silu),
        base=base[0] if len(base) == 1 else "",
        base_shaped=_share(ranges.own),
        observed_base_shaped=_share(ranges.observed_own),
        change=quantiles_of(ranges.change),
        relative_change=_median(relative),
    )


def layer_ranges(model: "nn.Module") -> list[LayerSummary]:
    """Sum up the functions of every layer of a model as they are now.

    Parameters
    ----------
    model
        Any module with readable layers.

    Raises
    ------
    TypeError
        If ``model`` is no module.
    ValueError
        If nothing in it can be read.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> _ = torch.manual_seed(0)
    >>> [found] = kw.insight.layer_ranges(torch.nn.Linear(3, 2))
    >>> found.base, found.base_shaped, found.spline_share
    ('x', 1.0, 0.0)
    """
    from kan_widgets.functions import read

    summaries = []
    for functions in read(model):
        layer = sampled(functions)
        summaries.append(summarise(layer, function_ranges(layer, layer.coefficients)))
    return summaries


def quantiles_of(values: Float64) -> Quantiles | None:
    """Return the quantiles of the finite values, ``None`` where there are none."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    return Quantiles(*map(float, np.quantile(finite, _QUANTILES)))


def _median(values: Float64) -> float | None:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else None


def _share(fits: Float64) -> float | None:
    finite = fits[np.isfinite(fits)]
    # A perfect fit may come out a rounding error below 1.
    return float((finite >= THRESHOLD - 1e-9).mean()) if len(finite) else None
