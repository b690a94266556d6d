"""The digits inside the package, as numbers: reading them needs no torch.

5,000 of MNIST's training images, 500 of each digit; see ``kan_widgets/mnist/ATTRIBUTION.txt``.
"""

import lzma
from importlib import resources

import numpy as np
from numpy.typing import NDArray

TRAIN, _TEST = 4000, 1000
"""How many are for training; those for testing come after them."""
SIDE = 28


def embedded() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the images, ``(5000, 28, 28)`` from 0 (background) to 255, and their labels.

    Examples
    --------
    >>> images, labels = embedded()
    >>> images.shape, labels.shape
    ((5000, 28, 28), (5000,))
    """
    packed = resources.files("kan_widgets").joinpath("mnist/digits.xz").read_bytes()
    content = np.frombuffer(lzma.decompress(packed), np.uint8)
    count = TRAIN + _TEST
    return content[count:].reshape(count, SIDE, SIDE), content[:count]


def pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return images as networks take them, ``(n, 1, height, width)`` from −1 to 1.

    Examples
    --------
    >>> pixels(np.array([[[0, 255]]], np.uint8)).tolist()
    [[[[-1.0, 1.0]]]]
    """
    scaled = np.divide(images, 127.5, dtype=np.float32)
    return np.subtract(scaled, 1.0, out=scaled)[:, None]
