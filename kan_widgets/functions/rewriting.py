"""Write a layer's coefficients for each frame without reading the layer again."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from kan_widgets.functions.terms import ALL, Part

Rewrite = Callable[[], bool]


def rewriter_of(
    module: nn.Module,
    base: str,
    splines: str,
    scales: Sequence[str],
    steady: Sequence[str],
    computed: Callable[[nn.Module], Tensor | None],
) -> Callable[..., Rewrite | None]:
    """Return the ``rewriter`` of a layer, see `LayerFunctions`; the module is not kept alive.

    Parameters
    ----------
    module
        The module.
    base, splines, scales
        Names of its parameters, ``(...)``, ``(..., nb - 1)`` or empty, and ``(...)``: what
        multiplies the splines, if anything does.
    steady
        Names of attributes that all else depends on.
    computed
        Returns ``None`` as long as the coefficients are these parameters.
    """
    known = weakref.ref(module)
    # Not by attribute: what is a module may be trained itself, and a weight may be computed.
    before = {name: vars(module).get(name) for name in steady}
    names = [name for name in (base, splines, *scales) if name]
    given = [name for name in names if module._parameters.get(name) is not None]
    absent = [name for name in names if name not in given]

    def parameters(part: Part) -> list[Tensor] | None:
        """Return base, splines and scale, unless something else has changed."""
        module = known()
        if module is None or None in before.values() or computed(module) is not None:
            return None
        now, own, found = vars(module), module._parameters, []
        for name, value in before.items():
            if now.get(name) is not value:
                return None
        for name in absent:
            if own.get(name) is not None or module._buffers.get(name) is not None:
                return None
        for name in given:
            held = own.get(name)
            if held is None or held.dtype is not torch.float32 or not held.is_cpu:
                return None
            found.append(held if part is ALL else held[part])
        return found

    def rewriter(out: Tensor, part: Part = ALL) -> Rewrite | None:
        to_base, to_splines = out[..., 0], out[..., 1:]
        shapes = [to_base.shape, to_splines.shape, to_base.shape][: len(given)]

        def rewrite() -> bool:
            found = parameters(part)
            if not found or [p.shape for p in found] != shapes:
                return False
            to_base.copy_(found[0])
            if len(found) == 2:
                to_splines.copy_(found[1])
            elif len(found) == 3:
                torch.mul(found[1], found[2].unsqueeze(-1), out=to_splines)
            return True

        found = parameters(part)
        return rewrite if found and [p.shape for p in found] == shapes else None

    return rewriter
