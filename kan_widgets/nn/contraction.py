"""The linear part of a layer: how it combines the columns into which the basis expands its input.

A dense layer multiplies the columns by a matrix, a convolution convolves them. Both also give the
sizes and strides by which the compiled kernels move over the unpadded tensors: as plain numbers,
since a view of every tensor would cost a small layer more time than the arithmetic.
"""

from dataclasses import dataclass
from typing import NamedTuple, Union

import torch
import torch.nn.functional as F
from torch import Tensor

from kan_widgets.nn.activation import ACTIVATIONS
from kan_widgets.nn.bases.basis import Basis


class LayerCall(NamedTuple):
    """What a layer computes: ``contraction(columns(x), weight)``."""

    x: Tensor
    """Batch first, channels last."""
    base: Tensor | None
    """The base activation of ``x``, where it has no name."""
    base_weight: Tensor
    """The weight in two parts: the base's factors, and those of the basis functions."""
    spline_weight: Tensor
    basis: Basis
    activation: str | None
    contraction: "Contraction"
    kind: torch.dtype
    """The type of the linear part."""

    @property
    def value(self) -> Tensor:
        """The base activation of ``x``."""
        if self.base is not None:
            return self.base
        assert self.activation is not None
        return ACTIVATIONS[self.activation][0](self.x)

    def with_input(self, x: Tensor, base: Tensor | None) -> "LayerCall":
        """Return the call with another input; quicker than ``_replace``."""
        return self if x is self.x and base is self.base else LayerCall(x, base, *self[2:])

    def part(self, piece: slice) -> "LayerCall":
        """Return the call for a piece of the batch, in at least float32."""
        x = self.x[piece]
        x = x.to(torch.promote_types(x.dtype, torch.float32)).contiguous()
        return self.with_input(x, None if self.base is None else self.base[piece])


class Product:
    """``columns @ matrix.T`` with all columns of all features side by side."""

    def padded(self, x: Tensor) -> Tensor:
        return x

    def cropped(self, grad: Tensor) -> Tensor:
        return grad

    def matrix(self, weight: Tensor) -> Tensor:
        """Arrange the layer's weight, columns last, for the next two methods."""
        return weight.flatten(1)

    def __call__(self, columns: Tensor, matrix: Tensor) -> Tensor:
        """Multiply ``columns`` (batch first, columns last) by the arranged weight."""
        return columns.flatten(1) @ matrix.T

    def backward(
        self, grad: Tensor, columns: Tensor, matrix: Tensor, needs_columns: bool, needs_weight: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients of the columns and of the weight, not arranged."""
        grad = grad.to(matrix.dtype)
        return (
            (grad @ matrix).view(columns.shape) if needs_columns else None,
            (grad.T @ columns.flatten(1)).view(-1, *columns.shape[1:]) if needs_weight else None,
        )

    def sizes(self, x: Tensor, weight: Tensor) -> tuple[int, ...]:
        """Return the problem's sizes: the batch is the rows of one image with one column.

        Eighteen: n, height, width and channels of the padded input; output channels and groups;
        height and width of the kernel, the stride, the dilation, the output and the unpadded
        input; the rows and columns of padding before that input.
        """
        n, features = x.shape
        return (1, n, 1, features, len(weight), 1, 1, 1, 1, 1, 1, 1, n, 1, n, 1, 0, 0)

    def strides(self, x: Tensor) -> tuple[int, ...]:
        """Return the strides of the input as such an image."""
        down, along = x.stride()
        return 0, down, 0, along

    def new_output(self, x: Tensor, sizes: tuple[int, ...]) -> Tensor:
        return x.new_empty((sizes[1], sizes[4]))

    def output_strides(self, y: Tensor) -> tuple[int, ...]:
        """Return the strides of the output as such an image."""
        return self.strides(y)


# Compared by identity: torch 2.7's compiler asks for the hash before it has set a field.
@dataclass(frozen=True, eq=False)
class Convolution:
    """One ``conv2d`` over all columns of all channels of the padded input.

    Zeros are padded here and not before: the backward pass then keeps the smaller, unpadded
    input, and compiled kernels need no padded one. (left, right, top, bottom), as ``F.pad`` takes
    them.
    """

    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    pads: tuple[int, int, int, int] | None = None

    def padded(self, x: Tensor) -> Tensor:
        if not self.pads or not any(self.pads):
            return x
        return F.pad(x.permute(0, 3, 1, 2), self.pads).permute(0, 2, 3, 1)

    def cropped(self, grad: Tensor) -> Tensor:
        """Cut the padding off."""
        if not self.pads or not any(self.pads):
            return grad
        left, right, top, bottom = self.pads
        height, width = grad.shape[1] - bottom, grad.shape[2] - right
        return grad[:, top:height, left:width]

    def matrix(self, weight: Tensor) -> Tensor:
        """Arrange ``(out, in, kh, kw, column)`` as ``(out, in * column, kh, kw)``."""
        return weight.permute(0, 1, 4, 2, 3).flatten(1, 2)

    def __call__(self, columns: Tensor, matrix: Tensor) -> Tensor:
        return F.conv2d(
            _as_channels(columns), matrix, None, self.stride, 0, self.dilation, self.groups
        )

    def backward(
        self, grad: Tensor, columns: Tensor, matrix: Tensor, needs_columns: bool, needs_weight: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients of the columns and of the weight."""
        # Channels last, as the columns are; written so that both of torch's vmaps can take it.
        grad = grad.to(matrix.dtype).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
        grad_columns, grad_weight, _ = torch.ops.aten.convolution_backward(
            grad,
            _as_channels(columns),
            matrix,
            None,
            self.stride,
            (0, 0),
            self.dilation,
            False,
            (0, 0),
            self.groups,
            (needs_columns, needs_weight, False),
        )
        if needs_columns:
            grad_columns = grad_columns.permute(0, 2, 3, 1).reshape(columns.shape)
        if needs_weight:
            out, _, *kernel = grad_weight.shape
            grad_weight = grad_weight.reshape(out, -1, columns.shape[-1], *kernel)
            grad_weight = grad_weight.permute(0, 1, 3, 4, 2)
        return grad_columns, grad_weight

    def sizes(self, x: Tensor, weight: Tensor) -> tuple[int, ...]:
        """Return the sizes of the input, the kernel and the output."""
        kernel = weight.shape[2:4]
        n, *inner, channels = x.shape
        left, right, top, bottom = self.pads or (0, 0, 0, 0)
        size = inner[0] + top + bottom, inner[1] + left + right
        out = [
            (size - d * (k - 1) - 1) // s + 1
            for size, k, s, d in zip(size, kernel, self.stride, self.dilation, strict=True)
        ]
        moves = *kernel, *self.stride, *self.dilation
        return (n, *size, channels, len(weight), self.groups, *moves, *out, *inner, top, left)

    def strides(self, x: Tensor) -> tuple[int, ...]:
        """Return the strides of ``x``, channels last in shape."""
        return x.stride()

    def new_output(self, x: Tensor, sizes: tuple[int, ...]) -> Tensor:
        """Return an output laid out in memory as the input."""
        n, out, height, width = sizes[0], sizes[4], *sizes[12:14]
        # Channel by channel, or channels last.
        if x.permute(0, 3, 1, 2).is_contiguous() and (x.shape[-1] > 1 or x.stride(-1) > 1):
            return x.new_empty((n, out, height, width))
        return torch.empty(
            (n, out, height, width),
            dtype=x.dtype,
            device=x.device,
            memory_format=torch.channels_last,
        )

    def output_strides(self, y: Tensor) -> tuple[int, ...]:
        """Return the strides of the output along n, height, width and channels."""
        n, out, height, width = y.stride()
        return n, height, width, out


Contraction = Union[Product, Convolution]  # noqa: UP007  (evaluated on Python 3.10)


def _as_channels(columns: Tensor) -> Tensor:
    """View ``(N, H, W, C, column)`` as ``(N, C * column, H, W)``, channels last in memory."""
    return columns.flatten(3).permute(0, 3, 1, 2)
