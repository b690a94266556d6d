"""Explain: which functions and kernels made the score of a class for one image."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import traitlets
from numpy.typing import NDArray
from torch import Tensor, nn

from kan_widgets.functions import read
from kan_widgets.insight import Explanation, explain
from kan_widgets.insight.explain import class_number
from kan_widgets.live import Binding, Source
from kan_widgets.widgets.choices import Choice, LayerName, layer_name, option
from kan_widgets.widgets.explained import Part, content_of, parts_of
from kan_widgets.widgets.view import View


class Explain(View):
    """What made the score of one class for one image, layer by layer.

    In the last layer the score is a sum of functions φ(x), shown exactly, and laid out over
    the image where they come from places of a feature map. For each convolution before it, the
    kernels share the change of the score from their means: see `kan_widgets.insight.explain`
    for what that says and what it does not. A click on a bar, a small map or a place of a map
    of functions selects its function in all views of the model; a function selected elsewhere
    is marked here. A click on a class explains that one.

    A picture made by ``image``, ``to_png`` or ``to_svg`` shows all layers, one below the other,
    as far as ``max_height`` goes, or the one that is given as ``layer``.

    After ``live.observe(batch)`` a kernel's usual response is its mean over that batch, and
    each function is shown beside its own; without, the mean is over the places of this image.
    The picture is of the model at one step: ``update()`` or the arrow in the view explains
    again; while the model trains that happens between two steps.

    Parameters
    ----------
    live_or_model
        A binding made by `kan_widgets.bind`, or a model.
    image : Tensor or array
        One input of the model, ``(channels, height, width)`` or ``(features,)``.
    target : int, optional
        The class; by default the one with the highest score.
    layer : str or int, optional
        The layer shown first; by default the last.
    top : int
        How many of the largest shares have a bar, 1 to 500.
    theme : {"auto", "light", "dark"}
        ``"auto"`` takes the theme of JupyterLab.

    Raises
    ------
    TypeError
        For an unknown keyword, if neither a binding nor a model is given, or if the image is no
        array of numbers.
    ValueError
        If the model does not take the image, does not end in a layer whose functions can be
        read, or has no such class or layer.
    traitlets.TraitError
        If another value is not one of those above.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> view = kw.Explain(kw.nn.KANCNN(), torch.zeros(1, 28, 28), target=3)
    >>> view.explanation.target, len(view.explanation.kernels)
    (3, 3)
    """

    _kind = "explain"
    # Here too for a view that was never finished: it is closed all the same.
    _stop_waiting: Callable[[], None] | None = None

    layer = option(LayerName())
    target = option(traitlets.Int(None, allow_none=True, min=0))
    top = option(traitlets.Int(30, min=1, max=500))
    theme = option(Choice(["auto", "light", "dark"]))
    content = traitlets.Dict().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        live_or_model: Source | nn.Module,
        image: Tensor | NDArray[Any],
        target: int | None = None,
        **options: Any,
    ) -> None:
        self._image = image
        self._computing = threading.RLock()
        super().__init__(live_or_model, target=class_number(target), **options)
        self.observe(self._take_target, "target")
        self.on_msg(self._answer)

    def _check_options(self, options: dict[str, Any], source: Source) -> None:
        model = source.model if isinstance(source, Binding) else None
        if not isinstance(source, Binding) or model is None:
            raise TypeError(
                f"{source!r:.80}: an image runs through a model; give one, or an open binding"
            )
        found, parts = self._compute(source, options["target"])
        options["layer"] = self._shown_layer(options.get("layer"))
        options["content"] = content_of(found, parts, source.stats.steps)

    def _page_note(self) -> str:
        return "Class and step are as saved: another explanation needs the model."

    @property
    def explanation(self) -> Explanation:
        """The numbers shown."""
        return self._found

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
            self._show(self.target)
        except Exception:
            self._image = before
            raise

    def _layer_names(self) -> tuple[str, ...]:
        return tuple(part.layer for part in self._parts)

    @traitlets.validate("target")
    def _validate_target(self, proposal: Any) -> int | None:
        target: int | None = proposal["value"]
        classes = len(self._found.scores)
        if target is not None and target >= classes:
            raise ValueError(f"target: expected a class from 0 to {classes - 1}, got {target!r}")
        return target

    def _compute(self, source: Binding, target: int | None) -> tuple[Explanation, list[Part]]:
        model = source.model
        if model is None:
            raise RuntimeError("this binding is closed: bind the model again")
        with self._computing:
            found = explain(model, self._image, target, observed=source.observed or None)
            parts = parts_of(found, read(model))
            self._found, self._parts = found, parts
            return found, parts

    def _show(self, target: int | None) -> None:
        source = self.live
        assert isinstance(source, Binding)
        with self._computing:
            found, parts = self._compute(source, target)
            self.content = content_of(found, parts, source.stats.steps)
            self.message = ""

    # -- what the browser asks ------------------------------------------------------

    def _take_target(self, change: Any) -> None:
        self._soon()

    def _answer(self, _: Any, content: dict[str, Any], __: Any) -> None:
        if content.get("kind") == "explain":
            self._soon()

    def _soon(self) -> None:
        """Explain now; where the model trains in another thread, between two of its steps."""
        source = self._stream.source
        elsewhere = isinstance(source, Binding) and source.trains_elsewhere()
        if not elsewhere or not isinstance(source, Binding):
            self._try()
            return
        if self._stop_waiting is None:
            self.message = "waiting for the next step of the training…"
            self._stop_waiting = source.watch_steps(self._between_steps)

    def stream_changed(self, name: str) -> None:
        """Explain now what waited for a step, if none will come soon."""
        super().stream_changed(name)
        if name == "status" and self._stream.status.get("state") != "live":
            self._between_steps(0, False)

    def _between_steps(self, step: int, framed: bool) -> None:
        stop, self._stop_waiting = self._stop_waiting, None
        if stop is not None:
            stop()
            self._try()

    def _try(self) -> None:
        """Explain; an error is shown in the view."""
        try:
            self._show(self.target)
        except Exception as error:
            self.message = f"{type(error).__name__}: {error}"

    def _end(self) -> None:
        stop, self._stop_waiting = self._stop_waiting, None
        if stop is not None:
            stop()
        super()._end()

    def animate(self, path: Any, **options: Any) -> Any:
        """Raise a TypeError: only the model as it is now can be explained."""
        raise TypeError("an explanation is of the model as it is now: it has no history to show")

    def _drawn_layers(self, traits: dict[str, Any], names: Sequence[str]) -> Sequence[str]:
        return ()

    def _colours(self, options: dict[str, Any]) -> int:
        # Of maps: fewer would tint their zero.
        return 256

    def _picture_options(self, options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        if options.get("target", self.target) != self.target:
            raise ValueError(
                f"target={options['target']!r}: a picture is of the class explained, "
                f"{self._found.target}; set view.target first"
            )
        known = self.traits()
        layer = options.pop("layer", "")
        checked = {name: known[name]._validate(self, value) for name, value in options.items()}
        # Without a name all layers are drawn, one below the other.
        checked["layer"] = "" if layer == "" else self._shown_layer(layer)
        return checked

    def _shown_layer(self, layer: str | int | None) -> str:
        return layer_name(layer, tuple(part.layer for part in self._parts))
