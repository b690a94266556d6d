"""Networks as they are before training: what a finding about a trained one is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from kan_widgets.functions import LayerFunctions, read
from kan_widgets.insight.kernels import Observed

COUNT = 39
"""So many networks give chances from 1/40 up."""


@dataclass(frozen=True, eq=False)
class Untrained:
    """The functions of one untrained network, and the inputs that reach them."""

    layers: tuple[LayerFunctions, ...] = field(repr=False)
    observed: Mapping[str, Observed] | None = field(repr=False)


def untrained_networks(
    make: Callable[[], nn.Module],
    observe: Callable[[nn.Module], Mapping[str, Observed]] | None = None,
    *,
    layers: Sequence[str] | None = None,
    count: int = COUNT,
    seed: int = 0,
) -> tuple[Untrained, ...]:
    """Initialise a network many times and read its functions each time.

    torch's generator is seeded for each network and is afterwards as before.

    Parameters
    ----------
    make
        Returns a new network, initialised as the trained one was: ``kw.nn.KANCNN``.
    observe
        Returns the inputs of each layer of such a network: with those of a batch,
        ``lambda model: kw.bind(model).observe(batch)``.
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
        If ``count`` is not at least 1, or a layer does not exist.

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
            found.append(Untrained(kept, None if observe is None else observe(model)))
    return tuple(found)
