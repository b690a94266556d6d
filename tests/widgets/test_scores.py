"""Scores of KernelGrid: what is taken, the order they make, and the tints, pixel by pixel."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from numpy.typing import NDArray
from PIL import Image

import kan_widgets as kw
from kan_widgets.widgets.geometry import arrange
from kan_widgets.widgets.palette import ARM, palette
from kan_widgets.widgets.scores import STEPS, TINT
from kan_widgets.widgets.still import png_bytes

COUNT = 45  # functions of the article's convolutions: 5 kernels 3 × 3
models: list[torch.nn.Module] = []


@pytest.fixture
def grid() -> kw.KernelGrid:
    torch.manual_seed(0)
    models.append(kw.nn.KANCNN.article())
    return kw.KernelGrid(kw.bind(models[-1]), ghost=False)


def numbers_of(grid: kw.KernelGrid, name: str, layer: str) -> NDArray[np.float32]:
    return np.frombuffer(grid.scores[name]["layers"][layer], "<f4")


def cell(image: Image.Image, f: int, order: list[int] | None = None) -> NDArray[np.int64]:
    """Return the cell of a function of the article's first layer, drawn 700 pixels wide."""
    places = arrange("conv", 5, 1, 3, 3, 700, order)
    x, y, size = places.rect_of(f)
    top = image.height // 2 - places.height  # the words above
    pixels = np.asarray(image.convert("RGB")).astype(np.int64)
    return pixels[2 * (y + top) : 2 * (y + top + size), 2 * x : 2 * (x + size)]


def ground(image: Image.Image, f: int, order: list[int] | None = None) -> tuple[int, ...]:
    """Return the colour that most of a cell has."""
    colours, counts = np.unique(cell(image, f, order).reshape(-1, 3), axis=0, return_counts=True)
    return tuple(colours[counts.argmax()].tolist())


def tint(share: float, theme: str = "light") -> tuple[int, ...]:
    step = np.floor(STEPS * share + 0.5) / STEPS
    return tuple(palette(theme)[ARM + int(np.rint(TINT * ARM * step))].tolist())


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
        traitlets.TraitError, match=r"sort='spread': one of 'position', 'range', 'change' is"
    ):
        grid.sort = "spread"
    with pytest.raises(traitlets.TraitError, match="shade='spread'"):
        grid.shade = "spread"
    grid.score("spread", {"convs.0": np.ones(COUNT)})
    with pytest.raises(
        traitlets.TraitError, match=r"'change', 'spread' is taken. Did you mean 'spread'"
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
        ("range", {"convs.0": np.ones(45)}, {}, ValueError, "other than 'position', 'range'"),
        (" ", {"convs.0": np.ones(45)}, {}, ValueError, "a word other than"),
        ("s", np.ones(45), {}, TypeError, r"such as \{'convs.0': array\}"),
        ("s", {"conv": np.ones(45)}, {}, ValueError, "layer 'conv': the layers are 'convs.0'"),
        ("s", {"convs.0": np.ones(9)}, {}, ValueError, r"\(9,\) for convs.0: .*\(5, 1, 3, 3\)"),
        ("s", {"linear": np.ones((625, 10))}, {}, ValueError, r"shape \(625, 10\)"),
        ("s", {"convs.0": np.full(45, np.inf)}, {}, ValueError, "NaN stands for unknown"),
        ("s", {"convs.0": -np.ones(45)}, {"signed": False}, ValueError, "numbers are negative"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_nothing_changes(
    grid: kw.KernelGrid, name: str, values: Any, options: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        grid.score(name, values, **options)
    assert grid.scores == {}


def test_cells_are_tinted_by_their_number_and_those_without_are_not(grid: kw.KernelGrid) -> None:
    numbers = np.linspace(0, 4, COUNT)
    numbers[7] = np.nan
    grid.score("size", {"convs.0": numbers})
    plain = grid.image(width=700)
    for theme in ("light", "dark"):
        shaded = grid.image(width=700, shade="size", theme=theme)
        for f in (0, 3, 20, 31, 44):
            assert ground(shaded, f) == tint(numbers[f] / 4, theme)
    shaded = grid.image(width=700, shade="size")
    assert ground(shaded, 7) == ground(plain, 7)
    assert ground(shaded, 44) != ground(plain, 44)
    assert (cell(shaded, 7) == cell(plain, 7)).all()


def test_signed_numbers_go_both_ways_from_the_middle(grid: kw.KernelGrid) -> None:
    numbers = np.linspace(-1, 2, COUNT)
    grid.score("slope", {"convs.0": numbers})
    shaded = grid.image(width=700, shade="slope")
    for f in (0, 15, 30, 44):
        assert ground(shaded, f) == tint(numbers[f] / 2)
    blue, orange = ground(shaded, 0), ground(shaded, 44)
    assert blue[2] > blue[0]
    assert orange[0] > orange[2]


def test_outside_the_grid_nothing_is_tinted(grid: kw.KernelGrid) -> None:
    grid.score("size", {"convs.0": np.ones(COUNT)})
    plain = grid.image(width=700, x_range="wide")
    shaded = grid.image(width=700, x_range="wide", shade="size")
    before, after = cell(plain, 12), cell(shaded, 12)
    changed = (before != after).any(axis=(0, 2))
    size = len(changed)
    # Splines reach to ±2.2, the grid to ±1; its two pixels of margin are no part of x.
    low, high = (4 + (size - 8) * (end + 2.2) / 4.4 for end in (-1, 1))
    where = np.flatnonzero(changed)
    assert (where[0], where[-1] + 1) == pytest.approx((low, high), abs=1)
    assert changed[where[0] : where[-1] + 1].all()


def test_the_largest_come_first_also_where_all_are_negative(grid: kw.KernelGrid) -> None:
    grid.score("drop", {"convs.0": [-3, -1, np.nan, -2, -5]})
    sorted_picture = grid.image(width=700, sort="drop", shade="drop")
    order = [1, 3, 0, 4, 2]
    for kernel, value in enumerate((-3, -1, None, -2, -5)):
        if value is not None:
            assert ground(sorted_picture, 9 * kernel, order) == tint(value / 5)
    assert sorted_picture.tobytes() != grid.image(width=700, shade="drop").tobytes()


def test_a_layer_without_numbers_is_drawn_as_ever_and_says_so(
    grid: kw.KernelGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import ImageDraw

    texts: list[str] = []
    write = ImageDraw.ImageDraw.text

    def text(self: Any, xy: Any, text: str, *rest: Any, **options: Any) -> None:
        texts.append(text)
        write(self, xy, text, *rest, **options)

    numbers = np.arange(COUNT) / 100
    numbers[:2] = np.nan
    grid.score("drop", {"convs.0": numbers}, units="%")
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    plain = grid.image(width=700, layer="convs.1")
    shaded = grid.image(width=700, layer="convs.1", shade="drop", sort="drop")
    assert (cell(plain, 5) == cell(shaded, 5)).all()
    assert "no drop of this layer" in texts
    grid.image(width=700, shade="drop")
    assert "drop 0 … 0.44 %" in texts
    assert "2 functions without drop" in texts


def test_a_shaded_picture_keeps_its_tints_in_a_file(grid: kw.KernelGrid) -> None:
    numbers = np.linspace(-1, 1, COUNT)
    grid.score("slope", {"convs.0": numbers})
    image = grid.image(width=700, shade="slope")
    with Image.open(io.BytesIO(png_bytes(image))) as saved:
        for f in (0, 11, 22, 33, 44):
            assert np.abs(np.subtract(ground(saved, f), ground(image, f))).max() <= 8
