"""KernelGrid: every function of a layer as small multiples, live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import traitlets

from kan_widgets.arrays import Float32
from kan_widgets.checks import is_tensor
from kan_widgets.live import Frame, Source
from kan_widgets.widgets.shell.drawing_engine import image_of, picture_request, svg_of
from kan_widgets.widgets.shell.options import Choice, option
from kan_widgets.widgets.shell.view import LayerView

if TYPE_CHECKING:
    from PIL import Image

    from kan_widgets.widgets.shell.options import Theme

SORTS = ["position", "range", "change"]
# The score of an ensemble: the share of each function that is not the mean of all networks'.
_VARIES = "varies over networks"


class _ScoreChoice(Choice):
    """One of some words, or the name of a score."""

    def words(self, obj: Any) -> list[str]:
        return [*super().words(obj), *obj.scores]


class KernelGrid(LayerView):
    """The kernels of a layer as grids of their functions, redrawn while training.

    The functions of a dense layer whose inputs are a flattened map, as the first batch or
    ``live.observe(batch)`` saw it, lie as in that map. Of a `kan_widgets.ensemble` each function of
    the most typical network has the range of all behind it, and the score "varies over networks".

    Raises
    ------
    ValueError
        If there is no such layer; the message lists them.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> grid = kw.KernelGrid(kw.nn.KANCNN.article(), layer=1, mode="pattern")
    >>> grid.image(width=600).size[0]
    1200
    """

    _kind = "kernel_grid"

    mode: Literal["auto", "curves", "overview", "pattern", "change"] = option(
        """The functions as curves; each as one small cell, the stronger its colour the larger its
        |φ| (a kernel where there is no room for its functions), with the curves of what is pointed
        at beside them; each as one cell from black (φ is larger at the lower end of its grid)
        to white (at the upper end), which are called dark and bright where images from −1 to 1
        were observed as its input; or φ now minus φ at the start.
        "auto" opens layers of more than 3,000 functions in the overview, and others in curves.""",
        default="auto",
    )
    binarise: bool = option('In mode "pattern": black and white only.', default=False)
    scale: Literal["layer", "function", "all models"] = option(
        """Whether all functions share a y-axis, or each has its own; of a grid of `Compare` also
        whether it is shared with the other models. It covers all steps that the
        page has, so that growth is seen; a picture made in Python knows the first step and the one
        drawn. With "layer", the few functions that reach far beyond all others are cut, and marked
        with a triangle.""",
        default="layer",
    )
    ghost: bool = option("Draw the initial function behind, dashed.", default=True)
    sort: str = option(
        """``"position"``, ``"range"`` (the largest |φ|), ``"change"`` since the start, or a name
        given to `score`: kernels with the largest first. It is found when it is chosen, and nothing
        jumps during training; choose another order and then this one to sort them again.""",
        default="position",
        trait=_ScoreChoice(SORTS),
    )
    shade: str = option(
        "The name of a score that tints the ground behind the curves. Empty for none.",
        default="",
        trait=_ScoreChoice([""]),
    )
    height: int | None = option(
        """Pixels of the drawing at most, at least 80; ``None``: those of the window. It scrolls
        beyond. The cells of a small layer are as large as fit, up to 220 pixels.""",
        default=480,
        min=80,
    )
    scores = traitlets.Dict().tag(sync=True)
    """Scores given to `score`, as they go to the browser."""

    def _begin(self) -> None:
        super()._begin()
        if (found := self._ensemble) is not None:
            self.score(_VARIES, {name: found.varies(name).ravel() for name in found.layers})

    def score(
        self,
        name: str,
        values: Mapping[str, Any] | None,
        *,
        units: str = "",
    ) -> None:
        """Give functions numbers, by whose name ``sort`` and ``shade`` sort and tint from then on.

        Parameters
        ----------
        name
            What the numbers are called. They replace those given under this name before.
        values
            Arrays by the name of their layer: one number for each function, ``(out, in, kh, kw)``,
            or for each output, ``(out,)``. NaN stands for unknown. ``None`` removes the name.
        units
            Printed behind the numbers. Where some are negative, zero is in the middle of the tints.

        Raises
        ------
        TypeError
            If ``values`` are not by layer.
        ValueError
            If the name means something else, there is no such layer, or numbers do not fit it.

        Examples
        --------
        >>> import torch, kan_widgets as kw
        >>> grid = kw.KernelGrid(kw.nn.KANCNN.article())
        >>> seen = grid.live.observe(torch.randn(8, 1, 28, 28))
        >>> found = [kw.insight.importance(each, seen[each.name]) for each in grid.live.read()]
        >>> grid.score("spread", {each.layer: each.spread for each in found})
        >>> grid.sort = grid.shade = "spread"
        """
        if values is None:
            if name not in self.scores:
                raise ValueError(f"name={name!r}: the scores are {list(self.scores)}")
            self.sort = "position" if self.sort == name else self.sort
            self.shade = "" if self.shade == name else self.shade
            self.scores = {own: score for own, score in self.scores.items() if own != name}
            return
        if not isinstance(name, str) or not name.strip() or name in SORTS:
            raise ValueError(f"name={name!r}: expected a word other than {SORTS}")
        shapes = {layer.name: layer.shape for layer in self._stream.layout_shown.layers}
        if not hasattr(values, "items"):
            raise TypeError(
                f"values of type {type(values).__name__}: expected {{{next(iter(shapes))!r}: "
                "array, …}"
            )
        layers = {layer: _numbers(layer, scores, shapes) for layer, scores in values.items()}
        score = {
            "signed": any((numbers < 0).any() for numbers in layers.values()),
            "units": str(units),
            "layers": {layer: numbers.tobytes() for layer, numbers in layers.items()},
        }
        self.scores = self.scores | {name: score}


def picture_of(
    source: Source,
    frame: Frame,
    *,
    layer: str | None = None,
    width: int = 900,
    max_height: int = 900,
    theme: Theme = "light",
) -> Image.Image:
    """Return a picture of a layer, by default the first, without making a widget.

    ``width`` and ``max_height`` are in pixels.
    """
    options: dict[str, Any] = {
        name: trait.default()
        for name, trait in KernelGrid.class_traits().items()
        if trait.metadata.get("option") and name not in ("layer", "theme")
    }
    name = frame.layout.names[0] if layer is None else layer
    first = source.history[0] if source.history[0].layout is frame.layout else frame
    picture = picture_request(
        (first, frame),
        [name],
        source=source,
        kind=KernelGrid._kind,
        traits={**options, "layer": name, "scores": {}, "linked": []},
        width=width,
        height=options["height"] or 480,
        most=max_height,
        theme=theme,
        ratio=1.0,
    )
    return image_of(svg_of([picture]), 1.0)


def _numbers(layer: str, scores: Any, shapes: Mapping[str, tuple[int, int, int, int]]) -> Float32:
    """Return one number for each function of a layer, or raise as `KernelGrid.score`."""
    if layer not in shapes:
        raise ValueError(f"layer {layer!r}: the layers are {', '.join(map(repr, shapes))}")
    out, inputs, kh, kw = shape = shapes[layer]
    numbers = np.asarray(scores.detach().cpu() if is_tensor(scores) else scores, dtype="<f4")
    if numbers.shape == (out,):
        numbers = np.repeat(numbers, inputs * kh * kw)
    if numbers.shape not in (shape, (np.prod(shape),), (out, inputs) if kh == kw == 1 else shape):
        raise ValueError(
            f"{layer} of shape {numbers.shape}: expected {shape}, or {(out,)} by output"
        )
    if np.isinf(numbers).any():
        raise ValueError(f"some numbers of {layer} are infinite; NaN stands for unknown")
    return numbers
