"""Views whose pictures come from their scenes in the browser's code."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import traitlets
from PIL import Image

from kan_widgets.live import Frame, Layout
from kan_widgets.widgets.bundle import bundle
from kan_widgets.widgets.engine import drawn
from kan_widgets.widgets.paper import check_ratio
from kan_widgets.widgets.rasters import image_of
from kan_widgets.widgets.view import View
from kan_widgets.widgets.wire import frame_dict, layout_dict, observation_message

_HEIGHT = 480
_NARROWEST = 100


class Scened(View):
    """A view that the stream's bundle draws, in the page and here.

    A subclass names itself in the bundle's registry and says which layers it draws.
    """

    _esm = bundle("view.js")
    _kind = ""
    """Its name in ``js/src/views/registry.ts``."""

    kind = traitlets.Unicode().tag(sync=True)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.kind = self._kind

    def _drawn_layers(self, traits: dict[str, Any], names: Sequence[str]) -> Sequence[str]:
        """Return the layers that a picture with these traits needs; all by default."""
        return names

    def _drawn_selection(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the selection in a picture with these options; the stream's by default."""
        return dict(self.selection or {})

    def _picture_options(self, options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        """Return options of one picture as the traits would take them."""
        return options

    def svg(
        self,
        *,
        width: int = 900,
        max_height: float = 900,
        pixel_ratio: float = 2,
        **options: Any,
    ) -> str:
        """Return the current state as the text of an SVG; parameters are those of ``image``."""
        return drawn(self._asked(width, max_height, pixel_ratio, options))

    def _asked(
        self, width: int, max_height: float, pixel_ratio: float, options: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what the browser's code draws such a picture from: see js/src/still.ts."""
        self._check_keywords(options)
        check_ratio(pixel_ratio)
        if not width >= _NARROWEST:
            raise ValueError(f"expected a width of at least {_NARROWEST} pixels, got {width!r}")
        first, frame = self._stream.frames()
        names = frame.layout.names
        traits = {name: getattr(self, name) for name in self.keys if not name.startswith("_")}
        for name in ("layout", "stream", "tabbable", "tooltip", "kind"):
            traits.pop(name, None)
        known = self.traits()
        for name, value in options.items():
            # The layer shown may be one of another binding: `_picture_options` looks at it.
            if name in traits and name != "layer":
                options[name] = known[name]._validate(self, value)
        traits |= self._picture_options(options, names)
        theme = traits.pop("theme", "auto")
        layers = self._drawn_layers(traits, names)
        source = self._stream.source
        seen = {} if source is None else source.observed
        messages = [observation_message(seen[name]) for name in layers if name in seen]
        frames = [sliced(one, layers) for one in (first, frame)]
        return {
            "kind": self._kind,
            "traits": {name: self._sent(name, value) for name, value in traits.items()},
            "stream": {
                "layouts": [
                    layout_dict(layout)
                    for layout in {each.layout.version: each.layout for each in frames}.values()
                ],
                "initial": frame_dict(frames[0]),
                "frame": frame_dict(frames[1]),
                "selection": self._drawn_selection(options),
                "cursor": -1,
                "ghost_step": -1,
                "edits": {"undo": 0, "redo": 0, "message": ""},
                "status": {"state": "idle", "message": ""},
            },
            "messages": [{"content": content, "buffers": buffers} for content, buffers in messages],
            "width": width,
            "height": int(traits.get("height", _HEIGHT)),
            "most": max_height,
            "theme": "dark" if theme == "dark" else "light",
            "ratio": pixel_ratio,
        }

    def _colours(self, options: dict[str, Any]) -> int:
        """Return how many colours the PNG of such a picture needs, at most 256."""
        return 64

    def _sent(self, name: str, value: Any) -> Any:
        """Return a trait's value as the page would get it."""
        return self.trait_metadata(name, "to_json", self._trait_to_json)(value, self)

    def image(
        self, *, width: int = 900, max_height: int = 900, pixel_ratio: float = 2, **options: Any
    ) -> Image.Image:
        """Draw the current state as a picture, without a browser.

        Parameters
        ----------
        width, max_height
            CSS pixels; a taller drawing is cut and says so.
        pixel_ratio
            Picture pixels per CSS pixel, 0.25 to 16.
        **options
            Any of the widget's own traits, for this picture alone.

        Returns
        -------
        PIL.Image.Image
            ``width * pixel_ratio`` pixels wide.
        """
        svg = self.svg(width=width, max_height=max_height, pixel_ratio=pixel_ratio, **options)
        image = image_of(svg, pixel_ratio)
        image.info["colours"] = self._colours(options)
        return image

    def to_svg(self, path: str | pathlib.Path, **options: Any) -> pathlib.Path:
        """Write the current state as an SVG, replacing a file of that name.

        Curves are paths and words are text. Heat maps and images are made of pixels.

        Parameters
        ----------
        path
            Where to; its folder must exist.
        **options
            As for ``image``.

        Returns
        -------
        pathlib.Path
            The file written. Its lengths are CSS pixels.
        """
        path = pathlib.Path(path)
        path.write_text(self.svg(**options), encoding="utf-8")
        return path


def sliced(frame: Frame, names: Sequence[str]) -> Frame:
    """Return a frame of some of its layers: a picture is made from no more than it shows."""
    layers = [layer for layer in frame.layout.layers if layer.name in names]
    if len(layers) == len(frame.layout.layers):
        return frame
    parts, moved, offset = [], [], 0
    for layer in layers:
        parts.append(frame.data[layer.offset : layer.offset + layer.length])
        moved.append(replace(layer, offset=offset))
        offset += layer.length
    layout = Layout(frame.layout.version, tuple(moved))
    data = parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else frame.data[:0]
    return Frame(frame.step, layout, data)
