"""``kan-widgets view``, ``follow``, ``runs`` and ``info``: recorded runs, without a notebook."""

from __future__ import annotations

import argparse
import base64
import html
import math
import platform
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from kan_widgets import live
from kan_widgets.functions.printed import lines_of
from kan_widgets.insight.progress import progress, progress_line
from kan_widgets.live import Replay, replay
from kan_widgets.live.frames.progress import duration
from kan_widgets.live.recordings.reader import NoRecording
from kan_widgets.widgets.wire import headline_of

if TYPE_CHECKING:
    from kan_widgets.cli.serving import Server
    from kan_widgets.widgets.options import Theme

_PATIENCE_SECONDS = 1.0
# A run whose recording is listed needs no history.
_FEW_MB = 5.0
# So much takes over a second to pack into a page.
_SLOW_BYTES = 30_000_000
_COMPARED = 7
_HEADS = tuple("run,model,step,latest loss,training time,state,frames,started,MB".split(","))
_THUMBNAIL = 260


def view(options: argparse.Namespace) -> int:
    """Write the page of a recording, and open it."""
    from kan_widgets.widgets.dashboard import Dashboard
    from kan_widgets.widgets.page import Page

    run = _read(options.recording)
    dashboard = Dashboard(run, theme="dark" if options.dark else "auto")
    title = f"{run.info['model'] or 'A model'} · {options.recording.name}"
    _show(Page([dashboard], title), options, options.recording.stem)
    return 0


def follow(options: argparse.Namespace) -> int:
    """Serve a page that follows a recording, until Ctrl+C."""
    from kan_widgets.cli.serving import Server

    # Before the first widget is made, so that all talk with the page.
    with closing(Server(options.port)) as server:
        return _follow(options, server)


def _follow(options: argparse.Namespace, server: Server) -> int:
    from kan_widgets.widgets.dashboard import Dashboard
    from kan_widgets.widgets.live_page import live_page

    if not options.recording.exists():
        print(f"waiting for {options.recording}", file=sys.stderr, flush=True)
    run = live.follow(options.recording, wait=options.wait)
    theme = "dark" if options.dark else "auto"
    views = [Dashboard(run)]

    title = f"{run.info['model'] or 'A model'} · {run.path.name}"
    about = f"Follows {run.path} while it grows; point at anything to read it, click to select it."

    def page() -> bytes:
        heard = server.hub.last
        return live_page(views, title, about, theme=theme, heard=heard)

    server.page = page
    print(f"{options.recording} at {server.address} (Ctrl+C ends this, not the run)", flush=True)
    if not options.no_browser:
        _open(server.address)
    try:
        server.serve()
    except KeyboardInterrupt:
        print("the page follows no more", file=sys.stderr)
    finally:
        run.close()
    return 0


def info(options: argparse.Namespace) -> int:
    """Say what is in a recording, or on what system this runs."""
    if options.system:
        _print_system()
        return 0
    run = _read(options.recording)
    said, steps = run.info, run.history.steps
    print(f"recording   {run.path}, {run.path.stat().st_size / 1e6:.1f} MB, {_state(run)}")
    total = (run.parameters or {}).get("total")
    of = f", {total:,} parameters" if total else ""
    print(f"model       {said['model'] or 'not named'}{of}")
    print(f"started     {said['started']}, with kan_widgets {said['kan_widgets']}")
    print(f"frames      {run.frames:,}, steps {steps[0]:,} to {steps[-1]:,}")
    print(f"trained     {run.progress.step:,} steps, training time {_time(run) or 'not known'}")
    rates = ", ".join(f"{rate:g}" for rate in run.feed.learning_rates)
    if rates:
        print(f"rate        {rates}, a frame every {run.every} steps")
    if run.data_source:
        print(f"data        {run.data_source}")
    if run.feed.message or run.progress.message:
        print(f"message     {run.feed.message or run.progress.message}")
    logged = [f"{name} {run.scalars.latest(name):.4g}" for name in run.scalars.names]
    print(f"latest      {', '.join(logged) or 'nothing logged'}")
    seen = next(iter(run.feed.observed.values()), None)
    print(f"inputs seen {'none' if seen is None else f'{seen.samples:,}'}")
    print(f"examples    {'none' if run.feed.probed is None else len(run.feed.probed.inputs)}")
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


def runs(options: argparse.Namespace) -> int:
    """List the recordings of a folder, and make a page of them."""
    folder: Path = options.folder
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder: give the one that holds recordings")
    files, unreadable = sorted(folder.rglob("*.npz")), list[str]()
    found = [_listed(file, folder, unreadable) for file in progress(files, "recordings", 1.0)]
    listed = sorted(filter(None, found), key=lambda each: each.started, reverse=True)
    if not listed and not unreadable:
        raise FileNotFoundError(
            f"{folder} holds no recording: live.save(path) and live.record(path) write them"
        )
    rows: list[tuple[str, ...]] = [_HEADS, *(each.words for each in listed)]
    rows += [(name, *[""] * 4, "unreadable", *[""] * 3) for name in unreadable]
    print("\n".join(lines_of(rows)))
    if options.table or not listed:
        return 0 if listed else 1
    from kan_widgets.widgets.compare import Compare
    from kan_widgets.widgets.page import Page

    theme: Theme = "dark" if options.dark else "auto"
    chosen = listed[:_COMPARED]
    compared = Compare({each.name: each.run for each in chosen}, theme=theme)
    left = len(listed) - len(chosen)
    title = f"{len(listed)} run{'' if len(listed) == 1 else 's'} in {folder.resolve().name}"
    after = f"<p>Below, the latest {len(chosen)} compared.</p>" if left else ""
    _show(Page([compared], title, _table(listed) + after), options, "runs")
    return 0


@dataclass(frozen=True)
class _Run:
    """A recording in a list."""

    run: Replay
    name: str
    words: tuple[str, ...]
    """Its row."""

    @property
    def started(self) -> str:
        return str(self.run.info["started"])


def _listed(path: Path, folder: Path, unreadable: list[str]) -> _Run | None:
    """Return a recording. What is none is said, and what cannot be read is noted as well."""
    name = path.relative_to(folder).with_suffix("").as_posix()
    try:
        run = replay(path, history_mb=_FEW_MB)
        return _Run(run, name, _row(run, name))
    except NoRecording as error:
        print(f"left out: {error}", file=sys.stderr)
    except (OSError, ValueError) as error:
        print(f"unreadable: {error}", file=sys.stderr)
        unreadable.append(name)
    return None


def _row(run: Replay, name: str) -> tuple[str, ...]:
    head = headline_of(run, {})
    loss = float(head["value"] or math.nan)
    return (
        name,
        head["model"],
        f"{run.frame.step:,}",
        f"{head['loss']} {loss:.4g}" if head["loss"] else "none logged",
        _time(run) or "–",
        _state(run),
        f"{run.frames:,}",
        str(run.info["started"]).partition("+")[0].replace("T", " "),
        f"{run.path.stat().st_size / 1e6:.1f}",
    )


def _table(listed: Sequence[_Run]) -> str:
    """Return the list as HTML, with a picture of the kernels of each run."""
    from kan_widgets.widgets.kernel_grid import KernelGrid
    from kan_widgets.widgets.rasters import image_of, png_bytes

    rows = []
    for each in progress(listed, "pictures", _PATIENCE_SECONDS):
        grid, pictures = KernelGrid(each.run), ""
        for theme in ("light", "dark"):
            # Drawn larger than it is shown: a picture to recognise a run by, not to read.
            svg = grid.svg(width=3 * _THUMBNAIL, max_height=2 * _THUMBNAIL, theme=theme)
            data = base64.b64encode(png_bytes(image_of(svg, 1))).decode("ascii")
            about = html.escape(f"kernels of {each.name}, step {each.run.frame.step:,}")
            pictures += (
                f'<img class="kw-page-{theme}" width="{_THUMBNAIL}" alt="{about}"'
                f' src="data:image/png;base64,{data}">'
            )
        grid.close()
        cells = "".join(f"<td>{html.escape(word)}</td>" for word in each.words)
        rows.append(f"<tr><td>{pictures}</td>{cells}</tr>")
    head = "".join(f'<th scope="col">{word}</th>' for word in ("kernels", *_HEADS))
    return (
        '<div class="kw-page-runs"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _show(page: object, options: argparse.Namespace, stem: str) -> None:
    """Write a page where it is wanted, and open it."""
    from kan_widgets.widgets.page import Page, write_page

    assert isinstance(page, Page)
    out: Path | None = options.out
    if out is None:
        out = Path(tempfile.mkdtemp(prefix="kan-widgets-")) / f"{stem}.html"
    elif not out.parent.is_dir():
        raise FileNotFoundError(f"--out {out}: there is no folder {out.parent}")
    if page.nbytes > _SLOW_BYTES:
        print(f"packing {page.nbytes / 1e6:.0f} MB of frames into a page …", file=sys.stderr)
    write_page(out, page, options.max_mb)
    if not options.no_browser:
        _open(out.resolve().as_uri())


def _open(address: str) -> None:
    """Open a page, or say where it is where there is no browser."""
    if not webbrowser.open(address):
        print(f"no browser could be opened: open {address} in one", file=sys.stderr)


def _read(path: Path) -> Replay:
    return replay(path, progress=progress_line(f"{path.name}, MB", _PATIENCE_SECONDS, 1_000_000))


def _state(run: Replay) -> str:
    """Say how a run stands, where all are recorded."""
    return run.feed.standing.words.removeprefix("recorded: ")


def _time(run: Replay) -> str:
    return duration(run.progress.elapsed or None)


#: In the order in which they are printed.
_PACKAGES = (
    ("torch", "torchvision", "numpy"),
    ("anywidget", "ipywidgets", "bqplot", "quickjs-ng", "resvg-py", "pillow"),
    ("jupyterlab", "notebook", "ipykernel", "voila", "marimo"),
)


def _print_system() -> None:
    """Print the versions of what is installed, the platform, and how layers compute."""
    import torch

    from kan_widgets import __version__
    from kan_widgets.nn import kernels_info

    print(f"kan-widgets {__version__}")
    print(f"kernels     {kernels_info()}")
    print(f"threads     {torch.get_num_threads()}")
    print(f"accelerator {_accelerator()}")
    print(f"python      {platform.python_version()}, {platform.python_implementation()}")
    print(f"platform    {platform.platform()}, {platform.machine()}")
    for names in _PACKAGES:
        print(f"packages    {', '.join(f'{name} {_version(name)}' for name in names)}")


def _accelerator() -> str:
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
    return "mps" if torch.backends.mps.is_available() else "none"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"
