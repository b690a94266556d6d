"""accelerate: ``live = bind(accelerator, model, optimizer)``, of what ``prepare`` has returned."""

from typing import Any

from accelerate import Accelerator
from torch import nn

from kan_widgets.integrations.trainer import bind_in_loop
from kan_widgets.live import Binding


def bind(accelerator: Accelerator, model: nn.Module, optimizer: Any, **options: Any) -> Binding:
    """Bind what accelerate has prepared, after ``accelerator.load_state`` where that is called.

    The steps go on from those that the optimizer has counted, as Adam and its like do; for others
    give ``steps``. The main process records and sends; of a model that is split each records, and
    under a path that is given each adds what its layers have seen.

    ``record`` and ``send_to`` are as for `kan_widgets.integrations.trainer.Watcher`, ``True`` for
    ``project_dir`` and the trackers of ``init_trackers``; the rest is as for `kan_widgets.bind`.
    """
    is_first, folder = accelerator.is_main_process, accelerator.project_dir
    return bind_in_loop(model, optimizer, is_first, folder, accelerator.trackers, **options)
