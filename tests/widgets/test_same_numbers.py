"""One run prints one number, wherever it is shown."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

import kan_widgets as kw
from kan_widgets.widgets.measured import written
from kan_widgets.widgets.ranges import format_number


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
    titles = {"Training", "not training"}
    return [text.text or "" for text in texts if text.text not in titles]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_panel_comparison_and_table_print_the_value_logged_last(
    live: kw.Binding, scale: str
) -> None:
    panel, compare = kw.TrainingPanel(live, scale=scale), kw.Compare({"KAN": live}, scale=scale)
    logged = [live.scalars.latest(name) for name in ("loss", "val_accuracy")]
    words = [format_number(logged[0]), *written("eval_accuracy", logged[1:])]
    assert over_panels(panel) == over_panels(compare) == words
    record = compare.table()[0]
    assert [record["loss"], record["eval_accuracy"]] == logged
    rows = {row["key"]: row["values"][0] for row in compare.shown["rows"]}
    assert [rows["loss"], rows["eval_accuracy"]] == words


def test_all_charts_smooth_alike(live: kw.Binding) -> None:
    panel, compare = kw.TrainingPanel(live), kw.Compare({"KAN": live})
    [drawn, *_] = panel.curves
    mean = np.frombuffer(drawn["mean"]["y"])
    np.testing.assert_array_equal(mean, np.frombuffer(compare.curves[0]["mean"]["y"]))
    assert not np.array_equal(mean, np.frombuffer(drawn["y"]))
