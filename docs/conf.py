"""How the pages are built; `make docs` builds them."""

from __future__ import annotations

import sys
from pathlib import Path

import kan_widgets

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "kan_widgets"
author = "the kan_widgets contributors"
release = version = kan_widgets.__version__

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_parser",
    "files",  # these four lie in docs/extensions
    "hosts",
    "names",
    "pictures",
]
exclude_patterns = ["extensions"]

# Every reference leads somewhere, or the build fails. What other packages define is named, not
# linked: finding their pages would take a network.
nitpicky = True
nitpick_ignore_regex = [
    (
        "py:.*",
        r"(torch|numpy|np|PIL|pathlib|bqplot|ipywidgets|traitlets|anywidget|typing|collections|threading|os)\..*",
    ),
    # Of torch too, where it is imported for types alone.
    ("py:class", r"nn\.Module|Tensor"),
]

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
default_role = "py:obj"  # what single backticks are in a docstring
numpydoc_show_class_members = False
numpydoc_validation_checks = {"PR02", "PR03"}  # documented parameters exist, and are in order
numpydoc_validation_exclude = {r"^kan_widgets\.[A-Z]\w+$"}  # views take their traits as **options

smartquotes = False  # types are written with quotes
html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"kan_widgets {release}"
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
