"""SplineInspector: one function, large, taken apart into its terms, and editable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets

from kan_widgets.insight.formulas.symbolic_fits import SymbolicFit
from kan_widgets.live import Layout, Source
from kan_widgets.live.frames.feed import checked_selection
from kan_widgets.widgets.shell.options import LayerName, option
from kan_widgets.widgets.shell.view import ModelView
from kan_widgets.widgets.wire.messages import float32

_INDEX = ("out", "in", "row", "column")
_OVERLAY_POINTS = 513
PARTS = ("phi", "band", "ghost", "base", "spline", "basis", "points", "knots", "density")


class SplineInspector(ModelView):
    """One function φ and its terms, large: φ = base + Σ weight·basis function.

    It shows the selected function, or the one of its layer that has changed most (of an ensemble
    differs most), over what the last ``live.observe(batch)`` saw but for the outermost 0.5 % at
    either end, or over the grid. Each entry of the legend is a switch. The mouse wheel zooms, a
    drag moves, a double click shows the first view again; "all" shows all of the basis functions.

    Raises
    ------
    ValueError
        If there is no such layer; the message lists them.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> from kan_widgets.widgets.spline_inspector import SplineInspector
    >>> inspector = SplineInspector(kw.nn.KANCNN.article(), layer=1, editable=True)
    >>> inspector.live.edits.zero("convs.1", (0, 0, 1, 1))
    >>> inspector.image(width=600).size[0]
    1200
    """

    _kind = "spline_inspector"

    layer: str | int = option(
        "The layer to start with, by name or number; the first by default.",
        default=0,
        trait=LayerName(),
        kw_only=False,
    )
    editable: bool = option(
        """Whether dragging a control point changes the model. During training an edit is
        applied between two optimizer steps.""",
        default=False,
    )
    show: Sequence[str] | None = option(
        """What is drawn, of "phi", "band", "ghost", "base", "spline", "basis", "points", "knots"
        and "density"; by default all, but "points" and "knots" only where it is ``editable``.
        "band" is the range and the median of an ensemble's networks, "basis" is every basis
        function times its weight, "ghost" the function at the first step (or at the one kept for
        comparison), "points" the control points, "density" the inputs of the last
        ``live.observe(batch)``.""",
        default=None,
    )
    pins: Sequence[dict[str, Any]] = option(
        """Functions to compare with, each ``{"layer", "out", "in", "row", "column"}``.""",
        default=(),
    )
    overlays = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    """The curves that ``overlay`` laid over functions: ``{"layer", "out", "in", "row", "column",
    "label", "low", "high", "samples"}``, the samples float32 at even x from ``low`` to ``high``,
    NaN where there is nothing; ``"shown": False`` hides it. The legend hides and removes them."""
    form = traitlets.Dict().tag(sync=True)
    """Of an ensemble the function shown, and in how many networks it has which form best."""
    height: int | None = option(
        "Pixels of the drawing, at least 160; by default it grows with the width.",
        default=None,
        min=160,
    )

    def _check_options(self, options: dict[str, Any], source: Source) -> None:
        super()._check_options(options, source)
        _check_functions("pins", options.get("pins", ()), source.feed.layout)

    @traitlets.validate("show")
    def _validate_show(self, proposal: Any) -> list[str] | None:
        parts = proposal["value"]
        if unknown := [part for part in parts or () if part not in PARTS]:
            raise traitlets.TraitError(
                f"show={parts!r}: unknown {', '.join(map(repr, unknown))}; the parts are "
                f"{', '.join(map(repr, PARTS))}"
            )
        return parts and [part for part in PARTS if part in parts]

    def _begin(self) -> None:
        super()._begin()
        self._count_forms()

    @traitlets.observe("selection", "layer")
    def _count_forms(self, _: object = None) -> None:
        """Say in how many networks of an ensemble the function that is shown has which form."""
        if not self._is_joined or (networks := self._ensemble) is None:
            return
        shapes = {layer.name: layer.shape for layer in self.live.feed.layout.layers}
        apart = np.ptp(networks.around(name := str(self.layer))[1:], axis=0).max(axis=-1)
        first = map(int, np.unravel_index(apart.argmax(), shapes[name]))
        at = dict(self.selection or {"layer": name, **dict(zip(_INDEX, first, strict=True))})
        place = at["out"], at["in"], at["row"] * shapes[at["layer"]][3] + at["column"]
        [(form, count)] = networks.forms(at["layer"], *place).most_common(1)
        shared = f"best form in {count} of {len(networks)} networks: {form}"
        alone = f"best forms differ in all {len(networks)} networks"
        self.form = {**at, "words": shared if count > 1 else alone}

    def overlay(self, *fits: SymbolicFit) -> None:
        """Draw symbolic forms over the functions that they were fitted to, dashed.

        Each is drawn over the inputs that its R² rests on, with its formula and R² in the
        legend; the first one's function is selected. A form stays as it was found when the
        function changes. The legend hides and removes them, as setting ``overlays`` does.

        Parameters
        ----------
        *fits
            What `kan_widgets.insight.symbolic` found: ``fits.at(index)[0]``.

        Raises
        ------
        TypeError
            If something else is given, or nothing.
        ValueError
            If there is no such function.

        Examples
        --------
        >>> import torch, kan_widgets as kw
        >>> model = kw.nn.KANLinear(2, 1)
        >>> live = kw.bind(model)
        >>> [(name, seen)] = live.observe(torch.rand(99, 2)).items()
        >>> inspector = kw.SplineInspector(live)
        >>> fits = kw.insight.symbolic(live.read()[0], seen)
        >>> inspector.overlay(fits.at((0, 1))[0])
        >>> [curve["in"] for curve in inspector.overlays]
        [1]
        """
        for fit in fits or (None,):
            if not isinstance(fit, SymbolicFit):
                raise TypeError(
                    f"fit={fit!r:.80}: expected a fit, such as symbolic(layer, "
                    "observed).at(index)[0]"
                )
        overlays = list(map(_overlay_of, fits))
        _check_functions("overlays", overlays, self.live.feed.layout)
        self.overlays = [*self.overlays, *overlays]
        out, in_, row, column = fits[0].index
        self.live.select(fits[0].layer, out, in_, row, column)

    def _picture_options(self, options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        layout = self._stream.frames()[1].layout
        taken = super()._picture_options(options, names)
        _check_functions("pins", options.get("pins", ()), layout)
        if "layer" not in options and _names_function(self.selection, layout):
            taken["layer"] = self.selection["layer"]
        return taken

    def _drawn_selection(self, options: dict[str, Any]) -> dict[str, Any]:
        return {} if "layer" in options else super()._drawn_selection(options)

    def _drawn_layers(self, traits: dict[str, Any], names: Sequence[str]) -> Sequence[str]:
        pinned = [pin.get("layer") for pin in traits["pins"]]
        return [name for name in names if name == traits["layer"] or name in pinned]


def _overlay_of(fit: SymbolicFit) -> dict[str, Any]:
    """Return a symbolic form as a curve over its function."""
    x = np.linspace(fit.low, fit.high, _OVERLAY_POINTS)
    values = fit(x)
    values = np.where(np.isfinite(values), values, np.nan)
    r2 = "" if np.isnan(fit.r2) else f", {fit.quality()}"
    return {
        "layer": fit.layer,
        **dict(zip(_INDEX, fit.index, strict=True)),
        "label": f"{fit}{r2}",
        "low": fit.low,
        "high": fit.high,
        "samples": float32(values),
    }


def _check_functions(name: str, places: Sequence[dict[str, Any]], layout: Layout) -> None:
    for place in places:
        if not _names_function(place, layout):
            names = ", ".join(map(repr, layout.names))
            raise ValueError(
                f"{name}: {place!r:.80} names no function of this model; each is a dict of "
                f"'layer' (one of {names}), 'out', 'in', 'row' and 'column'"
            )


def _names_function(chosen: Any, layout: Layout) -> bool:
    try:
        checked_selection(layout, {name: chosen[name] for name in ("layer", *_INDEX)})
    except (TypeError, LookupError):
        return False
    return True
