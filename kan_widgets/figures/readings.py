"""Kernels as pictures: their response to waves, and how well simple readings predict them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kan_widgets.figures import plain
from kan_widgets.figures.colours import SEQUENTIAL, colour, curve_colour
from kan_widgets.insight import FrequencyResponse, PatternCheck

_READINGS = ("binary", "graded", "linear", "slopes", "preferred", "nearness")
_MOST = 7


def frequency(response: FrequencyResponse) -> Any:
    """Return how strongly a kernel responds to waves, as a map over their frequencies.

    Parameters
    ----------
    response
        From `kan_widgets.insight.frequency_response`.

    Returns
    -------
    bqplot.Figure
        The marks: the map of |H|, dots at the strongest response and at the opposite wave, where it
        is the same. Vertical frequencies grow downwards, as the rows of a picture do.

    Raises
    ------
    TypeError
        If ``response`` is something else.

    Examples
    --------
    >>> import numpy as np, kan_widgets as kw
    >>> sobel = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    >>> figure = kw.figures.frequency(kw.insight.frequency_response(sobel))
    >>> figure.title, figure.marks[0].color.shape, figure.marks[1].y
    ('edge, 0°', (65, 65), array([ 0.25, -0.25]))
    """
    if not isinstance(response, FrequencyResponse):
        raise TypeError(
            "response: expected what kan_widgets.insight.frequency_response returned, got "
            f"{response!r:.60}"
        )
    bqplot = plain.bqplot()
    both = plain.scales()
    both["y"].reverse = True
    shades = bqplot.ColorScale(colors=list(SEQUENTIAL), min=0.0)
    shades.max = float(response.magnitude.max()) or 1.0
    plane = bqplot.HeatMap(
        x=response.frequencies,
        y=response.frequencies,
        color=response.magnitude,
        scales={**both, "color": shades},
    )
    peak = np.array(response.peak) + 0.0
    ends = np.unique(np.stack([peak, 0.0 - peak]), axis=0)[::-1]
    ends = ends[np.isfinite(ends).all(axis=1)]
    dots = plain.dots(
        both,
        default_size=90,
        colors=[colour("curve-1")],
        stroke="white",
        x=ends[:, 1] + 0.0,
        y=ends[:, 0] + 0.0,
    )
    none = {
        "grid_lines": "none",
        "tick_format": ".2~f",
        "tick_values": [-0.5, -0.25, 0.0, 0.25, 0.5],
    }
    ticks = {"tick_format": ".3~g", "tick_values": [0.0, shades.max / 2, shades.max]}
    axes = [
        plain.axis(both["x"], "horizontal, cycles per pixel", "bottom", **none),
        plain.axis(both["y"], "vertical, cycles per pixel", "left", **none),
        bqplot.ColorAxis(scale=shades, side="right", label="|H|", **ticks),
    ]
    known = response.kind in ("edge", "line")
    title = f"{response.kind}, {response.orientation:.0f}°" if known else response.kind
    made = plain.figure([plane, dots], axes, title=title)
    made.fig_margin = {**made.fig_margin, "right": 90}
    made.min_aspect_ratio = made.max_aspect_ratio = 1.25
    made.padding_x = made.padding_y = 0.0
    made.layout.height, made.layout.width = "380px", "475px"
    return made


def patterns(checks: PatternCheck | Sequence[PatternCheck]) -> Any:
    """Return how well simple readings of kernels predict their response, as bars of r.

    Parameters
    ----------
    checks
        From `kan_widgets.insight.check_pattern`: one, or up to seven.

    Returns
    -------
    bqplot.Figure
        Its mark is the bars: a group for each reading, a colour for each kernel.

    Raises
    ------
    TypeError
        If ``checks`` are something else.
    ValueError
        If there are none, or more than seven.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> plain = torch.nn.Conv2d(1, 1, (1, 2), bias=False)
    >>> plain.weight.data.copy_(torch.tensor([[[[2.0, -2.0]]]]))
    tensor([[[[ 2., -2.]]]])
    >>> live = kw.bind(plain)
    >>> [observed] = live.observe(torch.rand(4, 1, 8, 8)).values()
    >>> check = kw.insight.check_pattern(kw.insight.kernel_of(live.read()[0], 0), observed)
    >>> figure = kw.figures.patterns(check)
    >>> figure.marks[0].x.tolist()[:2], figure.marks[0].y[:2].round(6)
    (['binary', 'graded'], array([1., 1.]))
    """
    given = [checks] if isinstance(checks, PatternCheck) else checks
    if not isinstance(given, Sequence) or not all(isinstance(c, PatternCheck) for c in given):
        raise TypeError(
            "checks: expected what kan_widgets.insight.check_pattern returned, once or several "
            f"times, got {checks!r:.60}"
        )
    if not 1 <= len(given) <= _MOST:
        raise ValueError(f"checks: expected 1 to {_MOST}, one for each kernel, got {len(given)}")
    r = np.array([[getattr(check, reading) for reading in _READINGS] for check in given])
    both = {"x": plain.bqplot().OrdinalScale(), "y": plain.scale("linear")}
    both["y"].min, both["y"].max = min(0.0, float(np.nanmin([*r.ravel(), 0.0])) * 1.05), 1.0
    bars = plain.bqplot().Bars(
        x=list(_READINGS),
        # A reading that says nothing has no bar.
        y=np.nan_to_num(r if len(given) > 1 else r[0]),
        type="grouped",
        color_mode="element",
        colors=[curve_colour(k) for k in range(len(given))],
        labels=[f"{check.layer}, output {check.out}" for check in given],
        display_legend=len(given) > 1,
        padding=0.25,
        scales=both,
    )
    axes = [
        plain.axis(both["x"], "reading of the kernel", "bottom", grid_lines="none"),
        plain.axis(both["y"], "r with its response", "left"),
    ]
    title = f"{given[0].layer}, output {given[0].out}" if len(given) == 1 else ""
    return plain.figure([bars], axes, title=title)
