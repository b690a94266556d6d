"""A training for torchrun: ``python -m tests.cluster.training MODE PLACE STEPS``, in each process.

All processes see the same batches, so that the training is that of one process. What it really was
after each step is beside the recording, gathered from all processes: ``PLACE.pt``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    ParallelStyle,
    RowwiseParallel,
    parallelize_module,
)
from torch.func import functional_call
from torch.nn.parallel import DistributedDataParallel

import kan_widgets as kw

RATE = 2.0**-6


class ByOutputs(ParallelStyle):
    """A KAN layer of which each process computes some outputs, which all have afterwards."""

    def _apply(self, module: nn.Module, device_mesh: DeviceMesh) -> nn.Module:
        for name, parameter in list(module.named_parameters()):
            part = distribute_tensor(parameter.detach(), device_mesh, [Shard(0)])
            module.register_parameter(name, nn.Parameter(part))
        forward = module.forward
        inside = False

        def computed(x: Tensor) -> Any:
            nonlocal inside
            if inside:
                return forward(x)
            inside = True
            try:
                # Each process has a part of what the gradient of x is.
                shared = DTensor.from_local(x, device_mesh, [Replicate()], run_check=False)
                x = shared.to_local(grad_placements=[Partial()])
                here = {name: one.to_local() for name, one in module.named_parameters()}  # type: ignore[attr-defined]
                own = functional_call(module, here, (x,))
            finally:
                inside = False
            parts = DTensor.from_local(own, device_mesh, [Shard(-1)], run_check=False)
            return parts.full_tensor()

        module.forward = computed
        return module


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        kw.nn.KANLinear(3, 8), kw.nn.KANLinear(8, 8), nn.Linear(8, 8), nn.Linear(8, 4)
    )


def ddp(model: nn.Sequential) -> nn.Module:
    return DistributedDataParallel(model)


def fsdp(model: nn.Sequential) -> nn.Module:
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    for part in (*model, model):
        fully_shard(part, mesh=mesh)
    return model


def tensor_parallel(model: nn.Sequential) -> nn.Module:
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    by = {"0": ByOutputs(), "1": ByOutputs(), "2": ColwiseParallel(), "3": RowwiseParallel()}
    return parallelize_module(model, mesh, by)


def weights(model: nn.Module) -> dict[str, Tensor]:
    """Return all coefficients of all layers, by name."""
    whole = network()
    own = kw.functions.unwrap(model).state_dict()
    all_of = {n: one.full_tensor() if isinstance(one, DTensor) else one for n, one in own.items()}
    whole.load_state_dict(all_of)
    return {layer.name: layer.coefficients.clone() for layer in kw.functions.read(whole)}


def stopped(mode: str, place: str) -> None:
    """Train in a loop that knows nothing of a stop, until one comes from afar.

    ``PLACE.RANK.pt`` has after which step it came, and the weights then.
    """
    dist.init_process_group("gloo")
    rank, model = dist.get_rank(), DistributedDataParallel(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    live = kw.bind(model, None if mode == "by hand" else optimizer, every=10)
    live.record(place, control=True)
    generator = torch.Generator().manual_seed(1)
    try:
        while True:
            descend(model, optimizer, generator)
            if mode == "by hand":
                live.step()
            if rank == 1:
                time.sleep(0.003)  # it is slower than the other
    except kw.TrainingStopped as end:
        torch.save((end.step, weights(model)), f"{place}.{rank}.pt")
    live.close()
    dist.barrier()
    dist.destroy_process_group()


def descend(model: nn.Module, optimizer: torch.optim.Optimizer, given: torch.Generator) -> Tensor:
    """Make a step, and return the loss."""
    x = torch.rand(4, 3, generator=given) * 2 - 1
    optimizer.zero_grad()
    loss = model(x).square().mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


MODES: dict[str, Callable[[nn.Sequential], nn.Module]] = {
    "alone": lambda model: model,
    "ddp": ddp,
    "fsdp": fsdp,
    "accelerate": fsdp,
    "accelerate-ddp": ddp,
    "tensor": tensor_parallel,
}


def steered(place: str) -> None:
    """Train in a plain DDP loop until somebody stops it from afar; write down what each rank did.

    ``PLACE.RANK.pt`` has at which steps the rate changed, and at which one it ended.
    """
    dist.init_process_group("gloo")
    rank, model = dist.get_rank(), DistributedDataParallel(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    live = kw.bind(model, optimizer, every=10)
    live.record(place, control=True)
    generator, changed = torch.Generator().manual_seed(rank), []
    for _ in live.track(range(1_000_000)):
        before = optimizer.param_groups[0]["lr"]
        optimizer.zero_grad()
        model(torch.rand(4, 3, generator=generator)).square().mean().backward()
        optimizer.step()
        if rank == 2:
            time.sleep(0.003)  # one that is slower than the others
        Path(f"{place}.{rank}.step").write_text(str(live.stats.steps))
        if before != optimizer.param_groups[0]["lr"]:
            changed.append(live.stats.steps)
    torch.save((changed, live.stats.steps, weights(model)), f"{place}.{rank}.pt")
    live.close()
    dist.barrier()
    dist.destroy_process_group()


def recorded(
    mode: str, model: nn.Module, optimizer: torch.optim.Optimizer, place: str
) -> kw.Binding:
    """Bind the model and record it, by two lines or by that for accelerate."""
    options: dict[str, Any] = {"every": 1, "max_fps": 1e6}
    if mode.startswith("accelerate"):
        from accelerate import Accelerator

        accelerator = Accelerator(cpu=True, project_dir=place)
        bind = kw.integrations.accelerate.bind
        record = place if mode == "accelerate-ddp" else True
        return bind(accelerator, model, optimizer, record=record, **options)
    live = kw.bind(model, optimizer, **options)
    live.record(place)
    return live


def main(mode: str, place: str, steps: str = "") -> None:
    if mode == "steered":
        steered(place)
        return
    if mode in ("bare", "by hand"):
        stopped(mode, place)
        return
    if mode != "alone":
        dist.init_process_group("gloo")
    model = MODES[mode](network())
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    live = recorded(mode, model, optimizer, place)
    rank = int(os.environ.get("RANK", "0"))
    truth = {0: weights(model)}
    generator = torch.Generator().manual_seed(1)
    for step in range(int(steps)):
        live.log(loss=descend(model, optimizer, generator))
        truth[step + 1] = weights(model)
        if step == 2:  # of a layer that all compute together all have the same inputs
            live.observe(torch.full((4, 3), (rank / 8 if mode != "tensor" else 0) - 0.5))
    live.close()
    if rank == 0:
        torch.save(truth, f"{place}.pt")
    if mode != "alone":
        dist.barrier()
        dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
