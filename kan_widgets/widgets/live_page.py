"""A page whose views stay connected with Python, where there is no Jupyter."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any

from kan_widgets.widgets.page import Placed, figures
from kan_widgets.widgets.page_text import page_text
from kan_widgets.widgets.saved import Bytes
from kan_widgets.widgets.sharing import SHARED
from kan_widgets.widgets.stream import Stream
from kan_widgets.widgets.wire import state_of

# Of no use to a page, or of its own making.
_OWN = ("layout", "tabbable", "tooltip")

# What a page chooses beside the keywords of its views.
_CHOSEN = frozenset({*SHARED, "ghost_step", "drawing", "every"})


def chosen_in_page(widget: Any) -> frozenset[str]:
    """Return the traits that a page may set; all others are for Python alone to say."""
    return _CHOSEN.union(widget.traits(option=True))


def live_page(views: Sequence[Placed], title: str, about: str, *, theme: str, heard: int) -> bytes:
    """Return a page that shows views as they are now, and hears what changes.

    Parameters
    ----------
    views
        From top to bottom.
    title
        The heading, as plain text.
    about
        What is said below the heading, as plain text.
    theme
        "auto", "light" or "dark".
    heard
        The number of the last message whose news the page has; see `kan_widgets.cli.serving`.

    Returns
    -------
    bytes
        HTML; js/src/page/live.ts reads what is in it.
    """
    shown = list(_all(views))
    streams: list[Stream] = list(dict.fromkeys(view._stream for view in shown))
    for view in shown:
        view._bring_up_to_date()
    taken = Bytes()
    content = taken.out_of(
        {
            "heard": heard,
            "models": [_model(stream, "Stream") for stream in streams]
            + [_model(view, type(view).__name__) for view in shown],
            "places": [{"name": type(view).__name__, "model": view.model_id} for view in views],
            "theme": theme,
        }
    )
    content["bytes"] = taken.places
    return page_text(
        title=title,
        named=title,
        about=f'{html.escape(about)} <span id="kw-connection"></span>',
        content=content,
        packed=bytes(taken.whole),
        figures=figures(views, named=len(views) > 1, notes=False),
        live=True,
    )


def _all(views: Sequence[Any]) -> Iterator[Any]:
    for view in views:
        yield view
        yield from _all(view._within())


def _model(widget: Any, module: str) -> dict[str, Any]:
    names = [name for name in widget.keys if not name.startswith("_") and name not in _OWN]
    traits = widget.get_state(names)
    # Its traits are those of the last time that nothing went on.
    if isinstance(widget, Stream) and (source := widget.source) is not None:
        traits |= state_of(source)
    return {"id": widget.model_id, "module": module, "traits": traits}
