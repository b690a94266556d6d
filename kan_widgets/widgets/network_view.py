"""NetworkView: the whole network as one picture, with an example running through it."""

from __future__ import annotations

from contextlib import suppress
from numbers import Real
from typing import Any, Literal

import traitlets

from kan_widgets.live import is_binding
from kan_widgets.widgets.arrays import ImageArray, packed, unpacked
from kan_widgets.widgets.evaluated import Evaluated
from kan_widgets.widgets.lifetime import weakly
from kan_widgets.widgets.options import option
from kan_widgets.widgets.wire import activations_dict


class _Share(traitlets.TraitType[Any, Any]):
    """A number from 0 to 1, or "auto"."""

    default_value = "auto"

    def validate(self, obj: Any, value: Any) -> float | str:
        if isinstance(value, str) and value == "auto":
            return value
        number = float(value) if isinstance(value, Real) and value is not True else -1.0
        if 0 <= number <= 1:
            return number
        raise traitlets.TraitError(
            f"{self.name}: expected a number from 0 to 1, or 'auto', got {value!r:.80}"
        )


class NetworkView(Evaluated):
    """The network from its input to its output, redrawn while it trains.

    Left to right the layers as they run, found by following an example through the model
    (``live.probe(images)``); before that, in the order of the modules. Each channel or feature is
    a unit; on a link stands the function (of a convolution the kernel of functions) that is
    applied there, and the link is the stronger the more that function varies over its inputs:
    the standard deviation of φ over the inputs observed, before that over its grid. After
    ``live.probe(images)`` the units show what the chosen example makes of them, the last ones
    have bars, and what is pointed at is taken apart below: the functions, their inputs, and what
    each adds to the sum. By itself that is the largest score, with the strongest path that leads
    to it: back along the link that adds most to each number, between maps along the one whose
    functions vary most. A network made of what the page can compute (KAN layers, convolutions,
    linear layers, normalisation in evaluation mode, pooling, common activations) is computed
    there, also for a digit that is drawn on its input, with the kernel busy or gone.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> view = kw.NetworkView(kw.nn.KANCNN.article(), relevance=0.9)
    >>> view.image(width=700).size[0]
    1400
    """

    _kind = "network_view"
    _draws_network = True
    _is_wide = True

    relevance: float | Literal["auto"] = option(
        """Of each layer the strongest links are shown, until they make up this share of the sum
        of all, 0 to 1; "auto" shows up to 800 of each layer.""",
        default="auto",
        trait=_Share(),
    )
    top: int = option("At most so many links lead to each unit; 0 for all.", default=0, min=0)
    example: int = option(
        """Which of the examples runs through the network, from 0; −1 for the one that is
        drawn.""",
        default=0,
        min=-1,
    )
    height: int | None = option(
        """Pixels of the picture, at least 320; by default as many as its units need, 570 to 760,
        in a page no more than are seen of it at once.""",
        default=None,
        min=320,
    )
    drawing = ImageArray("(H, W)", (2,)).tag(sync=True, to_json=packed, from_json=unpacked)
    """The example drawn with the mouse, ``(H, W)``; ``None`` before."""
    drawn = traitlets.Dict().tag(sync=True)
    """What the model made of the drawing, where the page cannot compute it; else empty."""

    def _begin(self) -> None:
        super()._begin()
        self.on_msg(weakly(self._answer))
        source = self.live
        if is_binding(source) and source.feed.probed is None and source.feed.observed:
            source.feed.between.want(self._follow)

    def _follow(self, _: bool) -> None:
        """Follow examples of what was observed; without any the network is drawn all the same."""
        source = self._stream.source
        if is_binding(source) and source.feed.probed is None:
            with suppress(ValueError):
                source.probe()

    def _answer(self, _: Any, content: dict[str, Any], __: Any) -> None:
        source = self._stream.source
        if content.get("kind") == "run" and is_binding(source):
            source.feed.between.want(self._run_drawing)

    def _run_drawing(self, _: bool) -> None:
        """Run the drawing through the model, in a thread that may."""
        source = self._stream.source
        if not is_binding(source) or self.drawing is None:
            return
        try:
            import torch

            image = torch.from_numpy(self.drawing[None, None].copy())
            self.drawn = activations_dict(source.feed.model.run_example(image))
            self.notice = ""
        except Exception as error:
            self._complain("the model", error)

    def _end(self) -> None:
        if is_binding(source := self._stream.source):
            source.feed.between.forget(self._follow)
            source.feed.between.forget(self._run_drawing)
        super()._end()

    _all_colours = True

    def _colours(self, options: dict[str, Any]) -> int:
        return 256  # feature maps
