"""The pages that `make docs` builds."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import shlex
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

import kan_widgets as kw

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the pages with the command of `make docs`, which fails at the first warning."""
    folder = tmp_path_factory.mktemp("docs")
    told = subprocess.run(
        ["make", "--dry-run", "docs", f"DOCS={folder}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = (line for line in told.stdout.splitlines() if " -m sphinx " in line)
    _, *arguments = shlex.split(line)
    assert "--fail-on-warning" in arguments
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder


class Loaded(HTMLParser):
    """What a page loads by itself: pictures, scripts, style sheets; and apart, what it links to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        self.places.add(about.get("id") or "")
        if tag == "a" and about.get("href"):
            self.links.append(about["href"] or "")
        # The other relations of a <link> name pages: next, search, index.
        loads = (about.get("rel") or "").split()
        if tag == "link" and {"stylesheet", "icon", "preload", "modulepreload"} & {*loads}:
            self.addresses.append(about["href"] or "")
        elif tag != "link" and about.get("src"):
            self.addresses.append(about["src"] or "")


def test_every_page_loads_only_files_that_lie_beside_it(pages: Path) -> None:
    found = sorted(pages.rglob("*.html"))
    assert {"index.html", "gallery.html", "hosts.html"} <= {page.name for page in found}
    for page in found:
        addresses = Loaded(page).addresses
        assert len(addresses) > 5, page
        for address in addresses:
            assert (page.parent / address.split("?")[0]).is_file(), f"{page.name}: {address}"


def test_every_link_on_the_first_pages_leads_somewhere(pages: Path) -> None:
    for page in sorted(pages.glob("*.html")):
        loaded = Loaded(page)
        own = [link for link in loaded.links if not link.startswith("http")]
        assert len(own) > 5, page
        for link in own:
            file, _, place = link.partition("#")
            assert not file or (page.parent / file).is_file(), f"{page.name}: {link}"
            if not file and place:
                assert place in loaded.places, f"{page.name}: {link}"


def test_style_sheets_load_nothing_from_elsewhere(pages: Path) -> None:
    sheets = sorted(pages.rglob("*.css"))
    assert len(sheets) > 2
    for sheet in sheets:
        text = sheet.read_text("utf-8")
        addresses = re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")]*)", text)
        assert not [address for address in addresses if "//" in address], sheet


def entries(pages: Path) -> set[str]:
    """Return the names that the reference has an entry for, from Sphinx's own list."""
    packed = (pages / "objects.inv").read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(packed).decode().splitlines()
    return {line.split(" py:")[0] for line in lines if " py:" in line}


def test_every_public_name_has_an_entry(pages: Path) -> None:
    known = entries(pages)
    for part in ("", ".nn", ".functions", ".live", ".widgets", ".insight", ".data"):
        module = importlib.import_module(f"kan_widgets{part}")
        for name in module.__all__:
            thing = getattr(module, name)
            if not inspect.ismodule(thing) and not name.startswith("__"):
                own = getattr(kw, name, None) is thing
                assert f"kan_widgets{'' if own else part}.{name}" in known


def test_methods_have_entries_and_those_of_ipywidgets_none(pages: Path) -> None:
    known = entries(pages)
    assert {"kan_widgets.KernelGrid.image", "kan_widgets.KernelGrid.to_png"} <= known
    assert {"kan_widgets.Binding.observe", "kan_widgets.live.Source.select"} <= known
    assert "kan_widgets.Binding.select" not in known  # its parent has it
    assert "kan_widgets.KernelGrid.add_traits" not in known


def test_the_gallery_has_a_picture_of_every_view_in_both_themes(pages: Path) -> None:
    text = (pages / "gallery.html").read_text("utf-8")
    views = [name for name in kw.__all__ if hasattr(getattr(kw, name), "image")]
    for name in views:
        assert f'id="{name.lower()}"' in text, name
    pictures = [a for a in Loaded(pages / "gallery.html").addresses if a.startswith("_pictures/")]
    assert len(pictures) >= 2 * len(views)
    for light, dark in zip(pictures[::2], pictures[1::2], strict=True):
        grounds = []
        for address in (light, dark):
            with Image.open(pages / address) as picture:
                grey = picture.convert("L")
            colours = grey.getcolors(256)
            assert colours is not None
            assert len(colours) > 20, f"{address} shows next to nothing"
            grounds.append(max(colours)[1])
        assert grounds[0] > 200, light
        assert grounds[1] < 60, dark


BROKEN = """
def one():
    \"\"\"See `kan_widgets.nn.NoSuchLayer`.\"\"\"

def two(x):
    \"\"\"Say ``what never ends.\"\"\"

def three(x):
    \"\"\"Say it.

    Parameters
    ----------
    y
        No parameter of this name.
    \"\"\"
"""


def test_broken_docstrings_and_a_view_without_a_picture_fail_the_build(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN, "utf-8")
    (tmp_path / "index.rst").write_text("Broken\n======\n\n.. automodule:: broken\n", "utf-8")
    arguments = ["--fail-on-warning", "--quiet", "-c", ROOT / "docs", tmp_path, tmp_path / "built"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "target not found: kan_widgets.nn.NoSuchLayer" in done.stderr
    assert "Inline literal start-string without end-string" in done.stderr
    assert "Unknown parameters {'y'}" in done.stderr
    assert "no picture of kan_widgets.KernelGrid" in done.stderr
