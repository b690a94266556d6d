"""Rows of words in print, the first of them the heads: lines of text, and a table of HTML."""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence


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
