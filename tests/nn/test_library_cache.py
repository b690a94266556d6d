"""Compiled code that is broken, foreign or late: it is made again or done without."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import warnings
from pathlib import Path

import pytest
import torch

from kan_widgets.nn import KANConv2d, KANLinear
from kan_widgets.nn.kernels import compiler, library_cache, native, recipe

LARGE_INPUT = torch.zeros(64, 4, 20, 20)

#: The modules that compile and load, without torch: a process is there at once. Where they came
#: with a wheel its library is not used.
ALONE = f"""
import sys, types, warnings
warnings.simplefilter("error")
for name, folder in (("kan_widgets", ""), ("kan_widgets.nn", "nn")):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [{str(Path(compiler.__file__).parents[2])!r} + "/" + folder]
from kan_widgets.nn.kernels import bundled, compiler, library_cache, native
bundled.FILE = bundled.FILE.with_name("none")
"""


def process(program, **options):
    """Run a program that a fault would kill, or start it."""
    command = [sys.executable, "-c", ALONE + textwrap.dedent(program)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def said(running):
    """Return what a program printed, once it has ended well."""
    try:
        out, errors = running.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        running.kill()
        raise
    assert running.returncode == 0, errors.decode()
    return out.decode().split()


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    """The file of a library."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        library_cache.folder.cache_clear()
        return compiler.Compiler(compiler.find_compiler()).make(3)[0]


@pytest.fixture
def runs(fresh, cxx, code, tmp_path):
    """A compiler that has its library ready, and the list of its runs."""
    ready, log = tmp_path / "ready.so", tmp_path / "log"
    ready.write_bytes(code)
    cxx(f'echo run >> {log}; while [ "$1" != -o ]; do shift; done; cp {ready} "$2"')

    class Runs:
        def __len__(self):
            return len(log.read_text().splitlines()) if log.exists() else 0

    return Runs()


def another_process(monkeypatch):
    """Forget what this one has loaded."""
    monkeypatch.setattr(native, "_builds", {})
    library_cache.folder.cache_clear()


def kept(fresh):
    (path,) = fresh.glob("*.so")
    return path


def test_a_file_that_was_cut_short_is_made_again(fresh, runs, code):
    assert native.library(3) is not None
    # Loading some of these is a bus error.
    program = f"""
    import os
    for size in (0, 1, 10, 63, 64, 1000, 4096, 20_000, 40_000, {len(code) - 1}):
        (path,) = library_cache.folder().glob("*.so")
        os.truncate(path, size)
        native._builds.clear()
        print(native.library(3) is not None)
    """
    assert said(process(program)) == ["True"] * 10
    assert len(runs) == 11


def test_a_file_that_is_cut_short_while_in_use_does_no_harm(fresh, runs):
    program = """
    import ctypes, os, struct
    lib = native.library(3)
    (path,) = library_cache.folder().glob("*.so")
    os.truncate(path, 0)
    sizes = *[1] * 16, 0, 0  # one value, one function, no padding
    problem = struct.pack("37q2d", *sizes, *[1] * 16, 8, 1, 0, 0.0, 1.0)
    numbers = [(ctypes.c_float * 9)() for _ in range(4)]
    print(lib.forward(problem, None, numbers[0], None, *numbers[1:]))
    """
    assert said(process(program)) == ["0"]


def flipped(path):
    changed = bytearray(path.read_bytes())
    changed[len(changed) // 2] ^= 1
    path.write_bytes(changed)


def without_symbols(path):
    source = path.with_suffix(".c")
    source.write_text("int nothing;")
    subprocess.check_call(
        [shutil.which("g++") or "c++", "-shared", "-fPIC", str(source), "-o", str(path)]
    )
    source.unlink()
    name = path.stem.rpartition("-")[0]
    path.rename(path.with_name(f"{name}-{library_cache._checksum(path.read_bytes())}.so"))


def linked(path):
    path.rename(path.with_suffix(".other"))
    path.symlink_to(path.with_suffix(".other"))


def piped(path):
    path.unlink()
    os.mkfifo(path)


BROKEN = {
    "changed by a bit": flipped,
    "without symbols": without_symbols,
    "a link": linked,
    "a pipe": piped,
    "writable by all": lambda path: path.chmod(0o777),
    "writable by the group": lambda path: path.chmod(0o620),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_file_that_may_not_be_loaded_is_made_again(how, fresh, runs, monkeypatch):
    assert native.library(3) is not None
    good = kept(fresh)
    BROKEN[how](good)
    another_process(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert native.library(3) is not None
    assert len(runs) == 2
    assert kept(fresh) == good
    assert good.lstat().st_mode == stat.S_IFREG | 0o600
    another_process(monkeypatch)
    assert native.library(3) is not None
    assert len(runs) == 2


def test_the_file_of_another_user_is_made_again(fresh, runs, monkeypatch):
    assert native.library(3) is not None
    foreign = kept(fresh).stat().st_ino
    fstat = os.fstat

    def owned(descriptor):
        status = fstat(descriptor)
        fields = list(status)
        fields[stat.ST_UID] += status.st_ino == foreign
        return os.stat_result(fields)

    monkeypatch.setattr(os, "fstat", owned)
    loaded = []
    load = library_cache.load
    monkeypatch.setattr(library_cache, "load", lambda *given: (loaded.append(1), load(*given))[1])
    another_process(monkeypatch)
    assert native.library(3) is not None
    assert len(runs) == 2
    assert len(loaded) == 1


def test_nobody_else_can_write_what_is_made_under_any_umask(fresh, runs):
    before = os.umask(0)
    try:
        assert native.library(3) is not None
    finally:
        os.umask(before)
    for path in (fresh.parent, fresh, *fresh.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_sound_file_stays_when_it_cannot_be_loaded_for_now(fresh, runs, monkeypatch):
    assert native.library(3) is not None
    path = kept(fresh)

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        another_process(monkeypatch)
        library_cache.folder()
        patch.setattr(tempfile, "TemporaryDirectory", full)
        patch.setattr(native, "_warned", False)
        with pytest.warns(RuntimeWarning, match="No space left"):
            assert native.library(3) is None
    assert kept(fresh) == path


def test_ten_processes_compile_once(fresh, cxx, code, tmp_path):
    ready, log = tmp_path / "ready.so", tmp_path / "log"
    ready.write_bytes(code)
    # Slow enough for all to be there before the first is done.
    cxx(f'echo run >> {log}; while [ "$1" != -o ]; do shift; done; sleep 2; cp {ready} "$2"')
    all_ten = [process("print(native.library(3) is not None)") for _ in range(10)]
    assert [said(one) for one in all_ten] == [["True"]] * 10
    assert log.read_text() == "run\n"


def test_a_process_that_was_killed_keeps_nobody_waiting(fresh, cxx, code, tmp_path):
    ready, pid = tmp_path / "ready.so", tmp_path / "pid"
    ready.write_bytes(code)
    # The first run hangs.
    cxx(
        f"if [ ! -e {pid} ]; then echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 600; fi\n"
        f'while [ "$1" != -o ]; do shift; done; cp {ready} "$2"'
    )
    first = process("native.library(3)")
    while not pid.exists():
        assert first.poll() is None
        time.sleep(0.01)
    second = process("print(native.library(3) is not None)")
    first.kill()
    first.communicate()
    try:
        assert said(second) == ["True"]  # within less than a compiler's time
    finally:
        os.kill(int(pid.read_text()), 9)


def test_what_hangs_behind_a_wrapper_is_ended_too(fresh, cxx, monkeypatch, tmp_path):
    pid = tmp_path / "pid"
    monkeypatch.setattr(compiler, "PATIENCE", 0.5)
    cxx(f"sleep 600 & echo $! > {pid}; wait; wait")
    with pytest.warns(RuntimeWarning, match=r"took more than 0\.5 seconds"):
        KANConv2d(4, 2, 3)(LARGE_INPUT)
    assert ended(int(pid.read_text()))


def test_a_process_that_ends_takes_what_hangs_behind_a_wrapper_with_it(fresh, cxx, tmp_path):
    pid = tmp_path / "pid"
    cxx(f"sleep 600 & echo $! > {pid}.new; mv {pid}.new {pid}; wait; wait")
    program = f"""
    import os, time
    native.prepare(3)
    while not os.path.exists({str(pid)!r}):
        time.sleep(0.01)
    """
    said(process(program))
    assert ended(int(pid.read_text()))


def ended(pid):
    """Wait until a process is gone, or left for its new parent to collect."""
    for _ in range(500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    os.kill(pid, 9)
    return False


def test_a_lock_that_a_file_system_does_not_have_is_done_without(fresh, runs, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert native.library(3) is not None


def test_where_no_file_can_be_locked_nothing_is_compiled(fresh, runs, monkeypatch):
    monkeypatch.setattr(library_cache, "fcntl", None)
    with pytest.warns(RuntimeWarning, match="several times slower"):
        KANConv2d(4, 2, 3)(LARGE_INPUT).sum().backward()
    assert len(runs) == 0


def test_a_compiler_that_makes_half_a_library_is_a_warning(fresh, cxx, code, tmp_path):
    half = tmp_path / "half.so"
    half.write_bytes(code[:20_000])
    cxx(f'while [ "$1" != -o ]; do shift; done; cp {half} "$2"')
    program = """
    warnings.simplefilter("default")
    with warnings.catch_warnings(record=True) as caught:
        print(native.library(3), len(caught), "cut short" in str(caught[0].message))
    """
    assert said(process(program)) == ["None", "1", "True"]


def refused(*arguments, **options):
    raise PermissionError("not here")


def no_thread(thread):
    raise RuntimeError("can't start new thread")


FAULTS = {
    "no compiler runs": lambda patch: patch.setattr(subprocess, "Popen", refused),
    "no source": lambda patch: patch.setattr(recipe, "FILES", (Path("/nowhere"),)),
    "no memory": lambda patch: patch.setattr(library_cache, "find", lambda *_: [0] * 2**60),
    "no file may be opened": lambda patch: patch.setattr(os, "open", refused),
    "no library loads": lambda patch: patch.setattr(ctypes, "CDLL", refused),
    "no thread starts": lambda patch: patch.setattr(threading.Thread, "start", no_thread),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_fails_layers_compute_after_one_warning(fault, fresh, runs, monkeypatch):
    library_cache.folder()
    layers = [KANConv2d(4, 2, 3, spline_order=order) for order in (2, 3)]
    native.use_compiled(False)
    expected = [layer(LARGE_INPUT) for layer in layers]
    monkeypatch.setattr(native, "_wanted", None)
    with monkeypatch.context() as patch, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        FAULTS[fault](patch)
        found = [layer(LARGE_INPUT) for layer in layers]
    assert [warning.category for warning in caught] == [RuntimeWarning]
    assert all(map(torch.equal, found, expected))


@pytest.mark.parametrize("word", ["0", "false", "No", "OFF", " off "])
def test_the_environment_turns_compiling_off_in_words_too(word, fresh, runs, monkeypatch):
    monkeypatch.setenv("KAN_WIDGETS_COMPILE", word)
    KANConv2d(4, 2, 3)(LARGE_INPUT)
    assert len(runs) == 0


@pytest.mark.parametrize("word", ["", "1", "TRUE", "yes", "on"])
def test_and_on(word, fresh, runs, monkeypatch):
    monkeypatch.setenv("KAN_WIDGETS_COMPILE", word)
    KANConv2d(4, 2, 3)(LARGE_INPUT)
    assert len(runs) == 1


def test_a_word_that_means_neither_is_an_error_which_says_what_does(fresh, runs, monkeypatch):
    monkeypatch.setenv("KAN_WIDGETS_COMPILE", "maybe")
    with pytest.raises(ValueError, match=r"KAN_WIDGETS_COMPILE='maybe': expected one of 1, true"):
        KANLinear(2, 2)(torch.zeros(3, 2))
    native.use_compiled(False)
    KANLinear(2, 2)(torch.zeros(3, 2))


@pytest.mark.slow
def test_memory_that_cannot_be_had_is_an_error_and_not_the_end_of_the_process(fresh, cxx, tmp_path):
    header = tmp_path / "refusing.h"
    header.write_text(
        "#include <cstdlib>\n"
        # So many allocations, then one is refused.
        'extern "C" { __attribute__((weak, visibility("default"))) int grants = -1; }\n'
        "__attribute__((unused)) static void* refusing(size_t alignment, size_t size) {\n"
        "  const int left = __atomic_fetch_sub(&grants, 1, __ATOMIC_SEQ_CST);\n"
        "  return left == 0 ? nullptr : aligned_alloc(alignment, size);\n"
        "}\n"
        "#define aligned_alloc refusing\n"
    )
    cxx(f'exec {compiler.find_compiler()} -include {header} "$@"')
    program = """
    import ctypes
    import torch
    from kan_widgets.nn import KANConv2d, KANLinear, KnotSpline
    from kan_widgets.nn.kernels import bundled, local, native

    bundled.FILE = bundled.FILE.with_name("none")
    libraries, load = [], ctypes.CDLL
    def loaded(path):
        library = load(path)
        if path is not None:  # which is the process itself
            libraries.append(library)
        return library

    ctypes.CDLL = loaded
    local.LARGE = 1
    torch.manual_seed(0)
    knots = KnotSpline((-3.0, -2.0, -1.5, -1.0, 0.0, 1.0, 1.5, 2.0, 3.0), 3)
    calls = [
        (KANConv2d(2, 3, 3), torch.randn(9, 2, 8, 8)),
        (KANConv2d(2, 40, 3, base_activation=torch.sin), torch.randn(1, 2, 40, 40)),
        (KANLinear(5, 4, basis=knots), torch.randn(3, 5)),
    ]
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for layer, x in calls:
            x.requires_grad_()
            expected = layer(x)
            wanted = [x, *layer.parameters()]
            gradients = torch.autograd.grad(expected.sum(), wanted, retain_graph=True)

            def forward():
                return [layer(x)]

            def backward():
                return torch.autograd.grad(expected.sum(), wanted, retain_graph=True)

            for call, right in ((forward, [expected]), (backward, gradients)):
                refused = 0
                while True:
                    native._builds.clear()  # with its pool of blocks
                    native.library(3)
                    grants = ctypes.c_int.in_dll(libraries[-1], "grants")
                    grants.value = refused
                    try:
                        found = call()
                    except RuntimeError as error:
                        assert "not enough memory: the compiled kernels" in str(error)
                        refused += 1
                    else:
                        break
                assert grants.value >= 0 and refused > 3, (grants.value, refused)
                grants.value = -1
                assert all(torch.equal(a, b) for a, b in zip(found, right))
                print("done")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["done"] * 12
