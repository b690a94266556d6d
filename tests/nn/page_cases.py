"""Small networks, a step of each by torch, and what a page needs to make the same step.

``python -m tests.nn.page_cases`` writes them for the tests of the browser's side
(js/test/training.test.ts); test_page_cases.py holds that the file says what torch says.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import kan_widgets as kw
from kan_widgets.live.frames.structure import structure_dict
from kan_widgets.widgets.pages.trainable import recipe_of
from kan_widgets.widgets.wire.messages import layout_dict, observation_dict

PATH = Path(__file__).parents[2] / "js/test/training_cases.json"
_BATCH = 3
_MORE_STEPS = (1, 2, 3, 4)


def _small(**options: Any) -> nn.Module:
    return kw.nn.KANCNN(image_size=8, num_classes=3, channels=(2, 2), **options)


def _moved() -> nn.Module:
    """Convolutions with strides, dilations, groups and borders of their own, and a plain norm."""
    return nn.Sequential(
        kw.nn.KANConv2d(1, 4, 3, stride=2, padding=(1, 0)),
        nn.BatchNorm2d(4),
        kw.nn.KANConv2d(4, 4, (2, 1), dilation=(2, 1), groups=2, base_activation="tanh"),
        nn.Flatten(),
        kw.nn.KANLinear(24, 3, spline_order=2),
        nn.LogSoftmax(-1),
    )


def _shared() -> nn.Module:
    """Kernels shared by channels, moved too, and knots that are not evenly spaced."""
    knots = (-2.5, -2, -1.5, -1.2, -1, -0.3, 0, 0.1, 0.6, 1, 1.5, 2.2, 2.6, 3)
    return nn.Sequential(
        kw.nn.SharedKANConv2d(2, 3, stride=(1, 2), padding=1, basis=kw.nn.KnotSpline(knots, 4)),
        kw.nn.SharedKANConv2d(1, (3, 2), padding=(1, 0), spline_scaler=True, spline_order=1),
        nn.MaxPool2d((3, 1), stride=(2, 1)),
        nn.Flatten(),
        kw.nn.KANLinear(18, 3, basis=kw.nn.KnotSpline(knots, 2), base_activation="identity"),
        nn.LogSoftmax(-1),
    )


def _plain_dense() -> nn.Module:
    return nn.Sequential(
        nn.Linear(5, 20), nn.Tanh(), nn.Linear(20, 4, bias=False), nn.SiLU(), nn.Linear(4, 2)
    )


def _plain_moved() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, (3, 2), stride=2, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(4),
        nn.Conv2d(4, 6, 2, dilation=2, groups=2, bias=False),
        nn.Flatten(),
        nn.Linear(36, 3),
        nn.LogSoftmax(-1),
    )


def _dense(**options: Any) -> nn.Module:
    return nn.Sequential(
        kw.nn.KANLinear(5, 3, spline_scaler=True, **options),
        nn.BatchNorm1d(3),
        kw.nn.KANLinear(3, 2, grid_size=8, grid_range=(-2, 1.5), **options),
    )


MODELS: dict[str, Callable[[], nn.Module]] = {
    "splines": _small,
    "the article's": lambda: kw.nn.KANCNN.article(image_size=10, num_classes=3),
    "moved": _moved,
    "shared": _shared,
    "radial": lambda: _small(basis="rbf"),
    "Chebyshev": lambda: _small(basis="chebyshev"),
    "waves": lambda: _small(basis="fourier"),
    "order 1, ReLU": lambda: _small(spline_order=1, base_activation="relu"),
    "order 4": lambda: _small(spline_order=4),
    "order 5, no norm": lambda: _small(spline_order=5, norm=None),
    "dense": _dense,
    "dense, radial": lambda: _dense(basis="rbf"),
    "plain": lambda: kw.nn.CNN(image_size=8, num_classes=3, channels=(3, 5), hidden=7),
    "plain, moved": _plain_moved,
    "plain, dense": _plain_dense,
}
_SHAPES: dict[str, tuple[int, ...]] = {"the article's": (1, 10, 10)}
_TARGETS = torch.tensor([[0.5, -1], [2, 0], [-0.3, 0.1]])


def case(name: str) -> dict[str, Any]:
    """Return a step: what it begins with, the loss, the gradients and the model after it.

    Of a model that gives classes the targets are those; else they are numbers.
    """
    torch.manual_seed(0)
    model = MODELS[name]()
    shape = (5,) if "dense" in name else _SHAPES.get(name, (1, 8, 8))
    x = torch.rand(_BATCH, *shape) * 2 - 1
    labels = torch.tensor([0, 2, 1])
    live = kw.bind(model, example=x)
    assert live.feed.structure is not None
    frame = np.array(live.frame.data)
    observed = [observation_dict(seen) for seen in live.observe(x).values()]
    found = {
        "structure": structure_dict(live.feed.structure),
        "layout": layout_dict(live.frame.layout),
        "recipe": recipe_of(model),
        "frame": frame,
        "x": x.numpy(),
        "observed": observed,
    }
    output = model.train()(x)
    is_regression = output.shape == _TARGETS.shape
    loss = F.mse_loss(output, _TARGETS) if is_regression else F.nll_loss(output, labels)
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = {
        name: parameter.grad.clone()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    optimizer.step()
    after = np.array(kw.bind(model, example=x).frame.data)
    for power in _MORE_STEPS:  # by gradients that turn and shrink
        for name, parameter in model.named_parameters():
            if name in gradients:
                parameter.grad = gradients[name] * (-0.5) ** power
        optimizer.step()
    live.close()
    found |= {
        "targets": (_TARGETS if is_regression else labels.float()).numpy(),
        "output": output.detach().numpy(),
        "loss": loss.item(),
        "gradients": {name: gradient.numpy() for name, gradient in gradients.items()},
        "after": after,
        "later": np.array(kw.bind(model, example=x).frame.data),
    }
    return found


def written(value: Any) -> Any:
    """Return JSON: bytes in base64, arrays as little-endian float32."""
    if isinstance(value, np.ndarray):
        return written(value.astype("<f4").tobytes())
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, dict):
        return {name: written(inside) for name, inside in value.items()}
    if isinstance(value, (list, tuple)):
        return [written(inside) for inside in value]
    return value


if __name__ == "__main__":
    cases = {name: written(case(name)) for name in MODELS}
    PATH.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
