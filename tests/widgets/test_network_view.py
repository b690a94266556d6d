"""NetworkView from Python: its keywords, and that what it says of an example is what torch says."""

from __future__ import annotations

import copy
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw

SVG = "{http://www.w3.org/2000/svg}"


def texts_of(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def total_of(words: list[str]) -> float:
    """Return what all bars add up to, as their heading says it."""
    [total] = [word for word in words if word.endswith(" in all")]
    return float(total.removesuffix(" in all").rsplit(": ", 1)[1].replace("−", "-"))


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
    [found] = [word for word in words if word.startswith("image 3 of 4: ")]
    said = re.fullmatch(r"image 3 of 4: predicted (\d), (correct|not \d)", found)
    assert said is not None
    assert int(said[1]) == best
    assert said[2] == ("correct" if best == label else f"not {label}")
    for share in shares:
        assert f"{100 * float(share):.1f} %" in words
    scores = []
    model.linear.register_forward_hook(lambda _, __, out: scores.append(out[0]))
    with torch.no_grad():
        model(digits.test_images[2:3])
    assert total_of(words) == pytest.approx(float(scores[0][best]), rel=0.01)


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
    strongest = int((parts * parts.sum().sign()).argmax())
    own = functions[best].diagonal()[25 * strongest : 25 * strongest + 25]
    entry = int((own * own.sum().sign()).argmax())
    words = texts_of(kw.NetworkView(live).svg(width=width))
    # It is a plot, with the example on it.
    said = re.findall(r"φ\((−?[\d.]+)\) = (−?[\d.]+)", "\n".join(words))
    [(x, value)] = said
    assert float(value.replace("−", "-")) == pytest.approx(float(own[entry]), rel=0.06)
    there = float(given[25 * strongest + entry])
    assert float(x.replace("−", "-")) == pytest.approx(there, rel=0.06)
    assert f"linear · map {strongest} to output {best}" in words


def test_in_a_narrow_page_the_strongest_maps_have_bars_and_the_others_one_together(digits):
    _model, live = followed(digits, 1)
    words = texts_of(kw.NetworkView(live).svg(width=484))
    [more] = [int(found[1]) for word in words if (found := re.match(r"(\d+) others", word))]
    start = next(k for k, word in enumerate(words) if word.endswith(" in all"))
    below = words[start:]
    names = [word for word in below if word.isdigit() and int(word) < 25]
    assert len(names) + more == 25
    assert len(names) >= 8


@pytest.mark.parametrize("width", [884, 1400])
def test_every_map_has_a_bar_and_with_the_numbers_over_them_they_make_the_score(digits, width):
    _model, live = followed(digits, 1)  # kept: a binding lives no longer than its model
    words = texts_of(kw.NetworkView(live).svg(width=width))
    start = next(k for k, word in enumerate(words) if word.startswith("What each"))
    end = next(k for k, word in enumerate(words) if "φ(" in word)
    below = words[start + 1 : end]
    assert {str(k) for k in range(25)} <= set(below)
    assert not any(" others" in word for word in below)
    if width == 1400:  # each bar has room for its number
        parts = [float(w.replace("−", "-")) for w in below if re.fullmatch(r"−?\d*\.\d+", w)]
        assert len(parts) > 15  # over a bar of 0.00 there is none
        assert sum(parts) == pytest.approx(total_of(words), abs=25 * 0.005)


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
    for word in ("3 numbers", "4 outputs", "2 outputs"):
        assert any(text.startswith(word) for text in words)
    assert any(word.startswith("waiting for the first batch") for word in words)


def test_links_that_are_not_drawn_are_counted():
    torch.manual_seed(0)
    live = kw.bind(nn.Sequential(kw.nn.KANLinear(40, 50), kw.nn.KANLinear(50, 2)))
    words = texts_of(kw.NetworkView(live, height=1200).svg(width=1000, max_height=1300))
    assert "the strongest 900 of 2,100 links" in words


def test_a_small_network_has_what_each_function_adds_under_it():
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(3, 1), kw.nn.KANLinear(1, 1))
    live = kw.bind(model)
    x = torch.rand(4, 3)
    live.probe(x)
    view = kw.NetworkView(live)
    words = texts_of(view.svg(width=900))
    with torch.no_grad():
        functions = kw.functions.read(model)[0].evaluate(x[0])
        added = [float(functions[0, i, i]) for i in range(3)]
        sums = [float(model[0](x[:1])), float(model(x[:1]))]
    numbers = [float(word.replace("−", "-")) for word in words if re.fullmatch(r"−?\d\.\d+", word)]
    for value in [*added, *sums]:
        assert any(value == pytest.approx(number, abs=0.006) for number in numbers)
    [said] = [word for word in words if word.startswith("example 1 of 4: output ")]
    assert float(said.split()[-1].replace("−", "-")) == pytest.approx(sums[1], abs=0.006)


def test_a_drawing_runs_through_the_network(digits):
    model, live = followed(digits, 2)
    view = kw.NetworkView(live, example=-1)
    view.drawing = digits.test_images[7, 0]
    words = texts_of(view.svg(width=1000))
    with torch.no_grad():
        shares = model(digits.test_images[7:8])[0].exp()
    for share in shares:
        assert f"{100 * float(share):.1f} %" in words
    assert f"your drawing: predicted {int(shares.argmax())}" in words


def told(view, **content):
    view.stream._handle_custom_msg(content, [])


def test_a_function_becomes_its_form_and_what_it_was_again():
    model = nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    live = kw.bind(model)
    x = torch.rand(200, 2) * 2 - 1
    live.observe(x)

    def score():
        with torch.no_grad():
            return float(model(x).square().mean())

    view = kw.NetworkView(live)
    before = score()
    place = {"layer": "0", "out": 1, "in": 0, "row": 0, "column": 0}
    told(view, kind="form", **place)
    said = view.stream.edits["said"]
    assert said.startswith("φ is now ")
    [layer] = [one for one in live.read() if one.name == "0"]
    fit = kw.insight.symbolic(layer, live.feed.observed["0"], only=(1, 0)).at((1, 0))[0]
    assert fit.r2 > 0.9999
    assert score() != pytest.approx(before, rel=1e-5)
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


class Begun:
    """A network that is bound, and trains."""

    def __init__(self) -> None:
        self.model = kw.nn.KANCNN.article()
        self.optimizer = torch.optim.AdamW(self.model.parameters())
        self.live = kw.bind(self.model, self.optimizer, every=1)

    def train(self, batches) -> None:
        for images, labels in batches:
            self.optimizer.zero_grad()
            nn.functional.nll_loss(self.model(images), labels).backward()
            self.optimizer.step()


@pytest.mark.parametrize("tracked", [False, True])
def test_the_first_batch_runs_through_the_network_with_the_labels_that_a_loop_has(digits, tracked):
    begun = Begun()
    live = begun.live
    view = kw.NetworkView(live)
    batches = [(digits.test_images[:32], digits.test_labels[:32])]
    begun.train(live.track(batches) if tracked else batches)
    probed = live.feed.probed
    assert torch.equal(torch.from_numpy(probed.inputs.copy()), digits.test_images[:8])
    assert probed.labels == (tuple(digits.test_labels[:8].tolist()) if tracked else None)
    assert live.feed.activations[-1].step == 1
    # The axes are those of all it saw, not of the few that are shown.
    assert {seen.samples for seen in live.feed.observed.values()} == {32}
    assert "waits" not in texts_of(view.svg(width=900))


def test_a_view_that_comes_after_the_first_batch_shows_it_too(digits):
    begun = Begun()
    live = begun.live
    begun.train(live.track([(digits.test_images[:32], digits.test_labels[:32])]))
    assert live.feed.probed is None
    kw.NetworkView(live)
    assert live.feed.probed.labels == tuple(digits.test_labels[:8].tolist())


def test_examples_that_were_given_or_declined_are_not_replaced_by_the_first_batch(digits):
    for images in (digits.test_images[40:43], None):
        begun = Begun()
        live = begun.live
        kw.NetworkView(live)
        live.probe(images)
        begun.train([(digits.test_images[:32], digits.test_labels[:32])])
        probed = live.feed.probed
        assert (probed is None) if images is None else len(probed.inputs) == 3


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
    words = texts_of(view.svg(width=900))
    said = words[words.index(str(int(wanted.argmax()))) + 1]
    read = float(said.replace("−", "-"))
    assert read == pytest.approx(float(wanted.max()), abs=span + 0.01)


def test_links_of_an_ensemble_are_in_so_many_networks_as_are_planted():
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    with torch.no_grad():
        for layer in model:
            layer.spline_weight.normal_()
    networks = [copy.deepcopy(model) for _ in range(4)]

    def weaken(number, layer, place, share):
        with torch.no_grad():
            for weight in networks[number][layer].parameters():
                weight[place] *= share

    for number in (0, 1, 2):
        weaken(number, 0, (1, 0), 0.0)
    weaken(2, 1, (0, 2), 0.0)
    weaken(3, 1, (0, 0), 0.2)  # small, but no less than a twentieth of the largest
    with torch.no_grad():  # in another order
        first, second = networks[1]
        for weight in first.parameters():
            weight.copy_(weight.clone()[[2, 0, 1]])
        for weight in second.parameters():
            weight.copy_(weight.clone()[:, [2, 0, 1]])
    found = kw.ensemble(networks)
    assert found.typical != 1
    view = kw.NetworkView(found)
    sent = view.stream.ensemble
    assert sent["count"] == 4
    alive = [np.frombuffer(sent["layers"][name]["alive"], "<f4").tolist() for name in ("0", "1")]
    assert alive == [[4, 4, 1, 4, 4, 4], [4, 4, 3]]
    assert found.alive("0").shape == (3, 2, 1)
    assert "links: bolder in more of 4 networks" in texts_of(view.svg(width=900))
    alone = kw.NetworkView(networks[0])
    assert alone.stream.ensemble == {}
    assert not any("networks" in text for text in texts_of(alone.svg(width=900)))


def test_a_circuit_s_paths_are_walked_one_at_a_time_with_their_shares():
    torch.manual_seed(0)
    model = kw.nn.KANCNN(channels=(3, 4), image_size=8, num_classes=3)
    images, labels = torch.rand(24, 1, 8, 8), torch.arange(24) % 3
    found = kw.insight.circuits(model, images, labels, paths=2, points=2)
    view = kw.NetworkView(model, path=4)
    view.walk(found)
    path = found.paths[4]
    assert view.paths[4]["units"] == {
        "convs.0": path.function[1],
        "convs.1": path.channels[0],
        "linear": path.channels[1],
    }
    share, _ = found.in_print(path)
    for number, words in ((4, f"path 5 of 6, to class 2: {share} of its score's change"), (-1, "")):
        view.path = number
        said = [text for text in texts_of(view.svg(width=1000)) if text.startswith("path ")]
        assert said == [words] * bool(words)
