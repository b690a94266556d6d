"""Work that is done again only when its tensors have changed."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import nn

from kan_widgets.functions.coefficients import remembered


class Counted:
    """Makes a new object at each call."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> object:
        self.calls += 1
        return object()


def test_on_the_cpu_any_change_of_values_counts_and_a_mere_new_tensor_does_not():
    module, make = nn.Module(), Counted()
    grid = torch.rand(3, 4)
    first = remembered(module, "grid", [grid], None, make)
    assert remembered(module, "grid", [grid.clone()], None, make) is first
    grid.data[1, 2] += 1
    assert remembered(module, "grid", [grid], None, make) is not first
    remembered(module, "grid", [grid], "another order", make)
    remembered(module, "other", [grid], None, make)
    remembered(nn.Module(), "grid", [grid], None, make)
    assert make.calls == 5


def test_several_tensors_are_compared_together():
    module, make = nn.Module(), Counted()
    grids = [torch.rand(2, 4) for _ in range(3)]
    first = remembered(module, "grid", grids, None, make)
    assert remembered(module, "grid", grids, None, make) is first
    grids[2].mul_(2)
    assert remembered(module, "grid", grids, None, make) is not first


# A meta tensor stands for one whose values would have to be fetched from an accelerator.
def test_off_the_cpu_values_are_not_touched_and_every_operation_in_place_counts():
    module, make = nn.Module(), Counted()
    grid = torch.zeros(3, 4, device="meta")
    first = remembered(module, "grid", [grid], None, make)
    assert remembered(module, "grid", [grid], None, make) is first
    grid.add_(1)
    second = remembered(module, "grid", [grid], None, make)
    assert second is not first
    assert remembered(module, "grid", [torch.zeros(3, 4)], None, make) is not second


def test_what_is_remembered_goes_with_the_module():
    module = nn.Linear(2, 2)
    gone = weakref.ref(remembered(module, "grid", [module.weight], None, nn.Module))
    assert gone() is not None
    del module
    gc.collect()
    assert gone() is None


def test_an_error_in_making_is_not_remembered():
    def fail() -> None:
        raise ValueError("the knots do not rise")

    module, make = nn.Module(), Counted()
    with pytest.raises(ValueError, match="rise"):
        remembered(module, "grid", [torch.zeros(2)], None, fail)
    remembered(module, "grid", [torch.zeros(2)], None, make)
    assert make.calls == 1
