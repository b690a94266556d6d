"""What is printed: rows in columns or as HTML, and a bar for a long computation."""

import html
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
# Called with how many are done, and of how many.
OnProgress = Callable[[int, int], object]

_WIDTH = 24
_PATIENCE, _PERIOD = 2.0, 0.1


def progress(items: Collection[Item], label: str, patience: float = _PATIENCE) -> Iterator[Item]:
    """Yield the items; a bar is drawn once it has taken some seconds."""
    show = progress_line(label, patience)
    for number, item in enumerate(items):
        yield item
        show(number + 1, len(items))


def progress_line(label: str, patience: float = 0.0) -> OnProgress:
    """Return a `OnProgress` that draws a bar on standard error, which ends when all is done.

    It is drawn once ``patience`` seconds have passed, ten times a second at most. In a file or a
    log each tenth has a line of its own.
    """
    start, drawn, tenths = time.monotonic(), 0.0, 0

    def show(count: int, total: int) -> None:
        nonlocal drawn, tenths
        now, is_seen = time.monotonic(), _is_seen()
        tenth = 10 * count // max(1, total)
        is_due = now - drawn >= _PERIOD or count >= total if is_seen else tenth > tenths
        if (now - start < patience and not drawn) or not is_due:
            return
        drawn, tenths = now, tenth
        full = _WIDTH * count // max(1, total)
        bar = "█" * full + "░" * (_WIDTH - full)
        begin, end = ("\r" if is_seen else ""), ("\n" if not is_seen or count >= total else "")
        sys.stderr.write(f"{begin}{label} {bar} {count:,} of {total:,}{end}")
        sys.stderr.flush()

    return show


def _is_seen() -> bool:
    """Whether a line can be drawn over: on a terminal, and in a notebook."""
    return sys.stderr.isatty() or type(sys.stderr).__module__.startswith("ipykernel")


def lines_of(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Return rows in columns, of which some are flush right.

    Examples
    --------
    >>> lines_of([("name", "n"), ("a", "10")], right=[1])
    ['name   n', 'a     10']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if k in right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def table_of(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a table of HTML; what they hold is escaped."""
    head, *body = [[html.escape(cell) for cell in row] for row in rows]
    inner = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in body)
    return f"<table><tr><th>{'</th><th>'.join(head)}</th></tr>{inner}</table>"


class Printed:
    """What prints as its ``_words()`` and, below, its ``_rows()``, the first of them the heads.

    A dataclass of this kind is made with ``repr=False``.
    """

    _right: Collection[int] = (0, 1, 2, 3)

    def _words(self) -> list[str]:
        raise NotImplementedError

    def _rows(self) -> Sequence[Sequence[str]]:
        raise NotImplementedError

    def __str__(self) -> str:
        return "\n".join([*self._words(), "", *lines_of(self._rows(), self._right)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(' '.join(self._words()))}</p>{table_of(self._rows())}"
