"""What kernel functions are like, as numbers: ranges, shapes, shares.

Everything here takes functions read from a model, or frames of it, and returns arrays or frozen
records; nothing draws.
"""

from typing import TYPE_CHECKING

from kan_widgets.lazy_names import lazy

# Most of these need torch, which takes seconds to import; measures of recorded functions do not.
if TYPE_CHECKING:
    from kan_widgets.insight.circuits import *
    from kan_widgets.insight.complexity import *
    from kan_widgets.insight.explain import *
    from kan_widgets.insight.formulas.forms import *
    from kan_widgets.insight.formulas.formula import *
    from kan_widgets.insight.formulas.projection import *
    from kan_widgets.insight.formulas.symbolic import *
    from kan_widgets.insight.formulas.symbolic_fits import *
    from kan_widgets.insight.intervene import *
    from kan_widgets.insight.kernel_shares import *
    from kan_widgets.insight.kernels import *
    from kan_widgets.insight.moments import *
    from kan_widgets.insight.networks.ensemble import *
    from kan_widgets.insight.ranges import *
    from kan_widgets.insight.sampled_layer import *
    from kan_widgets.insight.summary import *

__all__ = [
    "FORMS",
    "THRESHOLD",
    "Circuits",
    "Complexity",
    "DepthTrend",
    "Drivers",
    "Ensemble",
    "Explanation",
    "Fixed",
    "Flow",
    "Form",
    "Formula",
    "FunctionRanges",
    "FunctionShares",
    "Importance",
    "Interval",
    "Intervention",
    "KernelShares",
    "LayerSummary",
    "Moment",
    "Moments",
    "Observed",
    "Path",
    "PatternCheck",
    "Quantiles",
    "Rise",
    "SampledLayer",
    "SeenInputs",
    "SeenPatches",
    "Start",
    "SymbolicFit",
    "SymbolicFits",
    "check_observed",
    "check_pattern",
    "circuits",
    "complexity",
    "ensemble",
    "explain",
    "fix",
    "formula",
    "function_ranges",
    "importance",
    "intervene",
    "later_is_more_complex",
    "layer_ranges",
    "moments",
    "quantiles_of",
    "sampled",
    "seen_inputs",
    "start_from",
    "summarise",
    "symbolic",
    "untrained_networks",
]

lazy(
    __name__,
    "circuits complexity explain intervene kernel_shares kernels moments ranges sampled_layer "
    "summary formulas.forms formulas.formula formulas.projection formulas.symbolic "
    "formulas.symbolic_fits networks.ensemble",
)
