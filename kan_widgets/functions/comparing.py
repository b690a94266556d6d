"""Compare the reading of an adapter with what a module computes, on a copy, as it is and moved."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress

import torch
from torch import Tensor, nn

from kan_widgets.functions.proof import Unlike, compared, inputs_for, sums_of
from kan_widgets.functions.registry import Adapter
from kan_widgets.functions.standing import read_by
from kan_widgets.functions.undisturbed import like_of, stand_in

# TF32 on an accelerator and fast forms of a formula stay below; a norm left out does not.
TOLERANCE = 1e-3
# Numbers to multiply in one proof, outputs of a linear layer to compare, and examples.
_WORK, _OUTPUTS, _EXAMPLES = 1e8, 32, 64


def difference(
    module: nn.Module,
    adapter: Adapter,
    roomy: bool,
    given: Tensor | None = None,
    again: bool = False,
) -> float:
    """Return how far an adapter is off, on a copy of a module as it is and with parameters moved.

    Compared is on inputs that it was ``given``, if any are known, and on others, but if it was
    compared on such before and is so ``again``. ``roomy`` is whether there is time for many.

    Raises
    ------
    Unlike
        If it is not what the module computes.
    """

    def off(run: nn.Module) -> float:
        if not all(bool(p.sum().isfinite()) for p in run.parameters() if p.is_floating_point()):
            return 0.0  # a training has run away: that is to be seen
        layers = read_by(run, adapter.read)
        sums = sums_of(run, adapter, layers)
        work = sum(layer.sizes.numel() * len(layer.bases) for layer in layers)

        def told(x: Tensor) -> float:
            few = {"most_outputs": _OUTPUTS, "constants": True}
            return compared(run, layers, sums, x, TOLERANCE, **few)[0]  # type: ignore[arg-type]

        worst = None
        if given is not None:
            places = given[0].numel() // max(1, given.shape[-1 if given.ndim == 2 else 1])
            if examples := int(_WORK // (work * max(1, places))):
                worst = told(given[: min(examples, _EXAMPLES)].to(like_of(run)))
                if again:
                    return worst
        samples = int(min(max(_WORK / work, 4), 24)) if roomy else 4
        try:
            x = inputs_for(run, adapter, layers, samples)
            return max(worst or 0.0, _on_some_form(x, told))
        except Exception as error:
            if worst is None or isinstance(error, Unlike):
                raise
            return worst  # it takes no others

    def exactly(run: nn.Module) -> float:
        try:
            return off(run)
        except Unlike:
            # Where functions nearly cancel, what is left may be rounding: not so in double.
            if like_of(run).dtype == torch.float32:
                with suppress(Exception):  # of a device without it, or of what cannot be copied
                    return off(copy.deepcopy(run).double())
            raise

    def both(run: nn.Module, copied: bool) -> float:
        if not copied:
            return off(run)
        start(run)
        error = exactly(run)
        move(run)
        return max(error, exactly(run))

    return stand_in(module, both)


def _on_some_form(x: Tensor, told: Callable[[Tensor], float]) -> float:
    """Compare, whether a module takes (n, in), (n, tokens, in), (groups, n, in) or columns."""
    errors: list[Exception] = []
    for form in [x, x.unsqueeze(1), x.unsqueeze(0), x.unsqueeze(2)] if x.ndim == 2 else [x]:
        try:
            return told(form)
        except Unlike:
            raise
        except Exception as error:
            errors.append(error)
    raise errors[0]


def start(copied: nn.Module) -> None:
    """Move what is still as it was made, all zeros or ones: it would prove nothing."""
    generator = torch.Generator().manual_seed(0)
    if any(tensor.dtype in (torch.float16, torch.bfloat16) for tensor in copied.parameters()):
        copied.float()
    for tensor in _trained(copied):
        if bool((tensor == tensor.flatten()[0]).all()):
            tensor.add_(0.1 * torch.randn(tensor.shape, generator=generator).to(tensor))


def move(copied: nn.Module) -> None:
    """Move all that training moves, as far as it may: what is in order or of one sign stays so."""
    generator = torch.Generator().manual_seed(1)
    for tensor in _trained(copied):
        noise = torch.randn(tensor.shape, generator=generator).to(tensor)
        noise *= 0.1 * max(float(tensor.abs().mean()), 0.1)
        if tensor.ndim and tensor.shape[-1] > 2 and bool((tensor.diff(dim=-1) > 0).all()):
            tensor.mul_(1.05).add_(noise.flatten()[0])
        elif bool((tensor > 0).all()):
            tensor.add_(noise.abs())
        elif bool((tensor < 0).all()):
            tensor.sub_(noise.abs())
        else:
            tensor.add_(noise)


def _trained(copied: nn.Module) -> Iterator[Tensor]:
    for tensor in copied.parameters():
        if tensor.requires_grad and tensor.is_floating_point() and tensor.numel():
            yield tensor
