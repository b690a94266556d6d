"""Networks as they are before training: what a finding about a trained one is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from kan_widgets.checks import check_whole
from kan_widgets.functions import LayerFunctions, read
from kan_widgets.insight.kernels import Observed

# Untrained networks compared with: 39 resolve chances down to 1/40.
_COUNT = 39


@dataclass(frozen=True, eq=False)
class Untrained:
    """The functions of one untrained network, and the inputs that reach them."""

    layers: tuple[LayerFunctions, ...] = field(repr=False)
    observed: Mapping[str, Observed] | None = field(repr=False)
    """By layer name, what ``observe`` returned; ``None`` without it."""


def untrained_networks(
    make: Callable[[], nn.Module],
    observe: Callable[[nn.Module], Mapping[str, Observed]] | None = None,
    *,
    count: int = _COUNT,
    seed: int = 0,
) -> tuple[Untrained, ...]:
    """Initialise a network many times and read its functions each time.

    What `symbolic`, `check_pattern` or `later_is_more_complex` find of a trained network is a
    finding of its training where it is rarer among these. torch's generator is seeded for each
    network and is afterwards as before.

    Norms keep statistics that set the scale of what the layers after them see: where inputs are
    observed, ``make`` runs each network on as many batches as the trained one has seen.

    Parameters
    ----------
    make
        Returns a new network, initialised as the trained one was: ``kw.nn.KANCNN``. Where the
        trained one's grids were updated, theirs should be as well.
    observe
        Returns the inputs of each layer of such a network: with those of a batch,
        ``lambda model: kw.bind(model).observe(batch)``.
    count
        How many networks.
    seed
        Of the first network; each further one has the next.

    Raises
    ------
    TypeError
        If ``make`` is a network, or returns something else.
    ValueError
        If ``count`` is not at least 1, or inputs are observed and norms have seen no batch.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> found = untrained_networks(kw.nn.KANCNN.article, count=3)
    >>> [layer.name for layer in found[0].layers]
    ['convs.0', 'convs.1', 'linear']
    """
    if isinstance(make, nn.Module) or not callable(make):
        raise TypeError(
            f"make of type {type(make).__name__}: expected a callable that makes a new network "
            "each time, such as kw.nn.KANCNN or lambda: MyModel(...)"
        )
    check_whole("count", count)
    networks = []
    for number in range(count):
        with torch.random.fork_rng():
            torch.manual_seed(seed + number)
            model = make()
            if not isinstance(model, nn.Module):
                raise TypeError(
                    f"make() of type {type(model).__name__}: expected a torch.nn.Module"
                )
            layers = tuple(read(model))
            if observe is not None:
                _check_statistics(model)
            networks.append(Untrained(layers, None if observe is None else observe(model)))
    return tuple(networks)


def _check_statistics(model: nn.Module) -> None:
    empty = [
        name
        for name, norm in model.named_modules()
        if isinstance(norm, _NormBase) and norm.num_batches_tracked == 0
    ]
    if empty:
        raise ValueError(
            f"make: the norms {', '.join(map(repr, empty))} have seen no batch, so layers would "
            "see inputs of another scale than in the trained network: let make run it on some "
            "batches, without training it"
        )
