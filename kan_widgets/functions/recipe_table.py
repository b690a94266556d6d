"""What an adapter says of the tensors of a layer, and what their axes count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
from torch import Tensor

from kan_widgets.functions.attributes import Needed
from kan_widgets.nn.activation import BaseActivation

Get = Callable[[str], Tensor]
Order = str | Callable[[Get], Tensor]
AXES = ("groups", "out", "in", "kd", "kh", "kw")


@dataclass(frozen=True, eq=False)
class RecipeTable:
    """What there is to say of how the functions of a layer lie in its tensors.

    Parameters
    ----------
    tensors
        Which tensors and settings a module has, by dotted path: shapes of numbers and names, which
        stand for the same size in all of them; see `attributes.missing_tensors`. The names
        ``groups``, ``out``, ``in``, ``kd``, ``kh`` and ``kw`` say what an axis counts, also as
        ``"in=inner"`` where its size has another name; all other axes count basis functions.
    coefficients
        Path of the tensor that holds them. Or ``coefficients(get)`` puts one or several tensors,
        ``get("path")``, into the order ``(out, in[, kh, kw], nb)``: it may only move numbers, as
        ``permute``, ``flatten`` and ``cat`` do. Empty where there is only a base.
    basis
        Takes the module, returns its `kan_widgets.nn.Basis`, with ``nb`` functions; or a
        `ReadBasis`, base included. With ``grid`` it takes the numbers of each of these too.
    base
        As ``coefficients``, the weights ``(out, in[, kh, kw])`` of a base term, if there is one.
    activation
        Takes the module, returns the activation of the base term.
    scale, base_scale
        Paths of what multiplies coefficients and base; they are not set by an edit.
    grid
        Paths of the tensors that the basis is made from, a row of numbers for each function or
        one for all.
    sizes
        Takes the module, returns sizes that its tensors do not tell, by name.
    conv
        Takes the module, returns what has the settings of a torch convolution, for one.
    shared
        Takes the module, returns whether each kernel is used on every input channel.
    pads_basis
        As in `ConvSettings`.
    elementwise
        Whether it is a learned activation, with a function for each ``in``.
    bias
        Path of what the layer adds to the sum, ``(out,)`` or ``(1, out)``; where it is ``None`` or
        missing, nothing is.
    name
        Name of the layer inside its module.
    x_from
        Path of what returns x, where that is not the module's own input.
    norm
        Path of what the input passes first, if it is not ``None``.
    apart
        Names of coefficients and base as layers of their own, where only the former take in what
        has passed ``norm``.
    after
        Path of what the sum passes first, a norm or an activation.
    base_at
        Path of what returns the sum of the base alone, where it is apart and not mixed with them.
    note
        Takes the module, returns what is to be said of the layer.
    needs
        Takes the module, returns what else is missing.
    locked
        Takes the module, returns why it cannot be edited, if so.
    refused
        Takes the module and the index of a function, returns why that one cannot be set, if so.
    computed
        Takes the module, returns all coefficients where it computes them otherwise, or ``None``.
    steady
        Names of attributes of the module. While they are the same objects, all but the numbers in
        ``base``, ``coefficients`` and ``scale`` is as it was, and these are written to frames
        without being read again.
    """

    tensors: Mapping[str, Needed]
    coefficients: Order
    basis: Callable[..., Any]
    base: Order = ""
    activation: Callable[[Any], BaseActivation] = lambda module: module.base_activation
    scale: tuple[str, ...] = ()
    base_scale: tuple[str, ...] = ()
    grid: tuple[str, ...] = ()
    sizes: Callable[[Any], dict[str, int]] = lambda module: {}
    conv: Callable[[Any], Any] | None = None
    shared: Callable[[Any], bool] = lambda module: False
    pads_basis: bool = False
    elementwise: bool = False
    bias: str = ""
    name: str = ""
    x_from: str = ""
    norm: str = ""
    apart: tuple[str, str] = ("", "")
    after: str = ""
    base_at: str = ""
    note: Callable[[Any], str] = lambda module: ""
    needs: Callable[[Any], str] = lambda module: ""
    locked: Callable[[Any], str] = lambda module: ""
    refused: Callable[[Any, tuple[int, ...]], str] = lambda module, index: ""
    computed: Callable[[Any], Tensor | None] = lambda module: None
    steady: tuple[str, ...] | None = None
    known: dict[Any, Axes] = field(default_factory=dict, init=False, repr=False)


class Axes:
    """What the axes of tensors of certain shapes count, and where they go."""

    def __init__(self, tensors: Mapping[str, Any], sizes: dict[str, int]) -> None:
        self.sizes = sizes
        self._shapes = {path: need for path, need in tensors.items() if isinstance(need, tuple)}
        self._known: dict[tuple[str, torch.Size], Any] = {}
        self.rows: dict[str, int] = {}
        """The axis that counts outputs and nothing else, of tensors that have one."""
        for path, shape in self._shapes.items() if sizes.get("groups", 1) == 1 else ():
            for axis, name in enumerate(shape):
                if str(name).split("=")[0].removeprefix("groups*") == "out":
                    self.rows[path] = axis

    def axes(self, path: str, shape: Sequence[int]) -> list[tuple[str, int]]:
        """Return what each axis of a tensor counts, and its length, where products are split."""
        found: list[tuple[str, int]] = []
        for dimension, size in zip(self._shapes[path], shape, strict=True):
            parts = [part.split("=") for part in str(dimension).split("*")]
            sizes = {part[0]: self.sizes.get(part[-1], 1) for part in parts}
            if len(parts) == 1 or "+" in str(dimension):
                sizes = {parts[0][0]: size}
            elif "out" in sizes:  # there may be only some
                sizes["out"] = sizes["out"] * size // prod(sizes.values())
            found += sizes.items()
        return found

    def placed(self, path: str, tensor: Tensor) -> tuple[Tensor, tuple[int, ...], bool]:
        """Return a view of a tensor whose axes are sorted, and the sizes of `AXES`, 1 without one.

        And whether these axes are those of coefficients, ``(out, in[, kh, kw], nb)``.
        """
        known = self._known.get((path, tensor.shape))
        if known is None:
            axes = self.axes(path, tensor.shape)
            names, lengths = [name for name, _ in axes], dict(axes)
            order = (
                *(names.index(name) for name in AXES if name in lengths),
                *(axis for axis, name in enumerate(names) if name not in AXES),
            )
            lead = tuple(lengths.get(name, 1) for name in AXES)
            *first, last = (names[axis] for axis in order)
            ready = first in (["out", "in"], ["out", "in", "kh", "kw"]) and last not in AXES
            known = (tuple(length for _, length in axes), order, lead, ready)
            self._known[path, tensor.shape] = known
        split, order, lead, ready = known
        if split != tensor.shape:
            tensor = tensor.reshape(split)
        if order != tuple(range(len(order))):
            tensor = tensor.permute(order)
        return tensor, lead, ready
