"""What the page computes of a network is what torch computes.

The bundle's own code runs in the embedded engine, on what the stream sends of a binding.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.widgets.shell import drawing_engine as engine
from kan_widgets.widgets.shell.drawing_engine import network_of
from kan_widgets.widgets.wire.messages import frame_dict, layout_dict
from tests.functions import lookalikes


def computed(model: nn.Module, x: Tensor) -> list[list[float | None]]:
    """Return the outputs of all stations for one example, by the page's code."""
    live = kw.bind(model)
    live.probe(x)
    stream = {
        "layouts": [layout_dict(live.feed.layout)],
        "initial": frame_dict(live.frame),
        "frame": {},
        **network_of(live, live.frame),
    }
    asked = {"stream": stream, "input": x[0].contiguous().numpy().tobytes()}
    answer = engine._context().get("kwComputed")(json.dumps(asked, default=engine._bytes))
    found = json.loads(answer)
    assert isinstance(found, list), found
    return found


def _run_in(model: nn.Module, batch: Tensor) -> nn.Module:
    """Let batch norms see something."""
    with torch.no_grad():
        model.train()(batch)
    return model


def _plain_cnn() -> nn.Module:
    model = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1, stride=2),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(6, 4, 3, groups=2, dilation=2, padding=2, bias=False),
        nn.GELU(),
        nn.AvgPool2d(2, padding=1, count_include_pad=False),
        nn.PReLU(4),
        nn.Flatten(),
        nn.Linear(36, 3),
        nn.Softmax(1),
    )
    return _run_in(model, torch.randn(8, 2, 16, 16))


def _kan_mlp() -> nn.Module:
    norm = nn.LayerNorm(5)
    nn.init.normal_(norm.weight)
    return nn.Sequential(kw.nn.KANLinear(6, 5), norm, kw.nn.KANLinear(5, 4, base_activation="gelu"))


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = kw.nn.KANConv2d(1, 3, 3, padding=1)
        self.second = kw.nn.KANConv2d(3, 3, 3, padding=1)
        self.head = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        a = self.first(x)
        b = F.silu(self.second(a))
        both = torch.cat([a + b, a * b], 1)
        return self.head(F.adaptive_avg_pool2d(both, 1).flatten(1))


class _Functional(nn.Module):
    """Weights that are no layer's: they are not in the frame."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels = nn.Parameter(torch.randn(4, 2, 3, 3))
        self.weight = nn.Parameter(torch.randn(16, 5))
        self.head = kw.nn.KANLinear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(x, self.kernels, stride=2, padding=1)
        return self.head(F.linear(x.flatten(1), self.weight.T))


def _convolutional_kans() -> nn.Module:
    return nn.Sequential(
        lookalikes.KAN_Convolutional_Layer(1, 3, (3, 3)),
        nn.MaxPool2d(2),
        lookalikes.KAN_Convolutional_Layer(3, 2, (2, 2), stride=(2, 1), padding=(1, 0)),
        nn.Flatten(),
        lookalikes.KANLinear(24, 4),
        nn.LogSoftmax(1),
    )


MODELS = {
    "the article's": (kw.nn.KANCNN.article, (1, 28, 28)),
    "a KANCNN": (
        lambda: _run_in(kw.nn.KANCNN(image_size=16), torch.rand(32, 1, 16, 16)),
        (1, 16, 16),
    ),
    "a KAN MLP": (_kan_mlp, (6,)),
    "a plain CNN": (_plain_cnn, (2, 16, 16)),
    "a residual KAN-CNN": (_Residual, (1, 9, 7)),
    "weights beside the frame": (_Functional, (2, 4, 4)),
    "Convolutional-KANs": (_convolutional_kans, (1, 12, 12)),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_page_computes_what_torch_computes(name: str) -> None:
    torch.manual_seed(4)
    make, shape = MODELS[name]
    model = make().eval()
    # Also beyond the grids, where only the base goes on.
    x = 1.5 * torch.randn(1, *shape)
    with torch.no_grad():
        expected = model(x)[0].numpy()
    *_, output = computed(model, x)
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(output, expected, rtol=0, atol=1e-4 * abs(expected).max())
