"""An adapter in a few lines: which tensors a layer has, and how they lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions.arrangement import Arrangement, all_planes
from kan_widgets.functions.attributes import Needed, attribute, missing_tensors
from kan_widgets.functions.layer import LayerFunctions, Tap, as_rows
from kan_widgets.functions.recipe_table import Order, RecipeTable
from kan_widgets.functions.registry import Sum, register_adapter
from kan_widgets.nn.life.changes import together


def tensor_adapter(
    name: str,
    tensors: Mapping[str, Needed],
    coefficients: Order,
    basis: Callable[..., Any],
    *,
    library: str,
    **more: Any,
) -> Recipe:
    """Register an adapter for a layer that is known by its tensors, and return its recipe.

    Its functions can be edited, and their gradients are known. Other modules with the same tensors
    are tried too, whatever their class is called; `prove` tells who is right.

    Parameters
    ----------
    name
        The name of the class.
    tensors, coefficients, basis
        As `Recipe` takes them.
    library
        Where the class is from.
    **more
        What else `Recipe` takes.

    Examples
    --------
    See ``adapters/fourier_kan.py``.
    """
    recipe = Recipe(tensors, coefficients, basis, **more)
    recipe.register(name, library)
    return recipe


class Recipe(RecipeTable):
    """How the functions of a layer lie in its tensors: what reads, writes and proves it.

    The parameters are those of `RecipeTable`.
    """

    def register(self, name: str | type[nn.Module], library: str) -> None:
        """Have modules of a class read so."""
        register_adapter(
            name,
            self.read,
            library=library,
            problem=self.problem,
            sums=self.sums,
            input_shape=self.input_shape,
            elementwise=self.elementwise,
        )

    def problem(self, module: nn.Module) -> str:
        """Say what a module lacks to be such a layer; empty if nothing."""
        settings = {path: need for path, need in self.tensors.items() if type(need) is not tuple}
        if settings and (missing := missing_tensors(module, settings)):
            return missing
        if missing := missing_tensors(module, self.tensors, self.sizes(module)):
            return missing
        for path in filter(None, (self.norm, self.after)):
            if not hasattr(module, path.split(".")[0]):
                return f"{path} is missing"
        return self.needs(module)

    def read(self, module: nn.Module) -> LayerFunctions | list[LayerFunctions]:
        """Read the functions of a module: one layer of them, or several."""
        found = self.layers(module)
        return found[0] if len(found) == 1 else found

    def layers(self, module: nn.Module) -> list[LayerFunctions]:
        """Read all layers of functions of a module."""
        with together:
            arranged = Arrangement(self, module)
            found = [
                arranged.functions(each, name, depth)
                for each, name in arranged.layers
                for depth in range(arranged.depths)
            ]
        return found

    def sums(self, module: nn.Module) -> list[Sum]:
        """Say where the sums of a module's functions appear."""
        arranged = Arrangement(self, module)
        names = [
            arranged.name_of(name, depth)
            for _, name in arranged.layers
            for depth in range(arranged.depths)
        ]
        added = attribute(module, self.bias) if self.bias else None
        bias = added.detach().flatten() if isinstance(added, Tensor) else None
        maps = {1: as_rows, 3: all_planes}.get(arranged.dimensions)
        after = arranged.modules(self.after)
        at = Tap(after, view=maps) if after else Tap((module,), "output", view=maps)
        if not self.base_at:
            return [Sum(tuple(names), at, bias)]
        base, count = Tap(arranged.modules(self.base_at), "output", view=maps), arranged.depths
        return [Sum(tuple(names[:count]), at), Sum(tuple(names[count:]), base)]

    def input_shape(self, module: nn.Module) -> tuple[int, ...]:
        """Return the shape of an input, in which each entry of a kernel is reached."""
        conv, last = Arrangement(self, module).conv, self.layers(module)[-1]
        if self.elementwise:
            return (3, 2 * last.shape[1])
        if conv is None or last.conv is None:
            return (last.shape[1],)
        fields = (conv.kernel_size, conv.dilation, conv.stride)
        size = ((k - 1) * d + 1 + 2 * s for k, d, s in zip(*fields, strict=True))
        return (2 if last.conv.shared else last.shape[1] * last.conv.groups, *size)


def register_layers(
    name: str,
    layers: Callable[[Any], list[Recipe]],
    *,
    library: str,
    resembles: Callable[[nn.Module], bool],
) -> None:
    """Have a module read that holds the tensors of several layers, which ``layers`` returns.

    ``resembles`` is as for `register_adapter`.
    """
    register_adapter(
        name,
        lambda module: [found for layer in layers(module) for found in layer.layers(module)],
        library=library,
        problem=lambda module: next(filter(None, (x.problem(module) for x in layers(module))), ""),
        resembles=resembles,
        sums=lambda module: [found for layer in layers(module) for found in layer.sums(module)],
        input_shape=lambda module: layers(module)[0].input_shape(module),
    )
