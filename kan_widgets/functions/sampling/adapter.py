"""Read a layer that no adapter reads: find out whether it adds up functions, and sample them."""

from __future__ import annotations

import copy
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from kan_widgets.functions.moved import move, start
from kan_widgets.functions.registry import SAMPLED, Adapter, Sum
from kan_widgets.functions.sampling.additivity import interaction, measured
from kan_widgets.functions.sampling.borders import at_the_border, with_constants
from kan_widgets.functions.sampling.layers import layers_of, of_samples, sums_of
from kan_widgets.functions.sampling.mixed import mixing_adapter
from kan_widgets.functions.sampling.norms import where_it_is, with_norms
from kan_widgets.functions.sampling.probe import Probe, drawn
from kan_widgets.functions.sampling.sampled_basis import SampledBasis, Untold, sampled_functions
from kan_widgets.functions.sampling.samples import (
    Samples,
    newest,
    on_cpu,
    samples_of,
)
from kan_widgets.functions.sampling.ways import NO_SHAPE, Way, ways_of

_SECONDS = 6.0


def sampling_adapter(module: nn.Module, why: str = "", given: Tensor | None = None) -> Adapter:
    """Return an adapter that reads ``module`` by sampling it, ``why`` it does so in its note.

    Taken is a layer that is additive: what it computes is Σ φᵢ(xᵢ) and a constant for each output,
    of the inputs or, in a convolution, of the entries of a patch; as it is, and with its parameters
    moved. A norm that its input passes first, and norms and activations that its sum passes last,
    are left out of φ and named. If it takes in x itself beside such a norm, its functions of both
    are two layers.

    Parameters
    ----------
    module
        Any module.
    why
        Why no adapter reads it.
    given
        What it was really given, ``(n, ...)``: of that shape its inputs are, and functions are
        sampled where these lie.

    Raises
    ------
    Untold
        If it is not; with the size of what its inputs do together, relative to its largest output.
    """
    reasons: dict[str, None] = {}

    def found(run: nn.Module) -> Adapter:
        for way in ways_of(run, given):
            way = with_norms(run, replace(way, why=why))
            way = where_it_is(Probe(run, way))
            with suppress(ValueError, RuntimeError):
                x = drawn(way) if given is None else given.float()
                return mixing_adapter(module, run, way, _moved(run), x)
            if words := interaction(Probe(run, way)):
                reasons[words] = None
                continue
            if words := interaction(Probe(_moved(run), way)):
                reasons[f"once its parameters are moved, {words}"] = None
                continue
            known = samples_of.get(module)
            try:
                sampled = _sample(way, module, run, None if known is None else known.basis)
            except Untold as error:
                reasons[str(error)] = None
                continue
            way, sampled = at_the_border(run, way, sampled)
            sampled = replace(sampled, layers=of_samples(module, way, sampled))
            if sampled.is_diagonal:
                raise Untold("it is applied to each value by itself: it adds nothing up")
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
        raise Untold("; ".join(reasons) or NO_SHAPE)

    return on_cpu(module, found)


def _moved(run: nn.Module) -> nn.Module:
    other = copy.deepcopy(run)
    start(other)
    move(other)
    return other


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

    basis, coefficients = sampled_functions(values, way.domain, way.extent, known)
    own = coefficients.T.unflatten(0, (way.inputs, -1)).transpose(0, 1)
    found = measured(probe, basis, own, zero)
    if found.error > max(1e-3, 20 * basis.error):
        # What no points between them can tell: what inputs do together somewhere.
        raise Untold(f"its sampled functions are off by {found.error:.0%} of its largest output")
    cost = time.perf_counter() - started
    layers = layers_of(module, way, own.float(), basis, found)
    samples = Samples.taken(module, layers, zero, basis, cost, found)
    return with_constants(run, way, module, samples) if way.border == "constants" else samples


def _no_problem(module: nn.Module) -> str:
    return ""


def _always(module: nn.Module) -> bool:
    return True


def _shape(way: Way, module: nn.Module) -> tuple[int, ...]:
    return way.shape


def _sums(way: Way, module: nn.Module) -> list[Sum]:
    newest(partial(_sample, way), module)
    return sums_of(module, way, samples_of[module])
