"""Some outputs and inputs of a layer are what they are in the whole layer, and cost no more."""

from __future__ import annotations

import lookalikes
import pytest
import torch
from test_lookalikes import LINEAR, SETTINGS
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import LayerBasis, LayerFunctions, find, read
from kan_widgets.functions.coefficients import Terms


def pruned(layer: kw.nn.KANLayer) -> kw.nn.KANLayer:
    layer.prune(0.02, torch.rand(20, *layer.base_weight.shape[1:]), dry_run=False)
    assert layer.mask is not None
    return layer


def symbolic() -> nn.Module:
    from kan import KAN

    model = KAN(width=[3, 4, 2], seed=1, auto_save=False, device="cpu")
    model.fix_symbolic(0, 1, 2, "sin", fit_params_bool=False, verbose=False, log_history=False)
    return model


OURS = {
    "KANLinear": lambda: kw.nn.KANLinear(5, 4),
    "with a scaler": lambda: kw.nn.KANLinear(5, 4, spline_scaler=True),
    "pruned": lambda: pruned(kw.nn.KANLinear(5, 4)),
    "pruned, with a scaler": lambda: pruned(kw.nn.KANLinear(5, 4, spline_scaler=True)),
    "of Fourier series": lambda: kw.nn.KANLinear(5, 4, basis="fourier"),
    "in bfloat16": lambda: kw.nn.KANLinear(5, 4, dtype=torch.bfloat16),
    "KANConv2d": lambda: kw.nn.KANConv2d(4, 6, 3, groups=2),
    "KANConv1d": lambda: kw.nn.KANConv1d(3, 4, 3),
    "KANConv3d": lambda: kw.nn.KANConv3d(2, 3, 2),
    "SharedKANConv2d": lambda: kw.nn.SharedKANConv2d(4, 3),
    "Linear": lambda: nn.Linear(5, 4),
    "Conv2d": lambda: nn.Conv2d(4, 6, 3, groups=2),
}
OTHERS = {
    "pykan with a symbolic edge": symbolic,
    "pykan until 0.0.5": lambda: lookalikes.OldLayer(4, 3),
    "Convolutional-KANs": lambda: lookalikes.KAN_Convolutional_Layer(3, 4, (3, 3)),
    "the article's": lambda: lookalikes.ArticleLayer(4, (3, 3)),
    **{
        f"{name} {number}": lambda kind=kind, settings=settings: kind(4, 6, **settings)
        for name, kind in lookalikes.TORCH_CONV_KAN.items()
        for number, settings in enumerate(SETTINGS[:2])
        if not (name == "KAGNConv2DLayerV2" and "groups" in settings)
    },
}
PARTS = [
    (slice(None), slice(None)),
    (slice(1, 3), slice(0, 2)),
    (slice(1, 2), slice(None)),
    (slice(None, None, 2), slice(1, None, 2)),
]


@pytest.mark.parametrize("name", [*OURS, *LINEAR, *OTHERS])
def test_a_part_of_a_layer_is_that_part_of_the_whole(name):
    torch.manual_seed(0)
    module = {**OURS, **LINEAR, **OTHERS}[name]()
    for number, layer in enumerate(read(module)):
        # Of functions just read: those whose coefficients were looked at take parts of these.
        parts = [read(module)[number].part(*part) for part in PARTS]
        pieces = [piece for _, piece in layer.pieces()]
        whole = layer.coefficients
        assert (layer.sizes, layer.nb) == (whole.shape, whole.shape[-1])
        assert (layer.like.dtype, layer.like.device) == (whole.dtype, whole.device)
        assert whole.any()
        for part, found in zip(PARTS, parts, strict=True):
            torch.testing.assert_close(found, whole[part], rtol=0, atol=0, equal_nan=True)
            assert found.dtype == whole.dtype
            assert not found.requires_grad
        torch.testing.assert_close(torch.cat(pieces), whole, rtol=0, atol=0, equal_nan=True)


# What lies in a thousand small tensors, or in one for each group, is joined as a whole; and pykan's
# old layer has more knots than coefficients, a row for each edge.
JOINED = {"Convolutional-KANs", "the article's", "pykan until 0.0.5", "Linear", "Conv2d"}
PLAINLY = [
    name
    for name in (*OURS, *LINEAR, *OTHERS)
    if name not in JOINED and not (name in OTHERS and name.endswith(" 1"))
]


class Made(torch.overrides.TorchFunctionMode):
    """Notes the largest memory made meanwhile, in numbers."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.known = {t.untyped_storage().data_ptr() for t in module.state_dict().values()}
        self.most = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        if isinstance(found, torch.Tensor) and not found.is_meta:
            storage = found.untyped_storage()
            if storage.data_ptr() not in self.known:
                self.most = max(self.most, storage.nbytes() // found.element_size())
        return found


@pytest.mark.parametrize("name", PLAINLY)
def test_for_a_part_no_memory_of_the_whole_layers_size_is_made(name):
    module = {**OURS, **LINEAR, **OTHERS}[name]()
    least, found = min(layer.sizes.numel() for layer in read(module)), find(module)
    with Made(module) as made:
        for layer in (layer for entry in found for layer in entry.read()):
            layer.part(slice(1, 2), slice(0, 1))
    assert made.most < least


def test_the_largest_memory_that_was_made_is_noted():
    module = kw.nn.KANLinear(5, 4)
    [entry] = find(module)
    with Made(module) as made:
        assert entry.read()[0].coefficients.numel() == made.most


def test_pieces_are_some_outputs_each_and_all_of_them_in_order(monkeypatch):
    monkeypatch.setattr("kan_widgets.functions.layer._BATCH", 90)
    [layer] = read(kw.nn.KANLinear(5, 7))
    found = list(layer.pieces())
    assert [(some.start, some.stop) for some, _ in found] == [(0, 2), (2, 4), (4, 6), (6, 7)]
    assert torch.cat([piece for _, piece in found]).equal(layer.coefficients)
    some = slice(1, None, 2), slice(0, 4, 3)
    found = list(layer.pieces(*some))
    assert all(piece.equal(layer.coefficients[rows, some[1]]) for rows, piece in found)
    assert torch.cat([piece for _, piece in found]).equal(layer.coefficients[some])


def test_one_function_is_what_it_is_in_the_whole_layer():
    [linear], [conv] = read(kw.nn.KANLinear(5, 4)), read(kw.nn.KANConv2d(3, 4, 3))
    assert linear.at((2, 3)).equal(linear.coefficients[2, 3])
    assert conv.at((2, 1, 0, 2)).equal(conv.coefficients[2, 1, 0, 2])


def test_coefficients_stay_what_they_were_once_they_were_looked_at():
    module = kw.nn.KANLinear(5, 4)
    [layer] = read(module)
    before = layer.coefficients.clone()
    with torch.no_grad():
        module.spline_weight.add_(1)
    assert layer.coefficients.equal(before)
    assert layer.part(slice(0, 1)).equal(before[:1])
    assert not read(module)[0].coefficients.equal(before)


def test_an_adapter_of_ones_own_may_give_terms_or_a_tensor():
    base, splines = torch.randn(3, 2), torch.randn(3, 2, 8)
    module = kw.nn.KANLinear(2, 3)
    basis = (LayerBasis(module.basis, "silu"),)

    def joined(part):
        return torch.cat([base[part].unsqueeze(-1), splines[part]], -1)

    given = Terms(torch.Size([3, 2, 9]), splines, joined)
    found = LayerFunctions("linear", given, basis)
    assert found.part(slice(0, 2)).equal(torch.cat([base.unsqueeze(-1), splines], -1)[:2])
    with pytest.raises(ValueError, match=r"shape \(3, 2, 1, 9\): expected \(out, in, nb\)"):
        LayerFunctions("linear", Terms(torch.Size([3, 2, 1, 9]), splines, joined), basis)
    terms = Terms(torch.Size([3, 2, 9]), torch.zeros(1, dtype=torch.int64), lambda part: base)
    with pytest.raises(
        ValueError, match=r"type torch\.int64: expected real floating-point numbers"
    ):
        LayerFunctions("linear", terms, basis)
