"""A recording is read, replayed, followed and drawn where torch is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

import kan_widgets as kw
from kan_widgets.digits import embedded, pixels
from kan_widgets.widgets.meshgrid_view import default_digits
from tests.every_view import all_but, calls

# Stands before all finders: what is named is as if it were not installed.
BLOCKED = """
import sys


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchvision", "bqplot", "scipy", "matplotlib"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
import kan_widgets as kw
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    images = torch.rand(20, 1, 28, 28) * 2 - 1
    labels = torch.arange(20) % 10
    model = kw.nn.KANCNN.article()
    optimizer = torch.optim.AdamW(model.parameters())
    live = kw.bind(model, optimizer, every=1)
    live.observe(images)
    live.probe(images[:4], labels[:4])
    for _ in range(3):
        optimizer.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        live.log(loss=loss)
    return live.save(tmp_path_factory.mktemp("run") / "run.npz")


def without_torch(code: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + code, *map(str, arguments)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


EVERY_VIEW = f"""
live = run = kw.replay(sys.argv[1])
views = [*{calls(all_but("Explain"))}.values()]
views.append(kw.Compare({{"one": run, "other": kw.replay(sys.argv[1])}}))
for view in views:
    assert view.image(width=500).size[0] == 1000, view
kw.save_html(sys.argv[2], *views)
try:
    kw.Explain(run, [[0.0]])
except TypeError as error:
    print(error)
assert not {{name.partition(".")[0] for name in sys.modules}} & {{"torch", "bqplot", "scipy"}}
"""


@pytest.mark.slow
def test_every_view_draws_a_recording_and_saves_it_as_a_page(
    recording: Path, tmp_path: Path
) -> None:
    said = without_torch(EVERY_VIEW, recording, tmp_path / "page.html")
    assert f"MB, {2 * len(kw.replay(recording).history)} frames" in said
    assert "an image runs through a model" in said
    assert (tmp_path / "page.html").stat().st_size > 500_000


NUMBERS = """
run = kw.follow(sys.argv[1], wait=5)
print(run.frame.step, run.scalars.names, run.parameters["total"], run.is_complete)
x, y = run.frame.evaluate(run.layers[0])
print(float(abs(y).sum()))
feed = run.feed
print(feed.observed[run.layers[0]].samples, len(feed.activations), len(feed.structure.stations))
"""


def test_a_recording_says_the_same_without_torch_as_with_it(recording: Path) -> None:
    run = kw.replay(recording)
    _, y = run.frame.evaluate(run.layers[0])
    expected = (
        f"3 ('loss',) 94650 True\n{float(abs(y).sum())}\n"
        f"20 {len(run.feed.activations)} {len(run.feed.structure.stations)}\n"
    )
    assert len(run.feed.activations)
    assert len(run.feed.structure.stations) > 5
    assert without_torch(NUMBERS, recording) == expected


WHAT_NEEDS_IT = """
for need in ("kw.bind", "kw.nn", "kw.functions.read", "kw.insight.symbolic"):
    try:
        eval(need)
    except ModuleNotFoundError as error:
        print(need, error)
"""


def test_what_needs_torch_says_that_it_is_missing() -> None:
    said = without_torch(WHAT_NEEDS_IT).splitlines()
    assert [line.split()[0] for line in said] == [
        "kw.bind",
        "kw.nn",
        "kw.functions.read",
        "kw.insight.symbolic",
    ]
    assert all("No module named 'torch" in line for line in said)


def test_the_digits_of_the_package_are_the_same_with_and_without_tensors() -> None:
    images, labels = embedded()
    data = kw.data.mnist("embedded")
    assert torch.equal(torch.from_numpy(pixels(images[4000:])), data.test_images)
    assert torch.equal(torch.from_numpy(labels[:4000].astype("int64")), data.train_labels)
    first = [int((data.test_labels == digit).nonzero()[0]) for digit in range(10)]
    assert torch.equal(torch.from_numpy(default_digits()), data.test_images[first])


def test_a_function_is_not_hidden_by_the_module_of_its_name() -> None:
    code = (
        "import kan_widgets.insight.explain, kan_widgets.functions.describe\n"
        "import kan_widgets as kw\n"
        "assert callable(kw.insight.explain) and callable(kw.functions.describe)\n"
        "assert set(kw.insight.__all__) <= set(dir(kw.insight))\n"
        "assert all(getattr(kw.insight, name) is not None for name in kw.insight.__all__)\n"
        "assert all(getattr(kw.functions, name) is not None for name in kw.functions.__all__)\n"
        "assert all(getattr(kw.live, name) is not None for name in kw.live.__all__)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)
