"""The models of a comparison: which can be compared, and how each of them does."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kan_widgets.insight.growth import LayerForm, ModelGrowth, growth, growth_of
from kan_widgets.live import Frame, Listener, Replay, Source, State, is_binding
from kan_widgets.live.frames.activations import Probe
from kan_widgets.live.kinds import is_module
from kan_widgets.live.painter import Painter
from kan_widgets.widgets import comparison
from kan_widgets.widgets.comparison import Numbers
from kan_widgets.widgets.drawn_curves import COLOURS

if TYPE_CHECKING:
    from torch import nn

    from kan_widgets.live import Binding


def check(models: Any) -> None:
    """Raise unless these can be compared; nothing is bound or made.

    Raises
    ------
    TypeError
        If it is no dict of bindings or models by name.
    ValueError
        If there is none or more than seven, one is given twice, is closed or cannot be bound.
    """
    if not isinstance(models, Mapping):
        raise TypeError(
            f"expected a dict of bindings by name, such as {{'KAN': live, 'CNN': other}}, "
            f"got {models!r:.80}"
        )
    if not models:
        raise ValueError("expected bindings by name, such as {'KAN': live}, got no model")
    if len(models) > COLOURS:
        raise ValueError(
            f"expected up to {COLOURS} models, for so many colours can be told apart, got "
            f"{len(models)}: make several comparisons"
        )
    names: dict[int, str] = {}
    for name, one in models.items():
        if not isinstance(name, str) or not name.strip():
            raise TypeError(f"expected names as text, got {name!r}")
        inner: object
        if isinstance(one, Replay):
            inner = one
        elif is_binding(one):
            inner = one.model
            if inner is None:
                raise ValueError(f"models[{name!r}] is {one.state}: bind the model again")
        elif is_module(one):
            from kan_widgets.functions import find, unwrap
            from kan_widgets.live import binding_of

            inner = unwrap(one)
            if binding_of(inner) is None:
                find(inner)  # raises where there is nothing to bind
        else:
            what = ", where nothing trains" if isinstance(one, Source) else ""
            raise TypeError(
                f"models[{name!r}]: expected a model, the binding that kan_widgets.bind returned, "
                f"or a recording (kan_widgets.replay), got {one!r:.80}{what}"
            )
        if id(inner) in names:
            raise ValueError(
                f"models[{name!r}] and models[{names[id(inner)]!r}] are the same "
                f"{'recording' if isinstance(one, Replay) else 'model'}: give each once"
            )
        names[id(inner)] = name


def source_for(one: Source | nn.Module) -> Binding | Replay:
    """Return the binding or recording given, or the binding of a model, new if there is none."""
    if is_binding(one) or isinstance(one, Replay):
        return one
    if is_module(one):
        from kan_widgets.live import bind, binding_of

        return binding_of(one) or bind(one)
    raise TypeError(f"expected a model, its binding or a recording, got {one!r:.80}")


class ComparedModel(Listener):
    """One model of a comparison: listens to its training, and keeps its last numbers.

    Parameters
    ----------
    name
        Of the model.
    live
        Its binding or recording, which it does not keep alive.
    painter
        Woken by all news; not kept alive either.
    """

    def __init__(self, name: str, live: Binding | Replay, painter: Painter) -> None:
        self.name = name
        self._painter = weakref.ref(painter)
        self._live: weakref.ref[Binding | Replay] = weakref.ref(live)
        self.scalars = live.scalars
        self._counted: tuple[object, ...] = ()
        self._growth: ModelGrowth
        self._numbers: Numbers
        self._wanted: Probe | None = None
        self._read(live)

    @property
    def live(self) -> Binding | Replay | None:
        """The binding or recording, while it exists."""
        return self._live()

    def numbers(self) -> Numbers:
        """Return the numbers as they are now; the last there were if the model is gone."""
        if (live := self._live()) is not None:
            self._read(live)
        return self._numbers

    def follow(self, probe: Probe) -> None:
        """Have the examples of another model run through this one, as soon as that harms nothing.

        Where its own are the same, or where it cannot take them, nothing is done.
        """
        live = self._live()
        if probe is self._wanted or not is_binding(live) or live.feed.probed is probe:
            return
        self._wanted = probe
        live.feed.between.want(self._follow)

    def _follow(self, _: bool) -> None:
        live, probe = self._live(), self._wanted
        if is_binding(live) and probe is not None:
            import torch

            # A model of other inputs keeps the examples it has.
            with suppress(Exception):
                live.probe(torch.from_numpy(probe.inputs.copy()), probe.labels)

    def _read(self, live: Binding | Replay) -> None:
        self.scalars = live.scalars
        if isinstance(live, Replay):
            if (said := (live.parameters,)) != self._counted:
                self._counted, self._growth = said, recorded_growth(live)
        elif (model := live.model) is not None:
            # Counted again when a layer has changed its form, or was frozen.
            trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
            if (counted := (live.feed.layout, trained)) != self._counted:
                self._counted, self._growth = counted, growth(model)
        self._numbers = comparison.numbers_of(self.name, live, self._growth)

    def join(self) -> None:
        """Listen to its training from now on."""
        if (live := self._live()) is not None:
            live.feed.subscribe(self)

    @property
    def title(self) -> str:
        """Its name in reports."""
        return f"Compare ({self.name})"

    @property
    def is_over(self) -> bool:
        """Whether nothing is drawn any longer."""
        painter = self._painter()
        return painter is None or painter.is_closed

    def _wake(self) -> None:
        if (painter := self._painter()) is not None:
            painter.wake()

    def on_training(self) -> None:
        """Note that there is news of the training."""
        self._wake()

    def on_frame(self, frame: Frame, settled: bool) -> None:
        """Note that steps were made."""
        self._wake()

    def on_state(self, state: State, message: str) -> None:
        """Note that it began or ended."""
        self._wake()

    def on_probe(self, probe: Probe | None) -> None:
        """Note that other examples run through it."""
        self._wake()

    def on_replaced(self, source: Source) -> None:
        """Show the new binding."""
        if is_binding(source):
            self._live = weakref.ref(source)
            self._wake()


def recorded_growth(replay: Replay) -> ModelGrowth:
    """Return what a recording says of its model's parameters; none where it says nothing."""
    known = replay.parameters or {"parts": [], "total": 0}
    parts = [
        (
            part["name"],
            [
                LayerForm(
                    form["type"],
                    form["kind"],
                    tuple(form["shape"]),
                    form["shared"],
                    tuple(form["is_base"]),
                    tuple(form["knots"]),
                )
                for form in part["layers"]
            ],
            part["sizes"],
        )
        for part in known["parts"]
    ]
    return growth_of(parts, known["total"])
