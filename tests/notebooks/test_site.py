"""The tutorials as pages: how much room their live views have."""

from __future__ import annotations

import pytest

from tests.notebooks.execution import code_cells, read
from tests.notebooks.site import PAGE_MB, room_for_views


def test_where_no_picture_stays_the_views_have_all_the_room() -> None:
    assert room_for_views("01_quickstart.ipynb") == PAGE_MB


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("08_see_a_whole_run.ipynb", ["film"], "image/gif"),
        ("09_rough_functions.ipynb", ["rough-zoom", "rough-errors"], "image/png"),
    ],
)
def test_films_and_charts_leave_the_views_less(name: str, cells: list[str], kind: str) -> None:
    outputs = [
        output for one in code_cells(read(name)) if one.id in cells for output in one.outputs
    ]
    pictures = [output.data[kind] for output in outputs if kind in output.get("data", {})]
    assert len(pictures) == len(cells)
    taken = sum(map(len, pictures)) / 1e6
    assert room_for_views(name) == pytest.approx(PAGE_MB - taken, abs=1e-4)
