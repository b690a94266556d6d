"""A training in two processes by an engine: ``python -m tests.cluster.engines ENGINE FOLDER``.

Its recording is where the engine keeps its own files. What the weights were after each step is
beside it, as the first process had them: ``FOLDER/truth.pt``.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import kan_widgets as kw

EPOCHS = 20
OPTIONS: dict[str, Any] = {"every": 1, "max_fps": 1e6}


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(kw.nn.KANLinear(2, 4), kw.nn.KANLinear(4, 1))


def batches() -> DataLoader[tuple[Tensor, ...]]:
    x = torch.rand(80, 2, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return DataLoader(TensorDataset(x, x.prod(1, keepdim=True)), batch_size=8)


class Truth:
    """What the weights were, in the process that records."""

    def __init__(self, model: nn.Module, folder: Path, is_first: bool) -> None:
        self.model, self._path, self._is_first = model, folder / "truth.pt", is_first
        self.found: dict[int, dict[str, Tensor]] = {}

    def take(self, step: int) -> None:
        layers = kw.functions.read(kw.functions.unwrap(self.model))
        self.found[step] = {layer.name: layer.coefficients.clone() for layer in layers}

    def save(self) -> None:
        if self._is_first:
            torch.save(self.found, self._path)


def in_a_loop(live: kw.Binding, truth: Truth, loader: Any, step: Callable[[Any], None]) -> None:
    truth.take(0)
    for batch in live.track(loader, epochs=EPOCHS):
        step(batch)
        truth.take(live.stats.steps)
    live.close()
    truth.save()


def accelerate(folder: Path) -> None:
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True, project_dir=str(folder))
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    prepared, stepper, loader = accelerator.prepare(model, optimizer, batches())
    bind = kw.integrations.accelerate.bind
    live = bind(accelerator, prepared, stepper, record=True, **OPTIONS)

    def step(batch: Any) -> None:
        stepper.zero_grad()
        loss = nn.functional.mse_loss(prepared(batch[0]), batch[1])
        accelerator.backward(loss)
        stepper.step()
        live.log(loss=loss.detach())

    in_a_loop(live, Truth(model, folder, accelerator.is_main_process), loader, step)
    accelerator.end_training()


def lightning(folder: Path) -> None:
    import lightning.pytorch as pl

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def training_step(self, batch: Any, _: int) -> Tensor:
            loss = nn.functional.mse_loss(self.net(batch[0]), batch[1])
            self.log("loss", loss)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.net.parameters(), 0.01)

        def on_train_start(self) -> None:
            self.truth = Truth(self, folder, self.global_rank == 0)
            self.truth.take(0)

        def on_train_batch_end(self, *_: Any) -> None:
            self.truth.take(self.global_step)

        def on_train_end(self) -> None:
            self.truth.save()

    trainer = pl.Trainer(
        accelerator="cpu",
        devices=2,
        strategy="ddp",
        max_epochs=EPOCHS,
        default_root_dir=folder,
        callbacks=[kw.integrations.lightning.KANWidgets(record=True, **OPTIONS)],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Module(), batches())


def by_ray(config: dict[str, str]) -> None:
    """What each of Ray's workers runs."""
    import ray.train.torch

    model = network()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    prepared = ray.train.torch.prepare_model(model)
    loader = ray.train.torch.prepare_data_loader(batches())
    live = kw.integrations.ray.bind(prepared, optimizer, record=True, **OPTIONS)

    def step(batch: Any) -> None:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(prepared(batch[0]), batch[1])
        loss.backward()
        optimizer.step()
        kw.integrations.ray.report({"loss": loss.item()})

    is_first = ray.train.get_context().get_world_rank() == 0
    in_a_loop(live, Truth(model, Path(config["folder"]), is_first), loader, step)


@contextmanager
def ray_here(environment: dict[str, str]) -> Iterator[None]:
    """Start a Ray of one's own, and go to it; its workers get an environment.

    One of its processes waits 15 seconds for another to start, which takes longer on a machine that
    is busy and has not done so before: then it is started again. Ports are chosen beforehand, as
    there is no waiting for those that the parts of it choose.
    """
    import ray

    names = "dashboard-agent-listen", "dashboard-agent-grpc", "runtime-env-agent", "metrics-export"
    start = "import sys; from ray.scripts.scripts import main; sys.exit(main())"
    options = ["--head", "--num-cpus=3", "--disable-usage-stats"]
    # Of its parts those alone that are needed: each takes the processors for seconds as it starts.
    options += ["--include-dashboard=false", "--include-log-monitor=false", "--no-monitor"]
    for _ in range(5):
        probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
        port, *others = [str(probe.getsockname()[1]) for probe in probes]
        for probe in probes:
            probe.close()
        ports = [f"--{name}-port={other}" for name, other in zip(names, others, strict=True)]
        given = ["start", *options, f"--port={port}", *ports]
        node = subprocess.Popen([sys.executable, "-c", start, *given], start_new_session=True)
        try:
            if node.wait() == 0:  # it ends once all is there
                ray.init(f"127.0.0.1:{port}", runtime_env={"env_vars": environment})
                yield
                ray.shutdown()
                return
        finally:
            with suppress(ProcessLookupError):  # all that it has started, which it may leave
                os.killpg(node.pid, signal.SIGKILL)
    raise TimeoutError("Ray could not be started")


def ray(folder: Path) -> None:
    import ray.train.torch

    with ray_here({name: os.environ[name] for name in ("PYTHONPATH", "OMP_NUM_THREADS")}):
        result = ray.train.torch.TorchTrainer(
            by_ray,
            train_loop_config={"folder": str(folder)},
            scaling_config=ray.train.ScalingConfig(num_workers=2),
            run_config=ray.train.RunConfig(name="kan", storage_path=str(folder)),
        ).fit()
    assert result.error is None


if __name__ == "__main__":
    engines = {"accelerate": accelerate, "lightning": lightning, "ray": ray}
    engines[sys.argv[1]](Path(sys.argv[2]))
