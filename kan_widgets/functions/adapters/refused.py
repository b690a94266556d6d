"""Layers that are known, and not read, each with the reason."""

from kan_widgets.functions.registry import refuse_module

RANGE = "it scales x by the smallest and largest value of each batch: no function of x alone"
WAVELETS = "every function has a scale and a shift of its own, no basis that is shared"
CONSTANT = "its Bernstein polynomials, as the library computes them, are 1 everywhere"
for name, reason in {
    "KALNConv2DLayer": RANGE,
    "KABNConv2DLayer": CONSTANT,
    "WavKANConv2DLayer": WAVELETS,
    "KALNLayer": RANGE,
    "BernsteinKANLayer": CONSTANT,
    "WavKANLayer": WAVELETS,
    "BottleNeckGRAMLayer": "no adapter reads its projections",
    "KAGNExpert": "no adapter reads the experts of a mixture",
}.items():
    for d in (1, 2, 3) if "2D" in name else (2,):
        refuse_module(name.replace("2D", f"{d}D"), reason, library="torch-conv-kan")
for name in ("KAL_Net", "KAC_Net"):
    refuse_module(name, RANGE, library="torchkan")
