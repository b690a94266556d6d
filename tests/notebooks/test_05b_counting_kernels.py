"""What the page that counts kernels says of its own network holds, and its sentences follow it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.notebooks.execution import Run, check_runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("05b_counting_kernels.ipynb")


@pytest.fixture(scope="module")
def facts(run: Run) -> dict[str, Any]:
    return run.facts


def said(run: Run, cell: str) -> str:
    """Return all Markdown that a cell has shown."""
    (outputs,) = (one.outputs for one in run.notebook.cells if one.id == cell)
    return "\n".join(str(output.data.get("text/markdown", "")) for output in outputs)


def test_every_cell_runs_without_an_error(run: Run) -> None:
    check_runs(run, alarm="linear: ")  # about half of its inputs lie outside its grid


def test_it_is_trained_for_about_as_long_as_the_article_trained(facts: dict[str, Any]) -> None:
    assert facts["steps"] == 945
    assert facts["found"]["end"]["right"] > 0.95 > facts["found"]["early"]["right"]


def test_many_functions_of_the_last_layer_leave_silu_between_63_steps_and_the_end(
    facts: dict[str, Any],
) -> None:
    start, early, end = (facts["found"][when] for when in ("start", "early", "end"))
    assert start["SiLU-shaped in linear"] > 0.95
    assert 0.6 < early["SiLU-shaped in linear"] < 0.95
    assert end["SiLU-shaped in linear"] < 0.45


def test_the_lines_that_are_said_are_those_counted(run: Run) -> None:
    counted = f"{run.facts['lines']} horizontal and {run.facts['upright']} upright lines here"
    assert counted in said(run, "counting-saw")


def test_suppression_is_said_to_grow_by_the_difference_alone(facts: dict[str, Any]) -> None:
    grown = [name for name, verdict in facts["suppresses"].items() if verdict == "stronger"]
    assert grown == ["difference"]


def test_about_half_of_the_inputs_of_the_dense_layer_lie_beyond_its_grid(
    facts: dict[str, Any],
) -> None:
    assert 0.4 < facts["beyond"] < 0.6


def test_the_tenth_is_said_beside_the_median_on_both_stretches_and_is_not_small(run: Run) -> None:
    grid, drawn = run.facts["tenth"]
    head, _, first, *_ = said(run, "counting-tenth").strip().splitlines()
    assert head == "| beside the median of ten | as drawn, −2 to 2 | on the grid |"
    assert first == f"| range of the tenth, here | {drawn:.2f} | {grid:.2f} |"
    assert min(grid, drawn) > 0.5


def test_what_became_more_complex_is_said_as_it_was_found(run: Run) -> None:
    said_of = {
        "yes": "the later kernels became the more complex",
        "no, the earlier": "the earlier became the more complex",
        "undecided": "it is undecided",
    }
    for measure, verdict in run.facts["later"].items():
        words = rf"by [^;.]*\b{measure}\b[^;.]* {said_of[verdict]}"
        assert re.search(words, said(run, "counting-complex"))


def test_where_this_network_goes_against_the_twenty_in_the_dark_is_said(run: Run) -> None:
    sentence = re.search("suppression of dark input grows by.*", said(run, "counting-saw"))
    assert sentence
    for name, verdict in run.facts["suppresses"].items():
        stronger = run.facts["dark"]["end"][name] > run.facts["dark"]["start"][name]
        if name == "answer to the dark, beside the spread":
            stronger = not stronger
        against = verdict == ("weaker" if stronger else "stronger")
        assert (name in sentence[0].partition("the other way")[2]) == against
