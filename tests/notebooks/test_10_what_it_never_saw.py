"""What the lesson on unseen pictures says: who fails at them, and what the remedy changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.notebooks.execution import Run, check_runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("10_what_it_never_saw.ipynb")


@pytest.fixture(scope="module")
def facts(run: Run) -> dict[str, Any]:
    return run.facts


def test_every_cell_runs_without_an_error(run: Run) -> None:
    check_runs(run, alarm="linear: ")  # about half of its inputs lie outside its grid


def test_pushed_digits_are_right_where_moved_ones_were_shown(facts: dict[str, Any]) -> None:
    assert facts["pushed"]["as they are"] < 0.2
    assert facts["pushed"]["moved"] > 0.7


def test_moving_digits_costs_little_on_those_in_their_place(facts: dict[str, Any]) -> None:
    assert facts["placed"]["moved"] > facts["placed"]["as they are"] - 0.05


def test_only_the_network_that_was_shown_nothing_doubts_it(facts: dict[str, Any]) -> None:
    assert facts["sure"]["as they are"] > 0.8
    assert facts["sure"]["moved, and doubt"] < 0.3
