"""No reading is drawn that is not what the module computes.

Each module here has the name and the tensors of one that an adapter knows, as a public file has
them, and computes by a formula of its own; before, it was drawn wrongly and without a word.
"""

from __future__ import annotations

import copy
import gc
import re
import weakref

import lookalikes
import pytest
import torch
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.functions import check, describe, prove, read
from kan_widgets.functions.forward_pass import ModuleInput


class SplinesOnly(lookalikes.KANLinear):
    """Holds a base weight that it does not use."""

    def forward(self, x: Tensor) -> Tensor:
        base = self.base_activation(x) @ self.base_weight.T
        return super().forward(x) - base


class Transposed(nn.Module):
    """Chebyshev polynomials of tanh x, coefficients (out, in, n); what follows differs."""

    def __init__(self, size: int, degree: int, after: type[nn.Module]) -> None:
        super().__init__()
        self.cheby_coeffs = nn.Parameter(torch.randn(size, size, degree + 1))
        self.norm = nn.LayerNorm(size)
        self.after = after()

    def forward(self, x: Tensor) -> Tensor:
        degrees = torch.arange(self.cheby_coeffs.shape[-1])
        angle = torch.acos(torch.tanh(x).clamp(-1 + 1e-7, 1 - 1e-7))
        waves = torch.cos(angle[..., None] * degrees)
        return self.norm(self.after(torch.einsum("nid,oid->no", waves, self.cheby_coeffs)))


class NormedBase(nn.Module):
    """Gaussians and a base, both of LayerNorm(x)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        parts = lookalikes.FastKANLayer(inputs, outputs)
        for name in ("layernorm", "rbf", "spline_linear", "base_linear"):
            setattr(self, name, getattr(parts, name))
        self.use_base_update, self.base_activation = True, parts.base_activation

    def forward(self, x: Tensor) -> Tensor:
        x = self.layernorm(x)
        return self.spline_linear(self.rbf(x).flatten(-2)) + self.base_linear(
            self.base_activation(x)
        )


class KernelsFirst(lookalikes.ArticleLayer):
    """Output o·C + c is kernel o on channel c; the article's is c·n + o."""

    def forward(self, x: Tensor) -> Tensor:
        channels = super().forward(x).unflatten(1, (x.shape[1], self.n_convs))
        return channels.transpose(1, 2).flatten(1, 2)


for _lookalike, _name in {
    SplinesOnly: "KANLinear",
    Transposed: "ChebyKANLayer",
    NormedBase: "FastKANLayer",
    KernelsFirst: "KAN_Convolutional_Layer",
}.items():
    _lookalike.__name__ = _name

WRONG = {
    "splines only": lambda: SplinesOnly(4, 3),
    "transposed": lambda: Transposed(4, 3, nn.Identity),
    "transposed with SiLU": lambda: Transposed(4, 3, nn.SiLU),
    "base of the norm": lambda: NormedBase(4, 3),
    "kernels first": lambda: KernelsFirst(3, (2, 2)),
}


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_what_the_module_computes_is_sampled_and_the_difference_is_said(name):
    module = WRONG[name]()
    model = nn.Sequential(module, kw.nn.KANLinear(3, 2))
    live = kw.bind(model)
    sampled = live.feed.layout.layer("0")
    assert "Sampled" in sampled.note
    assert re.search("off by .* its largest output, most at output", sampled.note)
    assert "sampled" in sampled.locked
    assert [row.adapter for row in describe(model).layers] == ["sampled", "kan_widgets"]
    assert check(module, tolerance=1e-4).outputs > 64
    live.close()


def test_who_knows_better_binds_without_a_proof():
    model = SplinesOnly(4, 3)
    prove(model)
    assert describe(model).layers[0].adapter == "sampled"
    assert kw.bind(model, prove=False).feed.layout.layers[0].labels[0] == "silu"


def test_what_cannot_be_proved_nor_sampled_is_not_drawn():
    class Mixed(lookalikes.KANLinear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * torch.sigmoid(x.sum(-1, keepdim=True))

    model = nn.Sequential(Mixed(4, 3), kw.nn.KANLinear(3, 2))
    with pytest.warns(UserWarning, match="what inputs do together is .* of what it computes"):
        assert kw.bind(model).feed.layout.names == ("1",)


def test_a_subclass_with_a_forward_of_its_own_is_read_once_it_is_proved_right():
    class Flattened(lookalikes.KANLinear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.flatten(1))

    model = nn.Sequential(Flattened(4, 3), nn.Linear(3, 1))
    assert [layer.name for layer in read(model)] == ["0", "1"]
    assert set(kw.bind(model).feed.layout.names) == {"0", "1"}


def test_each_kind_of_layer_is_run_once_and_on_a_copy():
    ran: list[nn.Module] = []

    class Counted(kw.nn.KANLinear):
        def forward(self, x: Tensor) -> Tensor:
            ran.append(self)
            return super().forward(x)

    model = nn.Sequential(*[Counted(3, 3) for _ in range(5)], Counted(3, 2))
    calls: list[int] = []

    def note(*given: object) -> None:
        calls.append(1)

    model[0].register_forward_hook(note)
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    prove(model)
    assert len(ran) == 2 * 2  # as they are, and with parameters moved
    read(model)
    assert len(ran) == 2 * 2
    assert not set(ran) & set(model)
    assert not calls
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_a_layer_that_cannot_be_copied_is_run_itself_and_left_as_it_was():
    class Held(kw.nn.KANLinear):
        def forward(self, x: Tensor) -> Tensor:
            self.last = super().forward(x)
            return self.last

    model = Held(3, 2)
    model(torch.rand(4, 3))  # a tensor in a graph: deepcopy raises
    last, calls = model.last, []

    def note(*given: object) -> None:
        calls.append(1)

    model.register_forward_hook(note)
    prove(model)
    assert model.last is last
    assert model.training
    assert not calls
    assert len(model._forward_hooks) == 1
    assert read(model)[0].shape == (2, 3, 1, 1)


def test_what_is_still_zero_is_moved_before_it_is_compared():
    class Shifted(kw.nn.KANLinear):
        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__(inputs, outputs)
            self.slope = nn.Parameter(torch.zeros(outputs, inputs))

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + x @ self.slope.T

    model = Shifted(3, 2)
    assert check(model).error < 1e-5  # by now
    prove(model)
    [layer] = read(model)
    assert "off by" in layer.note  # and so it is sampled


def test_a_bias_is_no_difference_between_functions():
    class Biased(kw.nn.KANLinear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + torch.arange(self.out_features)

    assert kw.bind(Biased(3, 2)).feed.layout.names == ("Biased",)


def test_what_rounding_leaves_of_functions_that_cancel_is_no_difference():
    torch.manual_seed(0)
    layer, x = kw.nn.KANLinear(32, 3), torch.rand(4, 32)
    optimizer = torch.optim.Adam(layer.parameters(), 0.01)
    for _ in range(200):
        optimizer.zero_grad()
        layer(x).square().mean().backward()
        optimizer.step()
    assert layer(x).abs().max() < 1e-4
    prove(layer, module_inputs={layer: ModuleInput(x)}, again=True)
    assert [row.adapter for row in describe(layer).layers] == ["kan_widgets"]

    class Larger(kw.nn.KANLinear):
        def forward(self, x: Tensor) -> Tensor:
            return 1.01 * super().forward(x)

    layer.__class__ = Larger  # what is wrong is so in double precision too
    prove(layer, module_inputs={layer: ModuleInput(x)}, again=True)
    assert "kan_widgets" not in [row.adapter for row in describe(layer).layers]


def test_a_layer_that_takes_columns_is_proved_too():
    class ReLUKANLayer(lookalikes.ReLUKANLayer):
        """ReLU-KAN's own: x is (n, in, 1), and what it returns (n, out, 1)."""

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.squeeze(2)).unsqueeze(2)

    prove(model := ReLUKANLayer(4, 3))
    assert describe(model).layers[0].adapter == "torch-conv-kan"


def test_a_class_that_is_defined_anew_is_let_go():
    def proved() -> weakref.ref[type]:
        class Passing(kw.nn.KANLinear):
            def forward(self, x: Tensor) -> Tensor:
                return super().forward(x)

        prove(Passing(2, 2))
        return weakref.ref(Passing)

    gone = proved()
    gc.collect()
    assert gone() is None


class Inside:
    """A basis that is known within its domain alone."""

    domain, n_basis, labels, points = (-1.0, 1.0), 1, ("wave",), 100

    def expand(self, x):
        inside = (x >= -1) & (x <= 1)
        return torch.sin(3 * torch.where(inside, x, torch.nan)).unsqueeze(-1)

    def derivative(self, x):
        inside = (x >= -1) & (x <= 1)
        return 3 * torch.cos(3 * torch.where(inside, x, torch.nan)).unsqueeze(-1)


def test_a_layer_that_is_nowhere_outside_its_domain_is_read():
    layer = kw.nn.KANLinear(1, 1, basis=Inside())
    with torch.no_grad():
        layer.base_weight.zero_()
        layer.spline_weight.fill_(2)
    model = torch.nn.Sequential(layer)
    assert kw.bind(model).layers == ("0",)


def test_what_takes_long_is_said_once_and_what_is_left_is_not_sampled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = nn.Sequential(SplinesOnly(3, 4), SplinesOnly(4, 2))
    monkeypatch.setattr("kan_widgets.functions.model_proof._NOTICE_SECONDS", 1e9)
    prove(model)
    assert "".join(capsys.readouterr()) == ""
    assert [row.adapter for row in describe(model).layers] == ["sampled", "sampled"]
    monkeypatch.setattr("kan_widgets.functions.model_proof._NOTICE_SECONDS", -1.0)
    monkeypatch.setattr("kan_widgets.functions.model_proof._MAX_SECONDS", -1.0)
    prove(model)
    said = "".join(capsys.readouterr())  # to stdout where IPython is
    assert said.count("kan_widgets: proving that the functions read of Sequ") == 1
    assert "there was no time left to sample it" in str(describe(model))
