"""How much work a frame is, for the page and on the wire: counted, not timed."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.browser.lab import PANEL, LabPage, LabServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FRAMES = 40

# Frames a fifth of a second apart: a page has drawn one before the next comes.
SETUP = """
import time
import torch
import kan_widgets as kw
from kan_widgets.widgets.wire import outbox

outbox._LONG_WAITS = 1  # where processors are taken frames are left out, and here none may be
torch.set_num_threads(1)
{model}
optimizer = torch.optim.SGD(model.parameters(), 1e-3)
live = kw.bind(model, optimizer, every=1)

def train(steps):
    for _ in range(steps):
        for p in model.parameters():
            p.grad = torch.randn_like(p)
        optimizer.step()
        time.sleep(0.2)
"""
ARTICLE = "model = kw.nn.KANCNN.article()"
LARGE = "model = kw.nn.KANLinear(100, 100)"

COUNTING = (
    "(path) => {"
    + PANEL
    + """
  const count = window.kwCount = {paints: {}, calls: {}, messages: {}, bytes: 0};
  const add = (to, key, n = 1) => { to[key] = (to[key] ?? 0) + n; };
  const context = CanvasRenderingContext2D.prototype;
  for (const name of ['clearRect', 'stroke', 'fill', 'fillText', 'drawImage', 'fillRect']) {
    const was = context[name];
    context[name] = function (...given) {
      const element = this.canvas.closest('.kw-view');
      // What cross-fades is drawn a few times more.
      const fades = element?.kwView?.scene()?.fades ? ' fading' : '';
      const view = element ? element.classList[1] + fades : 'copies';
      add(name === 'clearRect' ? count.paints : count.calls, view);
      return was.apply(this, given);
    };
  }
  const {kernel} = panel.sessionContext.session;
  kernel.anyMessage.connect((_, {msg, direction}) => {
    const {method, content, state} = msg.content?.data ?? {};
    const what = content?.kind ?? Object.keys(state ?? {}).join();
    add(count.messages, msg.header.msg_type === 'comm_msg' ? what : msg.header.msg_type);
    if (what === 'frame' && method === 'custom')
      count.bytes = msg.buffers.reduce((n, part) => n + part.byteLength, 0);
  });
}"""
)


def counted(lab: LabPage, server: LabServer, model: str, view: str) -> dict[str, Any]:
    """Count drawings and messages while so many frames come, in `seconds`; `bytes` of one."""
    cells = [SETUP.format(model=model), f"kw.{view}(live)", "train(8)", f"train({FRAMES})"]
    lab.open(server.write_notebook(cells))
    for cell in range(3):
        lab.run_cell(cell)
        lab.wait_idle()
    lab.page.evaluate("document.querySelector('.kw-view').scrollIntoView()")
    lab.page.wait_for_timeout(1500)
    lab.page.evaluate(COUNTING, lab.path)
    start = time.monotonic()
    lab.run_cell(3)
    lab.wait_idle()
    found: dict[str, Any] = lab.page.evaluate("kwCount")
    found["seconds"] = time.monotonic() - start
    assert lab.cell_errors() == []
    assert lab.evaluate("live.stats.frames_sent") >= FRAMES
    return found


def test_a_frame_is_one_drawing_and_one_message_to_a_grid(lab: LabPage, server: LabServer) -> None:
    found = counted(lab, server, LARGE, "KernelGrid")
    paints, calls, messages = (found[key] for key in ("paints", "calls", "messages"))
    # Beside frames it is drawn as the training begins, ends and comes to rest.
    assert paints["kw-kernel-grid"] <= FRAMES + 8
    # All cells are one picture; the rest is the plot of one function, and labels.
    assert calls["kw-kernel-grid"] <= 90 * paints["kw-kernel-grid"]
    assert found["bytes"] == 4 * 100 * 100 * 9
    assert messages["frame"] <= FRAMES + 2  # the last comes to rest, as a message and in a trait
    # The page answers once for several frames, and what is done for an answer is told twice.
    assert 2 <= messages["shown"] <= FRAMES / 2 + 2
    assert messages["status"] <= 2 * messages["shown"] + 8
    others = set(messages) - {"frame", "shown", "status"}
    assert sum(messages[what] for what in others) <= 24


def test_of_a_dashboard_only_the_panels_that_are_seen_are_drawn_once_a_frame(
    lab: LabPage, server: LabServer
) -> None:
    found = counted(lab, server, ARTICLE, "Dashboard")
    paints, messages = found["paints"], found["messages"]
    fading = paints.pop("kw-network-view fading", 0)
    assert paints["kw-network-view"] <= 1.25 * FRAMES + 8
    assert fading <= FRAMES
    assert set(paints) <= {"kw-network-view", "kw-training-panel", "copies"}
    assert messages["frame"] <= FRAMES + 2
    assert messages["shown"] <= FRAMES / 2 + 2
    # Numbers and curves of the training come together, four times a second; what else has this
    # name is JupyterLab's.
    assert messages["status"] <= 2 * messages["shown"] + 4.5 * found["seconds"] + 8
