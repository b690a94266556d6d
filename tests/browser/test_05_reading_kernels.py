"""The fifth tutorial walked, and what its prose relies on, in the numbers of that run."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.browser.walk import GATE, Walk, shows
from tests.notebooks.execution import Run, check_runs

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CONVOLUTIONS = ("convs.0", "convs.1")


def walk_through(walk: Walk) -> Run:
    """Pause the training, and do with each view what the text says."""
    lab = walk.lab
    lab.page.set_viewport_size({"width": 1280, "height": 1400})
    walk.run_to("reading-setup")
    lab.evaluate("1", GATE)
    walk.says("reading-live", "buttons of the panel pause the loop", "single steps")
    with walk.training("reading-train"):
        walk.pause("reading-views", "reading-train")
        walk.look("paused")
        panel = walk.view("reading-views", "training-panel")
        step = panel.locator(".kw-remark").nth(1)
        held = int(step.inner_text().removeprefix("step "))
        walk.press("reading-views", "One step")
        lab.until(lambda: step.inner_text() == f"step {held + 1}", "one more step")
        assert walk.is_running("reading-train")
        walk.press("reading-views", "Resume")
    walk.view("reading-views", "layer-ranges")
    walk.look("after-the-epoch")

    walk.says("reading-ten", "Point at a function", "click it and it opens in the inspector")
    walk.run_to("reading-grids")
    grid = walk.grid("reading-grids")
    grid.hover(4)
    lab.until(lambda: "base" in grid.tip()[1], "the tip")
    grid.click(12)
    inspector = walk.view("reading-views", "spline-inspector")
    chosen = {"layer": "convs.0", "out": 1, "in": 0, "row": 1, "column": 0}
    lab.until(
        lambda: inspector.evaluate("view => view.kwView.selection()") == chosen, "the inspector"
    )
    walk.look("inspector")

    walk.says("reading-pattern", "Uncheck **binarise**")
    walk.run_to("reading-binarised")
    pattern = walk.grid("reading-binarised")
    assert "full at" not in pattern.text()
    walk.look("binarised")
    walk.view("reading-binarised", "kernel-grid").get_by_text("binarise", exact=True).click()
    lab.until(lambda: "full at φ(1) − φ(−1)" in pattern.text(), "the shades of grey")
    walk.look("pattern")

    walk.says("reading-meshgrid", "Choose another **ramp**", "vertical", "other limits")
    walk.says("reading-outside", "Set the limits to −1 and 1")
    walk.run_to("reading-ramp")
    maps = walk.view("reading-ramp", "meshgrid-view")
    walk.look("ramp")
    maps.locator("select[aria-label=ramp]").select_option("vertical")
    for end, value in (("from", "-1"), ("to", "1")):
        maps.get_by_label(f"ramp {end}").fill(value)
        maps.get_by_label(f"ramp {end}").press("Tab")
    lab.until(lambda: "from −1 to 1" in maps.inner_text(), "the other limits")
    walk.look("limits")

    walk.says("reading-puzzle", "Click a row", "over time", "splines", "**update**")
    walk.run_to("reading-ranges")
    ranges = walk.view("reading-ranges", "layer-ranges")
    ranges.scroll_into_view_if_needed()
    row = ranges.evaluate("view => view.kwRanges.place('2')")
    lab.page.mouse.click(row["x"] + 20, row["y"] + row["height"] / 2)
    lab.until(lambda: ranges.evaluate("view => view.kwRanges.chosen()") == 2, "the chosen row")
    assert ranges.evaluate("view => view.kwRanges.scene().content.rows[2].name") == "linear"
    for words in ("splines", "update"):
        ranges.get_by_label("over time").select_option(words)
        read = partial(ranges.evaluate, "view => view.kwShown().words.join(' · ')")
        lab.until(shows(read, words), words)
        walk.look(words)

    walk.run_to("reading-saw-more")
    walk.cell("reading-saw-more").scroll_into_view_if_needed()
    walk.look("saw")
    return walk.run()


@pytest.fixture(scope="module")
def run(walked: Callable[[str, Callable[[Walk], Run]], Run]) -> Run:
    return walked("05_reading_kernels.ipynb", walk_through)


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
