"""Views saved as a page of their own: one file that works from disk, without a notebook kernel."""

import datetime
import html
import math
import pathlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

from kan_widgets.checks import check_number
from kan_widgets.live import Frame
from kan_widgets.widgets.pages.page_frames import past_of, saved, taken_out
from kan_widgets.widgets.pages.page_text import (
    about,
    css_of,
    figure,
    filling,
    in_words,
    models,
    names,
    page_text,
)
from kan_widgets.widgets.wire.stream import Stream

# Traits of no use to a page, or that it makes itself.
_LEFT_OUT_TRAITS = ("layout", "tabbable", "tooltip")


class PageSavable:
    """What can be saved as a page of its own."""

    comm: Any
    layout: Any
    model_id: str
    _draws_network = False
    """Whether the view draws how the network is put together, and examples running through it."""
    _draws_frames = True
    """Whether the view draws functions of any moment."""

    def save_html(
        self, path: str | pathlib.Path, *, title: str | None = None, max_mb: float = 2.0
    ) -> pathlib.Path:
        """Write this as a page that works by itself, and return its path.

        The parameters are those of `kan_widgets.save_html`, which says what a page can do.
        """
        return save_html(path, self, title=title, max_mb=max_mb)

    def _within(self) -> Sequence[Any]:
        """Return the views that are drawn in this one."""
        return ()

    def _bring_up_to_date(self) -> None:
        """Bring all traits up to date before a picture or a page, whatever is still to be drawn."""

    def _page_note(self) -> str:
        """Say what this view cannot do in a page, which has no model."""
        return ""


def reference(view: PageSavable) -> str:
    """Return how the page finds a view's model."""
    return f"anywidget:{view.model_id}"


def save_html(
    path: str | pathlib.Path, *views: PageSavable, title: str | None = None, max_mb: float = 2.0
) -> pathlib.Path:
    """Save views as one HTML file that works by itself, print its size and return its path.

    The file opens from disk in any current browser (Chrome and Edge from 116, Firefox from
    124, Safari from 17.4) and asks the network for nothing. Its views work as in the notebook:
    pointing, selecting, layers, modes, drawing an image to respond to, and going back
    through the history; views of one binding are linked. Editing and training are off, since
    there is no model.

    Colours follow the reader's system, with a switch on the page; ``page.html?theme=dark``
    opens it in dark. It may stand in an ``iframe`` of another page.

    Parameters
    ----------
    path
        The file to write; its folder must exist. A file of that name is replaced.
    *views
        What to show, from top to bottom: `KernelGrid`, `SplineInspector`, `MeshgridView`,
        `Explain`, `TrainingPanel`, `LayerRanges`, `Compare`, `Dashboard`.
    title
        The heading, as plain text; "" for none. By default the models' and the views' names.
    max_mb
        The most that the file may weigh, in megabytes (10⁶ bytes). Where all frames do not fit as
        they are, they are rounded: by less than a pixel of a plot 100 pixels high, and the latest
        one to about four digits. Where that is too much, frames are left out, evenly, until
        it fits; the first and the latest stay, and those that are looked at.

    Raises
    ------
    TypeError
        If there is no view, or something that is none; or if the title is no text.
    ValueError
        If a view is closed or has no frame yet, or if the page cannot be as small as
        ``max_mb``: the message gives the smallest possible.
    FileNotFoundError, IsADirectoryError
        If the path's folder does not exist, or the path is a folder.

    Examples
    --------
    >>> import pathlib, tempfile, kan_widgets as kw
    >>> model = kw.nn.KANCNN.article()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = kw.save_html(
    ...         pathlib.Path(folder, "page.html"), kw.KernelGrid(model), kw.SplineInspector(model)
    ...     )  # doctest: +ELLIPSIS
    /...page.html: ... MB, 1 frame...
    """
    path = pathlib.Path(path)
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title={title!r:.80}: expected text")
    check_number("max_mb", max_mb, above=True, of="megabytes")
    _check_views(views)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it, such as page.html")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}: make it first")
    write_page(path, Page(views, title), max_mb)
    return path


def write_page(path: pathlib.Path, page: "Page", max_mb: float) -> None:
    """Write a page of at most ``max_mb`` megabytes, and print its size."""
    text, kept, rounded = _fitting(page, max_mb)
    path.write_bytes(text)
    print(f"{path}: {len(text) / 1e6:.1f} MB{_frames_in_words(kept, page.frames, rounded)}")


def page_of(*views: PageSavable, title: str, max_mb: float = 2.0) -> bytes:
    """Return the page that `save_html` would write."""
    return _fitting(Page(views, title), max_mb)[0]


def _check_views(views: Sequence[object]) -> None:
    if not views:
        raise TypeError("there is no view to save: give one or more, such as kw.KernelGrid(live)")
    for view in views:
        if not isinstance(view, PageSavable):
            raise TypeError(
                f"{view!r:.80} is no view of kan_widgets; for a binding or a model, give views of "
                "it, such as kw.Dashboard(live)"
            )
        for part in (view, *view._within()):
            if part.comm is None:
                raise ValueError(f"this {type(part).__name__} is closed: make a new one to save")


def _frames_in_words(kept: int, total: int, rounded: bool) -> str:
    if total == 0:
        return ""
    if kept < total:
        return f", {kept} of {total} frames, rounded (a larger max_mb keeps more)"
    words = f", {total} frame{'' if total == 1 else 's'}"
    return f"{words}, rounded (a larger max_mb keeps them as they are)" if rounded else words


class Page:
    """All that goes into a page but the choice of frames.

    ``before`` is HTML that stands between the heading and the views; a page with a ``lesson``
    trains, and says ``note`` of itself: see `kan_widgets.widgets.training_page`.
    """

    def __init__(
        self,
        views: Sequence[PageSavable],
        title: str | None,
        before: str = "",
        lesson: dict[str, Any] | None = None,
        note: str = "",
    ) -> None:
        self._before, self._views = before, views
        self._lesson, self._note = lesson, html.escape(note)
        self._saved_at = datetime.datetime.now().astimezone()
        self._named, self._model_words = names(views), models(views)
        self._title = self._named if title is None else title
        self._shown = shown_in(views)
        self._streams = list(dict.fromkeys(view._stream for view in self._shown))
        references = {reference(view) for view in self._shown}
        self._models = [_model(view, references) for view in self._shown]
        drawn = {view._stream for view in self._shown if view._draws_frames}
        self._pasts = [past_of(stream, whole=stream in drawn) for stream in self._streams]
        themes = {view.theme for view in self._shown}
        self._theme = themes.pop() if len(themes) == 1 else "auto"

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return sum(len(past.frames) for past in self._pasts)

    @property
    def nbytes(self) -> int:
        """Bytes of all frames, as they are."""
        return sum(frame.nbytes for past in self._pasts for frame in past.frames)

    def content(
        self, share: float, *, light: bool = False
    ) -> tuple[dict[str, Any], bytes, dict[Stream, list[Frame]]]:
        """Return what fills the views, its bytes, and the frames kept: about that share of them."""
        kept = {past.stream: past.thinned(share) for past in self._pasts}
        drawn = {view._stream for view in self._shown if view._draws_network}
        streams = [
            saved(stream, frames, network=stream in drawn, light=light) | {"id": stream.model_id}
            for stream, frames in kept.items()
        ]
        content, packed = taken_out(
            {
                "streams": streams,
                "models": self._models,
                "places": places(self._views),
                "theme": self._theme,
                **({} if self._lesson is None else {"lesson": self._lesson}),
            }
        )
        return content, packed, kept

    def written(self, share: float, *, light: bool = True) -> tuple[bytes, int]:
        """Return the page with about that share of the frames, and how many those are."""
        content, packed, kept = self.content(share, light=light)
        text = page_text(
            title=self._title,
            named=self._named,
            about=self._note or about(self._model_words, kept, self._saved_at),
            content=content,
            packed=packed,
            figures=figures(self._views, named=len(self._views) > 1),
            before=self._before,
            trains=self._lesson is not None,
            plays="plays" in (self._lesson or {}),
        )
        return text, sum(map(len, kept.values()))

    def filled(self, share: float) -> tuple[bytes, int]:
        """Return what fills the views, in little room, and nothing around it."""
        content, packed, kept = self.content(share, light=True)
        return filling(content, packed).encode(), sum(map(len, kept.values()))


def shown_in(views: Sequence[Any]) -> list[Any]:
    """Return views up to date, and before each those that are drawn in it; each once."""
    shown: dict[Any, None] = {}
    for view in views:
        shown |= dict.fromkeys([*shown_in(view._within()), view])
        view._bring_up_to_date()
    return list(shown)


def model_of(widget: Any) -> dict[str, Any]:
    """Return what a page's stand-in for a widget is made from."""
    names = [name for name in widget.keys if name[0] != "_" and name not in _LEFT_OUT_TRAITS]
    module = type(widget).__name__
    return {"id": widget.model_id, "module": module, "traits": widget.get_state(names)}


def places(views: Sequence[Any]) -> list[dict[str, Any]]:
    """Return what a page knows of the place of each view."""
    return [{"name": type(view).__name__, "model": view.model_id} for view in views]


def figures(views: Sequence[Any], *, named: bool = False, notes: bool = True) -> list[str]:
    """Return as HTML the place of each view."""
    return [
        figure(
            number,
            label=in_words(type(view).__name__),
            css=css_of(view),
            named=named,
            note=view._page_note() if notes else "",
        )
        for number, view in enumerate(views)
    ]


def parts_of_page(views: Sequence[PageSavable], max_mb: float) -> tuple[list[str], str]:
    """Return what a page of a site shows views by: HTML of the place of each, and what fills them.

    The latter stands once on the page, which also loads the script of `site_script`, and weighs at
    most ``max_mb`` megabytes; numbers are rounded, as in a page of `save_html` that would be too
    large.
    """
    _check_views(views)
    page = Page(views, "")
    text, _ = _fit(page, page.filled, max_mb)
    return figures(views), text.decode()


def _fitting(page: Page, max_mb: float) -> tuple[bytes, int, bool]:
    """Return the page, how many frames it has, and whether they are rounded: only to fit."""
    # Numbers as they are hardly ever pack to less than a half.
    if page.nbytes <= 2e6 * max_mb:
        text, kept = page.written(1, light=False)
        if len(text) <= 1e6 * max_mb:
            return text, kept, False
    return *_fit(page, page.written, max_mb), True


def _fit(
    page: Page, written: Callable[[float], tuple[bytes, int]], max_mb: float
) -> tuple[bytes, int]:
    """Return the page with as many frames as ``max_mb`` has room for, and how many those are."""
    limit = max_mb * 1e6
    # Hardly any frames pack to less than a thirtieth: where that is too much, it is not tried.
    share = 1.0 if page.nbytes <= 30 * limit else 8 * limit / page.nbytes
    text, kept = written(share)
    if len(text) <= limit and share == 1:
        return text, kept
    least, fewest = written(0)
    if len(least) > limit:
        smallest = math.ceil(len(least) / 1e5) / 10
        raise ValueError(
            f"max_mb={max_mb:g} is too small: this page takes {smallest:.1f} MB with the fewest "
            f"frames possible ({fewest} of {page.frames}); give max_mb={smallest:.1f} or more"
        )
    # The size grows with the number of frames, nearly evenly.
    share *= (limit - len(least)) / max(1, len(text) - len(least))
    while share * page.frames >= 0.5:
        text, kept = written(min(1.0, share))
        if len(text) <= limit:
            return text, kept
        share *= 0.95
    return least, fewest


def _model(view: Any, references: Collection[str]) -> dict[str, Any]:
    """Return what the page's stand-in for a view is made from, linked to the views in the page."""
    model = model_of(view)
    traits = model["traits"]
    traits["linked"] = [other for other in view.linked if other in references]
    # The theme is the page's; no notebook kernel edits or complains there.
    for name, value in (("theme", "auto"), ("editable", False), ("notice", "")):
        if name in traits:
            traits[name] = value
    # What showing the run has cost means nothing once it is over.
    if "share" in traits.get("status", {}):
        traits["status"] = traits["status"] | {"share": 0.0}
    return model
