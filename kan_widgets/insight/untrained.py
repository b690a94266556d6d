"""Networks as they are before training: what a finding about a trained one is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from kan_widgets.functions import LayerFunctions, read
from kan_widgets.insight.kernels import Observed

COUNT = 39
"""So many networks give chances from 1/40 up."""


@dataclass(frozen=True, eq=False)
class Untrained:
    """The functions of one untrained network, and the inputs that reach them."""

    layers: tuple[LayerFunctions, ...] = field(repr=False)
    observed: Mapping[str, Observed] | None = field(repr=False)

    def of(self, layer: LayerFunctions) -> tuple[LayerFunctions, Observed]:
        """Return the layer of the same name, and what was observed there.

        Raises
        ------
        ValueError
            If there is none of this shape, or nothing was observed.
        """
        own = next((own for own in self.layers if own.name == layer.name), None)
        if own is None or own.shape != layer.shape or self.observed is None:
            shapes = {own.name: own.shape for own in self.layers}
            what = "with nothing observed" if self.observed is None else f"of layers {shapes}"
            raise ValueError(
                f"untrained: expected networks with {layer.name!r} of shape {layer.shape}, and "
                f"what was observed there: untrained_networks(make, observe), got one {what}"
            )
        return own, self.observed[own.name]


def untrained_networks(
    make: Callable[[], nn.Module],
    observe: Callable[[nn.Module], Mapping[str, Observed]] | None = None,
    *,
    like: nn.Module | None = None,
    layers: Sequence[str] | None = None,
    count: int = COUNT,
    seed: int = 0,
) -> tuple[Untrained, ...]:
    """Initialise a network many times and read its functions each time.

    torch's generator is seeded for each network and is afterwards as before.

    Statistics of norms are filled by every forward pass in training mode, whether weights are
    trained or not, and they set the scale of what the layers after them see. So each network gets
    statistics of its own over what is observed, from as many batches as ``like`` has seen: one
    that differs from ``like`` in its weights alone is comparable with it.

    Parameters
    ----------
    make
        Returns a new network, initialised as the trained one was: ``kw.nn.KANCNN``. Where the
        trained one's grids were updated, theirs should be as well.
    observe
        Returns the inputs of each layer of such a network: with those of a batch,
        ``lambda model: kw.bind(model).observe(batch)``. Called twice where norms need statistics.
    like
        The trained network. Needed where inputs are observed and norms, such as batch norm, keep
        running statistics that ``make`` has not filled. It is not run, and nothing in it changes.
    layers
        The names of the layers to keep, in the order they are applied; by default all.
    count
        How many networks.
    seed
        Of the first network; each further one has the next.

    Raises
    ------
    TypeError
        If ``make`` is a network, or returns something else.
    ValueError
        If ``count`` is not at least 1, a layer does not exist, or norms need ``like`` and it is not
        given or has others.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> found = untrained_networks(kw.nn.KANCNN.article, layers=["convs.0", "convs.1"], count=3)
    >>> [layer.name for layer in found[0].layers]
    ['convs.0', 'convs.1']
    """
    if isinstance(make, nn.Module) or not callable(make):
        raise TypeError(
            "make: expected a callable that makes a new network each time, such as kw.nn.KANCNN or "
            f"lambda: MyModel(...), got {type(make).__name__}"
        )
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"count: expected a whole number ≥ 1, got {count!r}")
    found = []
    for number in range(count):
        with torch.random.fork_rng():
            torch.manual_seed(seed + number)
            model = make()
            if not isinstance(model, nn.Module):
                raise TypeError(
                    f"make: expected it to return a torch module, got {type(model).__name__}"
                )
            known = {layer.name: layer for layer in read(model)}
            for name in known if layers is None else layers:
                if name not in known:
                    raise ValueError(
                        f"layers: expected some of {', '.join(map(repr, known))}, got {name!r}"
                    )
            kept = tuple(known[name] for name in (known if layers is None else layers))
            if observe is not None:
                _fill_statistics(model, observe, like)
            found.append(Untrained(kept, None if observe is None else observe(model)))
    return tuple(found)


def _fill_statistics(
    model: nn.Module, observe: Callable[[nn.Module], object], like: nn.Module | None
) -> None:
    """Give norms that have seen no batch the statistics of what is observed."""
    empty = {
        name: norm
        for name, norm in model.named_modules()
        if isinstance(norm, _NormBase) and _batches(norm) == 0
    }
    if not empty:
        return
    trained = {} if like is None else dict(like.named_modules())
    found = {name: _batches(trained.get(name)) for name in empty}
    seen = {name: batches for name, batches in found.items() if batches is not None}
    if unknown := [name for name in empty if name not in seen]:
        raise ValueError(
            f"like: expected the trained network, with running statistics in "
            f"{', '.join(map(repr, unknown))} as in the networks made, got "
            f"{'none' if like is None else type(like).__name__}; without them, layers would see "
            "inputs of another scale than in the trained one"
        )
    momenta, handles = {}, []
    for name, norm in empty.items():
        if batches := seen[name]:
            momenta[norm] = norm.momentum
            if norm.momentum is not None:
                # What so many batches leave of the first statistics, 0 and 1, one leaves now.
                norm.momentum = 1 - (1 - norm.momentum) ** batches
            handles.append(norm.register_forward_pre_hook(_train))
            handles.append(norm.register_forward_hook(_evaluate))
    try:
        if handles:
            observe(model)
    finally:
        for handle in handles:
            handle.remove()
        for norm, momentum in momenta.items():
            norm.momentum = momentum


def _batches(norm: nn.Module | None) -> int | None:
    """Return how many batches a norm has seen; ``None`` where it keeps no statistics."""
    tracked = getattr(norm, "num_batches_tracked", None)
    return None if tracked is None else int(tracked)


def _train(norm: nn.Module, _: object) -> None:
    norm.train()


def _evaluate(norm: nn.Module, *_: object) -> None:
    norm.eval()
