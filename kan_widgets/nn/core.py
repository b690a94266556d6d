"""The core of every KAN layer: coefficients times a basis, and their state dict.

What changes a layer (`kan_widgets.nn.life`) works on this and knows nothing of the layers above.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.nn.activation import BaseActivation, resolve_activation
from kan_widgets.nn.bases.basis import Basis, check_floating
from kan_widgets.nn.bases.bspline import BSpline
from kan_widgets.nn.bases.fourier import Fourier
from kan_widgets.nn.bases.knot_spline import KnotSpline
from kan_widgets.nn.initialisation import SCALE_NOISE, draw_splines_, draw_uniform_
from kan_widgets.nn.states import basis_of_state, knots_for_state


class LayerCore(nn.Module):
    """Parameters, basis and state of a layer; see `KANLayer` for what they are."""

    basis: Basis
    base_activation: BaseActivation
    spline_scaler: nn.Parameter | None
    mask: Tensor | None
    knots: Tensor | None

    def __init__(
        self,
        shape: tuple[int, ...],
        basis: Basis,
        base_activation: BaseActivation,
        spline_scaler: bool,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        super().__init__()
        resolve_activation(base_activation)
        self.base_activation = base_activation
        self.base_weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.spline_weight = nn.Parameter(
            torch.empty((*shape, basis.n_basis), device=device, dtype=dtype)
        )
        self.register_parameter(
            "spline_scaler",
            nn.Parameter(torch.empty(shape, device=device, dtype=dtype)) if spline_scaler else None,
        )
        self.register_buffer("mask", None)
        self.register_buffer("knots", None)
        self.basis = basis
        self.reset_parameters()

    def reset_parameters(self, *, scale_noise: float = SCALE_NOISE) -> None:
        """Draw all parameters again, for the present basis, and undo all pruning.

        Parameters
        ----------
        scale_noise
            The splines pass through noise in ``±scale_noise / 2 / grid_size``.
        """
        fan_in = math.prod(self.base_weight.shape[1:])
        draw_uniform_(self.base_weight, fan_in)
        draw_splines_(self.spline_weight, self.basis, scale_noise)
        if self.spline_scaler is not None:
            draw_uniform_(self.spline_scaler, fan_in)
        self.mask = None

    def coefficients(self) -> Tensor:
        """Return the coefficients of each function: ``(*base_weight.shape, 1 + n_basis)``.

        The base's factor first, then those of the basis functions, scaled; all 0 where pruned.
        """
        base, spline = self.factors()
        return torch.cat([base.unsqueeze(-1), spline], dim=-1)

    def factors(self) -> tuple[Tensor, Tensor]:
        """Return the coefficients in two parts: the base's, and the basis functions'."""
        base: Tensor = self.base_weight
        spline: Tensor = self.spline_weight
        if self.spline_scaler is not None:
            spline = spline * self.spline_scaler.unsqueeze(-1)
        if self.mask is None:
            return base, spline
        return base * self.mask, spline * self.mask.unsqueeze(-1)

    def padded(self, batch: Tensor) -> Tensor:
        """Return a padded batch: the functions see the padding as input too."""
        raise NotImplementedError

    def seen(self, batch: Tensor) -> Tensor:
        """Return the inputs of the functions for a batch, in groups.

        Parameters
        ----------
        batch
            The layer's input.

        Returns
        -------
        Tensor
            ``(images, *positions, groups, *base_weight.shape[1:])``: functions of the same place
            in the kernel see the same numbers. Group g holds the outputs from ``g * out / groups``
            on.
        """
        raise NotImplementedError

    def _check(self, x: Tensor) -> None:
        """Check an input's dtype; subclasses check its shape too."""
        check_floating(x)

    def __setattr__(self, name: str, value: Any) -> None:
        """Write the knots of a new basis, whoever sets it."""
        super().__setattr__(name, value)
        if name == "basis":
            self._write_knots()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        """Move or convert the tensors, but recompute the knots: half precision is too coarse."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._write_knots()
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Sort the waves of a layer that was pickled before they were sorted."""
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        if isinstance(self.basis, Fourier) and self.knots is None:
            self.spline_weight.data = self.basis.by_frequency(self.spline_weight.data)
            self._write_knots()

    def _write_knots(self) -> None:
        self.knots = knots_for_state(self.basis, self.base_weight)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load the grid and the mask as well, or report why they do not fit."""
        knots = state_dict.get(prefix + "knots")
        basis = self.basis
        if knots is not None:
            try:
                basis = basis_of_state(basis, knots)
            except ValueError as error:
                error_msgs.append(f"{prefix}knots: {str(error).removeprefix('knots: ')}")
        elif isinstance(basis, Fourier):  # a state from before waves were sorted
            weight = state_dict.get(key := prefix + "spline_weight")
            if weight is not None and weight.shape[-1:] == (basis.n_basis,):
                state_dict[key] = basis.by_frequency(weight)
        if prefix + "mask" in state_dict:
            self.mask = torch.ones_like(self.base_weight, dtype=torch.bool)
        elif prefix + "spline_weight" in state_dict:
            self.mask = None
        # Those of the state may be of another type or number; setting the basis brings them back.
        self.knots = None
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )
        self.basis = basis
        if prefix + "knots" in unexpected_keys:
            unexpected_keys.remove(prefix + "knots")


def describe(layer: LayerCore) -> str:
    """Return the arguments that all KAN layers share, for ``extra_repr``."""
    basis = layer.basis
    if isinstance(basis, BSpline):
        lo, hi = basis.grid_range
        text = (
            f"grid_size={basis.grid_size}, spline_order={basis.spline_order}, "
            f"grid_range=({lo:g}, {hi:g})"
        )
    elif isinstance(basis, KnotSpline):
        lo, hi = basis.grid_range
        text = (
            f"grid_size={basis.grid_size}, spline_order={basis.spline_order}, "
            f"grid_range=({lo:g}, {hi:g}) with uneven knots"
        )
    else:
        text = f"basis={basis!r}"
    text += f", base_activation={layer.base_activation!r}"
    if layer.spline_scaler is not None:
        text += ", spline_scaler=True"
    if layer.mask is not None and not layer.mask.is_meta:
        text += f", {int((~layer.mask).sum())} functions pruned"
    return text
