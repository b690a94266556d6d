"""Learned activations: a kind of their own, one function for each group of channels."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.functions import describe, prove, read


class RationalGroups(nn.Module):
    """The activation of the Kolmogorov-Arnold Transformer, with the tensors of its library."""

    def __init__(self, groups: int, signed: bool = False) -> None:
        super().__init__()
        self.signed = signed
        self.weight_numerator = nn.Parameter(torch.randn(1, 6) / 4)
        self.weight_denominator = nn.Parameter(torch.rand(groups, 4))

    def phi(self, g: int, x: Tensor) -> Tensor:
        a, b = self.weight_numerator[0], self.weight_denominator[g].abs()
        signed = x if self.signed else x.abs()
        above = sum(a[k] * x**k for k in range(6))
        return above / (1 + sum(b[j] * signed ** (j + 1) for j in range(4)))

    def forward(self, x: Tensor) -> Tensor:
        parts = x.chunk(len(self.weight_denominator), dim=-1)
        return torch.cat([self.phi(g, part) for g, part in enumerate(parts)], dim=-1)


class Waves(nn.Module):
    """A sine of its own for each channel of a map, which no adapter knows."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.rand(channels) + 1)

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.rate.view(1, -1, 1, 1)).sin()


class Scaled(nn.Module):
    """Straight lines."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.rand(channels)), nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma + self.beta


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("signed", [False, True])
def test_rational_groups_are_told_apart_by_what_they_compute(signed):
    act = RationalGroups(4, signed)
    prove(act)
    [layer] = read(act)
    x = torch.linspace(-0.5, 2, 9)
    expected = torch.stack([act.phi(g, x) for g in range(4)]).unsqueeze(0)
    assert torch.allclose(layer.evaluate(x), expected, atol=1e-6)


def test_any_other_is_sampled_unless_it_is_a_straight_line():
    waves = nn.Sequential(Waves(4), Scaled(5))
    prove(waves)
    [row] = describe(waves).layers
    assert (row.layer, row.adapter, row.functions) == ("0", "sampled", 4)
    [layer] = read(waves)
    x = torch.linspace(-2, 2, 33)
    expected = (x * waves[0].rate.detach().unsqueeze(1)).sin()
    assert torch.allclose(layer.evaluate(x)[0], expected, atol=1e-4)


class Bent(nn.Module):
    """x + Σ of powers that are 0 as it is made, with numbers of its own for each group."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.bends = nn.Parameter(torch.zeros(groups, 2))

    def forward(self, x: Tensor) -> Tensor:
        parts = x.unsqueeze(-1).chunk(len(self.bends), dim=-2) if x.ndim > 1 else [x[:, None]]
        bent = [b[0] * part**2 + b[1] * part**3 for part, b in zip(parts, self.bends, strict=True)]
        return x + torch.cat(bent, dim=-2 if x.ndim > 1 else -1).squeeze(-1)


@pytest.mark.parametrize("activation", [RationalGroups, Bent])
def test_plain_layers_between_learned_activations_are_read_in_a_part_called_kan(activation):
    class KAN(nn.Module):  # as KAT has it, in each of its blocks
        def __init__(self) -> None:
            super().__init__()
            self.act1, self.act2 = activation(2), activation(2)
            self.fc1, self.fc2 = nn.Linear(4, 8), nn.Linear(8, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc2(self.act2(self.fc1(self.act1(x))))

    model = nn.Sequential(nn.LayerNorm(4), KAN())
    live = kw.bind(model, example=torch.randn(8, 5, 4))
    assert sorted(live.layers) == ["1.act1", "1.act2", "1.fc1", "1.fc2"]


@pytest.mark.parametrize("factor", [1.0, 1.5])
def test_a_hook_that_changes_what_an_activation_computes_is_seen(factor):
    model, x = nn.Sequential(nn.Conv2d(2, 4, 1), Waves(4)), torch.randn(4, 2, 5, 5)
    model[1].register_forward_hook(lambda module, given, out: out * factor)
    warned = pytest.warns(UserWarning, match="changes what") if factor > 1 else nullcontext()
    with warned:
        live = kw.bind(model, example=x)
    assert sorted(live.layers) == (["0", "1"] if factor == 1 else ["0"])
    words = [why for name, _, why in describe(model).left_out if name == "1"]
    assert ["changes what it computes" in why for why in words] == [True] * (factor > 1)


class Ratio(Bent):
    """A ratio with poles, not far from where it is made."""

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.bends[0]
        return x / (1 + a * x**3 + b * x**2)


def test_a_ratio_that_may_get_poles_is_read_while_it_has_none():
    model, x = nn.Sequential(Ratio(1)), torch.randn(32)
    [layer] = kw.bind(model, example=x).read()
    at = torch.linspace(-1, 1, 9)
    assert torch.allclose(layer.evaluate(at)[0, 0], at, atol=1e-5)


@pytest.mark.parametrize(("groups", "shape"), [(2, (6,)), (1, ())])
def test_what_is_straight_and_alike_as_it_is_made_is_read_and_followed_as_it_bends(groups, shape):
    module, x = Bent(groups), torch.randn(32, *shape)
    model = nn.Sequential(module)
    live = kw.bind(model, example=x)
    with torch.no_grad():
        module.bends.copy_(torch.randn(groups, 2))
    live.refresh()
    [layer] = live.read()
    assert layer.kind == "elementwise"
    assert layer.shape[:2] == (1, groups)
    for g, bends in enumerate(module.bends.detach()):
        at = torch.linspace(-1, 1, 9)
        expected = at + bends[0] * at**2 + bends[1] * at**3
        assert torch.allclose(layer.evaluate(at)[0, g], expected, atol=1e-4)


def test_they_come_after_layers_that_add_up_and_before_plain_ones_and_are_no_part_of_a_sum():
    model = nn.Sequential(nn.Linear(4, 8), RationalGroups(2), kw.nn.KANLinear(8, 3))
    live = kw.bind(model)
    assert [layer.name for layer in live.feed.layout.layers] == ["2", "1", "0"]


def test_each_function_is_shown_with_the_density_of_its_own_inputs():
    model = nn.Sequential(RationalGroups(2))
    live = kw.bind(model)
    x = torch.cat([torch.full((6, 3), -1.0), torch.full((6, 3), 2.0)], dim=-1)
    live.observe(x)
    counts, edges = live.feed.observed["0"].counts, live.feed.observed["0"].edges
    assert counts.shape[0] == 2
    assert counts.sum(1).tolist() == [18, 18]
    for group, at in enumerate((-1.0, 2.0)):
        place = counts[group].argmax()
        assert edges[place] <= at <= edges[place + 1]


def test_a_list_of_plain_layers_for_basis_functions_is_no_set_of_straight_lines():
    class Volver(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
            self.base_weights = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
            self.poly_weights = nn.ModuleList(nn.Linear(12, 4) for _ in range(2))

    with pytest.raises(ValueError, match="only a part of what it computes"):
        read(Volver())
