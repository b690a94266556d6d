"""Put the compiled kernels into a wheel, if ``KAN_WIDGETS_WHEEL`` says for which platform.

Without it a wheel holds their source, and a compiler on the user's machine makes them.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: By the wheel's tag: what Zig calls the platform, the architecture, and what Python calls the
#: system. One machine makes all of them, for any older system that torch still runs on.
PLATFORMS = {
    "manylinux_2_17_x86_64": ("x86_64-linux-gnu.2.17", "x86_64", "linux"),
    "manylinux_2_17_aarch64": ("aarch64-linux-gnu.2.17", "arm64", "linux"),
    "macosx_11_0_arm64": ("aarch64-macos.11.0", "arm64", "darwin"),
    "win_amd64": ("x86_64-windows-gnu", "x86_64", "win32"),
}
#: The value for the machine that builds, by its own compiler.
HERE = "here"


class CustomBuildHook(BuildHookInterface[Any]):
    """Compile the library for the wheel."""

    def dependencies(self) -> list[str]:
        """Return what must be installed to build."""
        return ["ziglang>=0.15"] if _wanted() in PLATFORMS else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel is put together."""
        wanted = _wanted()
        self.made: Path | None = None
        if not wanted or version == "editable":
            return
        options = _compile_options(Path(self.root))
        if wanted == HERE:
            compiler = [options.find_compiler() or "no C++ compiler: install g++ or clang++"]
            system, machine = sys.platform, platform.machine()
            architecture = {"aarch64": "arm64", "AMD64": "x86_64"}.get(machine, machine)
            wanted = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        else:
            target, architecture, system = PLATFORMS[wanted]
            compiler = [sys.executable, "-m", "ziglang", "cc", "-target", target]
        self.made = Path(tempfile.mkdtemp())
        library = self.made / options.NAMES[system]
        options.make_for_a_wheel(compiler, architecture, system, library, self.made)
        build_data["force_include"][str(library)] = f"kan_widgets/nn/compiled/{library.name}"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{wanted}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled once the wheel is there."""
        if self.made is not None:
            shutil.rmtree(self.made, ignore_errors=True)


def _wanted() -> str:
    """Return the wheel's platform, ``here``, or nothing."""
    wanted = os.environ.get("KAN_WIDGETS_WHEEL", "")
    if wanted not in ("", HERE, *PLATFORMS):
        expected = ", ".join([HERE, *PLATFORMS])
        raise ValueError(f"KAN_WIDGETS_WHEEL={wanted!r}: expected one of {expected}, or nothing")
    return wanted


def _compile_options(root: Path) -> ModuleType:
    """Import `compile_options` without the package around it, which needs torch."""
    spec = importlib.util.spec_from_file_location(
        "compile_options", root / "kan_widgets/nn/compiled/compile_options.py"
    )
    assert spec is not None
    assert spec.loader is not None
    options = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(options)
    return options
