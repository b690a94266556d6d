"""Formulas of whole networks, and forms put in place of functions."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import sympy  # type: ignore[import-untyped]
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.insight import Form, Formula, fix, formula, symbolic

LOW, HIGH = 0.25, 2.0


@pytest.fixture(scope="module")
def multiplier() -> tuple[nn.Module, torch.Tensor]:
    """Train the network 3 → 1 → 1 on x·y·z."""
    torch.manual_seed(1)
    xyz = LOW + (HIGH - LOW) * torch.rand(1000, 3)
    product = xyz.prod(dim=1, keepdim=True)
    inner = kw.nn.KANLinear(3, 1, grid_size=6, grid_range=(LOW, HIGH))
    outer = kw.nn.KANLinear(1, 1, grid_size=6)
    model = nn.Sequential(OrderedDict(inner=inner, outer=outer))
    optimizer = torch.optim.LBFGS(
        model.parameters(), max_iter=20, history_size=20, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss: torch.Tensor = (model(xyz) - product).square().mean()
        loss.backward()
        return loss

    for epoch in range(30):
        if epoch < 16 and epoch % 2 == 0:
            sums = inner(xyz).detach()
            outer.update_grid(sums, grid_eps=1.0, margin=0.05, optimizer=optimizer)
        optimizer.step(closure)
    return model, xyz


def formed(found: Formula) -> list[str]:
    """Return the forms of a formula's terms, by name."""
    return sorted(fit.form.name for fit in found.fits if fit.form.name != "constant")


def test_a_product_is_found_and_nearer_to_the_truth_than_the_network(multiplier) -> None:
    model, xyz = multiplier
    found = formula(model, xyz, names=["x", "y", "z"])
    assert formed(found) == ["exp", "log", "log", "log"]
    rows = LOW + (HIGH - LOW) * np.random.default_rng(5).random((400, 3))
    product = rows.prod(axis=1)
    with torch.no_grad():
        y = model(torch.from_numpy(rows).float())[:, 0].double().numpy()
    left, networks = (np.square(one - product).mean() for one in (found(rows)[:, 0], y))
    assert left < 0.5 * networks
    # The expression itself, with sympy's numbers.
    [expression] = found.sympy
    at = dict(zip(sympy.symbols("x y z"), (0.7, 1.5, 1.1), strict=True))
    assert float(expression.subs(at)) == pytest.approx(0.7 * 1.5 * 1.1, abs=0.01)


def test_its_error_is_that_of_the_printed_expression_on_rows_held_out(multiplier) -> None:
    model, xyz = multiplier
    found = formula(model, xyz, digits=2)
    assert len(found.held_out) == 250
    rows = xyz.double().numpy()[found.held_out]
    with torch.no_grad():
        y = model(xyz)[:, 0].double().numpy()[found.held_out]
    symbols = sympy.symbols("x0 x1 x2")
    values = np.array(
        [float(found.sympy[0].subs(dict(zip(symbols, row, strict=True)))) for row in rows[:60]]
    )
    assert found(rows[:60])[:, 0] == pytest.approx(values, rel=1e-9)
    rest = found(rows)[:, 0] - y
    assert found.error[0] == pytest.approx(np.sqrt(np.square(rest).mean()), rel=1e-12)
    assert found.largest[0] == np.abs(rest).max()
    assert found.r2[0] == pytest.approx(1 - np.square(rest).mean() / y.var(), rel=1e-12)
    assert found.unexplained == pytest.approx(1 - found.r2[0])
    assert "over 250 inputs held out" in str(found)
    assert "<table>" in found._repr_html_()


def test_the_front_is_shorter_or_nearer_and_its_chosen_one_is_marked(multiplier) -> None:
    model, xyz = multiplier
    found = formula(model, xyz)
    lengths, errors = ([row[name] for row in found.table()] for name in ("length", "unexplained"))
    assert len(found.front) > 2
    assert lengths == sorted(set(lengths))
    assert errors == sorted(errors, reverse=True)
    assert errors[0] == pytest.approx(1, abs=0.05)  # a constant
    assert [row["chosen"] for row in found.table()].count(True) == 1
    assert found.length in lengths
    assert all(one.front == () and one.names == found.names for one in found.front)


def test_its_source_and_latex_say_what_it_says(multiplier) -> None:
    model, xyz = multiplier
    rows = xyz.double().numpy()
    for found in formula(model, xyz, names=["u", "v", "w"]).front:
        space: dict[str, Any] = {}
        exec(found.source, space)
        values = np.broadcast_to(space["formula"](*rows.T), len(rows))
        assert values == pytest.approx(found(rows)[:, 0], rel=1e-9)
        assert found.latex == (sympy.latex(found.sympy[0]),)


def planted(*layers: list[list[Any]]) -> nn.Module:
    """Return a network whose functions are given, nearly exactly, by layer, output and input."""
    made = []
    for functions in layers:
        layer = kw.nn.KANLinear(
            len(functions[0]), len(functions), grid_size=60, grid_range=(-3, 3), dtype=torch.float64
        )
        x = torch.linspace(-3, 3, 500, dtype=torch.float64)
        with torch.no_grad():
            layer.base_weight.zero_()
            beta = layer.basis.expand(x)
            for o, row in enumerate(functions):
                for i, phi in enumerate(row):
                    layer.spline_weight[o, i] = torch.linalg.lstsq(beta, phi(x)[:, None])[0][:, 0]
        made.append(layer)
    return nn.Sequential(*made)


def test_any_formula_can_be_put_into_the_network_and_taken_back() -> None:
    model = planted(
        [[torch.sin, torch.square], [lambda x: x, lambda x: -x]],
        [[torch.tanh, lambda x: x**3 / 20]],
    )
    x = 2 * torch.rand(500, 2, dtype=torch.float64) - 1
    found, live = formula(model, x), kw.bind(model)
    with torch.no_grad():
        before = model(x)
        for one in (found, found.front[1]):
            put = one.put(live)
            assert len(put) == 6
            left = model(x)[:, 0].numpy() - one(x.numpy())[:, 0]
            assert np.square(left).mean() < (1e-5 + 0.2 * one.unexplained) * float(before.var())
            for _ in put:
                live.edits.undo()
            assert torch.equal(model(x), before)


def test_planted_functions_come_back_with_their_numbers() -> None:
    model = planted(
        [[lambda x: torch.sin(torch.pi * x), lambda x: x**2 / 2]],
        [[torch.tanh]],
    )
    x = 2 * torch.rand(600, 2, dtype=torch.float64) - 1
    found = formula(model, x, names=["s", "t"])
    s, t = sympy.symbols("s t")
    assert found.sympy[0] == sympy.tanh(sympy.sin(sympy.pi * s) + t**2 / 2)
    assert found.unexplained < 1e-5
    assert found.terms == {"sin of s": 1, "square of t": 1, "tanh of a sum": 1}


def test_numbers_that_are_not_simple_stay_as_they_are() -> None:
    model = planted([[lambda x: 0.73 * torch.sin(2.71 * x)]])
    found = formula(model, 2 * torch.rand(400, 1, dtype=torch.float64) - 1, digits=3)
    assert found.sympy[0] == 0.73 * sympy.sin(2.71 * sympy.Symbol("x0"))


def test_what_a_form_alone_cannot_show_the_whole_does() -> None:
    # Each of two units has half of a wave: only together they are one.
    model = planted(
        [
            [lambda x: torch.sin(3 * x) + 0.3 * torch.sin(9 * x)],
            [lambda x: torch.sin(3 * x) - 0.3 * torch.sin(9 * x)],
        ],
        [[lambda x: x / 2, lambda x: x / 2]],
    )
    x = 2 * torch.rand(600, 1, dtype=torch.float64) - 1
    for functions, inputs in ((kw.functions.read(model)[0], x),):
        seen = kw.insight.SeenPatches(functions.name, len(x), inputs.numpy())
        assert all(r[0].r2 < 0.999 for r in symbolic(functions, seen).found.values())
    assert formula(model, x).unexplained < 1e-5


def wave(x: torch.Tensor) -> torch.Tensor:
    """Return a curve that is like no form of the library."""
    return torch.sin(2 * x) + 0.5 * torch.cos(6 * x)


def test_where_no_form_holds_the_spline_is_kept_beside_the_forms_that_do() -> None:
    model = planted([[wave, torch.square]])
    x = 2 * torch.rand(500, 2, dtype=torch.float64) - 1
    found = formula(model, x, names=["s", "t"])
    assert found.unexplained < 1e-3
    assert found.terms == {"spline of s": 1, "square of t": 1}
    [term] = found.sympy[0].atoms(sympy.Function)
    assert str(term) == "phi0_0_0(s)"
    assert r"\phi_{0 0 0}" in found.latex[0]
    # What is left if it may not be kept: a form alone leaves more.
    forms = [one for one in found.front if "spline of s" not in one.terms]
    assert min(one.unexplained for one in forms) > 0.01
    space: dict[str, Any] = {}
    exec(found.source, space)
    assert space["formula"](*x.numpy().T) == pytest.approx(found(x.numpy())[:, 0], rel=1e-9)
    live = kw.bind(model)
    with torch.no_grad():
        before = model(x)
        found.put(live)
        left = model(x)[:, 0].numpy() - found(x.numpy())[:, 0]
    assert np.square(left).mean() < 1e-4 * float(before.var())


def test_a_network_of_which_no_form_holds_is_as_near_by_its_splines() -> None:
    model = planted(
        [[wave, lambda x: wave(-x)], [lambda x: wave(x + 1), wave]],
        [[lambda x: wave(x / 3), lambda x: wave(1 - x / 3)]],
    )
    x = 2 * torch.rand(600, 2, dtype=torch.float64) - 1
    found = formula(model, x)
    assert found.unexplained < 0.01
    assert "spline of a sum" in found.terms


def test_of_several_networks_it_says_which_terms_are_in_few() -> None:
    def network(second: Any) -> nn.Module:
        return planted([[lambda x: 2 * torch.sin(3 * x), second]])

    odd = network(lambda x: 0.1 * torch.tanh(4 * x))
    models = [network(torch.square), network(torch.square), odd]
    x = 2 * torch.rand(400, 2, dtype=torch.float64) - 1
    found = formula(models, x)
    assert found.networks == 3
    assert found.terms == {"sin of x0": 3, "square of x1": 2, "tanh of x1": 1}
    [row] = [row for row in found.table() if row["chosen"]]
    assert row["terms"] == {"sin of x0": "3 of 3", "square of x1": "2 of 3"}
    assert "Not to be believed: tanh of x1." in str(found)
    assert "Not to be believed" in found._repr_html_()
    assert "x1**2" in str(found.sympy[0])


def test_norms_and_biases_are_part_of_the_formula() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.BatchNorm1d(2), nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 2), nn.BatchNorm1d(2)
    )
    for norm in (model[0], model[2], model[4]):
        nn.init.uniform_(norm.running_mean, -1, 1)
        nn.init.uniform_(norm.running_var, 0.5, 2)
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.uniform_(norm.bias, -1, 1)
    x = torch.randn(40, 2)
    model.train()
    found = formula(model, x)
    assert model.training
    with torch.no_grad():
        y = model.eval()(x).numpy()
    assert found(x.numpy()) == pytest.approx(y, abs=1e-4)
    assert all(expression.is_polynomial() for expression in found.sympy)


def test_a_model_that_is_no_chain_is_refused_in_words() -> None:
    x = torch.randn(30, 2)
    with pytest.raises(ValueError, match=r"between 0 and 2 something is done that is no multiple"):
        formula(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), x)
    with pytest.raises(ValueError, match=r"after 0 something is done"):
        formula(nn.Sequential(nn.Linear(2, 3), nn.Softmax(1)), x)
    with pytest.raises(ValueError, match=r"300 functions"):
        formula(nn.Linear(2, 150), x)
    with pytest.raises(ValueError, match="names"):
        formula(nn.Linear(2, 1), x, names=["x", "x"])
    conv = nn.Sequential(nn.Unflatten(1, (1, 2, 1)), nn.Conv2d(1, 1, (2, 1)), nn.Flatten())
    with pytest.raises(ValueError, match="no dense layer"):
        formula(conv, x)
    with pytest.raises(TypeError, match=r"x of type ndarray: expected a tensor "):
        formula(nn.Linear(2, 1), x.numpy())


def test_a_form_of_one_s_own_stands_in_the_formula_and_is_evaluated() -> None:
    layer = nn.Linear(1, 1)
    own = Form("mine", sympy.erf(sympy.Symbol("s")), "erf({})")
    found = formula(layer, torch.rand(20, 1), names=["t"], forms=[own])
    assert "erf(" in str(found.sympy[0])
    assert found.error[0] < 0.01


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_layers_of_another_library_can_be_written_too() -> None:
    import flashkan

    torch.manual_seed(0)
    model = nn.Sequential(flashkan.KANLayer(2, 2), flashkan.KANLayer(2, 1)).double()
    x = torch.rand(200, 2, dtype=torch.float64) - 0.5
    found = formula(model, x)
    with torch.no_grad():
        y = model(x)[:, 0].numpy()
    assert found.unexplained < 1e-3
    rest = (found(x.numpy())[:, 0] - y)[found.held_out]
    assert np.abs(rest).max() == pytest.approx(found.largest[0])


class Live:
    """A KAN layer, bound, with inputs."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(kw.nn.KANLinear(3, 2, grid_size=10, spline_scaler=True))
        nn.init.normal_(self.model[0].spline_weight)
        self.live = kw.bind(self.model)
        self.x = 2 * torch.rand(600, 3) - 1
        self.seen = self.live.observe(self.x)["0"]

    def phi(self, index: tuple[int, int]) -> np.ndarray:
        [functions] = kw.functions.read(self.model)
        return functions.evaluate(self.x[:, index[1]])[index].double().numpy()


def test_a_fixed_function_is_the_form_as_nearly_as_said_and_only_it_changes() -> None:
    s = Live()
    others = {at: s.phi(at) for at in np.ndindex(2, 3) if at != (1, 2)}

    def bump(x):
        return np.exp(-((4 * x) ** 2))

    fixed = fix(s.live, "0", (1, 2), bump, observed=s.seen)
    x = s.x[:, 2].double().numpy()
    rest = s.phi((1, 2)) - bump(x)
    assert fixed.error == pytest.approx(np.sqrt(np.square(rest).mean()), rel=1e-3)
    assert fixed.largest == pytest.approx(np.abs(rest).max(), rel=1e-3)
    assert fixed.share == pytest.approx(fixed.error / bump(x).std(), rel=1e-9)
    assert 1e-4 < fixed.share < 0.05  # ten intervals cannot be a bump exactly, but nearly
    assert (fixed.samples, fixed.points, fixed.form) == (600, 600, "bump")
    assert f"is now bump, off by {fixed.error:.2g}, {100 * fixed.share:.2g} %" in repr(fixed)
    for at, before in others.items():
        assert np.array_equal(s.phi(at), before)


def test_no_coefficients_are_nearer_to_the_form() -> None:
    s = Live()
    fixed = fix(s.live, "0", (0, 1), np.tanh, observed=s.seen)
    [functions] = kw.functions.read(s.model)
    x = s.x[:, 1].double()
    beta = functions.bases[0](x).numpy()[:, 1:]  # without the base
    best = np.linalg.lstsq(beta, np.tanh(x.numpy()), rcond=None)[0]
    least = np.sqrt(np.square(beta @ best - np.tanh(x.numpy())).mean())
    # The rest of the domain has a hundredth of the weight.
    assert least <= fixed.error * (1 + 1e-9)
    assert fixed.error < 1.05 * least + 1e-9


def test_fixing_is_an_edit_that_can_be_undone_and_done_again() -> None:
    s = Live()
    before, x = s.phi((0, 0)), s.x[:, 0].double().numpy()
    fixed = fix(s.live, "0", (0, 0), "line", observed=s.seen)
    after = s.phi((0, 0))
    assert after == pytest.approx(np.polyval(np.polyfit(x, before, 1), x), abs=1e-3)
    assert not np.allclose(before, after)
    s.live.edits.undo()
    assert s.phi((0, 0)) == pytest.approx(before, abs=1e-6)
    s.live.edits.redo()
    assert np.array_equal(s.phi((0, 0)), after)
    assert np.array_equal(s.live.edits.latest.after, fixed.after)


def test_a_fit_knows_where_it_belongs() -> None:
    s = Live()
    [functions] = s.live.read()
    fit = symbolic(functions, s.seen).at((1, 1))[0]
    fixed = fix(s.live, fit)
    assert (fixed.layer, fixed.index, fixed.samples) == ("0", (1, 1, 0, 0), 0)
    x = s.x[:, 1].double().numpy()
    assert np.abs(s.phi((1, 1)) - fit(x)).max() < 3 * fixed.largest + 1e-6


def test_a_fixed_function_stays_small_beyond_the_inputs_whatever_the_form() -> None:
    s = Live()
    narrow = s.live.observe(0.83 * s.x)["0"]
    for form in (np.tanh, lambda x: np.maximum(8 * x - 3, 0), lambda x: 1.0 * (x > 0.1)):
        fixed = fix(s.live, "0", (0, 0), form, observed=narrow)
        assert fixed.after[0] == 0  # the base
        assert np.abs(fixed.after).max() < 4 * max(np.abs(form(np.linspace(-1.8, 1.8, 99))))
        [functions] = s.live.read()
        assert functions.evaluate(torch.linspace(-3, 3, 200))[0, 0].abs().max() < 20


def test_splines_that_no_input_reaches_keep_their_coefficients() -> None:
    s = Live()
    right = s.x.abs() * 0.7 + 0.3
    fixed = fix(s.live, "0", (0, 0), np.log, observed=s.live.observe(right)["0"])
    assert fixed.share < 0.01
    # B_b reaches from −1.6 + 0.2·b to −0.8 + 0.2·b; log is there from 0 on; the base comes first.
    assert np.abs(fixed.after - fixed.before)[1 : 1 + 4].max() < 1e-7  # float32
    assert np.abs(fixed.after - fixed.before)[1 + 6 :].min() > 1e-3


def test_a_layer_that_cannot_be_written_is_refused_and_nothing_changes() -> None:
    s = Live()
    [functions] = s.live.read()

    class ReadOnly:
        edits = s.live.edits

        def read(self):
            return [
                kw.functions.LayerFunctions(
                    "linear",
                    functions.coefficients,
                    functions.bases,
                    name="0",
                    locked="its functions are shared",
                )
            ]

    before = s.phi((0, 0))
    with pytest.raises(ValueError, match="0 cannot be edited: its functions are shared"):
        fix(ReadOnly(), "0", (0, 0), np.sin, observed=s.seen)
    assert np.array_equal(s.phi((0, 0)), before)
    assert s.live.edits.done == ()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("1", (0, 0), np.sin), KeyError, "the layers are '0'"),
        (("0", (0, 5), np.sin), IndexError, "has 2 × 3 × 1 × 1"),
        (("0", (0, 0), np.log), ValueError, "log is not a finite number at every input"),
        (("0", (0, 0), 3.0), TypeError, "form=3.0: expected a fit, "),
        (("0",), TypeError, "a layer, an index and a form"),
        (("0", (0, 0), "lime"), ValueError, "forms=.*'lime'.*: expected some of "),
    ],
)
def test_what_cannot_be_fixed_is_refused_in_words(arguments, error, words) -> None:
    s = Live()
    with pytest.raises(error, match=words):
        fix(s.live, *arguments, observed=s.seen)
    with pytest.raises(TypeError, match="nothing was observed"):
        fix(s.live, "0", (0, 0), "line")
    assert s.live.edits.done == ()
