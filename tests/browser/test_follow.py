"""The page of ``kan-widgets follow``, in a real Chromium: it follows a run, and steers it."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

import kan_widgets as kw
from kan_widgets.cli.board import Board
from kan_widgets.cli.serving import Server
from kan_widgets.live.recordings.places import Place
from kan_widgets.widgets.pages.live_page import live_page
from tests.browser.lab import decode, until_on

pytestmark = pytest.mark.browser

RUN = """
import sys, time, torch, kan_widgets as kw
torch.manual_seed(0)
model = torch.nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
live = kw.bind(model, optimizer, every=1)
live.record(sys.argv[1], control=True)
x = torch.rand(16, 2) * 2 - 1
for _ in live.track(range(100_000)):
    optimizer.zero_grad()
    loss = (model(x).sum(1) - x.prod(1)).square().mean()
    loss.backward()
    optimizer.step()
    live.log(loss=loss)
    if live.stats.steps == 40:
        live.log(val_loss=float("nan"))
    time.sleep(0.02)
print("ended", live.progress.state, optimizer.param_groups[0]["lr"])
live.close()
"""
FOLLOW = "import sys; from kan_widgets.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Give a process that trains, and the address of the page that follows it."""

    def start(code: str, *arguments: str) -> subprocess.Popen[str]:
        made = subprocess.Popen(
            [sys.executable, "-u", "-c", code, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        ends.enter_context(made)
        ends.callback(made.kill)
        return made

    with contextlib.ExitStack() as ends:
        run = start(RUN, str(tmp_path / "run.npz"))
        follower = start(
            FOLLOW, "follow", str(tmp_path / "run.npz"), "--no-browser", "--wait", "120"
        )
        assert follower.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/\S+/", follower.stdout.readline())
        assert found
        yield run, found[0]


class Followed:
    def __init__(self, page: Page) -> None:
        self.page = page

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.page.evaluate(
            "document.querySelector('.kw-training-panel')?.kwView?.scene()?.status ?? {}"
        )
        return status

    def until(self, what: str, **wanted: Any) -> None:
        def reached() -> bool:
            status = self.status()
            return all(status.get(name) == value for name, value in wanted.items())

        until_on(self.page, reached, what)

    def step(self) -> int:
        step: int = self.status().get("step", -1)
        return step


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_follows_a_run_and_what_is_clicked_is_done_there(
    browser: Browser,
    processes: tuple[subprocess.Popen[str], str],
    theme: Any,
    artifacts: Path,
) -> None:
    run, address = processes
    page = browser.new_page(color_scheme=theme, viewport={"width": 1300, "height": 1000})
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    followed = Followed(page)
    until_on(page, lambda: followed.step() > 0, "a picture of the run")
    first = followed.step()
    until_on(page, lambda: followed.step() > first, "steps that come while it trains")

    page.click(".kw-dashboard [aria-label=Pause]:visible")
    followed.until("the run to stand still", holding=True, control="paused")
    page.click(".kw-dashboard [aria-label='One step']:visible")
    followed.until("one more step", holding=True, step=followed.step() + 1)
    page.click(".kw-dashboard [aria-label=Resume]:visible")
    followed.until("the run to go on", holding=False, control="running")

    until_on(page, lambda: followed.status()["alarms"], "an alarm")
    picture = decode(page.screenshot(path=artifacts / f"follow {theme}.png"))
    assert (picture[5, 5, :3].mean() < 60) == (theme == "dark")
    line = page.locator(".kw-alarm", has_text="val_loss is not a number since step 40.")
    line.get_by_role("button", name="Learning rate ÷ 10").click()
    followed.until("a lower rate", rates=[0.001])
    page.locator(".kw-cured").get_by_role("button", name="undo").click()
    followed.until("the rate as it was", rates=[0.01])

    page.locator(".kw-menu summary").click()
    page.get_by_role("button", name="all controls").click()
    page.locator(".kw-menu summary").click()  # it lies over the panel while it is open
    page.click(".kw-training-panel [aria-label=Stop]")
    assert run.wait(60) == 0
    followed.until("the end", state="stopped", steered=False)
    assert complaints == []
    assert {url.split("/")[2] for url in asked if not url.startswith("data:")} == {
        address.split("/")[2]
    }
    page.close()


def test_a_page_whose_follower_has_ended_says_so(
    browser: Browser, processes: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    run = kw.follow(tmp_path / "run.npz", wait=60)
    with contextlib.closing(Server()) as server:
        view = kw.TrainingPanel(run)
        server.hub.page = lambda: live_page(
            [view], "A run", "", theme="auto", heard=server.hub.last
        )
        threading.Thread(target=server.serve, daemon=True).start()
        page = browser.new_page()
        page.goto(server.address)
        until_on(page, lambda: Followed(page).step() >= 0, "the panel")
        assert page.text_content("#kw-connection") == ""
    run.close()
    until_on(
        page, lambda: "Not connected" in (page.text_content("#kw-connection") or ""), "its words"
    )
    page.close()


class Forwarder:
    """Another address of a server: another port, as of ``ssh -L``, or a prefix that it takes away.

    As jupyter-server-proxy does, it says the prefix in headers, and leaves the browser's own Host.
    """

    def __init__(self, address: str, prefix: str = "") -> None:
        there = urlsplit(address)

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                assert self.path.startswith(f"{prefix}/")
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {**self.headers, "X-Forwarded-Prefix": prefix}
                with contextlib.closing(http.client.HTTPConnection(there.netloc)) as asked:
                    asked.request(self.command, self.path.removeprefix(prefix), body, headers)
                    with asked.getresponse() as answer, contextlib.suppress(OSError):
                        self.send_response(answer.status)
                        for name, value in answer.getheaders():
                            self.send_header(name, value)
                        self.end_headers()
                        while data := answer.read1():
                            self.wfile.write(data)
                            self.wfile.flush()

            do_POST = do_GET

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://localhost:{self._server.server_port}{prefix}{there.path}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.mark.parametrize("prefix", ["", "/user/me/kan-widgets"])
def test_a_board_behind_another_port_or_a_prefix_shows_a_run_that_is_steered_from_there(
    browser: Browser,
    processes: tuple[subprocess.Popen[str], str],
    tmp_path: Path,
    prefix: str,
    artifacts: Path,
) -> None:
    with contextlib.ExitStack() as ends:
        server = ends.enter_context(contextlib.closing(Server()))
        board = Board(Place(tmp_path), server)
        threading.Thread(target=board.keep, daemon=True).start()
        threading.Thread(target=server.serve, daemon=True).start()
        there = ends.enter_context(contextlib.closing(Forwarder(server.address, prefix)))
        page = browser.new_page(viewport={"width": 1366, "height": 720})
        ends.callback(page.close)
        complaints: list[str] = []
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(there.address.rstrip("/"))
        row = page.locator("tr[data-state=alive]")

        def steps() -> int:
            said = row.locator("[data-head=step]").text_content() if row.count() else None
            return int(said.replace(",", "")) if said else 0

        until_on(page, lambda: steps() > 0, "the run on the board")
        first = steps()
        until_on(page, lambda: steps() > first, "steps that come while it trains")
        drawn = "(image) => image.complete && image.naturalWidth > 0"
        until_on(page, lambda: row.locator("img:visible").evaluate(drawn), "its picture")
        alarm = "val_loss is not a number since step 40."
        until_on(page, lambda: alarm in (row.text_content() or ""), "its alarm")
        page.screenshot(path=artifacts / f"board {'at a prefix' if prefix else 'forwarded'}.png")
        row.get_by_role("link").click()
        followed = Followed(page)
        until_on(page, lambda: followed.step() > 0, "a picture of the run")
        page.click(".kw-dashboard [aria-label=Pause]:visible")
        followed.until("the run to stand still", holding=True, control="paused")
        page.click(".kw-dashboard [aria-label=Resume]:visible")
        followed.until("the run to go on", holding=False, control="running")
        page.go_back()
        until_on(page, lambda: steps() > 0, "the board again")
        assert complaints == []
