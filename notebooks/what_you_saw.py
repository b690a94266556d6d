"""What each tutorial ends with: its run in sentences, and the facts that its tests ask for.

The last cell of a tutorial calls its function here with ``globals()``. What the run found chooses
the sentences; the facts, plain numbers, are put among the names as ``facts``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from IPython.display import Markdown
from lesson import (
    at_least,
    covers,
    in_words,
    large_behind,
    large_lost,
    listed,
    points_lost,
    recorded,
    say,
    which,
)

import kan_widgets as kw

Told = tuple[dict[str, Any], list[str]]


def ending(tell: Callable[[Any], Told]) -> Callable[[dict[str, Any]], Markdown]:
    """Give a tutorial's names to what tells of them, keep its facts, and show its sentences."""

    @functools.wraps(tell)
    def end(names: dict[str, Any]) -> Markdown:
        names["facts"], sentences = tell(SimpleNamespace(**names))
        return say(*sentences)

    return end


def power(sizes: Any, errors: Any) -> float:
    """Return the p of the best errors ≈ constant / sizeᵖ."""
    return float(-np.polyfit(np.log(sizes), np.log(errors), 1)[0])


@ending
def quickstart(n: Any) -> Told:
    """Tell of tutorial 1."""
    later = (n.end - n.halfway[1]).abs().amax(-1).mean() / n.change.mean()
    facts = {
        "parameters": kw.nn.count_parameters(n.model),
        "accuracy": n.right_of_the_test_digits(),
        "early_accuracy": n.halfway[0],
        "later_change": later.item(),
        "least_change": n.change.min().item(),
        "most_change": n.change.max().item(),
        "on_ink": n.on_ink,
        "undone": n.undone,
        "smaller_parameters": kw.nn.count_parameters(n.smaller),
        "smaller_accuracy": n.run.result.eval_accuracy[-1],
    }
    epochs = n.run.result.steps // len(n.moved_batches)
    return facts, [
        f"The article's network, {facts['parameters']:,} parameters: "
        f"{facts['early_accuracy']:.1%} of the test digits right after one epoch, "
        f"{facts['accuracy']:.1%} after three.",
        f"In these two further epochs the functions of its first layer moved by {later:.0%} of "
        f"what lies between start and end. There the least moved by {facts['least_change']:.3f}, "
        f"the most by {facts['most_change']:.3f}.",
        f"`KANCNN()`, {facts['smaller_parameters']:,} parameters, after {epochs} epochs of the "
        f"recipe: {facts['smaller_accuracy']:.1%} right (one run, of another size and recipe: no "
        "comparison).",
    ]


@ending
def from_kolmogorov_to_kan(n: Any) -> Told:
    """Tell of tutorial 2."""
    x = np.linspace(n.LOW, n.HIGH, 400)
    first = n.read_inner.evaluate(torch.from_numpy(x))[0, 0].numpy()
    with torch.no_grad():
        s, (low, high) = n.inner(n.new), n.outer.basis.grid_range
    facts = {
        "product_error": n.product_error,
        "twin_error": n.twin_error,
        "sums_beyond_the_grid": ((s < low) | (s > high)).float().mean().item(),
        "log_r2": [float(r2) for _, r2 in n.logs],
        "slope_spread": (max(n.a) - min(n.a)) / abs(np.mean(n.a)),
        "line_r2": float(n.fit(x, first, lambda x: x)[1]),
        "exp_r2": float(n.exp_r2),
        "exp_constant": float(n.constant / np.ptp(n.outer_phi)),
        "slope_times_rate": float(np.mean(n.a) * n.rate),
        "mlp_power_of_n": math.log2(n.count(128) / n.count(64)),
        "kan_power_of_n": math.log2(n.count(128, 5) / n.count(64, 5)),
        "kan_power_of_g": math.log2(n.count(64, 160) / n.count(64, 80)),
        "kan_power_of_small_g": math.log2(n.count(64, 10) / n.count(64, 5)),
        "kan_by_mlp": n.count(128, 5) / n.count(128),
        "staircase_power": power(n.sizes, n.steps),
        "spline_power": power(n.sizes, n.splines),
        "by_hand_parameters": kw.nn.count_parameters(n.by_hand),
        "by_hand_error": n.by_hand_error,
    }
    for key, name, model in zip(
        ("mlp", "wide_mlp", "kan"), n.curve_errors, n.models.values(), strict=True
    ):
        facts[f"{key}_error"] = n.curve_errors[name]
        facts[f"{key}_parameters"] = kw.nn.count_parameters(model)
    learned = min(facts["log_r2"]) > 0.99
    return facts, [
        f"Error of x·y·z: the four functions {n.product_error:.2%}, the MLP {n.twin_error:.2%}.",
        f"The inner functions are {'' if learned else 'here not '}logarithms a·ln x + b: R² ≥ "
        f"{min(facts['log_r2']):.5f} (a line: {facts['line_r2']:.2f}), slopes that differ by "
        f"{facts['slope_spread']:.2%}.",
        f"The outer function fits an exponential by R² = {facts['exp_r2']:.5f}, and a·r = "
        f"{facts['slope_times_rate']:.3f}.",
        "On the curve "
        + listed([f"the {name} errs by {error:.1%}" for name, error in n.curve_errors.items()])
        + ".",
        f"The parameters of an MLP layer grow as N to the power {facts['mlp_power_of_n']:.2f}, "
        f"those of a KAN layer as N to the power {facts['kan_power_of_n']:.2f} and G to the power "
        f"{facts['kan_power_of_g']:.2f}.",
        f"The error of N sigmoids falls as N to the power −{facts['staircase_power']:.2f}, that of "
        f"splines as N to the power −{facts['spline_power']:.2f}.",
    ]


@ending
def building_blocks(n: Any) -> Told:
    """Tell of tutorial 3."""
    x = torch.linspace(-1, 1, 501)
    with torch.no_grad():
        terms = n.phi.spline_weight[0, 0] * n.phi.basis.expand(x)
        total = (n.phi.base_weight * torch.nn.functional.silu(x))[0] + terms.sum(dim=1)
        off = (total - n.phi(x[:, None])[:, 0]).abs().max().item()
    facts = {
        "terms": terms.shape[1],
        "sum_minus_phi": off,
        "one_error": n.one_error,
        "sum_of_splines": n.phi.basis.expand(x).sum(dim=1).tolist()[::100],
        "reach_in_intervals": n.reached,
        "peak_of_change": n.moved.max().item(),
        "moved_far_away": n.far_away,
        "order_powers": [power(n.grids, found) for found in n.by_order.values()],
        "order_errors": [found[1] for found in n.by_order.values()],
        "refine_change": n.jumps,
        "refine_errors": n.refined,
        "not_refined_errors": n.stayed,
        "rises_at_the_rate_and_at_a_tenth": list(n.highest.values()),
        "wider_bumps": list(n.wider.values()),
        "polynomial_errors": n.polynomials,
        "half": n.half,
        "whole": n.whole,
        "family_errors": n.errors,
        "dense_difference": n.dense_difference,
        "dead_with_base": n.dead["with"],
        "dead_without_base": n.dead["without"],
    }
    for name, (early, late) in n.of_base.items():
        facts |= {f"{name}_early": early, f"{name}_late": late}
    moved, held = n.far_away.values()
    return facts, [
        f"One coefficient, raised by 1, changed φ over {n.reached:.2f} intervals, by "
        f"{facts['peak_of_change']:.3f} at most.",
        f"Trained at one end, φ moved by {moved:.3f} at the other; with w held, by {held:.3f}.",
        f"From 3 intervals to 24 the error fell from {n.refined[0]:.2f} to {n.refined[-1]:.5f}; "
        f"as many steps without the last refining left {n.stayed[-1]:.5f}.",
        f"Without a base {n.dead['without']:.0%} of the inputs got no gradient, with it "
        f"{n.dead['with']:.0%}.",
    ]


@ending
def convolution_with_functions(n: Any) -> Told:
    """Tell of tutorial 4."""
    facts = {
        "same": n.same,
        "scratch": n.scratch,
        "learned": n.learned,
        "weights": n.pupils["numbers"].weight.flatten().tolist(),
        "best": n.best,
        "parameters": {
            name: sum(p.numel() for p in layer.parameters()) for name, layer in n.pupils.items()
        },
        "frame": n.frame,
        "predicted": dict(zip(n.frame, n.predicted, strict=True)),
        "frame_heights": n.frame_heights,
        "phi_at_0": n.phi_at_0,
        "steps_to_0": n.steps_to_0,
        "accuracy": n.accuracy,
    }
    numbers, functions = n.best.values()
    return facts, [
        "A kernel of straight functions and one of numbers: responses differ by "
        f"{n.same:.1g} at most.",
        f"The layer of twenty lines and ours: by {n.scratch['response']:.1g} at most.",
        f"Asked for grey, numbers reach an R² of {n.learned['numbers']:.2f} by training "
        f"({numbers['grey']:.2f} at best), functions {n.learned['functions']:.3f} "
        f"({functions['grey']:.3f}).",
        f"Asked for the product of two pixels, numbers reach {numbers['product']:.2f} at best, "
        f"functions {functions['product']:.2f}.",
        f"On a blank image zero padding gave {n.frame['corner']:.3f} in the corner (φ(0) predicts "
        f"{facts['predicted']['corner']:.3f}), {n.frame['middle']:.3f} in the middle; replicating "
        f"the border left a frame of {n.frame_heights['grey, replicate']:.3f}.",
        "The median |φ(0)|, as a share of a function's range: "
        + "; ".join(
            f"{border} {before:.1%} to {n.phi_at_0['now'][border]:.1%}"
            for border, before in n.phi_at_0["start"].items()
        )
        + ".",
    ]


@ending
def your_own_model(n: Any) -> Told:
    """Tell of tutorial 6."""
    facts = {
        "cnn accuracy": n.right,
        "cnn bases": [row.basis for row in n.about_cnn.layers],
        "cnn functions": sum(row.functions for row in n.about_cnn.layers),
        "cnn left out": [kind for _, kind, _ in n.about_cnn.left_out],
        "file error": n.file_error,
        "file loss": n.file_loss,
        "edit": {"before": n.before, "straight": [*n.straight.values()], "after": n.after},
        "libraries": n.functions_of,
        "refused": n.refused,
        "wrong": n.wrong,
        "own error": n.proof.error,
        "own outputs": n.proof.outputs,
        "own functions": sum(f.n_functions for f in kw.functions.read(n.own_model)),
        "own loss": {"first": n.losses[0], "last": n.losses[-1]},
    }
    pykan = "pykan: not there."
    if n.KAN is not None:
        facts["pykan"] = n.by_pykan
        pykan = (
            f"pykan: its first function fits the sine by R² = {n.by_pykan['R² to sine']:.4f}, its "
            f"second the parabola by {n.by_pykan['R² to parabola']:.4f}; Σφ is its output but for "
            f"{n.by_pykan['error']:.0e}, with a formula "
            f"{n.by_pykan['error with a formula']:.0e}."
        )
    return facts, [
        f"CNN: {facts['cnn functions']:,} functions, all straight lines; "
        f"{n.right:.1%} of the test digits right after one epoch; left out: "
        f"{listed(facts['cnn left out'])}.",
        f"Class from a file: Σφ is its output but for {n.file_error:.0e}. One function made "
        f"straight makes the error {min(n.straight.values()) / n.before:.0f} to "
        f"{max(n.straight.values()) / n.before:.0f} times as large; undone, it is "
        f"{n.after:.1e}, {'as' if n.after == n.before else 'not as'} before.",
        pykan,
        f"Own layer: with the right adapter Σφ is off by {n.proof.error:.0e} in {n.proof.outputs} "
        f"outputs; the wrong one is refused: {n.wrong.split(':')[0]}.",
        f"Training took the variance that it leaves unexplained from {n.losses[0]:.0%} to "
        f"{n.losses[-1]:.1%}.",
    ]


@ending
def see_a_whole_run(n: Any) -> Told:
    """Tell of tutorial 8."""
    facts = {
        "steps": n.run.frame.step,
        "seen": len(n.seen),
        "complete": n.run.is_complete and n.old.is_complete,
        "same_start": n.same_start,
        "losses": [source.scalars.latest("loss") for source in (n.old, n.run)],
        "moved": list(n.length.values()),
        "alike": n.alike,
        "page_megabytes": n.megabytes["run.html"],
        "film_megabytes": n.megabytes["run.gif"],
    }
    losses, moved = facts["losses"], facts["moved"]
    lower = "lower" if losses[1] < losses[0] else "not lower"
    further = "further" if moved[1] > moved[0] else "less far"
    two = recorded()["two runs"]
    return facts, [
        f"{facts['steps']} steps recorded by a script, {facts['seen']} of them seen as they came.",
        f"On the last batch today's loss is {lower} ({losses[1]:.3f}, yesterday's "
        f"{losses[0]:.3f}). Its functions moved {further} ({moved[1]:.2f}, yesterday's "
        f"{moved[0]:.2f}); the cosine of the two changes is {n.alike:.2f}.",
        f"In twenty other pairs it is {in_words(two['five times the rate'], '.2f')}; where rates "
        f"are the same and only batches differ, {in_words(two['other batches'], '.2f')}. "
        + which(
            np.subtract(two["other batches"], two["five times the rate"]),
            "Runs at five times the rate differ more than runs of other batches",
            "Runs at five times the rate differ less than runs of other batches",
            "Whether runs at five times the rate differ more than runs of other batches is open",
        )
        + "; rate or distance, not tried.",
        f"A page of {facts['page_megabytes']:.1f} MB and a GIF of "
        f"{facts['film_megabytes']:.1f} MB.",
    ]


@ending
def rough_functions(n: Any) -> Told:
    """Tell of the appendix, tutorial 9."""
    spacings = [10**k for k in (1, 2, 3)]  # in units of 0.00001
    climbs = [float((n.values[h:] - n.values[:-h]).max()) for h in spacings]
    rises = np.sort(np.diff(n.values))[::-1]
    facts = {
        "holder_exponent": -power(spacings, climbs),
        "share_of_x_for_99_percent": float((rises.cumsum() < 0.99).mean()),
        "climb_on_a_hundredth_when_magnified": {
            name: float((y[20:] - y[:-20]).max()) for name, (_, y) in n.both.items()
        },
        "log_errors": n.errors["ln"],
        "psi_errors": n.errors["psi"],
        "log_power": power(n.grids, n.errors["ln"]),
        "psi_power": power(n.grids, n.errors["psi"]),
    }
    falls = {name: found[0] / found[-1] for name, found in n.errors.items()}
    return facts, [
        f"From {n.grids[0]} to {n.grids[-1]} intervals the error of ln fell by a factor of "
        f"{falls['ln']:,.0f}, that of ψ by {falls['psi']:.1f}, as G to the power "
        f"−{facts['psi_power']:.2f}.",
        f"The Hölder exponent of ψ is {facts['holder_exponent']:.2f}, and 99% of its climb happens "
        f"on {facts['share_of_x_for_99_percent']:.2%} of its interval.",
    ]


@ending
def readings_to_publish(n: Any) -> Told:
    """Tell of tutorial 12."""
    seeds = len(n.found)
    facts = {
        "seeds": seeds,
        "unexplained": n.unexplained,
        "p": n.found.p,
        "commonest": n.commonest,
        "terms": n.formula.terms,
        "formula_unexplained": n.formula_unexplained,
        "front": [one.length for one in n.formula.front],
        "cut": n.cut.change.value,
        "control": [n.cut.control_change.low, n.cut.control_change.high],
        "beside_control": [n.cut.after_control.low, n.cut.after_control.high],
        "inside": covers(n.cut),
        "large_lost": large_lost(n.cut, n.controls).tolist(),
        "large_lost_later": large_lost(n.cut, n.controls, max(n.controls)).mean(),
        "large_behind": [large_behind(n.controls, steps).mean() for steps in n.controls],
        "moments": [moment.kind for moment in n.seen.moments],
        "most_p": max([moment.p for moment in n.seen.moments], default=0.0),
        "page": n.page.data,
    }
    terms = [f"{term} in {count}" for term, count in n.formula.terms.items()]
    safe = [term for term, count in n.formula.terms.items() if 2 * count > seeds]
    return facts, [
        f"{seeds} networks leave {min(n.unexplained):.1e} to {max(n.unexplained):.1e} of the "
        "variance of new inputs unexplained.",
        f"The commonest form of a single function holds in {min(n.commonest)} to "
        f"{max(n.commonest)} of {seeds}.",
        f"Terms of the formulas of whole networks: {listed(terms)}. In most: "
        f"{listed(safe) if safe else 'none'}. (8 of 8 says: of all seeds {at_least(8, 8)}. Were it "
        "fewer, 8 of 8 would be rarer than one case in twenty. Other data was not asked.)",
        f"Splines taken out, the networks lose {points_lost(n.cut.change)}; trained without any "
        f"they lack {points_lost(n.cut.control_change)} (for other seeds and inputs).",
        f"{len(n.seen.moments)} moments in one training, {len(n.null.moments)} in one with "
        "shuffled labels.",
    ]
