"""Read this package's own layers."""

from __future__ import annotations

import weakref
from functools import partial

from torch import Tensor, nn

from kan_widgets.functions.basis import LayerBasis
from kan_widgets.functions.gradients import term_gradients
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.plain import ConvSettings
from kan_widgets.functions.registry import register_adapter
from kan_widgets.functions.rewriting import Rewrite, terms_rewriter
from kan_widgets.functions.terms import ALL, Part, Terms, terms_of
from kan_widgets.nn import KANConv2d, KANLayer, KANLinear, SharedKANConv2d
from kan_widgets.nn.life.changes import together
from kan_widgets.nn.ungraded import ungraded


def read_linear(module: nn.Module) -> LayerFunctions:
    """Read a `KANLinear`."""
    assert isinstance(module, KANLinear)
    coefficients, basis = _now(module)
    return LayerFunctions(
        "linear",
        coefficients,
        (basis,),
        write=partial(_write, module),
        gradient=partial(_gradient, module),
        rewriter=partial(_rewriter, weakref.ref(module), basis),
    )


def read_conv(module: nn.Module) -> LayerFunctions:
    """Read a `KANConv2d`."""
    assert isinstance(module, KANConv2d)
    coefficients, basis = _now(module)
    return LayerFunctions(
        "conv",
        coefficients,
        (basis,),
        conv=_settings(module, shared=False),
        write=partial(_write, module),
        gradient=partial(_gradient, module),
        rewriter=partial(_rewriter, weakref.ref(module), basis),
    )


def read_shared_conv(module: nn.Module) -> LayerFunctions:
    """Read a `SharedKANConv2d`: ``num_kernels`` kernels, one input channel."""
    assert isinstance(module, SharedKANConv2d)
    coefficients, basis = _now(module)
    return LayerFunctions(
        "conv",
        coefficients,
        (basis,),
        conv=_settings(module, shared=True),
        write=partial(_write, module),
        gradient=partial(_gradient, module),
        rewriter=partial(_rewriter, weakref.ref(module), basis),
        note="Each kernel is used on every input channel.",
    )


def _settings(module: KANConv2d, *, shared: bool) -> ConvSettings:
    return ConvSettings(
        stride=module.stride,
        padding=module.pads,
        dilation=module.dilation,
        padding_mode=module.padding_mode,
        groups=1 if shared else module.groups,
        shared=shared,
    )


@ungraded
def _now(module: KANLayer) -> tuple[Terms | Tensor, LayerBasis]:
    """Return the coefficients, ``(..., nb)``, and the basis that they belong to."""
    with together:
        found = _terms(module) if _is_plain(module) else module.coefficients()
        return found, LayerBasis(module.basis, module.base_activation)


def _is_plain(module: KANLayer) -> bool:
    """Say whether a layer's coefficients are its parameters, put together as ours are."""
    own = type(module).coefficients is KANLayer.coefficients
    return own and "coefficients" not in module.__dict__


def _terms(module: KANLayer) -> Terms | Tensor:
    base: Tensor = module.base_weight
    scale: Tensor | None = module.spline_scaler
    mask = module.mask
    if mask is not None:
        base, scale = base * mask, mask if scale is None else scale * mask
    return terms_of(base, module.spline_weight, scale)


def _rewriter(
    ref: weakref.ref[KANLayer], read: LayerBasis, out: Tensor, part: Part = ALL
) -> Rewrite | None:
    basis, activation = read.basis, read.base_activation
    module = ref()
    if module is None or type(module).coefficients is not KANLayer.coefficients:
        return None
    scaled = module.spline_scaler is not None

    def unchanged(module: nn.Module) -> bool:
        # Not by attribute: a basis or an activation that is a module may be trained itself, and
        # is found elsewhere.
        own = module.__dict__
        return (
            own.get("basis") is basis
            and own.get("base_activation") is activation
            and "coefficients" not in own
            and module._buffers.get("mask") is None
            and (module._parameters.get("spline_scaler") is not None) is scaled
        )

    return terms_rewriter(
        ref,
        out,
        part,
        base="base_weight",
        splines="spline_weight",
        scale="spline_scaler" if scaled else "",
        unchanged=unchanged,
    )


def _gradient(module: KANLayer) -> Tensor:
    return term_gradients(module.base_weight, module.spline_weight, module.spline_scaler)


@ungraded
def _write(module: KANLayer, index: tuple[int, ...], coefficients: Tensor) -> None:
    """Set one function; where a scaler multiplies its splines, the scaler stays."""
    if module.mask is not None and not module.mask[index]:
        raise ValueError(
            f"function {index} was removed by prune: it is 0 until its entry of mask is True"
        )
    nb = 1 + module.basis.n_basis
    if coefficients.shape != (nb,):
        raise ValueError(f"expected {nb} coefficients, got shape {tuple(coefficients.shape)}")
    spline = coefficients[1:]
    if module.spline_scaler is not None:
        scaler = module.spline_scaler[index]
        if scaler == 0:
            raise ValueError(
                f"the spline scaler of function {index} is 0: its splines cannot be set"
            )
        spline = spline / scaler
    module.base_weight[index] = coefficients[0]
    module.spline_weight[index] = spline


register_adapter(KANLinear, read_linear, library="kan_widgets")
register_adapter(KANConv2d, read_conv, library="kan_widgets")
register_adapter(SharedKANConv2d, read_shared_conv, library="kan_widgets")
