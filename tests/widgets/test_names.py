"""Names of classes, features and channels: given once to ``bind``, said wherever they are."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.widgets import stream_of

CLASSES = ["cat", "dog", "emu"]
CHANNELS = ["edges", "blobs"]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(kw.nn.KANConv2d(1, 2, 3), nn.Flatten(), kw.nn.KANLinear(72, 3))


def named(model: nn.Module, **options: Any) -> Any:
    return kw.bind(model, class_names=CLASSES, channel_names={"0": CHANNELS}, **options)


@pytest.fixture
def live() -> Iterator[Any]:
    model = network()
    yield named(model)
    del model


def words(svg: str) -> str:
    return " | ".join(re.findall(r"<(?:text|title|desc)[^>]*>([^<]*)<", svg))


IMAGE = torch.linspace(-1, 1, 64).reshape(1, 8, 8)
# What a picture of each view says of its classes, and of its channels.


def of_first(live: Any, layer: str) -> Any:
    """An inspector of a layer's first function."""
    live.select(layer, 0, 0, 0, 0)
    return kw.SplineInspector(live, layer)


SAID: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "rows of KernelGrid": (lambda live: kw.KernelGrid(live, "2"), CLASSES),
    "kernels of KernelGrid": (lambda live: kw.KernelGrid(live, "0"), CHANNELS),
    "SplineInspector": (lambda live: of_first(live, "2"), ["cat · input 0"]),
    "a ramp": (lambda live: kw.MeshgridView(live, "0", mode="ramp"), CHANNELS),
    "Explain": (lambda live: kw.Explain(live, IMAGE, 2), [*CLASSES, *CHANNELS, "Class emu scores"]),
    "NetworkView": (kw.NetworkView, CLASSES),
    "Compare": (lambda live: kw.Compare({"one": live}), CHANNELS),
}


@pytest.mark.parametrize("view", SAID)
def test_a_picture_says_them(live: Any, view: str) -> None:
    make, expected = SAID[view]
    model = live.model
    if view == "NetworkView":
        live.probe(IMAGE[None], labels=[0])
        scores = model(IMAGE[None])[0]
        verdict = f"image 1 of 1: predicted {CLASSES[int(scores.argmax())]}"
        expected = [*expected, verdict, f"{scores.max():.3f}"]
    # The classes of Explain have bars where one layer is shown.
    pictures = [{}, {"layer": "2"}] if view == "Explain" else [{}]
    svgs = [make(live).svg(width=1000, max_height=4000, **options) for options in pictures]
    said = words("".join(svgs))
    assert [word for word in expected if word not in said] == [], said


def test_the_response_and_the_pair_say_them() -> None:
    live = kw.bind(model := kw.nn.KANConv2d(1, 2, 3), class_names=CHANNELS)
    response = kw.MeshgridView(live, mode="response", sample=3)
    assert all(name in words(response.svg(width=1000)) for name in CHANNELS)
    response.selection = {"layer": live.layers[0], "out": 1}
    assert "blobs" in words(response.svg(width=1000, mode="pair"))
    assert live.model is model


FEATURES = ["age", "income", "distance"]


@pytest.fixture
def table() -> Iterator[Any]:
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(3, 4), kw.nn.KANLinear(4, 3))
    yield kw.bind(model, class_names=CLASSES, feature_names=FEATURES)
    del model


# What a picture of each view says of a table's columns.
OF_INPUTS: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "columns of KernelGrid": (lambda live: kw.KernelGrid(live, "0"), FEATURES),
    "SplineInspector": (lambda live: of_first(live, "0"), ["output 0 · age"]),
    "a ramp": (lambda live: kw.MeshgridView(live, "0", mode="ramp"), FEATURES),
    "a pair": (lambda live: kw.MeshgridView(live, "0", mode="pair"), ["x: distance", "y: income"]),
    "Compare": (lambda live: kw.Compare({"one": live}), FEATURES),
    "NetworkView": (kw.NetworkView, FEATURES),
}


@pytest.mark.parametrize("view", OF_INPUTS)
def test_a_picture_says_the_names_of_inputs(table: Any, view: str) -> None:
    make, expected = OF_INPUTS[view]
    whole = ("Compare", "NetworkView", "SplineInspector")
    options = {} if view in whole else {"layer": "0"}
    said = words(make(table).svg(width=1000, **options))
    assert [word for word in expected if word not in said] == [], said
    assert "input 0" not in said


def test_an_explanation_names_what_adds_to_a_score() -> None:
    live = kw.bind(model := kw.nn.KANLinear(3, 3), feature_names=FEATURES)
    said = words(kw.Explain(live, torch.tensor([0.5, -0.5, 0.2]), 2).svg(width=1000))
    assert [word for word in FEATURES if word not in said] == [], said
    assert live.model is model


def test_an_input_channel_has_its_name_in_place_of_its_number() -> None:
    live = kw.bind(model := kw.nn.KANConv2d(3, 2, 3), feature_names=["red", "green", "blue"])
    assert "output 0 · red · row 0, column 0" in words(of_first(live, live.layers[0]).svg())
    assert "red" in words(kw.KernelGrid(live).svg(width=1000))
    assert live.model is model


def test_the_names_of_inputs_cross_to_the_page_and_stay_in_a_recording(
    table: Any, tmp_path: pathlib.Path
) -> None:
    layers = stream_of(table).layouts[0]["layers"]
    assert [layer.get("input_names") for layer in layers] == [FEATURES, None]
    run = kw.replay(table.save(tmp_path / "run.npz"))
    assert [layer.input_names for layer in run.feed.layout.layers] == [tuple(FEATURES), ()]
    assert "income" in words(kw.KernelGrid(run, "0").svg())


def test_without_names_outputs_have_their_numbers() -> None:
    live = kw.bind(model := network())
    assert "output 0 · input 0" in words(of_first(live, "2").svg())
    assert all("names" not in layer for layer in stream_of(live).layouts[0]["layers"])
    assert live.model is model


def test_they_cross_to_the_page_with_the_layout(live: Any) -> None:
    layers = stream_of(live).layouts[0]["layers"]
    assert [layer.get("names") for layer in layers] == [CHANNELS, CLASSES]


def test_a_recording_keeps_them(live: Any, tmp_path: pathlib.Path) -> None:
    run = kw.replay(live.save(tmp_path / "run.npz"))
    assert [layer.names for layer in run.feed.layout.layers] == [tuple(CHANNELS), tuple(CLASSES)]
    assert "dog" in words(kw.KernelGrid(run, "2").svg())


def test_a_saved_page_has_them(live: Any, tmp_path: pathlib.Path) -> None:
    page = kw.KernelGrid(live).save_html(tmp_path / "page.html").read_text()
    assert all(name in page for name in (*CLASSES, *CHANNELS))


def test_names_given_later_keep_history_and_steps() -> None:
    optimizer = torch.optim.SGD((model := network()).parameters(), 0.1)
    before = kw.bind(model, optimizer, every=1)
    for _ in range(3):
        model(IMAGE[None]).sum().backward()
        optimizer.step()
    again = named(model, optimizer=optimizer, every=1)
    assert again.stats.steps == before.stats.steps == 3
    assert again.history[0].step == 0
    assert again.feed.layout.layer("2").names == tuple(CLASSES)
    assert named(model, optimizer=optimizer).feed.layout is again.feed.layout


def test_names_set_on_a_binding_are_in_its_views_and_recordings(tmp_path: pathlib.Path) -> None:
    live = kw.bind(model := network())
    grid = kw.KernelGrid(live, "2")
    assert "cat" not in words(grid.svg())
    live.class_names, live.channel_names = CLASSES, {"0": CHANNELS}
    assert all(name in words(grid.svg()) for name in CLASSES)
    assert (live.class_names, live.channel_names) == (CLASSES, {"0": CHANNELS})
    run = kw.replay(live.save(tmp_path / "run.npz"))
    assert [layer.names for layer in run.feed.layout.layers] == [tuple(CHANNELS), tuple(CLASSES)]
    live.class_names = None
    assert "cat" not in words(grid.svg())
    assert live.feed.layout.layer("0").names == tuple(CHANNELS)
    assert live.model is model


def test_names_set_while_it_trains_change_no_weight() -> None:
    def trained(named: bool) -> nn.Module:
        optimizer = torch.optim.SGD((model := network()).parameters(), 0.1)
        live = kw.bind(model, optimizer, every=1)
        for step in range(4):
            if named and step == 2:
                live.class_names = CLASSES
            optimizer.zero_grad()
            model(IMAGE[None]).sum().backward()
            optimizer.step()
        assert live.feed.layout.layer("2").names == (tuple(CLASSES) if named else ())
        assert live.stats.steps == 4
        return model

    pairs = zip(trained(True).parameters(), trained(False).parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_names_that_do_not_fit_are_refused_when_set_and_the_others_stay() -> None:
    live = named(model := network())
    with pytest.raises(ValueError, match="class_names: 2 names, but layer '2' has 3"):
        live.class_names = ["a", "b"]
    with pytest.raises(TypeError, match="class_names=3: expected a list of names"):
        live.class_names = 3
    assert live.class_names == CLASSES
    assert live.feed.layout.layer("2").names == tuple(CLASSES)
    assert live.model is model


def test_the_last_layer_is_that_of_the_modules() -> None:
    model = nn.Sequential(kw.nn.KANLinear(4, 2), nn.Linear(2, 3))
    live = kw.bind(model, class_names=CLASSES)
    assert live.feed.layout.layer("1").names == tuple(CLASSES)
    assert live.feed.layout.layer("0").names == ()


@pytest.mark.parametrize(
    ("names", "error", "said"),
    [
        ({"class_names": ["a", "b"]}, ValueError, "class_names: 2 names, but layer '2' has 3"),
        ({"class_names": "abc"}, TypeError, "class_names='abc': expected a list of names"),
        ({"class_names": [1, 2, 3]}, TypeError, "class_names=.*expected a list of names"),
        ({"channel_names": ["a"]}, TypeError, "expected names by the layer, such as {'0': "),
        (
            {"channel_names": {"conv": ["a"]}},
            ValueError,
            "no layer 'conv'; the layers are '0',",
        ),
        ({"feature_names": ["a", "b"]}, ValueError, "feature_names: 2 names, .*'0' has 1 inputs"),
        ({"feature_names": "a"}, TypeError, "feature_names='a': .* one for each input"),
        ({"channel_names": {"0": ["a"]}}, ValueError, r"channel_names\['0'\]: 1 names, but .* 2"),
        (
            {"class_names": CLASSES, "channel_names": {"2": CLASSES}},
            ValueError,
            "channel_names names the outputs of '2' already",
        ),
    ],
)
def test_names_that_do_not_fit_are_refused_and_nothing_is_bound(
    names: dict[str, Any], error: type[Exception], said: str
) -> None:
    before = kw.bind(model := network())
    with pytest.raises(error, match=said):
        kw.bind(model, **names)
    assert before.state == "idle"
    assert before.model is model
