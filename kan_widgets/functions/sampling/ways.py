"""How a module that nobody knows can be run: what shape of inputs it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.functions.attributes import INPUT_NAMES
from kan_widgets.nn.bases.basis import Interval

_GRID = re.compile(r"grid|knot|cent(er|re)s?$")
_MOST_SHAPES = 8
# Inputs to run where many are wanted, and numbers in them.
_MOST_INPUTS, _MOST_NUMBERS = 4096, 2_000_000
USUAL = (-2.0, 2.0)
NO_SHAPE = "no shape of input was found that it takes: kw.bind(model, example=batch) shows one"


@dataclass(frozen=True)
class Way:
    """How a module can be run as a sum of functions of its inputs.

    Parameters
    ----------
    shape
        Of one input, without the batch.
    inputs
        How many numbers one sum takes in: features, or channels times entries of a kernel. With
        ``beside`` twice as many, those of the norm first.
    domain, extent
        Where the functions are meant for, and where to look at them.
    before
        The norm that the input passes first, by name; or empty.
    beside
        Whether the input itself is taken in too, beside what the norm makes of it.
    given
        Inputs that it was really given, ``(n, numbers of one input)``, or of a convolution patches
        of them; ``None`` where none are known.
    after
        Norms and activations that the sum passes, the last one first.
    kernel, stride, padding, dilation
        Of a convolution; ``kernel`` is ``None`` for others. ``padding`` as `ConvSettings` has it.
    line
        Whether it is a convolution over one dimension, ``shape`` being (channels, length).
    border
        What a convolution pads: ``"x"``, ``"basis"`` (see `ConvSettings`), ``"constants"`` if it is
        the basis, and functions are not 0 at x = 0, or ``"unknown"``.
    why
        Why no adapter reads it, for a person to read.
    """

    shape: tuple[int, ...]
    inputs: int
    domain: Interval
    extent: Interval
    before: str = ""
    after: tuple[str, ...] = ()
    kernel: tuple[int, int] | None = None
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    line: bool = False
    border: str = "x"
    why: str = ""
    beside: bool = False
    given: Tensor | None = field(default=None, compare=False)

    @property
    def width(self) -> int:
        """How many numbers one input has."""
        return int(torch.Size(self.shape).numel())


def ways_of(run: nn.Module, given: Tensor | None = None) -> Iterator[Way]:
    """Yield the ways in which a module runs, likely ones first; norms are not looked at.

    Of what it was ``given`` the shape is known, and functions take in such numbers.
    """
    domain, extent = interval_of(run)
    kernel = pair_of(setting_in(run, "kernel_size", None))
    if given is not None:
        yield from _as_given(run, given, kernel, domain, extent)
        return
    named, others = _sizes(run)
    # A size that it names itself holds; any other that runs may do so by chance.
    for sizes in (*([size] for size in named), others):
        ran = [
            way
            for size in sizes
            for way in _shapes(run, size, kernel, domain, extent)
            if _runs(run, way)
        ]
        yield from ran[:_MOST_SHAPES]
        if ran:
            return


def _as_given(
    run: nn.Module,
    given: Tensor,
    kernel: tuple[int, int] | None,
    domain: Interval,
    extent: Interval,
) -> Iterator[Way]:
    """Yield the ways to take what a module was given: as maps, or as features of tokens."""
    if given.ndim > 2:
        for way in _shapes(run, given.shape[1], kernel, domain, extent):
            if way.kernel is not None and len(way.shape) == given.ndim - 1 and _runs(run, way):
                yield replace(way, given=_patches_of(given, way))
    columns = given.shape[2:] == (1,)
    if _has_kernels(run) and not columns:
        return  # on a single place each kernel would be its centre alone
    size = given.shape[1] if columns else given.shape[-1]
    features = [way for way in _features(size, domain, extent) if _runs(run, way)]
    # Tokens are run one by one where that goes: they are then inputs of their own.
    rows = given.reshape(-1, size)
    yield from (replace(way, given=_some(rows)) for way in features[:1])


def _patches_of(given: Tensor, way: Way) -> Tensor:
    """Return patches of maps without what is padded, ``(n, channels times entries)``."""
    assert way.kernel is not None
    maps = given.unsqueeze(2) if way.line else given
    patches = F.unfold(maps.float(), way.kernel, way.dilation, 0, way.stride)
    return _some(patches.transpose(1, 2).flatten(0, 1))


def _some(rows: Tensor) -> Tensor:
    """Return rows spread over all of them, a copy, on the CPU and no more than are looked at."""
    rows = rows.detach().to("cpu", torch.float32)
    step = max(1, len(rows) // how_many(max(1, rows.shape[1])))
    return rows[::step].clone()


def how_many(numbers: int) -> int:
    """Return how many inputs of so many numbers each to run where many are wanted."""
    return max(32, min(_MOST_INPUTS, _MOST_NUMBERS // numbers))


def _shapes(
    run: nn.Module, size: int, kernel: tuple[int, int] | None, domain: Interval, extent: Interval
) -> Iterator[Way]:
    if kernel is not None and _is_line(run):
        (_, k), (_, s), (_, p), (_, d) = (
            pair_of(setting_in(run, name, default)) or (default, default)
            for name, default in (
                ("kernel_size", 1),
                ("stride", 1),
                ("padding", 0),
                ("dilation", 1),
            )
        )
        # Two outputs each way, as below.
        row: tuple[int, ...] = (size, -(-p // s) * s - p + d * (k - 1) + 1 + s)
        more = ((1, s), (p, p, 0, 0), (1, d))
        yield Way(row, size * k, domain, extent, "", (), (1, k), *more, line=True)
    elif kernel is not None:
        stride, padding, dilation = (
            pair_of(setting_in(run, name, default)) or (default, default)
            for name, default in (("stride", 1), ("padding", 0), ("dilation", 1))
        )
        reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
        first = [-(-p // s) * s - p for p, s in zip(padding, stride, strict=True)]
        # Two outputs each way: some norms refuse a single one.
        sides = tuple(a + r + s for a, r, s in zip(first, reach, stride, strict=True))
        pads = (padding[1], padding[1], padding[0], padding[0])
        numbers = size * kernel[0] * kernel[1]
        shape = (size, *sides)
        yield Way(shape, numbers, domain, extent, "", (), kernel, stride, pads, dilation)
    if not _has_kernels(run):  # on a single place each kernel would be its centre alone
        yield from _features(size, domain, extent)


def _features(size: int, domain: Interval, extent: Interval) -> Iterator[Way]:
    yield Way((size,), size, domain, extent)
    yield Way((1, size), size, domain, extent)
    if size > 1:
        yield Way((size, 1), size, domain, extent)


def _is_line(run: nn.Module) -> bool:
    """Say whether its convolutions go over one dimension."""
    parts = list(run.modules())
    flat = any(isinstance(part, nn.Conv2d | nn.Conv3d) for part in parts)
    return not flat and any(isinstance(part, nn.Conv1d) for part in parts)


def _has_kernels(run: nn.Module) -> bool:
    """Say whether a convolution in it takes in more than one place at once."""
    kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    sizes = [part.kernel_size for part in run.modules() if isinstance(part, kinds)]
    return any(size != 1 for own in (*sizes, _numbers(run, "kernel_size")) for size in own)


def _numbers(run: nn.Module, name: str) -> tuple[int, ...]:
    value = vars(run).get(name, vars(run).get(f"_{name}", ()))
    found = value if isinstance(value, tuple | list) else (value,)
    return tuple(each for each in found if type(each) is int)


def _sizes(run: nn.Module) -> tuple[list[int], list[int]]:
    """Return what may be the number of inputs: as it is named, and as tensors have it."""
    own = {name.lstrip("_"): value for name, value in vars(run).items()}
    named = [size for name in INPUT_NAMES if type(size := own.get(name)) is int]
    weights = sorted((p for p in run.parameters() if p.ndim > 1), key=lambda p: -p.numel())
    sizes = [size for weight in weights[:4] for size in weight.shape]
    layered = [size for weight in weights[:2] for size in _flattened(weight)]
    least = 1 if _has_kernels(run) else 2  # an image may have one channel
    others = [size for size in dict.fromkeys((*sizes, *layered)) if least <= size <= 8192]
    return [size for size in dict.fromkeys(named) if size >= 1], others[: 2 * _MOST_SHAPES]


def _flattened(weight: Tensor) -> list[int]:
    """Return divisors of a weight's sides, where inputs times basis functions lie in one."""
    return [
        side // nb
        for side in (weight.shape[1], weight.shape[0])
        for nb in range(2, 17)
        if side % nb == 0
    ]


def setting_in(run: nn.Module, name: str, default: Any = None) -> Any:
    """Return a setting of a convolution, of the module itself or of one inside it."""
    kinds = (nn.Conv2d, nn.Conv1d, nn.Unfold)
    inside = [run, *(part for part in run.modules() if isinstance(part, kinds))]
    names = [each for each in (name, f"_{name}") for part in inside if each in vars(part)]
    found = [vars(part)[each] for part in inside for each in names if each in vars(part)]
    return found[0] if found else default


def pair_of(value: Any) -> tuple[int, int] | None:
    """Return a setting for both directions; ``None`` if it is none."""
    if type(value) is int:
        return value, value
    if isinstance(value, tuple | list) and len(value) == 1 and type(value[0]) is int:
        return value[0], value[0]
    if isinstance(value, tuple | list) and len(value) == 2 and all(type(v) is int for v in value):
        return value[0], value[1]
    return None


def interval_of(run: nn.Module) -> tuple[Interval, Interval]:
    """Return the range of a grid, and somewhat more; −2 to 2 where there is none."""
    given = vars(run).get("grid_range")
    grids = [
        tensor
        for name, tensor in (*run.named_buffers(), *run.named_parameters())
        if _GRID.search(name.rpartition(".")[2].lower())
        and tensor.is_floating_point()
        and tensor.numel() > 1
    ]
    if isinstance(given, tuple | list) and len(given) == 2:
        low, high = float(given[0]), float(given[1])
    elif grids:
        low, high = float(grids[0].min()), float(grids[0].max())
    else:
        return USUAL, USUAL
    if not -1e3 < low < high < 1e3:
        return USUAL, USUAL
    room = (high - low) / 2
    return (low, high), (min(low - room, -1.0), max(high + room, 1.0))


def _runs(run: nn.Module, way: Way) -> bool:
    like = like_of(run)
    try:
        y = computed(run(torch.zeros(3, *way.shape).to(like)))
    except Exception:
        return False
    if not isinstance(y, Tensor) or len(y) != 3:
        return False
    if way.kernel is not None:
        return y.ndim == len(way.shape) + 1
    if way.shape[1:] == (1,):
        return y.ndim == 3 and y.shape[2] == 1
    return y.ndim == len(way.shape) + 1 and y.shape[1:-1] == way.shape[:-1]


def like_of(run: nn.Module) -> Tensor:
    """Return a tensor of the type that a module computes in, on its device."""
    tensors = (*run.parameters(), *run.buffers())
    return next((each for each in tensors if each.is_floating_point()), torch.zeros(()))


def computed(out: Any) -> Any:
    """Return what a module computes; pykan's layers return more beside it."""
    return out[0] if isinstance(out, tuple) and out else out
