"""Ray Train: ``live = bind(model, optimizer)`` in the function that each worker runs."""

from collections.abc import Mapping
from typing import Any

import ray.train
from torch import nn

from kan_widgets.integrations.trainer import bind_in_loop, is_number
from kan_widgets.live import Binding

# The models that this worker has bound last.
_bound: list[Binding] = []


def bind(model: nn.Module, optimizer: Any = None, **options: Any) -> Binding:
    """Bind what a worker trains, after its checkpoint is loaded.

    The steps go on from those that the optimizer has counted, as Adam and its like do; for others
    give ``steps``. The worker of rank 0 records and sends; of a model that is split each records,
    and under a path that is given each adds what its layers have seen.

    ``record`` and ``send_to`` are as for `kan_widgets.integrations.trainer.Watcher`, ``True`` for
    the storage of the run; the rest is as for `kan_widgets.bind`.
    """
    context = ray.train.get_context()
    folder, is_first = _folder(context.get_storage()), context.get_world_rank() == 0
    _bound[:] = [bind_in_loop(model, optimizer, is_first, folder, **options)]
    return _bound[0]


def report(metrics: Mapping[str, Any], *args: Any, **options: Any) -> None:
    """Call ``ray.train.report``, and draw its numbers as curves of the models bound last."""
    if _bound:
        _bound[0].log(**{name: value for name, value in metrics.items() if is_number(value)})
    ray.train.report(metrics, *args, **options)


def _folder(storage: Any) -> str:
    """Return the folder of a run, as fsspec knows it."""
    protocol = storage.storage_filesystem.type_name.rpartition("+")[2]
    path = str(storage.experiment_fs_path)
    return path if protocol in ("local", "file") else f"{protocol}://{path}"
