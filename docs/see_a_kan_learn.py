"""Record the run that the page "See a KAN learn" shows, and compute every number it quotes.

``python docs/see_a_kan_learn.py FOLDER`` trains the network of the article for as long as the
article did, on the digits that come with the package, with a fixed seed: about a minute. FOLDER
gets ``run.npz`` and ``facts.json``. What the page says in words is checked; `main` fails if it
does not hold.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import nll_loss

import kan_widgets as kw

SEED = 0
EARLY = 63  # steps: once through the digits
PASSES = 15  # 945 steps; the article made 938
FRAME_EVERY = (5, 40)  # steps, in the first pass and later
LAYERS = ("convs.0", "convs.1", "linear")
NUMBERS = "none one two three four five six seven eight nine ten".split()
POINTS = torch.linspace(-1, 1, 401)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the run and the facts; return 1 if the page would say what is not so."""
    parser = argparse.ArgumentParser(description="Record the run of the page See a KAN learn.")
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--passes", type=int, default=PASSES, help="for a trial; default: %(default)s"
    )
    asked = parser.parse_args(arguments)
    asked.folder.mkdir(parents=True, exist_ok=True)
    facts = record(asked.folder / "run.npz", asked.passes)
    (asked.folder / "facts.json").write_text(json.dumps(facts, indent=1), "utf-8")
    wrong = untrue(facts) if asked.passes == PASSES else []
    for claim in wrong:
        print(f"see_a_kan_learn.md says what is not so: {claim}")
    return min(len(wrong), 1)


def record(path: Path, passes: int) -> dict[str, Any]:
    """Train, record the run, and return what is measured on the way and at the end."""
    digits = kw.data.mnist("embedded")
    batches, _ = digits.loaders(batch_size=64, seed=SEED)
    torch.manual_seed(SEED)
    model = kw.nn.KANCNN.article()
    start = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    live = kw.bind(model, optimizer, every=FRAME_EVERY[0])
    live.observe(digits.test_images[:200])
    live.probe(digits.test_images[:6], digits.test_labels[:6])
    recording = live.record(path, overwrite=True)
    early = model
    for images, labels in live.track(batches, epochs=passes):
        optimizer.zero_grad()
        loss = nll_loss(model(images), labels)
        loss.backward()
        optimizer.step()
        live.log(loss=loss)
        if live.stats.steps == EARLY:
            early = copy.deepcopy(model)
            live.every = FRAME_EVERY[1]
    observed = live.observe(digits.test_images[:200])
    live.probe(digits.test_images[:6], digits.test_labels[:6])
    recording.close()
    first = live.read()[0]
    checks = [
        kw.insight.check_pattern(kw.insight.kernel_of(first, k), observed["convs.0"])
        for k in range(5)
    ]
    pixels = observed["convs.0"].patches
    measured = {
        name: measure(network, digits.test_images, digits.test_labels)
        for name, network in (("start", start), ("early", early), ("end", model))
    }
    return {
        "steps": live.stats.steps,
        "parameters": kw.nn.count_parameters(model),
        "functions": sum(layer.coefficients[..., 0].numel() for layer in live.read()),
        "terms": first.coefficients.shape[-1],
        **{f"{name}_{what}": v for name, found in measured.items() for what, v in found.items()},
        "lines": sum(map(is_line, patterns(model))),
        "line_kernel": [*map(is_line, patterns(model)), True].index(True),
        "dark_above": [*map(is_dark_above, patterns(model)), True].index(True),
        "lines_by_chance": 10 * chance_of_a_line(),
        "moved_right": share_right(model, moved(digits.test_images), digits.test_labels),
        "dark": float((pixels == -1).mean()),
        "bright": float((pixels > 0.9).mean()),
        "pattern_worst": min(check.binary for check in checks),
        "pattern_best": max(check.binary for check in checks),
        "linear_worst": min(check.linear for check in checks),
        "odd": most_unlike_silu(model),
        "answers": {
            "stroke below": answer(model, torch.tensor([-1.0, -1.0, 1.0])),
            "ink": answer(model, torch.ones(3)),
        },
    }


@torch.no_grad()
def share_right(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return how many of the digits it gets right, 0 to 1."""
    return float((network(images).argmax(1) == labels).double().mean())


def moved(images: Tensor) -> Tensor:
    """Return digits four pixels further up and to the left, on the same black."""
    return nn.functional.pad(images[..., 4:, 4:], (0, 4, 0, 4), value=-1.0)


def measure(network: nn.Module, images: Tensor, labels: Tensor) -> dict[str, float]:
    """Return what a network gets right, with splines and without, and how its functions look."""
    bare = copy.deepcopy(network)
    for name in LAYERS:
        nn.init.zeros_(bare.get_submodule(name).get_parameter("spline_weight"))
    rows = {row.layer: row for row in kw.insight.layer_ranges(network)}
    rises = kw.functions.read(network)[1].evaluate(POINTS).diff(dim=-1).flatten(0, -2)
    return {
        "right": share_right(network, images, labels),
        "right_bare": share_right(bare, images, labels),
        "silu": rows["linear"].silu_shaped,
        "splines_first": rows["convs.0"].spline_share,
        "one_way": float(((rises > 0).all(-1) | (rises < 0).all(-1)).sum()),
    }


def patterns(network: nn.Module) -> Tensor:
    """Return those of the ten kernels, ``(10, 3, 3)``: True where φ(1) is above φ(−1)."""
    ends = [
        layer.evaluate(POINTS[[0, -1]]).flatten(0, 1) for layer in kw.functions.read(network)[:2]
    ]
    return torch.cat(ends).diff(dim=-1)[..., 0] > 0


def is_line(pattern: Tensor) -> bool:
    """Whether each row of a pattern is of one colour, and not all of them of the same."""
    return bool((pattern == pattern[:, :1]).all() and 0 < pattern.sum() < 9)


def is_dark_above(pattern: Tensor) -> bool:
    """Whether a pattern is two dark rows above a bright one."""
    return bool((pattern == torch.tensor([[False], [False], [True]])).all())


@torch.no_grad()
def answer(network: nn.Module, rows: Tensor) -> list[float]:
    """Return what each kernel of the first layer says to a patch of three rows of one colour."""
    layer = network.get_submodule(LAYERS[0])
    return [float(value) for value in layer(rows.view(1, 1, 3, 1).expand(1, 1, 3, 3)).flatten()]


def chance_of_a_line() -> float:
    """Return the share of all 512 patterns that are lines."""
    every = [torch.tensor(p).reshape(3, 3) for p in itertools.product((False, True), repeat=9)]
    return sum(map(is_line, every)) / len(every)


def most_unlike_silu(network: nn.Module) -> list[int]:
    """Return kernel, row and column of that function of the first layer."""
    phi = kw.functions.read(network)[0].evaluate(POINTS)[:, 0]
    silu = torch.nn.functional.silu(POINTS)
    basis = torch.stack([silu, torch.ones_like(silu)], 1)
    flat = phi.reshape(-1, len(POINTS)).T
    left = flat - basis @ torch.linalg.lstsq(basis, flat).solution
    unlike = (left.var(0) / flat.var(0)).reshape(phi.shape[:3])
    return [int(place) for place in torch.unravel_index(unlike.argmax(), unlike.shape)]


def untrue(facts: dict[str, Any]) -> list[str]:
    """Return what the page says in words and these facts do not bear out."""
    cost = {when: facts[f"{when}_right"] - facts[f"{when}_right_bare"] for when in ("early", "end")}
    line = facts["line_kernel"] % 5
    claims = {
        "that line is ink below": facts["dark_above"] == facts["line_kernel"],
        "that kernel wants a stroke below": facts["answers"]["stroke below"][line] > 0.2,
        "but is against strokes": facts["answers"]["ink"][line] < -0.2,
        "one pass is a fifteenth": facts["steps"] == 15 * EARLY,
        "most digits are right after one pass": facts["early_right"] > 0.8,
        "then the splines hardly matter": abs(cost["early"]) < 0.03,
        "at the end all that was gained since rests on them": facts["end_right_bare"]
        < facts["early_right"]
        < facts["end_right"] - 0.05,
        "a digit that is moved is harder": facts["moved_right"] < facts["end_right"] - 0.1,
        "most of the last layer leaves SiLU": facts["early_silu"] > 0.5 > facts["end_silu"],
        "half as many go one way": facts["end_one_way"] < 0.6 * facts["early_one_way"],
        "one of the first five patterns is a line": facts["line_kernel"] < 5,
        "more lines than chance gives": facts["lines"] > facts["lines_by_chance"],
        "some pattern reads well and some badly": facts["pattern_worst"]
        < 0.8
        < 0.95
        < facts["pattern_best"],
        "kernels of numbers read all of them": facts["linear_worst"] > 0.95,
        "most pixels are dark": facts["dark"] > 0.6,
    }
    return [claim for claim, holds in claims.items() if not holds]


def most_unlike_silu_of(folder: Path) -> tuple[int, int, int, int]:
    """Return the function that the page selects: kernel, channel, row and column."""
    kernel, row, column = json.loads((folder / "facts.json").read_text("utf-8"))["odd"]
    return kernel, 0, row, column


def words(folder: Path) -> dict[str, str]:
    """Return the facts as the page quotes them."""
    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    quoted = {
        f"{when}_{what}": f"{facts[f'{when}_{what}']:.0%}"
        for when in ("start", "early", "end")
        for what in ("right", "right_bare", "silu", "splines_first")
    }
    quoted |= {name: f"{facts[name]:.0%}" for name in ("dark", "bright", "moved_right")}
    quoted["edges"] = f"{1 - facts['dark'] - facts['bright']:.0%}"
    for when in ("early", "end"):
        quoted[f"{when}_one_way"] = f"{facts[f'{when}_one_way']:.0f}"
    quoted |= {name: f"{facts[name]:,}" for name in ("steps", "parameters", "functions")}
    quoted["line_kernel"] = str(facts["line_kernel"] % 5)
    quoted |= {name: NUMBERS[facts[name]] for name in ("lines", "terms")}
    quoted |= {name: f"{facts[name]:.2f}" for name in ("pattern_worst", "linear_worst")}
    quoted |= {name: f"{facts[name]:.3f}" for name in ("pattern_best",)}
    quoted["lines_by_chance"] = f"{facts['lines_by_chance']:.2f}"
    return quoted | {"early": str(EARLY), "later": f"{facts['steps'] - EARLY:,}"}


if __name__ == "__main__":
    raise SystemExit(main())
