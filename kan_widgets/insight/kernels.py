"""Kernels as sums of functions of one variable, their inputs, and how well a pattern reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Union

import numpy as np
import torch
from numpy.typing import NDArray

from kan_widgets.arrays import Float64, Int64
from kan_widgets.functions import LayerFunctions
from kan_widgets.functions.basis import ReadBasis
from kan_widgets.insight.sampled_layer import EPSILON, columns_of

if TYPE_CHECKING:
    from kan_widgets.live.frames.observation import Observation

# Inputs expanded, and values of φ, at a time.
_BATCH, _VALUES = 200_000, 4_000_000


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


@dataclass(frozen=True, eq=False)
class Kernel:
    """What one output of a layer adds up: y(x) = Σ_e φ_e(x_e). Made by `kernel_of`.

    An entry e is one input of the kernel, (channel·kh + row)·kw + column within its group for a
    convolution, or feature i for a linear layer. A bias, where the layer has one, is not part
    of it.
    """

    functions: LayerFunctions = field(repr=False)
    layer: str
    out: int
    coefficients: Float64 = field(repr=False)
    """``(entries, nb)``."""
    columns: Int64 = field(repr=False)
    """``(entries,)``: the column of a layer's patches that each entry sees."""
    numbers: Int64 = field(repr=False)
    """``(entries,)``: which of the layer's bases each entry uses."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(in, kh, kw); kh = kw = 1 for a linear layer."""
        return self.functions.shape[1:]

    def inputs(self, observed: Observed | None) -> Float64:
        """Return the inputs of this kernel, ``(n, entries)``, of those of its layer.

        Raises
        ------
        TypeError
            If nothing observed is given.
        ValueError
            If they are of another layer or do not fit it.
        """
        return check_observed(self.functions, observed)[:, self.columns]

    def terms(self, x: NDArray[np.floating]) -> Float64:
        """Return φ_e(x_e), ``(n, entries)``, of patches ``(n, entries)``; their sum is y."""
        points = np.asarray(x, dtype=np.float64)
        entries = len(self.coefficients)
        if points.ndim != 2 or points.shape[1] != entries:
            raise ValueError(
                f"patches of shape {points.shape}: expected (n, {entries}) of kernel "
                f"{self.out} of {self.layer}, one column per entry"
            )
        values: Float64 = own_values(self.functions, self.numbers, self.coefficients, points.T).T
        return values

    def response(self, x: NDArray[np.floating]) -> Float64:
        """Return y, ``(n,)``, of patches ``(n, entries)``; a bias is not in it."""
        y: Float64 = self.terms(x).sum(axis=1)
        return y


def kernel_of(layer: LayerFunctions, out: int) -> Kernel:
    """Take one kernel out of a layer that was read from a model; its coefficients are copied.

    Parameters
    ----------
    layer
        From `kan_widgets.functions.read`, or ``live.read()``.
    out
        Which output: the kernel's, or that of a linear layer.

    Raises
    ------
    ValueError
        If there is no such output.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> [layer] = kw.functions.read(kw.nn.KANConv2d(2, 4, 3))
    >>> kernel = kernel_of(layer, 1)
    >>> kernel.shape, kernel.response(torch.zeros(5, 18).numpy()).shape
    ((2, 3, 3), (5,))
    """
    outs, in_, kh, kw = layer.shape
    if not 0 <= out < outs:
        raise ValueError(
            f"out={out!r}: expected an output of {layer.name or layer.type}, 0 to {outs - 1}"
        )
    coefficients = layer.part(slice(out, out + 1)).detach().to("cpu", torch.float64)
    per_kernel = in_ * kh * kw
    groups = layer.conv.groups if layer.conv is not None else 1
    first = out // max(1, outs // groups) * per_kernel
    index = layer.basis_index
    numbers = np.zeros(per_kernel) if index is None else index[out].reshape(-1).cpu().numpy()
    return Kernel(
        layer,
        layer.name or layer.type,
        out,
        coefficients.reshape(per_kernel, -1).numpy().copy(),
        np.arange(first, first + per_kernel),
        numbers.astype(np.int64),
    )


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


def flat_coefficients(layer: LayerFunctions) -> Float64:
    """Return the coefficients of all functions, ``(functions, nb)``."""
    parts = [part.detach().to("cpu", torch.float64).numpy() for _, part in layer.pieces()]
    return np.concatenate(parts).reshape(layer.n_functions, -1)


def own_values(layer: LayerFunctions, numbers: Int64, coefficients: Float64, x: Float64) -> Float64:
    """Return φ of functions at points of their own, ``(k, n)`` of x ``(k, n)``.

    ``numbers`` ``(k,)`` says which of the layer's bases each has, with ``(k, nb)`` coefficients.
    """
    values = np.empty_like(x)
    for number in np.unique(numbers):
        mine = np.flatnonzero(numbers == number)
        for some in np.array_split(mine, -(-x[mine].size // _BATCH) or 1):
            beta = exact_beta(layer.bases[number], x[some])
            values[some] = np.einsum("enb,eb->en", beta, coefficients[some])
    return values


def values_of(
    layer: LayerFunctions, x: Float64, chosen: Int64 | None = None
) -> Iterator[tuple[int, Int64, Float64]]:
    """Yield a column of x, numbers ``(k,)`` of functions of it, and their φ, ``(n, k)``."""
    coefficients = flat_coefficients(layer)
    for column, basis, functions in by_input(layer, chosen):
        beta = exact_beta(basis, x[:, column])
        for some in np.array_split(functions, -(-len(functions) * len(x) // _VALUES)):
            yield column, some, beta @ coefficients[some].T


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


def check_pattern(kernel: Kernel, observed: Observed) -> PatternCheck:
    """Judge black-and-white, grey and linear readings of a kernel.

    Parameters
    ----------
    kernel
        From `kernel_of`.
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
    >>> found = check_pattern(kw.insight.kernel_of(kw.functions.read(plain)[0], 0), observed)
    >>> found.pattern, round(found.binary, 6)
    (array([[[ 1., -1.]]]), 1.0)
    """
    x = kernel.inputs(observed)
    terms = kernel.terms(x)
    centred, phi = _centred(x), _centred(terms)
    variance = (centred**2).mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        linear = np.where(variance > 0, (centred * phi).mean(axis=0) / variance, 0.0)
    low, high, contrast = _contrast(kernel)
    signs = np.where(contrast < 0, -1.0, 1.0)
    y = terms.sum(axis=1)
    return PatternCheck(
        layer=kernel.layer,
        out=kernel.out,
        contrast=contrast.reshape(kernel.shape),
        pattern=signs.reshape(kernel.shape),
        low=low.reshape(kernel.shape),
        high=high.reshape(kernel.shape),
        binary=_correlation(x @ signs, y),
        graded=_correlation(x @ contrast, y),
        linear=_correlation(x @ linear, y),
        samples=int(observed.samples),
        patches=len(x),
    )


def _contrast(kernel: Kernel) -> tuple[Float64, Float64, Float64]:
    """Return the two ends of each function's grid, and φ(high) − φ(low): ``(entries,)`` each."""
    bases = kernel.functions.bases
    ends = np.array([basis.domain for basis in bases], dtype=np.float64)
    beta = [exact_beta(*pair) for pair in zip(bases, ends, strict=True)]
    rise = np.stack([high - low for low, high in beta])[kernel.numbers]
    return *ends[kernel.numbers].T, (rise * kernel.coefficients).sum(axis=1)


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
