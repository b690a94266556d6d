"""``kan-widgets runs``: the recordings of a folder, on a page that stays up to date, or printed."""

import argparse
import html
import json
import math
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from kan_widgets.cli.hub import Hub
from kan_widgets.cli.recordings import follow_in, serve, server_of
from kan_widgets.cli.serving import Refused, Server
from kan_widgets.live import Replay
from kan_widgets.live.frames.progress import ENDED, behind, duration, word
from kan_widgets.live.frames.scalars import loss_of
from kan_widgets.live.recordings.glance import Glance, newest
from kan_widgets.live.recordings.places import Place
from kan_widgets.live.recordings.reader import NoRecording
from kan_widgets.live.recordings.segments import SIGN_SECONDS
from kan_widgets.printed import lines_of, progress

if TYPE_CHECKING:
    from kan_widgets.widgets.shell.options import Theme

_HEAD = ("run", "model", "step", "latest loss", "training time", "state", "frames", "started", "MB")
_THUMBNAIL = 260  # its width in pixels
_PICTURES = 256  # kept at most
_COMPARED = 7
_AT_ONCE = 8  # recordings asked: those on another machine take their time to answer
_SOON = 2.0  # seconds between two looks at a run, after news
_GROWTH = 1.5  # factor of each pause without news, up to that between its writer's signs
_LONGEST = 30.0  # seconds between two looks at a run that is over: it may be continued
_REST = 10  # the folder is listed, or a picture drawn, again after this multiple of what that took
_KEPT_SECONDS = 60.0  # a run that was opened is closed once no page has heard of it for this long


def runs(options: argparse.Namespace) -> int:
    """List the recordings of a folder: on a page, or printed."""
    folder = Place(options.folder)
    if not folder.is_folder():
        raise FileNotFoundError(f"{folder} is not a folder: give the one that holds recordings")
    if not options.table and not options.json:
        with closing(server_of(options)) as server:
            board = Board(folder, server, "dark" if options.dark else "auto")
            threading.Thread(target=board.keep, daemon=True).start()
            return serve(server, f"runs in {folder}", options)
    board = Board(folder)
    board.look(patience=1.0)
    if options.json:
        print(json.dumps([run.facts for run in board.runs], indent=1))
        return 0
    if not board.runs:
        raise FileNotFoundError(
            f"{folder} holds no recording: live.save(path) and live.record(path) write them"
        )
    print("\n".join(lines_of([_HEAD, *(run.words for run in board.runs)])))
    return 0 if any(run.seen.header for run in board.runs) else 1


class BoardRow:
    """A recording on the board."""

    def __init__(self, folder: Place, path: str) -> None:
        self.path = f"{folder}/{path}"
        self.name = path.removesuffix(".npz")
        self.id = sha256(path.encode(errors="surrogatepass")).hexdigest()[:12]
        """Name by which its page is asked for."""
        self.seen = Glance(self.path)
        self.problem = ""
        """Why the recording cannot be read; else empty."""
        self.is_none = False
        """Whether the path is no recording."""
        self.due = float("-inf")
        """When the run is to be looked at again."""
        self.row = ""
        """The run's row as pages show it."""
        self.pictured = -1
        """The step of the latest picture."""
        self._pause = _SOON

    def look(self) -> None:
        """See how the run stands: one small request while nothing has come."""
        problem, has_news = self.problem, False
        try:
            has_news = self.seen.look()
            self.problem = ""
        except NoRecording as error:
            self.is_none = True
            print(f"left out: {error}", file=sys.stderr)
        except (OSError, ValueError) as error:
            self.problem = str(error)
            if not problem:
                print(f"unreadable: {error}", file=sys.stderr)
        self._pause = _SOON if has_news else min(_GROWTH * self._pause, SIGN_SECONDS)
        self.due = time.monotonic() + (self._pause if self.seen.is_alive else _LONGEST)

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of the run, for a script."""
        facts: dict[str, Any] = {"run": self.name, "path": self.path, "problem": self.problem}
        if not self.seen.header:
            none = {"state": "unreadable", "words": "unreadable", "alive": False, "alarms": []}
            return facts | none
        head, latest, stands = self.seen.header, self.seen.latest, self.seen.standing
        progress, words = latest.status.progress, stands.words
        if stands.state in ENDED:
            words += behind(progress.step, latest.step)
        # JSON has no NaN.
        numbers = {n: v if math.isfinite(v) else repr(v) for n, v in latest.values.items()}
        return facts | {
            "state": stands.state,
            "words": words,
            "alive": self.seen.is_alive,
            "alarms": [alarm["text"] for alarm in latest.status.notices["alarms"]],
            "model": head["model"],
            "step": max(latest.step, progress.step),
            "loss": numbers.get(loss_of(numbers)),
            "values": numbers,
            "seconds": progress.elapsed,
            "frames": latest.frames,
            "started": head["started"],
            "bytes": self.seen.nbytes,
        }

    @property
    def words(self) -> tuple[str, ...]:
        """The run's row in a printed list."""
        facts = self.facts
        if not self.seen.header:
            return (self.name, *[""] * 4, "unreadable", *[""] * 3)
        loss, alarms = loss_of(facts["values"]), len(facts["alarms"])
        return (
            self.name,
            facts["model"],
            f"{facts['step']:,}",
            f"{loss} {float(facts['loss']):.4g}" if loss else "none logged",
            duration(facts["seconds"] or None) or "–",
            facts["words"] + (f", {alarms} alarm{'' if alarms == 1 else 's'}" if alarms else ""),
            f"{facts['frames']:,}",
            facts["started"].partition("+")[0].replace("T", " "),
            f"{facts['bytes'] / 1e6:.1f}",
        )

    def written(self, redraws: bool) -> str:
        """Return the run's row as HTML; with a picture of its newest frame if it ``redraws``."""
        name, *words = map(html.escape, self.words)
        facts, pictures = self.facts, ""
        if facts.get("frames"):
            if redraws or self.pictured < 0:
                self.pictured = facts["step"]
            for theme in ("light", "dark"):
                address = f"picture?of={self.id}&amp;step={self.pictured}&amp;theme={theme}"
                pictures += (
                    f'<img class="kw-page-{theme}" width="{_THUMBNAIL}" loading="lazy"'
                    f' alt="kernels of {name}, step {self.pictured:,}" src="{address}">'
                )
        cells = dict(zip(_HEAD, (f'<a href="run/{self.id}/">{name}</a>', *words), strict=True))
        for more in filter(None, [*facts["alarms"], self.problem]):
            cells["state"] += f"<p>{html.escape(more)}</p>"
        row = "".join(f'<td data-head="{head}">{cell}</td>' for head, cell in cells.items())
        state = "alive" if facts["alive"] else facts["state"]
        return f'<tr id="run-{self.id}" data-state="{state}"><td>{pictures}</td>{row}</tr>'


@lru_cache(_PICTURES)
def _picture(path: str, step: int, theme: "Theme") -> bytes:
    """Return the kernels of a run as they were at a step, or later, as PNG."""
    from kan_widgets.widgets.kernel_grid import picture_of
    from kan_widgets.widgets.shell.drawing_engine import png_bytes

    run = newest(path)
    # Drawn larger than it is shown: a picture to recognise a run by, not to read.
    width, high = 3 * _THUMBNAIL, 2 * _THUMBNAIL
    return png_bytes(picture_of(run, run.frame, width=width, max_height=high, theme=theme))


class Board:
    """The recordings of a folder: looked at while a page shows them."""

    def __init__(
        self, folder: Place, server: Server | None = None, theme: "Theme" = "auto"
    ) -> None:
        self._folder, self._theme = folder, theme
        self._hub = Hub() if server is None else server.hub
        self._known: dict[str, BoardRow] = {}  # by path
        self._caption = ""
        self._list_at = self._draw_at = float("-inf")
        self._open: dict[str, tuple[Hub, list[Replay]]] = {}
        self._looking, self._opening = threading.Lock(), threading.Lock()
        self._painter = ThreadPoolExecutor(1)  # the engine that draws stays in its thread
        if server is not None:
            server.hub.page, server.opened, server.picture = self._page, self._opened, self._picture

    @property
    def runs(self) -> list[BoardRow]:
        """The recordings, the latest first; last those that cannot be read."""
        rows = [run for run in list(self._known.values()) if not run.is_none]
        return sorted(rows, key=lambda run: str(run.facts.get("started", "")), reverse=True)

    def look(self, patience: float = math.inf) -> None:
        """Look at the runs that are due, and tell the page what is new.

        After ``patience`` seconds the progress of this is printed.
        """
        with self._looking:
            if (start := time.monotonic()) >= self._list_at:
                paths, before = self._folder.recordings(), self._known
                self._known = {
                    path: before.get(path) or BoardRow(self._folder, path) for path in paths
                }
                for path in before.keys() - self._known.keys():
                    self._tell(f"run-{before[path].id}", "")
                took = time.monotonic() - start
                self._list_at = start + max(_LONGEST, _REST * took)
            due = [run for run in self._known.values() if run.due <= start and not run.is_none]
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                looks = pool.map(BoardRow.look, due)
                for _ in progress(due, "recordings", patience):
                    next(looks)
            redraws, rows = start >= self._draw_at, self.runs
            for run in rows[::-1]:  # a new one comes before those that are there
                if (row := run.written(redraws)) != run.row:
                    run.row = row
                    self._tell(f"run-{run.id}", row)
            if (caption := _caption(rows)) != self._caption:
                self._caption = caption
                self._tell("kw-runs-said", caption)

    def keep(self) -> None:
        """Look again and again, while a page is open."""
        while not self._hub.is_over:
            try:
                if self._hub.unheard < _KEPT_SECONDS:
                    self.look()
            except OSError as error:
                print(f"{self._folder} cannot be read at the moment: {error}", file=sys.stderr)
            with self._opening:
                for name, (hub, shown) in list(self._open.items()):
                    if hub.unheard > _KEPT_SECONDS:
                        del self._open[name]
                        for run in shown:
                            run.close()
            time.sleep(_SOON / 4)

    def _tell(self, part: str, text: str) -> None:
        self._hub.put({"id": part, "html": text})

    def _page(self) -> bytes:
        from kan_widgets.widgets.pages.live_page import live_page

        self.look()
        heard, rows = self._hub.last, self.runs
        about = f"All that is recorded in {self._folder}; click the name of a run to follow it."
        head = "".join(f'<th scope="col">{word}</th>' for word in ("kernels", *_HEAD))
        table = (
            f'<div class="kw-page-runs"><table>{_caption(rows)}<thead><tr>{head}</tr></thead>'
            f"<tbody>{''.join(run.row for run in rows)}</tbody></table></div>"
        )
        title = f"Runs in {self._folder.name}"
        return live_page([], title, about, theme=self._theme, heard=heard, before=table)

    def _found(self, name: str) -> BoardRow:
        for run in self.runs:
            if run.id == name:
                return run
        raise Refused(HTTPStatus.NOT_FOUND, f"{name!r:.80} is no run of the board: go back there")

    def _opened(self, name: str) -> Hub:
        """Return what the page of a run hears."""
        with self._opening:
            if name not in self._open:
                if name == "latest":
                    chosen = [run for run in self.runs if run.facts.get("frames")][:_COMPARED]
                else:
                    chosen = [self._found(name)]
                hub, paths = Hub(), {run.name: run.path for run in chosen}
                self._open[name] = hub, follow_in(hub, paths, 0.0, self._theme)
            return self._open[name][0]

    def _picture(self, name: str, theme: str) -> bytes:
        """Return a picture of a run; drawing takes a tenth of the time at most."""
        if theme not in ("light", "dark"):
            raise ValueError(f"theme={theme!r:.20}: expected light or dark")
        return self._painter.submit(self._drawn, self._found(name), cast("Theme", theme)).result()

    def _drawn(self, run: BoardRow, theme: "Theme") -> bytes:
        start = time.monotonic()
        png = _picture(run.path, run.pictured, theme)
        now = time.monotonic()
        self._draw_at = max(self._draw_at, now) + _REST * (now - start)
        return png


def _caption(rows: list[BoardRow]) -> str:
    """Say how many runs there are, and how they stand."""
    states = Counter(word(run.facts["state"]) for run in rows)
    summary = ", ".join(f"{count} {state}" for state, count in states.most_common())
    if alarmed := sum(bool(run.facts["alarms"]) for run in rows):
        summary += f"; {alarmed} with alarms"
    none = "no recording yet: live.save(path) and live.record(path) write them"
    link = ' · <a href="run/latest/">compare the latest</a>' if len(rows) > 1 else ""
    return f'<caption id="kw-runs-said">{html.escape(summary or none)}{link}</caption>'
