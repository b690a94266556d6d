"""Read a layer that no adapter reads: find out whether it adds up functions, and sample them."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from kan_widgets.functions.registry import Adapter, Sum
from kan_widgets.functions.sampling.additivity import interaction, mistake
from kan_widgets.functions.sampling.borders import at_the_border, with_constants
from kan_widgets.functions.sampling.layers import layers_of, of_samples, sums_of
from kan_widgets.functions.sampling.norms import with_norms
from kan_widgets.functions.sampling.probe import Probe
from kan_widgets.functions.sampling.sampled_basis import (
    MOST_OFF,
    SampledBasis,
    fitted_basis,
    refined_nodes,
    wider,
)
from kan_widgets.functions.sampling.samples import (
    SAMPLED,
    Samples,
    Untold,
    newest,
    on_cpu,
    samples_of,
)
from kan_widgets.functions.sampling.ways import Way, ways_of

_SECONDS = 6.0


def sampling_adapter(module: nn.Module, why: str = "") -> Adapter:
    """Return an adapter that reads ``module`` by sampling it, ``why`` it does so in its note.

    Taken is a layer that is additive: what it computes is Σ φᵢ(xᵢ) and a constant for each output,
    of the inputs or, in a convolution, of the entries of a patch. A norm that its input passes
    first, and norms and activations that its sum passes last, are left out of φ and named. If it
    takes in x itself beside such a norm, its functions of both are two layers.

    Raises
    ------
    Untold
        If it is not; with the size of what its inputs do together, relative to its largest output.
    """
    reasons: dict[str, None] = {}

    def found(run: nn.Module) -> Adapter:
        for way in ways_of(run):
            way = with_norms(run, replace(way, why=why))
            probe = Probe(run, way)
            if words := interaction(probe):
                reasons[words] = None
                continue
            sampled = _sample(way, module, run, None)
            if words := mistake(probe, sampled):
                reasons[words] = None
                continue
            way, sampled = at_the_border(run, way, sampled)
            sampled = replace(sampled, layers=of_samples(module, way, sampled))
            if sampled.is_straight:
                raise Untold("its functions are straight lines: a plain layer")
            samples_of[module] = sampled
            return Adapter(
                SAMPLED,
                type(module),
                partial(newest, partial(_sample, way)),
                _no_problem,
                _always,
                partial(_sums, way),
                partial(_shape, way),
            )
        raise Untold("; ".join(reasons) or "no shape of input was found that it takes")

    return on_cpu(module, found)


def _sample(way: Way, module: nn.Module, run: nn.Module, known: SampledBasis | None) -> Samples:
    """Sample all functions of a module, with what runs in its place."""
    started = time.perf_counter()
    probe = Probe(run, way)
    zero = probe(torch.zeros(1, way.inputs))[0]

    def values(x: Tensor) -> Tensor:
        """Return φ at some points: (points, in, out)."""
        found = []
        began = time.perf_counter()
        rows = max(1, 200_000 // (way.width * len(x)))
        for first in range(0, way.inputs, rows):
            own = torch.arange(first, min(first + rows, way.inputs))
            one = torch.zeros(len(own), len(x), way.inputs)
            one[torch.arange(len(own)), :, own] = x.to(one)
            found.append((probe(one.flatten(0, 1)) - zero).unflatten(0, (len(own), len(x))))
            spent = time.perf_counter() - began
            needed = began - started + spent * way.inputs / (own[-1].item() + 1)
            if needed > _SECONDS and spent > 0.2:
                raise Untold(
                    f"it would take {needed:.0f} s or more to sample its {way.inputs:,} inputs"
                )
        return torch.cat(found).transpose(0, 1)

    if known is None:
        nodes, samples, error = refined_nodes(wider(way.extent), values)
        basis, coefficients = fitted_basis(nodes, samples.flatten(1), way.domain, way.extent)
    else:
        nodes = torch.tensor(known.nodes, dtype=torch.float64)
        samples, error = values(nodes), known.error
        basis, coefficients = known, known.fit(samples.flatten(1))
        off = samples.flatten(1) - torch.tensor(known.values, dtype=torch.float64) @ coefficients
        if float(off.abs().max()) > 1e-4 * float(samples.abs().max()):
            basis, coefficients = fitted_basis(nodes, samples.flatten(1), way.domain, way.extent)
    if error > MOST_OFF:
        raise Untold(f"its functions jump or bend too fast to be sampled: {error:.0%} off")
    basis = basis if basis is known else basis.with_error(error)
    own = coefficients.T.unflatten(0, (way.inputs, -1)).transpose(0, 1).float()
    cost = time.perf_counter() - started
    found = Samples.taken(module, layers_of(module, way, own, basis), zero, basis, cost)
    return with_constants(run, way, module, found) if way.border == "constants" else found


def _no_problem(module: nn.Module) -> str:
    return ""


def _always(module: nn.Module) -> bool:
    return True


def _shape(way: Way, module: nn.Module) -> tuple[int, ...]:
    return way.shape


def _sums(way: Way, module: nn.Module) -> list[Sum]:
    newest(partial(_sample, way), module)
    return sums_of(module, way, samples_of[module])
