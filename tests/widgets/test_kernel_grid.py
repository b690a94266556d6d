"""KernelGrid from Python: what it takes, refuses and says."""

from __future__ import annotations

import base64
import gc
import io
import weakref

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image
from torch import nn

import kan_widgets as kw
from kan_widgets.widgets.wire.messages import observation_dict


@pytest.fixture
def live() -> kw.Binding:
    torch.manual_seed(0)
    fixture_models.append(kw.nn.KANCNN.article())
    return kw.bind(fixture_models[-1])


# A binding does not keep its model: somebody must.
fixture_models: list[nn.Module] = []


def test_it_shows_the_first_layer_unless_told_otherwise(live):
    assert kw.KernelGrid(live).layer == live.layers[0]
    assert kw.KernelGrid(live, layer=None).layer == live.layers[0]
    assert kw.KernelGrid(live, layer=1).layer == live.layers[1]
    assert kw.KernelGrid(live, "linear").layer == "linear"


def test_a_model_is_bound_and_kept_until_the_view_is_closed():
    model = kw.nn.KANLinear(2, 2)
    grid = kw.KernelGrid(model)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert grid.live.model is gone()
    grid.close()
    gc.collect()
    assert gone() is None


def test_a_model_that_is_bound_already_is_shown_by_its_binding(live):
    grid = kw.KernelGrid(live.model)
    assert grid.live is live


def test_an_unknown_keyword_names_the_nearest_and_all(live):
    with pytest.raises(TypeError, match=r"no keyword 'mod'. Did you mean 'mode'\?.*binarise"):
        kw.KernelGrid(live, mod="curves")
    with pytest.raises(TypeError, match="no keyword 'stream'"):
        kw.KernelGrid(live, stream=None)


@pytest.mark.parametrize("layer", ["convs.9", 3, -1, True, 1.5])
def test_an_unknown_layer_lists_the_layers(live, layer):
    with pytest.raises(ValueError, match=r"the layers are 'convs\.0', 'convs\.1', 'linear'"):
        kw.KernelGrid(live, layer=layer)


def test_a_later_wrong_value_is_refused_and_changes_nothing(live):
    grid = kw.KernelGrid(live)
    with pytest.raises(ValueError, match="the layers are"):
        grid.layer = "nowhere"
    with pytest.raises(
        traitlets.TraitError, match=r"mode='pattrn': expected one of .*Did you mean 'pattern'"
    ):
        grid.mode = "pattrn"
    assert (grid.layer, grid.mode) == (live.layers[0], "auto")


def test_something_that_is_no_model_is_refused():
    with pytest.raises(TypeError, match="expected a model, the binding that"):
        kw.KernelGrid([1, 2, 3])


def test_a_selection_calls_back_and_is_shared_by_the_views_of_a_stream(live):
    first, second = kw.KernelGrid(live), kw.KernelGrid(live)
    seen: list[dict] = []
    stop = first.on_select(seen.append)
    chosen = {"layer": "convs.1", "out": 2, "in": 0, "row": 1, "column": 2}
    second.stream.selection = chosen
    assert seen == [chosen]
    assert first.selection == second.selection == chosen
    stop()
    second.stream.selection = {}
    assert first.selection is None
    second.stream.selection = chosen
    assert seen == [chosen]


def test_after_binding_other_layers_the_view_shows_the_first_of_them(live):
    grid = kw.KernelGrid(live)
    again = kw.bind(live.model, layers=["linear"])
    assert grid.live is again
    data, _ = grid._repr_mimebundle_()
    assert "image/png" in data


def test_a_failing_picture_never_keeps_the_live_view_from_showing(live, monkeypatch):
    grid = kw.KernelGrid(live)
    monkeypatch.setattr(grid, "image", lambda: 1 / 0)
    with pytest.warns(RuntimeWarning, match="no still picture"):
        data, _ = grid._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_picture_goes_out_beside_the_live_view(live):
    data, _ = kw.KernelGrid(live)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
        assert image.format == "PNG"
        assert image.width > 600


def test_the_picture_shows_the_present_state_and_the_widgets_mode(live):
    grid = kw.KernelGrid(live)
    before = grid.image(width=400).tobytes()
    with torch.no_grad():
        live.model.convs[0].base_weight.add_(1.0)
    assert grid.image(width=400).tobytes() == before
    live.refresh()
    curves = grid.image(width=400).tobytes()
    assert curves != before
    grid.mode = "pattern"
    assert grid.image(width=400).tobytes() not in (before, curves)


def test_to_png_writes_a_file_with_options_for_that_picture_alone(live, tmp_path):
    grid = kw.KernelGrid(live)
    path = grid.to_png(tmp_path / "kernels.png", width=500, pixel_ratio=1, theme="dark")
    with Image.open(path) as image:
        assert image.width == 500
        assert sum(image.convert("RGB").getpixel((1, 1))) < 200
    assert grid.theme == "auto"
    with pytest.raises(TypeError, match="Did you mean 'theme'"):
        grid.to_png(tmp_path / "other.png", them="dark")
    with pytest.raises(ValueError, match="the layers are"):
        grid.to_png(tmp_path / "other.png", layer="x")
    assert not (tmp_path / "other.png").exists()


def test_the_page_is_told_which_map_a_dense_layer_reads(live):
    seen = live.observe(torch.zeros(2, 1, 28, 28))
    assert observation_dict(seen["linear"])["fold"] == [25, 5, 5]
    assert observation_dict(seen["convs.0"])["fold"] is None


def test_what_varies_over_networks_is_computed_once(monkeypatch):
    models = [nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1)) for _ in range(3)]
    found, calls = kw.ensemble(models), []
    varies = type(found).varies
    monkeypatch.setattr(type(found), "varies", lambda *a: (calls.append(a[1]), varies(*a))[1])
    grid = kw.KernelGrid(found)
    for layer in ("1", "0", "1"):
        grid.layer = layer
    assert calls == ["0", "1"]
    scores = grid.scores["varies over networks"]["layers"]
    assert np.frombuffer(scores["1"], "<f4") == pytest.approx(varies(found, "1").ravel())


def test_an_ensemble_has_its_range_behind_each_function_and_a_score():
    models = [nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1)) for _ in range(3)]
    grid = kw.KernelGrid(kw.ensemble(models))
    assert "range of all 3 networks" in grid.svg()
    assert "3 networks" not in kw.KernelGrid(models[0]).svg()
    grid.shade = grid.sort = "varies over networks"
    assert "varies over networks" in grid.svg()
