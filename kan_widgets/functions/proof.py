"""Prove that a reader is right: Σφ over varied inputs is what the module computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.functions.attributes import attribute
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.plain import ConvSettings
from kan_widgets.functions.reading import unwrap
from kan_widgets.functions.registry import Adapter, Reader, Sum, find_adapter
from kan_widgets.functions.undisturbed import undisturbed

_SAMPLES = 64


@dataclass(frozen=True)
class Proof:
    """How well Σφ agrees with a module's output."""

    layers: tuple[str, ...]
    """The layers compared."""
    error: float
    """The largest difference, relative to the largest output."""
    outputs: int
    """How many numbers were compared."""


class _Recorder:
    """Keeps the tensors at some taps while a module runs."""

    def __init__(self, taps: Sequence[Tap]) -> None:
        self._passed: dict[Tap, list[Tensor]] = {tap: [] for tap in taps}
        self._handles = []
        for tap in taps:
            for module in dict.fromkeys(tap.modules):
                if tap.side == "input":
                    handle = module.register_forward_pre_hook(self._before(tap))
                else:
                    handle = module.register_forward_hook(self._after(tap))
                self._handles.append(handle)

    def _before(self, tap: Tap) -> Any:
        def hook(module: nn.Module, given: tuple[Any, ...]) -> None:
            self._passed[tap].append(_tensor(given).detach())

        return hook

    def _after(self, tap: Tap) -> Any:
        def hook(module: nn.Module, given: Any, result: Any) -> None:
            self._passed[tap].append(_tensor(result).detach())

        return hook

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()

    def at(self, tap: Tap) -> Tensor:
        passed = self._passed[tap]
        if not passed:
            names = ", ".join(type(module).__name__ for module in tap.modules)
            raise ValueError(f"nothing passed {names} while the module ran")
        return tap.join(passed)


def _tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else _tensor(value[0])


def check(
    module: nn.Module,
    adapter: Reader | None = None,
    *,
    inputs: Tensor | None = None,
    before: str = "",
    bias: Tensor | None = None,
    tolerance: float = 1e-5,
) -> Proof:
    """Prove that the functions read from ``module`` are what it computes.

    Runs the module in evaluation mode without gradients, on inputs spread over the
    functions' extent and a little beyond, and compares its output with Σφ, summed in
    double precision from the functions alone. Modes and random generators are as before
    afterwards.

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

    Returns
    -------
    Proof
        The layers compared and the largest relative difference.

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
    known, problem = find_adapter(module)
    if adapter is None and known is None:
        why = problem or "register one, or give the reader to try"
        raise TypeError(f"no adapter reads this {type(module).__name__}: {why}")
    reader = adapter or (known.read if known is not None else None)
    assert reader is not None
    if adapter is not None and known is not None and known.read is not adapter:
        known = None
    found = reader(module)
    layers = [found] if isinstance(found, LayerFunctions) else list(found)
    by_name = {layer.name: layer for layer in layers}
    sums = sums_of(module, known, tuple(by_name), before, bias)
    x = inputs_for(module, known, layers) if inputs is None else inputs

    worst, outputs = undisturbed(module, lambda: compared(module, layers, sums, x, tolerance))
    kind = type(module).__name__
    return Proof(tuple(name or kind for name in by_name), worst, outputs)


def compared(
    module: nn.Module,
    layers: Sequence[LayerFunctions],
    sums: Sequence[Sum],
    x: Tensor,
    tolerance: float,
    *,
    most_outputs: int | None = None,
    constants: bool = False,
) -> tuple[float, int]:
    """Run a module, and compare the sums in it with Σφ.

    Parameters
    ----------
    module
        In the mode and state to run it in.
    layers, sums
        Its functions, and where their sums appear.
    x
        Its input.
    tolerance
        The largest difference allowed, relative to the largest output.
    most_outputs
        Of a linear layer, how many outputs to compare; all by default.
    constants
        Whether a constant for each output may differ, a bias that no adapter names.

    Returns
    -------
    float, int
        The largest relative difference, and how many numbers were compared.

    Raises
    ------
    ValueError
        If Σφ is not what the module computes.
    """
    by_name = {layer.name: layer for layer in layers}
    own = Tap((module,))
    taps = [own, *(s.at for s in sums), *(x.x_at for x in layers if x.x_at is not None)]
    # ReLU-KAN takes and returns columns, (n, in, 1).
    columns = x.ndim == 3 and x.shape[2] == 1 and x.shape[1] == layers[0].shape[1] > 1
    recorder = _Recorder(list(dict.fromkeys(taps)))
    worst, outputs = 0.0, 0
    try:
        module(x)
        for place in sums:
            parts = [by_name[name] for name in place.layers]
            rows = slice(None)
            out, bias = recorder.at(place.at).to("cpu", torch.float64), place.bias
            out = out.squeeze(2) if columns else out
            if most_outputs is not None and all(
                part.kind == "linear" and part.shape[0] == out.shape[-1] for part in parts
            ):
                rows = slice(None, None, -(-out.shape[-1] // most_outputs))
                out, bias = out[..., rows], None if bias is None else bias.detach().cpu()[rows]
            inputs = [recorder.at(part.x_at or own) for part in parts]
            inputs = [each.squeeze(2) for each in inputs] if columns else inputs
            total = sum(
                total_of(part, each, rows) for part, each in zip(parts, inputs, strict=True)
            )
            assert isinstance(total, Tensor)
            kind = type(module).__name__
            found = Sum(place.layers, place.at, bias)
            worst = max(worst, _compare(found, total, out, kind, tolerance, constants))
            outputs += out.numel()
    finally:
        recorder.remove()
    return worst, outputs


def sums_of(
    module: nn.Module,
    adapter: Adapter | None,
    names: tuple[str, ...],
    before: str = "",
    bias: Tensor | None = None,
) -> Sequence[Sum]:
    """Return where the sums of a module's layers appear."""
    if before:
        part = attribute(module, before)
        if not isinstance(part, nn.Module):
            raise ValueError(
                f"before: expected the name of a part of {type(module).__name__}, got {before!r}"
            )
        parts = tuple(part) if isinstance(part, nn.ModuleList) else (part,)
        return [Sum(names, Tap(parts), bias)]
    if adapter is not None and adapter.sums is not None:
        return adapter.sums(module)
    return [Sum(names, Tap((module,), "output"), bias)]


def inputs_for(
    module: nn.Module,
    adapter: Adapter | None,
    layers: Sequence[LayerFunctions],
    samples: int = _SAMPLES,
) -> Tensor:
    """Return random inputs, and ones in which a single entry is not 0."""
    first = layers[0]
    settings = first.conv or ConvSettings()
    if adapter is not None and adapter.input_shape is not None:
        shape = adapter.input_shape(module)
    elif first.kind == "linear":
        shape = (first.shape[1],)
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
    like = next(module.parameters(), first.like)
    return torch.cat([spread, single.reshape(-1, *shape)]).to(like)


def total_of(layer: LayerFunctions, x: Tensor, rows: slice = slice(None)) -> Tensor:
    """Return Σφ for each output, or some of a linear layer's, in double precision on the CPU."""
    x = x.to("cpu", torch.float64)
    if layer.kind == "elementwise":
        return _applied(layer, x)
    coefficients = layer.part(rows).detach().to("cpu", torch.float64)
    if layer.basis_index is None:
        return _summed(layer, layer.bases[0], coefficients, x)
    index = layer.basis_index.to("cpu")[rows]
    total: Tensor | int = 0
    for g, basis in enumerate(layer.bases):
        chosen = index == g
        own = coefficients * chosen.unsqueeze(-1)
        if layer.kind == "linear":
            # Only the inputs that have a function with this basis: there may be one for each.
            inputs = chosen.any(0)
            total = total + torch.einsum(
                "...ib,oib->...o", basis(x[..., inputs]).nan_to_num(), own[:, inputs]
            )
        else:
            total = total + _summed(layer, basis, own, x)
    assert isinstance(total, Tensor)
    return total


def _applied(layer: LayerFunctions, x: Tensor) -> Tensor:
    """Apply the function of each group to every value of its channels."""
    coefficients = layer.coefficients.detach().to("cpu", torch.float64)[0]
    along = x.movedim(layer.axis, 0).unflatten(0, (len(coefficients), -1))
    index = [0] * len(coefficients) if layer.basis_index is None else layer.basis_index[0].tolist()
    parts = [layer.bases[b](along[g]) @ coefficients[g] for g, b in enumerate(index)]
    return torch.cat(parts).movedim(0, layer.axis)


def _summed(layer: LayerFunctions, basis: Any, coefficients: Tensor, x: Tensor) -> Tensor:
    if layer.kind == "linear":
        return torch.einsum("...ib,oib->...o", basis(x), coefficients)
    return _convolved(basis, coefficients, layer.conv or ConvSettings(), x)


def _convolved(basis: Any, coefficients: Tensor, settings: ConvSettings, x: Tensor) -> Tensor:
    n, channels = x.shape[:2]
    if settings.shared:
        x = x.reshape(n * channels, 1, *x.shape[2:])
    mode = "constant" if settings.padding_mode == "zeros" else settings.padding_mode
    if not settings.pads_basis:
        x = F.pad(x, settings.padding, mode=mode)
    values = basis(x)
    if settings.pads_basis:  # NaN: planes beyond the border
        values = values.masked_fill(x.isnan().unsqueeze(-1), 0)
    values = values.movedim(-1, 2).flatten(1, 2)
    if settings.pads_basis:
        values = F.pad(values, settings.padding, mode=mode)
    weight = coefficients.movedim(-1, 2).flatten(1, 2)
    out = F.conv2d(values, weight, None, settings.stride, 0, settings.dilation, settings.groups)
    return out.reshape(n, -1, *out.shape[2:]) if settings.shared else out


def _compare(
    place: Sum, total: Tensor, out: Tensor, kind: str, tolerance: float, constants: bool
) -> float:
    names = ", ".join(name for name in place.layers if name) or kind
    if total.shape != out.shape:
        raise ValueError(
            f"Σφ of {names} has shape {tuple(total.shape)}, but the module computes "
            f"{tuple(out.shape)}: the coefficients or the convolution's settings are wrong"
        )
    axis = -1 if total.ndim < 4 else 1
    if place.bias is not None:
        shape = [1] * total.ndim
        shape[axis] = -1
        total = total + place.bias.detach().to(total).reshape(shape)
    # Both are nowhere: as beside the domain of a basis that is not known there.
    nowhere = total.isnan() & out.isnan()
    if not nowhere.all():
        total, out = total.masked_fill(nowhere, 0.0), out.masked_fill(nowhere, 0.0)
    scale = float(out.abs().max())
    difference = total - out
    error = float(difference.abs().max()) / (scale or 1.0)
    by_output = difference.movedim(axis, 0).flatten(1)
    spread = float((by_output - by_output[:, :1]).abs().max()) / (scale or 1.0)
    if error <= tolerance or (constants and spread <= tolerance):
        return min(error, spread) if constants else error
    worst = int(by_output.abs().amax(1).argmax())
    hint = ""
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
    )


class Unlike(ValueError):
    """Σφ is not what a module computes: by how much, relative to the largest output."""

    def __init__(self, message: str, error: float) -> None:
        super().__init__(message)
        self.error = error
