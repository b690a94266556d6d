"""All widgets together change nothing of the training they watch."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.nn.functional import nll_loss

import kan_widgets as kw
from tests.every_view import all_but, make_all


def trained(watched: bool) -> list[Any]:
    torch.manual_seed(5)
    model = kw.nn.KANCNN(channels=(2, 3))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    data = torch.utils.data.TensorDataset(torch.rand(48, 1, 28, 28), torch.randint(0, 10, (48,)))
    loader = torch.utils.data.DataLoader(data, batch_size=8, shuffle=True)
    views: list[Any] = []
    live = explain = None
    if watched:
        live = kw.bind(model, optimizer, every=1)
        views = make_all(live, names=all_but("Explain"))
        explain = kw.Explain(live, data.tensors[0][0], layer="convs.0")
        # However long it takes here.
        always = SimpleNamespace(due=-math.inf, spent=lambda *_: None)
        explain._throttle = always  # type: ignore[assignment]
        views.append(explain)
        live.observe(data.tensors[0][:4])
        for view in views:
            view._repr_mimebundle_()
    for _ in range(2):
        for images, labels in loader:
            if explain is not None:
                # As the scheduler does: what is behind is left to this thread. Whether the frame of
                # the step before is known by now is up to other threads: there is news in any case.
                explain._news += 1
                explain._job.run()
            optimizer.zero_grad()
            loss = nll_loss(model(images), labels)
            loss.backward()
            optimizer.step()
            if live is not None:
                live.log(loss=loss)
    if explain is not None:
        steps = {part["layer"]: part["step"] for part in explain._parts}
        assert steps["convs.0"] == 12
        assert steps["convs.1"] == 0
    for view in views:
        view._repr_mimebundle_()
        view.close()
    if live is not None:
        assert live.stats.steps == 12
        live.close()
    states = optimizer.state_dict()["state"]
    return [
        *model.state_dict().values(),
        *(value for state in states.values() for value in state.values()),
        torch.random.get_rng_state(),
        torch.tensor([module.training for module in model.modules()]),
    ]


@pytest.mark.slow
def test_weights_optimizer_random_numbers_and_modes_are_bit_identical_with_every_widget() -> None:
    watched, alone = trained(True), trained(False)
    assert len(watched) == len(alone)
    for ours, theirs in zip(watched, alone, strict=True):
        assert torch.equal(torch.as_tensor(ours), torch.as_tensor(theirs))
