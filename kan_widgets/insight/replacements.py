"""Functions in place of those of a layer: means, lines, parts, forms, and what they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from kan_widgets.functions import LayerFunctions
from kan_widgets.functions.basis import ReadBasis
from kan_widgets.insight.kernels import columns_and_bases, flat_coefficients, values_of
from kan_widgets.insight.projection import Curve, nearest_coefficients
from kan_widgets.insight.symbolic import symbolic
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.scalars import Float64, Int64

Replacement = Literal["mean", "line", "base", "splines", "form", "initial"]


@dataclass(frozen=True)
class _WithLine:
    """A basis with 1 and x beside its functions."""

    basis: ReadBasis

    def __getattr__(self, name: str) -> Any:
        return getattr(self.basis, name)

    @property
    def labels(self) -> tuple[str, ...]:
        return (*self.basis.labels, "1", "x")

    @property
    def is_base(self) -> tuple[bool, ...]:
        return (*self.basis.is_base, False, False)

    def __call__(self, x: Tensor) -> Tensor:
        beta = self.basis(x)
        return torch.cat([beta, torch.ones_like(beta[..., :1]), x[..., None].to(beta)], dim=-1)


def replaced(
    layer: LayerFunctions,
    seen: Observation | None,
    numbers: Int64,
    replace: Replacement | Curve,
    begun: Any,
) -> tuple[Int64, Float64]:
    """Return which functions have a replacement, and its coefficients, with those of 1 and x."""
    if seen is None:
        raise ValueError(f"{layer.name}: the images do not reach it")
    name, x = layer.name or layer.type, seen.patches.astype(np.float64)
    old = flat_coefficients(layer)[numbers]
    new = np.concatenate([old, np.zeros((len(numbers), 2))], axis=1)
    base = np.array(layer.is_base)
    if replace in ("mean", "line"):
        new[:, :-2] = 0
        where = np.full(layer.n_functions, -1)
        where[numbers] = np.arange(len(numbers))
        for column, some, values in values_of(layer, x, numbers):
            own, about = x[:, column], x[:, column] - x[:, column].mean()
            slopes = np.zeros(len(some))
            if replace == "line" and np.ptp(own):
                slopes = about @ values / (about @ about)
            new[where[some], -2] = values.mean(axis=0) - slopes * own.mean()
            new[where[some], -1] = slopes
    elif replace in ("base", "splines"):
        if base.all() or not base.any():
            raise ValueError(f"{name}: its functions have no base term beside other parts")
        new[:, np.flatnonzero(base != (replace == "base"))] = 0
    elif replace == "initial":
        if begun is None:
            raise TypeError('replace="initial": expected a binding, which has the first frame')
        first = begun.coefficients(name)
        if first.shape[-1] != layer.nb:
            raise ValueError(f"{name}: its basis has changed since the start")
        new[:, :-2] = first.reshape(-1, layer.nb)[numbers]
    else:
        fits = symbolic(layer, seen, keep=1).found if replace == "form" else None
        columns, bases = columns_and_bases(layer)
        found = np.ones(len(numbers), dtype=bool)
        for k, number in enumerate(numbers.tolist()):
            curve: Any = replace
            if fits is not None:
                found[k] = bool(fits[number]) and fits[number][0].fits
                curve = fits[number][0] if found[k] else None
            if curve is not None:
                own, basis = x[:, columns[number]], layer.bases[bases[number]]
                new[k, :-2] = nearest_coefficients(
                    basis, old[k], own, np.asarray(curve(own)), curve
                )
        numbers, new = numbers[found], new[found]
    return numbers, new


def difference(layer: LayerFunctions, numbers: Int64, new: Float64) -> LayerFunctions:
    """Return the functions that are to be added to a layer's."""
    all_of = np.zeros((layer.n_functions, layer.nb + 2))
    all_of[numbers] = new
    all_of[numbers, :-2] -= flat_coefficients(layer)[numbers]
    return LayerFunctions(
        layer.kind,
        torch.from_numpy(all_of).reshape(*layer.sizes[:-1], layer.nb + 2),
        tuple(map(_WithLine, layer.bases)),
        layer.basis_index,
        conv=layer.conv,
        name=layer.name,
    )
