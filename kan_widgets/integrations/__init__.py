"""Trainers and trackers: each is a file here, imported when it is first asked for.

``kw.integrations.lightning``, ``transformers``, ``ignite``, ``skorch`` and ``fastai`` each have a
callback ``KANWidgets`` for that trainer; ``accelerate`` and ``ray`` have a ``bind`` for loops of
one's own. Trackers are reached by ``live.send_to``.
"""

from importlib import import_module

from kan_widgets.lazy_names import makers

# None is imported unasked, not even by a star.
__all__: list[str] = []

# Each trainer with the package to install for it.
_TRAINERS = {
    "accelerate": "accelerate",
    "fastai": "fastai",
    "ignite": "pytorch-ignite",
    "lightning": "lightning",
    "ray": "'ray[train]'",
    "skorch": "skorch",
    "transformers": "transformers accelerate",
}


def _sending(*arguments: object) -> object:
    from kan_widgets.integrations.trackers import Sending

    return Sending(*arguments)  # type: ignore[arg-type]


makers["live.send_to"] = _sending


def __getattr__(name: str) -> object:
    if name not in _TRAINERS:
        raise AttributeError(
            f"module 'kan_widgets.integrations' has no attribute {name!r}; it has "
            f"{', '.join(_TRAINERS)}"
        )
    try:
        return import_module(f"kan_widgets.integrations.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("kan_widgets"):
            raise
        raise ImportError(
            f"kan_widgets.integrations.{name} needs {error.name}, which is not installed: "
            f"pip install {_TRAINERS[name]}"
        ) from error


def __dir__() -> list[str]:
    return sorted({*globals(), *_TRAINERS})
