"""The values of every function of a layer at the inputs that reach it."""

from __future__ import annotations

from collections.abc import Iterator

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.kernels import Observed, check_observed
from kan_widgets.insight.stacked import expanded, stack_of
from kan_widgets.insight.tables import Float64, Int64

# Values of φ at a time.
_AT_ONCE = 4_000_000


def phi_values(layer: LayerFunctions, observed: Observed | None) -> Iterator[tuple[Int64, Float64]]:
    """Yield the values φ(x) at the inputs that reach each function, some functions at a time.

    Parameters
    ----------
    layer
        From `kan_widgets.functions.read`, or ``live.read()``.
    observed
        What reached it; all functions of an entry see the same column.

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
    stack = stack_of(layer)
    size = max(1, _AT_ONCE // len(x))
    for _, kernels, entries, beta in expanded(stack, x, slopes=False):
        numbers = kernels * stack.columns.shape[1] + entries
        for first in range(0, len(numbers), size):
            some = slice(first, first + size)
            yield numbers[some], beta @ stack.coefficients[kernels[some], entries[some]].T
