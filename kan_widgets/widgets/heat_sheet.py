"""Sheets of the stills that are drawn here: with the diverging palette, and without cells."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from kan_widgets.widgets.geometry import Arrangement, Label
from kan_widgets.widgets.palette import palette
from kan_widgets.widgets.sheet import DARK, LIGHT, Int64, Sheet, Sign
from kan_widgets.widgets.sheet import Theme as Colours


class HeatSheet(Sheet):
    """A sheet whose colour bar and cells have the diverging palette."""

    def __init__(self, name: str, *arguments: Any) -> None:
        self._name = name
        super().__init__(*arguments)

    def draw_tiles(self, functions: Int64, tiles: NDArray[np.uint8]) -> None:
        """Fill cells with small pictures, stretched to their size."""
        origins = self._origins[functions].tolist()
        for (left, top), tile in zip(origins, tiles, strict=True):
            self.paper.picture(tile, (left, top, self.cell, self.cell))

    def _draw_symbol(self, symbol: str, left: int, top: int) -> None:
        if symbol != "bar":
            super()._draw_symbol(symbol, left, top)
            return
        height, hair = self._px(9), self.hair
        width = self._px(60)
        self._rectangle(
            left - hair, top - hair, width + 2 * hair, height + 2 * hair, self.theme.zero
        )
        colours = palette(self._name)
        places = np.rint(np.linspace(0, len(colours) - 1, width)).astype(int)
        self.paper.bar(colours[places], (left, top, width, height))


def _colours(theme: str) -> Colours:
    return LIGHT if theme == "light" else DARK


class Page:
    """A sheet without cells: title and legend above, and room of a height that is told later."""

    def __init__(self, width: int, theme: str, ratio: float) -> None:
        self.width, self.theme, self.ratio = width, theme, ratio
        self.colours = _colours(theme)

    def open(self, title: list[Sign], legend: list[Sign], height: int) -> HeatSheet:
        """Make the sheet; ``self.top`` is where the room begins."""
        places = cast(Arrangement, _NoPlaces(self.width, height))
        sheet = HeatSheet(self.theme, places, self.colours, self.ratio, title, legend, 1 << 20)
        self.top = round(sheet.image.height / self.ratio) - height
        return sheet

    def paste(
        self,
        sheet: Sheet,
        picture: NDArray[np.uint8],
        x: float,
        y: float,
        w: float,
        h: float,
        *,
        note: bool = True,
    ) -> None:
        """Put a picture into a box, with hard edges, and a hairline around it."""
        left, top, right, bottom = (round(v * self.ratio) for v in (x, y, x + w, y + h))
        hair = max(1, round(self.ratio))
        edge = (left - hair, top - hair, right + hair - 1, bottom + hair - 1)
        if note or sheet.paper.vectors is None:
            sheet.paper.rectangle(edge, fill=self.colours.zero)
        sheet.paper.picture(picture, (left, top, right - left, bottom - top), note=note)


class _NoPlaces:
    """Stands in for the places of a layer on a page that has none."""

    cell = 1
    count = 0

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height

    def cell_origins(self) -> Int64:
        return np.empty((0, 2), dtype=np.int64)

    def column_labels(self) -> list[Label]:
        return []

    row_labels = corner_labels = column_labels
