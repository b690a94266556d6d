"""Whether a module adds up functions of one input each, and how far sampled ones are off."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from kan_widgets.functions.sampling.probe import Probe
from kan_widgets.functions.sampling.ways import how_many

# Of the largest value: what inputs may do together.
_INTERACTION = 1e-3
_PAIRS = 256


def interaction(probe: Probe) -> str:
    """Say what speaks against a sum of functions of one input each; empty if nothing does."""
    generator = torch.Generator().manual_seed(0)
    inputs = probe.way.inputs
    n = min(_PAIRS, how_many(4 * probe.way.width))
    low, high = probe.way.extent
    a, b = (low + (high - low) * torch.rand(n, inputs, generator=generator) for _ in range(2))
    split = torch.rand(n, inputs, generator=generator) < 0.5
    if inputs > 1:
        split[:, 0], split[:, 1] = True, False
    parts = [a, b, torch.where(split, a, b), torch.where(split, b, a)]
    try:
        fa, fb, mixed, rest = (probe(part) for part in parts)
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


@dataclass(frozen=True)
class Measured:
    """How far Σφ of sampled functions is off, and where and when that was looked at."""

    error: float = 0.0
    """The largest difference, by the largest output."""
    inputs: int = 0
    """How many inputs were compared."""
    left: int = 0
    """How many others lie beyond where functions were sampled."""
    given: bool = False
    """Whether it was really given these."""
    at: float = 0.0
    """Seconds since 1970."""

    def __str__(self) -> str:
        of = "that it was given" if self.given else "drawn at random"
        clock = time.strftime("%H:%M:%S", time.localtime(self.at))
        beyond = f"; {self.left:,} more lie beyond" if self.left and self.given else ""
        return (
            f"Σφ is off by at most {at_most(self.error)} of the largest output over "
            f"{self.inputs:,} inputs {of}, at {clock}{beyond}"
        )


def measured(probe: Probe, basis: object, coefficients: Tensor, bias: Tensor) -> Measured:
    """Compare the functions, ``(out, inputs, nb)``, with what the module computes as it is."""
    assert callable(basis)
    x, y = probe.as_it_is()
    nodes = basis.nodes  # type: ignore[attr-defined]
    inside = ((x >= nodes[0]) & (x <= nodes[-1])).all(1)
    given, now = probe.way.given is not None, time.time()
    if not bool(inside.any()):
        return Measured(0.0, 0, len(x), given, now)
    size = float((y - y.mean(0)).abs().max()) or 1.0
    off, rows = 0.0, max(1, 4_000_000 // max(1, coefficients[0].numel()))
    for part, out in zip(x[inside].split(rows), y[inside].split(rows), strict=True):
        total = torch.einsum("nib,oib->no", basis(part), coefficients.to(part)) + bias.to(part)
        off = max(off, float((total - out).abs().max()) / size)
    return Measured(off, int(inside.sum()), int((~inside).sum()), given, now)


def at_most(error: float) -> str:
    """Return an error in one digit, rounded up."""
    if not 0 < error < math.inf:
        return f"{error:.0e}"
    unit = 10.0 ** math.floor(math.log10(error))
    return f"{math.ceil(error / unit - 1e-9) * unit:.0e}"
