"""What is sampled of a layer: each of its functions, or the basis of x that plain layers mix."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from kan_widgets.functions.coefficients import gradient_of
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.layer_proof import error_of_sums
from kan_widgets.functions.module_digest import module_digest
from kan_widgets.functions.registry import SAMPLED, Adapter, Sum, Verdict, decide
from kan_widgets.functions.sampling.inputs import Way
from kan_widgets.functions.sampling.samples import (
    SampledBasis,
    Samples,
    Untold,
    all_of,
    at_most,
    keep_samples,
    kept_samples,
    off_in_words,
    refined_nodes,
    sampled_functions,
)
from kan_widgets.functions.sampling.sums import ROUNDING, ModuleSums
from kan_widgets.functions.undisturbed import like_of, tapped, with_copy
from kan_widgets.nn.torch_modes import ungraded

# Of this thread's time: however busy the machine is, the same layers are sampled.
_MAX_SECONDS = 6.0
# Largest errors, relative to the largest value: of sampled functions, of those whose weights are
# taken as they are, and between the basis functions of two inputs.
_NEAR_ERROR, _EXACT_ERROR, _TOLERANCE = 1e-3, 3e-4, 1e-4
# Most products and values of a basis in one comparison, and plain layers that may mix a basis.
_WORK, _BATCH, _MAX_PARTS = 400_000_000, 4_000_000, 4
LOCKED = "Its functions are sampled: how they follow from its parameters is not known."


@dataclass(frozen=True)
class Sampled:
    """What is sampled of a module, and the layers that this makes."""

    elementwise: ClassVar[bool] = False

    way: Way

    def sources(self, module: nn.Module) -> list[Tensor]:
        """Return the tensors that the samples depend on."""
        return all_of(module)

    def sample(self, run: nn.Module, before: Samples | None = None) -> Samples:
        """Sample a module, by the earlier basis if that still fits; raise Untold if in vain."""
        raise NotImplementedError

    def layers(self, module: nn.Module, samples: Samples) -> list[LayerFunctions]:
        raise NotImplementedError

    def sums(self, module: nn.Module, samples: Samples) -> list[Sum]:
        """Say where in a module the sum of its functions passes."""
        names = tuple(layer.name for layer in self.layers(module, samples))
        at = Tap((module,), "output", view=self.way.view)
        if self.way.after:
            at = Tap((module.get_submodule(self.way.after[-1]),), view=self.way.view)
        return [Sum(names, at, samples.bias)]

    def adapter(self, module: nn.Module, run: nn.Module) -> Adapter:
        """Sample a module, and return the adapter that reads it from now on."""
        samples = self._sampled(kept_samples(module), run)
        own = self._at_the_border(run, samples)
        keep_samples(module, self.sources(module), samples)
        return Adapter(
            SAMPLED,
            partial(own._now, own.layers),
            sums=partial(own._now, own.sums),
            elementwise=own.elementwise,
        )

    def _sampled(self, before: Samples | None, run: nn.Module) -> Samples:
        if before is not None:
            with suppress(Untold):  # points that still fit large values may miss small ones
                return self.sample(run, before)
        return self.sample(run)

    def _now(self, use: Callable[[nn.Module, Samples], Any], module: nn.Module) -> Any:
        """Use a module's last samples, or new ones if those are asked for; return the result.

        A module that can be sampled no more is left out from then on; Untold is raised.
        """
        tensors = self.sources(module)
        if (samples := kept_samples(module, tensors)) is None:
            before = kept_samples(module)
            try:
                # On the same device as before. Draws no random numbers: a training may be running
                # beside it.
                samples = with_copy(module, lambda run, _: self._sampled(before, run), draws=False)
            except Untold as error:  # no sum of functions any more
                decide(module, Verdict(str(error), module_digest(module)))
                raise
            keep_samples(module, tensors, samples)
        return use(module, samples)

    def _at_the_border(self, run: nn.Module, samples: Samples) -> "Sampled":
        """Find out whether a convolution pads x or φ where its kernels reach beyond the border."""
        way = self.way
        if way.kernel is None:
            return self
        x = way.random(4).to(like_of(run))
        near = max(_NEAR_ERROR, 20 * samples.basis.error)
        for pads in (True, False):
            conv = replace(way.conv, pads_basis=pads and any(way.conv.padding))
            own = replace(self, way=replace(way, conv=conv))
            layers, sums = own.layers(run, samples), own.sums(run, samples)
            with suppress(Exception):
                error_of_sums(run, layers, sums, x, near, constants=True)
                return own
        return replace(self, way=replace(way, border=False))

    def _layer(
        self, module: nn.Module, own: Tensor, samples: Samples, words: str, **more: Any
    ) -> LayerFunctions:
        """Return a layer with a note: how it was sampled, what comes after the sum, and why."""
        way, notes = self.way, [words]
        if after := [type(module.get_submodule(name)).__name__ for name in reversed(way.after)]:
            notes.append(f"{' and '.join(after)} come{'s' * (len(after) < 2)} after the sum.")
        if not way.border:
            notes.append("What it adds up at the border, where kernels reach beyond, is not known.")
        if way.why:
            notes.append(f"{way.why}.")
        return LayerFunctions(
            "linear" if way.kernel is None else "conv",
            own,
            (samples.basis,),
            conv=way.conv if way.kernel is not None and way.border else None,
            note=" ".join(notes),
            **more,
        )


def measured(
    compute: ModuleSums, basis: SampledBasis, coefficients: Tensor, near: float
) -> Samples:
    """Return samples that say how far functions, ``(out, inputs, nb)``, are off a module's output.

    Raises `Untold` if they are too far off: inputs do more together than their functions add up,
    which no points of the functions can tell.
    """
    places = 1 if compute.way.kernel is None else torch.Size(compute.way.shape[1:]).numel()
    most = min(_WORK // (coefficients.numel() * places), _BATCH // coefficients[0].numel())

    def total(x: Tensor) -> Tensor:
        return torch.einsum("nib,oib->no", basis(x), coefficients)

    zero = torch.zeros(1, compute.way.inputs, dtype=torch.float64).clamp(*compute.way.interval)
    bias = (compute(zero) - total(zero))[0]
    off, counts = 0.0, []
    for x, y in compute.as_it_is(max(8, most), basis.nodes):
        inside = ((x >= basis.nodes[0]) & (x <= basis.nodes[-1])).all(1)
        x, y = x[inside], y[inside]
        counts.append(len(x))
        if len(x):
            size, largest = float((y - y.mean(0)).abs().max()), float(y.abs().max())
            size = size if size > ROUNDING * largest else largest or 1.0
            error = float((total(x) + bias - y).abs().max()) / size
            if not error <= near:  # NaN included
                words = f"off by {at_most(error)} of its largest output"
                raise Untold(f"its sampled functions are {words}")
            off = max(off, error)
    return Samples(basis, bias=bias, words=off_in_words(off, sum(counts[:-1]), counts[-1]))


class Whole(Sampled):
    """All functions of a layer: each input is varied by itself."""

    def sample(self, run: nn.Module, before: Samples | None = None) -> Samples:
        way, began = self.way, time.thread_time()
        compute = ModuleSums(run, way)
        zero = compute(torch.zeros(1, way.inputs))[0]
        rows = max(1, 200_000 // torch.Size(way.shape).numel())

        def values(x: Tensor) -> Tensor:
            """Return φ at some points: ``(points, in · out)``."""
            blocks, start = [], time.thread_time()
            for own in torch.arange(way.inputs).split(max(1, rows // len(x))):
                runs = torch.zeros(len(own), len(x), way.inputs)
                runs[torch.arange(len(own)), :, own] = x.to(runs)
                blocks.append((compute(runs.flatten(0, 1)) - zero).unflatten(0, (len(own), len(x))))
                spent = time.thread_time() - start
                needed = start - began + spent * way.inputs / (int(own[-1]) + 1)
                if needed > _MAX_SECONDS and spent > 0.2:
                    raise Untold(
                        f"it would take {needed:.0f} s or more to sample its {way.inputs:,} inputs"
                    )
            phi = torch.cat(blocks).transpose(0, 1).flatten(1)
            # Differences of constants are rounding.
            return phi * (float(phi.abs().max()) > ROUNDING * float(zero.abs().max()))

        basis, coefficients = sampled_functions(values, way.interval, before)
        own = coefficients.T.unflatten(0, (way.inputs, -1)).transpose(0, 1)
        samples = measured(compute, basis, own, max(_NEAR_ERROR, 20 * basis.error))
        if len(own) == own.shape[1] > 1:
            others = own * (1 - torch.eye(len(own))).unsqueeze(-1)
            if float(others.abs().max()) < 1e-6 * float(own.abs().max()):
                raise Untold("it is applied to each value by itself: it adds nothing up")
        parts = own.float().chunk(1 + way.beside, dim=1)
        if way.kernel is not None:
            parts = tuple(part.unflatten(1, (-1, *way.kernel)) for part in parts)
        return replace(samples, coefficients=tuple(part.contiguous() for part in parts))

    def layers(self, module: nn.Module, samples: Samples) -> list[LayerFunctions]:
        """Return one layer, or two.

        Two where a module takes in x itself beside what a norm makes of it: the norm's layer
        comes first and has its name.
        """
        way, layers = self.way, []
        norm = module.get_submodule(way.before) if way.before else None
        normed = f"{type(norm).__name__}(x)"
        words = f"{samples.basis.words}; {samples.words}; each φ is drawn as 0 at x = 0."
        for k, own in enumerate(samples.coefficients):
            at = Tap((module,), view=way.view) if way.line else None
            if is_normed := norm is not None and k == 0:
                at = Tap((norm,), "output", view=way.view)
            too = f" It adds functions of {normed if k else 'x itself'} too." * way.beside
            layers.append(
                self._layer(
                    module,
                    own,
                    samples,
                    words + too,
                    name=way.before if way.beside and is_normed else "",
                    locked=LOCKED,
                    variable=normed if is_normed else "x",
                    x_at=at,
                )
            )
        return layers


class _Reached(BaseException):
    """Ends a run once what was looked for has passed."""


@dataclass(frozen=True)
class Mixed(Sampled):
    """A basis of x that plain layers mix, whose outputs are added: their weights are exact.

    However many inputs there are, the basis takes one run for each of its points.
    """

    parts: tuple[str, ...]
    """Paths of the plain layers."""
    basis_first: tuple[bool, ...]
    """Whether the columns of each go by basis functions, then by inputs, or the other way."""

    @classmethod
    def of(cls, run: nn.Module, way: Way) -> "Mixed":
        """Find plain layers that may mix a basis; whether they do, the comparison tells."""
        inner = run.named_modules()
        plain = tuple(name for name, p in inner if name and isinstance(p, nn.Linear | nn.Conv2d))
        if way.before or not 0 < len(plain) <= _MAX_PARTS:
            raise Untold("no plain layers mix a basis")
        # Where all inputs are the same, so are the columns made of each.
        mix = cls(way, plain, (False,) * len(plain))
        reaching = mix.reaching(run, torch.linspace(*way.interval, 5))
        order = [not _are_alike(mix.by_input(columns, k)) for k, columns in enumerate(reaching)]
        return replace(mix, basis_first=tuple(order))

    def by_input(self, columns: Tensor, k: int) -> Tensor:
        """Return a tensor of plain layer ``k``'s columns as ``(n, inputs, nb, ...)``, a view."""
        channels = self.way.channels
        sizes = (-1, channels) if self.basis_first[k] else (channels, -1)
        split: Tensor = columns.unflatten(1, sizes)
        return split.transpose(1, 2) if self.basis_first[k] else split

    def reaching(self, run: nn.Module, x: Tensor) -> list[Tensor]:
        """Return what reaches the plain layers where all inputs are x: ``(P,)`` to (P, columns).

        From maps one place in the middle is taken. The run ends there.
        """
        names = {Tap((run.get_submodule(name),)): name for name in self.parts}
        passed: dict[str, Tensor] = {}

        def see(tap: Tap, value: Tensor) -> Tensor | None:
            b = value.detach()
            columns = b[:, :, b.shape[2] // 2, b.shape[3] // 2] if b.ndim == 4 else b
            passed[names[tap]] = columns.reshape(len(b), -1).to("cpu", torch.float64, copy=True)
            if len(passed) == len(self.parts):
                raise _Reached
            return value[:1] if b.ndim == 4 else None  # its output is not used

        with suppress(_Reached), tapped(names, see):
            run(even(x, self.way.shape).to(like_of(run)))
        if len(passed) < len(self.parts):
            raise Untold("not all of its plain layers run")
        return [passed[name] for name in self.parts]

    def values(self, run: nn.Module, x: Tensor) -> Tensor:
        """Return the basis functions at some points: ``(P,)`` to (P, nb)."""
        reaching = enumerate(self.reaching(run, x))
        both = torch.cat([self.by_input(columns, k) for k, columns in reaching], dim=2)
        if not _are_alike(both):
            raise Untold("its inputs have bases of their own")
        return both[:, 0]

    def terms(self, module: nn.Module, of: Any = Tensor.detach) -> Tensor:
        """Return the coefficients, ``(out, in[, kh, kw], nb)``: the weights in another order."""
        weights = [of(module.get_submodule(path).weight) for path in self.parts]
        parts = [self.by_input(weight, k).movedim(2, -1) for k, weight in enumerate(weights)]
        return torch.cat(parts, dim=-1)

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

    def sources(self, module: nn.Module) -> list[Tensor]:
        around = [module.get_submodule(name) for name in (*self.parts, *self.way.after)]
        beside = {id(tensor) for part in around for tensor in part.parameters()}
        return [t for t in module.parameters() if t.requires_grad and id(t) not in beside]

    def sample(self, run: nn.Module, before: Samples | None = None) -> Samples:
        way, values = self.way, partial(self.values, run)
        if before is None or not before.basis.serves(way.interval) or not _still(before, values):
            basis = SampledBasis.of(*refined_nodes(way.interval, values), way.interval)
        else:
            basis = before.basis
        terms = self.terms(run).to("cpu", torch.float64).flatten(1, -2)
        return measured(ModuleSums(run, way), basis, terms, _EXACT_ERROR)

    def layers(self, module: nn.Module, samples: Samples) -> list[LayerFunctions]:
        sampled = samples.basis.words.replace("Sampled", "Its basis was sampled")
        words = f"{sampled}; its weights are exact; {samples.words}."
        return [
            self._layer(
                module,
                self.terms(module),
                samples,
                words,
                write=partial(self.write, module),
                gradient=lambda: self.terms(module, gradient_of),
            )
        ]

    def sums(self, module: nn.Module, samples: Samples) -> list[Sum]:
        """Return the one sum, with the biases of the plain layers."""
        biases: list[Any] = [module.get_submodule(path).bias for path in self.parts]
        added = [bias.detach() for bias in biases if bias is not None]
        bias = torch.stack(added).sum(0) if added else None
        return super().sums(module, replace(samples, bias=bias))


def _still(before: Samples, values: Callable[[Tensor], Tensor]) -> bool:
    """Whether the basis functions are the earlier ones."""
    nodes, old = before.basis.tensors()
    now = values(nodes)
    return now.shape == old.shape and torch.allclose(now, old, rtol=0, atol=_TOLERANCE / 10)


def _are_alike(values: Tensor) -> bool:
    """Whether basis functions, ``(n, inputs, nb)``, are the same for all inputs."""
    return float((values - values[:, :1]).abs().max()) <= _TOLERANCE * float(values.abs().max())


def even(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return inputs whose values are all the same, ``(P,)`` to (P, *shape)."""
    return x.reshape(-1, *[1] * len(shape)).expand(-1, *shape)
