"""LayerRanges from Python: its numbers, what it follows, what it draws and what it costs."""

from __future__ import annotations

import base64
import gc
import io
import subprocess
import sys
import time
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image
from torch import nn

import kan_widgets as kw
from kan_widgets import insight
from kan_widgets.live.updates import Updates
from kan_widgets.widgets.range_figures import curves_of, short, strip
from kan_widgets.widgets.range_rows import MOST_MOMENTS, Moment, percent

# A binding does not keep its model: somebody must.
models: list[nn.Module] = []


def train(model: nn.Module, optimizer: Any, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(16, 6)).square().mean().backward()
        optimizer.step()


@pytest.fixture
def trained():
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(6, 8), kw.nn.KANLinear(8, 3), nn.Linear(3, 2))
    models.append(model)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    return model, optimizer, kw.bind(model, optimizer, every=1)


def settled(view: kw.LayerRanges) -> None:
    """Draw what is still to be drawn, in this thread."""
    for _ in range(30):
        view._painter.now()


# -- the numbers ----------------------------------------------------------------------------


def test_the_table_is_one_plain_record_for_each_layer(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live, threshold=0.8)
    train(model, optimizer, 5)
    live.observe(torch.randn(50, 6))
    rows = view.table()
    assert [row["layer"] for row in rows] == ["0", "1", "2"]
    expected = insight.layer_ranges(model, threshold=0.8)
    for row, summary in zip(rows, expected, strict=True):
        assert row["step"] == 5
        assert row["range"] == pytest.approx(summary.grid.median, rel=5e-3)
        assert row["range_95"] == pytest.approx(summary.grid.high, rel=5e-3)
        assert row["spline_share"] == pytest.approx(summary.spline_share, abs=5e-3)
        assert row["silu_shaped"] == pytest.approx(summary.silu_shaped, abs=0.05)
        assert row["threshold"] == 0.8
        assert row["observed_range"] is not None
        assert 0 <= row["outside_support"] <= row["outside_grid"] <= 1
        assert all(isinstance(v, str | int | float | None) for v in row.values())
    documented = kw.LayerRanges.table.__doc__
    assert all(f"``{name}``" in documented for name in rows[0] if not name.startswith("observed_r"))


def test_an_ordinary_layer_is_all_base_and_all_lines(trained):
    _, _, live = trained
    row = kw.LayerRanges(live).table()[2]
    assert (row["base"], row["base_shaped"], row["spline_share"]) == ("x", 1.0, 0.0)


def test_without_an_observation_nothing_is_said_of_inputs(trained):
    _, _, live = trained
    view = kw.LayerRanges(live)
    row = view.table()[0]
    assert row["observed_range"] is row["outside_grid"] is row["outside_support"] is None
    assert view._bar.content["observed"] is False
    live.observe(torch.randn(50, 6))
    settled(view)
    assert view._bar.content["observed"] is True
    assert view._table.content["rows"][0]["cells"][0][1] != "–"


def test_gradient_and_update_are_those_measured_by_hand(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    train(model, optimizer, 1)
    before = model[0].spline_weight.detach().clone()
    train(model, optimizer, 1)
    row = view.table()[0]
    moved = (model[0].spline_weight.detach() - before).square().mean().sqrt().item()
    assert row["update_step"] == 2
    assert row["update_splines"] == pytest.approx(moved, rel=1e-4)
    gradient = model[0].spline_weight.grad.square().mean().sqrt().item()
    assert row["gradient_splines"] == pytest.approx(gradient, rel=1e-5)
    assert view.table()[2]["gradient_splines"] is None


def test_the_time_cursor_is_respected(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    train(model, optimizer, 3)
    live.refresh()
    third = view.table()
    train(model, optimizer, 20)
    live.refresh()
    assert view.table()[0]["range"] != third[0]["range"]
    view._stream.cursor = 3
    again = view.table()
    assert again[0]["step"] == 3
    assert again[0]["range"] == third[0]["range"]
    settled(view)
    assert view._bar.content["step"] == 3
    assert view._figures._now.x.tolist() == [3, 3]


def test_the_curves_over_time_are_the_frames_own_numbers(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    train(model, optimizer, 12)
    live.refresh()
    settled(view)
    moments, complete = view._past.moments(live, 0.95, view._starts)
    assert complete
    steps = [moment["0"].step for moment in moments]
    assert steps == live.history.steps.tolist()
    for frame, moment in zip(live.history, moments, strict=True):
        its = frame.layout.layer("0")
        ranges = insight.function_ranges(its, frame.coefficients("0")).range
        assert moment["0"].range.median == pytest.approx(np.median(ranges))


def test_a_long_past_is_thinned_evenly_from_the_first_to_the_last_frame(trained):
    _, _, live = trained
    live.max_fps = 1e6
    view = kw.LayerRanges(live)
    for _ in range(300):
        live._steps += 1
        live.refresh()
    moments, complete = view._past.moments(live, 0.95, view._starts)
    steps = [moment["0"].step for moment in moments]
    assert complete
    assert MOST_MOMENTS / 2 <= len(steps) <= MOST_MOMENTS + 2
    assert (steps[0], steps[-1]) == (0, 300)
    assert max(np.diff(steps[:-1])) <= 2 * min(np.diff(steps[:-1]))


def test_a_logarithmic_curve_leaves_out_what_is_zero():
    spread = insight.Spread(0.0, 0.0, 0.5, 1.0, 2.0)
    moments = [
        {"a": Moment(step, spread, 0.1, 0.9, change)} for step, change in ((0, 0.0), (4, 2.0))
    ]
    first, second, low, high = curves_of("a", moments, [], "range")
    assert (first, second, low, high) == ([(0, 0.5), (4, 0.5)], [], [], [(0, 1.0), (4, 1.0)])
    assert curves_of("a", moments, [], "change")[0] == [(4, 2.0)]
    assert curves_of("a", moments, [], "splines")[1] == [(0, 0.1), (4, 0.1)]
    assert curves_of("b", moments, [], "silu") == ([], [], [], [])


# -- what it follows ------------------------------------------------------------------------


def test_frames_redraw_it_from_the_painters_thread(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    first = view._figures._medians.x.copy()
    train(model, optimizer, 30)
    end = time.monotonic() + 10
    while view._bar.content["step"] < 20 and time.monotonic() < end:
        train(model, optimizer, 1)
        time.sleep(0.02)
    assert view._bar.content["step"] >= 20
    assert not np.array_equal(first, view._figures._medians.x)


def test_a_click_on_a_row_selects_its_typical_function_and_one_on_a_dot_its_own(trained):
    _, _, live = trained
    view = kw.LayerRanges(live)
    bars = view._figures._bars
    # bqplot counts the bars of a stack from below.
    bars._handle_custom_msgs(bars, {"event": "element_click", "data": {"subIndex": 1}})
    assert live.selection["layer"] == "1"
    ranges = insight.function_ranges(live.layout.layer("1"), live.frame.coefficients("1")).range
    typical = live.selection["out"] * 8 + live.selection["in"]
    assert ranges[typical] == pytest.approx(np.median(ranges), rel=0.1)
    dots = view._figures._dots
    y = float(dots.y[48 + 5])
    dots._handle_custom_msgs(dots, {"event": "element_click", "data": {"index": 53, "y": y}})
    chosen = live.selection["out"] * 8 + live.selection["in"]
    assert ranges[chosen] == np.sort(ranges)[5]
    kept = live.selection
    bars._handle_custom_msgs(bars, {"event": "element_click", "data": {"subIndex": 1}})
    assert live.selection == kept


def test_the_selected_row_is_marked(trained):
    _, _, live = trained
    view = kw.LayerRanges(live)
    live.select("0")
    settled(view)
    assert "var(--kw-row-chosen)" == view._figures._bars.colors[2]


def test_another_threshold_or_measure_redraws(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    train(model, optimizer, 30)
    view.threshold = 0.2
    view.over_time = "update"
    settled(view)
    loose = view.table()[0]["silu_shaped"]
    assert view._table.content["heads"][3] == ["SiLU-shaped", "on the grid"]
    assert view._figures.times.title.startswith("update")
    view.threshold = 1.0
    assert view.table()[0]["silu_shaped"] < loose


def test_shapes_are_taken_where_the_inputs_are_once_they_are_seen_and_say_so(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    train(model, optimizer, 30)
    live.current()  # the last steps may have come too fast for a frame each
    settled(view)
    before = [row["cells"][3][0] for row in view._table.content["rows"]]
    assert view._table.content["heads"][3][1] == "on the grid"
    assert all(row["observed_silu_shaped"] is None for row in view.table())
    batch = 0.2 * torch.randn(300, 6) + 0.5
    seen = live.observe(batch)
    settled(view)
    assert view._table.content["heads"][3][1] == "over the inputs"
    expected = insight.layer_ranges(model, {name: s.patches for name, s in seen.items()})
    rows = view.table()
    for row, shown, summary in zip(rows, view._table.content["rows"], expected, strict=True):
        assert row["observed_silu_shaped"] == pytest.approx(summary.observed_silu_shaped, abs=0.05)
        assert shown["cells"][3][0] == percent(row["observed_silu_shaped"])
    assert before == [percent(row["silu_shaped"]) for row in rows]
    assert before != [row["cells"][3][0] for row in view._table.content["rows"]]
    view.over_time = "silu"
    settled(view)
    assert view._figures.times.title.startswith("SiLU-shaped on the grid")


def test_it_follows_a_model_that_is_bound_again(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    again = kw.bind(model, optimizer, every=1, layers=["1"])
    settled(view)
    assert view.live is again
    assert [row["layer"] for row in view.table()] == ["1"]
    assert len(view._table.content["rows"]) == 1
    train(model, optimizer, 3)
    assert view.table()[0]["update_step"] is not None


def test_layers_with_bases_of_their_own_and_broken_functions_are_drawn():
    import convkan

    torch.manual_seed(0)
    conv = convkan.ConvKAN(2, 3, 2)
    with torch.no_grad():
        conv.kan_layer.grid += 0.1 * torch.rand(conv.kan_layer.grid.shape).cumsum(-1)
        conv.kan_layer.spline_weight[0, 0, 0] = float("nan")
    model = nn.Sequential(conv, nn.Conv2d(3, 2, 2), nn.Flatten(), kw.nn.KANLinear(8, 2))
    models.append(model)
    nn.init.zeros_(model[1].weight)
    with torch.no_grad():
        model[3].base_weight.fill_(float("inf"))
    live = kw.bind(model)
    live.observe(torch.randn(4, 2, 4, 4))
    view = kw.LayerRanges(live)
    rows = {row["layer"]: row for row in view.table()}
    assert rows["0"]["not_finite"] == 1
    assert rows["0"]["range"] > 0
    assert rows["1"]["constant"] == 24
    assert rows["1"]["silu_shaped"] is None
    assert rows["3"]["not_finite"] == 16
    assert rows["3"]["range"] is None
    asides = [row["aside"] for row in view._table.content["rows"]]
    assert asides == ["1 not finite", "24 constant", "16 not finite"]
    assert np.isfinite(view._figures._dots.y).all()
    view.image()


# -- what it costs and changes --------------------------------------------------------------


def test_training_with_it_attached_is_the_same_to_the_bit():
    results = []
    for watched in (False, True):
        torch.manual_seed(1)
        model = nn.Sequential(kw.nn.KANLinear(6, 8), kw.nn.KANLinear(8, 3))
        optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
        live = kw.bind(model, optimizer, every=1)
        if watched:
            view = kw.LayerRanges(live)
        train(model, optimizer, 25)
        results.append([p.detach().clone() for p in model.parameters()])
    assert all(map(torch.equal, *results))
    assert view.table()[0]["update_step"] is not None


def test_closing_it_ends_measuring_and_drawing(trained):
    _, _, live = trained
    view = kw.LayerRanges(live)
    updates = view._updates
    assert isinstance(updates, Updates)
    listeners = len(live._listeners)
    gone = weakref.ref(updates)
    del updates
    view.close()
    assert gone() is None
    assert live._step_watchers == ()
    assert len(live._listeners) == listeners - 2
    view.close()


def test_importing_the_package_does_not_import_bqplot():
    code = "import sys, kan_widgets; kan_widgets.LayerRanges; print('bqplot' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "False"


# -- what it takes and draws ----------------------------------------------------------------


def test_wrong_options_are_refused_with_what_is_taken(trained):
    _, _, live = trained
    with pytest.raises(TypeError, match=r"no keyword 'treshold'. Did you mean 'threshold'"):
        kw.LayerRanges(live, treshold=0.9)
    with pytest.raises(traitlets.TraitError):
        kw.LayerRanges(live, threshold=1.5)
    with pytest.raises(traitlets.TraitError, match=r"over_time='ranges'.*Did you mean 'range'"):
        kw.LayerRanges(live, over_time="ranges")
    with pytest.raises(TypeError, match="give a model"):
        kw.LayerRanges("model")


def test_the_still_picture_does_not_cut_the_number_at_which_the_axis_begins():
    layer = torch.nn.Linear(4, 1, bias=False)
    with torch.no_grad():  # ranges from 0.0012: the axis begins at 0.001
        layer.weight.copy_(torch.tensor([[0.0006, 0.0006, 0.0006, 0.6]]))
    pixels = np.asarray(kw.LayerRanges(layer).image())
    assert (pixels[:, :2] == pixels[0, 0]).all()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1000])
def test_a_still_picture_has_a_row_for_each_layer(trained, tmp_path, theme, width):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    train(model, optimizer, 4)
    path = view.to_png(tmp_path / "ranges.png", theme=theme, width=width)
    assert path.stat().st_size < 80_000
    with Image.open(path) as image:
        assert image.width == 2 * width
        corner = sum(image.convert("RGB").getpixel((1, 1)))
        assert corner < 200 if theme == "dark" else corner > 600
        pixels = np.asarray(image.convert("RGB")).astype(int)
        # The bar of base and splines, once in each row (a picture has few colours).
        near = np.abs(pixels - (230, 159, 0)).sum(axis=2) < 12
        rows = near.any(axis=1)
        assert np.count_nonzero(np.diff(rows.astype(int)) == 1) >= 4  # with that of the legend


def test_a_picture_goes_out_beside_the_live_view(trained):
    _, _, live = trained
    view = kw.LayerRanges(live)
    bundle = view._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
        assert image.format == "PNG"
    with pytest.raises(ValueError, match="at least 500"):
        view.image(width=100)
    with pytest.raises(ValueError, match="pixel_ratio"):
        view.image(pixel_ratio=90)
    with pytest.raises(ValueError, match="theme='pink'"):
        view.image(theme="pink")


def test_the_model_given_bare_is_kept_and_the_last_numbers_outlive_it(trained):
    view = kw.LayerRanges(kw.nn.KANLinear(2, 3))
    assert view.table()[0]["functions"] == 6
    rows = view.table()
    binding = weakref.ref(view.live)
    view._kept = None
    end = time.monotonic() + 20  # another thread closes it
    while binding() is not None and time.monotonic() < end:
        gc.collect()
        time.sleep(0.005)
    with pytest.raises(RuntimeError, match="the model this view showed is gone"):
        _ = view.live
    assert view.table() == rows
    view.image()


def test_dots_that_lie_together_are_kept_apart():
    heights = strip(np.full(5, 0.1), (0.01, 1.0))
    assert sorted(heights.tolist()) == [0, 0.25, 0.5, 0.75, 1]
    assert set(strip(np.array([0.02, 0.1, 0.5]), (0.01, 1.0)).tolist()) == {0.5}


def test_long_names_lose_their_middle():
    assert short("convs.0") == "convs.0"
    name = short("encoder.blocks.11.attention.projection.kan_layer")
    assert len(name) == 34
    assert name.startswith("encoder.blocks.11")
    assert name.endswith(".kan_layer")
