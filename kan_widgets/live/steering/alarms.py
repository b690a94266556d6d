"""What can go wrong in a training, found in frames, curves, inputs seen and gradients.

Each function looks for one fault and returns what it found; nothing here keeps anything, runs the
model or changes it. `kan_widgets.live.watching.watchdog` calls them now and then.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kan_widgets.checks import check_number, check_whole
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import LayerLayout, Layout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.scalars import Scalars, belongs_to

AlarmKind = Literal["loss", "not finite", "outside", "dead", "still", "exploding"]
RATE, GRID = "Learning rate ÷ 10", "Update the grid"
"""What a panel can do against an alarm between two steps, and undo; so its button says."""

# Shares of a layer's coefficients: one that moved less has stopped, and others must move this far.
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

    kind: AlarmKind
    layer: str
    """Name of the layer, or of the curve of a loss."""
    since: int
    """The step at which it was seen first; it began at most one frame earlier."""
    what: str
    """What goes wrong, in one sentence."""
    cause: str
    """The likely one, in a sentence."""
    cure: str
    """What to call against it."""
    button: str = ""
    """What ``live.watchdog.cure`` does about it; else empty."""

    @property
    def id(self) -> str:
        """Equal for the same alarm at a later step."""
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
            f"{name} is {'not a number' if math.isnan(values[-1]) else values[-1]} since step "
            f"{since:,}.",
            f"Usually the learning rate{_known(rate)} is too high, or something is divided by 0 or "
            "a logarithm taken of it.",
            f"Try {_lower(rate)}, or {_CLIP}.",
            RATE if rate else "",
        )


def not_finite(frame: Frame, rate: float | None) -> Iterator[Alarm]:
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
                f"A gradient was not finite, or the learning rate{_known(rate)} too high.",
                "No training brings them back: load the last checkpoint, and go on with a lower "
                f"rate or {_CLIP}.",
            )


def exploding(frame: Frame, first: Frame, limits: Limits, rate: float | None) -> Iterator[Alarm]:
    """Look for layers one of whose functions reaches far beyond all of the first frame."""
    for layer in frame.layout.layers:
        if layer.name not in first.layout.names:
            continue
        now, then = _reach(frame, layer), _reach(first, first.layout.layer(layer.name))
        if math.isfinite(now) and now > limits.exploding * max(then, 1.0):
            yield Alarm(
                "exploding",
                layer.name,
                frame.step,
                f"{layer.name}: φ has grown more than {limits.exploding:g}-fold, from {then:.3g} "
                "at first.",
                f"The learning rate{_known(rate)} is probably too high for this layer.",
                f"Try {_lower(rate)}, weight decay, or {_CLIP}.",
                RATE if rate else "",
            )


def _reach(frame: Frame, layer: LayerLayout) -> float:
    """Return the largest |φ| of the function with the largest coefficients."""
    rows = frame.rows(layer)
    function = int(np.abs(rows).max(1, initial=0.0).argmax())
    number = 0 if layer.table_of is None else int(layer.table_of[function])
    with np.errstate(all="ignore"):
        return float(np.abs(layer.tables[number].values @ rows[function]).max(initial=0.0))


def outside_grid(
    observed: Mapping[str, Observation], layout: Layout, limits: Limits
) -> Iterator[Alarm]:
    """Look for layers with a grid where many of the inputs observed do not reach it."""
    for layer in layout.layers:
        inputs = observed.get(layer.name)
        if inputs is None or not layer.knots or not len(inputs.outside_domain):
            continue
        share = float(np.mean(inputs.outside_domain))
        if share > limits.outside:
            low, high = layer.domain
            yield Alarm(
                "outside",
                layer.name,
                inputs.step or 0,
                f"{layer.name}: {100 * share:.0f} % of its inputs lie outside its grid, {low:g} to "
                f"{high:g}, as observed at step {inputs.step or 0:,}.",
                "There its splines fade out, and only the base term goes on.",
                "Call model.update_grid(batch, optimizer=optimizer) (kan_widgets.nn.update_grid).",
                GRID,
            )


def still(frame: Frame, before: Frame, trained: Mapping[str, bool | None]) -> Iterator[Alarm]:
    """Look for layers whose splines are as in a frame before, of the same layout; others changed.

    ``trained`` tells of each layer whether the optimizer has its parameters; ``None`` where they
    are frozen on purpose.
    """
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
    """Return how far a layer and its splines moved, relative to their size."""
    now, then = frame.rows(layer), before.rows(layer)
    splines = ~np.array(layer.is_base)
    has_splines = bool(layer.knots) and splines.any()

    def change(part: NDArray[np.bool_] | slice) -> float:
        with np.errstate(all="ignore"):
            size = float(np.abs(then[:, part]).max(initial=0.0))
            found = float(np.abs(now[:, part] - then[:, part]).max(initial=0.0))
        return found / size if size else found

    return change(slice(None)), change(splines) if has_splines else None


def dead(
    frame: Frame,
    alive: Mapping[str, NDArray[np.bool_]],
    since: int,
    observed: Mapping[str, Observation],
    limits: Limits,
) -> Iterator[Alarm]:
    """Look for functions on a grid without any gradient.

    ``alive`` ``(functions,)`` tells of a layer whether each had one since a step. Functions whose
    coefficients are 0 throughout were pruned on purpose.
    """
    for layer in frame.layout.layers:
        known, inputs = alive.get(layer.name), observed.get(layer.name)
        if known is None or len(known) != layer.count or not layer.knots:
            continue
        count = int((~known & frame.rows(layer).any(1)).sum())
        if count > limits.dead * layer.count:
            beyond = inputs is not None and float(np.mean(inputs.outside_extent)) > limits.dead
            yield Alarm(
                "dead",
                layer.name,
                since,
                f"{layer.name}: {_of(count, layer.count)} without any gradient since step "
                f"{since:,}.",
                "Their inputs lie where no spline reaches."
                if beyond
                else "Their inputs lie outside the grid, or what comes after them is cut off.",
                "Call model.update_grid(batch, optimizer=optimizer), or remove them: "
                "kan_widgets.nn.prune(model, 0.01, batch, dry_run=False).",
                GRID,
            )


def _of(count: int, total: int) -> str:
    return f"{count:,} of {total:,} functions {'is' if count == 1 else 'are'}"


def _known(rate: float | None) -> str:
    return f", {rate:g}," if rate else ""


def _lower(rate: float | None) -> str:
    return f"live.set_learning_rate({rate / 10:.3g})" if rate else "a lower learning rate"
