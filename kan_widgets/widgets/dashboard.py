"""Dashboard: the views of a stream as one instrument, in the notebook or docked beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import InitVar, dataclass
from typing import TYPE_CHECKING, Any, Literal

import traitlets

from kan_widgets.checks import nearest_word
from kan_widgets.live import Replay, Source, is_binding
from kan_widgets.live.frames.activations import Probe
from kan_widgets.widgets.kernel_grid import KernelGrid
from kan_widgets.widgets.layer_ranges import LayerRanges
from kan_widgets.widgets.meshgrid_view import MeshgridView
from kan_widgets.widgets.network_view import NetworkView
from kan_widgets.widgets.pages.page import reference
from kan_widgets.widgets.shell.options import option
from kan_widgets.widgets.shell.view import LayerView, View
from kan_widgets.widgets.spline_inspector import SplineInspector
from kan_widgets.widgets.training_panel import TrainingPanel
from kan_widgets.widgets.wire.lifetime import weakly


@dataclass(frozen=True)
class _Panel:
    """A panel that a dashboard can show."""

    view: type[View]
    attribute: str
    """Attribute of the dashboard that holds the view."""
    about: str
    """What the panel shows, in a sentence that begins with its title."""
    wide: bool = False
    """Whether the panel stands across both columns."""
    trains: bool = False
    """Whether the panel needs something that trains: a binding or a recording."""
    page: str = "functions"
    """The page of the panel while there are two."""

    @property
    def title(self) -> str:
        return self.about.partition(":")[0]


_PANELS = {
    "network": _Panel(
        NetworkView,
        "network",
        "Network: from input to output, with an example running through it",
        wide=True,
        page="network",
    ),
    "training": _Panel(
        TrainingPanel,
        "training",
        "Training: its numbers and curves",
        trains=True,
        page="network",
    ),
    "kernels": _Panel(KernelGrid, "grid", "Layer: every function of it"),
    "function": _Panel(SplineInspector, "inspector", "Function: the selected one, and its terms"),
    "response": _Panel(MeshgridView, "meshgrid", "Response: what the layer makes of an input"),
    "ranges": _Panel(
        LayerRanges, "ranges", "Ranges: how far each layer's functions reach", wide=True
    ),
}
DashboardPage = Literal["network", "functions"]
_DEFAULT_PANELS = ("network", "kernels", "function", "response", "training")


def _check_panels(panels: Iterable[str]) -> tuple[str, ...]:
    """Return names of panels, each once. Raises before anything is made."""
    allowed = ", ".join(map(repr, _PANELS))
    if isinstance(panels, str) or not isinstance(panels, Iterable):
        raise TypeError(f"panels={panels!r:.80}: expected a list of some of {allowed}")
    names = tuple(panels)
    for name in names:
        if name not in _PANELS:
            hint = nearest_word(name, _PANELS)
            raise ValueError(f"panels with {name!r}: expected some of {allowed}.{hint}")
        if names.count(name) > 1:
            raise ValueError(f"panels with {name!r} twice: expected each panel once")
    if not names:
        raise ValueError(f"panels is empty: expected at least one of {allowed}")
    return names


_PICTURE_KEYWORDS = ("layer", "theme")
_PANEL_KEYWORDS = ("title", "about", "wide")
# Pixels of the network's drawing, so that it stands in a laptop's window with the training.
_NETWORK_HEIGHT = 520


class _Panels:
    """The views of a dashboard by name, those there are."""

    grid: KernelGrid
    inspector: SplineInspector
    meshgrid: MeshgridView
    training: TrainingPanel
    ranges: LayerRanges
    network: NetworkView


class Dashboard(LayerView, _Panels):
    """The views of one stream as one instrument: one headline, one choice of layers, one timeline.

    What is selected in one panel is selected in all, and a layer chosen at the top, or as
    ``dashboard.layer = "fc"``, is chosen in all. The headline has the model, the step and the
    latest loss that was logged. It opens on the network, with an example running through it; a
    click on a link there selects a function, which the second page shows beside all others of its
    layer. Where there is room (from about 900 pixels) panels stand in two columns, in less below
    each other. It is no higher than what is seen of the page at once, the notebook's panel or the
    window: the drawings shrink, but for the functions of a narrow page.

    Attributes
    ----------
    training, grid, inspector, meshgrid, ranges, network
        The views of the panels there are, to set their traits.

    Raises
    ------
    ValueError
        If there is no such layer or panel; the message lists them.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> dashboard = kw.Dashboard(kw.nn.KANCNN.article(), layer=1, panels=["kernels", "function"])
    >>> dashboard.grid.mode = "pattern"
    >>> [type(view).__name__ for view in dashboard.views]
    ['KernelGrid', 'SplineInspector']
    """

    _kind = "dashboard"
    _is_wide = True

    panels_shown = traitlets.List(traitlets.Dict()).tag(sync=True)
    """Name, title and more of each panel, in the order of ``parts``."""
    parts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """References to the views, which are drawn in this one."""
    shared = traitlets.Bool(False).tag(sync=True)
    """Whether the response is to the examples of the network; the page keeps the two equal."""
    panels: InitVar[Iterable[str] | None] = option(
        """What to show, in this order, of ``"training"`` (`TrainingPanel`), ``"kernels"``
        (`KernelGrid`), ``"function"`` (`SplineInspector`), ``"response"`` (`MeshgridView`),
        ``"ranges"`` (`LayerRanges`) and ``"network"`` (`NetworkView`), all on one page. By
        default all but the ranges, on two pages.""",
        default=None,
        kw_only=False,
    )
    page: DashboardPage = option("Which of the two pages is shown.", default="network")

    def _take(self, values: dict[str, Any]) -> None:
        panels = values.pop("panels", None)
        self._chosen = None if panels is None else _check_panels(panels)
        self._views: dict[str, View] = {}
        self._examples_job = self._throttled_job(self._share_examples, fps=5)
        self._probe: Probe | None = None

    def _begin(self) -> None:
        trains = not self._ensemble and (is_binding(self.live) or isinstance(self.live, Replay))
        default = [name for name in _DEFAULT_PANELS if trains or not _PANELS[name].trains]
        for name in self._chosen or default:
            panel = _PANELS[name]
            look: dict[str, Any] = {"theme": self.theme}
            if name == "network":
                look["height"] = _NETWORK_HEIGHT
            if panel.view.class_traits().get("layer") is not None:
                look["layer"] = self.layer
            self._views[name] = view = panel.view(self._ensemble or self.live, **look)
            setattr(self, panel.attribute, view)
        together = [self, *(view for view in self.views if view.has_trait("layer"))]
        for view in together:
            view.linked = [reference(other) for other in together if other is not view]
            view.observe(weakly(self._layer_chosen), "layer")
        # Panels that were chosen stand on one page.
        keywords = _PANEL_KEYWORDS if self._chosen is not None else (*_PANEL_KEYWORDS, "page")
        self.panels_shown = [
            {"name": name} | {part: getattr(_PANELS[name], part) for part in keywords}
            for name in self._views
        ]
        self.parts = [reference(view) for view in self.views]
        self.observe(weakly(self._dress), "theme")
        news = ("on_probe", "on_replaced")
        self._listen(**dict.fromkeys(news, self._wake))
        self._examples_job.now()

    def _check_options(self, options: dict[str, Any], source: Source) -> None:
        super()._check_options(options, source)
        for name in self._chosen or ():
            if _PANELS[name].trains and not (is_binding(source) or isinstance(source, Replay)):
                raise ValueError(
                    f"panels with {name!r} of {source!r:.80}: expected something that trains"
                )

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Say what to do for the view of a panel that is not shown."""
            for panel, shown in _PANELS.items():
                if name == shown.attribute:
                    raise AttributeError(
                        f"this Dashboard has no panel {panel!r}, and so no .{name}: "
                        f"kw.Dashboard(live, panels=[…, {panel!r}]) has it"
                    )
            return super().__getattribute__(name)

    @property
    def views(self) -> tuple[View, ...]:
        """The views of the panels, in their order."""
        return tuple(self._views.values())

    def _layer_chosen(self, change: Any) -> None:
        """Show a layer in all views; a choice made in the page has reached all of them there."""
        chosen = change["new"]
        for view in (self, *self.views):
            if view.has_trait("layer"):
                view.set_trait("layer", chosen)
        source = self._stream.source
        if source is not None and (at := source.feed.selection) and at["layer"] != chosen:
            source.select(chosen)

    def _dress(self, change: Any) -> None:
        for view in self.views:
            view.set_trait("theme", change["new"])

    # -- what goes with the source -----------------------------------------------------------------

    def _share_examples(self) -> None:
        """Show the response to the examples that run through the network."""
        source = self._stream.source
        probe = None if source is None else source.feed.probed
        response, network = self._views.get("response"), self._views.get("network")
        if probe is self._probe or probe is None or not isinstance(network, NetworkView):
            return
        self._probe = probe
        self.shared = probe.inputs.ndim == 4 and response is not None
        if response is not None and self.shared:
            response.set_trait("images", probe.inputs)
            response.set_trait("sample", max(0, network.example))

    def _bring_up_to_date(self) -> None:
        if "training" in self._views:
            self._views["training"]._bring_up_to_date()
        self._examples_job.now()

    def _pictures(
        self, width: int, most: float, pixel_ratio: float, options: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the panels, each at most so high, with the layer and the theme of the options."""
        self._check_keywords(options)
        options = self._validated(options)
        taken = {name: options[name] for name in _PICTURE_KEYWORDS if name in options}
        return [
            view._picture_request(
                width,
                most,
                pixel_ratio,
                {name: value for name, value in taken.items() if view.has_trait(name)},
            )
            for view in self.views
        ]

    def _within(self) -> Sequence[View]:
        return self.views

    def _page_note(self) -> str:
        return " ".join(dict.fromkeys(filter(None, (view._page_note() for view in self.views))))

    def _end(self) -> None:
        self._close_inside(self.views)
        super()._end()
