"""Networks leave Python: torch.export and ONNX."""

from __future__ import annotations

import warnings

import numpy as np
import onnxruntime
import pytest
import torch

from kan_widgets.nn import KANCNN, KANConv2d, KANLinear

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
