"""The shares of each layer in a score, as the browser reads them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.frames.layout import Names
from kan_widgets.widgets.wire.messages import finite, float32

if TYPE_CHECKING:
    from kan_widgets.insight import Explanation, KernelShares
    from kan_widgets.insight.kernel_shares import Curves

# The shares of one layer, as the browser reads them: see js/src/views/explain/content.ts.
SharePart = dict[str, Any]

# Numbers of maps that are sent to the browser for one layer; those of the largest shares first.
_MAP_NUMBERS = 250_000


def share_parts(
    explanation: "Explanation", step: int, names: Mapping[str, Names]
) -> list[SharePart]:
    """Return the parts of an explanation, from the last layer to the first.

    ``step`` is that of the training; ``names`` has those of outputs and inputs, by the layer.
    """
    outputs = (names.get(shares.layer, Names()).outputs for shares in explanation.functions)
    moment = {
        "step": step,
        "target": explanation.target,
        "predicted": explanation.predicted,
        "classes": list(next(filter(None, outputs), ())),
        "scores": [finite(float(score)) for score in explanation.scores],
        "notes": list(explanation.notes),
    }
    parts = [_functions(explanation, number) for number in range(len(explanation.functions))]
    parts += map(_kernels, reversed(explanation.kernels))
    return [
        part | moment | {"names": list(own.outputs), "inputNames": list(own.inputs)}
        for part in parts
        for own in [names.get(part["layer"], Names())]
    ]


def _functions(result: "Explanation", number: int) -> SharePart:
    shares = result.functions[number]
    values = shares.contributions[result.target]
    whole = sum(float(layer.contributions[result.target].sum()) for layer in result.functions)
    laid = result.map(number)
    return {
        "layer": shares.layer,
        "kind": "functions",
        "rows": 1,
        "columns": len(values),
        "values": float32(values),
        "beside": None if shares.usual is None else float32(shares.usual[result.target]),
        "kernel": [1, 1],
        "shared": False,
        "places": None if result.map_shape is None else list(result.map_shape),
        "mapped": [],
        "maps": None,
        "curves": _curves(shares.curves),
        **_total(None if laid is None else laid.sum(axis=0)),
        "samples": shares.samples,
        "sums": {
            "bias": finite(result.bias),
            "error": finite(result.error),
            "others": finite(whole - float(values.sum())) if len(result.functions) > 1 else None,
        },
    }


def _kernels(shares: "KernelShares") -> SharePart:
    values = shares.contributions
    flat = shares.maps.reshape(values.size, *shares.maps.shape[2:])
    order = np.argsort(-np.abs(values.ravel()), kind="stable")
    mapped = order[: max(1, _MAP_NUMBERS // max(1, flat[0].size))]
    return {
        "layer": shares.layer,
        "kind": "kernels",
        "rows": values.shape[0],
        "columns": values.shape[1],
        "values": float32(values),
        "beside": float32(shares.ablated),
        "kernel": list(shares.kernel),
        "shared": shares.shared,
        "places": None,
        "mapped": mapped.tolist(),
        "maps": float32(flat[mapped]),
        "curves": _curves(shares.curves),
        **_total(shares.maps.sum(axis=(0, 1), dtype=np.float64)),
        "samples": shares.samples,
        "sums": {"baseline": finite(shares.baseline), "missing": finite(shares.missing)},
    }


def _curves(curves: "Curves") -> SharePart:
    return {
        "which": list(curves.which),
        "domain": list(curves.domain),
        "at": float32(curves.at),
        "x": float32(curves.x),
        "y": float32(curves.y),
    }


def _total(total: NDArray[Any] | None) -> SharePart:
    if total is None:
        return {"mapShape": None, "total": None}
    return {"mapShape": list(total.shape), "total": float32(total)}
