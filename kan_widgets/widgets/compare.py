"""Compare: kernels, curves and numbers of several models, side by side."""

from __future__ import annotations

import difflib
import html
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, Literal

import anywidget
import ipywidgets
import traitlets
from PIL import Image
from torch import nn

from kan_widgets.live import Binding, Replay, Source
from kan_widgets.live.answering import answer_during_cells
from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.live.painter import Painter
from kan_widgets.widgets import compare_still, comparison
from kan_widgets.widgets.bundle import bundle
from kan_widgets.widgets.chart import Chart
from kan_widgets.widgets.chart_still import CURVES
from kan_widgets.widgets.compared import Followed, check, source_for
from kan_widgets.widgets.comparison import Numbers
from kan_widgets.widgets.curves import SMOOTHING, Range
from kan_widgets.widgets.figure import Series
from kan_widgets.widgets.follower import let_go
from kan_widgets.widgets.kernel_grid import KernelGrid
from kan_widgets.widgets.lifetime import close_parts
from kan_widgets.widgets.pictured import Pictured
from kan_widgets.widgets.view import Choice, kept

_GRIDS = "repeat(auto-fit, minmax(min(100%, 290px), 1fr))"
# Loss and accuracy, each in training and held out: four panels in a row, or two rows of two.
_PANEL = 340
_PANELS = (
    f"repeat(auto-fit, minmax(max(min(100%, {_PANEL}px), "
    f"min(48%, ({4 * _PANEL}px - 100%) * 1000)), 1fr))"
)


class _Options(traitlets.HasTraits):
    """The keywords; refuses what is none of their values before anything is made."""

    height = traitlets.Int(300, min=80)
    smoothing = traitlets.Int(SMOOTHING, min=0)
    scale = Choice(["linear", "log"])
    theme = Choice(["auto", "light", "dark"])


_KEYWORDS = ("height", "smoothing", "scale", "theme", "layout")


class _Table(anywidget.AnyWidget):
    """The numbers. Its traits are set by the painter only."""

    _esm = bundle("compare.js")
    _css = bundle("compare.css")

    shown = traitlets.Dict().tag(sync=True)
    """``{"hints", "note", "models", "rows", "growth"}``, all in words."""
    theme = Choice(["auto", "light", "dark"]).tag(sync=True)


class Compare(Pictured, ipywidgets.VBox):  # type: ignore[misc]
    """Several models while they train: kernels, curves of loss and accuracy, and numbers.

    Each model has one colour, in the curves of all quantities and in the table. The curves
    are what each binding's ``log`` was given, so any loop will do; `kan_widgets.fit` with
    a dict of models gives all the same batches, one after the other. Nothing here takes part in
    the training.

    Parameters
    ----------
    models
        Bindings made by `kan_widgets.bind` by name, recordings (`kan_widgets.replay`), or
        models: their open bindings are used, or else new ones. Up to seven, for so many
        colours can be told apart.
    height : int
        Pixels of each drawing of kernels at most, at least 80.
    smoothing : int
        A thin line shows the mean of each curve over so many steps around each step, with the
        values themselves faint behind; 0 for none. Numbers in print are never smoothed.
    scale : {"linear", "log"}
        Of the values of the curves.
    theme : {"auto", "light", "dark"}
        Follows JupyterLab when "auto".
    layout : ipywidgets.Layout or dict, optional
        CSS of the box.

    Attributes
    ----------
    grids : dict
        The `KernelGrid` of each model by name, to set their traits.
    chart : Chart
        The curves; ``chart.tools`` has ``scale``, ``smoothing`` and ``zoom``.

    Raises
    ------
    TypeError
        For an unknown keyword, or if ``models`` is no dict of bindings or models by name.
    ValueError
        If there is no model or more than seven, one is given twice, or one has no functions
        that can be read.
    traitlets.TraitError
        If another value is not one of those above. Nothing has been made or bound then.

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

    def __init__(self, models: Mapping[str, Source | nn.Module], **options: Any) -> None:
        for name in options:
            if name not in _KEYWORDS:
                near = difflib.get_close_matches(name, _KEYWORDS, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise TypeError(
                    f"Compare takes no keyword {name!r}.{hint} It takes {', '.join(_KEYWORDS)}; "
                    "what a KernelGrid takes is set on those in .grids."
                )
        given = {name: options.pop(name) for name in ("layout",) if name in options}
        chosen = _Options(**options)
        check(models)
        self._kept = [kept(one) for one in models.values()]
        lives = {name: source_for(one) for name, one in models.items()}
        self._painter = Painter(self._draw, fps=4)
        self._drawn: object = None
        self._listed: object = None
        self.grids: dict[str, KernelGrid] = {}
        boxes = []
        for number, (name, live) in enumerate(lives.items()):
            grid = KernelGrid(live, height=chosen.height, theme=chosen.theme)
            grid.layout.min_width = "0"
            self.grids[name] = grid
            heading = ipywidgets.HTML(_heading(name, number))
            heading.add_class("kw-model-heading")
            boxes.append(ipywidgets.VBox([heading, grid], layout={"min_width": "0"}))
        kernels = ipywidgets.GridBox(
            boxes,
            layout={
                "grid_template_columns": _GRIDS,
                "grid_gap": "8px 16px",
                "align_items": "flex-start",
                "width": "100%",
                "overflow": "hidden",
            },
        )
        self.chart = Chart(
            smoothing=chosen.smoothing,
            scale=chosen.scale,
            theme=chosen.theme,
            narrowest=_PANEL,
            kinds=list(models),
            changed=self._painter.wake,
        )
        self.chart.children[1].layout.grid_template_columns = _PANELS
        self._table = _Table(theme=chosen.theme)
        self._frames = [kernels, *boxes, *(box.children[0] for box in boxes)]
        super().__init__([kernels, self.chart, self._table], **given)
        self.add_class("kw-compare")
        if self.layout.width is None:
            self.layout.width = "100%"
        for widget in (self, self._table, *self._frames):
            answer_during_cells(widget)
        self._followed = [Followed(name, live, self._painter) for name, live in lives.items()]
        for followed in self._followed:
            followed.join()
        self._painter.now()

    @property
    def lives(self) -> dict[str, Binding | Replay]:
        """The bindings and recordings shown, by name; a later one where one was replaced."""
        found = ((one.name, one.live) for one in self._followed)
        return {name: live for name, live in found if live is not None}

    def table(self) -> list[dict[str, Any]]:
        """Return the numbers as they are now, one record for each model.

        Returns
        -------
        list of dict
            ``name``, ``state``, ``parameters`` (those trained), ``order`` (how they grow),
            ``parameters_doubled`` (with twice the grid), ``steps``, ``epochs``, ``seconds``
            (spent on steps of this model), ``seconds_per_step``, ``loss``, ``accuracy``,
            ``eval_loss``, ``eval_accuracy`` and what else was logged (the last values), and
            ``data_source``. ``None`` where a number is not known.
        """
        numbers = self._numbers()
        measured = comparison.quantities(numbers)
        return [one.record(measured) for one in numbers]

    def layers(self) -> list[dict[str, Any]]:
        """Return how the parameters of each layer come about.

        Returns
        -------
        list of dict
            ``model``, ``layer``, ``type``, ``functions``, ``parameters``, ``formula``, ``order``
            and ``parameters_doubled`` (with twice the grid).
        """
        return [
            {
                "model": one.name,
                "layer": layer.name,
                "type": layer.type,
                "functions": layer.functions,
                "parameters": layer.parameters,
                "formula": layer.formula,
                "order": f"O({layer.order})",
                "parameters_doubled": layer.doubled,
            }
            for one in self._numbers()
            for layer in one.growth.layers
        ]

    def _numbers(self) -> list[Numbers]:
        return [followed.numbers() for followed in self._followed]

    # -- drawing ----------------------------------------------------------------------

    def _draw(self) -> None:
        numbers = self._numbers()
        self._table.shown = _in_words(numbers)
        logs = {followed.name: followed.scalars for followed in self._followed}
        tools = self.chart.tools
        seen = tools.scale, tools.smoothing, tuple(tools.zoom)
        drawn = logs, [log.version for log in logs.values()], seen
        if drawn == self._drawn:
            return
        listed = logs, [log.names for log in logs.values()]
        if listed != self._listed:
            self.chart.forget()
            _follow(self.chart, logs)
            self._listed = listed
        self.chart.set_marks(_marks(logs))
        self.chart.draw()
        self._drawn = drawn

    # -- the picture ------------------------------------------------------------------

    def image(
        self, *, width: int = 900, pixel_ratio: float = 2, theme: str | None = None
    ) -> Image.Image:
        """Draw kernels, curves and numbers as a picture, without a browser.

        Parameters
        ----------
        width
            CSS pixels, at least 300.
        pixel_ratio
            Picture pixels per CSS pixel.
        theme
            ``"light"`` or ``"dark"``; its own by default, ``"auto"`` is light.

        Returns
        -------
        PIL.Image.Image
            ``width * pixel_ratio`` pixels wide.

        Raises
        ------
        ValueError
            If a value is none of those.
        """
        if theme not in (None, "auto", "light", "dark"):
            raise ValueError(f"theme={theme!r}: one of 'auto', 'light', 'dark' is taken")
        if width < 300:
            raise ValueError(f"width={width!r}: at least 300 pixels are taken")
        self._painter.now()
        ground: Literal["light", "dark"]
        ground = "dark" if (theme or self._table.theme) == "dark" else "light"
        room = compare_still.column(width, len(self.grids))
        kernels = [
            grid.image(width=room, max_height=260, pixel_ratio=pixel_ratio, theme=ground)
            for grid in self.grids.values()
        ]
        curves = None
        if self.chart.panels:
            curves = self.chart.image(width=width, pixel_ratio=pixel_ratio, theme=ground)
        return compare_still.render(
            self._numbers(),
            kernels,
            curves,
            width=width,
            pixel_ratio=pixel_ratio,
            theme=ground,
        )

    def _end(self) -> None:
        # Perhaps before all was made.
        if hasattr(self, "_followed"):
            self._painter.close()
            for followed in self._followed:
                let_go(followed.live)
            self._close_inside([*self.grids.values(), self.chart])
            close_parts([self._table, *self._frames])
            self._kept = []


def _colours(number: int) -> list[str]:
    """Return a model's colours on a light and on a dark ground."""
    return ["#{:02x}{:02x}{:02x}".format(*CURVES[ground][number]) for ground in ("light", "dark")]


def _heading(name: str, number: int) -> str:
    light, dark = _colours(number)
    style = f"--kw-on-light:{light};--kw-on-dark:{dark}"
    return f'<span class="kw-model-name" style="{style}">{html.escape(name)}</span>'


def _in_words(numbers: list[Numbers]) -> dict[str, Any]:
    """Return what the page shows in the table, as JSON."""
    layer = "name", "type", "formula", "parameters"
    return {
        "hints": comparison.hints(numbers),
        "note": comparison.data_sources(numbers),
        "models": [{"name": one.name, "colours": _colours(k)} for k, one in enumerate(numbers)],
        "rows": [asdict(row) | {"values": list(row.values)} for row in comparison.rows(numbers)],
        "growth": [
            {
                "summary": comparison.summary(one.growth),
                "layers": [
                    dict(zip(layer, words, strict=True))
                    for words in comparison.layer_words(one.growth)
                ],
            }
            for one in numbers
        ],
    }


def _follow(chart: Chart, logs: Mapping[str, Scalars]) -> None:
    """Have all that was logged drawn: a panel for each quantity, in it a curve of each model."""
    panels: dict[str, list[tuple[str, str, str]]] = {}
    for model, log in logs.items():
        names = log.names
        measured = [comparison.quantity(series) for series in names]
        for series, what in zip(names, measured, strict=True):
            curve = model if measured.count(what) == 1 else f"{model} {series}"
            panels.setdefault(what, []).append((curve, model, series))
    for what in sorted(panels, key=comparison.rank):
        for curve, model, series in panels[what]:
            chart.follow(
                comparison.in_words(what),
                curve,
                partial(logs[model].series, series),
                thinned=partial(_thinned, logs[model], series),
                kind=model,
            )


def _thinned(log: Scalars, series: str, window: Range | None, points: int) -> Series:
    low, high = window or (None, None)
    found: Series = log.decimated(series, low, high, points)
    return found


def _marks(logs: Mapping[str, Scalars]) -> list[tuple[int, str]]:
    """Return the marks of all models; what is marked in all of them once, without a name."""
    found: dict[tuple[int, str], list[str]] = {}
    for model, log in logs.items():
        for mark in log.marks:
            found.setdefault((mark.step, mark.text), []).append(model)
    return [
        (step, text if len(names) == len(logs) else f"{', '.join(names)}: {text}")
        for (step, text), names in sorted(found.items())
    ]
