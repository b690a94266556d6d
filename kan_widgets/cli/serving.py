"""A local server for one page: its views talk with Python as in a notebook, over HTTP.

The page is served at ``http://127.0.0.1:PORT/TOKEN/``; who has not the token, which is new for each
server, gets nothing, and neither does a page of another origin. ``events`` sends what Python says,
as server-sent events (HTML Living Standard, section 9.2): each one message of a widget, numbered.
``messages`` takes what the page says. A page that lost its connection goes on where it was; where
what it missed is kept no longer, it is loaded anew.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import comm
from comm.base_comm import BaseComm

_KEPT_BYTES = 64_000_000
_MOST_FRAMES = 4
"""Of each stream so many go to a page at once."""
_MOST_BYTES = 32_000_000  # of a message of the page
_BREATH_SECONDS = 10.0
"""After so long without news a comment is sent, so that a page that is gone is noticed."""


class Hub:
    """What Python has said, numbered from 1; the latest are kept.

    Examples
    --------
    >>> hub = Hub()
    >>> hub.put({"id": "a"})
    >>> hub.after(0, seconds=0)
    [(1, '{"id": "a"}')]
    >>> hub.after(1, seconds=0)
    []
    """

    def __init__(self, kept_bytes: int = _KEPT_BYTES) -> None:
        # Number and text of each; of a frame also whose it is.
        self._kept: deque[tuple[int, str, str]] = deque()
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._news = threading.Condition()
        self.last = 0
        """The number of the latest message."""
        self.is_over = False
        """Whether nothing more will come."""

    def put(self, message: dict[str, Any]) -> None:
        """Add a message."""
        text, content = json.dumps(message), message.get("content")
        is_frame = isinstance(content, dict) and content.get("kind") == "frame"
        with self._news:
            self.last += 1
            self._kept.append((self.last, text, str(message["id"]) if is_frame else ""))
            self._bytes += len(text)
            while self._bytes > self._kept_bytes and len(self._kept) > 1:
                self._bytes -= len(self._kept.popleft()[1])
            self._news.notify_all()

    def end(self) -> None:
        """Wait for nothing any more."""
        with self._news:
            self.is_over = True
            self._news.notify_all()

    def after(self, number: int, seconds: float) -> list[tuple[int, str]] | None:
        """Return the messages after one, as soon as there are any; ``None`` if some are gone.

        To a page that is behind only the latest frames are sent: it asks for those it lacks.
        """
        with self._news:
            self._news.wait_for(lambda: self.last > number or self.is_over, seconds)
            if number > self.last or (self._kept and number < self._kept[0][0] - 1):
                return None
            found: list[tuple[int, str]] = []
            frames: dict[str, int] = {}
            for each, text, of in reversed(self._kept):
                if each <= number:
                    break
                if of:
                    frames[of] = frames.get(of, 0) + 1
                if frames.get(of, 0) <= _MOST_FRAMES:
                    found.append((each, text))
            return found[::-1]


class PageComm(BaseComm):
    """A widget's way to the page: what it says goes to the hub."""

    def __init__(self, hub: Hub, **options: Any) -> None:
        self._hub = hub
        self.widget: Any = None
        super().__init__(**options)

    def on_msg(self, callback: Any) -> None:
        """Note whose method hears the page."""
        self.widget = callback.__self__
        super().on_msg(callback)

    def publish_msg(
        self,
        msg_type: str,
        data: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
        buffers: list[bytes] | None = None,
        **keys: Any,
    ) -> None:
        """Say something; what a page has in it from the beginning is not said again."""
        if msg_type == "comm_msg" and data is not None and data.get("method") != "echo_update":
            packed = [base64.b64encode(buffer).decode("ascii") for buffer in buffers or ()]
            self._hub.put({"id": self.comm_id, **data, "buffers": packed})


class Server:
    """Serves one page, and carries messages between it and the widgets made until it is closed.

    Parameters
    ----------
    port
        0 for any that is free.

    Raises
    ------
    OSError
        If the port is taken.
    """

    def __init__(self, port: int = 0) -> None:
        self.hub = Hub()
        self.page: Callable[[], bytes] = bytes
        """Called for the text of the page."""
        self._token = secrets.token_urlsafe(16)
        self._hearing = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._http.daemon_threads = True
        self._serves = False
        self._create_comm_before = comm.create_comm
        comm.create_comm = lambda *_, **options: PageComm(self.hub, **options)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self._http.server_port}/{self._token}/"

    def serve(self) -> None:
        """Serve until `close` is called, or Ctrl+C pressed."""
        self._serves = True
        self._http.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Serve no more, and leave widgets to who had them before."""
        comm.create_comm = self._create_comm_before
        self.hub.end()
        if self._serves:  # else there is nothing that could answer
            self._http.shutdown()
        self._http.server_close()

    def place(self, path: str, host: str, origin: str | None) -> str | None:
        """Return what of the page is asked for; ``None`` for who may not ask."""
        hosts = {f"{name}:{self._http.server_port}" for name in ("127.0.0.1", "localhost")}
        if host not in hosts or origin not in (None, *(f"http://{name}" for name in hosts)):
            return None
        token, _, rest = path.removeprefix("/").partition("/")
        return rest if hmac.compare_digest(token.encode(), self._token.encode()) else None

    def hear(self, message: dict[str, Any]) -> None:
        """Hand a message of the page to its widget, one after the other.

        Raises
        ------
        LookupError, TypeError, ValueError, RecursionError
            If it is no such message, or changes what is not the page's to change.
        """
        from kan_widgets.widgets.live_page import chosen_in_page

        found = comm.get_comm_manager().comms.get(str(message["id"]))
        if not isinstance(found, PageComm):
            return
        if message["method"] == "update":
            if foreign := message["state"].keys() - chosen_in_page(found.widget):
                raise ValueError(f"{', '.join(sorted(foreign))}: not for a page to change")
        buffers = [memoryview(base64.b64decode(each)) for each in message.get("buffers", ())]
        data = {"buffer_paths": [], **message}
        with self._hearing:
            found.handle_msg({"content": {"data": data}, "buffers": buffers})


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self._reply(self._asked)

        def do_POST(self) -> None:
            self._reply(self._said)

        def _reply(self, read: Callable[[], Callable[[], None]]) -> None:
            """Answer what was read; what is no request of a page is refused."""
            try:
                answer = read()
            except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
                self.close_connection = True
                answer = partial(self._answer, HTTPStatus.BAD_REQUEST)
            with suppress(OSError):  # the page was closed
                answer()

        def _asked(self) -> Callable[[], None]:
            url = urlsplit(self.path)
            place = self._place(url.path)
            if place == "":
                return self._show
            if place == "events":
                [first] = parse_qs(url.query).get("from", ["0"])[:1]
                return partial(self._tell, int(self.headers.get("Last-Event-ID") or first))
            return partial(self._answer, HTTPStatus.NOT_FOUND)

        def _said(self) -> Callable[[], None]:
            if self._place(self.path) != "messages":
                self.close_connection = True
                return partial(self._answer, HTTPStatus.NOT_FOUND)
            length, kind = int(self.headers["Content-Length"]), self.headers.get_content_type()
            if kind != "application/json" or not 0 < length <= _MOST_BYTES:
                raise ValueError(f"{length} bytes of {kind}")
            server.hear(json.loads(self.rfile.read(length)))
            return partial(self._answer, HTTPStatus.NO_CONTENT)

        def _show(self) -> None:
            self._answer(HTTPStatus.OK, server.page(), "text/html; charset=utf-8")

        def _place(self, path: str) -> str | None:
            return server.place(path, self.headers.get("Host", ""), self.headers.get("Origin"))

        def _answer(self, status: HTTPStatus, text: bytes = b"", kind: str = "") -> None:
            self.send_response(status)
            if text:
                self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def _tell(self, number: int) -> None:
            """Send what comes after a message, until the page is gone."""
            self.close_connection = True
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/event-stream")
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"retry: 1000\n\n")
            while not server.hub.is_over:
                news = server.hub.after(number, _BREATH_SECONDS)
                if news is None:
                    self.wfile.write(b"event: reload\ndata:\n\n")
                    return
                for number, text in news:
                    self.wfile.write(f"id: {number}\ndata: {text}\n\n".encode())
                if not news:
                    self.wfile.write(b": still here\n\n")
                self.wfile.flush()

    return Handler


_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
