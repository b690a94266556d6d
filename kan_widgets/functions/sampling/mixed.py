"""Layers that mix a basis of x by plain layers: the basis is sampled, the weights are exact.

However many inputs it has, the basis takes one run for each of its points. What mixes it is a
`Linear` or a `Conv2d`, or several whose outputs are added: a base and splines.
"""

from __future__ import annotations

import time
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
from kan_widgets.functions.registry import Adapter, Sum
from kan_widgets.functions.sampling import samples
from kan_widgets.functions.sampling.sampled_basis import SampledBasis, Untold, refined_nodes, wider
from kan_widgets.functions.sampling.samples import Samples
from kan_widgets.functions.sampling.ways import Way
from kan_widgets.functions.undisturbed import like_of
from kan_widgets.nn.ungraded import ungraded

_NEAR = 1e-4
# Numbers that are compared, in inputs times what one has.
_MOST_NUMBERS = 500_000


class _Reached(BaseException):
    """Ends a run once what was looked for has passed."""


@dataclass(frozen=True)
class _Mix:
    """How a module mixes a basis: by which layers, whose columns belong to which input."""

    way: Way
    parts: tuple[str, ...]
    """Paths of the plain layers."""
    order: tuple[tuple[int, ...], ...]
    """Of each, its columns, input by input, as many for each."""
    inputs: int

    def values(self, run: nn.Module, x: Tensor) -> Tensor:
        """Return the basis functions of the first input at some points, ``(P, nb)``."""
        alike = x.view(-1, *[1] * len(self.way.shape)).expand(-1, *self.way.shape)
        both = torch.cat(
            [
                columns[:, list(order)].unflatten(1, (self.inputs, -1))
                for columns, order in zip(
                    _reaching(run, self.parts, alike), self.order, strict=True
                )
            ],
            dim=2,
        )
        if float((both - both[:, :1]).abs().max()) > _NEAR * float(both.abs().max()):
            raise Untold("its inputs have bases of their own")
        return both[:, 0]

    def terms(self, module: nn.Module, of: Any = Tensor.detach) -> Tensor:
        """Return the coefficients, ``(out, in[, kh, kw], nb)``: the weights in another order."""
        found = []
        for path, order in zip(self.parts, self.order, strict=True):
            weight = of(module.get_submodule(path).weight)
            found.append(weight[:, list(order)].unflatten(1, (self.inputs, -1)).movedim(2, -1))
        return torch.cat(found, dim=-1)

    @ungraded
    def write(self, module: nn.Module, index: tuple[int, ...], coefficients: Tensor) -> None:
        """Set the weights that one function is made of."""
        o, i, *place = index
        for path, order in zip(self.parts, self.order, strict=True):
            each = len(order) // self.inputs
            columns = list(order[i * each : (i + 1) * each])
            weight: Any = module.get_submodule(path).weight
            where = (o, columns, *place)
            weight[where] = coefficients[:each].to(weight)
            coefficients = coefficients[each:]

    def basis(self, module: nn.Module) -> SampledBasis:
        """Return the basis as it was sampled last, or anew where it is due."""
        return samples.newest(module, self.tensors(module), partial(self.sample, module)).basis

    def sample(self, module: nn.Module, run: nn.Module) -> Samples:
        """Sample the basis, or return the one known if it is that still."""
        known, way = samples.known_basis(module), self.way
        if known is not None and known.serves(way.extent):
            nodes, before = known.tensors()
            now = self.values(run, nodes)
            if now.shape == before.shape and torch.allclose(now, before, rtol=0, atol=_NEAR / 10):
                return Samples(known)
        nodes, values, error = refined_nodes(wider(way.extent), partial(self.values, run))
        if error > _NEAR:
            raise Untold(f"its basis bends too fast to be sampled: {error:.0e} off")
        return Samples(SampledBasis.of(nodes, values, way.domain, way.extent, error))

    def tensors(self, module: nn.Module) -> list[Tensor]:
        """Return what the basis is made from."""
        around = [module.get_submodule(name) for name in (*self.parts, *self.way.after)]
        beside = {id(tensor) for part in around for tensor in part.parameters()}
        return [t for t in module.parameters() if t.requires_grad and id(t) not in beside]


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
    began, mix = time.perf_counter(), _found(run, way)
    x = x[: max(8, _MOST_NUMBERS // way.width)].to(like_of(run))
    error = max(
        compared(each, [_read(mix, "", each)], _sums(mix, each), x, 3 * _NEAR, constants=True)[0]
        for each in (run, moved)
    )
    samples.keep(module, mix.tensors(module), mix.sample(module, run), began)
    words = samples.off_in_words(error, **{"drawn" if way.given is None else "given": len(x)})
    return samples.sampling(module, partial(_read, mix, words), way.shape, partial(_sums, mix))


def _found(run: nn.Module, way: Way) -> _Mix:
    if way.before or way.line:
        raise Untold("a norm comes first, or it goes over one dimension")
    kind = nn.Linear if way.kernel is None else nn.Conv2d
    plain = [(n, p) for n, p in run.named_modules() if n and isinstance(p, nn.Linear | nn.Conv2d)]
    if not 0 < len(plain) <= 4 or any(type(part) is not kind for _, part in plain):
        raise Untold("nothing plain mixes it")
    first: Any = plain[0][1]
    if any(_settings(part) != _settings(first) for _, part in plain):
        raise Untold("its plain layers differ")
    if kind is nn.Conv2d and (first.groups != 1 or first.padding_mode != "zeros"):
        raise Untold("it has groups")
    names = tuple(name for name, _ in plain)
    inputs = way.inputs if way.kernel is None else way.shape[0]
    return _Mix(way, names, tuple(map(tuple, _sources(run, way, names, inputs))), inputs)


def _settings(part: Any) -> Any:
    if isinstance(part, nn.Linear):
        return part.out_features
    return part.out_channels, part.kernel_size, part.stride, part.padding, part.dilation


def _sources(run: nn.Module, way: Way, names: tuple[str, ...], inputs: int) -> list[list[int]]:
    """Find the input that each column is made of, by moving half of the inputs at a time."""
    low, high = way.domain
    generator = torch.Generator().manual_seed(4)
    x, y = (low + (high - low) * torch.rand(2, inputs, generator=generator) for _ in range(2))
    shape = (2, *way.shape) if way.kernel is None else (2, inputs, 1, 1)

    def passed(values: Tensor) -> list[Tensor]:
        return _reaching(run, names, values.view(shape).expand(2, *way.shape))

    before = passed(x)
    found = [torch.zeros(each.shape[1], dtype=torch.long) for each in before]
    moves = [torch.zeros(each.shape[1], dtype=torch.bool) for each in before]
    for bit in range(max(1, (inputs - 1).bit_length())):
        chosen = (torch.arange(inputs) >> bit) % 2 == 1
        pairs = zip(
            passed(torch.where(chosen, y, x)), passed(torch.where(chosen, x, y)), strict=True
        )
        for k, pair in enumerate(pairs):
            one, other = ((each - before[k]).abs().amax(0) > 1e-7 for each in pair)
            if bool((one & other).any()):
                raise Untold("its columns are made of several inputs")
            found[k] += one * (1 << bit)
            moves[k] |= one | other
    return [_ordered(one, moved, inputs) for one, moved in zip(found, moves, strict=True)]


def _ordered(found: Tensor, moved: Tensor, inputs: int) -> list[int]:
    """Return columns input by input; constants belong where the others leave room."""
    each, rest = divmod(len(found), inputs)
    columns = torch.arange(len(found))
    if rest:
        raise Untold("not as many columns for each input")
    for order in (columns.view(inputs, each), columns.view(each, inputs).T):
        right = found[order] == torch.arange(inputs).unsqueeze(1)
        if bool((right | ~moved[order]).all()):
            return order.flatten().tolist()
    raise Untold("its columns lie in no order")


def _reaching(run: nn.Module, names: Sequence[str], x: Tensor) -> list[Tensor]:
    """Return what reaches some parts, ``(n, columns)``: of maps, one place in the middle.

    The run ends there.
    """
    passed: dict[str, Tensor] = {}

    def note(name: str) -> Any:
        def hook(part: nn.Module, given: tuple[Any, ...]) -> None:
            b = given[0].detach()
            b = b[:, :, b.shape[2] // 2, b.shape[3] // 2] if b.ndim == 4 else b
            passed[name] = b.reshape(len(b), -1).to("cpu", torch.float64, copy=True)
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
    raise Untold("not all of its plain layers run")


def _read(mix: _Mix, off: str, module: nn.Module) -> LayerFunctions:
    basis, way, conv = mix.basis(module), mix.way, None
    if way.kernel is not None:
        part: Any = module.get_submodule(mix.parts[0])
        top, left = part.padding
        pads = (left, left, top, top)
        conv = ConvSettings(part.stride, pads, part.dilation, pads_basis=any(pads))
    words = basis.words.replace("Sampled", "Its basis was sampled")
    return LayerFunctions(
        "linear" if conv is None else "conv",
        mix.terms(module),
        (basis,),
        conv=conv,
        write=partial(mix.write, module),
        gradient=lambda: mix.terms(module, gradient_of),
        note=" ".join([f"{words}; its weights are exact; {off}.", *way.words(module)]),
    )


def _sums(mix: _Mix, module: nn.Module) -> list[Sum]:
    after = mix.way.after
    at = Tap((module.get_submodule(after[-1]),)) if after else Tap((module,), "output")
    biases: list[Any] = [module.get_submodule(path).bias for path in mix.parts]
    added = [bias.detach() for bias in biases if bias is not None]
    return [Sum(("",), at, torch.stack(added).sum(0) if added else None)]
