"""What a sampled convolution adds up at the border, where its kernels reach beyond."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn

from kan_widgets.functions.proof import compared
from kan_widgets.functions.sampling.layers import layers_of, of_samples, sums_of
from kan_widgets.functions.sampling.probe import Probe
from kan_widgets.functions.sampling.samples import Samples
from kan_widgets.functions.sampling.ways import Way, like_of


def at_the_border(run: nn.Module, way: Way, sampled: Samples) -> tuple[Way, Samples]:
    """Find out whether a convolution pads x or φ where its kernels reach beyond the border."""
    if way.kernel is None or not any(way.padding):
        return way, sampled
    low, high = way.domain
    generator = torch.Generator().manual_seed(3)
    x = low + (high - low) * torch.rand(4, *way.shape, generator=generator)
    for border in ("x", "basis", "constants"):
        tried, found = replace(way, border=border), sampled
        with suppress(Exception):
            if border == "constants" and not way.before:
                found = with_constants(run, tried, run, sampled)
            near = max(1e-3, 20 * sampled.basis.error)
            layers = of_samples(run, tried, found)
            like = like_of(run)
            compared(run, layers, sums_of(run, tried, found), x.to(like), near)
            return tried, found
    return replace(way, border="unknown"), sampled


def with_constants(run: nn.Module, way: Way, module: nn.Module, sampled: Samples) -> Samples:
    """Add to functions that are 0 at x = 0 what they really are there.

    At the border some entries of a kernel add nothing: what is missing there tells what they add.
    """
    assert way.kernel is not None
    y = Probe(run, way).of_zeros()
    sides = way.shape[1:] if not way.line else (1, *way.shape[1:])
    inside = F.pad(torch.ones(1, 1, *sides, dtype=y.dtype), way.padding)
    there = F.unfold(inside, way.kernel, way.dilation, 0, way.stride)[0].T
    there = torch.cat([there, torch.ones(len(there), 1, dtype=y.dtype)], dim=1)
    solved = (torch.linalg.pinv(there) @ y.flatten(1).T).T
    channels = way.shape[0]
    own = sampled.coefficients
    added = (solved[:, :-1] / channels).repeat(1, channels).unsqueeze(-1).to(own)
    values = sampled.basis.values
    if all(row[-1] == 1.0 for row in values):  # sampled before
        basis, own = sampled.basis, torch.cat([own[..., :-1], own[..., -1:] + added], dim=-1)
    else:
        basis = replace(sampled.basis, values=tuple((*row, 1.0) for row in values))
        own = torch.cat([own, added], dim=-1)
    layers = layers_of(module, way, own, basis, sampled.measured)
    return replace(sampled, layers=layers, bias=solved[:, -1], basis=basis)
