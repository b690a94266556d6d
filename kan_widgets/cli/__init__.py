"""The command ``kan-widgets``: tutorials, a demonstration, and recorded runs without a notebook."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kan_widgets import __version__

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``kan-widgets``.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the command's name; ``sys.argv[1:]`` by default.

    Returns
    -------
    int
        The exit status: 0 for success, 1 for a failure that a message on stderr explains.
    """
    # What a terminal cannot show, it shows as a question mark.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    own, for_jupyter = given, []
    if "--" in given:
        cut = given.index("--")
        own, for_jupyter = given[:cut], given[cut + 1 :]
    options = parser.parse_args(own)
    if for_jupyter and options.command != "lab":
        parser.error(f"only 'lab' passes on arguments after --; got {' '.join(for_jupyter)}")
    try:
        return _run(options, for_jupyter)
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError) as error:
        print(f"kan-widgets {options.command}: {error}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace, for_jupyter: list[str]) -> int:
    # Each command imports what it needs, and no more: numpy and the widgets take their time.
    if options.command == "lab":
        from kan_widgets.cli.lab import lab

        return lab(options.folder, for_jupyter)
    if options.command == "demo":
        from kan_widgets.cli.demo import demo

        return demo(options)
    from kan_widgets.cli import recordings

    run: Callable[[argparse.Namespace], int] = getattr(recordings, options.command)
    return run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kan-widgets",
        description="See the kernel functions of a convolutional KAN change while it trains.",
    )
    parser.add_argument("--version", action="version", version=f"kan-widgets {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    lab = commands.add_parser(
        "lab",
        help="copy the tutorials to a folder and open them in JupyterLab",
        description="Copy the tutorials to FOLDER and open the first one in JupyterLab; the page"
        " index.md there lists them all. Files that FOLDER already has are kept as they are. What"
        " follows -- goes to JupyterLab.",
        usage="kan-widgets lab [-h] [FOLDER] [-- JUPYTERLAB_ARGUMENT ...]",
    )
    lab.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("kan_widgets_notebooks"),
        metavar="FOLDER",
        help="made if missing; default: %(default)s",
    )

    demo = commands.add_parser(
        "demo",
        help="train on MNIST without a browser and draw the kernels",
        description="Train on MNIST without a browser, print how well it went and on which data,"
        " and draw the kernels to a PNG, the functions before training dashed behind.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = demo.add_argument
    add("--epochs", type=_positive, default=1, metavar="N", help="passes over the training images")
    add("--steps", type=_positive, metavar="N", help="stop after N optimizer steps")
    add("--batch-size", type=_positive, default=64, metavar="N", help="images per step")
    add("--lr", type=float, default=5e-3, metavar="RATE", help="learning rate of AdamW")
    add("--seed", type=int, default=0, metavar="N", help="of the weights and of the images' order")
    add(
        "--model",
        choices=["article", "default"],
        default="article",
        help="KANCNN.article() or KANCNN()",
    )
    add(
        "--source",
        choices=["auto", "embedded", "torchvision"],
        default="auto",
        help="the data, as in kan_widgets.data.mnist",
    )
    add("--root", type=Path, default=Path("data"), help="torchvision's folder")
    add("--download", action="store_true", help="fetch MNIST, with --source torchvision")
    add(
        "--out",
        type=Path,
        default=Path("kernels.png"),
        metavar="PNG",
        help="where to draw the kernels; if the file exists it is kept, and a number is added to"
        " the new one's name",
    )
    add("--force", action="store_true", help="replace the file that --out names")

    view = commands.add_parser(
        "view",
        help="open a recorded run in the browser",
        description="Open the page of a recording in the browser: all views, and the way back"
        " through the training. A recording is what live.save and live.record write.",
    )
    view.add_argument("recording", type=Path, metavar="RUN.npz")
    _of_pages(view, "write the page to this file; by default one that the system throws away")

    follow = commands.add_parser(
        "follow",
        help="follow a growing recording in the browser, and steer its run where it allows that",
        description="Serve a page on 127.0.0.1 that follows a recording while it grows. Where the"
        " run was recorded with control=True, it is steered from the training panel. The command"
        " ends with Ctrl+C; the run goes on.",
    )
    follow.add_argument("recording", type=Path, metavar="RUN.npz")
    follow.add_argument("--dark", action="store_true", help="dark colours")
    follow.add_argument("--port", type=int, default=0, metavar="N", help="default: any free one")
    follow.add_argument(
        "--wait",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="for the first frame; default: %(default)g",
    )
    _not_opened(follow)

    runs = commands.add_parser(
        "runs",
        help="list the recordings of a folder, and compare them",
        description="List the recordings of a folder and those below it: step, latest loss, "
        "training time, state."
        " A page shows them with their kernels, and compares the latest of them.",
    )
    runs.add_argument("folder", type=Path, nargs="?", default=Path(), metavar="FOLDER")
    runs.add_argument("--table", action="store_true", help="print the table alone, make no page")
    _of_pages(runs, "write the page to this file; by default one that the system throws away")

    info = commands.add_parser(
        "info",
        help="say what is in a recording, or on what system this runs",
        description="Say what is in a recording: model, layers, frames, and what was logged. Or,"
        " with --system, what a report of a fault should say: versions, platform, and whether"
        " layers compute by compiled kernels.",
    )
    what = info.add_mutually_exclusive_group(required=True)
    what.add_argument("recording", type=Path, nargs="?", metavar="RUN.npz")
    what.add_argument("--system", action="store_true", help="versions, platform, kernels")
    return parser


def _of_pages(parser: argparse.ArgumentParser, out: str) -> None:
    parser.add_argument("--dark", action="store_true", help="dark colours")
    parser.add_argument("--out", type=Path, metavar="PAGE.html", help=out)
    parser.add_argument(
        "--max-mb", type=float, default=2.0, metavar="MB", help="of the page; default: %(default)g"
    )
    _not_opened(parser)


def _not_opened(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-browser", action="store_true", help="open no browser, only say where the page is"
    )


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number ≥ 1, got {text}")
    return value
