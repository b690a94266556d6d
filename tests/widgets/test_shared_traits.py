"""What views share with their stream: traits that are linked and observed. And what they say."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from typing import Any

import ipywidgets
import pytest
import traitlets

import kan_widgets as kw
from kan_widgets.widgets import stream_of
from kan_widgets.widgets.shell.view import View
from tests.every_view import CALLS, make, network


@pytest.fixture(params=CALLS)
def view(request: pytest.FixtureRequest) -> Iterator[Any]:
    model = network()
    made = make(request.param, kw.bind(model, every=1))
    yield made
    made.close()
    del model


def test_these_are_all_the_views() -> None:
    shown = [name for name in kw.__all__ if isinstance(getattr(kw, name), type)]
    assert sorted(name for name in shown if issubclass(getattr(kw, name), View)) == sorted(CALLS)


def test_time_is_that_of_the_stream(view: Any) -> None:
    other, seen = kw.KernelGrid(view.live), []
    other.observe(lambda change: seen.append(change["new"]), "cursor")
    assert view.cursor == -1
    view.cursor = 1
    assert other.cursor == stream_of(view.live).cursor == 1
    stream_of(view.live).cursor = -1
    assert view.cursor == other.cursor == -1
    assert seen == [1, -1]
    with pytest.raises(traitlets.TraitError, match="less than -1"):
        view.cursor = -2
    assert stream_of(view.live).cursor == -1


def test_a_view_made_later_shows_the_same_time(view: Any) -> None:
    view.cursor = 0
    assert kw.KernelGrid(view.live).cursor == 0


def test_what_is_shared_can_be_linked_in_the_page(view: Any) -> None:
    for name in ("selection", "cursor", "layer", "every"):
        if view.has_trait(name):
            link = ipywidgets.jslink((view, name), (ipywidgets.IntSlider(), "value"))
            assert link.source == (view, name)
            link.unlink()


def test_what_is_shared_crosses_the_wire_with_the_stream_alone(
    view: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str]] = []

    def record(widget: Any, key: Any = None) -> None:
        names = [key] if isinstance(key, str) else list(key or widget.keys)
        sent.extend((type(widget).__name__, name) for name in names)

    monkeypatch.setattr(ipywidgets.Widget, "send_state", record)
    view.cursor = 0
    view.selection = {"layer": "0", "out": 1}
    shared = [one for one in sent if one[1] in ("selection", "cursor")]
    assert sorted(shared) == [("Stream", "cursor"), ("Stream", "selection")]
    # A page that says so of a view has told the stream's model as well, which is ahead of this.
    view.set_state({"cursor": -1, "selection": {}})
    assert view.cursor == 0
    assert view.selection == view.live.feed.selection
    assert view.selection is not None


def test_a_layer_chosen_for_a_dashboard_by_number_is_chosen_in_its_views() -> None:
    dashboard = kw.Dashboard(model := network())
    dashboard.layer = 1
    assert dashboard.layer == dashboard.grid.layer == dashboard.inspector.layer == "2"
    assert dashboard.live.model is model


def test_the_repr_says_what_is_shown(view: Any) -> None:
    kind = type(view).__name__
    model = "one" if kind == "Compare" else "Sequential"
    assert repr(view).startswith(f"<{kind} of {model}: ")
    assert repr(view).endswith("step 0, idle>")
    if view.has_trait("layer"):
        view.layer = 1
        assert f"layer {view.layer!r}" in repr(view)
    for _ in range(2):
        view.live.step()
    view.live.refresh()
    assert repr(view).endswith(" step 2, live>")
    view.cursor = 1
    assert repr(view).endswith(" step 1, live>")
    view.close()
    assert repr(view).endswith("step 1, closed>")


def test_the_repr_takes_no_frame_and_needs_no_view_that_is_whole() -> None:
    live = kw.bind(model := network(), every=100)
    grid = kw.KernelGrid(live)
    live.step()
    assert "step 0, live" in repr(grid)
    assert len(live.history) == 1
    assert repr(kw.KernelGrid.__new__(kw.KernelGrid)) == "<KernelGrid>"
    live.close()
    del live, model
    gc.collect()
    assert repr(grid).startswith("<KernelGrid of a model: layer '0'")


def test_a_view_that_could_not_be_made_leaves_nothing_to_be_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ignored: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", ignored.append)
    live = kw.bind(model := network())
    wrong: list[Any] = [
        lambda: kw.Explain(live),  # type: ignore[call-arg]
        lambda: kw.Explain(live, "no image"),  # type: ignore[arg-type]
        lambda: kw.KernelGrid(3),  # type: ignore[arg-type]
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for make in wrong:
            with pytest.raises(TypeError):
                make()
            gc.collect()
    assert ignored == []
    assert live.model is model
