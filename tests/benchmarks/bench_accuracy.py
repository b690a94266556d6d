"""How well the networks learn MNIST: one recipe for all, three seeds.

The recipe: AdamW, the learning rate rising and falling once (OneCycle), batches of 128, training
images moved by up to one pixel either way. Each network has the best of a few peak learning rates,
chosen on the last 5,000 training images, which were held out.

``make bench-accuracy`` takes about an hour on two cores and downloads MNIST to ``data``, where
torchvision keeps it. With ``ACCURACY_ARGS="--data FOLDER"`` the files are read from FOLDER. If
there are no test images among them, the last 5,000 training images are held out and the accuracy
is that on them. A table can be put together over several runs::

    python -m tests.benchmarks.bench_accuracy --only kancnn --results accuracy.json
    python -m tests.benchmarks.bench_accuracy --only cnn mlp --results accuracy.json
    python -m tests.benchmarks.bench_accuracy --print --results accuracy.json
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.data import Digits
from kan_widgets.nn import CNN, KANCNN, MLP, count_parameters

HELD_OUT = 5000
SHOWN = (1, 5, 10)


@dataclass(frozen=True)
class Network:
    title: str
    build: Callable[[], nn.Module]
    peak: float
    published: str = ""


NETWORKS = {
    "kancnn": Network("`KANCNN()`", KANCNN, 7e-3),
    "article": Network("`KANCNN.article()`", KANCNN.article, 1e-2, "98.7"),
    "improved": Network(
        '`KANCNN.article(norm="batch", grid_range=(-3, 3), spline_scaler=False)`',
        partial(KANCNN.article, norm="batch", grid_range=(-3, 3), spline_scaler=False),
        5e-3,
    ),
    "cnn": Network("`CNN()`", CNN, 7e-3, "99.1 (157,000 parameters)"),
    "mlp": Network("`MLP()`", MLP, 7e-3),
}


@dataclass(frozen=True)
class Result:
    network: str
    parameters: int
    data: str
    seed: int
    peak: float
    epochs: int
    shift: int
    batch_size: int
    threads: int
    accuracy: list[float]
    """Per cent, after each epoch."""
    seconds: float
    """Of training, all epochs together."""


def digits_in(folder: Path) -> Digits:
    """Read MNIST's IDX files, packed or not, from a folder or its ``MNIST/raw``.

    Without its test files there are no test images.
    """
    raw = folder / "MNIST" / "raw"
    folder = raw if raw.is_dir() else folder
    names = ["train-images-idx3", "train-labels-idx1"]
    if any(folder.glob("t10k-*-ubyte*")):
        names += ["t10k-images-idx3", "t10k-labels-idx1"]
    images, labels, *tests = (_read(folder, f"{name}-ubyte") for name in names)
    test_images, test_labels = tests or (images[:0], labels[:0])
    return Digits(
        _pixels(images),
        torch.tensor(labels, dtype=torch.int64),
        _pixels(test_images),
        torch.tensor(test_labels, dtype=torch.int64),
        source=f"full MNIST ({len(labels):,} train / {len(test_labels):,} test)",
    )


def _read(folder: Path, name: str) -> NDArray[np.uint8]:
    packed = folder / f"{name}.gz"
    content = gzip.decompress(packed.read_bytes()) if packed.is_file() else None
    if content is None:
        content = (folder / name).read_bytes()
    sizes = np.frombuffer(content, ">u4", content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(sizes)).reshape(sizes)


def _pixels(images: NDArray[np.uint8]) -> Tensor:
    return (torch.tensor(images, dtype=torch.float32) / 127.5 - 1).unsqueeze(1)


def holding_out(digits: Digits) -> Digits:
    """Return the training images alone, the last of them to test on."""
    images, labels = digits.train_images, digits.train_labels
    return Digits(
        images[:-HELD_OUT],
        labels[:-HELD_OUT],
        images[-HELD_OUT:],
        labels[-HELD_OUT:],
        f"MNIST's training images ({len(labels) - HELD_OUT:,} train / last {HELD_OUT:,} held out)",
    )


def train(name: str, digits: Digits, seed: int, options: argparse.Namespace) -> Result:
    """Train one network by the recipe."""
    network = NETWORKS[name]
    peak = options.peak or network.peak
    torch.manual_seed(seed)
    model = network.build()
    batches, tests = digits.loaders(options.batch_size, seed, shift=options.shift)
    optimizer = torch.optim.AdamW(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, peak, epochs=options.epochs, steps_per_epoch=len(batches)
    )
    started = time.perf_counter()

    def tell(run: kw.Run) -> None:
        print(
            f"  {name}, seed {seed}, epoch {run.result.epochs}: "
            f"{run.result.eval_accuracy[-1]:.2%}, {time.perf_counter() - started:.0f} s",
            flush=True,
        )

    callback = SimpleNamespace(on_step=lambda run: schedule.step(), on_epoch=tell)
    run = kw.fit(
        model,
        batches,
        optimizer,
        F.nll_loss,
        options.epochs,
        eval_loader=tests,
        callbacks=[callback],
    )
    return Result(
        name,
        count_parameters(model),
        digits.source,
        seed,
        peak,
        options.epochs,
        options.shift,
        options.batch_size,
        torch.get_num_threads(),
        [round(100 * share, 2) for share in run.result.eval_accuracy],
        round(run.result.seconds, 1),
    )


def table(results: Sequence[Result]) -> str:
    """Return a table in Markdown, a row for each network and choice of the options."""
    order = list(NETWORKS)
    groups: dict[tuple[object, ...], list[Result]] = {}
    for one in sorted(results, key=lambda one: (*_conditions(one), order.index(one.network))):
        groups.setdefault((_conditions(one), one.network, one.peak), []).append(one)
    lines: list[str] = []
    heading: object = None
    for key in groups:
        rows = groups[key]
        first = rows[0]
        shown = [epoch for epoch in SHOWN if epoch < first.epochs] + [first.epochs]
        if key[0] != heading:
            heading = key[0]
            lines += [
                "",
                f"{first.data}; shifts of ±{first.shift} px, batch {first.batch_size}, "
                f"{first.threads} threads; accuracy in per cent after an epoch, mean of the seeds, "
                f"and of each seed after {first.epochs}",
                "",
                f"| network | parameters | peak | {' | '.join(map(str, shown))} | seeds | "
                "s per epoch | published |",
                "|" + "---|" * (len(shown) + 6),
            ]
        means = [statistics.mean(r.accuracy[epoch - 1] for r in rows) for epoch in shown]
        seeds = ", ".join(f"{r.accuracy[-1]:.2f}" for r in sorted(rows, key=lambda r: r.seed))
        seconds = statistics.median(r.seconds / r.epochs for r in rows)
        network = NETWORKS[first.network]
        cells = [network.title, f"{first.parameters:,}", f"{first.peak:g}"]
        cells += [f"{mean:.2f}" for mean in means]
        cells += [seeds, f"{seconds:.1f}", network.published]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines[1:])


def _conditions(one: Result) -> tuple[str, int, int, int, int]:
    return one.data, one.epochs, one.shift, one.batch_size, one.threads


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="How well the networks learn MNIST.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, metavar="FOLDER", help="MNIST's files, in it or in its MNIST/raw")
    add("--embedded", action="store_true", help="the 4,000 + 1,000 digits of the package instead")
    add("--held-out", action="store_true", help="leave the test images alone, for a choice")
    add("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS), help="networks to train")
    add("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N")
    add("--epochs", type=int, default=10, metavar="N")
    add("--shift", type=int, default=1, metavar="PIXELS", help="moves of the training images")
    add("--batch-size", type=int, default=128, metavar="N")
    add("--peak", type=float, metavar="RATE", help="peak learning rate; default: the network's own")
    add("--threads", type=int, default=2, metavar="N")
    add("--results", type=Path, metavar="JSON", help="file to add the results to")
    add("--print", action="store_true", help="only print the table of --results")
    options = parser.parse_args(arguments)
    if options.print and not options.results:
        parser.error("--print needs --results")
    if options.embedded and options.held_out:
        parser.error("--embedded has too few images to hold any out")
    return options


def main() -> None:
    """Train, and print the table after each network."""
    options = parse()
    path = options.results
    results: list[Result] = []
    if path and path.exists():
        results = [Result(**one) for one in json.loads(path.read_text())]
    if options.print:
        print(table(results))
        return
    torch.set_num_threads(options.threads)
    if options.embedded:
        digits = kw.data.mnist("embedded")
    elif options.data:
        digits = digits_in(options.data)
    else:
        from torchvision.datasets import MNIST

        MNIST("data", download=True)
        digits = kw.data.mnist("torchvision")
    if options.held_out or not len(digits.test_labels):
        if not options.held_out:
            print("There are no test images: the accuracy is that on held-out training images.")
        digits = holding_out(digits)
    print(f"data: {digits.source}; torch {torch.__version__}, {options.threads} threads")
    for name in options.only:
        for seed in options.seeds:
            results.append(train(name, digits, seed, options))
            if path:
                path.write_text(json.dumps([asdict(one) for one in results], indent=1))
    print()
    print(table(results))


if __name__ == "__main__":
    main()
