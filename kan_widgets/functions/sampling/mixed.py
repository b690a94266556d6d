"""Layers that mix a basis of x by plain layers: the basis is sampled, the weights are exact.

However many inputs it has, the basis takes one run for each of its points. What mixes it is a
`Linear` or a `Conv2d`, or several whose outputs are added: a base and splines.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.coefficients import gradient_of
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.plain import ConvSettings
from kan_widgets.functions.proof import compared
from kan_widgets.functions.registry import Adapter, Sum
from kan_widgets.functions.sampling import samples
from kan_widgets.functions.sampling.samples import (
    SampledBasis,
    Samples,
    Untold,
    refined_nodes,
    wider,
)
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
    """How a module mixes a basis."""

    way: Way
    parts: tuple[str, ...]
    """Paths of the plain layers."""
    inputs: int
    basis_first: tuple[bool, ...]
    """Of each, whether its columns go by basis functions, then by inputs, or the other way."""

    def by_input(self, columns: Tensor, k: int) -> Tensor:
        """Return what has the columns of a plain layer as ``(n, inputs, nb, ...)``, a view."""
        sizes = (-1, self.inputs) if self.basis_first[k] else (self.inputs, -1)
        found: Tensor = columns.unflatten(1, sizes)
        return found.transpose(1, 2) if self.basis_first[k] else found

    def values(self, run: nn.Module, x: Tensor) -> Tensor:
        """Return the basis functions of the first input at some points, ``(P, nb)``."""
        alike = x.view(-1, *[1] * len(self.way.shape)).expand(-1, *self.way.shape)
        reaching = enumerate(_reaching(run, self.parts, alike))
        both = torch.cat([self.by_input(columns, k) for k, columns in reaching], dim=2)
        if not _are_alike(both):
            raise Untold("its inputs have bases of their own")
        return both[:, 0]

    def terms(self, module: nn.Module, of: Any = Tensor.detach) -> Tensor:
        """Return the coefficients, ``(out, in[, kh, kw], nb)``: the weights in another order."""
        weights = [of(module.get_submodule(path).weight) for path in self.parts]
        found = [self.by_input(weight, k).movedim(2, -1) for k, weight in enumerate(weights)]
        return torch.cat(found, dim=-1)

    @ungraded
    def write(self, module: nn.Module, index: tuple[int, ...], coefficients: Tensor) -> None:
        """Set the weights that one function is made of."""
        o, i, *place = index
        for k, path in enumerate(self.parts):
            weight: Any = module.get_submodule(path).weight
            own = self.by_input(weight, k)[o, i]
            own = own[:, place[0], place[1]] if place else own
            own.copy_(coefficients[: len(own)])
            coefficients = coefficients[len(own) :]

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
    taken, error = mix.sample(module, run), 0.0
    for each, basis in ((run, taken.basis), (moved, mix.sample(module, moved).basis)):
        layers, sums = [_layer(mix, "", each, basis)], _sums(mix, each)
        error = max(error, compared(each, layers, sums, x, 3 * _NEAR, constants=True)[0])
    samples.keep(module, mix.tensors(module), taken, began)
    words = samples.off_in_words(error, **{"drawn" if way.given is None else "given": len(x)})
    return samples.sampling(module, partial(_read, mix, words), way.shape, partial(_sums, mix))


def _found(run: nn.Module, way: Way) -> _Mix:
    if way.before or way.line:
        raise Untold("a norm comes first, or it goes over one dimension")
    kind = nn.Linear if way.kernel is None else nn.Conv2d
    plain = [(n, p) for n, p in run.named_modules() if n and isinstance(p, nn.Linear | nn.Conv2d)]
    if not 0 < len(plain) <= 4 or any(not isinstance(part, kind) for _, part in plain):
        raise Untold("nothing plain mixes it")
    first: Any = plain[0][1]
    if any(_settings(part) != _settings(first) for _, part in plain):
        raise Untold("its plain layers differ")
    if kind is nn.Conv2d and (first.groups != 1 or first.padding_mode != "zeros"):
        raise Untold("it has groups")
    names = tuple(name for name, _ in plain)
    inputs = way.inputs if way.kernel is None else way.shape[0]
    if any(part.weight.shape[1] % inputs for _, part in plain):
        raise Untold("not as many columns for each input")
    # Where all inputs are the same, so is what is made of each.
    mix = _Mix(way, names, inputs, (False,) * len(names))
    alike = torch.linspace(*way.domain, 5).view(-1, *[1] * len(way.shape)).expand(-1, *way.shape)
    reaching = _reaching(run, names, alike)
    order = [not _are_alike(mix.by_input(columns, k)) for k, columns in enumerate(reaching)]
    return replace(mix, basis_first=tuple(order))


def _are_alike(values: Tensor) -> bool:
    """Whether basis functions, ``(n, inputs, nb)``, are the same for all inputs."""
    return float((values - values[:, :1]).abs().max()) <= _NEAR * float(values.abs().max())


def _settings(part: Any) -> Any:
    if isinstance(part, nn.Linear):
        return part.out_features
    return part.out_channels, part.kernel_size, part.stride, part.padding, part.dilation


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
    taken = samples.newest(module, mix.tensors(module), partial(mix.sample, module))
    return _layer(mix, off, module, taken.basis)


def _layer(mix: _Mix, off: str, module: nn.Module, basis: SampledBasis) -> LayerFunctions:
    way, conv = mix.way, None
    if way.kernel is not None:
        part: Any = module.get_submodule(mix.parts[0])
        top, left = part.padding
        pads = (left, left, top, top)
        conv = ConvSettings(part.stride, pads, part.dilation, pads_basis=any(pads))
    sampled = basis.words.replace("Sampled", "Its basis was sampled")
    words = [f"{sampled}; its weights are exact; {off}."]
    words += samples.around_in_words(module, way.after, way.why)
    return LayerFunctions(
        "linear" if conv is None else "conv",
        mix.terms(module),
        (basis,),
        conv=conv,
        write=partial(mix.write, module),
        gradient=lambda: mix.terms(module, gradient_of),
        note=" ".join(words),
    )


def _sums(mix: _Mix, module: nn.Module) -> list[Sum]:
    after = mix.way.after
    at = Tap((module.get_submodule(after[-1]),)) if after else Tap((module,), "output")
    biases: list[Any] = [module.get_submodule(path).bias for path in mix.parts]
    added = [bias.detach() for bias in biases if bias is not None]
    return [Sum(("",), at, torch.stack(added).sum(0) if added else None)]
