"""Bound models and optimizers are copied, pickled, saved and compiled as if nobody watched them."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live import Binding


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def saved(value: Any) -> Any:
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


WAYS = pytest.mark.parametrize("way", [copy.deepcopy, pickled, saved])


def watched(folder: Path) -> tuple[nn.Module, torch.optim.Optimizer, Binding]:
    """Return a model that holds all that watches it, its optimizer, and the binding."""
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(3, 4), kw.nn.KANLinear(4, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    live = kw.bind(model, optimizer, every=1)
    live.probe(torch.ones(2, 3))
    model.live, model.view = live, kw.KernelGrid(live)
    model.parts = [live.control, live.edits, live.watchdog, live.watchdog()]
    model.recorder = live.record(folder / "run.npz")
    return model, optimizer, live


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    model(torch.linspace(-1, 1, 12).view(4, 3)).square().sum().backward()
    optimizer.step()


def hooks_of(value: Any) -> list[Any]:
    """Return all hooks that a model, its parameters or an optimizer has."""
    parts = [*value.modules(), *value.parameters()] if isinstance(value, nn.Module) else [value]
    found = [vars(part) for part in parts] if isinstance(parts[0], nn.Module) else [vars(value)]
    hooks = [
        hook
        for held in found
        for name, each in held.items()
        if "hook" in name and each
        for hook in each
    ]
    return hooks + [p for p in parts if isinstance(p, nn.Parameter) and p._backward_hooks]


@WAYS
def test_a_model_that_holds_its_binding_and_views_is_copied_without_them(
    way: Callable[[Any], Any], tmp_path: Path
) -> None:
    model, optimizer, live = watched(tmp_path)
    live.edits.fix("0", (0, 0), [0.0] * 9)
    step(model, optimizer)
    copied = way(model)
    assert copied.live is None
    assert copied.view is None
    assert copied.parts == [None] * 4
    assert copied.recorder is None
    assert not hooks_of(copied)
    assert model.live is live
    for name, value in model.state_dict().items():
        torch.testing.assert_close(copied.state_dict()[name], value, rtol=0, atol=0)
    # The copy trains unseen, until it is bound itself.
    own = torch.optim.Adam(copied.parameters(), lr=0.1)
    step(copied, own)
    assert live.stats.steps == 1
    again = kw.bind(copied, own, every=1)
    step(copied, own)
    assert (live.stats.steps, again.stats.steps) == (1, 1)
    live.close()


@WAYS
def test_a_copied_optimizer_carries_no_hook(way: Callable[[Any], Any], tmp_path: Path) -> None:
    model, optimizer, live = watched(tmp_path)
    live.edits.fix("0", (0, 0), [0.0] * 9)
    step(model, optimizer)
    assert hooks_of(optimizer)
    copied = way(optimizer)
    assert not hooks_of(copied)
    copied.step()
    assert live.stats.steps == 1
    live.close()


def test_a_model_that_holds_its_binding_registers_nothing_by_that(tmp_path: Path) -> None:
    model, _, live = watched(tmp_path)
    plain = nn.Sequential(kw.nn.KANLinear(3, 4), kw.nn.KANLinear(4, 2))
    for listed in ("named_modules", "named_parameters", "named_buffers"):
        names = [[name for name, _ in getattr(each, listed)()] for each in (model, plain)]
        assert names[0] == names[1]
    assert list(model.state_dict()) == list(plain.state_dict())
    live.close()


def _trained_elsewhere(_: int, model: Any, optimizer: torch.optim.Optimizer) -> None:
    assert model.live is None
    assert model.view is None
    assert not hooks_of(optimizer)
    step(model, optimizer)


def test_a_bound_model_is_handed_to_a_spawned_process(tmp_path: Path) -> None:
    model, optimizer, live = watched(tmp_path)
    torch.multiprocessing.spawn(_trained_elsewhere, (model, optimizer), nprocs=1)
    assert live.stats.steps == 0
    live.close()


# Importing torch.compile itself warns of the scripting that torch still uses inside.
@pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")
@pytest.mark.parametrize("compiled", ["whole step", "optimizer's step"])
def test_a_compiled_step_is_counted_and_computes_the_same_to_the_bit(compiled: str) -> None:
    def trained(watch: bool) -> tuple[nn.Module, Binding | None]:
        torch.manual_seed(0)
        torch.compiler.reset()
        model = kw.nn.KANLinear(3, 2)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
        x, y = torch.rand(8, 3), torch.rand(8, 2)
        only = torch.compile(optimizer.step, backend="aot_eager")

        def whole(x: torch.Tensor, y: torch.Tensor) -> None:
            optimizer.zero_grad()
            (model(x) - y).square().mean().backward()
            optimizer.step() if compiled == "whole step" else only()

        run = torch.compile(whole, backend="aot_eager") if compiled == "whole step" else whole
        run(x, y)  # compiled before it is bound
        live = kw.bind(model, optimizer, every=1) if watch else None
        if live is not None:
            live.feed.camera.throttle.is_open = lambda now: True
            # What was held once leaves a hook on all optimizers.
            live.edits.fix("KANLinear", (0, 0), live.frame.coefficients("KANLinear")[0, 0, 0, 0])
            live.edits.release("KANLinear", (0, 0))
        for _ in range(4):
            run(x, y)
        return model, live

    model, live = trained(watch=True)
    assert live is not None
    assert live.state == "live"
    assert [frame.step for frame in live.history][-4:] == [1, 2, 3, 4]
    seen = live.frame.coefficients("KANLinear")[..., 0, 0, 0]
    np.testing.assert_array_equal(seen, model.base_weight.detach().numpy())
    for seen, unseen in zip(model.parameters(), trained(watch=False)[0].parameters(), strict=True):
        assert torch.equal(seen, unseen)
    live.close()
