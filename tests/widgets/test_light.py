"""Numbers rounded for pages that must be small."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import kan_widgets as kw
from kan_widgets.widgets.pages.page import parts_of_page
from kan_widgets.widgets.pages.page_frames import (
    FUNCTION_STEPS,
    LAYER_STEPS,
    light_inputs,
    light_run,
    rounded,
)


def trained() -> tuple[torch.nn.Sequential, kw.Binding]:
    """Bind a model whose layers differ in size, and take some frames of it."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(kw.nn.KANConv2d(1, 6, 3), kw.nn.KANConv2d(6, 6, 3))
    live = kw.bind(model, every=1)
    for _ in range(20):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.02 * torch.randn_like(parameter)
        live.step()
        live.refresh()
    return model, live


def test_rounding_errs_by_half_a_step_at_most_and_keeps_what_is_no_number() -> None:
    values = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    near = rounded(values, 512)
    assert near.dtype == np.float32
    assert np.abs(near - values).max() <= np.abs(values).max() / 512
    assert len(np.unique(near)) < 2 * 512
    odd = np.float32([np.nan, np.inf, -np.inf, 0.0])
    np.testing.assert_array_equal(rounded(odd, 8), odd)
    assert not np.signbit(rounded(np.float32([-1e-9, 1.0]), 8)).any()


def unrounded(run: dict[str, Any], frames: int) -> NDArray[np.float64]:
    """Return what a page makes of a rounded run, (frames, coefficients): a loop for each number."""
    moved = np.frombuffer(run["data"], np.int8).reshape(-1, frames)
    sizes, fine = np.frombuffer(run["sizes"], "<f4"), np.frombuffer(run["fine"], np.int8)
    owners = np.repeat(
        np.arange(len(sizes)), [nb for many, nb in run["counts"] for _ in range(many)]
    )
    found = np.zeros((frames, len(moved)))
    for place, owner in enumerate(owners):
        at = 0
        for frame in range(frames):
            at = (at + int(moved[place, frame]) + 128) % 256 - 128
            found[frame, place] = at * float(sizes[owner])
        found[-1, place] += fine[place] / 254 * float(sizes[owner])
    return found


def test_each_function_is_rounded_by_its_own_size_and_the_last_frame_hardly() -> None:
    model, live = trained()
    with torch.no_grad():
        for parameter in model[1].parameters():
            parameter *= 1e-4
        for parameter in model[0].parameters():
            parameter[0] *= -1  # from one end to the other in one step
    live.refresh()
    frames = list(live.history)
    exact = np.stack([frame.data for frame in frames]).astype(np.float64)
    run = light_run(frames)
    assert run is not None
    near = unrounded(run, len(frames))
    for layer in frames[0].layout.layers:
        part = slice(layer.offset, layer.offset + layer.length)
        was = exact[:, part].reshape(len(frames), -1, layer.nb)
        off = np.abs(near[:, part].reshape(was.shape) - was)
        reach = np.abs(was).max((0, 2))
        step = np.maximum(reach / FUNCTION_STEPS, reach.max() / LAYER_STEPS)[:, None]
        assert (off[:-1] <= 0.5001 * step).all()
        assert (off[-1] <= 0.5001 * step / 254).all()
        assert off[:-1].max() > 0.4 * step.min()


def test_frames_with_what_is_no_number_are_not_rounded() -> None:
    model, live = trained()
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] = float("nan")
    live.refresh()
    assert light_run(list(live.history)) is None


def test_patches_are_thinned_evenly_and_keep_their_images() -> None:
    _model, live = trained()
    seen = live.observe(torch.rand(200, 1, 12, 12))["0"]
    light = light_inputs(seen)
    assert len(seen.patches) == 200 * 10 * 10
    assert len(light.patches) == 2000
    assert np.abs(light.patches - seen.patches[::10]).max() < 1 / 200
    assert light.images is not None
    assert len(light.images) == len(light.patches)
    assert light.samples == seen.samples


def test_what_fills_a_page_of_a_site_is_within_its_limit_and_smaller_than_a_saved_page(
    tmp_path: Path,
) -> None:
    _model, live = trained()
    grid = kw.KernelGrid(live)
    figures, filling = parts_of_page([grid, kw.SplineInspector(live)], 5)
    assert [re.findall(r'data-kw-place="(\d)"', figure) for figure in figures] == [["0"], ["1"]]
    exact = grid.save_html(tmp_path / "page.html").read_text("utf-8")
    own = re.search(r'id="kw-bytes">(.*?)</script>', exact, re.S)
    light = re.search(r'id="kw-bytes">(.*?)</script>', filling, re.S)
    assert own is not None
    assert light is not None
    assert len(light[1]) < len(own[1]) / 2
    _, least = parts_of_page([grid], 0.05)
    assert len(least) <= 50_000
    with pytest.raises(ValueError, match=r"max_mb=0\.001 is too small"):
        parts_of_page([grid], 0.001)


def test_what_stands_beside_coefficients_is_not_rounded() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(kw.nn.KANLinear(3, 4), torch.nn.BatchNorm1d(4))
    live = kw.bind(model)
    frames = [live.frame]
    for _ in range(2):
        model(torch.randn(9, 3))
        live.step()
        frames.append(live.refresh())
    run = light_run(frames)
    assert run is not None
    found = np.frombuffer(run["beside"], "<f4").reshape(3, -1)
    np.testing.assert_array_equal(found, [frame.beside for frame in frames])
    assert found[-1].tolist() != found[0].tolist()
    assert len(found[0]) == 16
