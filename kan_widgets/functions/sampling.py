"""Read a layer that no adapter reads: find out whether it adds up functions, and sample them."""

from __future__ import annotations

import contextvars
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions, Tap, as_rows
from kan_widgets.functions.plain import ConvSettings
from kan_widgets.functions.probed import Probe, Way, ways_of
from kan_widgets.functions.proof import compared
from kan_widgets.functions.registry import Adapter, Sum
from kan_widgets.functions.rewriting import ALL, Part, Rewrite
from kan_widgets.functions.sampled_basis import SampledBasis, fitted_basis, refined_nodes
from kan_widgets.functions.undisturbed import stand_in
from kan_widgets.nn.bases.basis import Interval

SAMPLED = "sampled"
# Of the largest value: what inputs may do together, and how far samples may be off.
_INTERACTION = 1e-3
MOST_OFF = 2e-2
_SECONDS = 6.0
# Sampling takes at most this share of the time of a training.
_SHARE = 0.01


class Untold(ValueError):
    """A layer that cannot be read by sampling, and why."""


@dataclass(eq=False)
class Samples:
    """What was sampled of a module, and when."""

    layer: LayerFunctions
    bias: Tensor
    basis: SampledBasis
    versions: tuple[tuple[int, int], ...]
    next: float

    @classmethod
    def taken(
        cls,
        module: nn.Module,
        layer: LayerFunctions,
        bias: Tensor,
        basis: SampledBasis,
        cost: float,
    ) -> Samples:
        """Return what was sampled now and took ``cost`` seconds."""
        due = time.perf_counter() + max(1.0, cost / _SHARE)
        return cls(layer, bias, basis, _versions(module), due)

    @property
    def is_straight(self) -> bool:
        """Whether all functions are straight lines."""
        nodes = torch.tensor(self.basis.nodes, dtype=torch.float64)
        values = torch.tensor(self.basis.values, dtype=torch.float64)
        # A constant may be among them where functions are not drawn as 0 at x = 0.
        lines = torch.stack([nodes, torch.ones_like(nodes)], dim=1)
        return float((values - lines @ (torch.linalg.pinv(lines) @ values)).abs().max()) < 1e-4


Sampler = Callable[[nn.Module, nn.Module, SampledBasis | None], Samples]

samples_of: weakref.WeakKeyDictionary[nn.Module, Samples] = weakref.WeakKeyDictionary()
_anew: contextvars.ContextVar[bool] = contextvars.ContextVar("sampled anew", default=False)


@contextmanager
def sampled_anew() -> Iterator[None]:
    """Have layers whose parameters changed sampled again now, whatever time it takes."""
    token = _anew.set(True)
    try:
        yield
    finally:
        _anew.reset(token)


def sampling_adapter(module: nn.Module, why: str = "") -> Adapter:
    """Return an adapter that reads ``module`` by sampling it, ``why`` it does so in its note.

    Taken is a layer that is additive: what it computes is Σ φᵢ(xᵢ) and a constant for each output,
    of the inputs or, in a convolution, of the entries of a patch. A norm that its input passes
    first, and norms and activations that its sum passes last, are left out of φ and named.

    Raises
    ------
    Untold
        If it is not; with the size of what its inputs do together, relative to its largest output.
    """
    reasons: dict[str, None] = {}
    with on_cpu(module) as run:
        for way in ways_of(run):
            way = replace(way, why=why)
            probe = Probe(run, way)
            if words := _interaction(probe):
                reasons[words] = None
                continue
            sampled = _sample(way, module, run, None)
            if words := _mistake(probe, sampled):
                reasons[words] = None
                continue
            way, sampled = _at_the_border(run, way, sampled)
            sampled = replace(sampled, layer=_of(way, module, sampled))
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


@contextmanager
def on_cpu(module: nn.Module) -> Iterator[nn.Module]:
    """Give what runs in the place of a module that was not sampled before, on the CPU.

    It is not known what any numbers do to it: on an accelerator, an index out of range would end
    the whole process.
    """
    with stand_in(module) as (run, copied):
        if copied:
            run.to("cpu")
        elif any(not tensor.is_cpu for tensor in (*module.parameters(), *module.buffers())):
            raise Untold("it cannot be copied from its device to the CPU")
        yield run


def _interaction(probe: Probe) -> str:
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
    own = coefficients.T.unflatten(0, (way.inputs, -1)).transpose(0, 1).float().contiguous()
    if way.kernel is not None:
        own = own.unflatten(1, (-1, *way.kernel))
    cost = time.perf_counter() - started
    found = Samples.taken(module, _layer(module, way, own, basis, error), zero, basis, cost)
    return _with_constants(run, way, module, found) if way.border == "constants" else found


def wider(extent: Interval) -> Interval:
    """Return where to sample: also a little beyond what is drawn."""
    room = 0.12 * (extent[1] - extent[0])
    return extent[0] - room, extent[1] + room


def _layer(
    module: nn.Module, way: Way, coefficients: Tensor, basis: SampledBasis, error: float
) -> LayerFunctions:
    around = [type(module.get_submodule(name)).__name__ for name in reversed(way.after)]
    zero = "each φ is drawn as 0 at x = 0."
    if way.border == "constants":
        zero = "what an entry of a kernel adds at x = 0 is divided evenly among its inputs."
    words = [
        f"Sampled, at {len(basis.nodes)} points each, to within {error:.0e} of the largest value; "
        + zero
    ]
    if around:
        words.append(f"{' and '.join(around)} come{'s' * (len(around) < 2)} after the sum.")
    if way.why:
        words.append(f"{way.why}.")
    norm = module.get_submodule(way.before) if way.before else None
    more: dict[str, Any] = {}
    if way.kernel is not None:
        more["conv"] = ConvSettings(
            way.stride, way.padding, way.dilation, pads_basis=way.border in ("basis", "constants")
        )
    if way.border == "unknown":
        more["conv"] = None
        words.append("What it adds up at the border, where kernels reach beyond, is not known.")
    if norm is not None:
        more["variable"] = f"{type(norm).__name__}(x)"
        more["x_at"] = Tap((norm,), "output", view=_view(way))
    elif way.line:
        more["x_at"] = Tap((module,), view=_view(way))
    return LayerFunctions(
        "linear" if way.kernel is None else "conv",
        coefficients,
        (basis,),
        locked="Its functions are sampled: how they follow from its parameters is not known.",
        note=" ".join(words),
        rewriter=rewriter_of(module, coefficients),
        **more,
    )


def _of(way: Way, module: nn.Module, sampled: Samples) -> LayerFunctions:
    return _layer(module, way, sampled.layer.coefficients, sampled.basis, sampled.basis.error)


def _with_constants(run: nn.Module, way: Way, module: nn.Module, sampled: Samples) -> Samples:
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
    constants = solved[:, :-1].unflatten(1, way.kernel) / sampled.layer.shape[1]
    own = sampled.layer.coefficients
    added = constants.unsqueeze(1).unsqueeze(-1).expand(*own.shape[:-1], 1).to(own)
    values = sampled.basis.values
    if all(row[-1] == 1.0 for row in values):  # sampled before
        basis, own = sampled.basis, torch.cat([own[..., :-1], own[..., -1:] + added], dim=-1)
    else:
        basis = replace(sampled.basis, values=tuple((*row, 1.0) for row in values))
        own = torch.cat([own, added], dim=-1)
    layer = _layer(module, way, own.contiguous(), basis, basis.error)
    return replace(sampled, layer=layer, bias=solved[:, -1], basis=basis)


def _at_the_border(run: nn.Module, way: Way, sampled: Samples) -> tuple[Way, Samples]:
    """Find out whether a convolution pads x or φ where its kernels reach beyond the border."""
    if way.kernel is None or not any(way.padding):
        return way, sampled
    low, high = way.domain
    generator = torch.Generator().manual_seed(3)
    x = low + (high - low) * torch.rand(4, *way.shape, generator=generator)
    at = _sum_in(way, run)
    for border in ("x", "basis", "constants"):
        tried, found = replace(way, border=border), sampled
        with suppress(Exception):
            if border == "constants" and not way.before:
                found = _with_constants(run, tried, run, sampled)
            place = Sum(("",), at, found.bias)
            near = max(1e-3, 20 * sampled.basis.error)
            layer = _of(tried, run, found)
            compared(run, [layer], [place], x.to(next(run.parameters())), near)
            return tried, found
    return replace(way, border="unknown"), sampled


def _mistake(probe: Probe, sampled: Samples) -> str:
    """Say whether the functions add up to what the module computes as it is, norms included."""
    x, y = probe.as_it_is()
    inside = ((x >= sampled.basis.nodes[0]) & (x <= sampled.basis.nodes[-1])).all(1)
    if not bool(inside.any()):
        return ""
    layer = sampled.layer
    own = layer.coefficients.flatten(1, -2).to(x)
    total = torch.einsum("nib,oib->no", sampled.basis(x[inside]), own)
    difference = total + sampled.bias.to(x) - y[inside]
    size = float(y.abs().max()) or 1.0
    off = float(difference.abs().max()) / size
    if off <= max(1e-3, 20 * sampled.basis.error):
        return ""
    name = layer.variable.partition("(")[0]
    if layer.x_at is not None:
        return f"a part of it takes {name}(x), another one x itself"
    return f"its sampled functions are off by {off:.0%} of its largest output"


def newest(sample: Sampler, module: nn.Module) -> LayerFunctions:
    """Return the functions as they were sampled last, or anew if that is due."""
    known = samples_of.get(module)
    if known is None or _is_due(module, known):
        # Where it is: it has taken such inputs before.
        with stand_in(module) as (run, _):
            known = sample(module, run, known.basis if known is not None else None)
        samples_of[module] = known
    return known.layer


def _is_due(module: nn.Module, known: Samples) -> bool:
    if not _anew.get() and time.perf_counter() < known.next:
        return False
    return _versions(module) != known.versions


def _versions(module: nn.Module) -> tuple[tuple[int, int], ...]:
    return tuple((t.data_ptr(), t._version) for t in (*module.parameters(), *module.buffers()))


def _no_problem(module: nn.Module) -> str:
    return ""


def _always(module: nn.Module) -> bool:
    return True


def _shape(way: Way, module: nn.Module) -> tuple[int, ...]:
    return way.shape


def _sums(way: Way, module: nn.Module) -> list[Sum]:
    newest(partial(_sample, way), module)
    known = samples_of[module]
    return [Sum(("",), _sum_in(way, module), known.bias)]


def _sum_in(way: Way, module: nn.Module) -> Tap:
    """Say where in a module the sum passes."""
    if way.after:
        return Tap((module.get_submodule(way.after[-1]),), view=_view(way))
    return Tap((module,), "output", view=_view(way))


def _view(way: Way) -> Callable[[Tensor], Tensor] | None:
    return as_rows if way.line else None


def rewriter_of(module: nn.Module, coefficients: Tensor) -> Callable[[Tensor], Rewrite | None]:
    """Return a layer's ``rewriter``, which copies what was sampled until that is due anew."""
    return partial(_rewriter, weakref.ref(module), coefficients)


def _rewriter(
    ref: weakref.ref[nn.Module], coefficients: Tensor, out: Tensor, part: Part = ALL
) -> Rewrite | None:
    def rewrite() -> bool:
        module = ref()
        known = samples_of.get(module) if module is not None else None
        if module is None or known is None or known.layer.coefficients is not coefficients:
            return False
        if _is_due(module, known):
            return False
        out.copy_(coefficients[part])
        return True

    return rewrite
