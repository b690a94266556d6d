"""KANLinear: a dense layer with a learned function on every edge."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kan_widgets.nn.activation import BaseActivation, resolve_activation
from kan_widgets.nn.bspline import BSpline
from kan_widgets.nn.expansion import expand_and_contract
from kan_widgets.nn.initialisation import SCALE_NOISE, draw_splines_, draw_uniform_


class KANLinear(nn.Module):
    """Dense layer with a learned function of one variable on every edge.

    Computes ``y_o = sum_i phi[o, i](x_i)``, where

        ``phi[o, i](x) = base_weight[o, i] * act(x)
        + spline_scaler[o, i] * sum_b spline_weight[o, i, b] * B_b(x)``

    (Liu et al. 2024, *KAN: Kolmogorov-Arnold Networks*, eq. 2.10). Outside the support of the
    B-splines, ``spline_order`` grid steps beyond ``grid_range``, only the base moves.

    At step 0 every ``phi`` looks like the base activation, scaled: ``base_weight`` is drawn from
    U(±1/sqrt(in_features)) as in ``nn.Linear``, and the splines run through noise in
    ``±0.05/grid_size`` at the grid points, one or two hundredths of the base. So the layer starts
    as a dense layer after an activation, which trains, and with every spline coefficient off zero
    by a different amount. With ``spline_scaler=True`` the scaler, drawn from
    U(±1/sqrt(in_features)) too, makes the splines smaller still, and they lag behind the base in
    training. These are the distributions of efficient-kan and Convolutional-KANs.

    Parameters
    ----------
    in_features, out_features
        Sizes of the last dimension before and after.
    grid_size, spline_order, grid_range
        The basis, see :class:`BSpline`.
    base_activation
        ``"silu"``, ``"gelu"``, ``"relu"``, ``"tanh"``, ``"identity"`` or an elementwise callable.
    spline_scaler
        Whether each function has a learned factor on its splines.
    device, dtype
        As in ``nn.Linear``.

    Attributes
    ----------
    basis : BSpline
        The basis shared by all functions.
    base_weight : Parameter
        ``(out_features, in_features)``.
    spline_weight : Parameter
        ``(out_features, in_features, n_basis)``.
    spline_scaler : Parameter or None
        ``(out_features, in_features)``.

    Examples
    --------
    >>> layer = KANLinear(3, 2)
    >>> layer(torch.zeros(4, 5, 3)).shape
    torch.Size([4, 5, 2])
    """

    spline_scaler: nn.Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        grid_size: int = 5,
        spline_order: int = 3,
        grid_range: tuple[float, float] = (-1.0, 1.0),
        base_activation: BaseActivation = "silu",
        spline_scaler: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        for name, value in (("in_features", in_features), ("out_features", out_features)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive int, got {value!r}")
        resolve_activation(base_activation)
        self.in_features = in_features
        self.out_features = out_features
        self.basis = BSpline(grid_size, spline_order, grid_range)
        self.base_activation = base_activation
        shape = (out_features, in_features)
        self.base_weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.spline_weight = nn.Parameter(
            torch.empty((*shape, self.basis.n_basis), device=device, dtype=dtype)
        )
        self.register_parameter(
            "spline_scaler",
            nn.Parameter(torch.empty(shape, device=device, dtype=dtype)) if spline_scaler else None,
        )
        self.reset_parameters()

    def reset_parameters(self, *, scale_noise: float = SCALE_NOISE) -> None:
        """Draw all parameters anew.

        Parameters
        ----------
        scale_noise
            The splines pass through noise in ``±scale_noise / 2 / grid_size``.
        """
        draw_uniform_(self.base_weight, self.in_features)
        draw_splines_(self.spline_weight, self.basis, scale_noise)
        if self.spline_scaler is not None:
            draw_uniform_(self.spline_scaler, self.in_features)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer: ``(..., in_features)`` to ``(..., out_features)``."""
        if x.dim() < 1 or x.shape[-1] != self.in_features:
            raise ValueError(
                f"expected input of shape (..., {self.in_features}), got {tuple(x.shape)}"
            )
        spline: Tensor = self.spline_weight
        if self.spline_scaler is not None:
            spline = spline * self.spline_scaler.unsqueeze(-1)
        weight = torch.cat([self.base_weight.unsqueeze(-1), spline], dim=-1).flatten(1)
        flat = x.reshape(-1, self.in_features)
        out = expand_and_contract(flat, weight, self.basis, self.base_activation, _PRODUCT)
        return out.view(*x.shape[:-1], self.out_features)

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return f"{self.in_features}, {self.out_features}, {describe(self)}"


def describe(layer: nn.Module) -> str:
    """Return the arguments that all KAN layers have, for ``extra_repr``."""
    basis, activation = layer.basis, layer.base_activation
    assert isinstance(basis, BSpline)
    lo, hi = basis.grid_range
    text = (
        f"grid_size={basis.grid_size}, spline_order={basis.spline_order}, "
        f"grid_range=({lo:g}, {hi:g}), base_activation={activation!r}"
    )
    return text + (", spline_scaler=True" if layer.spline_scaler is not None else "")


class _Product:
    """``columns @ weight.T`` with all columns of all features side by side."""

    def __call__(self, columns: Tensor, weight: Tensor) -> Tensor:
        return columns.flatten(1) @ weight.T

    def backward(
        self, grad: Tensor, columns: Tensor, weight: Tensor, needs_columns: bool, needs_weight: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        grad = grad.to(weight.dtype)
        return (
            (grad @ weight).view(columns.shape) if needs_columns else None,
            grad.T @ columns.flatten(1) if needs_weight else None,
        )


_PRODUCT = _Product()
