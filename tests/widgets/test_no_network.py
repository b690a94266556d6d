"""What hosts without a test of their own (VS Code, Colab) rest on: nothing comes from a network."""

from __future__ import annotations

import base64
import re
import sys
import zlib
from importlib.metadata import requires, version
from pathlib import Path

import anywidget
import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import kan_widgets
from kan_widgets.widgets.shell import docking, pictures, view
from kan_widgets.widgets.wire import broadcast, shared_traits
from kan_widgets.widgets.wire.bundles import packed_bundle

STATIC = Path(kan_widgets.__file__).parent / "widgets" / "static"
# Asks the server that its page came from; `kan-widgets follow` has it.
LIVE = STATIC / "live.js"
BUNDLES = sorted({*STATIC.iterdir()} - {LIVE})
# A name, not an address: what says that an element is SVG.
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}
COMMENTS = re.compile(r"/\*.*?\*/|^\s*//[^\n]*$", re.DOTALL | re.MULTILINE)
FRONT_ENDS = ("anywidget", "bqplot", "ipywidgets")


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_a_bundle_imports_nothing_and_names_no_address(bundle: Path) -> None:
    code = COMMENTS.sub("", bundle.read_text(encoding="utf8"))
    assert len(code) > 400
    assert set(re.findall(r"\bhttps?://[^\s\"'`)]*", code)) <= NAMESPACES
    ways = r"^\s*import\b|\bimport\s*\(|\bfrom\s+[\"']|@import"
    ways += r"|\burl\((?!#)|\bfetch\(|XMLHttpRequest"
    assert re.findall(ways, code, re.MULTILINE) == []


def test_what_asks_a_server_is_in_no_saved_page_and_asks_only_its_own(tmp_path: Path) -> None:
    code = LIVE.read_text(encoding="utf8")
    assert re.findall(r"new URL\([^)]*\)", code) == [
        'new URL("messages", address)',
        "new URL(`events?from=${heard}`, address)",
    ]
    assert len(re.findall(r"\bfetch\(new URL|new EventSource\(new URL", code)) == 2
    grid = kan_widgets.KernelGrid(kan_widgets.nn.KANLinear(2, 2))
    page = grid.save_html(tmp_path / "page.html").read_text()
    [letters] = re.findall(r'id="kw-code">([^<]+)<', page)
    script = zlib.decompress(base64.b64decode(letters)).decode()
    assert "EventSource(" not in page + script
    assert "kanWidgets.Page.start" in script


def widgets() -> list[type[anywidget.AnyWidget]]:
    """Give the package's own widgets, those inside others too."""
    assert kan_widgets.LayerRanges
    assert kan_widgets.Compare
    assert kan_widgets.Explain
    kinds = list(anywidget.AnyWidget.__subclasses__())
    for kind in kinds:
        kinds += kind.__subclasses__()
    ours = [kind for kind in kinds if kind.__module__.startswith("kan_widgets.widgets.")]
    # Each widget that was made has a class of its own below the one written down.
    ours = [k for k in ours if getattr(sys.modules[k.__module__], k.__name__, None) is k]
    # What the others are made from.
    parts = (view.View, pictures.Pictured, shared_traits.Sharing, docking.Dockable)
    return [k for k in ours if k not in parts]


def unpacked(module: str) -> str:
    """Give the code that a module stands for, as a page unpacks it."""
    [letters] = re.findall(r'atob\("([^"]+)"\)', module)
    return zlib.decompress(base64.b64decode(letters)).decode("utf-8")


def test_every_widget_takes_its_code_from_a_file_of_the_package() -> None:
    kinds = widgets()
    assert len(kinds) >= 8
    texts = {path.read_text("utf-8") for path in BUNDLES}
    for kind in kinds:
        codes = [
            vars(base)[name]
            for name in ("_esm", "_css")
            for base in kind.__mro__
            if name in vars(base) and base.__module__.startswith("kan_widgets.")
        ]
        if issubclass(kind, broadcast.Broadcast):
            codes = [unpacked(packed_bundle("main.js"))]
        assert codes, kind
        # The text: of a path anywidget would keep every widget, to tell it of changes.
        assert all(isinstance(code, str) and code in texts for code in codes), kind


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_a_front_end_is_pinned_below_the_next_version_that_may_break(name: str) -> None:
    [pinned] = [r for r in map(Requirement, requires("kan-widgets") or []) if r.name == name]
    bounds = {one.operator: Version(one.version) for one in pinned.specifier}
    assert set(bounds) == {">=", "<"}
    low, high = bounds[">="], bounds["<"]
    # Before 1.0 a minor version may break, after it a major one.
    following = (0, low.minor + 1) if low.major == 0 else (low.major + 1, 0)
    assert (high.major, high.minor) == following
    assert Version(version(name)) in pinned.specifier
