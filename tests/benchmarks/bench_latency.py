"""From a training step to the canvas, in a real JupyterLab, beside a redraw by matplotlib.

A blocking cell makes a step every 5 ms, far more often than frames are shown. Clocks: the
kernel's `time.time()` just before ``optimizer.step()`` and the page's `performance.timeOrigin +
performance.now()` when the drawing of that step is on the canvas; both are one machine's clock.

Run: python -m tests.benchmarks.bench_latency [--help]
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

from tests.browser.lab import (
    CHECKOUT,
    CHROMIUM_ARGUMENTS,
    LabPage,
    LabServer,
    find_chromium,
)

SHAPES = {10: (2, 5), 100: (10, 10), 1000: (25, 40), 10000: (100, 100)}

SETUP = """
import io, time
import numpy as np
import torch
import kan_widgets as kw
from kan_widgets.widgets import Stream

torch.set_num_threads(1)
sending, send = [], Stream._send_now

def timed_send(stream, frame):
    "Another thread sends frames; its time counts too."
    start = time.perf_counter()
    send(stream, frame)
    sending.append(time.perf_counter() - start)

Stream._send_now = timed_send
model = kw.nn.KANLinear({inputs}, {out})
optimizer = torch.optim.SGD(model.parameters(), 1e-2)
directions = [torch.randn_like(p) * p.std().clamp(min=1e-3) for p in model.parameters()]
live = kw.bind(model, optimizer, every=1, max_fps={max_fps})
stepped, costs = {{}}, {{False: [], True: []}}

def train(seconds, period=0.005):
    end = due = time.perf_counter()
    end += seconds
    step = live.stats.steps
    while due < end:
        angle = step / 50
        for p, direction in zip(model.parameters(), directions):
            p.grad = direction * np.cos(angle)
        step += 1
        before = live.stats
        stepped[step] = time.time()
        optimizer.step()
        after = live.stats
        costs[after.frames_sent > before.frames_sent].append(after.seconds - before.seconds)
        due += period
        rest = due - time.perf_counter()
        if rest > 0:
            time.sleep(rest)
        else:
            due -= rest

def counts():
    return live.stats.frames_sent, live.stats.steps

def cost():
    "Seconds for an update: a step with a frame, its message, and the steps only counted before."
    between = len(costs[False]) / len(costs[True])
    counted = between * np.median(costs[False] or [0])
    return float(np.median(costs[True]) + np.median(sending) + counted)

def redraw_by_matplotlib(width, height, repeats, together):
    "Seconds to make a PNG of all functions at their frame's points, small multiples in one Axes."
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure
    layout = live.frame.layout.layers[0]
    x, _ = live.frame.evaluate(layout.name)
    rows = (layout.domain[0] <= x) & (x <= layout.domain[1])
    x = x[rows]
    out, inputs = layout.shape[:2]
    across, down = (part.reshape(-1, 1) for part in np.meshgrid(np.arange(inputs), -np.arange(out)))
    segments = np.zeros((out * inputs, len(x), 2))
    segments[..., 0] = across + 0.9 * (x - x[0]) / (x[-1] - x[0])
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    if together:
        collection = axes.add_collection(LineCollection(segments, colors="black", linewidths=1))
    else:
        lines = [axes.plot(*s.T, color="black", linewidth=1)[0] for s in segments]
    axes.set_xlim(0, inputs)
    axes.set_ylim(-out, 1)
    times, size = [], 0
    for _ in range(repeats):
        start = time.perf_counter()
        phi = live.frame.evaluate(layout.name)[1].reshape(len(segments), -1)[:, rows]
        segments[..., 1] = down + 0.45 * phi / np.abs(phi).max()
        if together:
            collection.set_segments(segments)
        else:
            for line, segment in zip(lines, segments):
                line.set_ydata(segment[:, 1])
        file = io.BytesIO()
        figure.savefig(file, format="png")
        times.append(time.perf_counter() - start)
        size = file.tell()
    return float(np.median(times)), size
"""

# Notes when each drawing is done: drawing starts by setting the transform, and a microtask runs
# when it has ended. The product's code is as it ships.
HOOK = """() => {
  const view = document.querySelector('.kw-kernel-grid');
  const canvas = view.querySelector('canvas');
  const context = canvas.getContext('2d');
  const log = window.kwLog = {steps: [], ended: [], took: [], moved: [], answered: []};
  const original = context.setTransform;
  let known = view.kwView.step(), moved = null, noted = false;
  context.setTransform = function (...matrix) {
    if (!noted) {
      noted = true;
      queueMicrotask(() => {
        noted = false;
        const now = performance.now();
        const step = view.kwView.step();
        if (step !== known) {
          known = step;
          log.steps.push(step);
          log.ended.push((performance.timeOrigin + now) / 1000);
          log.took.push(view.kwView.drawn().milliseconds);
        }
        if (moved !== null) {
          log.answered.push(now - moved);
          moved = null;
        }
      });
    }
    return original.apply(this, matrix);
  };
  canvas.addEventListener('pointermove', (event) => { moved ??= event.timeStamp; }, true);
  return [canvas.clientWidth, canvas.clientHeight];
}"""


@dataclass
class Result:
    """What was measured for one number of functions; times in milliseconds."""

    functions: int
    latency: NDArray[np.float64]
    at: NDArray[np.float64]
    redraw: NDArray[np.float64]
    pointer: NDArray[np.float64]
    frames_per_second: float
    sent_per_second: float
    steps_per_second: float
    kernel: float
    matplotlib: float
    """A line for each function, and (together) one collection of them all."""
    together: float
    png_bytes: int
    frame_bytes: int

    def lag_growth(self) -> float:
        """Return by how much the latency grew per second, by a straight line through all."""
        return float(np.polyfit(self.at, self.latency, 1)[0]) if len(self.at) > 2 else float("nan")


def measure(
    lab: LabPage, server: LabServer, functions: int, seconds: float, max_fps: float
) -> Result:
    """Run the loop for one number of functions."""
    out, inputs = SHAPES[functions]
    cells = [
        SETUP.format(out=out, inputs=inputs, max_fps=max_fps),
        "kw.KernelGrid(live)",
        "train(2)",
        f"before = counts(); train({seconds}); after = counts()",
        "train(6)",
    ]
    lab.open(server.write_notebook(cells))
    lab.run_cell(0)
    lab.run_cell(1)
    grid = lab.grid()
    grid.scroll_into_view()
    width, height = lab.page.evaluate(HOOK)
    lab.run_cell(2)  # warms up the page and the kernel
    lab.page.wait_for_timeout(500)
    first = lab.page.evaluate("kwLog.steps.length")
    lab.run_cell(3)
    lab.page.wait_for_timeout(500)
    log = lab.page.evaluate("kwLog")
    start = lab.page.evaluate("kwLog.answered.length")
    lab.run_cell(4, wait=False)
    lab.wait_cell_running(4)
    box = grid.viewport()
    for move in range(150):
        lab.page.mouse.move(*box.at(0.1 + 0.005 * (move % 160), 0.2 + 0.004 * (move % 140)))
        lab.page.wait_for_timeout(20)
    lab.wait_idle()
    pointer = np.asarray(lab.page.evaluate("kwLog.answered")[start:])
    errors = lab.cell_errors()
    if errors:
        raise RuntimeError(errors[0])
    stepped, before, after = lab.evaluate("[stepped, before, after]")
    steps, ended, took = (np.asarray(log[key][first:]) for key in ("steps", "ended", "took"))
    latency = 1000 * (ended - np.asarray([stepped[str(step)] for step in steps]))
    # The last frame is sent again when all is quiet; only frames of the loop count.
    running = steps < after[1]
    repeats = {10: 20, 100: 20, 1000: 10, 10000: 4}[functions]
    ask = f"redraw_by_matplotlib({width}, {height}, {repeats}, %s)"
    redraw, size = lab.evaluate(ask % False)
    together, _ = lab.evaluate(ask % True)
    return Result(
        functions=functions,
        latency=latency[running],
        at=(ended - ended[0])[running],
        redraw=took[running],
        pointer=pointer,
        frames_per_second=int(running.sum()) / seconds,
        sent_per_second=(after[0] - before[0]) / seconds,
        steps_per_second=(after[1] - before[1]) / seconds,
        kernel=1000 * lab.evaluate("cost()"),
        matplotlib=1000 * redraw,
        together=1000 * together,
        png_bytes=size,
        frame_bytes=lab.evaluate("live.frame.nbytes"),
    )


def describe(result: Result) -> str:
    """Put a result into one line of the table."""
    low, high = np.percentile(result.latency, [50, 95])
    near, far = np.percentile(result.pointer, [50, 95])
    return (
        f"{result.functions:>9,} | {low:6.1f} {high:6.1f} | {result.lag_growth():+6.2f} | "
        f"{near:6.1f} {far:6.1f} | {np.median(result.redraw):6.2f} | "
        f"{result.frames_per_second:5.1f} {result.sent_per_second:5.1f} "
        f"{result.steps_per_second:5.0f} | "
        f"{result.kernel:7.3f} {result.matplotlib:7.1f} {result.matplotlib / result.kernel:5.0f}× "
        f"{result.together:7.1f} {result.together / result.kernel:5.0f}× | "
        f"{result.frame_bytes:>9,} {result.png_bytes:>9,}"
    )


def main(arguments: Any = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Latency from a training step to the canvas.")
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--functions", type=int, nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--max-fps", type=float, default=30, help="of the binding; 30 is usual")
    parser.add_argument("--tree", type=pathlib.Path, default=CHECKOUT, help="of another package")
    options = parser.parse_args(arguments)
    print(
        f"a step every 5 ms for {options.seconds:g} s, in a blocking cell, at most "
        f"{options.max_fps:g} frames/s; milliseconds\n"
        "          | step to canvas|  lag   | pointer       | redraw | a second          | "
        "kernel, per update: matplotlib with  | bytes\n"
        "functions |    p50    p95 |  ms/s  |    p50    p95 | median | drawn  sent steps | "
        "  ours    its lines  one collection  |     frame       PNG"
    )
    with LabServer(tree=options.tree) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), headless=True, args=CHROMIUM_ARGUMENTS
        )
        for functions in options.functions:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            lab = LabPage(context.new_page(), server)
            result = measure(lab, server, functions, options.seconds, options.max_fps)
            print(describe(result), flush=True)
            context.close()
            server.shut_kernels()
        browser.close()


if __name__ == "__main__":
    main()
