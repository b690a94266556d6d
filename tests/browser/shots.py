"""Photograph every view in JupyterLab and on a saved page: ``make shots`` fills build/shots."""

from __future__ import annotations

import argparse
import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.browser.lab import (
    CHECKOUT,
    CHROMIUM_ARGUMENTS,
    LabPage,
    LabServer,
    find_chromium,
    until_on,
)

SETUP = """
import time
from pathlib import Path
import torch
import kan_widgets as kw

torch.manual_seed(0)
torch.set_num_threads(1)
digits = kw.data.mnist("embedded")
images, labels = digits.train_images.split(32), digits.train_labels.split(32)

def bound(model):
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    return model, optimizer, kw.bind(model, optimizer, every=5)

def train(parts, steps, pause=0):
    model, optimizer, live = parts
    for k in range(steps):
        time.sleep(pause)
        optimizer.zero_grad()
        scores = model(images[k % 60])
        loss = torch.nn.functional.cross_entropy(scores, labels[k % 60])
        loss.backward()
        optimizer.step()
        right = (scores.argmax(1) == labels[k % 60]).float().mean()
        live.log(loss=loss, accuracy=right)

kan, cnn = bound(kw.nn.KANCNN.article()), bound(kw.nn.CNN())
live = kan[2]
live.probe(digits.test_images[:8], digits.test_labels[:8])
"""
# Name of each picture, and the Python that gives the view.
VIEWS = {
    "kernel_grid": "kw.KernelGrid(live)",
    "kernel_grid_dense": "kw.KernelGrid(live, layer='linear')",
    "spline_inspector": "kw.SplineInspector(live)",
    "meshgrid_ramp": "kw.MeshgridView(live, mode='ramp')",
    "meshgrid_pair": "kw.MeshgridView(live, mode='pair')",
    "meshgrid_response": "kw.MeshgridView(live, mode='response', images=digits.test_images[:4])",
    "explain": "kw.Explain(live, digits.test_images[3])",
    "training_panel": "kw.TrainingPanel(live)",
    "layer_ranges": "kw.LayerRanges(live)",
    "compare": "kw.Compare({'KAN-CNN': live, 'CNN': cnn[2]})",
    "compare_networks": "kw.Compare({'KAN-CNN': live, 'CNN': cnn[2]}, show='networks')",
    "network_view": "kw.NetworkView(live)",
    "dashboard": "kw.Dashboard(live)",
    "dashboard_functions": "kw.Dashboard(live, page='functions')",
}
TRAIN = """
for model in (cnn, kan):
    train(model, 40)
_ = live.observe(digits.test_images[:32])
while not Path("enough").exists():
    for model in (cnn, kan):
        train(model, 5, pause=0.02)
"""
SAVE = "kw.Dashboard(live).save_html('page.html')"
SHOW = """
await panel.content.scrollToItem(arg, 'start');
panel.content.widgets[arg].node.dataset.shot = arg;
"""
HEIGHT = 1000


def photograph(browser: Browser, server: LabServer, width: int, theme: str, folder: Path) -> None:
    """Take every view at all moments at one width in one theme.

    Parameters
    ----------
    browser, server
        Both running.
    width : int
        Of the window, in CSS pixels.
    theme : str
        ``"light"`` or ``"dark"``.
    folder : Path
        Where the PNGs go, as ``<view>_<width>_<theme>_<moment>.png``.
    """
    context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=theme)  # type: ignore[arg-type]
    lab = LabPage(context.new_page(), server)
    lab.open(server.write_notebook([SETUP, *VIEWS.values(), TRAIN, SAVE]))
    lab.set_theme(f"JupyterLab {theme.title()}")
    lab.script("app.shell.collapseLeft();")
    for cell in range(len(VIEWS) + 1):
        lab.run_cell(cell)
    assert lab.cell_errors() == []
    take(lab, f"{width}_{theme}_before", folder)
    training = len(VIEWS) + 1
    lab.run_cell(training, wait=False)
    lab.wait_cell_running(training)
    lab.script(SHOW, 1)
    lab.grid().wait_step(60)
    take(lab, f"{width}_{theme}_during", folder)
    lab.let_go("enough")
    lab.wait_idle()
    take(lab, f"{width}_{theme}_after", folder)
    lab.run_cell(training + 1)
    assert lab.cell_errors() == []
    saved = (server.root / lab.path).with_name("page.html")
    page = context.new_page()
    page.goto(saved.as_uri())
    drawn(page, page.locator(".kw-view").first)
    page.wait_for_timeout(1000)
    page.screenshot(path=folder / f"saved_page_{width}_{theme}_after.png", full_page=True)
    context.close()


def take(lab: LabPage, moment: str, folder: Path) -> None:
    """Photograph all views as they are now."""
    for cell, name in enumerate(VIEWS, 1):
        # Only cells near the window are in the page: JupyterLab keeps the others aside.
        lab.script(SHOW, cell)
        output = lab.page.locator(f"[data-shot='{cell}'] .jp-OutputArea-child").last
        drawn(lab.page, output.locator(".kw-view").first)
        lab.page.wait_for_timeout(400)
        # What is taller than the window would be cut at the window's edge.
        size = lab.page.viewport_size or {"width": 0, "height": 0}
        box = output.bounding_box() or {"height": 0.0}
        tall = max(HEIGHT, round(box["height"]) + HEIGHT // 5)
        lab.page.set_viewport_size({"width": size["width"], "height": tall})
        lab.script(SHOW, cell)
        lab.page.wait_for_timeout(200)
        output.screenshot(path=folder / f"{name}_{moment}.png")
        lab.page.set_viewport_size({"width": size["width"], "height": HEIGHT})


def drawn(page: Page, view: Locator) -> None:
    """Wait until a view shows its first picture."""
    until_on(page, lambda: view.count() > 0 and view.is_visible(), "a view to be drawn")


def sheet(folder: Path, names: Iterable[str], widths: Sequence[int]) -> None:
    """Write ``index.html``: a section for each view, with all its pictures."""
    rows = []
    for name in names:
        rows.append(f"<h2>{html.escape(name)}</h2>")
        for path in sorted(folder.glob(f"{name}_*.png")):
            if path.stem.removeprefix(f"{name}_").split("_")[0] in map(str, widths):
                rows.append(
                    f"<figure><img src='{path.name}' loading='lazy' style='max-width: 100%'>"
                )
                rows.append(f"<figcaption>{html.escape(path.stem)}</figcaption></figure>")
    (folder / "index.html").write_text(
        "<!doctype html><meta charset='utf-8'><title>Every view</title>\n" + "\n".join(rows)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description="Photograph every view in JupyterLab.")
    parser.add_argument("folder", nargs="?", type=Path, default=CHECKOUT / "build" / "shots")
    parser.add_argument("--widths", type=int, nargs="+", default=[600, 1000, 1600])
    parser.add_argument("--themes", nargs="+", choices=["light", "dark"], default=["light", "dark"])
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    with LabServer() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS
        )
        for theme in given.themes:
            for width in given.widths:
                photograph(browser, server, width, theme, given.folder)
                server.shut_kernels()
        browser.close()
    sheet(given.folder, [*VIEWS, "saved_page"], given.widths)
    print(given.folder / "index.html")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
