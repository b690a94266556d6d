"""An adapter in a few lines: which tensors a layer has, and how they lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions.arrangement import all_planes, arrangements
from kan_widgets.functions.attributes import (
    Needed,
    Order,
    RecipeTable,
    attribute,
    missing_tensors,
)
from kan_widgets.functions.layer import LayerFunctions, Tap, as_rows
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
    are tried too, whatever their class is called; `prove` tells who is right. See
    ``adapters/fourier_kan.py`` for an example.

    Parameters
    ----------
    name
        The name of the class.
    tensors, coefficients, basis
        As `Recipe` takes them.
    library
        Where it is from.
    **more
        As `Recipe` takes them.
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
        register_layers(name, lambda module: [self], library=library, elementwise=self.elementwise)

    def problem(self, module: nn.Module) -> str:
        """Say what a module lacks to be such a layer; empty if nothing."""
        if missing := missing_tensors(module, self.tensors, self.sizes(module)):
            return missing
        for path in filter(None, (self.norm, self.after)):
            if not hasattr(module, path.split(".")[0]):
                return f"{path} is missing"
        return self.needs(module)

    def read(self, module: nn.Module) -> list[LayerFunctions]:
        """Read the functions of a module: one layer of them, or several."""
        with together:
            found = [layer.functions() for layer in arrangements(self, module)]
        return found

    def sums(self, module: nn.Module) -> list[Sum]:
        """Say where the sums of a module's functions appear."""
        layers = arrangements(self, module)
        names, first = tuple(layer.name for layer in layers), layers[0]
        added = attribute(module, self.bias) if self.bias else None
        bias = added.detach().flatten() if isinstance(added, Tensor) else None
        maps = {1: as_rows, 3: all_planes}.get(first.dimensions)
        after = first.modules(self.after)
        at = Tap(after, view=maps) if after else Tap((module,), "output", view=maps)
        if not self.base_at:
            return [Sum(names, at, bias)]
        base = Tap(first.modules(self.base_at), "output", view=maps)
        return [Sum(names[: first.depths], at), Sum(names[first.depths :], base)]

    def input_shape(self, module: nn.Module) -> tuple[int, ...]:
        """Return the shape of an input, in which each entry of a kernel is reached."""
        last = arrangements(self, module)[-1]
        conv, functions = last.conv, last.functions()
        if self.elementwise:
            return (3, 2 * functions.shape[1])
        if conv is None or functions.conv is None:
            return (functions.shape[1],)
        fields = (conv.kernel_size, conv.dilation, conv.stride)
        size = ((k - 1) * d + 1 + 2 * s for k, d, s in zip(*fields, strict=True))
        channels = functions.shape[1] * functions.conv.groups
        return (2 if functions.conv.shared else channels, *size)


def register_layers(
    name: str | type[nn.Module],
    layers: Callable[[Any], list[Recipe]],
    *,
    library: str,
    **more: Any,
) -> None:
    """Have a module read that holds the tensors of several layers, which ``layers`` returns.

    ``more`` is as for `register_adapter`.
    """
    register_adapter(
        name,
        lambda module: [found for layer in layers(module) for found in layer.read(module)],
        library=library,
        problem=lambda module: next(filter(None, (x.problem(module) for x in layers(module))), ""),
        sums=lambda module: [found for layer in layers(module) for found in layer.sums(module)],
        input_shape=lambda module: layers(module)[0].input_shape(module),
        **more,
    )
