"""What a stream's traits say of its source at one moment."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kan_widgets.live import Frame, Layout, Source, is_binding
from kan_widgets.live.frames.standing import GOES_ON
from kan_widgets.live.frames.structure import structure_dict
from kan_widgets.live.frames.summary import summary_of
from kan_widgets.widgets.wire import (
    activations_dict,
    frame_dict,
    layout_dict,
    probe_dict,
    summary_dict,
)


def state_of(source: Source) -> dict[str, Any]:
    """Return the traits of a stream that say what a source holds."""
    return {
        **frames_of(source),
        "selection": dict(source.feed.selection or {}),
        "status": {"state": source.state, "message": source.feed.message},
        "training": training_of(source),
        "structure": structure_dict(source.feed.structure),
        "probe": probe_dict(source.feed.probed),
        "activations": activations_dict(source.feed.activations.latest),
        "batch": _batch_of(source),
        "left_out": _left_out_of(source),
    }


def frames_of(source: Source) -> dict[str, Any]:
    """Return the traits of a stream that hold frames, as far as they are looked at."""
    first, latest = (source.feed.looking.seen(frame) for frame in (source.history[0], source.frame))
    layouts = {frame.layout.version: frame.layout for frame in (first, latest)}
    return {
        "layouts": [layout_dict(layout) for layout in layouts.values()],
        "initial": frame_dict(first),
        "frame": frame_dict(latest),
    }


def summaries_of(cut: Layout, frame: Frame, first: Frame) -> list[dict[str, Any]]:
    """Return the summaries of those layers of a whole frame of which a layout has windows.

    Changes are counted from the ``first`` frame on.
    """
    windows = [layer.name for layer in cut.layers if layer.window is not None]
    return [summary_dict(summary_of(frame, frame.layout.layer(name), first)) for name in windows]


def training_of(source: Source) -> dict[str, Any]:
    """Return how the run stands; ``beats`` where the page hears so every few seconds."""
    standing = source.feed.standing
    return {**asdict(standing), "beats": standing.state in GOES_ON}


def _batch_of(source: Source) -> dict[str, Any]:
    seen = is_binding(source) and source.feed.is_open and source.feed.training.batch_seen
    return {"seen": seen, "message": ""}


def _left_out_of(source: Source) -> list[str]:
    model = source.model if is_binding(source) else None
    if model is None:
        return []
    from kan_widgets.functions import survey

    return [str(entry) for entry in survey(model)[1]]
