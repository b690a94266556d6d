"""The board of runs that ``kan-widgets runs`` serves."""

from __future__ import annotations

import html
import http.client
import importlib
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

import kan_widgets as kw
from kan_widgets.cli import board as boards
from kan_widgets.cli.board import Board, BoardRow
from kan_widgets.cli.serving import Server
from kan_widgets.live.recordings.glance import Glance, newest
from kan_widgets.live.recordings.places import Place
from kan_widgets.live.recordings.segments import SIGN_SECONDS


class Recorded:
    """A run that is recorded, step by step."""

    def __init__(self, path: Path) -> None:
        self.model = kw.nn.KANLinear(3, 2)
        self.live = kw.bind(self.model)
        self.recorder = self.live.record(path)
        self.step(0.5)

    def step(self, loss: float) -> None:
        self.model.spline_weight.data += 1
        self.live.step()
        self.live.log(loss=loss)
        self.live.refresh()
        self.recorder.flush()

    def close(self) -> None:
        self.recorder.close()
        self.live.close()


class Served:
    """A board with its server."""

    def __init__(self, folder: Path) -> None:
        self.server = Server()
        self.board = Board(Place(folder), self.server)
        threading.Thread(target=self.server.serve, daemon=True).start()

    def ask(self, place: str = "", method: str = "GET", body: Any = None) -> tuple[int, bytes]:
        url = urlsplit(self.server.address)
        connection = http.client.HTTPConnection(url.netloc, timeout=20)
        said = None if body is None else json.dumps(body)
        connection.request(method, url.path + place, said, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def look(self) -> dict[str, str]:
        """Look at all, and return what the page is told."""
        before = self.server.hub.last
        self.board._list_at = float("-inf")
        for run in self.board.runs:
            run.due = float("-inf")
        self.board.look()
        news = self.server.hub.after(before, seconds=0)
        assert news is not None
        told = [json.loads(text) for _, text in news]
        return {each["id"]: each["html"] for each in told}

    def run(self, name: str) -> BoardRow:
        [found] = [run for run in self.board.runs if run.name == name]
        return found


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    made.server.close()


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Recorded]:
    made = Recorded(tmp_path / "a run")
    yield made
    made.close()


def cells(row: str) -> dict[str, str]:
    found = re.findall(r'<td data-head="(.*?)">(.*?)</td>', row)
    return {head: html.unescape(re.sub("<.*?>", " ", cell)).strip() for head, cell in found}


def died(place: Path) -> None:
    """Have a recording say that its writer was heard of two hours ago."""
    index = place / "index.jsonl"
    said = re.sub(r'"alive": [\d.]+', f'"alive": {time.time() - 7200}', index.read_text("utf-8"))
    index.write_text(said, "utf-8")


def test_the_board_shows_each_run_with_its_loss_its_alarms_and_whether_it_lives(
    served: Served, recorded: Recorded, tmp_path: Path
) -> None:
    other = Recorded(tmp_path / "other")
    other.live.log(loss=float("nan"))
    other.live.watchdog.look()
    other.step(float("nan"))
    other.recorder.close()
    other.live.close()
    lost = Recorded(tmp_path / "lost")
    died(tmp_path / "lost")
    (tmp_path / "none.npz").write_bytes(b"no recording")
    status, page = served.ask()
    rows = {cells(row)["run"]: row for row in re.findall("<tr id=.*?</tr>", page.decode())}
    assert status == 200
    assert rows.keys() == {"a run", "other", "lost"}
    assert 'data-state="alive"' in rows["a run"]
    assert cells(rows["a run"])["latest loss"] == "loss 0.5"
    assert cells(rows["a run"])["step"] == "1"
    assert 'data-state="alive"' not in rows["other"]
    assert "1 alarm loss is not a number since step 1." in re.sub(
        " +", " ", cells(rows["other"])["state"]
    )
    assert 'data-state="died"' in rows["lost"]
    assert re.match(r"died: no sign of process \d+ on .+ for 2 h", cells(rows["lost"])["state"])
    assert b"; 1 with alarms" in page
    lost.close()


def test_what_is_new_is_told_and_nothing_else(
    served: Served, recorded: Recorded, tmp_path: Path
) -> None:
    served.board.look()
    first = f"run-{served.run('a run').id}"
    assert served.look() == {}
    recorded.step(0.25)
    told = served.look()
    assert cells(told[first])["latest loss"] == "loss 0.25"
    assert cells(told[first])["step"] == "2"
    other = Recorded(tmp_path / "deep")
    told = served.look()
    assert cells(told[f"run-{served.run('deep').id}"])["run"] == "deep"
    assert "compare the latest" in told["kw-runs-said"]
    name = f"run-{served.run('deep').id}"
    other.close()
    for each in sorted((tmp_path / "deep").iterdir()):
        each.unlink()
    (tmp_path / "deep").rmdir()
    assert served.look()[name] == ""


def test_a_look_is_one_small_request_of_each_run_that_is_due_and_they_come_less_often(
    served: Served, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = Place.read

    def counted(place: Place, name: str) -> bytes:
        read.append(name)
        return real(place, name)

    monkeypatch.setattr(Place, "read", counted)
    served.board.look()
    assert read == ["index.jsonl"]
    served.board.look()
    assert read == ["index.jsonl"], "it is looked at again before it is due"
    run, pauses = served.run("a run"), []
    for _ in range(12):
        run.look()
        pauses.append(run._pause)
    assert read == ["index.jsonl"] * 13
    assert pauses == sorted(pauses)
    assert pauses[-1] == SIGN_SECONDS
    recorded.step(0.25)
    run.look()
    assert run._pause == boards._SOON


def test_a_glance_needs_the_index_alone_and_says_what_a_replay_says(
    recorded: Recorded, tmp_path: Path
) -> None:
    recorded.step(0.25)
    run = kw.replay(tmp_path / "a run")
    for segment in (tmp_path / "a run").glob("*.npz"):
        segment.rename(segment.with_suffix(".away"))
    seen = Glance(tmp_path / "a run")
    assert seen.look()
    latest = seen.latest
    assert (latest.frames, latest.step) == (run.frames, run.frame.step)
    assert latest.values == {"loss": 0.25}
    assert latest.status == run.feed.status
    assert not seen.look()


@pytest.mark.parametrize(
    "latest",
    [None, [], {"frames": "many"}, {"values": {"loss": []}}, {"status": {"progress": 3}}],
)
def test_an_index_that_says_nonsense_is_said_and_the_others_are_shown(
    served: Served, recorded: Recorded, tmp_path: Path, latest: Any
) -> None:
    (tmp_path / "bad").mkdir()
    first, *others = (tmp_path / "a run/index.jsonl").read_text("utf-8").splitlines()
    head = json.loads(first) | {"latest": latest}
    (tmp_path / "bad/index.jsonl").write_text("\n".join([json.dumps(head), *others, ""]), "utf-8")
    served.board.look()
    rows = {run.name: run.facts for run in served.board.runs}
    assert rows["bad"]["state"] == "unreadable"
    assert "is damaged" in rows["bad"]["problem"]
    assert rows["a run"]["alive"]


def test_the_picture_is_of_the_newest_frame_of_which_alone_is_read(
    served: Served, recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for loss in (0.4, 0.3, 0.2):
        recorded.step(loss)
    served.board.look()
    address = re.search('src="(picture.*?light)"', served.run("a run").row)
    assert address
    status, png = served.ask(html.unescape(address[1]))
    assert status == 200
    assert Image.open(io.BytesIO(png)).size[0] >= 2 * boards._THUMBNAIL
    run = newest(tmp_path / "a run")
    whole = kw.replay(tmp_path / "a run")
    assert np.array_equal(run.frame.data, whole.frame.data)
    assert run.frames < whole.frames
    assert served.ask(f"picture?of={served.run('a run').id}&theme=pink")[0] == 400
    assert served.ask("picture?of=nobody&theme=dark")[0] == 404


def test_the_newest_frame_is_found_where_its_layout_came_in_between(tmp_path: Path) -> None:
    model = kw.nn.KANLinear(3, 2)
    live = kw.bind(model)
    with live.record(tmp_path / "run") as recorder:
        recorder.flush()
        kw.nn.refine(model, 12)
        for _ in range(3):
            model.spline_weight.data += 1
            live.step()
            live.refresh()
            recorder.flush()
    live.close()
    run, whole = newest(tmp_path / "run"), kw.replay(tmp_path / "run")
    assert run.frame.step == whole.frame.step
    assert np.array_equal(run.frame.data, whole.frame.data)


def test_a_click_follows_a_run_which_is_closed_when_its_page_is(
    served: Served, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.board.look()
    there = f"run/{served.run('a run').id}/"
    heard = served.server.hub.last
    status, page = served.ask(there)
    assert status == 200
    assert b'"module":"Dashboard"' in page
    assert served.server.hub.last == heard, "the board's page hears what is for another"
    model = re.search(rb'"id":"(\w+)","module":"KernelGrid"', page)
    assert model
    said = {"id": model[1].decode(), "method": "update", "state": {"mode": "pattern"}}
    assert served.ask(f"{there}messages", "POST", said)[0] == 204
    assert b'"mode":"pattern"' in served.ask(there)[1]
    status, words = served.ask("run/nobody/")
    assert (status, words) == (404, b"'nobody' is no run of the board: go back there")
    [(_, [run])] = served.board._open.values()
    assert run.is_following
    monkeypatch.setattr(boards, "_KEPT_SECONDS", -1.0)
    threading.Thread(target=served.board.keep, daemon=True).start()
    while served.board._open:
        time.sleep(0.01)
    while run.is_following:
        time.sleep(0.01)
    assert served.ask(there)[0] == 200


def test_the_latest_are_compared_on_a_page(
    served: Served, recorded: Recorded, tmp_path: Path
) -> None:
    other = Recorded(tmp_path / "other")
    served.board.look()
    status, page = served.ask("run/latest/")
    assert status == 200
    assert b'"module":"Compare"' in page
    assert b"<h1>" in page
    other.close()


def test_a_board_without_runs_says_how_they_come(served: Served) -> None:
    status, page = served.ask()
    assert status == 200
    assert b"no recording yet: live.save(path) and live.record(path) write them" in page


def test_folders_whose_names_begin_with_a_dot_are_passed_over(
    served: Served, recorded: Recorded, tmp_path: Path
) -> None:
    (tmp_path / ".venv").mkdir()
    recorded.live.save(tmp_path / ".venv" / "hidden.npz")
    recorded.live.save(tmp_path / "shown.npz")
    served.board.look()
    assert {run.name for run in served.board.runs} == {"a run", "shown"}


def test_the_tile_of_jupyter_opens_the_board_behind_its_proxy(
    recorded: Recorded, tmp_path: Path
) -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    group = r'\n\[project.entry-points.jupyter_serverproxy_servers\]\n(\S+) = "(\S+):(\w+)"\n'
    [(name, module, function)] = re.findall(group, project)
    tile = getattr(importlib.import_module(module), function)()
    assert tile["launcher_entry"]["path_info"].startswith(f"{name}/")
    command = [part.format(port=0, base_url="/user/me/") for part in tile["command"]]
    started = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
        | tile["environment"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert started.stdout is not None
        address = re.search(r"http://(127\.0\.0\.1:\d+)/(\S+)/", started.stdout.readline())
        assert address
        token = tile["launcher_entry"]["path_info"].split("/")[1]
        assert address[2] == token
        assert token not in " ".join(command), "who lists the processes can read it"
        connection = http.client.HTTPConnection(address[1], timeout=60)
        # As jupyter-server-proxy hands it on: the browser's own Host, the prefix taken away.
        prefix = "/user/me/kan-widgets"
        headers = {"Host": "hub.example", "X-Forwarded-Prefix": prefix}
        connection.request("GET", f"/{token}/", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        assert b">a run</a>" in answer.read()
        connection.close()
    finally:
        started.kill()
        started.communicate()
