"""What is read from a model and what is not, as a table, and the parameters it is made of."""

import html
import re
from dataclasses import dataclass
from itertools import chain

from torch import nn

from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.model_proof import prove_what_changed
from kan_widgets.functions.reading import survey
from kan_widgets.printed import lines_of, table_of


@dataclass(frozen=True)
class LayerRow:
    """One layer that is read."""

    layer: str
    type: str
    adapter: str
    functions: int
    basis: str
    domain: str
    coefficients: int
    """How many coefficients its functions have."""
    trainable: int | None
    """Trainable parameters of the module; ``None`` where an earlier row has counted them."""
    variable: str


@dataclass(frozen=True)
class Description:
    """The layers read from a model and the modules left out; prints as a table."""

    layers: tuple[LayerRow, ...]
    left_out: tuple[tuple[str, str, str], ...]
    """(name, type, reason) of each module left out that has parameters of its own."""

    def _cells(self) -> list[tuple[str, ...]]:
        head = ("layer", "adapter", "functions", "basis", "domain", "coefficients", "trainable")
        return [
            head,
            *(
                (
                    f"{row.layer} ({row.type})",
                    row.adapter,
                    f"{row.functions:,}",
                    row.basis if row.variable == "x" else f"{row.basis} of {row.variable}",
                    row.domain,
                    f"{row.coefficients:,}",
                    "" if row.trainable is None else f"{row.trainable:,}",
                )
                for row in self.layers
            ),
        ]

    def _left_out_lines(self) -> list[str]:
        return [f"{name or '(model)'} ({kind}): {why}" for name, kind, why in self.left_out]

    def __str__(self) -> str:
        lines = lines_of(self._cells(), (2, 5, 6)) if self.layers else ["nothing is read"]
        if self.left_out:
            lines += ["left out", *(f"  {line}" for line in self._left_out_lines())]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        table = table_of(self._cells()) if self.layers else "<p>nothing is read</p>"
        items = "".join(f"<li>{html.escape(line)}</li>" for line in self._left_out_lines())
        return table + (f"<p>left out</p><ul>{items}</ul>" if items else "")


def describe(model: nn.Module) -> Description:
    """List the layers read from ``model``, and the modules left out and why.

    In a notebook the last line of a cell shows it; elsewhere, print it. A module without
    parameters of its own (an activation, pooling) is not listed.

    Raises
    ------
    TypeError
        If ``model`` is not a module.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> layer = kw.nn.KANLinear(4, 2)
    >>> print(kw.functions.describe(nn.Sequential(layer, nn.BatchNorm1d(2))))
    layer          adapter      functions  basis        domain  coefficients  trainable
    0 (KANLinear)  kan_widgets          8  silu, B0…B7  -1 … 1            72         72
    left out
      1 (BatchNorm1d): no adapter knows BatchNorm1d
    """
    if isinstance(model, nn.Module):
        prove_what_changed(model)
    readable, left_out = survey(model)
    rows = []
    for entry in readable:
        trainable: int | None = sum(p.numel() for p in entry.module.parameters() if p.requires_grad)
        for layer in entry.read():
            low, high = layer.domain
            rows.append(
                LayerRow(
                    layer=layer.name,
                    type=layer.type,
                    adapter=entry.library or getattr(entry.reader, "__name__", "own"),
                    functions=layer.n_functions,
                    basis=_basis_words(layer),
                    domain=f"{low:.4g} … {high:.4g}",
                    coefficients=layer.sizes.numel(),
                    trainable=trainable,
                    variable=layer.variable,
                )
            )
            trainable = None
    return Description(
        tuple(rows),
        tuple((entry.name, type(entry.module).__name__, entry.reason) for entry in left_out),
    )


def _basis_words(layer: LayerFunctions) -> str:
    base = [label for label, flag in zip(layer.basis_labels, layer.is_base, strict=True) if flag]
    rest = [label for label in layer.basis_labels if label not in base]
    # Labels that differ in their numbers alone, B0 to B7, are one run.
    runs: dict[str, list[str]] = {}
    for label in rest:
        runs.setdefault(re.sub(r"\d", "", label), []).append(label)
    short = [[f"{run[0]}…{run[-1]}"] if len(run) > 3 else run for run in runs.values()]
    words = ", ".join([*base, *chain.from_iterable(short)])
    return words if len(layer.bases) == 1 else f"{words} on {len(layer.bases)} grids"
