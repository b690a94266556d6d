"""What crosses to the browser: frames, layouts, observed inputs, and how a source stands."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live import Frame, Layout, Replay, Source, is_binding
from kan_widgets.live.frames.activations import Activations, Probe, packed
from kan_widgets.live.frames.history import fitting
from kan_widgets.live.frames.layout import layer_dict
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.progress import GOES_ON
from kan_widgets.live.frames.scalars import Scalars, belongs_to
from kan_widgets.live.frames.structure import structure_dict
from kan_widgets.live.frames.summary import Summary, summary_of

PROTOCOL = 1


def float32(values: Any) -> bytes:
    """Return numbers as the browser reads them, little-endian; what is too large is infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(values, dtype="<f4").tobytes()


def finite(value: Any) -> Any:
    """Return a value as JSON has it: ``None`` for a number that is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def frame_dict(frame: Frame) -> dict[str, Any]:
    """Return a frame as the browser reads it from a trait."""
    return {"layout": frame.layout.version, "step": frame.step, "data": frame.data.tobytes()}


def layout_dict(layout: Layout) -> dict[str, Any]:
    """Return a layout as the browser reads it from a trait, tables inside."""
    numbers, buffers = layout_message(layout)
    for layer in numbers["layers"]:
        for table in layer["tables"]:
            table["x"] = bytes(buffers[table["x"]])
            table["values"] = bytes(buffers[table["values"]])
        if layer["table_of"] is not None:
            layer["table_of"] = bytes(buffers[layer["table_of"]])
    return numbers


def observation_message(seen: Observation) -> tuple[dict[str, Any], list[memoryview]]:
    """Return one layer's inputs as the browser reads them."""
    arrays = {
        "edges": seen.edges,
        "counts": seen.counts,
        "outside_domain": seen.outside_domain,
        "outside_extent": seen.outside_extent,
        "patches": seen.patches,
        "maps": seen.maps,
    }
    present = {name: array for name, array in arrays.items() if array is not None}
    content = {
        "kind": "observed",
        "layer": seen.layer,
        "samples": seen.samples,
        "step": seen.step,
        "is_image": seen.is_image,
        "fold": None if seen.fold is None else list(seen.fold),
        "shapes": {name: list(array.shape) for name, array in present.items()},
        "arrays": {name: number for number, name in enumerate(present)},
    }
    return content, [memory_of(np.ascontiguousarray(array)) for array in present.values()]


def seen_inputs(seen: Observation, layout: Layout) -> Observation | None:
    """Return the inputs of those functions of a layer that a layout has.

    ``None`` where it has a window of a layer in which these cannot be told: a convolution in
    groups.
    """
    layer = next((one for one in layout.layers if one.name == seen.layer), None)
    if layer is None or layer.window is None:
        return seen
    size = layer.shape[2] * layer.shape[3]
    if len(seen.counts) != layer.window.whole[1] * size:
        return None
    columns = layer.part[1]
    here = slice(columns.start * size, columns.stop * size)
    return replace(
        seen,
        counts=seen.counts[here],
        outside_domain=seen.outside_domain[here],
        outside_extent=seen.outside_extent[here],
        patches=seen.patches[:, here],
        maps=None if seen.maps is None else seen.maps[:, columns],
        fold=None,
    )


def summary_dict(summary: Summary) -> dict[str, Any]:
    """Return a summary as the browser reads it from a trait."""
    return {
        "layer": summary.layer,
        "step": summary.step,
        "shape": list(summary.reach.shape),
        "block": list(summary.block),
        "every": summary.every,
        "broken": summary.broken,
        "reach": float32(summary.reach),
        "change": None if summary.change is None else float32(summary.change),
        "since": summary.since,
    }


def probe_dict(probe: Probe | None) -> dict[str, Any]:
    """Return the examples as the browser reads them from a trait; empty where there are none."""
    if probe is None:
        return {}
    labels = None if probe.labels is None else list(probe.labels)
    return {
        "shape": list(probe.inputs.shape),
        "inputs": float32(probe.inputs),
        "labels": labels,
    }


def activations_message(activations: Activations) -> tuple[dict[str, Any], list[memoryview]]:
    """Return activations as the browser reads them: all values in one buffer, all extras in one."""
    content, values, extras = packed(activations)
    return {"kind": "activations", **content}, [memory_of(values), memory_of(extras)]


def activations_dict(activations: Activations | None) -> dict[str, Any]:
    """Return activations as the browser reads them from a trait: values, then extras."""
    if activations is None:
        return {}
    content, (values, extras) = activations_message(activations)
    return {**content, "data": bytes(values) + bytes(extras)}


def memory_of(array: NDArray[Any]) -> memoryview:
    """Return the array's memory, which the caller must no longer change."""
    # Memory without a byte cannot be cast.
    return array.data.cast("B") if array.size else memoryview(b"")


def layout_message(layout: Layout) -> tuple[dict[str, Any], list[memoryview]]:
    """Return a layout with its tables as numbers into the list of buffers beside it."""
    buffers: list[memoryview] = []
    seen: dict[int, int] = {}

    def number(array: Any) -> int:
        if id(array) not in seen:
            seen[id(array)] = len(buffers)
            buffers.append(memory_of(array))
        return seen[id(array)]

    layers = []
    for layer in layout.layers:
        tables = [
            {
                "x": number(table.x),
                "values": number(table.values),
                "domain": list(table.domain),
                "extent": list(table.extent),
                "knots": list(table.knots),
            }
            for table in layer.tables
        ]
        table_of = None if layer.table_of is None else number(layer.table_of)
        layers.append(layer_dict(layer, tables, table_of))
    content = {"protocol": PROTOCOL, "version": layout.version, "layers": layers}
    return content | {"beside": [one._asdict() for one in layout.beside]}, buffers


def history_messages(
    source: Source, end: float, most_bytes: int, known: Collection[int]
) -> Iterator[tuple[dict[str, Any], list[memoryview]]]:
    """Yield the frames before a step, thinned to so many bytes, after the layouts not ``known``."""
    looking = source.feed.looking
    now = looking.cut(source.feed.layout)
    seen = {frame.step: looking.seen(frame) for frame in source.history if frame.step < end}
    for frame in source.feed.glimpses or ():
        if frame.layout is now and frame.step < end:
            seen.setdefault(frame.step, frame)
    steps = sorted(seen)
    if not steps:
        return
    kept, _ = fitting(
        steps, lambda places: sum(seen[steps[place]].nbytes for place in places) <= most_bytes
    )
    frames = [seen[steps[place]] for place in kept]
    for layout in {frame.layout.version: frame.layout for frame in frames}.values():
        if layout.version not in known:
            numbers, buffers = layout_message(layout)
            yield {"kind": "layout", "layout": numbers}, buffers
    told = [{"layout": frame.layout.version, "step": frame.step} for frame in frames]
    yield {"kind": "history", "frames": told}, [memory_of(frame.data) for frame in frames]


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


def headline_of(source: Source | None, before: dict[str, Any]) -> dict[str, str]:
    """Return the headline of a dashboard: see js/src/views/dashboard/scene.ts.

    Parameters
    ----------
    source
        What is shown; ``None`` where the model is gone.
    before
        What was returned before.
    """
    if source is None:
        return before
    said = {"model": model_name(source) or before.get("model", ""), "loss": "", "value": ""}
    if is_binding(source) or isinstance(source, Replay):
        if name := _loss_of(source.scalars):
            said |= {"loss": name, "value": repr(source.scalars.latest(name))}
    return said


def model_name(source: Source) -> str:
    """Return the class of the model that is shown; empty where that is not known."""
    if is_binding(source) and (model := source.model) is not None:
        from kan_widgets.functions import unwrap

        return type(unwrap(model)).__name__
    return str(source.info.get("model", "")) if isinstance(source, Replay) else ""


def _loss_of(scalars: Scalars) -> str:
    """Return which series is the loss: that of the training before one of held-out data."""
    losses = [name for name in scalars.names if belongs_to(name)[0].lower() == "loss"]
    trained = [name for name in losses if belongs_to(name)[1] == "trained on"]
    return next(iter(trained + losses), "")
