"""Keywords of the views, for completion and for type checkers.

Each view has a ``TypedDict`` of its options beside it, which type checkers read. What
``inspect.signature`` gives, and so Jupyter's completion, is made of the traits themselves. A test
compares traits, dicts and docstrings.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from functools import cache, wraps
from types import MethodType
from typing import Any, Literal, TypedDict, TypeVar, cast, get_type_hints
from weakref import WeakKeyDictionary

import ipywidgets

F = TypeVar("F", bound=Callable[..., Any])
Theme = Literal["auto", "light", "dark"]


class ViewOptions(TypedDict, total=False):
    """Keywords of every view."""

    theme: Theme
    layout: ipywidgets.Layout | dict[str, Any]


class Shown(TypedDict, total=False):
    """Options of all views, as keywords of a picture; a view refuses those that it lacks."""

    binarise: bool
    bounds: Literal["domain", "observed"]
    direction: Literal["horizontal", "vertical", "diagonal", "radial"]
    editable: bool
    example: int
    fold: Sequence[int] | None
    folded: bool
    ghost: bool
    height: int | None
    hidden: Sequence[str]
    images: Any
    input: Literal["images", "observed", "drawn", "ramp"]
    layer: str | int
    limits: tuple[float, float] | Literal["grid"]
    mode: Literal[
        "auto",
        "change",
        "curves",
        "overview",
        "pair",
        "pattern",
        "preferred",
        "ramp",
        "response",
    ]
    more: bool
    other: int
    output: int
    over_time: Literal["range", "splines", "silu", "change", "gradient", "update"]
    overlays: Sequence[dict[str, Any]]
    page: Literal["network", "functions"]
    pins: Sequence[dict[str, Any]]
    relevance: float | Literal["auto"]
    resolution: int
    sample: int
    scale: Literal["auto", "function", "kernel", "layer", "linear", "log"]
    shade: str
    show: Literal["kernels", "networks"] | Sequence[str]
    smoothing: int
    sort: str
    stacked: bool
    suppressed: bool
    target: int | None
    theme: Theme
    threshold: float
    top: int
    x_range: Literal["inputs", "domain", "wide"]
    zoom: Sequence[float]


class Sized(Shown, total=False):
    """Keywords of an animation's frames."""

    width: int
    max_height: float


class PictureOptions(Sized, total=False):
    """Keywords of a picture."""

    pixel_ratio: float


class _AsShown:
    """The default of a picture's keyword: what the view shows."""

    def __repr__(self) -> str:
        return "as shown"


AS_SHOWN = _AsShown()


class OwnSignature:
    """The ``__signature__`` of a view's class: its options by name, each with its default."""

    def __get__(self, _: object, view: type[Any]) -> inspect.Signature:
        """Return the signature."""
        own = inspect.signature(view.__init__).parameters
        hints = _hints(view)
        given = [each for name, each in own.items() if name not in ("self", "options")]
        defaults = {name: trait.default() for name, trait in view._options().items()}
        options = [
            _keyword(name, default, hints)
            for name, default in {**defaults, "layout": None}.items()
            if name not in own
        ]
        return inspect.Signature([*given, *options])


def drawing(method: F) -> F:
    """Have the signature of a view's method name the options of that view."""
    return cast(F, _Drawing(method))


class _Drawing:
    """A method that has another signature in each view; of a class it is as it is written."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self._of: WeakKeyDictionary[type[Any], Callable[..., Any]] = WeakKeyDictionary()
        self.__doc__ = method.__doc__

    def __get__(self, view: object, kind: type[Any]) -> Callable[..., Any]:
        """Return the method as one of a class, or of a view."""
        if view is None:
            return self._method
        made = self._of.get(kind)
        if made is None:
            made = self._of[kind] = self._made(kind)
        return MethodType(made, view)

    def _made(self, kind: type[Any]) -> Callable[..., Any]:
        @wraps(self._method)
        def method(*arguments: Any, **options: Any) -> Any:
            return self._method(*arguments, **options)

        method.__signature__ = self._signature(kind)  # type: ignore[attr-defined]
        return method

    def _signature(self, kind: type[Any]) -> inspect.Signature:
        signature = inspect.signature(self._method)
        known = {name: one for name, one in signature.parameters.items() if name != "options"}
        # How large it is by default, a class says in its own `svg`, or takes from those before.
        for base in kind.__mro__:
            if isinstance(svg := vars(base).get("svg"), _Drawing):
                for name, one in inspect.signature(svg._method).parameters.items():
                    if name not in ("self", "options"):
                        known.setdefault(name, one)
        hints = _hints(kind)
        for name in kind._options():
            known.setdefault(name, _keyword(name, AS_SHOWN, hints))
        return signature.replace(parameters=list(known.values()))


def _keyword(name: str, default: object, hints: dict[str, Any]) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    annotation = hints.get(name, inspect.Parameter.empty)
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _hints(view: type[Any]) -> dict[str, Any]:
    """Return the types of a view's options, as the dict has them that its ``__init__`` names."""
    make = view.__init__
    named = inspect.signature(make).parameters.get("options")
    said = "" if named is None else str(named.annotation)
    if not said.startswith("Unpack["):
        return {}
    name = said.removeprefix("Unpack[").removesuffix("]")
    return _types(getattr(sys.modules[make.__module__], name))


@cache
def _types(options: type[Any]) -> dict[str, Any]:
    return get_type_hints(options)
