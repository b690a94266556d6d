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
import textwrap
import time
import warnings
from pathlib import Path

import pytest
import torch

from kan_widgets.nn import KANConv2d, KANLinear
from kan_widgets.nn.compiled import compile_options, compiler, native

LARGE_INPUT = torch.zeros(64, 4, 20, 20)

#: The modules that compile and load, without torch: a process is there at once. Where they came
#: with a wheel its library is not used.
ALONE = f"""
import sys, types, warnings
warnings.simplefilter("error")
for name, folder in (("kan_widgets", ""), ("kan_widgets.nn", "nn")):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [{str(Path(compiler.__file__).parents[2])!r} + "/" + folder]
from kan_widgets.nn.compiled import bundled, compiler, native
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
        compiler.folder.cache_clear()
        compiler.compiled_kernels(compiler.local_compiler(), 3, print)
        return kept(compiler.folder()).read_bytes()


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
    monkeypatch.setattr(native, "_known", {})
    compiler.folder.cache_clear()


def kept(fresh):
    (path,) = fresh.glob("*.so")
    return path


def without_symbols(path):
    source = path.with_suffix(".c")
    source.write_text("int nothing;")
    subprocess.check_call(
        [shutil.which("g++") or "c++", "-shared", "-fPIC", str(source), "-o", str(path)]
    )
    source.unlink()


@pytest.mark.parametrize("broken", [without_symbols, lambda path: path.write_bytes(b"")])
def test_a_file_that_cannot_be_loaded_is_made_again(broken, fresh, runs, monkeypatch):
    assert native.library(3) is not None
    good = kept(fresh)
    good.unlink()  # not the file that this process has loaded
    broken(good)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        another_process(monkeypatch)
        assert native.library(3) is not None
    assert len(runs) == 2
    assert kept(fresh) == good
    assert good.stat().st_mode == stat.S_IFREG | 0o600


def test_nobody_else_can_write_what_is_made_under_any_umask(fresh, runs):
    before = os.umask(0)
    try:
        assert native.library(3) is not None
    finally:
        os.umask(before)
    for path in (fresh.parent, fresh, *fresh.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


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


def test_a_lock_that_a_file_system_does_not_have_is_done_without(fresh, runs, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert native.library(3) is not None


def test_where_no_file_can_be_locked_nothing_is_compiled(fresh, runs, monkeypatch):
    monkeypatch.setattr(compiler, "fcntl", None)
    with pytest.warns(RuntimeWarning, match="several times slower"):
        KANConv2d(4, 2, 3)(LARGE_INPUT).sum().backward()
    assert len(runs) == 0


def refused(*arguments, **options):
    raise PermissionError("not here")


FAULTS = {
    "no compiler runs": lambda patch: patch.setattr(subprocess, "Popen", refused),
    "no source": lambda patch: patch.setattr(compile_options, "FILES", (Path("/nowhere"),)),
    "no memory": lambda patch: patch.setattr(compiler, "_load", lambda *_: [0] * 2**60),
    "no file may be opened": lambda patch: patch.setattr(os, "open", refused),
    "no library loads": lambda patch: patch.setattr(ctypes, "CDLL", refused),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_fails_layers_compute_after_one_warning(fault, fresh, runs, monkeypatch):
    compiler.folder()
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
    cxx(f'exec {compiler.local_compiler()} -include {header} "$@"')
    program = """
    import ctypes, itertools, shutil
    import torch
    from kan_widgets.nn import KANConv2d, KANLinear, KnotSpline
    from kan_widgets.nn.compiled import bundled, local, native

    bundled.FILE = bundled.FILE.with_name("none")
    libraries, load, numbers = [], ctypes.CDLL, itertools.count()
    def loaded(path):
        if path is None:  # the process itself
            return load(path)
        # One of its own each time: what was loaded stays.
        libraries.append(load(shutil.copy(path, f"{path}.{next(numbers)}")))
        return libraries[-1]

    ctypes.CDLL = loaded
    local.MIN_COLUMNS = 1
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
                    native._known.clear()  # with its pool of blocks
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
