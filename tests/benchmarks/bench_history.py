"""What of a run of hours is kept within the budget: how many frames, and how far apart they are.

A simulated run: steps, and the times at which frames are due, come from a clock that is given, and
nothing is waited for. The frames have the layouts of real networks, and go into the histories that
a binding has: of whole frames, and for a network too large for these of what is looked at.

Run: python -m tests.benchmarks.bench_history [--help]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

import kan_widgets as kw
from kan_widgets.live import Frame, History
from kan_widgets.live.budget import Throttle
from kan_widgets.live.frames.large_layers import Looking
from kan_widgets.live.watching.camera import history_shares

STEP_SECONDS = 0.007
WHOLE = 1.0, 0.01  # as `Camera` takes whole frames of large networks


def article() -> Any:
    return kw.nn.KANCNN.article()


def large() -> Any:
    import torch

    return torch.nn.Sequential(
        kw.nn.KANLinear(100, 3200), kw.nn.KANLinear(3200, 3000), kw.nn.KANLinear(3000, 10)
    )


def longest(steps: list[int]) -> str:
    """Return the longest time between two steps kept."""
    seconds = float(np.diff(steps).max()) * STEP_SECONDS
    return f"{seconds:7.0f} s" if seconds < 600 else f"{seconds / 60:5.1f} min"


def run(model: Any, seconds: float, megabytes: float) -> None:
    """Print what is kept of so many seconds of a training of a model."""
    began = time.perf_counter()
    live = kw.bind(model, prove=False, history_mb=1e-6)
    layout, looking = live.feed.layout, Looking()
    cut = looking.cut(layout)
    is_large = cut is not layout
    took = 0.3 if is_large else 0.0  # seconds that a whole frame is taken to cost
    data, part = (np.zeros(of.size, np.float32) for of in (layout, cut))
    whole, of_glimpses = history_shares(int(megabytes * 1e6), layout, is_large)
    history, glimpses = History(whole), History(of_glimpses)
    live.close()
    often, seldom = Throttle(30.0), Throttle(*WHOLE)
    history.append(Frame(0, layout, data))
    seldom.spent(0.0, took)
    taken, last = 0, int(seconds / STEP_SECONDS)
    for step in range(1, last + 1):
        now = step * STEP_SECONDS
        if not often.is_open(now) and step != last:
            continue
        often.spent(now, 0.0)
        taken += 1
        if not is_large:
            history.append(Frame(step, layout, data))
        elif seldom.is_open(now) or step == last:
            seldom.spent(now, took)
            history.append(Frame(step, layout, data))
        else:
            glimpses.append(Frame(step, cut, part))
    functions = sum(layer.count for layer in layout.layers)
    ends = 2 * data.nbytes
    kept = history.nbytes + (glimpses.nbytes if is_large else 0)
    print(
        f"{functions:,} functions for {seconds / 3600:g} h: {taken:,} frames taken in "
        f"{last:,} steps; kept {kept / 1e6:,.1f} MB, of which the two ends {ends / 1e6:,.1f} MB "
        f"(simulated in {time.perf_counter() - began:.0f} s)"
    )
    rows = {"all layers": history.steps.tolist()}
    if is_large:
        rows["what is looked at"] = glimpses.steps.tolist()
    for name, steps in rows.items():
        print(f"    {name:18} {len(steps):6,} frames, {longest(steps)} apart at most")


def main(arguments: Any = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What is kept of long runs.")
    parser.add_argument("--megabytes", type=float, default=64.0)
    parser.add_argument("--day", type=float, default=24.0, help="hours of the article's network")
    parser.add_argument("--hour", type=float, default=1.0, help="hours of one of 10⁷ functions")
    options = parser.parse_args(arguments)
    run(article(), 3600 * options.day, options.megabytes)
    run(large(), 3600 * options.hour, options.megabytes)


if __name__ == "__main__":
    main()
