"""What the lesson on publishing says: what of a reading is the same from every seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.notebooks.execution import Run, check_runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("12_readings_to_publish.ipynb")


@pytest.fixture(scope="module")
def facts(run: Run) -> dict[str, Any]:
    return run.facts


def test_every_cell_runs_without_an_error(run: Run) -> None:
    check_runs(run)


def test_all_networks_are_good(facts: dict[str, Any]) -> None:
    assert len(facts["unexplained"]) == facts["seeds"] == 8
    assert max(facts["unexplained"]) < 0.02
    assert facts["p"] < 0.05


def test_forms_of_single_functions_vary_with_the_seed(facts: dict[str, Any]) -> None:
    assert min(facts["commonest"]) <= 4


def test_the_terms_of_the_formula_do_not(facts: dict[str, Any]) -> None:
    for term in ("exp of a sum", "sin of x", "square of y"):
        assert facts["terms"][term] >= 6
    assert facts["formula_unexplained"] < 1e-3


def test_a_cut_costs_more_than_splines_are_worth(facts: dict[str, Any]) -> None:
    assert facts["cut"] < min(facts["control"]) < max(facts["control"]) < 0
    assert max(facts["beside_control"]) < 0


def test_an_interval_over_inputs_is_none_over_seeds(facts: dict[str, Any]) -> None:
    # Of two draws of the inputs, with nothing else between them, it would cover about 0.83.
    assert facts["inside"] < 0.83


def test_moments_are_found_that_their_null_seldom_gives(facts: dict[str, Any]) -> None:
    assert facts["moments"]
    assert facts["most_p"] < 0.05


def test_networks_as_large_without_splines_lack_points_and_overtake_with_more_steps(
    facts: dict[str, Any],
) -> None:
    assert min(facts["large_lost"]) > 3
    few, many = facts["large_behind"]
    assert many < few
    assert facts["large_lost_later"] > 1


def test_the_page_says_a_doubt_beside_every_number(facts: dict[str, Any]) -> None:
    _, *sections = facts["page"].split("\n## ")
    assert len(sections) == 2
    for section in sections:
        *_, rows = section.split("\n\n")
        _, _, *rows = rows.splitlines()
        assert len(rows) > 3
        for row in rows:
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            assert len(cells) == 4
            assert all(cells)
