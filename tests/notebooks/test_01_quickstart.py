from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.notebooks.execution import Run, check_runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("01_quickstart.ipynb")


def test_every_cell_runs_without_an_error(run: Run) -> None:
    check_runs(run)
