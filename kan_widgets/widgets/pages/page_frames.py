"""What a page keeps of a stream: its frames, packed to compress well, and its observed inputs.

Read by js/src/page/saved.ts. For pages that must be small numbers are rounded, so little that no
eye can tell: the bits that are left out are mostly noise.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ipywidgets.widgets.widget import _remove_buffers

from kan_widgets.arrays import Float32
from kan_widgets.live import Frame
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.thinning import evenly_spaced
from kan_widgets.widgets.wire.messages import (
    activations_dict,
    inputs_within,
    layout_dict,
    observation_dict,
    training_of,
)
from kan_widgets.widgets.wire.stream import Stream


@dataclass
class _Past:
    """The frames of one stream, and those that every page must have."""

    stream: Stream
    frames: list[Frame]
    needed: set[int]

    def thinned(self, share: float) -> list[Frame]:
        """Return the frames needed and about that share of the others, evenly over the frames."""
        if share >= 1:
            return list(self.frames)
        count = len(self.frames)
        nearest = evenly_spaced(range(count), 2 + round(share * (count - 2)))
        return [self.frames[place] for place in sorted({*nearest, *self.needed})]


def past_of(stream: Stream, *, whole: bool = True) -> _Past:
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
        frames = [source.feed.looking.windowed(frame) for frame in frames]
    if not frames:
        raise ValueError("a view has no frame to show yet: save it once there is one")
    if len(frames) > 1 and frames[0] is frames[-1]:
        frames.pop()
    needed = {0, len(frames) - 1}
    for step in (stream.cursor, stream.ghost_step):
        # As in the browser: the last frame taken at or before the step.
        if step >= 0 and (before := [n for n, frame in enumerate(frames) if frame.step <= step]):
            needed.add(before[-1])
    past = _Past(stream, frames, needed)
    return past if whole else _Past(stream, past.thinned(0), needed=set())


def saved(
    stream: Stream, frames: list[Frame], *, network: bool = False, light: bool = False
) -> dict[str, Any]:
    """Return what the page's stand-in for a stream is made from.

    ``network`` tells whether a view of the page draws the network: then the traits have its
    structure and the examples, and ``activations`` are messages as the stream gets them, by rising
    step: for each frame kept the last ones before.
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
    cut = [inputs_within(inputs, frames[-1].layout) for inputs in observed]
    seen = [light_inputs(inputs) if light else inputs for inputs in cut if inputs is not None]
    # What the examples had made of the network at these frames, each once.
    history = source.feed.activations if network and source is not None else None
    taken = [] if history is None else [history.at(frame.step) for frame in frames]
    return {
        "traits": {
            "layouts": [layout_dict(layout) for layout in layouts.values()],
            "selection": dict(stream.selection),
            "held": dict(stream.held),
            "cursor": stream.cursor,
            "ghost_step": stream.ghost_step,
            "summaries": list(stream.summaries),
            "left_out": list(stream.left_out),
            "ensemble": stream.ensemble,
            "status": {"state": "saved", "message": ""},
            "training": stream.training if source is None else training_of(source),
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
        "observed": list(map(observation_dict, seen)),
        "activations": [activations_dict(each) for each in dict.fromkeys(taken) if each],
    }


def folded(frames: list[Frame]) -> bytes:
    """Return the frames in an order that compresses well: see ``unfold`` in js/src/page/saved.ts.

    For each number, as an integer of 32 bits, the difference to the frame before; for each
    frame all lowest bytes, then all second ones, and so on.
    """
    words = np.stack([frame.data for frame in frames]).astype("<f4").view("<u4")
    words[1:] -= words[:-1].copy()
    folded: bytes = words.view(np.uint8).reshape(*words.shape, 4).transpose(0, 2, 1).tobytes()
    return folded


def taken_out(content: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return content as JSON has it, and its bytes; ``bytes`` says where they belong.

    Equal ones are kept once, and numbers that JSON lacks are ``None``.
    """
    plain, paths, buffers = _remove_buffers(content)
    whole, at, places = bytearray(), dict[bytes, int](), []
    for path, data in zip(paths, map(bytes, buffers), strict=True):
        if data not in at:
            at[data] = len(whole)
            whole += data
        places.append((path, at[data], len(data)))
    plain = json.loads(json.dumps(plain), parse_constant=lambda _: None)
    return plain | {"bytes": places}, bytes(whole)


# Steps up to the largest coefficient that a function ever has: rounding is off by half a step,
# less than a pixel where φ is drawn 100 pixels high.
FUNCTION_STEPS = 32
# Steps up to the layer's largest coefficient, at most: a small function is drawn small.
LAYER_STEPS = 256
# Parts of a step in which the last frame is kept: what is read there is good to four digits.
_FINE_STEPS = 254
# Steps up to the largest input of a layer: as many as a picture has shades.
_INPUT_STEPS = 256
_PATCHES = 2000
_NUMBERS = 40_000


def rounded(values: Float32, levels: int) -> Float32:
    """Return numbers rounded to about ``levels`` steps from 0 to the largest; ±∞, NaN stay."""
    finite = np.isfinite(values)
    largest = np.abs(values, where=finite, out=np.zeros_like(values)).max(initial=0)
    if largest == 0:
        return values
    step = np.float32(2.0 ** np.ceil(np.log2(largest / levels)))
    # + 0 turns −0 into 0, whose bits are others and would compress worse.
    return np.where(finite, np.round(values / step) * step + 0, values).astype(np.float32)


def light_run(frames: Sequence[Frame]) -> dict[str, Any] | None:
    """Return frames of one layout in whole steps; ``None`` where a number is not finite.

    Read by ``widen`` in js/src/page/saved.ts: ``counts`` of functions and coefficients of each
    layer; ``sizes`` of the steps, float32, one for each function; ``data``, of each coefficient its
    steps in the first frame, then the differences from frame to frame, int8; ``fine``, what is
    missing in the last frame, in parts of a step, int8; ``beside``, what each frame has after its
    coefficients.
    """
    values = np.stack([frame.data for frame in frames])
    if not np.isfinite(values).all():
        return None
    counts, sizes, steps, fine = [], [], [], []
    for layer in sorted(frames[0].layout.layers, key=lambda layer: layer.offset):
        part = values[:, layer.offset : layer.offset + layer.length]
        part = part.reshape(len(frames), -1, layer.nb).astype(np.float64)
        reach = np.abs(part).max((0, 2), initial=0)
        size = np.maximum(reach / FUNCTION_STEPS, reach.max(initial=0) / LAYER_STEPS)
        size = np.where(size > 0, size, 1).astype(np.float32)
        whole = np.rint(part / size[:, None])
        counts.append([part.shape[1], layer.nb])
        sizes.append(size)
        steps.append(whole.reshape(len(frames), -1))
        fine.append(np.rint((part[-1] / size[:, None] - whole[-1]) * _FINE_STEPS).ravel())
    moved = np.diff(np.concatenate(steps, 1), axis=0, prepend=0)
    return {
        "counts": counts,
        "sizes": np.concatenate(sizes).astype("<f4").tobytes(),
        "data": np.ascontiguousarray(moved.T.astype(np.int16).astype(np.int8)).tobytes(),
        "fine": np.concatenate(fine).astype(np.int8).tobytes(),
        "beside": values[:, frames[0].layout.coefficients :].astype("<f4").tobytes(),
    }


def light_inputs(seen: Observation) -> Observation:
    """Return observed inputs rounded, and at most 2,000 patches or 40,000 numbers, evenly."""
    most = min(_PATCHES, max(1, _NUMBERS * len(seen.patches) // max(1, seen.patches.size)))
    every = -(-len(seen.patches) // most)
    return replace(
        seen,
        patches=rounded(seen.patches[::every], _INPUT_STEPS),
        images=None if seen.images is None else seen.images[::every],
        maps=None if seen.maps is None else rounded(seen.maps, _INPUT_STEPS),
    )
