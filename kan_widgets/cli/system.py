"""``kan-widgets info --system``: what a report of a fault should say."""

from __future__ import annotations

import platform
from importlib import metadata

#: In the order in which they are printed.
_PACKAGES = (
    ("torch", "torchvision", "numpy"),
    ("anywidget", "ipywidgets", "bqplot", "quickjs-ng", "resvg-py", "pillow"),
    ("jupyterlab", "notebook", "ipykernel", "voila", "marimo"),
)


def system() -> int:
    """Print the versions of what is installed, the platform, and how layers compute."""
    import torch

    from kan_widgets import __version__
    from kan_widgets.nn import kernels_info

    print(f"kan-widgets {__version__}")
    print(f"kernels     {kernels_info()}")
    print(f"threads     {torch.get_num_threads()}")
    print(f"accelerator {_accelerator()}")
    print(f"python      {platform.python_version()}, {platform.python_implementation()}")
    print(f"platform    {platform.platform()}, {platform.machine()}")
    for names in _PACKAGES:
        print(f"packages    {', '.join(f'{name} {_version(name)}' for name in names)}")
    return 0


def _accelerator() -> str:
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
    return "mps" if torch.backends.mps.is_available() else "none"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"
