"""What is printed of an example is what the model made of it at one step, whichever is drawn."""

from __future__ import annotations

import copy
import json
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
from kan_widgets.live.frames.structure import structure_dict
from kan_widgets.widgets.stream import pictured

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
    """A training of a network of ten classes, with copies of its state after each step."""

    def __init__(self, model: nn.Module, digits: kw.data.Digits, lr: float = 7e-3) -> None:
        self.model, self.digits = model, digits
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
        self.live = kw.bind(model, self.optimizer, every=1, max_fps=1e6)
        self.live.probe(digits.test_images[:EXAMPLES], digits.test_labels[:EXAMPLES])
        self.states = {0: copy.deepcopy(model.state_dict())}

    def train(self, steps: int) -> None:
        self.model.train()
        for _ in range(steps):
            made = self.live.steps
            chosen = torch.arange(32) + 32 * (made % 8)
            images, labels = self.digits.train_images[chosen], self.digits.train_labels[chosen]
            self.optimizer.zero_grad()
            F.nll_loss(self.model(images), labels).backward()
            self.optimizer.step()
            self.states[made + 1] = copy.deepcopy(self.model.state_dict())

    def expected(self, step: int, image: Tensor) -> Tensor:
        """Return the probabilities of the classes by the model as it was at a step."""
        model = copy.deepcopy(self.model)
        model.load_state_dict(self.states[step])
        with torch.no_grad():
            return model.eval()(image[None])[0].exp()


def assert_printed(words: list[str], expected: Tensor) -> None:
    printed = shares_in(words)
    assert len(printed) == 10
    np.testing.assert_allclose(printed, expected.numpy(), rtol=0, atol=1e-3)
    [said] = [found for word in words if (found := re.search(r"predicted (\d) ", word))]
    assert expected[int(said[1])] >= expected.max() - 1e-3


def shown_step(words: list[str], step: int) -> int:
    """Return the step that the numbers are said to be of."""
    [verdict] = [word for word in words if "predicted" in word]
    found = re.search(r"as of step ([\d,]+)", verdict)
    return int(found[1].replace(",", "")) if found else step


def at_step(view: kw.NetworkView, step: int, **options: Any) -> list[str]:
    """Return the words of a picture of a step before, as in a moving one."""
    with pictured(view._stream, view.live.history.at(step)):
        return texts_of(view.svg(**options))


def test_each_step_of_a_training_prints_what_the_model_gives_there(digits: kw.data.Digits) -> None:
    torch.manual_seed(0)
    run = Run(kw.nn.KANCNN(), digits)
    view = kw.NetworkView(run.live)
    for steps in (1, 2, 3, 2):
        run.train(steps)
        words = texts_of(view.svg())
        assert_printed(words, run.expected(run.live.steps, digits.test_images[0]))
    steps = run.live.history.steps.tolist()
    assert (steps[0], steps[-1]) == (0, 8)
    assert len(steps) > 5
    for step in steps:
        for example in range(EXAMPLES):
            words = at_step(view, step, example=example)
            assert shown_step(words, step) == step
            assert_printed(words, run.expected(step, digits.test_images[example]))
