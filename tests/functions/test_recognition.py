"""Which modules are read by which adapter, which are not, and what is said of them."""

from __future__ import annotations

import copy
import importlib.util
import sys
from pathlib import Path

import lookalikes
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import kan_widgets as kw
from kan_widgets.functions import (
    IdentityBasis,
    LayerBasis,
    LayerFunctions,
    check,
    describe,
    find,
    read,
    register_adapter,
    survey,
)


def recognised(model: nn.Module) -> list[LayerFunctions]:
    """Return what is read without a proof."""
    return [layer for entry in find(model) for layer in entry.read()]


def reasons(model: nn.Module) -> dict[str, str]:
    return {name: why for name, _, why in describe(model).left_out}


def test_a_vendored_copy_is_recognised_wherever_it_was_imported_from(tmp_path):
    copied = tmp_path / "my_model.py"
    with open(lookalikes.__file__, encoding="utf-8") as file:
        copied.write_text(file.read(), "utf-8")
    spec = importlib.util.spec_from_file_location("somebodys_model", copied)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.KAN([3, 4, 2])
    assert [row.adapter for row in describe(model).layers] == ["efficient-kan"] * 2
    assert "somebodys_model" not in sys.modules


def test_no_library_is_imported_to_recognise_one():
    assert not {"efficient_kan", "fastkan", "kan_convs"} & set(sys.modules)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        (lambda m: delattr(m, "grid"), "grid is missing"),
        (
            lambda m: setattr(m, "grid", m.grid[:, 1:]),
            r"grid has shape \(3, 11\), not \(in, nb\+spline_order\+1\) with in = 3, nb = 8, sp",
        ),
        (lambda m: delattr(m, "spline_order"), "spline_order is missing"),
        (lambda m: delattr(m, "base_activation"), "base_activation is missing"),
        (
            lambda m: setattr(m, "base_weight", nn.Parameter(torch.ones(2, 4))),
            r"spline_weight has shape \(2, 3, 8\), not \(out, in, nb\) with in = 4",
        ),
        (lambda m: setattr(m, "grid", "even"), "grid is no tensor but str"),
        (
            lambda m: setattr(m, "enable_standalone_scale_spline", False),
            "does not say whether there is a spline_scaler",
        ),
    ],
)
def test_a_near_match_is_reported_with_what_is_missing_and_not_guessed_at(change, missing):
    module = lookalikes.KANLinear(3, 2)
    module.grid = module._buffers.pop("grid")  # so that anything can be put in its place
    change(module)
    model = nn.Sequential(module, nn.Linear(2, 1))
    with pytest.warns(UserWarning, match=missing):
        assert [layer.name for layer in recognised(model)] == ["1"]
    assert "efficient-kan: " in survey(model)[1][0].reason
    with pytest.raises(ValueError, match=missing):
        find(module)
    with pytest.raises(TypeError, match=missing):
        check(module)


def test_what_is_inside_a_layer_is_never_read_as_something_else():
    layer = lookalikes.FastKANLayer(4, 3)
    names = [found.name for found in read(nn.Sequential(layer))]
    assert names == ["0.spline_linear", "0.base_linear"]
    assert all(found.type == "FastKANLayer" for found in read(layer))
    del layer.layernorm
    model = nn.Sequential(layer, nn.Linear(3, 1))
    with pytest.warns(UserWarning, match="layernorm is missing"):
        assert [found.name for found in recognised(model)] == ["1"]


def test_a_subclass_that_computes_something_else_is_not_read_as_its_parent():
    class Gated(lookalikes.KANLinear):
        def forward(self, x):
            return torch.sigmoid(super().forward(x))

    class Standardised(nn.Conv2d):
        def forward(self, x):
            weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
            return self._conv_forward(x, weight, self.bias)

    class Renamed(lookalikes.KANLinear):
        pass

    model = nn.ModuleList([Gated(2, 2), Standardised(1, 1, 3), Renamed(2, 2)])
    with pytest.warns(UserWarning, match="read as efficient-kan has it, it would be off by"):
        assert [layer.name for layer in read(model)] == ["2"]
    assert "Standardised changes what Conv2d computes" in reasons(model)["1"]


def test_a_name_that_two_libraries_use_for_networks_is_told_apart():
    layered, listed = lookalikes.KAN([3, 2]), lookalikes.SplineNetwork([3, 2])
    assert type(layered).__name__ == type(listed).__name__ == "KAN"
    table = describe(nn.ModuleList([layered, listed]))
    assert [(row.layer, row.adapter) for row in table.layers] == [
        ("0.layers.0", "efficient-kan"),
        ("1.spline_weights.0", "torchkan"),
    ]
    del listed.grid_0
    assert reasons(listed)[""].startswith("torchkan: grid_0 is missing")
    assert reasons(layered) == {}


def test_depthwise_and_dilated_convolutions_are_straight_lines():
    for settings in ({"groups": 4}, {"groups": 2, "dilation": 2, "padding": 2}, {"stride": 2}):
        module = nn.Conv2d(4, 4, 3, **settings)
        assert check(module).error < 1e-5
    assert check(nn.Linear(5, 3)).error < 1e-5


@pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")
def test_a_mixed_nested_shared_wrapped_and_compiled_model_is_read_as_it_is_built():
    head = lookalikes.KANLinear(8, 4)
    model = nn.ModuleDict(
        {
            "stem": nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU()),
            "body": nn.DataParallel(lookalikes.KANConv2DLayer(2, 2, 3)),
            "head": nn.ModuleList([head, head, torch.compile(kw.nn.KANLinear(4, 4))]),
        }
    )
    table = describe(torch.compile(nn.DataParallel(model)))
    assert [(row.layer, row.adapter) for row in table.layers] == [
        ("stem.0", "torch"),
        ("body", "torch-conv-kan"),
        ("head.0", "efficient-kan"),
        ("head.2", "kan_widgets"),
    ]
    assert [(name, why) for name, _, why in table.left_out] == [
        ("stem.1", "no adapter knows BatchNorm2d")
    ]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_a_model_in_another_precision_is_read_in_it(dtype):
    for module in (
        lookalikes.KANLinear(3, 2),
        lookalikes.FastKANLayer(3, 2),
        lookalikes.KACNConv2DLayer(2, 2, 2),
        lookalikes.KAN_Convolutional_Layer(2, 2, (2, 2)),
    ):
        single = read(module)[0].coefficients.clone()
        for layer in read(module.to(dtype))[:1]:
            assert layer.coefficients.dtype == dtype
            torch.testing.assert_close(layer.coefficients.float(), single, atol=2e-2, rtol=2e-2)


def test_a_distributed_model_is_read_as_the_model_inside(tmp_path):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/meeting", rank=0, world_size=1
    )
    try:
        wrapped = nn.parallel.DistributedDataParallel(lookalikes.KAN([3, 2]))
        assert [layer.name for layer in read(wrapped)] == ["layers.0"]
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.parametrize("make", [lambda: lookalikes.KANLinear(3, 2), lambda: nn.Linear(3, 2)])
def test_meta_parameters_are_a_clear_error(make):
    with torch.device("meta"):
        module = make()
    with pytest.raises(ValueError, match="meta tensors without values: load the weights first"):
        read(module)


# torch says that this way of quantising is on its way out.
@pytest.mark.filterwarnings("ignore:torch.ao.quantization is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
def test_quantised_layers_are_a_clear_error_and_left_out_beside_others():
    model = nn.Sequential(nn.Linear(4, 4), lookalikes.KANLinear(4, 2))
    quantised = torch.ao.quantization.quantize_dynamic(copy.deepcopy(model), {nn.Linear})
    assert [layer.name for layer in read(quantised)] == ["1"]
    assert "quantised" in reasons(quantised)["0"]
    for look in (read, kw.bind):
        with pytest.raises(ValueError, match="read the model before it is quantised"):
            look(nn.Sequential(quantised[0]))


def test_weights_that_are_computed_before_a_pass_are_read_as_they_are_then():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2))
    prune.random_unstructured(model[0], "weight", amount=0.5)
    nn.utils.parametrizations.spectral_norm(model[1])
    assert [layer.name for layer in read(model)] == ["0", "1", "2"]
    assert reasons(model) == {}


def test_lazy_layers_are_read_once_they_have_a_shape():
    model = nn.Sequential(nn.LazyLinear(3), nn.Linear(3, 2))
    assert "run the model once" in reasons(model)["0"]
    model(torch.zeros(1, 5))
    assert [layer.shape for layer in read(model)] == [(3, 5, 1, 1), (2, 3, 1, 1)]


def test_a_layer_known_by_name_need_not_be_imported_to_be_registered():
    def read_slope(module):
        return LayerFunctions("linear", module.slope.detach(), (IdentityBasis(),))

    def problem(module):
        return "" if hasattr(module, "slope") else "slope is missing"

    register_adapter("SlopeLayerOfATest", read_slope, library="a test", problem=problem)

    class SlopeLayerOfATest(nn.Module):
        def __init__(self):
            super().__init__()
            self.slope = nn.Parameter(torch.ones(1, 2, 1))

        def forward(self, x):
            return x @ self.slope[..., 0].T

    module = SlopeLayerOfATest()
    assert describe(module).layers[0].adapter == "a test"
    del module.slope
    with pytest.raises(ValueError, match="a test: slope is missing"):
        read(module)


def test_reading_every_kind_leaves_model_random_numbers_and_modes_as_they_were():
    models = [lookalikes.KANLinear(3, 2), lookalikes.FastKANLayer(3, 2)]
    models += [make(4, 4, 2) for make in lookalikes.TORCH_CONV_KAN.values()]
    for model in models:
        before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
        for layer in read(model):
            assert not layer.coefficients.requires_grad
        check(model)
        assert torch.equal(state, torch.get_rng_state())
        assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
        assert all(part.training for part in model.modules())
        assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())


def test_describe_shows_a_table_in_text_and_html():
    model = nn.Sequential(lookalikes.KANLinear(4, 2), nn.BatchNorm1d(2))
    table = describe(model)
    lines = str(table).splitlines()
    assert lines[0].split() == [
        "layer",
        "adapter",
        "functions",
        "basis",
        "domain",
        "coefficients",
        "trainable",
    ]
    assert lines[1].split() == [
        "0",
        "(KANLinear)",
        "efficient-kan",
        "8",
        "silu,",
        "B0…B7",
        "-1",
        "…",
        "1",
        "72",
        "80",
    ]
    assert lines[3] == "  1 (BatchNorm1d): no adapter knows BatchNorm1d"
    assert "<td>0 (KANLinear)</td>" in table._repr_html_()
    assert str(describe(nn.ReLU())) == "nothing is read"
    assert describe(nn.ReLU())._repr_html_() == "<p>nothing is read</p>"
    with pytest.raises(TypeError, match=r"torch\.nn\.Module"):
        describe("model")


def test_describe_puts_labels_that_only_count_together():
    class Waves(nn.Module):
        def __init__(self):
            super().__init__()
            self.waves = nn.Parameter(torch.ones(2, 3, 11))

        def forward(self, x):
            return torch.einsum("nib,oib->no", kw.nn.Fourier(5).expand(x), self.waves)

    def read_waves(module):
        return LayerFunctions("linear", module.waves.detach(), (LayerBasis(kw.nn.Fourier(5)),))

    register_adapter(Waves, read_waves)
    [row] = describe(Waves()).layers
    assert row.basis == "1, cos x…cos 5x, sin x…sin 5x"


def test_a_frozen_layer_has_no_trainable_coefficients():
    layer = lookalikes.KANLinear(4, 2).requires_grad_(False)
    assert describe(layer).layers[0].trainable == 0


class KANLayer(nn.Module):
    """A wrapper, as U-KAN and others have it: KAN layers with a convolution between them."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = lookalikes.KANLinear(4, 4)
        self.dwconv = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.fc2 = lookalikes.KANLinear(4, 2)


def test_a_wrapper_with_the_name_of_a_layer_is_looked_into():
    model = nn.Sequential(KANLayer(), KANLayer())
    names = [layer.name for layer in read(model)]
    assert names == [f"{k}.{part}" for k in (0, 1) for part in ("fc1", "dwconv", "fc2")]
    assert reasons(model) == {}


def test_a_layer_is_known_by_its_tensors_whatever_it_is_called():
    renamed = type("EfficientKANLinear", (nn.Module,), dict(vars(lookalikes.KANLinear)))
    renamed.__init__ = lambda self: nn.Module.__init__(self)
    module, known = renamed(), lookalikes.KANLinear(3, 2)
    module.__dict__.update(known.__dict__)
    assert describe(module).layers[0].adapter == "efficient-kan"
    assert kw.bind(module).feed.layout.layers[0].labels[0] == "silu"
    del module.grid
    with pytest.raises(ValueError, match="KAN layer that no adapter knows"):
        read(module)


def test_the_plain_layers_in_a_kan_layer_are_not_drawn_as_its_functions():
    class FancyKANConv(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.base = nn.Conv2d(2, 3, 3)
            self.inner = nn.Conv2d(4, 3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            both = torch.cat([x, x * x.mean((1, 2, 3), keepdim=True)], dim=1)
            return self.base(x) + self.inner(both)

    model = nn.Sequential(nn.Conv2d(1, 2, 3), FancyKANConv(), nn.Flatten(), kw.nn.KANLinear(3, 2))
    assert [name for name in reasons(model)] == ["1"]
    with pytest.warns(UserWarning, match="1 .FancyKANConv.: a KAN layer that no adapter knows"):
        live = kw.bind(model)
    assert live.feed.layout.names == ("3", "0")
    assert "plain" in live.feed.layout.layer("0").note
    assert [s.name for s in live.feed.structure.stations[1:]] == ["0", "3"]


def test_an_ordinary_network_is_no_kan_layer():
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))
            self.conv = nn.Conv2d(3, 3, 1)
            self.norm = nn.BatchNorm2d(3)

    class KANsas(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.blocks = nn.Conv2d(3, 3, 1), nn.ModuleList([Block(), Block()])
            self.head = nn.Linear(3, 2)

    names = [layer.name for layer in read(KANsas())]
    assert names == ["stem", "blocks.0.conv", "blocks.1.conv", "head"]


def test_every_file_of_an_adapter_is_found_by_itself():
    files = {path.stem for path in Path(kw.functions.adapters.__file__).parent.glob("[!_]*.py")}
    assert {f"kan_widgets.functions.adapters.{name}" for name in files} <= set(sys.modules)
