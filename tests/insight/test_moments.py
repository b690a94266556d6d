"""Moments of runs: planted ones, none where there are none, and those of a real training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets import insight

STEPS = 80
Change = Callable[[kw.nn.KANLinear, int], None]


def run_of(change: Change, *, jitter: float = 0.0, ar: float = 0.0, seed: int = 0) -> Any:
    """Return a run of six functions around what they are at first, with changes at steps.

    The noise of each parameter is ``ar`` times that of the step before and something new.
    """
    torch.manual_seed(0)
    generator = np.random.default_rng(seed)
    model = kw.nn.KANLinear(3, 2)
    live = kw.bind(model, every=1, prove=False)
    first = {name: tensor.detach().clone() for name, tensor in model.named_parameters()}
    noise = {name: np.zeros(tensor.shape) for name, tensor in first.items()}
    for step in range(1, STEPS + 1):
        with torch.no_grad():
            for name, tensor in model.named_parameters():
                noise[name] = ar * noise[name] + jitter * generator.normal(size=tensor.shape)
                tensor.copy_(first[name])
            change(model, step)
            for name, tensor in model.named_parameters():
                tensor += torch.from_numpy(noise[name]).float()
        live.step()
        live.refresh()
    return live


def nothing(model: kw.nn.KANLinear, step: int) -> None:
    pass


def scaled(model: kw.nn.KANLinear, by: float) -> None:
    """Multiply the function from input 2 to output 1."""
    model.base_weight[1, 2] *= by
    model.spline_weight[1, 2] *= by


def turned(model: kw.nn.KANLinear, step: int) -> None:
    scaled(model, -1.0 if step >= 40 else 1.0)


def kinds(found: insight.Moments) -> set[tuple[str, int, tuple[int, ...]]]:
    return {(moment.kind, moment.step, moment.index) for moment in found.moments}


def test_a_function_that_turns_at_a_step_is_found_in_the_recording(tmp_path: Path) -> None:
    live = run_of(turned, jitter=0.005)
    for found in (kw.moments(live), kw.moments(kw.replay(live.save(tmp_path / "run.npz")))):
        assert ("turns", 40, (1, 2, 0, 0)) in kinds(found)
        assert ("leaves its start", 40, (1, 2, 0, 0)) in kinds(found)
        assert {moment.index for moment in found.moments} == {(1, 2, 0, 0)}
        [turn] = [moment for moment in found.moments if moment.kind == "turns"]
        # As brute force has it: the best line through φ at even points, before and after.
        frame = live.history[0]
        x, y = frame.evaluate("KANLinear")
        inside = (x >= -1) & (x <= 1)
        even = np.linspace(-1, 1, 33)
        slope = np.polyfit(even, np.interp(even, x[inside], y[1, 2, 0, 0, inside]), 1)[0]
        assert turn.before == pytest.approx(slope * even.std(), rel=0.05)
        assert turn.after == pytest.approx(-turn.before, rel=0.05)
        assert turn.size == pytest.approx(2 * abs(turn.before), rel=0.05)
        assert turn.p < 0.01


@pytest.mark.parametrize(("by", "kind"), [(0.3, "flattens"), (0.01, "dies")])
def test_a_function_that_shrinks_flattens_or_dies(by: float, kind: str) -> None:
    live = run_of(lambda model, step: scaled(model, by if step >= 50 else 1.0), jitter=1e-4)
    found = kw.moments(live)
    mine = {moment.kind: moment.step for moment in found.moments if moment.index == (1, 2, 0, 0)}
    assert mine[kind] == 50  # type: ignore[index]
    assert not {"flattens", "dies", "turns", "bends over"} - {kind} & mine.keys()


def test_a_change_that_is_taken_back_is_no_moment() -> None:
    live = run_of(lambda model, step: scaled(model, -1.0 if 30 <= step < 45 else 1.0), jitter=0.005)
    assert not [m for m in kw.moments(live).moments if m.kind == "turns" and m.step <= 30]


def test_a_run_in_which_nothing_moves_has_none() -> None:
    found = kw.moments(live := run_of(nothing))
    assert found.moments == found.rises == ()
    assert live.scalars.marks == ()
    assert found.functions == 6


@pytest.mark.parametrize("ar", [0.0, 0.5])
def test_of_runs_that_only_waver_hardly_any_has_a_moment(ar: float) -> None:
    with_any = [
        bool(kw.moments(run_of(nothing, jitter=0.03, ar=ar, seed=seed)).moments)
        for seed in range(20)
    ]
    # One in twenty is expected at the level; four or more has a chance below .02.
    assert sum(with_any) < 4


def digits() -> tuple[Tensor, Tensor]:
    """Return points and their classes: which of two inputs is larger."""
    x = 2 * torch.rand(400, 2, generator=torch.Generator().manual_seed(0)) - 1
    return x, (x[:, 0] > x[:, 1]).long()


@pytest.fixture(scope="module")
def trained() -> Iterator[Any]:
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 2))
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    live = kw.bind(model, optimizer, every=1, prove=False)
    x, labels = digits()
    for step in range(120):
        optimizer.zero_grad()
        scores = model(x)
        # Nothing is learned for thirty steps.
        loss = nn.functional.cross_entropy(scores if step >= 30 else 0 * scores, labels)
        right = (scores.argmax(1) == labels).float().mean()
        loss.backward()
        optimizer.step()
        live.log(loss=nn.functional.cross_entropy(scores, labels), accuracy=right)
        live.refresh()
    yield live  # which does not hold the model
    live.close()


def test_the_fall_of_a_loss_is_found_with_the_functions_that_moved(trained: Any) -> None:
    found = kw.moments(trained, *digits(), mark=False)
    [fall] = [rise for rise in found.rises if rise.name == "loss"]
    assert 20 <= fall.begins <= 40 < fall.ends
    assert fall.after < fall.before
    assert fall.p <= 0.05
    assert fall.moved
    moved = dict.fromkeys(fall.moved)
    assert len(moved) == len(fall.moved) <= 8
    # What intervene says of the same functions at the frame of the same step.
    first = trained.history.at(fall.begins)

    class Then:
        model, history = trained.model, [first]

    same = insight.intervene(Then, *digits(), "initial", where=fall.moved)  # type: ignore[arg-type]
    assert fall.put_back == same.change
    assert all(-1 <= change <= 1 for change in fall.controls)
    early = [m for m in found.moments if m.step < 25]
    assert early == []
    assert any(moment.kind == "leaves its start" for moment in found.moments)


def test_moments_stand_on_the_timeline_once(trained: Any) -> None:
    assert trained.scalars.marks == ()
    found = kw.moments(trained)
    marks = trained.scalars.marks
    assert 0 < len(marks) <= 12 + len(found.rises)
    assert any("loss falls" in mark.text for mark in marks)
    assert [mark.step for mark in marks] == sorted(mark.step for mark in marks)
    kw.moments(trained)
    assert trained.scalars.marks == marks
    assert len(kw.TrainingPanel(trained).marks) == len(marks)


def test_the_record_is_frozen_and_prints_as_a_table(trained: Any) -> None:
    found = kw.moments(trained, mark=False)
    rows = found.table()
    assert len(rows) == len(found.moments)
    assert set(rows[0]) == {"step", "kind", "layer", "index", "before", "after", "p", "size"}
    assert [row["step"] for row in rows] == sorted(row["step"] for row in rows)
    text, page = str(found), found._repr_html_()
    assert "loss falls from" in text
    assert "loss falls from" in page
    assert page.count("<tr>") == len(found.groups()) + 1
    with pytest.raises(AttributeError):
        found.level = 0.1  # type: ignore[misc]


def test_what_cannot_be_looked_at_is_refused(trained: Any, tmp_path: Path) -> None:
    short = kw.bind(kw.nn.KANLinear(2, 1), prove=False)
    with pytest.raises(ValueError, match="run of 1 frames: expected 12 or more"):
        kw.moments(short)
    with pytest.raises(TypeError, match="expected a binding or a recording"):
        kw.moments(trained.model)
    with pytest.raises(ValueError, match="level=2: expected"):
        kw.moments(trained, level=2)
    run = kw.replay(trained.save(tmp_path / "run.npz"))
    with pytest.raises(TypeError, match="whose model can be run"):
        kw.moments(run, *digits())
