"""The functions of one layer: coefficients times a basis."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.functions.basis import ReadBasis, one_of_each
from kan_widgets.functions.coefficients import ALL, Rewriter, Terms
from kan_widgets.functions.layer_settings import ConvSettings, Split
from kan_widgets.nn.bases.basis import Ends
from kan_widgets.nn.torch_modes import ungraded

LayerKind = Literal["conv", "linear", "elementwise"]
CoefficientWriter = Callable[[tuple[int, ...], Tensor], None]
Gradient = Callable[[], Tensor]

_FORMS = {
    "conv": "(out, in, kh, kw, nb)",
    "linear": "(out, in, nb)",
    "elementwise": "(1, groups, nb)",
}
# Coefficients evaluated at a time, few enough to stay in a cache.
_BATCH = 500_000


@dataclass(frozen=True, eq=False)
class Tap:
    """A place in a running model: the input of some modules, or their output.

    If a module is called several times, or there are several modules, the tensors are
    joined in the order of the calls: side by side along the channels (``"cat"``), or
    added up (``"add"``). ``view`` makes maps, ``(n, channels, height, width)``, of what passes in
    another form, as over one or three dimensions.
    """

    modules: tuple[nn.Module, ...]
    side: Literal["input", "output"] = "input"
    joined: Literal["cat", "add"] = "cat"
    view: Callable[[Tensor], Tensor] | None = None

    def join(self, passed: Sequence[Tensor]) -> Tensor:
        """Join the tensors that passed into one, in the form in which functions take it."""
        if self.joined == "add":
            joined = torch.stack(list(passed)).sum(0)
        else:
            joined = torch.cat(list(passed), dim=1) if len(passed) > 1 else passed[0]
        return joined if self.view is None else self.view(joined)


def as_rows(x: Tensor) -> Tensor:
    """Return ``(n, channels, length)`` as maps of one row: a ``view`` of a `Tap`."""
    return x.unsqueeze(-2)


class _WhenAsked:
    """The field ``coefficients``: `Terms` are put together when it is first read, and kept."""

    def __get__(self, layer: "LayerFunctions | None", owner: type | None = None) -> Tensor:
        if layer is None:  # a field without a default
            raise AttributeError("coefficients")
        held = layer.__dict__["_held"]
        if isinstance(held, Terms):
            held = layer.__dict__["_held"] = held[ALL]
        return held  # type: ignore[no-any-return]

    def __set__(self, layer: "LayerFunctions", value: Tensor | Terms) -> None:
        layer.__dict__["_held"] = value


@dataclass(frozen=True, eq=False)
class LayerFunctions:
    """All φ of one layer: φ[o, i, r, c](x) = Σ_b coefficients[o, i, r, c, b]·β_b(x).

    A learned activation adds nothing up: it has one φ for each group of its channels, φ[0, g],
    which is applied to every value of theirs.

    Parameters
    ----------
    kind
        ``"conv"`` or ``"linear"``: whether each (out, in) pair holds a kernel
        of kh×kw functions, or one function. ``"elementwise"`` is a learned activation.
    coefficients
        ``(out, in, kh, kw, nb)`` or ``(out, in, nb)``, detached; ``(1, groups, nb)`` if
        elementwise. They may share memory with the model's parameters: copy before keeping them.
        Where they have to be put together from several tensors, `Terms` do so only for what
        is asked for, as the tensors are then; `part` takes some of them, this attribute all.
    bases
        The basis, or several where groups of functions have their own (a grid
        per input feature): a `LayerBasis` each, or what has the members of
        `kan_widgets.functions.basis.ReadBasis`. All have the same ``nb``.
    basis_index
        ``(out, in[, kh, kw])`` integers: which of ``bases`` each function uses.
        ``None`` where there is only one.
    name, type
        The module's path in the model and its class name; filled in by `read`.
    conv
        How a convolution is applied, where that is known. ``in`` counts the
        channels of one group.
    write
        ``write(index, coefficients)`` sets the ``(nb,)`` coefficients of the function
        at ``index``, (out, in[, row, column]), in the module. ``None`` where there is no
        way back from coefficients to parameters.
    locked
        Why ``write`` is ``None``, for a person to read.
    variable
        What x is, if not the layer's input itself: ``"LayerNorm(x)"``.
    note
        One sentence that a reader of the picture must know, or empty.
    x_at
        Where x passes in the running model, if it is not the input of the module itself.
    gradient
        ``gradient()`` returns ∂loss/∂coefficients as the last backward pass left it, in the
        shape of ``coefficients``; NaN where there is none. ``None`` if the adapter cannot tell.
    rewriter
        ``rewriter(out, part)``, of some outputs and inputs, two slices, or of all, returns
        ``rewrite`` (or ``None`` if it cannot): called without gradients and with
        `kan_widgets.nn.changes.listeners.together` held, it writes the present coefficients to
        ``out``, float32 on the CPU and of their shape, and returns True; or False, if anything but
        their values may have changed since these functions were read. Neither may keep the module
        alive. ``None`` where every frame takes another reading, which is slower.
    axis
        If elementwise: the dimension of x that is divided into groups, equally many channels each.
    split
        Where other processes have the rest of the layer: which part is here.

    Raises
    ------
    TypeError
        If a basis is not of the kind that ``bases`` takes.
    ValueError
        If the shapes do not fit each other or the values cannot be read.
    """

    kind: LayerKind
    coefficients: _WhenAsked = _WhenAsked()
    bases: tuple[ReadBasis, ...]  # type: ignore[misc]  # the one before has no default either
    basis_index: Tensor | None = None
    name: str = ""
    type: str = ""
    conv: ConvSettings | None = None
    write: CoefficientWriter | None = None
    locked: str = ""
    variable: str = "x"
    note: str = ""
    x_at: Tap | None = None
    gradient: Gradient | None = None
    rewriter: Rewriter | None = None
    axis: int = -1
    split: Split | None = None

    def __post_init__(self) -> None:
        sizes, like, nb, index = self.sizes, self.like, self.nb, self.basis_index
        form = _FORMS.get(self.kind)
        if form is None:
            raise ValueError(f"kind={self.kind!r}: expected 'conv', 'linear' or 'elementwise'")
        if len(sizes) != form.count(",") + 1 or (self.kind == "elementwise" and sizes[0] != 1):
            raise ValueError(
                f"coefficients of shape {tuple(sizes)}: expected {form} for a {self.kind} layer"
            )
        if like.is_meta or like.is_quantized or not like.is_floating_point():
            name = "meta" if like.is_meta else "quantised" if like.is_quantized else str(like.dtype)
            raise ValueError(
                f"coefficients of type {name}: expected real floating-point numbers; load or "
                "dequantise the model first"
            )
        if like.requires_grad:
            raise ValueError(
                "coefficients that require grad: expected a detached tensor; detach() it"
            )
        if not self.bases:
            raise ValueError("bases is empty: expected at least one basis")
        for basis in one_of_each(self.bases):
            if not hasattr(basis, "is_base"):
                kind = type(basis).__name__
                raise TypeError(
                    f"bases of type {kind}: expected a LayerBasis; give LayerBasis({kind}(...)), "
                    "or with a base term LayerBasis(..., base_activation)"
                )
            if len(basis.labels) != nb or len(basis.is_base) != nb:
                raise ValueError(
                    f"bases with {len(basis.labels)} labels and {len(basis.is_base)} base flags: "
                    f"expected {nb} of each, one per coefficient of a function"
                )
        if index is None and len(self.bases) != 1:
            raise ValueError(f"basis_index=None: expected one for {len(self.bases)} bases")
        if index is not None and index.shape != sizes[:-1]:
            raise ValueError(
                f"basis_index of shape {tuple(index.shape)}: expected one number per function, "
                f"{tuple(sizes[:-1])}"
            )

    def called(self, **fields: Any) -> "LayerFunctions":
        """Return the same functions with other ``fields``, none of them coefficients or bases."""
        # Not `dataclasses.replace`, which puts the coefficients together, and checks them: what was
        # checked once need not be checked in every frame.
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, **fields)
        return other

    def part(self, outputs: slice = ALL[0], inputs: slice = ALL[1]) -> Tensor:
        """Return ``coefficients[outputs, inputs]``, at the cost of these.

        Examples
        --------
        >>> import kan_widgets as kw
        >>> [layer] = kw.functions.read(kw.nn.KANLinear(6000, 50))
        >>> layer.part(slice(10, 12), slice(None, None, 1000)).shape
        torch.Size([2, 6, 9])
        """
        coefficients: Tensor = self.__dict__["_held"][outputs, inputs]
        return coefficients

    def pieces(
        self, outputs: slice = ALL[0], inputs: slice = ALL[1]
    ) -> Iterator[tuple[slice, Tensor]]:
        """Yield a few outputs of `part` at a time, as a slice, and their coefficients."""
        rows = range(*outputs.indices(self.sizes[0]))
        per_output = len(range(*inputs.indices(self.sizes[1]))) * math.prod(self.sizes[2:])
        step = max(1, _BATCH // max(1, per_output))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            chosen = slice(some.start, some.stop, some.step)
            yield chosen, self.part(chosen, inputs)

    def at(self, index: tuple[int, ...]) -> Tensor:
        """Return the coefficients of one function, ``(nb,)``: that at (out, in[, row, column])."""
        o, i = index[:2]
        function: Tensor = self.part(slice(o, o + 1), slice(i, i + 1))[0, 0]
        return function[index[2:]]

    @property
    def sizes(self) -> torch.Size:
        """The shape of ``coefficients``, without putting them together."""
        held: Tensor | Terms = self.__dict__["_held"]
        return held.shape

    @property
    def like(self) -> Tensor:
        """A tensor of the coefficients' type, on their device."""
        held: Tensor | Terms = self.__dict__["_held"]
        return held.like if isinstance(held, Terms) else held

    @property
    def nb(self) -> int:
        """Coefficients per function."""
        return self.sizes[-1]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(out, in, kh, kw), with kh = kw = 1 but for a convolution."""
        size = tuple(self.sizes[:-1])
        return size if self.kind == "conv" else (*size, 1, 1)  # type: ignore[return-value]

    @property
    def n_functions(self) -> int:
        """Number of functions φ in the layer."""
        return self.sizes[:-1].numel()

    @property
    def basis_labels(self) -> tuple[str, ...]:
        """One short name per basis function."""
        return self.bases[0].labels

    @property
    def is_base(self) -> tuple[bool, ...]:
        """For each basis function whether it belongs to the base term."""
        return self.bases[0].is_base

    @property
    def domain(self) -> Ends:
        """The interval the functions are meant for, over all bases."""
        lows, highs = zip(*(basis.domain for basis in self.bases), strict=True)
        return min(lows), max(highs)

    @property
    def extent(self) -> Ends:
        """The interval worth drawing, over all bases."""
        lows, highs = zip(*(basis.extent for basis in self.bases), strict=True)
        return min(lows), max(highs)

    def by_group(self, x: Tensor) -> Tensor:
        """Return the values of x that each group takes in, ``(..., n, groups)``, if elementwise."""
        groups = self.shape[1]
        if groups == 1:
            return x.reshape(len(x), -1, 1)
        grouped: Tensor = x.movedim(self.axis, -1).unflatten(-1, (groups, -1)).movedim(-2, -1)
        return grouped

    @ungraded
    def evaluate(self, x: Tensor) -> Tensor:
        """φ at ``x``, ``(n,)`` on the coefficients' device: ``(out, in[, kh, kw], n)``."""
        if x.ndim != 1:
            raise ValueError(f"x of shape {tuple(x.shape)}: expected points in one dimension")
        x = x.to(self.like)
        if self.basis_index is None:
            return self.coefficients @ self.bases[0](x).T
        values = x.new_empty((*self.coefficients.shape[:-1], len(x)))
        index = self.basis_index.to(x.device)
        for g, basis in enumerate(self.bases):
            chosen = index == g
            values[chosen] = self.coefficients[chosen] @ basis(x).T
        return values

    def total(self, x: Tensor, rows: slice = slice(None)) -> Tensor:
        """Return Σφ at inputs of the layer, in double precision on the CPU.

        For each output, or for ``rows`` of a linear layer; for a learned activation φ itself.
        """
        x = x.to("cpu", torch.float64)
        coefficients = self.part(rows).detach().to("cpu", torch.float64)
        index = torch.zeros(self.sizes[:-1], dtype=torch.long)
        if self.basis_index is not None:
            index = self.basis_index.to("cpu")
        if self.kind == "elementwise":
            # The function of each group is applied to every value of its channels.
            along = x.movedim(self.axis, 0).unflatten(0, (self.shape[1], -1))
            numbers = index[0].tolist()
            parts = [self.bases[b](along[g]) @ coefficients[0, g] for g, b in enumerate(numbers)]
            return torch.cat(parts).movedim(0, self.axis)
        total = torch.zeros((), dtype=torch.float64)
        for g, basis in enumerate(self.bases):
            chosen = index[rows] == g
            own = coefficients * chosen.unsqueeze(-1)
            if self.kind == "linear":
                # Only the inputs that have a function with this basis: there may be one for each.
                inputs = chosen.any(0)
                values = basis(x[..., inputs])
                values = values.nan_to_num() if len(self.bases) > 1 else values
                total = total + torch.einsum("...ib,oib->...o", values, own[:, inputs])
            else:
                total = total + _convolved(self.conv or ConvSettings(), basis, own, x)
        return total


def check_editable(layer: LayerFunctions) -> None:
    """Raise unless the functions of a layer can be written into its model."""
    if layer.write is None:
        why = layer.locked or "its adapter only reads"
        raise ValueError(f"{layer.name} cannot be edited: {why}")


def padded(settings: ConvSettings, x: Tensor, value: float | None = None) -> Tensor:
    """Return maps with the padding of a convolution around them."""
    mode = "constant" if settings.padding_mode == "zeros" else settings.padding_mode
    return F.pad(x, settings.padding, mode=mode, value=value)


def _convolved(settings: ConvSettings, basis: ReadBasis, coefficients: Tensor, x: Tensor) -> Tensor:
    n, channels = x.shape[:2]
    if settings.shared:
        x = x.reshape(n * channels, 1, *x.shape[2:])
    if not settings.pads_basis:
        x = padded(settings, x)
    values = basis(x)
    if settings.pads_basis:  # NaN marks planes beyond the border
        values = values.masked_fill(x.isnan().unsqueeze(-1), 0)
    values = values.movedim(-1, 2).flatten(1, 2)
    if settings.pads_basis:
        values = padded(settings, values)
    weight = coefficients.movedim(-1, 2).flatten(1, 2)
    out = F.conv2d(values, weight, None, settings.stride, 0, settings.dilation, settings.groups)
    return out.reshape(n, -1, *out.shape[2:]) if settings.shared else out
