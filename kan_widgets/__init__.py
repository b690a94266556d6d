"""See convolutional Kolmogorov-Arnold networks learn, in the notebook.

>>> import kan_widgets as kw
>>> model = kw.nn.KANCNN.article()
>>> live = kw.bind(model)
>>> kw.KernelGrid(live)
<KernelGrid of KANCNN: layer 'convs.0', mode 'auto', step 0, idle>
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# torch and ipywidgets take seconds to import, so each name is imported when it is first used:
# `kan-widgets --help` needs neither.
if TYPE_CHECKING:
    from kan_widgets import data, figures, functions, insight, integrations, nn
    from kan_widgets.insight import ensemble, formula
    from kan_widgets.live import Binding, Recorder, Replay, Run, TrainingStopped
    from kan_widgets.live.recordings.replay import follow, replay
    from kan_widgets.live.watching.bind import bind
    from kan_widgets.live.watching.fit import fit
    from kan_widgets.widgets import (
        Compare,
        Dashboard,
        Explain,
        KernelGrid,
        LayerRanges,
        MeshgridView,
        NetworkView,
        SplineInspector,
        TrainingPanel,
        playground,
        save_html,
    )

__version__ = "0.2.0"


def _sending(*given: Any) -> Any:
    """Make what ``live.send_to`` returns: `live` imports nothing of what is above it."""
    from kan_widgets.integrations.trackers import Sending

    return Sending(*given)


__all__ = [
    "Binding",
    "Compare",
    "Dashboard",
    "Explain",
    "KernelGrid",
    "LayerRanges",
    "MeshgridView",
    "NetworkView",
    "Recorder",
    "Replay",
    "Run",
    "SplineInspector",
    "TrainingPanel",
    "TrainingStopped",
    "__version__",
    "bind",
    "data",
    "ensemble",
    "figures",
    "fit",
    "follow",
    "formula",
    "functions",
    "insight",
    "integrations",
    "nn",
    "playground",
    "replay",
    "save_html",
]

if not TYPE_CHECKING:
    _PARTS = ("data", "figures", "functions", "insight", "integrations", "live", "nn", "widgets")

    def __getattr__(name: str) -> object:
        if name in _PARTS:
            return import_module(f"kan_widgets.{name}")
        for home in ("live", "widgets", "insight") if name in __all__ else ():
            part = import_module(f"kan_widgets.{home}")
            if name in part.__all__:
                return globals().setdefault(name, getattr(part, name))
        raise AttributeError(f"module 'kan_widgets' has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *_PARTS})
