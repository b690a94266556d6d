"""Read the functions φ out of any model."""

from kan_widgets.functions import adapters
from kan_widgets.functions.basis import Basis, IdentityBasis, SplineBasis
from kan_widgets.functions.layer import ConvSettings, LayerFunctions
from kan_widgets.functions.registry import find, read, read_module, register_adapter, unwrap

__all__ = [
    "Basis",
    "ConvSettings",
    "IdentityBasis",
    "LayerFunctions",
    "SplineBasis",
    "adapters",
    "find",
    "read",
    "read_module",
    "register_adapter",
    "unwrap",
]
