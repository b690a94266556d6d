"""What a view in JupyterLab costs the training beside it: epochs watched and not, in turns.

One cell trains two networks alike, of which one is bound and shown; torch has one thread. With
`--busy`, processes that only count take all cores meanwhile, as other people's work would.

Run: python -m tests.benchmarks.bench_watched [--help]
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

from tests.browser.bare import bare_page
from tests.browser.lab import CHECKOUT, RUN_LIMIT, LabPage, LabServer, until

VIEWS = ("KernelGrid", "Dashboard")

SETUP = """
import json, pathlib, time
import torch
import kan_widgets as kw

torch.set_num_threads(1)
digits = kw.data.mnist("embedded")
batches, _ = digits.loaders(batch_size=64, seed=0)

def made():
    torch.manual_seed(0)
    model = kw.nn.KANCNN()
    return model, torch.optim.AdamW(model.parameters(), 1e-3)

def epoch(model, optimizer):
    start, processor = time.perf_counter(), time.process_time()
    for images, labels in batches:
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(model(images), labels).backward()
        optimizer.step()
    return time.perf_counter() - start, time.process_time() - processor

bound, alone = made(), made()
live = kw.bind(*bound)
"""

# In turns watched first and alone first: what grows with time meets both alike. The file is
# written here and read elsewhere: asking the page would take time from it.
RUN = """
found = {{"watched": [], "alone": []}}
epoch(*alone), epoch(*bound)
taken = live.stats.frames_sent
for k in range({rounds}):
    pair = [("watched", bound), ("alone", alone)]
    for name, what in pair if k % 2 else reversed(pair):
        found[name].append(epoch(*what))
found["frames"] = live.stats.frames_sent - taken
pathlib.Path("found.part").write_text(json.dumps(found))
pathlib.Path("found.part").rename("found.json")
"""


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Have so many processes count meanwhile, each in a session of its own.

    Linux shares processors between sessions: in one with the browser they would take only from it.
    """
    command = [sys.executable, "-c", "while True: pass"]
    counting = [subprocess.Popen(command, start_new_session=True) for _ in range(processes)]
    try:
        yield
    finally:
        for process in counting:
            process.kill()
            process.wait()


def measure(server: LabServer, view: str, rounds: int, counting: int) -> dict[str, Any]:
    """Return the seconds of the epochs, and the frames there were during those watched.

    Of each epoch there are two numbers: on the clock, and of the kernel's processor time.
    """
    notebook = server.write_notebook([SETUP, f"kw.{view}(live)", RUN.format(rounds=rounds)])
    with bare_page(1280, 900) as page:
        lab = LabPage(page, server)
        lab.open(notebook)
        lab.run_cell(0)
        lab.run_cell(1)
        lab.until(lambda: page.evaluate("!!document.querySelector('.kw-view canvas')"), "the view")
        lab.page.evaluate("document.querySelector('.kw-view').scrollIntoView()")
        with busy(counting):
            lab.run_cell(2, wait=False)
            file = server.root / pathlib.Path(notebook).with_name("found.json")
            until(file.exists, "the epochs", lambda: time.sleep(0.5), RUN_LIMIT)
        if errors := lab.cell_errors():
            raise RuntimeError(errors[0])
    server.shut_kernels()
    return dict(json.loads(file.read_text()))


def main(arguments: Any = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Epochs beside a view in JupyterLab.")
    parser.add_argument("--views", nargs="+", choices=VIEWS, default=list(VIEWS))
    parser.add_argument("--rounds", type=int, default=8, help="pairs of epochs")
    parser.add_argument("--busy", type=int, default=0, help="processes that count meanwhile")
    parser.add_argument("--tree", type=pathlib.Path, default=CHECKOUT, help="of another package")
    options = parser.parse_args(arguments)
    print(
        f"{options.rounds} pairs of epochs, one thread, {os.cpu_count()} cores, "
        f"{options.busy} other processes\n"
        "           | watched / not, pairwise | the kernel's processor | seconds of an | frames\n"
        "view       | median   least    most  | time, watched / not    | epoch, alone  | a second"
    )
    with LabServer(tree=options.tree) as server:
        for view in options.views:
            found = measure(server, view, options.rounds, options.busy)
            watched, alone = np.array(found["watched"]), np.array(found["alone"])
            clock, processor = (watched / alone).T
            print(
                f"{view:<10} | {np.median(clock):6.3f}  {clock.min():6.3f}  {clock.max():6.3f}  | "
                f"{np.median(processor):22.3f} | {np.median(alone[:, 0]):13.2f} | "
                f"{found['frames'] / watched[:, 0].sum():.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
