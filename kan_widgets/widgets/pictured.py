"""What all views can be made into: PNG, SVG, the still of a saved notebook, and an animation."""

from __future__ import annotations

import base64
import math
import pathlib
import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any, BinaryIO, overload

from IPython.core.displayhook import DisplayHook
from IPython.display import display
from PIL import Image

from kan_widgets.insight.progress import progress
from kan_widgets.live import Frame
from kan_widgets.live.reports import report
from kan_widgets.widgets.broadcast import pictured
from kan_widgets.widgets.lifetime import SelfClosing, hold, later, show
from kan_widgets.widgets.options import drawing
from kan_widgets.widgets.rasters import (
    To,
    Written,
    check_suffix,
    image_of,
    pdf_of,
    png_bytes,
    written,
)
from kan_widgets.widgets.sharing import Sharing

_FORMATS = {".gif": "GIF", ".webp": "WEBP"}
_ANIMATED_COLOURS = 128
_HELD = 1500  # milliseconds that an animation stops at its end


class Pictured(SelfClosing, Sharing):
    """A view that can draw itself without a browser, by its method ``image``."""

    _all_colours = False
    """Whether `to_png` keeps all colours: tints of maps beside each other are compared."""

    @drawing
    def svg(self, **options: Any) -> str:
        """Return the current state as the text of an SVG; parameters are those of ``image``."""
        raise NotImplementedError

    @drawing
    def image(self, **options: Any) -> Image.Image:
        """Draw the current state as a picture, without a browser.

        Parameters
        ----------
        **options
            ``width`` and ``max_height`` in CSS pixels, 900 each unless given (a taller drawing is
            cut and says so); ``pixel_ratio``, picture pixels per CSS pixel, 0.25 to 16, 2 unless
            given; and any of the view's own options, for this picture alone.

        Returns
        -------
        PIL.Image.Image
            ``width * pixel_ratio`` pixels wide; a `KernelGrid` whose cells take less
            than three quarters of that is as wide as they are, and at least 520 CSS pixels.
        """
        image = image_of(self.svg(**options), options.get("pixel_ratio", 2))
        image.info["colours"] = self._colours({**options})
        return image

    def _colours(self, options: dict[str, Any]) -> int:
        """Return how many colours the PNG of such a picture needs, at most 256."""
        return 64

    @overload
    def to_png(self, path: None = None, **options: Any) -> bytes: ...
    @overload
    def to_png(self, path: Written, **options: Any) -> Written: ...
    @overload
    def to_png(self, path: str, **options: Any) -> pathlib.Path: ...
    @drawing
    def to_png(self, path: To = None, **options: Any) -> bytes | pathlib.Path | BinaryIO:
        """Write the current state as a PNG.

        Parameters
        ----------
        path
            The file to write, replacing one of that name: it ends in ``.png``, and its folder must
            exist. Or a binary file that is open for writing; or nothing, for the bytes.
        **options
            As for ``image``; ``pixel_ratio`` is the scale.

        Returns
        -------
        pathlib.Path, the open file or bytes
            What was written.

        Raises
        ------
        ValueError
            If the name ends otherwise.
        """
        check_suffix(path, ".png")
        return written(png_bytes(self.image(**options), all_colours=self._all_colours), path)

    @overload
    def to_svg(self, path: None = None, **options: Any) -> bytes: ...
    @overload
    def to_svg(self, path: Written, **options: Any) -> Written: ...
    @overload
    def to_svg(self, path: str, **options: Any) -> pathlib.Path: ...
    @drawing
    def to_svg(self, path: To = None, **options: Any) -> bytes | pathlib.Path | BinaryIO:
        """Write the current state as an SVG, in UTF-8: as ``to_png``, to a name ending in ``.svg``.

        Curves are paths and words are text. Heat maps and images are made of pixels. Lengths are
        CSS pixels.
        """
        check_suffix(path, ".svg")
        return written(self.svg(**options).encode(), path)

    @overload
    def to_pdf(self, path: None = None, **options: Any) -> bytes: ...
    @overload
    def to_pdf(self, path: Written, **options: Any) -> Written: ...
    @overload
    def to_pdf(self, path: str, **options: Any) -> pathlib.Path: ...
    @drawing
    def to_pdf(self, path: To = None, **options: Any) -> bytes | pathlib.Path | BinaryIO:
        """Write the SVG as a PDF of one page: as ``to_png``, to a name ending in ``.pdf``.

        Raises
        ------
        ImportError
            Without CairoSVG: ``pip install cairosvg``.
        """
        check_suffix(path, ".pdf")
        return written(pdf_of(self.svg(**options)), path)

    def snapshot(self) -> None:
        """Update the still beside the live view, for when the notebook is saved.

        A notebook holds a picture of each view for pages without a kernel, GitHub's for
        example: it is drawn at the end of the cell that shows the view. This draws it anew
        wherever this view is displayed, in any cell; the live view stays as it is. A page that
        was reloaded no longer knows its older outputs: show the view again there.

        Raises
        ------
        RuntimeError
            If the view is closed.
        """
        data, metadata = self._bundle()
        if "image/png" in data:
            _send(data, metadata, self._display_id, update=True)

    def _renew(self) -> None:
        if self.comm is not None:
            self.snapshot()

    @property
    def _display_id(self) -> str:
        return f"kan-widgets-{id(self):x}"

    def _bundle(self, *, still: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
        if self.comm is None:
            raise RuntimeError(f"this {type(self).__name__} is closed: make a new one to show")
        bundle: Any = self._repr_mimebundle_() if still else super()._repr_mimebundle_()  # type: ignore[misc]
        if isinstance(bundle, tuple):
            return bundle
        return bundle or {}, {}

    def _ipython_display_(self, **_: Any) -> None:
        # With an identifier of its own, so that `snapshot` finds it again.
        if not _is_displayed():
            # Whoever only asks for its form, such as an Output widget, gets that.
            hold(self)
            raise NotImplementedError
        show(self)
        data, metadata = self._bundle(still=not later(self._renew))
        _send(data, metadata, self._display_id)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is None:
            return bundle
        # JupyterLab shows the live view; GitHub and nbviewer show this picture.
        try:
            data["image/png"] = base64.b64encode(png_bytes(self.image(), soon=True)).decode("ascii")
        except Exception as error:
            report(f"the live view has no still picture beside it: {error!r}")
        return bundle

    # -- at every step of the history --------------------------------------------------

    @drawing
    def animate(
        self,
        path: str | pathlib.Path,
        *,
        steps: Iterable[int] | None = None,
        most: int = 120,
        fps: float = 12,
        quiet: bool = False,
        pixel_ratio: float = 1,
        **options: Any,
    ) -> pathlib.Path:
        """Write the training run as an animation, replacing a file of that name.

        It is drawn from the frames kept in the history, without a browser, and loops for ever, with
        a short pause at the end.

        Parameters
        ----------
        path
            Ends in ``.gif`` or ``.webp``; its folder must exist.
        steps
            Training steps to show, each as it was at the frame before it; by default all that
            the history has.
        most
            Frames at most, spread evenly; the first and the last are among them.
        fps
            Frames per second, up to 50.
        quiet
            Draw no progress bar.
        pixel_ratio
            Picture pixels per CSS pixel, 0.25 to 16.
        **options
            As for ``image``.

        Returns
        -------
        pathlib.Path
            The file written.

        Raises
        ------
        ValueError
            If the suffix, ``most`` or ``fps`` is none of those taken, or there are no steps.

        Examples
        --------
        >>> import tempfile, kan_widgets as kw
        >>> model = kw.nn.KANCNN.article()
        >>> live = kw.bind(model)
        >>> for _ in range(3):
        ...     _ = live.step()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = kw.KernelGrid(live).animate(f"{folder}/run.gif", quiet=True)
        ...     path.name
        'run.gif'
        """
        path = pathlib.Path(path)
        if (kind := _FORMATS.get(path.suffix.lower())) is None:
            raise ValueError(f"path: expected a name that ends in .gif or .webp, got {path.name!r}")
        if not 0 < fps <= 50:
            raise ValueError(f"fps: expected a number above 0, up to 50, got {fps!r}")
        if not most >= 2:
            raise ValueError(f"most: expected a number ≥ 2, got {most!r}")
        asked = {**options, "pixel_ratio": pixel_ratio}
        frames = _spread(self._frames_at(steps, asked), most)
        # One palette for all, found in the first, the middle and the last: colours do not flicker.
        samples = [self._at(frames[k], asked) for k in (0, len(frames) // 2, -1)]
        palette = _below(samples).quantize(_ANIMATED_COLOURS, Image.Quantize.MAXCOVERAGE)
        shown = frames if quiet else progress(frames, path.name, patience=0.0)
        images = [
            self._at(frame, asked).quantize(palette=palette, dither=Image.Dither.NONE)
            for frame in shown
        ]
        size = max(image.width for image in images), max(image.height for image in images)
        images = [_padded(image, size) for image in images]
        if kind == "WEBP":
            images = [image.convert("RGB") for image in images]
        durations = [round(1000 / fps)] * (len(images) - 1) + [_HELD]
        way: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {"optimize": True}
        images[0].save(
            path,
            kind,
            save_all=True,
            append_images=images[1:],
            duration=durations if len(images) > 1 else _HELD,
            loop=0,
            **way,
        )
        return path

    def _at(self, frame: Frame, options: dict[str, Any]) -> Image.Image:
        with pictured(self._stream, frame):
            return self.image(**options).convert("RGB")

    def _frames_at(self, steps: Iterable[int] | None, options: dict[str, Any]) -> list[Frame]:
        """Return the frames to draw: those that have the layers of the picture."""
        source = self._stream.source
        if source is None:
            raise RuntimeError("the model this view showed is gone, and its history with it")
        # The latest state is in the history then too.
        source.feed.current()
        layers = self.looked_at(**options) or source.layers
        held = [one for one in source.history if set(layers) <= set(one.layout.names)]
        if steps is None:
            return held
        frames = [
            ([one for one in held if one.step <= int(step)] or held[:1])[-1] for step in steps
        ]
        if not frames:
            raise ValueError("steps: expected at least one step, got none; leave it out for all")
        return frames


def _is_displayed() -> bool:
    """Whether IPython asks because an object is shown now, under no identifier of the user's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code is DisplayHook.compute_format_data.__code__:
            return True
        if frame.f_code is display.__code__:
            return frame.f_locals.get("display_id") is None
        frame = frame.f_back
    return False


def _send(data: dict[str, Any], metadata: dict[str, Any], name: str, **how: Any) -> None:
    display(data, metadata=metadata, raw=True, display_id=name, **how)  # type: ignore[no-untyped-call]


def _spread(frames: list[Frame], most: int) -> list[Frame]:
    """Return at most ``most`` frames, evenly spread, the first and the last among them."""
    if len(frames) <= most:
        return frames
    return [frames[math.floor(k * (len(frames) - 1) / (most - 1) + 0.5)] for k in range(most)]


def _below(images: list[Image.Image]) -> Image.Image:
    """Return pictures, one below the other."""
    width, height = max(i.width for i in images), sum(i.height for i in images)
    whole = Image.new("RGB", (width, height), images[0].getpixel((0, 0)))
    top = 0
    for image in images:
        whole.paste(image, (0, top))
        top += image.height
    return whole


def _padded(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a picture with a palette, made as large by its corner's colour."""
    if image.size == size:
        return image
    larger = Image.new("P", size, image.getpixel((0, 0)))
    palette = image.getpalette()
    assert palette is not None
    larger.putpalette(palette)
    larger.paste(image, (0, 0))
    return larger
