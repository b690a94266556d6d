"""How the functions of a layer lie in the tensors of its module."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.functions.activation import named_activation
from kan_widgets.functions.attributes import attribute, members, missing_tensors, stacked
from kan_widgets.functions.basis import Alike, BaseOnly, LayerBasis, ReadBasis
from kan_widgets.functions.gradients import gradient_of
from kan_widgets.functions.layer import LayerFunctions, Tap, as_rows
from kan_widgets.functions.plain import ConvSettings
from kan_widgets.functions.recipe_table import AXES, Axes, Order, RecipeTable
from kan_widgets.functions.remembered import remembered
from kan_widgets.functions.rewriting import rewriter_of
from kan_widgets.functions.terms import ALL, Part, Terms
from kan_widgets.nn.activation import BaseActivation
from kan_widgets.nn.ungraded import ungraded

Orders = tuple[Order, Order]
"""A base and the other coefficients of a layer; empty where there are none."""
Of = Callable[[Tensor], Tensor]


class Arrangement:
    """How the functions of one module lie in its tensors, as they are now.

    A layer of them has a base and coefficients, either of which may be missing.
    """

    def __init__(self, recipe: RecipeTable, module: Any) -> None:
        self.recipe, self.module = recipe, module
        self._held: dict[str, list[Any]] = {}
        self._axes = self._axes_now()
        self.sizes = self._axes.sizes
        self.conv = recipe.conv(module) if recipe.conv is not None else None
        self.dimensions = 0 if self.conv is None else len(self.conv.kernel_size)
        self.depths = self.conv.kernel_size[0] if self.dimensions == 3 else 1  # type: ignore[union-attr]
        norms = self.modules(recipe.norm)
        self.norms = tuple(norm for norm in norms if not isinstance(norm, nn.Identity))
        base = recipe.base
        if isinstance(base, str) and not self._members(base):
            base = ""
        self.layers: list[tuple[Orders, str]] = [((base, recipe.coefficients), recipe.name)]
        if base and recipe.apart[0] and self.norms:
            others, own = recipe.apart
            self.layers = [(("", recipe.coefficients), others), ((base, ""), own)]

    def _axes_now(self) -> Axes:
        """Return what axes count in tensors of these shapes; many modules have the same."""
        recipe, module = self.recipe, self.module
        key: list[Any] = []
        for path, need in recipe.tensors.items():
            if isinstance(need, tuple):
                found = self._members(path)
                key.append((len(found), found[0].shape) if found else None)
            elif need is int:
                key.append(attribute(module, path.replace("*", "0")))
        given = recipe.sizes(module)
        key += given.values()
        axes: Axes | None = recipe.known.get(tuple(key))
        if axes is None:
            if problem := missing_tensors(module, recipe.tensors, given):
                raise ValueError(problem)
            axes = recipe.known[tuple(key)] = Axes(recipe.tensors, given)
        return axes

    def _members(self, path: str) -> list[Any]:
        found = self._held.get(path)
        if found is None:
            found = self._held[path] = members(self.module, path) if path else []
        return found

    def modules(self, path: str) -> tuple[nn.Module, ...]:
        """Return the module at a path, or those of the list there."""
        found = attribute(self.module, path) if path else None
        if isinstance(found, nn.ModuleList):
            return tuple(found)
        return () if found is None else (found,)

    def _taken(self, order: Order, depth: int, part: Part, of: Of = Tensor.detach) -> Tensor:
        """Return what ``of`` makes of the numbers of functions, ``(out, in[, kh, kw], nb)``."""
        axes = self._axes.rows

        def get(path: str) -> Tensor:
            found: list[Tensor] = self._members(path)
            rows = (slice(None),) * axes[path] + part[:1] if path in axes else (...,)
            if len(found) == 1:
                return of(found[0] if part is ALL else found[0][rows])
            # A thousand are detached at once.
            several = found if of is Tensor.detach else [of(tensor) for tensor in found]
            return torch.cat(several).detach()[rows]

        if isinstance(order, str):
            cut = order in axes
            found, (groups, out, inputs, kd, *kernel), ready = self._axes.placed(order, get(order))
            if kd > 1:
                found = found.reshape(groups * out, inputs, kd, *kernel, -1)[:, :, depth]
            elif not ready:
                kernel = kernel if self.conv is not None else []
                found = found.reshape(groups * out, inputs, *kernel, -1)
        else:
            cut = bool(axes)
            found = order(get)
            found = found.unsqueeze(-1) if order is self.recipe.base else found
        if part is ALL:
            return found
        return found[:, part[1]] if cut else found[part]

    def _scale(
        self, paths: tuple[str, ...], depth: int, part: Part, masks: bool = True
    ) -> Tensor | None:
        """Return what multiplies some functions, ``(out, in[, kh, kw], 1)``."""
        scale = None
        for path in paths:
            found = self._members(path)
            if found and (masks or found[0].dtype != torch.bool):
                own = self._taken(path, depth, part)
                scale = own if scale is None else scale * own
        return scale

    def _form(self, orders: Orders) -> tuple[Tensor, torch.Size]:
        """Return a tensor of the coefficients' type, and their shape."""
        base, others = orders
        main = others or base
        if not isinstance(main, str):
            one = self._joined(orders, 0, (slice(1), slice(1)))
            out = self.sizes.get("groups", 1) * self.sizes.get("out", 1)
            return one, torch.Size([out, self.sizes["in"], *one.shape[2:]])
        axes = self._axes.axes(main, stacked(self._members(main)))
        lead = {name: size for name, size in axes if name in AXES}
        nb = prod(size for name, size in axes if name not in AXES) + bool(base and others)
        out = lead.get("groups", 1) * lead.get("out", 1)
        kernel = () if self.conv is None else (lead.get("kh", 1), lead.get("kw", 1))
        like: Tensor = self._members(main)[0]
        dtype = like.dtype
        for path in self.recipe.scale if others else ():
            if found := self._members(path):
                dtype = torch.promote_types(dtype, found[0].dtype)
        return like.new_empty(0, dtype=dtype), torch.Size([out, lead["in"], *kernel, nb])

    @ungraded
    def _joined(self, orders: Orders, depth: int, part: Part) -> Tensor:
        """Return the coefficients of some functions."""
        base, others = (self._taken(order, depth, part) if order else None for order in orders)
        scale = None
        if base is not None:
            factor = self._scale(self.recipe.base_scale, depth, part)
            base = base if factor is None else base * factor
        if others is not None:
            scale = self._scale(self.recipe.scale, depth, part)
        if base is None or others is None:
            one = others if base is None else base
            assert one is not None
            return one if scale is None else one * scale
        # Filled in place: a product and a concatenation would move everything twice.
        dtype = others.dtype if scale is None else torch.promote_types(others.dtype, scale.dtype)
        joined = others.new_empty((*others.shape[:-1], 1 + others.shape[-1]), dtype=dtype)
        joined[..., :1] = base
        if scale is None:
            joined[..., 1:] = others
        else:
            torch.mul(others, scale, out=joined[..., 1:])
        return joined

    def functions(self, orders: Orders, name: str, depth: int) -> LayerFunctions:
        """Return one layer of functions, or one slice of it."""
        recipe, module, (base, others) = self.recipe, self.module, orders
        made, computed = partial(self._joined, orders, depth), recipe.computed(module)
        like, shape = self._form(orders)
        activation = named_activation(recipe.activation(module)) if base else None  # type: ignore[arg-type]
        bases, index = self._bases(activation if others else None)
        if not others and recipe.coefficients:
            assert activation is not None
            bases, index = (BaseOnly(activation, bases[0].domain, bases[0].extent),), None
        locked, normed = recipe.locked(module), bool(self.norms and others)
        shared = recipe.shared(module)
        maps = None
        if self.dimensions in (1, 3):
            maps = as_rows if self.dimensions == 1 else partial(planes, self.conv, depth)
        source = self.norms if normed else self.modules(recipe.x_from)
        x_at = Tap(source, "output", view=maps) if source else None
        if maps is not None and not source:
            x_at = Tap((module,), view=maps)
        settings = None
        if self.conv is not None:
            groups = self.sizes.get("groups", getattr(self.conv, "groups", 1))
            settings = ConvSettings.of(self.conv, groups, shared, recipe.pads_basis)
        return LayerFunctions(
            "elementwise" if recipe.elementwise else "conv" if self.conv is not None else "linear",
            Terms(shape, like, made) if computed is None else computed.detach(),
            bases,
            index,
            name=self.name_of(name, depth),
            conv=settings,
            write=None if locked else partial(_write, recipe, module, orders, depth),
            locked=locked,
            variable=self._variable() if normed else "x",
            note=self._note(name, shared),
            x_at=x_at,
            gradient=None if locked else partial(_gradient, recipe, module, orders, depth),
            rewriter=None
            if recipe.steady is None
            else rewriter_of(
                module,
                str(base),
                str(others),
                [path.rstrip("?") for path in recipe.scale],
                recipe.steady,
                recipe.computed,
            ),
        )

    def name_of(self, name: str, depth: int) -> str:
        """Return the name of a layer of functions inside its module."""
        return ".".join(filter(None, [name, f"slice{depth}" if self.depths > 1 else ""]))

    def _variable(self) -> str:
        kind = type(self.norms[0]).__name__
        return f"{kind.rstrip('123d') if 'Norm' in kind else self.recipe.norm}(x)"

    def _note(self, name: str, shared: bool) -> str:
        said = [self.recipe.note(self.module)]
        if name and name == self.recipe.apart[0]:
            said.append(f"The base term, of x itself, is {self.recipe.apart[1]}.")
        elif name and name == self.recipe.apart[1]:
            said.append(f"The functions of {self._variable()} are {self.recipe.apart[0]}.")
        if after := self.modules(self.recipe.after):
            said.append(f"{type(after[0]).__name__} comes after the sum.")
        if shared:
            said.append("Each kernel is used on every input channel.")
        if self.depths > 1 and any(self.conv.padding):  # type: ignore[union-attr]
            said.append("Beyond the first and last plane its functions add nothing.")
        return " ".join(filter(None, said))

    def _bases(
        self, activation: BaseActivation | None
    ) -> tuple[tuple[ReadBasis, ...], Tensor | None]:
        """Return the bases, and which of them each function has; equal rows of a grid share one."""
        recipe, module = self.recipe, self.module

        def basis(*rows: tuple[float, ...]) -> ReadBasis:
            found = recipe.basis(module, *rows)
            return found if hasattr(found, "is_base") else LayerBasis(found, activation)

        def make() -> tuple[tuple[ReadBasis, ...], Tensor | None]:
            grids = []
            for path in recipe.grid:
                grid, sizes, _ = self._axes.placed(path, torch.cat(self._members(path)).detach())
                grids.append(grid.to("cpu", torch.float64).reshape(*sizes, -1))
            lead = torch.broadcast_shapes(*(grid.shape[:-1] for grid in grids))
            rows = torch.cat([grid.expand(*lead, -1) for grid in grids], -1).flatten(0, -2)
            index = None
            if bool((rows == rows[:1]).all()):
                rows = rows[:1]
            else:
                rows, which = torch.unique(rows, dim=0, return_inverse=True)
                groups = self.sizes.get("groups", 1)
                shape = self._form(("", recipe.coefficients))[1][:-1]
                kernel = shape[2:] if self.conv is not None else (1, 1)
                full = (groups, shape[0] // groups, shape[1], 1, *kernel)
                index = which.view(lead).expand(full).reshape(shape)
            widths = [grid.shape[-1] for grid in grids]
            split = [[tuple(p.tolist()) for p in row.split(widths)] for row in rows]
            return Alike(basis(*each) for each in split), index

        if not recipe.grid:
            return (basis(),), None  # those of the same settings are equal
        tensors = [tensor for path in recipe.grid for tensor in self._members(path)]
        if len(recipe.grid) > 1:
            tensors = [tensor.flatten() for tensor in tensors]
        needed = recipe.tensors.items()
        settings = [attribute(module, p) for p, need in needed if not isinstance(need, tuple)]
        key = (tuple(settings), activation, self._axes)
        return remembered(module, f"bases of {recipe.grid[0]}", tensors, key, make)


@ungraded
def _gradient(recipe: RecipeTable, module: Any, orders: Orders, depth: int) -> Tensor:
    """Return the gradient that the last backward pass left; NaN where a scale is 0."""
    arranged = Arrangement(recipe, module)
    found = []
    for order, scales in zip(orders, (recipe.base_scale, recipe.scale), strict=True):
        if order:
            own = arranged._taken(order, depth, ALL, gradient_of)
            # No gradient reaches what a mask of truth values removes: it is 0.
            scale = arranged._scale(scales, depth, ALL, masks=False)
            found.append(own if scale is None else own / scale)
    return found[0] if len(found) == 1 else torch.cat(found, dim=-1)


@ungraded
def _write(
    recipe: RecipeTable,
    module: Any,
    orders: Orders,
    depth: int,
    index: tuple[int, ...],
    coefficients: Tensor,
) -> None:
    """Send each coefficient of a function to the number that it is in a tensor."""
    if why := recipe.refused(module, index):
        raise ValueError(why)
    arranged = Arrangement(recipe, module)
    numbered: list[tuple[int, Tensor]] = []

    def number(tensor: Tensor) -> Tensor:
        start = numbered[-1][0] + numbered[-1][1].numel() if numbered else 0
        numbered.append((start, tensor.detach()))
        return start + torch.arange(tensor.numel()).view(tensor.shape)

    o, i, *entry = index
    part, here = (slice(o, o + 1), slice(i, i + 1)), (0, 0, *entry)
    terms = [
        (arranged._taken(order, depth, part, number)[here], scales)
        for order, scales in zip(orders, (recipe.base_scale, recipe.scale), strict=True)
        if order
    ]
    sizes = [len(places) for places, _ in terms]
    if coefficients.shape != (sum(sizes),):
        raise ValueError(
            f"expected {sum(sizes)} coefficients, got shape {tuple(coefficients.shape)}"
        )
    numbers: list[tuple[int, Tensor]] = []
    for (places, scales), wanted in zip(terms, coefficients.split(sizes), strict=True):
        scale = arranged._scale(scales, depth, part)
        factor = 1 if scale is None else scale[here].item()
        if factor != 0:
            numbers += zip(places.tolist(), wanted / factor, strict=True)
        elif bool(wanted.any()):
            names = " or ".join(p.rstrip("?") for p in scales if arranged._members(p))
            raise ValueError(
                f"the {names} of function {index} is 0, which holds this part of the function at 0"
            )
    starts = [start for start, _ in numbered]
    for place, value in numbers:
        start, tensor = numbered[bisect_right(starts, place) - 1]
        tensor[torch.unravel_index(torch.tensor(place - start), tensor.shape)] = value


def all_planes(x: Tensor) -> Tensor:
    """Return each plane of ``(n, channels, depth, height, width)`` as a map of its own."""
    return x.transpose(1, 2).flatten(0, 1)


def planes(conv: Any, d: int, x: Tensor) -> Tensor:
    """Return the planes that slice ``d`` takes in, NaN where there is none."""
    pad, stride, dilation = conv.padding[0], conv.stride[0], conv.dilation[0]
    x = F.pad(x, (0, 0, 0, 0, pad, pad), value=float("nan"))
    count = (x.shape[2] - dilation * (conv.kernel_size[0] - 1) - 1) // stride + 1
    first = d * dilation
    return all_planes(x[:, :, first : first + (count - 1) * stride + 1 : stride])
