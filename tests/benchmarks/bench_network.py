"""NetworkView in a real JupyterLab: first picture, frames a second by the number of links.

A blocking cell makes a step every 5 ms; the page notes in each of its animation frames whether
another step is drawn. Each network is a KAN layer of as many functions as links, all of them
drawn, with an example running through it, or of four; the last one is the article's.

Run: python -m tests.benchmarks.bench_network [--help]
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import time
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

from tests.browser.bare import bare_page
from tests.browser.lab import CHECKOUT, LabPage, LabServer

MODELS = {
    "100": ("kw.nn.KANLinear(10, 10)", "torch.rand(4, 10)"),
    "1,000": ("kw.nn.KANLinear(40, 25)", "torch.rand(4, 40)"),
    "10,000": (
        "torch.nn.Sequential(*(kw.nn.KANLinear(50, 50) for _ in range(4)))",
        "torch.rand(4, 50)",
    ),
    "article": ("kw.nn.KANCNN.article()", "kw.data.mnist('embedded').test_images[:4]"),
}

SETUP = """
import time
import numpy as np
import torch
import kan_widgets as kw

torch.set_num_threads(1)
model = {model}
inputs = {inputs}
optimizer = torch.optim.SGD(model.parameters(), 1e-2)
directions = [torch.randn_like(p) * p.std().clamp(min=1e-3) for p in model.parameters()]
live = kw.bind(model, optimizer, every=1, max_fps=60)
live.observe(inputs)
live.probe(inputs)

def train(seconds, period=0.005):
    end = due = time.perf_counter()
    end += seconds
    while due < end:
        for p, direction in zip(model.parameters(), directions):
            p.grad = direction * np.cos(live.stats.steps / 50)
        optimizer.step()
        due += period
        time.sleep(max(0, due - time.perf_counter()))
"""

COUNTING = """() => {
  const view = document.querySelector(".kw-network-view");
  view.scrollIntoView();
  const log = window.kwLog = {drawn: 0, ticks: 0};
  let known = null;
  const tick = () => {
    const step = view.kwView.scene()?.diagram.frame.step;
    log.ticks += 1;
    if (step !== known) {
      known = step;
      log.drawn += 1;
    }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""


def measure(lab: LabPage, server: LabServer, name: str, seconds: float) -> str:
    """Return a line of the table."""
    model, inputs = MODELS[name]
    cells = [
        SETUP.format(model=model, inputs=inputs),
        "kw.NetworkView(live)",
        "train(2)",
        f"before = live.stats.frames_sent; train({seconds}); after = live.stats.frames_sent",
    ]
    lab.open(server.write_notebook(cells))
    lab.run_cell(0)
    start = time.perf_counter()
    lab.run_cell(1, wait=False)
    scene = "document.querySelector('.kw-network-view')?.kwView?.scene()"
    ready = f"({scene}?.diagram.flow ?? null) !== null"
    lab.until(lambda: lab.page.evaluate(ready), "the picture")
    first = time.perf_counter() - start
    lab.page.evaluate(COUNTING)
    lab.run_cell(2)
    before = lab.page.evaluate("({...kwLog})")
    lab.run_cell(3)
    after = lab.page.evaluate("({...kwLog})")
    if errors := lab.cell_errors():
        raise RuntimeError(errors[0])
    links = f"{scene}.diagram.parts.reduce((n, {{links}}) => n + links.length, 0)"
    drawn = (after["drawn"] - before["drawn"]) / seconds
    ticks = (after["ticks"] - before["ticks"]) / seconds
    shown = lab.page.evaluate(links)
    share = lab.evaluate("live.stats.probe_share")
    return (
        f"{name:>9} | {shown:>6,} | {first:5.2f} | {drawn:5.1f} | {ticks:5.1f} | "
        f"{lab.evaluate('after - before') / seconds:5.1f} | {share:.2%}"
    )


def main(arguments: Any = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="NetworkView by the number of links.")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--tree", type=pathlib.Path, default=CHECKOUT, help="of another package")
    options = parser.parse_args(arguments)
    print(
        "          |        | first s | a second: drawn, animation frames, sent | share of the\n"
        "functions |  links | picture |                                          | probes"
    )
    with LabServer(tree=options.tree) as server:
        for name in options.models:
            with bare_page(1280, 900) as page:
                print(measure(LabPage(page, server), server, name, options.seconds), flush=True)
            server.shut_kernels()


if __name__ == "__main__":
    main()
