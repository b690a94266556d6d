"""KernelGrid: every function of a layer as small multiples, live."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import traitlets

from kan_widgets.live import Layout, Source
from kan_widgets.live.checks import is_tensor
from kan_widgets.live.frames.layout import Float32
from kan_widgets.widgets.options import Choice, option
from kan_widgets.widgets.view import LayerView

SORTS = ["position", "range", "change"]


def checked_fold(value: Any) -> tuple[int, int, int] | None:
    """Return channels, height and width, or raise ``TraitError``."""
    if value is None:
        return None
    sizes = tuple(value) if isinstance(value, (tuple, list)) else ()
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in sizes)
    if len(sizes) not in (2, 3) or not whole:
        raise traitlets.TraitError(
            f"fold={value!r}: expected channels, height and width, or height and width, each a "
            "whole number ≥ 1, as in fold=(25, 5, 5)"
        )
    channels, height, width = (1, *sizes)[-3:]
    return channels, height, width


def _check_fold(fold: tuple[int, int, int], layout: Layout) -> None:
    dense = {layer.name: layer.shape[1] for layer in layout.layers if layer.kind == "linear"}
    if math.prod(fold) not in dense.values():
        known = ", ".join(f"{name!r} has {inputs}" for name, inputs in dense.items())
        raise ValueError(
            f"fold={fold} is {math.prod(fold)} inputs: expected those of a dense layer; "
            f"{known or 'there is none'}"
        )


class Fold(traitlets.TraitType[Any, Any]):
    """The map that a dense layer's inputs are; height and width alone are one channel."""

    default_value = None
    allow_none = True

    def validate(self, obj: Any, value: Any) -> tuple[int, int, int] | None:
        """Return channels, height and width."""
        return checked_fold(value)


class ScoreChoice(Choice):
    """One of some words, or the name of a score."""

    def words(self, obj: Any) -> list[str]:
        """Return the words to choose from."""
        return [*super().words(obj), *obj.scores]


class KernelGrid(LayerView):
    """The kernels of a layer as grids of their functions, redrawn while training.

    Raises
    ------
    ValueError
        If there is no such layer; the message lists them. If no dense layer has as many inputs as
        the fold has places.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> grid = kw.KernelGrid(kw.nn.KANCNN.article(), layer=1, mode="pattern")
    >>> grid.image(width=600).size[0]
    1200
    """

    _kind = "kernel_grid"

    mode: Literal["auto", "curves", "overview", "pattern", "preferred", "change"] = option(
        """The functions as curves; each as one small cell, coloured by how far it reaches (a kernel
        where there is no room for its functions), with the curves of what is pointed at beside
        them; each as one cell from black (φ is larger at the lower end of its grid)
        to white (at the upper end), which are called dark and bright where images from −1 to 1
        were observed as its input; each as one cell by the input at which φ is largest,
        from black (the low end of the bounds) to white (the high end), which together is
        the patch that a kernel prefers most; or φ now minus φ at the start.
        "auto" opens layers of more than 3,000 functions in the overview, and others in curves.""",
        default="auto",
    )
    fold: Sequence[int] | None = option(
        """Channels, height and width of the map that a dense layer's inputs are, flattened, or
        height and width: the functions of one output and channel lie as in that map. By default as
        ``live.observe(batch)`` saw it. Layers with another number of inputs stay as they are.""",
        default=None,
        trait=Fold(),
    )
    binarise: bool = option('In mode "pattern": black and white only.', default=False)
    suppressed: bool = option(
        'In mode "preferred": the input at which φ is smallest instead.', default=False
    )
    bounds: Literal["domain", "observed"] = option(
        """In mode "preferred", the inputs that count: the grid range, or from the 0.5 % to the
        99.5 % quantile of what each entry got in ``live.observe(batch)``. Without an
        observation it is the grid range, and the view says so.""",
        default="domain",
    )
    scale: Literal["layer", "kernel", "function"] = option(
        """Which functions share a y-axis. It covers all steps that the page has, so that growth is
        seen; a picture made in Python knows the first step and the one drawn. With "layer", the
        few functions that reach far beyond all others are cut, and marked with a triangle.""",
        default="layer",
    )
    ghost: bool = option("Draw the initial function behind, dashed.", default=True)
    x_range: Literal["inputs", "domain", "wide"] = option(
        """From 1 % to 99 % of the inputs that ``live.observe(batch)`` saw, rounded out, and the
        grid range where nothing was observed; the grid range; or the whole support of the
        splines.""",
        default="inputs",
    )
    sort: str = option(
        """"position", "range", "change", or the name of a score that was given: the order of the
        kernels, those whose functions have the largest first.""",
        default="position",
        trait=ScoreChoice(SORTS, "position"),
    )
    shade: str = option(
        """The name of a score that was given: it tints the ground behind the curves. Empty for
        none.""",
        default="",
        trait=ScoreChoice([""], ""),
    )
    height: int = option(
        """Pixels of the drawing at most; it scrolls beyond. At least 80. The cells of a small layer
        are as large as fit in it and in the width, up to 150 pixels.""",
        default=480,
        min=80,
    )
    scores = traitlets.Dict().tag(sync=True)
    """What `score` was given, as it goes to the browser."""

    def _check_options(self, options: dict[str, Any], source: Source) -> None:
        super()._check_options(options, source)
        if (fold := checked_fold(options.get("fold"))) is not None:
            _check_fold(fold, source.feed.layout)

    def score(
        self,
        name: str,
        values: Mapping[str, Any] | None,
        *,
        units: str = "",
        signed: bool | None = None,
    ) -> None:
        """Give functions numbers, to sort the kernels and shade the cells by.

        ``sort`` and ``shade`` take the name from then on, here and in the page.

        Parameters
        ----------
        name
            What the numbers are called. They replace those given under this name before.
        values
            Arrays by the name of their layer: one number for each function, ``(out, in, kh, kw)``,
            or for each output, ``(out,)``. NaN stands for unknown. ``None`` removes the name.
        units
            Printed behind the numbers.
        signed
            Whether the shading has two sides, with zero in the middle. By default where any number
            is negative.

        Raises
        ------
        TypeError
            If ``values`` are not by layer.
        ValueError
            If the name means something else, there is no such layer, or numbers do not fit it.

        Examples
        --------
        >>> import torch, kan_widgets as kw
        >>> model = kw.nn.KANCNN.article()
        >>> live = kw.bind(model)
        >>> seen = live.observe(torch.randn(8, 1, 28, 28))
        >>> found = [kw.insight.importance(layer, seen[layer.name]) for layer in live.read()]
        >>> grid = kw.KernelGrid(live)
        >>> grid.score("spread", {each.layer: each.spread for each in found})
        >>> grid.sort = grid.shade = "spread"
        """
        if values is None:
            if name not in self.scores:
                raise ValueError(f"name={name!r}: the scores are {list(self.scores)}")
            if self.sort == name:
                self.sort = SORTS[0]
            if self.shade == name:
                self.shade = ""
            self.scores = {own: score for own, score in self.scores.items() if own != name}
            return
        shapes = {layer.name: layer.shape for layer in self._stream.layout_shown.layers}
        taken = (*SORTS, "none")
        self.scores = self.scores | {
            name: _checked_scores(name, values, shapes, units, signed, taken)
        }


def _checked_scores(
    name: str,
    values: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, int, int, int]],
    units: str,
    signed: bool | None,
    taken: tuple[str, ...],
) -> dict[str, Any]:
    """Return scores as they go to the browser, or raise as `KernelGrid.score`.

    ``shapes`` are (out, in, kh, kw) of every layer there is, ``taken`` names that mean something
    else.
    """
    if not isinstance(name, str) or not name.strip() or name in taken:
        words = ", ".join(map(repr, taken))
        raise ValueError(f"name: expected a word other than {words}, got {name!r}")
    if not isinstance(values, Mapping):
        raise TypeError(
            "values: expected a mapping from layer names to arrays, such as "
            f"{{{next(iter(shapes))!r}: array}}, got {type(values).__name__}"
        )
    layers = {layer: _numbers(name, layer, given, shapes) for layer, given in values.items()}
    if signed is None:
        signed = any((numbers < 0).any() for numbers in layers.values())
    elif not signed and any((numbers < 0).any() for numbers in layers.values()):
        raise ValueError(f"{name}: some numbers are negative, so signed=False cannot show them")
    return {
        "signed": bool(signed),
        "units": str(units),
        "layers": {layer: numbers.tobytes() for layer, numbers in layers.items()},
    }


def _numbers(
    name: str, layer: str, given: Any, shapes: Mapping[str, tuple[int, int, int, int]]
) -> Float32:
    if layer not in shapes:
        raise ValueError(f"{name}: layer {layer!r}: the layers are {', '.join(map(repr, shapes))}")
    out, in_, kh, kw = shapes[layer]
    if is_tensor(given):
        given = given.detach().cpu().numpy()
    numbers = np.asarray(given, dtype="<f4")
    per_kernel = in_ * kh * kw
    if numbers.shape == (out,) != (out * per_kernel,):
        numbers = np.repeat(numbers, per_kernel)
    full = [(out, in_, kh, kw), (out * per_kernel,), *([(out, in_)] if kh == kw == 1 else [])]
    if numbers.shape not in full:
        raise ValueError(
            f"{name}: expected one number for each function of {layer}, shape "
            f"{(out, in_, kh, kw)}, or one for each output, {(out,)}; got shape {numbers.shape}"
        )
    if np.isinf(numbers).any():
        raise ValueError(f"{name}: some numbers of {layer} are infinite; NaN stands for unknown")
    return np.ascontiguousarray(numbers.reshape(-1))
