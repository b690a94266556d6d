"""SplineInspector: one function, large, taken apart into its terms, and editable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import traitlets

from kan_widgets.insight.symbolic_fits import SymbolicFit
from kan_widgets.live import Selection, Source
from kan_widgets.live.frames.edit import Edit
from kan_widgets.live.frames.layout import LayerLayout
from kan_widgets.live.reports import name_of
from kan_widgets.widgets.evaluated import Evaluated
from kan_widgets.widgets.options import LayerName, option
from kan_widgets.widgets.wire import finite, float32

_INDEX = ("out", "in", "row", "column")
_OVERLAY_POINTS = 513
PARTS = ("phi", "base", "spline", "basis", "ghost", "points", "knots", "density")


class SplineInspector(Evaluated):
    """One function φ and its terms, large: φ = base + Σ weight·basis function.

    It shows the selected function of its stream, or the first of its layer, where its inputs
    are: over what the last ``live.observe(batch)`` saw but for the outermost 0.5 % at either
    end, or over the grid. All that is drawn is in the legend, and each entry there is a
    switch. The mouse wheel zooms, dragging the background moves, a double click shows the
    first view again; "all" shows every basis function as far as it reaches.

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
    show: Sequence[str] = option(
        """What is drawn, of "phi", "base", "spline", "basis", "ghost", "points", "knots" and
        "density"; all by default. "basis" is every basis function times its weight, "ghost" the
        function at the first step (or at the one kept for comparison), "points" the control
        points, "density" the inputs of the last ``live.observe(batch)``.""",
        default=PARTS,
    )
    hidden: Sequence[str] = option(
        'Labels of single basis functions to leave out, such as ``["B0"]``.', default=()
    )
    stacked: bool = option(
        "Draw every term on top of those before it, so that the last edge is φ.", default=False
    )
    pins: Sequence[dict[str, Any]] = option(
        """Functions to compare with, each ``{"layer", "out", "in", "row", "column"}``.""",
        default=(),
    )
    overlays: Sequence[dict[str, Any]] = option(
        """Curves laid over functions, dashed; the method ``overlay`` makes them. Each is
        ``{"layer", "out", "in", "row", "column", "label", "low", "high", "samples"}``, the
        samples float32 in bytes at even x from ``low`` to ``high``, NaN where there is nothing;
        ``"shown": False`` hides it.""",
        default=(),
    )
    height: int | None = option(
        "Pixels of the drawing, at least 160; by default it grows with the width.",
        default=None,
        min=160,
    )

    def _check_options(self, options: dict[str, Any], source: Source) -> None:
        super()._check_options(options, source)
        if "pins" in options:
            options["pins"] = _check_pins(options["pins"], source.feed.layout.layers)
        if "overlays" in options:
            options["overlays"] = _check_overlays(options["overlays"], source.feed.layout.layers)

    @traitlets.validate("show")
    def _validate_show(self, proposal: Any) -> list[str]:
        return _check_show(proposal["value"])

    # -- curves laid over ------------------------------------------------------------

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
                    "expected a fit, such as symbolic(layer, observed).at(index)[0], got "
                    f"{fit!r:.80}"
                )
        source = self.live
        made = _check_overlays(map(_overlay_of, fits), source.feed.layout.layers)
        self.overlays = [*self.overlays, *made]
        out, in_, row, column = fits[0].index
        source.select(fits[0].layer, out, in_, row, column)

    # -- editing --------------------------------------------------------------------

    _edit_callbacks: tuple[Callable[[Edit], object], ...] = ()

    def on_edit(self, callback: Callable[[Edit], object]) -> Callable[[], None]:
        """Call ``callback(edit)`` after each edit; after a drag, when the point is released.

        Undoing an edit is an edit too. During training the callback comes when the
        edit is made; it is applied after the next step. What it raises is shown on the
        panel and as a warning.

        Returns
        -------
        callable
            Call it to stop.
        """
        if not callable(callback):
            raise TypeError(f"callback: expected a function, got {callback!r:.80}")
        self._edit_callbacks = (*self._edit_callbacks, callback)

        def stop() -> None:
            left = tuple(known for known in self._edit_callbacks if known is not callback)
            self._edit_callbacks = left

        return stop

    def _edited(self, edit: Edit) -> None:
        """Call the callbacks after an edit, and evaluate."""
        self.notice = ""
        for callback in self._edit_callbacks:
            try:
                callback(edit)
            except Exception as error:
                self._complain(f"on_edit: {name_of(callback)}", error)
        super()._edited(edit)

    def _end(self) -> None:
        self._edit_callbacks = ()
        super()._end()

    # -- the picture ----------------------------------------------------------------

    def _colours(self, options: dict[str, Any]) -> int:
        return 256  # thin curves have thousands of shades

    def _picture_options(self, options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        layers = self._stream.frames()[1].layout.layers
        taken = super()._picture_options(options, names)
        for name, check in (("pins", _check_pins), ("overlays", _check_overlays)):
            if name in options:
                taken[name] = check(options[name], layers)
        chosen = self.selection
        if "layer" not in options and chosen and _names_function(chosen, layers):
            taken["layer"] = chosen["layer"]
        evaluation = {name: finite(value) for name, value in self.evaluation.items()}
        return taken | {"evaluation": evaluation}

    def _drawn_selection(self, options: dict[str, Any]) -> dict[str, Any]:
        return {} if "layer" in options else super()._drawn_selection(options)

    def _drawn_layers(self, traits: dict[str, Any], names: Sequence[str]) -> Sequence[str]:
        pinned = [pin.get("layer") for pin in traits["pins"]]
        return [name for name in names if name == traits["layer"] or name in pinned]


def _check_show(show: Iterable[str]) -> list[str]:
    given = list(show)
    unknown = [part for part in given if part not in PARTS]
    if unknown:
        raise traitlets.TraitError(
            f"show={given!r}: unknown {', '.join(map(repr, unknown))}; the parts are "
            f"{', '.join(map(repr, PARTS))}"
        )
    return [part for part in PARTS if part in given]


def _check_pins(pins: Iterable[Any], layers: Sequence[LayerLayout]) -> list[Any]:
    """Refuse what names no function; return the pins as a list."""
    given = list(pins)
    for pin in given:
        if not _names_function(pin, layers):
            names = ", ".join(repr(layer.name) for layer in layers)
            raise ValueError(
                f"pins: {pin!r} names no function; each is a dict of 'layer' (one of {names}), "
                "'out', 'in', 'row' and 'column'"
            )
    return given


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


def _check_overlays(overlays: Iterable[Any], layers: Sequence[LayerLayout]) -> list[Any]:
    """Refuse curves that cannot be drawn; return them as a list."""
    given = list(overlays)
    for curve in given:
        if not _names_function(curve, layers):
            raise ValueError(f"overlays: {curve!r:.80} names no function of this model")
        samples = curve.get("samples")
        if not isinstance(samples, bytes | memoryview) or len(samples) < 8 or len(samples) % 4:
            raise ValueError(
                "overlays: expected samples as the bytes of two float32 or more, got "
                f"{samples!r:.40}"
            )
        low, high = curve.get("low", np.nan), curve.get("high", np.nan)
        if not -np.inf < low < high < np.inf or not isinstance(curve.get("label"), str):
            raise ValueError(
                "overlays: expected a label in words and finite low < high, got "
                f"{curve.get('label')!r}, {low!r} and {high!r}"
            )
    return given


def _names_function(selection: Selection | None, layers: Sequence[LayerLayout]) -> bool:
    """Whether a selection names a function of some layers."""
    if not isinstance(selection, dict):
        return False
    index = [selection.get(name) for name in _INDEX]
    return any(
        layer.name == selection.get("layer")
        and all(
            isinstance(i, int) and 0 <= i < size for i, size in zip(index, layer.shape, strict=True)
        )
        for layer in layers
    )
