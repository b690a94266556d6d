"""TrainingPanel: how the training goes, and the hand on its switch."""

from __future__ import annotations

import difflib
import weakref
from functools import partial
from typing import Any, Literal

import anywidget
import ipywidgets
import traitlets
from PIL import Image
from torch import nn

from kan_widgets.live import Frame, Replay, Source, State
from kan_widgets.live.binding import Binding
from kan_widgets.live.scalars import Scalars
from kan_widgets.live.source import hear_reports
from kan_widgets.widgets import training_still
from kan_widgets.widgets.bundle import bundle
from kan_widgets.widgets.chart import Chart
from kan_widgets.widgets.curves import Range, belongs_to
from kan_widgets.widgets.figure import Series
from kan_widgets.widgets.follower import Follower, let_go
from kan_widgets.widgets.lifetime import close_parts, weakly
from kan_widgets.widgets.painter import Painter
from kan_widgets.widgets.pictured import Pictured
from kan_widgets.widgets.stream import answer_during_cells
from kan_widgets.widgets.view import Choice, _source_for, kept

_OPTIONS = ("height", "smoothing", "scale", "theme", "layout")
_REPORTS = 5


class _Controls(anywidget.AnyWidget):
    """The buttons and the numbers. Their traits are set by the panel's painter only."""

    _esm = bundle("training_panel.js")
    _css = bundle("training_panel.css")

    status = traitlets.Dict().tag(sync=True)
    """What `status_of` gives, with ``"reports"``: what views complained of."""
    theme = Choice(["auto", "light", "dark"]).tag(sync=True)
    own = traitlets.Unicode().tag(sync=True)
    """The widget's own id, by which the page asks whether a kernel is behind it."""


class TrainingPanel(Pictured, ipywidgets.VBox):  # type: ignore[misc]
    """State, numbers, curves and controls of a training.

    Pause, resume, single steps and stop act between two optimizer steps, in a plain
    blocking cell too where the kernel can do that (ipykernel 7); elsewhere they act when
    the cell ends, and the panel says so. The curves are what ``live.log(loss=…,
    accuracy=…)`` was given, one panel for each quantity.

    Parameters
    ----------
    live_or_model
        A binding made by `kan_widgets.bind`; a recording, of which it shows the numbers and
        curves, without the controls; or a model: its open binding is used, or else a new one.
    height : int
        Pixels of each panel of curves, at least 100.
    smoothing : int
        A thin line shows the mean of each curve over so many steps around each step, with the
        values themselves faint behind; 0 for none. Numbers in print are never smoothed.
    scale : {"linear", "log"}
        Of the values of the curves.
    theme : {"auto", "light", "dark"}
        Follows JupyterLab when "auto".
    layout : ipywidgets.Layout or dict, optional
        CSS of the box.

    Attributes
    ----------
    chart : Chart
        The curves; ``chart.tools`` has ``scale``, ``smoothing`` and ``zoom``.

    Raises
    ------
    TypeError
        For an unknown keyword, or if neither a binding nor a model is given.
    ValueError
        If the height is below 100.
    traitlets.TraitError
        If another value is not one of those above.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> from kan_widgets.widgets.training_panel import TrainingPanel
    >>> live = kw.bind(model := kw.nn.KANLinear(2, 1))
    >>> panel = TrainingPanel(live, smoothing=0)
    >>> for step in range(3):
    ...     live.log(step, loss=1 / (1 + step))
    >>> panel.image(width=600).size[0]
    1200
    """

    def __init__(self, live_or_model: Source | nn.Module, **options: Any) -> None:
        for name in options:
            if name not in _OPTIONS:
                near = difflib.get_close_matches(name, _OPTIONS, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise TypeError(
                    f"TrainingPanel takes no keyword {name!r}.{hint} "
                    f"It takes {', '.join(_OPTIONS)}."
                )
        source = _source_for(live_or_model)
        if not isinstance(source, Binding | Replay):
            raise TypeError(
                f"{source!r:.80}: nothing trains there; give the binding that kan_widgets.bind "
                "returned, or a recording (kan_widgets.replay)"
            )
        self._kept = kept(live_or_model)
        given = {name: options.pop(name) for name in ("layout",) if name in options}
        theme = options.setdefault("theme", "auto")
        self._live: weakref.ref[Binding | Replay] = weakref.ref(source)
        self._status: dict[str, Any] = status_of(source)
        self._reports: tuple[str, ...] = ()
        self._drawn: tuple[object, ...] = ()
        self._numbers_painter = Painter(self._draw_numbers, fps=5)
        self._chart_painter = Painter(self._draw_chart, fps=4)
        self.chart = Chart(**options, changed=self._chart_painter.wake)
        self._controls = _Controls(theme=theme, status=self._status | {"reports": []})
        self._controls.own = self._controls.model_id or ""
        super().__init__([self._controls, self.chart], **given)
        self.add_class("kw-panel")
        if self.layout.width is None:
            self.layout.width = "100%"
        for widget in (self, self._controls):
            answer_during_cells(widget)
        self._controls.on_msg(weakly(self._answer))
        self._listener = _Follower(self)
        source.subscribe(self._listener)
        hear_reports(self._listener)
        self._numbers_painter.now()
        self._chart_painter.now()

    @property
    def live(self) -> Binding | Replay:
        """The binding or recording that the panel shows; a later one if that has been replaced.

        Raises
        ------
        RuntimeError
            If it is gone, with its model: the panel shows how it was last.
        """
        live = self._live()
        if live is None:
            raise RuntimeError("the model this panel showed is gone; bind another for a new panel")
        return live

    # -- drawing ----------------------------------------------------------------------

    def _wake(self) -> None:
        self._numbers_painter.wake()
        self._chart_painter.wake()

    def _follow(self, source: Source) -> None:
        """Show the binding that has taken the place of the one shown."""
        if isinstance(source, Binding):
            self._live = weakref.ref(source)
            self._wake()

    def _hear(self, message: str) -> None:
        self._reports = (*self._reports, message)[-_REPORTS:]
        self._numbers_painter.wake()

    def _draw_numbers(self) -> None:
        if (live := self._live()) is not None:
            self._status = status_of(live)
        self._controls.status = self._status | {"reports": list(self._reports)}

    def _draw_chart(self) -> None:
        live = self._live()
        if live is None:
            self.chart.draw()
            return
        scalars = live.scalars
        if self._drawn and self._drawn[0] is not scalars:
            self.chart.forget()
        tools = self.chart.tools
        drawn = (scalars, scalars.version, tools.scale, tools.smoothing, tuple(tools.zoom))
        if drawn == self._drawn:
            return
        for name in scalars.names:
            panel, kind = belongs_to(name)
            if not self.chart.has(panel, name):
                everything = partial(scalars.series, name)
                thinned = partial(_thinned, scalars, name)
                self.chart.follow(panel, name, everything, thinned=thinned, kind=kind)
        self.chart.set_marks([(mark.step, mark.text) for mark in scalars.marks])
        self.chart.draw()
        self._drawn = drawn

    # -- what the page asks -----------------------------------------------------------

    def _answer(self, _: Any, content: dict[str, Any], __: Any) -> None:
        """Do what was clicked. On a thread of its own while a cell runs, where possible."""
        live = self._live()
        refused = ""
        if isinstance(live, Replay):
            if content.get("kind") != "hello":
                refused = live.words
        elif live is not None:
            live.control.heard()
            try:
                _act(live, content)
            except (TypeError, ValueError, IndexError, RuntimeError) as error:
                refused = str(error)
        elif content.get("kind") != "hello":
            refused = "the model of this panel is gone"
        # The numbers go out before the answer, so that nothing old comes after it.
        self._numbers_painter.now()
        self._controls.send(
            {
                "kind": "heard",
                "id": content.get("id"),
                "refused": refused,
                "status": self._controls.status,
            }
        )

    # -- the picture ------------------------------------------------------------------

    def image(
        self, *, width: int = 900, pixel_ratio: float = 2, theme: str | None = None
    ) -> Image.Image:
        """Draw numbers and curves as a picture, without a browser.

        Parameters
        ----------
        width
            CSS pixels.
        pixel_ratio
            Picture pixels per CSS pixel.
        theme
            ``"light"`` or ``"dark"``; the panel's own by default, ``"auto"`` is light.

        Returns
        -------
        PIL.Image.Image
            ``width * pixel_ratio`` pixels wide.
        """
        if theme not in (None, "auto", "light", "dark"):
            raise ValueError(f"theme={theme!r}: one of 'auto', 'light', 'dark' is taken")
        dark = (theme or self._controls.theme) == "dark"
        colours: Literal["light", "dark"] = "dark" if dark else "light"
        self._chart_painter.now()
        live = self._live()
        curves = self.chart.image(width=width, pixel_ratio=pixel_ratio, theme=colours)
        return training_still.render(
            self._status if live is None else status_of(live),
            curves,
            pixel_ratio=pixel_ratio,
            theme=colours,
        )

    def _end(self) -> None:
        # Perhaps before all was made.
        if hasattr(self, "_listener"):
            let_go(self._live())
            self._numbers_painter.close()
            self._chart_painter.close()
            self._close_inside([self.chart])
            close_parts([self._controls])
            self._kept = None


class _Follower(Follower[TrainingPanel]):
    """Hears of a training for a panel; only wakes its painters."""

    def _wake(self) -> None:
        if (panel := self.view) is not None:
            panel._wake()

    def on_training(self) -> None:
        """Note that there is news of the training."""
        self._wake()

    def on_frame(self, frame: Frame, settled: bool) -> None:
        """Note that steps were made."""
        self._wake()

    def on_state(self, state: State, message: str) -> None:
        """Note that it began or ended."""
        self._wake()

    def on_replaced(self, source: Source) -> None:
        """Follow the new binding."""
        if (panel := self.view) is not None:
            panel._follow(source)

    def on_report(self, message: str) -> None:
        """Show what a view complains of."""
        if (panel := self.view) is not None:
            panel._hear(message)


def status_of(live: Binding | Replay) -> dict[str, Any]:
    """Return what the page shows of a training, as JSON."""
    progress = live.progress
    control = live.control if isinstance(live, Binding) else None
    return {
        "state": progress.state,
        "control": "running" if control is None else control.state,
        "holding": control is not None and control.is_holding,
        "closed": live.state in ("closed", "fault"),
        "recording": live.words if isinstance(live, Replay) else "",
        "fault": live.message,
        "step": progress.step,
        "epoch": progress.epoch,
        "epochs": progress.epochs,
        "done": progress.batches_done,
        "total": progress.batches_total,
        "rate": progress.steps_per_second,
        "elapsed": progress.elapsed,
        "remaining": progress.remaining,
        "share": progress.share,
        "source": progress.data_source,
        "message": progress.message,
        "traceback": progress.traceback,
        "output": progress.output,
        "every": live.every,
        "rates": live.learning_rates,
    }


def _act(live: Binding, content: dict[str, Any]) -> None:
    kind, control = content.get("kind"), live.control
    if kind == "pause":
        control.pause()
    elif kind == "resume":
        control.resume()
    elif kind == "advance":
        control.advance(content["steps"])
    elif kind == "stop":
        control.stop()
    elif kind == "every":
        live.every = content["value"]
        live.tell_training()
    elif kind == "rate":
        live.set_learning_rate(content["value"], content.get("group"))


def _thinned(scalars: Scalars, name: str, window: Range | None, points: int) -> Series:
    low, high = window or (None, None)
    return scalars.decimated(name, low, high, points)
