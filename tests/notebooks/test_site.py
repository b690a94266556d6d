"""The tutorials as pages: how much room their live views have."""

from __future__ import annotations

import pytest

from tests.notebooks.execution import code_cells, read
from tests.notebooks.site import PAGE_MB, room_for_views


def test_where_no_picture_stays_the_views_have_all_the_room() -> None:
    assert room_for_views("01_quickstart.ipynb") == PAGE_MB


@pytest.mark.parametrize(
    ("name", "cell", "kind"),
    [
        ("08_see_a_whole_run.ipynb", "film", "image/gif"),
        ("09_rough_functions.ipynb", "rough-errors", "image/png"),
    ],
)
def test_a_film_and_a_chart_leave_the_views_less(name: str, cell: str, kind: str) -> None:
    (shown,) = (one for one in code_cells(read(name)) if one.id == cell)
    (picture,) = (output.data[kind] for output in shown.outputs if kind in output.get("data", {}))
    assert room_for_views(name) == pytest.approx(PAGE_MB - len(picture) / 1e6, abs=1e-4)
