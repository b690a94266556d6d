"""``kan-widgets view``, ``follow``, ``info``, ``pack``: recorded runs."""

import argparse
import json
import platform
import sys
import tempfile
import webbrowser
from collections.abc import Mapping
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from kan_widgets.live import Replay, replay
from kan_widgets.live import follow as followed
from kan_widgets.live.frames.progress import duration
from kan_widgets.live.recordings.places import Place
from kan_widgets.live.recordings.saving import save_joined
from kan_widgets.live.recordings.segments import HEADER, Stored, written_file
from kan_widgets.printed import lines_of

if TYPE_CHECKING:
    from kan_widgets.cli.hub import Hub
    from kan_widgets.cli.serving import Server
    from kan_widgets.widgets.pages.page import PageSavable
    from kan_widgets.widgets.shell.options import Theme

# Bytes that take over a second to pack.
_SLOW_BYTES = 30_000_000
_COMPARED_MB = 32.0  # of frames, for each of several runs


def view(options: argparse.Namespace) -> int:
    """Write the page of a recording, and open it."""
    from kan_widgets.widgets.dashboard import Dashboard
    from kan_widgets.widgets.pages.page import Page, write_page

    run = replay(options.recording)
    dashboard = Dashboard(run, theme="dark" if options.dark else "auto")
    name = run.feed.reader.place.name
    page = Page([dashboard], f"{run.info['model'] or 'A model'} · {name}")
    out: Path | None = options.out
    if out is None:
        folder = tempfile.mkdtemp(prefix="kan-widgets-")
        out = Path(folder) / f"{name.removesuffix('.npz')}.html"
    elif not out.parent.is_dir():
        raise FileNotFoundError(f"--out {out}: there is no folder {out.parent}")
    if page.nbytes > _SLOW_BYTES:
        print(f"packing {page.nbytes / 1e6:.0f} MB of frames into a page …", file=sys.stderr)
    write_page(out, page, options.max_mb)
    if not options.no_browser:
        _open(out.resolve().as_uri())
    return 0


def follow(options: argparse.Namespace) -> int:
    """Serve a page that follows a recording, until Ctrl+C."""
    # Before the first widget is made, so that all talk with the page.
    with closing(server_of(options)) as server:
        place = Place(options.recording)
        if not place.is_folder() and not place.is_file():
            print(f"waiting for {place}", file=sys.stderr, flush=True)
        theme: Theme = "dark" if options.dark else "auto"
        [run] = follow_in(server.hub, {place.name: options.recording}, options.wait, theme)
        with closing(run):
            return serve(server, options.recording, options)


def follow_in(hub: "Hub", paths: Mapping[str, str], wait: float, theme: "Theme") -> list[Replay]:
    """Follow a recording by the page of a hub, or compare several, by name."""
    from kan_widgets.cli.hub import made_for
    from kan_widgets.widgets.compare import Compare
    from kan_widgets.widgets.dashboard import Dashboard
    from kan_widgets.widgets.pages.live_page import live_page

    few = {} if len(paths) == 1 else {"history_mb": _COMPARED_MB}
    runs = {name: followed(path, wait=wait, **few) for name, path in paths.items()}
    first, *others = runs.values()
    before = made_for.set(hub)
    try:
        views: list[PageSavable] = [Compare(runs) if others else Dashboard(first)]
    finally:  # widgets made next in this thread belong to another page
        made_for.reset(before)
    title = (
        ", ".join(runs)
        if others
        else f"{first.info['model'] or 'A model'} · {first.feed.reader.place.name}"
    )
    whom = "the runs" if others else first.path
    about = f"Follows {whom} while it grows; point at anything to read it, click to select it."
    hub.page = lambda: live_page(views, title, about, theme=theme, heard=hub.last)
    return [*runs.values()]


def server_of(options: argparse.Namespace) -> "Server":
    """Return a server that listens where a command says."""
    from kan_widgets.cli.serving import Server

    return Server(options.port, options.base_url, options.allow_host, options.host)


def serve(server: "Server", title: str, options: argparse.Namespace) -> int:
    """Say where a page is, open it, and serve it until Ctrl+C."""
    print(f"{title} at {server.address} (Ctrl+C ends this, not the run)", flush=True)
    if server.warning:
        print(server.warning, file=sys.stderr, flush=True)
    if not options.no_browser:
        _open(server.address)
    try:
        server.serve()
    except KeyboardInterrupt:
        print("the page follows no more", file=sys.stderr)
    return 0


def info(options: argparse.Namespace) -> int:
    """Say what is in a recording, or on what system this runs."""
    if options.system:
        _print_system()
        return 0
    run = replay(options.recording)
    facts, steps, how = run.info, run.history.steps, run.feed.standing.words
    print(f"recording   {run.path}, {run.feed.reader.stored.nbytes() / 1e6:.1f} MB, {how}")
    total = (run.parameters or {}).get("total")
    of = f", {total:,} parameters" if total else ""
    print(f"model       {facts['model'] or 'not named'}{of}")
    print(f"started     {facts['started']}, with kan_widgets {facts['kan_widgets']}")
    print(f"frames      {run.frames:,}, steps {steps[0]:,} to {steps[-1]:,}")
    time = duration(run.progress.elapsed or None) or "not known"
    print(f"trained     {run.progress.step:,} steps, training time {time}")
    rates = ", ".join(f"{rate:g}" for rate in run.feed.learning_rates)
    if rates:
        print(f"rate        {rates}, a frame every {run.every} steps")
    if run.data_source:
        print(f"data        {run.data_source}")
    if run.feed.message or run.progress.message:
        print(f"message     {run.feed.message or run.progress.message}")
    logged = [f"{name} {run.scalars.latest(name):.4g}" for name in run.scalars.names]
    print(f"latest      {', '.join(logged) or 'nothing logged'}")
    print("layers")
    rows = [
        (
            layer.name,
            layer.type,
            " × ".join(map(str, layer.shape)),
            f"{layer.count:,} functions",
            f"{layer.nb} basis functions on {layer.domain[0]:g} to {layer.domain[1]:g}",
        )
        for layer in run.feed.layout.layers
    ]
    print("\n".join(f"  {line}" for line in lines_of(rows)))
    return 0


def pack(options: argparse.Namespace) -> int:
    """Make one file of a recording, to send on."""
    to = Place(options.to or f"{options.recording.rstrip('/').removesuffix('.npz')}.npz")
    if to.is_file() or to.is_folder():
        raise FileExistsError(f"{to} is there already: give another name")
    stored = Stored(Place(options.recording))
    with written_file(to) as file:
        for name, data in stored.read():
            if name == HEADER and "job" in json.loads(data):
                save_joined(replay(options.recording, history_mb=1e9), file)
                break
            file.append(name, data)
    print(f"{to}, {stored.offset / 1e6:.1f} MB" + ("" if stored.ended else ", as far as written"))
    return 0


def _open(address: str) -> None:
    """Open a page in the browser; without one, print its address."""
    if not webbrowser.open(address):
        print(f"no browser could be opened: open {address} in one", file=sys.stderr)


_PACKAGES = (
    "torch torchvision numpy anywidget ipywidgets bqplot quickjs-ng resvg-py pillow jupyterlab "
    "notebook ipykernel voila marimo"
)


def _print_system() -> None:
    """Print the versions of what is installed, the platform, and how layers compute."""
    import torch

    from kan_widgets import __version__
    from kan_widgets.nn import kernels_info

    accelerator = "mps" if torch.backends.mps.is_available() else "none"
    if torch.cuda.is_available():
        accelerator = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
    print(f"kan-widgets {__version__}")
    print(f"kernels     {kernels_info()}")
    print(f"threads     {torch.get_num_threads()}")
    print(f"accelerator {accelerator}")
    print(f"python      {platform.python_version()}, {platform.python_implementation()}")
    print(f"platform    {platform.platform()}, {platform.machine()}")
    installed = {d.name.lower().replace("_", "-"): d.version for d in metadata.distributions()}
    packages = ", ".join(f"{name} {installed.get(name, 'missing')}" for name in _PACKAGES.split())
    print(f"packages    {packages}")
