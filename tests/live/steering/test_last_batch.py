"""The last batch of a loop, observed on request: at the right moment, and without a trace."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live import Listener
from kan_widgets.widgets import stream_of


class Net(nn.Module):
    """Two layers with what a careless forward pass would change, and a count of passes."""

    def __init__(self) -> None:
        super().__init__()
        self.first = kw.nn.KANConv2d(1, 2, 3)
        self.norm = nn.BatchNorm2d(2)
        self.drop = nn.Dropout(0.5)
        self.second = kw.nn.KANConv2d(2, 2, 3)
        self.threads: list[threading.Thread] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.threads.append(threading.current_thread())
        return self.second(self.drop(self.norm(self.first(x)))).mean((2, 3))


class Heard(Listener):
    def __init__(self) -> None:
        self.batches: list[tuple[bool, str]] = []

    def on_batch(self, seen: bool, message: str) -> None:
        self.batches.append((seen, message))


def made() -> tuple[Net, torch.optim.Optimizer, Any]:
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    return model, optimizer, kw.bind(model, optimizer)


def batches(n: int = 3, size: int = 4) -> Any:
    generator = torch.Generator().manual_seed(1)
    for _ in range(n):
        yield torch.rand(size, 1, 8, 8, generator=generator), torch.zeros(size, 2)


def step(model: nn.Module, optimizer: torch.optim.Optimizer, images: torch.Tensor) -> None:
    optimizer.zero_grad()
    model(images).square().sum().backward()
    optimizer.step()


def test_the_last_batch_of_a_tracked_loop_is_observed_when_asked_for() -> None:
    model, optimizer, live = made()
    heard = Heard()
    live.feed.subscribe(heard)
    for images, _ in live.track(list(batches())):
        step(model, optimizer, images)
    live.feed.bound.request_batch()
    [last] = [pair[0] for pair in list(batches())[-1:]]
    seen = live.feed.observed["first"]
    assert seen.is_image
    np.testing.assert_allclose(seen.maps, last.numpy(), rtol=1e-6)
    assert heard.batches == [(True, ""), (True, "")]


def test_a_batch_that_nobody_holds_is_let_go_and_a_few_of_its_inputs_outlive_the_loop() -> None:
    model, optimizer, live = made()
    passed = []
    for images, _ in live.track(batches(3, 100), epochs=1):
        passed.append(weakref.ref(images))
        step(model, optimizer, images)
    del images, _
    gc.collect()
    assert [ref() for ref in passed] == [None] * 3
    live.feed.bound.request_batch()
    assert live.feed.observed["first"].samples == 64


def test_while_a_loop_trains_it_is_observed_by_the_thread_that_trains_after_its_next_step() -> None:
    model, optimizer, live = made()
    asked, go_on = threading.Event(), threading.Event()
    states: list[Any] = []

    def train() -> None:
        for number, (images, _) in enumerate(live.track(list(batches()))):
            if number == 1:
                asked.set()
                assert go_on.wait(10)
            step(model, optimizer, images)
            states.append(bool(live.feed.observed))

    trainer = threading.Thread(target=train)
    trainer.start()
    assert asked.wait(10)
    live.feed.bound.request_batch()
    assert not live.feed.observed  # not by this thread
    go_on.set()
    trainer.join(10)
    assert states == [False, True, True]
    assert set(model.threads) == {trainer}
    assert len(model.threads) == 4


def test_a_training_with_observing_ends_bit_by_bit_like_one_without() -> None:
    def run(asks: bool) -> tuple[list[torch.Tensor], torch.Tensor, list[bool]]:
        model, optimizer, live = made()
        model.drop.eval()
        model.norm.train()
        torch.manual_seed(3)
        for images, _ in live.track(list(batches(4))):
            if asks:
                live.feed.training.queue.defer("observe", live.feed.bound.observe_batch)
            step(model, optimizer, images)
            gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        assert bool(live.feed.observed) is asks
        state = [value.clone() for value in model.state_dict().values()]
        return state + gradients, torch.rand(3), [m.training for m in model.modules()]

    (plain, drawn, modes), (observed, drawn_too, modes_too) = run(False), run(True)
    assert all(torch.equal(a, b) for a, b in zip(plain, observed, strict=True))
    assert torch.equal(drawn, drawn_too)
    assert modes == modes_too


def test_fit_gives_its_batches_too_and_a_loop_by_hand_its_first() -> None:
    model, optimizer, live = made()
    images = torch.rand(4, 1, 8, 8)
    live.feed.bound.request_batch()
    assert "no batch has been seen: call live.observe(batch)" in live.feed.bound.batch_message
    step(model, optimizer, images)
    assert live.feed.training.batch_seen
    live.feed.bound.request_batch()
    assert live.feed.bound.batch_message == ""
    assert {seen.samples for seen in live.feed.observed.values()} == {4}
    kw.fit(model, list(batches()), optimizer, nn.functional.mse_loss)
    assert live.feed.training.batch_seen
    live.feed.bound.request_batch()
    assert live.feed.bound.batch_message == ""
    assert set(live.feed.observed) == {"first", "second"}


def test_what_the_model_does_not_take_is_said_and_ends_neither_training_nor_watching() -> None:
    model, optimizer, live = made()
    for flat in live.track([torch.rand(4, 64)] * 2):
        live.feed.training.queue.defer("observe", live.feed.bound.observe_batch)
        step(model, optimizer, flat.view(4, 1, 8, 8))
    assert "the last batch could not be observed:" in live.feed.bound.batch_message
    assert live.feed.is_open
    assert live.stats.steps == 2


def test_a_page_is_told_that_there_is_a_batch_and_its_click_has_it_observed() -> None:
    model, optimizer, live = made()
    stream = stream_of(live)
    assert stream.batch == {"seen": False, "message": ""}
    stream._answer(stream, {"kind": "observe"}, [])
    assert "live.observe(batch)" in stream.batch["message"]
    for images, _ in live.track(list(batches())):
        step(model, optimizer, images)
    assert stream.batch["seen"]
    stream._answer(stream, {"kind": "observe"}, [])
    assert stream.batch == {"seen": True, "message": ""}
    assert set(live.feed.observed) == {"first", "second"}


class BeginsAnew:
    """A loader that iterates over itself and knows its length, as Ray Train's."""

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> BeginsAnew:
        self.left = 2
        return self

    def __next__(self) -> int:
        if not self.left:
            raise StopIteration
        self.left -= 1
        return self.left


def test_a_loader_that_begins_anew_each_time_is_gone_through_for_several_epochs() -> None:
    live = kw.bind(model := kw.nn.KANLinear(2, 1))
    assert list(live.track(BeginsAnew(), epochs=3)) == [1, 0] * 3
    with pytest.raises(TypeError, match="can be iterated only once"):
        live.track(iter([1, 0]), epochs=3)
    del model
