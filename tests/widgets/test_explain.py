"""Explain from Python: its numbers, when it is made again, and its still picture."""

from __future__ import annotations

import base64
import gc
import io
import math
import re
import statistics
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image
from torch import nn

import kan_widgets as kw
from kan_widgets.widgets.numbers.layer_shares import share_parts
from tests.printed import printed as number

SVG = "{http://www.w3.org/2000/svg}"

# A binding does not keep its model: somebody must.
models: list[nn.Module] = []


def bound(make: type[nn.Module] | None = None) -> kw.Binding:
    torch.manual_seed(0)
    models.append(kw.nn.KANCNN(channels=(8, 16), padding=0) if make is None else make())
    with torch.no_grad():
        for parameter in models[-1].parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return kw.bind(models[-1])


def digit(k: int = 3) -> torch.Tensor:
    return kw.data.mnist("embedded").test_images[k]


def floats(data: bytes) -> np.ndarray:
    return np.frombuffer(data, "<f4")


def values_of(view: kw.Explain, number: int) -> np.ndarray:
    """Return the shares of a layer as the page gets them, as many rows as it has outputs."""
    part = view._parts[number]
    return floats(part["values"]).reshape(part["rows"], part["columns"])


def total_of(view: kw.Explain, number: int) -> np.ndarray:
    part = view._parts[number]
    return floats(part["total"]).reshape(part["mapShape"])


def wait_for(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(scope="module")
def view() -> kw.Explain:
    live = bound()
    live.observe(kw.data.mnist("embedded").test_images[:16])
    return kw.Explain(live, digit(), 3)


def test_the_page_gets_the_numbers_of_the_record_from_the_last_layer_to_the_first(view):
    found, content = view.explanation, view.content
    for part in content["parts"]:
        assert (part["step"], part["target"], part["predicted"]) == (0, 3, found.predicted)
        assert part["scores"] == found.scores.tolist()
    np.testing.assert_array_equal(floats(content["image"]["data"]), digit().ravel())
    linear, second, first = content["parts"]
    assert [part["layer"] for part in content["parts"]] == ["linear", "convs.1", "convs.0"]
    np.testing.assert_allclose(
        floats(linear["values"]), found.functions[0].contributions[3], rtol=1e-6
    )
    np.testing.assert_allclose(floats(linear["beside"]), found.functions[0].usual[3], rtol=1e-5)
    assert linear["places"] == [16, 5, 5]
    for part, shares in ((second, found.kernels[1]), (first, found.kernels[0])):
        assert (part["rows"], part["columns"]) == shares.contributions.shape
        np.testing.assert_allclose(floats(part["beside"]), shares.ablated.ravel(), rtol=1e-6)
        maps = floats(part["maps"]).reshape(-1, *part["mapShape"])
        flat = shares.maps.reshape(-1, *part["mapShape"])
        np.testing.assert_array_equal(maps, flat[part["mapped"]])
        total = floats(part["total"]).reshape(part["mapShape"])
        np.testing.assert_allclose(total, flat.sum(axis=0), atol=1e-5)


def test_the_sentences_add_up(view):
    found = view.explanation
    view.update()
    last, words = (desc(view.svg(layer=layer)) for layer in ("linear", "convs.1"))
    score = number(found.score)
    assert f"Class 3 scores {score}, the sum of 400 functions." in last
    second = found.kernels[1]
    added, missing = second.contributions.sum(), second.missing
    verb = "subtracts" if added < 0 else "adds"
    assert (
        f"Class 3 scores {score}. With each kernel of this layer at its mean over 16 examples it "
        f"would score {number(second.baseline)}; what they make of this image {verb} "
        f"{number(abs(added))}"
    ) in words
    assert second.baseline + added + missing == pytest.approx(found.score, rel=1e-4)
    for part, sums in zip(
        view.content["parts"],
        (
            {"bias": found.bias, "error": found.error, "others": None},
            *({"baseline": k.baseline, "missing": k.missing} for k in found.kernels[::-1]),
        ),
        strict=True,
    ):
        assert part["sums"] == sums
        assert part["samples"] == 16


def test_only_the_largest_maps_are_sent_where_there_are_many(monkeypatch):
    monkeypatch.setattr("kan_widgets.widgets.numbers.layer_shares._MAP_NUMBERS", 500)
    view = kw.Explain(bound(), digit())
    second = view.content["parts"][1]
    # 11 × 11 numbers each.
    shares = np.abs(view.explanation.kernels[1].contributions.ravel())
    assert second["mapped"] == np.argsort(-shares, kind="stable")[:4].tolist()
    assert len(floats(second["maps"])) == 4 * 121


def test_another_class_is_explained_at_once(view):
    view.target = 8
    assert view.content["parts"][0]["target"] == view.explanation.target == 8
    view.target = None
    assert view.explanation.target == view.explanation.predicted
    view.target = 3


def test_another_image_is_explained_and_one_that_does_not_fit_changes_nothing():
    view = kw.Explain(bound(), digit(3))
    first = view.explanation
    view.update(digit(4))
    assert view.explanation is not first
    np.testing.assert_array_equal(view.explanation.image, digit(4))
    kept = view.explanation
    with pytest.raises(ValueError, match=r"image of shape .*: expected one image"):
        view.update(torch.zeros(2, 1, 28, 28))
    assert view.explanation is kept
    view.update()
    np.testing.assert_array_equal(view.explanation.image, digit(4))


def steps_of(view: kw.Explain) -> dict[str, int]:
    """Give the step that each layer is explained at, as the page is told."""
    view._draw_job.now()
    return {part["layer"]: part["step"] for part in view.content["parts"]}


def test_it_is_explained_anew_when_the_reader_asks():
    live = bound()
    view = kw.Explain(live, digit(), 0)
    before = view.explanation.score
    with torch.no_grad():
        live.model.linear.spline_weight.add_(0.5)
    for _ in range(5):
        live.step()
    assert view.explanation.score == before
    view._answer(view, {"kind": "explain"}, [])
    assert view.explanation.score != before
    # The layer shown; another one when it is chosen.
    assert steps_of(view) == {"linear": 5, "convs.1": 0, "convs.0": 0}
    view.layer = "convs.0"
    assert steps_of(view) == {"linear": 5, "convs.1": 0, "convs.0": 5}
    first = values_of(view, -1)
    assert first.sum() == pytest.approx(view.explanation.kernels[-1].contributions.sum(), rel=1e-5)


def test_what_goes_wrong_when_the_page_asks_is_said_in_the_view():
    view = kw.Explain(bound(), digit())
    kept = view.content
    view._image = torch.zeros(3)
    view._answer(view, {"kind": "explain"}, [])
    assert "KANCNN" in view.message or "input of shape" in view.message
    assert view.content == kept


def test_while_another_thread_trains_it_is_explained_between_two_steps():
    live = bound()
    view = kw.Explain(live, digit(), 0)
    go, trained = threading.Event(), threading.Event()
    ran_in = []
    live.model.register_forward_hook(lambda *_: ran_in.append(threading.current_thread()))

    def train() -> None:
        live.step()
        trained.set()
        go.wait(60)
        live.step()

    trainer = threading.Thread(target=train)
    trainer.start()
    trained.wait(60)
    live.feed._state = "live"  # however long this machine takes to get here
    view.target = 5
    assert view.message.startswith("waiting")
    assert view.explanation.target == 0
    go.set()
    trainer.join(60)
    assert view.explanation.target == 5
    assert set(ran_in) == {trainer}
    view._draw_job.now()
    assert (view.message, view.content["parts"][0]["target"]) == ("", 5)


def test_what_waits_for_a_step_is_explained_when_the_training_ends():
    live = bound()
    view = kw.Explain(live, digit(), 0)
    trainer = threading.Thread(target=live.step)
    trainer.start()
    trainer.join(60)
    live.feed._state = "live"
    view.target = 5
    assert view.explanation.target == 0
    live.feed.set_state("idle")
    wait_for(lambda: view.explanation.target == 5)


def train(live: kw.Binding, view: kw.Explain, steps: int) -> list[dict[str, int]]:
    """Train in this thread; before each step the view has had time to see what is due."""
    seen = []
    for _ in range(steps):
        live.feed._state = "live"  # however long this machine takes to get here
        view._job.run()
        live.step()
        live.refresh()  # a frame, whatever the throttle says
        seen.append(steps_of(view))
    return seen


def due_at(view: kw.Explain, moment: float) -> None:
    """Have its throttle open at a moment, whatever explaining costs here."""
    view._throttle = SimpleNamespace(due=moment, spent=lambda *_: None)


def test_while_it_trains_the_layer_shown_follows_in_its_thread_and_within_its_share(monkeypatch):
    live = bound()
    view = kw.Explain(live, digit(), 0)
    assert view._throttle.most == 0.01
    due_at(view, -math.inf)
    # Here and not on the scheduler, which would look when it comes to it.
    monkeypatch.setattr(view._job, "wake", lambda: None)
    monkeypatch.setattr(view._job, "hurry", lambda: None)
    seen = train(live, view, 3)
    # The frame of the first step has it explained after the second.
    assert [one["linear"] for one in seen] == [0, 2, 3]
    assert {one["convs.1"] for one in seen} == {0}
    due_at(view, math.inf)
    assert [one["linear"] for one in train(live, view, 3)] == [3, 3, 3]


def test_what_is_usual_is_of_the_model_that_is_explained():
    live = bound()
    live.observe(kw.data.mnist("embedded").test_images[:16])
    view = kw.Explain(live, digit(), 0)
    assert [part["samples"] for part in view.content["parts"]] == [16, 16, 16]
    live.step()
    view.update()
    last, *kernels = view.content["parts"]
    assert last["beside"] is None
    assert not any(part["samples"] for part in (last, *kernels))
    wait_for(lambda: live.state != "live")  # inputs seen while it trains are not asked
    live.observe(kw.data.mnist("embedded").test_images[:8])
    view.update()
    assert [part["samples"] for part in view.content["parts"]] == [8, 8, 8]


def test_at_rest_in_a_notebook_the_layer_shown_follows_by_itself(monkeypatch):
    live = bound()
    view = kw.Explain(live, digit(), 0)
    due_at(view, -math.inf)
    live.step()
    # Nobody knows what a thread of a script does next: only the reader may ask.
    live.feed.settle()
    view._follow()
    assert steps_of(view)["linear"] == 0
    monkeypatch.setattr("kan_widgets.live.cells.is_over_in", lambda thread: True)
    view._state_changed("idle", "")
    wait_for(lambda: steps_of(view) == {"linear": 1, "convs.1": 0, "convs.0": 0})
    # So it does after an edit, though no step was made.
    score = view.explanation.score
    live.edits.zero("linear", (0, int(np.abs(values_of(view, 0)).argmax())))
    wait_for(lambda: view.explanation.score != score)


def test_a_picture_made_after_training_is_of_the_last_step():
    live = bound()
    view = kw.Explain(live, digit(), 0)
    live.step()
    assert "step 1" in texts(view.svg())
    assert steps_of(view) == {"linear": 1, "convs.1": 1, "convs.0": 1}


def test_wrong_arguments_are_refused_and_change_nothing(view):
    live = view.live
    with pytest.raises(ValueError, match=r"target=.*: expected a class from 0 to 9"):
        view.target = 10
    with pytest.raises(ValueError, match=r"the layers are 'linear', 'convs\.1', 'convs\.0'"):
        view.layer = "elsewhere"
    with pytest.raises(traitlets.TraitError):
        view.top = 0
    assert (view.target, view.layer, view.top) == (3, "linear", 10)
    with pytest.raises(ValueError, match=r"target=10: expected a class from 0 to 9"):
        kw.Explain(live, digit(), 10)
    with pytest.raises(TypeError, match="target='seven': expected the number of a class"):
        kw.Explain(live, digit(), "seven")
    with pytest.raises(TypeError, match=r"no keyword 'tops'. Did you mean 'top'\?"):
        kw.Explain(live, digit(), tops=3)
    with pytest.raises(ValueError, match="the layers are"):
        kw.Explain(live, digit(), layer="convs.7")
    closed = bound()
    closed.close()
    with pytest.raises(TypeError, match="an open binding"):
        kw.Explain(closed, digit())


def test_a_label_may_be_a_tensor_and_a_layer_a_number():
    digits = kw.data.mnist("embedded")
    view = kw.Explain(bound(), digits.test_images[0], digits.test_labels[0], layer=1)
    assert view.target == int(digits.test_labels[0])
    assert view.layer == "convs.1"


def test_a_view_that_was_never_made_is_closed_without_a_word():
    live = bound()
    with pytest.raises(TypeError, match="missing a required argument: 'image'"):
        kw.Explain(live)
    with pytest.raises(ValueError, match=r"target=10: expected a class from 0 to 9"):
        kw.Explain(live, digit(), 10)
    # An exception that Python could only ignore is an error in these tests.
    gc.collect()


def test_scores_that_are_not_finite_reach_the_page():
    live = bound()
    with torch.no_grad():
        live.model.linear.base_weight[4] = float("nan")
    view = kw.Explain(live, digit(), 3)
    assert view.content["parts"][0]["scores"][4] is None
    assert "NaN" in texts(view.svg(layer="linear"))
    view.target = 4
    assert texts(view.svg(layer="linear"))[2:4] == [
        "Some scores are not finite: no verdict",
        "The score of 4 is not finite: there is nothing to divide.",
    ]


# ---------------------------------------------------------------- still


def texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def desc(svg: str) -> str:
    """Return what a picture says to those who cannot see it."""
    return "".join(ElementTree.fromstring(svg).find(f"{SVG}desc").itertext())


def pixels(image: ElementTree.Element) -> np.ndarray:
    """Return what an image of an SVG is made of, row by row."""
    code = image.attrib["href"].partition("base64,")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert("RGB")).astype(int)


def test_the_picture_has_every_layer_one_below_the_other_and_says_where_it_is_cut(view):
    whole = texts(view.svg(max_height=2000))
    assert [name for name in whole if name in ("linear", "convs.1", "convs.0")] == [
        "linear",
        "convs.1",
        "convs.0",
    ]
    assert sum(name.endswith("all kernels") for name in whole) == 2
    assert "step 0" in whole
    small = view.image(max_height=600, theme="dark")
    assert small.width == 1800
    assert small.height <= 1200
    assert small.getpixel((0, 0)) == (22, 24, 28)
    cut = view.svg(max_height=600)
    # What is drawn beyond the cut is clipped; the cut is between two layers.
    [share] = [text for text in texts(cut) if text.startswith("the picture ends here")]
    clip = ElementTree.fromstring(cut).find(f".//{SVG}clipPath/{SVG}rect")
    assert clip is not None
    shown = float(clip.attrib["height"])
    heads = [
        float(text.attrib["y"])
        for text in ElementTree.fromstring(cut).iter(f"{SVG}text")
        if text.text in ("linear", "convs.1", "convs.0")
    ]
    assert heads[0] < shown < heads[1] - 11, share


def test_a_picture_shows_one_layer_alone_where_the_view_was_made_with_it():
    one = kw.Explain(bound(), digit(), layer="linear")
    found = texts(one.svg())
    assert found == texts(one.svg(layer="linear"))
    assert not [text for text in found if text.startswith("the picture ends here")]
    assert found != texts(one.svg(layer="convs.1"))


def test_one_layer_has_its_largest_shares_all_classes_and_what_all_come_to(view):
    found = texts(view.svg(layer="convs.1", max_height=3000))
    shares = view.explanation.kernels[1].contributions
    # One number of decimals in all rows, so that the column adds up as it is read.
    signed = [text for text in found if re.fullmatch(r"[+−]\d+\.\d+", text)]
    decimals = statistics.mode(len(text.split(".")[1]) for text in signed)

    def printed(value: float) -> str:
        return f"{value:+.{decimals}f}".replace("-", "−")

    largest = np.argsort(-np.abs(shares.ravel()), kind="stable")[:10]
    for out, in_ in zip(*np.unravel_index(largest, shares.shape), strict=True):
        assert f"kernel {in_} → {out}" in found
        assert printed(float(shares[out, in_])) in signed
    assert "what each output channel adds to the score" in found
    assert "all 128 kernels together" in found
    assert printed(float(shares.astype(np.float32).sum())) in signed
    scores = view.explanation.scores
    # Likewise of the scores: three digits of the largest, or two after its zeros.
    size = int(np.floor(np.log10(np.abs(scores).max())))
    places = 1 - size if size < 0 else 2 - size
    for score in scores:
        assert f"{score:.{places}f}".replace("-", "−") in found
    assert found.count("convs.1") == 0
    assert any("Explain · class 3 · convs.1" in text for text in found)


def test_the_scale_has_the_maps_colours_for_the_same_values(view):
    for theme in ("light", "dark"):
        svg = view.svg(layer="linear", theme=theme)
        _, mapped, scale, *small = [
            pixels(image) for image in ElementTree.fromstring(svg).iter(f"{SVG}image")
        ]
        values = total_of(view, 0)
        assert len(small) == 5  # the maps of the channels that add most, on the same scale
        most = max(np.abs(values.astype(np.float32)).max(), np.abs(values_of(view, 0)).max())
        half = scale.shape[1] // 2
        places = half + np.floor(half * values.astype(np.float32) / most + 0.5).astype(int)
        assert mapped.shape == (*values.shape, 3)
        # A value half-way between two colours may have either.
        near = np.stack([scale[0, np.clip(places + step, 0, 2 * half)] for step in (-1, 0, 1)])
        assert (near == mapped).all(axis=-1).any(axis=0).all()
        # Zero is one colour, without a tint.
        red, green, blue = scale[0, half]
        assert max(red, green, blue) - min(red, green, blue) <= 1


def test_a_place_that_adds_nothing_has_the_colour_of_the_scales_zero(view):
    # Zero on a map is the page's own lightness, whatever the image has there.
    svg = view.svg(layer="convs.1")
    _, mapped, scale, *_ = [
        pixels(image) for image in ElementTree.fromstring(svg).iter(f"{SVG}image")
    ]
    total = total_of(view, 1)
    small = np.abs(total) < np.abs(total).max() / 1000
    assert small.any()
    assert (mapped[small] == scale[0, scale.shape[1] // 2]).all()


def test_the_picture_marks_the_selected_share_though_it_is_small(view):
    out, in_ = divmod(int(np.abs(values_of(view, 1)).argmin()), 8)
    name = f"kernel {in_} → {out}"
    assert name not in texts(view.svg(max_height=2000))
    view.live.select("convs.1", out, in_, 2, 2)
    try:
        # Of a picture of all layers its output is the row; where one layer is drawn it has its own.
        for options, row in (({}, f"to channel {out}"), ({"layer": "convs.1"}, name)):
            svg = view.svg(max_height=2000, **options)
            bold = ElementTree.fromstring(svg).iter(f"{SVG}text")
            assert row in [text.text for text in bold if text.get("font-weight") == "600"]
    finally:
        view.live.select(None)


def test_options_of_one_picture_are_checked_as_the_traits_are(view):
    with pytest.raises(traitlets.TraitError):
        view.image(top=0)
    with pytest.raises(ValueError, match="the layers are 'linear'"):
        view.image(layer="convs.7")
    with pytest.raises(ValueError, match=r"target=5: .* set view\.target first"):
        view.image(target=5)
    assert len(re.findall(r">row \d+ · col", view.svg(layer=0, top=29, max_height=2000))) == 29
    assert view.top == 10


def test_the_png_keeps_the_colours_of_the_maps(view, tmp_path):
    with Image.open(view.to_png(tmp_path / "a.png", layer="linear", pixel_ratio=1)) as image:
        colours = image.convert("RGB").getcolors() or []
    # So few that the file is small, and so many that the scale has no bands.
    assert 64 < len(colours) <= 256


def test_without_an_image_there_are_bars_and_classes_alone():
    model = nn.Sequential(kw.nn.KANLinear(4, 3), kw.nn.KANLinear(3, 2))
    view = kw.Explain(model, torch.rand(4), 1)
    for options in ({}, {"layer": 0}):
        svg = view.svg(**options)
        assert "input 2" in texts(svg)
        assert "<image" not in svg
    assert view.content["parts"][0]["mapShape"] is None


def test_shares_of_shared_kernels_are_named_by_their_channel():
    live = bound(kw.nn.KANCNN.article)
    view = kw.Explain(live, digit())
    part = view._parts[1]
    assert part["shared"]
    found = texts(view.svg(layer=part["layer"], max_height=3000))
    out, channel = divmod(int(np.abs(values_of(view, 1)).argmax()), 5)
    assert f"kernel {out} · channel {channel}" in found
    live.select("convs.1", 1, 0, 0, 0)
    largest = int(np.abs(values_of(view, 1)[1]).argmax())
    found = texts(view.svg(layer=part["layer"], max_height=3000))
    assert f"kernel 1 · channel {largest}" in found
    assert len(share_parts(view.explanation, 0, {})) == 3
