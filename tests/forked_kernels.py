"""Kernels with torch and the package in memory from the start: forks of one process with both.

Importing them takes a kernel longer than most tests need it for. What a server starts as its
kernel is here a small process (`attend`) that asks the one with the imports (`serve`) for a fork,
passes signals on to it and ends as it ends.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

# What a notebook with views loads (`torch._dynamo` comes with the first optimizer), and what a
# kernel does on its own: its debugger takes longer than the rest of its start. Not quickjs, whose
# import starts a thread.
PRELOADED = (
    *("torch", "torch._dynamo", "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell"),
    *("ipykernel.debugger", "IPython.core.completerlib", "IPython.core.debugger"),
    *("ipywidgets", "anywidget", "PIL.Image"),
    *(f"kan_widgets.{part}" for part in ("data", "figures", "functions", "insight", "live")),
    *("kan_widgets.nn", "kan_widgets.widgets"),
)
STANDARD_STREAMS = (0, 1, 2)


class ForkServer:
    """The process that kernels are forked from. Use it as a context manager."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        # A socket's path must stay short, about 100 characters.
        self._home = tempfile.TemporaryDirectory(prefix="kan-widgets-fork-")
        self.folder = self._home.name
        """Of a kernel ``python3`` that is its forks; for ``JUPYTER_PATH``."""
        self._socket = str(Path(self.folder) / "socket")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ForkServer:
        """Start it; its imports go on meanwhile."""
        from ipykernel.kernelspec import get_kernel_dict  # not for those who only attend

        # A debugger warns of modules that are frozen.
        command = [sys.executable, "-Xfrozen_modules=off", __file__, "serve", self._socket]
        self._process = subprocess.Popen(
            command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"listening\n":
            raise RuntimeError(f"{' '.join(command)} did not start")
        argv = [sys.executable, "-I", "-S", __file__, "attend", self._socket, "{connection_file}"]
        spec = Path(self.folder) / "kernels" / "python3" / "kernel.json"
        spec.parent.mkdir(parents=True)
        spec.write_text(json.dumps(get_kernel_dict() | {"argv": argv}))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it and what is left of its kernels."""
        if self._process is not None:
            self._process.communicate()  # the end of its input is the end of it
        self._home.cleanup()


def attend(path: str, connection: str, *arguments: str) -> int:
    """Have a kernel forked, stand in for it, and give its exit status."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        asked = {
            "arguments": ["-f", connection, *arguments],
            "folder": os.getcwd(),
            "environment": dict(os.environ),
        }
        socket.send_fds(server, [b"\n"], STANDARD_STREAMS)
        server.sendall(json.dumps(asked).encode() + b"\n")
        answers = server.makefile()
        kernel = int(answers.readline())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: os.killpg(kernel, number))
        return int(answers.readline() or 1)


def serve(path: str) -> None:
    """Fork a kernel for everyone who asks, until the standard input ends."""
    kernels: dict[int, socket.socket] = {}
    waiting = selectors.DefaultSelector()
    with socket.socket(socket.AF_UNIX) as asked:
        asked.bind(path)
        asked.listen()
        print("listening", flush=True)
        os.environ["JPY_PARENT_PID"] = str(os.getpid())  # read by an import; a kernel ends with it
        for name in PRELOADED:
            __import__(name)
        gc.freeze()  # a collection in a fork would copy the memory of all that
        # A fork has only the thread that made it: any other may hold a lock for ever.
        assert len(os.listdir("/proc/self/task")) == 1, "a thread was started by an import"
        woken, wake = socket.socketpair()
        woken.setblocking(False)
        wake.setblocking(False)
        signal.set_wakeup_fd(wake.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for source in (sys.stdin.buffer, asked, woken):
            waiting.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                source: Any = key.fileobj
                if source is sys.stdin.buffer:
                    end(kernels)
                    return
                if source is asked:
                    client, _ = asked.accept()
                    try:
                        request, streams = receive(client)
                    except (OSError, ValueError):  # whoever asked was killed meanwhile
                        client.close()
                        continue
                    pid = os.fork()
                    if pid == 0:
                        signal.set_wakeup_fd(-1)
                        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                        be_kernel(request, streams, [asked, client, woken, wake, *kernels.values()])
                    for stream in streams:
                        os.close(stream)
                    tell(client, pid)
                    kernels[pid] = client
                    waiting.register(client, selectors.EVENT_READ)
                elif source is woken:
                    woken.recv(1000)
                    reap(kernels, waiting)
                elif source in kernels.values():  # who stood in for it was killed
                    waiting.unregister(source)
                    end({pid: one for pid, one in kernels.items() if one is source})


def receive(client: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Give what is asked for, and the standard streams of who asks."""
    _, streams, _, _ = socket.recv_fds(client, 1, len(STANDARD_STREAMS))
    with client.makefile() as lines:
        return json.loads(lines.readline()), streams


def reap(kernels: dict[int, socket.socket], waiting: selectors.BaseSelector) -> None:
    """Tell who stands in for a kernel how it has ended."""
    for pid in [*kernels]:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            client = kernels.pop(pid)
            if client in waiting.get_map():
                waiting.unregister(client)
                tell(client, os.waitstatus_to_exitcode(status) & 255)
            client.close()


def tell(client: socket.socket, number: int) -> None:
    """Send a number to who stands in for a kernel, if that still lives."""
    with contextlib.suppress(OSError):
        client.sendall(b"%d\n" % number)


def end(kernels: dict[int, socket.socket]) -> None:
    """Kill kernels, and what they have started."""
    for pid in kernels:
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(pid, signal.SIGKILL)  # not yet the head of a group


def be_kernel(request: dict[str, Any], streams: list[int], sockets: list[socket.socket]) -> None:
    """Become a kernel in a process just forked, and end with it."""
    import random

    import numpy as np
    from ipykernel.kernelapp import launch_new_instance

    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    for one in sockets:
        one.close()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    sys.path.pop(0)  # the folder of this file
    sys.argv = ["ipykernel_launcher", *request["arguments"]]
    random.seed()
    np.random.seed()  # noqa: NPY002
    try:
        launch_new_instance()
        status = 0
    except SystemExit as reason:
        status = reason.code if isinstance(reason.code, int) else int(reason.code is not None)
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(attend(*sys.argv[2:]))
