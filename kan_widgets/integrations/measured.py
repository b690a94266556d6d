"""What trackers are sent of a run: numbers and pictures of a frame's layers, a page of it all."""

from __future__ import annotations

from typing import Any

import numpy as np

from kan_widgets.insight.ranges import function_ranges
from kan_widgets.live import Binding, Frame
from kan_widgets.live.frames.frame import sliced
from kan_widgets.widgets.dashboard import Dashboard
from kan_widgets.widgets.engine import asked, drawn
from kan_widgets.widgets.kernel_grid import KernelGrid
from kan_widgets.widgets.page import page_of
from kan_widgets.widgets.rasters import image_of
from kan_widgets.widgets.wire import seen_inputs, summaries_of

_WIDTH, _MOST = 900, 900  # CSS pixels
_RATIO = 1.0
# Of a larger layer so many functions are measured, evenly spread.
_MOST_FUNCTIONS = 20_000


def numbers_of(live: Binding, frame: Frame) -> dict[str, float]:
    """Return numbers of each layer, by names such as ``"conv1/reach"``; see ``live.send_to``."""
    found: dict[str, float] = {}
    observed = live.observed
    for layer in frame.layout.layers:
        rows = frame.coefficients(layer.name).reshape(layer.count, layer.nb)
        if layer.table_of is None and layer.count > _MOST_FUNCTIONS:
            rows = rows[:: -(-layer.count // _MOST_FUNCTIONS)]
        ranges = function_ranges(layer, rows)
        finite = ranges.range[~ranges.broken]
        of_layer = {"broken": float(ranges.broken.sum()) * layer.count / len(rows)}
        if len(finite):
            of_layer["reach"] = float(np.median(finite))
            of_layer["furthest"] = float(finite.max())
            of_layer["constant"] = float(ranges.constant[~ranges.broken].mean())
        if (seen := observed.get(layer.name)) is not None and len(seen.outside_domain):
            of_layer["outside"] = float(np.mean(seen.outside_domain))
        found |= {f"{layer.name}/{name}": value for name, value in of_layer.items()}
    return found


def picture_of(live: Binding, frame: Frame, layer: str) -> Any:
    """Return a picture of one layer as `KernelGrid` draws it, without making a widget."""
    options: dict[str, Any] = {
        name: trait.default()
        for name, trait in KernelGrid.class_traits().items()
        if trait.metadata.get("option") and name not in ("layer", "theme")
    }
    first = live.history[0] if live.history[0].layout is frame.layout else frame
    frames = [sliced(live.looking.pictured(one, [layer]), [layer]) for one in (first, frame)]
    cut = frames[-1].layout
    seen = live.observed.get(layer)
    inputs = seen_inputs(seen, cut) if seen is not None else None
    svg = drawn(
        [
            asked(
                KernelGrid._kind,
                {**options, "layer": layer, "scores": {}, "linked": []},
                frames,
                observed=[inputs] if inputs is not None else [],
                summaries=summaries_of(cut, frame, first),
                width=_WIDTH,
                height=options["height"],
                most=_MOST,
                theme="light",
                pixel_ratio=_RATIO,
            )
        ]
    )
    return image_of(svg, _RATIO)


def page_of_run(live: Binding) -> bytes:
    """Return an HTML file in which all of the history can be looked at."""
    views = Dashboard(live)
    try:
        return page_of(views, title="")
    finally:
        views.close()
