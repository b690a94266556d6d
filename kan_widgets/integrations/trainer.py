"""What the callbacks of all trainers do: bind, show, log, tell how far it is, pause and stop."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions import unwrap
from kan_widgets.live import Binding, bind, binding_of
from kan_widgets.live.checks import check_whole
from kan_widgets.live.recordings.destination import is_first_process
from kan_widgets.live.reports import Callback
from kan_widgets.live.steering.loops import Loop
from kan_widgets.nn.life.torch_optimizer import torch_optimizer

Show = Callable[[Binding], object]


class Watcher:
    """The part of a trainer's callback that knows kan_widgets.

    In distributed training the first process (rank 0) alone binds and shows.

    Parameters
    ----------
    views
        Called with the binding when training begins in a notebook; what each returns is shown
        below the cell: ``(kw.KernelGrid, lambda live: kw.SplineInspector(live, layer=1))``.
    on_bind
        Called with each new binding, in a notebook or not: ``lambda live: live.record("run.npz")``.
    every
        Steps between frames, at least 1.
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
        **options: Any,
    ) -> None:
        given = views if isinstance(views, Iterable) else (views,)
        if wrong := [one for one in (*given, on_bind) if one is not None and not callable(one)]:
            raise TypeError(
                f"{wrong[0]!r:.80}: expected a function of the binding, such as kw.KernelGrid"
            )
        check_whole("every", every, of=" of steps")
        inspect.signature(bind).bind_partial(every=every, **options)
        self.views = views
        self.on_bind = on_bind
        self.every = every
        self.options = options
        self.bindings: tuple[Binding, ...] = ()
        """One for each model that an optimizer of its own trains; empty before training."""
        self._loop: Loop | None = None
        self._logged: dict[str, tuple[Any, int]] = {}
        self._log = Callback("the trainer's callback", self._add)
        self._is_one_of_many = False

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what belongs to this process: trainers pickle and copy their callbacks."""
        return self.__dict__ | {"bindings": (), "_loop": None, "_logged": {}}

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
        self, model: nn.Module, optimizers: Sequence[Any], steps: Sequence[int] = ()
    ) -> None:
        """Bind what each optimizer trains; a model that is bound already goes on.

        Of several optimizers each is bound with the smallest part of the model that holds all
        its parameters, if anything in it can be read; of those of one part the first counts.
        """
        if not is_first_process():
            return
        parts: dict[nn.Module, Any] = {}
        for optimizer in optimizers:
            part = unwrap(model) if len(optimizers) == 1 else _part_of(model, optimizer)
            parts.setdefault(part, optimizer)
        found, errors = [], []
        for number, (part, optimizer) in enumerate(parts.items()):
            try:
                found.append(self._bound(part, optimizer, [*steps, *[0] * len(parts)][number]))
            except ValueError as error:
                errors.append(error)
        if not found and errors:
            raise errors[0]
        self.bindings = tuple(found)
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        if self.views and hasattr(shell, "kernel"):
            from IPython.display import display

            for live in self.bindings:
                display(*(show(live) for show in self.views))  # type: ignore[no-untyped-call]

    def _bound(self, part: nn.Module, optimizer: Any, steps: int) -> Binding:
        known = binding_of(part)
        if known is not None:
            if optimizer is not None:
                known.train_with(optimizer)
            return known
        live = bind(part, optimizer, every=self.every, steps=steps, **self.options)
        if self.on_bind is not None:
            self.on_bind(live)
        return live

    def begin(self, epochs: int | None = None, batches: int | None = None) -> None:
        """Say that training begins in this thread: how many epochs, and batches in all."""
        self.end()
        dist = torch.distributed
        together = dist.is_available() and dist.is_initialized()
        self._is_one_of_many = together and dist.get_world_size() > 1
        if self.bindings:
            self._loop = Loop()
            self._loop.runs_here()
            for live in self.bindings:
                live.feed.training.begin(self._loop, epochs, batches)

    def advance(self, epoch: int, batches: int) -> None:
        """Say which epoch it is, from 1, and how many batches are done in all."""
        for live in self.bindings:
            training = live.feed.training
            training.epoch, training.batches_done = epoch, batches

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
            if _is_number(value) and value is not before and step != at:
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

    def end(self, error: BaseException | None = None) -> None:
        """Say that training is over, or which error ended it."""
        loop, self._loop, self._logged = self._loop, None, {}
        for live in self.bindings if loop is not None else ():
            if error is not None:
                live.feed.training.fail(error, loop)
            elif loop is not None:
                live.feed.training.end(loop, "stopped" if loop.stop else "finished")
            live.feed.settle()


def _is_number(value: Any) -> bool:
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
