"""KANLinear: a dense layer with a learned function on every edge."""

import torch
from torch import Tensor

from kan_widgets.checks import check_whole
from kan_widgets.nn.activation import BaseActivation
from kan_widgets.nn.bases.basis import Basis
from kan_widgets.nn.bases.families import resolve_basis
from kan_widgets.nn.contraction import Product
from kan_widgets.nn.core import settings_of
from kan_widgets.nn.expansion import expand_and_contract
from kan_widgets.nn.layer import KANLayer
from kan_widgets.nn.torch_modes import traced

_PRODUCT = Product()


class KANLinear(KANLayer):
    """Dense layer with a learned function of one variable on every edge.

    Computes ``y_o = sum_i phi[o, i](x_i)``, where

        ``phi[o, i](x) = base_weight[o, i] * act(x)
        + spline_scaler[o, i] * sum_b spline_weight[o, i, b] * B_b(x)``

    (Liu et al. 2024, *KAN: Kolmogorov-Arnold Networks*, eq. 2.10). Outside the support of the
    B-splines, ``spline_order`` grid steps beyond ``grid_range``, only the base moves.

    At step 0 every ``phi`` looks like the base activation, scaled: ``base_weight`` is drawn from
    U(±1/sqrt(in_features)) as in ``nn.Linear``, and the splines run through noise in
    ``±0.05/grid_size`` at the grid points, as in efficient-kan and Convolutional-KANs. Over the
    default grid their range is, in the median, 9 % of the base's at 9 inputs, 37 % at 144 and 61 %
    at 400: about 3 % of it times sqrt(in_features), and less on a finer or wider grid. So the
    layer starts near a dense layer after an activation, the nearer the fewer its inputs. With
    ``spline_scaler=True`` the scaler, drawn from U(±1/sqrt(in_features)) too, makes the splines
    smaller, and they lag behind the base in training. Other bases start with noise of the same
    size over their domain.

    Parameters
    ----------
    in_features, out_features
        Sizes of the last dimension before and after.
    grid_size, spline_order, grid_range
        The basis, see :class:`BSpline`. For another basis by its name: as many functions as
        splines there would be, over the same range.
    basis
        ``"bspline"``, ``"rbf"``, ``"chebyshev"``, ``"fourier"``, or a :class:`Basis`:
        :class:`BSpline`, :class:`KnotSpline`, :class:`RBF`, :class:`Chebyshev`, :class:`Fourier`
        or one of your own.
    base_activation
        ``"silu"``, ``"gelu"``, ``"relu"``, ``"tanh"``, ``"identity"`` or an elementwise callable.
    spline_scaler
        Whether each function has a learned factor on its splines.
    device, dtype
        As in ``nn.Linear``.

    Attributes
    ----------
    basis : Basis
        The basis shared by all functions.
    base_weight : Parameter
        ``(out_features, in_features)``.
    spline_weight : Parameter
        ``(out_features, in_features, n_basis)``, the coefficients of whatever basis.
    spline_scaler : Parameter or None
        ``(out_features, in_features)``.

    Examples
    --------
    >>> layer = KANLinear(3, 2)
    >>> layer(torch.zeros(4, 5, 3)).shape
    torch.Size([4, 5, 2])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        grid_size: int = 5,
        spline_order: int = 3,
        grid_range: tuple[float, float] = (-1.0, 1.0),
        basis: str | Basis = "bspline",
        base_activation: BaseActivation = "silu",
        spline_scaler: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_whole("in_features", in_features, 1)
        check_whole("out_features", out_features, 1)
        super().__init__(
            (out_features, in_features),
            resolve_basis(basis, grid_size, spline_order, grid_range),
            base_activation,
            spline_scaler,
            device,
            dtype,
        )
        self.in_features = in_features
        self.out_features = out_features

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer: ``(..., in_features)`` to ``(..., out_features)``."""
        self._check(x)
        flat = x if x.dim() == 2 else x.reshape(-1, self.in_features)
        out = expand_and_contract(flat, *self.factors(), self.basis, self.base_activation, _PRODUCT)
        return out if x.dim() == 2 else out.view(*x.shape[:-1], self.out_features)

    def padded(self, batch: Tensor) -> Tensor:
        """Return the batch: a dense layer has no padding."""
        self._check(batch)
        return batch

    def seen(self, batch: Tensor) -> Tensor:
        """Return a batch as ``(*batch.shape[:-1], 1, in_features)``."""
        self._check(batch)
        return batch.unsqueeze(-2)

    def _check(self, x: Tensor) -> None:
        super()._check(x)
        if x.dim() < 1 or (not traced() and x.shape[-1] != self.in_features):
            raise ValueError(f"input of shape {tuple(x.shape)}: expected (..., {self.in_features})")

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, {settings_of(self)}"
