"""Packages whose names are imported when they are first used: torch takes seconds."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType


class _Lazy(ModuleType):
    """A package that looks for names of its ``__all__`` in its homes; see `lazy`."""

    __all__: list[str]
    _homes: tuple[str, ...]
    _parts: tuple[str, ...]

    def __getattr__(self, name: str) -> object:
        if name in self._parts:
            return import_module(f"{self.__name__}.{name}")
        for home in self._homes if name in self.__all__ else ():
            found = import_module(f"{self.__name__}.{home}")
            if name in getattr(found, "__all__", vars(found)):
                setattr(self, name, getattr(found, name))
                return getattr(found, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: object) -> None:
        # A module does not take the place of the function that is called like it.
        if name in self._parts or name not in self.__all__ or not isinstance(value, ModuleType):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *self.__all__, *self._parts})


def lazy(package: str, homes: str, parts: str = "") -> None:
    """Have a package import each name of its ``__all__`` from the first of its ``homes`` with it.

    ``parts`` are modules of it that are had as its attributes without being imported. All are names
    between spaces; the package says to type checkers itself where its names are from.
    """
    module = sys.modules[package]
    module.__dict__.update(_homes=tuple(homes.split()), _parts=tuple(parts.split()))
    module.__class__ = _Lazy
