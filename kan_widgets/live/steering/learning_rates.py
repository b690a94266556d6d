"""Learning rates: those of an optimizer, and changes that wait for the end of a step."""

from __future__ import annotations

from torch import Tensor
from torch.optim import Optimizer

from kan_widgets.checks import check_number


def learning_rates(optimizer: Optimizer) -> list[float]:
    """Return the learning rate of each parameter group."""
    return [float(group["lr"]) for group in optimizer.param_groups]


class Rates:
    """Changes of the learning rates that wait for the end of a step."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, int | None]] = []
        """The rates asked for, each of a group or of all."""
        self._ratios: list[float] = []

    def request(self, optimizer: Optimizer, value: float, group: int | None) -> None:
        """Ask for a rate; see `Binding.set_learning_rate`."""
        check_number("value", value)
        count = len(optimizer.param_groups)
        if group is not None and not 0 <= group < count:
            raise IndexError(
                f"group={group}: the optimizer has {count} parameter group"
                f"{'s, 0 to ' + str(count - 1) if count > 1 else ', number 0'}"
            )
        self.waiting.append((float(value), group))

    def set(self, optimizer: Optimizer) -> str:
        """Set what was asked for; return what changed, in words."""
        wanted, self.waiting = self.waiting, []
        before = learning_rates(optimizer)
        for value, group in wanted:
            self._set(optimizer, value, group)
        after = learning_rates(optimizer)
        return _change(before, after) if before != after else ""

    def _set(self, optimizer: Optimizer, value: float, group: int | None) -> None:
        rates = learning_rates(optimizer)
        # One slider for all keeps the proportions between the groups, also from zero up.
        if rates[0] or len(self._ratios) != len(rates):
            self._ratios = [rate / rates[0] if rates[0] else 1.0 for rate in rates]
        for number, part in enumerate(optimizer.param_groups):
            if group not in (None, number):
                continue
            new = value * self._ratios[number] if group is None else value
            if isinstance(part["lr"], Tensor):
                part["lr"].fill_(new)
            else:
                part["lr"] = new


def _change(before: list[float], after: list[float]) -> str:
    if len(set(before)) == len(set(after)) == 1:
        return f"lr {before[0]:.3g} → {after[0]:.3g}"
    changed = [
        f"group {n}: {old:.3g} → {new:.3g}"
        for n, (old, new) in enumerate(zip(before, after, strict=True))
        if old != new
    ]
    return "lr of " + ", ".join(changed)
