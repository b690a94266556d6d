"""How networks are put together, followed with examples through the real models."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from kan import KAN
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.live.frames.structure import Structure, structure_dict, structure_from

sys.path.append(str(Path(__file__).parents[2] / "functions"))
import lookalikes


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


class Residual(nn.Module):
    """Two KAN convolutions, one beside a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.first = kw.nn.KANConv2d(1, 4, 3, padding=1)
        self.second = kw.nn.KANConv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.head = kw.nn.KANLinear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        y = self.norm(self.second(x))
        y += x
        return self.head(self.relu(y).mean((2, 3))) * 0.5 + 1


class Transformer(nn.Module):
    """One block of attention and a KAN MLP, over tokens."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, width)
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.mlp = nn.Sequential(kw.nn.KANLinear(width, 12), kw.nn.KANLinear(12, width))
        self.head = nn.Linear(width, 11)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        h = self.norms[0](x)
        x = x + self.attention(h, h, h)[0]
        x = x + self.mlp(self.norms[1](x))
        return self.head(x[:, 0])


def traced(model: nn.Module, inputs: Tensor, *, prove: bool = True) -> Structure:
    live = kw.bind(model, prove=prove)
    live.probe(inputs)
    live.close()
    return live.feed.structure


def kinds(structure: Structure) -> list[str]:
    return [station.kind for station in structure.stations]


def test_before_any_example_the_layers_stand_in_the_order_of_the_modules_and_that_is_said() -> None:
    structure = kw.bind(model := kw.nn.KANCNN.article()).feed.structure
    assert not structure.traced
    assert structure.note.startswith("The order is that of the modules: live.probe(images)")
    assert [(s.kind, s.layer, s.sources) for s in structure.stations] == [
        ("input", None, ()),
        ("kan", "convs.0", (0,)),
        ("kan", "convs.1", (1,)),
        ("kan", "linear", (2,)),
    ]
    assert isinstance(model, nn.Module)


def test_the_articles_network_is_traced_station_by_station() -> None:
    structure = traced(kw.nn.KANCNN.article(), torch.rand(3, 1, 28, 28))
    assert structure.traced
    assert structure.note == ""
    assert [(s.label, s.layer, s.sources, s.shape) for s in structure.stations] == [
        ("input", None, (), (1, 28, 28)),
        ("SharedKANConv2d 3×3", "convs.0", (0,), (5, 26, 26)),
        ("max pool 2×2", None, (1,), (5, 13, 13)),
        ("SharedKANConv2d 3×3", "convs.1", (2,), (25, 11, 11)),
        ("max pool 2×2", None, (3,), (25, 5, 5)),
        ("flatten", None, (4,), (625,)),
        ("KANLinear 625 → 10", "linear", (5,), (10,)),
        ("log-softmax", None, (6,), (10,)),
    ]
    assert [s.sums for s in structure.stations if s.layer] == [True] * 3
    assert structure_from(structure_dict(structure)) == structure


def test_a_plain_network_has_the_same_diagram() -> None:
    found = traced(kw.nn.CNN(channels=(4, 6), hidden=5), torch.rand(2, 1, 28, 28))
    stage = ["norm", "plain", "activation", "pool"]
    assert kinds(found) == [
        *("input", *stage, *stage, "reshape", "norm", "plain"),
        *("activation", "plain", "activation"),
    ]


def test_biases_are_those_of_each_frame_where_a_copy_is_followed() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    live = kw.bind(model, example=torch.rand(4, 2))
    beside = [dict(s.beside or {}) for s in live.feed.structure.stations[1:]]
    assert [one.get("bias") for one in beside] == ["0.bias", None, "2.bias"]
    assert beside[1]["shift"] == "1.bias"
    live.close()
    found = traced(kw.nn.MLP(hidden=(6,)), torch.rand(2, 1, 28, 28))
    assert [s.label for s in found.stations][3:6] == ["Linear 784 → 6", "ReLU", "Linear 6 → 10"]


def test_a_shortcut_and_what_is_changed_in_place_are_linked() -> None:
    structure = traced(Residual(), torch.rand(2, 1, 8, 8))
    names = [s.name for s in structure.stations]
    add = structure.stations[names.index("add")]
    assert add.sources == (names.index("norm"), names.index("first"))
    assert structure.stations[names.index("relu")].sources == (names.index("add"),)
    assert [s.label for s in structure.stations[-2:]] == ["scale", "shift"]


def test_multiplication_nodes_of_pykan_are_stations() -> None:
    model = KAN(width=[4, [3, 2], 2], mult_arity=[[], [2, 3], []], auto_save=False, grid=3)
    model.fix_symbolic(0, 1, 2, "sin", fit_params_bool=False, log_history=False)
    structure = traced(model, torch.rand(5, 4))
    assert [(s.kind, s.layer, s.shape) for s in structure.stations] == [
        ("input", None, (4,)),
        ("kan", "act_fun.0", (8,)),
        ("multiply", None, (5,)),
        ("kan", "act_fun.1", (2,)),
    ]
    assert structure.stations[2].compute == {
        "op": "products",
        "factors": [[0], [1], [2], [3, 4], [5, 6, 7]],
    }
    assert [s.sums for s in structure.stations if s.layer] == [True, True]


def test_a_module_of_several_layers_is_taken_apart_where_its_layers_take_in_and_add_up() -> None:
    structure = traced(lookalikes.SplineNetwork([5, 4, 3]), torch.rand(2, 5))
    assert kinds(structure) == ["input", *(["kan", "norm", "activation"] * 2)]
    structure = traced(lookalikes.FastKANLayer(5, 3), torch.rand(2, 5))
    assert [(s.kind, s.layer, s.sources) for s in structure.stations] == [
        ("input", None, ()),
        ("norm", None, (0,)),
        ("kan", "spline_linear", (1,)),
        ("kan", "base_linear", (0,)),
        ("add", None, (2, 3)),
    ]


def test_what_is_not_kan_in_a_transformer_is_one_station_each() -> None:
    structure = traced(Transformer(), torch.randint(0, 11, (3, 6)))
    assert [(s.kind, s.name) for s in structure.stations] == [
        ("input", "input"),
        ("block", "embed"),
        ("norm", "norms.0"),
        ("block", "attention"),
        ("add", "add"),
        ("norm", "norms.1"),
        ("kan", "mlp.0"),
        ("kan", "mlp.1"),
        ("add", "add"),
        ("other", "slice"),
        ("plain", "head"),
    ]
    assert structure.note == ""
    assert structure.stations[6].shape == (6, 12)


def test_a_layer_whose_functions_do_not_add_up_says_so() -> None:
    class Doubled(kw.nn.KANLinear):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * super().forward(x)

    model = nn.Sequential(Doubled(3, 2))
    station = traced(model, torch.rand(2, 3), prove=False).stations[1]
    assert (station.kind, station.sums, station.compute) == ("kan", False, None)


def test_a_constant_that_nobody_names_is_left_to_the_model_and_so_is_what_a_hook_may_change() -> (
    None
):
    class Raised(kw.nn.KANLinear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + 1

    hooked = kw.nn.KANLinear(3, 2)
    hooked.register_forward_hook(lambda module, given, out: None)
    for layer in (Raised(3, 2), hooked):
        station = traced(nn.Sequential(layer), torch.rand(2, 3)).stations[1]
        assert (station.kind, station.sums, station.compute) == ("kan", False, None)


def test_what_cannot_be_linked_stands_in_the_order_of_the_modules_with_the_reason() -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = kw.nn.KANLinear(3, 4), kw.nn.KANLinear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.b(torch.from_numpy(self.a(x).numpy() * 2))

    structure = traced(Broken(), torch.rand(2, 3))
    assert not structure.traced
    assert "what reaches b does not come" in structure.note
    assert [(s.layer, s.shape) for s in structure.stations] == [
        (None, (3,)),
        ("a", (4,)),
        ("b", (2,)),
    ]
