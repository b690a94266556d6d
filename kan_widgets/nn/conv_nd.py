"""KANConv1d and KANConv3d: convolutions over one and three dimensions, made of KANConv2d."""

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.nn.conv import KANConv2d, PaddingMode, sizes_along
from kan_widgets.nn.core import SCALE_NOISE


class KANConv1d(nn.Module):
    """Convolution over one dimension whose kernel entries are learned functions.

    It is a `KANConv2d` of kernels 1×k, ``conv``, which is what the views draw.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation
        As in ``nn.Conv1d``. There is no bias: constants are among the splines.
    **settings
        ``groups``, ``padding_mode``, ``grid_size`` and all others of `KANConv2d`.

    Examples
    --------
    >>> KANConv1d(3, 8, 5, padding=2)(torch.zeros(4, 3, 100)).shape
    torch.Size([4, 8, 100])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int | str = 0,
        dilation: int = 1,
        **settings: Any,
    ) -> None:
        super().__init__()
        pads = padding if isinstance(padding, str) else (0, padding)
        along = (1, kernel_size), (1, stride), pads, (1, dilation)
        self.conv = KANConv2d(in_channels, out_channels, *along, **settings)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer: ``(N, C, L)`` or ``(C, L)``, as ``nn.Conv1d``."""
        return self.conv(x.unsqueeze(-2)).squeeze(-2)  # type: ignore[no-any-return]


class KANConv3d(nn.Module):
    """Convolution over three dimensions whose kernel entries are learned functions.

    It is one `KANConv2d` for each slice of the kernel, ``slices``, which is what the views draw:
    slice d takes in the planes that lie d·dilation behind the first. ``phi`` starts as in
    `KANConv2d`, of a fan_in of all slices.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation
        As in ``nn.Conv3d``: numbers, or three of depth, height and width; ``padding`` may be
        ``"same"`` or ``"valid"``. There is no bias: constants are among the splines.
    **settings
        ``groups``, ``padding_mode``, ``grid_size`` and all others of `KANConv2d`.

    Raises
    ------
    ValueError
        If an argument is out of range; on a call, if the kernel is deeper than the padded input.

    Examples
    --------
    >>> KANConv3d(1, 4, 3, padding="same")(torch.zeros(2, 1, 8, 10, 10)).shape
    torch.Size([2, 4, 8, 10, 10])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        **settings: Any,
    ) -> None:
        super().__init__()
        depth, *size = sizes_along("kernel_size", kernel_size, 3)
        self.stride, *strides = sizes_along("stride", stride, 3)
        self.dilation, *dilations = sizes_along("dilation", dilation, 3)
        pads: Any = padding
        if isinstance(padding, str):
            total = self.dilation * (depth - 1) if padding == "same" else 0
            self.pads = (total // 2, total - total // 2)
        else:
            behind, *pads = sizes_along("padding", padding, 3, 0)
            self.pads = (behind, behind)
        flat = tuple(size), tuple(strides), pads if isinstance(pads, str) else tuple(pads)
        self.slices = nn.ModuleList(
            KANConv2d(in_channels, out_channels, *flat, tuple(dilations), **settings)
            for _ in range(depth)
        )
        self.padding_mode: PaddingMode = self.slices[0].padding_mode  # type: ignore[assignment]
        self._narrow()

    def reset_parameters(self, *, scale_noise: float = SCALE_NOISE) -> None:
        """Draw all parameters again, as `KANConv2d.reset_parameters` does."""
        for plane in self.slices:
            plane.reset_parameters(scale_noise=scale_noise)  # type: ignore[operator]
        self._narrow()

    @torch.no_grad()
    def _narrow(self) -> None:
        """Scale what each slice drew for its own fan_in to the fan_in of all slices."""
        for plane in self.slices:
            for drawn in (plane.base_weight, plane.spline_scaler):
                if drawn is not None:
                    drawn.div_(math.sqrt(len(self.slices)))  # type: ignore[operator]

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer: ``(N, C, D, H, W)`` or ``(C, D, H, W)``, as ``nn.Conv3d``."""
        if x.dim() == 4:
            return self.forward(x.unsqueeze(0)).squeeze(0)
        if x.dim() != 5:
            raise ValueError(
                f"input of shape {tuple(x.shape)}: expected (N, C, D, H, W) or (C, D, H, W)"
            )
        if any(self.pads):
            mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
            x = F.pad(x, (0, 0, 0, 0, *self.pads), mode=mode)
        reach = self.dilation * (len(self.slices) - 1)
        count = (x.shape[2] - reach - 1) // self.stride + 1
        if count < 1:
            raise ValueError(
                f"the kernel, {reach + 1} deep with dilation, is deeper than the padded input, "
                f"{x.shape[2]}"
            )
        total = x.new_zeros(())
        for d, plane in enumerate(self.slices):
            first = d * self.dilation
            planes = x[:, :, first : first + (count - 1) * self.stride + 1 : self.stride]
            total = total + plane(planes.transpose(1, 2).flatten(0, 1))
        volume: Tensor = total.unflatten(0, (len(x), count)).transpose(1, 2)
        return volume
