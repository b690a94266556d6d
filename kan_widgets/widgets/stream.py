"""The viewless widget that carries a binding's frames to the browser, once for all views."""

from __future__ import annotations

import pathlib
import threading
import weakref
from typing import Any

import anywidget
import traitlets
from numpy.typing import NDArray

from kan_widgets.live import Binding, Frame, Layout
from kan_widgets.live.binding import State
from kan_widgets.live.layout import layer_dict

PROTOCOL = 1

_STATIC = pathlib.Path(__file__).parent / "static"
_HISTORY_BYTES = 32_000_000


class Stream(anywidget.AnyWidget):
    """Frames, layouts, selection and time of one binding; views hold it by reference.

    Live frames go out as custom messages; the synced traits hold what a page
    needs after a reload. Made by `stream_of`.
    """

    _esm = _STATIC / "stream.js"

    layouts = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    """The layouts that kept frames use, oldest first."""
    initial = traitlets.Dict().tag(sync=True)
    """The first frame: ``{"layout", "step", "data"}``."""
    frame = traitlets.Dict().tag(sync=True)
    """The latest frame when training last went quiet, of the same form."""
    selection = traitlets.Dict().tag(sync=True)
    """The selected function: ``{"layer", "out", "in", "row", "column"}``, or empty."""
    cursor = traitlets.Int(-1).tag(sync=True)
    """The step that views show; −1 follows the training."""
    status = traitlets.Dict().tag(sync=True)
    """``{"state", "message"}`` of the binding."""

    def __init__(self, binding: Binding) -> None:
        self._lock = threading.RLock()
        self._binding = weakref.ref(binding)
        super().__init__(**_state_of(binding))
        self.on_msg(self._answer)
        binding.subscribe(self)

    @property
    def binding(self) -> Binding | None:
        """The binding behind this stream, while it exists."""
        return self._binding()

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        # It has no view: showing it shows what it is.
        return {"text/plain": f"<Stream of {self.binding!r}>"}, {}

    # -- what the binding says ------------------------------------------------------

    def on_layout(self, layout: Layout) -> None:
        """Send the tables that the frames to come are read with."""
        numbers, buffers = _number_buffers(layout)
        with self._lock:
            self.send({"kind": "layout", "layout": numbers}, buffers)

    def on_frame(self, frame: Frame, settled: bool) -> None:
        """Send a frame; keep it for reload too when training is quiet."""
        with self._lock:
            if not settled:
                content = {"kind": "frame", "layout": frame.layout.version, "step": frame.step}
                self.send(content, [_bytes(frame.data)])
                return
            if self.layouts[-1]["version"] != frame.layout.version:
                self.layouts = [*self.layouts, layout_dict(frame.layout)]
            self.frame = frame_dict(frame)

    def on_state(self, state: State, message: str) -> None:
        """Tell the views what the training does."""
        with self._lock:
            self.status = {"state": state, "message": message}

    def on_rebind(self, binding: Binding) -> None:
        """Follow the binding that has replaced the one behind this stream."""
        with self._lock:
            self._binding = weakref.ref(binding)
            _streams[binding] = self
            with self.hold_sync():
                self.cursor = -1
                if self.selection and self.selection["layer"] not in binding.layers:
                    self.selection = {}
                for name, value in _state_of(binding).items():
                    setattr(self, name, value)
            # The page forgets the old frames, and those still on their way.
            self.send({"kind": "reset", "version": binding.layout.version})

    # -- what the browser asks ------------------------------------------------------

    def _answer(self, _: Any, content: dict[str, Any], __: Any) -> None:
        if content.get("kind") != "history?" or (binding := self.binding) is None:
            return
        limit = min(int(content.get("max_bytes", _HISTORY_BYTES)), _HISTORY_BYTES)
        frames = list(binding.history)
        while len(frames) > 2 and sum(frame.nbytes for frame in frames) > limit:
            frames = [*frames[:-1:2], frames[-1]]
        with self._lock:
            known = {layout["version"] for layout in self.layouts}
            for layout in {frame.layout.version: frame.layout for frame in frames}.values():
                if layout.version not in known:
                    self.on_layout(layout)
            self.send(
                {
                    "kind": "history",
                    "frames": [{"layout": f.layout.version, "step": f.step} for f in frames],
                },
                [_bytes(frame.data) for frame in frames],
            )


_streams: weakref.WeakKeyDictionary[Binding, Stream] = weakref.WeakKeyDictionary()


def stream_of(binding: Binding) -> Stream:
    """Return the one stream of a binding, made when first asked for."""
    stream = _streams.get(binding)
    if stream is None or stream.comm is None:
        stream = _streams[binding] = Stream(binding)
    return stream


def _state_of(binding: Binding) -> dict[str, Any]:
    first, latest = binding.history[0], binding.frame
    layouts = {frame.layout.version: frame.layout for frame in (first, latest)}
    return {
        "layouts": [layout_dict(layout) for layout in layouts.values()],
        "initial": frame_dict(first),
        "frame": frame_dict(latest),
        "status": {"state": binding.state, "message": binding.message},
    }


def frame_dict(frame: Frame) -> dict[str, Any]:
    """Return a frame as the browser reads it from a trait."""
    return {"layout": frame.layout.version, "step": frame.step, "data": frame.data.tobytes()}


def layout_dict(layout: Layout) -> dict[str, Any]:
    """Return a layout as the browser reads it from a trait, tables inside."""
    numbers, buffers = _number_buffers(layout)
    for layer in numbers["layers"]:
        for table in layer["tables"]:
            table["x"] = bytes(buffers[table["x"]])
            table["values"] = bytes(buffers[table["values"]])
        if layer["table_of"] is not None:
            layer["table_of"] = bytes(buffers[layer["table_of"]])
    return numbers


def _bytes(array: NDArray[Any]) -> memoryview:
    """Return the array's memory, which the caller must no longer change."""
    return array.data.cast("B")


def _number_buffers(layout: Layout) -> tuple[dict[str, Any], list[memoryview]]:
    """Return a layout with its tables as numbers into the list of buffers beside it."""
    buffers: list[memoryview] = []
    seen: dict[int, int] = {}

    def number(array: Any) -> int:
        if id(array) not in seen:
            seen[id(array)] = len(buffers)
            buffers.append(_bytes(array))
        return seen[id(array)]

    layers = []
    for layer in layout.layers:
        tables = [{"x": number(t.x), "values": number(t.values)} for t in layer.tables]
        table_of = None if layer.table_of is None else number(layer.table_of)
        layers.append(layer_dict(layer, tables, table_of))
    return {"protocol": PROTOCOL, "version": layout.version, "layers": layers}, buffers
