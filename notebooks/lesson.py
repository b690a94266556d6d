"""What the tutorials have in common: measures of the article's network, and sentences that follow.

`say` shows conclusions that a run has chosen, and `recorded` gives the figures of the networks that
``python -m tests.notebooks.networks`` has trained: each name stands for a list of numbers, one for
each network.
"""

from __future__ import annotations

import copy
import itertools
import json
import math
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from IPython.display import Markdown
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw
from torch import Tensor, nn

import kan_widgets as kw

LAYERS = ("convs.0", "convs.1", "linear")
STEPS = 150, 1500  # of tutorial 12's classifiers, and of its controls trained longer
DRAWN = 2.0  # the article draws its maps from −2 to 2
X = torch.linspace(-1, 1, 401)
AS_WELL = 0.05  # a wrong pattern whose correlation is less than this behind reads as well
LARGE = "MLP, ten times"  # the larger MLP of tutorial 2
FINE = torch.linspace(-1, 1, 4001, dtype=torch.float64)
TARGET = {"layer": "target", "out": 0, "in": 0, "row": 0, "column": 0}  # what `inspect` pins
# Ruled digits, 0 to 9: corners of strokes, "xy", on a field of 2 by 4.
RULED = (
    "00 20 24 04 00",
    "10 14",
    "00 20 22 02 04 24",
    "00 20 12 22 24 04",
    "00 02 22|20 24",
    "20 00 02 22 24 04",
    "20 00 04 24 22 02",
    "00 20 04",
    "00 20 24 04 00|02 22",
    "22 02 00 20 24 04",
)
RECORDED = Path(__file__).with_name("networks.json")


def say(*sentences: str) -> Markdown:
    """Show sentences as a list."""
    return Markdown("\n".join(f"- {sentence}" for sentence in sentences))


def listed(words: Sequence[str]) -> str:
    """Name some things: "a, b and c"."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> Markdown:
    """Show rows under a head."""
    lines = [head, ["---"] * len(head), *rows]
    return Markdown("\n".join(f"| {' | '.join(map(str, line))} |" for line in lines))


def readings(learned: Sequence[Sequence[Any]], sorting: Sequence[Sequence[Any]]) -> Markdown:
    """Return tutorial 12's page: readings of its two kinds of networks, each with its doubt."""
    parts = ["# Supplement", "Doubt: the least and the greatest, where it is not 95 % sure."]
    for heading, rows in {
        "Networks 2→3→1, fitted to f": learned,
        "Networks 2→3→2, that say whether f > 1.5": sorting,
    }.items():
        written = [[str(cell).replace("-", "−") for cell in row] for row in rows]
        parts += [f"## {heading}", table(["reading", "number", "doubt", "over"], written).data]
    return Markdown("\n\n".join(parts))


def points_and_interval(change: Any) -> tuple[str, str, str]:
    """Write a change of a share as points lost, its interval, and over what that is."""
    lost, low, high = (-100 * end for end in (change.value, change.high, change.low))
    return f"{lost:.1f}", f"{low:.1f} to {high:.1f}, 95 % sure", "8 seeds, 1,000 inputs"


def dots(
    kinds: Mapping[str, Mapping[str, Sequence[float]]],
    y: str,
    row: float = 0.0,
    level: tuple[str, float] = ("", 0.0),
) -> Any:
    """Return a chart with a dot for each number: kind, place, numbers. A kind has a colour.

    The dots of a place stand in five columns, filled from the middle. Of numbers that are equal
    five make a row, and rows lie `row` apart, around the number. A level that has a name is a grey
    line behind them.
    """
    places = [*dict.fromkeys(itertools.chain(*kinds.values()))]
    curves: dict[str, tuple[Any, Any]] = {}
    for number, (kind, of) in enumerate(kinds.items()):
        aside = 0.8 * ((number + 0.5) / len(kinds) - 0.5)
        across, up = [], []
        for place, unordered in of.items():
            values = sorted(unordered)
            for rank, value in enumerate(values):
                equal = rank - values.index(value)
                column = (0, -1, 1, -2, 2)[(equal if values.count(value) > 1 else rank) % 5]
                across.append(places.index(place) + aside + 0.13 / len(kinds) * column)
                up.append(value + row * (equal // 5 - (values.count(value) - 1) // 5 / 2))
        curves[kind] = across, up
    name, height = level
    behind = {name: ([-0.5, len(places) - 0.5], [height] * 2)} if name else {}
    figure = kw.figures.lines(curves | behind, x="", y=y, behind=[*behind])
    for mark in figure.marks[: len(behind)]:
        mark.stroke_width = 2
    for mark in figure.marks[len(behind) :]:
        mark.marker, mark.stroke_width = "circle", 0
    if row:  # they are counts
        most = max(max(up) for _, up in curves.values())
        figure.axes[1].tick_values = [*range(1 + int(most))]
    return along(figure, places)


def barred(
    kinds: Mapping[str, tuple[Any, Any, Any, Any]],
    places: Sequence[str],
    y: str,
    level: tuple[str, float],
) -> Any:
    """Return a chart of dots with the bars of their intervals: kind, across, middle, low, high.

    A kind has a colour; the level is a grey line behind them.
    """
    import bqplot  # is not to be imported before there is a chart

    name, height = level
    drawn = {name: ([-0.5, len(places) - 0.5], [height] * 2)}
    for kind, (across, _, low, high) in kinds.items():
        ends = np.stack([low, high, np.full_like(low, np.nan)], 1).ravel()  # a gap after each
        drawn[kind] = np.repeat(across, 3), ends
    figure = along(kw.figures.lines(drawn, x="", y=y, behind=[name]), places)
    behind, *bars = figure.marks
    behind.stroke_width = 2
    for bar, (across, middle, *_) in zip(bars, kinds.values(), strict=True):
        bar.marker, bar.stroke_width = None, 4  # its own dots would stand in the gaps, too
        dot = bqplot.Scatter(
            x=across, y=middle, colors=bar.colors, default_size=40, scales=bar.scales
        )
        figure.marks = [*figure.marks, dot]
    return figure


def paths(kinds: Mapping[str, Mapping[str, Sequence[float]]], y: str) -> Any:
    """Return a chart with a line for each network, from place to place. A kind has a colour."""
    places = [*dict.fromkeys(itertools.chain(*kinds.values()))]
    gap = np.array([*range(len(places)), np.nan])  # between two networks
    curves = {}
    for kind, of in kinds.items():
        each = np.stack([*of.values(), np.full(len(of[places[0]]), np.nan)], axis=1)
        curves[kind] = np.tile(gap, len(each)), each.ravel()
    return along(kw.figures.lines(curves, x="", y=y), places)


def along(figure: Any, places: Sequence[str]) -> Any:
    """Write the names of places below a chart."""
    bottom = figure.axes[0]
    bottom.scale.min, bottom.scale.max = -0.5, len(places) - 0.5
    bottom.tick_values = [*range(len(places))]
    bottom.tick_labels = {str(k): place for k, place in enumerate(places)}
    return figure


def recorded() -> dict[str, dict[str, list[float]]]:
    """Return what was measured on the recorded networks: kind of network, measure, numbers."""
    found: dict[str, dict[str, list[float]]] = json.loads(RECORDED.read_text("utf-8"))
    return found


def interval(values: ArrayLike) -> tuple[float, float, float]:
    """Return a mean and its interval of 95 %, by bootstrap (of percentiles).

    Of twenty numbers, one made so covers the true mean in about 93 of 100 cases, as 1.91 standard
    errors do, where Student's t asks for 2.09.
    """
    numbers = np.asarray(values, float)
    draws = np.random.default_rng(0).integers(len(numbers), size=(9999, len(numbers)))
    low, high = np.percentile(numbers[draws].mean(1), (2.5, 97.5))
    return float(numbers.mean()), float(low), float(high)


def out_of(count: float, of: int) -> str:
    """Say in how many of some networks something is, and of none in what share it may yet be."""
    return f"{count:,.0f} of {of:,}" + ("" if count else at_most(of))


def at_most(networks: int) -> str:
    """Say in what share of networks something may be that none of some has.

    Were it in a larger share, none in so many would be rarer than one case in twenty.
    """
    return f" (at most {100 * (1 - 0.05 ** (1 / networks)):.2g} %)"


def at_least(count: int, of: int) -> str:
    """Say in what share of networks something is at least that is in so many of some.

    Were it in a smaller share, so many or more would be rarer than one case in twenty.
    """
    low, high = 0.0, 1.0
    for _ in range(30):
        p = (low + high) / 2
        more = sum(math.comb(of, k) * p**k * (1 - p) ** (of - k) for k in range(count, of + 1))
        low, high = (p, high) if more < 0.05 else (low, p)
    return f"at least {100 * low:.0f} %, 95 % sure"


def counted(values: ArrayLike) -> str:
    """Say how many of ten kernels are something; without an interval, where none is."""
    each = np.asarray(values, float)
    return in_words(each, ".2f") if each.any() else "0.00"


def span(values: ArrayLike, form: str) -> str:
    """Say between which numbers some lie."""
    return f"{np.min(values):{form}} to {np.max(values):{form}}"


def outside(value: float, others: Sequence[float], form: str) -> str:
    """Say that a number lies beyond all of some others, if it does."""
    low, high = min(others), max(others)
    if low <= value <= high:
        return ""
    than = f"{'less' if value < low else 'more'} than in any of {len(others)} others"
    return f", {than} ({span(others, form)})"


def leaning(found: Mapping[str, Sequence[float]], when: str = "") -> Any:
    """Return for each network how many more of its kernels are horizontal than vertical lines."""
    return np.subtract(found[f"{when}lines"], found[f"{when}uprights"])


def in_words(values: ArrayLike, form: str = ".1f") -> str:
    """Say a mean and its interval; what rounds to 0 has no sign."""
    said = (re.sub(r"^-(?=[0.]*%?$)", "", f"{number:{form}}") for number in interval(values))
    mean, low, high = (number.replace("-", "−") for number in said)
    return f"{mean} [{low}, {high}]"


def which(values: ArrayLike, more: str, less: str, neither: str) -> str:
    """Choose a sentence by a difference: its interval lies above 0, below, or around it."""
    _, low, high = interval(values)
    return more if low > 0 else less if high < 0 else neither


def of_labels_by_heart(lines: ArrayLike, by_heart: Mapping[str, Sequence[float]]) -> str:
    """Say what the lines of networks tell that know shuffled labels by heart.

    Beside them stand those of as many others, the first, which began at the same weights.
    """
    if min(by_heart["fitted"]) < 0.9:
        return "not all of them know these by heart, so that says little"

    other = np.asarray(by_heart["lines"])
    one = np.asarray(lines)[: len(other)]  # those of the same starts
    if len(other) < 5:
        return "which is too few to compare"
    flips = np.array([*itertools.product((-1, 1), repeat=len(other))])  # a test of signs, exact
    gap = (one - other).sum()
    p = (abs(flips @ (one - other)) > abs(gap) - 1e-9).mean()
    found = (
        f"on the same {len(other)} starts right labels give {one.sum():.0f} lines, labels by heart "
        f"{other.sum():.0f}"
    )
    if p >= 0.05:
        return f"{found}; so few pairs can tell nothing"
    tested = f"({found}; flips of signs: p = {p:.2f})"
    if gap < 0:
        return f"more than with right labels {tested}, so labels need not go with the digits"
    return f"fewer than with right labels {tested}, so learning by heart makes fewer"


@dataclass(frozen=True)
class Given:
    """A basis of one function, to show a target beside what is fitted to it."""

    function: Callable[[Tensor], Tensor]
    domain: tuple[float, float] = (-1.0, 1.0)
    n_basis, labels, points = 1, ("target",), 1000

    def expand(self, x: Tensor) -> Tensor:
        """Return the function, and nothing beyond its domain."""
        inside = (x >= self.domain[0]) & (x <= self.domain[1])
        return self.function(torch.where(inside, x, torch.nan)).unsqueeze(-1)

    def derivative(self, x: Tensor, h: float = 1e-3) -> Tensor:
        """Return the slope between two points that are near, on the domain."""
        left, right = (x - h).clamp(*self.domain), (x + h).clamp(*self.domain)
        return (self.expand(right) - self.expand(left)) / (right - left).unsqueeze(-1)


def layer_of(basis: Any, coefficients: Tensor) -> nn.Module:
    """Return one φ on a basis, without a base term."""
    layer = kw.nn.KANLinear(1, 1, basis=basis, dtype=torch.float64)
    with torch.no_grad():
        layer.base_weight.zero_()
        layer.spline_weight.copy_(coefficients.view(1, 1, -1))
    return layer


def fitted(basis: Any, f: Callable[[Tensor], Tensor]) -> nn.Module:
    """Return the φ on a basis that is nearest to f on [−1, 1]."""
    columns = basis.expand(FINE)
    found = torch.linalg.lstsq(columns, f(FINE).unsqueeze(1), rcond=1e-10, driver="gelsd")
    return layer_of(basis, found.solution)


@torch.no_grad()
def error_of(layer: nn.Module, f: Callable[[Tensor], Tensor]) -> float:
    """Return the root mean square on [−1, 1], as a share of f's standard deviation."""
    off = layer(FINE[:, None])[:, 0] - f(FINE)
    return float(off.square().mean().sqrt() / f(FINE).std())


def error_of_wider_bumps(f: Callable[[Tensor], Tensor], n: int) -> float:
    """Return `error_of` the nearest sum of n bumps, 1.5 times as wide as their distance."""
    centres = torch.linspace(-1.2, 1.2, n, dtype=FINE.dtype)
    bumps = torch.exp(-(((FINE[:, None] - centres) / (1.5 * (centres[1] - centres[0]))) ** 2))
    found = torch.linalg.lstsq(bumps, f(FINE)[:, None], rcond=1e-10, driver="gelsd").solution
    return float(((bumps @ found)[:, 0] - f(FINE)).square().mean().sqrt() / f(FINE).std())


def error_of_polynomials(f: Callable[[Tensor], Tensor], n: int) -> float:
    """Return `error_of` the nearest sum of n Chebyshev polynomials of x, not of tanh(2x)."""
    x, y = FINE.numpy(), f(FINE).numpy()
    off = np.polynomial.Chebyshev.fit(x, y, n - 1, domain=[-1, 1])(x) - y
    return float(np.sqrt(np.mean(off**2)) / np.std(y, ddof=1))


class Beside(nn.Module):
    """One φ, and beside it, only to be drawn, the function that it is to become."""

    def __init__(self, phi: nn.Module, f: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.phi, self.target = phi, layer_of(Given(f), torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        """Compute φ, (n, 1) to (n, 1)."""
        return self.phi(x)


def inspect(
    name: str, layer: nn.Module, f: Callable[[Tensor], Tensor], height: int = 160
) -> kw.SplineInspector:
    """Return a view of a function with its terms, the target pinned."""
    model = nn.ModuleDict({name: layer, "target": layer_of(Given(f), torch.ones(1))})
    parts = ["phi", "basis", "knots"]
    return kw.SplineInspector(model, layer=name, pins=[TARGET], show=parts, height=height)


@torch.no_grad()
def term_by_term(
    name: str, basis: Any, f: Callable[[Tensor], Tensor]
) -> tuple[nn.Module, kw.live.Binding, Tensor]:
    """Return a fit to f, its history, at step n of which the first n terms are there, and sums.

    The sums are φ at each step but the first, on `FINE`.
    """
    layer, target = fitted(basis, f), layer_of(Given(f), torch.ones(1))
    coefficients = layer.get_parameter("spline_weight")
    wanted = coefficients.clone()
    coefficients.zero_()
    model = nn.ModuleDict({name: layer, "target": target})
    source, sums = kw.bind(model), []
    for n in range(wanted.shape[-1]):
        coefficients[..., n] = wanted[..., n]
        source.step()
        source.refresh()
        sums.append(layer(FINE[:, None])[:, 0])
    return model, source, torch.stack(sums)


def half_done(sums: Tensor, f: Callable[[Tensor], Tensor]) -> tuple[list[float], float]:
    """Return the largest errors with half of the terms, left and right, and with all."""
    errors, third = (sums - f(FINE)).abs(), len(FINE) // 3
    at_half = errors[len(errors) // 2 - 1]
    return [at_half[:third].max().item(), at_half[-third:].max().item()], errors[-1].max().item()


def without_splines(network: nn.Module, layers: Sequence[str] = LAYERS) -> nn.Module:
    """Return a copy whose splines are taken away: every φ is w·SiLU."""
    bare = copy.deepcopy(network)
    for name in layers:
        nn.init.zeros_(bare.get_submodule(name).get_parameter("spline_weight"))
    return bare


def never_splines(network: nn.Module) -> nn.Module:
    """Take the splines away for good: training leaves them at 0, and their scales as they are."""
    for name, weight in network.named_parameters():
        if name.endswith("spline_weight"):
            nn.init.zeros_(weight)
        if name.endswith(("spline_weight", "spline_scaler")):
            weight.requires_grad_(False)
    return network


class BaseKernels(nn.Module):
    """Five kernels of w·SiLU(x), each applied to every channel by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(5, 1, 3, 3).uniform_(-1 / 3, 1 / 3))

    def forward(self, images: Tensor) -> Tensor:
        """Compute (n, channels, h, w) to (n, channels · 5, h - 2, w - 2)."""
        one_by_one = nn.functional.silu(images).flatten(0, 1).unsqueeze(1)
        answers = nn.functional.conv2d(one_by_one, self.weight)
        return answers.unflatten(0, images.shape[:2]).flatten(1, 2)


def as_large_without_splines() -> nn.Module:
    """Return a network without splines that has as many numbers as the article's, nearly.

    It is the article's without splines and with a hidden layer: 94,070 numbers for 94,650.
    """
    dense = nn.SiLU(), nn.Linear(625, 148, bias=False), nn.SiLU(), nn.Linear(148, 10, bias=False)
    pool, end = nn.MaxPool2d(2), (nn.Flatten(), *dense, nn.LogSoftmax(-1))
    return nn.Sequential(BaseKernels(), pool, BaseKernels(), pool, *end)


@torch.no_grad()
def share_right(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return how many digits are right, 0 to 1."""
    return float((network(images).argmax(1) == labels).double().mean())


def pruned_at_random(
    network: nn.Module, result: Mapping[str, Any], pictures: tuple[Tensor, Tensor], draw: Any
) -> float:
    """Return how many digits a copy gets right that has as many functions left, drawn at random."""
    drawn = copy.deepcopy(network)
    for name, layer in result.items():
        pruned: Any = drawn.get_submodule(name)
        weight = pruned.base_weight
        order = torch.randperm(weight.numel(), generator=draw).view_as(weight)
        pruned.mask = order < layer.remaining
    return share_right(drawn, *pictures)


@torch.no_grad()
def called(network: nn.Module, images: Tensor) -> tuple[int, float]:
    """Return what a network calls most of some pictures, and its mean certainty, 0 to 1."""
    chances = network(images).exp()
    return int(chances.argmax(1).mode().values), float(chances.amax(1).mean())


def names_of(models: Mapping[str, nn.Module], images: Tensor, labels: Tensor) -> Markdown:
    """Return a table of what each network calls some digits; what is right is in bold."""
    rows = []
    for name, network in models.items():
        with torch.no_grad():
            said = network(images).argmax(1)
        rows.append(
            [name, *(f"**{a}**" if a == b else f"{a}" for a, b in zip(said, labels, strict=True))]
        )
    return table(["the ruled digits are called", *labels.tolist()], rows)


def moved(images: Tensor, by: int = 4) -> Tensor:
    """Return digits some pixels further up and to the left, on the same black."""
    return nn.functional.pad(images[..., by:, by:], (0, by, 0, by), value=-1.0)


def in_grey(images: Tensor, seed: int) -> Tensor:
    """Return digits in grey ink, on pixels that are black or white at random."""
    noise = torch.randint(2, images.shape, generator=torch.Generator().manual_seed(seed))
    return torch.where(images > 0, 0.0, 2.0 * noise - 1)


def ruled_digits() -> tuple[Tensor, Tensor]:
    """Return ninety digits as one draws them with a ruler, and what they are: 0 to 9, nine times.

    They are 10, 12 and 14 pixels wide and 16, 18 and 20 high; a stroke is two pixels wide.
    """
    pictures = []
    for width, height in itertools.product((10, 12, 14), (16, 18, 20)):
        for digit in RULED:
            picture = Image.new("L", (28, 28))
            left, top = 13 - width / 2, 13 - height / 2
            for stroke in digit.split("|"):
                corners = [
                    (round(left + width * int(x) / 2), round(top + height * int(y) / 4))
                    for x, y in stroke.split()
                ]
                ImageDraw.Draw(picture).line(corners, fill=255, width=2)
            pictures.append(torch.from_numpy(np.array(picture) / 127.5 - 1))
    return torch.stack(pictures)[:, None].float(), torch.arange(10).repeat(9)


def in_a_row(images: Tensor) -> Image.Image:
    """Return digits side by side, each pixel three pixels wide."""
    row = torch.cat([*images[:, 0]], 1).repeat_interleave(3, 0).repeat_interleave(3, 1)
    return Image.fromarray(((row + 1) * 127.5).byte().numpy())


@torch.no_grad()
def curves(network: Any, end: float = 1.0) -> Tensor:
    """Return all φ of the ten kernels on [−end, end]: kernel, row, column, x."""
    found, x = [], end * X
    for layer in network.convs:  # w·SiLU(x) + Σ cᵦBᵦ(x)
        terms = torch.cat([nn.functional.silu(x)[:, None], layer.basis.expand(x)], 1)
        found.append(layer.coefficients().flatten(0, 1) @ terms.T)
    return torch.cat(found)


def patterns(network: nn.Module) -> Tensor:
    """Return those of the ten kernels, 10×3×3: True is white, where φ(1) is above φ(−1)."""
    phi = curves(network)
    return phi[..., -1] > phi[..., 0]


@torch.no_grad()
def wrong_patterns(network: Any, images: Tensor) -> dict[str, Tensor]:
    """Return how the first five patterns go with their kernels' answers, and how wrong ones do.

    Correlations, one for each kernel: of its own pattern ±1; of nine entries alike; of the four
    other kernels' patterns, their mean. A wrong pattern may have either sign. On all patches of
    some images, and on those that are not blank.
    """
    patches = nn.functional.unfold(images, 3).transpose(1, 2).flatten(0, 1)
    answers = network.convs[0](images).transpose(0, 1).flatten(1)  # kernel, patch
    templates = torch.cat([2.0 * patterns(network)[:5].flatten(1) - 1, torch.ones(1, 9)])
    found = {}
    for where, seen in (("", slice(None)), (", not blank", (patches > -1).any(1))):
        shown = torch.cat([answers[:, seen], templates @ patches[seen].T]).double()
        r = torch.corrcoef(shown)[:5, 5:]
        own, either = r[:, :5].diagonal(), r.abs()
        found[f"own{where}"], found[f"nine alike{where}"] = own, either[:, 5]
        found[f"another's{where}"] = (either[:, :5].sum(1) - own.abs()) / 4
    return found


def is_line(pattern: Tensor) -> bool:
    """Whether each row is of one colour, and not all of them of the same."""
    return bool((pattern == pattern[:, :1]).all() and 0 < pattern.sum() < 9)


def chance_of_a_line() -> float:
    """Return the share of all 512 patterns that are lines."""
    every = [torch.tensor(p).reshape(3, 3) for p in itertools.product((False, True), repeat=9)]
    return sum(map(is_line, every)) / len(every)


def lines(network: nn.Module) -> int:
    """Return how many of the ten kernels are horizontal lines."""
    return sum(map(is_line, patterns(network)))


def uprights(network: nn.Module) -> int:
    """Return how many of the ten kernels are vertical lines."""
    return sum(is_line(pattern.T) for pattern in patterns(network))


def one_way(phi: Tensor) -> int:
    """Return how many functions only rise or only fall."""
    rises = phi.diff(dim=-1).flatten(0, -2)
    return int(((rises > 0).all(-1) | (rises < 0).all(-1)).sum())


def ranges_of_kernels(network: nn.Module, end: float = 1.0) -> Any:
    """Return for each of the ten kernels the median range of its nine φ on [−end, end]."""
    return np.median(np.ptp(curves(network, end).flatten(1, 2).numpy(), axis=-1), axis=-1)


def reach(network: nn.Module, end: float = 1.0) -> Any:
    """Return for each of the ten kernels its range on [−end, end], beside the median of the ten."""
    ranges = ranges_of_kernels(network, end)
    return ranges / np.median(ranges)


def small_for_all(network: nn.Module, end: float = 1.0) -> Any:
    """Say of each of the ten kernels whether all of its functions are small.

    None of the nine then has a range of 0.6 of the median of all ninety, on [−end, end].
    """
    ranges = np.ptp(curves(network, end).flatten(1, 2).numpy(), axis=-1)
    return ranges.max(1) < 0.6 * np.median(ranges)


def hills(network: nn.Module) -> int:
    """Return how many of the first 45 functions lie at 0 above both their ends, or below both."""
    phi = curves(network)[:5].flatten(0, -2)
    over_the_ends = phi[:, len(X) // 2, None] - phi[:, [0, -1]]
    return int(((over_the_ends > 0).all(1) | (over_the_ends < 0).all(1)).sum())


def unlike_silu(network: nn.Module) -> tuple[Any, Any]:
    """Return for each of the 90 functions its range, and the share that no a·SiLU + c explains."""
    phi = curves(network).flatten(0, -2)
    silu = nn.functional.silu(X)
    basis = torch.stack([silu, torch.ones_like(silu)], 1)
    left = phi.T - basis @ torch.linalg.lstsq(basis, phi.T).solution
    return np.ptp(phi.numpy(), axis=-1), (left.var(0) / phi.var(1)).numpy()


def sizes_of_splines(network: nn.Module) -> Any:
    """Return for each of the 90 functions how far its splines alone reach on [−1, 1]."""
    splines = curves(network) - curves(without_splines(network))
    return np.ptp(splines.flatten(0, -2).numpy(), axis=-1)


def silu_as_a_line(low: float = -1.0) -> float:
    """Return the correlation of SiLU with a straight line, where every x of [low, 1] is as likely.

    On patches in which pixels are so, and none goes with another, it is also that of the answers of
    a kernel of nothing but SiLU with those of the nine numbers that fit it best.
    """
    x = torch.linspace(low, 1, 401)
    return float(np.corrcoef(x.numpy(), nn.functional.silu(x).numpy())[0, 1])


def ranks_together(one: ArrayLike, other: ArrayLike) -> float:
    """Return the correlation of ranks (Spearman's), −1 to 1."""
    ranks = [np.argsort(np.argsort(np.asarray(values))) for values in (one, other)]
    return float(np.corrcoef(*ranks)[0, 1])


def moves_less_on_the_left(phi: Tensor) -> Tensor:
    """Say of functions, (n, x), which move less than half as far on [−1, 0] as on [0, 1]."""
    left, right = (half.amax(-1) - half.amin(-1) for half in (phi[:, :201], phi[:, 200:]))
    return left < right / 2


@torch.no_grad()
def of_dark(network: Any, images: Tensor) -> dict[str, float]:
    """Return by five measures how the first layer answers the dark, and how large its w are."""
    phi = curves(network)[:5].flatten(0, -2)  # the middle x is 0
    dark, bright = phi[:, 0].abs(), phi[:, -1].abs()
    spread = network.convs[0](images).transpose(0, 1).flatten(1).std(1)
    to_dark = phi[:, 0].reshape(5, 9).sum(1).abs()
    return {
        "how many, by value": int((dark < bright / 2).sum()),
        "how many, by movement": int(moves_less_on_the_left(phi).sum()),
        "ratio": float((dark / bright).median()),
        "difference": float((bright - dark).mean()),
        "answer to the dark, beside the spread": float((to_dark / spread).median()),
        "base weights": float(network.convs[0].base_weight.detach().abs().mean()),
    }


def beside_the_base(found: Mapping[str, Sequence[float]]) -> Any:
    """Return by how much |φ(1)| − |φ(−1)| is more than w·SiLU alone makes it, 0.46·|w|."""
    dark, bright = (abs(x) / (1 + math.exp(-x)) for x in (-1, 1))  # |SiLU|
    return np.subtract(
        found["end: difference"], (bright - dark) * np.array(found["end: base weights"])
    )


def measured(network: nn.Module, images: Tensor, labels: Tensor) -> dict[str, float]:
    """Return what a network gets right, with splines and without, and how its functions look."""
    rows = {row.layer: row for row in kw.insight.layer_ranges(network)}
    phi = curves(network)
    return {
        "right": share_right(network, images, labels),
        "right without the last layer's splines": share_right(
            without_splines(network, LAYERS[2:]), images, labels
        ),
        "right without any splines": share_right(without_splines(network), images, labels),
        **{f"SiLU-shaped in {name}": rows[name].silu_shaped for name in LAYERS},
        **{f"splines' share in {name}": rows[name].spline_share for name in LAYERS},
        "one way in convs.0": one_way(phi[:5]) / 45,
        "one way in convs.1": one_way(phi[5:]) / 45,
    }


def at_zero_share(network: nn.Module, less: float = 0) -> float:
    """Return the median |φ(0)| of the first layer, as a share of a function's range.

    With `less` it is φ(0) − less · φ(−1) that is measured.
    """
    layer = kw.functions.read(network)[0]
    ranges = kw.insight.function_ranges(kw.insight.sampled(layer), layer.coefficients.numpy()).range
    phi_0, phi_dark = layer.evaluate(torch.tensor([0.0, -1.0])).flatten(0, -2).numpy().T
    return float(np.median(abs(phi_0 - less * phi_dark) / ranges))


def three_borders(seed: int) -> dict[str, nn.Module]:
    """Return three small networks: zeros around their images, the border repeated, none.

    They begin at the same numbers.
    """
    made = {}
    for border, padding in {"zeros": 1, "replicate": 1, "none": 0}.items():
        torch.manual_seed(seed)
        made[border] = kw.nn.KANCNN(
            channels=(4, 8), norm=None, grid_range=(-1.0, 1.0), padding=padding
        )
    repeat_the_border(made["replicate"])
    return made


def repeat_the_border(network: Any) -> None:
    """Let a network's convolutions repeat the border of what they get, in place of zeros."""
    for conv in network.convs:
        conv.padding_mode = "replicate"


def about_borders() -> Markdown:
    """Say what three borders did to φ(0), and to the digits right, in twenty networks each."""
    twenty = recorded()["borders"]
    zeros, repeated, without = (
        100 * np.array(twenty[f"{border}: end"]) for border in ("zeros", "replicate", "none")
    )
    none, apart = np.array(twenty["none: right"]), repeated - zeros
    lead = [100 * (none - twenty[f"{border}: right"]) for border in ("zeros", "replicate")]
    gain = lead[0] - lead[1]
    further, less_far, open_ = "further", "less far", "not shown to be further or less far"
    ahead = "Having none is ahead of both", "Having none is behind one", "Having none is not ahead"
    more = "Repeating the border gets", "Zeros around the images get", "Neither border gets"
    return say(
        f"In twenty others a repeated border moves φ(0) by {in_words(apart)} points more of a "
        f"function's range than zeros do: {which(apart, further, less_far, open_)}.",
        f"Beyond no border, zeros move it by {in_words(zeros - without)} points, a repeated border "
        f"by {in_words(repeated - without)}.",
        f"{which(gain, *more)} more digits right: repeated less zeros, {in_words(gain)} points.",
        f"{which(min(lead, key=np.mean), *ahead)}: by {' and '.join(map(in_words, lead))} points.",
    )


def jumps(losses: ArrayLike) -> int:
    """Return how often a loss has jumped: to more than twice its lowest so far."""
    found = np.asarray(losses, float)
    high = found > 2 * np.minimum.accumulate(found)
    return int((high[1:] & ~high[:-1]).sum())


def lbfgs(model: nn.Module) -> torch.optim.LBFGS:
    """Return an optimizer for a small problem without noise."""
    options: dict[str, Any] = {"max_iter": 20, "history_size": 20, "line_search_fn": "strong_wolfe"}
    return torch.optim.LBFGS(model.parameters(), **options)


def closure(
    model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor
) -> Callable[[], Tensor]:
    """Return what LBFGS calls several times in a step: the error, with new gradients."""

    def error() -> Tensor:
        optimizer.zero_grad()
        found = (model(x) - y).square().mean()
        found.backward()
        return found

    return error


def fit(x: Any, y: Any, *functions: Callable[[Any], Any]) -> tuple[Any, float]:
    """Return the least squares of y by 1 and the functions given: coefficients and R²."""
    columns = np.stack([np.ones_like(x), *(f(x) for f in functions)], axis=1)
    coefficients = np.linalg.lstsq(columns, y, rcond=None)[0]
    return coefficients, float(1 - np.var(y - columns @ coefficients) / np.var(y))


def fit_exponential(s: Any, y: Any) -> tuple[float, Any, float]:
    """Return the rate r, of two thousand, by which c + A·exp(r·s) fits y best; (c, A), and R²."""
    rates = np.concatenate([-np.geomspace(0.1, 30, 1000), np.geomspace(0.1, 30, 1000)])
    fits = [(fit(s, y, lambda s, r=r: np.exp(r * s)), r) for r in rates]
    (coefficients, r2), rate = max(fits, key=lambda one: one[0][1])
    return float(rate), coefficients, r2


def learn_to_sort(
    models: Sequence[nn.Module],
    x: Tensor,
    labels: Tensor,
    live: kw.Binding | None = None,
    steps: int = STEPS[0],
    optimizers: Sequence[torch.optim.Adam] | None = None,
) -> Sequence[torch.optim.Adam]:
    """Train small classifiers by steps of Adam, or go on; of a binding each step is a frame."""
    optimizers = optimizers or [torch.optim.Adam(model.parameters(), 0.02) for model in models]
    for _ in range(steps):
        for model, optimizer in zip(models, optimizers, strict=True):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), labels.long())
            loss.backward()
            optimizer.step()
        if live is not None:
            live.step()
            live.log(loss=loss.item())
            live.refresh()
    return optimizers


def watched(make: Callable[[int], nn.Module], seed: int, x: Tensor, labels: Tensor) -> kw.Binding:
    """Return a binding that has seen a small classifier of two classes learn, step by step."""
    torch.manual_seed(seed)
    model = make(2)
    live = kw.bind(model, every=1)
    learn_to_sort([model], x, labels, live)
    return live


def about_moments(seen: Any, shuffled: Any) -> Markdown:
    """Set the moments of a training beside those of one with shuffled labels."""
    right, other = len(seen.moments), len(shuffled.moments)
    falls = [len([*of.rises]) for of in (seen, shuffled)]
    said = "with either labels" if 2 * other >= right else "less, without a task"
    return say(
        f"With the right labels {right} moments, with shuffled ones {other}: in these two "
        f"trainings functions leave their start {said}.",
        f"Clear falls of the loss: {falls[0]} with the right labels, {falls[1]} with shuffled.",
    )


def about_formula(
    left: float, networks: Sequence[float], same_form: float, same_term: float
) -> Markdown:
    """Say how near a formula comes to the truth, and of what seeds agree."""
    nearer = (
        "it **is the truth**, to rounding"
        if left < 1e-10
        else "it is nearer than every network that it was read from"
        if left < min(networks)
        else "some of the networks are nearer"
    )
    return say(
        f"On new inputs the formula leaves {left:.1e} of the truth: {nearer}. The networks leave "
        f"{min(networks):.1e} to {max(networks):.1e}.",
        f"The commonest name of a function holds in {same_form:.1f} of {len(networks)} networks in "
        f"the mean, a term of the formula in {same_term:.1f}. (They are not counted alike: a term "
        "may stand anywhere.)",
    )


def controls(
    seed: int, x: Tensor, labels: Tensor, new: Tensor, high: Tensor
) -> dict[int, dict[str, Any]]:
    """Return what tutorial 12's two controls get right of new inputs, after few steps and many.

    In per cent, by the number of steps and by the kind, an array of eight: networks of 12 numbers
    and of 108 that never had a spline.
    """
    right: dict[int, dict[str, Any]] = {steps: {} for steps in STEPS}
    for kind, hidden in (("small", 3), ("large", 27)):
        models = []
        for number in range(8):
            with torch.random.fork_rng():
                torch.manual_seed(seed + number)
                layers = kw.nn.KANLinear(2, hidden), kw.nn.KANLinear(hidden, 2)
            models.append(never_splines(nn.Sequential(*layers)))
        optimizers = None
        for before, steps in itertools.pairwise((0, *STEPS)):
            optimizers = learn_to_sort(models, x, labels, None, steps - before, optimizers)
            found = [100 * share_right(model, new, high) for model in models]
            right[steps][kind] = np.array(found)
    return right


def chart_of_cuts(cut: Any, controls: Mapping[int, Mapping[str, Any]]) -> Any:
    """Return a chart of the points that each network loses, cut, and beside it each control's."""
    kinds = {"splines taken out": "change", "no splines, ever": "control_change"}
    across, drawn = np.arange(len(cut.networks)), {}
    for aside, (kind, name) in zip((-0.2, 0.0), kinds.items(), strict=True):
        changes = [getattr(one, name) for one in cut.networks]
        ends = np.array([(one.value, one.high, one.low) for one in changes]).T
        drawn[kind] = across + aside, *(-100 * ends)
    drawn["as large, none ever"] = across + 0.2, *[large_lost(cut, controls)] * 3
    places = [f"network {number}" for number in across]
    return barred(drawn, places, "points lost", ("nothing lost", 0.0))


def large_lost(cut: Any, controls: Mapping[int, Mapping[str, Any]], steps: int = STEPS[0]) -> Any:
    """Return how many points each control that is as large has less than the network itself."""
    return np.array([100 * one.before for one in cut.networks]) - controls[steps]["large"]


def large_behind(controls: Mapping[int, Mapping[str, Any]], steps: int) -> Any:
    """Return how many points each large control has less than the small one of its seed."""
    return controls[steps]["small"] - controls[steps]["large"]


def rows_of_large(cut: Any, controls: Mapping[int, Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return the rows of tutorial 12's page on its larger control, after few steps and many."""
    rows: list[tuple[str, ...]] = []
    for steps in STEPS:
        lost = large_lost(cut, controls, steps)
        mean, low, high = interval(large_behind(controls, steps))
        over = f"8 seeds, {steps:,} steps"
        rows += [
            ("…no splines, ever, as large", f"{lost.mean():.1f}", span(lost, ".1f"), over),
            (
                "…more than the small ones",
                f"{mean:.1f}",
                f"{low:.1f} to {high:.1f}, 95 % sure",
                over + ", these inputs",
            ),
        ]
    return [tuple(cell.replace("-", "−") for cell in row) for row in rows]


def covers(cut: Any) -> float:
    """Return in which share of pairs the interval of one network holds the change of the other."""
    changes = [one.change for one in cut.networks]
    return float(
        np.mean([a.low <= b.value <= a.high for a in changes for b in changes if a is not b])
    )


def points_lost(change: Any) -> str:
    """Write a change of a share as points that are lost, with its interval."""
    lost, low, high = (-100 * end for end in (change.value, change.high, change.low))
    return f"{lost:.1f} [{low:.1f}, {high:.1f}] points"


def about_cuts(cut: Any, controls: Mapping[int, Mapping[str, Any]]) -> Markdown:
    """Say how far one network's interval goes, and what replacing costs beside never having had."""
    first = cut.networks[0]
    losses = [-100 * one.change.value for one in cut.networks]
    guess = max(n for n, *_ in first.classes.values()) / first.images
    (few, many), beside = STEPS, cut.after_control
    lost, later = (large_lost(cut, controls, steps) for steps in STEPS)
    behind, behind_later = (large_behind(controls, steps) for steps in STEPS)
    turned = np.sign(behind.mean()) != np.sign(behind_later.mean())
    return say(
        f"Network 0 loses {points_lost(first.change)}, an interval for other inputs. The "
        f"{len(losses)} networks lose {span(losses, '.1f')}. The interval of one network covers "
        f"what another loses in {covers(cut):.0%} of the pairs.",
        f"Without splines from the start, networks lack {points_lost(cut.control_change)}; those "
        f"as large lack {lost.mean():.1f} ({span(lost, '.1f')}), seed by seed {in_words(behind)} "
        "more than the small ones on these inputs. (The first bracket is wider, as it is for other "
        "inputs, too.)",
        f"{'**That turns**' if turned else 'That stays'} with the steps: after {many:,}, not {few},"
        f" the large ones have {in_words(-behind_later)} points more than the small ones"
        + (", so eight seeds were sure of what held for one length of training." if turned else ".")
        + f" Beside the networks with splines they lack {later.mean():.1f} "
        f"({span(later, '.1f')}): "
        + which(
            later,
            "as many numbers alone do not make up for splines.",
            "as many numbers do better than splines.",
            "as many numbers may make up for splines.",
        ),
        "Taking splines out of a trained network costs "
        + f"{points_lost(beside)} more than never having any"
        + (": a cut overstates their worth." if beside.high < 0 else ", which may be none."),
        f"For scale: always saying the commoner answer would lose {100 * (cut.before - guess):.0f} "
        "points.",
    )


def share_of_deviation(model: Any, x: Tensor, y: Tensor) -> float:
    """Return the root mean square error, as a share of the standard deviation of y."""
    with torch.no_grad():
        return float((model(x) - y).square().mean().sqrt() / y.std())


def about_product(four_functions: float, mlp: float) -> Markdown:
    """Say who came nearer to a product of three, here and in twenty others."""
    nearer, other = ("four functions", "MLP")
    if mlp < four_functions:
        nearer, other = other, nearer
    twenty = recorded()["product"]
    times = int(np.less(twenty["four functions"], twenty["MLP"]).sum())
    learned = np.greater(twenty["R² of the worst logarithm"], 0.99).sum()
    few = ", too few to call them ahead" if 10 < times < 15 else ""  # a test of signs
    rows = [
        [name, f"{here:.2%}", f"{np.median(twenty[name]):.2%}", f"{max(twenty[name]):.1%}"]
        for name, here in (("four functions", four_functions), ("MLP", mlp))
    ]
    errors = table(["error on new points", "here", "median of twenty others", "worst"], rows)
    said = say(
        f"In this run the {nearer} came nearer than the {other}. In twenty others the four "
        f"functions came nearer {times} times{few}.",
        f"In {learned} of the twenty they had learned logarithms.",
    )
    return Markdown(f"{errors.data}\n\n{said.data}")


def about_curve(
    models: Mapping[str, nn.Module],
    errors: Mapping[str, float],
    losses: Mapping[str, Sequence[float]],
) -> Markdown:
    """Set errors on tutorial 2's curve beside those of twenty others, and say whose loss jumps."""
    twenty, lowered = recorded()["curve"], ", rate lowered"
    names = dict(zip(errors, models, strict=True))
    rows = [
        [
            name,
            kw.nn.count_parameters(models[name]),
            f"{errors[short]:.1%}",
            f"{np.median(twenty[name]):.1%} ({span(twenty[name], '.1%')})",
            f"{np.median(twenty[f'{name}{lowered}']):.1%}",
            f"{np.count_nonzero(twenty[f'{name}: jumps'])} of 20",
        ]
        for short, name in names.items()
    ]
    head = ["model", "parameters", "error here", "twenty others: median (range)"]
    means = table([*head, "with the rate lowered to 0: median", "loss jumps in"], rows)
    most = max(names, key=lambda short: np.mean(twenty[f"{names[short]}: jumps"]))
    jumped = in_words(twenty[f"{names[most]}: jumps"], ".0f")
    here = [
        f"{short}: {jumps(found)} {'times' if jumps(found) != 1 else 'time'}"
        for short, found in ((short, losses[name]) for short, name in names.items())
    ]
    nearest = [
        np.less(twenty[f"KAN{end}"], np.minimum(twenty[f"MLP{end}"], twenty[f"{LARGE}{end}"])).sum()
        for end in ("", lowered)
    ]
    larger = np.less(twenty[LARGE], twenty["MLP"]).sum()
    further = [
        "Lowering the rate leaves all three further off in the median: none had finished, so this "
        "is a race over 1,000 steps."
    ] * all(np.median(twenty[f"{name}{lowered}"]) > np.median(twenty[name]) for name in models)
    said = say(
        f"The {min(errors, key=lambda short: errors[short])} is nearest. In twenty others the KAN "
        f"is nearest {nearest[0]} times, and the large MLP is before the small one {larger} times.",
        f"Whose loss jumps, to more than twice its lowest? In the twenty most of all the {most}'s, "
        f"{jumped} times in 1,000 steps. Here {', '.join(here)}.",
        f"Is the KAN ahead because of these jumps? With a rate that falls to 0 from step 500 on, "
        f"the {most}'s loss jumps in {np.count_nonzero(twenty[f'{names[most]}{lowered}: jumps'])} "
        f"of 20, and the KAN is nearest {nearest[1]} times.",
        *further,
    )
    return Markdown(f"{means.data}\n\n{said.data}")


def made(grid_size: int, seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return one φ on a grid of so many intervals, and an optimizer for it."""
    torch.manual_seed(seed)
    phi = kw.nn.KANLinear(1, 1, grid_size=grid_size)
    model = nn.Sequential(OrderedDict(phi=phi))
    return model, torch.optim.Adam(model.parameters(), 0.02)


def further(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    f: Callable[[Tensor], Tensor],
    live: Any = None,
    steps: int = 250,
) -> list[float]:
    """Train on f some steps further, and return the loss at each, which `live` logs."""
    points, losses = torch.linspace(-1, 1, 201).unsqueeze(1), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (model(points) - f(points)).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if live is not None:
            live.log(loss=loss)
    return losses


def refined_at(
    pair: tuple[Any, torch.optim.Optimizer], grid_size: int, f: Callable[[Tensor], Tensor]
) -> tuple[float, float]:
    """Return by how much φ jumps when a copy is refined, and the error when one is not.

    The second copy makes as many steps on the old grid.
    """
    points = torch.linspace(-1, 1, 201).unsqueeze(1)
    (model, optimizer), stayed = copy.deepcopy(pair), copy.deepcopy(pair)
    with torch.no_grad():
        earlier = model(points)
        model.phi.refine(grid_size, optimizer=optimizer)
        jump = (model(points) - earlier).abs().max().item()
    return jump, math.sqrt(further(*stayed, f)[-1])


def rise_at(
    pair: tuple[Any, torch.optim.Optimizer],
    grid_size: int,
    rate: float,
    f: Callable[[Tensor], Tensor],
) -> float:
    """Return to how many times its value the loss rises after a copy is refined, at this rate."""
    model, optimizer = copy.deepcopy(pair)
    model.phi.refine(grid_size, optimizer=optimizer)
    optimizer.param_groups[0]["lr"] = rate
    losses = further(model, optimizer, f)
    return max(losses) / losses[0]


def lifted(one: Any, f: Callable[[Tensor], Tensor], hold_base: bool) -> nn.Module:
    """Return a copy of one φ that has learned to lie 1 above f on [0.8, 1]."""
    pupil, end = copy.deepcopy(one), torch.linspace(0.8, 1, 21)[:, None]
    pupil.phi.base_weight.requires_grad_(not hold_base)
    adam = torch.optim.Adam([p for p in pupil.phi.parameters() if p.requires_grad], 0.05)
    for _ in range(50):
        adam.zero_grad()
        (pupil(end) - f(end) - 1).square().mean().backward()
        adam.step()
    trained: nn.Module = pupil
    return trained


def errors_with_base(activation: str, seed: int, steps: int = 250) -> list[float]:
    """Train a KAN of shape 2→5→5→1 with this base, or "none", and return its error at each step.

    It learns exp(sin πx + y²); an error is a share of that function's standard deviation.
    """
    torch.manual_seed(seed)
    shape = ((2, 5), (5, 5), (5, 1))
    layers = [kw.nn.KANLinear(a, b) for a, b in shape]
    for layer in layers:
        layer.base_activation = "silu" if activation == "none" else activation
        if activation == "none":
            nn.init.zeros_(layer.base_weight).requires_grad_(False)
    net, xy = nn.Sequential(*layers), 2 * torch.rand(200, 2) - 1
    z = torch.exp(torch.sin(torch.pi * xy[:, :1]) + xy[:, 1:] ** 2)
    adam, errors = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], 1e-2), []
    for _ in range(steps):
        adam.zero_grad()
        loss = (net(xy) - z).square().mean()
        loss.backward()
        adam.step()
        errors.append((loss / z.var()).sqrt().item())
    return errors


def about_bases(here: Mapping[str, tuple[float, float]]) -> Markdown:
    """Set errors after 50 and 250 steps beside those of twenty others, and say what a base does."""
    twenty = recorded()["base"]
    rows = [
        [
            name,
            *(f"{error:.3f}" for error in errors),
            *(in_words(twenty[f"{name}: {when}"], ".3f") for when in ("early", "late")),
        ]
        for name, errors in here.items()
    ]
    head = ["base", "50 steps", "250 steps", "50 steps, twenty others", "250 steps, twenty others"]

    def behind(one: str, other: str, when: str = "late") -> Any:
        return np.subtract(twenty[f"{one}: {when}"], twenty[f"{other}: {when}"])

    def often(gap: Any) -> str:  # a test of signs: of 6 to 14 of twenty nothing follows
        times = (gap > 0).sum()
        return f"in {times} of twenty" + (", which settles nothing" if 5 < times < 15 else "")

    early, late = behind("none", "silu", "early"), behind("none", "silu")
    relu, tanh = behind("relu", "silu"), behind("tanh", "none")
    share = 100 * relu / np.mean(twenty["silu: late"])
    said = say(
        f"The base pays at the start: without it the error is larger by {in_words(early, '.2f')} "
        f"after 50 steps ({often(early)}), and by {in_words(late, '.3f')} after 250 "
        f"({often(late)}).",
        f"ReLU ends behind SiLU by {in_words(share, '.0f')} %, {often(relu)}.",
        f"Tanh ends behind *no base at all* by {in_words(tanh, '.3f')}, {often(tanh)}.",
    )
    return Markdown(f"{table(head, rows).data}\n\n{said.data}")


def nearest_family(
    errors: Mapping[str, Mapping[str, Sequence[float]]], counts: Sequence[int]
) -> Markdown:
    """Show for each target and each number of terms which family errs least."""
    rows = []
    for target, families in errors.items():
        nearest = [min(families, key=lambda one: families[one][k]) for k in range(len(counts))]
        rows.append([target, *nearest])
    return table(["nearest, of so many terms", *counts], rows)


def about_helped_families(
    errors: Mapping[str, Mapping[str, Sequence[float]]],
    counts: Sequence[int],
    polynomials: Mapping[str, float],
    wider: Mapping[int, float],
) -> Markdown:
    """Say what wider bumps and polynomials without tanh change, and how slowly a kink is met."""

    def times(before: float, after: float) -> str:
        ratio = max(before, after) / min(before, after)
        said = f"{float(f'{ratio:.1g}'):,.0f}" if ratio >= 10 else f"{ratio:.1f}"
        return f"{said} times {'smaller' if after < before else 'larger'}"

    of_tanh = {target: found["Chebyshev"][counts.index(17)] for target, found in errors.items()}
    changed = [f"{times(of_tanh[of], polynomials[of])} for the {of}" for of in errors]
    fall = {
        target: {family: row[counts.index(17)] / row[-1] for family, row in errors[target].items()}
        for target in ("wave", "kink")
    }
    kink = fall["kink"].values()
    by, most = max((by, family) for family, by in fall["wave"].items())
    return say(
        f"With {counts[-1]} bumps 1.5 times as wide as their distance the error for the wave is "
        f"{times(errors['wave']['RBF'][-1], wider[counts[-1]])}.",
        f"With 17 polynomials of x itself the error is {listed(changed)}.",
        f"From 17 terms to {counts[-1]} the error for the kink falls to between "
        f"1/{max(kink):.1f} and 1/{min(kink):.1f}, that for the wave to as little as "
        f"1/{float(f'{by:.1g}'):,.0f} ({most}).",
    )


def moving_lines(
    models: Mapping[str, nn.Module], x: Tensor, y: Tensor
) -> tuple[Any, Callable[[Any], None]]:
    """Return a chart of what each model makes of x, and what draws its lines anew.

    The wide grey line is y; the colours are those of `kw.Compare`.
    """

    def fits() -> dict[str, tuple[Tensor, Tensor]]:
        with torch.no_grad():
            return {name: (x, model(x)) for name, model in models.items()}

    def redraw(run: Any) -> None:
        for line, (_, found) in zip(figure.marks[1:], fits().values(), strict=True):
            line.y = found.numpy().ravel()

    figure = kw.figures.lines({"target": (x, y)} | fits(), x="x", y="y", behind=["target"])
    for number, line in enumerate(figure.marks[1:], 2):
        line.colors = [kw.figures.colours.curve_colour(number)]
    return figure, redraw


def errors_of(
    families: Callable[[int], Mapping[str, Any]],
    counts: Sequence[int],
    f: Callable[[Tensor], Tensor],
) -> dict[str, list[float]]:
    """Return for each family of bases `error_of` its fits to f, by the number of terms."""
    found: dict[str, list[float]] = {}
    for count in counts:
        for family, basis in families(count).items():
            found.setdefault(family, []).append(error_of(fitted(basis, f), f))
    return found


def share_without_slope(layer: nn.Module, x: Tensor) -> float:
    """Return of which share of inputs the answer does not depend at all."""
    inputs = x.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(layer(inputs).sum(), inputs)
    return float((slopes.abs() < 1e-9).float().mean())
