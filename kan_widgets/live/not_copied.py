"""What is neither copied nor pickled with a model that it is an attribute of."""

from typing import Any


class NotCopied:
    """An attribute of a model that is ``None`` in a deep copy and once unpickled.

    It holds locks, threads and hooks of one training in one process; the copy of a model is not
    watched until it is bound itself. Comes before ipywidgets' classes, which refuse to be copied.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> None:
        return None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(None), ()
