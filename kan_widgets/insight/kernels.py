"""Kernels as sums of functions of one variable, their inputs, and how well a pattern reads them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Union

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kan_widgets.arrays import Float64, Int64
from kan_widgets.functions import ConvSettings, LayerFunctions
from kan_widgets.functions.basis import ReadBasis
from kan_widgets.insight.sampled_layer import EPSILON, columns_of

if TYPE_CHECKING:
    from kan_widgets.live.frames.observation import Observation

# Values of φ at a time.
_VALUES = 4_000_000


@dataclass(frozen=True, eq=False)
class SeenPatches:
    """Inputs of a layer for one batch, given as an array."""

    layer: str
    """Name of the layer that saw them."""
    samples: int
    """Images (rows) in the batch."""
    patches: NDArray[np.floating]
    """``(n, entries)`` patches, one column per entry of the layer: entry (channel·kh + row)·kw +
    column, the channel counted over all groups of a convolution, or feature i."""
    images: NDArray[np.integer] | None = None
    """``(n,)``: the number of the image (row) that each patch is of. ``None`` where it is not
    known: patches are then taken to come in the order of the images, about equally many of each."""


Observed = Union["Observation", SeenPatches]
"""The inputs of a layer for one batch: what ``live.observe(batch)[name]`` returns, or an array."""


def columns_and_bases(layer: LayerFunctions) -> tuple[Int64, Int64]:
    """Return the column of the patches and the basis of each function, ``(functions,)``."""
    columns = columns_of(layer.shape, layer.conv.groups if layer.conv is not None else 1)
    index = layer.basis_index
    return columns, np.zeros_like(columns) if index is None else index.cpu().numpy().ravel()


def by_input(
    layer: LayerFunctions, chosen: Int64 | None = None
) -> Iterator[tuple[int, ReadBasis, Int64]]:
    """Yield a column of the patches, a basis, and the functions that take both: ``(k,)`` numbers.

    Those of one column come one after the other.
    """
    columns, numbers = columns_and_bases(layer)
    chosen = np.arange(len(columns)) if chosen is None else chosen
    key = (columns * len(layer.bases) + numbers)[chosen]
    order = np.argsort(key, kind="stable")
    for some in np.split(chosen[order], np.flatnonzero(np.diff(key[order])) + 1):
        yield int(columns[some[0]]), layer.bases[numbers[some[0]]], some


def flat_coefficients(layer: LayerFunctions, outputs: slice = slice(None)) -> Float64:
    """Return the coefficients of the functions of some outputs, or all, ``(functions, nb)``."""
    parts = [part.detach().to("cpu", torch.float64).numpy() for _, part in layer.pieces(outputs)]
    return np.concatenate(parts).reshape(-1, layer.nb)


def values_of(
    layer: LayerFunctions, x: Float64, chosen: Int64 | None = None
) -> Iterator[tuple[int, Int64, Float64]]:
    """Yield a column of x, numbers ``(k,)`` of functions of it, and their φ, ``(n, k)``."""
    per_output, own = layer.n_functions // layer.shape[0], slice(None)
    if chosen is not None:  # of a layer with many outputs, those that are meant
        own = slice(int(chosen.min()) // per_output, int(chosen.max()) // per_output + 1)
    coefficients = flat_coefficients(layer, own)
    for column, basis, functions in by_input(layer, chosen):
        beta = exact_beta(basis, x[:, column])
        for some in np.array_split(functions, -(-len(functions) * len(x) // _VALUES)):
            yield column, some, beta @ coefficients[some - (own.start or 0) * per_output].T


def kernel_terms(layer: LayerFunctions, x: Float64, out: int) -> Float64:
    """Return φ of the functions of one output at patches of a layer, ``(n, in·kh·kw)``."""
    entries = layer.n_functions // layer.shape[0]
    terms = np.empty((len(x), entries))
    for _, functions, values in values_of(layer, x, out * entries + np.arange(entries)):
        terms[:, functions - out * entries] = values
    return terms


def kernel_maps(layer: LayerFunctions, x: Tensor) -> tuple[Tensor, Tensor]:
    """Sweep every kernel of a convolution over images ``(n, channels, height, width)``.

    Returns the responses of each kernel, ``(n, out, in, height, width)``, and the output channel
    that it adds to, ``(out, in)``. Where kernels are shared by all channels ``in`` is the channel
    that a kernel is applied to. A linear layer's maps are of one pixel.
    """
    if layer.kind == "linear":
        values = x.new_empty((len(x), layer.n_functions), dtype=torch.float64)
        for _, functions, terms in values_of(layer, x.detach().double().cpu().numpy()):
            values[:, functions] = torch.from_numpy(terms)
        maps = values.reshape(len(x), *layer.shape)
        return maps, torch.arange(layer.shape[0])[:, None].expand(maps.shape[1:3])
    settings = layer.conv or ConvSettings()
    channels, groups = x.shape[1], settings.groups
    if settings.shared:
        maps = layer.total(x).unflatten(1, (channels, -1)).transpose(1, 2)
        return maps, torch.arange(maps.shape[1:3].numel()).reshape(channels, -1).T

    def each_channel(values: Tensor) -> Tensor:
        """Put the kernels that see a channel into a group of their own."""
        by_group: Tensor = values.unflatten(0, (groups, -1))
        return by_group.transpose(1, 2).flatten(0, 2)[:, None]

    index = layer.basis_index
    apart = LayerFunctions(
        "conv",
        each_channel(layer.coefficients.detach()),
        layer.bases,
        None if index is None else each_channel(index),
        conv=replace(settings, groups=channels),
    )
    maps = apart.total(x).unflatten(1, (groups, channels // groups, -1))
    maps = maps.transpose(2, 3).flatten(1, 2)
    return maps, torch.arange(maps.shape[1])[:, None].expand(maps.shape[1:3])


def check_observed(layer: LayerFunctions, observed: Observed | None) -> Float64:
    """Return the patches of a layer as float64, ``(n, entries)``.

    Raises
    ------
    TypeError
        If no layer, or nothing observed, is given.
    ValueError
        If they are of another layer, of another size, empty or not finite.
    """
    if not isinstance(layer, LayerFunctions):
        raise TypeError(f"layer of type {type(layer).__name__}: expected one of live.read()")
    name = layer.name or layer.type
    if observed is None:
        raise TypeError(
            f"nothing was observed at {name}: give observed, such as live.observe(batch)[{name!r}]"
        )
    patches = getattr(observed, "patches", None)
    if patches is None:
        raise TypeError(
            f"observed of type {type(observed).__name__}: expected what "
            f"live.observe(batch)[{name!r}] returns, or a SeenPatches"
        )
    if layer.name and observed.layer != layer.name:
        raise ValueError(f"observed at {observed.layer}, but the functions are of {layer.name}")
    _, in_, kh, kw = layer.shape
    groups = layer.conv.groups if layer.conv is not None else 1
    entries = in_ * kh * kw * groups
    x = np.asarray(patches, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != entries or not len(x):
        raise ValueError(
            f"patches of shape {x.shape}: expected (n, {entries}) of {name}, one column per entry, "
            "and n ≥ 1"
        )
    if not np.isfinite(x).all():
        raise ValueError(f"the patches observed at {name} are not all finite")
    return x


def images_of(observed: Observed) -> Int64:
    """Return which image each patch is of, ``(n,)``.

    Raises
    ------
    ValueError
        If that is not one whole number for each patch.
    """
    count, samples = len(observed.patches), max(1, int(observed.samples))
    if observed.images is None:
        return np.arange(count) * min(samples, count) // count
    images = np.asarray(observed.images)
    if images.shape != (count,) or not np.issubdtype(images.dtype, np.integer):
        raise ValueError(
            f"images of shape {images.shape} and type {images.dtype}: expected ({count},) whole "
            "numbers, one for each patch"
        )
    return images.astype(np.int64)


def exact_beta(basis: ReadBasis, x: Float64) -> Float64:
    """Return β in float64: ``(...)`` to ``(..., nb)``."""
    with torch.no_grad():
        values: Float64 = basis(torch.from_numpy(np.ascontiguousarray(x))).to(torch.float64).numpy()
    return values


@dataclass(frozen=True, eq=False)
class PatternCheck:
    """Readings of a kernel as templates, judged by their correlation with its response.

    A template t responds Σ_e t_e·x_e to a patch. Each number is Pearson's r between its response
    and the kernel's, over the observed patches: r² is the share of the response's variance that the
    template predicts, up to scale and offset. That it is high says how well a kernel can be read,
    not that it was learned: many an untrained kernel is read as well (`untrained_networks` makes
    some to compare with). NaN where the kernel's response, or the template's, does not vary.
    """

    layer: str
    out: int
    contrast: Float64
    """``(in, kh, kw)``: φ(high) − φ(low), what `KernelGrid` shades in mode ``"pattern"``."""
    pattern: Float64
    """``(in, kh, kw)``: its sign, +1 (white) or −1 (black); +1 for 0, as in the picture."""
    low: Float64
    """``(in, kh, kw)``: the x that black stands for, the lower end of each function's grid."""
    high: Float64
    """``(in, kh, kw)``: the x that white stands for, the upper end."""
    binary: float
    """r of the ±1 pattern."""
    graded: float
    """r of the contrast, the pattern in its greys."""
    linear: float
    """r of the linear kernel, whose weights are the slopes of the best line through each φ over
    the inputs seen."""
    samples: int
    """Images (rows) in the observed batch."""
    patches: int
    """Observed patches the numbers rest on."""


def check_pattern(layer: LayerFunctions, observed: Observed) -> tuple[PatternCheck, ...]:
    """Judge black-and-white, grey and linear readings of every kernel of a layer.

    Parameters
    ----------
    layer
        From `kan_widgets.functions.read`, or ``live.read()``.
    observed
        Such as ``live.observe(batch)[name]``.

    Raises
    ------
    TypeError
        If nothing observed is given.
    ValueError
        If it is of another layer or does not fit it.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> plain = torch.nn.Conv2d(1, 1, (1, 2), bias=False)
    >>> _ = plain.weight.data.copy_(torch.tensor([[[[2.0, -2.0]]]]))
    >>> [observed] = kw.bind(plain).observe(torch.rand(4, 1, 8, 8)).values()
    >>> [found] = check_pattern(kw.functions.read(plain)[0], observed)
    >>> found.pattern, round(found.binary, 6)
    (array([[[ 1., -1.]]]), 1.0)
    """
    patches = check_observed(layer, observed)
    domains = np.array([basis.domain for basis in layer.bases])
    columns, numbers = (each.reshape(layer.shape[0], -1) for each in columns_and_bases(layer))
    checks = []
    for out in range(layer.shape[0]):
        x, terms = patches[:, columns[out]], kernel_terms(layer, patches, out)
        ends = np.zeros((2, patches.shape[1]))
        ends[:, columns[out]] = low, high = domains[numbers[out]].T
        contrast = np.diff(kernel_terms(layer, ends, out), axis=0)[0]
        signs = np.where(contrast < 0, -1.0, 1.0)
        centred, phi = _centred(x), _centred(terms)
        variance = (centred**2).mean(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            linear = np.where(variance > 0, (centred * phi).mean(axis=0) / variance, 0.0)
        y, shape = terms.sum(axis=1), layer.shape[1:]
        checks.append(
            PatternCheck(
                layer=layer.name or layer.type,
                out=out,
                contrast=contrast.reshape(shape),
                pattern=signs.reshape(shape),
                low=low.reshape(shape),
                high=high.reshape(shape),
                binary=_correlation(x @ signs, y),
                graded=_correlation(x @ contrast, y),
                linear=_correlation(x @ linear, y),
                samples=int(observed.samples),
                patches=len(x),
            )
        )
    return tuple(checks)


def _centred(values: Float64) -> Float64:
    """Return columns about their means; one that is constant but for rounding becomes 0."""
    mean = values.mean(axis=0)
    centred: Float64 = values - mean
    centred[..., np.abs(centred).max(axis=0) <= EPSILON * np.abs(mean)] = 0.0
    return centred


def _correlation(first: Float64, other: Float64) -> float:
    """Return Pearson's r; NaN where one of the two does not vary."""
    first, other = _centred(first), _centred(other)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = first @ other / np.sqrt((first @ first) * (other @ other))
    return float(np.clip(r, -1.0, 1.0))


@dataclass(frozen=True, eq=False)
class Importance:
    """Numbers of each function over the inputs that reach it, in units of the layer's output.

    Each array is ``(out, in, kh, kw)``; NaN where φ is not finite at some of the inputs.
    """

    layer: str
    samples: int
    """Images (rows) in the batch."""
    patches: int
    """How many inputs of each function the numbers rest on."""
    mean: Float64
    """Mean of φ(x)."""
    spread: Float64
    """Standard deviation of φ(x): how much the function adds to what varies of the output. A
    function that is constant at the inputs seen has 0, whatever its mean."""
    magnitude: Float64
    """Mean of \\|φ(x)\\|, which `kan_widgets.nn.prune` goes by: what it takes away of a function is
    its mean too."""


def importance(layer: LayerFunctions, observed: Observed | None) -> Importance:
    """Measure how much every function of a layer moves over the inputs that reach it.

    Parameters
    ----------
    layer
        From `kan_widgets.functions.read`, or ``live.read()``.
    observed
        What ``live.observe(batch)[name]`` returned.

    Raises
    ------
    TypeError
        If nothing observed is given.
    ValueError
        If it is of another layer or does not fit.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> linear = torch.nn.Linear(2, 1)
    >>> with torch.no_grad():
    ...     _ = linear.weight.copy_(torch.tensor([[0.5, -2.0]]))
    >>> live = kw.bind(linear)
    >>> [observed] = live.observe(torch.tensor([[1.0, 3.0], [5.0, 3.0]])).values()
    >>> found = importance(live.read()[0], observed)
    >>> found.spread.ravel(), found.magnitude.ravel()
    (array([1., 0.]), array([1.5, 6. ]))
    """
    x = check_observed(layer, observed)
    assert observed is not None
    mean, spread, magnitude = np.empty((3, layer.n_functions))
    with np.errstate(all="ignore"):
        for _, functions, values in values_of(layer, x):
            mean[functions] = values.mean(axis=0)
            magnitude[functions] = np.abs(values).mean(axis=0)
            spread[functions] = np.where(np.ptp(values, axis=0) == 0, 0.0, values.std(axis=0))
            broken = functions[~np.isfinite(values).all(axis=0)]
            mean[broken] = spread[broken] = magnitude[broken] = np.nan
    return Importance(
        layer.name or layer.type,
        observed.samples,
        len(x),
        *(numbers.reshape(layer.shape) for numbers in (mean, spread, magnitude)),
    )
