"""Pages in which a network trains, as Python writes them; they run in tests/browser."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import prune

import kan_widgets as kw
from kan_widgets.digits import TRAIN, embedded, pixels
from kan_widgets.widgets import training_page
from kan_widgets.widgets.pages.trainable import FUNCTIONS, LAYERS, TRAINED, recipe_of

TRAINING = Path(__file__).parents[2] / "js/src/training"


class _Functional(nn.Module):
    """A layer of kan_widgets.nn, then a product with a weight that is no layer's."""

    def __init__(self) -> None:
        super().__init__()
        self.kan = kw.nn.KANLinear(784, 4)
        self.weight = nn.Parameter(torch.rand(10, 4))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(self.kan(x.flatten(1)), self.weight)


def content_of(page: Path) -> dict[str, Any]:
    """Return what fills the page."""
    text = page.read_text("utf-8")
    found = re.search(r'<script type="application/json" id="kw-saved">(.*?)</script>', text, re.S)
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


def test_a_page_says_what_it_is_and_holds_all_that_it_needs(tmp_path: Path) -> None:
    page = kw.playground(path=tmp_path / "page.html", title="Digits <3", epochs=3, rate=0.01)
    text = page.read_text("utf-8")
    assert "<h1>Digits &lt;3</h1>" in text
    assert 'data-kw-part="epochs" min="1" step="1" value="3"' in text
    assert page.stat().st_size < 6e6
    lesson = content_of(page)["lesson"]
    assert lesson["settings"] == {"batch": 32, "rate": 0.01, "epochs": 3, "seed": 0}
    assert set(lesson["recipe"]) == {"convs.0", "convs.1", "convs.2", "linear"}
    # What it may do: run its own script, a worker of it and the compiled kernels; ask for nothing.
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    assert "default-src 'none'" in policy[1]
    assert "connect-src 'none'" in policy[1]
    assert "'wasm-unsafe-eval' 'sha256-" in policy[1]
    assert "; worker-src blob:" in policy[1]


def test_a_saved_page_may_run_no_worker(tmp_path: Path) -> None:
    page = kw.save_html(tmp_path / "page.html", kw.KernelGrid(kw.nn.KANLinear(2, 1)))
    assert "wasm" not in page.read_text("utf-8").partition("<style>")[0]


def test_it_begins_with_the_model_as_it_is(tmp_path: Path) -> None:
    model = kw.nn.KANCNN.article()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    live = kw.bind(model)
    kw.playground(model, tmp_path / "page.html")
    live.step()  # it is still watched
    live.close()
    for now, then in zip(model.parameters(), before, strict=True):
        assert torch.equal(now, then)
    scaler = np.frombuffer(recipe_of(model)["linear"]["scaler"], "<f4")
    assert np.array_equal(scaler, model.linear.spline_scaler.detach().numpy().ravel())


class Residual(nn.Module):
    """A block that adds what it gets to what it makes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(kw.nn.KANConv2d(c, 2, 3, padding=1) for c in (1, 2))
        self.linear = kw.nn.KANLinear(2 * 7 * 7, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = self.convs
        x = nn.functional.max_pool2d(first(x), 2)
        x = nn.functional.max_pool2d(x + second(x), 2)
        scores: torch.Tensor = self.linear(x.flatten(1)).log_softmax(-1)
        return scores


def pruned() -> nn.Module:
    model = kw.nn.KANCNN.article()
    model.convs[0].mask = torch.arange(45).reshape(5, 1, 3, 3) > 0
    return model


def of_another_library() -> nn.Module:
    from convkan import ConvKAN  # type: ignore[import-untyped]

    return nn.Sequential(ConvKAN(1, 2, 3), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(72, 10))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (
            of_another_library,
            "it has “ConvKAN 3×3”, and a page trains KAN layers of kan_widgets.nn, torch's Linear",
        ),
        (Residual, "it has “add”, and a page trains KAN layers"),
        (pruned, "layer convs.0 is pruned"),
        (
            lambda: kw.nn.KANCNN(spline_order=0),
            "layer convs.0 has a basis that a page cannot train, BSpline(",
        ),
        (
            lambda: kw.nn.KANCNN(base_activation=torch.sin),
            "layer convs.0 has base_activation=",
        ),
        (lambda: kw.nn.KANCNN(base_activation="gelu"), "layer convs.0 has base_activation='gelu'"),
        (
            lambda: nn.Sequential(
                kw.nn.KANConv2d(1, 2, 3, padding=1, padding_mode="reflect"),
                nn.Flatten(),
                kw.nn.KANLinear(1568, 10),
            ),
            "layer 0 pads by 'reflect'",
        ),
        (
            lambda: nn.Sequential(
                kw.nn.KANConv2d(1, 2, 3),
                nn.AvgPool2d(2),
                nn.Flatten(),
                kw.nn.KANLinear(338, 10),
            ),
            "it has “average pool 2×2”",
        ),
        (
            lambda: nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(784, 10)),
            "layer 1 is dropout",
        ),
        (
            lambda: nn.Sequential(
                nn.Flatten(), nn.Linear(784, 10), *[nn.Linear(10, 10), nn.ReLU()] * 2
            ),
            "layer 2 runs twice",
        ),
        (
            lambda: nn.Sequential(
                nn.Flatten(), prune.identity(nn.Linear(784, 8), "weight"), kw.nn.KANLinear(8, 10)
            ),
            "layer 1 computes its weight",
        ),
        (_Functional, "it has “Linear 4 → 10”, and a page trains KAN layers"),
        (
            lambda: nn.Sequential(nn.Flatten(), kw.nn.KANLinear(784, 40)),
            "it has 282,240 coefficients, and a page trains at most 250,000",
        ),
    ],
)
def test_what_a_page_cannot_train_is_looked_at_and_the_page_says_why(
    make: Callable[[], nn.Module],
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = make()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    page = kw.playground(model, tmp_path / "page.html")
    words = f"The network does not train in this page: {reason}"
    assert words in capsys.readouterr().out
    text = page.read_text("utf-8")
    assert html.escape(words) in text
    assert "kw-bar" not in text.partition('id="kw-saved"')[0]
    content = content_of(page)
    assert "lesson" not in content
    assert "worker-src" not in text
    # The views have a network, and digits that run through it.
    [stream] = content["streams"]
    assert stream["traits"]["structure"]["traced"]
    assert stream["traits"]["probe"]["shape"] == [8, 1, 28, 28]
    assert kw.live.binding_of(model) is None
    assert not any(module._forward_hooks for module in model.modules())
    after = model.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_bound_models_page_has_its_training(tmp_path: Path) -> None:
    model = of_another_library()
    kw.playground(model, tmp_path / "page.html")
    live = kw.bind(model, every=1)
    assert live.feed.probed is None
    for _ in range(3):
        with torch.no_grad():
            next(model.parameters()).add_(1)
        live.step()
    live.refresh()
    page = kw.playground(model, tmp_path / "page.html")
    [stream] = content_of(page)["streams"]
    steps = [step for run in stream["runs"] for step in run["steps"]]
    assert steps == [frame.step for frame in live.history]
    assert (steps[0], steps[-1]) == (0, 3)
    assert [seen["step"] for seen in stream["activations"]] == [3]
    assert live.state != "closed"
    live.close()


def test_a_model_of_other_inputs_needs_data(tmp_path: Path) -> None:
    from kan import KAN  # type: ignore[import-untyped]

    model = KAN([4, 3, 2], grid=3, k=3, seed=0, auto_save=False)
    x = torch.rand(20, 4)
    with pytest.raises(ValueError, match=re.escape("(others: data=(inputs, targets))")):
        kw.playground(model, tmp_path / "page.html")
    with pytest.raises(ValueError, match="expected the shape of the targets"):
        kw.playground(model, tmp_path / "page.html", data=(x, x))
    assert not list(tmp_path.iterdir())
    page = kw.playground(model, tmp_path / "page.html", data=(x, x[:, :2]))
    [stream] = content_of(page)["streams"]
    assert stream["traits"]["probe"]["shape"] == [4, 4]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.Sequential(nn.Flatten(), nn.LogSoftmax(-1)), "Sequential has no parameters"),
        (lambda: kw.nn.KANLinear(784, 10), "expected one that takes digits"),
        (lambda: kw.nn.KANCNN(num_classes=3), "expected at least 10 log-probabilities"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    make: Callable[[], nn.Module], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        kw.playground(make(), tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_a_page_can_train_what_python_says_it_can() -> None:
    operations, network = (
        (TRAINING / f"{name}.ts").read_text() for name in ("between_layers", "network")
    )
    [table] = re.findall(r"DIFFERENTIABLE: .*? = \{\n(.*?)\n\};", operations, re.S)
    assert sorted(re.findall(r"^  (\w+): \[", table, re.M)) == sorted(FUNCTIONS)
    cases = re.findall(r'case "(\w+)"', network)
    assert sorted([*cases, *LAYERS, "elementwise"]) == sorted(TRAINED)


@pytest.mark.parametrize("make", [kw.nn.CNN, kw.nn.MLP])
def test_a_plain_network_is_written_with_its_biases(
    make: Callable[[], nn.Module], tmp_path: Path
) -> None:
    content = content_of(kw.playground(make(), tmp_path / "page.html"))
    assert all(own == {"base": "identity"} for own in content["lesson"]["recipe"].values())
    [stream] = content["streams"]
    plain = [s for s in stream["traits"]["structure"]["stations"] if s["kind"] == "plain"]
    assert [s["beside"]["bias"] for s in plain] == [f"{s['layer']}.bias" for s in plain]


def test_the_readers_own_data_and_network(tmp_path: Path) -> None:
    model = nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    x = torch.rand(50, 2)
    page = kw.playground(model, tmp_path / "page.html", data=(x, x.prod(1, keepdim=True)))
    assert "It trains here, in your browser, on 40 rows, and is tested on 10 others." in (
        page.read_text("utf-8")
    )
    lesson = content_of(page)["lesson"]
    assert lesson["bytes"] == {"inputs": False, "targets": False}
    assert lesson["shift"] == 0
    model.append(nn.LogSoftmax(-1))
    with pytest.raises(ValueError, match="expected at least 4 log-probabilities for each"):
        kw.playground(model, tmp_path / "no.html", data=(x, torch.full((50,), 3)))


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (torch.zeros(9, 2), TypeError, "expected a pair of tensors"),
        ((torch.zeros(9), torch.zeros(9)), ValueError, "expected (N, ...) with at least 8 rows"),
        ((torch.zeros(9, 2), torch.zeros(8)), ValueError, "and a target for each"),
        ((torch.zeros(9, 2).log(), torch.zeros(9, 1)), ValueError, "not finite"),
        ((torch.zeros(9, 2), torch.full((9,), -1)), ValueError, "expected classes (N,)"),
        ((torch.zeros(9, 2), torch.zeros(9, 4)), ValueError, "expected the shape of the targets"),
    ],
)
def test_bad_data_is_refused(data: Any, error: type[Exception], words: str, tmp_path: Path) -> None:
    model = nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    with pytest.raises(error, match=re.escape(words)):
        kw.playground(model, tmp_path / "page.html", data=data)
    assert not list(tmp_path.iterdir())


def test_bad_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="batch"):
        kw.playground(path=tmp_path / "page.html", batch=0)
    with pytest.raises(FileNotFoundError, match="make it first"):
        kw.playground(path=tmp_path / "nowhere" / "page.html")
    with pytest.raises(TypeError, match="expected a model"):
        kw.playground("model.pt", tmp_path / "page.html")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_what_is_tested_first_runs_through_the_diagram_and_none_is_lost() -> None:
    images, labels = embedded()
    rows = training_page._digits(1)
    assert rows.targets[TRAIN:][:8].tolist() == list(range(8))
    assert np.array_equal(rows.inputs[:TRAIN], images[:TRAIN])
    tested = np.frombuffer(rows.wire()["test"]["inputs"], np.uint8).reshape(-1, 28 * 28)
    assert np.array_equal(pixels(tested[:8].reshape(8, 28, 28)), rows.examples.numpy())
    before = images[TRAIN:].reshape(-1, 28 * 28)
    assert sorted(map(bytes, tested)) == sorted(map(bytes, before))
    assert len(labels) == len(rows.targets)
