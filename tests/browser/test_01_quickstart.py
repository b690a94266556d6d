"""The first tutorial, walked by a newcomer: the kernels change while the plain loop trains."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.browser.lab import STARRED
from tests.browser.test_spline_inspector import Inspector
from tests.browser.walk import GATE, Walk, shows
from tests.notebooks.execution import Run, check_runs

if TYPE_CHECKING:
    from tests.browser.conftest import Reference

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Notes each frame that the page shows while the notebook runs: its step, all its curves, a number
# made of the canvas's pixels, and the number of the cell that executes at that moment.
RECORDER = """
window.kwRecord = [];
const fingerprint = (text) => {
  let sum = 0;
  for (let i = 0; i < text.length; i += 1) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) | 0;
  return sum;
};
const noting = setInterval(() => {
  if (!window.kwRecord) return clearInterval(noting);  // the page is another test's
  const view = document.querySelector('.kw-kernel-grid');
  const step = view?.kwView?.step() ?? -1;
  if (step < 0 || window.kwRecord.at(-1)?.step === step) return;
  const shape = view.kwView.scene().picture.arrangement;
  const count = shape.out * shape.in * shape.kh * shape.kw;
  window.kwRecord.push({
    step,
    shown: [...view.querySelectorAll('.kw-segment:has(input:checked)')].map((s) => s.innerText),
    curves: Array.from({length: count}, (_, f) => Array.from(view.kwView.curve(f).y)),
    pixels: [...view.querySelectorAll('canvas')].map((canvas) => fingerprint(canvas.toDataURL())),
    cell: panel.content.widgets.findIndex(STARRED),
  });
}, 25);
""".replace("STARRED", STARRED)
WEIGHTS = """
def kw_test_weights(layer):
    scaler = getattr(layer, "spline_scaler", None)
    return {
        "base": layer.base_weight.tolist(),
        "spline": layer.spline_weight.tolist(),
        "scaler": None if scaler is None else scaler.tolist(),
        "grid_size": layer.basis.grid_size,
        "order": layer.basis.spline_order,
        "range": layer.basis.grid_range,
    }
"""


def walk_through_training(walk: Walk) -> dict[str, Any]:
    """Click on the kernels while they learn; return what the page has shown of them."""
    lab = walk.lab
    walk.run_to("setup")
    lab.evaluate("1", GATE)
    walk.says("grid-text", "**Point**", "**Click**", "**change**", "**pattern**", "**convs.1**")
    walk.run_to("bind")
    grid = walk.grid("bind")
    lab.script(RECORDER)
    noted = "window.kwRecord.length"
    lab.until(lambda: lab.page.evaluate(noted) == 1, "step 0 to be noted")
    with walk.training("train"):
        grid = walk.grid("bind")
        grid.wait_step(10)
        lab.until(lambda: lab.page.evaluate(noted) > 1, "a step to be noted")
        lab.screenshot(walk.pictures / "training.png")
        grid.hover(4)
        lab.until(lambda: "base" in grid.tip()[1], "the tip")
        assert {"φ(x)", "base", "splines"} <= set(grid.tip()[1])
        walk.look("point")
        grid.click(4)
        lab.until(lambda: "largest |φ|" in grid.text(), "what is said of the function clicked")
        walk.look("click")
        grid.choose("change")
        lab.until(lambda: "the change of φ(x) since step 0" in grid.text(), "the changes")
        walk.look("change")
        grid.choose("pattern")
        lab.until(lambda: "larger for dark pixels" in grid.text(), "the pattern")
        walk.look("pattern")
        grid.choose("curves")
        for layer in ("convs.1", "linear"):
            grid.choose(layer)
            lab.until(shows(grid.layer, layer), f"layer {layer}")
            walk.look(layer)
        grid.choose("convs.0")
        lab.until(shows(grid.layer, "convs.0"), "the first layer")
        assert walk.is_running("train")
    last = lab.evaluate("live.stats.steps")
    grid.wait_step(last)
    grid.scroll_into_view()
    walk.look("end")
    noted = "window.kwRecord.at(-1).step"
    lab.until(lambda: lab.page.evaluate(noted) == last, "the last step to be noted")
    layer = f"dict(model.named_modules())[{grid.layer()!r}]"
    return {
        "frames": lab.page.evaluate("window.kwRecord"),
        "last": last,
        "training": walk.number("train"),
        "weights": lab.evaluate(f"kw_test_weights({layer})", WEIGHTS),
        "x": grid.curve(0)[0],
    }


def walk_through_the_rest(walk: Walk) -> None:
    """Look at the whole network, read the pattern, drag a function, pause the second training."""
    lab = walk.lab
    walk_the_whole_network(walk)
    walk.run_to("data")
    assert "black: " in walk.grid("data").text()
    walk.look("data")
    drag_a_function(walk)

    walk.says("panel-text", "**Pause**", "**Resume**")
    with walk.training("fit"):
        walk.pause("panel", "fit")
        walk.look("paused")
        step = walk.view("panel", "training-panel").locator(".kw-remark").nth(1)
        held = step.inner_text()
        lab.page.wait_for_timeout(500)
        assert step.inner_text() == held
        assert walk.is_running("fit")
        walk.press("panel", "Resume")
        lab.until(lambda: step.inner_text() != held, "it to go on")
    walk.view("panel", "training-panel")
    walk.look("trained")

    walk.run_to("facts")
    walk.cell("facts").scroll_into_view_if_needed()
    walk.look("facts")
    answers = walk.cell("exercises").locator("details")
    assert answers.locator("p").first.is_hidden()
    answers.locator("summary").first.click()
    assert answers.locator("p").first.is_visible()
    walk.cell("exercises").scroll_into_view_if_needed()
    walk.look("exercises")


def drag_a_function(walk: Walk) -> None:
    """Drag a control point: the response to one digit changes at once."""
    lab = walk.lab
    walk.says("drag-text", "**Drag a control point**", "**undo**")
    walk.run_to("drag")
    response = walk.view("drag", "meshgrid-view")
    picture = "view => view.querySelector('canvas').toDataURL()"
    before = response.evaluate(picture)
    inspector = Inspector(lab)
    lab.until_shown(inspector.is_ready, "the inspector")
    inspector.scroll_into_view()

    def weights() -> Any:
        return np.array(lab.evaluate("model.convs[0].spline_weight[0, 0, 1, 1].tolist()"))

    trained = weights()
    inspector.drag("B5", 0.4)
    lab.until(lambda: np.abs(weights() - trained).max() > 0.1, "the model to be changed")
    lab.until(lambda: response.evaluate(picture) != before, "the response")
    walk.look("dragged")
    inspector.click(".kw-editing button:has-text('undo')")
    lab.until(lambda: np.abs(weights() - trained).max() < 1e-6, "the undo")


def walk_the_whole_network(walk: Walk) -> None:
    """Point at a map, select a kernel, choose another digit, and draw one while Python is busy."""
    lab = walk.lab
    walk.says("whole-text", "**▶**", "**Point**", "**Click**", "**draw**")
    network = walk.view("network", "network-view")
    network.scroll_into_view_if_needed()

    def middle(part: str) -> tuple[float, float]:
        box = network.evaluate("(view, id) => view.kwView.at(id)", part)
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    lab.until(lambda: "image 1 of " in network.inner_text(), "what the network says")
    walk.look("whole")
    lab.page.mouse.move(*middle("u:1:2"))
    kind = "view => view.kwView.scene().closeUp?.kind"
    lab.until(lambda: network.evaluate(kind) == "pixel", "a pixel taken apart")
    walk.look("pixel")
    lab.page.mouse.click(*middle("e:1:3"))
    lab.until(lambda: lab.evaluate("live.feed.selection")["out"] == 3, "the kernel")
    lab.page.mouse.move(5, 5)
    lab.page.wait_for_timeout(300)
    assert network.evaluate(kind) == "pixel"  # what was clicked here is shown closely
    lab.evaluate("0", "live.select(live.layers[0], 2, 0)")
    lab.until(lambda: network.evaluate(kind) == "unit", "the score, where another view selects")
    lab.page.mouse.click(*middle("x:2"))
    lab.until(
        lambda: re.search(r"image 3 of \d+: predicted 0", network.inner_text()), "another digit"
    )
    lab.page.mouse.click(*middle("x:-1"))
    kernel = "const {kernel} = panel.sessionContext.session;"
    wait = (
        "pathlib.Path('begun').touch()\nwhile not pathlib.Path('drawn').exists(): time.sleep(0.02)"
    )
    # What answers in between tells the page that the kernel is idle: so ask for this cell itself.
    lab.script(
        f"{kernel} window.kwDone = false;"
        "kernel.requestExecute({code: arg, silent: true}).done"
        ".then(() => { window.kwDone = true; });",
        wait,
    )
    lab.until((walk.folder / "begun").exists, "Python to be busy")
    network.evaluate("view => view.kwView.drawLine([[14, 4], [14, 24]])")
    lab.until(lambda: "your drawing: " in network.inner_text(), "what the network says of it")
    assert lab.page.evaluate("window.kwDone") is False
    walk.let_go("drawn")
    walk.look("drawn")


@pytest.fixture(scope="module")
def walk(walked: Callable[[str, Callable[[Walk], Any]], Any]) -> tuple[Run, dict[str, Any]]:
    def through(walk: Walk) -> tuple[Run, dict[str, Any]]:
        record = walk_through_training(walk)
        walk_through_the_rest(walk)
        return walk.run(), record

    run, record = walked("01_quickstart.ipynb", through)
    return run, record


@pytest.fixture(scope="module")
def run(walk: tuple[Run, dict[str, Any]]) -> Run:
    return walk[0]


def test_the_kernels_change_while_the_training_cell_executes(
    walk: tuple[Run, dict[str, Any]], reference: Reference
) -> None:
    _, record = walk
    # The reader has looked at other layers and modes meanwhile.
    frames = [one for one in record["frames"] if one["shown"] == record["frames"][0]["shown"]]
    assert frames[0]["step"] == 0
    during = [one for one in frames if one["cell"] == record["training"] and one["step"] > 0]
    assert len(during) >= 5
    middle = during[len(during) // 2]
    assert 0 < middle["step"] < record["last"]

    start, half, end = (np.asarray(one["curves"]) for one in (frames[0], middle, frames[-1]))
    for one, other in ((start, half), (half, end), (start, end)):
        assert np.abs(one - other).max(axis=1).min() > 1e-4  # every function moved
    # Before the first click, and after the last.
    for before, after in ((frames[0], during[0]), (middle, frames[-1])):
        assert before["pixels"] != after["pixels"]
    assert np.abs(end - reference(record["weights"], record["x"])).max() < 1e-5


def test_every_cell_runs_without_an_error(run: Run) -> None:
    check_runs(run)


def test_the_articles_network_is_the_one_of_the_article(run: Run) -> None:
    assert run.facts["parameters"] == 94_650


# Five seeds: 92.6 to 93.4 %.
def test_three_epochs_teach_it_the_digits(run: Run) -> None:
    assert run.facts["accuracy"] > 0.88


# Five seeds: the least 0.017 to 0.038, the most 0.17 to 0.20.
def test_every_function_of_the_first_layer_is_seen_to_move(run: Run) -> None:
    assert run.facts["least_change"] > 0.003
    assert run.facts["most_change"] > 0.1


def test_the_answers_settle_before_the_functions(run: Run) -> None:
    assert run.facts["early_accuracy"] > 0.75
    assert 0.3 < run.facts["later_change"] < 0.8


def test_lifting_the_right_end_changes_the_response_on_the_ink_and_is_undone(run: Run) -> None:
    assert run.facts["on_ink"] > 0.98
    assert run.facts["undone"] < 1e-6


# Three seeds: 98.2 to 98.5 %.
def test_kancnn_learns_more_with_less_than_half_the_parameters(run: Run) -> None:
    assert run.facts["smaller_parameters"] / run.facts["parameters"] < 0.5
    assert run.facts["smaller_accuracy"] >= 0.975
