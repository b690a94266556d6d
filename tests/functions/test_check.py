"""The proof itself: what it finds wrong, and in what words."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import lookalikes
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import IdentityBasis, LayerFunctions, check, read


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def read_rightly(module: nn.Module) -> LayerFunctions:
    return replace(read(module)[0], name="")


def test_the_own_layers_pass_it():
    for module in (
        kw.nn.KANLinear(4, 3),
        kw.nn.KANConv2d(4, 6, 3, stride=2, padding=1, groups=2, padding_mode="reflect"),
        kw.nn.SharedKANConv2d(3, 3, padding=1),
    ):
        proof = check(module)
        assert proof.error < 1e-5
        assert proof.outputs > 64


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda f: replace(f, coefficients=f.coefficients.roll(1, -1)),
            "not what the module computes: it differs by .* most at output",
        ),
        (
            lambda f: replace(f, coefficients=2 * f.coefficients),
            r"The output is 0\.5 times Σφ: a scale is missing",
        ),
        (
            lambda f: replace(f, coefficients=f.coefficients[:1]),
            r"Σφ of KANLinear has shape \(68, 1\), but the module computes \(68, 3\)",
        ),
        (
            lambda f: replace(f, coefficients=f.coefficients * float("nan")),
            "not finite",
        ),
        (lambda f: replace(f, bases=(replace(f.bases[0], base_activation="relu"),)), "differs by"),
    ],
)
def test_a_wrong_reader_is_found_out_in_words(spoil, message):
    module = kw.nn.KANLinear(4, 3)
    assert check(module, read_rightly).error < 1e-5
    with pytest.raises(ValueError, match=message):
        check(module, lambda module: spoil(read_rightly(module)))


def test_the_pages_adapter_for_a_layer_of_ones_own_passes_it_and_is_bound():
    page = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text("utf-8")
    [code] = [c for c in re.findall(r"```python\n(.*?)```", page, re.S) if "read_fourier" in c]
    names = {"__name__": "page"}
    exec(code, names)
    live, layer = names["live"], names["model"]
    assert live.feed.layout.layers[0].labels == (
        "cos x",
        "sin x",
        "cos 2x",
        "sin 2x",
        "cos 3x",
        "sin 3x",
    )
    assert check(layer).error < 1e-5
    live.edits.zero("FourierLayer", (1, 2))
    assert not live.refresh().coefficients("FourierLayer")[1, 2].any()
    live.close()


def test_one_wrong_function_among_many_is_found():
    module = lookalikes.KANConv2DLayer(3, 4, 3)

    def read_wrongly(module):
        functions = read_rightly(module)
        coefficients = functions.coefficients.clone()
        coefficients[2, 1, 0, 2, 3] += 0.05
        return replace(functions, coefficients=coefficients)

    with pytest.raises(ValueError, match="most at output 2"):
        check(module, read_wrongly, before="layer_norm")
    assert check(module, read_rightly, before="layer_norm").error < 1e-5


def test_a_bias_is_asked_for_and_taken():
    module = nn.Linear(3, 2)

    def read_weight(module):
        return LayerFunctions("linear", module.weight.detach().unsqueeze(-1), (IdentityBasis(),))

    with pytest.raises(ValueError, match="constant for each output: give it as bias"):
        check(module, read_weight)
    assert check(module, read_weight, bias=module.bias).error < 1e-5


def test_a_norm_that_follows_is_named():
    module = lookalikes.KANLayer(4, 3)
    with pytest.raises(ValueError, match="name it with before="):
        check(module, read_rightly)
    assert check(module, read_rightly, before="layer_norm").error < 1e-5
    with pytest.raises(ValueError, match=r"before=.*: expected the name of a part of KANLayer"):
        check(module, read_rightly, before="norm")


def test_padding_the_input_is_told_from_padding_the_basis():
    module = lookalikes.KANConv2DLayer(2, 2, 3, padding=1)

    def read_border_as_zero(module):
        functions = read_rightly(module)
        return replace(functions, conv=replace(functions.conv, pads_basis=False))

    with pytest.raises(ValueError, match="differs by"):
        check(module, read_border_as_zero, before="layer_norm")


def test_after_a_failure_hooks_are_gone_and_modes_back():
    module = kw.nn.KANLinear(4, 3)
    with pytest.raises(ValueError, match="scale"):
        check(
            module,
            lambda m: replace(read_rightly(m), coefficients=2 * read_rightly(m).coefficients),
        )
    assert module.training
    assert not module._forward_hooks
    assert not module._forward_pre_hooks


def test_a_module_nobody_reads_is_a_type_error():
    with pytest.raises(TypeError, match="no adapter reads this BatchNorm2d"):
        check(nn.BatchNorm2d(3))
