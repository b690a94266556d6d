"""A network taken apart for a formula: its layers in the order they ran, and what is between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kan_widgets.functions import LayerFunctions
from kan_widgets.functions.adapters.pykan import problem_of_model
from kan_widgets.functions.pykan_networks import nodes_of, symbols_of
from kan_widgets.functions.reading import ReadableModule, find
from kan_widgets.insight.tables import Float64


@dataclass(frozen=True, eq=False)
class Stage:
    """One layer, as it ran: sums of functions, and what is made of them."""

    functions: LayerFunctions
    """Those that are to be fitted; 0 where a function is known by its symbols alone."""
    inputs: Float64
    """``(n, in)``."""
    outputs: Float64
    """``(n, out)``: the sums, and perhaps a constant."""
    chosen: tuple[int, ...] | None = None
    """Which features of what comes before reach the layer; ``None`` for all."""
    exact: Mapping[tuple[int, int], Callable[[Any], Any]] | None = None
    """By (out, in): what is added to a function, of an expression."""
    after: Callable[[Sequence[Any]], list[Any]] = list
    """What is made of the sums, numbers or expressions."""


def run(model: nn.Module, x: Tensor) -> tuple[list[Stage], Float64]:
    """Run a network once, in evaluation mode and without gradients.

    Returns
    -------
    tuple
        Its layers in the order they ran, and its output, ``(n, outputs)``.

    Raises
    ------
    ValueError
        If a layer is of another kind, runs twice or takes something else than rows.
    """
    readable = find(model)
    passed: list[tuple[nn.Module, Any, Any]] = []

    def after(module: nn.Module, given: tuple[Any, ...], result: Any) -> None:
        result = result[0] if isinstance(result, tuple) else result
        passed.append((module, given[0].detach().clone(), result.detach().clone()))

    watched: list[nn.Module] = []
    for found in readable:
        watched += [found.module, *_halves(found.module)]
    training = {module: module.training for module in model.modules()}
    handles = [module.register_forward_hook(after) for module in dict.fromkeys(watched)]
    try:
        model.eval()
        with torch.no_grad():
            y = model(x)
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in training.items():
            module.training = mode
    by_module = {found.module: found for found in readable}
    stages: list[Stage] = []
    for module, given, result in passed:
        if module not in by_module:
            continue
        if _halves(module):
            stages += _of_pykan(by_module[module], passed)
        else:
            stages.append(_of_layer(by_module[module], given, result))
    if len(stages) != len({stage.functions.name for stage in stages}):
        raise ValueError("a layer runs more than once")
    if not isinstance(y, Tensor) or y.ndim != 2:
        raise ValueError("the model's output is no tensor (n, outputs)")
    return stages, y.double().cpu().numpy()


def _of_layer(found: ReadableModule, given: Tensor, result: Tensor) -> Stage:
    read = found.read()
    functions = read[0]
    if len(read) != 1:
        raise ValueError(f"{found.name or functions.type} holds {len(read)} layers in one module")
    if functions.kind != "linear":
        raise ValueError(f"{found.name} ({functions.type}) is no dense layer")
    if functions.x_at is not None or functions.variable != "x":
        raise ValueError(
            f"the functions of {functions.name} ({functions.type}) are of "
            f"{functions.variable}, not of the layer's input"
        )
    return Stage(functions, _rows(given, functions), _rows(result, functions))


def _halves(module: Any) -> list[nn.Module]:
    """Return the layers inside a model of pykan, none of another module."""
    if problem_of_model(module):
        return []
    return [*module.act_fun, *module.symbolic_fun]


def _of_pykan(found: ReadableModule, passed: Sequence[tuple[nn.Module, Any, Any]]) -> list[Stage]:
    """Return the layers of a model of pykan: its symbolic edges as they are, the rest to fit."""
    model: Any = found.module
    of: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {}
    for module, given, result in passed:
        of.setdefault(module, []).append((given, result))
    if len(of[model]) > 1:
        raise ValueError("a layer runs more than once")
    stages = []
    for number, functions in enumerate(found.read()):
        given, sums = of[model.act_fun[number]][0]
        symbols = symbols_of(model, number)
        if model.symbolic_enabled:
            sums = sums + of[model.symbolic_fun[number]][0][1]
            if symbols:
                coefficients = functions.coefficients.clone()
                for edge in symbols:  # f(a·x + b) and 1, which are added as symbols
                    coefficients[edge][-2:] = 0
                functions = replace(functions, coefficients=coefficients)
        stages.append(
            Stage(
                functions,
                _rows(given, functions),
                _rows(sums, functions),
                tuple(int(k) for k in model.input_id) if number == 0 else None,
                symbols,
                nodes_of(model, number),
            )
        )
    return stages


def _rows(values: Tensor, functions: LayerFunctions) -> Float64:
    if values.ndim != 2:
        raise ValueError(
            f"{functions.name}: expected inputs of shape (n, features), got {tuple(values.shape)}"
        )
    found: Float64 = values.double().cpu().numpy()
    return found


def known(stage: Stage, out: int) -> Float64 | float:
    """Return what the symbols of a layer add to one of its sums, at its inputs, ``(n,)``."""
    import sympy  # type: ignore[import-untyped]

    total: Float64 | float = 0.0
    for (o, i), edge in (stage.exact or {}).items():
        if o == out:
            x = sympy.Symbol("x")
            with np.errstate(all="ignore"):
                total = total + sympy.lambdify([x], edge(x), "numpy")(stage.inputs[:, i])
    return total
