"""Read the functions φ out of any model.

`read` finds the functions, `describe` says what is read and what is not, `register_adapter` teaches
it another layer, most often by `tensor_adapter`, and `check` proves that a reading is right.
"""

from typing import TYPE_CHECKING

from kan_widgets.lazy_names import lazy

# These need torch, which takes seconds to import; what frames say of layers needs none of it.
if TYPE_CHECKING:
    from kan_widgets.functions import adapters
    from kan_widgets.functions.basis import IdentityBasis, LayerBasis, NoFunctions
    from kan_widgets.functions.coefficients import Terms
    from kan_widgets.functions.describe import Description, describe
    from kan_widgets.functions.grid_spline import GridSpline
    from kan_widgets.functions.layer import LayerFunctions, Tap
    from kan_widgets.functions.layer_proof import Proof, check
    from kan_widgets.functions.layer_settings import ConvSettings
    from kan_widgets.functions.model_proof import prove, read, take_as_read
    from kan_widgets.functions.module_tensors import Recipe
    from kan_widgets.functions.reading import *
    from kan_widgets.functions.recipes import tensor_adapter
    from kan_widgets.functions.registry import Adapter, Sum, register_adapter
    from kan_widgets.functions.sampling.samples import SampledBasis, sampled_again
    from kan_widgets.functions.smooth_bases import *
    from kan_widgets.functions.stand_ins import gathered

__all__ = [
    "Adapter",
    "ConvSettings",
    "Description",
    "Gaussian",
    "Gram",
    "GridSpline",
    "IdentityBasis",
    "Jacobi",
    "LayerBasis",
    "LayerFunctions",
    "LeftOut",
    "NoFunctions",
    "Proof",
    "ReadableModule",
    "Recipe",
    "ReflectionalSwitch",
    "SampledBasis",
    "SquaredReLU",
    "Sum",
    "Tap",
    "Terms",
    "adapters",
    "check",
    "describe",
    "find",
    "gathered",
    "prove",
    "read",
    "read_module",
    "register_adapter",
    "sampled_again",
    "survey",
    "take_as_read",
    "tensor_adapter",
    "unwrap",
]

# The adapters of the package come before those that others register.
lazy(
    __name__,
    "adapters module_tensors basis coefficients describe grid_spline layer layer_settings "
    "layer_proof model_proof reading recipes registry sampling.samples smooth_bases stand_ins",
    parts="adapters",
)
