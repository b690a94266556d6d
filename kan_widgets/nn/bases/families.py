"""The basis families by name."""

from collections.abc import Callable

from kan_widgets.checks import check_whole
from kan_widgets.nn.bases.basis import Basis, Ends, check_basis
from kan_widgets.nn.bases.bspline import MAX_ORDER, BSpline
from kan_widgets.nn.bases.chebyshev import Chebyshev
from kan_widgets.nn.bases.fourier import Fourier
from kan_widgets.nn.bases.knot_spline import KnotSpline
from kan_widgets.nn.bases.rbf import RBF

# Name -> what makes a basis of about n functions over an interval; B-splines take two numbers.
_FAMILIES: dict[str, Callable[[int, Ends], Basis]] = {
    "rbf": RBF,
    "chebyshev": lambda n, grid_range: Chebyshev(n - 1, grid_range),
    "fourier": lambda n, grid_range: Fourier(n // 2, grid_range),
}
_FAMILY_CLASSES = (BSpline, KnotSpline, RBF, Chebyshev, Fourier)


def resolve_basis(
    basis: str | Basis,
    grid_size: int,
    spline_order: int,
    grid_range: Ends,
    *,
    default_range: Ends = (-1.0, 1.0),
) -> Basis:
    """Return the basis that a layer's arguments stand for.

    Raises `TypeError` if ``basis`` is neither a name nor a basis, and `ValueError` if the name is
    not known, or ``basis`` and one of the others contradict each other.

    Parameters
    ----------
    basis
        ``"bspline"``, ``"rbf"``, ``"chebyshev"``, ``"fourier"``, or a basis.
    grid_size, spline_order, grid_range
        For a name: B-splines of this grid, or as many other functions, ``grid_size +
        spline_order`` (Fourier: the next odd number), laid out over ``grid_range``. For a
        basis, which has its own, they stay at their defaults.
    default_range
        The default of ``grid_range``.
    """
    if isinstance(basis, str):
        if basis == "bspline":
            return BSpline(grid_size, spline_order, grid_range)
        if basis not in _FAMILIES:
            names = ", ".join(repr(name) for name in ("bspline", *_FAMILIES))
            raise ValueError(f"basis={basis!r}: expected one of {names} or a basis")
        check_whole("grid_size", grid_size, 1)
        check_whole("spline_order", spline_order, 0, MAX_ORDER)
        if grid_size + spline_order < 2:
            raise ValueError(
                f"basis={basis!r}, grid_size={grid_size}, spline_order={spline_order}: expected "
                "grid_size + spline_order ≥ 2, the number of functions"
            )
        return _FAMILIES[basis](grid_size + spline_order, grid_range)
    if not isinstance(basis, _FAMILY_CLASSES):
        check_basis(basis)
    settings = {
        "grid_size": (grid_size, 5),
        "spline_order": (spline_order, 3),
        "grid_range": (tuple(grid_range), default_range),
    }
    for name, (value, default) in settings.items():
        if value != default:
            raise ValueError(
                f"{name}={value!r} is for a basis given by its name; "
                f"{type(basis).__name__} has its own: leave {name} out"
            )
    return basis
