"""What a page can train: its layers as js/src/training needs to know them, or why it cannot."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from kan_widgets.live import Feed

# What js/src/training can do backward: functions of one number, and operations, in words.
FUNCTIONS = ("silu", "relu", "tanh", "identity")
LAYERS = {"kan": "KAN layers of kan_widgets.nn", "linear": "torch's Linear", "conv2d": "Conv2d"}
TRAINED = {
    **LAYERS,
    "batch_norm": "batch norm",
    "max_pool": "max-pooling without a border",
    "flatten": "flatten",
    "elementwise": "SiLU, ReLU, tanh",
    "log_softmax": "log-softmax",
}


class NotTrained(ValueError):
    """A page cannot train a model: the message says why, to whoever reads the page."""


def recipe_of(model: nn.Module) -> dict[str, Any]:
    """Return what a page needs to know of each layer, to train it: see js/src/training.

    Plain layers are those whose functions are w·x.

    Raises
    ------
    NotTrained
        If a layer is one that only Python can train.
    """
    from torch import nn

    from kan_widgets.nn import KANLayer
    from kan_widgets.nn.bases.bspline import Spline
    from kan_widgets.nn.bases.knot_spline import KnotSpline
    from kan_widgets.nn.compiled.local import family_of

    recipe: dict[str, Any] = {}
    for name, layer in model.named_modules():
        name = name or type(layer).__name__  # the model itself, as frames call it
        if isinstance(layer, nn.Dropout | nn.Dropout2d) and layer.p > 0:
            raise NotTrained(f"layer {name} is dropout, and a page has none")
        if isinstance(layer, nn.Linear | nn.Conv2d):
            if not isinstance(layer.weight, nn.Parameter):
                raise NotTrained(f"layer {name} computes its weight, and a page does not")
            recipe[name] = {"base": "identity"}
        if not isinstance(layer, KANLayer):
            continue
        basis = layer.basis
        form = family_of(basis)
        if form is None:
            raise NotTrained(f"layer {name} has a basis that a page cannot train, {basis!r:.80}")
        if layer.mask is not None:
            raise NotTrained(f"layer {name} is pruned, and a page would train what was pruned, too")
        if (base := layer.base_activation) not in FUNCTIONS:
            raise NotTrained(
                f"layer {name} has base_activation={base!r:.40}, and a page trains "
                f"{', '.join(map(repr, FUNCTIONS))}"
            )
        if (padding := getattr(layer, "padding_mode", "zeros")) != "zeros":
            raise NotTrained(f"layer {name} pads by {padding!r}, and a page by 'zeros'")
        family, shift, factor = form
        recipe[name] = {
            "basis": {
                "order": basis.spline_order if isinstance(basis, Spline) else 0,
                "functions": basis.n_basis,
                "family": family,
                "shift": shift,
                "factor": factor,
                **({"knots": list(basis.knots)} if isinstance(basis, KnotSpline) else {}),
            },
            "base": base,
        }
        if layer.spline_scaler is not None:
            scaler = layer.spline_scaler.detach().cpu().numpy()
            recipe[name]["scaler"] = scaler.astype("<f4").tobytes()
    if not recipe:
        raise NotTrained(f"a page trains {', '.join(LAYERS.values())}, and its layers are others")
    return recipe


def check_stations(feed: Feed, recipe: Collection[str]) -> None:
    """Raise unless a page can train what stands at each place of a network, layer by layer."""
    if feed.looking.cut(feed.layout) is not feed.layout:
        size, most = feed.layout.size, feed.looking.budget // 4
        raise NotTrained(f"it has {size:,} coefficients, and a page trains at most {most:,}")
    layers: set[str | None] = set()
    for number, station in enumerate(feed.structure.stations[1:]):
        compute, beside = station.compute or {}, station.beside or {}
        operation, function = compute.get("op"), compute.get("function", "identity")
        is_known = operation in TRAINED and function in FUNCTIONS and None not in beside.values()
        is_next = feed.structure.traced and station.sources == (number,)
        is_sum = (operation in LAYERS) == (station.layer in recipe) and station.sums is not False
        has_border = operation == "max_pool" and any(compute["padding"])
        if not (is_known and is_next and is_sum) or has_border:
            known = f"{', '.join(TRAINED.values())}, one after the other"
            raise NotTrained(f"it has “{station.label}”, and a page trains {known}")
        if station.layer is not None and station.layer in layers:
            raise NotTrained(f"layer {station.layer} runs twice, and in a page each runs once")
        layers.add(station.layer)
