"""A training loop for one model, or several side by side, in the foreground or not."""

import atexit
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from torch import nn
from torch.optim import Optimizer

from kan_widgets.checks import check_module, check_whole
from kan_widgets.functions import unwrap
from kan_widgets.live.steering.captured_output import printed_to
from kan_widgets.live.steering.control import POLL_SECONDS
from kan_widgets.live.steering.epochs import Loss, Trained, batches_in, check_loader
from kan_widgets.live.steering.epochs import train as train_epochs
from kan_widgets.live.steering.loops import Loop
from kan_widgets.live.steering.training import Training
from kan_widgets.live.watching.bind import bind, binding_of
from kan_widgets.live.watching.binding import Binding
from kan_widgets.live.worker import thread
from kan_widgets.nn.changes.torch_optimizer import torch_optimizer

# Name of the model if there is only one.
_ONLY_MODEL = ""
_EVENTS = ("on_step", "on_epoch", "on_end")
# How long the program, at its end, waits for a background run to finish its step.
_EXIT_SECONDS = 5.0

_beginning = threading.Lock()
_in_background: "weakref.WeakSet[Run]" = weakref.WeakSet()


class Run:
    """A training run. Made by `fit`; see there."""

    def __init__(
        self, models: dict[str, nn.Module], optimizers: dict[str, Optimizer], loop: Loop
    ) -> None:
        self.lives = {name: _bound(one, optimizers[name]) for name, one in models.items()}
        """The bindings of several models by name."""
        self._trained = {
            name: Trained(one, optimizers[name], self.lives[name].feed.training)
            for name, one in models.items()
        }
        self._loop = loop
        self.error: BaseException | None = None
        """Error that ended a run in the background, with its traceback; else ``None``."""
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

    @property
    def live(self) -> Binding:
        """The binding of the model, or of the first of several."""
        return next(iter(self.lives.values()))

    @property
    def result(self) -> Any:
        """A `FitResult`, filled while the run goes on; for several models a dict of them."""
        results = {name: one.result for name, one in self._trained.items()}
        return results.get(_ONLY_MODEL, results)

    @property
    def state(self) -> str:
        """``running``, ``paused``, ``finished``, ``stopped`` or ``failed``."""
        if not self._over.is_set():
            paused = any(one.training.control.state == "paused" for one in self._trained.values())
            return "paused" if paused else "running"
        if self.error is not None:
            return "failed"
        stopped = any(one.result.stopped for one in self._trained.values())
        return "stopped" if stopped else "finished"

    def pause(self) -> None:
        """Hold between two steps."""
        self.live.control.pause()

    def resume(self) -> None:
        """Go on."""
        for live in self.lives.values():
            live.control.resume()

    def stop(self) -> None:
        """End after the current batch."""
        self._loop.stop = True

    def wait(self, timeout: float | None = None) -> Any:
        """Wait for the end of the run.

        Parameters
        ----------
        timeout
            Seconds; no limit by default.

        Returns
        -------
        FitResult or dict
            The result.

        Raises
        ------
        TimeoutError
            If the run has not ended after ``timeout`` seconds; it continues.
        BaseException
            What ended the run, if something did.
        """
        if not self._over.wait(timeout):
            raise TimeoutError(f"the run is still {self.state} after {timeout} s")
        if self.error is not None:
            raise self.error
        return self.result

    def __repr__(self) -> str:
        names = ", ".join(repr(name) for name in self.lives if name)
        return f"<Run{' of ' + names if names else ''}: {self.state}>"


def fit(
    model: nn.Module | Mapping[str, nn.Module],
    loader: Iterable[Any],
    optimizer: Optimizer | Mapping[str, Optimizer],
    loss_fn: Loss,
    epochs: int = 1,
    *,
    eval_loader: Iterable[Any] | None = None,
    background: bool = False,
    paused: bool = False,
    callbacks: Iterable[Any] = (),
) -> Run:
    """Train a model, or several on the same batches, steered by the panel.

    Each step's loss is logged as ``loss``, each epoch's accuracy as ``accuracy``, and with
    an ``eval_loader`` ``eval_loss`` and ``eval_accuracy`` as well. Accuracy is that of the
    largest of a row of outputs, where the targets are whole numbers, one a row. A model
    that is not bound to its optimizer yet is bound.

    Parameters
    ----------
    model
        One model, or several by name: each gets every batch, one after the other, so
        they advance together.
    loader
        Batches (inputs, targets), gone through once an epoch; moved to each model's device.
    optimizer
        Of the model; for several models, one each by the same names.
    loss_fn
        ``loss_fn(model(inputs), targets)`` gives the loss, a tensor of one element.
    epochs
        At least 1.
    eval_loader
        Held-out batches, evaluated after each epoch.
    background
        Return at once and train in a thread: cells and clicks go on, and what the training
        prints appears on the panel.
    paused
        Of a run in the background: make the first step when **▶ Train** is pressed, the large
        button of every view of the model, or ``run.resume()`` is called.
    callbacks
        Called as ``callback(run)`` after each epoch. An object may have ``on_step(run)``,
        ``on_epoch(run)`` and ``on_end(run)`` instead. What a callback raises ends the run.

    Returns
    -------
    Run
        With ``wait()``, ``pause()``, ``resume()``, ``stop()``, ``result`` and ``error``.

    Raises
    ------
    TypeError, ValueError
        If an argument cannot be used; nothing has been bound or trained then.
    RuntimeError
        If the model is being trained by another `fit`.
    BaseException
        In the foreground, whatever the loop raises. In the background it is kept:
        ``run.error``, raised by ``run.wait()``, shown on the panel.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> _ = torch.manual_seed(0)
    >>> model = kw.nn.KANLinear(1, 1)
    >>> x = torch.linspace(-1, 1, 64).unsqueeze(1)
    >>> batches = [(x, x**2)] * 20
    >>> optimizer = torch.optim.Adam(model.parameters(), 0.05)
    >>> run = kw.fit(model, batches, optimizer, torch.nn.functional.mse_loss, epochs=2)
    >>> run.state, run.result.steps, run.result.loss[1] < run.result.loss[0]
    ('finished', 40, True)
    """
    models, optimizers = _named(model, optimizer)
    check_whole("epochs", epochs)
    check_loader("loader", loader, epochs)
    if eval_loader is not None:
        check_loader("eval_loader", eval_loader, epochs)
    if not callable(loss_fn):
        raise TypeError(f"loss_fn={loss_fn!r:.60}: expected a function of (outputs, targets)")
    if paused and not background:
        raise ValueError(
            "paused=True: nothing could begin a run that holds its cell: give background=True, too"
        )
    callbacks = list(callbacks)
    calls = {
        event: [getattr(each, event, each) for each in callbacks if _takes(each, event)]
        for event in _EVENTS
    }
    _refuse_second_run(models)
    run = Run(models, optimizers, Loop(times_itself=True, in_background=background))
    all_trained = list(run._trained.values())
    with _beginning:
        _refuse_second_run(models)
        for trained in all_trained:
            trained.training.waits_to_begin = paused
            trained.training.begin(run._loop, epochs, batches_in(loader, epochs))
            if paused:
                trained.training.control.pause()

    def tell(event: str) -> None:
        for call in calls[event]:
            call(run)

    def train() -> None:
        run._loop.runs_here()
        if paused:
            _wait_to_begin([trained.training for trained in all_trained], run._loop)
        todo = 0 if run._loop.stop else epochs
        train_epochs(all_trained, run._loop, loader, loss_fn, todo, eval_loader, tell)

    if not background:
        _to_its_end(run, train, nullcontext())
        if run.error is not None:
            raise run.error
        return run
    printing = printed_to(all_trained[0].training.printed)
    _in_background.add(run)
    run._thread = thread(lambda: _to_its_end(run, train, printing), "kan_widgets fit")
    return run


def _refuse_second_run(models: dict[str, nn.Module]) -> None:
    for model in models.values():
        known = binding_of(model)
        if known is not None and known.feed.training.is_in_loop:
            raise RuntimeError(
                f"{type(model).__name__} is being trained: wait for that run, or stop it, first"
            )


def _wait_to_begin(trainings: Sequence[Training], loop: Loop) -> None:
    try:  # any of them lets all begin
        while all([training.control.keep_holding([loop]) for training in trainings]):
            time.sleep(POLL_SECONDS)
    finally:
        for training in trainings:
            training.waits_to_begin = False
            if training.control.state == "paused":
                training.control.resume()
            training.control.go_on()


def _end_background_runs() -> None:
    """Stop what trains in the background: a thread inside torch would abort the exit."""
    runs = [run for run in _in_background if run._thread is not None and run._thread.is_alive()]
    for run in runs:
        run.stop()
        run.resume()
        run.stop()
    end = time.monotonic() + _EXIT_SECONDS
    for run in runs:
        if run._thread is not None:
            run._thread.join(max(0.0, end - time.monotonic()))


atexit.register(_end_background_runs)


def _to_its_end(run: Run, train: Callable[[], None], printing: Any) -> None:
    try:
        with printing:
            train()
    except BaseException as error:
        run.error = error
        for one in run._trained.values():
            one.training.fail(error, run._loop)
    finally:
        run._over.set()


def _takes(callback: Any, event: str) -> bool:
    """Whether a callback is called at an event: a function after each epoch.

    Raises `TypeError` if it is no callback.
    """
    if any(hasattr(callback, name) for name in _EVENTS):
        return hasattr(callback, event)
    if not callable(callback):
        raise TypeError(
            f"callbacks: {callback!r:.60} is neither a function of the run nor has it "
            "on_step, on_epoch or on_end"
        )
    return event == "on_epoch"


def _named(model: Any, optimizer: Any) -> tuple[dict[str, nn.Module], dict[str, Optimizer]]:
    several = isinstance(model, Mapping)
    if several != isinstance(optimizer, Mapping):
        raise TypeError(
            "model and optimizer: expected one of each, or a dict of each with the same keys"
        )
    models = dict(model) if several else {_ONLY_MODEL: model}
    optimizers = dict(optimizer) if several else {_ONLY_MODEL: optimizer}
    if not models or set(models) != set(optimizers) or (several and _ONLY_MODEL in models):
        raise ValueError(
            f"models {list(models)} and optimizers {list(optimizers)}: expected the same names, "
            "at least one, none empty"
        )
    for name, one in models.items():
        check_module(one, f"model[{name!r}]" if several else "model")
        torch_optimizer(optimizers[name], f"optimizer of {name!r}" if several else "optimizer")
    if len({id(unwrap(one)) for one in models.values()}) < len(models):
        raise ValueError(f"models {list(models)}: one model is given twice")
    return models, {name: optimizers[name] for name in models}


def _bound(model: nn.Module, optimizer: Optimizer) -> Binding:
    known = binding_of(model)
    if known is not None and known.feed.training.optimizer is torch_optimizer(optimizer):
        return known
    return bind(model, optimizer)
