"""Images that a view is given, and drawings that come from the page: as traits."""

from typing import Any

import numpy as np
import traitlets

from kan_widgets.arrays import Float32
from kan_widgets.checks import is_tensor
from kan_widgets.widgets.wire.messages import array_dict

_MAX_FLOATS = 4_000_000


class ImageArray(traitlets.TraitType[Any, Any]):
    """Numbers from numpy, torch or lists, kept as float32 of some numbers of dimensions."""

    def __init__(self, shapes: str, dimensions: tuple[int, ...], **options: Any) -> None:
        super().__init__(None, **options)
        self._shapes = shapes
        self._dimensions = dimensions

    def validate(self, obj: Any, value: Any) -> Float32 | None:
        """Return a copy as float32; ``None`` stays."""
        if value is None:
            return None
        if is_tensor(value):
            value = value.detach().float().cpu().numpy()
        try:
            array = np.ascontiguousarray(value, dtype=np.float32)
        except (TypeError, ValueError):
            raise TypeError(
                f"{self.name} of type {type(value).__name__}: expected an array or tensor of "
                f"numbers of shape {self._shapes}"
            ) from None
        if array.ndim not in self._dimensions or array.size == 0:
            raise ValueError(
                f"{self.name} of shape {array.shape}: expected {self._shapes}; give one image as "
                "image[None]"
            )
        if array.size > _MAX_FLOATS:
            raise ValueError(
                f"{self.name} of shape {array.shape}: expected at most {_MAX_FLOATS:,} numbers, "
                "which go to the browser; give fewer images"
            )
        if array is value:  # what is shown must not change behind the view's back
            array = array.copy()
        return array


def images_dict(array: Float32 | None, _: Any) -> dict[str, Any]:
    """Return images as the browser reads them: shape (N, C, H, W) and little-endian float32."""
    if array is None:
        return {}
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 2:
        array = array[None, None]
    return array_dict(array)


def drawing_of(content: dict[str, Any], _: Any) -> Float32 | None:
    """Read a drawing from the browser."""
    if not content:
        return None
    numbers = np.frombuffer(content["data"], dtype="<f4").astype(np.float32)
    image: Float32 = numbers.reshape(content["shape"])[0, 0]
    return image
