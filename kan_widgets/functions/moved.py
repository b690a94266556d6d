"""Move the parameters of a copy as training may: what holds only where they stand is no proof."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn


def start(copied: nn.Module) -> None:
    """Move what is still as it was made, all zeros or ones: it would prove nothing."""
    generator = torch.Generator().manual_seed(0)
    if any(tensor.dtype in (torch.float16, torch.bfloat16) for tensor in copied.parameters()):
        copied.float()
    for tensor in _trained(copied):
        if bool((tensor == tensor.flatten()[0]).all()):
            tensor.add_(0.1 * torch.randn(tensor.shape, generator=generator).to(tensor))


def move(copied: nn.Module) -> None:
    """Move all that training moves, as far as it may: what is in order or of one sign stays so."""
    generator = torch.Generator().manual_seed(1)
    for tensor in _trained(copied):
        noise = torch.randn(tensor.shape, generator=generator).to(tensor)
        size = 0.1 * max(float(tensor.abs().mean()), 0.1)
        if tensor.ndim and tensor.shape[-1] > 2 and bool((tensor.diff(dim=-1) > 0).all()):
            tensor.mul_(1.05).add_(size * noise.flatten()[0])
        elif bool((tensor > 0).all()):
            tensor.add_(size * noise.abs())
        elif bool((tensor < 0).all()):
            tensor.sub_(size * noise.abs())
        else:
            tensor.add_(size * noise)


def _trained(copied: nn.Module) -> Iterator[Tensor]:
    for tensor in copied.parameters():
        if tensor.requires_grad and tensor.is_floating_point() and tensor.numel():
            yield tensor
