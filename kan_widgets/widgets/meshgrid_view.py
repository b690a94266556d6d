"""MeshgridView: every function over two-dimensional input, live."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Literal

import numpy as np
import traitlets
from numpy.typing import NDArray

from kan_widgets.digits import TRAIN, embedded, pixels
from kan_widgets.live import Source
from kan_widgets.widgets.arrays import ImageArray, packed, unpacked
from kan_widgets.widgets.options import option
from kan_widgets.widgets.view import LayerView

Float32 = NDArray[np.float32]

_MANY = 500


@cache
def default_digits() -> Float32:
    """Return ten embedded MNIST digits, one of each class in order, ``(10, 1, 28, 28)``.

    Pixels run from −1 to 1.
    """
    images, labels = (part[TRAIN:] for part in embedded())
    return pixels(images[[int(np.argmax(labels == digit)) for digit in range(10)]])


class _Limits(traitlets.TraitType[Any, Any]):
    """Two finite numbers, the lower one first, or "grid"."""

    default_value = "grid"

    def validate(self, obj: Any, value: Any) -> tuple[float, float] | str:
        if isinstance(value, str) and value == "grid":
            return value
        try:
            low, high = map(float, value)
        except (TypeError, ValueError):
            low = high = math.nan
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise traitlets.TraitError(
                f"{self.name}: expected two finite numbers, low < high, such as (-2, 2), or "
                f"'grid', got {value!r:.80}"
            )
        return low, high


def _pack_images(array: Float32 | None, view: Any) -> dict[str, Any]:
    """Return images as the browser reads them, and whether they are other than the default."""
    given = array is not None and not np.array_equal(array, default_digits())
    return packed(array, view) | {"given": given}


class MeshgridView(LayerView):
    """The functions of a layer over two-dimensional input, redrawn while training.

    ``"ramp"`` shows each function over an input matrix that rises from one limit to the
    other, as a heat map in its place within the kernel. ``"pair"`` shows the sum
    φ_i(x) + φ_j(y) of two entries of one kernel, with contours and, after
    ``live.observe(batch)``, over the inputs that really come together. ``"response"`` sweeps
    the kernels over an image and shows what the layer makes of it, before bias and
    normalisation, and where the inputs of one pixel lie on the kernel's functions.

    Raises
    ------
    ValueError
        If there is no such layer (the message lists them), or the images have another
        shape.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> view = kw.MeshgridView(kw.nn.KANConv2d(1, 4, 3), mode="response", sample=3)
    >>> view.image(width=600).size[0]
    1200
    """

    _kind = "meshgrid_view"

    mode: Literal["auto", "ramp", "pair", "response"] = option(
        """What is drawn. The first entry of the pair is the selected function. "auto" is
        "response" as soon as an image is known that reaches the layer (``live.observe(batch)`` has
        seen it, or ``images`` are given and the layer is the whole model), and "ramp" until
        then.""",
        default="auto",
    )
    limits: tuple[float, float] | Literal["grid"] = option(
        """Where the ramp begins and ends; the ends of the layer's grid by default. (-2, 2) is what
        Khopkar's article shows.""",
        default="grid",
        trait=_Limits(),
    )
    direction: Literal["horizontal", "vertical", "diagonal", "radial"] = option(
        "Which way the ramp rises.", default="horizontal"
    )
    images: Any = option(
        """``(N, H, W)`` or ``(N, C, H, W)``, for ``"response"``; one channel goes to every
        channel of the layer. Ten digits, −1 to 1, by default.""",
        default=None,
        trait=ImageArray("(N, H, W) or (N, C, H, W)", (3, 4)).tag(to_json=_pack_images),
    )
    scale: Literal["layer", "kernel", "function"] = option(
        """What shares a colour scale; in ``"response"``, "layer" is all maps, else each map.""",
        default="layer",
    )
    resolution: int = option(
        "Points of the ramp from end to end, 2 to 256.", default=32, min=2, max=256
    )
    input: Literal["images", "observed", "drawn", "ramp"] = option(
        """What ``"response"`` is to. An image is shown only to a layer whose input is known to
        be the image: the model itself, or as ``live.observe(batch)`` has found; for any
        other, "images" stands for "observed".""",
        default="images",
    )
    sample: int = option("Which of the images.", default=0, min=0)
    output: int = option(
        'Which output channel ``"response"`` shows; −1 for all.', default=-1, min=-1
    )
    other: int = option(
        """The pair's second entry: row·kw + column within the kernel, or the input's number
        where a kernel has one entry; −1 for the opposite one.""",
        default=-1,
        min=-1,
    )
    height: int = option(
        """Pixels of the drawing at most, twice as many in modes ``"pair"`` and ``"response"``; a
        taller one scrolls. At least 80.""",
        default=480,
        min=80,
    )
    drawing = ImageArray("(H, W)", (2,)).tag(sync=True, to_json=packed, from_json=unpacked)
    """The image drawn with the mouse, ``(H, W)``; ``None`` before."""

    def _check_options(self, options: dict[str, Any], source: Source) -> None:
        super()._check_options(options, source)
        if options.get("images") is None:
            options["images"] = default_digits()

    def _colours(self, options: dict[str, Any]) -> int:
        # Few make bands of a heat map and tint its zero; of many small ones they keep the file
        # small.
        layers = {layer["name"]: layer for layer in self._stream.layouts[-1]["layers"]}
        layer = layers[self._picture_options(options, tuple(layers))["layer"]]
        mode = options.get("mode", self.mode)
        ramps = mode == "ramp" or (mode == "auto" and layer["kind"] != "conv")
        return 64 if ramps and math.prod(layer["shape"]) > _MANY else 256
