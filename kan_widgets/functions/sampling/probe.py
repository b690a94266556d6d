"""What a module makes of any inputs of its functions, norms around them left out or not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.layer import as_rows
from kan_widgets.functions.sampling.ways import USUAL, Way, computed
from kan_widgets.functions.undisturbed import like_of

_NORM = re.compile(r"Norm")
_AFTER = re.compile(r"Norm|ReLU|SiLU|GELU|ELU|Tanh|Sigmoid|Softplus|Hardswish|Mish|Dropout")
_NORMED = (-4.0, 4.0)
"""Where to look at functions of what a norm makes."""
# Of inputs so many are looked at, and somewhat more: not as far as the very last one of thousands.
_MOST, _ROOM = (0.0002, 0.9998), 0.1


class Probe:
    """Gives the sums of a module for any inputs of its functions.

    Parameters
    ----------
    run
        A module in evaluation mode, whose hooks are one's own.
    way
        How to run it.
    """

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

        Yields
        ------
        Tensor, Tensor
            What functions take in, ``(n, inputs)``, and the sums.
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
            way = replace(way, before=name, domain=USUAL, extent=_NORMED)
            way = replace(way, beside=_reaches_around(run, part, x))
            break
    return way if way.given is None else _where_it_is(run, way)


def _reaches_around(run: nn.Module, norm: nn.Module, x: Tensor) -> bool:
    """Say whether what a module computes depends on its input where a norm's output does not."""
    with _removed([norm.register_forward_hook(lambda part, given, out: torch.zeros_like(out))]):
        y, other = computed(run(x)), computed(run(x.flip(0)))
    return not torch.allclose(y, other, atol=1e-6 * float(y.abs().max()))


def _where_it_is(run: nn.Module, way: Way) -> Way:
    x = next(Probe(run, way).as_it_is())[0]
    x = x[x.isfinite()][: 2**23]
    if not len(x):
        return way
    low, high = (float(each) for each in x.quantile(torch.tensor(_MOST, dtype=x.dtype)))
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
