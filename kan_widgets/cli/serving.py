"""A local server for pages: their views talk with Python as in a notebook, over HTTP.

A page is served at ``http://127.0.0.1:PORT/TOKEN/``, or at another address of the machine. Without
the token, which is new for each server, nobody gets anything, nor does a page of another origin.
What stands before the token does not matter, so a proxy may put a prefix there, and take it away
or not. The name of the host, which a foreign site can have point here, must be this
machine's own, or one that was allowed; its port is the forwarder's to choose. ``events`` sends what
Python says, as server-sent events (HTML Living Standard, section 9.2): each one message of a
widget, numbered. ``messages`` takes what the page says. A page that lost its connection goes on
where it was; where what it missed is kept no longer, it is loaded again.
"""

import base64
import hmac
import json
import os
import re
import secrets
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

import comm

from kan_widgets.cli.hub import Hub, PageComm, made_for

_MAX_BYTES = 32_000_000  # in a message of the page
# Seconds without news after which a comment is sent, so that a page that is gone is noticed.
_BREATH_SECONDS = 10.0
_OWN_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
# The environment variable by which whoever starts the server chooses its token.
TOKEN = "KAN_WIDGETS_TOKEN"


class Refused(Exception):
    """A request that is not answered: with which status, and why."""

    def __init__(self, status: HTTPStatus, words: str) -> None:
        super().__init__(words)
        self.status = status


class Server(ThreadingHTTPServer):
    """Serves pages, and carries messages between them and the widgets made until it is closed.

    Parameters
    ----------
    port
        0 for any that is free.
    base_url
        Where a proxy has it: a path, or an address, whose host is allowed then.
    hosts
        Other names by which it may be asked; ``"*"`` for any.
    listens
        The address that it listens at, of this machine; ``"0.0.0.0"`` for all.

    Raises
    ------
    ValueError
        If ``base_url`` or the token is none.
    OSError
        If it cannot listen there: the port is taken, or the address another machine's.
    """

    def __init__(
        self,
        port: int = 0,
        base_url: str = "",
        hosts: Sequence[str] = (),
        listens: str = "127.0.0.1",
    ) -> None:
        self.hub = Hub()
        """Hub of the page at the address itself."""
        self.opened: Callable[[str], Hub] = dict[str, Hub]().__getitem__
        """Called for what another page hears, by its name."""
        self.picture: Callable[[str, str], bytes] = lambda *of: dict[Any, bytes]()[of]
        """Called for a picture as PNG, by its name and theme."""
        self._hosts = {*_OWN_HOSTS, *map(_host, (*hosts, base_url))} - {""}
        self._base = urlsplit(base_url)
        if base_url and not (self._base.hostname or re.match("/[^/]", base_url)):
            raise ValueError(
                f"--base-url {base_url}: expected a path such as /user/me/proxy/8000, or an "
                "address such as https://host/path"
            )
        self._token = os.environ.get(TOKEN) or secrets.token_urlsafe(16)
        if not re.fullmatch(r"[\w-]{16,}", self._token):
            raise ValueError(f"{TOKEN}: expected at least 16 letters, digits, - or _")
        self._hearing = threading.Lock()
        try:
            super().__init__((listens, port), _Handler)
        except OSError as error:
            raise OSError(
                f"--host {listens} --port {port}: expected an address of this machine, such as "
                f"0.0.0.0 for all, and a port that is free ({error.strerror})"
            ) from error
        self._name, self.warning = listens, ""
        """Warning about who can reach it, if not this machine alone; else empty."""
        if not ip_address(str(self.server_address[0])).is_loopback:
            self._name = socket.gethostname() if listens in ("", "0.0.0.0") else listens
            self._hosts.add(_host(self._name))
            self.warning = (
                f"Whoever reaches port {self.server_port} of this machine and knows the "
                "address sees the runs, and steers those that allow it. It goes over the network "
                "unencrypted: let a proxy with HTTPS stand before it, or use ssh -L."
            )
        self._serves = False
        self._create_comm_before = comm.create_comm
        comm.create_comm = lambda *_, **options: PageComm(made_for.get(self.hub), **options)

    @property
    def address(self) -> str:
        """The address of the page."""
        host = f"http://{self._name}:{self.server_port}"
        if self._base.hostname:
            host = f"{self._base.scheme}://{self._base.netloc}"
        return f"{host}{self._base.path.rstrip('/')}/{self._token}/"

    def serve(self) -> None:
        """Serve until `close` is called, or Ctrl+C pressed."""
        self._serves = True
        self.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Serve no more, and leave widgets to what made their comms before."""
        comm.create_comm = self._create_comm_before
        self.hub.end()
        if self._serves:  # else no thread could answer
            self.shutdown()
        self.server_close()

    def place(self, path: str, headers: Mapping[str, str] | Message) -> list[str]:
        """Return the parts of the path after the token. Raises `Refused` if that may not be."""
        host = headers.get("Host", "")
        origin = headers.get("Origin", host)
        for header, name, allowed in (
            ("Host", host, self._hosts),
            ("Origin", origin, self._hosts | {_host(host)}),
        ):
            if _host(name) not in allowed and (header == "Origin" or "*" not in allowed):
                raise Refused(
                    HTTPStatus.FORBIDDEN,
                    f"{header} {name!r:.200} is not allowed: expected "
                    f"{', '.join(sorted(allowed))}. If you reach this page by that name, start "
                    f"kan-widgets again with --allow-host {_host(name) or 'NAME'}",
                )
        parts = path.split("/")
        for place, part in enumerate(parts, 1):
            if hmac.compare_digest(part.encode(), self._token.encode()):
                return parts[place:]
        raise Refused(
            HTTPStatus.NOT_FOUND,
            f"{path!r:.200} has not the token of this page: expected the whole address that "
            "kan-widgets printed when it was started; each start has a new token",
        )

    def hear(self, message: dict[str, Any]) -> None:
        """Hand a message of the page to its widget, one after the other.

        Raises
        ------
        LookupError, TypeError, ValueError, RecursionError
            If it is no such message, or changes a trait that is not the page's to change.
        """
        from kan_widgets.widgets.pages.live_page import chosen_in_page

        receiver = comm.get_comm_manager().comms.get(str(message["id"]))
        if not isinstance(receiver, PageComm):
            return
        if message["method"] == "update":
            if foreign := message["state"].keys() - chosen_in_page(receiver.widget):
                raise ValueError(f"{', '.join(sorted(foreign))}: not for a page to change")
        buffers = [memoryview(base64.b64decode(each)) for each in message.get("buffers", ())]
        data = {"buffer_paths": [], **message}
        with self._hearing:
            receiver.handle_msg({"content": {"data": data}, "buffers": buffers})


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of a page."""

    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._reply(self._asked)

    def do_POST(self) -> None:
        self._reply(self._said)

    def _reply(self, answer: Callable[[], None]) -> None:
        """Answer; a request that no page makes is refused."""
        with suppress(ConnectionError):  # the page was closed
            try:
                answer()
            except Refused as error:
                self._answer(error.status, str(error))
            except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
                words = f"This is no request of a page: {type(error).__name__}: {error!s:.200}"
                self._answer(HTTPStatus.BAD_REQUEST, words)

    def _asked(self) -> None:
        url = urlsplit(self.path)
        parts, query = self.server.place(url.path, self.headers), parse_qs(url.query)
        if not parts:  # what the page asks for lies below it
            self._answer(HTTPStatus.PERMANENT_REDIRECT)
        elif parts == ["picture"]:
            png = self.server.picture(query["of"][0], query["theme"][0])
            self._answer(HTTPStatus.OK, png, "image/png")
        else:
            hub, place = self._page(parts)
            if place == "":
                self._answer(HTTPStatus.OK, hub.page(), "text/html")
            elif place == "events":
                [first] = query.get("from", ["0"])[:1]
                self._tell(hub, int(self.headers.get("Last-Event-ID") or first))
            else:
                raise _nothing(url.path)

    def _said(self) -> None:
        if self._page(self.server.place(self.path, self.headers))[1] != "messages":
            raise _nothing(self.path)
        length, kind = int(self.headers["Content-Length"]), self.headers.get_content_type()
        if kind != "application/json" or not 0 < length <= _MAX_BYTES:
            raise ValueError(f"{length} bytes of {kind}")
        self.server.hear(json.loads(self.rfile.read(length)))
        self._answer(HTTPStatus.NO_CONTENT)

    def _page(self, parts: list[str]) -> tuple[Hub, str]:
        """Return the hub that a page hears, its own or an opened run's, and the path's rest."""
        if parts[:1] != ["run"]:
            return self.server.hub, "/".join(parts)
        _, name, *rest = parts
        return self.server.opened(name), "/".join(rest)

    def _answer(
        self, status: HTTPStatus, text: bytes | str = b"", kind: str = "text/plain"
    ) -> None:
        data = text.encode(errors="replace") if isinstance(text, str) else text
        self.close_connection |= status >= HTTPStatus.PERMANENT_REDIRECT
        self.send_response(status)
        if data:
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
        if status == HTTPStatus.PERMANENT_REDIRECT:
            self.send_header("Location", f"{urlsplit(self.path).path.rpartition('/')[2]}/")
        self.send_header("Content-Length", str(len(data)))
        for name, value in _HEADERS.items():
            if kind != "image/png" or name != "Cache-Control":  # its address has its step
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _tell(self, hub: Hub, number: int) -> None:
        """Send what comes after a message, until the page is gone."""
        self.close_connection = True
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"retry: 1000\n\n")
        while not hub.is_over:
            news = hub.after(number, _BREATH_SECONDS)
            if news is None:
                self.wfile.write(b"event: reload\ndata:\n\n")
                return
            for number, text in news:
                self.wfile.write(f"id: {number}\ndata: {text}\n\n".encode())
            if not news:
                self.wfile.write(b": still here\n\n")
            self.wfile.flush()


def _nothing(path: str) -> Refused:
    return Refused(HTTPStatus.NOT_FOUND, f"{path!r:.200}: nothing of the page is there")


def _host(address: str) -> str:
    """Return the name of the host in an address or a header, "" if there is none."""
    if address == "*":
        return address
    try:
        return urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""


_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
