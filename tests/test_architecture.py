"""The parts of the package and which of them may import which."""

from __future__ import annotations

import ast
import graphlib
import inspect
import re
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

import kan_widgets
import kan_widgets as kw
from kan_widgets import live

PACKAGE = Path(kan_widgets.__file__).parent

# Part -> the parts it may import. What is not named here may not be in the package.
ALLOWED = {
    "arrays": set(),
    "checks": set(),
    "printed": set(),
    "lazy_names": set(),
    "nn": {"checks"},
    "digits": set(),
    "data": {"checks", "digits"},
    "functions": {"checks", "lazy_names", "printed", "nn"},
    "live": {"checks", "arrays", "lazy_names", "functions", "nn"},
    "insight": {"checks", "arrays", "lazy_names", "printed", "live", "functions", "nn"},
    "figures": set(),
    "widgets": {"checks", "arrays", "printed", "live", "functions", "nn", "insight", "digits"},
    "integrations": {"checks", "lazy_names", "widgets", "live", "functions", "nn", "insight"},
    "cli": {"printed", "widgets", "live", "functions", "nn", "insight", "data", "digits"},
}

# Part -> its rooms -> the rooms of the part that each may import from; "" has the files in none.
ROOMS = {
    "live": {
        "": set(),
        "frames": {""},
        "recordings": {"", "frames"},
        "steering": {"", "frames"},
        "model": {"", "frames", "steering"},
        "watching": {"", "frames", "recordings", "steering", "model"},
    },
    "widgets": {
        "wire": set(),
        "pages": {"wire"},
        "shell": {"wire", "pages"},
        "numbers": {"wire", "pages", "shell"},
        "": {"wire", "pages", "shell", "numbers"},
    },
}

# Outside packages that only some parts may import.
RESERVED = {
    "anywidget": {"widgets", "figures"},
    "ipywidgets": {"widgets"},
    "traitlets": {"widgets"},
    "PIL": {"widgets", "cli"},
    "fsspec": {"live"},
    "torchvision": set(),
    "bqplot": {"figures"},
    "accelerate": {"integrations"},
    "fastai": {"integrations"},
    "ignite": {"integrations"},
    "ray": {"integrations"},
    "lightning": {"integrations"},
    "mlflow": {"integrations"},
    "pytorch_lightning": {"integrations"},
    "skorch": {"integrations"},
    "trackio": {"integrations"},
    "transformers": {"integrations"},
    "wandb": {"integrations"},
}

# Verbs that could mean much, and the files whose functions may be called so: each means one thing
# (docs/architecture.md, "Verbs").
VERBS = {
    "look": {"live/watching/watchdog", "cli/board"}
    | {
        f"live/recordings/{file}"
        for file in ("same_step", "recorded_feed", "control_folder", "glance", "segments")
    },
    "hold": {"live/model/holding", "live/steering/control", "live/steering/training"}
    | {"live/steering/epochs"},
    "record": {"live/recordings/saving"},
    "say": set(),
    "settle": {"live/watching/model_feed", "live/recordings/recorded_feed"},
    "want": set(),
    "drawn": {"cli/board"},
}


def dotted(path: Path) -> str:
    """Return the name by which a file is imported."""
    parts = ["kan_widgets", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(text: str, package: str) -> set[str]:
    """Return all that a file imports, wherever in it, ``if TYPE_CHECKING`` included.

    Of ``from a import b`` the name is ``a.b``, whether or not that is a module.
    """
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def imported_by(name: str) -> set[str]:
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return imports(path.read_text("utf-8"), package)


def module_of(name: str) -> str:
    """Return the module that an imported name is, or is taken from."""
    return name if name in MODULES else name.rpartition(".")[0]


def part(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


def room(name: str) -> str:
    """Return the folder below its part that a module lies in, or the module itself."""
    return ".".join(name.split(".")[:3])


def edges(parts: Collection[str]) -> dict[str, set[str]]:
    """Return which modules of some parts each of their modules imports."""
    return {
        name: {
            module
            for module in map(module_of, imported_by(name))
            if module in MODULES and module != name and part(module) in parts
        }
        for name in MODULES
        if part(name) in parts
    }


def used_in(text: str) -> set[str]:
    """Return the names that a file imports from other files of ours, or has after a dot."""
    nodes = list(ast.walk(ast.parse(text)))
    imported = (node.names for node in nodes if isinstance(node, ast.ImportFrom))
    dotted_names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return dotted_names | {alias.name for names in imported for alias in names}


def named_imports(text: str) -> list[str]:
    """Return the beginnings of the names that a file imports by calling for them."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in (
            "import_module",
            "__import__",
        ):
            name = node.args[0]
            first = name.values[0] if isinstance(name, ast.JoinedStr) else name
            found.append(str(first.value) if isinstance(first, ast.Constant) else "")
    return found


def circle(graph: Mapping[str, Collection[str]]) -> list[str]:
    """Return the nodes of a circle, if there is one."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [str(node) for node in error.args[1]]
    return []


def test_parts_import_only_parts_below_them() -> None:
    wrong = {
        (name, imported)
        for name in MODULES
        if part(name)
        for imported in imported_by(name)
        if imported.startswith("kan_widgets.")
        and part(module_of(imported)) not in {"", part(name), *ALLOWED[part(name)]}
    }
    assert not wrong


def test_nothing_is_asked_of_the_package_itself() -> None:
    assert not {
        (name, imported)
        for name in MODULES
        if part(name)
        for imported in imported_by(name)
        if module_of(imported) == "kan_widgets" and part(imported) not in {*ALLOWED, "__version__"}
    }


def test_drawing_and_data_libraries_stay_in_their_parts() -> None:
    wrong = {
        (name, imported)
        for name in MODULES
        for imported in imported_by(name)
        if part(name) not in RESERVED.get(imported.split(".")[0], {part(name)})
    }
    assert not wrong


def test_imports_form_no_circle_those_for_types_included() -> None:
    assert not circle(edges(ALLOWED))


def test_rooms_import_one_way() -> None:
    rooms: dict[str, set[str]] = {}
    for name, imported in edges(ALLOWED).items():
        rooms.setdefault(room(name), set()).update(set(map(room, imported)) - {room(name)})
    assert not circle(rooms)


@pytest.mark.parametrize("of", ROOMS)
def test_rooms_of_a_part_import_only_what_they_may(of: str) -> None:
    def inner_room(name: str) -> str:
        is_package = MODULES[name].name == "__init__.py"
        return name.split(".")[2] if name.count(".") > (1 if is_package else 2) else ""

    wrong = {
        (name, imported)
        for name, found in edges({of}).items()
        for imported in found
        if name != f"kan_widgets.{of}"
        and inner_room(imported) not in {inner_room(name), *ROOMS[of][inner_room(name)]}
    }
    assert not wrong


def test_only_who_makes_bindings_knows_their_class() -> None:
    found = edges({"live"})
    facade = "kan_widgets.live.watching.binding"
    knows = {name for name, imported in found.items() if facade in imported}
    knows.discard("kan_widgets.live")  # where users find it
    assert knows == {f"kan_widgets.live.watching.{name}" for name in ("bind", "fit", "updates")}
    assert not [name for name, imported in found.items() if "kan_widgets.live" in imported]


def test_what_is_imported_by_a_name_put_together_is_of_the_same_part() -> None:
    wrong = {
        (name, beginning)
        for name, path in MODULES.items()
        if part(name)
        for beginning in named_imports(path.read_text("utf-8"))
        if beginning.startswith("kan_widgets") and part(beginning) != part(name)
    }
    assert not wrong
    text = "import_module('kan_widgets.widgets.x')\nimportlib.import_module(f'kan_widgets.nn.{a}')"
    assert named_imports(text) == ["kan_widgets.widgets.x", "kan_widgets.nn."]


def test_the_reading_of_imports_sees_every_form() -> None:
    text = (
        "import a.b\nfrom c import d\nfrom . import e\nfrom ..f import g, h\n"
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from kan_widgets import i\n"
        "def later():\n    from j import k\n"
    )
    assert imports(text, "kan_widgets.functions.adapters") == {
        "a.b",
        "c.d",
        "kan_widgets.functions.adapters.e",
        "kan_widgets.functions.f.g",
        "kan_widgets.functions.f.h",
        "typing.TYPE_CHECKING",
        "kan_widgets.i",
        "j.k",
    }
    assert (
        module_of("kan_widgets.nn.changes.listeners.together") == "kan_widgets.nn.changes.listeners"
    )
    assert room("kan_widgets.nn.changes.listeners") == "kan_widgets.nn.changes"


def test_a_circle_is_found() -> None:
    assert set(circle({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]})) == {"a", "b", "c"}


def test_no_module_is_named_after_nothing() -> None:
    vague = {"utils", "helpers", "common", "misc"}
    assert not [name for name in MODULES if vague & set(name.split("."))]


# Names that could stand for anything: a value that lives for more lines has the noun of what it is.
PRONOUNS = {"found", "one", "each", "known", "said", "told", "made", "given", "these", "those"}
PRONOUNS |= {"them", "it", "what", "done", "here", "there"}
SHORT_LIFE = 5


def lines_of_names(node: ast.AST) -> dict[str, list[int]]:
    """Return the lines of each name below a node, but for names that an expression binds itself."""
    targets = [each.target for each in getattr(node, "generators", ())]
    targets += [node.args] if isinstance(node, ast.Lambda) else []
    bound = {name for target in targets for name in lines_of_names(target)}
    lines: dict[str, list[int]] = {}
    if isinstance(node, ast.Name | ast.arg):
        lines[node.id if isinstance(node, ast.Name) else node.arg] = [node.lineno]
    for child in ast.iter_child_nodes(node):
        for name, numbers in lines_of_names(child).items():
            if name not in bound:
                lines.setdefault(name, []).extend(numbers)
    return lines


def test_a_value_that_lives_for_some_lines_is_named_by_a_noun() -> None:
    functions = [
        (name, node)
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    vague = [
        f"{name}: {word}, lines {min(lines)} to {max(lines)}"
        for name, node in functions
        for word, lines in lines_of_names(node).items()
        if word in PRONOUNS and max(lines) - min(lines) >= SHORT_LIFE
    ]
    assert not vague, "\n".join(vague)
    text = "def f(found):\n    x = [one for one in y]\n    return found, lambda it: it\n"
    assert lines_of_names(ast.parse(text)) == {"found": [1, 3], "x": [2], "y": [2]}


# What users write of each trainer, and the commands of the command line, are called as what they
# stand for.
CALLED_ALIKE = ("integrations", "cli")


def test_a_name_of_a_module_means_one_thing() -> None:
    homes: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        if part(name) in CALLED_ALIKE or room(name) == "kan_widgets.functions.adapters":
            continue
        for node in ast.parse(path.read_text("utf-8")).body:
            found = [node.name] if isinstance(node, ast.ClassDef | ast.FunctionDef) else []
            if isinstance(node, ast.Assign) and "TypeVar" not in ast.unparse(node.value):
                found = [each.id for each in node.targets if isinstance(each, ast.Name)]
            for each in found:
                if each[0] != "_":
                    homes.setdefault(each, set()).add(name)
    assert not {each: where for each, where in homes.items() if len(where) > 1}


def is_error(node: ast.AST) -> bool:
    """Whether a class is of an exception by its first line: ``class Gone(RuntimeError)``."""
    return isinstance(node, ast.ClassDef) and any(
        ast.unparse(base).endswith("Error") for base in node.bases
    )


def names_of(node: ast.AST) -> list[str]:
    """Return what a line of a module defines for others: a function, a class, constants."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [] if is_error(node) else [node.name]  # a traceback names an error
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    names = [part.id for each in targets if each for part in ast.walk(each) if hasattr(part, "id")]
    return [name for name in names if name.isupper()]


def test_a_public_function_class_or_constant_is_used_outside_of_its_file() -> None:
    checkout = Path(__file__).parents[1]
    pages = [*checkout.glob("docs/**/*.md"), *checkout.glob("docs/**/*.rst")]
    pages += checkout.glob("notebooks/*.ipynb")
    pages += [checkout / "README.md", checkout / "pyproject.toml"]
    outside = {word for page in pages for word in re.findall(r"\w+", page.read_text("utf-8"))}
    for folder in ("tests", "docs", "notebooks"):
        for path in (checkout / folder).rglob("*.py"):
            text = path.read_text("utf-8")
            imported = re.findall(r"from kan_widgets\S* import (\([^)]*\)|.*)", text)
            outside |= set(re.findall(r"\.(\w+)", text)) | set(re.findall(r"\w+", str(imported)))
    texts = {path: path.read_text("utf-8") for path in MODULES.values()}
    used = {path: used_in(text) for path, text in texts.items()}
    for path in texts:
        if path.name == "__init__.py":  # what a package lists is for its users
            used[path] = {*used[path], *re.findall(r'^    "(\w+)",$', texts[path], re.MULTILINE)}
    lonely = [
        f"{path.relative_to(PACKAGE)}: {name}"
        for path, text in texts.items()
        for node in ast.parse(text).body
        for name in names_of(node)
        if name[0] != "_"
        and name not in outside
        and not any(name in names for other, names in used.items() if other != path)
    ]
    assert not lonely  # write it with an underscore, or remove it


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
    outside = {name for name, parts in RESERVED.items() if parts == {"integrations"}}
    assert not loaded & {*outside, "kan_widgets.integrations.trainer"}


def test_a_part_of_the_package_brings_only_what_it_needs() -> None:
    assert not loaded_after("import kan_widgets") & {"torch", "numpy", "kan_widgets.live"}
    core = loaded_after("import kan_widgets as kw; kw.nn.KANLinear(2, 3)")
    assert not core & {"ipywidgets", "kan_widgets.live"}
    assert not loaded_after("import kan_widgets as kw; kw.bind") & {"ipywidgets"}


PUBLIC = """
import pickle, pydoc
import kan_widgets as kw
from kan_widgets import live
from kan_widgets.live import worker
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
    assert seen | {"__version__", "integrations"} == set(kan_widgets.__all__)


def undocumented(package: Any) -> set[str]:
    """Return the public functions, classes and methods of a package without a docstring."""
    found = set()
    for name in package.__all__:
        one = getattr(package, name)
        members = {name: one} if inspect.isroutine(one) or inspect.isclass(one) else {}
        keys = dir(one) if inspect.isclass(one) and one.__module__.startswith("kan_widgets") else ()
        members |= {
            f"{name}.{key}": inspect.getattr_static(one, key) for key in keys if key[0] != "_"
        }
        for key, value in members.items():
            function = getattr(value, "fget", getattr(value, "__func__", value))
            is_ours = (getattr(function, "__module__", "") or "").startswith("kan_widgets")
            # Defaults of fields are functions, too.
            is_method = getattr(function, "__qualname__", "").endswith(f".{key.split('.')[-1]}")
            if is_ours and (is_method or key == name) and not inspect.getdoc(value):
                found.add(key)
    return found


def test_what_is_public_is_documented_by_itself_or_its_base() -> None:
    packages = kw, kw.nn, kw.functions, kw.insight, live
    assert set.union(*map(undocumented, packages)) == set()


def test_a_verb_that_could_mean_much_means_one_thing() -> None:
    found: dict[str, set[str]] = {verb: set() for verb in VERBS}
    for path in MODULES.values():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                if (verb := node.name.lstrip("_")) in VERBS:
                    found[verb].add(path.relative_to(PACKAGE).with_suffix("").as_posix())
    assert found == VERBS


def test_files_that_the_architecture_names_are_there() -> None:
    root = PACKAGE.parent
    there = [
        f"/{path.relative_to(root)}"
        for top in ("kan_widgets", "js/src")
        for path in (root / top).rglob("*.[pt][ys]")
    ]
    named = re.findall(r"[\w./]+\.(?:py|ts)\b", (root / "docs/architecture.md").read_text("utf-8"))
    assert len(named) > 50
    missing = [name for name in named if not any(path.endswith(f"/{name}") for path in there)]
    assert [name for name in missing if not (root / name).exists()] == []


def test_classes_that_the_table_of_locks_names_are_there() -> None:
    owners = re.findall(
        r"`([a-z_.]+)\.([A-Z]\w+)`", (PACKAGE.parent / "docs/architecture.md").read_text("utf-8")
    )
    assert len(owners) > 10
    for module, name in owners:
        (path,) = (path for known, path in MODULES.items() if f".{known}".endswith(f".{module}"))
        assert f"\nclass {name}" in path.read_text("utf-8"), f"{module}.{name}"
