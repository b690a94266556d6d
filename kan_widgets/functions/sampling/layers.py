"""What was sampled, as layers of functions: what they take in, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions, Tap, as_rows
from kan_widgets.functions.plain import ConvSettings
from kan_widgets.functions.registry import Sum
from kan_widgets.functions.sampling.additivity import Measured
from kan_widgets.functions.sampling.sampled_basis import SampledBasis
from kan_widgets.functions.sampling.samples import Samples, rewriter_of
from kan_widgets.functions.sampling.ways import Way


def layers_of(
    module: nn.Module, way: Way, coefficients: Tensor, basis: SampledBasis, measured: Measured
) -> list[LayerFunctions]:
    """Return the functions of a module, ``(out, inputs, nb)``, as one layer or as two.

    Two where it takes in x itself beside what a norm makes of it: the norm's come first and have
    its name.
    """
    own = list(coefficients.chunk(1 + way.beside, dim=1))
    if not way.before:
        return [_layer(module, way, own[0], basis, measured, "", "")]
    normed = f"{type(module.get_submodule(way.before)).__name__}(x)"
    if not way.beside:
        return [_layer(module, way, own[0], basis, measured, "", way.before)]
    return [
        _layer(
            module, way, own[0], basis, measured, "It adds functions of x itself too.", way.before
        ),
        _layer(module, way, own[1], basis, measured, f"It adds functions of {normed} too.", ""),
    ]


def of_samples(module: nn.Module, way: Way, sampled: Samples) -> list[LayerFunctions]:
    """Return what was sampled as layers, in the words of another way."""
    return layers_of(module, way, sampled.coefficients, sampled.basis, sampled.measured)


def sums_of(module: nn.Module, way: Way, sampled: Samples) -> list[Sum]:
    """Say where in a module the sum of what was sampled passes."""
    if way.after:
        at = Tap((module.get_submodule(way.after[-1]),), view=_view(way))
    else:
        at = Tap((module,), "output", view=_view(way))
    return [Sum(tuple(layer.name for layer in sampled.layers), at, sampled.bias)]


def _layer(
    module: nn.Module,
    way: Way,
    coefficients: Tensor,
    basis: SampledBasis,
    measured: Measured,
    beside: str,
    before: str,
) -> LayerFunctions:
    """Return functions of what a norm makes of x, or of x itself if none comes ``before``."""
    around = [type(module.get_submodule(name)).__name__ for name in reversed(way.after)]
    zero = "each φ is drawn as 0 at x = 0."
    if way.border == "constants":
        zero = "what an entry of a kernel adds at x = 0 is divided evenly among its inputs."
    words = [f"{basis.words}; {measured}; {zero}"]
    if beside:
        words.append(beside)
    if around:
        words.append(f"{' and '.join(around)} come{'s' * (len(around) < 2)} after the sum.")
    if way.why:
        words.append(f"{way.why}.")
    more: dict[str, Any] = {}
    if way.kernel is not None:
        coefficients = coefficients.unflatten(1, (-1, *way.kernel))
        more["conv"] = ConvSettings(
            way.stride, way.padding, way.dilation, pads_basis=way.border in ("basis", "constants")
        )
    if way.border == "unknown":
        more["conv"] = None
        words.append("What it adds up at the border, where kernels reach beyond, is not known.")
    if before:
        norm = module.get_submodule(before)
        more["variable"] = f"{type(norm).__name__}(x)"
        more["x_at"] = Tap((norm,), "output", view=_view(way))
    elif way.line:
        more["x_at"] = Tap((module,), view=_view(way))
    coefficients = coefficients.contiguous()
    return LayerFunctions(
        "linear" if way.kernel is None else "conv",
        coefficients,
        (basis,),
        name=before if way.beside else "",
        locked="Its functions are sampled: how they follow from its parameters is not known.",
        note=" ".join(words),
        rewriter=rewriter_of(module, coefficients),
        **more,
    )


def _view(way: Way) -> Callable[[Tensor], Tensor] | None:
    return as_rows if way.line else None
