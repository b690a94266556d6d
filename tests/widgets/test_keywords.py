"""Keywords of the views: signature, traits, types and docstring agree, and tools know them."""

from __future__ import annotations

import inspect
import json
import pathlib
import re
import subprocess
import sys
import textwrap
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from mypy import api
from numpydoc.docscrape import NumpyDocString

import kan_widgets as kw
from kan_widgets.widgets import keywords
from kan_widgets.widgets.choices import Choice
from kan_widgets.widgets.view import View

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


def typed(view: type[View]) -> dict[str, Any]:
    module = sys.modules[view.__module__]
    return get_type_hints(getattr(module, f"{view.__name__}Options"))


def own(view: type[View]) -> dict[str, inspect.Parameter]:
    """Return the parameters that its ``__init__`` has by name."""
    found = dict(inspect.signature(view.__init__).parameters)
    return {name: one for name, one in found.items() if name not in ("self", "options")}


def test_the_signature_names_all_keywords_and_their_defaults(view: type[View]) -> None:
    shown = inspect.signature(view).parameters
    options = {n for n, trait in view.class_traits().items() if trait.metadata.get("option")}
    assert set(shown) == {*own(view), *options, "layout"}
    assert all(one.kind is not inspect.Parameter.VAR_KEYWORD for one in shown.values())
    for name in options - own(view).keys():
        assert shown[name].default == view.class_traits()[name].default()
        assert shown[name].kind is inspect.Parameter.KEYWORD_ONLY


def test_type_checkers_are_told_of_the_same_keywords(view: type[View]) -> None:
    types, shown = typed(view), inspect.signature(view).parameters
    assert {*types, *own(view)} == set(shown)
    assert not types.keys() & own(view).keys()
    for name, kind in types.items():
        assert shown[name].annotation == kind
        trait = view.class_traits().get(name)
        if isinstance(trait, Choice) and kind is not str:
            assert get_origin(kind) is Literal
            assert list(get_args(kind)) == trait.words(None)


def test_the_docstring_says_what_each_is(view: type[View]) -> None:
    described = {one.name: one.type for one in NumpyDocString(inspect.getdoc(view))["Parameters"]}
    assert set(described) == set(inspect.signature(view).parameters)
    for name, kind in typed(view).items():
        if get_origin(kind) is Literal:
            words = re.search(r"\{.*\}", described[name].replace("\n", " "))
            assert words is not None
            assert re.findall(r'"(.*?)"', words[0]) == list(get_args(kind))


def words_in(kind: Any) -> set[Any]:
    if get_origin(kind) is Literal:
        return set(get_args(kind))
    return set().union(*map(words_in, get_args(kind)))


def test_a_picture_takes_the_options_of_all_views_in_their_types() -> None:
    pictured = get_type_hints(keywords.Shown)
    assert set(pictured) == set().union(*(view._options() for view in VIEWS.values()))
    for name, kind in pictured.items():
        taken = [types[name] for view in VIEWS.values() if name in (types := typed(view))]
        assert words_in(kind) == set().union(*map(words_in, taken))


@pytest.mark.parametrize("method", ["svg", "image", "to_png", "to_svg", "to_pdf", "animate"])
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


# A process of its own: a shell stays, and holds what it has shown.
COMPLETED = """
import json, sys
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
import kan_widgets as kw

shell = InteractiveShell()
shell.Completer.use_jedi = False
shell.user_ns |= {"kw": kw, "grid": kw.KernelGrid(kw.nn.KANLinear(2, 1))}
with provisionalcompleter():
    found = [
        [one.text for one in shell.Completer.completions(text, len(text))] for text in sys.argv[1:]
    ]
print(json.dumps(found))
"""


def test_a_notebook_completes_the_keywords() -> None:
    wanted = {
        "kw.KernelGrid(live, bi": "binarise=",
        "kw.Dashboard(live, pan": "panels=",
        "grid.to_png('a.png', max": "max_height=",
        "grid.image(x_": "x_range=",
    }
    texts = [*wanted, "grid.image(ta"]
    done = subprocess.run(
        [sys.executable, "-c", COMPLETED, *texts], capture_output=True, text=True, cwd=CHECKOUT
    )
    assert done.returncode == 0, done.stderr
    *found, other = json.loads(done.stdout)
    for one, name in zip(found, wanted.values(), strict=True):
        assert name in one
    assert "target=" not in other


SAMPLE = """
from typing import Any

import kan_widgets as kw

def use(live: Any, image: Any) -> None:
    grid = kw.KernelGrid(live, 1, mode="curves", height=300, theme="dark", fold=(25, 5, 5))
    kw.KernelGrid(live, layer="fc", layout={"width": "50%"}, ghost=False)
    kw.KernelGrid(live, laier=2)  # wrong
    kw.KernelGrid(live, mode="bars")  # wrong
    kw.KernelGrid(live, height="tall")  # wrong
    kw.Explain(live, image, target=3, layer=0, top=5)
    kw.Explain(live)  # wrong
    kw.Compare({"a": live}, show="networks", zoom=[0, 9])
    kw.Compare({"a": live}, show="network")  # wrong
    kw.Dashboard(live, panels=["kernels"], page="functions", folded=True)
    kw.Dashboard(live, mode="curves")  # wrong
    kw.SplineInspector(live, editable=True, evaluate=lambda: 0.5, show=["phi"])
    kw.SplineInspector(live, evaluate="accuracy")  # wrong
    kw.TrainingPanel(live, smoothing=0, scale="log")
    kw.TrainingPanel(live, scale="kernel")  # wrong
    kw.LayerRanges(live, over_time="silu", threshold=0.9)
    kw.LayerRanges(live, over_time="time")  # wrong
    kw.NetworkView(live, relevance="auto", top=3)
    kw.NetworkView(live, relevance="all")  # wrong
    kw.MeshgridView(live, mode="pair", limits=(-2, 2), images=image)
    kw.MeshgridView(live, mode="curves")  # wrong
    grid.image(width=300, pixel_ratio=1, mode="pattern").size
    grid.image(widht=300)  # wrong
    grid.to_png("grid.png", max_height=400).name
    grid.to_png().startswith(b"")
    grid.to_svg("grid.svg", scale="all")  # wrong
    grid.animate("run.gif", fps=5, pixel_ratio=2, mode="change")
    grid.animate("run.gif", frames=5)  # wrong
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
