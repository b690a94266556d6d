"""The layers of other packages, built for a benchmark: from PyPI, or from checkouts in a folder."""

from __future__ import annotations

import importlib
import importlib.util
import io
import subprocess
import sys
import tarfile
import tempfile
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor, nn

#: The last commit of Convolutional-KANs whose layer is the article's, with n_convs shared kernels.
ARTICLES = "4afc926"

Build = Callable[..., nn.Module]


@contextmanager
def importing_from(*folders: Path) -> Iterator[None]:
    """Import from these folders first, and forget their modules: peers use the same names."""
    before = dict(sys.modules)
    sys.path[:0] = [str(folder) for folder in folders]
    try:
        yield
    finally:
        del sys.path[: len(folders)]
        for name in set(sys.modules) - set(before):
            origin = getattr(sys.modules[name], "__file__", None) or ""
            if any(origin.startswith(str(folder)) for folder in folders):
                del sys.modules[name]


def convolutions(checkouts: Path | None) -> dict[str, Build]:
    """Return what builds a layer from (in channels, out channels) with 3×3 kernels, by name."""
    from convkan import ConvKAN

    found: dict[str, Build] = {"convkan": lambda c, o: ConvKAN(c, o, 3)}
    if checkouts is None:
        return found
    folder = checkouts / "Convolutional-KANs"
    if folder.exists():
        layer = _convolutional_kans(folder)
        found["Convolutional-KANs"] = lambda c, o: layer(c, o, (3, 3))
    folder = checkouts / "torch-conv-kan"
    if folder.exists():
        # The package imports more than the layers need, so its files are loaded by themselves.
        kans = types.ModuleType("kans")
        kans.RadialBasisFunction = _file(folder / "kans/utils.py").RadialBasisFunction
        sys.modules["kans"] = kans
        spline = _file(folder / "kan_convs/kan_conv.py").KANConv2DLayer
        radial = _file(folder / "kan_convs/fast_kan_conv.py").FastKANConv2DLayer
        del sys.modules["kans"]
        found["torch-conv-kan KANConv2DLayer"] = lambda c, o: spline(c, o, 3)
        found["torch-conv-kan FastKANConv2DLayer"] = lambda c, o: radial(c, o, 3)
    return found


def linears(checkouts: Path | None) -> dict[str, Build]:
    """Return what builds a dense layer from (in features, out features), by name."""
    import flashkan
    import inkan
    from kan.KANLayer import KANLayer

    found: dict[str, Build] = {
        "flashkan": flashkan.KANLayer,
        "inkan": inkan.KANLayer,
        "pykan": lambda i, o: _First(KANLayer(i, o, num=5, k=3)),
    }
    if checkouts is not None and (checkouts / "efficient-kan").exists():
        found["efficient-kan"] = _file(
            checkouts / "efficient-kan/src/efficient_kan/kan.py"
        ).KANLinear
    return found


def articles_network(checkouts: Path | None) -> nn.Module | None:
    """Return the article's network of the 2024 code, or None without its checkout."""
    if checkouts is None or not (checkouts / "Convolutional-KANs").exists():
        return None
    archive = subprocess.run(
        ["git", "archive", ARTICLES, "kan_convolutional"],
        cwd=checkouts / "Convolutional-KANs",
        check=True,
        capture_output=True,
    ).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        layer = _convolutional_kans(Path(folder))
        linear = _file(Path(folder) / "kan_convolutional/KANLinear.py").KANLinear
    return nn.Sequential(
        layer(5, (3, 3)),
        nn.MaxPool2d(2),
        layer(5, (3, 3)),
        nn.MaxPool2d(2),
        nn.Flatten(),
        linear(625, 10, grid_size=10, scale_noise=0.01, grid_range=[0, 1]),
        nn.LogSoftmax(dim=1),
    )


class _First(nn.Module):
    """pykan's layer returns more than its output."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0]


def _convolutional_kans(folder: Path) -> Any:
    inner = folder / "kan_convolutional"
    with importing_from(inner, folder):
        path = list(sys.path)
        layer = importlib.import_module("KANConv").KAN_Convolutional_Layer
        sys.path[:] = path  # it adds to it
    return layer


def _file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"peer_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
