"""What can be said of a layer without torch: how it moves, and the label of a plain weight."""

from __future__ import annotations

from dataclasses import dataclass

STRAIGHT = ("x",)
"""The label of the one basis function of a plain weight: φ(x) = w·x."""


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
