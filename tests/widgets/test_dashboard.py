"""Dashboard: its views, its keywords, docking."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch

import kan_widgets as kw


@pytest.fixture
def live() -> kw.Binding:
    torch.manual_seed(0)
    model = torch.nn.Sequential(kw.nn.KANConv2d(1, 2, 3), torch.nn.Flatten())
    binding = kw.bind(model)
    binding.kept = model  # type: ignore[attr-defined]
    return binding


def test_the_three_views_share_one_stream(live: kw.Binding) -> None:
    dashboard = kw.Dashboard(live)
    kinds = (kw.KernelGrid, kw.SplineInspector, kw.MeshgridView)
    assert all(map(isinstance, dashboard.children, kinds))
    assert dashboard.children == (dashboard.grid, dashboard.inspector, dashboard.meshgrid)
    assert len({view.stream for view in dashboard.children}) == 1
    live.select("0", 1, 0, 2, 2)
    assert {view.selection["out"] for view in dashboard.children} == {1}
    assert dashboard.live is live


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_layer_chosen_in_one_view_is_chosen_in_all(number: int) -> None:
    model = torch.nn.Sequential(kw.nn.KANConv2d(1, 2, 3), torch.nn.Flatten(), kw.nn.KANLinear(8, 2))
    live = kw.bind(model)
    dashboard, other = kw.Dashboard(live), kw.KernelGrid(live)
    live.select("0", 1, 0, 2, 2)
    dashboard.views[number].layer = "2"
    assert [view.layer for view in dashboard.views] == ["2", "2", "2"]
    assert live.selection is not None
    assert live.selection["layer"] == "2"
    assert other.layer == "0"
    live.select("2", 1, 3)
    dashboard.views[number].layer = "2"
    assert live.selection["in"] == 3
    with pytest.raises(Exception, match="the layers are"):
        dashboard.views[number].layer = "9"
    assert [view.layer for view in dashboard.views] == ["2", "2", "2"]


def test_a_bare_model_is_bound_once() -> None:
    dashboard = kw.Dashboard(kw.nn.KANLinear(3, 2))
    assert len({view.live for view in dashboard.children}) == 1


def test_keywords_go_to_the_views(live: kw.Binding) -> None:
    dashboard = kw.Dashboard(live, layer="0", theme="dark", layout={"height": "700px"})
    assert {view.theme for view in dashboard.children} == {"dark"}
    assert dashboard.layout.height == "700px"
    assert dashboard.layout.width == "100%"
    assert dashboard.layout.grid_template_columns.startswith("repeat(auto-fit")


def test_an_unknown_keyword_is_a_type_error(live: kw.Binding) -> None:
    with pytest.raises(TypeError, match=r"no keyword 'them'. Did you mean 'theme'\?"):
        kw.Dashboard(live, them="dark")
    with pytest.raises(ValueError, match="layer='9'"):
        kw.Dashboard(live, layer="9")
    with pytest.raises(TypeError, match="expected a model, the binding that"):
        kw.Dashboard(3)  # type: ignore[arg-type]


def test_an_unknown_anchor_is_refused(live: kw.Binding) -> None:
    with pytest.raises(
        ValueError, match=r"anchor: expected one of 'right'.* got 'rihgt'.* Did you mean 'right'"
    ):
        kw.Dashboard(live).dock("rihgt")


def test_docking_without_sidecar_says_what_to_install(
    live: kw.Binding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sidecar", None)
    with pytest.raises(ImportError, match=r"pip install 'kan-widgets\[lab\]'"):
        kw.Dashboard(live).dock("right")


def test_docking_again_moves_the_one_dashboard(live: kw.Binding) -> None:
    dashboard = kw.Dashboard(live)
    dashboard.dock("right")
    first: Any = dashboard._sidecar
    dashboard.dock("split-right")
    second: Any = dashboard._sidecar
    assert (first.comm, second.anchor) == (None, "split-right")
    assert "application/vnd.jupyter.widget-view+json" in second.outputs[0]["data"]
    dashboard.close()
    assert second.comm is None


def test_closing_closes_the_views_and_not_the_binding(live: kw.Binding) -> None:
    dashboard = kw.Dashboard(live)
    views = dashboard.children
    dashboard.close()
    dashboard.close()
    assert [view.comm for view in views] == [None, None, None]
    assert live.state == "idle"


def test_a_still_picture_shows_all_views(live: kw.Binding) -> None:
    dashboard = kw.Dashboard(live)
    parts = [view.image(width=500) for view in dashboard.children]
    whole = dashboard.image(width=500)
    assert whole.size == (1000, sum(part.height for part in parts))
    bundle = dashboard._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert {"image/png", "application/vnd.jupyter.widget-view+json"} <= set(data)
