"""MeshgridView from Python: what it takes, refuses, draws and computes."""

from __future__ import annotations

import base64
import io
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import traitlets
from numpy.typing import NDArray
from PIL import Image
from torch import nn

import kan_widgets as kw
from kan_widgets.widgets.meshgrid_view import MeshgridView, default_digits
from tests.palette import ARM, palette

# Of which a power of ten makes the ends of a scale.
ROUND = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)


POINTS = 64  # of a ramp


def nice_ceil(m: float) -> float:
    """Return the smallest round number that is not below m."""
    return min(r * 10.0**k for k in range(-9, 9) for r in ROUND if r * 10.0**k >= m)


# A binding does not keep its model: somebody must.
models: list[nn.Module] = []


def bind(model: nn.Module) -> kw.Binding:
    models.append(model)
    return kw.bind(model)


@pytest.fixture
def live() -> kw.Binding:
    torch.manual_seed(0)
    return bind(kw.nn.KANCNN.article())


def test_it_shows_the_ramp_of_the_first_layer_over_its_grid(live):
    view = MeshgridView(live)
    assert (view.layer, view.mode, view.limits) == (live.layers[0], "auto", "grid")
    assert MeshgridView(live, 1, mode="pair").layer == live.layers[1]
    first = words(view.svg())
    assert any(each.startswith("Each tile is one function") for each in first)
    assert any(each.endswith("x from −1 to 1.") for each in first)
    # The axis under the first kernel, and the ends of the colours.
    assert first[-6:] == ["x: −1 … 1", "−0.25", "0", "+0.25", "φ below 0", "φ above 0"]
    other = words(view.svg(limits=(-2, 2)))
    assert any(each.endswith("x from −2 to 2.") for each in other)


def mode_drawn(view: MeshgridView, **options: Any) -> str:
    said = " ".join(words(view.svg(**options)))
    leads = {"Each tile": "ramp", "Two inputs add": "pair", "makes of": "response"}
    [mode] = [mode for lead, mode in leads.items() if lead in said]
    return mode


def test_it_shows_the_response_as_soon_as_an_image_is_known(live):
    view, chosen = MeshgridView(live), MeshgridView(live, mode="pair")
    dashboard = kw.Dashboard(live)
    layers = live.layers
    assert [mode_drawn(view, layer=layer) for layer in layers] == ["ramp"] * 3
    live.observe(torch.rand(4, 1, 28, 28))
    for each in (view, dashboard.meshgrid):
        drawn = [mode_drawn(each, layer=layer) for layer in layers]
        assert drawn == ["response", "response", "ramp"]
    assert mode_drawn(chosen) == "pair"
    alone, images = kw.nn.KANConv2d(1, 2, 3), torch.rand(2, 9, 9)
    view = MeshgridView(bind(alone))
    assert mode_drawn(view) == "ramp"
    view.images = images
    assert mode_drawn(view) == "response"
    # Whether a layer within a model gets the images given is not known.
    within = bind(kw.nn.KANCNN.article())
    assert mode_drawn(MeshgridView(within, images=images)) == "ramp"


def test_a_pair_goes_over_the_inputs_seen():
    live = bind(kw.nn.KANConv2d(1, 2, 3))
    before = words(MeshgridView(live, mode="pair").svg(width=900))
    assert {"−1.0", "1.0"} <= set(before)
    live.observe(3 + torch.rand(4, 1, 12, 12))
    ticks = words(MeshgridView(live, mode="pair").svg(width=900))
    assert {"3.2", "3.8"} <= set(ticks)
    assert not {"−1.0", "0.0", "1.0"} & set(ticks)


def test_an_unknown_keyword_names_the_nearest(live):
    with pytest.raises(TypeError, match=r"no keyword 'limts'. Did you mean 'limits'"):
        MeshgridView(live, limts=(-2, 2))
    with pytest.raises(TypeError, match="no keyword 'drawing'"):
        MeshgridView(live, drawing=None)
    with pytest.raises(ValueError, match=r"the layers are 'convs\.0'"):
        MeshgridView(live, layer="nowhere")
    with pytest.raises(
        traitlets.TraitError, match=r"mode='pairs': expected one of .*Did you mean 'pair'"
    ):
        MeshgridView(live, mode="pairs")


@pytest.mark.parametrize("limits", [(2, -2), (0, 0), (0, np.inf), (1, 2, 3), "ab", 3, None])
def test_wrong_limits_are_refused_with_what_is_taken(live, limits):
    with pytest.raises(traitlets.TraitError, match="two finite numbers"):
        MeshgridView(live, limits=limits)


@pytest.mark.parametrize("option", [{"other": -2}, {"sample": -1}, {"output": -2}])
def test_numbers_out_of_range_are_refused(live, option):
    with pytest.raises(traitlets.TraitError):
        MeshgridView(live, **option)


def test_the_default_images_are_one_digit_of_each_class_in_order(live):
    view = MeshgridView(live)
    assert view.images.shape == (10, 1, 28, 28)
    assert (view.images.min(), view.images.max()) == (-1.0, 1.0)
    digits = kw.data.mnist("embedded")
    for digit, image in enumerate(default_digits()):
        known = digits.test_images[digits.test_labels == digit].numpy()
        assert (known == image).all(axis=(1, 2, 3)).any()


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 5, 6)),
        np.zeros((2, 3, 5, 6), np.uint8),
        torch.zeros(2, 1, 5, 6, dtype=torch.float64, requires_grad=True),
        [[[0, 1], [1, 0]]],
    ],
)
def test_images_may_come_from_anywhere_and_go_out_as_float32_bytes(live, images):
    view = MeshgridView(live, images=images)
    sent = view.get_state("images")["images"]
    given = torch.as_tensor(images).float()
    shape = [*given.shape[:1], *([1] if given.ndim == 3 else []), *given.shape[1:]]
    assert sent["shape"] == shape
    assert np.array_equal(np.frombuffer(sent["data"], "<f4"), given.detach().numpy().ravel())


def test_images_are_copied(live):
    images = np.zeros((1, 4, 4), np.float32)
    view = MeshgridView(live, images=images)
    images[:] = 7
    assert view.images.max() == 0


def test_images_of_another_shape_or_kind_are_refused(live):
    with pytest.raises(ValueError, match=r"images of shape \(28, 28\): expected .*image\[None\]"):
        MeshgridView(live, images=np.zeros((28, 28)))
    with pytest.raises(TypeError, match="expected an array or tensor of numbers"):
        MeshgridView(live, images="digits")
    with pytest.raises(ValueError, match="give fewer images"):
        MeshgridView(live, images=np.zeros((500, 100, 100), np.float32))
    view = MeshgridView(live)
    with pytest.raises(ValueError, match="expected"):
        view.images = np.zeros((0, 3, 3))
    assert len(view.images) == 10


def test_a_drawing_made_in_the_browser_is_an_array(live):
    view = MeshgridView(live)
    assert view.drawing is None
    drawn = np.arange(12, dtype="<f4").reshape(3, 4)
    view.set_state({"drawing": {"shape": [1, 1, 3, 4], "data": memoryview(drawn.tobytes())}})
    assert np.array_equal(view.drawing, drawn)
    view.image(mode="response", input="drawn")


# ------------------------------------------------------------------ numbers


def pictures(svg: str) -> list[tuple[dict[str, str], NDArray[np.int64]]]:
    """Return the images in an SVG: where they are, and their pixels."""
    found = []
    for image in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}image"):
        content = base64.b64decode(image.attrib["href"].partition(",")[2])
        with Image.open(io.BytesIO(content)) as opened:
            found.append((image.attrib, np.asarray(opened.convert("RGB")).astype(np.int64)))
    return found


def words(svg: str) -> list[str]:
    texts = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(text.itertext()) for text in texts]


def values_of(colours: NDArray[np.int64], most: float) -> NDArray[np.float64]:
    """Return what colours of the light palette stand for."""
    known = palette("light")
    distance = np.abs(colours[..., None, :] - known).sum(axis=-1)
    assert distance.min(axis=-1).max() <= 3
    return (distance.argmin(axis=-1) - ARM) / ARM * most


def pixels_of(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return what so many pixels show of a ramp: straight lines between its values."""
    middles = (np.arange(POINTS) + 0.5) / POINTS
    return np.interp((np.arange(width) + 0.5) / width, middles, values)


def test_the_ramp_of_the_picture_is_phi_and_rises_from_left_to_right():
    layer = nn.Conv2d(1, 1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1.0)  # φ(x) = x
    view = MeshgridView(bind(layer), limits=(-2, 2))
    (_, tile), _ = pictures(view.svg(width=400))  # and the key of colours
    found = values_of(tile, 2.0)
    assert found.shape[0] == 1
    assert found.shape[1] > 400
    expected = pixels_of(np.linspace(-2, 2, POINTS), found.shape[1])
    assert np.abs(found[0] - expected).max() < 1.5 * 2 / ARM


def test_phi_beyond_the_table_is_its_base_alone():
    torch.manual_seed(0)
    layer = kw.nn.KANLinear(2, 3, grid_range=(0.0, 1.0))
    view = MeshgridView(bind(layer), limits=(-6, 6))
    x = torch.linspace(-6, 6, POINTS, dtype=torch.float64)
    known = kw.functions.read(layer)[0].evaluate(x).reshape(6, POINTS).numpy()
    found = np.stack([tile[0] for _, tile in pictures(view.svg(width=900))[:6]])
    most = nice_ceil(float(np.abs(known).max()))
    expected = np.stack([pixels_of(values, found.shape[1]) for values in known])
    assert np.abs(values_of(found, most) - expected).max() < 1.5 * most / ARM


SETTINGS: list[dict[str, Any]] = [
    {},
    {"stride": (2, 1), "padding": (1, 2)},
    {"padding": 2, "padding_mode": "reflect", "dilation": (1, 2)},
    {"padding": (3, 1), "padding_mode": "replicate"},
    {"padding": (1, 3), "padding_mode": "circular", "groups": 2},
    {"padding": 1, "groups": 4},
]


def maps_of(view: MeshgridView, expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the responses that a picture shows, by their colours."""
    maps = [tile for _, tile in pictures(view.svg()) if tile.shape[:2] == expected.shape[1:]]
    most = nice_ceil(float(np.abs(expected).max()))
    return values_of(np.stack(maps[-len(expected) :]), most)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("kind", [kw.nn.KANConv2d, nn.Conv2d])
def test_the_response_of_the_picture_is_the_layers_output_without_bias(kind, settings):
    torch.manual_seed(1)
    layer = kind(4, 8, (3, 2), **settings)
    if isinstance(layer, nn.Conv2d):
        nn.init.zeros_(layer.bias)
    image = 2 * torch.rand(1, 4, 9, 8) - 1
    view = MeshgridView(bind(layer), mode="response", images=image)
    expected = layer(image)[0].detach().numpy().astype(float)
    found = maps_of(view, expected)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1.5 * nice_ceil(float(np.abs(expected).max())) / ARM


def test_shared_kernels_go_over_each_channel():
    torch.manual_seed(1)
    layer = kw.nn.SharedKANConv2d(3, 3, padding=1)
    image = 2 * torch.rand(1, 2, 7, 6) - 1
    view = MeshgridView(bind(layer), mode="response", images=image)
    expected = layer(image)[0].detach().numpy().astype(float)
    found = maps_of(view, expected)
    assert np.abs(found - expected).max() < 1.5 * nice_ceil(float(np.abs(expected).max())) / ARM


# ------------------------------------------------------------------ picture


@pytest.mark.parametrize("mode", ["ramp", "pair", "response"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_mode_has_a_small_picture(live, tmp_path, mode, theme):
    view = MeshgridView(live, mode=mode)
    path = view.to_png(tmp_path / "view.png", theme=theme)
    assert path.stat().st_size < 80_000
    with Image.open(path) as image:
        assert image.width == 1800
        corner = sum(image.convert("RGB").getpixel((1, 1)))
        assert corner < 200 if theme == "dark" else corner > 600


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_where_the_response_is_zero_the_file_has_the_palettes_middle(tmp_path, theme):
    layer = kw.nn.KANConv2d(1, 1, 3)
    with torch.no_grad():
        layer.base_weight.zero_()
        layer.spline_weight.fill_(0)
        layer.spline_weight[..., 3:5] = 1.0  # nothing but a bump around 0
    view = MeshgridView(bind(layer), mode="response", sample=0)
    exact = np.asarray(view.image(theme=theme)).astype(int)
    with Image.open(view.to_png(tmp_path / "view.png", theme=theme)) as image:
        there = np.asarray(image.convert("RGB")).astype(int)
    zero = (exact == np.rint(palette(theme)[ARM])).all(axis=-1)
    assert zero.sum() > 10_000
    assert np.abs(there - exact)[zero].max() <= 3


def test_the_ramp_of_the_picture_has_the_colours_of_phi():
    layer = nn.Conv2d(1, 1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1.0)  # φ(x) = x: from −2 to 2 the whole palette
    view = MeshgridView(bind(layer))
    image = np.asarray(view.image(width=300, pixel_ratio=1).convert("RGB"))
    blue, brown = np.rint(palette("light")[[0, -1]])
    found = [np.argwhere((image == colour).all(axis=-1)) for colour in (blue, brown)]
    assert all(len(places) > 20 for places in found)
    rows = [places[places[:, 0] > 60][:, 1] for places in found]
    assert rows[0].max() < rows[1].min()


def test_a_picture_says_why_there_is_no_response(live):
    view = MeshgridView(live, mode="response")
    said = " ".join(words(view.svg(layer="linear")))
    assert "is a linear layer: its inputs have no positions" in said
    for layer in ("convs.0", "convs.1"):
        said = " ".join(words(view.svg(layer=layer)))
        assert f"Whether {layer} gets the image itself or" in said
        assert "live.observe(batch)" in said
    live.observe(torch.rand(2, 1, 28, 28))
    for layer in ("convs.0", "convs.1"):
        assert any(text.startswith("response from") for text in words(view.svg(layer=layer)))


def test_an_image_is_shown_to_no_layer_that_may_get_something_else():
    model = nn.Sequential(nn.BatchNorm2d(1), kw.nn.KANConv2d(1, 2, 3))
    model[0].running_mean.fill_(5.0)
    live = bind(model.eval())
    view = MeshgridView(live, mode="response")
    svg = view.svg()
    assert pictures(svg) == []
    assert "live.observe(batch)" in " ".join(words(svg))
    batch = torch.rand(3, 1, 28, 28)
    live.observe(batch)
    with torch.no_grad():
        expected = model[0](batch)[0, 0].numpy()
    low, high = expected.min(), expected.max()
    _, found = pictures(view.svg())[0]
    assert np.abs(found[..., 0] - 255 * (expected - low) / (high - low)).max() <= 1


def test_the_image_is_shown_to_a_layer_that_is_the_model():
    view = MeshgridView(bind(kw.nn.KANConv2d(1, 2, 3)), mode="response", sample=3)
    _, found = pictures(view.svg())[0]
    assert np.abs(found[..., 0] - 255 * (view.images[3, 0] + 1) / 2).max() <= 1


def test_a_drawing_is_what_the_picture_responds_to():
    view = MeshgridView(bind(kw.nn.KANConv2d(1, 2, 3)), mode="response", input="drawn")
    drawn = np.full((28, 28), -1, "<f4")
    drawn[4:9, 6:20] = 1
    view.set_state({"drawing": {"shape": [1, 1, 28, 28], "data": memoryview(drawn.tobytes())}})
    _, found = pictures(view.svg())[0]
    assert ((found[..., 0] == 255) == (drawn == 1)).all()


def test_no_word_and_no_map_leaves_the_picture(live):
    live.observe(torch.rand(12, 1, 28, 28))
    view = MeshgridView(live)
    for mode in ("ramp", "pair", "response"):
        for width in (330, 600, 1000, 1600):
            svg = view.svg(mode=mode, width=width, max_height=4000, layer="convs.1")
            root = ElementTree.fromstring(svg)
            height = float(root.attrib["height"])
            assert float(root.attrib["width"]) >= width
            for text in root.iter("{http://www.w3.org/2000/svg}text"):
                assert 0 <= float(text.attrib["x"]) <= width, (mode, width, text.text)
                assert 0 <= float(text.attrib["y"]) <= height, (mode, width, text.text)
            for place, _ in pictures(svg):
                if mode == "response":
                    right = float(place["x"]) + float(place["width"])
                    assert right <= width, (mode, width)


def test_a_function_that_is_not_finite_does_not_spoil_the_picture(live):
    view = MeshgridView(live)
    with torch.no_grad():
        live.model.convs[0].base_weight[0, 0, 0, 0] = float("nan")
    live.refresh()
    for mode in ("ramp", "pair", "response"):
        view.image(mode=mode, width=400)


def test_a_picture_goes_out_beside_the_live_view_and_takes_options(live, tmp_path):
    view = MeshgridView(live)
    bundle, _ = view._repr_mimebundle_()
    with Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))) as image:
        assert image.format == "PNG"
    with pytest.raises(TypeError, match="Did you mean 'theme'"):
        view.to_png(tmp_path / "other.png", them="dark")
    with pytest.raises(ValueError, match="the layers are"):
        view.image(layer="x")
    with pytest.raises(traitlets.TraitError):
        view.image(sample=-1)
    with pytest.raises(ValueError, match="pixel_ratio"):
        view.image(pixel_ratio=90)


def test_the_picture_shows_the_present_state_and_the_pair_that_is_selected(live):
    view = MeshgridView(live, mode="pair")
    first = view.image(width=400).tobytes()
    live.select("convs.0", 3, 0, 2, 2)
    second = view.image(width=400).tobytes()
    other = view.image(width=400, other=1).tobytes()
    assert len({first, second, other}) == 3
    again = kw.bind(live.model, layers=["linear"])
    assert view.live is again
    view.image(width=400)


def test_a_dense_layer_behind_maps_is_drawn_as_maps_without_a_word_of_responses() -> None:
    model = kw.nn.KANCNN.article()
    live = kw.bind(model)
    mesh = MeshgridView(live, layer="linear")
    assert "input 0" in words(mesh.svg(width=1000))
    live.observe(torch.rand(2, 1, 28, 28))
    texts = words(mesh.svg(width=1000))
    assert "map 0" in texts
    assert not any("no response" in each for each in texts)


def test_the_examples_that_are_followed_are_the_images_by_default():
    model = kw.nn.KANCNN.article()
    live = kw.bind(model)
    images = torch.rand(3, 1, 28, 28)
    live.probe(images)
    assert np.array_equal(kw.MeshgridView(live).images, images.numpy())
    assert len(kw.MeshgridView(live, images=images[:2]).images) == 2
