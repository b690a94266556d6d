"""One bad event: it is named once, keeps nobody from anything, and the next event is shown."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live import Listener, cells
from kan_widgets.live.worker import ThrottledJob
from kan_widgets.widgets import stream_of
from tests.every_view import all_but, make_all

CONV, LINEAR = "0", "2"


class Setting:
    """A training of a small network, all views of it, and the frames that their stream sends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(
            kw.nn.KANConv2d(1, 2, 3), nn.Flatten(), kw.nn.KANLinear(72, 3), nn.LogSoftmax(1)
        )
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)
        self.live = kw.bind(self.model, self.optimizer, every=1)
        self.live.feed.camera.throttle.is_open = lambda now: True  # type: ignore[method-assign]
        self.stream = stream_of(self.live)
        self.frames: list[int] = []
        self.observed: list[tuple[dict[str, Any], list[bytes]]] = []
        monkeypatch.setattr(self.stream, "send", self._send)
        self.views = make_all(self.live, names=all_but("NetworkView", "Dashboard"))
        self.grid = self.views[0]

    def _send(self, content: dict[str, Any], buffers: Any = None) -> None:
        if content["kind"] == "frame":
            self.frames.append(content["step"])
        if content["kind"] == "observed":
            self.observed.append((content, [bytes(buffer) for buffer in buffers]))

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.model(torch.rand(2, 1, 8, 8)).square().sum().backward()
        self.optimizer.step()

    def goes_on(self) -> bool:
        """Whether a step still reaches the page, and a new view the same stream."""
        before = len(self.frames)
        self.step()
        new = kw.KernelGrid(self.live)
        assert new.stream is self.stream
        assert self.stream in self.live.feed.listeners
        return self.frames[before:] == [self.live.stats.steps]


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Setting]:
    monkeypatch.setattr("kan_widgets.live.steering.counter._QUIET_SECONDS", 60.0)
    made = Setting(monkeypatch)
    yield made
    for view in made.views:
        view.close()
    made.live.close()


# -- observing --------------------------------------------------------------------------------


def test_a_batch_of_nan_is_counted_said_shown_as_nothing_and_the_views_go_on(
    setting: Setting,
) -> None:
    batch = torch.full((5, 1, 8, 8), torch.nan)
    with pytest.warns(RuntimeWarning, match="live.observe left out inputs that are NaN") as caught:
        seen = setting.live.observe(batch)
    [said] = [str(warning.message) for warning in caught]
    assert "320 at 0 (no whole patch is left)" in said
    assert f"{5 * 72} at 2 (no whole patch is left)" in said
    assert (seen[CONV].nan_inputs, seen[CONV].counts.sum(), len(seen[CONV].patches)) == (320, 0, 0)
    assert seen[CONV].is_image
    # Arrays without a number travel too.
    arrays = {c["layer"]: (c, buffers) for c, buffers in setting.observed}
    content, buffers = arrays[CONV]
    assert content["shapes"]["patches"] == [0, 9]
    assert buffers[content["bytes"].index(["arrays", "patches"])] == b""
    assert setting.goes_on()
    for view in setting.views:
        view.image()
    assert setting.views[4].table()[0]["observed_range"] is None


def test_of_a_batch_with_some_nan_the_rest_is_seen(setting: Setting) -> None:
    batch = torch.rand(5, 1, 8, 8)
    batch[1] = torch.nan
    with pytest.warns(RuntimeWarning, match="64 at 0, 72 at 2$"):
        seen = setting.live.observe(batch)
    whole = setting.live.observe(batch[[0, 2, 3, 4]])
    for name in (CONV, LINEAR):
        np.testing.assert_array_equal(seen[name].counts, whole[name].counts)
        np.testing.assert_allclose(seen[name].outside_domain, whole[name].outside_domain)
        np.testing.assert_array_equal(seen[name].patches, whole[name].patches)
    assert whole[CONV].nan_inputs == 0


def test_an_empty_batch_is_refused_before_anything_changes(setting: Setting) -> None:
    before = setting.live.observe(torch.rand(2, 1, 8, 8))
    with pytest.raises(ValueError, match=r"batch of shape \(0, 1, 8, 8\): at least one input"):
        setting.live.observe(torch.empty(0, 1, 8, 8))
    assert setting.live.feed.observed == before
    assert setting.goes_on()


def test_what_was_observed_of_nan_is_recorded_and_shown_again(setting: Setting, tmp_path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        with setting.live.record(tmp_path / "run.npz") as recorder:
            setting.live.observe(torch.full((5, 1, 8, 8), torch.nan))
        assert recorder.problem == ""
    run = kw.replay(tmp_path / "run.npz")
    assert run.feed.observed[CONV].nan_inputs == 320
    assert run.feed.observed[CONV].patches.shape == (0, 9)
    kw.MeshgridView(run, mode="pair").image()


# -- callbacks and listeners ------------------------------------------------------------------


def test_a_callback_that_raises_is_named_once_and_the_others_are_called(setting: Setting) -> None:
    told: list[int] = []

    def marker(selection: Any) -> None:
        raise LookupError("nothing there")

    setting.grid.on_select(marker)
    setting.grid.on_select(lambda selection: told.append(selection["out"]))
    setting.views[1].on_select(lambda selection: told.append(10 + selection["out"]))
    with pytest.warns(RuntimeWarning, match="KernelGrid: on_select: the callback.*marker") as once:
        setting.live.select(CONV, 1)
    setting.live.select(CONV, 0)
    setting.stream.selection = {"layer": CONV, "out": 1, "in": 0, "row": 1, "column": 0}
    assert told == [1, 11, 0, 10, 1, 11]
    assert len(once) == 1
    assert setting.goes_on()


def test_an_observer_of_a_trait_that_raises_is_named_by_its_view_and_the_others_are_told(
    setting: Setting,
) -> None:
    def broken(change: Any) -> None:
        raise LookupError("no such row")

    setting.grid.observe(broken, "selection")
    with pytest.warns(RuntimeWarning, match="KernelGrid could not take a new selection.*no such"):
        setting.live.select(CONV, 1)
    setting.live.select(CONV, 0)
    assert {view.selection["out"] for view in setting.views[:5]} == {0}
    assert setting.goes_on()


def test_an_observer_of_the_stream_that_raises_is_told_again_and_the_stream_stays(
    setting: Setting,
) -> None:
    told: list[Any] = []

    def broken(change: Any) -> None:
        told.append(change["new"])
        raise LookupError("no such row")

    setting.stream.observe(broken, "selection")
    words = r"the stream of KernelGrid, .* event 'selection': .*no such"
    with pytest.warns(RuntimeWarning, match=words):
        setting.live.select(CONV, 1)
    setting.live.select(CONV, 0)
    assert len(told) == 2
    assert setting.goes_on()


EVENTS = ["on_frame", "on_state", "on_selection", "on_observed", "on_edit", "on_training"]


@pytest.mark.parametrize("event", [*EVENTS, "on_layout", "on_replaced"])
def test_a_listener_that_raises_at_an_event_is_named_and_is_told_of_the_next(
    setting: Setting, event: str
) -> None:
    told: list[str] = []

    def broken(*_: Any) -> None:
        told.append(event)
        raise ArithmeticError(f"not {event}")

    listener = type("Broken", (Listener,), {event: broken})()
    setting.live.feed.subscribe(listener)

    def happen() -> None:
        live = setting.live
        setting.step()
        live.select(CONV, len(told) % 2)
        live.observe(torch.rand(2, 1, 8, 8))
        live.edits.zero(CONV, (0, 0, 0, 0))
        live.log(loss=1.0)
        live.feed.settle()
        setting.model[0].refine(10 + len(told))
        live.refresh()
        setting.optimizer = torch.optim.SGD(setting.model.parameters(), lr=0.1)
        setting.live = kw.bind(setting.model, setting.optimizer, every=1)
        setting.live.feed.camera.throttle.is_open = lambda now: True  # type: ignore[method-assign]

    with pytest.warns(RuntimeWarning, match=rf"Broken failed on .*not {event}"):
        happen()
    known = len(told)
    with warnings.catch_warnings():
        # Each kind of event is named once; a state that was not there before is another one.
        warnings.simplefilter("ignore" if event == "on_state" else "error")
        happen()
    assert len(told) > known
    assert listener in setting.live.feed.listeners
    assert setting.goes_on()


def test_a_cell_listener_that_raises_keeps_no_other_one_from_the_end_of_a_cell() -> None:
    told: list[str] = []

    class Broken(cells.CellListener):
        def cell_started(self, cell: str | None) -> None:
            raise LookupError("start")

        def before_cell_end(self) -> None:
            raise LookupError("end")

    class Well(cells.CellListener):
        def cell_started(self, cell: str | None) -> None:
            told.append("started")

        def before_cell_end(self) -> None:
            told.append("ended")

    listeners = [Broken(), Well(), Broken()]
    for listener in listeners:
        cells.add_listener(listener)
    with pytest.warns(RuntimeWarning, match="Broken failed at the start of a cell"):
        cells._cell_started()
    with pytest.warns(RuntimeWarning, match="Broken failed at the end of a cell"):
        cells._cell_ended()
    assert told == ["started", "ended"]
    del listeners, listener
    gc.collect()


def test_a_drawing_that_fails_is_named_by_its_view_and_tried_again() -> None:
    class Canvas:
        failing = True
        drawn = 0

        def draw(self) -> None:
            if self.failing:
                raise ZeroDivisionError("no room")
            self.drawn += 1

    canvas = Canvas()
    job = ThrottledJob(canvas.draw)
    with pytest.warns(RuntimeWarning, match="Canvas could not be drawn: .*no room.* tried again"):
        job.now()
    job.now()
    canvas.failing = False
    job.now()
    assert canvas.drawn == 1
