"""Train the networks by which the tutorials' and the essay's sentences are judged.

``OMP_NUM_THREADS=1 python -m tests.notebooks.networks`` trains 20 of each kind (of those in
`SEEDS_OF`, which take longer, as many as it says), from seeds that no page uses, and writes what is
measured on them to ``notebooks/networks.json``: some hours on a machine that is not busy. Kinds of
networks can be named; those of the others stay in the file. The last, "one epoch" with splines and
without, need MNIST's training images and labels in ``data/MNIST/raw``, as torchvision unpacks them.
"""

from __future__ import annotations

import argparse
import copy
import functools
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, nll_loss

import kan_widgets as kw
from kan_widgets.digits import TRAIN, embedded, pixels
from tests.notebooks.execution import FOLDER, code_cells, has_seed, read, set_seed

sys.path.append(str(FOLDER))

import lesson
import networks_compared

SEEDS = range(1001, 1021)
SEEDS_OF = {"labels by heart": SEEDS[:6], "longer pair": SEEDS[:10]}
PASSES = 15  # 945 steps, about as many as the article's 938
EARLY, THREE_PASSES = 63, 189
MOST_PASSES = 60  # of digits with the labels of others, which are learned by heart
FITTED = 0.95
SECOND_PASSES = 6  # of the digits in grey ink
DEPTH = ("bend", "turns", "line", "silu", "variation", "curvature")
PRUNED_BELOW = (0, 0.005, 0.01, 0.02, 0.04, 0.08)  # of mean |φ|, as in tutorial 5

Row = dict[str, float]


@functools.cache
def digits() -> kw.data.Digits:
    """Return the digits that come with the package."""
    return kw.data.mnist("embedded")


def train(
    network: nn.Module,
    batches: Any,
    passes: int,
    visit: Callable[[int, nn.Module, float], bool | None] = lambda step, network, loss: None,
    rate: float = 1e-3,
) -> None:
    """Train with AdamW and tell of each step and its loss, until told that it is enough."""
    wanted = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(wanted, lr=rate)
    step = 0
    for _ in range(passes):
        for images, labels in batches:
            optimizer.zero_grad()
            loss = nll_loss(network(images), labels)
            loss.backward()
            optimizer.step()
            step += 1
            if visit(step, network, loss.item()):
                return


def of_article(seed: int, splines: bool) -> Row:
    """Train the article's network, fifteen passes through 4,000 digits."""
    batches, _ = digits().loaders(batch_size=64, seed=seed)
    return of_trained(seed, splines, batches, PASSES)


def of_one_epoch(seed: int, splines: bool) -> Row:
    """Train it once on MNIST's training digits but the thousand that judge, as the article did."""
    raw = FOLDER.parent / "data" / "MNIST" / "raw"
    images = np.fromfile(raw / "train-images-idx3-ubyte", np.uint8, offset=16).reshape(-1, 28, 28)
    labels = np.fromfile(raw / "train-labels-idx1-ubyte", np.uint8, offset=8)
    judging = {image.tobytes() for image in embedded()[0][TRAIN:]}
    seen = np.array([image.tobytes() not in judging for image in images])
    inputs, answers = torch.from_numpy(pixels(images[seen])), torch.from_numpy(labels[seen]).long()
    batches = drawn_batches(inputs, answers, 1, torch.Generator().manual_seed(seed))
    return of_trained(seed, splines, batches, 1) | {"digits": len(answers)}


def of_trained(seed: int, splines: bool, batches: Any, passes: int) -> Row:
    """Train the article's network and measure it at three times."""
    known = digits()
    images, labels, some = known.test_images, known.test_labels, known.test_images[:200]
    torch.manual_seed(seed)
    network = kw.nn.KANCNN.article()
    if not splines:
        lesson.never_splines(network)
    start, losses = copy.deepcopy(network), []
    passed: dict[int, Any] = {}

    def visit(step: int, network: nn.Module, loss: float) -> None:
        losses.append(loss)
        if step in (EARLY, THREE_PASSES):
            passed[step] = copy.deepcopy(network)

    train(network, batches, passes, visit)
    row: Row = {}
    for when, one in (("start", start), ("early", passed[EARLY]), ("end", network)):
        found = lesson.measured(one, images, labels) | lesson.of_dark(one, some)
        found |= {"lines": lesson.lines(one), "uprights": lesson.uprights(one)}
        found["hills"] = lesson.hills(one)
        for where, end in (("", 1.0), (", as drawn", lesson.DRAWN)):
            reach = lesson.reach(one, end)
            found[f"least reach{where}"] = reach.min()
            found[f"tenth reach{where}"] = reach[9]
            found[f"small for all{where}"] = lesson.small_for_all(one, end).sum()
        size, unlike = lesson.unlike_silu(one)
        found["range and unlikeness"] = lesson.ranks_together(size, unlike)
        two = kw.functions.read(one)[:2]
        for measure in DEPTH:
            found[f"later: {measure}"] = kw.insight.later_is_more_complex(two, measure).later
        row |= {f"{when}: {name}": float(value) for name, value in found.items()}
    way = [lesson.curves(one)[:5] for one in (start, passed[EARLY], passed[THREE_PASSES])]
    later, whole = ((way[2] - since).abs().amax(-1).mean() for since in (way[1], way[0]))
    row["moved after one pass of three"] = float(later / whole)
    row["loss"] = float(np.mean(losses))
    row["loss, first pass"] = float(np.mean(losses[:EARLY]))
    row["loss, last pass"] = float(np.mean(losses[-EARLY:]))
    row["right, moved"] = lesson.share_right(network, lesson.moved(images), labels)
    with torch.no_grad():
        nothing = network(torch.full_like(images[:1], -1.0)).exp()[0]
    row["empty, surest"], row["empty, class"] = float(nothing.max()), float(nothing.argmax())
    with torch.no_grad():
        row["loss, test digits"] = float(nll_loss(network(images), labels))
    row["functions enough"] = functions_enough(network)
    row |= of_readings(network, some)
    every_grey = 2 * torch.rand(some.shape, generator=torch.Generator().manual_seed(seed)) - 1
    row |= {f"{name}, every grey": r for name, r in of_readings(network, every_grey).items()}
    row["beyond the dense grid"] = float(
        kw.bind(network).observe(some)["linear"].outside_domain.mean()
    )
    phi, w = lesson.unlike_silu(network)[1][:45], network.convs[0].base_weight.detach()
    large = (w.abs().flatten() >= w.abs().median()).numpy()
    row["keep SiLU, large w"] = float((phi[large] <= 0.05).mean())
    row["keep SiLU, small w"] = float((phi[~large] <= 0.05).mean())
    sizes = lesson.sizes_of_splines(network)[:45]
    row["splines, large w"] = float(sizes[large].mean())
    row["splines, small w"] = float(sizes[~large].mean())
    return row


def of_readings(network: nn.Module, pictures: Tensor) -> Row:
    """Return how nine numbers stand for nine functions, for the worst and the best of five."""
    observed = kw.bind(network).observe(pictures)["convs.0"]
    first = kw.functions.read(network)[0]
    checks = kw.insight.check_pattern(first, observed)
    row: Row = {}
    for name, of in (("pattern", "binary"), ("greys", "graded"), ("linear", "linear")):
        found = [float(getattr(check, of)) for check in checks]
        row |= {f"{name}, worst": min(found), f"{name}, best": max(found)}
    return row


def of_patterns(seed: int) -> Row:
    """Train the networks of "article" again, and set wrong patterns beside their own."""
    batches, _ = digits().loaders(batch_size=64, seed=seed)
    torch.manual_seed(seed)
    network = kw.nn.KANCNN.article()
    train(network, batches, PASSES)
    some = digits().test_images[:200]
    found = lesson.wrong_patterns(network, some)
    row = {name: float(each.mean()) for name, each in found.items()}
    for where in ("", ", not blank"):
        level = found[f"own{where}"] - found[f"nine alike{where}"] < lesson.AS_WELL
        row[f"nine alike as well{where}"] = float(level.sum())
    return row


def functions_enough(network: nn.Module) -> float:
    """Return with how few functions a network stays within a point of what it gets right."""
    known, enough = digits(), []
    for threshold in PRUNED_BELOW:
        smaller = copy.deepcopy(network)
        pruned = kw.nn.prune(smaller, threshold, known.train_images[:500], dry_run=False)
        right = lesson.share_right(smaller, known.test_images, known.test_labels)
        enough.append((right, sum(layer.remaining for layer in pruned.values())))
    return float(min(left for right, left in enough if right >= enough[0][0] - 0.01))


def of_as_large(seed: int) -> Row:
    """Train a network as large without splines on the digits, and one on digits in grey ink."""
    known = digits()
    batches, _ = known.loaders(batch_size=64, seed=seed)
    torch.manual_seed(seed)
    network, inked = lesson.as_large_without_splines(), lesson.as_large_without_splines()
    train(network, batches, PASSES)
    train(inked, in_grey_batches(seed), 1)
    shown = lesson.in_grey(known.test_images, seed + 5000)
    return {
        "right": lesson.share_right(network, known.test_images, known.test_labels),
        "grey: right": lesson.share_right(inked, shown, known.test_labels),
    }


def of_turned(seed: int) -> Row:
    """Train the article's network on digits that are turned by 90°."""
    known, draw = digits(), torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = kw.nn.KANCNN.article()
    turned = known.train_images.rot90(1, (2, 3))
    train(network, drawn_batches(turned, known.train_labels, PASSES, draw), 1)
    shown = known.test_images.rot90(1, (2, 3))
    return of_lines(network) | {"right": lesson.share_right(network, shown, known.test_labels)}


def of_shuffled(seed: int, *, by_heart: bool = False) -> Row:
    """Train the article's network on digits with the labels of others, or until it knows these."""
    known, draw = digits(), torch.Generator().manual_seed(seed)
    images = known.train_images
    labels = known.train_labels[torch.randperm(len(images), generator=draw)]
    torch.manual_seed(seed)
    network = kw.nn.KANCNN.article()
    row: Row = {}

    def visit(step: int, network: nn.Module, loss: float) -> bool:
        if not by_heart or step % (5 * EARLY) or step < PASSES * EARLY:
            return False
        row["passes"], row["fitted"] = step / EARLY, lesson.share_right(network, images, labels)
        row.setdefault("fitted, 945 steps", row["fitted"])
        return row["fitted"] >= FITTED

    passes = MOST_PASSES if by_heart else PASSES
    train(network, drawn_batches(images, labels, passes, draw), 1, visit)
    right = lesson.share_right(network, known.test_images, known.test_labels)
    return row | of_lines(network) | {"right": right}


def of_lines(network: nn.Module) -> Row:
    """Count the lines among a network's ten kernels."""
    return {"lines": float(lesson.lines(network)), "uprights": float(lesson.uprights(network))}


def drawn_batches(
    images: Tensor, labels: Tensor, passes: int, draw: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Give some passes of pictures, in another order each."""
    for _ in range(passes):
        for chosen in torch.randperm(len(images), generator=draw).split(64):
            yield images[chosen], labels[chosen]


def of_untrained(seed: int) -> Row:
    """Draw 50 networks of the article, and count kernels that are small for all."""
    torch.manual_seed(seed)
    drawn = [kw.nn.KANCNN.article() for _ in range(50)]
    return {
        f"small for all{where}": sum(int(lesson.small_for_all(n, end).sum()) for n in drawn)
        for where, end in (("", 1.0), (", as drawn", lesson.DRAWN))
    }


def in_grey_batches(seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Give some passes of digits in grey ink, on black and white noise."""
    images, draw = lesson.in_grey(digits().train_images, seed), torch.Generator().manual_seed(seed)
    return drawn_batches(images, digits().train_labels, SECOND_PASSES, draw)


def of_grey(seed: int, splines: bool) -> Row:
    """Train the article's network on digits in grey ink, on black and white noise."""
    known = digits()
    torch.manual_seed(seed)
    network = kw.nn.KANCNN.article()
    if not splines:
        lesson.never_splines(network)
    row: Row = {"hills, untrained": lesson.hills(network)}
    train(network, in_grey_batches(seed), 1)
    shown = lesson.in_grey(known.test_images, seed + 5000)
    row["hills"] = lesson.hills(network)
    return row | {"right": lesson.share_right(network, shown, known.test_labels)}


def of_three(seed: int) -> Row:
    """Train KANCNN, CNN and MLP as tutorial 7 does."""
    known = digits()
    row = {}
    for name, kind in {"KAN-CNN": kw.nn.KANCNN, "CNN": kw.nn.CNN, "MLP": kw.nn.MLP}.items():
        batches, _ = known.loaders(batch_size=64, seed=seed)
        torch.manual_seed(seed)
        network = kind()
        train(network, batches, 3)
        network.eval()
        row[name] = lesson.share_right(network, known.test_images, known.test_labels)
    return row


def of_pair(seed: int, *, longer: bool = False) -> Row:
    """Train the two networks of tutorial 7b in which layers can be compared.

    Longer: fifteen passes for two, and the second also on digits with the labels of others.
    """
    known, draw = digits(), torch.Generator().manual_seed(seed)
    others = known.train_labels[torch.randperm(len(known.train_labels), generator=draw)]
    row: Row = {}
    for variant in ("as built", "one size", *(["shuffled"] if longer else [])):
        batches, _ = known.loaders(batch_size=64, seed=seed)
        passes = PASSES if longer else 2
        if variant == "shuffled":
            batches, passes = drawn_batches(known.train_images, others, PASSES, draw), 1
        torch.manual_seed(seed)
        network = kw.nn.KANCNN(channels=(8, 8, 8), padding=1)
        for layer in (*network.convs, network.linear):
            layer.reset_parameters(scale_noise=0.0)
        if variant != "as built":
            with torch.no_grad():
                network.convs[0].base_weight /= math.sqrt(8)

        def visit(step: int, network: nn.Module, loss: float, variant: str = variant) -> None:
            if longer and step == 2 * EARLY:
                for functions in kw.functions.read(network):
                    bend = float(np.nanmedian(kw.insight.complexity(functions).bend))
                    row[f"{variant}, early: bend of {functions.name}"] = bend

        train(network, batches, passes, visit)
        network.eval()
        row[f"{variant}: right"] = lesson.share_right(network, known.test_images, known.test_labels)
        if variant == "shuffled":
            row["shuffled: fitted"] = lesson.share_right(network, known.train_images, others)
        for functions in kw.functions.read(network):
            found = kw.insight.complexity(functions)
            for measure in DEPTH[:1] if longer else DEPTH:
                median = float(np.nanmedian(getattr(found, measure)))
                row[f"{variant}: {measure} of {functions.name}"] = median
            low, high = np.nanpercentile(found.bend, (25, 75))
            row[f"{variant}: middle half of {functions.name}"] = float(high - low)
        if longer:
            continue
        trained = kw.functions.read(network)
        ways = {
            variant: trained,
            f"{variant}, dealt": networks_compared.dealt(trained, seed),
            f"{variant}, dealt within layers": networks_compared.dealt(trained, seed, within=True),
        }
        for way, layers in ways.items():
            shares = networks_compared.later_more(layers)
            row.update({f"{way}: {k}": share for k, share in shares.items()})
    return row


def cells_of(name: str, seed: int, *keys: str) -> dict[str, Any]:
    """Run cells of a tutorial with another seed, and return the names that they define."""
    notebook = read(f"{name}.ipynb")
    if has_seed(f"{name}.ipynb"):
        set_seed(notebook, name, seed)
    sources = {cell.id: cell.source for cell in notebook.cells}
    names: dict[str, Any] = {}
    for key in keys:
        exec(sources[key], names)
    return names


def all_of(name: str, seed: int) -> dict[str, Any]:
    """Run all cells of a tutorial with another seed, and return the facts that it keeps."""
    keys = [cell.id for cell in code_cells(read(f"{name}.ipynb"))]
    facts: dict[str, Any] = cells_of(name, seed, *keys)["facts"]
    return facts


def of_unseen(seed: int) -> Row:
    """Train tutorial 10's three networks, and ask them about what two of them never saw."""
    facts = all_of("10_what_it_never_saw", seed)
    return {f"{what}: {who}": value for what in facts for who, value in facts[what].items()}


def of_scratch(seed: int) -> Row:
    """Train tutorial 11's network from scratch, and the package's as long."""
    facts = all_of("11_from_scratch", seed)
    known = digits()
    batches, _ = known.loaders(batch_size=64, seed=seed)
    torch.manual_seed(seed)
    package = kw.nn.KANCNN.article()
    train(package, batches, 5)
    return {
        "right": facts["right"],
        "difference": facts["difference"],
        "package: right": lesson.share_right(package, known.test_images, known.test_labels),
    }


def of_product(seed: int) -> Row:
    """Train tutorial 2's four functions and the MLP beside them to multiply."""
    low, high = 0.25, 2.0
    torch.manual_seed(seed)
    xyz = low + (high - low) * torch.rand(1000, 3)
    product = xyz.prod(dim=1, keepdim=True)
    inner = kw.nn.KANLinear(3, 1, grid_size=6, grid_range=(low, high))
    outer = kw.nn.KANLinear(1, 1, grid_size=6)
    models = {
        "four functions": nn.Sequential(inner, outer),
        "MLP": nn.Sequential(nn.Linear(3, 8), nn.SiLU(), nn.Linear(8, 1)),
    }
    row = {}
    new = low + (high - low) * torch.rand(2000, 3)
    truth = new.prod(dim=1, keepdim=True)
    for name, model in models.items():
        options = {"max_iter": 20, "history_size": 20, "line_search_fn": "strong_wolfe"}
        lbfgs = torch.optim.LBFGS(model.parameters(), **options)

        def loss(model: nn.Module = model, lbfgs: Any = lbfgs) -> Tensor:
            lbfgs.zero_grad()
            error = (model(xyz) - product).square().mean()
            error.backward()
            return error

        for epoch in range(40):
            if name != "MLP" and epoch % 2 == 0 and epoch < 16:
                with torch.no_grad():
                    sums = inner(xyz)
                outer.update_grid(sums, grid_eps=1.0, margin=0.05, optimizer=lbfgs)
            lbfgs.step(loss)
        with torch.no_grad():
            row[name] = float((model(new) - truth).square().mean().sqrt() / truth.std())
    x = np.linspace(low, high, 400)
    columns = np.stack([np.ones_like(x), np.log(x)], 1)
    found = kw.functions.read(models["four functions"])[0].evaluate(torch.from_numpy(x))[0].numpy()
    fits = [np.linalg.lstsq(columns, phi, rcond=None)[0] for phi in found]
    left = [1 - np.var(p - columns @ f) / np.var(p) for p, f in zip(found, fits, strict=True)]
    slopes = [f[1] for f in fits]
    row["R² of the worst logarithm"] = float(min(left))
    row["slopes differ by"] = float(np.ptp(slopes) / abs(np.mean(slopes)))
    return row


def of_curve(seed: int) -> Row:
    """Train tutorial 2's KAN and two MLPs on its curve."""

    def curve(x: Tensor) -> Tensor:
        return torch.sin(6 * x + 4 * x**3) * (1 - x / 2)

    def mlp(hidden: int) -> nn.Module:
        first, second = nn.Linear(1, hidden), nn.Linear(hidden, hidden)
        return nn.Sequential(first, nn.SiLU(), second, nn.SiLU(), nn.Linear(hidden, 1))

    torch.manual_seed(seed)
    two = kw.nn.KANLinear(1, 2, grid_size=8), kw.nn.KANLinear(2, 1, grid_size=8)
    models = {"MLP": mlp(5), "MLP, ten times": mlp(20), "KAN": nn.Sequential(*two)}
    points = torch.linspace(-1, 1, 256).unsqueeze(1)
    between = (points[1:] + points[:-1]) / 2
    row: Row = {}
    for name, model in models.items():
        for end, lowered in (("", False), (", rate lowered", True)):
            pupil, losses = copy.deepcopy(model), []
            adam = torch.optim.Adam(pupil.parameters(), 1e-2)
            for step in range(1000):
                if lowered:  # from the middle on, to 0 at the end
                    adam.param_groups[0]["lr"] = 1e-2 * min(1, 2 - step / 500)
                adam.zero_grad()
                loss = mse_loss(pupil(points), curve(points))
                loss.backward()
                adam.step()
                losses.append(loss.item())
            with torch.no_grad():
                error = (pupil(between) - curve(between)).square().mean().sqrt()
            row[f"{name}{end}"] = float(error / curve(between).std())
            row[f"{name}{end}: jumps"] = lesson.jumps(losses)
    return row


def of_base(seed: int) -> Row:
    """Train tutorial 3's network with four bases in SiLU's place."""
    row = {}
    for name in ("silu", "relu", "tanh", "none"):
        errors = lesson.errors_with_base(name, seed)
        row |= {f"{name}: early": errors[50], f"{name}: late": errors[-1]}
    return row


def of_refined(seed: int) -> Row:
    """Train tutorial 3's function from coarse to fine, and what stands beside it."""

    def wave(x: Tensor) -> Tensor:
        return torch.sin(5 * x) * (1 - x / 2)

    model, optimizer = lesson.made(3, seed)
    lesson.further(model, optimizer, wave)
    fine = lesson.further(*lesson.made(24, seed), wave, steps=1000)
    row: Row = {"24 at once": math.sqrt(fine[-1])}
    for grid_size in (6, 12, 24):
        _, row[f"not refined to {grid_size}"] = lesson.refined_at(
            (model, optimizer), grid_size, wave
        )
        model.phi.refine(grid_size, optimizer=optimizer)
        losses = lesson.further(model, optimizer, wave)
        row[f"refined to {grid_size}"] = math.sqrt(losses[-1])
    return row


def of_borders(seed: int) -> Row:
    """Train tutorial 4's network with three kinds of border."""
    known, row = digits(), {}
    for name, network in lesson.three_borders(seed).items():
        row[f"{name}: start"] = lesson.at_zero_share(network)
        train(network, known.loaders(batch_size=64, seed=seed)[0], 1, rate=3e-3)
        row[f"{name}: end"] = lesson.at_zero_share(network)
        row[f"{name}: right"] = lesson.share_right(network, known.test_images, known.test_labels)
    return row


def of_two_runs(seed: int) -> Row:
    """Train tutorial 8's network from one start, and compare the ways that its first layer goes."""
    known = digits()
    torch.manual_seed(seed)
    start = kw.nn.KANCNN()
    began = kw.functions.read(start)[0].coefficients.clone()
    ways = []
    for rate, order in ((1e-3, seed), (5e-3, seed), (1e-3, seed + 5000)):
        network = copy.deepcopy(start)
        train(network, known.loaders(batch_size=64, seed=order)[0], 2, rate=rate)
        ways.append((kw.functions.read(network)[0].coefficients - began).flatten())
    first, faster, other = ways
    return {
        "five times the rate": float(torch.cosine_similarity(first, faster, 0)),
        "other batches": float(torch.cosine_similarity(first, other, 0)),
    }


def of_curse(seed: int) -> Row:
    """Train tutorial 7's KAN and MLPs, and one of SiLU, on two functions of 2 to 16 variables."""
    names = cells_of("07_cnn_mlp_kan", seed, "imports", "curse-functions", "curse-data")
    row = {}
    for (name, d), (x, y) in names["problems"].items():
        networks = names["of_one_size"](d)
        numbers = kw.nn.count_parameters(networks["KAN"])
        hidden = (numbers - 1) // (d + 2)
        silu = nn.Sequential(nn.Linear(d, hidden), nn.SiLU(), nn.Linear(hidden, 1))
        for kind, network in (networks | {"MLP of SiLU": silu}).items():
            row[f"{name}, {kind}, {d}"] = networks_compared.left_over(network, x, y, seed)
        if d == 4:
            row[f"sines, {name}"] = networks_compared.sines(networks["KAN"])
    x, y = names["problems"]["folds", 16]
    for kind, network in names["of_one_size"](16, units=16).items():
        left = networks_compared.left_over(network, x, y, seed)
        row[f"folds, {kind}, 16, as large as 16 units"] = left
    return row


KINDS: dict[str, Callable[[int], Row]] = {
    "article": lambda seed: of_article(seed, True),
    "article without splines": lambda seed: of_article(seed, False),
    "patterns": of_patterns,
    "as large without splines": of_as_large,
    "digits turned": of_turned,
    "labels shuffled": of_shuffled,
    "labels by heart": lambda seed: of_shuffled(seed, by_heart=True),
    "unseen": of_unseen,
    "scratch": of_scratch,
    "untrained": of_untrained,
    "three": of_three,
    "product": of_product,
    "curve": of_curve,
    "grey": lambda seed: of_grey(seed, True),
    "grey without splines": lambda seed: of_grey(seed, False),
    "pair": of_pair,
    "longer pair": lambda seed: of_pair(seed, longer=True),
    "base": of_base,
    "refined": of_refined,
    "borders": of_borders,
    "curse": of_curse,
    "two runs": of_two_runs,
    "one epoch": lambda seed: of_one_epoch(seed, True),
    "one epoch without splines": lambda seed: of_one_epoch(seed, False),
}


def rows(kind: str, seeds: Sequence[int]) -> Iterator[Row]:
    """Train networks of a kind, one for each seed."""
    for seed in seeds:
        yield KINDS[kind](seed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train the kinds of networks that are named, or all, and write what was measured."""
    parser = argparse.ArgumentParser(description="Train the networks that the pages speak of.")
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(KINDS)}; default: all")
    kinds = parser.parse_args(arguments).kinds or list(KINDS)
    torch.set_num_threads(1)
    for kind in kinds:
        found: dict[str, list[float]] = {}
        for row in rows(kind, SEEDS_OF.get(kind, SEEDS)):
            for name, value in row.items():
                found.setdefault(name, []).append(float(f"{value:.4g}"))
            print(kind, len(next(iter(found.values()))), flush=True)
        known = json.loads(lesson.RECORDED.read_text("utf-8")) if lesson.RECORDED.exists() else {}
        write(known | {kind: found})
    return 0


def write(known: dict[str, dict[str, list[float]]]) -> None:
    """Write the table, a line for each measure."""
    lines = [
        f' "{kind}": {{\n'
        + ",\n".join(f"  {json.dumps(n, ensure_ascii=False)}: {v}" for n, v in known[kind].items())
        + "\n }"
        for kind in KINDS
        if kind in known
    ]
    lesson.RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
