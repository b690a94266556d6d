"""Legend: the words and the colours in it."""

from __future__ import annotations

import pytest

import kan_widgets as kw


@pytest.mark.parametrize(("theme", "spline"), [("light", "#0072b2"), ("dark", "#56b4e9")])
def test_every_colour_is_named_and_is_that_of_the_theme(theme: str, spline: str) -> None:
    svg = kw.Legend(kw.nn.KANLinear(2, 3)).svg(theme=theme)
    for name in ("current", "initial", "base", "spline", "selection"):
        assert f">{name}</text>" in svg
    assert f'stroke="{spline}"' in svg
