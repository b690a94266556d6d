"""Whether a network learns in a page as it does by torch: ten seeds of each, side by side.

``python -m tests.benchmarks.bench_page_curves`` (``--seeds 4 --epochs 2`` for less). Both train on
the embedded digits with `playground`'s settings: AdamW, the learning rate rising and falling once,
digits moved by a pixel. Starts, orders and moves are random, and different ones on either side. The
page's steps are made by Node. The intervals are of 95 %, by Student's t with Welch's degrees of
freedom.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.nn.compiled.compile_options import FOR_PAGES
from tests.benchmarks.bench_training_page import MODELS, bundled, described
from tests.nn.page_cases import written

BATCH, RATE, SHIFT = 32, 7e-3, 1
SCRIPT = """
const [file, code, settings] = process.argv.slice(2);
const { one, description, machine } = await opened(file, code);
const examples = (inputs, targets) => ({ inputs: floats(inputs), targets: floats(targets) });
const { shift, at, ...own } = JSON.parse(settings);
const data = { train: examples(one.x, one.y), test: examples(one.testX, one.testY), shift };
const curves = one.frames.map((frame, seed) => {
  const trainer = new Trainer(machine, description, floats(frame), data, { ...own, seed });
  const scores = [];
  while (trainer.step < at.at(-1)) {
    if (!trainer.advance()) throw new Error("a number was not finite");
    if (at.includes(trainer.step)) scores.push(trainer.score(data.test));
  }
  return scores;
});
console.log(JSON.stringify(curves));
"""


def main() -> None:
    """Print a table for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    digits = kw.data.mnist("embedded")
    total = len(digits.train_images) // BATCH * options.epochs
    at = [round(share * total) for share in (0.1, 0.2, 0.4, 0.7, 1)]
    print(
        f"% of 1,000 test digits right, {options.seeds} seeds of each, {options.epochs} epochs in "
        f"batches of {BATCH}: mean ± half the interval of 95 %"
    )
    for name, make in MODELS.items():
        torch_curves, frames = [], []
        for seed in range(options.seeds):
            torch.manual_seed(1000 + seed)
            frames.append(kw.bind(make()).frame.data.copy())
            torch.manual_seed(seed)
            torch_curves.append(_by_torch(make(), digits, options.epochs, at, seed))
        page_curves = _in_a_page(make(), digits, frames, options.epochs, at)
        print(f"\n{name}\nstep      page            torch           page − torch")
        for k, step in enumerate(at):
            page, other = (100 * np.array(own)[:, k] for own in (page_curves, torch_curves))
            compared = stats.ttest_ind(page, other, equal_var=False).confidence_interval()
            difference = page.mean() - other.mean()
            cells = [f"{own.mean():.2f} ± {_half(own):.2f}".ljust(15) for own in (page, other)]
            interval = f"{difference:+.2f} ({compared.low:+.2f} to {compared.high:+.2f})"
            print(f"{step:<9,} {' '.join(cells)} {interval}", flush=True)


def _half(values: Any) -> float:
    """Return half the width of the interval of a mean."""
    return float(stats.sem(values) * stats.t.ppf(0.975, len(values) - 1))


def _by_torch(
    model: nn.Module, digits: kw.data.MNIST, epochs: int, at: list[int], seed: int
) -> list[float]:
    """Return the share of the test digits that are right at some steps."""
    train, _ = digits.loaders(BATCH, seed, shift=SHIFT)
    optimizer = torch.optim.AdamW(model.parameters())
    steps = len(train) * epochs
    # Without its cycle of the momentum, which a page has not.
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=steps, cycle_momentum=False
    )
    scores = []
    step = 0
    for _ in range(epochs):
        for x, labels in train:
            optimizer.zero_grad()
            F.nll_loss(model.train()(x), labels).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            step += 1
            if step in at:
                scores.append(_score(model, digits.test_images, digits.test_labels))
    return scores


def _score(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        return (model.eval()(images).argmax(-1) == labels).float().mean().item()


def _in_a_page(
    model: nn.Module, digits: kw.data.MNIST, frames: list[Any], epochs: int, at: list[int]
) -> list[list[float]]:
    case = described(model, digits.train_images) | {
        "y": digits.train_labels.float().numpy(),
        "testX": digits.test_images.numpy(),
        "testY": digits.test_labels.float().numpy(),
        "frames": frames,
    }
    settings = {"batch": BATCH, "rate": RATE, "epochs": epochs, "shift": SHIFT, "at": at}
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "case.json")
        file.write_text(json.dumps(written(case)))
        command = ["node", str(bundled(SCRIPT, scratch)), str(file), str(FOR_PAGES)]
        command.append(json.dumps(settings))
        done = subprocess.run(command, check=True, text=True, capture_output=True)
    curves: list[list[float]] = json.loads(done.stdout)
    return curves


if __name__ == "__main__":
    main()
