"""What the tests of adapters share: a little training, and inputs of the right shape."""

from __future__ import annotations

import torch
from torch import nn

from kan_widgets.functions import LayerFunctions, read


def train(module: nn.Module, *shape: int, steps: int = 15) -> None:
    """Fit noise for a few steps, so that no parameter is as it was."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, 2e-2)
    generator = torch.Generator().manual_seed(3)
    like = parameters[0]
    for _ in range(steps):
        x = torch.randn(16, *shape, generator=generator).to(like)
        y = module(x)
        y = y if isinstance(y, torch.Tensor) else y[0]
        loss = (y - torch.randn(y.shape, generator=generator).to(like)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def assert_writes_back(module: nn.Module) -> None:
    """Every layer's ``write`` sets one function and no other."""
    for place, layer in enumerate(read(module)):
        assert layer.write is not None
        old = layer.coefficients.clone()
        index = tuple(size - 1 for size in old.shape[:-1])
        wanted = torch.linspace(-1, 1, old.shape[-1]).to(old)
        layer.write(index, wanted)
        expected = old
        expected[index] = wanted
        found: LayerFunctions = read(module)[place]
        torch.testing.assert_close(found.coefficients, expected)
