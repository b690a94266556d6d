"""Other seeds for the tutorials' claims: what `make claims` sets, and what it prints."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from tests.notebooks import claims
from tests.notebooks.execution import TUTORIALS, has_seed, set_seed


def test_the_tutorials_that_answer_the_article_can_be_run_with_another_seed() -> None:
    assert {"05c_doubting_kernels.ipynb", "07_cnn_mlp_kan.ipynb"} <= set(
        filter(has_seed, TUTORIALS)
    )


def notebook_of(*sources: str) -> Any:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]  # type: ignore[no-untyped-call]
    return nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]


def test_another_seed_is_set_where_the_notebook_says_its_own() -> None:
    notebook = notebook_of("import torch", "seed = 0\nmodel = make(seed=0)")
    set_seed(notebook, "05.ipynb", 3)
    assert [cell.source for cell in notebook.cells][1] == "seed = 3\nmodel = make(seed=0)"


@pytest.mark.parametrize("sources", [("torch.manual_seed(0)",), ("seed = 0", "seed = 0")])
def test_a_notebook_that_does_not_say_one_seed_refuses_another(sources: tuple[str, ...]) -> None:
    notebook = notebook_of(*sources)
    with pytest.raises(ValueError, match="expected exactly one line `seed = 0`"):
        set_seed(notebook, "05.ipynb", 3)
    assert [cell.source for cell in notebook.cells] == [*sources]


def test_the_table_tells_what_held_with_each_seed() -> None:
    test = "tests/notebooks/test_07b_complexity_and_depth.py::test_it_bends[as built]"
    assert claims.table({1: {test: True}, 2: {test: False}, 3: {}}).splitlines() == [
        "| | claim | 1 | 2 | 3 |",
        "|---|---|---|---|---|",
        "| 07b | it bends: as built | yes | **no** | **no** |",
    ]


def test_the_table_tells_pages_apart_that_belong_together() -> None:
    test = "tests/notebooks/test_05b_counting_kernels.py::test_it_counts"
    assert claims.table({1: {test: True}}).splitlines()[2] == "| 05b | it counts | yes |"


def test_the_table_writes_a_case_as_it_is_and_not_as_pytest_escapes_it() -> None:
    test = r"tests/notebooks/test_07b_complexity_and_depth.py::test_it_bends[within \xb12]"
    assert claims.table({1: {test: True}}).splitlines()[2] == "| 07b | it bends: within ±2 | yes |"
