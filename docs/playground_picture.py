"""Photograph the playground for the first page, where it is a link.

``python docs/playground_picture.py docs/static`` writes ``playground-light.webp`` and
``playground-dark.webp``: a network that has learned two spirals there.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

import torch
from PIL import Image
from playwright.sync_api import sync_playwright

import kan_widgets as kw
from tests.browser.lab import CHROMIUM_ARGUMENTS, find_chromium, until_on

STATE = "#problem=spirals&epochs=150"
SIZE = {"width": 1240, "height": 700}
QUALITY = 88


def photograph(folder: Path) -> None:
    """Train in the page, then take it in both themes."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        page_file = kw.playground(path=Path(made, "index.html"))
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS
        )
        page = browser.new_page(viewport=SIZE)
        page.goto(page_file.as_uri() + STATE)
        run = page.locator("[data-kw-part=run]")
        run.click()
        ended = "the end of the training"
        until_on(page, lambda: run.inner_text() == "Train again", ended, limit=300)
        for theme in ("light", "dark"):
            page.locator("#kw-theme").select_option(theme)
            page.wait_for_timeout(1000)
            path = folder / f"playground-{theme}.webp"
            Image.open(io.BytesIO(page.screenshot())).save(path, quality=QUALITY, method=6)
            print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")
        browser.close()


if __name__ == "__main__":
    photograph(Path(sys.argv[1]))
