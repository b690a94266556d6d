"""Compare: what it refuses, its numbers, its curves and colours, and its end."""

from __future__ import annotations

import copy
import gc
import io
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image
from scipy import stats
from torch import nn
from torch.nn.functional import cross_entropy

import kan_widgets as kw
from kan_widgets.live import Feed, History, Listener, binding_of, cells
from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.live.frames.source import Source
from kan_widgets.widgets.numbers.model_numbers import deciding
from kan_widgets.widgets.shell.drawing_engine import png_bytes

SVG = "{http://www.w3.org/2000/svg}"
Models = dict[str, nn.Module]
Optimizers = dict[str, torch.optim.Optimizer]


def make() -> tuple[Models, Optimizers]:
    torch.manual_seed(0)
    models = {"KAN": kw.nn.KANLinear(3, 2), "MLP": nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))}
    return models, {
        name: torch.optim.Adam(model.parameters(), lr=0.05) for name, model in models.items()
    }


@pytest.fixture
def models() -> Models:
    return make()[0]


def bound(models: Models) -> dict[str, kw.Binding]:
    return {name: kw.bind(model) for name, model in models.items()}


def batches(count: int = 4) -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [
        (torch.rand(8, 3, generator=generator), torch.randint(0, 2, (8,), generator=generator))
        for _ in range(count)
    ]


def wait_for(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def shown(compare: kw.Compare) -> dict[str, list[str]]:
    """Give the rows of the table by their labels, as they are read to those who cannot see them."""
    told = ElementTree.fromstring(compare.svg()).find(f"{SVG}desc")
    assert told is not None
    assert told.text is not None
    first, *parts = told.text.split(". ")
    names = first.removeprefix("Comparison of ").split(", ")
    rows = {}
    for part in parts:
        label, _, rest = part.partition(": ")
        values = rest.split(", ")
        if len(values) == len(names):
            pairs = zip(values, names, strict=True)
            rows[label] = [value.removeprefix(f"{name} ").rstrip(".") for value, name in pairs]
    return rows


def panels(compare: kw.Compare) -> list[str]:
    """Give the titles of the panels of curves."""
    compare._draw_job.now()
    return list(dict.fromkeys(curve["panel"] for curve in compare.curves))


def numbers(curve: dict[str, Any], axis: str) -> list[float]:
    """Give one side of a curve as the page reads it."""
    return np.frombuffer(curve[axis], "<f8").tolist()


def step(live: kw.Binding, model: nn.Module, optimizer: torch.optim.Optimizer) -> float:
    x, y = batches(1)[0]
    optimizer.zero_grad()
    loss = cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    live.log(loss=loss)
    return loss.item()


# -- what it refuses


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({}, ValueError, r"models=\{\}: expected bindings"),
        (3, TypeError, "a dict of bindings by name"),
        ([1], TypeError, "a dict of bindings by name"),
        ({"a": 3}, TypeError, r"models\['a'\]=3: expected a model, "),
        ({"a": nn.ReLU()}, ValueError, "no readable functions"),
        ({3: nn.Linear(1, 1)}, TypeError, "the name 3: expected names as text"),
        ({" ": nn.Linear(1, 1)}, TypeError, "the name ' ': expected names as text"),
        (
            {str(k): nn.Linear(1, 1) for k in range(8)},
            ValueError,
            "8 models: expected up to 7",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(given: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        kw.Compare(given)


def test_models_without_names_are_told_how_they_are_given(models: Models) -> None:
    with pytest.raises(TypeError, match=r"such as kw\.Compare\(\{'KAN': live, 'CNN': other\}\)"):
        kw.Compare(*models.values())  # type: ignore[call-arg]


def test_nothing_is_bound_when_one_of_them_is_refused(models: Models) -> None:
    with pytest.raises(TypeError):
        kw.Compare({**models, "what": 3})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="no readable functions"):
        kw.Compare({**models, "what": nn.ReLU()})
    with pytest.raises(traitlets.TraitError, match=r"theme='drak': expected one of "):
        kw.Compare(models, theme="drak")
    assert [binding_of(model) for model in models.values()] == [None, None]


def test_one_model_under_two_names_is_refused(models: Models) -> None:
    live = kw.bind(models["KAN"])
    for twice in ({"a": live, "b": live}, {"a": live, "b": models["KAN"]}):
        with pytest.raises(ValueError, match=r"models\['b'\] and models\['a'\] are the same"):
            kw.Compare(twice)
    with pytest.raises(ValueError, match="are the same"):
        kw.Compare({"a": models["MLP"], "b": models["MLP"]})


def test_a_closed_binding_and_a_source_that_trains_nothing_are_refused(models: Models) -> None:
    live = kw.bind(models["KAN"])
    history = History(1000)
    history.append(live.frame)
    with pytest.raises(TypeError, match="where nothing trains"):
        kw.Compare({"a": Source(Feed(history), Scalars())})
    live.close()
    with pytest.raises(ValueError, match=r"\['a'\]: this binding is closed: bind the model again"):
        kw.Compare({"a": live})


def test_an_unknown_keyword_names_the_nearest(models: Models) -> None:
    with pytest.raises(TypeError, match=r"no keyword 'smooting'. Did you mean 'smoothing'\?"):
        kw.Compare(models, smooting=3)
    with pytest.raises(traitlets.TraitError, match="height"):
        kw.Compare(models, height=20)


# -- its numbers


def test_a_fit_of_several_models_is_told_as_its_results_tell_it() -> None:
    models, optimizers = make()
    lives = {name: kw.bind(model, optimizers[name]) for name, model in models.items()}
    compare = kw.Compare(lives)
    run = kw.fit(models, batches(), optimizers, cross_entropy, 3, eval_loader=batches(2))
    for record in compare.table():
        result, live = run.result[record["name"]], lives[record["name"]]
        assert (record["state"], record["steps"], record["epochs"]) == ("finished", 12, 3)
        assert record["seconds"] == live.progress.elapsed > result.seconds
        assert record["seconds_per_step"] == pytest.approx(result.seconds / 12)
        assert record["loss"] == live.scalars.series("loss")[1][-1]
        assert record["accuracy"] == result.accuracy[-1]
        assert record["eval_loss"] == result.eval_loss[-1]
        assert record["eval_accuracy"] == result.eval_accuracy[-1]


def test_the_times_of_several_fits_add_up() -> None:
    models, optimizers = make()
    compare = kw.Compare({name: kw.bind(m, optimizers[name]) for name, m in models.items()})
    results, seconds = [], []
    for epochs in (1, 2):
        run = kw.fit(models, batches(), optimizers, cross_entropy, epochs)
        results.append(run.result)
        seconds.append({record["name"]: record["seconds"] for record in compare.table()})
    for record in compare.table():
        name = record["name"]
        own = sum(result[name].seconds for result in results)
        assert record["seconds_per_step"] == pytest.approx(own / 12)
        assert record["seconds"] == seconds[1][name] > seconds[0][name] > 0
        assert (record["steps"], record["epochs"]) == (12, 3)


def test_a_bare_loop_is_timed_between_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    # A step that a busy machine makes wait would count as a pause, which is not timed.
    monkeypatch.setattr("kan_widgets.live.steering.counter._QUIET_SECONDS", 60.0)
    models, optimizers = make()
    live = kw.bind(models["KAN"], optimizers["KAN"])
    compare = kw.Compare({"KAN": live, "MLP": models["MLP"]})
    began = time.perf_counter()
    losses = [step(live, models["KAN"], optimizers["KAN"]) for _ in range(5)]
    passed = time.perf_counter() - began
    bare, untouched = compare.table()
    assert bare["steps"] == 5
    # The time by the clock on the wall has in it what counting took.
    assert 0 < 4 * bare["seconds_per_step"] <= bare["seconds"] < passed
    assert bare["loss"] == pytest.approx(losses[-1])
    assert (bare["epochs"], bare["accuracy"]) == (None, None)
    assert (untouched["steps"], untouched["seconds"], untouched["loss"]) == (0, None, None)


def test_epochs_of_tracked_loops_add_up_and_count_in_part() -> None:
    models, optimizers = make()
    model, optimizer = models["KAN"], optimizers["KAN"]
    live = kw.bind(model, optimizer)
    compare = kw.Compare({"KAN": live})
    seen = []
    for _ in live.track(batches(), epochs=2):
        step(live, model, optimizer)
        seen.append(compare.table()[0]["epochs"])
    assert seen[1:] == [0.25 * k for k in range(1, 8)]
    for _ in live.track(batches()):
        step(live, model, optimizer)
    assert compare.table()[0]["epochs"] == 3
    step(live, model, optimizer)
    assert compare.table()[0]["epochs"] == 3


def test_parameters_and_their_growth_are_told(models: Models) -> None:
    compare = kw.Compare(models)
    kan, mlp = compare.table()
    assert (kan["parameters"], kan["order"]) == (54, "O(N²·G)")
    assert (mlp["parameters"], mlp["order"]) == (26, "O(N²)")
    assert [(one["model"], one["formula"]) for one in compare.layers()] == [
        ("KAN", "3·2·(G + k + 1) = 6·(5 + 3 + 1) = 54"),
        ("MLP", "3·4 + 4 = 12 + 4 = 16"),
        ("MLP", "4·2 + 2 = 8 + 2 = 10"),
    ]
    assert shown(compare)["parameters"] == ["54", "26"]


def test_a_grid_that_changes_is_counted_again(models: Models) -> None:
    live = kw.bind(models["KAN"])
    compare = kw.Compare({"KAN": live})
    layer: Any = models["KAN"]
    layer.basis = kw.nn.BSpline(8, 3, (-1.0, 1.0))
    layer.spline_weight = nn.Parameter(torch.zeros(2, 3, 11))
    live.refresh()
    assert compare.table()[0]["parameters"] == 6 * (8 + 3 + 1)
    assert "6·(8 + 3 + 1)" in compare.layers()[0]["formula"]


def test_what_goes_by_other_names_stands_in_one_row(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    lives["KAN"].log(1, loss=1.5, val_acc=0.5, custom=7)
    lives["MLP"].log(1, train_loss=2.5, eval_accuracy=0.25)
    assert shown(compare)["eval accuracy at step 1"] == ["50 %", "25 %"]
    assert [record["custom"] for record in compare.table()] == [7, None]
    assert panels(compare) == ["loss", "eval_accuracy", "custom"]


# -- what they are compared by


def decided(compare: kw.Compare) -> list[tuple[Any, ...]]:
    """Give what they are compared by, as the page gets it."""
    compare._draw_job.now()
    return [tuple(one.values())[:4] for one in compare.content["deciding"]]


def log(live: kw.Binding, values: Sequence[float]) -> None:
    """Log one accuracy for each step from 1 on."""
    for number, value in enumerate(values, 1):
        live.step()
        live.log(number, accuracy=value)


def test_models_are_compared_at_the_last_step_that_all_have_come_to(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    assert decided(compare) == []
    accuracies = np.linspace(0, 1, 100)
    log(lives["KAN"], accuracies.tolist())
    log(lives["MLP"], [0.25, 0.75] * 20)
    mean = pytest.approx(accuracies[10:40].mean())
    assert decided(compare) == [("accuracy", 11, 40, [mean, 0.5])]
    rows = shown(compare)
    assert rows["mean accuracy of steps 11 to 40"] == [
        f"{100 * accuracies[10:40].mean():.3g} %",
        "50.0 %",
    ]
    # Once both have made as many steps, there is nothing more to say of them.
    for number in range(41, 101):
        lives["MLP"].step()
        lives["MLP"].log(number, accuracy=0.5)
    assert decided(compare) == [("accuracy", 71, 100, [pytest.approx(accuracies[70:].mean()), 0.5])]


def test_means_come_with_their_standard_errors_where_the_spread_is_known() -> None:
    logs = [Scalars(), Scalars()]
    values = np.random.default_rng(0).uniform(size=(2, 40))
    for scalars, own in zip(logs, values, strict=True):
        for step, value in enumerate(own, 1):
            scalars.add(step, {"accuracy": value})
    [found] = deciding(logs)
    assert found["errors"] == pytest.approx(stats.sem(values[:, 10:], axis=1))
    alone = Scalars()
    alone.add(40, {"accuracy": 1.0})
    assert deciding([logs[0], alone])[0]["errors"][1] is None


def test_what_is_logged_while_the_numbers_are_read_is_not_compared_yet() -> None:
    logs = [Scalars(), Scalars()]
    for step in range(1, 44):
        for scalars in logs[: 2 if step < 43 else 1]:
            scalars.add(step, {"loss": 1 / step})
    # The table has both at step 41: so does the verdict, though 42 steps were logged for both.
    assert deciding(logs, 41)[0]["step"] == 41
    assert deciding(logs)[0]["step"] == 42
    # Who logs by a count of another kind is compared as it was logged.
    assert deciding(logs, 3)[0]["step"] == 42


def test_what_is_measured_on_held_out_data_is_no_mean(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    for number, value in ((10, 0.5), (20, 0.6), (30, 0.9)):
        lives["KAN"].log(number, val_acc=value, accuracy=1.0)
    lives["MLP"].log(25, val_acc=0.7)
    assert decided(compare) == [("eval_accuracy", 25, 25, [0.6, 0.7])]


def test_a_quantity_is_compared_with_others_of_the_same_data(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    for name, loss in (("KAN", 0.25), ("MLP", 0.5)):
        for number in (1, 2):
            lives[name].log(number, loss=loss, accuracy=1.0)
    assert decided(compare) == [("accuracy", 1, 2, [1, 1]), ("loss", 1, 2, [0.25, 0.5])]
    lives["KAN"].log(2, val_acc=float("nan"))
    assert decided(compare) == [("eval_accuracy", 2, 2, ["nan", None])]


def test_rows_in_which_nothing_is_known_are_left_out(models: Models) -> None:
    assert list(shown(kw.Compare(bound(models)))) == [
        "parameters",
        "steps",
    ]


def test_different_data_are_hinted_at(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    lives["KAN"].data_source, lives["MLP"].data_source = "MNIST", "digits"
    words = compare.svg()
    assert "The models are trained on different data." in words
    assert "KAN trained on: MNIST; MLP trained on: digits" in words


# -- what is drawn


def test_a_model_has_its_colour_in_every_curve_whoever_logs_first(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    lives["MLP"].log(1, loss=1.0)
    lives["KAN"].log(1, accuracy=1.0)
    lives["MLP"].log(2, accuracy=1.0)
    compare._draw_job.now()
    drawn = [(curve["panel"], curve["name"], curve["kind"]) for curve in compare.curves]
    assert drawn == [("loss", "MLP", "MLP"), ("accuracy", "KAN", "KAN"), ("accuracy", "MLP", "MLP")]
    assert [model["name"] for model in compare.content["models"]] == ["KAN", "MLP"]


def test_two_curves_of_one_quantity_and_model_keep_their_own_names(models: Models) -> None:
    live = kw.bind(models["KAN"])
    compare = kw.Compare({"KAN": live})
    live.log(1, val_loss=1.0)
    compare._draw_job.now()
    live.log(1, test_loss=2.0)
    compare._draw_job.now()
    drawn = [(curve["name"], curve["kind"]) for curve in compare.curves]
    assert drawn == [("KAN val_loss", "KAN"), ("KAN test_loss", "KAN")]
    assert panels(compare) == ["eval_loss"]


def test_the_curves_are_what_was_logged(models: Models) -> None:
    live = kw.bind(models["KAN"])
    compare = kw.Compare({"KAN": live}, smoothing=0)
    values = [3.0, 1.0, 2.0]
    for number, value in enumerate(values):
        live.log(number, loss=value)
    compare._draw_job.now()
    [curve] = compare.curves
    assert (numbers(curve, "x"), numbers(curve, "y")) == ([0, 1, 2], values)
    compare.zoom = [1, 2]
    compare.scale = "log"
    compare.smoothing = 30
    compare._draw_job.now()
    [curve] = compare.curves
    assert numbers(curve, "x") == [0, 1, 2]  # the one before the window leads into it


def test_marks_of_all_models_stand_once_and_others_with_a_name(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    for live in lives.values():
        live.log(1, loss=1.0)
        live.scalars.mark(1, "warm")
    lives["MLP"].scalars.mark(2, "cold")
    compare._draw_job.now()
    assert compare.marks == [[1, "warm"], [2, "MLP: cold"]]


def test_each_model_has_a_grid_of_its_kernels(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives, height=123, theme="dark")
    assert [grid.live for grid in compare.grids.values()] == list(lives.values())
    assert {(grid.height, grid.theme) for grid in compare.grids.values()} == {(123, "dark")}
    assert compare.parts == [f"anywidget:{grid.model_id}" for grid in compare.grids.values()]
    assert compare.stream is compare.grids["KAN"].stream
    compare.height, compare.theme = 200, "light"
    assert {(grid.height, grid.theme) for grid in compare.grids.values()} == {(200, "light")}


def test_one_example_runs_through_the_networks_of_all_that_can_take_it() -> None:
    torch.manual_seed(0)
    kan, cnn = kw.nn.KANCNN.article(), kw.nn.CNN()
    other = torch.nn.Sequential(torch.nn.Linear(3, 2))
    lives = {"KAN": kw.bind(kan), "CNN": kw.bind(cnn), "other": kw.bind(other)}
    lives["other"].probe(torch.ones(2, 3))
    images = torch.rand(4, 1, 28, 28)
    # The first one that follows some gives them to the others.
    lives["CNN"].observe(images)
    compare = kw.Compare(lives)
    assert compare.networks == {}
    lives["KAN"].probe(images, labels=[1, 2, 3, 4])
    compare.show = "networks"
    assert compare.diagrams == [f"anywidget:{one.model_id}" for one in compare.networks.values()]
    compare._draw_job.now()
    for name in ("KAN", "CNN"):
        assert (probed := lives[name].feed.probed) is not None
        assert np.array_equal(probed.inputs, images.numpy())
        assert probed.labels == (1, 2, 3, 4)
    assert (own := lives["other"].feed.probed) is not None
    assert own.inputs.shape == (2, 3)
    svg = ElementTree.fromstring(compare.svg(width=900))
    words = [text.text for text in svg.iter(f"{SVG}text")]
    assert sum((text or "").startswith("image 1 of 4: ") for text in words) == 2
    assert "Network" in words
    assert "Network" not in compare.svg(show="kernels")


def test_of_models_that_train_one_after_another_none_shows_other_examples_first() -> None:
    models = {"first": kw.nn.KANLinear(3, 2), "second": kw.nn.KANLinear(3, 2)}
    models["other"] = kw.nn.KANLinear(4, 2)
    optimizers = {name: torch.optim.SGD(model.parameters(), 0.1) for name, model in models.items()}
    lives = {name: kw.bind(model, optimizers[name]) for name, model in models.items()}
    compare = kw.Compare(lives, show="networks")
    seen: dict[str, list[Any]] = {name: [] for name in models}

    class Seen(Listener):
        def __init__(self, name: str) -> None:
            self.name = name

        def on_probe(self, probe: Any) -> None:
            seen[self.name].append(probe.inputs)

    listeners = [Seen(name) for name in models]
    for live, listener in zip(lives.values(), listeners, strict=True):
        live.feed.subscribe(listener)
    batches = {name: torch.rand(8, 4 if name == "other" else 3) for name in models}
    cells._cell_started()
    for name, model in models.items():
        for _ in range(3):
            model(batches[name]).sum().backward()
            optimizers[name].step()
        wait_for(lambda: all(one._wanted for one in compare._compared[1:]))
    cells._cell_ended()
    assert {name: len(each) for name, each in seen.items()} == dict.fromkeys(models, 1)
    assert np.array_equal(seen["second"][0], batches["first"])
    assert np.array_equal(seen["other"][0], batches["other"])


def test_a_name_is_no_markup(models: Models) -> None:
    name = "<b>K&N</b>"
    compare = kw.Compare({name: models["KAN"]})
    svg = ElementTree.fromstring(compare.svg())
    assert name in [text.text for text in svg.iter(f"{SVG}text")]
    assert list(svg.iter(f"{SVG}b")) == []
    assert compare.table()[0]["name"] == name


def test_news_reach_the_page_by_themselves(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    lives["MLP"].log(1, loss=0.5)

    wait_for(lambda: [one["values"] for one in compare.content["deciding"]] == [[None, 0.5]])
    wait_for(lambda: [curve["panel"] for curve in compare.curves] == ["loss"])


# -- what it does to the training


def test_weights_are_the_same_bits_with_and_without_it() -> None:
    trained = []
    for watched in (False, True):
        models, optimizers = make()
        if watched:
            compare = kw.Compare({n: kw.bind(m, optimizers[n]) for n, m in models.items()})
        random = torch.get_rng_state()
        kw.fit(models, batches(), optimizers, cross_entropy, 5, eval_loader=batches(1))
        if watched:
            compare._draw_job.now()
        assert torch.equal(torch.get_rng_state(), random)
        trained.append([p.clone() for model in models.values() for p in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*trained, strict=True))


def test_it_can_be_made_while_its_models_are_trained() -> None:
    models, optimizers = make()
    lives = {name: kw.bind(model, optimizers[name]) for name, model in models.items()}
    run = kw.fit(models, batches(200), optimizers, cross_entropy, 50, background=True)
    wait_for(lambda: lives["MLP"].stats.steps > 2)
    compare = kw.Compare(lives)
    wait_for(lambda: compare.table()[1]["steps"] > 30)
    run.stop()
    run.wait(20)
    steps = [record["steps"] for record in compare.table()]
    assert steps == [live.stats.steps for live in lives.values()]


def test_it_follows_a_binding_that_is_replaced() -> None:
    models, optimizers = make()
    lives = {name: kw.bind(model, optimizers[name]) for name, model in models.items()}
    compare = kw.Compare(lives)
    lives["KAN"].log(1, loss=1.0)
    other = torch.optim.SGD(models["KAN"].parameters(), lr=0.1)
    later = kw.bind(models["KAN"], other)
    later.log(7, loss=2.0)
    assert shown(compare)["loss at step 7"] == ["2", "–"]
    assert compare.lives == {"KAN": later, "MLP": lives["MLP"]}
    assert compare.grids["KAN"].live is later
    [curve] = compare.curves
    assert numbers(curve, "x") == [7]


def test_the_last_numbers_stay_when_a_model_is_gone(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    lives["KAN"].log(3, loss=0.25)
    compare._draw_job.now()
    gone = weakref.ref(models["KAN"])
    del lives["KAN"], models["KAN"]
    gc.collect()
    assert gone() is None
    assert shown(compare)["loss at step 3"] == ["0.25", "–"]
    assert compare.table()[0]["parameters"] == 54


# -- its end


def test_closing_removes_it_and_leaves_the_bindings(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    compare._draw_job.now()
    grids = list(compare.grids.values())
    before = compare.content
    compare.close()
    compare.close()
    lives["KAN"].log(1, loss=1.0)
    compare._draw_job.now()
    assert [part.comm for part in (compare, *grids)] == [None] * (1 + len(grids))
    assert compare.content == before
    assert [live.state for live in lives.values()] == ["idle", "idle"]


def test_closing_lets_a_bare_model_go() -> None:
    model = kw.nn.KANLinear(2, 2)
    compare = kw.Compare({"KAN": model})
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is not None
    compare.close()
    gc.collect()
    assert gone() is None


# -- the picture


def test_a_still_picture_is_as_wide_as_asked_in_both_themes(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    light, dark = (compare.image(width=500, theme=theme) for theme in ("light", "dark"))
    assert light.size == dark.size
    assert light.width == 1000
    assert light.getpixel((5, light.height - 1)) == (255, 255, 255)
    assert dark.getpixel((5, dark.height - 1)) == (22, 24, 28)
    for live in lives.values():
        live.log(1, loss=1.0)
        live.log(2, loss=0.5)
    assert compare.image(width=500).height > light.height


def test_the_picture_has_each_model_s_colour(models: Models) -> None:
    compare = kw.Compare(models)
    picture = np.asarray(compare.image(width=700, pixel_ratio=1)).reshape(-1, 3)
    colours = [(214, 158, 0), (69, 79, 104), (16, 152, 173)]
    found = [bool((picture == colour).all(axis=1).any()) for colour in colours]
    assert found == [True, True, False]


def test_a_file_keeps_the_colours_of_the_theme(models: Models) -> None:
    lives = bound(models)
    for k in range(50):
        for number, live in enumerate(lives.values()):
            live.log(k, loss=number + k % 7, accuracy=1 / (k + 1))
    image = kw.Compare(lives).image(theme="dark", pixel_ratio=1)
    read = Image.open(io.BytesIO(png_bytes(image))).convert("RGB")
    surface, cell = (22, 24, 28), (42, 47, 54)
    common = sorted(read.getcolors(1 << 24) or [], reverse=True)[:2]
    assert [colour for _, colour in common] == [surface, cell]


def test_a_picture_that_cannot_be_is_refused(models: Models) -> None:
    compare = kw.Compare(models)
    with pytest.raises(traitlets.TraitError, match=r"theme='blue': expected one of "):
        compare.image(theme="blue")
    with pytest.raises(ValueError, match="width=100: expected at least 300 pixels"):
        compare.image(width=100)


def test_numbers_and_kernels_of_all_models_are_in_the_picture(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    lives["MLP"].log(1, loss=0.25)
    svg = ElementTree.fromstring(compare.svg(width=900))
    words = [text.text for text in svg.iter(f"{SVG}text")]
    for values in shown(compare).values():
        assert set(values) <= set(words)
    # Named in the table, over its kernels; the second over its curve too.
    assert words.count("KAN") == 2
    assert words.count("step 0") >= 2
    for option in ({"scale": "log"}, {"smoothing": 0}, {"zoom": [0, 2]}, {"height": 100}):
        assert compare.svg(**option)
    assert (compare.scale, compare.height) == ("auto", 360)


def test_an_animation_moves_the_kernels_of_all_models(tmp_path: Path) -> None:
    models, optimizers = make()
    lives = {name: kw.bind(m, optimizers[name], every=1) for name, m in models.items()}
    compare = kw.Compare(lives)
    for _ in range(3):
        for name, model in models.items():
            step(lives[name], model, optimizers[name])
        for live in lives.values():
            live.refresh()
    asked: list[list[int]] = []
    drawn = compare._picture_request

    def noted(*arguments: Any) -> dict[str, Any]:
        made = drawn(*arguments)
        streams = [part["stream"] for part in made["parts"]]
        # A frame that is the first one is not sent twice.
        asked.append([(stream["frame"] or stream["initial"])["step"] for stream in streams])
        return made

    compare._picture_request = noted  # type: ignore[method-assign]
    path = compare.animate(tmp_path / "run.gif", steps=[0, 3], quiet=True, width=400)
    assert path.stat().st_size > 0
    assert {tuple(steps) for steps in asked} == {(0, 0), (3, 3)}


def test_a_model_stands_still_while_its_thread_trains_another(models: Models) -> None:
    lives = bound(models)

    def after(name: str) -> list[str]:
        lives[name].step()
        # Their quiet comes from the clock: here each is settled as soon as the other goes on.
        for other in lives.values():
            if other is not lives[name]:
                other.feed.settle()
        return [live.feed.standing.words for live in lives.values()]

    assert after("KAN") == ["training", "not training"]
    assert after("MLP") == ["waiting for its turn", "training"]
    assert after("KAN") == ["training", "waiting for its turn"]
    compare = kw.Compare(lives)
    assert [row["state"] for row in compare.table()] == ["running", "still"]


def test_the_table_and_the_curves_are_of_one_moment(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    lives["KAN"].log(1, loss=2.0, accuracy=0.5)
    whole = compare._wire

    def meanwhile(*args: Any) -> list[dict[str, Any]]:
        found = whole(*args)
        lives["KAN"].log(2, loss=1.0)
        return found

    monkeypatch.setattr(compare, "_wire", meanwhile)
    compare._draw_job.now()
    assert numbers(compare.curves[0], "y") == [2.0]


# -- a notebook


def test_a_saved_notebook_has_the_picture_beside_the_live_view(
    models: Models, tmp_path: Path
) -> None:
    compare = kw.Compare(models)
    bundle = compare._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert {"image/png", "application/vnd.jupyter.widget-view+json"} <= set(data)
    assert compare.to_png(tmp_path / "compare.png").read_bytes()[:4] == b"\x89PNG"


# -- hidden units matched


def two_alike(kind: str = "dense") -> tuple[Models, list[int]]:
    """Return a network, and a copy of it with its hidden units in another order."""
    torch.manual_seed(0)
    layers = [kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 2)]
    with torch.no_grad():
        for layer in layers:
            layer.spline_weight.normal_()
    model = nn.Sequential(*layers)
    other, order = copy.deepcopy(model), [2, 0, 1]
    with torch.no_grad():
        for weight in other[0].parameters():
            weight.copy_(weight.clone()[order])
        for weight in other[1].parameters():
            weight.copy_(weight.clone()[:, order])
    return {"A": model, "B": other}, order


def test_diagrams_of_two_networks_have_the_same_units_in_the_same_rows() -> None:
    models, order = two_alike()
    compare = kw.Compare(models, show="networks")
    svg = compare.svg(width=900)
    first, second = compare.networks.values()
    assert first.order is None
    [(name, units)] = second.order.items()
    assert name == compare.matched.layers[0]
    # Unit k of the second is unit order[k] of the first.
    assert np.asarray(order)[units].tolist() == list(range(len(units)))
    assert "units of B stand in the order of A" in svg


def test_two_networks_have_the_same_functions_at_the_same_places() -> None:
    models, order = two_alike()
    compare = kw.Compare(models)
    svg = compare.svg(width=900)
    assert compare.matched is not None
    assert compare.matched.distance == pytest.approx(0, abs=1e-8)
    assert "matched at step 0: functions most alike stand at the same place" in svg
    scores = {}
    for name, grid in compare.grids.items():
        assert grid.sort == "matched"
        layers = grid.scores[grid.sort]["layers"]
        scores[name] = [np.frombuffer(layers[key], "<f4") for key in ("0", "1")]
    first, second = scores["A"][0].reshape(3, 2), scores["B"][0].reshape(3, 2)
    assert second == pytest.approx(first[order])
    assert scores["B"][1].reshape(2, 3) == pytest.approx(scores["A"][1].reshape(2, 3)[:, order])
    [functions] = kw.functions.read(models["A"][0])  # type: ignore[index]
    values = functions.evaluate(torch.linspace(-1, 1, 41)).numpy()
    assert first == pytest.approx(values.std(axis=-1), rel=1e-3)


def test_matching_is_switched_off_by_a_keyword_and_left_where_networks_differ() -> None:
    models, _ = two_alike()
    for compare in (
        kw.Compare(models, align=False),
        kw.Compare(make()[0]),
        kw.Compare({**models, "C": kw.nn.KANLinear(2, 2)}),
    ):
        assert "most alike" not in compare.svg(width=900)
        assert compare.matched is None
        assert {grid.sort for grid in compare.grids.values()} == {"position"}


def test_nothing_is_computed_beside_a_training_that_may_begin() -> None:
    models, _ = two_alike()
    compare = kw.Compare(models)
    compare._draw_job.now()
    assert compare._matching is None
    compare.svg(width=900)
    assert compare.matched is not None


def test_unrelated_networks_are_no_nearer_than_by_chance_and_that_is_said() -> None:
    torch.manual_seed(1)
    models: Models = {}
    for name in "AB":
        layers = [kw.nn.KANLinear(3, 6), kw.nn.KANLinear(6, 2)]
        with torch.no_grad():
            for layer in layers:
                layer.spline_weight.normal_()
        models[name] = nn.Sequential(*layers)
    compare = kw.Compare(models)
    svg = compare.svg(width=900)
    assert compare.matched is not None
    assert (compare.matched.p > 0.05) == ("no nearer than by chance" in svg)
    assert compare.matched.p > 0.05


def test_a_training_is_matched_once_it_has_ended_and_what_a_reader_sorts_by_stays() -> None:
    models, _ = two_alike()
    x, y = torch.rand(32, 2), torch.randint(0, 2, (32,))
    optimizers = {n: torch.optim.Adam(model.parameters()) for n, model in models.items()}
    lives = {name: kw.bind(model, optimizers[name]) for name, model in models.items()}
    compare = kw.Compare(lives)
    compare.svg(width=900)
    first = compare.matched
    compare.grids["A"].sort = "range"
    for live in lives.values():
        loop = live.track(range(3))
        for number in loop:
            model = models["A" if live is lives["A"] else "B"]
            cross_entropy(model(x), y).backward()
            optimizers["A" if live is lives["A"] else "B"].step()
            compare._draw_job.now()
            if number < 2 and compare._matching is not None:
                compare._matching.join()
                assert compare.matched is first
    assert "matched at step 3" in compare.svg(width=900)
    assert compare.matched is not first
    assert compare.grids["A"].sort == "range"
    assert compare.grids["B"].sort == "matched"
