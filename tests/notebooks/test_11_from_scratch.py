"""What the lesson from scratch says: its network trains, and is the package's."""

from __future__ import annotations

import re
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


def outputs_of(run: Run, key: str) -> Any:
    (cell,) = (cell for cell in code_cells(run.notebook) if cell.id == key)
    return [output.data for output in cell.outputs]


def test_the_views_read_its_three_layers_by_the_adapter_of_its_page(run: Run) -> None:
    (described,) = outputs_of(run, "scratch-read")
    assert described["text/plain"].count("this page") == 3
    assert "left out" not in described["text/plain"]


def test_both_learn_on_as_one(run: Run) -> None:
    (said,) = outputs_of(run, "scratch-after")
    (apart,) = re.findall(r"the answers differ by (\S+) at most", said["text/markdown"])
    assert float(apart) < 1e-2
