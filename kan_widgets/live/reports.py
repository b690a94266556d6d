"""Faults are reported, on the panels and as warnings, and never end what they happened in."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, ParamSpec

Given = ParamSpec("Given")


class Callback(Generic[Given]):
    """A function given by somebody else: what it raises is reported, each kind of error once.

    ``what`` says who calls it and when, for the report: ``"KernelGrid: on_select"``.

    Examples
    --------
    >>> told = []
    >>> Callback("KernelGrid: on_select", told.append)("this function")
    >>> told
    ['this function']
    """

    def __init__(self, what: str, call: Callable[Given, object]) -> None:
        self._what = what
        self._call = call
        self._reported: frozenset[type[Exception]] = frozenset()

    def __call__(self, *arguments: Given.args, **named: Given.kwargs) -> None:
        """Call it."""
        try:
            self._call(*arguments, **named)
        except Exception as error:
            if type(error) not in self._reported:
                self._reported |= {type(error)}
                name = name_of(self._call)
                report(f"{self._what}: {name} raised {error!r}. It will be called again")


def name_of(call: Callable[..., object]) -> str:
    """Return what a report calls a function of somebody else."""
    return f"the callback {getattr(call, '__qualname__', None) or repr(call)}"


_hearers: weakref.WeakSet[Any] = weakref.WeakSet()


def hear_reports(hearer: Any) -> None:
    """Call ``hearer.on_report(message)``, from any thread, with each report while it lives."""
    _hearers.add(hearer)


def report(message: str) -> None:
    """Warn, and tell the panels, without ever raising, even where warnings are errors."""
    for hearer in list(_hearers):
        with suppress(Exception):  # to report that would end here again
            hearer.on_report(message)
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=4)
    except Warning:
        pass
