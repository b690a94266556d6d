"""Which functions of a layer are alike, and which of its kernels are redundant."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.kernels import Observed, check_observed
from kan_widgets.insight.linkage import Linkage, agglomerate, cut
from kan_widgets.insight.phi_values import phi_values
from kan_widgets.insight.tables import Float64, Int64

# Points that stand for all inputs of a layer, each for as many of them.
_POINTS = 2048
# Directions shorter than this, of unit vectors, are what rounding to float32 leaves.
_ROUNDING = 1e-5
# A function that moves less than this share of its size is constant: β may come as float32.
_FLAT = 2e-6
# Above, the correlations of all pairs would take more than a gigabyte.
_MOST = 16_000


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike the functions of a layer are in shape, where the layer's inputs lie.

    How alike two functions are is the size of r, the correlation of φ_a(x) and φ_b(x) over all
    inputs of the layer together, whatever entry they reach: 1 if one is the other times a number
    plus a number. Functions are numbered row-major over (out, in, kh, kw).
    """

    layer: str
    samples: int
    """Images (rows) in the batch."""
    patches: int
    """Patches that the inputs were taken from."""
    points: int
    """Inputs that stand for all of them: their quantiles, evenly spaced."""
    shape: tuple[int, int, int, int]
    """(out, in, kh, kw)."""
    vectors: Float64 = field(repr=False)
    """``(functions, d)``: unit vectors whose products are r; NaN for functions that are constant
    at the inputs, or not finite."""

    def correlation(self, a: int, b: int) -> float:
        """Return r of two functions, −1 to 1; NaN where one is constant."""
        return float(self.vectors[a] @ self.vectors[b])

    def matrix(self) -> NDArray[np.float32]:
        """Return r of all pairs, ``(functions, functions)``; NaN where one is constant.

        Raises
        ------
        ValueError
            If there are more than 16,000 functions.
        """
        if len(self.vectors) > _MOST:
            raise ValueError(
                f"expected at most {_MOST:,} functions to compare all pairs of, got "
                f"{len(self.vectors):,} in {self.layer}"
            )
        vectors = self.vectors.astype(np.float32)
        found: NDArray[np.float32] = vectors @ vectors.T
        return np.clip(found, -1.0, 1.0, out=found)

    def most_alike(self, function: int, count: int = 5) -> list[tuple[int, float]]:
        """Return the functions most like one, with their r, the most alike first."""
        r = self.vectors @ self.vectors[function]
        alike = np.abs(r)
        alike[function] = np.nan
        order = np.argsort(-np.nan_to_num(alike, nan=-1.0), kind="stable")[:count]
        return [(int(f), float(r[f])) for f in order if np.isfinite(alike[f])]

    def clusters(self, threshold: float = 0.98, linkage: Linkage = "average") -> Clusters:
        """Group functions that are alike.

        Hierarchically: the two groups that are most alike are joined, and so on. Groups are as
        alike as all pairs between them on average (``"average"``), or as the most alike pair
        (``"single"``: then a cluster may be a chain with unlike ends).

        Parameters
        ----------
        threshold
            Clusters are joined that are at least so much alike, in the size of r, 0 to 1.
        linkage
            ``"average"`` or ``"single"``.

        Raises
        ------
        ValueError
            If an argument is none of those, or there are more than 16,000 functions.
        """
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold: expected |r| from 0 to 1, got {threshold!r}")
        known = np.flatnonzero(np.isfinite(self.vectors).all(axis=1))
        alike = replace(self, vectors=self.vectors[known]).matrix()
        tree = agglomerate(np.abs(alike, out=alike), linkage)
        # A perfect likeness may come out a rounding error of float32 below 1.
        groups = cut(tree, min(threshold, 1 - 1e-6))
        labels = np.full(len(self.vectors), -1, dtype=np.int64)
        labels[known] = groups
        sizes = np.bincount(groups, minlength=0)
        typical = np.empty(len(sizes), dtype=np.int64)
        for group in range(len(sizes)):
            members = np.flatnonzero(groups == group)
            vectors = self.vectors[known[members]]
            total = np.zeros(len(members))
            for start in range(0, len(members), 1024):
                total[start : start + 1024] = np.abs(vectors[start : start + 1024] @ vectors.T).sum(
                    axis=1
                )
            typical[group] = known[members[int(total.argmax())]]
        return Clusters(
            self.layer,
            self.samples,
            self.patches,
            threshold,
            linkage,
            labels.reshape(self.shape),
            sizes,
            typical,
            tree,
        )


@dataclass(frozen=True, eq=False)
class Clusters:
    """Functions of a layer grouped by likeness."""

    layer: str
    samples: int
    """Images (rows) in the batch."""
    patches: int
    """Patches that the inputs were taken from."""
    threshold: float
    """\\|r\\| from which groups were joined."""
    linkage: Linkage
    """How alike groups are: by all pairs between them, or by the most alike one."""
    labels: Int64
    """``(out, in, kh, kw)``: the cluster of each function, the largest is 0; −1 for functions
    that are constant at the inputs, or not finite."""
    sizes: Int64
    """``(clusters,)``, falling."""
    typical: Int64
    """``(clusters,)``: the number of the function that is most like the others of its cluster."""
    tree: Float64 = field(repr=False)
    """``(known − 1, 4)``: each row joins two groups: their numbers, 1 − \\|r\\| between them, and
    the size of the new one; as scipy's ``linkage`` has it, with the functions that are not
    constant numbered from 0."""

    def __str__(self) -> str:
        count, alone = len(self.sizes), int((self.sizes == 1).sum())
        constant = int((self.labels < 0).sum())
        rest = f", {constant:,} constant or not finite" if constant else ""
        return (
            f"{self.layer}: {self.labels.size:,} functions in {count:,} "
            f"{'shape' if count == 1 else 'shapes'} at |r| ≥ {self.threshold:g} "
            f"({alone:,} alone{rest}), over {self.samples:,} samples"
        )


@dataclass(frozen=True, eq=False)
class Redundancy:
    """How much of each kernel's response the other kernels of its layer give as well.

    A kernel is all functions that lead to one output; its response is their sum. Kernels whose
    response does not vary, or is not finite, are NaN and left out of the rest.
    """

    layer: str
    samples: int
    """Images (rows) in the batch."""
    patches: int
    """Responses of each kernel that the numbers rest on."""
    correlation: Float64
    """``(out, out)``: r of the responses of two kernels to the same patches."""
    nearest: Int64
    """``(out,)``: the other kernel with the largest \\|r\\|; −1 where there is none."""
    explained: Float64
    """``(out,)``: R² of the best linear combination of all other kernels, 0 to 1. NaN throughout
    unless there are at least ten patches for each kernel: with fewer, R² is high by chance."""
    effective: float
    """How many uncorrelated kernels vary as the layer's do: (Σλ)²/Σλ², λ being the eigenvalues of
    ``correlation``. From 1, all alike, to the number of kernels that vary."""


def likeness(layer: LayerFunctions, observed: Observed | None) -> Likeness:
    """Compare the shapes of all functions of a layer where its inputs lie.

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
    >>> model = torch.nn.Linear(3, 2)  # straight lines
    >>> live = kw.bind(model)
    >>> [observed] = live.observe(torch.randn(40, 3)).values()
    >>> print(likeness(live.read()[0], observed).clusters())
    Linear: 6 functions in 1 shape at |r| ≥ 0.98 (0 alone), over 40 samples
    """
    x = check_observed(layer, observed)
    assert observed is not None
    everything = np.sort(x, axis=None)
    count = min(_POINTS, everything.size)
    points = everything[((np.arange(count) + 0.5) / count * everything.size).astype(np.int64)]
    with torch.no_grad():
        given = torch.from_numpy(points)
        betas = [basis(given).to(torch.float64).numpy() for basis in layer.bases]
    centred = np.concatenate([beta - beta.mean(axis=0) for beta in betas], axis=1)
    usable = np.isfinite(centred).all(axis=0)
    # φ = β·c, so products of φ are those of R·c, of which there are few, with β = Q·R.
    _, root = np.linalg.qr(np.where(usable, centred, 0.0) / np.sqrt(count))
    flat = layer.coefficients.detach().to("cpu", torch.float64)
    coefficients = flat.reshape(layer.n_functions, -1).numpy()
    nb = coefficients.shape[1]
    index = layer.basis_index
    number_of = (
        np.zeros(layer.n_functions, np.int64)
        if index is None
        else index.cpu().numpy().reshape(-1).astype(np.int64)
    )
    vectors = np.empty((layer.n_functions, len(root)))
    with np.errstate(all="ignore"):
        for number, beta in enumerate(betas):
            mine = number_of == number
            c = coefficients[mine]
            found = c @ root[:, number * nb : (number + 1) * nb].T
            spread = np.linalg.norm(found, axis=1)
            size = np.abs(c @ beta.T).max(axis=1)
            known = np.isfinite(size) & (spread > _FLAT * size)
            vectors[mine] = np.where(known[:, None], found / spread[:, None], np.nan)
    return Likeness(layer.name or layer.type, observed.samples, len(x), count, layer.shape, vectors)


def redundancy(layer: LayerFunctions, observed: Observed | None) -> Redundancy:
    """Measure how far the kernels of a layer repeat each other on what was observed.

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
    >>> linear = torch.nn.Linear(3, 2)
    >>> with torch.no_grad():
    ...     _ = linear.weight[1].copy_(-2 * linear.weight[0])
    >>> live = kw.bind(linear)
    >>> [observed] = live.observe(torch.randn(40, 3)).values()
    >>> found = redundancy(live.read()[0], observed)
    >>> found.correlation.round(6), round(found.effective, 6)
    (array([[ 1., -1.],
           [-1.,  1.]]), 1.0)
    """
    patches = len(check_observed(layer, observed))
    assert observed is not None
    outs = layer.shape[0]
    per_kernel = layer.n_functions // outs
    responses = np.zeros((patches, outs))
    size = np.zeros(outs)
    with np.errstate(all="ignore"):
        for functions, values in phi_values(layer, observed):
            kernels = functions // per_kernel
            responses[:, kernels] += values
            size[kernels] += np.abs(values).max(axis=0)
        responses -= responses.mean(axis=0)
        spread = responses.std(axis=0)
        known = np.flatnonzero(np.isfinite(spread) & (spread > _FLAT * size))
    correlation = np.full((outs, outs), np.nan)
    nearest = np.full(outs, -1, dtype=np.int64)
    explained = np.full(outs, np.nan)
    effective = float("nan")
    if len(known):
        unit = responses[:, known] / (spread[known] * np.sqrt(patches))
        r = np.clip(unit.T @ unit, -1.0, 1.0)
        np.fill_diagonal(r, 1.0)
        correlation[np.ix_(known, known)] = r
        effective = float(len(known) ** 2 / (r**2).sum())
        if patches >= 10 * len(known):
            explained[known] = _explained(unit)
    if len(known) > 1:
        others = np.abs(r) - 2 * np.eye(len(known))
        nearest[known] = known[others.argmax(axis=1)]
    return Redundancy(
        layer.name or layer.type,
        observed.samples,
        patches,
        correlation,
        nearest,
        explained,
        effective,
    )


def _explained(unit: Float64) -> Float64:
    """Return R² of each column by all others; columns are centred and of length 1."""
    found = np.zeros(unit.shape[1])
    if unit.shape[1] == 1:
        return found
    for k in range(unit.shape[1]):
        others = np.delete(unit, k, axis=1)
        best, *_ = np.linalg.lstsq(others, unit[:, k], rcond=_ROUNDING)
        found[k] = 1 - ((unit[:, k] - others @ best) ** 2).sum()
    return np.clip(found, 0.0, 1.0)
