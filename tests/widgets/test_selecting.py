"""The selection as a trait of each view, and layers given by number after a view is made."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import traitlets
from torch import nn

import kan_widgets as kw
from kan_widgets.widgets import stream_of
from tests.every_view import all_but, make, network

WITH_LAYER = ("KernelGrid", "SplineInspector", "MeshgridView", "Explain")
SELECTING = all_but("TrainingPanel", "Compare")


@pytest.fixture(params=SELECTING)
def pair(request: pytest.FixtureRequest) -> Any:
    """Give two views of one kind, of two networks."""
    models = network(), network()
    views = [make(request.param, kw.bind(model)) for model in models]
    yield views
    for view in views:
        view.close()
    del models


def at(layer: str, out: int, in_: int = 0, row: int = 0, column: int = 0) -> dict[str, Any]:
    return {"layer": layer, "out": out, "in": in_, "row": row, "column": column}


def test_setting_it_selects_in_all_views_of_the_model(pair: Any) -> None:
    view, _ = pair
    other = kw.KernelGrid(view.live)
    told: list[Any] = []
    other.on_select(told.append)
    view.selection = {"layer": "2", "out": 1, "in": 71}
    assert view.selection == other.selection == view.live.feed.selection == at("2", 1, 71)
    assert stream_of(view.live).selection == at("2", 1, 71)
    assert told == [at("2", 1, 71)]
    view.selection = None
    assert view.selection is other.selection is view.live.feed.selection is None
    assert len(told) == 1


def test_it_is_observed_and_a_view_made_later_has_it(pair: Any) -> None:
    view, _ = pair
    seen: list[Any] = []
    view.observe(lambda change: seen.append(change["new"]), "selection")
    view.live.select("0", 1, 0, 2, 2)
    assert seen == [at("0", 1, 0, 2, 2)]
    assert kw.KernelGrid(view.live).selection == at("0", 1, 0, 2, 2)


def test_two_views_of_different_models_can_be_linked(pair: Any) -> None:
    one, other = pair
    link = traitlets.link((one, "selection"), (other, "selection"))
    one.live.select("0", 1)
    assert other.live.feed.selection == at("0", 1)
    other.live.select("2", 0, 5)
    assert one.live.feed.selection == at("2", 0, 5)
    one.live.select(None)
    assert other.live.feed.selection is None
    link.unlink()


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (at("nowhere", 0), KeyError, "nowhere.*0.*2"),
        (at("0", 2), IndexError, r"\(2, 0, 0, 0\): 0 has 2 × 1 × 3 × 3"),
        (at("0", 0, 0, -1), IndexError, "0 has 2 × 1 × 3 × 3"),
        (at("0", 0.5), TypeError, "whole numbers"),  # type: ignore[arg-type]
        (at("0", True), TypeError, "whole numbers"),
        ({"out": 1}, TypeError, "a dict with 'layer'"),
        ({"layer": "0", "in_": 1}, TypeError, "'out', 'in', 'row', 'column'"),
        ("0", TypeError, "a dict with 'layer'"),
    ],
)
def test_what_names_no_function_is_refused_and_nothing_changes(
    pair: Any, value: Any, error: type[Exception], said: str
) -> None:
    view, _ = pair
    view.live.select("0", 1)
    with pytest.raises(error, match=said):
        view.selection = value
    assert view.selection == view.live.feed.selection == at("0", 1)


def test_a_layer_that_is_not_there_is_named_with_those_that_are_and_the_nearest() -> None:
    model = nn.Sequential()
    model.add_module("hidden", kw.nn.KANLinear(2, 3))
    model.add_module("last", kw.nn.KANLinear(3, 1))
    live = kw.bind(model)
    words = r"no layer 'hiden'; the layers are 'hidden', 'last'. Did you mean 'hidden'\?"
    with pytest.raises(KeyError, match=words):
        live.select("hiden")
    with pytest.raises(KeyError, match=words):
        live.feed.select({"layer": "hiden", "out": 0, "in": 0, "row": 0, "column": 0})
    with pytest.raises(TypeError, match="expected a dict with 'layer'"):
        live.feed.select({"out": 0})  # type: ignore[typeddict-item]
    assert live.feed.selection is None


@pytest.mark.parametrize(
    "said", [{"layer": "gone"}, {"out": 1}, {"layer": "0", "out": 99}, {"layer": "0", "out": "x"}]
)
def test_what_a_page_selects_that_is_not_there_leaves_the_selection(said: dict[str, Any]) -> None:
    live = kw.bind(model := network())
    grid = kw.KernelGrid(live)
    live.select("0", 1)
    stream_of(live).set_state({"selection": said})
    assert grid.selection == live.feed.selection == stream_of(live).selection == at("0", 1)
    assert kw.SplineInspector(live).selection == at("0", 1)  # made later
    del model


def test_a_selection_that_a_new_binding_does_not_have_is_none() -> None:
    model = network()
    grid = kw.KernelGrid(kw.bind(model))
    grid.live.select("2", 1)
    again = kw.bind(model, layers=["0"])
    assert grid.live is again
    assert grid.selection is again.feed.selection is None


def test_it_can_be_set_when_the_model_is_gone() -> None:
    model = network()
    one, other = kw.KernelGrid(live := kw.bind(model)), kw.SplineInspector(live)
    gone = weakref.ref(live)
    live.close()
    del model, live
    gc.collect()
    assert gone() is None
    one.selection = at("0", 1)
    assert other.selection == at("0", 1)
    with pytest.raises(IndexError, match="0 has"):
        one.selection = at("0", 7)


@pytest.mark.parametrize("kind", WITH_LAYER)
def test_a_layer_can_be_set_by_its_number(kind: str) -> None:
    live = kw.bind(model := network())
    view = make(kind, live)
    # An explanation goes from the score back to the image.
    first, second = ("2", "0") if kind == "Explain" else ("0", "2")
    view.layer = 1
    assert view.layer == second
    view.layer = 0
    assert view.layer == first
    view.layer = "2"
    said = rf"the layers are '{first}', '{second}' \(or their numbers, 0 to 1\)"
    for wrong in (2, -1, True, "1", 0.5):
        with pytest.raises(ValueError, match=said):
            view.layer = wrong
    assert view.layer == "2"
    assert view.get_state("layer") == {"layer": "2"}
    assert model is live.model
