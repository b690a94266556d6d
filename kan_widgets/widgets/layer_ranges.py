"""LayerRanges: how far the functions of each layer reach, why, and how that changes."""

from __future__ import annotations

import difflib
import time
import weakref
from typing import Any, Literal

import anywidget
import ipywidgets
import traitlets
from PIL import Image
from torch import nn

from kan_widgets.insight import THRESHOLD
from kan_widgets.live import Binding, Frame, Selection, Source, State
from kan_widgets.live.edit import Edits
from kan_widgets.live.observe import Observation
from kan_widgets.live.updates import Updates, updates_of
from kan_widgets.widgets import layer_ranges_still
from kan_widgets.widgets.bundle import bundle
from kan_widgets.widgets.follower import Follower, let_go
from kan_widgets.widgets.lifetime import close_parts, weakly
from kan_widgets.widgets.painter import Painter
from kan_widgets.widgets.pictured import Pictured
from kan_widgets.widgets.range_figures import HEAD, MEASURES, ROW, RangeFigures
from kan_widgets.widgets.range_rows import (
    Observations,
    Past,
    Row,
    Starts,
    any_seen,
    aside,
    cells,
    heads,
    measure,
    record,
    verdict,
)
from kan_widgets.widgets.selecting import Selecting
from kan_widgets.widgets.stream import Stream, answer_during_cells, stream_of
from kan_widgets.widgets.view import Choice, _source_for, kept

_OPTIONS = ("layout", "over_time", "theme", "threshold")
_FPS = 3.0
_MOMENTS_AT_ONCE = 4


class _Page(anywidget.AnyWidget):
    """The words and options above the figures, or the table beside them."""

    _esm = bundle("layer_ranges.js")
    _css = bundle("layer_ranges.css")

    stream = anywidget.WidgetTrait().tag(sync=True)
    part = traitlets.Unicode().tag(sync=True)
    """``"bar"`` or ``"table"``."""
    content = traitlets.Dict().tag(sync=True)
    """What is shown; set by the painter alone."""
    threshold = traitlets.Float(THRESHOLD, min=0.0, max=1.0).tag(sync=True)
    over_time = Choice(list(MEASURES)).tag(sync=True)
    theme = Choice(["auto", "light", "dark"]).tag(sync=True)


class LayerRanges(Pictured, Selecting, ipywidgets.VBox):  # type: ignore[misc]
    """For each layer the ranges of its functions, what makes them so, and how that changes.

    A row for each layer: a dot for each function (of many, evenly by rank), boxes for the
    quartiles of the ranges on the grid and over the inputs seen, dashes for the median at
    the start; curves over the steps; and a table. Clicking a row selects the layer's typical
    function in all views of the stream, clicking a dot its function. For the inputs, call
    ``live.observe(batch)``. While it is open, a step is measured for the sizes of gradient
    and update after each frame, at most ten a second; training does not change. In a
    recording these sizes are not known.

    Parameters
    ----------
    live_or_model
        A binding made by `kan_widgets.bind`, a recording, or a model.
    threshold : float
        R² of the best a·SiLU + c from which a function counts as SiLU-shaped, 0 to 1. The table
        takes it over the inputs seen, and on the grid before there are any; over time it is on
        the grid.
    over_time : {"range", "splines", "silu", "change", "gradient", "update"}
        What the curves over the steps show.
    theme : {"auto", "light", "dark"}
        Follows JupyterLab when "auto".
    layout : ipywidgets.Layout or dict, optional
        CSS of the box.

    Raises
    ------
    TypeError
        For an unknown keyword, or if neither a binding nor a model is given.
    traitlets.TraitError
        If a value is not one of those above.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> _ = torch.manual_seed(0)
    >>> ranges = kw.LayerRanges(kw.nn.KANCNN.article(), threshold=0.9)
    >>> [(row["layer"], round(row["range"], 3)) for row in ranges.table()]
    [('convs.0', 0.161), ('convs.1', 0.224), ('linear', 0.015)]
    """

    def __init__(self, live_or_model: Source | nn.Module, **options: Any) -> None:
        for name in options:
            if name not in _OPTIONS:
                near = difflib.get_close_matches(name, _OPTIONS, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise TypeError(
                    f"LayerRanges takes no keyword {name!r}.{hint} It takes {', '.join(_OPTIONS)}."
                )
        source = _source_for(live_or_model)
        given = {name: options.pop(name) for name in ("layout",) if name in options}
        self._kept = kept(live_or_model)
        self._held = stream_of(source)
        self._source = weakref.ref(source)
        self._starts, self._observations, self._past = Starts(), Observations(), Past()
        self._rows: list[Row] = []
        self.seconds = 0.0
        """What the last refresh cost, in seconds of the painter's thread."""
        self._table = _Page(stream=self._stream, part="table", **options)
        self._bar = _Page(stream=self._stream, part="bar", **options)
        self._painter = Painter(self._draw, fps=_FPS)
        self._figures = RangeFigures(weakly(self._clicked))
        self._plots = ipywidgets.Box([self._figures.ranges, self._figures.times])
        self._body = ipywidgets.Box([self._plots, self._table])
        for box, name in (
            (self._plots, "kw-ranges-plots"),
            (self._body, "kw-ranges-body"),
            (self._figures.ranges, "kw-ranges-now"),
            (self._figures.times, "kw-ranges-times"),
        ):
            box.add_class(name)
        super().__init__([self._bar, self._body], **given)
        self.add_class("kw-layer-ranges")
        if self.layout.width is None:
            self.layout.width = "100%"
        for widget in (self, self._bar, self._table, self._plots, self._body):
            answer_during_cells(widget)
        self._table.on_msg(weakly(self._told))
        self._bar.observe(weakly(self._wake), ["threshold", "over_time"])
        self._updates = _updates_of(source)
        self._listener = _Follower(self)
        source.subscribe(self._listener)
        self._join()
        self._painter.now()

    # -- what it shows ----------------------------------------------------------------

    @property
    def _stream(self) -> Stream:
        return self._held

    @property
    def live(self) -> Source:
        """The binding that this view shows; a later one if that has been replaced.

        Raises
        ------
        RuntimeError
            If it is gone, with its model: the view shows the last frame.
        """
        source = self._source()
        if source is None:
            raise RuntimeError("the model this view showed is gone; bind another for a new view")
        return source

    @property
    def threshold(self) -> float:
        """R² from which a function counts as SiLU-shaped; may be changed."""
        return float(self._bar.threshold)

    @threshold.setter
    def threshold(self, threshold: float) -> None:
        self._bar.threshold = threshold

    @property
    def over_time(self) -> str:
        """What the curves over the steps show; may be changed."""
        return str(self._bar.over_time)

    @over_time.setter
    def over_time(self, over_time: str) -> None:
        self._bar.over_time = over_time

    def table(self) -> list[dict[str, Any]]:
        """Return the numbers of each layer as plain records, as of now or of the time cursor.

        Returns
        -------
        list of dict
            One for each layer; ``None`` stands for what is not known.

            ``layer``, ``type``, ``step``, ``functions``
                Name, class, training step of the frame, number of functions.
            ``constant``, ``not_finite``
                How many of them are constant on the grid, or not finite.
            ``range``, ``range_5``, ``range_25``, ``range_75``, ``range_95``
                Median and percentiles of max φ − min φ on the grid, in units of φ.
            ``observed_range``, ``observed_range_5`` ...
                The same over the inputs of the batch observed last.
            ``range_at_start``
                Median of the range in the first frame, in units of φ.
            ``spline_share``
                Median of splines / (base + splines), each the range of one term, 0 to 1.
            ``outside_grid``, ``outside_support``
                Share of the inputs observed outside the grid and outside the support, 0 to 1.
            ``silu_shaped``, ``threshold``
                Share of the functions that vary whose R² with the best a·SiLU + c on the grid is
                at least ``threshold``, 0 to 1.
            ``base``, ``base_shaped``
                Name of the base term, and the same share for the best a·base + c.
            ``observed_silu_shaped``, ``observed_base_shaped``
                Both over the inputs of the batch observed last, each input counting alike.
            ``change``, ``relative_change``
                Median of the largest |φ − φ at the start| on the grid, in units of φ; and of
                that divided by the range at the start.
            ``gradient_base``, ``gradient_splines``
                Root mean square of ∂loss/∂coefficient over base and over spline coefficients.
            ``update_base``, ``update_splines``, ``update_step``
                Root mean square of what the last step measured added to the coefficients, in
                units of φ, and the number of that step.
        """
        source = self._source()
        if source is None:
            return [record(row, self._bar.content.get("step", 0)) for row in self._rows]
        frame = self._frame(source, source.current())
        rows = self._measure(source, frame)
        return [record(row, frame.step) for row in rows]

    def _frame(self, source: Source, latest: Frame) -> Frame:
        cursor = self._stream.cursor
        return latest if cursor < 0 else source.history.at(cursor)

    def _measure(self, source: Source, frame: Frame) -> list[Row]:
        return measure(
            source, frame, self.threshold, self._starts, self._observations, self._updates
        )

    # -- drawing ----------------------------------------------------------------------

    def _wake(self, _: Any = None) -> None:
        self._painter.wake()

    def stream_changed(self, name: str) -> None:
        """Draw what is selected, at the step that is looked at."""
        super().stream_changed(name)
        if name in ("cursor", "selection"):
            self._wake()

    def _follow(self, source: Source) -> None:
        """Show the binding that has taken the place of the one shown."""
        self._updates = _updates_of(source)
        self._source = weakref.ref(source)
        self._wake()

    def _draw(self) -> None:
        source = self._source()
        if source is None:
            return
        began = time.thread_time()
        frame = self._frame(source, source.frame)
        rows = self._measure(source, frame)
        self._rows = rows
        moments, complete = self._past.moments(
            source, self.threshold, self._starts, _MOMENTS_AT_ONCE
        )
        names = [row.layout.name for row in rows]
        selected = self._selected(names)
        series = [self._updates.series(name) if self._updates else [] for name in names]
        self._figures.draw_ranges(rows, selected)
        self._figures.draw_times(names, moments, series, self.over_time, self._stream.cursor)
        observed = bool(source.observed)
        self._table.content = {
            "heads": heads(seen=any_seen(rows)),
            "rows": [_row(row, any_seen(rows)) for row in rows],
            "row": ROW,
            "head": HEAD,
        }
        self._bar.content = {
            "step": frame.step,
            "verdict": verdict(rows),
            "observed": observed,
            "start": source.history[0].step,
        }
        self.seconds = time.thread_time() - began
        if not complete:
            self._painter.wake()

    def _selected(self, names: list[str]) -> int:
        layer = self._stream.selection.get("layer")
        return names.index(layer) if layer in names else -1

    def _clicked(self, number: int, dot: int | None) -> None:
        """Select what was clicked in a figure. On a thread of its own while a cell runs."""
        source, rows = self._source(), self._rows
        if source is None or not 0 <= number < len(rows):
            return
        row = rows[number]
        if dot is None:
            chosen = source.selection
            if chosen is not None and chosen["layer"] == row.layout.name:
                return
        number = row.typical
        if dot is not None and 0 <= dot < len(row.functions):
            number = row.functions[dot]
        source.set_selection(_function(row, number))
        self._wake()

    def _told(self, _: Any, content: dict[str, Any], __: Any) -> None:
        """Select the next function of a row by its range, as the keyboard asks."""
        source, rows = self._source(), self._rows
        number = content.get("row")
        if source is None or content.get("kind") != "step":
            return
        if not isinstance(number, int) or not 0 <= number < len(rows):
            return
        row, chosen = rows[number], source.selection
        dots = [_function(row, function) for function in row.functions]
        if chosen in dots:
            place = dots.index(chosen) + (1 if content.get("by") == 1 else -1)
        else:
            place = list(row.functions).index(row.typical) if row.typical in row.functions else 0
        self._clicked(number, max(0, min(len(dots) - 1, place)))

    # -- the picture ------------------------------------------------------------------

    def image(
        self,
        *,
        width: int = 900,
        pixel_ratio: float = 2,
        theme: Literal["auto", "light", "dark"] | None = None,
    ) -> Image.Image:
        """Draw rows and table as a picture, without a browser.

        Parameters
        ----------
        width
            CSS pixels, at least 500.
        pixel_ratio
            Picture pixels per CSS pixel, 0.25 to 16.
        theme
            The view's own by default; ``"auto"`` is light.

        Returns
        -------
        PIL.Image.Image
            ``width * pixel_ratio`` pixels wide.

        Raises
        ------
        ValueError
            If an option is none of those.
        """
        chosen = theme or self._bar.theme
        if chosen not in ("auto", "light", "dark"):
            raise ValueError(f"theme={theme!r}: one of 'auto', 'light', 'dark' is taken")
        source, rows, step = self._source(), self._rows, self._bar.content.get("step", 0)
        if source is not None:
            frame = self._frame(source, source.current())
            rows = self._measure(source, frame)
            step = frame.step
        return layer_ranges_still.render(
            rows,
            step=step,
            threshold=self.threshold,
            width=width,
            theme="dark" if chosen == "dark" else "light",
            pixel_ratio=pixel_ratio,
        )

    def _end(self) -> None:
        # Perhaps before all was made.
        if hasattr(self, "_listener"):
            let_go(self._source())
            self._updates = self._kept = None
            self._painter.close()
            parts = [self._bar, self._table, self._plots, self._body, *self._figures.widgets]
            close_parts(parts)


def _updates_of(source: Source) -> Updates | None:
    return updates_of(source) if isinstance(source, Binding) else None


def _function(row: Row, number: int) -> Selection:
    _, inputs, kh, kw = row.layout.shape
    rest, column = divmod(number, kw)
    rest, r = divmod(rest, kh)
    out, in_ = divmod(rest, inputs)
    return {"layer": row.layout.name, "out": out, "in": in_, "row": r, "column": column}


def _row(row: Row, seen: bool) -> dict[str, Any]:
    layer, share = row.layout, row.summary.spline_share
    return {
        "layer": layer.name,
        "title": layer.name or layer.type,
        "type": f"{layer.type}, {layer.count:,} φ",
        "aside": aside(row),
        "typical": dict(_function(row, row.typical)),
        "cells": cells(row, seen=seen),
        "splines": share,
        "base": row.summary.base,
    }


class _Follower(Follower[LayerRanges]):
    """Hears of a source for a view; only wakes its painter."""

    def _wake(self) -> None:
        if (view := self.view) is not None:
            view._wake()

    def on_frame(self, frame: Frame, settled: bool) -> None:
        """Draw it."""
        self._wake()

    def on_state(self, state: State, message: str) -> None:
        """Draw what was measured last."""
        self._wake()

    def on_observed(self, observed: dict[str, Observation]) -> None:
        """Draw the ranges over other inputs."""
        self._wake()

    def on_edit(self, edits: Edits) -> None:
        """Draw what was edited."""
        self._wake()

    def on_replaced(self, source: Source) -> None:
        """Follow the new binding."""
        if (view := self.view) is not None:
            view._follow(source)
