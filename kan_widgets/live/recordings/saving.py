"""What a binding offers to keep its run: save it now, or record it while it goes on."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

from kan_widgets.live import control_file
from kan_widgets.live.recordings.archive import beside
from kan_widgets.live.recordings.destination import (
    PathLike,
    begin,
    checked_place,
    claimed,
    is_first_process,
)
from kan_widgets.live.recordings.recordable import Recordable, Steering
from kan_widgets.live.recordings.recorder import Recorder, open_recorders
from kan_widgets.live.recordings.status import status_of
from kan_widgets.live.recordings.writer import Writer, parameters_of


class Savable(Recordable):
    """A source of frames that can be kept in a file."""

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
            if self.is_open:
                self.current()
            archive = beside(place)
            try:
                self._write(begin(archive, self))
                archive.close()
                archive.move(place, held)
            except BaseException:
                archive.discard()
                raise
        return place

    def _write(self, writer: Writer) -> None:
        model = self.model
        for frame in self.history:
            known = frame.layout is self.layout and model is not None
            parameters = parameters_of(model) if known and model is not None else None
            writer.frame(frame, 0.0, parameters)
        writer.scalars(self.training.scalars)
        if observed := self.observed:
            writer.observed(observed)
        if self.structure.traced:
            writer.structure(self.structure)
        if self.probed is not None:
            writer.probe(self.probed)
        for activations in self.activations:
            writer.activations(activations)
        writer.status(status_of(self) | {"output": self.progress.output})

    def _be_steered(self, recorder: Recorder, lost_after: float) -> Steering:
        """Let whoever follows a recording steer the run, where something can be steered."""
        raise RuntimeError(f"{self!r:.80} cannot be steered: record it without control")

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
        for name, value, unit in (
            ("max_mb", max_mb, "megabytes"),
            ("lost_after", lost_after, "seconds"),
        ):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(f"{name}={value!r}: expected a number")
            if not 0 < value < math.inf:
                raise ValueError(f"{name}={value}: expected a finite number of {unit} > 0")
        if not self.is_open:
            raise RuntimeError(f"this binding is {self.state}: bind the model again to record it")
        known = open_recorders.get(place)
        if known is not None and known.records(self):
            return known
        if control:
            control_file.check_possible()
            control_file.clear(control_file.place_of(place), remove=False)
        steered = partial(self._be_steered, lost_after=lost_after) if control else None
        return Recorder(self, place, int(max_mb * 1e6), overwrite=overwrite, steered=steered)
