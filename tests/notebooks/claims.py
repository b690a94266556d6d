"""Check what the pages claim, on networks of other seeds: ``make claims``.

What they say of networks in general is asked of the recorded ones (`recorded.py`). What they say of
their own run are the tests of each tutorial that has the line ``seed = 0``, which is run with seeds
that share nothing with the saved one. What is printed at the end are the tables of
``tests/claims.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

import pytest

from tests.notebooks.execution import CHECKOUT, TUTORIALS, has_seed
from tests.notebooks.recorded import report

SEEDS = (101, 202, 303)


class Outcomes:
    """What became of each test of a run of pytest, by its name."""

    def __init__(self) -> None:
        self.held: dict[str, bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that was called, or one that could not be."""
        if report.when == "call" or report.failed:
            self.held[report.nodeid] = report.passed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the claims with each seed and print which held; return 1 if one did not."""
    parser = argparse.ArgumentParser(description="Check the tutorials' claims with other seeds.")
    parser.add_argument("seeds", nargs="*", type=int, metavar="SEED", help="default: 101 202 303")
    seeds = parser.parse_args(arguments).seeds or SEEDS
    recorded, borne_out = report()
    print(recorded, end="\n\n")
    names = [name.removesuffix(".ipynb") for name in TUTORIALS if has_seed(name)]
    files = [str(file) for name in names for file in CHECKOUT.glob(f"tests/*/test_{name}.py")]
    by_seed = {}
    for seed in seeds:
        outcomes = Outcomes()
        options = [f"--seed={seed}", "--quiet", "--tb=line", "-p", "no:cacheprovider"]
        code = pytest.main([*files, *options], plugins=[outcomes])
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            return int(code)
        by_seed[seed] = outcomes.held
    print(table(by_seed))
    return int(not (borne_out and all(all(held.values()) for held in by_seed.values())))


def table(by_seed: Mapping[int, Mapping[str, bool]]) -> str:
    """Return a Markdown table of the claims, a column for each seed.

    Examples
    --------
    >>> print(table({1: {"a/test_07_x.py::test_it_bends[sum]": True}}))
    | | claim | 1 |
    |---|---|---|
    | 07 | it bends: sum | yes |
    """
    lines = [
        f"| | claim | {' | '.join(map(str, by_seed))} |",
        "|" + "---|" * (2 + len(by_seed)),
    ]
    for test in dict.fromkeys(test for held in by_seed.values() for test in held):
        # pytest escapes what is not ASCII in the name of a case.
        file, name = test.encode().decode("unicode_escape").rsplit("/", 1)[-1].split("::")
        words = name.removeprefix("test_").replace("_", " ").replace("[", ": ").rstrip("]")
        cells = ["yes" if held.get(test) else "**no**" for held in by_seed.values()]
        page = file.split("_")[1]
        lines.append(f"| {page} | {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
