"""Compare: what it refuses, its numbers, its curves and colours, and its end."""

from __future__ import annotations

import gc
import html
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from torch import nn
from torch.nn.functional import cross_entropy

import kan_widgets as kw
from kan_widgets.live import History, binding_of
from kan_widgets.live.frames.source import Source
from kan_widgets.widgets import comparison
from kan_widgets.widgets.chart_still import CURVES

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
    """Give the rows of the table as the page gets them."""
    compare._painter.now()
    return {row["key"]: row["values"] for row in compare._table.shown["rows"]}


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
        ({}, ValueError, "models is empty"),
        (3, TypeError, "a dict of bindings by name"),
        ([1], TypeError, "a dict of bindings by name"),
        ({"a": 3}, TypeError, r"models\['a'\] is 3: give a model"),
        ({"a": nn.ReLU()}, ValueError, "no readable functions"),
        ({3: nn.Linear(1, 1)}, TypeError, "the name 3 is no word"),
        ({" ": nn.Linear(1, 1)}, TypeError, "the name ' ' is no word"),
        ({str(k): nn.Linear(1, 1) for k in range(8)}, ValueError, "8 models: up to 7"),
    ],
)
def test_what_cannot_be_compared_is_refused(given: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        kw.Compare(given)


def test_nothing_is_bound_when_one_of_them_is_refused(models: Models) -> None:
    with pytest.raises(TypeError):
        kw.Compare({**models, "what": 3})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="no readable functions"):
        kw.Compare({**models, "what": nn.ReLU()})
    with pytest.raises(traitlets.TraitError, match="theme='drak'"):
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
    with pytest.raises(TypeError, match="nothing trains there"):
        kw.Compare({"a": Source(history)})
    live.close()
    with pytest.raises(ValueError, match=r"models\['a'\] is closed: bind the model again"):
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
        assert record["seconds"] == pytest.approx(result.seconds)
        assert record["seconds_per_step"] == pytest.approx(result.seconds / 12)
        assert record["loss"] == live.scalars.series("loss")[1][-1]
        assert record["accuracy"] == result.accuracy[-1]
        assert record["eval_loss"] == result.eval_loss[-1]
        assert record["eval_accuracy"] == result.eval_accuracy[-1]


def test_the_seconds_of_several_fits_add_up() -> None:
    models, optimizers = make()
    compare = kw.Compare({name: kw.bind(m, optimizers[name]) for name, m in models.items()})
    runs = [kw.fit(models, batches(), optimizers, cross_entropy, n) for n in (1, 2)]
    for record in compare.table():
        results = [run.result[record["name"]] for run in runs]
        assert record["seconds"] == pytest.approx(sum(result.seconds for result in results))
        assert (record["steps"], record["epochs"]) == (12, 3)


def test_a_bare_loop_is_timed_between_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    # A step that a busy machine makes wait would count as a pause, which is not timed.
    monkeypatch.setattr("kan_widgets.live.watching.counter._QUIET_SECONDS", 60.0)
    models, optimizers = make()
    live = kw.bind(models["KAN"], optimizers["KAN"])
    compare = kw.Compare({"KAN": live, "MLP": models["MLP"]})
    began = time.perf_counter()
    losses = [step(live, models["KAN"], optimizers["KAN"]) for _ in range(5)]
    passed = time.perf_counter() - began
    bare, untouched = compare.table()
    assert bare["steps"] == 5
    assert 0 < bare["seconds"] < passed
    assert bare["seconds_per_step"] == pytest.approx(bare["seconds"] / 4)
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
    assert (kan["parameters"], kan["order"], kan["parameters_doubled"]) == (54, "O(N²·G)", 84)
    assert (mlp["parameters"], mlp["order"], mlp["parameters_doubled"]) == (26, "O(N²)", 26)
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
    rows = shown(compare)
    assert rows["loss"] == ["1.5", "2.5"]
    assert rows["eval_accuracy"] == ["0.5", "0.25"]
    assert rows["custom"] == ["7", "–"]
    assert [record["custom"] for record in compare.table()] == [7, None]
    assert compare.chart.panels == ("loss", "eval accuracy", "custom")


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "–"), (0.0031, "3.1 ms"), (75.0, "75 s"), (4210.0, "1:10:10")]
)
def test_times_are_told_in_a_unit_that_suits_them(seconds: float | None, words: str) -> None:
    assert comparison._seconds(seconds) == words


# -- whether they can be compared


def hints(compare: kw.Compare) -> list[str]:
    compare._painter.now()
    found: list[str] = compare._table.shown["hints"]
    return found


def test_different_numbers_of_steps_are_hinted_at(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    assert hints(compare) == []
    for _ in range(3):
        lives["KAN"].step()
    [hint] = hints(compare)
    assert "KAN 3, MLP 0" in hint
    for _ in range(3):
        lives["MLP"].step()
    assert hints(compare) == []


def test_models_that_take_turns_are_not_hinted_at_while_one_is_a_step_ahead() -> None:
    models, optimizers = make()
    lives = {name: kw.bind(model, optimizers[name]) for name, model in models.items()}
    compare = kw.Compare(lives)
    said = []
    for _ in range(2):
        for name, model in models.items():
            step(lives[name], model, optimizers[name])
            said.append(hints(compare))
    assert said == [[]] * 4


def test_different_data_are_hinted_at(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    lives["KAN"].data_source = "MNIST"
    assert hints(compare) == []
    assert compare._table.shown["note"] == "KAN trained on: MNIST"
    lives["MLP"].data_source = "digits"
    assert hints(compare) == ["The models are trained on different data."]
    assert compare._table.shown["note"] == "KAN trained on: MNIST; MLP trained on: digits"
    lives["MLP"].data_source = "MNIST"
    assert hints(compare) == []
    assert compare._table.shown["note"] == "Trained on: MNIST"


# -- what is drawn


def test_a_model_has_its_colour_in_every_curve_whoever_logs_first(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    lives["MLP"].log(1, loss=1.0)
    lives["KAN"].log(1, accuracy=1.0)
    lives["MLP"].log(2, accuracy=1.0)
    compare._painter.now()
    panels = {
        panel.title: [(line.name, line.colour) for line in panel.lines if line.name]
        for panel in compare.chart.pictures()
    }
    assert panels == {"loss": [("MLP", 1)], "accuracy": [("KAN", 0), ("MLP", 1)]}
    for number, model in enumerate(compare._table.shown["models"]):
        light, dark = (CURVES[ground][number] for ground in ("light", "dark"))
        assert model["colours"] == ["#" + bytes(c).hex() for c in (light, dark)]
        heading = compare.children[0].children[number].children[0].value
        assert all(colour in heading for colour in model["colours"])


def test_two_curves_of_one_quantity_and_model_keep_their_own_names(models: Models) -> None:
    live = kw.bind(models["KAN"])
    compare = kw.Compare({"KAN": live})
    live.log(1, val_loss=1.0)
    compare._painter.now()
    live.log(1, test_loss=2.0)
    compare._painter.now()
    [panel] = compare.chart.pictures()
    names = [line.name for line in panel.lines if line.name]
    assert names == ["KAN val_loss", "KAN test_loss"]


def test_the_curves_are_what_was_logged(models: Models) -> None:
    live = kw.bind(models["KAN"])
    compare = kw.Compare({"KAN": live}, smoothing=0)
    values = [3.0, 1.0, 2.0]
    for number, value in enumerate(values):
        live.log(number, loss=value)
    compare._painter.now()
    [panel] = compare.chart.pictures()
    np.testing.assert_array_equal(panel.lines[0].steps, [0, 1, 2])
    np.testing.assert_array_equal(panel.lines[0].values, values)


def test_marks_of_all_models_stand_once_and_others_with_a_name(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    for live in lives.values():
        live.log(1, loss=1.0)
        live.scalars.mark(1, "warm")
    lives["MLP"].scalars.mark(2, "cold")
    compare._painter.now()
    assert compare.chart.tools.marks == [[1, "warm"], [2, "MLP: cold"]]


def test_each_model_has_a_grid_of_its_kernels(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives, height=123, theme="dark")
    assert [grid.live for grid in compare.grids.values()] == list(lives.values())
    assert {(grid.height, grid.theme) for grid in compare.grids.values()} == {(123, "dark")}


def test_a_name_is_no_markup(models: Models) -> None:
    name = "<b>K&N</b>"
    compare = kw.Compare({name: models["KAN"]})
    heading = compare.children[0].children[0].children[0].value
    assert html.escape(name) in heading
    assert name not in heading
    assert compare.table()[0]["name"] == name


def test_news_reach_the_page_by_themselves(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    lives["MLP"].log(1, loss=0.5)

    def loss() -> Any:
        rows = {row["key"]: row["values"] for row in compare._table.shown["rows"]}
        return rows.get("loss")

    wait_for(lambda: loss() == ["–", "0.5"])
    wait_for(lambda: compare.chart.panels == ("loss",))


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
            compare._painter.now()
        assert torch.equal(torch.get_rng_state(), random)
        trained.append([p.clone() for model in models.values() for p in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*trained, strict=True))


def test_it_can_be_made_while_its_models_are_trained() -> None:
    models, optimizers = make()
    lives = {name: kw.bind(model, optimizers[name]) for name, model in models.items()}
    run = kw.fit(models, batches(200), optimizers, cross_entropy, 50, background=True)
    wait_for(lambda: lives["MLP"].stats.steps > 2)
    compare = kw.Compare(lives)
    wait_for(lambda: int(shown(compare)["steps"][1].replace(",", "")) > 30)
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
    assert shown(compare)["loss"] == ["2", "–"]
    assert compare.lives == {"KAN": later, "MLP": lives["MLP"]}
    assert compare.grids["KAN"].live is later
    [panel] = compare.chart.pictures()
    assert panel.lines[0].steps.tolist() == [7]


def test_the_last_numbers_stay_when_a_model_is_gone(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    lives["KAN"].log(3, loss=0.25)
    compare._painter.now()
    gone = weakref.ref(models["KAN"])
    del lives["KAN"], models["KAN"]
    gc.collect()
    assert gone() is None
    assert shown(compare)["loss"] == ["0.25", "–"]
    assert compare.table()[0]["parameters"] == 54


# -- its end


def test_closing_removes_it_and_leaves_the_bindings(models: Models) -> None:
    lives = bound(models)
    compare = kw.Compare(lives)
    compare._painter.now()
    grids = list(compare.grids.values())
    parts = [*compare.children, *compare.children[0].children, *grids]
    before = compare._table.shown
    compare.close()
    compare.close()
    lives["KAN"].log(1, loss=1.0)
    compare._painter.now()
    assert [part.comm for part in parts] == [None] * len(parts)
    assert compare._table.shown == before
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
    for number in range(2):
        assert (picture == CURVES["light"][number]).all(axis=1).any()
    assert not (picture == CURVES["light"][2]).all(axis=1).any()


def test_a_picture_that_cannot_be_is_refused(models: Models) -> None:
    compare = kw.Compare(models)
    with pytest.raises(ValueError, match="theme='blue'"):
        compare.image(theme="blue")
    with pytest.raises(ValueError, match="width=100"):
        compare.image(width=100)


def test_a_saved_notebook_has_the_picture_beside_the_live_view(
    models: Models, tmp_path: Path
) -> None:
    compare = kw.Compare(models)
    bundle = compare._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert {"image/png", "application/vnd.jupyter.widget-view+json"} <= set(data)
    assert compare.to_png(tmp_path / "compare.png").read_bytes()[:4] == b"\x89PNG"
