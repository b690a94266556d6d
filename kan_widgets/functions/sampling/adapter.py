"""Read a layer that no adapter reads: find out whether it adds up functions, and sample them."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.proof import compared, move, start
from kan_widgets.functions.registry import Adapter, Sum
from kan_widgets.functions.sampling import samples
from kan_widgets.functions.sampling.mixed import mixing_adapter
from kan_widgets.functions.sampling.samples import SampledBasis, Samples, Untold, sampled_functions
from kan_widgets.functions.sampling.ways import NO_SHAPE, Probe, Way, how_many, ways_of, with_norms
from kan_widgets.functions.undisturbed import like_of

_SECONDS = 6.0
# Of the largest value: what inputs may do together.
_INTERACTION, _PAIRS = 1e-3, 256


def sampling_adapter(module: nn.Module, why: str = "", given: Tensor | None = None) -> Adapter:
    """Return an adapter that reads a module by sampling it, ``why`` it does so in its note.

    Taken is a layer that is additive: what it computes is Σ φᵢ(xᵢ) and a constant for each output,
    of the inputs or, in a convolution, of the entries of a patch; as it is, and with its parameters
    moved. A norm that its input passes first, and norms and activations that its sum passes last,
    are left out of φ and named. If it takes in x itself beside such a norm, its functions of both
    are two layers. Of the shape of what it was ``given``, ``(n, ...)``, its inputs are, and
    functions are sampled where these lie.

    Raises
    ------
    Untold
        If it is not; with the size of what its inputs do together, relative to its largest output.
    """
    reasons: dict[str, None] = {}

    def found(run: nn.Module) -> Adapter:
        for way in ways_of(run, given):
            began, moved = time.perf_counter(), copy.deepcopy(run)
            start(moved)
            move(moved)
            way = with_norms(run, replace(way, why=why))
            with suppress(ValueError, RuntimeError):
                x = way.drawn() if given is None else given.float()
                return mixing_adapter(module, run, way, moved, x)
            words = interaction(Probe(run, way))
            if not words and (words := interaction(Probe(moved, way))):
                words = f"once its parameters are moved, {words}"
            if words:
                reasons[words] = None
                continue
            try:
                taken = _sampled(module, way, run)
            except Untold as error:
                reasons[str(error)] = None
                continue
            way = _at_the_border(run, way, taken)
            own = taken.coefficients
            if len(own) == own.shape[1] > 1:
                others = own * (1 - torch.eye(len(own))).unsqueeze(-1)
                if float(others.abs().max()) < 1e-6 * float(own.abs().max()):
                    raise Untold("it is applied to each value by itself: it adds nothing up")
            if taken.basis.is_straight:
                raise Untold("its functions are straight lines: a plain layer")
            samples.keep(module, samples.all_of(module), _as_layers(module, way, taken), began)
            return samples.sampling(module, partial(_read, way), way.shape, partial(_sums, way))
        raise Untold("; ".join(reasons) or NO_SHAPE)

    return samples.on_cpu(module, found)


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


def _newest(way: Way, module: nn.Module) -> Samples:
    return samples.newest(module, samples.all_of(module), partial(_sampled, module, way))


def _read(way: Way, module: nn.Module) -> Sequence[LayerFunctions]:
    return _newest(way, module).layers


def _sums(way: Way, module: nn.Module) -> list[Sum]:
    return _sums_of(module, way, _newest(way, module))


def _sampled(module: nn.Module, way: Way, run: nn.Module) -> Samples:
    """Sample all functions of a module, with what runs in its place."""
    probe, began = Probe(run, way), time.perf_counter()
    zero = probe(torch.zeros(1, way.inputs))[0]
    rows = max(1, 200_000 // way.width)

    def values(x: Tensor) -> Tensor:
        """Return φ at some points: ``(points, in · out)``."""
        found, start = [], time.perf_counter()
        for own in torch.arange(way.inputs).split(max(1, rows // len(x))):
            one = torch.zeros(len(own), len(x), way.inputs)
            one[torch.arange(len(own)), :, own] = x.to(one)
            found.append((probe(one.flatten(0, 1)) - zero).unflatten(0, (len(own), len(x))))
            spent = time.perf_counter() - start
            needed = start - began + spent * way.inputs / (int(own[-1]) + 1)
            if needed > _SECONDS and spent > 0.2:
                raise Untold(
                    f"it would take {needed:.0f} s or more to sample its {way.inputs:,} inputs"
                )
        return torch.cat(found).transpose(0, 1).flatten(1)

    known = samples.known_basis(module)
    basis, coefficients = sampled_functions(values, way.domain, way.extent, known)
    own = coefficients.T.unflatten(0, (way.inputs, -1)).transpose(0, 1)
    words = _measured(probe, basis, own, zero)
    return _as_layers(module, way, Samples(basis, (), own.float(), zero, words))


def _measured(probe: Probe, basis: SampledBasis, coefficients: Tensor, bias: Tensor) -> str:
    """Say how far the functions, ``(out, inputs, nb)``, are from what a module computes as it is.

    Raises
    ------
    Untold
        If they are too far off, as no points between them can tell: by what inputs do together.
    """
    rows = max(1, 4_000_000 // max(1, coefficients[0].numel()))
    off, beyond = 0.0, 0
    inside: list[int] = []
    for x, y in probe.as_it_is():
        beyond = len(x) if not inside else beyond
        chosen = ((x >= basis.nodes[0]) & (x <= basis.nodes[-1])).all(1)
        x, y = x[chosen], y[chosen]
        inside.append(len(x))
        if len(x):
            parts = [
                torch.einsum("nib,oib->no", basis(part), coefficients) for part in x.split(rows)
            ]
            size = float((y - y.mean(0)).abs().max()) or 1.0
            off = max(off, float((torch.cat(parts) + bias - y).abs().max()) / size)
    if off > max(1e-3, 20 * basis.error):
        raise Untold(f"its sampled functions are off by {off:.0%} of its largest output")
    if len(inside) == 1:
        return samples.off_in_words(off, drawn=inside[0])
    return samples.off_in_words(off, inside[0], inside[1], beyond - inside[0])


def _at_the_border(run: nn.Module, way: Way, taken: Samples) -> Way:
    """Find out whether a convolution pads x or φ where its kernels reach beyond the border."""
    if way.kernel is None or not any(way.conv.padding):
        return way
    low, high = way.domain
    x = low + (high - low) * torch.rand(4, *way.shape, generator=torch.Generator().manual_seed(3))
    near = max(1e-3, 20 * taken.basis.error)
    for pads in (False, True):
        tried = replace(way, conv=replace(way.conv, pads_basis=pads))
        found = _as_layers(run, tried, taken)
        with suppress(Exception):
            compared(run, found.layers, _sums_of(run, tried, found), x.to(like_of(run)), near)
            return tried
    return replace(way, border=False)


def _as_layers(module: nn.Module, way: Way, taken: Samples) -> Samples:
    """Make one layer of what was sampled, or two.

    Two where a module takes in x itself beside what a norm makes of it: the norm's come first and
    have its name.
    """
    words = [f"{taken.basis.words}; {taken.words}; each φ is drawn as 0 at x = 0."]
    rest = samples.around_in_words(module, way.after, way.why)
    if not way.border:
        rest.append("What it adds up at the border, where kernels reach beyond, is not known.")
    norm = module.get_submodule(way.before) if way.before else None
    normed = f"{type(norm).__name__}(x)"
    layers = []
    for k, own in enumerate(taken.coefficients.chunk(1 + way.beside, dim=1)):
        is_normed = norm is not None and k == 0
        too = [f"It adds functions of {normed if k else 'x itself'} too."] if way.beside else []
        own = own if way.kernel is None else own.unflatten(1, (-1, *way.kernel))
        own = own.contiguous()
        at = Tap((module,), view=way.view)
        if norm is not None and k == 0:
            at = Tap((norm,), "output", view=way.view)
        layers.append(
            LayerFunctions(
                "linear" if way.kernel is None else "conv",
                own,
                (taken.basis,),
                name=way.before if way.beside and is_normed else "",
                conv=way.conv if way.border and way.kernel is not None else None,
                locked=samples.LOCKED,
                variable=normed if is_normed else "x",
                note=" ".join([*words, *too, *rest]),
                x_at=at if is_normed or way.line else None,
                rewriter=samples.rewriter_of(module, own),
            )
        )
    return replace(taken, layers=layers)


def _sums_of(module: nn.Module, way: Way, taken: Samples) -> list[Sum]:
    """Say where in a module the sum of what was sampled passes."""
    at = Tap((module,), "output", view=way.view)
    if way.after:
        at = Tap((module.get_submodule(way.after[-1]),), view=way.view)
    return [Sum(tuple(layer.name for layer in taken.layers), at, taken.bias)]
