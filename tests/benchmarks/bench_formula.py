"""How near a network's formula comes to the law that the network was trained on.

The network, `formula`, and pykan's ``auto_symbolic`` of the same network, before and after pykan
has refitted its numbers, side by side: the share of the law's variance that each leaves unexplained
on rows that none has seen, and that of `formula` beside the network's (or 1e-5, if that is larger).

``python -m tests.benchmarks.bench_formula`` takes some minutes, and ``--pykan`` an hour: only then
pykan is asked. ``--only exp`` runs some laws, and ``--digits 8`` a convolutional network, trained
for eight epochs on MNIST: how many of its functions can have a form.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.insight import SymbolicFit, fix, formula, symbolic

SEEN, UNSEEN, INTERVALS, ROUNDS = 1000, 2000, 8, 20
LIBRARY = ["x", "x^2", "x^3", "abs", "exp", "log", "sqrt", "sin", "tanh", "gaussian", "1/x"]


@dataclass(frozen=True)
class Law:
    """A law, the ranges of its variables, and the shape of the network."""

    f: Callable[..., Tensor]
    ranges: tuple[tuple[float, float], ...]
    hidden: tuple[int, ...]


A, B = (-1.0, 1.0), (0.5, 2.0)
LAWS = {
    "xyz": Law(lambda x, y, z: x * y * z, (B,) * 3, (3,)),
    "exp": Law(lambda x, y: torch.exp(torch.sin(math.pi * x) + y**2), (A, A), (3,)),
    "I.6.2a": Law(lambda t: torch.exp(-(t**2) / 2) / math.sqrt(2 * math.pi), ((-3, 3),), (2,)),
    "I.8.14": Law(lambda a, b, c, d: ((a - b) ** 2 + (c - d) ** 2).sqrt(), (A,) * 4, (2, 1)),
    "I.12.2": Law(lambda q, p, e, r: q * p / (4 * math.pi * e * r**2), (B,) * 4, (2,)),
    "I.27.6": Law(lambda d, e: 1 / (1 / d + 1 / e), (B, B), (2,)),
    "I.34.8": Law(lambda q, v, b, p: q * v * b / p, (B,) * 4, (2,)),
    "I.37.4": Law(lambda i, j: i + j + 2 * (i * j).sqrt(), (B, B), (2,)),
    "I.39.22": Law(lambda n, t, v: n * t / v, (B,) * 3, (2,)),
    "I.40.1": Law(lambda n, z, t: n * torch.exp(-z / t), (B,) * 3, (2, 1)),
    "I.47.23": Law(lambda g, p, r: (g * p / r).sqrt(), (B,) * 3, (2,)),
    "II.38.14": Law(lambda y, s: y / (2 * (1 + s)), (B, (0.0, 0.5)), (2,)),
}


def drawn(law: Law, rows: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return rows of inputs, and the law's values."""
    low, high = torch.tensor(law.ranges, dtype=torch.float64).T
    generator = torch.Generator().manual_seed(seed)
    unit = torch.rand(rows, len(low), generator=generator, dtype=torch.float64)
    x = low + (high - low) * unit
    return x, law.f(*x.T)[:, None]


def trained(law: Law, x: Tensor, y: Tensor, seed: int) -> nn.Sequential:
    """Train a network on a law by L-BFGS, its grids moved to its inputs in the first half."""
    torch.manual_seed(seed)
    widths = [x.shape[1], *law.hidden, 1]
    ends = min(low for low, _ in law.ranges), max(high for _, high in law.ranges)
    model = nn.Sequential(
        *(
            kw.nn.KANLinear(
                *pair, grid_size=INTERVALS, grid_range=(-1, 1) if k else ends, dtype=torch.float64
            )
            for k, pair in enumerate(pairwise(widths))
        )
    )
    optimizer = torch.optim.LBFGS(
        model.parameters(), max_iter=20, history_size=20, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss: Tensor = (model(x) - y).square().mean() / y.var()
        loss.backward()
        return loss

    for number in range(ROUNDS):
        if number < ROUNDS // 2 and number % 2 == 0:
            sums = model[0](x).detach()
            for layer in model[1:]:
                layer.update_grid(sums, grid_eps=1.0, margin=0.05, optimizer=optimizer)
                sums = layer(sums).detach()
        optimizer.step(closure)
    return model


def in_pykan(model: nn.Sequential, x: Tensor) -> Any:
    """Return the same network as one of pykan's."""
    from kan import KAN

    widths = [model[0].in_features, *(layer.out_features for layer in model)]
    other = KAN(width=widths, grid=INTERVALS, k=3, auto_save=False, seed=0).double()
    with torch.no_grad():
        for ours, theirs in zip(model, other.act_fun, strict=True):
            [functions] = kw.functions.read(ours)
            knots = torch.tensor(functions.bases[0].knots, dtype=torch.float64)
            theirs.grid.copy_(knots.expand(ours.in_features, -1))
            theirs.coef.copy_(ours.spline_weight.transpose(0, 1))
            theirs.scale_base.copy_(ours.base_weight.T)
            theirs.scale_sp.fill_(1.0)
            theirs.mask.fill_(1.0)
        assert torch.allclose(other(x), model(x), atol=1e-5), "not the same network"
    return other


def left(found: Any, y: Tensor) -> float:
    """Return the share of the variance of y that is not explained."""
    rest = torch.as_tensor(np.asarray(found)).reshape(-1, 1) - y
    return float(torch.nan_to_num(rest, nan=1e3).square().mean() / y.var(correction=0))


def by_pykan(model: nn.Sequential, x: Tensor, y: Tensor, unseen: Tensor) -> list[Any]:
    """Return what pykan's formula gives before and after its numbers are fitted, and seconds."""
    other = in_pykan(model, x)
    data = {"train_input": x, "train_label": y, "test_input": x[:100], "test_label": y[:100]}
    begin, found = time.perf_counter(), []
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        other(x)
        other.auto_symbolic(lib=LIBRARY, verbose=0)
        found.append(other(unseen).detach())
        try:
            other.fit(data, opt="LBFGS", steps=20, log=100)
            found.append(other(unseen).detach())
        except RuntimeError:  # it diverges
            found.append(torch.full((len(unseen), 1), math.nan))
    return [*found, time.perf_counter() - begin]


def compare(name: str, seed: int, pykan: bool) -> None:
    """Print the row of one law."""
    law = LAWS[name]
    x, y = drawn(law, SEEN, seed)
    unseen, true = drawn(law, UNSEEN, 1000 + seed)
    model = trained(law, x, y, seed)
    with torch.no_grad():
        network = left(model(unseen), true)
    begin = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):
        found = formula(model, x)
    seconds = time.perf_counter() - begin
    own = left(found(unseen.numpy()), true)
    others = ""
    if pykan:
        first, then, theirs = by_pykan(model, x, y, unseen)
        others = f"{left(first, true):8.1e}  {left(then, true):8.1e}  {theirs:6.1f}  "
    print(
        f"{name:>9} {seed:>4}  {network:8.1e}  {own:8.1e} {own / max(network, 1e-5):8.2g}  "
        f"{seconds:6.1f}  {others}{found.sympy[0]!s:.100}",
        flush=True,
    )


def all_digits(folder: Path) -> kw.data.Digits:
    """Return MNIST's training images, of which the last 10,000 are held out."""
    parts = []
    for name, header in (("images-idx3", 16), ("labels-idx1", 8)):
        content = gzip.decompress((folder / f"train-{name}-ubyte.gz").read_bytes())
        parts.append(torch.frombuffer(bytearray(content[header:]), dtype=torch.uint8))
    images, labels = parts[0].reshape(-1, 1, 28, 28).float() / 127.5 - 1, parts[1].long()
    cut, held = images[:-10_000], images[-10_000:]
    source = "the last 10,000 of MNIST's 60,000 training images"
    return kw.data.Digits(cut, labels[:-10_000], held, labels[-10_000:], source)


def digits(epochs: int, folder: Path | None) -> None:
    """Print how many functions of a convolutional network can have forms, and what that costs."""
    data = all_digits(folder) if folder else kw.data.mnist("embedded")
    torch.manual_seed(0)
    model = kw.nn.KANCNN(channels=(4, 8, 8))
    train, _ = data.loaders(batch_size=64, shift=1)

    def learn(rate: float, epochs: int) -> None:
        optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
        steps = epochs * len(train)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
        for _ in range(epochs):
            model.train()
            for images, labels in train:
                optimizer.zero_grad()
                F.nll_loss(model(images), labels).backward()
                optimizer.step()
                schedule.step()

    def right() -> float:
        model.eval()
        with torch.no_grad():
            said = model(data.test_images).argmax(1)
        return 100 * float((said == data.test_labels).double().mean())

    learn(7e-3, epochs)
    before, begin = right(), time.perf_counter()
    live = kw.bind(model)
    total = formed = 0
    # From the first layer to the last, each on what reaches it now.
    for name in [layer.name for layer in live.read()]:
        model.eval()
        seen = live.observe(data.train_images[:500])[name]
        [layer] = [layer for layer in live.read() if layer.name == name]
        total += layer.n_functions
        for ranks in symbolic(layer, seen, keep=1).found.values():
            fit: SymbolicFit = ranks[0]
            if fit.fits:
                fix(live, fit, observed=seen)
                formed += 1
    put = right()
    learn(1e-3, 2)
    print(
        f"{total:,} functions, {formed:,} of them ({100 * formed / total:.1f} %) have a form and "
        f"are held; right of {len(data.test_labels):,} test images ({data.source}): network "
        f"{before:.1f} %, with forms {put:.1f} %, with all other numbers trained for two epochs "
        f"{right():.1f} %; {time.perf_counter() - begin:.0f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(LAWS), help="names of laws")
    parser.add_argument("--seeds", type=int, default=8, help="of exp; of the others there is one")
    parser.add_argument("--pykan", action="store_true", help="ask pykan too")
    parser.add_argument("--digits", type=int, default=0, help="epochs on MNIST, instead of laws")
    parser.add_argument("--data", type=Path, help="folder of MNIST's training files, packed")
    given = parser.parse_args()
    if given.digits:
        digits(given.digits, given.data)
        return
    others = "  auto_symb. refitted seconds" if given.pykan else ""
    print(f"      law seed   network   formula /network seconds{others}")
    for name in given.only:
        for seed in range(given.seeds if name == "exp" else 1):
            compare(name, seed, given.pykan)


if __name__ == "__main__":
    main()
