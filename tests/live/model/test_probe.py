"""Examples followed through a network: what they make of it, and that training is not changed."""

from __future__ import annotations

import copy
import gc
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.live import Listener, budget
from kan_widgets.live.frames.activations import (
    ActivationHistory,
    Activations,
    Probe,
    packed,
    quantised,
    unpacked,
)
from kan_widgets.live.frames.structure import Structure
from kan_widgets.live.model import bound_model, probing
from kan_widgets.live.steering.counter import Counter

# Nobody else holds the models: a binding does not.
KEPT: list[torch.nn.Module] = []


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    torch.manual_seed(0)
    yield
    KEPT.clear()


class Net(nn.Module):
    """What draws random numbers and has buffers while it trains."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = kw.nn.KANConv2d(1, 3, 3)
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.5)
        self.head = kw.nn.KANLinear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.max_pool2d(self.norm(self.conv(x)), 2)
        return self.head(self.drop(x.flatten(1)))


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    generator = torch.Generator().manual_seed(7)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.rand(8, 1, 6, 6, generator=generator)).square().mean().backward()
        optimizer.step()


def bound(every: int = 1) -> tuple[Net, torch.optim.Optimizer, kw.live.Binding]:
    model = Net()
    KEPT.append(model)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    return model, optimizer, kw.bind(model, optimizer, every=every, max_fps=1e6)


def always_due(live: kw.live.Binding, monkeypatch: pytest.MonkeyPatch) -> None:
    model = live.feed.bound
    for throttle in (model.probing._throttle, model._observing, live.feed.camera.throttle):
        monkeypatch.setattr(throttle, "is_open", lambda now: True)


def test_activations_are_what_hooks_see_to_eight_bits() -> None:
    model, optimizer, live = bound()
    train(model, optimizer, 3)
    images = torch.rand(5, 1, 6, 6)
    live.probe(images, labels=[0, 1, 0, 1, 1])
    seen: dict[str, Tensor] = {}
    for name in ("conv", "norm", "head"):
        module = model.get_submodule(name)
        module.register_forward_hook(lambda *a, name=name: seen.update({name: a[2].detach()}))
    model.eval()
    model(images)
    latest = live.feed.activations.latest
    assert latest is not None
    assert (latest.step, latest.layout_version) == (3, live.feed.layout.version)
    values = {live.feed.structure.stations[v.station].name: v for v in latest.values}
    assert set(values) == {s.name for s in live.feed.structure.stations[1:]}
    for name, expected in seen.items():
        found, span = values[name], values[name].high - values[name].low
        assert found.data.shape == expected.shape
        error = np.abs(found.decoded() - expected.numpy()).reshape(5, -1).max(1)
        assert (error <= span / 510 * 1.001 + 1e-6).all()
        assert name == "head" or (error > 0).any()  # of two numbers both are ends
    probed = live.feed.probed
    assert probed is not None
    assert (probed.labels, probed.inputs.shape) == ((0, 1, 0, 1, 1), (5, 1, 6, 6))
    assert set(live.feed.observed) == {"conv", "head"}


def test_training_is_the_same_to_the_bit_with_examples_followed_at_each_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results = []
    for follows in (False, True):
        torch.manual_seed(1)
        np.random.seed(1)  # noqa: NPY002
        model, optimizer, live = bound()
        if follows:
            live.probe(torch.rand(4, 1, 6, 6, generator=torch.Generator().manual_seed(2)))
            always_due(live, monkeypatch)
        model.drop.eval()  # a mode of its own
        train(model, optimizer, 6)
        model.drop.train()
        train(model, optimizer, 6)
        live.feed.settle()
        assert len(live.feed.activations) == (13 if follows else 0)
        assert {one.step for one in live.feed.observed.values()} == ({12} if follows else set())
        results.append(
            {
                **model.state_dict(),
                **{
                    f"{k}.{name}": value
                    for k, state in optimizer.state_dict()["state"].items()
                    for name, value in state.items()
                },
                "torch": torch.get_rng_state(),
                "numpy": torch.from_numpy(np.random.get_state()[1].astype(np.int64)),  # noqa: NPY002
                "modes": torch.tensor([module.training for module in model.modules()]),
            }
        )
    assert results[0].keys() == results[1].keys()
    for name, value in results[0].items():
        assert torch.equal(value, results[1][name]), name


def test_attributes_that_a_forward_pass_sets_are_as_before() -> None:
    class Remembers(Net):
        last: Any = None

        def forward(self, x: Tensor) -> Tensor:
            self.last = super().forward(x)
            return self.last

    model = Remembers()
    live = kw.bind(model)
    trained_on = model(torch.rand(3, 1, 6, 6))
    live.probe(torch.rand(2, 1, 6, 6))
    live.refresh()
    assert model.last is trained_on


def test_the_next_examples_are_due_when_the_last_took_less_than_a_hundredth_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The first time, with what is done once, it takes two seconds and a half; then half of one.
    clock = iter([0.0, 2.5, 300.0, 300.5])
    monkeypatch.setattr(probing, "perf_counter", lambda: next(clock))
    model, _, live = bound()
    followed, shared = live.feed.bound.probing, budget.Budget()
    shared.note(live.feed.counter, is_live=True)
    followed._throttle = budget.Throttle(30, budget=shared)
    followed.examples = probing.examples_of(torch.rand(2, 1, 6, 6))
    assert followed.is_due(0.0)
    followed.trace(model, live.feed.layout, 0)
    assert followed.took == 2.5
    assert not followed.is_due(249)
    assert followed.is_due(251)
    followed.trace(model, live.feed.layout, 1)
    assert followed.took == 0.5
    # A second's part of the time had been saved up.
    assert not followed.is_due(348)
    assert followed.is_due(350)


def test_activations_come_with_frames_and_the_last_frame_has_them() -> None:
    model, optimizer, live = bound(every=4)
    live.probe(torch.rand(2, 1, 6, 6))
    live.feed.bound.probing._throttle.is_open = lambda now: False  # type: ignore[method-assign]
    train(model, optimizer, 6)
    assert [a.step for a in live.feed.activations] == [0]
    live.feed.settle()
    assert [a.step for a in live.feed.activations] == [0, 6]
    assert live.frame.step == 6
    live.edits.zero("head", (0, 0))
    again = live.feed.activations.latest
    assert again is not None
    assert (again.step, len(live.feed.activations)) == (6, 2)
    assert live.stats.probe_share <= live.stats.share


def test_listeners_hear_of_structure_examples_and_activations() -> None:
    class Heard(Listener):
        def __init__(self) -> None:
            self.events: list[Any] = []

        def on_structure(self, structure: Structure) -> None:
            self.events.append(structure.traced)

        def on_probe(self, probe: Probe | None) -> None:
            self.events.append(None if probe is None else probe.inputs.shape)

        def on_activations(self, activations: Activations) -> None:
            self.events.append(activations.step)

    _, _, live = bound()
    heard = Heard()
    live.feed.subscribe(heard)
    live.probe(np.random.default_rng(0).random((20, 1, 6, 6)), labels=torch.arange(20))
    assert heard.events == [(16, 1, 6, 6), True, 0]
    live.probe(torch.rand(2, 1, 6, 6))
    live.probe(None)
    assert heard.events[3:] == [(2, 1, 6, 6), 0, None]
    assert (live.feed.probed, len(live.feed.activations), live.feed.structure.traced) == (
        None,
        0,
        True,
    )


class Fails(Net):
    """Fails, or changes a buffer, from the moment that it is told to."""

    how = ""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training and self.how == "raises":
            raise OSError("no more")
        if not self.training and self.how == "changes":
            self.norm.running_mean += 1
        if not self.training and self.how == "replaces":
            self.norm.running_mean = self.norm.running_mean + 1
        return super().forward(x)


@pytest.mark.parametrize(
    ("how", "said"),
    [("raises", "no more"), ("changes", "running_mean"), ("replaces", "running_mean")],
)
def test_an_example_that_cannot_be_followed_ends_it_with_one_report_and_training_goes_on(
    how: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Fails()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    live = kw.bind(model, optimizer, every=1, max_fps=1e6)
    live.probe(torch.rand(2, 1, 6, 6))
    always_due(live, monkeypatch)
    train(model, optimizer, 2)
    model.how = how
    mean = copy.deepcopy(model.norm.running_mean)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        live.refresh()
        assert torch.equal(model.norm.running_mean, mean)
        train(model, optimizer, 3)
    found = [str(each.message) for each in caught if "live.probe" in str(each.message)]
    assert len(found) == 1
    assert said in found[0]
    assert (live.frame.step, live.state) == (5, "live")
    assert [a.step for a in live.feed.activations] == [0, 1, 2]
    assert model.training


def test_a_model_that_changes_its_buffers_is_refused_and_left_as_it_was() -> None:
    model = Fails()
    model.how = "changes"
    live = kw.bind(model)
    live.observe(torch.rand(1, 1, 6, 6))
    mean = copy.deepcopy(model.norm.running_mean)
    with pytest.raises(RuntimeError, match=r"changes 'norm\.running_mean', in evaluation mode too"):
        live.probe(torch.rand(2, 1, 6, 6))
    assert torch.equal(model.norm.running_mean, mean)
    assert (live.feed.probed, live.feed.structure.traced) == (None, False)


def test_what_is_no_example_is_refused_before_anything_is_changed() -> None:
    _, _, live = bound()
    images = torch.rand(3, 1, 6, 6)
    for wrong, error, words in (
        ((images,), TypeError, "expected a tensor or an array"),
        ([1, 2], TypeError, "expected a tensor or an array"),
        (images[:0], ValueError, r"shape \(0, 1, 6, 6\)"),
        (torch.zeros(()), ValueError, "expected"),
    ):
        with pytest.raises(error, match=words):
            live.probe(wrong)
    for labels, error, words in (
        ([1, 2], ValueError, "2 labels: expected one for each of 3 examples"),
        ([0.5, 1.0, 2.0], TypeError, "number of the right class"),
        (torch.eye(3), TypeError, "number of the right class"),
    ):
        with pytest.raises(error, match=words):
            live.probe(images, labels)
    with pytest.raises(ValueError, match="expected None where no images are given"):
        live.probe(None, [1])
    with pytest.raises(ValueError, match=r"input of shape .*: expected"):
        live.probe(torch.rand(3, 2, 6, 6))
    assert (live.feed.probed, len(live.feed.activations), live.feed.observed) == (None, 0, {})
    live.close()
    with pytest.raises(RuntimeError, match="bind the model again"):
        live.probe(images)


def test_the_thread_that_trains_takes_up_the_examples_given_meanwhile() -> None:
    model, optimizer, live = bound()
    ran: set[threading.Thread] = set()
    model.register_forward_pre_hook(lambda *_: ran.add(threading.current_thread()) and None)
    go = threading.Event()

    def run() -> None:
        while not go.is_set() or live.feed.probed is None:
            train(model, optimizer, 1)

    trainer = threading.Thread(target=run)
    trainer.start()
    while live.stats.steps < 2:
        go.wait(0.01)
    live.probe(torch.rand(2, 1, 6, 6))
    go.set()
    trainer.join(60)
    assert not trainer.is_alive()
    assert live.feed.structure.traced
    assert ran == {trainer}


def test_another_binding_of_the_model_goes_on_with_its_examples() -> None:
    model, optimizer, live = bound()
    live.probe(torch.rand(2, 1, 6, 6), [1, 0])
    again = kw.bind(model, optimizer, every=1)
    assert (again.feed.probed, again.feed.structure) == (live.feed.probed, live.feed.structure)
    train(model, optimizer, 1)
    again.feed.settle()
    assert [a.step for a in again.feed.activations] == [0, 1]


@pytest.mark.parametrize("make", [lambda: kw.nn.KANLinear(3, 2), Net], ids=["layer", "network"])
def test_following_examples_keeps_no_model(make: Callable[[], nn.Module]) -> None:
    model = make()
    live = kw.bind(model)
    live.probe(torch.rand(2, 3) if isinstance(model, kw.nn.KANLinear) else torch.rand(2, 1, 6, 6))
    live.refresh()
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_a_refined_layer_is_followed_with_its_new_layout() -> None:
    model, _, live = bound()
    live.probe(torch.rand(2, 1, 6, 6))
    kw.nn.refine(model, 9)
    latest = live.feed.activations.latest
    assert latest is not None
    assert latest.layout_version == live.feed.layout.version
    assert [s.sums for s in live.feed.structure.stations if s.layer] == [True, True]


def test_large_maps_are_means_over_areas_and_a_message_is_bounded() -> None:
    values = torch.rand(2, 100, 64, 48)
    kept = probing.reduced(values)
    assert kept.shape == (2, 64, 32, 32)
    torch.testing.assert_close(kept[0, 3, :, 0], values[0, 3, :, :2].reshape(32, 4).mean(1))
    model = nn.Sequential(kw.nn.KANConv2d(1, 64, 3, padding=1), nn.ReLU(), nn.ReLU())
    live = kw.bind(model)
    live.probe(torch.rand(9, 1, 40, 40))
    latest = live.feed.activations.latest
    assert latest is not None
    assert {v.data.shape for v in latest.values} == {(5, 64, 32, 32)}
    assert [s.shape for s in live.feed.structure.stations[1:]] == [(64, 40, 40)] * 3


def test_weights_that_are_too_many_for_a_message_stay_with_the_model() -> None:
    model = nn.Sequential(nn.Linear(600, 600), nn.ReLU(), kw.nn.KANLinear(600, 2))
    live = kw.bind(model, layers=["2"])
    live.probe(torch.rand(1, 600))
    stations = live.feed.structure.stations
    assert [(s.kind, s.compute is None) for s in stations[1:]] == [
        ("plain", True),
        ("activation", False),
        ("kan", False),
    ]
    latest = live.feed.activations.latest
    assert latest is not None
    assert [extra.name for extra in latest.extras] == ["values"]


def test_numbers_that_are_not_finite_are_at_the_ends() -> None:
    found = quantised(1, np.array([[1.0, np.inf, -np.inf, 3.0], [np.nan] * 4]))
    assert found.data[0].tolist() == [0, 255, 0, 255]
    assert (found.low[0], found.high[0]) == (1, 3)
    assert np.isnan(found.low[1])
    assert np.isnan(found.high[1])


def taken(step: int, size: int = 1000) -> Activations:
    return Activations(step, 1, (quantised(1, np.full((1, size), float(step))),), ())


def test_activations_are_thinned_evenly_and_the_first_and_the_last_stay() -> None:
    history = ActivationHistory(max_bytes=10 * 1008)
    for step in range(0, 100, 3):
        history.append(taken(step))
    steps = [each.step for each in history]
    assert (steps[0], steps[-1]) == (0, 99)
    assert 4 <= len(steps) <= 10
    assert len(set(np.diff(steps[:-1]))) == 1
    assert history.nbytes <= history.max_bytes
    assert history.at(steps[1]) is history[1]
    assert history.at(steps[2] - 1) is history[1]
    history.append(taken(99))
    assert [each.step for each in history] == steps


def test_activations_are_packed_and_unpacked() -> None:
    _, _, live = bound()
    live.probe(torch.rand(3, 1, 6, 6))
    latest = live.feed.activations.latest
    assert latest is not None
    again = unpacked(*packed(latest), latest.layout_version)
    for one, other in zip(latest.values, again.values, strict=True):
        np.testing.assert_array_equal(one.decoded(), other.decoded())
    for extra, other_extra in zip(latest.extras, again.extras, strict=True):
        assert (extra.station, extra.name) == (other_extra.station, other_extra.name)
        np.testing.assert_array_equal(extra.data, other_extra.data)
    content, data, more = packed(latest)
    with pytest.raises(ValueError, match="365 numbers: expected 366"):
        unpacked(content, data[1:], more, 1)


def test_what_reaches_the_layers_is_seen_again_when_training_rests_unless_it_was_asked_for():
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(3, 2), kw.nn.KANLinear(2, 1))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    live = kw.bind(model, optimizer, every=5)
    view = kw.NetworkView(live)
    batch = torch.rand(16, 3)

    def train(steps: int) -> set[int | None]:
        for _ in range(steps):
            optimizer.zero_grad()
            model(batch).square().mean().backward()
            optimizer.step()
        live.feed.settle()
        return {one.step for one in live.feed.observed.values()}

    assert train(20) == {20}
    assert train(7) == {27}
    live.observe(batch)
    assert train(3) == {27}
    view.close()


def test_while_it_trains_what_reaches_the_layers_is_that_of_the_present(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, optimizer, live = bound()
    view = kw.NetworkView(live)
    always_due(live, monkeypatch)
    steps, x_of_head = [], []

    def see(step: int, framed: bool) -> None:
        seen = live.feed.observed
        assert framed
        steps.append({one.step for one in seen.values()})
        x_of_head.append(seen["head"].patches)
        # The whole network by hand, with the statistics of its norm as they are at this step.
        again = copy.deepcopy(model).eval()
        with torch.no_grad():
            maps = again.norm(again.conv(torch.from_numpy(seen["conv"].maps)))
        flat = nn.functional.max_pool2d(maps, 2).flatten(1).numpy()
        np.testing.assert_allclose(seen["head"].patches, flat, atol=1e-5)

    live.feed.counter.add_step_listener(see)
    train(model, optimizer, 12)
    assert steps == [{step} for step in range(1, 13)]
    assert np.abs(x_of_head[-1] - x_of_head[0]).max() > 0.1
    while_training = dict(live.feed.observed)
    direct = live.observe(torch.from_numpy(while_training["conv"].maps))
    for name, seen in while_training.items():
        np.testing.assert_array_equal(seen.patches, direct[name].patches)
        np.testing.assert_array_equal(seen.outside_domain, direct[name].outside_domain)
    view.close()


def test_observing_again_takes_no_more_than_its_part_and_at_rest_the_whole_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Counter, "is_quiet", False)  # however long a step takes here
    model, optimizer, live = bound()
    monkeypatch.setattr(live.feed.camera.throttle, "is_open", lambda now: True)
    view = kw.NetworkView(live)
    shared = budget.Budget()
    shared.note(live.feed.counter, is_live=True)
    batch = torch.rand(40, 1, 6, 6)

    def step() -> int:
        optimizer.zero_grad()
        model(batch).square().mean().backward()
        optimizer.step()
        return live.feed.observed["head"].samples

    assert step() == 40  # the first batch, whole
    throttle = live.feed.bound._observing = budget.Throttle(1, budget=shared)
    assert step() == 16
    assert throttle._counted is not None
    throttle.spent(throttle._counted, 5.0)
    seen = live.feed.observed
    assert throttle.due - throttle._counted > 490
    step()
    assert live.feed.observed is seen
    live.feed.settle()
    assert (live.feed.observed["head"].samples, live.feed.observed["head"].step) == (40, 3)
    view.close()


def test_a_batch_that_can_no_longer_be_observed_is_reported_once_and_training_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Counter, "is_quiet", False)  # however long a step takes here
    model, optimizer, live = bound()
    view = kw.NetworkView(live)
    train(model, optimizer, 1)
    always_due(live, monkeypatch)

    def fail(*_: Any) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(bound_model, "observe", fail)
    with pytest.warns(RuntimeWarning, match="observed no more: MemoryError") as said:
        train(model, optimizer, 4)
    assert len(said) == 1
    assert (live.feed.state, live.feed.frame.step) == ("live", 5)
    assert {one.step for one in live.feed.observed.values()} == {1}
    view.close()
