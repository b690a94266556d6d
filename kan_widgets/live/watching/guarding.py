"""The part of a binding that raises alarms, can do something about them, and obeys from afar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.recordings.recorder import Recorder
from kan_widgets.live.reports import Callback
from kan_widgets.live.steering.alarms import Alarm, Limits
from kan_widgets.live.steering.cures import BUTTONS, Cures
from kan_widgets.live.steering.remote import RemoteControl
from kan_widgets.live.steering.watchdog import Watchdog
from kan_widgets.live.watching.learning import Learning


class Guarding(Learning):
    """A source of frames that looks whether its training goes wrong."""

    cures: Cures
    _watchdog: Watchdog

    def watchdog(
        self,
        *,
        outside: float = 0.5,
        dead: float = 0.1,
        exploding: float = 100.0,
        steps: int = 100,
        tell: Callable[[Alarm], object] | None = None,
    ) -> Watchdog:
        """Say from when on something counts as wrong, and who is told.

        A binding looks by itself, about once a second, in 0.6 % of the time at most: at the
        frames it takes, the losses logged, the inputs that were observed, and the gradients at
        steps with a frame. It makes no forward pass and changes nothing. What it finds is shown
        in `TrainingPanel`, with its likely cause and its cure, and is in the recording. It finds

        - a loss (a curve called so) that is not finite;
        - coefficients that are not finite;
        - a layer more than ``outside`` of whose observed inputs lie outside its grid;
        - functions on a grid that have had no gradient for ``steps`` steps, where they are more
          than ``dead`` of their layer. Functions that are 0 were pruned, and do not count;
        - splines that have not moved for ``steps`` steps while other layers change, unless their
          parameters are frozen;
        - a layer whose φ reaches more than ``exploding`` times as far as any did at first, and as
          far as ``exploding``.

        Parameters
        ----------
        outside, dead
            Shares, 0 to 1.
        exploding
            A factor above 1.
        steps
            At least 1.
        tell
            Called with each new `Alarm`, by a thread in the background: a function, or what sends
            it to a tracker. What it raises is a warning.

        Returns
        -------
        Watchdog
            With ``alarms``: what goes wrong at present.

        Raises
        ------
        TypeError, ValueError
            If a limit is out of range, or ``tell`` cannot be called. Nothing has changed then.

        Examples
        --------
        >>> import kan_widgets as kw
        >>> live = kw.bind(model := kw.nn.KANLinear(2, 3))
        >>> live.log(loss=float("nan"))
        >>> [alarm] = live.watchdog(tell=print).look()  # doctest: +ELLIPSIS
        loss is nan since step 0. Mostly the steps are too large, ...
        """
        limits = Limits(outside, dead, exploding, steps)
        if tell is not None and not callable(tell):
            raise TypeError(f"tell={tell!r:.80}: expected a function of an alarm")
        self._watchdog.limits = limits
        self._watchdog.tell = None if tell is None else Callback("live.watchdog", tell)
        self._watchdog.wake()
        return self._watchdog

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What goes wrong at present, the oldest first; see ``watchdog``."""
        return self._watchdog.alarms

    def cure(self, alarm: str) -> None:
        """Do what the button of an alarm says, between two steps; ``live.cures.undo()`` undoes it.

        Parameters
        ----------
        alarm
            Its ``id``.

        Raises
        ------
        ValueError
            If there is no such alarm now, or nothing can be done about it from here.
        RuntimeError
            If there is no optimizer, or no batch to go by.
        """
        known = {each.id: each for each in self.alarms}
        if alarm not in known:
            words = ", ".join(map(repr, known)) or "there is none"
            raise ValueError(f"alarm={alarm!r:.80}: the alarms now are: {words}")
        self.cures.apply(known[alarm])

    @property
    def notices(self) -> dict[str, Any]:
        """What goes wrong, and what was done about it, as JSON for the panel."""
        cures, cured = self.cures, None
        if cures.message:
            cured = {"text": cures.message, "undo": False}
        elif cures.done:
            cured = {"text": cures.done[-1].what, "undo": True}
        alarms = [
            {
                "id": alarm.id,
                "text": alarm.what,
                "more": f"{alarm.cause} {alarm.cure}",
                "button": BUTTONS.get(alarm.button, ""),
            }
            for alarm in self.alarms
        ]
        return {"alarms": alarms, "cured": cured}

    def _be_steered(self, recorder: Recorder, lost_after: float) -> RemoteControl:
        def steered() -> Guarding | None:
            source = recorder.source()
            return source if isinstance(source, Guarding) and source.is_open else None

        return RemoteControl(recorder.path, recorder.run, lost_after, steered, recorder.say_soon)

    @property
    def last_inputs(self) -> torch.Tensor | None:
        """Inputs of the model that were seen last, by a loop or by ``observe``."""
        inputs = self._training.batch.inputs
        return self._seen if inputs is None else inputs

    def first_frame(self) -> Frame:
        """Return the first frame of the history."""
        return self._history[0]

    def trained_layers(self) -> Mapping[str, bool | None]:
        """Return of each layer whether the optimizer has its parameters; ``None`` if frozen."""
        optimizer = self.optimizer
        groups = [] if optimizer is None else optimizer.param_groups
        held = {id(parameter) for group in groups for parameter in group["params"]}
        found: dict[str, bool | None] = {}
        for name in self.layers:
            module = self.place_of(name, (0, 0, 0, 0)).module
            free = [each for each in module.parameters() if each.requires_grad]
            found[name] = any(id(each) in held for each in free) if free else None
        return found

    def tell_training(self) -> None:
        """Tell the views that something about the training changed, other than the model."""
        self._watchdog.wake()
        super().tell_training()

    def _inherit_alarms(self, earlier: Guarding) -> None:
        """Go by the limits of an earlier binding of the model, and tell whom it told."""
        self._watchdog.limits, self._watchdog.tell = (
            earlier._watchdog.limits,
            earlier._watchdog.tell,
        )
