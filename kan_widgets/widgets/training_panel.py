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
from kan_widgets.widgets.shell.curves_view import CurvesView, LoggedCurve
from kan_widgets.widgets.shell.options import option
from kan_widgets.widgets.shell.view import ModelView

if TYPE_CHECKING:
    from kan_widgets.live import Binding

_REPORTS = 5


class TrainingPanel(CurvesView, ModelView):
    """State, numbers, curves and controls of a training run.

    Pause, resume, single steps and stop act between two optimizer steps, in a plain
    blocking cell too where the notebook kernel can (ipykernel 7); elsewhere they act when
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
    """The record of `_status_of`, with ``"reports"``: faults that views told. Like the curves and
    the marks it is set by the panel's draw job only."""
    height: int | None = option(
        """Pixels of each panel of curves, at least 100; by default it grows with the width.""",
        default=None,
        min=100,
    )

    def _take(self, values: dict[str, Any]) -> None:
        super()._take(values)
        self._reports: tuple[str, ...] = ()
        # Beside a picture of functions, numbers are to be of about the same step.
        self._draw_job = self._throttled_job(self._draw, fps=4, weight=3)
        self._draw_job.waits = True  # for the training's thread: it computes for a millisecond

    def _begin(self) -> None:
        super()._begin()
        news = dict.fromkeys(("on_training", "on_frame", "on_state", "on_replaced"), self._wake)
        self._listen(**news, on_report=self._hear)
        hear_reports(self._listener)
        self._bring_up_to_date()

    def _check_options(self, options: dict[str, Any], source: Source) -> None:
        if not (is_binding(source) or isinstance(source, Replay)):
            raise TypeError(
                f"{source!r:.80}: expected the binding that kan_widgets.bind returned or a "
                "recording (kan_widgets.replay), where something trains"
            )

    def _hear(self, message: str) -> None:
        self._reports = (*self._reports, message)[-_REPORTS:]
        self._wake()

    def _source(self) -> Binding | Replay | None:
        source = self._stream.source
        return source if is_binding(source) or isinstance(source, Replay) else None

    def _draw(self) -> None:
        """Set numbers and curves together, all as of one step."""
        source = self._source()
        with self.hold_sync():
            if source is None:
                status = self.status | {"closed": True}
            else:
                log, step = source.scalars, source.progress.step
                self._draw_logged([log], ([mark.step, mark.text] for mark in log.marks))
                status = _status_of(source)
                # A step is made before its loss is logged: then the curves say how far they are.
                ends = [int(np.frombuffer(curve["x"])[-1]) for curve in self.curves if curve["x"]]
                makes_steps = status["state"] == "running" and not status["holding"]
                if makes_steps and ends and max(ends) >= step - 1:
                    status["step"] = max(ends)
            self.status = status | {"reports": list(self._reports)}

    def _bring_up_to_date(self) -> None:
        self._draw_job.now()

    def _picture_options(self, options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        return options if self._source() is None else options | {"curves": self._wire(**options)}

    def _drawn_curves(self) -> Sequence[LoggedCurve]:
        source = self._source()
        if source is None:
            return ()
        log = source.scalars
        # Curves of training data have one colour, those of held-out data another.
        of = {name: belongs_to(name) for name in log.names}
        return [LoggedCurve(panel, name, data, log, name) for name, (panel, data) in of.items()]


def _status_of(live: Binding | Replay) -> dict[str, Any]:
    """Return what the page shows of a training, as JSON."""
    feed, progress = live.feed, live.progress
    control = feed.control
    return {
        "state": progress.state,
        "control": "running" if control is None else control.state,
        "holding": control is not None and control.is_holding,
        "closed": live.state in ("closed", "fault"),
        "recording": live.words if isinstance(live, Replay) else "",
        "steered": control is not None,
        "step": progress.step,
        "epoch": progress.epoch,
        "epochs": progress.epochs,
        "done": progress.batches_done,
        "total": progress.batches_total,
        "rate": progress.steps_per_second,
        "mean_rate": progress.timed_steps / progress.seconds if progress.seconds else 0.0,
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
