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


def test_large_frames_between_the_ends_are_nearly_as_they_were(monkeypatch):
    monkeypatch.setattr("kan_widgets.live.frames.history.PACKED_FROM", 1_000)
    layout = Layout(7, ())
    values = np.random.default_rng(0).normal(size=(5, 500)).astype(np.float32)
    frames = [Frame(step, layout, data) for step, data in enumerate(values)]
    history = History(10**6)
    for frame in frames:
        history.append(frame)
    assert history.exact() == [frames[0], frames[4]]
    assert history.nbytes == 4 * 500 * 2 + 2 * 500 * 3
    assert "3 of them as float16 differences" in repr(history)
    for frame, own in zip(history, frames, strict=True):
        moved = abs(own.data - frames[0].data)
        assert (abs(frame.data - own.data) <= 1e-3 * moved).all()
    assert history.at(4) is frames[4]


@pytest.mark.parametrize("chunk", [64, 2_000_000])
@pytest.mark.parametrize("farthest", [1e-30, 1e-6, 1.0, 1e6, 1e30])
def test_a_packed_coefficient_is_within_a_thousandth_of_what_it_has_moved(
    monkeypatch, farthest, chunk
):
    monkeypatch.setattr("kan_widgets.live.frames.history.PACKED_FROM", 1_000)
    monkeypatch.setattr("kan_widgets.live.frames.history._CHUNK", chunk)
    rng = np.random.default_rng(0)
    layout = Layout(7, ())

    def some(size: int) -> np.ndarray:
        """Draw numbers of either sign, as many of each size down to 10⁻¹² of the farthest."""
        drawn = farthest * 10 ** rng.uniform(-12, 0, size) * rng.choice([-1, 1], size)
        return drawn.astype(np.float32)

    # From 0, from values far larger and far smaller than the differences, from their neighbours.
    first = np.concatenate([np.zeros(500, np.float32), some(4000)])
    now = first + rng.permutation(np.concatenate([some(4499), [np.float32(farthest)]]))
    now[-200:] = np.nextafter(first[-200:], np.float32(np.inf))
    now[-400:-200] = first[-400:-200]
    history = History(10**6)
    for step, data in enumerate((first, now, first)):
        history.append(Frame(step, layout, data))
    assert len(history.exact()) == 2
    moved = np.abs(now.astype(np.float64) - first)
    off = np.abs(history.at(1).data.astype(np.float64) - now)
    in_range = moved >= moved.max() / 5e8
    assert in_range.mean() > 0.6
    assert (off[in_range] <= 1e-3 * moved[in_range]).all()
    assert (off[~in_range] <= 2e-12 * moved.max()).all()
    assert (off[-400:-200] == 0).all()


def test_what_no_scale_brings_into_float16_stays_as_it_is(monkeypatch):
    monkeypatch.setattr("kan_widgets.live.frames.history.PACKED_FROM", 1_000)
    layout = Layout(7, ())
    history = History(10**6)
    for step, size in enumerate((-3e38, 3e38, np.inf, np.nan, 1.0)):
        history.append(Frame(step, layout, np.full(500, size, np.float32)))
    assert len(history.exact()) == 5


def layered(sizes: dict[str, int]) -> Layout:
    """Return a layout of linear layers with one input, and as many outputs as their size."""
    table = Table(np.linspace(-1, 1, 3, dtype=np.float32), np.ones((3, 1), np.float32))
    layers, offset = [], 0
    for name, size in sizes.items():
        layers.append(
            LayerLayout(
                name, "linear", "A", (size, 1, 1, 1), 1, offset, ("x",), (True,), (-1, 1), (-1, 1),
                (), "x", "", None, "", (table,), None,
            )
        )  # fmt: skip
        offset += size
    return Layout(1, tuple(layers))


def stepped(history: History, layout: Layout, steps: range) -> None:
    for step in steps:
        history.append(Frame(step, layout, np.full(layout.size, step, np.float32)))


def test_large_layers_are_thinned_more_than_small_ones_and_it_is_said():
    layout = layered({"large": 2000, "small": 20, "smallest": 2})
    history = History(200_000)
    stepped(history, layout, range(3000))
    assert history.nbytes <= 200_000 + 2 * 4 * layout.size
    whole, small = history.steps, [frame.step for frame in history.holding(["small"])]
    assert all(frame.layout is layout for frame in history)
    assert (small[0], small[-1]) == (whole[0], whole[-1]) == (0, 2999)
    assert np.diff(whole).max() > 10 * np.diff(small).max()
    assert set(whole) <= set(small)
    assert f"{len(small)} of small" in repr(history)
    assert f"{len(whole)} of large" in repr(history)
    for step in (0, 1234, 2999):
        frame = history.at(step, ["small", "smallest"])
        assert frame.step <= step < frame.step + np.diff(small).max()
        assert (frame.coefficients("small") == frame.step).all()
    assert history.at(1234, ["large"]).step == history.at(1234).step
    with pytest.raises(KeyError, match="no frame has all of 'typo'"):
        history.at(3, ["typo"])
    # What goes on from it has kept the same.
    again = History(200_000)
    again.go_on_from(history)
    assert [frame.step for frame in again.holding(["small"])] == small


def test_until_it_is_thinned_all_layers_have_all_frames():
    layout = layered({"large": 2000, "small": 20})
    history = History(10**6)
    stepped(history, layout, range(100))
    assert [f.step for f in history.holding(["small"])] == history.steps.tolist()
    assert "thinned" not in repr(history)


def test_layers_of_one_size_are_thinned_alike():
    layout = layered({"one": 100, "other": 100})
    history = History(10_000)
    stepped(history, layout, range(100))
    assert [f.step for f in history.holding(["one"])] == history.steps.tolist()


def test_what_is_left_of_a_frame_does_not_keep_the_whole_of_it():
    layout = layered({"large": 2000, "small": 20})
    history = History(50_000)
    stepped(history, layout, range(100))
    whole = set(history.steps.tolist())
    left = [frame for frame in history.holding(["small"]) if frame.step not in whole]
    assert left
    assert all(frame.data.base is None and frame.data.size == 20 for frame in left)
