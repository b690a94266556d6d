"""How many parameters a model has, and how they grow."""

from __future__ import annotations

import re

import pytest
import torch
from convkan import ConvKAN  # type: ignore[import-untyped]
from torch import nn

import kan_widgets as kw
from kan_widgets.insight.parameter_counts import LayerGrowth, ModelGrowth, growth_of
from kan_widgets.live.frames.layout import build_layout
from kan_widgets.live.frames.parameters import parameters_of
from kan_widgets.nn.models import count_parameters


def growth(model: nn.Module) -> ModelGrowth:
    layers = [layer for entry in kw.functions.survey(model)[0] for layer in entry.read()]
    return growth_of(parameters_of(kw.functions.unwrap(model), build_layout(layers).layers))


def value(formula: str) -> int:
    """Work a formula of numbers out."""
    assert re.fullmatch(r"[\d,·+() ]+", formula), formula
    return int(eval(formula.replace(",", "").replace("·", "*")))


def pykan() -> nn.Module:
    from kan import KAN  # type: ignore[import-untyped]

    return KAN(width=[2, 5, 1], grid=3, k=3, auto_save=False)  # type: ignore[no-any-return]


MODELS = {
    "article": kw.nn.KANCNN.article,
    "KANCNN": kw.nn.KANCNN,
    "CNN": kw.nn.CNN,
    "MLP": kw.nn.MLP,
    "scaled": lambda: kw.nn.KANConv2d(2, 4, (3, 2), groups=2, spline_scaler=True),
    "order 0": lambda: kw.nn.KANLinear(2, 3, spline_order=0),
    "one to many": lambda: nn.Linear(1, 10),
    "grouped": lambda: nn.Conv2d(4, 8, 3, groups=2),
    "convkan": lambda: nn.Sequential(ConvKAN(2, 3, 3)),
    "pykan": pykan,
}


@pytest.mark.parametrize("name", MODELS)
def test_formulas_and_counts_agree_with_torch(name: str) -> None:
    model = MODELS[name]()
    found = growth(model)
    assert found.parameters == count_parameters(model)
    for layer in found.layers:
        assert value(layer.numbers) == layer.parameters
        assert layer.formula.endswith(f" = {layer.parameters:,}")
    assert sum(layer.parameters for layer in found.layers) <= found.parameters


def test_the_formula_of_the_article_s_last_layer() -> None:
    *_, last = growth(kw.nn.KANCNN.article()).layers
    assert last.formula == "625·10·(G + k + 2) = 6,250·(10 + 3 + 2) = 93,750"
    assert (last.name, last.functions, last.order) == ("linear", 6250, "N²·G")


def test_a_plain_layer_has_a_weight_for_each_function_and_a_bias() -> None:
    [layer] = growth(nn.Conv2d(16, 32, 3)).layers
    assert layer.formula == "16·32·3·3 + 32 = 4,608 + 32 = 4,640"
    assert layer.order == "N²"


@pytest.mark.parametrize("scaler", [False, True])
def test_a_spline_layer_grows_with_its_grid(scaler: bool) -> None:
    found = growth(kw.nn.KANCNN(channels=(2, 3), spline_scaler=scaler))
    assert found.order == "N²·G"
    assert all("(G + k" in layer.symbols for layer in found.layers)


def test_pykan_grows_with_its_grid() -> None:
    assert growth(pykan()).order == "N²·G"


def test_where_there_is_no_grid_a_layer_grows_with_its_basis_functions() -> None:
    class Waves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.waves = nn.Parameter(torch.zeros(2, 4, 6))

    kw.functions.register_adapter(
        Waves,
        lambda module: kw.functions.LayerFunctions(
            "linear",
            module.waves.detach(),
            (kw.functions.LayerBasis(kw.nn.Fourier(3, constant=False)),),
        ),
    )
    [layer] = growth(Waves()).layers
    assert layer.formula == "4·2·n = 8·6 = 48"
    assert layer.order == "N²·n"


def test_parameters_outside_the_layers_count() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    found = growth(model)
    assert (found.parameters, sum(layer.parameters for layer in found.layers)) == (25, 19)


def test_frozen_splines_are_no_parameters_and_do_not_grow() -> None:
    model = kw.nn.KANLinear(4, 3)
    model.spline_weight.requires_grad_(False)
    [layer] = growth(model).layers
    assert (layer.parameters, layer.order) == (12, "N²")
    assert value(layer.numbers) == 12
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    [layer] = growth(model).layers
    assert layer.formula == "0"


def test_a_weight_that_two_layers_share_counts_once() -> None:
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    found = growth(nn.Sequential(first, second))
    assert [layer.parameters for layer in found.layers] == [12, 3]
    assert found.parameters == 15


def test_nothing_in_the_model_changes() -> None:
    model = kw.nn.KANCNN(channels=(2, 2))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    assert all(isinstance(layer, LayerGrowth) for layer in growth(model).layers)
    assert torch.equal(torch.get_rng_state(), random)
    for name, after in model.state_dict().items():
        assert torch.equal(after, before[name])


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(TypeError, match=r"model=.*: expected a torch\.nn\.Module"):
        growth(3)  # type: ignore[arg-type]
