"""TrainingPanel: how the training goes, and the controls that steer it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from kan_widgets.live import Replay, Source, is_binding
from kan_widgets.live.frames.progress import duration
from kan_widgets.live.frames.scalars import belongs_to
from kan_widgets.live.reports import hear_reports
from kan_widgets.widgets.curves import CurvesView, Logged
from kan_widgets.widgets.lifetime import weakly
from kan_widgets.widgets.options import drawing, option
from kan_widgets.widgets.view import ModelView

if TYPE_CHECKING:
    from torch import nn

    from kan_widgets.live import Binding

_REPORTS = 5
_MARKS = 100


class TrainingPanel(CurvesView, ModelView):
    """State, numbers, curves and controls of a training run.

    Pause, resume, single steps and stop act between two optimizer steps, in a plain
    blocking cell too where the kernel can do that (ipykernel 7); elsewhere they act when
    the cell ends, and the panel says so. The curves are what ``live.log(loss=…,
    accuracy=…)`` was given, one panel for each quantity.

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

    _kind = "training_panel"
    _is_wide = True
    _draws_frames = False

    status = traitlets.Dict().tag(sync=True)
    """What `status_of` gives, with ``"reports"``: what views complained of. Like the curves and
    the marks it is set by the panel's painters only."""
    every = traitlets.Int(1, min=1).tag(sync=True)
    """A frame is taken every so many steps: that of the binding, which follows it."""
    own = traitlets.Unicode().tag(sync=True)
    """The widget's own id, by which the page asks whether a kernel is behind it."""
    height: int | None = option(
        """Pixels of each panel of curves, at least 100; by default it grows with the width.""",
        default=None,
        min=100,
    )

    def _take(self, values: dict[str, Any]) -> None:
        super()._take(values)
        self._reports: tuple[str, ...] = ()
        self._drawn: tuple[object, ...] = ()
        self._every = 1
        self._numbers_painter = self._painted(self._draw_numbers, fps=2)
        self._curves_painter = self._painted(self._draw_curves, fps=4)

    def _begin(self) -> None:
        super()._begin()
        self.own = self.model_id or ""
        self.on_msg(weakly(self._answer))
        news = dict.fromkeys(("on_training", "on_frame", "on_state", "on_replaced"), self._wake)
        self._listen(**news, on_report=self._hear)
        hear_reports(self._listener)
        self.observe(weakly(self._take_every), "every")
        self._bring_up_to_date()

    def _check_options(self, options: dict[str, Any], source: Source) -> None:
        if not (is_binding(source) or isinstance(source, Replay)):
            raise TypeError(
                "expected the binding that kan_widgets.bind returned or a recording "
                f"(kan_widgets.replay), where something trains, got {source!r:.80}"
            )

    # -- drawing ----------------------------------------------------------------------

    def _wake(self, *_: Any) -> None:
        self._numbers_painter.wake()
        self._curves_painter.wake()

    def _redraw(self, *_: Any) -> None:
        self._curves_painter.wake()

    def _hear(self, message: str) -> None:
        self._reports = (*self._reports, message)[-_REPORTS:]
        self._numbers_painter.wake()

    def _source(self) -> Binding | Replay | None:
        source = self._stream.source
        return source if is_binding(source) or isinstance(source, Replay) else None

    def _draw_numbers(self) -> None:
        source = self._source()
        status = self.status | {"closed": True} if source is None else status_of(source)
        self.status = status | {"reports": list(self._reports)}

        # Only where it has changed there: it may just have been set here.
        if source is not None and source.every != self._every:
            self._every = self.every = source.every

    @traitlets.validate("every")
    def _validate_every(self, proposal: Any) -> int:
        every: int = proposal["value"]
        source = self._source()
        if isinstance(source, Replay) and every != source.every and source.feed.remote is None:
            raise ValueError(f"every={every}: {source.words}")
        return every

    def _take_every(self, change: Any) -> None:
        self._every, source = change["new"], self._source()
        if source is None or source.every == self._every:
            return
        source.feed.steer({"kind": "every", "value": self._every})

    def _draw_curves(self) -> None:
        if (source := self._source()) is None:
            return
        scalars = source.scalars
        drawn = (scalars, scalars.version, self.scale, self.smoothing, tuple(self.zoom))
        if drawn == self._drawn:
            return
        with self.hold_sync():
            self.marks = [[mark.step, mark.text] for mark in scalars.marks[-_MARKS:]]
            self.curves = self._wire()
        self._drawn = drawn

    def drawn_latest(self, name: str) -> float | None:
        """Return the latest value of a series as the curves show it; ``None`` before they do."""
        for curve in self.curves:
            if curve["name"] == name and len(curve["latest"]):
                return float(np.frombuffer(curve["latest"])[0])
        return None

    # -- what the page asks -----------------------------------------------------------

    def _answer(self, _: Any, content: dict[str, Any], __: Any) -> None:
        """Do what was clicked. On a thread of its own while a cell runs, where possible."""
        live = self._source()
        refused = ""
        if is_binding(live):
            live.control.heard()
        if content.get("kind") != "hello":
            try:
                if live is None:
                    raise RuntimeError("the model of this panel is gone")
                live.feed.steer(content)
            except (LookupError, OSError, TypeError, ValueError, RuntimeError) as error:
                refused = str(error)
        # The numbers go out before the answer, so that nothing old comes after it.
        self._numbers_painter.now()
        self.send(
            {
                "kind": "heard",
                "id": content.get("id"),
                "refused": refused,
                "status": self.status,
            }
        )

    @drawing
    def svg(self, **options: Any) -> str:
        """Return the current state as the text of an SVG; parameters are those of ``image``."""
        self._bring_up_to_date()
        return super().svg(**options)

    def _bring_up_to_date(self) -> None:
        self._numbers_painter.now()
        self._curves_painter.now()

    def _picture_options(self, options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        return options if self._source() is None else options | {"curves": self._wire(**options)}

    def _drawn_curves(self) -> Sequence[Logged]:
        source = self._source()
        if source is None:
            return ()
        log = source.scalars
        # Curves of data that is trained on have one colour, and those of held-out data.
        of = {name: belongs_to(name) for name in log.names}
        return [Logged(panel, name, data, log, name) for name, (panel, data) in of.items()]


def status_of(live: Binding | Replay) -> dict[str, Any]:
    """Return what the page shows of a training, as JSON."""
    progress, feed = live.progress, live.feed
    return {
        "state": progress.state,
        "control": feed.control_state,
        "holding": feed.is_held,
        "closed": live.state in ("closed", "fault"),
        "recording": live.words if isinstance(live, Replay) else "",
        "steered": not isinstance(live, Replay) or live.feed.remote is not None,
        "step": progress.step,
        "epoch": progress.epoch,
        "epochs": progress.epochs,
        "done": progress.batches_done,
        "total": progress.batches_total,
        "rate": progress.steps_per_second,
        "mean_rate": progress.timed_steps / progress.seconds if progress.seconds else 0.0,
        "kernels": "" if isinstance(live, Replay) else _kernels_of(live.model),
        "elapsed": duration(progress.elapsed or None),
        "remaining": duration(progress.remaining),
        "share": progress.share,
        "source": progress.data_source,
        "paced": duration(progress.paced),
        "message": progress.message,
        "traceback": progress.traceback,
        "output": progress.output,
        "every": live.every,
        "rates": feed.learning_rates,
        **feed.notices,
    }


def _kernels_of(model: nn.Module | None) -> str:
    """Say how the layers of `kan_widgets.nn` in a model compute; nothing of other models."""
    # A recording is shown without torch.
    from kan_widgets.nn import KANLayer, kernels_info

    if model is None or not any(isinstance(module, KANLayer) for module in model.modules()):
        return ""
    try:
        return kernels_info()
    except ValueError as error:  # of a variable of the environment
        return str(error)
