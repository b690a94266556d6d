"""What it costs that a run may be anywhere, each beside the same thing on one machine's disk.

- A training that is recorded into a folder, and into an object store whose answers take 30 ms,
  beside one that is only bound, in turns: medians of the seconds per 1,000 steps, and of the ratios
  of seconds and of processor time (of all threads, which other programs do not lengthen as much).
- A training of four processes that have a quarter of the model each (FSDP2), recorded into one
  film, beside the same one that is only bound, in turns.
- A film of four processes that have a quarter of each frame each, beside the same film of one:
  what writing and reading take.
- What the processes ask each other while nobody steers them.
- A board of 100 runs of 10⁵ functions each, beside one of 100 runs of 100.

Run: python -m tests.benchmarks.bench_anywhere [--help]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import torch
import torch.distributed as dist
from torch.distributed import TCPStore
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

import kan_widgets as kw
from kan_widgets.cli.board import _SOON, Board
from kan_widgets.functions.layer_settings import Split
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Layout, build_layout
from kan_widgets.live.recordings.places import Place
from kan_widgets.live.recordings.ranks import place_of_rank
from kan_widgets.live.recordings.same_step import LOOK_SECONDS
from kan_widgets.live.recordings.segments import SIGN_SECONDS, Segments
from kan_widgets.live.recordings.writer import Writer

ANSWER_SECONDS = 0.03
WORLD = 4


@contextmanager
def distant() -> Iterator[str]:
    """Give an address of a store in memory that takes its time; say what it was asked."""
    asked, memory = Place._asked, fsspec.filesystem("memory")
    requests = 0

    def slowly(place: Place) -> Any:
        nonlocal requests
        if not place.is_local:
            requests += 1
            time.sleep(ANSWER_SECONDS)
        return asked(place)

    Place._asked = slowly  # type: ignore[method-assign, assignment]
    try:
        yield "memory://bench/run"
        print(f"    {requests} requests to the store")
    finally:
        Place._asked = asked  # type: ignore[method-assign]
        memory.rm("/bench", recursive=True)


def clocks() -> tuple[float, float]:
    """Return the time, and that of the processors in all threads of this process."""
    return time.perf_counter(), time.process_time()


def train(place: str, steps: int) -> tuple[float, float]:
    """Return what some steps took by both clocks, recorded to a place if one is named."""
    torch.manual_seed(0)
    model = kw.nn.KANCNN()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    live = kw.bind(model, optimizer)
    recording = live.record(place, overwrite=True) if place else None
    x, y = torch.rand(16, 1, 28, 28), torch.randint(10, (16,))
    start = clocks()
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    took = since(start, steps)
    if recording is not None:
        recording.close()
    live.close()
    return took


def since(start: tuple[float, float], steps: int) -> tuple[float, float]:
    """Return what passed by both clocks, per 1,000 steps."""
    now = clocks()
    return 1000 * (now[0] - start[0]) / steps, 1000 * (now[1] - start[1]) / steps


def recorded(folder: Path, steps: int, turns: int) -> None:
    """Print what recording costs a training, by where it is recorded."""
    found: dict[str, list[tuple[float, float]]] = {"bound": [], "folder": [], "store": []}
    for turn in range(turns + 1):
        with distant() as address:
            places = {"bound": "", "folder": str(folder / "run"), "store": address}
            for name, place in places.items():
                took = train(place, steps)
                if turn:  # the first warms up
                    found[name].append(took)
    tell("a training of KANCNN()", found, steps)


def tell(what: str, found: dict[str, list[tuple[float, float]]], steps: int) -> None:
    """Print seconds per 1,000 steps of several turns, and ratios to those that are bound."""
    print(f"{what}, medians of {len(found['bound'])} turns of {steps} steps")
    for name, took in found.items():
        said = f"    {name:7} {statistics.median(one for one, _ in took):6.2f} s per 1,000 steps"
        for clock, whose in enumerate(("time", "of processors")):
            pairs = zip(took, found["bound"], strict=True)
            ratios = [here[clock] / there[clock] for here, there in pairs]
            least, most = min(ratios), max(ratios)
            said += f"; {whose} {statistics.median(ratios):.3f} ({least:.3f} to {most:.3f})"
        print(said)


def gathered(folder: Path, steps: int, turns: int) -> None:
    """Train in each of the processes what it has of a model; the first prints what it took."""
    dist.init_process_group("gloo")
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    x, found = torch.rand(64, 64), dict[str, list[tuple[float, float]]](bound=[], folder=[])
    for turn in range(turns + 1):
        for name, took in found.items():
            torch.manual_seed(0)
            model = torch.nn.Sequential(*(kw.nn.KANLinear(64, 64) for _ in range(3)))
            for part in (*model, model):
                fully_shard(part, mesh=mesh)
            optimizer = torch.optim.SGD(model.parameters(), 0.01)
            live = kw.bind(model, optimizer)
            recording = live.record(folder / str(turn)) if name == "folder" else None
            dist.barrier()
            start = clocks()
            for _ in range(steps):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()
            dist.barrier()
            if turn:  # the first warms up
                took.append(since(start, steps))
            if recording is not None:
                recording.close()
            live.close()
            dist.barrier()
    if dist.get_rank() == 0:
        film = kw.replay(folder / str(turns))
        assert not any(layer.split for layer in film.feed.layout.layers)
        tell(f"FSDP2 in {dist.get_world_size()} processes, 12,288 functions", found, steps)
        print(f"    {len(film.history)} whole frames of {film.history.steps[-1]} steps in the film")
    dist.destroy_process_group()


def in_processes(options: argparse.Namespace, folder: Path) -> None:
    """Run `gathered` in several processes."""
    run = f"-m torch.distributed.run --standalone --nproc_per_node {WORLD} -m {__spec__.name}"
    given = f"--gather {folder} --steps {options.steps // 3} --turns {options.turns}"
    subprocess.run([sys.executable, *run.split(), *given.split()], check=True)


def layouts(width: int, parts: int) -> list[Layout]:
    """Return the layouts of the parts of a layer, or that of the whole."""
    layer = kw.functions.read(kw.nn.KANLinear(width, width // parts))[0]
    if parts == 1:
        return [build_layout([layer])]
    whole, each = (width, width, 1, 1), width // parts
    splits = [Split(whole, rank * each, 0, f"rank {rank}") for rank in range(parts)]
    return [build_layout([layer.called(split=split)]) for split in splits]


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def joined(folder: Path, width: int, frames: int) -> None:
    """Print what writing and reading a film takes, of one process and of several."""
    took: dict[int, tuple[float, float]] = {}
    for parts in (1, WORLD):
        place, written = Place(folder / f"film {parts}"), []
        for rank, layout in enumerate(layouts(width, parts)):
            data = np.random.default_rng(rank).random(layout.size, np.float32)

            def write(
                rank: int = rank, layout: Layout = layout, data: Any = data, parts: int = parts
            ) -> None:
                said = {"rank": rank, "world": parts, "job": 1} if parts > 1 else {}
                store = Segments(place_of_rank(place, rank))  # noqa: B023
                writer = Writer(store, None, said)
                writer.write_ranks()
                for step in range(frames):
                    writer.frame(Frame(step, layout, data), 0.0)
                    store.commit()
                store.commit(ended=True)
                store.unlock()

            written.append(timed(write))
        run: list[Any] = []
        reading = timed(lambda: run.append(kw.replay(place.path, history_mb=1e6)))  # noqa: B023
        assert len(run[0].history) == frames
        assert run[0].layers == ("KANLinear",)
        took[parts] = max(written), reading
    (one, read), (four, joining) = took[1], took[WORLD]
    print(f"a film of {width * width:,} functions, {frames} frames")
    print(f"    written by one process in {one:.2f} s, by each of {WORLD} in {four:.2f} s")
    print(f"    read in {read:.2f} s, joined from {WORLD} in {joining:.2f} s: {joining / read:.2f}")


def asked() -> None:
    """Print what a process asks the others for while nobody steers it."""
    store = TCPStore("127.0.0.1", 0, is_master=True)
    looks = [timed(lambda: store.check(["kan_widgets/same_step/0/0"])) for _ in range(2000)]
    each = statistics.median(looks)
    print(
        f"a look for what is asked of all processes: {1e6 * each:.0f} µs, {1 / LOOK_SECONDS:g} "
        f"times a second in a thread of its own: {100 * each / LOOK_SECONDS:.3f} % of the time"
    )


def board(folder: Path, runs: int, width: int) -> tuple[float, float, float]:
    """Return the seconds of the first look at a board, of a later one, and those of a core."""
    [layout] = layouts(width, 1)
    for number in range(runs):
        store = Segments(Place(folder / str(number)))
        Writer(store, None).frame(Frame(0, layout, np.zeros(layout.size, np.float32)), 0.0)
        store.commit()
        store.unlock()
    shown = Board(Place(folder))
    first = timed(shown.look)
    assert len(shown.runs) == runs

    def again() -> None:
        for run in shown.runs:
            run.due = float("-inf")
        shown.look()

    began = time.process_time()
    later = statistics.median(timed(again) for _ in range(5))
    return first, later, (time.process_time() - began) / 5


def main(arguments: Any = None) -> None:
    """Print all."""
    parser = argparse.ArgumentParser(description="What it costs that a run may be anywhere.")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--gather", type=Path, help=argparse.SUPPRESS)  # in each process
    options = parser.parse_args(arguments)
    if options.gather is not None:
        gathered(options.gather, options.steps, options.turns)
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        recorded(folder, options.steps, options.turns)
        in_processes(options, folder)
        joined(folder, 316, options.frames)
        asked()
        (folder / "small").mkdir()
        (folder / "large").mkdir()
        few = board(folder / "small", options.runs, 10)
        many = board(folder / "large", options.runs, 316)
    print(f"a board of {options.runs} runs of 100 functions, and of 99,856 each")
    for name, small, large in zip(
        ("first look", "later looks", "of a core"), few, many, strict=True
    ):
        print(f"    {name:11} {small:.2f} s, {large:.2f} s: {large / small:.2f} times")
    news, none = (100 * many[2] / seconds for seconds in (_SOON, SIGN_SECONDS))
    print(f"    {news:.1f} % of a core where all have news, {none:.1f} % where none has any")


if __name__ == "__main__":
    main()
