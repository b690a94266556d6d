"""The forms of a layer as a table: how often each is the best, and the first functions."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

import numpy as np

from kan_widgets.insight.forms import CONSTANT
from kan_widgets.insight.symbolic_words import NO_FORM, interval, r2_text

if TYPE_CHECKING:
    from kan_widgets.insight.symbolic_fits import SymbolicFits

FEWEST = 32
"""Images (rows) below which forms are not to be relied on."""
_ROWS = 20


def text(fits: SymbolicFits) -> str:
    """Return the table as lines of text."""
    lines = [_header(fits), "", *_lines(_summary(fits), (1, 2, 3, 4, 5)), ""]
    lines += _lines(_functions(fits), (2, 7))
    return "\n".join([*lines, more] if (more := _more(fits)) else lines)


def page(fits: SymbolicFits) -> str:
    """Return the table as HTML."""
    parts = [f"<p>{html.escape(_header(fits))}</p>", _table(_summary(fits))]
    parts.append(_table(_functions(fits)))
    return "".join([*parts, f"<p>{more}</p>"] if (more := _more(fits)) else parts)


def _header(fits: SymbolicFits) -> str:
    words = (
        f"{fits.layer}: {len(fits):,} functions, {fits.patches:,} inputs each of "
        f"{fits.samples:,} samples; penalty {fits.penalty:g}; no form fits below R² "
        f"{fits.least:g}."
    )
    if not math.isnan(fits.agreement):
        words += (
            f" Two halves of the samples name the same form for {100 * fits.agreement:.0f} % of "
            "the functions."
        )
    if fits.too_few:
        words += f" Too few samples to rely on: {FEWEST} or more are needed."
    return words


def _summary(fits: SymbolicFits) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("best form", "functions", "share", "median R²", "least R²", "halves agree")
    ]
    names = {form.name: k for k, form in enumerate(fits.forms)}
    for name, count in fits.counts().items():
        if name == NO_FORM:
            mine = np.flatnonzero(~fits.fitted & (fits.form[:, 0] >= 0))
        else:
            mine = np.flatnonzero(fits.fitted & (fits.form[:, 0] == names[name]))
        cells = ["–", "–", "–"]
        if name != CONSTANT.name:
            r2, error = fits.r2[mine, 0], fits.error[mine, 0]
            at = [np.argsort(r2)[len(r2) // 2], r2.argmin()]
            agree = fits.agrees[mine][np.isfinite(fits.agrees[mine])]
            cells = [
                *(r2_text(float(r2[k]), float(error[k])) for k in at),
                f"{100 * agree.mean():.0f} %" if len(agree) else "–",
            ]
        rows.append((name, f"{count:,}", f"{100 * count / len(fits):.1f} %", *cells))
    return rows


def _functions(fits: SymbolicFits) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (
            "function",
            "φ(x) ≈",
            "R²",
            "halves",
            "inputs",
            "holds on",
            "next best",
            "its R²",
            "near ties",
        )
    ]
    columns = 9 if fits.form.shape[1] > 1 else 6
    for number in range(min(_ROWS, len(fits))):
        out, in_, row, column = (int(i) for i in np.unravel_index(number, fits.shape))
        place = f"{out},{in_}" if fits.shape[2:] == (1, 1) else f"{out},{in_} {row},{column}"
        found = fits.at((out, in_, row, column))
        if not found:
            rows.append((place, "not finite", *["–"] * 7))
            continue
        best, other = found[0], found[1] if len(found) > 1 else None
        rows.append(
            (
                place,
                str(best) if best.fits else f"{NO_FORM}: best {best}",
                r2_text(best.r2, best.error),
                {None: "–", True: "agree", False: "differ"}[best.agrees],
                interval(best.low, best.high),
                "nowhere" if best.holds is None else interval(*best.holds),
                "" if other is None else other.form.name,
                "" if other is None else r2_text(other.r2, other.error),
                ", ".join(fit.form.name for fit in found if fit.tied),
            )
        )
    return [row[:columns] for row in rows]


def _lines(rows: list[tuple[str, ...]], right: tuple[int, ...]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if k in right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _table(rows: list[tuple[str, ...]]) -> str:
    head, *body = [[html.escape(cell) for cell in row] for row in rows]
    inner = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in body)
    return f"<table><tr><th>{'</th><th>'.join(head)}</th></tr>{inner}</table>"


def _more(fits: SymbolicFits) -> str:
    rest = len(fits) - _ROWS
    return f"and {rest:,} more: at(index), best()" if rest > 0 else ""
