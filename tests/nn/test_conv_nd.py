"""Convolutions over one and three dimensions, compared with sums over single functions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.functions import read
from kan_widgets.nn import KANConv1d, KANConv3d


def phi(module: nn.Module, slice_: int, x: Tensor) -> Tensor:
    """φ of a slice at points of any shape, ``(out, in, kh, kw, *shape)``."""
    layer = read(module)[slice_]
    return layer.evaluate(x.flatten()).unflatten(-1, x.shape)


def test_one_dimension_is_a_sum_over_the_entries_of_a_patch():
    torch.manual_seed(0)
    layer = KANConv1d(2, 3, 4, stride=2, padding=1, dilation=2)
    x = torch.rand(5, 2, 11) * 2 - 1
    padded = F.pad(x, (1, 1))
    functions = phi(layer, 0, padded)[:, :, 0]  # (out, in, k, n, channel, position)
    expected = torch.stack(
        [
            sum(functions[:, i, k, :, i, 2 * p + 2 * k] for i in range(2) for k in range(4))
            for p in range(layer(x).shape[2])
        ],
        dim=-1,
    ).transpose(0, 1)
    torch.testing.assert_close(layer(x).detach(), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(layer(x[0]), layer(x)[0])


@pytest.mark.parametrize("mode", ["zeros", "replicate"])
def test_three_dimensions_are_a_sum_over_slices_of_the_kernel(mode):
    torch.manual_seed(0)
    layer = KANConv3d(
        2, 3, (2, 1, 3), (2, 1, 2), (1, 0, 1), (2, 1, 1), padding_mode=mode, grid_size=4
    )
    x = torch.rand(2, 2, 5, 3, 6) * 2 - 1
    padded = F.pad(x, (1, 1, 0, 0, 1, 1), mode="constant" if mode == "zeros" else mode)
    found = layer(x).detach()
    assert found.shape == nn.Conv3d(2, 3, (2, 1, 3), (2, 1, 2), (1, 0, 1), (2, 1, 1))(x).shape
    functions = [phi(layer, d, padded) for d in range(2)]
    for p, r, c in ((0, 0, 0), (2, 2, 2), (1, 1, 0)):
        expected = sum(
            functions[d][:, i, 0, k, :, i, 2 * p + 2 * d, r, 2 * c + k]
            for d in range(2)
            for i in range(2)
            for k in range(3)
        )
        torch.testing.assert_close(found[:, :, p, r, c], expected.T, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(layer(x[0]), layer(x)[0])


def test_both_are_drawn_as_kernels_of_their_size_and_as_slices():
    model = nn.Sequential(KANConv1d(2, 3, 5), nn.Unflatten(1, (3, 1)), nn.Flatten(2))
    assert kw.bind(model).feed.layout.layer("0.conv").shape == (3, 2, 1, 5)
    volume = KANConv3d(1, 2, 3, padding="same")
    assert volume(torch.zeros(1, 1, 4, 5, 6)).shape == (1, 2, 4, 5, 6)
    live = kw.bind(volume)
    assert live.feed.layout.names == ("slices.0", "slices.1", "slices.2")


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(
    ("ours", "torchs", "sizes", "groups"),
    [
        (KANConv1d, nn.Conv1d, (6, 64, 7), 2),
        (kw.nn.KANConv2d, nn.Conv2d, (6, 66, (3, 5)), 3),
        (KANConv3d, nn.Conv3d, (4, 64, (3, 2, 5)), 1),
        (KANConv3d, nn.Conv3d, (6, 64, 3), 2),
    ],
)
def test_weights_and_scalers_are_drawn_as_widely_as_torch_draws_those_of_all_slices(
    ours, torchs, sizes, groups, again
):
    torch.manual_seed(0)
    layer, other = ours(*sizes, groups=groups, spline_scaler=True), torchs(*sizes, groups=groups)
    if again:
        layer.apply(lambda part: getattr(part, "reset_parameters", lambda: None)())
    fan_in, _ = nn.init._calculate_fan_in_and_fan_out(other.weight)
    # nn.init.kaiming_uniform_ with a = √5, by which torch's own convolutions are drawn.
    bound = nn.init.calculate_gain("leaky_relu", 5**0.5) * (3 / fan_in) ** 0.5
    assert other.weight.abs().max().item() == pytest.approx(bound, rel=0.01)
    for name in ("base_weight", "spline_scaler"):
        drawn = torch.cat([p.flatten() for n, p in layer.named_parameters() if n.endswith(name)])
        assert drawn.numel() == other.weight.numel()
        assert drawn.abs().max().item() == pytest.approx(bound, rel=0.01)
        assert drawn.std().item() == pytest.approx(bound / 3**0.5, rel=0.04)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kernel_size": (3, 3)}, r"kernel_size=.*: expected a whole number or three, ≥ 1"),
        ({"stride": 0}, "stride=0: expected a whole number or three"),
        ({"groups": 3}, "in_channels=.*: expected a multiple of groups"),
    ],
)
def test_wrong_arguments_are_errors_that_say_what_is_expected(change, words):
    with pytest.raises(ValueError, match=words):
        KANConv3d(**{"in_channels": 2, "out_channels": 2, "kernel_size": 3, **change})
    with pytest.raises(ValueError, match="deeper than the padded input, 2"):
        KANConv3d(1, 1, 3)(torch.zeros(1, 1, 2, 4, 4))
    with pytest.raises(ValueError, match=r"input of shape \(4, 4\): expected \(N, C, D, H, W\)"):
        KANConv3d(1, 1, 3)(torch.zeros(4, 4))
