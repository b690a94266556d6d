"""Lifetimes: a cell run again and again leaves nothing behind, and nothing that is in use goes."""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import ipywidgets
import pytest
import torch
from comm import get_comm_manager
from ipywidgets.widgets.widget import _instances
from jupyter_client.manager import start_new_kernel

import kan_widgets as kw
from kan_widgets.live.steering.counter import stepping_of
from kan_widgets.live.watching import step_hook
from kan_widgets.widgets import stream_of
from tests.every_view import CALLS, IMAGE, calls, make, make_all, network


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        gc.collect()
        time.sleep(0.005)


class Notebook:
    """A training, and the cell that binds it and makes all views."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = network()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)
        self.made: list[weakref.ref[Any]] = []
        self.run_cell()

    def run_cell(self) -> None:
        self.live = kw.bind(self.model, self.optimizer, every=1)
        self.views = make_all(self.live)
        self.made += map(weakref.ref, [self.live, *self.views])

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.model(torch.ones(2, 1, 8, 8)).square().sum().backward()
        self.optimizer.step()

    def work(self) -> int:
        """Count the calls of Python functions of the package in five steps, in this thread.

        Some look anew at the model, as the clock has it: the least of three counts has none.
        """
        counts = [0]

        def count(frame: Any, event: str, _: Any) -> None:
            counts[-1] += event == "call" and "kan_widgets" in frame.f_code.co_filename

        self.step()
        self.live.feed.camera.throttle.is_open = lambda now: True  # type: ignore[method-assign]
        before = sys.getprofile()
        sys.setprofile(count)
        try:
            for _ in range(3):
                counts.append(0)
                for _ in range(5):
                    self.step()
        finally:
            sys.setprofile(before)
        return min(counts[1:])

    @property
    def alive(self) -> int:
        gc.collect()
        # Each run of the cell has the same binding.
        return len({id(one) for ref in self.made if (one := ref()) is not None})

    @property
    def counts(self) -> tuple[int, ...]:
        gc.collect()
        return (
            len(self.live.feed.listeners),
            len(self.live.feed.counter.step_listeners),
            len(stepping_of(self.optimizer).counters),
            len(_instances),
            len(get_comm_manager().comms),
            len(step_hook._watched),
            len(stream_of(self.live)._open_views()),
        )


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    # On a machine that stalls, training would go quiet between two steps, and count differently.
    monkeypatch.setattr("kan_widgets.live.steering.counter._QUIET_SECONDS", 60.0)
    monkeypatch.setattr("kan_widgets.live.watching.updates._MAX_PER_SECOND", 1e-9)
    # What is explained again in a step depends on the hour.
    monkeypatch.setattr("kan_widgets.widgets.explain._SHARE", 1e-9)
    made = Notebook()
    yield made
    for view in made.views:
        view.close()
    made.live.close()


@pytest.mark.slow
def test_after_30_runs_of_a_cell_a_step_does_what_it_did_and_nothing_is_left(
    notebook: Notebook,
) -> None:
    notebook.run_cell()  # what is made once is made
    work, alive = notebook.work(), 1 + len(CALLS)
    # What is just measured in the background is held until it is done.
    until(lambda: notebook.alive == alive)
    counts = notebook.counts
    objects = len(gc.get_objects())
    for _ in range(30):
        notebook.run_cell()
    until(lambda: notebook.alive == alive)
    # There may be fewer: what tests before have left goes when it will.
    assert all(now <= before for now, before in zip(notebook.counts, counts, strict=True))
    # A run makes 1,750. Ten are references of this test; some are jobs of views that are gone,
    # which wait for their time, here a very long one.
    assert (len(gc.get_objects()) - objects) / 30 < 90
    assert notebook.work() <= 1.1 * work


def test_no_memory_is_left_by_a_run_of_a_cell(notebook: Notebook) -> None:
    alive = 1 + len(CALLS)
    tracemalloc.start()
    try:
        sizes = []
        for _ in range(12):
            notebook.run_cell()
            # What is just drawn in the background is held until it is done.
            until(lambda: notebook.alive == alive)
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    # The first ones replace what was made before it was counted.
    one_run = sizes[0]
    assert one_run > 300_000
    # A leak is left by each run. The tables of all widgets, comms and jobs of the process, filled
    # by the tests before, double now and then: 20 kB in one run, nothing in the others.
    left = statistics.median(after - before for before, after in pairwise(sizes[2:]))
    assert left < one_run / 50


def test_a_new_model_with_each_run_leaves_neither_models_nor_histories() -> None:
    gone: list[weakref.ref[Any]] = []
    known = len(_instances)
    for _ in range(4):
        notebook = Notebook()
        notebook.step()
        stream = stream_of(notebook.live)
        gone += map(weakref.ref, [notebook.model, notebook.live.history, stream])
        gone += notebook.made
        del stream
    del notebook
    until(lambda: sum(ref() is not None for ref in gone) == 0)
    # Places of what is forgotten are kept until the next widget is made, all by one widget.
    until(lambda: len({id(widget) for widget in list(_instances.values())}) <= known + 1)


@pytest.mark.parametrize("kind", CALLS)
def test_a_view_that_nobody_holds_goes_at_once_without_the_collector(kind: str) -> None:
    # What ran while it still drew would leave a view in a cycle until it runs again, whenever.
    model = network()
    live = kw.bind(model)
    gc.disable()
    try:
        gone = weakref.ref(make(kind, live))
        until(lambda: gone() is None)
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", CALLS)
def test_a_closed_view_is_collected_with_all_that_it_made(kind: str) -> None:
    model = network()
    live = kw.bind(model)
    stream_of(live)
    gc.collect()
    known = set(_instances)
    view = make(kind, live)
    made = set(_instances) - known  # of a test before something may go only now
    assert made
    gone = weakref.ref(view)
    view.close()
    assert not made & set(_instances)
    del view
    gc.collect()
    assert gone() is None
    assert len(live.feed.listeners) == 1  # the stream


def test_a_layout_that_was_given_stays_when_the_view_is_closed() -> None:
    live = kw.bind(model := network())
    layout = ipywidgets.Layout(width="300px")
    for kind in (kw.KernelGrid, kw.LayerRanges, kw.TrainingPanel, kw.Dashboard):
        view = kind(live, layout=layout)
        assert view.layout is layout
        view.close()
    assert layout.comm is not None
    assert model is live.model


def test_what_is_held_lives_on(notebook: Notebook) -> None:
    grid = kw.Dashboard(notebook.live).grid
    box = ipywidgets.HBox([kw.LayerRanges(notebook.live)])
    compared = kw.Compare({"one": notebook.live}).grids["one"]
    gc.collect()
    assert grid.comm is not None
    assert box.children[0].comm is not None
    assert compared.comm is not None
    notebook.live.select("0", 1)
    assert grid.selection["out"] == box.children[0].selection["out"] == 1
    # As a page asks for all widgets after a reload.
    state = ipywidgets.Widget.get_manager_state()["state"]
    assert {grid.model_id, box.children[0].model_id, grid.stream.model_id} <= state.keys()


@pytest.mark.parametrize("kind", CALLS)
def test_a_view_may_be_forgotten_while_a_page_asks_for_all_widgets(kind: str) -> None:
    # As by a thread that drew it: the list of widgets is walked through, and may not shrink then.
    live = kw.bind(model := network())
    view = make(kind, live)
    own = {view.model_id, view.layout.model_id}
    walk = iter(_instances.values())
    next(walk)
    gone = weakref.ref(view)
    del view
    until(lambda: gone() is None)
    assert all(widget.model_id for widget in walk)
    assert not own & ipywidgets.Widget.get_manager_state()["state"].keys()
    kw.KernelGrid(live)
    assert not own & set(_instances)
    del model


@pytest.mark.parametrize("kind", CALLS)
def test_a_closed_view_says_that_it_is_shown_no_more(kind: str) -> None:
    live = kw.bind(model := network())
    view = make(kind, live)
    live.close()
    view.close()
    with pytest.raises(RuntimeError, match=f"this {kind} is closed: make a new one to show"):
        view.snapshot()
    del model


def test_a_view_outlives_its_model_with_its_last_picture() -> None:
    model = network()
    live = kw.bind(model)
    history, binding = weakref.ref(live.history), weakref.ref(live)
    grid = kw.KernelGrid(live)
    before = grid.image(width=300)
    del model, live
    until(lambda: binding() is None and history() is None)
    assert grid.stream.comm is not None
    assert grid.stream.status["state"] == "closed"
    assert grid.image(width=300).tobytes() == before.tobytes()
    stream = weakref.ref(grid.stream)
    del grid
    until(lambda: stream() is None)


@pytest.mark.parametrize("kind", CALLS)
def test_a_view_that_could_not_be_made_says_why_and_nothing_else(
    kind: str, recwarn: pytest.WarningsRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    live = kw.bind(model := network())
    make = getattr(kw, kind)
    given = {"Explain": (live, IMAGE), "Compare": ({"one": live},)}.get(kind, (live,))
    with pytest.raises(TypeError):
        make()
    with pytest.raises(TypeError, match="no keyword"):
        make(*given, colour="red")
    if kind == "Explain":
        with pytest.raises(TypeError, match="image"):
            make(live)
    gc.collect()
    assert unraisable == []
    assert len(recwarn) == 0
    assert model is live.model


# -- in a kernel ----------------------------------------------------------------------------

SETUP = f"""
import gc, json, threading, weakref
import torch
import kan_widgets as kw
from comm import get_comm_manager
from IPython.display import display
from ipywidgets import Output
from ipywidgets.widgets.widget import _instances
from PIL import Image
for kind in {[*CALLS]}:
    getattr(kw, kind).image = lambda view, **options: Image.new("L", (1, 1))  # stills cost seconds
model = torch.nn.Sequential(kw.nn.KANConv2d(1, 2, 3), torch.nn.Flatten(), kw.nn.KANLinear(72, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
image, made = torch.zeros(1, 8, 8), []
def note(view):
    made.append(weakref.ref(view))
    return view
def alive():
    there = {{id(one): one for ref in made if (one := ref()) is not None}}
    return [type(one).__name__ for one in there.values()]
"""
VIEWS = f"""
live = kw.bind(model, optimizer, every=1)
made.append(weakref.ref(live))
grid, *others, last = map(note, {calls()}.values())
display(grid, *others)
del others
last
"""
COUNTS = (
    "[len(live.feed.listeners), len(live.feed.counter.step_listeners), len(_instances), "
    "len(get_comm_manager().comms), len(alive())]"
)


class Kernel:
    """A real kernel, asked as JupyterLab asks it: with the identity of each cell."""

    def __init__(self) -> None:
        self._manager, self._client = start_new_kernel()

    def run(self, code: str, cell: str) -> list[dict[str, Any]]:
        """Run a cell; return what it published."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": False, "stop_on_error": True}
        message = self._client.session.msg("execute_request", content, metadata={"cellId": cell})
        self._client.shell_channel.send(message)
        published = []
        while True:
            found = self._client.get_iopub_msg(timeout=120)
            if found["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            published.append(found)
            assert found["msg_type"] != "error", found["content"]["traceback"]
            if found["content"].get("execution_state") == "idle":
                return published

    def ask(self, expression: str) -> Any:
        """Return the value of an expression, evaluated in a cell of its own."""
        out = self.run(f"print(json.dumps({expression}))", "ask")
        return json.loads("".join(m["content"].get("text", "") for m in out))

    def close(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    made = Kernel()
    made.run(SETUP, "setup")
    yield made
    made.close()


@pytest.mark.slow
def test_in_a_notebook_a_cell_that_is_run_again_leaves_nothing(kernel: Kernel) -> None:
    kernel.run(VIEWS, "views")
    kernel.run(VIEWS, "views")
    counts = kernel.ask(COUNTS)
    for _ in range(3):
        kernel.run(VIEWS, "views")
    assert kernel.ask(COUNTS) == counts
    assert counts[-1] == 1 + len(CALLS)
    # The page was told of each view that went.
    closed = [m for m in kernel.run(VIEWS, "views") if m["msg_type"] == "comm_close"]
    opened = [m for m in kernel.run(VIEWS, "views") if m["msg_type"] == "comm_open"]
    assert len(closed) == len(opened) > 20


def test_in_a_notebook_what_another_cell_shows_or_a_variable_holds_stays(kernel: Kernel) -> None:
    kernel.run("made.clear(); live = kw.bind(model, optimizer)", "bind")
    kernel.run("one = note(kw.KernelGrid(live)); one", "first")
    kernel.run("one", "second")
    kernel.run("del one", "third")
    kernel.run("None", "first")
    assert kernel.ask("alive()") == ["KernelGrid"]
    kernel.run("None", "second")
    assert kernel.ask("alive()") == []
    kernel.run("one = note(kw.LayerRanges(live)); one", "first")
    kernel.run("None", "first")
    assert kernel.ask("alive()") == ["LayerRanges"]
    assert kernel.ask("one.comm is not None")
    kernel.run("del one; gc.collect()", "third")
    assert kernel.ask("alive()") == []


def test_in_a_notebook_an_output_widget_keeps_what_it_shows(kernel: Kernel) -> None:
    kernel.run("made.clear(); out = Output()\nwith out: display(note(kw.KernelGrid(live)))", "in")
    kernel.run("out.append_display_data(note(kw.SplineInspector(live)))", "in")
    kernel.run("gc.collect()", "in")
    assert kernel.ask("alive()") == ["KernelGrid", "SplineInspector"]


def test_in_a_notebook_a_view_without_a_shown_cell_is_kept_in_a_box(kernel: Kernel) -> None:
    kernel.run("made.clear()\nimport ipywidgets\nipywidgets.HBox([note(kw.KernelGrid(live))])", "b")
    kernel.run("gc.collect()", "other")
    assert kernel.ask("alive()") == ["KernelGrid"]
