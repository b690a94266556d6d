"""KernelGrid's preferred patches: drawn where a dense search finds them, and said in words."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import traitlets

import kan_widgets as kw
from kan_widgets.insight import kernel_of
from tests.widgets.test_grid_pictures import Drawn, draw, frame_of, layer_of


def trained() -> kw.Binding:
    """Bind a model with splines far from their start, in groups, and observe a batch."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        kw.nn.KANConv2d(2, 4, 3, groups=2, padding=1), kw.nn.KANConv2d(4, 3, 3)
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
    models.append(model)
    live = kw.bind(model)
    live.observe(2 * torch.randn(8, 2, 10, 10))
    return live


# A binding does not keep its model: somebody must.
models: list[torch.nn.Module] = []


def picture_of(live: kw.Binding, **traits: object) -> Drawn:
    svg = kw.KernelGrid(live, mode="preferred").svg(**traits)
    return Drawn(svg, ElementTree.fromstring(svg))


@pytest.mark.parametrize("suppressed", [False, True])
@pytest.mark.parametrize("bounds", ["domain", "observed"])
def test_the_greys_are_the_patch_that_a_dense_search_finds(bounds: str, suppressed: bool) -> None:
    live = trained()
    for read in live.read():
        for out in range(read.shape[0]):
            kernel = kernel_of(read, out)
            ends = np.quantile(kernel.inputs(live.feed.observed[read.name]), (0.005, 0.995), axis=0)
            if bounds == "domain":
                ends = np.array([kernel.domain(e) for e in range(len(kernel.columns))]).T
            low, high = ends
            dense = np.linspace(low, high, 4_001)
            terms = kernel.terms(dense)
            rows = (terms.argmin if suppressed else terms.argmax)(axis=0)
            best_x, best = (np.take_along_axis(of, rows[None], axis=0)[0] for of in (dense, terms))
            live.select(read.name, out)
            picture = picture_of(live, layer=read.name, bounds=bounds, suppressed=suppressed)
            greys = np.array(picture.greys()).reshape(read.shape[0], -1)[out]
            at = low + (high - low) * greys / 255
            # The drawing looks at the rows of its table, and a cell has 256 greys.
            assert np.abs(at - best_x).max() <= 0.03 * (high - low).max()
            missed = np.abs(kernel.terms(at[None])[0] - best)
            assert (missed <= 0.02 * np.ptp(terms, axis=0)).all()
            [words] = [text for text in picture.texts if text.startswith(f"output {out} reaches")]
            assert f"at {'least' if suppressed else 'most'}, with {len(best)} functions" in words
            number = float(re.findall(r"reaches (\S+) at", words)[0].replace("−", "-"))
            assert number == pytest.approx(best.sum(), rel=6e-3)


def test_a_cell_is_the_whiter_the_higher_the_input_that_is_preferred() -> None:
    layer = layer_of((1, 1, 1, 4))
    # -(x - c)² is largest at c.
    frame = frame_of(layer, [(0, 2 * c, -1) for c in (-2, -0.5, 0.25, 2)])
    found = draw(frame, mode="preferred").greys()
    np.testing.assert_allclose(found, [0, 64, 159, 255], atol=3)
    assert draw(frame, mode="preferred", suppressed=True).greys() == [255, 255, 0, 0]


def test_the_grid_says_what_the_bounds_are_and_when_nothing_was_observed() -> None:
    live = trained()
    assert "quantiles 0.5 % and 99.5 % of 8 images" in " ".join(
        picture_of(live, bounds="observed").texts
    )
    unseen = kw.bind(models[-1][1])
    assert "no inputs observed, so within the grid's range" in " ".join(
        picture_of(unseen, bounds="observed").texts
    )
    assert "observed" not in " ".join(picture_of(unseen, bounds="domain").texts)


def test_bounds_are_one_of_two_words() -> None:
    with pytest.raises(traitlets.TraitError, match=r"bounds: expected one of .* got 'seen'"):
        kw.KernelGrid(trained(), bounds="seen")
