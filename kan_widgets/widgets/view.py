"""What the views of a stream share: finding the stream, checking keywords, selection."""

from __future__ import annotations

import difflib
import pathlib
from typing import Any

import anywidget
import traitlets
from torch import nn

from kan_widgets.live import Binding, Source, bind, binding_of
from kan_widgets.live.answering import answer_during_cells
from kan_widgets.widgets.pictured import Animated
from kan_widgets.widgets.selecting import Selecting
from kan_widgets.widgets.stream import Stream, stream_of


class View(Animated, Selecting, anywidget.AnyWidget):
    """A widget that draws a stream.

    Parameters
    ----------
    live_or_model
        A binding; a recording (`kan_widgets.replay`, `kan_widgets.follow`); or a model: its
        open binding is used, or else a new one, which follows ``live.refresh()`` and
        ``live.step()``.
    **options
        The widget's traits.

    Raises
    ------
    TypeError
        For an unknown keyword, or if neither a binding nor a model is given.
    ValueError
        If a trait's value is not one of those it takes.
    """

    stream = anywidget.WidgetTrait().tag(sync=True)
    linked = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """References to the views in which the layer is chosen that is chosen in this one."""

    def __init__(self, live_or_model: Source | nn.Module, **options: Any) -> None:
        self._check_keywords(options)
        source = _source_for(live_or_model)
        self._kept = kept(live_or_model)
        self._check_options(options, source)
        super().__init__(stream=stream_of(source), **options)
        answer_during_cells(self)
        self._join()

    def _check_keywords(self, options: dict[str, Any]) -> None:
        known = sorted(set(self._options()) | {"layout"})
        for name in options:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise TypeError(
                    f"{type(self).__name__} takes no keyword {name!r}.{hint} "
                    f"It takes {', '.join(known)}."
                )

    def _check_options(self, options: dict[str, Any], source: Source) -> None:
        """Check values against the source before anything is made."""

    @classmethod
    def _options(cls) -> list[str]:
        return [name for name, trait in cls.class_traits().items() if trait.metadata.get("option")]

    @property
    def _stream(self) -> Stream:
        stream: Stream = self.stream
        return stream

    @property
    def live(self) -> Source:
        """The binding that this view shows; a later one if that has been replaced.

        Raises
        ------
        RuntimeError
            If it is gone, with its model: the view shows the last frame.
        """
        source = self._stream.source
        if source is None:
            raise RuntimeError("the model this view showed is gone; bind another for a new view")
        return source

    def _layer_names(self) -> tuple[str, ...]:
        """Return the layers that can be chosen."""
        return self._stream.layout_shown.names

    def save_html(self, path: str | pathlib.Path, **options: Any) -> pathlib.Path:
        """Write the view as a page that works by itself: see `kan_widgets.save_html`.

        Parameters
        ----------
        path
            Where to; its folder must exist.
        **options
            ``title`` and ``max_mb``.

        Returns
        -------
        pathlib.Path
            The file written.
        """
        from kan_widgets.widgets.page import save_html

        return save_html(path, self, **options)

    def _bring_up_to_date(self) -> None:
        """Have all traits as they should be saved, whatever is still to be drawn."""

    def _page_note(self) -> str:
        """Say what this view cannot do in a page, which has no model."""
        return ""

    def _end(self) -> None:
        self._select_callbacks = ()
        self._kept = None


def kept(live_or_model: Source | nn.Module) -> Source | nn.Module | None:
    """Return what a view must keep for itself.

    A binding lives as long as its model, which whoever trains it keeps; nobody but the views may
    hold a bare model that they were given, or a recording.
    """
    return None if isinstance(live_or_model, Binding) else live_or_model


def _source_for(live_or_model: Source | nn.Module) -> Source:
    if isinstance(live_or_model, Source):
        return live_or_model
    if isinstance(live_or_model, nn.Module):
        return binding_of(live_or_model) or bind(live_or_model)
    raise TypeError(
        f"{live_or_model!r:.80}: give a model, or the binding that kan_widgets.bind returned, or "
        "a recording (kan_widgets.replay)"
    )


def reference(view: View) -> str:
    """Return how the page finds a view's model."""
    return f"anywidget:{view.model_id}"


def option(trait: Any) -> Any:
    """Make a trait a keyword of the view, synced to the browser."""
    return trait.tag(sync=True, option=True)


class Choice(traitlets.Enum[Any]):
    """One of some words; anything else is refused with the words and the remedy."""

    def __init__(self, words: list[str]) -> None:
        super().__init__(words, words[0])
        self._words = words

    def words(self, obj: Any) -> list[str]:
        """Return the words that are taken."""
        return self._words

    def validate(self, obj: Any, value: Any) -> Any:
        """Return ``value`` if it is one of the words."""
        taken = self.words(obj)
        if value in taken:
            return value
        near = difflib.get_close_matches(str(value), taken, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        words = ", ".join(map(repr, taken))
        raise traitlets.TraitError(f"{self.name}={value!r}: one of {words} is taken.{hint}")


class LayerName(traitlets.TraitType[Any, Any]):
    """A layer of the stream, given by its name or its number."""

    default_value = ""

    def validate(self, obj: Any, value: Any) -> str:
        """Return the name."""
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
