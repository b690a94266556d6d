"""What the page computes of a network is what torch computes.

The bundle's own code runs in the embedded engine, on what the stream would send of a real binding.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.widgets import engine
from kan_widgets.widgets.wire import frame_dict, layout_dict
from tests.functions import lookalikes

Extras = dict[str, Tensor | None]


class Sketch:
    """The stations of a network, one after the other, and what their operations need."""

    def __init__(self, *shape: int) -> None:
        self.stations: list[dict[str, Any]] = [
            _station(kind="input", name="input", shape=list(shape))
        ]
        self.extras: list[tuple[int, str, Tensor]] = []

    def add(
        self,
        op: str,
        *sources: int,
        layer: str | None = None,
        shape: Sequence[int] = (),
        extras: Extras | None = None,
        **settings: Any,
    ) -> int:
        number = len(self.stations)
        self.stations.append(
            _station(
                label=op,
                layer=layer,
                sources=list(sources or [number - 1]),
                shape=list(shape),
                compute={"op": op, **settings},
            )
        )
        self.extras += [
            (number, name, data.detach().float())
            for name, data in (extras or {}).items()
            if data is not None
        ]
        return number

    def kan(self, layer: str, bias: Tensor | None = None) -> int:
        return self.add("kan", layer=layer, extras={"bias": bias})

    def max_pool(self, size: int = 2) -> int:
        return self.add("max_pool", kernel=[size] * 2, stride=[size] * 2, padding=[0, 0])

    def activation(self, function: str) -> int:
        return self.add("elementwise", function=function, parameter=None)

    def norm(self, norm: nn.Module) -> int:
        scale = (norm.running_var + norm.eps).rsqrt()
        shift = -norm.running_mean * scale
        if norm.affine:
            scale, shift = norm.weight * scale, norm.weight * shift + norm.bias
        return self.add("affine", extras={"scale": scale, "shift": shift})

    @property
    def traits(self) -> dict[str, Any]:
        extras = [
            {"station": station, "name": name, "shape": list(data.shape)}
            for station, name, data in self.extras
        ]
        numbers = [data.contiguous().numpy().tobytes() for _, _, data in self.extras]
        return {
            "structure": {"stations": self.stations, "traced": True, "note": ""},
            "activations": {
                "step": 0,
                "values": [],
                "extras": extras,
                "data": b"".join(numbers),
            },
        }


def _station(**changes: Any) -> dict[str, Any]:
    station = {"kind": "other", "name": "", "label": "", "layer": None, "sources": []}
    return {**station, "shape": [], "compute": None, "sums": None, **changes}


def computed(model: nn.Module, sketch: Sketch, x: Tensor) -> list[list[float | None]]:
    live = kw.bind(model)
    stream = {
        "layouts": [layout_dict(live.layout)],
        "initial": frame_dict(live.frame),
        "frame": {},
        **sketch.traits,
    }
    asked = {"stream": stream, "input": x.contiguous().numpy().tobytes()}
    answer = engine._context().get("kwComputed")(json.dumps(asked, default=engine._bytes))
    found = json.loads(answer)
    assert isinstance(found, list), found
    return found


def _article() -> tuple[nn.Module, Sketch]:
    model = kw.nn.KANCNN.article()
    sketch = Sketch(1, 28, 28)
    for k in (0, 1):
        sketch.kan(f"convs.{k}")
        sketch.max_pool()
    sketch.add("flatten")
    sketch.kan("linear")
    sketch.add("log_softmax")
    return model, sketch


def _kan_cnn() -> tuple[nn.Module, Sketch]:
    model = kw.nn.KANCNN(image_size=16)
    _run_in(model, torch.rand(32, 1, 16, 16))
    sketch = Sketch(1, 16, 16)
    for k, norm in enumerate(model.norms):
        sketch.norm(norm)
        sketch.kan(f"convs.{k}")
        sketch.max_pool()
    sketch.add("reshape", shape=[model.linear.in_features])
    sketch.norm(model.linear_norm)
    sketch.kan("linear")
    sketch.add("log_softmax")
    return model, sketch


def _run_in(model: nn.Module, batch: Tensor) -> None:
    """Let batch norms see something."""
    with torch.no_grad():
        model.train()(batch)


def _kan_mlp() -> tuple[nn.Module, Sketch]:
    model = nn.Sequential(
        kw.nn.KANLinear(6, 5), nn.LayerNorm(5), kw.nn.KANLinear(5, 4, base_activation="gelu")
    )
    nn.init.normal_(model[1].weight)
    sketch = Sketch(6)
    sketch.kan("0")
    extras: Extras = {"scale": model[1].weight, "shift": model[1].bias}
    sketch.add("layer_norm", size=5, eps=model[1].eps, extras=extras)
    sketch.kan("2")
    return model, sketch


def _plain_cnn() -> tuple[nn.Module, Sketch]:
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
    _run_in(model, torch.randn(8, 2, 16, 16))
    sketch = Sketch(2, 16, 16)
    sketch.add("conv2d", layer="0", extras={"bias": model[0].bias})
    sketch.norm(model[1])
    sketch.activation("relu")
    sketch.add("max_pool", kernel=[3, 3], stride=[2, 2], padding=[1, 1])
    # Its weights not in the frame: what is not bound.
    settings = {"stride": [1, 1], "padding": [2, 2, 2, 2], "dilation": [2, 2], "groups": 2}
    sketch.add("conv2d", shape=[4, 4, 4], extras={"weight": model[4].weight}, **settings)
    sketch.activation("gelu")
    sketch.add("avg_pool", kernel=[2, 2], stride=[2, 2], padding=[1, 1], count_padding=False)
    sketch.add("prelu", extras={"slope": model[7].weight})
    sketch.add("flatten")
    sketch.add("linear", shape=[3], extras={"weight": model[9].weight, "bias": model[9].bias})
    sketch.add("softmax")
    return model, sketch


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


def _residual() -> tuple[nn.Module, Sketch]:
    model = _Residual()
    sketch = Sketch(1, 9, 7)
    a = sketch.kan("first")
    sketch.kan("second")
    b = sketch.activation("silu")
    sum_ = sketch.add("add", a, b)
    product = sketch.add("multiply", a, b)
    sketch.add("join", sum_, product)
    sketch.add("global_avg_pool")
    sketch.add("flatten")
    sketch.add("linear", layer="head", extras={"bias": model.head.bias})
    return model, sketch


def _convolutional_kans() -> tuple[nn.Module, Sketch]:
    model = nn.Sequential(
        lookalikes.KAN_Convolutional_Layer(1, 3, (3, 3)),
        nn.MaxPool2d(2),
        lookalikes.KAN_Convolutional_Layer(3, 2, (2, 2), stride=(2, 1), padding=(1, 0)),
        nn.Flatten(),
        lookalikes.KANLinear(24, 4),
        nn.LogSoftmax(1),
    )
    sketch = Sketch(1, 12, 12)
    sketch.kan("0")
    sketch.max_pool()
    sketch.kan("2")
    sketch.add("flatten")
    sketch.kan("4")
    sketch.add("log_softmax")
    return model, sketch


MODELS = {
    "the article's": _article,
    "a KANCNN": _kan_cnn,
    "a KAN MLP": _kan_mlp,
    "a plain CNN": _plain_cnn,
    "a residual KAN-CNN": _residual,
    "Convolutional-KANs": _convolutional_kans,
}


@pytest.mark.parametrize("name", MODELS)
def test_the_page_computes_what_torch_computes(name: str) -> None:
    torch.manual_seed(4)
    model, sketch = MODELS[name]()
    # Also beyond the grids, where only the base goes on.
    x = 1.5 * torch.randn(1, *sketch.stations[0]["shape"])
    with torch.no_grad():
        expected = model.eval()(x)[0].numpy()
    *_, output = computed(model, sketch, x[0])
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(output, expected, rtol=0, atol=1e-4 * abs(expected).max())
