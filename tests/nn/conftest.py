"""The ways a layer can compute: what is tested of the layers is tested on each."""

from __future__ import annotations

import pytest

from kan_widgets.nn import local, native


@pytest.fixture(params=["torch's operations", "compiled kernels"])
def path(request, monkeypatch):
    """Make every call take one way, however small it is."""
    compiled = request.param == "compiled kernels"
    if compiled and native.find_compiler() is None:
        pytest.fail("the tests need a C++ compiler: install g++ or clang++")
    monkeypatch.setattr(native, "_wanted", compiled)
    monkeypatch.setattr(local, "LARGE", 1)
    return request.param
