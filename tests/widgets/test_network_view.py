"""NetworkView from Python: its keywords, and that what it says of an example is what torch says."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
import torch
import traitlets
from torch import nn

import kan_widgets as kw

SVG = "{http://www.w3.org/2000/svg}"


def texts_of(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def digits() -> kw.data.Digits:
    return kw.data.mnist("embedded")


def followed(digits, count):
    """Bind the article's network, with some digits that run through it."""
    torch.manual_seed(0)
    model = kw.nn.KANCNN.article()
    live = kw.bind(model)
    live.probe(digits.test_images[:count], digits.test_labels[:count])
    return model, live


def test_probabilities_verdict_and_sum_are_those_of_the_model(digits):
    model, live = followed(digits, 4)
    view = kw.NetworkView(live, example=2)
    words = texts_of(view.svg(width=1000))
    with torch.no_grad():
        log_probabilities = model(digits.test_images[2:3])[0]
    shares = log_probabilities.exp()
    best = int(shares.argmax())
    label = int(digits.test_labels[2])
    found = [word for word in words if word.startswith("example 2: ")]
    said = re.fullmatch(
        r"example 2: predicted (\d) \(([\d.]+) %\), .*loss of this example.* ([\d.]+)", found[0]
    )
    assert said is not None
    assert int(said[1]) == best
    assert float(said[2]) == pytest.approx(100 * float(shares[best]), abs=0.051)
    assert float(said[3]) == pytest.approx(-float(log_probabilities[label]), abs=0.051)
    for share in shares:
        assert f"{100 * float(share):.1f} %" in words
    scores = []
    model.linear.register_forward_hook(lambda _, __, out: scores.append(out[0]))
    with torch.no_grad():
        model(digits.test_images[2:3])
    [total] = [word for word in words if word.startswith("score = ")]
    read = float(total.removeprefix("score = ").replace("−", "-"))
    assert read == pytest.approx(float(scores[0][best]), rel=0.01)


@pytest.mark.parametrize("width", [484, 884, 1400])
def test_the_strongest_function_of_the_strongest_link_is_shown_at_every_width(digits, width):
    model, live = followed(digits, 1)
    seen = []
    model.linear.register_forward_hook(lambda _, given, out: seen.append((given[0][0], out[0])))
    with torch.no_grad():
        model(digits.test_images[:1])
        given, scores = seen[-1]
        best = int(scores.argmax())
        functions = kw.functions.read(model)[-1].evaluate(given)
        parts = functions[best].diagonal().reshape(25, 25).sum(1)
    strongest = int(parts.abs().argmax())
    own = functions[best].diagonal()[25 * strongest : 25 * strongest + 25]
    entry = int(own.abs().argmax())
    words = texts_of(kw.NetworkView(live).svg(width=width))
    assert (f"map {strongest} → {best}: 25 φ" in words) is (width > 484)
    # The strongest of them is a plot, with the example on it.
    said = re.findall(r"strongest(?:: φ\((−?[\d.]+)\) =| φ:) (−?[\d.]+)", "\n".join(words))
    [(x, value)] = said
    assert float(value.replace("−", "-")) == pytest.approx(float(own[entry]), rel=0.05)
    if width == 1400:  # there is room for x
        there = float(given[25 * strongest + entry])
        assert float(x.replace("−", "-")) == pytest.approx(there, rel=0.05)


@pytest.mark.parametrize("width", [484, 884, 1400])
def test_every_map_has_a_bar_and_with_the_numbers_over_them_they_make_the_score(digits, width):
    _model, live = followed(digits, 1)  # kept: a binding lives no longer than its model
    words = texts_of(kw.NetworkView(live).svg(width=width))
    start = next(k for k, word in enumerate(words) if word.startswith("What each map"))
    end = next(k for k, word in enumerate(words) if " → " in word or "strongest φ" in word)
    below = words[start + 1 : end]
    assert {str(k) for k in range(25)} <= set(below)
    assert not any(word.endswith(" more") for word in below)
    [total] = [word for word in below if word.startswith("score = ")]
    if width == 1400:  # each bar has room for its number
        parts = [float(w.replace("−", "-")) for w in below if re.fullmatch(r"−?\d*\.\d+", w)]
        assert len(parts) > 15  # over a bar of 0.00 there is none
        read = float(total.removeprefix("score = ").replace("−", "-"))
        assert sum(parts) == pytest.approx(read, abs=25 * 0.005)


@pytest.mark.parametrize("layer", ["convs.0", "linear"])
@pytest.mark.parametrize("part", [slice(0, 1), slice(None)])
def test_what_is_not_a_number_leaves_the_picture(digits, layer, part):
    model, live = followed(digits, 1)
    with torch.no_grad():
        model.get_submodule(layer).spline_weight[part] = torch.nan
    live.refresh()
    words = texts_of(kw.NetworkView(live).svg(width=900))
    assert "KAN layer · linear" in words


def test_before_an_example_the_layers_stand_in_the_order_of_the_modules():
    live = kw.bind(nn.Sequential(kw.nn.KANLinear(3, 4), kw.nn.KANLinear(4, 2)))
    words = texts_of(kw.NetworkView(live).svg(width=800))
    for word in ("3 numbers", "4 outputs", "2 outputs", live.feed.structure.note):
        assert word in words


def test_links_that_are_not_drawn_are_counted():
    torch.manual_seed(0)
    live = kw.bind(nn.Sequential(kw.nn.KANLinear(40, 50), kw.nn.KANLinear(50, 2)))
    view = kw.NetworkView(live, height=1200)
    words = texts_of(view.svg(width=1000, relevance=0.5, max_height=1300))
    said = [word for word in words if " of 2,100 links, " in word]
    assert len(said) == 1
    shown, share = re.match(r"([\d,]+) of .*, ([\d.]+) %", said[0]).groups()  # type: ignore[union-attr]
    assert int(shown.replace(",", "")) < 1000
    assert 50 <= float(share) < 52


@pytest.mark.parametrize("relevance", [-0.1, 1.5, "most", True, float("nan")])
def test_a_share_is_a_number_from_0_to_1(relevance):
    live = kw.bind(kw.nn.KANLinear(2, 2))
    with pytest.raises(traitlets.TraitError, match="expected a number from 0 to 1, or 'auto', got"):
        kw.NetworkView(live, relevance=relevance)


def test_a_drawing_runs_through_the_network(digits):
    model, live = followed(digits, 2)
    view = kw.NetworkView(live, example=-1)
    view.drawing = digits.test_images[7, 0]
    words = texts_of(view.svg(width=1000))
    with torch.no_grad():
        shares = model(digits.test_images[7:8])[0].exp()
    for share in shares:
        assert f"{100 * float(share):.1f} %" in words
    assert any(
        word.startswith(f"your drawing: predicted {int(shares.argmax())} (") for word in words
    )


def told(view, **content):
    view.stream._handle_custom_msg(content, [])


def test_a_function_becomes_its_form_and_the_score_is_told_before_and_after():
    model = nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    live = kw.bind(model)
    x = torch.rand(200, 2) * 2 - 1
    live.observe(x)

    def score():
        with torch.no_grad():
            return float(model(x).square().mean())

    view = kw.NetworkView(live, evaluate=score)
    before = score()
    place = {"layer": "0", "out": 1, "in": 0, "row": 0, "column": 0}
    told(view, kind="form", **place)
    said = view.stream.edits["said"]
    assert said.startswith("φ is now ")
    [layer] = [one for one in live.read() if one.name == "0"]
    fit = kw.insight.symbolic(layer, live.feed.observed["0"], only=(1, 0)).at((1, 0))[0]
    assert fit.r2 > 0.9999
    after = score()
    assert view.evaluation["before"] == pytest.approx(before, rel=1e-5)
    assert view.evaluation["after"] == pytest.approx(after, rel=1e-5)
    told(view, kind="undo")
    assert score() == pytest.approx(before, rel=1e-5)


def test_a_form_needs_inputs_and_says_so():
    live = kw.bind(model := nn.Sequential(kw.nn.KANLinear(2, 3)))
    view = kw.NetworkView(live)
    told(view, kind="form", **{"layer": "0", "out": 1, "in": 0, "row": 0, "column": 0})
    assert "live.observe(batch)" in view.stream.edits["message"]
    assert model is live.model


def test_examples_of_what_was_observed_run_through_the_network_by_themselves(digits):
    live = kw.bind(model := kw.nn.KANCNN.article())
    live.observe(digits.test_images[:32])
    kw.NetworkView(live)
    assert live.feed.probed.inputs.shape == (8, 1, 28, 28)
    assert torch.equal(torch.from_numpy(live.feed.probed.inputs.copy()), digits.test_images[:8])
    assert model is live.model


class Shifted(nn.Module):
    """What the page cannot compute."""

    def __init__(self):
        super().__init__()
        self.conv = kw.nn.KANConv2d(1, 2, 3)
        self.head = kw.nn.KANLinear(2, 3)

    def forward(self, x):
        return self.head(torch.special.erfcx(self.conv(x)).mean((2, 3)))


def test_a_drawing_that_the_page_cannot_compute_is_run_by_the_model():
    live = kw.bind(model := Shifted())
    live.probe(torch.rand(2, 1, 8, 8))
    view = kw.NetworkView(live)
    image = torch.rand(8, 8)
    view.drawing = image.numpy()
    view._handle_custom_msg({"kind": "run"}, [])
    *_, last = view.drawn["values"]
    span = (last["high"][0] - last["low"][0]) / 255
    size = torch.Size(last["shape"]).numel()
    values = sum(torch.Size(each["shape"]).numel() for each in view.drawn["values"])
    taken = torch.frombuffer(bytearray(view.drawn["data"][:values]), dtype=torch.uint8)[-size:]
    with torch.no_grad():
        wanted = model.eval()(image[None, None])[0]
    assert torch.allclose(last["low"][0] + span * taken.float(), wanted, atol=span)
    view.example = -1
    [total] = [word for word in texts_of(view.svg(width=900)) if word.startswith("Σ = ")]
    read = float(total.removeprefix("Σ = ").replace("−", "-"))
    assert read == pytest.approx(float(wanted.max()), abs=span + 0.01)
