"""How long a widget lives: as long as somebody holds it, or a cell of the notebook shows it.

ipywidgets holds every widget that was not closed, in its list of widgets and through its comm. A
cell that is run again leaves the views it showed before there: unseen, working, and with all that
they hold. So both hold a widget of this package weakly, and what shows it holds it instead:
a box that it is in, or the cell whose output it is, until that cell runs again. One that nobody
holds any more closes itself.
"""

import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import ipywidgets
from ipywidgets.widgets.widget import _instances

from kan_widgets.live import cells
from kan_widgets.live.not_copied import NotCopied

T = TypeVar("T")


class SelfClosing(NotCopied):
    """A widget that ends when nobody holds or shows it; comes before ipywidgets' classes."""

    comm: Any
    layout: Any
    _own_layout: Any = None
    _is_forgotten = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        layout = options.get("layout")
        super().__init__(*arguments, **options)
        answer_during_cells(self)
        if not isinstance(layout, ipywidgets.Layout):
            self._own_layout = self.layout

    def open(self) -> None:
        """Open the comm, which does not keep the widget alive."""
        super().open()  # type: ignore[misc]
        # Where it is shown through IPython alone, or cannot be shown, it goes when unseen.
        if type(self.comm).__module__.partition(".")[0] not in ("ipykernel", "comm"):
            return
        self.comm.on_msg(weakly(self._handle_msg))  # type: ignore[attr-defined]
        _instances[self.comm.comm_id] = weakref.proxy(self)
        _places.clear()

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return the state, defaults too: the page knows none, and anywidget's code is one."""
        state: dict[str, Any] = super().get_state(key)  # type: ignore[misc]
        return state

    def __del__(self) -> None:
        """End when nobody holds the widget."""
        self._is_forgotten = True
        if not sys.is_finalizing():  # what closes it may be gone by then
            self.close()

    def close(self) -> None:
        """Remove the widget from the page, with what belongs to it."""
        if self.comm is None:  # closed already, or never made
            return
        if self._is_forgotten:
            _places.leave(self)
        else:
            super().close()  # type: ignore[misc]
        self._end()
        if self._own_layout is not None and self._is_forgotten:
            _places.leave(self._own_layout)
        elif self._own_layout is not None:
            self._own_layout.close()

    def _end(self) -> None:
        """Release resources, without a lock: a thread that holds one may wait for this."""

    def _close_inside(self, views: "Iterable[SelfClosing]") -> None:
        """Close views in this one, unless it was only forgotten: others may hold one of them."""
        if not self._is_forgotten:
            for view in views:
                view.close()


class _Places:
    """Places in ipywidgets' list of widgets whose widgets are forgotten.

    A widget may be forgotten in any thread, while another walks through the list (as for a page
    that is loaded again) and fails if its length changes. So something that is in the list anyway
    takes the place, until the next widget is made.
    """

    def __init__(self) -> None:
        self._left: list[str] = []
        self._in_place: ipywidgets.Layout | None = None

    def leave(self, widget: Any) -> None:
        """Close a widget whose place in the list stays."""
        comm, widget.comm = widget.comm, None
        if comm is not None:
            _instances[comm.comm_id] = self._in_place
            self._left.append(comm.comm_id)
            comm.close()

    def clear(self) -> None:
        """Give the places up: a widget is being made, and nobody walks through the list."""
        if self._in_place is None or self._in_place.comm is None:
            self._in_place = ipywidgets.Layout()
        while self._left:
            _instances.pop(self._left.pop(), None)


_places = _Places()


def weakly(method: Callable[..., T]) -> Callable[..., T | None]:
    """Return a function that calls a method while its object lives, without keeping it alive."""
    ref = weakref.WeakMethod(method)

    def call(*arguments: Any) -> T | None:
        bound = ref()
        return None if bound is None else bound(*arguments)

    return call


def answer_during_cells(widget: Any) -> None:
    """Let what is clicked in a widget reach Python while a cell runs, where the kernel can do that.

    ipykernel 7 handles messages of a comm on the thread that last published on it,
    which a running cell keeps busy. JupyterLab asks for a thread of its own (a subshell)
    for comms; this lets it have its way.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda data, asked: asked


class _Outputs(cells.CellListener):
    """What the cells of the notebook show, and the stills that wait for the end of one."""

    def __init__(self) -> None:
        self._shown: dict[str, list[SelfClosing]] = {}
        self._due: dict[threading.Thread, list[Callable[[], None]]] = {}

    def show(self, widget: "SelfClosing") -> None:
        """Hold what a cell shows now."""
        cells.add_listener(self)
        cell = cells.here()
        if cell is None or _is_captured():
            keep_open(widget)
        elif not any(widget is shown for shown in self._shown.setdefault(cell, [])):
            self._shown[cell].append(widget)

    def cell_started(self, cell: str | None) -> None:
        """Let go of what the cell showed before: the page has removed it."""
        if cell is None:
            return
        for widget in self._shown.pop(cell, []):
            if not any(widget is other for shown in self._shown.values() for other in shown):
                _forget_output(widget)

    def draw_at_cell_end(self, draw: Callable[[], None]) -> bool:
        """Draw the still of a view shown now when its cell ends; return whether that can be.

        Not where no cell runs, nor where an Output widget takes what is shown: what it has taken
        cannot be renewed.
        """
        cells.add_listener(self)
        thread = threading.current_thread()
        if not cells.runs_in(thread) or _is_captured():
            return False
        due = self._due.setdefault(thread, [])
        if draw not in due:
            due.append(draw)
        return True

    def before_cell_end(self) -> None:
        """Draw the stills that wait, in the cell's thread, before the cell is said to be over."""
        for draw in self._due.pop(threading.current_thread(), []):
            draw()


_outputs = _Outputs()
#: Keep a widget that is being shown: until its cell runs again, or else until it is closed.
show = _outputs.show
draw_at_cell_end = _outputs.draw_at_cell_end


def keep_open(widget: "SelfClosing") -> None:
    """Keep a widget until it is closed, as ipywidgets does."""
    if widget.comm is not None:
        _instances[widget.comm.comm_id] = widget


def _is_captured() -> bool:
    """Whether an Output widget takes what is shown now: it may stand anywhere."""
    # By its type: a weak proxy whose object is gone raises when it is asked for its class.
    widgets = list(_instances.values())
    return any(widget.msg_id for widget in widgets if issubclass(type(widget), ipywidgets.Output))


def _forget_output(widget: "SelfClosing") -> None:
    """Take a widget out of ``Out``, ``_`` and ``_7``: IPython keeps 1,000 results there."""
    shell = sys.modules["IPython"].get_ipython()
    results = shell.user_ns.get("_oh", {})
    numbers = [number for number, result in results.items() if result is widget]
    for number in numbers:
        del results[number]
    for place in (shell.user_ns, shell.user_ns_hidden, vars(shell.displayhook)):
        for name in ("_", "__", "___", *(f"_{number}" for number in numbers)):
            if place.get(name) is widget:
                place[name] = None
