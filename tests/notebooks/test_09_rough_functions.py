"""What the appendix says of a function that the theorem's proofs construct holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.notebooks.execution import Run, check_runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("09_rough_functions.ipynb")


@pytest.fixture(scope="module")
def facts(run: Run) -> dict[str, Any]:
    return run.facts


def test_every_cell_runs_without_an_error(run: Run) -> None:
    check_runs(run)


def test_the_inner_function_is_as_rough_as_its_halving_steps_say(facts: dict[str, Any]) -> None:
    assert facts["holder_exponent"] == pytest.approx(0.30103, abs=1e-4)
    assert facts["share_of_x_for_99_percent"] < 0.02


def test_a_finer_grid_helps_the_logarithm_and_hardly_the_inner_function(
    facts: dict[str, Any],
) -> None:
    assert facts["log_errors"][0] / facts["log_errors"][-1] > 10_000
    assert facts["psi_errors"][0] / facts["psi_errors"][-1] < 5
    assert facts["log_power"] > 3
    assert facts["psi_power"] < 0.5


def test_magnified_the_logarithm_is_a_line_and_the_inner_function_still_a_stair(
    facts: dict[str, Any],
) -> None:
    climb = facts["climb_on_a_hundredth_when_magnified"]
    assert climb["ln"] == pytest.approx(0.01, abs=1e-3)
    assert climb["ψ"] > 0.2
