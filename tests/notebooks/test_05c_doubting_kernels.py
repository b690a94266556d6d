"""What the page that doubts kernels says of splines holds in its own run, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.notebooks.execution import Run, check_runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("05c_doubting_kernels.ipynb")


@pytest.fixture(scope="module")
def facts(run: Run) -> dict[str, Any]:
    return run.facts


def test_every_cell_runs_without_an_error(run: Run) -> None:
    still = "its splines have not moved since step 0"  # it has none
    check_runs(run, alarm=tuple(f"{layer}: {still}" for layer in ("convs.0", "convs.1", "linear")))


def test_without_any_spline_most_is_gained_all_the_same(facts: dict[str, Any]) -> None:
    right = facts["right"]
    assert right["without"] > 0.93
    assert abs(right["with splines"] - right["without"]) < 0.035


def test_cut_out_at_the_end_splines_cost_more_than_never_having_them(
    facts: dict[str, Any],
) -> None:
    assert facts["cut"] < facts["right"]["without"]


def test_grey_ink_needs_splines(facts: dict[str, Any]) -> None:
    assert facts["grey_right"]["with splines"] > facts["grey_right"]["without"] + 0.1
    assert facts["grey_cut"] < facts["grey_right"]["without"]


def test_most_entries_that_see_grey_ink_become_hills_or_valleys(facts: dict[str, Any]) -> None:
    hills = facts["hills"]
    assert hills["untrained"] < 10 < 23 <= hills["grey"]


def test_fewer_entries_that_see_plain_digits_do(facts: dict[str, Any]) -> None:
    assert facts["hills"]["plain"] < facts["hills"]["grey"] / 2


def test_what_is_said_of_splines_is_what_twenty_pairs_gave(run: Run) -> None:
    mean, low, high = run.facts["worth"]
    (outputs,) = (one.outputs for one in run.notebook.cells if one.id == "doubting-saw")
    words = f"splines are worth {mean:.1f} [{low:.1f}, {high:.1f}] points"
    assert words in outputs[-1].data["text/markdown"]
