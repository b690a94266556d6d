"""Which inputs an unknown module takes, and where they lie."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.functions.layer import as_rows
from kan_widgets.functions.layer_settings import ConvSettings
from kan_widgets.functions.undisturbed import like_of
from kan_widgets.nn.bases.basis import Ends

# How people call the number of inputs of a layer.
INPUT_NAMES = (
    "in_features in_channels input_dim inputdim in_dim input_size in_size indim n_in d_in "
    "num_inputs input_features inputs in_planes in_chans dim"
).split()
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_MAX_SHAPES = 8
MAX_INPUTS = 4096  # to run
_MAX_NUMBERS = 2_000_000  # in the inputs that are run
MIN_INPUTS = 32  # to run, however many numbers these have
_USUAL_RANGE = (-2.0, 2.0)  # the interval of functions of which nothing is known
_ENDS = (0.0002, 0.9998)  # the quantiles of inputs between which functions lie
_ROOM = 0.1  # added at either end, relative to the interval between them
_MAX_PLACED = 250_000  # inputs that quantiles are computed of


@dataclass(frozen=True)
class Way:
    """How a module can be run as a sum of functions of its inputs."""

    shape: tuple[int, ...]
    """Shape of one input, without the batch."""
    interval: Ends = _USUAL_RANGE
    """Interval over which the functions are looked at."""
    kernel: tuple[int, int] | None = None
    """Kernel size of a convolution; ``None`` for others."""
    conv: ConvSettings = field(default_factory=ConvSettings)
    line: bool = False
    """Whether a convolution goes over one dimension, ``shape`` being (channels, length)."""
    border: bool = True
    """Whether it is known what is added up where kernels reach beyond the border."""
    before: str = ""
    """The name of the norm that the input passes first."""
    after: tuple[str, ...] = ()
    """Names of the norms and activations that the sum passes, the last one first."""
    beside: bool = False
    """Whether the input itself is taken in too, beside what the norm before makes of it."""
    examples: Tensor | None = field(default=None, compare=False)
    """Inputs really given to the module, ``(n, numbers of one input)``, or patches of them."""
    why: str = ""
    """Why no adapter reads the module, for a person to read."""

    @property
    def view(self) -> Callable[[Tensor], Tensor] | None:
        """What makes maps of the tensors that pass, the ``view`` of a `Tap`."""
        return as_rows if self.line else None

    @property
    def inputs(self) -> int:
        """How many numbers one sum takes in; with ``beside`` twice as many, the norm's first."""
        kernel = self.kernel
        own = torch.Size(self.shape if kernel is None else (self.shape[0], *kernel)).numel()
        return own * (1 + self.beside)

    @property
    def channels(self) -> int:
        """How many inputs a function of one place in a kernel may take."""
        return self.inputs if self.kernel is None else self.shape[0]

    def how_many(self, passes: int = 1) -> int:
        """Return how many inputs to run where many are wanted, each in ``passes`` passes."""
        numbers = passes * torch.Size(self.shape).numel()
        return max(MIN_INPUTS, min(MAX_INPUTS, _MAX_NUMBERS // numbers))

    def random(self, count: int, shape: tuple[int, ...] | None = None) -> Tensor:
        low, high = self.interval
        generator = torch.Generator().manual_seed(0)
        return low + (high - low) * torch.rand(count, *(shape or self.shape), generator=generator)

    def where(self, x: Tensor) -> "Way":
        """Return the way with the interval in which most of ``x`` lies."""
        x = x[x.isfinite()]
        x = x[:: 1 + len(x) // _MAX_PLACED]
        low, high = x.quantile(torch.tensor(_ENDS, dtype=x.dtype)).tolist() if len(x) else (0, 0)
        room = _ROOM * (high - low)
        return replace(self, interval=(low - room, high + room)) if low < high else self


def ways_of(run: nn.Module, examples: Tensor | None = None) -> Iterator[Way]:
    """Yield the ways in which a module runs, likely ones first; norms are not looked at.

    The shape of ``examples`` is known, and functions take in such numbers.
    """
    if examples is None:
        # A size that the module names holds; any other may run by chance.
        for sizes in _sizes(run):
            ways = (way for size in sizes for way in (*_maps(run, size), *_features(run, size)))
            if ran := [way for way in ways if _runs(run, way)]:
                yield from ran[:_MAX_SHAPES]
                return
        return
    for way in _maps(run, examples.shape[1]) if examples.ndim > 2 else ():
        if len(way.shape) == examples.ndim - 1 and _runs(run, way):
            assert way.kernel is not None
            maps = as_rows(examples) if way.line else examples
            pads = way.conv.padding[::-2]
            patches = F.unfold(maps.float(), way.kernel, way.conv.dilation, pads, way.conv.stride)
            yield _with_examples(way, patches.transpose(1, 2).flatten(0, 1))
    columns = examples.shape[2:] == (1,)
    size = examples.shape[1] if columns else examples.shape[-1]
    # Tokens are run one by one where that goes: they are then inputs of their own.
    for way in _features(run, size, columns=columns):
        if _runs(run, way):
            yield _with_examples(way, examples.reshape(-1, size))
            return


def _with_examples(way: Way, rows: Tensor) -> Way:
    """Return the way with rows of examples on the CPU: as many as are run, spread over all."""
    rows = rows.detach().to("cpu", torch.float32)
    return replace(way, examples=rows[:: max(1, len(rows) // way.how_many())].clone())


def _maps(run: nn.Module, channels: int) -> Iterator[Way]:
    """Yield the way to take maps, if a module has the settings of a convolution."""
    kernel, conv, line = convolution_in(run)
    if kernel is None:
        return
    # Two outputs each way: some norms refuse a single one.
    sides = tuple(
        -(-p // s) * s - p + d * (k - 1) + 1 + s
        for k, s, p, d in zip(kernel, conv.stride, conv.padding[::-2], conv.dilation, strict=True)
    )
    yield Way((channels, *sides[line:]), _USUAL_RANGE, kernel, conv, line)


def _features(run: nn.Module, size: int, *, columns: bool = False) -> Iterator[Way]:
    """Yield the ways to take features; none if each kernel would be its centre alone."""
    if columns or not _has_kernels(run):
        for shape in ((size,), (1, size), (size, 1))[: 3 if size > 1 else 2]:
            yield Way(shape)


def convolution_in(run: nn.Module) -> tuple[tuple[int, int] | None, ConvSettings, bool]:
    """Return the settings of a convolution, and whether it goes over one dimension.

    The module itself or one inside it has them; without a kernel it is no convolution.
    """
    parts = list(run.modules())
    inside = [run, *(p for p in parts if isinstance(p, nn.Conv2d | nn.Conv1d | nn.Unfold))]
    flat = any(isinstance(part, nn.Conv2d | nn.Conv3d) for part in parts)
    line = not flat and any(isinstance(part, nn.Conv1d) for part in parts)

    def pair(name: str, default: int) -> tuple[int, int]:
        settings = [vars(p)[n] for p in inside for n in (name, f"_{name}") if n in vars(p)]
        value = settings[0] if settings else default
        sizes = value if isinstance(value, tuple | list) else (value,)
        if {type(size) for size in sizes} != {int} or len(sizes) > 2:
            sizes = (default,)
        return (int(name != "padding"), sizes[-1]) if line else (sizes[0], sizes[-1])

    kernel, stride, dilation = pair("kernel_size", 0), pair("stride", 1), pair("dilation", 1)
    top, left = pair("padding", 0)
    settings = ConvSettings(stride, (left, left, top, top), dilation)
    return kernel if kernel[1] else None, settings, line


def _has_kernels(run: nn.Module) -> bool:
    """Say whether a convolution in a module takes in more than one place at once."""
    settings = [vars(p) for p in run.modules() if p is run or isinstance(p, _CONVOLUTIONS)]
    sizes = [own.get("kernel_size", own.get("_kernel_size", 1)) for own in settings]
    lengths = (n for size in sizes for n in (size if isinstance(size, tuple | list) else (size,)))
    return any(type(n) is int and n != 1 for n in lengths)


def _sizes(run: nn.Module) -> list[list[int]]:
    """Return lists of possible numbers of inputs: one for each name, then all of tensors."""
    own = {name.lstrip("_"): value for name, value in vars(run).items()}
    named = [size for name in INPUT_NAMES if type(size := own.get(name)) is int]
    weights = sorted((p for p in run.parameters() if p.ndim > 1), key=lambda p: -p.numel())
    sizes = [size for weight in weights[:4] for size in weight.shape]
    # Inputs times basis functions may lie in one dimension.
    sides = [side for weight in weights[:2] for side in (weight.shape[1], weight.shape[0])]
    sizes += [side // nb for side in sides for nb in range(2, 17) if side % nb == 0]
    least = 1 if _has_kernels(run) else 2  # an image may have one channel
    others = [size for size in dict.fromkeys(sizes) if least <= size <= 8192]
    return [*([size] for size in dict.fromkeys(named) if size >= 1), others[: 2 * _MAX_SHAPES]]


def _runs(run: nn.Module, way: Way) -> bool:
    try:
        y = output_of(run(torch.zeros(3, *way.shape).to(like_of(run))))
    except Exception:
        return False
    if not isinstance(y, Tensor) or len(y) != 3 or y.ndim != len(way.shape) + 1:
        return False
    if way.kernel is not None:
        return True
    return y.shape[2] == 1 if way.shape[1:] == (1,) else y.shape[1:-1] == way.shape[:-1]


def output_of(out: Any) -> Any:
    """Return what a module computes; pykan's layers return more beside it."""
    return out[0] if isinstance(out, tuple) and out else out
