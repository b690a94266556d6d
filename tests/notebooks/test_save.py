"""What `make notebooks` leaves in a saved tutorial and what it refuses to save."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from PIL import Image

from tests.notebooks import save
from tests.notebooks.execution import CHECKOUT, JPEG, VIEW, Run, code_cells, without_bars


def picture_of(pixels: Any, compress_level: int) -> str:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG", compress_level=compress_level, dpi=(96, 96))
    return base64.b64encode(target.getvalue()).decode()


STRIPES = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
PICTURE = save.lighter(picture_of(STRIPES, 9))


def ran(*outputs: dict[str, Any], **stills: str | None) -> Run:
    cell = nbformat.v4.new_code_cell(  # type: ignore[no-untyped-call]
        "1", execution_count=1, metadata={"execution": {"shell.execute_reply": "2026-01-01"}}
    )
    cell.outputs = [nbformat.from_dict(output) for output in outputs]  # type: ignore[no-untyped-call]
    metadata = {"language_info": {"name": "python", "version": "3.11.2"}, "widgets": {"state": {}}}
    notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=[cell], metadata=metadata
    )
    pictures: Any = {key: (still, {"width": 8}) for key, still in stills.items()}
    return Run("00_none.ipynb", notebook, {}, pictures, 0.0)


def shown(**data: Any) -> dict[str, Any]:
    kinds = {"png": "image/png", "jpeg": JPEG, "text": "text/plain", "view": VIEW}
    data = {kinds[kind]: value for kind, value in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": data}


def said(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def output_of(run: Run) -> Any:
    (output,) = code_cells(run.notebook)[0].outputs
    return output


def test_a_live_view_is_saved_as_its_picture_at_the_end() -> None:
    run = ran(shown(png="old", text="Grid()", view={"model_id": "a"}), a=PICTURE)
    save.clean(run)
    assert output_of(run).data == {"image/png": PICTURE, "text/plain": "Grid()"}
    assert output_of(run).metadata == {"image/png": {"width": 8}}


def test_a_view_that_is_gone_by_the_end_keeps_its_first_picture() -> None:
    run = ran(shown(png=PICTURE, text="Grid()", view={"model_id": "a"}))
    save.clean(run)
    assert output_of(run).data == {"image/png": PICTURE, "text/plain": "Grid()"}


def test_a_view_without_a_picture_is_refused_with_its_name() -> None:
    run = ran(shown(text="HBox(children=())", view={"model_id": "a"}))
    with pytest.raises(ValueError, match="without a still picture: HBox"):
        save.clean(run)


def test_a_bqplot_figure_is_saved_as_its_photograph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = replace(
        ran(shown(text="Figure()", view={"model_id": "a"}), a=None), figures=["a"], state={"a": {}}
    )
    taken = {"a": (PICTURE, {"width": 720})}
    monkeypatch.setattr(save, "execute", lambda name: run)
    monkeypatch.setattr(
        save, "photographs", lambda figures, state: taken if state == {"a": {}} else {}
    )
    monkeypatch.setattr(save, "FOLDER", tmp_path)
    assert save.main([save.TUTORIALS[0]]) == 0
    assert output_of(run).data == {"image/png": PICTURE, "text/plain": "Figure()"}
    assert output_of(run).metadata == {"image/png": {"width": 720}}
    assert PICTURE in (tmp_path / save.TUTORIALS[0]).read_text()


def test_of_a_picture_shown_twice_the_png_is_kept() -> None:
    run = ran(shown(png=PICTURE, jpeg="/9j/"))
    save.clean(run)
    assert output_of(run).data == {"image/png": PICTURE}


def test_a_picture_keeps_its_pixels_in_fewer_bytes() -> None:
    hasty = picture_of(STRIPES, 0)
    run = ran(shown(png=hasty))
    save.clean(run)
    kept = output_of(run).data["image/png"]
    assert len(kept) < len(hasty) / 2
    with Image.open(io.BytesIO(base64.b64decode(kept))) as image:
        assert np.array_equal(np.asarray(image), STRIPES)
        assert image.info["dpi"] == pytest.approx((96, 96), abs=0.1)


def test_times_versions_and_widget_state_go() -> None:
    run = ran()
    save.clean(run)
    assert run.notebook.metadata == save.METADATA
    assert run.notebook.cells[0].metadata == {}


def test_paths_in_the_checkout_become_relative_and_addresses_go() -> None:
    run = ran(said(f"{CHECKOUT}/kan_widgets/data.py: <Grid object at 0x7f00a1>, a/b, 1/2"))
    save.clean(run)
    assert output_of(run).text == "kan_widgets/data.py: <Grid object>, a/b, 1/2"


@pytest.mark.parametrize("path", ["/home/me/x.py", "/tmp/x", r"C:\Users\me", "'/usr/lib/x'"])
def test_another_path_of_the_machine_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path of this machine: see"):
        save.clean(ran(said(f"first\nsee {path}\nlast")))


def test_an_address_on_the_web_is_no_path_of_the_machine() -> None:
    run = ran(said("https://arxiv.org/home/x"))
    save.clean(run)
    assert output_of(run).text == "https://arxiv.org/home/x"


def test_a_tutorial_that_raises_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": []}
    name = save.TUTORIALS[0]
    monkeypatch.setattr(save, "execute", lambda name: ran(error))
    monkeypatch.setattr(save, "FOLDER", tmp_path)
    assert save.main([name]) == 1
    assert f"{name}: not saved:\n  cell 0: KeyError: 'x'" in capsys.readouterr().err
    assert not (tmp_path / name).exists()


def test_a_name_that_is_no_tutorial_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        save.main(["99_none.ipynb"])
    assert "no such tutorial: 99_none.ipynb" in capsys.readouterr().err


@pytest.mark.parametrize("end", ["\r", "\n"])
def test_the_bar_of_a_long_computation_is_taken_away_and_a_warning_stays(end: str) -> None:
    def drawn(text: str) -> dict[str, Any]:
        return {"output_type": "stream", "name": "stderr", "text": text}

    bar = f"training {'█' * 3}{'░' * 21} 1 of 8{end}training {'█' * 24} 1,008 of 1,008\n"
    run = ran(drawn(bar), drawn(bar + "a warning\n"), drawn("8 of 8\n"))
    without_bars(run.notebook)
    (cell,) = code_cells(run.notebook)
    assert [output.text.strip() for output in cell.outputs] == ["a warning", "8 of 8"]
