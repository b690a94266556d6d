"""Functions that are fixed: no optimizer moves them, and all else trains as if they were masked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.functions.basis import IdentityBasis
from kan_widgets.insight import fix
from kan_widgets.live.model.holding import parameter_entries
from kan_widgets.live.model.layers import FunctionPlace

models: list[nn.Module] = []


@pytest.fixture(autouse=True)
def _kept() -> Iterator[None]:
    yield
    models.clear()


def network(**options: Any) -> nn.Sequential:
    torch.manual_seed(0)
    model = nn.Sequential(
        kw.nn.KANLinear(3, 4, **options), nn.Tanh(), kw.nn.KANLinear(4, 2, **options)
    )
    for layer in (model[0], model[2]):
        nn.init.normal_(layer.spline_weight, std=0.3)
    models.append(model)
    return model


def batches(count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(5)
    x = [2 * torch.rand(32, 3, generator=generator) - 1 for _ in range(count)]
    return [(x, torch.stack([x[:, 0] * x[:, 1], x[:, 2] ** 2], 1)) for x in x]


def train(
    model: nn.Module, optimizer: torch.optim.Optimizer, steps: int, clip: float | None = None
) -> None:
    for x, y in batches(steps):

        def closure(x: torch.Tensor = x, y: torch.Tensor = y) -> torch.Tensor:
            optimizer.zero_grad()
            loss = (model(x) - y).square().mean()
            loss.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            return loss

        optimizer.step(closure)


OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "AdamW": lambda p: torch.optim.AdamW(p, 1e-2, weight_decay=0.5),
    "AdamW, one by one": lambda p: torch.optim.AdamW(p, 1e-2, weight_decay=0.5, foreach=False),
    "SGD": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.1),
    "SGD, Nesterov": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    "Adam": lambda p: torch.optim.Adam(p, 1e-2, weight_decay=0.1, amsgrad=True),
    "RMSprop": lambda p: torch.optim.RMSprop(p, 1e-3, momentum=0.9, weight_decay=0.1),
    "Rprop": lambda p: torch.optim.Rprop(p, 1e-2),
    "Adagrad": lambda p: torch.optim.Adagrad(p, 1e-2, weight_decay=0.1),
    "LBFGS": lambda p: torch.optim.LBFGS(p, 0.1, max_iter=3),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_no_optimizer_moves_it_by_a_bit_and_all_else_moves(name: str) -> None:
    model = network(spline_scaler=True)
    optimizer = OPTIMIZERS[name](model.parameters())
    live = kw.bind(model, optimizer, every=1)
    train(model, optimizer, 5)  # with momentum of its own by now
    seen = live.observe(batches(1)[0][0])["0"]
    fixed = fix(live, "0", (1, 2), np.sin, observed=seen)
    start = live.frame.coefficients("0")[:, :, 0, 0].copy()
    assert start[1, 2] == pytest.approx(fixed.after, abs=1e-6)
    train(model, optimizer, 20)
    end = kw.functions.read(model)[0].coefficients.numpy()
    assert np.array_equal(end[1, 2], start[1, 2])
    others = np.ones(end.shape[:2], bool)
    others[1, 2] = False
    assert (end[others] != start[others]).any(axis=1).all()
    # Whoever looks after a step sees it held.
    for frame in live.history:
        if frame.step > 5:
            assert np.array_equal(frame.coefficients("0")[1, 2, 0, 0], start[1, 2])


@pytest.mark.parametrize("clip", [None, 0.05])
@pytest.mark.parametrize("name", ["AdamW", "SGD"])
def test_all_else_trains_to_the_bit_as_with_a_mask_made_by_hand(name: str, clip: float) -> None:
    model, reference = network(), network()
    optimizers = [OPTIMIZERS[name](m.parameters()) for m in (model, reference)]
    live = kw.bind(model, optimizers[0])
    live.edits.fix("0", (1, 2), np.linspace(0, 1, 9).tolist())
    base, splines = reference[0].base_weight, reference[0].spline_weight
    with torch.no_grad():
        base[1, 2], splines[1, 2] = model[0].base_weight[1, 2], model[0].spline_weight[1, 2]
    kept = base[1, 2].item(), splines[1, 2].detach().clone()
    for parameter in (base, splines):
        mask = torch.ones_like(parameter)
        mask[1, 2] = 0
        parameter.register_hook(lambda g, mask=mask: g * mask)
    for k in range(15):
        for m, optimizer in zip((model, reference), optimizers, strict=True):
            x, y = batches(15)[k]
            optimizer.zero_grad()
            (m(x) - y).square().mean().backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(m.parameters(), clip)
            optimizer.step()
            with torch.no_grad():
                if m is reference:
                    base[1, 2], splines[1, 2] = kept
    for one, other in zip(model.parameters(), reference.parameters(), strict=True):
        assert torch.equal(one, other)


def test_nothing_fixed_trains_to_the_bit_as_if_nothing_had_been() -> None:
    model, reference = network(), network()
    optimizers = [OPTIMIZERS["AdamW"](m.parameters()) for m in (model, reference)]
    live = kw.bind(model, optimizers[0])
    live.edits.fix("0", (1, 2), np.linspace(0, 1, 9).tolist())
    live.edits.undo()
    for m, optimizer in zip((model, reference), optimizers, strict=True):
        train(m, optimizer, 8, clip=0.1)
    for one, other in zip(model.parameters(), reference.parameters(), strict=True):
        assert torch.equal(one, other)


def test_undo_lets_it_train_again_and_redo_holds_it_again() -> None:
    model = network()
    optimizer = OPTIMIZERS["SGD"](model.parameters())
    live = kw.bind(model, optimizer)
    before = model[0].spline_weight[0, 1].detach().clone()
    live.edits.fix("0", (0, 1), np.ones(9).tolist())
    assert live.edits.held == (("0", (0, 1, 0, 0)),)
    live.edits.undo()
    assert live.edits.held == ()
    assert torch.equal(model[0].spline_weight[0, 1], before)
    train(model, optimizer, 3)
    assert not torch.equal(model[0].spline_weight[0, 1], before)
    live.edits.redo()
    train(model, optimizer, 3)
    assert torch.equal(model[0].spline_weight[0, 1], torch.ones(8))
    live.edits.release("0", (0, 1))
    train(model, optimizer, 3)
    assert not torch.equal(model[0].spline_weight[0, 1], torch.ones(8))


def test_it_lasts_when_the_model_is_bound_again_and_can_still_be_undone() -> None:
    model = network()
    optimizer = OPTIMIZERS["AdamW"](model.parameters())
    before = model[0].spline_weight[0, 1].detach().clone()
    kw.bind(model, optimizer).edits.fix("0", (0, 1), np.ones(9).tolist())
    again = kw.bind(model, optimizer)
    train(model, optimizer, 5)
    assert torch.equal(model[0].spline_weight[0, 1], torch.ones(8))
    assert again.edits.held == (("0", (0, 1, 0, 0)),)
    again.edits.undo()
    assert torch.equal(model[0].spline_weight[0, 1], before)
    assert again.edits.held == ()


def test_an_optimizer_that_nobody_bound_leaves_it_too_and_so_it_stays_when_closed() -> None:
    model = network()
    live = kw.bind(model)
    live.edits.fix("0", (0, 1), np.ones(9).tolist())
    live.close()
    train(model, OPTIMIZERS["Adam"](model.parameters()), 5)
    assert torch.equal(model[0].spline_weight[0, 1], torch.ones(8))


def test_edits_states_and_grids_change_it_and_it_is_held_as_it_then_is() -> None:
    model = network()
    optimizer = OPTIMIZERS["AdamW"](model.parameters())
    live = kw.bind(model, optimizer)
    live.edits.fix("0", (0, 1), np.ones(9).tolist())
    live.edits.set("0", (0, 1), (2 * np.ones(9)).tolist())
    train(model, optimizer, 3)
    assert torch.equal(model[0].spline_weight[0, 1], 2 * torch.ones(8))
    live.edits.undo()  # of the edit, which began no hold
    train(model, optimizer, 3)
    assert torch.equal(model[0].spline_weight[0, 1], torch.ones(8))
    state = {name: value + 1 for name, value in model.state_dict().items()}
    model.load_state_dict({**model.state_dict(), "0.spline_weight": state["0.spline_weight"]})
    train(model, optimizer, 3)
    assert torch.equal(model[0].spline_weight[0, 1], 2 * torch.ones(8))
    # A finer grid: other parameters, more of them.
    kw.nn.refine(model, 9)
    optimizer = OPTIMIZERS["AdamW"](model.parameters())
    fine = model[0].spline_weight.detach().clone()
    train(model, optimizer, 3)
    assert torch.equal(model[0].spline_weight[0, 1], fine[0, 1])
    assert (model[0].spline_weight != fine).flatten(2).any(-1).sum() == 11


def test_a_step_that_raises_leaves_nothing_behind() -> None:
    model = network()
    optimizer = OPTIMIZERS["SGD"](model.parameters())
    live = kw.bind(model, optimizer)
    live.edits.fix("0", (0, 1), np.ones(9).tolist())

    def fails() -> float:
        raise KeyboardInterrupt

    for _ in range(9):
        with pytest.raises(KeyboardInterrupt):
            optimizer.step(fails)
    train(model, optimizer, 3)
    assert torch.equal(model[0].spline_weight[0, 1], torch.ones(8))


def test_a_fix_while_a_loop_trains_holds_from_the_next_step_on() -> None:
    model = network()
    optimizer = OPTIMIZERS["AdamW"](model.parameters())
    live = kw.bind(model, optimizer, every=1)
    seen = []
    for k, (x, y) in enumerate(batches(8)):
        optimizer.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        if k == 3:  # between backward and step
            live.edits.fix("0", (0, 1), np.ones(9).tolist())
        optimizer.step()
        seen.append(model[0].spline_weight[0, 1].detach().clone())
    assert all(torch.equal(one, torch.ones(8)) for one in seen[4:])


def convolution() -> nn.Module:
    return nn.Sequential(kw.nn.KANConv2d(2, 3, 3))


def scaled() -> nn.Module:
    import convkan

    return nn.Sequential(convkan.ConvKAN(2, 3, 3))


def pykan() -> nn.Module:
    from kan import KAN

    model = KAN(width=[3, 2], grid=3, k=3, auto_save=False, seed=0)
    model.fix_symbolic(0, 1, 0, "sin", fit_params_bool=False, verbose=False, log_history=False)
    return model


def plain() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2))


@pytest.mark.parametrize("make", [convolution, scaled, pykan, plain])
def test_functions_of_other_layers_and_libraries_are_held_with_their_scales(make) -> None:
    torch.manual_seed(0)
    model = make()
    models.append(model)
    optimizer = OPTIMIZERS["AdamW"](model.parameters())
    live = kw.bind(model, optimizer)
    [layer] = live.read()
    at = (1, 1, 2, 0) if layer.kind == "conv" else (1, 1)
    coefficients = layer.coefficients[at].double().numpy()
    live.edits.fix(layer.name, at, (1.5 * coefficients + 0.1 * (coefficients != 0)).tolist())
    x = torch.randn(16, *((2, 5, 5) if layer.kind == "conv" else (3,)))
    points = torch.linspace(-1, 1, 50)
    start = live.read()[0].evaluate(points)
    for _ in range(6):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
    end = live.read()[0].evaluate(points)
    assert torch.equal(end[at], start[at])
    start[at] = end[at]
    changed = (end != start).any(-1)
    assert changed.sum() == changed.numel() - 1


def test_what_makes_a_function_is_found_and_nothing_changes_meanwhile() -> None:
    model = network(spline_scaler=True)
    before = [p.detach().clone() for p in model.parameters()]
    state = torch.random.get_rng_state()
    [read, *_] = [found for found in kw.functions.reading.find(model) if found.name == "0"]
    entries = parameter_entries(FunctionPlace(model[0], "0", read.reader, "0", (2, 1, 0, 0)))
    number = 2 * 3 + 1
    assert {name: found.sort().values.tolist() for name, found in entries.items()} == {
        "base_weight": [number],
        "spline_weight": list(range(8 * number, 8 * number + 8)),
        "spline_scaler": [number],
    }
    assert all(torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))
    assert torch.equal(torch.random.get_rng_state(), state)


class Gained(nn.Module):
    """Functions that share a gain."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(2, 3, 1))
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ (self.gain * self.weight[..., 0]).T


def test_a_function_with_a_parameter_of_others_is_refused_and_nothing_changes() -> None:
    def read(module: Gained) -> kw.functions.LayerFunctions:
        def write(index: tuple[int, ...], coefficients: torch.Tensor) -> None:
            with torch.no_grad():
                module.weight[index] = coefficients / module.gain

        coefficients = (module.gain * module.weight).detach()
        return kw.functions.LayerFunctions("linear", coefficients, (IdentityBasis(),), write=write)

    model = nn.Sequential(Gained())
    models.append(model)
    kw.functions.register_adapter(Gained, read)
    live = kw.bind(model)
    before = [p.detach().clone() for p in model.parameters()]
    with pytest.raises(ValueError, match="its parameter gain is shared with other functions"):
        live.edits.fix("0", (0, 1), [2.0])
    assert all(torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))
    assert live.edits.held == ()
    assert live.edits.done == ()
