"""MNIST for the tutorials and the demo: a subset inside the package, or torchvision's files.

The embedded set holds 5,000 of MNIST's training images (500 of each digit), split into 4,000 for
training and 1,000 for testing; see ``kan_widgets/mnist/ATTRIBUTION.txt``. An accuracy on its 1,000
test digits is not one on MNIST's own 10,000, so whatever prints an accuracy prints
:attr:`Digits.source` beside it.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler
from torch.utils.data import TensorDataset as _TensorDataset

from kan_widgets.checks import check_whole
from kan_widgets.digits import SIDE, TRAIN, embedded, pixels

__all__ = ["Digits", "mnist"]

DataSource = Literal["auto", "embedded", "torchvision"]
_SOURCES = ("auto", "embedded", "torchvision")

# MNIST's files as torchvision unpacks them, with the shape of what each must hold.
_FILES = {
    "train-images-idx3-ubyte": (60000, SIDE, SIDE),
    "train-labels-idx1-ubyte": (60000,),
    "t10k-images-idx3-ubyte": (10000, SIDE, SIDE),
    "t10k-labels-idx1-ubyte": (10000,),
}


@dataclass(frozen=True, eq=False)
class Digits:
    """Images of handwritten digits, ready for a network.

    Pixels run from -1 (dark background) to +1 (bright ink), the default ``grid_range`` of the
    layers in :mod:`kan_widgets.nn`.
    """

    train_images: Tensor = field(repr=False)
    """float32, (N, 1, 28, 28), in [-1, 1]"""
    train_labels: Tensor = field(repr=False)
    """int64, (N,), 0 to 9"""
    test_images: Tensor = field(repr=False)
    """float32, (M, 1, 28, 28), in [-1, 1]"""
    test_labels: Tensor = field(repr=False)
    """int64, (M,), 0 to 9"""
    source: str
    """which data this is, in words to print beside every accuracy"""

    def loaders(
        self, batch_size: int = 64, seed: int = 0, *, shift: int = 0
    ) -> tuple[DataLoader[list[Tensor]], DataLoader[list[Tensor]]]:
        """Return a training and a test loader, which yield ``[images, labels]``.

        The training loader shuffles again in each epoch, in an order that `seed` alone decides; the
        test loader keeps the order. Neither draws from torch's global random numbers. Each batch is
        taken by one indexing of the whole tensor, so `batch_size` of the returned objects is None.

        Parameters
        ----------
        batch_size : int
            Images per batch; the last batch of an epoch may be smaller.
        seed : int
            Seed of the order in which the training images come, and of their shifts.
        shift : int
            Move each training image, each time it is drawn, by up to this many pixels up or
            down and left or right, all moves equally likely; background fills the gap.

        Raises
        ------
        ValueError
            If `batch_size` is below 1, or `shift` is negative or not below the images' side.

        Examples
        --------
        >>> train, test = mnist("embedded").loaders(batch_size=64)
        >>> len(train), len(test)
        (63, 16)
        >>> images, labels = next(iter(train))
        >>> images.shape
        torch.Size([64, 1, 28, 28])
        """
        check_whole("batch_size", batch_size)
        check_whole("shift", shift, 0, SIDE - 1)
        generator = torch.Generator().manual_seed(seed)
        train = _TensorDataset(self.train_images, self.train_labels)
        if shift:
            # Shifts have random numbers of their own, so the order stays what it is without them.
            train = _Shifted(self.train_images, self.train_labels, shift, seed)
        test = _TensorDataset(self.test_images, self.test_labels)
        return (
            _batches(train, RandomSampler(train, generator=generator), batch_size, generator),
            _batches(test, SequentialSampler(test), batch_size, torch.Generator()),
        )


class _Shifted(_TensorDataset):
    """Images with labels; every image is moved by up to ``shift`` pixels either way."""

    def __init__(self, images: Tensor, labels: Tensor, shift: int, seed: int) -> None:
        super().__init__(images, labels)
        self._shift = shift
        self._generator = torch.Generator().manual_seed(seed)

    def __getitem__(self, index: list[int]) -> tuple[Tensor, ...]:
        images, labels = (tensor[index] for tensor in self.tensors)
        n, _, height, width = images.shape
        s = self._shift
        wide = F.pad(images, (s, s, s, s), value=-1.0)
        down, right = torch.randint(2 * s + 1, (2, n, 1), generator=self._generator)
        rows = (down + torch.arange(height)).unsqueeze(2)
        columns = (right + torch.arange(width)).unsqueeze(1)
        moved = wide[torch.arange(n).view(n, 1, 1), :, rows, columns]  # (n, height, width, 1)
        return moved.permute(0, 3, 1, 2).contiguous(), labels


def _batches(
    dataset: _TensorDataset,
    sampler: RandomSampler | SequentialSampler,
    batch_size: int,
    generator: torch.Generator,
) -> DataLoader[list[Tensor]]:
    # With batch_size=None the sampler's lists of indices reach the dataset whole. The generator is
    # given because DataLoader would otherwise draw a seed from the global one at every epoch.
    batches = BatchSampler(sampler, batch_size, drop_last=False)
    return DataLoader(dataset, batch_size=None, sampler=batches, generator=generator)  # type: ignore[arg-type]


def mnist(
    source: DataSource = "auto",
    *,
    root: str | os.PathLike[str] = "data",
) -> Digits:
    """Load MNIST.

    Parameters
    ----------
    source : {"auto", "embedded", "torchvision"}
        "embedded": the 4,000 + 1,000 digits inside the package. "torchvision": the 60,000 + 10,000
        of MNIST, in the files that ``torchvision.datasets.MNIST(root)`` keeps. "auto": those files
        if they are there and whole, else the embedded set; it never touches the network.
    root : path
        Folder that holds ``MNIST/raw/``, as in torchvision. The full set takes 220 MB of memory.

    Raises
    ------
    ValueError
        If `source` is unknown.
    FileNotFoundError
        If ``source="torchvision"`` and a file is missing or damaged.

    Examples
    --------
    >>> digits = mnist("embedded")
    >>> digits
    Digits(source='embedded MNIST subset (4,000 train / 1,000 test)')
    >>> digits.train_images.shape
    torch.Size([4000, 1, 28, 28])
    """
    if source not in _SOURCES:
        raise ValueError(f"source={source!r}: expected one of {', '.join(map(repr, _SOURCES))}")
    if source == "embedded":
        return _embedded()
    raw = Path(root).expanduser() / "MNIST" / "raw"
    fault = _fault(raw)
    if fault and source == "auto":
        return _embedded()
    if fault:
        raise FileNotFoundError(
            f"{fault}. torchvision.datasets.MNIST({str(root)!r}, download=True) fetches what is"
            ' missing; remove a damaged file first. Or pass another root, or source="embedded"'
        )
    arrays = [_content(raw / name, shape) for name, shape in _FILES.items()]
    return _digits(*arrays, kind="full MNIST")


def _embedded() -> Digits:
    images, labels = embedded()
    n = TRAIN
    return _digits(images[:n], labels[:n], images[n:], labels[n:], kind="embedded MNIST subset")


def _digits(
    train_images: NDArray[np.uint8],
    train_labels: NDArray[np.uint8],
    test_images: NDArray[np.uint8],
    test_labels: NDArray[np.uint8],
    *,
    kind: str,
) -> Digits:
    return Digits(
        torch.from_numpy(pixels(train_images)),
        torch.from_numpy(train_labels.astype(np.int64)),
        torch.from_numpy(pixels(test_images)),
        torch.from_numpy(test_labels.astype(np.int64)),
        source=f"{kind} ({len(train_labels):,} train / {len(test_labels):,} test)",
    )


def _header(shape: tuple[int, ...]) -> bytes:
    """Return the start of an IDX file of bytes: magic number, then each dimension, big-endian."""
    return bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()


def _content(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.fromfile(path, np.uint8, offset=len(_header(shape))).reshape(shape)


def _fault(raw: Path) -> str:
    """Say what is wrong with the files in `raw`; "" when all are there and whole."""
    for name, shape in _FILES.items():
        path = raw / name
        if not path.is_file():
            return f"{path} is missing"
        header = _header(shape)
        expected, size = len(header) + int(np.prod(shape)), path.stat().st_size
        if size != expected:
            return f"{path} is damaged: {size:,} bytes instead of {expected:,}"
        with path.open("rb") as file:
            if file.read(len(header)) != header:
                return f"{path} is damaged: its header is not that of MNIST"
        if len(shape) == 1 and _content(path, shape).max() > 9:
            return f"{path} is damaged: it holds labels above 9"
    return ""
