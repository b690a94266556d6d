"""Formulas as MathML, which browsers draw by themselves: no script and no fonts to load."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

# The room asked for after a line, which the converter would print.
ROOM = re.compile(r"\\\\\[[^\]]*\]")
# The name of a function, ln or log with its base, between what it is multiplied by and applied to.
NAME = re.compile(
    r"(</m(?:i|n|row|sub|sup|frac)>)?(<msub><mi>[a-z]{2,}</mi>.*?</msub>|<mi>[a-z]{2,}</mi>)"
    r"(?=(<m(?:i|n|row|sub|sup|frac)>)?)"
)
THIN = '<mspace width="0.167em" />'


def mathml(node: nodes.Element, display: str) -> str:
    """Return a formula as HTML, with the room around names that the converter leaves out."""
    return NAME.sub(apart, convert(ROOM.sub(r"\\\\", node.astext()), display=display))


def apart(found: re.Match[str]) -> str:
    """Return the name of a function with a thin space to each operand beside it."""
    before, name, after = found.groups()
    return (before + THIN if before else "") + name + (THIN if after else "")


def inline(writer: Any, node: nodes.Element) -> None:
    """Write a formula that stands in a line."""
    writer.body.append(mathml(node, "inline"))
    raise nodes.SkipNode


def block(writer: Any, node: nodes.Element) -> None:
    """Write a formula that stands by itself."""
    writer.body.append(f'<div class="formula">{mathml(node, "block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of it."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
