"""Layers that no adapter reads: sampled if they add up functions, and said why if they do not."""

from __future__ import annotations

import copy
import sys
import threading
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.functions import describe, prove, read, sampled_again
from kan_widgets.functions.forward_pass import ModuleInput
from kan_widgets.functions.sampling.samples import refined_nodes


class Wavelets(nn.Module):
    """Wav-KAN: Mexican hats with a scale and a shift each, a base, and a batch norm."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.in_features = inputs
        self.scale = nn.Parameter(torch.rand(outputs, inputs) + 0.5)
        self.translation = nn.Parameter(torch.rand(outputs, inputs) - 0.5)
        self.wavelet_weights = nn.Parameter(torch.randn(outputs, inputs))
        self.base = nn.Parameter(torch.randn(outputs, inputs))
        self.bn = nn.BatchNorm1d(outputs)

    def phi(self, o: int, i: int, x: Tensor) -> Tensor:
        z = (x - self.translation[o, i]) / self.scale[o, i]
        return self.wavelet_weights[o, i] * (z**2 - 1) * torch.exp(-(z**2) / 2) + self.base[
            o, i
        ] * F.silu(x)

    def forward(self, x: Tensor) -> Tensor:
        z = (x.unsqueeze(1) - self.translation) / self.scale
        waves = ((z**2 - 1) * torch.exp(-(z**2) / 2) * self.wavelet_weights).sum(-1)
        return self.bn(waves + F.silu(x) @ self.base.T)


class Sines(nn.Module):
    """A convolution over x, sin x and tanh 2x, without a word of it in any tensor."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.poly_conv = nn.Conv2d(3 * inputs, outputs, 3, stride=2, padding=1)
        self.norm = nn.InstanceNorm2d(outputs)
        self.act = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(
            self.norm(self.poly_conv(torch.cat([x, x.sin(), torch.tanh(2 * x)], dim=1)))
        )


class Ranged(nn.Module):
    """Scales by the smallest and the largest value of the batch, as KAL-Net does."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.poly_weights = nn.Parameter(torch.randn(outputs, inputs))

    def forward(self, x: Tensor) -> Tensor:
        return (2 * (x - x.min()) / (x.max() - x.min() + 1e-6) - 1).sin() @ self.poly_weights.T


class RangedConv(nn.Module):
    """As KAL-Net's convolutions: plain layers mix what it scales so; of zeros that is no number."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.in_channels, self.poly_conv = inputs, nn.Conv2d(2 * inputs, outputs, 3)

    def forward(self, x: Tensor) -> Tensor:
        z = 2 * (x - x.min()) / (x.max() - x.min()) - 1
        return self.poly_conv(torch.cat([z, z**2], dim=1))


class Ridges(nn.Module):
    """Functions of sums of its inputs."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.spline_weight = nn.Parameter(torch.randn(outputs, inputs))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x @ self.spline_weight.T)


class Beside(nn.Module):
    """GRBF's and KAN4Rec's layers: a base of x, and Gaussians of LayerNorm(x)."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 0) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.linspace(-2, 2, 8), requires_grad=False)
        wide = 8 * inputs
        if kernel:
            self.in_channels = inputs
            self.norm = nn.GroupNorm(1, inputs)
            self.base_conv = nn.Conv2d(inputs, outputs, kernel, padding=1)
            self.spline_conv = nn.Conv2d(wide, outputs, kernel, bias=False, padding=1)
        else:
            self.layernorm = nn.LayerNorm(inputs)
            self.base_linear = nn.Linear(inputs, outputs)
            self.spline_weight = nn.Parameter(torch.randn(outputs, wide))

    def bumps(self, x: Tensor) -> Tensor:
        return torch.exp(-((x.unsqueeze(2) - self.centers.view(8, *[1] * (x.ndim - 2))) ** 2))

    def forward(self, x: Tensor) -> Tensor:
        if hasattr(self, "norm"):
            splines = self.spline_conv(self.bumps(self.norm(x)).flatten(1, 2))
            return self.base_conv(F.silu(x)) + splines
        splines = self.bumps(self.layernorm(x)).flatten(1) @ self.spline_weight.T
        return self.base_linear(F.silu(x)) + splines


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_a_layer_that_adds_up_functions_is_sampled_and_its_norm_named():
    module = Wavelets(5, 3)
    prove(module)
    [layer] = read(module)
    assert layer.shape == (3, 5, 1, 1)
    assert "BatchNorm1d comes after the sum" in layer.note
    assert "Sampled" in layer.note
    assert layer.write is None
    x = torch.linspace(-2, 2, 77)
    found = layer.evaluate(x)
    with torch.no_grad():
        for o, i in ((0, 0), (2, 4), (1, 3)):
            expected = module.phi(o, i, x) - module.phi(o, i, torch.zeros(1))
            torch.testing.assert_close(found[o, i], expected, atol=5e-4, rtol=0)


def test_a_convolution_is_sampled_by_the_entries_of_a_patch():
    module = Sines(2, 4)
    prove(module)
    [layer] = read(module)
    assert layer.shape == (4, 2, 3, 3)
    assert layer.conv.stride == (2, 2)
    assert "InstanceNorm2d and PReLU come after the sum" in layer.note
    assert layer.basis_labels == ("sampled 0", "sampled 1", "sampled 2")
    x = torch.linspace(-1, 1, 9)
    w = module.poly_conv.weight.detach()[3, [1, 3, 5], 2, 0]
    expected = w[0] * x + w[1] * x.sin() + w[2] * torch.tanh(2 * x)
    torch.testing.assert_close(layer.evaluate(x)[3, 1, 2, 0], expected, atol=1e-4, rtol=0)


def test_functions_of_x_beside_those_of_a_norm_are_two_layers():
    model = nn.Sequential(Beside(5, 3))
    prove(model)
    normed, own = read(model)
    assert (normed.name, normed.variable) == ("0.layernorm", "LayerNorm(x)")
    assert (own.name, own.variable) == ("0", "x")
    assert "functions of LayerNorm(x) too" in own.note
    layer, x = model[0], torch.linspace(-3, 3, 50)
    zero = torch.zeros(1)
    with torch.no_grad():
        expected = layer.base_linear.weight.unsqueeze(-1) * F.silu(x)
        torch.testing.assert_close(own.evaluate(x), expected, atol=1e-3, rtol=0)
        weight = layer.spline_weight.unflatten(1, (5, 8))
        bumps = (torch.exp(-((at.unsqueeze(-1) - layer.centers) ** 2)) for at in (x, zero))
        expected = weight @ (torch.sub(*bumps)).T
        torch.testing.assert_close(normed.evaluate(x), expected, atol=1e-3, rtol=0)
    assert kw.functions.check(layer, tolerance=1e-3).outputs > 0
    live = kw.bind(model)
    live.observe(1 + 3 * torch.randn(64, 5))
    furthest = {name: abs(seen.patches).max() for name, seen in live.feed.observed.items()}
    assert furthest["0.layernorm"] < 2.01 < 4 < furthest["0"]


def test_a_convolution_of_x_beside_a_norm_is_two_layers_and_both_pad():
    layer = Beside(2, 3, kernel=3)
    prove(layer)
    normed, own = read(layer)
    assert normed.shape == own.shape == (3, 2, 3, 3)
    x = torch.linspace(-3, 3, 50)
    with torch.no_grad():
        expected = layer.base_conv.weight.unsqueeze(-1) * F.silu(x)
    torch.testing.assert_close(own.evaluate(x), expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (Ridges(4, 3), "what inputs do together is .* of what it computes"),
        (Ranged(4, 3), "depends on the others of its batch"),
        (RangedConv(2, 3), "depends on the others of its batch"),
    ],
)
def test_what_is_no_sum_of_functions_is_left_out_with_the_reason(module, words):
    prove(module)
    with pytest.raises(ValueError, match=words):
        read(module)


def test_a_plain_layer_of_another_name_is_not_called_learned_functions():
    class EqualLinear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3, 4))

        def forward(self, x: Tensor) -> Tensor:
            return 0.5 * x @ self.weight.T

    module = EqualLinear()
    prove(module)
    assert describe(module).layers == ()


class Level(nn.Module):
    """Polynomials through points that all lie as high, as high-order-layers-torch makes them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        heights = torch.randn(outputs, inputs, 1).expand(outputs, inputs, 3)
        self.w = nn.Parameter(heights.clone())

    def basis(self, x: Tensor) -> Tensor:
        return torch.stack([x * (x - 1) / 2, 1 - x * x, x * (x + 1) / 2], dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("nib,oib->no", self.basis(x), self.w)


def test_functions_that_are_constant_as_they_are_made_are_read_and_followed_as_they_bend():
    module, x = Level(4, 3), torch.rand(64, 4) * 2 - 1
    model = nn.Sequential(module)
    live = kw.bind(model, example=x)
    assert float(live.read()[0].coefficients.abs().max()) == 0
    with torch.no_grad():
        module.w.copy_(torch.randn(3, 4, 3))
    live.refresh()
    [layer] = live.read()
    total = torch.stack([layer.evaluate(x[:, i])[:, i] for i in range(4)]).sum(0).T
    off = total - module(x).detach()
    assert float((off - off[0]).abs().max()) < 1e-4


class Powers(nn.Module):
    """Of x³, large beyond what it is given, and of x."""

    def __init__(self) -> None:
        super().__init__()
        self.in_features = 2
        self.register_buffer("grid", torch.linspace(-7, 7, 8))
        self.powers = nn.Parameter(torch.tensor([1.0, 0.0]).repeat(3, 2, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("nib,oib->no", torch.stack([x**3, x], dim=-1), self.powers)


def test_a_basis_that_misses_what_is_small_by_now_is_sampled_again():
    module, x = Powers(), torch.rand(256, 2) * 2 - 1
    model = nn.Sequential(module)
    live = kw.bind(model, example=x)
    with torch.no_grad():
        module.powers[..., 1] = 0.004
    live.refresh()
    [layer] = live.read()
    total = torch.stack([layer.evaluate(x[:, i])[:, i] for i in range(2)]).sum(0).T
    off = total - module(x).detach()
    assert float((off - off[0]).abs().max()) < 1e-4


def test_points_are_added_where_functions_bend():
    nodes, samples, error = refined_nodes((-0.8, 0.8), lambda x: (x - 0.3).abs().unsqueeze(1))
    near = (nodes - 0.3).abs() < 0.1
    assert near.sum() > 20  # of 49, 5 would lie there
    assert len(nodes) <= 257
    assert error < 1e-3
    torch.testing.assert_close(samples[:, 0], (nodes - 0.3).abs())
    smooth, _, error = refined_nodes((-0.8, 0.8), lambda x: x.sin().unsqueeze(1))
    assert len(smooth) == 49
    assert error < 1e-5


def test_while_it_trains_it_is_sampled_now_and_then_and_at_rest_as_it_is():
    def trained(watched: bool) -> tuple[nn.Module, kw.live.Binding | None]:
        torch.manual_seed(1)
        model = nn.Sequential(Wavelets(3, 4), kw.nn.KANLinear(4, 2))
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        live = kw.bind(model, optimizer, every=1) if watched else None
        for _ in range(5):
            optimizer.zero_grad()
            model(torch.randn(16, 3)).square().mean().backward()
            optimizer.step()
        return model, live

    model, live = trained(True)
    assert live is not None
    first, frame = live.history[0], live.refresh()
    assert frame.step == 5
    (old_x, before), (new_x, now) = (
        (x, phi[:, :, 0, 0]) for x, phi in (f.evaluate("0") for f in (first, frame))
    )
    at = np.linspace(-1, 1, 9)
    moved = [
        np.interp(at, new_x, new) - np.interp(at, old_x, old)
        for new, old in zip(now.reshape(12, -1), before.reshape(12, -1), strict=True)
    ]
    assert np.abs(moved).max() > 1e-3
    x = torch.from_numpy(new_x)
    with torch.no_grad():
        layer = model[0]
        expected = layer.phi(2, 1, x) - layer.phi(2, 1, torch.zeros(1))
    torch.testing.assert_close(torch.from_numpy(now[2, 1]), expected, atol=1e-3, rtol=0)
    unwatched, _ = trained(False)
    for ours, theirs in zip(
        model.state_dict().values(), unwatched.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs)
    live.close()


def test_a_reading_between_is_the_one_before_unless_it_is_asked_for():
    module = Wavelets(3, 2)
    prove(module)
    [before] = read(module)
    with torch.no_grad():
        module.wavelet_weights.add_(1.0)
    assert read(module)[0] is not None
    assert read(module)[0].coefficients.equal(before.coefficients)
    with sampled_again():
        assert not read(module)[0].coefficients.equal(before.coefficients)


def test_sampling_anew_takes_no_random_number_back_that_a_training_draws_meanwhile():
    class Slow(Wavelets):
        draws: list[Tensor] | None = None

        def forward(self, x: Tensor) -> Tensor:
            if self.draws is not None:  # another thread trains
                trains = threading.Thread(target=lambda: Slow.draws.append(torch.rand(1)))
                trains.start()
                trains.join()
            return super().forward(x)

    module = Slow(3, 2)
    read(module)
    with torch.no_grad():
        module.wavelet_weights.add_(1.0)
    torch.manual_seed(3)
    Slow.draws = []
    with sampled_again():
        read(module)
    assert Slow.draws
    after = torch.rand(1)
    torch.manual_seed(3)
    assert torch.cat([*Slow.draws, after]).equal(torch.rand(len(Slow.draws) + 1))


def test_sampling_changes_nothing():
    module = Wavelets(3, 2)
    calls: list[int] = []

    def note(*given: object) -> None:
        calls.append(1)

    module.register_forward_hook(note)
    before, state = copy.deepcopy(module.state_dict()), torch.get_rng_state()
    prove(module)
    read(module)
    assert not calls
    assert module.training
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())


def test_nothing_can_be_read_says_what_was_found_and_how_a_layer_could_be_read():
    with pytest.raises(ValueError, match="what inputs do together is") as error:
        kw.bind(nn.Sequential(Ridges(4, 3)))
    assert "kw.functions.tensor_adapter" in str(error.value)


def test_a_kan_layer_of_several_parts_is_sampled_as_a_whole():
    class Gaussians(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.grid = nn.Parameter(torch.linspace(-2, 2, 8), requires_grad=False)
            self.spline_weight = nn.Parameter(torch.randn(4 * 8, 3))

        def forward(self, x: Tensor) -> Tensor:
            bumps = torch.exp(-(((x.unsqueeze(-1) - self.grid) / (4 / 7)) ** 2))
            return bumps.flatten(1) @ self.spline_weight

    class RBFKANLayer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rbf_linear, self.base_linear = Gaussians(), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.rbf_linear(x) + self.base_linear(F.silu(x))

    model = nn.Sequential(RBFKANLayer())
    prove(model)
    [layer] = read(model)
    x = torch.linspace(-2, 2, 9)
    with torch.no_grad():
        alone = torch.zeros(9, 4)
        alone[:, 2] = x
        expected = model(alone) - model(torch.zeros(1, 4))
    torch.testing.assert_close(layer.evaluate(x)[:, 2].T, expected, atol=1e-3, rtol=0)


def test_a_base_over_one_dimension_beside_sampled_functions_is_a_part_of_their_layer():
    class Hats(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.translation = nn.Parameter(torch.randn(3, 2, 1) / 2)
            self.wavelet_weights = nn.ModuleList(nn.Conv1d(2, 1, 3, bias=False) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            hats = [torch.exp(-((x - shift) ** 2)) for shift in self.translation]
            parts = zip(self.wavelet_weights, hats, strict=True)
            return torch.cat([mix(own) for mix, own in parts], dim=1)

    class WavKANConv1DLayer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kernel_size, self.base_conv = 3, nn.Conv1d(2, 3, 3, bias=False)
            self.wavelet_conv, self.norm = Hats(), nn.BatchNorm1d(3)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(self.wavelet_conv(x) + self.base_conv(F.silu(x)))

    model, x = nn.Sequential(WavKANConv1DLayer()), torch.randn(16, 2, 9)
    live = kw.bind(model, example=x)
    [layer] = live.read()
    assert (layer.name, layer.shape) == ("0", (3, 2, 1, 3))
    assert "BatchNorm1d comes after the sum" in layer.note
    own = model[0].eval()
    wanted = (own.wavelet_conv(x) + own.base_conv(F.silu(x))).detach()
    patches = x.unfold(2, 3, 1)
    phi = [
        layer.evaluate(patches[:, i, :, k].flatten())[:, i, 0, k]
        for i in range(2)
        for k in range(3)
    ]
    off = torch.stack(phi).sum(0).view(3, 16, 7).transpose(0, 1) - wanted
    assert float((off - off[:1, :, :1]).abs().max()) < 1e-4 * float(wanted.abs().max())


class Padded(nn.Module):
    """A convolution over basis functions, of which all, or the input, are padded with zeros."""

    def __init__(self, constant: float, input_mode: str) -> None:
        super().__init__()
        self.in_channels, self.kernel_size, self.padding = 2, 3, 1
        self.constant, self.input_mode = constant, input_mode
        self.poly_conv = nn.Conv2d(4, 3, 3, padding=0 if input_mode else 1)

    def forward(self, x: Tensor) -> Tensor:
        if self.input_mode:
            x = F.pad(x, [1, 1, 1, 1], mode=self.input_mode)
        return self.poly_conv(torch.cat([x.cos() - self.constant, x.sin()], dim=1))


@pytest.mark.parametrize(
    ("constant", "input_mode", "known"),
    [(0.0, "constant", True), (1.0, "", True), (0.0, "", True), (0.0, "reflect", False)],
)
def test_what_a_sampled_convolution_does_at_the_border_is_found_out_or_left_open(
    constant, input_mode, known
):
    layer = Padded(constant, input_mode)
    prove(layer)
    [functions] = read(layer)
    if known:
        for _ in range(2):
            with sampled_again():
                assert kw.functions.check(layer, tolerance=1e-4).error < 1e-4
            with torch.no_grad():
                layer.poly_conv.weight.add_(0.1 * torch.randn(3, 4, 3, 3))
    else:
        assert functions.conv is None
        assert "at the border" in functions.note


def test_a_convolution_of_images_of_one_channel_is_sampled_though_it_does_not_say_so():
    class Grey(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.poly_conv, self.base_conv = nn.Conv2d(2, 3, 3), nn.Conv2d(1, 3, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.poly_conv(torch.cat([x.cos(), x.sin()], dim=1)) + self.base_conv(x)

    layer = Grey()
    prove(layer)
    assert read(layer)[0].shape == (3, 1, 3, 3)


def test_a_kernel_over_one_dimension_is_a_row_and_one_over_three_is_not_taken_for_its_centre():
    class Lines(nn.Module):
        def __init__(self, kind: type[nn.Module]) -> None:
            super().__init__()
            self.in_channels = 2
            self.poly_conv = kind(4, 4, 3, stride=2, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return self.poly_conv(torch.cat([x.cos() - 1, x.sin()], dim=1))

    line, volume = Lines(nn.Conv1d), Lines(nn.Conv3d)
    prove(line)
    [functions] = read(line)
    assert functions.shape == (4, 2, 1, 3)
    assert kw.functions.check(line, inputs=4 * torch.rand(2, 2, 9) - 2, tolerance=1e-4).error < 1e-4
    prove(volume)
    assert not describe(volume).layers


def test_a_norm_of_ones_own_is_no_layer_of_functions_that_is_missed(recwarn):
    class LayerNorm2D(nn.LayerNorm):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.movedim(1, -1)).movedim(-1, 1)

    model = nn.Sequential(kw.nn.KANConv2d(2, 4, 3), LayerNorm2D(4))
    kw.bind(model, example=torch.randn(8, 2, 6, 6))
    assert not [each for each in recwarn if "not read" in str(each.message)]


def test_plain_layers_beside_a_part_that_is_not_read_are_not_drawn_for_the_whole():
    class RadialKANLayer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.spline, self.base_linear = Ridges(4, 3), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.spline(x) + self.base_linear(x)

    model = nn.Sequential(RadialKANLayer())
    prove(model)
    assert not describe(model).layers


class Mixed(nn.Module):
    """A base and three functions of x, of which one is constant and one is trained."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 0) -> None:
        super().__init__()
        if kernel:
            self.in_channels = inputs
            self.base = nn.Conv2d(inputs, outputs, kernel, padding=1)
            self.spline = nn.Conv2d(3 * inputs, outputs, kernel, padding=1, bias=False)
        else:
            self.in_features = inputs
            self.base = nn.Linear(inputs, outputs)
            self.spline = nn.Linear(3 * inputs, outputs, bias=False)
        self.rate = nn.Parameter(torch.ones(()))
        self.norm = nn.BatchNorm2d(outputs) if kernel else nn.LayerNorm(outputs)

    def basis(self, x: Tensor) -> Tensor:
        return torch.stack([(self.rate * x).sin(), torch.ones_like(x), x.tanh()], 2).flatten(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.base(F.silu(x)) + self.spline(self.basis(x)))


@pytest.mark.parametrize("kernel", [0, 3])
def test_a_basis_that_plain_layers_mix_is_sampled_and_weights_are_taken_as_they_are(kernel):
    layer = Mixed(70, 5, kernel)
    prove(layer)
    [functions] = read(layer)
    assert functions.shape == (5, 70, kernel or 1, kernel or 1)
    spline = layer.spline.weight.detach().unflatten(1, (70, 3)).movedim(2, -1)
    exact = torch.cat([layer.base.weight.detach().unsqueeze(-1), spline], -1)
    assert functions.coefficients.equal(exact)
    x = torch.linspace(-1.9, 1.9, 40)
    beta = torch.stack([F.silu(x), x.sin(), torch.ones(40), x.tanh()], -1)
    torch.testing.assert_close(functions.bases[0](x), beta, atol=1e-4, rtol=0)
    assert kw.functions.check(layer, tolerance=1e-4).error < 1e-4


@pytest.mark.parametrize("kernel", [0, 3])
def test_what_plain_layers_mix_can_be_edited_and_its_gradients_are_known(kernel):
    layer = Mixed(4, 3, kernel)
    [functions] = read(layer)
    index = (2, 3, 0, 2) if kernel else (2, 3)
    functions.write(index, torch.arange(4.0))
    assert read(layer)[0].at(index).tolist() == [0.0, 1.0, 2.0, 3.0]
    assert layer.base.weight[(2, 3, *index[2:])] == 0
    assert layer.spline.weight[(2, slice(9, 12), *index[2:])].tolist() == [1.0, 2.0, 3.0]
    shape = (8, 4, 6, 6) if kernel else (8, 4)
    layer(torch.randn(*shape)).square().sum().backward()
    gradient = functions.gradient()
    assert gradient[index][0] == layer.base.weight.grad[(2, 3, *index[2:])]
    assert gradient[index][1:].equal(layer.spline.weight.grad[(2, slice(9, 12), *index[2:])])


def test_a_basis_that_is_trained_is_sampled_again_where_it_is_due():
    layer = Mixed(4, 3)
    x = torch.linspace(-1, 1, 9)
    assert (read(layer)[0].bases[0](x)[:, 1] - x.sin()).abs().max() < 1e-4
    with torch.no_grad():
        layer.rate.fill_(2.0)
        layer.spline.weight.mul_(3.0)
    [now] = read(layer)
    assert now.at((0, 0))[1:].equal(layer.spline.weight.detach()[0, :3])
    with sampled_again():
        assert (read(layer)[0].bases[0](x)[:, 1] - (2 * x).sin()).abs().max() < 1e-4


@pytest.mark.parametrize("make", [Wavelets, Mixed])
def test_functions_are_sampled_where_the_inputs_of_their_layer_lie(make):
    layer = make(3, 2)
    x = 0.3 * torch.rand(2000, 3) + 0.5
    prove(layer, module_inputs={layer: ModuleInput(x)})
    low, high = read(layer)[0].domain
    assert 0.45 < low < x.min()
    assert x.max() < high < 0.85
    assert "2,000 inputs that it was given" in read(layer)[0].note


def test_of_a_convolution_that_pads_x_itself_the_weights_are_exact_too():
    layer = Padded(0.0, "constant")
    [functions] = read(layer)
    assert "its weights are exact" in functions.note
    assert functions.conv.padding == (1, 1, 1, 1)
    assert not functions.conv.pads_basis


def test_a_layer_whose_training_has_run_away_is_left_out():
    layer = Wavelets(3, 2)
    assert read(layer)
    with torch.no_grad():
        layer.base.fill_(float("nan"))
    with sampled_again(), pytest.raises(ValueError, match="what it computes is not finite"):
        read(layer)


def test_to_read_a_layer_that_no_adapter_knows_takes_few_files_of_the_package():
    read(Wavelets(3, 2))  # what is imported or remembered once is not counted
    package, visited = Path(kw.__file__).parent, set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and package in (path := Path(frame.f_code.co_filename)).parents:
            visited.add(path)

    layer, before = Wavelets(3, 2), sys.getprofile()
    sys.setprofile(note)
    try:
        read(layer)
    finally:
        sys.setprofile(before)
    assert 10 < len(visited) <= 25
