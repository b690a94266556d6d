"""Lightning's real trainer, with the callback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import mlflow
import pytest
import pytorch_lightning
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

import kan_widgets as kw
from tests.integrations.tiny import closed, loader, network, run_documented, same

CHECKOUT = Path(__file__).parents[2]

pytestmark = [
    # Lightning's advice on numbers of workers and of steps between logs.
    pytest.mark.filterwarnings(
        "ignore:.*(not have many workers|log_every_n_steps|no `val_dataloader`):UserWarning"
    ),
    # It looks at every attribute of a module, also at one of torch's that torch has deprecated.
    pytest.mark.filterwarnings("ignore::FutureWarning:(lightning|pytorch_lightning|torch).*"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:(lightning|pytorch_lightning|torch).*"),
]


def module_of(home: Any) -> Any:
    """Return a LightningModule of either package."""

    class Module(home.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def training_step(self, batch: Any, _: int) -> Any:
            loss = nn.functional.mse_loss(self.net(batch[0]), batch[1])
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch: Any, _: int) -> None:
            self.log("val_loss", nn.functional.mse_loss(self.net(batch[0]), batch[1]))

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), 0.01)

    return Module()


def trainer(folder: Path, *callbacks: Any, home: Any = pl, **options: Any) -> Any:
    quiet = {
        "accelerator": "cpu",
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "default_root_dir": folder,
    }
    return home.Trainer(callbacks=list(callbacks), **{**quiet, **options})


def callback(**options: Any) -> Any:
    return kw.integrations.lightning.KANWidgets(**options)


@pytest.mark.parametrize("home", [pl, pytorch_lightning], ids=["lightning", "pytorch_lightning"])
def test_fit_is_watched_and_ends_with_the_weights_it_would_have_had(
    home: Any, tmp_path: Path
) -> None:
    alone, watched = module_of(home), module_of(home)
    trainer(tmp_path, home=home, max_epochs=2).fit(alone, loader(), loader(8))
    bound: list[Any] = []
    widgets = callback(every=4, max_fps=1e6, on_bind=bound.append)
    trainer(tmp_path, widgets, home=home, max_epochs=2).fit(watched, loader(), loader(8))
    live = widgets.live
    assert same(alone, watched)
    assert bound == [live]
    assert live.model is watched
    assert live.layers == ("net.0", "net.1")
    steps = [frame.step for frame in live.history]
    assert (steps[0], steps[-1]) == (0, 32)
    assert live.every == 4  # other steps have a frame too after which it paused
    shown = live.frame.coefficients("net.0")[:, :, 0, 0]
    assert torch.equal(torch.from_numpy(shown.copy()), watched.net[0].coefficients().detach())
    assert set(live.scalars.names) == {"train_loss", "val_loss"}
    assert live.scalars.series("train_loss")[0].tolist() == list(range(4, 33, 4))
    assert live.scalars.series("val_loss")[0].tolist() == [16, 32]
    assert live.scalars.series("train_loss")[1][-1] < live.scalars.series("train_loss")[1][0]
    progress = live.progress
    assert (progress.state, progress.epoch, progress.epochs) == ("finished", 2, 2)
    assert (progress.batches_done, progress.batches_total) == (32, 32)


def test_the_last_step_of_an_epoch_belongs_to_it(tmp_path: Path) -> None:
    widgets, said = callback(), []
    done = widgets.done

    def noted(epoch: int, *batch: Any) -> bool:
        stops = done(epoch, *batch)
        said.append((epoch, widgets.live.progress.batches_done))
        return stops

    widgets.done = noted
    trainer(tmp_path, widgets, max_epochs=2).fit(module_of(pl), loader())
    assert said == [(1 + (batch - 1) // 16, batch) for batch in range(1, 33)]


class Asking(pl.Callback):
    """Does what somebody does at the panel, at a step."""

    def __init__(self, step: int, what: Any) -> None:
        self._step, self._what = step, what

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        if trainer.global_step == self._step:
            self._what()


def test_a_stop_ends_fit_gracefully_and_fit_again_goes_on(tmp_path: Path) -> None:
    module, widgets = module_of(pl), callback()
    stopping = trainer(
        tmp_path, Asking(5, lambda: widgets.live.control.stop()), widgets, max_epochs=2
    )
    stopping.fit(module, loader())
    first = widgets.live
    assert (stopping.global_step, first.stats.steps, first.progress.state) == (5, 5, "stopped")
    other = trainer(tmp_path, widgets, max_epochs=1)
    other.fit(module, loader())
    assert widgets.live is first
    assert (first.stats.steps, first.progress.state) == (21, "finished")
    assert first.feed.training.optimizer is other.optimizers[0]
    assert first.history[0].step == 0
    assert first.frame.step == 21


def test_a_binding_made_before_fit_goes_on_and_its_rate_can_be_set(tmp_path: Path) -> None:
    module = module_of(pl)
    live = kw.bind(module, every=1)
    widgets = callback()
    change = Asking(3, lambda: live.set_learning_rate(0.5))
    training = trainer(tmp_path, change, widgets, max_epochs=1)
    training.fit(module, loader())
    assert widgets.live is live
    assert live.stats.steps == 16
    assert training.optimizers[0].param_groups[0]["lr"] == 0.5
    assert [mark.step for mark in live.scalars.marks] == [3]


def test_a_pause_holds_the_loop_until_it_is_ended(tmp_path: Path) -> None:
    module, widgets = module_of(pl), callback()
    held: list[int] = []

    def go_on() -> None:
        widgets.live.control.heard()
        end = time.monotonic() + 60
        while not widgets.live.control.is_holding and time.monotonic() < end:
            time.sleep(0.001)
        held.append(widgets.live.stats.steps)
        widgets.live.control.resume()

    somebody = threading.Thread(target=go_on)

    def pause() -> None:
        somebody.start()
        while not widgets.live.control.reachable:
            time.sleep(0.001)
        widgets.live.control.pause()

    trainer(tmp_path, Asking(3, pause), widgets, max_epochs=1).fit(module, loader())
    somebody.join()
    assert held == [4]
    assert widgets.live.stats.steps == 16


def test_a_checkpoint_keeps_the_number_of_steps(tmp_path: Path) -> None:
    widgets = callback()
    saving = trainer(tmp_path, widgets, max_epochs=1)
    saving.fit(module_of(pl), loader())
    saving.save_checkpoint(tmp_path / "at16.ckpt")
    again = callback(every=4)
    module = module_of(pl)
    trainer(tmp_path, again, max_epochs=2).fit(module, loader(), ckpt_path=tmp_path / "at16.ckpt")
    assert again.live.stats.steps == 32
    assert again.live.history[0].step == 16
    assert again.live.progress.epoch == 2


def test_a_checkpoint_made_without_the_callback_tells_the_number_of_steps_too(
    tmp_path: Path,
) -> None:
    saving = trainer(tmp_path, max_epochs=1)
    saving.fit(module_of(pl), loader())
    saving.save_checkpoint(tmp_path / "at16.ckpt")
    again, module = callback(every=4, record=True), module_of(pl)
    trainer(tmp_path, again, max_epochs=2).fit(module, loader(), ckpt_path=tmp_path / "at16.ckpt")
    closed(again.live)
    run = kw.replay(tmp_path / "kan_widgets")
    assert (run.history[0].step, run.frame.step) == (16, 32)


def test_one_line_records_into_the_folder_of_the_logger_and_sends_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widgets, module = callback(every=4, record=True, send_to=True), module_of(pl)
    loggers = [
        pl.loggers.TensorBoardLogger(tmp_path, name="tiny"),
        pl.loggers.CSVLogger(tmp_path, name="numbers"),
    ]
    told: list[str] = []
    monkeypatch.setattr("kan_widgets.integrations.trainer.report", told.append)
    trainer(tmp_path, widgets, max_epochs=2, logger=loggers).fit(module, loader())
    assert [words.partition(":")[0] for words in told] == ["nothing is sent to a CSVLogger"]
    folder = tmp_path / "tiny/version_0"
    assert "kw-saved" in (folder / "kan_widgets.html").read_text("utf-8")
    curve = EventAccumulator(str(folder)).Reload().Scalars("kan_widgets/net.0/reach")
    assert (curve[0].step, curve[-1].step) == (0, 32)
    closed(widgets.live)
    run = kw.replay(folder / "kan_widgets")
    assert (run.frame.step, run.progress.state, run.is_complete) == (32, "finished", True)


def test_a_second_run_in_one_folder_is_recorded_beside_the_first(tmp_path: Path) -> None:
    for _ in range(2):
        widgets, module = callback(record=True), module_of(pl)
        trainer(tmp_path, widgets, max_epochs=1).fit(module, loader())
        trainer(tmp_path, widgets, max_epochs=1).fit(module, loader())
        closed(widgets.live)
    assert {path.name for path in tmp_path.glob("kan*")} == {"kan_widgets", "kan_widgets_2"}
    assert [kw.replay(path).frame.step for path in tmp_path.glob("kan*")] == [32, 32]


def test_a_logger_of_mlflow_is_sent_to_where_it_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    before = mlflow.get_tracking_uri()
    logger = pl.loggers.MLFlowLogger("tiny", tracking_uri=(tmp_path / "elsewhere").as_uri())
    try:
        live = kw.bind(model := network())
        with live.send_to(logger):
            live.step()
        assert model is live.model
        live.close()
    finally:
        mlflow.set_tracking_uri(before)
    pages = list((tmp_path / "elsewhere").rglob("kan_widgets.html"))
    assert [logger.run_id in str(page) for page in pages] == [True]


class Pair(pl.LightningModule):
    """Two networks against each other, each with an optimizer of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.critic = network(), network()

    def training_step(self, batch: Any, number: int) -> None:
        for part, optimizer in zip((self.generator, self.critic), self.optimizers(), strict=True):
            if part is self.critic or number % 2:
                optimizer.zero_grad()
                self.manual_backward(part(batch[0]).square().mean())
                optimizer.step()

    def configure_optimizers(self) -> Any:
        return [torch.optim.SGD(part.parameters(), 0.1) for part in (self.generator, self.critic)]


def test_of_several_optimizers_each_has_its_own_part_and_counts_its_own_steps(
    tmp_path: Path,
) -> None:
    pair, widgets = Pair(), callback()
    training = trainer(
        tmp_path, Asking(6, lambda: widgets.bindings[1].control.stop()), widgets, max_epochs=1
    )
    training.fit(pair, loader())
    assert [live.model for live in widgets.bindings] == [pair.generator, pair.critic]
    assert [live.stats.steps for live in widgets.bindings] == [2, 4]
    assert [live.progress.state for live in widgets.bindings] == ["stopped", "stopped"]


def test_an_error_in_the_module_is_told_and_raised(tmp_path: Path) -> None:
    module, widgets = module_of(pl), callback()

    def fail() -> None:
        raise RuntimeError("no more data")

    with pytest.raises(RuntimeError, match="no more data"):
        trainer(tmp_path, Asking(2, fail), widgets, max_epochs=1).fit(module, loader())
    assert widgets.live.progress.state == "failed"
    assert "no more data" in widgets.live.progress.message


def test_what_cannot_be_given_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="every=0: expected a whole number of steps ≥ 1"):
        callback(every=0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'evry'"):
        callback(evry=1)
    with pytest.raises(TypeError, match="expected a function of the binding, such as"):
        callback(views=["KernelGrid"])
    with pytest.raises(RuntimeError, match="nothing is bound yet"):
        _ = callback().live


TOGETHER = """
import os, sys, warnings
warnings.simplefilter("ignore")
import kan_widgets as kw
from pathlib import Path
from tests.integrations.test_lightning import Asking, callback, module_of, pl, trainer
from tests.integrations.tiny import loader

os.environ["LOCAL_RANK"] = "0" if os.fork() else "1"  # both have Lightning then, which takes long
rank = int(os.environ["LOCAL_RANK"])
module, widgets = module_of(pl), callback(every=2)
stop = Asking(5, lambda: rank or widgets.live.control.stop())
how = {"strategy": "ddp", "devices": 2, "use_distributed_sampler": False, "max_epochs": 9}
training = trainer(Path(sys.argv[1]), stop, widgets, **how)
training.fit(module, loader())
bound = [(live.stats.steps, live.model is module) for live in widgets.bindings]
Path(sys.argv[1], f"rank{rank}").write_text(f"{training.global_step} {bound}")
if rank == 0:
    assert os.wait()[1] == 0
"""


@pytest.mark.slow
def test_of_two_processes_the_first_shows_and_its_stop_ends_both(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "NODE_RANK": "0"}
    done = subprocess.run(
        [sys.executable, "-c", TOGETHER, str(tmp_path)],
        env=os.environ | meeting | {"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "rank0").read_text() == "6 [(6, True)]"
    assert (tmp_path / "rank1").read_text() == "6 []"


def test_the_documented_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    live = run_documented("Lightning")["callback"].live
    assert (live.stats.steps, live.progress.state, live.scalars.names) == (
        48,
        "finished",
        ("loss",),
    )
