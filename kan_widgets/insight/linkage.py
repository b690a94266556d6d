"""Hierarchical clusters from likenesses, in numpy."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kan_widgets.insight.tables import Float64, Int64

Linkage: TypeAlias = Literal["average", "single"]


def agglomerate(alike: NDArray[np.floating], linkage: Linkage) -> Float64:
    """Join the two most alike groups, again and again.

    By chains of nearest neighbours, which give the same tree as looking at all pairs each time,
    in O(n²) steps (Müllner 2011, *Modern hierarchical, agglomerative clustering algorithms*,
    sec. 3.2).

    Parameters
    ----------
    alike
        ``(n, n)`` symmetric likenesses, finite and writable. It is used up: for many, a copy
        would take much memory.
    linkage
        ``"average"`` of all pairs between two groups, or the most alike (``"single"``).

    Returns
    -------
    ndarray
        ``(n − 1, 4)``: the numbers of the two groups, 1 − their likeness, ascending, and the size
        of the new group, which is numbered n, n + 1, …; as scipy's ``linkage`` returns.

    Raises
    ------
    ValueError
        If ``linkage`` is none of those.

    Examples
    --------
    >>> alike = np.array([[1.0, 0.9, 0.2], [0.9, 1.0, 0.4], [0.2, 0.4, 1.0]])
    >>> agglomerate(alike, "average").round(3)
    array([[0. , 1. , 0.1, 2. ],
           [2. , 3. , 0.7, 3. ]])
    """
    if linkage not in ("average", "single"):
        raise ValueError(f"linkage: expected 'average' or 'single', got {linkage!r}")
    s = alike
    n = len(s)
    np.fill_diagonal(s, -np.inf)
    sizes = np.ones(n)
    active = np.ones(n, dtype=bool)
    joined: list[tuple[int, int, float]] = []
    chain: list[int] = []
    while len(joined) < n - 1:
        if not chain:
            chain.append(int(active.argmax()))
        tip = chain[-1]
        near = int(s[tip].argmax())
        # Of equally near ones the one before, or the chain would go in circles.
        if len(chain) > 1 and s[tip, chain[-2]] >= s[tip, near]:
            near = chain[-2]
        if len(chain) < 2 or near != chain[-2]:
            chain.append(near)
            continue
        del chain[-2:]
        a, b = min(tip, near), max(tip, near)
        joined.append((a, b, float(s[a, b])))
        if linkage == "single":
            row = np.maximum(s[a], s[b])
        else:
            share = float(sizes[a] / (sizes[a] + sizes[b]))
            row = share * s[a] + (1 - share) * s[b]
        row[[a, b]] = -np.inf
        row[~active] = -np.inf
        s[b] = s[:, b] = -np.inf
        s[a] = s[:, a] = row
        sizes[a] += sizes[b]
        active[b] = False
    return _in_order(joined, n)


def _in_order(joined: list[tuple[int, int, float]], n: int) -> Float64:
    """Sort the joins by height and number the groups."""
    tree = np.empty((len(joined), 4))
    group = np.arange(n)
    size = np.ones(2 * n)
    leader = np.arange(n)

    def root(k: int) -> int:
        while leader[k] != k:
            leader[k] = leader[leader[k]]
            k = int(leader[k])
        return k

    for k, (a, b, likeness) in enumerate(sorted(joined, key=lambda join: -join[2])):
        a, b = root(a), root(b)
        one, other = sorted((int(group[a]), int(group[b])))
        size[n + k] = size[one] + size[other]
        tree[k] = one, other, 1 - likeness, size[n + k]
        leader[b] = a
        group[a] = n + k
    return tree


def cut(tree: Float64, threshold: float) -> Int64:
    """Return the group of each, joined as far as the likeness is not below a threshold.

    Groups are numbered from the largest; of equal ones the one with the first member first.

    Examples
    --------
    >>> cut(np.array([[0.0, 1.0, 0.1, 2.0], [2.0, 3.0, 0.7, 3.0]]), 0.5)
    array([0, 0, 1])
    """
    n = len(tree) + 1
    of = np.arange(2 * n - 1)
    for k, (a, b, height, _) in enumerate(tree):
        if 1 - height >= threshold:
            of[int(a)] = of[int(b)] = n + k
    for k in range(len(of) - 1, -1, -1):  # from the root down
        of[k] = of[of[k]]
    _, first, numbers, sizes = np.unique(
        of[:n], return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    groups: Int64 = rank[numbers]
    return groups
