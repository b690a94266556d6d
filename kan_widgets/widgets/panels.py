"""The panels that a dashboard can show, one line each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from kan_widgets.widgets.kernel_grid import KernelGrid
from kan_widgets.widgets.layer_ranges import LayerRanges
from kan_widgets.widgets.meshgrid_view import MeshgridView
from kan_widgets.widgets.network_view import NetworkView
from kan_widgets.widgets.options import nearest
from kan_widgets.widgets.spline_inspector import SplineInspector
from kan_widgets.widgets.training_panel import TrainingPanel
from kan_widgets.widgets.view import View


@dataclass(frozen=True)
class Panel:
    """What a dashboard can show."""

    view: type[View]
    attribute: str
    """Of the dashboard, where the view is found."""
    title: str
    about: str
    """What it shows, in a sentence."""
    wide: bool = False
    """It stands across both columns."""
    folds: bool = False
    """It can be folded away."""
    fills: int = 0
    """Where its drawing takes any height, so that it ends where the panel beside it ends: pixels
    that it has at least."""
    trains: bool = False
    """It needs something that trains: a binding or a recording."""
    page: str = "functions"
    """Where it stands while there are two pages; empty on both."""


PANELS = {
    "network": Panel(
        NetworkView,
        "network",
        "Network",
        "Network: from input to output, with an example running through it",
        wide=True,
        page="network",
    ),
    "training": Panel(
        TrainingPanel,
        "training",
        "Training",
        "Training: its controls and curves",
        folds=True,
        fills=130,
        trains=True,
        page="",
    ),
    "kernels": Panel(KernelGrid, "grid", "Kernels", "Kernels: every function of the layer"),
    "function": Panel(
        SplineInspector,
        "inspector",
        "Function",
        "Function: the selected one, and its terms",
        fills=212,
    ),
    "response": Panel(
        MeshgridView, "meshgrid", "Response", "Response: what the layer makes of an input"
    ),
    "ranges": Panel(
        LayerRanges, "ranges", "Ranges", "Ranges: how far each layer's functions reach", wide=True
    ),
}
Page = Literal["network", "functions"]
DEFAULT = ("network", "kernels", "function", "response", "training")


def check_panels(panels: Iterable[str]) -> tuple[str, ...]:
    """Return names of panels, each once. Raises before anything is made."""
    known = ", ".join(map(repr, PANELS))
    if isinstance(panels, str) or not isinstance(panels, Iterable):
        raise TypeError(f"panels: expected a list of some of {known}, got {panels!r:.80}")
    names = tuple(panels)
    for name in names:
        if name not in PANELS:
            hint = nearest(name, list(PANELS))
            raise ValueError(f"panels: expected some of {known}, got {name!r}.{hint}")
        if names.count(name) > 1:
            raise ValueError(f"panels: expected each panel once, got {name!r} twice")
    if not names:
        raise ValueError(f"panels: expected at least one of {known}, got none")
    return names
