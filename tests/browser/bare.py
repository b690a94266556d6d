"""A page of a Chromium that nobody listens to, for benchmarks.

Playwright has the browser tell it of every request and message: of a page that gets sixty pictures
a second, that takes as much time as the page itself. Here only what is asked for is answered.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, cast
from urllib.request import Request, urlopen

from playwright.sync_api import Error, Page
from websocket import WebSocket, create_connection

from tests.browser.lab import CHROMIUM_ARGUMENTS, START_LIMIT, find_chromium, until

# An expression, or a function of one argument, as `Page.evaluate` takes them.
CALL = """(async (given) => {{
  const made = ({expression});
  return typeof made === "function" ? await made(given) : await made;
}})({argument})"""


class BarePage:
    """As much of Playwright's ``Page`` as opens a notebook, runs its cells and asks for values."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._numbers = count(1)

    def on(self, event: str, listener: Any) -> None:
        """Listen to nothing."""

    def goto(self, address: str, **_: Any) -> None:
        """Load a page."""
        self._ask("Page.navigate", url=address)

    def evaluate(self, expression: str, argument: Any = None) -> Any:
        """Give the value of JavaScript.

        Raises
        ------
        Error
            If it throws, or the page goes to another address meanwhile.
        """
        call = CALL.format(expression=expression, argument=json.dumps(argument))
        answer = self._ask(
            "Runtime.evaluate", expression=call, awaitPromise=True, returnByValue=True
        )
        if thrown := answer.get("exceptionDetails"):
            raise Error(thrown.get("exception", {}).get("description") or thrown["text"])
        return answer["result"].get("value")

    def wait_for_timeout(self, milliseconds: float) -> None:
        """Wait."""
        time.sleep(milliseconds / 1000)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                break
        if "error" in answer:
            raise Error(f"during a navigation or not at all: {answer['error']['message']}")
        return cast("dict[str, Any]", answer["result"])


@contextmanager
def bare_page(width: int, height: int) -> Iterator[Page]:
    """Give a page of a Chromium of its own, as large as this."""
    profile = Path(tempfile.mkdtemp(prefix="kan-widgets-chromium-"))
    process = subprocess.Popen(
        [
            find_chromium(),
            "--headless=new",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
            *CHROMIUM_ARGUMENTS,
            "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        told = profile / "DevToolsActivePort"
        until(
            lambda: told.exists() and re.match(r"\d+\n", told.read_text()),
            "Chromium to start",
            lambda: time.sleep(0.05),
            START_LIMIT,
        )
        address = f"http://127.0.0.1:{told.read_text().split()[0]}/json/new?about:blank"
        with urlopen(Request(address, method="PUT"), timeout=START_LIMIT) as reply:
            target = json.load(reply)["webSocketDebuggerUrl"]
        connection = create_connection(target, suppress_origin=True, timeout=START_LIMIT)
        with closing(connection):
            yield cast("Page", BarePage(connection))
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(profile, ignore_errors=True)
