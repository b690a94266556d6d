"""Read the linear layers of IvanDrokin/torch-conv-kan, and ChebyKAN's, which it includes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions.activation import named_activation
from kan_widgets.functions.adapters.torch_conv_kan import gram_basis, relu_bases
from kan_widgets.functions.attributes import missing_knots, missing_tensors
from kan_widgets.functions.basis import LayerBasis, ReadBasis
from kan_widgets.functions.gradients import term_gradients
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.registry import Sum, register_adapter
from kan_widgets.functions.remembered import grid_bases
from kan_widgets.functions.smooth import Jacobi
from kan_widgets.functions.terms import set_term, terms_of
from kan_widgets.nn import Chebyshev

LIBRARY = "torch-conv-kan"
Shapes = dict[str, tuple[int | str, ...]]


def _linear(
    base: Tensor | None,
    others: Tensor,
    bases: tuple[ReadBasis, ...],
    index: Tensor | None = None,
    note: str = "",
) -> LayerFunctions:
    """Join ``base``, (out, in), and ``others``, a view (out, in, nb) of the module's tensor."""
    return LayerFunctions(
        "linear",
        terms_of(base, others),
        bases,
        index,
        write=partial(_write, base, others),
        gradient=partial(term_gradients, base, others),
        note=note,
    )


def _write(
    base: Tensor | None, others: Tensor, index: tuple[int, ...], coefficients: Tensor
) -> None:
    if base is not None:
        set_term(base.detach()[index], coefficients[0], None, "")
        coefficients = coefficients[1:]
    set_term(others.detach()[index], coefficients, None, "")


def read_spline(module: Any) -> LayerFunctions:
    """Read ``KANLayer``: splines, with a GELU as base by default."""
    bases, index = grid_bases(
        module,
        [module.grid],
        module.spline_order,
        named_activation(module.base_activation),
        tuple(module.base_weight.shape),
        lambda rows: rows,
    )
    note = "LayerNorm and PReLU come after the sum."
    return _linear(module.base_weight, module.spline_weight, bases, index, note)


def read_chebyshev(module: Any) -> LayerFunctions:
    """Read ``ChebyKANLayer``: Chebyshev polynomials of tanh x."""
    coefficients = module.cheby_coeffs.transpose(0, 1)
    polynomials = LayerBasis(Chebyshev(coefficients.shape[-1] - 1))
    return _linear(None, coefficients, (polynomials,))


def read_gram(module: Any) -> LayerFunctions:
    """Read ``GRAMLayer``: activated Gram polynomials of tanh x, whose shifts are trained."""
    activation = named_activation(module.act)
    basis = LayerBasis(gram_basis(module, module.degrees, activation), activation)
    others = module.grams_basis_weights.transpose(0, 1)
    return _linear(module.base_weights, others, (basis,), note="LayerNorm comes after the sum.")


def read_jacobi(module: Any) -> LayerFunctions:
    """Read ``JacobiKANLayer``: Jacobi polynomials of tanh x."""
    others = module.jacobi_coeffs.transpose(0, 1)
    polynomials = Jacobi(others.shape[-1] - 1, float(module.a), float(module.b))
    basis = LayerBasis(polynomials, named_activation(module.act))
    return _linear(module.base_weights, others, (basis,), note="LayerNorm comes after the sum.")


def read_relu(module: Any) -> LayerFunctions:
    """Read ``ReLUKANLayer``: one convolution's weight holds all coefficients, input by input."""
    weight = module.equal_size_conv.weight
    inputs, nb = module.phase_low.shape
    shape = (weight.shape[0], inputs)
    bases, index = relu_bases(module, nb, shape, lambda rows: rows)
    return _linear(None, weight.view(*shape, nb), bases, index)


def _register(
    name: str,
    reader: Callable[[Any], LayerFunctions],
    needs: tuple[str, ...],
    shapes: Shapes,
    more: Callable[[Any], str] | None = None,
    sums: Callable[[nn.Module], Sequence[Sum]] | None = None,
) -> None:
    def problem(module: Any) -> str:
        for needed in needs:
            if getattr(module, needed, None) is None:
                return f"{needed} is missing"
        return missing_tensors(module, shapes) or (more(module) if more is not None else "")

    register_adapter(name, reader, library=LIBRARY, problem=problem, sums=sums)


def _before(norm: str) -> Callable[[nn.Module], Sequence[Sum]]:
    return lambda module: [Sum(("",), Tap((getattr(module, norm),)))]


def _knots(module: Any) -> str:
    sizes = {"nb": module.spline_weight.shape[-1], "knots": module.grid.shape[-1]}
    return missing_knots(module, "grid", sizes, module.spline_order)


def _packed(module: Any) -> str:
    inputs, nb = module.phase_low.shape
    shape = tuple(module.equal_size_conv.weight.shape[1:])
    if shape == (1, nb, inputs):
        return ""
    return f"equal_size_conv.weight has shape (out, {', '.join(map(str, shape))})"


_register(
    "KANLayer",
    read_spline,
    ("spline_order", "base_activation", "layer_norm", "prelu"),
    {
        "base_weight": ("out", "in"),
        "spline_weight": ("out", "in", "nb"),
        "grid": ("in", "knots"),
    },
    _knots,
    _before("layer_norm"),
)
_register("ChebyKANLayer", read_chebyshev, (), {"cheby_coeffs": ("in", "out", "nb")})
_register(
    "GRAMLayer",
    read_gram,
    ("act", "norm", "degrees"),
    {
        "base_weights": ("out", "in"),
        "beta_weights": ("nb",),
        "grams_basis_weights": ("in", "out", "nb"),
    },
    lambda module: "" if module.degrees + 1 == len(module.beta_weights) else "degrees do not fit",
    _before("norm"),
)
_register(
    "JacobiKANLayer",
    read_jacobi,
    ("act", "norm", "a", "b"),
    {"base_weights": ("out", "in"), "jacobi_coeffs": ("in", "out", "nb")},
    None,
    _before("norm"),
)
_register(
    "ReLUKANLayer",
    read_relu,
    ("r", "equal_size_conv"),
    {
        "phase_low": ("in", "nb"),
        "phase_high": ("in", "nb"),
        "equal_size_conv.weight": ("out", 1, "nb", "in"),
    },
    _packed,
    lambda module: [
        Sum(("",), Tap((module,), "output"), module.equal_size_conv.bias)  # type: ignore[union-attr, arg-type]
    ],
)
