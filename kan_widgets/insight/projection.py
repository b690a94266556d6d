"""Replace a function of a live model by a form for good, as closely as its basis can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from kan_widgets.functions import LayerFunctions
from kan_widgets.functions.basis import ReadBasis
from kan_widgets.insight.forms import Form
from kan_widgets.insight.kernels import Observed, check_observed, exact_beta, kernel_of
from kan_widgets.insight.symbolic import symbolic
from kan_widgets.insight.symbolic_fits import SymbolicFit
from kan_widgets.insight.tables import Float64, place_in

if TYPE_CHECKING:
    from kan_widgets.live import Binding

Index = tuple[int, int, int, int]

_POINTS = 513
# What the rest of the domain weighs beside the inputs.
_ELSEWHERE = 0.01
# Singular values smaller than this share of the largest count as none: a spline that inputs
# touch with its tail alone would be blown up.
_SMALLEST = 1e-4


@dataclass(frozen=True, eq=False)
class Fixed:
    """A function that was replaced by a form, and how near the layer's basis comes to it.

    Errors are of the new φ against the form, in units of φ, over the inputs it was made for.
    """

    layer: str
    index: Index
    """(out, in, row, column)."""
    form: str
    """The form in words."""
    error: float
    """Root mean square."""
    largest: float
    """Largest."""
    share: float
    """``error`` as a share of the form's standard deviation; NaN for a constant."""
    low: float
    """Least input that counts."""
    high: float
    """Largest input that counts."""
    samples: int
    """Images (rows) that the inputs are of; 0 where every x between ``low`` and ``high`` counts
    alike."""
    points: int
    """At how many x it was fitted within ``low`` and ``high``."""
    before: Float64 = field(repr=False)
    """``(nb,)`` coefficients that it had."""
    after: Float64 = field(repr=False)
    """``(nb,)`` coefficients that it has."""

    def __str__(self) -> str:
        out, in_, row, column = self.index
        place = f"{out},{in_} {row},{column}"
        share = "" if np.isnan(self.share) else f", {100 * self.share:.2g} % of its deviation"
        seen = f"inputs of {self.samples:,} samples" if self.samples else "even x"
        return (
            f"φ of {self.layer} {place} is now {self.form}, off by {self.error:.2g}{share}, "
            f"at most {self.largest:.2g}, over {self.points:,} {seen} from {self.low:.3g} "
            f"to {self.high:.3g}"
        )

    __repr__ = __str__


def fix(
    live: Binding,
    layer: str | SymbolicFit,
    index: Sequence[int] | None = None,
    form: SymbolicFit | Form | str | Callable[[Float64], NDArray[np.floating]] | None = None,
    *,
    observed: Observed | None = None,
) -> Fixed:
    """Replace one φ of a live model by a form, as closely as the layer's basis can.

    The coefficients change by least squares: at the observed inputs, or evenly over the form's own
    range where none are given, and with a hundredth of that weight over the rest of the domain,
    where the form is defined. Coefficients that play no part in that stay as they were. The base
    term becomes 0 where there are other basis functions: within the domain they can nearly do it,
    and the two would grow large against each other.

    From then on training leaves the function as it is: its gradients are 0, and no optimizer's
    momentum or weight decay moves it, to the bit; all else trains on. That stays with the model,
    also when it is bound again. It is an edit of the model: ``live.edits.undo()`` takes it back,
    ``live.edits.release(layer, index)`` keeps the form and lets it train again, and while the model
    trains the edit is applied after the next step.

    Parameters
    ----------
    live
        A binding.
    layer, index
        The layer's name and (out, in, row, column); (out, in) will do for a linear layer. Or,
        alone, a fit that says where it belongs: ``fix(live, fit)``.
    form
        A fit; a form of the library or its name, which is fitted to φ first; or any function of
        x, array to array.
    observed
        The inputs, ``live.observe(batch)[layer]``. Needed to fit a form, and for a plain
        function.

    Returns
    -------
    Fixed
        The projection error, and the coefficients before and after.

    Raises
    ------
    KeyError, IndexError
        If there is no such layer or function.
    TypeError
        If there is no form, or observed inputs are needed and not given.
    ValueError
        If the layer cannot be edited, the form is not defined at the inputs, or the function
        shares trainable parameters with others. Nothing has changed then.

    Examples
    --------
    >>> import numpy as np, torch, kan_widgets as kw
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(kw.nn.KANLinear(2, 1))
    >>> live = kw.bind(model)
    >>> seen = live.observe(2 * torch.rand(500, 2) - 1)["0"]
    >>> fixed = fix(live, "0", (0, 1), np.square, observed=seen)
    >>> fixed.share < 1e-5  # a cubic spline can be a parabola
    True
    >>> live.edits.held
    (('0', (0, 1, 0, 0)),)
    >>> _ = live.edits.undo()
    >>> live.edits.held
    ()
    """
    if isinstance(layer, SymbolicFit):
        fit = layer
        layer, index, form = fit.layer, fit.index, fit if form is None else form
    if index is None or form is None:
        raise TypeError("fix takes a binding and a fit, or a binding, a layer, an index and a form")
    layers = {functions.name: functions for functions in live.read()}
    if layer not in layers:
        raise KeyError(f"layer={layer!r}: the layers are {', '.join(map(repr, layers))}")
    functions = layers[layer]
    place = place_in(functions.name, functions.shape, index)
    if functions.write is None:
        raise ValueError(f"{layer} cannot be edited: {functions.locked or 'no way back'}")
    x, samples, values, words = _target(functions, place, form, observed)
    with np.errstate(all="ignore"):
        wanted = np.asarray(values(x), dtype=np.float64)
    if wanted.shape != x.shape or not np.isfinite(wanted).all():
        raise ValueError(
            f"{words} is not a finite number at every input from {x.min():.4g} to {x.max():.4g} "
            f"of {layer}"
        )
    own = place if functions.kind == "conv" else place[:2]
    index_of = functions.basis_index
    basis = functions.bases[0 if index_of is None else int(index_of[own])]
    before = functions.coefficients[own]
    present = before.detach().to("cpu", torch.float64).numpy().copy()
    after = _nearest(basis, present, x, wanted, values)
    # As the model keeps them.
    after = torch.from_numpy(after).to(before.dtype).double().numpy()
    rest = exact_beta(basis, x) @ after - wanted
    error = float(np.sqrt(np.square(rest).mean()))
    spread = float(wanted.std())
    flat = spread <= 1e-12 * np.abs(wanted).max()
    live.edits.fix(layer, place, after.tolist())
    return Fixed(
        layer,
        place,
        words,
        error,
        float(np.abs(rest).max()),
        float("nan") if flat else error / spread,
        float(x.min()),
        float(x.max()),
        samples,
        len(x),
        present,
        after,
    )


def _target(
    functions: LayerFunctions,
    place: Index,
    form: SymbolicFit | Form | str | Callable[[Float64], NDArray[np.floating]],
    observed: Observed | None,
) -> tuple[Float64, int, Callable[[Float64], NDArray[np.floating]], str]:
    """Return the x that count, of how many samples they are, the form, and its name."""
    if isinstance(form, SymbolicFit) and observed is None:
        return np.linspace(form.low, form.high, _POINTS), 0, form, str(form)
    if not (isinstance(form, (Form, str)) or callable(form)):
        raise TypeError(f"form: expected a fit, a Form, its name or a function, got {form!r:.80}")
    inputs = check_observed(functions, observed)
    assert observed is not None
    out, *entry = place
    kernel = kernel_of(functions, out)
    x = inputs[:, kernel.columns[np.ravel_multi_index(entry, kernel.shape)]]
    samples = int(observed.samples)
    if isinstance(form, (Form, str)):
        found = symbolic(functions, observed, forms=[form], keep=1, only=place).at(place)
        if not found:
            name = form if isinstance(form, str) else form.name
            raise ValueError(f"{name} does not fit φ{place} of {functions.name}: it is not defined")
        return x, samples, found[0], str(found[0])
    if isinstance(form, SymbolicFit):
        return x, samples, form, str(form)
    return x, samples, form, getattr(form, "__name__", repr(form))


def _nearest(
    basis: ReadBasis,
    present: Float64,
    x: Float64,
    wanted: Float64,
    values: Callable[[Float64], NDArray[np.floating]],
) -> Float64:
    """Return the coefficients that bring φ nearest to a form, of those the least changed."""
    domain = np.linspace(*basis.domain, _POINTS)
    elsewhere = domain[(domain < x.min()) | (domain > x.max())]
    with np.errstate(all="ignore"):
        there = np.asarray(values(elsewhere), dtype=np.float64)
    known = np.isfinite(there)
    elsewhere, there = elsewhere[known], there[known]
    points, heights = np.concatenate([x, elsewhere]), np.concatenate([wanted, there])
    beside = np.sqrt(_ELSEWHERE * len(x) / max(1, len(elsewhere)))
    weights = np.concatenate([np.ones(len(x)), np.full(len(elsewhere), beside)])
    beta = exact_beta(basis, points)
    free = ~np.asarray(basis.is_base)
    free = free if free.any() else np.ones_like(free)
    found = np.where(free, present, 0.0)
    rest = heights - beta @ found
    columns = beta[:, free] * weights[:, None]
    found[free] += np.linalg.lstsq(columns, rest * weights, rcond=_SMALLEST)[0]
    return found
