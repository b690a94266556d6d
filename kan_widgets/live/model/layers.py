"""The layers of a model that are watched, read as they are at the time."""

import bisect
import itertools
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from kan_widgets.functions import LayerFunctions, find, read_module, survey
from kan_widgets.functions.layer_settings import STRAIGHT
from kan_widgets.functions.module_tensors import unreadable_kind
from kan_widgets.functions.registry import LayerReader, find_adapter, module_sums
from kan_widgets.functions.sampling.samples import Untold
from kan_widgets.live.frames.feed import closed_error
from kan_widgets.live.frames.frame import FunctionIndex
from kan_widgets.live.frames.layout import Names
from kan_widgets.live.reports import report

Entry = tuple[str, weakref.ref[nn.Module], LayerReader]

# Numbers beside the coefficients in a frame, together: the smallest vectors come first.
_MAX_BESIDE = 16_384


@dataclass(frozen=True, eq=False)
class FunctionPlace:
    """Where a function is: the module that holds it, how it is read, and its index."""

    module: nn.Module
    name: str
    reader: LayerReader
    layer: str
    index: FunctionIndex

    def functions(self) -> LayerFunctions:
        """Read its layer as it is now."""
        layers = read_module(self.name, self.module, self.reader)
        [found] = [layer for layer in layers if layer.name == self.layer]
        return found


class BoundLayers:
    """All layers of a model, or those chosen by name, in that order. It does not keep the model.

    Plain layers, whose functions are straight lines, come after the others: views open on the
    first one.
    """

    def __init__(self, model: nn.Module, chosen: tuple[str, ...] | None = None) -> None:
        self._chosen = chosen
        self._held: list[nn.Module] = []
        self._kinds: list[tuple[str, str]] = []
        self.find_again(model)

    def are_of(self, model: nn.Module, chosen: tuple[str, ...] | None) -> bool:
        """Whether these are the layers that can be read by now: all, or those chosen."""
        found = find(model)
        return (
            self._chosen == chosen
            and self._kinds == [(entry.name, entry.library) for entry in found]
            and [entry.module for entry in found] == [ref() for _, ref, _ in self._entries]
        )

    def find_again(self, model: nn.Module) -> bool:
        """Find the layers that can be read by now; return whether they are others than before."""
        found = survey(model)[0] if self._kinds else find(model)
        self._entries: list[Entry] = [
            (entry.name, weakref.ref(entry.module), entry.reader) for entry in found
        ]
        before, self._kinds = self._kinds, [(entry.name, entry.library) for entry in found]
        self._beside = self._small_vectors(model)
        # The entry that each layer was read from last.
        self._entry_of: dict[str, Entry] = {}
        return before != self._kinds

    def read(self) -> list[LayerFunctions]:
        """Read all of them: layers of learned functions, learned activations, plain layers.

        Raises `RuntimeError` if a module is gone, or `forget` was called.
        """
        layers = [layer for entry in list(self._entries) for layer in self._tried(entry)]
        if not layers:
            raise closed_error()
        if self._chosen is not None:
            by_name = {layer.name: layer for layer in layers}
            return [by_name[name] for name in self._chosen if name in by_name]
        return sorted(
            layers,
            key=lambda layer: (layer.basis_labels == STRAIGHT, layer.kind == "elementwise"),
        )

    def read_one(self, name: str) -> LayerFunctions:
        """Read the module that holds one layer, and no other. Raises as ``read`` does."""
        return next(layer for layer in self._read(self._entry(name)) if layer.name == name)

    def place(self, name: str, index: FunctionIndex) -> FunctionPlace:
        """Say where one function is in the model. Raises as ``read`` does."""
        entry = self._entry(name)
        return FunctionPlace(_module(entry), entry[0], entry[2], name, index)

    def names_in_order(self) -> list[str]:
        """Return the names of all layers read so far, in the order of the modules."""
        return list(self._entry_of)

    def modules(self) -> list[nn.Module]:
        """Return the modules that hold layers and still exist, each once."""
        found = [module for _, ref, _ in self._entries if (module := ref()) is not None]
        return list(dict.fromkeys(found))

    def entries(self) -> list[tuple[str, nn.Module, LayerReader]]:
        return [(entry[0], _module(entry), entry[2]) for entry in self._entries]

    def owners(self) -> dict[str, nn.Module]:
        """Return the module that each layer was read from last, by the layer's name."""
        return {name: _module(entry) for name, entry in self._entry_of.items()}

    def vectors(self) -> dict[str, Tensor]:
        """Return the vectors the model computes with beside its layers' functions, by their paths.

        Biases, and the scales, shifts and statistics of norms: a few small vectors, themselves.
        """
        return {
            path: vector
            for path, ref, name in self._beside
            if (module := ref()) is not None and (vector := _held(module, name)) is not None
        }

    def _small_vectors(self, model: nn.Module) -> list[tuple[str, weakref.ref[nn.Module], str]]:
        """Find the vectors; in KAN layers only the bias: the other parameters are in φ already."""
        inside: set[nn.Module] = set()
        added: set[tuple[int, int]] = set()
        for _, module, _ in self.entries():
            adapter, _ = find_adapter(module)
            if adapter is None or not adapter.elementwise:
                inside.update(module.modules())
            biases = (part.bias for part in module_sums(module, adapter, ()))
            added.update(memory_of(bias) for bias in biases if bias is not None)
        vectors = [
            (vector.numel(), f"{path}.{name}" if path else name, weakref.ref(module), name)
            for path, module in model.named_modules()
            if not unreadable_kind(module)
            for name, vector in _small(module)
            if module not in inside or memory_of(vector) in added
        ]
        vectors.sort(key=lambda part: part[0])
        sizes = itertools.accumulate(size for size, *_ in vectors)
        within = bisect.bisect_right(list(sizes), _MAX_BESIDE)
        return [(path, ref, name) for _, path, ref, name in vectors[:within]]

    def keep_alive(self) -> None:
        """Keep the modules that hold layers until `forget`: the model itself is going.

        Of a model that is let go of, not collected as garbage, its parts are still there when
        this is called.
        """
        beside = (module for _, ref, _ in self._beside if (module := ref()) is not None)
        self._held = [*self.modules(), *beside]

    def forget(self) -> None:
        self._entries, self._entry_of, self._beside, self._held = [], {}, [], []

    def _read(self, entry: Entry) -> list[LayerFunctions]:
        layers = read_module(entry[0], _module(entry), entry[2])
        for layer in layers:
            self._entry_of[layer.name] = entry
        return layers

    def _tried(self, entry: Entry) -> list[LayerFunctions]:
        """Read a module; drop it for good if it no longer is a sum of functions."""
        try:
            return self._read(entry)
        except Untold as error:
            self._entries.remove(entry)
            report(f"no longer shown: {entry[0] or 'the model'}: {error}")
            return []

    def _entry(self, name: str) -> Entry:
        """Return the entry of a layer; other layers are read only where it is not known yet."""
        if name not in self._entry_of:
            self.read()
        return self._entry_of[name]


def memory_of(vector: Tensor) -> tuple[int, int]:
    """Return a key that is equal for two names of one parameter or buffer."""
    return vector.data_ptr(), vector.numel()


def _small(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for name in (*module._parameters, *module._buffers):
        vector = _held(module, name)
        # One number for each channel, or one for all: no axis but one is longer than 1.
        if vector is not None and 0 < vector.numel() == max(vector.shape, default=1):
            yield name, vector


def _held(module: nn.Module, name: str) -> Tensor | None:
    vector: Tensor | None = module._parameters.get(name)
    vector = module._buffers.get(name) if vector is None else vector
    # Not a lazy parameter, nor a part of one that is split over processes.
    if vector is None or type(vector) not in (Tensor, nn.Parameter) or vector.is_meta:
        return None
    return vector if vector.is_floating_point() else None


def _module(entry: Entry) -> nn.Module:
    module = entry[1]()
    if module is None:
        raise RuntimeError(f"module {entry[0]!r} is no longer part of the model")
    return module


def checked_names(
    model: nn.Module,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
    channel_names: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Names]:
    """Return the names of outputs and inputs by the layer. Raises as `kan_widgets.bind` says."""
    if class_names is None and feature_names is None and channel_names is None:
        return {}
    read = {
        layer.name: layer
        for entry in find(model)
        for layer in entry.read()
        if layer.kind != "elementwise"
    }
    # Names are given for a whole layer, even where only a part of it is here.
    sizes = {name: (x.split.whole if x.split else x.shape)[:2] for name, x in read.items()}
    if channel_names is not None and not isinstance(channel_names, Mapping):
        raise TypeError(
            f"channel_names={channel_names!r:.80}: expected names by the layer, such as "
            f"{{{next(iter(sizes), 'conv')!r}: [...]}}"
        )
    channels = channel_names or {}
    wanted = [(f"channel_names[{name!r}]", names, name, 0) for name, names in channels.items()]
    if class_names is not None:
        *_, last = sizes
        if last in channels:
            raise ValueError(f"class_names: channel_names names the outputs of {last!r} already")
        wanted.append(("class_names", class_names, last, 0))
    if feature_names is not None:
        wanted.append(("feature_names", feature_names, next(iter(sizes)), 1))
    checked: dict[str, list[tuple[str, ...]]] = {name: [(), ()] for name in sizes}
    for keyword, names, name, side in wanted:
        if name not in sizes:
            raise ValueError(
                f"channel_names: there is no layer {name!r}; the layers are "
                f"{', '.join(map(repr, sizes))}"
            )
        of = ("output", "input")[side]
        start = (split.out, split.in_)[side] if (split := read[name].split) else 0
        here = slice(start, start + read[name].shape[side])
        checked[name][side] = _checked(keyword, names, name, sizes[name][side], of)[here]
    return {name: Names(*both) for name, both in checked.items()}


def _checked(
    keyword: str, names: Sequence[str], layer: str, count: int, of: str
) -> tuple[str, ...]:
    if (
        isinstance(names, str)
        or not isinstance(names, Iterable)
        or not all(isinstance(name, str) for name in names)
    ):
        raise TypeError(f"{keyword}={names!r:.80}: expected a list of names, one for each {of}")
    if len(names) != count:
        raise ValueError(
            f"{keyword}: {len(names)} names, but layer {layer!r} has {count} {of}s: give one "
            "for each"
        )
    return tuple(names)
