"""Changes made to a layer outside of optimizer steps, and listeners to them."""

import threading
import weakref
from collections.abc import Callable, Iterable

from torch import nn

#: Held while a basis and the coefficients that belong to it are exchanged or read together.
together = threading.RLock()

# Not in the module, which is copied and pickled.
_listeners: weakref.WeakKeyDictionary[nn.Module, tuple[weakref.WeakMethod[Callable[[], None]], ...]]
_listeners = weakref.WeakKeyDictionary()


def listen(module: nn.Module, changed: Callable[[], None]) -> None:
    """Call a method after each change to a module, for as long as its object lives."""
    _listeners[module] = (*_listeners.get(module, ()), weakref.WeakMethod(changed))


def ignore(module: nn.Module, changed: Callable[[], None]) -> None:
    """Stop calling a method."""
    kept = [method for method in _listeners.get(module, ()) if method() not in (changed, None)]
    _listeners[module] = tuple(kept)


def tell(modules: Iterable[nn.Module]) -> None:
    """Report that modules have changed; a listener to several of them is called once."""
    calls = [method() for module in modules for method in _listeners.get(module, ())]
    for call in dict.fromkeys(calls):
        if call is not None:
            call()
