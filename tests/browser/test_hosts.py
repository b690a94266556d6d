"""The views in Notebook 7, in views of their own in JupyterLab, in Voilà and in marimo.

JupyterLab itself is what every other file of this folder runs in.
"""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page

from tests.browser.lab import CHECKOUT, START_LIMIT, Grid, LabPage, LabServer, until, until_on
from tests.every_view import CALLS, dashed

pytestmark = pytest.mark.browser

SETUP = """
import torch
import kan_widgets as kw

torch.manual_seed(0)
model = kw.nn.KANCNN.article()
optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
live = kw.bind(model, optimizer, every=5)
digits = kw.data.mnist("embedded")

def train(steps):
    for images, labels in zip(
        digits.train_images.split(16)[:steps], digits.train_labels.split(16)
    ):
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(model(images), labels).backward()
        optimizer.step()
"""
VIEWS = """
from IPython.display import display
grid, inspector = kw.KernelGrid(live, height=300), kw.SplineInspector(live, height=200)
maps, panel = kw.MeshgridView(live, height=200), kw.TrainingPanel(live)
display(grid, inspector, maps, panel)
"""
TRAIN = "train(20)"
REST = """
other = kw.nn.KANLinear(3, 2)
explain, ranges = kw.Explain(live, digits.test_images[0]), kw.LayerRanges(live)
display(explain, ranges, kw.Compare({"KAN": live, "other": other}), kw.Dashboard(live))
kw.NetworkView(live, height=400)
"""
KINDS = [dashed(name) for name in CALLS]
# What of a view is cut, scrolls sideways, or is not drawn for the pixels of the screen.
CUT = """view => {
  const found = [];
  const room = view.getBoundingClientRect();
  if (room.width < 250 || room.right > document.documentElement.clientWidth) found.push('width');
  for (const part of [view, ...view.querySelectorAll('*')]) {
    const name = `${part.tagName}.${part.getAttribute('class')}`;
    const {overflowX} = getComputedStyle(part);
    if (overflowX !== 'visible' && overflowX !== 'hidden' && part.scrollWidth > part.clientWidth)
      found.push(`${name} scrolls`);
    if (!part.checkVisibility() || part.closest('.kw-tip, .kw-spoken, .kw-hidden, svg')) continue;
    const box = part.getBoundingClientRect();
    if (box.width > 0 && (box.right > room.right + 1 || box.left < room.left - 1))
      found.push(`${name} is cut`);
    // Those inside it are drawn once they are seen.
    const own = part.closest('.kw-view') === view;
    if (own && part.tagName === 'CANVAS' && Math.abs(part.width - 2 * part.clientWidth) > 2)
      found.push(`${name} has ${part.width} pixels`);
    if (own && part.kwView?.scene()?.width > part.clientWidth) found.push(`${name} is wider`);
  }
  return found;
}"""
GRID, INSPECTOR, MAPS = ".kw-kernel-grid", ".kw-spline-inspector", ".kw-meshgrid-view"


def wait(page: Page, selector: str, expression: str, what: str) -> None:
    """Wait until an expression of the element is true; also where that is in a shadow root."""
    element = page.locator(selector).first
    until_on(
        page,
        lambda: element.count() > 0 and element.evaluate(f"node => !!({expression})"),
        what,
    )


def follow_a_click(page: Page, function: int = 13) -> None:
    """Click on a function of the grid and see the other views select it, in the browser alone."""
    wait(page, GRID, "node.kwView?.at('0')", "the grid to be drawn")
    for view in (INSPECTOR, MAPS):
        page.locator(view).first.scroll_into_view_if_needed()
        wait(page, view, "Number.isInteger(node.kwView?.step())", f"{view} to be drawn")
    grid = page.locator(GRID).first
    grid.scroll_into_view_if_needed()

    def hovered() -> bool:
        place = grid.evaluate("(node, f) => node.kwView.at(String(f))", function)
        x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
        page.mouse.move(x, y)
        page.wait_for_timeout(50)
        return bool(
            grid.evaluate("(node, f) => node.kwView.scene()?.marked.hovered === f", function)
        )

    until_on(page, hovered, "the function to be hovered")
    page.mouse.down()
    page.mouse.up()
    entry = "kernel 1 · row 1, column 1"
    for canvas in (f"{INSPECTOR} canvas", f"{MAPS} canvas"):
        page.locator(canvas).scroll_into_view_if_needed()
        label = f"node.getAttribute('aria-label').includes('{entry}')"
        wait(page, canvas, label, f"{canvas} to follow")


def complain_of(page: Page) -> list[str]:
    """Collect what the page asks of other hosts, which is refused, and errors of this package."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error.stack or error)))
    page.on(
        "console",
        lambda message: (
            found.append(message.text)
            if message.type == "error" and "kan_widgets" in message.text
            else None
        ),
    )
    page.route(
        lambda address: "//127.0.0.1" not in address and address.startswith("http"),
        lambda route: route.abort(),
    )
    return found


@contextlib.contextmanager
def running(arguments: list[str], path: str, folder: Path) -> Iterator[str]:
    """Run ``python -m ...`` as a server and give its address when it answers.

    ``{port}`` in an argument stands for a free port.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = dict(os.environ)
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        environment[name] = str(folder / name.lower())
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        environment[name] = str(folder / name.lower())
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    environment |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    log = (folder / "server.log").open("w+")
    command = [sys.executable, "-m", *(part.format(port=port) for part in arguments)]
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    address = f"http://127.0.0.1:{port}{path}"

    def answers() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"{command} ended:\n{(folder / 'server.log').read_text()}")
        try:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=60):
                return True
        except (URLError, OSError):
            return False

    try:
        until(answers, f"{arguments[0]} to answer", lambda: time.sleep(0.1), START_LIMIT)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)
        log.close()


def zoom(page: Page, percent: int) -> CDPSession:
    """Zoom as a browser does: more pixels of the screen for one of CSS, of which fewer fit.

    It lasts until Playwright takes a screenshot; the session returned can take one.
    """
    size = page.viewport_size or {"width": 0, "height": 0}
    metrics = {name: size[name] * 100 // percent for name in ("width", "height")}
    metrics |= {"deviceScaleFactor": percent / 100, "mobile": False}
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setDeviceMetricsOverride", metrics)
    return session


def test_notebook_7_shows_them_linked_and_whole_at_200_percent_zoom(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.path = server.write_notebook([SETUP, VIEWS, TRAIN, REST])
    lab.page.goto(
        f"{server.url}/notebooks/{quote(lab.path)}?token={server.token}",
        timeout=START_LIMIT * 1000,
        wait_until="domcontentloaded",
    )
    lab._wait_ready()
    assert lab.script("return app.name;") == "Jupyter Notebook"
    # Notebook 7.6 fails to read a setting of JupyterLab's that it does not have, without a widget.
    lab.complaints.clear()
    for index in range(2):
        lab.run_cell(index)
    every = lab.page.locator(".kw-training-panel").get_by_label("draw every")
    every.fill("5")
    every.press("Enter")
    lab.until(lambda: lab.evaluate("live.every") == 5, "the panel's field")
    lab.run_cell(2)
    assert lab.cell_errors() == []
    lab.until(lambda: lab.grid_count() == 1, "the grid to be shown")
    Grid(lab, 0).scroll_into_view()
    lab.grid().wait_step(20)
    follow_a_click(lab.page)
    place = "live.feed.selection and [live.feed.selection['out'], live.feed.selection['row']]"
    lab.until(lambda: lab.evaluate(place) == [1, 1], "Python to hear of the click")
    lab.screenshot(artifacts / "notebook.png")

    lab.page.set_viewport_size({"width": 1000, "height": 900})
    lab.run_cell(3)
    assert lab.cell_errors() == []
    session = zoom(lab.page, 200)
    assert lab.page.evaluate("[innerWidth, devicePixelRatio]") == [500, 2]
    found = {}
    for kind in KINDS:
        view = lab.page.locator(f".kw-{kind}:not([data-kw-within])").last

        def cut(view: Locator = view) -> list[str]:
            faults: list[str] = []
            for each in (view, *view.locator(".kw-view:visible").all()):
                each.scroll_into_view_if_needed()
                faults += each.evaluate(CUT)
            return faults

        with contextlib.suppress(TimeoutError):
            lab.until(lambda cut=cut: cut() == [], f"the whole of {kind}", limit=20)
        found[kind] = cut()
        picture = session.send("Page.captureScreenshot")["data"]
        (artifacts / f"zoomed_{kind}.png").write_bytes(base64.b64decode(picture))
    assert lab.page.evaluate("[innerWidth, devicePixelRatio]") == [500, 2]
    assert found == {kind: [] for kind in KINDS}


def test_a_new_view_for_output_is_docked_full_width_and_linked(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.open(server.write_notebook([SETUP, VIEWS, TRAIN]))
    for index in range(2):
        lab.run_cell(index)
    assert lab.cell_errors() == []
    lab.grid()
    lab.script("app.shell.activateById(panel.id); panel.content.activeCellIndex = 1;")
    lab.script("await app.commands.execute('notebook:create-output-view');")
    lab.until(lambda: lab.grid_count() == 2, "the view beside the notebook")
    copy = lab.page.locator(".jp-LinkedOutputView .kw-kernel-grid")
    lab.until(lambda: copy.count() == 1, "the view to be docked")
    numbers = [
        lab.page.locator(GRID).nth(n).evaluate("node => !!node.closest('.jp-LinkedOutputView')")
        for n in range(2)
    ]
    own, docked = numbers.index(False), numbers.index(True)
    width = lab.grid(docked).viewport().width
    lab.run_cell(2)
    for number in (own, docked):
        lab.grid(number).scroll_into_view()
        lab.grid(number).wait_step(20)
    lab.grid(docked).click(13)
    lab.until(lambda: lab.grid(own).selected() == 13, "the grid in the notebook to follow")
    lab.screenshot(artifacts / "docked.png")
    # One document at a time, in the whole width.
    lab.script(
        "const output = [...app.shell.widgets('main')].find((one) =>"
        " one.node.querySelector('.jp-LinkedOutputView'));"
        "app.shell.activateById(output.id);"
        "await app.commands.execute('application:set-mode', {mode: 'single-document'});"
        "await app.commands.execute('application:toggle-left-area');"
    )
    lab.until(
        lambda: copy.evaluate("node => node.clientWidth") > max(900, width + 200), "the full width"
    )
    docked = lab.grid_count() - 1 if lab.grid_count() == 1 else docked
    lab.until(lambda: lab.grid(docked).viewport().width > 900, "the drawing in the full width")
    lab.screenshot(artifacts / "full_width.png")
    lab.grid(docked).click(20)
    lab.until(lambda: lab.evaluate("live.feed.selection['out']") == 2, "Python to hear of it")
    lab.script("await app.commands.execute('application:set-mode', {mode: 'multiple-document'});")


def test_voila_shows_them_linked_and_live_from_a_thread(
    browser: Browser, server: LabServer, tmp_path: Path, artifacts: Path
) -> None:
    fit = (
        "batches = list(zip(digits.train_images.split(16), digits.train_labels.split(16)))\n"
        "run = kw.fit(model, batches, optimizer, torch.nn.functional.nll_loss, 50,"
        " background=True)"
    )
    notebook = server.root / server.write_notebook([SETUP, VIEWS, fit])
    arguments = ["voila", str(notebook), "--no-browser", "--port={port}", "--Voila.ip=127.0.0.1"]
    with running(arguments, "/", tmp_path) as address:
        page = browser.new_page()
        complaints = complain_of(page)
        try:
            page.goto(address, timeout=START_LIMIT * 1000, wait_until="domcontentloaded")
            wait(page, GRID, "node.kwView?.step() >= 10", "a frame of the training")
            step = page.locator(GRID).evaluate("node => node.kwView.step()")
            wait(page, GRID, f"node.kwView.step() > {step}", "the training to go on")
            follow_a_click(page)
            page.locator(".kw-training-panel [aria-label=Stop]").click()
            state = "node.textContent === 'stopped'"
            wait(page, ".kw-training-panel .kw-remark", state, "the training to stop")
            page.screenshot(path=artifacts / "voila.png", full_page=True)
            assert complaints == []
        finally:
            page.close()


MARIMO = """
import marimo

app = marimo.App(width="full")

@app.cell
def setup():
{setup}
    return live, train, kw, digits

@app.cell
def grid(kw, live):
    kw.KernelGrid(live, height=300)

@app.cell
def inspector(kw, live):
    kw.SplineInspector(live, height=200)

@app.cell
def maps(kw, live):
    kw.MeshgridView(live, height=200)

@app.cell
def network(digits, kw, live):
    live.probe(digits.test_images[:4], digits.test_labels[:4])
    kw.NetworkView(live, height=420)

@app.cell
def explain(digits, kw, live):
    kw.Explain(live, digits.test_images[0])

@app.cell
def panel(kw, live):
    kw.TrainingPanel(live)

@app.cell
def other(kw):
    other = kw.nn.KANLinear(3, 2)
    return other

@app.cell
def comparison(kw, live, other):
    kw.Compare({{"KAN": live, "other": other}})

@app.cell
def training(train):
    train(20)

if __name__ == "__main__":
    app.run()
"""


def test_marimo_shows_the_views_linked(browser: Browser, tmp_path: Path, artifacts: Path) -> None:
    body = "".join(f"    {line}\n" if line else "\n" for line in SETUP.splitlines())
    (tmp_path / "app.py").write_text(MARIMO.format(setup=body))
    arguments = [
        *["marimo", "run", "app.py", "--headless", "--no-token", "--host=127.0.0.1"],
        "--port={port}",
    ]
    with running(arguments, "/", tmp_path) as address:
        page = browser.new_page()
        complaints = complain_of(page)
        try:
            page.goto(address, timeout=START_LIMIT * 1000, wait_until="domcontentloaded")
            wait(page, GRID, "node.kwView?.step() >= 20", "the last frame of the training")
            follow_a_click(page)
            wait(page, ".kw-explain", "node.kwView?.scene()?.content", "the explanation")
            wait(page, ".kw-training-panel", "node.kwView.scene()?.status", "the panel")
            compared = page.locator(".kw-compare")
            inside = compared.locator(GRID)

            def shown(view: Locator, expression: str, what: str) -> None:
                """Wait for something in a view that others may push out of sight as they grow."""

                def is_so() -> bool:
                    view.scroll_into_view_if_needed()
                    return bool(view.evaluate(f"node => {expression}"))

                until(is_so, what, lambda: page.wait_for_timeout(100), 60)

            wait(page, f".kw-compare {GRID}", "node", "the comparison")
            steps_are = (
                "node.kwView.scene()?.shown.rows.find(({key}) => key === 'steps')"
                "?.values.join() === '20,0'"
            )
            shown(compared, steps_are, "its numbers")
            for number, step in enumerate((20, 0)):
                shown(inside.nth(number), f"node.kwView.step() === {step}", "its kernels")
            network = page.locator(".kw-network-view").first
            verdict = "scene()?.caption.some(({text}) => text.startsWith('image 1 of '))"
            shown(network, f"node.kwView.{verdict}", "an example in the network")
            network.screenshot(path=artifacts / "marimo_network.png")
            page.locator(GRID).first.scroll_into_view_if_needed()
            page.locator(f"{GRID} canvas").first.focus()
            page.keyboard.press("ArrowRight")
            page.keyboard.press("Enter")
            wait(page, GRID, "node.kwView.selected() === 14", "the keyboard in a shadow root")
            page.screenshot(path=artifacts / "marimo.png")
            assert complaints == []
        finally:
            page.close()
