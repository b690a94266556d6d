"""Record the run that the page "See a KAN learn" shows, and compute every number it quotes.

``python docs/see_a_kan_learn.py FOLDER`` trains the network of the article for as long as the
article did, on the digits that come with the package, with a fixed seed: a minute or two. FOLDER
gets ``run`` and ``facts.json``. What the page says in words is checked; `main` fails if it
does not hold.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
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
    checks = kw.insight.check_pattern(first, observed["convs.0"])
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
        "sum_below": sums(model, [[-1], [-1], [1]]),
        "sum_columns": [sums(model, [[1] * n + [-1] * (3 - n)]) for n in range(4)],
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


def sums(network: nn.Module, patch: list[list[int]]) -> list[int]:
    """Return what each pattern, as numbers ±1, adds up to over a patch of such rows or columns."""
    signs = 2 * lesson.patterns(network).int() - 1
    return [int(total) for total in (signs * torch.tensor(patch)).sum((1, 2))]


def most_unlike_silu(network: nn.Module) -> list[int]:
    """Return kernel, row and column of that function of the first layer."""
    unlike = lesson.unlike_silu(network)[1][:45]
    return [int(place) for place in np.unravel_index(unlike.argmax(), (5, 3, 3))]


def untrue(facts: dict[str, Any]) -> list[str]:
    """Return what the page says in words and these facts do not bear out."""
    line = facts["line_kernel"] % 5
    claims = {
        "that line is ink below": facts["dark_above"] == facts["line_kernel"],
        "each column of ink costs as much": len(
            {of[line] - after[line] for of, after in itertools.pairwise(facts["sum_columns"])}
        )
        == 1,
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
    line = facts["line_kernel"] % 5
    quoted["line_kernel"] = str(line)
    quoted["sum_below"] = f"{facts['sum_below'][line]:+}".replace("-", "−")
    quoted["sum_blank"] = f"{facts['sum_columns'][0][line]:+}".replace("-", "−")
    quoted["column_costs"] = str(facts["sum_columns"][0][line] - facts["sum_columns"][1][line])
    quoted |= {name: NUMBERS[facts[name]] for name in ("lines", "terms")}
    quoted |= {name: f"{facts[name]:.2f}" for name in ("pattern_worst", "linear_worst")}
    quoted |= {name: f"{facts[name]:.3f}" for name in ("pattern_best",)}
    quoted["lines_by_chance"] = f"{facts['lines_by_chance']:.2f}"
    return quoted | networks() | {"zero": "0", "early": str(EARLY)}


MEASURES = ("bend", "turns", "line", "silu", "variation", "curvature")
DARK = {
    "count": "how many, by movement",
    "value": "how many, by value",
    "ratio": "ratio",
    "difference": "difference",
    "answer": "answer to the dark, beside the spread",
}


def networks() -> dict[str, str]:
    """Return what the pages quote of the recorded networks: means, intervals, and what follows.

    Of those that went once through MNIST the names begin with ``once_``.
    """
    found = lesson.recorded()
    full, bare = found["article"], found["article without splines"]
    again = found["one epoch"]
    once = of_training(again, found["one epoch without splines"])
    both = np.array(full["end: lines"]), np.array(again["end: lines"])
    quoted = of_training(full, bare) | {f"once_{name}": said for name, said in once.items()}
    as_large, heart = found["as large without splines"], found["labels by heart"]
    grey, grey_bare = (found[kind]["right"] for kind in ("grey", "grey without splines"))
    same_starts = full["end: lines"][: len(heart["lines"])]
    turned, shuffled = found["digits turned"], found["labels shuffled"]
    turning = lesson.leaning(full, "end: ") - lesson.leaning(turned)
    ahead = 100 * np.subtract(found["three"]["CNN"], found["three"]["KAN-CNN"])
    no_splines = np.array(bare["end: lines"])
    small = found["untrained"]["small for all"]  # each number is that of fifty networks
    early, once_early = (
        100 * np.subtract(of["early: right"], control["early: right"])
        for of, control in ((full, bare), (again, found["one epoch without splines"]))
    )
    of_patterns = {name: np.array(each) for name, each in found["patterns"].items()}
    alike, alike_on_ink, other, other_on_ink = (
        lesson.in_words(of_patterns[f"own{where}"] - of_patterns[f"{wrong}{where}"], ".2f")
        for wrong in ("nine alike", "another's")
        for where in ("", ", not blank")
    )
    quoted |= {
        "own_each": lesson.in_words(of_patterns["own"], ".2f"),
        "own_on_ink": lesson.in_words(of_patterns["own, not blank"], ".2f"),
        "alike_less": alike,
        "alike_less_on_ink": alike_on_ink,
        "anothers_less": other,
        "anothers_less_on_ink": other_on_ink,
        "alike_as_well": lesson.in_words(of_patterns["nine alike as well"]),
        "alike_as_well_on_ink": lesson.in_words(of_patterns["nine alike as well, not blank"]),
        "as_well": str(lesson.AS_WELL),
        # from the same starts, so that their shares before training fall out
        "bend_more_once": lesson.in_words(
            100 * np.subtract(again["end: later: bend"], full["end: later: bend"])
        ),
        "worth_of_size": lesson.in_words(100 * np.subtract(full["end: right"], as_large["right"])),
        "lines_same": lesson.out_of(np.count_nonzero(both[0] == both[1]), len(both[0])),
        "lines_alike": f"{np.corrcoef(*both)[0, 1]:.2f}",
        "lines_same_by_chance": as_many_by_chance(*both),
        "lines_same_bare": lesson.out_of(np.count_nonzero(both[0] == no_splines), len(both[0])),
        "lines_alike_bare": f"{np.corrcoef(both[0], no_splines)[0, 1]:.2f}",
        "lines_same_bare_by_chance": as_many_by_chance(both[0], no_splines),
        "other_digits_more": lesson.in_words(once_early - early),
        "scratch_right": lesson.in_words(found["scratch"]["right"], ".1%"),
        "scratch_package": lesson.in_words(found["scratch"]["package: right"], ".1%"),
        "cnn_ahead": lesson.in_words(ahead),
        "kancnn_parameters": f"{kw.nn.count_parameters(kw.nn.KANCNN()):,}",
        "cnn_verdict": lesson.which(
            ahead, "the CNN ends ahead of it", "the CNN ends behind it", "neither is clearly ahead"
        ),
        "grey_hills": lesson.in_words(found["grey"]["hills"], ".0f"),
        "grey_worth": lesson.in_words(100 * np.subtract(grey, grey_bare)),
        "grey_worth_of_size": lesson.in_words(100 * np.subtract(grey, as_large["grey: right"])),
        "many_hills": lesson.in_words(full["end: hills"]),
        "hills_untrained": lesson.in_words(full["start: hills"], ".2f"),
        "lean": lesson.in_words(lesson.leaning(full, "end: "), ".2f"),
        "turned_fewer": lesson.in_words(-lesson.leaning(turned), ".2f"),
        "turned_by": lesson.in_words(turning, ".2f"),
        "turned_verdict": lesson.which(
            turning,
            "lines turn with the digits",
            "something against the digits makes them",
            "too few to tell whether lines turn with the digits",
        ),
        "shuffled_lines": lesson.counted(shuffled["lines"]),
        "shuffled_uprights": lesson.counted(shuffled["uprights"]),
        "shuffled_fitted": f"{np.mean(heart['fitted, 945 steps']):.0%}",
        "heart_networks": NUMBERS[len(heart["lines"])],
        "heart_fitted": f"{np.mean(heart['fitted']):.0%}",
        "heart_passes": f"{np.mean(heart['passes']):.0f}",
        "heart_uprights": lesson.counted(heart["uprights"]),
        "heart_starts": f"{sum(heart['lines']):.0f}",
        "heart_starts_right": f"{sum(same_starts):.0f}",
        "in_none": lesson.out_of(0, len(both[0])),
        "heart_verdict": lesson.which(
            np.subtract(same_starts, heart["lines"]),
            "learning by heart makes fewer",
            "learning by heart makes more",
            "so few pairs can tell nothing",
        ),
        "inverted_plain": lesson.in_words(found["unseen"]["black on white: as they are"], ".0%"),
        "inverted_moved": lesson.in_words(found["unseen"]["black on white: moved"], ".0%"),
        "moved_paid": lesson.in_words(
            100
            * np.subtract(found["unseen"]["placed: as they are"], found["unseen"]["placed: moved"])
        ),
        "moved_gain": lesson.in_words(found["unseen"]["pushed: moved"], ".0%"),
        "moved_before": lesson.in_words(found["unseen"]["pushed: as they are"], ".0%"),
        "silu_line": f"{lesson.silu_as_a_line():.3f}",
        "many_moved": lesson.in_words(full["right, moved"], ".1%"),
        "untrained_small": lesson.out_of(sum(small), 50 * len(small)),
        # of ten kernels with nine weights each, drawn evenly: each |w| below 0.6 of the median
        "small_by_chance": f"{1000 * 10 * (0.6 / 2) ** 9:.1f}",
    }
    for key, of in (("many_right", full), ("many_bare", bare)):
        quoted[key] = lesson.in_words(of["end: right"], ".1%")
    for when in ("start", "end"):
        quoted[f"many_{when}_splines"] = lesson.in_words(
            full[f"{when}: splines' share in convs.0"], ".0%"
        )
    for key, kind in (("bent_second", "pair"), ("bent_longer", "longer pair")):
        two = (found[kind][f"one size: bend of convs.{layer}"] for layer in (1, 0))
        quoted[key] = lesson.in_words(np.divide(*two), ".2f")
    for key, size in (("folds_four", ""), ("folds_many", ", as large as 16 units")):
        left = (found["curse"][f"folds, {kind}, 16{size}"] for kind in ("KAN", "MLP"))
        quoted[key] = lesson.in_words(np.subtract(*left), ".2f")
    for key, kind in (
        ("kan", "KAN"),
        ("relu", "MLP"),
        ("silu", "MLP of SiLU"),
        ("two", "MLP of two layers"),
    ):
        curse, form = found["curse"], ".3f" if kind == "KAN" else ".2f"
        each = [np.mean(curse[f"exp of a sum, {kind}, {d}"]) for d in (2, 4, 8, 16)]
        quoted[f"exp_{key}"] = lesson.span(each, form)
        quoted[f"exp16_{key}"] = lesson.in_words(curse[f"exp of a sum, {kind}, 16"], form)
        quoted[f"folds16_{key}"] = lesson.in_words(curse[f"folds, {kind}, 16"], ".2f")
        if wide := curse.get(f"folds, {kind}, 16, as large as 16 units"):
            quoted[f"wide16_{key}"] = lesson.in_words(wide, ".2f")
    return quoted


def as_many_by_chance(one: NDArray[Any], other: NDArray[Any]) -> str:
    """Say of how many networks two counts would agree if they were dealt out at random.

    And how often, of 5,000 such deals, at least as many agree as were found.
    """
    rng, found = np.random.default_rng(0), np.count_nonzero(one == other)
    deals = np.array([np.count_nonzero(one == rng.permutation(other)) for _ in range(5000)])
    often = np.count_nonzero(deals >= found)
    times = f"{often:,} of 5,000 shuffles" if often else "none of 5,000 shuffles"
    return f"{np.equal.outer(one, other).mean() * len(one):.1f} would; so many do in {times}"


def of_training(
    full: Mapping[str, Sequence[float]], bare: Mapping[str, Sequence[float]]
) -> dict[str, str]:
    """Return what is quoted of networks of one training, with splines and without."""
    worth = 100 * np.subtract(full["end: right"], bare["end: right"])
    lost = {
        when: 100 * np.subtract(full[f"{when}: right"], full[f"{when}: right without any splines"])
        for when in ("early", "end")
    }
    keep = [np.array(full[f"keep SiLU, {size} w"]) for size in ("large", "small")]
    chance, networks = 10 * lesson.chance_of_a_line(), len(worth)
    quoted = {
        "right": lesson.in_words(full["end: right"], ".1%"),
        "bare": lesson.in_words(bare["end: right"], ".1%"),
        "worth": lesson.in_words(worth),
        "worth_early": lesson.in_words(
            100 * np.subtract(full["early: right"], bare["early: right"])
        ),
        "last_loss": lesson.in_words(full["loss, last pass"], ".3f"),
        "loss": lesson.in_words(full["loss"], ".2f"),
        "test_loss": lesson.in_words(full["loss, test digits"], ".3f"),
        "printed": lesson.in_words(np.divide(full["loss, test digits"], 64), ".4f"),
        "began_lines": lesson.counted(full["start: lines"]),
        "began_uprights": lesson.counted(full["start: uprights"]),
        "lines_each": lesson.counted(full["end: lines"]),
        "uprights_each": lesson.counted(full["end: uprights"]),
        "bare_each": lesson.counted(bare["end: lines"]),
        "lines_some": lesson.out_of(np.count_nonzero(full["end: lines"]), networks),
        "bare_uprights": lesson.counted(bare["end: uprights"]),
        "pattern_each": lesson.in_words(full["pattern, worst"], ".2f"),
        "pattern_best_each": lesson.in_words(full["pattern, best"], ".2f"),
        "pattern_lost": lesson.in_words(
            np.subtract(full["greys, worst"], full["pattern, worst"]), ".2f"
        ),
        "linear_least": f"{min(full['linear, worst']):.3f}",
        "dark_difference_own": lesson.in_words(lesson.beside_the_base(full), ".3f"),
        "lines_more": lesson.in_words(np.subtract(full["end: lines"], bare["end: lines"]), ".2f"),
        "greys_each": lesson.in_words(full["greys, worst"], ".3f"),
        "linear_each": lesson.in_words(full["linear, worst"], ".3f"),
        "linear_bare": lesson.in_words(bare["linear, worst"], ".3f"),
        "noise_each": lesson.in_words(full["linear, worst, every grey"], ".3f"),
        "digits_left": lesson.in_words(100 * (1 - np.square(full["linear, worst"]))),
        "noise_left": lesson.in_words(100 * (1 - np.square(full["linear, worst, every grey"]))),
        "keep_large": lesson.in_words(keep[0], ".0%"),
        "keep_small": lesson.in_words(keep[1], ".0%"),
        "splines_large": lesson.in_words(full["splines, large w"], ".2f"),
        "splines_small": lesson.in_words(full["splines, small w"], ".2f"),
        "splines_less": lesson.in_words(
            1 - np.divide(full["splines, small w"], full["splines, large w"]), ".0%"
        ),
        "base_began": lesson.in_words(full["start: base weights"], ".2f"),
        "base": lesson.in_words(full["end: base weights"], ".2f"),
        "base_bare": lesson.in_words(bare["end: base weights"], ".2f"),
        "one_effect": lesson.in_words(full["end: range and unlikeness"], ".2f"),
        "one_effect_start": lesson.in_words(full["start: range and unlikeness"], ".2f"),
        "one_effect_weaker": lesson.in_words(
            np.subtract(full["end: range and unlikeness"], full["start: range and unlikeness"]),
            ".3f",
        ),
        "empty_sure": lesson.in_words(full["empty, surest"], ".0%"),
        "empty_bare": lesson.in_words(bare["empty, surest"], ".0%"),
    }
    for kind in ("lines", "uprights"):
        quoted[f"{kind}_verdict"] = lesson.which(
            np.subtract(full[f"end: {kind}"], chance),
            "more than chance gives",
            "fewer than chance gives",
            "no more than chance may give",
        )
    for when, points in lost.items():
        quoted |= {
            f"many_{when}_silu": lesson.in_words(full[f"{when}: SiLU-shaped in linear"], ".0%"),
            f"many_{when}_one_way": lesson.in_words(
                45 * np.array(full[f"{when}: one way in convs.1"]), ".0f"
            ),
            f"{when}_cost": lesson.in_words(points),
            f"{when}_least_cost": f"{points.min():.1f}".replace("-", "−"),
            f"{when}_largest_cost": f"{points.max():.1f}",
        }
    for key, layer in (("silu_first", "convs.0"), ("silu_second", "convs.1")):
        for when, at in (("", "end"), ("_start", "start")):
            quoted[f"{key}{when}"] = lesson.in_words(full[f"{at}: SiLU-shaped in {layer}"], ".0%")
    for name in MEASURES:
        start, end = (np.array(full[f"{when}: later: {name}"]) for when in ("start", "end"))
        quoted[f"later_{name}"] = lesson.in_words(end, ".0%")
        quoted[f"began_{name}"] = lesson.in_words(start, ".0%")
        quoted[f"grown_{name}"] = lesson.in_words(100 * (end - start))
    for key, name in DARK.items():
        start, end = (np.array(full[f"{when}: {name}"]) for when in ("start", "end"))
        quoted[f"dark_{key}_start"], quoted[f"dark_{key}"] = (
            lesson.in_words(of, ".1f" if key in ("count", "value") else ".2f")
            for of in (start, end)
        )
    drawn = (full[f"{when}: least reach, as drawn"] for when in ("end", "start"))
    quoted["least_grown_drawn"] = lesson.in_words(np.subtract(*drawn), ".2f")
    for key, of in (("grown", full), ("bare", bare)):
        grown = np.subtract(of["end: difference"], of["start: difference"])
        quoted[f"dark_difference_{key}"] = lesson.in_words(grown, ".3f")
    for when, at in (("", "end"), ("_start", "start")):
        for key, where in (("", ""), ("_drawn", ", as drawn")):
            least = np.array(full[f"{at}: least reach{where}"])
            quoted[f"tenth{key}{when}"] = lesson.in_words(full[f"{at}: tenth reach{where}"], ".2f")
            quoted[f"least{key}{when}"] = f"{least.min():.2f}"
            for name, limit in (("seven", 0.7), ("six", 0.6), ("five", 0.5), ("third", 1 / 3)):
                below = int((least < limit).sum())
                quoted[f"below_{name}{key}{when}"] = lesson.out_of(below, networks)
            small = np.count_nonzero(full[f"{at}: small for all{where}"])
            quoted[f"small{key}{when}"] = lesson.out_of(small, networks)
    return quoted


if __name__ == "__main__":
    raise SystemExit(main())
