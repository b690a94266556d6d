"""What a structure says of how stations are computed, done by brute force, is what models do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from kan import KAN
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.functions import LayerFunctions

sys.path.append(str(Path(__file__).parents[2] / "functions"))
import lookalikes


def sum_of_functions(layer: LayerFunctions, x: Tensor) -> Tensor:
    """Return Σφ on one example, function by function."""
    if layer.kind == "linear":
        values = layer.evaluate(x)
        return torch.stack([values[:, i, i] for i in range(len(x))]).sum(0)
    conv = layer.conv
    assert conv is not None
    x = F.pad(x, conv.padding)
    outputs, _, kh, kw_ = layer.shape
    (sy, sx), (dy, dx) = conv.stride, conv.dilation
    height = (x.shape[1] - dy * (kh - 1) - 1) // sy + 1
    width = (x.shape[2] - dx * (kw_ - 1) - 1) // sx + 1
    maps = []
    for channel, image in enumerate(x):
        values = layer.evaluate(image.flatten())[:, 0 if conv.shared else channel]
        values = values.reshape(outputs, kh, kw_, *image.shape)
        total = torch.zeros(outputs, height, width, dtype=x.dtype)
        for r in range(kh):
            for c in range(kw_):
                rows = slice(r * dy, r * dy + sy * (height - 1) + 1, sy)
                columns = slice(c * dx, c * dx + sx * (width - 1) + 1, sx)
                total += values[:, r, c, rows, columns]
        maps.append(total)
    return torch.cat(maps) if conv.shared else torch.stack(maps).sum(0)


def pooled(x: Tensor, settings: dict[str, Any]) -> Tensor:
    sizes = settings["kernel"], settings["stride"], settings["padding"]
    if settings["op"] == "max_pool":
        return F.max_pool2d(x[None], *sizes)[0]
    return F.avg_pool2d(x[None], *sizes, count_include_pad=settings["count_padding"])[0]


def by_channel(values: Tensor, x: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (x.ndim - 1))


def convolved(x: Tensor, settings: dict[str, Any], weight: Tensor) -> Tensor:
    x = F.pad(x, settings["padding"])
    moves = settings["stride"], 0, settings["dilation"], settings["groups"]
    return F.conv2d(x[None], weight, None, *moves)[0]


ELEMENTWISE: dict[str, Callable[[Tensor, Any], Tensor]] = {
    "relu": lambda x, _: x.clamp(min=0),
    "silu": lambda x, _: x / (1 + (-x).exp()),
    "gelu": lambda x, _: x * (1 + torch.erf(x / 2**0.5)) / 2,
    "tanh": lambda x, _: x.tanh(),
    "sigmoid": lambda x, _: 1 / (1 + (-x).exp()),
    "elu": lambda x, a: torch.where(x > 0, x, a * (x.exp() - 1)),
    "leaky_relu": lambda x, a: torch.where(x > 0, x, a * x),
    "softplus": lambda x, b: (1 + ((b or 1) * x).exp()).log() / (b or 1),
    "hardtanh": lambda x, _: x.clamp(-1, 1),
}


def normalised(x: Tensor, settings: dict[str, Any], extra: dict[str, Tensor]) -> Tensor:
    rows = x.reshape(-1, settings["size"])
    rows = rows - rows.mean(1, keepdim=True)
    rows = rows / ((rows**2).mean(1, keepdim=True) + settings["eps"]).sqrt()
    return (rows * extra.get("scale", 1) + extra.get("shift", 0)).reshape(x.shape)


def moved(x: Tensor, settings: dict[str, Any], extra: dict[str, Tensor]) -> Tensor:
    def of(name: str, otherwise: float) -> Any:
        return by_channel(extra[name], x) if name in extra else settings.get(name, otherwise)

    return x * of("scale", 1) / of("divisor", 1) + settings.get("factor", 1) * of("shift", 0)


def standardised(x: Tensor, settings: dict[str, Any], extra: dict[str, Tensor]) -> Tensor:
    parts = {name: by_channel(values, x) for name, values in extra.items()}
    x = (x - parts["mean"]) / (parts["variance"] + settings["eps"]).sqrt()
    return x * parts.get("scale", 1) + parts.get("shift", 0)


def computed(
    station: Any, xs: list[Tensor], extra: dict[str, Tensor], layers: dict[str, LayerFunctions]
) -> Tensor:
    """Return a station's output from those of its sources, for one example."""
    settings, x = station.compute, xs[0]
    op = settings["op"]
    if op in ("kan", "linear", "conv2d"):
        if op == "kan":
            total = sum_of_functions(layers[station.layer], x)
        else:
            weight = extra.get("weight")
            weight = (
                layers[station.layer].coefficients[..., 0].double() if weight is None else weight
            )
            total = weight @ x if op == "linear" else convolved(x, settings, weight)
        return total + by_channel(extra["bias"], total) if "bias" in extra else total
    simple: dict[str, Callable[[], Tensor]] = {
        "affine": lambda: moved(x, settings, extra),
        "batch_norm": lambda: standardised(x, settings, extra),
        "layer_norm": lambda: normalised(x, settings, extra),
        "max_pool": lambda: pooled(x, settings),
        "avg_pool": lambda: pooled(x, settings),
        "global_avg_pool": lambda: x.flatten(1).mean(1),
        "elementwise": lambda: ELEMENTWISE[settings["function"]](x, settings["parameter"]),
        "prelu": lambda: torch.where(x > 0, x, by_channel(extra["slope"], x) * x),
        "softmax": lambda: x.exp() / x.exp().sum(),
        "log_softmax": lambda: x - x.exp().sum().log(),
        "flatten": lambda: x.flatten(),
        "reshape": lambda: x.reshape(settings["shape"]),
        "add": lambda: sum(xs[1:], start=x),
        "multiply": lambda: x * xs[1],
        "products": lambda: torch.stack([x[k].prod() for k in settings["factors"]]),
        "join": lambda: torch.cat(xs),
    }
    return simple[op]()


def run_by_hand(live: kw.live.Binding, example: Tensor) -> Tensor:
    layers = {layer.name: layer for layer in live.read()}
    latest, frame = live.feed.activations.latest, live.frame
    assert latest is not None
    vectors = np.split(
        frame.beside,
        np.cumsum([vector.size for vector in frame.layout.beside])[:-1],
    )
    held = dict(zip([vector.name for vector in frame.layout.beside], vectors, strict=False))
    outputs = [example.double()]
    for number, station in enumerate(live.feed.structure.stations[1:], start=1):
        assert station.compute is not None, station
        extra = {
            e.name: torch.from_numpy(e.data).double() for e in latest.extras if e.station == number
        } | {
            name: torch.tensor(held[path]).double()
            for name, path in station.beside.items()
            if path is not None
        }
        xs = [outputs[source] for source in station.sources]
        outputs.append(computed(station, xs, extra, layers).reshape(station.shape))
    return outputs[-1]


class Branches(nn.Module):
    """Every kind of operation that is not in the other models."""

    def __init__(self) -> None:
        super().__init__()
        self.a = kw.nn.KANConv2d(2, 4, 3, stride=2, padding=(1, 2), dilation=(1, 2))
        self.b = nn.Conv2d(2, 4, (1, 3), stride=2, padding=(0, 1), groups=2)
        self.gate = nn.Conv2d(4, 4, 1)
        self.norm = nn.LayerNorm((8, 5, 4))
        self.prelu = nn.PReLU(8)
        self.functions = nn.ModuleList(
            [nn.SiLU(), nn.GELU(), nn.Tanh(), nn.ELU(0.7), nn.LeakyReLU(0.2), nn.Softplus(2.0)]
        )
        self.scale = nn.Parameter(torch.randn(8, 1, 1))
        self.head = kw.nn.KANLinear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.a(x), self.b(x)
        a = a * torch.sigmoid(self.gate(b))
        y = self.prelu(self.norm(torch.cat([a, b], dim=1)))
        for function in self.functions:
            y = function(y)
        y = (y * self.scale - 0.5) / 2
        y = 1 - F.avg_pool2d(y, 3, 2, 1, count_include_pad=False)
        y = F.hardtanh(y).mean(dim=(-2, -1))
        return torch.softmax(self.head(y), dim=-1)


class Shortcut(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.body = (
            kw.nn.KANConv2d(1, 3, 3, padding=1),
            kw.nn.KANConv2d(3, 3, 3, padding=1),
        )
        self.norm, self.head = nn.BatchNorm2d(3), kw.nn.KANLinear(3 * 16, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.stem(x), 2)
        x = F.relu(x + self.norm(self.body(x)))
        return self.head(x.flatten(1))


def pykan() -> nn.Module:
    model = KAN(width=[4, [3, 2], 2], mult_arity=[[], [2, 3], []], auto_save=False, grid=3, seed=1)
    model.fix_symbolic(0, 1, 2, "sin", fit_params_bool=False, log_history=False)
    with torch.no_grad():
        for pair in (*model.subnode_scale, *model.subnode_bias, *model.node_scale):
            pair.copy_(torch.randn_like(pair))
    return model


def convolutional_kans() -> nn.Module:
    return nn.Sequential(
        lookalikes.KAN_Convolutional_Layer(1, 3, (3, 3), padding=(1, 1)),
        nn.MaxPool2d(2),
        lookalikes.ArticleLayer(2, (3, 3)),
        nn.MaxPool2d(2),
        nn.Flatten(),
        lookalikes.KANLinear(6 * 9, 10),
        nn.LogSoftmax(dim=1),
    )


MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "article": (lambda: kw.nn.KANCNN.article(image_size=14), (1, 14, 14)),
    "KANCNN": (lambda: kw.nn.KANCNN(image_size=12, channels=(3, 4)), (1, 12, 12)),
    "KAN MLP": (lambda: nn.Sequential(kw.nn.KANLinear(3, 4), kw.nn.KANLinear(4, 2)), (3,)),
    "CNN": (lambda: kw.nn.CNN(image_size=12, channels=(3, 4), hidden=5), (1, 12, 12)),
    "MLP": (lambda: kw.nn.MLP(image_size=6, hidden=(5,)), (1, 6, 6)),
    "shortcut": (Shortcut, (1, 8, 8)),
    "branches": (Branches, (2, 9, 8)),
    "pykan": (pykan, (4,)),
    "efficient-kan": (lambda: lookalikes.KAN([5, 4, 3]), (5,)),
    "Convolutional-KANs": (convolutional_kans, (1, 16, 16)),
    "torchkan": (lambda: lookalikes.SplineNetwork([5, 4, 3]), (5,)),
    "fast-kan": (lambda: lookalikes.FastKANLayer(5, 3), (5,)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_network_computed_as_its_structure_says_returns_what_the_model_does(name: str) -> None:
    torch.manual_seed(0)
    make, shape = MODELS[name]
    model = make()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            if module.affine:
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias)
    model = model.double()
    inputs = torch.rand(3, *shape, dtype=torch.float64)
    live = kw.bind(model)
    live.probe(inputs)
    assert live.feed.structure.traced
    model.eval()
    with torch.no_grad():
        expected = model(inputs)
    found = torch.stack([run_by_hand(live, example) for example in inputs])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
