"""See convolutional Kolmogorov-Arnold networks learn, in the notebook.

>>> import kan_widgets as kw
>>> model = kw.nn.KANCNN.article()
>>> live = kw.bind(model)
>>> kw.KernelGrid(live)  # doctest: +ELLIPSIS
<kan_widgets...KernelGrid object at ...>
"""

from kan_widgets import data, functions, insight, nn
from kan_widgets.live import Binding, Run, TrainingStopped, bind, fit
from kan_widgets.widgets import (
    Compare,
    Dashboard,
    Explain,
    KernelGrid,
    LayerRanges,
    MeshgridView,
    SplineInspector,
    TrainingPanel,
    save_html,
)

__version__ = "0.1.0"

__all__ = [
    "Binding",
    "Compare",
    "Dashboard",
    "Explain",
    "KernelGrid",
    "LayerRanges",
    "MeshgridView",
    "Run",
    "SplineInspector",
    "TrainingPanel",
    "TrainingStopped",
    "__version__",
    "bind",
    "data",
    "fit",
    "functions",
    "insight",
    "nn",
    "save_html",
]
