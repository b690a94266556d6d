"""The still picture's arrangement, held to the cases that the live view is held to."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from kan_widgets.widgets.geometry import Arrangement, Label, arrange

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "js/test/geometry_cases.json").read_text(encoding="utf-8")
)["cases"]


def arranged(given: dict[str, Any]) -> Arrangement:
    rest = {key: value for key, value in given.items() if key != "in"}
    return arrange(in_=given["in"], **rest)


def summary(labels: list[Label]) -> dict[str, Any]:
    found = [asdict(label) for label in labels]
    return {"count": len(found), "first": found[:6], "last": found[-1:]}


@pytest.fixture(params=CASES, ids=[case["name"] for case in CASES])
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.param
    return found


def test_the_numbers_of_the_arrangement_are_those_of_the_case(case: dict[str, Any]) -> None:
    places, expected = arranged(case["input"]), case["expected"]
    names = ["flowing", "rows", "columns", "cell", "per_band", "bands", "width", "height"]
    names.append("label_step")
    assert {n: getattr(places, n) for n in names} == {n: expected[n] for n in names}


def test_kernels_and_cells_lie_where_the_case_says(case: dict[str, Any]) -> None:
    places, expected = arranged(case["input"]), case["expected"]
    origins = places.block_origins().tolist()
    for block in expected["blocks"]:
        assert origins[block["kernel"]] == [block["x"], block["y"]]
        assert (places.block_width, places.block_height) == (block["width"], block["height"])
    for cell in expected["cells"]:
        assert places.rect_of(cell["f"]) == (cell["x"], cell["y"], cell["size"])


def test_labels_are_those_of_the_case(case: dict[str, Any]) -> None:
    places, expected = arranged(case["input"]), case["expected"]
    assert summary(places.column_labels()) == expected["column_labels"]
    assert summary(places.row_labels()) == expected["row_labels"]
    assert summary(places.corner_labels()) == expected["corner_labels"]


def test_the_point_in_the_middle_of_a_cell_finds_its_function(case: dict[str, Any]) -> None:
    places = arranged(case["input"])
    functions = range(0, places.count, max(1, places.count // 60))
    middles = [(x + s / 2, y + s / 2) for x, y, s in map(places.rect_of, functions)]
    assert [places.cell_at(x, y) for x, y in middles] == list(functions)


def test_no_two_cells_overlap_and_all_lie_within_the_drawing(case: dict[str, Any]) -> None:
    places = arranged(case["input"])
    origins = places.cell_origins()
    assert len({tuple(origin) for origin in origins.tolist()}) == places.count
    assert origins.min() >= 0
    assert (origins.max(axis=0) + places.cell <= (places.width, places.height)).all()


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (0, 0),  # the margin
        (41, 30),  # the row heads
        (60, 20),  # the column heads
        (42 + 39, 30),  # the gap between two cells
        (42 + 119 + 6, 30),  # the gap between two kernels
        (60, 144),  # below
        (690, 30),  # right
    ],
)
def test_a_point_between_the_cells_finds_nothing(x: float, y: float) -> None:
    assert arrange("conv", 5, 1, 3, 3, 700).cell_at(x, y) is None


def test_a_point_behind_the_last_kernel_of_the_last_band_finds_nothing() -> None:
    places = arrange("conv", 5, 1, 3, 3, 360)
    assert places.cell_at(260, 40) == 18  # third kernel, first band
    assert places.cell_at(260, 160) is None  # there is no sixth


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("dense", 5, 1, 3, 3, 700, None), "'dense'"),
        (("conv", 0, 1, 3, 3, 700, None), r"\(0, 1, 3, 3\)"),
        (("conv", 3, 1, 3, 3, 700, [0, 1, 1]), "0 to 2 once"),
    ],
)
def test_what_cannot_be_arranged_is_refused(given: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        arrange(*given)


def test_a_function_that_is_not_there_is_refused() -> None:
    with pytest.raises(IndexError, match="45 is outside 0 to 44"):
        arrange("conv", 5, 1, 3, 3, 700).rect_of(45)
