"""What views are told of an ensemble: each function of each network, evaluated by itself."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw

VIEWS = (kw.KernelGrid, kw.SplineInspector, kw.NetworkView, kw.MeshgridView, kw.Dashboard)
FILL, LINE = 'fill="#2b8296"', 'stroke="#2b8296"'


@pytest.fixture(scope="module")
def found() -> Any:
    """Five networks, so alike that their units correspond as they come."""
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    networks = [copy.deepcopy(model) for _ in range(5)]
    with torch.no_grad():
        for network in networks:
            for weight in network.parameters():
                weight += 0.05 * torch.randn_like(weight)
    return kw.ensemble(networks)


def phi(layer: nn.Module, out: int, in_: int, x: Any) -> Any:
    """Return a function of a layer by its forward pass, with all other inputs switched off."""
    alone = copy.deepcopy(layer)
    with torch.no_grad():
        for weight in alone.parameters():
            others = [k for k in range(weight.shape[1]) if k != in_]
            weight[:, others] = 0
        inputs = torch.zeros(len(x), alone.in_features)
        inputs[:, in_] = torch.tensor(x)
        return alone(inputs)[:, out].double().numpy()


def bands_of(view: Any, layer: str) -> dict[str, Any]:
    sent = view.stream.ensemble["layers"][layer]
    return {name: np.frombuffer(numbers, "<f4") for name, numbers in sent.items()}


@pytest.mark.parametrize("kind", VIEWS)
def test_every_view_is_told_range_and_median_of_the_networks_one_by_one(
    found: Any, kind: Any
) -> None:
    view = kind(found)
    for k, layer in enumerate(found.layers):
        sizes = found.members[0][k].out_features, found.members[0][k].in_features
        sent = bands_of(view, layer)
        x = sent["x"].reshape(sizes[1], -1)
        low, middle, high = (sent[name].reshape(*sizes, -1) for name in ("low", "middle", "high"))
        for out, in_ in np.ndindex(*sizes):
            values = [phi(network[k], out, in_, x[in_]) for network in found.members]
            about = np.stack([own - own.mean() for own in values]) + values[found.typical].mean()
            np.testing.assert_allclose(low[out, in_], about.min(0), atol=2e-6)
            np.testing.assert_allclose(middle[out, in_], np.median(about, 0), atol=2e-6)
            np.testing.assert_allclose(high[out, in_], about.max(0), atol=2e-6)


@pytest.mark.parametrize("kind", VIEWS)
def test_every_view_with_curves_draws_the_band_in_one_colour_and_says_what_it_is(
    found: Any, kind: Any
) -> None:
    options = {"mode": "pair"} if kind is kw.MeshgridView else {}
    drawn = kind(found, **options).svg(width=900)
    assert drawn.count(FILL) > 0
    assert drawn.count(LINE) > 0
    assert "5 networks" in drawn
    assert "step 0" not in drawn
    assert "5 trained networks" in drawn


def test_a_network_of_an_ensemble_shown_by_itself_has_no_band(found: Any) -> None:
    ensemble, alone = kw.KernelGrid(found), kw.KernelGrid(found.shown)
    assert ensemble.live is alone.live
    assert alone.stream.ensemble == {}
    assert FILL not in alone.svg()
    assert "step 0" in alone.svg()


def test_views_of_an_ensemble_have_one_stream_which_carries_the_bands_once(found: Any) -> None:
    dashboard = kw.Dashboard(found)
    streams = {id(view.stream) for view in [dashboard, *dashboard.views, kw.KernelGrid(found)]}
    assert len(streams) == 1


def test_layer_ranges_say_from_which_to_which_median_the_networks_have(found: Any) -> None:
    view = kw.LayerRanges(found)
    drawn = view.svg(width=1000)
    for k, row in enumerate(view.content["rows"]):
        x = np.linspace(-1, 1, 401, dtype=np.float32)
        medians = []
        for network in found.members:
            layer = network[k]
            places = np.ndindex(layer.out_features, layer.in_features)
            medians.append(np.median([np.ptp(phi(layer, *place, x)) for place in places]))
        low, high = map(float, row["numbers"]["spread"].split(" to "))
        assert (low, high) == pytest.approx((min(medians), max(medians)), rel=0.01)
        assert f"{low:.3g} to {high:.3g}" in drawn


def test_a_comparison_has_an_ensemble_as_one_side_with_its_band(found: Any) -> None:
    other = nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    compare = kw.Compare({"ensemble": found, "one": other}, align=False)
    whole, alone = compare.grids.values()
    assert whole.stream.ensemble["count"] == 5
    assert alone.stream.ensemble == {}
    assert compare.svg(width=900).count(FILL) > 0
    assert alone.svg(width=900).count(FILL) == 0
    compare.show = "networks"
    assert compare.svg(width=900).count(FILL) > 0
    compare.close()


def test_a_saved_page_of_an_ensemble_has_its_bands_and_no_step(found: Any, tmp_path: Any) -> None:
    views = kw.NetworkView(found), kw.Dashboard(found)
    text = kw.save_html(tmp_path / "page.html", *views).read_text("utf-8")
    assert "5 trained networks · saved on" in text
    saved = json.loads(re.findall(r'id="kw-saved">(.*?)</script>', text)[0])
    [stream] = saved["streams"]
    assert stream["traits"]["ensemble"]["count"] == 5


def test_an_explanation_draws_the_bands_of_its_functions_and_says_whose_shares_these_are(
    found: Any,
) -> None:
    view = kw.Explain(found, torch.tensor([0.3, -0.4]))
    alone = kw.Explain(found.shown, torch.tensor([0.3, -0.4]))
    drawn = view.svg(width=900)
    assert drawn.count(FILL) == alone.svg(width=900).count(FILL) + 4  # three functions and a key
    assert "shares are of the most typical of 5 networks" in drawn
    assert "5 trained networks" in drawn
    assert "step 0" not in drawn


def test_a_comparison_says_no_step_of_ensembles(found: Any) -> None:
    twins = kw.ensemble([copy.deepcopy(network) for network in found.members])
    compare = kw.Compare({"A": found, "B": twins})
    svg = compare.svg(width=900)
    assert "matched: functions most alike stand at the same place" in svg
    assert "Not trained yet" not in svg
    assert "step 0" not in svg
    assert not re.search(r">steps<", svg)
    compare.close()
