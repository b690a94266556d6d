"""A page in which a network trains, without Python: one file that anybody opens."""

from __future__ import annotations

import html
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_widgets.checks import check_number, check_whole
from kan_widgets.digits import TRAIN, embedded
from kan_widgets.widgets.dashboard import Dashboard
from kan_widgets.widgets.drawing_engine import bundle
from kan_widgets.widgets.page import Page

if TYPE_CHECKING:
    from torch import nn

_SHAPE = (1, 28, 28)
_CLASSES = 10
_EXAMPLES = 8
#: What js/src/training can do backward.
_TRAINED = ("kan", "batch_norm", "max_pool", "flatten", "elementwise", "log_softmax")
_ABOUT = (
    "It trains here, in your browser, on 4,000 handwritten digits, and is tested on 1,000 others. "
    "Point at anything to read it; draw a digit of your own; pull a curve and let it learn on."
)


def playground(
    model: nn.Module | None = None,
    path: str | pathlib.Path = "playground.html",
    *,
    title: str = "A network whose kernels are functions",
    rate: float = 7e-3,
    batch: int = 64,
    epochs: int = 8,
    shift: int = 1,
    seed: int = 0,
) -> pathlib.Path:
    """Write a page in which a network trains on handwritten digits, and return its path.

    The page is one file: it opens from disk or from any server, and asks the network for nothing.
    It trains in the reader's browser, by the same kernels that train it here, compiled for pages;
    all views of the dashboard are live. A digit can be drawn, a function pulled and left to learn
    on.

    Parameters
    ----------
    model
        Takes images ``(N, 1, 28, 28)`` and gives ten log-probabilities: KAN layers of
        `kan_widgets.nn`, batch norm, max-pooling, flatten. By default `kan_widgets.nn.KANCNN`.
        It begins as it is now.
    path
        The file to write; its folder must exist. A file of that name is replaced.
    title
        The heading, as plain text.
    rate
        The highest learning rate of AdamW; it rises to it and falls again (one cycle).
    batch, epochs
        Images of a step, and how often all 4,000 are seen; the reader can change them.
    shift
        Each image is moved at random by up to so many pixels.
    seed
        Of the order of the images and of their moves.

    Raises
    ------
    TypeError
        If the model is none.
    ValueError
        If the model takes something else than digits, or has parts that a page cannot train.
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
    from kan_widgets.nn.kernels.compile_options import FOR_PAGES

    check_number("rate", rate, above=True)
    check_whole("batch", batch)
    check_whole("epochs", epochs)
    check_whole("shift", shift, 0, _SHAPE[-1] - 1)
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}: make it first")
    network = KANCNN() if model is None else model
    _check_model(network)
    lesson = {
        "recipe": recipe_of(network),
        **_digits(),
        "shift": shift,
        "settings": {"batch": batch, "rate": rate, "epochs": epochs, "seed": seed},
        "worker": bundle("trainer.js").encode(),
        "code": FOR_PAGES.read_bytes(),
    }
    page = Page([_dashboard(network)], title, _bar(lesson["settings"]), lesson, _ABOUT)
    text, _ = page.written(0, light=False)
    path.write_bytes(text)
    print(f"{path}: {len(text) / 1e6:.1f} MB")
    return path


def _check_model(model: nn.Module) -> None:
    """Raise unless digits go in and ten numbers come out; the model is left as it is."""
    import torch

    from kan_widgets.functions.undisturbed import with_copy

    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"model={model!r:.80}: expected a model (torch.nn.Module)")
    try:
        scores = with_copy(model, lambda copy, _: copy(torch.zeros(2, *_SHAPE)))
    except Exception as error:
        raise ValueError(
            f"{type(model).__name__}: expected one that takes images (N, 1, 28, 28); it says: "
            f"{error}"
        ) from error
    if not isinstance(scores, torch.Tensor) or scores.shape != (2, _CLASSES):
        given = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
        raise ValueError(
            f"{type(model).__name__} gives {given} for two images: expected one that gives ten "
            "log-probabilities for each, (2, 10)"
        )


def recipe_of(model: nn.Module) -> dict[str, Any]:
    """Return what a page needs to know of each KAN layer, to train it: see js/src/training.

    Raises
    ------
    ValueError
        If a layer is one that only Python can train.
    """
    from kan_widgets.nn import KANLayer
    from kan_widgets.nn.bases.bspline import Spline
    from kan_widgets.nn.bases.knot_spline import KnotSpline
    from kan_widgets.nn.kernels.local import family_of

    recipe: dict[str, Any] = {}
    for name, layer in model.named_modules():
        if not isinstance(layer, KANLayer):
            continue
        basis = layer.basis
        known = family_of(basis)
        if known is None:
            raise ValueError(f"layer {name}: a page cannot train the basis {basis!r:.80}")
        if layer.mask is not None:
            raise ValueError(f"layer {name} is pruned: a page would train what was pruned, too")
        if not isinstance(layer.base_activation, str):
            raise ValueError(f"layer {name}: a page trains a base that has a name, not a function")
        family, shift, factor = known
        recipe[name] = {
            "basis": {
                "order": basis.spline_order if isinstance(basis, Spline) else 0,
                "functions": basis.n_basis,
                "family": family,
                "shift": shift,
                "factor": factor,
                **({"knots": list(basis.knots)} if isinstance(basis, KnotSpline) else {}),
            },
            "base": layer.base_activation,
        }
        if layer.spline_scaler is not None:
            scaler = layer.spline_scaler.detach().cpu().numpy()
            recipe[name]["scaler"] = scaler.astype("<f4").tobytes()
    if not recipe:
        raise ValueError("the model has no layer of kan_widgets.nn: there is nothing to train")
    return recipe


def _dashboard(model: nn.Module) -> Dashboard:
    """Return a dashboard of a model that digits run through."""
    import torch

    from kan_widgets.digits import pixels
    from kan_widgets.live import bind

    images, labels = embedded()
    # The first of each class, as far as there is room.
    chosen = [TRAIN + int(np.argmax(labels[TRAIN:] == digit)) for digit in range(_EXAMPLES)]
    examples = torch.from_numpy(pixels(images[chosen]))
    live = bind(model, example=examples)
    live.probe(examples, torch.from_numpy(labels[chosen].astype(np.int64)))
    structure = live.feed.structure
    ops = [one.compute["op"] if one.compute else "" for one in structure.stations[1:]]
    if unknown := [op for op in ops if op not in _TRAINED] or not structure.traced:
        raise ValueError(
            f"{type(model).__name__}: a page trains {', '.join(_TRAINED)}, one after the other; "
            f"this model has {unknown if isinstance(unknown, list) else 'an order of its own'}"
        )
    return Dashboard(live)


def _digits() -> dict[str, Any]:
    images, labels = embedded()
    whole = {"train": slice(None, TRAIN), "test": slice(TRAIN, None)}
    return {
        name: {"inputs": images[part].tobytes(), "targets": labels[part].tobytes()}
        for name, part in whole.items()
    }


def _bar(settings: dict[str, Any]) -> str:
    """Return the page's own controls as HTML: see js/src/page/bar.ts."""
    fields = {
        "rate": ("learning rate", "any", 0),
        "batch": ("images a step", "1", 1),
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
        '<button type="button" data-kw-part="run" disabled>Train</button>'
        '<button type="button" data-kw-part="again" disabled>Begin again</button>'
        f"<details><summary>settings</summary>{inputs}</details>"
        '<p aria-live="polite"><strong data-kw-part="score"></strong> '
        '<span data-kw-part="said"></span></p>'
        "</section>"
    )
