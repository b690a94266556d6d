"""Symbolic forms: planted ones are found, none is missed, and what is said of them is so."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import least_squares  # type: ignore[import-untyped]
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import LayerFunctions
from kan_widgets.insight import FORMS, Form, SeenPatches, SymbolicFit, SymbolicFits, symbolic
from kan_widgets.insight.formulas.symbolic_fits import r2_text
from kan_widgets.insight.kernels import kernel_terms

Array = NDArray[np.float64]

# What is planted, for inputs between −1 and 1: form, φ, and its b and c as they are written.
PLANTED = {
    "line": (lambda x: 0.7 * x - 0.2, 1.0, 0.0),
    "square": (lambda x: 2 * (x + 0.3) ** 2 - 1, 1.0, 0.3),
    "cube": (lambda x: -((x - 0.2) ** 3) + 0.1, 1.0, -0.2),
    "absolute": (lambda x: 0.5 * np.abs(x - 0.25) + 1, 1.0, -0.25),
    "ReLU": (lambda x: 3 * np.maximum(-x + 0.1, 0), -1.0, 0.1),
    "SiLU": (lambda x: -(3 * x + 0.5) / (1 + np.exp(-3 * x - 0.5)), 3.0, 0.5),
    "exp": (lambda x: 0.2 * np.exp(2.5 * x) - 1, 2.5, 0.0),
    "log": (lambda x: 0.4 * np.log(x + 1.1), 1.0, 1.1),
    "sqrt": (lambda x: 2 * np.sqrt(1.02 - x), -1.0, 1.02),
    "sin": (lambda x: 0.3 * np.sin(7 * x + 0.4), 7.0, 0.4),
    "tanh": (lambda x: -0.8 * np.tanh(5 * x - 1), 5.0, -1.0),
    "Gaussian": (lambda x: np.exp(-((3 * x + 0.5) ** 2)), 3.0, 0.5),
    "reciprocal": (lambda x: 0.1 / (x - 1.3), 1.0, -1.3),
}


def planted(curves: list[Array], x: Array) -> LayerFunctions:
    """Return a layer of one output whose functions run through curves given at 401 even x."""
    layer = kw.nn.KANLinear(len(curves), 1, grid_size=400, spline_order=1, dtype=torch.float64)
    with torch.no_grad():
        layer.base_weight.zero_()
        for i, y in enumerate(curves):
            # The coefficients of splines of order 1 are the values at the knots.
            layer.spline_weight[0, i] = torch.from_numpy(y)
    [functions] = kw.functions.read(layer)
    return functions


def seen(functions: LayerFunctions, inputs: Array) -> SeenPatches:
    return SeenPatches(functions.name, len(inputs), inputs)


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_planted_forms_come_first_with_the_r2_that_the_noise_leaves(noise: float) -> None:
    rng = np.random.default_rng(3)
    x = np.linspace(-1, 1, 401)
    clean = [phi(x) for phi, _, _ in PLANTED.values()]
    curves = [y + noise * y.std() * rng.standard_normal(len(x)) for y in clean]
    functions = planted(curves, x)
    inputs = np.clip(rng.beta(2, 2, (3000, len(curves))) * 2 - 1, -1, 1)
    fits = symbolic(functions, seen(functions, inputs))
    for i, (name, (_, b, c)) in enumerate(PLANTED.items()):
        best = fits.at((0, i))[0]
        assert best.form.name == name
        if not noise:
            assert (best.b, best.c) == pytest.approx((b, c), abs=0.02)
        y, exact = (np.interp(inputs[:, i], x, values) for values in (curves[i], clean[i]))
        expected = 1 - np.square(y - exact).mean() / y.var()
        assert best.r2 == pytest.approx(expected, abs=2e-3)
        assert (best.samples, best.patches) == (3000, 3000)


def test_r2_is_that_of_the_form_at_the_inputs() -> None:
    torch.manual_seed(0)
    layer = kw.nn.KANLinear(5, 4, grid_range=(-2, 2))
    nn.init.normal_(layer.spline_weight)
    [functions] = kw.functions.read(layer)
    x = torch.randn(500, 5)
    fits = symbolic(functions, seen(functions, x.double().numpy()))
    values = functions.evaluate(x.T.ravel()).reshape(4, 5, 5, 500).double().numpy()
    for o, i in itertools.product(range(4), range(5)):
        y = values[o, i, i]
        scores = []
        for fit in fits.at((o, i)):
            left = np.square(fit(x[:, i].numpy()) - y).mean() / y.var()
            assert fit.r2 == pytest.approx(1 - left, abs=1e-5)
            scores.append(np.log2(left + 1e-5) + 0.5 * fit.form.complexity)
            assert fit.score == pytest.approx(scores[-1], abs=1e-3)
            assert (fit.low, fit.high) == (x[:, i].min().item(), x[:, i].max().item())
        # The first may be a simpler one that is as good but for chance.
        assert scores[1:] == sorted(scores[1:])
        first, *others = fits.at((o, i))
        for other in others:
            if other.score < first.score:
                assert other.tied
                assert other.form.complexity > first.form.complexity


@pytest.mark.parametrize("name", ["square", "exp", "log", "sin", "tanh", "Gaussian", "reciprocal"])
def test_no_search_from_many_places_finds_a_better_one(name: str) -> None:
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    [form] = [form for form in FORMS if form.name == name]
    layer = kw.nn.KANLinear(2, 1, grid_range=(-3, 3))
    nn.init.normal_(layer.spline_weight)
    [functions] = kw.functions.read(layer)
    inputs = torch.randn(300, 2)
    fits = symbolic(functions, seen(functions, inputs.double().numpy()), forms=[form])
    for i in range(2):
        x = inputs[:, i].double().numpy()
        y = functions.evaluate(inputs[:, i])[0, i].double().numpy()

        def rest(at: Array, x: Array = x, y: Array = y) -> Array:
            shape = form(at[0] * x + at[1])
            sides = np.sign(at[0] * x + at[1])
            # A pole may not lie between the inputs.
            if not np.isfinite(shape).all() or (name == "reciprocal" and np.ptp(sides)):
                return np.full(len(x), 1e3)
            columns = np.stack([shape, np.ones_like(shape)], axis=1)
            return y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]

        found = 0.0
        for _ in range(40):
            b = rng.choice([-1, 1]) * np.exp(rng.uniform(-1.5, 2))
            start = np.array([b, -b * rng.uniform(-4, 4)])
            if np.square(rest(start)).max() < 1e6:
                cost = 2 * least_squares(rest, start, max_nfev=50).cost
                found = max(found, 1 - cost / np.square(y - y.mean()).sum())
        assert fits.at((0, i))[0].r2 > found - 1e-3


def test_only_where_inputs_fall_counts() -> None:
    # A parabola on the left, something wild on the right.
    x = np.linspace(-1, 1, 401)
    y = np.where(x < 0, x**2, np.sin(40 * x))
    functions = planted([y], x)
    rng = np.random.default_rng(0)
    left = symbolic(functions, seen(functions, -rng.random((500, 1)) * 0.9 - 0.05))
    both = symbolic(functions, seen(functions, rng.random((500, 1)) * 2 - 1))
    best = left.at((0, 0))[0]
    assert (best.form.name, best.r2 > 0.9999) == ("square", True)
    assert both.at((0, 0))[0].r2 < 0.9


def test_kernels_of_a_convolution_see_their_own_channel_and_place() -> None:
    torch.manual_seed(0)
    conv = kw.nn.KANConv2d(4, 6, (3, 2), groups=2, grid_range=(-2, 2))
    nn.init.normal_(conv.spline_weight)
    # Each channel on another scale, so that a wrong column would show.
    x = torch.randn(4, 4, 6, 6) * torch.tensor([0.2, 0.5, 1.0, 1.5]).view(1, 4, 1, 1)
    live = kw.bind(conv)
    [observed] = live.observe(x).values()
    [functions] = live.read()
    fits = symbolic(functions, observed)
    for out in range(6):
        mine = observed.patches[:, out // 3 * 12 : out // 3 * 12 + 12].astype(np.float64)
        terms = kernel_terms(functions, observed.patches.astype(np.float64), out)
        for e, (i, row, column) in enumerate(np.ndindex(2, 3, 2)):
            fit = fits.at((out, i, row, column))[0]
            assert (fit.low, fit.high) == (mine[:, e].min(), mine[:, e].max())
            y = terms[:, e]
            left = np.square(fit(mine[:, e]) - y).mean() / y.var()
            assert fit.r2 == pytest.approx(1 - left, abs=1e-9)


def test_a_form_of_one_s_own_is_found_where_it_is() -> None:
    x = np.linspace(-1, 1, 401)
    functions = planted([np.exp(-np.abs(4 * x - 1)), np.square(x)], x)
    inputs = np.random.default_rng(0).random((800, 2)) * 2 - 1
    tent = Form("peak", "exp(-Abs(u))", "exp(−|{}|)")
    fits = symbolic(functions, seen(functions, inputs), forms=[*FORMS, tent])
    assert [fits.at((0, i))[0].form.name for i in (0, 1)] == ["peak", "square"]
    best = fits.at((0, 0))[0]
    assert (abs(best.b), best.c / best.b) == pytest.approx((4, -0.25), abs=0.02)
    assert "exp(−|" in str(best)
    assert symbolic(functions, seen(functions, inputs), forms="line").counts() == {
        "no form fits": 2
    }


def test_a_wave_and_a_pole_of_one_s_own_are_found_without_being_told_where_to_begin() -> None:
    x = np.linspace(-1, 1, 401)
    functions = planted([np.cos(9 * x + 1), 1 / (x - 1.2) ** 2], x)
    inputs = np.random.default_rng(0).random((800, 2)) * 2 - 1
    wave = Form("wave", "cos(u)", half_turn=np.pi)
    pole = Form("pole", "1/u**2", "1/({})²", scale=False)
    fits = symbolic(functions, seen(functions, inputs), forms=[wave, pole, "line"])
    first, second = (fits.at((0, i))[0] for i in (0, 1))
    assert (first.form, second.form) == (wave, pole)
    assert (first.b, first.c) == pytest.approx((9, 1), abs=0.02)
    assert -second.c / second.b == pytest.approx(1.2, abs=0.02)
    assert "wave(9·x + 1)" in str(first)
    # Also where the function has none there, the pole lies beyond the inputs.
    wrong = symbolic(functions, seen(functions, inputs), forms=pole).at((0, 0))[0]
    assert not wrong.low < -wrong.c / wrong.b < wrong.high


def test_a_larger_penalty_takes_the_simpler_form() -> None:
    x = np.linspace(-1, 1, 401)
    functions = planted([np.exp(0.8 * x)], x)
    inputs = np.linspace(-1, 1, 301)[:, None]
    cheap = symbolic(functions, seen(functions, inputs)).at((0, 0))[0]
    dear = symbolic(functions, seen(functions, inputs), penalty=12.0).at((0, 0))[0]
    assert (cheap.form.name, dear.form.name) == ("exp", "line")
    assert cheap.r2 > dear.r2 > 0.9


def test_what_does_not_move_is_constant_and_what_is_not_finite_has_no_form() -> None:
    layer = kw.nn.KANLinear(3, 1)
    with torch.no_grad():
        layer.base_weight[0, 0] = 0
        layer.spline_weight[0, 0] = 0.25
        layer.spline_weight[0, 1] = float("nan")
    [functions] = kw.functions.read(layer)
    inputs = torch.rand(50, 3).double().numpy()
    inputs[:, 2] = 0.5  # a pixel that never changes
    fits = symbolic(functions, seen(functions, inputs))
    [still] = fits.at((0, 0))
    assert (still.form.name, np.isnan(still.r2), str(still)) == ("constant", True, "0.25")
    assert fits.at((0, 1)) == []
    assert fits.at((0, 2))[0].form.name == "constant"
    assert fits.counts() == {"constant": 2}
    assert "not finite" in str(fits)


def test_the_table_says_what_it_rests_on_and_escapes_names() -> None:
    torch.manual_seed(0)
    layer = kw.nn.KANLinear(6, 5)
    [functions] = kw.functions.read(layer)
    odd = Form("<b>", "u**2")
    found = symbolic(
        functions, seen(functions, np.random.default_rng(0).random((99, 6))), forms=odd
    )
    text, page = str(found), found._repr_html_()
    assert "30 functions, 99 inputs each of 99 samples; penalty 0.5" in text
    assert "no form fits below R² 0.9." in text
    assert "No untrained network was asked" in text
    assert "and 10 more" in text
    assert page.count("<tr>") == 1 + 20
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_a_table_of_one_function_says_nothing_of_the_others() -> None:
    [functions] = kw.functions.read(kw.nn.KANLinear(6, 5))
    inputs = np.random.default_rng(0).random((99, 6))
    fits = symbolic(functions, seen(functions, inputs), forms="line", only=(2, 3))
    text = str(fits)
    assert "1 of 30 functions" in text
    assert "not finite" not in text
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["function", "2,3"]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"forms": ["lines"]}, ValueError, "forms=.*'lines'.*: expected some of 'line', "),
        ({"forms": [3]}, TypeError, "names of the library"),
        ({"forms": []}, ValueError, "none is given"),
        ({"forms": Form("odd", "u + v")}, ValueError, "formula=.*v.*: expected an expression of u"),
        (
            {"forms": Form("odd", "u +")},
            ValueError,
            r"formula=.*u \+.*: expected an expression of u",
        ),
        ({"forms": ["line", "line"]}, ValueError, "line more than once"),
        ({"penalty": -1}, ValueError, "penalty=-1: expected a finite number ≥ 0"),
        ({"keep": 0}, ValueError, "keep=0: expected a whole number ≥ 1"),
    ],
)
def test_a_wrong_value_is_refused_in_words(options, error, words) -> None:
    [functions] = kw.functions.read(kw.nn.KANLinear(2, 1))
    with pytest.raises(error, match=words):
        symbolic(functions, seen(functions, np.eye(3, 2)), **options)


def test_nothing_is_said_without_an_observation() -> None:
    [functions] = kw.functions.read(kw.nn.KANLinear(2, 1))
    with pytest.raises(TypeError, match="nothing was observed"):
        symbolic(functions, None)
    with pytest.raises(IndexError, match="has 1 × 2 × 1 × 1"):
        symbolic(functions, seen(functions, np.random.default_rng(0).random((9, 2)))).at((1, 0))


def test_a_sawtooth_is_no_line_and_no_form_is_said_to_fit_it() -> None:
    x = np.linspace(-1, 1, 401)
    functions = planted([np.abs((12 * x) % 2 - 1), 2 * x], x)
    inputs = np.random.default_rng(0).random((800, 2)) * 2 - 1
    fits = symbolic(functions, seen(functions, inputs))
    saw, line = fits.at((0, 0))[0], fits.at((0, 1))[0]
    assert saw.r2 < 0.5
    assert (saw.fits, line.fits) == (False, True)
    assert fits.counts() == {"line": 1, "no form fits": 1}
    assert [fits.at((0, i))[0].fits for i in (0, 1)] == [False, True]
    assert "no form fits: best R² 0." in repr(saw)
    assert "no form fits: best" in str(fits)
    assert "no form" not in repr(line)


def wavy(count: int, seed: int = 0) -> LayerFunctions:
    """Return functions that are smooth and like no single form."""
    torch.manual_seed(seed)
    layer = kw.nn.KANLinear(count, 1, grid_range=(-2, 2))
    nn.init.normal_(layer.spline_weight, std=0.1)
    [functions] = kw.functions.read(layer)
    return functions


def test_the_error_of_r2_is_how_much_it_differs_between_batches() -> None:
    functions = wavy(12)
    found = [
        symbolic(
            functions,
            seen(functions, np.random.default_rng(k).normal(0, 0.8, (200, 12))),
            forms=["cube"],
        )
        for k in range(30)
    ]
    best = [list(map(first, numbered(fits))) for fits in found]
    true = np.array([[fit.r2 for fit in fits] for fits in best]).std(axis=0)
    told = np.array([[fit.error for fit in fits] for fits in best]).mean(axis=0)
    ratio = told / true
    assert 0.7 < np.median(ratio) < 1.4
    assert ratio.min() > 0.4
    assert ratio.max() < 2.5


def test_inputs_of_one_image_are_not_taken_for_independent() -> None:
    functions = wavy(6)
    rng = np.random.default_rng(0)
    # Fifty inputs an image, all near each other, told in no order.
    of = rng.permutation(np.repeat(np.arange(40), 50))
    inputs = (rng.normal(0, 0.8, (40, 6))[of] + rng.normal(0, 0.1, (2000, 6))).clip(-2, 2)
    told = SeenPatches(functions.name, 40, inputs, of)
    alone = SeenPatches(functions.name, 2000, inputs)
    errors, less = (
        np.array([first(ranks).error for ranks in numbered(symbolic(functions, s, forms="cube"))])
        for s in (told, alone)
    )
    assert np.median(errors / less) > 3
    with pytest.raises(ValueError, match=r"expected \(2000,\) whole numbers"):
        symbolic(functions, SeenPatches(functions.name, 40, inputs, of[:7]))


def test_of_forms_that_chance_does_not_part_the_simplest_comes_first_and_ties_are_told() -> None:
    functions = wavy(60)
    few, many = (
        symbolic(functions, seen(functions, np.random.default_rng(0).normal(0, 0.7, (n, 60))))
        for n in (20, 2000)
    )
    simpler = 0
    for i in range(60):
        first, *others = few.at((0, i))
        lower = [other for other in others if other.score < first.score]
        simpler += bool(lower)
        assert all(other.form.complexity > first.form.complexity for other in lower)
    assert simpler > 0
    ties = [[any(f.tied for f in ranks) for ranks in numbered(fits)] for fits in (few, many)]
    assert np.mean(ties[0]) > np.mean(ties[1]) + 0.1
    assert few.at((0, ties[0].index(True)))[0].form.name in str(few)


def test_one_image_gives_a_form_and_no_doubt_to_rely_on() -> None:
    functions = wavy(3)
    inputs = np.random.default_rng(0).normal(0, 0.7, (500, 3))
    fits = symbolic(functions, SeenPatches(functions.name, 1, inputs))
    assert all(np.isnan(first(ranks).error) for ranks in numbered(fits))
    assert "Too few samples" in str(fits)
    few, enough = (str(symbolic(functions, seen(functions, inputs[:n]))) for n in (31, 32))
    assert ("Too few samples" in few, "Too few samples" in enough) == (True, False)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (0.98765, 3e-3, "0.98"),
        (0.98765, 4e-4, "0.987"),
        (0.98765, 1e-7, "0.9876"),
        (0.99996, 3e-3, "0.99"),
        (0.98765, 0.4, "0.9"),
        (1.0, 0.0, "1.0000"),
        (-0.25, 0.01, "−0.3"),
        (0.98765, float("nan"), "0.9"),
        (float("nan"), 0.1, "–"),
    ],
)
def test_r2_prints_the_digits_that_hold(value: float, error: float, words: str) -> None:
    assert r2_text(value, error) == words


def numbered(fits: SymbolicFits) -> list[list[SymbolicFit]]:
    return [fits.at(index) for index in np.ndindex(fits.shape)]


def first(fits: list[SymbolicFit]) -> SymbolicFit:
    return fits[0]
