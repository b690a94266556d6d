"""Listens to a source on behalf of a view, without keeping the view alive."""

from __future__ import annotations

import weakref
from typing import Any, Generic, TypeVar

from kan_widgets.live import Listener, Source

V = TypeVar("V")


class ViewListener(Listener, Generic[V]):
    """Listens to a source on behalf of a view, until the view is closed or gone.

    Parameters
    ----------
    view
        A widget whose comm is open.
    """

    def __init__(self, view: V) -> None:
        self._ref: weakref.ref[Any] = weakref.ref(view)
        self._kind = type(view).__name__

    @property
    def view(self) -> V | None:
        """The view, while it is open."""
        view: Any = self._ref()
        return view if view is not None and view.comm is not None else None

    @property
    def title(self) -> str:
        """Its name in reports: that of the view."""
        return self._kind

    @property
    def is_over(self) -> bool:
        """Whether the view is closed or gone."""
        return self.view is None


def let_go(source: Source | None) -> None:
    """Have a source drop the listeners of closed views, if it can do so at once."""
    if source is not None:
        source.feed.let_go()
