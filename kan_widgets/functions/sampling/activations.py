"""Learned activations that no adapter reads: found by running them, and sampled."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from kan_widgets.functions.attributes import INPUT_NAMES
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import Adapter
from kan_widgets.functions.sampling import samples
from kan_widgets.functions.sampling.samples import Untold, sampled_functions
from kan_widgets.functions.sampling.ways import interval_of
from kan_widgets.functions.undisturbed import like_of
from kan_widgets.nn.bases.basis import Interval

_ALIKE = 1e-5
_CHANNELS, _MOST_CHANNELS = 6, 4096
_POINTS = 4096


@dataclass(frozen=True)
class _Applied:
    """How a learned activation is applied: to what shape, and along which dimension it differs."""

    shape: tuple[int, ...]
    axis: int
    groups: int
    domain: Interval
    extent: Interval

    def values(self, run: nn.Module, x: Tensor) -> Tensor:
        """Return φ at some points, ``(points,)``, for each group: ``(points, groups)``."""
        each = _by_channel(_even(run, x, self.shape), self.axis)[:, 0]
        return each[:, :: each.shape[1] // self.groups]

    def sampled(self, module: nn.Module, run: nn.Module) -> samples.Samples:
        """Sample the functions, and compare them with what it computes at many points."""
        known, values = samples.known_basis(module), partial(self.values, run)
        basis, coefficients = sampled_functions(values, self.domain, self.extent, known)
        own = coefficients.T.unsqueeze(0).float().contiguous()
        low, high = basis.nodes[0], basis.nodes[-1]
        generator = torch.Generator().manual_seed(2)
        x = (low + (high - low) * torch.rand(_POINTS, generator=generator)).double()
        y = values(x)
        off = float((basis(x) @ coefficients - y).abs().max()) / (float(y.abs().max()) or 1.0)
        layer = LayerFunctions(
            "elementwise",
            own,
            (basis,),
            locked=samples.LOCKED,
            note=f"{basis.words}; {samples.off_in_words(off, drawn=_POINTS)}.",
            rewriter=samples.rewriter_of(module, own),
            axis=self.axis,
        )
        return samples.Samples(basis, [layer], own)

    def read(self, module: nn.Module) -> Sequence[LayerFunctions]:
        """Read the functions as they were sampled last."""
        take = partial(self.sampled, module)
        return samples.newest(module, samples.all_of(module), take).layers


def is_open(module: nn.Module) -> bool:
    """Say whether a module may be a learned activation: it has nothing but numbers of its own."""
    own = next((p for p in module.parameters(recurse=False) if p.requires_grad), None)
    known = type(module).__module__.startswith("torch.nn.")
    return own is not None and not known and not list(module.children())


def elementwise_adapter(module: nn.Module, given: Tensor | None = None) -> Adapter:
    """Return an adapter that reads a learned activation by sampling it.

    Taken is a module that makes each value of its output of the same value of its input, by one
    function or by one for each channel or group of channels, of which one at least is no straight
    line. ``given`` is what it was really given: of that shape its inputs are.

    Raises
    ------
    Untold
        If it is none.
    """

    def found(run: nn.Module) -> Adapter:
        began, (domain, extent) = time.perf_counter(), interval_of(run)
        if given is not None:
            low, high = (float(each) for each in given.aminmax())
            extent = min(low, extent[0]), max(high, extent[1])
        for shape in _shapes(run) if given is None else [tuple(given.shape[1:])]:
            if (applied := _look(run, shape, domain, extent)) is not None:
                taken = applied.sampled(module, run)
                if taken.basis.is_straight:
                    raise Untold("its functions are straight lines")
                samples.keep(module, samples.all_of(module), taken, began)
                return samples.sampling(module, applied.read, shape)
        raise Untold("it is no learned activation")

    return samples.on_cpu(module, found)


def _shapes(run: nn.Module) -> Iterator[tuple[int, ...]]:
    """Yield shapes that it may take: tokens of features, maps of channels, or features."""
    sizes = [size for name in INPUT_NAMES if type(size := vars(run).get(name)) is int]
    sizes += [size for p in run.parameters() for size in p.shape if 1 < size <= _MOST_CHANNELS]
    groups = [vars(run).get(name) for name in ("num_groups", "groups")]
    sizes += [2 * size for size in groups if isinstance(size, int) and size > 1]
    for size in dict.fromkeys((_CHANNELS, *sizes)):
        yield from ((3, size), (size, 4, 5), (size,))


def _look(
    run: nn.Module, shape: tuple[int, ...], domain: Interval, extent: Interval
) -> _Applied | None:
    """Find out whether it is applied to each value by itself, and along which dimension alike."""
    generator = torch.Generator().manual_seed(0)
    low, high = domain
    x, other = (low + (high - low) * torch.rand(4, *shape, generator=generator) for _ in range(2))
    kept = torch.rand(4, *shape, generator=generator) < 0.5
    try:
        y, mixed = _computed(run, x), _computed(run, torch.where(kept, x, other))
        # The same few numbers everywhere: where functions are equal, so are values.
        each = _even(run, torch.linspace(low, high, 7), shape)
    except Exception:
        return None
    if y.shape != x.shape or not bool(y.isfinite().all() & each.isfinite().all()):
        return None
    near = _ALIKE * max(float(y.abs().max()), float(each.abs().max()), 1e-12)
    off = (y - mixed).abs()
    if float(off[kept].max()) > near or float(off[~kept].max()) <= near:  # the latter: a constant
        return None
    for axis in (-1, 1):
        along = _by_channel(each, axis)
        if float((along - along[:, :1]).abs().max()) <= near:
            return _Applied(shape, axis, _groups(along[:, 0], near), domain, extent)
    return None


def _computed(run: nn.Module, x: Tensor) -> Tensor:
    y: Tensor = run(x.to(like_of(run)))
    return y.detach().to("cpu", torch.float64)


def _even(run: nn.Module, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Run it on inputs whose values are all the same."""
    return _computed(run, x.reshape(-1, *[1] * len(shape)).expand(-1, *shape))


def _by_channel(y: Tensor, axis: int) -> Tensor:
    """Return ``(n, places, channels)``."""
    return y.movedim(axis, -1).flatten(1, -2) if y.ndim > 2 else y.unsqueeze(1)


def _groups(values: Tensor, near: float) -> int:
    """Return the fewest runs of equally many channels within which all values are alike."""
    channels = values.shape[1]
    for groups in range(1, channels):
        if channels % groups == 0:
            runs = values.unflatten(1, (groups, -1))
            if float((runs - runs[:, :, :1]).abs().max()) <= near:
                return groups
    return channels
