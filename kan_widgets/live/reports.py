"""Faults are reported, on the panels and as warnings, and never end what they happened in."""

import warnings
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, ParamSpec

Arguments = ParamSpec("Arguments")


class ReportsOnce:
    """Reports each kind of error of an event once."""

    _reported: frozenset[tuple[str, type[Exception]]] = frozenset()

    def is_new_fault(self, event: str, error: Exception) -> bool:
        """Whether this kind of error is still to be reported of an event; from now on it is not."""
        before = self._reported
        self._reported = before | {(event, type(error))}
        return self._reported != before


class Callback(ReportsOnce, Generic[Arguments]):
    """A function given by somebody else: what it raises is reported, each kind of error once.

    ``what`` says who calls it and when, for the report: ``"KernelGrid: on_select"``.
    """

    def __init__(self, what: str, call: Callable[Arguments, object]) -> None:
        self._what = what
        self._call = call

    def __call__(self, *arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        try:
            self._call(*arguments, **named)
        except Exception as error:
            if self.is_new_fault(self._what, error):
                name = getattr(self._call, "__qualname__", None) or repr(self._call)
                what = f"{self._what}: the callback {name}"
                report(f"{what} raised {error!r}. It will be called again")


_hearers: weakref.WeakSet[Any] = weakref.WeakSet()


def hear_reports(hearer: Any) -> None:
    """Call ``hearer.on_report(message)``, from any thread, with each report while it lives."""
    _hearers.add(hearer)


def report(message: str) -> None:
    """Warn, and tell the panels, without ever raising, even where warnings are errors."""
    for hearer in list(_hearers):
        with suppress(Exception):  # to report that would end here again
            hearer.on_report(message)
    with suppress(Warning):
        warnings.warn(message, RuntimeWarning, stacklevel=4)
