"""Explain from Python: its numbers, when it is made again, and its still picture."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
import traitlets
from PIL import ImageDraw
from torch import nn

import kan_widgets as kw
from kan_widgets.widgets import explain_still
from kan_widgets.widgets.explained import parts_of
from kan_widgets.widgets.fonts import font_of
from kan_widgets.widgets.palette import ARM, palette

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


@pytest.fixture(scope="module")
def view() -> kw.Explain:
    live = bound()
    live.observe(kw.data.mnist("embedded").test_images[:16])
    return kw.Explain(live, digit(), 3)


def test_the_page_gets_the_numbers_of_the_record_from_the_last_layer_to_the_first(view):
    found, content = view.explanation, view.content
    assert (content["target"], content["predicted"]) == (3, found.predicted)
    assert content["scores"] == found.scores.tolist()
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
    [linear, second, _] = view._parts
    number = kw.widgets.ranges.format_number
    assert linear.sentence.startswith(f"The score of class 3 is {number(found.score)} = ")
    assert "from 400 functions φ(x)" in linear.sentence
    assert "exact, but for" in linear.sentence
    assert f"{number(found.kernels[1].baseline)} with each kernel at its mean" in second.sentence
    assert "over 16 images" in second.sentence
    assert "from 128 kernels" in second.sentence


def test_only_the_largest_maps_are_sent_where_there_are_many(monkeypatch):
    monkeypatch.setattr("kan_widgets.widgets.explained._MAP_NUMBERS", 500)
    view = kw.Explain(bound(), digit())
    second = view.content["parts"][1]
    # 11 × 11 numbers each.
    assert second["mapped"] == view._parts[1].order()[:4]
    assert len(floats(second["maps"])) == 4 * 121


def test_another_class_is_explained_at_once(view):
    view.target = 8
    assert view.content["target"] == view.explanation.target == 8
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
    with pytest.raises(ValueError, match="one image is taken"):
        view.update(torch.zeros(2, 1, 28, 28))
    assert view.explanation is kept
    view.update()
    np.testing.assert_array_equal(view.explanation.image, digit(4))


def test_it_follows_the_model_when_asked_and_says_of_which_step_it_is():
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
    assert view.content["step"] == 5


def test_what_goes_wrong_when_the_page_asks_is_said_in_the_view():
    view = kw.Explain(bound(), digit())
    kept = view.content
    view._image = torch.zeros(3)
    view._answer(view, {"kind": "explain"}, [])
    assert "KANCNN" in view.message or "expected input" in view.message
    assert view.content is kept


def test_while_another_thread_trains_it_is_explained_between_two_steps():
    live = bound()
    view = kw.Explain(live, digit(), 0)
    go, trained = threading.Event(), threading.Event()
    threads = []

    def train() -> None:
        live.step()
        trained.set()
        go.wait(60)
        live.step()

    view.observe(lambda change: threads.append(threading.current_thread()), "content")
    trainer = threading.Thread(target=train)
    trainer.start()
    trained.wait(60)
    live._state = "live"  # however long this machine takes to get here
    view.target = 5
    assert view.message.startswith("waiting")
    assert view.explanation.target == 0
    go.set()
    trainer.join(60)
    assert view.explanation.target == 5
    assert threads == [trainer]
    assert view.message == ""


def test_what_waits_for_a_step_is_explained_when_the_training_ends():
    live = bound()
    view = kw.Explain(live, digit(), 0)
    trainer = threading.Thread(target=live.step)
    trainer.start()
    trainer.join(60)
    live._state = "live"
    view.target = 5
    assert view.explanation.target == 0
    live._set_state("idle")
    assert view.explanation.target == 5


def test_wrong_arguments_are_refused_and_change_nothing(view):
    live = view.live
    with pytest.raises(ValueError, match="there are classes 0 to 9"):
        view.target = 10
    with pytest.raises(ValueError, match=r"the layers are 'linear', 'convs\.1', 'convs\.0'"):
        view.layer = "elsewhere"
    with pytest.raises(traitlets.TraitError):
        view.top = 0
    assert (view.target, view.layer, view.top) == (3, "linear", 30)
    with pytest.raises(ValueError, match="target=10"):
        kw.Explain(live, digit(), 10)
    with pytest.raises(TypeError, match="target='seven'"):
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


# ---------------------------------------------------------------- still


def test_the_picture_has_every_layer_one_below_the_other_and_says_what_it_left_out(
    view, written: list[str]
):
    whole = view.image(max_height=2000)
    assert whole.width == 1800
    for words in ("linear, all channels", "convs.1, all kernels", "convs.0, all kernels"):
        assert words in written
    written.clear()
    part = view.image(max_height=400, theme="dark")
    assert part.height < whole.height / 2
    assert "1 of 3 layers are shown" in written
    assert part.getpixel((0, 0)) == (22, 24, 28)


def test_the_picture_marks_the_selected_share_though_it_is_small(view, written: list[str]):
    part = view._parts[1]
    least = part.order()[-1]
    out, in_ = divmod(least, 8)
    view.live.select("convs.1", out, in_, 2, 2)
    try:
        view.image(max_height=2000)
        assert f"convs.1, out {out} · in {in_}" in written
        assert part.name(least) in written
    finally:
        view.live.deselect()


def test_no_words_of_the_picture_lie_over_each_other(view, placed: list[tuple]):
    for width in (420, 900):
        placed.clear()
        view.image(width=width, max_height=2000)
        assert len(placed) > 30
        for k, (a, one) in enumerate(placed):
            for b, other in placed[k + 1 :]:
                across = min(one[2], other[2]) - max(one[0], other[0])
                down = min(one[3], other[3]) - max(one[1], other[1])
                assert across <= 1 or down <= 1, (width, a, b)


def test_without_an_image_there_are_bars_alone(written: list[str]):
    model = nn.Sequential(kw.nn.KANLinear(4, 3), kw.nn.KANLinear(3, 2))
    view = kw.Explain(model, torch.rand(4), 1)
    view.image()
    assert "input 2" in written
    assert "image" not in written
    assert view.content["parts"][0]["mapShape"] is None


def test_a_map_lies_over_the_image_the_more_the_larger_it_is():
    greys = np.zeros((2, 4, 3), np.uint8)
    greys[:, 1:] = 255
    mixed = explain_still.overlay(greys, np.array([[0.0, 2.0]]), 2.0, "light")
    assert mixed[0, 0].tolist() == [178] * 3
    assert mixed[0, 1].tolist() == [255] * 3
    assert (mixed[:, 2:] == palette("light")[2 * ARM]).all()
    half = explain_still.overlay(greys, np.array([[1.0]]), 2.0, "light")
    assert (half[0, 0] != mixed[0, 0]).any()


def test_shares_of_shared_kernels_belong_to_their_kernel():
    live = bound(kw.nn.KANCNN.article)
    view = kw.Explain(live, digit())
    part = view._parts[1]
    assert part.shared
    assert part.name(7) == "out 1 · channel 2"
    number = part.number({"layer": "convs.1", "out": 1, "in": 0, "row": 0, "column": 0}, 0)
    assert number == 5 + np.abs(part.values[1]).argmax()
    assert len(parts_of(view.explanation, live.read())) == 3


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give what is written on sheets from now on."""
    said: list[str] = []
    from kan_widgets.widgets.sheet import Sheet

    whole = Sheet._write

    def write(self, text, *arguments, **options):
        said.append(text)
        whole(self, text, *arguments, **options)

    monkeypatch.setattr(Sheet, "_write", write)
    return said


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """Give what is written on sheets from now on, with the rectangle that it takes."""
    found: list[tuple] = []
    from kan_widgets.widgets import sheet

    whole = sheet.Sheet._write

    def write(self, text, x, y, size, anchor="ls", strong=False):
        font = font_of(size * self.ratio)
        place = (x * self.ratio, y * self.ratio)
        drawing = ImageDraw.Draw(self.image)
        box = drawing.textbbox(place, sheet.readable(text), font, anchor=anchor)
        found.append((text, box))
        assert box[2] <= self.image.width, text
        whole(self, text, x, y, size, anchor, strong)

    monkeypatch.setattr(sheet.Sheet, "_write", write)
    return found
