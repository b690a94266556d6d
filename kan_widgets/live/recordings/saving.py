"""What a binding offers to keep its run: save it now, record it while it goes on, send it on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from kan_widgets import offers
from kan_widgets.live import control_file
from kan_widgets.live.checks import check_number, check_whole
from kan_widgets.live.frames.source import Source
from kan_widgets.live.recordings.archive import beside
from kan_widgets.live.recordings.destination import (
    PathLike,
    begin,
    checked_place,
    claimed,
    is_first_process,
)
from kan_widgets.live.recordings.format import status_of
from kan_widgets.live.recordings.recorder import Recorder, open_recorders
from kan_widgets.live.recordings.writer import Writer, parameters_of


class Sending(Protocol):
    """What sends how functions develop to a tracker. Made by ``live.send_to``; see there."""

    def close(self) -> None:
        """Send what is left, and the page. Closing again does nothing."""

    def __enter__(self) -> Sending: ...

    def __exit__(self, *exc_info: object) -> None: ...


class Savable(Source):
    """A source of frames whose training goes on here, and that can be kept in a file."""

    def save(self, path: PathLike) -> Path:
        """Write all that is known of this run into a file, for `kan_widgets.replay`.

        The frames kept, what was logged, the inputs observed last, the examples followed with
        what they made of the network, and how the training went;
        `kan_widgets.live.recordings.format` documents the file. A file of that name is
        replaced once the new one is complete. In distributed training only the first process
        (rank 0) writes.

        Parameters
        ----------
        path
            Where to; its folder must exist. ``numpy.load`` opens names that end in ``.npz``.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        TypeError
            If ``path`` is not the name of a file.
        OSError
            If the file cannot be written; one that was there is unchanged.
        RuntimeError
            If it is being written by ``record``, here or in another process.
        """
        place = checked_place(path)
        if not is_first_process():
            return place
        with claimed(place, overwrite=True) as held:
            if self.feed.is_open:
                self.feed.current()
            archive = beside(place)
            try:
                self._write(begin(archive, self.feed))
                archive.close()
                archive.move(place, held)
            except BaseException:
                archive.discard()
                raise
        return place

    def _write(self, writer: Writer) -> None:
        model = self.feed.module
        for frame in self.history:
            known = frame.layout is self.feed.layout and model is not None
            parameters = parameters_of(model) if known and model is not None else None
            writer.frame(frame, 0.0, parameters)
        writer.scalars(self.scalars)
        feed = self.feed
        if feed.observed:
            writer.observed(feed.observed)
        if feed.found is not None and feed.found.traced:
            writer.structure(feed.found)
        if feed.probed is not None:
            writer.probe(feed.probed)
        for activations in feed.activations:
            writer.activations(activations)
        writer.status(status_of(self) | {"output": self.progress.output})

    def record(
        self,
        path: PathLike,
        *,
        max_mb: float = 1000.0,
        overwrite: bool = False,
        control: bool = False,
        lost_after: float = 60.0,
    ) -> Recorder:
        """Append this run to a file while it goes on, for `kan_widgets.follow` and ``replay``.

        It begins with what is known already, and ends with ``close()`` of what is returned, of
        the binding, or of the process. A process that is killed leaves a file that can be
        read up to the last record. A thread in the background writes, about five times a second;
        training waits for nothing and does not change. A disk that cannot be written
        is reported and tried again. In distributed training only the first process (rank 0)
        records. Called again for the same file, it returns the recorder that is at work.

        Parameters
        ----------
        path
            Where to; its folder must exist. ``numpy.load`` opens names that end in ``.npz``.
        max_mb
            Megabytes (10⁶ bytes), above 0. When the file grows beyond, frames are left out
            evenly until it is half as large; the first and the last stay.
        overwrite
            Whether a file of that name is replaced: by a new one, once what is known by now is in
            it.
        control
            Whether who follows the recording may steer the run: pause, steps, stop, learning
            rates, ``every``, the cures of alarms. What is wanted comes through a file beside the
            recording, ``run.npz.control``, that its owner alone can read and write; a file of
            another user is not gone by (`kan_widgets.live.control_file` documents it). It is
            looked at five times a second, done between two steps, and acknowledged in the
            recording. One follower at a time. The files go when the recording is closed.
        lost_after
            Seconds, above 0. A pause that was asked for from afar ends when the follower has not
            been heard of for so long.

        Returns
        -------
        Recorder
            With ``frames``, ``nbytes``, ``problem``, ``flush()`` and ``close()``; also a
            context manager.

        Raises
        ------
        TypeError, ValueError
            If ``path`` is not the name of a file, or ``max_mb`` or ``lost_after`` not a number
            > 0.
        FileExistsError
            If there is such a file, and ``overwrite`` is false.
        OSError
            If a file cannot be made, or a control file of another user is there.
        RuntimeError
            If the binding is closed, the file is being written, here or in another process (the
            message says which), or files have no owners here and ``control`` is asked for.

        Examples
        --------
        >>> import pathlib, tempfile, torch, kan_widgets as kw
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.npz"
        >>> model = kw.nn.KANLinear(2, 3)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> live = kw.bind(model, optimizer, every=1)
        >>> with live.record(path):
        ...     for _ in range(3):
        ...         optimizer.zero_grad()
        ...         model(torch.ones(1, 2)).sum().backward()
        ...         optimizer.step()
        >>> run = kw.replay(path)
        >>> run.history[0].step, run.frame.step, run.is_complete
        (0, 3, True)
        """
        place = checked_place(path)
        check_number("max_mb", max_mb, above=True, of=" of megabytes")
        check_number("lost_after", lost_after, above=True, of=" of seconds")
        if not self.feed.is_open:
            raise RuntimeError(f"this binding is {self.state}: bind the model again to record it")
        known = open_recorders.get(place)
        if known is not None and known.records(self):
            return known
        if control:
            control_file.check_possible()
            control_file.clear(control_file.place_of(place), remove=False)
        return Recorder(
            self,
            place,
            int(max_mb * 1e6),
            overwrite=overwrite,
            lost_after=lost_after if control else None,
        )

    def send_to(self, writer: Any, every: int = 100, name: str = "kan_widgets") -> Sending:
        """Send how the functions develop to a tracker of experiments, for as long as it goes on.

        At each ``every`` steps numbers of each layer: how far its functions reach (the median and
        the largest max φ − min φ on the grid, ``reach`` and ``furthest``), the share of them that
        are ``constant``, how many are ``broken`` (not finite), and, once ``live.observe`` has seen
        a batch, the share of inputs ``outside`` the grid. With them a picture of each layer as
        `KernelGrid` draws it; these are left out where they would take more than a fiftieth of
        the time, and numbers come later where they would take more than a two-hundredth. At the
        end the last state, and a page with all of the history. A thread of its own draws and
        sends: training waits for neither, and does not change. In distributed training only the
        first process (rank 0) sends.

        Parameters
        ----------
        writer
            A ``SummaryWriter``; ``wandb``, ``mlflow`` or ``trackio``, or a run of one of these
            (the module stands for its active run); or a function, called with each
            `kan_widgets.integrations.trackers.Report`.
        every
            Steps between two reports, at least 1. They have frames: none come more often.
        name
            What stands before the names of all that is sent.

        Returns
        -------
        Sending
            With ``close()``, which sends what is left and the page; also a context manager. Closing
            the binding does it too, and so does the end of the process.

        Raises
        ------
        TypeError, ValueError
            If ``writer`` is none of these, or ``every`` is not a whole number ≥ 1.
        RuntimeError
            If the tracker has no active run, or the binding is closed.

        Examples
        --------
        >>> import kan_widgets as kw
        >>> model, reports = kw.nn.KANLinear(2, 3), []
        >>> live = kw.bind(model)
        >>> with live.send_to(reports.append):
        ...     live.step()
        >>> [report.step for report in reports], list(reports[-1].pictures)
        ([0, 1], ['KANLinear'])
        """
        check_whole("every", every, of=" of steps")
        if not self.feed.is_open:
            raise RuntimeError(f"this binding is {self.state}: bind the model again to send it on")
        sending: Sending = offers.sending(self, writer, every, name)
        return sending
