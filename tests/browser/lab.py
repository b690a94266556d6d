"""Drive a real JupyterLab in a real Chromium: the server, the notebook page and one grid on it."""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

import nbformat
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import ConsoleMessage, Error, Page, WebSocket
from playwright.sync_api import Request as PageRequest

from tests.forked_kernels import ForkServer

CHECKOUT = Path(__file__).parents[2]

# A test that usually takes 15 s has been seen to take 180 s on a busy machine, so the limits are
# wide: they only decide how long a test that has already failed goes on waiting.
START_LIMIT = 240.0
RUN_LIMIT = 300.0

NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A picture that is saved has its letters where the screen has them.
    "--font-render-hinting=none",
]

# JupyterLab keeps asking whether it may fetch news unless told; autosave would rewrite the
# notebook at a moment no test has chosen.
SETTINGS: dict[str, dict[str, object]] = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}

# Python for a notebook: with it a cell waits until the test calls `LabPage.let_go`.
WAIT_FOR = """
def wait_for(name):
    import pathlib, time
    while not pathlib.Path(name).exists():
        time.sleep(0.02)
"""

# Python that each kernel runs first. A still, which a view draws beside itself for pages without a
# kernel, costs a small notebook as much as all else.
NO_STILLS = "no-stills"
START_UP = f"""
def _(name):
    import pathlib
    if pathlib.Path(name).exists():
        from kan_widgets.widgets.shell.pictures import Pictured
        def without(view, **options):
            return super(Pictured, view)._repr_mimebundle_(**options)
        Pictured._repr_mimebundle_ = without
_({NO_STILLS!r})
del _
"""

# Complaints in the browser's console that JupyterLab makes without any widget on the page.
# Each is as narrow as it can be; anything else fails the test.
EXPECTED_COMPLAINTS: tuple[re.Pattern[str], ...] = (
    # On a busy machine a model takes longer to start than anywidget waits: its views live on, see
    # test_late.py.
    re.compile(r"\[anywidget\] Failed to initialize model"),
)


def find_chromium() -> str:
    """Give the browser's path: ``$CHROMIUM``, or the first of the usual names on the path.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    given = os.environ.get("CHROMIUM")
    names = [given] if given else NAMES
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    raise FileNotFoundError(
        f"no browser found under {', '.join(names)}; install Chromium, or set CHROMIUM to its path"
    )


def until(condition: Callable[[], Any], what: str, pause: Callable[[], None], limit: float) -> Any:
    """Call ``condition`` until it gives something true, and give that.

    Parameters
    ----------
    condition : callable
        Asked again after each ``pause``.
    what : str
        What is waited for; it ends up in the error.
    pause : callable
        Waits a moment.
    limit : float
        Seconds.

    Raises
    ------
    TimeoutError
        If it stays false for ``limit`` seconds.
    """
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {limit:.0f} s for {what}; the last answer was {value!r}")
        pause()


def until_on(page: Page, condition: Callable[[], Any], what: str, limit: float = RUN_LIMIT) -> Any:
    """Call ``condition`` until it gives something true, while the page's events go on arriving."""
    # Asking takes time from the page that is waited for: seldom, once it has not come at once.
    pauses = chain((20, 30, 50), repeat(100))
    return until(condition, what, lambda: page.wait_for_timeout(next(pauses)), limit)


def decode(picture: bytes) -> NDArray[np.uint8]:
    """Give the pixels of a PNG, (height, width, 3)."""
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB"))


class LabServer:
    """A JupyterLab of its own: own port, token, settings, kernels and notebook folder.

    Use it as a context manager. Only processes started here are ended.

    Parameters
    ----------
    stills : bool
        Whether the views of the notebooks that are written here draw stills, unless told otherwise.
    tree : Path
        The checkout that kernels import the package from.
    """

    def __init__(self, stills: bool = True, tree: Path = CHECKOUT) -> None:
        self._stills = stills
        self._tree = tree
        self.home = Path(tempfile.mkdtemp(prefix="kan-widgets-lab-"))
        self.root = self.home / "notebooks"
        self.root.mkdir()
        self.token = secrets.token_hex(16)
        self.port = 0
        self._log_path = self.home / "server.log"
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        # Another checkout may not have all that is loaded for forks.
        forks = sys.platform == "linux" and tree == CHECKOUT
        self._forks = ForkServer(self._environment()) if forks else None

    @property
    def url(self) -> str:
        """Give the address without the token."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> LabServer:
        """Start the server and wait until it answers."""
        self.reset_settings()
        start = self.home / "ipython" / "profile_default" / "startup" / "stills.py"
        start.parent.mkdir(parents=True)
        start.write_text(START_UP)
        try:
            if self._forks is not None:
                self._forks.__enter__()
            for attempt in range(3):
                self._start()
                if self._wait_for_answer():
                    return self
                if attempt < 2:  # another program may have taken the port in between
                    continue
            raise RuntimeError(f"JupyterLab did not start; its log ends:\n{self.log_tail()}")
        except BaseException:
            self._stop()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Shut the kernels and the server down and remove the folders."""
        try:
            self.shut_kernels()
        finally:
            self._stop()

    def settings_are_kept(self) -> bool:
        """Tell whether the settings are those of the start, whichever theme was chosen since."""
        folder = self.home / "settings"
        found = {
            str(path.relative_to(folder)).removesuffix(".jupyterlab-settings"): path
            for path in folder.rglob("*.jupyterlab-settings")
        }
        found.pop("@jupyterlab/apputils-extension/themes", None)
        return found.keys() == SETTINGS.keys() and all(
            json.loads(path.read_text()) == SETTINGS[name] for name, path in found.items()
        )

    def reset_settings(self) -> None:
        """Put JupyterLab's user settings back to what the tests start from (light theme)."""
        folder = self.home / "settings"
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in SETTINGS.items():
            path = folder / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content))

    def write_notebook(
        self, cells: Sequence[str], name: str = "test.ipynb", stills: bool | None = None
    ) -> str:
        """Write a notebook of code cells into a new folder.

        Its views draw the stills of a saved notebook as `stills` says, or else this server.

        Returns
        -------
        str
            Its path from the server's root.
        """
        content = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],  # type: ignore[no-untyped-call]
            metadata={
                "kernelspec": {
                    "name": "python3",
                    "display_name": "Python 3",
                    "language": "python",
                }
            },
        )
        folder = self._new_folder()
        if not (self._stills if stills is None else stills):
            (folder / NO_STILLS).touch()
        nbformat.write(content, folder / name)  # type: ignore[no-untyped-call]
        return f"{folder.name}/{name}"

    def copy_notebook(self, source: Path) -> str:
        """Copy a notebook into a new folder; give its path from the server's root."""
        folder = self._new_folder()
        shutil.copy(source, folder / source.name)
        return f"{folder.name}/{source.name}"

    def shut_kernels(self) -> None:
        """End every session and kernel of this server."""
        for session in self.request("GET", "/api/sessions"):
            self.request("DELETE", f"/api/sessions/{session['id']}")

    def request(self, method: str, path: str) -> Any:
        """Ask the server's REST interface; give the decoded answer."""
        headers = {"Authorization": f"token {self.token}"}
        with urlopen(Request(self.url + path, headers=headers, method=method), timeout=60) as reply:
            body = reply.read()
        return json.loads(body) if body else None

    def log_tail(self, lines: int = 60) -> str:
        """Give the end of the server's log, which holds what kernels write to stderr too."""
        if not self._log_path.exists():
            return ""
        return "\n".join(self._log_path.read_text(errors="replace").splitlines()[-lines:])

    def _new_folder(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="nb", dir=self.root))

    def _start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = self._environment()
        if self._forks is not None:
            environment["JUPYTER_PATH"] = self._forks.folder
        self._close_log()
        self._log = self._log_path.open("ab")
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyterlab",
                "--no-browser",
                "--allow-root",
                "--ip=127.0.0.1",
                f"--port={self.port}",
                "--ServerApp.port_retries=0",
                f"--ServerApp.root_dir={self.root}",
                f"--IdentityProvider.token={self.token}",
                "--LabApp.expose_app_in_browser=True",
                "--JupyterNotebookApp.expose_app_in_browser=True",
                "--LabApp.extension_manager=readonly",
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ)
        for name in ("CONFIG", "DATA", "RUNTIME"):
            environment[f"JUPYTER_{name}_DIR"] = str(self.home / name.lower())
        return environment | {
            # Kernels import this checkout, and by default that of the tests, installed or not.
            "PYTHONPATH": os.pathsep.join(
                [str(self._tree), *filter(None, [os.environ.get("PYTHONPATH")])]
            ),
            "IPYTHONDIR": str(self.home / "ipython"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.home / "workspaces"),
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
        }

    def _wait_for_answer(self) -> bool:
        process = self._process
        assert process is not None

        def answers() -> bool:
            if process.poll() is not None:
                return True
            try:
                self.request("GET", "/api/status")
            except HTTPError:
                raise
            except (URLError, OSError):
                return False
            return True

        until(answers, "JupyterLab to answer", lambda: time.sleep(0.1), START_LIMIT)
        return process.poll() is None

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(30)
        if self._forks is not None:
            self._forks.__exit__(None, None, None)
        self._close_log()
        shutil.rmtree(self.home, ignore_errors=True)

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None


@dataclass
class Traffic:
    """Websocket messages of a page and their bytes, by direction."""

    sent: int = 0
    sent_bytes: int = 0
    received: int = 0
    received_bytes: int = 0
    codes: int = 0
    """Messages that brought the code of the views."""

    def watch(self, socket: WebSocket) -> None:
        """Count the messages of one more websocket."""
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, payload: str | bytes) -> None:
        self.sent += 1
        self.sent_bytes += len(payload)

    def _received(self, payload: str | bytes) -> None:
        self.received += 1
        self.received_bytes += len(payload)
        text = payload if isinstance(payload, str) else payload.decode("utf-8", "replace")
        # It is packed; so it begins.
        self.codes += "const packed = Uint8Array" in text


# What every script below starts from: the panel of the notebook under test.
PANEL = """
const app = window.jupyterapp;
const panel = [...app.shell.widgets('main')].find(
  (widget) => widget.context !== undefined && widget.context.path === path);
"""
STARRED = (
    "(cell) => cell.node.querySelector('.jp-InputPrompt')?.textContent.includes('[*]') ?? false"
)
NO_SPLASH = "document.getElementById('jupyterlab-splash') === null;"
# Another document on the page is the launcher, which JupyterLab shows where there is none.
OPEN = (
    "async (path) => {const app = window.jupyterapp;"
    "const panel = await app.commands.execute('docmanager:open', {path});"
    "for (const one of [...app.shell.widgets('main')]) if (one !== panel) one.dispose();"
    "app.shell.activateById(panel.id);}"
)
READY = (
    "async (path) => {"
    "if (!window.jupyterapp) return false;"
    "await window.jupyterapp.restored;"
    + PANEL
    + "const kernel = panel?.sessionContext.session?.kernel;"
    "return !!kernel && panel.context.isReady && panel.sessionContext.isReady"
    " && kernel.connectionStatus === 'connected' && kernel.status === 'idle'"
    " && " + NO_SPLASH + "}"
)


@dataclass
class LabPage:
    """A notebook opened in JupyterLab."""

    page: Page
    server: LabServer
    path: str = ""
    traffic: Traffic = field(default_factory=Traffic)
    console: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    started: bool = False
    """JupyterLab is on the page, without a notebook."""
    restores: bool = False
    """It was loaded with a notebook, which it restores by itself, too, sooner or later."""

    def __post_init__(self) -> None:
        """Listen to the console, to errors, to requests and to websockets."""
        for event, listener in self._listeners():
            self.page.on(event, listener)  # type: ignore[call-overload]

    # -- opening and running

    def start(self) -> None:
        """Load JupyterLab without a notebook."""
        self._goto(f"/lab?token={self.server.token}&reset")
        started = f"() => window.jupyterapp?.restored.then(() => {NO_SPLASH[:-1]})"
        until_on(self.page, lambda: self._on_page(started), "JupyterLab to start", START_LIMIT)
        self.started = True

    def open(self, path: str) -> None:
        """Open a notebook and wait until its kernel is ready.

        In the JupyterLab that has been started for it; any further one loads JupyterLab again.
        """
        self.path = path
        if self.started:
            self.started = False
            self.page.evaluate(OPEN, path)
        else:
            self.restores = True
            self._goto(f"/lab/tree/{quote(path)}?token={self.server.token}&reset")
        self._wait_ready()

    def forget(self) -> None:
        """Listen no longer."""
        for event, listener in self._listeners():
            self.page.remove_listener(event, listener)

    def save(self) -> None:
        """Save the notebook, outputs and widget state included."""
        self.script("await app.commands.execute('docmanager:save');")

    def reload(self) -> None:
        """Load the page again, as a user does; the kernel lives on."""
        self.restores = True
        self.page.reload(timeout=START_LIMIT * 1000, wait_until="domcontentloaded")
        self._wait_ready()

    def run_all(self, wait: bool = True) -> None:
        """Run every cell; with ``wait=False`` come back while they run."""
        self._execute("notebook:run-all-cells", wait)

    def run_cell(self, index: int, wait: bool = True) -> None:
        """Run one cell; with ``wait=False`` come back while it runs."""
        self.script("app.shell.activateById(panel.id); panel.content.activeCellIndex = arg;", index)
        self._execute("notebook:run-cell", wait)

    def wait_idle(self, limit: float = RUN_LIMIT) -> None:
        """Wait until all that was asked to run has run and the kernel is idle."""
        self.wait(
            "return !window.kwRunning?.count"
            " && panel.sessionContext.session.kernel.status === 'idle';",
            "the kernel to be idle",
            limit=limit,
        )

    def running(self) -> int:
        """Give the number of the cell that executes now, -1 for none.

        It is the first whose prompt shows ``[*]``: those after it wait their turn. The kernel's
        status says less: it turns idle once a message to a subshell has been dealt with, whatever
        the cell does.
        """
        return int(self.script("return panel.content.widgets.findIndex(" + STARRED + ");"))

    def is_running(self, index: int) -> bool:
        """Tell whether this cell executes now."""
        return self.running() == index

    def wait_cell_running(self, index: int) -> None:
        """Wait until a cell executes."""
        self.until(lambda: self.is_running(index), f"cell {index} to run")

    def let_go(self, name: str) -> None:
        """Make the file that a running cell waits for, beside the notebook."""
        (self.server.root / self.path).with_name(name).touch()

    def clear_output(self, index: int) -> None:
        """Clear the output of one cell, as the menu does."""
        self.script("app.shell.activateById(panel.id); panel.content.activeCellIndex = arg;", index)
        self._execute("notebook:clear-cell-output", wait=True)

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """Give a cell's outputs in the notebook format."""
        found = self.script(
            "return panel.content.widgets[arg].model.sharedModel.toJSON().outputs ?? [];", index
        )
        return cast("list[dict[str, Any]]", found)

    def cell_errors(self) -> list[str]:
        """Give the error outputs of all cells, as text."""
        cells = self.script(
            "return panel.content.widgets.map("
            "cell => cell.model.sharedModel.toJSON().outputs ?? []);"
        )
        return [
            "\n".join(output["traceback"])
            for outputs in cells
            for output in outputs
            if output["output_type"] == "error"
        ]

    def evaluate(self, expression: str, code: str = "") -> Any:
        """Run ``code`` in the kernel, then give the value of ``expression``, through JSON.

        Raises
        ------
        RuntimeError
            If Python raises.
        """
        reply = self.script(
            """
            const kernel = panel.sessionContext.session.kernel;
            const future = kernel.requestExecute({
              code: arg.code, silent: true, store_history: false, stop_on_error: false,
              user_expressions: {value: `__import__('json').dumps(${arg.expression})`},
            }, true);
            return (await future.done).content;
            """,
            {"code": code, "expression": expression},
        )
        value = reply if reply["status"] != "ok" else reply["user_expressions"]["value"]
        if value["status"] != "ok":
            raise RuntimeError(f"{value['ename']}: {value['evalue']} (while asking {expression})")
        return json.loads(ast.literal_eval(value["data"]["text/plain"]))

    # -- looking

    def set_theme(self, name: str) -> None:
        """Change JupyterLab's theme and wait until it shows and the splash picture is gone."""
        self.script("await app.commands.execute('apputils:change-theme', {theme: arg});", name)
        self.wait(
            "return document.body.dataset.jpThemeName === arg && " + NO_SPLASH,
            f"the theme {name}",
            argument=name,
        )

    def screenshot(self, path: Path) -> None:
        """Save what the window shows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)

    def image(self) -> NDArray[np.uint8]:
        """Give what the window shows, (height, width, 3)."""
        return decode(self.page.screenshot())

    def grid(self, index: int = 0) -> Grid:
        """Give one of the grids on the page and wait until it has drawn."""
        grid = Grid(self, index)
        self.until_shown(grid.is_ready, f"grid {index} to be drawn")
        return grid

    def grid_count(self) -> int:
        """Give the number of grids on the page."""
        return int(self.page.evaluate("document.querySelectorAll('.kw-kernel-grid').length"))

    # -- waiting and asking

    def script(self, body: str, argument: Any = None) -> Any:
        """Run JavaScript with ``app``, ``panel`` and ``arg`` at hand; give what it returns."""
        return self.page.evaluate(
            "async ([path, arg]) => {" + PANEL + body + "}", [self.path, argument]
        )

    def wait(self, body: str, what: str, argument: Any = None, limit: float = RUN_LIMIT) -> None:
        """Wait until such JavaScript returns something true."""
        self.until(lambda: self.script(body, argument), what, limit)

    def until(self, condition: Callable[[], Any], what: str, limit: float = RUN_LIMIT) -> Any:
        """Wait until ``condition`` is true while the page's events go on arriving."""
        return until_on(self.page, condition, what, limit)

    def until_shown(self, condition: Callable[[], Any], what: str) -> None:
        """Wait until ``condition`` is true; give up at once if a cell has raised."""

        def shown() -> bool:
            if condition():
                return True
            errors = self.cell_errors()
            if errors:
                raise RuntimeError(f"waiting for {what}, but a cell raised:\n" + "\n".join(errors))
            return False

        self.until(shown, what)

    def _execute(self, command: str, wait: bool) -> None:
        self.script(
            """
            const running = (window.kwRunning ??= {count: 0});
            running.count += 1;
            app.commands.execute(arg).finally(() => { running.count -= 1; });
            """,
            command,
        )
        if wait:
            self.wait_idle()

    def _goto(self, address: str) -> None:
        self.page.goto(
            f"{self.server.url}{address}",
            timeout=START_LIMIT * 1000,
            wait_until="domcontentloaded",
        )

    def _wait_ready(self) -> None:
        what = f"{self.path} to open with a kernel"
        self.until(lambda: self._on_page(READY, self.path), what, START_LIMIT)

    def _on_page(self, condition: str, argument: Any = None) -> bool:
        try:
            return bool(self.page.evaluate(condition, argument))
        except Error as error:  # the page moves to its final address while it loads
            if "context was destroyed" in str(error) or "navigation" in str(error):
                return False
            raise

    def _listeners(self) -> list[tuple[str, Callable[[Any], None]]]:
        return [
            ("console", self._on_console),
            ("pageerror", self._on_error),
            ("request", self._on_request),
            ("websocket", self.traffic.watch),
        ]

    def _on_console(self, message: ConsoleMessage) -> None:
        text = f"{message.type}: {message.text} ({message.location.get('url', '')})"
        self.console.append(text)
        # JupyterLab warns a lot; only what concerns this package is a fault of its own.
        ours = message.type == "warning" and "kan_widgets" in text
        if message.type == "error" or ours:
            self._complain(text)

    def _on_error(self, error: Error) -> None:
        self.console.append(f"uncaught: {error.stack or error.message}")
        self._complain(self.console[-1])

    def _on_request(self, request: PageRequest) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname != "127.0.0.1":
            self._complain(f"request to another host: {request.url}")

    def _complain(self, text: str) -> None:
        if not any(pattern.search(text) for pattern in EXPECTED_COMPLAINTS):
            self.complaints.append(text)


@dataclass(frozen=True)
class Rect:
    """A rectangle in the window's pixels."""

    x: float
    y: float
    width: float
    height: float

    def at(self, across: float, down: float) -> tuple[float, float]:
        """Give the point at these shares of the width and the height."""
        return self.x + across * self.width, self.y + down * self.height


@dataclass(frozen=True)
class Grid:
    """One KernelGrid view on a page, seen through what it exports for tests (``kwView``)."""

    lab: LabPage
    index: int

    def is_ready(self) -> bool:
        """Tell whether the view is on the page and has drawn a frame.

        One that is outside of the window draws once it is brought there.
        """
        return bool(
            self.lab.page.evaluate(
                "n => { const view = document.querySelectorAll('.kw-kernel-grid')[n];"
                "if (view?.kwView && (view.kwView.step() ?? -1) >= 0) return true;"
                "view?.scrollIntoView({block: 'nearest'}); return false; }",
                self.index,
            )
        )

    def step(self) -> int:
        """Give the training step of the frame shown."""
        return int(self._ask("grid.step()"))

    def layer(self) -> str:
        """Give the name of the layer shown."""
        return str(self._ask("grid.layer()"))

    def arrangement(self) -> dict[str, Any]:
        """Give where the kernels are put."""
        return cast("dict[str, Any]", self._ask("grid.scene().picture.arrangement"))

    def curve(self, function: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give x and φ(x) of the curve drawn for one function."""
        x, y = self._ask("(({x, y}) => [Array.from(x), Array.from(y)])(grid.curve(arg))", function)
        return np.asarray(x, dtype=float), np.asarray(y, dtype=float)

    def curves(self, count: int) -> NDArray[np.float64]:
        """Give φ of the first ``count`` functions, one row each, all of the same frame."""
        rows = self._ask("Array.from({length: arg}, (_, f) => Array.from(grid.curve(f).y))", count)
        return np.asarray(rows, dtype=float)

    def rect(self, function: int) -> Rect:
        """Give the cell of one function, in the window's pixels."""
        found = self._ask(
            "(({x, y, width, height}) => [x, y, width, height])(grid.at(String(arg)))", function
        )
        return Rect(*found)

    def y_scale(self) -> float:
        """Give half the height of the layer's axis."""
        return float(self._ask("grid.scene().picture.scaleOf(0)"))

    def viewport(self) -> Rect:
        """Give the part of the view that shows the drawing, in the window's pixels."""
        found = self.lab.page.evaluate(
            "n => { const view = document.querySelectorAll('.kw-kernel-grid')[n];"
            "const part = view.querySelector('.kw-viewport');"
            "const box = part.getBoundingClientRect();"
            "return [box.x + part.clientLeft, box.y + part.clientTop,"
            " part.clientWidth, part.clientHeight]; }",
            self.index,
        )
        return Rect(*found)

    def pixels(self) -> str:
        """Give a hash of the pixels of the view's canvases."""
        images = self.lab.page.evaluate(
            "n => [...document.querySelectorAll('.kw-kernel-grid')[n].querySelectorAll('canvas')]"
            ".map(canvas => canvas.toDataURL())",
            self.index,
        )
        return hashlib.sha256("".join(images).encode()).hexdigest()

    def cell(self, function: int) -> NDArray[np.uint8]:
        """Give the canvas's own pixels of one function's cell, (height, width, 4)."""
        size, values = self._ask(
            """(() => {
              const canvas = view.querySelector('canvas');
              const page = canvas.getBoundingClientRect();
              const ratio = canvas.width / page.width;
              const cell = grid.at(String(arg));
              const [x, y, width, height] = [
                cell.x - page.x, cell.y - page.y, cell.width, cell.height,
              ].map((length) => Math.round(length * ratio));
              const image = canvas.getContext('2d').getImageData(x, y, width, height);
              const bytes = Array.from(image.data, (byte) => String.fromCharCode(byte));
              return [[height, width], btoa(bytes.join(''))];
            })()""",
            function,
        )
        return np.frombuffer(base64.b64decode(values), dtype=np.uint8).reshape(*size, 4)

    def text(self) -> str:
        """Give the text of the view as the user reads it."""
        return str(
            self.lab.page.evaluate(
                "n => document.querySelectorAll('.kw-kernel-grid')[n].innerText", self.index
            )
        )

    def tip(self) -> tuple[str, dict[str, str]]:
        """Give the title and the lines of the tooltip; empty where none is shown."""
        title, lines = self.lab.page.evaluate(
            """n => {
              const view = document.querySelectorAll('.kw-kernel-grid')[n];
              const tip = view.querySelector('.kw-tip');
              if (tip === null || tip.hidden) return ['', {}];
              const text = (selector) =>
                [...tip.querySelectorAll(selector)].map((node) => node.textContent);
              const values = text('dd');
              return [
                text('.kw-tip-title').join(),
                Object.fromEntries(text('dt').map((name, k) => [name, values[k]])),
              ];
            }""",
            self.index,
        )
        return str(title), dict(lines)

    def tip_rows(self) -> list[int]:
        """Give, for each line of the tooltip, the rows of text that its label and value take."""
        rows = self.lab.page.evaluate(
            """n => {
              const tip = document.querySelectorAll('.kw-kernel-grid')[n].querySelector('.kw-tip');
              const values = [...tip.querySelectorAll('dd')];
              return [...tip.querySelectorAll('dt')].map((label, k) => {
                const [one, other] = [label, values[k]].map((node) => node.getBoundingClientRect());
                const bottom = Math.max(one.bottom, other.bottom);
                const row = parseFloat(getComputedStyle(tip).lineHeight);
                return Math.round((bottom - Math.min(one.top, other.top)) / row);
              });
            }""",
            self.index,
        )
        return cast("list[int]", rows)

    def image(self) -> NDArray[np.uint8]:
        """Give the view as the window shows it, (height, width, 3)."""
        return decode(self.lab.page.locator(".kw-kernel-grid").nth(self.index).screenshot())

    def scroll_into_view(self) -> None:
        """Bring the view into the window."""
        self.lab.page.locator(".kw-kernel-grid").nth(self.index).scroll_into_view_if_needed()

    def hover(self, function: int, across: float = 0.5, down: float = 0.5) -> None:
        """Move the mouse to a point of one function's cell, until the view has noticed.

        The page may still be settling its layout, so the place is asked for again each time.
        """

        def reached() -> bool:
            self.lab.page.mouse.move(*self.rect(function).at(across, down))
            self.lab.page.wait_for_timeout(50)
            return bool(self._ask("grid.scene()?.marked.hovered === arg", function))

        self.lab.until(reached, f"function {function} of grid {self.index} to be hovered")

    def click(self, function: int) -> None:
        """Click on the middle of one function's cell."""
        self.hover(function)
        self.lab.page.mouse.click(*self.rect(function).at(0.5, 0.5))

    def choose(self, label: str) -> None:
        """Click on a layer tab or a mode, by its label."""
        view = self.lab.page.locator(".kw-kernel-grid").nth(self.index)
        view.locator(".kw-segment", has_text=label).click()

    def checked(self) -> list[str]:
        """Give the labels of the chosen layer tab and mode."""
        view = self.lab.page.locator(".kw-kernel-grid").nth(self.index)
        return view.locator(".kw-segment:has(input:checked)").all_inner_texts()

    def selected(self) -> int:
        """Give the number of the selected function, -1 for none."""
        return int(self._ask("grid.selected()"))

    def wait_step(self, step: int) -> None:
        """Wait until the frame of this step, or a later one, is shown."""
        self.lab.until_shown(lambda: self.step() >= step, f"step {step} on grid {self.index}")

    def wait_at(self, step: int) -> None:
        """Wait until the frame of this very step is shown."""
        self.lab.until(lambda: self.step() == step, f"step {step} on grid {self.index}")

    def _ask(self, expression: str, argument: Any = None) -> Any:
        return self.lab.page.evaluate(
            "([n, arg]) => { const view = document.querySelectorAll('.kw-kernel-grid')[n];"
            f"const grid = view.kwView; return {expression}; }}",
            [self.index, argument],
        )
