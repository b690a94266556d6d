"""Prove that a reader is right: Σφ over varied inputs is what the module computes."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.layer_settings import ConvSettings
from kan_widgets.functions.module_tensors import attribute
from kan_widgets.functions.reading import unwrap
from kan_widgets.functions.registry import Adapter, LayerReader, Sum, find_adapter, module_sums
from kan_widgets.functions.stand_ins import read_by
from kan_widgets.functions.undisturbed import like_of, tapped, undisturbed, with_copy

T = TypeVar("T")

_SAMPLES = 64
# TF32 on an accelerator and fast forms of a formula stay below; a norm left out does not.
_TOLERANCE = 1e-3
# Most multiplications in one proof, outputs of a linear layer to compare, and examples.
_WORK, _OUTPUTS, _EXAMPLES = 1e8, 32, 64


@dataclass(frozen=True)
class Proof:
    """How well Σφ agrees with a module's output."""

    layers: tuple[str, ...]
    """The layers compared."""
    error: float
    """The largest difference, relative to the largest output."""
    outputs: int
    """How many numbers were compared."""


class Unlike(ValueError):
    """Σφ is not what a module computes: by how much, relative to the largest output, and where."""

    def __init__(self, message: str, error: float, worst: int) -> None:
        super().__init__(message)
        size = f"{error:.0%} of" if error < 2 else f"{error:.1f} times"
        self.words = f"it would be off by {size} its largest output, most at output {worst}"


def check(
    module: nn.Module,
    adapter: LayerReader | None = None,
    *,
    inputs: Tensor | None = None,
    before: str = "",
    bias: Tensor | None = None,
    tolerance: float = 1e-5,
) -> Proof:
    """Prove that the functions read from ``module`` are what it computes.

    Runs the module in evaluation mode on inputs spread over the functions' extent and a little
    beyond, and compares its output with Σφ, summed in double precision. Modes and random
    generators are as before afterwards.

    Parameters
    ----------
    module
        A layer, in single or double precision.
    adapter
        The reader to try; by default the registered one.
    inputs
        Inputs to run the module on, ``(n, ...)``; by default 64 random ones, and one
        more for each of the first 64 entries, in which only that entry is not 0.
    before
        Dotted name of the part of the module to whose input the sum is compared, such as
        the norm after it. By default what the adapter says, or the module's output.
    bias
        ``(out,)``, a constant that the module adds to the sum, if the adapter names none.
    tolerance
        The largest difference allowed, relative to the largest output.

    Raises
    ------
    TypeError
        If no adapter reads the module.
    ValueError
        If Σφ is not what the module computes; the message says where and by how much.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> kw.functions.check(kw.nn.KANConv2d(2, 3, 3, padding=1)).error < 1e-5
    True
    """
    module = unwrap(module)
    registered, problem = find_adapter(module)
    if adapter is not None and (registered is None or registered.read is not adapter):
        registered = Adapter("", adapter)
    if registered is None:
        why = problem or "register one, or give the reader to try"
        raise TypeError(f"no adapter reads this {type(module).__name__}: {why}")
    layers = read_by(module, registered.read)
    sums = module_sums(module, registered, (each.name for each in layers), bias)
    if before:
        part = attribute(module, before)
        if not isinstance(part, nn.Module):
            kind = type(module).__name__
            raise ValueError(f"before={before!r}: expected the name of a part of {kind}")
        parts = tuple(part) if isinstance(part, nn.ModuleList) else (part,)
        sums = [Sum(tuple(layer.name for layer in layers), Tap(parts), bias)]
    forms = _inputs_for(module, registered, layers) if inputs is None else [inputs]

    def errors_on(x: Tensor) -> tuple[float, int]:
        return error_of_sums(module, layers, sums, x, tolerance)[:2]

    worst, outputs = undisturbed(module, lambda: _on_some_form(forms, errors_on))
    names = dict.fromkeys(layer.name or type(module).__name__ for layer in layers)
    return Proof(tuple(names), worst, outputs)


def error_of_sums(
    module: nn.Module,
    layers: Sequence[LayerFunctions],
    sums: Sequence[Sum],
    x: Tensor,
    tolerance: float,
    *,
    most_outputs: int | None = None,
    constants: bool = False,
) -> tuple[float, int, bool]:
    """Run a module, in the state that it is in, and compare the sums in it with Σφ.

    At most ``most_outputs`` of a linear layer are compared. With ``constants`` each output may be
    off by a constant, a bias that no adapter names. Returns the largest difference, relative to
    the largest output, how many numbers were compared, and whether no constant is missing.

    Raises `ValueError` if Σφ is not what the module computes, to ``tolerance``.
    """
    by_name = {layer.name: layer for layer in layers}
    own = Tap((module,))
    taps = [own, *(s.at for s in sums), *(x.x_at for x in layers if x.x_at is not None)]
    passed = _passed(module, x, taps)
    # ReLU-KAN takes and returns columns, (n, in, 1).
    if x.ndim == 3 and x.shape[2] == 1 and x.shape[1] == layers[0].shape[1] > 1:
        passed = {tap: value.squeeze(2) for tap, value in passed.items()}
    worst, outputs, is_whole = 0.0, 0, True
    for place in sums:
        parts = [by_name[name] for name in place.layers]
        names = ", ".join(filter(None, place.layers)) or type(module).__name__
        out, rows = passed[place.at].to("cpu", torch.float64), slice(None)
        if most_outputs is not None and all(
            part.kind == "linear" and part.shape[0] == out.shape[-1] for part in parts
        ):
            rows = slice(None, None, -(-out.shape[-1] // most_outputs))
            out = out[..., rows]
        totals = [part.total(passed[part.x_at or own], rows) for part in parts]
        total = sum(totals[1:], totals[0])
        if total.shape != out.shape:
            raise ValueError(
                f"Σφ of {names} has shape {tuple(total.shape)}, but the module computes "
                f"{tuple(out.shape)}: the coefficients or the convolution's settings are wrong"
            )
        if place.bias is not None:
            bias = place.bias.detach().to(total)[rows]
            total = total + (bias if total.ndim < 4 else bias.view(-1, 1, 1))
        error, spread = _error_of_sum(total, out, tolerance, constants, names)
        worst = max(worst, min(error, spread) if constants else error)
        is_whole = is_whole and error <= tolerance
        outputs += out.numel()
    return worst, outputs, is_whole


def _passed(module: nn.Module, x: Tensor, taps: Sequence[Tap]) -> dict[Tap, Tensor]:
    """Run a module; return for each tap what passes it, joined."""
    passed: dict[Tap, list[Tensor]] = {tap: [] for tap in taps}

    def keep(tap: Tap, value: Tensor) -> None:
        passed[tap].append(value.detach())

    with tapped(taps, keep):
        module(x)
    if missed := next((tap for tap, values in passed.items() if not values), None):
        names = ", ".join(type(part).__name__ for part in missed.modules)
        raise ValueError(f"nothing passed {names} while the module ran")
    return {tap: tap.join(values) for tap, values in passed.items()}


def _error_of_sum(
    total: Tensor, out: Tensor, tolerance: float, constants: bool, names: str
) -> tuple[float, float]:
    """Return the largest difference, and the largest after a constant for each output."""
    # Where both are NaN they agree: a basis may be undefined outside its domain.
    nowhere = total.isnan() & out.isnan()
    if not nowhere.all():
        total, out = total.masked_fill(nowhere, 0.0), out.masked_fill(nowhere, 0.0)
    scale = float(out.abs().max())
    difference = total - out
    error = float(difference.abs().max()) / (scale or 1.0)
    by_output = difference.movedim(-1 if total.ndim < 4 else 1, 0).flatten(1)
    spread = float((by_output - by_output[:, :1]).abs().max()) / (scale or 1.0)
    if error <= tolerance or (constants and spread <= tolerance):
        return error, spread
    worst, hint = int(by_output.abs().amax(1).argmax()), ""
    if spread <= tolerance:
        hint = " The difference is a constant for each output: give it as bias."
    elif not torch.isfinite(difference).all():
        hint = " Some of the values are not finite."
    else:
        factor = float((total * out).sum() / (total * total).sum().clamp_min(1e-300))
        if float((total * factor - out).abs().max()) <= tolerance * (scale or 1.0):
            hint = f" The output is {factor:.6g} times Σφ: a scale is missing."
    raise Unlike(
        f"Σφ of {names} is not what the module computes: it differs by {error:.3g} of the "
        f"largest output ({scale:.4g}), most at output {worst}.{hint} If a norm or an "
        "activation follows the sum, name it with before=.",
        error,
        worst,
    )


def _inputs_for(
    module: nn.Module, adapter: Adapter, layers: Sequence[LayerFunctions], samples: int = _SAMPLES
) -> list[Tensor]:
    """Return random inputs, and ones in which a single entry is not 0, in all forms to try."""
    own = (x for x in layers if x.x_at is None or module in x.x_at.modules)
    first = next(own, layers[0])
    settings = first.conv or ConvSettings()
    shape: tuple[int, ...]
    if first.kind == "elementwise":
        shape = (first.shape[1], 4) if first.axis == 1 else (3, 2 * first.shape[1])
    elif first.kind == "linear":
        shape = (adapter.n_inputs(module) if adapter.n_inputs else first.shape[1],)
    else:
        channels = 2 if settings.shared else first.shape[1] * settings.groups
        height, width = (
            (size - 1) * d + 1 + 2 * s
            for size, d, s in zip(first.shape[2:], settings.dilation, settings.stride, strict=True)
        )
        shape = (channels, height, width)
    low, high = min(x.extent[0] for x in layers), max(x.extent[1] for x in layers)
    margin = 0.1 * (high - low)
    generator = torch.Generator().manual_seed(0)
    spread = torch.rand(samples, *shape, generator=generator) * (high - low + 2 * margin)
    spread = spread + low - margin
    size = spread[0].numel()
    single = torch.zeros(min(samples, size), size)
    entries = torch.arange(len(single))
    single[entries, entries] = spread.reshape(samples, size)[entries % samples, entries]
    x = torch.cat([spread, single.reshape(-1, *shape)])
    x = x.to(next(module.parameters(), first.like))
    if first.kind == "linear":  # or tokens, or groups, or columns of features
        return [x, x.unsqueeze(1), x.unsqueeze(0), x.unsqueeze(2)]
    if first.kind == "conv":  # over two dimensions, one, or three, of which each layer is a slice
        deep = x.unsqueeze(2).repeat_interleave(max(shape) + len(layers), dim=2)
        return [x, x[:, :, 0], deep]
    return [x]


def error_of_adapter(
    module: nn.Module, adapter: Adapter, examples: Tensor | None = None, again: bool = False
) -> tuple[float, bool]:
    """Return how far an adapter is off, on a copy of a module as it is and with parameters moved.

    And whether the adapter names all that the module computes: no constant is missing.

    They are compared on ``examples`` of the module's inputs, if any are known, and on random ones,
    unless they were before and are compared ``again``.

    Raises `Unlike` if Σφ is not what the module computes.
    """

    def off(run: nn.Module) -> tuple[float, bool]:
        if not all(bool(p.sum().isfinite()) for p in run.parameters() if p.is_floating_point()):
            return 0.0, True  # a training that diverged is not left out, but seen
        layers = read_by(run, adapter.read)
        sums = module_sums(run, adapter, (each.name for each in layers))
        work = sum(layer.sizes.numel() * len(layer.bases) for layer in layers)

        def error_on(x: Tensor) -> tuple[float, bool]:
            error, _, is_whole = error_of_sums(
                run, layers, sums, x, _TOLERANCE, most_outputs=_OUTPUTS, constants=True
            )
            return error, is_whole

        errors = []
        if examples is not None:
            places = examples[0].numel() // max(1, examples.shape[-1 if examples.ndim == 2 else 1])
            if count := int(_WORK // (work * max(1, places))):
                errors.append(error_on(examples[: min(count, _EXAMPLES)].to(like_of(run))))
                if again:
                    return errors[0]
        try:
            samples = int(min(max(_WORK / work, 4), 24))
            errors.append(_on_some_form(_inputs_for(run, adapter, layers, samples), error_on))
        except Exception as error:
            if not errors or isinstance(error, Unlike):
                raise  # else random inputs do not fit it
        return _worse(*errors)

    def exactly(run: nn.Module) -> tuple[float, bool]:
        try:
            return off(run)
        except Unlike:
            # Where functions nearly cancel, the difference may be rounding: double decides.
            if like_of(run).dtype == torch.float32:
                with suppress(Exception):  # a device without it, a module that cannot be copied
                    return off(copy.deepcopy(run).double())
            raise

    def both(run: nn.Module, copied: bool) -> tuple[float, bool]:
        if not copied:
            return off(run)
        start(run)
        result = exactly(run)
        move(run)
        return _worse(result, exactly(run))

    return with_copy(module, both)


def _worse(*results: tuple[float, bool]) -> tuple[float, bool]:
    errors, whole = zip(*results, strict=True)
    return max(errors), all(whole)


def _on_some_form(forms: Sequence[Tensor], measure: Callable[[Tensor], T]) -> T:
    """Return what is measured on the first form of inputs that a module takes."""
    errors: list[Exception] = []
    for x in forms:
        try:
            return measure(x)
        except Unlike:
            raise
        except Exception as error:
            errors.append(error)
    raise errors[0]


def moved_of(run: nn.Module) -> nn.Module:
    """Return a copy with every trained parameter moved."""
    moved = copy.deepcopy(run)
    start(moved)
    move(moved)
    return moved


def start(copied: nn.Module) -> None:
    """Move tensors that are still as initialised, all zeros or ones: these prove nothing."""
    generator = torch.Generator().manual_seed(0)
    if any(tensor.dtype in (torch.float16, torch.bfloat16) for tensor in copied.parameters()):
        copied.float()
    for tensor in _trained(copied):
        if bool((tensor == tensor.flatten()[0]).all()):
            tensor.add_(0.1 * torch.randn(tensor.shape, generator=generator).to(tensor))


def move(copied: nn.Module) -> None:
    """Move all trained parameters, but so that rising rows still rise and one sign stays one."""
    generator = torch.Generator().manual_seed(1)
    for tensor in _trained(copied):
        noise = torch.randn(tensor.shape, generator=generator).to(tensor)
        noise *= 0.1 * max(float(tensor.abs().mean()), 0.1)
        if tensor.ndim and tensor.shape[-1] > 2 and bool((tensor.diff(dim=-1) > 0).all()):
            tensor.mul_(1.05).add_(noise.flatten()[0])
        elif bool((tensor > 0).all()):
            tensor.add_(noise.abs())
        elif bool((tensor < 0).all()):
            tensor.sub_(noise.abs())
        else:
            tensor.add_(noise)


def _trained(copied: nn.Module) -> Iterator[Tensor]:
    for tensor in copied.parameters():
        if tensor.requires_grad and tensor.is_floating_point() and tensor.numel():
            yield tensor
