"""SplineInspector from Python: what it takes, refuses and draws."""

from __future__ import annotations

import base64
import gc
import io
import re
import threading
import time
import warnings
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image
from scipy.interpolate import BSpline  # type: ignore[import-untyped]
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import IdentityBasis, LayerFunctions, register_adapter
from kan_widgets.live import cells
from kan_widgets.widgets.spline_inspector import PARTS, SplineInspector

FIRST = {"layer": "0", "out": 0, "in": 0, "row": 0, "column": 0}


def wait_for(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


class Setting:
    """A small model, its optimizer and its binding."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(
            kw.nn.KANConv2d(1, 2, 3), nn.Flatten(), nn.Dropout(0.5), kw.nn.KANLinear(8, 2)
        )
        self.optimizer = torch.optim.SGD(self.model.parameters(), 1e-2)
        self.live = kw.bind(self.model, self.optimizer, every=1)
        self.x = torch.randn(6, 1, 4, 4)

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.model(self.x).square().sum().backward()
        self.optimizer.step()

    def score(self) -> float:
        return self.model(self.x).abs().sum().item()


@pytest.fixture
def setting() -> Iterator[Setting]:
    made = Setting()
    yield made
    made.live.close()


def ask(inspector: SplineInspector, **content: Any) -> None:
    """Send what the page sends."""
    inspector.stream._answer(None, content, [])


# -- options -------------------------------------------------------------------------


def test_it_starts_with_the_first_layer_and_shows_points_only_where_they_can_be_moved(setting):
    inspector = SplineInspector(setting.live)
    assert inspector.layer == "0"
    assert inspector.show is None
    assert not inspector.editable
    usual = [part for part in PARTS if part not in ("points", "knots")]
    assert inspector.svg() == inspector.svg(show=usual) != inspector.svg(show=PARTS)
    assert inspector.svg(editable=True) == inspector.svg(editable=True, show=PARTS)
    assert SplineInspector(setting.live, layer=1).layer == "3"
    assert SplineInspector(setting.live, "3").layer == "3"


def test_an_unknown_keyword_names_the_nearest_and_all(setting):
    with pytest.raises(TypeError, match=r"no keyword 'edit'. Did you mean.*editable"):
        SplineInspector(setting.live, edit=True)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"layer": "5"}, ValueError, "the layers are '0', '3'"),
        ({"show": ["phi", "bass"]}, traitlets.TraitError, "unknown 'bass'; the parts are 'phi'"),
        ({"theme": "drak"}, traitlets.TraitError, "Did you mean 'dark'"),
        ({"height": 10}, traitlets.TraitError, "height"),
        ({"pins": [{"layer": "0"}]}, ValueError, "names no function"),
        ({"pins": [{**FIRST, "out": 2}]}, ValueError, "names no function"),
    ],
)
def test_a_wrong_value_is_refused_in_words(setting, options, error, words):
    with pytest.raises(error, match=words):
        SplineInspector(setting.live, **options)


def test_a_later_wrong_value_is_refused_and_changes_nothing(setting):
    inspector = SplineInspector(setting.live, show=["spline", "phi"])
    assert inspector.show == ["phi", "spline"]  # in the legend's order
    with pytest.raises(traitlets.TraitError, match="unknown 'x'"):
        inspector.show = ["x"]
    with pytest.raises(ValueError, match="the layers are"):
        inspector.layer = "nowhere"
    assert (inspector.show, inspector.layer) == (["phi", "spline"], "0")


# -- edits from the page -------------------------------------------------------------


def test_the_page_edits_the_parameter_and_takes_it_back(setting):
    inspector = SplineInspector(setting.live, editable=True)
    layer = setting.model[0]
    place = {"layer": "0", "out": 1, "in": 0, "row": 2, "column": 0}
    before = layer.spline_weight[1, 0, 2, 0].detach().clone()
    wanted = [0.25, *np.linspace(-1, 1, 8).tolist()]
    ask(inspector, kind="edit", **place, coefficients=wanted, final=True)
    np.testing.assert_allclose(layer.spline_weight[1, 0, 2, 0].tolist(), wanted[1:], atol=1e-6)
    assert layer.base_weight[1, 0, 2, 0].item() == 0.25
    assert inspector.stream.edits == {"undo": 1, "redo": 0, "step": 0, "message": ""}
    ask(inspector, kind="undo")
    np.testing.assert_allclose(layer.spline_weight[1, 0, 2, 0].tolist(), before.tolist(), atol=1e-6)
    assert inspector.stream.edits == {"undo": 0, "redo": 1, "message": ""}
    ask(inspector, kind="redo")
    assert layer.base_weight[1, 0, 2, 0].item() == 0.25
    ask(inspector, kind="zero", **place)
    assert not layer.spline_weight[1, 0, 2, 0].any()
    ask(inspector, kind="reset", **place)
    np.testing.assert_allclose(layer.spline_weight[1, 0, 2, 0].tolist(), before.tolist(), atol=1e-6)


def test_the_page_s_straight_line_is_numpy_s(setting):
    inspector = SplineInspector(setting.live, editable=True)
    layer = setting.model[0]
    with torch.no_grad():
        layer.spline_weight.normal_()
    setting.live.refresh()
    x = np.linspace(-1, 1, 257)
    knots = -1 + 0.4 * np.arange(-3, 9)

    def phi() -> np.ndarray:
        weights = layer.spline_weight[0, 0, 1, 1].detach().double().numpy()
        silu = layer.base_weight[0, 0, 1, 1].item() * x / (1 + np.exp(-x))
        return silu + BSpline(knots, weights, 3)(x)

    slope, offset = np.polyfit(x, phi(), 1)
    place = {"layer": "0", "out": 0, "in": 0, "row": 1, "column": 1}
    ask(inspector, kind="straighten", **place)
    np.testing.assert_allclose(phi(), slope * x + offset, atol=2e-5)


def test_what_is_refused_goes_back_to_the_page_in_words(setting):
    inspector = SplineInspector(setting.live, editable=True)
    ask(inspector, kind="edit", **FIRST, coefficients=[0.0], final=True)
    assert "9 finite numbers" in inspector.stream.edits["message"]
    ask(inspector, kind="zero", **FIRST)
    assert inspector.stream.edits["message"] == ""


class Locked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight.exp().T


def test_a_locked_layer_tells_the_page_why(setting):
    def read(module: nn.Module) -> LayerFunctions:
        assert isinstance(module, Locked)
        values = module.weight.detach().exp().unsqueeze(-1)
        return LayerFunctions("linear", values, (IdentityBasis(),), locked="It is exp of a weight.")

    register_adapter(Locked, read)
    inspector = SplineInspector(Locked(), editable=True)
    assert inspector.stream.layouts[0]["layers"][0]["locked"] == "It is exp of a weight."
    ask(inspector, kind="zero", layer=inspector.layer, **{k: 0 for k in list(FIRST)[1:]})
    assert "It is exp of a weight." in inspector.stream.edits["message"]


def test_edits_of_the_page_during_training_come_in_between_two_steps(setting):
    """What a subshell thread does while the loop of a cell runs."""
    inspector = SplineInspector(setting.live, editable=True)
    given: set[float] = set()
    written: set[float] = set()
    stop = threading.Event()

    def clicks() -> None:
        k = 0
        while not stop.is_set():
            k += 1
            given.add(np.float32(0.001 * k).item())
            content = [0.001 * k] * 9
            ask(inspector, kind="edit", **FIRST, coefficients=content, final=k % 5 == 0)
            time.sleep(0.002)
        # No step moves the weight after this one.
        content = [0.001 * (k + 1)] * 9
        ask(inspector, kind="edit", **FIRST, coefficients=content, final=True)

    cells._cell_started()
    thread = threading.Thread(target=clicks)
    thread.start()
    try:
        end, steps = time.monotonic() + 20, 0
        while steps < 60 or len(written) <= 10:
            assert time.monotonic() < end, "waited in vain"
            steps += 1
            setting.optimizer.zero_grad()
            loss = setting.model(setting.x).square().sum()
            held = setting.model[0].base_weight[0, 0, 0, 0].item()
            time.sleep(0.004)
            loss.backward()  # raises if a weight was written in between
            assert setting.model[0].base_weight[0, 0, 0, 0].item() == held
            setting.optimizer.step()
            value = setting.model[0].base_weight[0, 0, 0, 0].item()
            if value in given:  # a step alone leaves another number
                written.add(value)
    finally:
        stop.set()
        thread.join(20)
        cells._cell_ended()
    assert inspector.stream.edits["message"] == ""
    # The last one is in, however it came.
    last = setting.live.edits.latest
    assert last is not None
    assert setting.model[0].base_weight[0, 0, 0, 0].item() == pytest.approx(last.after[0])


# -- the picture ---------------------------------------------------------------------

INK, SLATE, GREY = "#1b1f24", "#454f68", "#9aa1a9"


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?[\d.]+", text)]


def lines(svg: str, stroke: str, width: float) -> list[np.ndarray]:
    """Return the points of all lines of a look, in pixels of the drawing."""
    found = re.findall(
        rf'<path d="([^"]+)" fill="none" stroke="{stroke}" stroke-width="{width:g}"', svg
    )
    return [np.array(numbers(d)).reshape(-1, 2) for d in found]


def labels(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def phi_of(layer: Any, x: np.ndarray) -> np.ndarray:
    """Return the first function of a layer as scipy has it."""
    weights = layer.spline_weight[0, 0, 0, 0].detach().double().numpy()
    knots = -1 + 0.4 * np.arange(-3, 9)
    # Beyond the grid scipy would extend the outer pieces: sum the splines one by one.
    spline = sum(
        w * np.nan_to_num(BSpline.basis_element(knots[b : b + 5], extrapolate=False)(x))
        for b, w in enumerate(weights)
    )
    base: float = layer.base_weight[0, 0, 0, 0].item()
    return base * x / (1 + np.exp(-x)) + np.asarray(spline)


class Plane:
    """The axes of a picture: pixels of the drawing as numbers, by the labels of the ticks."""

    def __init__(self, svg: str) -> None:
        texts = re.findall(
            r'<text x="([\d.]+)" y="([\d.]+)" font-size="11" text-anchor="(middle|end)"[^>]*>'
            r"([−\d.]+)</text>",
            svg,
        )
        across, up = [], []
        for x, y, side, text in texts:
            value = float(text.replace("−", "-"))
            if side == "middle":
                across.append((float(x), value))
            elif float(x) < 100:  # further right are the legend's numbers
                # The baseline lies 0.36 of the size below the middle of the digits.
                up.append((float(y) - 0.36 * 11, value))
        self.across, self.up = (np.polyfit(*np.transpose(pairs), 1) for pairs in (across, up))

    def x(self, points: np.ndarray) -> np.ndarray:
        return np.polyval(self.across, points[:, 0])

    def y(self, points: np.ndarray) -> np.ndarray:
        return np.polyval(self.up, points[:, 1])


@pytest.fixture
def shown(setting) -> SplineInspector:
    with torch.no_grad():
        for parameter in setting.model[0].parameters():
            parameter.normal_()
    setting.live.refresh()
    setting.live.select("0", 0, 0, 0, 0)
    return SplineInspector(setting.live)


def test_a_small_picture_goes_out_beside_the_live_view(shown):
    data, _ = shown._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    png = base64.b64decode(data["image/png"])
    assert len(png) < 60_000
    with Image.open(io.BytesIO(png)) as image:
        assert image.width == 1800


def test_the_picture_follows_selection_and_options_and_leaves_the_widget_alone(shown):
    first = shown.image(width=500).tobytes()
    shown.live.select("0", 1, 0, 2, 2)
    second = shown.image(width=500).tobytes()
    assert second != first
    alone = shown.image(width=500, show=["phi"]).tobytes()
    assert alone not in (first, second)
    assert shown.image(width=500, layer="3").tobytes() not in (first, second)
    assert shown.show is None
    with pytest.raises(TypeError, match="Did you mean 'editable'"):
        shown.image(editble=True)
    for wrong, words in (
        ({"pixel_ratio": 90}, "pixel_ratio=90: expected a number from 0.25 to 16"),
        ({"pixel_ratio": 0}, "pixel_ratio=0: expected a number from 0.25 to 16"),
        ({"width": 5}, "width=5: expected at least 100 pixels"),
        ({"height": 10}, "less than 160"),
    ):
        with pytest.raises((ValueError, traitlets.TraitError), match=words):
            shown.image(**wrong)


def test_the_line_of_the_picture_lies_where_scipy_says(shown, setting):
    svg = shown.svg(width=900, show=["phi"], height=380)
    [points] = lines(svg, INK, 2.5)[:1]
    # Written with two decimals, neighbours may fall together.
    points = points[np.append(True, np.diff(points[:, 0]) > 0)]
    plane = Plane(svg)
    x = plane.x(points)
    assert (x[0], x[-1]) == (pytest.approx(-1, abs=0.01), pytest.approx(1, abs=0.01))
    # Within a pixel, and as far as the line moves in half of one: ticks lie on whole pixels.
    off = np.abs(plane.y(points) - phi_of(setting.model[0], x)) / abs(plane.up[0])
    assert (off < 1 + np.abs(np.gradient(points[:, 1], points[:, 0])) / 2).all()
    assert np.median(off) < 0.5


def test_the_picture_says_what_the_legend_says(shown, setting):
    texts = labels(shown.svg(show=PARTS))
    weights = setting.model[0].spline_weight[0, 0, 0, 0]
    base = setting.model[0].base_weight[0, 0, 0, 0].item()
    assert texts[0] == "SplineInspector · layer 0 · kernel 0 · row 0, column 0"
    # Each point in sight has its name, and one row stands for all splines.
    assert {f"B{b}" for b in range(1, len(weights) - 1)} <= set(texts)
    assert f"basis functions B0–B{len(weights) - 1}" in texts
    printed = float(texts[texts.index("base · silu") + 1].replace("−", "-"))
    assert printed == pytest.approx(base, rel=2e-3)
    assert {"term", "w", "points: weights"} <= set(texts)


def test_the_range_printed_is_that_of_the_function_at_every_width(shown, setting):
    first = [labels(shown.svg(width=width))[2] for width in (320, 640, 1500)]
    assert len(set(first)) == 1
    *_, low, high = (float(n) for n in re.findall(r"-?[\d.]+", first[0].replace("−", "-")))
    phi = phi_of(setting.model[0], np.linspace(-1, 1, 20_001))
    assert [low, high] == [float(f"{phi.min():.3g}"), float(f"{phi.max():.3g}")]


def test_dark_is_dark_and_auto_is_light(shown):
    def paper(**options: Any) -> int:
        return sum(shown.image(width=400, pixel_ratio=1, **options).getpixel((1, 1)))

    assert paper(theme="dark") < 120
    assert paper() > 700
    with pytest.raises(traitlets.TraitError, match=r"theme='x': expected one of "):
        shown.image(theme="x")


def test_what_is_observed_is_in_the_picture(shown, setting):
    before = shown.image(width=500).tobytes()
    setting.live.observe(setting.x)
    assert shown.image(width=500).tobytes() != before


def test_functions_that_are_not_finite_and_pins_that_are_gone_can_be_drawn(setting):
    pins = [{**FIRST, "out": 1}, {"layer": "3", "out": 1, "in": 7, "row": 0, "column": 0}]
    inspector = SplineInspector(setting.live, pins=pins)
    with torch.no_grad():
        setting.model[0].base_weight[0, 0, 0, 0] = float("nan")
    setting.live.refresh()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inspector.image(width=500)
        inspector.image(width=500, show=["basis"])
    again = kw.bind(setting.model, setting.optimizer, layers=["3"])
    data, _ = inspector._repr_mimebundle_()
    assert "image/png" in data
    again.close()


# -- curves laid over ----------------------------------------------------------------


def fits_of(setting: Setting) -> list[kw.insight.SymbolicFit]:
    seen = setting.live.observe(setting.x)
    layer = setting.live.read()[0]
    return kw.insight.symbolic(layer, seen[layer.name]).at((1, 0, 2, 1))


def test_a_form_is_laid_over_its_function_which_is_selected(setting):
    inspector = SplineInspector(setting.live)
    first, second, _ = fits_of(setting)
    inspector.overlay(first)
    inspector.overlay(second)
    place = {"layer": "0", "out": 1, "in": 0, "row": 2, "column": 1}
    assert inspector.selection == place
    assert [curve["label"].partition(", R² ")[0] for curve in inspector.overlays] == [
        str(first),
        str(second),
    ]
    curve = inspector.overlays[1]
    assert place.items() <= curve.items()
    x = np.linspace(second.low, second.high, len(curve["samples"]) // 4)
    drawn = np.frombuffer(curve["samples"], "<f4")
    np.testing.assert_allclose(drawn, second(x), rtol=1e-5, atol=1e-7)
    with pytest.raises(TypeError, match="expected a fit, such as"):
        inspector.overlay("exp")
    with pytest.raises(TypeError, match="expected a fit, such as"):
        inspector.overlay()


def test_an_ensemble_lies_around_the_function_that_is_shown():
    models = [nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1)) for _ in range(3)]
    found = kw.ensemble(models)
    inspector = SplineInspector(found)
    assert inspector.live is kw.bind(models[found.typical])
    # It opens on the function in which they differ most, and counts that one's forms.
    _, low, _, high = found.around(inspector.layer)
    out, in_, *_ = np.unravel_index((high - low).argmax(), high.shape)
    assert f"SplineInspector · layer 0 · output {out} · input {in_}<" in inspector.svg(width=900)
    assert "where the networks differ most" in inspector.svg(width=900)
    assert (inspector.form["out"], inspector.form["in"]) == (out, in_)
    inspector.live.select("1", 0, 2)
    assert (inspector.form["layer"], inspector.form["in"]) == ("1", 2)
    words = " ".join(re.findall(r">([^<>]+)</text>", inspector.svg(width=900)))
    assert "3 networks: median, and range shaded" in words
    assert "the most typical network: φ " in words
    assert "φ, the most typical" in words
    assert inspector.form["words"] in words
    assert inspector.overlays == []


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        ({"square": 2, "sin": 1}, "best form in 2 of 3 networks: square"),
        ({"no form fits": 3}, "best form in 3 of 3 networks: no form fits"),
        # None of them is named as if it were the finding.
        (
            {"square": 1, "sin": 1, "no form fits": 1},
            "best forms differ in all 3 networks",
        ),
    ],
)
def test_the_form_is_the_one_that_networks_share(monkeypatch, counted, said):
    models = [nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1)) for _ in range(3)]
    found = kw.ensemble(models)
    monkeypatch.setattr(type(found), "forms", lambda *_: Counter(counted))
    assert SplineInspector(found).form["words"] == said


def test_a_fit_of_another_model_is_refused(setting):
    inspector = SplineInspector(kw.nn.KANLinear(2, 1))
    with pytest.raises(ValueError, match="names no function of this model"):
        inspector.overlay(fits_of(setting)[0])
    assert inspector.overlays == []


def test_the_picture_has_the_curve_where_its_samples_say_and_over_its_function_alone(shown):
    samples = np.array([0.5, 1.0, 1.5], dtype="<f4").tobytes()
    curve = {**FIRST, "label": "(x)²", "low": -1.0, "high": 1.0, "samples": samples}
    options: dict[str, Any] = {"width": 900, "height": 380, "show": []}
    none = shown.svg(**options)
    shown.overlays = [curve]
    svg = shown.svg(**options)
    [points] = [line for line in lines(svg, SLATE, 2) if len(line) == 3]
    plane = Plane(svg)
    np.testing.assert_allclose(plane.x(points), [-1, 0, 1], atol=0.01)
    np.testing.assert_allclose(plane.y(points), [0.5, 1, 1.5], atol=0.01)
    assert "(x)²" in labels(svg)
    assert 'stroke-dasharray="7 5"' in svg
    shown.overlays = [{**curve, "column": 1}]
    assert shown.svg(**options) == none
    shown.overlays = [{**curve, "shown": False}]
    hidden = shown.svg(**options)
    assert [line for line in lines(hidden, SLATE, 2) if len(line) == 3] == []
    assert "(x)²" in labels(hidden)  # where it can be shown again


# -- as every view -------------------------------------------------------------------


def test_a_model_is_bound_and_kept_until_the_view_is_closed():
    model = kw.nn.KANLinear(2, 2)
    inspector = SplineInspector(model)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert inspector.live.model is gone()
    inspector.close()
    gc.collect()
    assert gone() is None


def test_pins_are_plain_selections_that_python_can_set(setting):
    inspector = SplineInspector(setting.live)
    inspector.pins = [FIRST]
    assert inspector.pins == [FIRST]


def test_an_input_of_a_flattened_image_is_named_by_its_place_there_as_in_the_grid():
    model = nn.Sequential(nn.Flatten(), kw.nn.KANLinear(18, 2))
    live = kw.bind(model)
    live.observe(torch.rand(8, 2, 3, 3))
    live.select("1", 1, 14)
    place = "output 1 · input 14 (map 1, row 1, column 2)"
    assert f"layer 1 · {place}<" in SplineInspector(live).svg(width=900)
