"""KANConv2d and SharedKANConv2d: convolutions whose kernel entries are learned functions."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Union

import torch
import torch.nn.functional as F
from torch import Tensor

from kan_widgets.checks import check_whole
from kan_widgets.nn.activation import BaseActivation
from kan_widgets.nn.bases.basis import Basis, check_floating
from kan_widgets.nn.bases.families import resolve_basis
from kan_widgets.nn.contraction import Convolution
from kan_widgets.nn.core import settings_of
from kan_widgets.nn.expansion import expand_and_contract
from kan_widgets.nn.layer import KANLayer
from kan_widgets.nn.torch_modes import traced

Pair = Union[int, tuple[int, int]]  # noqa: UP007  (evaluated on Python 3.10)
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]


class KANConv2d(KANLayer):
    """Convolution whose kernel entries are learned functions of one variable.

    Over each patch of the padded input,

        ``y[o] = sum_(i, r, c) phi[o, i, r, c](x[i, r, c])``, with
        ``phi(x) = base_weight * act(x) + spline_scaler * sum_b spline_weight[b] * B_b(x)``

    (Bodner et al. 2024, *Convolutional Kolmogorov-Arnold Networks*, sec. III). The basis is
    evaluated once per pixel; one convolution over ``in_channels * (n_basis + 1)`` channels does
    the rest. Because ``phi(0)`` is not 0 in general, padded pixels count: they are padded first
    and then pass through ``phi`` like any other.

    The layer starts near an ordinary convolution after an activation, the nearer the smaller its
    ``fan_in = in_channels / groups * kh * kw``: all parameters are drawn as in
    :class:`KANLinear` with as many inputs.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, padding_mode
        As in ``nn.Conv2d``, ``padding="same"`` and ``"valid"`` and all four padding modes
        included. There is no bias: constants are among the splines.
    grid_size, spline_order, grid_range, basis, base_activation, spline_scaler
        As in :class:`KANLinear`.
    device, dtype
        As in ``nn.Conv2d``.

    Attributes
    ----------
    basis : Basis
        The basis shared by all functions.
    base_weight : Parameter
        ``(out_channels, in_channels // groups, kh, kw)``.
    spline_weight : Parameter
        ``(out_channels, in_channels // groups, kh, kw, n_basis)``, the coefficients of whatever
        basis.
    spline_scaler : Parameter or None
        ``(out_channels, in_channels // groups, kh, kw)``.

    Examples
    --------
    >>> layer = KANConv2d(3, 8, 3, padding="same")
    >>> layer(torch.zeros(2, 3, 16, 16)).shape
    torch.Size([2, 8, 16, 16])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair | str = 0,
        dilation: Pair = 1,
        groups: int = 1,
        padding_mode: PaddingMode = "zeros",
        *,
        grid_size: int = 5,
        spline_order: int = 3,
        grid_range: tuple[float, float] = (-1.0, 1.0),
        basis: str | Basis = "bspline",
        base_activation: BaseActivation = "silu",
        spline_scaler: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_whole("groups", groups, 1)
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels)):
            check_whole(name, value, 1)
            if value % groups:
                raise ValueError(f"{name}={value}, groups={groups}: expected a multiple of groups")
        size = sizes_along("kernel_size", kernel_size, 2)
        super().__init__(
            (out_channels, in_channels // groups, *size),
            resolve_basis(basis, grid_size, spline_order, grid_range),
            base_activation,
            spline_scaler,
            device,
            dtype,
        )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = size
        self.stride = sizes_along("stride", stride, 2)
        self.dilation = sizes_along("dilation", dilation, 2)
        self.groups = groups
        self.padding: str | tuple[int, int] = (
            padding if isinstance(padding, str) else sizes_along("padding", padding, 2, 0)
        )
        self.padding_mode = padding_mode
        self.pads = _pads(
            self.padding, self.padding_mode, self.kernel_size, self.stride, self.dilation
        )

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer: ``(N, C, H, W)`` or ``(C, H, W)``, as ``nn.Conv2d``."""
        self._check(x)
        return self._convolve(x) if x.dim() == 4 else self._convolve(x.unsqueeze(0)).squeeze(0)

    def _check(self, x: Tensor) -> None:
        super()._check(x)
        if x.dim() not in (3, 4) or (not traced() and x.shape[-3] != self.in_channels):
            raise ValueError(
                f"input of shape {tuple(x.shape)}: expected (N, {self.in_channels}, H, W) or "
                f"({self.in_channels}, H, W)"
            )

    def _convolve(self, x: Tensor) -> Tensor:
        """Pad, expand, convolve; the output has the memory layout of the input."""
        layout = _memory_format(x)
        left, right, top, bottom = self.pads
        height, width = x.shape[2] + top + bottom, x.shape[3] + left + right
        reach = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        if not traced() and (height < reach[0] or width < reach[1]):
            raise ValueError(
                f"the kernel, {reach[0]}×{reach[1]} with dilation, is larger than the padded "
                f"input, {height}×{width}"
            )
        # The contraction pads where the base is known to be 0 at 0.
        late = self.padding_mode == "zeros" and isinstance(self.base_activation, str)
        if not late:
            x = self.padded(x)
        out = expand_and_contract(
            x.permute(0, 2, 3, 1),
            *self.factors(),
            self.basis,
            self.base_activation,
            Convolution(self.stride, self.dilation, self.groups, self.pads if late else None),
        )
        return out.contiguous(memory_format=layout)

    def padded(self, batch: Tensor) -> Tensor:
        self._check(batch)
        if not any(self.pads):
            return batch
        mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
        return F.pad(batch, self.pads, mode=mode)

    def seen(self, batch: Tensor) -> Tensor:
        """Return the patches, ``(N, height, width, groups, in_channels // groups, kh, kw)``."""
        x = self.padded(batch if batch.dim() == 4 else batch.unsqueeze(0))
        patches = F.unfold(x, self.kernel_size, self.dilation, 0, self.stride)
        reach = self.dilation[1] * (self.kernel_size[1] - 1)
        width = (x.shape[-1] - reach - 1) // self.stride[1] + 1
        return patches.transpose(1, 2).reshape(
            len(x),
            -1,
            width,
            self.groups,
            self.in_channels // self.groups,
            *self.kernel_size,
        )

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        """Shield the weight of five dimensions from ``model.to(memory_format=channels_last)``.

        ``nn.Module.to`` takes every parameter of five dimensions for one of a ``Conv3d``.
        """

        def flat(tensor: Tensor) -> Tensor:
            return fn(tensor.flatten()).view(tensor.shape) if tensor.dim() == 5 else fn(tensor)

        return super()._apply(flat, recurse)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, {self._geometry_repr()}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        return f"{text}, {settings_of(self)}"

    def _geometry_repr(self) -> str:
        text = f"kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding not in ((0, 0), "valid"):
            text += f", padding={self.padding!r}"
        if self.dilation != (1, 1):
            text += f", dilation={self.dilation}"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode!r}"
        return text


class SharedKANConv2d(KANConv2d):
    """The same learned kernels applied to every input channel: ``C`` to ``C * num_kernels``.

    Output channel ``c * num_kernels + k`` is kernel ``k`` over input channel ``c``. This is the
    layer of the Convolutional-KAN article (the 2024 code, argument ``n_convs``), with
    ``num_kernels * kh * kw`` functions whatever the number of channels.

    Parameters
    ----------
    num_kernels
        Number of kernels.
    kernel_size, stride, padding, dilation, padding_mode
        As in ``nn.Conv2d``.
    **settings
        ``grid_size`` and all others of :class:`KANConv2d`; the weights are those of
        ``KANConv2d(1, num_kernels)``.

    Examples
    --------
    >>> layer = SharedKANConv2d(5, 3)
    >>> layer(torch.zeros(2, 4, 8, 8)).shape
    torch.Size([2, 20, 6, 6])
    """

    def __init__(
        self,
        num_kernels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair | str = 0,
        dilation: Pair = 1,
        padding_mode: PaddingMode = "zeros",
        **settings: Any,
    ) -> None:
        check_whole("num_kernels", num_kernels, 1)
        geometry = kernel_size, stride, padding, dilation, 1, padding_mode
        super().__init__(1, num_kernels, *geometry, **settings)
        self.num_kernels = num_kernels

    def _convolve(self, x: Tensor) -> Tensor:
        n, channels, *size = x.shape
        layout = _memory_format(x)
        out = super()._convolve(x.reshape(n * channels, 1, *size))
        out = out.reshape(n, channels * self.num_kernels, *out.shape[-2:])
        return out.contiguous(memory_format=layout)

    def seen(self, batch: Tensor) -> Tensor:
        """Return the patches of every channel, ``(N * C, height, width, 1, 1, kh, kw)``."""
        self._check(batch)
        return super().seen(batch.reshape(-1, 1, *batch.shape[-2:]))

    def _check(self, x: Tensor) -> None:
        check_floating(x)
        if x.dim() not in (3, 4):
            raise ValueError(f"input of shape {tuple(x.shape)}: expected (N, C, H, W) or (C, H, W)")

    def extra_repr(self) -> str:
        return f"{self.num_kernels}, {self._geometry_repr()}, {settings_of(self)}"


def _memory_format(x: Tensor) -> torch.memory_format:
    # With one channel the strides alone tell the format, as in torch's own convolutions.
    plain = x.is_contiguous() and (traced() or x.shape[1] > 1 or x.stride(1) > 1)
    if not plain and x.is_contiguous(memory_format=torch.channels_last):
        return torch.channels_last
    return torch.contiguous_format


def sizes_along(name: str, value: Any, axes: int, least: int = 1) -> Any:
    """Return one size for each axis, the vertical one before the horizontal one."""
    sizes = (value,) * axes if isinstance(value, int) else value
    if (
        not isinstance(sizes, Sequence)
        or len(sizes) != axes
        or any(type(size) is not int or size < least for size in sizes)
    ):
        count = "two" if axes == 2 else "three"
        raise ValueError(f"{name}={value!r}: expected a whole number or {count}, ≥ {least}")
    return tuple(sizes)


def _pads(
    padding: str | tuple[int, int],
    mode: str,
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> tuple[int, int, int, int]:
    """Return (left, right, top, bottom), as ``F.pad`` takes them."""
    if mode not in ("zeros", "reflect", "replicate", "circular"):
        raise ValueError(
            f"padding_mode={mode!r}: expected 'zeros', 'reflect', 'replicate' or 'circular'"
        )
    if padding == "valid":
        return (0, 0, 0, 0)
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f"padding='same', stride={stride}: expected stride 1")
        height, width = (d * (k - 1) for d, k in zip(dilation, kernel_size, strict=True))
        # An odd total leaves one more pixel on the right and at the bottom, as in torch.
        return (width // 2, width - width // 2, height // 2, height - height // 2)
    if isinstance(padding, str):
        raise ValueError(f"padding={padding!r}: expected a whole number, two, 'same' or 'valid'")
    height, width = padding
    return (width, width, height, height)
