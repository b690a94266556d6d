"""History: what is kept, within what budget."""

from __future__ import annotations

import numpy as np
import pytest

import kan_widgets as kw
from kan_widgets.live import Frame, History, LayerLayout, Layout, Table

EMPTY = Layout(1, ())


def frame(step: int, floats: int = 250) -> Frame:
    return Frame(step, EMPTY, np.full(floats, step, dtype=np.float32))


def filled(count: int, max_bytes: int) -> History:
    history = History(max_bytes)
    for step in range(count):
        history.append(frame(step))
    return history


def test_everything_is_kept_while_it_fits():
    history = filled(100, 100_000)
    assert history.steps.tolist() == list(range(100))
    assert history.nbytes == 100_000


def test_over_budget_the_first_and_the_latest_stay_and_the_rest_is_even():
    for count in (101, 150, 333, 1000, 4097):
        history = filled(count, 100_000)
        steps = history.steps
        assert history.nbytes <= 100_000 + 1000
        assert steps[0] == 0
        assert steps[-1] == count - 1
        gaps = np.diff(steps)
        assert len(set(gaps[:-1])) == 1
        assert gaps[-1] <= gaps[0]
        assert len(steps) > 30


def test_frames_that_come_in_bursts_are_thinned_by_steps_and_not_by_number():
    history = History(100_000)
    for step in [*range(1000), *range(1000, 100_000, 50)]:
        history.append(frame(step))
    gaps = np.diff(history.steps[:-1])
    assert gaps.max() <= 1.5 * gaps.min()


def test_tables_count_towards_the_budget():
    def own_layout(step: int) -> Frame:
        table = Table(np.zeros(1000, np.float32), np.zeros((1000, 1), np.float32))
        layer = LayerLayout(
            "a", "linear", "A", (1, 1, 1, 1), 1, 0, ("x",), (True,), (-1, 1), (-1, 1), (), "x", "",
            None, "", (table,), None,
        )  # fmt: skip
        return Frame(step, Layout(step, (layer,)), np.zeros(1, np.float32))

    history = History(100_000)
    for step in range(100):
        history.append(own_layout(step))
    assert len(history) <= 13
    assert history.nbytes <= 100_000 + 8004


def test_frames_larger_than_the_budget_leave_the_first_and_the_latest():
    history = filled(50, 0)
    assert history.steps.tolist()[0] == 0
    assert history.steps.tolist()[-1] == 49
    assert len(history) == 2


def test_a_frame_of_the_same_step_takes_the_place_of_the_latest():
    history = filled(3, 100_000)
    again = Frame(2, EMPTY, np.zeros(250, dtype=np.float32))
    history.append(again)
    assert history.steps.tolist() == [0, 1, 2]
    assert history[-1] is again


def test_the_initial_frame_stays_when_its_step_is_taken_again():
    history = filled(1, 100_000)
    first = history[0]
    again = Frame(0, EMPTY, np.ones(250, dtype=np.float32))
    history.append(again)
    assert history[0] is first
    assert history[-1] is again
    history.append(frame(1))
    assert history.steps.tolist() == [0, 1]
    assert history[0] is first


def test_at_gives_the_last_frame_at_or_before_a_step():
    history = History(10**6)
    with pytest.raises(LookupError, match="empty"):
        history.at(3)
    for step in (0, 10, 20):
        history.append(frame(step))
    assert [history.at(step).step for step in (-5, 0, 9, 10, 19, 99)] == [0, 0, 0, 10, 10, 20]


def test_coefficients_over_time_are_the_models():
    model = kw.nn.KANLinear(2, 1)
    live = kw.bind(model, every=1)
    for value in (1.0, 2.0):
        model.base_weight.data.fill_(value)
        live.step()
        live.refresh()
    over_time = live.history.coefficients("KANLinear")
    assert over_time.shape == (3, 1, 2, 1, 1, 9)
    assert over_time[1:, 0, :, 0, 0, 0].tolist() == [[1.0, 1.0], [2.0, 2.0]]
    with pytest.raises(KeyError, match="the layers are 'KANLinear'"):
        live.history.coefficients("conv")
