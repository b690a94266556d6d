"""What the lesson from scratch says: its network trains, and is the package's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.notebooks.execution import Run, check_runs, code_cells, read

NAME = "11_from_scratch.ipynb"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("11_from_scratch.ipynb")


@pytest.fixture(scope="module")
def facts(run: Run) -> dict[str, Any]:
    return run.facts


def test_every_cell_runs_without_an_error(run: Run) -> None:
    check_runs(run)


def test_the_network_takes_the_thirty_six_lines_that_its_page_promises() -> None:
    parts = ("scratch-basis", "scratch-layers", "scratch-network")
    lines = "\n".join(cell.source for cell in code_cells(read(NAME)) if cell.id in parts)
    assert sum(bool(line.strip()) for line in lines.splitlines()) == 36
    assert "in thirty-six lines of torch" in read(NAME).cells[0].source


def test_it_trains(facts: dict[str, Any]) -> None:
    assert facts["right"] > 0.9


def test_it_is_the_packages_network(facts: dict[str, Any]) -> None:
    assert facts["difference"] < 1e-4
