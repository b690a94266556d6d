"""A page whose views stay connected with Python, where there is no Jupyter."""

import html
from collections.abc import Sequence
from typing import Any

from kan_widgets.widgets.pages.page import PageSavable, figures, model_of, places, shown_in
from kan_widgets.widgets.pages.page_frames import taken_out
from kan_widgets.widgets.pages.page_text import page_text
from kan_widgets.widgets.wire.messages import state_of
from kan_widgets.widgets.wire.shared_traits import SHARED_TRAITS
from kan_widgets.widgets.wire.stream import Stream

# What a page chooses beside the keywords of its views.
_SETTABLE_TRAITS = frozenset({*SHARED_TRAITS, "held", "ghost_step", "drawing", "overlays"})


def chosen_in_page(widget: Any) -> frozenset[str]:
    """Return the traits that a page may set; only Python sets all others."""
    return _SETTABLE_TRAITS.union(widget.traits(option=True))


def live_page(
    views: Sequence[PageSavable],
    title: str,
    about: str,
    *,
    theme: str,
    heard: int,
    before: str = "",
) -> bytes:
    """Return a page that shows views as they are now, and hears what changes.

    ``heard`` is the number of the last message whose news the page has: see
    `kan_widgets.cli.serving` and js/src/page/live.ts. ``before`` is HTML before the views.
    """
    shown = shown_in(views)
    streams: list[Stream] = list(dict.fromkeys(view._stream for view in shown))
    content, packed = taken_out(
        {
            "heard": heard,
            "streams": list(map(_stream, streams)),
            "models": list(map(model_of, shown)),
            "places": places(views),
            "theme": theme,
        }
    )
    return page_text(
        title=title,
        named=title,
        about=f'{html.escape(about)} <span id="kw-connection"></span>',
        content=content,
        packed=packed,
        figures=figures(views, named=len(views) > 1, notes=False),
        before=before,
        live=True,
    )


def _stream(stream: Stream) -> dict[str, Any]:
    model = model_of(stream)
    # The stream's traits were last set while no training ran.
    if (source := stream.source) is not None:
        model["traits"] |= state_of(source)
    return model
