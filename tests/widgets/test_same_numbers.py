"""One run prints one number, wherever it is shown."""

from __future__ import annotations

import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import kan_widgets as kw
from kan_widgets import cli
from tests.printed import printed


@pytest.fixture
def live() -> kw.Binding:
    """Give a training whose loss jumps at every step."""
    model = kw.nn.KANLinear(2, 1)
    live = kw.bind(model)
    noise = np.random.default_rng(0).uniform(0.2, 1.8, 300)
    for step, factor in enumerate(noise, start=1):
        live.log(step, loss=factor * np.exp(-step / 100), val_accuracy=1 - 0.5 / step)
    live._keep = model  # type: ignore[attr-defined]
    return live


def over_panels(view: kw.TrainingPanel | kw.Compare) -> list[str]:
    """Give the number over each curve of a view's scene: the strong word after its colour."""
    texts = [
        element
        for element in ElementTree.fromstring(view.svg()).iter("{http://www.w3.org/2000/svg}text")
        if element.get("font-weight") == "600" and element.get("font-size") == "11"
    ]
    titles = ("Training", "not training", "x from ")
    said = [text.text or "" for text in texts]
    return [text for text in said if not text.startswith(titles)]


def said_in(view: kw.TrainingPanel | kw.Compare) -> str:
    return " ".join("".join(e.itertext()) for e in ElementTree.fromstring(view.svg()).iter())


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_panel_comparison_and_table_print_the_value_logged_last(
    live: kw.Binding, scale: str
) -> None:
    panel, compare = kw.TrainingPanel(live, scale=scale), kw.Compare({"KAN": live}, scale=scale)
    logged = [live.scalars.latest(name) for name in ("loss", "val_accuracy")]
    words = [printed(logged[0]), f"{printed(round(100 * logged[1], 1))} %"]
    assert over_panels(panel) == words
    # Beside a table of means the latest ones are heard and read by pointing alone.
    assert not any(over_panels(compare))
    record = compare.table()[0]
    assert [record["loss"], record["eval_accuracy"]] == logged
    said = said_in(compare)
    assert f"Curves of loss, KAN {words[0]}" in said
    assert f"eval accuracy at step 300: KAN {words[1]}." in said


def test_panel_comparison_recording_and_command_line_say_one_training_time(
    live: kw.Binding, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    panel, compare = kw.TrainingPanel(live), kw.Compare({"KAN": live})
    begun = time.perf_counter()
    for step, at in ((1, 0.0), (2, 40.0), (3, 106.0)):
        live.feed.training.stepped(step, begun + at, None)
    run = kw.replay(live.save(tmp_path / "run.npz"))
    views = kw.TrainingPanel(run), kw.Compare({"KAN": run})
    seconds = live.progress.elapsed
    assert round(seconds, 3) == 106.0
    assert [one.table()[0]["seconds"] for one in (compare, views[1])] == [seconds, seconds]
    for view in (panel, views[0]):
        assert "training time 1:46" in said_in(view)
    assert cli.main(["info", str(run.path)]) == 0
    assert "training time 1:46\n" in capsys.readouterr().out


def test_what_comes_after_the_last_step_and_pauses_are_no_training_time(live: kw.Binding) -> None:
    training, clock = live.feed.training, live.feed.training.clock
    begun = time.perf_counter()
    training.stepped(1, begun, None)
    training.stepped(2, begun + 10, None)
    clock.pause()
    clock._paused_at -= 1000.0  # a thousand seconds ago
    clock.resume()
    assert round(live.progress.elapsed, 3) == 10.0
    training.stepped(3, begun + 1020, None)
    assert round(live.progress.elapsed, 1) == 20.0
    clock.end()
    assert round(live.progress.elapsed, 1) == 20.0


def test_all_charts_draw_a_series_alike(live: kw.Binding) -> None:
    for step in range(301, 2000):
        live.log(step, loss=1 / step)
    panel, compare = kw.TrainingPanel(live), kw.Compare({"KAN": live})
    for of in ("x", "y", "sums"):
        assert panel.curves[0][of] is not None
        assert panel.curves[0][of] == compare.curves[0][of]
