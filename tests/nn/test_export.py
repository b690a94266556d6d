"""Networks leave Python: torch.export and ONNX."""

from __future__ import annotations

import io
import warnings

import numpy as np
import onnxruntime
import pytest
import torch

from kan_widgets.nn import (
    KANCNN,
    RBF,
    BSpline,
    Chebyshev,
    Fourier,
    KANConv2d,
    KANLinear,
    KnotSpline,
    SharedKANConv2d,
)

MODELS = {
    "KANCNN": lambda: KANCNN(channels=(2, 3)),
    "article": KANCNN.article,
    "fourier": lambda: KANCNN(channels=(2, 3), basis="fourier"),
    "scaled": lambda: torch.nn.Sequential(
        KANConv2d(1, 2, 3, stride=9, padding=1, spline_scaler=True, base_activation="gelu"),
        torch.nn.Flatten(),
        KANLinear(32, 5, grid_size=12, spline_order=2),
    ),
}


@pytest.fixture(params=MODELS)
def model(request):
    torch.manual_seed(0)
    return MODELS[request.param]().eval()


def test_an_exported_program_computes_the_same_for_any_batch(model):
    x = torch.randn(4, 1, 28, 28)
    batch = {0: torch.export.Dim("batch", min=2, max=64)}
    program = torch.export.export(model, (x,), dynamic_shapes=(batch,)).module()
    for n in (4, 9):
        x = torch.randn(n, 1, 28, 28)
        torch.testing.assert_close(program(x), model(x))


@pytest.mark.slow
def test_an_onnx_model_computes_the_same_for_any_batch(model, tmp_path):
    path = tmp_path / "model.onnx"
    with warnings.catch_warnings():
        # Of torch's and onnxscript's own code.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model,
            (torch.randn(4, 1, 28, 28),),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            verbose=False,
        )
    program.save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for n in (4, 9):
        x = torch.randn(n, 1, 28, 28)
        (out,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        np.testing.assert_allclose(out, model(x).detach(), rtol=1e-4, atol=1e-5)


UNEVEN = (-3.0, -2.0, -1.5, -1.0, 0.0, 0.25, 1.0, 1.5, 2.5, 4.0)
LAYERS = {
    **{f"even, order {order}": {"basis": BSpline(4, order)} for order in (0, 1, 2, 3, 5)},
    **{f"uneven, order {order}": {"basis": KnotSpline(UNEVEN, order)} for order in (0, 1, 3)},
    "rbf": {"basis": RBF()},
    "chebyshev": {"basis": Chebyshev()},
    "fourier": {"basis": Fourier()},
    "gelu": {"base_activation": "gelu", "spline_scaler": True},
}
PADDINGS = {
    "reflect": KANConv2d(2, 4, 3, padding=1, padding_mode="reflect", groups=2),
    "strided": KANConv2d(2, 3, (3, 2), stride=2, padding="valid", dilation=2),
    "shared": SharedKANConv2d(2, 3, padding=1, padding_mode="circular"),
}


def assert_traced_and_exported(model, *shape):
    """By the older exporter and the tracer, for any batch and without a warning of ours."""
    model.eval()
    file, x = io.BytesIO(), torch.randn(4, *shape)
    with warnings.catch_warnings():
        # Torch's own, of the exporter being the older one, and of padding.
        for words in ("You are using the legacy", "The feature will be removed", "`torch.jit"):
            warnings.filterwarnings("ignore", words)
        warnings.filterwarnings("ignore", "Constant folding - Only steps=1", UserWarning)
        names = {"input_names": ["x"], "dynamic_axes": {"x": {0: "batch"}}}
        torch.onnx.export(model, (x,), file, dynamo=False, **names)
        traced = torch.jit.trace(model, x)
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    for n in (4, 9):
        x = torch.randn(n, *shape)
        (out,) = session.run(None, {"x": x.numpy()})
        np.testing.assert_allclose(out, model(x).detach(), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(traced(x), model(x))


def test_a_network_is_traced_and_exported_by_the_older_exporter(model):
    assert_traced_and_exported(model, 1, 28, 28)


@pytest.mark.parametrize("arguments", LAYERS.values(), ids=LAYERS)
def test_every_basis_is_traced_and_exported_by_the_older_exporter(arguments):
    torch.manual_seed(0)
    assert_traced_and_exported(KANLinear(3, 2, **arguments), 5, 3)
    assert_traced_and_exported(KANConv2d(2, 3, 3, padding=1, **arguments), 2, 6, 6)


@pytest.mark.parametrize("layer", PADDINGS.values(), ids=PADDINGS)
def test_every_padding_is_traced_and_exported_by_the_older_exporter(layer):
    assert_traced_and_exported(layer, 2, 6, 6)


def test_an_adapted_network_is_traced_and_exported_by_the_older_exporter():
    torch.manual_seed(0)
    model = KANCNN(channels=(2, 3)).eval()
    model.update_grid(torch.randn(8, 1, 28, 28))
    assert_traced_and_exported(model, 1, 28, 28)
