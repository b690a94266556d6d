"""Write a layer's coefficients for each frame without reading the layer again."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.terms import ALL, Part

Rewrite = Callable[[], bool]


def terms_rewriter(
    known: weakref.ref[Any],
    out: Tensor,
    part: Part = ALL,
    *,
    base: str,
    splines: str = "",
    scale: str = "",
    unchanged: Callable[[nn.Module], bool] = lambda module: True,
) -> Rewrite | None:
    """Return what writes a base and scaled spline coefficients, as `join_terms` joins them.

    The values are those that the parameters have at each call, wherever they lie then. The
    module is not kept alive.

    Parameters
    ----------
    known
        The module whose parameters they are.
    out
        ``(..., nb)`` float32 on the CPU, where they are written.
    part
        The outputs and inputs to write; the parameters' first two axes.
    base, splines, scale
        Names of parameters of the module itself: ``(...)``, ``(..., nb - 1)`` and ``(...)``.
        Without splines ``nb`` is 1.
    unchanged
        Takes the module, returns whether all else that the coefficients and their bases depend on
        is still the same; called at once, and at each call.

    Returns
    -------
    callable or None
        As `LayerFunctions.rewriter` returns it; ``None`` if there is no such parameter, if it
        is not float32 on the CPU, or if something has changed already.
    """
    to_base, to_splines = out[..., 0], out[..., 1:]
    expected = {base: to_base.shape}
    if splines:
        expected[splines] = to_splines.shape
    if scale:
        expected[scale] = to_base.shape

    def here(parameter: Tensor) -> Tensor:
        return parameter if part is ALL else parameter[part]

    def fits(module: nn.Module) -> bool:
        # Not by attribute: a parametrised or pruned weight is computed, and no parameter.
        parameters = module._parameters
        for name, shape in expected.items():
            found = parameters.get(name)
            if found is None or found.dtype is not torch.float32 or not found.is_cpu:
                return False
            if here(found).shape != shape:
                return False
        return True

    def rewrite() -> bool:
        module = known()
        if module is None or not unchanged(module) or not fits(module):
            return False
        own: dict[str, Any] = module._parameters
        to_base.copy_(here(own[base]))
        if scale:
            torch.mul(here(own[splines]), here(own[scale]).unsqueeze(-1), out=to_splines)
        elif splines:
            to_splines.copy_(here(own[splines]))
        return True

    module = known()
    return rewrite if module is not None and unchanged(module) and fits(module) else None
