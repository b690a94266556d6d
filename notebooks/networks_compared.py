"""What tutorials 7 and 7b train, draw and say: networks side by side, and layer after layer.

Beside the reader's own run stand the twenty of ``networks.json``.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from IPython.display import Markdown
from lesson import barred, dots, in_words, interval, listed, recorded, say, span, table, which
from PIL import Image, ImageDraw
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.functions import LayerFunctions

MEASURES = ("bend", "turns", "line", "silu", "variation", "curvature")
TOGETHER = "all together"
PARTS = OF_BASES, OF_SPLINES, OF_MATCHING = (
    "the bases",
    "a layer's own splines",
    "which function has which",
)
VARIANTS = "as built", "one size"
LEADS = "more complex", "less complex", "open"
RISES = {
    "first convolution to second": "convs.0 to convs.1",
    "second to third": "convs.1 to convs.2",
    "third to dense layer": "convs.2 to linear",
}


def three(records: Mapping[str, Mapping[str, Any]], test_digits: int) -> Markdown:
    """Set the three networks of tutorial 7 beside each other, and say who is ahead in twenty."""
    rows = []
    for name, record in records.items():
        right = record["eval_accuracy"]
        beside = record["seconds_per_step"] / records["CNN"]["seconds_per_step"]
        error = standard_error(right, test_digits)
        rows.append([name, f"{record['parameters']:,}", f"{right:.1%}", f"{error:.1%}"])
        rows[-1] += [in_words(recorded()["three"][name], ".1%"), f"{beside:.1f}"]
    head = ["", "parameters", "right, here", "standard error", "right, twenty others"]
    means = table([*head, "a step here, CNN = 1"], rows)
    ahead = 100 * np.subtract(recorded()["three"]["CNN"], recorded()["three"]["KAN-CNN"])
    steps = {name: record["seconds_per_step"] for name, record in records.items()}
    cnn = steps["CNN"]
    verdict = "The CNN is ahead", "The KAN-CNN is ahead", "Neither is shown to be ahead"
    told = say(
        f"{which(ahead, *verdict)} over seeds, on these digits: the CNN has "
        f"{in_words(ahead, '.2f')} points more in the mean of twenty runs at this one rate, and is "
        f"ahead in {(ahead > 0).sum()} of them.",
        f"For one step of the CNN the MLP makes {cnn / steps['MLP']:.0f} and the KAN-CNN "
        f"{cnn / steps['KAN-CNN']:.1f}, on this machine: as many numbers are not as much work. A "
        "number of a kernel is used at every place of the digit, a number of the MLP once. (The "
        "KAN-CNN pays for its functions with fewer channels.)",
    )
    return Markdown(f"{means.data}\n\n{told.data}")


def standard_error(share: float, of: int) -> float:
    """Return how far a share of some digits is off by the chance of which digits they are."""
    return float(np.sqrt(share * (1 - share) / of))


def mlps(d: int, numbers: int) -> dict[str, nn.Module]:
    """Return MLPs of ReLU from d variables to one, of about so many numbers.

    One has one hidden layer, the other two of one width.
    """
    one = (numbers - 1) // (d + 2)
    two = round((np.sqrt((d + 3) ** 2 + 4 * numbers) - d - 3) / 2)
    shallow = nn.Linear(d, one), nn.ReLU(), nn.Linear(one, 1)
    deep = nn.Linear(d, two), nn.ReLU(), nn.Linear(two, two), nn.ReLU(), nn.Linear(two, 1)
    return {"MLP": nn.Sequential(*shallow), "MLP of two layers": nn.Sequential(*deep)}


def sizes(networks: Mapping[int, Mapping[str, nn.Module]]) -> Markdown:
    """Say how many numbers each network has, by number of variables."""
    kinds = next(iter(networks.values()))
    rows = [
        [kind, *(f"{kw.nn.count_parameters(of[kind]):,}" for of in networks.values())]
        for kind in kinds
    ]
    return table(["numbers to train, by variables", *networks], rows)


def left_over(network: nn.Module, x: Tensor, y: Tensor, seed: int, adam: Any = None) -> float:
    """Train on the first 2,000 points; return the share of the variance left of the others.

    300 steps of 128 points, by Adam, whose rate falls from 0.02 to 0 along a cosine. `y` has a
    mean of 0 and a variance of 1.
    """
    adam = adam or torch.optim.Adam(network.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 300)
    for batch in torch.randint(2000, (300, 128), generator=torch.Generator().manual_seed(seed)):
        adam.zero_grad()
        (network(x[batch]).squeeze(1) - y[batch]).square().mean().backward()
        adam.step()
        schedule.step()
    with torch.no_grad():
        return float((network(x[2000:]).squeeze(1) - y[2000:]).square().mean())


def maps(functions: Mapping[str, Callable[[Tensor], Tensor]]) -> Image.Image:
    """Return functions of two variables side by side, in twelve steps from low to high."""
    across = torch.linspace(-1, 1, 240)
    points = torch.cartesian_prod(-across, across).flip(1)  # (x₁, x₂), x₂ upwards
    picture = Image.new("L", (260 * len(functions), 264), 255)
    for place, (name, function) in enumerate(functions.items()):
        grid = function(points).view(240, 240)
        share = (grid - grid.min()) / (grid.max() - grid.min())
        shown = 255 * (12 * share).floor().clamp(max=11) / 11
        picture.paste(Image.fromarray(shown.byte().numpy()), (260 * place, 20))
        ImageDraw.Draw(picture).text((260 * place, 4), name, fill=0)
    return picture


def sines(network: nn.Module) -> int:
    """Return how many functions of the first layer are a·sin(πx) + c, by R² of 0.95 at least."""
    x = torch.linspace(-1, 1, 201)
    phi = kw.functions.read(network)[0].evaluate(x).flatten(0, -2).numpy()
    with_sine = np.corrcoef(phi, np.sin(np.pi * x.numpy()))[-1, :-1]
    return int((with_sine**2 >= 0.95).sum())


def about_sines(found: Mapping[str, int]) -> Markdown:
    """Say how many of tutorial 7's sixteen functions became sines, here and in twenty others."""
    twenty = recorded()["curse"]
    others = {
        name: f"{in_words(of)} in twenty others ({span(of, '.0f')})"
        if np.any(of := twenty[f"sines, {name}"])
        else "none in twenty others"
        for name in found
    }
    return say(
        "A sine is what a·sin(πx) + c explains by 95 % at least (R²).",
        *(
            f"Of 16 functions that learned the {name} {count} are sines here, {others[name]}."
            for name, count in found.items()
        ),
    )


class Errors:
    """Two charts of tutorial 7, of the share of the variance left: a line for each network.

    Lines begin at 1, the error of always answering the mean. A band holds those of twenty other
    seeds.
    """

    FUNCTIONS = "exp of a sum", "folds"
    KINDS = "KAN", "MLP", "MLP of two layers"
    TICKS = 0.001, 0.01, 0.1, 0.5, 1.0

    def __init__(self, dimensions: Sequence[int]) -> None:
        twenty, self.dimensions = recorded()["curse"], [*dimensions]
        self.charts, self.left, self._lines = {}, {}, {}
        for name in self.FUNCTIONS:
            for kind in self.KINDS:
                self.left[name, kind] = np.ones(len(dimensions))
            chart = kw.figures.lines(
                {kind: (self.dimensions, self.left[name, kind]) for kind in self.KINDS},
                x=f"variables of the {name}",
                y="share of the variance left",
                log="xy",
            )
            own, others = chart.marks, []
            for line, number in zip(own, (2, 4, 5), strict=True):
                line.colors = [kw.figures.colours.curve_colour(number)]  # those of `kw.Compare`
            for kind, line in zip(self.KINDS, own, strict=True):
                self._lines[name, kind] = line
                errors = [twenty[f"{name}, {kind}, {d}"] for d in dimensions]
                pale = type(line)(  # bqplot's, which is not to be imported before there is a chart
                    x=self.dimensions,
                    y=np.array([np.min(errors, 1), np.max(errors, 1)]),
                    scales=line.scales,
                    colors=line.colors * 2,
                    opacities=[0.3, 0.3],
                    stroke_width=1,
                    fill="between",
                    fill_colors=line.colors,
                    fill_opacities=[0.15],
                )
                others.append(pale)
            chart.marks = [*others, *own]
            chart.axes[0].tick_values = self.dimensions
            own[0].scales["y"].max = 1.0
            chart.axes[1].tick_values = np.array(self.TICKS)
            self.charts[name] = chart

    def put(self, name: str, kind: str, d: int, error: float) -> None:
        """Move a line to an error."""
        self.left[name, kind][self.dimensions.index(d)] = error
        self._lines[name, kind].y = self.left[name, kind].copy()
        # A line that moves makes its chart choose ticks anew: without 1, where lines begin.
        self.charts[name].axes[1].tick_values = np.array(self.TICKS)


def curse(dimensions: Sequence[int], with_sixteen: Mapping[str, float]) -> Markdown:
    """Say how often the KAN came nearer in tutorial 7's twenty others, and with 16 units."""
    twenty = {name: np.array(values) for name, values in recorded()["curse"].items()}
    functions, mlps = Errors.FUNCTIONS, ("MLP", "MLP of two layers", "MLP of SiLU")
    names = "the MLP", "the MLP of two layers", "the MLP of SiLU"

    def nearer(function: str, mlp: str) -> list[int]:
        """Count the runs in which the KAN comes nearer, by number of variables."""
        kan, other = (
            np.array([twenty[f"{function}, {kind}, {d}"] for d in dimensions])
            for kind in ("KAN", mlp)
        )
        return [*map(int, (kan < other).sum(1))]

    def left(kind: str, form: str) -> str:
        """Say between which means a network's errors on the first function lie."""
        return span([twenty[f"{functions[0]}, {kind}, {d}"].mean() for d in dimensions], form)

    counts = table(
        ["of twenty other runs the KAN is nearer in, by number of variables", *dimensions],
        [
            [f"{of}, than {name}", *nearer(of, mlp)]
            for of in functions
            for name, mlp in zip(names, mlps, strict=True)
        ],
    )
    wide = {kind: twenty[f"folds, {kind}, 16, as large as 16 units"] for kind in Errors.KINDS}
    corner = [
        str((twenty[f"folds, MLP, {d}"] < twenty[f"folds, MLP of SiLU, {d}"]).sum())
        for d in dimensions
    ]
    with_four = twenty["folds, KAN, 16"] - twenty["folds, MLP, 16"]
    told = say(
        "Of the variance of the exp of a sum, in the mean, "
        + listed(
            [f"{name} leaves {left(mlp, '.2f')}" for name, mlp in zip(names, mlps, strict=True)]
        )
        + f", where the KAN leaves {left('KAN', '.3f')}.",
        f"With sixteen units the MLP is nearer on the folds {(wide['KAN'] > wide['MLP']).sum()} "
        f"times of twenty, by {in_words(wide['KAN'] - wide['MLP'], '.2f')} of the variance instead "
        f"of {in_words(with_four, '.2f')} with four.",
        f"Of the MLPs, that of ReLU is nearer on the folds than that of SiLU {listed(corner)} "
        f"times of twenty, in {listed([*map(str, dimensions)])} variables.",
    )
    many = table(
        [
            "left of the folds in 16 variables",
            "all as large as a KAN of 4 units, twenty others",
            "of 16, here",
            "of 16, twenty others",
        ],
        [
            [
                kind,
                in_words(twenty[f"folds, {kind}, 16"], ".2f"),
                *(
                    (f"{with_sixteen[kind]:.2f}", in_words(wide[kind], ".2f"))
                    if kind in wide
                    else ("not trained", "")
                ),
            ]
            for kind in ("KAN", *mlps)
        ],
    )
    return Markdown(f"{counts.data}\n\n{many.data}\n\n{told.data}")


def dealt(
    layers: Sequence[LayerFunctions], seed: int, *, within: bool = False
) -> list[LayerFunctions]:
    """Deal the splines of layers at random among all their functions, or within each layer.

    Each function keeps its base. The layers must have one grid: their coefficients are
    (…, 1 + splines), the base's first.
    """
    draw = torch.Generator().manual_seed(seed)
    flat = [layer.coefficients.flatten(0, -2) for layer in layers]
    every, sizes = torch.cat(flat), [*map(len, flat)]
    places = torch.arange(len(every)).split(sizes if within else [len(every)])
    order = torch.cat([some[torch.randperm(len(some), generator=draw)] for some in places])
    every = torch.cat([every[:, :1], every[order, 1:]], 1)
    return [
        dataclasses.replace(layer, coefficients=part.view_as(layer.coefficients))
        for layer, part in zip(layers, every.split(sizes), strict=True)
    ]


def later_more(layers: Sequence[LayerFunctions]) -> dict[str, float]:
    """Return in how many of 100 pairs of functions, one of each layer, the later is more complex.

    For each layer and the next, by each measure; 50 is no difference.
    """
    found = [(layer.name, kw.insight.complexity(layer)) for layer in layers]
    shares = {}
    for (earlier, one), (later, other) in itertools.pairwise(found):
        for measure in MEASURES:
            sign = -1 if measure in ("line", "silu") else 1  # an R² is less, the more complex
            first, second = (sign * getattr(of, measure) for of in (one, other))
            above, level = (compare(second[:, None], first) for compare in (np.greater, np.equal))
            share = np.mean(above + level / 2)  # a tie counts half
            shares[f"{measure}, {earlier} to {later}"] = 100 * float(share)
    return shares


def three_known() -> tuple[nn.Module, dict[str, str]]:
    """Return a layer whose three φ on [−3, 3] are a line, a parabola and SiLU, and their names."""
    known = kw.nn.KANLinear(1, 3, grid_range=(-3, 3), grid_size=30)
    x = torch.linspace(-3, 3, 400, dtype=torch.float64)
    shapes = {"2·x": 2 * x, "x²": x**2, "SiLU(x)": nn.functional.silu(x)}
    with torch.no_grad():
        known.base_weight.zero_()
        splines = known.basis.expand(x)
        fits = torch.linalg.lstsq(splines, torch.stack([*shapes.values()], 1)).solution
        known.spline_weight[:, 0] = fits.T
    return known, {f"output {k}": name for k, name in enumerate(shapes)}


class ThreeKernels(nn.Module):
    """The first three kernels of a convolution that is trained elsewhere: only to be seen."""

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, x: Tensor) -> Tensor:
        """Compute the first three channels, (n, 3, h, w)."""
        return self.convolution(x)[:, :3]


def _first_three(kernels: ThreeKernels) -> LayerFunctions:
    (found,) = kw.functions.read(kernels.convolution)
    return dataclasses.replace(found, coefficients=found.coefficients[:3], name="")


kw.functions.register_adapter(ThreeKernels, _first_three)


def three_kernels(name: str, network: Any) -> nn.Module:
    """Return three kernels of a network's first convolution, as a model with one layer."""
    return nn.Sequential(OrderedDict({name: ThreeKernels(network.convs[0])}))


def quartiles(pairs: Sequence[Mapping[str, nn.Module]]) -> dict[tuple[str, str, str], list[Any]]:
    """Return the 25, 50 and 75 % points of each layer's functions in tutorial 7b, by seed.

    By variant, layer and measure; "bend within ±2" is that on the middle of the grid.
    """
    found: dict[tuple[str, str, str], list[Any]] = {}
    for networks in pairs:
        for name, model in networks.items():
            for functions in kw.functions.read(model):
                whole = kw.insight.complexity(functions)
                central = kw.insight.complexity(functions, interval=(-2, 2))
                values = {measure: getattr(whole, measure) for measure in MEASURES}
                values["bend within ±2"] = central.bend
                for measure, value in values.items():
                    key = name.split(",")[0], functions.name, measure
                    found.setdefault(key, []).append(np.nanpercentile(value, (25, 50, 75)))
    return found


def _shape(x: Tensor, phi: Tensor) -> tuple[Tensor, Tensor]:
    """Return φ at x from 0 to 1, turned round if it falls, so that shape alone is left."""
    phi = phi if phi[-1] > phi[0] else -phi
    return x, (phi - phi.min()) / (phi.max() - phi.min())


def _middle(functions: LayerFunctions) -> tuple[int, Any]:
    """Return which function of a layer has the median bend, and the bends of all."""
    bend = kw.insight.complexity(functions).bend.ravel()
    return int(np.nanargmin(abs(bend - np.nanmedian(bend)))), bend


def typical(network: nn.Module) -> Any:
    """Return a chart of the function of each layer whose bend is the median, over SiLU."""
    x = torch.linspace(-3, 3, 301)
    start = "SiLU, the start"
    curves = {start: _shape(x, nn.functional.silu(x))}
    for functions in kw.functions.read(network):
        chosen, bend = _middle(functions)
        phi = functions.evaluate(x).flatten(0, -2)[chosen]
        curves[f"{functions.name}, {bend[chosen]:.1f}"] = _shape(x, phi)
    return kw.figures.lines(curves, x="x", y="φ, scaled", behind=[start])


def one_pair(network: nn.Module, seed: int) -> tuple[Any, Markdown]:
    """Return a chart of a function of each of two layers, with splines as trained and as dealt.

    They are those of the median bend. Then in words which of the two is the more bent.
    """
    x = torch.linspace(-3, 3, 301)
    layers = kw.functions.read(network)
    chosen = [_middle(layer)[0] for layer in layers[:2]]
    curves, told = {}, []
    for how, of in (("as trained", layers), ("dealt", dealt(layers, seed))):
        bends = []
        for layer, k in zip(of[:2], chosen, strict=True):
            bends.append(float(kw.insight.complexity(layer).bend.flat[k]))
            curves[f"{layer.name}, {how}: {bends[-1]:.1f}"] = _shape(
                x, layer.evaluate(x).flatten(0, -2)[k]
            )
        later = bends[1] > bends[0]
        told.append((later, f"{max(bends):.1f} to {min(bends):.1f}"))
    chart = kw.figures.lines(curves, x="x", y="φ, scaled")
    for solid, line in zip(chart.marks, chart.marks[2:], strict=False):
        line.colors, line.line_style = solid.colors, "dashed"
    (trained, before), (then, after) = told
    names = {True: "the later", False: "the earlier"}
    now = f"{names[then]} {'still' if then == trained else 'now'} is"
    return chart, say(
        f"Of this pair {names[trained]} is the more bent, {before}. With dealt splines {now}, "
        f"{after}."
    )


def bends(of: Mapping[tuple[str, str, str], Sequence[Any]], bend_of_silu: float) -> Any:
    """Return a chart of `quartiles` of bend by layer: a dot and a line for each seed."""
    layers = [*dict.fromkeys(layer for _, layer, _ in of)]
    drawn = {}
    for variant, aside in (("as built", -0.2), ("one size", 0.2)):
        points = np.array([of[variant, layer, "bend"] for layer in layers])
        low, middle, high = points.reshape(-1, 3).T
        seeds = 0.08 * (np.arange(points.shape[1]) - (points.shape[1] - 1) / 2)
        drawn[variant] = (
            np.add.outer(np.arange(len(layers)), aside + seeds).ravel(),
            middle,
            low,
            high,
        )
    return barred(drawn, layers, "bend", ("SiLU, the start", bend_of_silu))


def times_as_bent() -> Any:
    """Return a chart of the twenty pairs: how many times as bent a layer is as the one before."""
    pair = recorded()["pair"]
    steps = [step.split(" to ") for step in RISES.values()]
    kinds = {
        variant: {
            f"{later} ÷ {earlier}": np.divide(
                *(pair[f"{variant}: bend of {layer}"] for layer in (later, earlier))
            )
            for earlier, later in steps
        }
        for variant in ("as built", "one size")
    }
    return dots(kinds, y="times as bent", level=("equally bent", 1.0))


def of_longer(variant: str, later: str, earlier: str, when: str = "") -> Any:
    """Return how many times as bent a layer is as another in the ten longer trainings."""
    found = recorded()["longer pair"]
    return np.divide(*(found[f"{variant}{when}: bend of {layer}"] for layer in (later, earlier)))


def chart_of_longer() -> Any:
    """Return a chart as `times_as_bent`, of the convolutions after 945 steps."""
    names = {
        "as built": "as built",
        "one size": "one size",
        "shuffled": "one size, shuffled labels",
    }
    steps = [step.split(" to ") for step in [*RISES.values()][:2]]
    kinds = {
        name: {
            f"{later} ÷ {earlier}": of_longer(variant, later, earlier) for earlier, later in steps
        }
        for variant, name in names.items()
    }
    return dots(kinds, y="times as bent, 945 steps", level=("equally bent", 1.0))


def longer() -> Markdown:
    """Say what 945 steps make of the first rise, and what shuffled labels make of it."""
    variants = {"as built": "as built", "one size": "one size", "shuffled": "one size, shuffled"}
    rises = [rise.split(" to ") for rise in [*RISES.values()][:2]]
    found = {v: [of_longer(v, later, earlier) for earlier, later in rises] for v in variants}
    rows = [[name, *(in_words(of, ".2f") for of in found[v])] for v, name in variants.items()]
    means = table(["times as bent, 945 steps", "second ÷ first", "third ÷ second"], rows)
    built, alike = found["as built"][0], found["one size"][0]
    early = of_longer("one size", "convs.1", "convs.0", ", early")
    learned = recorded()["longer pair"]["shuffled: fitted"]
    told = say(
        which(
            alike - early,
            "**With one size the second convolution becomes more bent than the first, too**",
            "**With one size the second convolution becomes less bent than it was**",
            "**With one size nothing is seen to change**",
        )
        + f": after 126 steps these {len(alike)} had {in_words(early, '.2f')}.",
        which(
            built - alike,
            "**The size at the start still counts**",
            "**The size at the start counts the other way**",
            "**The size at the start is not seen to count any more**",
        )
        + f": as built that rise is larger, by {in_words(built - alike, '.2f')}.",
        which(
            np.minimum(*found["shuffled"]) - 1,
            "**Shuffled labels bend later convolutions more as well**",
            "**Shuffled labels turn the order round**",
            "**With shuffled labels the order is not seen**",
        )
        + f". (Of these labels a network has learned {np.mean(learned):.0%}: it also fits less.)",
    )
    return Markdown(f"{means.data}\n\n{told.data}")


def parts(variant: str, measure: str, step: str) -> dict[str, Any]:
    """Return by how much over 50 of 100 pairs the later is the more complex, and three parts of it.

    By dealing (see `dealt`), for each of the twenty; the parts add up to what is over 50.
    """
    pair, layers = recorded()["pair"], RISES[step]
    trained, within, among = (
        np.array(pair[f"{variant}{how}: {measure}, {layers}"])
        for how in ("", ", dealt within layers", ", dealt")
    )
    return {
        TOGETHER: trained - 50,
        OF_BASES: among - 50,
        OF_SPLINES: within - among,
        OF_MATCHING: trained - within,
    }


def parts_of_bend(variant: str) -> Any:
    """Return a chart of `parts` by bend at each of `RISES`: means of the twenty, with intervals."""
    found = [parts(variant, "bend", step) for step in RISES]
    drawn = {}
    for number, part in enumerate(found[0]):
        across = np.arange(len(RISES)) + 0.18 * (number - 1.5)
        drawn[part] = across, *np.transpose([interval(of[part]) for of in found])
    places = [layers.replace(" to ", " → ") for layers in RISES.values()]
    y = f"{variant}: pairs of 100 beyond 50"
    figure = barred(drawn, places, y, ("no difference", 0.0))
    every = [parts(one, "bend", step)[TOGETHER] for one in VARIANTS for step in RISES]
    scale = figure.axes[1].scale
    scale.min, scale.max = float(np.min(every)) - 3, float(np.max(every)) + 3
    return figure


def largest(of: Mapping[str, Any]) -> str:
    """Say which of some parts is larger than each other one, if one is, and what comes near."""
    signs = {part: np.sign(np.mean(values)) for part, values in of.items()}
    *_, second, first = sorted(of, key=lambda part: abs(np.mean(of[part])))
    lead = signs[first] * of[first] - signs[second] * of[second]

    def added(part: str) -> str:
        sign = "+" if signs[part] > 0 else ""
        return f"{part}, {sign}{in_words(of[part])}"

    most = f"**{first}**" + added(first).removeprefix(first)
    if 2 * abs(np.mean(of[second])) > abs(np.mean(of[first])):
        most += f"; then {added(second)}"
    return which(lead, most, "", "no part is the largest")


def about_parts() -> Markdown:
    """Say of each of `RISES` which of its `parts` is the largest, and what other measures say.

    Of the first in a sentence, of all in a table that is folded away.
    """
    rows, more, less = [], [], 0
    for rise in RISES:
        found = [parts(variant, "bend", rise) for variant in VARIANTS]
        said = [largest({part: of[part] for part in PARTS}) for of in found]
        leads = [
            which(parts("one size", measure, rise)[OF_SPLINES], *LEADS) for measure in MEASURES
        ]
        rows.append([rise, *said])
        more.append(str(leads.count(LEADS[0])))
        less += leads.count(LEADS[1])
    first, *_ = RISES
    bases = [parts(variant, "bend", first)[OF_BASES] for variant in VARIANTS]
    built, alike = map(abs, bases)
    built_part, alike_part = rows[0][1:3]
    told = say(
        f"Of the first rise the largest part, of 100 pairs, is {built_part} as built, and "
        f"{alike_part} with one size.",
        "**In the first rise "
        + which(
            built - alike,
            "the bases count less with one size**",
            "the bases count more with one size**",
            "the bases count as much with one size**",
        )
        + f": {in_words(bases[0])} of 100 pairs as built, {in_words(bases[1])} with one size.",
    )
    last = (
        f"With one size, by {listed(more)} of the six measures at the top of this page a layer's "
        "own splines make the later functions the more complex, in the order of the rises. "
    ) + (f"In {less} cases they make them less so." if less else "By the others it is open.")
    return Markdown(
        f"{told.data}\n\n<details><summary>The later rises, and other measures</summary>\n\n"
        f"{table(['largest part, of 100 pairs', *VARIANTS], rows).data}\n\n{last}\n\n</details>"
    )


def depth() -> Markdown:
    """Say whether bend grows with depth in the twenty recorded pairs of tutorial 7b."""
    pair = recorded()["pair"]

    def times(variant: str, later: str, earlier: str) -> Any:
        found = [pair[f"{variant}: bend of {layer}"] for layer in (later, earlier)]
        return np.divide(*found)

    first, second = times("as built", "convs.1", "convs.0"), times("as built", "convs.2", "convs.1")
    alike, still = times("one size", "convs.1", "convs.0"), times("one size", "convs.2", "convs.1")
    last = times("as built", "linear", "convs.2")
    grows = min(interval(first)[1], interval(second)[1]) > 1
    return say(
        f"**As built, bend {'grows' if grows else 'does not grow'} from each convolution to the "
        f"next.** The second is {in_words(first, '.2f')} times as bent as the first. The third is "
        f"{in_words(second, '.2f')} times as bent as the second.",
        which(
            (first - 1) / 2 - (alike - 1),
            "**The first rise is mostly the size at the start.**",
            "**The first rise stays.**",
            "**How much of the first rise is an artefact is open.**",
        )
        + f" With one size at the start the second is {in_words(alike, '.2f')} times as bent as the"
        f" first, a difference of {in_words(first - alike, '.2f')} (20 pairs). Only the size at "
        "which the first functions began had changed.",
        which(
            still - 1,
            "**The second rise stays**",
            "**The second rise turns round**",
            "**The second rise goes**",
        )
        + f": with one size, too, the third is {in_words(still, '.2f')} times as bent.",
        which(
            last - 1,
            "**It goes on to the last layer**",
            "**It is no law of depth**",
            "**It ends with the convolutions**",
        )
        + f": the dense layer is {in_words(last, '.2f')} times as bent as the third convolution.",
    )


def beside_depth() -> Markdown:
    """Say by what else layers differ in the twenty pairs, and how functions of one layer do."""
    pair = recorded()["pair"]
    layers = ("convs.0", "convs.1", "convs.2", "linear")

    def each(variant: str, measure: str) -> Any:
        """Return a measure as layers by networks."""
        return np.array([pair[f"{variant}: {measure} of {layer}"] for layer in layers])

    def most_varied(variant: str) -> str:
        found = each(variant, "variation")
        *_, second, most = np.argsort(found.mean(1))
        times = f"{np.sum(found.argmax(0) == most)} of {found.shape[1]}"
        named = f"is {layers[most]} (in {times})"
        return which(found[most] - found[second], named, "", "is not settled")

    bend, halves = each("as built", "bend"), each("as built", "middle half")
    apart = np.ptp(bend, axis=0)
    closer = [
        name
        for name, half in zip(layers, halves, strict=True)
        if which(half - apart, "more", "less", "")
        not in (which(halves.mean(0) - apart, "more", "less", ""), "")
    ]
    exception = f" (not in {listed(closer)})" if closer else ""
    return say(
        "**By total variation**, which depends on the size of φ, the most complicated layer "
        f"{most_varied('as built')} as built, and {most_varied('one size')} with one size.",
        "**Two functions of one layer differ "
        + which(
            halves.mean(0) - apart,
            "more than two layers do",
            "less than two layers do",
            "about as much as two layers do",
        )
        + f"{exception}:** as built, the middle half of a layer's functions spans in bend "
        + listed([f"{in_words(one)} in {name}" for name, one in zip(layers, halves, strict=True)])
        + f". The medians of the layers lie {in_words(apart)} apart.",
        "**How far from SiLU?** Even in the layer least like it, the typical function's R² with it "
        f"is {in_words(min(each('as built', 'silu'), key=np.mean), '.3f')}.",
    )
