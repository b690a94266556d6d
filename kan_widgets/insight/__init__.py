"""What kernel functions are like, as numbers: ranges, shapes, shares.

Everything here takes functions read from a model, or frames of it, and returns arrays or frozen
records; nothing draws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kan_widgets.lazy_names import lazy

# Most of these need torch, which takes seconds to import; measures of recorded functions do not.
if TYPE_CHECKING:
    from kan_widgets.insight.complexity import (
        Complexity,
        DepthTrend,
        complexity,
        later_is_more_complex,
    )
    from kan_widgets.insight.explain import Explanation, FunctionShares, explain
    from kan_widgets.insight.formulas.forms import FORMS, Form
    from kan_widgets.insight.formulas.formula import Formula, formula
    from kan_widgets.insight.formulas.projection import Fixed, fix
    from kan_widgets.insight.formulas.symbolic import symbolic
    from kan_widgets.insight.formulas.symbolic_fits import SymbolicFit, SymbolicFits
    from kan_widgets.insight.importance import Importance, importance
    from kan_widgets.insight.intervene import Interval, Intervention, intervene
    from kan_widgets.insight.kernel_shares import KernelShares
    from kan_widgets.insight.kernels import (
        Kernel,
        Observed,
        PatternCheck,
        SeenPatches,
        check_observed,
        check_pattern,
        kernel_of,
    )
    from kan_widgets.insight.moments import Moment, Moments, Rise, moments
    from kan_widgets.insight.networks.ensemble import Ensemble, ensemble
    from kan_widgets.insight.networks.untrained import Untrained, untrained_networks
    from kan_widgets.insight.ranges import FunctionRanges, Start, function_ranges, start_from
    from kan_widgets.insight.sampled_layer import SampledLayer, SeenInputs, sampled, seen_inputs
    from kan_widgets.insight.summary import (
        THRESHOLD,
        LayerSummary,
        Quantiles,
        layer_ranges,
        quantiles_of,
        summarise,
    )

__all__ = [
    "FORMS",
    "THRESHOLD",
    "Complexity",
    "DepthTrend",
    "Ensemble",
    "Explanation",
    "Fixed",
    "Form",
    "Formula",
    "FunctionRanges",
    "FunctionShares",
    "Importance",
    "Interval",
    "Intervention",
    "Kernel",
    "KernelShares",
    "LayerSummary",
    "Moment",
    "Moments",
    "Observed",
    "PatternCheck",
    "Quantiles",
    "Rise",
    "SampledLayer",
    "SeenInputs",
    "SeenPatches",
    "Start",
    "SymbolicFit",
    "SymbolicFits",
    "Untrained",
    "check_observed",
    "check_pattern",
    "complexity",
    "ensemble",
    "explain",
    "fix",
    "formula",
    "function_ranges",
    "importance",
    "intervene",
    "kernel_of",
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
    "complexity explain importance intervene kernel_shares kernels moments ranges sampled_layer "
    "summary formulas.forms formulas.formula formulas.projection formulas.symbolic "
    "formulas.symbolic_fits networks.ensemble networks.untrained",
)
