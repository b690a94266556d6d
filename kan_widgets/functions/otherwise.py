"""Where a reading is wrong: which other reading of the same tensors is right, in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import nn

from kan_widgets.functions.basis import LayerBasis
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.nn.activation import BaseActivation

_AROUND = re.compile(r"Norm|ReLU|SiLU|GELU|Tanh|Sigmoid|ELU|Softmax")


def found_out(
    run: nn.Module,
    layers: Sequence[LayerFunctions],
    fits: Callable[[Sequence[LayerFunctions]], bool],
) -> str:
    """Say which other reading of the same tensors is right."""
    for words, changed in _otherwise(layers):
        if fits(changed):
            return words
    known = {label for layer in layers for label in layer.basis_labels}
    names = dict.fromkeys(type(part).__name__ for part in run.modules() if part is not run)
    parts = [name for name in names if _AROUND.search(name) and name.lower() not in known]
    if parts:
        return f"{', '.join(parts)} in it may act where that reading has none"
    return ""


def _otherwise(
    layers: Sequence[LayerFunctions],
) -> Iterator[tuple[str, list[LayerFunctions]]]:
    """Return other ways to take the same coefficients, with the words for each."""
    base = [torch.tensor(layer.is_base) for layer in layers]
    if any(bool(flags.any()) for flags in base):
        for words, only in (("it leaves out the base term", False), ("only its base acts", True)):
            yield (
                words,
                [
                    replace(layer, coefficients=layer.coefficients * (flags == only).to(x))
                    for layer, flags in zip(layers, base, strict=True)
                    for x in [layer.coefficients]
                ],
            )
    taps = [layer.x_at for layer in layers]
    if len(set(taps)) > 1:
        normed = next(layer for layer in layers if layer.x_at is not None)
        words = f"all of its terms take {normed.variable}"
        yield words, [replace(layer, x_at=normed.x_at) for layer in layers]
    if any(taps):
        yield "all of its terms take x itself", [replace(layer, x_at=None) for layer in layers]
    if all(layer.shape[0] == layer.shape[1] for layer in layers):
        turned = [replace(x, coefficients=x.coefficients.transpose(0, 1)) for x in layers]
        yield "its tensors hold inputs and outputs the other way round", turned
    for activation in ("silu", "gelu", "relu", "tanh"):
        yield f"its base activation is {activation}", [_activated(x, activation) for x in layers]
    for factor in (0.5, 2.0):
        yield (
            f"what it computes is {factor:g} times that",
            [replace(layer, coefficients=layer.coefficients * factor) for layer in layers],
        )


def _activated(layer: LayerFunctions, activation: BaseActivation) -> LayerFunctions:
    bases = tuple(
        replace(basis, base_activation=activation)
        if isinstance(basis, LayerBasis) and basis.base_activation is not None
        else basis
        for basis in layer.bases
    )
    return replace(layer, bases=bases)
