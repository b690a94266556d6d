"""The preferred patch as KernelGrid draws it: never beaten, and in its own greys."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import traitlets

import kan_widgets as kw
from kan_widgets.insight import SeenPatches, kernel_of
from kan_widgets.widgets.preferred import bounds_of, preferred
from kan_widgets.widgets.sheet import LIGHT
from tests.widgets.test_still import cell_of, draw, frame_of, is_colour, layer_of


def trained() -> kw.Binding:
    """Bind a model with splines far from their start, in groups, and observe a batch."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        kw.nn.KANConv2d(2, 4, 3, groups=2, padding=1), kw.nn.KANConv2d(4, 3, 3)
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
    models.append(model)
    live = kw.bind(model)
    live.observe(2 * torch.randn(8, 2, 10, 10))
    return live


# A binding does not keep its model: somebody must.
models: list[torch.nn.Module] = []


@pytest.mark.parametrize("suppressed", [False, True])
@pytest.mark.parametrize("seen", [False, True])
def test_no_random_patch_within_the_bounds_beats_the_one_drawn(seen: bool, suppressed: bool):
    live = trained()
    rng = np.random.default_rng(0)
    sign = -1 if suppressed else 1
    for read in live.read():
        layer, patches = live.layout.layer(read.name), live.observed[read.name].patches
        bounds = bounds_of(layer, patches if seen else None, 8)
        found = preferred(live.frame, layer, bounds, suppressed)
        entries = layer.count // layer.shape[0]
        for out in range(layer.shape[0]):
            kernel = kernel_of(read, out)
            mine = slice(out * entries, (out + 1) * entries)
            low, high = bounds.low[mine], bounds.high[mine]
            if seen:
                columns = patches[:, kernel.columns].astype(np.float64)
                np.testing.assert_allclose(low, np.quantile(columns, 0.005, axis=0))
                np.testing.assert_allclose(high, np.quantile(columns, 0.995, axis=0))
            else:
                assert (low == -1).all()
                assert (high == 1).all()
            at = found.x[mine]
            assert ((low <= at) & (at <= high)).all()
            reached = kernel.response(at[None])[0]
            assert found.reached(layer, out * entries)[2] == pytest.approx(reached, rel=1e-4)
            tried = kernel.response(rng.uniform(low, high, (20_000, entries)))
            assert (sign * tried).max() < sign * reached
            # Entry by entry too, where chance gets much nearer: by no more than φ can bulge
            # between two rows of the table.
            step = np.diff(layer.tables[0].x).max()
            even = np.arange(low.min() - step, high.max() + 2 * step, step)
            terms = kernel.terms(np.repeat(even[:, None], entries, axis=1))
            bulge = np.abs(np.diff(terms, n=2, axis=0)).max(axis=0) / 8
            single = sign * kernel.terms(rng.uniform(low, high, (2_000, entries)))
            best = sign * kernel.terms(at[None])[0]
            assert (single.max(axis=0) <= best + 1.1 * bulge).all()
            assert (bulge < 0.01 * np.ptp(terms, axis=0)).all()


def test_bounds_may_reach_beyond_the_table_where_only_the_base_moves():
    torch.manual_seed(0)
    model = kw.nn.KANLinear(1, 1, grid_range=(0.0, 1.0))
    with torch.no_grad():
        model.base_weight.fill_(1.0)
        model.spline_weight.zero_()
    live = kw.bind(model)
    layer = live.layout.layer(live.layers[0])
    patches = np.linspace(-8, 0.1, 1001)[:, None]
    found = preferred(live.frame, layer, bounds_of(layer, patches, 1), suppressed=True)
    # SiLU is smallest at -1.2785, far below the grid.
    assert found.x[0] == pytest.approx(-1.2785, abs=0.1)
    assert found.value[0] == pytest.approx(-0.27846, abs=1e-3)


def test_a_cell_is_the_whiter_the_higher_the_input_that_is_preferred():
    layer = layer_of((1, 1, 1, 4))
    # -(x - c)² is largest at c.
    frame = frame_of(layer, [(0, 2 * c, -1) for c in (-2, -0.5, 0.25, 2)])
    pixels = draw(frame, mode="preferred")
    found = [int(cell_of(pixels, layer, f)[40, 40, 0]) for f in range(4)]
    np.testing.assert_allclose(found, [0, 64, 159, 255], atol=3)
    pixels = draw(frame, mode="preferred", suppressed=True)
    found = [int(cell_of(pixels, layer, f)[40, 40, 0]) for f in range(4)]
    assert found == [255, 255, 0, 0]


def test_a_constant_function_prefers_nothing_and_a_broken_one_is_crossed_out():
    layer = layer_of((1, 1, 1, 2))
    pixels = draw(frame_of(layer, [(3, 0, 0), (np.nan, 0, 0)]), mode="preferred")
    assert (cell_of(pixels, layer, 0)[40, 40] == 128).all()
    assert is_colour(cell_of(pixels, layer, 1), LIGHT.warn).any()


def test_inputs_of_another_shape_are_not_taken_for_bounds():
    layer = layer_of((1, 1, 1, 2))
    seen = SeenPatches("conv", 4, np.ones((5, 3)))
    bounds = bounds_of(layer, seen.patches, seen.samples)
    assert bounds.samples == 0
    assert bounds.low.tolist() == [-1, -1]


def test_the_grid_says_when_nothing_was_observed(monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []
    from kan_widgets.widgets.sheet import Sheet

    whole = Sheet._write

    def write(self, text, *arguments, **options):
        said.append(text)
        whole(self, text, *arguments, **options)

    monkeypatch.setattr(Sheet, "_write", write)
    live = trained()
    model = models[-1]
    grid = kw.KernelGrid(live, mode="preferred", bounds="observed")
    live.select(live.layers[0], 1)
    grid.image()
    assert any("0.5 % and 99.5 % of 8 images" in text for text in said)
    assert any(text.startswith("out 1 reaches") and "9 functions" in text for text in said)
    said.clear()
    kw.KernelGrid(kw.bind(model[1]), mode="preferred", bounds="observed").image()
    assert any("no inputs observed" in text for text in said)


def test_bounds_are_one_of_two_words():
    with pytest.raises(traitlets.TraitError, match="bounds='seen'"):
        kw.KernelGrid(trained(), bounds="seen")
