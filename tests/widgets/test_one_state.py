"""What is printed of an example is what the model made of it at one step, whichever is drawn."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.widgets.wire.broadcast import drawn_at

SVG = "{http://www.w3.org/2000/svg}"
EXAMPLES = 2


def texts_of(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def shares_in(words: list[str]) -> list[float]:
    """Return the probabilities beside the last units; "<0.1 %" counts as half of that."""
    found = [re.fullmatch(r"([<>]?)([\d.]+) %", word) for word in words]
    ends = {"<": 0.0005, ">": 0.9995}
    return [ends[one[1]] if one[1] else float(one[2]) / 100 for one in found if one]


@pytest.fixture(scope="module")
def digits() -> kw.data.Digits:
    return kw.data.mnist("embedded")


class Run:
    """A training of a network of ten classes, with copies of the network after each step."""

    def __init__(self, model: nn.Module, digits: kw.data.Digits, lr: float = 7e-3) -> None:
        self.model, self.digits = model, digits
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
        self.live = kw.bind(model, self.optimizer, every=1, max_fps=1e6)
        self.live.probe(digits.test_images[:EXAMPLES], digits.test_labels[:EXAMPLES])
        self.models = {0: copy.deepcopy(model)}

    def train(self, steps: int) -> None:
        self.model.train()
        for _ in range(steps):
            made = self.live.stats.steps
            chosen = torch.arange(32) + 32 * (made % 8)
            images, labels = self.digits.train_images[chosen], self.digits.train_labels[chosen]
            self.optimizer.zero_grad()
            F.nll_loss(self.model(images), labels).backward()
            self.optimizer.step()
            self.models[made + 1] = copy.deepcopy(self.model)

    def expected(self, step: int, image: Tensor) -> Tensor:
        """Return the probabilities of the classes by the model as it was at a step."""
        with torch.no_grad():
            return self.models[step].eval()(image[None])[0].exp()


def assert_printed(words: list[str], expected: Tensor) -> None:
    printed = shares_in(words)
    assert len(printed) == len(expected)
    np.testing.assert_allclose(printed, expected.numpy(), rtol=0, atol=1e-3)
    [said] = [found for word in words if (found := re.search(r"predicted (\d)", word))]
    assert expected[int(said[1])] >= expected.max() - 1e-3


def shown_step(words: list[str], step: int) -> int:
    """Return the step that the numbers are said to be of."""
    [verdict] = [word for word in words if "predicted" in word]
    found = re.search(r"as of step ([\d,]+)", verdict)
    return int(found[1].replace(",", "")) if found else step


def at_step(view: kw.NetworkView, step: int, **options: Any) -> list[str]:
    """Return the words of a picture of a step before, as in a moving one."""
    with drawn_at(view._stream, view.live.history.at(step)):
        return texts_of(view.svg(**options))


def test_each_step_of_a_training_prints_what_the_model_gives_there(
    digits: kw.data.Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Frames have a share of the time, which so few steps do not last.
    monkeypatch.setattr("kan_widgets.live.budget.Throttle.is_open", lambda self, now: True)
    torch.manual_seed(0)
    run = Run(kw.nn.KANCNN(), digits)
    view = kw.NetworkView(run.live)
    for steps in (1, 2, 3, 2):
        run.train(steps)
        words = texts_of(view.svg())
        assert_printed(words, run.expected(run.live.stats.steps, digits.test_images[0]))
    steps = run.live.history.steps.tolist()
    assert steps == list(range(9))
    for step in steps:
        for example in range(EXAMPLES):
            words = at_step(view, step, example=example)
            assert shown_step(words, step) == step
            assert_printed(words, run.expected(step, digits.test_images[example]))


class Mixed(nn.Module):
    """All that stands between functions: biases, a norm that is trained, slopes, a scale."""

    def __init__(self, how: str = "") -> None:
        super().__init__()
        self.how = how
        self.conv = nn.Conv2d(1, 4, 5, stride=4)
        self.norm = nn.BatchNorm2d(4)
        self.slopes = nn.PReLU(4)
        self.scale = nn.Parameter(torch.ones(4, 1, 1))
        self.register_buffer("divisor", torch.tensor(0.5))
        self.layer_norm = nn.LayerNorm(144)
        self.head = kw.nn.KANLinear(144, 10)
        self.last = nn.Linear(10, 10)
        self.temperature = 1.0

    def forward(self, x: Tensor) -> Tensor:
        x = self.slopes(self.norm(self.conv(x)))
        scale = self.scale.exp() if self.how == "a scale made of a parameter" else self.scale
        x = (x * scale) / self.divisor - 0.25
        x = self.last(self.head(self.layer_norm(x.flatten(1))))
        if self.how == "a number that changes":
            if self.training:
                self.temperature += 0.5
            x = x * self.temperature
        return F.log_softmax(x, dim=1)


def test_what_stands_between_the_functions_is_that_of_the_step_too(
    digits: kw.data.Digits, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    run = Run(Mixed(), digits, lr=0.05)
    run.train(6)
    again = kw.replay(run.live.save(tmp_path / "run.npz"))
    for source in (run.live, again):
        view = kw.NetworkView(source)
        for step in source.history.steps.tolist():
            words = at_step(view, step)
            assert shown_step(words, step) == step
            assert_printed(words, run.expected(step, digits.test_images[0]))


@pytest.mark.parametrize("how", ["a scale made of a parameter", "a number that changes"])
def test_where_the_page_does_not_know_a_step_another_is_drawn_and_named(
    digits: kw.data.Digits, how: str
) -> None:
    torch.manual_seed(0)
    run = Run(Mixed(how), digits, lr=0.05)
    run.live.feed.bound.probing.is_due = lambda now: False  # the examples follow at rest alone
    for _ in range(3):
        run.train(3)
        run.live.feed.settle()
    view = kw.NetworkView(run.live)
    named = set()
    for step in run.live.history.steps.tolist():
        words = at_step(view, step)
        named.add(shown := shown_step(words, step))
        assert shown <= step
        assert_printed(words, run.expected(shown, digits.test_images[0]))
    assert named < set(run.live.history.steps.tolist())


# What the network of run_without_vectors.npz gave for its first example, by the step.
BEFORE = {
    0: [0.3045, 0.2705, 0.425],
    2: [0.3763, 0.4124, 0.2113],
    4: [0.304, 0.3974, 0.2986],
    6: [0.2119, 0.4131, 0.375],
}


def test_of_a_recording_without_statistics_the_steps_of_the_examples_are_drawn_and_named() -> None:
    # Written by the version before frames had them: BatchNorm2d, Flatten, KANLinear, LogSoftmax.
    source = kw.replay(Path(__file__).parent / "run_without_vectors.npz")
    view = kw.NetworkView(source)
    assert source.history.steps.tolist() == [0, 1, 2, 3, 4, 5, 6]
    for step in range(7):
        words = at_step(view, step)
        assert shown_step(words, step) == step - step % 2
        assert_printed(words, torch.tensor(BEFORE[step - step % 2]))


def test_for_a_pad_without_a_drawing_nothing_is_predicted(digits: kw.data.Digits) -> None:
    torch.manual_seed(0)
    run = Run(kw.nn.KANCNN.article(), digits)
    view = kw.NetworkView(run.live, example=-1)
    blanks = None, np.full((28, 28), float(digits.test_images.min()), np.float32)
    for view.drawing in blanks:
        words = texts_of(view.svg())
        assert shares_in(words) == []
        assert not any("predicted" in word for word in words)
        assert "nothing is drawn yet" in words
    view.drawing = digits.test_images[0, 0].numpy()
    assert_printed(texts_of(view.svg()), run.expected(0, digits.test_images[0]))


def test_views_say_when_their_inputs_are_those_of_another_model() -> None:
    torch.manual_seed(0)
    model = kw.nn.KANCNN(image_size=12, channels=(3, 4))
    live, batch = kw.bind(model), torch.rand(20, 1, 12, 12)
    live.observe(batch)
    live.select("convs.1")
    views = (
        lambda: kw.SplineInspector(live),
        lambda: kw.KernelGrid(live, layer="linear"),
        lambda: kw.MeshgridView(live, layer="convs.1", input="observed"),
        lambda: kw.NetworkView(live),
    )

    def said() -> list[bool]:
        words = [texts_of(make().svg()) for make in views]
        return [any("seen at step 0" in text for text in texts) for texts in words]

    assert said() == [False] * 4
    live.step()
    live.refresh()
    assert said() == [True] * 4
    live.observe(batch)
    assert said() == [False] * 4
