"""Shows a view beside the notebook in JupyterLab, where it stays in sight."""

from typing import Any

from kan_widgets.checks import nearest_word
from kan_widgets.widgets.wire.shared_traits import Widget

_ANCHORS = ("right", "split-right", "split-left", "split-top", "split-bottom")


class Dockable(Widget):
    """What can stand beside the notebook."""

    _kind = ""
    _sidecar: Any = None

    def dock(self, anchor: str = "right") -> None:
        """Show this view beside the notebook in JupyterLab, and keep it there.

        Docking again moves it.

        Parameters
        ----------
        anchor : {"right", "split-right", "split-left", "split-top", "split-bottom"}
            The right side bar, or a panel on that side of the notebook.

        Raises
        ------
        ValueError
            For another anchor.
        ImportError
            If the ``sidecar`` package is not installed.
        """
        if anchor not in _ANCHORS:
            anchors = ", ".join(map(repr, _ANCHORS))
            hint = nearest_word(anchor, _ANCHORS)
            raise ValueError(f"anchor={anchor!r}: expected one of {anchors}.{hint}")
        try:
            from sidecar import Sidecar
        except ImportError as error:
            raise ImportError(
                "docking needs the sidecar package: run `pip install sidecar` where JupyterLab "
                "runs, and reload the page"
            ) from error
        self._undock()
        title = self._kind.replace("_", " ").capitalize()
        self._sidecar = Sidecar(title=title, anchor=anchor)
        self._sidecar.append_display_data(self)

    def _dock_asked(self, _: Any, content: dict[str, Any], __: Any) -> None:
        """Dock when a button of the page asks for it; say in the page why if that fails."""
        if content.get("kind") != "dock":
            return
        try:
            self.dock("split-right")
        except ImportError as error:
            self.send(str(error))

    def _undock(self) -> None:
        if self._sidecar is not None:
            self._sidecar.close()
            self._sidecar = None
