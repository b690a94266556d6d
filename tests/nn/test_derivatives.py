"""Every way in which torch differentiates, against float64 autograd of formulas written here."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import forward_ad
from torch.autograd import functional as AF
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vjp, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode

from kan_widgets.nn import RBF, BSpline, Chebyshev, Fourier, KANConv2d, KANLinear, KnotSpline
from kan_widgets.nn.compiled import local, native

# Torch's own, when it first differentiates forward: a DeprecationWarning, later a FutureWarning.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script(_method)?` is deprecated")


@dataclass(frozen=True)
class Powers:
    """A basis of a reader's own."""

    n_basis = 3
    labels = ("1", "x", "x²")
    domain = (-1.0, 1.0)

    def expand(self, x):
        return torch.stack([torch.ones_like(x), x, x * x], dim=-1)

    def derivative(self, x):
        return torch.stack([torch.zeros_like(x), torch.ones_like(x), 2 * x], dim=-1)


UNEVEN = (-3.0, -2.0, -1.5, -1.0, 0.0, 0.25, 1.0, 1.5, 2.5, 4.0)
# Knots that are exact in float32, so that an input can lie on them.
BASES = {
    **{f"even, order {order}": BSpline(4, order, (-1.0, 1.0)) for order in (0, 1, 2, 3, 5)},
    **{f"uneven, order {order}": KnotSpline(UNEVEN, order) for order in (1, 2, 3)},
    "rbf": RBF(4),
    "chebyshev": Chebyshev(4),
    "fourier": Fourier(2),
    "own": Powers(),
}


def splines(x, knots, order):
    """Cox and de Boor's recursion, a spline at a time."""

    @functools.cache
    def spline(j, k):
        if k == 0:
            inside = (x >= knots[j]) & (x < knots[j + 1])
            # Functions that are steps cover the grid whole.
            last = order == 0 and j == len(knots) - 2
            return (inside | (last & (x == knots[-1]))).to(x.dtype)
        up = (x - knots[j]) / (knots[j + k] - knots[j])
        down = (knots[j + k + 1] - x) / (knots[j + k + 1] - knots[j + 1])
        return up * spline(j, k - 1) + down * spline(j + 1, k - 1)

    return [spline(j, order) for j in range(len(knots) - order - 1)]


def expected_basis(basis, x):
    if isinstance(basis, (BSpline, KnotSpline)):
        values = splines(x, basis.knots, basis.spline_order)
    elif isinstance(basis, RBF):
        values = [(-(((x - c) / (4 / 3)) ** 2)).exp() for c in (-2, -2 / 3, 2 / 3, 2)]
    elif isinstance(basis, Chebyshev):
        t = x.tanh()
        values = [t**0, t, 2 * t**2 - 1, 4 * t**3 - 3 * t, 8 * t**4 - 8 * t**2 + 1]
    elif isinstance(basis, Fourier):
        values = [x**0, x.cos(), x.sin(), (2 * x).cos(), (2 * x).sin()]
    else:
        values = [x**0, x, x**2]
    return torch.stack(values, dim=-1)


def expected(layer, x, base_weight, spline_weight):
    """The layer's formula: Σ φ over a row, or over each patch of the image padded by zeros."""
    if isinstance(layer, KANConv2d):
        rows = F.unfold(x, 3, padding=1).transpose(1, 2)
    else:
        rows = x.unsqueeze(-2)
    base, spline = base_weight.flatten(1), spline_weight.flatten(1, -2)
    act = rows * torch.sigmoid(rows)
    out = act @ base.T + torch.einsum("...ib,oib->...o", expected_basis(layer.basis, rows), spline)
    if isinstance(layer, KANConv2d):
        return out.transpose(1, 2).unflatten(2, x.shape[-2:])
    return out.squeeze(-2)


LAYERS = {
    "KANLinear": (lambda basis: KANLinear(3, 2, basis=basis), (4, 3)),
    "KANConv2d": (lambda basis: KANConv2d(2, 2, 3, padding=1, basis=basis), (2, 2, 2, 3)),
}


@pytest.fixture(params=LAYERS)
def kind(request):
    return request.param


def layer_and_input(kind, basis):
    """Of float32, some of the input on knots."""
    make, shape = LAYERS[kind]
    torch.manual_seed(0)
    layer = make(BASES[basis])
    torch.nn.init.normal_(layer.spline_weight)
    x = 1.2 * torch.randn(shape)
    x.view(-1)[:4] = torch.tensor([-1.0, 0.0, 0.5, 1.0])
    return layer, x


@pytest.fixture(params=BASES)
def basis(request):
    return request.param


@pytest.fixture
def made(kind, basis, path):
    """A layer with its input: in float32 where that is to be compiled."""
    layer, x = layer_and_input(kind, basis)
    if path == "torch's operations":
        return layer.double(), x.double()
    return layer, x


def squares(f):
    return lambda *inputs: f(*inputs).square().sum()


def dual(f, x, v):
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(f(forward_ad.make_dual(x, v))).tangent


def batched(f, x, v, create_graph=False):
    x = x.clone().requires_grad_()
    y = f(x)
    many = torch.stack([(n * y.detach()).cos() for n in range(3)])
    (found,) = torch.autograd.grad(y, x, many, create_graph=create_graph, is_grads_batched=True)
    if not create_graph:
        return found
    return found, torch.autograd.grad(found.square().sum(), x)[0]


def mapped(f, x, v):
    """The backward pass alone within vmap."""
    x = x.clone().requires_grad_()
    y = f(x)
    many = torch.stack([(n * y.detach()).cos() for n in range(3)])
    return vmap(lambda one: torch.autograd.grad(y, x, one, retain_graph=True)[0])(many)


#: What is done with a function, an input and a direction.
WAYS = {
    "jvp": lambda f, x, v: jvp(f, (x,), (v,)),
    "vjp": lambda f, x, v: vjp(f, x)[1](f(x).detach()),
    "jacfwd": lambda f, x, v: jacfwd(f)(x),
    "jacrev": lambda f, x, v: jacrev(f)(x),
    "vmap": lambda f, x, v: vmap(f)(torch.stack([x, v])),
    "grad": lambda f, x, v: grad(squares(f))(x),
    "grad of grad": lambda f, x, v: grad(squares(grad(squares(f))))(x),
    "hessian": lambda f, x, v: hessian(squares(f))(x),
    "forward over forward": lambda f, x, v: jacfwd(jacfwd(squares(f)))(x),
    "reverse over reverse": lambda f, x, v: jacrev(jacrev(squares(f)))(x),
    "reverse over forward": lambda f, x, v: jacrev(jacfwd(squares(f)))(x),
    "dual numbers": dual,
    "batched gradients": batched,
    "batched gradients, again": lambda f, x, v: batched(f, x, v, create_graph=True),
    "gradients within vmap": mapped,
    "jacobian": lambda f, x, v: AF.jacobian(f, x),
    "jacobian, vectorize": lambda f, x, v: AF.jacobian(f, x, vectorize=True),
    "jacobian, forward": lambda f, x, v: AF.jacobian(f, x, vectorize=True, strategy="forward-mode"),
    "functional hessian": lambda f, x, v: AF.hessian(squares(f), x),
    "hessian, vectorize": lambda f, x, v: AF.hessian(squares(f), x, vectorize=True),
    "hessian, forward": lambda f, x, v: AF.hessian(
        squares(f), x, vectorize=True, outer_jacobian_strategy="forward-mode"
    ),
    "hvp": lambda f, x, v: AF.hvp(squares(f), x, v),
    "vhp": lambda f, x, v: AF.vhp(squares(f), x, v),
    "functional jvp": lambda f, x, v: AF.jvp(f, x, v),
    "functional vjp": lambda f, x, v: AF.vjp(f, x, f(x).detach()),
}


#: The way by which the formula, which is differentiated forward slowly, gives the same numbers.
SAME = {
    "jacfwd": "jacrev",
    "jacobian, forward": "jacrev",
    "jvp": "functional jvp",
    **dict.fromkeys(
        (
            *("hessian", "forward over forward", "reverse over forward"),
            *("functional hessian", "hessian, vectorize", "hessian, forward"),
        ),
        "reverse over reverse",
    ),
}


def direction(x):
    return torch.linspace(-1, 1, x.numel()).view_as(x).to(x.dtype)


@functools.cache
def of_the_formula(kind, basis):
    """What each way gives of the formula, in float64."""
    layer, x = layer_and_input(kind, basis)
    weights = [w.detach().double() for w in (layer.base_weight, layer.spline_weight)]
    x = x.double()

    def formula(x):
        return expected(layer, x, *weights)

    found = {name: way(formula, x, direction(x)) for name, way in WAYS.items() if name not in SAME}
    return found | {name: found[same] for name, same in SAME.items()}


@functools.cache
def of_the_formula_by_parameters(kind, basis):
    layer, x = layer_and_input(kind, basis)
    parameters = {name: p.detach().double() for name, p in layer.named_parameters()}

    def formula(parameters, x):
        return expected(layer, x, **parameters)

    ways = PARAMETER_WAYS | {"jacfwd": PARAMETER_WAYS["jacrev"], "hessian": hessian_in_reverse}
    return {name: way(formula, parameters, x.double()) for name, way in ways.items()}


def assert_equal(found, expected, what):
    if not isinstance(expected, torch.Tensor):
        for a, b in zip(found, expected, strict=True):
            assert_equal(a, b, what)
        return
    rounding = {torch.float32: 2e-5, torch.float64: 1e-12}[found.dtype]
    assert found.shape == expected.shape, what
    assert (found - expected).abs().max() <= rounding * max(1.0, expected.abs().max()), what


def test_derivatives_are_those_of_the_formula(made, kind, basis):
    layer, x = made
    for name, wanted in of_the_formula(kind, basis).items():
        assert_equal(WAYS[name](layer, x, direction(x)), wanted, name)


def pairs(table):
    return {(a, b): value for a, row in table.items() for b, value in row.items()}


def hessian_in_reverse(f, p, x):
    return pairs(jacrev(jacrev(squares(f)))(p, x))


#: What is done with a function of parameters and an input.
PARAMETER_WAYS = {
    "per sample": lambda f, p, x: vmap(
        grad(lambda p, row: squares(f)(p, row[None])), in_dims=(None, 0)
    )(p, x),
    "hessian": lambda f, p, x: pairs(hessian(squares(f))(p, x)),
    "jacfwd": lambda f, p, x: jacfwd(f)(p, x),
    "jacrev": lambda f, p, x: jacrev(f)(p, x),
    "vjp": lambda f, p, x: vjp(f, p, x)[1](f(p, x).detach())[0],
}


def test_derivatives_by_parameters_are_those_of_the_formula(made, kind, basis):
    layer, x = made
    parameters = {name: p.detach() for name, p in layer.named_parameters()}

    def called(parameters, x):
        return functional_call(layer, parameters, (x,))

    for name, wanted in of_the_formula_by_parameters(kind, basis).items():
        found = PARAMETER_WAYS[name](called, parameters, x)
        for key, value in wanted.items():
            assert_equal(found[key], value, f"{name} by {key}")


@pytest.mark.parametrize("basis", [name for name in BASES if name != "even, order 0"])
def test_derivatives_are_those_of_finite_differences(kind, basis):
    make, _ = LAYERS[kind]
    # Every input is moved, twice: few of them.
    shape = {"KANLinear": (2, 3), "KANConv2d": (1, 2, 2, 2)}[kind]
    torch.manual_seed(1)
    layer = make(BASES[basis]).double()
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        layer,
        (x,),
        check_forward_ad=True,
        check_batched_grad=True,
        check_batched_forward_grad=True,
    )
    assert torch.autograd.gradgradcheck(
        layer, (x,), check_fwd_over_rev=True, check_rev_over_rev=True, check_batched_grad=True
    )


def test_an_ordinary_call_is_compiled_after_all_of_this(monkeypatch):
    monkeypatch.setattr(local, "MIN_COLUMNS", 1)
    monkeypatch.setattr(native, "_wanted", True)
    calls = Counter()

    def count(name, function):
        def counted(*arguments):
            calls[name] += 1
            return function(*arguments)

        monkeypatch.setattr(local, name, counted)

    count("forward", local.forward)
    count("backward", local.backward)
    layer, x = KANLinear(3, 2), torch.randn(4, 3)
    for way in WAYS.values():
        way(layer, x, torch.ones_like(x))
    calls.clear()
    layer(x).sum().backward()
    assert calls == {"forward": 1, "backward": 1}


def test_a_traced_graph_holds_all_operations(path, kind):
    make, shape = LAYERS[kind]
    layer, x = make(BSpline()), torch.randn(shape)
    graph = make_fx(lambda x: layer(x))(x)
    other = torch.randn(shape)
    torch.testing.assert_close(graph(other), layer(other))


def test_a_counter_of_operations_sees_the_products(path):
    class Counted(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            seen[function] += 1
            return function(*args, **(kwargs or {}))

    seen = Counter()
    layer = KANConv2d(2, 3, 3)
    with Counted():
        layer(torch.randn(2, 2, 5, 5)).sum().backward()
    assert seen[torch.ops.aten.convolution.default] == 1
    assert seen[torch.ops.aten.convolution_backward.default] == 1
