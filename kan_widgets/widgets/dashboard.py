"""Dashboard: the three views of a stream side by side, in the notebook or docked beside it."""

from __future__ import annotations

import difflib
from typing import Any

import ipywidgets
from torch import nn

from kan_widgets.live import Source
from kan_widgets.widgets.engine import drawn
from kan_widgets.widgets.kernel_grid import KernelGrid
from kan_widgets.widgets.meshgrid_view import MeshgridView
from kan_widgets.widgets.page import Placed, reference
from kan_widgets.widgets.pictured import Animated
from kan_widgets.widgets.selecting import Selecting
from kan_widgets.widgets.spline_inspector import SplineInspector
from kan_widgets.widgets.stream import Stream

ANCHORS = ("right", "split-right", "split-left", "split-top", "split-bottom")

# Two columns where each gets 440 px or more, else one; never three. The inspector stands beside the
# other two, which keep to the top.
_COLUMNS = "repeat(auto-fit, minmax(min(100%, max(440px, 40%)), 1fr))"
_OPTIONS = ("layer", "layout", "theme")
_GAP = 12


class Dashboard(Placed, Animated, Selecting, ipywidgets.GridBox):  # type: ignore[misc]
    """KernelGrid, SplineInspector and MeshgridView of one stream, linked.

    What is selected in one is selected in all, and a layer chosen in one, there or as
    ``dashboard.grid.layer = "fc"``, is chosen in all.

    Where there is room (from about 900 pixels) the inspector stands beside the grid and the
    meshgrid; in less, they are stacked.

    Parameters
    ----------
    live_or_model
        A binding made by `kan_widgets.bind`, a recording, or a model.
    layer : str or int, optional
        The layer shown at first; the first by default.
    theme : {"auto", "light", "dark"}
        Of all three views; ``"auto"`` takes the theme of JupyterLab.
    layout : ipywidgets.Layout or dict, optional
        CSS of the box, added to its own.

    Attributes
    ----------
    grid : KernelGrid
    inspector : SplineInspector
    meshgrid : MeshgridView
        The views, to set their traits.

    Raises
    ------
    TypeError
        For an unknown keyword, or if neither a binding nor a model is given.
    ValueError
        If there is no such layer; the message lists them.
    traitlets.TraitError
        If the theme is not one of those above.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> dashboard = kw.Dashboard(kw.nn.KANCNN.article(), layer=1)
    >>> dashboard.grid.mode = "pattern"
    """

    def __init__(
        self, live_or_model: Source | nn.Module, layer: str | int = 0, **options: Any
    ) -> None:
        for name in options:
            if name not in _OPTIONS:
                near = difflib.get_close_matches(name, _OPTIONS, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise TypeError(
                    f"Dashboard takes no keyword {name!r}.{hint} It takes {', '.join(_OPTIONS)}; "
                    "what a view takes is set on .grid, .inspector and .meshgrid."
                )
        css = options.pop("layout", None) or {}
        self.grid = KernelGrid(live_or_model, layer=layer, **options)
        self.inspector = SplineInspector(live_or_model, layer=layer, **options)
        self.meshgrid = MeshgridView(live_or_model, layer=layer, **options)
        for view in self.views:
            # A grid column may be narrower than what is in it only if told so.
            view.layout.min_width = "0"
            view.layout.width = "100%"
            view.linked = [reference(other) for other in self.views if other is not view]
            view.observe(self._layer_chosen, "layer")
        # Not grid_row: ipywidgets applies grid_area last, and an empty one takes grid-row back.
        self.inspector.layout.grid_area = "auto / auto / span 2 / auto"
        self._sidecar: Any = None
        super().__init__(self.views)
        self.add_class("kw-dashboard")
        own = {
            "grid_template_columns": _COLUMNS,
            "grid_template_rows": "auto 1fr",
            "grid_gap": f"{_GAP}px",
            "align_items": "flex-start",
            "width": "100%",
        }
        if isinstance(css, ipywidgets.Layout):
            self.layout = css
            css = {}
        for name, value in (own | dict(css)).items():
            if name in css or getattr(self.layout, name) is None:
                setattr(self.layout, name, value)
        self._join()

    @property
    def views(self) -> tuple[KernelGrid, SplineInspector, MeshgridView]:
        """The three views."""
        return self.grid, self.inspector, self.meshgrid

    def _layer_chosen(self, change: Any) -> None:
        """Show a layer in all views; a choice made in the page has reached all of them there."""
        chosen = change["new"]
        for view in self.views:
            view.layer = chosen
        source = self._stream.source
        if source is not None and source.selection and source.selection["layer"] != chosen:
            source.select(chosen)

    @property
    def live(self) -> Source:
        """The binding that the views show; a later one if that has been replaced.

        Raises
        ------
        RuntimeError
            If it is gone, with its model.
        """
        return self.grid.live

    def dock(self, anchor: str = "right") -> None:
        """Show the dashboard beside the notebook in JupyterLab, and keep it there.

        Docking again moves it.

        Parameters
        ----------
        anchor : {"right", "split-right", "split-left", "split-top", "split-bottom"}
            The right side bar, or a panel on that side of the notebook.

        Raises
        ------
        ValueError
            For another anchor.
        ImportError
            If the ``sidecar`` package is not installed.
        """
        if anchor not in ANCHORS:
            near = difflib.get_close_matches(str(anchor), ANCHORS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"anchor: expected one of {', '.join(map(repr, ANCHORS))}, got {anchor!r}.{hint}"
            )
        try:
            from sidecar import Sidecar
        except ImportError as error:
            raise ImportError(
                "docking needs the sidecar package: run `pip install 'kan-widgets[lab]'` (or "
                "`pip install sidecar`) where JupyterLab runs, and reload the page"
            ) from error
        self._undock()
        self._sidecar = Sidecar(title="Kernel functions", anchor=anchor)
        self._sidecar.append_display_data(self)

    def _undock(self) -> None:
        if self._sidecar is not None:
            self._sidecar.close()
            self._sidecar = None

    @property
    def _stream(self) -> Stream:
        return self.grid._stream

    def svg(self, *, width: int = 900, max_height: float = 900, pixel_ratio: float = 2) -> str:
        """Return the views, one below the other, as the text of an SVG.

        Parameters
        ----------
        width
            CSS pixels.
        max_height
            CSS pixels of each view at most; a taller one is cut and says so.
        pixel_ratio
            Picture pixels per CSS pixel of what is made of pixels, 0.25 to 16.
        """
        return drawn([view._asked(width, max_height, pixel_ratio, {}) for view in self.views])

    def _colours(self, options: dict[str, Any]) -> int:
        return 256  # of three views, heat maps among them

    def _beside(self) -> tuple[KernelGrid, SplineInspector, MeshgridView]:
        return self.views

    def _end(self) -> None:
        # Perhaps before all was made.
        if hasattr(self, "_sidecar"):
            self._undock()
            self._close_inside(self.views)
