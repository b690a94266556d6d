"""What a module makes of any inputs of its functions, norms around them left out or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.layer import as_rows
from kan_widgets.functions.sampling.ways import Way, computed, how_many, like_of


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
        way = self.way
        with torch.autocast(self._like.device.type, enabled=False):
            if not way.beside:
                return self._passed(self._embedded(x), lambda given, out: given)[1]
            normed, own = (self._embedded(half) for half in x.chunk(2, dim=1))
            return self._passed(own, lambda given, out: normed)[1]

    def as_given(self) -> tuple[Tensor, Tensor]:
        """Run it as it is on what it was really given; return what functions take in, and sums."""
        given = self.way.given
        return self._as_it_is(drawn(self.way)[:0] if given is None else self._embedded(given))

    def as_drawn(self) -> tuple[Tensor, Tensor]:
        """Run it as it is on inputs from the domain and from the extent."""
        return self._as_it_is(drawn(self.way))

    def _as_it_is(self, x: Tensor) -> tuple[Tensor, Tensor]:
        parts = [self._passed(part.to(self._like), lambda given, out: out) for part in x.split(512)]
        taken, sums = zip(*parts, strict=True)
        return torch.cat(taken), torch.cat(sums)

    def of_zeros(self) -> Tensor:
        """Return the sums of a convolution for inputs that are 0, ``(out, height, width)``."""
        found: dict[str, Tensor] = {}

        def keep(part: nn.Module, given: tuple[Any, ...]) -> None:
            found["y"] = given[0]

        after = self.way.after
        part = self.run.get_submodule(after[-1]) if after else None
        handle = part.register_forward_pre_hook(keep) if part is not None else None
        try:
            out = computed(self.run(torch.zeros(2, *self.way.shape).to(self._like)))
        finally:
            if handle is not None:
                handle.remove()
        y = found.get("y", out)[0].detach().to("cpu", torch.float64)
        return as_rows(y) if self.way.line else y

    def _passed(self, x: Tensor, norm: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Run it, with another output of the norm before; return what is taken in, and the sums."""
        way, found, handles = self.way, {}, []

        def before(part: nn.Module, given: tuple[Any, ...], out: Any) -> Any:
            found["normed"] = norm(given[0], out)
            return found["normed"]

        def keep(part: nn.Module, given: tuple[Any, ...]) -> None:
            found["y"] = given[0]

        if way.before:
            part = self.run.get_submodule(way.before)
            handles.append(part.register_forward_hook(before))
        if way.after:
            part = self.run.get_submodule(way.after[-1])
            handles.append(part.register_forward_pre_hook(keep))
        try:
            out = computed(self.run(x))
        finally:
            for handle in handles:
                handle.remove()
        taken = self._patches(found.get("normed", x))
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
        y = as_rows(y) if self.way.line else y
        return y[:, :, row, column]

    def _patches(self, x: Tensor) -> Tensor:
        x = x.detach().to("cpu", torch.float64)
        if self.way.kernel is None:
            return x.flatten(1)
        x = as_rows(x) if self.way.line else x
        (top, left), _ = self._first_patch()
        (kh, kw), (dy, dx) = self.way.kernel, self.way.dilation
        return x[:, :, top::dy, left::dx][:, :, :kh, :kw].flatten(1)

    def _embedded(self, x: Tensor) -> Tensor:
        if self.way.kernel is None:
            return x.reshape(-1, *self.way.shape).to(self._like)
        (top, left), _ = self._first_patch()
        (kh, kw), (dy, dx) = self.way.kernel, self.way.dilation
        channels, *sides = self.way.shape
        images = torch.zeros(len(x), channels, *([1] * self.way.line), *sides, dtype=x.dtype)
        images[:, :, top::dy, left::dx][:, :, :kh, :kw] = x.reshape(len(x), -1, kh, kw)
        return (images.squeeze(2) if self.way.line else images).to(self._like)

    def _first_patch(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return where the first patch without padding begins, and its place in the output."""
        _, left, _, top = (self.way.padding[k] for k in (1, 0, 3, 2))
        (sy, sx) = self.way.stride
        row, column = -(-top // sy), -(-left // sx)
        return (row * sy - top, column * sx - left), (row, column)


def drawn(way: Way) -> Tensor:
    """Return inputs from the domain and from the extent, half each."""
    generator = torch.Generator().manual_seed(2)
    known = 0 if way.given is None else len(way.given)
    x = torch.rand(max(32, how_many(way.width) - known), *way.shape, generator=generator)
    half = len(x) // 2
    for part, (low, high) in ((x[:half], way.domain), (x[half:], way.extent)):
        part.mul_(high - low).add_(low)
    return x
