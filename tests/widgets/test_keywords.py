"""Keywords of the views: signature, traits and docstring agree, and tools know them."""

from __future__ import annotations

import inspect
import json
import pathlib
import re
import subprocess
import sys
import textwrap

import pytest
from mypy import api
from numpydoc.docscrape import NumpyDocString

import kan_widgets as kw
from kan_widgets.widgets.kernel_grid import SORTS
from kan_widgets.widgets.shell.options import Choice
from kan_widgets.widgets.shell.view import View

CHECKOUT = pathlib.Path(__file__).parents[2]
VIEWS = {
    name: view
    for name in kw.__all__
    if isinstance(view := getattr(kw, name), type) and issubclass(view, View)
}
SIZES = {"width": 900, "max_height": 900, "pixel_ratio": 2}


@pytest.fixture(params=VIEWS)
def view(request: pytest.FixtureRequest) -> type[View]:
    found: type[View] = VIEWS[request.param]
    return found


def words_of(view: type[View]) -> dict[str, list[str]]:
    """Give the words that options take which take only some."""
    known = view.class_traits(option=True)
    return {name: trait.words(None) for name, trait in known.items() if type(trait) is Choice}


def test_the_signature_names_all_keywords_and_their_defaults(view: type[View]) -> None:
    shown = inspect.signature(view).parameters
    options = view.class_traits(option=True)
    first = "models" if view is kw.Compare else "live_or_model"
    assert next(iter(shown)) == first
    assert {*options, "theme", "layout"} <= shown.keys()
    assert all(one.kind is not inspect.Parameter.VAR_KEYWORD for one in shown.values())
    for name in options.keys() - {"layer"}:
        default = shown[name].default
        assert options[name].default() == (list(default) if isinstance(default, tuple) else default)


def test_the_signature_has_the_words_that_are_taken(view: type[View]) -> None:
    shown = inspect.signature(view).parameters
    assert "theme" in words_of(view)
    for name, words in words_of(view).items():
        assert shown[name].annotation == f"Literal{json.dumps(words)}"


def test_the_docstring_says_what_each_is(view: type[View]) -> None:
    doc = NumpyDocString(inspect.getdoc(view))
    described = {one.name: one for one in doc["Parameters"]}
    assert list(described) == list(inspect.signature(view).parameters)
    assert all("".join(one.desc).strip() for one in described.values())
    for name, words in words_of(view).items():
        assert re.findall(r'"(.*?)"', described[name].type) == words
    assert {"TypeError", "traitlets.TraitError"} <= {one.type for one in doc["Raises"]}
    assert doc["Examples"] or view is View


@pytest.mark.parametrize(
    ("file", "view", "options"),
    [
        ("kernel_grid/settings", kw.KernelGrid, {"GRID_MODES": "mode", "SCALES": "scale"}),
        ("layer_ranges/content", kw.LayerRanges, {"MEASURES": "over_time"}),
        ("meshgrid_view/settings", kw.MeshgridView, {"MESH_MODES": "mode", "INPUTS": "input"}),
    ],
)
def test_the_browser_knows_the_words_of_a_view(
    file: str, view: type[View], options: dict[str, str]
) -> None:
    source = (CHECKOUT / f"js/src/views/{file}.ts").read_text("utf-8")
    lists = {n: json.loads(w) for n, w in re.findall(r"const (\w+) = (\[.*\]) as const", source)}
    assert lists.pop("SORTS", SORTS) == SORTS
    words = words_of(view)
    assert lists == {
        name: [word for word in words[option] if word != "auto"] for name, option in options.items()
    }


@pytest.mark.parametrize("method", ["svg", "image", "to_png", "to_svg", "animate"])
def test_a_picture_has_a_signature_with_the_options_of_its_view(
    view: type[View], method: str
) -> None:
    if (view, method) == (kw.Explain, "animate"):
        return  # it has no history
    shown = dict(inspect.signature(getattr(view.__new__(view), method)).parameters)
    given = {"path", "steps", "most", "fps", "quiet"} & shown.keys()
    assert set(shown) == {*given, *SIZES, *view._options()}
    sizes = {name: shown[name].default for name in SIZES}
    tallest = {"max_height": 4000} if view is kw.Compare else {}
    ratio = {"pixel_ratio": 1} if method == "animate" else {}
    assert sizes == SIZES | tallest | ratio
    assert repr(shown["theme"].default) == "as shown"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "save",
            r"KernelGrid has no attribute 'save'. Write to_png\(\"view\.png\"\), to_svg or",
        ),
        ("savefig", "Write to_png"),
        ("save_png", "Write to_png"),
        ("show", "the view as the last line of a cell"),
        ("plot", "Write to_png"),
    ],
)
def test_what_is_called_otherwise_elsewhere_says_what_to_write(name: str, words: str) -> None:
    grid = kw.KernelGrid(kw.nn.KANLinear(2, 1))
    with pytest.raises(AttributeError, match=words):
        getattr(grid, name)
    assert name not in dir(grid)


# A process of its own: a shell stays, and holds what it has shown.
COMPLETED = """
import json, sys
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
import kan_widgets as kw

shell = InteractiveShell()
shell.Completer.use_jedi = sys.argv.pop(1) == "jedi"
live = kw.bind(kw.nn.KANLinear(2, 1))
shell.user_ns |= {"kw": kw, "live": live, "grid": kw.KernelGrid(live)}
with provisionalcompleter():
    found = [
        [one.text for one in shell.Completer.completions(text, len(text))] for text in sys.argv[1:]
    ]
print(json.dumps(found))
"""


@pytest.mark.parametrize("way", ["jedi", "IPython's own"])
def test_a_notebook_completes_the_keywords(way: str) -> None:
    wanted = {
        "kw.KernelGrid(live, bi": "binarise=",
        "kw.Dashboard(live, pan": "panels=",
        "grid.to_png('a.png', max": "max_height=",
        "grid.image(sc": "scale=",
        "live.": "watchdog",
        "live.feed.": "standing",
    }
    if way == "jedi":  # the other computes no property
        wanted["live.control."] = "pause"
    texts = [*wanted, "grid.image(ta"]
    done = subprocess.run(
        [sys.executable, "-c", COMPLETED, way, *texts], capture_output=True, text=True, cwd=CHECKOUT
    )
    assert done.returncode == 0, done.stderr
    *found, other = json.loads(done.stdout)
    for one, name in zip(found, wanted.values(), strict=True):
        assert name in [text.lstrip(".") for text in one]
    assert "target=" not in other


SAMPLE = """
from typing import Any

import kan_widgets as kw

def use(live: Any, image: Any) -> None:
    grid = kw.KernelGrid(live, 1, mode="curves", height=300, theme="dark", binarise=True)
    kw.KernelGrid(live, layer="fc", layout={"width": "50%"}, ghost=False)
    kw.KernelGrid(live, laier=2)  # wrong
    kw.KernelGrid(live, mode="bars")  # wrong
    kw.KernelGrid(live, height="tall")  # wrong
    kw.Explain(live, image, target=3, layer=0, top=5)
    kw.Explain(live)  # wrong
    kw.Compare({"a": live}, show="networks", zoom=[0, 9])
    kw.Compare({"a": live}, show="network")  # wrong
    kw.Dashboard(live, panels=["kernels"], page="functions")
    kw.Dashboard(live, mode="curves")  # wrong
    kw.SplineInspector(live, editable=True, show=["phi"])
    kw.SplineInspector(live, editable="yes")  # wrong
    kw.TrainingPanel(live, smoothing=0, scale="log")
    kw.TrainingPanel(live, scale="kernel")  # wrong
    kw.LayerRanges(live, over_time="silu")
    kw.LayerRanges(live, over_time="time")  # wrong
    kw.NetworkView(live, example=3, height=400)
    kw.NetworkView(live, example="first")  # wrong
    kw.MeshgridView(live, mode="pair", limits=(-2, 2), images=image)
    kw.MeshgridView(live, mode="curves")  # wrong
    grid.image(width=300, pixel_ratio=1, mode="pattern").size
    grid.mode = "pattern"
    grid.mode = "curvs"  # wrong
    grid.theme = "drak"  # wrong
    grid.height = "tall"  # wrong
    grid.to_png("grid.png", max_height=400).name
    grid.to_png().startswith(b"")
    grid.animate("run.gif", fps=5, pixel_ratio=2, mode="change")
    grid.save_html("grid.html", title="Grid", max_mb=5)
    grid.save_html("grid.html", name="Grid")  # wrong
"""

# What is nothing to the keywords is not followed, which would take minutes.
CONFIGURATION = """
[mypy]
python_version = 3.10
strict = true
disallow_subclassing_any = false
[mypy-torch.*,IPython.*,PIL.*,scipy.*,sympy.*,matplotlib.*,bqplot.*]
follow_imports = skip
ignore_missing_imports = true
[mypy-kan_widgets.*,anywidget.*,ipywidgets.*,traitlets.*,numpy.*]
ignore_errors = true
ignore_missing_imports = true
"""


@pytest.mark.slow
def test_mypy_takes_right_keywords_and_refuses_wrong_ones(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text(SAMPLE)
    (tmp_path / "mypy.ini").write_text(textwrap.dedent(CONFIGURATION))
    monkeypatch.setenv("MYPYPATH", str(CHECKOUT))
    monkeypatch.chdir(tmp_path)
    said, trouble, _ = api.run(["--config-file", "mypy.ini", "--cache-dir", "cache", "sample.py"])
    assert trouble == ""
    found = {int(line) for line in re.findall(r"^sample\.py:(\d+): error", said, re.MULTILINE)}
    wrong = {n for n, line in enumerate(SAMPLE.splitlines(), 1) if line.endswith("# wrong")}
    assert found == wrong, said
