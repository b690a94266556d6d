"""Find the modules of a model that can be read, and read them."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

import kan_widgets.functions.adapters  # noqa: F401 - those of the package register themselves
from kan_widgets.checks import check_module
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.module_tensors import unreadable_kind, unreadable_state
from kan_widgets.functions.registry import (
    LayerReader,
    decided,
    find_adapter,
    readable_names,
    verdict_of,
)
from kan_widgets.functions.stand_ins import read_by

# How people call layers of learned functions, and the tensors and settings of such layers.
_KAN_NAME = re.compile(r"KAN|Kan(?![a-z])|(^|_)kan(_|$)")
_KAN_PART = re.compile(
    r"grid|knot|cent(er|re)s?|coef|spline|poly|basis|wavelet|cheby|fourier|phase|degree|rbf"
)
_MAX_PLAIN = 4

_UNKNOWN_KAN = "a KAN layer that no adapter knows"
# These hold a model in ``.module`` and compute the same. By name, as libraries have some of them.
_WRAPPERS = {
    "AveragedModel",
    "DataParallel",
    "DeepSpeedEngine",
    "DistributedDataParallel",
    "_FabricModule",
}
_PARTS_ONLY = "; the plain layers in it are only a part of what it computes"


@dataclass(frozen=True)
class ReadableModule:
    """A module of a model, with the reader that reads it."""

    name: str
    module: nn.Module
    reader: LayerReader
    library: str = ""
    elementwise: bool = False
    """Whether the module is a learned activation."""

    @property
    def adds_up(self) -> bool:
        """Whether the module is a layer of learned functions that are added up."""
        return not self.is_plain and not self.elementwise

    @property
    def is_plain(self) -> bool:
        """Whether the module is an ordinary layer of torch, whose functions are straight lines."""
        return isinstance(self.module, nn.Linear | nn.Conv2d)

    def read(self) -> list[LayerFunctions]:
        """Read the module's functions as they are now, named by their path in the model."""
        return read_module(self.name, self.module, self.reader)


@dataclass(frozen=True)
class LeftOut:
    """A module of a model that is not read, and why."""

    name: str
    module: nn.Module
    reason: str
    near: bool
    """Whether an adapter knows its class, but something does not fit."""
    unknown: bool = False
    """Whether no adapter knows its class, which is no news in an error."""

    @property
    def is_kan(self) -> bool:
        """Whether the module is, or may be, a layer of learned functions that is not read."""
        return self.near and not isinstance(self.module, nn.Linear | nn.Conv2d)

    def __str__(self) -> str:
        return f"{self.name or 'the model'} ({type(self.module).__name__}): {self.reason}"


def read_module(name: str, module: nn.Module, reader: LayerReader) -> list[LayerFunctions]:
    """Read one module; its layers are named by ``name`` and their own names."""
    return _named_layers(name, module, read_by(module, reader))


def _named_layers(
    name: str, module: nn.Module, layers: Sequence[LayerFunctions]
) -> list[LayerFunctions]:
    """Name the layers read from a module by its path in the model, and add a proof's notes."""
    kind, verdict = type(module).__name__, verdict_of(module)
    note = "" if verdict is None else verdict.note
    return [
        layer.called(
            name=".".join(part for part in (name, layer.name) if part) or kind,
            type=layer.type or kind,
            note=" ".join(filter(None, [layer.note, note])),
        )
        for layer in layers
    ]


def named_parts(name: str, module: nn.Module, reader: LayerReader) -> dict[str, LayerFunctions]:
    """Read one module as it is; its named layers by the names that the reader gives them."""
    result = reader(module)
    own = [result] if isinstance(result, LayerFunctions) else list(result)
    return dict(zip((layer.name for layer in own), _named_layers(name, module, own), strict=True))


def called_kan(module: nn.Module) -> bool:
    """Say whether a module has the name of a KAN."""
    return bool(_KAN_NAME.search(type(module).__name__))


def _computes_more(
    module: nn.Module,
    name: str,
    plain: Sequence[nn.Module],
    activations: Sequence[nn.Module] = (),
) -> bool:
    """Say whether a module is a KAN layer of which ``plain`` are only a part.

    ``activations`` are learned activations in it, which are read by themselves.

    Nobody can tell from outside what a module computes. It is taken for such a layer if it has at
    most a few plain layers in it, and the name of a KAN or tensors and settings that are named as
    those of one; a whole model only by the latter, or if it has no modules in it.
    """
    if type(module).__module__.startswith("torch.nn."):
        return False
    parts = [
        child
        for key, child in module.named_children()
        if _KAN_PART.search(key.lower()) and child not in activations
    ]
    if len(plain) > _MAX_PLAIN:
        # A list that a forward pass goes through, such as ``poly_weights``: one for each layer.
        lists = [part for part in parts if isinstance(part, nn.ModuleList)]
        if any(inner in plain for part in lists for inner in part):
            return True
        weights = any(p.ndim > 1 for p in module.parameters(recurse=False))
        return weights and called_kan(module) and "Layer" in type(module).__name__
    own = [*module._parameters, *module._buffers]
    own += [key for key, value in vars(module).items() if type(value) is int]
    named = bool(parts) or any(_KAN_PART.search(key.lower()) for key in own)
    called = called_kan(module)
    if not plain:
        weights = any(
            p.requires_grad and not nn.parameter.is_lazy(p) and p.ndim > 1
            for p in module.parameters()
        )
        return (named or called) and weights
    # An MLP whose activations are learned, as KAT's, is made of plain layers.
    learned = any(not type(unit).__module__.startswith("torch.nn.") for unit in activations)
    return named or (called and bool(name) and not learned)


def unwrap(model: nn.Module) -> nn.Module:
    """Return the module inside wrappers: `torch.compile`'s, data-parallel, averages, engines."""
    while True:
        if isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
            model = inner
        elif any(kind.__name__ in _WRAPPERS for kind in type(model).__mro__) and isinstance(
            inner := getattr(model, "module", None), nn.Module
        ):
            model = inner
        else:
            return model


def survey(model: nn.Module) -> tuple[list[ReadableModule], list[LeftOut]]:
    """List the modules of ``model`` that are read, and those with parameters that are not.

    Raises
    ------
    TypeError
        If ``model`` is not a module.
    """
    check_module(model)
    walk = _Walk()
    walk.visit(unwrap(model), "")
    return walk.readable, walk.left_out


class _Walk:
    """Goes through the modules of a model in the order they were added."""

    def __init__(self) -> None:
        self.readable: list[ReadableModule] = []
        self.left_out: list[LeftOut] = []
        self._seen: set[nn.Module] = set()

    def visit(self, module: nn.Module, name: str) -> None:
        module = unwrap(module)
        if module in self._seen:
            return
        self._seen.add(module)
        adapter, problem = find_adapter(module)
        if adapter is not None:
            self.readable.append(
                ReadableModule(name, module, adapter.read, adapter.library, adapter.elementwise)
            )
            return
        children = list(module.named_children())
        if state := unreadable_kind(module) if children else unreadable_state(module):
            self.left_out.append(LeftOut(name, module, problem or state, near=bool(problem)))
            return
        start, left_out = len(self.readable), len(self.left_out)
        for child_name, child in children:
            self.visit(child, f"{name}.{child_name}" if name else child_name)
        inside, unread = self.readable[start:], self.left_out[left_out:]
        activations = [entry.module for entry in inside if entry.elementwise]
        plain = [entry.module for entry in inside if not entry.elementwise]
        adds_up = any(entry.adds_up for entry in inside)
        if adds_up or any(entry.is_kan for entry in unread):
            if not adds_up and plain and _computes_more(module, name, plain, activations):
                # Beside modules that are not read, its plain layers are only a part of it, too.
                self.readable[start:] = []
            if problem and decided(module) is not None:
                self.left_out.insert(left_out, LeftOut(name, module, problem, near=True))
                return None
            return self._own(module, name, left_out)
        if not problem and not _computes_more(module, name, plain, activations):
            return self._own(module, name, left_out)
        # A layer by itself: the modules in it are only a part of what it computes.
        self.readable[start:] = []
        reason = problem or _UNKNOWN_KAN + _PARTS_ONLY * bool(inside)
        self.left_out[left_out:] = [LeftOut(name, module, reason, near=True)]
        return None

    def _own(self, module: nn.Module, name: str, place: int) -> None:
        """Name a module that has parameters of its own, before those inside it."""
        if next(module.parameters(recurse=False), None) is None:
            return
        reason = f"no adapter knows {type(module).__name__}"
        self.left_out.insert(place, LeftOut(name, module, reason, near=False, unknown=True))


def find(model: nn.Module) -> list[ReadableModule]:
    """List the modules of ``model`` that can be read, in the order they were added.

    A module whose class an adapter knows, but which does not have what the adapter needs,
    is left out with a warning that says what is missing. `describe` lists all that is
    left out.

    Raises
    ------
    TypeError
        If ``model`` is not a module.
    ValueError
        If nothing in it can be read; the message lists what was found.
    """
    readable, left_out = survey(model)
    if not readable:
        inner = unwrap(model)
        present = sorted({type(module).__name__ for module in inner.modules()})
        near = "".join(f" Not read: {entry}." for entry in left_out if not entry.unknown)
        raise ValueError(
            f"no readable functions in {type(inner).__name__}. "
            f"Modules found: {', '.join(present)}.{near} Modules that can be read: "
            f"{', '.join(readable_names())}. A layer of one's own can be drawn if each of its "
            "outputs is a sum of functions of one input each, Σ φ(x): kw.bind tries that by "
            "itself, unless prove=False. kw.functions.tensor_adapter or register_adapter teaches "
            "it what the layer is made of, which makes it editable."
        )
    for entry in left_out:
        if entry.near and not isinstance(entry.module, (nn.Linear, nn.Conv2d)):
            warnings.warn(f"not read: {entry}", stacklevel=3)
    return readable
