"""How a view listens to its source."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from kan_widgets.live import Listener
from kan_widgets.live.cells import CellListener
from kan_widgets.widgets.wire.lifetime import weakly


class ViewListener(Listener, CellListener):
    """Calls methods of a view at events of a source, until the view is closed or gone.

    Parameters
    ----------
    view
        A widget whose comm is open.
    **methods
        Of the view, which they do not keep, by the event: ``on_frame=self._wake``.
    """

    def __init__(self, view: Any, **methods: Callable[..., object]) -> None:
        self._ref = weakref.ref(view)
        self._kind = type(view).__name__
        for event, method in methods.items():
            setattr(self, event, weakly(method))

    def on_report(self, message: str) -> None:
        """Take a fault that was reported."""

    @property
    def title(self) -> str:
        return self._kind

    @property
    def is_over(self) -> bool:
        view = self._ref()
        return view is None or view.comm is None
