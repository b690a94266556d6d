"""save_html: what is in the file, that it fits, that no name in it is HTML, and what is refused."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import kan_widgets as kw
from kan_widgets.widgets.pages.page_frames import past_of, taken_out
from kan_widgets.widgets.pages.page_text import _handing, site_script

HOSTILE = "</script><!--<script>alert(1)</script>"
STATIC = Path(kw.__file__).parent / "widgets" / "static"


class Parsed(HTMLParser):
    """The page as a browser reads it: tags with attributes, scripts by id, text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.texts: dict[str, str] = {}
        self._inside = ""
        self.size = path.stat().st_size
        self.feed(path.read_text("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            about, text = self.scripts[-1]
            self.scripts[-1] = about, text + data
        else:
            self.texts[self._inside] = self.texts.get(self._inside, "") + data

    def script(self, name: str) -> str:
        (text,) = (text for about, text in self.scripts if about.get("id") == name)
        return text

    @property
    def saved(self) -> dict[str, Any]:
        """What the page is made from, with its bytes back in their places."""
        saved: dict[str, Any] = json.loads(self.script("kw-saved"))
        whole = zlib.decompress(base64.b64decode(self.script("kw-bytes")))
        for path, at, length in saved["bytes"]:
            holder: Any = saved
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = whole[at : at + length]
        return saved

    def frames(self, stream: int = 0) -> dict[int, NDArray[np.float32]]:
        """The frames by step; those that are rounded are empty: see test_light.py."""
        found = {}
        for run in self.saved["streams"][stream]["runs"]:
            if "sizes" in run:
                found |= dict.fromkeys(run["steps"], np.zeros(0, np.float32))
                continue
            planes = np.frombuffer(run["data"], np.uint8).reshape(len(run["steps"]), 4, -1)
            words = np.zeros(planes.shape[::2], np.uint32)
            for place in range(4):
                words |= planes[:, place].astype(np.uint32) << np.uint32(8 * place)
            data = np.cumsum(words, axis=0, dtype=np.uint32).view(np.float32)
            found |= dict(zip(run["steps"], data, strict=True))
        return found


def bound(name: str = "conv", steps: int = 12) -> tuple[torch.nn.Module, kw.Binding]:
    """Bind a small model and give it that many steps, each with a frame."""
    torch.manual_seed(0)
    model = torch.nn.Sequential()
    model.add_module(name, kw.nn.KANConv2d(1, 3, 3))
    live = kw.bind(model, every=1)
    for _ in range(steps):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
        live.step()
        live.refresh()
    return model, live


def test_the_frames_in_the_page_are_those_of_the_history_to_the_last_bit(tmp_path: Path) -> None:
    model, live = bound()
    with torch.no_grad():
        next(model.parameters()).view(-1)[:3] = torch.tensor([float("nan"), -0.0, 1e-40])
    live.step()
    live.refresh()
    page = Parsed(kw.save_html(tmp_path / "page.html", kw.KernelGrid(live)))
    frames = page.frames()
    assert list(frames) == live.history.steps.tolist() == list(range(14))
    for frame in live.history:
        assert frames[frame.step].tobytes() == frame.data.tobytes()


def test_views_of_one_binding_share_its_stream_and_keep_their_options(tmp_path: Path) -> None:
    _, live = bound()
    other_model, other = bound(steps=0)
    assert other.model is other_model
    live.select("conv", 2, 0, 1, 1)
    live.observe(torch.randn(4, 1, 8, 8))
    grid = kw.KernelGrid(live, mode="change")
    mesh = kw.MeshgridView(live, images=torch.ones(2, 5, 5))
    inspector = kw.SplineInspector(other, editable=True)
    page = Parsed(kw.save_html(tmp_path / "page.html", grid, mesh, inspector, grid))
    saved = page.saved
    assert len(saved["streams"]) == 2
    ids = [model["id"] for model in saved["models"]]
    assert [ids.index(place["model"]) for place in saved["places"]] == [0, 1, 2, 0]
    streams = [f"anywidget:{stream['id']}" for stream in saved["streams"]]
    assert [streams.index(m["traits"]["stream"]) for m in saved["models"]] == [0, 0, 1]
    assert saved["models"][0]["traits"]["mode"] == "change"
    images = saved["models"][1]["traits"]["images"]
    assert images["shape"] == [2, 1, 5, 5]
    assert np.frombuffer(images["data"], "<f4").tolist() == [1.0] * 50
    assert saved["streams"][0]["traits"]["selection"] == live.feed.selection
    (seen,) = saved["streams"][0]["observed"]
    counts = np.frombuffer(seen["arrays"]["counts"], "<f4")
    assert counts.tobytes() == live.feed.observed["conv"].counts.tobytes()
    # Nothing is there to be edited.
    assert saved["models"][2]["traits"]["editable"] is False
    assert "footer" not in page.texts


def test_a_dashboard_is_alive_with_its_panels(tmp_path: Path) -> None:
    _, live = bound()
    dashboard = kw.Dashboard(live, theme="dark")
    page = Parsed(dashboard.save_html(tmp_path / "page.html", title="Mine"))
    (place,) = page.saved["places"]
    models = {f"anywidget:{model['id']}": model for model in page.saved["models"]}
    whole = models[f"anywidget:{place['model']}"]
    assert place["name"] == whole["module"] == "Dashboard"
    assert [models[ref]["module"] for ref in whole["traits"]["parts"]] == [
        "NetworkView",
        "KernelGrid",
        "SplineInspector",
        "MeshgridView",
        "TrainingPanel",
    ]
    layered = {ref for ref, model in models.items() if "layer" in model["traits"]}
    for ref in layered:
        assert set(models[ref]["traits"]["linked"]) == layered - {ref}
    assert page.saved["theme"] == "dark"
    assert {model["traits"]["theme"] for model in page.saved["models"]} == {"auto"}
    assert page.texts["h1"] == page.texts["title"] == "Mine"


def test_a_comparison_is_alive_with_the_kernels_of_all_models(tmp_path: Path) -> None:
    _, live = bound()
    other = torch.nn.Linear(2, 3)
    live.log(loss=1.0)
    compare = kw.Compare({"KAN": live, "MLP": other}, theme="dark")
    page = Parsed(compare.save_html(tmp_path / "page.html"))
    (place,) = page.saved["places"]
    assert place["name"] == "Compare"
    (figure,) = (about for tag, about in page.tags if tag == "figure")
    assert (figure["data-kw-place"], figure["aria-label"]) == ("0", "Compare")
    assert figure["data-kw-style"] == "width: 100%"
    assert page.texts["h1"] == page.texts["title"] == "KAN, MLP · Compare"
    models = {f"anywidget:{model['id']}": model for model in page.saved["models"]}
    shown = models[f"anywidget:{place['model']}"]
    parts = [models[ref]["traits"] for ref in shown["traits"]["parts"]]
    assert [part["kind"] for part in parts] == ["kernel_grid"] * 2
    streams = [f"anywidget:{stream['id']}" for stream in page.saved["streams"]]
    assert [part["stream"] for part in parts] == streams
    said = (tmp_path / "page.html").read_text("utf-8")
    assert "KAN: steps 0 to 12, MLP: step 0 · saved on <time" in said
    assert [m["name"] for m in shown["traits"]["content"]["models"]] == ["KAN", "MLP"]
    assert [curve["name"] for curve in shown["traits"]["curves"]] == ["KAN"]
    assert page.saved["theme"] == "dark"
    compare.close()


def test_a_training_panel_is_alive_with_its_curves_and_numbers(tmp_path: Path) -> None:
    _, live = bound()
    for step in range(20):
        live.log(step, loss=1 / (1 + step))
    panel = kw.TrainingPanel(live)
    page = Parsed(panel.save_html(tmp_path / "page.html"))
    (place,) = page.saved["places"]
    assert place["name"] == "TrainingPanel"
    assert "figcaption" not in page.texts
    (model,) = page.saved["models"]
    assert model["traits"]["kind"] == "training_panel"
    assert [curve["name"] for curve in model["traits"]["curves"]] == ["loss"]
    assert model["traits"]["status"]["state"] == panel.status["state"]
    panel.close()


def test_names_and_title_are_text_never_html(tmp_path: Path) -> None:
    _, live = bound(HOSTILE.replace(".", ""))
    assert live.layers == (HOSTILE,)
    path = kw.KernelGrid(live).save_html(tmp_path / "page.html", title=HOSTILE)
    page = Parsed(path)
    assert page.saved["streams"][0]["traits"]["layouts"][0]["layers"][0]["name"] == HOSTILE
    assert page.texts["h1"] == HOSTILE
    assert not any("alert" in text for about, text in page.scripts if about.get("id") is None)
    # Whatever ends a script early or hides its end: in what is ours alone.
    text = path.read_text("utf-8")
    assert text.count("<script") == text.count("</script") == len(page.scripts)
    assert "<!--" not in text


def test_the_page_names_no_address(tmp_path: Path) -> None:
    _, live = bound()
    page = Parsed(kw.Dashboard(live).save_html(tmp_path / "page.html"))
    addresses = [
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset", "data")
    ]
    assert addresses == ["data:,"]  # no icon, so that none is asked for
    (policy,) = (
        about["content"]
        for tag, about in page.tags
        if tag == "meta" and about.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy
    assert not any(re.search(r"@import|url\((?!data:)", text) for text in [page.texts["style"]])


def test_the_policy_of_a_page_allows_its_own_scripts_and_styles_alone(tmp_path: Path) -> None:
    _, live = bound()
    page = Parsed(kw.Dashboard(live).save_html(tmp_path / "page.html"))
    (policy,) = (
        str(about["content"])
        for tag, about in page.tags
        if tag == "meta" and about.get("http-equiv") == "Content-Security-Policy"
    )
    allowed = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}

    def hashed(*texts: str) -> list[str]:
        digests = (hashlib.sha256(text.encode()).digest() for text in texts)
        return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]

    # One runs as it stands there, and unpacks the other.
    (start,) = (text for about, text in page.scripts if about.get("type") == "module")
    code = zlib.decompress(base64.b64decode(page.script("kw-code"))).decode()
    assert allowed["script-src"] == hashed(start, code)
    assert allowed["style-src"] == hashed(page.texts["style"])
    assert "unsafe" not in policy
    # Which a policy without 'unsafe-inline' does not allow.
    names = {name for _, attributes in page.tags for name in attributes}
    assert not {name for name in names if name == "style" or name.startswith("on")}


# That of the worker runs by itself.
BUNDLES = [path for path in sorted(STATIC.glob("*.js")) if path.stem != "trainer"]


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.stem)
def test_every_bundle_can_hand_over_what_it_exports(bundle: Path) -> None:
    script = _handing("Some", bundle.read_text("utf-8"))
    assert re.search(r'\(globalThis.kanWidgets \?\?= {}\)\["Some"\] = \{ [\w$]+: [\w$]+', script)
    assert not re.search(r"\bexport ?\{", script)


def test_the_script_of_a_page_stands_in_it_packed(tmp_path: Path) -> None:
    _, live = bound()
    page = Parsed(kw.KernelGrid(live).save_html(tmp_path / "page.html"))
    code = zlib.decompress(base64.b64decode(page.script("kw-code"))).decode()
    assert code == site_script()
    assert sum((STATIC / name).stat().st_size for name in ("main.js", "page.js")) > page.size


def test_a_bundle_of_another_form_is_refused() -> None:
    with pytest.raises(RuntimeError, match="bundle of Some"):
        _handing("Some", "export default 3;")


def test_equal_bytes_are_kept_once_and_what_json_lacks_is_nothing() -> None:
    content = {"a": [b"xyz", {"b": memoryview(b"xyz")}], "c": float("nan"), "d": b""}
    saved, packed = taken_out(content)
    places = [(["a", 0], 0, 3), (["a", 1, "b"], 0, 3), (["d"], 3, 0)]
    assert saved == {"a": [None, {}], "c": None, "bytes": places}
    assert packed == b"xyz"


def test_max_mb_thins_the_history_evenly_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    model = kw.nn.KANLinear(200, 20)
    live = kw.bind(model, every=1)
    for _ in range(24):
        with torch.no_grad():
            model.base_weight += 0.1 * torch.randn_like(model.base_weight)
            model.spline_weight += 0.1 * torch.randn_like(model.spline_weight)
        live.step()
        live.refresh()
    grid = kw.KernelGrid(live)
    path = tmp_path / "page.html"
    whole = Parsed(kw.save_html(path, grid, max_mb=20))
    assert list(whole.frames()) == list(range(25))
    assert capsys.readouterr().out == f"{path}: {whole.size / 1e6:.1f} MB, 25 frames\n"
    # Rounded before frames are left out.
    rounded = Parsed(kw.save_html(path, grid, max_mb=0.99 * whole.size / 1e6))
    assert rounded.size < whole.size / 1.5
    assert capsys.readouterr().out == (
        f"{path}: {rounded.size / 1e6:.1f} MB, 25 frames, rounded "
        "(a larger max_mb keeps them as they are)\n"
    )
    limit = (rounded.size + 330_000) / 2e6
    # The step looked at is there in any case, as are the first and the latest.
    grid.stream.cursor = 23
    half = Parsed(kw.save_html(path, grid, max_mb=limit))
    steps = list(half.frames())
    assert 0.8 * limit < half.size / 1e6 <= limit
    assert {0, 23, 24} <= set(steps)
    gaps = np.diff([step for step in steps if step != 23])
    assert gaps.max() - gaps.min() <= 1
    assert f"{len(steps)} of 25 frames, rounded" in capsys.readouterr().out


def test_frames_are_left_out_evenly_however_far_apart_their_steps_are() -> None:
    model = kw.nn.KANLinear(3, 2)
    live = kw.bind(model, every=1000)
    steps = [*range(11), *range(40, 401, 40)]
    for step in range(1, 401):
        live.step()
        if step in steps:
            live.refresh()
    past = past_of(kw.KernelGrid(live)._stream)
    assert [frame.step for frame in past.frames] == steps
    places = [steps.index(frame.step) for frame in past.thinned(0.5)]
    assert set(np.diff(places)) == {1, 2}
    assert len(places) == 12


def test_a_page_that_cannot_be_so_small_is_refused_with_the_smallest_size(tmp_path: Path) -> None:
    _, live = bound()
    grid = kw.KernelGrid(live)
    path = tmp_path / "page.html"
    with pytest.raises(ValueError, match=r"max_mb=0\.01 is too small.*\(2 of 13\)") as refused:
        kw.save_html(path, grid, max_mb=0.01)
    assert not path.exists()
    smallest = float(re.findall(r"max_mb=([\d.]+) or more", str(refused.value))[0])
    kw.save_html(path, grid, max_mb=smallest)
    assert path.stat().st_size <= smallest * 1e6


def test_a_model_changed_before_its_first_step_has_both_its_states(tmp_path: Path) -> None:
    _, live = bound(steps=0)
    live.edits.zero("conv", (0, 0, 0, 0))
    page = Parsed(kw.save_html(tmp_path / "page.html", kw.KernelGrid(live)))
    (run,) = page.saved["streams"][0]["runs"]
    assert run["steps"] == [0, 0]


def test_a_page_outlives_its_model(tmp_path: Path) -> None:
    model, live = bound()
    grid = kw.KernelGrid(live)
    last = live.frame.data.copy()
    live.close()
    del model, live
    page = Parsed(kw.save_html(tmp_path / "page.html", grid))
    assert page.frames()[12].tobytes() == last.tobytes()


def test_what_is_no_view_is_refused(tmp_path: Path) -> None:
    model, live = bound()
    path = tmp_path / "page.html"
    with pytest.raises(TypeError, match="no view to save"):
        kw.save_html(path)
    for wrong in (live, model, "page"):
        with pytest.raises(TypeError, match=r"is no view of kan_widgets; .*kw\.Dashboard\(live\)"):
            kw.save_html(path, kw.KernelGrid(live), wrong)  # type: ignore[arg-type]
    assert not path.exists()


def test_a_closed_view_is_refused(tmp_path: Path) -> None:
    _, live = bound()
    grid = kw.KernelGrid(live)
    grid.close()
    with pytest.raises(ValueError, match="this KernelGrid is closed"):
        kw.save_html(tmp_path / "page.html", grid)
    dashboard = kw.Dashboard(live)
    dashboard.meshgrid.close()
    with pytest.raises(ValueError, match="this MeshgridView is closed"):
        dashboard.save_html(tmp_path / "page.html")


def test_a_view_without_frames_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, live = bound()
    grid = kw.KernelGrid(live)
    monkeypatch.setattr(type(live), "history", [])
    monkeypatch.setattr(type(grid.stream), "frames", lambda stream: (None, None))
    with pytest.raises(ValueError, match="no frame to show yet"):
        kw.save_html(tmp_path / "page.html", grid)


def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    _, live = bound()
    grid = kw.KernelGrid(live)
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*missing: make it first"):
        grid.save_html(tmp_path / "missing" / "page.html")
    with pytest.raises(IsADirectoryError, match=r"name a file in it, such as page\.html"):
        grid.save_html(tmp_path)


@pytest.mark.parametrize("size", [0, -1, float("nan"), "5", True, None])
def test_a_size_that_is_none_is_refused(tmp_path: Path, size: Any) -> None:
    _, live = bound()
    with pytest.raises((ValueError, TypeError), match=r"max_mb=.*: expected a (finite )?number"):
        kw.save_html(tmp_path / "page.html", kw.KernelGrid(live), max_mb=size)


def test_a_title_that_is_no_text_is_refused(tmp_path: Path) -> None:
    _, live = bound()
    with pytest.raises(TypeError, match="title=3: expected text"):
        kw.save_html(tmp_path / "page.html", kw.KernelGrid(live), title=3)  # type: ignore[arg-type]
    page = Parsed(kw.save_html(tmp_path / "page.html", kw.KernelGrid(live), title=""))
    assert "h1" not in page.texts
    assert page.texts["title"] == "Sequential · Kernel grid"


def test_a_page_is_named_after_its_models_and_views_and_says_when_it_was_saved(
    tmp_path: Path,
) -> None:
    _, live = bound()
    began = datetime.datetime.now().astimezone().replace(second=0, microsecond=0)
    path = kw.save_html(tmp_path / "page.html", kw.KernelGrid(live), kw.LayerRanges(live))
    page = Parsed(path)
    assert page.texts["h1"] == page.texts["title"] == "Sequential · Kernel grid, Layer ranges"
    labels = [about["aria-label"] for tag, about in page.tags if tag == "figure"]
    assert labels == ["Kernel grid", "Layer ranges"]
    (about,) = (attributes for tag, attributes in page.tags if tag == "time")
    saved = datetime.datetime.fromisoformat(str(about["datetime"]))
    assert began <= saved <= datetime.datetime.now().astimezone()
    assert page.texts["time"] == f"{saved.day} {saved:%B %Y, %H:%M}"
