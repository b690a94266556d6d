"""What every view is: a kind in the browser's registry, a stream, keywords and pictures."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

import traitlets

from kan_widgets.checks import OtherNames, check_number, is_module, nearest_word
from kan_widgets.live import Listener, Source, is_binding
from kan_widgets.live.cells import CellListener
from kan_widgets.live.worker import ThrottledJob
from kan_widgets.widgets.pages.page import PageSavable
from kan_widgets.widgets.shell.docking import Dockable
from kan_widgets.widgets.shell.drawing_engine import picture_request, svg_of
from kan_widgets.widgets.shell.options import (
    Declared,
    Declaring,
    LayerName,
    Theme,
    layer_name,
    option,
    with_options,
)
from kan_widgets.widgets.shell.pictures import Pictured
from kan_widgets.widgets.wire.bundles import bundle
from kan_widgets.widgets.wire.lifetime import weakly
from kan_widgets.widgets.wire.shared_traits import SHARED_TRAITS
from kan_widgets.widgets.wire.stream import stream_of

if TYPE_CHECKING:
    from torch import nn

_HEIGHT = 480
_REPR_TRAITS = ("layer", "mode", "page")
# Traits of every view that no picture of it depends on.
_UNDRAWN_TRAITS = ("layout", "stream", "tabbable", "tooltip", "kind", "linked", "drawn_from")


class ViewListener(Listener, CellListener):
    """Calls methods of a view at events of a source, until the view is closed or gone.

    Parameters
    ----------
    view
        A widget whose comm is open.
    **methods
        Methods of the view, which is not kept alive, by event: ``on_frame=self._wake``.
    """

    def __init__(self, view: Any, **methods: Callable[..., object]) -> None:
        self._ref = weakref.ref(view)
        self._kind = type(view).__name__
        for event, method in methods.items():
            setattr(self, event, weakly(method))

    def on_report(self, message: str) -> None:
        """Take a fault that was reported."""

    @property
    def title(self) -> str:
        return self._kind

    @property
    def is_over(self) -> bool:
        view = self._ref()
        return view is None or view.comm is None


class View(OtherNames, Declared, PageSavable, Dockable, Pictured, metaclass=Declaring):
    """A widget that draws a stream, in the page and here by the same code.

    A subclass names itself in the browser's registry and says which layers it draws.
    """

    # Names that other libraries have for what views can do, and ours.
    _other_names: ClassVar = {
        "save": 'Write to_png("view.png"), to_svg or save_html("page.html").',
        "savefig": 'Write to_png("view.png").',
        "save_png": 'Write to_png("view.png").',
        "save_svg": 'Write to_svg("view.svg").',
        "save_gif": 'Write animate("run.gif").',
        "show": "Write the view as the last line of a cell, or IPython.display.display(view).",
        "plot": 'Write to_png("view.png"), or the view as the last line of a cell.',
        "to_html": 'Write save_html("page.html").',
        "binding": "Write live.",
    }
    _esm = bundle("view.js")
    _is_joined = False
    _ensemble: Any = None
    _jobs: tuple[ThrottledJob, ...] = ()
    _narrowest = 100
    """Least width of a picture, in pixels."""
    _is_wide = False
    """Whether the view is as wide as the page, unless its layout says otherwise."""
    _draws_layers = True
    """Whether a picture needs functions: of the view's layer, or of all where it has none."""
    _kind = ""
    """The name of the view in ``js/src/views/registry.ts``."""

    _own = traitlets.Unicode().tag(sync=True)
    """The id of the widget's own model: see js/src/wire/jupyter_kernel.ts."""
    kind = traitlets.Unicode().tag(sync=True)
    linked = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """References to the views in which the layer is chosen that is chosen in this one."""
    drawn_from = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """The traits whose change makes the page draw the view again."""
    theme: Theme = option('``"auto"`` takes the theme of JupyterLab.', default="auto")
    layout: Any = option(
        "CSS of the box: an ``ipywidgets.Layout`` or a dict.", default=None, is_trait=False
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        values = self._bound(arguments, options)
        self._take(values)
        source = self._source_of(values)
        self._check_options(values, source)
        own = uuid4().hex
        others = {*SHARED_TRAITS, *_UNDRAWN_TRAITS}
        super().__init__(
            model_id=own,
            _own=own,
            kind=self._kind,
            stream=stream_of(source, self._ensemble),
            drawn_from=[name for name in self.keys if name[0] != "_" and name not in others],
            **values,
        )
        self.on_msg(weakly(self._dock_asked))
        self._join()
        self._is_joined = True
        if self._is_wide and self.layout.width is None:
            self.layout.width = "100%"
        self._begin()

    @classmethod
    def _bound(cls, arguments: Sequence[Any], options: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the constructor was given by name, and those defaults that are checked."""
        cls._check_keywords(options, *cls._parameters)
        try:
            bound = inspect.signature(cls).bind(*arguments, **options)
        except TypeError as error:
            raise TypeError(f"{cls.__name__}: {error}") from None
        places = {
            name: spec.default
            for name, spec in cls._parameters.items()
            if not spec.kw_only and spec.is_trait and spec.default is not inspect.Parameter.empty
        }
        return places | bound.arguments

    @classmethod
    def _check_keywords(cls, options: Mapping[str, Any], *others: str) -> None:
        allowed = sorted({*cls._options(), *others})
        for name in options:
            if name not in allowed:
                raise TypeError(
                    f"{cls.__name__} takes no keyword {name!r}.{nearest_word(name, allowed)} "
                    f"It takes {', '.join(allowed)}."
                )

    def _take(self, values: dict[str, Any]) -> None:
        """Take arguments that are no traits, before anything is made."""

    def _source_of(self, values: dict[str, Any]) -> Source:
        """Take what is shown out of the arguments."""
        raise NotImplementedError

    def _begin(self) -> None:
        """Start, once the widget is made."""

    def _validated(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return options as the traits would have them; layers are checked elsewhere."""
        traits = self.traits(option=True)
        names = options.keys() & traits.keys() - {"layer"}
        return options | {name: traits[name]._validate(self, options[name]) for name in names}

    def _check_options(self, options: dict[str, Any], source: Source) -> None:
        """Check values against the source before anything is made."""
        if "layer" in options:
            options["layer"] = layer_name(options["layer"], source.layers)

    @classmethod
    def _options(cls) -> dict[str, Any]:
        """Return the keywords of the view and their traits."""
        return {name: one for name, one in cls.class_traits().items() if one.metadata.get("option")}

    @property
    def live(self) -> Source:
        """The binding that this view shows; a later one if that has been replaced.

        Raises
        ------
        RuntimeError
            If it is gone, with its model: the view shows the last frame.
        """
        source = self._stream.source
        if source is None:
            raise RuntimeError("the model this view showed is gone; bind another for a new view")
        return source

    def __repr__(self) -> str:
        # Debuggers call this too, on views that are half made or gone.
        try:
            shown = [name for name in _REPR_TRAITS if self.has_trait(name)]
            words = [f"{name} {getattr(self, name)!r}" for name in shown]
            step = self._stream.step_taken if self.cursor < 0 else self.cursor
            state = "closed" if self.comm is None else self._stream.status["state"]
            words += [f"step {step}", state]
            return f"<{type(self).__name__} of {self._model_named()}: {', '.join(words)}>"
        except Exception:
            return f"<{type(self).__name__}>"

    def _model_named(self) -> str:
        source = self._stream.source
        return ("" if source is None else source.feed.model_class) or "a model"

    def _layer_names(self) -> tuple[str, ...]:
        """Return the layers that can be chosen."""
        return self._stream.layout_shown.names

    def looked_at(self, **options: Any) -> Sequence[str]:
        """Return the layers whose functions the view shows, or its picture with other options."""
        traits = {name: getattr(self, name) for name in self._options()} | options
        return self._drawn_layers(traits, self._layer_names())

    @traitlets.observe("layer")
    def _looks_elsewhere(self, _: Any) -> None:
        if self.comm is not None and self._is_joined:
            self._stream.update_looking()

    def _drawn_layers(self, traits: dict[str, Any], names: Sequence[str]) -> Sequence[str]:
        """Return the layers that a picture with these traits needs."""
        if not self._draws_layers:
            return ()
        return [traits["layer"]] if traits.get("layer", "") != "" else names

    def _drawn_selection(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the selection in a picture with these options; the stream's by default."""
        return dict(self.selection or {})

    def _picture_options(self, options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        """Return checked options of one picture, with the traits that go with them."""
        if not self.has_trait("layer"):
            return options
        # The layer shown may be gone since the model was bound again.
        shown = getattr(self, "layer", "")
        layer = options.get("layer", shown if shown in names else None)
        return options | {"layer": layer_name(layer, names)}

    @with_options
    def svg(
        self,
        *,
        width: int = 900,
        max_height: float = 900,
        pixel_ratio: float = 2,
        **options: Any,
    ) -> str:
        """Return the current state as the text of an SVG; parameters are those of ``image``."""
        return svg_of(self._pictures(width, max_height, pixel_ratio, {**options}))

    def _pictures(
        self, width: int, most: float, pixel_ratio: float, options: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return what the browser's code is asked for: pictures, one below the other."""
        return [self._picture_request(width, most, pixel_ratio, options)]

    def _picture_request(
        self, width: int, most: float, pixel_ratio: float, options: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what the browser's code is asked for a picture."""
        self._check_keywords(options)
        check_number("pixel_ratio", pixel_ratio, 0.25, 16)
        if not width >= self._narrowest:
            raise ValueError(f"width={width}: expected at least {self._narrowest} pixels")
        self._begin_picture()
        frames = self._stream.frames()
        names = frames[1].layout.names
        traits = {name: getattr(self, name) for name in self.keys if not name.startswith("_")}
        for name in (*_UNDRAWN_TRAITS, *SHARED_TRAITS):
            traits.pop(name, None)
        traits |= self._picture_options(self._validated(options), names)
        theme = traits.pop("theme", "auto")
        return picture_request(
            frames,
            self._drawn_layers(traits, names),
            source=self._stream.source,
            ensemble=self._stream.ensemble,
            selection=self._drawn_selection(options),
            held=self._stream.held,
            network=self._draws_network,
            training=self._stream.training,
            kind=self._kind,
            traits={name: self._sent(name, value) for name, value in traits.items()},
            width=width,
            height=int(traits.get("height") or _HEIGHT),
            most=most,
            theme="dark" if theme == "dark" else "light",
            ratio=pixel_ratio,
        )

    def _sent(self, name: str, value: Any) -> Any:
        """Return a trait's value as the page would get it."""
        return self.trait_metadata(name, "to_json", self._trait_to_json)(value, self)

    def _throttled_job(self, draw: Callable[[], object], **pace: float) -> ThrottledJob:
        """Return a job that calls a method that sets traits, until the view is closed."""
        self._jobs = (*self._jobs, ThrottledJob(draw, **pace))
        return self._jobs[-1]

    def _wake(self, *_: Any) -> None:
        """Have the jobs of the view done."""
        for job in self._jobs:
            job.wake()

    def _listen(self, **methods: Callable[..., object]) -> None:
        """Call methods at events of the source, until the view is closed: see `ViewListener`."""
        self._listener = ViewListener(self, **methods)
        self.live.feed.subscribe(self._listener)

    def _end(self) -> None:
        self._undock()
        for job in self._jobs:
            job.close()
        if (source := self._stream.source) is not None:
            source.feed.let_go()
        self._select_callbacks = ()


class ModelView(View):
    """A view of one model."""

    live_or_model: InitVar[Source | nn.Module] = option(
        """A binding made by `kan_widgets.bind`; a recording (`kan_widgets.replay`,
        `kan_widgets.follow`); or a model: its open binding is used, or else a new one, which
        follows ``live.refresh()`` and ``live.step()``. Of a `kan_widgets.ensemble` the most
        typical network is shown.""",
        kw_only=False,
    )

    ensemble = traitlets.Unicode().tag(sync=True)

    def _source_of(self, values: dict[str, Any]) -> Source:
        live_or_model = values.pop("live_or_model")
        source = source_for(live_or_model)
        self._kept: object = kept_alive(live_or_model)
        if hasattr(live_or_model, "around"):
            self._ensemble = live_or_model
            values["ensemble"] = f"{len(live_or_model)} trained networks, the most typical drawn"
        return source

    def _end(self) -> None:
        self._kept = None
        super()._end()


class LayerView(ModelView):
    """A view of one layer at a time."""

    layer: str | int = option(
        "The layer to show, by name or number; the first by default.",
        default=0,
        trait=LayerName(),
        kw_only=False,
    )


def kept_alive(live_or_model: Source | nn.Module) -> Source | nn.Module | None:
    """Return what a view must keep alive.

    A binding lives as long as its model, which the training keeps; nobody but the views may
    hold a bare model that they were given, or a recording.
    """
    return None if is_binding(live_or_model) else live_or_model


def source_for(live_or_model: Source | nn.Module) -> Source:
    """Return the source given, or the binding of a model, new if there is none."""
    live_or_model = getattr(live_or_model, "shown", live_or_model)
    if isinstance(live_or_model, Source):
        return live_or_model
    if is_module(live_or_model):
        from kan_widgets.live import bind, binding_of

        return binding_of(live_or_model) or bind(live_or_model)
    raise TypeError(
        f"{live_or_model!r:.80}: expected a model, the binding that kan_widgets.bind returned, or "
        "a recording (kan_widgets.replay)"
    )
