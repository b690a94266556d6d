"""What the wheel holds, and that it is built without Node."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

import kan_widgets

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with a PATH that holds nothing, so neither node nor npm."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "empty").mkdir()
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        env=os.environ | {"PATH": str(folder / "empty")},
        check=True,
        stdout=subprocess.DEVNULL,
    )
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
    inside = {name for name in names if ".dist-info/" not in name}
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
    assert sizes["tutorials"] < 4_000_000  # nine of them, with their pictures


def test_the_metadata_name_version_licences_and_command(wheel: Path) -> None:
    about = metadata(wheel)
    assert about["Name"] == "kan-widgets"
    assert about["Version"] == kan_widgets.__version__
    assert about["Requires-Python"] == ">=3.10"
    assert about["License-Expression"] == "MIT AND CC-BY-SA-3.0 AND OFL-1.1"
    with zipfile.ZipFile(wheel) as archive:
        (entry,) = (n for n in archive.namelist() if n.endswith("entry_points.txt"))
        assert b"kan-widgets = kan_widgets.cli:main" in archive.read(entry)


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
