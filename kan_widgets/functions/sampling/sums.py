"""What an unknown module computes: sums, if it adds up functions, and norms around these."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.layer import Tap, as_rows
from kan_widgets.functions.sampling.inputs import MAX_INPUTS, MIN_INPUTS, Way, output_of
from kan_widgets.functions.undisturbed import like_of, removed, tapped

_NORM = re.compile(r"Norm")
_FOLLOWERS = re.compile(r"Norm|ReLU|SiLU|GELU|ELU|Tanh|Sigmoid|Softplus|Hardswish|Mish|Dropout")
# The interval of functions of a norm's output.
_NORMED_RANGE = (-4.0, 4.0)
# What two inputs may do together, relative to the largest value, and pairs to try.
_INTERACTION, _PAIRS = 1e-3, 256
_STRAIGHT, STRAIGHT = 1e-4, "its functions are straight lines: a plain layer"
# Smaller than this, relative to the largest value, is rounding.
ROUNDING, CONSTANT = 2e-6, "it computes a constant"

InputOutput = tuple[Tensor, Tensor]


class ModuleSums:
    """Gives the sums of a module in evaluation mode for any inputs of its functions."""

    def __init__(self, run: nn.Module, way: Way) -> None:
        self.run, self.way = run, way
        self._like = like_of(run)
        (left, _, top, _), (sy, sx) = way.conv.padding, way.conv.stride
        self._place = row, column = -(-top // sy), -(-left // sx)
        """Place in the output of the first patch without padding."""
        self._corner = row * sy - top, column * sx - left

    def __call__(self, x: Tensor) -> Tensor:
        """Return the sums for inputs ``(n, inputs)``: ``(n, out)``, in double precision.

        A norm that comes before is left out.
        """
        if not self.way.beside:
            return self._passed(self._embedded(x), lambda y, out: y)[1]
        normed, own = (self._embedded(half) for half in x.chunk(2, dim=1))
        return self._passed(own, lambda y, out: normed)[1]

    def as_it_is(
        self, most: int = MAX_INPUTS, nodes: Sequence[float] = ()
    ) -> Iterator[InputOutput]:
        """Run the module with its norm on inputs really given to it, if any, and on random ones.

        Yields what functions take in, ``(n, inputs)``, and the sums, for at most ``most`` inputs.
        Every other random one lies halfway between nodes, most often at kinks, where these are
        close.
        """
        rows, count = self.way.examples, min(most, self.way.how_many())
        real = [] if rows is None else [self._embedded(rows[:: -(-len(rows) // count)])]
        drawn = self.way.random(max(min(MIN_INPUTS, count), count - sum(map(len, real))))
        if nodes:
            pairs, generator = torch.tensor(nodes).unfold(0, 2, 1), torch.Generator().manual_seed(2)
            few = drawn[::2]
            places = torch.multinomial(
                1 / pairs.diff()[:, 0], few.numel(), True, generator=generator
            )
            few.copy_(pairs.mean(1)[places].view(few.shape))
        for x in (*real, drawn):
            parts = [self._passed(p.to(self._like), lambda y, out: out) for p in x.split(512)]
            taken, sums = zip(*parts, strict=True)
            yield torch.cat(taken), torch.cat(sums)

    def _passed(self, x: Tensor, norm: Callable[[Tensor, Tensor], Tensor]) -> InputOutput:
        """Run the module with another output of its norm; return inputs of φ, and the sums."""
        way, passed = self.way, {"normed": x}
        taps = [Tap((self.run.get_submodule(name),)) for name in way.after[-1:]]
        if way.before:
            taps.append(Tap((self.run.get_submodule(way.before),), "output"))

        def see(tap: Tap, value: Tensor) -> Tensor | None:
            if tap.side == "input":
                passed["y"] = value
                return None
            passed["normed"] = norm(x, value)
            return passed["normed"]

        with tapped(taps, see):
            out = output_of(self.run(x))
        taken = self._patches(passed["normed"])
        if way.beside:
            taken = torch.cat([taken, self._patches(x)], dim=1)
        return taken, self._sums(passed.get("y", out))

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


def interaction(compute: ModuleSums) -> str:
    """Say what speaks against a sum of functions of one input each; empty if nothing does."""
    way, count = compute.way, min(_PAIRS, compute.way.how_many(4))
    a, b = way.random(2 * count, (way.inputs,)).chunk(2)
    split = torch.rand(a.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    if way.inputs > 1:
        split[:, 0], split[:, 1] = True, False
    parts = [a, b, torch.where(split, a, b), torch.where(split, b, a)]
    try:
        fa, fb, mixed, rest = (compute(part) for part in parts)
        alone = compute(a[:5])
    except Exception as error:
        return f"it does not run by itself ({type(error).__name__}: {error!s:.100})"
    size = float((fa - fa.mean(0)).abs().max())
    if not bool(fa.isfinite().all()):
        return "what it computes is not finite"
    if size <= ROUNDING * float(fa.abs().max()):
        return CONSTANT
    if not float((alone - fa[:5]).abs().max()) <= _INTERACTION * size:
        return "what it makes of an example depends on the others of its batch"
    together = float((fa + fb - mixed - rest).abs().max()) / size
    if not together <= _INTERACTION:  # NaN included
        return (
            "it is no sum of functions of one input each: what inputs do together is "
            f"{together:.2g} of what it computes"
        )
    return ""


def is_straight(f: Callable[[Tensor], Tensor], a: Tensor, b: Tensor) -> bool:
    """Say whether a function of many numbers is as good as straight between some of them."""
    try:
        fa, fb, middle = f(a), f(b), f((a + b) / 2)
    except Exception:  # it does not run
        return False
    size = float((fa - fa.mean(0)).abs().max())
    return float((fa + fb - 2 * middle).abs().max()) <= _STRAIGHT * size


def with_norms(run: nn.Module, way: Way) -> Way:
    """Find the norm that the input passes first, and what the sum passes last.

    Where the module takes in x beside the norm too, functions of both are sampled: the norm's
    output counts as more inputs. Functions lie where their inputs do, if these are known.
    """
    x = torch.rand(3, *way.shape, generator=torch.Generator().manual_seed(1)).to(like_of(run))
    passed: list[tuple[str, nn.Module, Tensor, Tensor]] = []

    def note(name: str) -> Any:
        def hook(part: nn.Module, args: tuple[Any, ...], out: Any) -> None:
            if args and isinstance(args[0], Tensor) and isinstance(out, Tensor):
                passed.append((name, part, args[0], out))

        return hook

    leaves = [(n, part) for n, part in run.named_modules() if n and not list(part.children())]
    with removed([part.register_forward_hook(note(name)) for name, part in leaves]):
        y = output_of(run(x))
    after = []
    for name, part, x_in, out in reversed(passed):
        if not _same(out, y):
            continue
        if not _FOLLOWERS.search(type(part).__name__) or x_in.shape != y.shape:
            break
        after.append(name)
        y = x_in
    way = replace(way, after=tuple(after))
    for name, part, x_in, _ in passed:
        if name not in after and _NORM.search(type(part).__name__) and _same(x_in, x):
            # Does the output depend on the input where the norm's output does not?
            with removed([part.register_forward_hook(lambda *args: torch.zeros_like(args[2]))]):
                y, other = output_of(run(x)), output_of(run(x.flip(0)))
            beside = not torch.allclose(y, other, atol=1e-6 * float(y.abs().max()))
            way = replace(way, before=name, beside=beside, interval=_NORMED_RANGE)
            break
    if way.examples is None:
        return way
    return way.where(next(ModuleSums(run, way).as_it_is())[0] if way.before else way.examples)


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and (a is b or torch.equal(a, b))
