"""LayerRanges: how far the functions of each layer reach, why, and how that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import traitlets

from kan_widgets.insight.summary import THRESHOLD
from kan_widgets.live import Frame, Source, is_binding
from kan_widgets.widgets.numbers.layer_numbers import LayerNumbers, Row, is_old, past
from kan_widgets.widgets.shell.options import option
from kan_widgets.widgets.shell.view import ModelView

if TYPE_CHECKING:
    from kan_widgets.live.watching.updates import Updates

_FPS = 3.0
# Frames of the past that are measured with the one drawn: while it trains the budget is small.
_MOMENTS_AT_ONCE = {True: 1, False: 16}


class LayerRanges(ModelView):
    """For each layer the ranges of its functions, what makes them so, and how that changes.

    A row for each layer, of more than 100,000 functions for a part of them chosen at random (the
    words say so): a dot for each function (of many, evenly by rank), a box for the
    quartiles of the ranges; curves over the steps, on the grid; and the numbers. Headline, dots
    and box are of one state of the model: over the inputs that were seen at the step drawn
    (``live.observe(batch)``, or the button that observes the last batch), else on the grid.
    Clicking a row
    selects the layer's typical function in all views of the stream, clicking a dot its
    function. While it is open, a step is
    measured for the sizes of gradient and update after each frame, at most ten a second;
    training does not change. In a recording these sizes are not known.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> _ = torch.manual_seed(0)
    >>> ranges = kw.LayerRanges(kw.nn.KANCNN.article())
    >>> [(row["layer"], round(row["range"], 3)) for row in ranges.table()]
    [('convs.0', 0.161), ('convs.1', 0.224), ('linear', 0.015)]
    """

    _kind = "layer_ranges"
    _draws_layers = False
    _is_wide = True

    content = traitlets.Dict().tag(sync=True)
    """The numbers of all layers: see js/src/views/layer_ranges/content.ts. Set by the draw job."""
    past = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    """Their development over time: see `layer_numbers.past`. Set by the draw job alone."""
    over_time: Literal["range", "splines", "silu", "change", "gradient", "update"] = option(
        "What the curves over the steps show.", default="range"
    )
    height: int = option(
        "Pixels of the drawing at most, at least 160; more rows scroll, their head stays.",
        default=560,
        min=160,
    )

    def _take(self, values: dict[str, Any]) -> None:
        self._measures = LayerNumbers()
        self._rows: list[Row] = []
        self._updates: Updates | None = None
        self._observed: Frame | None = None
        self._draw_job = self._throttled_job(self._draw, fps=_FPS, weight=2)

    def _begin(self) -> None:
        self._updates = _updates_of(self.live)
        news = dict.fromkeys(("on_frame", "on_state", "on_observed", "on_edit"), self._wake)
        self._listen(**news, on_replaced=self._change_source)
        self._draw_job.now()

    def table(self) -> list[dict[str, Any]]:
        """Return the numbers of each layer as plain records, as of now or of the time cursor.

        Returns
        -------
        list of dict
            One for each layer; ``None`` stands for what is not known.

            ``layer``, ``type``, ``step``, ``functions``
                Name, class, training step of the frame, number of functions.
            ``observed_step``
                Steps made before the batch observed last. Where they are others than ``step``,
                what is said of inputs is of the functions now and of inputs of another model.
            ``measured``
                How many of them all other numbers are of: of more than 100,000 those between some
                inputs and some outputs, chosen at random and the same in every frame.
            ``constant``, ``not_finite``
                How many of those measured are constant on the grid, or not finite.
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
        source = self._stream.source
        if source is None:
            return [row.as_dict() for row in self._rows]
        frame = self._frame(source, source.feed.current())
        return [row.as_dict() for row in self._measures.rows(source, frame, self._updates)]

    def _frame(self, source: Source, latest: Frame) -> Frame:
        return latest if self._stream.cursor < 0 else source.history.at(self._stream.cursor)

    def _records(
        self, source: Source, frame: Frame, most: int = 1_000_000
    ) -> tuple[list[Row], dict[str, Any], bool]:
        """Return the rows of a frame, the traits that hold them, and whether all is computed."""
        seen, old = list(source.feed.observed.values()), is_old(source, frame)  # may change soon
        rows = self._measures.rows(source, frame, self._updates)
        content = {
            "step": frame.step,
            "threshold": THRESHOLD,
            "observed": bool(seen),
            "observed_step": seen[0].step if seen else None,
            "old": old,
            "rows": list(map(self._wire, rows)),
        }
        names = frame.layout.names
        moments, complete = self._measures.moments(source, most)
        series = [self._updates.series(name) if self._updates else [] for name in names]
        return rows, {"content": content, "past": past(names, moments, series)}, complete

    def _wire(self, row: Row) -> dict[str, Any]:
        wire, networks = row.wire(), self._ensemble
        own = wire["numbers"]["observed_range" if row.over_inputs else "range"]
        if networks is not None and row.layout.name in networks.layers and own is not None:
            medians = np.median(np.ptp(networks.values[row.layout.name], axis=-1), axis=(1, 2, 3))
            ends = np.sort(own * medians / medians[networks.typical])[[0, -1]]
            wire["numbers"]["spread"] = "{:.3g} to {:.3g}".format(*ends)
        return wire

    def _change_source(self, source: Source) -> None:
        """Show the binding that has taken the place of the one shown."""
        self._updates = _updates_of(source)
        self._wake()

    def stream_changed(self, name: str) -> None:
        """Draw the step that is looked at."""
        super().stream_changed(name)
        if name == "cursor":
            self._wake()

    def _bring_up_to_date(self) -> None:
        source = self._stream.source
        if source is not None:
            source.feed.current()
            self._measures.moments(source)
            self._draw_job.now()

    def _draw(self) -> None:
        source = self._stream.source
        if source is None:
            return
        frame = self._frame(source, self._observed_frame(source) or source.frame)
        most = _MOMENTS_AT_ONCE[source.state == "live"]
        self._rows, shown, complete = self._records(source, frame, most)
        with self.hold_sync():
            self.content, self.past = shown["content"], shown["past"]
        if not complete:
            self._draw_job.wake()

    def _observed_frame(self, source: Source) -> Frame | None:
        """Return the frame of the inputs observed last, where they will be observed again.

        Until then it is drawn: inputs and functions are of one state, which is drawn on one way.
        """
        seen = next(iter(source.feed.observed.values()), None)
        if seen is None or seen.step is None or not source.feed.observes_again:
            return None
        frames = (source.history.at(seen.step), self._observed)  # may be thinned out by now
        self._observed = next((one for one in frames if one and one.step == seen.step), None)
        return self._observed

    def _picture_options(self, options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        source = self._stream.source
        if source is None:
            return options
        _, frame = self._stream.frames()
        if frame.step == self.content["step"]:
            return options
        return options | self._records(source, frame)[1]

    def _end(self) -> None:
        self._updates = self._observed = None
        super()._end()


def _updates_of(source: Source) -> Updates | None:
    if not is_binding(source):
        return None
    from kan_widgets.live.watching.updates import updates_of

    return updates_of(source)
