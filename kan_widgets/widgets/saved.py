"""What a page keeps of a stream: its frames, packed to compress well, and its observed inputs.

Read by js/src/page/saved.ts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_widgets.live import Frame
from kan_widgets.live.frames.activations import Activations
from kan_widgets.live.frames.history import spread
from kan_widgets.widgets.light import light_inputs, light_run
from kan_widgets.widgets.stream import Stream
from kan_widgets.widgets.wire import (
    activations_message,
    layout_dict,
    observation_message,
    seen_inputs,
    training_of,
)


@dataclass
class Past:
    """The frames of one stream, and those that every page must have."""

    stream: Stream
    frames: list[Frame]
    needed: set[int]

    def thinned(self, share: float) -> list[Frame]:
        """Return those needed and about that share of the others, evenly over the steps."""
        if share >= 1:
            return list(self.frames)
        steps = [frame.step for frame in self.frames]
        nearest = spread(steps, 2 + round(share * (len(steps) - 2)))
        return [self.frames[place] for place in sorted({*nearest, *self.needed})]


def past_of(stream: Stream, *, whole: bool = True) -> Past:
    """Return all frames that a stream has, or if not ``whole`` those alone that it must have.

    Raises
    ------
    ValueError
        If it has none yet.
    """
    first, latest = stream.frames()
    source = stream.source
    frames = [first, latest] if source is None else list(source.history)
    if source is not None:
        frames = [source.feed.looking.seen(frame) for frame in frames]
    if not frames:
        raise ValueError("a view has no frame to show yet: save it once there is one")
    if len(frames) > 1 and frames[0] is frames[-1]:
        frames.pop()
    needed = {0, len(frames) - 1}
    for step in (stream.cursor, stream.ghost_step):
        # As in the browser: the last frame taken at or before the step.
        if step >= 0 and (before := [n for n, frame in enumerate(frames) if frame.step <= step]):
            needed.add(before[-1])
    past = Past(stream, frames, needed)
    return past if whole else Past(stream, past.thinned(0), needed=set())


def saved(
    stream: Stream, frames: list[Frame], *, network: bool = False, light: bool = False
) -> dict[str, Any]:
    """Return what the page's stand-in for a stream is made from.

    ``network`` tells whether a view of the page draws the network: then the traits have its
    structure and the examples, and ``activations`` are messages as the stream gets them,
    ``{"content", "buffers"}``, by rising step: for each frame kept the last ones before.
    ``light`` tells whether numbers are rounded so that they take less room.
    """
    runs: list[list[Frame]] = []
    for frame in frames:
        if runs and runs[-1][0].layout is frame.layout:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    layouts = {frame.layout.version: frame.layout for frame in frames}
    source = stream.source
    observed = [] if source is None else source.feed.observed.values()
    cut = [seen_inputs(one, frames[-1].layout) for one in observed]
    seen = [light_inputs(one) if light else one for one in cut if one is not None]
    messages = [observation_message(one) for one in seen]
    taken = _taken(stream, frames) if network else []
    return {
        "traits": {
            "layouts": [layout_dict(layout) for layout in layouts.values()],
            "selection": dict(stream.selection),
            "cursor": stream.cursor,
            "ghost_step": stream.ghost_step,
            "summaries": list(stream.summaries),
            "left_out": list(stream.left_out),
            "status": {"state": "saved", "message": ""},
            "training": stream.training if source is None else training_of(source),
            "edits": {"undo": 0, "redo": 0, "message": ""},
            **({"structure": stream.structure, "probe": stream.probe} if network else {}),
        },
        "runs": [
            {
                "layout": run[0].layout.version,
                "steps": [frame.step for frame in run],
                **((light_run(run) if light else None) or {"data": folded(run)}),
            }
            for run in runs
        ],
        "observed": [{"content": content, "buffers": arrays} for content, arrays in messages],
        "activations": [
            {"content": content, "buffers": arrays}
            for content, arrays in map(activations_message, taken)
        ],
    }


def _taken(stream: Stream, frames: list[Frame]) -> list[Activations]:
    """Return what the examples had made of the network at some frames, each once."""
    history = None if stream.source is None else stream.source.feed.activations
    found = [] if history is None else [history.at(frame.step) for frame in frames]
    return list({id(each): each for each in found if each is not None}.values())


def folded(frames: list[Frame]) -> bytes:
    """Return the frames in an order that compresses well: see ``unfold`` in js/src/page/saved.ts.

    Of each number, as an integer of 32 bits, the difference to the frame before; of each
    frame all lowest bytes, then all second ones, and so on.
    """
    words = np.stack([frame.data for frame in frames]).astype("<f4").view("<u4")
    words[1:] -= words[:-1].copy()
    folded: bytes = words.view(np.uint8).reshape(*words.shape, 4).transpose(0, 2, 1).tobytes()
    return folded


class Bytes:
    """Bytes taken out of what else is JSON, and where each belong; equal ones are kept once."""

    def __init__(self) -> None:
        self.whole = bytearray()
        self.places: list[tuple[tuple[str | int, ...], int, int]] = []
        self._at: dict[bytes, int] = {}

    def out_of(self, value: Any, path: tuple[str | int, ...] = ()) -> Any:
        """Return a copy of ``value`` with ``None`` for bytes, and for numbers JSON lacks."""
        if isinstance(value, dict):
            return {name: self.out_of(inside, (*path, name)) for name, inside in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.out_of(inside, (*path, n)) for n, inside in enumerate(value)]
        if isinstance(value, float) and not math.isfinite(value):
            return None
        if isinstance(value, (bytes, bytearray, memoryview)):
            data = bytes(value)
            if data not in self._at:
                self._at[data] = len(self.whole)
                self.whole += data
            self.places.append((path, self._at[data], len(data)))
            return None
        return value
