"""What the prose of the fourth tutorial relies on, in the numbers of its own run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.notebooks.execution import Run, check_runs

pytestmark = pytest.mark.slow

NUMBERS, FUNCTIONS = "9 numbers and a bias", "9 functions"


@pytest.fixture(scope="module")
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("04_convolution_with_functions.ipynb")


@pytest.fixture(scope="module")
def facts(run: Run) -> dict[str, Any]:
    return run.facts


def test_every_cell_runs_without_an_error(run: Run) -> None:
    check_runs(run)


def test_a_kernel_of_straight_functions_is_the_kernel_of_numbers(facts: dict[str, Any]) -> None:
    assert facts["same"] < 1e-5


def test_the_layer_of_twenty_lines_computes_what_ours_does(facts: dict[str, Any]) -> None:
    assert facts["scratch"]["response"] < 1e-5
    assert facts["scratch"]["gradient"] < 1e-5


def test_functions_learn_to_see_grey_and_numbers_do_not(facts: dict[str, Any]) -> None:
    assert facts["learned"]["functions"] > 0.95
    assert facts["learned"]["numbers"] < 0.5


def test_numbers_have_become_positive_around_and_negative_in_the_middle(
    facts: dict[str, Any],
) -> None:
    *_, middle = weights = sorted(facts["weights"], reverse=True)
    assert middle == facts["weights"][4] < 0 < weights[-2]


def test_the_best_kernel_of_numbers_is_hardly_better_than_the_trained_one(
    facts: dict[str, Any],
) -> None:
    gain = facts["best"][NUMBERS]["grey"] - facts["learned"]["numbers"]
    assert -1e-6 < gain < 0.1


def test_both_can_see_edges_and_functions_can_see_grey(facts: dict[str, Any]) -> None:
    for name, wish in ((NUMBERS, "edge"), (FUNCTIONS, "edge"), (FUNCTIONS, "grey")):
        assert facts["best"][name][wish] == pytest.approx(1, abs=1e-5)


def test_no_sum_over_pixels_is_the_product_of_two(facts: dict[str, Any]) -> None:
    products = [facts["best"][name]["product"] for name in (NUMBERS, FUNCTIONS)]
    assert products[0] < products[1] < 0.9


def test_a_kernel_of_functions_has_a_base_weight_and_the_splines_for_each_entry(
    facts: dict[str, Any],
) -> None:
    intervals, order = 8, 3
    assert facts["parameters"] == {"numbers": 9 + 1, "functions": 9 * (intervals + order + 1)}


def test_phi_of_zero_predicts_the_frame_that_padding_makes(facts: dict[str, Any]) -> None:
    assert facts["frame"] == pytest.approx(facts["predicted"], abs=1e-5)
    assert facts["frame"]["middle"] == pytest.approx(0, abs=1e-6)
    # Three middle splines add up to 1 at x = 0; each entry says a ninth of it.
    assert facts["frame"]["side"] == pytest.approx(3 / 9, abs=1e-5)
    assert facts["frame"]["corner"] == pytest.approx(5 / 9, abs=1e-5)


def test_repeating_the_border_leaves_no_frame_and_zeros_frame_a_kernel_of_numbers_too(
    facts: dict[str, Any],
) -> None:
    heights = facts["frame_heights"]
    assert heights["grey, replicate"] == pytest.approx(0, abs=1e-6)
    assert heights["grey, zeros"] > 0.5
    assert heights["edge, zeros"] > 0.5


@pytest.mark.parametrize("border", ["zeros", "replicate", "none"])
def test_training_moves_phi_of_zero_away_from_zero(facts: dict[str, Any], border: str) -> None:
    assert facts["phi_at_0"]["start"][border] < 0.06
    assert facts["phi_at_0"]["now"][border] > 2 * facts["phi_at_0"]["start"][border]


@pytest.mark.parametrize("border", ["zeros", "replicate", "none"])
def test_at_the_start_phi_of_zero_is_small_but_not_the_step_to_it(
    facts: dict[str, Any], border: str
) -> None:
    assert facts["steps_to_0"]["start"][border] > 5 * facts["phi_at_0"]["start"][border]


def test_a_twin_begins_with_the_same_kernels(facts: dict[str, Any]) -> None:
    assert len(set(facts["phi_at_0"]["start"].values())) == 1


def test_the_padded_network_has_learned_and_another_padding_changes_what_it_gets_right(
    facts: dict[str, Any],
) -> None:
    right = facts["accuracy"]
    assert min(right[border] for border in ("zeros", "replicate", "none")) > 0.8
    assert right["zeros"] != right["zeros, replaced after training"]
