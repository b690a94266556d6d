"""Layers that mix a basis of x by plain layers: the basis is sampled, the weights are exact.

However many inputs it has, the basis takes one run for each of its points. What mixes it is a
`Linear` or a `Conv2d`, or several whose outputs are added: a base and splines.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.gradients import gradient_of
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.plain import ConvSettings
from kan_widgets.functions.proof import compared
from kan_widgets.functions.registry import SAMPLED, Adapter, Sum
from kan_widgets.functions.sampling.additivity import Measured
from kan_widgets.functions.sampling.sampled_basis import (
    SampledBasis,
    Untold,
    refined_nodes,
    wider,
)
from kan_widgets.functions.sampling.samples import is_time, next_time
from kan_widgets.functions.sampling.ways import Way, like_of
from kan_widgets.functions.undisturbed import stand_in
from kan_widgets.nn.ungraded import ungraded

_NEAR = 1e-4
# Numbers that are compared, in inputs times what one has.
_MOST_NUMBERS = 500_000


class Unmixed(Untold):
    """A module is no basis that plain layers mix."""


class _Reached(BaseException):
    """Ends a run once what was looked for has passed."""


@dataclass(frozen=True)
class Mix:
    """How a module mixes a basis: by which layers, whose columns belong to which input."""

    way: Way
    parts: tuple[str, ...]
    """Paths of the plain layers."""
    order: tuple[tuple[int, ...], ...]
    """Of each, its columns, input by input, as many for each."""
    bias: bool

    def columns(self, run: nn.Module, x: Tensor) -> list[Tensor]:
        """Return what reaches the plain layers where all inputs are x: ``(P, columns)`` each."""
        shape = (len(x), *[1] * len(self.way.shape))
        return [_at_a_place(b) for b in _reaching(run, self.parts, _given(self.way, x.view(shape)))]

    def values(self, run: nn.Module, x: Tensor) -> Tensor:
        """Return the basis functions of the first input at some points, ``(P, nb)``."""
        own = self.columns(run, x)
        inputs = self._inputs
        each = [
            b[:, list(o)].unflatten(1, (inputs, -1)) for b, o in zip(own, self.order, strict=True)
        ]
        both = torch.cat(each, dim=2)
        if float((both - both[:, :1]).abs().max()) > _NEAR * float(both.abs().max()):
            raise Unmixed("its inputs have bases of their own")
        return both[:, 0]

    @property
    def _inputs(self) -> int:
        return self.way.shape[0] if self.way.kernel is not None else self.way.inputs

    def terms(self, module: nn.Module, of: Any = Tensor.detach) -> Tensor:
        """Return the coefficients, ``(out, in[, kh, kw], nb)``: the weights in another order."""
        found = []
        for path, order in zip(self.parts, self.order, strict=True):
            weight = of(module.get_submodule(path).weight)
            own = weight[:, list(order)].unflatten(1, (self._inputs, -1))
            found.append(own.movedim(2, -1))
        return torch.cat(found, dim=-1)

    @ungraded
    def write(self, module: nn.Module, index: tuple[int, ...], coefficients: Tensor) -> None:
        """Set the weights that one function is made of."""
        o, i, *place = index
        start = 0
        for path, order in zip(self.parts, self.order, strict=True):
            each = len(order) // self._inputs
            columns = list(order[i * each : (i + 1) * each])
            weight: Any = module.get_submodule(path).weight
            where = (o, columns, *place)
            weight[where] = coefficients[start : start + each].to(weight)
            start += each


@dataclass(frozen=True, eq=False)
class _Basis:
    """What was sampled of a module, from which tensors, and when it may be sampled anew."""

    versions: tuple[tuple[int, int], ...]
    basis: SampledBasis
    next: float


_bases: weakref.WeakKeyDictionary[nn.Module, _Basis] = weakref.WeakKeyDictionary()


def mixing_adapter(
    module: nn.Module, run: nn.Module, way: Way, moved: nn.Module, x: Tensor
) -> Adapter:
    """Return an adapter for a module that makes a basis and mixes it by plain layers.

    It is compared on inputs ``x``, and so is ``moved``, a copy with other parameters.

    Raises
    ------
    ValueError
        If it is none.
    """
    mix = _found(run, way)
    x = x[: max(8, _MOST_NUMBERS // way.width)].to(like_of(run))
    error = max(_error(mix, run, x), _error(mix, moved, x))
    n = len(x)
    counts = {"drawn": n} if way.given is None else {"given": n}
    return Adapter(
        SAMPLED,
        type(module),
        partial(_read, mix, Measured(error, at=time.time(), **counts)),
        lambda module: "",
        lambda module: True,
        partial(_sums, mix),
        lambda module: way.shape,
    )


def _error(mix: Mix, run: nn.Module, x: Tensor) -> float:
    layers = [_read(mix, Measured(), run)]
    return compared(run, layers, _sums(mix, run), x, 3 * _NEAR, constants=True)[0]


def _found(run: nn.Module, way: Way) -> Mix:
    if way.before or way.line:
        raise Unmixed("a norm comes first, or it goes over one dimension")
    kind = nn.Linear if way.kernel is None else nn.Conv2d
    plain = [(n, p) for n, p in run.named_modules() if n and isinstance(p, nn.Linear | nn.Conv2d)]
    if not 0 < len(plain) <= 4 or any(type(part) is not kind for _, part in plain):
        raise Unmixed("nothing plain mixes it")
    first: Any = plain[0][1]
    if any(_settings(part) != _settings(first) for _, part in plain):
        raise Unmixed("its plain layers differ")
    if kind is nn.Conv2d and (first.groups != 1 or first.padding_mode != "zeros"):
        raise Unmixed("it has groups")
    names = tuple(name for name, _ in plain)
    order = tuple(map(tuple, _sources(run, way, names)))
    return Mix(way, names, order, any(part.bias is not None for _, part in plain))


def _settings(part: Any) -> Any:
    if isinstance(part, nn.Linear):
        return part.out_features
    return part.out_channels, part.kernel_size, part.stride, part.padding, part.dilation


def _sources(run: nn.Module, way: Way, names: tuple[str, ...]) -> list[list[int]]:
    """Find the input that each column is made of, by moving half of the inputs at a time."""
    inputs = way.shape[0] if way.kernel is not None else way.inputs
    low, high = way.domain
    generator = torch.Generator().manual_seed(4)
    x, y = (low + (high - low) * torch.rand(2, inputs, generator=generator) for _ in range(2))
    codes = torch.arange(inputs)
    shape = (2, inputs, *[1] * (len(way.shape) - 1)) if way.kernel is not None else None
    bits = max(1, (inputs - 1).bit_length())

    def passed(values: Tensor) -> list[Tensor]:
        given = values.view(shape) if shape else values.view(2, *way.shape)
        return [_at_a_place(each) for each in _reaching(run, names, _given(way, given))]

    before = passed(x)
    found = [torch.zeros(each.shape[1], dtype=torch.long) for each in before]
    moves = [torch.zeros(each.shape[1], dtype=torch.bool) for each in before]
    for bit in range(bits):
        chosen = (codes >> bit) % 2 == 1
        for k, (one, other) in enumerate(
            zip(passed(torch.where(chosen, y, x)), passed(torch.where(chosen, x, y)), strict=True)
        ):
            changed = [(each - before[k]).abs().amax(0) > 1e-7 for each in (one, other)]
            if bool((changed[0] & changed[1]).any()):
                raise Unmixed("its columns are made of several inputs")
            found[k] += changed[0] * (1 << bit)
            moves[k] |= changed[0] | changed[1]
    return [_ordered(one, moved, inputs) for one, moved in zip(found, moves, strict=True)]


def _ordered(found: Tensor, moved: Tensor, inputs: int) -> list[int]:
    """Return columns input by input; constants belong where the others leave room."""
    each, rest = divmod(len(found), inputs)
    if rest:
        raise Unmixed("not as many columns for each input")
    for order in (
        torch.arange(len(found)).view(inputs, each),
        torch.arange(len(found)).view(each, inputs).T,
    ):
        right = found[order] == torch.arange(inputs).unsqueeze(1)
        if bool((right | ~moved[order]).all()):
            return order.flatten().tolist()
    raise Unmixed("its columns lie in no order")


def _given(way: Way, x: Tensor) -> Tensor:
    return x.expand(-1, *way.shape)


def _at_a_place(b: Tensor) -> Tensor:
    """Return ``(n, columns)`` of what reaches a plain layer: of maps, one place in the middle."""
    if b.ndim == 4:
        b = b[:, :, b.shape[2] // 2, b.shape[3] // 2]
    return b.reshape(len(b), -1).detach().to("cpu", torch.float64)


def _reaching(run: nn.Module, names: Sequence[str], x: Tensor) -> list[Tensor]:
    """Return what reaches some parts; the run ends there."""
    passed: dict[str, Tensor] = {}

    def note(name: str) -> Any:
        def hook(part: nn.Module, given: tuple[Any, ...]) -> None:
            passed[name] = given[0].detach().clone()
            if len(passed) == len(names):
                raise _Reached

        return hook

    handles = [run.get_submodule(n).register_forward_pre_hook(note(n)) for n in names]
    try:
        run(x.to(like_of(run)))
    except _Reached:
        return [passed[name] for name in names]
    finally:
        for handle in handles:
            handle.remove()
    raise Unmixed("not all of its plain layers run")


def _read(mix: Mix, found: Measured, module: nn.Module) -> LayerFunctions:
    basis, way = _basis_of(mix, module), mix.way
    conv = None
    if way.kernel is not None:
        part: Any = module.get_submodule(mix.parts[0])
        (top, left), pads = part.padding, any(part.padding)
        conv = ConvSettings(part.stride, (left, left, top, top), part.dilation, pads_basis=pads)
    around = [type(module.get_submodule(name)).__name__ for name in reversed(way.after)]
    comes = f"come{'s' * (len(around) < 2)} after the sum."
    after = f"{' and '.join(around)} {comes}" if around else ""
    why = f"{way.why}." if way.why else ""
    words = basis.words.replace("Sampled", "Its basis was sampled")
    return LayerFunctions(
        "linear" if conv is None else "conv",
        mix.terms(module),
        (basis,),
        conv=conv,
        write=partial(mix.write, module),
        gradient=lambda: mix.terms(module, gradient_of),
        note=" ".join(filter(None, [f"{words}; its weights are exact; {found}.", after, why])),
    )


def _basis_of(mix: Mix, module: nn.Module) -> SampledBasis:
    """Return the basis as it was sampled last, or anew where what it is made from has changed."""
    around = [module.get_submodule(name) for name in (*mix.parts, *mix.way.after)]
    beside = {id(tensor) for part in around for tensor in part.parameters()}
    own = [t for t in module.parameters() if t.requires_grad and id(t) not in beside]
    versions = tuple((t.data_ptr(), t._version) for t in own)
    known = _bases.get(module)
    if known is None or (known.versions != versions and is_time(known.next)):
        began = time.perf_counter()
        try:
            basis = stand_in(module, lambda run, _: _sampled(mix, run))
        except Untold as error:
            error.module = module
            raise
        known = _bases[module] = _Basis(versions, basis, next_time(began))
    return known.basis


def _sampled(mix: Mix, run: nn.Module) -> SampledBasis:
    way = mix.way
    nodes, values, error = refined_nodes(wider(way.extent), partial(mix.values, run))
    if error > _NEAR:
        raise Unmixed(f"its basis bends too fast to be sampled: {error:.0e} off")
    rows = tuple(map(tuple, values.tolist()))
    return SampledBasis(tuple(nodes.tolist()), rows, way.domain, way.extent, error)


def _sums(mix: Mix, module: nn.Module) -> list[Sum]:
    after = mix.way.after
    at = Tap((module.get_submodule(after[-1]),)) if after else Tap((module,), "output")
    biases: list[Any] = [getattr(module.get_submodule(path), "bias", None) for path in mix.parts]
    added = [bias.detach() for bias in biases if bias is not None]
    return [Sum(("",), at, torch.stack(added).sum(0) if added else None)]
