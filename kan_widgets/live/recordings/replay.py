"""A recorded run, shown by the same views as one that trains here."""

import time
import weakref
from pathlib import Path
from typing import Any, ClassVar

from kan_widgets.checks import check_number, check_whole
from kan_widgets.live.frames.source import Source
from kan_widgets.live.recordings.control_folder import FollowerSide
from kan_widgets.live.recordings.places import PathLike
from kan_widgets.live.recordings.ranks import JoinedRanks
from kan_widgets.live.recordings.recorded_feed import NoFrames, RecordedFeed, damage_of
from kan_widgets.live.recordings.segments import INDEX
from kan_widgets.live.reports import report


class Replay(Source):
    """Frames, curves and numbers of a recorded run. Made by `replay` and `follow`; see there.

    What needs the model (editing, ``observe``) is not there: ask the run itself.
    """

    feed: RecordedFeed
    _other_names: ClassVar = dict.fromkeys(
        "channel_names class_names edits feature_names log model observe probe read record "
        "refresh save send_to stats track train_with watchdog".split(),
        "A recording holds no model: kan_widgets.bind(model) has it, in the process that trains. "
        "The inputs that it observes are recorded.",
    )

    def __init__(self, feed: RecordedFeed) -> None:
        super().__init__(feed, feed.scalars)
        feed.shown_by = weakref.ref(self)
        self._is_made = True

    @property
    def path(self) -> Path | str:
        """The folder or file, or its address."""
        return self.feed.reader.place.path

    @property
    def info(self) -> dict[str, Any]:
        """The recording's ``model``, ``started``, ``kan_widgets`` and ``version``."""
        header = self.feed.reader.header
        inner = ("copy", "alive", "writer", "latest")
        return {name: value for name, value in header.items() if name not in inner}

    @property
    def frames(self) -> int:
        """How many were read: all that were recorded; ``history`` may hold fewer."""
        return self.feed.frames

    @property
    def is_complete(self) -> bool:
        """Whether the recording was closed: nothing more will come."""
        return self.feed.reader.stored.ended

    @property
    def is_following(self) -> bool:
        """Whether it looks for what else is written."""
        return self.feed.follows

    @property
    def parameters(self) -> dict[str, Any] | None:
        """How many parameters were trained, in which parts: what the recording says of them."""
        return self.feed.reader.parameters

    @property
    def every(self) -> int:
        return self.feed.status.every

    @property
    def control(self) -> FollowerSide:
        """How the run that is followed stands, or will when it has heard what was asked for.

        Raises
        ------
        RuntimeError
            If it is not followed, or allows no control.
        """
        if (remote := self.feed.control) is None:
            raise RuntimeError(self.words)
        return remote

    def step(self, steps: int = 1) -> None:
        """Let the run that is followed make some steps, at least 1, then hold.

        Raises as ``set_learning_rate``.
        """
        check_whole("steps", steps)
        self.feed.steer({"kind": "step", "steps": int(steps)})

    @property
    def words(self) -> str:
        """How the recording stands, in one or two sentences."""
        return self.feed.words

    def __repr__(self) -> str:
        how = "following" if self.is_following else "complete" if self.is_complete else "cut off"
        return (
            f"<Replay of {self.feed.reader.place.name}: {len(self.layers)} layers, "
            f"{len(self.history)} frames, step {self.frame.step}, {how}>"
        )


def replay(path: PathLike, *, history_mb: float = 256.0) -> Replay:
    """Show a recorded run in the views, as far as it was written.

    All views take what is returned in the place of a binding. There is no model in a
    recording: nothing can be edited, observed or steered.

    Parameters
    ----------
    path
        What ``live.save`` or ``live.record`` has written, closed or not: a folder, a file, or an
        address that fsspec knows, such as ``s3://bucket/run``.
    history_mb
        Megabytes (10⁶ bytes) of frames to hold, at least 0; of a longer recording evenly spread
        ones. The first and the last frame are always held.

    Returns
    -------
    Replay
        With ``frame``, ``history``, ``scalars``, ``progress``, ``info`` and ``is_complete``.

    Raises
    ------
    TypeError
        If ``path`` is the name of no place, or ``history_mb`` is not a number.
    FileNotFoundError
        If there is no such recording.
    ValueError
        If it is not a recording, of a later version than is known here, damaged, or cut off before
        its first frame.

    Examples
    --------
    >>> import pathlib, tempfile, kan_widgets as kw
    >>> live = kw.bind(model := kw.nn.KANLinear(2, 3))
    >>> live.log(loss=0.5)
    >>> path = live.save(pathlib.Path(tempfile.mkdtemp()) / "run.npz")
    >>> run = kw.replay(path)
    >>> run.layers, run.frame.step, run.scalars.latest("loss")
    (('KANLinear',), 0, 0.5)
    >>> kw.KernelGrid(run).image(width=300).size[0]
    600
    """
    check_number("history_mb", history_mb, of="megabytes")
    reader = JoinedRanks(path)
    if reader.place.is_folder() and INDEX not in reader.place.names():
        raise IsADirectoryError(
            f"{reader.place} is a folder, and holds no {INDEX}: give the name of a recording in it"
        )
    try:
        feed = RecordedFeed(reader, history_mb)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{reader.place} is not there: give what live.save(path) or live.record(path) has "
            "written; kan_widgets.follow(path) waits for one"
        ) from None
    if reader.stored.damage:
        report(damage_of(reader))
    return Replay(feed)


def follow(
    path: PathLike, *, wait: float = 30.0, interval: float = 0.5, history_mb: float = 256.0
) -> Replay:
    """Show a run while another process records it with ``live.record``.

    It is looked at again and again, on this machine, on storage that both mount, or at an address
    that fsspec knows, until the recording is closed, ``close()`` is called, or nothing holds what
    is returned. Views hold it. A look is one small request while nothing has come, and looks are
    up to ten seconds apart then.

    Parameters
    ----------
    path
        The recording; it may be made later.
    wait
        Seconds to wait for its first frame, at least 0.
    interval
        Seconds between two looks while there is news, above 0.
    history_mb
        As for `replay`.

    Returns
    -------
    Replay
        As `replay` returns it; ``is_following`` tells whether it still looks.

    Raises
    ------
    TypeError, ValueError
        As `replay`, or if a number is out of range.
    TimeoutError
        If there is no frame in time.
    """
    check_number("history_mb", history_mb, of="megabytes")
    check_number("wait", wait, of="seconds")
    check_number("interval", interval, above=True, of="seconds")
    end = time.monotonic() + wait
    while True:
        try:
            reader = JoinedRanks(path)
            feed = RecordedFeed(reader, history_mb)
            break
        except (FileNotFoundError, NoFrames) as error:
            left = end - time.monotonic()
            if left <= 0:
                what = "no such file" if isinstance(error, FileNotFoundError) else "no frame in it"
                raise TimeoutError(
                    f"{reader.place}: {what} after {wait:g} s. Start live.record(path) where the "
                    "model trains, on storage that is mounted here too, or wait longer"
                ) from None
        time.sleep(min(interval, left))
    feed.follow(interval)
    return Replay(feed)
