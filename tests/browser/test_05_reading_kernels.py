"""The fifth tutorial walked, and what its prose relies on, in the numbers of that run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nbformat
import pytest

from tests.browser.walk import GATE, Walk
from tests.notebooks.execution import CHECKOUT, Run, check_runs

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def walk_through(walk: Walk) -> Run:
    """Pause the training, and do with each view what the text says."""
    lab = walk.lab
    lab.page.set_viewport_size({"width": 1280, "height": 1400})
    walk.run_to("reading-setup")
    lab.evaluate("1", GATE)
    walk.says("reading-live", "pause, take single steps")
    with walk.training("reading-train"):
        walk.pause("reading-views", "reading-train")
        walk.look("paused")
        _, held = walk.stands("reading-views")
        walk.press("reading-views", "One step")
        lab.until(lambda: walk.stands("reading-views")[1] == held + 1, "one more step")
        assert walk.is_running("reading-train")
        walk.press("reading-views", "Resume")
    walk.look("after-the-epoch")

    walk.says("reading-ten", "Click a function to open it in the dashboard")
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
    assert "difference" not in pattern.text()
    walk.look("binarised")
    walk.view("reading-binarised", "kernel-grid").get_by_text("binarise", exact=True).click()
    lab.until(lambda: "difference −" in pattern.text(), "the shades of grey")
    walk.look("pattern")

    walk.says("reading-meshgrid", "Write `limits=(-1, 1)`")
    walk.run_to("reading-ramp")
    maps = walk.view("reading-ramp", "meshgrid-view")
    lab.until(lambda: "from −2 to 2" in maps.inner_text(), "the limits")
    walk.look("ramp")

    walk.says("reading-explain", "A click on a bar selects its function")
    walk.run_to("reading-explained")
    walk.view("reading-explained", "explain")
    walk.look("explained")

    walk.run_to("reading-saw")
    walk.cell("reading-saw").scroll_into_view_if_needed()
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
    assert facts["right"] > 0.95


def test_nearly_all_pixels_sit_at_the_two_ends_and_none_outside(facts: dict[str, Any]) -> None:
    assert facts["dark"] + facts["bright"] > 0.8
    assert facts["outside"] == 0


def test_the_locally_linear_kernel_answers_like_every_real_kernel(facts: dict[str, Any]) -> None:
    assert min(facts["correlation"]["locally linear"]) > 0.95


def test_three_of_the_five_saved_patterns_say_more_than_how_much_ink_there_is() -> None:
    saved = nbformat.read(CHECKOUT / "notebooks/05_reading_kernels.ipynb", 4)
    (cell,) = [cell for cell in saved.cells if cell.id == "reading-density"]
    rows = [row.split("|")[2:-1] for row in cell.outputs[0].data["text/markdown"].splitlines()]
    ahead = [float(own) - float(other) > 0.05 for own, other in zip(*rows[2:4], strict=True)]
    assert sum(ahead) == 3


def test_no_pattern_answers_as_well_as_the_locally_linear_kernel(facts: dict[str, Any]) -> None:
    both = zip(*(facts["correlation"][n] for n in ("locally linear", "pattern ±1")), strict=True)
    assert all(line > pattern for line, pattern in both)


def test_the_pattern_in_its_greys_answers_nearly_like_the_fitted_line(
    facts: dict[str, Any],
) -> None:
    grey, fitted = (facts["correlation"][name] for name in ("in its greys", "locally linear"))
    assert grey == pytest.approx(fitted, abs=0.03)


def test_the_heat_maps_are_most_intense_where_no_pixel_is(facts: dict[str, Any]) -> None:
    assert facts["beyond"] > 30


def test_some_functions_can_go_at_the_cost_of_a_point(facts: dict[str, Any]) -> None:
    assert facts["fewest"] < 0.8 * 6340
