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
    given: int = 0
    """How many inputs that it was really given were compared."""
    drawn: int = 0
    """How many others were."""
    beyond: int = 0
    """How many inputs that it was given lie beyond where functions were sampled."""
    at: float = 0.0
    """Seconds since 1970."""

    def __str__(self) -> str:
        counts = ((self.given, "that it was given"), (self.drawn, "drawn at random"))
        inputs = " and ".join(f"{n:,} inputs {words}" for n, words in counts if n)
        clock = time.strftime("%H:%M:%S", time.localtime(self.at))
        beyond = f"; {self.beyond:,} of those given lie beyond" if self.beyond else ""
        error = at_most(self.error)
        return (
            f"Σφ is off by at most {error} of the largest output over {inputs}, at {clock}{beyond}"
        )


def measured(probe: Probe, basis: object, coefficients: Tensor, bias: Tensor) -> Measured:
    """Compare the functions, ``(out, inputs, nb)``, with what the module computes as it is."""
    assert callable(basis)
    lowest, highest = basis.nodes[0], basis.nodes[-1]  # type: ignore[attr-defined]
    rows = max(1, 4_000_000 // max(1, coefficients[0].numel()))
    found = [probe.as_drawn()] if probe.way.given is None else [probe.as_drawn(), probe.as_given()]
    off, counts, beyond = 0.0, [], []
    for x, y in found:
        inside = ((x >= lowest) & (x <= highest)).all(1)
        counts.append(int(inside.sum()))
        beyond.append(len(x) - counts[-1])
        size = float((y - y.mean(0)).abs().max()) or 1.0
        for part, out in zip(x[inside].split(rows), y[inside].split(rows), strict=True):
            total = torch.einsum("nib,oib->no", basis(part), coefficients.to(part)) + bias.to(part)
            off = max(off, float((total - out).abs().max()) / size if len(out) else 0.0)
    given = (counts[1], beyond[1]) if len(found) > 1 else (0, 0)
    return Measured(off, given[0], counts[0], given[1], time.time())


def at_most(error: float) -> str:
    """Return an error in one digit, rounded up."""
    if not 0 < error < math.inf:
        return f"{error:.0e}"
    unit = 10.0 ** math.floor(math.log10(error))
    return f"{math.ceil(error / unit - 1e-9) * unit:.0e}"
