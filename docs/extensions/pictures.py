"""Code on a page is run while the pages are built, and what it shows is drawn: the gallery.

``{run}`` runs its code; ``{picture}`` runs its code and draws the view that the last line gives,
in light and in dark colours. All code of a page shares its names, in the order of the page.
"""

from __future__ import annotations

import ast
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

import kan_widgets

logger = logging.getLogger(__name__)

FOLDER = "_pictures"
WIDTH = 798  # pixels of the page; the style sheet fits it to the column of text
NARROW = {358: "28em", 560: "40em"}  # other widths, and the widest window that has each


def names_of(env: BuildEnvironment) -> dict[str, Any]:
    """Return the names that the code of the page being read shares.

    From the start it has ``recorded_run``: the folder that the option of this name says.
    """
    start = {"recorded_run": Path(env.config.recorded_run)}
    names: dict[str, Any] = env.temp_data.setdefault("pictures_names", start)
    return names


class Run(SphinxDirective):
    """``{run}``: code that is shown, and run; with ``:hidden:`` it is only run."""

    has_content = True
    option_spec = {"hidden": directives.flag}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Run the code."""
        self.value()
        return [] if "hidden" in self.options else [self.code()]

    def code(self) -> nodes.Node:
        """Return the code as it stands on the page."""
        text = "\n".join(self.content)
        return nodes.literal_block(text, text, language="python")

    def value(self) -> Any:
        """Run the code; return what its last line gives, if that is an expression."""
        names = names_of(self.env)
        lines = ast.parse("\n".join(self.content))
        last = lines.body.pop() if lines.body and isinstance(lines.body[-1], ast.Expr) else None
        where = f"{self.env.docname}:{self.content_offset}"
        try:
            exec(compile(lines, where, "exec"), names)
            return last and eval(compile(ast.Expression(last.value), where, "eval"), names)
        except Exception as error:
            raise self.error(f"the code raised {error!r}") from error


class Picture(Run):
    """``{picture} alternative text``: code that is shown and run, and the view that it gives."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Draw the view in both themes and for three widths; the page and its window choose."""
        view, number = self.value(), self.env.new_serialno("picture")
        folder = Path(self.env.app.outdir) / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"{self.env.docname.replace('/', '-')}-{number}"
        base = "../" * self.env.docname.count("/") + FOLDER
        pictures = ""
        for theme in ("light", "dark"):
            sources = ""
            for width in (*NARROW, WIDTH):
                file = f"{stem}-{width}-{theme}.webp"
                # Lossless, and not in the 256 colours of a notebook's picture.
                view.image(width=width, theme=theme).save(folder / file, lossless=True)
                if window := NARROW.get(width):
                    sources += f'<source media="(max-width: {window})" srcset="{base}/{file}">'
            pictures += (
                f'<picture>{sources}<img class="picture only-{theme}" src="{base}/{file}" '
                f'alt="{escape(self.arguments[0])}"></picture>'
            )
        shown(self.env.app).add(type(view).__name__)
        return [self.code(), nodes.raw("", pictures, format="html")]


def shown(app: Sphinx) -> set[str]:
    """Return the names of the classes that the gallery has a picture of."""
    if not hasattr(app, "views_shown"):
        app.views_shown = set()
    return app.views_shown


def every_view_is_shown(app: Sphinx, error: Exception | None) -> None:
    """Warn of views without a picture, which fails the build."""
    views = {n for n in kan_widgets.__all__ if hasattr(getattr(kan_widgets, n), "image")}
    for name in sorted(views - shown(app)) if error is None else ():
        logger.warning("docs/gallery.md has no picture of kan_widgets.%s", name)


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directives."""
    app.add_config_value("recorded_run", "", "env")
    app.add_directive("run", Run)
    app.add_directive("picture", Picture)
    app.connect("build-finished", every_view_is_shown)
    return {"parallel_read_safe": False}
