"""The compiler: what happens where there is one, none, or one that fails."""

from __future__ import annotations

import builtins
import os
import shutil
import subprocess
import threading
import warnings
import weakref

import pytest
import torch

from kan_widgets.nn import BSpline, KANConv2d, KANLinear, KnotSpline
from kan_widgets.nn.compiled import compile_options, compiler, local, native


def called(monkeypatch):
    """Count the calls of the compiled forward pass."""
    calls = []
    forward = local.forward

    def counted(*arguments):
        calls.append(arguments[1].x.shape)
        return forward(*arguments)

    monkeypatch.setattr(local, "forward", counted)
    return calls


LARGE_INPUT = torch.zeros(64, 4, 20, 20)


def test_large_calls_in_float32_are_compiled_and_no_others(monkeypatch):
    calls = called(monkeypatch)
    layer = KANConv2d(4, 2, 3)
    layer(LARGE_INPUT)
    assert len(calls) == 1
    layer(LARGE_INPUT[:1])
    layer.double()(LARGE_INPUT.double())
    KANConv2d(4, 2, 3, spline_order=0)(LARGE_INPUT)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        KANConv2d(4, 2, 3)(LARGE_INPUT)
    torch.func.vmap(KANConv2d(4, 2, 3))(LARGE_INPUT)
    assert len(calls) == 1


def test_a_small_call_asks_for_no_compiler_and_a_large_one_waits_for_it(fresh, monkeypatch):
    calls = called(monkeypatch)
    layer = KANConv2d(4, 2, 3)
    layer(LARGE_INPUT[:1])
    assert not native._known
    layer(LARGE_INPUT)
    assert len(calls) == 1
    assert len(list(fresh.glob("*.so"))) == 1


def test_what_was_compiled_is_found_by_the_next_process(fresh, monkeypatch):
    assert native.library(3) is not None
    made = {path: path.stat().st_mtime_ns for path in fresh.iterdir()}
    monkeypatch.setattr(native, "_known", {})
    monkeypatch.setattr(subprocess, "Popen", None)
    assert native.library(3) is not None
    assert {path: path.stat().st_mtime_ns for path in fresh.iterdir()} == made


def test_many_threads_compile_once(fresh, monkeypatch):
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: (started.append(a), popen(*a, **k))[1])
    found = []
    threads = [threading.Thread(target=lambda: found.append(native.library(3))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 1
    assert len(found) == 4
    assert None not in found


@pytest.mark.parametrize("notebook", [False, True])
def test_a_call_that_waits_long_for_the_compiler_says_once_how_not_to(
    fresh, monkeypatch, capsys, notebook
):
    # A shell that another test of this process made leaves its mark on the builtins.
    monkeypatch.setattr(builtins, "__IPYTHON__", True, raising=False)
    if not notebook:
        monkeypatch.delattr(builtins, "__IPYTHON__")
    monkeypatch.setattr(compiler, "_NOTICE_SECONDS", 0.001)
    threads = [threading.Thread(target=native.library, args=(3,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Threads that tests before this one left may write to the same stream.
    out, err = capsys.readouterr()
    written = (out if notebook else err).splitlines()
    [said] = [line for line in written if "kan_widgets: compiling layers with" in line]
    assert compiler.local_compiler() in said
    assert "use_compiled(False)" in said
    assert len(said) <= 105  # one line of a notebook in a laptop's window
    assert native.library(3) is not None
    assert "compiling" not in "".join(capsys.readouterr())


def test_a_call_that_waits_little_for_the_compiler_says_nothing(fresh, monkeypatch, capsys):
    monkeypatch.setattr(compiler, "_NOTICE_SECONDS", 600.0)
    assert native.library(3) is not None
    assert "compiling" not in "".join(capsys.readouterr())


def test_without_a_compiler_layers_compute_and_say_once_what_would_help(fresh, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    calls = called(monkeypatch)
    with pytest.warns(RuntimeWarning, match="no C\\+\\+ compiler") as warned:
        KANConv2d(4, 2, 3)(LARGE_INPUT).sum().backward()
    assert len(warned) == 1
    assert "Install a wheel" in str(warned[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        KANConv2d(4, 2, 3, spline_order=2)(LARGE_INPUT)
    assert not calls
    assert not fresh.exists() or not list(fresh.iterdir())


@pytest.mark.parametrize("how", ["environment", "function"])
def test_where_nobody_wants_them_layers_compute_and_say_nothing(fresh, monkeypatch, how):
    if how == "environment":
        monkeypatch.setenv("KAN_WIDGETS_COMPILE", "0")
    else:
        native.use_compiled(False)
    calls = called(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        KANConv2d(4, 2, 3)(LARGE_INPUT).sum().backward()
    assert not calls
    assert not fresh.exists() or not list(fresh.iterdir())


def test_a_compiler_that_fails_is_named_in_one_warning(fresh, cxx):
    cxx("echo no such luck >&2; exit 1")
    layer = KANConv2d(4, 2, 3)
    with pytest.warns(RuntimeWarning, match="no such luck.*") as warned:
        layer(LARGE_INPUT)
    assert len(warned) == 1
    assert "KAN_WIDGETS_COMPILE=0" in str(warned[0].message)
    layer(LARGE_INPUT).sum().backward()  # a second warning would be an error
    assert not list(fresh.glob("*.so"))


def test_a_compiler_that_makes_nonsense_is_a_warning_too(fresh, cxx):
    text = 'while [ "$1" != -o ]; do shift; done; echo nonsense > "$2"'
    cxx(text)
    with pytest.warns(RuntimeWarning, match="file too short"):
        KANConv2d(4, 2, 3)(LARGE_INPUT)


def test_a_compiler_that_never_ends_is_given_up(fresh, cxx, monkeypatch):
    monkeypatch.setattr(compiler, "_TIMEOUT_SECONDS", 0.2)
    cxx("exec sleep 600")
    with pytest.warns(RuntimeWarning, match=r"took more than 0\.2 seconds"):
        KANConv2d(4, 2, 3)(LARGE_INPUT)


def test_a_compiler_that_does_not_know_the_processor_is_asked_for_less(fresh, cxx):
    real = compiler.local_compiler()
    text = f'case " $* " in *" -march=native "*) exit 1;; esac; exec {real} "$@"'
    cxx(text)
    layer = KANConv2d(4, 2, 3)
    out = layer(LARGE_INPUT + 0.3)
    assert native.library(3) is not None
    native.use_compiled(False)
    torch.testing.assert_close(out, layer(LARGE_INPUT + 0.3))


def test_a_folder_that_others_can_write_is_not_used(fresh):
    fresh.mkdir(parents=True)
    fresh.chmod(0o777)
    assert native.library(3) is not None
    assert not list(fresh.iterdir())
    assert os.stat(compiler.folder()).st_mode & 0o077 == 0


def test_an_interrupted_call_ends_the_compiler_and_the_next_one_asks_again(fresh, cxx, monkeypatch):
    cxx("exec sleep 600")
    monkeypatch.setattr(compiler, "_NOTICE_SECONDS", 0.01)

    def interrupted(words):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(native, "print_notice", interrupted)
        with pytest.raises(KeyboardInterrupt):
            KANConv2d(4, 2, 3)(LARGE_INPUT)
    monkeypatch.delenv("CXX")
    assert native.library(3) is not None


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    "shape", [(5, 3, 9, 8), (1, 1, 70, 60), (200, 2, 4, 4), (64, 20), (100, 3), (1200, 5)]
)
def test_the_number_of_threads_changes_no_bit(threads, shape, monkeypatch):
    monkeypatch.setattr(local, "MIN_COLUMNS", 1)
    torch.manual_seed(0)
    layer = KANLinear(shape[1], 10) if len(shape) == 2 else KANConv2d(shape[1], 3, 3, padding=1)
    x = torch.randn(shape, requires_grad=True)
    before = torch.get_num_threads()
    results = []
    try:
        for n in (1, threads):
            torch.set_num_threads(n)
            out = layer(x)
            grads = torch.autograd.grad(out.square().sum(), [x, *layer.parameters()])
            results.append([out, *grads])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_threads_are_called_once_forward_and_twice_backward_where_the_weight_is_small():
    lib = native.library(3)
    layer, x = KANConv2d(8, 16, 3), torch.randn(16, 8, 28, 28, requires_grad=True)
    before = torch.get_num_threads()
    try:
        for threads, expected in ((1, (0, 0)), (2, (1, 2))):
            torch.set_num_threads(threads)
            counts = [lib.regions()]
            out = layer(x)
            counts.append(lib.regions())
            out.sum().backward()
            counts.append(lib.regions())
            assert (counts[1] - counts[0], counts[2] - counts[1]) == expected
    finally:
        torch.set_num_threads(before)


def test_work_is_cut_into_few_pieces_and_as_many_for_other_bases():
    # Images of 26 rows in three pieces, and the weight in two; then the weight, the sums of eight
    # parts of the batch, and the two parts of the weight's gradient.
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        for basis, order in (("bspline", 3), ("rbf", compile_options.OTHER_BASES)):
            lib = native.library(order)
            x = torch.randn(16, 8, 28, 28, requires_grad=True)
            counts = [lib.pieces()]
            out = KANConv2d(8, 16, 3, basis=basis)(x)
            counts.append(lib.pieces())
            out.sum().backward()
            counts.append(lib.pieces())
            assert (counts[1] - counts[0], counts[2] - counts[1]) == (16 * 3 + 2, 2 + 8 + 2)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("basis", ["bspline", "rbf", "fourier"])
def test_nothing_is_padded_cropped_or_copied_around_the_kernels(basis):
    layer = KANConv2d(8, 16, 3, padding=1, basis=basis)
    x = torch.randn(16, 8, 28, 28, requires_grad=True)
    layer(x).sum().backward()
    kept = []
    with (
        torch.profiler.profile() as profile,
        torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t),
    ):
        out = layer(x)
        out.backward(torch.ones_like(out))
    assert x.grad.is_contiguous()
    operations = {event.key for event in profile.key_averages()}
    moving = {"constant_pad_nd", "copy_", "clone", "contiguous", "cat", "convolution"}
    assert not operations & {f"aten::{name}" for name in moving}
    parts = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in kept}
    assert sum(parts.values()) == x.nbytes + sum(p.nbytes for p in layer.parameters())


# Output channels on both sides of a vector and of a block of vectors; images in bundles, alone
# and in rows; one with more columns than fit a piece.
SHAPES = [
    ((3, 2, 6, 7), 1, {}),
    ((3, 2, 6, 7), 9, {}),
    ((2, 3, 6, 5), 17, {"stride": 2}),
    ((2, 1, 6, 5), 65, {"dilation": 2}),
    ((2, 2, 5, 5), 130, {"groups": 2}),
    ((300, 1, 4, 4), 3, {"padding": 2}),
    ((2, 1, 50, 47), 4, {"stride": (3, 2), "padding": 1}),
    ((1, 1, 4, 1500), 2, {"padding": 1}),
    # Taps side by side in one to four vectors, with groups, and over rows further apart.
    ((9, 1, 28, 28), 5, {}),
    ((7, 5, 13, 13), 10, {}),
    ((2, 4, 9, 8), 6, {"groups": 2, "padding": 1}),
    ((1, 3, 40, 33), 21, {}),
    ((2, 2, 9, 9), 5, {"stride": (2, 1), "dilation": (2, 1)}),
    # Windows of padding alone, at both ends; padding that some rows of a cut image meet and others
    # do not; kernels that never leave it; one side alone.
    ((3, 2, 5, 4), 5, {"padding": 7}),
    ((2, 2, 7, 6), 17, {"padding": (4, 5), "stride": (3, 2)}),
    ((1, 2, 60, 40), 5, {"padding": (0, 2)}),
    ((2, 3, 60, 40), 20, {"padding": 2, "dilation": (1, 2)}),
    ((4, 3, 2, 1), 5, {"padding": 2, "dilation": 2}),
    ((4, 4, 6, 7), 40, {"padding": (1, 0), "groups": 2}),
]


@pytest.mark.parametrize(("shape", "out", "arguments"), SHAPES)
@pytest.mark.parametrize("basis", ["even", "uneven"])
@pytest.mark.parametrize("order", [1, 3, 5])
@pytest.mark.parametrize("activation", ["silu", "gelu", torch.cos])
def test_compiled_kernels_compute_what_torch_does(
    shape, out, arguments, basis, order, activation, monkeypatch
):
    monkeypatch.setattr(local, "MIN_COLUMNS", 1)
    calls = called(monkeypatch)
    torch.manual_seed(0)
    knots = (torch.rand(9 + 2 * order) + 0.1).cumsum(0) - 4
    layer = KANConv2d(
        shape[1],
        out,
        3,
        **arguments,
        base_activation=activation,
        basis=BSpline(5, order) if basis == "even" else KnotSpline(tuple(knots.tolist()), order),
    )
    with torch.no_grad():
        layer.spline_weight.normal_()
    x = (1.5 * torch.randn(shape)).requires_grad_()

    def run(module, x):
        out = module(x)
        return out, *torch.autograd.grad(out.square().sum(), [x, *module.parameters()])

    compiled = run(layer, x)
    assert len(calls) == 1
    exact = run(layer.double(), x.detach().double().requires_grad_())
    for a, b in zip(compiled, exact, strict=True):
        assert (a - b).abs().max() <= 1e-5 * b.abs().max()


# One row, fewer and more than a vector, more than a piece of the forward and of the backward pass.
@pytest.mark.parametrize("rows", [1, 15, 64, 300, 2500])
@pytest.mark.parametrize("out", [1, 10, 70])
@pytest.mark.parametrize("activation", ["silu", "tanh", torch.sin])
def test_compiled_dense_layers_compute_what_torch_does(rows, out, activation, monkeypatch):
    monkeypatch.setattr(local, "MIN_COLUMNS", 1)
    calls = called(monkeypatch)
    torch.manual_seed(0)
    layer = KANLinear(7, out, base_activation=activation, spline_scaler=out == 10)
    with torch.no_grad():
        layer.spline_weight.normal_()
    x = (1.5 * torch.randn(rows, 7)).requires_grad_()

    def run(module, x):
        y = module(x)
        return y, *torch.autograd.grad(y.square().sum(), [x, *module.parameters()])

    compiled = run(layer, x)
    assert len(calls) == 1
    exact = run(layer.double(), x.detach().double().requires_grad_())
    for a, b in zip(compiled, exact, strict=True):
        assert (a - b).abs().max() <= 1e-5 * b.abs().max()


@pytest.mark.parametrize("out", [1, 5, 10, 21, 33])
def test_a_gradient_that_is_not_finite_reaches_only_its_own_patch(out, monkeypatch):
    monkeypatch.setattr(local, "MIN_COLUMNS", 1)
    calls = called(monkeypatch)
    x = torch.randn(2, 2, 9, 9, requires_grad=True)
    y = KANConv2d(2, out, 3)(x)
    gradient = torch.ones_like(y)
    gradient[1, out - 1, 3, 4] = torch.inf
    (found,) = torch.autograd.grad(y, x, gradient)
    assert len(calls) == 1
    touched = torch.zeros(2, 2, 9, 9, dtype=torch.bool)
    touched[1, :, 3:6, 4:7] = True
    assert torch.equal(~found.isfinite(), touched)


def test_only_the_wanted_gradients_are_computed(monkeypatch):
    monkeypatch.setattr(local, "MIN_COLUMNS", 1)
    layer = KANLinear(5, 4)
    x = torch.randn(30, 5, requires_grad=True)
    (both, *weights) = torch.autograd.grad(layer(x).sum(), [x, *layer.parameters()])
    (alone,) = torch.autograd.grad(layer(x).sum(), [x])
    for parameter in layer.parameters():
        parameter.requires_grad_(False)
    (frozen,) = torch.autograd.grad(layer(x).sum(), [x])
    assert torch.equal(both, alone)
    assert torch.equal(both, frozen)
    for parameter in layer.parameters():
        parameter.requires_grad_(True)
    for a, b in zip(
        torch.autograd.grad(layer(x.detach()).sum(), layer.parameters()), weights, strict=True
    ):
        assert torch.equal(a, b)


def test_inputs_that_share_memory_are_copied(monkeypatch):
    monkeypatch.setattr(local, "MIN_COLUMNS", 1)
    layer = KANLinear(5, 4)
    column = torch.randn(30, 1, requires_grad=True)
    wide = column.expand(30, 5)
    (gradient,) = torch.autograd.grad(layer(wide).sum(), column)
    native_off = layer.double()
    (exact,) = torch.autograd.grad(native_off(wide.double()).sum(), column)
    torch.testing.assert_close(gradient, exact)


def run(layer, x):
    """Return the output and all gradients."""
    x = x.detach().requires_grad_()
    out = layer(x)
    return out.detach(), *torch.autograd.grad(out.square().sum(), [x, *layer.parameters()])


def assert_close(found, expected):
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4 * float(b.abs().max()))


@pytest.mark.parametrize("size", [8, 70])
def test_weights_lie_in_memory_in_any_order(size, monkeypatch):
    calls = called(monkeypatch)
    torch.manual_seed(0)
    layer, x = KANConv2d(size, size, 3), torch.randn(2, size, 24, 24)
    expected = run(layer, x)
    layer = layer.to(memory_format=torch.channels_last)
    layer.spline_weight.data = layer.spline_weight.detach().mT.contiguous().mT
    assert not layer.base_weight.is_contiguous()
    assert not layer.spline_weight.is_contiguous()
    assert_close(run(layer, x), expected)
    assert len(calls) == 2


def test_a_copy_of_a_weight_lives_while_the_kernels_read_it(monkeypatch):
    copies = []
    contiguous = local._contiguous

    def kept(weight):
        copy = contiguous(weight)
        copies.append(weakref.ref(copy))
        return copy

    class Kernels:
        def forward(self, *arguments):
            copied.append([copy() is not None for copy in copies])
            return 0

    copied = []
    monkeypatch.setattr(local, "_contiguous", kept)
    monkeypatch.setattr(native, "library", lambda order: Kernels())
    layer = KANConv2d(4, 2, 3).to(memory_format=torch.channels_last)
    with torch.no_grad():
        layer(LARGE_INPUT)
    assert copied == [[True, True]]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_default_dtype_is_not_that_of_gradients(dtype):
    torch.manual_seed(0)
    layer, x = KANLinear(64, 30), torch.randn(400, 64)
    expected = run(layer, x)
    try:
        torch.set_default_dtype(dtype)
        found = run(layer, x)
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_a_gradient_that_is_negated_lazily():
    torch.manual_seed(0)
    layer, x = KANLinear(64, 30), torch.randn(400, 64, requires_grad=True)
    wanted = [x, *layer.parameters()]
    lazy = torch._neg_view(torch.ones(400, 30))
    assert lazy.is_neg()
    found = torch.autograd.grad(layer(x), wanted, lazy)
    assert_close(found, torch.autograd.grad(layer(x), wanted, torch.full((400, 30), -1.0)))


@pytest.mark.parametrize("mode", ["zeros", "circular"])
def test_padding_counts_for_what_is_large(mode, monkeypatch):
    calls = called(monkeypatch)
    # 58,320 numbers unpadded, 87,120 padded.
    KANConv2d(4, 2, 3, padding=2, padding_mode=mode)(torch.zeros(5, 4, 18, 18))
    assert len(calls) == 1


@pytest.mark.parametrize("compiled", [True, False])
def test_a_base_of_another_dtype_is_converted(compiled, monkeypatch):
    torch.manual_seed(0)
    layer, x = KANLinear(64, 30, base_activation=torch.sin), torch.randn(400, 64)
    expected = run(layer, x)
    monkeypatch.setattr(native, "_wanted", compiled)
    layer.base_activation = lambda x: x.double().sin()
    assert_close(run(layer, x), expected)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_base_of_another_shape_is_an_error(compiled, monkeypatch):
    monkeypatch.setattr(native, "_wanted", compiled)
    layer = KANLinear(64, 30, base_activation=lambda x: x.sum(-1))
    with pytest.raises(ValueError, match=r"makes \(400,\) of an input of shape \(400, 64\)"):
        layer(torch.zeros(400, 64))
    layer.base_activation = lambda x: 3.0
    with pytest.raises(ValueError, match="makes float of an input"):
        layer(torch.zeros(400, 64))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_an_output_may_be_changed_in_place(layout, monkeypatch):
    calls = called(monkeypatch)
    torch.manual_seed(0)
    layer, x = KANConv2d(4, 2, 3), torch.randn(64, 4, 20, 20).contiguous(memory_format=layout)
    out = layer(x)
    assert out.is_contiguous(memory_format=layout)
    expected = torch.autograd.grad((2 * out).sum(), list(layer.parameters()))
    out = layer(x).mul_(2)
    assert_close(torch.autograd.grad(out.sum(), list(layer.parameters())), expected)
    assert len(calls) == 2
