"""KANLayer: the base class of all KAN layers, with their grid, pruning and penalties."""

from torch import Tensor
from torch.optim import Optimizer

from kan_widgets.nn.changes import grids, listeners, pruning
from kan_widgets.nn.changes.pruning import Pruning
from kan_widgets.nn.changes.sampling import Inputs
from kan_widgets.nn.core import LayerCore


class KANLayer(LayerCore):
    """Base of :class:`KANLinear`, :class:`KANConv2d` and :class:`SharedKANConv2d`.

    Attributes
    ----------
    basis : Basis
        The basis shared by all functions. The methods that change it replace it.
    base_weight : Parameter
        ``(out, in)``, or ``(out, in, kh, kw)``: one number for each function.
    spline_weight : Parameter
        ``(*base_weight.shape, n_basis)``: the coefficients, of whatever basis.
    spline_scaler : Parameter or None
        As ``base_weight``.
    mask : Tensor or None
        As ``base_weight``, boolean: False for functions that `prune` removed.
    knots : Tensor or None
        The knots of the basis, if it has any, for the state dict: in the type of the weights,
        float32 at least. They are made from the basis, never the other way round.
    """

    def update_grid(
        self,
        batch: Inputs,
        *,
        grid_eps: float = 0.02,
        margin: float = 0.01,
        optimizer: Optimizer | None = None,
    ) -> float:
        """Move the knots to where the inputs are and refit the coefficients.

        The layer's grid then runs from the least input to the largest, a margin beyond. Its knots
        are ``grid_eps`` parts evenly spaced and ``1 - grid_eps`` parts quantiles of the inputs, of
        which each value counts once (Liu et al. 2024, *KAN: Kolmogorov-Arnold Networks*, and its
        code, whose default this is). The coefficients are those whose functions are nearest the
        old ones by least squares, at the inputs and, with a hundredth of their weight, all over
        the new grid. A function that lies in the space of the new splines, such as a cubic
        polynomial, stays what it is on the grid. The base term is unchanged. Parameters change in
        place.

        Parameters
        ----------
        batch
            The layer's input, as ``forward`` takes it, or a list of several. Padding counts as
            input.
        grid_eps
            From 0 (quantiles) to 1 (evenly spaced: the fastest to evaluate).
        margin
            How far the grid reaches beyond the inputs: as a share of their range if the knots
            are evenly spaced, in general of ``grid_size`` times the outermost interval.
        optimizer
            The optimizer that trains the layer, to drop its state for the old coefficients
            (momentum and the like). Without it, that state carries over to the new ones.

        Returns
        -------
        float
            The fit error: the largest ``|φ_new(x) − φ_old(x)|`` of all functions between the least
            input and the largest.

        Raises
        ------
        TypeError
            If the basis has no knots, or ``batch`` is not a floating-point tensor.
        ValueError
            If inputs are not finite, all equal, or too close together to tell apart. Nothing has
            changed then.

        Examples
        --------
        >>> import torch
        >>> from kan_widgets.nn import KANLinear
        >>> layer = KANLinear(2, 3)
        >>> error = layer.update_grid(5 * torch.rand(100, 2) + 2, grid_eps=1.0)
        >>> layer.basis.grid_range[1] > 6
        True
        """
        error = grids.update_layer_grid(self, batch, grid_eps, margin, optimizer)
        listeners.tell([self])
        return error

    def refine(
        self, grid_size: int, *, even: bool = False, optimizer: Optimizer | None = None
    ) -> float:
        """Give the splines a grid of another size while keeping the functions.

        Where ``grid_size`` is a multiple of the present one, the new grid has all old knots and
        the functions stay what they are, everywhere. Otherwise they are fitted by least squares.

        The knots that extend the grid beyond ``grid_range`` stay where they are, so that the
        functions stay the same there too; such knots are uneven, and slower to evaluate. With
        ``even=True`` they are even, and beyond ``grid_range`` the functions fade within
        ``spline_order`` of the new, shorter steps. ``spline_weight`` remains the same parameter,
        with another shape; its gradient is dropped.

        Parameters
        ----------
        grid_size
            Number of intervals of the new grid, at least 1.
        even
            Whether a uniform basis stays uniform.
        optimizer
            The optimizer that trains the layer, to drop its state for the old coefficients, which
            has their shape. Pass it once it has taken steps, or its next one raises an error.

        Returns
        -------
        float
            The largest deviation of any function from what it was: everywhere, or within
            ``grid_range`` with ``even=True``.

        Raises
        ------
        TypeError
            If the basis has no knots, or ``grid_size`` is not an int.
        ValueError
            If ``grid_size`` is less than 1. Nothing has changed then.

        Examples
        --------
        >>> from kan_widgets.nn import KANLinear
        >>> layer = KANLinear(2, 3, grid_size=5)
        >>> layer.refine(10) < 1e-6, layer.spline_weight.shape
        (True, torch.Size([3, 2, 13]))
        """
        error = grids.refine_layer(self, grid_size, even, optimizer)
        listeners.tell([self])
        return error

    def prune(self, threshold: float, batch: Inputs, *, dry_run: bool = True) -> Pruning:
        """Remove the functions that contribute little for a batch of inputs.

        The importance of a function is the mean of ``|φ(x)|`` over the x that it sees of the
        batch (Liu et al. 2024, *KAN: Kolmogorov-Arnold Networks*, sec. 2.5), in units of the
        layer's output. One that is not above the threshold is 0 from then on, in training too, by
        ``mask``. Its parameters stay as they are, and no gradient reaches them.

        Parameters
        ----------
        threshold
            Least importance to stay, 0 or more.
        batch
            Inputs of this layer, as ``forward`` takes them; ``model.prune`` observes them by
            itself. Of more than 4,096 patches (rows, in a dense layer) that many are drawn at
            random, evenly, the same ones each time.
        dry_run
            Only report what would be removed.

        Returns
        -------
        Pruning
            The importances and what is removed.

        Raises
        ------
        TypeError
            If ``batch`` is not a floating-point tensor.
        ValueError
            If ``threshold`` is negative or NaN, or inputs are not finite. Nothing has changed then.

        Examples
        --------
        >>> import torch
        >>> from kan_widgets.nn import KANLinear
        >>> layer = KANLinear(2, 3)
        >>> with torch.no_grad():
        ...     layer.base_weight[1, 0] = layer.spline_weight[1, 0] = 0
        >>> layer.prune(0.0, torch.randn(50, 2)).removed
        ((1, 0),)
        """
        pruned = pruning.prune_layer(self, threshold, batch, dry_run)
        if not dry_run:
            listeners.tell([self])
        return pruned

    def regularization(
        self, batch: Inputs | None = None, *, l1: float = 1.0, entropy: float = 1.0
    ) -> Tensor:
        """Return ``l1 · |Φ|₁ + entropy · S(Φ)``, to be added to a loss.

        With ``|φ|₁`` the mean of ``|φ(x)|`` over x, ``|Φ|₁`` is the sum over all functions of the
        layer, and ``S(Φ) = −Σ p log p`` with ``p = |φ|₁ / |Φ|₁`` (Liu et al. 2024, *KAN:
        Kolmogorov-Arnold Networks*, eq. 2.17 to 2.19). The first makes functions small, the
        second few.

        Parameters
        ----------
        batch
            The layer's input, over which to take the mean, as in the paper; a large one is drawn
            from as in `prune`. By default the mean is taken over 64 points evenly spaced over the
            basis's domain.
        l1, entropy
            Weights of the two terms: the paper's μ₁ and μ₂.

        Returns
        -------
        Tensor
            A number with a gradient.

        Examples
        --------
        >>> import torch
        >>> from kan_widgets.nn import KANLinear
        >>> layer = KANLinear(2, 3)
        >>> loss = layer(torch.randn(5, 2)).square().mean() + 1e-3 * layer.regularization()
        >>> loss.backward()
        """
        return pruning.layer_regularization(self, batch, l1, entropy)
