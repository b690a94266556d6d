"""All views by their names, and how to make each of a binding of the network here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import kan_widgets as kw

IMAGE = torch.zeros(1, 8, 8)
MAKERS: dict[str, Callable[[Any], Any]] = {
    "KernelGrid": kw.KernelGrid,
    "SplineInspector": kw.SplineInspector,
    "MeshgridView": kw.MeshgridView,
    "Explain": lambda live: kw.Explain(live, IMAGE),
    "LayerRanges": kw.LayerRanges,
    "TrainingPanel": kw.TrainingPanel,
    "Compare": lambda live: kw.Compare({"one": live}),
    "NetworkView": kw.NetworkView,
    "Dashboard": kw.Dashboard,
}


def network() -> nn.Module:
    return nn.Sequential(kw.nn.KANConv2d(1, 2, 3), nn.Flatten(), kw.nn.KANLinear(72, 3))
