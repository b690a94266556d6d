"""What watching, probing and recording cost: shares, bytes, bundles; the quickstart's accuracy.

Run: python -m tests.benchmarks.bench_live
"""

from __future__ import annotations

import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator

import nbformat
import torch
from nbclient import NotebookClient
from torch import Tensor, nn
from torch.nn.functional import nll_loss
from torch.utils.hooks import RemovableHandle

import kan_widgets as kw

ROUNDS = 6


def epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, batches: Iterator[tuple[Tensor, Tensor]]
) -> float:
    """Train one epoch; return its seconds."""
    start = time.perf_counter()
    for images, labels in batches:
        optimizer.zero_grad()
        nll_loss(model(images), labels).backward()
        optimizer.step()
    return time.perf_counter() - start


def accuracy(model: nn.Module, digits: kw.data.Digits) -> float:
    """Return the share of test digits that the model names right."""
    model.eval()
    with torch.no_grad():
        right = (model(digits.test_images).argmax(1) == digits.test_labels).float().mean().item()
    model.train()
    return right


class Stopwatch:
    """Hooks before and after those of a binding: the time between them is what it took."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer
        self._started = self.seconds = 0.0
        self._handles: list[RemovableHandle] = []
        self._place(self._start)

    def _place(self, hook: Callable[..., None]) -> None:
        self._handles += [
            self._optimizer.register_step_pre_hook(hook),
            self._optimizer.register_step_post_hook(hook),
        ]

    def _start(self, *_: object) -> None:
        self._started = time.perf_counter()

    def _stop(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._started

    def __enter__(self) -> Stopwatch:
        """Go on from here: the hooks to be timed are placed."""
        self._place(self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()


def hook_share(digits: kw.data.Digits, show: Callable[[kw.KernelGrid], object] = id) -> None:
    """Print the share of the training time that a binding with a view takes, once it is shown."""
    batches, _ = digits.loaders(batch_size=64, seed=0)
    torch.manual_seed(0)
    model = kw.nn.KANCNN.article()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    epoch(model, optimizer, batches)
    watched, alone = [], []
    for _ in range(ROUNDS):
        stopwatch = Stopwatch(optimizer)
        live = kw.bind(model, optimizer, every=10)
        grid = kw.KernelGrid(live)
        show(grid)
        with stopwatch:
            epoch(model, optimizer, batches)  # the layers are proved on what its first batch gives
            first, stopwatch.seconds = stopwatch.seconds, 0.0
            watched.append(epoch(model, optimizer, batches))
        grid.close()
        live.close()
        alone.append(epoch(model, optimizer, batches))
        share = stopwatch.seconds / watched[-1]
        print(f"  hooks at every=10, the first epoch {first:.3f} s; share of the next: {share:.2%}")
    ratios = [w / a for w, a in zip(watched, alone, strict=True)]
    print(f"  epoch watched / unwatched, pairwise: median {statistics.median(ratios):.3f}")
    print(f"  epoch of the article's network, unwatched: median {statistics.median(alone):.2f} s")
    frame = live.frame
    print(f"  bytes of a frame (all {frame.data.size:,} coefficients): {frame.nbytes:,}")
    for layer in frame.layout.layers:
        print(f"    {layer.name}: {layer.count:,} functions, {4 * layer.length:,} bytes")


def hook_share_in_a_kernel() -> None:
    """Print the same in a notebook's kernel, where another thread sends the frames."""
    lines = [
        "import torch, kan_widgets as kw",
        "from IPython.display import display",
        "from tests.benchmarks.bench_live import hook_share",
        "torch.set_num_threads(2)",
        "hook_share(kw.data.mnist(source='embedded'), display)",
    ]
    cell = nbformat.v4.new_code_cell("\n".join(lines))  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    NotebookClient(
        notebook,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(pathlib.Path(__file__).parents[2])}},
    ).execute()
    said = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    print("\n".join(line for line in said.splitlines() if "share" in line or "watched" in line))


def recording(digits: kw.data.Digits) -> None:
    """Print what recording adds to an epoch that is watched, and how fast the file grows.

    The order alternates, and watched epochs are compared with each other as well: a ratio says
    nothing where those differ as much.
    """
    batches, _ = digits.loaders(batch_size=64, seed=0)
    torch.manual_seed(0)
    model = kw.nn.KANCNN.article()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    sizes = []

    def watched() -> float:
        with kw.bind(model, optimizer, every=10):
            return epoch(model, optimizer, batches)

    def recorded() -> float:
        with tempfile.TemporaryDirectory() as folder, kw.bind(model, optimizer, every=10) as live:
            with live.record(pathlib.Path(folder) / "run.npz") as file:
                seconds = epoch(model, optimizer, batches)
            sizes.append(file.nbytes)
            return seconds

    watched()
    ratios, null = [], []
    for number in range(2 * ROUNDS):
        if number % 2:
            first, second = watched(), recorded()
            ratios.append(second / first)
        else:
            first, second = recorded(), watched()
            ratios.append(first / second)
        null.append(watched() / watched())
    for name, found in (("recorded / watched", ratios), ("watched / watched", null)):
        low, high = min(found), max(found)
        middle = statistics.median(found)
        print(f"  epoch {name}, pairwise: median {middle:.3f}, {low:.3f} to {high:.3f}")
    print(f"  bytes of a recorded epoch: median {statistics.median(sizes):,.0f}")


def probing(digits: kw.data.Digits) -> None:
    """Print what following examples adds to an epoch that is watched, side by side with none.

    The order alternates, and epochs without are compared with each other as well.
    """
    batches, _ = digits.loaders(batch_size=64, seed=0)
    torch.manual_seed(0)
    model = kw.nn.KANCNN.article()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    images, labels = digits.test_images[:8], digits.test_labels[:8]
    shares, passes, counts = [], [], []

    def watched() -> float:
        with kw.bind(model, optimizer, every=10):
            return epoch(model, optimizer, batches)

    def probed() -> float:
        with kw.bind(model, optimizer, every=10) as live:
            live.probe(images, labels)
            seconds = epoch(model, optimizer, batches)
            shares.append(live.stats.probe_share)
            counts.append(len(live.feed.activations))
            latest = live.feed.activations.latest
            assert latest is not None
            passes.append(latest.nbytes)
            return seconds

    watched()
    ratios, null = [], []
    for number in range(2 * ROUNDS):
        if number % 2:
            first, second = watched(), probed()
            ratios.append(second / first)
        else:
            first, second = probed(), watched()
            ratios.append(first / second)
        null.append(watched() / watched())
    for name, found in (("probed / watched", ratios), ("watched / watched", null)):
        low, high = min(found), max(found)
        middle = statistics.median(found)
        print(f"  epoch {name}, pairwise: median {middle:.3f}, {low:.3f} to {high:.3f}")
    print(f"  share of an epoch: median {statistics.median(shares):.2%}, most {max(shares):.2%}")
    print(f"  steps with activations, per epoch: median {statistics.median(counts):.0f}")
    print(f"  bytes of the activations of 8 digits: {passes[-1]:,}")


def learning(digits: kw.data.Digits) -> None:
    """Print test accuracy by epoch, for the article's network and the default one."""
    for make in (kw.nn.KANCNN.article, kw.nn.KANCNN):
        torch.manual_seed(0)
        model = make()
        optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
        batches, _ = digits.loaders(batch_size=64, seed=0)
        results = []
        start = time.perf_counter()
        for _ in range(6):
            epoch(model, optimizer, batches)
            results.append(f"{accuracy(model, digits):.1%}")
        seconds = time.perf_counter() - start
        size = sum(p.numel() for p in model.parameters())
        name = make.__qualname__
        print(f"  {name} ({size:,} parameters): {', '.join(results)} in {seconds:.1f} s")


def main() -> None:
    """Print everything."""
    torch.set_num_threads(2)
    digits = kw.data.mnist(source="embedded")
    print(f"data: {digits.source}; torch {torch.__version__}, {torch.get_num_threads()} threads")
    print("watching")
    hook_share(digits)
    print("watching in a notebook's kernel, the grid displayed")
    hook_share_in_a_kernel()
    print("following 8 digits through the network")
    probing(digits)
    print("recording")
    recording(digits)
    print("test accuracy after each epoch, batch 64, AdamW at 1e-3")
    learning(digits)
    print("bundles")
    for path in sorted((pathlib.Path(kw.__file__).parent / "widgets" / "static").iterdir()):
        print(f"  {path.name}: {path.stat().st_size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
