"""How the functions of a layer lie in the tensors of its module, as a recipe says."""

from bisect import bisect_right
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.functions.basis import Alike, LayerBasis, NoFunctions, ReadBasis, named_activation
from kan_widgets.functions.coefficients import (
    ALL,
    Slices,
    Terms,
    gradient_of,
    remembered,
    rewriter_of,
)
from kan_widgets.functions.layer import LayerFunctions, Tap, as_rows
from kan_widgets.functions.layer_settings import ConvSettings
from kan_widgets.functions.module_tensors import (
    Axes,
    Order,
    Recipe,
    attribute,
    members,
    missing_tensors,
    stacked,
)
from kan_widgets.nn.activation import BaseActivation
from kan_widgets.nn.torch_modes import ungraded


class Arrangement:
    """How one layer of functions lies in the tensors of a module, as they are now.

    It has a base and coefficients, either of which may be missing. A module has ``count`` layers:
    two where only the coefficients take in a norm's output, and one for each slice of the kernels
    of a convolution over three dimensions.
    """

    def __init__(self, recipe: Recipe, module: Any, number: int = 0) -> None:
        self.recipe, self.module, self.number = recipe, module, number
        self.members = cache(lambda path: members(module, path) if path else [])
        self.axes = self._axes_now()
        self.conv = recipe.conv(module) if recipe.conv is not None else None
        self.dimensions = 0 if self.conv is None else len(self.conv.kernel_size)
        self.depths = self.conv.kernel_size[0] if self.dimensions == 3 else 1  # type: ignore[union-attr]
        norms = self.modules(recipe.norm)
        self.norms = tuple(norm for norm in norms if not isinstance(norm, nn.Identity))
        base = recipe.base if not isinstance(recipe.base, str) or self.members(recipe.base) else ""
        layers: list[tuple[Order, Order, str]] = [(base, recipe.coefficients, recipe.name)]
        if base and recipe.apart[0] and self.norms:
            layers = [("", recipe.coefficients, recipe.apart[0]), (base, "", recipe.apart[1])]
        self.count = len(layers) * self.depths
        self.base, self.others, self._own_name = layers[number // self.depths]
        self._depth = number % self.depths

    def _axes_now(self) -> Axes:
        """Return the axes of tensors of these shapes, cached: many modules have the same."""
        recipe, module = self.recipe, self.module
        sizes = recipe.sizes(module)
        key: list[Any] = list(sizes.values())
        for path, need in recipe.tensors.items():
            if isinstance(need, tuple):
                tensors = self.members(path)
                key.append((len(tensors), tensors[0].shape, tensors[0].dtype) if tensors else None)
            elif need is int:
                key.append(attribute(module, path.replace("*", "0")))
        axes: Axes | None = recipe.cached.get(tuple(key))
        if axes is None:
            if problem := missing_tensors(module, recipe.tensors, sizes):
                raise ValueError(problem)
            axes = recipe.cached[tuple(key)] = Axes(recipe.tensors, sizes)
        return axes

    def modules(self, path: str) -> tuple[nn.Module, ...]:
        """Return the module at a path, or the modules in the list there."""
        part = attribute(self.module, path) if path else None
        if isinstance(part, nn.ModuleList):
            return tuple(part)
        return () if part is None else (part,)

    def taken(
        self, order: Order, part: Slices, of: Callable[[Tensor], Tensor] = Tensor.detach
    ) -> Tensor:
        """Return ``of`` of the tensors of some functions, as ``(out, in[, kh, kw], nb)``."""
        axes = self.axes.rows

        def get(path: str) -> Tensor:
            tensors = self.members(path)
            rows = (slice(None),) * axes[path] + part[:1] if path in axes else (...,)
            if len(tensors) == 1:
                return of(tensors[0] if part is ALL else tensors[0][rows])
            # A thousand tensors are detached at once, when joined.
            several = tensors if of is Tensor.detach else [of(tensor) for tensor in tensors]
            return torch.cat(several).detach()[rows]

        if isinstance(order, str):
            cut = order in axes
            values, (groups, out, inputs, kd, *kernel) = self.axes.placed(order, get(order))
            kernel = kernel if self.conv is not None else []
            if kd > 1:
                values = values.reshape(groups * out, inputs, kd, *kernel, -1)[:, :, self._depth]
            else:
                values = values.reshape(groups * out, inputs, *kernel, -1)
        else:
            cut = bool(axes)
            values = order(get)
            values = values.unsqueeze(-1) if order is self.recipe.base else values
        if part is ALL:
            return values
        return values[:, part[1]] if cut else values[part]

    def scale(self, paths: tuple[str, ...], part: Slices, masks: bool = True) -> Tensor | None:
        """Return the factors of some functions, ``(out, in[, kh, kw], 1)``."""
        scale = None
        for path in paths:
            tensors = self.members(path)
            if tensors and (masks or tensors[0].dtype != torch.bool):
                own = self.taken(path, part)
                scale = own if scale is None else scale * own
        return scale

    def terms(self) -> list[tuple[Order, tuple[str, ...]]]:
        """Return base and coefficients, if there are any, each with the paths of its factors."""
        recipe = self.recipe
        both = (self.base, recipe.base_scale), (self.others, recipe.scale)
        return [term for term in both if term[0]]

    @ungraded
    def joined(self, part: Slices) -> Tensor:
        """Return the coefficients of some functions."""
        parts = [(self.taken(order, part), self.scale(by, part)) for order, by in self.terms()]
        if len(parts) == 1:
            [(numbers, scale)] = parts
            return numbers if scale is None else numbers * scale
        # Filled in place: a product and a concatenation would move everything twice.
        (base, base_scale), (others, scale) = parts
        dtype = others.dtype if scale is None else torch.promote_types(others.dtype, scale.dtype)
        joined = others.new_empty((*others.shape[:-1], 1 + others.shape[-1]), dtype=dtype)
        joined[..., :1] = base if base_scale is None else base * base_scale
        if scale is None:
            joined[..., 1:] = others
        else:
            torch.mul(others, scale, out=joined[..., 1:])
        return joined

    @ungraded
    def gradient(self) -> Tensor:
        """Return the gradient that the last backward pass left; NaN where a scale is 0."""
        parts = []
        for order, by in self.terms():
            # No gradient reaches functions that a boolean mask removes: it is 0.
            own, scale = self.taken(order, ALL, gradient_of), self.scale(by, ALL, masks=False)
            parts.append(own if scale is None else own / scale)
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)

    @ungraded
    def write(self, index: tuple[int, ...], coefficients: Tensor) -> None:
        """Write each coefficient of a function to its place in one of the tensors."""
        starts: list[int] = []
        tensors: list[Tensor] = []

        def number(tensor: Tensor) -> Tensor:
            starts.append(starts[-1] + tensors[-1].numel() if tensors else 0)
            tensors.append(tensor.detach())
            return starts[-1] + torch.arange(tensor.numel()).view(tensor.shape)

        o, i, *entry = index
        part, spot = (slice(o, o + 1), slice(i, i + 1)), (0, 0, *entry)
        terms = [(self.taken(order, part, number)[spot].tolist(), by) for order, by in self.terms()]
        sizes = [len(places) for places, _ in terms]
        if coefficients.shape != (sum(sizes),):
            raise ValueError(
                f"coefficients of shape {tuple(coefficients.shape)}: expected {sum(sizes)}"
            )
        numbers: list[tuple[int, Tensor]] = []
        for (places, by), wanted in zip(terms, coefficients.split(sizes), strict=True):
            scale = self.scale(by, part)
            factor = 1 if scale is None else scale[spot].item()
            if factor != 0:
                numbers += zip(places, wanted / factor, strict=True)
            elif bool(wanted.any()):
                held = [p for p in by if self.members(p) and not bool(self.taken(p, part)[spot])]
                names = " and the ".join(path.rstrip("?") for path in held)
                raise ValueError(
                    f"the {names} of function {index} is 0, which holds this part of the function "
                    "at 0"
                )
        for place, value in numbers:
            k = bisect_right(starts, place) - 1
            at = torch.unravel_index(torch.tensor(place - starts[k]), tensors[k].shape)
            tensors[k][at] = value

    def functions(self) -> LayerFunctions:
        recipe, module = self.recipe, self.module
        like, shape = self._form()
        activation = named_activation(recipe.activation(module)) if self.base else None  # type: ignore[arg-type]
        bases, index = self._bases(activation if self.others else None)
        if not self.others and recipe.coefficients:
            alone = NoFunctions(bases[0].domain, bases[0].extent)
            bases, index = (LayerBasis(alone, activation),), None
        kind, settings = "elementwise" if recipe.elementwise else "linear", None
        if self.conv is not None:
            groups = self.axes.sizes.get("groups", getattr(self.conv, "groups", 1))
            settings = ConvSettings.of(self.conv, groups, recipe.shared(module), recipe.pads_basis)
            kind = "conv"
        view = as_rows if self.dimensions == 1 else None
        if self.dimensions == 3:
            view = partial(_planes, self.conv, self._depth)
        normed = bool(self.norms and self.others)
        source = self.norms if normed else self.modules(recipe.x_from)
        x_at = Tap(source, "output", view=view) if source else None
        if view is not None and not source:
            x_at = Tap((module,), view=view)
        locked, rewriter = recipe.locked(module), None
        if recipe.steady is not None:
            names = [str(self.base), str(self.others), *(p.rstrip("?") for p in recipe.scale)]
            rewriter = rewriter_of(module, names, recipe.steady)
        return LayerFunctions(
            kind,  # type: ignore[arg-type]
            Terms(shape, like, self.joined),
            bases,
            index,
            name=self.name,
            conv=settings,
            write=None if locked else self._later(Arrangement.write),
            locked=locked,
            variable=self._variable() if normed else "x",
            note=self._note(),
            x_at=x_at,
            gradient=None if locked else self._later(Arrangement.gradient),
            rewriter=rewriter,
        )

    def _later(self, do: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that calls ``do`` with the tensors as they are by then."""
        recipe, module, number = self.recipe, self.module, self.number
        return lambda *args: do(Arrangement(recipe, module, number), *args)

    def _form(self) -> tuple[Tensor, torch.Size]:
        """Return a tensor of the coefficients' type, and their shape."""
        key = self.base != "", self.others != ""
        if (form := self.axes.cached.get(key)) is None:
            main, lead = self.others or self.base, self.axes.sizes
            single = self.joined((slice(1), slice(1)))
            if isinstance(main, str):
                lead = dict(self.axes.axes(main, stacked(self.members(main))))
            out = lead.get("groups", 1) * lead.get("out", 1)
            form = single.dtype, torch.Size([out, lead["in"], *single.shape[2:]])
            self.axes.cached[key] = form
        dtype, shape = form
        like = next(tensors[0] for path in self.axes.shapes if (tensors := self.members(path)))
        return like.new_empty(0, dtype=dtype), shape

    @property
    def name(self) -> str:
        """The name of the layer inside its module."""
        slices = f"slice{self._depth}" if self.depths > 1 else ""
        return ".".join(filter(None, [self._own_name, slices]))

    def _variable(self) -> str:
        kind = type(self.norms[0]).__name__
        return f"{kind.rstrip('123d') if 'Norm' in kind else self.recipe.norm}(x)"

    def _note(self) -> str:
        recipe, sentences = self.recipe, [self.recipe.note(self.module)]
        if self.count > self.depths:
            others, base = recipe.apart
            if self.base:
                sentences.append(f"The functions of {self._variable()} are {others}.")
            else:
                sentences.append(f"The base term, of x itself, is {base}.")
        if after := self.modules(recipe.after):
            sentences.append(f"{type(after[0]).__name__} comes after the sum.")
        if self.depths > 1 and any(self.conv.padding):  # type: ignore[union-attr]
            sentences.append("Beyond the first and last plane its functions add nothing.")
        return " ".join(filter(None, sentences))

    def _bases(
        self, activation: BaseActivation | None
    ) -> tuple[tuple[ReadBasis, ...], Tensor | None]:
        """Return the bases, and which of them each function has; equal rows of a grid share one."""
        recipe, module = self.recipe, self.module

        def basis(*rows: tuple[float, ...]) -> ReadBasis:
            functions = recipe.basis(module, *rows)
            return functions if hasattr(functions, "is_base") else LayerBasis(functions, activation)

        def make() -> tuple[tuple[ReadBasis, ...], Tensor | None]:
            grids = []
            for path in recipe.grid:
                grid, sizes = self.axes.placed(path, torch.cat(self.members(path)).detach())
                grids.append(grid.to("cpu", torch.float64).reshape(*sizes, -1))
            lead = torch.broadcast_shapes(*(grid.shape[:-1] for grid in grids))
            rows = torch.cat([grid.expand(*lead, -1) for grid in grids], -1).flatten(0, -2)
            rows, which = torch.unique(rows, dim=0, return_inverse=True)
            index = None
            if len(rows) > 1:
                groups = self.axes.sizes.get("groups", 1)
                shape = Arrangement(recipe, module)._form()[1][:-1]
                kernel = shape[2:] if self.conv is not None else (1, 1)
                full = (groups, shape[0] // groups, shape[1], 1, *kernel)
                index = which.view(lead).expand(full).reshape(shape)
            widths = [grid.shape[-1] for grid in grids]
            split = [[tuple(p.tolist()) for p in row.split(widths)] for row in rows]
            return Alike(basis(*knots) for knots in split), index

        if not recipe.grid:
            return (basis(),), None  # bases of the same settings are equal
        tensors = [tensor for path in recipe.grid for tensor in self.members(path)]
        if len(recipe.grid) > 1:
            tensors = [tensor.flatten() for tensor in tensors]
        needed = recipe.tensors.items()
        settings = [attribute(module, p) for p, need in needed if not isinstance(need, tuple)]
        key = (tuple(settings), activation, self.axes)
        return remembered(module, f"bases of {recipe.grid[0]}", tensors, key, make)


def arrangements(recipe: Recipe, module: Any) -> list[Arrangement]:
    """Return how all layers of a module lie in its tensors."""
    first = Arrangement(recipe, module)
    return [first, *(Arrangement(recipe, module, number) for number in range(1, first.count))]


def all_planes(x: Tensor) -> Tensor:
    """Return each plane of ``(n, channels, depth, height, width)`` as a map of its own."""
    return x.transpose(1, 2).flatten(0, 1)


def _planes(conv: Any, d: int, x: Tensor) -> Tensor:
    """Return the _planes that slice ``d`` takes in, NaN where there is none."""
    pad, stride, dilation = conv.padding[0], conv.stride[0], conv.dilation[0]
    x = F.pad(x, (0, 0, 0, 0, pad, pad), value=float("nan"))
    count = (x.shape[2] - dilation * (conv.kernel_size[0] - 1) - 1) // stride + 1
    first = d * dilation
    return all_planes(x[:, :, first : first + (count - 1) * stride + 1 : stride])
