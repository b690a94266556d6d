"""Read the functions φ out of any model.

`read` finds them, `describe` says what is read and what is not, `register_adapter` teaches
another layer (its documentation has a complete example), and `check` proves that it is right.
"""

from kan_widgets.functions import adapters  # after what it uses
from kan_widgets.functions.basis import BaseOnly, IdentityBasis, LayerBasis
from kan_widgets.functions.describe import Description, describe
from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.layer import ConvSettings, LayerFunctions, Tap
from kan_widgets.functions.proof import Proof, check
from kan_widgets.functions.proving import prove, take_as_read
from kan_widgets.functions.reading import (
    LeftOut,
    ReadableModule,
    find,
    read,
    read_module,
    survey,
    unwrap,
)
from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.functions.registry import Adapter, Sum, register_adapter
from kan_widgets.functions.sampling.sampled_basis import SampledBasis
from kan_widgets.functions.sampling.samples import sampled_anew
from kan_widgets.functions.shards import gathered
from kan_widgets.functions.smooth import (
    Gaussian,
    Gram,
    Jacobi,
    ReflectionalSwitch,
    SquaredReLU,
)

__all__ = [
    "Adapter",
    "BaseOnly",
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
    "Proof",
    "ReadableModule",
    "ReflectionalSwitch",
    "SampledBasis",
    "SquaredReLU",
    "Sum",
    "Tap",
    "adapters",
    "check",
    "describe",
    "find",
    "gathered",
    "prove",
    "read",
    "read_module",
    "register_adapter",
    "sampled_anew",
    "survey",
    "take_as_read",
    "tensor_adapter",
    "unwrap",
]
