"""See convolutional Kolmogorov-Arnold networks learn, in the notebook.

>>> import kan_widgets as kw
>>> model = kw.nn.KANCNN.article()
>>> live = kw.bind(model)
>>> kw.KernelGrid(live)
<KernelGrid of KANCNN: layer 'convs.0', mode 'auto', step 0, idle>
"""

from typing import TYPE_CHECKING

from kan_widgets import integrations
from kan_widgets.lazy_names import lazy

# torch and ipywidgets take seconds to import, so each name is imported when it is first used:
# `kan-widgets --help` needs neither.
if TYPE_CHECKING:
    from kan_widgets import data, figures, functions, insight, nn
    from kan_widgets.insight import ensemble, formula
    from kan_widgets.insight.moments import moments
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
    "moments",
    "nn",
    "playground",
    "replay",
    "save_html",
]

lazy(
    __name__,
    "live widgets insight",
    parts="data figures functions insight integrations live nn widgets",
)
