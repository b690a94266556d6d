"""The inputs that really reach the functions of a model, from a batch."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from kan_widgets.functions import ConvSettings, LayerFunctions, Tap
from kan_widgets.functions.layer import padded
from kan_widgets.functions.undisturbed import tapped, undisturbed
from kan_widgets.live.frames.observation import (
    BINS,
    MAX_PATCH_FLOATS,
    Observation,
    picture_of_rows,
)
from kan_widgets.nn.changes.sampling import random_rows

_MAX_MAPS = 8


def observe(
    model: nn.Module, modules: dict[str, nn.Module], layers: list[LayerFunctions], batch: Any
) -> dict[str, Observation]:
    """Run ``batch`` through ``model`` and record what reaches each layer.

    The model is run once in evaluation mode without gradients, through temporary
    hooks; mode and random number generators are as before afterwards, also if
    the run fails. ``modules`` holds, by its name, the module of each layer.

    Raises `TypeError` if the batch is neither a tensor nor a tuple of arguments, and `ValueError`
    if it is empty or reaches no layer.
    """
    arguments = arguments_of("batch", batch)
    empty = [tuple(a.shape) for a in arguments if isinstance(a, Tensor) and not a.numel()]
    if empty:
        raise ValueError(f"batch of shape {empty[0]}: at least one input is needed")
    taps = {layer.name: layer.x_at or Tap((modules[layer.name],)) for layer in layers}
    passed: dict[Tap, list[Tensor]] = {tap: [] for tap in taps.values()}
    folds: dict[Tap, tuple[int, int, int] | None] = {}

    def keep(tap: Tap, values: Tensor) -> None:
        folds.setdefault(tap, fold_of(values))
        # Values that are split over processes, all of which run the batch, are joined.
        values = values.full_tensor() if hasattr(values, "full_tensor") else values
        # A copy, because the model may go on in place.
        passed[tap].append(values.detach().clone())

    def run() -> None:
        with tapped(passed, keep):
            model(*arguments)

    undisturbed(model, run, function_mode=Folding())
    first = arguments[0] if isinstance(arguments[0], Tensor) else None
    inputs = {
        layer.name: _describe(layer, x, first, folds.get(taps[layer.name]))
        for layer in layers
        if (x := _at(layer, taps[layer.name], passed[taps[layer.name]])) is not None
    }
    if not inputs:
        raise ValueError("the batch reached none of the bound layers")
    return inputs


def arguments_of(keyword: str, batch: Any) -> tuple[Any, ...]:
    """Return a batch as the arguments of a model. Raises `TypeError` if it is no such batch."""
    if not isinstance(batch, Tensor | tuple) or (isinstance(batch, tuple) and not batch):
        raise TypeError(
            f"{keyword}={type(batch).__name__}: expected a tensor of inputs, or a tuple of the "
            "model's arguments; from a loader, take the images of one batch"
        )
    return batch if isinstance(batch, tuple) else (batch,)


def nan_in_words(found: dict[str, Observation]) -> str:
    """Say which layers got NaN, in their order; empty if none did."""
    parts = [
        f"{one.nan_inputs:,} at {name}{'' if len(one.patches) else ' (no whole patch is left)'}"
        for name, one in found.items()
        if one.nan_inputs
    ]
    return f"live.observe left out inputs that are NaN: {', '.join(parts)}" if parts else ""


def _at(layer: LayerFunctions, tap: Tap, passed: list[Tensor]) -> Tensor | None:
    """Return x of a layer: the first input of a module that ran several times."""
    if not passed:
        return None
    if layer.x_at is None:
        return passed[0]
    x = tap.join(passed)
    if tap.view is None:
        return x
    there = ~x.isnan().flatten(1).all(1)  # planes beyond the border of a volume are none
    return x[there] if bool(there.any()) else x


def _describe(
    layer: LayerFunctions, x: Tensor, first: Tensor | None, fold: tuple[int, int, int] | None
) -> Observation:
    low, high = layer.extent
    lo, hi = layer.domain
    placed, maps = patches_of(layer, x.float())
    entries = placed.shape[-1]
    patches = placed.reshape(-1, entries)
    edges = np.linspace(low, high, BINS + 1).astype(np.float32)
    counts = np.zeros((entries, BINS), dtype=np.float32)
    padding = patches.isnan()
    columns = patches.T.contiguous()
    for entry in range(entries):
        histogram = torch.histc(columns[entry], BINS, low, high)
        counts[entry] = histogram.cpu().numpy()

    def share(a: float, b: float) -> NDArray[np.float32]:
        outside = ((patches < a) | (patches > b)).sum(0) / (~padding).sum(0).clamp(min=1)
        return outside.float().cpu().numpy()

    samples = 1 if layer.kind == "conv" and x.ndim == 3 else x.shape[0]
    # Which image of the batch each patch is of, as one more entry of it.
    images = torch.arange(len(placed), device=placed.device) * samples // max(1, len(placed))
    images = images.to(placed.dtype).reshape(-1, *[1] * (placed.ndim - 1))
    usable = _whole(torch.cat([placed, images.expand(*placed.shape[:-1], 1)], dim=-1))
    rows = usable.reshape(-1, entries + 1)
    chosen = rows[random_rows(usable.shape[:-1], max(1, MAX_PATCH_FLOATS // entries), rows.device)]
    is_image = (
        first is not None
        and x.shape == first.shape
        and bool(((x == first) | (x.isnan() & first.isnan())).all())
    )
    if is_image and layer.kind == "linear" and fold is None and x.ndim == 2:
        fold = picture_of_rows(x[:_MAX_MAPS].float().cpu().numpy())
    return Observation(
        layer=layer.name,
        samples=samples,
        edges=edges,
        counts=counts,
        outside_domain=share(lo, hi),
        outside_extent=share(low, high),
        patches=chosen[:, :-1].cpu().numpy(),
        maps=None if maps is None else maps[:_MAX_MAPS].cpu().numpy(),
        is_image=is_image,
        nan_inputs=int(x.isnan().sum()),
        images=chosen[:, -1].long().cpu().numpy(),
        fold=fold if fold is not None and math.prod(fold) == layer.shape[1] else None,
    )


def patches_of(layer: LayerFunctions, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return ``(images, *positions, entries)`` and, for a convolution, the input maps."""
    if layer.kind == "linear":
        return x, None
    if layer.kind == "elementwise":
        return layer.by_group(x), None
    settings = layer.conv or ConvSettings()
    kh, kw = layer.shape[2:]
    if x.ndim == 3:
        x = x.unsqueeze(0)
    # Where β is padded and not x, no function takes anything in over the border.
    wide = padded(settings, x, float("nan") if settings.pads_basis else None)
    if settings.shared:  # each channel is an image of its own
        wide = wide.flatten(0, 1).unsqueeze(1)
    unfolded = F.unfold(wide, (kh, kw), settings.dilation, 0, settings.stride)
    width = (wide.shape[-1] - settings.dilation[1] * (kw - 1) - 1) // settings.stride[1] + 1
    return unfolded.transpose(1, 2).reshape(len(wide), -1, width, unfolded.shape[1]), x


def _whole(placed: Tensor) -> Tensor:
    """Return the patches whose inputs are finite, as they lie where only the border has others."""
    usable = placed.isfinite().all(-1)
    if usable.ndim == 3:
        anywhere = usable.any(0)
        rows, columns = anywhere.any(1), anywhere.any(0)
        placed, usable = placed[:, rows][:, :, columns], usable[:, rows][:, :, columns]
    return placed if usable.all() else placed[usable]


# -- which feature map a flat tensor was ---------------------------------------------------------

_FLATTENS = {"flatten", "reshape", "view"}
# What leaves each number at its place.
_POINTWISE = (
    {"add", "sub", "mul", "div", "true_divide", "clamp", "clip", "dropout"}
    | {"relu", "relu_", "leaky_relu", "elu", "gelu", "silu", "hardtanh", "tanh", "sigmoid"}
    | {"batch_norm", "layer_norm", "contiguous", "clone", "detach", "float", "double", "to"}
)


class Folding(TorchFunctionMode):
    """While it is entered, flattened images and feature maps remember their shape.

    It looks on: every function is called as it would be without.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function, and note where a map's pixels went."""
        x = args[0] if args and isinstance(args[0], Tensor) else None
        shape, fold = ((), None) if x is None else (tuple(x.shape), fold_of(x))
        result = func(*args, **(kwargs or {}))
        if x is not None and isinstance(result, Tensor) and result.ndim == 2:
            name = getattr(func, "__name__", "")
            if name in _FLATTENS and len(shape) == 4 and len(result) == shape[0]:
                # Positions are known in two orders of axes: torch's usual one and channels-last.
                dense = x.is_contiguous(memory_format=torch.channels_last)
                dense = dense or x.is_contiguous() or x.permute(0, 3, 1, 2).is_contiguous()
                fold = shape[1:] if dense else None
            elif tuple(result.shape) != shape or name not in _POINTWISE | _FLATTENS:
                fold = None
            if fold is not None:
                result._kan_fold = fold  # type: ignore[attr-defined]
        return result


def fold_of(values: Tensor) -> tuple[int, int, int] | None:
    """Return channels, height and width of the map that a tensor ``(n, features)`` was."""
    return getattr(values, "_kan_fold", None)
