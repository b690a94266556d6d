"""The norms and activations around a sum of functions, which are left out of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.sampling.probe import Probe
from kan_widgets.functions.sampling.ways import USUAL, Way, computed, like_of

_NORM = re.compile(r"Norm")
_AFTER = re.compile(r"Norm|ReLU|SiLU|GELU|ELU|Tanh|Sigmoid|Softplus|Hardswish|Mish|Dropout")
_AROUND = (-4.0, 4.0)
"""Where to look at functions of what a norm makes."""
# Of inputs so many are looked at, and somewhat more: not as far as the very last one of thousands.
_MOST, _ROOM = (0.0002, 0.9998), 0.1


def with_norms(run: nn.Module, way: Way) -> Way:
    """Find the norm that the input passes first, and what the sum passes last.

    Where the input is taken in beside the norm too, its functions are sampled apart: what the norm
    makes then counts as inputs of its own.
    """
    passed = _passed(run, x := _examples(run, way))
    y = computed(passed.pop()[3])
    after = []
    for name, part, given, out in reversed(passed):
        if not _same(out, y):
            continue
        if not _AFTER.search(type(part).__name__) or given.shape != y.shape:
            break
        after.append(name)
        y = given
    way = replace(way, after=tuple(after))
    for name, part, given, _ in passed:
        if name not in after and _NORM.search(type(part).__name__) and _same(given, x):
            way = replace(way, before=name, domain=USUAL, extent=_AROUND)
            beside = _reaches_around(run, way, x)
            return replace(way, beside=True, inputs=2 * way.inputs) if beside else way
    return way


def where_it_is(probe: Probe) -> Way:
    """Return a way to sample functions where what they take in lies, if any of that is known.

    A grid says where functions are meant for; they are looked at beyond it too.
    """
    way = probe.way
    if way.given is None:
        return way
    x = probe.as_given()[0].flatten()
    x = x[x.isfinite()][: 2**23]
    if not len(x):
        return way
    low, high = (float(each) for each in x.quantile(torch.tensor(_MOST, dtype=x.dtype)))
    if not low < high:
        return way
    room = _ROOM * (high - low)
    if way.extent in (USUAL, _AROUND):
        return replace(way, domain=(low, high), extent=(low - room, high + room))
    least, most = way.extent
    return replace(way, extent=(min(least, low - room), max(most, high + room)))


def _examples(run: nn.Module, way: Way) -> Tensor:
    like = like_of(run)
    return torch.rand(3, *way.shape, generator=torch.Generator().manual_seed(1)).to(like)


def _passed(run: nn.Module, x: Tensor) -> list[tuple[str, nn.Module, Tensor, Any]]:
    """Return what passes each part of a module that has none itself, and the module last."""
    passed: list[tuple[str, nn.Module, Tensor, Any]] = []

    def hook(name: str) -> Any:
        def note(part: nn.Module, given: tuple[Any, ...], out: Any) -> None:
            if given and isinstance(given[0], Tensor) and isinstance(out, Tensor):
                passed.append((name, part, given[0], out))

        return note

    handles = [
        part.register_forward_hook(hook(name))
        for name, part in run.named_modules()
        if name and not list(part.children())
    ]
    try:
        out = run(x)
        return [*passed, ("", run, x, out)]
    finally:
        for handle in handles:
            handle.remove()


def _reaches_around(run: nn.Module, way: Way, x: Tensor) -> bool:
    """Say whether what a module computes depends on its input where the norm's output does not."""
    part = run.get_submodule(way.before)
    handle = part.register_forward_hook(lambda part, given, out: torch.zeros_like(out))
    try:
        y, other = computed(run(x)), computed(run(x.flip(0)))
    finally:
        handle.remove()
    return not torch.allclose(y, other, atol=1e-6 * float(y.abs().max()))


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and (a is b or torch.equal(a, b))
