"""Live views on a page: figures of an essay, which code on the page makes, and those of tutorials.

``{live} caption`` runs its code and shows the view that the last line gives, alive; {value}`x`
stands for what is called x, and {at}`words <x>` for words that move the figures to step x. They
share the names of all code of the page, see `pictures`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from pictures import Run, names_of, shown
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

from kan_widgets.widgets.pages.page import parts_of_page
from kan_widgets.widgets.pages.page_text import site_script

SCRIPT = "kan_widgets.js"
INTERVAL = re.compile(r" ?\[[^\]]*\]")  # stays in one line with its mean
PAGE_MB = 2.1  # with script, styles and pictures a page stays below 3 MB


class Live(Run):
    """``{live} caption``: code that is run, and not shown, and the view that it gives."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Leave a place for the view."""
        place, view = nodes.raw("", "", format="html"), self.value()
        self.env.temp_data.setdefault("live_views", []).append((place, view))
        shown(self.env.app).add(type(view).__name__)
        words, faults = self.parse_inline(self.arguments[0])
        return [place, nodes.paragraph("", "", *words, classes=["figure-caption"]), *faults]


class Value(SphinxRole):
    """``{value}``: what a name stands for, as text."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the text."""
        names = names_of(self.env)
        if self.text not in names:
            fault = f"{{value}}: nothing on this page is called {self.text!r}"
            return [], [self.inliner.reporter.error(fault, line=self.lineno)]
        text = INTERVAL.sub(lambda found: found[0].replace(" ", "\xa0"), str(names[self.text]))
        return [nodes.Text(text)], []


class At(SphinxRole):
    """``{at}``: words that move the figures to a step, which a name of the page stands for."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return a button of these words, or of the step's number."""
        words, _, name = self.text.rstrip(">").rpartition(" <")
        names = names_of(self.env)
        if name not in names:
            fault = f"{{at}}: nothing on this page is called {name!r}"
            return [], [self.inliner.reporter.error(fault, line=self.lineno)]
        step = int(str(names[name]).replace(",", ""))
        button = (
            f'<button type="button" class="kw-at" data-kw-step="{step}">{words or step}</button>'
        )
        return [nodes.raw("", button, format="html")], []


def fill(app: Sphinx, document: nodes.document) -> None:
    """Put the views of a page into their places, and what fills them at its end."""
    found = app.env.temp_data.get("live_views", [])
    if not found:
        return
    places, views = zip(*found, strict=True)
    figures, filling = parts_of_page(views, PAGE_MB)
    for place, figure in zip(places, figures, strict=True):
        place += nodes.Text(figure)
    document += nodes.raw("", filling, format="html")


def load(app: Sphinx, page: str, template: str, context: dict[str, Any], document: Any) -> None:
    """Let pages that have live views load what draws them."""
    if 'id="kw-saved"' in context.get("body", ""):
        app.add_js_file(SCRIPT, loading_method="defer")


def write_script(app: Sphinx, error: Exception | None) -> None:
    """Write the one script of all pages."""
    if error is None:
        parts, start = site_script().rstrip().rsplit("\n", 1)
        words = f"(() => {{\n{(Path(app.confdir) / 'static' / 'words.js').read_text('utf-8')}}})();"
        script = "\n".join([parts, words, start, ""])
        (Path(app.outdir) / "_static" / SCRIPT).write_text(script, "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx of it."""
    app.add_directive("live", Live)
    app.add_role("value", Value())
    app.add_role("at", At())
    app.connect("doctree-read", fill)
    app.connect("html-page-context", load)
    app.connect("build-finished", write_script)
    return {"parallel_read_safe": False}
