"""MeshgridView: every function over two-dimensional input, live."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Literal

import numpy as np
import traitlets

from kan_widgets.arrays import Float32
from kan_widgets.digits import TRAIN, embedded, pixels
from kan_widgets.live import Source
from kan_widgets.widgets.shell.images import ImageArray, drawing_of, images_dict
from kan_widgets.widgets.shell.options import option
from kan_widgets.widgets.shell.view import LayerView


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
                f"{self.name}={value!r:.80}: expected two finite numbers, low < high, such as (-2, "
                "2), or 'grid'"
            )
        return low, high


def _pack_images(array: Float32 | None, view: Any) -> dict[str, Any]:
    """Return images as the browser reads them, and whether they are other than the default."""
    own = array is not None and not np.array_equal(array, default_digits())
    return images_dict(array, view) | {"given": own}


class MeshgridView(LayerView):
    """The functions of a layer over two-dimensional input, redrawn while training.

    ``"ramp"`` shows each function over inputs that rise from one limit to the other, as a heat
    map in its place within the kernel. ``"pair"`` shows the sum
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
    images: Any = option(
        """``(N, H, W)`` or ``(N, C, H, W)``, for ``"response"``; one channel goes to every
        channel of the layer. By default those that ``live.probe`` was given, or ten digits.""",
        default=None,
        trait=ImageArray("(N, H, W) or (N, C, H, W)", (3, 4)).tag(to_json=_pack_images),
    )
    input: Literal["images", "observed", "drawn"] = option(
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
        where a kernel has one entry; −1 for the one that varies most beside the first.""",
        default=-1,
        min=-1,
    )
    height: int = option(
        """Pixels of the drawing at most, twice as many in modes ``"pair"`` and ``"response"``; a
        taller one scrolls. At least 80.""",
        default=480,
        min=80,
    )
    drawing = ImageArray("(H, W)", (2,)).tag(sync=True, to_json=images_dict, from_json=drawing_of)
    """The image drawn with the mouse, ``(H, W)``; ``None`` before."""

    def _check_options(self, options: dict[str, Any], source: Source) -> None:
        super()._check_options(options, source)
        if options.get("images") is None:
            probe = source.feed.probed
            is_seen = probe is not None and probe.inputs.ndim == 4
            options["images"] = probe.inputs if probe and is_seen else default_digits()
