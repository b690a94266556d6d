"""Names that a reader gives to classes, features and channels, checked against the model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import nn

from kan_widgets.functions import find
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Names
from kan_widgets.live.watching.reading import Reading


class Naming(Reading):
    """A source of frames whose outputs and inputs can be given other names."""

    _named: dict[str, Any]
    """What `checked_names` was given."""

    @abstractmethod
    def refresh(self) -> Frame:
        """Take a frame now, and send it."""

    @property
    def class_names(self) -> Sequence[str] | None:
        """What the outputs of the last layer are called; may be set, as `kan_widgets.bind` says."""
        names: Sequence[str] | None = self._named.get("class_names")
        return names

    @class_names.setter
    def class_names(self, names: Sequence[str] | None) -> None:
        self._rename(class_names=names)

    @property
    def feature_names(self) -> Sequence[str] | None:
        """What the inputs of the first layer are called; may be set likewise."""
        names: Sequence[str] | None = self._named.get("feature_names")
        return names

    @feature_names.setter
    def feature_names(self, names: Sequence[str] | None) -> None:
        self._rename(feature_names=names)

    @property
    def channel_names(self) -> Mapping[str, Sequence[str]] | None:
        """What the outputs of other layers are called, by the layer; may be set likewise."""
        names: Mapping[str, Sequence[str]] | None = self._named.get("channel_names")
        return names

    @channel_names.setter
    def channel_names(self, names: Mapping[str, Sequence[str]] | None) -> None:
        self._rename(channel_names=names)

    def _rename(self, **given: Any) -> None:
        if (model := self.model) is None:
            raise RuntimeError(f"this binding is {self.state}: bind the model again")
        named = self._named | given
        self._camera.rename(checked_names(model, **named))
        self._named = named
        self.refresh()


def checked_names(
    model: nn.Module,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
    channel_names: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Names]:
    """Return the names of outputs and inputs by the layer. Raises as `kan_widgets.bind` says."""
    if class_names is None and feature_names is None and channel_names is None:
        return {}
    sizes = {
        layer.name: layer.shape[:2]
        for entry in find(model)
        for layer in entry.read()
        if layer.kind != "elementwise"
    }
    if channel_names is not None and not isinstance(channel_names, Mapping):
        raise TypeError(
            f"channel_names={channel_names!r:.80}: expected names by the layer, such as "
            f"{{{next(iter(sizes), 'conv')!r}: [...]}}"
        )
    outputs = {}
    for layer, given in (channel_names or {}).items():
        if layer not in sizes:
            raise ValueError(
                f"channel_names: there is no layer {layer!r}; the layers are "
                f"{', '.join(map(repr, sizes))}"
            )
        keyword = f"channel_names[{layer!r}]"
        outputs[layer] = _checked(keyword, given, layer, sizes[layer][0], "output")
    if class_names is not None:
        *_, last = sizes
        if last in outputs:
            raise ValueError(f"class_names: channel_names names the outputs of {last!r} already")
        outputs[last] = _checked("class_names", class_names, last, sizes[last][0], "output")
    inputs = {}
    if feature_names is not None:
        first = next(iter(sizes))
        inputs[first] = _checked("feature_names", feature_names, first, sizes[first][1], "input")
    return {name: Names(outputs.get(name, ()), inputs.get(name, ())) for name in sizes}


def _checked(
    keyword: str, given: Sequence[str], layer: str, count: int, of: str
) -> tuple[str, ...]:
    if (
        isinstance(given, str)
        or not isinstance(given, Iterable)
        or not all(isinstance(name, str) for name in given)
    ):
        raise TypeError(f"{keyword}={given!r:.80}: expected a list of names, one for each {of}")
    if len(given) != count:
        raise ValueError(
            f"{keyword}: {len(given)} names, but layer {layer!r} has {count} {of}s: give one "
            "for each"
        )
    return tuple(given)
