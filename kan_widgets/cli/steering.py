"""``kan-widgets pause``, ``resume``, ``step``, ``stop``, ``rate``: steer a run that is recorded."""

import argparse
import time
from typing import TYPE_CHECKING, Any

# The help of the commands needs no numpy.
if TYPE_CHECKING:
    from kan_widgets.live.recordings.format import Status, Steered
    from kan_widgets.live.recordings.glance import Glance

COMMANDS = {
    "pause": "hold a run after its current step",
    "resume": "let a run go on that is paused",
    "step": "let a run make some steps, then hold it",
    "stop": "end a run after its current step",
    "rate": "set the learning rate of a run",
}
_BETWEEN_LOOKS = 0.3


def add_commands(commands: Any) -> None:
    """Add the commands that steer to the parser."""
    for name, words in COMMANDS.items():
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
        parser.add_argument(
            "--wait",
            type=float,
            default=30.0,
            metavar="SECONDS",
            help="for the run's answer; default: %(default)g",
        )


def steer(options: argparse.Namespace) -> int:
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
