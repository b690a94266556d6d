"""A bqplot figure is saved as what a page draws of it."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from ipywidgets.embed import dependency_state
from PIL import Image

import kan_widgets as kw
from kan_widgets.figures import colours
from tests.notebooks.photographs import DENSITY, WIDTH, photographs

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_a_figure_is_photographed_as_a_page_draws_it() -> None:
    x = np.linspace(0, 1, 50)
    made = [
        kw.figures.lines({"flat": (x, 0 * x), "line": (x, s * x)}, x="x", y="y") for s in (1, -1)
    ]
    state = dependency_state([*made, colours._sheet], drop_defaults=False)
    taken = photographs([figure.model_id for figure in made], json.loads(json.dumps(state)))
    assert list(taken) == [figure.model_id for figure in made]
    for (picture, about), rises in zip(taken.values(), (True, False), strict=True):
        with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
            pixels = np.asarray(image.convert("RGB")).astype(int)
        assert pixels.shape[1] == DENSITY * WIDTH == DENSITY * about["width"]
        # The second curve's colour; the entry of the legend, to the right, is left out.
        wanted = [int(colours.LIGHT["curve-1"][k : k + 2], 16) for k in (1, 3, 5)]
        rows, columns = np.nonzero(np.abs(pixels - wanted).max(axis=2) < 40)
        plot = columns < pixels.shape[1] - DENSITY * made[0].fig_margin["right"]
        assert plot.sum() > 100
        assert not plot.all()  # so it is in the legend, which stands beside the plot
        left, right = columns[plot].argmin(), columns[plot].argmax()
        assert (rows[plot][left] > rows[plot][right]) == rises
