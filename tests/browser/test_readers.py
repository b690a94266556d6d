"""What every reader needs, on the views in JupyterLab: axe-core finds nothing, 320 pixels are enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import CHECKOUT, LabPage, LabServer

pytestmark = pytest.mark.browser

SETUP = """
import time
import torch
import kan_widgets as kw

torch.manual_seed(0)
pause = 0
digits = kw.data.mnist("embedded")
images, labels = digits.train_images.split(32), digits.train_labels.split(32)
model = kw.nn.KANCNN.article()
optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
live = kw.bind(model, optimizer, every=5)
cnn = kw.nn.CNN()
other = kw.bind(cnn, torch.optim.AdamW(cnn.parameters(), 3e-3), every=5)

def train(steps):
    for k in range(steps):
        time.sleep(pause)
        optimizer.zero_grad()
        loss = torch.nn.functional.nll_loss(model(images[k % 60]), labels[k % 60])
        loss.backward()
        optimizer.step()
        live.log(loss=loss)

train(30)
_ = live.observe(digits.test_images[:16])
"""
VIEWS = """
from IPython.display import display
views = [
    kw.KernelGrid(live, height=220),
    kw.SplineInspector(live, editable=True),
    kw.MeshgridView(live, height=220),
    kw.MeshgridView(live, mode="pair"),
    kw.MeshgridView(live, mode="response", images=digits.test_images[:4]),
    kw.Explain(live, digits.test_images[3]),
    kw.TrainingPanel(live),
    kw.LayerRanges(live),
    kw.Compare({"KAN": live, "CNN": other}),
]
display(*views)
"""
# The parts of the page that are ours.
ROOTS = [
    ".kw-kernel-grid",
    ".kw-spline-inspector",
    ".kw-meshgrid-view",
    ".kw-explain",
    ".kw-training",
    ".kw-chart",
    ".kw-layer-ranges",
    ".kw-compare",
]
AXE = CHECKOUT / "js/node_modules/axe-core/axe.min.js"
# What axe complains of, and how many elements it has judged the contrast of.
JUDGE = """async (roots) => {
  const {violations, passes} = await axe.run({include: roots.map((root) => [root])}, {
    resultTypes: ['violations', 'passes'],
  });
  const faults = violations.flatMap(({id, help, nodes}) =>
    nodes.map(({html}) => `${id}: ${help}: ${html.slice(0, 300)}`));
  const judged = passes.find(({id}) => id === 'color-contrast')?.nodes.length ?? 0;
  return [faults, judged];
}"""
# At 320 CSS pixels, what reaches out of its view without a scroll bar, or is cut off.
NARROW = """(roots) => document.querySelectorAll(roots).values().flatMap((root) => {
  const {right, width} = root.getBoundingClientRect();
  const scrolls = (node) =>
    node && node !== root && (/auto|scroll/.test(getComputedStyle(node).overflowX)
                              || scrolls(node.parentElement));
  const shown = (node) => node.checkVisibility() && !node.closest('.kw-spoken, .kw-tip, svg');
  return [...root.querySelectorAll('*')].filter(shown).flatMap((node) => {
    const style = getComputedStyle(node);
    const out = node.getBoundingClientRect().right > right + 1 && !scrolls(node.parentElement);
    const words = [...node.childNodes].some(({nodeType, data}) => nodeType === 3 && data.trim());
    const cut = words && style.overflowX === 'hidden' && node.scrollWidth > node.clientWidth + 1
      && !node.closest('[title]');
    return out || cut ? [`${root.className}: ${node.className}: ${node.textContent}`] : [];
  }).concat(Math.round(width) === 320 ? [] : [`${root.className} is ${width} wide`]);
}).toArray()"""
# What has the keyboard, and whether it can be seen: by its own style, or that of the label over it.
FOCUSED = """() => {
  const {activeElement: node} = document;
  if (!node?.closest(ROOTS)) return null;
  const look = (at) => at && [at, at.nextElementSibling].filter(Boolean).map((one) => {
    const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(one);
    return `${outlineStyle === 'none' ? '' : outlineWidth}|${boxShadow}`;
  }).join();
  const held = look(node);
  node.blur();
  const free = look(node);
  node.focus();
  const name = node.getAttribute('aria-label') || node.labels?.[0]?.textContent || node.textContent;
  return [node.tagName, node.className, name.trim(), held !== free];
}"""


def open_views(lab: LabPage, server: LabServer) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
    lab.open(server.write_notebook([SETUP, VIEWS, "pause = 0.02\ntrain(100)"]))
    lab.run_cell(0)
    lab.run_cell(1)
    assert lab.cell_errors() == []
    for root in [*ROOTS, ".kw-bar-item", ".kw-over-entry", ".kw-ranges-table td"]:
        found = lab.page.locator(root)
        lab.until_shown(lambda found=found: found.count() > 0, f"{root} to be shown")


def show_all(lab: LabPage) -> None:
    """Let every view come into sight once: what is out of it is drawn later."""
    for root in lab.page.locator(", ".join(ROOTS)).all():
        root.scroll_into_view_if_needed()
        lab.page.wait_for_timeout(100)


def names(lab: LabPage) -> list[str | None]:
    """Give the text alternative of each canvas that is not marked as mere decoration."""
    found = lab.page.evaluate(
        "roots => [...document.querySelectorAll(roots)].flatMap((root) =>"
        "[...root.querySelectorAll('canvas:not([aria-hidden]), .bqplot > svg')])"
        ".filter((node) => node.checkVisibility() && !node.closest('.bqplot[aria-label]'))"
        ".map((node) => node.getAttribute('aria-label'))",
        ", ".join(f"{root}.kw-view, .kw-chart, .kw-layer-ranges" for root in ROOTS),
    )
    return list(found)


def test_axe_finds_no_violation_in_any_view_light_or_dark_or_320_pixels_wide(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    open_views(lab, server)
    show_all(lab)
    lab.page.add_script_tag(path=AXE)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        shown = "dark" if "Dark" in theme else "light"
        lab.until(
            lambda shown=shown: lab.page.locator(f".kw-view[data-kw-theme={shown}]").count() >= 9,
            "the views to take the theme over",
        )
        faults, judged = lab.page.evaluate(JUDGE, ROOTS)
        assert faults == [], theme
        assert judged > 100

    # 1280 pixels at 400 % zoom.
    style = ".jp-OutputArea-child > .jp-OutputArea-output { width: 320px; flex: none; }"
    lab.page.add_style_tag(content=style)
    show_all(lab)
    lab.page.wait_for_timeout(700)  # bqplot lays its figures out again
    show_all(lab)
    faults, judged = lab.page.evaluate(JUDGE, ROOTS)
    assert faults == []
    assert judged > 100
    assert lab.page.evaluate(NARROW, ", ".join(ROOTS)) == []
    for number, root in enumerate(ROOTS):
        lab.page.locator(root).last.screenshot(path=artifacts / f"narrow_{number}.png")
