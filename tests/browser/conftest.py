"""One server, one browser and one page for the tests of this folder."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, sync_playwright
from scipy.interpolate import BSpline  # type: ignore[import-untyped]

from tests.browser.lab import CHROMIUM_ARGUMENTS, LabPage, LabServer, find_chromium
from tests.browser.walk import Walk
from tests.browser.window import Window
from tests.notebooks.execution import execute

ARTIFACTS = Path(__file__).parent / "artifacts"
# weights of a layer, points -> (functions, points)
Reference: TypeAlias = Callable[[dict[str, Any], NDArray[np.float64]], NDArray[np.float64]]
FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether the test itself failed, for the fixture that keeps the evidence."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(scope="package")
def server() -> Iterator[LabServer]:
    """Give a running JupyterLab; its notebooks draw stills where a test asks for them."""
    with LabServer(stills=False) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Give a running Chromium with a fresh profile.

    Ends with the folder's last test: while Playwright runs, it keeps an asyncio loop running in
    this thread, and tests elsewhere start their own.
    """
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=find_chromium(), headless=True, args=CHROMIUM_ARGUMENTS
        )
        yield running
        running.close()


@pytest.fixture
def artifacts(request: pytest.FixtureRequest) -> Path:
    """Give this test's own folder for pictures and logs, emptied."""
    return emptied(re.sub(r"\W+", "_", request.node.name).strip("_"))


def emptied(name: str) -> Path:
    """Give a folder for pictures and logs, emptied."""
    folder = ARTIFACTS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="package")
def window(server: LabServer, browser: Browser) -> Iterator[Window]:
    """Give what holds the page of the tests."""
    window = Window(browser, server)
    yield window
    window.close()


@contextmanager
def opened(
    window: Window, artifacts: Path, failed: Callable[[], bool] = lambda: False
) -> Iterator[LabPage]:
    """Give JupyterLab without a notebook; on failure keep a screenshot, console and server's log.

    A complaint in the browser's console that is not expected is a failure. The page is that of
    the use before, if that has gone well and left nothing behind.
    """
    lab = window.lab()
    good = False
    try:
        try:
            yield lab
            lab.page.wait_for_timeout(100)  # lets the last console messages arrive
            good = not lab.complaints and not failed()
        finally:
            if not good:
                keep_evidence(lab, artifacts)
        assert lab.complaints == []
    finally:
        window.leave(lab, good)


@pytest.fixture
def lab(request: pytest.FixtureRequest, window: Window, artifacts: Path) -> Iterator[LabPage]:
    """Give JupyterLab without a notebook to one test."""
    with opened(window, artifacts, lambda: request.node.stash.get(FAILED, False)) as lab:
        yield lab


@pytest.fixture(scope="module")
def walked(request: pytest.FixtureRequest) -> Callable[[str, Callable[[Walk], Any]], Any]:
    """Give a function that walks through a tutorial and returns what the walk returns.

    With another seed (`--seed`) it executes the tutorial without a browser, and returns that run.
    """
    if seed := request.config.getoption("--seed"):
        return lambda name, through: execute(name, seed=seed)
    window = request.getfixturevalue("window")

    def walk(name: str, through: Callable[[Walk], Any]) -> Any:
        pictures = emptied(Path(name).stem)
        with opened(window, pictures) as lab:
            return through(Walk(lab, lab.server, name, pictures))

    return walk


def keep_evidence(lab: LabPage, folder: Path) -> None:
    """Write what a person needs to see why a browser test failed, and print where."""
    (folder / "console.txt").write_text("\n".join(lab.console))
    (folder / "server.txt").write_text(lab.server.log_tail(200))
    print(f"\nscreenshot, browser console and server log are in {folder}")
    lab.screenshot(folder / "screenshot.png")


@pytest.fixture(scope="session")
def reference() -> Reference:
    """Give φ of a KAN layer from its bare weights, by scipy: shares no code with the package."""
    return phi_by_scipy


def phi_by_scipy(weights: dict[str, Any], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate base_weight·SiLU(x) + scaler·Σ_b spline_weight_b·B_b(x) for every function."""
    low, high = weights["range"]
    size, order = weights["grid_size"], weights["order"]
    step = (high - low) / size
    knots = low + step * np.arange(-order, size + order + 1)
    splines = np.stack(
        [
            np.nan_to_num(BSpline.basis_element(knots[b : b + order + 2], extrapolate=False)(x))
            for b in range(size + order)
        ]
    )
    coefficients = np.asarray(weights["spline"], dtype=float).reshape(-1, size + order)
    base = np.asarray(weights["base"], dtype=float).reshape(-1, 1)
    scaler = np.ones_like(base)
    if weights["scaler"] is not None:
        scaler = np.asarray(weights["scaler"], dtype=float).reshape(-1, 1)
    silu = x / (1 + np.exp(-x))
    phi: NDArray[np.float64] = base * silu + scaler * (coefficients @ splines)
    return phi
