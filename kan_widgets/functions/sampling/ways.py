"""How a module that nobody knows is run: what inputs it takes, and the sums it makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.functions.attributes import INPUT_NAMES
from kan_widgets.functions.layer import as_rows
from kan_widgets.functions.plain import ConvSettings
from kan_widgets.functions.undisturbed import like_of
from kan_widgets.nn.bases.basis import Interval

_GRID = re.compile(r"grid|knot|cent(er|re)s?$")
_MOST_SHAPES = 8
# Inputs to run where many are wanted, and numbers in them.
_MOST_INPUTS, _MOST_NUMBERS = 4096, 2_000_000
USUAL = (-2.0, 2.0)
_NORM = re.compile(r"Norm")
_AFTER = re.compile(r"Norm|ReLU|SiLU|GELU|ELU|Tanh|Sigmoid|Softplus|Hardswish|Mish|Dropout")
_NORMED = (-4.0, 4.0)
"""Where to look at functions of what a norm makes."""
# Of inputs so many are looked at, and somewhat more: not as far as the very last one of thousands.
_MOST, _ROOM = (0.0002, 0.9998), 0.1
NO_SHAPE = "no shape of input was found that it takes: kw.bind(model, example=batch) shows one"


@dataclass(frozen=True)
class Way:
    """How a module can be run as a sum of functions of its inputs."""

    shape: tuple[int, ...]
    """Of one input, without the batch."""
    domain: Interval
    """Where the functions are meant for."""
    extent: Interval
    """Where to look at them."""
    kernel: tuple[int, int] | None = None
    """Of a convolution; ``None`` for others."""
    conv: ConvSettings = field(default_factory=ConvSettings)
    line: bool = False
    """Whether a convolution goes over one dimension, ``shape`` being (channels, length)."""
    border: bool = True
    """Whether it is known what it adds up where its kernels reach beyond the border."""
    before: str = ""
    """The name of the norm that the input passes first."""
    after: tuple[str, ...] = ()
    """Names of the norms and activations that the sum passes, the last one first."""
    beside: bool = False
    """Whether the input itself is taken in too, beside what the norm before makes of it."""
    given: Tensor | None = field(default=None, compare=False)
    """Inputs that it was really given, ``(n, numbers of one input)``, or patches of them."""
    why: str = ""
    """Why no adapter reads it, for a person to read."""

    @property
    def width(self) -> int:
        """How many numbers one input has."""
        return int(torch.Size(self.shape).numel())

    @property
    def view(self) -> Callable[[Tensor], Tensor] | None:
        """How what passes becomes maps, as a `Tap` has it."""
        return as_rows if self.line else None

    @property
    def inputs(self) -> int:
        """How many numbers one sum takes in; with ``beside`` twice, those of the norm first."""
        kernel = self.kernel
        own = self.width if kernel is None else self.shape[0] * kernel[0] * kernel[1]
        return own * (1 + self.beside)

    def drawn(self) -> Tensor:
        """Return inputs from the domain and from the extent, half each."""
        generator = torch.Generator().manual_seed(2)
        known = 0 if self.given is None else len(self.given)
        count = max(32, how_many(self.width) - known)
        x = torch.rand(count, *self.shape, generator=generator)
        half = len(x) // 2
        for part, (low, high) in ((x[:half], self.domain), (x[half:], self.extent)):
            part.mul_(high - low).add_(low)
        return x


def how_many(numbers: int) -> int:
    """Return how many inputs of so many numbers each to run where many are wanted."""
    return max(32, min(_MOST_INPUTS, _MOST_NUMBERS // numbers))


def ways_of(run: nn.Module, given: Tensor | None = None) -> Iterator[Way]:
    """Yield the ways in which a module runs, likely ones first; norms are not looked at.

    Of what it was ``given`` the shape is known, and functions take in such numbers.
    """
    if given is not None:
        yield from _as_given(run, given)
        return
    # A size that it names itself holds; any other that runs may do so by chance.
    for sizes in _sizes(run):
        ran = [
            way
            for size in sizes
            for way in (*_maps(run, size), *_features(run, size))
            if _runs(run, way)
        ]
        yield from ran[:_MOST_SHAPES]
        if ran:
            return


def _as_given(run: nn.Module, given: Tensor) -> Iterator[Way]:
    """Yield the ways to take what a module was given: as maps, or as features of tokens."""
    for way in _maps(run, given.shape[1]) if given.ndim > 2 else ():
        if len(way.shape) == given.ndim - 1 and _runs(run, way):
            assert way.kernel is not None
            maps = as_rows(given) if way.line else given
            pads = way.conv.padding[::-2]
            patches = F.unfold(maps.float(), way.kernel, way.conv.dilation, pads, way.conv.stride)
            yield replace(way, given=_some(patches.transpose(1, 2).flatten(0, 1)))
    columns = given.shape[2:] == (1,)
    size = given.shape[1] if columns else given.shape[-1]
    # Tokens are run one by one where that goes: they are then inputs of their own.
    for way in _features(run, size, columns=columns):
        if _runs(run, way):
            return (yield replace(way, given=_some(given.reshape(-1, size))))


def _some(rows: Tensor) -> Tensor:
    """Return rows spread over all of them, a copy, on the CPU and no more than are looked at."""
    rows = rows.detach().to("cpu", torch.float32)
    step = max(1, len(rows) // how_many(max(1, rows.shape[1])))
    return rows[::step].clone()


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
    yield Way((channels, *sides[line:]), *interval_of(run), kernel, conv, line)


def _features(run: nn.Module, size: int, *, columns: bool = False) -> Iterator[Way]:
    """Yield the ways to take features; none if each kernel would be its centre alone."""
    if columns or not _has_kernels(run):
        for shape in ((size,), (1, size), (size, 1))[: 3 if size > 1 else 2]:
            yield Way(shape, *interval_of(run))


def convolution_in(run: nn.Module) -> tuple[tuple[int, int] | None, ConvSettings, bool]:
    """Return the settings of a convolution, and whether it goes over one dimension.

    They are those of the module itself or of one inside it; without a kernel there are none.
    """
    kinds = (nn.Conv2d, nn.Conv1d, nn.Unfold)
    parts = list(run.modules())
    inside = [run, *(part for part in parts if isinstance(part, kinds))]
    flat = any(isinstance(part, nn.Conv2d | nn.Conv3d) for part in parts)
    line = not flat and any(isinstance(part, nn.Conv1d) for part in parts)

    def pair(name: str, default: int) -> tuple[int, int]:
        found = [vars(p)[n] for p in inside for n in (name, f"_{name}") if n in vars(p)]
        value = found[0] if found else default
        sizes = value if isinstance(value, tuple | list) else (value,)
        if {type(size) for size in sizes} != {int} or len(sizes) > 2:
            sizes = (default,)
        return (int(name != "padding"), sizes[-1]) if line else (sizes[0], sizes[-1])

    kernel, stride, dilation = pair("kernel_size", 0), pair("stride", 1), pair("dilation", 1)
    top, left = pair("padding", 0)
    settings = ConvSettings(stride, (left, left, top, top), dilation)
    return kernel if kernel[1] else None, settings, line


def _has_kernels(run: nn.Module) -> bool:
    """Say whether a convolution in it takes in more than one place at once."""
    kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    sizes: list[Any] = [part.kernel_size for part in run.modules() if isinstance(part, kinds)]
    own = vars(run).get("kernel_size", vars(run).get("_kernel_size", ()))
    sizes.append(own if isinstance(own, tuple | list) else (own,))
    return any(type(size) is int and size != 1 for each in sizes for size in each)


def _sizes(run: nn.Module) -> list[list[int]]:
    """Return what may be the number of inputs: as it is named, one each, and as tensors have it."""
    own = {name.lstrip("_"): value for name, value in vars(run).items()}
    named = [size for name in INPUT_NAMES if type(size := own.get(name)) is int]
    weights = sorted((p for p in run.parameters() if p.ndim > 1), key=lambda p: -p.numel())
    sizes = [size for weight in weights[:4] for size in weight.shape]
    # Inputs times basis functions may lie in one dimension.
    sizes += [
        side // nb
        for weight in weights[:2]
        for side in (weight.shape[1], weight.shape[0])
        for nb in range(2, 17)
        if side % nb == 0
    ]
    least = 1 if _has_kernels(run) else 2  # an image may have one channel
    others = [size for size in dict.fromkeys(sizes) if least <= size <= 8192]
    return [*([size] for size in dict.fromkeys(named) if size >= 1), others[: 2 * _MOST_SHAPES]]


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
    low, high = (float(each) for each in grids[0].aminmax()) if grids else (0.0, 0.0)
    if isinstance(given, tuple | list) and len(given) == 2:
        low, high = float(given[0]), float(given[1])
    if not -1e3 < low < high < 1e3:
        return USUAL, USUAL
    room = (high - low) / 2
    return (low, high), (min(low - room, -1.0), max(high + room, 1.0))


def _runs(run: nn.Module, way: Way) -> bool:
    try:
        y = computed(run(torch.zeros(3, *way.shape).to(like_of(run))))
    except Exception:
        return False
    if not isinstance(y, Tensor) or len(y) != 3 or y.ndim != len(way.shape) + 1:
        return False
    if way.kernel is not None:
        return True
    return y.shape[2] == 1 if way.shape[1:] == (1,) else y.shape[1:-1] == way.shape[:-1]


def computed(out: Any) -> Any:
    """Return what a module computes; pykan's layers return more beside it."""
    return out[0] if isinstance(out, tuple) and out else out


class Probe:
    """Gives the sums of a module in evaluation mode for any inputs of its functions."""

    def __init__(self, run: nn.Module, way: Way) -> None:
        self.run, self.way = run, way
        self._like = like_of(run)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the sums for inputs ``(n, inputs)``: ``(n, out)``, in double precision.

        A norm that comes before is left out.
        """
        if not self.way.beside:
            return self._passed(self._embedded(x), lambda given, out: given)[1]
        normed, own = (self._embedded(half) for half in x.chunk(2, dim=1))
        return self._passed(own, lambda given, out: normed)[1]

    def as_it_is(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Run it with its norm on inputs that it was really given, if any, and on others.

        Yielded are what functions take in, ``(n, inputs)``, and the sums.
        """
        given = self.way.given
        for x in (*([] if given is None else [self._embedded(given)]), self.way.drawn()):
            parts = [self._passed(p.to(self._like), lambda given, out: out) for p in x.split(512)]
            taken, sums = zip(*parts, strict=True)
            yield torch.cat(taken), torch.cat(sums)

    def _passed(self, x: Tensor, norm: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Run it, with another output of the norm before; return what is taken in, and the sums."""
        way, found = self.way, {"normed": x}

        def before(part: nn.Module, given: tuple[Any, ...], out: Any) -> Any:
            found["normed"] = norm(given[0], out)
            return found["normed"]

        def keep(part: nn.Module, given: tuple[Any, ...]) -> None:
            found["y"] = given[0]

        handles = []
        if way.before:
            handles.append(self.run.get_submodule(way.before).register_forward_hook(before))
        if way.after:
            part = self.run.get_submodule(way.after[-1])
            handles.append(part.register_forward_pre_hook(keep))
        with _removed(handles):
            out = computed(self.run(x))
        taken = self._patches(found["normed"])
        if way.beside:
            taken = torch.cat([taken, self._patches(x)], dim=1)
        return taken, self._sums(found.get("y", out))

    def _sums(self, y: Tensor) -> Tensor:
        if y.is_complex():
            raise ValueError("it computes complex numbers")
        y = y.detach().to("cpu", torch.float64)
        if self.way.kernel is None:
            return y.flatten(1)
        row, column = self._first_patch()[1]
        return (as_rows(y) if self.way.line else y)[:, :, row, column]

    def _patches(self, x: Tensor) -> Tensor:
        x = x.detach().to("cpu", torch.float64)
        return x.flatten(1) if self.way.kernel is None else self._patch_in(x).flatten(1)

    def _embedded(self, x: Tensor) -> Tensor:
        if self.way.kernel is None:
            return x.reshape(-1, *self.way.shape).to(self._like)
        images = torch.zeros(len(x), *self.way.shape, dtype=x.dtype)
        patch = self._patch_in(images)
        patch.copy_(x.reshape(patch.shape))
        return images.to(self._like)

    def _patch_in(self, maps: Tensor) -> Tensor:
        """Return the first patch without padding, a view ``(n, channels, kh, kw)``."""
        (kh, kw), (top, left) = self.way.kernel, self._first_patch()[0]  # type: ignore[misc]
        dy, dx = self.way.conv.dilation
        maps = as_rows(maps) if self.way.line else maps
        return maps[:, :, top::dy, left::dx][:, :, :kh, :kw]

    def _first_patch(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return where the first patch without padding begins, and its place in the output."""
        (left, _, top, _), (sy, sx) = self.way.conv.padding, self.way.conv.stride
        row, column = -(-top // sy), -(-left // sx)
        return (row * sy - top, column * sx - left), (row, column)


def with_norms(run: nn.Module, way: Way) -> Way:
    """Find the norm that the input passes first, and what the sum passes last.

    Where the input is taken in beside the norm too, its functions are sampled apart: what the norm
    makes then counts as inputs of its own. They are sampled where what they take in lies, if any of
    that is known; a grid says where functions are meant for, and they are looked at beyond it too.
    """
    x = torch.rand(3, *way.shape, generator=torch.Generator().manual_seed(1)).to(like_of(run))
    passed: list[tuple[str, nn.Module, Tensor, Tensor]] = []

    def note(name: str) -> Any:
        def hook(part: nn.Module, given: tuple[Any, ...], out: Any) -> None:
            if given and isinstance(given[0], Tensor) and isinstance(out, Tensor):
                passed.append((name, part, given[0], out))

        return hook

    leaves = [(n, part) for n, part in run.named_modules() if n and not list(part.children())]
    with _removed([part.register_forward_hook(note(name)) for name, part in leaves]):
        y = computed(run(x))
    after = []
    for name, part, given, out in reversed(passed):
        if not _same(out, y):
            continue
        if not _AFTER.search(type(part).__name__) or given.shape != y.shape:
            break
        after.append(name)
        y = given
    way = replace(way, after=tuple(after))
    for name, part, given, _ in passed:
        if name not in after and _NORM.search(type(part).__name__) and _same(given, x):
            # Does it depend on its input where the norm's output does not?
            with _removed([part.register_forward_hook(lambda *given: torch.zeros_like(given[2]))]):
                y, other = computed(run(x)), computed(run(x.flip(0)))
            beside = not torch.allclose(y, other, atol=1e-6 * float(y.abs().max()))
            way = replace(way, before=name, beside=beside, domain=USUAL, extent=_NORMED)
            break
    if way.given is None:
        return way
    x = next(Probe(run, way).as_it_is())[0]
    x = x[x.isfinite()][: 2**23]
    low, high = x.quantile(torch.tensor(_MOST, dtype=x.dtype)).tolist() if len(x) else (0, 0)
    if not low < high:
        return way
    room = _ROOM * (high - low)
    if way.extent in (USUAL, _NORMED):
        return replace(way, domain=(low, high), extent=(low - room, high + room))
    least, most = way.extent
    return replace(way, extent=(min(least, low - room), max(most, high + room)))


@contextmanager
def _removed(handles: list[Any]) -> Iterator[None]:
    """Take hooks away at the end."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and (a is b or torch.equal(a, b))
