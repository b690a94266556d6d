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
from kan_widgets.widgets.training_page import recipe_of
from kan_widgets.widgets.wire.messages import layout_dict

PATH = Path(__file__).parents[2] / "js/test/training_cases.json"
_BATCH = 3


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


MODELS: dict[str, Callable[[], nn.Module]] = {
    "splines": _small,
    "the article's": lambda: kw.nn.KANCNN.article(image_size=10, num_classes=3),
    "moved": _moved,
    "radial": lambda: _small(basis="rbf"),
    "Chebyshev": lambda: _small(basis="chebyshev"),
    "waves": lambda: _small(basis="fourier"),
    "order 1, ReLU": lambda: _small(spline_order=1, base_activation="relu"),
    "order 5, no norm": lambda: _small(spline_order=5, norm=None),
}


def case(name: str) -> dict[str, Any]:
    """Return a step: what it begins with, the loss, the gradients and the model after it."""
    torch.manual_seed(0)
    model = MODELS[name]()
    side = 10 if name == "the article's" else 8
    x = torch.rand(_BATCH, 1, side, side) * 2 - 1
    labels = torch.tensor([0, 2, 1])
    live = kw.bind(model, example=x)
    assert live.feed.structure is not None
    frame = np.array(live.frame.data)
    found = {
        "structure": structure_dict(live.feed.structure),
        "layout": layout_dict(live.frame.layout),
        "recipe": recipe_of(model),
        "frame": frame,
        "x": x.numpy(),
        "labels": labels.tolist(),
    }
    output = model.train()(x)
    loss = F.nll_loss(output, labels)
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    optimizer.step()
    live.close()
    found |= {
        "output": output.detach().numpy(),
        "loss": loss.item(),
        "gradients": {
            name: gradient.numpy() for name, gradient in gradients.items() if gradient is not None
        },
        "after": np.array(kw.bind(model, example=x).frame.data),
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
