"""The tutorials as pages: with the pictures they are saved with, or with live views.

The notebooks are copied to ``docs/notebooks``. Of those that `make site` has executed and put into
the folder of the option ``live_tutorials``, the copies that lie there are taken.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
FOLDER = "notebooks"
DOWNLOADS = "_notebooks"
# What the notebooks import and read.
BESIDE = (
    "lesson.py",
    "what_you_saw.py",
    "beside_others.py",
    "networks_compared.py",
    "networks.json",
)
# A line of the index: its number, and the tutorial that it is about.
LINE = re.compile(r"^- \w+ \*\*\[([^\]]+)\]\((\w+)\.ipynb\)\*\*: (.+)\n", re.M)

ALIVE = """# Tutorials

The notebooks as they ran when these pages were built. Their views are alive: they play what the run
recorded, and can be pointed at, selected and drawn on; only what needs a model is off.
"""
PICTURED = """# Tutorials

The notebooks with the pictures that they were saved with; `make site` builds these pages with
views that are alive.
"""
RUN = """
To run them, `kan-widgets lab tutorials` opens them in JupyterLab: each by itself, in a minute or
two, on digits that come with the package. Or begin without any: <a
href="../playground/index.html">train a network here</a>, in the browser.
"""

# The text of a tutorial is that of a notebook.
HERE = """\

<p class="ways-to-run">On this page the run has ended, and its views play what it recorded: ▶, the
timeline, pointing, clicking, choosing and drawing an input work. Whatever the text says of running
cells, of pausing, and of dragging or changing a function needs the notebook.</p>
"""


def take(app: Sphinx) -> None:
    """Make pages' sources of the notebooks, and put what can be downloaded beside the pages."""
    if app.srcdir != app.confdir:
        return
    sources, downloads = Path(app.srcdir) / FOLDER, Path(app.outdir) / DOWNLOADS
    for folder in (sources, downloads):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for name in BESIDE:
        shutil.copy(NOTEBOOKS / name, downloads)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        shutil.copy(path, downloads)
        live = Path(app.config.live_tutorials, path.name)
        taken = live if app.config.live_tutorials and live.is_file() else path
        notebook = json.loads(taken.read_text("utf-8"))
        opening = notebook["cells"][0]
        ways = with_ways_to_run("".join(opening["source"]), path.name, alive=taken is live)
        opening["source"] = ways
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["outputs"] = [with_chart(output) for output in cell["outputs"]]
        (sources / path.name).write_text(json.dumps(notebook), "utf-8")
        (downloads / f"{path.stem}.png").write_bytes(richest_picture(path))
    text = (NOTEBOOKS / "index.md").read_text("utf-8")
    (sources / "index.md").write_text(index(text, bool(app.config.live_tutorials)), "utf-8")


def with_ways_to_run(opening: str, name: str, alive: bool) -> str:
    """Return a first cell that says how to run the notebook and, on a live page, what works."""
    title, _, rest = opening.partition("\n")
    beside = ", ".join(f'<a href="../{DOWNLOADS}/{of}" download>{of}</a>' for of in BESIDE)
    ways = (
        f'<p class="ways-to-run">To run it: <a href="../{DOWNLOADS}/{name}" download>download the '
        "notebook</a> and what it reads beside it ("
        f"{beside}) and open it with <code>jupyter lab {name}</code>, or open all with "
        "<code>kan-widgets lab tutorials</code>.</p>"
    )
    if alive:
        ways += HERE
    return f"{title}\n\n{ways}\n{rest}"


def with_chart(output: dict[str, Any]) -> dict[str, Any]:
    """Return an output that, if it is the photograph of a chart, can follow the page's theme.

    A photograph says how large it is to be shown; the picture of a view does not.
    """
    if "width" not in output.get("metadata", {}).get("image/png", {}):
        return output
    return {**output, "metadata": {}, "data": {"text/html": image_of(output)}}


def image_of(output: dict[str, Any]) -> str:
    """Return the picture of an output, as large as a photograph says that it is to be shown."""
    about = output.get("metadata", {}).get("image/png", {})
    size = " ".join(f'{side}="{pixels}"' for side, pixels in about.items())
    picture = "".join(output["data"]["image/png"]).replace("\n", "")
    return f'<img class="chart" alt="chart" {size} src="data:image/png;base64,{picture}">'


class Chart(SphinxDirective):
    """``{chart} caption``: the chart, or other picture, that a cell of a tutorial is saved with.

    Options say which ``:tutorial:``, by the name of its file, which ``:cell:``, by its id, and of
    several pictures which ``:number:``, from 0.
    """

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {  # noqa: RUF012
        "tutorial": directives.unchanged_required,
        "cell": directives.unchanged_required,
        "number": directives.nonnegative_int,
    }

    def run(self) -> list[nodes.Node]:
        """Return the chart and its caption."""
        path = NOTEBOOKS / f"{self.options['tutorial']}.ipynb"
        self.env.note_dependency(str(path))
        cells = {cell["id"]: cell for cell in json.loads(path.read_text("utf-8"))["cells"]}
        outputs = cells[self.options["cell"]]["outputs"]
        pictured = [output for output in outputs if "image/png" in output.get("data", {})]
        chart = image_of(pictured[self.options.get("number", 0)])
        words, faults = self.parse_inline(self.arguments[0])
        around = nodes.raw("", f'<div class="chart">{chart}</div>', format="html")
        return [around, nodes.paragraph("", "", *words, classes=["figure-caption"]), *faults]


def richest_picture(path: Path) -> bytes:
    """Return the largest picture that a tutorial was saved with."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    shown = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return max(
        (base64.b64decode(data["image/png"]) for data in shown if "image/png" in data), key=len
    )


def index(text: str, alive: bool) -> str:
    """Return the page that shows what each tutorial is about, from the list beside them."""
    lines = [*LINE.finditer(text)]
    cards = [
        f'<a class="card" href="{name}.html"><img src="../{DOWNLOADS}/{name}.png" alt="">'
        f"<span><strong>{title}</strong> {goal[0].upper()}{goal[1:]}</span></a>"
        for title, name, goal in (line.groups() for line in lines)
    ]
    tree = ["```{toctree}", ":hidden:", "", *(line[2] for line in lines), "```", ""]
    about = ALIVE if alive else PICTURED
    return "\n".join([about, RUN, "", '<div class="cards">', *cards, "</div>", "", *tree])


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx of it."""
    app.add_config_value("live_tutorials", "", "env")
    app.add_directive("chart", Chart)
    app.connect("builder-inited", take)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
