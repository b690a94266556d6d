"""All views by their names, and how a cell makes each of a binding: for what all have in common.

A new view is one line of `CALLS`: the tests that take it from here are then tests of the view.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

import kan_widgets as kw

CALLS = {
    "KernelGrid": "kw.KernelGrid(live)",
    "SplineInspector": "kw.SplineInspector(live)",
    "MeshgridView": "kw.MeshgridView(live)",
    "Explain": "kw.Explain(live, image)",
    "LayerRanges": "kw.LayerRanges(live)",
    "TrainingPanel": "kw.TrainingPanel(live)",
    "Compare": 'kw.Compare({"one": live})',
    "NetworkView": "kw.NetworkView(live)",
    "Dashboard": "kw.Dashboard(live)",
}
IMAGE = torch.zeros(1, 8, 8)


def network() -> nn.Module:
    """Return a small network for images like `IMAGE`."""
    return nn.Sequential(kw.nn.KANConv2d(1, 2, 3), nn.Flatten(), kw.nn.KANLinear(72, 3))


def make(name: str, live: Any, image: Any = IMAGE) -> Any:
    """Return a new view of a binding; ``Explain`` is one of ``image``."""
    return eval(CALLS[name], {"kw": kw, "live": live, "image": image})


def all_but(*names: str) -> list[str]:
    """Return the names of the other views."""
    return [name for name in CALLS if name not in names]


def make_all(live: Any, image: Any = IMAGE, names: Iterable[str] = CALLS) -> list[Any]:
    """Return new views of a binding, all or those named."""
    return [make(name, live, image) for name in names]


def calls(names: Iterable[str] = CALLS, **options: str) -> str:
    """Return the code of a dict of views, by name; of some with more keywords, as in a call."""
    longer = {name: f"{CALLS[name][:-1]}, {more})" for name, more in options.items()}
    return "{" + ", ".join(f"{name!r}: {(CALLS | longer)[name]}" for name in names) + "}"


def dashed(name: str) -> str:
    """Return what a page calls a view: ``kernel-grid`` for ``KernelGrid``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
