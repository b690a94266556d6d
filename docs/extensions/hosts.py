"""Facts on the page of hosts that are read from the package: its requirements, its views."""

from __future__ import annotations

import re
from importlib.metadata import requires
from typing import Any

import anywidget
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import kan_widgets


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a table in Markdown."""
    return [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]]


class Requirements(SphinxDirective):
    """``{requirements}``: which versions of some packages are required."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        rows = []
        for name in self.content:
            (found,) = (one for one in requires("kan-widgets") or () if re.match(rf"{name}\b", one))
            versions = ", ".join(sorted(found.removeprefix(name).split(","), reverse=True))
            rows.append([f"`{name}`", f"`{versions}`"])
        return self.parse_text_to_nodes("\n".join(table(["package", "versions"], rows)))


class Views(SphinxDirective):
    """``{views}``: every view, and whether it is an anywidget."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        views = [getattr(kan_widgets, name) for name in kan_widgets.__all__]
        views = [view for view in views if isinstance(view, type) and hasattr(view, "image")]
        rows = [
            [
                f"`{view.__name__}`",
                "anywidget" if issubclass(view, anywidget.AnyWidget) else "box of ipywidgets",
            ]
            for view in views
        ]
        return self.parse_text_to_nodes("\n".join(table(["view", "is an"], rows)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directives."""
    app.add_directive("requirements", Requirements)
    app.add_directive("views", Views)
    return {"parallel_read_safe": True}
