"""An adapter in a few lines: which tensors a layer has, and how they lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.activation import named_activation
from kan_widgets.functions.attributes import Dimension, attribute, missing_tensors
from kan_widgets.functions.basis import LayerBasis, ReadBasis
from kan_widgets.functions.gradients import gradient_of
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.registry import Sum, register_adapter
from kan_widgets.functions.remembered import remembered
from kan_widgets.functions.terms import Part, Terms, join_terms
from kan_widgets.nn.activation import BaseActivation
from kan_widgets.nn.bases.basis import Basis
from kan_widgets.nn.ungraded import ungraded

Get = Callable[[str], Tensor]


def tensor_adapter(
    name: str,
    tensors: Mapping[str, tuple[Dimension, ...]],
    coefficients: Callable[[Get], Tensor],
    basis: Callable[[Any], Basis],
    *,
    library: str,
    base: Callable[[Get], Tensor] | None = None,
    activation: Callable[[Any], BaseActivation] = lambda module: module.base_activation,
    bias: str = "",
    depends: tuple[str, ...] = (),
    norm: str = "",
    after: str = "",
    needs: Callable[[Any], str] = lambda module: "",
) -> None:
    """Register an adapter for a linear layer, known by its tensors.

    Its functions can be edited, and their gradients are known. Other modules with the same tensors
    are tried too, whatever their class is called; `prove` tells who is right.

    Parameters
    ----------
    name
        The name of the class.
    tensors
        Which tensors it has, by dotted path, and their shapes: numbers, or names such as ``"in"``
        that stand for the same size in all of them; see `attributes.missing_tensors`. Where the
        axis of the outputs is called ``"out"`` in all tensors that have one, only those outputs
        that are asked for are put together.
    coefficients
        ``coefficients(get)`` puts one or several tensors, ``get("path")``, into the order
        ``(out, in, nb)``. It may only move numbers: ``permute``, ``flatten``, ``cat``.
    basis
        Takes the module, returns its `kan_widgets.nn.Basis`, with ``nb`` functions.
    library
        Where the class is from.
    base
        Like ``coefficients``, the weights ``(out, in)`` of a base term, if there is one.
    activation
        Takes the module, returns the activation of the base term.
    bias
        Path of what the layer adds to the sum, ``(out,)`` or ``(1, out)``; where it is ``None`` or
        missing, nothing is.
    depends
        Paths of tensors that the basis is made from.
    norm
        Path of a norm that the input passes first.
    after
        Path of the norm or activation that the sum passes first.
    needs
        Takes the module, returns what else is missing.

    Examples
    --------
    See ``adapters/fourier_kan.py``.
    """
    outputs = {path: shape.index("out") for path, shape in tensors.items() if "out" in shape}
    reader = _Reader(coefficients, basis, base, activation, depends, norm, after, outputs)

    def problem(module: nn.Module) -> str:
        return missing_tensors(module, tensors) or needs(module)

    def sums(module: nn.Module) -> list[Sum]:
        added = attribute(module, bias) if bias else None
        at = Tap((attribute(module, after),)) if after else Tap((module,), "output")
        return [Sum(("",), at, added.detach().flatten() if isinstance(added, Tensor) else None)]

    register_adapter(
        name,
        reader.read,
        library=library,
        problem=problem,
        sums=sums,
        input_shape=lambda module: (reader.shape(module)[1],),
    )


class _Reader:
    """Reads one kind of layer, and writes to it."""

    def __init__(
        self,
        coefficients: Callable[[Get], Tensor],
        basis: Callable[[Any], Basis],
        base: Callable[[Get], Tensor] | None,
        activation: Callable[[Any], BaseActivation],
        depends: tuple[str, ...],
        norm: str,
        after: str,
        outputs: dict[str, int],
    ) -> None:
        self._outputs = outputs
        self._coefficients, self._basis, self._base = coefficients, basis, base
        self._activation, self._depends, self._norm, self._after = activation, depends, norm, after

    def shape(self, module: nn.Module) -> torch.Size:
        return self._coefficients(lambda path: attribute(module, path).detach().to("meta")).shape

    def read(self, module: nn.Module) -> LayerFunctions:
        norm = attribute(module, self._norm) if self._norm else None
        after = attribute(module, self._after) if self._after else None
        return LayerFunctions(
            "linear",
            self._terms(module),
            (self._layer_basis(module),),
            variable=f"{type(norm).__name__}(x)" if norm is not None else "x",
            x_at=Tap((norm,), "output") if norm is not None else None,
            note=f"{type(after).__name__} comes after the sum." if after is not None else "",
            write=partial(self._write, module),
            gradient=lambda: self._joined(lambda path: gradient_of(attribute(module, path))),
        )

    def _terms(self, module: nn.Module) -> Terms:
        def make(part: Part) -> Tensor:
            def get(path: str) -> Tensor:
                tensor: Tensor = attribute(module, path).detach()
                axis = self._outputs.get(path)
                return tensor if axis is None else tensor[(slice(None),) * axis + part[:1]]

            found = self._joined(get)
            return found[:, part[1]] if self._outputs else found[part]

        one = make((slice(1), slice(1)))
        return Terms(torch.Size([*self.shape(module)[:2], one.shape[-1]]), one, make)

    @ungraded
    def _joined(self, get: Get) -> Tensor:
        base = self._base(get) if self._base is not None else None
        return join_terms(base, self._coefficients(get))

    def _layer_basis(self, module: nn.Module) -> ReadBasis:
        activation = named_activation(self._activation(module)) if self._base else None  # type: ignore[arg-type]

        def make() -> LayerBasis:
            return LayerBasis(self._basis(module), activation)

        made_from = [attribute(module, path).flatten() for path in self._depends]
        if not made_from:
            return make()  # bases of the same settings are equal
        return remembered(module, "basis", made_from, activation, make)

    def _write(self, module: nn.Module, index: tuple[int, ...], coefficients: Tensor) -> None:
        """Send each coefficient to the number that it is in a tensor."""
        held: dict[str, tuple[Tensor, int]] = {}

        def places(path: str) -> Tensor:
            tensor = attribute(module, path).detach()
            start = sum(each.numel() for each, _ in held.values())
            held.setdefault(path, (tensor, start))
            return held[path][1] + torch.arange(tensor.numel()).view(tensor.shape)

        found = self._coefficients(places)[index]
        if self._base is not None:
            found = torch.cat([self._base(places)[index].reshape(1), found])
        for place, value in zip(found.tolist(), coefficients, strict=True):
            tensor, start = next(
                (t, first) for t, first in held.values() if first <= place < first + t.numel()
            )
            where = torch.unravel_index(torch.tensor(place - start), tensor.shape)
            tensor[where] = value
