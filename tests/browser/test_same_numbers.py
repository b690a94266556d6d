"""One state has one set of numbers: on the screen, in a picture and on a saved page."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from playwright.sync_api import Browser

import kan_widgets as kw
from tests.browser.lab import LabPage, LabServer, until_on
from tests.every_view import all_but, calls, dashed

pytestmark = pytest.mark.browser

NAMES = all_but("NetworkView", "Dashboard")
SETUP = f"""
import torch
import kan_widgets as kw

torch.manual_seed(0)
torch.set_num_threads(1)
model = kw.nn.KANCNN.article()
optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
live = kw.bind(model, optimizer, every=1)
digits = kw.data.mnist("embedded")
images, labels = digits.train_images[:32], digits.train_labels[:32]
for _ in range(7):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    live.log(loss=loss.item())
live.observe(images)
live.feed.current()
image = images[0]
views = [*{calls(NAMES)}.values()]
"""
# A signed number with its fraction and exponent, and thousands in groups.
NUMBER = re.compile(r"[-−±]?\d(?:[\d,]*\d)?(?:\.\d+)?(?:e[-+−]?\d+)?")


# Time goes on between the screen and the picture.
CLOCK = re.compile(r"\d+:\d\d|steps/s|drawing|\d m?s$")


def numbers(words: list[str]) -> Counter[str]:
    return Counter(NUMBER.findall(" ".join(word for word in words if not CLOCK.search(word))))


def in_picture(svg: str) -> Counter[str]:
    texts = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return numbers(["".join(text.itertext()) for text in texts])


def shown(page: Any, kind: str) -> dict[str, Any] | None:
    """Give the width and the words of the last view of a kind in no other, once it is drawn.

    Words of the views that are drawn in it are among them.
    """
    found: dict[str, Any] | None = page.evaluate(
        """kind => {
            const own = `.kw-${kind}:not([data-kw-within])`;
            const view = [...document.querySelectorAll(own)].at(-1);
            const all = view ? [view, ...view.querySelectorAll(".kw-view")] : [];
            if (all.length === 0 || !all.every((one) => one.kwView.scene())) return null;
            const words = all.flatMap((one) => one.kwView.words());
            return { width: view.kwView.scene().width, words };
        }""",
        kind,
    )
    return found


def agree(name: str, words: list[str], svg: str) -> bool:
    """Say whether the numbers are the same; a page has one function of a grid large as well."""
    if name == "KernelGrid":
        return in_picture(svg) <= numbers(words)
    return in_picture(svg) == numbers(words)


def test_the_screen_and_the_picture_have_the_same_numbers(lab: LabPage, server: LabServer) -> None:
    lab.open(server.write_notebook([SETUP, *(f"views[{k}]" for k in range(len(NAMES)))]))
    lab.run_all()
    for k, name in enumerate(NAMES):
        kind = dashed(name)

        def same(k: int = k, kind: str = kind, name: str = name) -> bool:
            # What has not been in sight is not drawn.
            lab.script("panel.content.widgets[arg].node.scrollIntoView();", k + 1)
            here = shown(lab.page, kind)
            if here is None:
                return False
            options = f"width={here['width']}, max_height=1e5, layer=views[{k}].layer"
            if name in ("TrainingPanel", "LayerRanges", "Compare"):
                options = options.rpartition(", ")[0]
            svg = lab.evaluate(f"views[{k}].svg({options})")
            return len(numbers(here["words"])) > 1 and agree(name, here["words"], svg)

        lab.until(same, f"{name} to have the numbers of its picture")
    assert lab.cell_errors() == []


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    names: dict[str, Any] = {}
    threads = torch.get_num_threads()
    exec(SETUP, names)
    torch.set_num_threads(threads)
    return names


def test_a_saved_page_and_the_picture_have_the_same_numbers(
    browser: Browser, tmp_path: Path, made: dict[str, Any]
) -> None:
    views = made["views"]
    path = kw.save_html(tmp_path / "page.html", *views)
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    page = context.new_page()
    page.goto(path.as_uri())
    for view in views:
        kind = dashed(type(view).__name__)
        until_on(page, lambda kind=kind: shown(page, kind), f"{kind} on the page")  # type: ignore[misc]
        here = shown(page, kind)
        assert here is not None
        found = numbers(here["words"])
        assert len(found) > 1, kind
        # A picture of an explanation has all its layers unless one is asked for.
        layer = {"layer": view.layer} if view.has_trait("layer") else {}
        svg = view.svg(width=here["width"], max_height=1e5, **layer)
        assert agree(type(view).__name__, here["words"], svg), kind
    context.close()
