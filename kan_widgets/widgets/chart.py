"""Chart: curves over training steps, drawn with bqplot, in panels that share the steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import anywidget
import ipywidgets
import numpy as np
import traitlets
from numpy.typing import NDArray
from PIL import Image

from kan_widgets.live.answering import answer_during_cells
from kan_widgets.widgets import chart_still
from kan_widgets.widgets.bundle import bundle
from kan_widgets.widgets.curves import SMOOTHING, Range, Smoothed, step_axis, thin, value_axis
from kan_widgets.widgets.figure import FEW, MARKS, Panel, Series, load_bqplot, visible
from kan_widgets.widgets.lifetime import close_parts, weakly
from kan_widgets.widgets.pictured import Pictured
from kan_widgets.widgets.ranges import format_number
from kan_widgets.widgets.view import Choice

COLOURS = 7
NOTHING = "–"
_POINTS = 800


class _Tools(anywidget.AnyWidget):
    """The bar above the panels, and what the mouse does over them; works without the kernel."""

    _esm = bundle("chart.js")
    _css = bundle("chart.css")

    panels = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    """``{"title", "names", "colours", "raw", "smooth", "y", "figure"}``; the last four are ids."""
    latest = traitlets.List(trait=traitlets.List(traitlets.Unicode())).tag(sync=True)
    """Of each panel, in words, the value that each curve was given last."""
    steps = traitlets.Unicode().tag(sync=True)
    """Id of the scale of the steps."""
    marks = traitlets.List(trait=traitlets.List()).tag(sync=True)
    """``[step, text]`` each."""
    zoom = traitlets.List(traitlets.Float()).tag(sync=True)
    """The two ends of the steps shown; empty for all."""
    scale = Choice(["linear", "log"]).tag(sync=True)
    smoothing = traitlets.Int(0, min=0).tag(sync=True)
    theme = Choice(["auto", "light", "dark"]).tag(sync=True)


@dataclass
class _Curve:
    panel: str
    name: str
    colour: int
    everything: Callable[[], Series]
    thinned: Callable[[Range | None, int], Series] | None
    smooth: Smoothed | None = None

    def points(self, window: Range | None) -> Series:
        """Return the curve as it was logged, thinned for drawing."""
        if self.thinned is not None:
            return self.thinned(window, _POINTS)
        return thin(*self.everything(), window, _POINTS)

    def smoothed(self, over: int, log: bool, window: Range | None) -> Series:
        """Return the curve smoothed over some steps, thinned for drawing."""
        if self.smooth is None or (self.smooth.over, self.smooth.log) != (over, log):
            self.smooth = Smoothed(over, log)
        steps, values = self.everything()
        return thin(steps, self.smooth.follow(steps, values), window, _POINTS)

    def latest(self) -> str:
        """Return the value that was logged last, whatever is drawn."""
        _, values = self.everything()
        return format_number(float(values[-1])) if len(values) else NOTHING


class Chart(Pictured, ipywidgets.VBox):  # type: ignore[misc]
    """Curves over steps, in one panel for each quantity; all panels share the steps.

    In the browser, and so also while the kernel is busy: the values at the step under the
    mouse, and zooming by dragging over some steps; a double click shows all again.
    Nothing is drawn until ``draw()``, which one thread alone should call.

    Parameters
    ----------
    height
        Pixels of each panel, at least 100.
    smoothing
        A thin line shows the mean over so many steps around each step, of logarithms on a
        logarithmic scale, with the values themselves faint behind; 0 for none. Numbers in
        print are never smoothed.
    scale
        Of the values: ``"linear"`` or ``"log"``.
    theme
        ``"auto"`` follows JupyterLab.
    narrowest
        Pixels that a panel is wide at least, where the page is so wide.
    kinds
        Kinds of curves that have the first colours, in this order; the others follow as
        they come.
    changed
        Called when the user has changed what is to be drawn; must be cheap.

    Raises
    ------
    traitlets.TraitError
        If a value is not one of those above.

    Examples
    --------
    >>> import numpy as np
    >>> from kan_widgets.widgets.chart import Chart
    >>> chart = Chart(smoothing=10)
    >>> chart.set("loss", "loss", np.arange(100), 1 / (1 + np.arange(100.0)))
    >>> chart.draw()
    >>> chart.panels
    ('loss',)
    """

    def __init__(
        self,
        *,
        height: int = 190,
        smoothing: int = SMOOTHING,
        scale: Literal["linear", "log"] = "linear",
        theme: Literal["auto", "light", "dark"] = "auto",
        narrowest: int = 280,
        kinds: Sequence[str] = (),
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        if height < 100:
            raise ValueError(f"height={height!r}: at least 100 pixels are taken")
        self._tools = _Tools(smoothing=smoothing, scale=scale, theme=theme)
        self._height, self._narrowest = height, narrowest
        self._changed = changed
        self._curves: dict[tuple[str, str], _Curve] = {}
        self._colours = {kind: k % COLOURS for k, kind in enumerate(kinds)}
        self._marks: list[tuple[int, str]] = []
        self._panels: dict[str, Panel] = {}
        self._steps = load_bqplot().LinearScale(min=0.0, max=1.0)
        self._tools.steps = self._steps.model_id or ""
        self._grid = ipywidgets.GridBox(
            layout={
                "grid_template_columns": f"repeat(auto-fit, minmax(min(100%, {narrowest}px), 1fr))",
                "width": "100%",
                "overflow": "hidden",
            }
        )
        super().__init__([self._tools, self._grid])
        self.add_class("kw-chart")
        self.layout.width = "100%"
        self.layout.overflow = "visible"
        for widget in (self, self._tools, self._grid, self._steps):
            answer_during_cells(widget)
        self._tools.observe(weakly(self._asked), ["zoom", "scale", "smoothing"])

    # -- what is drawn ----------------------------------------------------------------

    @property
    def panels(self) -> tuple[str, ...]:
        """The titles of the panels, as of the last ``draw()``."""
        return tuple(self._panels)

    @property
    def tools(self) -> anywidget.AnyWidget:
        """The bar above: ``scale``, ``smoothing``, ``zoom`` and ``theme`` may be set."""
        return self._tools

    def set(
        self,
        panel: str,
        name: str,
        steps: NDArray[Any],
        values: NDArray[Any],
        *,
        kind: str | None = None,
    ) -> None:
        """Have a curve drawn from now on; the arrays are kept as they are.

        Parameters
        ----------
        panel
            The title of the panel; made if there is none.
        name
            Of the curve, within the panel.
        steps, values
            ``(n,)`` each, steps not falling.
        kind
            Curves of one kind have one colour, in all panels; by default the name.
        """
        series: Series = steps, np.asarray(values, dtype=np.float64)
        self.follow(panel, name, lambda: series, kind=kind)

    def follow(
        self,
        panel: str,
        name: str,
        everything: Callable[[], Series],
        *,
        thinned: Callable[[Range | None, int], Series] | None = None,
        kind: str | None = None,
    ) -> None:
        """Have a curve drawn that grows.

        Parameters
        ----------
        panel, name, kind
            As for ``set``.
        everything
            Gives all steps and values.
        thinned
            Given a range of steps, or ``None`` for all, and a number of points: gives about so
            many that look the same. For long curves this can be much cheaper.
        """
        known = self._curves.get((panel, name))
        colour = self._colours.setdefault(kind or name, len(self._colours) % COLOURS)
        curve = _Curve(panel, name, colour, everything, thinned)
        if known is not None:
            curve.smooth = known.smooth
        self._curves[panel, name] = curve

    def has(self, panel: str, name: str) -> bool:
        """Whether there is such a curve."""
        return (panel, name) in self._curves

    def set_marks(self, marks: Sequence[tuple[int, str]]) -> None:
        """Mark some steps, each with a short text."""
        self._marks = list(marks)

    def forget(self) -> None:
        """Draw no curve and no mark any more."""
        self._curves.clear()
        self._marks = []

    def _asked(self, _: Any) -> None:
        self._changed()

    @property
    def _window(self) -> Range | None:
        zoom = self._tools.zoom
        return (zoom[0], zoom[1]) if len(zoom) == 2 and zoom[0] < zoom[1] else None

    # -- drawing ----------------------------------------------------------------------

    def draw(self) -> None:
        """Bring the page up to date."""
        window = self._window
        kind = self._tools.scale
        by_panel: dict[str, list[_Curve]] = {}
        for curve in list(self._curves.values()):
            by_panel.setdefault(curve.panel, []).append(curve)
        raw = {key: curve.points(window) for key, curve in self._curves.items()}
        shown = window or _whole(raw)
        for title in [title for title in self._panels if title not in by_panel]:
            self._panels.pop(title).close()
        for title in by_panel:
            if title not in self._panels:
                self._panels[title] = Panel(self._steps, self._height)
        with self._steps.hold_sync():
            self._steps.min, self._steps.max = map(float, shown)
        for title, curves in by_panel.items():
            panel = self._panels[title]
            if panel.kind != kind:
                panel.build(kind)
            lines = [raw[title, curve.name] for curve in curves]
            smooth = self._smoothed(curves, lines, window)
            colours = [curve.colour for curve in curves]
            panel.draw(colours, lines, smooth, [step for step, _ in self._marks], shown)
        self._grid.children = [panel.figure for panel in self._panels.values()]
        self._describe(by_panel)

    def _smoothed(
        self, curves: list[_Curve], lines: list[Series], window: Range | None
    ) -> list[Series]:
        """Return the smoothed curves of a panel; none where so few values need no mean."""
        over, log = self._tools.smoothing, self._tools.scale == "log"
        if over <= 1 or all(len(steps) <= FEW for steps, _ in lines):
            return []
        return [curve.smoothed(over, log, window) for curve in curves]

    def _describe(self, by_panel: dict[str, list[_Curve]]) -> None:
        described = [
            {
                "title": title,
                "names": [curve.name for curve in by_panel[title]],
                "colours": [curve.colour for curve in by_panel[title]],
                "raw": panel.raw.model_id,
                "smooth": panel.smooth.model_id,
                "y": panel.y.model_id,
                "figure": panel.figure.model_id,
            }
            for title, panel in self._panels.items()
        ]
        with self._tools.hold_sync():
            self._tools.panels = described
            self._tools.latest = [
                [curve.latest() for curve in by_panel[title]] for title in self._panels
            ]
            self._tools.marks = [[step, text] for step, text in self._marks[-MARKS:]]

    # -- the picture ------------------------------------------------------------------

    def pictures(self) -> list[chart_still.Panel]:
        """Return what the panels show, for a still picture."""
        window = self._window
        raw = {key: curve.points(window) for key, curve in self._curves.items()}
        shown = window or _whole(raw)
        by_panel: dict[str, list[_Curve]] = {}
        for curve in self._curves.values():
            by_panel.setdefault(curve.panel, []).append(curve)
        panels: dict[str, list[chart_still.Line]] = {}
        for title, curves in by_panel.items():
            values = [raw[title, curve.name] for curve in curves]
            smooth = self._smoothed(curves, values, window)
            panels[title] = [
                chart_still.Line(
                    curve.colour, *line, name=curve.name, latest=curve.latest(), faint=bool(smooth)
                )
                for curve, line in zip(curves, values, strict=True)
            ]
            panels[title] += [
                chart_still.Line(curve.colour, *line, thin=True)
                for curve, line in zip(curves, smooth, strict=False)
            ]
        log = self._tools.scale == "log"
        return [
            chart_still.Panel(
                title,
                tuple(lines),
                shown,
                value_axis(visible([(a.steps, a.values) for a in lines], shown), log),
                log,
                tuple(self._marks),
            )
            for title, lines in panels.items()
        ]

    def image(
        self,
        *,
        width: int = 900,
        pixel_ratio: float = 2,
        theme: Literal["auto", "light", "dark"] | None = None,
    ) -> Image.Image:
        """Draw the panels as a picture, without a browser.

        Parameters
        ----------
        width
            CSS pixels.
        pixel_ratio
            Picture pixels per CSS pixel.
        theme
            The chart's own by default; ``"auto"`` is light.

        Returns
        -------
        PIL.Image.Image
            ``width * pixel_ratio`` pixels wide.
        """
        chosen = theme or self._tools.theme
        colours: Literal["light", "dark"] = "dark" if chosen == "dark" else "light"
        return chart_still.render(
            self.pictures(),
            width=width,
            height=self._height,
            narrowest=self._narrowest,
            pixel_ratio=pixel_ratio,
            theme=colours,
        )

    def _end(self) -> None:
        # Perhaps before all was made.
        if hasattr(self, "_grid"):
            for panel in self._panels.values():
                panel.close()
            close_parts([self._grid, self._steps, self._tools])


def _whole(lines: Mapping[tuple[str, str], Series]) -> Range:
    """Return the range of steps that holds all curves."""
    ends = [steps[[0, -1]] for steps, _ in lines.values() if len(steps)]
    if not ends:
        return 0.0, 1.0
    return step_axis(float(min(e[0] for e in ends)), float(max(e[1] for e in ends)))
