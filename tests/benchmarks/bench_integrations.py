"""What the trainers' callbacks and `send_to` add to a step, side by side in one run.

Run: python -m tests.benchmarks.bench_integrations

Each trainer trains with its callback and without, in turns, in pairs. The ratio is of the
processor's time for all steps of a run, of all threads of the process: what others do on the
machine counts less then. Printed are the median of the pairs, the lowest and the highest; "null"
is of two runs without, one after the other: a ratio says nothing that lies within it. Last comes
what was added: the time in the callback's hooks and in the binding's, as a share of the time of all
steps.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import kan_widgets as kw
from kan_widgets.integrations.trackers import numbers_of
from kan_widgets.widgets.kernel_grid import picture_of

PAIRS = 5
# 20 frames: what the first one takes, once in a run, counts as little as in a long training.
BATCHES = 200
EVERY = 10


class Clock:
    """Notes when the first and the last step of a run were made, past the warm-up."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.in_hooks = 0.0
        self.kept: Any = None
        """The model: a binding lives no longer."""

    def __call__(self, *_: Any) -> None:
        self.at.append(time.process_time())

    @property
    def seconds(self) -> float:
        """From one step past the first to the last."""
        return self.at[-1] - self.at[5]


def timed(callback: Any, clock: Clock) -> Any:
    """Return a callback, with a clock that adds up what its hooks of each step take."""

    def around(hook: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            start = time.thread_time()
            try:
                return hook(*given, **named)
            finally:
                clock.in_hooks += time.thread_time() - start

        return run

    for name in vars(type(callback)):
        if any(word in name for word in ("batch", "step", "iteration", "log")) and name[0] != "s":
            if callable(hook := getattr(callback, name)):
                setattr(callback, name, around(hook))
    return callback


class Image(nn.Module):
    """The article's network with its loss, on batches of 64 images."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = kw.nn.KANCNN.article()

    def forward(self, x: Any, labels: Any = None) -> Any:
        """Return what Hugging Face takes where there are labels, else the outputs."""
        out = self.net(x)
        return out if labels is None else {"loss": nn.functional.nll_loss(out, labels)}


images = torch.rand(64 * BATCHES, 1, 28, 28)
labels = torch.randint(0, 10, (64 * BATCHES,))
data = TensorDataset(images, labels)


def optimizer_of(model: nn.Module, clock: Clock) -> torch.optim.Optimizer:
    """Return an optimizer whose steps a clock notes, before anybody else's hooks."""
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    optimizer.register_step_pre_hook(clock)
    return optimizer


def bare(watched: bool, clock: Clock, send: bool = False) -> Any:
    """Train in a plain loop."""
    model = Image()
    optimizer = optimizer_of(model, clock)
    clock.kept = model
    live = kw.bind(model, optimizer, every=EVERY) if watched or send else None
    sending = None
    if live is not None and watched and send:
        reports: list[Any] = []
        sending = live.send_to(reports.append, every=EVERY)
        while not reports:  # the first has pictures, and the drawing code is loaded for it
            time.sleep(0.01)
    for x, y in DataLoader(data, batch_size=64):
        optimizer.zero_grad()
        nn.functional.nll_loss(model(x), y).backward()
        optimizer.step()
    if sending is not None:
        sending.close()
    return live


def lightning(watched: bool, clock: Clock) -> Any:
    """Train with Lightning."""
    import lightning.pytorch as pl

    class Module(pl.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.model = Image()

        def training_step(self, batch: Any, _: int) -> Any:
            loss = nn.functional.nll_loss(self.model(batch[0]), batch[1])
            self.log("loss", loss)
            return loss

        def configure_optimizers(self) -> Any:
            return optimizer_of(self, clock)

    callback = timed(kw.integrations.lightning.KANWidgets(every=EVERY), clock)
    module = Module()
    pl.Trainer(
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[callback] if watched else [],
    ).fit(module, DataLoader(data, batch_size=64))
    return callback.live if watched else None


def transformers(watched: bool, clock: Clock) -> Any:
    """Train with Hugging Face."""
    import transformers as hf

    class Rows(torch.utils.data.Dataset[Any]):
        def __len__(self) -> int:
            return len(data)

        def __getitem__(self, at: int) -> Any:
            return {"x": images[at], "labels": labels[at]}

    callback = timed(kw.integrations.transformers.KANWidgets(every=EVERY), clock)
    model = Image()
    with tempfile.TemporaryDirectory() as folder:
        how = hf.TrainingArguments(
            folder,
            num_train_epochs=1,
            per_device_train_batch_size=64,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            log_level="error",
            use_cpu=True,
        )
        trainer = hf.Trainer(
            model,
            how,
            train_dataset=Rows(),
            optimizers=(optimizer_of(model, clock), None),
            callbacks=[callback] if watched else [],
        )
        trainer.remove_callback(hf.PrinterCallback)
        trainer.train()
    return callback.live if watched else None


def ignite(watched: bool, clock: Clock) -> Any:
    """Train with Ignite."""
    from ignite.engine import Engine

    model = Image()
    optimizer = optimizer_of(model, clock)

    def update(engine: Any, batch: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.nll_loss(model(batch[0]), batch[1])
        loss.backward()
        optimizer.step()
        return loss.item()

    engine = Engine(update)
    callback = timed(kw.integrations.ignite.KANWidgets(model, optimizer, every=EVERY), clock)
    if watched:
        callback.attach_to(engine)
    engine.run(DataLoader(data, batch_size=64), max_epochs=1)
    return callback.live if watched else None


def skorch(watched: bool, clock: Clock) -> Any:
    """Train with skorch."""
    import skorch as sk

    class Tick(sk.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_batch_end(self, net: Any, **_: Any) -> None:
            clock()

    callback = timed(kw.integrations.skorch.KANWidgets(every=EVERY), clock)
    net = sk.NeuralNet(
        Image(),
        nn.NLLLoss,
        max_epochs=1,
        batch_size=64,
        train_split=None,
        verbose=0,
        callbacks=[Tick(), *([callback] if watched else [])],
    )
    net.fit(images, labels)
    return callback.live if watched else None


def measure(name: str, train: Callable[[bool, Clock], Any]) -> None:
    """Print the ratio of a trainer's steps watched and unwatched."""
    train(True, Clock())

    def seconds(watched: bool) -> float:
        clock = Clock()
        live = train(watched, clock)
        if live is not None:
            # Where the callback counts the steps, what that takes is among its hooks' time.
            counted = live.stats.seconds if live.feed.training.counts_by_itself else 0.0
            shares.append((counted + clock.in_hooks) / live.feed.training.seconds)
            live.close()
        return clock.seconds

    shares: list[float] = []
    ratios, alone = [], []
    for number in range(PAIRS):
        first, second = seconds(bool(number % 2)), seconds(not number % 2)
        ratios.append(first / second if number % 2 else second / first)
        alone.append(second if number % 2 else first)
    null = [one / other for one, other in pairwise(alone)]
    told = [
        f"{what} {statistics.median(found):.3f} ({min(found):.3f} to {max(found):.3f})"
        for what, found in (("watched / alone", ratios), ("null", null))
    ]
    print(f"  {name}: {', '.join(told)}; added {statistics.median(shares):.2%}", flush=True)


def report_of_all_layers() -> None:
    """Print what a report takes, which `send_to` makes in a thread of its own."""
    model = Image()
    live = kw.bind(model)
    picture_of(live, live.frame)
    start = time.process_time()
    numbers_of(live, live.frame)
    measured = time.process_time()
    for layer in live.layers:
        picture_of(live, live.frame, layer=layer)
    drawn = time.process_time()
    print(
        f"  a report: numbers {1000 * (measured - start):.0f} ms, pictures of {len(live.layers)} "
        f"layers {1000 * (drawn - measured):.0f} ms, in at most a fiftieth of the time"
    )


def main() -> None:
    """Print all ratios."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    print(f"a step of the article's network on 64 images, every={EVERY}, medians of {PAIRS} pairs")
    measure("bare loop", bare)
    for train in (lightning, transformers, ignite, skorch):
        measure(train.__name__, train)
    report_of_all_layers()
    measure("send_to, of a watched loop", lambda sent, clock: bare(sent, clock, send=True))


if __name__ == "__main__":
    main()
