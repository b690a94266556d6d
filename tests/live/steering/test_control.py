"""Pause, single steps, stop, tracked loops and the learning rate, without a notebook."""

from __future__ import annotations

import _thread
import asyncio
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live import Binding, Listener, TrainingStopped


class Trainer:
    """A small model with a loop in a thread of its own."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = kw.nn.KANLinear(3, 2)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.01)
        self.live = kw.bind(self.model, self.optimizer, every=1)
        self.ended: list[Any] = []
        self.thread: threading.Thread | None = None

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.model(torch.ones(4, 3)).square().sum().backward()
        self.optimizer.step()

    def bare(self) -> None:
        while True:
            self.step()
            time.sleep(0.001)

    def tracked(self) -> None:
        for _ in self.live.track(range(10_000), epochs=2):
            self.step()
            time.sleep(0.001)

    def start(self, loop: Callable[[], None]) -> None:
        def run() -> None:
            try:
                loop()
                self.ended.append("ended")
            except BaseException as error:
                self.ended.append(error)

        self.thread = threading.Thread(target=run)
        self.thread.start()
        wait_for(lambda: self.live.stats.steps > 2)

    def hold(self) -> int:
        self.live.control.pause()
        wait_for(lambda: self.live.control.is_holding)
        return self.live.stats.steps

    def join(self) -> None:
        assert self.thread is not None
        self.thread.join(20)
        assert not self.thread.is_alive()


def wait_for(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


@pytest.fixture
def trainer() -> Iterator[Trainer]:
    made = Trainer()
    yield made
    made.live.close()
    if made.thread is not None and made.thread.is_alive():
        made.optimizer.step = None  # type: ignore[method-assign,assignment]
        made.thread.join(20)


def test_a_pause_holds_the_step_counter_and_resume_moves_it(trainer: Trainer) -> None:
    trainer.start(trainer.bare)
    held_at = trainer.hold()
    assert trainer.live.progress.state == "paused"
    time.sleep(0.2)
    assert trainer.live.stats.steps == held_at
    trainer.live.control.resume()
    wait_for(lambda: trainer.live.stats.steps > held_at + 3)
    assert trainer.live.progress.state == "running"


def test_the_state_held_is_shown(trainer: Trainer) -> None:
    trainer.live.every = 1_000_000
    trainer.start(trainer.bare)
    held_at = trainer.hold()
    wait_for(lambda: trainer.live.frame.step == held_at)
    shown = torch.tensor(trainer.live.frame.coefficients(trainer.live.layers[0]))
    assert torch.equal(shown[..., 0, 0, 0], trainer.model.base_weight)


def test_step_lets_exactly_so_many_steps_through(trainer: Trainer) -> None:
    trainer.start(trainer.bare)
    held_at = trainer.hold()
    for steps in (1, 1, 5):
        trainer.live.control.step(steps)
        held_at += steps
        wait_for(lambda at=held_at: trainer.live.stats.steps == at)
        wait_for(lambda: trainer.live.control.state == "paused")
    time.sleep(0.1)
    assert trainer.live.stats.steps == held_at


@pytest.mark.parametrize(("steps", "error"), [(0, ValueError), (1.5, TypeError), (True, TypeError)])
def test_a_number_of_steps_that_cannot_be_is_refused(
    trainer: Trainer, steps: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match="steps="):
        trainer.live.control.step(steps)
    assert trainer.live.control.state == "running"


def test_stop_raises_in_a_bare_loop_after_a_whole_step(trainer: Trainer) -> None:
    trainer.start(trainer.bare)
    trainer.live.control.stop()
    trainer.join()
    (error,) = trainer.ended
    assert isinstance(error, TrainingStopped)
    assert error.step == trainer.live.stats.steps
    assert trainer.live.progress.state == "stopped"


def test_stop_ends_a_tracked_loop_without_an_exception(trainer: Trainer) -> None:
    trainer.start(trainer.tracked)
    trainer.live.control.stop()
    trainer.join()
    assert trainer.ended == ["ended"]
    progress = trainer.live.progress
    assert progress.state == "stopped"
    assert progress.batches_done == trainer.live.stats.steps < progress.batches_total == 20_000


def test_stop_ends_a_loop_that_is_held(trainer: Trainer) -> None:
    trainer.start(trainer.tracked)
    trainer.hold()
    trainer.live.control.stop()
    trainer.join()
    assert trainer.ended == ["ended"]


def test_a_stop_while_nothing_trains_does_not_hit_the_next_loop(trainer: Trainer) -> None:
    trainer.live.control.stop()
    assert "nothing was stopped" in trainer.live.progress.message
    trainer.step()
    assert trainer.live.stats.steps == 1


def test_the_loop_after_a_stop_is_neither_stopped_nor_paused(trainer: Trainer) -> None:
    trainer.start(trainer.tracked)
    trainer.hold()
    trainer.live.control.stop()
    trainer.join()
    before = trainer.live.stats.steps
    for _ in trainer.live.track(range(5)):
        trainer.step()
    assert trainer.live.stats.steps == before + 5
    assert trainer.live.progress.state == "finished"


def test_many_commands_in_a_row_leave_the_last(trainer: Trainer) -> None:
    trainer.start(trainer.bare)
    for _ in range(6):
        trainer.live.control.resume()
        trainer.live.control.pause()
    wait_for(lambda: trainer.live.control.is_holding)
    held_at = trainer.live.stats.steps
    time.sleep(0.1)
    assert trainer.live.stats.steps == held_at
    for _ in range(6):
        trainer.live.control.pause()
        trainer.live.control.resume()
    wait_for(lambda: trainer.live.stats.steps > held_at + 3)


def test_closing_the_binding_releases_a_held_loop(trainer: Trainer) -> None:
    is_over = threading.Event()

    def loop() -> None:
        while not is_over.is_set():
            trainer.step()

    trainer.start(loop)
    trainer.hold()
    is_over.set()
    trainer.live.close()
    trainer.join()
    assert trainer.ended == ["ended"]


def test_binding_again_while_held_keeps_the_pause_and_the_curves(trainer: Trainer) -> None:
    trainer.start(trainer.bare)
    trainer.live.log(loss=0.5)
    held_at = trainer.hold()
    trainer.live = kw.bind(trainer.model, trainer.optimizer, every=2)
    assert trainer.live.scalars.latest("loss") == 0.5
    time.sleep(0.1)
    assert trainer.live.stats.steps == held_at
    trainer.live.control.resume()
    wait_for(lambda: trainer.live.stats.steps > held_at + 3)


def test_the_model_can_be_read_refreshed_and_edited_while_held(trainer: Trainer) -> None:
    trainer.start(trainer.bare)
    trainer.hold()
    name = trainer.live.layers[0]
    assert not trainer.live.feed.counter.stepping.goes_on()  # nobody waits for the step to end
    trainer.live.refresh()
    trainer.live.edits.zero(name, (1, 2))
    wait_for(lambda: trainer.model.base_weight[1, 2] == 0)
    wait_for(lambda: not trainer.live.frame.coefficients(name)[1, 2].any())


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Python hear interrupts: a script that runs the tests in its background ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_a_pause_in_the_main_thread(trainer: Trainer) -> None:
    def meddle() -> None:
        trainer.live.control.pause()
        wait_for(lambda: trainer.live.control.is_holding)
        _thread.interrupt_main()

    meddler = threading.Thread(target=meddle)
    meddler.start()
    with pytest.raises(KeyboardInterrupt):
        trainer.bare()
    meddler.join(20)
    assert trainer.live.progress.state == "interrupted"
    before = trainer.live.stats.steps
    trainer.step()
    trainer.step()
    assert trainer.live.stats.steps == before + 2


def test_a_pause_that_nothing_could_end_is_not_held_and_says_so(trainer: Trainer) -> None:
    trainer.live.control.pause()
    trainer.step()
    assert not trainer.live.control.is_holding
    assert "was not held" in trainer.live.progress.message
    assert trainer.live.control.state == "running"


def test_a_pause_from_before_the_training_is_said_where_it_trains(
    trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer.live.control.pause()
    trainer.thread = threading.Thread(target=trainer.tracked)
    trainer.thread.start()
    wait_for(lambda: trainer.live.control.is_holding)
    wait_for(lambda: "paused before it began; press ▶" in capsys.readouterr().out)
    trainer.live.control.resume()
    wait_for(lambda: trainer.live.stats.steps > 2)
    trainer.hold()
    assert capsys.readouterr().out == ""  # who pauses what trains knows why it stands still
    trainer.live.control.stop()
    trainer.join()


def test_the_clock_stands_still_while_held(trainer: Trainer) -> None:
    trainer.start(trainer.bare)
    trainer.hold()
    wait_for(lambda: trainer.live.feed.training.clock._paused_at is not None)
    before = trainer.live.progress.elapsed
    time.sleep(0.1)
    assert trainer.live.progress.elapsed == before


def test_a_tracked_loop_knows_how_far_it_is(trainer: Trainer) -> None:
    seen = []
    for batch in trainer.live.track([10, 20, 30], epochs=2):
        trainer.step()
        progress = trainer.live.progress
        seen.append(
            (
                batch,
                progress.epoch,
                progress.batches_done,
                progress.batches_done / progress.batches_total,
            )
        )
    assert seen == [
        (10, 1, 0, 0),
        (20, 1, 1, 1 / 6),
        (30, 1, 2, 2 / 6),
        (10, 2, 3, 3 / 6),
        (20, 2, 4, 4 / 6),
        (30, 2, 5, 5 / 6),
    ]
    assert trainer.live.progress.state == "finished"
    assert trainer.live.progress.batches_done == trainer.live.progress.batches_total


def test_a_loader_of_unknown_length_has_no_end_in_sight(trainer: Trainer) -> None:
    for _ in trainer.live.track(iter([1, 2])):
        trainer.step()
        assert trainer.live.progress.batches_total is None
        assert trainer.live.progress.remaining is None


def test_a_loader_that_can_be_read_once_is_refused_for_two_epochs(trainer: Trainer) -> None:
    with pytest.raises(TypeError, match="only once, and epochs=2"):
        trainer.live.track(iter([1, 2]), epochs=2)


def test_a_loop_left_early_counts_as_over(trainer: Trainer) -> None:
    for batch in trainer.live.track(range(10)):
        trainer.step()
        if batch == 3:
            break
    assert trainer.live.progress.state == "finished"
    assert not trainer.live.feed.training.is_in_loop


def test_a_loop_dropped_later_does_not_end_the_next_one(trainer: Trainer) -> None:
    abandoned = iter(trainer.live.track(range(10)))
    next(abandoned)
    states = []
    for batch in trainer.live.track(range(3)):
        trainer.step()
        if batch == 1:
            del abandoned
        states.append(trainer.live.progress.state)
    assert states == ["running"] * 3


def test_an_asynchronous_loop_holds_while_other_tasks_go_on(trainer: Trainer) -> None:
    control, seen = trainer.live.control, []

    async def other() -> None:
        while not control.is_holding:
            await asyncio.sleep(0.005)
        seen.append(trainer.live.stats.steps)
        await asyncio.sleep(0.1)
        seen.append(trainer.live.stats.steps)
        control.step(2)
        end = time.monotonic() + 20
        while trainer.live.stats.steps < 6 and time.monotonic() < end:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        seen.append(trainer.live.stats.steps)
        control.stop()

    async def main() -> None:
        task = asyncio.create_task(other())
        async for batch in trainer.live.track(range(1_000)):
            trainer.step()
            if batch == 3:
                control.pause()
        await task

    asyncio.run(main())
    assert seen == [4, 4, 6]
    assert trainer.live.progress.state == "stopped"


def test_without_an_optimizer_a_counted_step_holds_too() -> None:
    model = kw.nn.KANLinear(2, 2)
    live = kw.bind(model)
    thread = threading.Thread(target=lambda: [(live.step(), time.sleep(0.001)) for _ in range(500)])
    thread.start()
    wait_for(lambda: live.stats.steps > 2)
    live.control.pause()
    wait_for(lambda: live.control.is_holding)
    held_at = live.stats.steps
    time.sleep(0.05)
    assert live.stats.steps == held_at
    live.control.resume()
    thread.join(20)
    assert live.stats.steps == 500


# -- the learning rate -------------------------------------------------------------------


def test_a_new_learning_rate_is_set_between_steps_and_marked(trainer: Trainer) -> None:
    trainer.step()
    trainer.live.set_learning_rate(0.001)
    assert trainer.optimizer.param_groups[0]["lr"] == 0.001
    (mark,) = trainer.live.scalars.marks
    assert (mark.step, mark.text) == (1, "lr 0.01 → 0.001")


def test_during_training_elsewhere_the_learning_rate_changes_after_a_step(trainer: Trainer) -> None:
    trainer.start(trainer.bare)
    trainer.live.set_learning_rate(0.002)
    wait_for(lambda: trainer.live.feed.learning_rates == [0.002])
    assert len(trainer.live.scalars.marks) == 1


def test_groups_keep_their_proportions_or_change_one_by_one() -> None:
    model = nn.Sequential(kw.nn.KANLinear(2, 2), kw.nn.KANLinear(2, 2))
    groups = [
        {"params": model[0].parameters(), "lr": 0.1},
        {"params": model[1].parameters(), "lr": 0.02},
    ]
    optimizer = torch.optim.SGD(groups)
    live = kw.bind(model, optimizer)
    live.set_learning_rate(0.05)
    assert live.feed.learning_rates == pytest.approx([0.05, 0.01])
    live.set_learning_rate(0.5, group=1)
    assert live.feed.learning_rates == pytest.approx([0.05, 0.5])
    assert live.scalars.marks[-1].text == "lr of group 1: 0.01 → 0.5"


def test_a_learning_rate_in_a_tensor_keeps_its_tensor() -> None:
    model = kw.nn.KANLinear(2, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=torch.tensor(0.1))
    rate = optimizer.param_groups[0]["lr"]
    kw.bind(model, optimizer).set_learning_rate(0.3)
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((-0.1,), ValueError),
        ((float("inf"),), ValueError),
        ((float("nan"),), ValueError),
        (("0.1",), TypeError),
        ((0.1, 3), IndexError),
    ],
)
def test_a_learning_rate_that_cannot_be_is_refused(
    trainer: Trainer, arguments: tuple[Any, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        trainer.live.set_learning_rate(*arguments)
    assert trainer.live.feed.learning_rates == [0.01]


def test_without_an_optimizer_there_is_no_learning_rate() -> None:
    live = kw.bind(kw.nn.KANLinear(2, 2))
    assert live.feed.learning_rates == []
    with pytest.raises(RuntimeError, match="no optimizer is bound"):
        live.set_learning_rate(0.1)


# -- who listens ---------------------------------------------------------------------------


def test_listeners_are_told_of_logs_marks_and_commands(trainer: Trainer) -> None:
    class Ear(Listener):
        told = 0

        def on_training(self) -> None:
            self.told += 1

    ear = Ear()
    trainer.live.feed.subscribe(ear)
    trainer.live.log(loss=1.0)
    trainer.live.scalars.mark(0, "here")
    trainer.live.control.pause()
    assert ear.told == 3


def test_step_listeners_see_every_step_and_one_that_raises_is_reported_once(
    trainer: Trainer,
) -> None:
    seen: list[tuple[int, bool]] = []

    calls: list[int] = []

    def broken(step: int, framed: bool) -> None:
        calls.append(step)
        raise ValueError("no")

    trainer.live.every = 2
    trainer.live.feed.camera.throttle.is_open = lambda now: True  # type: ignore[method-assign]
    counter = trainer.live.feed.counter
    counter.add_step_listener(broken)
    stop = counter.add_step_listener(lambda step, framed: seen.append((step, framed)))
    with pytest.warns(RuntimeWarning, match=r"add_step_listener: the callback .*broken raised"):
        trainer.step()
    for _ in range(3):
        trainer.step()
    stop()
    trainer.step()
    assert seen == [(1, False), (2, True), (3, False), (4, True)]
    assert calls == [1, 2, 3, 4, 5]


def test_weights_are_bit_identical_with_logs_track_and_step_listeners() -> None:
    def trained(watched: bool) -> list[torch.Tensor]:
        torch.manual_seed(3)
        model = kw.nn.KANCNN(channels=(2, 3))
        optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
        batches = [(torch.rand(8, 1, 28, 28), torch.randint(0, 10, (8,))) for _ in range(6)]
        loop: Any = batches
        live: Binding | None = None
        if watched:
            live = kw.bind(model, optimizer, every=1)
            live.feed.counter.add_step_listener(lambda step, framed: None)
            loop = live.track(batches)
        for images, labels in loop:
            optimizer.zero_grad()
            loss = nn.functional.nll_loss(model(images), labels)
            loss.backward()
            optimizer.step()
            if live is not None:
                live.log(loss=loss)
        return [*model.state_dict().values(), torch.random.get_rng_state()]

    for watched, alone in zip(trained(True), trained(False), strict=True):
        assert torch.equal(watched, alone)


# -- loops that end, are left, or lie inside each other ------------------------------------


def test_a_stop_in_an_inner_loop_ends_the_outer_ones_too(trainer: Trainer) -> None:
    control = trainer.live.control
    for _ in trainer.live.track(range(5)):
        for batch in trainer.live.track(range(5)):
            trainer.step()
            if batch == 2:
                control.stop()
    assert trainer.live.stats.steps == 3
    assert trainer.live.progress.state == "stopped"


def test_the_outermost_loop_gives_the_progress(trainer: Trainer) -> None:
    seen = []
    for _ in trainer.live.track(range(2)):
        for _ in trainer.live.track(range(5)):
            trainer.step()
        seen.append((trainer.live.progress.state, trainer.live.progress.batches_total))
    assert seen == [("running", 2), ("running", 2)]
    assert trainer.live.progress.state == "finished"


def test_an_error_of_the_loader_fails_the_training(trainer: Trainer) -> None:
    class Broken:
        def __iter__(self) -> Iterator[int]:
            yield 1
            raise OSError("the disk is gone")

    def loop() -> None:
        for _ in trainer.live.track(Broken()):
            trainer.step()

    with pytest.raises(OSError, match="gone"):
        loop()
    assert trainer.live.progress.state == "failed"
    assert trainer.live.progress.message == "OSError: the disk is gone"


def test_a_cell_that_fails_in_a_loop_fails_the_training(trainer: Trainer) -> None:
    try:
        for _ in trainer.live.track(range(5)):
            trainer.step()
            raise ValueError("in the body")
    except ValueError as error:
        trainer.live.feed.training.note_cell_error(error)
    assert trainer.live.progress.state == "failed"
    assert "in the body" in trainer.live.progress.message


def test_a_model_trained_in_the_loop_of_another_has_finished_with_the_cell() -> None:
    tracked, beside = Trainer(), Trainer()
    for _ in tracked.live.track(range(3)):
        tracked.step()
        beside.step()
    assert beside.live.progress.state == "running"
    for trainer in (tracked, beside):
        trainer.live.feed.training.note_cell_error(None)
    assert [one.live.progress.state for one in (tracked, beside)] == ["finished", "finished"]


def test_an_error_below_a_loop_that_was_left_is_none_of_the_training(trainer: Trainer) -> None:
    for _ in trainer.live.track(range(5)):
        trainer.step()
        break
    try:
        raise ValueError("a plot below the loop")
    except ValueError as error:
        trainer.live.feed.training.note_cell_error(error)
    assert trainer.live.progress.state == "finished"


def test_another_cell_leaves_a_task_alone_that_is_paused(trainer: Trainer) -> None:
    async def main() -> None:
        async def loop() -> None:
            async for batch in trainer.live.track(range(100)):
                trainer.step()
                if batch == 1:
                    trainer.live.control.pause()

        task = asyncio.create_task(loop())
        while not trainer.live.control.is_holding:
            await asyncio.sleep(0.005)
        trainer.live.feed.training.note_cell_error(ValueError("of another cell"))
        trainer.live.feed.training.note_cell_error(None)
        await asyncio.sleep(0.1)
        assert trainer.live.stats.steps == 2
        assert trainer.live.progress.state == "paused"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert trainer.live.progress.state == "interrupted"


def test_a_late_stop_does_not_hit_the_next_loop(trainer: Trainer) -> None:
    trainer.step()
    wait_for(lambda: trainer.live.state == "idle")
    trainer.live.control.stop()
    for _ in trainer.live.track(range(4)):
        trainer.step()
    assert trainer.live.stats.steps == 5


def test_a_stop_for_another_model_of_the_same_loop_ends_it(trainer: Trainer) -> None:
    other = Trainer()
    for batch in trainer.live.track(range(10)):
        trainer.step()
        other.step()
        if batch == 3:
            wait_for(lambda: other.live.state in ("live", "idle"))
            other.live.control._stop = True  # as a click would set it
            other.live.feed.counter.request_full_step()
    assert trainer.live.stats.steps == 5
    assert trainer.live.progress.state == "stopped"
    other.live.close()


def test_a_step_that_calls_its_parent_counts_once_and_when_it_is_whole() -> None:
    class Halving(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            value = super().step(closure)
            with torch.no_grad():
                for group in self.param_groups:
                    for parameter in group["params"]:
                        parameter.mul_(0.5)
            return value

    model = kw.nn.KANLinear(2, 2)
    plain = torch.optim.SGD(model.parameters(), lr=0.0)
    model(torch.ones(1, 2)).sum().backward()
    plain.step()  # from now on torch calls hooks in the parent's step as well
    optimizer = Halving(model.parameters(), lr=0.0)
    live = kw.bind(model, optimizer, every=1)
    before = model.base_weight.detach().clone()
    optimizer.step()
    shown = torch.tensor(live.refresh().coefficients(live.layers[0]))[..., 0, 0, 0]
    assert live.stats.steps == 1
    assert torch.equal(shown, before * 0.5)
    framed = live.history.at(1).coefficients(live.layers[0])[..., 0, 0, 0]
    assert torch.equal(torch.tensor(framed), before * 0.5)


def test_a_step_left_by_an_exception_does_not_hide_the_next(trainer: Trainer) -> None:
    def closure() -> float:
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            trainer.optimizer.step(closure)
    trainer.step()
    trainer.step()
    assert trainer.live.stats.steps == 2


def test_a_stop_leaves_a_grad_scaler_ready_for_the_next_loop() -> None:
    model = kw.nn.KANLinear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    live = kw.bind(model, optimizer, every=1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)

    def step() -> None:
        optimizer.zero_grad()
        scaler.scale(model(torch.ones(1, 2)).sum()).backward()
        scaler.step(optimizer)
        scaler.update()

    step()
    live.control.stop()
    with pytest.raises(TrainingStopped):
        step()
    before = model.base_weight.detach().clone()
    step()
    moved = (model.base_weight - before).abs().max().item()
    silu = torch.nn.functional.silu(torch.tensor(1.0)).item()
    assert moved == pytest.approx(silu, rel=1e-5)  # not 1024 times as much


def test_what_fails_while_held_does_not_end_the_training(trainer: Trainer) -> None:
    trainer.start(trainer.tracked)

    def broken(at_rest: bool) -> bool:
        raise RuntimeError("something failed")

    held_at = trainer.hold()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trainer.live.feed.training.queue.do = broken  # type: ignore[method-assign]
        wait_for(lambda: caught)
    assert "stopped watching" in str(caught[0].message)
    wait_for(lambda: trainer.live.state == "fault")  # it warns first
    assert trainer.live.feed.training.steps == held_at
    trainer.live.control.stop()
    trainer.join()
    assert trainer.ended == ["ended"]
