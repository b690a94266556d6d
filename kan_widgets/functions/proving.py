"""Prove the readings of a whole model, each distinct layer once, before anything is drawn."""

from __future__ import annotations

import re
import time
import weakref
from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from types import BuiltinFunctionType, FunctionType

import torch
from torch import Tensor, nn

from kan_widgets.functions.attributes import called_kan, unreadable_state
from kan_widgets.functions.basis import LayerBasis
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.proof import Unlike, compared, inputs_for, sums_of
from kan_widgets.functions.reading import LeftOut, survey, unwrap
from kan_widgets.functions.registry import Adapter, Sum, candidates, find_adapter, settle, settled
from kan_widgets.functions.sampling.activations import elementwise_adapter, is_open
from kan_widgets.functions.sampling.adapter import sampling_adapter
from kan_widgets.functions.sampling.samples import SAMPLED, Untold
from kan_widgets.functions.shards import is_sharded
from kan_widgets.functions.undisturbed import stand_in
from kan_widgets.nn.activation import BaseActivation

_AROUND = re.compile(r"Norm|ReLU|SiLU|GELU|Tanh|Sigmoid|ELU|Softmax")
# Rounding, TF32 on an accelerator and fast forms of a formula stay below; a norm left out does not.
_TOLERANCE = 1e-3
# Numbers to multiply in one proof, and outputs of a linear layer to compare.
_WORK = 1e8
_OUTPUTS = 32
_SECONDS = 5.0

# Which adapter reads a kind of layer rightly, or why none does, by class and settings.
_verdicts: weakref.WeakKeyDictionary[type, dict[Hashable, Adapter | str]] = (
    weakref.WeakKeyDictionary()
)


def prove(model: nn.Module, *, seconds: float = _SECONDS) -> None:
    """Prove every reading of ``model``, and have what fails left out from now on.

    Each distinct layer, by class, shapes and settings, is run once, as `check` does, on a copy; one
    that cannot be copied is run itself and is as before afterwards. Where another adapter reads it
    rightly, that one does from now on. What `read` and `describe` say of the model holds the
    result. Ordinary layers of torch need no proof.

    Of what no adapter reads rightly it is found out whether it adds up functions of one input each;
    then these are sampled, and read so from now on.

    Parameters
    ----------
    model
        Any module.
    seconds
        How long it may take: once it is over, the layers that remain are tried on few inputs only.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> class Halved(kw.nn.KANLinear):
    ...     def forward(self, x):
    ...         return super().forward(x) / 2
    >>> model = Halved(3, 2)
    >>> prove(model)
    >>> [row.adapter for row in kw.functions.describe(model).layers]
    ['sampled']
    """
    end = time.perf_counter() + seconds
    samples_end = end + seconds
    _settle_activations(model)
    waiting = True
    while waiting:  # what is inside a layer that fails is looked into
        found, left_out = survey(model)
        waiting = False
        for entry in found:
            if not entry.is_plain and settled(entry.module) is None:
                _settle(entry.module, "", time.perf_counter() < end)
                waiting = True
        for missed in left_out:
            if _is_open(missed, [entry.name for entry in found]):
                _settle(missed.module, missed.reason, time.perf_counter() < samples_end)
                waiting = waiting or isinstance(settled(missed.module), Adapter)
    if time.perf_counter() < samples_end:
        _join_parts(model)


def _settle_activations(model: nn.Module) -> None:
    """Sample learned activations, wherever they are: they are no part of the layer around them."""
    found = survey(model)[0]
    read = {part for entry in found for part in entry.module.modules()}
    for module in unwrap(model).modules():
        if is_open(module) and module not in read and settled(module) is None:
            with suppress(Exception):
                settle(module, elementwise_adapter(module))


def _join_parts(model: nn.Module) -> None:
    """Sample a KAN layer as a whole where functions of it were sampled beside plain layers."""
    found = survey(model)[0]
    for name, module in unwrap(model).named_modules():
        inside = [e for e in found if e.module is not module and _lies_in(e.name, name)]
        plain = [entry for entry in inside if not entry.adds_up]
        sampled = [entry for entry in inside if entry.library == SAMPLED]
        if plain and len(plain) + len(sampled) == len(inside) <= 4 and sampled:
            if called_kan(module) and settled(module) is None:
                with suppress(Exception):
                    settle(module, sampling_adapter(module))


def _lies_in(name: str, other: str) -> bool:
    return not other or name.startswith(f"{other}.")


def take_as_read(model: nn.Module) -> None:
    """Forget what proofs have found of a model: everything is read as it is recognised."""
    for module in unwrap(model).modules():
        settle(module, None)


def _is_open(missed: LeftOut, found: list[str]) -> bool:
    """Say whether a module that is left out is to be looked at: one that may be a KAN layer."""
    module = missed.module
    if settled(module) is not None:
        return False
    if missed.is_kan:
        return True
    inside = f"{missed.name}." if missed.name else ""
    weights = any(p.ndim > 1 and p.requires_grad for p in module.parameters(recurse=False))
    return (
        missed.unknown
        and weights
        and not type(module).__module__.startswith("torch.nn.")
        and not any(name.startswith(inside) for name in found)
    )


def _settle(module: nn.Module, problem: str, roomy: bool) -> None:
    """Find who reads a module rightly."""
    if problem and unreadable_state(module):
        return
    if is_sharded(module):
        # To run it takes all processes: it is taken as it is recognised.
        settle(module, find_adapter(module)[0] or problem)
        return
    known, key = _verdicts.setdefault(type(module), {}), _settings(module)
    if key not in known:
        wrong = []
        for adapter in candidates(module):
            difference = _difference(module, adapter, roomy)
            if not difference:
                known[key] = adapter
                break
            wrong.append(difference)
        else:
            return settle(module, _sampled(module, "; ".join(wrong) or problem, roomy))
    settle(module, known[key])


def _sampled(module: nn.Module, problem: str, roomy: bool) -> Adapter | str:
    """Sample the functions of a module, or say why it is left out."""
    if not roomy:
        return f"{problem}; there was no time left to sample it"
    try:
        return sampling_adapter(module, _sentence(problem))
    except Exception as error:
        words = str(error) if isinstance(error, Untold) else f"{type(error).__name__}: {error}"
        return f"{problem}; not sampled: {words}"


def _sentence(problem: str) -> str:
    return problem[:1].upper() + problem[1:]


def _settings(module: nn.Module) -> Hashable:
    """Return what makes two modules of a class one kind of layer: shapes and settings."""
    found: list[Hashable] = []
    for name, part in module.named_modules():
        settings = [(key, v) for key, v in vars(part).items() if _is_setting(v)]
        tensors = [
            (key, None if tensor is None else (tensor.shape, tensor.dtype, tensor.device.type))
            for own in (part._parameters, part._buffers)
            for key, tensor in own.items()
        ]
        # Not the class of the module itself nor its methods: these would keep it.
        kind = type(part) if name else getattr(type(part).forward, "__code__", None)
        found.append((name, kind, tuple(settings), tuple(tensors)))
    return tuple(found)


def _is_setting(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_setting, value))
    return isinstance(value, bool | int | float | str | FunctionType | BuiltinFunctionType)


def _difference(module: nn.Module, adapter: Adapter, roomy: bool) -> str:
    """Say what is wrong with the reading of an adapter; empty if nothing is."""
    library = adapter.library or getattr(adapter.read, "__name__", "its adapter")

    def difference(run: nn.Module, free: bool) -> str:
        if free:
            _trained(run)
        found = adapter.read(run)
        layers = [found] if isinstance(found, LayerFunctions) else list(found)
        if not all(bool(p.sum().isfinite()) for p in run.parameters() if p.is_floating_point()):
            return ""  # a training has run away: that is to be seen
        work = sum(layer.sizes.numel() * len(layer.bases) for layer in layers)
        samples = int(min(max(_WORK / work, 4), 24)) if roomy else 4
        x = inputs_for(run, adapter, layers, samples)
        sums = sums_of(run, adapter, tuple(layer.name for layer in layers))
        try:
            _compared(run, layers, sums, x)
        except Unlike as error:
            size = f"{error.error:.0%} of" if error.error < 2 else f"{error.error:.1f} times"
            return f"read as {library} has it, it would be off by {size} its largest output: " + (
                _found_out(run, layers, sums, x) or str(error).split(":")[0]
            )
        return ""

    try:
        with torch.autocast(_device(module), enabled=False):
            return stand_in(module, difference)
    except Exception as error:
        return (
            f"read as {library} has it, it could not be proved, and prove=False takes it as it is: "
            f"{type(error).__name__}: {error}"
        )


def _compared(
    run: nn.Module, layers: Sequence[LayerFunctions], sums: Sequence[Sum], x: Tensor
) -> None:
    """Compare sums, whether a module takes (n, in), (n, tokens, in), (groups, n, in) or columns."""
    forms = [x, x.unsqueeze(1), x.unsqueeze(0), x.unsqueeze(2)] if x.ndim == 2 else [x]
    first: Exception | None = None
    for form in forms:
        try:
            compared(run, layers, sums, form, _TOLERANCE, most_outputs=_OUTPUTS, constants=True)
        except Unlike:
            raise
        except Exception as error:
            first = first or error
        else:
            return
    assert first is not None
    raise first


def _device(module: nn.Module) -> str:
    first = next(module.parameters(), None)
    return first.device.type if first is not None else "cpu"


def _trained(copied: nn.Module) -> None:
    """Move what is still as it was made, all zeros or ones: it would prove nothing."""
    generator = torch.Generator().manual_seed(0)
    if any(tensor.dtype in (torch.float16, torch.bfloat16) for tensor in copied.parameters()):
        copied.float()
    for tensor in copied.parameters():
        if tensor.requires_grad and tensor.is_floating_point() and tensor.numel():
            if bool((tensor == tensor.flatten()[0]).all()):
                tensor.add_(0.1 * torch.randn(tensor.shape, generator=generator).to(tensor))


def _found_out(
    run: nn.Module, layers: Sequence[LayerFunctions], sums: Sequence[Sum], x: Tensor
) -> str:
    """Say which other reading of the same tensors is right."""
    for words, changed in _otherwise(layers):
        try:
            _compared(run, changed, sums, x)
        except Exception:
            continue
        return words
    known = {label for layer in layers for label in layer.basis_labels}
    names = dict.fromkeys(type(part).__name__ for part in run.modules() if part is not run)
    parts = [name for name in names if _AROUND.search(name) and name.lower() not in known]
    if parts:
        return f"{', '.join(parts)} in it may act where that reading has none"
    return ""


def _otherwise(
    layers: Sequence[LayerFunctions],
) -> Iterator[tuple[str, list[LayerFunctions]]]:
    """Return other ways to take the same coefficients, with the words for each."""
    base = [torch.tensor(layer.is_base) for layer in layers]
    if any(bool(flags.any()) for flags in base):
        for words, only in (("it leaves out the base term", False), ("only its base acts", True)):
            yield (
                words,
                [
                    replace(layer, coefficients=layer.coefficients * (flags == only).to(x))
                    for layer, flags in zip(layers, base, strict=True)
                    for x in [layer.coefficients]
                ],
            )
    taps = [layer.x_at for layer in layers]
    if len(set(taps)) > 1:
        normed = next(layer for layer in layers if layer.x_at is not None)
        words = f"all of its terms take {normed.variable}"
        yield words, [replace(layer, x_at=normed.x_at) for layer in layers]
    if any(taps):
        yield "all of its terms take x itself", [replace(layer, x_at=None) for layer in layers]
    if all(layer.shape[0] == layer.shape[1] for layer in layers):
        turned = [replace(x, coefficients=x.coefficients.transpose(0, 1)) for x in layers]
        yield "its tensors hold inputs and outputs the other way round", turned
    for activation in ("silu", "gelu", "relu", "tanh"):
        yield f"its base activation is {activation}", [_activated(x, activation) for x in layers]
    for factor in (0.5, 2.0):
        yield (
            f"what it computes is {factor:g} times that",
            [replace(layer, coefficients=layer.coefficients * factor) for layer in layers],
        )


def _activated(layer: LayerFunctions, activation: BaseActivation) -> LayerFunctions:
    bases = tuple(
        replace(basis, base_activation=activation)
        if isinstance(basis, LayerBasis) and basis.base_activation is not None
        else basis
        for basis in layer.bases
    )
    return replace(layer, bases=bases)
