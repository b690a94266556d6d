"""Compare in JupyterLab: three models in one blocking `kw.fit`, and how they look."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.browser.lab import Grid, LabPage, LabServer

pytestmark = pytest.mark.browser

NAMES = ["KAN", "CNN", "MLP"]
SETUP = """
from pathlib import Path
import time
import torch
import kan_widgets as kw

torch.manual_seed(0)
digits = kw.data.mnist("embedded")
batches = [
    (digits.train_images[k : k + 16], digits.train_labels[k : k + 16]) for k in range(0, 320, 16)
]
models = {"KAN": kw.nn.KANCNN.article(), "CNN": kw.nn.CNN(), "MLP": kw.nn.MLP()}
optimizers = {name: torch.optim.AdamW(m.parameters(), 1e-2) for name, m in models.items()}
lives = {name: kw.bind(m, optimizers[name], every=5) for name, m in models.items()}
for live in lives.values():
    live.data_source = digits.source

class Halt:
    def on_step(self, run):
        steps = run.live.stats.steps
        while steps in (10, 30) and not Path(f"go{steps}").exists():
            time.sleep(0.02)

def fit(epochs, **more):
    return kw.fit(
        models, batches, optimizers, torch.nn.functional.nll_loss, epochs, eval_loader=batches[:1],
        **more,
    )
"""
SHOW = "compare = kw.Compare(lives)\ncompare"
FIT = "run = fit(2, callbacks=[Halt()])"


def open_comparison(lab: LabPage, server: LabServer, *more: str) -> list[Grid]:
    lab.page.set_viewport_size({"width": 1700, "height": 1500})
    lab.open(server.write_notebook([SETUP, SHOW, *more]))
    lab.run_cell(0)
    lab.run_cell(1)
    assert lab.cell_errors() == []
    return [lab.grid(number) for number in range(3)]


def asked(lab: LabPage, what: str) -> Any:
    """Ask the comparison on the page."""
    return lab.page.evaluate(f"document.querySelector('.kw-compare')?.kwView.{what}")


def table(lab: LabPage) -> dict[str, list[str]]:
    """Give the rows of numbers as they are drawn."""
    rows = "scene()?.shown.rows.map(({key, values}) => [key, values])"
    return dict(asked(lab, rows) or {})


def curves(lab: LabPage, panel: int) -> dict[str, list[float]]:
    """Give the values of each curve in a panel as they are drawn, smoothed where they are."""
    found = asked(
        lab,
        f"scene()?.chart.panels[{panel}]?.curves.map(({{name, y, mean}}) => "
        "[name, Array.from(mean?.y ?? y)])",
    )
    return dict(found or [])


def models_colours(lab: LabPage) -> list[str]:
    """Give the colour in front of each model's name over its kernels."""
    found = lab.page.evaluate(
        "() => [...document.querySelectorAll('.kw-compare .kw-model-name')].map("
        "(name) => getComputedStyle(name, '::before').backgroundColor)"
    )
    return list(found)


def drawn_colours(lab: LabPage) -> dict[str, list[str]]:
    """Give what is drawn in each colour: kinds of marks, in the picture that the button saves."""
    svg = lab.page.evaluate(
        "document.querySelector('.kw-compare > .kw-readout-row .kw-save').kwSave.svg()"
    )
    found: dict[str, list[str]] = {}
    for element in ElementTree.fromstring(svg).iter():
        for paint in ("fill", "stroke"):
            if len(colour := element.get(paint, "")) == len("#rrggbb"):
                found.setdefault(colour, []).append(element.tag.partition("}")[2])
    return found


def as_css(colour: str) -> str:
    """Give #rrggbb as a browser does."""
    return "rgb({}, {}, {})".format(*bytes.fromhex(colour.removeprefix("#")))


def functions(grids: list[Grid]) -> list[NDArray[np.float64]]:
    """Give curves of each model; of the MLP one for each pixel, as those at the rim stay still."""
    return [grid.curves(count) for grid, count in zip(grids, (45, 144, 784), strict=True)]


def seconds(text: str) -> float:
    number, unit = text.split(" ")
    return float(number) / {"ms": 1000, "s": 1}[unit]


def plain(text: str) -> float:
    return float(text.removesuffix(" %")) / (100 if text.endswith(" %") else 1)


def is_written(page: dict[str, list[str]], records: list[dict[str, Any]]) -> bool:
    """Tell whether the rows of the page say what the records do."""
    exact = all(
        float(page[key][number].replace(",", "")) == record[key]
        for number, record in enumerate(records)
        for key in ("parameters", "steps", "epochs")
    )
    rounded = all(
        read(page[key][number]) == pytest.approx(record[key], rel=5e-3)
        for number, record in enumerate(records)
        for read, key in ((plain, "eval_accuracy"), (seconds, "seconds_per_step"))
    )
    return exact and rounded


def test_three_models_move_while_one_cell_trains_them(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    grids = open_comparison(lab, server, FIT)
    folder = (server.root / lab.path).parent
    kernels = [functions(grids)]
    drawn = []
    lab.run_cell(2, wait=False)
    for held in (10, 30):
        lab.until_shown(
            lambda held=held: table(lab).get("steps") == [str(held)] * 3,
            f"step {held} in the table",
        )
        for grid in grids:
            grid.wait_step(held)
        kernels.append(functions(grids))
        lab.until(lambda: len(curves(lab, 0)) == 3, "a curve of each model")
        drawn.append(curves(lab, 0))
        assert lab.is_running(2)
        lab.screenshot(artifacts / f"held at {held}.png")
        (folder / f"go{held}").touch()
    lab.wait_idle()
    assert lab.cell_errors() == []
    for before, after in itertools.pairwise(kernels):
        assert all(np.abs(b - a).max() > 1e-4 for a, b in zip(before, after, strict=True))
    early, late = drawn
    assert all(len(late[name]) > len(early[name]) for name in NAMES)

    records = lab.evaluate("compare.table()")
    assert [record["name"] for record in records] == NAMES
    assert [record["steps"] for record in records] == [40] * 3
    assert [record["epochs"] for record in records] == [2] * 3
    # The last step may be painted before the last evaluation and the end.
    lab.until(lambda: is_written(table(lab), records), "the numbers of the end in the table")
    page = table(lab)
    elapsed = lab.evaluate("[lives[name].progress.elapsed for name in models]")
    assert [record["seconds"] for record in records] == pytest.approx(elapsed)
    assert page["parameters"] == ["94,650", "44,819", "44,530"]
    assert asked(lab, "scene().shown.hints") == []
    assert asked(lab, "scene().shown.rows[0].label") == "eval accuracy at step 40"
    # One footer and one timeline for all grids; lines of weights do not press φ flat.
    assert lab.page.locator(".kw-compare .kw-save").count() == 1
    assert lab.page.locator(".kw-compare .kw-scrubber").count() == 1
    scales = lab.page.locator(".kw-compare .kw-model .kw-remark").all_inner_texts()
    axes = [text for text in scales if text.startswith("x from ")]
    # The MLP's first layer has too many functions for curves: its overview has a scale of its own.
    assert len(axes) == 2
    assert "largest |φ|, up to " in " ".join(scales)
    assert "for all models" not in " ".join(scales)
    # A weight is drawn as the line w·x.
    axes = [re.sub(r" \(.*\)", "", text).replace("w·x", "φ") for text in axes]
    assert len(set(axes)) == 1
    cut = "view => view.scrollHeight - view.clientHeight"
    viewports = lab.page.locator(".kw-compare .kw-model .kw-viewport")
    assert viewports.evaluate_all(f"views => views.map({cut})") == [0] * 3
    # Going back shows that step in all of them.
    track = lab.page.locator(".kw-compare .kw-track")
    track.focus()
    lab.page.keyboard.press("Home")
    lab.until(lambda: [grid.step() for grid in grids] == [0] * 3, "the first step in all grids")
    lab.page.keyboard.press("Escape")
    lab.until(lambda: [grid.step() for grid in grids] == [40] * 3, "the last step again")


def test_one_colour_for_each_model_in_both_themes_and_room_at_every_width(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    open_comparison(lab, server, "run = fit(1, background=True)\nrun.wait()")
    lab.run_cell(2)
    lab.until_shown(lambda: table(lab).get("steps") == ["20"] * 3, "the last step in the table")
    lab.until(lambda: len(curves(lab, 0)) == 3, "a curve of each model")
    seen: list[list[str]] = []
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lab.until(lambda: models_colours(lab) not in seen, f"the colours of the theme {theme}")
        colours = models_colours(lab)
        assert len(set(colours)) == 3
        marks = {as_css(colour): kinds for colour, kinds in drawn_colours(lab).items()}
        for colour in colours:
            # Its name in the numbers, over its layers and over its kernels, and its curves.
            assert marks[colour].count("g") >= 3
            assert "path" in marks[colour]
        seen.append(colours)
        for width in (600, 1000, 1400, 1600):
            resize(lab, width)
            lab.page.locator(".kw-compare").scroll_into_view_if_needed()
            lab.page.wait_for_timeout(800)
            beside = {600: 1, 1000: 2, 1400: 2, 1600: 3}[width]
            lab.until(
                lambda beside=beside: (
                    sticks_out(lab) == [] and columns(lab, ".kw-model-name") == beside
                ),
                f"all of it in {width} pixels",
            )
            lab.screenshot(artifacts / f"{theme[11:]} {width}.png")


def resize(lab: LabPage, width: int) -> None:
    """Give the comparison this width."""
    own = lab.page.evaluate("document.querySelector('.kw-compare').clientWidth")
    window = lab.page.viewport_size
    assert window is not None
    lab.page.set_viewport_size({"width": window["width"] + width - own, "height": 1500})
    lab.until(
        lambda: lab.page.evaluate("document.querySelector('.kw-compare').clientWidth") == width,
        f"a comparison {width} pixels wide",
    )


def sticks_out(lab: LabPage) -> list[str]:
    """Give the parts of the comparison that are wider than it, or overlap its right edge."""
    found: list[Any] = lab.page.evaluate(
        """() => {
          const box = document.querySelector('.kw-compare');
          const right = box.getBoundingClientRect().right + 1;
          const parts = '.kw-kernel-grid, canvas, .kw-header, .kw-model-name';
          return [...box.querySelectorAll(parts)]
            .filter((part) => part.getBoundingClientRect().right > right)
            .map((part) => part.className || part.tagName);
        }"""
    )
    return [re.sub(r"\\s+", " ", str(name)) for name in found]


def columns(lab: LabPage, part: str) -> int:
    """Give beside how many others such a part stands."""
    return int(
        lab.page.evaluate(
            "part => { const tops = [...document.querySelectorAll(`.kw-compare ${part}`)]"
            ".map((one) => Math.round(one.getBoundingClientRect().top));"
            "return tops.filter((top) => top === tops[0]).length; }",
            part,
        )
    )


def test_a_new_view_for_output_shows_all_of_it(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    open_comparison(lab, server, "run = fit(1)")
    lab.run_cell(2)
    lab.until_shown(lambda: table(lab).get("steps") == ["20"] * 3, "the last step in the table")
    lab.script("app.shell.activateById(panel.id); panel.content.activeCellIndex = 1;")
    lab.script("await app.commands.execute('notebook:create-output-view');")
    docked = lab.page.locator(".jp-LinkedOutputView .kw-compare")
    lab.until(lambda: docked.count() == 1, "the view beside the notebook")
    steps = "node => node.kwView.scene()?.shown.rows.find(({key}) => key === 'steps')?.values ?? []"
    lab.until(lambda: docked.evaluate(steps) == ["20"] * 3, "its numbers")
    kernels = docked.locator(".kw-kernel-grid")
    lab.until(
        lambda: (
            kernels.evaluate_all("views => views.map((view) => view.kwView.step())") == [20] * 3
        ),
        "the kernels of all models",
    )
    lab.screenshot(artifacts / "docked.png")


def test_rows_say_what_they_mean_and_curves_are_read_and_zoomed(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    open_comparison(lab, server, "run = fit(1)")
    lab.run_cell(2)
    lab.until_shown(lambda: table(lab).get("steps") == ["20"] * 3, "the last step in the table")
    canvas = lab.page.locator(".kw-compare canvas").first

    def point(place: dict[str, float], across: float) -> None:
        x = place["x"] + across * place["width"]
        lab.page.mouse.move(x, place["y"] + place["height"] / 2)

    row = asked(lab, "at('row parameters')")
    point(row, 0.5)
    meaning = "Trainable parameters. The better number is bold"
    lab.until(lambda: canvas.get_attribute("title") == meaning, "the meaning")
    plot = asked(lab, "plot(0)")
    latest = asked(lab, "values()")
    point(plot, 0.5)
    lab.until(lambda: asked(lab, "values()") != latest, "the values at the step under the mouse")
    lab.page.mouse.down()
    point(plot, 0.9)
    lab.page.mouse.up()
    lab.until(lambda: len(lab.evaluate("compare.zoom")) == 2, "Python to hear of the zoom")
    low, high = lab.evaluate("compare.zoom")
    assert 8 < low < 12 < 16 < high < 20
    lab.page.mouse.dblclick(plot["x"] + 20, plot["y"] + 20)
    lab.until(lambda: lab.evaluate("compare.zoom") == [], "all steps again")
    canvas.focus()
    lab.page.keyboard.press("ArrowDown")
    spoken = lab.page.locator(".kw-compare > .kw-spoken")
    lab.until(
        lambda: "eval accuracy at step 20: KAN" in (spoken.text_content() or ""), "the first row"
    )
    lab.screenshot(artifacts / "read.png")

    # One example runs through the networks of all.
    for name in NAMES:
        lab.evaluate(f"lives[{name!r}].probe(digits.test_images[:4], digits.test_labels[:4])")
    lab.page.locator(".kw-compare .kw-segment", has_text="networks").click()
    views = lab.page.locator(".kw-compare .kw-network-view")
    flows = """views => views.map((view) => {
        const scene = view.kwView?.scene();
        return scene?.diagram.flow ? scene.settings.example : null;
    })"""
    lab.until(lambda: views.evaluate_all(flows)[:2] == [0] * 2, "an example in each network")
    # The examples to choose from stand once, below the first network, for all of them.
    assert not views.nth(1).evaluate("view => view.kwView.at('x:2')")
    views.first.evaluate("view => view.scrollIntoView({ block: 'end' })")
    place = views.first.evaluate("view => view.kwView.at('x:2')")
    lab.page.mouse.click(place["x"] + 5, place["y"] + 5)
    # The others lie below the window: each is drawn when it comes in sight.
    lab.until(lambda: views.evaluate_all(flows)[0] == 2, "the third one in the first")
    views.nth(1).evaluate("view => view.scrollIntoView({ block: 'end' })")
    lab.until(lambda: views.evaluate_all(flows)[:2] == [2] * 2, "the third one in each")
    examples = "[view.example for view in compare.networks.values()]"
    lab.until(lambda: lab.evaluate(examples) == [2] * 3, "Python to hear of it")
    lab.page.locator(".kw-compare").screenshot(path=artifacts / "networks.png")
