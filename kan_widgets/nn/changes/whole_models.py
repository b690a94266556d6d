"""Grid updates, refinement, pruning and penalties for all layers of a model."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.optim import Optimizer

from kan_widgets.checks import check_module, check_whole
from kan_widgets.nn.bases.bspline import Spline
from kan_widgets.nn.changes import grids, listeners, pruning
from kan_widgets.nn.changes.pruning import Pruning
from kan_widgets.nn.changes.torch_optimizer import check_optimizer, forget
from kan_widgets.nn.core import LayerCore
from kan_widgets.nn.torch_modes import gradient_mode_restored


def update_grid(
    model: nn.Module,
    batch: Any,
    *,
    grid_eps: float = 0.02,
    margin: float = 0.01,
    optimizer: Optimizer | None = None,
) -> dict[str, float]:
    """Move the knots of every KAN layer of a model to where a batch puts its inputs.

    Layer after layer, in the order in which they are reached: each by the inputs that it gets
    once those before it have their new grids. The model runs as it is, in training or evaluation
    mode, without gradients; buffers, such as those of batch norm, and random number generators
    are as before afterwards. Layers whose basis has no knots, and those not reached, are left
    unchanged.

    Parameters
    ----------
    model
        Any module with KAN layers of this package.
    batch
        The model's input: a tensor, or a tuple of arguments.
    grid_eps, margin, optimizer
        As in :meth:`KANLayer.update_grid`.

    Returns
    -------
    dict
        The fit error of each layer, by its name.

    Raises
    ------
    TypeError
        If there is no layer with knots.
    ValueError
        If the batch reaches none, or the inputs of one are not finite or all equal. No layer
        has changed then.

    Examples
    --------
    >>> from kan_widgets.nn import KANLinear
    >>> model = nn.Sequential(KANLinear(2, 3), KANLinear(3, 1))
    >>> sorted(update_grid(model, torch.randn(100, 2)))
    ['0', '1']
    """
    layers = _splines(model, "update_grid")
    check_optimizer(optimizer, [layer.spline_weight for layer in layers.values()])
    order = list(_reached(model, layers, batch, kind="KAN layers with knots"))
    before = {
        name: (layers[name].basis, layers[name].spline_weight.detach().clone()) for name in order
    }
    errors = {}
    try:
        for name in order:
            layer = layers[name]
            inputs = _reached(model, {name: layer}, batch)[name]
            try:
                errors[name] = grids.update_layer_grid(layer, inputs, grid_eps, margin, None)
            except ValueError as error:
                raise ValueError(f"layer {name!r}: {error}") from error
    except BaseException:
        for name, (basis, weight) in before.items():
            with listeners.together:
                layers[name].spline_weight.detach().copy_(weight)
                layers[name].basis = basis
        raise
    forget(optimizer, [layers[name].spline_weight for name in order])
    listeners.tell(layers[name] for name in order)
    return errors


def refine(
    model: nn.Module, grid_size: int, *, even: bool = False, optimizer: Optimizer | None = None
) -> dict[str, float]:
    """Give all splines of a model a grid of another size, and keep the functions.

    Parameters
    ----------
    model
        Any module with KAN layers of this package; those whose basis has no knots are left alone.
    grid_size, even, optimizer
        As in :meth:`KANLayer.refine`. An optimizer that has made steps must be given.

    Returns
    -------
    dict
        The largest deviation in each layer, by its name.

    Raises
    ------
    TypeError
        If there is no layer with knots, or ``grid_size`` is not an int.
    ValueError
        If ``grid_size`` is less than 1. No layer has changed then.

    Examples
    --------
    >>> from kan_widgets.nn import KANCNN
    >>> max(refine(KANCNN(), 10).values()) < 1e-5
    True
    """
    layers = _splines(model, "refine")
    check_whole("grid_size", grid_size, 1)
    weights = [layer.spline_weight for layer in layers.values()]
    check_optimizer(optimizer, weights)
    errors = {
        name: grids.refine_layer(layer, grid_size, even, None) for name, layer in layers.items()
    }
    forget(optimizer, weights)
    listeners.tell(layers.values())
    return errors


def prune(
    model: nn.Module, threshold: float, batch: Any, *, dry_run: bool = True
) -> dict[str, Pruning]:
    """Remove the functions of a model that contribute little for a batch.

    All importances are taken from one run of the batch through the model as it is; see
    :meth:`KANLayer.prune` for what they are, and `update_grid` for how the model is run.

    Parameters
    ----------
    model
        Any module with KAN layers of this package.
    threshold
        Least mean of |φ(x)| to stay, 0 or more.
    batch
        The model's input: a tensor, or a tuple of arguments.
    dry_run
        Only report what would be removed.

    Returns
    -------
    dict
        A `Pruning` for each layer reached, by its name.

    Raises
    ------
    TypeError
        If there is no KAN layer.
    ValueError
        If the batch reaches none, what reaches one is not finite, or ``threshold`` is
        negative. No layer has changed then.

    Examples
    --------
    >>> from kan_widgets.nn import KANCNN
    >>> found = prune(KANCNN(), 0.01, torch.randn(16, 1, 28, 28))
    >>> found["linear"].importance.shape, found["linear"].dry_run
    (torch.Size([10, 144]), True)
    """
    layers = _kan_layers(model)
    inputs = _reached(model, layers, batch)
    planned = {}
    for name, x in inputs.items():
        try:
            planned[name] = pruning.prune_layer(layers[name], threshold, x, dry_run=True)
        except ValueError as error:
            raise ValueError(f"layer {name!r}: {error}") from error
    if dry_run:
        return planned
    # Layers change only once all of them have passed the checks.
    prunings = {
        name: pruning.prune_layer(layers[name], threshold, x, dry_run=False)
        for name, x in inputs.items()
    }
    listeners.tell(layers[name] for name in inputs)
    return prunings


def regularization(
    model: nn.Module, batch: Any = None, *, l1: float = 1.0, entropy: float = 1.0
) -> Tensor:
    """Return the sum of all KAN layers' regularization, to be added to a loss with a small factor.

    Parameters
    ----------
    model
        Any module with KAN layers of this package.
    batch
        The model's input, for the mean over what each layer gets of it; it is run once more for
        that, as in `update_grid` but with gradients. By default each mean is taken over the
        basis's domain, which needs no run.
    l1, entropy
        As in :meth:`KANLayer.regularization`.

    Raises
    ------
    TypeError
        If there is no KAN layer.

    Examples
    --------
    >>> from kan_widgets.nn import KANLinear
    >>> model = nn.Sequential(KANLinear(2, 3), KANLinear(3, 1))
    >>> (model(torch.randn(5, 2)).square().mean() + 1e-3 * regularization(model)).backward()
    """
    layers = _kan_layers(model)
    inputs: dict[str, Any] = dict.fromkeys(layers)
    if batch is not None:
        inputs = _reached(model, layers, batch, gradients=True)
    parts = [pruning.layer_regularization(layers[n], x, l1, entropy) for n, x in inputs.items()]
    return torch.stack(parts).sum()


def _kan_layers(model: nn.Module) -> dict[str, LayerCore]:
    """Return the KAN layers of a model by name, each once.

    Raises `TypeError` if ``model`` is no module or has none.
    """
    check_module(model)
    parts = _whole(model).named_modules()
    layers = {name: part for name, part in parts if isinstance(part, LayerCore)}
    if not layers:
        raise TypeError(
            f"model: expected KAN layers of kan_widgets.nn; {type(model).__name__} has none"
        )
    return layers


def _splines(model: nn.Module, function: str) -> dict[str, LayerCore]:
    layers = {
        name: layer for name, layer in _kan_layers(model).items() if isinstance(layer.basis, Spline)
    }
    if not layers:
        raise TypeError(
            f"{function} changes the knots of B-splines, but no layer of "
            f"{type(model).__name__} has them"
        )
    return layers


def _whole(model: nn.Module) -> nn.Module:
    """Return the module inside `torch.compile`'s wrapper."""
    inner = getattr(model, "_orig_mod", None)
    return inner if isinstance(inner, nn.Module) else model


def _reached(
    model: nn.Module,
    layers: dict[str, LayerCore],
    batch: Any,
    *,
    gradients: bool = False,
    kind: str = "KAN layers",
) -> dict[str, list[Tensor]]:
    """Run the model once; return what went into each layer, in the order of their first calls.

    Raises `ValueError` if the batch reached none.
    """
    passed: dict[str, list[Tensor]] = {}

    def keep(name: str) -> Any:
        def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            x = (*args, *kwargs.values())[0]
            passed.setdefault(name, []).append(x if gradients else x.detach().clone())

        return hook

    handles = [
        layer.register_forward_pre_hook(keep(name), with_kwargs=True)
        for name, layer in layers.items()
    ]
    arguments = batch if isinstance(batch, tuple) else (batch,)
    inner = _whole(model)
    copies = {name: buffer.clone() for name, buffer in inner.named_buffers()}
    devices = sorted({p.device.index for p in model.parameters() if p.is_cuda})
    try:
        with gradient_mode_restored(), torch.random.fork_rng(devices=devices):
            torch._C._set_grad_enabled(gradients)
            functional_call(inner, copies, arguments)
    finally:
        for handle in handles:
            handle.remove()
    if not passed:
        raise ValueError(f"the batch reached none of the model's {kind}: pass an input that does")
    return passed
