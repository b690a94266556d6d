"""The training loop that comes with the package."""

from __future__ import annotations

import copy
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

import kan_widgets as kw
from kan_widgets.live import Run


def wait_for(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def batches(count: int = 5) -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [
        (
            torch.rand(8, 3, generator=generator),
            torch.randint(0, 2, (8,), generator=generator),
        )
        for _ in range(count)
    ]


def model(seed: int = 0) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    made = kw.nn.KANLinear(3, 2)
    return made, torch.optim.Adam(made.parameters(), lr=0.05)


def endless() -> Any:
    class Endless:
        def __iter__(self) -> Any:
            while True:
                yield from batches()
                time.sleep(0.001)

    return Endless()


def by_hand(seed: int, epochs: int) -> tuple[nn.Module, list[float]]:
    one, optimizer = model(seed)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for x, y in batches():
            optimizer.zero_grad()
            loss = cross_entropy(one(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        losses.append(total / 40)
    return one, losses


def test_it_trains_exactly_as_a_loop_by_hand() -> None:
    one, optimizer = model()
    run = kw.fit(one, batches(), optimizer, cross_entropy, epochs=3)
    reference, losses = by_hand(0, 3)
    for ours, theirs in zip(one.parameters(), reference.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert run.result.loss == pytest.approx(losses, rel=1e-6)
    assert (run.state, run.result.steps, run.result.epochs) == ("finished", 15, 3)


def test_several_models_train_as_each_would_alone() -> None:
    first, first_optimizer = model(0)
    second, second_optimizer = model(1)
    run = kw.fit(
        {"a": first, "b": second},
        batches(),
        {"a": first_optimizer, "b": second_optimizer},
        cross_entropy,
        epochs=2,
    )
    for seed, one in ((0, first), (1, second)):
        reference, _ = by_hand(seed, 2)
        for ours, theirs in zip(one.parameters(), reference.parameters(), strict=True):
            assert torch.equal(ours, theirs)
    assert {name: result.steps for name, result in run.result.items()} == {"a": 10, "b": 10}
    assert set(run.lives) == {"a", "b"}


def test_losses_and_accuracies_are_logged() -> None:
    one, optimizer = model()
    run = kw.fit(one, batches(), optimizer, cross_entropy, 2, eval_loader=batches())
    scalars = run.live.scalars
    assert scalars.series("loss")[0].tolist() == list(range(1, 11))
    assert scalars.series("eval_accuracy")[1].tolist() == run.result.eval_accuracy
    with torch.no_grad():
        right = sum(int((one(x).argmax(1) == y).sum()) for x, y in batches())
    assert run.result.eval_accuracy[-1] == right / 40
    assert run.live.progress.batches_done == run.live.progress.batches_total == 10


def test_a_regression_has_no_accuracy() -> None:
    one = kw.nn.KANLinear(3, 1)
    data = [(x, x.sum(1, keepdim=True)) for x, _ in batches()]
    run = kw.fit(one, data, torch.optim.Adam(one.parameters()), mse_loss, eval_loader=data)
    assert run.result.accuracy == run.result.eval_accuracy == []
    assert "accuracy" not in run.live.scalars.names


def test_evaluation_leaves_the_modes_as_they_were() -> None:
    modes = []

    class Watching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.frozen = kw.nn.KANLinear(3, 2), nn.Dropout(0.5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self is one:  # and no copy of it
                modes.append(self.training)
            return self.frozen(self.layer(x))

    one = Watching()
    optimizer = torch.optim.Adam(one.parameters())
    kw.fit(one, batches(2), optimizer, cross_entropy, 2, eval_loader=batches(1))
    assert modes == [True, True, False, True, True, False]
    assert one.training


def test_a_binding_of_the_same_optimizer_is_used() -> None:
    one, optimizer = model()
    live = kw.bind(one, optimizer, every=3)
    assert kw.fit(one, batches(), optimizer, cross_entropy).live is live


def test_in_the_background_it_comes_back_at_once_and_can_be_steered() -> None:
    one, optimizer = model()
    run = kw.fit(one, endless(), optimizer, cross_entropy, background=True)
    wait_for(lambda: run.live.stats.steps > 3)
    run.pause()
    wait_for(lambda: run.live.control.is_holding)
    held_at = run.live.stats.steps
    assert run.state == "paused"
    time.sleep(0.1)
    assert run.live.stats.steps == held_at
    run.resume()
    wait_for(lambda: run.live.stats.steps > held_at + 3)
    run.stop()
    assert run.wait(20).stopped
    assert (run.state, run.live.progress.state) == ("stopped", "stopped")


def test_a_pause_of_any_of_several_models_holds_all() -> None:
    first, first_optimizer = model(0)
    second, second_optimizer = model(1)
    run = kw.fit(
        {"a": first, "b": second},
        endless(),
        {"a": first_optimizer, "b": second_optimizer},
        cross_entropy,
        background=True,
    )
    wait_for(lambda: run.lives["b"].stats.steps > 3)
    run.lives["b"].control.pause()
    wait_for(lambda: run.lives["b"].control.is_holding)
    held_at = run.lives["a"].stats.steps
    time.sleep(0.1)
    assert run.lives["a"].stats.steps == held_at
    run.lives["b"].control.stop()
    run.wait(20)
    assert run.state == "stopped"


def test_a_paused_run_makes_its_first_step_when_a_view_says_so() -> None:
    one, optimizer = model()
    before = copy.deepcopy(one.state_dict())
    run = kw.fit(one, batches(), optimizer, cross_entropy, background=True, paused=True)
    wait_for(lambda: run.live.control.is_holding)
    assert (run.state, run.live.feed.standing.state) == ("paused", "ready")
    time.sleep(0.1)
    assert run.live.stats.steps == 0
    assert all(torch.equal(before[name], now) for name, now in one.state_dict().items())
    run.live.feed.steer({"kind": "resume"})
    assert run.wait(20).steps == 5
    assert run.live.feed.standing.state == "finished"


def test_a_paused_run_of_several_models_begins_by_any_of_them_and_takes_single_steps() -> None:
    models, optimizers = zip(*(model(seed) for seed in (0, 1)), strict=True)
    named = [dict(zip("ab", each, strict=True)) for each in (models, optimizers)]
    run = kw.fit(named[0], batches(), named[1], cross_entropy, background=True, paused=True)
    wait_for(lambda: all(live.control.is_holding for live in run.lives.values()))
    run.lives["b"].control.step()
    wait_for(lambda: run.lives["b"].control.is_holding and run.lives["b"].stats.steps == 1)
    assert run.lives["b"].feed.standing.state == "paused"
    run.resume()
    assert {name: one.steps for name, one in run.wait(20).items()} == {"a": 5, "b": 5}


def test_a_paused_run_that_is_stopped_makes_no_step() -> None:
    one, optimizer = model()
    run = kw.fit(one, batches(), optimizer, cross_entropy, background=True, paused=True)
    run.stop()
    result = run.wait(20)
    assert (result.steps, result.stopped, run.state) == (0, True, "stopped")


def test_a_run_that_holds_its_cell_cannot_wait_to_begin() -> None:
    one, optimizer = model()
    with pytest.raises(ValueError, match="give background=True, too"):
        kw.fit(one, batches(), optimizer, cross_entropy, paused=True)


@pytest.mark.parametrize("background", [False, True])
def test_an_error_in_the_loop_is_kept_shown_and_raised(background: bool) -> None:
    one, optimizer = model()

    def broken(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if live.stats.steps == 3:
            raise ZeroDivisionError("the loss is broken")
        return cross_entropy(outputs, targets)

    live = kw.bind(one, optimizer)
    if background:
        run = kw.fit(one, batches(), optimizer, broken, background=True)
        with pytest.raises(ZeroDivisionError):
            run.wait(20)
        assert isinstance(run.error, ZeroDivisionError)
        assert run.state == "failed"
    else:
        with pytest.raises(ZeroDivisionError):
            kw.fit(one, batches(), optimizer, broken)
    progress = live.progress
    assert (progress.state, progress.step) == ("failed", 3)
    assert progress.message == "ZeroDivisionError: the loss is broken"
    assert "in broken" in progress.traceback
    assert live.scalars.series("loss")[0].tolist() == [1, 2, 3]


def test_after_an_error_the_model_can_be_trained_again() -> None:
    one, optimizer = model()

    def broken(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        kw.fit(one, batches(), optimizer, broken)
    run = kw.fit(one, batches(), optimizer, cross_entropy)
    assert (run.state, run.live.progress.message) == ("finished", "")


def test_callbacks_are_called_after_steps_epochs_and_at_the_end() -> None:
    called: list[Any] = []

    class Callback:
        def on_step(self, run: Run) -> None:
            called.append(run.result.steps)

        def on_end(self, run: Run) -> None:
            called.append("end")

    one, optimizer = model()
    kw.fit(
        one,
        batches(2),
        optimizer,
        cross_entropy,
        2,
        callbacks=[Callback(), lambda run: called.append(f"epoch {run.result.epochs}")],
    )
    assert called == [1, 2, "epoch 1", 3, 4, "epoch 2", "end"]


def test_an_error_in_a_callback_ends_the_run_and_keeps_what_there_is() -> None:
    one, optimizer = model()

    def broken(run: Run) -> None:
        raise LookupError("no such thing")

    run = kw.fit(one, batches(), optimizer, cross_entropy, 2, background=True, callbacks=[broken])
    with pytest.raises(LookupError):
        run.wait(20)
    assert run.result.steps == 5
    assert "LookupError" in run.live.progress.message


def test_what_a_background_run_prints_is_kept_apart(capsys: pytest.CaptureFixture[str]) -> None:
    one, optimizer = model()
    go, done = threading.Event(), threading.Event()

    def talk(run: Run) -> None:
        print("from the run")
        sys.stderr.write("a warning\n")
        done.set()
        go.wait(20)

    before = sys.stdout
    run = kw.fit(one, batches(), optimizer, cross_entropy, background=True, callbacks=[talk])
    done.wait(20)
    print("from the cell")
    go.set()
    run.wait(20)
    assert run.live.progress.output == "from the run\na warning\n"
    assert capsys.readouterr().out == "from the cell\n"
    assert sys.stdout is before


def test_a_model_in_training_is_not_trained_twice() -> None:
    one, optimizer = model()
    run = kw.fit(one, endless(), optimizer, cross_entropy, background=True)
    wait_for(lambda: run.live.stats.steps > 1)
    with pytest.raises(RuntimeError, match="KANLinear is being trained"):
        kw.fit(one, batches(), optimizer, cross_entropy)
    run.stop()
    run.wait(20)


def test_waiting_has_an_end() -> None:
    one, optimizer = model()
    run = kw.fit(one, endless(), optimizer, cross_entropy, background=True)
    with pytest.raises(TimeoutError, match="still running"):
        run.wait(0.05)
    wait_for(lambda: run.live.stats.steps > 1)
    run.stop()
    run.wait(20)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"epochs": 0}, ValueError, "epochs=0"),
        ({"epochs": 1.0}, TypeError, "epochs=1.0"),
        ({"loader": 3}, TypeError, "loader=3"),
        ({"loader": iter([]), "epochs": 2}, TypeError, "only once"),
        ({"eval_loader": 3}, TypeError, "eval_loader=3"),
        ({"loss_fn": "mse"}, TypeError, "loss_fn='mse'"),
        ({"callbacks": [3]}, TypeError, "callbacks: 3"),
        ({"model": 3}, TypeError, "model=3: expected a torch.nn.Module"),
        ({"optimizer": 3}, TypeError, "optimizer=3: expected a torch.optim.Optimizer"),
        ({"optimizer": {}}, TypeError, "a dict of each"),
        ({"model": {}, "optimizer": {}}, ValueError, "at least one"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_bound(
    change: dict[str, Any], error: type[Exception], words: str
) -> None:
    one, optimizer = model()
    arguments: dict[str, Any] = {
        "model": one,
        "loader": batches(),
        "optimizer": optimizer,
        "loss_fn": cross_entropy,
    }
    with pytest.raises(error, match=words):
        kw.fit(**(arguments | change))
    assert kw.live.binding_of(one) is None


def test_batches_that_are_no_pairs_are_refused_with_what_they_are() -> None:
    one, optimizer = model()
    with pytest.raises(TypeError, match="a batch of the loader is Tensor"):
        kw.fit(one, [torch.ones(2, 3)], optimizer, cross_entropy)


def test_a_shuffled_loader_is_gone_through_as_by_hand() -> None:
    # Looking at the loader draws no random number: same batches, same random state afterwards.
    def trained(by_hand: bool) -> list[torch.Tensor]:
        one, optimizer = model()
        data = torch.utils.data.TensorDataset(torch.rand(32, 3), torch.randint(0, 2, (32,)))
        loader = torch.utils.data.DataLoader(data, batch_size=8, shuffle=True)
        if by_hand:
            for _ in range(2):
                for x, y in loader:
                    optimizer.zero_grad()
                    cross_entropy(one(x), y).backward()
                    optimizer.step()
        else:
            kw.fit(one, loader, optimizer, cross_entropy, 2)
        return [*one.parameters(), torch.random.get_rng_state()]

    for ours, theirs in zip(trained(False), trained(True), strict=True):
        assert torch.equal(ours, theirs)


def test_a_stop_right_after_the_start_is_not_lost() -> None:
    for _ in range(10):
        one, optimizer = model()
        run = kw.fit(one, endless(), optimizer, cross_entropy, background=True)
        run.stop()
        assert run.wait(20).stopped


def test_a_run_whose_binding_is_closed_can_still_be_held_and_stopped() -> None:
    one, optimizer = model()
    run = kw.fit(one, endless(), optimizer, cross_entropy, background=True)
    wait_for(lambda: run.result.steps > 2)
    run.live.close()
    run.pause()
    wait_for(lambda: run.live.control.is_holding)
    held_at = run.result.steps
    time.sleep(0.1)
    assert run.result.steps <= held_at + 1  # the step that was going on has been counted
    run.stop()
    assert run.wait(20).stopped


def test_a_run_goes_on_with_the_binding_that_replaces_its_own() -> None:
    one, optimizer = model()
    run = kw.fit(one, endless(), optimizer, cross_entropy, background=True)
    wait_for(lambda: run.live.stats.steps > 2)
    again = kw.bind(one, optimizer, every=3)
    assert run.live is again
    steps = again.stats.steps
    wait_for(lambda: again.stats.steps > steps + 3)
    run.stop()
    run.wait(20)
    logged = again.scalars.series("loss")[0]
    assert logged.tolist() == list(range(1, again.stats.steps + 1))


def test_an_edit_waits_for_the_step_of_a_slow_batch_in_the_background() -> None:
    one = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
    optimizer = torch.optim.SGD(one.parameters(), lr=0.01)
    before_backward, edited = threading.Event(), threading.Event()

    def slow(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if live.stats.steps == 3:
            before_backward.set()
            edited.wait(20)
        return cross_entropy(outputs, targets)

    live = kw.bind(one, optimizer)
    run = kw.fit(one, batches(), optimizer, slow, background=True)
    before_backward.wait(20)
    wait_for(lambda: live.state == "idle")
    live.edits.set("1", (0, 0), [7.0])
    time.sleep(0.3)  # whoever notices the quiet leaves the model alone as well
    edited.set()
    run.wait(20)
    assert one[1].weight[0, 0].item() == pytest.approx(7.0, abs=0.1)


@pytest.mark.slow
def test_a_program_that_ends_during_a_background_run_ends_well() -> None:
    code = """
import torch, kan_widgets as kw
model = kw.nn.KANLinear(3, 2)
optimizer = torch.optim.Adam(model.parameters())
batch = (torch.rand(8, 3), torch.randint(0, 2, (8,)))
run = kw.fit(model, [batch] * 10**7, optimizer, torch.nn.functional.cross_entropy, background=True)
while run.live.stats.steps < 5:
    pass
print("the end")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert (done.returncode, done.stdout.decode().strip()) == (0, "the end")


def test_two_runs_side_by_side_keep_their_prints_apart(capsys: pytest.CaptureFixture[str]) -> None:
    runs = []
    for name in ("a", "b"):
        one, optimizer = model()
        talk = [lambda run, name=name: print(f"{name} at {run.result.epochs}")]
        runs.append(
            kw.fit(one, batches(), optimizer, cross_entropy, 3, background=True, callbacks=talk)
        )
    for name, run in zip("ab", runs, strict=True):
        run.wait(20)
        assert run.live.progress.output == f"{name} at 1\n{name} at 2\n{name} at 3\n"
    assert capsys.readouterr().out == ""
