"""Hugging Face, accelerate, Ignite and skorch: the real trainers, with the callback."""

from __future__ import annotations

import copy
import pickle
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import accelerate
import numpy as np
import pytest
import skorch
import torch
import transformers
from accelerate.state import AcceleratorState
from sklearn.base import clone
from torch import nn

import kan_widgets as kw
from tests.integrations.tiny import closed, examples, loader, network, run_documented, same

with warnings.catch_warnings():
    # It compiles a function by torch.jit while it is imported, which torch has deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import ignite.engine

STEPS = 32  # two epochs of 16 batches of 4


class Row(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
    """The examples by the names that Hugging Face's trainer hands on."""

    def __len__(self) -> int:
        return len(examples())

    def __getitem__(self, at: int) -> dict[str, torch.Tensor]:
        x, y = examples()[at]
        return {"x": x, "labels": y}


class WithLoss(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = network()

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        out = self.net(x)
        return {"loss": nn.functional.mse_loss(out, labels), "logits": out}


class Run:
    """A trainer of one of the libraries, built anew: what it trains, and its callback."""

    def __init__(self, folder: Path, watched: bool = True, **options: Any) -> None:
        self.folder = folder
        self.widgets: Any = self.callback(every=4, **options) if watched else None

    callback: Callable[..., Any]
    model: nn.Module

    @property
    def bound(self) -> nn.Module:
        """What the binding is of."""
        return self.model

    def train(self, at: int = 0, what: Callable[[], object] = lambda: None) -> None:
        """Train for two epochs; do something after a step."""
        raise NotImplementedError


class HuggingFace(Run):
    callback = staticmethod(lambda **o: kw.integrations.transformers.KANWidgets(**o))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.model = WithLoss()
        self._trainer: Any = None

    def train(self, at: int = 0, what: Callable[[], object] = lambda: None) -> None:
        class Asking(transformers.TrainerCallback):
            def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
                if state.global_step == at:
                    what()

        arguments = transformers.TrainingArguments(
            output_dir=str(self.folder),
            per_device_train_batch_size=4,
            num_train_epochs=2,
            logging_steps=8,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            use_cpu=True,
            seed=0,
            learning_rate=0.05,
        )
        self._trainer = transformers.Trainer(
            model=self.model,
            args=arguments,
            train_dataset=Row(),
            callbacks=[Asking(), *([self.widgets] if self.widgets else [])],
        )
        self._trainer.train()


class Ignite(Run):
    @staticmethod
    def callback(**options: Any) -> Any:
        return options

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.model = network()
        self._optimizer = torch.optim.SGD(self.model.parameters(), 0.1)
        if self.widgets is not None:
            self.widgets = kw.integrations.ignite.KANWidgets(
                self.model, self._optimizer, **self.widgets
            )

    def train(self, at: int = 0, what: Callable[[], object] = lambda: None) -> None:
        def update(engine: Any, batch: Any) -> float:
            self._optimizer.zero_grad()
            loss = nn.functional.mse_loss(self.model(batch[0]), batch[1])
            loss.backward()
            self._optimizer.step()
            if engine.state.iteration == at:
                what()
            return loss.item()

        engine = ignite.engine.Engine(update)
        if self.widgets is not None:
            self.widgets.attach_to(engine)
        engine.run(loader(), max_epochs=2)


class Skorch(Run):
    callback = staticmethod(lambda **o: kw.integrations.skorch.KANWidgets(**o))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._asking = Skorch.Asking()
        self.net: Any = skorch.NeuralNetRegressor(
            network(),
            max_epochs=2,
            batch_size=4,
            train_split=None,
            verbose=0,
            warm_start=True,
            callbacks=[self._asking, *([self.widgets] if self.widgets else [])],
        )
        self.net.initialize()

    class Asking(skorch.callbacks.Callback):  # type: ignore[misc]
        at, done, what = 0, 0, staticmethod(lambda: None)

        def on_batch_end(self, net: Any, **_: Any) -> None:
            self.done += 1
            if self.done == self.at:
                self.what()

    @property
    def model(self) -> nn.Module:  # type: ignore[override]
        module: nn.Module = self.net.module_
        return module

    def train(self, at: int = 0, what: Callable[[], object] = lambda: None) -> None:
        self._asking.at, self._asking.what, self._asking.done = at, what, 0  # type: ignore[assignment]
        self.net.fit(*(t.numpy() for t in examples().tensors))


TRAINERS = [HuggingFace, Ignite, Skorch]
CURVES = {
    HuggingFace: {"loss", "grad_norm", "learning_rate", "train_loss"},
    Ignite: {"loss"},
    Skorch: {"loss", "train_loss"},
}


@pytest.mark.parametrize("kind", TRAINERS)
def test_training_is_watched_and_ends_with_the_weights_it_would_have_had(
    kind: type[Run], tmp_path: Path
) -> None:
    alone = kind(tmp_path, watched=False)
    alone.train()
    bound: list[Any] = []
    run = kind(tmp_path, on_bind=bound.append)
    run.train()
    live = run.widgets.live
    assert same(alone.model, run.model)
    assert bound == [live]
    assert live.model is run.bound
    assert live.stats.steps == STEPS
    steps = [frame.step for frame in live.history]
    assert (steps[0], steps[-1]) == (0, STEPS)
    assert live.every == 4  # other steps have a frame too after which it paused
    assert set(live.scalars.names) == CURVES[kind]
    steps, losses = live.scalars.series("loss")
    assert np.isin([8, 16, 24, 32], steps).all()
    assert losses[-1] < losses[0]
    progress = live.progress
    assert (progress.state, progress.epochs) == ("finished", 2)
    assert progress.batches_done == STEPS
    if kind is not Skorch:  # which does not know how many there will be
        assert progress.batches_total == STEPS


@pytest.mark.parametrize("kind", TRAINERS)
def test_the_last_step_of_an_epoch_belongs_to_it(kind: type[Run], tmp_path: Path) -> None:
    run = kind(tmp_path)
    said: list[tuple[int, int]] = []
    done = run.widgets.done

    def noted(epoch: int, *batch: Any) -> bool:
        stops = done(epoch, *batch)
        said.append((epoch, run.widgets.live.progress.batches_done))
        return stops

    run.widgets.done = noted
    run.train()
    expected = [(1 + (batch - 1) // 16, batch) for batch in range(1, STEPS + 1)]
    assert said == expected
    assert run.widgets.live.progress.epoch == 2


@pytest.mark.parametrize("kind", TRAINERS)
def test_a_stop_ends_training_gracefully_and_training_again_goes_on(
    kind: type[Run], tmp_path: Path
) -> None:
    run = kind(tmp_path)
    run.train(at=5, what=lambda: run.widgets.live.control.stop())
    live = run.widgets.live
    assert (live.stats.steps, live.progress.state) == (5, "stopped")
    run.train()
    assert run.widgets.live is live
    assert (live.stats.steps, live.progress.state) == (5 + STEPS, "finished")
    assert live.history[0].step == 0


def test_a_skorch_net_with_the_callback_is_cloned_and_pickled() -> None:
    widgets = kw.integrations.skorch.KANWidgets(layers=["1"], every=4)
    net = skorch.NeuralNetRegressor(network(), max_epochs=1, verbose=0, callbacks=[widgets])
    net.fit(*(tensor.numpy() for tensor in examples().tensors))
    assert widgets.live.layers == ("1",)
    twin = clone(net)
    assert (twin.callbacks[0].every, twin.callbacks[0].layers) == (4, ["1"])
    again = pickle.loads(pickle.dumps(net))
    assert (again.callbacks[0].every, again.callbacks[0].bindings) == (4, ())
    assert copy.deepcopy(net).callbacks[0].bindings == ()


def test_a_metric_of_the_ignite_engine_is_a_curve() -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    widgets = kw.integrations.ignite.KANWidgets(model, optimizer)

    def update(engine: Any, batch: Any) -> dict[str, float]:
        optimizer.step()
        engine.state.metrics["seen"] = engine.state.iteration
        return {"half": engine.state.iteration / 2}

    engine = ignite.engine.Engine(update)
    widgets.attach_to(engine)
    engine.run(loader(), max_epochs=1)
    assert widgets.live.scalars.latest("half") == 5
    assert widgets.live.scalars.latest("seen") == 16


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_what_accelerate_prepares_is_bound_as_it_is(precision: str) -> None:
    AcceleratorState._reset_state(reset_partial_state=True)  # there is one in a process
    accelerator = accelerate.Accelerator(cpu=True, mixed_precision=precision)
    plain = network()
    own = torch.optim.Adam(plain.parameters(), 0.01)
    scheduler = torch.optim.lr_scheduler.StepLR(own, 4)
    model, optimizer, data, schedule = accelerator.prepare(plain, own, loader(), scheduler)
    with pytest.raises(TypeError, match="not a learning rate scheduler"):
        kw.bind(model, schedule)
    live = kw.bind(model, optimizer, every=4)
    for x, y in data:
        optimizer.zero_grad()
        accelerator.backward(nn.functional.mse_loss(model(x), y))
        optimizer.step()
        schedule.step()
    assert live.stats.steps == 16
    assert live.feed.training.optimizer is own
    assert live.model is plain
    assert live.layers == ("0", "1")
    shown = live.refresh().coefficients("0")[:, :, 0, 0]
    assert torch.equal(torch.from_numpy(shown.copy()), plain[0].coefficients().detach())


def test_one_line_records_and_sends_what_hugging_face_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = HuggingFace(tmp_path / "out", record=True, send_to=True)
    arguments = transformers.TrainingArguments
    monkeypatch.setattr(
        transformers,
        "TrainingArguments",
        lambda **given: arguments(**{**given, "report_to": ["tensorboard"]}),
    )
    run.train()
    page = tmp_path / "out/runs/kan_widgets/kan_widgets.html"
    assert "kw-saved" in page.read_text("utf-8")
    closed(run.widgets.live)
    again = kw.replay(tmp_path / "out/kan_widgets")
    assert (again.history[0].step, again.frame.step) == (0, STEPS)


@pytest.mark.parametrize("kind", [Ignite, Skorch])
def test_a_trainer_without_a_folder_of_its_own_is_told_where_to_record(
    kind: type[Run], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="record=True: there is no folder of the trainer's own"):
        kind(tmp_path, record=True).train()
    run = kind(tmp_path, record=tmp_path / "run")
    run.train()
    closed(run.widgets.live)
    assert kw.replay(tmp_path / "run").frame.step == STEPS


def test_what_accelerate_trains_goes_on_from_its_checkpoint_in_one_recording(
    tmp_path: Path,
) -> None:
    def train(epochs: int, from_: Path | None) -> int:
        AcceleratorState._reset_state(reset_partial_state=True)
        accelerator = accelerate.Accelerator(
            cpu=True, log_with="tensorboard", project_dir=str(tmp_path)
        )
        accelerator.init_trackers("tiny")
        plain = network()
        own = torch.optim.Adam(plain.parameters(), 0.01)
        model, optimizer, data = accelerator.prepare(plain, own, loader())
        if from_ is not None:
            accelerator.load_state(str(from_))
        live = kw.integrations.accelerate.bind(
            accelerator, model, optimizer, record=True, send_to=True, every=4
        )
        first = live.stats.steps
        for x, y in live.track(data, epochs=epochs):
            optimizer.zero_grad()
            accelerator.backward(nn.functional.mse_loss(model(x), y))
            optimizer.step()
        accelerator.save_state(str(tmp_path / "state"))
        closed(live)
        accelerator.end_training()
        return first

    assert train(1, None) == 0
    assert train(1, tmp_path / "state") == 16
    run = kw.replay(tmp_path / "kan_widgets")
    assert (run.history[0].step, run.frame.step) == (0, STEPS)
    assert [path.name for path in tmp_path.glob("kan_widgets*")] == ["kan_widgets"]
    assert (tmp_path / "tiny/kan_widgets.html").exists()


@pytest.mark.parametrize("name", ["TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT"])
def test_a_job_that_is_begun_again_goes_on_by_itself(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, Any] = {}

    def train() -> list[int]:
        model = network()
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        if kept:
            optimizer.load_state_dict(kept)
        live = kw.bind(model, optimizer, every=1)
        live.record(tmp_path / "run")
        for x, y in live.track(loader()):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
        kept.update(optimizer.state_dict())
        closed(live)
        run = kw.replay(tmp_path / "run")
        return [run.history[0].step, run.frame.step]

    assert train() == [0, 16]
    monkeypatch.setenv(name, "1")
    assert train() == [0, 32]
    kept.clear()  # no checkpoint: all of it is trained again, and counts
    assert train() == [0, 16]


class FakeTrain:
    """Stands in for ``ray.train`` where Ray is not installed: a worker of a run."""

    def __init__(self, rank: int, storage: str, kind: str) -> None:
        self.reported: list[Any] = []
        self.context = SimpleNamespace(
            get_world_rank=lambda: rank,
            get_storage=lambda: SimpleNamespace(
                experiment_fs_path=storage, storage_filesystem=SimpleNamespace(type_name=kind)
            ),
        )

    def get_context(self) -> Any:
        return self.context

    def report(self, *given: Any, **named: Any) -> None:
        self.reported.append((given, named))


@pytest.mark.parametrize("kind", ["local", "py::fsspec+memory"])
def test_of_ray_workers_the_first_records_into_the_storage_of_the_run(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "tiny") if kind == "local" else "memory://ray/tiny"
    for rank in (1, 0):
        train = FakeTrain(rank, place.removeprefix("memory:/"), kind)
        monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(train=train))
        monkeypatch.setitem(sys.modules, "ray.train", train)
        monkeypatch.delitem(sys.modules, "kan_widgets.integrations.ray", raising=False)
        monkeypatch.delattr(kw.integrations, "ray", raising=False)
        model = network()
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        live = kw.integrations.ray.bind(model, optimizer, record=True, every=1)
        for x, y in loader():
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            kw.integrations.ray.report({"loss": loss.item(), "phase": "early"}, checkpoint=None)
        closed(live)
        if rank:
            with pytest.raises(FileNotFoundError):
                kw.replay(f"{place}/kan_widgets")
    run = kw.replay(f"{place}/kan_widgets")
    assert run.frame.step == 16
    assert len(run.scalars.series("loss")[0]) == len(train.reported) == 16
    assert train.reported[0][0][0]["phase"] == "early"
    assert train.reported[0][1] == {"checkpoint": None}
    monkeypatch.delitem(sys.modules, "kan_widgets.integrations.ray")
    monkeypatch.delattr(kw.integrations, "ray")


class FakeLearner:
    """Stands in for fastai's Learner: the attributes it sets, and its events in their order."""

    def __init__(self, model: nn.Module, opt: Any, path: Path, callback: Any) -> None:
        self.model, self.opt, self.path, self.cb = model, opt, path, callback
        self.dls = SimpleNamespace(train=loader())
        self.recorder = SimpleNamespace(
            metric_names=["epoch", "train_loss", "valid_loss", "time"], values=[]
        )
        callback.learn = self

    def fit(self, epochs: int) -> None:
        self.n_epoch = epochs
        self.cb.before_fit()
        try:
            for self.epoch in range(epochs):
                for self.training in (True, False):
                    for x, y in self.dls.train:
                        self.xb, self.yb = (x,), (y,)
                        self.cb.before_batch()
                        self.loss = nn.functional.mse_loss(self.model(x), y)
                        if self.training:
                            self.loss.backward()
                            self.opt.step()
                            self.opt.zero_grad()
                        self.cb.after_batch()
                self.recorder.values.append([self.loss.item(), self.epoch / 2])
                self.cb.after_epoch()
        except Stopped:
            pass
        self.cb.after_fit()


class Stopped(Exception):
    """Stands in for fastai's way to end ``fit``."""


class Own:
    """Stands in for fastai's own optimizer, which is none of torch's."""

    def __init__(self, parameters: Any) -> None:
        self._sgd = torch.optim.SGD(parameters, 0.1)
        self.step, self.zero_grad = self._sgd.step, self._sgd.zero_grad


@pytest.mark.parametrize("is_torch", [True, False], ids=["OptimWrapper", "Optimizer"])
def test_what_fastai_trains_is_watched_recorded_and_stopped(
    is_torch: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = SimpleNamespace(Callback=type("Callback", (), {}), CancelFitException=Stopped)
    for name in ("fastai", "fastai.callback"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace())
    monkeypatch.setitem(sys.modules, "fastai.callback.core", core)
    monkeypatch.delitem(sys.modules, "kan_widgets.integrations.fastai", raising=False)
    widgets = kw.integrations.fastai.KANWidgets(every=4, record=True)
    model = network()
    optimizer: Any = (
        torch.optim.SGD(model.parameters(), 0.1) if is_torch else Own(model.parameters())
    )
    learner = FakeLearner(model, optimizer, tmp_path, widgets)
    learner.fit(2)
    live = widgets.live
    assert live.stats.steps == STEPS
    assert (live.progress.state, live.progress.epochs) == ("finished", 2)
    assert (live.progress.batches_done, live.progress.batches_total) == (STEPS, STEPS)
    assert live.scalars.series("valid_loss")[1].tolist() == [0.0, 0.5]
    assert set(live.scalars.names) == {"loss", "train_loss", "valid_loss"}
    stopped = widgets.wants_stop
    widgets.wants_stop = lambda batch: (batch == 3 and live.control.stop(), stopped(batch))[1]
    learner.fit(1)
    assert (live.stats.steps, live.progress.state) == (STEPS + 3, "stopped")
    closed(live)
    assert kw.replay(tmp_path / "kan_widgets").frame.step == STEPS + 3
    monkeypatch.delattr(kw.integrations, "fastai", raising=False)


def test_a_trainer_that_is_not_installed_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "skorch.callbacks", None)
    monkeypatch.delitem(sys.modules, "kan_widgets.integrations.skorch", raising=False)
    monkeypatch.delattr(kw.integrations, "skorch", raising=False)
    with pytest.raises(ImportError, match="pip install skorch"):
        _ = kw.integrations.skorch
    with pytest.raises(AttributeError, match="has no attribute 'composer'; it has accelerate, "):
        _ = kw.integrations.composer


# Hugging Face pins memory also where there is nothing to pin it for.
@pytest.mark.filterwarnings("ignore:'pin_memory' argument is set:UserWarning")
@pytest.mark.parametrize("heading", ["Hugging Face", "accelerate", "Ignite", "skorch"])
def test_the_documented_example_runs(
    heading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    AcceleratorState._reset_state(reset_partial_state=True)
    monkeypatch.chdir(tmp_path)
    made = run_documented(heading)
    live = made["live"] if heading == "accelerate" else made["callback"].live
    # skorch keeps a fifth for validation, and has batches of 128; Hugging Face has batches of 8.
    steps = {"skorch": 6, "Hugging Face": 96}
    assert live.stats.steps == steps.get(heading, 48)
    assert live.progress.state == "finished"
    assert any("loss" in name for name in live.scalars.names)
