"""How a module that nobody knows is run: what inputs it takes, and the sums it makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.functions.attributes import INPUT_NAMES
from kan_widgets.functions.conv_settings import ConvSettings
from kan_widgets.functions.layer import as_rows
from kan_widgets.functions.undisturbed import like_of
from kan_widgets.nn.bases.basis import Interval

_NORM = re.compile(r"Norm")
_AFTER = re.compile(r"Norm|ReLU|SiLU|GELU|ELU|Tanh|Sigmoid|Softplus|Hardswish|Mish|Dropout")
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_MOST_SHAPES = 8
# Inputs to run where many are wanted, numbers in them, and inputs to run at least.
_MOST_INPUTS, _MOST_NUMBERS, _FEW = 4096, 2_000_000, 32
# Where functions lie of which nothing is known, and those of what a norm makes.
_USUAL, _NORMED = (-2.0, 2.0), (-4.0, 4.0)
# Where so many inputs lie, and somewhat more: not as far as the very last one of thousands.
_MOST, _ROOM, _MOST_PLACED = (0.0002, 0.9998), 0.1, 250_000
# Of the largest value: what inputs may do together, of so many pairs.
_INTERACTION, _PAIRS = 1e-3, 256
# What is so small, of the largest value, is rounding.
ROUNDING, CONSTANT = 2e-6, "it computes a constant"


@dataclass(frozen=True)
class Way:
    """How a module can be run as a sum of functions of its inputs."""

    shape: tuple[int, ...]
    """Of one input, without the batch."""
    interval: Interval = _USUAL
    """Where to look at the functions."""
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
    def view(self) -> Callable[[Tensor], Tensor] | None:
        """How what passes becomes maps, as a `Tap` has it."""
        return as_rows if self.line else None

    @property
    def inputs(self) -> int:
        """How many numbers one sum takes in; with ``beside`` twice, those of the norm first."""
        kernel = self.kernel
        own = torch.Size(self.shape if kernel is None else (self.shape[0], *kernel)).numel()
        return own * (1 + self.beside)

    @property
    def channels(self) -> int:
        """How many inputs a function of one place in a kernel may take."""
        return self.inputs if self.kernel is None else self.shape[0]

    def how_many(self, passes: int = 1) -> int:
        """Return how many inputs to run, so many times, where many are wanted."""
        numbers = passes * torch.Size(self.shape).numel()
        return max(_FEW, min(_MOST_INPUTS, _MOST_NUMBERS // numbers))

    def drawn(self, count: int, shape: tuple[int, ...] | None = None) -> Tensor:
        """Return inputs from the interval."""
        low, high = self.interval
        generator = torch.Generator().manual_seed(0)
        return low + (high - low) * torch.rand(count, *(shape or self.shape), generator=generator)

    def where(self, x: Tensor) -> Way:
        """Return it with functions looked at where some inputs of theirs lie."""
        x = x[x.isfinite()]
        x = x[:: 1 + len(x) // _MOST_PLACED]
        low, high = x.quantile(torch.tensor(_MOST, dtype=x.dtype)).tolist() if len(x) else (0, 0)
        room = _ROOM * (high - low)
        return replace(self, interval=(low - room, high + room)) if low < high else self


def ways_of(run: nn.Module, given: Tensor | None = None) -> Iterator[Way]:
    """Yield the ways in which a module runs, likely ones first; norms are not looked at.

    Of what it was ``given`` the shape is known, and functions take in such numbers.
    """
    if given is None:
        # A size that it names itself holds; any other that runs may do so by chance.
        for sizes in _sizes(run):
            ways = (way for size in sizes for way in (*_maps(run, size), *_features(run, size)))
            if ran := [way for way in ways if _runs(run, way)]:
                yield from ran[:_MOST_SHAPES]
                return
        return
    for way in _maps(run, given.shape[1]) if given.ndim > 2 else ():
        if len(way.shape) == given.ndim - 1 and _runs(run, way):
            assert way.kernel is not None
            maps = as_rows(given) if way.line else given
            pads = way.conv.padding[::-2]
            patches = F.unfold(maps.float(), way.kernel, way.conv.dilation, pads, way.conv.stride)
            yield _with_given(way, patches.transpose(1, 2).flatten(0, 1))
    columns = given.shape[2:] == (1,)
    size = given.shape[1] if columns else given.shape[-1]
    # Tokens are run one by one where that goes: they are then inputs of their own.
    for way in _features(run, size, columns=columns):
        if _runs(run, way):
            yield _with_given(way, given.reshape(-1, size))
            return


def _with_given(way: Way, rows: Tensor) -> Way:
    """Keep rows spread over all, on the CPU, of what is given: no more than are looked at."""
    rows = rows.detach().to("cpu", torch.float32)
    return replace(way, given=rows[:: max(1, len(rows) // way.how_many())].clone())


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
    yield Way((channels, *sides[line:]), _USUAL, kernel, conv, line)


def _features(run: nn.Module, size: int, *, columns: bool = False) -> Iterator[Way]:
    """Yield the ways to take features; none if each kernel would be its centre alone."""
    if columns or not _has_kernels(run):
        for shape in ((size,), (1, size), (size, 1))[: 3 if size > 1 else 2]:
            yield Way(shape)


def convolution_in(run: nn.Module) -> tuple[tuple[int, int] | None, ConvSettings, bool]:
    """Return the settings of a convolution, and whether it goes over one dimension.

    They are those of the module itself or of one inside it; without a kernel there are none.
    """
    parts = list(run.modules())
    inside = [run, *(p for p in parts if isinstance(p, nn.Conv2d | nn.Conv1d | nn.Unfold))]
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
    found = [vars(p) for p in run.modules() if p is run or isinstance(p, _CONVOLUTIONS)]
    sizes = [own.get("kernel_size", own.get("_kernel_size", 1)) for own in found]
    each = (n for size in sizes for n in (size if isinstance(size, tuple | list) else (size,)))
    return any(type(n) is int and n != 1 for n in each)


def _sizes(run: nn.Module) -> list[list[int]]:
    """Return what may be the number of inputs: as it is named, one each, and as tensors have it."""
    own = {name.lstrip("_"): value for name, value in vars(run).items()}
    named = [size for name in INPUT_NAMES if type(size := own.get(name)) is int]
    weights = sorted((p for p in run.parameters() if p.ndim > 1), key=lambda p: -p.numel())
    sizes = [size for weight in weights[:4] for size in weight.shape]
    # Inputs times basis functions may lie in one dimension.
    sides = [side for weight in weights[:2] for side in (weight.shape[1], weight.shape[0])]
    sizes += [side // nb for side in sides for nb in range(2, 17) if side % nb == 0]
    least = 1 if _has_kernels(run) else 2  # an image may have one channel
    others = [size for size in dict.fromkeys(sizes) if least <= size <= 8192]
    return [*([size] for size in dict.fromkeys(named) if size >= 1), others[: 2 * _MOST_SHAPES]]


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


Pair = tuple[Tensor, Tensor]


class Probe:
    """Gives the sums of a module in evaluation mode for any inputs of its functions."""

    def __init__(self, run: nn.Module, way: Way) -> None:
        self.run, self.way = run, way
        self._like = like_of(run)
        (left, _, top, _), (sy, sx) = way.conv.padding, way.conv.stride
        self._place = row, column = -(-top // sy), -(-left // sx)
        """Of the first patch without padding, in the output."""
        self._corner = row * sy - top, column * sx - left

    def __call__(self, x: Tensor) -> Tensor:
        """Return the sums for inputs ``(n, inputs)``: ``(n, out)``, in double precision.

        A norm that comes before is left out.
        """
        if not self.way.beside:
            return self._passed(self._embedded(x), lambda given, out: given)[1]
        normed, own = (self._embedded(half) for half in x.chunk(2, dim=1))
        return self._passed(own, lambda given, out: normed)[1]

    def as_it_is(self, most: int = _MOST_INPUTS, nodes: Sequence[float] = ()) -> Iterator[Pair]:
        """Run it with its norm on inputs that it was really given, if any, and on others.

        Yielded are what functions take in, ``(n, inputs)``, and the sums; of at most so many. Every
        other one of those that are drawn lies halfway between nodes, at kinks above all, where
        these are close.
        """
        given, count = self.way.given, min(most, self.way.how_many())
        known = [] if given is None else [self._embedded(given[:: -(-len(given) // count)])]
        drawn = self.way.drawn(max(min(_FEW, count), count - sum(map(len, known))))
        if nodes:
            pairs, generator = torch.tensor(nodes).unfold(0, 2, 1), torch.Generator().manual_seed(2)
            few = drawn[::2]
            places = torch.multinomial(
                1 / pairs.diff()[:, 0], few.numel(), True, generator=generator
            )
            few.copy_(pairs.mean(1)[places].view(few.shape))
        for x in (*known, drawn):
            parts = [self._passed(p.to(self._like), lambda given, out: out) for p in x.split(512)]
            taken, sums = zip(*parts, strict=True)
            yield torch.cat(taken), torch.cat(sums)

    def _passed(self, x: Tensor, norm: Callable[[Tensor, Tensor], Tensor]) -> Pair:
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
        with removed(handles):
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
        row, column = self._place
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
        (kh, kw), (top, left) = self.way.kernel, self._corner  # type: ignore[misc]
        dy, dx = self.way.conv.dilation
        maps = as_rows(maps) if self.way.line else maps
        return maps[:, :, top::dy, left::dx][:, :, :kh, :kw]


def interaction(probe: Probe) -> str:
    """Say what speaks against a sum of functions of one input each; empty if nothing does."""
    way, count = probe.way, min(_PAIRS, probe.way.how_many(4))
    a, b = way.drawn(2 * count, (way.inputs,)).chunk(2)
    split = torch.rand(a.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    if way.inputs > 1:
        split[:, 0], split[:, 1] = True, False
    parts = [a, b, torch.where(split, a, b), torch.where(split, b, a)]
    try:
        fa, fb, mixed, rest = (probe(part) for part in parts)
        alone = probe(a[:5])
    except Exception as error:
        return f"it does not run by itself ({type(error).__name__}: {error!s:.100})"
    size = float((fa - fa.mean(0)).abs().max())
    if not bool(fa.isfinite().all()):
        return "what it computes is not finite"
    if size <= ROUNDING * float(fa.abs().max()):
        return CONSTANT
    if float((alone - fa[:5]).abs().max()) > _INTERACTION * size:
        return "what it makes of an example depends on the others of its batch"
    together = float((fa + fb - mixed - rest).abs().max()) / size
    if together > _INTERACTION:
        return (
            "it is no sum of functions of one input each: what inputs do together is "
            f"{together:.2g} of what it computes"
        )
    return ""


def with_norms(run: nn.Module, way: Way) -> Way:
    """Find the norm that the input passes first, and what the sum passes last.

    Where the input is taken in beside the norm too, its functions are sampled apart: what the norm
    makes then counts as inputs of its own. Functions lie where what they take in does, if known.
    """
    x = torch.rand(3, *way.shape, generator=torch.Generator().manual_seed(1)).to(like_of(run))
    passed: list[tuple[str, nn.Module, Tensor, Tensor]] = []

    def note(name: str) -> Any:
        def hook(part: nn.Module, given: tuple[Any, ...], out: Any) -> None:
            if given and isinstance(given[0], Tensor) and isinstance(out, Tensor):
                passed.append((name, part, given[0], out))

        return hook

    leaves = [(n, part) for n, part in run.named_modules() if n and not list(part.children())]
    with removed([part.register_forward_hook(note(name)) for name, part in leaves]):
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
            with removed([part.register_forward_hook(lambda *given: torch.zeros_like(given[2]))]):
                y, other = computed(run(x)), computed(run(x.flip(0)))
            beside = not torch.allclose(y, other, atol=1e-6 * float(y.abs().max()))
            way = replace(way, before=name, beside=beside, interval=_NORMED)
            break
    if way.given is None:
        return way
    return way.where(next(Probe(run, way).as_it_is())[0] if way.before else way.given)


@contextmanager
def removed(handles: list[Any]) -> Iterator[None]:
    """Take hooks away at the end."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and (a is b or torch.equal(a, b))
