"""What an accelerator is asked to do, seen without one: by fake tensors, whose values are nowhere.

To read a value of theirs is an error, as on a device it would be a wait; and every operation is
counted, as each is a launch. Their device is one that builds of torch for CPUs and for CUDA lack:
it needs a guard that does nothing, where CUDA's own would ask for a driver. Autograd does not run
on them: the backward pass is called by hand.
"""

from __future__ import annotations

import ctypes
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode

from kan_widgets.nn import (
    RBF,
    BSpline,
    Chebyshev,
    Fourier,
    KANConv2d,
    KANLinear,
    KnotSpline,
    SharedKANConv2d,
    expansion,
)
from kan_widgets.nn.bases import basis
from kan_widgets.nn.compiled import compiler

UNEVEN = (-3.0, -2.0, -1.5, -1.0, 0.0, 0.25, 1.0, 1.5, 2.5, 4.0)
BASES = {
    **{f"even, order {order}": BSpline(5, order) for order in (0, 1, 2, 3, 5)},
    **{f"uneven, order {order}": KnotSpline(UNEVEN, order) for order in (0, 3)},
    "rbf": RBF(),
    "chebyshev": Chebyshev(),
    "fourier": Fourier(),
}


class Operations(TorchDispatchMode):
    """Count the operations, and those that bring numbers from the host to a device."""

    def __init__(self):
        super().__init__()
        self.seen = Counter()
        self.uploads = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        self.seen[function.overloadpacket] += 1
        devices = {x.device.type for x in args if isinstance(x, torch.Tensor) and x.dim()}
        # torch.tensor shows as lift_fresh; a number alone goes along with the launch.
        if function is torch.ops.aten.lift_fresh.default or "cpu" in devices:
            self.uploads += out.device.type != "cpu"
        return out

    @property
    def products(self):
        aten = torch.ops.aten
        return sum(self.seen[f] for f in (aten.mm, aten.convolution, aten.convolution_backward))

    @property
    def launches(self):
        views = {"view", "select", "slice", "permute", "unsqueeze", "t", "device", "_unsafe_view"}
        return sum(n for f, n in self.seen.items() if str(f).split(".")[-1] not in views)


GUARD = """
#include <c10/core/impl/DeviceGuardImplInterface.h>
struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::Device here{c10::DeviceType::XPU, 0};
  c10::Stream stream{c10::Stream::DEFAULT, here};
  c10::DeviceType type() const override { return here.type(); }
  c10::Device exchangeDevice(c10::Device) const override { return here; }
  c10::Device getDevice() const override { return here; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const noexcept override { return stream; }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return stream; }
  c10::DeviceIndex deviceCount() const noexcept override { return 0; }
};
C10_REGISTER_GUARD_IMPL(XPU, Guard)
"""


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    """Let torch index and copy tensors that say that they are on a device."""
    root = Path(torch.__file__).parent
    library = tmp_path_factory.mktemp("guard") / "guard.so"
    command = [compiler.local_compiler(), "-x", "c++", "-", "-o", library, "-shared", "-fPIC"]
    command += ["-std=c++20", f"-I{root / 'include'}", f"-L{root / 'lib'}", "-lc10"]
    subprocess.run(command, input=GUARD, text=True, check=True)
    ctypes.CDLL(str(library))
    return "xpu"


@pytest.fixture
def passes(device, monkeypatch):
    """Run a layer forward and backward on fake tensors; return the operations of both."""

    class Context:
        def save_for_backward(self, *tensors):
            self.saved_tensors = tensors

    contexts = []

    def apply(*inputs):
        contexts.append(Context())
        contexts[-1].needs_input_grad = [tensor is not None for tensor in inputs[:4]]
        return expansion._Expanded.forward(contexts[-1], *inputs)

    monkeypatch.setattr(expansion._Expanded, "apply", apply)

    def run(layer, shape):
        state = {name: (t.shape, t.dtype) for name, t in layer.state_dict().items()}
        # What is kept for real tensors is kept for these too, as long as their mode lasts.
        monkeypatch.setattr(basis, "watched", lambda: False)
        basis._placed.cache_clear()
        with FakeTensorMode(), torch.no_grad():
            tensors = {
                name: torch.empty(shape, dtype=dtype, device=device)
                for name, (shape, dtype) in state.items()
            }
            x = torch.empty(shape, device=device)
            functional_call(layer, tensors, (x,))
            with Operations() as forward:
                y = functional_call(layer, tensors, (x,))
            context = contexts[-1]
            if isinstance(layer, SharedKANConv2d):
                y = y.reshape(-1, layer.num_kernels, *y.shape[2:])
            with Operations() as backward:
                grads = expansion._Expanded.backward(context, torch.empty_like(y))
        basis._placed.cache_clear()
        for grad, tensor in zip(grads, context.saved_tensors, strict=False):
            if tensor is not None:
                assert grad.shape == tensor.shape
                assert grad.device == x.device == y.device
        return forward, backward

    return run


def test_reading_a_value_is_an_error(device):
    with FakeTensorMode(), pytest.raises(DataDependentOutputException):
        torch.ones(3, device=device).sum().item()


LAYERS = {
    "KANLinear": (lambda **a: KANLinear(784, 64, **a), (512, 784)),
    "KANConv2d": (lambda **a: KANConv2d(64, 64, 3, padding=1, **a), (64, 64, 32, 32)),
    "strided": (lambda **a: KANConv2d(8, 8, 3, 2, 1, 2, 2, "reflect", **a), (64, 8, 32, 32)),
    "SharedKANConv2d": (lambda **a: SharedKANConv2d(5, 3, padding="same", **a), (64, 5, 28, 28)),
}


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_asks_for_one_product_few_operations_and_no_value(kind, name, passes):
    make, shape = LAYERS[kind]
    layer = make(basis=BASES[name], spline_scaler=True)
    layer.mask = torch.ones_like(layer.base_weight, dtype=torch.bool)
    forward, backward = passes(layer, shape)
    assert forward.products == 1
    assert backward.products == (2 if kind == "KANLinear" else 1)
    assert forward.launches <= 70
    assert backward.launches <= 130
    assert forward.uploads == backward.uploads == 0


@pytest.mark.parametrize("activation", ["gelu", "relu", "tanh", "identity", torch.sin])
def test_no_activation_asks_for_a_value(activation, passes):
    forward, backward = passes(KANLinear(784, 64, base_activation=activation), (512, 784))
    assert forward.uploads == backward.uploads == 0


def test_a_batch_that_fits_is_not_cut(passes):
    forward, backward = passes(KANConv2d(64, 64, 3, padding=1), (128, 64, 32, 32))
    assert forward.products == backward.products == 1


def test_a_batch_that_would_not_fit_is_cut(passes):
    # 75.5 million numbers for each 128 images, and pieces of 67 million.
    forward, backward = passes(KANConv2d(64, 64, 3, padding=1), (8 * 128, 64, 30, 30))
    assert forward.products == backward.products == 9


@pytest.mark.parametrize("name", ["even, order 0", "uneven, order 3"])
def test_knots_are_brought_to_a_device_once(name, monkeypatch):
    made = []

    def counted(*arguments, **options):
        made.append(arguments)
        return tensor(*arguments, **options)

    tensor = torch.tensor
    basis._placed.cache_clear()
    x = torch.randn(5)
    with torch.inference_mode():
        expected = BASES[name].expand(x)
    monkeypatch.setattr(torch, "tensor", counted)
    x.requires_grad_()
    assert torch.equal(BASES[name].expand(x), expected)
    BASES[name].derivative(x).sum().backward()
    assert not made
    BASES[name].expand(x.double())
    assert len(made) == 1


@pytest.mark.parametrize("name", ["even, order 0", "uneven, order 3"])
def test_knots_without_values_are_not_kept(name):
    basis._placed.cache_clear()
    with FakeTensorMode():
        BASES[name].expand(torch.randn(5))
    x = torch.randn(5)
    torch.func.vmap(BASES[name].expand)(x)
    assert BASES[name].expand(x).isfinite().all()
