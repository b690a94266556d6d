"""KernelGrid: every function of a layer as small multiples, live."""

from __future__ import annotations

import pathlib
from typing import Any

import traitlets
from PIL import Image
from torch import nn

from kan_widgets.live import Source
from kan_widgets.widgets import still
from kan_widgets.widgets.view import Choice, View, layer_name, option

_STATIC = pathlib.Path(__file__).parent / "static"


class KernelGrid(View):
    """The kernels of a layer as grids of their functions, redrawn while training.

    Parameters
    ----------
    live_or_model
        A binding made by `kan_widgets.bind`, a recording, or a model.
    layer : str or int, optional
        The layer to show, by name or number; the first by default.
    mode : {"curves", "pattern", "change"}
        The functions; each as one cell from black (prefers dark input, −1) to white
        (prefers bright input, +1); or φ now minus φ at the start.
    binarise : bool
        In mode "pattern": black and white only.
    scale : {"layer", "kernel", "function"}
        Which functions share a y-axis.
    ghost : bool
        Draw the initial function behind, dashed.
    x_range : {"domain", "wide"}
        The grid range, or the whole support of the splines.
    sort : {"position", "range", "change"}
        The kernels' order.
    height : int
        Pixels of the drawing at most; it scrolls beyond. At least 80.
    theme : {"auto", "light", "dark"}
        Follows JupyterLab when "auto".

    Raises
    ------
    TypeError
        For an unknown keyword, or if neither a binding nor a model is given.
    ValueError
        If there is no such layer; the message lists them.
    traitlets.TraitError
        If another value is not one of those above.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> grid = kw.KernelGrid(kw.nn.KANCNN.article(), layer=1, mode="pattern")
    >>> grid.image(width=600).size[0]
    1200
    """

    _esm = _STATIC / "kernel_grid.js"
    _css = _STATIC / "kernel_grid.css"

    layer = option(traitlets.Unicode())
    mode = option(Choice(["curves", "pattern", "change"]))
    binarise = option(traitlets.Bool(False))
    scale = option(Choice(["layer", "kernel", "function"]))
    ghost = option(traitlets.Bool(True))
    x_range = option(Choice(["domain", "wide"]))
    sort = option(Choice(["position", "range", "change"]))
    height = option(traitlets.Int(480, min=80))
    theme = option(Choice(["auto", "light", "dark"]))

    def __init__(self, live_or_model: Source | nn.Module, layer: str | int = 0, **options: Any):
        super().__init__(live_or_model, layer=layer, **options)

    def _check_options(self, options: dict[str, Any], source: Source) -> None:
        options["layer"] = layer_name(options["layer"], source.layers)

    @traitlets.validate("layer")
    def _validate_layer(self, proposal: Any) -> str:
        return layer_name(proposal["value"], self._names())

    def _names(self) -> tuple[str, ...]:
        return tuple(layer["name"] for layer in self._stream.layouts[-1]["layers"])

    def image(
        self, *, width: int = 900, max_height: int = 900, pixel_ratio: float = 2, **options: Any
    ) -> Image.Image:
        """Draw the current state as a picture, without a browser.

        Parameters
        ----------
        width, max_height
            CSS pixels; a taller drawing is cut and says so.
        pixel_ratio
            Picture pixels per CSS pixel.
        **options
            Any of the widget's own traits, for this picture alone.

        Returns
        -------
        PIL.Image.Image
            ``width * pixel_ratio`` pixels wide.
        """
        self._check_keywords(options)
        first, frame = self._stream.frames()
        names = frame.layout.names
        state = {name: getattr(self, name) for name in self._options() if name != "height"}
        state |= {name: value for name, value in options.items() if name != "height"}
        # The layer shown may be gone since the model was bound again.
        if "layer" in options or state["layer"] in names:
            state["layer"] = layer_name(state["layer"], names)
        else:
            state["layer"] = names[0]
        if state["theme"] == "auto":
            state["theme"] = "light"
        return still.render(
            frame.layout,
            frame,
            initial=first,
            selection=self.selection,
            width=width,
            max_height=max_height,
            pixel_ratio=pixel_ratio,
            **state,
        )
