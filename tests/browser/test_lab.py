"""The harness itself: a tiny widget written in a notebook cell behaves as the tests assume."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.lab import LabPage, LabServer

pytestmark = pytest.mark.browser

WIDGET = '''
import pathlib, time
import anywidget, traitlets

class Counter(anywidget.AnyWidget):
    _esm = """
    export default { render({ model, el }) {
      const box = document.createElement("div");
      box.className = "counter";
      box.textContent = "kept " + model.get("kept");
      model.on("msg:custom", (content, buffers) => {
        box.textContent = "sent " + content.count + " bytes " + buffers[0].byteLength;
      });
      el.append(box);
    } };
    """
    kept = traitlets.Int(0).tag(sync=True)

counter = Counter()
counter
'''
BLOCKING = """
for count in range(1, 6):
    counter.send({"count": count}, [bytes(8)])
while not pathlib.Path("go").exists():
    time.sleep(0.02)
counter.kept = 7
"""


def test_messages_of_a_blocking_cell_show_before_the_cell_ends(
    lab: LabPage, server: LabServer
) -> None:
    path = server.write_notebook([WIDGET, BLOCKING])
    lab.open(path)
    lab.run_cell(0)
    text = lab.page.locator(".counter")
    lab.until(lambda: text.count() == 1, "the widget")
    assert text.inner_text() == "kept 0"
    received = lab.traffic.received
    lab.run_cell(1, wait=False)
    lab.wait_cell_running(1)
    lab.until(lambda: text.inner_text() == "sent 5 bytes 8", "the message")
    assert lab.is_running(1)
    assert lab.traffic.received >= received + 5
    (server.root / path).with_name("go").touch()
    lab.wait_idle()
    assert not lab.is_running(1)
    assert lab.evaluate("[counter.kept, two]", "two = 2.5") == [7, 2.5]
    lab.save()
    lab.reload()
    lab.until(lambda: text.count() == 1, "the widget after the reload")
    assert text.inner_text() == "kept 7"


def test_a_page_that_complains_is_noticed(lab: LabPage, server: LabServer) -> None:
    lab.open(server.write_notebook(["1 / 0"]))
    lab.page.evaluate(
        "() => { console.error('spilt'); setTimeout(() => { throw Error('burnt'); }); }"
    )
    lab.page.evaluate("() => fetch('http://elsewhere.invalid/').catch(() => {})")
    lab.until(lambda: len(lab.complaints) >= 3, "the complaints")
    assert any("spilt" in text for text in lab.complaints)
    assert any("burnt" in text for text in lab.complaints)
    assert any("elsewhere.invalid" in text for text in lab.complaints)
    lab.complaints.clear()
    lab.run_all()
    assert "ZeroDivisionError" in lab.cell_errors()[0]
    with pytest.raises(RuntimeError, match="NameError"):
        lab.evaluate("nothing")


def test_the_theme_changes_and_a_picture_is_kept(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.open(server.write_notebook(["1"]))
    assert lab.page.evaluate("document.body.dataset.jpThemeLight") == "true"
    lab.set_theme("JupyterLab Dark")
    assert lab.page.evaluate("document.body.dataset.jpThemeLight") == "false"
    lab.screenshot(artifacts / "dark.png")
    assert (artifacts / "dark.png").stat().st_size > 0
