"""Kernels as sums of functions of one variable, and the inputs that reach them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Union

import numpy as np
import torch
from numpy.typing import NDArray

from kan_widgets.functions import LayerFunctions
from kan_widgets.functions.basis import ReadBasis
from kan_widgets.insight.tables import Float64, Int64

if TYPE_CHECKING:
    from kan_widgets.live.frames.observation import Observation

# Inputs expanded, and values of φ, at a time.
_AT_ONCE, _VALUES = 200_000, 4_000_000


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
                f"patches of shape {points.shape}: kernel {self.out} of {self.layer} takes "
                f"(n, {entries}), one column per entry"
            )
        found = np.empty_like(points)
        for number in np.unique(self.numbers):
            mine = np.flatnonzero(self.numbers == number)
            for some in np.array_split(mine, -(-len(mine) * len(points) // _AT_ONCE) or 1):
                beta = exact_beta(self.functions.bases[number], points[:, some])
                found[:, some] = np.einsum("neb,eb->ne", beta, self.coefficients[some])
        return found

    def response(self, x: NDArray[np.floating]) -> Float64:
        """Return y, ``(n,)``, of patches ``(n, entries)``; a bias is not in it."""
        y: Float64 = self.terms(x).sum(axis=1)
        return y

    def curve(self, entry: int, x: NDArray[np.floating]) -> Float64:
        """Return φ of one entry at any x: ``(...)`` to ``(...)``."""
        points = np.asarray(x, dtype=np.float64)
        beta = exact_beta(self._basis(entry), points.ravel())
        values: Float64 = (beta @ self.coefficients[entry]).reshape(points.shape)
        return values

    def domain(self, entry: int) -> tuple[float, float]:
        """Return the interval that φ of one entry is meant for."""
        return self._basis(entry).domain

    def _basis(self, entry: int) -> ReadBasis:
        return self.functions.bases[int(self.numbers[entry])]


def kernel_of(layer: LayerFunctions, out: int) -> Kernel:
    """Take one kernel out of a layer that was read from a model; its coefficients are copied.

    Parameters
    ----------
    layer
        From `kan_widgets.functions.read`, or ``live.read()``.
    out
        Which output: kernel, or neuron of a linear layer.

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
            f"out: expected an output of {layer.name or layer.type}, 0 to {outs - 1}, got {out!r}"
        )
    per_kernel = in_ * kh * kw
    groups = layer.conv.groups if layer.conv is not None else 1
    first = out // max(1, outs // groups) * per_kernel
    coefficients = layer.part(slice(out, out + 1)).detach().to("cpu", torch.float64)
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


def check_observed(layer: LayerFunctions, observed: Observed | None) -> Float64:
    """Return the patches of a layer as float64, ``(n, entries)``.

    Raises
    ------
    TypeError
        If nothing observed is given.
    ValueError
        If they are of another layer, of another size, empty or not finite.
    """
    name = layer.name or layer.type
    if observed is None:
        raise TypeError(
            f"nothing was observed at {name}: give observed, such as live.observe(batch)[{name!r}]"
        )
    patches = getattr(observed, "patches", None)
    if patches is None:
        raise TypeError(
            f"observed: expected what live.observe(batch)[{name!r}] returns, or a SeenPatches, got "
            f"{type(observed).__name__}"
        )
    if layer.name and observed.layer != layer.name:
        raise ValueError(f"observed at {observed.layer}, but the functions are of {layer.name}")
    _, in_, kh, kw = layer.shape
    groups = layer.conv.groups if layer.conv is not None else 1
    entries = in_ * kh * kw * groups
    x = np.asarray(patches, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != entries or not len(x):
        raise ValueError(
            f"patches of shape {x.shape}: {name} takes (n, {entries}), one column per entry, "
            "and at least one"
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


def phi_values(layer: LayerFunctions, observed: Observed | None) -> Iterator[tuple[Int64, Float64]]:
    """Yield the values φ(x) at the inputs that reach each function, some functions at a time.

    Yields
    ------
    functions, values
        ``(k,)`` numbers of functions, row-major over (out, in, kh, kw), and ``(n, k)`` their
        values; column by column the same patches. Every function comes once.

    Raises
    ------
    TypeError, ValueError
        As `check_observed` does.
    """
    x = check_observed(layer, observed)
    outs, entries = layer.shape[0], layer.n_functions // layer.shape[0]
    groups = layer.conv.groups if layer.conv is not None else 1
    parts = [part.to("cpu", torch.float64).numpy() for _, part in layer.pieces()]
    coefficients = np.concatenate(parts).reshape(outs, entries, -1)
    index = np.zeros((outs, entries), np.int64)
    if layer.basis_index is not None:
        index = layer.basis_index.cpu().numpy().reshape(outs, entries)
    for column in range(x.shape[1]):
        group, entry = divmod(column, entries)
        kernels = np.arange(outs).reshape(groups, -1)[group]
        for number in np.unique(index[kernels, entry]):
            beta = exact_beta(layer.bases[number], x[:, column])
            mine = kernels[index[kernels, entry] == number]
            for some in np.array_split(mine, -(-len(mine) * len(x) // _VALUES)):
                yield some * entries + entry, beta @ coefficients[some, entry].T


def exact_beta(basis: ReadBasis, x: Float64) -> Float64:
    """Return β in float64: ``(...)`` to ``(..., nb)``."""
    with torch.no_grad():
        values: Float64 = basis(torch.from_numpy(np.ascontiguousarray(x))).to(torch.float64).numpy()
    return values
