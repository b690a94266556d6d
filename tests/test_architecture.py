"""The parts of the package and which of them may import which."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import kan_widgets

PACKAGE = Path(__file__).parents[1] / "kan_widgets"

# Part -> the parts it may import. What is not named here may not be in the package.
ALLOWED = {
    "nn": set(),
    "data": set(),
    "functions": {"nn"},
    "live": {"functions", "nn"},
    "insight": {"functions", "nn"},
    "figures": {"functions", "insight", "live", "nn"},
    "widgets": {"live", "functions", "nn", "insight", "data"},
    "cli": {"widgets", "live", "functions", "nn", "insight", "data", "__version__"},
}

# Outside packages that only some parts may import.
RESERVED = {
    "anywidget": {"widgets", "figures"},
    "ipywidgets": {"widgets", "figures"},
    "traitlets": {"widgets"},
    "PIL": {"widgets", "cli"},
    "torchvision": {"data"},
    "bqplot": {"widgets", "figures"},
}


def imports(path: Path) -> set[str]:
    """Return the absolute names of all modules that a file imports, wherever in it."""
    found = set()
    package = ["kan_widgets", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            if module == "kan_widgets":
                found |= {f"{module}.{alias.name}" for alias in node.names}
            else:
                found.add(module)
    return found


def modules() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if p != PACKAGE / "__init__.py"]


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_go_one_way(path: Path) -> None:
    own = part(path)
    used = {name.split(".")[1] for name in imports(path) if name.startswith("kan_widgets.")}
    assert used - {own} <= ALLOWED[own]


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_drawing_and_data_libraries_stay_in_their_parts(path: Path) -> None:
    for name in imports(path):
        assert part(path) in RESERVED.get(name.split(".")[0], {part(path)}), name


def test_the_reading_of_imports_sees_every_form() -> None:
    folder = PACKAGE / "functions" / "adapters"
    tree = (
        "import a.b\nfrom c import d\nfrom . import e\nfrom ..f import g\nfrom kan_widgets import h"
    )
    path = folder / "unwritten.py"
    assert imports(_Text(path, tree)) == {  # type: ignore[arg-type]
        "a.b",
        "c",
        "kan_widgets.functions.adapters",
        "kan_widgets.functions.f",
        "kan_widgets.h",
    }


class _Text:
    """Stands for a file that is not there."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text

    def relative_to(self, other: Path) -> Path:
        return self._path.relative_to(other)

    def read_text(self, encoding: str) -> str:
        return self._text


def test_no_module_is_named_after_nothing() -> None:
    vague = {"utils", "helpers", "common", "misc"}
    assert not [path for path in modules() if vague & set(path.with_suffix("").parts)]


def loaded_after(code: str) -> set[str]:
    """Return the modules that a new interpreter has loaded after running some code."""
    code += "\nimport sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, stdout=subprocess.PIPE, check=True
    )
    return set(done.stdout.decode().split())


def test_using_all_of_the_package_imports_nothing_that_only_some_need() -> None:
    loaded = loaded_after("from kan_widgets import *")
    assert {"torch", "ipywidgets"} <= loaded
    assert not loaded & {"bqplot", "matplotlib", "scipy", "torchvision", "jupyterlab"}


def test_a_part_of_the_package_brings_only_what_it_needs() -> None:
    assert not loaded_after("import kan_widgets") & {"torch", "numpy", "kan_widgets.live"}
    core = loaded_after("import kan_widgets as kw; kw.nn.KANLinear(2, 3)")
    assert not core & {"ipywidgets", "kan_widgets.live"}
    assert not loaded_after("import kan_widgets as kw; kw.bind") & {"ipywidgets"}


PUBLIC = """
import pickle, pydoc
import kan_widgets as kw
from kan_widgets import *
missing = [name for name in kw.__all__ if globals()[name] is not getattr(kw, name)]
assert not missing, missing
assert set(kw.__all__) | {"live", "widgets"} <= set(dir(kw))
assert not {"typo", "Layout", "Stream"} & set(dir(kw))
for name in ("typo", "Layout", "Stream", "stream"):
    try:
        getattr(kw, name)
    except AttributeError as error:
        assert f"'kan_widgets' has no attribute {name!r}" in str(error)
    else:
        raise AssertionError(name)
import kan_widgets.live.watching.bind, kan_widgets.live.watching.fit
import kan_widgets.live.recordings.replay, kan_widgets.widgets.explain
assert all(callable(one) for one in (kw.bind, kw.fit, kw.replay, kw.Explain))
assert kw.live.fit is kw.fit
assert pickle.loads(pickle.dumps(kw.bind)) is kw.bind
assert type(pickle.loads(pickle.dumps(kw.nn.KANLinear(2, 3)))) is kw.nn.KANLinear
assert "save_html" in pydoc.render_doc(kw)
print("fine")
"""


def test_the_public_names_are_there_though_nothing_is_imported_before_its_use() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PUBLIC], cwd=PACKAGE.parent, capture_output=True, text=True
    )
    assert done.stdout == "fine\n", done.stderr


def test_a_type_checker_sees_the_names_that_are_there() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and node.body and isinstance(node.test, ast.Name)
    )
    seen = {
        alias.name
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen | {"__version__"} == set(kan_widgets.__all__)
