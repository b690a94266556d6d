"""Record the run that the page "See a KAN learn" shows, and compute every number it quotes.

``python docs/see_a_kan_learn.py FOLDER`` trains the network of the article for as long as the
article did, on the digits that come with the package, with a fixed seed: a minute or two. FOLDER
gets ``run`` and ``facts.json``. What the page says in words is checked; `main` fails if it
does not hold.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import nll_loss

import kan_widgets as kw

sys.path.append(str(Path(__file__).parents[1] / "notebooks"))

import lesson

SEED = 0
EARLY = 63  # steps: once through the digits
PASSES = 15  # 945 steps; the article made 938
FRAME_EVERY = (5, 40)  # steps, in the first pass and later
SHARES = "dark", "bright", "moved_right", "second_outside"
NUMBERS = "none one two three four five six seven eight nine ten".split()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the run and the facts; return 1 if the page would say what is not so."""
    parser = argparse.ArgumentParser(description="Record the run of the page See a KAN learn.")
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--passes", type=int, default=PASSES, help="for a trial; default: %(default)s"
    )
    asked = parser.parse_args(arguments)
    asked.folder.mkdir(parents=True, exist_ok=True)
    facts = record(asked.folder / "run", asked.passes)
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
        if live.stats.steps % live.every == 0 or live.stats.steps == EARLY:
            rest(live)
        if live.stats.steps == EARLY:  # a step that the page speaks of
            early = copy.deepcopy(model)
            live.every = FRAME_EVERY[1]
    observed = live.observe(digits.test_images[:200])
    rest(live)
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
        "lines": lesson.lines(model),
        "line_kernel": [*map(lesson.is_line, lesson.patterns(model)), True].index(True),
        "dark_above": [*map(is_dark_above, lesson.patterns(model)), True].index(True),
        "lines_by_chance": 10 * lesson.chance_of_a_line(),
        "moved_right": lesson.share_right(
            model, lesson.moved(digits.test_images), digits.test_labels
        ),
        "dark": float((pixels == -1).mean()),
        "bright": float((pixels > 0.9).mean()),
        "pattern_worst": min(check.binary for check in checks),
        "pattern_best": max(check.binary for check in checks),
        "linear_worst": min(check.linear for check in checks),
        "beyond_start": strongest_beyond(start),
        "beyond_end": strongest_beyond(model),
        "second_outside": float(observed["convs.1"].outside_domain.mean()),
        "odd": most_unlike_silu(model),
        "answers": {
            "stroke below": answer(model, torch.tensor([-1.0, -1.0, 1.0])),
            "ink": answer(model, torch.ones(3)),
        },
        "sums": {"below": sums(model, [-1, -1, 1]), "ink": sums(model, [1, 1, 1])},
    }


def rest(live: kw.Binding) -> None:
    """Wait until training counts as quiet, and take a frame: the examples are traced with it, too.

    While it trains they would be traced as often as there is time for, on a busy machine for few
    frames: the page would show those without a digit.
    """
    while live.feed.state == "live":
        time.sleep(0.02)
    live.refresh()


def measure(network: nn.Module, images: Tensor, labels: Tensor) -> dict[str, float]:
    """Return what a network gets right, with splines and without, and how its functions look."""
    found = lesson.measured(network, images, labels)
    return {
        "right": found["right"],
        "right_bare": found["right without any splines"],
        "silu": found["SiLU-shaped in linear"],
        "splines_first": found["splines' share in convs.0"],
        "one_way": 45 * found["one way in convs.1"],
    }


def is_dark_above(pattern: Tensor) -> bool:
    """Whether a pattern is two dark rows above a bright one."""
    return bool((pattern == torch.tensor([[False], [False], [True]])).all())


def strongest_beyond(network: nn.Module) -> int:
    """Return how many of the first 45 functions are largest on [−2, 2] where no pixel is."""
    x = torch.linspace(-2, 2, 801)
    phi = kw.functions.read(network)[0].evaluate(x).flatten(0, -2)
    return int((x[phi.abs().argmax(-1)].abs() > 1).sum())


@torch.no_grad()
def answer(network: nn.Module, rows: Tensor) -> list[float]:
    """Return what each kernel of the first layer says to a patch of three rows of one colour."""
    layer = network.get_submodule("convs.0")
    return [float(value) for value in layer(rows.view(1, 1, 3, 1).expand(1, 1, 3, 3)).flatten()]


def sums(network: nn.Module, rows: list[int]) -> list[int]:
    """Return what each pattern, as numbers ±1, adds up to over a patch of three such rows."""
    signs = 2 * lesson.patterns(network).int() - 1
    return [int(total) for total in (signs * torch.tensor(rows).view(3, 1)).sum((1, 2))]


def most_unlike_silu(network: nn.Module) -> list[int]:
    """Return kernel, row and column of that function of the first layer."""
    unlike = lesson.unlike_silu(network)[1][:45]
    return [int(place) for place in np.unravel_index(unlike.argmax(), (5, 3, 3))]


def untrue(facts: dict[str, Any]) -> list[str]:
    """Return what the page says in words and these facts do not bear out."""
    line = facts["line_kernel"] % 5
    claims = {
        "that line is ink below": facts["dark_above"] == facts["line_kernel"],
        "that kernel wants a stroke below": facts["answers"]["stroke below"][line] > 0.2,
        "but is against strokes": facts["answers"]["ink"][line] < -0.2,
        "one pass is a fifteenth": facts["steps"] == 15 * EARLY,
        "most digits are right after one pass": facts["early_right"] > 0.8,
        "cutting them out at the end costs several points": facts["end_right_bare"]
        < facts["end_right"] - 0.03,
        "a digit that is moved is harder": facts["moved_right"] < facts["end_right"] - 0.1,
        "most of the last layer leaves SiLU": facts["early_silu"] > 0.5 > facts["end_silu"],
        "half as many go one way": facts["end_one_way"] < 0.6 * facts["early_one_way"],
        "one of the first five patterns is a line": facts["line_kernel"] < 5,
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
    quoted |= {name: f"{facts[name]:.0%}" for name in SHARES}
    for when in ("early", "end"):
        quoted[f"{when}_one_way"] = f"{facts[f'{when}_one_way']:.0f}"
    quoted |= {name: f"{facts[name]:,}" for name in ("steps", "parameters", "functions")}
    quoted |= {name: str(facts[name]) for name in ("beyond_start", "beyond_end")}
    quoted["line_kernel"] = str(facts["line_kernel"] % 5)
    for where, totals in facts["sums"].items():
        quoted[f"sum_{where}"] = f"{totals[facts['line_kernel'] % 5]:+}".replace("-", "−")
    quoted |= {name: NUMBERS[facts[name]] for name in ("lines", "terms")}
    quoted |= {name: f"{facts[name]:.2f}" for name in ("pattern_worst", "linear_worst")}
    quoted |= {name: f"{facts[name]:.3f}" for name in ("pattern_best",)}
    quoted["lines_by_chance"] = f"{facts['lines_by_chance']:.2f}"
    others = networks()
    moved = lesson.recorded()["article"]["right, moved"]
    others["many_moved"] += lesson.outside(facts["moved_right"], moved, ".0%")
    return quoted | others | {"zero": "0", "early": str(EARLY)}


def networks() -> dict[str, str]:
    """Return what the pages quote of the recorded networks: means, intervals, and what follows."""
    found = lesson.recorded()
    full, bare = found["article"], found["article without splines"]
    as_large = found["as large without splines"]
    grey, grey_bare = (found[kind]["right"] for kind in ("grey", "grey without splines"))
    cost = {
        when: 100 * np.subtract(full[f"{when}: right"], full[f"{when}: right without any splines"])
        for when in ("early", "end")
    }
    chance = 10 * lesson.chance_of_a_line()
    heart, epoch = found["labels by heart"], found["one epoch"]
    quoted = {
        "many_right": f"{np.mean(full['end: right']):.1%}",
        "many_bare": f"{np.mean(bare['end: right']):.1%}",
        "many_large": lesson.in_words(as_large["right"], ".1%"),
        "worth_of_size": lesson.in_words(100 * np.subtract(full["end: right"], as_large["right"])),
        "worth": lesson.in_words(100 * np.subtract(full["end: right"], bare["end: right"])),
        "cnn_ahead": lesson.in_words(
            100 * np.subtract(found["three"]["CNN"], found["three"]["KAN-CNN"])
        ),
        "cnn_verdict": lesson.which(
            np.subtract(found["three"]["CNN"], found["three"]["KAN-CNN"]),
            "the CNN ends ahead of it",
            "the CNN ends behind it",
            "neither is clearly ahead",
        ),
        "grey_worth": lesson.in_words(100 * np.subtract(grey, grey_bare)),
        "grey_worth_of_size": lesson.in_words(100 * np.subtract(grey, as_large["grey: right"])),
        "lines_each": lesson.counted(full["end: lines"]),
        "bare_each": lesson.counted(bare["end: lines"]),
        "uprights_each": lesson.counted(full["end: uprights"]),
        "uprights_verdict": lesson.which(
            np.subtract(full["end: uprights"], chance),
            "more than chance gives",
            "fewer than chance gives",
            "no more than chance may give",
        )
        + lesson.which(
            np.subtract(full["end: uprights"], full["start: uprights"]),
            ", and more than before training",
            ", and fewer than before training",
            ", and not clearly more than before training",
        ),
        "turned_lines": lesson.counted(found["digits turned"]["lines"]),
        "turned_uprights": lesson.counted(found["digits turned"]["uprights"]),
        "turned_verdict": lesson.which(
            lesson.leaning(full, "end: ") - lesson.leaning(found["digits turned"]),
            "so lines turn with the digits",
            "so something against the digits makes them",
            "too few to tell whether lines turn with the digits",
        ),
        "turned_by": lesson.in_words(
            lesson.leaning(full, "end: ") - lesson.leaning(found["digits turned"]), ".2f"
        ),
        "shuffled_lines": lesson.counted(found["labels shuffled"]["lines"]),
        "shuffled_fitted": f"{np.mean(heart['fitted, 945 steps']):.0%}",
        "heart_fitted": f"{np.mean(heart['fitted']):.0%}",
        "heart_passes": f"{np.mean(heart['passes']):.0f}",
        "heart_lines": lesson.out_of(sum(heart["lines"]), 10 * len(heart["lines"])),
        "heart_verdict": lesson.of_labels_by_heart(full["end: lines"], heart),
        "lines_verdict": lesson.which(
            np.subtract(full["end: lines"], chance),
            "more than chance gives",
            "fewer than chance gives",
            "no more than chance may give",
        ),
        "least_reach": f"{min(full['end: least reach']):.2f}",
        "tenth_reach": lesson.in_words(full["end: tenth reach"], ".2f"),
        "least_drawn": f"{min(full['end: least reach, as drawn']):.2f}",
        "tenth_drawn": lesson.in_words(full["end: tenth reach, as drawn"], ".2f"),
        **{
            f"small_{when}{key}": lesson.out_of(sum(of[f"{at}small for all{where}"]), kernels)
            for key, where in (("", ""), ("_drawn", ", as drawn"))
            for when, of, at, kernels in (
                ("trained", full, "end: ", 200),
                ("untrained", found["untrained"], "", 10_000),
            )
        },
        "one_effect": lesson.in_words(full["end: range and unlikeness"], ".2f"),
        "one_effect_start": lesson.in_words(full["start: range and unlikeness"], ".2f"),
        "first_loss": lesson.in_words(full["loss, first pass"], ".2f"),
        "last_loss": lesson.in_words(full["loss, last pass"], ".3f"),
        "test_loss": lesson.in_words(full["loss, test digits"], ".2f"),
        "epoch_right": lesson.span(epoch["right"], ".1%"),
        "epoch_loss": lesson.span(epoch["loss"], ".2f"),
        "epoch_test_loss": lesson.span(epoch["loss, test digits"], ".2f"),
        "epoch_printed": lesson.span(np.divide(epoch["loss, test digits"], 64), ".4f"),
        "many_moved": f"{np.mean(full['right, moved']):.0%}",
        "many_keep_large": lesson.in_words(full["keep SiLU, large w"], ".0%"),
        "many_keep_small": lesson.in_words(full["keep SiLU, small w"], ".0%"),
        "keep_more": lesson.in_words(
            100 * np.subtract(full["keep SiLU, large w"], full["keep SiLU, small w"]), ".0f"
        ),
        "greys_each": lesson.in_words(full["greys, worst"], ".3f"),
        "pattern_each": lesson.in_words(full["pattern, worst"], ".2f"),
        "inverted_plain": f"{np.mean(found['unseen']['black on white: as they are']):.0%}",
        "inverted_moved": f"{np.mean(found['unseen']['black on white: moved']):.0%}",
        "linear_each": lesson.in_words(full["linear, worst"], ".3f"),
        "linear_bare": lesson.in_words(bare["linear, worst"], ".3f"),
        "noise_each": lesson.in_words(full["linear, worst, every grey"], ".3f"),
        "silu_line": f"{lesson.silu_as_a_line():.3f}",
        "digits_left": lesson.in_words(100 * (1 - np.square(full["linear, worst"]))),
        "noise_left": lesson.in_words(100 * (1 - np.square(full["linear, worst, every grey"]))),
        "empty_sure": lesson.in_words(full["empty, surest"], ".0%"),
        "empty_bare": lesson.in_words(bare["empty, surest"], ".0%"),
    }
    for when, points in cost.items():
        quoted |= {
            f"many_{when}_silu": f"{np.mean(full[f'{when}: SiLU-shaped in linear']):.0%}",
            f"many_{when}_one_way": f"{45 * np.mean(full[f'{when}: one way in convs.1']):.0f}",
            f"{when}_cost": lesson.in_words(points),
            f"{when}_least_cost": f"{points.min():.1f}".replace("-", "−"),
            f"{when}_largest_cost": f"{points.max():.1f}",
        }
    for key, later, earlier in (
        ("bent_second", "convs.1", "convs.0"),
        ("bent_third", "convs.2", "convs.1"),
        ("bent_last", "linear", "convs.2"),
    ):
        of = (found["pair"][f"one size: bend of {layer}"] for layer in (later, earlier))
        quoted[key] = lesson.in_words(np.divide(*of), ".2f")
    for key, size in (("folds_four", ""), ("folds_many", ", as large as 16 units")):
        left = (found["curse"][f"folds, {kind}, 16{size}"] for kind in ("KAN", "MLP"))
        quoted[key] = lesson.in_words(np.subtract(*left), ".2f")
    for name in ("bend", "turns", "line", "silu", "variation", "curvature"):
        start, end = (np.array(full[f"{when}: later: {name}"]) for when in ("start", "end"))
        quoted[f"later_{name}"] = lesson.in_words(end, ".0%")
        quoted[f"began_{name}"] = lesson.in_words(start, ".0%")
        quoted[f"so_{name}"] = lesson.which(end - start, "yes", "no: the earlier", "undecided")
    for key, name in (
        ("dark_count", "how many, by movement"),
        ("dark_value", "how many, by value"),
        ("dark_ratio", "ratio"),
    ):
        for when in ("start", "end"):
            quoted[f"{key}_{when}"] = lesson.in_words(full[f"{when}: {name}"], ".2f")
    for key, of in (("dark_grown", full), ("dark_grown_bare", bare)):
        grown = np.subtract(of["end: difference"], of["start: difference"])
        quoted[key] = lesson.in_words(grown, ".3f")
    return quoted


if __name__ == "__main__":
    raise SystemExit(main())
