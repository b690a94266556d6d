"""Dashboard: its views, its keywords, docking."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch

import kan_widgets as kw
from kan_widgets.widgets.wire.messages import training_of


@pytest.fixture
def live() -> kw.Binding:
    torch.manual_seed(0)
    model = torch.nn.Sequential(kw.nn.KANConv2d(1, 2, 3), torch.nn.Flatten())
    binding = kw.bind(model)
    binding._kept = model  # type: ignore[attr-defined]
    return binding


def test_the_panels_share_one_stream(live: kw.Binding) -> None:
    dashboard = kw.Dashboard(live)
    kinds = (
        kw.NetworkView,
        *(kw.KernelGrid, kw.SplineInspector, kw.MeshgridView),
        kw.TrainingPanel,
    )
    assert len(dashboard.views) == len(kinds)
    assert all(map(isinstance, dashboard.views, kinds))
    functions = (dashboard.grid, dashboard.inspector, dashboard.meshgrid)
    assert dashboard.views == (dashboard.network, *functions, dashboard.training)
    pages = [panel["page"] for panel in dashboard.panels_shown]
    assert pages == ["network", "functions", "functions", "functions", "network"]
    assert dashboard.parts == [f"anywidget:{view.model_id}" for view in dashboard.views]
    assert len({view.stream for view in (dashboard, *dashboard.views)}) == 1
    live.select("0", 1, 0, 2, 2)
    assert {view.selection["out"] for view in (dashboard, *dashboard.views)} == {1}
    assert dashboard.live is live


@pytest.mark.parametrize("number", [-1, 0, 1, 2])
def test_a_layer_chosen_anywhere_is_chosen_in_all(number: int) -> None:
    model = torch.nn.Sequential(kw.nn.KANConv2d(1, 2, 3), torch.nn.Flatten(), kw.nn.KANLinear(8, 2))
    live = kw.bind(model)
    dashboard, other = kw.Dashboard(live), kw.KernelGrid(live)
    layered = [dashboard.grid, dashboard.inspector, dashboard.meshgrid, dashboard]
    live.select("0", 1, 0, 2, 2)
    layered[number].layer = "2"
    assert [view.layer for view in layered] == ["2"] * 4
    assert live.feed.selection is not None
    assert live.feed.selection["layer"] == "2"
    assert other.layer == "0"
    live.select("2", 1, 3)
    layered[number].layer = "2"
    assert live.feed.selection["in"] == 3
    with pytest.raises(Exception, match="the layers are"):
        layered[number].layer = "9"
    assert [view.layer for view in layered] == ["2"] * 4


def test_a_layer_is_chosen_in_the_page_without_python(live: kw.Binding) -> None:
    dashboard = kw.Dashboard(live)
    layered = [dashboard, dashboard.grid, dashboard.inspector, dashboard.meshgrid]
    for view in layered:
        others = [f"anywidget:{other.model_id}" for other in layered if other is not view]
        assert view.linked == others
    assert dashboard.training.linked == []


def test_a_bare_model_is_bound_once() -> None:
    dashboard = kw.Dashboard(kw.nn.KANLinear(3, 2))
    assert len({view.live for view in (dashboard, *dashboard.views)}) == 1


def test_keywords_go_to_the_views(live: kw.Binding) -> None:
    dashboard = kw.Dashboard(live, layer="0", theme="dark", layout={"height": "700px"})
    assert {view.theme for view in dashboard.views} == {"dark"}
    assert dashboard.layout.height == "700px"
    assert dashboard.layout.width == "100%"
    dashboard.theme = "light"
    assert {view.theme for view in dashboard.views} == {"light"}


def test_panels_are_chosen_and_ordered(live: kw.Binding) -> None:
    dashboard = kw.Dashboard(live, panels=["ranges", "kernels"])
    assert dashboard.views == (dashboard.ranges, dashboard.grid)
    assert [panel["name"] for panel in dashboard.panels_shown] == ["ranges", "kernels"]
    with pytest.raises(AttributeError, match=r"no panel 'response', and so no \.meshgrid: kw\."):
        _ = dashboard.meshgrid
    with pytest.raises(AttributeError, match="no attribute 'children'"):
        _ = dashboard.children


@pytest.mark.parametrize(
    ("panels", "error", "words"),
    [
        (
            ["kernls"],
            ValueError,
            r"'kernls': expected some of 'network', .*\. Did you mean 'k",
        ),
        ("kernels", TypeError, "='kernels': expected a list of some of "),
        (3, TypeError, "=3: expected a list of some of "),
        ([], ValueError, "expected at least one of"),
        (
            ["kernels", "kernels"],
            ValueError,
            "'kernels' twice: expected each panel once",
        ),
    ],
)
def test_wrong_panels_are_refused_before_anything_is_made(
    panels: Any, error: type[Exception], words: str
) -> None:
    model = kw.nn.KANLinear(3, 2)
    with pytest.raises(error, match=rf"^panels.*{words}"):
        kw.Dashboard(model, panels=panels)
    assert kw.live.binding_of(model) is None


def test_the_steps_that_were_marked_are_told_to_all_views(live: kw.Binding) -> None:
    live.scalars.mark(3, "learning rate 0.1 → 0.01")
    live.scalars.mark(4, "grid updated")
    marks = training_of(live)["marks"]
    assert marks == [[3, "learning rate 0.1 → 0.01"], [4, "grid updated"]]


def test_it_says_the_class_of_the_model_also_when_that_is_gone(live: kw.Binding) -> None:
    dashboard = kw.Dashboard(live)
    assert dashboard.stream.training["model"] == "Sequential"
    live.close()
    assert training_of(live)["model"] == "Sequential"


def test_an_unknown_keyword_is_a_type_error(live: kw.Binding) -> None:
    with pytest.raises(TypeError, match=r"no keyword 'them'. Did you mean 'theme'\?"):
        kw.Dashboard(live, them="dark")
    with pytest.raises(ValueError, match="layer='9'"):
        kw.Dashboard(live, layer="9")
    with pytest.raises(TypeError, match="expected a model, the binding that"):
        kw.Dashboard(3)  # type: ignore[arg-type]


def test_an_unknown_anchor_is_refused(live: kw.Binding) -> None:
    with pytest.raises(
        ValueError, match=r"anchor='rihgt': expected one of 'right'.* Did you mean 'right'"
    ):
        kw.Dashboard(live).dock("rihgt")


def test_docking_without_sidecar_says_what_to_install(
    live: kw.Binding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sidecar", None)
    with pytest.raises(ImportError, match="pip install sidecar"):
        kw.Dashboard(live).dock("right")


@pytest.mark.parametrize(
    "kind", [kw.Dashboard, kw.NetworkView, kw.KernelGrid, kw.TrainingPanel, kw.LayerRanges]
)
def test_a_click_docks_any_view_or_says_what_is_missing(
    kind: Any, live: kw.Binding, monkeypatch: pytest.MonkeyPatch
) -> None:
    dashboard, told = kind(live), []
    monkeypatch.setattr(dashboard, "dock", told.append)
    dashboard._handle_custom_msg({"kind": "dock"}, [])
    assert told == ["split-right"]
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "sidecar", None)
    monkeypatch.setattr(dashboard, "send", told.append)
    dashboard._handle_custom_msg({"kind": "dock"}, [])
    assert "pip install sidecar" in told[-1]


@pytest.mark.slow
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
    views = dashboard.views
    dashboard.close()
    dashboard.close()
    assert [view.comm for view in views] == [None] * 5
    assert live.state == "idle"


@pytest.mark.slow
def test_a_still_picture_shows_all_views(live: kw.Binding) -> None:
    dashboard = kw.Dashboard(live)
    parts = [view.image(width=500) for view in dashboard.views]
    whole = dashboard.image(width=500)
    assert whole.size == (1000, sum(part.height for part in parts))
    bundle = dashboard._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert {"image/png", "application/vnd.jupyter.widget-view+json"} <= set(data)


def test_a_picture_has_all_panels_and_takes_a_layer() -> None:
    model = torch.nn.Sequential(kw.nn.KANConv2d(1, 2, 3), torch.nn.Flatten(), kw.nn.KANLinear(8, 2))
    live = kw.bind(model)
    dashboard = kw.Dashboard(live, panels=["training", "kernels"])
    training, kernels = (view.image(width=500).height for view in dashboard.views)
    assert dashboard.image(width=500).height == training + kernels
    assert "8 → 2" not in dashboard.svg()
    other = dashboard.svg(layer="2")
    assert other == dashboard.svg(layer=1)
    assert "KernelGrid · layer 2" in other
    assert dashboard.layer == "0"
    assert live.state == "idle"


def test_the_response_is_that_to_the_examples_of_the_network() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(kw.nn.KANConv2d(1, 2, 3), torch.nn.Flatten(), kw.nn.KANLinear(8, 2))
    live = kw.bind(model)
    live.probe(images := torch.rand(3, 1, 4, 4))
    dashboard = kw.Dashboard(live)
    assert dashboard.shared
    assert torch.equal(torch.from_numpy(dashboard.meshgrid.images.copy()), images)
    live.probe(others := torch.rand(5, 1, 4, 4))
    dashboard._examples_job.now()
    assert torch.equal(torch.from_numpy(dashboard.meshgrid.images.copy()), others)


def test_all_show_the_examples_also_where_the_batch_was_another() -> None:
    model = torch.nn.Sequential(torch.nn.BatchNorm2d(1), kw.nn.KANConv2d(1, 2, 3))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    live = kw.bind(model, optimizer)
    kw.Dashboard(live)
    model(torch.rand(8, 1, 4, 4)).sum().backward()
    optimizer.step()
    before = live.feed.observed["1"]
    live.probe(images := torch.rand(3, 1, 4, 4))
    seen = live.feed.observed["1"]
    assert seen.samples == before.samples == 8
    assert seen.maps is not None
    with torch.no_grad():
        model.eval()
        assert torch.allclose(torch.from_numpy(seen.maps), model[0](images), atol=1e-6)
