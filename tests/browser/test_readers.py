"""What every reader needs, on the views in JupyterLab: axe-core, keyboard, quiet, 320 pixels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.lab import CHECKOUT, LabPage, LabServer
from tests.browser.test_spline_inspector import WINDOW
from tests.every_view import all_but, dashed

pytestmark = pytest.mark.browser

SETUP = """
import time
from pathlib import Path
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

def train_until(name):
    while not Path(name).exists():
        train(5)

def own_range():
    at = live.feed.selection
    [layer] = [f for f in live.read() if f.name == at["layer"]]
    x = torch.linspace(*layer.domain, 257)
    phi = layer.evaluate(x)[at["out"], at["in"], at["row"], at["column"]]
    return float(phi.max() - phi.min())

train(30)
_ = live.observe(digits.test_images[:16])
"""
VIEWS = """
from IPython.display import display
views = [
    kw.KernelGrid(live, height=220),
    kw.SplineInspector(live, editable=True),
    kw.MeshgridView(live, height=220, mode="ramp"),
    kw.MeshgridView(live, mode="pair"),
    kw.MeshgridView(live, mode="response", images=digits.test_images[:4]),
    kw.Explain(live, digits.test_images[3]),
    kw.TrainingPanel(live),
    kw.LayerRanges(live),
    kw.Compare({"KAN": live, "CNN": other}),
    kw.NetworkView(live),
]
display(*views)
"""
# The parts of the page that are ours.
ROOTS = [f".kw-{dashed(name)}" for name in all_but("Dashboard")]
# All views in sight at once: axe-core takes what is scrolled away for hidden.
HEIGHT = 12000
AXE = CHECKOUT / "js/node_modules/axe-core/axe.min.js"
# What axe complains of, and in each view how many texts it has judged the contrast of.
JUDGE = """async (roots) => {
  const {violations, passes} = await axe.run({include: roots.map((root) => [root])}, {
    resultTypes: ['violations', 'passes'], elementRef: true,
  });
  const faults = violations.flatMap(({id, help, nodes}) =>
    nodes.map(({html}) => `${id}: ${help}: ${html.slice(0, 300)}`));
  const texts = passes.find(({id}) => id === 'color-contrast')?.nodes ?? [];
  return [faults, roots.map((root) =>
    texts.filter(({element}) => element.closest(root)).length)];
}"""
# At 320 CSS pixels, what reaches out of its view without a scroll bar, or is cut off.
NARROW = """(roots) => document.querySelectorAll(roots).values().flatMap((root) => {
  const {right, width} = root.getBoundingClientRect();
  const scrolls = (node) =>
    node && node !== root && (/auto|scroll/.test(getComputedStyle(node).overflowX)
                              || scrolls(node.parentElement));
  const shown = (node) =>
    node.checkVisibility() && !node.closest('.kw-spoken, .kw-tip, svg');
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
FOCUSED = """(roots) => {
  const {activeElement: node} = document;
  if (!node?.closest(roots)) return null;
  node.dataset.reached = 'true';
  const look = (at) => at && [at, at.nextElementSibling].filter(Boolean).map((one) => {
    const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(one);
    return `${outlineStyle === 'none' ? '' : outlineWidth}|${boxShadow}`;
  }).join();
  const held = look(node);
  node.blur();
  const free = look(node);
  node.focus();
  const name = node.getAttribute('aria-label') || node.labels?.[0]?.textContent || node.textContent;
  return [`${node.tagName}.${node.className}`, name.trim(), held !== free];
}"""
# What can have the keyboard by itself, and has not had it.
UNREACHED = """(roots) => [...document.querySelectorAll(roots)].flatMap((root) =>
  [...root.querySelectorAll('button, select, input:not([type=radio]), summary, [tabindex="0"]')])
  .filter((node) => node.checkVisibility({visibilityProperty: true}))
  .filter((node) => !node.disabled && node.tabIndex >= 0)
  .filter((node) => !node.dataset.reached).map((node) => node.outerHTML.slice(0, 200))"""
# Counts what a screen reader would say: new words in a live region, and another name or value of
# what has the keyboard.
LISTEN = """(roots) => {
  window.kwSaid = [];
  const live = '[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log], output';
  const note = (changes, observer) => {
    if (!window.kwSaid) return observer.disconnect();  // the page is another test's
    for (const {type, target, attributeName} of changes) {
      const node = target.nodeType === 3 ? target.parentElement : target;
      if (!node?.closest(roots)) continue;
      const words = type !== 'attributes' && node.closest(live);
      const names = type === 'attributes' && node === document.activeElement;
      if (words || names) window.kwSaid.push(`${attributeName}: ${node.outerHTML.slice(0, 200)}`);
    }
  };
  new MutationObserver(note).observe(document, {
    subtree: true, childList: true, characterData: true, attributes: true,
    attributeFilter: ['aria-label', 'aria-valuenow', 'aria-valuetext', 'aria-description', 'title'],
  });
}"""
# What moves by itself; what fades as someone scrolls does not.
MOVING = """(roots) => document.getAnimations()
  .filter(({effect, timeline}) => timeline === document.timeline
    && effect.target?.closest(roots)).length"""


def open_views(lab: LabPage, server: LabServer) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": HEIGHT})
    lab.open(server.write_notebook([SETUP, VIEWS, "pause = 0.02\ntrain_until('enough')"]))
    lab.run_cell(0)
    lab.run_cell(1)
    assert lab.cell_errors() == []
    # JupyterLab's own body is 0 pixels high; axe-core takes all in it for hidden then.
    lab.page.add_style_tag(content="html, body { height: 100vh; }")
    lab.page.add_script_tag(path=AXE)
    for root in (f"{root} canvas" for root in ROOTS):
        found = lab.page.locator(root)
        lab.until_shown(lambda found=found: found.count() > 0, f"{root} to be shown")


def name(lab: LabPage, selector: str) -> str:
    """Give the text alternative of the first such drawing."""
    return str(lab.page.locator(f"{selector}:visible").first.get_attribute("aria-label"))


def said(lab: LabPage, view: str) -> str:
    """Give what a view has let a screen reader say last."""
    return str(lab.page.locator(f"{view} .kw-spoken").first.text_content())


def test_axe_finds_no_violation_in_any_view_light_or_dark_or_320_pixels_wide(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    open_views(lab, server)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        shown = "dark" if "Dark" in theme else "light"
        lab.until(
            lambda shown=shown: lab.page.locator(f".kw-view[data-kw-theme={shown}]").count() >= 9,
            "the views to take the theme over",
        )
        faults, judged = lab.page.evaluate(JUDGE, ROOTS)
        assert faults == [], theme
        assert all(texts >= 3 for texts in judged), judged

    # 1280 pixels at 400 % zoom.
    style = ".jp-OutputArea-child > .jp-OutputArea-output { width: 320px; flex: none; }"
    lab.page.add_style_tag(content=style)
    lab.page.wait_for_timeout(700)
    faults, judged = lab.page.evaluate(JUDGE, ROOTS)
    assert faults == []
    assert all(texts >= 3 for texts in judged), judged
    assert lab.page.evaluate(NARROW, ", ".join(ROOTS)) == []
    for number, root in enumerate(ROOTS):
        lab.page.locator(root).last.screenshot(path=artifacts / f"narrow_{number}.png")


def test_the_keyboard_reaches_all_is_seen_and_does_what_the_mouse_does(
    lab: LabPage, server: LabServer
) -> None:
    # The second notebook of a test is opened in a page of its own, where Tab has not been anywhere.
    lab.open(server.write_notebook([""]))
    open_views(lab, server)
    page, roots = lab.page, ", ".join(ROOTS)
    page.locator(".kw-kernel-grid .kw-header :is(input:checked, select)").first.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    met = []
    while (one := page.evaluate(FOCUSED, roots)) is not None:
        met.append(one)
        page.keyboard.press("Tab")
    assert [what for what, _, visible in met if not visible] == []
    assert [what for what, called, _ in met if not called] == []
    assert page.evaluate(UNREACHED, roots) == []
    assert len(met) > 100

    # KernelGrid: two functions to the right; all views say layer, entry and range.
    page.locator(".kw-kernel-grid canvas").first.focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    chosen = {"layer": "convs.0", "out": 0, "in": 0, "row": 0, "column": 1}
    lab.until(
        lambda: lab.evaluate("live.feed.selection") == chosen, "Python to hear of the selection"
    )
    entry = "kernel 0 · row 0, column 1"
    told = {
        ".kw-kernel-grid canvas": f"Selected: convs.0 · {entry} · largest |φ|",
        ".kw-spline-inspector canvas": f"layer convs.0, {entry}. φ from ",
        ".kw-meshgrid-view[data-mode=ramp] canvas": f"Selected: convs.0 · {entry} · φ(−1)",
        ".kw-meshgrid-view[data-mode=pair] canvas": "x is row 0, column 1",
        ".kw-meshgrid-view[data-mode=response] canvas": f"Selected: {entry}",
    }
    for canvas, words in told.items():
        lab.until(lambda canvas=canvas, words=words: words in name(lab, canvas), words)
    assert re.search(
        rf"layer convs\.0, {entry}\. φ from \S+ to \S+, x from −1 to 1",
        name(lab, ".kw-spline-inspector canvas"),
    )

    # SplineInspector: closer, closer still, and on over the edge.
    window = f"({WINDOW})(document.querySelector('.kw-spline-inspector').kwView)"
    page.locator(".kw-spline-inspector canvas").focus()
    whole = page.evaluate(window)
    page.keyboard.press("+")
    lab.until(lambda: page.evaluate(window)["x"][1] < whole["x"][1], "the plane to zoom")
    closer = page.evaluate(window)
    page.keyboard.press("ArrowUp")
    lab.until(lambda: page.evaluate(window)["x"][1] < closer["x"][1], "it to zoom once more")
    page.keyboard.press("0")
    page.keyboard.press("+")
    for _ in range(15):
        page.keyboard.press("Shift+ArrowRight")
    lab.until(lambda: page.evaluate(window)["x"][1] > closer["x"][1] + 0.1, "x to move on")
    assert "slope" in said(lab, ".kw-spline-inspector")

    # The response: a pixel, then an entry of its patch with its input.
    response = page.locator(".kw-meshgrid-view[data-mode=response]")
    response.locator("canvas").focus()
    page.keyboard.press("ArrowRight")
    spoken = response.locator(".kw-spoken")
    read = r"map 0 · row 13, column 13 · response \S+"
    lab.until(lambda: re.match(read, spoken.text_content() or ""), "the pixel")
    # To the last pixel of the map's row, and over the edges of the maps beside it.
    for _ in range(200):
        page.keyboard.press("ArrowRight")
        if (spoken.text_content() or "").startswith("row"):
            break
    assert re.match(r"row \d, column 0, x \S+, φ \S+", spoken.text_content() or "")

    # Explain: the bars, then the map place by place.
    canvas = ".kw-explain canvas"
    page.locator(canvas).focus()
    page.keyboard.press("ArrowDown")
    bar = re.compile(r"convs\.0 · kernel \d · [+−]?\d")
    lab.until(lambda: bar.match(said(lab, ".kw-explain")), "the first bar to be read")
    # Beside the bars is the map.
    page.keyboard.press("ArrowLeft")
    place = re.match(r"row (\d+) · column (\d+) of the map: [+−]?\d", said(lab, ".kw-explain"))
    assert place
    page.keyboard.press("ArrowUp")
    above = rf"row {int(place[1]) - 1} · column {place[2]} of the map: [+−]?\d"
    assert re.match(above, said(lab, ".kw-explain"))
    assert re.search(r"Map of layer convs\.0, .*, from \S+ to \S+\. ", name(lab, canvas))

    # Curves: values at a step, and fewer steps.
    panel = ".kw-training-panel"
    page.locator(f"{panel} canvas").focus()
    page.keyboard.press("ArrowRight")
    lab.until(lambda: re.match(r"step 1\d, loss \d", said(lab, panel)), "a step to be read")
    out = page.locator(panel).get_by_role("button", name="all steps")
    assert out.count() == 0
    page.keyboard.press("+")
    lab.until(lambda: out.count() == 1, "fewer steps")
    page.keyboard.press("0")
    lab.until(lambda: out.count() == 0, "all steps")

    # LayerRanges: the functions of a layer in the order of their ranges.
    page.locator(".kw-layer-ranges canvas").focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    lab.until(lambda: lab.evaluate("live.feed.selection['layer']") == "convs.1", "the layer")
    before = lab.evaluate("own_range()")
    page.keyboard.press("ArrowRight")
    lab.until(lambda: lab.evaluate("own_range()") > before, "the next wider function")
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    lab.until(lambda: lab.evaluate("own_range()") < before, "the next narrower function")
    assert "convs.1" in name(lab, ".kw-layer-ranges canvas")


def test_training_lets_no_screen_reader_talk_and_moves_nothing_for_who_wants_less(
    lab: LabPage, server: LabServer
) -> None:
    open_views(lab, server)
    page, roots = lab.page, ", ".join(ROOTS)
    grid = lab.grid()
    lab.run_cell(2, wait=False)
    grid.wait_step(grid.step() + 10)
    page.evaluate("document.querySelector('.kw-kernel-grid').animate({opacity: [1, 0.9]}, 1000)")
    assert page.evaluate(MOVING, roots) == 1  # it would be counted
    page.evaluate("document.getAnimations().forEach((one) => one.cancel())")
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(LISTEN, roots)
    for focused in (".kw-kernel-grid canvas", ".kw-spline-inspector canvas", ".kw-track"):
        page.locator(focused).first.focus()
        page.mouse.move(*grid.rect(3).at(0.5, 0.5))
        grid.wait_step(grid.step() + 10)
        assert page.evaluate(MOVING, roots) == 0
    assert lab.is_running(2)
    assert page.evaluate("kwSaid") == []
    # What the keyboard asks for is said, and the listener hears it.
    page.keyboard.press("ArrowLeft")
    lab.until(lambda: page.evaluate("kwSaid.length") > 0, "the step chosen by hand")
    lab.let_go("enough")
    lab.wait_idle()
