"""How the pages are built; `make docs` builds them."""

from __future__ import annotations

import sys
from pathlib import Path

import kan_widgets

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "extensions")]

project = "kan_widgets"
author = "the kan_widgets contributors"
release = version = kan_widgets.__version__

extensions = [
    "playground",
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_nb",
    "hosts",
    "maths",
    "names",
    "pictures",
    "tutorials",
    "views",
]
exclude_patterns = ["extensions"]
html_math_renderer = "mathml"
myst_enable_extensions = ["dollarmath"]
nb_execution_mode = "off"  # `make site` executes the tutorials
nb_merge_streams = True
nb_render_markdown_format = "gfm"  # tables

# Every reference leads somewhere, or the build fails. What other packages define is named, not
# linked: finding their pages would take a network.
nitpicky = True
nitpick_ignore_regex = [
    (
        "py:.*",
        r"(torch|numpy|np|PIL|pathlib|bqplot|ipywidgets|traitlets|anywidget|typing|collections|threading|os)\..*",
    ),
    # As they are written where a name is imported for types alone.
    ("py:class", r"nn\.Module|Tensor|Image\.Image|Observation|LayerLayout|FrameTable"),
    ("py:class", "SeededTraining"),
]

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
default_role = "py:obj"  # what single backticks are in a docstring
recorded_run = str(HERE.parent / "build" / "see_a_kan_learn")  # which see_a_kan_learn.py writes
numpydoc_show_class_members = False
numpydoc_validation_checks = {"PR02", "PR03"}  # documented parameters exist, and are in order
numpydoc_validation_exclude = {r"^kan_widgets\.[A-Z]\w+$"}  # bases take traits as **options

smartquotes = False  # types are written with quotes
html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"kan_widgets {release}"
html_static_path = ["static"]
html_extra_path = ["llms.txt"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
