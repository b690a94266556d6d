"""How an edit of a function gets into a model that may be training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.autograd.grad_mode import _unsafe_preserve_version_counter

from kan_widgets.functions import LayerFunctions
from kan_widgets.live.frames.edit import Float64, Index
from kan_widgets.live.model.held import place_in


@dataclass(frozen=True, eq=False)
class Wanted:
    """What waits to be written, and whether the function is then held; ``None``: as it is."""

    values: Float64
    holds: bool | None


@contextmanager
def unnoticed(module: nn.Module) -> Iterator[None]:
    """Let a layer change without autograd raising in another thread's backward pass.

    What looked quiet may be a long step: its gradient is then of what was before, mixed with
    what is now, and the loop goes on.
    """
    with ExitStack() as stack:
        for parameter in module.parameters():
            stack.enter_context(_unsafe_preserve_version_counter(parameter))
        yield


def write(functions: LayerFunctions, place: Index, values: Float64) -> None:
    """Set one function's coefficients in the model; the layer must allow it."""
    assert functions.write is not None
    functions.write(place_in(functions, place), torch.as_tensor(values).to(functions.like))


def present(functions: LayerFunctions, place: Index) -> Float64:
    """Return a copy of one function's coefficients, as they were when its layer was read."""
    found = functions.at(place_in(functions, place))
    values: Float64 = found.detach().to("cpu", torch.float64).numpy().copy()
    return values


_POINTS = 257


def straight(
    functions: LayerFunctions, index: tuple[int, ...], coefficients: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the coefficients of the line, ``(nb,)``.

    Least squares at even points of the domain; without the base term where there are other basis
    functions.
    """
    group = 0 if functions.basis_index is None else int(functions.basis_index[index])
    basis = functions.bases[group]
    x = torch.linspace(*basis.domain, _POINTS, dtype=torch.float64)
    table = basis(x).detach().to(torch.float64).numpy()
    ones = np.stack([np.ones(_POINTS), x.numpy()], axis=1)
    line = ones @ np.linalg.lstsq(ones, table @ coefficients, rcond=None)[0]
    free = ~np.asarray(basis.is_base)
    columns = free if free.any() else np.ones_like(free)
    found = np.zeros(table.shape[1])
    found[columns] = np.linalg.lstsq(table[:, columns], line, rcond=None)[0]
    return found
