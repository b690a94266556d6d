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
    AS_WELL,
    DRAWN,
    X,
    called,
    chance_of_a_line,
    curves,
    dots,
    in_words,
    interval,
    leaning,
    lines,
    listed,
    moved,
    moves_less_on_the_left,
    out_of,
    outside,
    paths,
    ranks_together,
    reach,
    recorded,
    ruled_digits,
    say,
    share_right,
    silu_as_a_line,
    span,
    table,
    uprights,
    which,
)
from networks_compared import MEASURES, Errors, standard_error
from torch import Tensor, nn
from what_you_saw import Told, ending

import kan_widgets as kw


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
        about_wrong_patterns(),
        f"The worst of the five ±1 patterns correlates with its kernel by "
        f"{worst['pattern ±1']:.2f}, the worst locally linear kernel by "
        f"{worst['locally linear']:.3f}; in twenty other networks by "
        f"{in_words(others['pattern, worst'], '.2f')} and "
        f"{in_words(others['linear, worst'], '.3f')}.",
        f"Is that because pixels are black or white? {n.dark:.0%} are exactly −1, {n.bright:.0%} "
        "above 0.9, and between two values any curve is a line. But where every grey is as likely, "
        f"the worst kernel still gets {in_words(others['linear, worst, every grey'], '.3f')}.",
        f"SiLU itself is nearly a line on [−1, 1]: there a kernel of nothing but SiLU gets "
        f"{silu_as_a_line():.3f}, and on digits twenty networks that never had splines get "
        f"{in_words(never, '.3f')}.",
        which(
            keep,
            "Entries with a large base weight keep SiLU more often",
            "Entries with a large base weight keep SiLU less often",
            "A large base weight does not show to keep SiLU",
        )
        + f": by {in_words(keep, '.0f')} points in twenty other networks (before training "
        f"{began:.0f} % of all were SiLU-shaped). In these, splines reach "
        + which(
            shorter,
            f"only {in_words(shorter, '.0f')} % less far where |w| is small",
            f"{in_words(-shorter, '.0f')} % further where |w| is small",
            "about as far where |w| is small",
        )
        + (": so there they show." if interval(keep)[1] > 0 else "."),
        f"Of 6,340 functions {fewest:,} are enough, of the numbers tried, to stay within a point "
        f"of {n.right:.1%} (on the digits that chose them); in twenty other networks "
        f"{in_words(others['functions enough'], ',.0f')} are.",
    ]


def about_wrong_patterns() -> str:
    """Say whether a pattern says where a kernel wants ink, or only how much, in the twenty."""
    twenty = {name: np.array(found) for name, found in recorded()["patterns"].items()}
    alike, on_ink = (
        twenty[f"own{where}"] - twenty[f"nine alike{where}"] for where in ("", ", not blank")
    )
    other = twenty["own"] - twenty["another's"]
    return (
        which(
            alike,
            "**In the mean a pattern says more than how much ink there is**",
            "**In the mean a pattern says less than how much ink there is**",
            "**Whether a pattern says more than how much ink there is, is open**",
        )
        + f": in twenty other networks a kernel's own gets {in_words(twenty['own'], '.2f')}, nine "
        f"alike {in_words(alike, '.2f')} less (on patches that are not blank "
        f"{in_words(on_ink, '.2f')}), another's {in_words(other, '.2f')} less. But for "
        f"{in_words(twenty['nine alike as well'])} of the five kernels nine alike come within "
        f"{AS_WELL}."
    )


def about_shapes(found: Mapping[str, Mapping[str, float]], beyond: float) -> Markdown:
    """Say what tutorial 5b's network is at three times, and how twenty others change.

    And which share of its last layer's inputs is beyond the grid at the end, 0 to 1.
    """
    others = recorded()["article"]
    names = {
        "right": "digits that are right",
        "one way in convs.1": "one way, second convolution",
        "SiLU-shaped in linear": "SiLU-shaped, last layer",
    }
    rows = []
    for measure, name in names.items():
        since = 100 * np.subtract(others[f"end: {measure}"], others[f"early: {measure}"])
        here = (f"{of[measure]:.0%}" for of in found.values())
        rows.append([name, *here, in_words(since, ".0f")])
    head = ["here", "start", "63 steps", "945 steps", "twenty others, points after step 63"]
    many = in_words(others["beyond the dense grid"], ".0%")
    told = say(
        f"Beyond the last layer's grid lie {beyond:.0%} of its inputs here, {many} in the twenty."
    )
    return Markdown(f"{table(head, rows).data}\n\n{told.data}")


def chart_of_lines(network: nn.Module) -> Any:
    """Return a chart of how many of ten kernels are lines: here, and in each kind of network."""
    kinds = recorded()
    others, bare = kinds["article"], kinds["article without splines"]
    more = {"turned": "digits turned", "shuffled": "labels shuffled"}
    counts = {
        name: {
            "this one": [own(network)],
            "untrained": others[f"start: {kind}"],
            "trained": others[f"end: {kind}"],
            "no splines": bare[f"end: {kind}"],
            **{name: kinds[of][kind] for name, of in more.items()},
        }
        for name, kind, own in (
            ("horizontal", "lines", lines),
            ("upright", "uprights", uprights),
        )
    }
    return dots(counts, "lines among ten kernels", row=0.17)


def charts_of_dark(before: nn.Module, after: nn.Module) -> list[Any]:
    """Return two charts of the first layer's 45 functions: those flat on the left, and the others.

    Flat is what moves less than half as far on [−1, 0] as on [0, 1].
    """
    charts = []
    both = {"before": curves(before)[:5], "after": curves(after)[:5]}
    most = float(max(phi.abs().max() for phi in both.values()))
    for when, kernels in both.items():
        phi = kernels.flatten(0, -2)
        flat = moves_less_on_the_left(phi)
        groups = {"others": phi[~flat], f"flat on the left, {flat.sum()} of 45": phi[flat]}
        drawn = {}
        for name, of in groups.items():
            gaps = torch.full((len(of), 1), torch.nan)  # between two functions
            x = torch.cat([X, torch.tensor([torch.nan])]).repeat(len(of))
            drawn[name] = x, torch.cat([of, gaps], 1).flatten()
        drawn = {name: line for name, line in drawn.items() if len(line[0])}
        chart = kw.figures.lines(drawn, x="x, from black to white", y=f"φ, {when} training")
        for mark in chart.marks:
            mark.stroke_width = 1
        chart.axes[1].scale.min, chart.axes[1].scale.max = -most, most
        charts.append(chart)
    return charts


IN_THE_DARK = (
    "how many, by movement",
    "how many, by value",
    "difference",
    "answer to the dark, beside the spread",
)
STRONGER_IF_MORE = IN_THE_DARK[:3]


def suppression(kind: str = "article") -> dict[str, Any]:
    """Return how much each measure of the dark, and w, changes in training, network by network."""
    of = recorded()[kind]
    names = (*IN_THE_DARK, "base weights")
    return {name: np.subtract(of[f"end: {name}"], of[f"start: {name}"]) for name in names}


def suppresses() -> dict[str, str]:
    """Say by which measures suppression of the dark grows in the twenty: stronger, or weaker."""
    signs = {name: 1 if name in STRONGER_IF_MORE else -1 for name in IN_THE_DARK}
    changes = suppression()
    return {
        name: which(sign * changes[name], "stronger", "weaker", "neither")
        for name, sign in signs.items()
    }


def about_dark(dark: Mapping[str, Mapping[str, float]]) -> Markdown:
    """Set what the first layer does in the dark, before and after, beside the twenty."""
    verdicts, bare = suppresses(), suppression("article without splines")
    changes, own = suppression(), own_suppression(dark)
    rows = []
    for name in IN_THE_DARK:
        form, finer = (".0f", ".1f") if name.startswith("how many") else (".2f", ".2f")
        before, after = (f"{dark[when][name]:{form}}" for when in ("start", "end"))
        trained = f"{np.mean(recorded()['article'][f'end: {name}']):{form}}"
        change = f"{in_words(changes[name], finer)}: **{verdicts[name]}**"
        rows.append([name, f"{before} → {after}: {own[name]}", trained, change])
    head = ["suppression, by", "here", "twenty others, trained", "change in these"]
    means = table(head, rows)

    def more(name: str) -> str:
        """Say how a measure grows without splines, beside how it grows with them."""
        said = "more", "less", "as much, as far as twenty pairs show"
        return (
            f"{which(bare[name] - changes[name], *said)}: by {in_words(bare[name], '.2f')} instead "
            f"of {in_words(changes[name], '.2f')}"
        )

    told = say(
        f"Without splines the difference grows {more('difference')}.",
        f"Without splines base weights grow {more('base weights')} (means of |w|).",
    )
    return Markdown(f"{means.data}\n\n{told.data}")


def own_suppression(dark: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    """Say by which measures suppression of the dark grows in one network."""
    return {
        name: "stronger"
        if (dark["end"][name] > dark["start"][name]) == (name in STRONGER_IF_MORE)
        else "weaker"
        for name in IN_THE_DARK
    }


COMPLEX = {"bend": "bend", "line": "what a line leaves", "silu": "what SiLU leaves"}


def shares_of_pairs(when: str, kind: str = "article") -> dict[str, Any]:
    """Return in how many of 100 pairs the later kernel is the more complex, by measure."""
    others = recorded()[kind]
    return {name: 100 * np.array(others[f"{when}: later: {of}"]) for of, name in COMPLEX.items()}


def became_more_complex(kind: str = "article") -> dict[str, str]:
    """Say by each measure whether the later kernels of the twenty became the more complex."""
    starts, ends = (shares_of_pairs(when, kind) for when in ("start", "end"))
    return {name: which(ends[name] - starts[name], *LATER) for name in ends}


def chart_of_complexity(own: Mapping[str, float]) -> Any:
    """Return a chart of `shares_of_pairs`, and of one network's shares, 0 to 1, by measure."""
    kinds = {
        "untrained": shares_of_pairs("start"),
        "trained": shares_of_pairs("end"),
        "this one": {name: [100 * own[measure]] for measure, name in COMPLEX.items()},
    }
    return dots(kinds, "later is the more complex, %", level=("no difference", 50))


def about_this_network(own: Mapping[str, float]) -> Markdown:
    """Say what tutorial 5b's chart of complexity shows."""
    shares = {name: 100 * own[measure] for measure, name in COMPLEX.items()}
    return about_complexity(COMPLEX, became_more_complex(), shares, shares_of_pairs("end"))


def chart_of_sizes(points: Mapping[str, tuple[Any, Any]]) -> Any:
    """Return a chart of ranges, and of what SiLU leaves: a dot for each function."""
    figure = kw.figures.lines(points, x="range on the grid", y="what SiLU leaves", log="xy")
    for mark in figure.marks:
        mark.marker, mark.stroke_width = "circle", 0
    return figure


def about_sizes(points: Mapping[str, tuple[Any, Any]]) -> Markdown:
    """Say how ranges and unlikeness to SiLU go together, here and in the twenty."""
    others = recorded()["article"]

    def together(when: str, functions: slice) -> float:
        size, unlike = points[when]
        return ranks_together(size[functions], unlike[functions])

    rows = [
        [
            when,
            f"{together(when, slice(None)):.2f}".replace("-", "−"),
            in_words(others[f"{at}: range and unlikeness"], ".2f"),
        ]
        for when, at in zip(points, ("start", "end"), strict=True)
    ]
    within = [together([*points][-1], half) for half in (slice(45), slice(45, None))]
    first, second = (f"{value:.2f}".replace("-", "−") for value in within)
    told = say(
        f"Within convs.0 alone it is {first} here, when trained, within convs.1 {second}"
        + (": so it is not only a difference of the layers." if max(within) < 0 else ".")
    )
    means = table(["correlation by ranks", "here", "twenty others"], rows)
    return Markdown(f"{means.data}\n\n{told.data}")


@ending
def counting_kernels(n: Any) -> Told:
    """Tell of tutorial 5b."""
    verdicts = suppresses()
    facts = {
        "lines": lines(n.model),
        "upright": uprights(n.model),
        "dark": n.dark,
        "found": n.found,
        "suppresses": verdicts,
        "later": became_more_complex(),
        "tenth": [float(reach(n.model, end)[9]) for end in (1.0, DRAWN)],
        "steps": n.live.stats.steps,
        "beyond": float(n.observed["linear"].outside_domain.mean()),
    }
    own = own_suppression(n.dark)
    stronger = [name for name, verdict in verdicts.items() if verdict == "stronger"]
    against = [name for name, way in own.items() if verdicts[name] not in (way, "neither")]
    also = [
        np.sum((change > 0) == ((own[name] == "stronger") == (name in STRONGER_IF_MORE)))
        for name, change in suppression().items()
        if name in against
    ]
    later, once = became_more_complex(), became_more_complex("one epoch")
    small = np.count_nonzero(recorded()["article"]["end: small for all, as drawn"])
    return facts, [
        f"Shapes: of the last layer {n.found['early']['SiLU-shaped in linear']:.0%} were "
        f"SiLU-shaped at step 63, {n.found['end']['SiLU-shaped in linear']:.0%} at the end.",
        f"Lines: {facts['lines']} horizontal and {facts['upright']} upright lines here, among ten "
        "kernels.",
        f"In the twenty, suppression of dark input grows by {len(stronger)} of {len(own)} measures"
        + (f" ({listed(stronger)})" if stronger else "")
        + "; this network goes "
        + (
            f"the other way by {listed([f'*{name}*' for name in against])}, as "
            f"{listed([str(count) for count in also])} of the twenty do."
            if against
            else "the same way by all of them."
        ),
        "Later kernels: "
        + ", ".join(
            f"by {name} {SHORTLY[verdict]}"
            + (f" (once through 59,000 digits {SHORTLY[other]})" if other != verdict else "")
            for (name, verdict), other in zip(later.items(), once.values(), strict=True)
        )
        + ".",
        f"A kernel that is small for all nine: in {out_of(small, 20)}.",
    ]


ROWS = "https://kan-widgets.github.io/kan-widgets/the_article_row_by_row.html"
SHORTLY = {"yes": "more complex", "no, the earlier": "less", "undecided": "undecided"}
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
    bold = "**It depends on the measure.** " if len([*filter(None, of.values())]) > 1 else ""
    return say(f"{bold}In the twenty, {said}.", *apart)


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
                f"points. Fifteen passes gave {in_words(more)} ([row by row]({ROWS}))."
            )
    layers = ("convs.0", "convs.1")
    starts, ends = (
        [100 * np.array(fifteen[f"{when}: SiLU-shaped in {layer}"]) for layer in layers]
        for when in ("start", "end")
    )
    left = np.subtract(starts, ends)
    further = "the first further", "the second further", "neither clearly further"
    before, after = (
        " and ".join(said(values, layer) for values, layer in zip(of, layers, strict=True))
        for of, said in (
            (starts, lambda values, layer: f"{np.mean(values):.0f} in {layer}"),
            (ends, lambda values, layer: f"{in_words(values, '.0f')} in {layer}"),
        )
    )
    told += [
        ("Both" if min(interval(of)[1] for of in left) > 0 else "Not both")
        + f" layers leave SiLU, {which(left[0] - left[1], *further)}. Of 100 functions {before} "
        f"were SiLU-shaped before training; after it, {after}.",
        f"The best line leaves {1 - silu_as_a_line() ** 2:.1%} of SiLU's variance: the measures "
        "are not independent.",
    ]
    first = told_of_complexity(verdicts, own, others).data
    return Markdown(f"{first}\n{say(*told).data}")


def about_lines() -> Markdown:
    """Say of the twenty recorded networks of tutorial 5b how many lines they have, and why."""
    kinds = "article", "article without splines", "digits turned", "labels shuffled"
    others, bare, turned, shuffled = map(recorded().get, kinds)
    heart = recorded()["labels by heart"]
    chance = 10 * chance_of_a_line()
    turning = leaning(others, "end: ") - leaning(turned)
    made, upright, splines_make = (
        np.subtract(others[f"end: {kind}"], of)
        for kind, of in (
            ("lines", others["start: lines"]),
            ("uprights", others["start: uprights"]),
            ("lines", bare["end: lines"]),
        )
    )
    beyond = [
        f"{in_words(np.subtract(others[kind], chance), '.2f')} more than chance"
        for kind in ("end: lines", "end: uprights")
    ]
    rows = [["by chance", *[f"{chance:.2f}"] * 2]] + [
        [name, *(f"{np.mean(of[f'{when}{kind}']):.2f}" for kind in ("lines", "uprights"))]
        for name, of, when in (
            ("untrained", others, "start: "),
            ("trained", others, "end: "),
            ("no splines", bare, "end: "),
            ("turned", turned, ""),
            ("shuffled", shuffled, ""),
        )
    ]
    with_one, before = (
        out_of(np.count_nonzero(of), len(of)) for of in (shuffled["lines"], others["start: lines"])
    )
    told = say(
        which(
            made,
            "**Training makes horizontal lines**",
            "**Training takes horizontal lines away**",
            "**Whether training makes horizontal lines is open**",
        )
        + f": {in_words(made, '.2f')} more of ten kernels than untrained networks have "
        f"({beyond[0]}). With splines it makes "
        + which(
            splines_make,
            "more than without",
            "fewer than without",
            "no more than without, as far as twenty pairs show",
        )
        + f": {in_words(splines_make, '.2f')}.",
        which(
            upright,
            "**It makes upright ones, too**",
            "**It takes upright ones away**",
            "**Whether it makes upright ones is open**",
        )
        + f": {in_words(upright, '.2f')} more than untrained networks have ({beyond[1]}).",
        which(
            turning,
            "**Lines turn with the digits**",
            "**Lines turn against the digits**",
            "**Whether lines turn with the digits is open**",
        )
        + f": standing digits give {in_words(leaning(others, 'end: '), '.2f')} more horizontal "
        f"than upright ones, lying digits {in_words(-leaning(turned), '.2f')} fewer: a difference "
        f"of {in_words(turning, '.2f')}.",
        which(
            np.subtract(shuffled["lines"], others["start: lines"]),
            "With shuffled labels there are more than before training",
            "With shuffled labels there are fewer than before training",
            "With shuffled labels there are as few as before training",
        )
        + f": horizontal ones in {with_one} networks, before training in {before}"
        "; but 945 steps teach such a network only"
        f" {np.mean(heart['fitted, 945 steps']):.0%} of its labels (counted in "
        f"{len(heart['lines'])}).",
    )
    means = table(["lines of ten kernels, mean of twenty networks", "horizontal", "upright"], rows)
    return Markdown(f"{means.data}\n\n{told.data}")


def chart_of_the_smallest(network: nn.Module) -> Any:
    """Return a chart of the range of the smallest of ten kernels, beside their median.

    A dot is a network: the recorded ones, and one of the reader's own.
    """
    others = recorded()["article"]
    places = {"as drawn, −2 to 2": (", as drawn", DRAWN), "on the grid": ("", 1.0)}
    kinds: dict[str, dict[str, Any]] = {
        name: {place: others[f"{when}: least reach{where}"] for place, (where, _) in places.items()}
        for name, when in (("untrained", "start"), ("trained", "end"))
    }
    kinds["this one"] = {place: [reach(network, end).min()] for place, (_, end) in places.items()}
    return dots(kinds, "smallest of ten, of the median", level=("0.6", 0.6))


def about_the_tenth(network: nn.Module) -> Markdown:
    """Say how small kernels are, beside the median: a network's tenth, and the recorded ones."""
    others, untrained, once = map(recorded().get, ("article", "untrained", "one epoch"))
    places = (", as drawn", DRAWN), ("", 1.0)
    here = [f"{reach(network, end)[9]:.2f}" for _, end in places]
    twenty = [in_words(others[f"end: tenth reach{where}"], ".2f") for where, _ in places]
    rows = [["range of the tenth, here", *here], ["…of twenty others", *twenty]]
    means = table(["beside the median of ten", "as drawn, −2 to 2", "on the grid"], rows)
    trained, trained_once = (
        np.count_nonzero(of["end: small for all, as drawn"]) for of in (others, once)
    )
    never = untrained["small for all, as drawn"]  # each number is that of fifty networks
    larger = np.subtract(
        others["end: least reach, as drawn"], others["start: least reach, as drawn"]
    )
    chance = 1000 * 10 * (0.6 / 2) ** 9  # nine weights drawn evenly, all below 0.6 of the median
    told = say(
        ("**In some of ours**" if trained or trained_once else "**Not found in ours, so open**")
        + f": as drawn, a kernel is small for all nine in {out_of(trained, 20)} networks, once "
        f"through 59,000 digits in {trained_once} of 20, untrained in "
        f"{out_of(sum(never), 50 * len(never))}.",
        f"By chance {chance:.1f} of 1,000 untrained networks would have one; that we found none "
        "among so many proves little. If his network had one and started like ours, neither "
        "explains it well: chance seldom makes one, and training "
        + ("did in few." if trained or trained_once else "did in none of forty.")
        + " His weights are not known.",
        which(
            larger,
            "Training makes the smallest of ten larger",
            "Training makes the smallest of ten smaller still",
            "Whether training makes the smallest of ten larger is open",
        )
        + f": as drawn by {in_words(larger, '.2f')} of the median.",
    )
    return Markdown(f"{means.data}\n\n{told.data}")


def worth_of_splines(when: str = "end") -> Any:
    """Return how many points more the twenty of tutorial 5c get right with splines than without."""
    with_them, bare = recorded()["article"], recorded()["article without splines"]
    return 100 * np.subtract(with_them[f"{when}: right"], bare[f"{when}: right"])


def about_splines(right: Mapping[str, float]) -> Markdown:
    """Say what splines are worth in tutorial 5c: here, in twenty pairs, early and at the end."""
    others, bare = recorded()["article"], recorded()["article without splines"]
    early = worth_of_splines("early")
    return say(
        f"With splines {right['with splines']:.1%} are right here, without {right['without']:.1%}.",
        f"In twenty other pairs {in_words(others['end: right'], '.1%')} and "
        f"{in_words(bare['end: right'], '.1%')}: splines are worth {in_words(worth_of_splines())} "
        "points.",
        f"After 63 steps they were worth {in_words(early)}.",
    )


def three_sizes(right: Mapping[str, float]) -> Any:
    """Return a chart of what is right without splines, in a network as large, and with splines."""
    kinds = {
        "without": recorded()["article without splines"]["end: right"],
        "as large, without": recorded()["as large without splines"]["right"],
        "with splines": recorded()["article"]["end: right"],
    }
    twenty = {name: 100 * np.array(of) for name, of in kinds.items()}
    return dots(
        {"twenty others": twenty, "these": {name: [100 * right[name]] for name in kinds}}, "% right"
    )


def about_size(right: Mapping[str, float]) -> Markdown:
    """Say how far tutorial 5c's second control comes, which is as large as the network."""
    with_them, bare = recorded()["article"], recorded()["article without splines"]
    large = recorded()["as large without splines"]["right"]
    left = 100 * np.subtract(with_them["end: right"], large)
    more = 100 * np.subtract(large, bare["end: right"])
    return say(
        f"As large, without splines: {right['as large, without']:.1%} here, "
        f"{in_words(large, '.1%')} in twenty others: "
        + which(
            more,
            f"{in_words(more, '.2f')} points more than the small network.",
            f"{in_words(-more, '.2f')} points less than the small network.",
            "whether that is more than the small network, twenty leave open "
            f"({in_words(more, '.2f')}).",
        ),
        which(
            left,
            f"Beside a network of its size splines are worth {in_words(left)} points.",
            f"A network of its size without splines is {in_words(-left)} points ahead.",
            "A network of its size without splines comes as far.",
        ),
    )


def three_ways() -> Any:
    """Return a chart of what is right with splines, without those trained, and without any ever."""
    others, bare = recorded()["article"], recorded()["article without splines"]
    return paths(
        {
            name: {
                "with splines": 100 * np.array(others[f"{at}: right"]),
                "cut out": 100 * np.array(others[f"{at}: right without any splines"]),
                "never had any": 100 * np.array(bare[f"{at}: right"]),
            }
            for name, at in (("63 steps", "early"), ("945 steps", "end"))
        },
        "% right",
    )


def cost_of_cutting(when: str) -> Any:
    """Return how many points the twenty lose where their splines are cut out."""
    others = recorded()["article"]
    return 100 * np.subtract(others[f"{when}: right"], others[f"{when}: right without any splines"])


COSTS = (
    "**more** than splines are worth",
    "**less** than splines are worth",
    "neither clearly more nor less",
)


def about_cutting(right: Mapping[str, float], cut: float) -> Markdown:
    """Say what cutting splines out of a trained network costs, beside what they are worth."""
    early, end = map(cost_of_cutting, ("early", "end"))
    return say(
        f"At the end cutting costs this network {100 * (right['with splines'] - cut):.1f} points; "
        f"twenty others {in_words(end)}, from {span(end, '.1f')}, the median {np.median(end):.1f}.",
        f"After 63 steps it cost {in_words(early)}, and splines were worth "
        f"{in_words(worth_of_splines('early'))}.",
        "So at the end cutting costs "
        + which(end - worth_of_splines(), *COSTS)
        + ("; after 63 steps " + which(early - worth_of_splines("early"), *COSTS))
        + ". It says how much a network leans on splines.",
    )


def about_losses() -> Markdown:
    """Set the losses of fifteen passes beside those of one epoch, with splines and without."""
    of_kind = recorded()
    once, once_bare = of_kind["one epoch"], of_kind["one epoch without splines"]
    names = {
        "training, the first 63 steps": "loss, first pass",
        "training, the last 63 steps": "loss, last pass",
        "training, all steps": "loss",
        "test digits, at the end": "loss, test digits",
    }
    full, bare = (
        table(
            ["mean of twenty networks", "fifteen passes", "once"],
            [
                *(
                    [name, *(in_words(of[key], ".3f") for of in kinds)]
                    for name, key in names.items()
                ),
                ["test digits right", *(in_words(of["end: right"], ".1%") for of in kinds)],
            ],
        ).data
        for kinds in (
            (of_kind["article"], once),
            (of_kind["article without splines"], once_bare),
        )
    )
    worth = 100 * np.subtract(once["end: right"], once_bare["end: right"])
    told = say(
        "Of the test loss after going once through MNIST a 64th is "
        f"{in_words(np.divide(once['loss, test digits'], 64), '.4f')}.",
        f"There splines are worth {in_words(worth)} points.",
    )
    twins = f"<details><summary>The twins without splines</summary>\n\n{bare}\n\n</details>"
    return Markdown(f"{full}\n\n{told.data}\n\n{twins}")


def gain_in_grey() -> Any:
    """Return how many points splines are worth on grey ink, in twenty pairs."""
    kinds = recorded()
    return 100 * np.subtract(kinds["grey"]["right"], kinds["grey without splines"]["right"])


def about_grey(hills: Mapping[str, float], right: Mapping[str, float], cut: float) -> Markdown:
    """Say which functions became hills or valleys, and what splines are worth on grey ink."""
    kinds = recorded()
    large = kinds["as large without splines"]["grey: right"]
    beside_large = 100 * np.subtract(kinds["grey"]["right"], large)
    rows = [
        ["untrained", hills["untrained"], in_words(kinds["grey"]["hills, untrained"], ".2f")],
        ["plain digits", hills["plain"], in_words(kinds["article"]["end: hills"])],
        ["grey ink", hills["grey"], in_words(kinds["grey"]["hills"])],
    ]
    counts = table(["hills and valleys, of 45 functions", "here", "twenty others"], rows)
    told = say(
        f"Grey ink: {right['with splines']:.1%} right; without splines {right['without']:.1%}; "
        f"with splines that are cut out at the end {cut:.1%}.",
        f"In twenty other pairs splines are worth {in_words(gain_in_grey())} points; beside "
        f"networks as large, {in_words(beside_large)}.",
    )
    return Markdown(f"{counts.data}\n\n{told.data}")


@ending
def doubting_kernels(n: Any) -> Told:
    """Tell of tutorial 5c."""
    worth, cost, gain = worth_of_splines(), cost_of_cutting("end"), gain_in_grey()
    large = np.array(recorded()["as large without splines"]["right"])
    left = 100 * (np.array(recorded()["article"]["end: right"]) - large)
    facts = {
        "right": n.right,
        "cut": n.cut,
        "grey_right": n.grey_right,
        "grey_cut": n.grey_cut,
        "hills": n.hills,
        "worth": interval(worth),
        "gain": interval(gain),
    }
    return facts, [
        which(
            worth,
            f"On plain digits splines are worth {in_words(worth)} points",
            f"On plain digits splines do harm: {in_words(worth)} points",
            "On plain digits splines are worth nothing that twenty pairs could show",
        )
        + f", though cutting them out of a trained network costs {in_words(cost)}.",
        which(
            left,
            "A hidden layer of as many numbers does not bring that",
            "A hidden layer of as many numbers brings more",
            "A hidden layer of as many numbers brings as much, as far as twenty can show",
        )
        + f": {in_words(left)} points behind the splines.",
        f"On grey ink splines are worth {in_words(gain)} points, and {n.hills['grey']} of the "
        f"first 45 functions became hills or valleys over 0.",
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
        f"24 intervals at once {which(behind, *verdict)} at this rate, which is high for them (a "
        f"lower one was not tried): {in_words(np.exp(behind))} times the error of the refined "
        "network, after as many steps.",
    )
    return Markdown(f"{means.data}\n\n{told.data}")


@ending
def cnn_mlp_kan(n: Any) -> Told:
    """Tell of tutorial 7."""
    right = {name: record["eval_accuracy"] for name, record in n.records.items()}
    off = {name: standard_error(share, len(n.digits.test_labels)) for name, share in right.items()}
    left = n.errors.left
    facts = {
        "accuracy": right,
        "standard_error": off,
        "parameters": n.parameters,
        "curse": {", ".join(of): values.tolist() for of, values in left.items()},
        "sizes": {
            kind: [kw.nn.count_parameters(n.of_one_size(d)[kind]) for d in n.dimensions]
            for kind in Errors.KINDS
        },
        "sines": n.found_sines,
    }
    told = [
        "Of the test digits "
        + listed([f"the {name} gets {share:.1%}" for name, share in right.items()])
        + f" right (standard errors up to {max(off.values()):.1%}, one seed); their test losses "
        "are " + listed([f"{record['eval_loss']:.2f}" for record in n.records.values()]) + "."
    ]
    for name in Errors.FUNCTIONS:
        kan, *mlps = (left[name, kind] for kind in Errors.KINDS)
        nearer = [
            f"the {kind} at {(kan < of).sum()}"
            for kind, of in zip(Errors.KINDS[1:], mlps, strict=True)
        ]
        told.append(
            f"On the {name} the KAN leaves {listed([f'{error:.4f}' for error in kan])} of the "
            f"variance in {listed([*map(str, n.dimensions)])} variables. It comes nearer than "
            f"{listed(nearer)} of the {len(kan)} numbers of variables."
        )
    apart = [
        error
        for of, errors in left.items()
        for d, error in zip(n.dimensions, errors, strict=True)
        if outside(error, recorded()["curse"][f"{', '.join(of)}, {d}"], ".4f")
    ]
    numbers = len(left) * len(n.dimensions)
    told.append(
        f"Of these {numbers} errors {len(apart)} lie beyond all of the twenty; by chance about "
        f"{numbers * 2 / 21:.0f} would."
    )
    return facts, told


@ending
def complexity_and_depth(n: Any) -> Told:
    """Tell of tutorial 7b."""
    variants, layers = ("as built", "one size"), ("convs.0", "convs.1", "convs.2", "linear")
    images, labels = n.digits.test_images, n.digits.test_labels
    facts = {
        "difference_at_start": n.difference_at_start,
        "known": {name: getattr(n.measured, name).tolist() for name in MEASURES},
        "pair_accuracy": {
            name: share_right(model.eval(), images, labels)
            for networks in n.pairs
            for name, model in networks.items()
        },
        "numbers": {
            name: {v: {layer: n.medians(v, layer, name) for layer in layers} for v in variants}
            for name in (*MEASURES, "bend within ±2")
        },
        "middle_half": {
            v: {
                layer: float(np.ptp(np.mean(n.found[v, layer, "bend"], axis=0))) for layer in layers
            }
            for v in variants
        },
    }
    right = facts["pair_accuracy"].values()
    told = [f"The six networks get {span([*right], '.1%')} of the test digits right."]
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


def about_the_unseen() -> Markdown:
    """Say how the twenty of each of tutorial 10's networks do on what none of them was shown."""
    twenty = recorded()["unseen"]
    names = "as they are", "moved", "moved, and doubt"
    plain, shifted, doubting = (np.array(twenty[f"black on white: {name}"]) for name in names)
    ruled = [np.array(twenty[f"ruled: {name}"]) for name in names]
    change, more = 100 * (doubting - shifted), 100 * (ruled[1] - ruled[0])
    best = max((plain, shifted, doubting), key=np.mean)
    return say(
        "Black on white: "
        + which(change, "the last does better than *moved*", "the last does worse", "level")
        + f", by {in_words(change)} points. (It saw bright pictures, too: whether these do it, or "
        f"the doubt, was not tested.) With the best of the three {in_words(best, '.0%')} are "
        "right.",
        "Ruled digits: *moved* gets "
        + which(more, "more right than *as they are*", "fewer right", "as many right")
        + f", by {in_words(more)} points.",
    )


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
    facts["ruled"] = {
        name: share_right(network, *ruled_digits()) for name, network in n.models.items()
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
        f"The network *as they are* gets {facts['pushed']['as they are']:.1%} of the pushed ones "
        "right"
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
