"""How quickly the command line answers, shows a run, and has a click done in it.

Side by side in one run: ``--version`` beside an empty Python, the import of the package beside that
of torch alone, a training with the watchdog beside one whose watchdog looks at nothing, in turns.
``view`` and ``follow`` are timed from the start of their process to a picture in a Chromium that is
open already: a scene that is on the canvas of the page. A click is timed from the mouse, in that
page, to the moment at which the run stands still between two steps.

Run: python -m tests.benchmarks.bench_command_line [--help]
"""

from __future__ import annotations

import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

import torch
from playwright.sync_api import Page, sync_playwright
from torch.nn.functional import cross_entropy

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

import kan_widgets as kw
from tests.browser.lab import CHROMIUM_ARGUMENTS, find_chromium

COMMAND = "import sys; from kan_widgets.cli import main; sys.exit(main(sys.argv[1:]))"
DRAWN = "!!document.querySelector('.kw-training-panel')?.kwView?.scene()"


def seconds_of(code: str, *arguments: str) -> float:
    """Return how long a new Python takes for some code."""
    start = time.perf_counter()
    command = [sys.executable, "-c", code, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def import_seconds() -> float:
    """Return what importing the package takes where torch is there, as Python itself counts it."""
    command = [sys.executable, "-X", "importtime", "-c", "import torch, kan_widgets"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    counted = re.search(r"\|\s*(\d+) \| kan_widgets$", said, re.MULTILINE)
    assert counted is not None
    return int(counted[1]) / 1e6


def side_by_side(times: int, *runs: Callable[[], float]) -> list[float]:
    """Return the median seconds of each, made in turns."""
    found: list[list[float]] = [[] for _ in runs]
    for _ in range(times):
        for kept, run in zip(found, runs, strict=True):
            kept.append(run())
    return [statistics.median(kept) for kept in found]


class Training:
    """The article's network in training, on a thread of its own."""

    def __init__(self, path: pathlib.Path) -> None:
        torch.manual_seed(0)
        self.model = kw.nn.KANCNN.article()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), 1e-3)
        self.live = kw.bind(self.model, self.optimizer, every=10)
        self.batch = torch.rand(16, 1, 28, 28), torch.arange(16) % 10
        self.live.observe(self.batch[0])
        self.live.probe(self.batch[0][:4])
        self.recorder = self.live.record(path, control=True)
        self.is_over = False
        self._thread = threading.Thread(target=self._train)
        self._thread.start()

    def _train(self) -> None:
        for _ in self.live.track(range(10**9)):
            step(self.model, self.optimizer, self.batch, self.live)

    def close(self) -> None:
        """End it."""
        self.live.control.stop()
        self._thread.join()
        self.live.close()


def step(model: Any, optimizer: Any, batch: Any, live: Any) -> None:
    """Make one step."""
    optimizer.zero_grad()
    loss = cross_entropy(model(batch[0]), batch[1])
    loss.backward()
    optimizer.step()
    if live is not None:
        live.log(loss=loss)


def watchdog_cost(steps: int) -> tuple[float, float]:
    """Return seconds per step with the watchdog, and with one that looks at nothing, in turns."""
    torch.manual_seed(0)
    model = kw.nn.KANCNN.article()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    batch = torch.rand(16, 1, 28, 28), torch.arange(16) % 10
    live = kw.bind(model, optimizer, every=10)

    def timed(looks: bool) -> float:
        live.watchdog._is_broken = not looks
        start = time.perf_counter()
        for _ in range(steps):
            step(model, optimizer, batch, live)
        return (time.perf_counter() - start) / steps

    timed(True)
    found = side_by_side(9, lambda: timed(True), lambda: timed(False))
    live.close()
    return found[0], found[1]


def drawn_after(page: Page, start: float, limit: float = 120.0) -> float:
    """Return the seconds from a start to a scene on the page."""
    while not page.evaluate(DRAWN):
        if time.perf_counter() - start > limit:
            raise TimeoutError("no picture")
        page.wait_for_timeout(10)
    return time.perf_counter() - start


def note_hold(control: kw.live.Control, held: list[float]) -> None:
    """Note when the training stands still."""
    while not control.is_holding:
        time.sleep(0.001)
    held.append(time.perf_counter())


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=5, help="of each; the median is printed")
    times = parser.parse_args().times
    torch.set_num_threads(1)

    bare, version, words = side_by_side(
        times,
        lambda: seconds_of("pass"),
        lambda: seconds_of(COMMAND, "--version"),
        lambda: seconds_of(COMMAND, "--help"),
    )
    print(
        f"kan-widgets --version   {version:.3f} s, --help {words:.3f} s, "
        f"an empty Python {bare:.3f} s"
    )
    itself = statistics.median(import_seconds() for _ in range(times))
    print(f"import kan_widgets      {itself:.3f} s by -X importtime, after torch")
    alone, package, used = side_by_side(
        times,
        lambda: seconds_of("import torch"),
        lambda: seconds_of("import torch, kan_widgets"),
        lambda: seconds_of("import torch, kan_widgets as kw; kw.bind, kw.nn, kw.KernelGrid"),
    )
    print(
        f"import over torch       {package - alone:+.3f} s for kan_widgets, {used - alone:+.3f} s "
        f"once bind, nn and KernelGrid are used (torch alone {alone:.2f} s)"
    )
    looks, rests = watchdog_cost(60)
    print(
        f"watchdog                {looks * 1e3:.2f} ms a step, {rests * 1e3:.2f} without: "
        f"{100 * (looks / rests - 1):+.1f} %"
    )

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        run = pathlib.Path(folder) / "run.npz"
        chromium = playwright.chromium.launch(
            executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS
        )
        training = Training(run)
        time.sleep(5)
        follows, clicks, saw = [], [], []
        for _ in range(times):
            page = chromium.new_page()
            start = time.perf_counter()
            follower = subprocess.Popen(
                [sys.executable, "-u", "-c", COMMAND, "follow", str(run), "--no-browser"],
                stdout=subprocess.PIPE,
                text=True,
            )
            assert follower.stdout is not None
            address = re.search(r"http://\S+", follower.stdout.readline())
            assert address is not None
            page.goto(address[0])
            follows.append(drawn_after(page, start))
            control = training.live.control
            page.wait_for_timeout(1500)
            button = page.locator(".kw-training-panel [data-icon=pause]")
            box = button.bounding_box()
            assert box is not None
            page.mouse.move(box["x"] + 5, box["y"] + 5)
            held: list[float] = []

            waiting = threading.Thread(target=note_hold, args=(control, held))
            waiting.start()
            clicked = time.perf_counter()
            page.mouse.down()
            page.mouse.up()
            while not page.evaluate(
                "document.querySelector('.kw-training-panel').kwView.scene().status.holding"
            ):
                page.wait_for_timeout(10)
            saw.append(time.perf_counter() - clicked)
            waiting.join()
            clicks.append(held[0] - clicked)
            control.resume()
            page.close()
            follower.kill()
            follower.communicate()
        training.close()
        views = []
        for _ in range(times):
            page, out = chromium.new_page(), pathlib.Path(folder) / "page.html"
            start = time.perf_counter()
            seconds_of(COMMAND, "view", str(run), "--out", str(out), "--no-browser")
            page.goto(out.as_uri())
            views.append(drawn_after(page, start))
            page.close()
        size = run.stat().st_size / 1e6
        chromium.close()
    print(f"follow, first picture   {statistics.median(follows):.2f} s from the command")
    print(f"view, first picture     {statistics.median(views):.2f} s, of {size:.0f} MB recorded")
    print(
        f"a click to the act      {statistics.median(clicks):.2f} s, and back on the page "
        f"{statistics.median(saw):.2f} s"
    )


if __name__ == "__main__":
    main()
