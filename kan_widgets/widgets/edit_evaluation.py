"""Views that change functions of the model, and show what that does to a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar
from typing import TYPE_CHECKING, Any

import traitlets

from kan_widgets.live import State, cells, is_binding
from kan_widgets.live.frames.edit import Edit
from kan_widgets.live.reports import report
from kan_widgets.live.worker import thread
from kan_widgets.widgets.options import option
from kan_widgets.widgets.view import ModelView

if TYPE_CHECKING:
    from torch import nn

    from kan_widgets.live.model.edits import Edits


class Evaluated(ModelView):
    """A view that calls ``evaluate`` after an edit, with the function as it was and as it is.

    It is called when the model is not training, so that nothing but its number remains.
    """

    evaluation = traitlets.Dict().tag(sync=True)
    """``{"state", "before", "after"}`` of the last edit; empty without ``evaluate``."""
    notice = traitlets.Unicode().tag(sync=True)
    """What a callback raised last, as shown in the view; empty if nothing."""

    evaluate: InitVar[Callable[[], float] | None] = option(
        """Called without arguments after a function was changed by hand, when the model is not
        training, with the function as it was and as it is: the two numbers, such as accuracies on
        held-out data, are shown and kept in ``evaluation``. It is called without gradients and in
        evaluation mode; mode and torch's random numbers are as before afterwards.""",
        default=None,
    )

    def _take(self, values: dict[str, Any]) -> None:
        self._evaluate: Callable[[], float] | None = values.pop("evaluate", None)
        if self._evaluate is not None and not callable(self._evaluate):
            raise TypeError(f"evaluate={self._evaluate!r:.80}: expected a function")
        self._to_evaluate: Edit | None = None

    def _begin(self) -> None:
        self._listen(
            on_edit=self._note_edit,
            on_state=self._state_changed,
            before_cell_end=self._before_cell_end,
        )
        cells.add_listener(self._listener)

    def _note_edit(self, edits: Edits) -> None:
        """Evaluate after an edit that stands."""
        edit = edits.latest
        if edit is not None and edit.final and not edits.message:
            self.notice = ""
            if self._evaluate is not None:
                self._to_evaluate = edit
                self._evaluate_when_quiet()

    def _state_changed(self, state: State, message: str) -> None:
        """Evaluate when training has gone quiet, but not in the thread that says so."""
        if state == "idle" and self._to_evaluate is not None:
            thread(self._evaluate_when_quiet, "kan_widgets evaluate")

    def _before_cell_end(self) -> None:
        """Evaluate what has waited for the end of a notebook cell."""
        if self._to_evaluate is not None:
            if is_binding(source := self._stream.source):
                source.feed.between.before_cell_end()
            self._evaluate_when_quiet()

    def _evaluate_when_quiet(self) -> None:
        """Evaluate what waits for it, unless the model may be training."""
        # A cell that starts now waits until this is done.
        with cells.between() as free:
            edit, source = self._to_evaluate, self._stream.source
            if edit is None or not is_binding(source) or source.model is None:
                return
            if not free or source.feed.between.trains_elsewhere() or source.edits.is_waiting:
                self.evaluation = {"state": "waiting", "before": None, "after": None}
                return
            self._to_evaluate = None
            self.evaluation = {"state": "running", "before": None, "after": None}
            try:
                with source.edits.without(edit):
                    before = self._score(source.model)
                after = self._score(source.model)
            except Exception as error:
                self.evaluation = {}
                self._complain("evaluate", error)
            else:
                self.evaluation = {"state": "done", "before": before, "after": after}

    def _score(self, model: nn.Module) -> float:
        """Call ``evaluate`` so that nothing but its number remains."""
        from kan_widgets.functions.undisturbed import undisturbed

        evaluate = self._evaluate
        assert evaluate is not None
        return undisturbed(model, lambda: float(evaluate()))

    def _complain(self, what: str, error: Exception) -> None:
        self.notice = f"{what} raised {type(error).__name__}: {error}"
        report(f"{type(self).__name__}: {self.notice}")

    def _end(self) -> None:
        self._evaluate = self._to_evaluate = None
        super()._end()
