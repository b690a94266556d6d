"""Install a wheel into an empty environment and test it there.

``python -m tests.installed_wheel dist`` takes the wheel of that folder that fits this machine, and
tests its kernels where there is no compiler. With ``--suite`` it then runs, with all that the tests
need, what `make test-python` runs of a checkout; ``--workers`` is pytest-xdist's number.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHECK = "import kan_widgets; from kan_widgets.nn import kernels_info as said; print(said())"
WHERE = "print(kan_widgets.__file__)"
TESTS = ("conv", "conv_nd", "linear", "derivatives", "knot_spline", "not_finite", "models")
#: What no test reads, what is another package, and the checkout's package itself.
LEFT = (".git", ".venv", "build", "dist", "node_modules", "__pycache__", ".*_cache", "kan_widgets")
#: What `make test-python` leaves out, and what is about making the wheel.
IGNORED = (
    *("--ignore=tests/browser", "--ignore=tests/docs", "--ignore-glob=tests/notebooks/test_[0-9]*"),
    "--ignore=tests/test_package.py",
)


def main() -> None:
    """Install, say which kernels there are, run the layers' tests, and the suite if it is asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheels", type=Path, help="the folder with the wheel")
    parser.add_argument("--suite", action="store_true", help="then what make test-python runs")
    parser.add_argument("--workers", default="1", help="of the suite")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        python = install(folder / "venv", arguments.wheels.resolve())
        test_kernels(python, folder / "kernels")
        if arguments.suite:
            test_everything(python, folder / "suite", arguments.workers)


def install(environment: Path, wheels: Path) -> Path:
    """Install the wheel, and no file of the checkout; return the environment's Python."""
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [python, "-m", "pip", "install"]
    wanted = ["--only-binary", "kan-widgets", "--no-index", "--no-deps", "kan-widgets"]
    subprocess.run([*pip, "--find-links", wheels, *wanted], check=True)
    subprocess.run([*pip, "kan-widgets", "pytest>=8.3,<10"], check=True)
    return python


def test_kernels(python: Path, folder: Path) -> None:
    """Run the layers' tests with nothing of the checkout but them: no compiler, cmake or node."""
    shutil.copytree(ROOT / "tests" / "nn", folder / "tests" / "nn")
    (folder / "tests" / "__init__.py").touch()
    (folder / "pytest.ini").touch()  # or pytest looks for a configuration further up
    environment = {name: value for name, value in os.environ.items() if name != "CXX"}
    environment |= {"PATH": str(python.parent), "PYTHONPATH": str(folder)}
    check(python, folder, environment)
    files = [f"tests/nn/test_{name}.py" for name in TESTS]
    run(python, folder, environment, "--import-mode=importlib", *files)


def test_everything(python: Path, folder: Path, workers: str) -> None:
    """Run the suite in a copy of the checkout that lacks the package, its doctests included."""
    install = [python, "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, "pip>=25.1"], check=True)
    subprocess.run([*install, "--group", f"{ROOT / 'pyproject.toml'}:dev"], check=True)
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT))
    environment = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    environment["PATH"] = os.pathsep.join([str(python.parent), environment["PATH"]])
    package = check(python, folder, environment).parent
    options = ["--config-file=pyproject.toml", "--dist=loadfile", "--no-loadscope-reorder"]
    chosen = ["-n", workers, "-m", "not browser", *IGNORED, "tests", package]
    run(python, folder, environment, *options, *chosen)


def check(python: Path, folder: Path, environment: dict[str, str]) -> Path:
    """Print which kernels there are; return the package's file, which the environment holds."""
    code = [python, "-c", f"{CHECK}; {WHERE}"]
    output = subprocess.check_output(code, cwd=folder, env=environment, text=True)
    print(output, end="", flush=True)
    said, where = output.splitlines()
    if not said.startswith("compiled kernels of the package"):
        sys.exit("expected the kernels of the package")
    if not Path(where).is_relative_to(python.parents[1]):
        sys.exit(f"expected the package in {python.parents[1]}")
    return Path(where)


def run(python: Path, folder: Path, environment: dict[str, str], *arguments: str | Path) -> None:
    """Run pytest there, and end where it fails."""
    command = [python, "-m", "pytest", "-q", *arguments]
    if failed := subprocess.run(command, cwd=folder, env=environment).returncode:
        sys.exit(failed)


if __name__ == "__main__":
    main()
