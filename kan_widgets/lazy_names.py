"""Packages whose names are imported when they are first used: torch takes seconds."""

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

makers: dict[str, Callable[..., Any]] = {}
"""Functions that a part registers for one below it, by who calls them: ``live.send_to``."""


class _Package(ModuleType):
    """Keeps a module from taking the place of the function of the same name."""

    __all__: list[str]
    _parts: tuple[str, ...]

    def __setattr__(self, name: str, value: object) -> None:
        if name in self._parts or name not in self.__all__ or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


def lazy(package: str, homes: str, parts: str = "") -> None:
    """Have a package import each name of its ``__all__`` from the first of its ``homes`` with it.

    ``parts`` are its modules that can be used as attributes without being imported first. Both are
    names separated by spaces; type checkers are told by the package itself where names are from.
    """
    module, modules = sys.modules[package], tuple(parts.split())
    names: list[str] = module.__all__

    def find(name: str) -> object:
        if name in modules:
            return import_module(f"{package}.{name}")
        for home in homes.split() if name in names else ():
            part = import_module(f"{package}.{home}")
            if name in getattr(part, "__all__", vars(part)):
                return vars(module).setdefault(name, getattr(part, name))
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    # Not methods of its class: IPython completes nothing of an object that has such.
    own = {"_parts": modules, "__getattr__": find}
    vars(module).update(own, __dir__=lambda: sorted({*vars(module), *names, *modules}))
    module.__class__ = _Package
