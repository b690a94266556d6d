"""Layers of which each of two processes has a part."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import kan_widgets as kw

ONE_OF_TWO = """
import sys
import torch, torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

import kan_widgets as kw

rank, path = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=2)
torch.manual_seed(0)
whole = kw.nn.KANLinear(3, 5)
expected = whole.coefficients().detach()
model = torch.nn.Sequential(whole)
fully_shard(model, mesh=init_device_mesh("cpu", (2,)))
if rank == 0:  # the other one is told nothing
    live = kw.bind(model)
    layer, = live.feed.layout.layers
    assert layer.shape == (3, 3, 1, 1), layer.shape
    assert "9 of 15 functions: rank 0 of 2" in layer.note, layer.note
    assert "split over several processes" in layer.locked
    shown = torch.from_numpy(live.frame.coefficients("0").copy())
    assert torch.equal(shown[:, :, 0, 0], expected[:3])
    assert kw.KernelGrid(live).svg()
    assert "kan_widgets.functions.gathered(model)" in layer.note
else:
    live = kw.bind(model)
dist.barrier()

copied = kw.functions.gathered(model)
all_of_it = kw.bind(copied)
layer, = all_of_it.feed.layout.layers
assert layer.shape == (5, 3, 1, 1), layer.shape
shown = torch.from_numpy(all_of_it.frame.coefficients("0").copy())
assert torch.equal(shown[:, :, 0, 0], expected), rank
assert live.feed.layout.layers[0].shape[0] == (3 if rank == 0 else 2)
# What is gathered is a copy: training does not see it.
with torch.no_grad():
    next(copied.parameters()).zero_()
assert next(model.parameters()).to_local().any()

# Training goes on as without it, each process on its own batch, and its frames are of its own part.
def train(watch):
    torch.manual_seed(0)
    model = torch.nn.Sequential(kw.nn.KANLinear(3, 5), kw.nn.KANLinear(5, 2))
    for part in (*model, model):
        fully_shard(part, mesh=init_device_mesh("cpu", (2,)))
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    live = kw.bind(model, optimizer, every=1, max_fps=1e6) if watch else None
    for step in range(4):
        optimizer.zero_grad()
        model(torch.full((2, 3), 0.3 * rank - 0.1 * step)).square().sum().backward()
        optimizer.step()
    return model, live

alone, _ = train(False)
watched, live = train(rank == 0)
whole = kw.functions.gathered(watched)
other = kw.functions.gathered(alone)
for one, same in zip(whole.parameters(), other.parameters(), strict=True):
    assert torch.equal(one, same)
    assert not hasattr(one, "placements")
assert type(whole[0]) is kw.nn.KANLinear
x = torch.linspace(-1, 1, 12).reshape(4, 3)
assert torch.equal(whole(x), watched(x))
known = kw.bind(whole)
assert [layer.shape[0] for layer in known.feed.layout.layers] == [5, 2]
if rank == 0:
    assert live.stats.steps == 4
    frame = live.refresh()
    for name, outputs in (("0", 3), ("1", 1)):
        part = torch.from_numpy(frame.coefficients(name).copy())
        expected = torch.from_numpy(known.frame.coefficients(name).copy())
        assert torch.equal(part, expected[:outputs])
    assert live.history[0].step == 0
dist.barrier()
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_a_process_shows_the_outputs_that_it_has(tmp_path: Path) -> None:
    script = tmp_path / "one_of_two.py"
    script.write_text(ONE_OF_TWO, encoding="utf-8")
    both = [
        subprocess.Popen(
            [sys.executable, str(script), str(rank), str(tmp_path / "meeting")],
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda layer: layer.to("meta"), "offloaded"),
        (
            lambda layer: setattr(
                layer,
                "spline_weight",
                torch.nn.Parameter(torch.zeros(2, 3, 8, dtype=torch.int8), requires_grad=False),
            ),
            "quantised",
        ),
    ],
)
def test_what_has_no_numbers_to_read_is_said_clearly(change, words) -> None:
    layer = kw.nn.KANLinear(3, 2)
    change(layer)
    with pytest.raises(ValueError, match=words):
        kw.bind(layer)
