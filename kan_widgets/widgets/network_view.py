"""NetworkView: the whole network as one picture, with an example running through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from kan_widgets.live import is_binding
from kan_widgets.live.reports import report
from kan_widgets.widgets.shell.images import ImageArray, drawing_of, images_dict
from kan_widgets.widgets.shell.options import option
from kan_widgets.widgets.shell.view import ModelView
from kan_widgets.widgets.wire.lifetime import weakly
from kan_widgets.widgets.wire.messages import activations_dict

if TYPE_CHECKING:
    from kan_widgets.insight import Circuits


class NetworkView(ModelView):
    """The network from its input to its output, redrawn while it trains.

    Left to right the layers as they run, as the training's first batch has shown; before it in
    the order of the modules. A few examples of that batch run through the network from then on,
    until ``live.probe(images)`` gives others. Each channel or feature is a unit; on a link stands
    the function (of a convolution the kernel of functions) that is applied there, with the space
    between what it was and what it is filled, and the link is the stronger the more that function
    varies over its inputs. The units show what the chosen example makes of them, and what is
    pointed at is taken apart below, with one function large. By itself that is the largest score,
    with the path that adds most to it for this example, to each number or to the largest pixel of
    each map; while it trains another is drawn only where it stays clearly stronger. A network of
    KAN layers, convolutions, linear layers, pooling and common activations is computed in the
    page, also for a digit that is drawn on its input, with the notebook kernel busy or gone.

    Of a `kan_widgets.ensemble` the most typical network is shown; a link is the bolder, the more
    of the networks have it (`insight.Ensemble.alive`).

    Examples
    --------
    >>> import kan_widgets as kw
    >>> view = kw.NetworkView(kw.nn.KANCNN.article())
    >>> view.image(width=700).size[0]
    1400
    """

    _kind = "network_view"
    _draws_network = True
    _is_wide = True

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
    path: int = option(
        "Which path given to `walk` is drawn, from 0; −1 for the strongest of the example.",
        default=0,
        min=-1,
    )
    paths = traitlets.List(traitlets.Dict()).tag(sync=True)
    order = traitlets.Instance(dict, allow_none=True).tag(sync=True)
    """By layer the order that its units stand in, from the top; of others their own."""
    drawing = ImageArray("(H, W)", (2,)).tag(sync=True, to_json=images_dict, from_json=drawing_of)
    """The example drawn with the mouse, ``(H, W)``; ``None`` before."""
    drawn = traitlets.Dict().tag(sync=True)
    """Activations of the drawing, where the page cannot compute them; else empty."""
    notice = traitlets.Unicode().tag(sync=True)
    """Error of the model's last run on the drawing; empty if there was none."""

    def walk(self, circuits: Circuits) -> None:
        """Draw paths that `kan_widgets.insight.circuits` found in this network, one at a time.

        ``path`` and two buttons say which; its share, and of what, stands with the keys.
        """
        self.paths = [
            {
                "words": f"path {k + 1} of {len(circuits.paths)}, to class {path.target}: "
                f"{circuits.in_print(path)[0]} of its score's change",
                "title": path.whole.words,
                "target": path.target,
                "units": dict(zip(circuits.drivers, units, strict=True)),
            }
            for k, path in enumerate(circuits.paths)
            for units in [(path.function[1], *path.channels)]
        ]

    def _begin(self) -> None:
        super()._begin()
        self.on_msg(weakly(self._answer))
        source = self.live
        if is_binding(source):
            source.feed.bound.probe_batches()

    def _answer(self, _: Any, content: dict[str, Any], __: Any) -> None:
        source = self._stream.source
        if content.get("kind") == "run" and is_binding(source):
            source.feed.training.queue.request("run the drawing", self._run_drawing)

    def _run_drawing(self, _: bool) -> None:
        """Run the drawing through the model, in a thread that may."""
        source = self._stream.source
        if not is_binding(source) or self.drawing is None:
            return
        try:
            import torch

            probed = source.feed.probed
            shape = (1, 1, *self.drawing.shape) if probed is None else (1, *probed.inputs.shape[1:])
            image = torch.from_numpy(self.drawing.reshape(shape).copy())
            self.drawn = activations_dict(source.feed.bound.run_example(image))
            self.notice = ""
        except Exception as error:
            self.notice = f"the model raised {type(error).__name__}: {error}"
            report(f"NetworkView: {self.notice}")

    def _end(self) -> None:
        if is_binding(source := self._stream.source):
            source.feed.training.queue.forget(self._run_drawing)
        super()._end()
