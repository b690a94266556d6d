"""What the eighth tutorial says of a run that a script recorded holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.notebooks.execution import Run, check_runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("08_see_a_whole_run.ipynb")


@pytest.fixture(scope="module")
def facts(run: Run) -> dict[str, Any]:
    return run.facts


def test_every_cell_runs_without_an_error(run: Run) -> None:
    check_runs(run)


def test_the_script_records_all_of_its_run_and_it_is_seen_while_it_comes(
    facts: dict[str, Any],
) -> None:
    assert facts["steps"] == 126  # two epochs of the embedded digits
    assert facts["complete"] is True
    assert facts["seen"] > 1  # how many more depends on the machine


def test_both_runs_begin_at_the_same_weights(facts: dict[str, Any]) -> None:
    assert facts["same_start"] is True


def test_the_larger_rate_has_learned_more_and_moved_further(facts: dict[str, Any]) -> None:
    yesterday, today = facts["losses"]
    assert today < yesterday
    yesterday, today = facts["moved"]
    assert today > 1.5 * yesterday


def test_the_two_paths_are_alike_and_not_the_same(facts: dict[str, Any]) -> None:
    assert 0.2 < facts["alike"] < 0.95


def test_page_and_film_are_small_enough_to_send(facts: dict[str, Any]) -> None:
    assert 0 < facts["page_megabytes"] <= 2  # what a page may take by default
    assert 0 < facts["film_megabytes"] < 3
