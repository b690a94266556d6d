"""Which adapter reads which module."""

import weakref
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.module_tensors import unreadable_kind, unreadable_state
from kan_widgets.functions.stand_ins import computing, read_computed, taps_computed, with_weights

LayerReader = Callable[[nn.Module], LayerFunctions | Sequence[LayerFunctions]]

SAMPLED = "sampled"


@dataclass(frozen=True, eq=False)
class Sum:
    """Where in a running module the sums Σφ of some of its layers appear.

    ``layers`` are the layers' names as the reader gives them; what passes at ``at`` is
    their sum plus ``bias``, ``(out,)``.
    """

    layers: tuple[str, ...]
    at: Tap
    bias: Tensor | None = None


def _no_problem(module: nn.Module) -> str:
    return ""


def _always(module: nn.Module) -> bool:
    return True


@dataclass(frozen=True, eq=False)
class Adapter:
    """Reads one kind of module. Made by `register_adapter`; see there."""

    library: str
    read: LayerReader
    problem: Callable[[nn.Module], str] = _no_problem
    resembles: Callable[[nn.Module], bool] = _always
    sums: Callable[[nn.Module], Sequence[Sum]] | None = None
    elementwise: bool = False
    n_inputs: Callable[[nn.Module], int] | None = None

    @property
    def called(self) -> str:
        """The library, or the reader's own name."""
        return self.library or getattr(self.read, "__name__", "own")

    def lacks(self, module: nn.Module) -> str:
        """Say what ``module``, whatever its class, lacks to be read; empty if nothing."""
        try:
            return self.problem(module)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            return f"it is not built as expected ({error})"


_adapters: dict[type[nn.Module] | str, dict[str, Adapter]] = {}


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a proof has found of a module."""

    outcome: Adapter | str
    """The adapter that reads the module rightly, or why there is none."""
    digest: Hashable = None
    """What the module's forward pass saw then, see `module_digest.module_digest`."""
    note: str = ""
    """What views are to say of the reading."""
    is_whole: bool = True
    """Whether Σφ, and the bias that is named, is all that the module is known to compute."""


_decided: weakref.WeakKeyDictionary[nn.Module, Verdict] = weakref.WeakKeyDictionary()


def register_adapter(
    module_type: type[nn.Module] | str,
    reader: LayerReader,
    *,
    library: str = "",
    problem: Callable[[nn.Module], str] = _no_problem,
    resembles: Callable[[nn.Module], bool] = _always,
    sums: Callable[[nn.Module], Sequence[Sum]] | None = None,
    elementwise: bool = False,
    n_inputs: Callable[[nn.Module], int] | None = None,
) -> None:
    """Teach `read` how to read a type of module.

    The adapter of the nearest class in a module's inheritance order is used. Registering a type
    again replaces its adapter. Modules inside one that is read are not read separately. `check`
    proves that a reader is correct.

    Parameters
    ----------
    module_type
        A subclass of `torch.nn.Module`; or the name of one, which then need not be imported.
    reader
        Takes the module, returns its `LayerFunctions`, or several, named apart by ``name``. It is
        called for every frame that has no ``rewriter``: it must not run the module, draw random
        numbers or change anything.
    library
        Where the class comes from; for one name and library there is one adapter.
    problem
        Takes the module, returns what it lacks to be read, or ``""``. A module that has a
        problem is reported, and nothing inside it is read as something else.
    resembles
        Takes the module, returns whether it can be meant at all, of a name that others give to
        something else, such as a network of layers; if not, the modules inside are looked at.
    sums
        Takes the module, returns where the sums Σφ appear; by default in its output.
    elementwise
        Whether what it reads are learned activations, of the kind ``"elementwise"``: these come
        after all layers that add functions up.
    n_inputs
        Takes the module, returns how many inputs it has, if not as many as its first layer.

    Raises
    ------
    TypeError
        If ``module_type`` is neither a class nor a name, or ``reader`` cannot be called.

    Examples
    --------
    The page *Models of other libraries* has one with a basis and a proof.

    >>> import kan_widgets as kw
    >>> class Halved(nn.Linear):
    ...     def forward(self, x):
    ...         return super().forward(x) / 2
    >>> def read_halved(module):
    ...     weight = module.weight.detach().unsqueeze(-1) / 2
    ...     return LayerFunctions("linear", weight, (kw.functions.IdentityBasis(),))
    >>> kw.functions.register_adapter(Halved, read_halved, library="mine")
    >>> [functions.shape for functions in kw.functions.read(Halved(4, 2))]
    [(2, 4, 1, 1)]
    """
    named = isinstance(module_type, str)
    if not named and not (isinstance(module_type, type) and issubclass(module_type, nn.Module)):
        raise TypeError(
            f"module_type={module_type!r}: expected a subclass of torch.nn.Module, not an "
            "instance, or the name of one"
        )
    if not callable(reader):
        raise TypeError(f"reader={reader!r}: expected a function of the module")
    adapter = Adapter(library, reader, problem, resembles, sums, elementwise, n_inputs)
    registered = _adapters.setdefault(module_type, {})
    if not named:
        registered.clear()
    registered[library] = adapter


def readable_names() -> list[str]:
    """Return the names of all classes that can be read."""
    return sorted({name if isinstance(name, str) else name.__name__ for name in _adapters})


def decide(module: nn.Module, verdict: Verdict | None) -> None:
    """Fix which adapter reads a module, or why none does; ``None`` forgets that."""
    if verdict is None:
        _decided.pop(module, None)
    else:
        _decided[module] = verdict


def verdict_of(module: nn.Module) -> Verdict | None:
    """Return what `decide` was told of a module, as far as it still holds."""
    verdict = _decided.get(module)
    if verdict is not None and isinstance(verdict.outcome, Adapter):
        if verdict.outcome.lacks(with_weights(module)):
            return None
    return verdict


def decided(module: nn.Module) -> Adapter | str | None:
    """Return the adapter that reads a module rightly, or why none does, if `decide` was told."""
    verdict = verdict_of(module)
    return None if verdict is None else verdict.outcome


def find_adapter(module: nn.Module) -> tuple[Adapter | None, str]:
    """Return the adapter that reads ``module``; or none, and why if its class is known.

    The one that a proof has chosen comes first; then those of the module's class, those of its
    parent classes, and all that go by tensors.
    """
    if unreadable_kind(module):
        return None, ""
    verdict = decided(module)
    if verdict is not None:
        if isinstance(verdict, str):
            return None, verdict
        state = unreadable_state(module)
        return (None, state) if state else (_on_stand_in(verdict, module), "")
    adapter, problem = _recognised(with_weights(module))
    return (None if adapter is None else _on_stand_in(adapter, module)), problem


def module_sums(
    module: nn.Module, adapter: Adapter | None, layers: Iterable[str], bias: Tensor | None = None
) -> Sequence[Sum]:
    """Return where the sums of a module's layers, named as its reader does, appear in it."""
    if adapter is not None and adapter.sums is not None:
        return adapter.sums(module)
    return [Sum(tuple(layers), Tap((module,), "output"), bias)]


def _on_stand_in(adapter: Adapter, module: nn.Module) -> Adapter:
    """Return an adapter that reads a module by a stand-in, if its weights are computed."""
    # A sampler runs a copy already, with weights computed.
    if adapter.library == SAMPLED or not (method := computing(module)):
        return adapter
    sums = None if adapter.sums is None else partial(taps_computed, adapter.sums)
    return replace(adapter, read=partial(read_computed, adapter.read, method), sums=sums)


def _recognised(module: nn.Module) -> tuple[Adapter | None, str]:
    if possible := candidates(module):
        state = unreadable_state(module)
        return (None, state) if state else (possible[0], "")
    by_parent = (_meant(parent, module) for parent in type(module).__mro__)
    named: list[Adapter] = next(filter(None, by_parent), [])
    whose = [f"{adapter.library}: " if adapter.library else "" for adapter in named]
    return None, "; ".join(w + a.lacks(module) for w, a in zip(whose, named, strict=True))


def candidates(module: nn.Module) -> list[Adapter]:
    """Return all adapters that may read ``module``, likely ones first; proofs tell which is right.

    First those of its class and its parent classes, even if it has a ``forward`` of its own, then
    those that find all tensors they need in it, with the closest names first.
    """
    module = with_weights(module)
    own = type(module)
    named = [adapter for parent in own.__mro__ for adapter in _meant(parent, module)]
    others = [
        (_name_distance(own.__name__, target), adapter)
        for target, adapters in _adapters.items()
        if isinstance(target, str) and not own.__module__.startswith("torch.nn.")
        for adapter in reversed(adapters.values())
        if adapter.problem is not _no_problem and adapter.resembles(module)
    ]
    by_name = [adapter for _, adapter in sorted(others, key=lambda entry: entry[0])]
    return [entry for entry in dict.fromkeys([*named, *by_name]) if not entry.lacks(module)]


def _name_distance(name: str, target: str) -> int:
    a, b = name.lower(), target.lower()
    return 0 if a == b else 1 if a in b or b in a else 2


def _meant(parent: type, module: nn.Module) -> list[Adapter]:
    """Return the adapters registered for a class that may mean a module, the last one first."""
    registered = (_adapters.get(key, {}).values() for key in (parent, parent.__name__))
    return [a for adapters in registered for a in reversed(adapters) if a.resembles(module)]
