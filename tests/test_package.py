"""What the wheel holds, and that it is built without Node."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import yaml
from rattler_build import Stage0Recipe

import kan_widgets
from kan_widgets.nn.compiled import compile_options

ROOT = Path(__file__).parents[1]


def build(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Build the wheel with a PATH that holds nothing, so neither node nor npm."""
    (folder / "empty").mkdir()
    return subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        env=os.environ | {"PATH": str(folder / "empty"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = build(folder)
    assert done.returncode == 0, done.stdout
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel to where nothing of the checkout is beside it."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, code: str, *arguments: str) -> str:
    """Run code that imports the unpacked wheel, from a folder outside the checkout."""
    path = os.pathsep.join([str(installed), *(p for p in sys.path if p and Path(p) != ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"PYTHONPATH": path},
        cwd=installed,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def under(folder: str) -> set[str]:
    """Return the files of a folder of the checkout as names inside the package."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_every_bundle(names: set[str]) -> None:
    static = "kan_widgets/widgets/static/"
    assert {static + "main.js", static + "view.js", static + "page.js"} <= names
    assert under("kan_widgets/widgets/static") <= names


def test_the_wheel_holds_data_attribution_and_type_marker(names: set[str]) -> None:
    assert {
        "kan_widgets/mnist/digits.xz",
        "kan_widgets/mnist/ATTRIBUTION.txt",
        "kan_widgets/py.typed",
    } <= names


def test_the_wheel_holds_the_tutorials(names: set[str]) -> None:
    folder = "kan_widgets/notebooks/"
    assert {folder + "01_quickstart.ipynb", folder + "index.md"} <= names
    ours = {f"kan_widgets/{name}" for name in under("notebooks") if "/." not in name}
    assert ours <= names


def test_the_wheel_holds_every_module_and_nothing_else(names: set[str]) -> None:
    shared = {name.partition(".data/")[2] for name in names if ".data/" in name}
    template = "data/share/jupyter/nbconvert/templates/kan_widgets/"
    assert shared == {template + "conf.json", template + "index.html.j2"}
    inside = {name for name in names if ".dist-info/" not in name and ".data/" not in name}
    assert {name for name in under("kan_widgets") if name.endswith(".py")} <= inside
    assert {name.split("/")[0] for name in inside} == {"kan_widgets"}
    assert not {name for name in inside if "node_modules" in name or ".ipynb_checkpoints" in name}


def test_the_wheel_stays_small(wheel: Path) -> None:
    sizes = {"package": 0, "tutorials": 0}
    with zipfile.ZipFile(wheel) as archive:
        for file in archive.infolist():
            tutorial = file.filename.startswith("kan_widgets/notebooks/")
            sizes["tutorials" if tutorial else "package"] += file.compress_size
    assert sizes["package"] < 2_000_000
    assert sizes["tutorials"] < 4_000_000  # with their pictures


def test_without_a_platform_the_wheel_has_the_kernels_source_alone(
    wheel: Path, names: set[str]
) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    kernels = "kan_widgets/nn/compiled/"
    assert {kernels + "local.cpp", kernels + "runtime.cpp", kernels + "runtime.h"} <= names
    assert not {name for name in names if name.endswith((".so", ".dylib", ".dll"))}


def test_a_wheel_for_a_platform_has_the_library_and_a_name_that_says_so(tmp_path: Path) -> None:
    compiler = tmp_path / "cxx"
    # Compiles nothing, and makes the file that it is asked for.
    compiler.write_text('#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho made > "$2"\n')
    compiler.chmod(0o755)
    done = build(tmp_path, KAN_WIDGETS_WHEEL="here", CXX=str(compiler))
    assert done.returncode == 0, done.stdout
    (built,) = tmp_path.glob("*.whl")
    assert "-py3-none-" in built.name
    assert built.stem.endswith(platform.machine().lower())
    with zipfile.ZipFile(built) as archive:
        libraries = {name for name in archive.namelist() if "compiled/kernels." in name}
        pages = {f"kan_widgets/nn/compiled/kernels.{end}" for end in ("wasm", "js.gz")}
        library = f"kan_widgets/nn/compiled/{compile_options.NAMES[sys.platform]}"
        assert libraries == {library, *pages}
        assert archive.read(library) == b"made\n"


@pytest.mark.parametrize(
    ("platform", "compiler", "words"),
    [
        ("atari", "", "KAN_WIDGETS_WHEEL='atari': expected one of here, manylinux"),
        ("here", "", "no C++ compiler: install"),
        ("here", "#!/bin/sh\nexit 1\n", "returned non-zero exit status 1"),
    ],
)
def test_a_wheel_that_cannot_have_what_it_should_is_not_made(
    platform: str, compiler: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "cxx"
    if compiler:
        path.write_text(compiler)
        path.chmod(0o755)
    done = build(tmp_path, KAN_WIDGETS_WHEEL=platform, CXX=str(path))
    assert done.returncode != 0
    assert words in done.stdout
    assert not list(tmp_path.glob("*.whl"))


def test_make_builds_a_wheel_for_each_platform() -> None:
    (line,) = re.findall(r"^PLATFORMS \?= (.*)$", (ROOT / "Makefile").read_text(), re.M)
    hook = (ROOT / "hatch_build.py").read_text()
    assert line.split() == re.findall(r'^    "(\w+)": \("', hook, re.M)


def test_the_metadata_name_version_licences_and_command(wheel: Path) -> None:
    about = metadata(wheel)
    assert about["Name"] == "kan-widgets"
    assert about["Version"] == kan_widgets.__version__
    assert about["Requires-Python"] == ">=3.10"
    assert about["License-Expression"] == "MIT AND CC-BY-SA-3.0 AND OFL-1.1"
    with zipfile.ZipFile(wheel) as archive:
        (entry,) = (n for n in archive.namelist() if n.endswith("entry_points.txt"))
        assert b"kan-widgets = kan_widgets.cli:main" in archive.read(entry)


def test_the_packages_page_leads_out_of_itself_to_files_that_there_are(wheel: Path) -> None:
    text = str(metadata(wheel).get_payload())
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) > 10
    homes = (
        "https://github.com/kan-widgets/kan-widgets/blob/main/",
        "https://raw.githubusercontent.com/kan-widgets/kan-widgets/main/",
    )
    for link in links:
        (home,) = (home for home in homes if link.startswith(home))
        assert (ROOT / link.removeprefix(home)).is_file(), link


def conda_recipe() -> dict[str, Any]:
    """Return the recipe of the one conda package, rendered."""
    (rendered,) = Stage0Recipe.from_file(ROOT / "recipe" / "recipe.yaml").render()
    return rendered.recipe.to_dict()


def test_all_that_name_the_repository_name_the_same_one(wheel: Path) -> None:
    urls = dict(url.split(", ") for url in metadata(wheel).get_all("Project-URL") or [])
    home, pages = urls["Homepage"], urls["Documentation"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    recipe = conda_recipe()
    assert citation["repository-code"] == recipe["about"]["homepage"] == home
    assert citation["url"] == recipe["about"]["documentation"] == pages
    assert {urls["Changelog"], urls["Issues"]} == {
        f"{home}/blob/main/CHANGELOG.md",
        f"{home}/issues",
    }


def test_the_conda_recipe_asks_for_what_the_package_asks_for(wheel: Path) -> None:
    recipe = conda_recipe()
    assert recipe["package"] == {"name": "kan-widgets", "version": kan_widgets.__version__}
    required = [
        requirement.replace("torch", "pytorch", 1)
        if requirement.startswith("torch<")
        else requirement
        for requirement in metadata(wheel).get_all("Requires-Dist") or []
        if "extra ==" not in requirement
    ]
    parts = [re.fullmatch(r"([\w-]+)([<>=].+)", requirement) for requirement in required]
    ours = {(part[1], frozenset(part[2].split(","))) for part in parts if part}
    asked = [line.split(" ") for line in recipe["requirements"]["run"]]
    theirs = {(name, frozenset(ranges.split(","))) for name, ranges in asked if name != "python"}
    assert ours == theirs
    assert ["python", ">=3.10"] in asked


def test_requirements_are_ranges(wheel: Path) -> None:
    requirements = metadata(wheel).get_all("Requires-Dist") or []
    assert len(requirements) > 10
    for requirement in requirements:
        assert "==" not in requirement.split(";")[0]


def test_the_unpacked_wheel_imports_and_loads_its_data(installed: Path) -> None:
    code = "import kan_widgets as kw; print(kw.__file__); print(kw.data.mnist('embedded').source)"
    file, source = run(installed, code).splitlines()
    assert Path(file).is_relative_to(installed)
    assert source.startswith("embedded MNIST subset")


def test_the_unpacked_wheel_finds_its_own_tutorials(installed: Path) -> None:
    code = "from kan_widgets.cli.lab import _notebooks; print(_notebooks())"
    assert Path(run(installed, code).strip()) == installed / "kan_widgets" / "notebooks"


def test_the_checkout_finds_its_tutorials() -> None:
    from kan_widgets.cli.lab import _notebooks

    assert _notebooks() == ROOT / "notebooks"
