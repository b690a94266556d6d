"""The endings of those tutorials whose run stands beside twenty recorded networks.

As in `what_you_saw`, the last cell of a tutorial calls its function with ``globals()``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from IPython.display import Markdown
from lesson import (
    DRAWN,
    called,
    chance_of_a_line,
    counted,
    in_words,
    interval,
    leaning,
    lines,
    listed,
    moved,
    of_labels_by_heart,
    out_of,
    outside,
    reach,
    recorded,
    ruled_seven,
    say,
    silu_as_a_line,
    span,
    table,
    uprights,
    which,
)
from torch import Tensor, nn
from what_you_saw import Told, ending


@ending
def reading_kernels(n: Any) -> Told:
    """Tell of tutorial 5."""
    fewest = min(count for count, right in n.pruned.items() if right >= n.right - 0.01)
    facts = {
        "steps": n.steps,
        "right": n.right,
        "dark": n.dark,
        "bright": n.bright,
        "outside": n.outside,
        "correlation": n.readings,
        "keep": n.keep,
        "beyond": n.beyond,
        "fewest": fewest,
    }
    worst = {name: min(row) for name, row in n.readings.items()}
    others = recorded()["article"]
    keep = 100 * np.subtract(others["keep SiLU, large w"], others["keep SiLU, small w"])
    shorter = 100 * (1 - np.divide(others["splines, small w"], others["splines, large w"]))
    began = 100 * np.mean(others["start: SiLU-shaped in convs.0"])
    never = recorded()["article without splines"]["linear, worst"]
    return facts, [
        f"The worst of the five ±1 patterns correlates with its kernel by "
        f"{worst['pattern ±1']:.2f}, the worst locally linear kernel by "
        f"{worst['locally linear']:.3f}; in twenty other networks by "
        f"{in_words(others['pattern, worst'], '.2f')} and "
        f"{in_words(others['linear, worst'], '.3f')}.",
        f"SiLU is nearly a line on [−1, 1]: twenty networks that never had splines get "
        f"{in_words(never, '.3f')}. And {n.dark:.0%} of the pixels are exactly −1, {n.bright:.0%} "
        "above 0.9: between two values any curve is a line. Where every grey is as likely, a "
        f"kernel of nothing but SiLU gets {silu_as_a_line():.3f}, the worst trained one "
        f"{in_words(others['linear, worst, every grey'], '.3f')}.",
        which(
            keep,
            "Entries with a large base weight keep SiLU more often",
            "Entries with a large base weight keep SiLU less often",
            "A large base weight does not show to keep SiLU",
        )
        + f": by {in_words(keep, '.0f')} points in twenty other networks (before training "
        f"{began:.0f} % of all were SiLU-shaped). There splines reach "
        + which(
            shorter,
            f"only {in_words(shorter, '.0f')} % less far where |w| is small",
            f"{in_words(-shorter, '.0f')} % further where |w| is small",
            "about as far where |w| is small",
        )
        + (
            ": that fits. How much of it is w's size was not measured."
            if interval(keep)[1] > 0
            else "."
        ),
        f"Of 6,340 functions {fewest:,} are enough to stay within a point of {n.right:.1%}; in "
        f"twenty other networks {in_words(others['functions enough'], ',.0f')} are.",
    ]


@ending
def counting_kernels(n: Any) -> Told:
    """Tell of tutorial 5b."""
    facts = {
        "lines": lines(n.model),
        "upright": uprights(n.model),
        "dark": n.dark,
        "found": n.found,
        "suppresses": n.suppresses,
        "later": n.later,
        "tenth": [float(reach(n.model, end)[9]) for end in (1.0, DRAWN)],
        "steps": n.live.stats.steps,
        "beyond": float(n.observed["linear"].outside_domain.mean()),
    }
    started, ended = n.dark["start"], n.dark["end"]
    own = {
        name: "stronger" if (ended[name] > started[name]) == (name in n.grown) else "weaker"
        for name in n.suppresses
    }
    stronger = [name for name, verdict in n.suppresses.items() if verdict == "stronger"]
    against = [name for name, way in own.items() if n.suppresses[name] not in (way, "neither")]
    return facts, [
        f"Among ten kernels {facts['lines']} horizontal and {facts['upright']} upright lines here.",
        f"In the twenty, suppression of dark input grows by {len(stronger)} of {len(own)} measures"
        + (f" ({listed(stronger)})" if stronger else "")
        + "; this network goes "
        + (
            f"the other way by {listed([f'*{name}*' for name in against])}."
            if against
            else "the same way by all of them."
        ),
    ]


ROWS = "https://kan-widgets.github.io/kan-widgets/the_article_row_by_row.html"
LATER = {
    "yes": "the later kernels became the more complex",
    "no, the earlier": "the earlier became the more complex",
    "undecided": "it is undecided",
}


def told_of_complexity(
    verdicts: Mapping[str, str], own: Mapping[str, float], others: Mapping[str, Sequence[float]]
) -> Markdown:
    """Say by which measures later kernels became more complex, by which earlier ones did.

    Then where a network of one's own lies beyond all others, in per cent.
    """
    of = {said: [name for name, one in verdicts.items() if one == said] for said in LATER}
    said = "; ".join(f"by {listed(names)} {LATER[one]}" for one, names in of.items() if names)
    apart = [
        f"By {name} the later is the more complex in {value:.0f} % of this network's pairs{beyond}."
        for name, value in own.items()
        if (beyond := outside(value, others[name], ".0f"))
    ]
    return say(f"In the twenty, {said}.", *apart)


def about_complexity(
    names: Mapping[str, str],
    verdicts: Mapping[str, str],
    own: Mapping[str, float],
    others: Mapping[str, Sequence[float]],
) -> Markdown:
    """Add to it where one pass says otherwise than fifteen, and how far each layer left SiLU."""
    fifteen, once = recorded()["article"], recorded()["one epoch"]
    told = []
    for measure, name in names.items():
        more, more_once = (
            100 * np.subtract(of[f"end: later: {measure}"], of[f"start: later: {measure}"])
            for of in (fifteen, once)
        )
        said = which(more_once, *LATER)
        if said != verdicts[name]:
            told.append(
                f"Once through 59,000 digits, by {name} {LATER[said]}: by {in_words(more_once)} "
                f"points, not {in_words(more)} ([row by row]({ROWS}))."
            )
    layers = ("convs.0", "convs.1")
    starts, ends = (
        [100 * np.array(fifteen[f"{when}: SiLU-shaped in {layer}"]) for layer in layers]
        for when in ("start", "end")
    )
    left = np.subtract(starts, ends)
    further = "the first further", "the second further", "neither clearly further"
    told.append(
        ("Both" if min(interval(of)[1] for of in left) > 0 else "Not both")
        + f" layers leave SiLU, {which(left[0] - left[1], *further)}: before training and after, "
        + ", ".join(
            f"of {layer} {in_words(start, '.0f')} and {in_words(end, '.0f')} %"
            for layer, start, end in zip(layers, starts, ends, strict=True)
        )
        + " of the functions are SiLU-shaped. SiLU itself leaves a line "
        f"{1 - silu_as_a_line() ** 2:.1%} of its variance, so the measures are not independent."
    )
    return Markdown(f"{told_of_complexity(verdicts, own, others).data}\n{say(*told).data}")


def about_lines() -> Markdown:
    """Say of the twenty recorded networks of tutorial 5b how many lines they have, and why."""
    kinds = "article", "article without splines", "digits turned", "labels shuffled"
    others, bare, turned, shuffled = map(recorded().get, kinds)
    heart = recorded()["labels by heart"]
    chance = 10 * chance_of_a_line()
    starts, ends = (np.array(others[f"{when}: lines"]) for when in ("start", "end"))
    standing, lying = leaning(others, "end: "), leaning(turned)
    turning = standing - lying
    rows = [["by chance", *[f"{chance:.2f}"] * 2]] + [
        [name, *(counted(of[f"{when}{kind}"]) for kind in ("lines", "uprights"))]
        for name, of, when in (
            ("untrained", others, "start: "),
            ("trained", others, "end: "),
            ("no splines", bare, "end: "),
            ("turned", turned, ""),
            ("shuffled", shuffled, ""),
            (f"by heart, {len(heart['lines'])} networks", heart, ""),
        )
    ]
    told = say(
        which(
            ends - starts,
            "**Training makes horizontal lines**",
            "**Training takes horizontal lines away**",
            "**Whether training makes horizontal lines is open**",
        )
        + f": by {in_words(ends - starts, '.2f')} of ten kernels"
        + which(
            ends - bare["end: lines"],
            ", with splines more than without.",
            ", with splines fewer than without.",
            ", with splines no more than without, as far as twenty pairs show.",
        ),
        which(
            turning,
            "**Lines turn with the digits**",
            "**Lines turn against the digits**",
            "**Whether lines turn with the digits is open**",
        )
        + f": standing digits give {in_words(standing, '.2f')} more horizontal than upright "
        f"ones, lying digits {in_words(-lying, '.2f')} fewer: a difference of "
        f"{in_words(turning, '.2f')}.",
        f"With shuffled labels {np.sum(shuffled['lines']):.0f} and "
        f"{np.sum(shuffled['uprights']):.0f} of 200 kernels are lines, untrained "
        f"{starts.sum():.0f} and {np.sum(others['start: uprights']):.0f}; but 945 steps teach such "
        f"a network only {np.mean(heart['fitted, 945 steps']):.0%} of its labels.",
        f"Trained on until they know {np.mean(heart['fitted']):.0%} of them by heart, in "
        f"{np.mean(heart['passes']):.0f} passes, {len(heart['lines'])} networks have "
        f"{np.sum(heart['lines']):.0f} horizontal and {np.sum(heart['uprights']):.0f} upright "
        f"lines among {10 * len(heart['lines'])} kernels. Horizontal ones: "
        f"{of_labels_by_heart(ends, heart)}.",
    )
    means = table(["of ten kernels, twenty networks", "horizontal", "upright"], rows)
    none = f"0.00: in {out_of(0, len(ends))} networks, or in {out_of(0, len(heart['lines']))}."
    return Markdown(f"{means.data}\n\n{none}\n\n{told.data}")


def about_the_tenth(network: nn.Module) -> Markdown:
    """Say how small kernels are, beside the median: a network's tenth, and the recorded ones."""
    others, untrained, once = map(recorded().get, ("article", "untrained", "one epoch"))
    columns = []
    for where, end in ((", as drawn", DRAWN), ("", 1.0)):
        small = np.count_nonzero(others[f"end: small for all{where}"])
        never = untrained[f"small for all{where}"]  # each number is that of fifty networks
        columns.append(
            [
                f"{reach(network, end)[9]:.2f}",
                in_words(others[f"end: tenth reach{where}"], ".2f"),
                *(
                    out_of(sum(least < 0.6 for least in others[f"{when}: least reach{where}"]), 20)
                    for when in ("start", "end")
                ),
                out_of(small, 20),
                out_of(sum(never), 50 * len(never)),
            ]
        )
    names = (
        "the tenth, here",
        "the tenth, twenty others",
        "networks whose smallest kernel is below 0.6, untrained",
        "…trained",
        "networks with a kernel that is small for all nine, trained",
        "…untrained",
    )
    head = ["range beside the median of ten", "as drawn, −2 to 2", "on the grid"]
    means = table(head, [*zip(names, *columns, strict=True)])
    all_nine = [np.count_nonzero(of["end: small for all, as drawn"]) for of in (others, once)]
    larger = [
        np.subtract(of["end: least reach, as drawn"], of["start: least reach, as drawn"])
        for of in (others, once)
    ]
    least = min(min(of["end: least reach, as drawn"]) for of in (others, once))
    chance = 1000 * 10 * (0.6 / 2) ** 9  # nine weights drawn evenly, all below 0.6 of the median
    told = say(
        ("**In some of ours**" if any(all_nine) else "**Not reproduced**")
        + ": as drawn, small for all nine in {} of 20, once through 59,000 digits in {}. By chance "
        "{:.1f} of 1,000 untrained networks have one, so none says little. His weights are not "
        "known.".format(*all_nine, chance),
        which(
            larger[0],
            "Training makes the smallest of ten larger",
            "Training makes the smallest of ten smaller still",
            "Whether training makes the smallest of ten larger is open",
        )
        + ": as drawn by {} of the median, once through by {}. The smallest of all is at "
        "{:.2f}.".format(*(in_words(of, ".2f") for of in larger), least),
    )
    return Markdown(f"{means.data}\n\n{told.data}")


@ending
def doubting_kernels(n: Any) -> Told:
    """Tell of tutorial 5c."""
    hidden = 100 * np.subtract(n.as_large["right"], n.bare["end: right"])
    facts = {
        "right": n.right,
        "cut": n.cut,
        "grey_right": n.grey_right,
        "grey_cut": n.grey_cut,
        "hills": n.hills,
        "worth": interval(100 * n.worth),
        "gain": interval(n.gain),
    }
    return facts, [
        which(
            n.worth,
            f"On plain digits splines are worth {in_words(100 * n.worth)} points",
            f"On plain digits splines do harm: {in_words(100 * n.worth)} points",
            "On plain digits splines are worth nothing that twenty pairs could show",
        )
        + f", though cutting them out of a trained network costs {in_words(n.cost['end'])}.",
        which(
            n.left,
            "A hidden layer of as many numbers does not bring that",
            "A hidden layer of as many numbers brings more",
            "A hidden layer of as many numbers brings as much, as far as twenty can show",
        )
        + f": {in_words(n.left)} points behind the splines. Beside the small network it has "
        f"{in_words(hidden, '.2f')} points more.",
        f"On grey ink splines are worth {in_words(n.gain)} points.",
        f"Of the first 45 functions that learned from grey ink {n.hills['grey']} are hills or "
        f"valleys over 0 here, {in_words(recorded()['grey']['hills'])} in twenty others; of those "
        f"that learned from plain digits {n.hills['plain']}, in twenty others "
        f"{in_words(recorded()['article']['end: hills'])}; of untrained ones "
        f"{n.hills['untrained']}, in twenty others "
        f"{in_words(recorded()['grey']['hills, untrained'], '.2f')}.",
    ]


def refinement(refined: Sequence[float], stayed: Sequence[float], at_once: float) -> Markdown:
    """Set tutorial 3's refined function beside its controls and twenty others, and say who won."""
    grids, twenty = (3, 6, 12, 24), recorded()["refined"]
    rows = [
        [
            f"{before} to {g}",
            f"{new:.5f}",
            f"{old:.5f}",
            *(in_words(twenty[f"{how} to {g}"], ".5f") for how in ("refined", "not refined")),
        ]
        for before, g, new, old in zip(grids[:-1], grids[1:], refined[1:], stayed, strict=True)
    ]
    rows.append(["24 at once", f"{at_once:.5f}", "", in_words(twenty["24 at once"], ".5f"), ""])
    head = ["intervals", "refined", "as many steps, old grid", "refined, twenty others"]
    means = table([*head, "old grid, twenty others"], rows)
    gains = [np.divide(twenty[f"not refined to {g}"], twenty[f"refined to {g}"]) for g in grids[1:]]
    behind = np.log(np.divide(twenty["24 at once"], twenty["refined to 24"]))
    verdict = "ends behind", "ends ahead", "comes as near, as far as twenty show"
    told = say(
        which(
            np.min(gains, axis=0) - 1,
            "It is the grid",
            "It is the steps",
            "Grid or steps, that is open",
        )
        + f": as many steps on the old one leave {', '.join(map(in_words, gains))} times the error,"
        " in twenty others (at 3, 6 and 12 intervals).",
        f"24 intervals at once {which(behind, *verdict)} at this rate, which is long for them (a "
        f"shorter one was not tried): {in_words(np.exp(behind))} times the error of the refined "
        "network, after as many steps.",
    )
    return Markdown(f"{means.data}\n\n{told.data}")


def depth() -> Markdown:
    """Say whether bend grows with depth in the twenty recorded pairs of tutorial 7b."""
    pair = recorded()["pair"]

    def times(variant: str, later: str, earlier: str) -> Any:
        found = [pair[f"{variant}: bend of {layer}"] for layer in (later, earlier)]
        return np.divide(*found)

    layers = ("convs.0", "convs.1", "convs.2", "linear")

    def each(variant: str, measure: str) -> Any:
        """Return a measure as layers by networks."""
        return np.array([pair[f"{variant}: {measure} of {layer}"] for layer in layers])

    def most_varied(variant: str) -> str:
        found = each(variant, "variation")
        *_, second, most = np.argsort(found.mean(1))
        return which(found[most] - found[second], f"is {layers[most]}", "", "is not settled")

    first, second = times("as built", "convs.1", "convs.0"), times("as built", "convs.2", "convs.1")
    alike, still = times("one size", "convs.1", "convs.0"), times("one size", "convs.2", "convs.1")
    last = times("as built", "linear", "convs.2")
    grows = min(interval(first)[1], interval(second)[1]) > 1
    bend, halves = each("as built", "bend"), each("as built", "middle half")
    apart = np.ptp(bend, axis=0)
    return say(
        f"**As built, bend {'grows' if grows else 'does not grow'} from each convolution to the "
        f"next:** the second is {in_words(first, '.2f')} times as bent as the first, the third "
        f"{in_words(second, '.2f')} times as bent as the second.",
        which(
            (first - 1) / 2 - (alike - 1),
            "**The first half of that is mostly an artefact.**",
            "**The first half of that stays.**",
            "**How much of the first half is an artefact is open.**",
        )
        + f" With one size at the start the second is {in_words(alike, '.2f')} times as bent as the"
        " first. Only the size at which the first functions began had changed.",
        which(
            still - 1,
            "**The second half stays**",
            "**The second half turns round**",
            "**The second half goes**",
        )
        + f": with one size, too, the third is {in_words(still, '.2f')} times as bent.",
        which(
            last - 1,
            "**It goes on to the last layer**",
            "**It is no law of depth**",
            "**It ends with the convolutions**",
        )
        + f": the dense layer is {in_words(last, '.2f')} times as bent as the third convolution.",
        "**By total variation, which depends on the size of φ,** the most complicated layer "
        f"{most_varied('as built')} as built, and {most_varied('one size')} with one size.",
        "**Two functions of one layer differ "
        + which(
            halves.mean(0) - apart,
            "more than two layers do:**",
            "less than two layers do:**",
            "about as much as two layers do:**",
        )
        + f" as built, the middle half of a layer's functions spans {in_words(halves.mean(0))} in "
        f"bend, the medians of the layers lie {in_words(apart)} apart.",
        "Even in the layer least like SiLU, the typical function's R² with it is "
        f"{min(each('as built', 'silu').mean(1)):.2f}.",
    )


def pale(dimensions: Sequence[int], curves: Sequence[str], own: Sequence[Any]) -> list[Any]:
    """Return for each line of tutorial 7's chart a mark with those of twenty other seeds."""
    twenty = recorded()["curse"]
    return [
        type(line)(  # bqplot's, which is not to be imported before there is a chart
            x=[*dimensions],
            y=np.transpose([twenty[f"{curve}, {d}"] for d in dimensions]),
            scales=line.scales,
            colors=line.colors * 20,
            opacities=[0.2] * 20,
            stroke_width=1,
        )
        for curve, line in zip(curves, own, strict=True)
    ]


def curse(dimensions: Sequence[int], with_sixteen: Mapping[str, float]) -> Markdown:
    """Say how often KAN and MLP came nearer in tutorial 7's twenty others, and with 16 units."""
    twenty = {name: np.array(values) for name, values in recorded()["curse"].items()}
    functions, mlps = ("exp of a sum", "folds"), ("MLP", "MLP of SiLU", "MLP of two layers")
    names = "the MLP of ReLU", "one of SiLU", "one of two hidden layers"

    def nearer(function: str, mlp: str) -> str:
        """Say in how many runs the KAN comes nearer, by number of variables."""
        kan, other = (
            np.array([twenty[f"{function}, {kind}, {d}"] for d in dimensions])
            for kind in ("KAN", mlp)
        )
        return listed([*map(str, (kan < other).sum(1))])

    def left(kind: str, form: str) -> str:
        """Say between which means a network's errors on the first function lie."""
        return span([twenty[f"{functions[0]}, {kind}, {d}"].mean() for d in dimensions], form)

    head = f"in {listed([*map(str, dimensions)])} variables"
    counts = table(
        ["of twenty other runs, the KAN is nearer than", *(f"{of}, {head}" for of in functions)],
        [
            [name, *(nearer(of, mlp) for of in functions)]
            for name, mlp in zip(names, mlps, strict=True)
        ],
    )
    kan, mlp = (twenty[f"folds, {kind}, 16, as large as 16 units"] for kind in ("KAN", "MLP"))
    with_four = twenty["folds, KAN, 16"] - twenty["folds, MLP, 16"]
    told = say(
        "Of the variance of the exp of a sum, in the mean, "
        + listed(
            [f"{name} leaves {left(mlp, '.2f')}" for name, mlp in zip(names, mlps, strict=True)]
        )
        + f", where the KAN leaves {left('KAN', '.3f')}.",
        "On the folds in 16 variables, with sixteen units and an MLP as large, the KAN leaves "
        f"{with_sixteen['KAN']:.2f} here and the MLP {with_sixteen['MLP']:.2f}. In the twenty the "
        f"MLP is nearer {(kan > mlp).sum()} times, by {in_words(kan - mlp, '.2f')} of the variance "
        f"instead of {in_words(with_four, '.2f')} with four units.",
    )
    return Markdown(f"{counts.data}\n\n{told.data}")


@ending
def cnn_mlp_kan(n: Any) -> Told:
    """Tell of tutorial 7."""
    facts = {
        "accuracy": {name: record["eval_accuracy"] for name, record in n.records.items()},
        "standard_error": {
            name: n.standard_error(record["eval_accuracy"]) for name, record in n.records.items()
        },
        "parameters": n.parameters,
        "curse": {curve: values.tolist() for curve, values in n.errors.items()},
        "sizes": {kind: [n.sizes[kind, d] for d in n.dimensions] for kind in ("KAN", "MLP")},
        "sines": n.found_sines,
    }
    told = [
        "Of the test digits "
        + listed([f"the {name} gets {right:.1%}" for name, right in facts["accuracy"].items()])
        + f" right (standard errors up to {max(facts['standard_error'].values()):.1%}, one seed); "
        "their test losses are "
        + listed([f"{record['eval_loss']:.2f}" for record in n.records.values()])
        + "."
    ]
    for name in ("exp of a sum", "folds"):
        kan, mlp = (n.errors[f"{name}, {kind}"] for kind in ("KAN", "MLP"))
        left = [listed([f"{error:.4f}" for error in of]) for of in (kan, mlp)]
        told.append(
            f"On the {name} the KAN leaves {left[0]} of the variance in "
            f"{listed([*map(str, n.dimensions)])} variables, the MLP {left[1]}: the KAN comes "
            f"nearer at {(kan < mlp).sum()} of the {len(kan)} numbers of variables."
        )
    apart = [
        f"{curve} in {d} variables {error:.4f}{beyond}"
        for curve, of in n.errors.items()
        for d, error in zip(n.dimensions, of, strict=True)
        if (beyond := outside(error, recorded()["curse"][f"{curve}, {d}"], ".4f"))
    ]
    if apart:
        told.append(f"Beyond all of the twenty: {'; '.join(apart)}.")
    return facts, told


@ending
def complexity_and_depth(n: Any) -> Told:
    """Tell of tutorial 7b."""
    variants = ("as built", "one size")
    facts = {
        "difference_at_start": n.difference_at_start,
        "known": {name: getattr(n.measured, name).tolist() for name in n.names},
        "pair_accuracy": n.accuracy,
        "numbers": {
            name: {v: {layer: n.medians(v, layer, name) for layer in n.layers} for v in variants}
            for name in (*n.names, "bend within ±2")
        },
        "middle_half": {
            v: {
                layer: float(np.ptp(np.mean(n.quartiles[v, layer, "bend"], axis=0)))
                for layer in n.layers
            }
            for v in variants
        },
    }
    told = []
    for v in variants:
        bend, total = (facts["numbers"][name][v] for name in ("bend", "variation"))
        first, second, third, _ = (float(np.mean(of)) for of in bend.values())
        most = max(total, key=lambda layer: np.mean(total[layer]))
        told.append(
            f"{v.capitalize()}, over three seeds: the second convolution is {second / first:.2f} "
            f"times as bent as the first, the third {third / second:.2f} times as bent as the "
            f"second; the layer with the most total variation is {most}."
        )
    return facts, told


@torch.no_grad()
def right_of_each(network: nn.Module, images: Tensor, labels: Tensor) -> Any:
    """Return for each digit 100 if it is right, and 0 if not."""
    return 100.0 * (network(images).argmax(1) == labels).numpy()


@ending
def what_it_never_saw(n: Any) -> Told:
    """Tell of tutorial 10; an interval is that of the test digits."""
    shown = {"pushed": moved(n.images), "placed": n.images, "black on white": -n.images}
    right = {
        what: {name: right_of_each(network, of, n.labels) for name, network in n.models.items()}
        for what, of in shown.items()
    }
    facts = {
        what: {name: float(of.mean()) / 100 for name, of in found.items()}
        for what, found in right.items()
    }
    facts["sure"] = {name: called(network, n.empty)[1] for name, network in n.models.items()}
    facts["a ruled 7 is one"] = {
        name: float(called(network, ruled_seven())[0] == 7) for name, network in n.models.items()
    }
    facts["sure of noise"] = {
        name: called(network, n.noise)[1] for name, network in n.models.items()
    }
    others, twenty = recorded()["article"], recorded()["unseen"]
    bare = recorded()["article without splines"]
    ones, ones_bare = (np.equal(of["empty, class"], 1).sum() for of in (others, bare))

    def changed(what: str, later: str, earlier: str, more: str, less: str) -> str:
        """Say how many points more are right, or less, here and in twenty others."""
        own = right[what][later] - right[what][earlier]
        found = np.subtract(twenty[f"{what}: {later}"], twenty[f"{what}: {earlier}"])
        said = which(own, more, less, f"{more} nothing that 1,000 digits could show,")
        sign = -1 if said == less else 1
        there = in_words(sign * 100 * found)
        return f"{said} {in_words(sign * own)} points; in twenty others {there}."

    return facts, [
        changed(
            "pushed",
            "moved",
            "as they are",
            "With pushed digits, learning from moved ones brings",
            "With pushed digits, learning from moved ones costs",
        ),
        f"Of pushed digits *as they are* gets {facts['pushed']['as they are']:.1%} right"
        + outside(facts["pushed"]["as they are"], twenty["pushed: as they are"], ".1%")
        + f". In the mean the twenty get {in_words(twenty['pushed: as they are'], '.1%')}; a guess "
        "gets 10 %.",
        changed(
            "placed",
            "moved",
            "as they are",
            "On digits in their place it brings",
            "On digits in their place it costs",
        ),
        "How sure they are of an empty picture: "
        + ", ".join(f"*{name}* {sure:.0%}" for name, sure in facts["sure"].items())
        + (
            ". The last doubts, of a picture like those it was shown; letters or checkerboards "
            "were not asked."
            if facts["sure"]["moved, and doubt"] < 0.5
            else ". Not even of a picture like those it was shown does the last doubt."
        ),
        f"Twenty others that saw digits alone are {in_words(others['empty, surest'], '.0%')} sure "
        f"of it, and {ones} of 20 call it a 1. Twenty networks without splines answer from the "
        "same ten and are "
        + which(
            np.subtract(others["empty, surest"], bare["empty, surest"]),
            "less sure",
            "more sure",
            "not clearly less sure",
        )
        + f", {in_words(bare['empty, surest'], '.0%')}; {ones_bare} of 20 call it a 1.",
        "How sure they are of noise: "
        + "; ".join(
            f"*{name}* {sure:.0%}, {in_words(twenty[f'sure of noise: {name}'], '.0%')} in twenty "
            "others"
            for name, sure in facts["sure of noise"].items()
        )
        + ".",
        changed(
            "pushed",
            "moved, and doubt",
            "moved",
            "On pushed digits this recipe for doubt brings",
            "On pushed digits this recipe for doubt costs",
        ),
    ]


@ending
def from_scratch(n: Any) -> Told:
    """Tell of tutorial 11."""
    slower = n.times["from scratch"] / n.times["the package"]
    steps = int(n.optimizer.state_dict()["state"][0]["step"])
    facts = {"right": n.right, "difference": n.difference, "times": n.times}
    others, package = recorded()["scratch"]["right"], recorded()["scratch"]["package: right"]
    ahead = 100 * np.subtract(others, package)
    return facts, [
        f"A KAN-CNN from scratch gets {n.right:.1%} right here after {steps} steps"
        + (", less than any of twenty others" if n.right < min(others) else "")
        + f"; twenty others get {in_words(others, '.1%')} (from {span(others, '.1%')}).",
        "After as many steps the twenty are "
        + which(
            ahead,
            f"{in_words(ahead)} points ahead of the package's network",
            f"{in_words(-ahead)} points behind the package's network",
            "as far as the package's network, as far as twenty pairs show",
        )
        + ", from another start and without a trained scale: that gets "
        f"{in_words(package, '.1%')} right, after 945 steps "
        f"{in_words(recorded()['article']['end: right'], '.1%')}.",
        f"The package's answers differ from it by {n.difference:.0e} at most"
        + (": it is the same network." if n.difference < 1e-4 else ", more than rounding."),
        f"Here a step from scratch takes {slower:.1f} times as long as the package's."
        if slower > 1.1
        else "Here a step from scratch takes no longer than the package's.",
    ]
