"""How often verdicts of `insight` hold where there is nothing to find.

``python -m tests.benchmarks.bench_doubt`` takes some minutes. 40 times: networks 6 → 5 → 3 as they
are made, and trained on labels that have nothing to do with the inputs, each network on its own.
Counted is how often a verdict holds; where the verdict states its rate, that stands beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.insight import intervene, later_is_more_complex, symbolic, untrained_networks

ROWS, STEPS = 300, 100


def make() -> nn.Sequential:
    """Return the network as it is made."""
    return nn.Sequential(kw.nn.KANLinear(6, 5, grid_range=(-2, 2)), kw.nn.KANLinear(5, 3))


def shuffled() -> nn.Sequential:
    """Return the network trained on labels that the inputs say nothing about."""
    model, x, labels = make(), torch.randn(ROWS, 6), torch.randint(3, (ROWS,))
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(STEPS):
        optimizer.zero_grad()
        F.cross_entropy(model(x), labels).backward()
        optimizer.step()
    return model


@dataclass
class Counted:
    """How often verdicts held, and how often they were asked, by verdict and kind of network."""

    held: dict[tuple[str, str], list[bool]] = field(default_factory=dict)

    def add(self, verdict: str, kind: str, *holds: bool) -> None:
        """Count what was asked once or more."""
        self.held.setdefault((verdict, kind), []).extend(holds)

    def __str__(self) -> str:
        kinds = dict.fromkeys(kind for _, kind in self.held)
        lines = [f"| verdict | {' | '.join(kinds)} |", f"|---|{'---|' * len(kinds)}"]
        for verdict in dict.fromkeys(verdict for verdict, _ in self.held):
            cells = [self.held[verdict, kind] for kind in kinds]
            told = [f"{sum(cell)} of {len(cell)}" for cell in cells]
            lines.append(f"| {verdict} | {' | '.join(told)} |")
        return "\n".join(lines)


def asked(kind: str, made: Callable[[], nn.Sequential], seed: int, counted: Counted) -> None:
    """Ask all verdicts of two networks."""
    torch.manual_seed(seed)
    model, other = made(), made()
    x, labels = torch.randn(ROWS, 6), torch.randint(3, (ROWS,))
    for words, batch in (("functions", None), ("functions and inputs", x)):
        p = kw.ensemble([model, other], batch=batch).p
        counted.add(f"units of two networks correspond, by {words}: p ≤ 0.05", kind, p <= 0.05)
    for replace in ("mean", "line"):
        change = intervene(model, x, labels, replace).change
        words = f"accuracy on other rows changes with functions as {replace}s: 95 % interval"
        counted.add(words, kind, not change.low <= 0 <= change.high)
    layers, seen = kw.functions.read(model), _seen(model, x)
    trend = later_is_more_complex(layers)
    counted.add("later is more complex, by its interval alone", kind, trend.between[0] > 0.5)
    null = [later_is_more_complex(kw.functions.read(one)).later for one in NULL]
    counted.add(
        "later is more complex than in all of 39 untrained networks: 1 of 40",
        kind,
        trend.later > max(null),
    )
    found = symbolic(layers[-1], seen[layers[-1].name], keep=1).found
    fitted = [bool(ranks) and ranks[0].fits for ranks in found.values()]
    counted.add("a function of the last layer has a form: says nothing of training", kind, *fitted)


def _seen(model: nn.Module, x: Tensor) -> dict[str, kw.insight.Observed]:
    live = kw.bind(model)
    found = live.observe(x)
    live.close()
    return dict(found)


NULL = untrained_networks(make, seed=5000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40, help="of each kind")
    count, counted = parser.parse_args().count, Counted()
    with contextlib.redirect_stderr(io.StringIO()):
        for k in range(count):
            asked("untrained", make, 100 + k, counted)
            asked("shuffled labels", shuffled, 200 + k, counted)
    print(counted)


if __name__ == "__main__":
    main()
