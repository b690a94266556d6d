"""What holds for every test: a test that did not run has not passed."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option by which `make claims` asks the tutorials' claims of other seeds."""
    parser.addoption(
        "--seed", type=int, default=0, help="run the tutorials with this seed, without a browser"
    )


def pytest_sessionstart(session: pytest.Session) -> None:
    """Have the kernels compiled before a notebook waits for that, and says so among its outputs."""
    if not hasattr(session.config, "workerinput"):
        from kan_widgets.nn.compiled import compile_options, native

        for order in (3, compile_options.OTHER_BASES):
            native.library(order)


# Modules imported when garbage was last frozen, and the file of the test before.
_frozen, _file = 0, ""
_MANY = 100


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Between two files, take what has been imported out of later collections.

    Tests ask for many collections, and each would go through all objects of PyTorch and its like.
    """
    global _frozen, _file
    if item.location[0] != _file and len(sys.modules) > _frozen + _MANY:
        gc.collect()
        gc.freeze()
        _frozen = len(sys.modules)
    _file = item.location[0]


def _skip_is_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped:
        reason = getattr(report, "wasxfail", None) or report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which counts as a failure here: {reason}"
        if hasattr(report, "wasxfail"):
            del report.wasxfail


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _skip_is_failure(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _skip_is_failure(report)
    return report


@pytest.fixture(autouse=True)
def _no_cell_is_left() -> Generator[None, None, None]:
    """Forget the cells that a test has played: the thread that runs the next one executes none."""
    yield
    if (cells := sys.modules.get("kan_widgets.live.cells")) is not None:
        cells._have_executed.clear()
        cells._running.clear()
