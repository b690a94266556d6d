"""``kan-widgets demo``: training without a browser."""

from __future__ import annotations

import argparse
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

# torch takes a second or more to import, so what needs it is imported where it is used.
if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from kan_widgets.data import Digits
    from kan_widgets.live import Binding


def demo(options: argparse.Namespace) -> int:
    """Train, say how well it went, and draw the kernels."""
    out: Path = options.out.expanduser()
    if not out.parent.is_dir():
        raise FileNotFoundError(f"--out {out}: there is no folder {out.parent}")

    import torch

    from kan_widgets.data import mnist
    from kan_widgets.live import bind
    from kan_widgets.live.frames.progress import duration
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
        steps = _train(model, optimizer, digits, options)
        seconds = live.progress.elapsed
        live.refresh()
        picture = png_bytes(image_of(_picture(live), 2))
    accuracy, loss = _test(model, digits)

    print(f"training  {duration(seconds)} for {steps:,} steps of {options.batch_size} images")
    print(f"accuracy  {accuracy * 100:.1f} % on the test images of: {digits.source}")
    print(f"loss      {loss:.4f} (cross-entropy, the same images)")
    if not options.force:
        out = free_name(out)
    out.write_bytes(picture)
    print(f"kernels   {out}")
    return 0


def _train(
    model: nn.Module, optimizer: Optimizer, digits: Digits, options: argparse.Namespace
) -> int:
    from torch.nn import functional

    from kan_widgets.insight.progress import progress

    train, _ = digits.loaders(options.batch_size, options.seed)
    limit: int = options.epochs * len(train)
    if options.steps is not None:
        limit = min(limit, options.steps)
    model.train()
    batches = (batch for _ in range(options.epochs) for batch in train)
    for _, (images, labels) in zip(progress(range(limit), "steps", 0.0), batches, strict=False):
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
    layers = [layer.name for layer in live.feed.layout.layers if layer.kind == "conv"]
    names = layers or live.feed.layout.names
    return drawn([grid._asked(900, 900, 2, {"layer": name}) for name in names])


def free_name(path: Path) -> Path:
    """Return `path`, or, where that exists, the first of name-2, name-3, ... that does not."""
    names = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return path if not path.exists() else next(name for name in names if not name.exists())
