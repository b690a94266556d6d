"""Read the ``NaiveFourierKANLayer`` of GistNoesis/FourierKAN, and copies such as GraphKAN's.

φ = Σ_k fouriercoeffs[0]·cos kx + fouriercoeffs[1]·sin kx; a bias is added to the sum.
"""

from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.nn import Fourier

tensor_adapter(
    "NaiveFourierKANLayer",
    {"fouriercoeffs": (2, "out", "in", "frequencies")},
    lambda get: get("fouriercoeffs").permute(1, 2, 3, 0).flatten(2),
    lambda module: Fourier(module.fouriercoeffs.shape[-1], constant=False),
    library="FourierKAN",
    bias="bias",
)
