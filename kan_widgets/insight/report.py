"""What each kernel of a layer does, and how far to trust that: a table."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kan_widgets.functions import LayerFunctions
from kan_widgets.functions.describe import lines_of, table_of
from kan_widgets.insight.frequency import FrequencyResponse
from kan_widgets.insight.kernels import Observed, check_observed
from kan_widgets.insight.linear import LinearKernel, LinearKernels, fitted
from kan_widgets.insight.patches import Bounds, Patch, extremes, patches_of
from kan_widgets.insight.patterns import PatternCheck, checked, of_untrained
from kan_widgets.insight.stacked import in_parts, mean_slopes, responses, stack_of
from kan_widgets.insight.tables import Float64
from kan_widgets.insight.untrained import Untrained

_ROWS = 40
_HEAD = (
    "kernel",
    "spread of y",
    "linear share",
    "best linear",
    "the linear kernel is",
    "r of ±1 pattern",
    "r of linear",
    "r of preferred",
    "preferred y",
    "seen y",
    "nearest real y",
)


@dataclass(frozen=True, eq=False)
class KernelRow:
    """What is known of one kernel."""

    out: int
    linear: LinearKernel
    frequency: FrequencyResponse | None
    """Of ``channel``; ``None`` for kernels less than 2 wide or high."""
    channel: int | None
    """The input channel with the largest weights."""
    preferred: Patch
    suppressed: Patch
    pattern: PatternCheck

    def _cells(self, channels: int) -> tuple[str, ...]:
        real = self.preferred.nearest
        assert real is not None
        return (
            str(self.out),
            _number(self.linear.spread),
            _share(self.linear.share),
            _share(self.linear.best_share),
            self._words(channels),
            *map(_r, (self.pattern.binary, self.pattern.linear, self.pattern.preferred)),
            _number(self.preferred.response),
            f"{_number(real.least)} … {_number(real.most)}",
            f"{_number(float(real.response[0]))} at {_number(float(real.distance[0]))}",
        )

    def _words(self, channels: int) -> str:
        found = self.frequency
        if found is None or not found.kind:
            return "–"
        words = found.kind
        if words != "no direction":
            words += f" at {found.orientation:.0f}°"
        words += f" ({found.strength:.2f})"
        return words if channels == 1 else f"{words}, channel {self.channel}"


@dataclass(frozen=True, eq=False)
class KernelReport:
    """The kernels of a layer, one row each; prints as a table.

    Columns: the standard deviation of the response y; the share of its variance that the linear
    kernel explains, and that the best linear kernel of all does; edge or line, its angle (0 is
    along a row) and how clear that is, 0 to 1; the correlation with y of the ±1 pattern, the
    linear kernel and the preferred patch; what the preferred patch reaches, and what real patches
    do; and what the real patch nearest to it does, at which distance, in standard deviations per
    entry.
    """

    layer: str
    type: str
    rows: tuple[KernelRow, ...]
    linear: LinearKernels
    """Those of all rows side by side, with one number per function."""
    channels: int
    bounds: str
    """Of the preferred and the suppressed patches, in words."""
    samples: int
    """Images (rows) in the observed batch."""
    patches: int
    """Observed patches the numbers rest on."""
    untrained: Float64 = field(repr=False)
    """r of the ±1 patterns of this layer's kernels in untrained networks; empty where none were
    given."""

    def _notes(self) -> list[str]:
        name = f"{self.layer} ({self.type})" if self.layer != self.type else self.layer
        seen = f"{self.samples:,} samples, {self.patches:,} patches"
        notes = [
            f"{name}: {seen}; preferred within {self.bounds}",
            "y is the response without a bias; nearest: the real patch nearest to the preferred "
            "one, at its distance in standard deviations of each entry",
            self._chance(),
        ]
        if len(self.rows) > _ROWS:
            notes.append(f"the first {_ROWS} of {len(self.rows):,} kernels; rows holds them all")
        return notes

    def _chance(self) -> str:
        if not len(self.untrained):
            return (
                "kernels that were never trained may be as like their ±1 patterns: how like, "
                "untrained=untrained_networks(make, observe) tells"
            )
        low, middle, high = map(_r, np.quantile(self.untrained, (0.05, 0.5, 0.95)))
        return (
            f"r of ±1 pattern of {len(self.untrained):,} kernels of untrained networks: {middle} "
            f"in the median, nine in ten from {low} to {high}"
        )

    def _cells(self) -> list[tuple[str, ...]]:
        rows = [_HEAD, *(row._cells(self.channels) for row in self.rows[:_ROWS])]
        # A column that says nothing of any kernel is left out.
        kept = [column for column in zip(*rows, strict=True) if {*column[1:]} - {"–"}]
        return list(zip(*kept, strict=True))

    def __str__(self) -> str:
        cells = self._cells()
        right = [k for k, head in enumerate(cells[0]) if head != "the linear kernel is"]
        return "\n".join([*self._notes(), *lines_of(cells, right)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *rows = self._cells()
        # Ranges and units stay on one line; the heads may wrap.
        whole = [[cell.replace(" ", "\N{NO-BREAK SPACE}") for cell in row] for row in rows]
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        return notes + table_of([head, *whole])


def kernel_report(
    layer: LayerFunctions,
    observed: Observed,
    bounds: Bounds = "observed",
    *,
    nearest: int = 5,
    untrained: Sequence[Untrained] = (),
) -> KernelReport:
    """Describe what each kernel of a layer does, and how far to trust each description.

    In a notebook the last line of a cell shows it; elsewhere, print it.

    Parameters
    ----------
    layer
        From `kan_widgets.functions.read`, or ``live.read()``.
    observed
        Such as ``live.observe(batch)[layer.name]``.
    bounds
        Of the preferred and the suppressed patches; see `preferred_patch`.
    nearest
        How many real patches to keep beside each.
    untrained
        As for `check_pattern`.

    Raises
    ------
    TypeError
        If nothing observed is given.
    ValueError
        If it is of another layer or does not fit it, ``bounds`` or ``nearest`` is out of range, or
        an untrained network is another one.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> plain = torch.nn.Conv2d(1, 1, 2, bias=False)
    >>> _ = plain.weight.data.copy_(torch.tensor([[[[-1.0, -1.0], [1.0, 1.0]]]]))
    >>> live = kw.bind(plain)
    >>> [observed] = live.observe(torch.rand(4, 1, 8, 8)).values()
    >>> found = kernel_report(live.read()[0], observed, bounds="domain")
    >>> round(found.rows[0].linear.share, 6), found.rows[0].preferred.response
    (1.0, 4.0)
    >>> found.rows[0].frequency.kind, found.rows[0].frequency.orientation
    ('edge', 0.0)
    """
    if nearest < 1:
        raise ValueError(f"nearest: expected a whole number ≥ 1, got {nearest!r}")
    x = check_observed(layer, observed)
    beside = of_untrained(untrained, layer)
    rows: list[KernelRow] = []
    parts: list[LinearKernels] = []
    words = ""
    whole = stack_of(layer)
    slopes = mean_slopes(whole, x)
    for some, stack in in_parts(whole, len(x)):
        made = responses(stack, x)
        fits = fitted(stack, made, slopes[some], x, observed)
        high, low = (extremes(stack, sign, bounds, x) for sign in (1, -1))
        words = high.bounds
        preferred = patches_of(stack, "preferred", high, observed, x, made.y, nearest)
        suppressed = patches_of(stack, "suppressed", low, observed, x, made.y, nearest)
        patterns = checked(stack, made.y, x, fits, high, beside)
        parts.append(fits)
        for k, out in enumerate(fits.outs):
            linear = fits[k]
            channel, frequency = _frequency(linear)
            rows.append(
                KernelRow(out, linear, frequency, channel, preferred[k], suppressed[k], patterns[k])
            )
    return KernelReport(
        layer=layer.name or layer.type,
        type=layer.type,
        rows=tuple(rows),
        linear=LinearKernels.joined(parts),
        channels=layer.shape[1],
        bounds=words,
        samples=observed.samples,
        patches=len(x),
        untrained=beside,
    )


def _frequency(linear: LinearKernel) -> tuple[int | None, FrequencyResponse | None]:
    if min(linear.weights.shape[1:]) < 2 or not np.isfinite(linear.weights).all():
        return None, None
    channel = linear.strongest
    return channel, linear.frequency(channel)


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "–"


def _r(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"


def _share(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    text = f"{100 * value:.1f} %"
    # What is almost all must not read as all.
    return text if text != "100.0 %" or value > 0.99999 else f"{math.floor(1e4 * value) / 100} %"
