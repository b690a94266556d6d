"""What crosses to the browser: frames, layouts, inputs seen, and how a source stands."""

import math
from collections.abc import Collection, Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live import Frame, Layout, Replay, Source, is_binding
from kan_widgets.live.frames.activations import Activations, Probe, packed
from kan_widgets.live.frames.large_layers import Summary, summary_of
from kan_widgets.live.frames.layout import layer_dict
from kan_widgets.live.frames.observation import ARRAYS, Observation, picture_of_rows
from kan_widgets.live.frames.progress import OPEN_STATES
from kan_widgets.live.frames.scalars import diverged_since, loss_of
from kan_widgets.live.frames.structure import structure_dict
from kan_widgets.live.frames.thinning import fitting

PROTOCOL = 2


def float32(values: Any) -> bytes:
    """Return numbers as the browser reads them, little-endian; what is too large is infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(values, dtype="<f4").tobytes()


def ensemble_dict(ensemble: Any) -> dict[str, Any]:
    """Return count, and by layer x (in, P), low, middle and high (out, in, kh·kw, P), or {}."""
    layers = {}
    for name in () if ensemble is None else ensemble.layers:
        x, low, middle, high = ensemble.around(name)
        numbers = {"x": x[0, :, 0], "low": low, "middle": middle, "high": high}
        numbers |= {"alive": ensemble.alive(name), "sizes": np.abs([low, high]).max((0, -1))}
        layers[name] = {part: float32(values) for part, values in numbers.items()}
    return {"ensemble": {"count": len(ensemble), "layers": layers}} if layers else {}


def array_dict(array: NDArray[Any]) -> dict[str, Any]:
    """Return an array as the browser reads it from a trait."""
    return {"shape": list(array.shape), "data": float32(array)}


def finite(value: Any) -> Any:
    """Return a value as JSON has it: ``None`` for a number that is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def frame_dict(frame: Frame) -> dict[str, Any]:
    """Return a frame as the browser reads it."""
    return {"layout": frame.layout.version, "step": frame.step, "data": _bytes_of(frame.data)}


def layout_dict(layout: Layout) -> dict[str, Any]:
    """Return a layout as the browser reads it."""
    layers = []
    for layer in layout.layers:
        tables = [
            {
                "x": _bytes_of(table.x),
                "values": _bytes_of(table.values),
                "domain": list(table.domain),
                "extent": list(table.extent),
                "knots": list(table.knots),
            }
            for table in layer.tables
        ]
        table_of = None if layer.table_of is None else _bytes_of(layer.table_of)
        layers.append(layer_dict(layer, tables, table_of))
    return {
        "protocol": PROTOCOL,
        "version": layout.version,
        "layers": layers,
        "beside": [vector._asdict() for vector in layout.beside],
    }


def observation_dict(seen: Observation) -> dict[str, Any]:
    """Return one layer's inputs as the browser reads them."""
    arrays = {name: getattr(seen, name) for name in ARRAYS}
    present = {name: array for name, array in arrays.items() if array is not None}
    return {
        "kind": "observed",
        "layer": seen.layer,
        "samples": seen.samples,
        "step": seen.step,
        "is_image": seen.is_image,
        "fold": None if seen.fold is None else list(seen.fold),
        "shapes": {name: list(array.shape) for name, array in present.items()},
        "arrays": {name: _bytes_of(np.ascontiguousarray(part)) for name, part in present.items()},
    }


def inputs_within(seen: Observation, layout: Layout) -> Observation | None:
    """Return the inputs of those functions that a layout has; None of convolutions in groups."""
    layer = next((part for part in layout.layers if part.name == seen.layer), None)
    if layer is None or layer.window is None:
        return seen
    size = layer.shape[2] * layer.shape[3]
    if len(seen.counts) != layer.window.whole[1] * size:
        return None
    columns = layer.part[1]
    entries = slice(columns.start * size, columns.stop * size)
    maps = None if seen.maps is None else seen.maps[:, columns]
    return replace(
        seen,
        counts=seen.counts[entries],
        outside_domain=seen.outside_domain[entries],
        outside_extent=seen.outside_extent[entries],
        patches=seen.patches[:, entries],
        maps=maps,
        fold=None,
    )


def _summary_dict(summary: Summary) -> dict[str, Any]:
    """Return a summary as the browser reads it from a trait."""
    return {
        "layer": summary.layer,
        "step": summary.step,
        "shape": list(summary.reach.shape),
        "block": list(summary.block),
        "every": summary.every,
        "broken": summary.broken,
        "reach": float32(summary.reach),
    }


def probe_dict(probe: Probe | None) -> dict[str, Any]:
    """Return the examples as the browser reads them from a trait; empty where there are none."""
    if probe is None:
        return {}
    labels = None if probe.labels is None else list(probe.labels)
    picture = picture_of_rows(probe.inputs) if probe.inputs.ndim == 2 else None
    return {
        "shape": list(probe.inputs.shape if picture is None else (len(probe.inputs), *picture)),
        "inputs": float32(probe.inputs),
        "labels": labels,
    }


def activations_dict(activations: Activations | None) -> dict[str, Any]:
    """Return activations as the browser reads them: in bytes first the values, then extras."""
    if activations is None:
        return {}
    content, values, extras = packed(activations)
    return {"kind": "activations", **content, "data": values.tobytes() + extras.tobytes()}


def _bytes_of(array: NDArray[Any]) -> memoryview:
    """Return the array's memory, which the caller must no longer change."""
    # Memory without a byte cannot be cast.
    return array.data.cast("B") if array.size else memoryview(b"")


def history_messages(
    source: Source, end: float, most_bytes: int, versions: Collection[int]
) -> Iterator[dict[str, Any]]:
    """Yield the frames before a step, thinned to some bytes, after layouts not in ``versions``."""
    looking = source.feed.looking
    now = looking.cut(source.feed.layout)
    by_step = {frame.step: looking.windowed(frame) for frame in source.history if frame.step < end}
    for frame in source.feed.glimpses or ():
        if frame.layout is now and frame.step < end:
            by_step.setdefault(frame.step, frame)
    steps = sorted(by_step)
    if not steps:
        return
    kept, _ = fitting(
        steps, lambda places: sum(by_step[steps[place]].nbytes for place in places) <= most_bytes
    )
    frames = [by_step[steps[place]] for place in kept]
    for layout in {frame.layout.version: frame.layout for frame in frames}.values():
        if layout.version not in versions:
            yield {"kind": "layout", "layout": layout_dict(layout)}
    yield {"kind": "history", "frames": list(map(frame_dict, frames))}


def state_of(source: Source) -> dict[str, Any]:
    """Return the traits of a stream that say what a source holds."""
    seen = is_binding(source) and source.feed.is_open and source.feed.training.batch_seen
    return {
        **frames_of(source),
        "selection": dict(source.feed.selection or {}),
        "status": {"state": source.state, "message": source.feed.message},
        "training": training_of(source),
        "structure": structure_dict(source.feed.structure),
        "probe": probe_dict(source.feed.probed),
        "activations": activations_dict(source.feed.activations.latest),
        "batch": {"seen": seen, "message": ""},
        "left_out": _left_out_of(source),
    }


def frames_of(source: Source) -> dict[str, Any]:
    """Return the traits of a stream that hold frames, as far as they are looked at."""
    first, latest = map(source.feed.looking.windowed, (source.history[0], source.frame))
    layouts = {frame.layout.version: frame.layout for frame in (first, latest)}
    return {
        "layouts": [layout_dict(layout) for layout in layouts.values()],
        "initial": frame_dict(first),
        "frame": frame_dict(latest),
    }


def summaries_of(cut: Layout, frame: Frame) -> list[dict[str, Any]]:
    """Return the summaries of those layers of a whole frame of which a layout has windows."""
    windows = [layer.name for layer in cut.layers if layer.window is not None]
    return [_summary_dict(summary_of(frame, frame.layout.layer(name))) for name in windows]


# At most so many marks go to a page: they are ticks of a timeline.
_MARKS = 100
# The states of a diverged run: what it looks like is said beside them.
_DIVERGED = dict.fromkeys(("idle", "still"), "diverged") | {n: n for n in ("running", "finished")}


def training_of(source: Source) -> dict[str, Any]:
    """Return how the run stands; ``beats`` where the page hears so every few seconds.

    ``loss`` are name, latest value and step of the loss, where one was logged, ``marks`` the steps
    that were marked, and their texts; ``model`` is the class of the model.
    """
    standing, model = source.feed.standing, source.feed.model_class
    run = {**asdict(standing), "beats": standing.state in OPEN_STATES, "model": model}
    if not (is_binding(source) or isinstance(source, Replay)):
        return run
    run["marks"] = [[mark.step, mark.text] for mark in source.scalars.marks[-_MARKS:]]
    if name := loss_of(source.scalars.names):
        steps, losses = source.scalars.series(name)
        run["loss"] = [name, repr(float(losses[-1])), int(steps[-1])]
        since = diverged_since(source.scalars)
        if since is not None and (state := _DIVERGED.get(standing.state)):
            run |= {"state": state, "look": "diverged", "words": f"diverged since step {since:,}"}
            run["diverged"] = since
    return run


def _left_out_of(source: Source) -> list[str]:
    model = source.model if is_binding(source) else None
    if model is None:
        return []
    from kan_widgets.functions import survey

    return [str(entry) for entry in survey(model)[1]]
