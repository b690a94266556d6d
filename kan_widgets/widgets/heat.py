"""The numbers behind heat maps: φ at any x, over a ramp, in pairs, and swept over an image.

The live view follows the same rules (``js/src/meshgrid_view``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kan_widgets.functions import ConvSettings
from kan_widgets.insight.tables import ACTIVATIONS
from kan_widgets.live.frame import Frame
from kan_widgets.live.layout import LayerLayout
from kan_widgets.widgets.ranges import Functions

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


def evaluate(
    frame: Frame, layer: LayerLayout, x: Float64, functions: Int64 | None = None
) -> Float64:
    """Return φ at any x, shape (functions, len(x)); all functions if none are chosen.

    Beyond a table the splines are 0 and a base term of a known name goes on; what is not
    known there is NaN.
    """
    chosen = np.arange(layer.count) if functions is None else functions
    y = Functions(frame, layer.name).evaluate(x, chosen)
    coefficients = frame.coefficients(layer.name).reshape(layer.count, layer.nb).astype(np.float64)
    for number, table in enumerate(layer.tables):
        beyond = (x < float(table.x[0])) | (x > float(table.x[-1]))
        if not beyond.any():
            continue
        rows = np.ones(len(chosen), bool)
        if layer.table_of is not None:
            rows = layer.table_of[chosen] == number
        low, high = table.extent
        outer = x[beyond]
        gone = bool(table.knots) & ((outer <= low) | (outer >= high))
        beta = np.where(gone, 0.0, np.nan)[:, None].repeat(layer.nb, axis=1)
        for b, (label, is_base) in enumerate(zip(layer.labels, layer.is_base, strict=True)):
            if is_base:
                activation = ACTIVATIONS.get(label.lower())
                with np.errstate(all="ignore"):
                    beta[:, b] = np.nan if activation is None else activation(outer)
        block = y[rows]
        block[:, beyond] = coefficients[chosen[rows]] @ beta.T
        y[rows] = block
    return y


def ramp(direction: str, limits: tuple[float, float], n: int) -> Float64:
    """Return the n × n input matrix that rises from one limit to the other.

    Examples
    --------
    >>> ramp("horizontal", (-2.0, 2.0), 3)
    array([[-2.,  0.,  2.],
           [-2.,  0.,  2.],
           [-2.,  0.,  2.]])
    """
    line = np.arange(n) / (n - 1)
    down, across = np.meshgrid(line, line, indexing="ij")
    if direction == "horizontal":
        share = across
    elif direction == "vertical":
        share = down
    elif direction == "diagonal":
        share = (across + down) / 2
    else:
        distance = np.hypot(2 * across - 1, 2 * down - 1)
        least, most = distance.min(), distance.max()
        share = (distance - least) / (most - least) if most > least else distance * 0
    low, high = limits
    return low + (high - low) * share


def response(frame: Frame, layer: LayerLayout, image: Float64) -> Float64:
    """Return what a convolution makes of an image, before bias and normalisation.

    Parameters
    ----------
    frame
        Where the coefficients come from.
    layer
        With ``conv`` known.
    image
        ``(channels, height, width)``; one channel goes to all where the layer takes more.

    Returns
    -------
    ndarray
        ``(outputs, height, width)``.

    Raises
    ------
    ValueError
        If the layer is not such a convolution, or the image does not fit it.
    """
    conv = layer.conv
    if conv is None:
        raise ValueError(f"{layer.name or layer.type}: it is not known how its kernels move")
    out, inputs, kh, kw = layer.shape
    if not conv.shared:
        channels = inputs * conv.groups
        if len(image) not in (1, channels):
            raise ValueError(
                f"the image has {len(image)} channels, {layer.name or layer.type} takes {channels}"
            )
        image = np.broadcast_to(image, (channels, *image.shape[1:]))
    padded = _pad(image, conv)
    height = _positions(padded.shape[1], kh, conv.dilation[0], conv.stride[0])
    width = _positions(padded.shape[2], kw, conv.dilation[1], conv.stride[1])
    if height < 1 or width < 1:
        size = " × ".join(map(str, image.shape[1:]))
        raise ValueError(f"the image, {size}, is too small for {layer.name or layer.type}")
    values, places = np.unique(padded, return_inverse=True)
    places = places.reshape(padded.shape)
    counts = np.ones(padded.shape[1:], bool)
    if conv.pads_basis:  # nothing is added over the border
        counts = _pad(np.ones((1, *image.shape[1:])), conv)[0] > 0
    result = np.zeros((out * len(image) if conv.shared else out, height, width))
    for output in range(len(result)):
        if conv.shared:
            sources = [(output % out, 0, output // out)]
        else:
            first = output // (out // conv.groups) * inputs
            sources = [(output, i, first + i) for i in range(inputs)]
        for kernel_out, kernel_in, channel in sources:
            start = (kernel_out * inputs + kernel_in) * kh * kw
            phi = evaluate(frame, layer, values, np.arange(start, start + kh * kw))
            for entry in range(kh * kw):
                row = entry // kw * conv.dilation[0]
                column = entry % kw * conv.dilation[1]
                rows = slice(row, row + (height - 1) * conv.stride[0] + 1, conv.stride[0])
                columns = slice(column, column + (width - 1) * conv.stride[1] + 1, conv.stride[1])
                added = phi[entry][places[channel, rows, columns]]
                result[output] += np.where(counts[rows, columns], added, 0.0)
    return result


def _pad(image: Float64, conv: ConvSettings) -> Float64:
    left, right, top, bottom = conv.padding
    sides = ((0, 0), (top, bottom), (left, right))
    if conv.padding_mode == "zeros":
        return np.pad(image, sides)
    if conv.padding_mode == "reflect":
        return np.pad(image, sides, mode="reflect")
    if conv.padding_mode == "replicate":
        return np.pad(image, sides, mode="edge")
    return np.pad(image, sides, mode="wrap")


def _positions(length: int, kernel: int, dilation: int, stride: int) -> int:
    return (length - dilation * (kernel - 1) - 1) // stride + 1
