"""Scores of KernelGrid: what is taken, the order they make, and the tints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import traitlets
from numpy.typing import NDArray

import kan_widgets as kw

SVG = "{http://www.w3.org/2000/svg}"

COUNT = 45  # functions of the article's convolutions: 5 kernels 3 × 3
models: list[torch.nn.Module] = []


@pytest.fixture
def grid() -> kw.KernelGrid:
    torch.manual_seed(0)
    models.append(kw.nn.KANCNN.article())
    return kw.KernelGrid(kw.bind(models[-1]), ghost=False)


def numbers_of(grid: kw.KernelGrid, name: str, layer: str) -> NDArray[np.float32]:
    return np.frombuffer(grid.scores[name]["layers"][layer], "<f4")


def tinted(grid: kw.KernelGrid, **options: Any) -> list[ElementTree.Element]:
    """Return the tinted grounds of a picture, in the order that their cells stand in."""
    rects = ElementTree.fromstring(grid.svg(width=700, **options)).iter(f"{SVG}rect")
    wide = [rect for rect in rects if float(rect.attrib["width"]) > 12]  # not the scale's
    return [rect for rect in wide if rect.get("fill", "").startswith("rgb(")]


def tints(grid: kw.KernelGrid, **options: Any) -> list[tuple[int, ...]]:
    fills = [rect.attrib["fill"][4:-1].split(",") for rect in tinted(grid, **options)]
    return [tuple(map(int, fill)) for fill in fills]


def words(grid: kw.KernelGrid, **options: Any) -> list[str]:
    found = ElementTree.fromstring(grid.svg(width=700, **options)).iter(f"{SVG}text")
    return ["".join(text.itertext()) for text in found]


def warmth(tint: tuple[int, ...]) -> int:
    """Return how orange a colour is; below zero, how blue."""
    return tint[0] - tint[2]


def test_numbers_are_taken_for_functions_and_for_outputs(grid: kw.KernelGrid) -> None:
    each = np.arange(COUNT, dtype=np.float64).reshape(5, 1, 3, 3)
    grid.score("each", {"convs.0": each, "convs.1": each.ravel().tolist()}, units="of y")
    assert numbers_of(grid, "each", "convs.0").tolist() == list(range(COUNT))
    assert numbers_of(grid, "each", "convs.1").tolist() == list(range(COUNT))
    assert (grid.scores["each"]["signed"], grid.scores["each"]["units"]) == (False, "of y")
    grid.score("kernels", {"convs.0": torch.tensor([3.0, -1, 4, 1, 5], requires_grad=True)})
    assert numbers_of(grid, "kernels", "convs.0").tolist() == [
        v for v in (3, -1, 4, 1, 5) for _ in range(9)
    ]
    assert grid.scores["kernels"]["signed"]
    grid.score("edges", {"linear": np.ones((10, 625))})
    assert len(numbers_of(grid, "edges", "linear")) == 6250
    assert list(grid.scores) == ["each", "kernels", "edges"]


def test_what_insight_measures_can_be_shown(grid: kw.KernelGrid) -> None:
    live = kw.bind(models[-1])
    seen = live.observe(torch.rand(4, 1, 28, 28))
    layers = live.read()
    found = {layer.name: kw.insight.importance(layer, seen[layer.name]).spread for layer in layers}
    grid.score("spread", found)
    assert numbers_of(grid, "spread", "convs.1") == pytest.approx(found["convs.1"].ravel())
    grid.sort = grid.shade = "spread"
    assert (grid.sort, grid.shade) == ("spread", "spread")


def test_names_are_words_of_sort_and_shade_while_they_are_there(grid: kw.KernelGrid) -> None:
    with pytest.raises(
        traitlets.TraitError,
        match=r"sort='spread': expected one of 'position', 'range', 'change'",
    ):
        grid.sort = "spread"
    with pytest.raises(traitlets.TraitError, match=r"shade='spread': expected one of "):
        grid.shade = "spread"
    grid.score("spread", {"convs.0": np.ones(COUNT)})
    with pytest.raises(
        traitlets.TraitError, match=r"='spreed': .*'change', 'spread'\. Did you mean 'spread'"
    ):
        grid.sort = "spreed"
    grid.sort = grid.shade = "spread"
    grid.score("spread", None)
    assert (grid.sort, grid.shade, grid.scores) == ("position", "", {})
    with pytest.raises(ValueError, match=r"name='spread': the scores are \[\]"):
        grid.score("spread", None)


@pytest.mark.parametrize(
    ("name", "values", "options", "error", "words"),
    [
        ("range", {"convs.0": np.ones(45)}, {}, ValueError, r"other than \['position', 'range'"),
        (" ", {"convs.0": np.ones(45)}, {}, ValueError, "a word other than"),
        ("s", np.ones(45), {}, TypeError, r"expected \{'convs.0': array, …\}"),
        ("s", {"conv": np.ones(45)}, {}, ValueError, "layer 'conv': the layers are 'convs.0'"),
        ("s", {"convs.0": np.ones(9)}, {}, ValueError, r"\(9,\): expected .*or \(5,\) by output"),
        ("s", {"linear": np.ones((625, 10))}, {}, ValueError, r"shape \(625, 10\)"),
        ("s", {"convs.0": np.full(45, np.inf)}, {}, ValueError, "NaN stands for unknown"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_nothing_changes(
    grid: kw.KernelGrid, name: str, values: Any, options: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        grid.score(name, values, **options)
    assert grid.scores == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_cells_are_tinted_by_their_number_and_those_without_are_not(
    grid: kw.KernelGrid, theme: str
) -> None:
    numbers = np.linspace(0, 4, COUNT)
    numbers[7] = np.nan
    grid.score("size", {"convs.0": numbers})
    assert tints(grid, theme=theme) == []
    found = tints(grid, shade="size", theme=theme)
    assert len(found) == COUNT - 1
    # More of the number is more of one colour, from the ground of zero on.
    assert abs(warmth(found[0])) <= 6
    warm = [warmth(tint) for tint in found]
    assert warm == sorted(warm)
    assert warm[-1] > 60
    assert len(set(found)) > 20


def test_signed_numbers_go_both_ways_from_the_middle(grid: kw.KernelGrid) -> None:
    numbers = np.linspace(-1, 2, COUNT)
    grid.score("slope", {"convs.0": numbers})
    warm = [warmth(tint) for tint in tints(grid, shade="slope")]
    assert warm[0] < -20
    assert warm[-1] > 60
    assert abs(warm[15]) <= 6  # that of zero
    assert warm == sorted(warm)


def test_the_ground_that_is_tinted_ends_at_the_grid(grid: kw.KernelGrid) -> None:
    grid.score("size", {"convs.0": np.ones(COUNT)})

    def width() -> float:
        [found] = {rect.attrib["width"] for rect in tinted(grid, shade="size")}
        return float(found)

    whole = width()
    kw.bind(models[-1]).observe(torch.linspace(-2, 2, 2 * 28 * 28).reshape(2, 1, 28, 28))
    # x runs over ±2, the grid over ±1; a cell has two pixels of margin that are no part of x.
    assert width() == pytest.approx((whole - 4) / 2, abs=0.1)


def test_the_largest_come_first_also_where_all_are_negative(grid: kw.KernelGrid) -> None:
    grid.score("drop", {"convs.0": [-3, -1, np.nan, -2, -5]})
    found = tints(grid, sort="drop", shade="drop")
    # −1, −2, −3, −5, each nine times; the kernel without a number comes last.
    assert len(found) == 36
    assert [found[k] for k in range(0, 36, 9)] == [found[k + 8] for k in range(0, 36, 9)]
    cold = [warmth(found[k]) for k in range(0, 36, 9)]
    assert cold == sorted(cold, reverse=True)
    assert "kernel 1" in words(grid, sort="drop")
    first = [text for text in words(grid, sort="drop") if text.startswith("kernel ")]
    assert first == ["kernel 1", "kernel 3", "kernel 0", "kernel 4", "kernel 2"]


def test_a_sorted_overview_says_so_and_has_the_largest_first(grid: kw.KernelGrid) -> None:
    each = np.zeros((10, 625))
    each[7, 321] = 1
    grid.score("drop", {"linear": each})
    said = words(grid, layer="linear", mode="overview", sort="drop", max_height=4000)
    assert "sorted by drop, the largest first" in said
    pairs = [text for text in said if re.fullmatch(r"\d+,\d+", text)]
    assert pairs[0] == "7,321"
    assert "out,in" in said


def test_scores_are_in_a_page_that_is_saved(grid: kw.KernelGrid, tmp_path: Path) -> None:
    grid.score("drop", {"convs.0": np.arange(COUNT)}, units="hoots")
    grid.shade = "drop"
    page = grid.save_html(tmp_path / "page.html").read_text()
    assert "hoots" in page
    # All numbers are among the bytes of the page.
    assert re.search(rf'"scores","drop","layers","convs\.0"\],\d+,{4 * COUNT}\]', page)


def test_a_layer_without_numbers_is_drawn_as_ever_and_says_so(grid: kw.KernelGrid) -> None:
    numbers = np.arange(COUNT) / 100
    numbers[:2] = np.nan
    grid.score("drop", {"convs.0": numbers}, units="%")
    assert tints(grid, layer="convs.1", shade="drop", sort="drop") == []
    assert "no drop of this layer" in words(grid, layer="convs.1", shade="drop")
    assert "no drop of this layer to sort by" in words(grid, layer="convs.1", sort="drop")
    assert "drop 0 … 0.44 % · 2 functions without" in words(grid, shade="drop")
