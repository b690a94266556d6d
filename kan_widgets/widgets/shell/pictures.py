"""What all views can be made into: PNG, SVG, the still of a saved notebook, and an animation."""

import base64
import itertools
import os
import pathlib
import sys
from collections.abc import Callable, Iterable, Sequence
from types import FrameType
from typing import Any, overload

import numpy as np
from IPython.core.displayhook import DisplayHook
from IPython.display import display
from numpy.typing import NDArray
from PIL import Image, ImageOps

from kan_widgets.checks import check_number, check_whole
from kan_widgets.live import Frame
from kan_widgets.live.reports import report
from kan_widgets.printed import progress
from kan_widgets.widgets.shell.drawing_engine import film, image_of, png_bytes
from kan_widgets.widgets.shell.options import with_options
from kan_widgets.widgets.wire.broadcast import drawn_at
from kan_widgets.widgets.wire.lifetime import SelfClosing, draw_at_cell_end, keep_open, show
from kan_widgets.widgets.wire.shared_traits import Sharing

_FORMATS = {".gif": "GIF", ".webp": "WEBP"}
_ANIMATED_COLOURS = {Image.Quantize.MAXCOVERAGE: 128, Image.Quantize.MEDIANCUT: 76}
_films = itertools.count(1)
_LAST_FRAME_MS = 1500  # milliseconds that an animation stops at its end


class Pictured(SelfClosing, Sharing):
    """A view that can draw itself without a browser, by its method ``image``."""

    svg: Callable[..., str]
    looked_at: Callable[..., Sequence[str]]
    _bring_up_to_date: Callable[[], None]

    def _begin_picture(self) -> None:
        """Bring what is drawn up to date, once for all pictures of an animation."""
        if not film.get():
            self._bring_up_to_date()

    @with_options
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
        return image_of(self.svg(**options), options.get("pixel_ratio", 2))

    @overload
    def to_png(self, path: None = None, **options: Any) -> bytes: ...
    @overload
    def to_png(self, path: str | os.PathLike[str], **options: Any) -> pathlib.Path: ...
    @with_options
    def to_png(
        self, path: str | os.PathLike[str] | None = None, **options: Any
    ) -> bytes | pathlib.Path:
        """Write the current state as a PNG, and return its path or its bytes.

        Parameters
        ----------
        path
            The file to write, replacing one of that name: it ends in ``.png``, and its folder must
            exist. Or nothing, for the bytes.
        **options
            As for ``image``; ``pixel_ratio`` is the scale.

        Raises
        ------
        ValueError
            If the name ends otherwise.
        """
        return _written(path, ".png", lambda: png_bytes(self.image(**options)))

    @overload
    def to_svg(self, path: None = None, **options: Any) -> bytes: ...
    @overload
    def to_svg(self, path: str | os.PathLike[str], **options: Any) -> pathlib.Path: ...
    @with_options
    def to_svg(
        self, path: str | os.PathLike[str] | None = None, **options: Any
    ) -> bytes | pathlib.Path:
        """Write the current state as an SVG, in UTF-8: as ``to_png``, to a name ending in ``.svg``.

        Curves are paths and words are text. Heat maps and images are made of pixels. Lengths are
        CSS pixels.
        """
        return _written(path, ".svg", lambda: self.svg(**options).encode())

    def snapshot(self) -> None:
        """Update the still beside the live view, for when the notebook is saved.

        A notebook holds a picture of each view for pages without a notebook kernel, GitHub's for
        example: it is drawn at the end of the cell that shows the view. This draws it again
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
        bundle = self._repr_mimebundle_() if still else super()._repr_mimebundle_()
        return bundle or ({}, {})

    def _ipython_display_(self, **_: Any) -> None:
        # The output has an identifier of its own, by which `snapshot` finds it again.
        if not _is_displayed():
            # A caller that only asks for its representation, such as an Output widget, gets that.
            keep_open(self)
            raise NotImplementedError
        show(self)
        data, metadata = self._bundle(still=not draw_at_cell_end(self._renew))
        _send(data, metadata, self._display_id)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        # JupyterLab shows the live view; GitHub and nbviewer show this picture.
        try:
            bundle[0]["image/png"] = base64.b64encode(png_bytes(self.image(), soon=True)).decode(
                "ascii"
            )
        except Exception as error:
            report(f"the live view has no still picture beside it: {error!r}")
        return bundle

    # -- at every step of the history --------------------------------------------------

    @with_options
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
        """Write the training run as an animation, replacing a file of that name; return its path.

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
            raise ValueError(f"path={path.name!r}: expected a name that ends in .gif or .webp")
        check_number("fps", fps, 0, 50, above=True)
        check_whole("most", most, 2)
        of_each = {**options, "pixel_ratio": pixel_ratio}
        frames = self._frames_at(steps, of_each)
        frames = [frames[round(k)] for k in np.linspace(0, len(frames) - 1, min(most, len(frames)))]
        # One palette for all, found in the first, the middle and the last: colours do not flicker.
        self._begin_picture()
        token = film.set(next(_films))
        try:
            samples = [self._at(frames[k], of_each) for k in (0, len(frames) // 2, -1)]
            palette = _palette_of(samples)
            shown = frames if quiet else progress(frames, path.name, patience=0.0)
            images = [_indexed(self._at(frame, of_each), palette) for frame in shown]
        finally:
            film.reset(token)
        wide, high = max(image.width for image in images), max(image.height for image in images)
        for k, image in enumerate(images):
            border, corner = (0, 0, wide - image.width, high - image.height), image.getpixel((0, 0))
            images[k] = ImageOps.expand(image, border, corner)  # type: ignore[arg-type]
        if kind == "WEBP":
            images = [image.convert("RGB") for image in images]
        durations = [round(1000 / fps)] * (len(images) - 1) + [_LAST_FRAME_MS]
        way: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {"optimize": True}
        images[0].save(
            path,
            kind,
            save_all=True,
            append_images=images[1:],
            duration=durations if len(images) > 1 else _LAST_FRAME_MS,
            loop=0,
            **way,
        )
        return path

    def _at(self, frame: Frame, options: dict[str, Any]) -> Image.Image:
        with drawn_at(self._stream, frame):
            return self.image(**options).convert("RGB")

    def _frames_at(self, steps: Iterable[int] | None, options: dict[str, Any]) -> list[Frame]:
        """Return the frames to draw: those that have the layers of the picture."""
        source = self._stream.source
        if source is None:
            raise RuntimeError("the model this view showed is gone, and its history with it")
        # This brings the latest state into the history.
        source.feed.current()
        layers = self.looked_at(**options) or source.layers
        held = [frame for frame in source.history if set(layers) <= set(frame.layout.names)]
        if steps is None:
            return held
        frames = [
            ([frame for frame in held if frame.step <= int(step)] or held[:1])[-1] for step in steps
        ]
        if not frames:
            raise ValueError("steps is empty: expected at least one step; leave it out for all")
        return frames


def _written(
    path: str | os.PathLike[str] | None, suffix: str, draw: Callable[[], bytes]
) -> bytes | pathlib.Path:
    """Return a picture's bytes, or write them to a file with this suffix and return its path."""
    if path is None:
        return draw()
    file = pathlib.Path(path)
    if file.suffix.lower() != suffix:
        raise ValueError(f"path={file.name!r}: expected a name that ends in {suffix}")
    file.write_bytes(draw())
    return file


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


def _palette_of(samples: list[Image.Image]) -> NDArray[np.uint8]:
    """Return colours of some pictures, and greys, which these would tint: (n, 3)."""
    pixels = np.concatenate([np.asarray(sample).reshape(1, -1, 3) for sample in samples], axis=1)
    image = Image.fromarray(pixels)
    # Rare colours, however few pixels have them, and the shades of those that most pixels have.
    colours = [
        np.array(image.quantize(count, how).getpalette(), np.uint8).reshape(-1, 3)[:count]
        for how, count in _ANIMATED_COLOURS.items()
    ]
    greys = np.array([[value] * 3 for value in range(0, 256, 5)], np.uint8)
    return np.concatenate([*colours, greys])


def _indexed(image: Image.Image, palette: NDArray[np.uint8]) -> Image.Image:
    """Return a picture in the nearest colours of a palette; Pillow's own way is less exact."""
    coded = np.asarray(image).astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    is_used = np.zeros(1 << 24, bool)
    is_used[coded] = True
    used = np.flatnonzero(is_used)
    colours = np.stack([used >> 16, used >> 8 & 255, used & 255], 1)
    nearest = np.zeros(1 << 24, np.uint8)
    for some in np.array_split(np.arange(len(used)), 1 + len(used) // 4096):
        away = (colours[some, None] - palette.astype(int)) ** 2
        nearest[used[some]] = away.sum(2).argmin(1)
    indexed = Image.fromarray(nearest[coded], "P")
    indexed.putpalette(palette.tobytes())
    return indexed
