"""The ways a layer can compute, and what compiles one of them."""

from __future__ import annotations

import os

import pytest

from kan_widgets.nn import kernels_info
from kan_widgets.nn.compiled import bundled, compiler, local, native

#: Windows has no locks that end with their process, so nothing is compiled there for others to use:
#: `test_where_no_file_can_be_locked_nothing_is_compiled` has that case.
collect_ignore = ["test_compiler.py"] if os.name == "nt" else []


@pytest.fixture(params=["torch's operations", "compiled kernels"])
def path(request, monkeypatch):
    """Make every call take one way, however small it is."""
    compiled = request.param == "compiled kernels"
    monkeypatch.setattr(native, "_wanted", compiled)
    if compiled and not kernels_info().startswith("compiled"):
        pytest.fail(f"the tests need a C++ compiler, or a wheel's kernels: {kernels_info()}")
    monkeypatch.setattr(local, "MIN_COLUMNS", 1)
    return request.param


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """A process that has compiled nothing yet, with an empty cache and no wheel's library."""
    monkeypatch.setattr(bundled, "FILE", tmp_path / "none")
    monkeypatch.setattr(native, "_known", {})
    monkeypatch.setattr(native, "_wanted", None)
    monkeypatch.setattr(native, "_warned", False)
    monkeypatch.delenv("KAN_WIDGETS_COMPILE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CXX", raising=False)
    compiler.folder.cache_clear()
    native._by_default.cache_clear()
    yield tmp_path / "cache" / "kan_widgets"
    compiler.folder.cache_clear()
    native._by_default.cache_clear()


@pytest.fixture
def cxx(tmp_path, monkeypatch):
    """Make a shell script the compiler."""

    def write(text):
        file = tmp_path / "cxx"
        file.write_text("#!/bin/sh\n" + text)
        file.chmod(0o755)
        monkeypatch.setenv("CXX", str(file))

    return write
