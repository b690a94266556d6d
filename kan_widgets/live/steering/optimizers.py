"""The optimizers of a model: the rates of the bound one, and the steps of others, uncounted."""

import weakref

from torch import Tensor, nn
from torch.optim import Optimizer

from kan_widgets.checks import check_number
from kan_widgets.nn.changes.torch_optimizer import holds_any

# Between two steps of the bound optimizer another one, of other parameters, may make some.
_MAX_FOREIGN_STEPS = 10


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
        # One rate for all keeps the proportions between the groups, also from zero up.
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


class Uncounted:
    """Steps that were made since the last one that was counted."""

    def __init__(self) -> None:
        self.steps = 0
        self._by = ""
        self._trains: weakref.WeakKeyDictionary[Optimizer, bool]
        self._trains = weakref.WeakKeyDictionary()

    @property
    def words(self) -> str:
        """How many there are, in words, if too many for a second optimizer; else empty."""
        if self.steps < _MAX_FOREIGN_STEPS:
            return ""
        return f"{self.steps:,} steps not counted, made by {self._by}, which is not bound"

    def note(self, optimizer: Optimizer, model: nn.Module | None, bound: Optimizer | None) -> bool:
        """Note a step of an unbound optimizer; return whether there are too many by now."""
        trains = self._trains.get(optimizer)
        if trains is None:
            trains = model is not None and holds_any(optimizer, model.parameters())
            self._trains[optimizer] = trains
        if trains:
            self.steps += 1
            kind = type(optimizer)
            self._by = f"another {kind.__name__}" if type(bound) is kind else kind.__name__
        return trains and self.steps >= _MAX_FOREIGN_STEPS
