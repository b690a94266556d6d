"""Which map a dense layer reads: found while a batch is observed, however a model flattens."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import kan_widgets as kw


class Net(nn.Module):
    def __init__(self, flatten) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm1d(36)
        self.dense = kw.nn.KANLinear(36, 36)
        self.last = kw.nn.KANLinear(36, 3)
        self.flatten = flatten

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(torch.relu(self.conv(x)), 2)
        return self.last(self.dense(self.flatten(x, self)))


def fold_seen(flatten) -> tuple[int, int, int] | None:
    model = Net(flatten)
    seen = kw.bind(model).observe(torch.randn(5, 1, 8, 8))
    assert seen["last"].fold is None
    return seen["dense"].fold


@pytest.mark.parametrize(
    "flatten",
    [
        lambda x, _: x.flatten(1),
        lambda x, _: torch.flatten(x, 1),
        lambda x, _: nn.Flatten()(x),
        lambda x, _: x.view(x.shape[0], -1),
        lambda x, _: x.reshape(-1, 36),
        lambda x, net: net.norm(x.flatten(1)),
        lambda x, _: F.dropout(torch.tanh(x.flatten(1)) * 2 - 1, 0.5),
    ],
)
def test_a_flattened_map_is_known_by_its_shape(flatten):
    assert fold_seen(flatten) == (4, 3, 3)


@pytest.mark.parametrize(
    "flatten",
    [
        lambda x, _: x.flatten(1).flip(1),
        lambda x, _: x.flatten(1) @ torch.eye(36),
        lambda x, _: x.permute(0, 2, 3, 1).flatten(1)[:, torch.randperm(36)],
        lambda x, _: torch.cat([x.flatten(1)[:, :18], x.flatten(1)[:, 18:]], 1),
    ],
)
def test_what_was_mixed_after_flattening_is_no_map(flatten):
    assert fold_seen(flatten) is None


def test_channels_that_come_last_are_the_width_of_what_is_flattened():
    assert fold_seen(lambda x, _: x.permute(0, 2, 3, 1).flatten(1)) == (3, 3, 4)


def test_a_first_dense_layer_reads_the_images_themselves(tmp_path):
    model = nn.Sequential(nn.Flatten(), kw.nn.KANLinear(64, 3))
    live = kw.bind(model)
    assert live.observe(torch.randn(2, 1, 8, 8))["1"].fold == (1, 8, 8)
    path = tmp_path / "run.kan"
    live.save(path)
    assert kw.replay(path).feed.observed["1"].fold == (1, 8, 8)
    assert live.observe(torch.randn(2, 64))["1"].fold is None
