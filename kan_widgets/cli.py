"""The command ``kan-widgets``: the tutorials in JupyterLab, and training without a browser."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from kan_widgets import __version__

# torch takes a second or more to import, so what needs it is imported where it is used.
if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from kan_widgets.data import Digits
    from kan_widgets.live import Binding

__all__ = ["main"]

FIRST_NOTEBOOK = "01_quickstart.ipynb"

_T = TypeVar("_T")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``kan-widgets``.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the command's name; ``sys.argv[1:]`` by default.

    Returns
    -------
    int
        The exit status: 0 for success, 1 for a failure that a message on stderr explains.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    own, for_jupyter = given, []
    if "--" in given:
        cut = given.index("--")
        own, for_jupyter = given[:cut], given[cut + 1 :]
    options = parser.parse_args(own)
    if for_jupyter and options.command != "lab":
        parser.error(f"only 'lab' passes on arguments after --; got {' '.join(for_jupyter)}")
    try:
        if options.command == "lab":
            return _lab(options.folder, for_jupyter)
        return _demo(options)
    except (OSError, ValueError) as error:
        print(f"kan-widgets {options.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kan-widgets",
        description="See the kernel functions of a convolutional KAN change while it trains.",
    )
    parser.add_argument("--version", action="version", version=f"kan-widgets {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    lab = commands.add_parser(
        "lab",
        help="copy the tutorials to a folder and open them in JupyterLab",
        description="Copy the tutorials to FOLDER and open the first one in JupyterLab; the page"
        " index.md there lists them all. Files that FOLDER already has are kept as they are. What"
        " follows -- goes to JupyterLab.",
        usage="kan-widgets lab [-h] [FOLDER] [-- JUPYTERLAB_ARGUMENT ...]",
    )
    lab.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("kan_widgets_notebooks"),
        metavar="FOLDER",
        help="made if missing; default: %(default)s",
    )

    demo = commands.add_parser(
        "demo",
        help="train on MNIST without a browser and draw the kernels",
        description="Train on MNIST without a browser, print how well it went and on which data,"
        " and draw the kernels to a PNG, the functions before training dashed behind.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = demo.add_argument
    add("--epochs", type=_positive, default=1, metavar="N", help="passes over the training images")
    add("--steps", type=_positive, metavar="N", help="stop after N optimizer steps")
    add("--batch-size", type=_positive, default=64, metavar="N", help="images per step")
    add("--lr", type=float, default=5e-3, metavar="RATE", help="learning rate of AdamW")
    add("--seed", type=int, default=0, metavar="N", help="of the weights and of the images' order")
    add(
        "--model",
        choices=["article", "default"],
        default="article",
        help="KANCNN.article() or KANCNN()",
    )
    add(
        "--source",
        choices=["auto", "embedded", "torchvision"],
        default="auto",
        help="the data, as in kan_widgets.data.mnist",
    )
    add("--root", type=Path, default=Path("data"), help="torchvision's folder")
    add("--download", action="store_true", help="fetch MNIST, with --source torchvision")
    add(
        "--out",
        type=Path,
        default=Path("kernels.png"),
        metavar="PNG",
        help="where to draw the kernels; if the file exists it is kept, and a number is added to"
        " the new one's name",
    )
    add("--force", action="store_true", help="replace the file that --out names")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number ≥ 1, got {text}")
    return value


def _notebooks() -> Path:
    """Return the folder of the tutorials: in the package, or beside it in a checkout."""
    package = Path(__file__).parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / FIRST_NOTEBOOK).is_file():
            return folder
    raise FileNotFoundError(f"the tutorials are missing from {package}; install kan-widgets again")


def _copy(source: Path, target: Path) -> tuple[list[Path], list[Path]]:
    """Copy the files of a folder, over none that is there; return those copied and those kept."""
    copied, kept = [], []
    for path in sorted(source.rglob("*")):
        place = path.relative_to(source)
        if path.is_dir() or any(part.startswith((".", "__")) for part in place.parts):
            continue
        if (target / place).exists():
            kept.append(place)
            continue
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / place)
        copied.append(place)
    return copied, kept


def _lab(folder: Path, arguments: list[str]) -> int:
    if importlib.util.find_spec("jupyterlab") is None:
        print(
            'JupyterLab is not installed: pip install "kan-widgets[lab]"',
            file=sys.stderr,
        )
        return 1
    folder = folder.expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    copied, kept = _copy(_notebooks(), folder)
    for paths, what in ((copied, "copied to"), (kept, "kept as they were in")):
        if paths:
            print(f"{what} {folder}: {', '.join(map(str, paths))}", flush=True)
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in arguments:
        arguments = ["--allow-root", *arguments]
    command = [sys.executable, "-m", "jupyterlab", FIRST_NOTEBOOK, *arguments]
    if os.name == "posix":
        # JupyterLab takes this process over, so that Ctrl-C and the exit status are its own.
        os.chdir(folder)
        os.execv(sys.executable, command)
    return subprocess.call(command, cwd=folder)


def _demo(options: argparse.Namespace) -> int:
    out: Path = options.out.expanduser()
    if not out.parent.is_dir():
        raise FileNotFoundError(f"--out {out}: there is no folder {out.parent}")

    import torch

    from kan_widgets.data import mnist
    from kan_widgets.live import bind
    from kan_widgets.nn import KANCNN
    from kan_widgets.widgets.rasters import image_of, png_bytes

    digits = mnist(options.source, root=options.root, download=options.download)
    torch.manual_seed(options.seed)
    model = KANCNN.article() if options.model == "article" else KANCNN()
    name = "KANCNN.article()" if options.model == "article" else "KANCNN()"
    size = sum(weights.numel() for weights in model.parameters())
    print(f"data      {digits.source}")
    print(f"model     {name}, {size:,} parameters", flush=True)

    optimizer = torch.optim.AdamW(model.parameters(), options.lr)
    with bind(model, optimizer) as live:
        start = time.perf_counter()
        steps = _train(model, optimizer, digits, options)
        seconds = time.perf_counter() - start
        live.refresh()
        picture = png_bytes(image_of(_picture(live), 2))
    accuracy, loss = _test(model, digits)

    print(f"training  {seconds:.1f} s for {steps:,} steps of {options.batch_size} images")
    print(f"accuracy  {accuracy * 100:.1f} % on the test images of: {digits.source}")
    print(f"loss      {loss:.4f} (cross-entropy, the same images)")
    if not options.force:
        out = _free_name(out)
    out.write_bytes(picture)
    print(f"kernels   {out}")
    return 0


def _train(
    model: nn.Module, optimizer: Optimizer, digits: Digits, options: argparse.Namespace
) -> int:
    from torch.nn import functional

    train, _ = digits.loaders(options.batch_size, options.seed)
    limit: int = options.epochs * len(train)
    if options.steps is not None:
        limit = min(limit, options.steps)
    model.train()
    batches = (batch for _ in range(options.epochs) for batch in train)
    for _, (images, labels) in zip(_progress(range(limit)), batches, strict=False):
        optimizer.zero_grad()
        # Also right for outputs that are log-probabilities: log-softmax leaves those unchanged.
        functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return limit


def _test(model: nn.Module, digits: Digits) -> tuple[float, float]:
    """Return accuracy and mean cross-entropy over the test images."""
    import torch
    from torch.nn import functional

    model.eval()
    right, loss = 0, 0.0
    with torch.no_grad():
        for images, labels in digits.loaders(batch_size=500)[1]:
            outputs = model(images)
            right += int((outputs.argmax(1) == labels).sum())
            loss += float(functional.cross_entropy(outputs, labels, reduction="sum"))
    return right / len(digits.test_labels), loss / len(digits.test_labels)


def _picture(live: Binding) -> str:
    """Draw the layers one below another: the convolutions, or all where there is none."""
    from kan_widgets.widgets.engine import drawn
    from kan_widgets.widgets.kernel_grid import KernelGrid

    grid = KernelGrid(live)
    layers = [layer.name for layer in live.layout.layers if layer.kind == "conv"]
    names = layers or live.layout.names
    return drawn([grid._asked(900, 900, 2, {"layer": name}) for name in names])


def _free_name(path: Path) -> Path:
    """Return `path`, or, where that exists, the first of name-2, name-3, ... that does not."""
    names = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return path if not path.exists() else next(name for name in names if not name.exists())


def _progress(steps: Sequence[_T], stream: TextIO | None = None) -> Iterable[_T]:
    """Yield `steps`, drawing a bar: redrawn in place on a terminal, else a line at each tenth."""
    stream = sys.stderr if stream is None else stream
    total, start, drawn = len(steps), time.monotonic(), 0.0
    for done, step in enumerate(steps, 1):
        yield step
        now = time.monotonic()
        if stream.isatty():
            due, end = now - drawn >= 0.1 or done == total, "\n" if done == total else ""
        else:
            due, end = done * 10 // total > (done - 1) * 10 // total, "\n"
        if due:
            drawn = now
            left = (now - start) * (total - done) / done
            bar = "█" * (done * 30 // total)
            text = f"{bar:·<30} {done:,}/{total:,} steps, {left:.0f} s left"
            stream.write(f"\r{text:<70}{end}" if stream.isatty() else f"{text}{end}")
            stream.flush()
