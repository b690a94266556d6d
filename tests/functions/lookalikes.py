"""Modules with the attributes and formulas that libraries outside PyPI document.

They are written from DESIGN section 7 and the libraries' own descriptions, for tests that
cannot install the libraries. Each class has the name of the class it stands for; what it
computes is spelled out as plainly as possible.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def b_splines(x: Tensor, knots: Tensor, order: int) -> Tensor:
    """Cox and de Boor's recursion: x (..., in), knots (in, K) to (..., in, K - order - 1)."""
    x = x.unsqueeze(-1)
    values = ((x >= knots[..., :-1]) & (x < knots[..., 1:])).to(x.dtype)
    for k in range(1, order + 1):
        left = (x - knots[..., : -k - 1]) / (knots[..., k:-1] - knots[..., : -k - 1])
        right = (knots[..., k + 1 :] - x) / (knots[..., k + 1 :] - knots[..., 1:-k])
        values = left * values[..., :-1] + right * values[..., 1:]
    return values


def even_knots(grid_size: int, order: int, low: float = -1.0, high: float = 1.0) -> Tensor:
    h = (high - low) / grid_size
    return torch.arange(-order, grid_size + order + 1) * h + low


class KANLinear(nn.Module):
    """efficient-kan: base_weight·act(x) + spline_scaler·Σ spline_weight·B(x)."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        grid_size: int = 5,
        spline_order: int = 3,
        enable_standalone_scale_spline: bool = True,
        base_activation: type[nn.Module] = nn.SiLU,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.grid_size, self.spline_order = grid_size, spline_order
        grid = even_knots(grid_size, spline_order).expand(in_features, -1).contiguous()
        self.register_buffer("grid", grid)
        nb = grid_size + spline_order
        self.base_weight = nn.Parameter(torch.randn(out_features, in_features))
        self.spline_weight = nn.Parameter(torch.randn(out_features, in_features, nb))
        self.enable_standalone_scale_spline = enable_standalone_scale_spline
        if enable_standalone_scale_spline:
            self.spline_scaler = nn.Parameter(torch.randn(out_features, in_features))
        self.base_activation = base_activation()

    def forward(self, x: Tensor) -> Tensor:
        weight = self.spline_weight
        if self.enable_standalone_scale_spline:
            weight = weight * self.spline_scaler.unsqueeze(-1)
        splines = b_splines(x, self.grid, self.spline_order)
        base = self.base_activation(x) @ self.base_weight.T
        return base + torch.einsum("...ib,oib->...o", splines, weight)


class KAN(nn.Module):
    """efficient-kan's network."""

    def __init__(self, layers_hidden: list[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList([KANLinear(i, o) for i, o in pairwise(layers_hidden)])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


class KAN_Convolution(nn.Module):
    """Convolutional-KANs: one kernel, a KANLinear from the K² entries of a patch to one number."""

    def __init__(self, kernel_size: tuple[int, int]) -> None:
        super().__init__()
        self.conv = KANLinear(math.prod(kernel_size), 1)


class KAN_Convolutional_Layer(nn.Module):
    """Convolutional-KANs of 2025: a kernel for every (output, input) pair."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, int] = (2, 2),
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int] = (0, 0),
        dilation: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = kernel_size, stride
        self.padding, self.dilation = padding, dilation
        self.convs = nn.ModuleList(
            [KAN_Convolution(kernel_size) for _ in range(in_channels * out_channels)]
        )

    def patches(self, x: Tensor) -> tuple[Tensor, tuple[int, ...]]:
        """Return (n, channels, positions, entries) and the output's height and width."""
        n, c, height, width = x.shape
        size = tuple(
            (length + 2 * p - d * (k - 1) - 1) // s + 1
            for length, k, s, p, d in zip(
                (height, width),
                self.kernel_size,
                self.stride,
                self.padding,
                self.dilation,
                strict=True,
            )
        )
        unfolded = F.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)
        return unfolded.reshape(n, c, math.prod(self.kernel_size), -1).transpose(2, 3), size

    def forward(self, x: Tensor) -> Tensor:
        patches, size = self.patches(x)
        outputs = []
        for o in range(self.out_channels):
            kernels = self.convs[o * self.in_channels : (o + 1) * self.in_channels]
            outputs.append(sum(k.conv(patches[:, i])[..., 0] for i, k in enumerate(kernels)))
        return torch.stack(outputs, dim=1).reshape(len(x), -1, *size)


class _ArticleLayer(nn.Module):
    """Convolutional-KANs of 2024: n_convs kernels, each applied to every input channel."""

    patches = KAN_Convolutional_Layer.patches

    def __init__(
        self,
        n_convs: int,
        kernel_size: tuple[int, int] = (2, 2),
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int] = (0, 0),
    ) -> None:
        super().__init__()
        self.n_convs, self.kernel_size = n_convs, kernel_size
        self.stride, self.padding, self.dilation = stride, padding, (1, 1)
        self.convs = nn.ModuleList([KAN_Convolution(kernel_size) for _ in range(n_convs)])

    def forward(self, x: Tensor) -> Tensor:
        patches, size = self.patches(x)
        outputs = [k.conv(patches[:, c])[..., 0] for c in range(x.shape[1]) for k in self.convs]
        return torch.stack(outputs, dim=1).reshape(len(x), -1, *size)


# The two eras gave different classes the same name.
_ArticleLayer.__name__ = "KAN_Convolutional_Layer"
ArticleLayer = _ArticleLayer


class RadialBasisFunction(nn.Module):
    """fast-kan: exp(−((x − grid)/denominator)²)."""

    def __init__(self, low: float = -2.0, high: float = 2.0, num_grids: int = 8) -> None:
        super().__init__()
        self.grid = nn.Parameter(torch.linspace(low, high, num_grids), requires_grad=False)
        self.denominator = (high - low) / (num_grids - 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.exp(-(((x[..., None] - self.grid) / self.denominator) ** 2))


class SplineLinear(nn.Linear):
    """fast-kan and faster-kan: a linear layer without bias."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features, bias=False)


class FastKANLayer(nn.Module):
    """fast-kan: Gaussians of LayerNorm(x), plus a linear layer with bias of act(x)."""

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        use_base_update: bool = True,
        use_layernorm: bool = True,
        base_activation=F.silu,
    ) -> None:
        super().__init__()
        self.layernorm = nn.LayerNorm(input_dim) if use_layernorm else None
        self.rbf = RadialBasisFunction()
        self.spline_linear = SplineLinear(input_dim * 8, output_dim)
        self.use_base_update = use_base_update
        if use_base_update:
            self.base_activation = base_activation
            self.base_linear = nn.Linear(input_dim, output_dim)

    def forward(self, x: Tensor) -> Tensor:
        normed = x if self.layernorm is None else self.layernorm(x)
        out = self.spline_linear(self.rbf(normed).flatten(-2))
        if self.use_base_update:
            out = out + self.base_linear(self.base_activation(x))
        return out


class ReflectionalSwitchFunction(nn.Module):
    """faster-kan: 1 − tanh²(x − grid)."""

    def __init__(self) -> None:
        super().__init__()
        self.grid = nn.Parameter(torch.linspace(-1.2, 0.2, 8), requires_grad=False)
        self.inv_denominator = nn.Parameter(torch.tensor(0.5), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return 1 - torch.tanh(x[..., None] - self.grid) ** 2


class FasterKANLayer(nn.Module):
    """faster-kan: switches of LayerNorm(x)."""

    def __init__(self, input_dim: int, output_dim: int) -> None:
        super().__init__()
        self.layernorm = nn.LayerNorm(input_dim)
        self.rbf = ReflectionalSwitchFunction()
        self.spline_linear = SplineLinear(input_dim * 8, output_dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.spline_linear(self.rbf(self.layernorm(x)).flatten(-2))


# -- torch-conv-kan ---------------------------------------------------------------------


class _GroupedConv(nn.Module):
    """A base convolution and one over a basis, for each group; a norm and an activation follow."""

    base = True
    dimensions = 2

    def __init__(
        self, input_dim, output_dim, kernel_size, groups=1, padding=0, stride=1, dilation=1, **own
    ) -> None:
        super().__init__()
        self.inputdim, self.outdim, self.kernel_size = input_dim, output_dim, kernel_size
        self.padding, self.stride, self.dilation = padding, stride, dilation
        self.groups = groups
        self.base_activation = nn.SiLU()
        self.c, self.o = input_dim // groups, output_dim // groups
        if self.base:
            self.base_conv = self.convs(self.c, self.o)
        self.layer_norm = nn.ModuleList([self.norm(self.o) for _ in range(groups)])
        self.build(**own)

    @property
    def conv(self):
        return (nn.Conv1d, nn.Conv2d, nn.Conv3d)[self.dimensions - 1]

    @property
    def norm(self):
        return (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)[self.dimensions - 1]

    def convs(self, inputs: int, outputs: int, kernel_size: int | None = None) -> nn.ModuleList:
        if kernel_size is not None:
            make = [self.conv(inputs, outputs, kernel_size, bias=False) for _ in range(self.groups)]
            return nn.ModuleList(make)
        settings = (self.kernel_size, self.stride, self.padding, self.dilation)
        return nn.ModuleList(
            [self.conv(inputs, outputs, *settings, bias=False) for _ in range(self.groups)]
        )

    def convolved(self, x: Tensor, weight: Tensor) -> Tensor:
        convolve = (F.conv1d, F.conv2d, F.conv3d)[self.dimensions - 1]
        return convolve(x, weight, None, self.stride, self.padding, self.dilation)

    def forward(self, x: Tensor) -> Tensor:
        parts = [
            self.base_activation(self.layer_norm[g](self.total(part, g)))
            for g, part in enumerate(x.split(self.c, dim=1))
        ]
        return torch.cat(parts, dim=1)


def channels_first(values: Tensor) -> Tensor:
    """(n, C, H, W, nb) to (n, C·nb, H, W), channel c·nb + b."""
    return values.movedim(-1, 2).flatten(1, 2)


def degrees_first(values: list[Tensor]) -> Tensor:
    """A list of (n, C, H, W) to (n, nb·C, H, W), channel b·C + c."""
    return torch.cat(values, dim=1)


class KANConv2DLayer(_GroupedConv):
    def build(self, grid_size: int = 5, spline_order: int = 3) -> None:
        self.grid_size, self.spline_order = grid_size, spline_order
        self.base_activation = nn.GELU()
        self.spline_conv = self.convs(self.c * (grid_size + spline_order), self.o)
        self.grid = even_knots(grid_size, spline_order)

    def total(self, x: Tensor, g: int) -> Tensor:
        splines = channels_first(b_splines(x, self.grid.to(x), self.spline_order))
        return self.base_conv[g](self.base_activation(x)) + self.spline_conv[g](splines)


class FastKANConv2DLayer(_GroupedConv):
    def build(self, norm_layer=None) -> None:
        self.rbf = RadialBasisFunction()
        self.spline_conv = self.convs(self.c * 8, self.o)
        self.layer_norm = nn.ModuleList(
            [(norm_layer or self.norm)(self.c) for _ in range(self.groups)]
        )

    def forward(self, x: Tensor) -> Tensor:
        parts = []
        for g, part in enumerate(x.split(self.c, dim=1)):
            bumps = channels_first(self.rbf(self.layer_norm[g](part)))
            base = self.base_conv[g](self.base_activation(part))
            parts.append(base + self.spline_conv[g](bumps))
        return torch.cat(parts, dim=1)


class KACNConv2DLayer(_GroupedConv):
    base = False

    def build(self, degree: int = 3) -> None:
        self.degree = degree
        self.poly_conv = self.convs(self.c * (degree + 1), self.o)

    def total(self, x: Tensor, g: int) -> Tensor:
        angle = torch.acos(torch.tanh(x).clamp(-1 + 1e-7, 1 - 1e-7))
        waves = torch.cos(angle[..., None] * torch.arange(self.degree + 1))
        return self.poly_conv[g](channels_first(waves))


def gram_polynomials(x: Tensor, betas: Tensor) -> list[Tensor]:
    """Return G_0 = 1, G_1 = x, G_m = x·G_(m−1) − β(m − 1, m)·G_(m−2)."""
    values = [torch.ones_like(x), x]
    for m in range(2, len(betas)):
        n = m - 1
        beta = (m + n) * (m - n) * n**2 / (m**2 / (4.0 * n**2 - 1.0)) * betas[n]
        values.append(x * values[-1] - beta * values[-2])
    return values


class KAGNConv2DLayer(_GroupedConv):
    def build(self, degree: int = 3) -> None:
        self.degree = degree
        size = (self.kernel_size,) * self.dimensions
        shape = (self.groups, self.o, self.c * (degree + 1), *size)
        self.poly_weights = nn.Parameter(0.3 * torch.randn(*shape))
        self.beta_weights = nn.Parameter(0.1 * torch.randn(degree + 1))

    def total(self, x: Tensor, g: int) -> Tensor:
        values = gram_polynomials(torch.tanh(x), self.beta_weights)
        basis = self.base_activation(degrees_first(values))
        base = self.base_conv[g](self.base_activation(x))
        return base + self.convolved(basis, self.poly_weights[g])


class KAGNConv2DLayerV2(_GroupedConv):
    def build(self, degree: int = 3) -> None:
        self.degree = degree
        settings = (self.kernel_size, self.stride, self.padding, self.dilation, self.groups)
        nb = degree + 1
        self.base_conv = nn.Conv2d(self.inputdim, self.outdim, *settings, bias=False)
        self.poly_conv = nn.Conv2d(self.inputdim * nb, self.outdim, *settings, bias=False)
        self.layer_norm = nn.InstanceNorm2d(self.outdim)
        self.beta_weights = nn.Parameter(0.1 * torch.randn(nb))

    def forward(self, x: Tensor) -> Tensor:
        values = degrees_first(gram_polynomials(torch.tanh(x), self.beta_weights))
        total = self.base_conv(self.base_activation(x))
        total = total + self.poly_conv(self.base_activation(values))
        return self.base_activation(self.layer_norm(total))


def jacobi_polynomials(t: Tensor, degree: int, a: float, b: float) -> list[Tensor]:
    """Return P_n^(a,b)(t) by the explicit sum (Abramowitz and Stegun, 22.3.2)."""
    values = []
    for n in range(degree + 1):
        total = torch.zeros_like(t)
        for m in range(n + 1):
            factor = math.comb(n, m) * math.gamma(a + b + n + m + 1) / math.gamma(a + m + 1)
            total = total + factor * ((t - 1) / 2) ** m
        scale = math.gamma(a + n + 1) / (math.factorial(n) * math.gamma(a + b + n + 1))
        values.append(scale * total)
    return values


class KAJNConv2DLayer(_GroupedConv):
    def build(self, degree: int = 3, a: float = 1.0, b: float = 1.0) -> None:
        self.degree, self.a, self.b = degree, a, b
        size = (self.kernel_size,) * self.dimensions
        shape = (self.groups, self.o, self.c * (degree + 1), *size)
        self.poly_weights = nn.Parameter(0.3 * torch.randn(*shape))

    def total(self, x: Tensor, g: int) -> Tensor:
        values = jacobi_polynomials(torch.tanh(x), self.degree, self.a, self.b)
        return self.base_conv[g](x) + self.convolved(degrees_first(values), self.poly_weights[g])


class ReLUKANConv2DLayer(_GroupedConv):
    def build(self, g: int = 5, k: int = 3) -> None:
        self.g, self.k, self.r = g, k, 4 * g * g / ((k + 1) * (k + 1))
        self.phases(self.c)
        self.relukan_conv = self.convs(self.c * (g + k), self.o)

    def phases(self, inputs: int) -> None:
        low = torch.arange(-self.k, self.g) / self.g
        high = low + (self.k + 1) / self.g
        for name, phase in (("phase_low", low), ("phase_high", high)):
            expanded = (
                phase.expand(inputs, -1).reshape(1, inputs, -1, *[1] * self.dimensions).clone()
            )
            setattr(self, name, nn.Parameter(expanded))

    def bumps(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(2)
        bumps = F.relu(x - self.phase_low) * F.relu(self.phase_high - x) * self.r
        return (bumps * bumps).flatten(1, 2)

    def total(self, x: Tensor, g: int) -> Tensor:
        return self.base_conv[g](self.base_activation(x)) + self.relukan_conv[g](self.bumps(x))


class BottleNeckKAGNConv2DLayer(_GroupedConv):
    def build(self, degree: int = 3, inner: int = 2) -> None:
        self.degree = degree
        self.inner_proj = self.convs(self.c, inner, 1)
        self.out_proj = self.convs(inner, self.o, 1)
        size = (self.kernel_size,) * self.dimensions
        shape = (self.groups, inner, inner * (degree + 1), *size)
        self.poly_weights = nn.Parameter(0.3 * torch.randn(*shape))
        self.beta_weights = nn.Parameter(0.1 * torch.randn(degree + 1))

    def total(self, x: Tensor, g: int) -> Tensor:
        base = self.base_conv[g](self.base_activation(x))
        values = gram_polynomials(torch.tanh(self.inner_proj[g](x)), self.beta_weights)
        basis = self.base_activation(degrees_first(values))
        return base + self.out_proj[g](self.convolved(basis, self.poly_weights[g]))


class BottleNeckReLUKANConv2DLayer(ReLUKANConv2DLayer):
    def build(self, g: int = 5, k: int = 3, inner: int = 2) -> None:
        super().build(g, k)
        self.phases(inner)
        self.inner_proj = self.convs(self.c, inner, 1)
        self.out_proj = self.convs(inner, self.o, 1)
        self.relukan_conv = self.convs(inner * (g + k), inner)

    def total(self, x: Tensor, g: int) -> Tensor:
        base = self.base_conv[g](self.base_activation(x))
        return base + self.out_proj[g](self.relukan_conv[g](self.bumps(self.inner_proj[g](x))))


TORCH_CONV_KAN = {
    made.__name__: made
    for made in (
        KANConv2DLayer,
        FastKANConv2DLayer,
        KACNConv2DLayer,
        KAGNConv2DLayer,
        KAGNConv2DLayerV2,
        KAJNConv2DLayer,
        ReLUKANConv2DLayer,
        BottleNeckKAGNConv2DLayer,
        BottleNeckReLUKANConv2DLayer,
    )
}


class KANLayer(nn.Module):
    """torch-conv-kan's linear layer: splines, then LayerNorm and PReLU."""

    def __init__(self, input_features: int, output_features: int) -> None:
        super().__init__()
        self.spline_order = 3
        self.base_activation = nn.GELU()
        self.base_weight = nn.Parameter(torch.randn(output_features, input_features))
        self.spline_weight = nn.Parameter(torch.randn(output_features, input_features, 8))
        self.layer_norm, self.prelu = nn.LayerNorm(output_features), nn.PReLU()
        self.grid = even_knots(5, 3).expand(input_features, -1).contiguous()

    def forward(self, x: Tensor) -> Tensor:
        splines = b_splines(x, self.grid.to(x), self.spline_order)
        total = self.base_activation(x) @ self.base_weight.T
        total = total + torch.einsum("nib,oib->no", splines, self.spline_weight)
        return self.prelu(self.layer_norm(total))


class ChebyKANLayer(nn.Module):
    def __init__(self, input_dim: int, output_dim: int, degree: int = 3) -> None:
        super().__init__()
        self.cheby_coeffs = nn.Parameter(torch.randn(input_dim, output_dim, degree + 1))

    def forward(self, x: Tensor) -> Tensor:
        degrees = torch.arange(self.cheby_coeffs.shape[-1])
        waves = torch.cos(torch.acos(torch.tanh(x))[..., None] * degrees)
        return torch.einsum("nib,iob->no", waves, self.cheby_coeffs)


class GRAMLayer(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, degree: int = 3) -> None:
        super().__init__()
        self.degrees, self.act, self.norm = degree, nn.SiLU(), nn.LayerNorm(out_channels)
        self.beta_weights = nn.Parameter(0.1 * torch.randn(degree + 1))
        self.grams_basis_weights = nn.Parameter(torch.randn(in_channels, out_channels, degree + 1))
        self.base_weights = nn.Parameter(torch.randn(out_channels, in_channels))

    def forward(self, x: Tensor) -> Tensor:
        values = torch.stack(gram_polynomials(torch.tanh(x), self.beta_weights), dim=-1)
        total = self.act(x) @ self.base_weights.T
        total = total + torch.einsum("nib,iob->no", self.act(values), self.grams_basis_weights)
        return self.act(self.norm(total))


class JacobiKANLayer(nn.Module):
    def __init__(self, input_dim: int, output_dim: int, degree: int = 3) -> None:
        super().__init__()
        self.degree, self.a, self.b = degree, 1.0, 1.0
        self.act, self.norm = nn.SiLU(), nn.LayerNorm(output_dim)
        self.base_weights = nn.Parameter(torch.randn(output_dim, input_dim))
        self.jacobi_coeffs = nn.Parameter(torch.randn(input_dim, output_dim, degree + 1))

    def forward(self, x: Tensor) -> Tensor:
        values = jacobi_polynomials(torch.tanh(x), self.degree, self.a, self.b)
        total = self.act(x) @ self.base_weights.T
        total = total + torch.einsum("nib,iob->no", torch.stack(values, dim=-1), self.jacobi_coeffs)
        return self.act(self.norm(total))


class ReLUKANLayer(nn.Module):
    """Bumps of each input, put into a matrix row by row, then one convolution of its size."""

    def __init__(self, input_size: int, output_size: int, g: int = 5, k: int = 3) -> None:
        super().__init__()
        self.g, self.k, self.r = g, k, 4 * g * g / ((k + 1) * (k + 1))
        low = torch.arange(-k, g) / g
        self.phase_low = nn.Parameter(low.expand(input_size, -1).clone())
        self.phase_high = nn.Parameter((low + (k + 1) / g).expand(input_size, -1).clone())
        self.equal_size_conv = nn.Conv2d(1, output_size, (g + k, input_size))

    def forward(self, x: Tensor) -> Tensor:
        x = x[..., None]
        bumps = (F.relu(x - self.phase_low) * F.relu(self.phase_high - x) * self.r) ** 2
        matrix = bumps.reshape(len(x), 1, self.g + self.k, -1)
        return self.equal_size_conv(matrix).flatten(1)


class _SplineNetwork(nn.Module):
    """torchkan's network: one module, the weights of all layers in lists, a norm after each sum."""

    def __init__(
        self,
        layers_hidden: list[int],
        grid_size: int = 5,
        spline_order: int = 3,
        base_activation: type[nn.Module] = nn.GELU,
    ) -> None:
        super().__init__()
        self.spline_order, self.base_activation = spline_order, base_activation()
        pairs = list(pairwise(layers_hidden))
        nb = grid_size + spline_order
        self.base_weights = nn.ParameterList([torch.randn(o, i) / i for i, o in pairs])
        self.spline_weights = nn.ParameterList([torch.randn(o, i, nb) / i for i, o in pairs])
        self.layer_norms = nn.ModuleList([nn.LayerNorm(o) for _, o in pairs])
        self.prelus = nn.ModuleList([nn.PReLU() for _ in pairs])
        for layer, (i, _) in enumerate(pairs):
            grid = even_knots(grid_size, spline_order).expand(i, -1).contiguous()
            self.register_buffer(f"grid_{layer}", grid)

    def forward(self, x: Tensor) -> Tensor:
        for layer, norm in enumerate(self.layer_norms):
            splines = b_splines(x, getattr(self, f"grid_{layer}"), self.spline_order)
            total = self.base_activation(x) @ self.base_weights[layer].T
            total = total + torch.einsum("nib,oib->no", splines, self.spline_weights[layer])
            x = self.prelus[layer](norm(total))
        return x


# efficient-kan's and torchkan's networks have the same name.
_SplineNetwork.__name__ = "KAN"
SplineNetwork = _SplineNetwork


# -- layers of one file each ------------------------------------------------------------


class NaiveFourierKANLayer(nn.Module):
    """FourierKAN: Σ_k coeffs[0]·cos kx + coeffs[1]·sin kx, and a bias."""

    def __init__(self, inputdim: int, outdim: int, gridsize: int = 3, addbias: bool = True) -> None:
        super().__init__()
        self.inputdim, self.outdim, self.gridsize = inputdim, outdim, gridsize
        self.addbias = addbias
        self.fouriercoeffs = nn.Parameter(torch.randn(2, outdim, inputdim, gridsize))
        if addbias:
            self.bias = nn.Parameter(torch.zeros(1, outdim))

    def forward(self, x: Tensor) -> Tensor:
        angle = x.reshape(-1, 1, self.inputdim, 1) * torch.arange(1, self.gridsize + 1)
        waves = angle.cos() * self.fouriercoeffs[0] + angle.sin() * self.fouriercoeffs[1]
        y = waves.sum((-2, -1)).reshape(*x.shape[:-1], self.outdim)
        return y + self.bias if self.addbias else y


class BareJacobi(nn.Module):
    """JacobiKAN: Jacobi polynomials of tanh x, without a base."""

    def __init__(self, input_dim: int, output_dim: int, degree: int = 3) -> None:
        super().__init__()
        self.a, self.b, self.degree = 1.0, 0.5, degree
        self.jacobi_coeffs = nn.Parameter(torch.randn(input_dim, output_dim, degree + 1))

    def forward(self, x: Tensor) -> Tensor:
        values = jacobi_polynomials(torch.tanh(x), self.degree, self.a, self.b)
        return torch.einsum("nid,iod->no", torch.stack(values, dim=-1), self.jacobi_coeffs)


class BSRBF_KANLayer(nn.Module):
    """BSRBF_KAN: a base, and splines plus Gaussians, of LayerNorm(x)."""

    def __init__(self, input_dim: int, output_dim: int) -> None:
        super().__init__()
        self.layernorm = nn.LayerNorm(input_dim)
        self.spline_order, self.grid_size = 3, 5
        self.base_activation = nn.SiLU()
        self.base_weight = nn.Parameter(torch.randn(output_dim, input_dim))
        self.spline_weight = nn.Parameter(torch.randn(output_dim, input_dim * 8))
        self.rbf = RadialBasisFunction(-1.5, 1.5, 8)
        self.register_buffer("grid", even_knots(5, 3, -1.5, 1.5).repeat(input_dim, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.layernorm(x)
        both = b_splines(x, self.grid, 3) + self.rbf(x)
        return self.base_activation(x) @ self.base_weight.T + both.flatten(1) @ self.spline_weight.T


class _WideSwitches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.grid = nn.Parameter(torch.linspace(-2, 2, 8), requires_grad=False)
        self.inv_denominator = 1 / 0.33

    def forward(self, x: Tensor) -> Tensor:
        return 1 - torch.tanh((x[..., None] - self.grid) * self.inv_denominator) ** 2


class VisionLayer(FasterKANLayer):
    """Vision-KAN's file of faster-kan: the width acts, and is a plain number."""

    def __init__(self, input_dim: int, output_dim: int) -> None:
        super().__init__(input_dim, output_dim)
        self.rbf = _WideSwitches()


class OldLayer(nn.Module):
    """pykan until 0.0.5: all edges in a row, a grid extended as it runs; returns a tuple."""

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.in_dim, self.out_dim, self.num, self.k = in_dim, out_dim, 5, 3
        edges = in_dim * out_dim
        grid = torch.linspace(-1, 1, 6).repeat(edges, 1)
        grid[1] *= 1.2
        self.grid = nn.Parameter(grid, requires_grad=False)
        self.coef = nn.Parameter(torch.randn(edges, 8))
        self.scale_base, self.scale_sp = (nn.Parameter(torch.randn(edges)) for _ in range(2))
        self.mask = nn.Parameter((torch.arange(edges) != 2).float(), requires_grad=False)
        self.base_fun = nn.SiLU()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        edges = x.unsqueeze(1).expand(-1, self.out_dim, -1).flatten(1)
        step = (self.grid[:, -1:] - self.grid[:, :1]) / 5
        knots = self.grid
        for _ in range(self.k):
            knots = torch.cat([knots[:, :1] - step, knots, knots[:, -1:] + step], dim=1)
        splines = (b_splines(edges, knots, self.k) * self.coef).sum(-1)
        y = self.mask * (self.scale_base * self.base_fun(edges) + self.scale_sp * splines)
        return y.unflatten(1, (self.out_dim, self.in_dim)).sum(2), edges, y, splines


class OldSymbolic(nn.Module):
    """Its symbolic half: c·f(a·x + b) + d on the edges of a mask; returns a tuple."""

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.mask = nn.Parameter(torch.zeros(out_dim, in_dim), requires_grad=False)
        self.funs = [[torch.sin for _ in range(in_dim)] for _ in range(out_dim)]
        self.funs_name = [["sin"] * in_dim for _ in range(out_dim)]
        self.affine = nn.Parameter(torch.randn(out_dim, in_dim, 4))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        a, b, c, d = self.affine.unbind(-1)
        edges = torch.stack(
            [
                torch.stack([f(a[o, i] * x[:, i] + b[o, i]) for i, f in enumerate(row)], -1)
                for o, row in enumerate(self.funs)
            ],
            1,
        )
        y = self.mask * (c * edges + d)
        return y.sum(-1), y


class OldModel(nn.Module):
    """pykan's model until 0.0.5: biases are linear layers that never run."""

    def __init__(self, width: list[int]) -> None:
        super().__init__()
        pairs = list(pairwise(width))
        self.act_fun = nn.ModuleList([OldLayer(*pair) for pair in pairs])
        self.symbolic_fun = nn.ModuleList([OldSymbolic(*pair) for pair in pairs])
        self.biases = nn.ModuleList([nn.Linear(out, 1, bias=False) for _, out in pairs])
        self.width, self.symbolic_enabled = width, True

    def forward(self, x: Tensor) -> Tensor:
        for layer, symbolic, bias in zip(self.act_fun, self.symbolic_fun, self.biases, strict=True):
            x = layer(x)[0] + symbolic(x)[0] + bias.weight
        return x


for _lookalike, _name in {
    OldModel: "KAN",
    BareJacobi: "JacobiKANLayer",
    VisionLayer: "FasterKANLayer",
    OldLayer: "KANLayer",
}.items():
    _lookalike.__name__ = _name
