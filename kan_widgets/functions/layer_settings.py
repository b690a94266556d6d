"""What a layer is besides its functions; no torch."""

from dataclasses import dataclass
from typing import Any, NamedTuple

# The label of the one basis function of a plain weight: φ(x) = w·x.
STRAIGHT = ("x",)


@dataclass(frozen=True)
class ConvSettings:
    """How a convolution moves its kernels over the input; the meanings are torch's.

    ``padding`` is (left, right, top, bottom), as `torch.nn.functional.pad` takes it. With
    ``shared`` every kernel is applied to each input channel by itself, and output
    channel c·out + o is kernel o on channel c. With ``pads_basis`` it is β that is padded
    with zeros, not x: a function adds nothing over the border, instead of φ(0).
    """

    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    padding_mode: str = "zeros"
    groups: int = 1
    shared: bool = False
    pads_basis: bool = False

    @classmethod
    def of(
        cls, conv: Any, groups: int = 1, shared: bool = False, pads_basis: bool = False
    ) -> "ConvSettings":
        """Return how a convolution with torch's settings is applied; a slice of one over 3D.

        Over one dimension kernels are rows. "same" pads the odd pixel at the end, as torch does.
        """
        stride, dilation, kernel = (
            (1, *getattr(conv, name))[-2:] for name in ("stride", "dilation", "kernel_size")
        )
        if isinstance(conv.padding, str):
            total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
            total = total if conv.padding == "same" else [0, 0]
            (top, bottom), (left, right) = ((t // 2, t - t // 2) for t in total)
        else:
            top, left = bottom, right = (0, *map(int, conv.padding))[-2:]
        mode = getattr(conv, "padding_mode", "zeros")
        padding = (left, right, top, bottom)
        return cls(stride, padding, dilation, mode, groups, shared, pads_basis)


class Split(NamedTuple):
    """Which part of a layer a process has."""

    whole: tuple[int, int, int, int]
    """Out, in, kh, kw of the whole layer."""
    out: int
    """The first output in this part."""
    in_: int
    """The first input in this part."""
    words: str
    """The part in words, for a person to read."""
