"""Networks for small images: the first published KAN-CNN and a better one, a CNN and an MLP."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.nn.activation import BaseActivation
from kan_widgets.nn.bases.basis import Basis, check_floating
from kan_widgets.nn.bases.families import resolve_basis
from kan_widgets.nn.changes import whole_models
from kan_widgets.nn.conv import KANConv2d, Pair, SharedKANConv2d
from kan_widgets.nn.linear import KANLinear
from kan_widgets.nn.torch_modes import inspected, traced


class _ImageClassifier(nn.Module):
    """What the networks share: checked input, log-probabilities, with or without a batch."""

    input_shape: tuple[int, int, int]

    def forward(self, x: Tensor) -> Tensor:
        """Return log-probabilities: ``(N, C, H, W)`` to ``(N, num_classes)``, or without N."""
        check_floating(x)
        if x.dim() not in (3, 4) or (not traced() and x.shape[-3:] != self.input_shape):
            shape = ", ".join(map(str, self.input_shape))
            raise ValueError(f"input of shape {tuple(x.shape)}: expected (N, {shape}) or ({shape})")
        scores = self._scores(x.unsqueeze(0) if x.dim() == 3 else x)
        return F.log_softmax(scores.squeeze(0) if x.dim() == 3 else scores, dim=-1)

    def _scores(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class KANCNN(_ImageClassifier):
    """Convolutional KAN for images: KAN convolutions, each with max-pooling, then a KAN layer.

    The output is log-probabilities (``log_softmax``), so the loss is ``F.nll_loss``. The defaults
    make a network of 44,712 parameters for MNIST: 1 to 8 to 16 to 16 channels and a dense layer
    from 144 features. Each KAN layer sees inputs of mean 0 and variance 1 (batch norm without
    parameters), which its grid on [-3, 3] covers.

    It learns well with AdamW while the learning rate rises to 7e-3 and falls again
    (``torch.optim.lr_scheduler.OneCycleLR``), on images moved at random by a pixel
    (``kan_widgets.data.mnist().loaders(shift=1)``).

    Parameters
    ----------
    in_channels, image_size, num_classes
        Channels and size of the input, and the number of classes. ``image_size`` is an int or
        (height, width).
    channels
        Output channels of the convolutions, one per convolution.
    kernel_size, padding
        Of every convolution.
    norm
        ``"batch"``: batch norm without parameters before each KAN layer. None: nothing.
    grid_size, spline_order, grid_range, basis, base_activation, spline_scaler
        Of every KAN layer, see :class:`KANConv2d`.

    Examples
    --------
    >>> model = KANCNN()
    >>> count_parameters(model)
    44712
    >>> model(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    norms: nn.ModuleList
    convs: nn.ModuleList
    linear_norm: nn.Module
    linear: KANLinear

    def __init__(
        self,
        in_channels: int = 1,
        image_size: Pair = 28,
        num_classes: int = 10,
        *,
        channels: Sequence[int] = (8, 16, 16),
        kernel_size: Pair = 3,
        padding: Pair | str = 1,
        norm: str | None = "batch",
        grid_size: int = 5,
        spline_order: int = 3,
        grid_range: tuple[float, float] = (-3.0, 3.0),
        basis: str | Basis = "bspline",
        base_activation: BaseActivation = "silu",
        spline_scaler: bool = False,
    ) -> None:
        super().__init__()
        basis = resolve_basis(basis, grid_size, spline_order, grid_range, default_range=(-3.0, 3.0))
        self.input_shape = _input_shape(in_channels, image_size)
        same: Any = {"base_activation": base_activation, "spline_scaler": spline_scaler}
        same["basis"] = basis
        widths = [in_channels, *channels]
        convs = [
            KANConv2d(before, after, kernel_size, padding=padding, **same)
            for before, after in pairwise(widths)
        ]
        linear = KANLinear(_features(convs, self.input_shape), num_classes, **same)
        self._assemble(convs, linear, norm, widths[:-1])

    @classmethod
    def article(
        cls,
        in_channels: int = 1,
        image_size: Pair = 28,
        num_classes: int = 10,
        *,
        norm: str | None = None,
        grid_range: tuple[float, float] | None = None,
        spline_scaler: bool = True,
    ) -> "KANCNN":
        """Build the first Convolutional-KAN network, with its initial distributions.

        It is that of Bodner, Tepsich, Spolski and Pourteau (2024, *Convolutional
        Kolmogorov-Arnold Networks*); the article is Rohan Khopkar's "Visualizing KAN-CNN Filters"
        (6 June 2024), which reads its ten kernels.

        Two convolutions of five shared 3×3 kernels (1 to 5 to 25 channels), each with max-pooling,
        then a dense layer on a grid of 10 intervals over [0, 1]; a scaler on every function, no
        norm. For MNIST: 10 kernels, 90 + 6,250 functions, 94,650 parameters. As in the original,
        the noise under the dense layer's first splines is a tenth of the usual. The same layout
        learns faster with ``norm="batch", grid_range=(-3, 3), spline_scaler=False``, as the
        constructor has by default.

        Parameters
        ----------
        in_channels, image_size, num_classes
            As in the constructor; the defaults are those of the original.
        norm, grid_range, spline_scaler
            As in the constructor. By default as in the original, whose convolutions have their
            grids over [-1, 1] and whose dense layer has its own over [0, 1].

        Examples
        --------
        >>> model = KANCNN.article(norm="batch", grid_range=(-3, 3), spline_scaler=False)
        >>> count_parameters(model)
        88310
        """
        model = cls.__new__(cls)
        nn.Module.__init__(model)
        model.input_shape = _input_shape(in_channels, image_size)
        convs = [
            SharedKANConv2d(5, 3, grid_range=grid_range or (-1.0, 1.0), spline_scaler=spline_scaler)
            for _ in range(2)
        ]
        linear = KANLinear(
            _features(convs, model.input_shape),
            num_classes,
            grid_size=10,
            grid_range=grid_range or (0.0, 1.0),
            spline_scaler=spline_scaler,
        )
        linear.reset_parameters(scale_noise=0.01)
        model._assemble(convs, linear, norm, [in_channels, 5 * in_channels])
        return model

    def _assemble(
        self,
        convs: Sequence[KANConv2d],
        linear: KANLinear,
        norm: str | None,
        channels: Sequence[int],
    ) -> None:
        """Put a norm before each layer, for as many channels as ``channels`` says."""
        if norm not in ("batch", None):
            raise ValueError(f"norm={norm!r}: expected 'batch' or None")
        norm2d, norm1d = (nn.BatchNorm2d, nn.BatchNorm1d) if norm else (nn.Identity,) * 2
        self.norms = nn.ModuleList(norm2d(c, affine=False) for c in channels)
        self.convs = nn.ModuleList(convs)
        self.linear_norm = norm1d(linear.in_features, affine=False)
        self.linear = linear

    def _scores(self, x: Tensor) -> Tensor:
        for norm, conv in zip(self.norms, self.convs, strict=True):
            x = norm(x)
            x = F.max_pool2d(conv(x if inspected() else _channels_last(x)), 2)
        # With the size written down: the older ONNX exporter loses it in flatten.
        x = self.linear_norm(x.reshape(x.shape[0], self.linear.in_features))
        return cast(Tensor, self.linear(x))

    update_grid = whole_models.update_grid
    refine = whole_models.refine
    prune = whole_models.prune
    regularization = whole_models.regularization


def _channels_last(x: Tensor) -> Tensor:
    """Lay images out channels last, where pooling on a CPU takes a fifth of the time."""
    n, channels, height, width = x.shape
    if channels > 1:
        return x.contiguous(memory_format=torch.channels_last)
    # The memory is the same for one channel: only the strides say what comes out of a layer.
    return x.reshape(n, height, width, 1).permute(0, 3, 1, 2)


class CNN(_ImageClassifier):
    """Plain CNN of about the size of :class:`KANCNN`, with the same input and output.

    3×3 convolutions with ReLU and max-pooling, a hidden dense layer with ReLU, a dense layer,
    log-probabilities; batch norm without parameters before each layer but the last. 44,819
    parameters by default.

    Parameters
    ----------
    in_channels, image_size, num_classes
        As in :class:`KANCNN`.
    channels
        Output channels of the convolutions.
    hidden
        Width of the hidden dense layer.

    Examples
    --------
    >>> count_parameters(CNN())
    44819
    """

    def __init__(
        self,
        in_channels: int = 1,
        image_size: Pair = 28,
        num_classes: int = 10,
        *,
        channels: Sequence[int] = (16, 32, 48),
        hidden: int = 59,
    ) -> None:
        super().__init__()
        self.input_shape = _input_shape(in_channels, image_size)
        widths = [in_channels, *channels]
        convs = [nn.Conv2d(before, after, 3, padding=1) for before, after in pairwise(widths)]
        features = _features(convs, self.input_shape)
        self.norms = nn.ModuleList(nn.BatchNorm2d(c, affine=False) for c in widths[:-1])
        self.convs = nn.ModuleList(convs)
        self.hidden_norm = nn.BatchNorm1d(features, affine=False)
        self.hidden = nn.Linear(features, hidden)
        self.linear = nn.Linear(hidden, num_classes)

    def _scores(self, x: Tensor) -> Tensor:
        for norm, conv in zip(self.norms, self.convs, strict=True):
            x = F.max_pool2d(F.relu(conv(norm(x))), 2)
        x = F.relu(self.hidden(self.hidden_norm(x.flatten(1))))
        return cast(Tensor, self.linear(x))


class MLP(_ImageClassifier):
    """Dense network of about the size of :class:`KANCNN`, with the same input and output.

    Hidden layers with ReLU, batch norm without parameters before each, log-probabilities. 44,530
    parameters by default.

    Parameters
    ----------
    in_channels, image_size, num_classes
        As in :class:`KANCNN`.
    hidden
        Widths of the hidden layers.

    Examples
    --------
    >>> count_parameters(MLP())
    44530
    """

    def __init__(
        self,
        in_channels: int = 1,
        image_size: Pair = 28,
        num_classes: int = 10,
        *,
        hidden: Sequence[int] = (56,),
    ) -> None:
        super().__init__()
        self.input_shape = _input_shape(in_channels, image_size)
        widths = [math.prod(self.input_shape), *hidden]
        self.norms = nn.ModuleList(nn.BatchNorm1d(w, affine=False) for w in widths[:-1])
        self.hidden = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))
        self.linear = nn.Linear(widths[-1], num_classes)

    def _scores(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        for norm, layer in zip(self.norms, self.hidden, strict=True):
            x = F.relu(layer(norm(x)))
        return cast(Tensor, self.linear(x))


def count_parameters(model: nn.Module) -> int:
    """Return the number of trainable parameters of ``model``.

    Examples
    --------
    >>> count_parameters(KANCNN.article())
    94650
    """
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _input_shape(in_channels: int, image_size: Pair) -> tuple[int, int, int]:
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    return in_channels, height, width


def _features(convs: Sequence[nn.Module], input_shape: tuple[int, int, int]) -> int:
    """Return the number of features after all convolutions, each with pooling."""
    x = torch.zeros(1, *input_shape)
    try:
        with torch.no_grad():
            for conv in convs:
                x = F.max_pool2d(conv(x), 2)
    except (ValueError, RuntimeError) as error:
        height, width = input_shape[1:]
        raise ValueError(
            f"image_size {height}×{width} is too small for {len(convs)} convolutions with pooling"
        ) from error
    return x.numel()
