"""Explain: which functions and kernels made the score of a class for one image."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import InitVar
from typing import TYPE_CHECKING, Any

import traitlets
from numpy.typing import NDArray

from kan_widgets.live import Frame, Source, State, is_binding
from kan_widgets.live.budget import Throttle
from kan_widgets.live.frames.layout import Names
from kan_widgets.live.worker import Job, scheduler
from kan_widgets.widgets.numbers.layer_shares import SharePart, share_parts
from kan_widgets.widgets.shell.options import LayerName, Theme, layer_name, option
from kan_widgets.widgets.shell.view import ModelView
from kan_widgets.widgets.wire.lifetime import weakly
from kan_widgets.widgets.wire.messages import array_dict

if TYPE_CHECKING:
    from torch import Tensor, nn

    from kan_widgets.insight import Explanation
    from kan_widgets.live import Binding

# Explaining again by itself may take this share of the time, while a model trains and at rest.
_SHARE, _SHARE_AT_REST = 0.01, 0.2
_EXPLAINS = "explain the layer shown"


class Explain(ModelView):
    """What made the score of one class for one image, layer by layer.

    In the last layer the score is a sum of functions φ(x), shown exactly, and laid out over
    the image where they come from places of a feature map. For each convolution before it, the
    kernels share the change of the score from their means: see `kan_widgets.insight.explain`
    for what that says and what it does not. A click on a bar, a small map or a place of a map
    of functions selects its function in all views of the model; a function selected elsewhere
    is marked here. A click on a class explains that one.

    A picture made by ``image``, ``to_png`` or ``to_svg`` shows all layers, one below the other,
    as far as ``max_height`` goes, or the one that is given as ``layer``, to it or to the view.

    After ``live.observe(batch)`` a kernel's usual response is its mean over that batch, and
    each function is shown beside its own, until the model has trained on; without, the mean is
    over the places of this image.
    It follows the model. While that trains, the layer shown is explained again between two steps,
    in the thread that trains and without a trace, as often as takes a hundredth of the time, and
    once more when the training pauses or ends; another layer is when it is chosen. What is shown
    names its step, and a click on it explains again where it stays behind. ``update()`` explains
    all layers.

    Raises
    ------
    ValueError
        If the model does not take the image, does not end in a layer whose functions can be
        read, or has no such class or layer.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> view = kw.Explain(kw.nn.KANCNN(), torch.zeros(1, 28, 28), target=3)
    >>> view.explanation.target, len(view.explanation.kernels)
    (3, 3)
    """

    _kind = "explain"
    _draws_layers = False
    if not TYPE_CHECKING:  # `image` is a method too, for type checkers the one thing it is
        image: InitVar[Tensor | NDArray[Any]] = option(
            "One input of the model, ``(channels, height, width)`` or ``(features,)``.",
            kw_only=False,
        )
    else:

        def __init__(
            self,
            live_or_model: Source | nn.Module,
            image: Tensor | NDArray[Any],
            target: int | None = None,
            layer: str | int | None = None,
            *,
            top: int = 10,
            theme: Theme = "auto",
            layout: Any = None,
        ) -> None: ...

    target: int | None = option(
        "The class; by default the one with the highest score.", default=None, min=0, kw_only=False
    )
    layer: str | int | None = option(
        "The layer shown first; by default the last.",
        default=None,
        trait=LayerName(),
        kw_only=False,
    )
    top: int = option(
        "How many of the largest shares have a row of their own, 1 to 500.",
        default=10,
        min=1,
        max=500,
    )
    content = traitlets.Dict().tag(sync=True)
    """The image, and the shares of each layer: see js/src/views/explain/content.ts. Like the
    message it is set by the draw job alone."""
    message = traitlets.Unicode().tag(sync=True)

    def _take(self, values: dict[str, Any]) -> None:
        self._image = values.pop("image")
        self._throttle = Throttle(per_second=4, most=_SHARE)
        self._parts: tuple[SharePart, ...] = ()
        self._explanation: Explanation
        self._news = 0
        # By layer, how much news there was when it was last tried, and the step.
        self._tried: dict[str, tuple[int, int]] = {}
        self._is_requested = False  # by the reader, and waits for a step
        self._rested_at = 0.0
        self._computing = threading.RLock()
        self._trouble = ""
        self._job = Job(scheduler, self._follow)
        self._draw_job = self._throttled_job(self._draw, fps=4)

    def _begin(self) -> None:
        self.observe(weakly(self._take_choice), ["target", "layer"])
        self.on_msg(weakly(self._answer))
        news = dict.fromkeys(("on_observed", "on_replaced"), self._changed)
        self._listen(**news, on_frame=self._heard, on_state=self._state_changed)

    def _check_options(self, options: dict[str, Any], source: Source) -> None:
        if not is_binding(source) or source.model is None:
            raise TypeError(
                f"{source!r:.80}: an image runs through a model; give one, or an open binding"
            )
        from kan_widgets.insight.explain import class_number

        options["target"] = class_number(options["target"])
        self._frame, self._pictured = source.frame, options.get("layer")
        self._draws_layers = self._ensemble is not None  # for its bands
        from kan_widgets.functions import read

        # The last layer alone first: refused options cost no more than that.
        self._explain(source, options["target"], ())
        if any(layer.kind == "conv" for layer in read(source.model)):
            self._explain(source, options["target"])
        options["layer"] = self._shown_layer(options.get("layer"))
        options["content"] = self._content()

    def _page_note(self) -> str:
        return "This is as saved: another explanation needs the model."

    @property
    def explanation(self) -> Explanation:
        """The numbers found last: of all layers, or while the model trains of the one shown."""
        return self._explanation

    def update(self, image: Tensor | NDArray[Any] | None = None) -> None:
        """Explain again, with the model and the batch observed as they are now.

        Parameters
        ----------
        image
            Another image, from now on.

        Raises
        ------
        TypeError, ValueError
            As the constructor; what is shown stays.
        """
        before = self._image
        if image is not None:
            self._image = image
        try:
            self._explain(self._source, self.target)
        except Exception:
            self._image = before
            raise
        self._trouble = ""
        self._draw_job.now()

    @property
    def _source(self) -> Binding | None:
        source = self._stream.source
        return source if is_binding(source) and source.model is not None else None

    def _layer_names(self) -> tuple[str, ...]:
        return tuple(part["layer"] for part in self._parts)

    @traitlets.validate("target")
    def _validate_target(self, proposal: Any) -> int | None:
        target: int | None = proposal["value"]
        classes = len(self._explanation.scores)
        if target is not None and target >= classes:
            raise ValueError(f"target={target!r}: expected a class from 0 to {classes - 1}")
        return target

    def _behind(self) -> list[str]:
        """Return the layers that are older than the model, the one shown first."""
        source = self._source
        if source is None or self.comm is None:
            return []
        now = self._news, source.stats.steps
        old = [name for name in self._layer_names() if self._tried.get(name) != now]
        return sorted(old, key=lambda name: name != self.layer)

    def _content(self) -> dict[str, Any]:
        found = self._explanation
        shape = found.map_shape if found.image.ndim == 1 else None
        image = found.image.reshape(shape or found.image.shape)
        return {"image": array_dict(image), "parts": list(self._parts)}

    def _draw(self) -> None:
        with self.hold_sync():
            self.content = self._content()
            self.message = self._trouble

    def _explain(
        self, source: Binding | None, target: int | None, layers: Sequence[str] | None = None
    ) -> None:
        """Explain some layers, all by default; the last layer is always explained.

        Only for threads that may run the model: see `kan_widgets.live.steering.step_queue`. If it
        raises, nothing has changed.
        """
        from kan_widgets.insight import explain

        with self._computing:
            if source is None or (model := source.model) is None:
                raise RuntimeError("the model is gone: bind another for a new view")
            news, start = (self._news, source.stats.steps), time.perf_counter()
            self._tried |= dict.fromkeys(layers or (), news)
            # Inputs of another step are none of this model, and few are seen while it trains.
            rests, seen = source.state != "live", source.feed.observed
            same = {name: one for name, one in seen.items() if rests and one.step == news[1]}
            explanation = explain(model, self._image, target, observed=same or None, layers=layers)
            names = {
                layer.name: Names(layer.names, layer.input_names)
                for layer in source.feed.layout.layers
            }
            parts = {part["layer"]: part for part in share_parts(explanation, news[1], names)}
            self._explanation = explanation
            if layers is None or not self._parts:
                self._parts = tuple(parts.values())
            else:
                self._parts = tuple(parts.get(part["layer"], part) for part in self._parts)
            self._tried |= dict.fromkeys(parts, news)
            cost = time.perf_counter() - start
            self._rested_at = start + cost / _SHARE_AT_REST
            self._throttle.spent(start, cost)

    # -- following the model ----------------------------------------------------------

    def _heard(self, frame: Frame, settled: bool) -> None:
        if frame is not self._frame:
            self._frame = frame
            self._changed()

    def _changed(self, *_: Any) -> None:
        self._news += 1
        self._job.wake()

    def _state_changed(self, state: State, message: str) -> None:
        if state == "idle":
            self._job.earliest = float("-inf")
            self._job.hurry()

    def _follow(self) -> None:
        """Explain the layer shown if it is behind the model, and if that harms no training.

        Where a thread of a script has trained, nobody knows what it does next: only a reader may
        ask.
        """
        source = self._source
        if source is None or self.layer not in self._behind():
            return
        queue, at_rest = source.feed.training.queue, source.state != "live"
        if at_rest and self._is_requested:
            queue.request(_EXPLAINS, self._explain_shown)
        elif (
            wait := (self._rested_at if at_rest else self._throttle.due) - time.perf_counter()
        ) > 0:
            self._job.earliest = time.monotonic() + wait
            self._job.wake()
        elif queue.nothing_trains:
            queue.request(_EXPLAINS, self._explain_shown)
        else:
            queue.defer(_EXPLAINS, self._explain_shown)

    def _explain_shown(self, at_rest: bool) -> None:
        self._is_requested = False
        self._try([str(self.layer)])

    def _try(self, layers: list[str] | None = None) -> None:
        """Explain some layers, all by default; an error is shown in the view."""
        try:
            self._explain(self._source, self.target, layers)
            self._trouble = ""
        except Exception as error:
            self._trouble = f"{type(error).__name__}: {error}"
        self._draw_job.wake()

    # -- what the reader asks ---------------------------------------------------------

    def _take_choice(self, change: Any) -> None:
        if change["name"] == "target":
            self._news += 1
        if self.layer in self._behind():
            self._soon()

    def _answer(self, _: Any, content: dict[str, Any], __: Any) -> None:
        if content.get("kind") == "explain":
            self._soon()

    def _soon(self) -> None:
        """Explain the layer shown now; where the model trains, between two of its steps."""
        source = self._source
        if source is None:
            self._try([str(self.layer)])
        elif not source.feed.training.queue.request(_EXPLAINS, self._explain_shown):
            self._is_requested = True
            self._trouble = "waiting for the next step of the training…"
        self._draw_job.now()

    def _bring_up_to_date(self) -> None:
        source = self._source
        if source is not None and self._behind() and not source.feed.training.trains_elsewhere():
            self._try()
        self._draw_job.now()

    def _end(self) -> None:
        if is_binding(source := self._stream.source):
            source.feed.training.queue.forget(self._explain_shown)
        super()._end()

    def animate(self, path: Any, **options: Any) -> Any:
        """Raise a TypeError: only the model as it is now can be explained."""
        raise TypeError("an explanation is of the model as it is now: it has no history to show")

    def _picture_options(self, options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        if options.get("target", self.target) != self.target:
            raise ValueError(
                f"target={options['target']!r}: a picture is of the class explained, "
                f"{self._explanation.target}; set view.target first"
            )
        # Without a name all layers are drawn, one below the other.
        layer = options.get("layer", self._pictured)
        return options | {"layer": "" if layer is None else self._shown_layer(layer)}

    def _shown_layer(self, layer: str | int | None) -> str:
        return layer_name(layer, self._layer_names())
