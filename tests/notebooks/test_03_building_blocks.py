"""What the third tutorial says of terms, orders, grids, families and the base holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import kan_widgets as kw
from tests.notebooks.execution import Run, check_runs
from tests.notebooks.networks import lesson

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("03_building_blocks.ipynb")


@pytest.fixture(scope="module")
def facts(run: Run) -> dict[str, Any]:
    return run.facts


def test_every_cell_runs_without_an_error(run: Run) -> None:
    check_runs(run)


def test_the_function_is_the_sum_of_its_terms(facts: dict[str, Any]) -> None:
    assert facts["terms"] == 8
    assert facts["sum_minus_phi"] < 1e-5


def test_the_function_has_learned_the_wave(facts: dict[str, Any]) -> None:
    assert facts["one_error"] < 0.2


def test_splines_add_up_to_one_inside_the_grid(facts: dict[str, Any]) -> None:
    assert facts["sum_of_splines"] == pytest.approx([1] * 6, abs=1e-5)


def test_one_coefficient_moves_four_intervals_by_two_thirds(facts: dict[str, Any]) -> None:
    assert 3.8 < facts["reach_in_intervals"] <= 4.01
    assert facts["peak_of_change"] == pytest.approx(2 / 3, abs=1e-3)


def test_each_order_adds_one_to_the_power_of_the_grid(facts: dict[str, Any]) -> None:
    assert facts["order_powers"] == pytest.approx([1, 2, 3, 4], abs=0.35)


def test_at_one_grid_a_higher_order_is_nearer(facts: dict[str, Any]) -> None:
    errors = facts["order_errors"]
    assert errors == sorted(errors, reverse=True)


def test_refining_does_not_move_the_function_and_lets_it_come_nearer(facts: dict[str, Any]) -> None:
    assert max(facts["refine_change"]) < 1e-5
    errors = facts["refine_errors"]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 10


def test_as_many_steps_on_the_old_grid_do_not_bring_it_as_near(facts: dict[str, Any]) -> None:
    for stayed, refined in zip(
        facts["not_refined_errors"], facts["refine_errors"][1:], strict=True
    ):
        assert stayed > 2 * refined


def test_twelve_intervals_have_little_left_to_give(facts: dict[str, Any]) -> None:
    *_, twelve, twenty_four = facts["refine_errors"]
    assert twenty_four < twelve / 10
    assert 0.5 < facts["not_refined_errors"][-1] / twelve < 0.75


def test_it_is_the_rate_that_makes_the_loss_rise_after_refining(facts: dict[str, Any]) -> None:
    as_it_was, tenth = facts["rises_at_the_rate_and_at_a_tenth"]
    assert tenth < as_it_was / 2


def test_bumps_level_off_and_wider_ones_do_not(facts: dict[str, Any]) -> None:
    bumps, wider = facts["family_errors"]["wave"]["RBF"], facts["wider_bumps"]
    assert wider[-1] < wider[3] / 100
    assert wider[-1] < bumps[-1] / 100


def test_training_at_one_end_moves_the_other_by_the_base_alone(facts: dict[str, Any]) -> None:
    assert facts["moved_far_away"]["w is trained"] > 0.05
    assert facts["moved_far_away"]["w is held"] == 0


def test_half_of_the_splines_are_done_on_the_left_and_half_of_the_waves_are_near_everywhere(
    facts: dict[str, Any],
) -> None:
    left, right = facts["half"]["B-spline"]
    assert left < 0.01 < 0.5 < right
    assert 10 * left < min(facts["half"]["Fourier"])
    assert max(facts["half"]["Fourier"]) < 0.25
    assert max(facts["whole"].values()) < 0.01


def test_the_waves_of_the_waves_own_pace_move_it_by_most_and_faster_ones_by_less_and_less() -> None:
    def wave(x: torch.Tensor) -> torch.Tensor:
        return torch.sin(5 * x) * (1 - x / 2)

    layer = lesson.fitted(kw.nn.Fourier(8, (-1.5, 1.5)), wave)
    found = layer.get_parameter("spline_weight").flatten()
    sizes = found[1:].view(8, 2).norm(dim=1).tolist()  # of the cosine and the sine of each
    assert sizes[1:] == sorted(sizes[1:], reverse=True)
    assert sizes[0] < sizes[2]


def test_for_the_smooth_wave_fourier_waves_are_far_ahead_and_bumps_level_off(
    facts: dict[str, Any],
) -> None:
    rows = facts["family_errors"]["wave"]
    for number in range(2, 6):  # 13 terms and more
        assert min(rows, key=lambda family: rows[family][number]) == "Fourier"
    assert rows["Fourier"][-1] < rows["B-spline"][-1] / 10
    assert rows["B-spline"][-1] < rows["B-spline"][3] / 10
    assert rows["RBF"][-1] > rows["RBF"][3] / 10


def test_chebyshev_polynomials_are_behind_the_splines_for_the_wave(facts: dict[str, Any]) -> None:
    rows = facts["family_errors"]["wave"]
    assert all(c > b for c, b in zip(rows["Chebyshev"][1:], rows["B-spline"][1:], strict=True))


def test_it_is_the_tanh_that_holds_chebyshev_polynomials_back_and_moves_their_best_place(
    facts: dict[str, Any],
) -> None:
    plain = facts["polynomial_errors"]
    of_tanh, splines = (
        {target: found[family][3] for target, found in facts["family_errors"].items()}
        for family in ("Chebyshev", "B-spline")
    )
    assert plain["wave"] < splines["wave"] / 10 < of_tanh["wave"]
    assert 2 * of_tanh["kink"] < splines["kink"] < 1.2 * plain["kink"]
    assert plain["peak at 0.8"] < plain["peak at 0.1"]
    assert of_tanh["peak at 0.1"] < of_tanh["peak at 0.8"]


def test_waves_are_ahead_on_the_wave_and_elsewhere_it_turns_with_the_number_of_terms(
    facts: dict[str, Any],
) -> None:
    for target, rows in facts["family_errors"].items():
        pairs = zip(rows["B-spline"], rows["Fourier"], strict=True)
        assert {spline < waves for spline, waves in pairs} == (
            {False} if target == "wave" else {False, True}
        )


def test_no_family_is_quick_at_a_kink(facts: dict[str, Any]) -> None:
    for row in facts["family_errors"]["kink"].values():
        assert 1e-3 < row[-1] < 5e-2


@pytest.mark.parametrize("peak", ["peak at 0.1", "peak at 0.8"])
def test_none_sees_a_peak_narrower_than_its_terms(facts: dict[str, Any], peak: str) -> None:
    for row in facts["family_errors"][peak].values():
        assert row[0] > 0.5
        assert row[-1] < row[0] / 5


def test_chebyshev_is_best_for_a_peak_in_the_middle_and_worst_for_one_at_the_end(
    facts: dict[str, Any],
) -> None:
    middle, end = (
        {family: row[3] for family, row in facts["family_errors"][peak].items()}
        for peak in ("peak at 0.1", "peak at 0.8")
    )
    assert min(middle, key=lambda family: middle[family]) == "Chebyshev"
    assert max(end, key=lambda family: end[family]) == "Chebyshev"


def test_without_splines_the_layer_is_a_dense_one_after_silu(facts: dict[str, Any]) -> None:
    assert facts["dense_difference"] < 1e-5


def test_only_the_base_moves_inputs_outside_the_grid(facts: dict[str, Any]) -> None:
    assert facts["dead_without_base"] > 0.3
    assert facts["dead_with_base"] < 0.01


def test_the_base_pays_at_the_start_and_little_later(facts: dict[str, Any]) -> None:
    assert facts["silu_early"] < 0.8 * facts["no_early"]
    assert facts["no_late"] < 0.2
