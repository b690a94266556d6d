"""Compare: kernels, curves and numbers of several models, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import InitVar
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import traitlets
from PIL import Image

from kan_widgets.insight.networks.ensemble import Ensemble, ensemble
from kan_widgets.live import Frame, Replay, Source
from kan_widgets.live.frames.progress import OPEN_STATES
from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.live.worker import thread
from kan_widgets.widgets.kernel_grid import KernelGrid
from kan_widgets.widgets.network_view import NetworkView
from kan_widgets.widgets.numbers.model_numbers import (
    SCORES,
    ComparedModel,
    check_models,
    deciding,
    logged_of,
    marks_of,
)
from kan_widgets.widgets.pages.page import reference
from kan_widgets.widgets.shell.curves_view import CurvesView, LoggedCurve
from kan_widgets.widgets.shell.options import option, with_options
from kan_widgets.widgets.shell.view import View, ViewListener, kept_alive, source_for
from kan_widgets.widgets.wire.broadcast import drawn_at
from kan_widgets.widgets.wire.lifetime import weakly

if TYPE_CHECKING:
    from torch import nn

    from kan_widgets.live import Binding

_MAX_HEIGHT = 4000
# The score that grids are sorted by where units are matched, and the most functions of two networks
# that are: of these it takes about a second.
_MATCHED, _MOST_MATCHED = "matched", 15_000
_MOVING = OPEN_STATES | {"live", "still recording"}


class Compare(CurvesView):
    """Several models while they train: numbers, curves of loss and accuracy, and kernels.

    Each model has one colour, in the numbers and in the curves of all quantities. The numbers that
    decide come first: how good, how large and how slow each model is, at the last step that all
    have reached. The grids have one timeline, and each a scale of its own, or all the same
    (``scale="all models"``, set for each of `grids`). The curves of loss and accuracy are what each
    binding's ``log`` was given, so any loop will do; `kan_widgets.fit` with a dict of models gives
    all the same batches, one after the other. Nothing here affects the training. In an animation
    the kernels move; numbers and curves are the current ones.

    Attributes
    ----------
    grids : dict
        The `KernelGrid` of each model by name, to set their traits.
    networks : dict
        Likewise the `NetworkView` of each, once they are shown.
    matched : insight.Ensemble or None
        Two networks with their hidden units matched; None where they are not.

    Raises
    ------
    ValueError
        If there is no model or more than seven, one is given twice, or one has no functions
        that can be read.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> kan, mlp = kw.nn.KANLinear(4, 3), kw.nn.MLP()
    >>> compare = kw.Compare({"KAN": kan, "MLP": mlp})
    >>> [(row["name"], row["parameters"], row["order"]) for row in compare.table()]
    [('KAN', 108, 'O(N²·G)'), ('MLP', 44530, 'O(N²)')]
    >>> compare.layers()[0]["formula"]
    '4·3·(G + k + 1) = 12·(5 + 3 + 1) = 108'
    """

    _kind = "compare"
    _is_wide = True
    _narrowest = 300

    content = traitlets.Dict().tag(sync=True)
    """The numbers: see js/src/views/compare/verdict.ts. Like the curves and the marks it is set by
    the draw job only."""
    parts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """References to the grids, which are drawn in this view."""
    diagrams = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """References to the networks, once they are shown."""
    models: InitVar[Mapping[str, Source | nn.Module]] = option(
        """Bindings made by `kan_widgets.bind` by name, recordings (`kan_widgets.replay`), or
        models: their open bindings are used, or else new ones; of an ensemble the most typical
        network, with the range of all. Up to seven, for so many colours can be told apart.""",
        kw_only=False,
    )
    height: int = option(
        """Pixels that the cells of each grid of kernels are sized for, at least 80. No grid is cut:
        a layer of more than 400 functions opens in the overview.""",
        default=360,
        min=80,
    )
    show: Literal["kernels", "networks"] = option(
        """What stands below the numbers: a `KernelGrid` of each model, or the whole network of each
        (`NetworkView`) with one example running through all: that of the first model that follows
        examples (``live.probe(images)``), or the first of its last observed batch.""",
        default="kernels",
    )

    align: InitVar[bool] = option(
        """Whether the hidden units of two networks of the same layers are matched while neither
        trains, by `insight.ensemble`. Both grids then have functions that stand for each other at
        the same place, the pairs that vary most first, and the distance that is left is said beside
        that of random matches.""",
        default=True,
    )

    @classmethod
    def _bound(cls, arguments: Sequence[Any], options: Mapping[str, Any]) -> dict[str, Any]:
        # Several arguments are taken for models: `check_models` says how to give these.
        return super()._bound([arguments] if len(arguments) > 1 else arguments, options)

    def _source_of(self, values: dict[str, Any]) -> Source:
        sides, self._aligns = values.pop("models"), values.pop("align", True)
        models = sides
        if isinstance(sides, Mapping):
            models = {name: getattr(item, "shown", item) for name, item in sides.items()}
        check_models(models)
        self._ensembles = {name: sides[name] for name in models if sides[name] is not models[name]}
        values |= self._validated(values)
        lives = {name: cast("Binding | Replay", source_for(item)) for name, item in models.items()}
        look = {"height": values.get("height", 360), "theme": values.get("theme", "auto")}
        self.grids = {
            name: KernelGrid(self._ensembles.get(name, live), **look)
            for name, live in lives.items()
        }
        self.networks: dict[str, NetworkView] = {}
        self._draw_job = self._throttled_job(self._draw, fps=4, weight=3)
        self._draw_job.waits = True  # for the training's thread, as the panel's does
        self._compared = [ComparedModel(name, live, self._draw_job) for name, live in lives.items()]
        self.matched: Ensemble | None = None
        self._placed: Ensemble | None = None
        self._matched_at: list[int] = []
        self._matching: Thread | None = None
        self._models = [kept_alive(item) for item in sides.values()]
        return next(iter(lives.values()))

    def _begin(self) -> None:
        super()._begin()
        self.parts = [reference(grid) for grid in self.grids.values()]
        self.observe(weakly(self._dress), ["height", "theme"])
        self.observe(weakly(self._show), "show")
        news = ("on_training", "on_frame", "on_state", "on_probe")
        for compared in self._compared:
            methods = dict.fromkeys(news, self._wake) | {"on_replaced": compared.replaced}
            if (live := compared.live) is not None:
                live.feed.subscribe(ViewListener(self, **methods))
        self._show()
        self._draw_job.now()

    @property
    def lives(self) -> dict[str, Binding | Replay]:
        """The bindings and recordings shown, by name; a later one where one was replaced."""
        pairs = ((compared.name, compared.live) for compared in self._compared)
        return {name: live for name, live in pairs if live is not None}

    def table(self) -> list[dict[str, Any]]:
        """Return the numbers as they are now, one record for each model.

        Returns
        -------
        list of dict
            ``name``, ``state``, ``parameters`` (those trained), ``order`` (how they grow),
            ``steps``, ``epochs``, ``seconds``
            (the training time: `Progress.elapsed`), ``seconds_per_step``, ``loss``, ``accuracy``,
            ``eval_loss``, ``eval_accuracy`` and what else was logged (the last values), and
            ``data_source``. ``None`` where a number is not known.
        """
        records = [(compared.as_dict(), compared.last()) for compared in self._compared]
        others = {name for _, last in records for name in last if name not in SCORES}
        return [
            record | {name: last.get(name) for name in (*SCORES, *sorted(others))}
            for record, last in records
        ]

    def layers(self) -> list[dict[str, Any]]:
        """Return what the parameters of each layer are made of.

        Returns
        -------
        list of dict
            ``model``, ``layer``, ``type``, ``functions``, ``parameters``, ``formula`` and
            ``order``.
        """
        return [
            {
                "model": compared.name,
                "layer": layer.name,
                "type": layer.type,
                "functions": layer.functions,
                "parameters": layer.parameters,
                "formula": layer.formula,
                "order": f"O({layer.order})",
            }
            for compared in self._compared
            for layer in compared.layers()
        ]

    def _model_named(self) -> str:
        return ", ".join(self.grids)

    def _dress(self, change: Any) -> None:
        dressed = self._within() if change["name"] == "theme" else self.grids.values()
        for view in dressed:
            setattr(view, change["name"], change["new"])

    def _show(self, _: Any = None) -> None:
        if self.show == "networks":
            self._show_networks()

    def _show_networks(self) -> None:
        """Make the networks, if this has not been done."""
        if not self.networks:
            self.networks = {
                name: NetworkView(self._ensembles.get(name, live), theme=self.theme)
                for name, live in self.lives.items()
            }
            self._placed = None
            self._share_examples()
            self.diagrams = [reference(view) for view in self.networks.values()]
        self._draw_job.wake()

    def _share_examples(self) -> None:
        """Run the examples of the first model that has some through all of them."""
        probes = [live.feed.probed for live in self.lives.values() if live.feed.probed is not None]
        if self.networks and probes:
            for compared in self._compared:
                compared.follow(probes[0])

    def _within(self) -> list[View]:
        return [*self.grids.values(), *self.networks.values()]

    def _bring_up_to_date(self) -> None:
        self._draw_job.now()
        self._match(for_picture=True)
        if self._matching is not None:
            self._matching.join()
            self._draw_job.now()

    def _can_match(self) -> bool:
        layouts = [live.frame.layout.layers for live in self.lives.values()]
        shapes = {tuple(layer.shape for layer in layers) for layers in layouts}
        count = sum(layer.count for layers in layouts for layer in layers)
        return len(layouts) == 2 and len(shapes) == 1 and count <= _MOST_MATCHED

    def _match(self, for_picture: bool = False) -> None:
        """Match the hidden units of two networks, in a thread, while neither trains."""
        lives = list(self.lives.values())
        steps = [live.frame.step for live in lives]
        if not self._aligns or steps == self._matched_at:
            return
        if max(steps) == 0 and not for_picture:  # about to train, as it may be
            return
        is_moving = any(live.feed.standing.state in _MOVING for live in lives)
        if not self._can_match() or is_moving or (self._matching and self._matching.is_alive()):
            return
        self._matched_at = steps

        def match() -> None:
            try:
                self.matched = ensemble(lives)
            except ValueError:  # of other layers
                self._aligns = False
            self._draw_job.wake()

        self._matching = thread(match, "match units")

    def _place(self, pair: Ensemble) -> None:
        """Sort grids by the size of functions, and networks by units, that stand for each other."""
        self._placed = pair
        for k, grid in enumerate(self.grids.values()):
            sizes = {}
            for name, values in pair.values.items():
                size = np.sqrt(np.square(values).mean(axis=(0, -1)))
                own = np.empty((size[..., 0].size, size.shape[-1]))
                own[pair.functions[name][k].ravel()] = size.reshape(own.shape)
                sizes[name] = own.ravel()
            grid.score(_MATCHED, sizes)
            grid.sort = _MATCHED if grid.sort == "position" else grid.sort
        if self.networks:
            units = zip(pair.layers, *pair.units, strict=False)
            order = {name: b.order[np.argsort(a.order)].tolist() for name, a, b in units}
            list(self.networks.values())[1].order = order

    def _draw(self) -> None:
        self._share_examples()
        self._match()
        if self.matched is not None and self.matched is not self._placed:
            self._place(self.matched)
        with self.hold_sync():
            self.content = self._records()
            logs = self._logs()
            self._draw_logged(list(logs.values()), marks_of(logs))

    def _logs(self) -> dict[str, Scalars]:
        return {compared.name: compared.scalars for compared in self._compared}

    def _records(self) -> dict[str, Any]:
        """Return the numbers of all models; those logged last are with the curves."""
        counts = {name: len(networks) for name, networks in self._ensembles.items()}
        models = [one.shown() | {"networks": counts.get(one.name, 0)} for one in self._compared]
        least = min(model["steps"] for model in models)
        matched, words = self.matched, ""
        if matched is not None:
            at = "" if self._ensembles else f" at step {max(self._matched_at):,}"
            place = "functions most alike stand at the same place"
            if self.networks:
                place = "units of {1} stand in the order of {0}'s".format(*self.networks)
            words = (
                f"matched{at}: {place}, "
                f"{matched.distance.mean():.2g} apart; {matched.chance.mean():.2g} if matched at "
                f"random{'' if matched.p <= 0.05 else ', so no nearer than by chance'}"
            )
        elif self._aligns and self._can_match():
            words = "not matched: functions most alike come to the same place once neither trains"
        decides = deciding(list(self._logs().values()), least)
        return {"models": models, "deciding": decides, "matched": words}

    def _drawn_curves(self) -> Sequence[LoggedCurve]:
        return logged_of(self._logs())

    @with_options
    def svg(self, *, max_height: float = _MAX_HEIGHT, **options: Any) -> str:
        return super().svg(max_height=max_height, **options)

    def _picture_request(
        self, width: int, most: float, pixel_ratio: float, options: dict[str, Any]
    ) -> dict[str, Any]:
        request = super()._picture_request(width, most, pixel_ratio, options)
        views: Iterable[View] = self.grids.values()
        own = {name: options[name] for name in ("height",) if name in options}
        if options.get("show", self.show) == "networks":
            self._show_networks()
            views, own = self.networks.values(), {}
        sizes = width, most, pixel_ratio
        return request | {"parts": [view._picture_request(*sizes, dict(own)) for view in views]}

    def _picture_options(self, options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        return options | {"curves": self._wire(**options), "content": self._records()}

    def _at(self, frame: Frame, options: dict[str, Any]) -> Image.Image:
        with ExitStack() as moment:
            for stream in {view._stream for view in self._within()} - {self._stream}:
                if (source := stream.source) is not None:
                    moment.enter_context(drawn_at(stream, source.history.at(frame.step)))
            return super()._at(frame, options)

    def _end(self) -> None:
        super()._end()
        for live in self.lives.values():
            live.feed.let_go()
        self._close_inside(self._within())
        self._models = []
