"""What LayerRanges hands to the page: see js/src/views/layer_ranges/content.ts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_widgets.insight.summary import Spread
from kan_widgets.live.frames.thinning import spread
from kan_widgets.widgets.range_rows import Moment, Row, record

if TYPE_CHECKING:
    from kan_widgets.live.watching.updates import UpdateSizes

_SIZES = ("gradient_base", "gradient_splines", "update_base", "update_splines")
# Of gradients and updates, all layers together cross with about so many points, each layer with
# at most and at least so many.
_POINTS, _MOST_POINTS, _LEAST_POINTS = 8000, 200, 20


def content(
    rows: Sequence[Row],
    step: int,
    *,
    start: int,
    threshold: float,
    observed: bool,
    observed_step: int | None,
    old: bool,
) -> dict[str, Any]:
    """Return the numbers of all layers at one step.

    Parameters
    ----------
    rows
        A row for each layer.
    step, start
        Steps of the frame measured and of the first one.
    threshold
        As for `insight.summarise`.
    observed
        Whether a batch was observed.
    observed_step
        After how many steps; ``None`` where that is not known.
    old
        Whether the model was another then.
    """
    return {
        "step": step,
        "start": start,
        "threshold": threshold,
        "observed": observed,
        "observed_step": observed_step,
        "old": old,
        "rows": [_row(row, step) for row in rows],
    }


def _row(row: Row, step: int) -> dict[str, Any]:
    layer, s = row.layout, row.summary
    numbers = {name: _plain(value) for name, value in record(row, step).items()}
    return {
        "name": layer.name,
        "type": layer.type,
        "kind": layer.kind,
        "shape": list(layer.shape),
        "names": list(layer.names),
        "inputNames": list(layer.input_names),
        "numbers": numbers,
        "grid": _spread(s.grid),
        "seen": _spread(s.observed),
        "start": _spread(s.started),
        "typical": row.typical,
        "dots": _floats(row.dots),
        "functions": np.asarray(row.functions, dtype="<i4").tobytes(),
    }


def past(
    names: Sequence[str],
    moments: Sequence[dict[str, Moment]],
    updates: Sequence[Sequence[UpdateSizes]],
) -> list[dict[str, Any]]:
    """Return how each layer changed, as arrays over steps; NaN stands for what is not known.

    Parameters
    ----------
    names
        The layers.
    moments
        How they were at some steps, ascending.
    updates
        For each layer, the gradients and updates measured.
    """
    points = min(_MOST_POINTS, max(_LEAST_POINTS, _POINTS // max(1, len(names))))
    return [
        _moments([at[name] for at in moments if name in at]) | {"sizes": _sizes(measured, points)}
        for name, measured in zip(names, updates, strict=True)
    ]


def _moments(found: Sequence[Moment]) -> dict[str, Any]:
    def of(read: Any) -> bytes:
        return _floats([math.nan if (value := read(m)) is None else value for m in found])

    def part(name: str) -> bytes:
        return of(lambda m: getattr(m.range, name, None))

    return {
        "steps": np.array([m.step for m in found], dtype="<i4").tobytes(),
        "range": part("median"),
        "lower": part("lower"),
        "upper": part("upper"),
        "splines": of(lambda m: m.splines),
        "silu": of(lambda m: m.silu),
        "change": of(lambda m: m.change),
    }


def _sizes(measured: Sequence[UpdateSizes], points: int) -> dict[str, Any]:
    kept = measured
    if len(measured) > points:
        kept = [measured[place] for place in spread([m.step for m in measured], points)]
    return {
        "steps": np.array([sizes.step for sizes in kept], dtype="<i4").tobytes(),
        **{name: _floats([getattr(sizes, name) for sizes in kept]) for name in _SIZES},
    }


def _spread(spread: Spread | None) -> list[float] | None:
    if spread is None:
        return None
    return [spread.low, spread.lower, spread.median, spread.upper, spread.high]


def _floats(values: Any) -> bytes:
    with np.errstate(over="ignore"):
        return np.asarray(values, dtype="<f4").tobytes()


def _plain(value: Any) -> Any:
    """Return a number as JSON has it: none for what is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
