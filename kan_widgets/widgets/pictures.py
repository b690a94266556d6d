"""What the browser's drawing code is told for one picture: a view's traits, frames, a size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kan_widgets.live import Frame, Source
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.structure import structure_dict
from kan_widgets.widgets.wire import (
    activations_dict,
    frame_dict,
    layout_dict,
    observation_message,
    probe_dict,
)


def asked(
    kind: str,
    traits: Mapping[str, Any],
    frames: Sequence[Frame],
    *,
    observed: Sequence[Observation] = (),
    selection: Mapping[str, Any] | None = None,
    network: Mapping[str, Any] | None = None,
    summaries: Sequence[Mapping[str, Any]] = (),
    training: Mapping[str, Any] | None = None,
    width: float,
    height: float,
    most: float,
    theme: str,
    pixel_ratio: float,
) -> dict[str, Any]:
    """Return what ``engine.drawn`` takes for one picture.

    Parameters
    ----------
    kind
        The view's name in ``js/src/views/registry.ts``.
    traits
        Of the view, as the page would get them.
    frames
        The first of the run and the one to draw.
    observed
        Inputs that were seen, by layer.
    selection
        As in ``Source.selection``.
    network
        What `network_of` returns, for a view that draws it.
    summaries
        Of the layers of which the frames have windows, as `summary_dict` returns them.
    training
        How the run stands, as `training_of` returns it.
    width, height
        CSS pixels; the height is for a drawing that can choose.
    most
        CSS pixels that the picture is high at most; more is cut.
    theme
        Dark if "dark".
    pixel_ratio
        Picture pixels per CSS pixel.
    """
    first, frame = frames
    layouts = {each.layout.version: each.layout for each in frames}
    messages = [observation_message(seen) for seen in observed]
    return {
        "kind": kind,
        "traits": dict(traits),
        "stream": {
            "layouts": [layout_dict(layout) for layout in layouts.values()],
            "initial": frame_dict(first),
            # Once where it is the first, which takes half the time.
            "frame": {} if _same(first, frame) else frame_dict(frame),
            "selection": dict(selection or {}),
            "summaries": list(summaries),
            "cursor": -1,
            "ghost_step": -1,
            "edits": {"undo": 0, "redo": 0, "message": ""},
            "status": {"state": "idle", "message": ""},
            "training": dict(training or {}),
            **(network or {}),
        },
        "messages": [{"content": content, "buffers": buffers} for content, buffers in messages],
        "width": width,
        "height": height,
        "most": most,
        "theme": "dark" if theme == "dark" else "light",
        "ratio": pixel_ratio,
    }


def network_of(source: Source, frame: Frame) -> dict[str, Any]:
    """Return a stream's traits of the network, for a picture of one frame."""
    return {
        "structure": structure_dict(source.feed.structure),
        "probe": probe_dict(source.feed.probed),
        "activations": activations_dict(source.feed.activations.at(frame.step)),
    }


def _same(first: Frame, frame: Frame) -> bool:
    return (
        first.step == frame.step
        and first.layout.version == frame.layout.version
        and first.data.tobytes() == frame.data.tobytes()
    )
