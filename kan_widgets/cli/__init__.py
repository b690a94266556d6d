"""The command ``kan-widgets``: tutorials, and recorded runs without a notebook."""

import argparse
import io
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kan_widgets import __version__

# The help of the commands needs no numpy.
if TYPE_CHECKING:
    from kan_widgets.live.recordings.format import Status, Steered
    from kan_widgets.live.recordings.glance import Glance

__all__ = ["main"]

# They steer a run that is recorded.
_STEERING = {
    "pause": "hold a run after its current step",
    "resume": "let a run go on that is paused",
    "step": "let a run make some steps, then hold it",
    "stop": "end a run after its current step",
    "rate": "set the learning rate of a run",
}
_BETWEEN_LOOKS = 0.3


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
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    own, for_jupyter = words, []
    if "--" in words:
        cut = words.index("--")
        own, for_jupyter = words[:cut], words[cut + 1 :]
    options = parser.parse_args(own)
    if for_jupyter and options.command != "lab":
        parser.error(f"only 'lab' passes on arguments after --; got {' '.join(for_jupyter)}")
    try:
        return _run(options, for_jupyter)
    except KeyboardInterrupt:
        return 130
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        print(f"kan-widgets {options.command}: {error}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace, for_jupyter: list[str]) -> int:
    # Each command imports what it needs, and no more: numpy and the widgets take their time.
    if options.command == "lab":
        from kan_widgets.cli.lab import lab

        return lab(options.folder, for_jupyter)
    if options.command in _STEERING:
        return _steer(options)
    if options.command == "runs":
        from kan_widgets.cli.board import runs

        return runs(options)
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

    view = commands.add_parser(
        "view",
        help="open a recorded run in the browser",
        description="Open the page of a recording in the browser: all views, and the way back"
        " through the training. A recording is what live.save and live.record write.",
    )
    view.add_argument("recording", metavar="RUN")
    out = "write the page to this file; by default one that the system throws away"
    view.add_argument("--out", type=Path, metavar="PAGE.html", help=out)
    view.add_argument(
        "--max-mb", type=float, default=2.0, metavar="MB", help="of the page; default: %(default)g"
    )
    _not_opened(view)

    follow = commands.add_parser(
        "follow",
        help="follow a growing recording in the browser, and steer its run where it allows that",
        description="Serve a page that follows a recording while it grows. Where the"
        " run was recorded with control=True, it is steered from the training panel. The command"
        " ends with Ctrl+C; the run goes on.",
    )
    follow.add_argument("recording", metavar="RUN")
    _served(follow)
    _waits(follow, "the first frame")

    runs = commands.add_parser(
        "runs",
        help="a board of the recordings of a folder in the browser, or a list of them",
        description="Serve a board of the recordings of a folder and those below it, which stays"
        " up to date: kernels, step, latest loss, training time, state, alarms; a click follows a"
        " run, another compares the latest. Or print them once.",
    )
    runs.add_argument("folder", nargs="?", default=".", metavar="FOLDER")
    once = runs.add_mutually_exclusive_group()
    once.add_argument("--table", action="store_true", help="print them, make no page")
    once.add_argument("--json", action="store_true", help="print them as JSON, for scripts")
    _served(runs)

    _add_steering(commands)

    packing = commands.add_parser(
        "pack",
        help="make one file of a recording",
        description="Make one file of a recording that is a folder. Both hold the same.",
    )
    packing.add_argument("recording", metavar="RUN")
    packing.add_argument("to", nargs="?", metavar="TO", help="default: named after RUN")

    info = commands.add_parser(
        "info",
        help="say what is in a recording, or on what system this runs",
        description="Say what is in a recording: model, layers, frames, and what was logged. Or,"
        " with --system, what a report of a fault should say: versions, platform, and whether"
        " layers compute by compiled kernels.",
    )
    subject = info.add_mutually_exclusive_group(required=True)
    subject.add_argument("recording", nargs="?", metavar="RUN")
    subject.add_argument("--system", action="store_true", help="versions, platform, C++ kernels")
    return parser


def _served(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _not_opened(parser)
    add("--port", type=int, default=0, metavar="N", help="default: any free one")
    add(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="listen at this address of the machine, 0.0.0.0 for all: others can reach the page"
        " then. Default: %(default)s",
    )
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name under which the page is reached through a proxy; may be given again; '*' for"
        " any. 127.0.0.1, [::1] and localhost are, at any port",
    )
    add(
        "--base-url",
        default="",
        metavar="URL",
        help="where a proxy has the page: the address to print; its host is allowed",
    )


def _not_opened(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dark", action="store_true", help="dark colours")
    parser.add_argument(
        "--no-browser", action="store_true", help="open no browser, only say where the page is"
    )


def _waits(parser: argparse.ArgumentParser, what: str) -> None:
    words = f"for {what}; default: %(default)g"
    parser.add_argument("--wait", type=float, default=30.0, metavar="SECONDS", help=words)


def _add_steering(commands: Any) -> None:
    """Add the commands that steer to the parser."""
    for name, words in _STEERING.items():
        parser = commands.add_parser(
            name,
            help=words,
            description=f"{words.capitalize()}. RUN is the folder of a recording made with"
            " control=True. Who may write beside the recording may do so, and on this"
            " machine the run's own user alone. What is paused stays so until resume or stop.",
        )
        parser.add_argument("recording", metavar="RUN")
        if name == "step":
            parser.add_argument("steps", type=int, nargs="?", default=1, metavar="N")
        if name == "rate":
            parser.add_argument("value", type=float, metavar="RATE")
            parser.add_argument("--group", type=int, metavar="N", help="of one parameter group")
        _waits(parser, "the run's answer")


def _steer(options: argparse.Namespace) -> int:
    """Ask a run for something, wait for its answer, and print that."""
    from kan_widgets.live.recordings.control_folder import FollowerSide
    from kan_widgets.live.recordings.glance import Glance

    run = Glance(options.recording)
    run.look()
    if run.has_ended or run.standing.state == "died":
        raise RuntimeError(f"{run.place}: the run {'is ' * run.has_ended}{_words(run)}")
    if (answer := run.latest.status.steering) is None:
        raise RuntimeError(
            f"{run.place} is not steered from afar: its run was recorded without control=True"
        )
    remote = FollowerSide(run.place.path, str(run.header["id"]))
    remote.take(answer)
    rates, values = run.latest.status.rates, vars(options)
    command: dict[str, Any] = {
        name: values[name] for name in ("value", "group", "steps") if name in values
    }
    number = remote.send({**command, "kind": options.command, "stays": True})
    end = time.monotonic() + options.wait
    heard = False
    while time.monotonic() < end and not run.has_ended:
        time.sleep(_BETWEEN_LOOKS)
        run.look()
        answer = run.latest.status.steering
        heard = answer is not None and answer.heard >= number
        if answer is None or not heard:
            continue
        if answer.heard == number and answer.refused:
            raise RuntimeError(f"{run.place} refused it: {answer.refused}")
        if words := _done(options, run.latest.status, answer, rates):
            print(f"{run.place}: {words}")
            return 0
    if not heard and not run.has_ended:
        remote.take_back()
        raise RuntimeError(
            f"{run.place}: no answer within {options.wait:g} s, so it is asked no more: "
            f"{_words(run)}"
        )
    words = _words(run) if run.has_ended else "it has heard, and does so after its step"
    print(f"{run.place}: {words}")
    return 0


def _words(run: "Glance") -> str:
    return f"{run.standing.words}, step {run.latest.status.progress.step:,}"


def _done(
    options: argparse.Namespace, status: "Status", answer: "Steered", before: tuple[float, ...]
) -> str:
    """Say what a command that was heard has done; empty while that is still to come."""
    at = f"step {status.progress.step:,}"
    if options.command in ("pause", "step"):
        if options.command == "pause" and answer.control != "paused" and status.progress.message:
            raise RuntimeError(status.progress.message)
        return f"paused at {at}" if answer.control == "paused" and answer.holding else ""
    if options.command == "resume":
        return f"goes on from {at}" if answer.control == "running" and not answer.holding else ""
    if options.command == "rate":
        rates = ", ".join(f"{rate:g}" for rate in status.rates)
        is_set = status.rates != before or options.value in before
        was = ", ".join(f"{rate:g}" for rate in before)
        return f"learning rate {was} → {rates} at {at}" if is_set else ""
    if answer.control != "stopping" and status.progress.message:
        raise RuntimeError(status.progress.message)
    return ""
