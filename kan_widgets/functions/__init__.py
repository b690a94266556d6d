"""Read the functions φ out of any model."""

from kan_widgets.functions import adapters
from kan_widgets.functions.basis import Basis, IdentityBasis, SplineBasis
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import find, read, read_module, register_adapter, unwrap

__all__ = [
    "Basis",
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
