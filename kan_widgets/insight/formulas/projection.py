"""Functions in place of others: the nearest of a basis, means, lines, parts, forms, the first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kan_widgets.arrays import Float64, Int64
from kan_widgets.functions import LayerFunctions, read
from kan_widgets.functions.basis import ReadBasis
from kan_widgets.functions.layer import check_editable
from kan_widgets.insight.formulas.forms import Form
from kan_widgets.insight.formulas.symbolic import symbolic
from kan_widgets.insight.formulas.symbolic_fits import SymbolicFit, place_text
from kan_widgets.insight.kernels import (
    Observed,
    check_observed,
    columns_and_bases,
    exact_beta,
    flat_coefficients,
    values_of,
)
from kan_widgets.live.frames.frame import place_in_layer
from kan_widgets.live.frames.observation import Observation

if TYPE_CHECKING:
    from kan_widgets.live import Binding

Where = str | tuple[str, Sequence[int]]
"""A layer by its name, or one function of it, ``("convs.0", (0, 0, 1, 1))``."""
Curve = Callable[[Float64], NDArray[np.floating]]

_POINTS = 513
# Weight of the rest of the domain in a fit, relative to that of the inputs.
_DOMAIN_WEIGHT = 0.01
# Singular values smaller than this share of the largest count as none: a spline that inputs
# touch with its tail alone would be blown up.
_MIN_SINGULAR_VALUE = 1e-4


@dataclass(frozen=True, eq=False)
class Fixed:
    """A function that was replaced by a form, and how near the layer's basis comes to it.

    Errors are of the new φ against the form, in units of φ, over the inputs it was made for.
    """

    layer: str
    index: tuple[int, int, int, int]
    """(out, in, row, column)."""
    form: str
    """The form in words."""
    error: float
    """Root mean square."""
    largest: float
    """Largest."""
    share: float
    """``error`` as a share of the form's standard deviation; NaN for a constant."""
    samples: int
    """Images (rows) that the inputs are of; 0 where every x of the form's range counts alike."""
    points: int
    """At how many x it was fitted there."""
    before: Float64 = field(repr=False)
    """``(nb,)`` coefficients that it had."""
    after: Float64 = field(repr=False)
    """``(nb,)`` coefficients that it has."""

    def __str__(self) -> str:
        share = "" if np.isnan(self.share) else f", {100 * self.share:.2g} % of its deviation"
        seen = f"inputs of {self.samples:,} samples" if self.samples else "even x"
        return (
            f"φ of {self.layer} {place_text(self.index)} is now {self.form}, off by "
            f"{self.error:.2g}{share}, at most {self.largest:.2g}, over {self.points:,} {seen}"
        )

    __repr__ = __str__


def fix(
    live: "Binding",
    layer: str | SymbolicFit,
    index: Sequence[int] | None = None,
    form: SymbolicFit | Form | str | Curve | None = None,
    *,
    observed: Observed | None = None,
) -> Fixed:
    """Replace one φ of a live model by a form, as closely as the layer's basis can.

    The coefficients change by least squares: at the observed inputs, or evenly over the form's own
    range where none are given, and with a hundredth of that weight over the rest of the domain. The
    base term becomes 0 where there are other basis functions, which can nearly do it: the two would
    grow large against each other.

    From then on training leaves the function as it is, to the bit, also when the model is bound
    again. ``live.edits.undo()`` takes that back, ``live.edits.release(layer, index)`` keeps the
    form and lets it train again. While the model trains the edit is applied after the next step.

    Parameters
    ----------
    live, layer, index
        A binding, the layer's name and (out, in, row, column); (out, in) will do for a linear
        layer. Or, alone, a fit that says where it belongs: ``fix(live, fit)``.
    form
        A fit; a form of the library or its name, which is fitted to φ first; or any function of
        x, array to array.
    observed
        The inputs, ``live.observe(batch)[layer]``. Needed to fit a form, and for a plain
        function.

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
        fit, form = layer, layer if form is None else form
        layer, index = fit.layer, fit.index
    if index is None or form is None:
        raise TypeError("fix takes a binding and a fit, or a binding, a layer, an index and a form")
    layers = {functions.name: functions for functions in live.read()}
    if layer not in layers:
        raise KeyError(f"layer={layer!r}: the layers are {', '.join(map(repr, layers))}")
    functions = layers[layer]
    place = place_in_layer(functions.name, functions.shape, index)
    check_editable(functions)
    if not callable(form) and not isinstance(form, str):
        raise TypeError(f"form={form!r:.80}: expected a fit, a Form, its name or a function")
    number = np.ravel_multi_index(place, functions.shape)
    column, number_of_basis = (of_all[number] for of_all in columns_and_bases(functions))
    if isinstance(form, SymbolicFit) and observed is None:
        x, samples = np.linspace(form.low, form.high, _POINTS), 0
    else:
        x = check_observed(functions, observed)[:, column]
        assert observed is not None
        samples = int(observed.samples)
    if isinstance(form, (Form, str)):
        fits = symbolic(functions, observed, forms=[form], keep=1, only=place).at(place)
        if not fits:
            name = getattr(form, "name", form)
            raise ValueError(f"{name} does not fit φ{place} of {layer}: it is not defined there")
        form = fits[0]
    words = str(form) if isinstance(form, SymbolicFit) else getattr(form, "__name__", repr(form))
    with np.errstate(all="ignore"):
        wanted = np.asarray(form(x), dtype=np.float64)
    if wanted.shape != x.shape or not np.isfinite(wanted).all():
        raise ValueError(
            f"{words} is not a finite number at every input from {x.min():.4g} to {x.max():.4g} "
            f"of {layer}"
        )
    basis = functions.bases[number_of_basis]
    before = functions.at(place if functions.kind == "conv" else place[:2]).detach().cpu()
    present = before.double().numpy().copy()
    after = _nearest_coefficients(basis, present, x, wanted, form)
    # As the model keeps them.
    after = torch.from_numpy(after).to(before.dtype).double().numpy()
    rest = exact_beta(basis, x) @ after - wanted
    error, spread = float(np.sqrt(np.square(rest).mean())), float(wanted.std())
    share = float("nan") if spread <= 1e-12 * np.abs(wanted).max() else error / spread
    live.edits.fix(layer, place, after.tolist())
    largest = float(np.abs(rest).max())
    return Fixed(layer, place, words, error, largest, share, samples, len(x), present, after)


def replace_by_form(live: "Binding", layer: str, index: Sequence[int]) -> str:
    """Set a function to the form a·f(b·x + c) + d that is most like it, for good, and say which.

    Raises `ValueError` if nothing was observed at the layer, no form fits, or it cannot be edited.
    """
    functions = live.feed.bound.layers.read_one(layer)
    observed = live.feed.observed.get(layer)
    if observed is None:
        raise ValueError(
            "a form is fitted to the inputs of a function, and none were seen: "
            "call live.observe(batch) first"
        )
    [best, *_] = symbolic(functions, observed, only=index).at(index)
    if not best.fits:
        raise ValueError(f"this function has no simple form: {best.quality()}")
    fixed = fix(live, best, observed=observed)
    return f"φ is now {fixed.form} ({best.quality()}); training leaves it so until it is undone"


def _nearest_coefficients(
    basis: ReadBasis, present: Float64, x: Float64, wanted: Float64, form: Curve
) -> Float64:
    """Return the coefficients that bring φ nearest to a form; of several the least changed."""
    domain = np.linspace(*basis.domain, _POINTS)
    elsewhere = domain[(domain < x.min()) | (domain > x.max())]
    with np.errstate(all="ignore"):
        targets = np.asarray(form(elsewhere), dtype=np.float64)
    finite = np.isfinite(targets)
    elsewhere, targets = elsewhere[finite], targets[finite]
    beside = np.sqrt(_DOMAIN_WEIGHT * len(x) / max(1, len(elsewhere)))
    weights = np.concatenate([np.ones(len(x)), np.full(len(elsewhere), beside)])
    beta = exact_beta(basis, np.concatenate([x, elsewhere]))
    free = ~np.asarray(basis.is_base)
    free = free if free.any() else np.ones_like(free)
    new = np.where(free, present, 0.0)
    rest = np.concatenate([wanted, targets]) - beta @ new
    columns = beta[:, free] * weights[:, None]
    new[free] += np.linalg.lstsq(columns, rest * weights, rcond=_MIN_SINGULAR_VALUE)[0]
    return new


Replacement = Literal["mean", "line", "base", "splines", "form", "initial"]


@dataclass(frozen=True)
class _WithLine:
    """A basis with 1 and x beside its functions."""

    basis: ReadBasis

    def __getattr__(self, name: str) -> Any:
        return getattr(self.basis, name)

    @property
    def labels(self) -> tuple[str, ...]:
        return (*self.basis.labels, "1", "x")

    @property
    def is_base(self) -> tuple[bool, ...]:
        return (*self.basis.is_base, False, False)

    def __call__(self, x: Tensor) -> Tensor:
        beta = self.basis(x)
        return torch.cat([beta, torch.ones_like(beta[..., :1]), x[..., None].to(beta)], dim=-1)


def replaced(
    layer: LayerFunctions,
    seen: Observation | None,
    numbers: Int64,
    replace: Replacement | Curve,
    begun: Any,
) -> tuple[Int64, Float64]:
    """Return which functions have a replacement, and its coefficients, with those of 1 and x."""
    if seen is None:
        raise ValueError(f"{layer.name}: the examples do not reach it")
    name, x = layer.name or layer.type, seen.patches.astype(np.float64)
    old = flat_coefficients(layer)[numbers]
    new = np.concatenate([old, np.zeros((len(numbers), 2))], axis=1)
    base = np.array(layer.is_base)
    if replace in ("mean", "line"):
        new[:, :-2] = 0
        where = np.full(layer.n_functions, -1)
        where[numbers] = np.arange(len(numbers))
        for column, some, values in values_of(layer, x, numbers):
            own, about = x[:, column], x[:, column] - x[:, column].mean()
            slopes = np.zeros(len(some))
            if replace == "line" and np.ptp(own):
                slopes = about @ values / (about @ about)
            new[where[some], -2] = values.mean(axis=0) - slopes * own.mean()
            new[where[some], -1] = slopes
    elif replace in ("base", "splines"):
        if base.all() or not base.any():
            raise ValueError(f"{name}: its functions have no base term beside other parts")
        new[:, np.flatnonzero(base != (replace == "base"))] = 0
    elif replace == "initial":
        if begun is None:
            raise TypeError('replace="initial": expected a binding, which has the first frame')
        first = begun.coefficients(name)
        if first.shape[-1] != layer.nb:
            raise ValueError(f"{name}: its basis has changed since the start")
        new[:, :-2] = first.reshape(-1, layer.nb)[numbers]
    else:
        fits = symbolic(layer, seen, keep=1).found if replace == "form" else None
        columns, bases = columns_and_bases(layer)
        fitted = np.ones(len(numbers), dtype=bool)
        for k, number in enumerate(numbers.tolist()):
            curve: Any = replace
            if fits is not None:
                fitted[k] = bool(fits[number]) and fits[number][0].fits
                curve = fits[number][0] if fitted[k] else None
            if curve is not None:
                own, basis = x[:, columns[number]], layer.bases[bases[number]]
                new[k, :-2] = _nearest_coefficients(
                    basis, old[k], own, np.asarray(curve(own)), curve
                )
        numbers, new = numbers[fitted], new[fitted]
    return numbers, new


def difference(layer: LayerFunctions, numbers: Int64, new: Float64) -> LayerFunctions:
    """Return the functions that are to be added to a layer's."""
    all_of = np.zeros((layer.n_functions, layer.nb + 2))
    all_of[numbers] = new
    all_of[numbers, :-2] -= flat_coefficients(layer)[numbers]
    return LayerFunctions(
        layer.kind,
        torch.from_numpy(all_of).reshape(*layer.sizes[:-1], layer.nb + 2),
        tuple(map(_WithLine, layer.bases)),
        layer.basis_index,
        conv=layer.conv,
        name=layer.name,
    )


def chosen(layers: dict[str, LayerFunctions], where: Sequence[Where] | None) -> dict[str, Int64]:
    """Return by layer the numbers of the functions that are meant."""
    numbers: dict[str, list[int]] = {}
    for item in list(layers) if where is None else where:
        name, place = (item, None) if isinstance(item, str) else item
        if name not in layers:
            raise KeyError(f"where={name!r}: the layers are {', '.join(map(repr, layers))}")
        layer, own = layers[name], numbers.setdefault(name, [])
        if place is None:
            own += range(layer.n_functions)
        else:
            index = place_in_layer(name or layer.type, layer.shape, place)
            own.append(int(np.ravel_multi_index(index, layer.shape)))
    return {name: np.unique(own) for name, own in numbers.items()}


def parts_without(
    model: nn.Module, replace: Replacement | Curve, where: Sequence[Where] | None
) -> list[tuple[LayerFunctions, tuple[int, ...], Tensor]]:
    """Return what is 0 where functions are replaced from the start: index and coefficients."""
    if replace not in ("mean", "base", "splines"):
        raise ValueError(
            f"control=True: no network is trained with {replace!r:.60} from the start: expected "
            "'mean', 'base' or 'splines', or a control that you have trained"
        )
    layers, parts = {layer.name: layer for layer in read(model)}, []
    for name, numbers in chosen(layers, where).items():
        layer, base = layers[name], torch.tensor(layers[name].is_base)
        columns = torch.ones_like(base) if replace == "mean" else base == (replace == "splines")
        indices = np.transpose(np.unravel_index(numbers, layer.sizes[:-1])).tolist()
        parts += [(layer, tuple(index), columns) for index in indices]
    return parts
