"""A page in which a network trains, without Python: one file that anybody opens."""

from __future__ import annotations

import copy
import html
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.checks import check_number, check_whole
from kan_widgets.digits import SIDE, TRAIN, embedded, pixels
from kan_widgets.widgets.dashboard import Dashboard
from kan_widgets.widgets.pages.page import Page, write_page
from kan_widgets.widgets.pages.trainable import NotTrained, check_stations, recipe_of
from kan_widgets.widgets.wire.bundles import bundle

if TYPE_CHECKING:
    from torch import Tensor, nn

    from kan_widgets.live import Binding

_EXAMPLES = 8
# The panels of a page in which nothing trains; the last one where something was logged.
_PANELS = ("network", "kernels", "function", "response", "training")
# The share of the reader's own data that is for testing, at its end.
_TEST_SHARE = 0.2
_FIT = '<section id="kw-fit" aria-label="Target and network" hidden></section>'
_ABOUT = (
    "It trains here, in your browser, on {train:,} {rows}, and is tested on {test:,} others. "
    "Point at anything to read it; {draw}pull a curve and let it learn on."
)


def playground(
    model: nn.Module | None = None,
    path: str | pathlib.Path = "playground.html",
    *,
    data: tuple[Tensor, Tensor] | None = None,
    title: str = "A network whose kernels are functions",
    rate: float = 7e-3,
    batch: int = 32,
    epochs: int = 8,
    shift: int = 1,
    seed: int = 0,
) -> pathlib.Path:
    """Write a page in which a network trains, and return its path.

    The page is one file: it opens from disk or from any server, and asks the network for nothing.
    It trains in the reader's browser, by the same compiled kernels as here, built for pages;
    all views of the dashboard are live. A function can be pulled and left to learn on, and where
    the inputs are small images one can be drawn.

    Where a page cannot train the model, it says why, and so does a printed line. It has all views
    all the same, as a page of `kan_widgets.save_html` does: functions are looked at, digits drawn
    where the browser can compute what the model makes of them, and the timeline goes back through
    the training where the model is bound (`kan_widgets.bind`).

    Parameters
    ----------
    model
        Trained are KAN layers of `kan_widgets.nn`, `torch.nn.Linear` and `torch.nn.Conv2d`, batch
        norm, max-pooling, flatten, ReLU, SiLU, tanh, one after the other. Layers of other
        libraries, residual blocks, pruned layers and more than 250,000 coefficients are looked
        at. By default `kan_widgets.nn.KANCNN`. It begins as it is now.
    path
        The file to write; its folder must exist. A file of that name is replaced.
    data
        Inputs ``(N, ...)`` and targets: classes ``(N,)`` of a model that gives log-probabilities,
        else numbers of the shape of its outputs. The last fifth is for testing; the first eight
        of it run through the diagram, also where nothing trains. By default 5,000 handwritten
        digits.
    title
        The heading, as plain text.
    rate
        The highest learning rate of AdamW; it rises to it and falls again (one cycle).
    batch, epochs
        Rows of a step, and how often all are seen; the reader can change them.
    shift
        Each digit is moved at random by up to this many pixels.
    seed
        The seed for the order of the rows and for the moves.

    Raises
    ------
    TypeError
        If the model is none, or the data is no pair of tensors.
    ValueError
        If the model does not fit the data, or has no layer that `kan_widgets.bind` reads.
    FileNotFoundError
        If the path's folder does not exist.

    Examples
    --------
    >>> import pathlib, tempfile, kan_widgets as kw
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = kw.playground(path=pathlib.Path(folder, "page.html"))  # doctest: +ELLIPSIS
    /...page.html: ... MB
    """
    from kan_widgets.nn import KANCNN
    from kan_widgets.nn.compiled.compile_options import FOR_PAGES, TRANSLATED

    check_number("rate", rate, above=True)
    check_whole("batch", batch)
    check_whole("epochs", epochs)
    check_whole("shift", shift, 0, SIDE - 1)
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}: make it first")
    network = KANCNN() if model is None else model
    rows = _digits(shift) if data is None else _own(data)
    _check_model(network, rows)
    try:
        recipe = recipe_of(network)
        shown = copy.deepcopy(network)  # who watches the model, goes on
        dashboard = Dashboard(live := _bound(shown, rows))
        check_stations(live.feed, recipe)
    except NotTrained as reason:
        return _write_untrained(path, network, rows, title, str(reason))
    settings = {"batch": batch, "rate": rate, "epochs": epochs, "seed": seed}
    lesson = {
        "recipe": recipe,
        **rows.wire(),
        "settings": settings,
        "worker": bundle("trainer.js").encode(),
        "code": FOR_PAGES.read_bytes(),
        "translated": TRANSLATED.read_bytes(),
    }
    before = _bar(settings)
    if model is None and data is None:
        lesson["plays"] = True
        before = f'<section id="kw-play" aria-label="Choices"></section>{before}{_FIT}'
    draw, kind = ("draw a digit; ", "handwritten ") if data is None else ("", "")
    note = _ABOUT.format(train=rows.train, test=rows.test, rows=kind + rows.name, draw=draw)
    page = Page([dashboard], title, before, lesson, note)
    text, _ = page.written(0, light=False)
    path.write_bytes(text)
    print(f"{path}: {len(text) / 1e6:.1f} MB")
    return path


@dataclass(frozen=True)
class _Rows:
    """What a network is trained and tested on: the first rows, and the others."""

    name: str
    inputs: NDArray[Any]
    """uint8 where a page makes numbers from −1 to 1 of them, else float32."""
    targets: NDArray[Any]
    """Classes as uint8, or float32."""
    train: int
    shift: int

    @property
    def test(self) -> int:
        """How many rows are for testing."""
        return len(self.inputs) - self.train

    @property
    def examples(self) -> Tensor:
        """The first inputs for testing, as the network takes them: they run through the diagram."""
        import torch

        rows = self.inputs[self.train :][:_EXAMPLES]
        return torch.from_numpy(pixels(rows) if rows.dtype == np.uint8 else rows)

    def wire(self) -> dict[str, Any]:
        """Return the rows as a page reads them: js/src/page/saved.ts."""
        whole = {"train": slice(None, self.train), "test": slice(self.train, None)}
        parts = {
            name: {
                "inputs": self.inputs[part].tobytes(),
                "targets": self.targets[part].tobytes(),
            }
            for name, part in whole.items()
        }
        kinds = {name: getattr(self, name).dtype == np.uint8 for name in ("inputs", "targets")}
        return {**parts, "bytes": kinds, "name": self.name, "shift": self.shift}


def _digits(shift: int) -> _Rows:
    images, labels = embedded()
    # Tested first is one of each class, as far as there is room for them in the diagram.
    shown = [TRAIN + int(np.argmax(labels[TRAIN:] == digit)) for digit in range(_EXAMPLES)]
    order = [*range(TRAIN), *shown, *np.setdiff1d(np.arange(TRAIN, len(labels)), shown)]
    return _Rows("digits", images[order], labels[order], TRAIN, shift)


def _own(data: tuple[Tensor, Tensor]) -> _Rows:
    """Return the reader's own data. Raises unless it is two tensors of equally many rows."""
    import torch

    if not (
        isinstance(data, Sequence)
        and len(data) == 2
        and all(isinstance(tensor, torch.Tensor) for tensor in data)
    ):
        raise TypeError(f"data={data!r:.80}: expected a pair of tensors, (inputs, targets)")
    inputs, targets = (tensor.detach().cpu() for tensor in data)
    if inputs.dim() < 2 or len(inputs) != len(targets) or len(inputs) < _EXAMPLES:
        raise ValueError(
            f"data of shapes {tuple(inputs.shape)} and {tuple(targets.shape)}: expected (N, ...) "
            f"with at least {_EXAMPLES} rows, and a target for each"
        )
    if not (inputs.isfinite().all() and targets.isfinite().all()):
        raise ValueError("data with numbers that are not finite: expected finite ones")
    classes = not targets.is_floating_point()
    if classes and not (targets.dim() == 1 and 0 <= targets.min() and targets.max() < 256):
        raise ValueError("data with whole targets: expected classes (N,) from 0 to 255")
    kept = targets.numpy().astype(np.uint8 if classes else "<f4")
    train = len(inputs) - max(1, round(_TEST_SHARE * len(inputs)))
    return _Rows("rows", inputs.numpy().astype("<f4"), kept, train, 0)


def _check_model(model: nn.Module, rows: _Rows) -> None:
    """Raise unless a model takes the inputs and gives what fits the targets; it stays as it is."""
    import torch

    from kan_widgets.functions.undisturbed import with_copy

    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"model={model!r:.80}: expected a model (torch.nn.Module)")
    examples, name = rows.examples, type(model).__name__
    try:
        scores = with_copy(model, lambda copy, _: copy(examples))
    except Exception as error:
        raise ValueError(
            f"{name}: expected one that takes {rows.name}, {tuple(examples.shape)} (others: "
            f"data=(inputs, targets)); it says: {error}"
        ) from error
    shape = tuple(scores.shape) if isinstance(scores, torch.Tensor) else ()
    if rows.targets.dtype == np.uint8:
        classes = int(rows.targets.max()) + 1
        if len(shape) != 2 or shape[1] < classes:
            raise ValueError(
                f"{name} gives {shape} for {len(examples)} {rows.name}: expected at least "
                f"{classes} log-probabilities for each"
            )
    elif shape != (len(examples), *rows.targets.shape[1:]):
        raise ValueError(
            f"{name} gives {shape}: expected the shape of the targets, "
            f"{(len(examples), *rows.targets.shape[1:])}"
        )


def _write_untrained(
    path: pathlib.Path, model: nn.Module, rows: _Rows, title: str, reason: str
) -> pathlib.Path:
    """Write a page in which a model is looked at: as it is, and as its binding has seen it."""
    from kan_widgets.live import binding_of

    seen = binding_of(model)
    live = seen or _bound(model, rows)
    try:
        if live.feed.activations.latest is None:
            _probe(live, rows)
        words = f"The network does not train in this page: {reason}."
        before = f'<p id="kw-untrained">{html.escape(words)}</p>'
        dashboard = Dashboard(live, panels=_PANELS if live.scalars.names else _PANELS[:-1])
        write_page(path, Page([dashboard], title, before), max_mb=6)
        print(words)
        return path
    finally:
        if seen is None:
            live.probe(None)  # a later binding would go on with these examples
            live.close()


def _bound(model: nn.Module, rows: _Rows) -> Binding:
    """Bind a model that some of the rows run through."""
    from kan_widgets.live import bind

    live = bind(model, example=rows.examples)
    _probe(live, rows)
    return live


def _probe(live: Binding, rows: _Rows) -> None:
    import torch

    classes = rows.targets.dtype == np.uint8
    labels = rows.targets[rows.train :][:_EXAMPLES].astype(np.int64)
    live.probe(rows.examples, torch.from_numpy(labels) if classes else None)


def _bar(settings: dict[str, Any]) -> str:
    """Return the page's own controls as HTML: see js/src/page/training_bar.ts."""
    fields = {
        "rate": ("learning rate", "any", 0),
        "batch": ("rows a step", "1", 1),
        "epochs": ("epochs", "1", 1),
        "seed": ("seed", "1", 0),
    }
    inputs = "".join(
        f'<label>{words} <input type="number" data-kw-part="{name}" min="{least}" step="{step}" '
        f'value="{html.escape(str(settings[name]))}"></label>'
        for name, (words, step, least) in fields.items()
    )
    return (
        '<section id="kw-bar" class="kw-page-bar" aria-label="Training">'
        '<button type="button" data-kw-part="run" disabled>Loading…</button>'
        '<button type="button" data-kw-part="again" disabled>Begin again</button>'
        f"<details><summary>settings</summary>{inputs}</details>"
        '<p><strong data-kw-part="score" aria-live="polite"></strong> '
        '<span data-kw-part="said"></span><span data-kw-part="speed"></span></p></section>'
    )
