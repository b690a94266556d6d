"""What the pages say of networks in general, and whether the recorded networks bear it out.

A claim stands on a page in the words given here. Its effect is a number for each of the networks of
``notebooks/networks.json``, which share no seed with any page; the interval of their mean (95 %,
bootstrap over networks) must lie within the claim's bounds. ``make claims`` prints them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import floor, inf, log10
from pathlib import Path

import numpy as np

from tests.notebooks.execution import CHECKOUT, read
from tests.notebooks.networks import lesson

Table = dict[str, dict[str, list[float]]]
ONE, TWO, THREE, FOUR, SEVEN, DEPTH, ESSAY, ROWS, TEACHING = (
    "01_quickstart",
    "02_from_kolmogorov_to_kan",
    "03_building_blocks",
    "04_convolution_with_functions",
    "07_cnn_mlp_kan",
    "07b_complexity_and_depth",
    "see_a_kan_learn.md",
    "the_article_row_by_row.md",
    "teaching.md",
)
READ, COUNT, DOUBT = "05_reading_kernels", "05b_counting_kernels", "05c_doubting_kernels"
RUN, UNSEEN, SCRATCH = "08_see_a_whole_run", "10_what_it_never_saw", "11_from_scratch"


# What kinds of `networks.json` are called in the table of claims.
CALLED = {
    "curse": "tutorial 7's functions",
    "pair": "tutorial 7b's networks",
    "three": "tutorial 7's three networks",
    "refined": "tutorial 3's grids",
    "curve": "tutorial 2's curve",
    "borders": "tutorial 4's borders",
    "two runs": "tutorial 8's pairs of runs",
    "scratch": "tutorial 11's networks",
    "base": "tutorial 3's bases",
    "unseen": "tutorial 10's networks",
    "grey": "grey ink",
    "grey without splines": "grey ink, without splines",
    "digits turned": "turned digits",
    "labels shuffled": "shuffled labels",
    "labels by heart": "shuffled labels learned by heart",
    "article": "fifteen passes",
    "patterns": "correlation with the answers of five kernels",
    "article without splines": "fifteen passes, without splines",
    "one epoch": "once",
    "one epoch without splines": "once, without splines",
}


# What stands for short in the names of measures.
PLAIN = {
    "end: ": "",
    "start: ": "before training, ",
    "early: ": "after 63 steps, ",
    "late: ": "at the end, ",
    "package: right": "right, of the package's network",
    "least reach": "range of the smallest of ten kernels beside their median",
    "tenth reach": "range of the tenth kernel beside the median of ten",
    "range and unlikeness": "correlation of range and unlikeness to SiLU",
    "later: ": "share of pairs in which the later is more complex, by ",
    "small for all": "kernels that are small in all nine functions",
    "linear, worst": "correlation of nine well-chosen numbers, worst kernel",
    "pattern, worst": "correlation of ±1, worst kernel",
    "answer to the dark, beside the spread": "answer to the dark beside the spread",
    "pushed: ": "right of pushed digits, learned from digits ",
    "placed: ": "right of digits in their place, learned from digits ",
    "black on white: ": "right of black on white, learned from digits ",
    "sure: ": "probability of the class on an empty image, learned from digits ",
    "empty, surest": "probability of the class on an empty image",
    "keep SiLU, ": "share of functions that stay SiLU-shaped, ",
    "loss, last pass": "loss of the last pass",
    "hills": "share of functions that are hills or valleys",
    "folds, ": "variance left of the folds, ",
    "exp of a sum, ": "variance left of the exp of a sum, ",
    "ratio": "|φ(−1)| ÷ |φ(1)|",
    "one way in": "share of functions that only rise or only fall in",
    "one size: ": "one size, ",
    "how many, by": "functions that suppress the dark by",
}


TITLES = {ESSAY: "essay", ROWS: "row by row", TEACHING: "teaching"}


# How near a claim is to failing, and what that means.
FAILS, CLOSE, SOME, CLEAR, ALIKE = GRADES = {
    "Does not hold": "The interval is not between the bounds, or the words are not on the page.",
    "Just holds": "From the interval to the nearest bound is less than a quarter of the interval's "
    "own width. These are the ones to doubt.",
    "Holds with some room": "From a quarter of that width to all of it.",
    "Holds clearly": "More than that width.",
    "Without an interval": "Here all networks agree, or one extreme among them decides. In "
    "brackets is what share of all such networks it may be: were it beyond that, such a result "
    "would be rarer than one in twenty.",
}


@dataclass(frozen=True)
class Effect:
    """A number for each network, and what it is, in words."""

    says: str
    numbers: Callable[[Table], Iterable[float]]

    def __call__(self, table: Table) -> Iterable[float]:
        """Return the numbers, one for each network."""
        return self.numbers(table)


def written(kind: str, name: str) -> str:
    """Write a measure and of which networks it is."""
    for short, long in PLAIN.items():
        name = name.replace(short, long)
    return f"{name} ({CALLED.get(kind, kind)})"


@dataclass(frozen=True)
class Claim:
    """Words of a page, an effect, and between which bounds its interval lies if they are true."""

    page: str
    words: str
    effect: Effect
    above: float = -inf
    below: float = inf

    def interval(self, table: Table) -> tuple[float, float, float]:
        """Return the effect's mean, and the ends of its interval."""
        found: tuple[float, float, float] = lesson.interval([*self.effect(table)])
        return found

    def holds(self, table: Table) -> bool:
        """Say whether the interval lies within the bounds."""
        _, low, high = self.interval(table)
        return self.above < low and high < self.below

    def room(self, table: Table) -> float:
        """Return how far the interval is from the nearest bound, in half-widths of its own.

        Infinite where there is no interval: of one number, or of twenty that are equal.
        """
        _, low, high = self.interval(table)
        if high - low < 1e-9:
            return inf
        return 2 * min(low - self.above, self.below - high) / (high - low)

    def written(self, table: Table) -> str:
        """Write the effect: its mean and interval, or one number where it is an extreme."""
        values = [*self.effect(table)]
        if len(values) == 1:
            return f"{values[0]:.3g}, an extreme of twenty"
        if {*values} == {0}:
            return str(lesson.out_of(0, 1000 if "untrained" in self.effect.says else len(values)))
        if {*values} == {1}:
            least = lesson.at_least(len(values), len(values)).split(",")[0]
            return f"{len(values)} of {len(values)} ({least})"
        mean, low, high = (0 if abs(x) < 1e-9 else x for x in self.interval(table))
        digits = max(0, 1 - floor(log10(high - low))) if high > low else 3  # two of the width
        return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]".replace("-", "−")

    def grade(self, table: Table) -> str:
        """Say in words how near to failing it is."""
        room = self.room(table)
        return ALIKE if room == inf else CLOSE if room < 0.5 else SOME if room < 2 else CLEAR

    @property
    def called(self) -> str:
        """Name the page."""
        number = Path(self.page).stem.split("_")[0].lstrip("0")
        return TITLES.get(self.page, number)

    @property
    def bounds(self) -> str:
        """Write between which bounds the whole interval must lie."""
        above, below = (f"{bound:.3g}".replace("-", "−") for bound in (self.above, self.below))
        if self.above == -inf:
            return f"below {below}"
        return f"above {above}" + (f", below {below}" if self.below < inf else "")

    def stands(self) -> bool:
        """Say whether the page still has these words."""
        if self.page.endswith(".md"):
            text = (CHECKOUT / "docs" / self.page).read_text("utf-8")
        else:
            text = "\n".join(cell.source for cell in read(f"{self.page}.ipynb").cells)
        return self.words in " ".join(text.split())


def in_units(times: float) -> str:
    """Name the unit of a share that was multiplied."""
    return ", in points" if times == 100 else ""


def of(kind: str, name: str, times: float = 1) -> Effect:
    """Return a measure as an effect."""
    return Effect(
        written(kind, name) + in_units(times), lambda table: times * np.array(table[kind][name])
    )


def less(one: tuple[str, str], other: tuple[str, str], times: float = 1) -> Effect:
    """Return a difference of two measures as an effect, pair by pair."""
    return Effect(
        f"{written(*one)} − {written(*other)}{in_units(times)}",
        lambda table: times * np.subtract(table[one[0]][one[1]], table[other[0]][other[1]]),
    )


def change(name: str, first: str = "start", kind: str = "article") -> Effect:
    """Return by how much a measure of the article's network changes until the end."""
    grown = less((kind, f"end: {name}"), (kind, f"{first}: {name}"))
    since = {"start": "from start to end", "early": "from step 63 to the end"}[first]
    return Effect(f"change of {written(kind, name)} {since}", grown)


def worst_of(kind: str, name: str, worst: Callable[[list[float]], float]) -> Effect:
    """Return the least or the greatest of the networks, of whom the words hold for each."""
    which = "least" if worst is min else "greatest"
    return Effect(f"{which} of {written(kind, name)}", lambda table: [worst(table[kind][name])])


def bent(variant: str, later: str, earlier: str) -> Effect:
    """Return how many times as bent one layer of tutorial 7b's network is as another."""
    return Effect(
        f"bend of {later} ÷ {earlier} ({variant})",
        lambda table: np.divide(
            *(table["pair"][f"{variant}: bend of {layer}"] for layer in (later, earlier))
        ),
    )


DEALT = "dealt within layers", "dealt"
FIRST_RISE = "bend, convs.0 to convs.1"


def of_the_bases(variant: str) -> Effect:
    """Return of how many pairs more than 50 of 100 the later is more bent, splines dealt to all."""
    return Effect(
        f"pairs of 100 in which convs.1 is more bent than convs.0, splines dealt − 50 ({variant})",
        lambda table: np.array(table["pair"][f"{variant}, dealt: {FIRST_RISE}"]) - 50,
    )


def longer(variant: str, later: str, earlier: str) -> Effect:
    """Return the same of the ten networks that were trained longer."""
    return Effect(
        f"bend of {later} ÷ {earlier} after 945 steps ({variant})",
        lambda table: np.divide(
            *(table["longer pair"][f"{variant}: bend of {layer}"] for layer in (later, earlier))
        ),
    )


def nearer(curve: str, one: str, other: str, variables: Sequence[int] = (2, 4, 8, 16)) -> Effect:
    """Return in which share of tutorial 7's numbers of variables one network comes nearer."""
    return Effect(
        f"share of runs in which the {one} is nearer than the {other} ({curve})",
        lambda table: np.mean(
            [
                np.less(
                    table["curse"][f"{curve}, {one}, {d}"], table["curse"][f"{curve}, {other}, {d}"]
                )
                for d in variables
            ],
            axis=0,
        ),
    )


BARE, EXP = "article without splines", "exp of a sum"
OTHER_MLPS = "MLP of SiLU", "MLP of two layers"
WORTH = less(("article", "end: right"), (BARE, "end: right"), 100)
AS_LARGE = "as large without splines"
OF_SIZE = less(("article", "end: right"), (AS_LARGE, "right"), 100)
GAIN = less(("grey", "right"), ("grey without splines", "right"), 100)
EARLY_WORTH = less(("article", "early: right"), (BARE, "early: right"), 100)
FOUR_UNITS = less(("curse", "folds, KAN, 16"), ("curse", "folds, MLP, 16"))
SIXTEEN = less(*(("curse", f"folds, {kind}, 16, as large as 16 units") for kind in ("KAN", "MLP")))


def less_growth(name: str, kinds: tuple[str, str]) -> Effect:
    """Return how much less a measure grows with splines than without, of two kinds."""
    grown, bare = (change(name, kind=kind) for kind in kinds)
    return Effect(
        f"{grown.says} − that without splines",
        lambda table: np.subtract(grown(table), bare(table)),
    )


def kan_is_nearest(end: str = "") -> Effect:
    """Return in which of tutorial 2's runs the KAN is nearest to the curve: 1, or 0."""
    return Effect(
        f"share of runs in which the KAN is nearest{end}",
        lambda table: np.less(
            table["curve"][f"KAN{end}"],
            np.minimum(table["curve"][f"MLP{end}"], table["curve"][f"MLP, ten times{end}"]),
        ).astype(float),
    )


def leaning_on_splines(kind: str, bare: str) -> Effect:
    """Return how much more cutting splines out costs than never having had any, in points."""
    costs = less((kind, "end: right"), (kind, "end: right without any splines"), 100)
    worth = less((kind, "end: right"), (bare, "end: right"), 100)
    return Effect(
        f"cost of cutting splines out − their worth ({CALLED[kind]}), in points",
        lambda table: np.subtract(costs(table), worth(table)),
    )


def beside_the_base(kind: str) -> Effect:
    """Return by how much |φ(1)| − |φ(−1)| is more than the base alone makes it."""
    return Effect(
        f"|φ(1)| − |φ(−1)| beyond the base's ({CALLED[kind]})",
        lambda table: lesson.beside_the_base(table[kind]),
    )


def below(name: str, least: float, kind: str = "article") -> Effect:
    """Return in which of the article's networks a measure is below a number: 1, or 0."""
    return Effect(
        f"share of networks whose {written(kind, name)} is below {least}",
        lambda table: np.less(table[kind][name], least).astype(float),
    )


MOVED, ONCE, ONCE_BARE = "moved after one pass of three", "one epoch", "one epoch without splines"
TRAININGS = ("article", ONCE)
PAIRS = (("article", BARE), (ONCE, ONCE_BARE))
GETS_WEAKER = "By counts, by the ratio and by the answer to nine black pixels it gets weaker"
ANSWER, NEAR = "answer to the dark, beside the spread", "range and unlikeness"


def without_splines(kind: str) -> Effect:
    """Return how many more lines networks without splines have than chance gives."""
    return Effect(
        f"{written(kind, 'horizontal lines of ten')} − by chance",
        lambda table: np.array(table[kind]["end: lines"]) - 10 * lesson.chance_of_a_line(),
    )


def with_a_line(kind: str) -> Effect:
    """Return in which networks some kernel is a horizontal line: 1, or 0."""
    return Effect(
        f"share of networks with a horizontal line ({CALLED[kind]})",
        lambda table: np.greater(table[kind]["end: lines"], 0) * 1.0,
    )


def turning(table: Table) -> Iterable[float]:
    """Return how far the lean of lines changes where digits lie on their side."""
    changed: Iterable[float] = lesson.leaning(table["article"], "end: ") - lesson.leaning(
        table["digits turned"]
    )
    return changed


def of_other_digits(table: Table) -> Iterable[float]:
    """Return how much more splines are worth after 63 steps on others of MNIST's digits."""
    once = less((ONCE, "early: right"), (ONCE_BARE, "early: right"), 100)(table)
    more: Iterable[float] = np.subtract(once, EARLY_WORTH(table))
    return more


def leaves_further(kind: str) -> Effect:
    """Return how much less often the first layer's functions stay SiLU-shaped than the second's."""
    first, second = (change(f"SiLU-shaped in convs.{layer}", kind=kind) for layer in (0, 1))
    return Effect(
        f"{first.says} − that in convs.1", lambda table: np.subtract(first(table), second(table))
    )


def loss_of_the_pattern(kind: str) -> Effect:
    """Return by how much a kernel's own nine strengths win back more than half of ±1's loss."""
    worst, greys = of(kind, "pattern, worst"), of(kind, "greys, worst")
    return Effect(
        f"correlation that strengths win back, beyond half of the loss ({CALLED[kind]})",
        lambda table: np.subtract(greys(table), worst(table)) - np.subtract(1, worst(table)) / 2,
    )


def beside_wrong(wrong: str, where: str) -> Effect:
    """Return how much better a kernel's own pattern goes with its answers than a wrong one."""
    return less(("patterns", f"own{where}"), ("patterns", f"{wrong}{where}"))


AS_WELL = of("patterns", "nine alike as well", 1 / 5)


def where_w_is_small(kind: str) -> Effect:
    """Return how far splines reach where the base weight is small, for where it is large."""
    return Effect(
        f"reach of splines, small w ÷ large w ({CALLED[kind]})",
        lambda table: np.divide(table[kind]["splines, small w"], table[kind]["splines, large w"]),
    )


CLAIMS = [
    Claim(
        ONE,
        "most digits get the right class already",
        worst_of("article", "early: right", min),
        0.6,
    ),
    Claim(
        ONE,
        "the first layer's functions are still half of the straight distance",
        of("article", MOVED),
        0.45,
        0.6,
    ),
    Claim(
        READ,
        "Nine well-chosen numbers (*locally linear*) do nearly perfectly",
        of("article", "linear, worst"),
        above=0.95,
    ),
    Claim(
        READ,
        "±1 less so and not for every kernel",
        less(("article", "linear, worst"), ("article", "pattern, worst")),
        above=0.05,
    ),
    *(
        Claim(page, words, beside_wrong(*of), above)
        for page, words in ((READ, "and wrong patterns do so less"), (ROWS, "nine alike get"))
        for of, above in (
            (("nine alike", ""), 0.05),
            (("nine alike", ", not blank"), 0.05),
            (("another's", ""), 0.1),
            (("another's", ", not blank"), 0.1),
        )
    ),
    Claim(RUN, "In twenty pairs it is 0.91 there", of("two runs", "other batches"), 0.88, 0.93),
    Claim(RUN, "and 0.74 at five times", of("two runs", "five times the rate"), 0.71, 0.77),
    Claim(READ, "in the twenty about half of all do", AS_WELL, 0.35, 0.65),
    Claim(ESSAY, "ask *how much* ink there is, hardly where", AS_WELL, 0.35, 0.65),
    Claim(ROWS, "for about half of the kernels they do as well", AS_WELL, 0.35, 0.65),
    Claim(TEACHING, "ask how much ink there is, hardly where", AS_WELL, 0.35, 0.65),
    Claim(
        READ,
        "Those with a large |w| more often than the others",
        less(("article", "keep SiLU, large w"), ("article", "keep SiLU, small w")),
        above=0.2,
    ),
    Claim(
        COUNT,
        "many functions of the last layer leave SiLU",
        change("SiLU-shaped in linear", "early"),
        below=-0.2,
    ),
    Claim(
        COUNT,
        "in the second layer fewer go only up or only down",
        change("one way in convs.1", "early"),
        below=-0.05,
    ),
    Claim(
        COUNT,
        "Most of the score comes first",
        Effect(
            "right: gain until step 63 − gain after it (fifteen passes)",
            lambda table: np.subtract(
                less(("article", "early: right"), ("article", "start: right"))(table),
                change("right", "early")(table),
            ),
        ),
        above=0.3,
    ),
    Claim(
        COUNT, "Untrained networks have upright ones, too", of("article", "start: uprights"), 0, 1
    ),
    *(
        Claim(page, words, change(f"later: {measure}", kind=kind), above=0)
        for page, words, measures, kinds in (
            (ROWS, "by four of six", ("bend", "turns", "line", "curvature"), TRAININGS[1:]),
            (COUNT, "by turns and curvature in both trainings", ("turns", "curvature"), TRAININGS),
        )
        for measure in measures
        for kind in kinds
    ),
    Claim(
        ROWS,
        "one pass gave it {value}`bend_more_once` points more",
        Effect(
            "change of later: bend from start to end, once − fifteen passes",
            lambda table: np.subtract(
                table[ONCE]["end: later: bend"], table["article"]["end: later: bend"]
            ),
        ),
        above=0,
    ),
    Claim(COUNT, "By value most still do", of("article", "end: how many, by value", 1 / 45), 0.5),
    Claim(COUNT, "by the difference alone", change("difference"), above=0),
    *(
        Claim(page, words, less_growth(name, kinds), below=0)
        for page, words, name, trainings in (
            (COUNT, "without splines it grows more", "difference", PAIRS[:1]),
            (ROWS, "without splines by more", "difference", PAIRS),
            (TEACHING, "without splines by more", "difference", PAIRS[:1]),
            (COUNT, "with them w grows less", "base weights", PAIRS[:1]),
            (TEACHING, "without splines |w| grows more", "base weights", PAIRS[:1]),
            (ROWS, "w grows less", "base weights", PAIRS),
        )
        for kinds in trainings
    ),
    *(Claim(ROWS, "which themselves add", beside_the_base(kind), above=0) for kind in TRAININGS),
    *(
        Claim(page, words, change(f"how many, by {way}", kind=kind), below=0)
        for page, words, ways, kinds in (
            (COUNT, "By both counts and beside the spread", ("movement", "value"), TRAININGS[:1]),
            (TEACHING, "By the count, and by", ("movement",), TRAININGS[:1]),
            (TEACHING, "the ratio and a second count say weaker", ("value",), TRAININGS[:1]),
            (ROWS, GETS_WEAKER, ("movement", "value"), TRAININGS),
        )
        for way in ways
        for kind in kinds
    ),
    *(
        Claim(page, words, change(name, kind=kind), above=0)
        for page, words, name, kind in (
            (COUNT, "beside the spread it becomes weaker", ANSWER, "article"),
            (TEACHING, "beside its spread, it gets weaker", ANSWER, "article"),
            (TEACHING, "the ratio and a second count say weaker", "ratio", "article"),
            *((ROWS, GETS_WEAKER, "ratio", of) for of in TRAININGS),
            *((ROWS, GETS_WEAKER, ANSWER, of) for of in TRAININGS),
            (ROWS, "by the difference it gets stronger", "difference", "article"),
            (ROWS, "by the difference it gets stronger", "difference", ONCE),
        )
    ),
    *(
        Claim(COUNT, "is small is common at the start", below(f"start: {reach}", 0.6), 0.4, 1)
        for reach in ("least reach", "least reach, as drawn")
    ),
    *(
        Claim(page, words, change("least reach, as drawn", kind=kind), above=0)
        for page, words in (
            (COUNT, "training makes the smallest larger"),
            (ROWS, "Training makes the smallest of ten larger"),
        )
        for kind in TRAININGS
    ),
    Claim(
        TEACHING,
        "nearly all functions were flat on the left",
        of("article", "start: how many, by movement"),
        above=40,
    ),
    *(
        Claim(page, words, effect, below=0.002)
        for page, words, kinds in (
            (COUNT, "no kernel, the tenth or another, was small for all", TRAININGS[:1]),
            (ROWS, "Small in all nine functions:", TRAININGS),
            (ESSAY, "A tenth that is small in all nine functions", TRAININGS),
        )
        for where in ("", ", as drawn")
        for effect in (
            of("untrained", f"small for all{where}", 1 / 500),
            *(of(kind, f"end: small for all{where}", 1 / 10) for kind in kinds),
        )
    ),
    *(
        Claim(ROWS, words, below(f"{when}: least reach, as drawn", 0.6, kind), *bounds)
        for kind in TRAININGS
        for words, when, bounds in (
            ("One of ten below 0.6 of their median is common", "start", (0.4, 1)),
            ("One of ten below 0.6 of their median is common", "end", (0.05, 0.9)),
        )
    ),
    *(
        Claim(
            ROWS,
            "below a third none was when trained",
            worst_of(kind, "end: least reach, as drawn", min),
            1 / 3,
        )
        for kind in TRAININGS
    ),
    *(
        Claim(COUNT, "In the networks recorded", effect, above=0.8)
        for effect in (
            of("article", "end: tenth reach"),
            of("article", "end: tenth reach, as drawn"),
        )
    ),
    Claim(
        COUNT,
        "Small functions tend to look less like SiLU",
        of("article", "end: range and unlikeness"),
        below=-0.2,
    ),
    Claim(COUNT, "trained or not", of("article", "start: range and unlikeness"), below=-0.2),
    Claim(
        ROWS,
        "these networks know {value}`heart_fitted` of them",
        of("labels by heart", "fitted"),
        0.9,
    ),
    Claim(COUNT, "half of its inputs lie beyond", of("article", "beyond the dense grid"), 0.4, 0.6),
    Claim(DOUBT, "somewhat under two points in the mean", WORTH, above=1.2, below=2),
    Claim(DOUBT, "95 of 97 points", of(BARE, "end: right", 100), above=94.5, below=95.5),
    Claim(DOUBT, "95 of 97 points", of("article", "end: right", 100), above=96.5, below=97.5),
    Claim(
        DOUBT,
        "it was wider after 63 steps",
        Effect(
            "worth of splines after 63 steps − at the end, in points",
            lambda table: np.subtract(EARLY_WORTH(table), WORTH(table)),
        ),
        above=1,
    ),
    Claim(DOUBT, "in most entries", of("grey", "hills", 1 / 45), above=0.5),
    Claim(
        DOUBT,
        "learns at another pace",
        less(("scratch", "right"), ("scratch", "package: right"), 100),
        above=0,
    ),
    *(
        Claim(
            page,
            "several times as high",
            Effect(
                "loss on test digits ÷ loss of the last pass (fifteen passes)",
                lambda table: np.divide(
                    table["article"]["loss, test digits"], table["article"]["loss, last pass"]
                ),
            ),
            above=2,
        )
        for page in (DOUBT, ROWS)
    ),
    Claim(DOUBT, "some twenty-five points behind", GAIN, above=22, below=27),
    Claim(
        DOUBT,
        "It stays near the small one",
        less((AS_LARGE, "right"), (BARE, "end: right"), 100),
        above=-0.5,
        below=0.75,
    ),
    Claim(DOUBT, "about a point, or more, is still missing", OF_SIZE, above=0.9),
    Claim(
        TWO,
        "training finds such functions from most starts",
        Effect(
            "share of networks whose logarithms have an R² above 0.99 (product)",
            lambda table: np.greater(table["product"]["R² of the worst logarithm"], 0.99) * 1.0,
        ),
        above=0.75,
    ),
    Claim(TWO, "the best of twenty seeds comes close", worst_of("curve", "MLP", min), 0.045, 0.055),
    Claim(
        TWO,
        "The KAN's errors lie closer together",
        Effect(
            "greatest ÷ least error of the MLP, less that of the KAN (curve)",
            lambda table: [
                max(table["curve"]["MLP"]) / min(table["curve"]["MLP"])
                - max(table["curve"]["KAN"]) / min(table["curve"]["KAN"])
            ],
        ),
        above=10,
    ),
    Claim(
        TWO,
        "Nearly always the KAN",
        kan_is_nearest(),
        above=0.75,
    ),
    Claim(
        TWO,
        "Of the MLPs the larger one",
        Effect(
            "share of runs in which the larger MLP is nearer than the smaller",
            lambda table: np.less(table["curve"]["MLP, ten times"], table["curve"]["MLP"]),
        ),
        above=0.75,
    ),
    *(
        Claim(
            TWO,
            "with the learning rate held or lowered, the KAN is nearest in nearly every run",
            kan_is_nearest(end),
            above=0.7,
        )
        for end in ("", ", rate lowered")
    ),
    Claim(
        TWO,
        "A loss that jumps makes the last step a matter of luck",
        less(("curve", "MLP, ten times: jumps"), ("curve", "MLP, ten times, rate lowered: jumps")),
        above=2,
    ),
    Claim(
        THREE,
        "12 intervals have little left to give",
        Effect(
            "error not refined to 24 intervals ÷ refined to 12",
            lambda table: np.divide(
                table["refined"]["not refined to 24"], table["refined"]["refined to 12"]
            ),
        ),
        above=0.5,
        below=0.75,
    ),
    Claim(
        THREE,
        "The base pays at the start",
        less(("base", "none: early"), ("base", "silu: early")),
        0.2,
    ),
    Claim(
        THREE,
        "and a little at the end",
        Effect(
            "late error without a base − with SiLU, as a share of the latter",
            lambda table: (
                less(("base", "none: late"), ("base", "silu: late"))(table)
                / np.mean(table["base"]["silu: late"])
            ),
        ),
        above=0.1,
        below=0.6,
    ),
    Claim(
        THREE,
        "Between SiLU and ReLU twenty runs do not decide",
        Effect(
            "share of runs in which ReLU as a base ends worse than SiLU",
            lambda table: np.greater(table["base"]["relu: late"], table["base"]["silu: late"]),
        ),
        above=0.25,
        below=0.85,
    ),
    Claim(
        THREE,
        "as a base it ends worse than having none",
        less(("base", "tanh: late"), ("base", "none: late")),
        above=0.01,
    ),
    Claim(
        FOUR,
        "φ(0) goes most of that way without any border",
        Effect(
            "φ(0) moved without a border − half of what zeros move it, in hundredths of the range",
            lambda table: np.subtract(
                less(("borders", "none: end"), ("borders", "none: start"), 100)(table),
                less(("borders", "zeros: end"), ("borders", "zeros: start"), 50)(table),
            ),
        ),
        above=0,
    ),
    Claim(
        FOUR,
        "a border that repeats pixels moves φ(0) about as far as zeros do, if not further",
        less(("borders", "replicate: end"), ("borders", "zeros: end"), 100),
        above=-1,
    ),
    *(
        Claim(
            FOUR,
            "Nor was tested why having no border is ahead in accuracy",
            less(("borders", "none: right"), other),
            above=0,
        )
        for other in (("borders", "zeros: right"), ("borders", "replicate: right"))
    ),
    Claim(
        SEVEN,
        "the CNN a little ahead in the mean of twenty runs",
        less(("three", "CNN"), ("three", "KAN-CNN"), 100),
        above=0,
        below=1.5,
    ),
    Claim(
        SEVEN,
        "the MLP is several points behind both",
        less(("three", "KAN-CNN"), ("three", "MLP"), 100),
        above=3,
    ),
    Claim(DEPTH, "from each convolution to the next", bent("as built", "convs.1", "convs.0"), 1.1),
    Claim(DEPTH, "from each convolution to the next", bent("as built", "convs.2", "convs.1"), 1.1),
    Claim(
        DEPTH,
        "the second is hardly more bent than the first",
        bent("one size", "convs.1", "convs.0"),
        0.9,
        1.15,
    ),
    Claim(
        DEPTH,
        "so it is in all twenty other pairs",
        Effect(
            "share of pairs in which convs.0 of one size is less like SiLU than that as built",
            lambda table: (
                np.less(*(table["pair"][f"{v}: silu of convs.0"] for v in ("one size", "as built")))
                * 1.0
            ),
        ),
        above=0.99,
    ),
    Claim(
        DEPTH, "in 74 of 100", of("pair", "as built: bend, convs.0 to convs.1"), above=72, below=77
    ),
    Claim(DEPTH, "As built, the bases.", of_the_bases("as built"), above=20),
    Claim(DEPTH, "With one size their part is gone", of_the_bases("one size"), -4, 2),
    Claim(
        DEPTH,
        "a layer's own splines make what little is left",
        less(*(("pair", f"one size, {way}: {FIRST_RISE}") for way in DEALT)),
        above=0,
    ),
    Claim(
        DEPTH,
        "It does not. And with shuffled labels",
        Effect(
            "bend of convs.1 ÷ convs.0, after 945 steps − after 126 (one size)",
            lambda table: np.subtract(
                longer("one size", "convs.1", "convs.0")(table),
                longer("one size, early", "convs.1", "convs.0")(table),
            ),
        ),
        above=0.15,
    ),
    Claim(
        DEPTH,
        "it is there without that number",
        longer("one size", "convs.1", "convs.0"),
        above=1.15,
    ),
    *(
        Claim(DEPTH, "and with shuffled labels as well", longer("shuffled", *layers), above=1.05)
        for layers in (("convs.1", "convs.0"), ("convs.2", "convs.1"))
    ),
    Claim(
        DEPTH,
        "the second even by more",
        Effect(
            "bend of convs.1 ÷ convs.0 after 945 steps, shuffled labels − right ones",
            lambda table: np.subtract(
                longer("shuffled", "convs.1", "convs.0")(table),
                longer("one size", "convs.1", "convs.0")(table),
            ),
        ),
        above=0.1,
    ),
    Claim(DEPTH, "the third clearly", bent("one size", "convs.2", "convs.1"), 1.1),
    Claim(
        SEVEN,
        "On the exp of a sum, the KAN by far",
        Effect(
            "logarithm of the MLP's error ÷ the KAN's (exp of a sum, 16 variables)",
            lambda table: np.log(
                np.divide(table["curse"][f"{EXP}, MLP, 16"], table["curse"][f"{EXP}, KAN, 16"])
            ),
        ),
        above=1.5,
    ),
    Claim(
        SEVEN,
        "its error grows with the number of variables, too",
        Effect(
            "KAN's error in 16 variables − in 2, as a multiple of the latter (exp of a sum)",
            lambda table: (
                less(("curse", f"{EXP}, KAN, 16"), ("curse", f"{EXP}, KAN, 2"))(table)
                / np.mean(table["curse"][f"{EXP}, KAN, 2"])
            ),
        ),
        above=2,
        below=16,
    ),
    Claim(
        SEVEN,
        "stays far below the MLP's",
        less(("curse", f"{EXP}, MLP, 16"), ("curse", f"{EXP}, KAN, 16")),
        above=0.45,
        below=0.53,
    ),
    Claim(
        SEVEN,
        "On the folds the MLP of ReLU",
        Effect(
            "logarithm of the KAN's error ÷ the MLP's (folds, 16 variables)",
            lambda table: np.log(
                np.divide(table["curse"]["folds, KAN, 16"], table["curse"]["folds, MLP, 16"])
            ),
        ),
        above=0.5,
    ),
    Claim(SEVEN, "in nearly every run", nearer("folds", "MLP", "KAN"), above=0.9),
    Claim(
        SEVEN,
        "an MLP of SiLU is behind it in all twenty",
        nearer("folds", "MLP", "MLP of SiLU", (2, 4)),
        above=0.99,
    ),
    *(
        Claim(SEVEN, words, of("curse", f"folds, {kind}, 16"), *bounds)
        for words, kind, bounds in (
            ("that of SiLU leaves 0.10", "MLP of SiLU", (0.09, 0.11)),
            ("that of ReLU 0.14", "MLP", (0.125, 0.155)),
            ("the KAN 0.45", "KAN", (0.4, 0.5)),
        )
    ),
    Claim(
        SEVEN,
        "leaves 0.42 even in two variables",
        of("curse", f"{EXP}, MLP of SiLU, 2"),
        above=0.4,
        below=0.44,
    ),
    *(
        Claim(page, words, nearer("folds", "MLP of SiLU", "KAN", (8, 16)), above=0.9)
        for page, words in (
            (SEVEN, "an MLP of SiLU is nearer than the KAN in 8 and 16 variables"),
            (ROWS, "In 8 and 16 variables an MLP of SiLU, too, is nearer than the KAN"),
        )
    ),
    *(
        Claim(
            page,
            words,
            Effect(
                f"logarithm of the error of the {other} ÷ the KAN's (exp of a sum, 16 variables)",
                lambda table, other=other: np.log(
                    np.divide(
                        table["curse"][f"{EXP}, {other}, 16"], table["curse"][f"{EXP}, KAN, 16"]
                    )
                ),
            ),
            above=1.5,
        )
        for page, words in (
            (SEVEN, "one of SiLU or of two hidden layers stays far behind, too"),
            (ROWS, "All three MLPs are far behind there"),
        )
        for other in OTHER_MLPS
    ),
    *(
        Claim(
            page,
            words,
            less(("curse", f"{EXP}, MLP of SiLU, {d}"), ("curse", f"{EXP}, MLP, {d}")),
            above=0,
        )
        for page, words in (
            (ROWS, "That of SiLU does worse than that of ReLU in two to eight variables"),
        )
        for d in (2, 4, 8)
    ),
    *(
        Claim(page, words, nearer(curve, *order), above=0.9)
        for page, one, other in (
            (
                SEVEN,
                "the KAN is nearer on the function written with one unit",
                "and the MLP of ReLU on the one written with sixteen",
            ),
            (ROWS, "the KAN is nearer on the first", "the MLP of ReLU on the second"),
            (TEACHING, "the KAN is nearer on the first", "the MLP of ReLU on the second"),
        )
        for words, curve, order in ((one, EXP, ("KAN", "MLP")), (other, "folds", ("MLP", "KAN")))
    ),
    *(
        Claim(page, "the MLP is still nearer there, by less", effect, above=0)
        for page in (ROWS, TEACHING)
        for effect in (
            SIXTEEN,
            Effect(
                "KAN's error − the MLP's: with 4 units − with 16 (folds, 16 variables)",
                lambda table: np.subtract(FOUR_UNITS(table), SIXTEEN(table)),
            ),
        )
    ),
    Claim(
        SEVEN,
        "the MLP is still nearer in all twenty runs",
        Effect(
            "least of the KAN's error − the MLP's (folds, 16 variables, 16 units)",
            lambda table: [min(SIXTEEN(table))],
        ),
        above=0,
    ),
    Claim(
        SEVEN,
        "in all twenty runs, by less",
        Effect(
            "KAN's error − the MLP's: with 4 units − with 16 (folds, 16 variables)",
            lambda table: np.subtract(FOUR_UNITS(table), SIXTEEN(table)),
        ),
        above=0,
    ),
    Claim(UNSEEN, "about one in ten", of("article", "right, moved"), 0.05, 0.15),
    Claim(UNSEEN, "The second most of them", of("unseen", "pushed: moved"), above=0.6),
    Claim(
        UNSEEN,
        "It costs a little on digits in their place",
        less(("unseen", "placed: as they are"), ("unseen", "placed: moved"), 100),
        above=0,
        below=4,
    ),
    Claim(UNSEEN, "Moving digits does not help", of("unseen", "sure: moved"), above=0.8),
    Claim(
        SCRATCH,
        "The package's network gets about 95 % right",
        of("scratch", "package: right", 100),
        above=94.5,
        below=95.5,
    ),
    Claim(
        SCRATCH,
        "in the mean of twenty pairs by about two points",
        less(("scratch", "right"), ("scratch", "package: right"), 100),
        above=1.5,
        below=2.5,
    ),
    Claim(SCRATCH, "that the package's can", of("scratch", "difference"), below=1e-4),
    Claim(UNSEEN, "Nearly certain", of("article", "empty, surest"), above=0.9),
    Claim(
        TEACHING,
        "Black on white stays mostly wrong",
        of("unseen", "black on white: moved"),
        below=0.4,
    ),
    Claim(
        TEACHING,
        "At moved digits, by far",
        less(("unseen", "pushed: moved"), ("unseen", "pushed: as they are")),
        above=0.5,
    ),
    Claim(
        UNSEEN,
        "that it is a 1, as 20 of 20 others say",
        Effect(
            "share of networks that call an empty image a 1 (fifteen passes)",
            lambda table: np.equal(table["article"]["empty, class"], 1).astype(float),
        ),
        0.99,
    ),
    Claim(ESSAY, "they rise and turn", of("article", "end: one way in convs.0"), below=0.9),
    Claim(
        ESSAY,
        "How much it leans does not say how much it needed",
        leaning_on_splines(*PAIRS[0]),
        above=2,
    ),
    Claim(ESSAY, "most of the score needs no spline", WORTH, above=0, below=3),
    Claim(
        ESSAY,
        "With digits in *grey* ink on black and white noise they are worth",
        less(("grey", "right"), (AS_LARGE, "grey: right"), 100),
        above=10,
    ),
    *(
        Claim(
            page,
            words,
            Effect(
                "worth of splines in grey ink − on plain digits after 63 steps, in points",
                lambda table: np.subtract(GAIN(table), EARLY_WORTH(table)),
            ),
            above=10,
        )
        for page, words in (
            (ROWS, "With digits in grey ink they are worth more"),
            (DOUBT, "on plain digits splines were worth far less"),
        )
    ),
    *(
        Claim(
            page,
            "a kernel of nothing but SiLU",
            Effect(
                "correlation of the worst kernel on every grey − that of SiLU alone",
                lambda table: np.subtract(
                    table["article"]["linear, worst, every grey"], lesson.silu_as_a_line()
                ),
            ),
            above=-0.01,
            below=0.01,
        )
        for page in (READ, ROWS)
    ),
    *(
        Claim(page, words, effect, above)
        for page in (UNSEEN, TEACHING)
        for words, effect, above in (
            (
                "Networks without splines answer from the same ten and are less sure",
                less(("article", "empty, surest"), (BARE, "empty, surest")),
                0.2,
            ),
            (
                "They also fit less closely",
                less((BARE, "loss, last pass"), ("article", "loss, last pass")),
                0.04,
            ),
        )
    ),
    Claim(
        ESSAY,
        "of two hundred kernels the smallest",
        worst_of("article", "end: least reach, as drawn", min),
        above=0.3,
    ),
    Claim(ROWS, "most of the score needs no spline", WORTH, above=0, below=3),
    *(
        Claim(ROWS, "The network has come to lean on them", leaning_on_splines(*of), above=2)
        for of in PAIRS
    ),
    *(
        Claim(page, words, effect, above=0)
        for page, words, effects in (
            (
                COUNT,
                "Turn the digits, and the lines turn with them",
                [Effect("turn of lines with the digits, of ten kernels", turning)],
            ),
            (ROWS, "They do not need splines", [without_splines(of) for of in (BARE, ONCE_BARE)]),
            (ESSAY, "Lines need no splines", [without_splines(BARE)]),
            (
                ROWS,
                "Lines turn with the digits",
                [Effect("turn of lines with the digits, of ten kernels", turning)],
            ),
            (ROWS, "once through it is, by", [change(NEAR, kind=ONCE)]),
        )
        for effect in effects
    ),
    Claim(ROWS, "it is a little weaker", change(NEAR), 0, 0.1),
    Claim(ROWS, "Shuffled labels leave as few lines", of("labels shuffled", "lines"), below=0.1),
    Claim(ROWS, "Shuffled labels leave as few lines", of("labels shuffled", "uprights"), below=0.5),
    *(
        Claim(
            ROWS,
            "most often those with a large base weight w",
            less((kind, "keep SiLU, large w"), (kind, "keep SiLU, small w")),
            above=0.2,
        )
        for kind in TRAININGS
    ),
    *(Claim(ROWS, "for every kernel", of(kind, "linear, worst"), above=0.95) for kind in TRAININGS),
    *(
        Claim(page, words, where_w_is_small(kind), 0.7, 0.9)
        for page, words, kinds in (
            (READ, "reach only about a fifth less far", TRAININGS[:1]),
            (ROWS, "so there they show", TRAININGS),
        )
        for kind in kinds
    ),
    *(
        Claim(ROWS, words, change(f"later: {name}", kind=kind), *bounds)
        for kind in TRAININGS
        for words, name, *bounds in (
            ("why they are less like a line", "line", 0.1),
            ("*beside the first*, more like SiLU", "silu", -1, -0.1),
        )
    ),
    *(
        Claim(ROWS, words, effect, below=0)
        for kind in TRAININGS
        for words, effect in (
            ("Both layers leave SiLU", change("SiLU-shaped in convs.0", kind=kind)),
            ("Both layers leave SiLU", change("SiLU-shaped in convs.1", kind=kind)),
            ("Both layers leave SiLU, the first further", leaves_further(kind)),
            ("the first layer leaves SiLU further", leaves_further(kind)),
        )
    ),
    Claim(
        ROWS,
        "On these 4,032 splines were worth",
        Effect(
            "worth of splines after 63 steps, once − fifteen passes, in points", of_other_digits
        ),
        above=0,
    ),
    Claim(
        ROWS,
        "had as many lines in both trainings",
        Effect(
            "share of networks with as many lines in both trainings",
            lambda table: np.equal(table["article"]["end: lines"], table[ONCE]["end: lines"]) * 1.0,
        ),
        above=0.6,
    ),
    *(
        Claim(page, "most of the loss is the ±1", loss_of_the_pattern(kind), above=0)
        for page, kinds in ((ROWS, TRAININGS), (TEACHING, TRAININGS[:1]))
        for kind in kinds
    ),
    *(
        Claim(ROWS, "have one or more among ten", with_a_line(kind), above=0.2, below=0.95)
        for kind in TRAININGS
    ),
    Claim(ROWS, "before training none", of("article", "start: lines"), below=0.05),
    Claim(ROWS, "The link is there before training", of("article", f"start: {NEAR}"), below=-0.2),
    Claim(ESSAY, "no network has a horizontal line", of("labels shuffled", "lines"), below=0.1),
    Claim(
        ESSAY,
        "with hardly anything on top",
        of("article", "start: splines' share in convs.0"),
        below=0.05,
    ),
    *(
        Claim(
            ROWS,
            "begin alike by all six measures",
            of("article", f"start: later: {name}"),
            0.45,
            0.55,
        )
        for name in ("bend", "turns", "line", "silu", "variation", "curvature")
    ),
    Claim(ROWS, "is SiLU's doing", of("article", "start: how many, by movement"), above=40),
]


def report() -> tuple[str, bool]:
    """Return Markdown tables of the claims, nearest to failing first, and whether all hold.

    Pages that claim one thing of one effect share a row.
    """
    table = lesson.recorded()
    rows: dict[str, dict[str, list[str]]] = {grade: {} for grade in GRADES}
    for claim in sorted(CLAIMS, key=lambda claim: (claim.room(table), claim.page)):
        grade, holds = claim.grade(table), claim.holds(table) and claim.stands()
        words, says = (text.replace("|", r"\|") for text in (claim.words, claim.effect.says))
        numbers = len([*claim.effect(table)])
        networks = "1,000" if "untrained" in says else "20" if numbers == 1 else str(numbers)
        shown = [says, networks, claim.written(table)]
        if grade != ALIKE:
            shown.append(claim.bounds)
        said = f"{claim.called}: “{words}”" + ("" if holds else " **no**")
        rows[grade if holds else FAILS].setdefault(" | ".join(shown), []).append(said)
    parts = []
    for grade, found in rows.items():
        if not found:
            continue
        head = ["the page says", "measured on each network", "networks", "mean [95 %]"]
        head = [*head[:3], "found"] if grade == ALIKE else [*head, "must all lie"]
        lines = [
            f"| {'<br>'.join(dict.fromkeys(said))} | {shown} |" for shown, said in found.items()
        ]
        titles = f"### {grade}", GRADES[grade], f"| {' | '.join(head)} |\n|{len(head) * '---|'}"
        parts.append("\n\n".join(titles) + "\n" + "\n".join(lines))
    tables = "\n\n".join(parts)
    return tables, "**no**" not in tables
