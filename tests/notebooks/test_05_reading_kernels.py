"""What the prose of the fifth tutorial relies on, in the numbers of its own run."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from tests.notebooks.execution import Run, check_runs

pytestmark = pytest.mark.slow

CONVOLUTIONS = ("convs.0", "convs.1")


@pytest.fixture(scope="module")
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("05_reading_kernels.ipynb")


@pytest.fixture(scope="module")
def facts(run: Run) -> dict[str, Any]:
    return run.facts


def test_every_cell_runs_without_an_error(run: Run) -> None:
    check_runs(run)


def test_one_epoch_teaches_most_digits(facts: dict[str, Any]) -> None:
    assert facts["steps"] == 63
    assert facts["accuracy"] > 0.65


def test_taking_all_splines_away_costs_little(facts: dict[str, Any]) -> None:
    assert abs(facts["accuracy"] - facts["accuracy_bare"]) < 0.08
    assert abs(facts["accuracy"] - facts["accuracy_bare_linear"]) < 0.08


def test_most_kernel_functions_only_rise_or_only_fall(facts: dict[str, Any]) -> None:
    assert facts["monotone"] > 90 / 2


def test_pixels_sit_at_the_two_ends_and_hardly_any_at_their_mean(facts: dict[str, Any]) -> None:
    pixels = facts["pixels"]
    assert pixels["dark"] + pixels["bright"] > 0.8
    assert pixels["near_mean"] < 0.05
    assert pixels["outside"] == 0


def test_the_locally_linear_kernel_answers_like_every_real_kernel(facts: dict[str, Any]) -> None:
    assert min(facts["correlation"]["locally linear"]) > 0.95


@pytest.mark.parametrize("other", ["pattern ±1", "tangent at the mean"])
def test_the_locally_linear_kernel_is_better_than_the_others_for_every_kernel(
    facts: dict[str, Any], other: str
) -> None:
    pairs = zip(facts["correlation"]["locally linear"], facts["correlation"][other], strict=True)
    assert all(line > rival for line, rival in pairs)


def test_the_pattern_does_well_for_some_kernels_and_less_well_for_others(
    facts: dict[str, Any],
) -> None:
    pattern = facts["correlation"]["pattern ±1"]
    assert max(pattern) > 0.95
    assert max(pattern) - min(pattern) > 0.02


def test_the_line_through_the_two_ends_answers_like_the_fitted_line(facts: dict[str, Any]) -> None:
    chord, fitted = (facts["correlation"][name] for name in ("chord", "locally linear"))
    assert chord == pytest.approx(fitted, abs=0.02)


def test_the_signs_of_the_pattern_are_those_of_the_fitted_lines(facts: dict[str, Any]) -> None:
    assert facts["signs_unlike"]["locally linear"] <= 2
    assert facts["signs_unlike"]["locally linear"] < facts["signs_unlike"]["tangent at the mean"]


def test_most_functions_still_look_like_silu(facts: dict[str, Any]) -> None:
    assert all(0.5 < share < 1 for share in facts["silu_shaped"].values())


def test_nearly_every_function_looked_like_silu_before_training(facts: dict[str, Any]) -> None:
    for layer, share in facts["silu_shaped_at_start"].items():
        assert max(0.9, facts["silu_shaped"][layer]) < share


def test_the_function_least_like_silu_has_a_small_base_weight(facts: dict[str, Any]) -> None:
    assert facts["w_least_like_silu"] < 0.4


def test_the_functions_that_have_left_silu_are_small_ones(facts: dict[str, Any]) -> None:
    reach = facts["reach_by_shape"]
    assert reach["others"] < 0.7 * reach["SiLU-shaped"]


def test_the_heat_maps_are_most_intense_where_no_pixel_is(facts: dict[str, Any]) -> None:
    assert facts["extreme_outside"] > 35


@pytest.mark.parametrize("counted", ["by value", "by movement"])
def test_functions_that_suppress_dark_input_were_there_at_the_start_and_became_fewer(
    facts: dict[str, Any], counted: str
) -> None:
    start, now = (facts["suppressing"][when][counted] for when in ("start", "now"))
    assert start >= 38
    assert now < start


def test_many_inputs_of_the_last_layer_lie_outside_its_grid(facts: dict[str, Any]) -> None:
    assert facts["last"]["outside_grid"] > 0.2


def test_functions_of_the_last_layer_are_nearly_straight(facts: dict[str, Any]) -> None:
    assert facts["last"]["straight"] > 0.95


def test_only_the_last_layer_has_small_ranges_and_had_them_at_the_start(
    facts: dict[str, Any],
) -> None:
    for ranges in (facts["ranges_at_start"], facts["ranges"]):
        first, second = (ranges[name] for name in CONVOLUTIONS)
        assert 0.5 < second / first < 2.2
        assert min(first, second) / ranges["linear"] > 4


def test_the_ratio_at_the_start_is_that_of_the_two_causes(facts: dict[str, Any]) -> None:
    def silu(x: float) -> float:
        return x / (1 + math.exp(-x))

    predicted = math.sqrt(625 / 9) * (silu(1) - silu(-1)) / silu(1)
    ranges = facts["ranges_at_start"]
    found = sum(ranges[name] for name in CONVOLUTIONS) / 2 / ranges["linear"]
    assert predicted == pytest.approx(11.4, abs=0.05)
    # The median of 90 uniform numbers scatters by a tenth.
    assert found == pytest.approx(predicted, rel=0.35)


def test_splines_start_far_below_the_base_and_lowest_in_the_last_layer(
    facts: dict[str, Any],
) -> None:
    share = facts["spline_share_at_start"]
    assert max(share.values()) < 0.05
    assert share["linear"] < 0.3 * min(share[name] for name in CONVOLUTIONS)
    assert all(0.04 < now < 0.3 for now in facts["spline_share"].values())


def test_a_step_moves_functions_more_through_the_base_than_through_the_splines(
    facts: dict[str, Any],
) -> None:
    assert all(ratio > 1.5 for ratio in facts["update_ratio"].values())
    assert facts["update_ratio"]["linear"] > 5


def test_the_published_network_of_the_experiment_is_the_one_read_before(
    facts: dict[str, Any],
) -> None:
    published = facts["trial"]["published"]
    assert published["range"] == pytest.approx(facts["ranges"]["linear"], rel=0.02)
    assert published["right"] == pytest.approx(facts["accuracy"], abs=0.02)


def test_base_weights_of_a_convolution_bring_the_last_layer_to_the_convolutions(
    facts: dict[str, Any],
) -> None:
    trial = facts["trial"]
    assert trial["published"]["range"] < 0.25 * trial["published"]["convs"]
    assert 0.45 < trial["wide_base"]["range"] / trial["wide_base"]["convs"] < 1.2


def test_the_wider_grid_adds_what_silu_climbs_on_it(facts: dict[str, Any]) -> None:
    trial = facts["trial"]
    gain = trial["wide_grid"]["range_at_start"] / trial["published"]["range_at_start"]
    assert gain == pytest.approx(1.37, abs=0.08)


def test_splines_on_an_equal_footing_change_the_shapes_and_leave_the_range_small(
    facts: dict[str, Any],
) -> None:
    trial = facts["trial"]
    grown = trial["large_splines"]
    gain = grown["range_at_start"] / trial["published"]["range_at_start"]
    assert 1.2 < gain < 1.8
    assert grown["silu_shaped"] < 0.35 < trial["published"]["silu_shaped"]
    assert grown["spline_share"] == pytest.approx(0.5, abs=0.1)
    assert grown["update_ratio"] < trial["published"]["update_ratio"] / 2
    assert grown["range"] < 0.3 * grown["convs"]


def test_with_both_causes_removed_the_last_layer_reaches_about_as_far_as_the_convolutions(
    facts: dict[str, Any],
) -> None:
    both = facts["trial"]["both"]
    assert 0.7 < both["range"] / both["convs"] < 1.8
    assert both["silu_shaped"] < 0.2


def test_an_epoch_changes_the_small_range_less_than_the_first_cause_does(
    facts: dict[str, Any],
) -> None:
    published = facts["trial"]["published"]
    grown = published["range"] / published["range_at_start"]
    assert 1 < grown < math.sqrt(625 / 9) / 2
    wide = facts["trial"]["wide_base"]["range_at_start"] / published["range_at_start"]
    assert wide == pytest.approx(math.sqrt(625 / 9), rel=0.02)
