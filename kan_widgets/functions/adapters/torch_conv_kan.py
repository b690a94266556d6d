"""Read the two-dimensional convolutions of IvanDrokin/torch-conv-kan.

Each is a base convolution plus one over the basis functions of its input, one pair per
group; a norm and an activation come after. The basis is padded, not the input. Channels of the
second convolution are numbered c·nb + b, or b·C + c where polynomials of one degree lie
together (``degrees_first``). `torch_conv_kan_classes` says which class is read how.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.activation import named_activation
from kan_widgets.functions.adapters.fast_kan import gaussians
from kan_widgets.functions.adapters.torch_layers import conv_settings
from kan_widgets.functions.basis import Alike, BaseOnly, LayerBasis, ReadBasis
from kan_widgets.functions.gradients import gradient_of
from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.plain import ConvSettings
from kan_widgets.functions.remembered import floats, remembered
from kan_widgets.functions.smooth import Gram, Jacobi, SquaredReLU
from kan_widgets.functions.terms import join_terms, set_term, terms_of
from kan_widgets.nn import Chebyshev

# -- weights as coefficients ------------------------------------------------------------


def _weights(convs: Any, of: Callable[[Tensor], Tensor] = Tensor.detach) -> list[Tensor]:
    """Return each group's weight: of a list of convolutions, of one, or of one tensor."""
    if isinstance(convs, Tensor):
        return list(of(convs))
    parts: Any = convs if isinstance(convs, nn.ModuleList | list) else [convs]
    return [of(part.weight) for part in parts]


def _by_function(weight: Tensor, nb: int, degrees_first: bool) -> Tensor:
    """View one group's weight, (out, in·nb, kh, kw), as (out, in, kh, kw, nb)."""
    out, _, kh, kw = weight.shape
    if degrees_first:
        return weight.view(out, nb, -1, kh, kw).movedim(1, -1)
    return weight.view(out, -1, nb, kh, kw).movedim(2, -1)


def _terms(
    base: Any,
    others: Any,
    nb: int,
    degrees_first: bool = False,
    of: Callable[[Tensor], Tensor] = Tensor.detach,
) -> tuple[Tensor | None, Tensor]:
    """Return the base, ``(out, in, kh, kw)``, if there is one, and ``(out, in, kh, kw, nb)``."""
    own = _below([_by_function(w, nb, degrees_first) for w in _weights(others, of)])
    return None if base is None else _below(_weights(base, of)), own


def _below(groups: list[Tensor]) -> Tensor:
    """Return the tensors of groups below each other; that of a single one is not copied."""
    return groups[0] if len(groups) == 1 else torch.cat(groups)


def _write(
    base: Any,
    others: Any,
    nb: int,
    degrees_first: bool,
    index: tuple[int, ...],
    coefficients: Tensor,
) -> None:
    o, *rest = index
    group, o = divmod(o, len(_weights(others if others is not None else base)[0]))
    place = (o, *rest)
    if others is not None:
        own = _by_function(_weights(others)[group], nb, degrees_first)[place]
        set_term(own, coefficients[len(coefficients) - nb :], None, "")
    if base is not None:
        set_term(_weights(base)[group][place], coefficients[0], None, "")


def _conv(
    module: Any,
    basis: ReadBasis | tuple[tuple[ReadBasis, ...], Tensor | None],
    base: Any,
    others: Any,
    nb: int,
    *,
    degrees_first: bool = False,
    **more: Any,
) -> LayerFunctions:
    bases, index = basis if isinstance(basis, tuple) else ((basis,), None)
    return LayerFunctions(
        "conv",
        terms_of(*_terms(base, others, nb, degrees_first)),
        bases,
        index,
        conv=settings_of(module),
        write=partial(_write, base, others, nb, degrees_first),
        gradient=lambda: join_terms(*_terms(base, others, nb, degrees_first, gradient_of)),
        **more,
    )


def _base(module: Any, activation: Any, near: ReadBasis, **more: Any) -> LayerFunctions:
    weight = _below(_weights(module.base_conv)).unsqueeze(-1)
    return LayerFunctions(
        "conv",
        weight,
        (BaseOnly(activation, near.domain, near.extent),),
        name="base_conv",
        conv=settings_of(module),
        write=partial(_write, module.base_conv, None, 0, False),
        gradient=lambda: _below(_weights(module.base_conv, gradient_of)).unsqueeze(-1),
        **more,
    )


def settings_of(module: Any) -> ConvSettings:
    """Return how a layer's convolutions are applied."""
    found = getattr(module, "base_conv", None)
    if found is None:
        found = module.poly_conv
    one: Any = found[0] if isinstance(found, nn.ModuleList | list) else found
    plain = conv_settings(one)
    return ConvSettings(
        stride=plain.stride,
        padding=plain.padding,
        dilation=plain.dilation,
        groups=module.groups,
        pads_basis=True,
    )


# -- the layers -------------------------------------------------------------------------


def read_spline(module: Any) -> LayerFunctions:
    """Read ``KANConv2DLayer``: splines on even knots, with a GELU as base by default."""
    activation = named_activation(module.base_activation)
    nb = module.grid_size + module.spline_order

    def make() -> ReadBasis:
        return LayerBasis(GridSpline(floats(module.grid), module.spline_order), activation)

    basis = remembered(module, "grid", [module.grid], (module.spline_order, activation), make)
    return _conv(module, basis, module.base_conv, module.spline_conv, nb, note=_after(module))


def read_fast(module: Any) -> list[LayerFunctions]:
    """Read ``FastKANConv2DLayer``: Gaussians of the normalised x, and a base of x itself."""
    activation = named_activation(module.base_activation)
    bumps = gaussians(module, module.rbf)
    basis, nb = LayerBasis(bumps), bumps.n_basis
    norm = type(module.layer_norm[0]).__name__.rstrip("123d")
    if norm == "Identity":
        both = LayerBasis(bumps, activation)
        return [_conv(module, both, module.base_conv, module.spline_conv, nb)]
    return [
        _conv(
            module,
            basis,
            None,
            module.spline_conv,
            nb,
            name="spline_conv",
            variable=f"{norm}(x)",
            note="The base term, of x itself, is base_conv.",
            x_at=Tap((module.rbf,)),
        ),
        _base(module, activation, basis, note=f"The Gaussians, of {norm}(x), are spline_conv."),
    ]


def read_chebyshev(module: Any) -> LayerFunctions:
    """Read ``KACNConv2DLayer``: Chebyshev polynomials of tanh x, without a base."""
    basis = LayerBasis(Chebyshev(module.degree))
    return _conv(module, basis, None, module.poly_conv, module.degree + 1, note=_after(module))


def read_gram(module: Any) -> LayerFunctions:
    """Read ``KAGNConv2DLayer`` or its second version: activated Gram polynomials of tanh x."""
    activation = named_activation(module.base_activation)
    basis = LayerBasis(gram_basis(module, module.degree, activation), activation)
    others = module.poly_conv if hasattr(module, "poly_conv") else module.poly_weights
    return _conv(
        module,
        basis,
        module.base_conv,
        others,
        module.degree + 1,
        degrees_first=True,
        note=_after(module),
    )


def gram_basis(module: Any, degree: int, activation: Any) -> Gram:
    """Return the polynomials, whose shifts are trained: they may differ in every frame."""

    def make() -> Gram:
        betas = floats(module.beta_weights)
        shifts = []
        for m in range(2, degree + 1):
            n = m - 1
            factor = ((m + n) * (m - n) * n**2) / (m**2 / (4.0 * n**2 - 1.0))
            shifts.append(factor * betas[n])
        return Gram(tuple(shifts), activation)

    return remembered(module, "gram", [module.beta_weights], (degree, activation), make)


def read_jacobi(module: Any) -> LayerFunctions:
    """Read ``KAJNConv2DLayer``: Jacobi polynomials of tanh x, and x itself as base."""
    basis = LayerBasis(Jacobi(module.degree, float(module.a), float(module.b)), "identity")
    return _conv(
        module,
        basis,
        module.base_conv,
        module.poly_weights,
        module.degree + 1,
        degrees_first=True,
        note=_after(module),
    )


def read_relu(module: Any) -> LayerFunctions:
    """Read ``ReLUKANConv2DLayer``: squared ReLU bumps, each input channel with its own."""
    activation = named_activation(module.base_activation)
    channels, nb = module.phase_low.shape[1:3]
    kernel = module.base_conv[0].weight.shape
    shape = (module.groups * kernel[0], *kernel[1:])
    basis = relu_bases(module, nb, shape, lambda rows: rows.reshape(1, channels, 1, 1), activation)
    return _conv(module, basis, module.base_conv, module.relukan_conv, nb, note=_after(module))


def relu_bases(
    module: Any,
    nb: int,
    shape: tuple[int, ...],
    arrange: Callable[[Tensor], Tensor],
    activation: Any = None,
) -> tuple[tuple[ReadBasis, ...], Tensor | None]:
    """Return the bumps of each input, equal ones once; they may be trained."""

    def make() -> tuple[tuple[ReadBasis, ...], Tensor | None]:
        low, high = (
            phase.detach().to("cpu", torch.float64).reshape(-1, nb)
            for phase in (module.phase_low, module.phase_high)
        )
        both = torch.cat([low, high], dim=1)
        index = None
        if bool((both == both[:1]).all()):
            both = both[:1]
        else:
            both, inverse = torch.unique(both, dim=0, return_inverse=True)
            index = arrange(inverse).expand(shape)
        found: list[ReadBasis] = []
        for row in both.tolist():
            half = len(row) // 2
            bumps = SquaredReLU(tuple(row[:half]), tuple(row[half:]), float(module.r))
            found.append(LayerBasis(bumps, activation))
        return Alike(found), index

    key = (shape, activation, float(module.r))
    return remembered(module, "phases", [module.phase_low, module.phase_high], key, make)


def read_bottleneck_gram(module: Any) -> list[LayerFunctions]:
    """Read ``BottleNeckKAGNConv2DLayer``: polynomials of a projection, and a base of x."""
    activation = named_activation(module.base_activation)
    basis = LayerBasis(gram_basis(module, module.degree, activation))
    return [
        _conv(
            module,
            basis,
            None,
            module.poly_weights,
            module.degree + 1,
            degrees_first=True,
            **_projected(module, "poly_weights"),
        ),
        _base(module, activation, basis, note=_after(module)),
    ]


def read_bottleneck_relu(module: Any) -> list[LayerFunctions]:
    """Read ``BottleNeckReLUKANConv2DLayer``: bumps of a projection, and a base of x."""
    activation = named_activation(module.base_activation)
    channels, nb = module.phase_low.shape[1:3]
    kernel = module.relukan_conv[0].weight.shape
    shape = (module.groups * kernel[0], channels, *kernel[2:])
    bases = relu_bases(module, nb, shape, lambda rows: rows.reshape(1, channels, 1, 1))
    return [
        _conv(module, bases, None, module.relukan_conv, nb, **_projected(module, "relukan_conv")),
        _base(module, activation, bases[0][0], note=_after(module)),
    ]


def _projected(module: Any, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "variable": "inner_proj(x)",
        "note": "out_proj mixes the sums of these functions; base_conv is added to that.",
        "x_at": Tap(tuple(module.inner_proj), "output"),
    }


def _after(module: Any) -> str:
    norm = module.layer_norm
    one = norm[0] if isinstance(norm, nn.ModuleList) else norm
    return f"{type(one).__name__} and an activation come after the sum." if one is not None else ""
