"""Observing a batch: what is counted, against numpy, and that the model stays as it was."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import kan_widgets as kw
from kan_widgets.digits import embedded
from kan_widgets.functions import ConvSettings, IdentityBasis, LayerFunctions, Tap, register_adapter
from kan_widgets.live.frames.observation import BINS, Observation, picture_of_rows

Images = NDArray[np.float32]


def images(n: int, channels: int, size: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 1.4 * torch.randn(n, channels, size, size, generator=generator)


def patches_by_loops(
    x: Images,
    kernel: tuple[int, int],
    *,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
    mode: str = "constant",
) -> Images:
    """(patches, channels·kh·kw), cut out one by one."""
    top, left = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)), mode=mode)  # type: ignore[call-overload]
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    rows = range(0, x.shape[2] - reach[0] + 1, stride[0])
    columns = range(0, x.shape[3] - reach[1] + 1, stride[1])
    return np.stack(
        [
            image[
                :,
                row : row + reach[0] : dilation[0],
                column : column + reach[1] : dilation[1],
            ].reshape(-1)
            for image in x
            for row in rows
            for column in columns
        ]
    )


def assert_describes(seen: Observation, patches: Images, domain: Any, extent: Any) -> None:
    """The counts and shares of an observation are numpy's."""
    entries = patches.shape[1]
    edges = np.linspace(*extent, BINS + 1)
    np.testing.assert_allclose(seen.edges, edges, atol=1e-6)
    assert seen.counts.shape == (entries, BINS)
    for entry in range(entries):
        values = patches[:, entry]
        expected = np.histogram(values, edges)[0]
        # A value on an edge, such as the 0 of padding, may fall on either side of it.
        assert np.abs(np.cumsum(seen.counts[entry]) - np.cumsum(expected)).max() <= np.sum(
            np.abs(values[:, None] - edges[None]).min(axis=1) < 1e-6
        )
        for share, (low, high) in (
            (seen.outside_domain[entry], domain),
            (seen.outside_extent[entry], extent),
        ):
            outside = np.mean((values < np.float32(low)) | (values > np.float32(high)))
            assert share == pytest.approx(outside, abs=1e-6)
    assert seen.patches.shape[1] == entries
    rows = {tuple(row) for row in patches.round(4).tolist()}
    assert {tuple(row) for row in seen.patches.round(4).tolist()} <= rows


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": 1},
        {"stride": 2, "padding": (2, 0)},
        {"dilation": (1, 2), "kernel_size": (3, 2)},
        {"padding": 1, "padding_mode": "reflect"},
        {"padding": 2, "padding_mode": "circular"},
        {"groups": 2},
    ],
    ids=str,
)
def test_every_entry_of_a_convolution_is_counted_as_numpy_counts_it(options):
    options = {"kernel_size": 3, **options}
    model = kw.nn.KANConv2d(4, 2, **options)
    live = kw.bind(model)
    x = images(3, 4, 6)
    seen = live.observe(x)[live.layers[0]]
    pair = lambda value: value if isinstance(value, tuple) else (value, value)  # noqa: E731
    patches = patches_by_loops(
        x.numpy(),
        pair(options["kernel_size"]),
        stride=pair(options.get("stride", 1)),
        padding=pair(options.get("padding", 0)),
        dilation=pair(options.get("dilation", 1)),
        mode={"reflect": "reflect", "circular": "wrap"}.get(
            options.get("padding_mode", ""), "constant"
        ),
    )
    assert_describes(seen, patches, (-1, 1), (-2.2, 2.2))
    assert seen.samples == 3
    assert seen.is_image
    np.testing.assert_array_equal(seen.maps, x.numpy())


def test_shared_kernels_see_all_channels_as_one():
    model = kw.nn.SharedKANConv2d(5, 3, padding=1)
    live = kw.bind(model)
    x = images(2, 3, 6)
    seen = live.observe(x)[live.layers[0]]
    one_channel = x.reshape(6, 1, 6, 6).numpy()
    assert_describes(
        seen, patches_by_loops(one_channel, (3, 3), padding=(1, 1)), (-1, 1), (-2.2, 2.2)
    )


def test_an_ordinary_convolution_is_observed_too():
    model = nn.Conv2d(2, 3, 3, padding="same")
    live = kw.bind(model)
    x = images(2, 2, 5)
    seen = live.observe(x)[live.layers[0]]
    assert_describes(seen, patches_by_loops(x.numpy(), (3, 3), padding=(1, 1)), (-1, 1), (-2, 2))


def test_a_linear_layer_has_one_entry_per_feature_whatever_the_leading_dimensions():
    model = kw.nn.KANLinear(4, 2)
    live = kw.bind(model)
    x = torch.randn(5, 7, 4)
    seen = live.observe(x)[live.layers[0]]
    assert_describes(seen, x.reshape(-1, 4).numpy(), (-1, 1), (-2.2, 2.2))
    assert seen.maps is None
    assert seen.samples == 5


def test_one_unbatched_image_is_one_sample():
    model = kw.nn.KANConv2d(2, 2, 3)
    live = kw.bind(model)
    x = images(1, 2, 5)
    seen = live.observe(x[0])[live.layers[0]]
    assert seen.samples == 1
    assert_describes(seen, patches_by_loops(x.numpy(), (3, 3)), (-1, 1), (-2.2, 2.2))


def test_deeper_layers_see_feature_maps_and_only_the_first_sees_the_batch():
    torch.manual_seed(0)
    model = nn.Sequential(
        kw.nn.KANConv2d(1, 2, 3), nn.MaxPool2d(2), kw.nn.KANConv2d(2, 2, 2), nn.Flatten(),
        kw.nn.KANLinear(2, 3),
    )  # fmt: skip
    live = kw.bind(model)
    x = images(4, 1, 6)
    seen = live.observe(x)
    assert {name: one.is_image for name, one in seen.items()} == {"0": True, "2": False, "4": False}
    with torch.no_grad():
        between = model[:2](x)
    np.testing.assert_allclose(seen["2"].maps, between.numpy(), atol=1e-6)
    assert_describes(seen["4"], model[:4](x).detach().numpy(), (-1, 1), (-2.2, 2.2))
    assert live.feed.observed.keys() == seen.keys()


def test_of_many_patches_some_are_kept_and_all_are_counted():
    model = kw.nn.KANLinear(1000, 1)
    live = kw.bind(model)
    x = torch.rand(2000, 1000)
    seen = live.observe(x)[live.layers[0]]
    assert seen.patches.shape == (250, 1000)
    assert seen.counts.sum() == x.numel()
    rows = {tuple(row) for row in x.tolist()}
    assert len({tuple(row) for row in seen.patches.tolist()} & rows) == 250


def are_random(counts: np.ndarray) -> bool:
    """Whether counts are as chance has them: each within six standard deviations of the mean."""
    return bool(np.abs(counts - counts.mean()).max() < 6 * np.sqrt(counts.mean()))


@pytest.mark.parametrize("n", [500, 1021, 2048])
@pytest.mark.parametrize("shared", [False, True])
def test_the_patches_kept_are_drawn_from_all_images_and_all_positions(n, shared):
    """Every pixel says which image and which position it is of."""
    size, kernel = 16, 3
    layer = kw.nn.SharedKANConv2d(1, kernel) if shared else kw.nn.KANConv2d(4, 1, kernel)
    image = torch.arange(n).view(n, 1, 1, 1).expand(n, 4, size, size)
    place = torch.arange(size * size).view(1, 1, size, size)
    live = kw.bind(layer)
    seen = live.observe((image + place / size**2).contiguous())[live.layers[0]]
    first = seen.patches[:, 0].astype(np.float64)
    images, places = np.divmod(np.rint(first * size**2).astype(int), size**2)
    assert len(first) == 250_000 // (9 if shared else 36)
    at = np.bincount(places, minlength=size**2).reshape(size, size)
    assert not at[14:].any()
    assert not at[:, 14:].any()
    assert are_random(np.bincount(images, minlength=n))
    assert are_random(at[:14, :14])


class Restless(nn.Module):
    """Draws random numbers of all kinds, changes x in place, and may fail."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.linear = kw.nn.KANLinear(3, 3)
        self.dropout = nn.Dropout(0.5)
        self.head = kw.nn.KANLinear(3, 1)
        self.fails = fails
        self.modes: list[bool] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.modes.append(self.dropout.training)
        noise = torch.rand(()) + random.random() + np.random.rand()  # noqa: NPY002
        x = self.dropout(self.linear(self.norm(x)))
        out = self.head(x) + 0 * noise
        x.zero_()
        if self.fails:
            raise RuntimeError("no luck today")
        return out


@pytest.mark.parametrize("fails", [False, True])
def test_modes_generators_statistics_and_hooks_are_as_before_also_after_a_fault(fails):
    torch.manual_seed(0)
    model = Restless(fails)
    model.train()
    model.dropout.eval()  # a mixture of modes
    live = kw.bind(model)
    modes = [module.training for module in model.modules()]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    hooks = sum(len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.modules())
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    if fails:
        with pytest.raises(RuntimeError, match="no luck today"):
            live.observe(torch.randn(8, 3, generator=torch.Generator().manual_seed(1)))
    else:
        live.observe(torch.randn(8, 3, generator=torch.Generator().manual_seed(1)))
    drawn = [torch.rand(3).tolist(), random.random(), np.random.rand()]  # noqa: NPY002
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    assert drawn == [torch.rand(3).tolist(), random.random(), np.random.rand()]  # noqa: NPY002
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    after = sum(len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.modules())
    assert after == hooks
    assert model.modes == [False]


def test_what_the_model_does_in_place_afterwards_is_not_seen():
    torch.manual_seed(0)
    model = Restless()
    live = kw.bind(model)
    seen = live.observe(torch.randn(8, 3))["head"]
    assert np.abs(seen.patches).max() > 0


def test_several_arguments_and_keywords_inside_are_found():
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = kw.nn.KANLinear(3, 2)

        def forward(self, x: torch.Tensor, scale: float) -> torch.Tensor:
            return self.linear(x=x * scale)

    model = Two()
    live = kw.bind(model)
    x = torch.randn(4, 3)
    seen = live.observe((x, 0.5))["linear"]
    np.testing.assert_allclose(seen.patches, 0.5 * x.numpy())


class Normed(nn.Module):
    """A layer whose functions act on a norm of its input, like several libraries' have it."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(3)
        self.linear = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.norm(x))


def test_where_x_is_not_the_input_it_is_taken_where_the_reader_says():
    def read(module: nn.Module) -> LayerFunctions:
        assert isinstance(module, Normed)
        weight = module.linear.weight.detach().unsqueeze(-1)
        return LayerFunctions(
            "linear",
            weight,
            (IdentityBasis(),),
            variable="LayerNorm(x)",
            x_at=Tap((module.norm,), "output"),
        )

    register_adapter(Normed, read)
    model = Normed()
    live = kw.bind(model)
    x = 5 + 3 * torch.randn(6, 3)
    seen = live.observe(x)[live.layers[0]]
    np.testing.assert_allclose(seen.patches, model.norm(x).detach().numpy(), atol=1e-6)
    assert not seen.is_image


class Bordered(nn.Conv2d):
    """Pads its basis functions: nothing comes in over the border."""


def test_where_basis_functions_are_padded_the_border_is_not_counted():
    def read(module: nn.Module) -> LayerFunctions:
        assert isinstance(module, Bordered)
        settings = ConvSettings(padding=(1, 1, 1, 1), pads_basis=True)
        weight = module.weight.detach().unsqueeze(-1)
        return LayerFunctions("conv", weight, (IdentityBasis(),), conv=settings)

    register_adapter(Bordered, read)
    live = kw.bind(model := Bordered(1, 1, 3, padding=1))
    x = images(2, 1, 4)
    seen = live.observe(x)[live.layers[0]]
    assert model is live.model
    inside = ((x >= -2) & (x <= 2)).float()
    # The middle entry sees all 16 pixels of an image, a corner one 9.
    assert seen.counts[4].sum() == inside.sum()
    assert seen.counts[0].sum() == inside[:, :, :3, :3].sum()
    assert seen.outside_extent[0] == pytest.approx(1 - inside[:, :, :3, :3].mean().item())
    np.testing.assert_array_equal(
        seen.patches, patches_by_loops(x.numpy(), (3, 3))[[0, 1, 2, 3, 4, 5, 6, 7]]
    )


@pytest.mark.parametrize("n", [512, 1024])
def test_patches_that_the_border_cuts_are_left_out_and_the_others_kept_at_random(n):
    def read(module: nn.Module) -> LayerFunctions:
        assert isinstance(module, Bordered)
        settings = ConvSettings(stride=(2, 2), padding=(1, 1, 1, 1), pads_basis=True)
        weight = module.weight.detach().unsqueeze(-1)
        return LayerFunctions("conv", weight, (IdentityBasis(),), conv=settings)

    register_adapter(Bordered, read)
    live = kw.bind(model := Bordered(1, 1, 3, stride=2, padding=1))
    size = 36
    # Every pixel says which image and which position it is of.
    x = torch.arange(n * size**2, dtype=torch.float32).view(n, 1, size, size) / size**2
    seen = live.observe(x)[live.layers[0]]
    assert model is live.model
    middle = np.rint(seen.patches[:, 4].astype(np.float64) * size**2).astype(int)
    assert len(middle) == 250_000 // 9
    assert are_random(np.bincount(middle // size**2, minlength=n))
    at = np.bincount(middle % size**2, minlength=size**2).reshape(size, size)
    assert at[2::2, 2::2].sum() == len(middle)
    assert are_random(at[2::2, 2::2])


@pytest.mark.parametrize("batch", [[torch.ones(1, 3)], (), 3, None])
def test_something_that_is_no_batch_is_refused(batch):
    live = kw.bind(model := kw.nn.KANLinear(3, 2))
    assert model is live.model
    with pytest.raises(TypeError, match="take the images of one batch"):
        live.observe(batch)
    assert live.feed.observed == {}


def test_a_closed_binding_observes_nothing():
    live = kw.bind(model := kw.nn.KANLinear(3, 2))
    assert model is live.model
    live.close()
    with pytest.raises(RuntimeError, match="closed"):
        live.observe(torch.ones(1, 3))


def test_a_layer_that_is_not_reached_is_left_out_and_none_at_all_is_an_error():
    class Fork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = kw.nn.KANLinear(3, 2)
            self.other = kw.nn.KANLinear(3, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.one(x)

    model = Fork()
    live = kw.bind(model)
    assert live.observe(torch.ones(1, 3)).keys() == {"one"}
    only = kw.bind(model, layers=["other"])
    with pytest.raises(ValueError, match="reached none"):
        only.observe(torch.ones(1, 3))


def test_an_observation_as_the_last_line_of_a_cell_prints_no_arrays():
    live = kw.bind(model := kw.nn.KANLinear(3, 2))
    [seen] = live.observe(torch.zeros(5, 3)).values()
    assert repr(seen) == f"Observation(layer='{live.layers[0]}', samples=5, is_image=True)"
    assert model is live.model


def rows_of(kind: str) -> NDArray[np.float32]:
    random = np.random.default_rng(0)
    digits, _ = embedded()
    if kind == "digits":
        rows = digits[:32].reshape(32, -1)
    elif kind == "small digits":
        rows = digits[:32, 2:26, 2:26].reshape(-1, 8, 3, 8, 3).mean((2, 4)).reshape(32, 64)
    elif kind == "noise":
        rows = random.normal(size=(32, 64))
    elif kind == "features of other scales":
        rows = random.normal(size=(32, 100)) * np.exp(random.normal(size=100))
    elif kind == "series":
        rows = random.normal(size=(32, 144)).cumsum(1)
    elif kind == "one of many":
        rows = np.eye(64)
    elif kind == "nothing":
        rows = np.zeros((8, 64))
    else:
        rows = digits[:32].reshape(32, -1)[:, :700]
    return np.asarray(rows, np.float32)


@pytest.mark.parametrize(
    ("kind", "sides"),
    [
        ("digits", (1, 28, 28)),
        ("small digits", (1, 8, 8)),
        *[(kind, None) for kind in ("noise", "features of other scales", "series")],
        *[(kind, None) for kind in ("one of many", "nothing", "no square")],
    ],
)
def test_rows_look_like_pictures_where_their_neighbours_are_alike(
    kind: str, sides: tuple[int, int, int] | None
) -> None:
    assert picture_of_rows(rows_of(kind)) == sides


@pytest.mark.parametrize(("kind", "fold"), [("digits", (1, 28, 28)), ("noise", None)])
def test_the_first_layer_knows_flattened_pictures(kind: str, fold: Any) -> None:
    rows = torch.from_numpy(rows_of(kind)) / 256
    model = nn.Sequential(kw.nn.KANLinear(rows.shape[1], 3))
    live = kw.bind(model)
    assert live.observe(rows)[live.layers[0]].fold == fold
