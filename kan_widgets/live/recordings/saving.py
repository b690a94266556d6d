"""What a binding offers to keep its run: save it now, record it while it goes on, send it on."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from kan_widgets.checks import check_number, check_whole
from kan_widgets.lazy_names import makers
from kan_widgets.live.frames.feed import closed_error
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.parameters import parameters_of
from kan_widgets.live.frames.source import Source
from kan_widgets.live.recordings.control_folder import ControlFolder
from kan_widgets.live.recordings.format import status_of
from kan_widgets.live.recordings.pending_writer import PendingWriter
from kan_widgets.live.recordings.places import PathLike, Place, is_first_process, ranks_of_job
from kan_widgets.live.recordings.recorder import (
    FrameRecorder,
    InputsRecorder,
    Recorder,
    open_recorders,
)
from kan_widgets.live.recordings.replay import Replay
from kan_widgets.live.recordings.same_step import same_step_of
from kan_widgets.live.recordings.segments import OneFile, written_file
from kan_widgets.live.recordings.writer import Writer


class SendingHandle(Protocol):
    """Sends how functions develop to a tracker. Made by ``live.send_to``; see there."""

    def close(self) -> None:
        """Send what is left, and the page. Closing again does nothing."""

    def __enter__(self) -> "SendingHandle": ...

    def __exit__(self, *exc_info: object) -> None: ...


def save_joined(run: Replay, file: OneFile) -> None:
    """Write into one file what several processes have recorded, as it is read."""
    layouts = {frame.layout for frame in run.history}
    known = dict.fromkeys(layouts, run.parameters) if run.parameters else {}
    whole = {name: one for name, one in run.info.items() if name not in ("rank", "world", "job")}
    _write(Writer(file, None, whole), run, known, asdict(run.feed.status) | {"steering": None})


def _write(
    writer: Writer, source: Source, parameters: Mapping[Layout, Any], status: dict[str, Any]
) -> None:
    PendingWriter(writer, parameters).write(source.feed, source.history)
    writer.scalars(source.scalars)
    writer.status(status)


class Savable(Source):
    """A source of frames whose training goes on here, and that can be kept in a file."""

    def save(self, path: PathLike) -> Path | str:
        """Write all that is known of this run into one file, for `kan_widgets.replay`.

        The frames kept, what was logged, the inputs observed last, the examples traced with
        what they made of the network, and how the training went;
        ``docs/recordings.md`` documents the file. A file of that name is
        replaced once the new one is complete. In distributed training only the first process
        (rank 0) writes.

        Parameters
        ----------
        path
            Where to, also an address such as ``s3://bucket/run.npz``; a folder on this machine
            must exist. ``numpy.load`` opens names that end in ``.npz``.

        Returns
        -------
        pathlib.Path or str
            The file, or its address.

        Raises
        ------
        TypeError
            If ``path`` is not the name of a file.
        OSError
            If the file cannot be written; one that was there is unchanged.
        """
        place = Place(path)
        place.check_parent()
        if place.is_folder():
            raise IsADirectoryError(f"{place} is a folder: give the name of a file in it")
        if place.is_device():
            raise FileExistsError(f"{place} is a device or a pipe: give another name")
        if not is_first_process():
            return place.path
        if self.feed.is_open:
            self.feed.current()
        layout, model = self.feed.layout, self.feed.module
        known = {} if model is None else {layout: parameters_of(model, layout.layers)}
        status = status_of(self) | {"output": self.progress.output}
        with written_file(place) as file:
            _write(Writer(file, model), self, known, status)
        return place.path

    def record(
        self,
        path: PathLike,
        *,
        max_mb: float = 1000.0,
        overwrite: bool = False,
        control: bool = False,
        lost_after: float = 60.0,
    ) -> Recorder:
        """Append this run to a folder while it goes on, for `kan_widgets.follow` and ``replay``.

        It begins with what is known already, and ends with ``close()`` of what is returned, of
        the binding, or of the process. A process that is killed leaves what can be read up to
        what was written last. A thread in the background writes, about five times a second, and
        to other machines as often as their answers take a twentieth of the time;
        training waits for nothing and does not change. A place that cannot be written
        is reported and tried again. In distributed training only the first process (rank 0)
        records, and the others what they have of a model that is split over all: call it in every
        process. Called again for the same place, it returns the recorder that is at work.

        Where a run of a model of the same layers was recorded before, and was killed or did not
        begin at step 0 this time (``kan_widgets.bind(model, optimizer, steps=...)``), the
        recording goes on. Of steps that are trained again the newer ones count; the older stay in
        the recording until it is thinned. Where nothing can be locked, as in ``s3://``, a writer
        that was killed less than a minute ago is waited for.

        Parameters
        ----------
        path
            The folder, made if missing in one that exists, or an address that fsspec knows, such
            as ``s3://bucket/run``.
        max_mb
            Megabytes (10⁶ bytes), above 0. When it grows beyond, frames are left out
            evenly until it is half as large; the first and the last stay.
        overwrite
            Whether what is recorded there is replaced, once what is known by now is written.
        control
            Whether who follows the recording may steer the run: pause, steps, stop, learning
            rates, ``every``, the cures of alarms. What is wanted comes through a folder beside the
            recording, ``run.control``, that its owner alone can enter, or at an address whoever
            may write there (``docs/recordings.md``). It is checked five
            times a second, or every two seconds at a remote address. What is asked for is done
            between two steps, in order, and acknowledged in the recording. The folder goes when
            the recording is closed.
        lost_after
            Seconds, above 0. A pause that was asked for from afar ends when no follower has been
            heard of for so long.

        Returns
        -------
        Recorder
            With ``frames``, ``nbytes``, ``problem``, ``flush()`` and ``close()``; also a
            context manager.

        Raises
        ------
        TypeError, ValueError
            If ``path`` is no place, or ``max_mb`` or ``lost_after`` not a number > 0.
        FileExistsError
            If a run is there that has ended or is of another model, and ``overwrite`` is false;
            or a file, or something else.
        OSError
            If nothing can be made there, or a control folder of another user is there.
        RuntimeError
            If the binding is closed, another process writes there (the message says which), or
            ``control`` is asked for where files have no owners.

        Examples
        --------
        >>> import pathlib, tempfile, torch, kan_widgets as kw
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "run"
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
        place = Place(path)
        place.check_parent()
        check_number("max_mb", max_mb, above=True, of="megabytes")
        check_number("lost_after", lost_after, above=True, of="seconds")
        if not self.feed.is_open:
            raise closed_error(self.feed)
        known = open_recorders.get(str(place))
        if known is not None and known.records(self):
            return known
        if control:
            ControlFolder(place.path).check()
        ranks = ranks_of_job()
        lost, others = (lost_after, same_step_of(self.feed, ranks)) if control else (None, None)
        if not (is_first_process() or any(layer.split for layer in self.feed.layout.layers)):
            return InputsRecorder(self, place, ranks)
        return FrameRecorder(
            self,
            place,
            int(max_mb * 1e6),
            ranks,
            overwrite=overwrite,
            lost_after=lost,
            others=others,
        )

    def send_to(self, writer: Any, every: int = 100, name: str = "kan_widgets") -> SendingHandle:
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
        SendingHandle
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
        check_whole("every", every, of="steps")
        if not self.feed.is_open:
            raise closed_error(self.feed)
        sending: SendingHandle = makers["live.send_to"](self, writer, every, name)
        return sending
