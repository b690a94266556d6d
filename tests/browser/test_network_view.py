"""NetworkView under a real pointer."""

from __future__ import annotations

import pytest

from tests.browser.lab import LabPage, LabServer

pytestmark = pytest.mark.browser

SETUP = """
import torch
import kan_widgets as kw

torch.manual_seed(0)
model = kw.nn.KANCNN()
live = kw.bind(model)
digits = kw.data.mnist("embedded")
live.probe(digits.test_images[:8], digits.test_labels[:8])
"""
# Places where links to two layers begin, whose kernels have no room on them, in client pixels, with
# the id of what answers there.
PLACES = """view => {
  const scene = view.kwView.scene();
  const canvas = view.querySelector('canvas').getBoundingClientRect();
  const whole = {x: 0, y: 0, width: scene.width, height: scene.height};
  return [2, 3].flatMap((k) => {
    const {before, links, bundles} = scene.diagram.parts[k];
    return links.map((n) => {
      const [x, y] = [before.box.x + before.box.width + 5, before.byUnit.get(bundles[n].from).port];
      const id = scene.sites.at(x, y, whole);
      return {x: canvas.left + x, y: canvas.top + y, id};
    });
  });
}"""

# Middles of the pieces of all lines drawn for links: how many, and those at which nothing answers.
PIECES = """view => {
  const scene = view.kwView.scene();
  const whole = {x: 0, y: 0, width: scene.width, height: scene.height};
  const found = [];
  const look = (marks, dx, dy) => {
    for (const {kind, at = [0, 0], marks: own, xy, ends} of marks) {
      if (kind === 'group') look(own, dx + at[0], dy + at[1]);
      if (kind !== 'lines') continue;
      ends.forEach((end, line) => {
        for (let k = 2 * (line ? ends[line - 1] : 0); k < 2 * end - 2; k += 2)
          found.push([(xy[k] + xy[k + 2]) / 2 + dx, (xy[k + 1] + xy[k + 3]) / 2 + dy]);
      });
    }
  };
  look(scene.sheets[0].marks(), 0, 0);
  return [found.length, found.filter(([x, y]) => scene.sites.at(x, y, whole) === '')];
}"""


def test_every_link_answers_with_its_function(lab: LabPage, server: LabServer) -> None:
    lab.open(server.write_notebook([SETUP, "kw.NetworkView(live)"]))
    lab.run_cell(0)
    lab.run_cell(1)
    network = lab.page.locator(".kw-network-view")
    network.scroll_into_view_if_needed()
    lab.until(lambda: network.evaluate("view => view.kwView?.scene()?.shown"), "a function")
    count, silent = network.evaluate(PIECES)
    assert count > 10_000
    assert silent == []
    places = network.evaluate(PLACES)
    assert len(places) > 300
    assert [place["id"] for place in places if not place["id"].startswith(("e:2:", "e:3:"))] == []
    shown = "view => { const {f, x, value} = view.kwView.scene().shown; return [f, x, value]; }"
    seen = set()
    # Of links that begin at one place the strongest answers.
    answers = list({place["id"]: place for place in places}.values())
    for place in answers[:: len(answers) // 6]:
        lab.page.mouse.move(place["x"], place["y"])
        _, column, bundle = place["id"].split(":")
        part = f"view.kwView.scene().diagram.parts[{column}].bundles[{bundle}]"
        first = network.evaluate(f"view => {part}.first")
        lab.until(
            lambda first=first: first <= network.evaluate(shown)[0] < first + 9,  # type: ignore[misc]
            "the function of the link",
        )
        seen.add(tuple(network.evaluate(shown)))
    assert len(seen) >= 5
    assert all(value is not None for one in seen for value in one)
    lab.page.mouse.move(5, 5)
    assert lab.cell_errors() == []


def test_another_strongest_path_cross_fades_in_one_drawing(lab: LabPage, server: LabServer) -> None:
    lab.open(
        server.write_notebook([SETUP, "view = kw.NetworkView(live)\nview", "view.example = 3"])
    )
    lab.run_cell(0)
    lab.run_cell(1)
    network = lab.page.locator(".kw-network-view")
    path = "view => JSON.stringify(view.kwView?.scene()?.legs ?? [])"
    lab.until(lambda: network.evaluate(path) != "[]", "a path")
    lab.page.wait_for_timeout(500)  # soon after one change another does not fade
    before = network.evaluate(path)
    network.evaluate("""view => {
        view.seen = [];
        new MutationObserver((news) => {
            for (const {addedNodes} of news) for (const {tagName} of addedNodes)
                if (tagName === 'CANVAS') view.seen.push(tagName);
        }).observe(view, {childList: true, subtree: true});
        view.faded = [];
        const look = () => {
            const drawn = view.kwView.scene()?.fades ?? false;
            if (drawn !== (view.faded.at(-1) ?? false)) view.faded.push(drawn);
            requestAnimationFrame(look);
        };
        look();
    }""")
    lab.page.mouse.move(2, 300)
    lab.run_cell(2)
    lab.until(lambda: network.evaluate(path) != before, "another path")
    lab.until(lambda: network.evaluate("view => view.faded.at(-1) === false"), "its end")
    assert network.evaluate("view => view.faded") == [True, False]
    assert network.evaluate("view => view.seen") == []


def test_four_notches_of_the_wheel_look_closer_and_escape_undoes_them_exactly(
    lab: LabPage, server: LabServer
) -> None:
    lab.open(server.write_notebook([SETUP, "kw.NetworkView(live)"]))
    lab.run_cell(0)
    lab.run_cell(1)
    network = lab.page.locator(".kw-network-view")
    network.scroll_into_view_if_needed()
    lab.until(lambda: network.evaluate("view => view.kwView?.scene()?.shown"), "a function")
    plot = network.locator(".kw-viewport")
    seen = "view => (({width, height}) => [width, height])(view.getBoundingClientRect())"
    scale = "view => view.kwView.scene().diagram.window.scale"
    before = network.evaluate(seen), plot.evaluate(seen)
    box = plot.bounding_box()
    assert box
    lab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 120)
    lab.page.keyboard.down("Control")
    for _ in range(4):
        lab.page.mouse.wheel(0, -120)
    lab.page.keyboard.up("Control")
    lab.until(lambda: network.evaluate(scale) > 1.7, "four notches")
    assert network.evaluate(scale) < 2
    assert network.get_by_text("whole network").is_visible()
    assert (network.evaluate(seen), plot.evaluate(seen)) == before
    plot.locator(".kw-canvas").focus()
    lab.page.keyboard.press("Escape")
    lab.until(lambda: network.evaluate(scale) == 1, "the whole network")
    assert (network.evaluate(seen), plot.evaluate(seen)) == before
