"""The library of a wheel: exact at every level and order, and found without a compiler."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from kan_widgets.nn import BSpline, KANConv2d, KANLinear, KnotSpline, kernels_info, use_compiled
from kan_widgets.nn.compiled import bundled, compile_options, compiler, local, native
from tests.nn.reference import kan_conv2d

ROOT = Path(__file__).parents[2]
ARCHITECTURE = {"aarch64": "arm64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
LARGE_INPUT = torch.zeros(64, 4, 20, 20)

#: Of a wheel; and vectors as wide as AVX-512's, of whatever the machine has.
LEVELS = [*compile_options.LEVELS[ARCHITECTURE], "wide"]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The file that a wheel for this machine brings, but compiled in less time."""
    folder = tmp_path_factory.mktemp("library")
    made = folder / compile_options.NAMES[sys.platform]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compile_options, "OPTIONS", (*compile_options.OPTIONS, "-O1"))
        compile_options.make_for_a_wheel(
            [compile_options.find_compiler()], ARCHITECTURE, sys.platform, made, folder
        )
    return made


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Kernels with vectors of 16 numbers, by order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(compiler, "_ATTEMPTS", (("-march=native", "-DWIDE", "-O1"),))
        compiler.folder.cache_clear()
        orders = (compile_options.OTHER_BASES, *compile_options.ORDERS)
        made = {
            k: compiler.compiled_kernels(compile_options.find_compiler(), k, print) for k in orders
        }
    compiler.folder.cache_clear()
    return made


@pytest.fixture
def installed(library, fresh, monkeypatch):
    """A process that found the library beside the package, and no compiler."""
    monkeypatch.setattr(bundled, "FILE", library)
    monkeypatch.delenv("KAN_WIDGETS_LEVEL", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(subprocess, "Popen", None)
    bundled._library.cache_clear()
    yield library
    bundled._library.cache_clear()


def runs(level):
    return level == "wide" or level in bundled.levels()


@pytest.fixture(params=LEVELS)
def level(request, installed, wide, monkeypatch):
    """Every call takes kernels of one level; those that the processor lacks are refused."""
    monkeypatch.setattr(local, "MIN_COLUMNS", 1)
    if request.param == "wide":
        monkeypatch.setattr(native, "library", wide.__getitem__)
        return request.param
    monkeypatch.setenv("KAN_WIDGETS_LEVEL", request.param)
    if not runs(request.param):
        with pytest.raises(ValueError, match=f"KAN_WIDGETS_LEVEL='{request.param}': expected one"):
            native.library(3)
        monkeypatch.delenv("KAN_WIDGETS_LEVEL")
    return request.param


# Few output channels and many, a stride, a dilation, groups; on both sides of a vector.
SHAPES = [
    ((9, 1, 20, 20), 5, {}),
    ((3, 3, 9, 8), 17, {"stride": (2, 2)}),
    ((2, 2, 12, 11), 40, {"dilation": (2, 1)}),
    ((2, 4, 9, 8), 6, {"groups": 2}),
]


def assert_as_in_double(layer, x):
    """Compare a layer's output and gradients with those that it has in double precision."""

    def run(module, x):
        y = module(x)
        return y, *torch.autograd.grad(y.square().sum(), [x, *module.parameters()])

    found = run(layer, x)
    exact = run(layer.double(), x.detach().double().requires_grad_())
    for a, b in zip(found, exact, strict=True):
        assert (a - b).abs().max() <= 1e-5 * b.abs().max()


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "out", "arguments"), SHAPES)
@pytest.mark.parametrize("order", compile_options.ORDERS)
def test_every_level_computes_what_scipy_does(level, order, shape, out, arguments):
    torch.manual_seed(0)
    layer = KANConv2d(shape[1], out, 3, spline_order=order, **arguments)
    with torch.no_grad():
        layer.spline_weight.normal_()
    x = 1.5 * torch.randn(shape)
    assert level == native.library(order).level or not runs(level) or level == "wide"
    found = layer(x).detach().numpy()
    weights = (layer.base_weight.detach().double(), layer.spline_weight.detach().double())
    expected = kan_conv2d(
        x.double().numpy(),
        *(weight.numpy() for weight in weights),
        (0, 0, 0, 0),
        **arguments,
        grid_size=5,
        order=order,
        grid_range=(-1.0, 1.0),
    )
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("basis", ["even", "uneven"])
@pytest.mark.parametrize("order", compile_options.ORDERS)
@pytest.mark.parametrize("activation", ["silu", torch.sin])
def test_gradients_of_every_level_are_those_of_torch_in_float64(level, order, basis, activation):
    for shape, out, arguments in SHAPES:
        torch.manual_seed(0)
        knots = (torch.rand(9 + 2 * order) + 0.1).cumsum(0) - 4
        uneven = KnotSpline(tuple(knots.tolist()), order)
        layer = KANConv2d(
            shape[1],
            out,
            3,
            **arguments,
            base_activation=activation,
            basis=BSpline(5, order) if basis == "even" else uneven,
        )
        with torch.no_grad():
            layer.spline_weight.normal_()
        x = (1.5 * torch.randn(shape)).requires_grad_()
        assert_as_in_double(layer, x)


BASES = ["bspline", "rbf", "chebyshev", "fourier"]


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("rows", [1, 15, 300])
def test_dense_layers_of_every_level(level, rows, basis):
    torch.manual_seed(0)
    layer, x = KANLinear(7, 33, basis=basis), torch.randn(rows, 7, requires_grad=True)
    assert_as_in_double(layer, x)


@pytest.mark.parametrize("basis", BASES[1:])
@pytest.mark.parametrize("activation", ["silu", torch.sin])
def test_other_bases_of_every_level_are_those_of_torch_in_float64(level, basis, activation):
    assert (
        level == native.library(compile_options.OTHER_BASES).level
        or not runs(level)
        or level == "wide"
    )
    for shape, out, arguments in SHAPES:
        torch.manual_seed(0)
        layer = KANConv2d(shape[1], out, 3, **arguments, base_activation=activation, basis=basis)
        with torch.no_grad():
            layer.spline_weight.normal_()
        x = (1.5 * torch.randn(shape)).requires_grad_()
        assert_as_in_double(layer, x)


def test_the_number_of_threads_changes_no_bit_at_any_level(level):
    torch.manual_seed(0)
    layer, x = KANConv2d(2, 3, 3), torch.randn(40, 2, 12, 12)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            found.append(gradients(layer, x))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(map(torch.equal, found[0], other))


def gradients(layer, x):
    x = x.detach().requires_grad_()
    y = layer(x)
    return y.detach(), *torch.autograd.grad(y.square().sum(), [x, *layer.parameters()])


def test_no_compiler_is_looked_for_and_the_best_level_is_taken(installed):
    assert native.library(3).level == bundled.levels()[0]
    assert kernels_info() == f"compiled kernels of the package, {bundled.levels()[0]} instructions"
    KANConv2d(4, 2, 3)(LARGE_INPUT).sum().backward()  # a warning would be an error


def test_baseline_is_always_there_and_other_architectures_levels_are_not(installed):
    assert bundled.levels()[-1] == "baseline"
    assert set(bundled.levels()) <= set(compile_options.LEVELS[ARCHITECTURE])


def test_a_level_that_there_is_not_is_an_error_that_lists_those_there_are(installed, monkeypatch):
    monkeypatch.setenv("KAN_WIDGETS_LEVEL", "sse9")
    with pytest.raises(ValueError, match=r"KAN_WIDGETS_LEVEL='sse9': expected one of .*baseline"):
        KANConv2d(4, 2, 3)(LARGE_INPUT)
    with pytest.raises(ValueError, match="sse9"):
        kernels_info()


def test_orders_that_a_wheel_does_not_have_are_compiled(library, fresh, monkeypatch):
    monkeypatch.setattr(bundled, "FILE", library)
    assert bundled.bundled_kernels(6) is None
    assert native.library(6).level == compile_options.NATIVE


def test_a_library_that_does_not_load_is_done_without(fresh, monkeypatch, tmp_path):
    broken = tmp_path / "kernels.so"
    broken.write_bytes(b"nothing")
    monkeypatch.setattr(bundled, "FILE", broken)
    bundled._library.cache_clear()
    assert native.library(3).level == compile_options.NATIVE
    monkeypatch.setattr(native, "_known", {})
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.warns(RuntimeWarning, match=r"kernels\.so: "):
        assert native.library(3) is None
    assert kernels_info().startswith(f"torch's operations: {broken}: ")


def test_info_says_who_makes_them_and_who_does_not_want_them(fresh, monkeypatch):
    path = compile_options.find_compiler()
    assert kernels_info() == f"compiled kernels made on this machine by {path}"
    assert not native._known  # asking started nothing
    monkeypatch.setenv("KAN_WIDGETS_COMPILE", "0")
    native._by_default.cache_clear()
    assert kernels_info() == "torch's operations: KAN_WIDGETS_COMPILE is off"
    use_compiled(False)
    assert kernels_info() == "torch's operations: use_compiled(False) was called"
    use_compiled(True)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "no C++ compiler" in kernels_info()


@pytest.mark.parametrize("order", [3, compile_options.OTHER_BASES])
def test_what_the_linker_may_share_between_levels_is_not_in_the_object_files(order, tmp_path):
    made = tmp_path / "local.o"
    command = [compile_options.find_compiler(), *compile_options.OPTIONS, "-c"]
    command += [f"-DORDER={order}", "-DLEVEL=baseline"]
    subprocess.run([*command, str(compile_options.LOCAL), "-o", str(made)], check=True)
    lines = subprocess.check_output(["nm", str(made)], text=True).splitlines()
    kinds = {line.split()[-2] for line in lines}
    assert "T" in kinds
    assert not kinds & set("WwVvu")


def test_callers_at_the_same_time_get_what_each_gets_alone(installed):
    torch.manual_seed(0)
    layers = [KANConv2d(2, n, 3) for n in (3, 5, 9, 33)]
    x = torch.randn(30, 2, 12, 12)
    expected = [gradients(layer, x) for layer in layers]
    found = {}
    before = torch.get_num_threads()
    torch.set_num_threads(3)

    def run(k):
        found[k] = [gradients(layers[k], x) for _ in range(20)]

    try:
        threads = [threading.Thread(target=run, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        torch.set_num_threads(before)
    for k, many in found.items():
        for one in many:
            assert all(map(torch.equal, one, expected[k]))
    assert len(found) == 4


def test_a_forked_process_computes_too(library):
    program = f"""
    import os, sys, warnings
    warnings.simplefilter("ignore")
    import torch
    from pathlib import Path
    from kan_widgets.nn import KANConv2d
    from kan_widgets.nn.compiled import bundled, local
    bundled.FILE, local.MIN_COLUMNS = Path({str(library)!r}), 1
    torch.manual_seed(0)
    layer, x = KANConv2d(2, 3, 3), torch.randn(40, 2, 12, 12)
    torch.set_num_threads(3)
    with torch.no_grad():
        expected = layer(x)
        for _ in range(5):
            child = os.fork()
            if not child:
                os._exit(0 if torch.equal(layer(x), expected) else 1)
            assert os.waitpid(child, 0)[1] == 0
            assert torch.equal(layer(x), expected)
    print("fine")
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout == "fine\n", done.stderr


if not hasattr(os, "fork"):  # Windows
    del test_a_forked_process_computes_too
