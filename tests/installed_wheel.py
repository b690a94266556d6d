"""Install a wheel into an empty environment and test its kernels there, without a compiler.

``python -m tests.installed_wheel dist`` takes the wheel of that folder that fits this machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHECK = "from kan_widgets.nn import kernels_info; print(kernels_info())"
TESTS = ("conv", "conv_nd", "linear", "derivatives", "knot_spline", "not_finite", "models")


def main(wheels: Path) -> None:
    """Install, say which kernels there are, and run the tests of the layers."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        pip = [programs / "python", "-m", "pip", "install"]
        wanted = ["--only-binary", "kan-widgets", "--no-index", "--no-deps", "kan-widgets"]
        subprocess.run([*pip, "--find-links", wheels, *wanted], check=True)
        subprocess.run([*pip, "kan-widgets", "pytest>=8.3,<10", "scipy>=1.11,<2"], check=True)
        # Nothing of the checkout but these tests, and no compiler, cmake or node.
        shutil.copytree(ROOT / "tests" / "nn", folder / "tests" / "nn")
        (folder / "tests" / "__init__.py").touch()
        environment = {name: value for name, value in os.environ.items() if name != "CXX"}
        environment |= {"PATH": str(programs), "PYTHONPATH": str(folder)}
        there = {"cwd": folder, "env": environment}
        said = subprocess.check_output([programs / "python", "-c", CHECK], text=True, **there)
        print(said, end="", flush=True)
        if not said.startswith("compiled kernels of the package"):
            sys.exit("expected the kernels of the package")
        files = [f"tests/nn/test_{name}.py" for name in TESTS]
        run = [programs / "python", "-m", "pytest", "-q", "--import-mode=importlib", *files]
        sys.exit(subprocess.run(run, **there).returncode)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
