"""The still picture: what the live view of a layer shows, as a PNG for pages without a browser.

Lengths are CSS pixels where nothing else is said; ``pixel_ratio`` turns them into pixels of the
image. Sizes, colours and words are those of ``js/src/kernel_grid``.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np
from PIL import Image

from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import LayerLayout, Layout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.widgets.geometry import arrange
from kan_widgets.widgets.paper import check_ratio
from kan_widgets.widgets.pattern import contrast, pattern_text, sees_pixels
from kan_widgets.widgets.preferred import Preferred, bounds_of, preferred
from kan_widgets.widgets.ranges import (
    Functions,
    format_number,
    format_range,
    nice_ceil,
    window,
)
from kan_widgets.widgets.scores import STEPS, Score, Shade, shade_of, tints
from kan_widgets.widgets.sheet import DARK, LIGHT, Bytes, Float64, Int64, Sheet, Sign, Window

Mode: TypeAlias = Literal["curves", "pattern", "preferred", "change"]
BoundsOf: TypeAlias = Literal["domain", "observed"]
Scale: TypeAlias = Literal["layer", "kernel", "function"]
XRange: TypeAlias = Literal["domain", "wide"]

CHOICES = {
    "mode": ("curves", "pattern", "preferred", "change"),
    "bounds": ("domain", "observed"),
    "scale": ("layer", "kernel", "function"),
    "x_range": ("domain", "wide"),
    "sort": ("position", "range", "change"),
    "theme": ("light", "dark"),
}
COLOURS = 64
SHADED_COLOURS = 256  # with tints behind the curves


def render(
    layout: Layout,
    frame: Frame,
    *,
    initial: Frame | None = None,
    layer: str = "",
    mode: Mode = "curves",
    binarise: bool = False,
    suppressed: bool = False,
    bounds: BoundsOf = "domain",
    observed: Observation | None = None,
    scale: Scale = "layer",
    ghost: bool = True,
    x_range: XRange = "domain",
    sort: str = "position",
    shade: str = "",
    scores: Mapping[str, Score] | None = None,
    selection: Mapping[str, object] | None = None,
    width: int = 900,
    max_height: int = 2400,
    theme: Literal["light", "dark"] = "light",
    pixel_ratio: float = 2,
    title: bool = True,
) -> Image.Image:
    """Draw the functions of one layer.

    Parameters
    ----------
    layout
        Names the layers there are.
    frame
        The coefficients to draw.
    initial
        The first frame: the ghost, and what ``"change"`` compares with. Where it is missing, or
        has the layer in another shape, the functions are drawn alone, and the title says so.
    layer
        Name of the layer; empty for the first one.
    mode
        ``"curves"``, ``"pattern"`` (a cell is the whiter the more φ rises from the lower end of
        its grid to the upper),
        ``"preferred"`` (a cell is the whiter the nearer φ is largest to the high end of the
        bounds), or ``"change"`` (φ now − φ at the start).
    binarise
        In pattern mode, black and white only.
    suppressed
        In preferred mode, where φ is smallest instead.
    bounds
        In preferred mode, the ``"domain"`` of the functions, or what was ``"observed"``.
    observed
        The inputs of the layer, where a batch was observed.
    scale
        What shares one y axis: the ``"layer"``, each ``"kernel"``, or each ``"function"`` alone.
    ghost
        Whether the initial functions are drawn behind.
    x_range
        ``"domain"``, the grid's range, or ``"wide"``, as far as the splines reach.
    sort
        Order of the kernels: by ``"position"``, or falling by ``"range"``, ``"change"`` or the
        score of this name.
    shade
        Name of the score that tints the ground of the cells where curves are drawn; empty for none.
    scores
        By name.
    selection
        ``{"layer", "out", "in", "row", "column"}`` of the function to be framed.
    width, max_height
        Size in CSS pixels. The picture is wider where not even one kernel fits. What is higher is
        cut between kernels, and a line at the bottom says how much is missing; one row of kernels
        is always drawn.
    theme
        ``"light"`` or ``"dark"``.
    pixel_ratio
        Pixels of the image per CSS pixel, 0.25 to 16.
    title
        Whether to write name, size, step and ranges above.

    Returns
    -------
    PIL.Image.Image
        An RGB image.

    Raises
    ------
    KeyError
        If there is no such layer; the message lists the names.
    ValueError
        If an option is none of those listed.
    """
    given = {
        "mode": mode,
        "bounds": bounds,
        "scale": scale,
        "x_range": x_range,
        "sort": sort,
        "theme": theme,
        "shade": shade,
    }
    scores = scores or {}
    choices = CHOICES | {"sort": (*CHOICES["sort"], *scores), "shade": ("", *scores)}
    for option, value in given.items():
        if value not in choices[option]:
            raise ValueError(f"{option} is {value!r}; it must be one of {choices[option]}")
    check_ratio(pixel_ratio)
    name = layout.layer(layer).name if layer else layout.layers[0].name
    its = frame.layout.layer(name)
    start = initial if initial is not None and _comparable(initial, its) else None

    x = window(its, x_range == "wide")
    now = Functions(frame, name)
    change = None
    if start is not None and "change" in (mode, sort):
        change = Functions(frame, name, minus=start)
    order = None
    if sort == "range":
        order = _falling(its, now.peaks(*x))
    elif sort == "change":
        order = _falling(its, np.zeros(its.count) if change is None else change.peaks(*x))
    elif sort in scores and (sorted_by := shade_of(scores, sort, its)) is not None:
        order = _falling(its, sorted_by.values)
    out, in_, kh, kw = its.shape
    places = arrange(its.kind, out, in_, kh, kw, width, order)

    words = _title(its, frame.step)
    legend: list[Sign] = []
    shown, behind, shading = now, None, None
    if mode == "pattern":
        values = contrast(its, now)
        broken = ~np.isfinite(values)
        largest = float(np.abs(values[~broken]).max(initial=0.0))
        text = pattern_text(its, sees_pixels(its, observed), largest, binarise)
        legend.append(Sign(text, "ends" if binarise else "bar"))
    elif mode == "preferred":
        seen = observed if bounds == "observed" else None
        within = bounds_of(
            its, None if seen is None else seen.patches, 0 if seen is None else seen.samples
        )
        patch = preferred(frame, its, within, suppressed)
        values = patch.greys()
        broken = np.isnan(values)
        legend += _preferred_signs(its, patch, suppressed, _selected(its, selection))
        if bounds == "observed" and not within.samples:
            legend.append(Sign("no inputs observed: within the grid's range"))
    else:
        if mode == "change" and start is not None and change is not None:
            shown = change
            legend += [Sign(f"rose since step {start.step:,}", "rise"), Sign("fell", "fall")]
        elif mode == "change":
            legend.append(Sign("no first frame to compare with: the functions themselves"))
        elif ghost and start is not None:
            behind = Functions(start, name)
            legend.append(Sign(f"step {start.step:,}", "dashes"))
        peaks = shown.peaks(*x)
        peaks_behind = peaks if behind is None else behind.peaks(*x)
        broken = np.isnan(peaks)
        # fmax: what is not finite does not count.
        axes = _axes(its, np.fmax(peaks, peaks_behind), scale)
        words += _axes_text(its, x, axes, scale, "change" if shown is change else "y")
        if shade:
            shading = shade_of(scores, shade, its)
            legend += _shade_signs(shade, shading, theme)
    if broken.any():
        legend.append(Sign(f"{_count(int(broken.sum()), 'function')} not finite", "cross"))
    if its.note:
        legend.append(Sign(its.note))
    if not title:
        words, legend = [], []

    colours = LIGHT if theme == "light" else DARK
    sheet = Sheet(places, colours, pixel_ratio, words, legend, max_height)
    drawn = sheet.functions
    fine = drawn[~broken[drawn]]
    if mode == "pattern":
        sheet.draw_cells(drawn, x, x, zero=False)
        sheet.draw_greys(fine, _greys(values[fine], largest, binarise))
    elif mode == "preferred":
        sheet.draw_cells(drawn, x, x, zero=False)
        sheet.draw_greys(fine, np.rint(255 * values[fine]).astype(np.uint8))
    else:
        sheet.draw_cells(drawn, x, its.domain)
        if shading is not None:
            _draw_shade(sheet, shading, x, its.domain, theme)
        axis_of = np.repeat(axes, its.count // len(axes))
        if behind is not None:
            known = fine[np.isfinite(peaks_behind[fine])]
            sheet.draw_ghosts(behind, known, x, axis_of[known])
        sheet.draw_curves(shown, fine, x, axis_of[fine], filled=shown is change)
    sheet.draw_crosses(drawn[broken[drawn]])
    chosen = _selected(its, selection)
    if chosen in drawn:
        sheet.draw_selection(chosen)
    return sheet.image


def png_bytes(image: Image.Image) -> bytes:
    r"""Return an image as a small PNG with a palette.

    Its ``info["colours"]``, at most 256, says how many colours it needs if 64 are too few: in heat
    maps the colours that then stand for others make bands, and tint the zero.

    Examples
    --------
    >>> png_bytes(Image.new("RGB", (9, 9)))[:4]
    b'\x89PNG'
    """
    # Maximum coverage keeps rare colours, such as a single cross; a median cut would lose them.
    colours = image.info.get("colours", COLOURS)
    small = image.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    target = io.BytesIO()
    small.save(target, "PNG", optimize=True, dpi=image.info.get("dpi", (96, 96)))
    return target.getvalue()


def _comparable(frame: Frame, layer: LayerLayout) -> bool:
    """Whether a frame has a layer of this name and shape."""
    return any(its.name == layer.name and its.shape == layer.shape for its in frame.layout.layers)


def _falling(layer: LayerLayout, peaks: Float64) -> list[int]:
    """Return the kernels from the largest to the smallest; what is not finite comes last."""
    per_kernel = _largest(peaks, layer.shape[2] * layer.shape[3])
    key = np.where(np.isnan(per_kernel), -np.inf, per_kernel)
    return [int(kernel) for kernel in np.argsort(-key, kind="stable")]


def _axes(layer: LayerLayout, peaks: Float64, scale: Scale) -> Float64:
    """Return M of each axis, one or one per kernel or function; NaN where nothing is finite."""
    if scale == "layer":
        return np.array([nice_ceil(float(_largest(peaks, layer.count)[0]))])
    size = layer.shape[2] * layer.shape[3] if scale == "kernel" else 1
    found = [float("nan") if np.isnan(m) else nice_ceil(float(m)) for m in _largest(peaks, size)]
    return np.array(found)


def _largest(peaks: Float64, size: int) -> Float64:
    """Return the largest finite value of each run of ``size``, NaN where there is none."""
    found: Float64 = np.fmax.reduce(peaks.reshape(-1, size), axis=1)
    return found


def _greys(differences: Float64, largest: float, binarise: bool) -> Bytes:
    """Return the grey of each function of a pattern."""
    if binarise:
        return np.where(differences < 0, 0, 255).astype(np.uint8)
    share = differences / largest if largest > 0 else differences * 0
    return np.rint(255 * (0.5 + 0.5 * share)).astype(np.uint8)


def _selected(layer: LayerLayout, selection: Mapping[str, object] | None) -> int:
    """Return the number of the selected function, -1 where this layer has none such."""
    if not selection or selection.get("layer") != layer.name:
        return -1
    number = 0
    for key, size in zip(("out", "in", "row", "column"), layer.shape, strict=True):
        index = selection.get(key)
        if not isinstance(index, int) or not 0 <= index < size:
            return -1
        number = number * size + index
    return number


def _draw_shade(sheet: Sheet, shade: Shade, x: Window, grid: Window, theme: str) -> None:
    """Tint the ground of the cells whose functions have a number."""
    sheet.image.info["colours"] = SHADED_COLOURS
    known: Int64 = sheet.functions[~np.isnan(shade.values[sheet.functions])]
    colours, number = np.unique(shade.tints(theme)[known], axis=0, return_inverse=True)
    for k, (red, green, blue) in enumerate(colours.tolist()):
        some = known[number.reshape(-1) == k]
        sheet.draw_cells(some, x, grid, ground=(red, green, blue))


# ---------------------------------------------------------------- words


def _shade_signs(name: str, shade: Shade | None, theme: str) -> list[Sign]:
    """Return the scale of the tints."""
    if shade is None:
        return [Sign(f"no {name} of this layer")]
    low, high = shade.ends()
    count = (2 if shade.signed else 1) * STEPS + 1
    colours = tints(np.linspace(-1.0 if shade.signed else 0.0, 1.0, count), theme)
    text = f"{name} {format_number(low)} … {format_number(high)} {shade.units}".rstrip()
    signs = [Sign(text, "ramp", ramp=tuple((r, g, b) for r, g, b in colours.tolist()))]
    if shade.unknown:
        signs.append(Sign(f"{_count(shade.unknown, 'function')} without {name}"))
    return signs


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _title(layer: LayerLayout, step: int) -> list[Sign]:
    """Return name, type, size and step."""
    out, in_, kh, kw = layer.shape
    size = f"{out} × {in_}, {_count(layer.count, 'function')}"
    if layer.kind == "conv":
        kernels = _count(out * in_, "kernel")
        size = f"{kernels} {kh} × {kw}, {_count(layer.count, 'function')}"
    parts = [Sign(layer.name or layer.type, strong=True)]
    if layer.name:
        parts.append(Sign(layer.type))
    return [*parts, Sign(size), Sign(f"step {step:,}")]


def _axes_text(layer: LayerLayout, x: Window, axes: Float64, scale: Scale, y: str) -> list[Sign]:
    """Return the ranges of both axes."""
    known = axes[~np.isnan(axes)]
    smallest, largest = float(known.min(initial=np.inf)), float(known.max(initial=0.0))
    text = format_range(largest)
    if scale != "layer":
        own = f"{format_range(smallest)} … {text}" if smallest < largest else f"each {text}"
        y, text = f"{y},", f"own scale per {scale}: {own}"
    low, high = map(format_number, x)
    return [Sign(f"{y} {text}"), Sign(f"{layer.variable} {low} … {high}")]


def _preferred_signs(
    layer: LayerLayout, patch: Preferred, suppressed: bool, selected: int
) -> list[Sign]:
    """Return the explanation of black and white, and what the selected kernel reaches."""

    def ends(values: Float64) -> str:
        low, high = format_number(float(values.min())), format_number(float(values.max()))
        return low if low == high else f"{low} … {high}"

    which = "smallest" if suppressed else "largest"
    low, high = ends(patch.bounds.low), ends(patch.bounds.high)
    text = (
        f"black: φ is {which} at the low end, {layer.variable} = {low} · "
        f"white: at the high end, {high}"
    )
    signs = [Sign(text, "bar")]
    if patch.bounds.samples:
        images = _count(patch.bounds.samples, "image")
        signs.append(Sign(f"bounds: each entry's quantiles 0.5 % and 99.5 % of {images}"))
    if selected >= 0:
        out, entries, total = patch.reached(layer, selected)
        if np.isfinite(total):
            way = "at least" if suppressed else "at most"
            functions = _count(entries, "function")
            signs.append(Sign(f"out {out} reaches {format_number(total)} {way}, with {functions}"))
    return signs
