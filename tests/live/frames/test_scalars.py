"""Curves of a run: what is logged comes back, and thinning loses no peak."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kan_widgets.live.frames.scalars import Mark, Scalars
from kan_widgets.live.frames.scalars import Series as _Series


def test_what_is_logged_comes_back_in_order() -> None:
    scalars = Scalars()
    scalars.add(1, {"loss": 0.5, "accuracy": 1})
    scalars.add(3, {"loss": torch.tensor([0.25], requires_grad=True)})
    scalars.add(3, {"accuracy": np.float32(0.5)})
    steps, values = scalars.series("loss")
    assert (steps.tolist(), values.tolist()) == ([1, 3], [0.5, 0.25])
    assert scalars.series("accuracy")[1].tolist() == [1.0, 0.5]
    assert scalars.names == ("loss", "accuracy")
    assert scalars.latest("loss") == 0.25


def test_a_series_returned_is_a_copy() -> None:
    scalars = Scalars()
    scalars.add(0, {"loss": 1.0})
    scalars.series("loss")[1][0] = 9.0
    assert scalars.latest("loss") == 1.0


@pytest.mark.parametrize(
    "value", ["0.5", None, torch.ones(2), np.ones(3), 1 + 2j, torch.tensor(1j)]
)
def test_what_is_no_number_is_refused_and_nothing_is_added(value: object) -> None:
    scalars = Scalars()
    with pytest.raises(TypeError, match="accuracy"):
        scalars.add(1, {"loss": 0.5, "accuracy": value})
    assert scalars.names == ()


def test_steps_only_grow() -> None:
    scalars = Scalars()
    scalars.add(5, {"loss": 0.5})
    with pytest.raises(ValueError, match=r"step=4.*step 5"):
        scalars.add(4, {"other": 0.0, "loss": 0.1})
    assert scalars.names == ("loss",)


def test_an_unknown_series_is_refused_with_the_names() -> None:
    scalars = Scalars()
    scalars.add(1, {"loss": 0.5})
    with pytest.raises(KeyError, match=r"'los' was not logged; logged: 'loss'"):
        scalars.series("los")


def test_marks_and_values_raise_the_version_and_tell() -> None:
    told = []
    scalars = Scalars(lambda: told.append(scalars.version))
    scalars.add(1, {"loss": 0.5})
    scalars.mark(1, "lr 0.1 → 0.01")
    assert told == [1, 2]
    assert scalars.marks == (Mark(1, "lr 0.1 → 0.01"),)


def test_values_left_on_their_device_come_back_in_their_places() -> None:
    values = np.random.default_rng(0).normal(size=5_000).astype(np.float32)
    series = _Series()
    for step, value in enumerate(values):
        on_device = torch.tensor(value)
        series.append(step, on_device if step % 7 else float(value))
    scalars = Scalars()
    scalars._series["y"] = series
    assert len(series.waiting) < 1_100  # joined where there were many
    assert np.array_equal(scalars.series("y")[1], values.astype(float))
    assert series.waiting == []


def test_a_step_of_no_size_a_computer_knows_is_refused() -> None:
    scalars = Scalars()
    with pytest.raises(ValueError, match="64 bits"):
        scalars.add(2**70, {"y": 1.0})
    with pytest.raises(ValueError, match="too large"):
        scalars.add(0, {"y": 10**400})
    assert scalars.names == ()
