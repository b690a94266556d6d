"""Read modules that no adapter reads: test if they add up or apply functions, and sample."""

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.layer_proof import error_of_sums, moved_of
from kan_widgets.functions.registry import Adapter
from kan_widgets.functions.sampling.inputs import INPUT_NAMES, Way, output_of, ways_of
from kan_widgets.functions.sampling.layers import LOCKED, Mixed, Sampled, Whole, even
from kan_widgets.functions.sampling.samples import (
    Samples,
    Untold,
    all_of,
    off_in_words,
    sampled_functions,
)
from kan_widgets.functions.sampling.sums import (
    CONSTANT,
    STRAIGHT,
    ModuleSums,
    interaction,
    is_straight,
    with_norms,
)
from kan_widgets.functions.undisturbed import like_of, with_copy

_NO_SHAPE = "no shape of input was found that it takes: kw.bind(model, example=batch) shows one"
_PLAIN_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_CHANNELS, _MAX_CHANNELS, _POINTS = 6, 4096, 200_000
_TOLERANCE = 1e-5


def sampling_adapter(module: nn.Module, why: str = "", examples: Tensor | None = None) -> Adapter:
    """Return an adapter that reads a module by sampling it; its note says ``why``.

    The module must be additive: it computes Σ φᵢ(xᵢ) and a constant for each output, over the
    inputs or, in a convolution, the entries of a patch; as it is, and with its parameters moved. A
    norm that its input passes first, and norms and activations that its sum passes last,
    are left out of φ and named. If it takes in x itself beside such a norm, its functions of both
    are two layers. Its inputs have the shape of ``examples``, ``(n, ...)``, and
    functions are sampled where these lie.

    Raises `Untold` if it is not additive; with the size of what its inputs do together, relative to
    its largest output.
    """

    def adapter_for(run: nn.Module) -> Adapter:
        reasons: dict[str, None] = {}
        for way in ways_of(run, examples):
            moved = moved_of(run)
            way = with_norms(run, replace(way, why=why))
            if is_straight(ModuleSums(moved, way), *way.random(64, (way.inputs,)).chunk(2)):
                reasons[STRAIGHT] = None
                continue
            with suppress(ValueError, RuntimeError, IndexError):
                mixed = Mixed.of(run, way)
                mixed.sample(moved)
                return mixed.adapter(module, run)
            words = interaction(ModuleSums(run, way))
            # A layer that is constant as initialised may not be once trained.
            if words in ("", CONSTANT) and (words := interaction(ModuleSums(moved, way))):
                words = f"once its parameters are moved, {words}"
            if not words:
                try:
                    return Whole(way).adapter(module, run)
                except Untold as error:
                    words = str(error)
            reasons[words] = None
        raise Untold("; ".join(reasons) or _NO_SHAPE)

    return _on_cpu(module, adapter_for)


def _on_cpu(module: nn.Module, use: Callable[[nn.Module], Adapter]) -> Adapter:
    """Use a copy, on the CPU, of a module that was not sampled before.

    Nobody knows what it does with arbitrary numbers: on an accelerator, an index out of range would
    end the whole process.
    """

    def used(run: nn.Module, copied: bool) -> Adapter:
        if copied:
            run.to("cpu")
        elif any(not tensor.is_cpu for tensor in all_of(module)):
            raise Untold("it cannot be copied from its device to the CPU")
        return use(run)

    return with_copy(module, used)


def is_open(module: nn.Module) -> bool:
    """Say whether a module may be a learned activation: it has parameters, and no parts."""
    own = next((p for p in module.parameters(recurse=False) if p.requires_grad), None)
    of_torch = type(module).__module__.startswith("torch.nn.") or isinstance(module, _PLAIN_LAYERS)
    return own is not None and not of_torch and not list(module.children())


def elementwise_adapter(module: nn.Module, examples: Tensor | None = None) -> Adapter:
    """Return an adapter that reads a learned activation by sampling it.

    The module must make each value of its output from the same value of its input, by one function
    or by one for each channel or group of channels, at least one of them no straight line.
    ``examples`` are inputs that it was really given, all of one shape.

    Raises `Untold` if it is no such module.
    """

    def adapter_for(run: nn.Module) -> Adapter:
        for shape in _shapes(run) if examples is None else [tuple(examples.shape[1:])]:
            way = Way(shape)
            if examples is not None:
                way = way.where(x := examples.to("cpu", torch.float32))
                way = replace(way, examples=x[: max(1, _POINTS // x[0].numel())])
            if (activation := _Activation.of(run, way)) is not None:
                # Functions that are alike when initialised need not stay so.
                moved = moved_of(run)
                if is_straight(partial(_made, moved), *way.random(64).chunk(2)):
                    raise Untold(STRAIGHT)
                return (_Activation.of(moved, way) or activation).adapter(module, run)
        raise Untold("it is no learned activation")

    return _on_cpu(module, adapter_for)


def _shapes(run: nn.Module) -> Iterator[tuple[int, ...]]:
    """Yield shapes that a module may take: tokens of features, maps of channels, or features."""
    sizes = [size for name in INPUT_NAMES if type(size := vars(run).get(name)) is int]
    sizes += [size for p in run.parameters() for size in p.shape if 1 < size <= _MAX_CHANNELS]
    groups = [vars(run).get(name) for name in ("num_groups", "groups")]
    sizes += [2 * size for size in groups if isinstance(size, int) and size > 1]
    for size in dict.fromkeys((_CHANNELS, *sizes)):
        yield from ((3, size), (size, 4, 5), (size,))


@dataclass(frozen=True)
class _Activation(Sampled):
    """A learned activation: a function for each group of channels along one dimension."""

    elementwise: ClassVar[bool] = True

    axis: int
    groups: int

    @classmethod
    def of(cls, run: nn.Module, way: Way) -> "_Activation | None":
        """Return how a module is applied, if to each value by itself, and where alike; or None."""
        x, other = way.random(8).chunk(2)
        is_kept = torch.rand(x.shape, generator=torch.Generator().manual_seed(1)) < 0.5
        try:
            y, mixed = _made(run, x), _made(run, torch.where(is_kept, x, other))
            # The same few numbers everywhere: where functions are equal, so are values.
            same = _made(run, even(torch.linspace(*way.interval, 7), way.shape))
        except Exception:
            return None
        if y.shape != x.shape or not bool(y.isfinite().all() & same.isfinite().all()):
            return None
        near = _TOLERANCE * max(float(y.abs().max()), float(same.abs().max()), 1e-12)
        off = (y - mixed).abs()
        if float(off[is_kept].max()) > near or float(off[~is_kept].max()) <= near:  # a constant
            return None
        for axis in (-1, 1):
            along = _by_channel(same, axis)
            if float((along - along[:, :1]).abs().max()) <= near:
                # The fewest runs of equally many channels within which all values are alike.
                is_new = along[:, 0].diff(dim=1).abs().amax(0) > near
                starts, channels = is_new.nonzero().flatten() + 1, along.shape[2]
                return cls(way, axis, channels // math.gcd(channels, *starts.tolist()))
        return None

    def sample(self, run: nn.Module, before: Samples | None = None) -> Samples:
        way = self.way

        def values(x: Tensor) -> Tensor:
            """Return φ at some points, ``(P,)``, for each group: ``(P, groups)``."""
            by_channel = _by_channel(_made(run, even(x, way.shape)), self.axis)[:, 0]
            return by_channel[:, :: by_channel.shape[1] // self.groups]

        basis, coefficients = sampled_functions(values, way.interval, before)
        samples = Samples(basis, (coefficients.T.unsqueeze(0).float().contiguous(),))
        layers, sums = self.layers(run, samples), self.sums(run, samples)
        ends = basis.nodes[0], basis.nodes[-1]
        examples = [] if way.examples is None else [way.examples.clamp(*ends)]
        drawn = way.random(max(1, _POINTS // torch.Size(way.shape).numel()))
        inputs = (x.to(like_of(run)) for x in (*examples, drawn))
        off = max(error_of_sums(run, layers, sums, x, math.inf)[0] for x in inputs)
        return replace(samples, words=off_in_words(off, sum(map(len, examples)), len(drawn)))

    def layers(self, module: nn.Module, samples: Samples) -> list[LayerFunctions]:
        [own] = samples.coefficients
        return [
            LayerFunctions(
                "elementwise",
                own,
                (samples.basis,),
                locked=LOCKED,
                note=f"{samples.basis.words}; {samples.words}.",
                axis=self.axis,
            )
        ]


def _made(run: nn.Module, x: Tensor) -> Tensor:
    y: Tensor = output_of(run(x.to(like_of(run))))
    return y.detach().to("cpu", torch.float64)


def _by_channel(y: Tensor, axis: int) -> Tensor:
    """Return ``(n, places, channels)``."""
    return y.movedim(axis, -1).flatten(1, -2) if y.ndim > 2 else y.reshape(len(y), 1, -1)
