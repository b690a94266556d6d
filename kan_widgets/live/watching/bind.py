"""Bind a model: check what was given, and make the binding."""

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from kan_widgets import functions
from kan_widgets.checks import check_module, check_number, check_whole
from kan_widgets.functions import find, survey, unwrap
from kan_widgets.functions.forward_pass import ForwardPass, pass_of_example
from kan_widgets.live.model.observe import arguments_of
from kan_widgets.live.recordings.places import is_restarted
from kan_widgets.live.watching.binding import Binding
from kan_widgets.nn.changes.torch_optimizer import optimizer_of, steps_made, torch_optimizer

_bindings: weakref.WeakKeyDictionary[nn.Module, Binding] = weakref.WeakKeyDictionary()


def binding_of(model: nn.Module) -> Binding | None:
    """Return the open binding of a model, if there is one."""
    binding = _bindings.get(unwrap(model))
    return binding if binding is not None and binding.state in ("live", "idle") else None


def bind(
    model: nn.Module,
    optimizer: Optimizer | None = None,
    *,
    every: int = 10,
    max_fps: float = 30.0,
    layers: Sequence[str] | None = None,
    history_mb: float = 64.0,
    steps: int = 0,
    prove: bool = True,
    example: Any = None,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
    channel_names: Mapping[str, Sequence[str]] | None = None,
) -> Binding:
    """Watch a model while it trains.

    With an optimizer, its steps are counted through torch's own hook: any loop,
    trainer, gradient scaler or closure works as it is. Every ``every`` steps a
    frame (a copy of the coefficients) is taken, unless one was taken less than
    1/``max_fps`` seconds ago; when training goes quiet, or the notebook cell
    ends, the last state is always taken. All that is done to watch, in whichever thread, is to
    take 3 % of the training's time (``stats.share``): where frames are large or views are many,
    frames are further apart. Of a model whose frame is over a megabyte most have what views look
    at only, and whole ones are taken at most once a second. Watching changes nothing: no forward
    pass of the model, no gradient, no random number, no mode switch. Should reading the model
    ever fail, training goes on and a warning says what happened.

    Binding a model again with the same optimizer and layers gives the same binding, with the
    other options as given now. Otherwise a new one takes its place, and views that showed the
    earlier one show that. The binding does not keep the model alive, and lives as long as it.

    Parameters
    ----------
    model
        Any module with readable layers; see `kan_widgets.functions.read`. Also what wraps one:
        ``torch.compile``'s and the data-parallel wrappers, an engine of DeepSpeed, and
        `torch.optim.swa_utils.AveragedModel`, whose averages are shown then.
    optimizer
        The optimizer that trains it, or what accelerate, Lightning, fastai and others
        wrap around one: the steps of the torch optimizer inside are counted. Without
        one, call ``step()`` on the returned binding after each training step.
    every
        Steps between frames, at least 1.
    max_fps
        Frames per second at most, above 0.
    layers
        Names of the layers to watch (see ``read(model)``); all by default.
    history_mb
        Megabytes (10⁶ bytes) of frames to keep, at least 0. The first and the
        latest frame are always kept. Of large models half of it is for what was looked at, or
        all of it where whole frames would not fit.
    steps
        Steps that were made before, at least 0: where a training goes on from a checkpoint. In a
        job that torchrun or Slurm has begun again those that the optimizer has counted, as Adam and
        its like do, unless they are given.
    prove
        Whether to prove that what is read of each layer is what it computes, now and then again:
        copies of the layers are run, see `kan_widgets.functions.prove`. What fails is not drawn,
        and a warning says by how much it is off. With False everything is drawn as recognised.
    example
        A batch of inputs, or a tuple of the model's arguments: a copy of the model is run on it,
        and what its layers are given there is what they are proved on and sampled for. Without one
        the first forward pass of the training shows that, after which layers may come and go.
    class_names
        What the outputs of the last layer are called, one for each, in all views and recordings:
        ``["cat", "dog"]``. The last one is that in the order of the model's modules. These and the
        other names may be changed later: ``live.class_names = ["cat", "dog"]``.
    feature_names
        What the inputs of the first layer are called, one for each: the columns of a table,
        ``["age", "income"]``, or the channels of an image. The first one is that in the order of
        the model's modules.
    channel_names
        The same for the outputs of other layers, by the name of the layer:
        ``{"convs.0": ["edges", "blobs"]}``.

    Returns
    -------
    Binding
        With ``frame``, ``history``, ``stats``, ``refresh()`` and ``close()``;
        also a context manager.

    Raises
    ------
    TypeError
        If ``model`` is not a module, ``optimizer`` neither is nor wraps a torch optimizer, or a
        number is of the wrong type.
    ValueError
        If a number is out of range, the model has no parameters or no readable
        layer, the optimizer holds none of the model's parameters, a layer
        name is unknown, or there are more or fewer names than outputs or inputs. Nothing has been
        attached to the model then.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> model = kw.nn.KANLinear(2, 3)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> with kw.bind(model, optimizer, every=1) as live:
    ...     for _ in range(3):
    ...         optimizer.zero_grad()
    ...         model(torch.ones(1, 2)).sum().backward()
    ...         optimizer.step()
    >>> live.stats.steps, live.history[0].step, live.history[-1].step
    (3, 0, 3)
    """
    check_module(model)
    if optimizer is not None:
        optimizer = torch_optimizer(optimizer)
    check_whole("every", every, of="steps")
    check_number("max_fps", max_fps, above=True)
    check_whole("steps", steps, 0, of="steps")
    check_number("history_mb", history_mb, of="megabytes")

    if not steps and optimizer is not None and is_restarted():
        steps = steps_made(optimizer)
    inner = unwrap(model)
    parameters = list(inner.parameters())
    if not parameters:
        reasons = "".join(f" Not read: {entry}." for entry in survey(inner)[1])
        raise ValueError(
            f"{type(inner).__name__} has no parameters: there is nothing to watch.{reasons}"
        )
    # An averaged model has parameters of its own, which the optimizer does not hold.
    if optimizer is not None and not isinstance(model, AveragedModel):
        optimizer_of(inner, optimizer)
    shown = None if example is None else _run_on_example(inner, example)
    if prove:
        functions.prove(inner, module_inputs={} if shown is None else shown.module_inputs)
    else:
        functions.take_as_read(inner)
    chosen = _checked_layers(inner, layers) if layers is not None else None
    named = {
        "class_names": class_names,
        "feature_names": feature_names,
        "channel_names": channel_names,
    }

    live = binding_of(inner)
    if live is not None and live.feed.training.optimizer is optimizer:
        layers_of = live.feed.bound.layers
        if layers_of.are_of(inner, chosen):
            with live.feed.sending:  # no step is counted meanwhile, which reads them too
                layers_of.find_again(inner)
            live._rename(**named)
            live.every = every
            live.feed.camera.limit(max_fps, int(history_mb * 1e6))
            live.feed.bound.start_proving(shown, prove)
            live.feed.tell_training()
            return live
    earlier = _bindings.get(inner)
    binding = Binding(
        inner,
        optimizer,
        every=every,
        max_fps=max_fps,
        layers=chosen,
        history_mb=history_mb,
        steps=steps,
        named=named,
        shown=shown,
        proves=prove,
    )
    _bindings[inner] = binding
    if earlier is not None:
        binding._take_over_from(earlier)
    return binding


def _run_on_example(model: nn.Module, example: Any) -> ForwardPass:
    """Return the forward pass of an example through a copy of the model."""
    arguments = arguments_of("example", example)
    try:
        return pass_of_example(model, arguments)
    except Exception as error:
        shape = f" of shape {tuple(example.shape)}" if isinstance(example, Tensor) else ""
        raise ValueError(
            f"example{shape}: the model cannot be run on it ({type(error).__name__}: {error})"
        ) from error


def _checked_layers(model: nn.Module, layers: Sequence[str]) -> tuple[str, ...]:
    """Return names of layers, all of which the model has."""
    if isinstance(layers, str):
        raise TypeError(f"layers={layers!r}: expected a list of names, such as [{layers!r}]")
    chosen = tuple(layers)
    present = [layer.name for entry in find(model) for layer in entry.read()]
    unknown = [name for name in chosen if name not in present]
    if unknown or not chosen:
        raise ValueError(
            f"layers={list(chosen)!r}: "
            + (f"unknown {', '.join(map(repr, unknown))}; " if unknown else "none chosen; ")
            + f"the layers are {', '.join(map(repr, present))}"
        )
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"layers={list(chosen)!r}: a name is given twice")
    return chosen
