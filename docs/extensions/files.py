"""README links files of a checkout, which are not on these pages: there they are only named."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

FOLDERS = ("tests/", "build/")


class Files(SphinxPostTransform):
    """Puts the words of such a link in its place, before it is looked for."""

    default_priority = 5

    def run(self, **_: Any) -> None:
        """Go through the links of a page."""
        for link in list(self.document.findall(pending_xref)):
            if link["reftype"] == "myst" and link["reftarget"].startswith(FOLDERS):
                link.replace_self(nodes.literal("", link.astext()))


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of it."""
    app.add_post_transform(Files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
