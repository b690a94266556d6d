"""Layers that are read by a recipe: an adapter in a few lines."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions, Tap, as_rows
from kan_widgets.functions.module_tensors import (
    Needed,
    Order,
    Recipe,
    attribute,
    members,
    missing_tensors,
)
from kan_widgets.functions.registry import Sum, register_adapter
from kan_widgets.functions.tensor_arrangement import all_planes, arrangements
from kan_widgets.nn.changes.listeners import together


def tensor_adapter(
    name: str | type[nn.Module],
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
        The class, or its name.
    tensors, coefficients, basis
        As `Recipe` takes them.
    library
        Where it is from.
    **more
        As `Recipe` takes them.
    """
    recipe = Recipe(tensors, coefficients, basis, **more)
    register_recipes(name, lambda module: [recipe], library, elementwise=recipe.elementwise)
    return recipe


def register_recipes(
    name: str | type[nn.Module],
    recipes: Callable[[Any], list[Recipe]],
    library: str,
    **more: Any,
) -> None:
    """Register a module that holds the tensors of several layers, with a recipe for each.

    ``more`` is as for `register_adapter`.
    """

    def all_of(find: Callable[[Recipe, Any], list[Any]], module: Any) -> list[Any]:
        return [result for recipe in recipes(module) for result in find(recipe, module)]

    register_adapter(
        name,
        partial(all_of, layers_of),
        library=library,
        problem=lambda module: next(
            filter(None, (lacking(x, module) for x in recipes(module))), ""
        ),
        sums=partial(all_of, _recipe_sums),
        **more,
    )


def lacking(recipe: Recipe, module: Any) -> str:
    """Say what a module lacks to be such a layer; empty if nothing."""
    needed = (path for path in recipe.tensors if not path.endswith("?"))
    if path := next((path for path in needed if not members(module, path)), ""):
        return f"{path} is missing"
    if wrong := missing_tensors(module, recipe.tensors, recipe.sizes(module)):
        return wrong
    for path in filter(None, (recipe.norm, recipe.after)):
        if not hasattr(module, path.split(".")[0]):
            return f"{path} is missing"
    return recipe.needs(module)


def layers_of(recipe: Recipe, module: Any) -> list[LayerFunctions]:
    """Read the functions of a module: one layer of them, or several."""
    with together:
        return [layer.functions() for layer in arrangements(recipe, module)]


def _recipe_sums(recipe: Recipe, module: Any) -> list[Sum]:
    """Say where the sums of a module's functions appear."""
    layers = arrangements(recipe, module)
    names, first = tuple(layer.name for layer in layers), layers[0]
    added = attribute(module, recipe.bias) if recipe.bias else None
    bias = added.detach().flatten() if isinstance(added, Tensor) else None
    maps = {1: as_rows, 3: all_planes}.get(first.dimensions)
    after = first.modules(recipe.after)
    at = Tap(after, view=maps) if after else Tap((module,), "output", view=maps)
    if not recipe.base_at:
        return [Sum(names, at, bias)]
    base = Tap(first.modules(recipe.base_at), "output", view=maps)
    return [Sum(names[: first.depths], at), Sum(names[first.depths :], base)]
