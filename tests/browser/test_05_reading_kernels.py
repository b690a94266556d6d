"""The fifth tutorial walked, and what its prose relies on, in the numbers of that run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
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
        _, held = walk.stands("reading-views")
        walk.press("reading-views", "One step")
        lab.until(lambda: walk.stands("reading-views")[1] == held + 1, "one more step")
        assert walk.is_running("reading-train")
        walk.press("reading-views", "Resume")
    walk.look("after-the-epoch")

    walk.says("reading-timeline", "drag it to step 63")
    walk.run_to("reading-two-times")
    walk.view("reading-two-times", "compare")
    walk.look("two-times")

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

    walk.says("reading-last-layer", "Click a row", "over time", "splines", "**update**")
    walk.run_to("reading-layers")
    ranges = walk.view("reading-layers", "layer-ranges")
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

    walk.says("reading-explain", "A click on a bar selects its function")
    walk.run_to("reading-explained")
    walk.view("reading-explained", "explain")
    walk.look("explained")

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
    check_runs(run, alarm="linear: 5")  # about half of its inputs lie outside its grid


def test_it_is_trained_for_as_long_as_the_article_trained(facts: dict[str, Any]) -> None:
    assert facts["steps"] in (938, 945)
    assert facts["found"]["end"]["digits right"] > 0.95 > facts["found"]["early"]["digits right"]


def without_splines(facts: dict[str, Any], when: str) -> float:
    """Return the share of the digits lost when all splines are taken away."""
    found = facts["found"][when]
    return float(found["digits right"] - found["right without any splines"])


def test_taking_all_splines_away_costs_next_to_nothing_at_63_steps(facts: dict[str, Any]) -> None:
    assert abs(without_splines(facts, "early")) < 0.025


def test_taking_all_splines_away_costs_several_points_at_full_length(facts: dict[str, Any]) -> None:
    assert without_splines(facts, "end") > 0.03


def test_many_functions_of_the_last_layer_leave_silu_between_63_steps_and_the_end(
    facts: dict[str, Any],
) -> None:
    start, early, end = (facts["found"][when] for when in ("start", "early", "end"))
    assert start["SiLU-shaped in linear"] > 0.95
    assert 0.6 < early["SiLU-shaped in linear"] < 0.95
    assert end["SiLU-shaped in linear"] < 0.45


def test_functions_of_the_second_layer_that_go_one_way_become_fewer_than_half(
    facts: dict[str, Any],
) -> None:
    early, end = (facts["found"][when]["one way in convs.1"] for when in ("early", "end"))
    assert end < min(early, 0.55)


def test_chance_gives_a_quarter_of_a_line_in_twenty_kernels(facts: dict[str, Any]) -> None:
    assert 20 * facts["chance"]["line"] == pytest.approx(0.234, abs=1e-3)


def test_a_network_has_few_horizontal_lines_and_four_have_more_than_chance_gives(
    facts: dict[str, Any],
) -> None:
    lines = facts["lines"]["by_network"]
    assert len(lines) == 4
    assert max(lines.values()) <= 2
    assert sum(lines.values()) > 40 * facts["chance"]["line"]


def test_nearly_all_pixels_sit_at_the_two_ends_and_none_outside(facts: dict[str, Any]) -> None:
    pixels = facts["pixels"]
    assert pixels["dark"] + pixels["bright"] > 0.8
    assert pixels["outside"] == 0


def test_the_locally_linear_kernel_answers_like_every_real_kernel(facts: dict[str, Any]) -> None:
    assert min(facts["correlation"]["locally linear"]) > 0.95


def test_no_pattern_answers_as_well_as_the_locally_linear_kernel(facts: dict[str, Any]) -> None:
    both = zip(*(facts["correlation"][n] for n in ("locally linear", "pattern ±1")), strict=True)
    assert all(line > pattern for line, pattern in both)


def test_the_pattern_does_well_for_some_kernels_and_less_well_for_others(
    facts: dict[str, Any],
) -> None:
    pattern = facts["correlation"]["pattern ±1"]
    assert max(pattern) > 0.93
    assert max(pattern) - min(pattern) > 0.02


def test_the_pattern_in_its_greys_answers_nearly_like_the_fitted_line(
    facts: dict[str, Any],
) -> None:
    grey, fitted = (facts["correlation"][name] for name in ("in its greys", "locally linear"))
    assert grey == pytest.approx(fitted, abs=0.03)


def test_functions_with_a_large_base_weight_keep_silu(facts: dict[str, Any]) -> None:
    assert facts["keep_silu"]["large |w|"] > facts["keep_silu"]["small |w|"] + 0.2


def test_the_heat_maps_are_most_intense_where_no_pixel_is(facts: dict[str, Any]) -> None:
    assert facts["extreme_outside"] > 30


def test_functions_that_suppress_dark_input_become_fewer_the_longer_it_trains(
    facts: dict[str, Any],
) -> None:
    start, early, end = facts["suppressing"]
    assert start["how many, by movement"] >= 40
    for measure in ("how many, by movement", "how many, by value"):
        assert start[measure] > early[measure] > end[measure]
        assert facts["suppressing_stronger"][measure] == 0


def test_dark_beside_bright_becomes_more_the_longer_it_trains(facts: dict[str, Any]) -> None:
    start, early, end = facts["suppressing"]
    for measure in ("ratio, by movement", "ratio, by value"):
        assert start[measure] < early[measure] < end[measure]
        assert facts["suppressing_stronger"][measure] == 0


def test_the_difference_of_bright_and_dark_grows_in_every_network(facts: dict[str, Any]) -> None:
    start, early, end = (found["difference"] for found in facts["suppressing"])
    assert start < early < end
    assert facts["suppressing_stronger"]["difference"] == 4


def test_splines_make_the_answer_to_the_dark_larger_in_every_network(facts: dict[str, Any]) -> None:
    measure = "answer to the dark, beside that without splines"
    assert facts["suppressing"][-1][measure] > 1.1
    assert facts["suppressing_stronger"][measure] == 0


def test_beside_the_spread_the_answer_to_the_dark_rises_in_most_networks(
    facts: dict[str, Any],
) -> None:
    assert facts["suppressing_stronger"]["answer to the dark, beside the spread"] < 2


def test_of_later_functions_a_line_says_less_and_silu_more(facts: dict[str, Any]) -> None:
    for measure, rises in (("line", True), ("silu", False), ("curvature", True)):
        first, last = facts["complex"][measure]
        assert (last > first) == rises


def test_later_functions_vary_more(facts: dict[str, Any]) -> None:
    first, last = facts["complex"]["variation"]
    assert last > first


def test_for_their_size_later_functions_are_less_bent(facts: dict[str, Any]) -> None:
    first, last = facts["complex"]["bend"]
    assert last < first
    assert not facts["complex_holds"]["bend"]


def test_the_tenth_convolution_is_not_small(facts: dict[str, Any]) -> None:
    assert all(found["tenth_now"] > 0.8 for found in facts["trial"].values())


def test_kernels_draw_together_at_full_length(facts: dict[str, Any]) -> None:
    trial = [found for name, found in facts["trial"].items() if name != "standardised"]
    now, start = (np.mean([t[k] for t in trial]) for k in ("least_now", "least_at_start"))
    assert now > start + 0.1


def test_adamw_moves_kernels_about_equally_whatever_their_gradients(facts: dict[str, Any]) -> None:
    assert facts["gradient"]["largest"] > 1.5 * facts["gradient"]["moved"]
    assert facts["gradient"]["moved"] < 2.5


def test_the_tenth_is_drawn_small_about_as_often_as_any(facts: dict[str, Any]) -> None:
    each = facts["small_at_start"]["each"]
    assert facts["small_at_start"]["any"] > 0.3
    # Of 200 draws: a share of a tenth scatters by 0.02.
    assert each[9] == pytest.approx(np.mean(each), abs=0.08)


def test_only_the_last_layer_has_small_ranges_and_had_them_at_the_start(
    facts: dict[str, Any],
) -> None:
    for ranges in (facts["ranges_at_start"], facts["ranges"]):
        assert min(ranges[name] for name in CONVOLUTIONS) / ranges["linear"] > 3


def test_the_ratio_at_the_start_is_that_of_initial_weights_and_grid(facts: dict[str, Any]) -> None:
    ranges = facts["ranges_at_start"]
    found = sum(ranges[name] for name in CONVOLUTIONS) / 2 / ranges["linear"]
    # The median of 90 uniform numbers scatters by a tenth.
    assert found == pytest.approx(11.4, rel=0.35)


def test_about_half_of_the_inputs_of_the_dense_layer_lie_beyond_its_grid(
    facts: dict[str, Any],
) -> None:
    assert 0.4 < facts["beyond_the_dense_grid"] < 0.6


def test_a_quarter_of_the_functions_can_go_at_the_cost_of_a_point(facts: dict[str, Any]) -> None:
    assert facts["pruned"]["left"] < 0.8 * 6340
    assert facts["pruned"]["right"] >= facts["pruned"]["before"] - 0.01


def test_the_first_layer_as_formulas_answers_nearly_as_before(facts: dict[str, Any]) -> None:
    assert facts["symbolic"]["functions"] > 20
    assert facts["symbolic"]["right"] == pytest.approx(facts["pruned"]["right"], abs=0.02)
