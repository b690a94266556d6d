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


def test_the_articles_network_is_the_one_of_the_article(run: Run) -> None:
    assert run.facts["parameters"] == 94_650


# Five seeds: 92.6 to 93.4 %.
def test_three_epochs_teach_it_the_digits(run: Run) -> None:
    assert run.facts["accuracy"] > 0.88


# Five seeds: the least 0.017 to 0.038, the most 0.17 to 0.20.
def test_every_function_of_the_first_layer_is_seen_to_move(run: Run) -> None:
    assert run.facts["least_change"] > 0.003
    assert run.facts["most_change"] > 0.1


# Three seeds: 98.2 to 98.5 %.
def test_kancnn_learns_more_with_less_than_half_the_parameters(run: Run) -> None:
    assert run.facts["smaller_parameters"] / run.facts["parameters"] < 0.5
    assert run.facts["smaller_accuracy"] >= 0.975
