"""The core of every KAN layer: coefficients times a basis, and their state dict.

What changes a layer (`kan_widgets.nn.changes`) works on this and knows nothing of the layers above.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.nn.activation import BaseActivation, resolve_activation
from kan_widgets.nn.bases.basis import Basis, check_floating
from kan_widgets.nn.bases.bspline import Spline
from kan_widgets.nn.bases.fourier import Fourier
from kan_widgets.nn.bases.knot_spline import KnotSpline, spline_on
from kan_widgets.nn.dense import packed_weight
from kan_widgets.nn.torch_modes import ungraded

# Peak-to-peak noise that the first splines pass through, before dividing by ``grid_size``.
SCALE_NOISE = 0.1


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

        The splines pass through noise in ``±scale_noise / 2 / grid_size``.
        """
        fan_in = math.prod(self.base_weight.shape[1:])
        _draw_uniform_(self.base_weight, fan_in)
        _draw_splines_(self.spline_weight, self.basis, scale_noise)
        if self.spline_scaler is not None:
            _draw_uniform_(self.spline_scaler, fan_in)
        self.mask = None

    def coefficients(self) -> Tensor:
        """Return the coefficients of each function: ``(*base_weight.shape, 1 + n_basis)``.

        The base's factor first, then those of the basis functions, scaled; all 0 where pruned.
        """
        return packed_weight(*self.factors())

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

        ``(images, *positions, groups, *base_weight.shape[1:])``: functions of the same place in the
        kernel see the same numbers. Group g holds the outputs from ``g * out / groups`` on.
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
        self.knots = None
        if isinstance(self.basis, Spline | Fourier):
            # In the dtype of the weights, at least float32; the knots of waves are frequencies.
            basis, like = self.basis, self.base_weight
            numbers = basis.frequency_of_each if isinstance(basis, Fourier) else basis.knots
            dtype = torch.promote_types(like.dtype, torch.float32)
            self.knots = torch.tensor(numbers, dtype=dtype, device=like.device)

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
        knots = state_dict.get(prefix + "knots")
        basis = self.basis
        if knots is not None:
            try:
                basis = _basis_of_state(basis, knots)
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
        # The state may have other knots, in another dtype; setting the basis writes them again.
        self.knots = None
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )
        self.basis = basis
        if prefix + "knots" in unexpected_keys:
            unexpected_keys.remove(prefix + "knots")


def _basis_of_state(own: Basis, knots: Tensor) -> Basis:
    """Return a layer's own basis, with the knots of a state.

    Raises `ValueError` if they do not fit.
    """
    waves = own.frequency_of_each if isinstance(own, Fourier) else ()
    if len(knots) == len(waves) and (knots.is_meta or tuple(knots.tolist()) == waves):
        return own
    if not isinstance(own, Spline):
        raise ValueError(f"the state is of B-splines, but this layer's basis is {own!r}")
    order = own.spline_order
    if len(knots) != len(own.knots):
        raise ValueError(
            f"the state has {len(knots)} knots, a grid of {len(knots) - 2 * order - 1} "
            f"intervals at spline_order {order}; this layer has {len(own.knots)}, a grid of "
            f"{own.grid_size}. Build it with the same grid_size and spline_order, or call "
            "refine first"
        )
    if knots.is_meta:
        return own
    # The layer's own knots are kept if the state's are the same but for rounding.
    if torch.equal(knots.cpu(), torch.tensor(own.knots, dtype=torch.float64).to(knots.dtype)):
        return own
    return spline_on(knots.tolist(), order, torch.promote_types(knots.dtype, torch.float32))


@ungraded
def _draw_uniform_(weight: Tensor, fan_in: int) -> None:
    """Fill ``weight`` from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), torch's own default."""
    bound = fan_in**-0.5 if fan_in > 0 else 0.0
    weight.uniform_(-bound, bound)


@ungraded
def _draw_splines_(spline_weight: Tensor, basis: Basis, scale_noise: float) -> None:
    """Fill ``spline_weight``, ``(..., n_basis)``, so that Σ_b spline_weight[b]·β_b is small noise.

    B-splines pass through noise at the ``grid_size + 1`` grid points, uniform in ``±scale_noise /
    2 / grid_size``; of all coefficients that meet it the smallest in the least-squares sense are
    taken (there are ``spline_order - 1`` more of them than points). Of any other basis all
    coefficients are drawn from one uniform distribution, so wide that the root mean square of
    the sum over the basis's domain is that of such noise with ``n_basis - 1`` intervals.
    """
    if isinstance(basis, Spline):
        low, high = basis.grid_range
        points = torch.linspace(low, high, basis.grid_size + 1, dtype=torch.float64)
        points[-1] = high
        if isinstance(basis, KnotSpline):
            first = basis.spline_order
            grid = basis.knots[first : first + basis.grid_size + 1]
            points = torch.tensor(grid, dtype=torch.float64)
        fit = torch.linalg.pinv(basis.expand(points))  # (n_basis, grid_size + 1)
        shape = (*spline_weight.shape[:-1], basis.grid_size + 1)
        noise = torch.rand(shape, dtype=torch.float32, device=spline_weight.device) - 0.5
        noise = noise * (scale_noise / basis.grid_size)
        spline_weight.copy_(noise @ fit.to(noise).T)
        return
    like = next(basis.parameters(), None) if isinstance(basis, nn.Module) else None
    low, high = basis.domain
    x = torch.linspace(low, high, 257, device=None if like is None else like.device)
    power = basis.expand(x).square().sum(-1).mean().item()
    bound = scale_noise / 2 / max(basis.n_basis - 1, 1) / max(power, 1e-12) ** 0.5
    spline_weight.uniform_(-bound, bound)


def settings_of(layer: LayerCore) -> str:
    """Return the arguments that all KAN layers share, for ``extra_repr``."""
    basis = layer.basis
    if isinstance(basis, Spline):
        lo, hi = basis.grid_range
        text = (
            f"grid_size={basis.grid_size}, spline_order={basis.spline_order}, "
            f"grid_range=({lo:g}, {hi:g})"
        )
        if isinstance(basis, KnotSpline):
            text += " with uneven knots"
    else:
        text = f"basis={basis!r}"
    text += f", base_activation={layer.base_activation!r}"
    if layer.spline_scaler is not None:
        text += ", spline_scaler=True"
    if layer.mask is not None and not layer.mask.is_meta:
        text += f", {int((~layer.mask).sum())} functions pruned"
    return text
