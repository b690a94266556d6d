"""LayerRanges from Python: its numbers, what it follows, what it draws and what it costs."""

from __future__ import annotations

import base64
import gc
import io
import re
import subprocess
import sys
import time
import weakref
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image
from torch import nn

import kan_widgets as kw
from kan_widgets import insight
from kan_widgets.live.steering.counter import Counter
from kan_widgets.live.watching.updates import Updates, UpdateSizes
from kan_widgets.widgets.numbers.layer_numbers import MAX_MOMENTS, LayerNumbers, past
from tests.printed import printed

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
    """Draw what is still to be drawn, of the latest step, in this thread."""
    view.live.feed.current()
    for _ in range(30):
        view._draw_job.now()


SVG = "{http://www.w3.org/2000/svg}"


def texts(view: kw.LayerRanges, size: str | None = None, **options: Any) -> list[str]:
    """Give the words of the view's picture, or those of one size: names of layers have 12.5."""
    root = ElementTree.fromstring(view.svg(**options))
    found = root.iter(f"{SVG}text")
    return [text.text or "" for text in found if size in (None, text.attrib["font-size"])]


# -- the numbers ----------------------------------------------------------------------------


def test_the_table_is_one_plain_record_for_each_layer(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    train(model, optimizer, 5)
    live.observe(torch.randn(50, 6))
    rows = view.table()
    assert [row["layer"] for row in rows] == ["0", "1", "2"]
    expected = insight.layer_ranges(model)
    for row, summary in zip(rows, expected, strict=True):
        assert row["step"] == 5
        assert row["range"] == pytest.approx(summary.grid.median, rel=5e-3)
        assert row["range_95"] == pytest.approx(summary.grid.high, rel=5e-3)
        assert row["spline_share"] == pytest.approx(summary.spline_share, abs=5e-3)
        assert row["silu_shaped"] == pytest.approx(summary.silu_shaped, abs=0.05)
        assert row["threshold"] == 0.95
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
    assert view.content["observed"] is False
    live.observe(torch.randn(50, 6))
    settled(view)
    assert view.content["observed"] is True
    assert view.content["rows"][0]["numbers"]["observed_range"] > 0


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
    assert view.content["step"] == 3
    assert view.content["rows"][0]["numbers"] == again[0]


def test_the_curves_over_time_are_the_frames_own_numbers(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    train(model, optimizer, 12)
    live.refresh()
    settled(view)
    moments, complete = view._measures.moments(live)
    assert complete
    steps = [step for step, _ in moments]
    assert steps == live.history.steps.tolist()
    for frame, (_, layers) in zip(live.history, moments, strict=True):
        its = frame.layout.layer("0")
        ranges = insight.function_ranges(its, frame.coefficients("0")).range
        assert layers["0"].grid.median == pytest.approx(np.median(ranges))


def test_the_curves_go_from_the_first_step_to_the_one_shown_however_little_was_worked_out(trained):
    _, _, live = trained
    live.feed.camera.throttle.interval = 1 / 1e6
    for _ in range(20):
        live.feed.counter.steps += 1
        live.refresh()
    measures = LayerNumbers()
    measures.rows(live, live.frame)
    moments, complete = measures.moments(live, 2)
    assert not complete
    steps = live.history.steps.tolist()
    assert [step for step, layers in moments if layers] == [steps[0], *steps[-2:]]
    # What was not measured is a gap in the curves.
    assert [step for step, _ in moments] == steps
    [curves] = past(["0"], moments, [[]])
    assert np.frombuffer(curves["steps"], "<i4").tolist() == steps
    gaps = np.isnan(np.frombuffer(curves["range"], "<f4"))
    assert gaps.tolist() == [not layers for _, layers in moments]
    moments, complete = measures.moments(live)
    assert complete
    assert [step for step, _ in moments] == steps


def test_a_long_past_is_thinned_evenly_from_the_first_to_the_last_frame(trained):
    _, _, live = trained
    live.feed.camera.throttle.interval = 1 / 1e6
    view = kw.LayerRanges(live)
    for _ in range(300):
        live.feed.counter.steps += 1
        live.refresh()
    moments, complete = view._measures.moments(live)
    steps = [step for step, _ in moments]
    assert complete
    assert MAX_MOMENTS / 2 <= len(steps) <= MAX_MOMENTS + 2
    assert (steps[0], steps[-1]) == (0, 300)
    assert max(np.diff(steps[:-1])) <= 2 * min(np.diff(steps[:-1]))


def test_all_curves_over_time_cross_whatever_is_looked_at(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    train(model, optimizer, 12)
    live.refresh()
    settled(view)
    moments, _ = view._measures.moments(live)
    first = view.past[0]
    assert np.frombuffer(first["steps"], "<i4").tolist() == [step for step, _ in moments]
    for name, read in (
        ("range", lambda m: m.grid.median),
        ("lower", lambda m: m.grid.lower),
        ("upper", lambda m: m.grid.upper),
        ("splines", lambda m: m.spline_share),
        ("silu", lambda m: m.silu_shaped),
        ("change", lambda m: m.change.median),
    ):
        expected = [read(layers["0"]) for _, layers in moments]
        np.testing.assert_allclose(np.frombuffer(first[name], "<f4"), expected, rtol=1e-6)
    measured = view._updates.series("0")
    assert measured
    steps = np.frombuffer(first["sizes"]["steps"], "<i4").tolist()
    assert steps == [sizes.step for sizes in measured]
    np.testing.assert_allclose(
        np.frombuffer(first["sizes"]["update_splines"], "<f4"),
        [sizes.update_splines for sizes in measured],
        rtol=1e-6,
    )


def test_of_many_updates_few_points_cross_the_last_among_them():
    sizes = [UpdateSizes(step, 1.0, 1.0, 1.0, 1.0) for step in range(1, 1001)]
    [one] = past(["a"], [], [sizes])
    steps = np.frombuffer(one["sizes"]["steps"], "<i4")
    assert len(steps) == 200
    assert steps[-1] == 1000
    many = past([f"{k}" for k in range(100)], [], [sizes] * 100)
    assert sum(len(one["sizes"]["steps"]) // 4 for one in many) <= 8000 + 100


def test_a_closed_view_has_left_its_source():
    model = kw.nn.KANLinear(2, 2)
    live = kw.bind(model)
    listeners = len(live.feed.listeners)
    view = kw.LayerRanges(live)
    assert len(live.feed.listeners) == listeners + 2  # the stream and the view's own
    view.close()
    assert len(live.feed.listeners) == listeners + 1


# -- what it follows ------------------------------------------------------------------------


def test_frames_redraw_it_from_the_painters_thread(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    first = view.content["rows"][0]["dots"]
    train(model, optimizer, 30)
    end = time.monotonic() + 60
    while view.content["step"] < 20 and time.monotonic() < end:
        train(model, optimizer, 1)
        time.sleep(0.02)
    assert view.content["step"] >= 20
    assert view.content["rows"][0]["dots"] != first


def test_each_dot_names_its_function_and_a_row_its_typical_one(trained):
    _, _, live = trained
    view = kw.LayerRanges(live)
    for name, row in zip(live.feed.layout.names, view.content["rows"], strict=True):
        ranges = insight.function_ranges(
            live.feed.layout.layer(name), live.frame.coefficients(name)
        )
        functions = np.frombuffer(row["functions"], "<i4")
        dots = np.frombuffer(row["dots"], "<f4")
        np.testing.assert_allclose(dots, ranges.range[functions], rtol=1e-6)
        assert (np.diff(dots) >= 0).all()
        middle = np.sort(ranges.range)[len(ranges.range) // 2]
        assert ranges.range[row["typical"]] == middle


def test_shapes_are_taken_where_the_inputs_are_once_they_are_seen_and_say_so(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    train(model, optimizer, 30)
    [head] = [each for each in texts(view) if each.startswith("range of φ")]
    assert head.startswith("range of φ on the grid")
    assert all(row["observed_silu_shaped"] is None for row in view.table())
    seen = live.observe(0.2 * torch.randn(300, 6) + 0.5)
    [head] = [each for each in texts(view) if each.startswith("range of φ")]
    assert head.startswith("range of φ over the inputs seen at step 30")
    train(model, optimizer, 5)
    layers = [insight.sampled(layer) for layer in live.read()]
    inputs = [insight.seen_inputs(layer, seen[layer.name].patches) for layer in layers]
    expected = [
        insight.summarise(layer, insight.function_ranges(layer, layer.coefficients, seen=own), own)
        for layer, own in zip(layers, inputs, strict=True)
    ]
    for row, summary in zip(view.table(), expected, strict=True):
        assert row["observed_silu_shaped"] == pytest.approx(summary.observed_silu_shaped, abs=0.05)
    assert [row["observed_silu_shaped"] for row in view.table()] != [
        row["silu_shaped"] for row in view.table()
    ]
    assert "SiLU-shaped on the grid" in texts(view, over_time="silu")


def test_what_is_drawn_is_of_one_state_of_the_model_where_inputs_are_of_another(trained):
    model, optimizer, live = trained
    batch = 4 * torch.randn(300, 6)  # most of it outside the grid
    live.observe(batch)
    view = kw.LayerRanges(live)
    judged = [words for words in texts(view) if "lie outside its grid" in words]
    assert len(judged) == 1
    train(model, optimizer, 30)
    words = texts(view)
    assert any(each.startswith("range of φ on the grid") for each in words)
    assert any("The inputs were last seen at step 0." in each for each in words)
    assert not any("lie outside its grid" in each for each in words)
    medians = {layer.layer: layer.grid.median for layer in insight.layer_ranges(model)}
    least, most = min(medians, key=medians.get), max(medians, key=medians.get)
    [headline] = [each for each in words if "vary least" in each]
    found = re.search(
        r"layer (\d) vary least, typically by ([\d.]+) on the grid; those of layer (\d)", headline
    )
    assert (found[1], found[3]) == (least, most)
    assert float(found[2]) == float(f"{medians[least]:.2g}")
    for name, row in zip(medians, view.content["rows"], strict=True):
        reach = insight.function_ranges(
            live.feed.layout.layer(name), live.frame.coefficients(name)
        ).range
        dots = np.frombuffer(row["dots"], "<f4")
        np.testing.assert_allclose(dots, reach[np.frombuffer(row["functions"], "<i4")], rtol=1e-5)
        assert row["seen"] is None
    live.observe(batch)
    assert any("(seen at step 30) lie outside its grid" in each for each in texts(view))
    assert all(row["seen"] for row in view.content["rows"])
    # Into the first layer come the same inputs, whatever the model is.
    alone = kw.nn.KANLinear(6, 3)
    live = kw.bind(alone)
    live.observe(batch)
    live.step()
    assert any("lie outside its grid" in each for each in texts(kw.LayerRanges(live)))


def test_it_follows_a_model_that_is_bound_again(trained):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    again = kw.bind(model, optimizer, every=1, layers=["1"])
    settled(view)
    assert view.live is again
    assert [row["layer"] for row in view.table()] == ["1"]
    assert [row["name"] for row in view.content["rows"]] == ["1"]
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
    found = texts(view)
    assert [text for text in found if text.endswith((" constant", " not finite"))] == [
        "1 not finite",
        "16 not finite",
        "24 constant",  # of a plain layer: these come last
    ]
    for row in view.content["rows"]:
        assert np.isfinite(np.frombuffer(row["dots"], "<f4")).all()
    assert not any("NaN" in text or "∞" in text for text in found)


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
    listeners = len(live.feed.listeners)
    gone = weakref.ref(updates)
    del updates
    view.close()
    assert gone() is None
    assert live.feed.counter.step_listeners == ()
    assert len(live.feed.listeners) == listeners - 1
    view.close()


def test_it_needs_no_bqplot():
    code = (
        "import sys, kan_widgets as kw; kw.LayerRanges(kw.nn.KANLinear(2, 1)).image(); "
        "print('bqplot' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "False"


# -- what it takes and draws ----------------------------------------------------------------


def test_wrong_options_are_refused_with_what_is_taken(trained):
    _, _, live = trained
    with pytest.raises(TypeError, match=r"no keyword 'over_tme'. Did you mean 'over_time'"):
        kw.LayerRanges(live, over_tme="silu")
    with pytest.raises(traitlets.TraitError):
        kw.LayerRanges(live, height=1)
    with pytest.raises(
        traitlets.TraitError,
        match=r"over_time='ranges': expected one of .*Did you mean 'range'",
    ):
        kw.LayerRanges(live, over_time="ranges")
    with pytest.raises(TypeError, match="expected a model, the binding that"):
        kw.LayerRanges("model")


def test_the_still_picture_does_not_cut_the_number_at_which_the_axis_begins():
    layer = torch.nn.Linear(4, 1, bias=False)
    with torch.no_grad():  # ranges from 0.0012: the axis begins at 0.001
        layer.weight.copy_(torch.tensor([[0.0006, 0.0006, 0.0006, 0.6]]))
    view = kw.LayerRanges(layer)
    assert "0.001" in texts(view)
    pixels = np.asarray(view.image())
    assert (pixels[:, :2] == pixels[0, 0]).all()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1000])
def test_a_still_picture_has_a_row_for_each_layer(trained, tmp_path, theme, width):
    model, optimizer, live = trained
    view = kw.LayerRanges(live)
    train(model, optimizer, 4)
    path = view.to_png(tmp_path / "ranges.png", theme=theme, width=width)
    assert path.stat().st_size < 120_000
    with Image.open(path) as image:
        assert image.width == 2 * width
        corner = sum(image.convert("RGB").getpixel((1, 1)))
        assert corner < 200 if theme == "dark" else corner > 600
        pixels = np.asarray(image.convert("RGB")).astype(int)
        # The bar of base and splines, once in each row.
        base = {"light": (125, 127, 0), "dark": (195, 197, 60)}[theme]
        near = np.abs(pixels - base).sum(axis=2) < 12
        rows = near.any(axis=1)
        assert np.count_nonzero(np.diff(rows.astype(int)) == 1) >= 4  # with that of the legend
    found = texts(view, width=width)
    assert texts(view, size="12.5", width=width) == ["layer 0", "layer 1", "layer 2"]
    for row in view.table():
        assert printed(float(f"{row['range']:.2g}")) in found


def test_a_hundred_layers_are_cut_in_a_picture_that_says_so(tmp_path):
    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(100)))
    models.append(model)
    view = kw.LayerRanges(model)
    assert view.image(pixel_ratio=1).height <= 930
    assert any(text.startswith("the picture ends here: it shows the top") for text in texts(view))
    # Whatever room there is, the cut is as far below the last name: at the end of its row. So
    # nothing reaches beyond it that would have to be clipped.
    below = set()
    for most in range(400, 500, 10):
        root = ElementTree.fromstring(view.svg(max_height=most))
        assert root.find(f".//{SVG}clipPath") is None
        [cut] = [
            text for text in root.iter(f"{SVG}text") if "picture ends here" in (text.text or "")
        ]
        names = [text for text in root.iter(f"{SVG}text") if text.get("font-size") == "12.5"]
        below.add(float(cut.attrib["y"]) - float(names[-1].attrib["y"]))
        assert names[-1].text == f"layer {len(names) - 1}"
    assert len(below) == 1
    assert len(view.content["rows"]) == 100


def test_a_picture_goes_out_beside_the_live_view(trained):
    _, _, live = trained
    view = kw.LayerRanges(live)
    bundle = view._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
        assert image.format == "PNG"


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


def test_a_page_has_the_whole_past_however_little_was_drawn_yet(trained, tmp_path):
    model, optimizer, live = trained
    live.feed.camera.throttle.interval = 1 / 1e6
    train(model, optimizer, 30)
    view = kw.LayerRanges(live)
    view.save_html(tmp_path / "page.html")
    steps = np.frombuffer(view.past[0]["steps"], "<i4")
    assert (steps[0], steps[-1]) == (0, 30)
    assert len(steps) == len(live.history)
    assert view.content["step"] == 30


@pytest.mark.parametrize(
    "make",
    [lambda: kw.nn.KANLinear(60, 50), lambda: kw.nn.KANConv2d(24, 32, 3, groups=2)],
    ids=["linear", "conv in groups"],
)
def test_of_very_many_functions_a_part_is_measured_and_it_is_said(make, monkeypatch):
    torch.manual_seed(0)
    model = make()
    live = kw.bind(model, every=1, prove=False)
    x = torch.randn(16, 60) if isinstance(model, kw.nn.KANLinear) else torch.randn(4, 24, 9, 9)
    live.observe(x)
    [whole] = kw.LayerRanges(live).table()
    monkeypatch.setattr("kan_widgets.widgets.numbers.layer_numbers.MAX_MEASURED", 1000)
    monkeypatch.setattr(
        "kan_widgets.widgets.numbers.layer_numbers._parts", weakref.WeakKeyDictionary()
    )
    view = kw.LayerRanges(live)
    [part] = view.table()
    assert whole["measured"] == whole["functions"] == part["functions"]
    assert 500 < part["measured"] <= 1000
    for name in ("range", "observed_range", "spline_share"):
        assert part[name] == pytest.approx(whole[name], rel=0.15)
    # Each dot has the number, and the range over the inputs seen, of a function of the whole.
    [row] = view.content["rows"]
    functions, dots = (
        np.frombuffer(row[key], kind) for key, kind in (("functions", "<i4"), ("dots", "<f4"))
    )
    [layer] = live.frame.layout.layers
    batch = live.feed.observed[layer.name]
    seen = insight.seen_inputs(layer, batch.patches, batch.edges, batch.counts)
    exact = insight.function_ranges(layer, live.frame.coefficients(layer.name), seen=seen)
    np.testing.assert_allclose(dots, exact.observed[functions], rtol=0.02)
    assert f"{part['measured']:,} measured, at random" in view.svg(width=1000)
    # Later frames measure the same ones: what did not change is seen not to have changed.
    live.step()
    live.refresh()
    assert view.table()[0]["change"] == 0


def test_while_it_trains_inputs_and_functions_are_of_one_step_and_alarms_say_the_same(
    monkeypatch,
):
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(6, 8), nn.BatchNorm1d(8), kw.nn.KANLinear(8, 3))
    models.append(model)
    with torch.no_grad():
        model[1].weight.fill_(3.0)  # so that many inputs of the last layer miss its grid
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    live = kw.bind(model, optimizer, every=1, max_fps=1e6)
    monkeypatch.setattr(Counter, "is_quiet", False)  # however long a step takes here
    network, view = kw.NetworkView(live), kw.LayerRanges(live)
    monkeypatch.setattr(live.feed.camera.throttle, "is_open", lambda now: True)
    monkeypatch.setattr(live.feed.bound._observing, "is_open", lambda now: True)
    train(model, optimizer, 30)
    monkeypatch.setattr(live.feed.bound._observing, "is_open", lambda now: False)
    [step] = {one.step for one in live.feed.observed.values()}
    train(model, optimizer, 2)
    view._draw_job.now()
    assert (live.state, live.frame.step) == ("live", 32)
    assert step == 30
    assert (view.content["step"], view.content["observed_step"]) == (step, step)
    assert not view.content["old"]

    def said() -> str:
        [alarm] = [each for each in live.watchdog.alarms if each.id == "outside 2"]
        return re.sub(r"^2: (.*) % of .* at step (.*)\.$", r"\1 % \2", alarm.what)

    def measured() -> str:
        row = view.table()[-1]
        return f"{100 * row['outside_grid']:.0f} % {row['observed_step']}"

    live.feed.settle()
    assert said() == measured()
    assert measured().endswith("% 32")
    before = said()
    live.observe(10 * torch.randn(200, 6))
    assert said() == measured() != before
    network.close()
    view.close()
