"""Each tutorial is executed once, in the file of its own tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial

import pytest

from tests.forked_kernels import ForkServer
from tests.notebooks.execution import CHECKOUT, Run, execute


@pytest.fixture(scope="package")
def kernels() -> Iterator[str]:
    """Give the folder of a kernel that has imported the package; none where forks are not safe."""
    if sys.platform != "linux":
        yield ""
        return
    paths = [str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with ForkServer({**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths)}) as forks:
        yield forks.folder


@pytest.fixture(scope="package")
def run_of(kernels: str, pytestconfig: pytest.Config) -> Callable[[str], Run]:
    """Give the executed notebook of that file name, executing it the first time it is asked for.

    Whole files go to one worker (`--dist loadfile`): ask for a notebook only in its own test file,
    ``test_0N_name.py`` for ``0N_name.ipynb``.
    """
    return cache(partial(execute, kernels=kernels, seed=pytestconfig.getoption("--seed")))
