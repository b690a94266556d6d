"""Let what is clicked reach Python while a cell runs."""

from __future__ import annotations

from typing import Any, Protocol


class HasComm(Protocol):
    """A widget: it talks with its page by a comm."""

    comm: Any


def answer_during_cells(widget: HasComm) -> bool:
    """Let what is clicked reach Python while a cell runs, where the kernel can do that.

    ipykernel 7 handles messages of a comm on the thread that last published on it,
    which a running cell keeps busy. JupyterLab asks for a thread of its own (a subshell)
    for comms; this lets it have its way. Returns whether that was possible.
    """
    comm = widget.comm
    if not hasattr(comm, "_reply_subshell_for"):
        return False
    comm._reply_subshell_for = lambda data, asked: asked
    return True
