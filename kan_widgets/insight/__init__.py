"""What kernel functions are like, as numbers: ranges, shapes, shares.

Everything here takes functions read from a model, or frames of it, and returns arrays or frozen
records; nothing draws.
"""

from kan_widgets.insight.complexity import Complexity, complexity
from kan_widgets.insight.inputs import SeenInputs, seen_inputs
from kan_widgets.insight.kernels import Kernel, Observed, SeenPatches, check_observed, kernel_of
from kan_widgets.insight.ranges import FunctionRanges, Start, function_ranges, start_from
from kan_widgets.insight.summary import (
    THRESHOLD,
    LayerSummary,
    Spread,
    layer_ranges,
    spread_of,
    summarise,
)
from kan_widgets.insight.tables import SampledLayer, sampled

__all__ = [
    "THRESHOLD",
    "Complexity",
    "FunctionRanges",
    "Kernel",
    "LayerSummary",
    "Observed",
    "SampledLayer",
    "SeenInputs",
    "SeenPatches",
    "Spread",
    "Start",
    "check_observed",
    "complexity",
    "function_ranges",
    "kernel_of",
    "layer_ranges",
    "sampled",
    "seen_inputs",
    "spread_of",
    "start_from",
    "summarise",
]
