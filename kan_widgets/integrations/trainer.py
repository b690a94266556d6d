"""What the callbacks of all trainers do: bind, show, log, tell the progress, pause and stop."""

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.checks import check_whole
from kan_widgets.functions import unwrap
from kan_widgets.functions.stand_ins import is_sharded
from kan_widgets.live import Binding, bind, binding_of
from kan_widgets.live.recordings.places import PathLike, Place, is_first_process
from kan_widgets.live.recordings.recorder import open_recorders
from kan_widgets.live.recordings.saving import SendingHandle
from kan_widgets.live.reports import Callback, report
from kan_widgets.live.steering.loops import Loop
from kan_widgets.nn.changes.torch_optimizer import steps_made, torch_optimizer

Show = Callable[[Binding], object]


class Watcher:
    """The part of a trainer's callback that knows kan_widgets.

    In distributed training the first process (rank 0) alone binds and shows; of a model that is
    split over several processes each binds what it has, so that a recording has all of it.

    Parameters
    ----------
    views
        Called with the binding when training begins in a notebook; what each returns is shown
        below the cell: ``(kw.KernelGrid, lambda live: kw.SplineInspector(live, layer=1))``.
    on_bind
        Called with each new binding, in a notebook or not: ``lambda live: live.record("run")``.
    every
        Steps between frames, at least 1.
    record
        Where the run is recorded, as ``live.record`` takes it; ``True`` for ``kan_widgets`` in the
        trainer's own output folder, or ``kan_widgets_2`` where a run has ended there.
    send_to
        A tracker, as ``live.send_to`` takes it, until training ends; ``True`` for the trainer's
        own loggers.
    **options
        ``max_fps``, ``layers``, ``history_mb`` and ``prove``, as for `kan_widgets.bind`.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, or a keyword unknown.
    """

    def __init__(
        self,
        views: Sequence[Show] = (),
        on_bind: Show | None = None,
        every: int = 10,
        record: PathLike | bool = False,
        send_to: Any = None,
        **options: Any,
    ) -> None:
        shown = views if isinstance(views, Iterable) else (views,)
        if wrong := [item for item in (*shown, on_bind) if item is not None and not callable(item)]:
            raise TypeError(
                f"{wrong[0]!r:.80}: expected a function of the binding, such as kw.KernelGrid"
            )
        check_whole("every", every, of="steps")
        inspect.signature(bind).bind_partial(every=every, **options)
        self.views = views
        self.on_bind = on_bind
        self.every = every
        self.record, self.send_to = record, send_to
        self.options = options
        self.bindings: tuple[Binding, ...] = ()
        """One for each model that an optimizer of its own trains; empty before training."""
        self._loop: Loop | None = None
        self._logged: dict[str, tuple[Any, int]] = {}
        self._log = Callback("the trainer's callback", self._add)
        self._batches = 0
        self._is_one_of_many = self._counts_steps = False
        self._sendings: list[SendingHandle] = []

    def __init_subclass__(cls, **options: Any) -> None:
        """Have the callback's documentation end with the parameters that all have."""
        super().__init_subclass__(**options)
        heads, own = "Parameters\n----------\n", inspect.getdoc(cls) or ""
        shared = (inspect.getdoc(Watcher) or "").partition(heads)[2]
        cls.__doc__ = f"{own}\n{shared}" if heads in own else f"{own}\n\n{heads}{shared}"

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what belongs to this process: trainers pickle and copy their callbacks."""
        return self.__dict__ | {
            "bindings": (),
            "_loop": None,
            "_logged": {},
            "_sendings": [],
        }

    @property
    def live(self) -> Binding:
        """The binding of the model that is trained; of several the first.

        Raises
        ------
        RuntimeError
            If training has not begun, or another process shows it.
        """
        if not self.bindings:
            raise RuntimeError("nothing is bound yet: that happens when training begins")
        return self.bindings[0]

    def close(self) -> None:
        """Stop watching; views keep the last frame."""
        for live in self.bindings:
            live.close()

    # -- for the trainer's own hooks --------------------------------------------------------

    def attach(
        self,
        model: nn.Module,
        optimizers: Sequence[Any],
        steps: Sequence[int] = (),
        folder: Any = None,
        loggers: Sequence[Any] = (),
    ) -> None:
        """Bind what each optimizer trains; a model that is bound already goes on.

        ``steps`` are those of a checkpoint, ``folder`` and ``loggers`` the trainer's own.

        With several optimizers each is bound with the smallest part of the model that holds all
        its parameters, if anything in it can be read; of those of one part the first counts.
        """
        if not is_first_process() and not is_sharded(model):
            return
        self._counts_steps = [*optimizers] == [None]
        parts: dict[nn.Module, Any] = {}
        for optimizer in optimizers:
            part = unwrap(model) if len(optimizers) == 1 else _part_of(model, optimizer)
            parts.setdefault(part, optimizer)
        bindings, errors = [], []
        for number, (part, optimizer) in enumerate(parts.items()):
            try:
                bindings.append(self._bound(part, optimizer, [*steps, *[0] * len(parts)][number]))
            except ValueError as error:
                errors.append(error)
        if not bindings and errors:
            raise errors[0]
        self.bindings = tuple(bindings)
        for number, live in enumerate(bindings):
            end = f"-{number}" if number else ""
            self._sendings += keep(live, self.record, self.send_to, folder, loggers, end)
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        if self.views and is_first_process() and hasattr(shell, "kernel"):
            from IPython.display import display

            for live in self.bindings:
                display(*(show(live) for show in self.views))  # type: ignore[no-untyped-call]

    def _bound(self, part: nn.Module, optimizer: Any, steps: int) -> Binding:
        binding = binding_of(part)
        if binding is not None:
            if optimizer is not None:
                binding.train_with(optimizer)
            return binding
        live = bind(part, optimizer, every=self.every, steps=steps, **self.options)
        if self.on_bind is not None:
            self.on_bind(live)
        return live

    def begin(self, epochs: int | None = None, batches: int | None = None) -> None:
        """Say that training begins in this thread: how many epochs, and batches in all."""
        self.end()
        self._batches = 0
        dist = torch.distributed
        together = dist.is_available() and dist.is_initialized()
        self._is_one_of_many = together and dist.get_world_size() > 1
        if self.bindings:
            self._loop = Loop(asks_others=self._is_one_of_many)
            self._loop.runs_here()
            for live in self.bindings:
                live.feed.training.begin(self._loop, epochs, batches)

    def done(
        self, epoch: int, numbers: Callable[[], Mapping[str, Any]], batches: int | None = None
    ) -> bool:
        """Say that a batch of an epoch, from 1, is done; return whether to stop.

        Counts it unless ``batches`` says how many are done, and as a step where there is no
        optimizer of torch. Takes the numbers every ``every`` batches.
        """
        self._batches = self._batches + 1 if batches is None else batches
        for live in self.bindings:
            training = live.feed.training
            training.epoch, training.batches_done = epoch, self._batches
            if self._counts_steps:
                live.step()
        if self.bindings and self._batches % self.every == 0:
            self.add_numbers(numbers())
        return self.wants_stop(self._batches)

    def saw(self, batch: Any) -> None:
        """Say which batch comes next."""
        for live in self.bindings:
            live.feed.training.saw(batch)

    def add_numbers(self, numbers: Mapping[str, Any]) -> None:
        """Draw what the trainer logs as curves: what is new, and once at each step."""
        if not self.bindings:
            return
        new, step = {}, self.live.stats.steps
        for name, value in numbers.items():
            before, at = self._logged.get(name, (None, -1))
            if is_number(value) and value is not before and step != at:
                self._logged[name] = value, step
                new[str(name)] = value
        if new:
            self._log(new)

    def _add(self, numbers: dict[str, Any]) -> None:
        self.live.log(**numbers)

    def wants_stop(self, batch: int) -> bool:
        """Whether somebody has asked to stop; processes that train together agree on it.

        They do so every ``every`` batches; all must call it for each batch.
        """
        stop = self._loop is not None and self._loop.stop
        if not self._is_one_of_many:
            return stop
        if batch % self.every:
            return False
        dist = torch.distributed
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        votes = torch.tensor(int(stop), device=device)
        dist.all_reduce(votes)
        return bool(votes)

    def over(self, *event: Any, **of_it: Any) -> None:
        """Note the end, whatever else a trainer says of it."""
        self.end()

    def end(self, error: BaseException | None = None) -> None:
        """Say that training is over, or which error ended it."""
        loop, self._loop, self._logged = self._loop, None, {}
        for live in self.bindings if loop is not None else ():
            if error is not None:
                live.feed.training.fail(error, loop)
            elif loop is not None:
                live.feed.training.end(loop, "stopped" if loop.stop else "finished")
            live.feed.settle()
        while loop is not None and self._sendings:
            self._sendings.pop().close()


def bind_in_loop(
    model: nn.Module,
    optimizer: Any,
    is_first: bool,
    folder: PathLike | None,
    loggers: Sequence[Any] = (),
    *,
    record: PathLike | bool = False,
    send_to: Any = None,
    **options: Any,
) -> Binding:
    """Bind for a loop of one's own; the first process sends, and records what is not split.

    Under a path that all are given the others add what their layers have seen.
    """
    if optimizer is not None:
        options = {"steps": steps_made(optimizer), **options}
    live = bind(model, optimizer, **options)
    if is_first or is_sharded(model) or not isinstance(record, bool):
        keep(live, record, send_to if is_first else None, folder, loggers)
    return live


def keep(
    live: Binding,
    record: PathLike | bool,
    send_to: Any,
    folder: PathLike | None = None,
    loggers: Sequence[Any] = (),
    end: str = "",
) -> list[SendingHandle]:
    """Record a run and send it on, to the trainer's own folder and loggers where it is ``True``."""
    if record and not any(recorder.records(live) for recorder in open_recorders.values()):
        if record is not True:
            live.record(f"{os.fspath(record)}{end}")
        elif folder is None:
            raise ValueError("record=True: there is no folder of the trainer's own: give a path")
        else:
            if isinstance(path := Place(folder).path, Path):
                path.mkdir(parents=True, exist_ok=True)
            # Under another name if a run that has ended, or of another model, has this one.
            for number in count(1):
                with suppress(FileExistsError):
                    beside = "" if number == 1 else f"_{number}"
                    live.record(f"{folder}/kan_widgets{end}{beside}")
                    break
    sendings = []
    for writer in loggers if send_to is True else [send_to] if send_to else []:
        try:
            sendings.append(live.send_to(writer, name=f"kan_widgets{end}"))
        except TypeError as error:
            if send_to is not True:
                raise
            report(f"nothing is sent to a {type(writer).__name__}: {error}")
    return sendings


def is_number(value: Any) -> bool:
    """Whether a value can be a point of a curve."""
    single = isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex()
    return single or isinstance(value, int | float)


def _part_of(model: nn.Module, optimizer: Any) -> nn.Module:
    """Return the smallest module that holds all parameters which an optimizer trains."""
    trained = {id(p) for g in torch_optimizer(optimizer).param_groups for p in g["params"]}
    part = unwrap(model)
    while True:
        inner = (
            child
            for child in part.children()
            if trained <= {id(parameter) for parameter in child.parameters()}
        )
        if (child := next(inner, None)) is None:
            return part
        part = child
