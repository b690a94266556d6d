"""The options of a view, each declared once, in the body of its class.

::

    class KernelGrid(LayerView):
        ghost: bool = option("Draw the initial function behind, dashed.", default=True)

From that come a trait that is synced to the browser, a keyword of the view and of its pictures with
their checks, what ``inspect.signature`` gives and so Jupyter's completion, what type checkers know
(PEP 681), and a part of the docstring.
"""

from __future__ import annotations

import inspect
import json
import textwrap
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from types import MethodType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)
from weakref import WeakKeyDictionary

import traitlets
from traitlets.traitlets import MetaHasTraits

from kan_widgets.checks import nearest_word

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[type], type]:
        """Leave a class as it is: only type checkers read this."""
        return lambda kind: kind


F = TypeVar("F", bound=Callable[..., Any])
Theme = Literal["auto", "light", "dark"]
# Between the parameters and the rest of a docstring.
_SECTIONS = ("\n\nAttributes\n---", "\n\nRaises\n---", "\n\nExamples\n---")
_RAISES = """TypeError
    If a keyword is unknown or the object cannot be shown.
traitlets.TraitError
    If a value is not one of those above.
"""


@dataclass(frozen=True)
class _Option:
    """The declaration of an option."""

    doc: str
    default: Any
    trait: traitlets.TraitType[Any, Any] | None
    bounds: dict[str, float]
    kw_only: bool
    is_trait: bool
    type: str = ""
    """Type as it is annotated."""

    def trait_for(self, kind: Any) -> traitlets.TraitType[Any, Any]:
        trait = self.trait or _trait_of(kind, self.default, **self.bounds)
        if isinstance(trait, Choice):
            trait.default_value = self.default
        return trait.tag(sync=True, option=True)

    def described(self, name: str) -> str:
        kind = self.type.removesuffix(" | None")
        if kind.startswith("Literal["):
            kind = f"{{{kind.removeprefix('Literal[').removesuffix(']')}}}"
        also = ", optional" if kind != self.type or self.default is not inspect._empty else ""
        return f"{name} : {kind}{also}\n{textwrap.indent(inspect.cleandoc(self.doc), '    ')}"


def option(
    doc: str,
    *,
    default: Any = inspect._empty,
    trait: traitlets.TraitType[Any, Any] | None = None,
    kw_only: bool = True,
    is_trait: bool = True,
    **bounds: float,
) -> Any:
    """Declare an option of a view; an ``InitVar`` is an argument that is no trait.

    ``doc`` says what it does, ``bounds`` are ``min`` and ``max`` of a number. Without a default it
    must be given. ``trait`` is for a type that is none of Python's own; without ``is_trait``
    another class has made it.
    """
    return _Option(doc, default, trait, bounds, kw_only, is_trait)


@dataclass_transform(kw_only_default=True, field_specifiers=(option,))
class Declared:
    """Has options that type checkers know as those of its constructor."""


class Declaring(MetaHasTraits):
    """Makes traits, parameters and docstring of the options in a class."""

    _parameters: dict[str, _Option]

    def __new__(
        mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], **more: Any
    ) -> Declaring:
        hints = body.get("__annotations__", {})
        own = {key: spec for key, spec in body.items() if isinstance(spec, _Option)}
        plain = {key: hints[key] for key, spec in own.items() if spec.is_trait and not spec.trait}
        plain = {key: text for key, text in plain.items() if not text.startswith("InitVar[")}
        probe = {"__annotations__": plain, "__module__": body.get("__module__", __name__)}
        kinds = get_type_hints(type(name, (), probe))
        declared = {}
        for key, spec in own.items():
            text, kind = hints[key], kinds.get(key)
            argument = text.startswith("InitVar[")
            if argument:
                text = text[len("InitVar[") : -1]
            if get_origin(kind) is Literal:
                text = f"Literal{json.dumps(get_args(kind))}"
            declared[key] = _Option(**vars(spec) | {"type": text})
            if argument or not spec.is_trait:
                del body[key]
            else:
                body[key] = spec.trait_for(kind)
        new: Any = super().__new__(mcs, name, bases, body | {"_declared": declared}, **more)
        inherited = [vars(base).get("_declared", {}) for base in reversed(new.__mro__)]
        parameters = {key: spec for options in inherited for key, spec in options.items()}
        new._parameters = dict(sorted(parameters.items(), key=lambda spec: spec[1].kw_only))
        new.__doc__ = _documented(body.get("__doc__") or "", new._parameters)
        return cast(Declaring, new)

    @property
    def __signature__(cls) -> inspect.Signature:
        """The arguments of the view by name, each with its default."""
        return inspect.Signature(
            [
                inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY
                    if spec.kw_only
                    else inspect.Parameter.POSITIONAL_OR_KEYWORD,
                    default=spec.default,
                    annotation=spec.type,
                )
                for name, spec in cls._parameters.items()
            ]
        )


def _trait_of(kind: Any, default: Any, **bounds: Any) -> traitlets.TraitType[Any, Any]:
    if get_origin(kind) is Literal:
        return Choice(get_args(kind))
    if get_origin(kind) in (Union, types.UnionType):
        [kind] = [inner for inner in get_args(kind) if inner is not type(None)]
        bounds["allow_none"] = True
    if get_origin(kind) is Sequence:
        [inside] = get_args(kind)
        own = _trait_of(inside, traitlets.Undefined)
        return traitlets.List(own, default and list(default), **bounds)
    factory: Any = {
        bool: traitlets.Bool,
        int: traitlets.Int,
        float: traitlets.Float,
        str: traitlets.Unicode,
        dict: traitlets.Dict,
    }[get_origin(kind) or kind]
    trait: traitlets.TraitType[Any, Any]
    trait = factory(**bounds) if default is traitlets.Undefined else factory(default, **bounds)
    return trait


def _documented(doc: str, parameters: dict[str, _Option]) -> str:
    """Return a docstring with its parameters, and with what all views raise."""
    doc = inspect.cleandoc(doc)
    described = "\n".join(spec.described(name) for name, spec in parameters.items())
    if "\n\nRaises\n------\n" in doc:
        doc = doc.replace("\n\nRaises\n------\n", f"\n\nRaises\n------\n{_RAISES}")
    else:
        head, examples, rest = doc.partition("\n\nExamples\n---")
        doc = f"{head}\n\nRaises\n------\n{_RAISES.rstrip()}{examples}{rest}"
    place = min(doc.index(section) for section in _SECTIONS if section in doc)
    return f"{doc[:place]}\n\nParameters\n----------\n{described}{doc[place:]}\n"


# -- keywords of pictures -----------------------------------------------------------------


class _AsShown:
    """The default of a picture's keyword: what the view shows."""

    def __repr__(self) -> str:
        return "as shown"


_AS_SHOWN = _AsShown()


def with_options(method: F) -> F:
    """Put the options of a view into the signature of its method."""
    return cast(F, _Drawing(method))


class _Drawing:
    """A method with another signature in each view class; the class itself gives it plain."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self._of: WeakKeyDictionary[type[Any], Callable[..., Any]] = WeakKeyDictionary()
        self.__doc__ = method.__doc__

    def __get__(self, view: object, kind: type[Any]) -> Callable[..., Any]:
        """Return the method bound to a view, with that class's signature; or as it is written."""
        if view is None:
            return self._method
        method = self._of.get(kind)
        if method is None:
            method = self._of[kind] = self._made(kind)
        return MethodType(method, view)

    def _made(self, kind: type[Any]) -> Callable[..., Any]:
        @wraps(self._method)
        def method(*arguments: Any, **options: Any) -> Any:
            return self._method(*arguments, **options)

        method.__signature__ = self._signature(kind)  # type: ignore[attr-defined]
        return method

    def _signature(self, kind: type[Any]) -> inspect.Signature:
        signature = inspect.signature(self._method)
        parameters = {name: one for name, one in signature.parameters.items() if name != "options"}
        # Default sizes are those of the class's own `svg`, or of the nearest base's.
        for base in kind.__mro__:
            if isinstance(svg := vars(base).get("svg"), _Drawing):
                for name, one in inspect.signature(svg._method).parameters.items():
                    if name not in ("self", "options"):
                        parameters.setdefault(name, one)
        for name in kind._options():
            annotation = kind._parameters[name].type
            keyword = inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=_AS_SHOWN, annotation=annotation
            )
            parameters.setdefault(name, keyword)
        return signature.replace(parameters=list(parameters.values()))


# -- values -------------------------------------------------------------------------------


class Choice(traitlets.Enum[Any]):
    """One of some words; the error for anything else lists them."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(list(words))
        self._words = list(words)

    def words(self, obj: Any) -> list[str]:
        """Return the words to choose from."""
        return self._words

    def validate(self, obj: Any, value: Any) -> Any:
        """Return ``value`` if it is one of the words."""
        allowed = self.words(obj)
        if value in allowed:
            return value
        words = ", ".join(map(repr, allowed))
        raise traitlets.TraitError(
            f"{self.name}={value!r}: expected one of {words}.{nearest_word(value, allowed)}"
        )


class LayerName(traitlets.TraitType[Any, Any]):
    """A layer of the stream, given by its name or its number."""

    default_value = ""

    def validate(self, obj: Any, value: Any) -> str:
        return layer_name(value, obj._layer_names())


def layer_name(layer: str | int | None, names: tuple[str, ...]) -> str:
    """Return the name of a layer given by name or number; ``None`` is the first.

    Raises
    ------
    ValueError
        If there is no such layer; the message lists them.
    """
    if layer is None:
        layer = 0
    if isinstance(layer, int) and not isinstance(layer, bool) and 0 <= layer < len(names):
        return names[layer]
    if layer not in names:
        raise ValueError(
            f"layer={layer!r}: the layers are {', '.join(map(repr, names))} "
            f"(or their numbers, 0 to {len(names) - 1})"
        )
    return str(layer)
