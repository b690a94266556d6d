"""What a value is: of torch, without importing it, a number in a range, or nearly a known word."""

import difflib
import inspect
import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor, nn
    from typing_extensions import TypeIs


def is_tensor(value: object) -> "TypeIs[Tensor]":
    """Whether a value is a tensor."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_module(value: object) -> "TypeIs[nn.Module]":
    """Whether a value is a model, or a part of one."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def check_module(value: object, name: str = "model") -> None:
    """Raise unless a value is a model."""
    if not is_module(value):
        raise TypeError(f"{name}={value!r:.80}: expected a torch.nn.Module")


def check_whole(
    name: str, value: object, least: int = 1, most: int | None = None, *, of: str = ""
) -> None:
    """Raise unless a value is a whole number in a range; ``of`` is what it counts.

    Examples
    --------
    >>> check_whole("every", 0, of="steps")
    Traceback (most recent call last):
    ValueError: every=0: expected a whole number of steps ≥ 1
    """
    of = of and f" of {of}"
    span = f"≥ {least}" if most is None else f"from {least} to {most}"
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}={value!r:.60}: expected a whole number{of} {span}")
    if int(value) < least or (most is not None and int(value) > most):
        raise ValueError(f"{name}={value}: expected a whole number{of} {span}")


def check_number(
    name: str,
    value: object,
    least: float = 0,
    most: float = math.inf,
    *,
    above: bool = False,
    of: str = "",
) -> None:
    """Raise unless a value is a finite number in a range; ``above`` leaves out the lower end."""
    of = of and f" of {of}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r:.60}: expected a number{of}")
    is_low = value <= least if above else value < least
    if is_low or not value <= most or math.isinf(value):
        words = f"a finite number{of} {'>' if above else '≥'} {least:g}"
        if most < math.inf:
            span = f"> {least:g} and ≤" if above else f"from {least:g} to"
            words = f"a number{of} {span} {most:g}"
        raise ValueError(f"{name}={value}: expected {words}")


def nearest_word(word: object, words: Iterable[str]) -> str:
    """Return a hint at the nearest known word; empty if none is near."""
    near = difflib.get_close_matches(str(word), list(words), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


@dataclass(frozen=True)
class _NotHere:
    """An attribute that says what to write instead. A ``__getattr__`` would end completion."""

    name: str
    hint: str

    def __get__(self, owner: object, kind: type) -> "_NotHere":
        """Raise, for an object."""
        if owner is None:
            return self
        raise AttributeError(f"a {kind.__name__} has no attribute {self.name!r}. {self.hint}")


class OtherNames:
    """A class of which some names are tried first that it does not have: it says what to write."""

    _other_names: ClassVar[Mapping[str, str]] = {}
    """A sentence for each."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, hint in vars(cls).get("_other_names", {}).items():
            setattr(cls, name, _NotHere(name, hint))

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not other_name_hint(type(self), name)]


def other_name_hint(kind: type, name: str) -> str:
    """Return what to write instead of a name; empty if a class has no sentence for that."""
    attribute = inspect.getattr_static(kind, name, None)
    return f" {attribute.hint}" if isinstance(attribute, _NotHere) else ""
