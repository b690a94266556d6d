"""What can go wrong in a training, found in frames, curves, inputs seen and gradients.

Each function looks for one fault and returns what it found; nothing here keeps anything, runs the
model or changes it. `kan_widgets.live.watching.watchdog` calls them now and then.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.checks import check_number, check_whole
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Float32, LayerLayout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.scalars import Scalars, belongs_to

Kind = Literal["loss", "not finite", "outside", "dead", "still", "exploding"]
Cure = Literal["", "rate", "grid"]
"""What can be done between two steps, and undone: a tenth of the learning rate, a grid update."""

# Relative to a layer's coefficients: what moved less has stopped, and by so much others must move.
_STILL, _MOVES = 1e-7, 1e-4


@dataclass(frozen=True)
class Limits:
    """From where on something is an alarm; see ``live.watchdog``."""

    outside: float = 0.5
    dead: float = 0.1
    exploding: float = 100.0
    steps: int = 100

    def __post_init__(self) -> None:
        check_number("outside", self.outside, 0, 1)
        check_number("dead", self.dead, 0, 1)
        check_number("exploding", self.exploding, 1, above=True)
        check_whole("steps", self.steps)


@dataclass(frozen=True)
class Alarm:
    """Something that goes wrong: where, since when, probably why, and what to do."""

    kind: Kind
    layer: str
    """Its name; of the loss that of the curve."""
    since: int
    """The step at which it was seen first; it began at most one frame earlier."""
    what: str
    """One sentence."""
    cause: str
    """The likely one, in a sentence."""
    cure: str
    """What to call."""
    button: Cure = ""
    """What can be done by `kan_widgets.live.watching.cures`; else empty."""

    @property
    def id(self) -> str:
        """What tells it from others."""
        return f"{self.kind} {self.layer}"

    def __str__(self) -> str:
        return f"{self.what} {self.cause} {self.cure}"


_CLIP = "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) before optimizer.step()"


def bad_losses(scalars: Scalars, rate: float | None) -> Iterator[Alarm]:
    """Look for curves of losses whose last value is not finite."""
    for name in scalars.names:
        if belongs_to(name)[0].lower() != "loss":
            continue
        steps, values = scalars.series(name)
        if not len(values) or math.isfinite(values[-1]):
            continue
        finite = np.flatnonzero(np.isfinite(values))
        since = int(steps[finite[-1] + 1 if len(finite) else 0])
        yield Alarm(
            "loss",
            name,
            since,
            f"{name} is {values[-1]} since step {since:,}.",
            "Mostly the steps are too large, or something is divided by 0 or a logarithm taken "
            "of it.",
            f"Try {_lower(rate)}, or {_CLIP}.",
            "rate" if rate else "",
        )


def not_finite(frame: Frame) -> Iterator[Alarm]:
    """Look for layers with coefficients that are not finite."""
    if np.isfinite(frame.data.sum()):  # mostly so, and quick; a sum may overflow
        return
    for layer in frame.layout.layers:
        broken = int((~np.isfinite(frame.rows(layer))).any(1).sum())
        if broken:
            yield Alarm(
                "not finite",
                layer.name,
                frame.step,
                f"{layer.name}: {_of(broken, layer.count)} not finite since step {frame.step:,}.",
                "A gradient was not finite, or a step too large.",
                "No training brings them back: load the last checkpoint, and go on with a lower "
                f"rate or {_CLIP}.",
            )


def exploding(frame: Frame, first: Frame, limits: Limits, rate: float | None) -> Iterator[Alarm]:
    """Look for layers one of whose functions reaches far beyond all of the first frame."""
    for layer in frame.layout.layers:
        if layer.name not in first.layout.names:
            continue
        now = _reach(frame, layer)
        then = max(_reach(first, first.layout.layer(layer.name)), 1.0)
        if math.isfinite(now) and now > limits.exploding * then:
            yield Alarm(
                "exploding",
                layer.name,
                frame.step,
                f"{layer.name}: φ reaches {now:.3g} since step {frame.step:,}, where at first it "
                f"stayed within {_reach(first, first.layout.layer(layer.name)):.3g}.",
                "The learning rate is probably too high for this layer.",
                f"Try {_lower(rate)}, weight decay, or {_CLIP}.",
                "rate" if rate else "",
            )


def _reach(frame: Frame, layer: LayerLayout) -> float:
    """Return the largest |φ| of one of the functions, that with the largest coefficients."""
    rows = frame.rows(layer)
    function = int(np.abs(rows).max(1, initial=0.0).argmax())
    number = 0 if layer.table_of is None else int(layer.table_of[function])
    with np.errstate(all="ignore"):
        return float(np.abs(layer.tables[number].values @ rows[function]).max(initial=0.0))


def outside_grid(
    observed: Mapping[str, Observation], layers: Mapping[str, LayerLayout], limits: Limits
) -> Iterator[Alarm]:
    """Look for layers with a grid where many of the inputs observed do not reach it."""
    for name, seen in observed.items():
        layer = layers.get(name)
        if layer is None or not layer.knots or not len(seen.outside_domain):
            continue
        share = float(np.mean(seen.outside_domain))
        if share > limits.outside:
            low, high = layer.domain
            yield Alarm(
                "outside",
                name,
                seen.step or 0,
                f"{name}: {share:.0%} of its inputs lie outside its grid, {low:g} to {high:g}, "
                f"as observed at step {seen.step or 0:,}.",
                "There its splines end, and only the base term is left.",
                "Call model.update_grid(batch, optimizer=optimizer) (kan_widgets.nn.update_grid).",
                "grid",
            )


def still(
    frame: Frame, before: Frame, limits: Limits, trained: Mapping[str, bool | None]
) -> Iterator[Alarm]:
    """Look for layers whose splines stay as they are while other layers change.

    ``before`` is at least ``limits.steps`` steps earlier. ``trained`` tells of each layer whether
    the optimizer has its parameters; ``None`` where they are frozen on purpose.
    """
    if frame.layout is not before.layout or frame.step - before.step < limits.steps:
        return
    moved = {layer.name: _moved(frame, before, layer) for layer in frame.layout.layers}
    if max((total for total, _ in moved.values()), default=0.0) < _MOVES:
        return
    for name, (_, splines) in moved.items():
        is_trained = trained.get(name)
        if splines is None or splines > _STILL or is_trained is None:
            continue
        yield Alarm(
            "still",
            name,
            before.step,
            f"{name}: its splines have not moved since step {before.step:,}, while other layers "
            "change.",
            "No gradient reaches them, or so small a one that float32 loses it."
            if is_trained
            else "The optimizer does not have the parameters of this layer.",
            "See LayerRanges(live) for its gradients, and what lies behind it in the network."
            if is_trained
            else "Make the optimizer from model.parameters(), and bind it again.",
        )


def _moved(frame: Frame, before: Frame, layer: LayerLayout) -> tuple[float, float | None]:
    """Return how far a layer moved, and its splines, relative to what they are."""
    now, then = frame.rows(layer), before.rows(layer)
    splines = ~np.array(layer.is_base)
    has_splines = bool(layer.knots) and splines.any()
    return _change(now, then), _change(now[:, splines], then[:, splines]) if has_splines else None


def _change(now: Float32, then: Float32) -> float:
    with np.errstate(all="ignore"):
        size = float(np.abs(then).max(initial=0.0))
        found = float(np.abs(now - then).max(initial=0.0))
    return found / size if size else found


def dead(
    layer: LayerLayout,
    alive: NDArray[np.bool_],
    coefficients: Float32,
    steps: tuple[int, int],
    limits: Limits,
    seen: Observation | None,
) -> Iterator[Alarm]:
    """Look for functions of a layer without any gradient; where it has no knots, nothing is found.

    ``alive`` ``(functions,)`` tells whether each had a gradient at one of the steps looked at, of
    which ``steps`` are the first and the last. Functions whose ``coefficients``, ``(functions,
    nb)``, are 0 throughout were put out on purpose. ``seen`` is what reaches the layer, if it was
    observed.
    """
    if not layer.knots or steps[1] - steps[0] < limits.steps:
        return
    without = ~alive & coefficients.any(1)
    count = int(without.sum())
    if count <= limits.dead * layer.count:
        return
    beyond = seen is not None and float(np.mean(seen.outside_extent)) > limits.dead
    yield Alarm(
        "dead",
        layer.name,
        steps[0],
        f"{layer.name}: {_of(count, layer.count)} without any gradient since step {steps[0]:,}.",
        "Their inputs lie where no spline reaches."
        if beyond
        else "Their inputs lie outside the grid, or what comes after them is cut off.",
        "Call model.update_grid(batch, optimizer=optimizer), or remove them: "
        "kan_widgets.nn.prune(model, 0.01, batch, dry_run=False).",
        "grid",
    )


def _of(count: int, total: int) -> str:
    return f"{count:,} of {total:,} functions {'is' if count == 1 else 'are'}"


def _lower(rate: float | None) -> str:
    return f"live.set_learning_rate({rate / 10:.3g})" if rate else "a lower learning rate"
