"""The ways a layer can compute, and what compiles one of them."""

from __future__ import annotations

import pytest

from kan_widgets.nn.kernels import compiler, library_cache, local, native


@pytest.fixture(params=["torch's operations", "compiled kernels"])
def path(request, monkeypatch):
    """Make every call take one way, however small it is."""
    compiled = request.param == "compiled kernels"
    if compiled and compiler.find_compiler() is None:
        pytest.fail("the tests need a C++ compiler: install g++ or clang++")
    monkeypatch.setattr(native, "_wanted", compiled)
    monkeypatch.setattr(local, "LARGE", 1)
    return request.param


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """A process that has compiled nothing yet, with an empty cache."""
    monkeypatch.setattr(native, "_builds", {})
    monkeypatch.setattr(native, "_wanted", None)
    monkeypatch.setattr(native, "_warned", False)
    monkeypatch.delenv("KAN_WIDGETS_COMPILE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CXX", raising=False)
    library_cache.folder.cache_clear()
    native._by_default.cache_clear()
    yield tmp_path / "cache" / "kan_widgets"
    library_cache.folder.cache_clear()
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
