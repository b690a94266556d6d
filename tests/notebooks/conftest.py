"""Each tutorial is executed once, in the file of its own tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.notebooks.execution import Run, execute


@pytest.fixture(scope="session")
def run_of() -> Callable[[str], Run]:
    """Give the executed notebook of that file name, executing it the first time it is asked for.

    Whole files go to one worker (`--dist loadfile`): ask for a notebook only in its own test file,
    ``test_0N_name.py`` for ``0N_name.ipynb``.
    """
    return cache(execute)
