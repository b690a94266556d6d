"""Whether a module adds up functions of one input each, and whether sampled ones are these."""

from __future__ import annotations

import torch

from kan_widgets.functions.sampling.probe import Probe
from kan_widgets.functions.sampling.samples import Samples

# Of the largest value: what inputs may do together.
_INTERACTION = 1e-3


def interaction(probe: Probe) -> str:
    """Say what speaks against a sum of functions of one input each; empty if nothing does."""
    generator = torch.Generator().manual_seed(0)
    n, inputs = 48, probe.way.inputs
    low, high = probe.way.extent
    a, b = (low + (high - low) * torch.rand(n, inputs, generator=generator) for _ in range(2))
    split = torch.rand(n, inputs, generator=generator) < 0.5
    if inputs > 1:
        split[:, 0], split[:, 1] = True, False
    parts = [a, b, torch.where(split, a, b), torch.where(split, b, a)]
    try:
        fa, fb, mixed, rest = probe(torch.cat(parts)).chunk(4)
        alone = probe(a[:5])
    except Exception as error:
        return f"it does not run by itself ({type(error).__name__}: {error!s:.100})"
    size = float((fa - fa.mean(0)).abs().max())
    if not size > 0 or not bool(fa.isfinite().all()):
        return "what it computes is not finite" if size != 0 else "it computes a constant"
    if float((alone - fa[:5]).abs().max()) > _INTERACTION * size:
        return "what it makes of an example depends on the others of its batch"
    together = float((fa + fb - mixed - rest).abs().max()) / size
    if together > _INTERACTION:
        return (
            "it is no sum of functions of one input each: what inputs do together is "
            f"{together:.2g} of what it computes"
        )
    return ""


def mistake(probe: Probe, sampled: Samples) -> str:
    """Say whether the functions add up to what the module computes as it is, norms included."""
    x, y = probe.as_it_is()
    inside = ((x >= sampled.basis.nodes[0]) & (x <= sampled.basis.nodes[-1])).all(1)
    if not bool(inside.any()):
        return ""
    total = torch.einsum("nib,oib->no", sampled.basis(x[inside]), sampled.coefficients.to(x))
    difference = total + sampled.bias.to(x) - y[inside]
    size = float(y.abs().max()) or 1.0
    off = float(difference.abs().max()) / size
    if off <= max(1e-3, 20 * sampled.basis.error):
        return ""
    return f"its sampled functions are off by {off:.0%} of its largest output"
