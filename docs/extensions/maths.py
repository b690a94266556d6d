"""Formulas as MathML, which browsers draw by themselves: no script and no fonts to load."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

# The room asked for after a line, which the converter would print.
ROOM = re.compile(r"\\\\\[[^\]]*\]")


def mathml(node: nodes.Element, display: str) -> str:
    """Return a formula as HTML."""
    return convert(ROOM.sub(r"\\\\", node.astext()), display=display)


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
