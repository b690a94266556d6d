"""The local server behind ``kan-widgets follow``."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import comm
import numpy as np
import pytest

import kan_widgets as kw
from kan_widgets.cli.hub import Hub
from kan_widgets.cli.serving import Refused, Server
from kan_widgets.widgets.pages.live_page import live_page


class Followed:
    """A run that is followed, with the server of its page."""

    def __init__(self, path: Path) -> None:
        self.model = kw.nn.KANLinear(3, 2)
        self.live = kw.bind(self.model)
        self.recorder = self.live.record(path)
        self.recorder.flush()
        self.server = Server()
        self.run = kw.follow(path, interval=0.02)
        self.view = kw.Dashboard(self.run)
        self.server.hub.page = lambda: live_page(
            [self.view], "a <run>", "follows", theme="auto", heard=self.server.hub.last
        )
        threading.Thread(target=self.server.serve, daemon=True).start()

    def ask(
        self, method: str, place: str = "", body: Any = None, **headers: str
    ) -> tuple[int, bytes]:
        url = urlsplit(self.server.address)
        connection = http.client.HTTPConnection(url.netloc, timeout=10)
        path = place if place.startswith("/") else url.path + place
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, None if body is None else json.dumps(body), named)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def event(self, heard: int, kind: str) -> dict[str, Any]:
        """Return the next message of a kind, as a page gets it."""
        url = urlsplit(self.server.address)
        connection = http.client.HTTPConnection(url.netloc, timeout=60)
        connection.request("GET", f"{url.path}events?from={heard}")
        answer = connection.getresponse()
        assert answer.getheader("Content-Type") == "text/event-stream"
        end = time.monotonic() + 60
        while True:
            line = answer.readline().decode()
            assert time.monotonic() < end, f"no {kind}: {self.run!r}, {stacks()}"
            if line.startswith("data: "):
                found: dict[str, Any] = json.loads(line.removeprefix("data: "))
                if found.get("content", {}).get("kind") == kind:
                    connection.close()
                    return found


def stacks() -> str:
    """Say where each thread is."""
    frames = sys._current_frames().values()
    return "\n".join("".join(traceback.format_stack(frame)) for frame in frames)


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Followed]:
    before = comm.create_comm
    made = Followed(tmp_path / "run.npz")
    yield made
    made.server.close()
    made.run.close()
    made.recorder.close()
    assert comm.create_comm is before, "widgets made from now on still talk to a page that ended"


def content_of(page: bytes) -> dict[str, Any]:
    found = re.search(rb'id="kw-saved">(.*?)</script>', page, re.S)
    packed = re.search(rb'id="kw-bytes">(.*?)</script>', page, re.S)
    assert found is not None
    assert packed is not None
    zlib.decompress(base64.b64decode(packed[1]))
    content: dict[str, Any] = json.loads(found[1])
    return content


JSON = {"Content_Type": "application/json"}


def test_the_page_holds_every_view_and_where_its_news_begin(followed: Followed) -> None:
    status, page = followed.ask("GET")
    content = content_of(page)
    assert status == 200
    assert content["heard"] == followed.server.hub.last
    known = {model["id"]: model["module"] for model in content["streams"] + content["models"]}
    assert known[followed.view.model_id] == "Dashboard"
    assert sorted(known.values()).count("Stream") == 1
    assert {view.model_id for view in followed.view.views} < set(known)
    assert b"<h1>a &lt;run&gt;</h1>" in page
    assert b"connect-src 'self'" in page


def test_a_frame_of_the_run_reaches_the_page(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where processors are taken a frame waits, and may then come as the state at rest.
    monkeypatch.setattr("kan_widgets.widgets.wire.outbox._LONG_WAITS", 1)
    heard = followed.server.hub.last
    followed.model.spline_weight.data += 1
    frame = followed.live.refresh()
    followed.recorder.flush()
    message = followed.event(heard, "frame")
    [data] = message["buffers"]
    assert base64.b64decode(data) == frame.data.tobytes()


def test_what_the_page_says_reaches_its_widget(followed: Followed) -> None:
    grid = followed.view.grid
    said = {"id": grid.model_id, "method": "update", "state": {"mode": "pattern"}}
    assert followed.ask("POST", "messages", said, **JSON)[0] == 204
    assert grid.mode == "pattern"
    told: list[tuple[Any, Any]] = []
    grid.on_msg(lambda _, content, buffers: told.append((content, buffers)))
    custom = {"id": grid.model_id, "method": "custom", "content": {"kind": "x"}, "buffers": []}
    assert followed.ask("POST", "messages", custom, **JSON)[0] == 204
    assert told == [({"kind": "x"}, [])]


def test_bytes_of_the_page_come_to_their_place(followed: Followed) -> None:
    drawing = np.arange(4, dtype="<f4")
    said = {
        "id": followed.view.network.model_id,
        "method": "update",
        "state": {"drawing": {"shape": [1, 1, 2, 2], "data": None}},
        "buffer_paths": [["drawing", "data"]],
        "buffers": [base64.b64encode(drawing.tobytes()).decode()],
    }
    assert followed.ask("POST", "messages", said, **JSON)[0] == 204
    assert followed.view.network.drawing.tolist() == [[0.0, 1.0], [2.0, 3.0]]


def test_who_has_not_the_token_or_comes_from_elsewhere_gets_nothing(followed: Followed) -> None:
    token = urlsplit(followed.server.address).path
    wrong = "/" + "x" * (len(token) - 2) + "/"
    grid = followed.view.grid
    said = {"id": grid.model_id, "method": "update", "state": {"mode": "pattern"}}
    for place in ("/", wrong, token[:-2] + "/"):
        status, words = followed.ask("GET", place)
        assert status == 404
        assert b"has not the token of this page: expected the whole address" in words
        assert token.strip("/").encode() not in words
    assert followed.ask("POST", wrong + "messages", said, **JSON)[0] == 404
    assert followed.ask("GET", token + "none")[0] == 404
    for host in ("evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "*", ""):
        assert followed.ask("GET", "", Host=host)[0] == 403
    for origin in ("http://evil.example", "null", "http://localhost.evil.example:80", "http://["):
        elsewhere = {**JSON, "Origin": origin}
        assert followed.ask("POST", "messages", said, **elsewhere)[0] == 403
    assert followed.ask("POST", "messages", said, Content_Type="text/plain")[0] == 400
    assert followed.ask("POST", "messages", ["no message"], **JSON)[0] == 400
    assert followed.ask("POST", "messages", {"id": "nobody", "method": "custom"}, **JSON)[0] == 204
    assert grid.mode == "auto"


def test_a_host_that_is_not_allowed_is_told_which_flag_allows_it(followed: Followed) -> None:
    _, words = followed.ask("GET", Host="hub.example:443")
    assert b"Host 'hub.example:443' is not allowed: expected 127.0.0.1, ::1, localhost" in words
    assert b"start kan-widgets again with --allow-host hub.example" in words
    _, words = followed.ask("POST", "messages", {}, Origin="https://hub.example", **JSON)
    assert b"Origin 'https://hub.example' is not allowed" in words
    assert b"--allow-host hub.example" in words


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:1", "[::1]:9000", "LOCALHOST"])
def test_a_forwarded_port_needs_no_flag(followed: Followed, host: str) -> None:
    said = {"id": followed.view.grid.model_id, "method": "update", "state": {"mode": "pattern"}}
    from_there = {**JSON, "Host": host, "Origin": f"http://{host}"}
    assert followed.ask("GET", Host=host)[0] == 200
    assert followed.ask("POST", "messages", said, **from_there)[0] == 204
    assert followed.view.grid.mode == "pattern"


@pytest.mark.parametrize("prefix", ["", "/user/me/proxy/8000", "/user/me/proxy/absolute/8000/"])
def test_a_proxy_may_take_its_prefix_away_or_leave_it(followed: Followed, prefix: str) -> None:
    path = urlsplit(followed.server.address).path
    for place in (path, prefix.rstrip("/") + path):
        status, page = followed.ask("GET", place, X_Forwarded_Prefix=prefix)
        assert (status, b"<h1>a &lt;run&gt;</h1>" in page) == (200, True)
        said = {"id": followed.view.grid.model_id, "method": "custom", "content": {}}
        forwarded = {**JSON, "X_Forwarded_Prefix": prefix}
        assert followed.ask("POST", place + "messages", said, **forwarded)[0] == 204


def test_an_address_without_its_last_slash_leads_to_the_page_wherever_that_is(
    followed: Followed,
) -> None:
    url = urlsplit(followed.server.address)
    connection = http.client.HTTPConnection(url.netloc, timeout=10)
    connection.request("GET", "/prefix" + url.path.rstrip("/"))
    answer = connection.getresponse()
    connection.close()
    there = urljoin(f"http://{url.netloc}/prefix{url.path.rstrip('/')}", answer.headers["Location"])
    assert (answer.status, there) == (308, f"http://{url.netloc}/prefix{url.path}")


@pytest.mark.parametrize(
    ("given", "host", "address"),
    [
        ({"hosts": ["hub.example"]}, "hub.example:8443", "http://127.0.0.1:{port}/"),
        ({"hosts": ["https://hub.example/x"]}, "hub.example", "http://127.0.0.1:{port}/"),
        ({"hosts": ["*"]}, "hub.example", "http://127.0.0.1:{port}/"),
        ({"base_url": "/node/n1/8000/"}, "localhost", "http://127.0.0.1:{port}/node/n1/8000/"),
        ({"base_url": "https://hub.example/p"}, "hub.example", "https://hub.example/p/"),
    ],
)
def test_a_name_that_is_allowed_is_answered_with_its_own_pages_alone(
    given: dict[str, Any], host: str, address: str
) -> None:
    with closing(Server(**given)) as server:
        port = server.server_port
        assert server.address.startswith(address.format(port=port))
        path = urlsplit(server.address).path + "events"
        assert server.place(path, {"Host": host, "Origin": f"https://{host}"}) == ["events"]
        with pytest.raises(Refused):
            server.place(path, {"Host": host, "Origin": "https://evil.example"})


@pytest.mark.parametrize("url", ["proxy/8000", "//", "https:///path"])
def test_what_is_no_base_url_is_said(url: str) -> None:
    with pytest.raises(ValueError, match=r"--base-url .*: expected a path such as /user/me"):
        Server(base_url=url)


def test_who_starts_it_may_choose_a_token_that_cannot_be_guessed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KAN_WIDGETS_TOKEN", "x" * 16)
    with closing(Server()) as server:
        assert server.address.endswith(f"/{'x' * 16}/")
    for short in ("x" * 15, "x" * 20 + "/"):
        monkeypatch.setenv("KAN_WIDGETS_TOKEN", short)
        with pytest.raises(ValueError, match="at least 16 letters"):
            Server()


def test_a_page_changes_what_it_may_choose_and_nothing_else(followed: Followed) -> None:
    grid = followed.view.grid
    content = content_of(followed.ask("GET")[1])
    streams = [model["id"] for model in content["streams"]]
    for id, state in [
        (grid.model_id, {"stream": None}),
        (grid.model_id, {"mode": "pattern", "kind": "Explain"}),
        (grid.model_id, {"linked": []}),
        (grid.model_id, {"_esm": "alert(1)"}),
        (followed.view.model_id, {"parts": []}),
        (streams[0], {"layouts": []}),
        (streams[0], []),
    ]:
        said = {"id": id, "method": "update", "state": state}
        assert followed.ask("POST", "messages", said, **JSON)[0] == 400
    assert followed.ask("GET")[0] == 200
    assert content_of(followed.ask("GET")[1])["models"] == content["models"]
    for id, state in [
        (grid.model_id, {"selection": {}, "cursor": 0, "mode": "pattern"}),
        (streams[0], {"cursor": 0, "ghost_step": 0, "selection": {}}),
    ]:
        said = {"id": id, "method": "update", "state": state}
        assert followed.ask("POST", "messages", said, **JSON)[0] == 204
    assert (grid.mode, grid.cursor) == ("pattern", 0)


@pytest.mark.parametrize(
    ("request_line", "headers", "body"),
    [
        ("POST {path}messages", {"Content-Length": "many"}, b""),
        ("POST {path}messages", {"Content-Length": "-5"}, b""),
        ("POST {path}messages", {"Content-Length": "9" * 5000}, b""),
        ("POST {path}messages", {}, b""),
        ("POST {path}messages", {"Content-Length": "100000"}, b"[" * 100_000),
        ("POST {path}messages", {"Content-Length": "2"}, b"[]"),
        ("POST {path}messages", {"Content-Length": "4"}, b"\xff\xfe{}"),
        ("GET {path}events?from=all", {}, b""),
        ("GET {path}events", {"Last-Event-ID": "9" * 5000}, b""),
        ("GET http://[", {}, b""),
    ],
)
def test_what_is_no_request_of_a_page_is_refused_in_quiet(
    followed: Followed,
    request_line: str,
    headers: dict[str, str],
    body: bytes,
    capfd: pytest.CaptureFixture[str],
) -> None:
    url = urlsplit(followed.server.address)
    lines = [f"{request_line.format(path=url.path)} HTTP/1.1", f"Host: {url.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += ["Content-Type: application/json", "", ""]
    with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        answer = connection.makefile("rb").readline()
    assert answer == b"HTTP/1.1 400 Bad Request\r\n"
    assert followed.ask("GET")[0] == 200
    assert capfd.readouterr().err == ""


def test_a_page_that_missed_too_much_is_loaded_anew() -> None:
    hub = Hub(kept_bytes=60)
    for number in range(5):
        hub.put({"id": "a", "number": number})
    assert hub.after(4, seconds=0) == [(5, '{"id": "a", "number": 4}')]
    assert hub.after(0, seconds=0) is None
    assert hub.after(9, seconds=0) is None  # of another server


def test_the_server_can_be_reached_from_this_machine_alone(followed: Followed) -> None:
    assert followed.server.server_address[0] == "127.0.0.1"


def test_a_page_that_is_behind_gets_the_latest_frames_and_all_else() -> None:
    hub = Hub()
    for number in range(20):
        for kind in ("frame", "heard"):
            hub.put({"id": "a", "content": {"kind": kind, "number": number}})
    hub.put({"id": "b", "content": {"kind": "frame", "number": 0}})
    found = hub.after(0, seconds=0)
    assert found is not None
    said = [(json.loads(text)["id"], json.loads(text)["content"]) for _, text in found]
    frames = [(of, each["number"]) for of, each in said if each["kind"] == "frame"]
    assert frames == [("a", 16), ("a", 17), ("a", 18), ("a", 19), ("b", 0)]
    assert [each["number"] for _, each in said if each["kind"] == "heard"] == list(range(20))
    assert [number for number, _ in found] == sorted(number for number, _ in found)


def test_at_all_addresses_of_the_machine_its_own_name_is_taken_and_who_can_reach_it_is_said() -> (
    None
):
    with closing(Server(listens="0.0.0.0")) as server:
        name = socket.gethostname()
        assert re.fullmatch(rf"http://{name}:\d+/[\w-]+/", server.address)
        assert "Whoever reaches port" in server.warning
        token = urlsplit(server.address).path
        assert server.place(token, {"Host": f"{name}:9000"}) == [""]
        with pytest.raises(Refused, match="not allowed"):
            server.place(token, {"Host": "elsewhere.example"})
        with pytest.raises(Refused, match="has not the token"):
            server.place("/", {"Host": name})
    with closing(Server()) as server:
        assert (server.warning, urlsplit(server.address).hostname) == ("", "127.0.0.1")


@pytest.mark.parametrize("address", ["192.0.2.1", "no such host"])
def test_an_address_of_another_machine_is_refused_in_words(address: str) -> None:
    words = rf"--host {address} --port 0: expected an address of this machine, such as 0.0.0.0"
    with pytest.raises(OSError, match=words):
        Server(listens=address)
