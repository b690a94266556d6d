"""The moments of a run: where functions leave their start, turn, flatten or die."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_widgets.arrays import Float64, Int64
from kan_widgets.checks import check_number
from kan_widgets.insight.lasting import (
    PLURALS,
    MomentKind,
    blocks,
    chance_of,
    lasting,
    signals_of,
    values_over,
)
from kan_widgets.insight.sampled_layer import by_table
from kan_widgets.live.frames.frame import FunctionIndex
from kan_widgets.live.frames.scalars import belongs_to
from kan_widgets.live.frames.source import Source
from kan_widgets.live.frames.thinning import evenly_spaced
from kan_widgets.printed import Printed

if TYPE_CHECKING:
    from torch import Tensor

    from kan_widgets.insight.intervene import Interval

# Points of a grid, frames at least and at most, numbers worked on at a time.
_POINTS, _FEWEST, _MOST, _AT_ONCE = 33, 12, 400, 4_000_000
# Scores in shuffled order, about; marks and lines.
_SHUFFLED, _LINES = 200_000, 12
_FAST, _LEAST_RISE, _MOVED, _CONTROLS = 2.0, 0.1, 8, 3


@dataclass(frozen=True)
class Moment:
    """What one function did for good. Numbers are standard deviations over the grid, as φ's own."""

    step: int
    """The first step from which on it stays so."""
    kind: MomentKind
    layer: str
    index: FunctionIndex
    before: float
    """Mean over the frames before: of its best line or parabola, with the sign of the slope or
    bend; of itself; or of its distance from the start."""
    after: float
    p: float
    """Share of shuffled orders of frames that give a change as clear, of any function."""

    @property
    def size(self) -> float:
        """How far ``after`` is from ``before``."""
        return abs(self.after - self.before)


@dataclass(frozen=True)
class Rise:
    """A stretch in which an accuracy rose, or a loss fell, twice as fast as on the whole."""

    name: str
    """The curve, as it was logged."""
    begins: int
    ends: int
    before: float
    after: float
    p: float
    """Share of shuffled orders of the values around it that give as much."""
    moved: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """The eight functions at most that moved farthest, and farther than in 95 % of the other
    stretches as long. That does not say that they caused it."""
    put_back: "Interval | None" = None
    """Change of the accuracy where they are what they were when it began; ``None`` if not tried."""
    controls: tuple[float, ...] = ()
    """The same of as many other functions of the same layers, drawn at random."""

    def __str__(self) -> str:
        return f"{self.name} {'falls' if self.after < self.before else 'rises'}"


@dataclass(frozen=True, eq=False, repr=False)
class Moments(Printed):
    """The moments that were found, by step, and how sure that is."""

    moments: tuple[Moment, ...] = field(repr=False)
    rises: tuple[Rise, ...]
    functions: int
    """How many were looked at."""
    frames: int
    steps: tuple[int, int]
    level: float
    """The expected share of ``moments`` that are false is at most this."""

    _right = (0, 2, 3, 4)

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each moment, by step."""
        return [{**vars(moment), "size": moment.size} for moment in self.moments]

    def groups(self) -> list[tuple[int, str, Moment]]:
        """Return step, words and largest moment of groups in a layer and a tenth of the run."""
        span, groups = (self.steps[1] - self.steps[0]) / 10, list[list[Moment]]()
        for moment in sorted(self.moments, key=lambda each: (each.layer, each.kind, each.step)):
            first = groups[-1][0] if groups else moment
            is_new = not groups or (first.layer, first.kind) != (moment.layer, moment.kind)
            if is_new or moment.step - first.step > span:
                groups.append([])
            groups[-1].append(moment)
        named = []
        for group in sorted(groups, key=len, reverse=True)[:_LINES]:
            most = max(group, key=lambda one: one.size)
            words = f"{most.layer} {_place(most.index)} {most.kind}"
            if len(group) > 1:
                words = f"{len(group):,} functions of layer {most.layer} {PLURALS[most.kind]}"
            named.append((group[len(group) // 2].step, words, most))
        return sorted(named, key=lambda each: each[:2])

    def _words(self) -> list[str]:
        words = [
            f"{len(self.moments):,} moments of {self.functions:,} functions, steps "
            f"{self.steps[0]:,} to {self.steps[1]:,} in {self.frames} frames; at most "
            f"{100 * self.level:g} % of them are expected to be chance (frames in shuffled order)."
        ]
        for rise in self.rises:
            places = ", ".join(f"{layer} {_place(index)}" for layer, index in rise.moved)
            words.append(
                f"{rise} from {rise.before:.3g} to {rise.after:.3g}, steps "
                f"{rise.begins:,} to {rise.ends:,}; moved with it: {places or 'none by itself'}."
            )
            if rise.put_back is not None:
                others = ", ".join(f"{change:+.3f}" for change in rise.controls) or "no number"
                words.append(
                    f"With these put back the accuracy changes by {rise.put_back}, with as many "
                    f"others by {others}."
                )
        return [line.replace("-", "−") for line in words]

    def _rows(self) -> list[Sequence[str]]:
        rows = [
            (f"{step:,}", words, *(f"{x:.2g}".replace("-", "−") for x in (m.before, m.after, m.p)))
            for step, words, m in self.groups()
        ]
        return [("step", "what", "before", "after", "p"), *rows]


def moments(
    run: Source,
    images: "Tensor | None" = None,
    labels: "Tensor | None" = None,
    *,
    level: float = 0.05,
    mark: bool = True,
) -> "Moments":
    """Find and name the moments of a run in its frames: what functions did for good, and when.

    A function *leaves its start* once it stays a quarter of its largest distance away, *turns* or
    *bends over* where the slope of its best line, or its best parabola, changes its sign,
    *flattens* below half of its largest spread, *dies* below a twentieth: in all later frames, a
    tenth of all at least. Constants do not count, for which others of a sum can make up. A change
    is as clear as it correlates with a step. The null is the same measure on the frames in shuffled
    order, by twentieths of the run: what wavers faster is chance, at a share of ``level`` of all
    moments (Benjamini and Hochberg 1995), and what drifts for longer counts as a change.

    Parameters
    ----------
    run
        A binding, or a recording: at least 12 frames.
    images, labels
        Of a classifier that is bound, ``(n, …)`` and ``(n,)``: the functions that moved with a rise
        are put back to what they were when it began, and so are others, as `intervene` does.
    level
        Share, 0 to 1.
    mark
        Whether the steps are marked on the curves and timelines of the run (``run.scalars``).

    Raises
    ------
    TypeError, ValueError
        If ``run`` is none, has too few frames or no model for the images; as `intervene`.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> live = kw.bind(model := kw.nn.KANLinear(2, 1), every=1)
    >>> for step in range(40):
    ...     with torch.no_grad():
    ...         _ = model.base_weight.fill_(1.0 if step < 20 else -1.0)
    ...     live.step()
    ...     _ = live.refresh()
    >>> found = kw.moments(live)
    >>> [(moment.step, moment.kind) for moment in found.moments if moment.kind == "turns"]
    [(21, 'turns'), (21, 'turns')]
    """
    if not isinstance(run, Source):
        raise TypeError(f"run={run!r:.60}: expected a binding or a recording")
    check_number("level", level, 0, 1)
    if images is not None and getattr(run, "model", None) is None:
        raise TypeError("images: expected a binding, whose model can be run")
    frames = [frame for frame in run.history if not frame.layout.is_cut]
    frames = [frames[k] for k in evenly_spaced([one.step for one in frames], _MOST)]
    if len(frames) < _FEWEST:
        raise ValueError(f"run of {len(frames)} frames: expected {_FEWEST} or more; try every=1")
    latest, steps = frames[-1].layout.layers, np.array([frame.step for frame in frames])
    shapes = [{one.name: one.shape for one in frame.layout.layers} for frame in frames]
    layers = [one for one in latest if all(of.get(one.name) == one.shape for of in shapes)]
    total = sum(layer.count for layer in layers)
    rises, generator = _rises(run, steps, level), np.random.default_rng(0)
    shuffles = max(4, min(400, _SHUFFLED // max(1, total)))
    orders = [blocks(generator, len(frames)) for _ in range(shuffles)]
    scored: list[tuple[float, Moment]] = []
    chance: dict[MomentKind, list[Float64]] = {kind: [] for kind in PLURALS}
    moved: list[list[tuple[float, str, FunctionIndex]]] = [[] for _ in rises]
    for layer in layers:
        for rows, table in by_table(layer, np.arange(layer.count), _AT_ONCE // len(frames)):
            phi = values_over(frames, layer.name, rows, np.linspace(*table.domain, _POINTS))
            indices = np.transpose(np.unravel_index(rows, layer.shape)).tolist()
            places: Any = [(layer.name, tuple(index)) for index in indices]
            signals = signals_of(phi)
            largest = signals["flattens"].max(axis=0)
            for kind, signal in signals.items():
                changes = lasting(kind, signal, largest)
                chance[kind] += [lasting(kind, signal[order], largest)[3] for order in orders]
                for k in np.flatnonzero(changes[3]).tolist():
                    at, before, after, score = (of[k].item() for of in changes)
                    moment = Moment(int(steps[at]), kind, *places[k], before, after, 1.0)  # type: ignore[call-arg]
                    scored.append((score, moment))
            for rise, movers in zip(rises, moved, strict=True):
                movers += [(far, *places[k]) for far, k in _movers(phi, steps, rise)]
    for number, movers in enumerate(moved):
        farthest = sorted(movers, reverse=True)[:_MOVED]
        rises[number] = replace(
            rises[number], moved=tuple((name, index) for _, name, index in farthest)
        )
    if images is not None and labels is not None:
        rises = [_put_back(run, rise, images, labels) for rise in rises]
    kept = _sure(scored, chance, total * len(PLURALS), level)
    span = int(steps[0]), int(steps[-1])
    result = Moments(tuple(kept), tuple(rises), total, len(frames), span, level)
    marks = [*((rise.begins, str(rise)) for rise in rises), *(g[:2] for g in result.groups())]
    known = {(each.step, each.text) for each in run.scalars.marks}
    for step, words in sorted(marks):
        if mark and (step, words) not in known:
            run.scalars.mark(step, words)
    return result


def _sure(
    scored: list[tuple[float, Moment]],
    chance: dict[MomentKind, list[Float64]],
    asked: int,
    level: float,
) -> list[Moment]:
    """Return the moments that are no chance, by step, with their p; of the dead no flattening."""
    null = {kind: np.sort(np.concatenate([np.empty(0), *own])) for kind, own in chance.items()}
    with_p = []
    for score, moment in scored:
        scores = null[moment.kind]
        p = (1 + len(scores) - int(np.searchsorted(scores, score))) / (1 + len(scores))
        with_p.append(replace(moment, p=p))
    with_p.sort(key=lambda moment: moment.p)
    fine = [k for k, one in enumerate(with_p, 1) if one.p <= level * k / asked]
    kept = with_p[: max(fine, default=0)]
    dead = {(one.layer, one.index) for one in kept if one.kind == "dies"}
    alive = [m for m in kept if m.kind != "flattens" or (m.layer, m.index) not in dead]
    return sorted(alive, key=lambda moment: (moment.step, moment.layer, moment.index))


def _rises(run: Source, steps: Int64, level: float) -> list[Rise]:
    """Find stretches of losses that fall and accuracies that rise faster than on the whole."""
    rises = []
    for name in run.scalars.names:
        quantity = belongs_to(name)[0].lower()
        if quantity not in ("loss", "accuracy", "acc"):
            continue
        at, values = run.scalars.series(name)
        finite = np.isfinite(values)
        # The mean since the frame before.
        place = np.searchsorted(steps, at[finite])
        counts = np.bincount(place, minlength=len(steps) + 1)[: len(steps)]
        sums = np.bincount(place, values[finite], len(steps) + 1)[: len(steps)]
        logged = np.flatnonzero(counts)
        curve = (-1 if quantity == "loss" else 1) * sums[logged] / counts[logged]
        width = max(5, len(curve) // 20)
        if len(curve) < 4 * width:
            continue
        means = np.convolve(curve, np.full(width, 1 / width), "valid")
        gains = means[width:] - means[:-width]
        fast = gains >= _FAST * abs(means[-1] - means[0]) * width / (len(curve) - width)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], fast.astype(int), [0]])))
        for first, end in edges.reshape(-1, 2):
            some = curve[first : end - 1 + 2 * width]
            gain = some[-width:].mean() - some[:width].mean()
            p = chance_of(some, width, width)
            if gain < _LEAST_RISE * np.ptp(means) or not p <= level / (len(edges) // 2) or not gain:
                continue
            before, after = (float(abs(part.mean())) for part in (some[:width], some[-width:]))
            ends = steps[
                logged[[first + width // 2, min(end - 1 + 3 * width // 2, len(logged) - 1)]]
            ]
            rises.append(Rise(name, int(ends[0]), int(ends[1]), before, after, p))
    return rises


def _movers(phi: Float64, steps: Int64, rise: Rise) -> Iterator[tuple[float, int]]:
    """Yield how far functions moved in a rise, that moved farther than nearly ever besides."""
    first, last = np.searchsorted(steps, [rise.begins, rise.ends])
    length = max(1, last - first)
    moved = (phi[length:] - phi[:-length]).std(axis=2)
    starts = np.arange(len(moved))
    others = moved[(starts + length <= first) | (starts >= last)]
    if len(others) < 20 or first >= len(moved):
        return
    as_far = (others >= moved[first]).mean(axis=0)
    for k in np.flatnonzero((as_far <= 0.05) & (moved[first] > 0)):
        yield float(moved[first, k]), int(k)


def _put_back(run: Any, rise: Rise, images: "Tensor", labels: "Tensor") -> Rise:
    """Run the model with functions as they were when a rise began, and with others so."""
    from kan_widgets.insight.intervene import intervene

    if not rise.moved:
        return rise
    then = SimpleNamespace(model=run.model, history=[run.history.at(rise.begins)])
    generator, layout = np.random.default_rng(0), run.frame.layout

    def change(where: Sequence[tuple[str, tuple[int, ...]]]) -> "Interval":
        return intervene(then, images, labels, "initial", where=where).change  # type: ignore[arg-type]

    pools = {
        name: [i for i in np.ndindex(layout.layer(name).shape) if (name, i) not in rise.moved]
        for name, _ in rise.moved
    }
    changes = []
    for _ in range(_CONTROLS if any(pools.values()) else 0):
        where = []
        for name, pool in pools.items():
            count = sum(name == layer for layer, _ in rise.moved)
            where += [(name, pool[k]) for k in generator.permutation(len(pool))[:count]]
        changes.append(change(where).value)
    return replace(rise, put_back=change(rise.moved), controls=tuple(changes))


def _place(index: tuple[int, ...]) -> str:
    out, in_, row, column = index
    return f"φ {in_} → {out}" + (f" [{row}, {column}]" if row or column else "")
