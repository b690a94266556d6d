"""No curve is drawn that is not what its layer computes, of whichever layer and whenever."""

from __future__ import annotations

import re
import types
import warnings
from typing import Any

import lookalikes
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import prune as _prune  # noqa: F401

import kan_widgets as kw
from kan_widgets.functions import describe, prove, read, sampled_again
from kan_widgets.functions.sampling.adapter import sampling_adapter


class Config:
    """What layers are often built from."""

    def __init__(self, scale: float) -> None:
        self.scale = scale


class Told(lookalikes.KANLinear):
    """efficient-kan's layer times what something beside its parameters says."""

    def __init__(self, inputs: int, outputs: int, **told: Any) -> None:
        super().__init__(inputs, outputs)
        sign = told.pop("sign", None)
        if sign is not None:
            self.register_buffer("sign", torch.full((outputs,), sign))
        self.__dict__.update(told)

    def forward(self, x: Tensor) -> Tensor:
        own = self.__dict__
        scale = own.get("options", {}).get("scale", 1.0) * own.get("scales", [1.0])[0]
        scale = scale * (own["config"].scale if "config" in own else 1.0)
        scale = scale * self.sign if "sign" in self._buffers else scale
        if own.get("squared"):
            return super().forward(x**2)
        return super().forward(x) * scale


class Gated(lookalikes.KANLinear):
    """With a product of inputs that is nothing at first."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.gate = nn.Parameter(1e-4 * torch.randn(outputs, inputs - 1))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + (x[..., 1:] * x[..., :-1]) @ self.gate.T


def off(module: nn.Module) -> float:
    """How far Σφ is from what a layer computes, by the spread of that; a constant may differ."""
    layers = read(module)
    assert len(layers) == 1
    x = torch.rand(256, layers[0].shape[1]) * 2 - 1
    with torch.no_grad():
        y = module.eval()(x)
    total = torch.stack([layers[0].evaluate(x[:, i])[:, i] for i in range(x.shape[1])]).sum(0).T
    difference = (total - y) - (total - y).mean(0)
    return float(difference.abs().max() / (y.max() - y.min()))


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"options": {"scale": 1.0}}, {"options": {"scale": 0.5}}),
        ({"scales": [1.0]}, {"scales": [3.0]}),
        ({"config": Config(1.0)}, {"config": Config(0.33)}),
        ({"sign": 1.0}, {"sign": -1.0}),
    ],
    ids=["dict", "list", "config", "buffer"],
)
def test_what_is_proved_of_a_layer_holds_for_no_other_that_the_forward_can_tell_from_it(
    first, second
):
    model = nn.Sequential(Told(4, 3, **first), Told(4, 3, **second))
    live = kw.bind(model)
    assert [row.adapter for row in describe(model).layers] == ["efficient-kan", "sampled"]
    assert off(model[0]) < 1e-4
    assert off(model[1]) < 1e-3
    live.close()


def test_a_forward_patched_on_one_layer_is_proved_by_itself():
    model = nn.Sequential(Told(4, 3), Told(4, 3))
    model[1].forward = types.MethodType(lambda self, x: 2 * Told.forward(self, x).sin(), model[1])
    with pytest.warns(UserWarning, match="not read: 1 "):
        live = kw.bind(model)
    assert live.layers == ("0",)
    live.close()


def test_a_product_that_training_makes_large_is_seen_while_it_is_small():
    model = nn.Sequential(Gated(4, 3), kw.nn.KANLinear(3, 2))
    with pytest.warns(UserWarning, match="what inputs do together"):
        live = kw.bind(model)
    assert live.layers == ("1",)
    live.close()


def test_binding_again_proves_again():
    model = nn.Sequential(Told(4, 3), kw.nn.KANLinear(3, 2))
    kw.bind(model)
    assert describe(model).layers[0].adapter == "efficient-kan"
    model[0].squared = True
    live = kw.bind(model)
    assert describe(model).layers[0].adapter == "sampled"
    assert off(model[0]) < 1e-3
    live.close()


def test_a_setting_of_the_class_is_proved_again_too():
    class Switched(lookalikes.KANLinear):
        squared = False

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x**2 if self.squared else x)

    model = nn.Sequential(Switched(4, 3))
    prove(model)
    Switched.squared = True
    prove(model)
    assert describe(model).layers[0].adapter == "sampled"


def test_read_alone_proves_what_it_gives():
    class SplinesOnly(lookalikes.KANLinear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) - self.base_activation(x) @ self.base_weight.T

    class Normed(lookalikes.ChebyKANLayer):
        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__(inputs, outputs)
            self.norm = nn.LayerNorm(outputs)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(super().forward(x))

    SplinesOnly.__name__, Normed.__name__ = "KANLinear", "ChebyKANLayer"
    assert off(SplinesOnly(4, 3)) < 1e-3
    [layer] = read(Normed(4, 3))
    assert "LayerNorm comes after the sum" in layer.note
    assert "off by" in layer.note


def test_read_proves_again_once_a_flag_is_flipped():
    module = Told(4, 3)
    assert off(module) < 1e-4
    module.squared = True
    assert off(module) < 1e-3


def test_a_sampled_layer_that_multiplies_by_now_is_left_out():
    class Grown(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.in_features = 4
            self.poly_weights = nn.Parameter(torch.randn(3, 4))
            self.gate = nn.Parameter(torch.zeros(3), requires_grad=False)

        def forward(self, x: Tensor) -> Tensor:
            return x.sin() @ self.poly_weights.T + (x[..., :1] * x[..., 1:2]) * self.gate

    module = Grown()
    assert "Sampled" in read(module)[0].note
    with torch.no_grad():
        module.gate.fill_(1.0)
    with sampled_again(), pytest.raises(ValueError, match="what inputs do together"):
        read(module)


class Absolute(nn.Module):
    """|x − c| with a kink of its own for each input."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.in_features = inputs
        self.centers = nn.Parameter(torch.randn(inputs) / 2)
        self.poly_weights = nn.Parameter(torch.randn(outputs, inputs))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.centers).abs() @ self.poly_weights.T


class Interacting(Absolute):
    """With what two inputs do together near one place."""

    def __init__(self, inputs: int, outputs: int, size: float) -> None:
        super().__init__(inputs, outputs)
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        together = torch.exp(-8 * ((x[:, :1] - 1) ** 2 + (x[:, 1:2] - 1) ** 2))
        return x.sin() @ self.poly_weights.T + self.size * together


def said(layer: Any) -> float:
    """How far a sampled layer is off at most, as its note says."""
    found = re.search(r"off by at most (\S+) of the largest output over 4,096 inputs", layer.note)
    assert found, layer.note
    return float(found[1])


@pytest.mark.parametrize(
    ("size", "seed"), [(0.0, 0), (0.0, 1), (0.0, 2), (0.0, 3), (3e-4, 0), (1e-3, 0), (3e-3, 0)]
)
def test_what_a_sampled_layer_says_it_is_off_at_most_is_what_it_is_off(size, seed):
    torch.manual_seed(seed)
    module = Interacting(3, 2, size) if size else Absolute(3, 2)
    [layer] = read(module)
    x = torch.rand(20_000, 3) * 4 - 2
    with torch.no_grad():
        y = module(x)
    total = torch.stack([layer.evaluate(x[:, i])[:, i] for i in range(3)]).sum(0).T
    difference = (total - y) + module(torch.zeros(1, 3)).detach()
    off = float(difference.abs().max() / (y - y.mean(0)).abs().max())
    assert off <= 2 * said(layer)  # of other inputs, and more
    assert said(layer) < 5e-3


@pytest.mark.parametrize("size", [0.1, 0.03])
def test_what_inputs_do_together_in_one_place_is_found(size):
    with pytest.raises(ValueError, match=r"what inputs do together is|are off by"):
        read(Interacting(3, 2, size))


def test_a_hook_that_changes_what_a_layer_computes_is_seen_once_a_batch_shows_it():
    batch = torch.randn(32, 4)
    for factor, shown in ((0.5, {"1"}), (1.0, {"0", "1"})):
        model = nn.Sequential(Told(4, 3), kw.nn.KANLinear(3, 2))
        model[0].register_forward_hook(lambda module, given, out, by=factor: by * out)
        live = kw.bind(model)
        assert "may change what it computes" in live.feed.layout.layer("0").note
        live.close()
        with warnings.catch_warnings():
            warnings.simplefilter("error" if factor == 1 else "ignore")
            live = kw.bind(model, example=batch)
        assert set(live.layers) == shown
        live.close()


def test_a_plain_layer_whose_output_a_hook_changes_is_not_drawn_and_listed_with_that():
    batch = torch.randn(32, 4)
    for factor, shown in ((0.5, {"1"}), (1.0, {"0", "1"})):
        model = nn.Sequential(nn.Linear(4, 3), kw.nn.KANLinear(3, 2))
        model[0].register_forward_hook(lambda module, given, out, by=factor: by * out)
        with kw.bind(model, example=batch) as live:
            assert set(live.layers) == shown
        listed = str(describe(model))
        assert ("changes what it computes" in listed) == (factor != 1)


@pytest.mark.filterwarnings("ignore:not read")
@pytest.mark.parametrize("first", [nn.Linear, Told])
def test_a_hook_that_changes_what_passes_in_place_is_seen_as_the_model_trains(first):
    for factor, shown in ((0.5, {"1"}), (1.0, {"0", "1"})):

        def changing(module: nn.Module, given: Any, out: Tensor, by: float = factor) -> None:
            out.mul_(by)

        model = nn.Sequential(first(4, 3), kw.nn.KANLinear(3, 2))
        model[0].register_forward_hook(changing)
        optimizer = torch.optim.SGD(model.parameters(), 1e-3)
        with kw.bind(model, optimizer) as live:
            assert set(live.layers) == {"0", "1"}
            model(torch.randn(32, 4)).square().sum().backward()
            optimizer.step()
            assert set(live.layers) == shown


def test_a_hook_that_returns_nothing_changes_nothing():
    seen: list[Tensor] = []

    def note(module: nn.Module, given: Any, out: Tensor) -> None:
        seen.append(out)

    model = nn.Sequential(Told(4, 3))
    model[0].register_forward_hook(note)
    assert len(read(model)) == 1
    assert not seen


def weight_normed(module: nn.Module, name: str) -> nn.Module:
    return nn.utils.parametrizations.weight_norm(module, name)


def pruned(module: nn.Module, name: str) -> nn.Module:
    return nn.utils.prune.random_unstructured(module, name, amount=0.5)


COMPUTED = {
    "weight_norm": weight_normed,
    "spectral_norm": nn.utils.parametrizations.spectral_norm,
    "prune": pruned,
    "the older spectral_norm": nn.utils.spectral_norm,
}


@pytest.mark.parametrize("name", COMPUTED)
def test_weights_that_are_computed_before_each_pass_are_read_as_they_are(name):
    plain, layer = nn.Linear(4, 3), lookalikes.KANLinear(4, 3)
    COMPUTED[name](plain, "weight")
    COMPUTED[name](layer, "base_weight")
    model = nn.Sequential(layer, nn.Linear(3, 4), plain)
    model(torch.randn(16, 4)).square().mean().backward()
    torch.optim.SGD(model.parameters(), 0.5).step()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    assert off(layer) < 1e-5
    assert off(plain) < 1e-5
    model.train()
    live = kw.bind(model)
    assert set(live.layers) == {"0", "1", "2"}
    assert "computed from others" in live.feed.layout.layer("0").locked
    live.refresh()
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    live.close()


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
def test_a_traced_model_is_left_out_in_words():
    traced = torch.jit.trace(lookalikes.KANLinear(3, 2), torch.rand(4, 3))
    with pytest.raises(ValueError, match="compiled to TorchScript: read the Python module"):
        kw.bind(traced)
    live = kw.bind(nn.Sequential(traced, kw.nn.KANLinear(2, 2)))
    assert live.layers == ("1",)
    live.close()


def test_a_layer_whose_weights_come_from_elsewhere_is_sampled():
    class MetaKANLayer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.in_features = 3
            self.poly = torch.randn(2, 3)

        def forward(self, x: Tensor) -> Tensor:
            return x.sin() @ self.poly.T

    class MetaKAN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.head = MetaKANLayer(), kw.nn.KANLinear(2, 1)

    with torch.no_grad():
        assert [row.adapter for row in describe(MetaKAN()).layers] == ["kan_widgets"]
    [adapter] = [sampling_adapter(MetaKANLayer())]
    assert adapter.library == "sampled"


@pytest.mark.parametrize("symbolic", [False, True])
def test_holders_that_never_run_are_no_layers_and_symbolic_edges_are_in_phi(symbolic):
    model = lookalikes.OldModel([3, 4, 2])
    with torch.no_grad():
        model.symbolic_fun[0].mask[1, 2] = model.symbolic_fun[1].mask[0, 0] = float(symbolic)
    live = kw.bind(model)
    assert live.layers == ("act_fun.0", "act_fun.1")
    live.close()
    assert kw.functions.check(model).error < 1e-5
    first = read(model)[0]
    assert ("Symbolic: 2→1 sin." in first.note) is symbolic
    x = torch.linspace(-1, 1, 7)
    with torch.no_grad():
        only = torch.zeros(7, 3)
        only[:, 2] = x
        halves = model.act_fun[0](only)[0] + model.symbolic_fun[0](only)[0]
        expected = halves[:, 1] - halves[3, 1]
    found = first.evaluate(x)[1, 2]
    torch.testing.assert_close(found - found[3], expected, atol=1e-5, rtol=0)


def test_a_plain_layer_that_only_holds_a_bias_is_left_out_once_a_batch_shows_that_it_never_runs():
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.first = nn.Linear(3, 2), nn.Linear(1, 3)
            self.biases = nn.ModuleList([nn.Linear(1, 2), nn.Linear(2, 1, bias=False)])

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(self.first(x)) + self.biases[0].bias + self.biases[1].weight

    model = Network()
    live = kw.bind(model, example=torch.randn(8, 1))
    assert live.layers == ("layer", "first")
    assert [row.layer for row in describe(model).layers] == ["layer", "first"]
    live.close()


def test_a_layer_that_makes_its_parts_as_it_runs_takes_an_example():
    class Grown(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = None

        def forward(self, x: Tensor) -> Tensor:
            self.norm = self.norm or nn.LayerNorm(x.shape[-1])
            return self.norm(x)

    model = nn.Sequential(kw.nn.KANLinear(3, 2), Grown())
    live = kw.bind(model, example=torch.randn(8, 3))
    assert live.layers == ("0",)
    assert model[1].norm is None
    live.close()


def test_a_network_that_calls_another_thing_train_is_run_all_the_same():
    class Network(lookalikes.OldModel):
        def train(self, dataset, steps=100):  # as pykan's until 0.0.5, and DropKAN's
            return dataset["train_input"]

    model = Network([3, 4, 2])
    live = kw.bind(model, example=torch.rand(16, 3))
    assert live.layers == ("act_fun.0", "act_fun.1")
    assert all(module.training for module in model.modules())


class Bumps(nn.Module):
    """A convolution of one's own over a basis of Gaussians."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(2 * 4, 3, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        bumps = torch.exp(-((x.unsqueeze(2) - torch.linspace(-1, 1, 4).view(4, 1, 1)) ** 2))
        return self.mix(bumps.flatten(1, 2))


def test_a_convolution_of_ones_own_that_is_the_whole_model_is_not_drawn_as_a_plain_one():
    model = Bumps()
    for example in (None, torch.rand(4, 2, 8, 8)):
        live = kw.bind(model, example=example)
        [layer] = live.read()
        assert layer.shape == (3, 2, 3, 3)
        assert "Its basis was sampled" in layer.note
        assert layer.write is not None
        x = torch.linspace(0.1, 0.9, 5)
        centers = torch.linspace(-1, 1, 4)
        bumps = torch.exp(-((x.unsqueeze(-1) - centers) ** 2))
        weight = model.mix.weight.detach().unflatten(1, (2, 4))[2, 1, :, 0, 2]
        torch.testing.assert_close(layer.evaluate(x)[2, 1, 0, 2], bumps @ weight, atol=1e-3, rtol=0)
        live.close()


def test_a_plain_network_stays_one():
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(2, 3, 3), nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.conv(x).relu().mean((2, 3)))

    live = kw.bind(Network())
    assert live.layers == ("conv", "head")
    live.close()


class Unfolding(nn.Module):
    """Patches, given to efficient-kan's linear layer."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel, stride, padding
        self.kan_layer = lookalikes.KANLinear(inputs * kernel**2, outputs)

    def forward(self, x: Tensor) -> Tensor:
        patches = F.unfold(x, self.kernel_size, 1, self.padding, self.stride).transpose(1, 2)
        sides = (
            1 + (side + 2 * self.padding - self.kernel_size) // self.stride for side in x.shape[2:]
        )
        return (
            self.kan_layer(patches.flatten(0, 1))
            .unflatten(0, (len(x), -1))
            .transpose(1, 2)
            .unflatten(2, tuple(sides))
        )


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1)])
def test_a_linear_layer_that_is_given_patches_is_drawn_as_kernels(stride, padding):
    model = nn.Sequential(Unfolding(2, 4, 3, stride, padding), nn.Flatten(), nn.Linear(4, 2))
    [conv, _] = read(model)
    assert (conv.name, conv.kind, conv.shape) == ("0", "conv", (4, 2, 3, 3))
    assert conv.conv.stride == (stride, stride)
    assert conv.conv.padding == (padding,) * 4
    assert kw.functions.check(model[0]).error < 1e-5
    flat = kw.functions.read(model[0].kan_layer)[0].coefficients
    assert conv.coefficients.equal(flat.unflatten(1, (2, 3, 3)))
    assert conv.part(slice(1, 3), slice(1, 2)).equal(conv.coefficients[1:3, 1:2])
    conv.write((3, 1, 2, 0), torch.arange(9.0))
    written = read(model)[0].at((3, 1, 2, 0))
    torch.testing.assert_close(written, torch.arange(9.0))


def test_a_hook_on_what_is_around_a_layer_that_is_given_patches_leaves_its_kernels_out():
    model, x = nn.Sequential(Unfolding(2, 4, 3, 1, 0)), torch.randn(4, 2, 5, 5)
    model[0].register_forward_hook(lambda module, given, out: out * 1.5)
    with pytest.warns(UserWarning, match="changes what it computes"):
        live = kw.bind(model, example=x)
    assert live.layers == ("0.kan_layer",)
    live.close()


@pytest.mark.parametrize("named", [True, False])
def test_a_grouped_activation_is_no_dense_layer_of_zeros(named):
    class Grouped(nn.Module):
        """A sine of its own for each group of ten channels; takes forty, and no other number."""

        def __init__(self) -> None:
            super().__init__()
            if named:
                self.d_in = 40
            self.poly_rate = nn.Parameter(torch.rand(4, 1) + 1)

        def forward(self, x: Tensor) -> Tensor:
            return (x.reshape(*x.shape[:-1], 4, 10) * self.poly_rate).sin().flatten(-2)

    model = nn.Sequential(Grouped(), kw.nn.KANLinear(40, 2))
    if not named:
        live = kw.bind(model, example=torch.randn(16, 40))
        live.close()
    layers = (
        {layer.name: layer for layer in read(model)}
        if named
        else {layer.name: layer for entry in kw.functions.find(model) for layer in entry.read()}
    )
    assert layers["0"].kind == "elementwise"
    assert layers["0"].shape == (1, 4, 1, 1)


def test_columns_that_one_large_kernel_takes_in_are_inputs_and_no_map():
    class Columns(nn.Module):
        """ReLU-KAN's way: bumps of (n, in, 1) are an image that one kernel takes in."""

        def __init__(self) -> None:
            super().__init__()
            self.grid = nn.Parameter(torch.linspace(0, 1, 6), requires_grad=False)
            self.mix = nn.Conv2d(1, 3, (6, 4))

        def forward(self, x: Tensor) -> Tensor:
            bumps = torch.exp(-20 * (x - self.grid) ** 2)  # (n, in, bumps)
            return self.mix(bumps.transpose(1, 2).unsqueeze(1)).reshape(len(x), 3, 1)

    model = nn.Sequential(Columns())
    live = kw.bind(model, example=torch.rand(64, 4, 1))
    [layer] = live.read()
    assert (layer.kind, layer.shape) == ("linear", (3, 4, 1, 1))
    x = torch.linspace(0.1, 0.9, 7)
    grid = model[0].grid.detach()
    bumps = torch.exp(-20 * (x.unsqueeze(-1) - grid) ** 2) - torch.exp(-20 * grid**2)
    expected = bumps @ model[0].mix.weight.detach()[2, 0, :, 3]
    torch.testing.assert_close(layer.evaluate(x)[2, 3], expected, atol=1e-3, rtol=0)
    live.close()
