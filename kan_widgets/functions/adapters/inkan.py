"""Read inkan's ``KANLayer`` (PyPI): splines and base packed in one weight, (out, in·nb + in)."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions.adapters.flashkan import cubic_basis, problem_of_settings
from kan_widgets.functions.attributes import missing_tensors
from kan_widgets.functions.gradients import gradient_of
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import register_adapter
from kan_widgets.functions.terms import join_terms, set_term, terms_of


def problem_of_layer(module: nn.Module) -> str:
    """Say what the module lacks to be inkan's layer of functions of one variable."""
    sizes: dict[str, int] = {}
    shapes: dict[str, tuple[int | str, ...]] = {
        "grid_starts": ("nb",),
        "weight": ("out", "packed"),
    }
    if missing := missing_tensors(module, shapes, sizes) or problem_of_settings(module):
        return missing
    if getattr(module, "dim", 1) != 1:
        return "with dim=2 its functions are of two variables"
    inputs = getattr(module, "in_features", 0)
    if inputs * (sizes["nb"] + 1) != sizes["packed"]:
        return (
            f"weight has {sizes['packed']} columns, not in·nb + in with in = {inputs} and "
            f"nb = {sizes['nb']}"
        )
    return ""


def read_layer(module: Any) -> LayerFunctions:
    """Read inkan's ``KANLayer``."""
    base, splines = _terms(module, module.weight.detach())
    return LayerFunctions(
        "linear",
        terms_of(base, splines),
        (cubic_basis(module),),
        write=partial(_write, module),
        gradient=lambda: join_terms(*_terms(module, gradient_of(module.weight))),
    )


def _terms(module: Any, weight: Tensor) -> tuple[Tensor, Tensor]:
    n = module.in_features
    splines, base = weight[:, :-n], weight[:, -n:]
    return base, splines.unflatten(1, (n, -1))


def _write(module: Any, index: tuple[int, ...], coefficients: Tensor) -> None:
    base, splines = _terms(module, module.weight.detach())
    set_term(base[index], coefficients[0], None, "")
    set_term(splines[index], coefficients[1:], None, "")


register_adapter("KANLayer", read_layer, library="inkan", problem=problem_of_layer)
