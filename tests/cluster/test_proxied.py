"""The board behind a real jupyter-server-proxy, and at all addresses of the machine."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.lab import CHROMIUM_ARGUMENTS, LabServer, find_chromium, until_on
from tests.browser.test_follow import FOLLOW, RUN, Followed


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=find_chromium(), headless=True, args=CHROMIUM_ARGUMENTS
        )
        yield running
        running.close()


@contextlib.contextmanager
def started(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-u", "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def follow_and_steer(page: Page) -> None:
    """Go from the board to the run, hold it and let it go on."""
    row = page.locator("tr[data-state=alive]")
    until_on(page, row.count, "the run on the board")
    drawn = "(image) => image.complete && image.naturalWidth > 0"
    until_on(page, lambda: row.locator("img:visible").evaluate(drawn), "its picture")
    row.get_by_role("link").click()
    followed = Followed(page)
    until_on(page, lambda: followed.step() > 0, "a picture of the run")
    first = followed.step()
    until_on(page, lambda: followed.step() > first, "steps that come while it trains")
    page.click(".kw-dashboard [aria-label=Pause]:visible")
    followed.until("the run to stand still", holding=True, control="paused")
    page.click(".kw-dashboard [aria-label=Resume]:visible")
    followed.until("the run to go on", holding=False, control="running")


def test_a_tile_in_jupyterlab_opens_the_board_from_where_a_run_is_steered(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAN_WIDGETS_RUNS", str(tmp_path))
    with LabServer(stills=False) as lab, started(RUN, str(tmp_path / "run")):
        page = browser.new_page(viewport={"width": 1366, "height": 800})
        page.goto(f"{lab.url}/lab?token={lab.token}")
        with page.context.expect_page(timeout=120_000) as opened:
            # What opens in a tab of its own has an arrow behind its name.
            page.get_by_text(re.compile("^KAN runs")).first.click(timeout=120_000)
        follow_and_steer(opened.value)
        opened.value.close()
        page.close()


def test_a_board_that_listens_at_all_addresses_is_reached_by_another_of_them(
    browser: Browser, tmp_path: Path
) -> None:
    here = ("runs", str(tmp_path), "--no-browser", "--host", "0.0.0.0")
    with started(RUN, str(tmp_path / "run")), started(FOLLOW, *here) as board:
        assert board.stdout is not None
        assert board.stderr is not None
        found = re.search(r"http://([^:]+):(\d+)(/\S+/)", board.stdout.readline())
        assert found
        assert found[1] == socket.gethostname()
        assert "Whoever reaches port" in board.stderr.readline()
        page = browser.new_page(viewport={"width": 1366, "height": 800})
        # Of the loopback network, but not one that is listened at without the option.
        refused = page.goto(f"http://127.0.0.2:{found[2]}{found[3]}")
        assert refused is not None
        assert refused.status == 403
        page.goto(f"http://localhost:{found[2]}{found[3]}")
        follow_and_steer(page)
        page.close()
