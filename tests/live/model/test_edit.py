"""Edits: what they change, when they are let in, and how they are taken back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline  # type: ignore[import-untyped]
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import IdentityBasis, LayerFunctions, register_adapter
from kan_widgets.live import Listener, cells
from kan_widgets.live.model.edits import Edits


def wait_for(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def linear(**options: Any) -> tuple[Any, kw.Binding]:
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2, **options)
    return model, kw.bind(model)


def in_thread(work: Callable[[], Any]) -> Any:
    """Call it in another thread and give what it returns or raises."""
    result: list[Any] = []

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]


def phi(model: Any, x: np.ndarray, out: int, in_: int) -> np.ndarray:
    """φ of one edge of a KANLinear by scipy, from the bare parameters."""
    basis = model.basis
    low, high = basis.grid_range
    step = (high - low) / basis.grid_size
    order = basis.spline_order
    knots = low + step * np.arange(-order, basis.grid_size + order + 1)
    weights = model.spline_weight[out, in_].detach().double().numpy()
    if model.spline_scaler is not None:
        weights = weights * model.spline_scaler[out, in_].item()
    spline = np.nan_to_num(BSpline(knots, weights, order, extrapolate=False)(x))
    return model.base_weight[out, in_].item() * x / (1 + np.exp(-x)) + spline


# -- what an edit changes ------------------------------------------------------------


def test_an_edit_changes_one_function_and_no_other():
    model, live = linear()
    before = live.frame.coefficients(live.layers[0]).copy()
    wanted = np.linspace(-1, 1, 9)
    live.edits.set(live.layers[0], (1, 2), wanted.tolist())
    after = live.frame.coefficients(live.layers[0])
    np.testing.assert_allclose(after[1, 2, 0, 0], wanted, atol=1e-6)
    after = after.copy()
    after[1, 2] = before[1, 2]
    np.testing.assert_array_equal(after, before)
    assert model.base_weight[1, 2].item() == pytest.approx(-1.0)


@pytest.mark.parametrize("scaler", [True, False])
def test_a_scaler_stays_and_the_splines_are_set_through_it(scaler):
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2, spline_scaler=scaler)
    if model.spline_scaler is not None:
        with torch.no_grad():
            model.spline_scaler[0, 1] = 2.5
    live = kw.bind(model)
    wanted = np.linspace(0.5, -0.5, 9)
    live.edits.set(live.layers[0], (0, 1), wanted.tolist())
    x = np.linspace(-0.99, 0.99, 101)
    knots = -1 + 0.4 * np.arange(-3, 9)
    expected = wanted[0] * x / (1 + np.exp(-x)) + BSpline(knots, wanted[1:], 3)(x)
    np.testing.assert_allclose(phi(model, x, 0, 1), expected, atol=1e-6)
    if model.spline_scaler is not None:
        assert model.spline_scaler[0, 1].item() == 2.5


def test_a_scaler_of_zero_refuses_splines_and_nothing_changes():
    model, _ = linear(spline_scaler=True)
    with torch.no_grad():
        model.spline_scaler[0, 0] = 0
    live = kw.bind(model)
    before = {name: p.clone() for name, p in model.named_parameters()}
    with pytest.raises(ValueError, match=r"scaler of function .* is 0"):
        live.edits.set(live.layers[0], (0, 0), [1.0] * 9)
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())
    assert live.edits.done == ()


def test_zero_prunes_a_function():
    torch.manual_seed(0)
    model = kw.nn.KANConv2d(2, 3, 3)
    live = kw.bind(model)
    x = torch.randn(2, 2, 5, 5)
    live.edits.zero(live.layers[0], (1, 0, 2, 1))
    cut = model(x)
    with torch.no_grad():
        model.base_weight[1, 0, 2, 1] = 0
        model.spline_weight[1, 0, 2, 1] = 0
    torch.testing.assert_close(model(x), cut)
    assert not live.frame.coefficients(live.layers[0])[1, 0, 2, 1].any()


def test_reset_gives_the_function_of_the_first_frame():
    model, live = linear()
    first = live.history[0].coefficients(live.layers[0])[1, 0, 0, 0].copy()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
    live.refresh()
    live.edits.reset(live.layers[0], (1, 0))
    np.testing.assert_allclose(
        live.frame.coefficients(live.layers[0])[1, 0, 0, 0], first, atol=1e-6
    )


@pytest.mark.parametrize("order", [1, 2, 3])
def test_straighten_is_the_least_squares_line_over_the_grid(order):
    torch.manual_seed(3)
    model = kw.nn.KANLinear(2, 2, spline_order=order, grid_size=6, grid_range=(-0.5, 2.0))
    with torch.no_grad():
        model.spline_weight.normal_()
    live = kw.bind(model)
    x = np.linspace(-0.5, 2.0, 257)
    inside = x[:-1]
    slope, offset = np.polyfit(x, np.append(phi(model, inside, 1, 0), _end(model, 1, 0)), 1)
    live.edits.straighten(live.layers[0], (1, 0))
    np.testing.assert_allclose(phi(model, inside, 1, 0), slope * inside + offset, atol=2e-5)
    assert model.base_weight[1, 0].item() == 0


def _end(model: Any, out: int, in_: int) -> float:
    """φ at the upper end of the grid, which scipy counts as outside the last piece."""
    return float(phi(model, np.array([model.basis.grid_range[1] - 1e-9]), out, in_)[0])


def test_a_weight_is_its_own_line():
    model = nn.Linear(3, 2)
    live = kw.bind(model)
    before = model.weight.detach().clone()
    live.edits.straighten(live.layers[0], (1, 2))
    torch.testing.assert_close(model.weight.detach(), before)
    live.edits.set(live.layers[0], (1, 2), [0.25])
    assert model.weight[1, 2] == 0.25


# -- undo and redo -------------------------------------------------------------------


def test_undo_and_redo_walk_through_the_edits():
    model, live = linear()
    name, edits = live.layers[0], live.edits

    def weights() -> list[float]:
        return [round(model.base_weight[0, k].item(), 5) for k in range(3)]

    start = weights()
    for k in range(3):
        edits.set(name, (0, k), [1.0 + k, *[0.0] * 8])
    assert weights() == [1, 2, 3]
    assert edits.undo().index == (0, 2, 0, 0)
    assert weights() == [1, 2, start[2]]
    edits.undo()
    edits.undo()
    assert weights() == start
    assert edits.undo() is None
    edits.redo()
    assert weights() == [1, start[1], start[2]]
    edits.set(name, (0, 1), [5.0, *[0.0] * 8])
    assert edits.redo() is None  # another edit was made since
    assert (len(edits.done), len(edits.undone)) == (2, 0)


def test_a_gesture_is_one_edit_and_the_next_one_another():
    model, live = linear()
    name, edits = live.layers[0], live.edits
    start = live.frame.coefficients(name)[0, 0, 0, 0].copy()
    for value in (0.1, 0.2, 0.3):
        edits.set(name, (0, 0), [value] * 9, final=False)
    edits.set(name, (0, 0), [0.4] * 9)
    edits.set(name, (0, 0), [0.5] * 9)
    assert len(edits.done) == 2
    np.testing.assert_array_equal(edits.done[0].before, start.astype(float))
    edits.undo()
    assert model.base_weight[0, 0].item() == pytest.approx(0.4)
    edits.undo()
    assert model.base_weight[0, 0].item() == pytest.approx(start[0])


def test_a_gesture_ends_when_another_function_is_edited():
    _, live = linear()
    name, edits = live.layers[0], live.edits
    edits.set(name, (0, 0), [0.1] * 9, final=False)
    edits.set(name, (0, 1), [0.2] * 9, final=False)
    edits.set(name, (0, 1), [0.3] * 9)
    assert [edit.index[1] for edit in edits.done] == [0, 1]


def test_the_latest_change_tells_what_was_before_and_after():
    _, live = linear()
    name, edits = live.layers[0], live.edits
    edits.set(name, (0, 0), [0.1] * 9, final=False)
    assert edits.latest is not None
    assert not edits.latest.final
    edits.set(name, (0, 0), [0.2] * 9)
    assert edits.latest.final
    np.testing.assert_allclose(edits.latest.after, 0.2)
    edits.undo()
    np.testing.assert_allclose(edits.latest.before, 0.2)
    np.testing.assert_array_equal(edits.latest.after, edits.undone[0].before)


# -- what is refused -----------------------------------------------------------------


def test_what_cannot_be_is_refused_in_words_and_nothing_changes():
    model, live = linear()
    name = live.layers[0]
    before = [p.clone() for p in model.parameters()]
    with pytest.raises(KeyError, match="no layer 'nowhere'"):
        live.edits.set("nowhere", (0, 0), [0.0] * 9)
    with pytest.raises(IndexError, match="2 × 3"):
        live.edits.set(name, (2, 0), [0.0] * 9)
    with pytest.raises(IndexError):
        live.edits.zero(name, (0, -1))
    with pytest.raises(ValueError, match="9 finite numbers"):
        live.edits.set(name, (0, 0), [0.0] * 8)
    with pytest.raises(ValueError, match="9 finite numbers"):
        live.edits.set(name, (0, 0), [float("nan"), *[0.0] * 8])
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
    assert live.edits.done == ()


def test_two_numbers_name_no_entry_of_a_kernel():
    model = kw.nn.KANConv2d(2, 2, 3)
    live = kw.bind(model)
    with pytest.raises(IndexError, match="2 × 2 × 3 × 3"):
        live.edits.zero(live.layers[0], (0, 1))


class Locked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight.exp().T


@pytest.fixture
def locked() -> Locked:
    def read(module: nn.Module) -> LayerFunctions:
        assert isinstance(module, Locked)
        values = module.weight.detach().exp().unsqueeze(-1)
        return LayerFunctions("linear", values, (IdentityBasis(),), locked="It is exp of a weight.")

    register_adapter(Locked, read)
    return Locked()


def test_a_locked_layer_says_why(locked):
    live = kw.bind(locked)
    with pytest.raises(ValueError, match=r"cannot be edited: It is exp of a weight\."):
        live.edits.zero(live.layers[0], (0, 0))


def test_a_closed_binding_takes_no_edits():
    _, live = linear()
    live.close()
    with pytest.raises(RuntimeError, match="closed"):
        live.edits.zero(live.layers[0], (0, 0))


def test_reset_is_refused_after_a_change_of_that_layers_grid_only():
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(2, 2), kw.nn.KANLinear(2, 2))
    live = kw.bind(model)
    finer = kw.nn.BSpline(8, 3, (-1.0, 1.0))
    model[0].basis = finer
    model[0].spline_weight = nn.Parameter(torch.zeros(2, 2, finer.n_basis))
    live.refresh()
    with pytest.raises(ValueError, match="the basis of 0 has changed since step 0"):
        live.edits.reset("0", (0, 0))
    live.edits.reset("1", (0, 0))


# -- threads -------------------------------------------------------------------------


class Loop:
    """A training loop in a thread of its own that can be stopped at any place within a step."""

    PLACES = ("forward", "backward", "step", "after")

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = kw.nn.KANLinear(3, 2, spline_scaler=True)
        loop = self

        class Optimizer(torch.optim.SGD):
            def step(self, closure: Any = None) -> Any:
                loop._pass("step")
                return super().step(closure)

        self.optimizer = Optimizer(self.model.parameters(), lr=1e-3)
        self.live = kw.bind(self.model, self.optimizer, every=1)
        self.stop_at: str | None = None
        self.stopped = threading.Event()
        self.go_on = threading.Event()
        self.ended = False
        self.steps = 0
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        wait_for(lambda: self.live.stats.steps > 3)

    def _pass(self, place: str) -> None:
        if self.stop_at == place:
            self.stop_at = None
            self.stopped.set()
            self.go_on.wait(20)

    def _run(self) -> None:
        x = torch.randn(8, 3)
        try:
            while not self.ended:
                self.optimizer.zero_grad()
                self._pass("forward")
                loss = self.model(x).square().sum()
                self._pass("backward")
                loss.backward()
                self.optimizer.step()
                self._pass("after")
                self.steps += 1
                time.sleep(0.001)
        except BaseException as error:
            self.error = error

    def hold(self, place: str) -> None:
        self.go_on.clear()
        self.stopped.clear()
        self.stop_at = place
        assert self.stopped.wait(20)

    def release(self) -> None:
        self.go_on.set()

    def end(self) -> None:
        self.ended = True
        self.go_on.set()
        self.thread.join(20)
        assert not self.thread.is_alive()
        assert self.error is None


@pytest.fixture
def loop(monkeypatch):
    # However long a step is held, the training does not count as quiet.
    monkeypatch.setattr("kan_widgets.live.steering.counter._QUIET_SECONDS", 60.0)
    made = Loop()
    yield made
    made.end()


@pytest.mark.parametrize("place", ["backward", "step"])
def test_an_edit_waits_for_the_end_of_the_step_it_came_in(loop, place):
    loop.hold(place)
    steps = loop.live.stats.steps
    before = [p.detach().clone() for p in loop.model.parameters()]
    loop.live.edits.set(loop.live.layers[0], (0, 1), [3.0] * 9)
    assert loop.live.edits.is_waiting
    assert loop.live.stats.steps == steps
    assert all(torch.equal(p, q) for p, q in zip(loop.model.parameters(), before, strict=True))
    seen: list[tuple[int, float]] = []

    class Watch(Listener):
        def on_frame(self, frame: Any, settled: bool) -> None:
            value = frame.coefficients(loop.live.layers[0])[0, 1, 0, 0, 0]
            seen.append((frame.step, float(value)))

    loop.live.feed.subscribe(Watch())
    loop.release()
    wait_for(lambda: seen)
    # The very next step's frame has it, exactly: no gradient has come between.
    assert seen[0] == (steps + 1, 3.0)


def test_a_storm_of_edits_never_disturbs_the_training(loop):
    """An edit between forward and backward would make autograd raise."""
    name = loop.live.layers[0]
    end = time.monotonic() + 1.0
    count = 0
    while time.monotonic() < end or count <= 50:
        loop.live.edits.set(name, (count % 2, count % 3), [0.01 * count] * 9, final=False)
        count += 1
    steps = loop.steps
    wait_for(lambda: loop.steps > steps + 3)
    assert loop.error is None
    wait_for(lambda: not loop.live.edits.is_waiting)


def test_two_threads_that_edit_and_a_loop_that_trains_never_lock_each_other(loop):
    name = loop.live.layers[0]

    def edit(column: int) -> None:
        for k in range(60):
            loop.live.edits.set(name, (0, column), [0.01 * k] * 9)
            if k % 3 == 0:
                loop.live.edits.undo()
                loop.live.edits.redo()

    threads = [threading.Thread(target=edit, args=(column,)) for column in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert loop.error is None


def test_undo_before_the_edit_was_let_in_leaves_the_function_alone(loop):
    loop.hold("backward")
    name = loop.live.layers[0]
    present = loop.model.base_weight[1, 1].item()
    loop.live.edits.set(name, (1, 1), [7.0] * 9)
    loop.live.edits.undo()
    seen: list[float] = []

    class Watch(Listener):
        def on_frame(self, frame: Any, settled: bool) -> None:
            seen.append(float(frame.coefficients(name)[1, 1, 0, 0, 0]))

    loop.live.feed.subscribe(Watch())
    loop.release()
    wait_for(lambda: seen)
    assert seen[0] == pytest.approx(present)


def test_the_loop_itself_edits_at_once():
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    live = kw.bind(model, optimizer)
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        live.edits.zero(live.layers[0], (0, 0))
        assert model.base_weight[0, 0] == 0


def test_what_waits_is_written_when_training_goes_quiet():
    loop = Loop()
    loop.hold("after")
    # As if the loop had come to a longer pause.
    loop.live.edits.set(loop.live.layers[0], (0, 0), [2.0] * 9)
    loop.ended = True
    loop.release()
    loop.end()
    wait_for(lambda: not loop.live.edits.is_waiting)
    assert loop.model.base_weight[0, 0].item() == pytest.approx(2.0, abs=0.1)


def test_an_edit_let_in_during_a_long_step_does_not_stop_the_training():
    loop = Loop()
    loop.hold("backward")
    loop.live.edits.set(loop.live.layers[0], (0, 1), [3.0] * 9)
    wait_for(lambda: not loop.live.edits.is_waiting)
    assert loop.model.base_weight[0, 1] == 3
    steps = loop.steps
    loop.release()
    wait_for(lambda: loop.steps > steps + 3)
    loop.end()


def test_an_edit_that_waits_is_let_in_by_the_binding_that_takes_over(loop):
    loop.hold("backward")
    name = loop.live.layers[0]
    loop.live.edits.set(name, (0, 1), [3.0] * 9)
    live = kw.bind(loop.model, loop.optimizer, every=1)
    assert live.edits.is_waiting
    assert loop.model.base_weight[0, 1] != 3
    seen: list[tuple[int, float]] = []

    class Watch(Listener):
        def on_frame(self, frame: Any, settled: bool) -> None:
            seen.append((frame.step, float(frame.coefficients(name)[0, 1, 0, 0, 0])))

    live.feed.subscribe(Watch())
    steps = live.stats.steps
    loop.release()
    wait_for(lambda: seen)
    assert seen[0] == (steps + 1, 3.0)


def test_an_edit_that_cannot_be_let_in_is_told_and_training_goes_on(loop, monkeypatch):
    messages: list[str] = []

    class Watch(Listener):
        def on_edit(self, edits: Edits) -> None:
            messages.append(edits.message)

    def refuse(*_: Any) -> None:
        raise ValueError("there is no way")

    loop.live.feed.subscribe(Watch())
    loop.hold("backward")
    loop.live.edits.set(loop.live.layers[0], (0, 0), [1.0] * 9)
    monkeypatch.setattr("kan_widgets.live.model.edits.write", refuse)

    def go_on() -> None:
        loop.release()
        wait_for(lambda: any(messages))

    with pytest.warns(RuntimeWarning, match="the edit of KANLinear was not applied"):
        go_on()
    assert messages == ["", "the edit of KANLinear was not applied: there is no way"]
    steps = loop.steps
    wait_for(lambda: loop.steps > steps)


# -- notebook cells ------------------------------------------------------------------


class Cell:
    """A cell that runs in this thread, as IPython tells of it."""

    def __enter__(self) -> None:
        cells._cell_started()

    def __exit__(self, *_: object) -> None:
        cells._cell_ended()


def test_a_cell_whose_thread_has_ended_or_whose_end_raised_is_not_running():
    in_thread(cells._cell_started)  # and never ends
    assert not cells.run_elsewhere()

    class Interrupted:
        def before_cell_end(self) -> None:
            raise KeyboardInterrupt

    listener = Interrupted()
    cells.add_listener(listener)
    running = []

    def raises() -> None:
        with pytest.raises(KeyboardInterrupt), Cell():
            running.append(cells.runs_in(threading.current_thread()))
        running.append(cells.runs_in(threading.current_thread()))

    in_thread(raises)
    assert running == [True, False]


def test_until_a_cells_first_step_an_edit_of_another_thread_waits():
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    live = kw.bind(model, optimizer, every=1)
    with Cell():
        loss = model(torch.ones(1, 3)).sum()
        in_thread(lambda: live.edits.set(live.layers[0], (0, 0), [5.0] * 9))
        assert model.base_weight[0, 0].item() != 5
        loss.backward()  # would raise if a weight had changed
        optimizer.step()
        assert model.base_weight[0, 0].item() == 5
        assert live.frame.coefficients(live.layers[0])[0, 0, 0, 0, 0] == 5


def test_a_cell_that_does_not_train_lets_an_edit_in_when_it_ends():
    model, live = linear()
    with Cell():
        in_thread(lambda: live.edits.set(live.layers[0], (0, 0), [5.0] * 9))
        assert live.edits.is_waiting
    assert model.base_weight[0, 0].item() == 5
    assert live.frame.coefficients(live.layers[0])[0, 0, 0, 0, 0] == 5


def test_a_pause_within_a_training_cell_does_not_let_an_edit_in():
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    live = kw.bind(model, optimizer, every=1)
    with Cell():
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        wait_for(lambda: live.state == "idle")
        loss = model(torch.ones(1, 3)).sum()
        in_thread(lambda: live.edits.set(live.layers[0], (0, 0), [5.0] * 9))
        in_thread(live.feed.settle)
        assert live.edits.is_waiting
        loss.backward()
        optimizer.step()
        assert model.base_weight[0, 0].item() == 5


def test_between_cells_an_edit_of_another_thread_is_applied_at_once():
    model, live = linear()
    in_thread(lambda: live.edits.zero(live.layers[0], (0, 0)))
    assert model.base_weight[0, 0].item() == 0


def test_a_cell_waits_for_what_is_being_done_between_cells():
    order: list[str] = []
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with cells.none_starting() as free:
            order.append(f"free {free}")
            inside.set()
            leave.wait(20)
            order.append("done")

    worker = threading.Thread(target=work)
    worker.start()
    inside.wait(20)

    def run_cell() -> None:
        with Cell():
            order.append("cell")

    cell = threading.Thread(target=run_cell)
    cell.start()
    time.sleep(0.05)
    leave.set()
    worker.join(20)
    cell.join(20)
    assert order == ["free True", "done", "cell"]


def test_each_way_to_edit_shows_what_the_layer_is_then():
    model = torch.nn.Sequential(*(kw.nn.KANLinear(2, 2) for _ in range(4)))
    live = kw.bind(model)
    for change in (
        lambda: live.edits.set("2", (0, 1), [1.0] * 9),
        lambda: live.edits.straighten("2", (1, 1)),
        lambda: live.edits.fix("2", (0, 0), [2.0] * 9),
        live.edits.undo,
        live.edits.redo,
        lambda: live.edits.release("2", (0, 0)),
        lambda: live.edits.reset("2", (0, 1)),
    ):
        change()
        shown = live.frame.coefficients("2")[..., 0, 0, :]
        torch.testing.assert_close(torch.tensor(shown), kw.functions.read(model)[2].coefficients)
