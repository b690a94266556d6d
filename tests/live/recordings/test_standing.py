"""How a run stands: what every view says of it, and the line that mends it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.widgets import stream_of
from kan_widgets.widgets.wire.messages import training_of

X = torch.linspace(-1, 1, 16).reshape(8, 2)


def step(model: nn.Module, optimizer: torch.optim.Optimizer, count: int = 1) -> None:
    for _ in range(count):
        optimizer.zero_grad()
        model(X).square().mean().backward()
        optimizer.step()


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), 0.1)


# -- the model goes


def test_a_model_that_goes_out_of_scope_has_a_frame_of_its_last_step(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"

    def train() -> tuple[kw.Binding, kw.Recorder, Any]:
        model = network()
        live = kw.bind(model, optimizer := sgd(model), every=40, max_fps=1e6)
        recorder = live.record(path)
        step(model, optimizer, 40)
        live.refresh()
        step(model, optimizer, 7)
        assert live.frame.step == 40
        return live, recorder, model[1].coefficients().detach().numpy().copy()

    live, recorder, last = train()
    live.close()
    recorder.close()  # it ends by itself, soon
    assert (live.stats.steps, live.frame.step) == (47, 47)
    np.testing.assert_array_equal(live.frame.coefficients("1")[:, :, 0, 0], last)
    assert live.feed.standing.words == "closed"
    recorded = kw.replay(path)
    assert (recorded.frame.step, recorded.progress.step) == (47, 47)
    np.testing.assert_array_equal(recorded.frame.coefficients("1")[:, :, 0, 0], last)
    assert recorded.feed.standing.words == "recorded: closed"


def test_where_nothing_is_left_of_a_model_it_is_said_what_its_last_frame_is_of(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.npz"

    def train() -> tuple[kw.Binding, kw.Recorder]:
        model = kw.nn.KANLinear(2, 1)  # the layer is the model: it goes as a whole
        live = kw.bind(model, optimizer := sgd(model), every=40, max_fps=1e6)
        recorder = live.record(path)
        step(model, optimizer, 40)
        live.refresh()
        step(model, optimizer, 7)
        return live, recorder

    live, recorder = train()
    live.close()
    recorder.close()  # it ends by itself, soon
    assert live.feed.standing.words == "closed at step 47, the last frame is of step 40"
    recorded = kw.replay(path)
    assert (
        recorded.feed.standing.words == "recorded: closed at step 47, the last frame is of step 40"
    )


# -- another optimizer


def test_steps_of_an_optimizer_that_is_not_bound_are_noticed_and_how_to_mend_it_is_said() -> None:
    live = kw.bind(model := network(), optimizer := sgd(model))
    step(model, optimizer, 20)
    live.feed.settle()
    anew = sgd(model)
    step(model, anew, 200)
    assert live.stats.steps == 20
    standing = live.feed.standing
    assert standing.state == "uncounted"
    assert standing.words == "200 steps not counted, made by another SGD, which is not bound"
    assert standing.mend == "live = kw.bind(model, optimizer)"
    stream = stream_of(live)
    assert stream.training["mend"] == standing.mend
    live = kw.bind(model, anew)
    assert live.feed.standing.state == "idle"
    step(model, anew, 3)
    assert (live.stats.steps, live.feed.standing.words) == (3, "training")
    assert stream.source is live
    stream._tell_training()
    assert stream.training["words"] == "training"


def test_a_model_bound_without_its_optimizer_says_so_too() -> None:
    live = kw.bind(model := network())
    step(model, torch.optim.Adam(model.parameters()), 12)
    assert live.feed.standing.words == "12 steps not counted, made by Adam, which is not bound"
    live.step()
    assert live.feed.standing.state == "running"


def test_optimizers_that_take_turns_and_those_of_other_models_are_nothing_to_speak_of() -> None:
    model = network()
    own, other = sgd(model[0]), sgd(model[1])
    live = kw.bind(model, own)
    for _ in range(30):
        step(model, own)
        step(model, other, 3)
    stranger = network()
    step(stranger, sgd(stranger), 30)
    assert (live.stats.steps, live.feed.standing.state) == (30, "running")
    assert live.model is model


def test_noticing_changes_no_weight() -> None:
    def trained(watched: bool) -> nn.Module:
        model = network()
        live = kw.bind(model, sgd(model)) if watched else None
        step(model, torch.optim.Adam(model.parameters(), 0.01), 20)
        assert live is None or live.feed.standing.state == "uncounted"
        return model

    pairs = zip(trained(True).parameters(), trained(False).parameters(), strict=True)
    assert all(torch.equal(one, two) for one, two in pairs)


def test_a_model_that_is_bound_from_inside_a_step_has_this_step_counted_too() -> None:
    model = network()
    optimizer = sgd(model)
    made: list[kw.Binding] = []

    def closure() -> torch.Tensor:
        made.append(kw.bind(model, optimizer))
        return model(X).mean()

    optimizer.step(closure)  # type: ignore[arg-type]
    optimizer.step()
    assert made[0].stats.steps == 2


# -- a loop that raises


def fails_in(live: kw.Binding) -> None:
    for at in live.track(range(9)):
        live.step()
        if at == 4:
            raise ValueError("a bad batch")


def fails_deeper(live: kw.Binding) -> None:
    def bad(at: int) -> None:
        if at == 4:
            raise ValueError("a bad batch")

    for at in live.track(range(9)):
        live.step()
        with torch.no_grad():
            bad(at)


def breaks(live: kw.Binding) -> None:
    for at in live.track(range(9)):
        live.step()
        if at == 4:
            break


def returns(live: kw.Binding) -> int:
    for at in live.track(range(9)):
        live.step()
        if at == 4:
            return at + live.stats.steps
    return 0


def abandons(live: kw.Binding) -> None:
    batches = iter(live.track(range(9)))
    next(batches)
    del batches


def through_a_generator(live: kw.Binding) -> None:
    def each() -> Iterator[int]:
        yield from live.track(range(9))

    for at in each():
        if at == 4:
            break


@pytest.mark.parametrize("loop", [fails_in, fails_deeper])
def test_a_loop_that_an_error_has_left_is_not_finished(loop: Callable[[kw.Binding], Any]) -> None:
    live = kw.bind(model := network())
    with pytest.raises(ValueError, match="a bad batch"):
        loop(live)
    assert live.progress.state == "failed"
    assert live.feed.standing.words.startswith("stopped by an error in line ")
    assert live.feed.standing.words.endswith(" of test_standing.py")
    assert live.model is model


@pytest.mark.parametrize("loop", [breaks, returns, abandons, through_a_generator])
def test_a_loop_that_is_left_by_choice_is_finished(loop: Callable[[kw.Binding], Any]) -> None:
    live = kw.bind(model := network())
    loop(live)
    assert live.feed.standing.words == "finished"
    assert live.model is model


def test_the_error_of_kw_fit_is_in_the_words(tmp_path: Path) -> None:
    model = network()

    def loss(outputs: Any, targets: Any) -> Any:
        raise ValueError("no such loss")

    live = kw.bind(model, optimizer := sgd(model))
    with pytest.raises(ValueError, match="no such loss"):
        kw.fit(model, [(X, X)], optimizer, loss)
    assert live.feed.standing.words == "stopped by ValueError: no such loss"
    run = kw.replay(live.save(tmp_path / "run.npz"))
    assert run.feed.standing.words == "recorded: stopped by ValueError: no such loss"


SCRIPT = """
import torch, kan_widgets as kw
model = torch.nn.Sequential(kw.nn.KANLinear(2, 1))
optimizer = torch.optim.SGD(model.parameters(), 0.1)
live = kw.bind(model, optimizer)
live.record("run.npz")
for at in {loop}:
    optimizer.zero_grad()
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    if at == 4:
        {then}
"""


@pytest.mark.parametrize("loop", ["range(9)", "live.track(range(9))"])
@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("raise ValueError('a bad batch')", "recorded: stopped by ValueError: a bad batch"),
        ("break", "recorded: finished"),
    ],
)
def test_the_recording_of_a_script_says_how_its_loop_ended(
    loop: str, then: str, words: str, tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT.format(loop=loop, then=then))
    subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, timeout=300)
    run = kw.replay(tmp_path / "run.npz")
    assert (run.feed.standing.words, run.frame.step) == (words, 5)


# -- a follower


def test_a_follower_says_for_how_long_nothing_has_come(tmp_path: Path) -> None:
    live = kw.bind(model := network(), optimizer := sgd(model), every=1, max_fps=1e6)
    recorder = live.record(tmp_path / "run.npz")
    step(model, optimizer, 40)
    recorder.flush()
    run = kw.follow(tmp_path / "run.npz", interval=3600)
    run.feed.look()
    assert run.feed.standing.words == "training"
    run.feed._news_at -= 35.5
    assert (run.feed.standing.state, run.feed.standing.words) == (
        "silent",
        "no news for 35 s, last step 40",
    )
    assert training_of(run)["beats"]
    live.control.pause()
    recorder.flush()
    run.feed.look()
    assert run.feed.standing.words == "paused"
    run.feed._news_at -= 35.5
    assert run.feed.standing.words == "paused"
    run.feed._news_at -= 200
    assert run.feed.standing.words == "paused, no news for 3 min, last step 40"
    recorder.close()
    run.feed.look()
    assert run.feed.standing.words == "recorded: closed"


# -- its signs


def test_a_stream_gives_a_sign_while_something_goes_on_and_none_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = kw.bind(model := network(), optimizer := sgd(model))
    stream = stream_of(live)
    sent: list[Any] = []
    monkeypatch.setattr(stream, "send", lambda content, buffers=None: sent.append(content["kind"]))
    stream._beat()
    assert "beat" not in sent
    batches = iter(live.track(range(3)))
    next(batches)
    step(model, optimizer)
    stream._beat()
    assert sent.count("beat") == 1
    live.control.pause()
    stream._beat()
    assert (sent.count("beat"), stream.training["words"]) == (2, "paused")
    live.control.resume()
    for _ in batches:
        step(model, optimizer)
    stream._beat()
    assert (sent.count("beat"), stream.training["words"]) == (2, "finished")
